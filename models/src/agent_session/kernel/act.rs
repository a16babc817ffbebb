//! What can happen, and the event that tells the session of it.

use downbeat_kernel::{IteratorEnd, IteratorId, PromptId, SessionEvent, SessionState};
use downbeat_sim::kinds::Kinds;

use super::super::ledger::RequestIndex;
use super::super::sdk::IteratorIndex;
use super::state::State;

/// One event, and whether the process crashes while its orders go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What happens.
    pub act: Act,
    /// The process crashes after so many orders, and less than all, went out.
    pub cut: Option<u8>,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Act {
    /// A caller makes the next request.
    Invoke,
    /// A caller cancels the token of a request that is open.
    Cancel(RequestIndex),
    /// The one in charge aborts what is in progress.
    Abort,
    /// The one in charge wants another iterator.
    Restart,
    /// The one in charge closes the session.
    Close,
    /// An iterator that was ordered runs.
    Start(IteratorIndex),
    /// An iterator that was ordered cannot be started.
    FailToStart(IteratorIndex),
    /// An iterator that was not told to stop answers its prompt.
    Answer(IteratorIndex),
    /// An iterator ends, told to or by itself.
    End(IteratorIndex, IteratorEnd),
    /// An iterator that a crash took is reported as ended.
    ReportLost(IteratorIndex),
    /// The time that an iterator has to stop is over.
    Elapse(IteratorIndex),
    /// The process crashes at rest.
    Crash,
    /// A request comes again.
    InvokeAgain(RequestIndex),
    /// A request comes before the one before it.
    InvokeAhead,
    /// An abort comes for a request that has settled, or that nobody has made.
    CancelLate(RequestIndex),
    /// An iterator is said to run that runs already, was told to stop, is over, or was never ordered.
    StartLate(IteratorIndex),
    /// An answer comes again, after an order to stop, or after the end of its iterator.
    AnswerLate(IteratorIndex, RequestIndex),
    /// The end of an iterator comes again, or of one that was never ordered.
    EndLate(IteratorIndex),
    /// A timer fires that was taken back, or never armed.
    ElapseLate(IteratorIndex),
}

/// The session's number of a request.
pub(super) fn prompt(request: RequestIndex) -> PromptId {
    PromptId(u32::from(request) + 1)
}

/// The session's number of an iterator.
pub(super) fn iterator_id(iterator: IteratorIndex) -> IteratorId {
    IteratorId(u32::from(iterator) + 1)
}

impl Act {
    /// The event that tells the session of it; `None` for what it is not told of, or what cannot happen.
    pub(super) fn event(self, state: &State) -> Option<SessionEvent> {
        let event = match self {
            Self::Invoke => SessionEvent::Invoked { prompt: prompt(state.made()) },
            Self::InvokeAgain(request) => SessionEvent::Invoked { prompt: prompt(request) },
            Self::InvokeAhead => SessionEvent::Invoked { prompt: prompt(state.made() + 1) },
            Self::Cancel(request) | Self::CancelLate(request) => {
                SessionEvent::AbortRequested { prompt: prompt(request) }
            }
            Self::Abort => SessionEvent::AbortRequested { prompt: prompt(state.ledger.in_progress()?) },
            Self::Restart => SessionEvent::RestartRequested,
            Self::Close => SessionEvent::CloseRequested,
            Self::Start(iterator) | Self::StartLate(iterator) => {
                SessionEvent::Started { iterator: iterator_id(iterator) }
            }
            Self::FailToStart(iterator) => ended(iterator, IteratorEnd::Permanent),
            Self::End(iterator, end) => ended(iterator, end),
            Self::ReportLost(iterator) | Self::EndLate(iterator) => ended(iterator, IteratorEnd::Transient),
            Self::Answer(iterator) => {
                let prompt = prompt(state.sdk.works_on(iterator)?);
                SessionEvent::Answered { iterator: iterator_id(iterator), prompt }
            }
            Self::AnswerLate(iterator, request) => {
                SessionEvent::Answered { iterator: iterator_id(iterator), prompt: prompt(request) }
            }
            Self::Elapse(iterator) | Self::ElapseLate(iterator) => {
                SessionEvent::StopElapsed { iterator: iterator_id(iterator) }
            }
            Self::Crash => return None,
        };
        Some(event)
    }
}

fn ended(iterator: IteratorIndex, end: IteratorEnd) -> SessionEvent {
    SessionEvent::IteratorEnded { iterator: iterator_id(iterator), end }
}

/// Every event that changes something, by the state in which it does.
#[rustfmt::skip]
pub(super) const EDGES: [(SessionState, &str); 25] = [
    (SessionState::Dormant,   "Invoked"),
    (SessionState::Starting,  "Invoked"),
    (SessionState::Listening, "Invoked"),
    (SessionState::Answering, "Invoked"),
    (SessionState::Stopping,  "Invoked"),
    (SessionState::Starting,  "Started"),
    (SessionState::Answering, "Answered"),
    (SessionState::Starting,  "IteratorEnded"),
    (SessionState::Listening, "IteratorEnded"),
    (SessionState::Answering, "IteratorEnded"),
    (SessionState::Stopping,  "IteratorEnded"),
    (SessionState::Closing,   "IteratorEnded"),
    (SessionState::Starting,  "AbortRequested"),
    (SessionState::Answering, "AbortRequested"),
    (SessionState::Stopping,  "AbortRequested"),
    (SessionState::Starting,  "RestartRequested"),
    (SessionState::Listening, "RestartRequested"),
    (SessionState::Answering, "RestartRequested"),
    (SessionState::Dormant,   "CloseRequested"),
    (SessionState::Starting,  "CloseRequested"),
    (SessionState::Listening, "CloseRequested"),
    (SessionState::Answering, "CloseRequested"),
    (SessionState::Stopping,  "CloseRequested"),
    (SessionState::Stopping,  "StopElapsed"),
    (SessionState::Closing,   "StopElapsed"),
];

/// The place of an edge among [`EDGES`].
pub(super) fn edge(state: SessionState, event: &str) -> Option<usize> {
    EDGES.iter().position(|known| *known == (state, event))
}

/// The name of an event without what it carries.
pub(super) fn name_of(event: SessionEvent) -> &'static str {
    match event {
        SessionEvent::Invoked { .. } => "Invoked",
        SessionEvent::Started { .. } => "Started",
        SessionEvent::Answered { .. } => "Answered",
        SessionEvent::IteratorEnded { .. } => "IteratorEnded",
        SessionEvent::AbortRequested { .. } => "AbortRequested",
        SessionEvent::RestartRequested => "RestartRequested",
        SessionEvent::CloseRequested => "CloseRequested",
        SessionEvent::StopElapsed { .. } => "StopElapsed",
    }
}
