//! Every record that was ever written is read as the event that it was.

use downbeat_kernel::{
    Answer, Approval, ApprovalId, Attempt, Call, CallId, CheckNumber, Deadline, Event, Failure, IteratorEnd,
    IteratorId, MessageId, PromptId, QuestionId, Record, RequestId, Response, SessionEvent, Sign, TaskId,
    Then, Timer, ToolEnd, ToolId, TurnNumber, WatchNumber, WorkerEvent, WorkerTimer,
};

const TASK: TaskId = TaskId(7);
const REQUEST: RequestId = RequestId { task: TASK, turn: TurnNumber(3), attempt: Attempt(1) };
const CALL: CallId = CallId { task: TASK, turn: TurnNumber(3), index: 2 };
const QUESTION: QuestionId = QuestionId { task: TASK, number: 4 };
const APPROVAL: ApprovalId = ApprovalId { prompt: PROMPT, number: 1 };
const PROMPT: PromptId = PromptId(5);
const ITERATOR: IteratorId = IteratorId(6);

/// What the lines of `tests/records/v1.jsonl` say, in their order.
fn events_of_v1() -> Vec<Event> {
    let own = [
        Event::TaskSubmitted { task: TASK },
        Event::Admitted { task: TASK },
        Event::Initialized { task: TASK },
        Event::InitializationFailed { task: TASK },
        Event::Deployed { task: TASK },
        Event::SubtaskRequested { task: TASK, child: TaskId(u64::MAX) },
        Event::ResponseEnded {
            request: REQUEST,
            response: Response::Calls(vec![
                Call::Tool(Approval::Granted),
                Call::Completion(Approval::Required),
                Call::Subtask { child: TaskId(8) },
                Call::Question,
            ]),
            jitter_ms: 250,
        },
        Event::ResponseEnded { request: REQUEST, response: Response::Text, jitter_ms: 0 },
        Event::ResponseEnded { request: REQUEST, response: Response::Empty, jitter_ms: u32::MAX },
        Event::RequestCancelled { request: REQUEST },
        Event::MessageReceived { task: TASK, message: MessageId(9) },
        Event::PauseRequested { task: TASK },
        Event::ResumeRequested { task: TASK },
        Event::CancelRequested { task: TASK },
        Event::TimerFired { timer: Timer::Backoff(REQUEST) },
        Event::TimerFired { timer: Timer::Grace(TASK) },
        Event::EndAcknowledged { task: TASK },
    ];
    let failures = [
        Failure::Throttled { retry_after_ms: Some(20_000) },
        Failure::Throttled { retry_after_ms: None },
        Failure::Transient,
        Failure::Truncated,
        Failure::Permanent,
    ];
    let ends = [ToolEnd::Succeeded, ToolEnd::Failed, ToolEnd::Cancelled];
    let answers = [Answer::Approved, Answer::Denied, Answer::Text];
    own.into_iter()
        .chain(failures.map(|failure| Event::RequestFailed { request: REQUEST, failure, jitter_ms: 40 }))
        .chain(ends.map(|end| Event::ToolEnded { call: CALL, end }))
        .chain(answers.map(|answer| Event::AnswerReceived { question: QUESTION, answer }))
        .chain(worker_events_of_v1().map(|event| Event::Worker { task: TASK, event }))
        .collect()
}

fn worker_events_of_v1() -> impl Iterator<Item = WorkerEvent> {
    let turn = TurnNumber(3);
    let session = [
        SessionEvent::Invoked { prompt: PROMPT },
        SessionEvent::Started { iterator: ITERATOR },
        SessionEvent::Answered { iterator: ITERATOR, prompt: PROMPT },
        SessionEvent::IteratorEnded { iterator: ITERATOR, end: IteratorEnd::Normal },
        SessionEvent::IteratorEnded { iterator: ITERATOR, end: IteratorEnd::Transient },
        SessionEvent::IteratorEnded { iterator: ITERATOR, end: IteratorEnd::Throttled },
        SessionEvent::IteratorEnded { iterator: ITERATOR, end: IteratorEnd::Permanent },
        SessionEvent::AbortRequested { prompt: PROMPT },
        SessionEvent::RestartRequested,
        SessionEvent::CloseRequested,
        SessionEvent::StopElapsed { iterator: ITERATOR },
    ];
    let signs = [Sign::Activity, Sign::ToolCalled { tool: ToolId(2) }, Sign::Succeeded, Sign::Failed];
    let timers = [
        WorkerTimer::Watch(WatchNumber(8)),
        WorkerTimer::Backoff(PROMPT),
        WorkerTimer::Breaker(PROMPT),
        WorkerTimer::WrapUp(Deadline::First),
        WorkerTimer::WrapUp(Deadline::Last),
    ];
    let own = [
        WorkerEvent::Assigned,
        WorkerEvent::MessageReceived { message: MessageId(9) },
        WorkerEvent::ChildReported { child: TaskId(8), number: 2 },
        WorkerEvent::ChildEnded { child: TaskId(8) },
        WorkerEvent::ProgressReported { check: CheckNumber(2) },
        WorkerEvent::ApprovalRequested { approval: APPROVAL },
        WorkerEvent::AnswerReceived { approval: APPROVAL, answer: Answer::Approved },
        WorkerEvent::Reported { number: 1 },
        WorkerEvent::ReportAcknowledged { number: 1 },
        WorkerEvent::InterruptRequested { turn, then: Then::Resume },
        WorkerEvent::InterruptRequested { turn, then: Then::Hold },
        WorkerEvent::PauseRequested,
        WorkerEvent::ResumeRequested,
        WorkerEvent::WrapUpRequested,
        WorkerEvent::CompleteRequested,
        WorkerEvent::KillRequested,
        WorkerEvent::EndAcknowledged,
    ];
    own.into_iter()
        .chain(session.map(WorkerEvent::Session))
        .chain(signs.map(move |sign| WorkerEvent::Observed { prompt: PROMPT, sign }))
        .chain(timers.map(|timer| WorkerEvent::TimerFired { timer }))
}

/// These files are never changed: what they hold is on somebody's disk.
#[test]
fn records_of_every_version_are_read_for_ever() {
    let versions = [(1, include_str!("../records/v1.jsonl"), events_of_v1())];
    assert_eq!(versions.len(), Record::NEWEST as usize, "a version without examples");
    for (version, lines, events) in versions {
        assert_eq!(lines.lines().count(), events.len(), "V{version}");
        for (line, event) in lines.lines().zip(events) {
            let record: Record =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("V{version} {line}: {error}"));
            assert_eq!(record.version(), version, "{line}");
            assert_eq!(Event::from(record), event, "{line}");
        }
    }
}

#[test]
fn newest_version_is_written_as_its_examples_are() {
    let newest = include_str!("../records/v1.jsonl");
    let written: Vec<_> = events_of_v1()
        .into_iter()
        .map(|event| serde_json::to_string(&Record::from(event)).expect("a record"))
        .collect();
    assert_eq!(written, newest.lines().collect::<Vec<_>>());
}

#[test]
fn what_no_version_says_is_an_error_that_names_it() {
    #[rustfmt::skip]
    let cases = [
        (r#"{"V0":{"Admitted":{"task":7}}}"#,            "unknown variant `V0`, expected `V1`"),
        (r#"{"V2":{"Admitted":{"task":7}}}"#,            "unknown variant `V2`, expected `V1`"),
        (r#"{"V1":{"Admited":{"task":7}}}"#,             "unknown variant `Admited`"),
        (r#"{"V1":{"Admitted":{"task":7,"at":1}}}"#,     "unknown field `at`, expected `task`"),
        (r#"{"V1":{"Admitted":{}}}"#,                    "missing field `task`"),
        (r#"{"V1":{"Admitted":{"task":-1}}}"#,           "invalid value: integer `-1`, expected u64"),
        (r#"{"V1":{"Admitted":{"task":7}}} {}"#,         "trailing characters"),
        (r#"{"V1":{"Admitted":{"task":7}}"#,             "EOF while parsing"),
        ("",                                             "EOF while parsing"),
    ];
    for (line, expected) in cases {
        let error = serde_json::from_str::<Record>(line).expect_err(line).to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
}
