//! Which features a closed system has, and how often what is out of the ordinary may happen.

use downbeat_sim::harness::{Bounds, Variant};

use super::SubtaskTree;

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
    /// Times that a worker's agent is silent for too long.
    Silences,
    /// Times that nothing is heard of an attempt for too long.
    Doubts,
    /// Answers of the store and the server that get lost.
    Outages,
}

/// Every budget, its name as a bound, and what it is a number of.
const BUDGETS: [(Budget, &str, &str); 14] = [
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
    (Budget::Silences, "silences", "times that an agent is silent for too long"),
    (Budget::Doubts, "doubts", "times that nothing is heard of an attempt for too long"),
    (Budget::Outages, "outages", "answers of the store and the server that get lost"),
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
    /// Whether people are told about the first root.
    pub outbox: bool,
    /// Whether the first root is tried again as a whole.
    pub retry: bool,
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
        outbox: false,
        retry: false,
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

    /// A variant whose numbers can be changed.
    fn variant(self, name: &'static str, about: &'static str) -> Variant {
        let variant = Variant::new(name, about, |bounds: &Bounds| SubtaskTree::new(Self::within(bounds)));
        let switches: [(&'static str, u8, u64, u64, &'static str); 13] = [
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
            ("outbox", self.outbox.into(), 0, 1, "1: people are told about the first root"),
            ("retry", self.retry.into(), 0, 1, "1: the first root is tried again as a whole"),
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
            outbox: is("outbox"),
            retry: is("retry"),
            left,
        }
    }
}

/// All of the kernel's machines: a worker whose agent asks for a subtask, a credential, a pool, an outbox, two attempts.
const ALL_AT_ONCE: Scenario = Scenario {
    tasks: 3,
    subtasks: true,
    credential: true,
    agents: 1,
    worker: true,
    outbox: true,
    retry: true,
    ..Scenario::ALONE
};

/// A task and a subtask.
const TREE: Scenario = Scenario { tasks: 2, subtasks: true, ..Scenario::ALONE };

/// A credential that another process refreshes too, and a second profile.
const TOKENS: Scenario = Scenario { credential: true, sibling: true, failover: true, ..Scenario::ALONE };

/// An agent of a pool, of which people hear.
const PLACES: Scenario = Scenario { agents: 1, outbox: true, ..Scenario::ALONE };

/// Two attempts at a task.
const ATTEMPTS: Scenario = Scenario { tasks: 2, retry: true, ..Scenario::ALONE };

/// Every variant: name, about, scenario. The first two have all of the kernel's machines at once; of the others each has a few, with
/// more that may happen. A test holds them to have each feature beside each other one.
pub const SCENARIOS: &[(&str, &str, Scenario)] = &[
    (
        "kernel",
        "all machines at once: a worker with a subtask, a credential, a pool, an outbox, two attempts, a crash",
        ALL_AT_ONCE.with(Budget::Failures, 1).with(Budget::Lapses, 1).with(Budget::Crashes, 1),
    ),
    (
        "kernel-large",
        "the same, no worker in the place of the model, and an agent that is lost",
        Scenario { worker: false, ..ALL_AT_ONCE }
            .with(Budget::Failures, 1)
            .with(Budget::Lapses, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-talk",
        "a task and a subtask, and what people and models do to them, a crash",
        TREE.with(Budget::Messages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Questions, 1)
            .with(Budget::Throttles, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-tokens",
        "a credential that expires, another process, a profile that goes down, and what people and models do",
        Scenario { sends: 3, ..TOKENS }
            .with(Budget::Lapses, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Questions, 1)
            .with(Budget::Throttles, 1),
    ),
    (
        "kernel-tokens-restart",
        "the same credential for a task and a subtask, of which people hear, and a crash",
        Scenario { tasks: 2, subtasks: true, outbox: true, ..TOKENS }
            .with(Budget::Lapses, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-waiters",
        "two tasks that wait for one credential, answers that get lost, a crash",
        Scenario { tasks: 2, roots: 2, credential: true, sibling: true, ..Scenario::ALONE }
            .with(Budget::Lapses, 1)
            .with(Budget::Outages, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-places",
        "an agent that is lost, and what people and models do, of which people hear",
        PLACES
            .with(Budget::Losses, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Throttles, 1),
    ),
    (
        "kernel-places-restart",
        "an agent that is lost under a task and a subtask that run tools and ask, and a crash",
        Scenario { agents: 1, ..TREE }
            .with(Budget::Losses, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Questions, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-places-last",
        "an agent that is lost, and no second lease",
        Scenario { leases: 1, ..PLACES }
            .with(Budget::Losses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Throttles, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-roots",
        "two tasks that wait for one agent, a crash",
        Scenario { tasks: 2, roots: 2, agents: 1, ..Scenario::ALONE }
            .with(Budget::Losses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-quota",
        "two tasks of one user, who may have one, and two agents",
        Scenario { tasks: 2, roots: 2, agents: 2, ..Scenario::ALONE }
            .with(Budget::Losses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Questions, 1),
    ),
    (
        "kernel-worker",
        "a worker whose agent is lost, and what people do, of which they hear",
        Scenario { worker: true, ..PLACES }
            .with(Budget::Losses, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Questions, 1),
    ),
    (
        "kernel-worker-cancel",
        "a worker whose agent is lost, is silent, and asks, and a cancel",
        Scenario { worker: true, agents: 1, ..Scenario::ALONE }
            .with(Budget::Losses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Silences, 1)
            .with(Budget::Failures, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-worker-tokens",
        "a worker whose subtask sends with the credential, runs tools and is throttled, and a crash",
        Scenario { tasks: 2, subtasks: true, worker: true, ..TOKENS }
            .with(Budget::Lapses, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Throttles, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-attempts",
        "two attempts at a task with a subtask, of which nothing is heard for a while, a cancel, a crash",
        Scenario { tasks: 3, subtasks: true, outbox: true, ..ATTEMPTS }
            .with(Budget::Failures, 1)
            .with(Budget::Doubts, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-attempts-talk",
        "two attempts at a task, and what people and models do, of which people hear",
        Scenario { outbox: true, ..ATTEMPTS }
            .with(Budget::Failures, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Questions, 1)
            .with(Budget::Throttles, 1),
    ),
    (
        "kernel-attempts-tokens",
        "two attempts at a task on agents of which one is lost, with a credential that another process refreshes",
        Scenario { tasks: 2, retry: true, agents: 1, ..TOKENS }
            .with(Budget::Failures, 1)
            .with(Budget::Lapses, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Losses, 1),
    ),
];

/// The scenarios as variants, of which every property is expected to hold.
pub fn variants() -> impl Iterator<Item = Variant> {
    SCENARIOS.iter().map(|(name, about, scenario)| scenario.variant(name, about))
}

#[cfg(test)]
mod tests {
    use super::{Budget, SCENARIOS, Scenario};

    #[test]
    fn scenarios_have_each_feature_beside_each_other_one() {
        type Feature = (&'static str, fn(&Scenario) -> bool);
        let features: [Feature; 15] = [
            ("a subtask", |s| s.subtasks),
            ("a message", |s| s.has(Budget::Messages)),
            ("a pause", |s| s.has(Budget::Pauses)),
            ("a cancel", |s| s.has(Budget::Cancels)),
            ("a tool", |s| s.has(Budget::Tools)),
            ("a question", |s| s.has(Budget::Questions)),
            ("a credential", |s| s.credential && s.has(Budget::Lapses)),
            ("another process", |s| s.sibling),
            ("a profile that is down", |s| s.failover && s.has(Budget::Downs)),
            ("a send that is throttled", |s| s.has(Budget::Throttles)),
            ("an agent that is lost", |s| s.agents > 0 && s.has(Budget::Losses)),
            ("a worker", |s| s.worker),
            ("an outbox", |s| s.outbox),
            ("attempts", |s| s.retry),
            ("a crash", |s| s.has(Budget::Crashes)),
        ];
        for (a, has_a) in features {
            for (b, has_b) in features {
                let together = SCENARIOS.iter().any(|(_, _, scenario)| has_a(scenario) && has_b(scenario));
                assert!(together, "no scenario has {a} and {b}");
            }
        }
    }
}
