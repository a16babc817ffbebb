//! The attempts at a remote task beside their twin: one table over event and state.

use super::beside::{self, Side};
use super::page::Observed;
use crate::config::Config;
use crate::retry::{
    AttemptEnd, AttemptNumber, FailureClass, Finding, QueryNumber, Retry, RetryEffect, RetryEnd, RetryEvent,
    RetryReason, RetryRejected, RetryState, RetryTimer,
};
use crate::vocabulary::{Ignored, Outcome};
use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Retry, RetryEffect, RetryRejected>;
type Twin = fn(&Retry, RetryEvent, &Config) -> Said;

/// Bounds that a few attempts and questions reach.
fn small() -> Config {
    Config { task_attempts_max: 3, queries_max: 2, ..super::small() }
}

/// The waits after the first and the second failure, in milliseconds; the third is the last.
const BACKOFF_MS: [u64; 2] = [30_000, 60_000];
/// What somebody asks for who throttles: with the margin as long as the other wait.
const RETRY_AFTER_MS: [u32; 2] = [29_000, 59_000];
const MARGIN_MS: u64 = 1_000;

/// The situation with its last orders taken from it: what is outstanding there.
fn orders(at: &Retry, config: &Config) -> Vec<RetryEffect> {
    let Retry { attempt, query, timer, .. } = *at;
    let arm = |after_ms| RetryEffect::Arm { timer, after_ms };
    match at.state {
        RetryState::Running => Vec::from([RetryEffect::Begin { attempt }, arm(config.attempt_ms.into())]),
        RetryState::Querying { .. } => {
            Vec::from([RetryEffect::Query { attempt, query }, arm(config.query_ms.into())])
        }
        RetryState::Fencing { .. } | RetryState::Cancelling { .. } => {
            Vec::from([RetryEffect::Fence { attempt, query }, arm(config.query_ms.into())])
        }
        RetryState::BackingOff { wait_ms } => Vec::from([arm(wait_ms)]),
        RetryState::Ended(end) => Vec::from([RetryEffect::Ended { end }]),
        RetryState::Unsubmitted | RetryState::Closed => Vec::new(),
    }
}

/// What the attempts make of the event, written from what their vocabulary promises.
fn twin(at: &Retry, event: RetryEvent, config: &Config) -> Said {
    use AttemptEnd as A;
    use RetryEvent as E;
    use RetryState as S;
    let ignored = |why| Err(Outcome::Ignored(why));
    let never = Err(Outcome::Rejected(RetryRejected::NeverAsked { state: at.state, event }));
    let armed = matches!(
        at.state,
        S::Running | S::Querying { .. } | S::Fencing { .. } | S::BackingOff { .. } | S::Cancelling { .. }
    );
    // To a state with all its orders; one that ends a wait takes its timer back first, unless that is what ran out.
    let to = |state, attempts: u32, queries: u32| {
        let waits = matches!(
            state,
            S::Running | S::Querying { .. } | S::Fencing { .. } | S::BackingOff { .. } | S::Cancelling { .. }
        );
        let next = Retry {
            state,
            attempt: AttemptNumber(at.attempt.0 + attempts),
            query: QueryNumber(at.query.0 + queries),
            timer: RetryTimer(at.timer.0 + u32::from(waits)),
        };
        let mut effects = Vec::new();
        if armed && !matches!(event, E::Elapsed { .. }) {
            effects.push(RetryEffect::Disarm { timer: at.timer });
        }
        effects.extend(orders(&next, config));
        // An attempt that goes on is not ordered again.
        if attempts == 0 {
            effects.retain(|effect| !matches!(effect, RetryEffect::Begin { .. }));
        }
        Ok((next, effects))
    };
    let failed = |class| match class {
        FailureClass::Permanent => to(S::Ended(RetryEnd::Failed(RetryReason::Permanent)), 0, 0),
        _ if at.attempt.0 == u32::from(config.task_attempts_max) => {
            to(S::Ended(RetryEnd::Failed(RetryReason::Exhausted)), 0, 0)
        }
        FailureClass::Transient => to(S::BackingOff { wait_ms: BACKOFF_MS[at.attempt.0 as usize - 1] }, 0, 0),
        FailureClass::Throttled { retry_after_ms } => {
            to(S::BackingOff { wait_ms: u64::from(retry_after_ms) + MARGIN_MS }, 0, 0)
        }
    };
    let completed = || to(S::Ended(RetryEnd::Completed { attempt: at.attempt }), 0, 0);
    let is_over = matches!(at.state, S::Ended(_) | S::Closed);
    match event {
        E::Submitted if at.state == S::Unsubmitted => to(S::Running, 1, 0),
        E::Submitted if is_over => ignored(Ignored::Terminal),
        E::Submitted => ignored(Ignored::Duplicate),

        E::AttemptEnded { attempt, .. } | E::Found { attempt, .. }
            if attempt.0 == 0 || attempt > at.attempt =>
        {
            never
        }
        E::AttemptEnded { attempt, .. } | E::Found { attempt, .. } if attempt < at.attempt => {
            ignored(Ignored::Stale)
        }
        E::AttemptEnded { .. } if is_over => ignored(Ignored::Terminal),
        E::AttemptEnded { end, .. } => match (at.state, end) {
            (S::BackingOff { .. }, _) => ignored(Ignored::Duplicate),
            (S::Running, A::Unknown) => to(S::Querying { asked: 1 }, 0, 1),
            (_, A::Unknown) => ignored(Ignored::Duplicate),
            (S::Cancelling { .. }, _) => to(S::Ended(RetryEnd::Cancelled), 0, 0),
            (_, A::Succeeded) => completed(),
            (_, A::Failed(class)) => failed(class),
        },

        E::Found { query, .. } if query.0 == 0 || query > at.query => never,
        E::Found { query, .. } if query < at.query => ignored(Ignored::Stale),
        E::Found { .. } if is_over => ignored(Ignored::Terminal),
        E::Found { finding, .. } => match (at.state, finding) {
            (S::Cancelling { .. }, _) => to(S::Ended(RetryEnd::Cancelled), 0, 0),
            (S::Running | S::BackingOff { .. }, _) => ignored(Ignored::Duplicate),
            (_, Finding::Succeeded) => completed(),
            (_, Finding::Failed(class)) => failed(class),
            (S::Querying { .. }, Finding::NeverStarted) => to(S::Fencing { asked: 1 }, 0, 1),
            (S::Querying { .. }, Finding::StillRunning) => to(S::Running, 0, 0),
            (_, Finding::NeverStarted | Finding::StillRunning) => failed(FailureClass::Transient),
        },

        E::CancelRequested if is_over => ignored(Ignored::Terminal),
        E::CancelRequested => match at.state {
            S::Unsubmitted | S::BackingOff { .. } => to(S::Ended(RetryEnd::Cancelled), 0, 0),
            S::Cancelling { .. } => ignored(Ignored::Duplicate),
            S::Running | S::Querying { .. } | S::Fencing { .. } | S::Ended(_) | S::Closed => {
                to(S::Cancelling { asked: 1 }, 0, 1)
            }
        },

        E::EndAcknowledged => match at.state {
            S::Ended(_) => to(S::Closed, 0, 0),
            S::Closed => ignored(Ignored::Duplicate),
            S::Unsubmitted
            | S::BackingOff { .. }
            | S::Running
            | S::Querying { .. }
            | S::Fencing { .. }
            | S::Cancelling { .. } => never,
        },

        E::Elapsed { timer } if timer.0 == 0 || timer > at.timer => never,
        E::Elapsed { timer } if timer < at.timer || !armed => ignored(Ignored::Stale),
        E::Elapsed { .. } => match at.state {
            S::BackingOff { .. } => to(S::Running, 1, 0),
            S::Querying { asked: 1 } => to(S::Querying { asked: 2 }, 0, 0),
            S::Fencing { asked: 1 } => to(S::Fencing { asked: 2 }, 0, 0),
            S::Cancelling { asked: 1 } => to(S::Cancelling { asked: 2 }, 0, 0),
            S::Querying { .. } | S::Fencing { .. } => {
                to(S::Ended(RetryEnd::Failed(RetryReason::Unknown)), 0, 0)
            }
            S::Cancelling { .. } => to(S::Ended(RetryEnd::CancelUnconfirmed), 0, 0),
            S::Unsubmitted | S::Running | S::Ended(_) | S::Closed => to(S::Querying { asked: 1 }, 0, 1),
        },
    }
}

/// All states, of which some fit no number of attempts.
fn states() -> Vec<RetryState> {
    use RetryState as S;
    let reasons = [RetryReason::Permanent, RetryReason::Exhausted, RetryReason::Unknown];
    let completed = (0..=4).map(|attempt| RetryEnd::Completed { attempt: AttemptNumber(attempt) });
    let ends = reasons
        .map(RetryEnd::Failed)
        .into_iter()
        .chain([RetryEnd::Cancelled, RetryEnd::CancelUnconfirmed])
        .chain(completed);
    let asked =
        (0..=3).flat_map(|asked| [S::Querying { asked }, S::Fencing { asked }, S::Cancelling { asked }]);
    let waits = BACKOFF_MS.map(|wait_ms| S::BackingOff { wait_ms });
    let others = [S::Unsubmitted, S::Running, S::Closed];
    others.into_iter().chain(asked).chain(waits).chain(ends.map(S::Ended)).collect()
}

/// Every combination up to four attempts and three questions, sense or not.
fn combinations() -> Vec<Retry> {
    let mut all = Vec::new();
    for (state, attempt) in states().into_iter().flat_map(|state| (0..=4).map(move |a| (state, a))) {
        for (query, timer) in (0..=3).flat_map(|query| (0..=10).map(move |timer| (query, timer))) {
            let (attempt, query) = (AttemptNumber(attempt), QueryNumber(query));
            all.push(Retry { state, attempt, query, timer: RetryTimer(timer) });
        }
    }
    all
}

/// Those that can be.
fn situations() -> Vec<Retry> {
    combinations().into_iter().filter(|at| at.validate(&small()).is_ok()).collect()
}

const CLASSES: [FailureClass; 4] = [
    FailureClass::Transient,
    FailureClass::Throttled { retry_after_ms: RETRY_AFTER_MS[0] },
    FailureClass::Throttled { retry_after_ms: RETRY_AFTER_MS[1] },
    FailureClass::Permanent,
];

fn events(at: &Retry) -> Vec<RetryEvent> {
    use RetryEvent as E;
    let mut events = Vec::from([E::Submitted, E::CancelRequested, E::EndAcknowledged]);
    for attempt in (0..=at.attempt.0 + 1).map(AttemptNumber) {
        let ends = [AttemptEnd::Succeeded, AttemptEnd::Unknown].into_iter();
        let ends = ends.chain(CLASSES.map(AttemptEnd::Failed));
        events.extend(ends.map(|end| E::AttemptEnded { attempt, end }));
        for query in (0..=at.query.0 + 1).map(QueryNumber) {
            let findings = [Finding::Succeeded, Finding::NeverStarted, Finding::StillRunning].into_iter();
            let findings = findings.chain(CLASSES.map(Finding::Failed));
            events.extend(findings.map(|finding| E::Found { attempt, query, finding }));
        }
    }
    events.extend((0..=at.timer.0 + 1).map(|timer| E::Elapsed { timer: RetryTimer(timer) }));
    events
}

fn machine(at: &Retry, event: RetryEvent, config: &Config) -> Said {
    beside::taken(at, |retry, sink| retry.step(event, config, sink))
}

/// Compares every pair until the first difference; how many there are.
fn compare(config: &Config, twin: Twin) -> Result<usize, String> {
    let repeats = |at: &Retry, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: orders }];
    beside::compare(situations(), events, config, sides)
}

#[test]
fn attempts_and_twin_agree_on_every_pair() {
    let pairs = compare(&small(), twin).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(pairs > 50_000, "the enumeration has shrunk to {pairs} pairs");
}

#[test]
fn is_armed_says_where_a_timer_runs() {
    for at in situations() {
        let arms = orders(&at, &small()).iter().any(|effect| matches!(effect, RetryEffect::Arm { .. }));
        assert_eq!(at.is_armed(), arms, "{at:?}");
    }
}

/// What is reached from the beginning, with timers left out of account.
#[test]
fn validate_accepts_the_attempts_that_can_be_and_no_others() {
    let shape = |at: &Retry| (at.state, at.attempt, at.query);
    let (mut reached, mut frontier) = (BTreeSet::new(), Vec::from([Retry::default()]));
    while let Some(at) = frontier.pop() {
        assert_eq!(at.validate(&small()), Ok(()), "{at:?}");
        for event in events(&at) {
            let mut next = at;
            let _ = next.step(event, &small(), &mut |_| {});
            if next.query.0 <= 3 && next.timer.0 <= 10 && reached.insert(next) {
                frontier.push(next);
            }
        }
    }
    let accepted: BTreeSet<_> = situations().iter().map(shape).collect();
    let reached: BTreeSet<_> = reached.iter().map(shape).collect();
    let either: Vec<_> = reached.symmetric_difference(&accepted).collect();
    assert!(either.is_empty(), "reached, or accepted, and not both: {either:?}");
}

const KINDS: [&str; 6] =
    ["Submitted", "AttemptEnded", "Found", "CancelRequested", "EndAcknowledged", "Elapsed"];

/// The boxes of the diagram with the states in them.
const BOXES: [(&str, &[&str]); 4] = [
    ("Unsubmitted", &["Unsubmitted"]),
    ("Live", &["Running", "Querying", "Fencing", "BackingOff", "Cancelling"]),
    ("Ended", &["Ended(Completed)", "Ended(Failed)", "Ended(Cancelled)", "Ended(CancelUnconfirmed)"]),
    ("Closed", &["Closed"]),
];

fn name(state: RetryState) -> &'static str {
    match state {
        RetryState::Unsubmitted => "Unsubmitted",
        RetryState::Running => "Running",
        RetryState::Querying { .. } => "Querying",
        RetryState::Fencing { .. } => "Fencing",
        RetryState::BackingOff { .. } => "BackingOff",
        RetryState::Cancelling { .. } => "Cancelling",
        RetryState::Ended(RetryEnd::Completed { .. }) => "Ended(Completed)",
        RetryState::Ended(RetryEnd::Failed(_)) => "Ended(Failed)",
        RetryState::Ended(RetryEnd::Cancelled) => "Ended(Cancelled)",
        RetryState::Ended(RetryEnd::CancelUnconfirmed) => "Ended(CancelUnconfirmed)",
        RetryState::Closed => "Closed",
    }
}

fn kind(event: RetryEvent) -> &'static str {
    match event {
        RetryEvent::Submitted => "Submitted",
        RetryEvent::AttemptEnded { .. } => "AttemptEnded",
        RetryEvent::Found { .. } => "Found",
        RetryEvent::CancelRequested => "CancelRequested",
        RetryEvent::EndAcknowledged => "EndAcknowledged",
        RetryEvent::Elapsed { .. } => "Elapsed",
    }
}

fn outcome(refused: &Outcome<RetryRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(RetryRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
    }
}

#[test]
fn page_of_retry_shows_what_the_machine_does() {
    let mut observed = Observed::default();
    for at in situations() {
        for event in events(&at) {
            match machine(&at, event, &small()) {
                Ok((next, _)) => observed.applied(name(at.state), kind(event), name(next.state)),
                Err(refused) => observed.refused(name(at.state), kind(event), outcome(&refused)),
            }
        }
    }
    let diagram = observed.diagram("Unsubmitted", &BOXES, &KINDS);
    observed.assert_page("retry", &diagram, &BOXES, &KINDS);
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin_of_the_attempts() {
    let wrong: [(&str, Twin); 3] = [
        ("an effect less", |at, event, config| {
            let (retry, mut effects) = twin(at, event, config)?;
            effects.truncate(2);
            Ok((retry, effects))
        }),
        ("another refusal", |at, event, config| match twin(at, event, config) {
            Err(Outcome::Ignored(_)) => Err(Outcome::Ignored(Ignored::Stale)),
            other => other,
        }),
        ("a question is not counted", |at, event, config| {
            let (mut retry, effects) = twin(at, event, config)?;
            retry.query = at.query;
            Ok((retry, effects))
        }),
    ];
    for (name, twin) in wrong {
        assert!(compare(&small(), twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_attempts() {
    for fault in crate::faults::Fault::OF_RETRIES.iter().copied() {
        let config = Config { fault: Some(fault), ..small() };
        assert!(compare(&config, twin).is_err(), "nobody noticed {fault:?}");
    }
}
