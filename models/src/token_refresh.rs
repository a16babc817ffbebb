//! Credentials with rotating refresh tokens: requests that need an access token, the refreshes that they begin, a store
//! that outlives them, and a server that takes a refresh token once.
//!
//! Three clients as they are, and the single flight for the whole process that the documents ask for. [`request`] and
//! [`refresh`] have their code, one stretch between two `await`s after the other, on [`downbeat_sim::event_loop`]; a
//! *window* is a process of the operating system with an event loop, and all windows share the store. [`server`] is what
//! hands out tokens, [`ledger`] is what is judged: neither knows a client's variables. The stories are in
//! `docs/races/token-refresh.md`.
//!
//! Abstractions: an await that costs microtasks only is a step of its own where several calls wait for one promise, and
//! nowhere else, because nobody else is in the queue then. A call of the API is judged when it arrives, and comes back at
//! once. What a window has sent when it crashes, and the server has not read, is lost. Two writes of one file at once
//! leave the content of the later one. Nobody logs in again. [`kernel`] has the kernel's credential, in a world that does
//! more.

pub mod kernel;
pub mod ledger;
pub mod properties;
pub mod refresh;
pub mod request;
pub mod scene;
pub mod server;
pub mod state;

use downbeat_sim::event_loop::{Await, Pid};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::report::Verdict;

use self::ledger::{Ledger, REQUESTS};
use self::scene::Scene;
use self::server::Server;
use self::state::{
    Action, Call, HANDLERS, Left, PROCESSES, Process, RefreshAt, RequestAt, State, Store, WINDOWS, Window,
    WriteAt,
};

/// Whose code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// No single flight; writes the file in place; after a 401 it refreshes only what its clock finds expired.
    Gemini,
    /// One refresh in flight for each handler; the write is part of it, and a failed one is passed over.
    Qwen,
    /// One refresh in flight for the process; its promise is cleared before the new credential is stored.
    Codex,
    /// The same, and the promise is there until the new credential is stored; meanwhile nobody sends.
    GlobalSingleFlight,
}

impl Client {
    /// Whether it refreshes some time before the expiry.
    pub fn has_buffer(self) -> bool {
        match self {
            Self::Gemini => false,
            Self::Qwen | Self::Codex | Self::GlobalSingleFlight => true,
        }
    }

    /// Whether the store is a file that cannot be read while it is written.
    pub fn blanks_its_store(self) -> bool {
        match self {
            Self::Gemini | Self::Qwen => true,
            Self::Codex | Self::GlobalSingleFlight => false,
        }
    }

    /// How the file comes to be unreadable.
    pub fn words_of_blank(self) -> &'static str {
        match self {
            Self::Gemini => "empties the file, to write it",
            Self::Qwen => "moves the old file away, before the new one",
            Self::Codex | Self::GlobalSingleFlight => "",
        }
    }

    /// The most handlers in a window: one if the credential is of the whole process.
    fn handlers(self) -> u64 {
        match self {
            Self::Gemini | Self::Qwen => HANDLERS as u64,
            Self::Codex | Self::GlobalSingleFlight => 1,
        }
    }
}

/// A client in its windows, with a store and a server.
#[derive(Clone, Copy, Debug)]
pub struct TokenRefresh {
    /// Whose code runs in the windows.
    pub client: Client,
    /// Processes of the operating system.
    pub windows: u8,
    /// Handlers in each.
    pub handlers: u8,
    /// Requests that are made.
    pub requests: u8,
    /// Whether the server may forgive a second use of a refresh token.
    pub has_grace: bool,
    /// What else may happen.
    pub left: Left,
}

/// The bounds that all variants share: name, default, least, most, help.
const BOUNDS: [(&str, u64, u64, u64, &str); 8] = [
    ("requests", 2, 1, REQUESTS as u64, "requests that are made"),
    ("grace", 1, 0, 1, "1 if the server may forgive the second use of a refresh token; it may also not"),
    ("lapses", 1, 0, 2, "times that the access tokens come to their end"),
    ("troubles", 2, 0, 4, "all of refusals, crashes, losses and failures together"),
    ("refusals", 1, 0, 1, "access tokens that the API takes no more, before their time"),
    ("crashes", 1, 0, 2, "windows that crash, and start again"),
    ("losses", 1, 0, 2, "answers to a refresh that get lost"),
    ("failures", 1, 0, 2, "writes to the store that fail"),
];

/// Other defaults of bounds.
type Defaults = &'static [(&'static str, u64)];

const ONE: Defaults = &[("windows", 1), ("handlers", 2)];
const ALONE: Defaults = &[("windows", 1), ("requests", 3)];
/// What takes three requests takes one trouble; with more the space would be ten times as large.
const CODEX: Defaults = &[("windows", 1), ("requests", 3), ("troubles", 1), ("refusals", 0), ("crashes", 0)];
const TWO: Defaults = &[("windows", 2)];

/// Name, about, client, defaults, and what is violated; the first tells the story.
type Trial = (&'static str, &'static str, Client, Defaults, &'static [&'static str]);

/// Every client in one window, and in two with one store, and the kernel's credential in the same places.
pub fn variants() -> Vec<Variant> {
    let all: [Trial; 8] = [
        (
            "gemini",
            "no single flight, one window",
            Client::Gemini,
            ONE,
            &["S15", "S14", "S16", "S17", "login"],
        ),
        (
            "qwen",
            "a single flight for each handler, one window",
            Client::Qwen,
            ONE,
            &["S15", "S14", "S16", "login"],
        ),
        (
            "codex",
            "a single flight that ends before the store, one window",
            Client::Codex,
            CODEX,
            &["S16", "S14", "S15", "login"],
        ),
        (
            "global-single-flight",
            "a single flight until all is stored, one window",
            Client::GlobalSingleFlight,
            ALONE,
            &["S15", "login"],
        ),
        (
            "gemini-two",
            "two windows without any single flight",
            Client::Gemini,
            TWO,
            &["S15", "S14", "S16", "S17", "login"],
        ),
        ("qwen-two", "two windows with a handler each", Client::Qwen, TWO, &["S15", "S14", "S16", "login"]),
        (
            "codex-two",
            "two windows, each with a single flight that ends before the store",
            Client::Codex,
            TWO,
            &["S15", "S14", "S16", "login"],
        ),
        (
            "global-single-flight-two",
            "two windows, each with a single flight until all is stored",
            Client::GlobalSingleFlight,
            TWO,
            &["S15", "S14", "S16", "login"],
        ),
    ];
    all.into_iter().map(variant).chain(kernel::variants()).collect()
}

fn variant((name, about, client, defaults, violated): Trial) -> Variant {
    let default = |bound, usual| {
        let changed = defaults.iter().find(|(changed, _)| *changed == bound);
        changed.map_or(usual, |(_, default)| *default)
    };
    let variant = Variant::new(name, about, move |bounds: &Bounds| TokenRefresh::new(client, bounds));
    let handlers = "handlers in each, with a credential of their own";
    let variant = variant
        .bound("windows", default("windows", 1), 1..=WINDOWS as u64, "processes of the system with one store")
        .bound("handlers", default("handlers", 1), 1..=client.handlers(), handlers);
    let variant = BOUNDS.into_iter().fold(variant, |variant, (name, usual, least, most, help)| {
        variant.bound(name, default(name, usual), least..=most, help)
    });
    let variant = violated.iter().fold(variant, |variant, id| variant.expect(id, Verdict::Violated));
    violated.iter().take(1).fold(variant, |variant, id| variant.headline(id))
}

impl TokenRefresh {
    /// A system within the bounds of [`variants`].
    pub fn new(client: Client, bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            lapses: byte("lapses"),
            troubles: byte("troubles"),
            refusals: byte("refusals"),
            crashes: byte("crashes"),
            losses: byte("losses"),
            failures: byte("failures"),
        };
        Self {
            client,
            windows: byte("windows"),
            handlers: byte("handlers"),
            requests: byte("requests"),
            has_grace: bounds.get("grace") > 0,
            left,
        }
    }

    fn scene(&self, state: &State, told: bool) -> Scene<'_> {
        Scene { system: self, state: *state, window: 0, told: told.then(Vec::new) }
    }

    /// What may happen in a window: the head of the microtask queue, and only if there is none, anything else.
    fn window_actions(&self, state: &State, window: u8, actions: &mut Vec<Action>) {
        let Window { processes, .. } = &state.windows[usize::from(window)];
        if !processes.is_quiet() {
            return actions.push(Action::Run(window));
        }
        let made = state.ledger.made();
        if made < usize::from(self.requests) {
            // Windows and handlers are alike, so that the first request may as well come to the first of them.
            let asks = (0..self.handlers).filter(|handler| made > 0 || (window, *handler) == (0, 0));
            actions.extend(asks.map(|handler| Action::Ask(window, handler)));
        }
        for (pid, process, on) in processes.suspended() {
            if on == Await::External {
                self.answers(state, (window, pid), process, actions);
            }
        }
    }

    /// How what a call awaits may come.
    fn answers(&self, state: &State, (window, pid): (u8, Pid), process: &Process, actions: &mut Vec<Action>) {
        let Left { troubles, losses, failures, .. } = state.left;
        let writes = match *process {
            Process::Request(_, RequestAt::Writing(_, at)) => Some(at),
            Process::Refresh { at: RefreshAt::Writing(_, at), .. } => Some(at),
            Process::Request(..) | Process::Refresh { .. } => None,
        };
        let call = match *process {
            Process::Request(_, RequestAt::Refreshing(token, call)) => Some((token, call)),
            Process::Refresh { token, at: RefreshAt::Calling(call), .. } => Some((token, call)),
            Process::Request(..) | Process::Refresh { .. } => None,
        };
        if self.is_locked_out(state, writes) {
            return;
        }
        actions.push(Action::Fire(window, pid));
        match call {
            Some((token, Call::Sent)) => {
                let forgives = self.has_grace && state.server.is_used(token) && !state.server.is_revoked();
                actions.extend(forgives.then_some(Action::Forgive(window, pid)));
            }
            Some((_, Call::Served(_))) => {
                actions.extend((troubles > 0 && losses > 0).then_some(Action::Lose(window, pid)));
            }
            None => {}
        }
        let fails = troubles > 0 && failures > 0 && writes == Some(WriteAt::Begun);
        actions.extend(fails.then_some(Action::FailWrite(window, pid)));
    }

    /// Whether a write has to wait: one client locks its file, for writers only.
    fn is_locked_out(&self, state: &State, writes: Option<WriteAt>) -> bool {
        let is_locked = state.processes().any(|(_, _, process)| match process {
            Process::Refresh { at: RefreshAt::Writing(_, at), .. } => at == WriteAt::Blanked,
            Process::Request(..) | Process::Refresh { .. } => false,
        });
        self.client == Client::Qwen && writes == Some(WriteAt::Begun) && is_locked
    }
}

impl Model for TokenRefresh {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            windows: [Window::NEW; WINDOWS],
            store: Store::Holds(0),
            server: Server::FIRST,
            ledger: Ledger::EMPTY,
            left: self.left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for window in 0..self.windows {
            self.window_actions(state, window, actions);
        }
        // When every request that will be is over, nobody looks at the tokens any more.
        if state.ledger.made() == usize::from(self.requests) && state.ledger.open().next().is_none() {
            return;
        }
        let Left { lapses, troubles, refusals, crashes, .. } = state.left;
        let mut server = state.server;
        actions.extend((lapses > 0 && server.lapse()).then_some(Action::Lapse));
        server = state.server;
        actions.extend(server.expire().then_some(Action::Expire));
        actions.extend((troubles > 0 && refusals > 0 && server.refuse()).then_some(Action::Refuse));
        let has_work = |window: &u8| state.windows[usize::from(*window)] != Window::NEW;
        if troubles > 0 && crashes > 0 {
            actions.extend((0..self.windows).filter(has_work).map(Action::Crash));
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
        properties::of_credentials()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let mut fair = Vec::new();
        for window in 0..self.windows {
            let number = window + 1;
            fair.push(Fairness::weak(
                format!("the event loop of window {number} goes on"),
                move |action: &Action| *action == Action::Run(window),
            ));
            fair.extend((0..PROCESSES).map(|slot| {
                let name = format!("what process {slot} of window {number} awaits comes");
                Fairness::weak(name, move |action: &Action| match *action {
                    Action::Fire(own, pid)
                    | Action::Forgive(own, pid)
                    | Action::Lose(own, pid)
                    | Action::FailWrite(own, pid) => own == window && pid.index() == slot,
                    Action::Ask(..)
                    | Action::Run(_)
                    | Action::Lapse
                    | Action::Expire
                    | Action::Refuse
                    | Action::Crash(_) => false,
                })
            }));
        }
        fair
    }

    fn is_final(&self, state: &State) -> bool {
        state.ledger.open().next().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let windows = (1..=self.windows).map(|number| format!("window {number}"));
        windows.chain(["store", "server"].map(str::to_owned)).collect()
    }

    fn opening(&self, _: &State) -> String {
        "credential 1 is in the store, and in nobody's memory".to_owned()
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
        let (was, is) = (self.standing(before), self.standing(after));
        if was == is { told } else { told.change(is) }
    }
}

impl TokenRefresh {
    /// Where credentials are, in one line.
    fn standing(&self, state: &State) -> String {
        let store = match state.store {
            Store::Holds(credential) => (credential + 1).to_string(),
            Store::Blank => "unreadable".to_owned(),
            Store::Deleted => "deleted".to_owned(),
        };
        let windows = state.windows.iter().take(usize::from(self.windows));
        let memory: Vec<String> = windows
            .flat_map(|window| window.handlers.iter().take(usize::from(self.handlers)))
            .map(|handler| {
                handler.memory.map_or("none".to_owned(), |credential| (credential + 1).to_string())
            })
            .collect();
        let revoked = if state.server.is_revoked() { "; revoked" } else { "" };
        format!("store: {store}; memory: {}{revoked}", memory.join(", "))
    }
}
