//! The kernel's pool, with agents behind links that lose, double and reorder what goes over them.
//!
//! A step is one event: something that a user, a container, an agent or the network does, a timer, or a crash. The pool takes
//! it, and its orders go out in their order. A crash may come between any two of them, or at rest: what the process was
//! still to do is gone, and the pool repeats what is outstanding (`resync`). The event is on record before its orders go
//! out, so the pool itself loses nothing. What is on the way to an agent and from it survives the process.
//! [`owners`] has a process that is suspended instead, and another one that goes on.
//!
//! Abstractions: who submits and who is told are behind no link, and repeat themselves; the process hears at once that a
//! container was removed. A timer may run out at any time, but only so often as a bound says before what it waits for could
//! still come. Whoever works comes to an end at some time. Agents are what `docs/pool.md` asks them to be.

pub mod act;
mod agent;
mod environment;
mod judgement;
pub mod owners;
pub mod scenario;
pub mod state;
mod step;
#[cfg(test)]
mod tests;
mod words;

use downbeat_kernel::{Pool, PoolConfig};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};

use act::{Act, Action};
pub use scenario::{Left, Scenario};
use state::State;
use step::Step;

/// Two tasks of one user, who may have one at once, and one agent.
pub const QUIET: Scenario = Scenario {
    tasks: 2,
    users: 1,
    room: 2,
    agents: 1,
    kept: 0,
    quota: 1,
    attempts: 2,
    normal: false,
    left: Left::NONE,
};

/// Three tasks of two users, so that one may be passed more often than it yields.
const QUEUED: Scenario = Scenario { tasks: 3, users: 2, room: 3, agents: 2, ..QUIET };

/// A second owner, and something that comes to the first after that.
const OWNERS: Left = Left { owners: 1, wakes: 1, ..Left::NONE };

/// Every variant: name, about, scenario. Each has a few troubles at once; the page of the race says which are together.
const VARIANTS: [(&str, &str, Scenario); 12] = [
    (
        "kernel-pool",
        "the kernel's pool, with two agents: a cancel, a lost message, a crash",
        Scenario { agents: 2, left: Left { cancels: 1, losses: 1, crashes: 1, ..Left::NONE }, ..QUIET },
    ),
    (
        "kernel-pool-copies",
        "with one agent, and a message that arrives twice in place of the lost one",
        Scenario { left: Left { cancels: 1, duplicates: 1, crashes: 1, ..Left::NONE }, ..QUIET },
    ),
    (
        "kernel-pool-late",
        "a timer that runs out early, a heartbeat, and a message that arrives twice",
        Scenario { left: Left { duplicates: 1, early: 1, beats: 1, ..Left::NONE }, ..QUIET },
    ),
    (
        "kernel-pool-lost",
        "one task: its agent dies or is taken for dead, a cancel, a crash",
        Scenario {
            tasks: 1,
            left: Left { cancels: 1, deaths: 1, early: 1, crashes: 1, ..Left::NONE },
            ..QUIET
        },
    ),
    (
        "kernel-pool-two",
        "two users and two agents, of which one is taken for dead",
        Scenario { users: 2, agents: 2, left: Left { early: 1, ..Left::NONE }, ..QUIET },
    ),
    (
        "kernel-pool-fleet",
        "an agent that is kept, one that cannot be started, one that is to go, one that gives up, a crash",
        Scenario {
            kept: 1,
            left: Left { failures: 1, returns: 1, drains: 1, crashes: 1, ..Left::NONE },
            ..QUIET
        },
    ),
    ("kernel-pool-queue", "three tasks of two users for two agents, the first of low priority", QUEUED),
    ("kernel-pool-normal", "the same, the first of normal priority", Scenario { normal: true, ..QUEUED }),
    (
        "kernel-pool-owners",
        "one task: its owner is suspended, another one goes on, the first wakes up; a cancel, a lost message, a crash",
        Scenario { tasks: 1, left: Left { cancels: 1, losses: 1, crashes: 1, ..OWNERS }, ..QUIET },
    ),
    (
        "kernel-pool-owners-late",
        "the same with a timer that runs out early, and a message that arrives twice",
        Scenario { tasks: 1, left: Left { duplicates: 1, early: 1, ..OWNERS }, ..QUIET },
    ),
    (
        "kernel-pool-owners-dead",
        "the same with an agent that dies, and a cancel",
        Scenario { tasks: 1, left: Left { cancels: 1, deaths: 1, ..OWNERS }, ..QUIET },
    ),
    (
        "kernel-pool-owners-two",
        "the same with two tasks, two agents, and no other trouble",
        Scenario { agents: 2, left: OWNERS, ..QUIET },
    ),
];

/// What there is more of in a deep search: a lost message beside the doubled one, a crash beside two agents, an agent that is taken
/// for dead beside one that is.
const DEEP: [(&str, &str); 3] =
    [("kernel-pool-copies", "losses"), ("kernel-pool-two", "crashes"), ("kernel-pool-owners-dead", "early")];

/// The pool that ships, of which every property is expected to hold.
pub fn variants() -> impl Iterator<Item = Variant> {
    VARIANTS.into_iter().map(|(name, about, scenario)| {
        let build = |bounds: &Bounds| KernelModel::new(Scenario::within(bounds));
        let variant = scenario.bounds(Variant::new(name, about, build));
        let deep = DEEP.into_iter().filter(|(of, _)| *of == name);
        variant.deep(deep.map(|(_, bound)| (bound, 1)))
    })
}

/// The closed system of one scenario.
#[derive(Clone)]
pub struct KernelModel {
    scenario: Scenario,
    config: PoolConfig,
    /// What a test has taken away from the world around the pool.
    flaw: Option<Flaw>,
}

/// A duty that somebody around the pool does not do, so that a test can see what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// An agent takes every assignment, whatever it has seen before.
    AnyEpoch,
    /// Somebody around the owners of the pool does not do his.
    Owners(super::owners::Flaw),
}

impl KernelModel {
    /// A system whose pool is the one that ships.
    pub fn new(scenario: Scenario) -> Self {
        Self { scenario, config: scenario.config(), flaw: None }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn flaw_of_owners(&self) -> Option<super::owners::Flaw> {
        match self.flaw {
            Some(Flaw::Owners(flaw)) => Some(flaw),
            Some(Flaw::AnyEpoch) | None => None,
        }
    }

    /// The same system, in which nobody does this duty.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// The same system with a fault planted in its pool.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self
    }
}

impl Model for KernelModel {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State::new(&self.scenario, Pool::new(self.config))]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.enabled(state, actions);
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut step = Step { state: state.clone(), model: self, told: None };
        step.take(*action)?;
        Some(step.state)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Act::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.act.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.judged()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness()
    }

    fn is_final(&self, state: &State) -> bool {
        state.is_settled()
    }

    fn lanes(&self) -> Vec<String> {
        words::lanes()
    }

    fn opening(&self, _: &State) -> String {
        "nothing was submitted".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut arrows = Vec::new();
        let mut step = Step { state: before.clone(), model: self, told: Some(&mut arrows) };
        if step.take(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = arrows.into_iter();
        let Some(first) = arrows.next() else { unreachable!("every act has something to tell") };
        let told = arrows.fold(Told::new(first.from, first.to, first.text), |told, arrow| {
            told.then(arrow.from, arrow.to, arrow.text)
        });
        let (was, is) = (words::standing(before), words::standing(after));
        if was == is { told } else { told.change(is) }
    }
}
