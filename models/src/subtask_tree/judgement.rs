//! What is asked of a composition: the predicates of task trees, and what only the composition can say.

use downbeat_kernel::TaskState;
use downbeat_sim::model::Property;

use super::act::{Act, Action, TaskAct};
use super::scenario::{Budget, Scenario};
use super::state::{Breach, Flight, Orders, Start, State, Tree, index};
use super::view::View;
use super::{SubtaskTree, words};
use crate::pots;
use crate::properties::{settled, task_tree};
use crate::watch::{TASKS, TaskIndex};

/// The properties of a scenario: those that it has something for.
pub(super) fn properties(scenario: &Scenario) -> Vec<Property<SubtaskTree>> {
    let has = |budget| scenario.has(budget);
    let mut properties: Vec<Property<SubtaskTree>> = task_tree();
    let sends = scenario.sends_itself();
    let sends_again =
        has(Budget::Tools) || has(Budget::Throttles) || (has(Budget::Questions) && !scenario.worker);
    properties.retain(|property| match property.id {
        "S3" | "S9" => scenario.subtasks,
        "S4" => scenario.subtasks && !scenario.worker,
        "S5" => has(Budget::Messages),
        "S6" => has(Budget::Questions) && !scenario.worker,
        "S8" => scenario.has_calls(),
        "S1" => sends,
        "S2" => sends && (sends_again || (!scenario.worker && (scenario.subtasks || has(Budget::Lapses)))),
        // A person who grants no more cancels.
        "S19" | "L2" => (has(Budget::Cancels) || scenario.budget > 0) && !scenario.retry,
        _ => true,
    });
    if scenario.worker {
        properties.extend(of_workers(scenario));
    }
    if has(Budget::Pauses) || has(Budget::Interrupts) {
        properties.push(held_stays_held());
    }
    if scenario.credential {
        properties.extend(of_credentials(scenario));
    }
    if scenario.retry {
        properties.extend([one_result(), comes_to_an_end()]);
        if has(Budget::Cancels) || scenario.budget > 0 {
            properties.extend([cancelled_begins_nothing(), cancel_terminates()]);
        }
    }
    if may_be_cancelled(scenario) {
        properties.push(cancelled_never_starts());
    }
    if scenario.continues && scenario.has_calls() {
        properties.push(continuity());
    }
    if scenario.budget > 0 {
        properties.extend([budget(), billed()]);
    }
    if scenario.agents > 0 {
        properties.extend(of_pools(scenario));
    }
    if scenario.outbox {
        properties.extend([one_end(), told()]);
    }
    if scenario.has_questions() {
        properties.push(heard());
    }
    // Where nothing comes late or twice, nothing is refused; nor where a worker is alone with its place and its token.
    let troubles = [Budget::Losses, Budget::Crashes, Budget::Cancels, Budget::Downs, Budget::Asks];
    let hears_twice = !scenario.worker || troubles.into_iter().any(has);
    let is_told = scenario.agents > 0 || scenario.credential || (scenario.outbox && has(Budget::Crashes));
    if scenario.budget > 0 || (hears_twice && is_told) {
        properties.push(unapplied_changes_nothing());
    }
    properties.extend([orders(), valid(), recorded()]);
    properties
}

/// An invariant of what the last step did.
macro_rules! unbroken {
    ($id:literal, $name:literal, [$($breach:ident),+], $reachable:expr, $words:literal) => {
        Property::always(
            $id,
            $name,
            |_, state: &State| !($(state.breaches.has(Breach::$breach))||+),
            |model: &SubtaskTree, state: &State| {
                let reachable: fn(&View<'_>) -> bool = $reachable;
                reachable(&View::new(model, state))
            },
            |_, _| $words.to_owned(),
        )
    };
}

mod credentials;
mod pools;
mod workers;

use credentials::of_credentials;
use pools::of_pools;
use workers::of_workers;

/// What a person paused sends nothing and starts nothing until a person resumes it, and stays paused.
fn held_stays_held() -> Property<SubtaskTree> {
    // A subtask that was called for while its parent is held waits for the resume of either.
    fn is_resumed(tree: &Tree, action: Action, task: TaskIndex) -> bool {
        let parent = tree.task(task).and_then(|task| task.data.parent).map(index);
        let resumed = [Some(task), parent].into_iter().flatten();
        resumed.map(|task| Act::Tree(TaskAct::Resume(task))).any(|act| act == action.act)
    }
    Property::always_step(
        "S13",
        "what a person stopped stays stopped",
        |model: &SubtaskTree, before: &State, action: &Action, after: &State| {
            let (then, now) = (View::new(model, before), View::new(model, after));
            (0..)
                .take(TASKS)
                .filter(|task| then.tree.is_held(*task) && !is_resumed(then.tree, *action, *task))
                .all(|task| {
                    let is_bound = now.tree.task(task).is_none_or(|task| is_bound_to_end(task.state));
                    is_bound
                        || (now.tree.is_held(task)
                            && !began_more(now.tree.of(task), then.tree.of(task))
                            && now.tree.prompts(task) == then.tree.prompts(task))
                })
        },
        |model, before, _, after| {
            let (then, now) = (View::new(model, before), View::new(model, after));
            (0..).take(TASKS).any(|task| then.tree.is_held(task) && now.tree.is_held(task))
        },
        |_, _| "a paused task went on, sent a request, or started a tool or a subtask".into(),
    )
}

fn is_bound_to_end(state: TaskState) -> bool {
    match state {
        TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => true,
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Paused(_) => false,
    }
}

/// Whether something runs, or is asked, that was not before.
fn began_more(now: &Orders, then: &Orders) -> bool {
    let key = |flight: &Flight| (flight.turn, flight.attempt);
    let sent = now
        .flights
        .iter()
        .flatten()
        .any(|flight| !flight.gone && !then.flights.iter().flatten().any(|old| key(old) == key(flight)));
    let ran = now.tools & !(if now.tools_turn == then.tools_turn { then.tools } else { 0 }) != 0;
    let began = now.start != then.start && now.start == Start::Initializing;
    sent || ran || began || now.questions & !then.questions != 0
}

fn one_result() -> Property<SubtaskTree> {
    unbroken!(
        "S18",
        "one result for a task, however often it is tried",
        [TwoResults],
        |view| view.seen.results > 0,
        "two attempts at one task have both completed"
    )
}

/// Of the tree S19 says it of each task; the next attempt is another.
fn cancelled_begins_nothing() -> Property<SubtaskTree> {
    unbroken!(
        "S19",
        "no attempt is ordered after a cancel",
        [BegunAfterCancel],
        |view| view.wish.cancelled,
        "an attempt was ordered though a person had cancelled the task"
    )
}

/// Whether the tree may be told of a cancel: by a person, or for want of a place.
fn may_be_cancelled(scenario: &Scenario) -> bool {
    let by_person = scenario.has(Budget::Cancels) || scenario.budget > 0;
    let by_pool = scenario.agents > 0 && scenario.left.of(Budget::Losses) >= scenario.leases;
    by_person || by_pool
}

/// S19 counts from the moment at which a person asks, and S21 from that at which the cancel was taken, whoever asked.
fn cancelled_never_starts() -> Property<SubtaskTree> {
    unbroken!(
        "S21",
        "cancelled means never started after",
        [BegunAfterTaken],
        |view| view.seen.cancels != 0,
        "something began for a task whose cancel was taken, or an agent was given it"
    )
}

fn continuity() -> Property<SubtaskTree> {
    unbroken!(
        "continuity",
        "a turn continues from the response to the one before, and has the full input where that is lost",
        [Discontinued],
        |view| view
            .tree
            .orders
            .iter()
            .any(|orders| orders.flights[0].is_some_and(|flight| flight.is_continued)),
        "a turn continues from another response than that to the one before, or does not continue from that"
    )
}

fn cancel_terminates() -> Property<SubtaskTree> {
    Property::leads_to(
        "L2",
        "a cancel terminates",
        |model: &SubtaskTree, state: &State| View::new(model, state).is_cancelled(),
        |model, state| !View::new(model, state).is_cancelled(),
        |_, _| "for ever: a task was cancelled, and the attempts at it come to no end".into(),
    )
}

/// What is in the pot is counted from bills, answers and timers alone.
fn budget() -> Property<SubtaskTree> {
    Property::always_step(
        "budget",
        "no turn begins while the pot of its tree is empty, and a person is asked exactly then",
        |model: &SubtaskTree, before: &State, _, after: &State| {
            let (then, now) = (View::new(model, before), View::new(model, after));
            now.roots().all(|root| pots::Tree::keeps(&then.pot(root), &now.pot(root)))
        },
        |model, _, _, after| {
            let now = View::new(model, after);
            now.roots().any(|root| now.pot(root).is_empty())
        },
        |_, _| {
            "a turn began though its tree had spent what it was granted, or a person was asked at another time".into()
        },
    )
}

fn billed() -> Property<SubtaskTree> {
    Property::always(
        "billed",
        "what was paid for is in the account of its tree, or on the way there",
        |model: &SubtaskTree, state: &State| View::new(model, state).unbilled().is_none(),
        |model, state| View::new(model, state).is_billed(),
        |model, state| {
            let task = View::new(model, state).unbilled().map_or('?', words::task_name);
            format!("a bill of {task} is on record, and nobody says it to the tree")
        },
    )
}

/// Between two attempts there is no task that could be asked whether it ends.
fn comes_to_an_end() -> Property<SubtaskTree> {
    Property::leads_to(
        "ends",
        "a task that is tried again comes to its end, or an attempt at it waits for a person",
        |model: &SubtaskTree, state: &State| View::new(model, state).wish.is_live(),
        |model, state| {
            let view = View::new(model, state);
            !view.wish.is_live() || (view.has_live_attempt() && settled(&view))
        },
        |_, _| "for ever: the attempts at a task come to no end".into(),
    )
}

fn one_end() -> Property<SubtaskTree> {
    unbroken!(
        "S24",
        "people are told the end that there is, once, and nothing after it",
        [Contradicted],
        |view| view.seen.concluded.is_some(),
        "people were told something after the end, or an end that there is not"
    )
}

fn told() -> Property<SubtaskTree> {
    Property::leads_to(
        "told",
        "what there is to say is acknowledged, or reported as given up",
        |model: &SubtaskTree, state: &State| !View::new(model, state).post.is_settled(),
        |model, state| {
            let post = View::new(model, state).post;
            post.is_settled() || post.receiver.reporting.is_some()
        },
        |_, _| "for ever: nobody has heard of something, and nobody is told so".into(),
    )
}

fn heard() -> Property<SubtaskTree> {
    Property::leads_to(
        "heard",
        "what an agent asks is heard, and comes to an end that both sides know, or waits for a person while the agent is there",
        |model: &SubtaskTree, state: &State| View::new(model, state).has_untold_question(),
        |model, state| !View::new(model, state).has_untold_question(),
        |_, _| {
            "for ever: an agent asks and is not heard, or somebody is not told that its question is over"
                .into()
        },
    )
}

fn unapplied_changes_nothing() -> Property<SubtaskTree> {
    Property::always_step(
        "S25",
        "not applied means nothing changed and nothing was emitted",
        |_, _: &State, _, after: &State| !after.breaches.has(Breach::Unapplied),
        // A word was taken, and no machine has changed.
        |_, before, action, after| {
            matches!(action.act, Act::Take(_) | Act::Tree(_))
                && before.tree == after.tree
                && (before.vault, before.fleet) == (after.vault, after.fleet)
                && (before.post, before.wish, before.asking) == (after.post, after.wish, after.asking)
        },
        |_, _| "a machine did not apply an event, and changed or emitted something all the same".into(),
    )
}

fn orders() -> Property<SubtaskTree> {
    unbroken!(
        "orders",
        "every order is given once until a crash, and none outlives its task",
        [Disorder],
        |view| view.has_ended(),
        "an order was given twice, or was left when its task ended"
    )
}

fn valid() -> Property<SubtaskTree> {
    Property::always(
        "valid",
        "every machine's own validation accepts its state",
        |model: &SubtaskTree, state| View::new(model, state).is_valid(),
        |model, state| View::new(model, state).tree.kernel.tasks().next().is_some(),
        |_, _| "a machine says of itself that it cannot be".into(),
    )
}

/// An end that is not put on record is one that somebody waits for.
fn recorded() -> Property<SubtaskTree> {
    Property::leads_to(
        "recorded",
        "every end is put on record",
        |model: &SubtaskTree, state: &State| View::new(model, state).has_ended(),
        |model, state| !View::new(model, state).has_ended(),
        |_, _| "a task has ended, and its end is never put on record".into(),
    )
}
