//! Which features a closed system has, and how often what is out of the ordinary may happen.

use downbeat_sim::harness::{Bounds, Variant};

use super::SubtaskTree;
use crate::watch::TaskIndex;

/// What the environment has a bounded number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Messages that the user writes.
    Messages,
    /// Times that the user cancels.
    Cancels,
    /// Times that the user pauses a task. Resuming is free.
    Pauses,
    /// Crashes, at rest or between two effects.
    Crashes,
    /// Responses that call a tool.
    Tools,
    /// Responses that ask a person, and questions of a worker's agent.
    Questions,
    /// Sends that are throttled.
    Throttles,
    /// Sends that are refused for good, initializations that fail, iterators that end by themselves.
    Failures,
    /// Times that the access token comes to its end.
    Lapses,
    /// Times that the first profile goes down.
    Downs,
    /// Agents that die, or are taken for dead.
    Losses,
    /// Times that a person interrupts a worker.
    Interrupts,
    /// Times that nothing is heard of an attempt for too long.
    Doubts,
    /// Answers of the store and the server that get lost.
    Outages,
    /// Grants of a budget whose time runs out.
    Overdue,
    /// Questions of the agent of the first root.
    Asks,
    /// Times that the first profile has forgotten a response that a turn continues from.
    Forgets,
}

/// Every budget, its name as a bound, and what it is a number of.
const BUDGETS: [(Budget, &str, &str); 17] = [
    (Budget::Messages, "messages", "messages of the user"),
    (Budget::Cancels, "cancels", "times that the user cancels"),
    (Budget::Pauses, "pauses", "times that the user pauses a task"),
    (Budget::Crashes, "crashes", "crashes, at rest or between two effects"),
    (Budget::Tools, "tools", "responses that call a tool"),
    (Budget::Questions, "questions", "questions to a person"),
    (Budget::Throttles, "throttles", "sends that are throttled"),
    (Budget::Failures, "failures", "sends, initializations and iterators that fail"),
    (Budget::Lapses, "lapses", "times that the access token comes to its end"),
    (Budget::Downs, "downs", "times that the first profile goes down"),
    (Budget::Losses, "losses", "agents that die, or are taken for dead"),
    (Budget::Interrupts, "interrupts", "times that a person interrupts a worker"),
    (Budget::Doubts, "doubts", "times that nothing is heard of an attempt for too long"),
    (Budget::Outages, "outages", "answers of the store and the server that get lost"),
    (Budget::Overdue, "overdue", "grants of a budget whose time runs out"),
    (Budget::Asks, "asks", "questions of the agent of the first root"),
    (Budget::Forgets, "forgets", "times that a response is forgotten that a turn continues from"),
];

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Left([u8; BUDGETS.len()]);

impl Left {
    /// The same with another number of one thing.
    #[must_use]
    pub const fn with(mut self, budget: Budget, times: u8) -> Self {
        self.0[budget as usize] = times;
        self
    }

    /// How often one thing may still happen.
    pub const fn of(self, budget: Budget) -> u8 {
        self.0[budget as usize]
    }

    /// What is left when it has happened once more; `None` if it may not.
    pub(super) fn spend(mut self, budget: Budget) -> Option<Self> {
        let left = &mut self.0[budget as usize];
        *left = left.checked_sub(1)?;
        Some(self)
    }
}

/// What one closed system has.
#[expect(clippy::struct_excessive_bools, reason = "each is a machine or a feature that is there or not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Tasks over the whole life: the roots, subtasks, and further attempts at the root.
    pub tasks: u8,
    /// Roots that are submitted at the beginning: 1 or 2.
    pub roots: u8,
    /// Whether a response may ask for a subtask.
    pub subtasks: bool,
    /// Sends of each turn.
    pub sends: u8,
    /// Whether the first profile has a credential that is refreshed.
    pub credential: bool,
    /// Whether another process shares the store of the credential.
    pub sibling: bool,
    /// Whether there is a second profile, with a key that does not change.
    pub failover: bool,
    /// Agents of the pool that gives places; 0 for places that are always there.
    pub agents: u8,
    /// Roots that may run at once, as far as there are agents.
    pub quota: u8,
    /// Leases that one root may have.
    pub leases: u8,
    /// Whether the first root is run by a worker.
    pub worker: bool,
    /// Whether the agent of that worker owes nothing: it may be silent for ever.
    pub silent: bool,
    /// Whether the first profile keeps its responses, so that a turn continues from the one before.
    pub continues: bool,
    /// Whether people are told about the first root.
    pub outbox: bool,
    /// Whether the first root is tried again as a whole.
    pub retry: bool,
    /// Bills that one grant of the budget of each root covers, one for each reply; 0 is no budget.
    pub budget: u8,
    /// How often each thing may happen.
    pub left: Left,
}

impl Scenario {
    /// A task alone, with a key that does not change, and a place that is always there.
    pub const ALONE: Self = Self {
        tasks: 1,
        roots: 1,
        subtasks: false,
        sends: 2,
        credential: false,
        sibling: false,
        failover: false,
        agents: 0,
        quota: 1,
        leases: 2,
        worker: false,
        silent: false,
        continues: false,
        outbox: false,
        retry: false,
        budget: 0,
        left: Left([0; BUDGETS.len()]),
    };

    /// The same with another number of one thing.
    #[must_use]
    pub const fn with(self, budget: Budget, times: u8) -> Self {
        Self { left: self.left.with(budget, times), ..self }
    }

    /// Whether anything of that kind may happen.
    pub const fn has(&self, budget: Budget) -> bool {
        self.left.of(budget) > 0
    }

    /// Whether a task sends to a model: what a worker's agent sends is its own.
    pub const fn sends_itself(&self) -> bool {
        !self.worker || self.subtasks || self.roots > 1
    }

    /// Whether a task sends with a credential that is refreshed.
    pub const fn has_refreshes(&self) -> bool {
        self.sends_itself() && self.credential && self.has(Budget::Lapses)
    }

    /// Whether a task that sends has more than one turn, beside for a message.
    pub const fn has_calls(&self) -> bool {
        let by_root = !self.worker && (self.subtasks || self.has(Budget::Questions));
        self.sends_itself() && (self.has(Budget::Tools) || by_root)
    }

    /// Whether a root is an attempt at the first one, which is tried again. The second root comes after the first attempt.
    pub(super) const fn is_tried_again(&self, root: TaskIndex) -> bool {
        self.retry && !(self.roots > 1 && root == 1)
    }

    /// Whether the agent of the first root may ask.
    pub(super) const fn has_questions(&self) -> bool {
        self.has(Budget::Asks)
    }

    /// A variant whose numbers can be changed.
    pub(super) fn variant(self, name: &'static str, about: &'static str) -> Variant {
        let variant = Variant::new(name, about, |bounds: &Bounds| SubtaskTree::new(Self::within(bounds)));
        let switches: [(&'static str, u8, u64, u64, &'static str); 16] = [
            ("tasks", self.tasks, 1, 3, "tasks over the whole life"),
            ("roots", self.roots, 1, 2, "roots that are submitted at the beginning"),
            ("subtasks", self.subtasks.into(), 0, 1, "1: a response may ask for a subtask"),
            ("sends", self.sends, 1, 3, "sends of each turn"),
            ("credential", self.credential.into(), 0, 1, "1: the first profile has a credential"),
            ("sibling", self.sibling.into(), 0, 1, "1: another process shares the store"),
            ("failover", self.failover.into(), 0, 1, "1: there is a second profile"),
            ("agents", self.agents, 0, 2, "agents of the pool; 0: places are always there"),
            ("quota", self.quota, 1, 2, "roots that may run at once"),
            ("leases", self.leases, 1, 2, "leases that one root may have"),
            ("worker", self.worker.into(), 0, 1, "1: the first root is run by a worker"),
            ("silent", self.silent.into(), 0, 1, "1: the agent of that worker may be silent for ever"),
            ("continues", self.continues.into(), 0, 1, "1: the first profile keeps its responses"),
            ("outbox", self.outbox.into(), 0, 1, "1: people are told about the first root"),
            ("retry", self.retry.into(), 0, 1, "1: the first root is tried again as a whole"),
            ("budget", self.budget, 0, 2, "bills that one grant covers, 0: no budget"),
        ];
        let variant = switches.into_iter().fold(variant, |variant, (name, usual, least, most, help)| {
            variant.bound(name, usual.into(), least..=most, help)
        });
        BUDGETS.into_iter().fold(variant, |variant, (budget, name, help)| {
            variant.bound(name, self.left.of(budget).into(), 0..=2, help)
        })
    }

    fn within(bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let is = |name| bounds.get(name) == 1;
        let left =
            BUDGETS.iter().fold(Left::default(), |left, (budget, name, _)| left.with(*budget, byte(name)));
        Self {
            tasks: byte("tasks"),
            roots: byte("roots"),
            subtasks: is("subtasks"),
            sends: byte("sends"),
            credential: is("credential"),
            sibling: is("sibling"),
            failover: is("failover"),
            agents: byte("agents"),
            quota: byte("quota"),
            leases: byte("leases"),
            worker: is("worker"),
            silent: is("silent"),
            continues: is("continues"),
            outbox: is("outbox"),
            retry: is("retry"),
            budget: byte("budget"),
            left,
        }
    }
}
