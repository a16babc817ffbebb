//! What stands beside many tasks: the bytes of each machine, and a pool with up to a million tasks in its queue.
//!
//! Prints two tables. The machines of one task, and a credential, own no memory beside themselves, however much happens to
//! them: their size says all. A pool does, so its memory is measured, in a process of its own; and its steps are timed, the
//! fastest of several rounds over the same pool. Cancelled is a task drawn at random, which may lie anywhere in memory.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use downbeat_kernel::{
    AgentId, Credential, Epoch, Lease, Outbox, Outcome, Pool, PoolConfig, PoolEvent, Priority, Questions,
    Retry, TaskId, UserId, WorkEnd,
};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

/// Numbers of tasks that wait: hardly any, a busy service, what a pool holds by default, and more.
const QUEUED: [u64; 4] = [1, 1_000, 100_000, 1_000_000];
/// Agents, each with a task.
const AGENTS: u32 = 100;
/// Events of one round, which are on top of those that wait: the queue is so much longer at the end of a round of submissions,
/// and as long as before after the cancels.
const EVENTS: u64 = 1_000;
const ROUNDS: u32 = 20;

fn main() {
    // `cargo test` runs benches to see whether they build.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    if let [_, flag, queued] = &*std::env::args().collect::<Vec<_>>()
        && flag == "--memory"
    {
        return memory(queued.parse().expect("a number of tasks"));
    }
    println!("machine | bytes each in memory");
    println!("Questions | {}", size_of::<Questions>());
    println!("Outbox | {}", size_of::<Outbox>());
    println!("Retry | {}", size_of::<Retry>());
    println!("Credential, whoever waits | {}", size_of::<Credential>());
    println!();
    println!(
        "queued | ns a submission | ns a cancel and its acknowledgement | ns from one assignment of an agent to the next (4 events) \
         | bytes a task, in memory | in a snapshot (JSON)"
    );
    for queued in QUEUED {
        let mut bench = Bench::new(queued);
        let (mut submission, mut cancel) = (Duration::MAX, Duration::MAX);
        let mut cycle = Duration::MAX;
        for _ in 0..ROUNDS {
            submission = submission.min(bench.submit());
            cancel = cancel.min(bench.cancel());
            cycle = cycle.min(bench.work());
        }
        let snapshot = serde_json::to_vec(&bench.pool).expect("a pool has a JSON form").len() as u64 / queued;
        drop(bench);
        let [submission, cancel, cycle] =
            [submission, cancel, cycle].map(|round| round.as_nanos() / u128::from(EVENTS));
        println!("{queued} | {submission} | {cancel} | {cycle} | {} | {snapshot}", memory_apart(queued));
    }
}

/// A pool of busy agents, and so many tasks of a thousand users that wait.
struct Bench {
    pool: Pool,
    /// The tasks that wait, in no order.
    queued: Vec<TaskId>,
    last_task: u64,
    /// The last lease of the first agent.
    lease: Lease,
    random: u64,
}

impl Bench {
    fn new(queued: u64) -> Self {
        let config =
            PoolConfig { tasks_max: u32::MAX, agents_max: AGENTS, quota: u32::MAX, ..PoolConfig::default() };
        let first = Lease { task: TaskId(1), epoch: Epoch(1) };
        let mut bench = Self {
            pool: Pool::new(config),
            queued: Vec::new(),
            last_task: 0,
            lease: first,
            random: 0x9e37_79b9_7f4a_7c15,
        };
        for agent in (1..=AGENTS).map(AgentId) {
            let event = bench.submission();
            bench.apply(event);
            bench.apply(PoolEvent::Started { agent });
        }
        bench.queued.clear();
        for _ in 0..queued {
            let event = bench.submission();
            bench.apply(event);
        }
        bench
    }

    fn apply(&mut self, event: PoolEvent) {
        let mut given = 0;
        let outcome = self.pool.step(event, &mut |_| given += 1);
        assert_eq!(black_box((outcome, given)).0, Outcome::Applied, "{event:?}");
    }

    fn submission(&mut self) -> PoolEvent {
        self.last_task += 1;
        let task = TaskId(self.last_task);
        self.queued.push(task);
        PoolEvent::Submitted { task, user: UserId(self.last_task % 1_000), priority: Priority::Normal }
    }

    /// Pseudo-random numbers: Marsaglia's xorshift with 64 bits.
    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % bound as u64).expect("below a usize")
    }

    fn submit(&mut self) -> Duration {
        let events: Vec<_> = (0..EVENTS).map(|_| self.submission()).collect();
        timed(|| events.into_iter().for_each(|event| self.apply(event)))
    }

    /// As many as were submitted.
    fn cancel(&mut self) -> Duration {
        let mut drawn = Vec::new();
        for _ in 0..EVENTS {
            let place = self.below(self.queued.len());
            drawn.push(self.queued.swap_remove(place));
        }
        timed(|| {
            for task in drawn {
                self.apply(PoolEvent::CancelRequested { task });
                self.apply(PoolEvent::EndAcknowledged { task });
            }
        })
    }

    /// The first agent ends its task, is cleaned, and has the next one; another task comes.
    fn work(&mut self) -> Duration {
        let events: Vec<_> = (0..EVENTS).map(|_| self.submission()).collect();
        let mut assigned = BTreeSet::new();
        let before = Instant::now();
        for event in events {
            let (agent, lease) = (AgentId(1), self.lease);
            self.apply(PoolEvent::WorkEnded { agent, lease, end: WorkEnd::Completed });
            self.apply(PoolEvent::EndAcknowledged { task: lease.task });
            self.apply(event);
            self.apply(PoolEvent::Cleaned { agent, lease });
            self.lease = self.pool.agent(agent).and_then(|agent| agent.state.lease()).expect("a next task");
            assigned.insert(self.lease.task);
        }
        let took = before.elapsed();
        self.queued.retain(|task| !assigned.contains(task));
        took
    }
}

/// What `memory` says in a process of its own, where nothing was freed before.
fn memory_apart(queued: u64) -> String {
    let program = std::env::current_exe().expect("this program");
    let ran = Command::new(program).args(["--memory", &queued.to_string()]).output();
    String::from_utf8_lossy(&ran.expect("this program runs").stdout).trim().to_owned()
}

/// Prints the bytes for each task, where there are enough tasks to be seen beside everything else.
fn memory(queued: u64) {
    let before = resident();
    let Bench { pool, queued: tasks, .. } = Bench::new(queued);
    drop(tasks);
    let bytes = resident().saturating_sub(before) / queued;
    println!("{}", if queued < 100_000 { "-".to_owned() } else { bytes.to_string() });
    drop(pool);
}

/// Resident memory of this process in bytes, or 0 where nobody says.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().map_or(0, |kilobytes| kilobytes * 1_024)
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
