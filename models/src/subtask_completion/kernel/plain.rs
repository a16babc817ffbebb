//! The same system without parts and memos, for a test that compares the two.
//!
//! A state is the whole of it: the kernel with all its tasks, all that is outstanding, all that was seen. Each step is
//! taken by the whole kernel, carries out its effects on the whole outside and shows the watch what it saw; what may
//! come late is tried every time. Nothing is remembered, so nothing can be remembered under too short a key.

use downbeat_kernel::{Config, Kernel, Request, Task, TaskState};
use downbeat_sim::model::{Check, Fairness, Model, Property, Told};

use super::act::{Act, Action, Noted};
use super::aftermath::{Aftermath, aftermath};
use super::left::Left;
use super::moves::taken_edges;
use super::outside::Outside;
use super::sights::{Seen, Sight};
use super::state::{State, answered, representative};
use super::world::{World, asking, paused};
use super::{KernelModel, Scenario, environment, first_world, id, index, seen_nothing, words};
use crate::pots::Tree;
use crate::properties::{Observe, Observed, settled, task_tree};
use crate::watch::{TASKS, TaskIndex, Watch};

/// The closed system of one scenario.
pub(super) struct PlainModel {
    scenario: Scenario,
    config: Config,
    /// An answered request, if one stands for all.
    answered: Option<Request>,
}

/// The whole of a state.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Whole {
    kernel: Kernel,
    outside: Outside,
    seen: Seen,
    left: Left,
    changed_unapplied: bool,
    disorder: bool,
    held: u8,
}

impl PlainModel {
    /// The system that another model works out in parts.
    pub(super) fn of(model: &KernelModel) -> Self {
        Self { scenario: model.scenario, config: model.config, answered: Some(answered(&model.config)) }
    }

    /// The same, in which every answered request is there with its history.
    pub(super) fn with_histories(self) -> Self {
        Self { answered: None, ..self }
    }

    /// One state for all that have the same future, unless there are histories.
    fn representative(&self, whole: Whole) -> Whole {
        let Some(answered) = &self.answered else { return whole };
        let tasks: Vec<_> = whole.kernel.tasks().map(|task| representative(task, answered)).collect();
        Whole { kernel: Kernel::from_tasks(self.config, whole.kernel.highest(), tasks), ..whole }
    }

    fn tasks(&self) -> impl Iterator<Item = TaskIndex> {
        0..self.scenario.tasks
    }

    /// Everything that may happen but a crash.
    fn acts(&self, whole: &Whole) -> Vec<Act> {
        let world = whole.world();
        let acts = self.tasks().flat_map(|task| environment::acts(&self.scenario, &world, task));
        let mut acts: Vec<Act> = acts.filter(|act| whole.left.covers(act.cost())).collect();
        if self.scenario.late {
            acts.extend(self.late_acts(&world));
        }
        acts
    }

    /// What may come late and does something, and the first that leaves no trace, for all the others.
    fn late_acts(&self, world: &World) -> Vec<Act> {
        let mut was_ignored = false;
        let every = self.tasks().flat_map(|task| environment::every_late_act(&self.scenario, world, task));
        every
            .filter(|act| {
                let is_traceless =
                    aftermath(world, *act, None).is_some_and(|Aftermath { after, effects, .. }| {
                        effects.is_none() && !after.changed_unapplied
                    });
                let is_kept = !(is_traceless && was_ignored);
                was_ignored |= is_traceless;
                is_kept
            })
            .collect()
    }
}

impl Whole {
    /// What the parts of a state stand for.
    pub(super) fn of(model: &KernelModel, state: &State) -> Self {
        let State { seen, left, changed_unapplied, disorder, held, .. } = *state;
        let tables = &model.memory.tables;
        let World { kernel, outside, .. } = tables.unfold(state);
        Self { kernel, outside, seen: tables.seen[seen].clone(), left, changed_unapplied, disorder, held }
    }

    pub(super) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn world(&self) -> World {
        World::new(self.kernel.clone(), self.outside)
    }

    fn task(&self, task: TaskIndex) -> Option<&Task> {
        self.kernel.task(id(task))
    }

    fn has_ended(&self) -> bool {
        self.kernel.tasks().any(|task| task.state.end().is_some())
    }

    /// Takes over what a step made of the world. Returns what was seen in it.
    fn take(&mut self, after: World) -> Vec<Sight> {
        self.kernel = after.kernel;
        self.outside = after.outside;
        self.changed_unapplied |= after.changed_unapplied;
        self.disorder |= after.disorder;
        after.sights
    }

    /// One event, of whose effects the first `released` are released. `None` if nothing is in flight where it says.
    fn happen(&mut self, act: Act, released: Option<usize>) -> Option<()> {
        let Aftermath { after, effects, .. } = aftermath(&self.world(), act, released)?;
        if effects.is_some() {
            self.left = self.left.without(act.cost());
            self.held = (self.held | after.paused) & !after.freed;
        }
        let sights = self.take(after);
        if effects.is_some() {
            self.seen = self.seen.after(&sights);
        }
        Some(())
    }

    fn crash(&mut self) {
        self.left = self.left.without(Act::Crash.cost());
        let mut world = self.world();
        world.sees(Sight::Crashed);
        world.restart();
        let sights = self.take(world);
        self.seen = self.seen.after(&sights);
    }

    /// Whether a subtask of `parent` began, or something of it runs or is asked, that was not `before`.
    fn began_more_than(&self, before: &Self, parent: TaskIndex) -> bool {
        let is_new =
            |child: &&Task| child.data.parent == Some(id(parent)) && before.task(index(child.id)).is_none();
        self.kernel.tasks().filter(is_new).any(|child| child.state == TaskState::Queued)
            || self.outside.of(parent).began_more_than(before.outside.of(parent))
    }
}

impl Model for PlainModel {
    type State = Whole;
    type Action = Action;

    fn initial(&self) -> Vec<Whole> {
        let World { kernel, outside, sights, changed_unapplied, disorder, .. } =
            first_world(self.config, &self.scenario);
        let (seen, left) = (seen_nothing(self.config).after(&sights), Left::all(&self.scenario));
        vec![Whole { kernel, outside, seen, left, changed_unapplied, disorder, held: 0 }]
    }

    fn actions(&self, whole: &Whole, actions: &mut Vec<Action>) {
        let noted = Noted(u32::MAX);
        let acts = self.acts(whole);
        actions.extend(acts.iter().map(|act| Action { act: *act, cut: None, noted }));
        if !whole.left.covers(Act::Crash.cost()) {
            return;
        }
        actions.push(Action { act: Act::Crash, cut: None, noted });
        let world = whole.world();
        for act in acts {
            let effects = aftermath(&world, act, None).and_then(|aftermath| aftermath.effects);
            let cuts = effects.map_or(0, |effects| effects.len());
            actions.extend((0..).take(cuts).map(|cut| Action { act, cut: Some(cut), noted }));
        }
    }

    fn next(&self, whole: &Whole, action: &Action) -> Option<Whole> {
        let mut next = whole.clone();
        if action.act != Act::Crash {
            next.happen(action.act, action.cut.map(usize::from))?;
        }
        if action.crashes() {
            next.crash();
        }
        Some(self.representative(next))
    }

    fn mark(&self, before: &Whole, action: &Action, _: &Whole, hit: &mut dyn FnMut(usize)) {
        let visits = aftermath(&before.world(), action.act, None).map(|aftermath| aftermath.visits);
        taken_edges(&visits.unwrap_or_default()).iter().for_each(|edge| hit(usize::from(*edge)));
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = task_tree();
        properties.extend(of_the_kernel());
        if self.scenario.budget > 0 {
            properties.push(budget());
        }
        // S13 is asked only where somebody pauses.
        properties.retain(|property| {
            self.scenario.concerns(property.id) && (property.id != "S13" || self.scenario.pauses > 0)
        });
        properties
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(self.scenario.tasks)
    }

    fn is_final(&self, whole: &Whole) -> bool {
        settled(whole) && !whole.has_ended()
    }

    fn lanes(&self) -> Vec<String> {
        words::lanes(self.scenario.tasks)
    }

    fn tell(&self, before: &Whole, action: &Action, after: &Whole) -> Told {
        words::tell(self.scenario.tasks, &before.world(), action, &after.world())
    }
}

/// The properties that are the kernel's alone, asked of the whole of a state.
fn of_the_kernel() -> [Property<PlainModel>; 5] {
    let property = |id, check| Property { id, name: "as in parts", check, explain: |_, _| String::new() };
    [
        property(
            "S25",
            Check::AlwaysStep {
                holds: |_, _, _, after: &Whole| !after.changed_unapplied,
                reachable: |_, before: &Whole, _, after: &Whole| before == after,
            },
        ),
        property(
            "valid",
            Check::Always {
                holds: |_, whole| whole.kernel.validate().is_ok(),
                reachable: |_, whole| whole.kernel.tasks().next().is_some(),
            },
        ),
        property(
            "orders",
            Check::Always {
                holds: |_, whole| !whole.disorder,
                reachable: |_, whole| whole.outside.tasks.iter().any(|orders| orders.ended),
            },
        ),
        property(
            "recorded",
            Check::LeadsTo { from: |_, whole| whole.has_ended(), to: |_, whole| !whole.has_ended() },
        ),
        property(
            "S13",
            Check::AlwaysStep {
                holds: |_, before, _, after| {
                    let is_held = |task: &TaskIndex| before.held & after.held & (1 << task) != 0;
                    (0..).take(TASKS).filter(is_held).all(|task| {
                        after.task(task).and_then(paused).is_some() && !after.began_more_than(before, task)
                    })
                },
                reachable: |_, before, _, after| before.held & after.held != 0,
            },
        ),
    ]
}

/// The property of budgets, asked of the whole of two states.
fn budget() -> Property<PlainModel> {
    fn tree(model: &PlainModel, whole: &Whole) -> Tree {
        whole.outside.of(0).tree(model.scenario.budget, [0, 1, 2].map(|task| whole.task(task)))
    }
    Property {
        id: "budget",
        name: "as in parts",
        check: Check::AlwaysStep {
            holds: |model, before, _, after| Tree::keeps(&tree(model, before), &tree(model, after)),
            reachable: |model, _, _, after| tree(model, after).is_empty(),
        },
        explain: |_, _| String::new(),
    }
}

impl Observe for PlainModel {
    fn observe<'a>(&'a self, whole: &'a Whole) -> impl Observed + 'a {
        whole
    }
}

impl Observed for Whole {
    fn watch(&self) -> &Watch {
        &self.seen.watch
    }

    fn waits_for(&self, task: TaskIndex) -> Option<TaskIndex> {
        let subtasks: Vec<_> = self.task(task)?.data.calls.subtasks().map(index).collect();
        let gone = subtasks.iter().find(|subtask| !self.is_live(**subtask));
        gone.or(subtasks.first()).copied()
    }

    fn wake_under_way(&self, _task: TaskIndex) -> bool {
        false
    }

    fn waits_for_person(&self, task: TaskIndex) -> bool {
        let Some(known) = self.task(task) else { return false };
        let is_asked = || asking(known).any(|number| self.outside.asks(task, number));
        let root = self.task(0);
        let waits_for_more =
            || root.is_some_and(|root| asking(root).any(|number| self.outside.asks(0, number)));
        paused(known).is_some()
            || (known.state == TaskState::AwaitingInput && is_asked())
            || (known.state == TaskState::AwaitingBudget && waits_for_more())
    }

    fn is_live(&self, task: TaskIndex) -> bool {
        self.task(task).is_some_and(|task| task.state.end().is_none())
    }
}
