//! The requests that a task can have where it stands, and what can be said of them.

use crate::config::Config;
use crate::credential::Generation;
use crate::request::{
    ProfileId, Profiles, Request, RequestEnd, RequestEvent, RequestState, RequestTimer, SendFailure,
};
use crate::task::{Held, Outstanding, TaskState};
use crate::vocabulary::Attempt;
use std::vec::Vec;

/// Whether the kernel tells a task there that a profile is down.
pub(super) fn is_asking(state: TaskState) -> bool {
    matches!(
        state,
        TaskState::Requesting
            | TaskState::Paused(Held::Requesting)
            | TaskState::Cancelling(Outstanding::Request)
    )
}

/// Requests that stand everywhere that a task in this state can have: what they do is compared with a twin of their own.
pub(super) fn requests(config: &Config, state: TaskState) -> Vec<Request> {
    use RequestEvent as E;
    let attempt = Attempt(0);
    let began = E::Began { profiles: Profiles::of(config, 0), previous: None };
    let failed = |attempt, failure| E::SendFailed { attempt, failure, jitter_ms: 0 };
    let lost = failed(attempt, SendFailure::Transient);
    let waited = E::TimerFired { timer: RequestTimer::Backoff(Attempt(1)) };
    let given = |attempt| E::CredentialGiven { attempt, generation: Generation(1) };
    let delivered = E::OutputDelivered { attempt };
    let lives: [&[E]; 9] = [
        &[given(attempt)],
        &[],
        &[given(attempt), delivered],
        &[given(attempt), lost],
        &[given(attempt), lost, waited, given(Attempt(1))],
        &[given(attempt), failed(attempt, SendFailure::Throttled { retry_after_ms: None })],
        &[given(attempt), E::ProfileDown { profile: ProfileId(0) }],
        &[given(attempt), E::PauseRequested, lost, waited, given(Attempt(1))],
        &[given(attempt), failed(attempt, SendFailure::Unauthorized)],
    ];
    let ends: [&[E]; 8] = [
        &[],
        &[E::ResponseEnded { attempt }],
        &[E::CancelRequested],
        &[E::CancelRequested, E::ResponseEnded { attempt }],
        &[E::CancelRequested, E::Stopped { attempt }],
        &[failed(attempt, SendFailure::Invalid)],
        &[failed(attempt, SendFailure::Invalid), E::UsageReported { attempt }],
        &[E::ResponseEnded { attempt }, E::UsageReported { attempt }],
    ];
    let mut found = Vec::from([Request::default()]);
    for (life, end) in lives.iter().flat_map(|life| ends.iter().map(move |end| (*life, *end))) {
        let mut request = Request::default();
        let held = matches!(state, TaskState::Paused(_)).then_some(E::PauseRequested);
        for event in [began].iter().chain(life).chain(held.iter()).chain(end) {
            // A key needs no credential, and what is held already is: not every life is one of every setting.
            let _ = request.step(*event, config, &mut |_| {});
        }
        found.push(request);
    }
    found.sort_unstable();
    found.dedup();
    found.retain(|request| suits(request, state));
    found
}

/// Whether this list would have such a request there at all. The rest is for `validate` to say.
fn suits(request: &Request, state: TaskState) -> bool {
    let end = match request.state {
        RequestState::Ended(end) => Some(end),
        RequestState::Unbegun => return true,
        RequestState::Authorizing { .. }
        | RequestState::Ready { .. }
        | RequestState::Streaming { .. }
        | RequestState::Delivering
        | RequestState::BackingOff { .. }
        | RequestState::Stopping(_) => None,
    };
    let once = request.ledger.sends().len() == 1;
    let is_any = matches!(
        state,
        TaskState::Cancelling(Outstanding::Nothing) | TaskState::Cancelled | TaskState::Failed(_)
    );
    // One that was answered is like the other.
    let is_common = once && matches!(end, Some(RequestEnd::Accepted { .. }));
    if is_asking(state) { end.is_none() } else { end.is_some() && (is_any || is_common) }
}

/// A request that was answered.
pub(super) fn answered(config: &Config) -> Request {
    let of_a_parent = requests(config, TaskState::AwaitingSubtask);
    of_a_parent.into_iter().find(|request| request.state != RequestState::Unbegun).expect("one was answered")
}

const FAILURES: [SendFailure; 6] = [
    SendFailure::Transient,
    SendFailure::Throttled { retry_after_ms: Some(7_000) },
    SendFailure::Unauthorized,
    SendFailure::ContinuityLost,
    SendFailure::Interrupted,
    SendFailure::Invalid,
];

/// What can be said of one send, or of the one that it would be.
pub(super) fn send_events(attempt: Attempt, named: bool) -> impl Iterator<Item = RequestEvent> {
    use RequestEvent as E;
    let failures = if named { &FAILURES[..] } else { &FAILURES[..1] };
    let failed = failures.iter().map(move |failure| {
        let (failure, jitter_ms) = (*failure, 250);
        E::SendFailed { attempt, failure, jitter_ms }
    });
    let others = [
        E::CredentialGiven { attempt, generation: Generation(0) },
        E::CredentialGiven { attempt, generation: Generation(2) },
        E::CredentialFailed { attempt },
        E::OutputDelivered { attempt },
        E::Stopped { attempt },
        E::UsageReported { attempt },
        E::TimerFired { timer: RequestTimer::Backoff(attempt) },
        E::TimerFired { timer: RequestTimer::Grace(attempt) },
    ];
    failed.chain(others)
}
