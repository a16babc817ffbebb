//! The forms of the events of a credential.

use crate::credential::{self, Generation, OrderNumber, WaiterId};
use serde::{Deserialize, Serialize};

record! {
    /// One event of a credential as it is written to a journal, in the form of some version. It does not say of which one.
    CredentialRecord of credential::CredentialEvent {
        write V1 1 CredentialEvent,
    }
}

form! {
    enum CredentialEvent of credential {
        Wanted { waiter: WaiterId, newer_than: Generation },
        StoreRead { order: OrderNumber, found: Found },
        RefreshEnded { order: OrderNumber, end: RefreshEnd },
        WriteEnded { order: OrderNumber, end: WriteEnd },
        StoreChanged { generation: Generation },
        Elapsed { order: OrderNumber },
    }
}

form! { enum Found of credential { Current, Taken, Other { generation: Generation }, Empty, Unreadable, } }
form! { enum RefreshEnd of credential { Refreshed, InvalidGrant, Failed, } }
form! { enum WriteEnd of credential { Stored, Failed, Lost, } }
