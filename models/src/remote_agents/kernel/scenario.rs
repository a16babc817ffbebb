//! What may happen around a pool, and how often.

use downbeat_kernel::{PoolConfig, Priority};
use downbeat_sim::harness::{Bounds, Variant};

use super::super::ledger::{TASKS, TaskIndex};

/// What there is, and what may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Tasks that are submitted, one after the other.
    pub tasks: TaskIndex,
    /// Users, who take turns in submitting.
    pub users: u8,
    /// Tasks that the pool holds at once.
    pub room: u8,
    /// Agents at once.
    pub agents: u8,
    /// Agents that are kept though nobody needs them.
    pub kept: u8,
    /// Tasks of one user that are assigned at once.
    pub quota: u8,
    /// Assignments of one task.
    pub attempts: u8,
    /// Whether the first task is of normal priority, and not of low.
    pub normal: bool,
    /// How often each thing out of the ordinary may happen.
    pub left: Left,
}

/// How often each thing out of the ordinary may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Cancels.
    pub cancels: u8,
    /// Messages that get lost.
    pub losses: u8,
    /// Messages that arrive twice.
    pub duplicates: u8,
    /// Agents that die without a word.
    pub deaths: u8,
    /// Containers that end before they have started.
    pub failures: u8,
    /// Work that fails, or is given back.
    pub returns: u8,
    /// Timers that run out before what they wait for has come.
    pub early: u8,
    /// Heartbeats.
    pub beats: u8,
    /// Agents that somebody wants to go.
    pub drains: u8,
    /// Crashes of the process, at rest or between two orders.
    pub crashes: u8,
    /// Processes that become the owner of the pool while the one before is suspended.
    pub owners: u8,
    /// Events that come to the one before after that.
    pub wakes: u8,
}

impl Left {
    /// Nothing out of the ordinary.
    pub const NONE: Self = Self {
        cancels: 0,
        losses: 0,
        duplicates: 0,
        deaths: 0,
        failures: 0,
        returns: 0,
        early: 0,
        beats: 0,
        drains: 0,
        crashes: 0,
        owners: 0,
        wakes: 0,
    };
}

/// How many later tasks may be assigned before the first one: with three tasks it could be two.
pub const YIELDS: u8 = 1;

impl Scenario {
    /// Whose a task is.
    pub fn user(&self, task: TaskIndex) -> u8 {
        task % self.users
    }

    /// The first task is of a priority that yields, so that others may pass it.
    pub fn priority(&self, task: TaskIndex) -> Priority {
        match task {
            0 if self.normal => Priority::Normal,
            0 => Priority::Low,
            1.. => Priority::High,
        }
    }

    /// Whether a user has more tasks than may be assigned at once, and there are agents for them (S22).
    pub(super) fn has_more_than_the_quota(&self) -> bool {
        let most = self.agents.min(self.tasks.div_ceil(self.users));
        most > self.quota
    }

    /// Whether there are more later tasks than the first one yields.
    pub(super) fn has_more_than_it_yields(&self) -> bool {
        self.tasks > YIELDS + 1
    }

    /// How many later tasks may be assigned before a task.
    pub fn yields(task: TaskIndex) -> u8 {
        if task == 0 { YIELDS } else { 0 }
    }

    /// The settings of the pool.
    pub(super) fn config(&self) -> PoolConfig {
        PoolConfig {
            tasks_max: self.room.into(),
            users_max: self.users.into(),
            agents_max: self.agents.into(),
            agents_min: self.kept.into(),
            quota: self.quota.into(),
            attempts_max: self.attempts.into(),
            // Of a normal task the bound does not hold if it yields as one of low priority does.
            normal_yields: if self.normal { YIELDS.into() } else { 0 },
            low_yields: if self.normal { u32::from(YIELDS) + 1 } else { YIELDS.into() },
            ..PoolConfig::default()
        }
    }

    /// Adds the bounds of a scenario to a variant.
    pub(super) fn bounds(&self, variant: Variant) -> Variant {
        let Left {
            cancels,
            losses,
            duplicates,
            deaths,
            failures,
            returns,
            early,
            beats,
            drains,
            crashes,
            owners,
            wakes,
        } = self.left;
        let most = TASKS as u64;
        let all: [(&'static str, u8, u64, u64, &'static str); 20] = [
            ("tasks", self.tasks, 1, most, "tasks that are submitted, one after the other"),
            ("users", self.users, 1, most, "users, who take turns in submitting"),
            ("room", self.room, 1, most, "tasks that the pool holds at once"),
            ("agents", self.agents, 1, 2, "agents at once"),
            ("kept", self.kept, 0, 1, "agents that are kept though nobody needs them"),
            ("quota", self.quota, 1, most, "tasks of one user that are assigned at once"),
            ("attempts", self.attempts, 1, 2, "assignments of one task"),
            ("normal", self.normal.into(), 0, 1, "1 if the first task is of normal priority, 0 if of low"),
            ("cancels", cancels, 0, 2, "cancels"),
            ("losses", losses, 0, 2, "messages that get lost"),
            ("duplicates", duplicates, 0, 2, "messages that arrive twice"),
            ("deaths", deaths, 0, 1, "agents that die without a word"),
            ("failures", failures, 0, 1, "containers that end before they have started"),
            ("returns", returns, 0, 1, "work that fails, or is given back"),
            ("early", early, 0, 2, "timers that run out before what they wait for has come"),
            ("beats", beats, 0, 2, "heartbeats"),
            ("drains", drains, 0, 1, "agents that somebody wants to go"),
            ("crashes", crashes, 0, 2, "crashes of the process, at rest or between two orders"),
            ("owners", owners, 0, 1, "processes that become the owner while the one before is suspended"),
            ("wakes", wakes, 0, 1, "events that come to the one before after that"),
        ];
        all.into_iter().fold(variant, |variant, (name, usual, least, most, help)| {
            variant.bound(name, usual.into(), least..=most, help)
        })
    }

    /// The scenario of some bounds.
    pub(super) fn within(bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            cancels: byte("cancels"),
            losses: byte("losses"),
            duplicates: byte("duplicates"),
            deaths: byte("deaths"),
            failures: byte("failures"),
            returns: byte("returns"),
            early: byte("early"),
            beats: byte("beats"),
            drains: byte("drains"),
            crashes: byte("crashes"),
            owners: byte("owners"),
            wakes: byte("wakes"),
        };
        Self {
            tasks: byte("tasks"),
            users: byte("users"),
            room: byte("room"),
            agents: byte("agents"),
            kept: byte("kept"),
            quota: byte("quota"),
            attempts: byte("attempts"),
            normal: bounds.get("normal") == 1,
            left,
        }
    }
}
