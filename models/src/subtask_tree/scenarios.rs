//! The variants: which scenarios there are.

use downbeat_sim::harness::Variant;

use super::pairs::PAIRS;
use super::scenario::{Budget, Scenario};

/// The name of a variant, what it is about, and what it has.
pub type Named = (&'static str, &'static str, Scenario);

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
pub(super) const TREE: Scenario = Scenario { tasks: 2, subtasks: true, ..Scenario::ALONE };

/// A credential that another process refreshes too, and a second profile.
pub(super) const TOKENS: Scenario =
    Scenario { credential: true, sibling: true, failover: true, ..Scenario::ALONE };

/// An agent of a pool, of which people hear.
pub(super) const PLACES: Scenario = Scenario { agents: 1, outbox: true, ..Scenario::ALONE };

/// Two attempts at a task.
pub(super) const ATTEMPTS: Scenario = Scenario { tasks: 2, retry: true, ..Scenario::ALONE };

/// The first two have all of the kernel's machines at once; of the others each has a few, with more that may happen.
const SCENARIOS: &[Named] = &[
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
        "a worker whose agent is lost or fails, a cancel, a crash",
        Scenario { worker: true, agents: 1, ..Scenario::ALONE }
            .with(Budget::Losses, 1)
            .with(Budget::Cancels, 1)
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
    (
        "kernel-budget",
        "a task and a subtask that draw on one budget, and what people do",
        Scenario { budget: 1, ..TREE }
            .with(Budget::Messages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Questions, 1),
    ),
    (
        "kernel-budget-restart",
        "the same with a tool and a crash, nobody writes or is asked for anything else",
        Scenario { budget: 1, ..TREE }
            .with(Budget::Pauses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-budget-tokens",
        "a budget, a credential that another process refreshes, a profile that is down, throttling, a crash",
        Scenario { budget: 1, ..TOKENS }
            .with(Budget::Lapses, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Throttles, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-budget-places",
        "a budget, its time, an agent that is lost, a tool, of which people hear",
        Scenario { budget: 1, ..PLACES }
            .with(Budget::Overdue, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Tools, 1),
    ),
    (
        "kernel-budget-places-restart",
        "the same with a crash, of which nobody hears",
        Scenario { budget: 1, outbox: false, ..PLACES }
            .with(Budget::Overdue, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-budget-roots",
        "two tasks with a budget each that wait for one agent, which is lost, a tool",
        Scenario { tasks: 2, roots: 2, agents: 1, budget: 1, ..Scenario::ALONE }
            .with(Budget::Overdue, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Tools, 1),
    ),
    (
        "kernel-budget-worker",
        "a worker and its subtask, which draw on one budget, an agent that is lost, a pause",
        Scenario { budget: 1, agents: 1, worker: true, ..TREE }
            .with(Budget::Losses, 1)
            .with(Budget::Pauses, 1),
    ),
    (
        "kernel-budget-worker-restart",
        "a worker and its subtask, which draw on one budget, a message, a crash",
        Scenario { budget: 1, worker: true, ..TREE }.with(Budget::Messages, 1).with(Budget::Crashes, 1),
    ),
    (
        "kernel-budget-attempts",
        "two attempts at a task with a subtask, with a budget each, a failure, of which people hear",
        Scenario { tasks: 3, subtasks: true, outbox: true, budget: 1, ..ATTEMPTS }.with(Budget::Failures, 1),
    ),
    (
        "kernel-budget-attempts-restart",
        "the same with a cancel and a crash, of which nobody hears",
        Scenario { tasks: 3, subtasks: true, budget: 1, ..ATTEMPTS }
            .with(Budget::Failures, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-questions",
        "an agent that asks through `Questions` and is lost, a cancel, a crash",
        Scenario { agents: 1, ..Scenario::ALONE }
            .with(Budget::Asks, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-questions-last",
        "an agent that asks twice and is lost, and no second lease, a crash",
        Scenario { agents: 1, leases: 1, ..Scenario::ALONE }
            .with(Budget::Asks, 2)
            .with(Budget::Losses, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-questions-late",
        "an agent that asks and is taken for dead, and its successor that asks before it is gone",
        Scenario { agents: 2, ..Scenario::ALONE }.with(Budget::Asks, 2).with(Budget::Losses, 1),
    ),
    (
        "kernel-questions-news",
        "an agent that asks and is lost, of which people hear",
        PLACES.with(Budget::Asks, 1).with(Budget::Losses, 1),
    ),
    (
        "kernel-questions-budget",
        "an agent that asks and is lost, and no second lease, a budget, a tool",
        Scenario { agents: 1, leases: 1, budget: 1, ..Scenario::ALONE }
            .with(Budget::Asks, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Tools, 1),
    ),
];

/// What there is more of in a deep search, by the names of the variant and of the bounds.
const DEEP: &[(&str, &[(&str, u64)])] = &[
    ("kernel-talk", &[("messages", 2)]),
    ("kernel-places-restart", &[("messages", 1), ("cancels", 1), ("throttles", 1)]),
    ("kernel-budget", &[("throttles", 1), ("tools", 1)]),
    ("kernel-questions", &[("asks", 2), ("tools", 1)]),
];

/// Every scenario. A test holds them to have each feature beside each other one.
pub fn scenarios() -> impl Iterator<Item = &'static Named> {
    SCENARIOS.iter().chain(PAIRS)
}

/// The scenarios as variants, of which every property is expected to hold.
pub fn variants() -> impl Iterator<Item = Variant> {
    let deep =
        |name| DEEP.iter().filter(move |(of, _)| *of == name).flat_map(|(_, bounds)| bounds.iter().copied());
    scenarios().map(move |(name, about, scenario)| scenario.variant(name, about).deep(deep(*name)))
}
