//! What must be true of the questions of a task that are read from outside.

use super::{Asker, QuestionEnd, QuestionKey, QuestionState, Questions, Untold};
use crate::pool::Epoch;
use crate::validate::COUNTER_MAX;
use core::error::Error;
use core::fmt;

/// What is wrong with stored questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionCorrupt {
    /// A number is past its largest, or there are fewer timers than questions.
    Counters,
    /// Somebody can ask under no epoch.
    Asker,
    /// The last question is of an epoch that there was not, or the state says something else about it.
    Question,
    /// An agent waits for something that is not there to be told any more.
    Agent,
}

impl fmt::Display for QuestionCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counters => "the numbers of questions and timers contradict each other",
            Self::Asker => "the agent that can ask was never assigned",
            Self::Question => "the last question does not agree with the state",
            Self::Agent => "an agent that is gone has a question, or is to be told an end",
        })
    }
}

impl Error for QuestionCorrupt {}

impl Questions {
    /// Whether these questions can have come from events.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self) -> Result<(), QuestionCorrupt> {
        let rules = [
            (self.counters_fit(), QuestionCorrupt::Counters),
            (self.asker != Asker::Present || self.epoch.0 > 0, QuestionCorrupt::Asker),
            (self.question_fits(), QuestionCorrupt::Question),
            (self.agent_fits(), QuestionCorrupt::Agent),
        ];
        rules.into_iter().try_for_each(|(fits, corrupt)| if fits { Ok(()) } else { Err(corrupt) })
    }

    /// A question has a timer for its time, and another one for the relay unless its agent was lost before.
    fn counters_fit(&self) -> bool {
        let questions = self.question.number.0;
        let relayed = questions.saturating_sub(1).saturating_add(u32::from(self.relays()));
        questions <= COUNTER_MAX
            && self.timer.0 <= COUNTER_MAX
            && questions.saturating_add(relayed) <= self.timer.0
            && (questions > 0 || self.timer.0 == 0)
    }

    fn question_fits(&self) -> bool {
        let QuestionKey { epoch, number } = self.question;
        let is_named = number.0 > 0 && epoch > Epoch(0) && epoch <= self.epoch;
        match self.state {
            QuestionState::Silent => self.question == QuestionKey::default(),
            QuestionState::Open | QuestionState::Settled { .. } => is_named,
        }
    }

    fn agent_fits(&self) -> bool {
        let is_last = self.question.epoch == self.epoch;
        match self.state {
            QuestionState::Open => is_last && self.asker == Asker::Present,
            // Its task had ended, or it was lost.
            QuestionState::Settled { end: QuestionEnd::Withdrawn, .. }
                if is_last && self.asker == Asker::Present =>
            {
                false
            }
            QuestionState::Settled { untold: Untold::Both | Untold::Agent, .. } => {
                is_last && self.asker != Asker::Absent
            }
            QuestionState::Settled { untold: Untold::Person | Untold::Nobody, .. }
            | QuestionState::Silent => true,
        }
    }

    /// Whether the agent was told the end of the last question at least once.
    fn relays(&self) -> bool {
        match self.state {
            QuestionState::Silent | QuestionState::Open => false,
            QuestionState::Settled { end: QuestionEnd::Answered | QuestionEnd::Expired, .. } => true,
            QuestionState::Settled { end: QuestionEnd::Withdrawn, .. } => self.is_armed(),
        }
    }
}
