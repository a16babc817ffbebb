//! The forms of the events of the attempts at a remote task.

use crate::retry::{self, AttemptNumber, QueryNumber, RetryTimer};
use serde::{Deserialize, Serialize};

record! {
    /// One event of the attempts at a task as it is written to a journal, in the form of some version. It does not say of
    /// which task.
    RetryRecord of retry::RetryEvent {
        write V1 1 RetryEvent,
    }
}

form! {
    enum RetryEvent of retry {
        Submitted,
        AttemptEnded { attempt: AttemptNumber, end: AttemptEnd },
        Found { attempt: AttemptNumber, query: QueryNumber, finding: Finding },
        CancelRequested,
        EndAcknowledged,
        Elapsed { timer: RetryTimer },
    }
}

form! { enum AttemptEnd of retry { Succeeded, Failed(class: FailureClass), Unknown, } }
form! { enum Finding of retry { Succeeded, Failed(class: FailureClass), NeverStarted, StillRunning, } }
form! { enum FailureClass of retry { Transient, Throttled { retry_after_ms: u32 }, Permanent, } }
