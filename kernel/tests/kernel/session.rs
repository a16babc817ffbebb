//! The session of a worker with its agent: stories, and long random histories with an agent that does its worst.

use downbeat_kernel::{
    Config, Ignored, IteratorEnd, IteratorId, Outcome, PROMPTS_MAX, PromptEnd, PromptId, Session,
    SessionEffect, SessionEvent, SessionRejected, SessionState,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A session after these events, all of which it applies, and the effects of the last one.
#[track_caller]
fn after(events: &[SessionEvent]) -> (Session, Vec<SessionEffect>) {
    let (mut session, mut effects) = (Session::default(), Vec::new());
    for event in events {
        effects.clear();
        let outcome = session.step(*event, &Config::default(), &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
    }
    (session, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(session: &Session, event: SessionEvent) -> Outcome<SessionRejected> {
    let (mut same, mut effects) = (*session, Vec::new());
    let outcome = same.step(event, &Config::default(), &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (session, Vec::new()), "{event:?}");
    outcome
}

fn invoked(prompt: u32) -> SessionEvent {
    SessionEvent::Invoked { prompt: PromptId(prompt) }
}

fn started(iterator: u32) -> SessionEvent {
    SessionEvent::Started { iterator: IteratorId(iterator) }
}

fn answered(iterator: u32, prompt: u32) -> SessionEvent {
    SessionEvent::Answered { iterator: IteratorId(iterator), prompt: PromptId(prompt) }
}

fn ended(iterator: u32, end: IteratorEnd) -> SessionEvent {
    SessionEvent::IteratorEnded { iterator: IteratorId(iterator), end }
}

fn abort(prompt: u32) -> SessionEvent {
    SessionEvent::AbortRequested { prompt: PromptId(prompt) }
}

fn elapsed(iterator: u32) -> SessionEvent {
    SessionEvent::StopElapsed { iterator: IteratorId(iterator) }
}

fn start(iterator: u32) -> SessionEffect {
    SessionEffect::Start { iterator: IteratorId(iterator) }
}

fn prompt(iterator: u32, prompt: u32) -> SessionEffect {
    SessionEffect::Prompt { iterator: IteratorId(iterator), prompt: PromptId(prompt) }
}

fn settle(prompt: u32, end: PromptEnd) -> SessionEffect {
    SessionEffect::Settle { prompt: PromptId(prompt), end }
}

const STOP_MS: u64 = 10_000;

/// An abort, then two more prompts: the script at which all four versions of the as-is protocol can be told apart.
#[test]
fn two_prompts_after_an_abort_are_answered_however_the_iterator_ends() {
    let iterator = IteratorId(1);
    let aborted = [invoked(1), started(1), abort(1), invoked(2), invoked(3)];
    let answers = [started(2), answered(2, 2), answered(2, 3)];
    #[rustfmt::skip]
    let ends = [
        ("it throws",          ended(1, IteratorEnd::Transient), SessionEffect::Disarm { iterator }),
        ("it ends in order",   ended(1, IteratorEnd::Normal),    SessionEffect::Disarm { iterator }),
        ("it never ends",      elapsed(1),                       SessionEffect::Kill { iterator }),
    ];
    for (name, end, first) in ends {
        let (session, effects) = after(&[&aborted[..], &[end]].concat());
        assert_eq!(effects, [first, start(2)], "{name}");
        assert_eq!(session.state, SessionState::Starting, "{name}");
        let (session, effects) = after(&[&aborted[..], &[end], &answers].concat());
        assert_eq!(effects, [settle(3, PromptEnd::Answered)], "{name}");
        assert_eq!(session.state, SessionState::Listening, "{name}");
    }
}

#[test]
fn nothing_of_an_old_iterator_touches_a_newer_one() {
    let (session, _) =
        after(&[invoked(1), started(1), abort(1), invoked(2), elapsed(1), started(2), invoked(3)]);
    let stale = Outcome::Ignored(Ignored::Stale);
    for event in [started(1), answered(1, 1), answered(1, 2), ended(1, IteratorEnd::Transient), elapsed(1)] {
        assert_eq!(refused(&session, event), stale, "{event:?}");
    }
}

#[test]
fn an_abort_stops_the_prompt_that_it_names_and_no_other() {
    let answering = [invoked(1), invoked(2), invoked(3), started(1), answered(1, 1)];
    let (session, _) = after(&answering);
    assert_eq!(refused(&session, abort(1)), Outcome::Ignored(Ignored::Stale), "it was answered just before");

    let (session, effects) = after(&[&answering[..], &[abort(3)]].concat());
    assert_eq!(effects, [settle(3, PromptEnd::Aborted)], "one that waits is taken out");
    assert_eq!(session.state, SessionState::Answering);

    let (session, effects) = after(&[&answering[..], &[abort(3), answered(1, 2)]].concat());
    assert_eq!(effects, [settle(2, PromptEnd::Answered)], "and no iterator is given it");
    assert_eq!(session.state, SessionState::Listening);

    let (_, effects) = after(&[&answering[..], &[abort(2)]].concat());
    let iterator = IteratorId(1);
    let stop = [SessionEffect::Stop { iterator }, SessionEffect::Arm { iterator, after_ms: STOP_MS }];
    assert_eq!(
        effects,
        [&[settle(2, PromptEnd::Aborted)], &stop[..]].concat(),
        "the one that runs is stopped"
    );
}

#[test]
fn an_iterator_that_ends_settles_its_prompt_alone() {
    let failed = PromptEnd::Failed(IteratorEnd::Throttled);
    #[rustfmt::skip]
    let cases: [(&str, &[SessionEvent], &[SessionEffect]); 4] = [
        ("while it answers",       &[invoked(1), started(1), ended(1, IteratorEnd::Throttled)],             &[settle(1, failed)]),
        ("others wait",            &[invoked(1), invoked(2), started(1), ended(1, IteratorEnd::Throttled)], &[settle(1, failed), start(2)]),
        ("before it has started",  &[invoked(1), invoked(2), ended(1, IteratorEnd::Throttled)],             &[settle(1, failed), start(2)]),
        ("while it listens",       &[invoked(1), started(1), answered(1, 1), ended(1, IteratorEnd::Normal)], &[]),
    ];
    for (name, events, effects) in cases {
        assert_eq!(after(events).1, effects, "{name}");
    }
}

#[test]
fn close_settles_everything_and_waits_for_the_iterator() {
    let closing = [invoked(1), invoked(2), started(1), SessionEvent::CloseRequested];
    let iterator = IteratorId(1);
    let aborted = [settle(1, PromptEnd::Aborted), settle(2, PromptEnd::Aborted)];
    let stop = [SessionEffect::Stop { iterator }, SessionEffect::Arm { iterator, after_ms: STOP_MS }];
    assert_eq!(after(&closing).1, [aborted, stop].concat());
    for (end, effect) in [
        (ended(1, IteratorEnd::Normal), SessionEffect::Disarm { iterator }),
        (elapsed(1), SessionEffect::Kill { iterator }),
    ] {
        let (session, effects) = after(&[&closing[..], &[end]].concat());
        assert_eq!(effects, [effect, SessionEffect::Closed], "{end:?}");
        assert_eq!(refused(&session, invoked(3)), Outcome::Ignored(Ignored::Terminal), "{end:?}");
    }
}

/// The bound is on what waits, and not on what has ever come.
#[test]
fn prompts_that_were_answered_make_room() {
    let answers = (1..=20).flat_map(|prompt| [answered(1, prompt), invoked(prompt + 1)]);
    let more = (22..=20 + PROMPTS_MAX).map(invoked);
    let events: Vec<SessionEvent> = [invoked(1), started(1)].into_iter().chain(answers).chain(more).collect();
    let (session, _) = after(&events);
    let prompt = PromptId(21 + PROMPTS_MAX);
    let full = Outcome::Rejected(SessionRejected::QueueFull { prompt });
    assert_eq!(refused(&session, invoked(21 + PROMPTS_MAX)), full);
}

#[test]
fn bounds_are_refused_by_name() {
    let full: Vec<SessionEvent> = (1..=PROMPTS_MAX).map(invoked).collect();
    let (session, _) = after(&full);
    let prompt = PromptId(PROMPTS_MAX + 1);
    let refusals = [
        (invoked(PROMPTS_MAX + 1), SessionRejected::QueueFull { prompt }),
        (
            invoked(PROMPTS_MAX + 2),
            SessionRejected::PromptGap { expected: prompt, got: PromptId(PROMPTS_MAX + 2) },
        ),
        (invoked(0), SessionRejected::PromptGap { expected: prompt, got: PromptId(0) }),
        (
            abort(PROMPTS_MAX + 1),
            SessionRejected::NeverAsked { state: session.state, event: abort(PROMPTS_MAX + 1) },
        ),
        (started(2), SessionRejected::NeverAsked { state: session.state, event: started(2) }),
    ];
    for (event, why) in refusals {
        assert_eq!(refused(&session, event), Outcome::Rejected(why), "{event:?}");
    }
}

#[test]
fn resync_repeats_what_is_outstanding() {
    let iterator = IteratorId(1);
    let stop = [SessionEffect::Stop { iterator }, SessionEffect::Arm { iterator, after_ms: STOP_MS }];
    #[rustfmt::skip]
    let cases: [(&str, &[SessionEvent], &[SessionEffect]); 7] = [
        ("dormant",   &[],                                                         &[]),
        ("starting",  &[invoked(1)],                                               &[start(1)]),
        ("answering", &[invoked(1), invoked(2), started(1)],                       &[prompt(1, 1)]),
        ("listening", &[invoked(1), started(1), answered(1, 1)],                   &[]),
        ("stopping",  &[invoked(1), started(1), abort(1)],                         &stop),
        ("closing",   &[invoked(1), started(1), SessionEvent::CloseRequested],     &stop),
        ("closed",    &[SessionEvent::CloseRequested],                             &[SessionEffect::Closed]),
    ];
    for (name, events, effects) in cases {
        let (session, mut repeated) = (after(events).0, Vec::new());
        session.resync(&Config::default(), &mut |effect| repeated.push(effect));
        assert_eq!(repeated, effects, "{name}");
    }
}

/// An agent, and those who use it; every choice is by chance.
#[derive(Default)]
struct World {
    session: Session,
    /// Iterators that were started and are not gone.
    live: Vec<u32>,
    /// The prompt that each iterator has.
    given: BTreeMap<u32, u32>,
    ends: BTreeMap<u32, PromptEnd>,
    timer: Option<u32>,
    invoked: u32,
    closed: bool,
}

impl World {
    fn take(&mut self, event: SessionEvent) {
        let (before, mut effects) = (self.session, Vec::new());
        let outcome = self.session.step(event, &Config::default(), &mut |effect| effects.push(effect));
        if outcome != Outcome::Applied {
            assert_eq!((before, &effects[..]), (self.session, &[][..]), "S25: {event:?}");
        }
        for effect in effects {
            self.obey(effect, event);
        }
    }

    fn obey(&mut self, effect: SessionEffect, event: SessionEvent) {
        match effect {
            SessionEffect::Start { iterator } => {
                self.live.push(iterator.0);
                assert_eq!(self.live, [iterator.0], "S10: two iterators after {event:?}");
            }
            SessionEffect::Prompt { iterator, prompt } => {
                assert!(self.live.contains(&iterator.0), "a prompt for an iterator that is gone");
                self.given.insert(iterator.0, prompt.0);
            }
            SessionEffect::Stop { .. } => {}
            SessionEffect::Kill { iterator } => self.live.retain(|live| *live != iterator.0),
            SessionEffect::Settle { prompt, end } => {
                assert_eq!(self.ends.insert(prompt.0, end), None, "S11: {prompt:?} was settled twice");
                if end == PromptEnd::Answered {
                    let answer = SessionEvent::Answered { iterator: self.session.iterator, prompt };
                    assert_eq!(event, answer, "S11: another answer settled {prompt:?}");
                }
            }
            SessionEffect::Arm { iterator, .. } => self.timer = Some(iterator.0),
            SessionEffect::Disarm { .. } => self.timer = None,
            SessionEffect::Closed => self.closed = true,
        }
    }

    /// What may happen next, by chance; `odd` events are late, doubled or never asked for.
    fn happen(&mut self, choice: u8, number: u32) {
        let iterator = self.live.first().copied();
        let end = [IteratorEnd::Normal, IteratorEnd::Transient][number as usize % 2];
        match (choice % 9, iterator) {
            (0 | 1, _) => {
                self.invoked += u32::from(self.session.accepted.0 == self.invoked);
                self.take(invoked(self.invoked));
                self.invoked = self.session.accepted.0;
            }
            (2, Some(iterator)) => self.take(started(iterator)),
            (3, Some(iterator)) => {
                if let Some(prompt) = self.given.get(&iterator) {
                    self.take(answered(iterator, *prompt));
                }
            }
            (4, Some(iterator)) => {
                self.live.clear();
                self.take(ended(iterator, end));
            }
            (5, _) => self.take(abort(number % (self.invoked + 2))),
            (6, _) => {
                if let Some(iterator) = self.timer.take() {
                    self.take(elapsed(iterator));
                }
            }
            (7, _) if number.is_multiple_of(5) => self.take(SessionEvent::RestartRequested),
            (7, _) if number.is_multiple_of(31) => self.take(SessionEvent::CloseRequested),
            // Late, doubled, or never asked for.
            (8, _) => {
                let old = number % (self.session.iterator.0 + 2);
                if Some(old) != iterator {
                    self.take(
                        [started(old), answered(old, number % 5), ended(old, end)][number as usize % 3],
                    );
                }
            }
            (2..=7, _) => {}
            (9.., _) => unreachable!("a remainder of 9"),
        }
    }

    /// Everything that is asked for is answered from here on; what is there to do comes to its end.
    fn come_to_rest(&mut self) {
        for _ in 0..4 * PROMPTS_MAX {
            match (self.timer, self.live.first().copied()) {
                (Some(iterator), _) => {
                    self.timer = None;
                    self.take(elapsed(iterator));
                }
                (None, Some(iterator)) => {
                    self.take(started(iterator));
                    if let Some(prompt) = self.given.get(&iterator).copied() {
                        self.take(answered(iterator, prompt));
                    }
                }
                (None, None) => return,
            }
        }
    }
}

proptest! {
    #[test]
    fn every_prompt_is_settled_once_by_its_own_answer(
        events in proptest::collection::vec((any::<u8>(), any::<u32>()), 0..400),
    ) {
        let mut world = World::default();
        for (choice, number) in events {
            world.happen(choice, number);
        }
        world.come_to_rest();
        let settled = world.ends.keys().copied();
        prop_assert!(settled.eq(1..=world.session.accepted.0), "S11: {:?}", world.session);
        prop_assert_eq!(world.closed, world.session.state == SessionState::Closed);
    }
}
