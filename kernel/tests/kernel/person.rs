//! What a person can do to a task at any moment: answer, pause, resume, cancel.

use crate::stage::{
    DUPLICATE, STALE, Stage, admitted, answered, arm, ask, backoff, call_id, cancel_tool, cancelled, disarm,
    ended, enqueue, failed, fence, fired, grace, include, initialize, initialized, message, paused,
    request_grace, responded, result, resumed, run, send, stop, stopped, submitted, text, tool_ended,
    undelivered, withdraw,
};
use downbeat_kernel::{
    About, Answer, Approval, Call, CallResult, Config, Effect, End, Event, Held, Outcome, Outstanding, Part,
    Reason, Rejected, RequestReason, Response, SendFailure, TaskId, TaskState, ToolEnd,
};

const TOOL: Call = Call::Tool(Approval::Granted);

fn calls(calls: &[Call]) -> Response {
    Response::Calls(calls.to_vec())
}

/// One way to each place in a life: what happened before, and where the task stands then.
fn places() -> Vec<(&'static str, Vec<Event>, TaskState)> {
    let requesting = [submitted(1), admitted(1), initialized(1)];
    let then = |events: &[Event]| requesting.iter().chain(events).cloned().collect::<Vec<_>>();
    let subtask = Call::Subtask { child: TaskId(2) };
    #[rustfmt::skip]
    let places = vec![
        ("queued", vec![submitted(1)], TaskState::Queued),
        ("initializing", vec![submitted(1), admitted(1)], TaskState::Initializing),
        ("requesting", then(&[]), TaskState::Requesting),
        ("backing off", then(&[failed(1, 1, 0, SendFailure::Transient, 0)]),
            TaskState::Requesting),
        ("requesting again", then(&[failed(1, 1, 0, SendFailure::Transient, 0), fired(backoff(1, 1, 1))]),
            TaskState::Requesting),
        ("executing tools", then(&[responded(1, 1, 0, calls(&[TOOL, subtask, Call::Question]))]),
            TaskState::ExecutingTools),
        ("awaiting a subtask", then(&[responded(1, 1, 0, calls(&[subtask, Call::Question]))]),
            TaskState::AwaitingSubtask),
        ("awaiting input", then(&[responded(1, 1, 0, calls(&[Call::Question]))]), TaskState::AwaitingInput),
    ];
    places
}

#[test]
fn pause_and_resume_at_once_change_nothing_and_emit_nothing() {
    for (name, events, state) in places() {
        let mut stage = Stage::new(Config::default());
        stage.takes_all(events);
        assert_eq!(stage.state(1), state, "{name}");
        let before = stage.kernel.clone();
        stage.refuses(&resumed(1), &DUPLICATE);
        assert_eq!(stage.takes(paused(1)), [], "{name}");
        stage.refuses(&paused(1), &DUPLICATE);
        assert_eq!(stage.takes(resumed(1)), [], "{name}");
        assert_eq!(stage.kernel, before, "{name}");
    }
}

/// What is held, what came before the pause, what came in it with which effects and what that led to, and what the
/// resume gives.
type Pause = (&'static str, Vec<Event>, Vec<Event>, Vec<Effect>, Held, Vec<Effect>);

/// What was under way goes on while the task is held; what would begin does so at resume, and not before.
#[test]
fn pause_holds_what_would_begin() {
    let prompt = || vec![include(1, Part::Prompt), send(1, 1, 0)];
    let tool = CallResult::Tool(ToolEnd::Succeeded);
    let second = |results: &[Effect]| {
        let mut effects = results.to_vec();
        effects.push(send(1, 2, 0));
        effects
    };
    let careful = Call::Tool(Approval::Required);
    let done = |approval| calls(&[Call::Completion(approval)]);
    let requesting = || vec![submitted(1), admitted(1), initialized(1)];
    let with = |event: Event| {
        let mut events = requesting();
        events.push(event);
        events
    };
    #[rustfmt::skip]
    let cases: Vec<Pause> = vec![
        ("the place", vec![submitted(1)], vec![admitted(1)], vec![], Held::Admitted, vec![initialize(1)]),
        ("the first turn", vec![submitted(1), admitted(1)], vec![initialized(1)], vec![], Held::Turn, prompt()),
        ("the response: its tools", requesting(), vec![responded(1, 1, 0, calls(&[TOOL, TOOL]))], vec![],
            Held::Calls, vec![run(1, 1, 0), run(1, 1, 1)]),
        ("the response: its subtask", requesting(),
            vec![responded(1, 1, 0, calls(&[Call::Subtask { child: TaskId(2) }]))], vec![],
            Held::Calls, vec![enqueue(2)]),
        ("the response: its question", requesting(), vec![responded(1, 1, 0, calls(&[Call::Question]))], vec![],
            Held::Calls, vec![ask(1, 1, About::Question(call_id(1, 1, 0)))]),
        ("the response: the end", requesting(), vec![responded(1, 1, 0, done(Approval::Granted))], vec![],
            Held::Calls, vec![ended(1, End::Completed)]),
        ("the response: a reminder", requesting(), vec![responded(1, 1, 0, Response::Text)], vec![],
            Held::Turn, second(&[include(1, Part::Reminder)])),
        ("the failure: its timer is armed", requesting(), vec![failed(1, 1, 0, SendFailure::Transient, 0)],
            vec![arm(backoff(1, 1, 1), 5_000)],
            Held::Requesting, vec![]),
        ("the timer: the attempt", with(failed(1, 1, 0, SendFailure::Transient, 0)), vec![fired(backoff(1, 1, 1))],
            vec![], Held::Requesting,
            vec![include(1, Part::Prompt), send(1, 1, 1)]),
        ("the last result: the turn", with(responded(1, 1, 0, calls(&[TOOL]))),
            vec![tool_ended(1, 1, 0, ToolEnd::Succeeded)], vec![], Held::Turn, second(&[result(1, 1, 0, tool)])),
        ("one of two results", with(responded(1, 1, 0, calls(&[TOOL, TOOL]))),
            vec![tool_ended(1, 1, 0, ToolEnd::Succeeded)], vec![], Held::Calls, vec![]),
        ("the approval: the tool", with(responded(1, 1, 0, calls(&[careful]))),
            vec![answered(1, 1, Answer::Approved)], vec![], Held::Calls, vec![run(1, 1, 0)]),
        ("the approval: the end", with(responded(1, 1, 0, done(Approval::Required))),
            vec![answered(1, 1, Answer::Approved)], vec![], Held::Calls, vec![ended(1, End::Completed)]),
        ("a message: it is queued for the turn", with(responded(1, 1, 0, calls(&[TOOL]))),
            vec![message(1, 1), tool_ended(1, 1, 0, ToolEnd::Succeeded)], vec![], Held::Turn,
            second(&[result(1, 1, 0, tool), text(1, 1)])),
    ];
    for (name, before, during, meanwhile, held, after) in cases {
        let mut stage = Stage::new(Config::default());
        stage.takes_all(before);
        stage.takes(paused(1));
        assert_eq!(stage.takes_all(during), meanwhile, "{name}");
        assert_eq!(stage.state(1), TaskState::Paused(held), "{name}");
        assert_eq!(stage.takes(resumed(1)), after, "{name}");
    }
}

/// A subtask of a paused task is not paused: it goes on, and its end is held with the other results.
#[test]
fn pause_holds_one_task_and_not_its_subtasks() {
    let mut stage = Stage::requesting(Config::default());
    stage.takes(responded(1, 1, 0, calls(&[Call::Subtask { child: TaskId(2) }])));
    stage.takes_all([paused(1), admitted(2), initialized(2)]);
    let done = calls(&[Call::Completion(Approval::Granted)]);
    assert_eq!(stage.takes(responded(2, 1, 0, done)), [ended(2, End::Completed)]);
    assert_eq!(stage.state(1), TaskState::Paused(Held::Turn));
    let end = CallResult::Subtask { child: TaskId(2), end: End::Completed };
    assert_eq!(stage.takes(resumed(1)), [result(1, 1, 0, end), send(1, 2, 0)]);
}

/// Some ends need no turn and no call, so a pause does not hold them.
#[test]
fn paused_task_can_fail() {
    #[rustfmt::skip]
    let cases = [
        ("initialization", vec![submitted(1), admitted(1)], Event::InitializationFailed { task: TaskId(1) },
            Reason::Initialization),
        ("a permanent failure", vec![submitted(1), admitted(1), initialized(1)],
            failed(1, 1, 0, SendFailure::Invalid, 0), Reason::Request(RequestReason::Invalid)),
        ("the mistake limit", vec![submitted(1), admitted(1), initialized(1), responded(1, 1, 0, Response::Text)],
            answered(1, 1, Answer::Denied), Reason::MistakeLimit),
    ];
    for (name, before, event, reason) in cases {
        let mut stage = Stage::new(Config { mistakes_max: 1, ..Config::default() });
        stage.takes_all(before);
        stage.takes(paused(1));
        assert_eq!(stage.takes(event), [ended(1, End::Failed(reason))], "{name}");
    }
}

/// Cancel in every place, paused or not: what is told to stop, and what it takes to end.
#[test]
fn cancel_stops_what_runs_and_then_ends() {
    let dequeue = Effect::Dequeue { task: TaskId(1) };
    let abort = Effect::AbortInitialization { task: TaskId(1) };
    let armed = arm(grace(1), 10_000);
    let end = ended(1, End::Cancelled);
    let child = [Effect::Dequeue { task: TaskId(2) }, ended(2, End::Cancelled)];
    let cancelling = |outstanding| Some(TaskState::Cancelling(outstanding));
    let stops = |name: &str| match name {
        "queued" => (vec![dequeue, end], None, None),
        "initializing" => (vec![abort, armed], cancelling(Outstanding::Initialization), Some(initialized(1))),
        "requesting" => (
            vec![stop(1, 1, 0), arm(request_grace(1, 1, 0), 10_000)],
            cancelling(Outstanding::Request),
            Some(stopped(1, 1, 0)),
        ),
        "requesting again" => (
            vec![stop(1, 1, 1), arm(request_grace(1, 1, 1), 10_000)],
            cancelling(Outstanding::Request),
            Some(failed(1, 1, 1, SendFailure::Transient, 0)),
        ),
        "backing off" => (vec![disarm(backoff(1, 1, 1)), end], None, None),
        "executing tools" => (
            vec![cancel_tool(1, 1, 0), withdraw(1, 1), armed, child[0], child[1]],
            cancelling(Outstanding::Nothing),
            Some(tool_ended(1, 1, 0, ToolEnd::Cancelled)),
        ),
        "awaiting a subtask" => (vec![withdraw(1, 1), child[0], child[1], end], None, None),
        "awaiting input" => (vec![withdraw(1, 1), end], None, None),
        other => panic!("{other} is a new place"),
    };
    for (name, events, _) in places() {
        for is_paused in [false, true] {
            let mut stage = Stage::new(Config::default());
            stage.takes_all(events.clone());
            stage.takes_all(is_paused.then(|| paused(1)));
            let (expected, state, last) = stops(name);
            assert_eq!(stage.takes(cancelled(1)), expected, "{name}, paused: {is_paused}");
            assert_eq!(stage.state(1), state.unwrap_or(TaskState::Cancelled), "{name}, paused: {is_paused}");
            let Some(last) = last else { continue };
            let (clock, closed) = match name {
                "requesting" => (request_grace(1, 1, 0), Some(fence(1, 1, 0))),
                "requesting again" => (request_grace(1, 1, 1), Some(fence(1, 1, 1))),
                _ => (grace(1), None),
            };
            let mut given_up = stage.clone();
            assert_eq!(stage.takes(last), [disarm(clock), end], "{name}, paused: {is_paused}");
            let after_grace: Vec<_> = closed.into_iter().chain([end]).collect();
            assert_eq!(given_up.takes(fired(clock)), after_grace, "{name}, paused: {is_paused}");
        }
    }
}

#[test]
fn cancel_of_what_a_pause_holds_starts_nothing() {
    let mut stage = Stage::requesting(Config::default());
    let held = calls(&[TOOL, Call::Subtask { child: TaskId(2) }, Call::Question]);
    stage.takes_all([message(1, 1), paused(1), responded(1, 1, 0, held)]);
    // The subtask has no place to give back, and its parent still ends after it (S9).
    let ends = [ended(2, End::Cancelled), undelivered(1, 1, false), ended(1, End::Cancelled)];
    assert_eq!(stage.takes(cancelled(1)), ends);

    let mut stage = Stage::requesting(Config::default());
    let expired = [failed(1, 1, 0, SendFailure::Transient, 0), paused(1), fired(backoff(1, 1, 1))];
    stage.takes_all(expired);
    assert_eq!(stage.takes(cancelled(1)), [ended(1, End::Cancelled)]);
}

/// Late and wrong identities of everything that was ever asked (S6).
#[test]
fn answer_to_an_older_question_is_stale_and_to_none_is_refused() {
    let mut stage = Stage::requesting(Config::default());
    stage.takes_all([
        responded(1, 1, 0, calls(&[Call::Question, TOOL])),
        answered(1, 1, Answer::Text),
        tool_ended(1, 1, 1, ToolEnd::Succeeded),
        failed(1, 2, 0, SendFailure::Transient, 0),
        fired(backoff(1, 2, 1)),
        responded(1, 2, 1, calls(&[Call::Question, TOOL])),
    ]);
    let state = stage.state(1);
    let text = || Response::Text;
    let never = |event: &Event| Outcome::Rejected(Rejected::NeverAsked { state, event: event.clone() });
    #[rustfmt::skip]
    let cases = [
        ("an older question", answered(1, 1, Answer::Approved), Some(STALE)),
        ("a question to come", answered(1, 3, Answer::Approved), None),
        ("question zero", answered(1, 0, Answer::Approved), None),
        ("an older turn", responded(1, 1, 0, text()), Some(STALE)),
        ("the attempt that failed", responded(1, 2, 0, text()), Some(DUPLICATE)),
        ("the attempt that was answered", responded(1, 2, 1, text()), Some(DUPLICATE)),
        ("a turn to come", responded(1, 3, 0, text()), None),
        ("turn zero", failed(1, 0, 0, SendFailure::Transient, 0), None),
        ("an older tool", tool_ended(1, 1, 1, ToolEnd::Failed), Some(STALE)),
        ("a tool of a turn to come", tool_ended(1, 3, 0, ToolEnd::Failed), None),
        ("a tool that is a question", tool_ended(1, 2, 0, ToolEnd::Failed), None),
        ("a tool past the last", tool_ended(1, 2, 2, ToolEnd::Failed), None),
        ("a timer that fired", fired(backoff(1, 2, 1)), Some(DUPLICATE)),
        ("a timer of a turn to come", fired(backoff(1, 3, 1)), None),
        ("a grace time that does not run", fired(grace(1)), None),
        ("the place again", admitted(1), Some(DUPLICATE)),
        ("the initialization again", initialized(1), Some(DUPLICATE)),
    ];
    for (name, event, why) in cases {
        let why = why.unwrap_or_else(|| never(&event));
        stage.refuses(&event, &why);
        assert_eq!(stage.state(1), state, "{name}");
    }
}

/// What the model has asked is nobody's to answer once its task is cancelled, however long that takes.
#[test]
fn answer_that_comes_while_a_task_is_being_cancelled_is_late() {
    let mut stage = Stage::new(Config::default());
    let both = calls(&[TOOL, Call::Question]);
    stage.takes_all([submitted(1), admitted(1), initialized(1), responded(1, 1, 0, both)]);
    stage.takes(cancelled(1));
    assert_eq!(stage.state(1), TaskState::Cancelling(Outstanding::Nothing), "its tool runs");
    stage.refuses(&answered(1, 1, Answer::Approved), &STALE);
    let event = answered(1, 2, Answer::Approved);
    let state = TaskState::Cancelling(Outstanding::Nothing);
    stage.refuses(&event, &Outcome::Rejected(Rejected::NeverAsked { state, event: event.clone() }));
}
