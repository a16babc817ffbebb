//! The words of the questions of a remote task: ids, events, effects, refusals.

use super::QuestionState;
use crate::pool::Epoch;
use serde::{Deserialize, Serialize};

/// One question of one agent. An agent numbers its questions from 1, without gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuestionNumber(pub u32);

/// Which question of a task it is. Later questions are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QuestionKey {
    /// The assignment whose agent asks.
    pub epoch: Epoch,
    /// Which of its questions.
    pub number: QuestionNumber,
}

/// A timer of the questions of a task, which number them from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuestionTimer(pub u32);

/// A fact about the questions of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum QuestionEvent {
    /// The task has an agent, and those before are gone.
    Assigned {
        /// Under which epoch.
        epoch: Epoch,
    },
    /// The agent is gone, or is taken to be, or was released: it can be told nothing any more.
    AgentLost {
        /// Under which epoch it worked.
        epoch: Epoch,
    },
    /// The agent has a question for a person. It says so again until it is told the end.
    Asked {
        /// Which question.
        question: QuestionKey,
    },
    /// A person answered. Answers [`QuestionEffect::Ask`]; the words stay with whoever drives, under this key.
    Answered {
        /// Which question.
        question: QuestionKey,
    },
    /// The agent knows the end of its question. Answers [`QuestionEffect::Relay`].
    Acknowledged {
        /// Which question.
        question: QuestionKey,
    },
    /// Whoever was asked knows that the question is over. Answers [`QuestionEffect::Close`].
    Closed {
        /// Which question.
        question: QuestionKey,
    },
    /// The timer ran out. Answers [`QuestionEffect::Arm`].
    Elapsed {
        /// Which timer.
        timer: QuestionTimer,
    },
    /// The task ended.
    TaskEnded,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum QuestionEnd {
    /// A person answered it in time.
    Answered,
    /// Its time was over.
    Expired,
    /// Its task ended first, or the agent that asked was lost.
    Withdrawn,
}

/// An order to whoever drives the questions of a task. Orders are given at least once: the key of the question is the
/// idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum QuestionEffect {
    /// Put the question to a person; answer [`QuestionEvent::Answered`].
    Ask {
        /// Which question.
        question: QuestionKey,
    },
    /// Tell the agent that asked how its question ended, with the answer if there is one; answer
    /// [`QuestionEvent::Acknowledged`].
    Relay {
        /// Which question.
        question: QuestionKey,
        /// How it ended.
        end: QuestionEnd,
    },
    /// Tell whoever was asked that the question is over; answer [`QuestionEvent::Closed`].
    Close {
        /// Which question.
        question: QuestionKey,
        /// How it ended.
        end: QuestionEnd,
    },
    /// Answer [`QuestionEvent::Elapsed`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        timer: QuestionTimer,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// That timer is not needed any more.
    Disarm {
        /// Which one.
        timer: QuestionTimer,
    },
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuestionRejected {
    /// The task was never assigned under this epoch.
    NotAssigned {
        /// The epoch of the last assignment.
        last: Epoch,
        /// The epoch that arrived.
        got: Epoch,
    },
    /// A question number was left out.
    QuestionGap {
        /// The number that comes next.
        expected: QuestionNumber,
        /// The number that arrived.
        got: QuestionNumber,
    },
    /// An agent asks one question at a time: the next one is taken when everybody knows the end of this one.
    Unsettled {
        /// The question that is in the way.
        question: QuestionKey,
        /// Who does not know its end, or that it has none yet.
        state: QuestionState,
    },
    /// It answers something that was never asked.
    NeverAsked {
        /// Where the last question stands.
        state: QuestionState,
        /// What arrived.
        event: QuestionEvent,
    },
}
