//! The gateway, the orchestrators, the manager and the agents as they are designed.
//!
//! [`orchestrator`] is a service in two instances, [`manager`] has the book of agents, [`agent`] lives in a container.
//! Each handler does one thing at a time: it reads, or writes one record, or sends one message, or does something to a
//! container. Anything may happen between any two of these, and a crash ends the handler where it stands. An orchestrator
//! that waits for an agent goes on with other things. Messages arrive in any order, twice, or not at all. What the design
//! does not say it does not have: no lease, no timeout, no compare before a write, no attempt in a name. The one thing
//! that is added is somebody who takes an agent for dead ([`Action::Suspect`]), as the first answer to agents that die
//! would be.
//!
//! All tasks are of one user. Abstractions: a store answers at once, and so does the channel to the user; what an
//! orchestrator reads and what follows from it at once is one step; a person answers a question once.

pub mod agent;
mod environment;
mod judgement;
pub mod manager;
pub mod orchestrator;
pub mod scene;
pub mod state;

use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::report::Verdict;

use self::scene::Scene;
use self::state::{AGENTS, Action, Left, ORCHESTRATORS, OrchestratorIndex, REQUESTS, State};
use super::ledger::{AgentIndex, TASKS, TaskIndex};

/// A system within some bounds.
#[derive(Clone, Copy, Debug)]
pub struct AsIs {
    /// Tasks that wait at the beginning.
    pub tasks: TaskIndex,
    /// Requests of the user, each for one task more.
    pub requests: u8,
    /// Instances of the orchestrator.
    pub orchestrators: OrchestratorIndex,
    /// Agents that are idle at the beginning. So many more may be ordered as there is room for.
    pub agents: AgentIndex,
    /// Tasks that the user may have at once.
    pub quota: u8,
    /// Questions that agents ask.
    pub questions: u8,
    /// Whether agents may be ordered.
    pub provisions: bool,
    /// What else may happen.
    pub left: Left,
}

/// The bounds of every variant: name, default, least, most, help.
const BOUNDS: [(&str, u64, u64, u64, &str); 16] = [
    ("tasks", 1, 0, 2, "tasks that wait at the beginning"),
    ("requests", 0, 0, REQUESTS as u64, "requests of the user, each for one task more"),
    ("orchestrators", 2, 1, ORCHESTRATORS as u64, "instances of the orchestrator"),
    ("agents", 2, 0, AGENTS as u64, "agents that are idle at the beginning"),
    ("quota", TASKS as u64, 1, TASKS as u64, "tasks that the user may have at once"),
    ("questions", 0, 0, 2, "questions that agents ask"),
    ("troubles", 1, 0, 4, "all of what follows together"),
    ("losses", 1, 0, 2, "messages that get lost"),
    ("duplicates", 1, 0, 2, "messages that arrive twice"),
    ("crashes", 1, 0, 2, "processes that crash and start again"),
    ("cancels", 1, 0, 1, "cancels of the user"),
    ("deaths", 1, 0, 1, "agents that die without a word"),
    ("suspicions", 1, 0, 1, "agents that are taken for dead"),
    ("removals", 1, 0, 1, "idle agents that are removed"),
    ("retries", 1, 0, 1, "questions and requests that are made again because no answer came"),
    ("provisioning", 0, 0, 1, "1 if agents may be ordered"),
];

/// Other defaults of bounds.
type Defaults = &'static [(&'static str, u64)];

/// Name, about, defaults, and what is violated; the first tells the story.
type Trial = (&'static str, &'static str, Defaults, &'static [&'static str]);

/// Each trial leaves out what it is not about, so that its states can be held.
const TRIALS: [Trial; 7] = [
    (
        "as-is",
        "one task, two agents, and any one trouble",
        &[],
        &["S20", "S7", "S18", "S19", "S21", "S24", "recorded", "gone", "deadlock", "L1", "L4"],
    ),
    (
        "as-is-cancel",
        "one task, one agent, a cancel, and one trouble more",
        &[
            ("orchestrators", 1),
            ("agents", 1),
            ("troubles", 2),
            ("duplicates", 0),
            ("suspicions", 0),
            ("removals", 0),
            ("retries", 0),
        ],
        &["L2", "S7", "S19", "S21", "S24", "recorded", "deadlock", "L1", "L4"],
    ),
    (
        "as-is-two",
        "two tasks for one agent, and any one trouble but a cancel and a suspicion",
        &[("tasks", 2), ("agents", 1), ("cancels", 0), ("suspicions", 0)],
        &["S23", "S7", "S18", "S20", "recorded", "gone", "deadlock", "L1"],
    ),
    (
        "as-is-questions",
        "a task that asks, and any one trouble",
        &[("questions", 2), ("agents", 1)],
        &["orphan", "S6", "S7", "S18", "S19", "S21", "S24", "recorded", "gone", "deadlock", "L1", "L4"],
    ),
    (
        "as-is-requests",
        "two requests, and room for one, and a message that is lost or an agent that dies",
        &[
            ("tasks", 0),
            ("requests", 2),
            ("quota", 1),
            ("agents", 1),
            ("duplicates", 0),
            ("crashes", 0),
            ("cancels", 0),
            ("suspicions", 0),
            ("removals", 0),
            ("retries", 0),
        ],
        &["S22", "S7", "S18", "S23", "deadlock", "L1"],
    ),
    (
        "as-is-retries",
        "a request whose answer is lost or slow",
        &[
            ("tasks", 0),
            ("requests", 1),
            ("orchestrators", 1),
            ("duplicates", 0),
            ("crashes", 0),
            ("cancels", 0),
            ("deaths", 0),
            ("suspicions", 0),
            ("removals", 0),
        ],
        &["S18", "S7", "deadlock", "L1", "L4"],
    ),
    (
        "as-is-provisioning",
        "agents that have to be ordered, and any one trouble",
        &[("agents", 0), ("provisioning", 1)],
        &["leak", "S7", "S18", "S19", "S20", "S21", "S24", "recorded", "gone", "deadlock", "L1", "L4"],
    ),
];

/// The design, with few troubles at a time.
pub fn variants() -> Vec<Variant> {
    TRIALS.into_iter().map(variant).collect()
}

fn variant((name, about, defaults, violated): Trial) -> Variant {
    let variant = Variant::new(name, about, AsIs::new);
    let variant = BOUNDS.into_iter().fold(variant, |variant, (name, usual, least, most, help)| {
        let changed = defaults.iter().find(|(changed, _)| *changed == name);
        variant.bound(name, changed.map_or(usual, |(_, default)| *default), least..=most, help)
    });
    let variant = violated.iter().fold(variant, |variant, id| variant.expect(id, Verdict::Violated));
    violated.iter().take(1).fold(variant, |variant, id| variant.headline(id))
}

impl AsIs {
    /// A system within the bounds of [`variants`].
    pub fn new(bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            troubles: byte("troubles"),
            losses: byte("losses"),
            duplicates: byte("duplicates"),
            crashes: byte("crashes"),
            cancels: byte("cancels"),
            deaths: byte("deaths"),
            suspicions: byte("suspicions"),
            removals: byte("removals"),
            retries: byte("retries"),
        };
        // What can happen no more is equal, whatever its own bound says.
        let left = if left.troubles == 0 { Left::NONE } else { left };
        Self {
            tasks: byte("tasks"),
            requests: byte("requests"),
            orchestrators: byte("orchestrators"),
            agents: byte("agents"),
            quota: byte("quota"),
            questions: byte("questions"),
            provisions: bounds.get("provisioning") > 0,
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
        vec![State::new(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.enabled(state, actions);
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
        self.judged()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness()
    }

    fn is_final(&self, state: &State) -> bool {
        state.is_settled()
    }

    fn lanes(&self) -> Vec<String> {
        ["user", "orchestrator 1", "orchestrator 2", "manager", "agent 1", "agent 2"]
            .map(str::to_owned)
            .into()
    }

    fn opening(&self, state: &State) -> String {
        state.standing()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut scene = self.scene(before, true);
        if scene.step(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = scene.told.into_iter().flatten();
        let Some(first) = arrows.next() else { unreachable!("every step has something to tell") };
        let told = Told::new(first.from, first.to, first.text);
        let told = arrows.fold(told, |told, arrow| told.then(arrow.from, arrow.to, arrow.text));
        let (was, is) = (before.standing(), after.standing());
        if was == is { told } else { told.change(is) }
    }
}
