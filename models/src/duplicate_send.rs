//! One question to a model, and how often it goes over the network: retries in three layers, replays after a refresh,
//! continuity between turns, failover to another profile, fallback to another way of sending.
//!
//! Six handlers as they are, each of which breaks its promises in another way, one that does not send twice, and the
//! kernel's request in the same hands. [`layers`] has the code between a task and the network, one stretch between two
//! `await`s after the other; [`wire`] is what goes out and comes in, and is what is judged: it knows no client's
//! variables. The stories are in `docs/races/duplicate-send.md`.
//!
//! Abstractions: one event loop, in which an await that costs microtasks only is no step of its own. A piece of a stream is
//! its first text, or its end. A task gives up after so many tries of its own, which the real ones do not; what it throws
//! away when it tries again is as if it had not gone out. A provider that has begun to work wants to be paid.

pub mod kernel;
pub mod layers;
pub mod properties;
pub mod scene;
pub mod state;
pub mod wire;

use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::report::Verdict;

use self::properties::Judged as _;
use self::scene::Scene;
use self::state::{Action, At, Handler, Left, Refusal, State};
use self::wire::{PROFILES, TURNS, TurnIndex, Wire, turn_name};

/// Whose code sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// A handler that does nothing but send, over a library that tries again.
    LayeredRetries,
    /// A handler that refreshes its token after a 401, and sends again.
    RefreshRetry,
    /// A handler that continues from the last response, and sends the full input if that is lost.
    Continuing,
    /// The same, which falls back to a request of its own after any other error.
    Native,
    /// A handler of several profiles, of which one is active.
    Failover,
    /// A handler that fetches the description of the model, and asks afterwards what the send has cost.
    RepeatedFetch,
}

/// A client with its providers.
#[derive(Clone, Copy, Debug)]
pub struct AsIs {
    /// Whose code it is.
    pub client: Client,
    /// Turns that are begun, at any time.
    pub turns: u8,
    /// Tries of a task, and sends that a turn may have in all.
    pub attempts: u8,
    /// How often the library tries again.
    pub retries: u8,
    /// Profiles that there are.
    pub profiles: u8,
    /// Whether there is a response to continue from.
    pub continues: bool,
    /// What else may happen.
    pub left: Left,
}

impl Left {
    /// Nothing may happen any more.
    pub const NONE: Self = Self {
        troubles: 0,
        throttles: 0,
        refusals: 0,
        keeps: 0,
        losses: 0,
        outages: 0,
        delays: 0,
        breaks: 0,
        cancels: 0,
        switches: 0,
    };
}

/// The bounds that all as-is variants share: name, default, least, most, help.
const BOUNDS: [(&str, u64, u64, u64, &str); 15] = [
    ("turns", 1, 1, TURNS as u64, "turns that are begun, at any time"),
    ("attempts", 2, 1, 3, "tries of a task, and sends that a turn may have in all layers together"),
    ("retries", 0, 0, 2, "how often the library tries again"),
    ("profiles", 1, 1, PROFILES as u64, "profiles that there are"),
    ("continues", 0, 0, 1, "1 if there is a response to continue from"),
    ("troubles", 3, 0, 4, "all of the next eight together"),
    ("throttles", 0, 0, 3, "sends for which the provider asks for patience (429)"),
    ("refusals", 0, 0, 3, "sends that are refused for their token (401)"),
    ("keeps", 0, 0, 2, "refreshes that bring the token that is there, because the clock finds it good"),
    ("losses", 0, 0, 2, "sends whose previous response is lost (400)"),
    ("outages", 0, 0, 3, "sends that are refused by a provider in trouble (503)"),
    ("delays", 0, 0, 3, "sends that a provider works on, and whose answer does not come in time"),
    ("breaks", 0, 0, 3, "streams that break in the middle"),
    ("switches", 0, 0, 2, "switches of the active profile by another call"),
    ("cancels", 1, 0, 2, "turns that are cancelled"),
];

/// Other defaults of bounds.
type Defaults = &'static [(&'static str, u64)];

/// Name, about, client, defaults, and what is violated; the first tells the story.
type Trial = (&'static str, &'static str, Client, Defaults, &'static [&'static str]);

const TRIALS: [Trial; 6] = [
    (
        "layered-retries",
        "a library that tries again twice, below a task that tries again",
        Client::LayeredRetries,
        &[("retries", 2), ("throttles", 3), ("outages", 3), ("delays", 3), ("breaks", 1)],
        &["S2", "S19", "paid", "waits"],
    ),
    (
        "refresh-retry",
        "a handler that sends again after a refresh, below a task that tries again",
        Client::RefreshRetry,
        &[("refusals", 3), ("keeps", 1), ("outages", 1), ("breaks", 1)],
        &["S17", "S2", "S19"],
    ),
    (
        "continuity-race",
        "two turns that continue from the last response of one handler",
        Client::Continuing,
        &[("turns", 2), ("continues", 1), ("losses", 2), ("outages", 2), ("delays", 1), ("cancels", 0)],
        &["continuity", "S2"],
    ),
    (
        "failover-without-cancel",
        "a handler that goes to another profile, and leaves the old stream open",
        Client::Failover,
        &[("profiles", 2), ("throttles", 1), ("outages", 1), ("breaks", 2), ("switches", 1)],
        &["S1", "S18", "S19", "paid", "charged"],
    ),
    (
        "repeated-fetch",
        "a handler that describes the model twice before each send, and asks twice what it has cost",
        Client::RepeatedFetch,
        &[("throttles", 1), ("outages", 1), ("delays", 1), ("breaks", 1)],
        &["metadata", "S19"],
    ),
    (
        "fallback-path",
        "a handler that sends in another way after any error",
        Client::Native,
        &[("throttles", 1), ("outages", 2), ("delays", 2), ("breaks", 2)],
        &["S18", "S2", "S19", "paid", "waits"],
    ),
];

/// Every client, with what the checker found about it, and the kernel's request in the same hands.
pub fn variants() -> Vec<Variant> {
    TRIALS.into_iter().map(variant).chain(kernel::variants()).collect()
}

fn variant((name, about, client, defaults, violated): Trial) -> Variant {
    let variant = Variant::new(name, about, move |bounds: &Bounds| AsIs::new(client, bounds));
    let variant = BOUNDS.into_iter().fold(variant, |variant, (name, usual, least, most, help)| {
        let changed = defaults.iter().find(|(changed, _)| *changed == name);
        variant.bound(name, changed.map_or(usual, |(_, default)| *default), least..=most, help)
    });
    let variant = violated.iter().fold(variant, |variant, id| variant.expect(id, Verdict::Violated));
    violated.iter().take(1).fold(variant, |variant, id| variant.headline(id))
}

impl AsIs {
    /// A system within the bounds of [`variants`].
    pub fn new(client: Client, bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            troubles: byte("troubles"),
            throttles: byte("throttles"),
            refusals: byte("refusals"),
            keeps: byte("keeps"),
            losses: byte("losses"),
            outages: byte("outages"),
            delays: byte("delays"),
            breaks: byte("breaks"),
            cancels: byte("cancels"),
            switches: byte("switches"),
        };
        Self {
            client,
            turns: byte("turns"),
            attempts: byte("attempts"),
            retries: byte("retries"),
            profiles: byte("profiles"),
            continues: bounds.get("continues") > 0,
            left,
        }
    }

    fn scene(&self, state: &State, told: bool) -> Scene<'_> {
        Scene { system: self, state: *state, told: told.then(Vec::new) }
    }
}

impl Model for AsIs {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            calls: [None; TURNS],
            handler: Handler {
                active: Some(0),
                cooling: 0,
                last: self.continues.then_some(0),
                is_pending: false,
                token: 1,
            },
            wire: Wire::EMPTY,
            left: self.left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.wire.turns().count() < usize::from(self.turns) {
            actions.push(Action::Ask);
        }
        for turn in 0..self.turns {
            answers(state, turn, actions);
        }
        actions.extend(state.unread().map(Action::RunOut));
        let Left { troubles, switches, .. } = state.left;
        if troubles > 0 && switches > 0 && state.wire.open_turns().next().is_some() {
            actions.push(Action::Switch);
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut scene = self.scene(state, false);
        scene.step(*action)?;
        Some(scene.state)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let Left { refusals, throttles, cancels, .. } = self.left;
        properties::of_senders(|id| match id {
            "S17" => refusals > 0,
            "S19" | "L2" => cancels > 0,
            "waits" => throttles > 0,
            "continuity" => self.continues,
            "metadata" => self.client == Client::RepeatedFetch,
            _ => true,
        })
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let comes = (0..self.turns).map(|turn| {
            let name = format!("what the call of turn {} awaits comes", turn_name(turn));
            Fairness::weak(name, move |action: &Action| match *action {
                Action::Fire(own)
                | Action::Refuse(own, _)
                | Action::TimeOut(own)
                | Action::Break(own)
                | Action::KeepToken(own) => own == turn,
                Action::Ask | Action::Cancel(_) | Action::Switch | Action::RunOut(_) => false,
            })
        });
        comes.collect()
    }

    fn is_final(&self, state: &State) -> bool {
        state.wire.open_turns().next().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let providers = (1..=self.profiles).map(|number| match self.profiles {
            1 => "provider".to_owned(),
            _ => format!("provider {number}"),
        });
        ["task", "handler"].map(str::to_owned).into_iter().chain(providers).collect()
    }

    fn opening(&self, _: &State) -> String {
        match (self.client, self.continues) {
            (Client::Continuing | Client::Native, true) => "the last response of the handler is 0".to_owned(),
            (Client::Failover, _) => "provider 1 is active".to_owned(),
            (
                Client::LayeredRetries
                | Client::RefreshRetry
                | Client::Continuing
                | Client::Native
                | Client::RepeatedFetch,
                _,
            ) => "nothing is under way".to_owned(),
        }
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut scene = self.scene(before, true);
        if scene.step(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = scene.told.into_iter().flatten();
        let Some(first) = arrows.next() else { unreachable!("every stretch has something to tell") };
        let told = Told::new(first.from, first.to, first.text);
        let told = arrows.fold(told, |told, arrow| told.then(arrow.from, arrow.to, arrow.text));
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}

/// Which streams are open, in one line.
fn standing(state: &State) -> String {
    let open = state.wire().sends().filter(|(_, sent)| sent.is_open());
    let open: Vec<String> = open.map(|(send, _)| (send + 1).to_string()).collect();
    if open.is_empty() { "open: none".to_owned() } else { format!("open: send {}", open.join(" and send ")) }
}

/// How what the call of a turn awaits may come.
fn answers(state: &State, turn: TurnIndex, actions: &mut Vec<Action>) {
    let Some((call, at)) = state.call(turn) else { return };
    let left = state.left;
    let mut may = |is_left: u8, action| actions.extend((left.troubles > 0 && is_left > 0).then_some(action));
    match at {
        At::Requested(_) => {
            may(left.throttles, Action::Refuse(turn, Refusal::Throttled));
            may(left.refusals, Action::Refuse(turn, Refusal::Unauthorized));
            let losses = if call.from.is_some() { left.losses } else { 0 };
            may(losses, Action::Refuse(turn, Refusal::ContinuityLost));
            may(left.outages, Action::Refuse(turn, Refusal::Unavailable));
            may(left.delays, Action::TimeOut(turn));
        }
        At::Reading(_) => may(left.breaks, Action::Break(turn)),
        At::Refreshing => may(left.keeps, Action::KeepToken(turn)),
        At::Fetching(_)
        | At::Adjusting
        | At::AwaitingResponse
        | At::Pausing
        | At::Cooling
        | At::Polling(..)
        | At::Counting => {}
    }
    actions.push(Action::Fire(turn));
    let is_cancelled = state.wire.turn(turn).is_cancelled;
    actions.extend((left.cancels > 0 && !is_cancelled).then_some(Action::Cancel(turn)));
}
