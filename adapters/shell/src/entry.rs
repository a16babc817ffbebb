//! One line of a journal.
//!
//! A line says which machine its event is for. Each machine's events have versions of their own; a machine, a version or a field that
//! is not known is an error, because a journal of which half is understood leads to a state that never was.

use crate::fact::Fact;
use downbeat_kernel::{Credential, CredentialRecord, Event, NotificationRecord, ProfileId, Record, TaskId};
use serde::{Deserialize, Serialize};

/// An event as it is on record, with the words that came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it was written, in milliseconds since 1970. All that follows from it is how long a timer waits after a crash.
    pub at_ms: u64,
    /// What happened.
    pub event: Recorded,
    /// The words: see [`Said`](crate::Said).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
}

/// What happened to which machine, as it is on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Recorded {
    /// To the tree of tasks.
    Tree(Record),
    /// To the credential of a profile.
    Credential {
        /// Which profile.
        profile: ProfileId,
        /// What.
        event: CredentialRecord,
    },
    /// To the outbox of a root.
    Outbox {
        /// Which root.
        root: TaskId,
        /// What.
        event: NotificationRecord,
    },
    /// A journal was compacted: this is how a credential stands, in place of everything that happened to it.
    Stands {
        /// Which profile.
        profile: ProfileId,
        /// How.
        credential: Standing,
    },
}

/// How a credential stands, in the form of some version. A form that was released is never changed: one that the kernel's
/// type has outgrown is written out here, under the number that it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// The form of the first version.
    V1(Credential),
}

impl From<Event> for Recorded {
    fn from(event: Event) -> Self {
        Self::Tree(event.into())
    }
}

impl From<Fact> for Recorded {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Tree(event) => event.into(),
            Fact::Credential { profile, event } => Self::Credential { profile, event: event.into() },
            Fact::Outbox { root, event } => Self::Outbox { root, event: event.into() },
            Fact::Stands { profile, credential } => {
                Self::Stands { profile, credential: Standing::V1(credential) }
            }
        }
    }
}

impl From<Recorded> for Fact {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::Tree(record) => Self::Tree(record.into()),
            Recorded::Credential { profile, event } => Self::Credential { profile, event: event.into() },
            Recorded::Outbox { root, event } => Self::Outbox { root, event: event.into() },
            Recorded::Stands { profile, credential: Standing::V1(credential) } => {
                Self::Stands { profile, credential }
            }
        }
    }
}

impl Entry {
    /// The line.
    pub(crate) fn line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// What a line says.
    ///
    /// # Errors
    /// If it is of a newer version, or no entry.
    pub fn read(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{
        Conclusion, CredentialEvent, CredentialState, Generation, IfCurrent, MessageId, News,
        NotificationEvent, NotificationNumber, OrderNumber, WaiterId,
    };

    const STATES: [CredentialState; 12] = [
        CredentialState::Lapsed,
        CredentialState::Fresh,
        CredentialState::Reading { if_current: IfCurrent::Refresh },
        CredentialState::Reading { if_current: IfCurrent::Write },
        CredentialState::Reading { if_current: IfCurrent::Refuse },
        CredentialState::Refreshing,
        CredentialState::Storing,
        CredentialState::Waiting { if_current: IfCurrent::Refresh },
        CredentialState::Waiting { if_current: IfCurrent::Write },
        CredentialState::Waiting { if_current: IfCurrent::Refuse },
        CredentialState::Unsaved,
        CredentialState::Refused,
    ];

    /// Lines of every kind that was ever written. They are never changed, only added to.
    const LINES: &str = include_str!("../tests/journal/v1.jsonl");

    /// What the lines say that are no credential's standing.
    fn facts() -> [Fact; 4] {
        let wanted = CredentialEvent::Wanted { waiter: WaiterId(u64::MAX), newer_than: Generation(4) };
        let news = News::Concluded(Conclusion::Cancelled);
        let posted = NotificationEvent::Posted { number: NotificationNumber(1), news };
        [
            Event::MessageReceived { task: TaskId(7), message: MessageId(1) }.into(),
            Event::PauseRequested { task: TaskId(7) }.into(),
            Fact::Credential { profile: ProfileId(1), event: wanted },
            Fact::Outbox { root: TaskId(7), event: posted },
        ]
    }

    #[test]
    fn lines_of_a_journal_say_what_they_said_when_they_were_written() {
        let entries: Vec<_> = LINES.lines().map(|line| Entry::read(line).expect(line)).collect();
        let of_machines: Vec<Fact> = entries.iter().take(4).map(|entry| entry.event.clone().into()).collect();
        assert_eq!(of_machines, facts());
        let numbers = |credential: Credential| {
            let Credential { generation, order, waits, accepted, settled, .. } = credential;
            (generation, order, waits, accepted, settled)
        };
        let standing = entries.iter().skip(4).filter_map(|entry| match entry.event {
            Recorded::Stands { profile: ProfileId(0), credential: Standing::V1(credential) } => {
                Some(credential)
            }
            Recorded::Stands { .. }
            | Recorded::Tree(_)
            | Recorded::Credential { .. }
            | Recorded::Outbox { .. } => None,
        });
        let standing: Vec<_> = standing.collect();
        assert_eq!(standing.iter().map(|credential| credential.state).collect::<Vec<_>>(), STATES);
        let waiting = (Generation(1), OrderNumber(4), 2, WaiterId(9), WaiterId(8));
        assert_eq!(numbers(standing[7]), waiting);
    }

    #[test]
    fn lines_are_written_as_they_are_read() {
        for line in LINES.lines().filter(|line| !line.contains(r#"{"V1":{"Pause"#)) {
            assert_eq!(Entry::read(line).and_then(|entry| entry.line()).expect(line), line);
        }
    }

    #[test]
    fn line_of_another_machine_version_or_field_is_an_error() {
        #[rustfmt::skip]
        let cases = [
            ("machine", r#"{"at_ms":1,"event":{"Pool":{"V1":{}}}}"#),
            ("version", r#"{"at_ms":1,"event":{"Credential":{"profile":0,"event":{"V2":{"Elapsed":{"order":1}}}}}}"#),
            ("field",   r#"{"at_ms":1,"event":{"Credential":{"profile":0,"why":1,"event":{"V1":{"Elapsed":{"order":1}}}}}}"#),
            ("no machine", r#"{"at_ms":1,"event":{"V3":{"Admitted":{"task":7}}}}"#),
        ];
        for (name, line) in cases {
            assert!(Entry::read(line).is_err(), "{name}");
        }
    }
}
