//! The reduction against plain depth-first search, on random little programs.

use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use downbeat_rt::{Cell, First, JoinEnd, Receiver, Rt, Sender, Task, first_of};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::fault::{Fault, PLANTED};
use super::{End, ExploreError, Explorer, Extent, Misuse, Report, Search, World};

/// A program: the root spawns the tasks, does its own steps, and joins them, or not.
#[derive(Clone, Debug)]
struct Program {
    capacity: usize,
    /// So many are in each inbox at the beginning, if there is room.
    filled: u8,
    root: Vec<Op>,
    tasks: Vec<Vec<Op>>,
    joins: bool,
}

/// What a task does. It is told of others by their number, the root being 0, and has an inbox and a log of its own.
#[derive(Clone, Debug)]
enum Op {
    Send {
        to: usize,
        item: u8,
    },
    TrySend {
        to: usize,
        item: u8,
    },
    Next,
    Take,
    NextOrSleep {
        ms: u64,
    },
    SleepOrNext {
        ms: u64,
    },
    Close,
    Hangup {
        to: usize,
    },
    Waiting {
        at: usize,
    },
    Set {
        cell: usize,
        value: u8,
    },
    Get {
        cell: usize,
    },
    Sleep {
        ms: u64,
    },
    Now,
    Draw {
        below: u64,
    },
    Choose {
        of: usize,
    },
    ChooseAndSet {
        cell: usize,
        on: bool,
    },
    Spawn {
        cell: usize,
    },
    /// Of the root alone: others do nothing.
    Abort {
        task: usize,
    },
    /// Of the root alone: others do nothing.
    Join {
        task: usize,
    },
    /// Adds to something that is shared past the seam, and looks at it.
    Unrecorded,
}

fn op(records: bool) -> impl Strategy<Value = Op> {
    let (at, item, cell, ms) = (0..3_usize, 1..3_u8, 0..2_usize, 1..3_u64);
    let recorded = prop_oneof![
        4 => (at.clone(), item.clone()).prop_map(|(to, item)| Op::Send { to, item }),
        1 => (at.clone(), item.clone()).prop_map(|(to, item)| Op::TrySend { to, item }),
        2 => Just(Op::Next),
        2 => Just(Op::Take),
        3 => ms.clone().prop_map(|ms| Op::NextOrSleep { ms }),
        2 => ms.clone().prop_map(|ms| Op::SleepOrNext { ms }),
        1 => Just(Op::Close),
        1 => at.clone().prop_map(|to| Op::Hangup { to }),
        1 => at.clone().prop_map(|at| Op::Waiting { at }),
        3 => (cell.clone(), item).prop_map(|(cell, value)| Op::Set { cell, value }),
        3 => cell.clone().prop_map(|cell| Op::Get { cell }),
        2 => ms.prop_map(|ms| Op::Sleep { ms }),
        1 => Just(Op::Now),
        2 => Just(Op::Draw { below: 3 }),
        1 => Just(Op::Choose { of: 2 }),
        2 => (cell.clone(), any::<bool>()).prop_map(|(cell, on)| Op::ChooseAndSet { cell, on }),
        1 => cell.prop_map(|cell| Op::Spawn { cell }),
        2 => at.clone().prop_map(|task| Op::Abort { task }),
        1 => at.prop_map(|task| Op::Join { task }),
    ];
    if records { recorded.boxed() } else { prop_oneof![recorded, Just(Op::Unrecorded)].boxed() }
}

fn program(records: bool) -> impl Strategy<Value = Program> {
    let steps = |most: usize| vec(op(records), 1..=most);
    (1..4_usize, 0..3_u8, steps(4), vec(steps(3), 1..=3), proptest::bool::weighted(0.8))
        .prop_map(|(capacity, filled, root, tasks, joins)| Program { capacity, filled, root, tasks, joins })
}

/// What a task has to do with.
struct Actor {
    rt: Rt,
    world: World,
    inbox: Receiver<u8>,
    others: Vec<Option<Sender<u8>>>,
    cells: [Cell<u8>; 2],
    unrecorded: Arc<Mutex<u8>>,
    /// Its own alone, until it has ended.
    log: Arc<Mutex<Vec<u8>>>,
}

impl Actor {
    async fn act(&mut self, op: &Op, tasks: &mut [Option<Task>]) {
        let ms = Duration::from_millis;
        let seen = match op {
            Op::Send { to, item } => match self.sender(*to) {
                Some(sender) => u8::from(sender.clone().send(*item).await.is_ok()),
                None => 7,
            },
            Op::TrySend { to, item } => {
                self.sender(*to).map_or(7, |sender| u8::from(sender.try_send(*item).is_ok()))
            }
            Op::Next => self.inbox.next().await.unwrap_or(9),
            Op::Take => self.inbox.take().unwrap_or(9),
            Op::NextOrSleep { ms: wait } => match first_of(self.inbox.next(), self.rt.sleep(ms(*wait))).await
            {
                First::Left(item) => item.unwrap_or(9),
                First::Right(()) => 8,
            },
            Op::SleepOrNext { ms: wait } => match first_of(self.rt.sleep(ms(*wait)), self.inbox.next()).await
            {
                First::Left(()) => 8,
                First::Right(item) => item.unwrap_or(9),
            },
            Op::Close => self.inbox.close().into_iter().fold(0, |sum, item| sum * 3 + item),
            Op::Hangup { to } => {
                let at = *to % self.others.len();
                u8::from(self.others[at].take().is_some())
            }
            Op::Waiting { at } => {
                self.sender(*at).map_or(7, |sender| u8::try_from(sender.waiting()).expect("it is bounded"))
            }
            Op::Set { cell, value } => {
                self.cells[*cell].set(*value);
                0
            }
            Op::Get { cell } => self.cells[*cell].get(),
            Op::Sleep { ms: wait } => {
                self.rt.sleep(ms(*wait)).await;
                0
            }
            Op::Now => u8::try_from(self.rt.now().as_millis()).expect("it is short"),
            Op::Draw { below } => u8::try_from(self.rt.random(*below)).expect("it is small"),
            Op::Choose { of } => u8::try_from(self.world.choose(*of, "choice")).expect("they are few"),
            Op::ChooseAndSet { cell, on } => {
                let happens = self.world.happens("choice");
                if happens == *on {
                    self.cells[*cell].set(6);
                }
                u8::from(happens)
            }
            Op::Spawn { cell } => {
                let cell = self.cells[*cell].clone();
                self.rt.spawn("child", async move { cell.with(|value| *value = value.wrapping_mul(2) + 1) });
                0
            }
            Op::Abort { task } => {
                let count = tasks.len().max(1);
                tasks.get(task % count).and_then(Option::as_ref).map_or(0, |task| {
                    task.abort();
                    1
                })
            }
            Op::Join { task } => {
                let count = tasks.len().max(1);
                match tasks.get_mut(task % count).and_then(Option::take) {
                    Some(task) => ended(task.join().await),
                    None => 7,
                }
            }
            Op::Unrecorded => {
                let mut shared = self.unrecorded.lock().expect("nobody panics");
                *shared += 1;
                *shared
            }
        };
        self.log.lock().expect("nobody panics").push(seen);
    }

    fn sender(&self, to: usize) -> Option<&Sender<u8>> {
        self.others[to % self.others.len()].as_ref()
    }
}

fn ended(end: JoinEnd) -> u8 {
    match end {
        JoinEnd::Finished => 0,
        JoinEnd::Aborted => 1,
        JoinEnd::Panicked => 2,
    }
}

/// What each task has seen, how it ended, and what is in the cells.
type Outcome = (Vec<Vec<u8>>, Vec<u8>, [u8; 2]);

async fn run(world: World, program: Program) -> Outcome {
    let rt = world.rt().clone();
    let count = program.tasks.len() + 1;
    let (senders, inboxes): (Vec<_>, Vec<_>) =
        (0..count).map(|_| rt.channel("inbox", program.capacity)).unzip();
    for (sender, item) in
        senders.iter().flat_map(|sender| (0..program.filled).map(move |item| (sender, item)))
    {
        let _full = sender.try_send(item);
    }
    let cells = [rt.cell("one", 0), rt.cell("two", 0)];
    let unrecorded = Arc::new(Mutex::new(0));
    let mut actors: Vec<_> = inboxes
        .into_iter()
        .map(|inbox| Actor {
            rt: rt.clone(),
            world: world.clone(),
            inbox,
            others: senders.iter().cloned().map(Some).collect(),
            cells: cells.clone(),
            unrecorded: Arc::clone(&unrecorded),
            log: Arc::default(),
        })
        .collect();
    drop(senders);
    let logs: Vec<_> = actors.iter().map(|actor| Arc::clone(&actor.log)).collect();
    let mut root = actors.remove(0);
    let mut tasks: Vec<_> = actors
        .into_iter()
        .zip(program.tasks)
        .map(|(mut actor, ops)| {
            Some(rt.spawn("task", async move {
                for op in &ops {
                    actor.act(op, &mut []).await;
                }
            }))
        })
        .collect();
    for op in &program.root {
        root.act(op, &mut tasks).await;
    }
    let log = |log: &Arc<Mutex<Vec<u8>>>| log.lock().expect("nobody panics").clone();
    if !program.joins {
        return (vec![log(&root.log)], Vec::new(), cells.map(|cell| cell.get()));
    }
    drop(root);
    let mut ends = Vec::new();
    for task in tasks.into_iter().flatten() {
        ends.push(ended(task.join().await));
    }
    (logs.iter().map(log).collect(), ends, cells.map(|cell| cell.get()))
}

type Found = Report<Outcome>;

/// A program that has more executions is left out.
const PLAIN_MAX: u64 = 20_000;

fn explored(program: &Program, search: Search, most: u64) -> Found {
    let mut explorer = Explorer::new(|world| run(world, program.clone())).executions(most);
    explorer.explore(search).expect("it depends on the choices alone")
}

/// What both searches found, if the plain one came to its end.
fn both(program: &Program) -> Option<(Found, Found)> {
    let planted = PLANTED.take();
    let plain = explored(program, Search::Plain, PLAIN_MAX);
    PLANTED.set(planted);
    if plain.extent != Extent::Complete {
        return None;
    }
    // A reduction that is broken may try more than all.
    Some((explored(program, Search::Exhaustive, 4 * PLAIN_MAX), plain))
}

fn ends(report: &Found) -> Vec<End<Outcome>> {
    report.ends.keys().cloned().collect()
}

/// So many programs, the same in every run.
fn programs(records: bool, count: usize) -> impl Iterator<Item = Program> {
    let mut runner = TestRunner::deterministic();
    let strategy = program(records);
    (0..count).map(move |_| strategy.new_tree(&mut runner).expect("it rejects nothing").current())
}

/// Programs of faults that need several steps to show.
fn by_hand() -> Vec<Program> {
    vec![
        // The longer timer may fire before the shorter one is armed.
        Program {
            capacity: 1,
            filled: 0,
            root: vec![Op::Take],
            tasks: vec![vec![Op::Now, Op::Sleep { ms: 1 }], vec![Op::Sleep { ms: 2 }]],
            joins: true,
        },
        // The second task goes on or waits, depending on the first, and has something to do with the root only if it goes on.
        Program {
            capacity: 1,
            filled: 0,
            root: vec![Op::NextOrSleep { ms: 1 }, Op::Next],
            tasks: vec![
                vec![Op::Send { to: 1, item: 1 }, Op::Sleep { ms: 1 }],
                vec![Op::Send { to: 1, item: 1 }],
            ],
            joins: false,
        },
        // A timer may fire before another one is armed that would keep it back until it is disarmed.
        Program {
            capacity: 1,
            filled: 0,
            root: vec![Op::NextOrSleep { ms: 1 }, Op::Abort { task: 1 }],
            tasks: vec![vec![Op::Sleep { ms: 1 }], vec![Op::NextOrSleep { ms: 2 }]],
            joins: true,
        },
        // Timers, a queue that is full, and a join, in many orders.
        Program {
            capacity: 1,
            filled: 0,
            root: vec![Op::Sleep { ms: 1 }, Op::Send { to: 2, item: 1 }],
            tasks: vec![
                vec![Op::TrySend { to: 2, item: 1 }],
                vec![Op::Next, Op::NextOrSleep { ms: 1 }],
                vec![Op::Sleep { ms: 2 }],
            ],
            joins: true,
        },
        // What nobody waits for may happen just before the end, or not.
        Program {
            capacity: 1,
            filled: 0,
            root: vec![Op::Sleep { ms: 1 }],
            tasks: vec![vec![Op::NextOrSleep { ms: 1 }]],
            joins: false,
        },
    ]
}

/// The worker panics just before the end, or not: what is before the end is seen although the end has nothing else to do with it.
async fn unheard(world: World) {
    let rt = world.rt().clone();
    world.rt().spawn("worker", async move {
        rt.sleep(Duration::from_millis(2)).await;
        panic!("on purpose");
    });
    world.rt().sleep(Duration::from_millis(1)).await;
}

/// The cell may change while the task is waited for, which may have ended before.
async fn joined(world: World) -> [u8; 2] {
    let rt = world.rt();
    let cell = rt.cell("cell", 0);
    let task = rt.spawn("task", async {});
    let (inner, other) = (rt.clone(), cell.clone());
    rt.spawn("other", async move {
        inner.sleep(Duration::from_millis(1)).await;
        other.set(1);
    });
    rt.sleep(Duration::from_millis(2)).await;
    let before = cell.get();
    task.join().await;
    [before, cell.get()]
}

/// Polls with a waker that is the same for all.
fn look(future: Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The timer that one task has armed has fired or not when another one looks at it, which keeps it.
async fn moved(world: World) -> bool {
    let rt = world.rt();
    let (sender, mut receiver) = rt.channel("sleep", 1);
    let mut sleep = Box::pin(rt.sleep(Duration::from_millis(1)));
    assert!(look(sleep.as_mut()).is_pending());
    assert!(sender.try_send(sleep).is_ok());
    let (has_fired, kept) = (rt.cell("has fired", false), rt.cell("kept", None));
    let (seen, keep) = (has_fired.clone(), kept.clone());
    let other = rt.spawn("other", async move {
        if let Some(mut sleep) = receiver.next().await {
            seen.set(look(sleep.as_mut()).is_ready());
            keep.set(Some(sleep));
        }
    });
    other.join().await;
    has_fired.get()
}

/// How many ends the reduction sees of these three.
fn ends_by_hand() -> [usize; 3] {
    fn ends<T: Ord + std::fmt::Debug, F: Future<Output = T>>(program: impl Fn(World) -> F) -> usize {
        let report = Explorer::new(program).explore(Search::Exhaustive);
        report.expect("it depends on the choices alone").ends.len()
    }
    [ends(unheard), ends(joined), ends(moved)]
}

const ENDS_BY_HAND: [usize; 3] = [2, 3, 2];

/// The first program in which the reduction misses something.
fn first_difference(records: bool, differ: impl Fn(&Found, &Found) -> bool) -> Option<(usize, Program)> {
    by_hand().into_iter().chain(programs(records, 600)).enumerate().find(|(_, program)| {
        both(program)
            .is_some_and(|(reduced, plain)| reduced.extent == Extent::Complete && differ(&reduced, &plain))
    })
}

fn ends_differ(reduced: &Found, plain: &Found) -> bool {
    ends(reduced) != ends(plain)
}

#[test]
fn reduction_misses_no_end_of_a_program_by_hand() {
    assert_eq!(ends_by_hand(), ENDS_BY_HAND);
    for program in by_hand() {
        let (reduced, plain) = both(&program).expect("it is small");
        assert_eq!((ends(&reduced), reduced.classes), (ends(&plain), plain.classes), "{program:?}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn reduction_misses_no_end_of_a_random_program(program in program(true)) {
        if let Some((reduced, plain)) = both(&program) {
            prop_assert_eq!(ends(&reduced), ends(&plain));
            prop_assert_eq!(reduced.extent, Extent::Complete);
            prop_assert_eq!(reduced.classes, plain.classes, "each class is tried");
        }
    }
}

#[test]
fn most_random_programs_can_be_compared_and_are_reduced() {
    let (mut compared, mut executions, mut tried, mut classes, mut distinct) = (0, 0, 0, 0, 0);
    for program in programs(true, 300) {
        if let Some((reduced, plain)) = both(&program) {
            compared += 1;
            executions += plain.executions;
            tried += reduced.executions + reduced.given_up;
            classes += reduced.classes.unwrap_or(0);
            distinct += usize::from(plain.ends.len() > 1);
        }
    }
    println!(
        "{compared} compared, {distinct} with several ends: {executions} executions, {tried} tried, {classes} classes"
    );
    assert!(compared > 200 && distinct > 100, "{compared} of 300, {distinct} with several ends");
    assert!(
        tried * 2 < executions && tried * 10 <= classes * 12,
        "{tried} of {executions} for {classes} classes"
    );
}

#[test]
fn planted_faults_are_found_by_the_comparison() {
    let faults = [
        Fault::NeverWakesSleepers,
        Fault::ForgetsIndirect,
        Fault::ForgetsWhatIsGone,
        Fault::ForgetsBlocked,
        Fault::ForgetsTheEnd,
        Fault::DecidesOnce,
        Fault::ForgetsVariants,
        Fault::EndsInItsSleep,
        Fault::IgnoresWakes,
        Fault::IgnoresWrites,
        Fault::IgnoresTime,
        Fault::IgnoresEnds,
        Fault::IgnoresMoves,
        Fault::IgnoresPlaces,
        Fault::DrawsInOrder,
        Fault::TimersNeverRace,
        Fault::SeesOneWaker,
        Fault::RepeatsOneTooMany,
    ];
    let mut missed = Vec::new();
    for fault in faults {
        PLANTED.set(Some(fault));
        let by_hand = catch_unwind(|| ends_by_hand() != ENDS_BY_HAND);
        let end = catch_unwind(|| first_difference(true, ends_differ));
        PLANTED.set(None);
        match (by_hand, end) {
            (_, Ok(Some((number, program)))) => println!("{fault:?}: program {number}: {program:?}"),
            (Ok(true), Ok(None)) => println!("{fault:?}: a program by hand"),
            (Err(_), _) | (_, Err(_)) => println!("{fault:?}: the search itself panics"),
            (Ok(false), Ok(None)) => missed.push(fault),
        }
    }
    assert_eq!(missed, [], "these faults are not noticed");
}

/// Plain search finds it out alone, and where it does not, both searches come to the same ends.
#[test]
fn what_is_shared_past_the_seam_is_found() {
    let (mut found, mut differ) = (0, 0);
    for program in programs(false, 300) {
        let explore = |search| {
            let explorer = Explorer::new(|world| run(world, program.clone())).executions(PLAIN_MAX);
            { explorer }.explore(search)
        };
        match (explore(Search::Plain), explore(Search::Exhaustive)) {
            (Err(ExploreError::Misused(Misuse::Apart { .. })), _) => found += 1,
            (Ok(plain), Ok(reduced)) if plain.extent == Extent::Complete => {
                differ += usize::from(ends(&plain) != ends(&reduced));
            }
            (Ok(_), Ok(_)) => {}
            (plain, reduced) => panic!("{:?} and {:?}", plain.err(), reduced.err()),
        }
    }
    println!("{found} found, and {differ} differ");
    assert!(found > 5 && differ == 0, "{found} found, and {differ} differ");
}

#[test]
fn class_that_is_missed_is_found_by_the_comparison() {
    PLANTED.set(Some(Fault::ForgetsOtherVariants));
    let found = first_difference(true, |reduced, plain| reduced.classes != plain.classes);
    PLANTED.set(None);
    assert!(found.is_some());
}
