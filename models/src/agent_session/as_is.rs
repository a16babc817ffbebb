//! The session as it is, in one of its versions, as a model: properties, fairness, and how a step reads.

use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Arrow, Fairness, Model, Property, Told};

use super::Version;
use super::ledger::{Ledger, REQUESTS, RequestIndex, request_name};
use super::properties::{Judged, of_sessions};
use super::sdk::Sdk;
use super::session::Session;
use super::state::{Action, IterableAt, Left, LoopAt, Process, State};

/// A version of the session, its callers, and its SDK.
#[derive(Clone, Debug)]
pub struct AsIs {
    /// Which code it is.
    pub version: Version,
    /// Requests that are made, one after the other or side by side.
    pub requests: RequestIndex,
    /// Requests that may be open at once: each caller awaits one before it makes the next.
    pub callers: u8,
    /// Whether people interrupt while a start is in progress.
    pub early: bool,
    /// How often each thing out of the ordinary may happen.
    pub left: Left,
}

/// The bounds of every variant: name, default, least, most, help.
const BOUNDS: [(&str, u64, u64, u64, &str); 8] = [
    ("requests", 3, 1, REQUESTS as u64, "requests that are made"),
    ("callers", 2, 1, 2, "requests that may be open at once"),
    ("cancels", 1, 0, 2, "tokens that callers cancel"),
    ("aborts", 1, 0, 4, "calls of abort()"),
    ("early", 1, 0, 1, "1 if cancels and aborts may come while a start is in progress"),
    ("failures", 1, 0, 2, "starts that fail"),
    ("exits", 0, 0, 2, "iterators that end without an abort"),
    ("late", 0, 0, 2, "results that aborted iterators give"),
];

impl AsIs {
    /// A version within the bounds of [`AsIs::variant`].
    pub fn new(version: Version, bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            cancels: byte("cancels"),
            aborts: byte("aborts"),
            failures: byte("failures"),
            exits: byte("exits"),
            late: byte("late"),
        };
        let early = bounds.get("early") != 0;
        Self { version, requests: byte("requests"), callers: byte("callers"), early, left }
    }

    /// A variant of the harness, of which every property is expected to hold, with other defaults of some bounds.
    ///
    /// # Panics
    /// A changed default names no bound.
    pub fn variant(
        name: &'static str,
        about: &'static str,
        version: Version,
        defaults: &[(&'static str, u64)],
    ) -> Variant {
        for (changed, _) in defaults {
            assert!(
                BOUNDS.iter().any(|(name, ..)| name == changed),
                "no bound of a session is named {changed}"
            );
        }
        let variant = Variant::new(name, about, move |bounds: &Bounds| Self::new(version, bounds));
        BOUNDS.into_iter().fold(variant, |variant, (name, default, least, most, help)| {
            let changed = defaults.iter().find(|(changed, _)| *changed == name);
            variant.bound(name, changed.map_or(default, |(_, default)| *default), least..=most, help)
        })
    }

    fn session<'a>(&self, state: &State, told: Option<&'a mut Vec<Arrow>>) -> Session<'a> {
        Session { state: *state, version: self.version, told }
    }
}

impl Model for AsIs {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State::new(self.left)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.enabled(state, actions);
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut session = self.session(state, None);
        session.step(*action)?;
        Some(session.state)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        of_sessions()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let mut fair = vec![Fairness::weak("the event loop goes on", |action: &Action| {
            matches!(action, Action::Run | Action::RunAndInvoke)
        })];
        for index in 0..self.requests {
            let iterator = index + 1;
            fair.push(Fairness::weak(format!("the start of iterator {iterator} is over at some time"), move |action| {
                matches!(action, Action::QueryReturns(own) | Action::QueryFails(own) if *own == index)
            }));
            fair.push(Fairness::weak(format!("iterator {iterator} answers"), move |action| {
                *action == Action::Answer(index)
            }));
            fair.push(Fairness::weak(
                format!("the token of {} calls its listener", request_name(index)),
                move |action| *action == Action::Listener(index),
            ));
        }
        fair
    }

    fn is_final(&self, state: &State) -> bool {
        state.ledger.open().next().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let iterators = (1..=self.requests).map(|number| format!("iterator {number}"));
        ["callers".to_owned(), "session".to_owned()].into_iter().chain(iterators).collect()
    }

    fn opening(&self, _: &State) -> String {
        "the session has no iterator, and nobody has asked it for anything".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut arrows = Vec::new();
        if self.session(before, Some(&mut arrows)).step(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = arrows.into_iter();
        let Some(first) = arrows.next() else { unreachable!("every stretch has something to tell") };
        let mut told = Told::new(first.from, first.to, first.text);
        for arrow in arrows {
            told = told.then(arrow.from, arrow.to, arrow.text);
        }
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}

impl Judged for State {
    fn sdk(&self) -> &Sdk {
        &self.sdk
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn unsettled(&self) -> String {
        let Some(request) = self.ledger.open().next() else { return "every invoke has settled".to_owned() };
        let name = request_name(request);
        let Some(generator) = self.shared.generator else {
            return format!("{name} waits, and the session has no iterator");
        };
        let listens = self
            .processes
            .suspended()
            .any(|(_, process, _)| *process == Process::Loop { iterator: generator, at: LoopAt::Listening });
        let prompts = self.processes.suspended().any(|(_, process, _)| match *process {
            Process::Iterable { iterator, at } => iterator == generator && at != IterableAt::Waiting,
            Process::Invoke { .. } | Process::Loop { .. } => false,
        });
        let iterator = generator + 1;
        let why = match (listens, prompts) {
            (false, _) => ", which is over",
            (true, false) => ", which takes no prompts any more",
            (true, true) => "",
        };
        format!("{name} waits for iterator {iterator}{why}")
    }
}

/// The variables, in one line.
fn standing(state: &State) -> String {
    let request =
        |request: Option<RequestIndex>| request.map_or("none".to_owned(), |r| request_name(r).to_string());
    let queue: Vec<String> = state.shared.queue.iter().map(|r| request_name(r).to_string()).collect();
    let generator = state.shared.generator.map_or("none".to_owned(), |iterator| (iterator + 1).to_string());
    format!("gen: {generator}; Q: [{}]; cur: {}", queue.join(", "), request(state.shared.current))
}
