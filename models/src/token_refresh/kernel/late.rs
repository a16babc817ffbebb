//! What may come to a credential that is void, was said before, or answers nothing that was asked.

use downbeat_kernel::{
    CredentialEvent, CredentialState, Found, Generation as Number, OrderNumber, RefreshEnd, WaiterId,
    WriteEnd,
};

use super::state::Window;

const REFRESH_ENDS: [RefreshEnd; 3] = [RefreshEnd::Refreshed, RefreshEnd::InvalidGrant, RefreshEnd::Failed];
const WRITE_ENDS: [WriteEnd; 3] = [WriteEnd::Stored, WriteEnd::Failed, WriteEnd::Lost];

/// All of it, for one window.
pub(super) fn late(window: &Window) -> impl Iterator<Item = CredentialEvent> {
    answers(window).chain(wishes(window)).chain(hints(window))
}

/// Answers to orders before the last one, to the one after it, and other answers to the last one than it asks for.
fn answers(window: &Window) -> impl Iterator<Item = CredentialEvent> {
    let (Number(known), last) = (window.credential.generation, window.credential.order);
    let state = window.credential.state;
    (0..=last.0 + 1).map(OrderNumber).flat_map(move |order| {
        let other = Found::Other { generation: Number(known + 1) };
        let found = [Found::Current, Found::Taken, other, Found::Empty, Found::Unreadable];
        let reads = found.map(|found| CredentialEvent::StoreRead { order, found });
        let refreshes = REFRESH_ENDS.map(|end| CredentialEvent::RefreshEnded { order, end });
        let writes = WRITE_ENDS.map(|end| CredentialEvent::WriteEnded { order, end });
        let timer = [CredentialEvent::Elapsed { order }];
        let all = reads.into_iter().chain(refreshes).chain(writes).chain(timer);
        all.filter(move |event| order != last || !is_awaited(state, *event))
    })
}

/// Whether an answer to the last order may be what the credential waits for.
fn is_awaited(state: CredentialState, event: CredentialEvent) -> bool {
    match event {
        CredentialEvent::StoreRead { .. } => matches!(state, CredentialState::Reading { .. }),
        CredentialEvent::RefreshEnded { .. } => state == CredentialState::Refreshing,
        CredentialEvent::WriteEnded { .. } => state == CredentialState::Storing,
        CredentialEvent::Elapsed { .. } => is_open(state),
        CredentialEvent::Wanted { .. } | CredentialEvent::StoreChanged { .. } => true,
    }
}

/// Whether an order is open.
pub(super) fn is_open(state: CredentialState) -> bool {
    match state {
        CredentialState::Reading { .. }
        | CredentialState::Refreshing
        | CredentialState::Storing
        | CredentialState::Waiting { .. } => true,
        CredentialState::Lapsed
        | CredentialState::Fresh
        | CredentialState::Unsaved
        | CredentialState::Refused => false,
    }
}

/// A request that comes again, one before its turn, and one that was refused with what nobody was given.
fn wishes(window: &Window) -> impl Iterator<Item = CredentialEvent> {
    let (Number(known), WaiterId(last)) = (window.credential.generation, window.credential.accepted);
    let wanted = |waiter, newer_than| CredentialEvent::Wanted {
        waiter: WaiterId(waiter),
        newer_than: Number(newer_than),
    };
    let again = (0..=last).map(move |waiter| wanted(waiter, 0));
    again.chain([wanted(last + 2, 0), wanted(last + 1, known + 1)])
}

/// What the store had before.
fn hints(window: &Window) -> impl Iterator<Item = CredentialEvent> {
    let Number(known) = window.credential.generation;
    (0..=known).map(|older| CredentialEvent::StoreChanged { generation: Number(older) })
}
