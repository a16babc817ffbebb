//! After a crash: replay, validate, resync. And what a state read from outside has to survive.

use crate::stage::{
    Stage, acknowledged, admitted, answered, backoff, cancelled, failed, fired, initialized, message, paused,
    responded, resumed, submitted, tool_ended,
};
use downbeat_kernel::{
    Answer, Approval, Attempt, Call, Config, Corrupt, Discard, Effect, Event, Ignored, Kernel, MessageId,
    Outcome, Rejected, RequestId, Response, SendFailure, TaskId, TaskState, ToolEnd, TurnNumber,
};
use serde_json::{Value, json};

fn calls(calls: &[Call]) -> Event {
    responded(1, 1, 0, Response::Calls(calls.to_vec()))
}

const TOOL: Call = Call::Tool(Approval::Granted);
const CAREFUL_TOOL: Call = Call::Tool(Approval::Required);
const SUBTASK: Call = Call::Subtask { child: TaskId(2) };

/// Histories that lead into every state, and past several of them.
fn histories() -> Vec<(&'static str, Vec<Event>)> {
    let begun = [submitted(1), message(1, 1), admitted(1), initialized(1), message(1, 2)];
    let then = |events: &[Event]| begun.iter().chain(events).cloned().collect::<Vec<_>>();
    let fails = failed(1, 1, 0, SendFailure::Transient, 40);
    let family = [
        calls(&[TOOL, SUBTASK, Call::Question, CAREFUL_TOOL]),
        admitted(2),
        initialized(2),
        tool_ended(1, 1, 0, ToolEnd::Succeeded),
        answered(1, 1, Answer::Text),
        responded(2, 1, 0, Response::Calls(vec![TOOL, CAREFUL_TOOL, Call::Subtask { child: TaskId(3) }])),
        admitted(3),
        paused(3),
        answered(2, 1, Answer::Approved),
        cancelled(2),
        tool_ended(2, 1, 1, ToolEnd::Cancelled),
        cancelled(1),
        tool_ended(2, 1, 0, ToolEnd::Cancelled),
        initialized(3),
        acknowledged(3),
        acknowledged(1),
    ];
    #[rustfmt::skip]
    let histories = vec![
        ("queued, initializing, requesting", then(&[])),
        ("paused while queued", vec![submitted(1), paused(1), admitted(1)]),
        ("paused while initializing", vec![submitted(1), admitted(1), paused(1), initialized(1)]),
        ("paused while requesting", then(&[paused(1), fails.clone(), fired(backoff(1, 1, 1))])),
        ("paused while calls run", then(&[calls(&[TOOL, CAREFUL_TOOL]), paused(1), answered(1, 1, Answer::Approved),
            tool_ended(1, 1, 0, ToolEnd::Failed)])),
        ("paused before the response", then(&[paused(1), calls(&[TOOL, SUBTASK, Call::Question]), message(2, 1),
            resumed(1), cancelled(2)])),
        ("a subtask that starts before its parent goes on", then(&[paused(1), calls(&[SUBTASK]), resumed(2), admitted(2),
            initialized(2), resumed(1)])),
        ("a subtask that is paused before it starts", then(&[paused(1), calls(&[SUBTASK]), paused(2), resumed(1),
            admitted(2), resumed(2)])),
        ("a subtask that is cancelled before it starts", then(&[paused(1), calls(&[SUBTASK]), cancelled(2), resumed(1),
            acknowledged(2)])),
        ("a cancel of a task whose subtask has not started", then(&[paused(1), calls(&[SUBTASK]), cancelled(1)])),
        ("backing off, requesting again", then(&[fails, fired(backoff(1, 1, 1))])),
        ("a family that is cancelled", then(&family)),
        ("a cancel while initializing", vec![submitted(1), admitted(1), cancelled(1), initialized(1)]),
        ("a cancel while requesting", then(&[cancelled(1), fired(crate::stage::request_grace(1, 1, 0))])),
        ("the mistake limit", then(&[responded(1, 1, 0, Response::Text), answered(1, 1, Answer::Approved)])),
        ("the end", then(&[calls(&[Call::Completion(Approval::Required)]), answered(1, 1, Answer::Approved)])),
        ("a failure", then(&[failed(1, 1, 0, SendFailure::Invalid, 0)])),
    ];
    histories
}

/// At each moment of each history: a crash, and a restart from the journal or from a snapshot. The restarted kernel
/// is the one that was lost, and repeats exactly the orders that had no answer.
#[test]
fn restart_repeats_exactly_what_is_outstanding() {
    for (name, history) in histories() {
        let mut stage = Stage::new(Config { mistakes_max: 1, ..Config::default() });
        for event in history {
            stage.takes(event.clone());
            let mut replayed = Kernel::new(*stage.kernel.config());
            for event in &stage.history {
                assert_eq!(replayed.step(event.clone(), &mut Discard), Outcome::Applied);
            }
            let snapshot = serde_json::to_vec(&stage.kernel).expect("a kernel has a JSON form");
            let restored: Kernel = serde_json::from_slice(&snapshot).expect("and comes back from it");
            assert_eq!((&replayed, &restored), (&stage.kernel, &stage.kernel), "{name}: {event:?}");
            assert_eq!(restored.validate(), Ok(()), "{name}: {event:?}");

            let mut again = stage.resync();
            again.sort_unstable();
            assert_eq!(again, stage.orders.sorted(), "{name}: after {event:?}");
        }
    }
}

#[test]
fn events_and_effects_have_a_json_form() {
    for (name, history) in histories() {
        let mut stage = Stage::new(Config { mistakes_max: 1, ..Config::default() });
        for event in history {
            let json = serde_json::to_string(&event).expect("an event has a JSON form");
            assert_eq!(serde_json::from_str::<Event>(&json).expect("that is read back"), event, "{name}");
            for effect in stage.takes(event) {
                let json = serde_json::to_string(&effect).expect("an effect has a JSON form");
                assert_eq!(
                    serde_json::from_str::<Effect>(&json).expect("that is read back"),
                    effect,
                    "{name}"
                );
            }
        }
    }
    let sample = responded(1, 2, 3, Response::Calls(vec![TOOL, SUBTASK]));
    let expected = json!({"ResponseEnded": {
        "request": {"task": 1, "turn": 2, "attempt": 3},
        "response": {"Calls": [{"Tool": "Granted"}, {"Subtask": {"child": 2}}]},
        "jitter_ms": 0,
    }});
    assert_eq!(serde_json::to_value(&sample).expect("an event has a JSON form"), expected);
}

#[test]
fn outcomes_have_a_json_form() {
    let (task, message, event) = (TaskId(7), MessageId(3), Event::Admitted { task: TaskId(7) });
    let state = TaskState::Queued;
    let request = RequestId { task, turn: TurnNumber(1), attempt: Attempt(0) };
    let rejected = [
        Rejected::UnknownTask { highest: None, event: event.clone() },
        Rejected::IdNotFresh { highest: TaskId(9), got: task },
        Rejected::NoEdge { state, event: event.clone() },
        Rejected::NeverAsked { state, event },
        Rejected::MessageGap { expected: message, got: MessageId(5) },
        Rejected::QueueFull { limit: 2, message },
        Rejected::TasksFull { limit: 2, task },
        Rejected::TooManyCalls { limit: 2, got: 3 },
        Rejected::NoCalls { request },
    ];
    let ignored = [Ignored::Stale, Ignored::Duplicate, Ignored::Terminal].map(Outcome::Ignored);
    let outcomes = rejected.map(Outcome::Rejected).into_iter().chain(ignored).chain([Outcome::Applied]);
    for outcome in outcomes {
        let json = serde_json::to_string(&outcome).expect("an outcome has a JSON form");
        assert_eq!(serde_json::from_str::<Outcome>(&json).expect("that is read back"), outcome);
    }
}

/// The snapshot of task 1, which waits for a tool, a question and subtask 2, with some places changed.
fn changed(changes: &[(&str, Value)]) -> Result<Kernel, serde_json::Error> {
    let mut stage = Stage::requesting(Config::default());
    stage.takes_all([message(1, 1), calls(&[TOOL, Call::Question, SUBTASK])]);
    let mut snapshot = serde_json::to_value(&stage.kernel).expect("a kernel has a JSON form");
    for (pointer, value) in changes {
        *snapshot.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is there")) = value.clone();
    }
    serde_json::from_value(snapshot)
}

/// What is wrong, where the snapshot says so, and what is found.
type Damaged = (&'static str, Vec<(&'static str, Value)>, Corrupt);

#[test]
fn validate_names_what_is_corrupt() {
    let (one, two) = (TaskId(1), TaskId(2));
    let orphan = Corrupt::Orphan { task: two };
    let counters = Corrupt::Counters { task: one };
    let calls = Corrupt::Calls { task: one };
    let waiting = |wanted: Value| json!([{"Waiting": {"Call": wanted}}]);
    let paused = json!({"Paused": "Calls"});
    let unstarted = json!({"Paused": "Unstarted"});
    let ended = json!("Completed");
    #[rustfmt::skip]
    let cases: Vec<Damaged> = vec![
        ("a task above the highest id", vec![("/highest", json!(1))], Corrupt::IdAboveHighest { task: two }),
        ("no id was used", vec![("/highest", json!(null))], Corrupt::IdAboveHighest { task: one }),
        ("more tasks than the settings allow", vec![("/config/tasks_max", json!(1))],
            Corrupt::TooManyTasks { tasks: 2 }),
        ("a parent that is gone", vec![("/tasks/1/data/parent", json!(0)), ("/tasks/0/data/calls/2", json!("Running"))],
            orphan),
        ("a parent that does not wait", vec![("/tasks/0/data/calls/2", json!("Running"))], orphan),
        ("a parent two levels up", vec![("/tasks/1/data/depth", json!(2))], orphan),
        ("a subtask that is gone", vec![("/tasks/0/data/calls/2/Subtask/child", json!(3))],
            Corrupt::LostSubtask { task: one, child: TaskId(3) }),
        ("a subtask that is another's", vec![("/tasks/1/data/parent", json!(null))],
            Corrupt::LostSubtask { task: one, child: two }),
        ("a subtask that has ended", vec![("/tasks/1/state", ended.clone()), ("/tasks/1/data/turn", json!(1)),
            ("/tasks/1/data/replied", json!(1))], Corrupt::LostSubtask { task: one, child: two }),
        ("an ended task with calls", vec![("/tasks/0/state", ended)], calls),
        ("a state that its calls deny", vec![("/tasks/0/state", json!("AwaitingInput"))], calls),
        ("more calls than the settings allow", vec![("/config/calls_max", json!(2))], calls),
        ("a question that was never numbered", vec![("/tasks/0/data/calls/1/Asking/number", json!(2))], calls),
        ("a question about what was granted", vec![("/tasks/0/data/calls/1/Asking/wanted",
            json!({"Call": {"Tool": "Granted"}}))], calls),
        ("a completion beside other calls", vec![("/tasks/0/data/calls/1/Asking/wanted",
            json!({"Call": {"Completion": "Required"}}))], calls),
        ("the mistake limit beside other calls", vec![("/tasks/0/data/calls/1/Asking/wanted", json!("Guidance"))],
            calls),
        ("one question twice", vec![("/tasks/0/data/calls/0", json!({"Asking": {"number": 1, "wanted":
            {"Call": "Question"}}}))], calls),
        ("a subtask that waits in its parent", vec![("/tasks/0/state", paused),
            ("/tasks/0/data/calls", waiting(json!({"Subtask": {"child": 2}})))], calls),
        ("a subtask that has not started though nobody holds its parent", vec![("/tasks/1/state", unstarted.clone())],
            Corrupt::Unstarted { task: two }),
        ("a task without a parent that has not started", vec![("/tasks/0/data/calls/2", json!("Running")),
            ("/tasks/1/data/parent", json!(null)), ("/tasks/1/data/depth", json!(0)), ("/tasks/1/state", unstarted)],
            Corrupt::Unstarted { task: two }),
        ("a call that was given up though nobody cancelled", vec![("/tasks/0/data/calls/1",
            json!({"Settled": "Abandoned"}))], calls),
        ("a reply to a turn that was never sent", vec![("/tasks/0/data/replied", json!(2))], counters),
        ("a turn without a request", vec![("/tasks/0/data/turn", json!(2))], counters),
        ("a state after the first turn before it", vec![("/tasks/0/data/turn", json!(0)),
            ("/tasks/0/data/replied", json!(0))], counters),
        ("a turn before the first", vec![("/tasks/1/data/turn", json!(1)), ("/tasks/1/data/replied", json!(1))],
            Corrupt::Counters { task: two }),
        ("more taken than accepted", vec![("/tasks/0/data/taken", json!(2))], counters),
        ("more answered than taken", vec![("/tasks/0/data/answered", json!(1))], counters),
        ("in doubt without a request", vec![("/tasks/0/data/taken", json!(1))], counters),
        ("more queued than the settings allow", vec![("/tasks/0/data/accepted", json!(1_001))], counters),
        ("a counter near its end", vec![("/tasks/0/data/questions", json!(4_000_000_000_u32))], counters),
    ];
    assert_eq!(changed(&[]).expect("the unchanged snapshot is read").validate(), Ok(()));
    for (name, changes, expected) in cases {
        let kernel = changed(&changes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(kernel.validate(), Err(expected), "{name}");
        assert!(!expected.to_string().is_empty(), "{name}");
    }
}

#[test]
fn tasks_out_of_order_are_not_read() {
    let error = changed(&[("/tasks/1/id", json!(1))]).expect_err("two tasks have one id");
    assert_eq!(error.to_string(), "task ids do not ascend");
}

/// Each fault that is planted in `resync` shows as a difference from what is outstanding.
#[cfg(feature = "planted-faults")]
#[test]
fn restart_with_a_planted_fault_repeats_something_else() {
    use downbeat_kernel::Fault;
    for fault in [
        Fault::ResyncForgetsSend,
        Fault::ResyncForgetsStop,
        Fault::ResyncForgetsTools,
        Fault::ResyncForgetsQuestions,
        Fault::ResyncForgetsBackoff,
        Fault::ResyncForgetsEnds,
        Fault::ResyncSendsAgain,
    ] {
        let found = histories().into_iter().any(|(_, history)| {
            let mut stage = Stage::new(Config { mistakes_max: 1, fault: Some(fault), ..Config::default() });
            history.into_iter().any(|event| {
                stage.takes(event);
                let mut again = stage.resync();
                again.sort_unstable();
                again != stage.orders.sorted()
            })
        });
        assert!(found, "nobody noticed {fault:?}");
    }
}
