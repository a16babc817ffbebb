//! What the records of the task tree in `tests/records` say.

use downbeat_kernel::{
    Answer, Approval, ApprovalId, Attempt, BillNumber, Budget, Call, CallId, CheckNumber, Deadline, Event,
    Generation, GrantNumber, IteratorEnd, IteratorId, MessageId, Previous, ProfileId, Profiles, PromptId,
    QuestionId, RequestEvent, RequestId, RequestTimer, Response, SendFailure, SessionEvent, Sign, Spend,
    TaskId, Then, Timer, ToolEnd, ToolId, TurnNumber, WatchNumber, WorkerEvent, WorkerTimer,
};

const TASK: TaskId = TaskId(7);
const REQUEST: RequestId = RequestId { task: TASK, turn: TurnNumber(3), attempt: Attempt(1) };
const CALL: CallId = CallId { task: TASK, turn: TurnNumber(3), index: 2 };
const QUESTION: QuestionId = QuestionId { task: TASK, number: 4 };
const PROMPT: PromptId = PromptId(5);
const ITERATOR: IteratorId = IteratorId(6);

/// What the lines of `tests/records/v1.jsonl` say, in their order. What named the third turn names a prompt.
pub(crate) fn events_of_v1() -> Vec<Event> {
    events_of_both(PromptId(3))
}

/// What both versions say, in its order, with this prompt in what an agent says.
fn events_of_both(prompt: PromptId) -> Vec<Event> {
    let own = [
        Event::TaskSubmitted { task: TASK, budget: Budget::default() },
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
        failed(SendFailure::Transient, 0),
        Event::MessageReceived { task: TASK, message: MessageId(9) },
        Event::PauseRequested { task: TASK },
        Event::ResumeRequested { task: TASK },
        Event::CancelRequested { task: TASK },
        of_request(RequestEvent::TimerFired { timer: RequestTimer::Backoff(REQUEST.attempt) }),
        Event::TimerFired { timer: Timer::Grace(TASK) },
        Event::EndAcknowledged { task: TASK },
    ];
    let failures = [
        SendFailure::Throttled { retry_after_ms: Some(20_000) },
        SendFailure::Throttled { retry_after_ms: None },
        SendFailure::Transient,
        SendFailure::Interrupted,
        SendFailure::Invalid,
    ];
    let ends = [ToolEnd::Succeeded, ToolEnd::Failed, ToolEnd::Cancelled];
    let answers = [Answer::Approved, Answer::Denied, Answer::Text];
    own.into_iter()
        .chain(failures.map(|failure| failed(failure, 40)))
        .chain(ends.map(|end| Event::ToolEnded { call: CALL, end }))
        .chain(answers.map(|answer| Event::AnswerReceived { question: QUESTION, answer }))
        .chain(worker_events(prompt).map(|event| Event::Worker { task: TASK, event }))
        .collect()
}

fn of_request(event: RequestEvent) -> Event {
    Event::Request { task: TASK, turn: REQUEST.turn, event }
}

fn failed(failure: SendFailure, jitter_ms: u32) -> Event {
    of_request(RequestEvent::SendFailed { attempt: REQUEST.attempt, failure, jitter_ms })
}

/// What the lines of `tests/records/v2.jsonl` say, in their order: what the first version says, and more.
pub(crate) fn events_of_v2() -> Vec<Event> {
    let (attempt, profile) = (REQUEST.attempt, ProfileId(1));
    let previous = Previous { turn: TurnNumber(2), attempt: Attempt(0), profile };
    let profiles = Profiles { count: 2, down: 1, keyed: 2 };
    let of_requests = [
        RequestEvent::Began { profiles, previous: Some(previous) },
        RequestEvent::Began { profiles, previous: None },
        RequestEvent::CredentialGiven { attempt, generation: Generation(4) },
        RequestEvent::CredentialFailed { attempt },
        RequestEvent::OutputDelivered { attempt },
        RequestEvent::ResponseEnded { attempt },
        RequestEvent::SendFailed { attempt, failure: SendFailure::Unauthorized, jitter_ms: 40 },
        RequestEvent::SendFailed { attempt, failure: SendFailure::ContinuityLost, jitter_ms: 40 },
        RequestEvent::SendFailed { attempt, failure: SendFailure::ContextTooLong, jitter_ms: 40 },
        RequestEvent::Stopped { attempt },
        RequestEvent::UsageReported { attempt },
        RequestEvent::ProfileDown { profile },
        RequestEvent::ProfileUp { profile },
        RequestEvent::PauseRequested,
        RequestEvent::ResumeRequested,
        RequestEvent::CancelRequested,
        RequestEvent::TimerFired { timer: RequestTimer::Grace(attempt) },
    ];
    let of_profiles = [Event::ProfileDown { profile }, Event::ProfileUp { profile }];
    events_of_both(PROMPT).into_iter().chain(of_requests.map(of_request)).chain(of_profiles).collect()
}

/// What the lines of `tests/records/v3.jsonl` say, in their order: what the second version says, and more.
pub(crate) fn events_of_v3() -> Vec<Event> {
    let budget = Budget { tokens: 200_000, micros: 1_500_000, wall_ms: 3_600_000 };
    let spend = Spend { tokens: 1_200, micros: 9_000 };
    let own = [
        Event::TaskSubmitted { task: TASK, budget },
        Event::Spent { task: TASK, bill: BillNumber(1), spend },
        Event::TimerFired { timer: Timer::Budget { task: TASK, grant: GrantNumber(2) } },
        Event::Worker { task: TASK, event: WorkerEvent::BudgetSpent },
        Event::Worker { task: TASK, event: WorkerEvent::BudgetGranted },
    ];
    events_of_v2().into_iter().chain(own).collect()
}

fn worker_events(prompt: PromptId) -> impl Iterator<Item = WorkerEvent> {
    let turn = TurnNumber(3);
    let approval = ApprovalId { prompt, number: 1 };
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
        WorkerEvent::ApprovalRequested { approval },
        WorkerEvent::AnswerReceived { approval, answer: Answer::Approved },
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
        .chain(signs.map(move |sign| WorkerEvent::Observed { prompt, sign }))
        .chain(timers.map(|timer| WorkerEvent::TimerFired { timer }))
}
