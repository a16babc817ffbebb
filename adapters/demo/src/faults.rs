//! Ways in which what reaches the outside can be wrong, each of which has to break a promise.
//!
//! They are for tests: no option of the program plants one.

use crate::record::{Over, Record};
use downbeat_kernel::{Attempt, CallResult, Generation, NotificationNumber, Part};

/// What goes wrong between the shell and the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A second request of a task goes out while the first is open.
    AsksBeside,
    /// Each send goes out twice.
    SendsTwice,
    /// The results of subtasks are left out of requests.
    LosesResults,
    /// Messages are left out of requests.
    LosesMessages,
    /// The answer of another question comes.
    MixesAnswers,
    /// A root ends with the words of another.
    MixesEnds,
    /// Each tool does its work twice.
    WorksTwice,
    /// Each refresh token is used twice.
    RefreshesTwice,
    /// The first token is sent for ever.
    KeepsToken,
    /// Each notification has a number of its own.
    Renumbers,
    /// Nobody hears of an end.
    LosesEnds,
}

impl Fault {
    /// What reaches the world in place of this.
    pub(crate) fn bend(self, record: Record) -> Vec<Record> {
        match (self, record) {
            (Self::AsksBeside, Record::Sent { mut id, generation, asking }) => {
                let first = Record::Sent { id, generation, asking: asking.clone() };
                id.attempt = Attempt(id.attempt.0 + 100);
                vec![first, Record::Sent { id, generation, asking }]
            }
            (Self::SendsTwice, sent @ Record::Sent { .. }) => {
                let Record::Sent { id, .. } = sent else { return vec![sent] };
                vec![sent.clone(), Record::Over { id, end: Over::Broken }, sent]
            }
            (Self::LosesResults, Record::Sent { id, generation, mut asking }) => {
                let is_child =
                    |part: &Part| matches!(part, Part::Result { result: CallResult::Subtask { .. }, .. });
                asking.retain(|(part, _)| !is_child(part));
                vec![Record::Sent { id, generation, asking }]
            }
            (Self::LosesMessages, Record::Sent { id, generation, mut asking }) => {
                asking.retain(|(part, _)| !matches!(part, Part::Message(_)));
                vec![Record::Sent { id, generation, asking }]
            }
            (Self::MixesAnswers, Record::Sent { id, generation, mut asking }) => {
                for (part, text) in &mut asking {
                    if matches!(part, Part::Result { result: CallResult::Answered, .. }) {
                        "another".clone_into(text);
                    }
                }
                vec![Record::Sent { id, generation, asking }]
            }
            (Self::KeepsToken, Record::Sent { id, asking, .. }) => {
                vec![Record::Sent { id, generation: Generation(1), asking }]
            }
            (Self::MixesEnds, Record::Told { task, number, end, is_heard, .. }) => {
                vec![Record::Told { task, number, end, result: "another".to_owned(), is_heard }]
            }
            (Self::Renumbers, Record::Told { task, number, end, result, is_heard }) => {
                vec![Record::Told { task, number: NotificationNumber(number.0 + 1), end, result, is_heard }]
            }
            (Self::LosesEnds, Record::Told { .. }) => vec![],
            (Self::WorksTwice, did @ Record::Did { .. }) => vec![did.clone(), did],
            (Self::RefreshesTwice, used @ Record::Used { .. }) => vec![used.clone(), used],
            (
                Self::AsksBeside
                | Self::SendsTwice
                | Self::LosesResults
                | Self::LosesMessages
                | Self::MixesAnswers
                | Self::MixesEnds
                | Self::WorksTwice
                | Self::RefreshesTwice
                | Self::KeepsToken
                | Self::Renumbers
                | Self::LosesEnds,
                record,
            ) => vec![record],
        }
    }
}
