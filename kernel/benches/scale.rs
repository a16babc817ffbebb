//! What many live tasks cost: a step, memory, a snapshot, and the way back from one.
//!
//! Prints one table. Tasks without a worker have had a turn with a tool and wait for the response to the second; those with
//! one have an agent that works on their prompt. A step is timed over events of tasks drawn at random, half of them
//! applied and half stale; the fastest of several rounds counts. Beside it stands what no step can be faster than where
//! tasks do not fit in a cache: one word changed in a block of as many bytes for each task.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use downbeat_kernel::{
    Approval, Attempt, Budget, Call, CallId, Config, Discard, Event, Kernel, MessageId, PromptId,
    RequestEvent, RequestId, Response, SessionEvent, Sign, TaskId, ToolEnd, TurnNumber, WorkerEvent,
};
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

/// Numbers of live tasks: one, a busy service, and more than one shard holds by default.
const LIVE: [u64; 4] = [1, 1_000, 100_000, 1_000_000];
/// Events of one round.
const EVENTS: u64 = 100_000;
const ROUNDS: u32 = 5;
/// As many as the restart is measured with.
const RESTORED: u64 = 100_000;

fn main() {
    // `cargo test` runs benches to see whether they build.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    if let [_, flag, runs, tasks] = &*std::env::args().collect::<Vec<_>>()
        && flag == "--memory"
    {
        let runs = if runs == "Worker" { Runs::Worker } else { Runs::Requests };
        return memory(runs, tasks.parse().expect("a number of tasks"));
    }
    let random = &mut Random(0x9e37_79b9_7f4a_7c15);
    println!(
        "who runs a task | live tasks | ns a step | ns a touch | bytes a task, in memory | in a snapshot (JSON)"
    );
    for runs in [Runs::Requests, Runs::Worker] {
        for tasks in LIVE {
            let mut kernel = kernel(runs, tasks);
            let step = fastest(|| steps(&mut kernel, runs, tasks, random)).as_nanos() / u128::from(EVENTS);
            let snapshot =
                serde_json::to_vec(&kernel).expect("a kernel has a JSON form").len() as u64 / tasks;
            drop(kernel);
            let memory = memory_apart(runs, tasks);
            let mut blocks = vec![[0_u64; 32]; usize::try_from(tasks).expect("they fit in memory")];
            let touch = fastest(|| touches(&mut blocks, random)).as_nanos() / u128::from(EVENTS);
            println!("{runs:?} | {tasks} | {step} | {touch} | {memory} | {snapshot}");
        }
    }
    for runs in [Runs::Requests, Runs::Worker] {
        let kernel = kernel(runs, RESTORED);
        let snapshot = serde_json::to_vec(&kernel).expect("a kernel has a JSON form");
        let scan = fastest(|| timed(|| serde_json::from_slice::<serde::de::IgnoredAny>(&snapshot).is_ok()));
        let read = fastest(|| timed(|| serde_json::from_slice::<Kernel>(&snapshot).is_ok()));
        let validate = fastest(|| timed(|| kernel.validate().is_ok()));
        let resync = fastest(|| timed(|| kernel.resync(&mut Discard)));
        println!(
            "{RESTORED} tasks ({runs:?}) from a snapshot of {} MB: read {read:?} ({:.1} times a scan of the same bytes, \
             {scan:?}), validate {validate:?}, resync {resync:?}",
            snapshot.len() / 1_000_000,
            read.as_secs_f64() / scan.as_secs_f64(),
        );
    }
}

/// Who runs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    Requests,
    Worker,
}

/// What `memory` says in a process of its own, where nothing was freed before.
fn memory_apart(runs: Runs, tasks: u64) -> String {
    let program = std::env::current_exe().expect("this program");
    let ran = Command::new(program).args(["--memory", &format!("{runs:?}"), &tasks.to_string()]).output();
    String::from_utf8_lossy(&ran.expect("this program runs").stdout).trim().to_owned()
}

/// Prints the bytes for each task, where there are enough tasks to be seen beside everything else.
fn memory(runs: Runs, tasks: u64) {
    let before = resident();
    let kernel = black_box(kernel(runs, tasks));
    let bytes = resident().saturating_sub(before) / tasks;
    println!("{}", if tasks < 100_000 { "-".to_owned() } else { bytes.to_string() });
    drop(kernel);
}

/// Changes one word in each of many blocks, one after the other.
fn touches(blocks: &mut [[u64; 32]], random: &mut Random) -> Duration {
    let tasks = blocks.len() as u64;
    let places: Vec<u64> = (0..EVENTS).map(|_| random.below(tasks)).collect();
    timed(|| {
        let mut before = 0;
        for place in places {
            let block = &mut blocks[usize::try_from(place + before).expect("an index")];
            block[3] += 1;
            // Always 0, which the processor has to read before it knows the next place: a step needs its task, too.
            before = block[4];
        }
    })
}

/// Pseudo-random numbers: Marsaglia's xorshift with 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Resident memory of this process in bytes, or 0 where nobody says.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().map_or(0, |kilobytes| kilobytes * 1_024)
}

fn timed<R>(work: impl FnOnce() -> R) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn fastest(mut round: impl FnMut() -> Duration) -> Duration {
    (0..ROUNDS).map(|_| round()).min().expect("a round")
}

fn request(task: TaskId, turn: u32) -> RequestId {
    RequestId { task, turn: TurnNumber(turn), attempt: Attempt(0) }
}

fn stale(task: TaskId) -> Event {
    let event = RequestEvent::Stopped { attempt: Attempt(0) };
    Event::Request { task, turn: TurnNumber(1), event }
}

/// A kernel in which so many tasks are live.
fn kernel(runs: Runs, tasks: u64) -> Kernel {
    let mut kernel = Kernel::new(Config { tasks_max: u32::MAX, ..Config::default() });
    for task in (1..=tasks).map(TaskId) {
        let begun = [Event::TaskSubmitted { task, budget: Budget::default() }, Event::Admitted { task }];
        let running = match runs {
            Runs::Requests => vec![
                Event::Initialized { task },
                Event::ResponseEnded {
                    request: request(task, 1),
                    response: Response::Calls(vec![Call::Tool(Approval::Granted)]),
                    jitter_ms: 0,
                },
                Event::ToolEnded {
                    call: CallId { task, turn: TurnNumber(1), index: 0 },
                    end: ToolEnd::Succeeded,
                },
            ],
            Runs::Worker => vec![
                Event::Deployed { task },
                Event::Worker {
                    task,
                    event: WorkerEvent::Session(SessionEvent::Started {
                        iterator: downbeat_kernel::IteratorId(1),
                    }),
                },
            ],
        };
        for event in begun.into_iter().chain(running) {
            let _outcome = kernel.step(event, &mut Discard);
        }
    }
    assert_eq!(kernel.tasks().count() as u64, tasks);
    kernel
}

/// One event for each of many tasks, each second one stale.
fn steps(kernel: &mut Kernel, runs: Runs, tasks: u64, random: &mut Random) -> Duration {
    let events: Vec<Event> = (0..EVENTS)
        .map(|number| {
            let task = TaskId(random.below(tasks) + 1);
            match (runs, number % 2) {
                (Runs::Worker, 0) => Event::Worker {
                    task,
                    event: WorkerEvent::Observed { prompt: PromptId(1), sign: Sign::Activity },
                },
                (Runs::Requests, 0) => Event::MessageReceived { task, message: next_message(kernel, task) },
                _ => stale(task),
            }
        })
        .collect();
    timed(|| {
        for event in events {
            let _outcome = black_box(kernel.step(event, &mut Discard));
        }
    })
}

/// Every message is the next of its task before the round; a second one for the same task in one round is a duplicate.
fn next_message(kernel: &Kernel, task: TaskId) -> MessageId {
    MessageId(kernel.task(task).map_or(0, |task| task.data.accepted.0) + 1)
}
