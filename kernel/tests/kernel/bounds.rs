//! Every bound refuses with its own error, and refuses nothing below it.

use crate::stage::{
    DUPLICATE, Stage, TERMINAL, acknowledged, admitted, cancelled, fired, initialized, message, paused,
    request_id, responded, submitted,
};
use downbeat_kernel::{
    Approval, Call, Config, Effect, Event, Kernel, MessageId, Outcome, Rejected, Response, TaskId, TaskState,
};

fn rejected(why: Rejected) -> Outcome {
    Outcome::Rejected(why)
}

fn subtask(child: u64) -> Call {
    Call::Subtask { child: TaskId(child) }
}

#[test]
fn submission_is_refused_by_id_and_by_room() {
    let mut stage = Stage::new(Config { tasks_max: 2, ..Config::default() });
    stage.takes_all([submitted(4), submitted(6)]);
    let full = rejected(Rejected::TasksFull { limit: 2, task: TaskId(9) });
    let not_fresh = |got| rejected(Rejected::IdNotFresh { highest: TaskId(6), got: TaskId(got) });
    stage.refuses(&submitted(9), &full);
    stage.refuses(&submitted(6), &DUPLICATE);
    stage.refuses(&submitted(5), &not_fresh(5));
    // An ended task keeps its room until somebody has its end on record.
    stage.takes(cancelled(4));
    stage.refuses(&submitted(9), &full);
    stage.takes(acknowledged(4));
    stage.refuses(&submitted(4), &not_fresh(4));
    assert_eq!(stage.takes(submitted(9)), [Effect::Enqueue { task: TaskId(9) }]);
}

/// To call it a duplicate would tell the submitter that the task runs, and nobody would run it.
#[test]
fn submission_with_the_id_of_a_subtask_is_no_duplicate() {
    let mut stage = Stage::requesting(Config::default());
    stage.takes(responded(1, 1, 0, Response::Calls(vec![subtask(2)])));
    let taken = rejected(Rejected::IdNotFresh { highest: TaskId(2), got: TaskId(2) });
    stage.refuses(&submitted(2), &taken);
    stage.refuses(&submitted(1), &DUPLICATE);
}

#[test]
fn event_for_nobody_is_told_from_an_event_for_somebody_who_is_gone() {
    let mut stage = Stage::new(Config::default());
    let unknown = |highest, event: &Event| rejected(Rejected::UnknownTask { highest, event: event.clone() });
    stage.refuses(&paused(1), &unknown(None, &paused(1)));
    stage.takes_all([submitted(3), cancelled(3), acknowledged(3)]);
    stage.refuses(&paused(3), &TERMINAL);
    stage.refuses(&paused(4), &unknown(Some(TaskId(3)), &paused(4)));
}

#[test]
fn messages_are_refused_beyond_the_queue_and_across_a_gap() {
    let mut stage = Stage::requesting(Config { messages_max: 2, ..Config::default() });
    let gap =
        |expected, got| rejected(Rejected::MessageGap { expected: MessageId(expected), got: MessageId(got) });
    let full = |message| rejected(Rejected::QueueFull { limit: 2, message: MessageId(message) });
    stage.refuses(&message(1, 2), &gap(1, 2));
    stage.takes_all([message(1, 1), message(1, 2)]);
    stage.refuses(&message(1, 3), &full(3));
    stage.refuses(&message(1, 4), &gap(3, 4));
    stage.refuses(&message(1, 2), &DUPLICATE);
    // The next turn takes the queue, and there is room again.
    stage.takes(responded(1, 1, 0, Response::Text));
    stage.takes_all([message(1, 3), message(1, 4)]);
    stage.refuses(&message(1, 5), &full(5));
    let mut none = Stage::requesting(Config { messages_max: 0, ..Config::default() });
    none.refuses(&message(1, 1), &rejected(Rejected::QueueFull { limit: 0, message: MessageId(1) }));
}

/// A response that cannot be taken leaves its request in flight: whoever drives the kernel reports it as failed,
/// or brings it again with other ids.
#[test]
fn responses_are_refused_by_shape() {
    let request = request_id(1, 1, 0);
    let not_fresh =
        |highest, got| rejected(Rejected::IdNotFresh { highest: TaskId(highest), got: TaskId(got) });
    #[rustfmt::skip]
    let cases = [
        ("no calls", vec![], rejected(Rejected::NoCalls { request })),
        ("too many", vec![Call::Question; 3], rejected(Rejected::TooManyCalls { limit: 2, got: 3 })),
        ("the id of the task itself", vec![subtask(1)], not_fresh(1, 1)),
        ("an older id", vec![subtask(0)], not_fresh(1, 0)),
        ("an id twice", vec![subtask(2), subtask(2)], not_fresh(2, 2)),
        ("ids that descend", vec![subtask(3), subtask(2)], not_fresh(3, 2)),
    ];
    let mut stage = Stage::requesting(Config { calls_max: 2, ..Config::default() });
    for (name, calls, why) in cases {
        stage.refuses(&responded(1, 1, 0, Response::Calls(calls)), &why);
        assert_eq!(stage.state(1), TaskState::Requesting, "{name}");
    }
    stage.takes(responded(1, 1, 0, Response::Calls(vec![subtask(2), Call::Question])));
}

#[test]
fn live_task_cannot_be_acknowledged() {
    let mut stage = Stage::new(Config::default());
    stage.takes(submitted(1));
    let state = TaskState::Queued;
    let no_edge = |state| rejected(Rejected::NoEdge { state, event: acknowledged(1) });
    stage.refuses(&acknowledged(1), &no_edge(state));
    stage.takes_all([admitted(1), initialized(1), cancelled(1)]);
    let state = stage.state(1);
    stage.refuses(&acknowledged(1), &no_edge(state));
    stage.takes(fired(crate::stage::request_grace(1, 1, 0)));
    stage.takes(acknowledged(1));
}

/// The largest setting of `calls_max`: the last index is one below the largest of its type.
#[test]
fn longest_possible_response_is_taken() {
    let mut stage = Stage::requesting(Config { calls_max: u16::MAX, ..Config::default() });
    let tools = vec![Call::Tool(Approval::Granted); usize::from(u16::MAX)];
    let effects = stage.takes(responded(1, 1, 0, Response::Calls(tools)));
    assert_eq!(effects.len(), 65_535);
    assert_eq!(effects.last(), Some(&crate::stage::run(1, 1, 65_534)));
    assert_eq!(stage.resync(), effects);
    stage.refuses(&fired(crate::stage::backoff(1, 1, 0)), &crate::stage::DUPLICATE);
}

#[test]
fn settings_can_be_read_back() {
    let config = Config { tasks_max: 7, ..Config::default() };
    assert_eq!(Kernel::new(config).config(), &config);
}
