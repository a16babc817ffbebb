//! What the agent of the first root asks people through `Questions`, and how both learn the end.
//!
//! The agent says what it asks until it is told the end, and acknowledges that. It goes on with it as long as its container runs,
//! also when it was taken for dead and another one has asked since. Links lose nothing here, and people answer once.

use downbeat_kernel::{
    News, Outcome, QuestionEffect, QuestionEvent, QuestionKey, QuestionNumber, QuestionState, Questions,
    TaskId, Untold,
};

use super::Fault;
use super::act::{AgentIndex, AskAct};
use super::state::{Breach, Fleet, id};
use super::step::Step;
use super::words::{AGENT, QUESTIONS, USER};
use downbeat_wiring::{Word, asker_is_gone};

/// The root whose agent asks.
const ROOT: TaskId = id(0);

/// An agent, and the last question that it had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Voice {
    agent: AgentIndex,
    question: QuestionKey,
    /// It was not told the end of it.
    waits: bool,
}

/// The questions of the first root, its agents and whoever is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Asking {
    pub(super) questions: Questions,
    /// Who asked last.
    newest: Voice,
    /// Who asked before, was taken for dead, and waits still.
    older: Option<Voice>,
    /// What a person is asked.
    put: Option<QuestionKey>,
    /// Whoever was asked is being told that this one is over.
    closing: Option<QuestionKey>,
    /// What the agent is being told.
    relayed: Option<QuestionKey>,
    armed: bool,
}

impl Asking {
    pub(super) fn acts(&self, fleet: &Fleet, may: &mut impl FnMut(AskAct)) {
        if let Some((_, lease)) = fleet.at_work(ROOT)
            && (lease.epoch > self.newest.question.epoch || !self.newest.waits)
        {
            may(AskAct::Ask);
        }
        let says = |voice: Voice| self.is_unsaid(voice) && fleet.is_up(voice.agent);
        if says(self.newest) {
            may(AskAct::Say);
        }
        if self.older.is_some_and(says) {
            may(AskAct::SayLate);
        }
        if self.put.is_some() {
            may(AskAct::Answer);
        }
        if self.closing.is_some() {
            may(AskAct::Shut);
        }
        let learns =
            |voice: &Voice| fleet.is_up(voice.agent) && voice.waits && self.relayed == Some(voice.question);
        if self.voices().any(|voice| learns(&voice)) {
            may(AskAct::Learn);
        }
        if self.armed {
            may(AskAct::Elapse);
        }
    }

    /// The event that an act is to the questions.
    pub(super) fn event(&self, act: AskAct) -> Option<QuestionEvent> {
        Some(match act {
            AskAct::Ask => return None,
            AskAct::Say => QuestionEvent::Asked { question: self.newest.question },
            AskAct::SayLate => QuestionEvent::Asked { question: self.older?.question },
            AskAct::Answer => QuestionEvent::Answered { question: self.put? },
            AskAct::Shut => QuestionEvent::Closed { question: self.closing? },
            AskAct::Learn => QuestionEvent::Acknowledged { question: self.relayed? },
            AskAct::Elapse => QuestionEvent::Elapsed { timer: self.questions.timer },
        })
    }

    fn voices(&self) -> impl Iterator<Item = Voice> {
        [self.newest].into_iter().chain(self.older)
    }

    /// An agent asks, and the process has not heard it.
    fn is_unsaid(&self, voice: Voice) -> bool {
        voice.waits && self.questions.question < voice.question
    }

    /// Whether something is to be heard or told. A question that is open waits for a person, as long as its agent has its lease.
    pub(super) fn is_unsettled(&self, fleet: &Fleet, is_live: bool) -> bool {
        let holds = |key: QuestionKey| {
            is_live && fleet.at_work(ROOT).is_some_and(|(_, lease)| lease.epoch == key.epoch)
        };
        let is_told = match self.questions.state {
            QuestionState::Silent | QuestionState::Settled { untold: Untold::Nobody, .. } => true,
            QuestionState::Open => holds(self.questions.question),
            QuestionState::Settled { untold: Untold::Both | Untold::Agent | Untold::Person, .. } => false,
        };
        !is_told || self.voices().any(|voice| self.is_unsaid(voice) && holds(voice.question))
    }

    fn tells_agent(&self) -> bool {
        match self.questions.state {
            QuestionState::Settled { untold: Untold::Both | Untold::Agent, .. } => true,
            QuestionState::Settled { untold: Untold::Person | Untold::Nobody, .. }
            | QuestionState::Silent
            | QuestionState::Open => false,
        }
    }
}

impl Step<'_> {
    /// What an act is outside, before the questions know of it.
    pub(super) fn happens_to_asking(&mut self, act: AskAct) {
        match act {
            AskAct::Ask => self.asks(),
            AskAct::Say | AskAct::SayLate => {}
            AskAct::Answer => self.asking.put = None,
            AskAct::Shut => self.asking.closing = None,
            AskAct::Learn => self.learns(),
            AskAct::Elapse => self.asking.armed = false,
        }
    }

    /// Agents number their questions from 1, each its own.
    fn asks(&mut self) {
        let Some((agent, lease)) = self.fleet.at_work(ROOT) else { return };
        let before = self.asking.newest;
        if before.waits && self.fleet.is_up(before.agent) {
            assert!(self.asking.older.is_none(), "a root has two leases at most");
            self.asking.older = Some(before);
        }
        let last = before.question;
        let asked = if last.epoch == lease.epoch { last.number.0 } else { 0 };
        let question = QuestionKey { epoch: lease.epoch, number: QuestionNumber(asked + 1) };
        self.asking.newest = Voice { agent, question, waits: true };
    }

    /// Whoever asked is told the end.
    fn learns(&mut self) {
        let asking = &mut *self.asking;
        if asking.relayed.take() == Some(asking.newest.question) {
            asking.newest.waits = false;
        } else {
            asking.older = None;
        }
    }

    /// Gives the questions an event, and carries out what comes of it.
    pub(super) fn inform_questions(&mut self, event: QuestionEvent) -> bool {
        let (before, mut effects) = (self.asking.questions, Vec::new());
        let config = self.model.settings.questions;
        let outcome = self.asking.questions.step(event, &config, &mut |effect| effects.push(effect));
        let (after, is_silent) = (self.asking.questions, effects.is_empty());
        let is_applied = self.judge_outcome(outcome == Outcome::Applied, || before != after || !is_silent);
        for effect in self.cut_short(effects) {
            self.obey_questions(effect);
        }
        if !self.asking.tells_agent() && self.asking.relayed.is_some() {
            self.asking.relayed = None;
        }
        is_applied
    }

    fn obey_questions(&mut self, effect: QuestionEffect) {
        match effect {
            QuestionEffect::Ask { question } => {
                self.tell(QUESTIONS, USER, || "asks what the agent asks".to_owned());
                let was = self.asking.put.replace(question);
                self.note(Breach::Disorder, was.is_some());
                if self.model.scenario.outbox {
                    self.say(Word::Posted(News::Progress));
                }
            }
            QuestionEffect::Relay { question, .. } => {
                self.tell(QUESTIONS, AGENT, || "tells the agent how its question ended".to_owned());
                self.asking.relayed = Some(question);
            }
            QuestionEffect::Close { question, .. } => {
                self.tell(QUESTIONS, USER, || "asks no more".to_owned());
                let was = self.asking.closing.replace(question);
                self.note(Breach::Disorder, was.is_some());
                self.asking.put = None;
            }
            QuestionEffect::Arm { .. } => {
                let was = std::mem::replace(&mut self.asking.armed, true);
                self.note(Breach::Disorder, was);
            }
            QuestionEffect::Disarm { .. } => self.asking.armed = false,
        }
    }

    /// The process is gone. Its agent is not, and may have lost its lease without a word on record that says so.
    pub(super) fn crash_asking(&mut self) {
        let asking = &mut *self.asking;
        (asking.put, asking.closing, asking.relayed, asking.armed) = (None, None, None, false);
        let (questions, mut effects) = (self.asking.questions, Vec::new());
        questions.resync(&self.model.settings.questions, &mut |effect| effects.push(effect));
        for effect in effects {
            self.obey_questions(effect);
        }
        if let Some(event) = asker_is_gone(&self.fleet.pool, &questions, ROOT)
            && !self.model.has(Fault::LostAskerUntold)
        {
            self.say(Word::Question(event));
        }
    }

    /// Something about the first root is said to its questions.
    pub(super) fn tell_questions(&mut self, root: TaskId, event: QuestionEvent) {
        if self.model.scenario.has_questions() && root == ROOT {
            self.say(Word::Question(event));
        }
    }

    /// What is gone asks nothing more. And a question has two timers, for its time and for the word to its agent, or the second one
    /// again and again: so many are as good as all that there were, also for whoever counts them.
    pub(super) fn renumber_asking(&mut self) {
        if self.asking.older.is_some_and(|older| !self.fleet.is_up(older.agent)) {
            self.asking.older = None;
        }
        let Questions { question, timer, .. } = self.asking.questions;
        let enough = 2 * question.number.0;
        if timer.0 > enough {
            self.asking.questions.timer.0 = enough;
        }
    }
}
