//! Random lives of a pool, with agents, users and a clock that do anything, and random damage to what is stored.

use crate::pool_ledger::Ledger;
use downbeat_kernel::{
    AgentId, AgentState, Epoch, Lease, Outcome, Pool, PoolConfig, PoolEffect, PoolEvent, PoolTimer, Priority,
    TaskId, UserId, WorkEnd,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// Bounds that random events reach.
fn config() -> PoolConfig {
    PoolConfig {
        tasks_max: 12,
        users_max: 3,
        agents_max: 4,
        agents_min: 1,
        quota: 2,
        attempts_max: 2,
        normal_yields: 2,
        low_yields: 4,
        ..PoolConfig::default()
    }
}

/// What one event is made from: each choice picks among what makes sense at its place.
type Choices = [u8; 4];

/// Half of the events answer an order that is outstanding; the others come from people, or carry any identity.
fn event(pool: &Pool, orders: &[PoolEffect], next: &mut u64, choices: Choices) -> PoolEvent {
    let [which, place, a, b] = choices;
    if which < 140
        && let Some(order) = orders.get(usize::from(place) % orders.len().max(1))
    {
        return answer(*order, a);
    }
    let near = |number: u64| (number + u64::from(a) % 3).saturating_sub(1);
    let agent = AgentId((pool.last_agent().0 + 1).saturating_sub(u32::from(place) % 6));
    let timer = pool.agent(agent).map_or(0, |agent| agent.timer);
    let task = TaskId(next.saturating_sub(u64::from(place) % 14));
    let lease = pool.agent(agent).and_then(|agent| latest(agent.state)).filter(|_| b < 128);
    let lease = lease.unwrap_or(Lease { task, epoch: Epoch(near(pool.epoch().0)) });
    match which {
        ..200 => {
            *next += u64::from(a >= 16);
            let priority = [Priority::High, Priority::Normal, Priority::Low][usize::from(b) % 3];
            PoolEvent::Submitted { task: TaskId(*next), user: UserId(u64::from(place) % 4), priority }
        }
        200..210 => PoolEvent::CancelRequested { task },
        210..215 => PoolEvent::EndAcknowledged { task },
        215..220 => PoolEvent::Started { agent },
        220..226 => PoolEvent::Gone { agent },
        226..236 => PoolEvent::Heartbeat { agent, lease },
        236..241 => PoolEvent::WorkEnded { agent, lease, end: work_end(a) },
        241..246 => PoolEvent::Cleaned { agent, lease },
        246..249 => PoolEvent::DrainRequested { agent },
        249.. => {
            let number = u32::try_from(near(timer.into())).expect("a small number");
            PoolEvent::Elapsed { timer: PoolTimer { agent, number } }
        }
    }
}

/// The lease that an agent has, or had just before.
fn latest(state: AgentState) -> Option<Lease> {
    match state {
        AgentState::Cleaning { lease } => Some(lease),
        AgentState::Provisioning
        | AgentState::Failed
        | AgentState::Idle(_)
        | AgentState::Busy { .. }
        | AgentState::Draining { .. }
        | AgentState::Leaving => state.lease(),
    }
}

fn work_end(choice: u8) -> WorkEnd {
    match choice % 4 {
        0 => WorkEnd::Failed,
        1 => WorkEnd::Returned,
        _ => WorkEnd::Completed,
    }
}

/// The answer to an order: a good one unless `a` is near its end.
fn answer(order: PoolEffect, a: u8) -> PoolEvent {
    match order {
        PoolEffect::Provision { agent } | PoolEffect::Clean { agent, .. } if a > 230 => {
            PoolEvent::Gone { agent }
        }
        PoolEffect::Provision { agent } => PoolEvent::Started { agent },
        PoolEffect::Retire { agent } => PoolEvent::Gone { agent },
        PoolEffect::Assign { agent, lease } if a > 100 => PoolEvent::Heartbeat { agent, lease },
        PoolEffect::Assign { agent, lease } | PoolEffect::Stop { agent, lease } => {
            PoolEvent::WorkEnded { agent, lease, end: work_end(a) }
        }
        PoolEffect::Clean { agent, lease } => PoolEvent::Cleaned { agent, lease },
        PoolEffect::TaskEnded { task, .. } => PoolEvent::EndAcknowledged { task },
        PoolEffect::Arm { timer, .. } | PoolEffect::Disarm { timer } => PoolEvent::Elapsed { timer },
    }
}

/// A pool that has lived through the choices, judged after each; its applied events.
fn life(choices: &[Choices]) -> (Ledger, Vec<PoolEvent>) {
    let (mut ledger, mut next, mut journal) = (Ledger::new(Pool::new(config())), 0, Vec::new());
    for choices in choices {
        let event = event(&ledger.pool, &ledger.orders, &mut next, *choices);
        if ledger.tell(event) == Outcome::Applied {
            journal.push(event);
        }
    }
    (ledger, journal)
}

/// Every order is answered well, and no timer runs out but those of agents that nobody needs.
fn come_to_rest(ledger: &mut Ledger) {
    let is_idle = |pool: &Pool, agent: AgentId| {
        pool.agent(agent).is_some_and(|agent| matches!(agent.state, AgentState::Idle(_) | AgentState::Failed))
    };
    for _ in 0..400 {
        let next = ledger.orders.iter().copied().find(|order| match order {
            PoolEffect::Arm { timer, .. } => is_idle(&ledger.pool, timer.agent),
            PoolEffect::Provision { .. }
            | PoolEffect::Retire { .. }
            | PoolEffect::Assign { .. }
            | PoolEffect::Stop { .. }
            | PoolEffect::Clean { .. }
            | PoolEffect::TaskEnded { .. }
            | PoolEffect::Disarm { .. } => true,
        });
        let Some(order) = next else { return };
        assert_eq!(ledger.tell(answer(order, 2)), Outcome::Applied, "{order:?}");
    }
    panic!("no end of orders: {:?}", ledger.orders);
}

/// Nothing answers any more; only the clock goes on, and whoever removes containers.
fn fall_silent(ledger: &mut Ledger) {
    let is_timely = |order: &&PoolEffect| {
        matches!(order, PoolEffect::Arm { .. } | PoolEffect::Retire { .. } | PoolEffect::TaskEnded { .. })
    };
    for _ in 0..400 {
        if ledger.pool.agents().all(|(_, agent)| agent.state.lease().is_none()) {
            return;
        }
        let next = ledger.orders.iter().find(is_timely).copied();
        let order = next.expect("whatever is assigned has a timer");
        assert_eq!(ledger.tell(answer(order, 0)), Outcome::Applied, "{order:?}");
    }
    panic!("a lease outlives every timer: {:?}", ledger.pool);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// S20 to S25, L4 and what resync repeats are judged by the ledger after each event. Then the world answers whatever is
    /// asked: every task ends (L1), and the minimum of agents is left.
    #[test]
    fn every_life_keeps_the_properties_and_comes_to_rest(choices in vec(any::<Choices>(), 0..250)) {
        let (mut ledger, _) = life(&choices);
        let began = ledger.pool.last_agent().0 > 0;
        come_to_rest(&mut ledger);
        prop_assert_eq!(ledger.pool.tasks().count(), 0);
        let left = ledger.pool.agents().count();
        prop_assert_eq!(left, usize::from(began));
    }

    /// L1, L2: agents that say nothing hold no task for ever, cancelled or not.
    #[test]
    fn silence_ends_every_lease(choices in vec(any::<Choices>(), 0..150)) {
        let (mut ledger, _) = life(&choices);
        fall_silent(&mut ledger);
    }

    /// A crash after any event: the journal replays to the same pool, and a snapshot goes on as the original does. What is
    /// outstanding then the ledger has compared with what resync repeats.
    #[test]
    fn nothing_is_lost_after_a_crash(choices in vec(any::<Choices>(), 0..150)) {
        let (ledger, journal) = life(&choices);
        let mut replayed = Pool::new(config());
        for event in journal {
            prop_assert_eq!(replayed.step(event, &mut |_| {}), Outcome::Applied);
        }
        prop_assert_eq!(&replayed, &ledger.pool);
        let stored = serde_json::to_string(&ledger.pool).expect("a pool can be written");
        let read: Pool = serde_json::from_str(&stored).expect("it can be read");
        prop_assert_eq!(&read, &ledger.pool);
        let mut restarted = ledger.with(read);
        come_to_rest(&mut restarted);
        prop_assert_eq!(restarted.pool.tasks().count(), 0);
    }

    /// Numbers in the place of numbers: the snapshot cannot be read, is found out, or is a state from which no event leads
    /// out of validity.
    #[test]
    fn damaged_pool_never_panics(
        choices in vec(any::<Choices>(), 5..100),
        place in any::<prop::sample::Index>(),
        number in prop_oneof![0_u64..12, Just(255), Just(u64::from(u32::MAX / 2)), Just(u64::from(u32::MAX)), Just(u64::MAX)],
        after in vec(any::<Choices>(), 5..50),
    ) {
        let (ledger, _) = life(&choices);
        let stored = serde_json::to_string(&ledger.pool).expect("a pool can be written");
        let digit = |at: usize| stored.as_bytes()[at].is_ascii_digit();
        let starts: Vec<usize> = (1..stored.len()).filter(|at| digit(*at) && !digit(at - 1)).collect();
        let start = *place.get(&starts);
        let rest = stored[start..].trim_start_matches(|letter: char| letter.is_ascii_digit());
        let damaged = format!("{}{number}{rest}", &stored[..start]);
        let read = serde_json::from_str::<Pool>(&damaged).ok();
        if let Some(mut pool) = read.filter(|pool| pool.validate().is_ok()) {
            let mut next = 50;
            for choices in after {
                let mut orders = Vec::new();
                pool.resync(&mut |order| orders.push(order));
                let event = event(&pool, &orders, &mut next, choices);
                drop(pool.step(event, &mut |_| ()));
                let counted_out = number == u64::from(u32::MAX / 2);
                prop_assert!(counted_out || pool.validate().is_ok(), "{event:?} leads to {pool:?}");
            }
        }
    }
}

/// The random lives are not idle: together they stand in every state, and no order is missing.
#[test]
fn random_lives_reach_every_state_and_order() {
    let mut runner = TestRunner::deterministic();
    let (mut states, mut orders) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..200 {
        let choices = vec(any::<Choices>(), 50..250).new_tree(&mut runner).expect("a life").current();
        let (mut ledger, mut next) = (Ledger::new(Pool::new(config())), 0);
        for choices in choices {
            let event = event(&ledger.pool, &ledger.orders, &mut next, choices);
            drop(ledger.tell(event));
            states.extend(ledger.pool.agents().map(|(_, agent)| name(&agent.state)));
            states.extend(ledger.pool.tasks().map(|(_, task)| name(&task.standing)));
            orders.extend(ledger.orders.iter().map(name));
        }
    }
    let expected = [
        "Busy",
        "Cleaning",
        "Draining",
        "Ended(Cancelled)",
        "Ended(Completed)",
        "Ended(Failed)",
        "Ended(Lost)",
        "Failed",
        "Held",
        "Idle(Kept)",
        "Idle(Spare)",
        "Leaving",
        "Provisioning",
        "Queued",
    ];
    assert_eq!(Vec::from_iter(states), expected);
    assert_eq!(
        Vec::from_iter(orders),
        ["Arm", "Assign", "Clean", "Provision", "Retire", "Stop", "TaskEnded"]
    );
}

/// The name of a variant without its fields.
fn name(shown: &impl std::fmt::Debug) -> String {
    format!("{shown:?}").split(' ').next().map_or(String::new(), String::from)
}

/// A planted fault is for the checks to find: it breaks promises, and does not panic.
#[cfg(feature = "planted-faults")]
#[test]
fn random_lives_of_a_pool_with_a_planted_fault_do_not_panic() {
    let mut runner = TestRunner::deterministic();
    for fault in downbeat_kernel::Fault::OF_POOLS {
        for _ in 0..30 {
            let choices = vec(any::<Choices>(), 50..250).new_tree(&mut runner).expect("a life").current();
            let (mut pool, mut next) = (Pool::new(PoolConfig { fault: Some(*fault), ..config() }), 0);
            for choices in choices {
                let mut orders = Vec::new();
                pool.resync(&mut |order| orders.push(order));
                let event = event(&pool, &orders, &mut next, choices);
                drop(pool.step(event, &mut |_| ()));
            }
        }
    }
}

/// The ledger is not blind: some random life shows it every fault.
#[cfg(feature = "planted-faults")]
#[test]
fn ledger_sees_every_planted_fault_of_the_pool() {
    let mut runner = TestRunner::deterministic();
    for fault in downbeat_kernel::Fault::OF_POOLS {
        let shows = (0..1_000).any(|_| {
            let choices = vec(any::<Choices>(), 50..250).new_tree(&mut runner).expect("a life").current();
            let pool = Pool::new(PoolConfig { fault: Some(*fault), ..config() });
            std::panic::catch_unwind(|| {
                let (mut ledger, mut next) = (Ledger::new(pool), 0);
                for choices in choices {
                    let event = event(&ledger.pool, &ledger.orders, &mut next, choices);
                    drop(ledger.tell(event));
                }
            })
            .is_err()
        });
        assert!(shows, "nobody noticed {fault:?}");
    }
}
