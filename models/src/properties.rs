//! The properties of task trees: one predicate each, evaluated on every variant.
//!
//! The ids are those of the book (`docs/properties.md`). Histories are judged by the [`Watch`] in the state of a model;
//! what a task waits for at this moment is asked of the model through [`Observed`]. Each invariant carries the
//! antecedent without which it would hold for the lack of anything to check.

use downbeat_sim::model::{Check, Model, Property};

use crate::watch::{Breach, Fault, How, Promise, TASKS, TaskIndex, Watch};

/// A state of which the properties of task trees can be asked.
pub trait Observed {
    /// What the outside world saw.
    fn watch(&self) -> &Watch;

    /// The subtask whose end the task waits for.
    fn waits_for(&self, task: TaskIndex) -> Option<TaskIndex>;

    /// Whether something is under way that will wake the task from its wait: a message, a poll that will see a
    /// flag, a continuation.
    fn wake_under_way(&self, task: TaskIndex) -> bool;

    /// Whether the task itself asks a person, or was paused by one, and may rest like this.
    fn waits_for_person(&self, task: TaskIndex) -> bool;

    /// Whether nothing of the task runs because a person stopped it, and it may be taken up again by one.
    fn stopped(&self, _task: TaskIndex) -> bool {
        false
    }

    /// Whether the behaviour ends here only because a bound of the model does: what would come next is not
    /// modelled, so that nothing can be said about what comes in the end.
    fn is_cut_short(&self) -> bool {
        false
    }

    /// Why the task, which neither ends nor waits for a person, comes no further; `None` if the wait for a subtask
    /// says it all.
    fn stuck_words(&self, _task: TaskIndex) -> Option<String> {
        None
    }

    /// Whether the task has begun and has not ended.
    fn is_live(&self, task: TaskIndex) -> bool {
        self.watch().is_live(task)
    }

    /// How people call the task.
    fn task_name(&self, task: TaskIndex) -> &'static str {
        match task {
            0 => "the parent",
            1 => "the child",
            _ => "child 2",
        }
    }
}

impl<S: Observed> Observed for &S {
    fn watch(&self) -> &Watch {
        (**self).watch()
    }
    fn waits_for(&self, task: TaskIndex) -> Option<TaskIndex> {
        (**self).waits_for(task)
    }
    fn wake_under_way(&self, task: TaskIndex) -> bool {
        (**self).wake_under_way(task)
    }
    fn waits_for_person(&self, task: TaskIndex) -> bool {
        (**self).waits_for_person(task)
    }
    fn stopped(&self, task: TaskIndex) -> bool {
        (**self).stopped(task)
    }
    fn is_cut_short(&self) -> bool {
        (**self).is_cut_short()
    }
    fn stuck_words(&self, task: TaskIndex) -> Option<String> {
        (**self).stuck_words(task)
    }
    fn is_live(&self, task: TaskIndex) -> bool {
        (**self).is_live(task)
    }
    fn task_name(&self, task: TaskIndex) -> &'static str {
        (**self).task_name(task)
    }
}

/// A model whose states can be asked, if only beside what the model knows of their parts.
pub trait Observe: Model {
    /// The state as the properties see it.
    fn observe<'a>(&'a self, state: &'a Self::State) -> impl Observed + 'a;
}

/// A predicate on a state, or what is said of one, as [`Observe`] shows it.
macro_rules! asked {
    (|$state:ident| $answer:expr) => {
        |model: &M, state: &M::State| {
            let $state = &model.observe(state);
            $answer
        }
    };
}

/// S1 to S9, S19, freedom from deadlock, L1 and L2, in the order of the report.
pub fn task_tree<M: Observe>() -> Vec<Property<M>> {
    let mut properties = histories();
    properties.insert(0, one_request());
    properties.insert(8, nobody_waits_for_the_gone());
    properties.extend([
        Property {
            id: "deadlock",
            name: "the system rests only when every task has ended or waits for a person",
            check: Check::NoDeadlock,
            explain: asked!(|state| unsettled_words(state)),
        },
        Property {
            id: "L1",
            name: "every task ends, or waits for a person",
            check: Check::LeadsTo {
                from: asked!(|state| tasks().any(|task| state.is_live(task))),
                to: asked!(|state| settled(state)),
            },
            explain: asked!(|state| format!("for ever: {}", unsettled_words(state))),
        },
        Property {
            id: "L2",
            name: "a cancel terminates",
            check: Check::LeadsTo {
                from: asked!(|state| cancel_outstanding(state).is_some()),
                to: asked!(|state| state.is_cut_short() || cancel_outstanding(state).is_none()),
            },
            explain: asked!(|state| match cancel_outstanding(state) {
                Some(task) => format!("{} was cancelled and never comes to its end", state.task_name(task)),
                None => "a cancel is asked for again and again".to_owned(),
            }),
        },
    ]);
    properties
}

fn tasks() -> impl Iterator<Item = TaskIndex> {
    (0..).take(TASKS)
}

fn one_request<M: Observe>() -> Property<M> {
    Property::always(
        "S1",
        "at most one model request in flight for a task",
        asked!(|state| crowded(state).is_none()),
        asked!(|state| tasks().any(|task| state.watch().in_flight(task) == 1)),
        asked!(|state| match crowded(state) {
            Some(task) => {
                let count = state.watch().in_flight(task);
                format!("{} has {count} model requests in flight at once", state.task_name(task))
            }
            None => String::new(),
        }),
    )
}

/// The task that has several requests in flight.
fn crowded<S: Observed>(state: &S) -> Option<TaskIndex> {
    tasks().find(|&task| state.watch().in_flight(task) > 1)
}

/// An invariant that is the absence of a breach in the watch, and nothing else.
macro_rules! promise {
    ($promise:ident, $name:literal, $reachable:expr) => {
        Property::always(
            stringify!($promise),
            $name,
            asked!(|state| state.watch().breach(Promise::$promise).is_none()),
            $reachable,
            asked!(|state| breach_words(state, Promise::$promise)),
        )
    };
}

/// The properties whose whole judgement is in the watch, by id.
fn histories<M: Observe>() -> Vec<Property<M>> {
    vec![
        promise!(
            S2,
            "one send for each (task, turn, attempt)",
            asked!(|state| tasks().any(|task| state.watch().has_sent_again(task)))
        ),
        promise!(
            S3,
            "a subtask's result reaches its own parent exactly once",
            asked!(|state| tasks().any(|task| state.watch().result_was_given(task)))
        ),
        promise!(
            S4,
            "the result is in the parent's next request",
            asked!(|state| {
                let watch = state.watch();
                let in_flight =
                    |child| watch.parent_of(child).is_some_and(|parent| watch.in_flight(parent) > 0);
                tasks().any(|child| watch.result_was_given(child) && in_flight(child))
            })
        ),
        Property::always(
            "S5",
            "an accepted message reaches the model exactly once, or is reported",
            asked!(|state| {
                state.watch().breach(Promise::S5).is_none() && state.watch().message_lost().is_none()
            }),
            asked!(|state| state.watch().message_has_settled()),
            asked!(|state| match state.watch().message_lost() {
                Some((m, task)) if state.watch().breach(Promise::S5).is_none() => {
                    let task = state.task_name(task);
                    format!("message {} was lost: {task} is over and the user was not told", m + 1)
                }
                Some(_) | None => breach_words(state, Promise::S5),
            }),
        ),
        promise!(
            S6,
            "an answer settles only the question that it names",
            asked!(|state| state.watch().question_was_settled())
        ),
        promise!(
            S7,
            "terminal states absorb",
            asked!(|state| tasks().any(|task| state.watch().end_of(task).is_some()))
        ),
        promise!(
            S8,
            "every tool call has exactly one result",
            asked!(|state| state.watch().call_was_answered())
        ),
        promise!(
            S19,
            "no send after cancel",
            asked!(|state| tasks().any(|task| state.watch().cancel_is_pending(task) || state.stopped(task)))
        ),
    ]
}

fn breach_words<S: Observed>(state: &S, promise: Promise) -> String {
    let Some(Breach { fault, task }) = state.watch().breach(promise) else { return String::new() };
    let name = state.task_name(task);
    match fault {
        Fault::SentTwice => format!("{name} sent a request for the same turn twice"),
        Fault::SentTooOften => format!("{name} sent one turn more often than its attempt budget allows"),
        Fault::ContentChanged => format!("{name} sent a request whose content is not that of its turn"),
        Fault::ResultTwice => format!("the result of {name} was given to its parent twice"),
        Fault::ResultToStranger => format!("the result of {name} was given to a task that is not its parent"),
        Fault::CompletedWithoutResult => {
            format!("the parent of {name} completed although it never got the result that was owed to it")
        }
        Fault::SentWithoutResult => format!("the parent of {name} sent its next request without the result"),
        Fault::MessageTwice => format!("a message that was answered went to the model again, from {name}"),
        Fault::MessageOutOfOrder => format!("a message of {name} overtook an earlier one"),
        Fault::MessageToStranger => format!("a message went out from {name}, which it was not written to"),
        Fault::MessageMisreported => format!("what the user was told about a message of {name} is not true"),
        Fault::MessageDropped => {
            format!("a message of {name} is held nowhere any more and the user was not told")
        }
        Fault::SettledByAnother => format!("a question of {name} was settled by what did not answer it"),
        Fault::SentAfterEnd => format!("{name} had ended and sent a request"),
        Fault::RanAfterEnd => format!("{name} had ended and ran a tool"),
        Fault::EndedAgain => format!("{name} had ended and ended again in another way"),
        Fault::StartedAfterEnd => format!("{name} had ended and began again"),
        Fault::CallWithoutResult => format!("{name} sent a request although a tool call has no result"),
        Fault::CallResultTwice => format!("a tool call of {name} got a second result"),
        Fault::RanTwice => format!("{name} ran a tool twice for one call"),
        Fault::ActedAfterCancel => format!("{name} began a tool or a subtask after it was cancelled"),
        Fault::SentAfterCancel => format!("{name} sent a request after it was cancelled"),
    }
}

fn nobody_waits_for_the_gone<M: Observe>() -> Property<M> {
    Property::always(
        "S9",
        "no task waits for a task that is gone; no live subtask under an ended parent",
        asked!(|state| forsaken(state).is_none() && orphan(state).is_none()),
        asked!(|state| tasks().any(|task| state.waits_for(task).is_some())),
        asked!(|state| match (forsaken(state), orphan(state)) {
            (Some((task, gone)), _) => {
                let (task, gone) = (state.task_name(task), state.task_name(gone));
                format!("{task} waits for {gone}, which is gone, and nothing will wake it")
            }
            (None, Some((child, parent))) => {
                let (child, parent) = (state.task_name(child), state.task_name(parent));
                format!("{child} still lives although {parent} has ended")
            }
            (None, None) => String::new(),
        }),
    )
}

/// A task that waits for one that is gone, with nothing under way that would wake it.
fn forsaken<S: Observed>(state: &S) -> Option<(TaskIndex, TaskIndex)> {
    tasks().find_map(|task| {
        let awaited = state.waits_for(task)?;
        let gone = state.is_live(task) && !state.is_live(awaited) && !state.wake_under_way(task);
        gone.then_some((task, awaited))
    })
}

/// A live subtask whose parent has ended.
fn orphan<S: Observed>(state: &S) -> Option<(TaskIndex, TaskIndex)> {
    tasks().find_map(|child| {
        let parent = state.watch().parent_of(child)?;
        let ended: Option<How> = state.watch().end_of(parent);
        (state.is_live(child) && ended.is_some()).then_some((child, parent))
    })
}

/// Whether every live task waits for a person, itself or through the subtasks that it waits for; or a bound of the
/// model ends the behaviour here.
pub fn settled<S: Observed>(state: &S) -> bool {
    state.is_cut_short() || unsettled(state).is_none()
}

/// A live task that neither waits for a person nor for a task that does.
fn unsettled<S: Observed>(state: &S) -> Option<TaskIndex> {
    tasks().find(|&task| state.is_live(task) && !rests(state, task))
}

fn rests<S: Observed>(state: &S, task: TaskIndex) -> bool {
    let mut at = task;
    // A line of waiting tasks is at most as long as there are tasks; a ring of them rests nowhere.
    for _ in 0..TASKS {
        if !state.is_live(at) {
            return false;
        }
        if state.waits_for_person(at) || state.stopped(at) {
            return true;
        }
        match state.waits_for(at) {
            Some(awaited) => at = awaited,
            None => return false,
        }
    }
    false
}

/// What keeps the task that does not rest, along the line of those that it waits for.
fn unsettled_words<S: Observed>(state: &S) -> String {
    let Some(mut at) = unsettled(state) else { return "every task rests".to_owned() };
    let mut words = Vec::new();
    for _ in 0..TASKS {
        let name = state.task_name(at);
        if let Some(stuck) = state.stuck_words(at) {
            words.push(stuck);
            break;
        }
        let Some(awaited) = state.waits_for(at) else {
            words.push(format!("{name} neither ends nor waits for a person"));
            break;
        };
        let gone = if state.is_live(awaited) { "" } else { ", which is gone" };
        words.push(format!("{name} waits for {}{gone}", state.task_name(awaited)));
        if !gone.is_empty() {
            break;
        }
        at = awaited;
    }
    words.join("; ")
}

/// A live task whose cancel has not come to its end.
fn cancel_outstanding<S: Observed>(state: &S) -> Option<TaskIndex> {
    tasks().find(|&task| state.is_live(task) && state.watch().cancel_is_pending(task) && !state.stopped(task))
}
