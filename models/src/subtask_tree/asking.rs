//! What the agent of the first root asks people through `Questions`, and how both learn the end.
//!
//! The agent says what it asks until it is told the end, and acknowledges that. It goes on with it as long as its container runs,
//! also when it was taken for dead. Links lose nothing here, and people answer once.

use downbeat_kernel::{
    News, Outcome, QuestionEffect, QuestionEvent, QuestionKey, QuestionNumber, QuestionState, QuestionTimer,
    Questions, TaskId, Untold,
};

use super::Fault;
use super::act::{AgentIndex, AskAct};
use super::state::{Breach, Fleet, id};
use super::step::Step;
use super::words::{AGENT, QUESTIONS, USER};
use downbeat_wiring::{Word, asker_is_gone};

/// The root whose agent asks.
const ROOT: TaskId = id(0);

/// The questions of the first root, its agent and whoever is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Asking {
    pub(super) questions: Questions,
    /// The last question that an agent had, and whose it is.
    last: QuestionKey,
    agent: AgentIndex,
    /// The agent was not told the end of it.
    waits: bool,
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
        let is_there = fleet.is_up(self.agent);
        if let Some((_, lease)) = fleet.at_work(ROOT)
            && (lease.epoch > self.last.epoch || !self.waits)
        {
            may(AskAct::Ask);
        }
        if self.is_unsaid() && is_there {
            may(AskAct::Say);
        }
        if self.put.is_some() {
            may(AskAct::Answer);
        }
        if self.closing.is_some() {
            may(AskAct::Shut);
        }
        if is_there && self.waits && self.relayed == Some(self.last) {
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
            AskAct::Say => QuestionEvent::Asked { question: self.last },
            AskAct::Answer => QuestionEvent::Answered { question: self.put? },
            AskAct::Shut => QuestionEvent::Closed { question: self.closing? },
            AskAct::Learn => QuestionEvent::Acknowledged { question: self.relayed? },
            AskAct::Elapse => QuestionEvent::Elapsed { timer: self.questions.timer },
        })
    }

    /// An agent asks, and the process has not heard it.
    fn is_unsaid(&self) -> bool {
        self.waits && self.questions.question < self.last
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
        !is_told || (self.is_unsaid() && holds(self.last))
    }

    /// Whether the machine accepts its state. Its timers have low numbers here, as if there had been fewer.
    pub(super) fn is_valid(&self) -> bool {
        let timer = self.questions.timer.0;
        let timer = QuestionTimer(if timer == 0 { 0 } else { timer + 1_000 });
        Questions { timer, ..self.questions }.validate().is_ok()
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
            AskAct::Say => {}
            AskAct::Answer => self.asking.put = None,
            AskAct::Shut => self.asking.closing = None,
            AskAct::Learn => (self.asking.waits, self.asking.relayed) = (false, None),
            AskAct::Elapse => self.asking.armed = false,
        }
    }

    /// Agents number their questions from 1, each its own.
    fn asks(&mut self) {
        let Some((agent, lease)) = self.fleet.at_work(ROOT) else { return };
        let last = self.asking.last;
        let asked = if last.epoch == lease.epoch { last.number.0 } else { 0 };
        let asking = &mut *self.asking;
        asking.last = QuestionKey { epoch: lease.epoch, number: QuestionNumber(asked + 1) };
        (asking.agent, asking.waits) = (agent, true);
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

    pub(super) fn renumber_asking(&mut self) {
        if self.asking.questions.timer.0 > 1 {
            self.asking.questions.timer.0 = 1;
        }
    }
}
