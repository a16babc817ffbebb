//! Numbers that are known only when an event is taken: of new tasks, and of bills.

use crate::entry::Bill;
use crate::fault::{self, Fault};
use downbeat_kernel::{BillNumber, Call, Config, Event, Kernel, PoolConfig, Response, Spend, TaskId};
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
            if !fault::has(Fault::SameNumber) {
                highest = Some(*task);
            }
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
        Event::Spent { task, bill, spend } if *bill == BillNumber(0) => {
            let Some(booked) = billed(kernel, root_of(kernel, *task), *spend) else { return false };
            (*task, *bill) = (booked.root, booked.number);
        }
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

/// The next bill of the tree of a root; `None` if that has no budget, so that nobody counts.
pub(crate) fn billed(kernel: &Kernel, root: TaskId, spend: Spend) -> Option<Bill> {
    let account = kernel.task(root)?.data.account.as_deref()?;
    Some(Bill { root, number: BillNumber(account.bill.0 + 1), spend })
}
