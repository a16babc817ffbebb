//! The kernel's worker and everything that acts on it: the closed system of the models `interrupt` and `health`.
//!
//! The whole kernel holds one deployed task, and perhaps a subtask of it, there from the beginning or asked for by the agent. What
//! the subtask's own agent does is left out, but that the subtask reports and ends; or it is a worker as that of the task, to which
//! all of this may happen too. Each step is one event: the true answer to an
//! order, an act of a person or of the agent, a timer, or something that comes late, twice, or before it was asked
//! for. A crash may come between any two effects, or at rest: iterators and timers are gone, and the kernel repeats
//! what is outstanding.
//!
//! An iterator that is ordered may start late or never, and one that is told to stop ends in an orderly way, with an
//! error, or never. Nobody owes the worker an answer: what is fair is that timers run out, that a subtask ends, and that
//! ends and reports are put on record. `Acknowledge` is no order: whoever writes the journal has it there with the
//! answer that makes it, so no crash comes between.
//!
//! Two things are free, whatever the budgets: an agent may do for ever what counts as a loop or as errors in a row,
//! and may say how far it is whenever it is asked. Other signs of life are bounded, because who shows them for ever may
//! be right to go on for ever.
//!
//! Numbers that are only counted are kept low (`worker/world.rs`), so the states are finitely many without a bound on turns.

mod act;
mod edges;
mod environment;
mod few;
mod judgement;
mod late;
mod moves;
mod orders;
mod outside;
mod properties;
mod scenario;
mod signs;
mod step;
#[cfg(test)]
mod tests;
mod words;
mod world;

use downbeat_kernel::{Config, Event, Kernel};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::parts::Part;

use act::{CHILD, Kind, TASK};
use moves::Memory;
use world::World;

pub use act::Action;
pub use scenario::{Budget, Left, Scenario};

/// The kernel with its world, and what may still happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    world: Part<World>,
    left: Left,
}

/// Equal tool calls in a row that are a loop, and failures in a row that are too many: the fewest that are a row.
const STREAK: u8 = 2;

/// The closed system of one scenario.
pub struct WorkerModel {
    scenario: Scenario,
    config: Config,
    memory: Memory,
}

impl WorkerModel {
    /// A system whose kernel is the one that ships.
    pub fn new(scenario: Scenario) -> Self {
        let config = Config {
            // The task, its subtask, and room for one that is refused for another reason.
            tasks_max: 3,
            calls_max: 1,
            inbox_max: scenario.room.into(),
            worker_attempts_max: scenario.attempts,
            breaker_max: scenario.breaker,
            loop_max: STREAK,
            errors_max: STREAK,
            progress_max: 1,
            ..Config::default()
        };
        Self { scenario, config, memory: Memory::new(scenario, config) }
    }

    /// The same system with a fault planted in its kernel.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self.memory = Memory::new(self.scenario, self.config);
        self
    }

    fn world(&self, state: &State) -> &World {
        &self.memory.worlds[state.world]
    }

    fn is_valid(&self, state: &State) -> bool {
        self.memory.moves(state.world).is_valid
    }

    /// The task is deployed, and so is its subtask if there is to be one that nobody asks for.
    fn first_world(&self) -> World {
        let mut events = vec![
            Event::TaskSubmitted { task: TASK, budget: downbeat_kernel::Budget::default() },
            Event::Admitted { task: TASK },
            Event::Deployed { task: TASK },
        ];
        if self.scenario.has_subtask() && !self.scenario.has(Budget::Subtasks) {
            events.extend([
                Event::SubtaskRequested { task: TASK, child: CHILD },
                Event::Admitted { task: CHILD },
                Event::Deployed { task: CHILD },
            ]);
        }
        let (mut kernel, mut effects) = (Kernel::new(self.config), Vec::new());
        for event in events {
            let _ = kernel.step(event, &mut effects);
        }
        step::opened(&self.config, &kernel, &effects, if self.scenario.works { 2 } else { 1 })
    }
}

impl Model for WorkerModel {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State { world: self.memory.worlds.intern(self.first_world()), left: self.scenario.left }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.memory.steps(state, |action, _| actions.push(*action));
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        self.memory.next(state, action)
    }

    fn steps(&self, state: &State, _: &mut Vec<Action>, take: impl FnMut(&Action, State)) {
        self.memory.steps(state, take);
    }

    fn kinds(&self) -> Vec<&'static str> {
        Kind::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind().kind()
    }

    fn marks(&self) -> Vec<String> {
        edges::edges().map(|(event, state)| format!("{state} x {event}")).collect()
    }

    fn mark(&self, before: &State, action: &Action, _: &State, hit: &mut dyn FnMut(usize)) {
        let step = action.act.and_then(|act| self.memory.find(before.world, act));
        step.and_then(|step| step.edge).into_iter().for_each(|edge| hit(edge.into()));
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(&self.scenario)
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(&self.scenario)
    }

    fn is_final(&self, state: &State) -> bool {
        properties::all_rest(self.world(state))
    }

    fn lanes(&self) -> Vec<String> {
        words::lanes(self.scenario.works).iter().map(|lane| (*lane).to_owned()).collect()
    }

    fn opening(&self, _: &State) -> String {
        "the task is deployed".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        words::told(&self.config, self.world(before), action, self.world(after))
    }
}
