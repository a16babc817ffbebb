//! The forms of the events of an outbox.

use crate::notification::{self, NotificationNumber, NotificationTimer};
use serde::{Deserialize, Serialize};

record! {
    /// One event of the outbox of a task as it is written to a journal, in the form of some version. It does not say of which
    /// task.
    NotificationRecord of notification::NotificationEvent {
        write V1 1 NotificationEvent,
    }
}

form! {
    enum NotificationEvent of notification {
        Posted { number: NotificationNumber, news: News },
        Acknowledged { number: NotificationNumber },
        UndeliveredRecorded { number: NotificationNumber },
        Elapsed { timer: NotificationTimer },
    }
}

form! { enum News of notification { Progress, Concluded(conclusion: Conclusion), } }
form! { enum Conclusion of notification { Completed, Failed, Cancelled, } }
