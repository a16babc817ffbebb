//! The session beside its twin: a list of prompts and one table over event and state.

use super::beside::{self, Side};
use super::page::Observed;
use super::small;
use crate::config::Config;
use crate::session::{
    IteratorEnd, IteratorId, PROMPTS_MAX, PromptEnd, PromptId, Session, SessionEffect, SessionEvent,
    SessionRejected, SessionState,
};
use crate::vocabulary::{Ignored, Outcome};
use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Session, SessionEffect, SessionRejected>;
type Twin = fn(&Session, SessionEvent, &Config) -> Said;

/// The prompts that wait, as a list; the twin's way to see a session.
fn waiting(session: &Session) -> Vec<u32> {
    (session.settled.0 + 1..=session.accepted.0)
        .filter(|prompt| session.withdrawn & 1 << (prompt - session.settled.0 - 1) == 0)
        .collect()
}

/// The session in which these prompts wait.
fn with(state: SessionState, iterator: u32, accepted: u32, waiting: &[u32]) -> Session {
    let settled = waiting.first().map_or(accepted, |first| first - 1);
    let gone = (settled + 1..=accepted).filter(|prompt| !waiting.contains(prompt));
    let withdrawn = gone.fold(0, |bits, prompt| bits | 1 << (prompt - settled - 1));
    Session {
        state,
        iterator: IteratorId(iterator),
        accepted: PromptId(accepted),
        settled: PromptId(settled),
        withdrawn,
    }
}

/// What the session makes of the event, written from what its vocabulary promises.
fn twin(at: &Session, event: SessionEvent, config: &Config) -> Said {
    use SessionEffect as F;
    use SessionEvent as E;
    use SessionState as S;
    let stale = Err(Outcome::Ignored(Ignored::Stale));
    let duplicate = Err(Outcome::Ignored(Ignored::Duplicate));
    let terminal = Err(Outcome::Ignored(Ignored::Terminal));
    let never = Err(Outcome::Rejected(SessionRejected::NeverAsked { state: at.state, event }));
    let (live, last) = (at.iterator, at.accepted.0);
    let queue = waiting(at);
    let has_iterator = !matches!(at.state, S::Dormant | S::Closed);
    let applied = |state, queue: &[u32], last: u32, effects: Vec<F>| {
        let started = effects.iter().filter(|effect| matches!(effect, F::Start { .. })).count();
        let iterator = live.0 + u32::from(started > 0);
        Ok((with(state, iterator, last, queue), effects))
    };
    let start = F::Start { iterator: IteratorId(live.0 + 1) };
    let settle = |prompt, end| F::Settle { prompt: PromptId(prompt), end };
    let give = |prompt| F::Prompt { iterator: live, prompt: PromptId(prompt) };
    let halt = [F::Stop { iterator: live }, F::Arm { iterator: live, after_ms: u64::from(config.stop_ms) }];
    // Without an iterator: the next one, if there is anything for it.
    let next = |queue: &[u32], mut before: Vec<F>| {
        if queue.is_empty() {
            applied(S::Dormant, queue, last, before)
        } else {
            before.push(start);
            applied(S::Starting, queue, last, before)
        }
    };
    match event {
        E::Invoked { prompt } if prompt.0 != 0 && prompt.0 <= last => duplicate,
        E::Invoked { .. } if matches!(at.state, S::Closing | S::Closed) => terminal,
        E::Invoked { prompt } if prompt.0 != last + 1 => {
            Err(Outcome::Rejected(SessionRejected::PromptGap { expected: PromptId(last + 1), got: prompt }))
        }
        E::Invoked { prompt } if last - at.settled.0 == PROMPTS_MAX => {
            Err(Outcome::Rejected(SessionRejected::QueueFull { prompt }))
        }
        E::Invoked { prompt: PromptId(prompt) } => {
            let queue = [queue, Vec::from([prompt])].concat();
            match at.state {
                S::Dormant => applied(S::Starting, &queue, prompt, Vec::from([start])),
                S::Listening => applied(S::Answering, &queue, prompt, Vec::from([give(prompt)])),
                other @ (S::Starting | S::Answering | S::Stopping | S::Closing | S::Closed) => {
                    applied(other, &queue, prompt, Vec::new())
                }
            }
        }

        E::Answered { prompt, .. } if prompt.0 == 0 || prompt.0 > last => never,
        E::Started { iterator }
        | E::Answered { iterator, .. }
        | E::IteratorEnded { iterator, .. }
        | E::StopElapsed { iterator }
            if iterator.0 == 0 || iterator > live =>
        {
            never
        }
        E::Started { iterator }
        | E::Answered { iterator, .. }
        | E::IteratorEnded { iterator, .. }
        | E::StopElapsed { iterator }
            if iterator < live || !has_iterator =>
        {
            stale
        }
        E::Started { .. } => match (at.state, queue.first()) {
            (S::Starting, None) => applied(S::Listening, &queue, last, Vec::new()),
            (S::Starting, Some(first)) => applied(S::Answering, &queue, last, Vec::from([give(*first)])),
            (S::Listening | S::Answering, _) => duplicate,
            (S::Dormant | S::Stopping | S::Closing | S::Closed, _) => stale,
        },
        E::Answered { prompt, .. } => match (at.state, queue.as_slice()) {
            (S::Answering, [first, rest @ ..]) if *first == prompt.0 => {
                let answered = settle(*first, PromptEnd::Answered);
                match rest.first() {
                    None => applied(S::Listening, rest, last, Vec::from([answered])),
                    Some(second) => applied(S::Answering, rest, last, Vec::from([answered, give(*second)])),
                }
            }
            (_, queue) if queue.contains(&prompt.0) => never,
            (
                S::Dormant | S::Starting | S::Listening | S::Answering | S::Stopping | S::Closing | S::Closed,
                _,
            ) => stale,
        },
        E::IteratorEnded { end, .. } => match (at.state, queue.as_slice()) {
            (S::Starting | S::Answering, [first, rest @ ..]) => {
                next(rest, Vec::from([settle(*first, PromptEnd::Failed(end))]))
            }
            (S::Stopping, queue) => next(queue, Vec::from([F::Disarm { iterator: live }])),
            (S::Closing, _) => {
                applied(S::Closed, &[], last, Vec::from([F::Disarm { iterator: live }, F::Closed]))
            }
            (_, queue) => next(queue, Vec::new()),
        },
        E::StopElapsed { .. } => match at.state {
            S::Stopping => next(&queue, Vec::from([F::Kill { iterator: live }])),
            S::Closing => applied(S::Closed, &[], last, Vec::from([F::Kill { iterator: live }, F::Closed])),
            S::Dormant | S::Starting | S::Listening | S::Answering | S::Closed => never,
        },

        E::AbortRequested { prompt } if prompt.0 == 0 || prompt.0 > last => never,
        E::AbortRequested { prompt: PromptId(prompt) } => {
            let Some(place) = queue.iter().position(|waits| *waits == prompt) else { return stale };
            let mut rest = queue;
            rest.remove(place);
            let mut effects = Vec::from([settle(prompt, PromptEnd::Aborted)]);
            if place == 0 && at.state == S::Answering {
                effects.extend(halt);
                applied(S::Stopping, &rest, last, effects)
            } else {
                applied(at.state, &rest, last, effects)
            }
        }
        E::RestartRequested => match (at.state, queue.as_slice()) {
            (S::Answering, [first, rest @ ..]) => {
                let mut effects = Vec::from([settle(*first, PromptEnd::Aborted)]);
                effects.extend(halt);
                applied(S::Stopping, rest, last, effects)
            }
            (S::Starting | S::Listening, queue) => applied(S::Stopping, queue, last, halt.into()),
            (S::Closing | S::Closed, _) => terminal,
            (S::Dormant | S::Answering | S::Stopping, _) => duplicate,
        },
        E::CloseRequested => {
            let mut effects: Vec<F> =
                queue.iter().map(|prompt| settle(*prompt, PromptEnd::Aborted)).collect();
            match at.state {
                S::Closing | S::Closed => duplicate,
                S::Dormant => {
                    effects.push(F::Closed);
                    applied(S::Closed, &[], last, effects)
                }
                S::Stopping => applied(S::Closing, &[], last, effects),
                S::Starting | S::Listening | S::Answering => {
                    effects.extend(halt);
                    applied(S::Closing, &[], last, effects)
                }
            }
        }
    }
}

/// Every session within small bounds that can be: a first prompt is never withdrawn, and who has nothing to do has
/// no prompt.
fn sessions() -> Vec<Session> {
    use SessionState as S;
    let mut sessions = Vec::new();
    for state in [S::Dormant, S::Starting, S::Listening, S::Answering, S::Stopping, S::Closing, S::Closed] {
        for (iterator, settled, length) in
            (0..3).flat_map(|i| (0..3).flat_map(move |s| (0..4).map(move |l| (i, s, l))))
        {
            for withdrawn in (0..1_u32 << length).filter(|bits| bits & 1 == 0) {
                let (needs_iterator, may_wait, must_wait) = match state {
                    S::Dormant | S::Closed => (false, false, false),
                    S::Starting | S::Stopping => (true, true, false),
                    S::Answering => (true, true, true),
                    S::Listening | S::Closing => (true, false, false),
                };
                if needs_iterator && iterator == 0 || length > 0 && !may_wait || length == 0 && must_wait {
                    continue;
                }
                let (iterator, settled) = (IteratorId(iterator), PromptId(settled));
                let accepted = PromptId(settled.0 + length);
                sessions.push(Session { state, iterator, accepted, settled, withdrawn });
            }
        }
    }
    // A full window, with its last prompt withdrawn or not.
    for withdrawn in [0, 1 << (PROMPTS_MAX - 1), u32::MAX - 1] {
        let (settled, accepted) = (PromptId(1), PromptId(1 + PROMPTS_MAX));
        sessions.push(Session { state: S::Answering, iterator: IteratorId(1), accepted, settled, withdrawn });
    }
    sessions
}

fn events(at: &Session) -> Vec<SessionEvent> {
    use IteratorEnd as I;
    let mut events = Vec::from([SessionEvent::RestartRequested, SessionEvent::CloseRequested]);
    for prompt in (0..=at.accepted.0 + 2).map(PromptId) {
        events.extend([SessionEvent::Invoked { prompt }, SessionEvent::AbortRequested { prompt }]);
        events.extend(
            (0..=at.iterator.0 + 1)
                .map(|iterator| SessionEvent::Answered { iterator: IteratorId(iterator), prompt }),
        );
    }
    for iterator in (0..=at.iterator.0 + 1).map(IteratorId) {
        events.extend([SessionEvent::Started { iterator }, SessionEvent::StopElapsed { iterator }]);
        events.extend(
            [I::Normal, I::Transient, I::Throttled, I::Permanent]
                .map(|end| SessionEvent::IteratorEnded { iterator, end }),
        );
    }
    events
}

/// What a restart repeats.
fn twin_resync(at: &Session, config: &Config) -> Vec<SessionEffect> {
    use SessionEffect as F;
    use SessionState as S;
    let iterator = at.iterator;
    match (at.state, waiting(at).first()) {
        (S::Starting, _) => Vec::from([F::Start { iterator }]),
        (S::Answering, Some(first)) => Vec::from([F::Prompt { iterator, prompt: PromptId(*first) }]),
        (S::Stopping | S::Closing, _) => {
            Vec::from([F::Stop { iterator }, F::Arm { iterator, after_ms: config.stop_ms.into() }])
        }
        (S::Closed, _) => Vec::from([F::Closed]),
        (S::Dormant | S::Listening, _) | (S::Answering, None) => Vec::new(),
    }
}

fn machine(at: &Session, event: SessionEvent, config: &Config) -> Said {
    beside::taken(at, |session, sink| session.step(event, config, sink))
}

/// Compares every pair until the first difference; how many there are.
fn compare(config: &Config, twin: Twin) -> Result<usize, String> {
    let repeats = |at: &Session, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: twin_resync }];
    beside::compare(sessions(), events, config, sides)
}

#[test]
fn session_and_twin_agree_on_every_pair() {
    let pairs = compare(&small(), twin).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(pairs > 5_000, "the enumeration has shrunk to {pairs} pairs");
}

const KINDS: [&str; 8] = [
    "Invoked",
    "Started",
    "Answered",
    "IteratorEnded",
    "AbortRequested",
    "RestartRequested",
    "CloseRequested",
    "StopElapsed",
];

/// The boxes of the diagram with the states in them.
const BOXES: [(&str, &[&str]); 4] = [
    ("Dormant", &["Dormant"]),
    ("Live", &["Starting", "Listening", "Answering"]),
    ("Halting", &["Stopping", "Closing"]),
    ("Closed", &["Closed"]),
];

fn name(state: SessionState) -> &'static str {
    match state {
        SessionState::Dormant => "Dormant",
        SessionState::Starting => "Starting",
        SessionState::Listening => "Listening",
        SessionState::Answering => "Answering",
        SessionState::Stopping => "Stopping",
        SessionState::Closing => "Closing",
        SessionState::Closed => "Closed",
    }
}

fn kind(event: SessionEvent) -> &'static str {
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

fn outcome(refused: &Outcome<SessionRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(SessionRejected::PromptGap { .. }) => "Rejected(PromptGap)",
        Outcome::Rejected(SessionRejected::QueueFull { .. }) => "Rejected(QueueFull)",
        Outcome::Rejected(SessionRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
    }
}

#[test]
fn page_of_session_shows_what_the_machine_does() {
    let mut observed = Observed::default();
    for at in sessions() {
        for event in events(&at) {
            match machine(&at, event, &small()) {
                Ok((next, _)) => observed.applied(name(at.state), kind(event), name(next.state)),
                Err(refused) => observed.refused(name(at.state), kind(event), outcome(&refused)),
            }
        }
    }
    let diagram = observed.diagram("Dormant", &BOXES, &KINDS);
    observed.assert_page("session", &diagram, &BOXES, &KINDS);
}

#[test]
fn steps_lead_only_to_sessions_of_the_enumeration() {
    let known: BTreeSet<Session> = sessions().into_iter().collect();
    for at in sessions().into_iter().filter(|at| at.accepted.0 < 3 && at.iterator.0 < 2) {
        for event in events(&at) {
            let mut session = at;
            let _ = session.step(event, &small(), &mut |_| {});
            assert!(known.contains(&session), "{event:?} at {at:?} leads to {session:?}");
        }
    }
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin_of_the_session() {
    let wrong: [(&str, Twin); 3] = [
        ("an effect less", |at, event, config| {
            let (session, mut effects) = twin(at, event, config)?;
            effects.truncate(2);
            Ok((session, effects))
        }),
        ("another refusal", |at, event, config| match twin(at, event, config) {
            Err(Outcome::Ignored(_)) => Err(Outcome::Ignored(Ignored::Stale)),
            other => other,
        }),
        ("a prompt stays withdrawn", |at, event, config| {
            let (mut session, effects) = twin(at, event, config)?;
            session.withdrawn |= at.withdrawn;
            Ok((session, effects))
        }),
    ];
    for (name, twin) in wrong {
        assert!(compare(&small(), twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_session() {
    for fault in crate::faults::Fault::OF_SESSIONS.iter().copied() {
        let config = Config { fault: Some(fault), ..small() };
        assert!(compare(&config, twin).is_err(), "nobody noticed {fault:?}");
    }
}
