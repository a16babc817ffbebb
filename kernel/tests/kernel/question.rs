//! The questions of a remote task: stories, and long random histories with agents and people who do their worst.

use downbeat_kernel::{
    Asker, Config, Epoch, Ignored, Outcome, QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey,
    QuestionNumber, QuestionRejected, QuestionState, QuestionTimer, Questions, Untold,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const QUESTION_MS: u64 = 86_400_000;
const RELAY_MS: u64 = 5_000;

/// The questions after these events, all of which are applied, and the effects of the last one.
#[track_caller]
fn after(events: &[QuestionEvent]) -> (Questions, Vec<QuestionEffect>) {
    let (mut questions, mut effects) = (Questions::default(), Vec::new());
    for event in events {
        effects.clear();
        let outcome = questions.step(*event, &Config::default(), &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
    }
    (questions, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(questions: &Questions, event: QuestionEvent) -> Outcome<QuestionRejected> {
    let (mut same, mut effects) = (*questions, Vec::new());
    let outcome = same.step(event, &Config::default(), &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (questions, Vec::new()), "{event:?}");
    outcome
}

fn key(epoch: u64, number: u32) -> QuestionKey {
    QuestionKey { epoch: Epoch(epoch), number: QuestionNumber(number) }
}

fn assigned(epoch: u64) -> QuestionEvent {
    QuestionEvent::Assigned { epoch: Epoch(epoch) }
}

fn lost(epoch: u64) -> QuestionEvent {
    QuestionEvent::AgentLost { epoch: Epoch(epoch) }
}

fn asked(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Asked { question: key(epoch, number) }
}

fn answered(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Answered { question: key(epoch, number) }
}

fn acknowledged(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Acknowledged { question: key(epoch, number) }
}

fn closed(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Closed { question: key(epoch, number) }
}

fn elapsed(timer: u32) -> QuestionEvent {
    QuestionEvent::Elapsed { timer: QuestionTimer(timer) }
}

fn relay(epoch: u64, number: u32, end: QuestionEnd) -> QuestionEffect {
    QuestionEffect::Relay { question: key(epoch, number), end }
}

fn close(epoch: u64, number: u32, end: QuestionEnd) -> QuestionEffect {
    QuestionEffect::Close { question: key(epoch, number), end }
}

fn arm(timer: u32, after_ms: u64) -> QuestionEffect {
    QuestionEffect::Arm { timer: QuestionTimer(timer), after_ms }
}

fn disarm(timer: u32) -> QuestionEffect {
    QuestionEffect::Disarm { timer: QuestionTimer(timer) }
}

#[test]
fn a_question_is_told_its_end_whatever_ends_it() {
    use QuestionEnd as E;
    let open = [assigned(1), asked(1, 1)];
    assert_eq!(after(&open).1, [QuestionEffect::Ask { question: key(1, 1) }, arm(1, QUESTION_MS)]);
    let both = |end| Vec::from([disarm(1), relay(1, 1, end), close(1, 1, end), arm(2, RELAY_MS)]);
    #[rustfmt::skip]
    let cases = [
        ("a person answers",       answered(1, 1),            both(E::Answered)),
        ("its time is over",       elapsed(1),                both(E::Expired)[1..].to_vec()),
        ("its task ends",          QuestionEvent::TaskEnded,  both(E::Withdrawn)),
        // Nobody is there to be told but the person.
        ("its agent is lost",      lost(1),                   Vec::from([disarm(1), close(1, 1, E::Withdrawn)])),
        ("its agent is replaced",  assigned(2),               Vec::from([disarm(1), close(1, 1, E::Withdrawn)])),
    ];
    for (name, event, effects) in cases {
        assert_eq!(after(&[&open[..], &[event]].concat()).1, effects, "{name}");
    }
}

#[test]
fn an_end_is_told_until_both_sides_know_it() {
    let answer = [assigned(1), asked(1, 1), answered(1, 1)];
    let told = relay(1, 1, QuestionEnd::Answered);
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], Untold, &[QuestionEffect]); 6] = [
        ("the agent is silent",              &[elapsed(2)],                          Untold::Both,   &[told, arm(3, RELAY_MS)]),
        ("the person's side knows",          &[closed(1, 1)],                        Untold::Agent,  &[]),
        ("the agent is silent after that",   &[closed(1, 1), elapsed(2)],            Untold::Agent,  &[told, arm(3, RELAY_MS)]),
        ("the agent knows first",            &[acknowledged(1, 1)],                  Untold::Person, &[disarm(2)]),
        ("both know",                        &[closed(1, 1), acknowledged(1, 1)],    Untold::Nobody, &[disarm(2)]),
        ("the agent is lost before it knows", &[closed(1, 1), lost(1)],              Untold::Nobody, &[disarm(2)]),
    ];
    for (name, events, untold, effects) in cases {
        let (questions, given) = after(&[&answer[..], events].concat());
        assert_eq!(questions.state, QuestionState::Settled { end: QuestionEnd::Answered, untold }, "{name}");
        assert_eq!(given, effects, "{name}");
    }
}

#[test]
fn an_answer_settles_its_own_question_once_and_in_time() {
    use Ignored::{Duplicate, Stale};
    let settled = [asked(1, 1), answered(1, 1), acknowledged(1, 1), closed(1, 1)];
    let second = [&[assigned(1)], &settled[..], &[asked(1, 2)]].concat();
    let other = [assigned(1), asked(1, 1), assigned(2), closed(1, 1), asked(2, 1)];
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], QuestionEvent, Ignored); 8] = [
        ("answered twice",                     &second[..3],                                     answered(1, 1), Duplicate),
        ("answered twice, when all is settled", &second[..5],                                    answered(1, 1), Duplicate),
        ("for the question before",            &second,                                          answered(1, 1), Stale),
        ("for the agent before",               &other,                                           answered(1, 1), Stale),
        ("when its time is over",              &[assigned(1), asked(1, 1), elapsed(1)],          answered(1, 1), Stale),
        ("when the task has ended",            &[assigned(1), asked(1, 1), QuestionEvent::TaskEnded], answered(1, 1), Stale),
        ("when its agent is lost",             &[assigned(1), asked(1, 1), lost(1)],             answered(1, 1), Stale),
        ("an old acknowledgement",             &[&second[..], &[answered(1, 2)]].concat(),       acknowledged(1, 1), Stale),
    ];
    for (name, events, event, why) in cases {
        assert_eq!(refused(&after(events).0, event), Outcome::Ignored(why), "{name}");
    }
}

#[test]
fn who_may_ask_is_the_agent_of_the_last_assignment_and_one_thing_at_a_time() {
    use Ignored::{Duplicate, Stale, Terminal};
    let ignored = |why| Outcome::Ignored(why);
    let gap = |expected, got| {
        let (expected, got) = (QuestionNumber(expected), QuestionNumber(got));
        Outcome::Rejected(QuestionRejected::QuestionGap { expected, got })
    };
    let unassigned =
        |last, got| Outcome::Rejected(QuestionRejected::NotAssigned { last: Epoch(last), got: Epoch(got) });
    let unsettled = |state| Outcome::Rejected(QuestionRejected::Unsettled { question: key(1, 1), state });
    let told = QuestionState::Settled { end: QuestionEnd::Withdrawn, untold: Untold::Person };
    let open = [assigned(1), asked(1, 1)];
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], QuestionEvent, Outcome<QuestionRejected>); 12] = [
        ("nobody is assigned",          &[],                                      asked(1, 1), unassigned(0, 1)),
        ("under no epoch",              &[assigned(1)],                           asked(0, 1), unassigned(1, 0)),
        ("under an epoch to come",      &[assigned(1)],                           asked(2, 1), unassigned(1, 2)),
        ("lost, and back",              &[assigned(1), lost(1)],                  asked(1, 1), ignored(Stale)),
        ("replaced, and back",          &[assigned(1), assigned(3)],              asked(1, 1), ignored(Stale)),
        ("the task has ended",          &[assigned(1), QuestionEvent::TaskEnded], asked(1, 1), ignored(Terminal)),
        ("it was heard before",         &open,                                    asked(1, 1), ignored(Duplicate)),
        ("no number",                   &open,                                    asked(1, 0), gap(2, 0)),
        ("a number left out",           &open,                                    asked(1, 3), gap(2, 3)),
        ("the first is open",           &open,                                    asked(1, 2), unsettled(QuestionState::Open)),
        ("a new agent begins anew",     &[&open[..], &[assigned(2)]].concat(),    asked(2, 2), gap(1, 2)),
        ("the person has to be told",   &[&open[..], &[assigned(2)]].concat(),    asked(2, 1), unsettled(told)),
    ];
    for (name, events, event, outcome) in cases {
        assert_eq!(refused(&after(events).0, event), outcome, "{name}");
    }
}

#[test]
fn agents_come_and_go_in_the_order_of_their_epochs() {
    use Ignored::{Duplicate, Stale, Terminal};
    let ended = [assigned(2), QuestionEvent::TaskEnded];
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], QuestionEvent, Ignored); 8] = [
        ("assigned again",               &[assigned(2)],          assigned(2),              Duplicate),
        ("assigned before",              &[assigned(2)],          assigned(1),              Stale),
        ("assigned, but lost",           &[assigned(2), lost(2)], assigned(2),              Stale),
        ("assigned after the end",       &ended,                  assigned(3),              Terminal),
        ("lost again",                   &[assigned(2), lost(2)], lost(2),                  Duplicate),
        ("another one was lost",         &[assigned(2)],          lost(1),                  Stale),
        ("lost, and nothing to be told", &ended,                  lost(2),                  Terminal),
        ("ended again",                  &ended,                  QuestionEvent::TaskEnded, Duplicate),
    ];
    for (name, events, event, why) in cases {
        assert_eq!(refused(&after(events).0, event), Outcome::Ignored(why), "{name}");
    }
}

#[test]
fn resync_repeats_what_is_outstanding() {
    use QuestionEnd as E;
    let open = [assigned(1), asked(1, 1)];
    let answer = [&open[..], &[answered(1, 1)]].concat();
    let ask = QuestionEffect::Ask { question: key(1, 1) };
    let (told, shut) = (relay(1, 1, E::Answered), close(1, 1, E::Answered));
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], &[QuestionEffect]); 6] = [
        ("silent",                 &[assigned(1)],                                   &[]),
        ("open",                   &open,                                            &[ask, arm(1, QUESTION_MS)]),
        ("nobody knows the end",   &answer,                                          &[told, shut, arm(2, RELAY_MS)]),
        ("the person knows it",    &[&answer[..], &[closed(1, 1)]].concat(),         &[told, arm(2, RELAY_MS)]),
        ("the agent knows it",     &[&answer[..], &[acknowledged(1, 1)]].concat(),   &[shut]),
        ("both know it",           &[&answer[..], &[acknowledged(1, 1), closed(1, 1)]].concat(), &[]),
    ];
    for (name, events, effects) in cases {
        let (questions, mut repeated) = (after(events).0, Vec::new());
        questions.resync(&Config::default(), &mut |effect| repeated.push(effect));
        assert_eq!(repeated, effects, "{name}");
    }
}

/// Who has heard what, kept from events and effects alone.
#[derive(Default)]
struct World {
    questions: Questions,
    epoch: u64,
    /// Questions that agents have, by epoch.
    wanted: BTreeMap<u64, u32>,
    /// What is put to people.
    open: Option<QuestionKey>,
    /// The ends that were said, to agents and to people.
    ends: BTreeMap<QuestionKey, QuestionEnd>,
    relaying: Option<QuestionKey>,
    closing: Option<QuestionKey>,
    timer: Option<QuestionTimer>,
    task_ended: bool,
}

impl World {
    fn take(&mut self, event: QuestionEvent) {
        let (before, mut effects) = (self.questions, Vec::new());
        let outcome = self.questions.step(event, &Config::default(), &mut |effect| effects.push(effect));
        if outcome == Outcome::Applied {
            self.learn(event);
        } else {
            assert_eq!((before, &effects[..]), (self.questions, &[][..]), "S25: {event:?}");
        }
        for effect in effects {
            self.obey(effect, event);
        }
        self.judge();
    }

    /// What an event that was applied makes of what was outstanding.
    fn learn(&mut self, event: QuestionEvent) {
        match event {
            QuestionEvent::Assigned { .. } | QuestionEvent::AgentLost { .. } => self.relaying = None,
            QuestionEvent::Acknowledged { question } => assert_eq!(self.relaying.take(), Some(question)),
            QuestionEvent::Closed { question } => assert_eq!(self.closing.take(), Some(question)),
            QuestionEvent::Elapsed { timer } => assert_eq!(self.timer.take(), Some(timer)),
            QuestionEvent::TaskEnded => self.task_ended = true,
            QuestionEvent::Asked { .. } | QuestionEvent::Answered { .. } => {}
        }
    }

    fn obey(&mut self, effect: QuestionEffect, event: QuestionEvent) {
        match effect {
            QuestionEffect::Ask { question } => {
                assert_eq!(event, QuestionEvent::Asked { question }, "nobody asked that");
                let before = QuestionNumber(question.number.0 - 1);
                let asked_before = self.ends.contains_key(&QuestionKey { number: before, ..question });
                assert!(question.number.0 == 1 || asked_before, "a question was left out");
                assert_eq!(self.open.replace(question), None, "two questions at once");
                assert!(!self.ends.contains_key(&question), "S7: {question:?} had ended");
            }
            QuestionEffect::Relay { question, end } => {
                assert_eq!(question.epoch, Epoch(self.epoch), "S20: told to an agent that is gone");
                self.ends(question, end, event);
                self.relaying = Some(question);
            }
            QuestionEffect::Close { question, end } => {
                self.ends(question, end, event);
                assert_eq!(self.closing.replace(question), None, "told twice");
            }
            QuestionEffect::Arm { timer, .. } => {
                assert_eq!(self.timer.replace(timer), None, "two timers after {event:?}");
            }
            QuestionEffect::Disarm { timer } => assert_eq!(self.timer.take(), Some(timer)),
        }
    }

    /// S6, S7: one end for each question, which is Answered only by its own answer.
    fn ends(&mut self, question: QuestionKey, end: QuestionEnd, event: QuestionEvent) {
        let known = self.ends.insert(question, end);
        assert!(known.is_none_or(|known| known == end), "S7: {question:?} ended twice");
        if known.is_none() {
            assert_eq!(self.open.take(), Some(question), "S6: it was not open");
            let is_answer = event == QuestionEvent::Answered { question };
            assert_eq!(is_answer, end == QuestionEnd::Answered, "S6: {event:?} made it {end:?}");
        }
    }

    /// A restart repeats exactly what this list holds outstanding.
    fn judge(&self) {
        let mut repeated = Vec::new();
        self.questions.resync(&Config::default(), &mut |effect| repeated.push(effect));
        let mut owed = Vec::new();
        owed.extend(self.open.map(|question| QuestionEffect::Ask { question }));
        let said = |question| self.ends[&question];
        owed.extend(self.relaying.map(|question| QuestionEffect::Relay { question, end: said(question) }));
        owed.extend(self.closing.map(|question| QuestionEffect::Close { question, end: said(question) }));
        let after_ms = if self.open.is_some() { QUESTION_MS } else { RELAY_MS };
        owed.extend(self.timer.map(|timer| QuestionEffect::Arm { timer, after_ms }));
        assert_eq!(repeated, owed);
        assert_eq!(self.questions.validate(), Ok(()), "{:?}", self.questions);
    }

    /// What may happen next, by chance: much of it late, doubled or never asked for.
    fn happen(&mut self, choice: u8, number: u32) {
        let epoch = u64::from(number % 4).min(self.epoch + 1);
        let last = self.questions.question;
        let some = key(epoch, number / 7 % 4);
        match choice % 10 {
            0 if number.is_multiple_of(3) => {
                self.take(assigned(epoch));
                self.epoch = self.questions.epoch.0;
            }
            1 if number.is_multiple_of(5) => self.take(lost(epoch)),
            2 | 3 => {
                let wanted = self.wanted.entry(self.epoch).or_default();
                *wanted += u32::from(self.questions.question == key(self.epoch, *wanted) || *wanted == 0);
                // Sometimes an old one, or one too far.
                let said = [wanted.saturating_sub(1), *wanted + 1, *wanted, *wanted][number as usize % 4];
                self.take(asked(self.epoch, said));
            }
            4 => self.take(QuestionEvent::Answered { question: last }),
            5 => self.take(QuestionEvent::Acknowledged { question: last }),
            6 => self.take(QuestionEvent::Closed { question: last }),
            7 => self.take(QuestionEvent::Elapsed { timer: self.timer.unwrap_or_default() }),
            8 if number.is_multiple_of(37) => self.take(QuestionEvent::TaskEnded),
            8 => self.take(elapsed(number % (self.questions.timer.0 + 2))),
            _ => {
                let events = [
                    QuestionEvent::Asked { question: some },
                    QuestionEvent::Answered { question: some },
                    QuestionEvent::Acknowledged { question: some },
                    QuestionEvent::Closed { question: some },
                ];
                self.take(events[number as usize % 4]);
            }
        }
    }

    /// From here on timers run out, and whoever is told something says so.
    fn come_to_rest(&mut self) {
        for _ in 0..4 {
            if self.open.is_some() {
                self.take(QuestionEvent::Elapsed { timer: self.timer.unwrap_or_default() });
            }
            if let Some(question) = self.relaying {
                self.take(QuestionEvent::Acknowledged { question });
            }
            if let Some(question) = self.closing {
                self.take(QuestionEvent::Closed { question });
            }
        }
    }
}

proptest! {
    #[test]
    fn every_question_comes_to_one_end_that_everybody_is_told(
        events in proptest::collection::vec((any::<u8>(), any::<u32>()), 0..400),
    ) {
        let mut world = World::default();
        for (choice, number) in events {
            world.happen(choice, number);
        }
        world.come_to_rest();
        let rests = (world.open, world.relaying, world.closing, world.timer);
        prop_assert_eq!(rests, (None, None, None, None), "L1: {:?}", world.questions);
        prop_assert_eq!(world.task_ended, world.questions.asker == Asker::Done);
    }
}
