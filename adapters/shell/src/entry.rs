//! One line of a journal.
//!
//! A line says which machine its event is for. Each machine's events have versions of their own; a machine, a version or a field that
//! is not known is an error, because a journal of which half is understood leads to a state that never was.

use crate::agents::Submitter;
use crate::fact::Fact;
use downbeat_kernel::{
    AttemptNumber, BillNumber, Budget, Credential, CredentialRecord, Event, NotificationRecord, Pool,
    PoolRecord, PoolTimer, ProfileId, QuestionRecord, Record, RetryRecord, Spend, TaskId,
};
use serde::{Deserialize, Serialize};

/// An event as it is on record, with the words that came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it was written, in milliseconds since 1970. All that follows from it is how long a timer waits after a crash.
    pub at_ms: u64,
    /// What happened.
    pub event: Recorded,
    /// What the response of this line has cost: it counts with it, and not without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<Bill>,
    /// The words: see [`Said`](crate::Said).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
}

/// A bill that came with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    /// The root of the tree that pays.
    pub root: TaskId,
    /// Which bill of that tree.
    pub number: BillNumber,
    /// What it says.
    pub spend: Spend,
}

impl From<Bill> for Event {
    fn from(Bill { root, number, spend }: Bill) -> Self {
        Self::Spent { task: root, bill: number, spend }
    }
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
    /// To the pool of agents.
    Pool(PoolRecord),
    /// To the tree: somebody submits a task, whom the pool counts it to.
    Submitted {
        /// Which task.
        task: TaskId,
        /// What it may spend.
        budget: Budget,
        /// Who.
        by: Submitter,
    },
    /// To the tree and to the attempts: somebody submits a task that is tried again.
    Attempted {
        /// Which task: the first attempt, and the name of the task from there on.
        task: TaskId,
        /// What each attempt may spend.
        budget: Budget,
        /// Who.
        by: Submitter,
    },
    /// To the tree: another attempt at a task begins.
    Begun {
        /// The name of the task.
        task: TaskId,
        /// Which attempt.
        attempt: AttemptNumber,
        /// The root that it is.
        root: TaskId,
    },
    /// To the questions of the agent of a root. Its first question under a lease says too that it has that.
    Questions {
        /// Which root.
        root: TaskId,
        /// What.
        event: QuestionRecord,
    },
    /// To the attempts at a task.
    Retry {
        /// The name of the task.
        task: TaskId,
        /// What.
        event: RetryRecord,
    },
    /// To the tree: it is told to end a task, because there is no place for it.
    NoPlace {
        /// Which task.
        task: TaskId,
    },
    /// A journal was compacted: this is how the pool stands, in place of everything that happened to it.
    PoolStands {
        /// How.
        pool: PoolStanding,
        /// Each timer that runs, and when it was armed, in milliseconds since 1970.
        armed: Vec<(PoolTimer, u64)>,
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

/// How the pool stands, in the form of some version, as [`Standing`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolStanding {
    /// The form of the first version.
    V1(Box<Pool>),
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// This happened.
    Happened(Fact),
    /// The pool stands like this, and these timers run, each since then.
    PoolStands(Box<Pool>, Vec<(PoolTimer, u64)>),
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
            Fact::Pool(event) => Self::Pool(event.into()),
            Fact::Submitted { task, budget, by } => Self::Submitted { task, budget, by },
            Fact::Attempted { task, budget, by } => Self::Attempted { task, budget, by },
            Fact::Begun { task, attempt, root } => Self::Begun { task, attempt, root },
            Fact::Retry { task, event } => Self::Retry { task, event: event.into() },
            Fact::Questions { root, event } => Self::Questions { root, event: event.into() },
            Fact::NoPlace(task) => Self::NoPlace { task },
            Fact::Stands { profile, credential } => {
                Self::Stands { profile, credential: Standing::V1(credential) }
            }
        }
    }
}

impl From<Recorded> for Past {
    fn from(recorded: Recorded) -> Self {
        Self::Happened(match recorded {
            Recorded::Tree(record) => Fact::Tree(record.into()),
            Recorded::Credential { profile, event } => Fact::Credential { profile, event: event.into() },
            Recorded::Outbox { root, event } => Fact::Outbox { root, event: event.into() },
            Recorded::Pool(event) => Fact::Pool(event.into()),
            Recorded::Submitted { task, budget, by } => Fact::Submitted { task, budget, by },
            Recorded::Attempted { task, budget, by } => Fact::Attempted { task, budget, by },
            Recorded::Begun { task, attempt, root } => Fact::Begun { task, attempt, root },
            Recorded::Retry { task, event } => Fact::Retry { task, event: event.into() },
            Recorded::Questions { root, event } => Fact::Questions { root, event: event.into() },
            Recorded::NoPlace { task } => Fact::NoPlace(task),
            Recorded::Stands { profile, credential: Standing::V1(credential) } => {
                Fact::Stands { profile, credential }
            }
            Recorded::PoolStands { pool: PoolStanding::V1(pool), armed } => {
                return Self::PoolStands(pool, armed);
            }
        })
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
        AgentId, Attempt, AttemptEnd, Conclusion, CredentialEvent, CredentialState, Epoch, FailureClass,
        Finding, Generation, IfCurrent, IteratorId, Lease, MessageId, News, NotificationEvent,
        NotificationNumber, OrderNumber, PoolConfig, PoolEvent, Priority, PromptId, QueryNumber,
        QuestionEvent, QuestionKey, QuestionNumber, QuestionTimer, RequestEvent, RequestId, Response,
        RetryEvent, RetryTimer, SessionEvent, TurnNumber, UserId, WaiterId, WorkEnd, WorkerEvent,
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

    const TIMER: PoolTimer = PoolTimer { agent: AgentId(2), number: 4 };

    /// Lines of every kind that was ever written. They are never changed, only added to.
    const LINES: &str = include_str!("../tests/journal/v1.jsonl");

    /// What the lines say that say what happened.
    fn facts() -> [Fact; 34] {
        let wanted = CredentialEvent::Wanted { waiter: WaiterId(u64::MAX), newer_than: Generation(4) };
        let news = News::Concluded(Conclusion::Cancelled);
        let posted = NotificationEvent::Posted { number: NotificationNumber(1), news };
        let progress = NotificationEvent::Posted { number: NotificationNumber(1), news: News::Progress };
        let asked = |event| Fact::Questions { root: TaskId(7), event };
        let question = QuestionKey { epoch: Epoch(3), number: QuestionNumber(1) };
        let retry = |event| Fact::Retry { task: TaskId(7), event };
        let budget = Budget { tokens: 1, micros: 2, wall_ms: 3 };
        let by = Submitter { user: UserId(5), priority: Priority::High };
        let delivered = RequestEvent::OutputDelivered { attempt: Attempt(1) };
        let answered = SessionEvent::Answered { iterator: IteratorId(2), prompt: PromptId(3) };
        let (agent, lease) = (AgentId(2), Lease { task: TaskId(7), epoch: Epoch(3) });
        let request = RequestId { task: TaskId(8), turn: TurnNumber(2), attempt: Attempt(1) };
        [
            Event::MessageReceived { task: TaskId(7), message: MessageId(1) }.into(),
            Event::PauseRequested { task: TaskId(7) }.into(),
            Fact::Credential { profile: ProfileId(1), event: wanted },
            Fact::Outbox { root: TaskId(7), event: posted },
            Fact::Pool(PoolEvent::Submitted { task: TaskId(7), user: UserId(5), priority: Priority::Normal }),
            Fact::Pool(PoolEvent::CancelRequested { task: TaskId(7) }),
            Fact::Pool(PoolEvent::EndAcknowledged { task: TaskId(7) }),
            Fact::Pool(PoolEvent::Started { agent }),
            Fact::Pool(PoolEvent::Gone { agent }),
            Fact::Pool(PoolEvent::Heartbeat { agent, lease }),
            Fact::Pool(PoolEvent::WorkEnded { agent, lease, end: WorkEnd::Returned }),
            Fact::Pool(PoolEvent::Cleaned { agent, lease }),
            Fact::Pool(PoolEvent::DrainRequested { agent }),
            Fact::Pool(PoolEvent::Elapsed { timer: TIMER }),
            Fact::NoPlace(TaskId(7)),
            Fact::Submitted { task: TaskId(7), budget, by },
            Event::Request { task: TaskId(7), turn: TurnNumber(2), event: delivered }.into(),
            Event::Worker { task: TaskId(7), event: WorkerEvent::Session(answered) }.into(),
            Fact::Attempted { task: TaskId(7), budget, by },
            Fact::Begun { task: TaskId(7), attempt: AttemptNumber(2), root: TaskId(9) },
            retry(RetryEvent::AttemptEnded {
                attempt: AttemptNumber(1),
                end: AttemptEnd::Failed(FailureClass::Transient),
            }),
            retry(RetryEvent::Found {
                attempt: AttemptNumber(2),
                query: QueryNumber(1),
                finding: Finding::StillRunning,
            }),
            retry(RetryEvent::CancelRequested),
            retry(RetryEvent::EndAcknowledged),
            retry(RetryEvent::Elapsed { timer: RetryTimer(3) }),
            Fact::Outbox { root: TaskId(7), event: progress },
            asked(QuestionEvent::Asked { question }),
            asked(QuestionEvent::Answered { question }),
            asked(QuestionEvent::Acknowledged { question }),
            asked(QuestionEvent::Closed { question }),
            asked(QuestionEvent::AgentLost { epoch: Epoch(3) }),
            asked(QuestionEvent::Elapsed { timer: QuestionTimer(2) }),
            asked(QuestionEvent::TaskEnded),
            Event::ResponseEnded { request, response: Response::Text, jitter_ms: 5 }.into(),
        ]
    }

    #[test]
    fn lines_of_a_journal_say_what_they_said_when_they_were_written() {
        let entries: Vec<_> = LINES.lines().map(|line| Entry::read(line).expect(line)).collect();
        let happened = entries.iter().filter_map(|entry| match entry.event.clone().into() {
            Past::Happened(Fact::Stands { .. }) | Past::PoolStands(..) => None,
            Past::Happened(fact) => Some(fact),
        });
        assert_eq!(happened.collect::<Vec<_>>(), facts());
        let spend = Spend { tokens: 60, micros: 5 };
        let bill = Bill { root: TaskId(7), number: BillNumber(2), spend };
        assert_eq!(entries.iter().filter_map(|entry| entry.bill).collect::<Vec<_>>(), [bill]);
        let numbers = |credential: Credential| {
            let Credential { generation, order, waits, accepted, settled, .. } = credential;
            (generation, order, waits, accepted, settled)
        };
        let standing = entries.iter().filter_map(|entry| match entry.event.clone().into() {
            Past::Happened(Fact::Stands { profile: ProfileId(0), credential }) => Some(credential),
            Past::Happened(_) | Past::PoolStands(..) => None,
        });
        let standing: Vec<_> = standing.collect();
        assert_eq!(standing.iter().map(|credential| credential.state).collect::<Vec<_>>(), STATES);
        let waiting = (Generation(1), OrderNumber(4), 2, WaiterId(9), WaiterId(8));
        assert_eq!(numbers(standing[7]), waiting);
        let pools = entries.into_iter().filter_map(|entry| match entry.event.into() {
            Past::PoolStands(pool, armed) => Some((*pool, armed)),
            Past::Happened(_) => None,
        });
        assert_eq!(
            pools.collect::<Vec<_>>(),
            [(pool(), vec![(PoolTimer { number: 3, ..TIMER }, 1_700_000_000_001)])]
        );
    }

    /// A pool of which one agent is gone, with a task that the second is at and one that waits.
    fn pool() -> Pool {
        let mut pool = Pool::new(PoolConfig { agents_max: 2, ..PoolConfig::default() });
        let submitted =
            |task| PoolEvent::Submitted { task: TaskId(task), user: UserId(5), priority: Priority::Low };
        let [first, second] = [AgentId(1), AgentId(2)];
        let events = [
            submitted(7),
            submitted(9),
            PoolEvent::Started { agent: second },
            PoolEvent::Started { agent: first },
            PoolEvent::Gone { agent: first },
            PoolEvent::Heartbeat { agent: second, lease: Lease { task: TaskId(7), epoch: Epoch(1) } },
            PoolEvent::Elapsed { timer: PoolTimer { agent: second, number: 2 } },
        ];
        for event in events {
            assert_eq!(pool.step(event, &mut |_| {}), downbeat_kernel::Outcome::Applied, "{event:?}");
        }
        pool
    }

    #[test]
    fn lines_are_written_as_they_are_read() {
        for line in LINES.lines().filter(|line| !line.contains(r#"{"V1":{"Pause"#)) {
            let written = Entry::read(line).and_then(|entry| entry.line()).expect(line);
            // A kernel that may have a planted fault has a place for it in its settings.
            assert_eq!(written.replace(r#","fault":null"#, ""), line);
        }
    }

    #[test]
    fn line_of_another_machine_version_or_field_is_an_error() {
        #[rustfmt::skip]
        let cases = [
            ("machine", r#"{"at_ms":1,"event":{"Queue":{"V1":{}}}}"#),
            ("version", r#"{"at_ms":1,"event":{"Credential":{"profile":0,"event":{"V2":{"Elapsed":{"order":1}}}}}}"#),
            ("field",   r#"{"at_ms":1,"event":{"Credential":{"profile":0,"why":1,"event":{"V1":{"Elapsed":{"order":1}}}}}}"#),
            ("no machine", r#"{"at_ms":1,"event":{"V3":{"Admitted":{"task":7}}}}"#),
        ];
        for (name, line) in cases {
            assert!(Entry::read(line).is_err(), "{name}");
        }
    }
}
