//! Subtasks: their end, however it comes, settles the one call that waits for them.

use crate::stage::{
    DUPLICATE, STALE, Stage, TERMINAL, acknowledged, admitted, answered, arm, ask, call_id, cancel_tool,
    cancelled, disarm, ended, enqueue, failed, fence, fired, grace, include, initialize, initialized,
    message, paused, request_grace, responded, result, resumed, run, send, stop, stopped, submitted, text,
    tool_ended, undelivered, withdraw,
};
use downbeat_kernel::{
    About, Answer, Approval, Call, CallRefusal, CallResult, Config, Effect, End, Event, Held, Kernel,
    Outcome, Part, Reason, RequestReason, Response, SendFailure, TaskId, TaskState, ToolEnd,
};

const TOOL: Call = Call::Tool(Approval::Granted);
const DONE: Call = Call::Completion(Approval::Granted);

fn subtask(child: u64) -> Call {
    Call::Subtask { child: TaskId(child) }
}

fn calls(calls: &[Call]) -> Response {
    Response::Calls(calls.to_vec())
}

fn settled(child: u64, end: End) -> CallResult {
    CallResult::Subtask { child: TaskId(child), end }
}

/// Task 1 waits for its subtask 2, which has sent its first request.
fn family() -> Stage {
    let mut stage = Stage::requesting(Config::default());
    assert_eq!(stage.takes(responded(1, 1, 0, calls(&[subtask(2)]))), [enqueue(2)]);
    stage.takes_all([admitted(2), initialized(2)]);
    stage
}

#[test]
fn end_of_a_subtask_resumes_its_parent_once_with_its_result() {
    let request_refused = End::Failed(Reason::Request(RequestReason::Invalid));
    #[rustfmt::skip]
    let cases = [
        ("it completes", vec![responded(2, 1, 0, calls(&[DONE]))], End::Completed),
        ("it fails", vec![failed(2, 1, 0, SendFailure::Invalid, 0)], request_refused),
        ("it is cancelled", vec![cancelled(2), stopped(2, 1, 0)], End::Cancelled),
        ("it is cancelled and does not stop", vec![cancelled(2), fired(request_grace(2, 1, 0))], End::Cancelled),
    ];
    for (name, events, end) in cases {
        let mut stage = family();
        let effects = stage.takes_all(events.iter().cloned());
        let [.., last_of_child, first, second] = effects[..] else { panic!("{name}: {effects:?}") };
        assert_eq!(last_of_child, ended(2, end), "{name}");
        assert_eq!([first, second], [result(1, 1, 0, settled(2, end)), send(1, 2, 0)], "{name}");
        let last = events.last().expect("each case has an event").clone();
        stage.refuses(&last, &TERMINAL);
        assert_eq!(stage.takes(acknowledged(2)), [], "{name}");
        assert_eq!(stage.state(1), TaskState::Requesting, "{name}");
        // The result is part of every attempt of that turn.
        stage.takes(failed(1, 2, 0, SendFailure::Transient, 0));
        let again = stage.takes(fired(crate::stage::backoff(1, 2, 1)));
        assert_eq!(again, [result(1, 1, 0, settled(2, end)), send(1, 2, 1)], "{name}");
    }
}

#[test]
fn parent_waits_for_everything_that_runs_beside_its_subtasks() {
    let mut stage = Stage::requesting(Config::default());
    let response = calls(&[subtask(2), TOOL, subtask(3), Call::Question]);
    let begun = [enqueue(2), run(1, 1, 1), enqueue(3), ask(1, 1, About::Question(call_id(1, 1, 3)))];
    assert_eq!(stage.takes(responded(1, 1, 0, response)), begun);
    assert_eq!(stage.state(1), TaskState::ExecutingTools);
    assert_eq!(stage.takes(tool_ended(1, 1, 1, ToolEnd::Succeeded)), []);
    assert_eq!(stage.state(1), TaskState::AwaitingSubtask);
    let [dequeue, end] = [Effect::Dequeue { task: TaskId(3) }, ended(3, End::Cancelled)];
    assert_eq!(stage.takes(cancelled(3)), [dequeue, end]);
    assert_eq!(stage.state(1), TaskState::AwaitingSubtask);
    assert_eq!(stage.takes(answered(1, 1, Answer::Text)), []);
    stage.takes_all([admitted(2), initialized(2)]);
    let expected = [
        ended(2, End::Completed),
        result(1, 1, 0, settled(2, End::Completed)),
        result(1, 1, 1, CallResult::Tool(ToolEnd::Succeeded)),
        result(1, 1, 2, settled(3, End::Cancelled)),
        result(1, 1, 3, CallResult::Answered),
        send(1, 2, 0),
    ];
    assert_eq!(stage.takes(responded(2, 1, 0, calls(&[DONE]))), expected);
}

#[test]
fn ends_travel_up_from_grandchildren_one_level_at_a_time() {
    let mut stage = family();
    stage.takes(responded(2, 1, 0, calls(&[subtask(3)])));
    stage.takes_all([admitted(3), initialized(3)]);
    let up = stage.takes(responded(3, 1, 0, calls(&[DONE])));
    assert_eq!(up, [ended(3, End::Completed), result(2, 1, 0, settled(3, End::Completed)), send(2, 2, 0)]);
    assert_eq!(stage.state(1), TaskState::AwaitingSubtask);
    let up = stage.takes(responded(2, 2, 0, calls(&[DONE])));
    assert_eq!(up, [ended(2, End::Completed), result(1, 1, 0, settled(2, End::Completed)), send(1, 2, 0)]);
}

/// A cancel goes down the whole tree in one step; ends come back up, children before parents (S9).
#[test]
fn cancel_reaches_every_descendant_and_ends_come_bottom_up() {
    let mut stage = family();
    stage.takes(responded(2, 1, 0, calls(&[subtask(3), TOOL])));
    stage.takes_all([admitted(3), initialized(3), message(3, 1)]);
    let down =
        [cancel_tool(2, 1, 1), arm(grace(2), 10_000), stop(3, 1, 0), arm(request_grace(3, 1, 0), 10_000)];
    assert_eq!(stage.takes(cancelled(1)), down);
    for task in [1, 2, 3] {
        stage.refuses(&cancelled(task), &crate::stage::DUPLICATE);
        stage.refuses(&message(task, 9), &TERMINAL);
    }
    let up = [disarm(request_grace(3, 1, 0)), undelivered(3, 1, false), ended(3, End::Cancelled)];
    assert_eq!(stage.takes(stopped(3, 1, 0)), up);
    stage.refuses(&fired(grace(3)), &TERMINAL);
    // The grace time of 2 is over: its tool is left to itself, and nothing keeps 2 and 1.
    assert_eq!(stage.takes(fired(grace(2))), [ended(2, End::Cancelled), ended(1, End::Cancelled)]);
    stage.refuses(&tool_ended(2, 1, 1, ToolEnd::Cancelled), &TERMINAL);
    stage.takes_all([acknowledged(1), acknowledged(2), acknowledged(3)]);
    assert_eq!(stage.kernel.tasks().count(), 0);
}

#[test]
fn cancel_of_what_only_waits_ends_the_tree_at_once() {
    let mut stage = Stage::requesting(Config::default());
    stage.takes(responded(1, 1, 0, calls(&[Call::Question, subtask(2), subtask(3)])));
    let expected = [
        withdraw(1, 1),
        Effect::Dequeue { task: TaskId(2) },
        Effect::Dequeue { task: TaskId(3) },
        ended(2, End::Cancelled),
        ended(3, End::Cancelled),
        ended(1, End::Cancelled),
    ];
    let mut effects = stage.takes(cancelled(1));
    // Which of two siblings comes first is not promised; that the parent comes last is.
    assert_eq!(effects.first(), expected.first());
    assert_eq!(effects.last(), expected.last());
    effects.sort_unstable();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(effects, sorted);
    stage.refuses(&answered(1, 1, Answer::Text), &TERMINAL);
}

#[test]
fn cancelled_task_with_live_subtasks_survives_its_own_grace_time() {
    let mut stage = Stage::requesting(Config::default());
    stage.takes(responded(1, 1, 0, calls(&[TOOL, subtask(2)])));
    stage.takes_all([admitted(2), initialized(2), cancelled(1)]);
    assert_eq!(stage.takes(fired(grace(1))), []);
    stage.refuses(&fired(grace(1)), &STALE);
    stage.refuses(&tool_ended(1, 1, 0, ToolEnd::Succeeded), &crate::stage::DUPLICATE);
    let after_grace = [fence(2, 1, 0), ended(2, End::Cancelled), ended(1, End::Cancelled)];
    assert_eq!(stage.takes(fired(request_grace(2, 1, 0))), after_grace);
}

#[test]
fn refused_subtasks_are_results_like_others() {
    let refused = |index, why| result(1, 1, index, CallResult::Refused(why));
    #[rustfmt::skip]
    let cases = [
        ("no depth", Config { depth_max: 0, ..Config::default() }, vec![
            refused(0, CallRefusal::TooDeep), refused(1, CallRefusal::TooDeep), send(1, 2, 0),
        ]),
        ("no room", Config { tasks_max: 1, ..Config::default() }, vec![
            refused(0, CallRefusal::TasksFull), refused(1, CallRefusal::TasksFull), send(1, 2, 0),
        ]),
        ("room for one", Config { tasks_max: 2, ..Config::default() }, vec![enqueue(2)]),
    ];
    for (name, config, expected) in cases {
        let mut stage = Stage::requesting(config);
        let response = responded(1, 1, 0, calls(&[subtask(2), subtask(3)]));
        assert_eq!(stage.takes(response), expected, "{name}");
        // The ids are used up all the same.
        assert_eq!(stage.kernel.highest(), Some(TaskId(3)), "{name}");
        stage.refuses(&Event::Admitted { task: TaskId(3) }, &TERMINAL);
    }
}

#[test]
fn prompt_of_a_subtask_is_its_own() {
    let mut stage = Stage::requesting(Config::default());
    stage.takes_all([responded(1, 1, 0, calls(&[subtask(2)])), admitted(2)]);
    assert_eq!(stage.takes(initialized(2)), [include(2, Part::Prompt), send(2, 1, 0)]);
    // The sibling of another root is not touched.
    stage.takes(submitted(7));
    assert_eq!(stage.state(7), TaskState::Queued);
}

/// Task 1 is paused while its request is in flight, and its response calls for subtask 2 and whatever is `beside` it.
fn held(beside: &[Call]) -> Stage {
    let mut stage = Stage::requesting(Config::default());
    stage.takes(paused(1));
    let mut of_response = vec![subtask(2)];
    of_response.extend(beside);
    assert_eq!(stage.takes(responded(1, 1, 0, calls(&of_response))), []);
    assert_eq!(stage.state(1), TaskState::Paused(Held::Calls));
    assert_eq!(stage.state(2), TaskState::Paused(Held::Unstarted));
    stage
}

/// What is done to the subtask of a paused task, with which effects, where it stands then, and what the parent's
/// resume gives.
type WhileHeld = (&'static str, Vec<Event>, Vec<Effect>, TaskState, Vec<Effect>);

/// A subtask exists from the moment in which the response is taken, so whatever is done to it counts; it starts when
/// its parent is resumed, unless a person wanted something else of it.
#[test]
fn subtask_of_a_paused_task_is_there_before_it_starts() {
    let end = result(1, 1, 0, settled(2, End::Cancelled));
    let unstarted = TaskState::Paused(Held::Unstarted);
    let held_by_a_person = TaskState::Paused(Held::Queued);
    let gone = ended(2, End::Cancelled);
    let lost = undelivered(2, 1, false);
    let dequeue = Effect::Dequeue { task: TaskId(2) };
    #[rustfmt::skip]
    let cases: Vec<WhileHeld> = vec![
        ("nothing", vec![], vec![], unstarted, vec![enqueue(2)]),
        ("a message", vec![message(2, 1)], vec![], unstarted, vec![enqueue(2)]),
        ("a cancel", vec![cancelled(2)], vec![gone], TaskState::Cancelled, vec![end, send(1, 2, 0)]),
        ("a message and a cancel", vec![message(2, 1), cancelled(2)], vec![lost, gone], TaskState::Cancelled,
            vec![end, send(1, 2, 0)]),
        ("a pause of its own", vec![paused(2)], vec![enqueue(2)], held_by_a_person, vec![]),
        ("a pause of its own, and its place", vec![paused(2), admitted(2)], vec![enqueue(2)],
            TaskState::Paused(Held::Admitted), vec![]),
        ("a pause and a cancel", vec![paused(2), cancelled(2)], vec![enqueue(2), dequeue, gone],
            TaskState::Cancelled, vec![end, send(1, 2, 0)]),
        ("a resume", vec![resumed(2)], vec![enqueue(2)], TaskState::Queued, vec![]),
        ("a resume, and its place", vec![resumed(2), admitted(2)], vec![enqueue(2), initialize(2)],
            TaskState::Initializing, vec![]),
        ("a resume and a pause", vec![resumed(2), paused(2)], vec![enqueue(2)], held_by_a_person, vec![]),
        ("a resume and a cancel of what it began", vec![resumed(2), admitted(2), cancelled(2)],
            vec![enqueue(2), initialize(2), Effect::AbortInitialization { task: TaskId(2) }, arm(grace(2), 10_000)],
            TaskState::Cancelling(downbeat_kernel::Outstanding::Initialization), vec![]),
    ];
    for (name, during, meanwhile, state, after) in cases {
        let mut stage = held(&[]);
        assert_eq!(stage.takes_all(during), meanwhile, "{name}");
        assert_eq!(stage.state(2), state, "{name}");
        let cancelled = state == TaskState::Cancelled;
        let parent = if cancelled { Held::Turn } else { Held::Calls };
        assert_eq!(stage.state(1), TaskState::Paused(parent), "{name}");

        // A crash here, and what was outstanding is outstanding still: nothing, for what has not started.
        let snapshot = serde_json::to_vec(&stage.kernel).expect("a kernel has a JSON form");
        let restored: Kernel = serde_json::from_slice(&snapshot).expect("and comes back from it");
        assert_eq!((&restored, restored.validate()), (&stage.kernel, Ok(())), "{name}");
        let mut again = stage.resync();
        again.sort_unstable();
        assert_eq!(again, stage.orders.sorted(), "{name}");
        if state == unstarted {
            assert_eq!(again, [], "{name}");
        }

        stage.kernel = restored;
        assert_eq!(stage.takes(resumed(1)), after, "{name}");
        let state = if state == unstarted { TaskState::Queued } else { state };
        assert_eq!(stage.state(2), state, "{name}");
    }
}

#[test]
fn message_to_a_subtask_that_has_not_started_is_in_its_first_turn() {
    let mut stage = held(&[]);
    stage.takes_all([message(2, 1), resumed(1), admitted(2)]);
    assert_eq!(stage.takes(initialized(2)), [include(2, Part::Prompt), text(2, 1), send(2, 1, 0)]);
}

#[test]
fn subtask_that_a_person_paused_before_its_start_waits_for_that_person() {
    let mut stage = held(&[]);
    stage.takes_all([paused(2), resumed(1)]);
    assert_eq!(stage.takes(admitted(2)), []);
    assert_eq!(stage.takes(resumed(2)), [initialize(2)]);
}

/// Nothing was asked for it, so nothing can be answered.
#[test]
fn subtask_that_has_not_started_is_given_nothing() {
    let mut stage = held(&[]);
    let state = TaskState::Paused(Held::Unstarted);
    for event in [admitted(2), initialized(2), responded(2, 1, 0, Response::Text), fired(grace(2))] {
        let why = downbeat_kernel::Rejected::NeverAsked { state, event: event.clone() };
        stage.refuses(&event, &Outcome::Rejected(why));
    }
}

#[test]
fn resume_starts_held_calls_and_each_subtask_that_has_not_started() {
    let mut stage = held(&[TOOL, subtask(3), Call::Question, subtask(4)]);
    assert_eq!(stage.takes_all([resumed(3), cancelled(4)]), [enqueue(3), ended(4, End::Cancelled)]);
    stage.refuses(&resumed(3), &DUPLICATE);
    let begun = [run(1, 1, 1), ask(1, 1, About::Question(call_id(1, 1, 3))), enqueue(2)];
    assert_eq!(stage.takes(resumed(1)), begun);
    assert_eq!(stage.state(1), TaskState::ExecutingTools);
    // A second pause finds nothing that has not started.
    assert_eq!(stage.takes_all([paused(1), resumed(1)]), []);
}

/// Depth and room are judged when the response is taken, not when its parent goes on.
#[test]
fn subtasks_of_a_paused_task_are_refused_at_once() {
    let refused = |index, why| result(1, 1, index, CallResult::Refused(why));
    let none = [CallRefusal::TooDeep, CallRefusal::TasksFull];
    let configs =
        [Config { depth_max: 0, ..Config::default() }, Config { tasks_max: 1, ..Config::default() }];
    for (config, why) in configs.into_iter().zip(none) {
        let mut stage = Stage::requesting(config);
        stage.takes_all([paused(1), responded(1, 1, 0, calls(&[subtask(2)]))]);
        assert_eq!(stage.state(1), TaskState::Paused(Held::Turn));
        assert_eq!(stage.takes(resumed(1)), [refused(0, why), send(1, 2, 0)]);
    }

    let mut stage = Stage::requesting(Config { tasks_max: 2, ..Config::default() });
    stage.takes_all([paused(1), responded(1, 1, 0, calls(&[subtask(2), subtask(3)]))]);
    let full = downbeat_kernel::Rejected::TasksFull { limit: 2, task: TaskId(4) };
    stage.refuses(&submitted(4), &Outcome::Rejected(full));
    stage.takes_all([cancelled(2), acknowledged(2)]);
    let results =
        [result(1, 1, 0, settled(2, End::Cancelled)), refused(1, CallRefusal::TasksFull), send(1, 2, 0)];
    assert_eq!(stage.takes(resumed(1)), results);
}
