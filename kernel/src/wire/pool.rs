//! The forms of the events of a pool.

use crate::pool::{self, AgentId, Epoch, UserId};
use crate::vocabulary::TaskId;
use serde::{Deserialize, Serialize};

record! {
    /// One event of a pool as it is written to a journal, in the form of some version. It does not say of which one.
    PoolRecord of pool::PoolEvent {
        write V1 1 PoolEvent,
    }
}

form! {
    enum PoolEvent of pool {
        Submitted { task: TaskId, user: UserId, priority: Priority },
        CancelRequested { task: TaskId },
        EndAcknowledged { task: TaskId },
        Started { agent: AgentId },
        Gone { agent: AgentId },
        Heartbeat { agent: AgentId, lease: Lease },
        WorkEnded { agent: AgentId, lease: Lease, end: WorkEnd },
        Cleaned { agent: AgentId, lease: Lease },
        DrainRequested { agent: AgentId },
        Elapsed { timer: PoolTimer },
    }
}

form! { struct Lease of pool { task: TaskId, epoch: Epoch, } }
form! { struct PoolTimer of pool { agent: AgentId, number: u32, } }
form! { enum Priority of pool { High, Normal, Low, } }
form! { enum WorkEnd of pool { Completed, Failed, Returned, } }
