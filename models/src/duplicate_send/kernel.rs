//! The kernel's request, with the same providers, judged by what goes over the same wire.
//!
//! The state is the request of each turn, what it has ordered, the conversation, the tokens, and the wire. Each step is one
//! event: the true answer to an order, a timer, somebody who cancels, a profile that goes down or up, or something that comes
//! late or twice. The request takes it, and its orders go out in their order. A crash may come between any two orders, or at
//! rest: the streams of the process and its timers are gone, and each request repeats what is outstanding (`resync`).
//!
//! `Charge` and `Ended` are no orders. Whoever owns the request takes them in the step that makes them, and they are on
//! record with it, so that no crash comes between.

mod act;
mod environment;
mod judgement;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod words;

use downbeat_kernel::{Config, Outcome, RequestEvent};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};

use super::properties::Judged as _;
use super::wire::{SENDS, TURNS, TurnIndex};
use act::{Act, Action, EDGES, edge, kind_of, name_of};
use state::State;
use step::Step;

/// The most sends of one turn.
pub const ATTEMPTS: usize = SENDS / TURNS;

/// What may happen, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Turns that are begun, at any time.
    pub turns: u8,
    /// The budget of sends of each.
    pub attempts: u8,
    /// Profiles that they may be sent to.
    pub profiles: u8,
    /// Whether there is a response to continue from.
    pub continues: bool,
    /// How often each thing out of the ordinary may happen.
    pub left: Left,
}

/// How often each thing out of the ordinary may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Sends that fail, each in any way.
    pub failures: u8,
    /// Credentials that cannot be had.
    pub keyless: u8,
    /// Profiles that go down.
    pub downs: u8,
    /// Turns that are cancelled.
    pub cancels: u8,
    /// Crashes, at rest or between two orders.
    pub crashes: u8,
}

/// One turn with everything.
pub const SCENARIO: Scenario = Scenario {
    turns: 1,
    attempts: 3,
    profiles: 2,
    continues: true,
    left: Left { failures: 2, keyless: 1, downs: 2, cancels: 1, crashes: 1 },
};

/// More sends, and more of them fail.
pub const MANY_SENDS: Scenario =
    Scenario { attempts: 4, profiles: 1, left: Left { failures: 4, downs: 0, ..SCENARIO.left }, ..SCENARIO };

/// Two turns of one conversation, at once or one after the other.
pub const TWO_TURNS: Scenario = Scenario {
    turns: 2,
    attempts: 2,
    profiles: 1,
    left: Left { failures: 1, keyless: 0, downs: 0, ..SCENARIO.left },
    ..SCENARIO
};

/// The request that ships, of which every property is expected to hold.
pub fn variants() -> Vec<Variant> {
    vec![
        variant("kernel", "the request of the kernel", SCENARIO),
        variant("kernel-failures", "the request of the kernel, and many sends that fail", MANY_SENDS),
        variant("kernel-turns", "the requests of two turns of one conversation", TWO_TURNS),
    ]
}

fn variant(name: &'static str, about: &'static str, scenario: Scenario) -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            failures: byte("failures"),
            keyless: byte("keyless"),
            downs: byte("downs"),
            cancels: byte("cancels"),
            crashes: byte("crashes"),
        };
        KernelModel::new(Scenario {
            turns: byte("turns"),
            attempts: byte("attempts"),
            profiles: byte("profiles"),
            continues: bounds.get("continues") > 0,
            left,
        })
    };
    let Scenario { turns, attempts, profiles, continues, left } = scenario;
    Variant::new(name, about, build)
        .bound("turns", turns.into(), 1..=TURNS as u64, "turns that are begun, at any time")
        .bound("attempts", attempts.into(), 1..=ATTEMPTS as u64, "sends that a turn may have")
        .bound("profiles", profiles.into(), 1..=2, "profiles that there are")
        .bound("continues", u64::from(continues), 0..=1, "1 if there is a response to continue from")
        .bound("failures", left.failures.into(), 0..=4, "sends that fail, each in any way")
        .bound("keyless", left.keyless.into(), 0..=2, "credentials that cannot be had")
        .bound("downs", left.downs.into(), 0..=3, "profiles that go down, and may come up again")
        .bound("cancels", left.cancels.into(), 0..=2, "turns that are cancelled")
        .bound("crashes", left.crashes.into(), 0..=2, "crashes, at rest or between two orders")
}

/// The closed system of one scenario.
#[derive(Clone)]
pub struct KernelModel {
    scenario: Scenario,
    config: Config,
    /// Whether the driver says nothing of what was left and cools down.
    leaves_cooling_unsaid: bool,
}

impl KernelModel {
    /// A system whose request is the one that ships.
    pub fn new(scenario: Scenario) -> Self {
        let config = Config { attempts_max: scenario.attempts.into(), ..Config::default() };
        Self { scenario, config, leaves_cooling_unsaid: false }
    }

    /// The same system with a fault planted in its request.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self
    }

    /// The same system, whose driver does not say that what was left for another profile is down while it cools (A21).
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_cooling_unsaid(mut self) -> Self {
        self.leaves_cooling_unsaid = true;
        self
    }

    /// Whether the request of a turn applies an event.
    fn is_applied(&self, state: &State, turn: TurnIndex, event: RequestEvent) -> bool {
        let mut request = state.desk(turn).request;
        request.step(event, &self.config, &mut |_| {}) == Outcome::Applied
    }
}

impl Model for KernelModel {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State::new(&self.scenario)]
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
        EDGES.iter().map(|(state, event)| format!("{state} x {event}")).collect()
    }

    fn mark(&self, before: &State, action: &Action, _: &State, hit: &mut dyn FnMut(usize)) {
        let Some((turn, event)) = action.act.event(before, &self.scenario) else { return };
        if self.is_applied(before, turn, event) {
            edge(name_of(before.desk(turn).request.state), kind_of(event)).into_iter().for_each(hit);
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        judgement::properties(&self.scenario)
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(&self.scenario)
    }

    fn is_final(&self, state: &State) -> bool {
        state.wire().open_turns().next().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let providers = (1..=self.scenario.profiles).map(|number| format!("provider {number}"));
        ["task", "request", "driver"].map(str::to_owned).into_iter().chain(providers).collect()
    }

    fn opening(&self, _: &State) -> String {
        "nobody has asked for anything".to_owned()
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
