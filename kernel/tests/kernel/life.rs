//! The life of one task: turns, calls, responses without a call, retries.

use crate::stage::{
    DUPLICATE, STALE, Stage, TERMINAL, acknowledged, admitted, answered, arm, ask, backoff, call_id, ended,
    enqueue, failed, fired, include, initialize, initialized, responded, result, run, send, submitted,
    tool_ended,
};
use downbeat_kernel::{
    About, Answer, Approval, Call, CallRefusal, CallResult, Config, Effect, End, Event, Part, Reason,
    RequestReason, Response, SendFailure, TaskId, TaskState, ToolEnd,
};

const TOOL: Call = Call::Tool(Approval::Granted);
const CAREFUL_TOOL: Call = Call::Tool(Approval::Required);
const DONE: Call = Call::Completion(Approval::Granted);

fn calls(calls: &[Call]) -> Response {
    Response::Calls(calls.to_vec())
}

fn tool(end: ToolEnd) -> CallResult {
    CallResult::Tool(end)
}

#[test]
fn task_asks_runs_tools_and_completes() {
    let mut stage = Stage::new(Config::default());
    #[rustfmt::skip]
    let life: [(Event, TaskState, Vec<Effect>); 8] = [
        (submitted(1), TaskState::Queued, vec![enqueue(1)]),
        (admitted(1), TaskState::Initializing, vec![initialize(1)]),
        (initialized(1), TaskState::Requesting,
            vec![include(1, Part::Prompt), send(1, 1, 0)]),
        (responded(1, 1, 0, calls(&[TOOL, CAREFUL_TOOL])), TaskState::ExecutingTools,
            vec![run(1, 1, 0), ask(1, 1, About::Tool(call_id(1, 1, 1)))]),
        (tool_ended(1, 1, 0, ToolEnd::Failed), TaskState::AwaitingInput, vec![]),
        (answered(1, 1, Answer::Approved), TaskState::ExecutingTools, vec![run(1, 1, 1)]),
        (tool_ended(1, 1, 1, ToolEnd::Succeeded), TaskState::Requesting, vec![
            result(1, 1, 0, tool(ToolEnd::Failed)),
            result(1, 1, 1, tool(ToolEnd::Succeeded)),
            send(1, 2, 0),
        ]),
        (responded(1, 2, 0, calls(&[DONE])), TaskState::Completed, vec![ended(1, End::Completed)]),
    ];
    for (event, state, effects) in life {
        assert_eq!(stage.takes(event.clone()), effects, "{event:?}");
        assert_eq!(stage.state(1), state, "{event:?}");
    }
    assert_eq!(stage.takes(acknowledged(1)), []);
    assert_eq!(stage.kernel.task(TaskId(1)), None);
    stage.refuses(&acknowledged(1), &TERMINAL);
}

#[test]
fn results_go_out_in_the_order_of_the_calls_whatever_order_they_came_in() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut stage = Stage::requesting(Config::default());
        let response = responded(1, 1, 0, calls(&[TOOL, CAREFUL_TOOL, Call::Question]));
        stage.takes(response.clone());
        let ends = [
            tool_ended(1, 1, 0, ToolEnd::Succeeded),
            answered(1, 1, Answer::Denied),
            answered(1, 2, Answer::Text),
        ];
        let mut effects = Vec::new();
        for which in order {
            assert_eq!(effects, [], "{order:?}: the turn waits for every call");
            effects = stage.takes(ends[which].clone());
            // The same end again settles nothing more (S8).
            let why = if which == 0 { &DUPLICATE } else { &STALE };
            stage.refuses(&ends[which].clone(), why);
        }
        let expected = [
            result(1, 1, 0, tool(ToolEnd::Succeeded)),
            result(1, 1, 1, CallResult::Denied),
            result(1, 1, 2, CallResult::Answered),
            send(1, 2, 0),
        ];
        assert_eq!(effects, expected, "{order:?}");
        stage.refuses(&response, &STALE);
    }
}

#[test]
fn completion_counts_only_alone_and_with_consent() {
    let mut stage = Stage::requesting(Config::default());
    let not_alone = CallResult::Refused(CallRefusal::NotAlone);
    let refused = [result(1, 1, 0, not_alone), result(1, 1, 1, not_alone), send(1, 2, 0)];
    assert_eq!(stage.takes(responded(1, 1, 0, calls(&[DONE, DONE]))), refused);
    assert_eq!(stage.takes(responded(1, 2, 0, calls(&[TOOL, DONE]))), [run(1, 2, 0)]);
    stage.takes(tool_ended(1, 2, 0, ToolEnd::Succeeded));
    let wanted = calls(&[Call::Completion(Approval::Required)]);
    let about = |turn| About::Completion(call_id(1, turn, 0));
    assert_eq!(stage.takes(responded(1, 3, 0, wanted.clone())), [ask(1, 1, about(3))]);
    let denied = [result(1, 3, 0, CallResult::Denied), send(1, 4, 0)];
    assert_eq!(stage.takes(answered(1, 1, Answer::Text)), denied);
    assert_eq!(stage.takes(responded(1, 4, 0, wanted)), [ask(1, 2, about(4))]);
    assert_eq!(stage.takes(answered(1, 2, Answer::Approved)), [ended(1, End::Completed)]);
}

#[test]
fn third_response_without_a_call_asks_a_person() {
    let reminded = |turn| vec![include(1, Part::Reminder), send(1, turn, 0)];
    let guided = vec![include(1, Part::Reminder), result(1, 3, 0, CallResult::Guided), send(1, 4, 0)];
    let over = vec![ended(1, End::Failed(Reason::MistakeLimit))];
    #[rustfmt::skip]
    let cases = [
        ("yes", Answer::Approved, guided.clone()),
        ("words", Answer::Text, guided),
        ("no", Answer::Denied, over),
    ];
    for (name, answer, expected) in cases {
        let mut stage = Stage::requesting(Config::default());
        assert_eq!(stage.takes(responded(1, 1, 0, Response::Text)), reminded(2), "{name}");
        assert_eq!(stage.takes(responded(1, 2, 0, Response::Text)), reminded(3), "{name}");
        let question = [ask(1, 1, About::MistakeLimit)];
        assert_eq!(stage.takes(responded(1, 3, 0, Response::Text)), question, "{name}");
        assert_eq!(stage.state(1), TaskState::AwaitingInput, "{name}");
        assert_eq!(stage.takes(answered(1, 1, answer)), expected, "{name}");
        if answer != Answer::Denied {
            // The count begins anew: two more reminders, then the question again.
            assert_eq!(stage.takes(responded(1, 4, 0, Response::Text)), reminded(5), "{name}");
            assert_eq!(stage.takes(responded(1, 5, 0, Response::Text)), reminded(6), "{name}");
            let question = [ask(1, 2, About::MistakeLimit)];
            assert_eq!(stage.takes(responded(1, 6, 0, Response::Text)), question, "{name}");
        }
    }
}

#[test]
fn call_between_two_mistakes_clears_the_count() {
    let mut stage = Stage::requesting(Config { mistakes_max: 2, ..Config::default() });
    stage.takes(responded(1, 1, 0, Response::Text));
    stage.takes_all([responded(1, 2, 0, calls(&[TOOL])), tool_ended(1, 2, 0, ToolEnd::Succeeded)]);
    assert_eq!(stage.takes(responded(1, 3, 0, Response::Text)), [include(1, Part::Reminder), send(1, 4, 0)]);
    assert_eq!(stage.takes(responded(1, 4, 0, Response::Text)), [ask(1, 1, About::MistakeLimit)]);
}

#[test]
fn mistake_limit_of_zero_is_none() {
    let mut stage = Stage::requesting(Config { mistakes_max: 0, ..Config::default() });
    for turn in 1..20 {
        let effects = stage.takes(responded(1, turn, 0, Response::Text));
        assert_eq!(effects, [include(1, Part::Reminder), send(1, turn + 1, 0)]);
    }
}

/// A mistake limit needs a place for its question even where no calls are allowed.
#[test]
fn mistake_limit_asks_where_no_calls_are_allowed() {
    let mut stage = Stage::requesting(Config { mistakes_max: 1, calls_max: 0, ..Config::default() });
    assert_eq!(stage.takes(responded(1, 1, 0, Response::Text)), [ask(1, 1, About::MistakeLimit)]);
}

#[test]
fn waits_between_attempts_double_to_ten_minutes_and_end_with_the_budget() {
    let waits = [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000];
    let mut stage = Stage::requesting(Config { attempts_max: 10, ..Config::default() });
    for (attempt, wait) in (0..).zip(waits) {
        let timer = backoff(1, 1, attempt + 1);
        let armed = stage.takes(failed(1, 1, attempt, SendFailure::Transient, 0));
        assert_eq!(armed, [arm(timer, wait)], "after attempt {attempt}");
        stage.refuses(&fired(backoff(1, 1, attempt)), &STALE);
        let again = stage.takes(fired(timer));
        assert_eq!(again, [include(1, Part::Prompt), send(1, 1, attempt + 1)]);
        stage.refuses(&fired(timer), &STALE);
        stage.refuses(&failed(1, 1, attempt, SendFailure::Transient, 0), &STALE);
    }
    let over = stage.takes(failed(1, 1, 9, SendFailure::Transient, 0));
    assert_eq!(over, [ended(1, End::Failed(Reason::Request(RequestReason::AttemptsExhausted)))]);
}

#[test]
fn default_budget_is_eight_attempts() {
    let mut stage = Stage::requesting(Config::default());
    for attempt in 0..7 {
        stage
            .takes_all([failed(1, 1, attempt, SendFailure::Transient, 0), fired(backoff(1, 1, attempt + 1))]);
    }
    let over = stage.takes(failed(1, 1, 7, SendFailure::Transient, 0));
    assert_eq!(over, [ended(1, End::Failed(Reason::Request(RequestReason::AttemptsExhausted)))]);
}

/// Every way in which a first attempt can end without a usable response, and the wait that follows, if any.
#[test]
fn failure_decides_the_wait() {
    let throttled = |retry_after_ms| SendFailure::Throttled { retry_after_ms };
    let empty = Event::ResponseEnded {
        request: crate::stage::request_id(1, 1, 0),
        response: Response::Empty,
        jitter_ms: 77,
    };
    #[rustfmt::skip]
    let cases = [
        ("a lost connection", failed(1, 1, 0, SendFailure::Transient, 0), Some(5_000)),
        ("jitter is added", failed(1, 1, 0, SendFailure::Transient, 321), Some(5_321)),
        ("throttled without a time", failed(1, 1, 0, throttled(None), 0), Some(5_000)),
        ("throttled for 20 s: one more", failed(1, 1, 0, throttled(Some(20_000)), 0), Some(21_000)),
        ("throttled for 0 s: one more", failed(1, 1, 0, throttled(Some(0)), 0), Some(1_000)),
        ("throttled beyond the bound of the backoff", failed(1, 1, 0, throttled(Some(3_600_000)), 5), Some(3_601_005)),
        ("truncated is not success", failed(1, 1, 0, SendFailure::Interrupted, 0), Some(5_000)),
        ("an empty response is asked for again", empty, Some(5_077)),
        ("it cannot help", failed(1, 1, 0, SendFailure::Invalid, 0), None),
    ];
    for (name, event, wait) in cases {
        let mut stage = Stage::requesting(Config::default());
        let expected = match wait {
            Some(after_ms) => arm(backoff(1, 1, 1), after_ms),
            None => ended(1, End::Failed(Reason::Request(RequestReason::Invalid))),
        };
        assert_eq!(stage.takes(event), [expected], "{name}");
    }
}

#[test]
fn failed_initialization_fails_the_task() {
    let mut stage = Stage::new(Config::default());
    stage.takes_all([submitted(1), admitted(1)]);
    let effects = stage.takes(Event::InitializationFailed { task: TaskId(1) });
    assert_eq!(effects, [ended(1, End::Failed(Reason::Initialization))]);
}
