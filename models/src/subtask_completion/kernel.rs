//! The kernel that ships, in a world that does its worst.
//!
//! The state is the kernel itself, what has been ordered of the outside and not answered, and what the outside has
//! seen. Each step is one event: the true answer to an order, a person's act, a timer, or an answer that comes late
//! or twice. The kernel takes the event, and its effects are released in their order. A crash may come between any
//! two effects, or at rest: what was outstanding is gone, and the kernel orders it again (`resync`).
//!
//! A state is made of a few parts (`state`); what a step does with a `world` is worked out once for the parts that it
//! comes by (`moves`).
//!
//! Nothing is left to a schedule: any order may be answered at any moment, any armed timer may fire, and every
//! identity that was ever asked may be answered again.

mod act;
mod aftermath;
mod environment;
mod judgement;
mod left;
mod moves;
mod outside;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod plain;
mod scenarios;
mod sights;
mod state;
mod validity;
mod words;
mod world;

use downbeat_kernel::{Budget, Config, Event, Kernel, TaskId};
use downbeat_sim::model::{Codec, Fairness, Model, Property, Told};

use crate::properties::{Observe, Observed, settled};
use crate::watch::TaskIndex;
use act::{Action, Kind};
use judgement::View;
use left::Left;
use moves::Memory;
use outside::Outside;
use sights::Seen;
use state::{Roster, State, Tables};
use world::World;
pub(crate) use world::asking;

pub use scenarios::{Deep, SCENARIOS, Scenario, variants};

/// The closed system of one scenario.
pub struct KernelModel {
    scenario: Scenario,
    config: Config,
    memory: Memory,
}

impl KernelModel {
    /// A system whose kernel is the one that ships.
    pub fn new(scenario: Scenario) -> Self {
        let config = Config {
            tasks_max: u32::from(scenario.tasks),
            depth_max: 2,
            messages_max: 2,
            calls_max: 2,
            attempts_max: 2,
            mistakes_max: 2,
            ..Config::default()
        };
        Self { scenario, config, memory: Memory::new(Tables::new(config)) }
    }

    /// How much has been worked out of the system until now, by name: each number is one of parts, or of results that
    /// are known from then on.
    pub fn sizes(&self) -> impl IntoIterator<Item = (&'static str, u64)> {
        self.memory.sizes()
    }

    /// The same system with a fault planted in its kernel.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self.memory = Memory::new(Tables::new(self.config));
        self
    }
}

/// The kernel's id of a task.
const fn id(task: TaskIndex) -> TaskId {
    TaskId(task as u64 + 1)
}

/// The model's index of a task.
fn index(task: TaskId) -> TaskIndex {
    u8::try_from(task.0 - 1).expect("the scenarios have three tasks")
}

/// What one grant is for, in milliseconds: any time may be over at any moment.
const WALL_MS: u64 = 60_000;

/// A kernel to which one task was submitted. Each bill is of one token.
fn first_world(config: Config, scenario: &Scenario) -> World {
    let budget = match scenario.budget {
        0 => Budget::default(),
        bills => Budget { tokens: bills.into(), micros: 0, wall_ms: WALL_MS },
    };
    let empty = Kernel::new(config);
    let mut world = World::new(empty.clone(), Outside::default());
    if let Some(effects) = world.step(&empty, Event::TaskSubmitted { task: id(0), budget }, &mut |_| {}) {
        world.see_born(&empty);
        world.release(&effects, usize::MAX);
    }
    world
}

/// What the outside has seen before the first task.
fn seen_nothing(config: Config) -> Seen {
    Seen::nothing(u8::try_from(config.attempts_max).unwrap_or(u8::MAX))
}

impl Model for KernelModel {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let world = first_world(self.config, &self.scenario);
        let tables = &self.memory.tables;
        let nothing = seen_nothing(self.config);
        vec![State {
            places: tables.fold(&world),
            seen: tables.seen.intern(nothing.after(&world.sights)),
            left: Left::all(&self.scenario),
            roster: Roster::of(&world.kernel),
            changed_unapplied: world.changed_unapplied,
            disorder: world.disorder,
            held: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.memory.steps(&self.scenario, state, |action, _| actions.push(*action));
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        self.memory.next(&self.scenario, state, action)
    }

    fn steps(&self, state: &State, _: &mut Vec<Action>, take: impl FnMut(&Action, State)) {
        self.memory.steps(&self.scenario, state, take);
    }

    fn kinds(&self) -> Vec<&'static str> {
        Kind::ALL.iter().map(|kind| kind.name()).collect()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind() as usize
    }

    fn marks(&self) -> Vec<String> {
        moves::edges().map(|(event, state)| format!("{state} x {event}")).collect()
    }

    fn mark(&self, _: &State, action: &Action, _: &State, hit: &mut dyn FnMut(usize)) {
        self.memory.edges(action).iter().for_each(|edge| hit(usize::from(*edge)));
    }

    fn properties(&self) -> Vec<Property<Self>> {
        judgement::properties(self)
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(self.scenario.tasks)
    }

    fn codec(&self) -> Option<Codec<Self>> {
        Some(Codec {
            write: |_, state, bytes| state.write(bytes),
            read: |_, bytes| State::read(bytes).expect("these bytes were written of a state"),
        })
    }

    fn is_final(&self, state: &State) -> bool {
        // An end that nobody is told of is no rest.
        let view = View::new(self, state);
        settled(&view) && !view.has_ended()
    }

    fn lanes(&self) -> Vec<String> {
        words::lanes(self.scenario.tasks)
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let tables = &self.memory.tables;
        words::tell(self.scenario.tasks, &tables.unfold(before), action, &tables.unfold(after))
    }
}

impl Observe for KernelModel {
    fn observe<'a>(&'a self, state: &'a State) -> impl Observed + 'a {
        View::new(self, state)
    }
}
