//! The forms of the events of the questions of a remote task.

use crate::pool::Epoch;
use crate::question::{self, QuestionNumber, QuestionTimer};
use serde::{Deserialize, Serialize};

record! {
    /// One event of the questions of a task as it is written to a journal, in the form of some version. It does not say of
    /// which task.
    QuestionRecord of question::QuestionEvent {
        write V1 1 QuestionEvent,
    }
}

form! {
    enum QuestionEvent of question {
        Assigned { epoch: Epoch },
        AgentLost { epoch: Epoch },
        Asked { question: QuestionKey },
        Answered { question: QuestionKey },
        Acknowledged { question: QuestionKey },
        Closed { question: QuestionKey },
        Elapsed { timer: QuestionTimer },
        TaskEnded,
    }
}

form! { struct QuestionKey of question { epoch: Epoch, number: QuestionNumber, } }
