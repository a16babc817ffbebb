//! Any bytes as a history of one of the machines that stand beside the task tree.

use crate::bytes::Bytes;
use downbeat_kernel::{
    Config, Credential, CredentialEffect, CredentialEvent, CredentialState, Found, Generation,
    NotificationEffect, NotificationEvent, Outbox, Outcome, Pool, PoolConfig, PoolEffect, PoolEvent,
    QuestionEffect, QuestionEvent, Questions, Request, RequestEffect, RequestEvent, Retry, RetryEffect,
    RetryEvent,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What the machines have in common.
pub(crate) trait Machine: Clone + PartialEq + Debug + Serialize + DeserializeOwned {
    type Event: DeserializeOwned + Clone + PartialEq + Debug;
    type Effect: Serialize + PartialEq + Debug;

    /// Gives it one event. Whether that was applied, and what it ordered.
    fn step(&mut self, event: Self::Event) -> (bool, Vec<Self::Effect>);

    /// Its orders that are outstanding.
    fn outstanding(&self) -> Vec<Self::Effect>;

    /// What the order asks for, with what is free in it from the bytes.
    fn answer(&self, order: Self::Effect, bytes: &mut Bytes<'_>) -> Option<Self::Event>;

    /// What contradicts itself in it.
    fn contradiction(&self) -> Option<String>;
}

/// Bounds that a short history reaches.
fn config() -> Config {
    Config {
        attempts_max: 4,
        waiters_max: 3,
        credential_waits_max: 3,
        notifications_max: 2,
        notification_attempts_max: 2,
        task_attempts_max: 3,
        queries_max: 2,
        ..Config::default()
    }
}

/// The same of a pool.
pub(crate) fn small_pool() -> PoolConfig {
    PoolConfig {
        tasks_max: 5,
        users_max: 2,
        agents_max: 3,
        quota: 2,
        attempts_max: 2,
        normal_yields: 2,
        low_yields: 4,
        ..PoolConfig::default()
    }
}

macro_rules! beside {
    ($machine:ty, $event:ty, $effect:ty, $answer:path, $validate:expr) => {
        impl Machine for $machine {
            type Event = $event;
            type Effect = $effect;

            fn step(&mut self, event: Self::Event) -> (bool, Vec<Self::Effect>) {
                let mut orders = Vec::new();
                let outcome = <$machine>::step(self, event, &config(), &mut |order| orders.push(order));
                (outcome == Outcome::Applied, orders)
            }

            fn outstanding(&self) -> Vec<Self::Effect> {
                let mut orders = Vec::new();
                self.resync(&config(), &mut |order| orders.push(order));
                orders
            }

            fn answer(&self, order: $effect, bytes: &mut Bytes<'_>) -> Option<$event> {
                $answer(self, order, bytes)
            }

            fn contradiction(&self) -> Option<String> {
                $validate(self, &config()).err().map(|why| format!("{why:?}"))
            }
        }
    };
}

beside!(Credential, CredentialEvent, CredentialEffect, answer_of_credential, Credential::validate);
beside!(Request, RequestEvent, RequestEffect, answer_of_request, Request::validate);
beside!(Questions, QuestionEvent, QuestionEffect, answer_of_question, |questions: &Questions, _| {
    questions.validate()
});
beside!(Outbox, NotificationEvent, NotificationEffect, answer_of_notification, Outbox::validate);
beside!(Retry, RetryEvent, RetryEffect, answer_of_retry, Retry::validate);

fn answer_of_credential(
    credential: &Credential,
    order: CredentialEffect,
    bytes: &mut Bytes<'_>,
) -> Option<CredentialEvent> {
    match order {
        CredentialEffect::Read { order, .. } | CredentialEffect::Claim { order, .. } => {
            // The store holds what is known, more often than not: the other ways are short.
            let found = if bytes.byte() % 2 == 1 { Found::Current } else { bytes.make() };
            Some(CredentialEvent::StoreRead { order, found })
        }
        CredentialEffect::Recover { order } if credential.state == CredentialState::Storing => {
            Some(CredentialEvent::WriteEnded { order, end: bytes.make() })
        }
        CredentialEffect::Recover { order } | CredentialEffect::Refresh { order, .. } => {
            Some(CredentialEvent::RefreshEnded { order, end: bytes.make() })
        }
        CredentialEffect::Write { order, .. } => {
            Some(CredentialEvent::WriteEnded { order, end: bytes.make() })
        }
        CredentialEffect::Arm { order, .. } => Some(CredentialEvent::Elapsed { order }),
        CredentialEffect::Abort { .. }
        | CredentialEffect::Disarm { .. }
        | CredentialEffect::Settle { .. } => None,
    }
}

fn answer_of_request(_: &Request, order: RequestEffect, bytes: &mut Bytes<'_>) -> Option<RequestEvent> {
    answer_to_request(order, bytes)
}

/// The answer that an order of a request asks for.
pub(crate) fn answer_to_request(order: RequestEffect, bytes: &mut Bytes<'_>) -> Option<RequestEvent> {
    match order {
        RequestEffect::GetCredential { attempt, newer_than, .. } => Some(RequestEvent::CredentialGiven {
            attempt,
            generation: Generation(newer_than.0.saturating_add(1)),
        }),
        RequestEffect::Send { attempt, .. } | RequestEffect::Recover { attempt } => {
            Some(match bytes.byte() % 4 {
                0 => RequestEvent::ResponseEnded { attempt },
                1 => RequestEvent::OutputDelivered { attempt },
                _ => RequestEvent::SendFailed { attempt, failure: bytes.make(), jitter_ms: 0 },
            })
        }
        RequestEffect::Stop { attempt } => Some(RequestEvent::Stopped { attempt }),
        RequestEffect::Charge { attempt, .. } => Some(RequestEvent::UsageReported { attempt }),
        RequestEffect::Arm { timer, .. } => Some(RequestEvent::TimerFired { timer }),
        RequestEffect::Fence { .. } | RequestEffect::Disarm { .. } | RequestEffect::Ended { .. } => None,
    }
}

fn answer_of_question(_: &Questions, order: QuestionEffect, _: &mut Bytes<'_>) -> Option<QuestionEvent> {
    match order {
        QuestionEffect::Ask { question } => Some(QuestionEvent::Answered { question }),
        QuestionEffect::Relay { question, .. } => Some(QuestionEvent::Acknowledged { question }),
        QuestionEffect::Close { question, .. } => Some(QuestionEvent::Closed { question }),
        QuestionEffect::Arm { timer, .. } => Some(QuestionEvent::Elapsed { timer }),
        QuestionEffect::Disarm { .. } => None,
    }
}

fn answer_of_notification(
    _: &Outbox,
    order: NotificationEffect,
    _: &mut Bytes<'_>,
) -> Option<NotificationEvent> {
    match order {
        NotificationEffect::Send { number, .. } => Some(NotificationEvent::Acknowledged { number }),
        NotificationEffect::ReportUndelivered { number, .. } => {
            Some(NotificationEvent::UndeliveredRecorded { number })
        }
        NotificationEffect::Arm { timer, .. } => Some(NotificationEvent::Elapsed { timer }),
        NotificationEffect::Disarm { .. } => None,
    }
}

fn answer_of_retry(_: &Retry, order: RetryEffect, bytes: &mut Bytes<'_>) -> Option<RetryEvent> {
    match order {
        RetryEffect::Begin { attempt } => Some(RetryEvent::AttemptEnded { attempt, end: bytes.make() }),
        RetryEffect::Query { attempt, query } | RetryEffect::Fence { attempt, query } => {
            Some(RetryEvent::Found { attempt, query, finding: bytes.make() })
        }
        RetryEffect::Ended { .. } => Some(RetryEvent::EndAcknowledged),
        RetryEffect::Arm { timer, .. } => Some(RetryEvent::Elapsed { timer }),
        RetryEffect::Disarm { .. } => None,
    }
}

impl Machine for Pool {
    type Event = PoolEvent;
    type Effect = PoolEffect;

    fn step(&mut self, event: Self::Event) -> (bool, Vec<Self::Effect>) {
        let mut orders = Vec::new();
        let outcome = Pool::step(self, event, &mut |order| orders.push(order));
        (outcome == Outcome::Applied, orders)
    }

    fn outstanding(&self) -> Vec<Self::Effect> {
        let mut orders = Vec::new();
        self.resync(&mut |order| orders.push(order));
        orders
    }

    fn answer(&self, order: PoolEffect, bytes: &mut Bytes<'_>) -> Option<PoolEvent> {
        match order {
            PoolEffect::Provision { agent } => Some(PoolEvent::Started { agent }),
            PoolEffect::Retire { agent } => Some(PoolEvent::Gone { agent }),
            PoolEffect::Assign { agent, lease } => Some(PoolEvent::Heartbeat { agent, lease }),
            PoolEffect::Stop { agent, lease } => {
                Some(PoolEvent::WorkEnded { agent, lease, end: bytes.make() })
            }
            PoolEffect::Clean { agent, lease } => Some(PoolEvent::Cleaned { agent, lease }),
            PoolEffect::TaskEnded { task, .. } => Some(PoolEvent::EndAcknowledged { task }),
            PoolEffect::Arm { timer, .. } => Some(PoolEvent::Elapsed { timer }),
            PoolEffect::Disarm { .. } => None,
        }
    }

    fn contradiction(&self) -> Option<String> {
        self.validate().err().map(|why| format!("{why:?}"))
    }
}

/// Lives through the history that the bytes describe; the first byte says of which machine.
///
/// # Panics
/// If an event that is not applied changes or orders anything (S25), a state is not valid, or a state that is written and read
/// is another one.
pub fn machines(bytes: &[u8]) {
    machine_history(bytes);
}

/// The same, with the names of the events that were applied, after that of their machine.
///
/// # Panics
/// As [`machines`].
pub fn machine_history(bytes: &[u8]) -> Vec<String> {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    match first % 6 {
        0 => live("Credential", Credential::default(), rest),
        1 => live("Request", Request::default(), rest),
        2 => live("Questions", Questions::default(), rest),
        3 => live("Outbox", Outbox::default(), rest),
        4 => live("Retry", Retry::default(), rest),
        _ => live("Pool", Pool::new(small_pool()), rest),
    }
}

fn live<M: Machine>(name: &str, mut machine: M, bytes: &[u8]) -> Vec<String> {
    let mut bytes = Bytes::new(bytes);
    let mut applied = Vec::new();
    while !bytes.is_empty() {
        let event = event(&machine, &mut bytes);
        let before = machine.clone();
        let (was_applied, orders) = machine.step(event.clone());
        if was_applied {
            let text = format!("{event:?}");
            let kind = text.split([' ', '(']).next().unwrap_or_default();
            applied.push(format!("{name} {kind}"));
        } else {
            assert_eq!((&machine, &*orders), (&before, [].as_slice()), "S25: {event:?}");
        }
        assert_eq!(machine.contradiction(), None, "after {event:?}: {machine:?}");
    }
    let written = serde_json::to_vec(&machine).expect("a machine has a JSON form");
    let read: M = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(read, machine, "a snapshot changed on its way");
    assert_eq!(read.outstanding(), machine.outstanding());
    applied
}

/// Half of the events are whatever the bytes say, the others answer what is outstanding.
fn event<M: Machine>(machine: &M, bytes: &mut Bytes<'_>) -> M::Event {
    let choice = bytes.byte();
    let orders = machine.outstanding();
    match orders.into_iter().nth(usize::from(choice % 4)) {
        Some(order) if choice >= 128 => machine.answer(order, bytes).unwrap_or_else(|| bytes.make()),
        Some(_) | None => bytes.make(),
    }
}
