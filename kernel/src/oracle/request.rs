//! The request beside its [`twin`].

use super::beside::{self, Side};
use super::page::{self, Observed};
use super::request_twin::{twin, twin_resync};
use crate::config::Config;
use crate::credential::Generation;
use crate::request::{
    Aim, Fate, Ledger, Previous, ProfileId, Profiles, Request, RequestEffect, RequestEnd, RequestEvent,
    RequestRejected, RequestState, RequestTimer, SendFailure,
};
use crate::vocabulary::{Attempt, Ignored, Outcome, TurnNumber};
use std::collections::BTreeSet;
use std::format;
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Request, RequestEffect, RequestRejected>;
type Twin = fn(&Request, RequestEvent, &Config) -> Said;

fn small(attempts_max: u16) -> Config {
    Config { attempts_max, ..Config::default() }
}

/// Every way to begin with at most two profiles, and some that cannot be.
fn beginnings() -> Vec<RequestEvent> {
    let previous =
        |profile| Some(Previous { turn: TurnNumber(1), attempt: Attempt(0), profile: ProfileId(profile) });
    let lists = [
        (0, 0, 0),
        (1, 0, 0),
        (1, 0, 1),
        (1, 1, 0),
        (2, 0, 0),
        (2, 0, 2),
        (2, 1, 0),
        (2, 3, 0),
        (1, 2, 0),
        (1, 0, 2),
        (9, 0, 0),
    ];
    lists
        .into_iter()
        .flat_map(|(count, down, keyed)| {
            [None, previous(0), previous(1)]
                .map(|previous| RequestEvent::Began { profiles: Profiles { count, down, keyed }, previous })
        })
        .collect()
}

/// Every event within small bounds but the beginnings.
fn events_of(at: &Request) -> Vec<RequestEvent> {
    use RequestEvent as E;
    let mut events = Vec::from([E::PauseRequested, E::ResumeRequested, E::CancelRequested]);
    let failures = [
        SendFailure::Throttled { retry_after_ms: None },
        SendFailure::Throttled { retry_after_ms: Some(3) },
        SendFailure::Throttled { retry_after_ms: Some(u32::MAX) },
        SendFailure::Unauthorized,
        SendFailure::ContinuityLost,
        SendFailure::ContextTooLong,
        SendFailure::Transient,
        SendFailure::Interrupted,
        SendFailure::Invalid,
    ];
    let last = u16::try_from(at.ledger.sends().len()).expect("few sends");
    for attempt in (0..=last + 1).map(Attempt) {
        events.extend((0..4).map(|token| E::CredentialGiven { attempt, generation: Generation(token) }));
        events.extend(failures.map(|failure| E::SendFailed { attempt, failure, jitter_ms: 7 }));
        events.extend([
            E::CredentialFailed { attempt },
            E::OutputDelivered { attempt },
            E::ResponseEnded { attempt },
            E::Stopped { attempt },
            E::UsageReported { attempt },
            E::TimerFired { timer: RequestTimer::Backoff(attempt) },
            E::TimerFired { timer: RequestTimer::Grace(attempt) },
        ]);
    }
    for profile in (0..3).map(ProfileId) {
        events.extend([E::ProfileDown { profile }, E::ProfileUp { profile }]);
    }
    events
}

fn events(at: &Request) -> Vec<RequestEvent> {
    [beginnings(), events_of(at)].concat()
}

/// Every request that the twin comes to within small bounds. Bills are left out: they lead to no other place.
fn requests(config: &Config) -> BTreeSet<Request> {
    let mut found = BTreeSet::from([Request::default()]);
    let mut frontier = Vec::from([Request::default()]);
    while let Some(at) = frontier.pop() {
        let events = if at.state == RequestState::Unbegun { events(&at) } else { events_of(&at) };
        for event in events {
            let leads = match (event, twin(&at, event, config)) {
                (RequestEvent::UsageReported { .. }, _) | (_, Err(_)) => continue,
                (_, Ok((next, _))) => next,
            };
            if found.insert(leads) {
                frontier.push(leads);
            }
        }
    }
    found
}

/// The same, and each with its first send, or all of them, charged.
fn with_bills(requests: &BTreeSet<Request>) -> impl Iterator<Item = Request> + '_ {
    requests.iter().flat_map(|at| {
        let charged = |upto: usize| {
            let mut sends = at.ledger.sends().to_vec();
            sends.iter_mut().take(upto).for_each(|send| send.charged = true);
            Request { ledger: Ledger::of(&sends), ..*at }
        };
        [*at, charged(1), charged(usize::MAX)]
    })
}

fn machine(at: &Request, event: RequestEvent, config: &Config) -> Said {
    beside::taken(at, |request, sink| request.step(event, config, sink))
}

/// Compares every pair until the first difference; how many there are.
fn compare(config: &Config, twin: Twin) -> Result<usize, String> {
    compare_with(config, twin, &requests(config))
}

fn compare_with(config: &Config, twin: Twin, requests: &BTreeSet<Request>) -> Result<usize, String> {
    let repeats = |at: &Request, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: twin_resync }];
    beside::compare(with_bills(requests), events, config, sides)
}

#[test]
fn request_and_twin_agree_on_every_pair() {
    let mut pairs = 0;
    for attempts_max in [0, 1, 2, 3] {
        pairs += compare(&small(attempts_max), twin).unwrap_or_else(|difference| panic!("{difference}"));
    }
    assert!(pairs > 10_000_000, "the enumeration has shrunk to {pairs} pairs");
}

#[test]
fn validate_accepts_every_request_that_can_be() {
    let config = small(2);
    for at in with_bills(&requests(&config)) {
        assert_eq!(at.validate(&config), Ok(()), "{at:?}");
    }
}

const KINDS: [&str; 15] = [
    "Began",
    "CredentialGiven",
    "CredentialFailed",
    "OutputDelivered",
    "ResponseEnded",
    "SendFailed",
    "Stopped",
    "UsageReported",
    "ProfileDown",
    "ProfileUp",
    "PauseRequested",
    "ResumeRequested",
    "CancelRequested",
    "TimerFired(Backoff)",
    "TimerFired(Grace)",
];

/// The boxes of the diagram with the states in them.
const BOXES: [(&str, &[&str]); 5] = [
    ("Unbegun", &["Unbegun"]),
    ("Waiting", &["Authorizing", "Ready", "BackingOff"]),
    ("Open", &["Streaming", "Delivering"]),
    ("Stopping", &["Stopping(Failover)", "Stopping(Cancel)"]),
    ("Ended", &["Accepted", "Failed", "Cancelled"]),
];

fn name(state: RequestState) -> &'static str {
    match state {
        RequestState::Unbegun => "Unbegun",
        RequestState::Authorizing { .. } => "Authorizing",
        RequestState::Ready { .. } => "Ready",
        RequestState::Streaming { .. } => "Streaming",
        RequestState::Delivering => "Delivering",
        RequestState::BackingOff { .. } => "BackingOff",
        RequestState::Stopping(Aim::Failover { .. }) => "Stopping(Failover)",
        RequestState::Stopping(Aim::Cancel) => "Stopping(Cancel)",
        RequestState::Ended(RequestEnd::Accepted { .. }) => "Accepted",
        RequestState::Ended(RequestEnd::Failed(_)) => "Failed",
        RequestState::Ended(RequestEnd::Cancelled) => "Cancelled",
    }
}

fn kind(event: RequestEvent) -> &'static str {
    match event {
        RequestEvent::Began { .. } => "Began",
        RequestEvent::CredentialGiven { .. } => "CredentialGiven",
        RequestEvent::CredentialFailed { .. } => "CredentialFailed",
        RequestEvent::OutputDelivered { .. } => "OutputDelivered",
        RequestEvent::ResponseEnded { .. } => "ResponseEnded",
        RequestEvent::SendFailed { .. } => "SendFailed",
        RequestEvent::Stopped { .. } => "Stopped",
        RequestEvent::UsageReported { .. } => "UsageReported",
        RequestEvent::ProfileDown { .. } => "ProfileDown",
        RequestEvent::ProfileUp { .. } => "ProfileUp",
        RequestEvent::PauseRequested => "PauseRequested",
        RequestEvent::ResumeRequested => "ResumeRequested",
        RequestEvent::CancelRequested => "CancelRequested",
        RequestEvent::TimerFired { timer: RequestTimer::Backoff(_) } => "TimerFired(Backoff)",
        RequestEvent::TimerFired { timer: RequestTimer::Grace(_) } => "TimerFired(Grace)",
    }
}

fn outcome(refused: &Outcome<RequestRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(RequestRejected::Profiles { .. }) => "Rejected(Profiles)",
        Outcome::Rejected(RequestRejected::UnknownProfile { .. }) => "Rejected(UnknownProfile)",
        Outcome::Rejected(RequestRejected::OldCredential { .. }) => "Rejected(OldCredential)",
        Outcome::Rejected(RequestRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
    }
}

#[test]
fn page_of_request_shows_what_the_machine_does() {
    let (config, mut observed) = (small(3), Observed::default());
    for at in with_bills(&requests(&config)) {
        for event in events(&at) {
            match machine(&at, event, &config) {
                Ok((next, _)) => observed.applied(name(at.state), kind(event), name(next.state)),
                Err(refused) => observed.refused(name(at.state), kind(event), outcome(&refused)),
            }
        }
    }
    let diagram = observed.diagram("Unbegun", &BOXES, &KINDS);
    observed.assert_page("request", &diagram, &BOXES, &KINDS);
    page::assert_part("request", "classes", &classes());
}

/// A request to two profiles whose first send is open, and what leads from it to a failure that is judged.
struct Trial {
    name: &'static str,
    attempts_max: u16,
    before: fn(SendFailure) -> Vec<RequestEvent>,
}

const TRIALS: [Trial; 5] = [
    Trial { name: "the first time", attempts_max: 3, before: |_| Vec::new() },
    Trial { name: "once more", attempts_max: 3, before: once_before },
    Trial {
        name: "its profile is down",
        attempts_max: 3,
        // The other one is down too, so that the stream is not given up at once.
        before: |_| {
            Vec::from([
                RequestEvent::ProfileDown { profile: ProfileId(1) },
                RequestEvent::ProfileDown { profile: ProfileId(0) },
                RequestEvent::ProfileUp { profile: ProfileId(1) },
            ])
        },
    },
    Trial {
        name: "output has gone out",
        attempts_max: 3,
        before: |_| Vec::from([RequestEvent::OutputDelivered { attempt: Attempt(0) }]),
    },
    Trial { name: "no send is left", attempts_max: 1, before: |_| Vec::new() },
];

/// The same failure, and the next send.
fn once_before(failure: SendFailure) -> Vec<RequestEvent> {
    let attempt = Attempt(1);
    Vec::from([
        RequestEvent::SendFailed { attempt: Attempt(0), failure, jitter_ms: 0 },
        RequestEvent::TimerFired { timer: RequestTimer::Backoff(attempt) },
        RequestEvent::CredentialGiven { attempt, generation: Generation(2) },
    ])
}

/// What comes of a failure in a trial, in words; nothing if the trial cannot come to it.
fn tried(trial: &Trial, failure: SendFailure) -> (Request, String) {
    let (mut request, config) = (Request::default(), small(trial.attempts_max));
    let previous = Previous { turn: TurnNumber(1), attempt: Attempt(0), profile: ProfileId(0) };
    let begin = [
        RequestEvent::Began { profiles: Profiles { count: 2, down: 0, keyed: 0 }, previous: Some(previous) },
        RequestEvent::CredentialGiven { attempt: Attempt(0), generation: Generation(1) },
    ];
    for event in begin.into_iter().chain((trial.before)(failure)) {
        let _ = request.step(event, &config, &mut |_| {});
    }
    let last = request.ledger.sends().len().saturating_sub(1);
    let attempt = Attempt(u16::try_from(last).expect("few sends"));
    let event = RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 };
    if request.step(event, &config, &mut |_| {}) != Outcome::Applied {
        return (request, String::new());
    }
    let words = match request.state {
        RequestState::Authorizing { reason, .. } => format!("sent again: `{reason:?}`"),
        RequestState::BackingOff { after, after_ms } => {
            format!("waits {} s: `Retry({after:?})`", after_ms / 1_000)
        }
        RequestState::Ended(RequestEnd::Failed(reason)) => format!("`Failed({reason:?})`"),
        other @ (RequestState::Unbegun
        | RequestState::Ready { .. }
        | RequestState::Streaming { .. }
        | RequestState::Delivering
        | RequestState::Stopping(_)
        | RequestState::Ended(RequestEnd::Accepted { .. } | RequestEnd::Cancelled)) => {
            panic!("{failure:?} leads to {other:?}")
        }
    };
    (request, words)
}

/// What is done about each class of failures, as the machine does it.
fn classes() -> String {
    let names = TRIALS.map(|trial| trial.name).join(" | ");
    let mut lines = Vec::from([
        format!("| class | {names} | may have to be paid |"),
        format!("|{}", "---|".repeat(TRIALS.len() + 2)),
    ]);
    for (name, failure) in [
        ("Throttled, 20 s named", SendFailure::Throttled { retry_after_ms: Some(20_000) }),
        ("Throttled, a day named", SendFailure::Throttled { retry_after_ms: Some(86_400_000) }),
        ("Throttled", SendFailure::Throttled { retry_after_ms: None }),
        ("Unauthorized", SendFailure::Unauthorized),
        ("ContinuityLost", SendFailure::ContinuityLost),
        ("ContextTooLong", SendFailure::ContextTooLong),
        ("Transient", SendFailure::Transient),
        ("Interrupted", SendFailure::Interrupted),
        ("Invalid", SendFailure::Invalid),
    ] {
        let cells = TRIALS.map(|trial| tried(&trial, failure).1).join(" | ");
        let paid = if tried(&TRIALS[0], failure).0.ledger.payable().count() > 0 { "yes" } else { "no" };
        lines.push(format!("| {name} | {cells} | {paid} |"));
    }
    lines.join("\n")
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin_of_the_request() {
    let wrong: [(&str, Twin); 4] = [
        ("an effect less", |at, event, config| {
            let (request, mut effects) = twin(at, event, config)?;
            effects.truncate(1);
            Ok((request, effects))
        }),
        ("another refusal", |at, event, config| match twin(at, event, config) {
            Err(Outcome::Ignored(_)) => Err(Outcome::Ignored(Ignored::Stale)),
            other => other,
        }),
        ("a failure is booked otherwise", |at, event, config| {
            let (request, effects) = twin(at, event, config)?;
            let mut sends = request.ledger.sends().to_vec();
            for send in &mut sends {
                send.fate = if send.fate == Fate::Lost { Fate::Refused } else { send.fate };
            }
            Ok((Request { ledger: Ledger::of(&sends), ..request }, effects))
        }),
        ("a profile stays down", |at, event, config| {
            let (mut request, effects) = twin(at, event, config)?;
            request.profiles.down |= at.profiles.down;
            Ok((request, effects))
        }),
    ];
    for (name, twin) in wrong {
        assert!(compare_with(&small(2), twin, &requests(&small(2))).is_err(), "nobody noticed: {name}");
    }
}

/// What is planted in the conversation is not in any step of a request.
#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_request() {
    use crate::faults::Fault;
    // Most faults show with two sends, among a twentieth of the requests.
    let bounds = [2, 3].map(|attempts_max| (attempts_max, requests(&small(attempts_max))));
    for fault in Fault::OF_REQUESTS.iter().copied().filter(|fault| *fault != Fault::ContinuityShared) {
        let is_seen = bounds.iter().any(|(attempts_max, requests)| {
            let config = Config { fault: Some(fault), ..small(*attempts_max) };
            compare_with(&config, twin, requests).is_err()
        });
        assert!(is_seen, "nobody noticed {fault:?}");
    }
}
