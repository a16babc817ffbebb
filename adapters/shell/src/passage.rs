//! The way of the tree's orders to the places in which they are carried out: what uses a place waits until there is one.
//!
//! What is kept is decided when the event is taken, and so by the leases of that moment; it goes out when that is durable, as every order.

use crate::fact::{Fact, Order};
use crate::known::Known;
use downbeat_kernel::{
    AgentId, Effect, Event, Kernel, Lease, Pool, SessionEffect, SessionEvent, TaskId, WorkerEffect,
    WorkerEvent,
};
use downbeat_wiring::{Gate, has_place, lease_of, may_go_out, root_of, task_of};

/// What waits for a place. None of it is on record: after a crash the tree repeats it.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    gate: Gate,
}

impl Passage {
    /// Takes a fact that was applied, before what it leads to: what is kept for an iterator that has ended is void.
    pub(crate) fn note(&mut self, fact: &Fact) {
        if let Fact::Tree(Event::Worker { task, event: WorkerEvent::Session(event) }) = fact
            && let SessionEvent::IteratorEnded { iterator, .. } = event
        {
            self.gate.iterator_ended(*task, *iterator);
        }
    }

    /// What goes out now of the orders that an event has led to, and of what was kept before.
    pub(crate) fn pass(&mut self, known: &Known, orders: Vec<Order>) -> Vec<Order> {
        self.pass_where(known, orders, has_place)
    }

    /// What goes out of the orders that are repeated after a crash: of a task that a person holds nothing that uses its place, because
    /// it may have been kept before (S13).
    pub(crate) fn pass_again(&mut self, known: &Known, orders: Vec<Order>) -> Vec<Order> {
        self.pass_where(known, orders, may_go_out)
    }

    fn pass_where(
        &mut self,
        known: &Known,
        orders: Vec<Order>,
        is_open: impl Fn(&Kernel, &Pool, TaskId) -> bool,
    ) -> Vec<Order> {
        let Some(pool) = &known.pool else { return orders };
        let mut out = Vec::with_capacity(orders.len());
        for order in orders {
            match order {
                Order::Tree(effect) => {
                    let is_open = is_open(&known.kernel, pool, task_of(&effect));
                    // What is void has not begun: whoever takes it back is answered as if it had stopped at once.
                    if self.gate.pass(&effect, is_open).is_some() {
                        out.push(placed(effect, &known.kernel, pool));
                    }
                }
                Order::LeaseOver { agent, lease, .. } => {
                    let lost = self.gate.lose(&known.kernel, lease.task);
                    out.push(Order::LeaseOver { agent, lease, lost });
                }
                Order::There { .. }
                | Order::Credential { .. }
                | Order::Outbox { .. }
                | Order::Pool(_)
                | Order::Retry { .. }
                | Order::Questions { .. }
                | Order::Forgotten(_)
                | Order::Attach { .. } => out.push(order),
            }
        }
        let open = self.gate.open(|task| may_go_out(&known.kernel, pool, task));
        out.extend(open.into_iter().map(|effect| placed(effect, &known.kernel, pool)));
        out
    }
}

/// What is carried out at an agent, with the lease under which it is. A request goes to a model, and needs its place only for the quota.
fn placed(effect: Effect, kernel: &Kernel, pool: &Pool) -> Order {
    let seat: Option<(AgentId, Lease)> = match effect {
        Effect::Initialize { .. }
        | Effect::RunTool { .. }
        | Effect::Worker { effect: WorkerEffect::Session(SessionEffect::Start { .. }), .. } => {
            lease_of(pool, root_of(kernel, task_of(&effect)))
        }
        Effect::Enqueue { .. }
        | Effect::Dequeue { .. }
        | Effect::AbortInitialization { .. }
        | Effect::Worker { .. }
        | Effect::Include { .. }
        | Effect::Request { .. }
        | Effect::CancelTool { .. }
        | Effect::Ask { .. }
        | Effect::Withdraw { .. }
        | Effect::Arm { .. }
        | Effect::Disarm { .. }
        | Effect::ReportUndelivered { .. }
        | Effect::TaskEnded { .. } => None,
    };
    match seat {
        Some((agent, lease)) => Order::There { agent, lease, effect },
        None => Order::Tree(effect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::settings;
    use downbeat_kernel::{IteratorEnd, IteratorId, Outcome, PoolEvent, Priority, PromptId, UserId};

    const TASK: TaskId = TaskId(7);

    fn of_worker(effect: SessionEffect) -> Order {
        Order::Tree(Effect::Worker { task: TASK, effect: WorkerEffect::Session(effect) })
    }

    /// Duty 3: it goes to nobody, also when there is a place again.
    #[test]
    fn what_is_kept_for_an_iterator_is_void_when_that_has_ended() {
        let (iterator, prompt) = (IteratorId(2), PromptId(3));
        let kept = of_worker(SessionEffect::Prompt { iterator, prompt });
        #[rustfmt::skip]
        let cases = [
            ("it goes on",           None,                vec![kept.clone()]),
            ("it has ended",         Some(iterator),      vec![]),
            ("the one before it has", Some(IteratorId(1)), vec![kept.clone()]),
        ];
        for (name, ended, out) in cases {
            let (mut known, mut passage) = (Known::new(settings()), Passage::default());
            assert_eq!(passage.pass(&known, vec![kept.clone()]), [], "{name}: it has no place");
            if let Some(iterator) = ended {
                let event = SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Transient };
                passage.note(&Event::Worker { task: TASK, event: WorkerEvent::Session(event) }.into());
            }
            let (user, priority) = (UserId(5), Priority::Normal);
            let places = [
                PoolEvent::Submitted { task: TASK, user, priority },
                PoolEvent::Started { agent: AgentId(1) },
            ];
            for event in places {
                assert_eq!(known.take(1, &Fact::Pool(event), &[], &mut vec![]), Outcome::Applied, "{name}");
            }
            assert_eq!(passage.pass(&known, vec![]), out, "{name}");
        }
    }
}
