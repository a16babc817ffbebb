//! What a step came by: which tasks it looked at, where they stood, and what reached them there.
//!
//! A step that came by some tasks reads nothing of the others but how many there are and the highest id, and beside the
//! tasks which profiles are down. Whoever
//! explores a kernel's states needs no more than that to say which steps are alike.

use crate::config::Config;
use crate::kernel::Kernel;
use crate::lifecycle::TaskEvent;
use crate::request::RequestEvent;
use crate::roster::Task;
use crate::task::{Held, Outstanding, TaskState};
use crate::vocabulary::TaskId;

/// One task that a step came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Which task.
    pub task: TaskId,
    /// Where it stood and what reached it there, if the kernel held it and that was an event of its lifecycle; a
    /// task that is only inserted or forgotten has none.
    pub met: Option<Met>,
}

/// An event of the lifecycle that reached a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// The name of where the task stood: [`TaskState::name`].
    pub state: &'static str,
    /// The name of the event, as in [`EDGES`].
    pub event: &'static str,
    /// Whether the task applied it.
    pub applied: bool,
}

const LIVE: [&str; 8] = [
    "Queued",
    "Initializing",
    "Requesting",
    "ExecutingTools",
    "AwaitingSubtask",
    "AwaitingInput",
    "AwaitingBudget",
    "Working",
];

const PAUSED: [&str; 7] = [
    "Paused(Unstarted)",
    "Paused(Queued)",
    "Paused(Admitted)",
    "Paused(Initializing)",
    "Paused(Requesting)",
    "Paused(Turn)",
    "Paused(Calls)",
];

const LIVE_ADMITTED: &[&str] = &[
    "Initializing",
    "Requesting",
    "ExecutingTools",
    "AwaitingSubtask",
    "AwaitingInput",
    "AwaitingBudget",
    "Working",
    "Paused(Initializing)",
    "Paused(Requesting)",
    "Paused(Turn)",
    "Paused(Calls)",
];

/// Who waits for the budget knows that it is spent.
const LIVE_UNSPENT: &[&str] = &[
    "Queued",
    "Initializing",
    "Requesting",
    "ExecutingTools",
    "AwaitingSubtask",
    "AwaitingInput",
    "Working",
];

/// A root is never held back by a parent.
const PAUSED_ROOT: &[&str] = &[
    "Paused(Queued)",
    "Paused(Admitted)",
    "Paused(Initializing)",
    "Paused(Requesting)",
    "Paused(Turn)",
    "Paused(Calls)",
];

const CLOSING: &[&str] = &[
    "Cancelling(Nothing)",
    "Cancelling(Initialization)",
    "Cancelling(Request)",
    "Cancelling(Worker)",
    "Ending",
];

const WITH_A_REQUEST: &[&str] = &["Requesting", "Paused(Requesting)", "Cancelling(Request)"];
const WITH_AN_INITIALIZATION: &[&str] =
    &["Initializing", "Paused(Initializing)", "Cancelling(Initialization)"];

/// Every edge of the lifecycle: each event with the names of the states in which a task can apply it, some of them
/// in several groups. `docs/task-lifecycle.md` has the same in its table.
pub const EDGES: &[(&str, &[&str])] = &[
    ("Admitted", &["Queued", "Paused(Queued)"]),
    ("Initialized", WITH_AN_INITIALIZATION),
    ("InitializationFailed", WITH_AN_INITIALIZATION),
    ("Deployed", WITH_AN_INITIALIZATION),
    ("Worker", &["Working", "Cancelling(Worker)"]),
    ("SubtaskRequested", &["Working"]),
    ("ChildReported", &["Working"]),
    ("ResponseEnded", WITH_A_REQUEST),
    ("Request", WITH_A_REQUEST),
    // A bill is taken whenever it comes.
    ("Request(UsageReported)", WITH_A_REQUEST),
    ("Request(UsageReported)", &["ExecutingTools", "AwaitingSubtask", "AwaitingInput", "AwaitingBudget"]),
    ("Request(UsageReported)", &["Paused(Turn)"]),
    ("Request(UsageReported)", &["Paused(Calls)", "Cancelling(Nothing)", "Completed", "Failed", "Cancelled"]),
    ("ProfileDown", WITH_A_REQUEST),
    ("ProfileUp", WITH_A_REQUEST),
    ("ToolEnded", &["ExecutingTools", "Paused(Calls)", "Cancelling(Nothing)"]),
    ("SubtaskEnded", &["ExecutingTools", "AwaitingSubtask", "Paused(Calls)", "Cancelling(Nothing)"]),
    ("SubtaskEnded", &["Working", "Ending", "Cancelling(Worker)"]),
    // The question for more is that of the root, wherever it stands.
    ("AnswerReceived", &LIVE),
    ("AnswerReceived", PAUSED_ROOT),
    ("MessageReceived", &LIVE),
    ("MessageReceived", &PAUSED),
    ("PauseRequested", &LIVE),
    ("PauseRequested", &["Paused(Unstarted)"]),
    ("ResumeRequested", &PAUSED),
    ("ResumeRequested", &["Working"]),
    ("CancelRequested", &LIVE),
    ("CancelRequested", &PAUSED),
    ("TimerFired(Grace)", &["Cancelling(Nothing)", "Cancelling(Initialization)"]),
    ("EndAcknowledged", &["Completed", "Failed", "Cancelled"]),
    ("Released", &["Paused(Unstarted)"]),
    // Of the root of a tree with a budget, the others of every task.
    ("Spent", &LIVE),
    ("Spent", PAUSED_ROOT),
    ("Spent", CLOSING),
    ("TimerFired(Budget)", LIVE_ADMITTED),
    ("BudgetSpent", LIVE_UNSPENT),
    ("BudgetSpent", &PAUSED),
    ("BudgetSpent", CLOSING),
    ("BudgetGranted", &LIVE),
    ("BudgetGranted", &PAUSED),
    ("BudgetGranted", CLOSING),
];

impl TaskState {
    /// Its name, without what the state carries: `Requesting`, `Paused(Turn)`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Initializing => "Initializing",
            Self::Requesting => "Requesting",
            Self::ExecutingTools => "ExecutingTools",
            Self::AwaitingSubtask => "AwaitingSubtask",
            Self::AwaitingInput => "AwaitingInput",
            Self::AwaitingBudget => "AwaitingBudget",
            Self::Paused(Held::Unstarted) => "Paused(Unstarted)",
            Self::Paused(Held::Queued) => "Paused(Queued)",
            Self::Paused(Held::Admitted) => "Paused(Admitted)",
            Self::Paused(Held::Initializing) => "Paused(Initializing)",
            Self::Paused(Held::Requesting) => "Paused(Requesting)",
            Self::Paused(Held::Turn) => "Paused(Turn)",
            Self::Paused(Held::Calls) => "Paused(Calls)",
            Self::Working => "Working",
            Self::Cancelling(Outstanding::Worker) => "Cancelling(Worker)",
            Self::Ending(_) => "Ending",
            Self::Cancelling(Outstanding::Nothing) => "Cancelling(Nothing)",
            Self::Cancelling(Outstanding::Initialization) => "Cancelling(Initialization)",
            Self::Cancelling(Outstanding::Request) => "Cancelling(Request)",
            Self::Completed => "Completed",
            Self::Failed(_) => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl TaskEvent<'_> {
    /// Its name: that of the [`Event`](crate::Event), where it comes from outside.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Admitted => "Admitted",
            Self::Initialized => "Initialized",
            Self::InitializationFailed => "InitializationFailed",
            Self::ResponseEnded { .. } => "ResponseEnded",
            Self::Request { event: RequestEvent::UsageReported { .. }, .. } => "Request(UsageReported)",
            Self::Request { .. } => "Request",
            Self::ProfileChanged { event: RequestEvent::ProfileUp { .. } } => "ProfileUp",
            Self::ProfileChanged { .. } => "ProfileDown",
            Self::ToolEnded { .. } => "ToolEnded",
            Self::SubtaskEnded { .. } => "SubtaskEnded",
            Self::AnswerReceived { .. } => "AnswerReceived",
            Self::MessageReceived { .. } => "MessageReceived",
            Self::PauseRequested => "PauseRequested",
            Self::ResumeRequested => "ResumeRequested",
            Self::CancelRequested => "CancelRequested",
            Self::GraceElapsed => "TimerFired(Grace)",
            Self::EndAcknowledged => "EndAcknowledged",
            Self::Released => "Released",
            Self::Deployed => "Deployed",
            Self::Worker { .. } => "Worker",
            Self::SubtaskRequested { .. } => "SubtaskRequested",
            Self::ChildReported { .. } => "ChildReported",
            Self::Spent { .. } => "Spent",
            Self::BudgetElapsed { .. } => "TimerFired(Budget)",
            Self::BudgetSpent => "BudgetSpent",
            Self::BudgetGranted => "BudgetGranted",
        }
    }
}

impl Kernel {
    /// A kernel put together from its tasks, in any order, in which no profile is down. Nothing is checked: that is [`Kernel::validate`]'s.
    pub fn from_tasks(
        config: Config,
        highest: Option<TaskId>,
        tasks: impl IntoIterator<Item = Task>,
    ) -> Self {
        let mut kernel = Self { highest, ..Self::new(config) };
        tasks.into_iter().for_each(|task| kernel.tasks.insert(task));
        kernel
    }
}
