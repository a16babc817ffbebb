//! What is asked of a state of the kernel's world: what it looks like to the properties of all models, and the
//! properties that are the kernel's alone.

use downbeat_kernel::{Task, TaskState};
use downbeat_sim::model::{Check, Property};

use super::state::{Place, State};
use super::world::{asking, paused};
use super::{KernelModel, id, index, words};
use crate::pots::Tree;
use crate::properties::{Observed, task_tree};
use crate::watch::{TASKS, TaskIndex, Watch};

/// A state beside the tables that its parts are in.
pub(super) struct View<'a> {
    model: &'a KernelModel,
    state: &'a State,
}

impl<'a> View<'a> {
    pub(super) fn new(model: &'a KernelModel, state: &'a State) -> Self {
        Self { model, state }
    }

    fn place(&self, task: TaskIndex) -> &'a Place {
        &self.model.memory.tables.places[self.state.places[usize::from(task)]]
    }

    fn task(&self, task: TaskIndex) -> Option<&'a Task> {
        self.place(task).task.as_ref()
    }

    fn tasks(&self) -> impl Iterator<Item = &'a Task> {
        let places = &self.model.memory.tables.places;
        self.state.places.iter().filter_map(|place| places[*place].task.as_ref())
    }

    /// Whether a task has ended and its end is not on record.
    pub(super) fn has_ended(&self) -> bool {
        self.tasks().any(|task| task.state.end().is_some())
    }

    /// Whether a person is asked to grant more to the tree.
    fn asks_for_more(&self) -> bool {
        let root = self.place(0);
        root.task.as_ref().is_some_and(|task| asking(task).any(|number| root.orders.asks(number)))
    }

    /// What the property of budgets looks at.
    fn tree(&self) -> Tree {
        let tasks = [0, 1, 2].map(|task| self.task(task));
        self.place(0).orders.tree(self.model.scenario.budget, tasks)
    }

    /// Whether a subtask of `parent` began, or something of it runs or is asked, that was not `before`.
    fn began_more_than(&self, before: &Self, parent: TaskIndex) -> bool {
        let subtask = self.tasks().any(|child| {
            child.data.parent == Some(id(parent))
                && child.state == TaskState::Queued
                && before.task(index(child.id)).is_none()
        });
        subtask || self.place(parent).orders.began_more_than(&before.place(parent).orders)
    }
}

impl Observed for View<'_> {
    fn watch(&self) -> &Watch {
        &self.model.memory.tables.seen[self.state.seen].watch
    }

    fn waits_for(&self, task: TaskIndex) -> Option<TaskIndex> {
        let calls = &self.task(task)?.data.calls;
        // Of several subtasks the one that is not there is the one to look at.
        let gone = calls.subtasks().find(|subtask| !self.is_live(index(*subtask)));
        gone.or_else(|| calls.subtasks().next()).map(index)
    }

    fn wake_under_way(&self, _task: TaskIndex) -> bool {
        // The end of a subtask settles its parent in the same step.
        false
    }

    fn waits_for_person(&self, task: TaskIndex) -> bool {
        let place = self.place(task);
        place.task.as_ref().is_some_and(|task| {
            paused(task).is_some()
                || (task.state == TaskState::AwaitingInput
                    && asking(task).any(|number| place.orders.asks(number)))
                || (task.state == TaskState::AwaitingBudget && self.asks_for_more())
        })
    }

    fn is_live(&self, task: TaskIndex) -> bool {
        self.task(task).is_some_and(|task| task.state.end().is_none())
    }

    fn task_name(&self, task: TaskIndex) -> &'static str {
        words::TASK_NAMES[usize::from(task)]
    }
}

/// The properties of a scenario.
pub(super) fn properties(model: &KernelModel) -> Vec<Property<KernelModel>> {
    let mut properties = task_tree();
    properties.push(unapplied_changes_nothing());
    properties.push(valid());
    properties.push(orders());
    properties.push(recorded());
    if model.scenario.pauses > 0 {
        properties.push(held_stays_held());
    }
    if model.scenario.budget > 0 {
        properties.push(budget());
    }
    properties.retain(|property| model.scenario.concerns(property.id));
    properties
}

fn unapplied_changes_nothing() -> Property<KernelModel> {
    Property {
        id: "S25",
        name: "not applied means nothing changed and nothing was emitted",
        check: Check::AlwaysStep {
            holds: |_, _, _, after| !after.changed_unapplied,
            reachable: |_, before, _, after| before == after,
        },
        explain: |_, _| {
            "the kernel did not apply the event, and changed or emitted something all the same".into()
        },
    }
}

fn valid() -> Property<KernelModel> {
    Property::always(
        "valid",
        "the kernel's own validation accepts its state",
        |model: &KernelModel, state| model.memory.is_valid(state),
        |model, state| View::new(model, state).tasks().next().is_some(),
        |model, state| {
            let valid = model.memory.tables.unfold(state).kernel.validate();
            valid.err().map_or_else(String::new, |corrupt| corrupt.to_string())
        },
    )
}

/// Orders are given once each, until a crash, and none is left when its task ends.
fn orders() -> Property<KernelModel> {
    Property::always(
        "orders",
        "every order is given once, no turn is sent again of which output went out, and none outlives its task",
        |_, state: &State| !state.disorder,
        |model, state| (0..).take(TASKS).any(|task| View::new(model, state).place(task).orders.ended),
        |_, _| {
            "an order was given twice, or was left when its task ended, or a turn was sent again after output of it".into()
        },
    )
}

/// An end that the outside was not told of would never be put on record.
fn recorded() -> Property<KernelModel> {
    Property {
        id: "recorded",
        name: "every end is put on record",
        check: Check::LeadsTo {
            from: |model, state| View::new(model, state).has_ended(),
            to: |model, state| !View::new(model, state).has_ended(),
        },
        explain: |_, _| "a task has ended, and its end is never put on record".into(),
    }
}

/// What a person paused sends nothing and starts nothing until a person resumes it, and stays paused.
fn held_stays_held() -> Property<KernelModel> {
    fn held(before: &State, after: &State) -> u8 {
        before.held & after.held
    }
    Property {
        id: "S13",
        name: "what a person stopped stays stopped",
        check: Check::AlwaysStep {
            holds: |model, before, _, after| {
                let held = held(before, after);
                let (then, now) = (View::new(model, before), View::new(model, after));
                (0..).take(TASKS).filter(|task| held & (1 << task) != 0).all(|task| {
                    now.task(task).is_some_and(|task| paused(task).is_some())
                        && !now.began_more_than(&then, task)
                })
            },
            reachable: |_, before, _, after| held(before, after) != 0,
        },
        explain: |_, _| "a paused task went on, sent a request, or started a tool or a subtask".into(),
    }
}

/// What is in the pot is counted from bills, answers and timers alone.
fn budget() -> Property<KernelModel> {
    Property {
        id: "budget",
        name: "no turn begins while the pot of its tree is empty, and a person is asked exactly then",
        check: Check::AlwaysStep {
            holds: |model, before, _, after| {
                Tree::keeps(&View::new(model, before).tree(), &View::new(model, after).tree())
            },
            reachable: |model, _, _, after| View::new(model, after).tree().is_empty(),
        },
        explain: |_, _| {
            "a turn began though its tree had spent what it was granted, or a person was asked at another time".into()
        },
    }
}
