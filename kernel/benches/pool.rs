//! What one step of a pool costs.
//!
//! A sample is a thousand events of one kind, so that a microsecond that is shown is a nanosecond for one event; a pool of a
//! hundred agents has as many tasks in the queue as the argument says. The effects are counted and not kept. Allocations
//! are counted too: what is shown are nodes of ordered maps.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    AgentId, Epoch, Ignored, Lease, Outcome, Pool, PoolConfig, PoolEffect, PoolEvent, PoolRejected,
    PoolTimer, Priority, TaskId, UserId, WorkEnd,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

/// Agents, each with a task.
const AGENTS: u32 = 100;

/// Tasks that wait.
const QUEUED: [u64; 3] = [1, 1_000, 100_000];

fn main() {
    divan::main();
}

fn apply(pool: &mut Pool, event: PoolEvent) {
    assert_eq!(pool.step(event, &mut |_| {}), Outcome::Applied, "{event:?}");
}

fn submitted(task: u64) -> PoolEvent {
    let priority = [Priority::High, Priority::Normal, Priority::Low][usize::try_from(task % 3).unwrap_or(0)];
    PoolEvent::Submitted { task: TaskId(task), user: UserId(task % 1_000), priority }
}

/// A pool in which every agent has a task and so many wait; the first tasks have the first agents.
fn busy(queued: u64) -> Pool {
    let room = 1_000 + queued + u64::from(AGENTS);
    let config = PoolConfig {
        tasks_max: u32::try_from(room).unwrap_or(u32::MAX),
        agents_max: AGENTS,
        quota: 1_000,
        ..PoolConfig::default()
    };
    let mut pool = Pool::new(config);
    for number in 1..=AGENTS {
        apply(&mut pool, submitted(number.into()));
        apply(&mut pool, PoolEvent::Started { agent: AgentId(number) });
    }
    for task in 1..=queued {
        apply(&mut pool, submitted(u64::from(AGENTS) + task));
    }
    pool
}

/// What an agent of the pool works under.
fn lease(number: u32) -> Lease {
    Lease { task: TaskId(number.into()), epoch: Epoch(number.into()) }
}

/// Times a thousand events, each of which the pool answers so.
fn measure(
    bencher: Bencher<'_, '_>,
    pool: &Pool,
    events: impl Fn(usize) -> PoolEvent,
    expected: &Outcome<PoolRejected>,
) {
    let pools = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| pool.clone());
    pools.bench_local_refs(|pool| {
        let mut given = 0;
        for number in 0..EVENTS {
            let outcome = pool.step(black_box(events(number)), &mut |_| given += 1);
            assert_eq!(black_box(&outcome), expected);
        }
        black_box(given)
    });
}

fn of_agents(number: usize) -> u32 {
    1 + u32::try_from(number).unwrap_or(0) % AGENTS
}

/// The common event: an agent that works says so again.
#[divan::bench(max_time = 1, args = QUEUED)]
fn heartbeat_of_many(bencher: Bencher<'_, '_>, queued: u64) {
    let mut pool = busy(queued);
    for number in 1..=AGENTS {
        apply(&mut pool, PoolEvent::Heartbeat { agent: AgentId(number), lease: lease(number) });
    }
    let beat = |number| {
        let number = of_agents(number);
        PoolEvent::Heartbeat { agent: AgentId(number), lease: lease(number) }
    };
    measure(bencher, &pool, beat, &Outcome::Ignored(Ignored::Duplicate));
}

/// The first heartbeat since the timer of a lease was armed, and then that timer.
#[divan::bench(max_time = 1, args = QUEUED)]
fn heartbeat_that_renews_and_the_timer(bencher: Bencher<'_, '_>, queued: u64) {
    let pool = busy(queued);
    let pools = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| pool.clone());
    pools.bench_local_refs(|pool| {
        for round in 0..5 {
            for number in 1..=AGENTS {
                let agent = AgentId(number);
                apply(pool, black_box(PoolEvent::Heartbeat { agent, lease: lease(number) }));
                let timer = PoolTimer { agent, number: 2 + round };
                apply(pool, black_box(PoolEvent::Elapsed { timer }));
            }
        }
    });
}

#[divan::bench(max_time = 1, args = QUEUED)]
fn late_report_ignored(bencher: Bencher<'_, '_>, queued: u64) {
    let late = |number| {
        let agent = AgentId(of_agents(number).max(2));
        PoolEvent::WorkEnded { agent, lease: lease(1), end: WorkEnd::Completed }
    };
    measure(bencher, &busy(queued), late, &Outcome::Ignored(Ignored::Stale));
}

#[divan::bench(max_time = 1, args = QUEUED)]
fn submission_that_waits(bencher: Bencher<'_, '_>, queued: u64) {
    let first = u64::from(AGENTS) + queued + 1;
    let submission = |number| submitted(first + u64::try_from(number).unwrap_or(0));
    measure(bencher, &busy(queued), submission, &Outcome::Applied);
}

/// Four events of one agent in turn: its task ends, the end is acknowledged, another task comes, and the agent is clean and
/// gets the next one.
#[divan::bench(max_time = 1, args = QUEUED)]
fn four_events_of_an_agent(bencher: Bencher<'_, '_>, queued: u64) {
    let pool = busy(queued);
    let pools = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| (pool.clone(), lease(1)));
    pools.bench_local_refs(|(pool, lease)| {
        for number in 0..EVENTS / 4 {
            let (agent, done) = (AgentId(1), *lease);
            apply(pool, PoolEvent::WorkEnded { agent, lease: done, end: WorkEnd::Completed });
            apply(pool, PoolEvent::EndAcknowledged { task: done.task });
            let task = 1_000_000 + u64::try_from(number).unwrap_or(0);
            apply(pool, submitted(task));
            let mut next = None;
            let cleaned = PoolEvent::Cleaned { agent, lease: done };
            let outcome = pool.step(cleaned, &mut |effect| {
                if let PoolEffect::Assign { lease, .. } = effect {
                    next = Some(lease);
                }
            });
            assert_eq!(outcome, Outcome::Applied);
            *lease = next.unwrap_or(*lease);
        }
    });
}
