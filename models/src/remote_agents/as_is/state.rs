//! The whole system: the task store, the book of agents, the processes, the network, and what may still happen.

use downbeat_sim::kinds::Kinds;

use super::super::bag::Bag;
use super::super::ledger::{AgentIndex, End, Job, Ledger, TASKS, TaskIndex};

/// The most agents.
pub const AGENTS: usize = 2;
/// Orchestrators: two instances of one service. The second one acts only while the first one is busy, as they are alike.
pub const ORCHESTRATORS: usize = 2;
/// The most requests of the user.
pub const REQUESTS: usize = 2;

/// An orchestrator, from 0.
pub type OrchestratorIndex = u8;
/// What the user wants, from 0.
pub type RequestIndex = u8;

/// What the task store says of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// It is not there.
    Absent,
    /// Waits for an agent.
    Queued,
    /// An agent was found.
    Assigned(AgentIndex),
    /// The agent says that it works.
    Running(AgentIndex),
    /// The agent waits for a person, who is shown this question.
    Pending(AgentIndex, u8),
    /// Terminal.
    Ended(End),
}

/// What the agent manager's book says of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// There is none of that number.
    Absent,
    /// Its container is ordered.
    Provisioning,
    /// It may be booked.
    Idle,
    /// It is booked.
    Busy(TaskIndex),
}

/// An agent, and the container that it lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// There is none.
    Absent,
    /// It is being started.
    Starting,
    /// It runs, and this is what its agent does.
    Up(Work),
    /// It died, and nobody knows.
    Dead,
    /// It was removed.
    Gone,
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Nothing.
    Idle,
    /// It works.
    On(Job),
    /// It waits for the answer to a question of so many.
    Asking(Job, u8),
}

impl Work {
    /// What it has.
    pub fn job(self) -> Option<Job> {
        match self {
            Self::Idle => None,
            Self::On(job) | Self::Asking(job, _) => Some(job),
        }
    }
}

/// A container with its workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    /// The container.
    pub container: Container,
    /// Which task has left its traces in the workspace.
    pub traces: Option<TaskIndex>,
}

/// A message. What it does not say is in it all the same, for the observer: the number of a job, and of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// User to orchestrator: a request.
    Submit(RequestIndex),
    /// Orchestrator to user: it is accepted.
    Accepted(RequestIndex),
    /// Orchestrator to manager: an agent is wanted.
    Book(OrchestratorIndex, TaskIndex),
    /// Manager to orchestrator: here is one.
    Booked(OrchestratorIndex, TaskIndex, AgentIndex),
    /// Orchestrator to manager: the agent is not needed any more.
    Release(AgentIndex),
    /// Agent to manager: its container runs.
    Started(AgentIndex),
    /// Orchestrator to agent: work on this.
    Details(AgentIndex, Job),
    /// Orchestrator to agent: end it.
    Cancel(AgentIndex, TaskIndex),
    /// Orchestrator to agent: a person's answer to that question.
    Answer(AgentIndex, TaskIndex, u8),
    /// Agent to orchestrator: it works.
    Running(AgentIndex, TaskIndex),
    /// Agent to orchestrator: a question.
    Question(AgentIndex, TaskIndex, u8),
    /// Agent to orchestrator: the result.
    Completed(AgentIndex, Job),
    /// Agent to orchestrator: it does not work on it any more.
    Stopped(AgentIndex, TaskIndex),
}

/// Where a handler of an orchestrator stands: what it does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handler {
    /// Nothing.
    Idle,
    /// Has seen room in the quota: stores the task.
    Storing(RequestIndex),
    /// Answers the user.
    Accepting(RequestIndex),
    /// Writes the agent to the record.
    Assigning(TaskIndex, AgentIndex),
    /// Sends the details.
    Sending(TaskIndex, AgentIndex),
    /// Tells the user of an end, then has the agent released.
    Notifying(TaskIndex, End, Option<AgentIndex>),
    /// Has the agent released.
    Releasing(AgentIndex),
    /// Tells the agent to end.
    Stopping(TaskIndex, AgentIndex),
    /// Has read that nobody has the task: writes that it is cancelled.
    Withdrawing(TaskIndex),
    /// Hands a person's answer on.
    Relaying(TaskIndex, AgentIndex, u8),
}

/// Where the manager's handler of bookings stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Desk {
    /// Nothing.
    Idle,
    /// Has read that the agent is idle: writes that it is booked.
    Picked(OrchestratorIndex, TaskIndex, AgentIndex),
    /// Answers.
    Replying(OrchestratorIndex, TaskIndex, AgentIndex),
}

/// Where the manager's handler of agents stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Janitor {
    /// Nothing.
    Idle,
    /// Has written that the agent is idle: resets its workspace.
    Cleaning(AgentIndex),
    /// Has read that the agent is idle: writes that it is no more.
    Retiring(AgentIndex),
    /// Removes its container.
    Removing(AgentIndex),
    /// Has written that an agent is to come: orders its container.
    Ordering(AgentIndex),
}

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// All of the others together.
    pub troubles: u8,
    /// Messages that get lost.
    pub losses: u8,
    /// Messages that arrive twice.
    pub duplicates: u8,
    /// Processes that crash and start again.
    pub crashes: u8,
    /// Cancels of the user.
    pub cancels: u8,
    /// Agents that die without a word.
    pub deaths: u8,
    /// Agents that are taken for dead, wrongly or not.
    pub suspicions: u8,
    /// Idle agents that are removed.
    pub removals: u8,
    /// Requests that are made again because no answer came.
    pub retries: u8,
}

impl Left {
    /// Nothing may happen any more.
    pub const NONE: Self = Self {
        troubles: 0,
        losses: 0,
        duplicates: 0,
        crashes: 0,
        cancels: 0,
        deaths: 0,
        suspicions: 0,
        removals: 0,
        retries: 0,
    };
}

/// The whole system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The task store.
    pub records: [Record; TASKS],
    /// Which attempt at each task the next assignment is.
    pub attempts: [u8; TASKS],
    /// What the user wanted when the task was stored.
    pub requests: [RequestIndex; TASKS],
    /// The user waits for the answer to these requests, as bits.
    pub unanswered: u8,
    /// A result was taken for these requests, as bits.
    pub served: u8,
    /// The book of agents.
    pub book: [Entry; AGENTS],
    /// What the orchestrators do.
    pub handlers: [Handler; ORCHESTRATORS],
    /// For which tasks they have asked the manager for an agent: that keeps them from nothing else.
    pub asking: [Option<TaskIndex>; ORCHESTRATORS],
    /// The manager's handler of bookings.
    pub desk: Desk,
    /// The manager's handler of agents.
    pub janitor: Janitor,
    /// The agents.
    pub machines: [Machine; AGENTS],
    /// The last question that was asked.
    pub asked: u8,
    /// The last question that a person has answered.
    pub answered: u8,
    /// The network.
    pub network: Bag<Message>,
    /// What became of the tasks.
    pub ledger: Ledger,
    /// What may still happen.
    pub left: Left,
}

impl State {
    /// Who takes what comes next: an orchestrator that does nothing, and does not wait for the manager if there is one.
    pub fn free(&self, orchestrators: OrchestratorIndex) -> Option<OrchestratorIndex> {
        let is_free = |at: &OrchestratorIndex| self.handlers[usize::from(*at)] == Handler::Idle;
        (0..orchestrators).filter(is_free).min_by_key(|at| self.asking[usize::from(*at)].is_some())
    }

    /// What the store says of a task.
    pub fn record(&self, task: TaskIndex) -> Record {
        self.records[usize::from(task)]
    }

    /// The container of an agent.
    pub fn container(&self, agent: AgentIndex) -> Container {
        self.machines[usize::from(agent)].container
    }
}

/// One step of one process, or of bad luck. `true` beside a message: a second copy is still on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// An orchestrator finds a queued task and asks for an agent.
    Poll(OrchestratorIndex, TaskIndex),
    /// An orchestrator takes a message.
    Serve(OrchestratorIndex, Message, bool),
    /// The handler of an orchestrator goes on.
    GoOn(OrchestratorIndex),
    /// An orchestrator has waited long enough for the manager, and asks again.
    AskAgain(OrchestratorIndex),
    /// The user's cancel comes to an orchestrator.
    CancelComes(OrchestratorIndex, TaskIndex),
    /// A person answers what is shown, and the answer comes to an orchestrator.
    AnswerComes(OrchestratorIndex, TaskIndex),
    /// An orchestrator takes an agent for dead and puts its task back.
    Suspect(TaskIndex),
    /// An orchestrator crashes and starts again.
    CrashOrchestrator(OrchestratorIndex),
    /// The manager takes a request for an agent, and picks one that is idle.
    Pick(Message, AgentIndex, bool),
    /// The manager's handler of bookings goes on.
    DeskGoesOn,
    /// The manager takes another message.
    Manage(Message, bool),
    /// The manager's handler of agents goes on.
    JanitorGoesOn,
    /// The manager chooses an idle agent that is not needed.
    ScaleDown(AgentIndex),
    /// The manager decides on a new agent.
    ScaleUp(AgentIndex),
    /// The manager takes back the order of an agent that nobody needs any more.
    GiveUp(AgentIndex),
    /// The manager crashes and starts again.
    CrashManager,
    /// A container has started.
    Start(AgentIndex),
    /// An agent takes a message.
    Receive(AgentIndex, Message, bool),
    /// An agent completes its task.
    Complete(AgentIndex),
    /// An agent asks.
    Ask(AgentIndex),
    /// An agent dies.
    Die(AgentIndex),
    /// The user reads that the request is accepted.
    Read(RequestIndex),
    /// The user has waited long enough, and makes the request again.
    Retry(RequestIndex),
    /// A message gets lost.
    Lose(Message),
}
