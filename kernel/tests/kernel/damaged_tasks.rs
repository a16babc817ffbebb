//! The same as in `damaged`, for tasks: where one stands, its calls, its request and its counters.

use crate::damaged::{Changes, changed};
use crate::stage::{
    Stage, admitted, cancelled, failed, initialized, message, paused, responded, stopped, submitted,
    tool_ended,
};
use downbeat_kernel::{
    Approval, COUNTER_MAX, Call, Config, Corrupt, Event, Kernel, Response, SendFailure, Task, TaskId, ToolEnd,
};
use serde_json::{Value, json};

const TOOL: Call = Call::Tool(Approval::Granted);
const TASK: TaskId = TaskId(1);
const CALLS: Result<(), Corrupt> = Err(Corrupt::Calls { task: TASK });
const REQUEST: Result<(), Corrupt> = Err(Corrupt::Request { task: TASK });
const COUNTERS: Result<(), Corrupt> = Err(Corrupt::Counters { task: TASK });

/// Where the task stands with which calls, and what is found.
type Standing = (&'static str, Value, Vec<Value>, Result<(), Corrupt>);

fn config() -> Config {
    Config { profiles: 8, profiles_keyed: 255, profiles_continuing: 255, ..Config::default() }
}

/// A kernel after these events, the first of which bring task 1 to its first request.
fn requesting(events: &[Event]) -> Kernel {
    let mut stage = Stage::new(config());
    stage.takes_all([submitted(1), admitted(1), message(1, 1), initialized(1)]);
    stage.takes_all(events.iter().cloned());
    stage.kernel
}

fn calls(turn: u32, calls: &[Call]) -> Event {
    responded(1, turn, 0, Response::Calls(calls.to_vec()))
}

#[test]
fn calls_that_do_not_fit_where_the_task_stands_are_found() {
    let kernel = requesting(&[calls(1, &[TOOL])]);
    let task = kernel.task(TASK).expect("it is held");
    let running = || json!("Running");
    let asking = |number: u32| json!({"Asking": {"number": number, "wanted": {"Call": "Question"}}});
    let waiting = || json!({"Waiting": {"Call": "Question"}});
    let subtask = || json!({"Subtask": {"child": 2}});
    let settled = || json!({"Settled": {"Tool": "Succeeded"}});
    let held = || json!({"Paused": "Calls"});
    let cancelling = || json!({"Cancelling": "Nothing"});
    #[rustfmt::skip]
    let cases: Vec<Standing> = vec![
        ("a tool runs",                         json!("ExecutingTools"),  vec![running()],                     Ok(())),
        ("no tool runs",                        json!("ExecutingTools"),  vec![asking(1)],                     CALLS),
        ("one waits though nobody holds it",    json!("ExecutingTools"),  vec![running(), waiting()],          CALLS),
        ("two ask in their order",              json!("ExecutingTools"),  vec![running(), asking(1), asking(2)], Ok(())),
        ("two ask in another order",            json!("ExecutingTools"),  vec![running(), asking(2), asking(1)], CALLS),
        ("two ask under one number",            json!("ExecutingTools"),  vec![running(), asking(1), asking(1)], CALLS),
        ("one asks under no number",            json!("ExecutingTools"),  vec![running(), asking(0)],          CALLS),
        ("one asks after the last",             json!("ExecutingTools"),  vec![running(), asking(4)],          CALLS),
        ("a subtask lives",                     json!("AwaitingSubtask"), vec![subtask()],                     Ok(())),
        ("a subtask lives, and one asks",       json!("AwaitingSubtask"), vec![subtask(), asking(1)],          Ok(())),
        ("a tool runs beside it",               json!("AwaitingSubtask"), vec![subtask(), running()],          CALLS),
        ("there is no subtask",                 json!("AwaitingSubtask"), vec![asking(1)],                     CALLS),
        ("one waits beside it",                 json!("AwaitingSubtask"), vec![subtask(), waiting()],          CALLS),
        ("one asks",                            json!("AwaitingInput"),   vec![asking(1)],                     Ok(())),
        ("none asks",                           json!("AwaitingInput"),   vec![settled()],                     CALLS),
        ("one asks beside a tool",              json!("AwaitingInput"),   vec![asking(1), running()],          CALLS),
        ("one asks beside a subtask",           json!("AwaitingInput"),   vec![asking(1), subtask()],          CALLS),
        ("one asks and one waits",              json!("AwaitingInput"),   vec![asking(1), waiting()],          CALLS),
        ("held while a tool runs",              held(),                   vec![running()],                     Ok(())),
        ("held while a subtask lives",          held(),                   vec![subtask()],                     Ok(())),
        ("held while one asks",                 held(),                   vec![asking(1)],                     Ok(())),
        ("held while one waits",                held(),                   vec![waiting()],                     Ok(())),
        ("held for nothing",                    held(),                   vec![settled()],                     CALLS),
        ("a tool stops",                        cancelling(),             vec![running()],                     Ok(())),
        ("a subtask stops",                     cancelling(),             vec![subtask()],                     Ok(())),
        ("nothing stops",                       cancelling(),             vec![settled()],                     CALLS),
        ("one asks after the cancel",           cancelling(),             vec![running(), asking(1)],          CALLS),
        ("one waits after the cancel",          cancelling(),             vec![running(), waiting()],          CALLS),
    ];
    for (name, state, calls, expected) in cases {
        let changes =
            vec![("/state", state), ("/data/questions", json!(3)), ("/data/calls", Value::Array(calls))];
        assert_task(task, &[(name, changes, expected)]);
    }
}

#[track_caller]
fn assert_task(task: &Task, cases: &[(&str, Changes, Result<(), Corrupt>)]) {
    for (name, changes, expected) in cases {
        let read: Task = serde_json::from_value(changed(task, changes)).expect("it is read");
        assert_eq!(read.validate(&config()), *expected, "{name}");
    }
}

#[track_caller]
fn assert_first(kernel: &Kernel, cases: &[(&str, Changes, Result<(), Corrupt>)]) {
    assert_task(kernel.task(TASK).expect("it is held"), cases);
}

#[test]
fn requests_that_do_not_fit_where_the_task_stands_are_found() {
    let state = |state: Value| ("/data/request/state", state);
    let fate = |fate: Value| ("/data/request/ledger/0/fate", fate);
    let accepted = || json!({"Ended": {"Accepted": {"attempt": 0}}});
    let withdrawn = || json!({"Ended": "Cancelled"});
    assert_first(
        &requesting(&[]),
        &[
            ("as it was", vec![], Ok(())),
            ("it has ended", vec![state(accepted()), fate(json!("Whole"))], REQUEST),
            ("it is told to stop", vec![state(json!({"Stopping": "Cancel"}))], REQUEST),
        ],
    );
    assert_first(
        &requesting(&[calls(1, &[TOOL])]),
        &[("tools run after a cancel", vec![state(withdrawn())], REQUEST)],
    );
    let invalid = json!({"Failed": {"Request": "Interrupted"}});
    assert_first(
        &requesting(&[failed(1, 1, 0, SendFailure::Invalid, 0)]),
        &[("as it was", vec![], Ok(())), ("another failure", vec![("/state", invalid)], REQUEST)],
    );
    assert_first(
        &requesting(&[cancelled(1), stopped(1, 1, 0)]),
        &[
            ("as it was", vec![], Ok(())),
            ("answered in vain", vec![("/data/replied", json!(1)), ("/data/answered", json!(1))], REQUEST),
            ("failed and cancelled", vec![state(json!({"Ended": {"Failed": "Interrupted"}}))], REQUEST),
            ("two turns unanswered", vec![("/data/turn", json!(2)), ("/data/answered", json!(1))], COUNTERS),
        ],
    );
    let mut queued = Stage::new(config());
    queued.takes(submitted(1));
    let held = ("a request before the first turn", vec![("/data/request/held", json!(true))], REQUEST);
    assert_first(&queued.kernel, &[("as it was", vec![], Ok(())), held]);
}

/// A call is one of a response, or of the agent of a worker, and a response has so many at most.
#[test]
fn calls_that_nobody_can_have_made_are_found() {
    let settled = json!({"Settled": {"Tool": "Succeeded"}});
    assert_first(
        &requesting(&[]),
        &[("before the first response", vec![("/data/calls", json!([settled]))], CALLS)],
    );
    let mut placed = Stage::new(config());
    placed.takes_all([submitted(1), admitted(1)]);
    let subtask = json!({"Settled": {"Subtask": {"child": 2, "end": "Completed"}}});
    assert_first(&placed.kernel, &[("before it is ready", vec![("/data/calls", json!([subtask]))], CALLS)]);
    let two = requesting(&[calls(1, &[TOOL, TOOL])]);
    let two = two.task(TASK).expect("it is held");
    for (calls_max, expected) in [(2, Ok(())), (1, CALLS), (0, CALLS)] {
        assert_eq!(two.validate(&Config { calls_max, ..config() }), expected, "at most {calls_max}");
    }
}

/// What a turn continues from was answered in the turn before, by a profile that keeps it.
#[test]
fn what_cannot_be_continued_from_is_found() {
    let second = requesting(&[calls(1, &[TOOL]), tool_ended(1, 1, 0, ToolEnd::Succeeded)]);
    let previous = |profile: u8, turn: u32| json!({ "attempt": 0, "profile": profile, "turn": turn });
    let path = "/data/request/previous";
    let task = second.task(TASK).expect("it is held");
    assert_eq!(changed(task, &vec![]).pointer(path), Some(&previous(0, 1)));
    let cases = [
        ("the last profile", previous(7, 1), config(), Ok(())),
        ("another turn", previous(0, 0), config(), REQUEST),
        ("this turn", previous(0, 2), config(), REQUEST),
        ("one that keeps nothing", previous(7, 1), Config { profiles_continuing: 127, ..config() }, REQUEST),
        ("one that keeps it alone", previous(7, 1), Config { profiles_continuing: 128, ..config() }, Ok(())),
    ];
    for (name, previous, config, expected) in cases {
        let read: Task = serde_json::from_value(changed(task, &vec![(path, previous)])).expect("it is read");
        assert_eq!(read.validate(&config), expected, "{name}");
    }
}

#[test]
fn counters_of_a_task_are_bounded() {
    let kernel = requesting(&[]);
    let task = kernel.task(TASK).expect("it is held");
    let messages = |number: u32| {
        ["/data/accepted", "/data/taken", "/data/answered"].map(|path| (path, json!(number))).to_vec()
    };
    assert_task(
        task,
        &[
            ("as many messages as can be", messages(COUNTER_MAX), Ok(())),
            ("one more", messages(COUNTER_MAX + 1), COUNTERS),
        ],
    );
    let answered = vec![("/data/replied", json!(1)), ("/data/answered", json!(1))];
    assert_task(
        task,
        &[
            ("a turn that was answered goes on", vec![("/data/replied", json!(1))], COUNTERS),
            ("so do its messages", answered, COUNTERS),
        ],
    );
    assert_eq!(task.validate(&Config { messages_max: 1, ..config() }), Ok(()));
    assert_eq!(task.validate(&Config { messages_max: 0, ..config() }), COUNTERS, "one is in doubt");
}

#[test]
fn what_a_task_does_not_share_with_the_others_is_found() {
    let kernel = requesting(&[]);
    let changes: Changes = vec![("/down", json!(2))];
    let read: Kernel = serde_json::from_value(changed(&kernel, &changes)).expect("it is read");
    assert_eq!(read.validate(), REQUEST, "a profile is down that its request takes for up");
    let family = requesting(&[calls(1, &[Call::Subtask { child: TaskId(2) }]), paused(1)]);
    let [parent, child] = [1, 2].map(|task| family.task(TaskId(task)).expect("it is held"));
    let ended: Task =
        serde_json::from_value(changed(parent, &vec![("/state", json!("Completed"))])).expect("it is read");
    let orphan = Err(Corrupt::Orphan { task: TaskId(2) });
    assert_eq!(child.ties().validate(|_| Some(parent.ties())), Ok(()));
    assert_eq!(child.ties().validate(|_| Some(ended.ties())), orphan, "its parent has ended");
}
