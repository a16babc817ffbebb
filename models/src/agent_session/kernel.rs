//! The kernel's session, with the same callers and the same SDK.
//!
//! The state is the session itself, what it has ordered, the SDK, and the ledger. Each step is one event: a caller's or
//! the one in charge, the true answer to an order, a timer, or something that comes late or twice. The session takes
//! it, and its orders go out in their order. A crash may come between any two orders, or at rest: the iterators of the
//! process and its timers are gone, and the session repeats what is outstanding (`resync`).
//!
//! `Settle` and `Closed` are no orders. Whoever owns the session takes them in the step that makes them, and they are
//! on record with it, so that no crash comes between.

mod act;
mod environment;
mod judgement;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod words;

use downbeat_kernel::{Config, Outcome, SessionEvent};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};

use super::ledger::REQUESTS;
use super::sdk::ITERATORS;
use act::{Act, Action, EDGES, edge, name_of};
use state::{Close, State};
use step::Step;

/// What may happen, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Requests that are made.
    pub requests: u8,
    /// Requests that may be open at once.
    pub callers: u8,
    /// How often each thing out of the ordinary may happen.
    pub left: Left,
}

impl Scenario {
    /// The most iterators that are started: one for each request, and one more for a restart that takes its iterator
    /// from nobody.
    fn iterators(&self) -> u8 {
        self.requests + self.left.restarts
    }
}

/// How often each thing out of the ordinary may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Cancelled tokens.
    pub cancels: u8,
    /// Aborts of what is in progress.
    pub aborts: u8,
    /// Restarts of the iterator.
    pub restarts: u8,
    /// Closes of the session.
    pub closes: u8,
    /// Starts that fail.
    pub failures: u8,
    /// Iterators that end without having been told to.
    pub exits: u8,
    /// Crashes, at rest or between two orders.
    pub crashes: u8,
}

/// More stops and ends than there are requests. The second crash may come to what was ordered anew after the first.
pub const SCENARIO: Scenario = Scenario {
    requests: 3,
    callers: 3,
    left: Left { cancels: 2, aborts: 2, restarts: 1, closes: 1, failures: 2, exits: 2, crashes: 2 },
};

/// The session that ships, of which every property is expected to hold.
pub fn variant() -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            cancels: byte("cancels"),
            aborts: byte("aborts"),
            restarts: byte("restarts"),
            closes: byte("closes"),
            failures: byte("failures"),
            exits: byte("exits"),
            crashes: byte("crashes"),
        };
        KernelModel::new(Scenario { requests: byte("requests"), callers: byte("callers"), left })
    };
    let Scenario { requests, callers, left } = SCENARIO;
    let most = REQUESTS as u64;
    // A restart that takes its iterator from nobody needs one more: ITERATORS.
    let restarts = (ITERATORS - REQUESTS) as u64;
    Variant::new("kernel", "the session of the kernel", build)
        .bound("requests", requests.into(), 1..=most, "requests that are made")
        .bound("callers", callers.into(), 1..=most, "requests that may be open at once")
        .bound("cancels", left.cancels.into(), 0..=most, "tokens that callers cancel")
        .bound("aborts", left.aborts.into(), 0..=most, "aborts of what is in progress")
        .bound("restarts", left.restarts.into(), 0..=restarts, "restarts of the iterator")
        .bound("closes", left.closes.into(), 0..=1, "1 if the session may be closed")
        .bound("failures", left.failures.into(), 0..=most, "starts that fail")
        .bound("exits", left.exits.into(), 0..=most, "iterators that end without having been told to")
        .bound("crashes", left.crashes.into(), 0..=most, "crashes, at rest or between two orders")
        .deep([("requests", 5), ("callers", 5)])
}

/// The closed system of one scenario.
#[derive(Clone)]
pub struct KernelModel {
    scenario: Scenario,
    config: Config,
}

impl KernelModel {
    /// A system whose session is the one that ships.
    pub fn new(scenario: Scenario) -> Self {
        Self { scenario, config: Config::default() }
    }

    /// The same system with a fault planted in its session.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self
    }

    /// Whether the session applies an event.
    fn is_applied(&self, state: &State, event: SessionEvent) -> bool {
        let mut session = state.session;
        session.step(event, &self.config, &mut |_| {}) == Outcome::Applied
    }
}

impl Model for KernelModel {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State::new(self.scenario.left)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.enabled(state, actions);
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut step = Step { state: *state, model: self, told: None };
        step.take(*action)?;
        Some(step.state)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Act::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.act.kind()
    }

    fn marks(&self) -> Vec<String> {
        EDGES.iter().map(|(state, event)| format!("{state:?} x {event}")).collect()
    }

    fn mark(&self, before: &State, action: &Action, _: &State, hit: &mut dyn FnMut(usize)) {
        let Some(event) = action.act.event(before) else { return };
        if self.is_applied(before, event) {
            edge(before.session.state, name_of(event)).into_iter().for_each(hit);
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        judgement::properties(&self.scenario)
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(&self.scenario)
    }

    fn is_final(&self, state: &State) -> bool {
        state.ledger.open().next().is_none() && state.close != Close::Asked
    }

    fn lanes(&self) -> Vec<String> {
        let iterators = (1..=self.scenario.iterators()).map(|number| format!("iterator {number}"));
        ["callers".to_owned(), "session".to_owned()].into_iter().chain(iterators).collect()
    }

    fn opening(&self, _: &State) -> String {
        "the session is dormant".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut arrows = Vec::new();
        let mut step = Step { state: *before, model: self, told: Some(&mut arrows) };
        if step.take(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = arrows.into_iter();
        let Some(first) = arrows.next() else { unreachable!("every event has something to tell") };
        let told = arrows.fold(Told::new(first.from, first.to, first.text), |told, arrow| {
            told.then(arrow.from, arrow.to, arrow.text)
        });
        let (was, is) = (before.standing(), after.standing());
        if was == is { told } else { told.change(is) }
    }
}
