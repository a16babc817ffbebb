//! What one closed system has, and how often.

use downbeat_sim::harness::{Bounds, Variant};

use super::WorkerModel;

/// What the environment has a bounded number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Messages that a person writes.
    Messages,
    /// Interrupts of the turn that there is, with a hold or without.
    Interrupts,
    /// Times that a person pauses the task. Resuming is free.
    Pauses,
    /// Wishes to finish.
    WrapUps,
    /// Completions and cancels.
    Ends,
    /// Questions of the agent to a person.
    Approvals,
    /// Iterators that end without having been told to.
    Failures,
    /// Signs of life of the agent that repeat nothing. Whoever repeats itself may do so for ever.
    Signs,
    /// Reports of the agent for a parent that is not there.
    Reports,
    /// Subtasks that the agent asks for.
    Subtasks,
    /// Reports of a subtask. With any there is a subtask, which may end too: from the beginning, unless the agent asks for it.
    Updates,
    /// Crashes, at rest or between two effects.
    Crashes,
}

/// Every budget, its name as a bound, the most that it may be, and what it is a number of.
const BUDGETS: [(Budget, &str, u8, &str); 12] = [
    (Budget::Messages, "messages", 3, "messages that a person writes"),
    (Budget::Interrupts, "interrupts", 2, "interrupts of the current turn"),
    (Budget::Pauses, "pauses", 2, "times that a person pauses the task"),
    (Budget::WrapUps, "wrap-ups", 1, "wishes to finish"),
    (Budget::Ends, "ends", 2, "completions and cancels"),
    (Budget::Approvals, "approvals", 2, "questions of the agent to a person"),
    (Budget::Failures, "failures", 4, "iterators that end unasked"),
    (Budget::Signs, "signs", 4, "signs of life of the agent that repeat nothing"),
    (Budget::Reports, "reports", 2, "reports of the agent"),
    (Budget::Subtasks, "subtasks", 1, "subtasks that the agent asks for"),
    (Budget::Updates, "updates", 2, "reports of a subtask; with any there is one"),
    (Budget::Crashes, "crashes", 2, "crashes, at rest or between two effects"),
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

    /// What is left when it has happened once more.
    pub(super) fn without(mut self, budget: Option<Budget>) -> Self {
        if let Some(budget) = budget {
            self.0[budget as usize] -= 1;
        }
        self
    }

    /// What is left of some things alone.
    pub(super) fn only(self, budgets: &[Budget]) -> Self {
        budgets.iter().fold(Self::default(), |left, budget| left.with(*budget, self.of(*budget)))
    }

    /// Whether it may happen once more.
    pub(super) fn covers(self, budget: Option<Budget>) -> bool {
        budget.is_none_or(|budget| self.of(budget) > 0)
    }
}

/// What one closed system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// How often each thing may happen.
    pub left: Left,
    /// Failures in a row that open the breaker.
    pub breaker: u8,
    /// Failures in a row before the worker fails.
    pub attempts: u8,
    /// Entries that the inbox has room for.
    pub room: u8,
    /// Whether the agent may answer questions about its progress, however many there are.
    pub progress: bool,
    /// Whether things come late, twice, or before they were asked for.
    pub late: bool,
    /// Whether the agent of the subtask works: to its worker may happen what may to that of the task, out of the same budgets.
    pub works: bool,
}

impl Scenario {
    /// Nothing happens but what was ordered, and what comes late.
    pub const NOTHING: Self = Self {
        left: Left([0; BUDGETS.len()]),
        breaker: 1,
        attempts: 2,
        room: 3,
        progress: false,
        late: true,
        works: false,
    };

    /// The same with another number of one thing.
    #[must_use]
    pub const fn with(self, budget: Budget, times: u8) -> Self {
        Self { left: self.left.with(budget, times), ..self }
    }

    /// The same with so many failures, of which the first has a wait of its own, the second opens the breaker, and the third
    /// in a row is the last.
    #[must_use]
    pub const fn failing(self, times: u8) -> Self {
        Self { breaker: 2, attempts: 3, ..self.with(Budget::Failures, times) }
    }

    /// Whether anything of that kind may happen.
    pub const fn has(&self, budget: Budget) -> bool {
        self.left.of(budget) > 0
    }

    /// Whether there is a subtask, from the beginning or later.
    pub(super) const fn has_subtask(&self) -> bool {
        self.works || self.has(Budget::Updates) || self.has(Budget::Subtasks)
    }

    /// A variant whose numbers can be changed.
    pub fn variant(self, name: &'static str, about: &'static str) -> Variant {
        let build = |bounds: &Bounds| {
            let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
            let left = BUDGETS
                .iter()
                .fold(Left::default(), |left, (budget, name, ..)| left.with(*budget, byte(name)));
            let scenario = Self {
                left,
                breaker: byte("breaker"),
                attempts: byte("attempts"),
                room: byte("room"),
                progress: bounds.get("progress") == 1,
                late: bounds.get("late") == 1,
                works: bounds.get("works") == 1,
            };
            WorkerModel::new(scenario)
        };
        let variant = BUDGETS.iter().fold(Variant::new(name, about, build), |variant, bound| {
            let (budget, name, most, help) = *bound;
            variant.bound(name, self.left.of(budget).into(), 0..=most.into(), help)
        });
        variant
            .bound("breaker", self.breaker.into(), 1..=2, "failures in a row that open the breaker")
            .bound("attempts", self.attempts.into(), 2..=3, "failures in a row before the worker fails")
            .bound("room", self.room.into(), 1..=3, "entries that the inbox has room for")
            .bound("progress", self.progress.into(), 0..=1, "1: the agent may say how far it is")
            .bound("late", self.late.into(), 0..=1, "1: things come late, twice, or too early")
            .bound("works", self.works.into(), 0..=1, "1: the agent of the subtask works, too")
    }
}
