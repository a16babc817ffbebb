//! Tasks that a worker runs, in the tree of tasks.

use crate::damaged::changed;
use crate::stage::{
    DUPLICATE, Stage, TERMINAL, acknowledged, admitted, cancelled, ended, enqueue, initialized, message,
    paused, responded, resumed, submitted,
};
use downbeat_kernel::{
    Approval, Call, CallRefusal, CallResult, Concern, Config, Corrupt, Effect, End, Event, IteratorEnd,
    IteratorId, Met, Outcome, Part, PromptId, Reason, Rejected, Response, SessionEffect, SessionEvent, Sign,
    Source, Task, TaskId, TaskState, ToolId, Visit, WatchNumber, WorkerEffect, WorkerEvent, WorkerPart,
    WorkerReason, WorkerRejected, WorkerState, WorkerTimer,
};

const ITERATOR: IteratorId = IteratorId(1);

fn deployed(task: u64) -> Event {
    Event::Deployed { task: TaskId(task) }
}

fn told(task: u64, event: WorkerEvent) -> Event {
    Event::Worker { task: TaskId(task), event }
}

fn session(task: u64, event: SessionEvent) -> Event {
    told(task, WorkerEvent::Session(event))
}

fn started(task: u64) -> Event {
    session(task, SessionEvent::Started { iterator: ITERATOR })
}

fn answered(task: u64, prompt: u32) -> Event {
    session(task, SessionEvent::Answered { iterator: ITERATOR, prompt: PromptId(prompt) })
}

fn gone(task: u64) -> Event {
    session(task, SessionEvent::IteratorEnded { iterator: ITERATOR, end: IteratorEnd::Normal })
}

fn asks_for(task: u64, child: u64) -> Event {
    Event::SubtaskRequested { task: TaskId(task), child: TaskId(child) }
}

fn completes(task: u64) -> Event {
    told(task, WorkerEvent::CompleteRequested)
}

/// What the agent of a worker reads: the parts before the prompts.
fn read(effects: &[Effect], of: u64) -> Vec<WorkerPart> {
    let mut parts = Vec::new();
    for effect in effects {
        if let Effect::Worker { task, effect: WorkerEffect::Include { part } } = *effect
            && task.0 == of
        {
            parts.push(part);
        }
    }
    parts
}

/// What is not an order of a worker.
fn of_tasks(effects: &[Effect]) -> Vec<Effect> {
    effects.iter().filter(|effect| !matches!(effect, Effect::Worker { .. })).copied().collect()
}

/// Task 1 with a worker that has its prompt.
fn stage() -> Stage {
    let mut stage = Stage::new(Config::default());
    stage.takes_all([submitted(1), admitted(1), deployed(1), started(1)]);
    assert_eq!(stage.state(1), TaskState::Working);
    stage
}

/// The same with a subtask 2, which has a worker of its own.
fn family() -> Stage {
    let mut stage = stage();
    assert_eq!(stage.takes(asks_for(1, 2)), [enqueue(2)]);
    stage.takes_all([admitted(2), deployed(2), started(2)]);
    stage
}

#[test]
fn worker_runs_a_task_to_its_end() {
    let mut stage = Stage::new(Config::default());
    stage.takes_all([submitted(1), admitted(1)]);
    let task = TaskId(1);
    let start =
        Effect::Worker { task, effect: WorkerEffect::Session(SessionEffect::Start { iterator: ITERATOR }) };
    assert_eq!(stage.takes(deployed(1))[0], start);
    let prompt = SessionEffect::Prompt { iterator: ITERATOR, prompt: PromptId(1) };
    assert_eq!(
        stage.takes(started(1)),
        [
            Effect::Worker { task, effect: WorkerEffect::Include { part: WorkerPart::Prompt } },
            Effect::Worker { task, effect: WorkerEffect::Session(prompt) },
        ]
    );
    stage.takes_all([answered(1, 1), completes(1)]);
    assert_eq!(stage.state(1), TaskState::Working, "it joins its session first");
    assert_eq!(of_tasks(&stage.takes(gone(1))), [ended(1, End::Completed)]);
    stage.refuses(&gone(1), &TERMINAL);
    stage.takes(acknowledged(1));
    stage.refuses(&answered(1, 1), &TERMINAL);
}

/// S3, S7: however the worker ends, the parent hears of it once, and the result is in its next request (S4).
#[test]
fn end_of_a_worker_settles_its_parent_once() {
    let permanent = SessionEvent::IteratorEnded { iterator: ITERATOR, end: IteratorEnd::Permanent };
    let failed = End::Failed(Reason::Worker(WorkerReason::Refused));
    let cases = [
        ("it completes", vec![answered(2, 1), completes(2), gone(2)], End::Completed),
        ("its agent is refused", vec![session(2, permanent)], failed),
        ("it is cancelled", vec![cancelled(2), gone(2)], End::Cancelled),
    ];
    for (name, events, end) in cases {
        let mut stage = Stage::new(Config::default());
        let subtask = Response::Calls(vec![Call::Subtask { child: TaskId(2) }]);
        stage.takes_all([submitted(1), admitted(1), initialized(1), responded(1, 1, 0, subtask)]);
        stage.takes_all([admitted(2), deployed(2), started(2)]);
        let effects = stage.takes_all(events);
        let result = |effect: &&Effect| matches!(effect, Effect::Include { part: Part::Result { .. }, .. });
        let results: Vec<&Effect> = effects.iter().filter(result).collect();
        let part = Part::Result {
            call: crate::stage::call_id(1, 1, 0),
            result: CallResult::Subtask { child: TaskId(2), end },
        };
        assert_eq!(results, [&Effect::Include { task: TaskId(1), part }], "{name}");
        for late in [answered(2, 1), gone(2), completes(2)] {
            stage.refuses(&late, &TERMINAL);
        }
    }
}

#[test]
fn reports_and_ends_of_subtasks_are_in_the_next_prompt() {
    let mut stage = family();
    let effects = stage.takes(told(2, WorkerEvent::Reported { number: 1 }));
    assert_eq!(effects, [], "the report is in the inbox, and acknowledged");
    stage.takes_all([answered(2, 1), completes(2)]);
    assert_eq!(of_tasks(&stage.takes(gone(2))), [ended(2, End::Completed)]);
    let child = TaskId(2);
    let sources = [Source::ChildReported { child, number: 1 }, Source::ChildEnded { child }];
    let effects = stage.takes(answered(1, 1));
    assert_eq!(read(&effects, 1), sources.map(WorkerPart::Source));
    let effects = stage.takes(answered(1, 2));
    let acknowledged = sources
        .map(|source| Effect::Worker { task: TaskId(1), effect: WorkerEffect::Acknowledge { source } });
    assert_eq!(effects[..2], acknowledged);
}

/// Task 1 with a worker whose inbox is full of messages, and its subtask 2, which has reported twice.
fn crowded_family() -> Stage {
    let mut stage = Stage::new(Config { inbox_max: 2, ..Config::default() });
    stage.takes_all([submitted(1), admitted(1), deployed(1), started(1), asks_for(1, 2)]);
    stage.takes_all([admitted(2), deployed(2), started(2), message(1, 1), message(1, 2)]);
    for number in [1, 2] {
        assert_eq!(stage.takes(told(2, WorkerEvent::Reported { number })), [], "it waits: {number}");
    }
    stage
}

/// S4: a report for which there is no room is told when there is some, before those after it.
#[test]
fn report_waits_for_room_in_the_inbox_of_the_parent() {
    let report = |number| Source::ChildReported { child: TaskId(2), number };
    let mut stage = crowded_family();
    let outside =
        |effect: &Effect| matches!(effect, Effect::Worker { effect: WorkerEffect::Report { .. }, .. });
    assert!(!stage.resync().iter().any(outside), "a restart tells nobody else");
    let early = Rejected::Worker {
        task: TaskId(2),
        why: WorkerRejected::NeverAsked {
            state: WorkerState::Executing,
            event: WorkerEvent::ReportAcknowledged { number: 1 },
        },
    };
    stage.refuses(&told(2, WorkerEvent::ReportAcknowledged { number: 1 }), &Outcome::Rejected(early));
    // The messages are in the second prompt, and room comes with the answer to it.
    stage.takes(answered(1, 1));
    assert_eq!(read(&stage.takes(answered(1, 2)), 1), [WorkerPart::Source(report(1))]);
    assert_eq!(read(&stage.takes(answered(1, 3)), 1), [WorkerPart::Source(report(2))]);
}

/// S5: what its parent has not taken when a subtask ends is told to whoever keeps the record, before the end.
#[test]
fn report_that_waits_goes_out_with_the_end_of_the_subtask() {
    let mut stage = crowded_family();
    stage.takes_all([answered(2, 1), completes(2)]);
    let report = |number| Effect::Worker { task: TaskId(2), effect: WorkerEffect::Report { number } };
    let effects = stage.takes(gone(2));
    let told: Vec<Effect> = effects
        .into_iter()
        .filter(|effect| !matches!(effect, Effect::Worker { effect: WorkerEffect::Session(_), .. }))
        .collect();
    assert_eq!(told, [report(1), report(2), ended(2, End::Completed)]);
    assert!([report(1), report(2)].iter().all(|report| stage.resync().contains(report)));
    stage.takes(acknowledged(2));
    assert!(!stage.resync().contains(&report(1)));
}

/// S4: what went out with the end of a worker does not go into the inbox as well, when there is room while its task waits for
/// subtasks of its own.
#[test]
fn report_that_went_out_is_not_told_again() {
    let mut stage = crowded_family();
    stage.takes_all([asks_for(2, 3), admitted(3), answered(2, 1), completes(2), gone(2)]);
    assert_eq!(stage.state(2), TaskState::Ending(End::Completed), "it waits for its subtask");
    stage.takes(answered(1, 1));
    assert_eq!(read(&stage.takes(answered(1, 2)), 1), [], "there is room, and nothing for it");
    let report = |number| Effect::Worker { task: TaskId(2), effect: WorkerEffect::Report { number } };
    assert!([report(1), report(2)].iter().all(|report| stage.resync().contains(report)));
}

#[test]
fn report_without_an_inbox_goes_out_and_waits_for_its_acknowledgement() {
    let mut stage = stage();
    let report = Effect::Worker { task: TaskId(1), effect: WorkerEffect::Report { number: 1 } };
    assert_eq!(stage.takes(told(1, WorkerEvent::Reported { number: 1 })), [report]);
    assert!(stage.resync().contains(&report));
    stage.takes(told(1, WorkerEvent::ReportAcknowledged { number: 1 }));
    assert!(!stage.resync().contains(&report));
}

/// A subtask that loops or fails again and again is warned of; nobody ends it for that.
#[test]
fn warning_of_a_subtask_fails_nothing() {
    let mut stage = family();
    let called = Sign::ToolCalled { tool: ToolId(7) };
    let observed = told(2, WorkerEvent::Observed { prompt: PromptId(1), sign: called });
    let effects = stage.takes_all([(); 5].map(|()| observed.clone()));
    let warn = Effect::Worker { task: TaskId(2), effect: WorkerEffect::Warn { concern: Concern::Looping } };
    assert!(effects.contains(&warn), "{effects:?}");
    assert_eq!((stage.state(1), stage.state(2)), (TaskState::Working, TaskState::Working));
}

/// A subtask that is silent is asked, then reported as stuck and interrupted; nobody ends it for that, nor its parent.
#[test]
fn stuck_subtask_is_warned_of_and_goes_on() {
    let mut stage = family();
    let elapsed =
        |number| told(2, WorkerEvent::TimerFired { timer: WorkerTimer::Watch(WatchNumber(number)) });
    let effects = stage.takes_all([elapsed(1), elapsed(2)]);
    let warn = Effect::Worker { task: TaskId(2), effect: WorkerEffect::Warn { concern: Concern::Stuck } };
    assert!(effects.contains(&warn), "{effects:?}");
    assert!(of_tasks(&effects).is_empty(), "{effects:?}");
    assert_eq!((stage.state(1), stage.state(2)), (TaskState::Working, TaskState::Working));
}

/// L2, S9: a cancel ends the subtasks and the worker, and the task after both.
#[test]
fn cancel_waits_for_the_worker_and_for_subtasks() {
    let orders = [[gone(1), gone(2)], [gone(2), gone(1)]];
    for order in orders {
        let mut stage = family();
        stage.takes(cancelled(1));
        let [first, second] = order;
        let ends = [stage.takes(first), stage.takes(second)].concat();
        let both = of_tasks(&ends);
        assert_eq!(both, [ended(2, End::Cancelled), ended(1, End::Cancelled)]);
    }
}

/// S9: a task whose worker has ended waits for its subtasks, which nobody needs any more.
#[test]
fn task_ends_after_the_subtasks_of_its_worker() {
    let mut stage = family();
    stage.takes_all([answered(1, 1), completes(1), gone(1)]);
    assert_eq!(stage.state(1), TaskState::Ending(End::Completed));
    stage.refuses(&cancelled(1), &DUPLICATE);
    for event in [paused(1), message(1, 1), asks_for(1, 3), gone(1)] {
        stage.refuses(&event, &TERMINAL);
    }
    assert_eq!(of_tasks(&stage.takes(gone(2))), [ended(2, End::Cancelled), ended(1, End::Completed)]);
}

/// S3, S5: what comes too late for the agent is reported with the rest of the inbox.
#[test]
fn end_of_a_subtask_while_its_parent_closes_is_reported() {
    let mut stage = family();
    stage.takes_all([answered(1, 1), completes(1), answered(2, 1), completes(2)]);
    stage.takes(gone(2));
    let source = Source::ChildEnded { child: TaskId(2) };
    let report = WorkerEffect::ReportUndelivered { source, in_doubt: false };
    let expected = [Effect::Worker { task: TaskId(1), effect: report }, ended(1, End::Completed)];
    let effects = stage.takes(gone(1));
    assert_eq!(effects[effects.len() - 2..], expected);
}

/// S13: what is held starts nothing, neither a turn nor a subtask.
#[test]
fn held_worker_holds_its_subtasks_too() {
    let mut stage = stage();
    stage.takes(paused(1));
    assert_eq!(stage.takes(asks_for(1, 2)), []);
    let effects = stage.takes_all([answered(1, 1), message(1, 1)]);
    assert_eq!(read(&effects, 1), [], "no turn begins");
    let effects = stage.takes(resumed(1));
    assert_eq!(read(&effects, 1), [WorkerPart::Source(Source::Message(downbeat_kernel::MessageId(1)))]);
    assert_eq!(of_tasks(&effects), [enqueue(2)]);

    // Paused before it was deployed.
    let mut stage = Stage::new(Config::default());
    stage.takes_all([submitted(1), admitted(1), paused(1)]);
    assert_eq!(stage.takes(deployed(1)), []);
    let start = WorkerEffect::Session(SessionEffect::Start { iterator: ITERATOR });
    assert_eq!(stage.takes(resumed(1))[0], Effect::Worker { task: TaskId(1), effect: start });
}

#[test]
fn what_only_the_kernel_tells_a_worker_is_refused() {
    let stage = || family();
    let child = TaskId(2);
    let own = [
        WorkerEvent::Assigned,
        WorkerEvent::MessageReceived { message: downbeat_kernel::MessageId(1) },
        WorkerEvent::ChildReported { child, number: 1 },
        WorkerEvent::ChildEnded { child },
        WorkerEvent::PauseRequested,
        WorkerEvent::ResumeRequested,
        WorkerEvent::KillRequested,
        WorkerEvent::EndAcknowledged,
    ];
    for event in own {
        let event = told(1, event);
        stage().refuses(&event, &Outcome::Rejected(Rejected::NotForShell { event: event.clone() }));
    }
}

#[test]
fn subtask_that_cannot_be_is_refused_with_the_reason() {
    let refused = |task, child, why| {
        Outcome::Rejected(Rejected::Subtask { task: TaskId(task), child: TaskId(child), why })
    };
    let config = Config { depth_max: 1, tasks_max: 3, ..Config::default() };
    let mut stage = Stage::new(config);
    stage.takes_all([submitted(1), admitted(1), deployed(1), started(1), asks_for(1, 2)]);
    stage.takes_all([admitted(2), deployed(2), started(2)]);
    stage.refuses(&asks_for(2, 3), &refused(2, 3, CallRefusal::TooDeep));
    let fresh = Rejected::IdNotFresh { highest: TaskId(2), got: TaskId(2) };
    stage.refuses(&asks_for(1, 2), &Outcome::Rejected(fresh));
    stage.takes(submitted(4));
    stage.refuses(&asks_for(1, 5), &refused(1, 5, CallRefusal::TasksFull));
}

#[test]
fn resync_repeats_what_the_worker_has_outstanding() {
    let stage = stage();
    let task = TaskId(1);
    let prompt = SessionEffect::Prompt { iterator: ITERATOR, prompt: PromptId(1) };
    let repeated = stage.resync();
    assert_eq!(
        repeated[..2],
        [
            Effect::Worker { task, effect: WorkerEffect::Include { part: WorkerPart::Prompt } },
            Effect::Worker { task, effect: WorkerEffect::Session(prompt) },
        ]
    );
}

/// S5: what was not delivered is reported again after a crash, until the end is on record.
#[test]
fn resync_repeats_what_an_ended_worker_has_not_delivered() {
    let mut stage = stage();
    stage.takes_all([message(1, 1), completes(1), gone(1)]);
    let source = Source::Message(downbeat_kernel::MessageId(1));
    let report = WorkerEffect::ReportUndelivered { source, in_doubt: false };
    let expected = [Effect::Worker { task: TaskId(1), effect: report }, ended(1, End::Completed)];
    assert_eq!(stage.resync(), expected);
    stage.takes(acknowledged(1));
    assert_eq!(stage.resync(), []);
}

#[test]
fn tasks_with_and_without_a_worker_live_in_one_tree() {
    let mut stage = family();
    stage.takes(asks_for(2, 3));
    stage.takes_all([admitted(3), initialized(3)]);
    let done = Response::Calls(vec![Call::Completion(Approval::Granted)]);
    assert_eq!(stage.takes(responded(3, 1, 0, done)), [ended(3, End::Completed)]);
    let effects = stage.takes(answered(2, 1));
    assert_eq!(read(&effects, 2), [WorkerPart::Source(Source::ChildEnded { child: TaskId(3) })]);
}

/// A step that brings room comes by the subtask whose reports wait, and by the parent that takes them.
#[test]
fn step_that_brings_room_comes_by_whoever_waits_for_it() {
    let mut stage = crowded_family();
    stage.takes(answered(1, 1));
    let mut visits = Vec::new();
    drop(stage.kernel.step_visiting(answered(1, 2), &mut Vec::new(), &mut |visit| visits.push(visit)));
    let met =
        |task, event| Visit { task: TaskId(task), met: Some(Met { state: "Working", event, applied: true }) };
    let passed = Visit { task: TaskId(2), met: None };
    let told = [met(1, "ChildReported"), met(2, "Worker")];
    assert_eq!(visits, [&[met(1, "Worker"), passed][..], &told, &told].concat());
}

/// What of a worker and its subtasks a stored tree has to agree on.
#[test]
fn stored_worker_that_does_not_fit_its_task_is_found() {
    let mut stage = stage();
    stage.takes_all([paused(1), asks_for(1, 2)]);
    let [parent, child] = [1, 2].map(|task| stage.kernel.task(TaskId(task)).expect("it is held"));
    let damaged = |path: &'static str, value: serde_json::Value| {
        serde_json::from_value::<Task>(changed(parent, &vec![(path, value)])).expect("it is read")
    };
    let config = Config::default();
    let none = damaged("/data/worker", serde_json::Value::Null);
    assert_eq!(none.validate(&config), Err(Corrupt::Worker { task: TaskId(1) }), "nobody runs it");

    let unstarted = Err(Corrupt::Unstarted { task: TaskId(2) });
    let [let_go, closing] = [
        damaged("/data/worker/data/hold", false.into()),
        damaged("/state", serde_json::json!({"Cancelling": "Worker"})),
    ];
    assert_eq!(child.ties().validate(|_| Some(parent.ties())), Ok(()));
    assert_eq!(child.ties().validate(|_| Some(let_go.ties())), unstarted, "nobody holds its parent");
    assert_eq!(child.ties().validate(|_| Some(closing.ties())), unstarted, "its parent is cancelled");
}

#[test]
fn stored_worker_that_does_not_fit_where_its_task_stands_is_found() {
    let corrupt = Err(Corrupt::Worker { task: TaskId(1) });
    let live = family();
    let mut over = family();
    over.takes_all([answered(1, 1), completes(1), gone(1)]);
    let mut idle = Stage::new(Config::default());
    idle.takes_all([submitted(1), admitted(1), paused(1), deployed(1)]);
    let ending = || serde_json::json!({"Ending": "Completed"});
    let kept = || ("/data/worker/data/kept", serde_json::json!(true));
    let none = || ("/data/worker", serde_json::Value::Null);
    #[rustfmt::skip]
    let cases = [
        ("a live one of a live task",     &live, vec![],                                          Ok(())),
        ("one that is over of one bound to end", &over, vec![],                                   Ok(())),
        ("a live one of one bound to end", &live, vec![("/state", ending())],                     corrupt),
        ("one that is over of a live task", &over, vec![("/state", serde_json::json!("Working"))], corrupt),
        ("one that cannot be",            &live, vec![kept()],                                    corrupt),
        ("one that has begun nothing",    &idle, vec![],                                          Ok(())),
        ("one that was given nothing",    &idle, vec![("/data/worker/data/assignment", serde_json::json!("Awaited"))], corrupt),
        ("nobody, of one bound to end",   &over, vec![none()],                                    corrupt),
    ];
    for (name, stage, changes, expected) in cases {
        let task = stage.kernel.task(TaskId(1)).expect("it is held");
        let read: Task = serde_json::from_value(changed(task, &changes)).expect("it is read");
        assert_eq!(read.validate(&Config::default()), expected, "{name}");
    }
}

/// A child and its worker hear of the budget of their tree in one step, until the worker is about to end.
#[test]
fn stored_worker_that_does_not_know_of_the_budget_is_found() {
    let live = family();
    let mut closing = family();
    closing.takes_all([answered(1, 1), completes(1)]);
    let mut over = family();
    over.takes_all([answered(1, 1), completes(1), gone(1)]);
    #[rustfmt::skip]
    let cases = [
        ("a live one",                     &live,    Err(Corrupt::Budget { task: TaskId(1) })),
        ("one whose session is to close",  &closing, Ok(())),
        ("one that is over",               &over,    Ok(())),
    ];
    for (name, stage, expected) in cases {
        let task = stage.kernel.task(TaskId(1)).expect("it is held");
        let changes = vec![("/data/parent", serde_json::json!(9)), ("/data/spent", serde_json::json!(true))];
        let read: Task = serde_json::from_value(changed(task, &changes)).expect("it is read");
        assert_eq!(read.validate(&Config::default()), expected, "{name}");
    }
}

/// A worker has subtasks for calls, and what has come of one is no call any more.
#[test]
fn stored_calls_that_no_worker_makes_are_found() {
    let config = Config::default();
    let settled = || serde_json::json!({"Settled": {"Subtask": {"child": 2, "end": "Cancelled"}}});
    let subtask = || serde_json::json!({"Subtask": {"child": 2}});
    let mut stage = family();
    let working = stage.kernel.task(TaskId(1)).cloned().expect("it is held");
    stage.takes_all([answered(1, 1), completes(1), gone(1)]);
    let ending = stage.kernel.task(TaskId(1)).cloned().expect("it is held");
    let found = Err(Corrupt::Calls { task: TaskId(1) });
    #[rustfmt::skip]
    let cases = [
        ("works with a subtask",            &working, vec![subtask()],            Ok(())),
        ("works without one",               &working, vec![],                     Ok(())),
        ("works with what has come of one", &working, vec![settled()],            found),
        ("ends after a subtask",            &ending,  vec![subtask()],            Ok(())),
        ("ends after nothing",              &ending,  vec![],                     found),
        ("ends with what has come of one",  &ending,  vec![subtask(), settled()], found),
    ];
    for (name, task, calls, expected) in cases {
        let damaged = changed(task, &vec![("/data/calls", calls.into())]);
        let read: Task = serde_json::from_value(damaged).expect("it is read");
        assert_eq!(read.validate(&config), expected, "{name}");
    }
}
