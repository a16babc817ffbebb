//! A state as parts: each machine with what surrounds it, what is on its way between them, and what was seen.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

use downbeat_kernel::{
    Budget, Config, Credential, Epoch, Kernel, Outbox, Pool, PoolConfig, Retry, Task, TaskId, WaiterId,
};
use downbeat_sim::parts::{Part, Parts};

use super::agents::Place;
use super::asking::Asking;
use super::line::Line;
use super::post::Receiver;
use super::scenario::{Left, Scenario};
use super::seen::Seen;
use super::vault::Vault;
use crate::pots::Pot;
use crate::watch::{TASKS, TaskIndex};
use downbeat_wiring::{Gate, Record, Waiters, Word, root_of};

/// The kernel's id of a task.
pub(super) const fn id(task: TaskIndex) -> TaskId {
    TaskId(task as u64 + 1)
}

/// The model's index of a task.
pub(super) fn index(task: TaskId) -> TaskIndex {
    u8::try_from(task.0 - 1).expect("the scenarios have three tasks")
}

/// A model request that somebody works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Flight {
    pub(super) turn: u8,
    pub(super) attempt: u8,
    /// The content of the store that it was sent with, 0 for a key that does not change.
    pub(super) generation: u8,
    /// It was told to stop: it may never answer.
    pub(super) stopping: bool,
    /// The provider keeps the response to it.
    pub(super) is_kept: bool,
    /// It continues from the response to the turn before.
    pub(super) is_continued: bool,
    /// A crash has closed it, or it never went out: it is only the answer to the order to stop it, or to say what became
    /// of it.
    pub(super) gone: bool,
}

/// What is being done to start a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Start {
    #[default]
    Nothing,
    /// It waits for a place that is always there.
    Queued,
    Initializing,
    /// It was told to stop: it may never answer.
    Stopping,
}

/// Whether a provider may have worked on a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Read {
    /// It did not.
    #[default]
    No,
    /// It may have.
    Perhaps,
    /// It did not, but only because the request never went out, which the kernel cannot know.
    Unsent,
}

/// What one task has outstanding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Orders {
    pub(super) start: Start,
    /// More than one only if S1 is broken.
    pub(super) flights: [Option<Flight>; 2],
    /// The turn whose calls the tools are.
    pub(super) tools_turn: u8,
    /// One bit for each call whose tool runs.
    pub(super) tools: u8,
    /// One bit for each call whose tool was run since the process began.
    pub(super) tools_begun: u8,
    /// Those of them that were told to stop.
    pub(super) tools_stopping: u8,
    /// One bit for each question that a person can see.
    pub(super) questions: u8,
    /// The question for more that a person can see, of a root.
    pub(super) more: Option<u8>,
    /// The grant whose timer is armed.
    pub(super) budget: Option<u8>,
    /// What is in the pot of the tree, of a root.
    pub(super) pot: Pot,
    /// The turn and attempt that the armed backoff timer brings.
    pub(super) backoff: Option<(u8, u8)>,
    pub(super) grace: bool,
    /// The turn and attempt whose grace timer is armed.
    pub(super) stream_grace: Option<(u8, u8)>,
    /// Its end was reported and waits to be put on record.
    pub(super) ended: bool,
    /// The last turn of which a request was sent.
    pub(super) sent: u8,
    /// What it contained, while the model has not answered it.
    pub(super) content: u16,
    pub(super) read: Read,
    /// A tool that goes on at an agent whose lease was lost: its call, and the lease.
    pub(super) stray: Option<(u8, u8, Epoch)>,
    /// What its worker has at the agent.
    pub(super) line: Line,
    /// The token that the last send of a turn was refused with.
    pub(super) refused: Option<(u8, u8)>,
    /// The send of the last turn that was answered, if its provider keeps the response.
    pub(super) response: Option<(u8, u8)>,
}

/// The tree of tasks, and what it has outstanding.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Tree {
    pub(super) kernel: Kernel,
    pub(super) orders: [Orders; TASKS],
    /// How many messages were accepted for each task.
    pub(super) written: [u8; TASKS],
    /// Whether the first profile is down.
    pub(super) down: bool,
}

impl Tree {
    pub(super) fn of(&self, task: TaskIndex) -> &Orders {
        &self.orders[usize::from(task)]
    }

    pub(super) fn of_mut(&mut self, task: TaskIndex) -> &mut Orders {
        &mut self.orders[usize::from(task)]
    }

    pub(super) fn task(&self, task: TaskIndex) -> Option<&Task> {
        self.kernel.task(id(task))
    }

    /// Whether a person is asked to grant more to the tree in which a task hangs.
    pub(super) fn asks_for_more(&self, task: TaskIndex) -> bool {
        self.of(index(root_of(&self.kernel, id(task)))).more.is_some()
    }

    /// How many task ids were used.
    pub(super) fn born(&self) -> u8 {
        self.kernel.highest().map_or(0, |highest| index(highest) + 1)
    }
}

/// The pool, and its agents as they are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Fleet {
    pub(super) pool: Pool,
    pub(super) places: [Place; super::agents::AGENTS],
}

/// The outbox of the first root, and whoever receives what it sends.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Post {
    pub(super) outbox: Outbox,
    pub(super) receiver: Receiver,
}

/// The attempts at the first root.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Wish {
    pub(super) retry: Retry,
    pub(super) armed: bool,
    /// Its end was said, and waits to be put on record.
    pub(super) ended: bool,
    /// A person has cancelled it.
    pub(super) cancelled: bool,
}

/// What is on its way between machines, and the tables of whoever carries it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Desk {
    /// In the order in which they were said.
    pub(super) words: Vec<Word>,
    pub(super) waiters: Waiters,
    /// What uses a place and waits for one.
    pub(super) gate: Gate,
    pub(super) record: Record,
    /// The pool has said the end of these roots: one bit each.
    pub(super) pool_ended: u8,
}

/// A promise that the last step broke, beside those that the watch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// An event was not applied, and something changed or was emitted (S25).
    Unapplied,
    /// An order was given twice, or was left when its task ended.
    Disorder,
    /// Two refreshes with one token are in flight (S14).
    Beside,
    /// A refresh token was used again (S15).
    Reused,
    /// An older credential has replaced a newer one (S16).
    Regress,
    /// A request was sent again with the token that was refused, or a third time (S17).
    SameToken,
    /// Two agents have one root, or an agent has two (S20).
    TwoPlaces,
    /// What an agent says under a lease that is over was taken (S20).
    OldLease,
    /// Something began for a task whose cancel was taken (S21).
    BegunAfterTaken,
    /// More roots run than may (S22).
    Quota,
    /// An agent began where another root has left its traces (S23).
    Traces,
    /// People are told something after the end, or another end (S24).
    Contradicted,
    /// Something went out or began for a task that has no place.
    Placeless,
    /// Two attempts at one task completed (S18).
    TwoResults,
    /// A worker has two iterators (S10).
    TwoIterators,
    /// An attempt was ordered though a person had cancelled the task (S19).
    BegunAfterCancel,
    /// A prompt was settled by what is not its answer (S11).
    CrossedAnswer,
    /// An interrupt stopped another turn than the one that it names, or not that (S12).
    WrongTurn,
    /// What was stopped is not in front of the next prompt, or is not marked (S12).
    NotResumed,
    /// A turn continues from another response than that to the one before, or not although it could (continuity).
    Discontinued,
}

/// What the last step broke, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Breaches(u32);

impl Breaches {
    pub(super) fn note(&mut self, breach: Breach, is_so: bool) {
        self.0 |= u32::from(is_so) << breach as u32;
    }

    pub(super) fn has(self, breach: Breach) -> bool {
        self.0 >> breach as u32 & 1 == 1
    }

    pub(super) fn is_any(self) -> bool {
        self.0 != 0
    }
}

/// The parts of one state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub(super) tree: Part<Tree>,
    pub(super) vault: Part<Vault>,
    pub(super) fleet: Part<Fleet>,
    pub(super) post: Part<Post>,
    pub(super) wish: Part<Wish>,
    pub(super) asking: Part<Asking>,
    pub(super) desk: Part<Desk>,
    pub(super) seen: Part<Seen>,
    pub(super) left: Left,
    pub(super) breaches: Breaches,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { tree, vault, fleet, post, wish, asking, desk, seen, left, breaches } = self;
        tree.hash(state);
        vault.hash(state);
        fleet.hash(state);
        post.hash(state);
        wish.hash(state);
        asking.hash(state);
        desk.hash(state);
        seen.hash(state);
        left.hash(state);
        breaches.hash(state);
    }
}

/// The tables of the parts of one model.
pub(super) struct Tables {
    pub(super) tree: Parts<Tree>,
    pub(super) vault: Parts<Vault>,
    pub(super) fleet: Parts<Fleet>,
    pub(super) post: Parts<Post>,
    pub(super) wish: Parts<Wish>,
    pub(super) asking: Parts<Asking>,
    pub(super) desk: Parts<Desk>,
    pub(super) seen: Parts<Seen>,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            tree: Parts::new(),
            vault: Parts::new(),
            fleet: Parts::new(),
            post: Parts::new(),
            wish: Parts::new(),
            asking: Parts::new(),
            desk: Parts::new(),
            seen: Parts::new(),
        }
    }
}

/// A part that is read where it lies, and copied when it is changed.
pub(super) struct Slot<'m, T> {
    part: Part<T>,
    table: &'m Parts<T>,
    changed: Option<Box<T>>,
}

impl<'m, T: Clone + Eq + Hash> Slot<'m, T> {
    pub(super) fn new(part: Part<T>, table: &'m Parts<T>) -> Self {
        Self { part, table, changed: None }
    }

    pub(super) fn fold(self) -> Part<T> {
        self.changed.map_or(self.part, |value| self.table.intern(*value))
    }

    /// What it was at the beginning of the step.
    pub(super) fn before(&self) -> &'m T {
        &self.table[self.part]
    }
}

impl<T> Deref for Slot<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.changed.as_deref().unwrap_or(&self.table[self.part])
    }
}

impl<T: Clone> DerefMut for Slot<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        let (table, part) = (self.table, self.part);
        self.changed.get_or_insert_with(|| Box::new(table[part].clone()))
    }
}

/// The settings of the machines in a scenario.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) kernel: Config,
    pub(super) credential: Config,
    pub(super) pool: PoolConfig,
    pub(super) outbox: Config,
    pub(super) retry: Config,
    pub(super) questions: Config,
    /// What each root may spend.
    pub(super) budget: Budget,
}

impl Settings {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let config = Config {
            tasks_max: 3,
            depth_max: 1,
            messages_max: 2,
            calls_max: 2,
            attempts_max: scenario.sends.into(),
            mistakes_max: 2,
            profiles: 1 + u8::from(scenario.failover),
            profiles_continuing: scenario.continues.into(),
            profiles_keyed: u8::from(!scenario.credential) | u8::from(scenario.failover) << 1,
            credential_waits_max: 1,
            notifications_max: 1,
            notification_attempts_max: 2,
            task_attempts_max: 2,
            queries_max: 2,
            progress_max: 1,
            worker_attempts_max: 2,
            breaker_max: 2,
            ..Config::default()
        };
        let pool = PoolConfig {
            agents_max: scenario.agents.max(1).into(),
            agents_min: 1,
            quota: scenario.quota.into(),
            attempts_max: scenario.leases.into(),
            ..PoolConfig::default()
        };
        let budget = match scenario.budget {
            0 => Budget::default(),
            tokens => Budget { tokens: tokens.into(), micros: 0, wall_ms: 1 },
        };
        Self {
            kernel: config,
            credential: config,
            pool,
            outbox: config,
            retry: config,
            questions: config,
            budget,
        }
    }
}

/// A credential of which nobody has asked for anything, with numbers as low as they can be: what is older than the last
/// order and the last who was told can be told from them in the same way, whatever its number.
pub(super) fn renumber(credential: &mut Credential, waiters: &mut Waiters) {
    credential.order.0 = credential.order.0.min(2);
    let fewer = credential.settled.0.saturating_sub(1);
    credential.settled.0 -= fewer;
    credential.accepted.0 -= fewer;
    // One that a planted fault has left behind is as old as can be.
    let lower = |(waiter, request): (WaiterId, _)| (WaiterId(waiter.0.saturating_sub(fewer)), request);
    *waiters = waiters.iter().map(lower).collect();
}
