//! How the end of a task comes back from an agent, and what a report must name.
//!
//! [`orchestrator`] books an agent for a task, sends the details, reads the report of the end, acknowledges it and
//! releases the agent: each is a step of its own, since an `await` lies between any two. [`agent`] takes what it is
//! sent, works, and reports. The links are first in, first out; one that carries reports may lose them.
//!
//! The design sends a report once. With a repeat until it is acknowledged none is lost, but one may come twice,
//! and the second copy comes when the agent is busy with something else. What that does depends on what a report
//! names ([`Names`]). The stories are in `docs/races/agent-reports.md`.
//!
//! One orchestrator, which does not crash, is the task store and the agent manager too. Details and
//! acknowledgements are not lost: for the orchestrator, a lost acknowledgement looks like a repeat that came too early.

pub mod agent;
pub mod footprints;
pub mod orchestrator;
pub mod state;
pub mod telling;

use std::ops::Range;

use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::reduction::Processes;
use downbeat_sim::report::Verdict;

use self::agent::Agent;
use self::orchestrator::{Booking, Record};
use self::state::{AGENTS, Action, AgentIndex, Job, Outcome, Process, State, TASKS, TaskIndex};

/// What a report and its acknowledgement say they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Nothing: it is about whatever the agent is booked for.
    Nothing,
    /// The task.
    Task,
    /// The task and its attempt.
    TaskAndAttempt,
}

/// A system of one orchestrator and some agents.
#[derive(Clone, Debug)]
pub struct Reports {
    /// Whether an agent repeats a report until it is acknowledged.
    pub repeats_until_acknowledged: bool,
    /// What a report names.
    pub names: Names,
    /// Agents.
    pub agents: AgentIndex,
    /// Tasks, all submitted at the beginning.
    pub tasks: TaskIndex,
    /// Steps of the work on a task before it ends.
    pub work: u8,
    /// Times that one report may be repeated.
    pub repeats: u8,
    /// Reports that each link may lose.
    pub losses: u8,
    /// Tasks whose first attempt may fail: those with the lowest numbers.
    pub failures: TaskIndex,
}

/// The report as designed, with repeats, and with two kinds of name.
///
/// The fix is put to a third agent, so that a task may be tried again elsewhere while two others work.
pub fn variants() -> Vec<Variant> {
    let all = [
        Trial {
            name: "as-is",
            about: "a report is sent once",
            repeats_until_acknowledged: false,
            names: Names::Nothing,
            agents: 2,
            violated: &["deadlock", "L1"],
            headline: Some("deadlock"),
        },
        Trial {
            name: "repeated",
            about: "a report is repeated until it is acknowledged, and names nothing",
            repeats_until_acknowledged: true,
            names: Names::Nothing,
            agents: 2,
            violated: &["S11", "S18", "S20", "deadlock", "L1"],
            headline: Some("S11"),
        },
        Trial {
            name: "names-task",
            about: "a report is repeated, and names its task",
            repeats_until_acknowledged: true,
            names: Names::Task,
            agents: 2,
            violated: &["S11", "S18", "S20", "deadlock", "L1"],
            headline: Some("S20"),
        },
        Trial {
            name: "names-attempt",
            about: "a report is repeated, and names its task and its attempt",
            repeats_until_acknowledged: true,
            names: Names::TaskAndAttempt,
            agents: 3,
            violated: &[],
            headline: None,
        },
    ];
    all.into_iter().map(Trial::variant).collect()
}

/// One system, and what is expected of it.
struct Trial {
    name: &'static str,
    about: &'static str,
    repeats_until_acknowledged: bool,
    names: Names,
    agents: u64,
    violated: &'static [&'static str],
    /// The violation that tells the story.
    headline: Option<&'static str>,
}

impl Trial {
    fn variant(self) -> Variant {
        let (repeats_until_acknowledged, names) = (self.repeats_until_acknowledged, self.names);
        let variant = Variant::new(self.name, self.about, move |bounds: &Bounds| {
            Reports::new(repeats_until_acknowledged, names, bounds)
        });
        let variant = variant.bound("agents", self.agents, 1..=AGENTS as u64, "agents");
        let variant = BOUNDS.into_iter().fold(variant, |variant, (name, default, least, most, help)| {
            variant.bound(name, default, least..=most, help)
        });
        let violated = |variant: Variant, id: &&'static str| variant.expect(id, Verdict::Violated);
        let variant = self.violated.iter().fold(variant, violated);
        match self.headline {
            Some(id) => variant.headline(id),
            None => variant,
        }
    }
}

/// The other bounds of every variant: name, default, least, most, help.
const BOUNDS: [(&str, u64, u64, u64, &str); 5] = [
    ("tasks", 2, 1, TASKS as u64, "tasks, all submitted at the beginning"),
    ("work", 4, 1, 8, "steps of the work on a task"),
    ("repeats", 1, 0, 2, "times that one report may be repeated"),
    ("losses", 1, 0, 2, "reports that each link may lose"),
    ("failures", 1, 0, TASKS as u64, "tasks whose first attempt may fail"),
];

impl Reports {
    /// A system within the bounds of [`variants`].
    pub fn new(repeats_until_acknowledged: bool, names: Names, bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        Self {
            repeats_until_acknowledged,
            names,
            agents: byte("agents"),
            tasks: byte("tasks"),
            work: byte("work"),
            repeats: byte("repeats"),
            losses: byte("losses"),
            failures: byte("failures"),
        }
    }

    /// The agents by their index.
    pub fn agents(&self) -> Range<AgentIndex> {
        0..self.agents
    }

    /// Whether the work on a job may fail.
    pub fn may_fail(&self, job: Job) -> bool {
        job.attempt == 0 && job.task < self.failures
    }

    /// Whether what names `said` is taken to be about `job`, when both came over the link of one agent.
    pub fn is_about(&self, said: Job, job: Job) -> bool {
        match self.names {
            Names::Nothing => true,
            Names::Task => said.task == job.task,
            Names::TaskAndAttempt => said == job,
        }
    }
}

impl Model for Reports {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State::new(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for agent in self.agents() {
            self.desk_actions(state, agent, actions);
            self.agent_actions(state, agent, actions);
            if state.may_lose(agent) && !state.outbox(agent).is_empty() {
                actions.push(Action::Lose(agent));
            }
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match *action {
            Action::Book(agent) => self.book(&mut next, agent),
            Action::SendDetails(agent) => self.send_details(&mut next, agent),
            Action::Read(agent) => self.read(&mut next, agent),
            Action::Acknowledge(agent) => orchestrator::acknowledge(&mut next, agent),
            Action::Release(agent) => self.release(&mut next, agent),
            Action::Take(agent) => self.take(&mut next, agent),
            Action::Work(agent) => self.work(&mut next, agent),
            Action::Finish(agent, outcome) => self.finish(&mut next, agent, outcome),
            Action::Repeat(agent) => agent::repeat(&mut next, agent),
            Action::Lose(agent) => next.lose(agent),
        }?;
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "S11",
                "a result completes the request that it answers",
                |_, state: &State| state.seen.mistaken.is_none(),
                |_, state| state.seen.accepted,
                |_, state| match state.seen.mistaken {
                    Some((made_for, taken_for)) => {
                        format!("the report of {made_for} was taken for {taken_for}")
                    }
                    None => String::new(),
                },
            ),
            Property::always(
                "S18",
                "one accepted response for each request",
                |_, state: &State| state.seen.twice.is_none(),
                |_, state| state.seen.accepted,
                |_, state| match state.seen.twice {
                    Some(job) => format!("the report of {job} was accepted twice"),
                    None => String::new(),
                },
            ),
            Property::always(
                "S20",
                "one agent for each (task, attempt), one task for each agent",
                |_, state: &State| state.seen.unbooked.is_none(),
                |_, state| state.seen.released,
                |_, state| match state.seen.unbooked {
                    Some((agent, job)) => {
                        let booked = match state.booking(agent) {
                            Booking::Idle => "idle".to_owned(),
                            Booking::Busy(job) => format!("busy with {job}"),
                        };
                        format!("agent {} works on {job}, and the book has it as {booked}", agent + 1)
                    }
                    None => String::new(),
                },
            ),
            Property::no_deadlock(
                "deadlock",
                "the system rests only when every task has ended and every agent is idle",
                Self::unsettled,
            ),
            Property::leads_to(
                "L1",
                "every task ends, and its agent is released",
                |model: &Self, state| !model.is_final(state),
                Self::is_final,
                |model, state| format!("for ever: {}", model.unsettled(state)),
            ),
        ]
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = |name: String, process: Process| {
            Fairness::weak(name, move |action: &Action| action.process() == process)
        };
        let of_agent = |agent| {
            let desk = fair(format!("the desk of agent {} goes on", agent + 1), Process::Desk(agent));
            [desk, fair(format!("agent {} goes on", agent + 1), Process::Agent(agent))]
        };
        self.agents().flat_map(of_agent).collect()
    }

    fn processes(&self) -> Option<Processes<Self>> {
        Some(self.declared())
    }

    fn is_final(&self, state: &State) -> bool {
        (0..self.tasks).all(|task| state.record(task).is_ended())
            && self.agents().all(|agent| state.booking(agent) == Booking::Idle)
    }

    fn lanes(&self) -> Vec<String> {
        let agents = self.agents().map(|agent| format!("agent {}", agent + 1));
        std::iter::once("orchestrator".to_owned()).chain(agents).collect()
    }

    fn opening(&self, _: &State) -> String {
        let tasks: Vec<String> = (0..self.tasks).map(state::task_name).collect();
        format!("queued: {}; every agent is idle", tasks.join(", "))
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        self.told(before, *action, after)
    }
}

impl Reports {
    fn unsettled(&self, state: &State) -> String {
        let open = (0..self.tasks).find(|task| !state.record(*task).is_ended());
        let booked = self.agents().find(|agent| state.booking(*agent) != Booking::Idle);
        match (open, booked) {
            (Some(task), _) => match state.record(task) {
                Record::Running { agent, .. } if state.agent(agent) == Agent::Idle => format!(
                    "{} runs on agent {}, as its record says, and the agent does nothing",
                    state::task_name(task),
                    agent + 1
                ),
                Record::Queued { .. }
                | Record::Assigned { .. }
                | Record::Running { .. }
                | Record::Completed
                | Record::Failed => format!("{} does not end", state::task_name(task)),
            },
            (None, Some(agent)) => format!("agent {} is never released", agent + 1),
            (None, None) => String::new(),
        }
    }
}

/// How the work on a job ended, in words.
pub(crate) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::Failed => "failed",
    }
}
