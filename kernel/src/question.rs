//! The questions of a remote task: what its agent asks a person, and how both learn the end.
//!
//! An agent in another place asks, a person answers hours later or never, and meanwhile the agent may have died, or have
//! been replaced, or the task may be over. Three facts keep that apart. A question is named by the assignment under which
//! it was asked and by its number, so that an answer settles that one and no other (S6). While it is open a timer runs, and
//! whatever ends the agent or the task ends the question too, so that each comes to exactly one end (L1, S7). That end is on
//! record before anybody is told, and is told until both sides know it: to the agent by a timer, because its link loses
//! messages, to the person's side after a crash.
//!
//! One of these stands beside each remote task. Whoever drives it finds it by the id of the task.

mod validate;
mod vocabulary;

pub use validate::QuestionCorrupt;
pub use vocabulary::{
    QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey, QuestionNumber, QuestionRejected, QuestionTimer,
};

use crate::config::Config;
use crate::faults::Fault;
use crate::pool::Epoch;
use crate::vocabulary::{Ignored, Outcome};
use serde::{Deserialize, Serialize};

/// Who can ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Asker {
    /// Nobody: the task has no agent.
    #[default]
    Absent,
    /// The agent of the last assignment.
    Present,
    /// Nobody any more: the task has ended. Its agent may still have to be told an end.
    Done,
}

/// Where the last question stands. The diagram is in `docs/question.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum QuestionState {
    /// There was none.
    #[default]
    Silent,
    /// A person is asked, and the time of the question runs.
    Open,
    /// It ended.
    Settled {
        /// How.
        end: QuestionEnd,
        /// Who has still to be told.
        untold: Untold,
    },
}

/// Who does not know the end of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Untold {
    /// The agent that asked and the person who was asked.
    Both,
    /// The agent.
    Agent,
    /// The person.
    Person,
    /// Everybody knows it.
    Nobody,
}

impl Untold {
    fn has_agent(self) -> bool {
        match self {
            Self::Both | Self::Agent => true,
            Self::Person | Self::Nobody => false,
        }
    }

    fn has_person(self) -> bool {
        match self {
            Self::Both | Self::Person => true,
            Self::Agent | Self::Nobody => false,
        }
    }

    fn without_agent(self) -> Self {
        if self.has_person() { Self::Person } else { Self::Nobody }
    }

    fn without_person(self) -> Self {
        if self.has_agent() { Self::Agent } else { Self::Nobody }
    }
}

/// The questions of one remote task. There is one at a time, and of those before it nothing is kept but their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Questions {
    /// Who can ask.
    pub asker: Asker,
    /// The last assignment, 0 before the first.
    pub epoch: Epoch,
    /// The last question, 0 before the first.
    pub question: QuestionKey,
    /// Where it stands.
    pub state: QuestionState,
    /// The last timer that was armed, 0 before the first.
    pub timer: QuestionTimer,
}

type Reply = Outcome<QuestionRejected>;

impl Questions {
    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(
        &mut self,
        event: QuestionEvent,
        config: &Config,
        sink: &mut dyn FnMut(QuestionEffect),
    ) -> Outcome<QuestionRejected> {
        let mut step = Step { questions: self, config, sink };
        match event {
            QuestionEvent::Assigned { epoch } => step.assigned(epoch),
            QuestionEvent::AgentLost { epoch } => step.agent_lost(epoch),
            QuestionEvent::Asked { question } => step.asked(question),
            QuestionEvent::Answered { question } => step.answered(question, event),
            QuestionEvent::Acknowledged { question } => step.acknowledged(question, event),
            QuestionEvent::Closed { question } => step.closed(question, event),
            QuestionEvent::Elapsed { timer } => step.elapsed(timer, event),
            QuestionEvent::TaskEnded => step.task_ended(),
        }
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started. Timers run
    /// their whole time again.
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(QuestionEffect)) {
        let Self { question, state, timer, .. } = *self;
        match state {
            QuestionState::Silent => {}
            QuestionState::Open if config.has(Fault::ResyncForgetsOpenQuestion) => {}
            QuestionState::Open => sink(QuestionEffect::Ask { question }),
            QuestionState::Settled { end, untold } => {
                if untold.has_agent() && !config.has(Fault::ResyncForgetsRelay) {
                    sink(QuestionEffect::Relay { question, end });
                }
                if untold.has_person() && !config.has(Fault::ResyncForgetsClose) {
                    sink(QuestionEffect::Close { question, end });
                }
            }
        }
        if self.is_armed() && !config.has(Fault::ResyncForgetsQuestionTimer) {
            sink(QuestionEffect::Arm { timer, after_ms: self.period(config) });
        }
    }

    /// Whether the timer [`Questions::timer`] runs.
    pub fn is_armed(&self) -> bool {
        match self.state {
            QuestionState::Silent => false,
            QuestionState::Open => true,
            QuestionState::Settled { untold, .. } => untold.has_agent(),
        }
    }

    /// How long the timer runs here, in milliseconds.
    fn period(&self, config: &Config) -> u64 {
        u64::from(match self.state {
            QuestionState::Silent | QuestionState::Open => config.question_ms,
            QuestionState::Settled { .. } => config.relay_ms,
        })
    }

    /// The number that the next question of the present agent has.
    fn expected(&self) -> QuestionNumber {
        let asked = if self.question.epoch == self.epoch { self.question.number.0 } else { 0 };
        QuestionNumber(asked.saturating_add(1))
    }

    /// Whether somebody does not know the end of the last question, or it has none.
    fn is_unsettled(&self) -> bool {
        match self.state {
            QuestionState::Silent | QuestionState::Settled { untold: Untold::Nobody, .. } => false,
            QuestionState::Open
            | QuestionState::Settled { untold: Untold::Both | Untold::Agent | Untold::Person, .. } => true,
        }
    }
}

/// The questions of a task during one step.
struct Step<'s> {
    questions: &'s mut Questions,
    config: &'s Config,
    sink: &'s mut dyn FnMut(QuestionEffect),
}

impl Step<'_> {
    fn assigned(&mut self, epoch: Epoch) -> Reply {
        let Questions { asker, epoch: last, .. } = *self.questions;
        match asker {
            Asker::Done => return Outcome::Ignored(Ignored::Terminal),
            Asker::Present if epoch == last => return Outcome::Ignored(Ignored::Duplicate),
            Asker::Present | Asker::Absent if epoch <= last => return Outcome::Ignored(Ignored::Stale),
            Asker::Present if !self.config.has(Fault::QuestionOutlivesAgent) => self.forget_agent(),
            Asker::Present | Asker::Absent => {}
        }
        (self.questions.asker, self.questions.epoch) = (Asker::Present, epoch);
        Outcome::Applied
    }

    fn agent_lost(&mut self, epoch: Epoch) -> Reply {
        if let Some(refused) = self.unfit(epoch) {
            return refused;
        }
        match self.questions.asker {
            Asker::Absent => return Outcome::Ignored(Ignored::Duplicate),
            Asker::Done if !self.tells_agent() => return Outcome::Ignored(Ignored::Terminal),
            Asker::Done => self.forget_agent(),
            Asker::Present => {
                if !self.config.has(Fault::QuestionOutlivesAgent) {
                    self.forget_agent();
                }
                self.questions.asker = Asker::Absent;
            }
        }
        Outcome::Applied
    }

    fn asked(&mut self, question: QuestionKey) -> Reply {
        let lost = self.config.has(Fault::LostAgentAsks) && question.epoch.0 != 0;
        if let (Some(refused), false) = (self.unfit(question.epoch), lost) {
            return refused;
        }
        match self.questions.asker {
            Asker::Absent if !lost => return Outcome::Ignored(Ignored::Stale),
            Asker::Done => return Outcome::Ignored(Ignored::Terminal),
            Asker::Absent | Asker::Present => {}
        }
        let Questions { question: last, state, .. } = *self.questions;
        let expected = self.questions.expected();
        let is_known = question.number.0 != 0 && question.number < expected;
        if is_known && !self.config.has(Fault::QuestionDoubled) {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        if question.number != expected && !is_known && !self.config.has(Fault::QuestionGapTaken) {
            return Outcome::Rejected(QuestionRejected::QuestionGap { expected, got: question.number });
        }
        if self.questions.is_unsettled() && !self.config.has(Fault::AsksBeside) {
            return Outcome::Rejected(QuestionRejected::Unsettled { question: last, state });
        }
        (self.questions.question, self.questions.state) = (question, QuestionState::Open);
        (self.sink)(QuestionEffect::Ask { question });
        if !self.config.has(Fault::QuestionNeverExpires) {
            self.arm();
        }
        Outcome::Applied
    }

    /// S6: the question that it names, while it is open, and only once.
    fn answered(&mut self, question: QuestionKey, event: QuestionEvent) -> Reply {
        let open = self.questions.state == QuestionState::Open;
        let any = self.config.has(Fault::AnyRemoteAnswer) && open;
        if let (Some(refused), false) = (self.other(question, event), any) {
            return refused;
        }
        match self.questions.state {
            QuestionState::Open => {
                self.disarm();
                self.settle(QuestionEnd::Answered);
                Outcome::Applied
            }
            QuestionState::Settled { end: QuestionEnd::Answered, .. } => Outcome::Ignored(Ignored::Duplicate),
            QuestionState::Settled { end: QuestionEnd::Expired | QuestionEnd::Withdrawn, untold }
                if self.config.has(Fault::LateAnswerTaken) && untold.has_agent() =>
            {
                self.disarm();
                self.settle(QuestionEnd::Answered);
                Outcome::Applied
            }
            QuestionState::Settled { end: QuestionEnd::Expired | QuestionEnd::Withdrawn, .. } => {
                if self.config.has(Fault::LateAnswerRelayed) {
                    (self.sink)(QuestionEffect::Relay { question, end: QuestionEnd::Answered });
                }
                Outcome::Ignored(Ignored::Stale)
            }
            QuestionState::Silent => self.never_asked(event),
        }
    }

    fn acknowledged(&mut self, question: QuestionKey, event: QuestionEvent) -> Reply {
        let any = self.config.has(Fault::AnyRelayAcknowledged) && self.tells_agent();
        if let (Some(refused), false) = (self.other(question, event), any) {
            return refused;
        }
        match self.questions.state {
            QuestionState::Settled { untold: Untold::Both | Untold::Agent, .. } => {
                self.forget_agent();
                Outcome::Applied
            }
            QuestionState::Settled { untold: Untold::Person | Untold::Nobody, .. } => {
                Outcome::Ignored(Ignored::Duplicate)
            }
            QuestionState::Silent | QuestionState::Open => self.never_asked(event),
        }
    }

    fn closed(&mut self, question: QuestionKey, event: QuestionEvent) -> Reply {
        if let Some(refused) = self.other(question, event) {
            return refused;
        }
        match self.questions.state {
            QuestionState::Settled { end, untold } if untold.has_person() => {
                self.questions.state = QuestionState::Settled { end, untold: untold.without_person() };
                Outcome::Applied
            }
            QuestionState::Settled { .. } => Outcome::Ignored(Ignored::Duplicate),
            QuestionState::Silent | QuestionState::Open => self.never_asked(event),
        }
    }

    fn elapsed(&mut self, timer: QuestionTimer, event: QuestionEvent) -> Reply {
        let Questions { timer: last, question, state, .. } = *self.questions;
        if timer.0 == 0 || timer > last {
            return self.never_asked(event);
        }
        let current = timer == last || self.config.has(Fault::AnyQuestionTimer);
        match state {
            QuestionState::Open if current => self.settle(QuestionEnd::Expired),
            QuestionState::Settled { end, untold: Untold::Both | Untold::Agent } if current => {
                (self.sink)(QuestionEffect::Relay { question, end });
                self.arm();
            }
            QuestionState::Silent | QuestionState::Open | QuestionState::Settled { .. } => {
                return Outcome::Ignored(Ignored::Stale);
            }
        }
        Outcome::Applied
    }

    fn task_ended(&mut self) -> Reply {
        if self.questions.asker == Asker::Done {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        self.questions.asker = Asker::Done;
        if self.questions.state == QuestionState::Open && !self.config.has(Fault::QuestionOutlivesTask) {
            self.disarm();
            self.settle(QuestionEnd::Withdrawn);
        }
        Outcome::Applied
    }

    /// The question ends, and the agent that asked and the person who was asked are told.
    fn settle(&mut self, end: QuestionEnd) {
        let question = self.questions.question;
        self.questions.state = QuestionState::Settled { end, untold: Untold::Both };
        let told = end == QuestionEnd::Answered || !self.config.has(Fault::AgentUntold);
        if told {
            (self.sink)(QuestionEffect::Relay { question, end });
        }
        if !self.config.has(Fault::PersonUntold) {
            (self.sink)(QuestionEffect::Close { question, end });
        }
        if told && !self.config.has(Fault::RelayedOnce) {
            self.arm();
        }
    }

    /// There is no agent any more that could be told, or it knows: what it has open ends without it.
    fn forget_agent(&mut self) {
        let Questions { question, state, .. } = *self.questions;
        match state {
            QuestionState::Open => {
                let end = QuestionEnd::Withdrawn;
                self.disarm();
                self.questions.state = QuestionState::Settled { end, untold: Untold::Person };
                (self.sink)(QuestionEffect::Close { question, end });
            }
            QuestionState::Settled { end, untold } if untold.has_agent() => {
                self.disarm();
                self.questions.state = QuestionState::Settled { end, untold: untold.without_agent() };
            }
            QuestionState::Silent | QuestionState::Settled { .. } => {}
        }
    }

    fn arm(&mut self) {
        self.questions.timer.0 += 1;
        let after_ms = self.questions.period(self.config);
        (self.sink)(QuestionEffect::Arm { timer: self.questions.timer, after_ms });
    }

    fn disarm(&mut self) {
        if !self.config.has(Fault::QuestionTimerLeft) {
            (self.sink)(QuestionEffect::Disarm { timer: self.questions.timer });
        }
    }

    /// Whether the agent has still to be told the end.
    fn tells_agent(&self) -> bool {
        match self.questions.state {
            QuestionState::Settled { untold, .. } => untold.has_agent(),
            QuestionState::Silent | QuestionState::Open => false,
        }
    }

    /// Why an epoch is not that of the last assignment, if it is not (S20).
    fn unfit(&self, epoch: Epoch) -> Option<Reply> {
        let last = self.questions.epoch;
        if epoch.0 == 0 || epoch > last {
            return Some(Outcome::Rejected(QuestionRejected::NotAssigned { last, got: epoch }));
        }
        (epoch < last).then_some(Outcome::Ignored(Ignored::Stale))
    }

    /// Why a question is not the last one, if it is not.
    fn other(&self, question: QuestionKey, event: QuestionEvent) -> Option<Reply> {
        let last = self.questions.question;
        if question.epoch.0 == 0 || question.number.0 == 0 || question > last {
            return Some(self.never_asked(event));
        }
        (question < last).then_some(Outcome::Ignored(Ignored::Stale))
    }

    fn never_asked(&self, event: QuestionEvent) -> Reply {
        Outcome::Rejected(QuestionRejected::NeverAsked { state: self.questions.state, event })
    }
}
