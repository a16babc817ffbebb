//! The questions of a remote task in long random histories, with agents and people who do their worst, and crashes.

#[cfg(feature = "planted-faults")]
use crate::lives::assert_judged;
use crate::lives::{COUNTED_OUT, Chances, chances, damaged, other_numbers};
use crate::question::{QUESTION_MS, RELAY_MS, asked, assigned, elapsed, key, lost};
use downbeat_kernel::{
    Asker, Config, Epoch, Outcome, QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey, QuestionNumber,
    QuestionRecord, QuestionTimer, Questions,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeMap;

/// Who has heard what, kept from events and effects alone.
#[derive(Default)]
struct World {
    config: Config,
    questions: Questions,
    /// What was applied, as records.
    journal: Vec<String>,
    epoch: u64,
    /// Somebody can be told something under that epoch.
    has_agent: bool,
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
    fn live(chances: &Chances, config: Config) -> Self {
        let mut world = Self { config, ..Self::default() };
        for (choice, number) in chances {
            world.happen(*choice, *number);
        }
        world
    }

    fn take(&mut self, event: QuestionEvent) {
        let (before, mut effects) = (self.questions, Vec::new());
        let outcome = self.questions.step(event, &self.config, &mut |effect| effects.push(effect));
        if outcome == Outcome::Applied {
            let record = serde_json::to_string(&QuestionRecord::from(event));
            self.journal.push(record.expect("a record has no maps"));
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
            QuestionEvent::Assigned { epoch } => {
                (self.epoch, self.has_agent, self.relaying) = (epoch.0, true, None);
            }
            QuestionEvent::AgentLost { .. } => (self.has_agent, self.relaying) = (false, None),
            QuestionEvent::Acknowledged { question } => {
                assert_eq!(self.relaying.take(), Some(question), "S20: another end");
            }
            QuestionEvent::Closed { question } => assert_eq!(self.closing.take(), Some(question)),
            QuestionEvent::Elapsed { timer } => assert_eq!(self.timer.take(), Some(timer), "an old timer"),
            QuestionEvent::TaskEnded => self.task_ended = true,
            QuestionEvent::Asked { .. } | QuestionEvent::Answered { .. } => {}
        }
    }

    fn obey(&mut self, effect: QuestionEffect, event: QuestionEvent) {
        match effect {
            QuestionEffect::Ask { question } => {
                assert_eq!(event, QuestionEvent::Asked { question }, "nobody asked that");
                let is_there = self.has_agent && question.epoch == Epoch(self.epoch);
                assert!(is_there, "S20: asked by an agent that is gone");
                let before = QuestionNumber(question.number.0 - 1);
                let asked_before = self.ends.contains_key(&QuestionKey { number: before, ..question });
                assert!(question.number.0 == 1 || asked_before, "a question was left out");
                assert_eq!(self.open.replace(question), None, "two questions at once");
                assert!(!self.ends.contains_key(&question), "S7: {question:?} had ended");
            }
            QuestionEffect::Relay { question, end } => {
                assert_eq!(question.epoch, Epoch(self.epoch), "S20: told to an agent that is gone");
                self.ends(question, end, event);
                let again = matches!(event, QuestionEvent::Elapsed { .. });
                assert!(self.relaying.is_none() || again, "told twice");
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
        self.questions.resync(&self.config, &mut |effect| repeated.push(effect));
        assert!(self.open.is_none() || self.has_agent, "L1: a question outlives its agent");
        assert!(self.open.is_none() || !self.task_ended, "L1: a question outlives its task");
        let mut owed = Vec::new();
        owed.extend(self.open.map(|question| QuestionEffect::Ask { question }));
        let said = |question| self.ends[&question];
        owed.extend(self.relaying.map(|question| QuestionEffect::Relay { question, end: said(question) }));
        owed.extend(self.closing.map(|question| QuestionEffect::Close { question, end: said(question) }));
        let after_ms = if self.open.is_some() { QUESTION_MS } else { RELAY_MS };
        owed.extend(self.timer.map(|timer| QuestionEffect::Arm { timer, after_ms }));
        assert_eq!(repeated, owed, "L1: repeated and owed");
        if !is_faulty(&self.config) {
            assert_eq!(self.questions.validate(), Ok(()), "{:?}", self.questions);
        }
    }

    /// A crash: who comes after it has the journal, and of what is outstanding the orders that are repeated.
    fn restart(&mut self) {
        let (mut again, mut orders) = (Questions::default(), Vec::new());
        for line in &self.journal {
            let record: QuestionRecord = serde_json::from_str(line).expect("it was written");
            assert_eq!(again.step(record.into(), &self.config, &mut |_| {}), Outcome::Applied);
        }
        assert_eq!(again, self.questions, "a journal led to another state");
        (self.open, self.relaying, self.closing, self.timer) = (None, None, None, None);
        again.resync(&self.config, &mut |order| orders.push(order));
        for order in orders {
            match order {
                QuestionEffect::Ask { question } => self.open = Some(question),
                QuestionEffect::Relay { question, .. } => self.relaying = Some(question),
                QuestionEffect::Close { question, .. } => self.closing = Some(question),
                QuestionEffect::Arm { timer, .. } => self.timer = Some(timer),
                QuestionEffect::Disarm { .. } => panic!("nothing runs after a crash: {order:?}"),
            }
        }
        self.questions = again;
    }

    /// What may happen next, by chance: much of it late, doubled or never asked for.
    fn happen(&mut self, choice: u8, number: u32) {
        let epoch = u64::from(number % 4).min(self.epoch + 1);
        let last = self.questions.question;
        let some = key(epoch, number / 7 % 4);
        match choice % 11 {
            0 if number.is_multiple_of(3) => self.take(assigned(epoch)),
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
            10 => self.restart(),
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

/// Whether something is planted that `validate` is not to be the one to find.
fn is_faulty(config: &Config) -> bool {
    *config != Config::default()
}

/// L1: nobody waits, and nothing runs.
fn assert_at_rest(world: &World) {
    let rests = (world.open, world.relaying, world.closing, world.timer);
    assert_eq!(rests, (None, None, None, None), "L1: {:?}", world.questions);
    assert_eq!(world.task_ended, world.questions.asker == Asker::Done);
}

/// Whatever an event can say, near what the questions know.
fn any_event(questions: &Questions, choice: u8, number: u32) -> QuestionEvent {
    let last = questions.question;
    let some = key(u64::from(number % 5), number / 5 % 5);
    let question = if number.is_multiple_of(2) { last } else { some };
    let next = QuestionKey { epoch: questions.epoch, number: QuestionNumber(last.number.0.wrapping_add(1)) };
    let epoch = [questions.epoch, Epoch(questions.epoch.0.wrapping_add(1)), some.epoch][number as usize % 3];
    match choice % 9 {
        0 => QuestionEvent::Assigned { epoch },
        1 => QuestionEvent::AgentLost { epoch },
        2 => QuestionEvent::Asked { question },
        3 => QuestionEvent::Asked { question: next },
        4 => QuestionEvent::Answered { question },
        5 => QuestionEvent::Acknowledged { question },
        6 => QuestionEvent::Closed { question },
        7 => QuestionEvent::Elapsed { timer: questions.timer },
        _ if number.is_multiple_of(7) => QuestionEvent::TaskEnded,
        _ => elapsed(number % 9),
    }
}

proptest! {
    #[test]
    fn every_question_comes_to_one_end_that_everybody_is_told(chances in chances(0..400)) {
        let mut world = World::live(&chances, Config::default());
        world.come_to_rest();
        assert_at_rest(&world);
    }

    /// Numbers in the place of numbers: the snapshot cannot be read, is found out, or is a state from which no event leads
    /// out of validity.
    #[test]
    fn damaged_questions_never_panic(
        before in chances(0..100), place in any::<Index>(), number in other_numbers(), after in chances(1..50),
    ) {
        let config = Config::default();
        let world = World::live(&before, config);
        let read = damaged(&world.questions, place, number);
        if let Some(mut questions) = read.filter(|questions| questions.validate().is_ok()) {
            for (choice, chance) in after {
                let event = any_event(&questions, choice, chance);
                drop(questions.step(event, &config, &mut |_| {}));
                let is_valid = questions.validate().is_ok();
                prop_assert!(number == COUNTED_OUT || is_valid, "{event:?} leads to {questions:?}");
            }
        }
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn judge_finds_every_planted_fault_of_the_questions() {
    use downbeat_kernel::Fault as F;
    let judged = [
        (F::LostAgentAsks, "S20: "),
        (F::QuestionDoubled, "S7: "),
        (F::QuestionGapTaken, "a question was left out"),
        (F::AsksBeside, "two timers"),
        (F::AnyRemoteAnswer, "S6: "),
        (F::LateAnswerTaken, "S7: "),
        (F::LateAnswerRelayed, "S25: "),
        (F::QuestionNeverExpires, "L1: repeated and owed"),
        (F::AnyQuestionTimer, "an old timer"),
        (F::QuestionTimerLeft, "two timers"),
        (F::QuestionOutlivesAgent, "outlives its agent"),
        (F::QuestionOutlivesTask, "outlives its task"),
        (F::AgentUntold, "L1: repeated and owed"),
        (F::PersonUntold, "L1: repeated and owed"),
        (F::RelayedOnce, "L1: repeated and owed"),
        (F::AnyRelayAcknowledged, "S20: another end"),
        (F::ResyncForgetsOpenQuestion, "L1: repeated and owed"),
        (F::ResyncForgetsRelay, "L1: repeated and owed"),
        (F::ResyncForgetsClose, "L1: repeated and owed"),
        (F::ResyncForgetsQuestionTimer, "L1: repeated and owed"),
    ];
    assert_judged(&judged, F::OF_QUESTIONS, |fault, chances| {
        let mut world = World::live(chances, Config { fault: Some(fault), ..Config::default() });
        world.come_to_rest();
        assert_at_rest(&world);
    });
}
