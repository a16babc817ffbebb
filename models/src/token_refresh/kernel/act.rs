//! What can happen, and the event that tells a credential of it.

use downbeat_kernel::{
    CredentialEvent, CredentialState, Found, Generation as Number, IfCurrent, Outcome, RefreshEnd, WaiterId,
    WriteEnd,
};
use downbeat_sim::kinds::Kinds;

use super::super::ledger::RequestIndex;
use super::super::server::Answer;
use super::KernelModel;
use super::state::{At, State, WindowIndex, number};

/// What happens, and whether the window crashes while its orders go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What happens.
    pub act: Act,
    /// The window crashes after so many orders, and less than all, went out.
    pub cut: Option<u8>,
}

/// What happens. What has a number of a window is about that window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Act {
    /// Somebody makes the next request.
    Ask(WindowIndex),
    /// The API answers a request, or refuses it.
    Respond(RequestIndex),
    /// The store answers a read or a claim.
    Find(WindowIndex),
    /// The store gives no answer to a read or a claim that could be used.
    FindNothing(WindowIndex),
    /// The store takes a claim down, and has not answered yet.
    Claim(WindowIndex),
    /// A claim ends that nothing needs any more.
    EndClaim,
    /// A claim ends although its token is in use, or what that brought is not stored.
    EndClaimEarly,
    /// A write comes to the store, which does it if it fits.
    Land(WindowIndex),
    /// The store says that it has the new credential.
    Store(WindowIndex),
    /// The store does not say so, whether it has it or not.
    FailToStore(WindowIndex),
    /// The server takes a refresh token, or does not.
    Serve(WindowIndex),
    /// The server takes a refresh token that was used already: it is within its grace period.
    Forgive(WindowIndex),
    /// What the server said arrives.
    Refresh(WindowIndex),
    /// A refresh fails before it comes to the server.
    FailToRefresh(WindowIndex),
    /// The driver says what it has on record about a refresh or a write that a crash has cut off.
    Recover(WindowIndex),
    /// The time of an order is over.
    Elapse(WindowIndex),
    /// A window hears that the store has this content, or had.
    Hint(WindowIndex, u8),
    /// A window crashes at rest.
    Crash(WindowIndex),
    /// The same, and the text of a new credential that is not stored is gone.
    CrashLosing(WindowIndex),
    /// A window starts again.
    Restart(WindowIndex),
    /// By their clocks, windows find every access token due for a refresh.
    Lapse,
    /// Those access tokens expire.
    Expire,
    /// The API takes the newest access token no more.
    Refuse,
    /// A person logs in.
    LogIn,
    /// A person logs out.
    LogOut,
    /// A person takes the credential back at the server, and the store does not know.
    Revoke,
    /// Something comes that is void, or again, or that nobody has asked for.
    Late(WindowIndex, CredentialEvent),
}

impl Act {
    /// The event that tells a window's credential of it; `None` for what no credential is told of, or what cannot happen.
    pub(super) fn event(self, state: &State) -> Option<(WindowIndex, CredentialEvent)> {
        let refresh = |window: WindowIndex, end| {
            let order = state.window(window).credential.order;
            Some((window, CredentialEvent::RefreshEnded { order, end }))
        };
        let write = |window: WindowIndex, end| {
            let order = state.window(window).credential.order;
            Some((window, CredentialEvent::WriteEnded { order, end }))
        };
        let read = |window: WindowIndex, found| {
            let order = state.window(window).credential.order;
            Some((window, CredentialEvent::StoreRead { order, found }))
        };
        match self {
            Self::Ask(window) => Some((window, wanted(state, window, due(state, window)))),
            Self::Respond(request) => match state.at(request) {
                At::Sent { window, number: refused, token, refused: None }
                    if !state.server.accepts(token) =>
                {
                    Some((window, wanted(state, window, number(refused))))
                }
                At::Nowhere | At::Waiting { .. } | At::Sent { .. } => None,
            },
            Self::Find(window) => read(window, found(state, window)),
            Self::FindNothing(window) => read(window, Found::Unreadable),
            Self::Store(window) => write(window, WriteEnd::Stored),
            Self::FailToStore(window) => write(window, unwritten(state, window)),
            Self::Refresh(window) => match state.window(window).flight?.answer? {
                Answer::Granted(_) => refresh(window, RefreshEnd::Refreshed),
                Answer::InvalidGrant => refresh(window, RefreshEnd::InvalidGrant),
                Answer::Error => refresh(window, RefreshEnd::Failed),
            },
            Self::FailToRefresh(window) => refresh(window, RefreshEnd::Failed),
            Self::Recover(window) if state.window(window).is_writing() => {
                write(window, unwritten(state, window))
            }
            Self::Recover(window) => refresh(window, RefreshEnd::Failed),
            Self::Elapse(window) => {
                let order = state.window(window).credential.order;
                Some((window, CredentialEvent::Elapsed { order }))
            }
            Self::Hint(window, content) => {
                Some((window, CredentialEvent::StoreChanged { generation: number(content) }))
            }
            Self::Late(window, event) => Some((window, event)),
            Self::Claim(_)
            | Self::EndClaim
            | Self::EndClaimEarly
            | Self::Land(_)
            | Self::Serve(_)
            | Self::Forgive(_)
            | Self::Crash(_)
            | Self::CrashLosing(_)
            | Self::Restart(_)
            | Self::Lapse
            | Self::Expire
            | Self::Refuse
            | Self::LogIn
            | Self::LogOut
            | Self::Revoke => None,
        }
    }
}

/// The generation that will not do, by the clock of the window: the known one, if it is due for a refresh.
fn due(state: &State, window: WindowIndex) -> Number {
    let Number(known) = state.window(window).credential.generation;
    let text = state.store.text(state.known(window));
    Number(if text.is_some_and(|token| state.server.is_lapsed(token)) { known } else { 0 })
}

fn wanted(state: &State, window: WindowIndex, newer_than: Number) -> CredentialEvent {
    let waiter = WaiterId(state.window(window).credential.accepted.0 + 1);
    CredentialEvent::Wanted { waiter, newer_than }
}

/// What the store says to a read or a claim.
pub(super) fn found(state: &State, window: WindowIndex) -> Found {
    if state.store.is_empty {
        return Found::Empty;
    }
    match state.store.claim {
        _ if state.known(window) != state.store.number => {
            Found::Other { generation: number(state.store.number) }
        }
        Some(holder) if holder != window => Found::Taken,
        Some(_) | None => Found::Current,
    }
}

/// How a write ends of which the store has not said that it is done.
fn unwritten(state: &State, window: WindowIndex) -> WriteEnd {
    if state.window(window).successor.is_some() { WriteEnd::Failed } else { WriteEnd::Lost }
}

const IDLE: &[&str] = &["Lapsed", "Unsaved", "Refused", "Fresh"];
const READING: &[&str] = &["Reading(Refresh)", "Reading(Write)", "Reading(Refuse)"];
const AT_WORK: &[&str] = &["Refreshing", "Storing"];
const WAITING: &[&str] = &["Waiting(Refresh)", "Waiting(Write)", "Waiting(Refuse)"];

/// The table of `docs/credential.md`, as far as it says `Applied`.
const EDGES: [(&str, &[&[&str]]); 6] = [
    ("Wanted", &[IDLE, READING, AT_WORK, WAITING]),
    ("StoreRead", &[READING]),
    ("RefreshEnded", &[&["Refreshing"]]),
    ("WriteEnded", &[&["Storing"]]),
    ("StoreChanged", &[IDLE, READING, AT_WORK, WAITING]),
    ("Elapsed", &[READING, AT_WORK, WAITING]),
];

/// Every state and event that changes something there.
pub(super) fn edges() -> impl Iterator<Item = (&'static str, &'static str)> {
    let flat = |states: &'static [&'static [&'static str]]| states.iter().copied().flatten().copied();
    EDGES.iter().flat_map(move |(event, states)| flat(states).map(move |state| (state, *event)))
}

/// The place among [`edges`] of what an act has a credential do, if that is applied.
pub(super) fn edge_of(model: &KernelModel, before: &State, act: Act) -> Option<usize> {
    let (window, event) = act.event(before)?;
    let mut credential = before.window(window).credential;
    let edge = (state_name(credential.state), event_name(event));
    match credential.step(event, &model.config, &mut |_| {}) {
        Outcome::Applied => edges().position(|known| known == edge),
        Outcome::Ignored(_) | Outcome::Rejected(_) => None,
    }
}

/// The name of a state, as the page has it.
pub(super) fn state_name(state: CredentialState) -> &'static str {
    use CredentialState as S;
    match state {
        S::Lapsed => "Lapsed",
        S::Fresh => "Fresh",
        S::Reading { if_current: IfCurrent::Refresh } => "Reading(Refresh)",
        S::Reading { if_current: IfCurrent::Write } => "Reading(Write)",
        S::Reading { if_current: IfCurrent::Refuse } => "Reading(Refuse)",
        S::Refreshing => "Refreshing",
        S::Storing => "Storing",
        S::Waiting { if_current: IfCurrent::Refresh } => "Waiting(Refresh)",
        S::Waiting { if_current: IfCurrent::Write } => "Waiting(Write)",
        S::Waiting { if_current: IfCurrent::Refuse } => "Waiting(Refuse)",
        S::Unsaved => "Unsaved",
        S::Refused => "Refused",
    }
}

/// The name of an event without what it carries.
pub(super) fn event_name(event: CredentialEvent) -> &'static str {
    match event {
        CredentialEvent::Wanted { .. } => "Wanted",
        CredentialEvent::StoreRead { .. } => "StoreRead",
        CredentialEvent::RefreshEnded { .. } => "RefreshEnded",
        CredentialEvent::WriteEnded { .. } => "WriteEnded",
        CredentialEvent::StoreChanged { .. } => "StoreChanged",
        CredentialEvent::Elapsed { .. } => "Elapsed",
    }
}
