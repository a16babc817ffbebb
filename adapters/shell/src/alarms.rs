//! When each timer was armed, so that after a crash the rest of its time is armed and not the whole.
//!
//! The kernel knows no time: when it repeats what is outstanding it orders every wait anew. How much of it is over says the
//! journal, where each event has the time of day. That clock may be set; so a rest is never longer than the whole, nor
//! shorter than nothing.

use crate::fact::{Fact, Order, Owner};
use crate::iterate::{elapsed, stop_elapsed};
use downbeat_kernel::{
    CredentialEffect, CredentialEvent, Effect, Event, NotificationEffect, NotificationEvent, PoolEffect,
    PoolEvent, QuestionEffect, QuestionEvent, RequestEffect, RequestEvent, RetryEffect, RetryEvent,
    SessionEffect, TaskId, WorkerEffect,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The timers of every machine of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alarms {
    /// By the fact that each comes back with: when it was armed, in milliseconds since 1970.
    of: BTreeMap<Owner, BTreeMap<Fact, u64>>,
}

impl Alarms {
    /// Takes a fact that was applied at this time, and the timers that are armed and disarmed by what follows.
    pub(crate) fn take(&mut self, at_ms: u64, fact: &Fact, orders: &[Order]) {
        if let Fact::Tree(Event::EndAcknowledged { task }) = fact {
            self.of.remove(&Owner::Task(*task));
        }
        self.disarm(fact);
        for order in orders {
            match timer(order) {
                Some((fact, Some(_))) => self.arm(fact, at_ms),
                Some((fact, None)) => self.disarm(&fact),
                None => {}
            }
        }
    }

    /// A timer was armed at this time.
    pub(crate) fn arm(&mut self, fact: Fact, at_ms: u64) {
        if let Some(owner) = fact.owner() {
            self.of.entry(owner).or_default().insert(fact, at_ms);
        }
    }

    fn disarm(&mut self, fact: &Fact) {
        let Some(owner) = fact.owner() else { return };
        if let Some(armed) = self.of.get_mut(&owner) {
            armed.remove(fact);
            if armed.is_empty() {
                self.of.remove(&owner);
            }
        }
    }

    /// When the last timer of an owner was armed that runs still.
    pub(crate) fn last(&self, owner: Owner) -> Option<u64> {
        self.of_owner(owner).map(|(_, at_ms)| at_ms).max()
    }

    /// The timers of an owner that run, and when each was armed.
    pub(crate) fn of_owner(&self, owner: Owner) -> impl Iterator<Item = (&Fact, u64)> {
        self.of.get(&owner).into_iter().flatten().map(|(fact, at_ms)| (fact, *at_ms))
    }

    /// When the timer was armed that an order arms again, and when the whole of its wait is over.
    pub(crate) fn armed(&self, order: &Order) -> Option<(u64, u64)> {
        let (fact, whole_ms) = timer(order)?;
        let armed_ms = self.armed_at(&fact)?;
        Some((armed_ms, armed_ms.saturating_add(whole_ms?)))
    }

    fn armed_at(&self, fact: &Fact) -> Option<u64> {
        self.of.get(&fact.owner()?)?.get(fact).copied()
    }

    /// Takes from each wait that is ordered again what is over of it.
    pub(crate) fn shorten(&self, outstanding: &mut [Order], now_ms: u64) {
        for order in outstanding {
            let Some((fact, Some(whole_ms))) = timer(order) else { continue };
            let armed = self.armed_at(&fact);
            let over_ms = armed.map_or(0, |armed| now_ms.saturating_sub(armed));
            if let Order::Tree(
                Effect::Arm { after_ms, .. }
                | Effect::Request { effect: RequestEffect::Arm { after_ms, .. }, .. }
                | Effect::Worker {
                    effect:
                        WorkerEffect::Arm { after_ms, .. }
                        | WorkerEffect::Session(SessionEffect::Arm { after_ms, .. }),
                    ..
                },
            )
            | Order::Credential { effect: CredentialEffect::Arm { after_ms, .. }, .. }
            | Order::Pool(PoolEffect::Arm { after_ms, .. })
            | Order::Retry { effect: RetryEffect::Arm { after_ms, .. }, .. }
            | Order::Questions { effect: QuestionEffect::Arm { after_ms, .. }, .. }
            | Order::Outbox { effect: NotificationEffect::Arm { after_ms, .. }, .. } = order
            {
                *after_ms = whole_ms.saturating_sub(over_ms);
            }
        }
    }
}

/// The fact that a timer comes back with, and after how many milliseconds if it is armed; `None` if the order is about none.
fn timer(order: &Order) -> Option<(Fact, Option<u64>)> {
    match order {
        Order::Tree(effect) => {
            let (event, after_ms) = timer_of_tree(effect)?;
            Some((event.into(), after_ms))
        }
        Order::Credential { profile, effect } => {
            let (order, after_ms) = timer_of_credential(*effect)?;
            let event = CredentialEvent::Elapsed { order };
            Some((Fact::Credential { profile: *profile, event }, after_ms))
        }
        Order::Outbox { root, effect } => {
            let (timer, after_ms) = match *effect {
                NotificationEffect::Arm { timer, after_ms } => (timer, Some(after_ms)),
                NotificationEffect::Disarm { timer } => (timer, None),
                NotificationEffect::Send { .. } | NotificationEffect::ReportUndelivered { .. } => {
                    return None;
                }
            };
            let event = NotificationEvent::Elapsed { timer };
            Some((Fact::Outbox { root: *root, event }, after_ms))
        }
        Order::Pool(effect) => {
            let (timer, after_ms) = match *effect {
                PoolEffect::Arm { timer, after_ms } => (timer, Some(after_ms)),
                PoolEffect::Disarm { timer } => (timer, None),
                PoolEffect::Provision { .. }
                | PoolEffect::Retire { .. }
                | PoolEffect::Assign { .. }
                | PoolEffect::Stop { .. }
                | PoolEffect::Clean { .. }
                | PoolEffect::TaskEnded { .. } => return None,
            };
            Some((Fact::Pool(PoolEvent::Elapsed { timer }), after_ms))
        }
        Order::Retry { task, effect } => {
            let (timer, after_ms) = match *effect {
                RetryEffect::Arm { timer, after_ms } => (timer, Some(after_ms)),
                RetryEffect::Disarm { timer } => (timer, None),
                RetryEffect::Begin { .. }
                | RetryEffect::Query { .. }
                | RetryEffect::Fence { .. }
                | RetryEffect::Ended { .. } => return None,
            };
            Some((Fact::Retry { task: *task, event: RetryEvent::Elapsed { timer } }, after_ms))
        }
        Order::Questions { root, effect } => {
            let (timer, after_ms) = match *effect {
                QuestionEffect::Arm { timer, after_ms } => (timer, Some(after_ms)),
                QuestionEffect::Disarm { timer } => (timer, None),
                QuestionEffect::Ask { .. } | QuestionEffect::Relay { .. } | QuestionEffect::Close { .. } => {
                    return None;
                }
            };
            Some((Fact::Questions { root: *root, event: QuestionEvent::Elapsed { timer } }, after_ms))
        }
        // What uses a place is no timer.
        Order::There { .. } | Order::LeaseOver { .. } | Order::Forgotten(_) | Order::Attach { .. } => None,
    }
}

fn timer_of_credential(effect: CredentialEffect) -> Option<(downbeat_kernel::OrderNumber, Option<u64>)> {
    match effect {
        CredentialEffect::Arm { order, after_ms } => Some((order, Some(after_ms))),
        CredentialEffect::Disarm { order } => Some((order, None)),
        CredentialEffect::Read { .. }
        | CredentialEffect::Claim { .. }
        | CredentialEffect::Refresh { .. }
        | CredentialEffect::Abort { .. }
        | CredentialEffect::Write { .. }
        | CredentialEffect::Recover { .. }
        | CredentialEffect::Settle { .. } => None,
    }
}

fn timer_of_tree(effect: &Effect) -> Option<(Event, Option<u64>)> {
    match *effect {
        Effect::Arm { timer, after_ms } => Some((Event::TimerFired { timer }, Some(after_ms))),
        Effect::Disarm { timer } => Some((Event::TimerFired { timer }, None)),
        Effect::Request { task, turn, effect } => {
            let (timer, after_ms) = request_timer(effect)?;
            let event = RequestEvent::TimerFired { timer };
            Some((Event::Request { task, turn, event }, after_ms))
        }
        Effect::Worker { task, effect } => timer_of_worker(task, effect),
        Effect::Enqueue { .. }
        | Effect::Dequeue { .. }
        | Effect::Initialize { .. }
        | Effect::AbortInitialization { .. }
        | Effect::Include { .. }
        | Effect::RunTool { .. }
        | Effect::CancelTool { .. }
        | Effect::Ask { .. }
        | Effect::Withdraw { .. }
        | Effect::ReportUndelivered { .. }
        | Effect::TaskEnded { .. } => None,
    }
}

fn timer_of_worker(task: TaskId, effect: WorkerEffect) -> Option<(Event, Option<u64>)> {
    match effect {
        WorkerEffect::Arm { timer, after_ms } => Some((elapsed(task, timer), Some(after_ms))),
        WorkerEffect::Disarm { timer } => Some((elapsed(task, timer), None)),
        WorkerEffect::Session(SessionEffect::Arm { iterator, after_ms }) => {
            Some((stop_elapsed(task, iterator), Some(after_ms)))
        }
        WorkerEffect::Session(SessionEffect::Disarm { iterator }) => {
            Some((stop_elapsed(task, iterator), None))
        }
        WorkerEffect::Session(
            SessionEffect::Start { .. }
            | SessionEffect::Prompt { .. }
            | SessionEffect::Stop { .. }
            | SessionEffect::Kill { .. }
            | SessionEffect::Settle { .. }
            | SessionEffect::Closed,
        )
        | WorkerEffect::Include { .. }
        | WorkerEffect::Acknowledge { .. }
        | WorkerEffect::ReportUndelivered { .. }
        | WorkerEffect::AskProgress { .. }
        | WorkerEffect::Ask { .. }
        | WorkerEffect::Withdraw { .. }
        | WorkerEffect::Answer { .. }
        | WorkerEffect::Report { .. }
        | WorkerEffect::Warn { .. }
        | WorkerEffect::WorkerEnded { .. } => None,
    }
}

fn request_timer(effect: RequestEffect) -> Option<(downbeat_kernel::RequestTimer, Option<u64>)> {
    match effect {
        RequestEffect::Arm { timer, after_ms } => Some((timer, Some(after_ms))),
        RequestEffect::Disarm { timer } => Some((timer, None)),
        RequestEffect::GetCredential { .. }
        | RequestEffect::Send { .. }
        | RequestEffect::Recover { .. }
        | RequestEffect::Stop { .. }
        | RequestEffect::Fence { .. }
        | RequestEffect::Charge { .. }
        | RequestEffect::Ended { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{
        Attempt, IteratorId, OrderNumber, ProfileId, RequestTimer, TaskId, Timer, TurnNumber,
    };

    const TASK: TaskId = TaskId(7);
    const GRACE: Timer = Timer::Grace(TASK);
    const BACKOFF: RequestTimer = RequestTimer::Backoff(Attempt(2));

    fn of_request(effect: RequestEffect) -> Order {
        Order::Tree(Effect::Request { task: TASK, turn: TurnNumber(3), effect })
    }

    fn waits(grace_ms: u64, backoff_ms: u64, claim_ms: u64, stop_ms: u64) -> [Order; 4] {
        let claim = CredentialEffect::Arm { order: OrderNumber(4), after_ms: claim_ms };
        let stop = SessionEffect::Arm { iterator: IteratorId(5), after_ms: stop_ms };
        [
            Order::Tree(Effect::Arm { timer: GRACE, after_ms: grace_ms }),
            of_request(RequestEffect::Arm { timer: BACKOFF, after_ms: backoff_ms }),
            Order::Credential { profile: ProfileId(1), effect: claim },
            Order::Tree(Effect::Worker { task: TASK, effect: WorkerEffect::Session(stop) }),
        ]
    }

    #[test]
    fn rest_of_a_wait_is_between_nothing_and_the_whole() {
        let resumed = Fact::Tree(Event::ResumeRequested { task: TASK });
        let mut alarms = Alarms::default();
        alarms.take(1_000, &resumed, &waits(500, 60_000, 5_000, 10_000));
        #[rustfmt::skip]
        let cases = [
            ("no time is over",                 1_000,    [500, 60_000, 5_000, 10_000]),
            ("some of it is over",              1_200,    [300, 59_800, 4_800, 9_800]),
            ("one is over, the others are not", 1_600,    [0,   59_400, 4_400, 9_400]),
            ("the clock was set back",          900,      [500, 60_000, 5_000, 10_000]),
            ("the clock was set far forward",   u64::MAX, [0,   0,      0,     0]),
        ];
        for (name, now_ms, [grace_ms, backoff_ms, claim_ms, stop_ms]) in cases {
            let mut outstanding = waits(500, 60_000, 5_000, 10_000);
            alarms.shorten(&mut outstanding, now_ms);
            assert_eq!(outstanding, waits(grace_ms, backoff_ms, claim_ms, stop_ms), "{name}");
        }
    }

    #[test]
    fn timer_is_forgotten_when_it_fires_is_disarmed_or_its_task_is_gone() {
        let resumed = Fact::Tree(Event::ResumeRequested { task: TASK });
        let claimed = Fact::Credential {
            profile: ProfileId(1),
            event: CredentialEvent::Elapsed { order: OrderNumber(4) },
        };
        let fired = Event::TimerFired { timer: GRACE };
        let disarm = [Order::Tree(Effect::Disarm { timer: GRACE })];
        #[rustfmt::skip]
        let cases = [
            ("it fires",         fired.into(),                                  vec![],          [500, 59_800, 4_800, 9_800]),
            ("it is disarmed",   resumed.clone(),                               disarm.to_vec(), [500, 59_800, 4_800, 9_800]),
            ("its task is gone", Event::EndAcknowledged { task: TASK }.into(),  vec![],          [500, 60_000, 4_800, 10_000]),
            ("of a credential",  claimed,                                       vec![],          [300, 59_800, 5_000, 9_800]),
            ("of an iterator",   stop_elapsed(TASK, IteratorId(5)).into(),      vec![],          [300, 59_800, 4_800, 10_000]),
            ("another happens",  Event::PauseRequested { task: TASK }.into(),   vec![],          [300, 59_800, 4_800, 9_800]),
        ];
        for (name, fact, orders, [grace_ms, backoff_ms, claim_ms, stop_ms]) in cases {
            let mut alarms = Alarms::default();
            alarms.take(1_000, &resumed, &waits(500, 60_000, 5_000, 10_000));
            alarms.take(1_100, &fact, &orders);
            let mut outstanding = waits(500, 60_000, 5_000, 10_000);
            alarms.shorten(&mut outstanding, 1_200);
            assert_eq!(outstanding, waits(grace_ms, backoff_ms, claim_ms, stop_ms), "{name}");
        }
    }
}
