//! The kernel's credential in each window, with the same requests, the same server, and one store for all.
//!
//! A window is a process of the operating system: the credential that it keeps, and a driver that does what
//! `docs/credential.md` says that a driver owes. Each step is one event: a request, what the store, the server or the API
//! does, an answer, a timer, something that comes late or twice, or what a person does. The credential takes it, and
//! its orders go out in their order. A crash may come between any two of them, or at rest; then the window is down until
//! it starts again, and has the credential repeat what is outstanding (`resync`).
//!
//! What is on record survives a crash: the credential, who waits for it, and the text of a new credential that is not in
//! the store yet. `Settle` is no order: whoever made the request takes it in the step that makes it.
//!
//! Abstractions: a read of the store is one instant, so that what it says is true when it comes; a write may be done at
//! any moment after its order, also when nobody waits for it any more. A call of the API is judged when it arrives, and one
//! that a crash cut off is made again under the same token. A person who logs in ends the family of tokens before.

mod act;
mod environment;
mod judgement;
mod late;
mod orders;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod words;

use downbeat_kernel::Config;
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};

use super::ledger::REQUESTS;
use super::properties::Judged as _;
use super::state::WINDOWS;
use act::{Act, Action, edge_of, edges};
use state::State;
use step::Step;

/// What may happen, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Processes with one store.
    pub windows: u8,
    /// Requests that are made, in any window.
    pub requests: u8,
    /// How many may wait for one credential at once.
    pub room: u8,
    /// Waits before those who wait are told that it failed.
    pub waits: u8,
    /// Whether the server may forgive a second use of a refresh token.
    pub has_grace: bool,
    /// How often each thing out of the ordinary may happen.
    pub left: Left,
}

/// How often each thing out of the ordinary may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Times that the access tokens come to their end.
    pub lapses: u8,
    /// Access tokens that the API takes no more, before their time.
    pub refusals: u8,
    /// Logins of a person.
    pub logins: u8,
    /// Logouts of a person, and credentials that one takes back at the server.
    pub revocations: u8,
    /// Crashes of a window, at rest or between two orders.
    pub crashes: u8,
    /// Refreshes that the server grants and nobody hears of. S15 rests on there being none.
    pub unheard: u8,
    /// Claims that end although the token is in use, or what it brought is not stored. S14 and S15 rest on there being none.
    pub early: u8,
    /// Crashes that lose the text of a credential that is not stored. S15 rests on there being none.
    pub texts: u8,
}

impl Left {
    /// Nothing out of the ordinary.
    pub const NONE: Self = Self {
        lapses: 0,
        refusals: 0,
        logins: 0,
        revocations: 0,
        crashes: 0,
        unheard: 0,
        early: 0,
        texts: 0,
    };
}

/// One process, and nobody logs in or out.
const ONE: Scenario = Scenario {
    windows: 1,
    requests: 3,
    room: 2,
    waits: 2,
    has_grace: false,
    left: Left { lapses: 1, refusals: 1, crashes: 1, ..Left::NONE },
};

/// Two processes with one store.
const TWO: Scenario = Scenario { windows: 2, requests: 2, waits: 1, ..ONE };

/// Every variant: name, about, scenario, and what a deep search has more of.
const VARIANTS: [(&str, &str, Scenario, Deep); 4] = [
    (
        "kernel",
        "the credential of the kernel, one window",
        ONE,
        &[("crashes", 2), ("lapses", 2), ("room", 3)],
    ),
    (
        "kernel-login",
        "the same, and a person logs in and out",
        Scenario { requests: 2, waits: 1, left: Left { logins: 1, revocations: 1, ..ONE.left }, ..ONE },
        &[("requests", 3)],
    ),
    (
        "kernel-two",
        "two windows, each with the credential of the kernel",
        TWO,
        &[("requests", 3), ("waits", 2)],
    ),
    (
        "kernel-two-login",
        "the same, and a person logs in",
        Scenario { left: Left { logins: 1, crashes: 0, ..TWO.left }, ..TWO },
        &[("crashes", 1), ("revocations", 1)],
    ),
];

/// Greater values of bounds.
type Deep = &'static [(&'static str, u64)];

/// The credential that ships, of which every property is expected to hold.
pub fn variants() -> impl Iterator<Item = Variant> {
    VARIANTS
        .into_iter()
        .map(|(name, about, scenario, deep)| variant(name, about, scenario).deep(deep.iter().copied()))
}

fn variant(name: &'static str, about: &'static str, scenario: Scenario) -> Variant {
    let build = |bounds: &Bounds| KernelModel::new(Scenario::within(bounds));
    let Scenario { windows, requests, room, waits, has_grace, left } = scenario;
    let most = REQUESTS as u64;
    Variant::new(name, about, build)
        .bound("windows", windows.into(), 1..=WINDOWS as u64, "processes of the system with one store")
        .bound("requests", requests.into(), 1..=most, "requests that are made")
        .bound("room", room.into(), 1..=most, "requests that may wait for one credential at once")
        .bound("waits", waits.into(), 1..=3, "waits before those who wait are told that it failed")
        .bound(
            "grace",
            has_grace.into(),
            0..=1,
            "1 if the server may forgive the second use of a refresh token, which takes unheard, early or texts",
        )
        .bound("lapses", left.lapses.into(), 0..=2, "times that the access tokens come to their end")
        .bound(
            "refusals",
            left.refusals.into(),
            0..=1,
            "access tokens that the API takes no more, before their time",
        )
        .bound("logins", left.logins.into(), 0..=1, "logins of a person")
        .bound(
            "revocations",
            left.revocations.into(),
            0..=1,
            "logouts, and credentials taken back at the server",
        )
        .bound("crashes", left.crashes.into(), 0..=2, "crashes of a window, at rest or between two orders")
        .bound(
            "unheard",
            left.unheard.into(),
            0..=2,
            "refreshes that are granted and nobody hears of; S15 rests on 0",
        )
        .bound(
            "early",
            left.early.into(),
            0..=2,
            "claims that end before what they are for is stored; S14, S15 rest on 0",
        )
        .bound(
            "texts",
            left.texts.into(),
            0..=1,
            "crashes that lose a credential before it is stored; S15 rests on 0",
        )
}

impl Scenario {
    fn within(bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            lapses: byte("lapses"),
            refusals: byte("refusals"),
            logins: byte("logins"),
            revocations: byte("revocations"),
            crashes: byte("crashes"),
            unheard: byte("unheard"),
            early: byte("early"),
            texts: byte("texts"),
        };
        Self {
            windows: byte("windows"),
            requests: byte("requests"),
            room: byte("room"),
            waits: byte("waits"),
            has_grace: bounds.get("grace") > 0,
            left,
        }
    }
}

/// The closed system of one scenario.
#[derive(Clone)]
pub struct KernelModel {
    scenario: Scenario,
    config: Config,
}

impl KernelModel {
    /// A system whose credentials are those that ship.
    pub fn new(scenario: Scenario) -> Self {
        let config = Config {
            waiters_max: scenario.room.into(),
            credential_waits_max: scenario.waits,
            ..Config::default()
        };
        Self { scenario, config }
    }

    /// The same system with a fault planted in its credentials.
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
        edges().map(|(state, event)| format!("{state} x {event}")).collect()
    }

    fn mark(&self, before: &State, action: &Action, _: &State, hit: &mut dyn FnMut(usize)) {
        edge_of(self, before, action.act).into_iter().for_each(hit);
    }

    fn properties(&self) -> Vec<Property<Self>> {
        judgement::properties()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(&self.scenario)
    }

    fn is_final(&self, state: &State) -> bool {
        state.ledger().open().next().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let windows = (1..=self.scenario.windows).map(|number| format!("window {number}"));
        windows.chain(["store", "server"].map(str::to_owned)).collect()
    }

    fn opening(&self, _: &State) -> String {
        "credential 1 is in the store, and no window knows of it".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut arrows = Vec::new();
        let mut step = Step { state: *before, model: self, told: Some(&mut arrows) };
        if step.take(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = arrows.into_iter();
        let Some(first) = arrows.next() else { unreachable!("every act has something to tell") };
        let told = arrows.fold(Told::new(first.from, first.to, first.text), |told, arrow| {
            told.then(arrow.from, arrow.to, arrow.text)
        });
        let standing = |state: &State| words::standing(&self.scenario, state);
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}
