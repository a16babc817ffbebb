//! Numbers that are known only when an event is taken: of new tasks, and of bills.

use downbeat_kernel::{BillNumber, Call, Config, Event, Kernel, PoolConfig, Response, TaskId};
use downbeat_store::ShardId;
use downbeat_wiring::root_of;

/// The settings of the machines of a shard, under which its journal is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) kernel: Config,
    pub(crate) pool: Option<PoolConfig>,
}

/// Which shard of how many. The number of a task says in which it is: what is left when it is divided by their count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) shard: ShardId,
    /// At least 1.
    pub(crate) shards: u32,
}

impl Place {
    /// Whether a task of this number belongs here.
    pub(crate) fn has(self, task: TaskId) -> bool {
        task.0 % u64::from(self.shards) == u64::from(self.shard.0)
    }

    /// The next number of this shard.
    pub(crate) fn after(self, highest: Option<TaskId>) -> TaskId {
        let (step, own) = (u64::from(self.shards), u64::from(self.shard.0));
        let least = highest.map_or(1, |highest| highest.0 + 1);
        TaskId(least + (own + step - least % step) % step)
    }
}

/// A task that has no number yet.
pub(crate) const NEW: TaskId = TaskId(0);

/// Gives an event the numbers that it lacks; `false` if nobody counts it.
pub(crate) fn number(event: &mut Event, kernel: &Kernel, place: Place) -> bool {
    let mut highest = kernel.highest();
    let mut number = |task: &mut TaskId| {
        if *task == NEW {
            *task = place.after(highest);
            highest = Some(*task);
        }
    };
    match event {
        Event::TaskSubmitted { task, .. } => number(task),
        Event::ResponseEnded { response: Response::Calls(calls), .. } => {
            for call in calls {
                if let Call::Subtask { child } = call {
                    number(child);
                }
            }
        }
        Event::SubtaskRequested { child, .. } => number(child),
        Event::Spent { task, bill, .. } if *bill == BillNumber(0) => return book(task, bill, kernel),
        Event::ResponseEnded { response: Response::Text | Response::Empty, .. }
        | Event::Admitted { .. }
        | Event::Initialized { .. }
        | Event::InitializationFailed { .. }
        | Event::Deployed { .. }
        | Event::Worker { .. }
        | Event::Request { .. }
        | Event::ProfileDown { .. }
        | Event::ProfileUp { .. }
        | Event::ToolEnded { .. }
        | Event::AnswerReceived { .. }
        | Event::MessageReceived { .. }
        | Event::PauseRequested { .. }
        | Event::ResumeRequested { .. }
        | Event::CancelRequested { .. }
        | Event::TimerFired { .. }
        | Event::Spent { .. }
        | Event::EndAcknowledged { .. } => {}
    }
    true
}

/// A bill goes to the root of its tree, under the next number there; `false` if that has no budget, so that nobody counts.
fn book(task: &mut TaskId, bill: &mut BillNumber, kernel: &Kernel) -> bool {
    *task = root_of(kernel, *task);
    let Some(account) = kernel.task(*task).and_then(|task| task.data.account.as_deref()) else {
        return false;
    };
    *bill = BillNumber(account.bill.0 + 1);
    true
}
