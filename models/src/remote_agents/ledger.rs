//! What became of the tasks, and which promises the last step broke.
//!
//! Nothing in here is of one orchestrator: whoever hands tasks to remote agents is judged by this ledger. It sees what
//! goes out to agents and to people, what is taken from them, and nobody's variables.

use std::fmt;

/// The most tasks.
pub const TASKS: usize = 3;

/// A task, by the order in which they come.
pub type TaskIndex = u8;

/// An agent, from 0.
pub type AgentIndex = u8;

/// How people call a task.
pub fn task_name(task: TaskIndex) -> char {
    char::from(b'A' + task)
}

/// One assignment of a task. Of two of the same task the later one has the higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    /// What is to be done.
    pub task: TaskIndex,
    /// Which assignment it is.
    pub number: u8,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", task_name(self.task), self.number)
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// With a result.
    Completed,
    /// Without, as its agent says.
    Failed,
    /// Without, because nobody could be found who ends it.
    Lost,
    /// Somebody cancelled it.
    Cancelled,
}

impl End {
    /// The end in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Nobody has submitted it.
    Absent,
    /// It waits for an agent.
    Waiting,
    /// An agent was given it.
    Given,
    /// It has ended.
    Ended(End),
}

/// What is known of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    /// How far it has come.
    pub stage: Stage,
    /// A cancel was taken.
    pub is_cancelled: bool,
    /// Its latest assignment, and to whom.
    pub given: Option<(u8, AgentIndex)>,
    /// What its user was told.
    pub told: Option<End>,
    /// A result was taken.
    pub has_result: bool,
    /// Which tasks that came later were assigned before it while its user had room, as bits.
    pub overtaken: u8,
}

/// A promise that was broken, with what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// A task was given to an agent after its cancel was taken.
    SentAfterCancel(Job),
    /// Two agents were given one assignment.
    TwoAgents(Job, [AgentIndex; 2]),
    /// A task was assigned to an agent while another one has it.
    TwoLeases([Job; 2], [AgentIndex; 2]),
    /// An agent was given, or began with, a task while it had another one.
    TwoTasks(AgentIndex, [Job; 2]),
    /// An agent was taken for idle that works on what it was given.
    Freed(AgentIndex, Job),
    /// A result was taken under an assignment that was not the latest, which is the other one.
    OldWrite([Job; 2]),
    /// A cancelled task was given to an agent.
    StartedAfterEnd(Job),
    /// A user has so many tasks with agents, and may have so many.
    Overdrawn([u8; 2]),
    /// An agent began where another task has left its traces.
    Traces(AgentIndex, Job, TaskIndex),
    /// A user was told of two ends.
    Contradicted(TaskIndex, [End; 2]),
    /// A task has another end than that somebody cancelled it, whose cancel was taken.
    CancelForgotten(TaskIndex, End),
    /// What had ended moved.
    MovedAfterEnd(TaskIndex, End),
    /// Two results were taken for what was one task to its user.
    SecondResult(TaskIndex),
    /// The answer to one question was taken for that to another.
    CrossedAnswer(TaskIndex, [u8; 2]),
    /// A task was given to an agent that is gone.
    GoneAgent(AgentIndex, Job),
    /// A task was overtaken by more than it yields.
    Overtaken(TaskIndex, u32),
}

impl Breach {
    /// The property that it breaks.
    pub fn property(self) -> &'static str {
        match self {
            Self::CrossedAnswer(..) => "S6",
            Self::MovedAfterEnd(..) => "S7",
            Self::SecondResult(_) => "S18",
            Self::SentAfterCancel(_) => "S19",
            Self::TwoAgents(..)
            | Self::TwoLeases(..)
            | Self::TwoTasks(..)
            | Self::Freed(..)
            | Self::OldWrite(_) => "S20",
            Self::StartedAfterEnd(_) => "S21",
            Self::Overdrawn(_) => "S22",
            Self::Traces(..) => "S23",
            Self::Contradicted(..) | Self::CancelForgotten(..) => "S24",
            Self::GoneAgent(..) => "gone",
            Self::Overtaken(..) => "overtaken",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SentAfterCancel(job) => write!(f, "{job} went out after the cancel was taken"),
            Self::TwoAgents(job, [first, second]) => {
                write!(f, "agents {} and {} were both given {job}", first + 1, second + 1)
            }
            Self::TwoLeases([first, second], [holder, agent]) => {
                write!(f, "agent {} is given {second} while agent {} has {first}", agent + 1, holder + 1)
            }
            Self::TwoTasks(agent, [first, second]) => {
                write!(f, "agent {} is given {second} while it has {first}", agent + 1)
            }
            Self::Freed(agent, job) => write!(f, "agent {} is taken for idle, and works on {job}", agent + 1),
            Self::OldWrite([old, latest]) => {
                write!(f, "a result of {old} is taken, and {latest} is under way")
            }
            Self::StartedAfterEnd(job) => write!(f, "{job} was given to an agent, and the task is cancelled"),
            Self::Overdrawn([running, quota]) => {
                write!(f, "{running} tasks run of a user who may have {quota}")
            }
            Self::Traces(agent, job, left) => {
                write!(
                    f,
                    "agent {} begins with {job} where {} has left its traces",
                    agent + 1,
                    task_name(left)
                )
            }
            Self::Contradicted(task, [first, second]) => {
                let (first, second) = (first.word(), second.word());
                write!(
                    f,
                    "the user was told that {} is {first}, and now that it is {second}",
                    task_name(task)
                )
            }
            Self::CancelForgotten(task, end) => {
                write!(f, "the cancel of {} was taken, and it is {}", task_name(task), end.word())
            }
            Self::MovedAfterEnd(task, end) => write!(f, "{} was {}, and moved", task_name(task), end.word()),
            Self::SecondResult(task) => write!(f, "{} is the second result for one request", task_name(task)),
            Self::CrossedAnswer(task, [meant, taken]) => {
                write!(
                    f,
                    "the answer to question {meant} of {} was taken for that to {taken}",
                    task_name(task)
                )
            }
            Self::GoneAgent(agent, job) => write!(f, "{job} was given to agent {}, which is gone", agent + 1),
            Self::Overtaken(task, times) => {
                write!(f, "{} was overtaken by {times} tasks that came later", task_name(task))
            }
        }
    }
}

/// The most promises that one step breaks.
const BREACHES: usize = 3;

/// All tasks, and what the last step did that must not be done.
///
/// A breach is forgotten at the next step: what follows it is no other system, and its states need not be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ledger {
    tasks: [Known; TASKS],
    breaches: [Option<Breach>; BREACHES],
}

impl Ledger {
    /// Nobody has submitted anything.
    pub const EMPTY: Self = Self {
        tasks: [Known {
            stage: Stage::Absent,
            is_cancelled: false,
            given: None,
            told: None,
            has_result: false,
            overtaken: 0,
        }; TASKS],
        breaches: [None; BREACHES],
    };

    /// The ledger at the beginning of the next step.
    #[must_use]
    pub fn without_breaches(&self) -> Self {
        Self { breaches: [None; BREACHES], ..*self }
    }

    /// What the last step broke of a property.
    pub fn breach_of(&self, property: &str) -> Option<Breach> {
        self.breaches.iter().flatten().find(|breach| breach.property() == property).copied()
    }

    /// Everything that the last step broke.
    pub fn breaches(&self) -> impl Iterator<Item = Breach> {
        self.breaches.iter().flatten().copied()
    }

    /// Notes a promise that was broken.
    pub fn note(&mut self, breach: Breach) {
        if let Some(free) = self.breaches.iter_mut().find(|slot| slot.is_none_or(|known| known == breach)) {
            *free = Some(breach);
        }
    }

    /// What is known of a task.
    pub fn task(&self, task: TaskIndex) -> Known {
        self.tasks[usize::from(task)]
    }

    /// Every task, in order.
    pub fn tasks(&self) -> impl Iterator<Item = (TaskIndex, Known)> {
        (0..).zip(self.tasks)
    }

    /// The tasks that were submitted and have not ended.
    pub fn open(&self) -> impl Iterator<Item = TaskIndex> {
        self.tasks()
            .filter(|(_, known)| matches!(known.stage, Stage::Waiting | Stage::Given))
            .map(|(task, _)| task)
    }

    /// The tasks that agents were given, and that have not ended.
    pub fn given(&self) -> impl Iterator<Item = TaskIndex> {
        self.tasks().filter(|(_, known)| known.stage == Stage::Given).map(|(task, _)| task)
    }

    /// Whether a task stands so.
    pub fn any(&self, is_so: impl Fn(Known) -> bool) -> bool {
        self.tasks().any(|(_, known)| is_so(known))
    }

    fn at(&mut self, task: TaskIndex) -> &mut Known {
        &mut self.tasks[usize::from(task)]
    }

    /// A task was accepted.
    pub fn submit(&mut self, task: TaskIndex) {
        self.at(task).stage = Stage::Waiting;
    }

    /// A cancel was taken.
    pub fn cancel(&mut self, task: TaskIndex) {
        self.at(task).is_cancelled = true;
    }

    /// A task goes out to an agent, for the first time or once more.
    pub fn give(&mut self, job: Job, agent: AgentIndex, is_gone: bool) {
        let known = *self.at(job.task);
        if known.is_cancelled {
            self.note(Breach::SentAfterCancel(job));
        }
        if known.stage == Stage::Ended(End::Cancelled) {
            self.note(Breach::StartedAfterEnd(job));
        }
        if is_gone {
            self.note(Breach::GoneAgent(agent, job));
        }
        match known.given {
            Some((number, other)) if number == job.number && other != agent => {
                self.note(Breach::TwoAgents(job, [other, agent]));
            }
            Some(_) | None => {}
        }
        if let Some(other) = self.held_by(agent).filter(|other| other.task != job.task) {
            self.note(Breach::TwoTasks(agent, [other, job]));
        }
        let at = self.at(job.task);
        at.given = Some((job.number, agent));
        if at.stage == Stage::Waiting {
            at.stage = Stage::Given;
        }
    }

    /// What an agent was given, and has not ended.
    fn held_by(&self, agent: AgentIndex) -> Option<Job> {
        self.given().find_map(|task| match self.task(task).given {
            Some((number, holder)) if holder == agent => Some(Job { task, number }),
            Some(_) | None => None,
        })
    }

    /// An agent is taken for idle. `has` is what it does.
    pub fn free(&mut self, agent: AgentIndex, has: Option<Job>) {
        if let Some(job) = has.filter(|job| self.held_by(agent) == Some(*job)) {
            self.note(Breach::Freed(agent, job));
        }
    }

    /// So many tasks of one user count towards the quota.
    pub fn run(&mut self, running: usize, quota: u8) {
        let running = u8::try_from(running).unwrap_or(u8::MAX);
        if running > quota {
            self.note(Breach::Overdrawn([running, quota]));
        }
    }

    /// An agent begins with what it was given. `has` is what it does, `traces` whose are left in its workspace.
    pub fn begin(&mut self, agent: AgentIndex, job: Job, has: Option<Job>, traces: Option<TaskIndex>) {
        if let Some(has) = has.filter(|has| *has != job) {
            self.note(Breach::TwoTasks(agent, [has, job]));
        }
        if let Some(left) = traces.filter(|left| *left != job.task) {
            self.note(Breach::Traces(agent, job, left));
        }
    }

    /// A result is taken, under an assignment.
    pub fn write(&mut self, job: Job) {
        if let Some((latest, _)) = self.at(job.task).given.filter(|(latest, _)| *latest > job.number) {
            self.note(Breach::OldWrite([job, Job { number: latest, ..job }]));
        }
    }

    /// Nobody has the task any more, and it has not ended.
    pub fn take_back(&mut self, task: TaskIndex) {
        self.at(task).stage = Stage::Waiting;
    }

    /// A task ends, on record.
    pub fn end(&mut self, task: TaskIndex, end: End) {
        if let Stage::Ended(before) = self.at(task).stage {
            self.note(Breach::MovedAfterEnd(task, before));
        }
        self.at(task).stage = Stage::Ended(end);
    }

    /// A task that runs is on record as running.
    pub fn run_on_record(&mut self, task: TaskIndex) {
        if let Stage::Ended(before) = self.at(task).stage {
            self.note(Breach::MovedAfterEnd(task, before));
        }
    }

    /// The user is told how a task ended, perhaps once more.
    pub fn tell(&mut self, task: TaskIndex, end: End) {
        if let Some(before) = self.at(task).told.filter(|before| *before != end) {
            self.note(Breach::Contradicted(task, [before, end]));
        }
        self.at(task).told = Some(end);
    }

    /// A result of a task is taken.
    pub fn result(&mut self, task: TaskIndex) {
        if self.at(task).has_result {
            self.note(Breach::SecondResult(task));
        }
        self.at(task).has_result = true;
    }

    /// A task ends, on record, by somebody who has taken its cancel if there was one.
    pub fn end_as_wanted(&mut self, task: TaskIndex, end: End) {
        if self.at(task).is_cancelled && end != End::Cancelled {
            self.note(Breach::CancelForgotten(task, end));
        }
        self.end(task, end);
    }

    /// A task that waits, and that yields to so many, was overtaken by a later one.
    pub fn overtake(&mut self, task: TaskIndex, by: TaskIndex, yields: u8) {
        let known = self.at(task);
        known.overtaken |= 1 << by;
        let overtaken = known.overtaken.count_ones();
        if overtaken > yields.into() {
            self.note(Breach::Overtaken(task, overtaken));
        }
    }
}
