//! Scenarios that put together what the others have apart: two features each at least that are together in no other.

use super::scenario::{Budget, Scenario};
use super::scenarios::{ATTEMPTS, Named, PLACES, TOKENS, TREE};

/// An agent of a pool.
const PLACE: Scenario = Scenario { outbox: false, ..PLACES };

/// Two tasks.
const ROOTS: Scenario = Scenario { tasks: 2, roots: 2, ..Scenario::ALONE };

/// A worker whose agent owes nothing.
const SILENT: Scenario = Scenario { worker: true, silent: true, ..Scenario::ALONE };

pub(super) const PAIRS: &[Named] = &[
    (
        "kernel-interrupt",
        "a worker that is interrupted, written to and cancelled, whose agent is lost while there is another, a crash",
        Scenario { worker: true, agents: 2, ..Scenario::ALONE }
            .with(Budget::Interrupts, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-silent",
        "an agent that owes nothing, and is lost, a cancel",
        Scenario { agents: 1, ..SILENT }.with(Budget::Losses, 1).with(Budget::Cancels, 1),
    ),
    (
        "kernel-silent-restart",
        "an agent that owes nothing, an interrupt, a crash",
        Scenario { agents: 1, ..SILENT }.with(Budget::Interrupts, 1).with(Budget::Crashes, 1),
    ),
    (
        "kernel-silent-news",
        "an agent that owes nothing, a message, an interrupt, of which people hear",
        Scenario { outbox: true, ..SILENT }.with(Budget::Messages, 1).with(Budget::Interrupts, 1),
    ),
    (
        "kernel-silent-subtask",
        "an agent that owes nothing, and a subtask that runs a tool, continues its conversation, and is throttled",
        Scenario { tasks: 2, subtasks: true, continues: true, ..SILENT }
            .with(Budget::Tools, 1)
            .with(Budget::Throttles, 1),
    ),
    (
        "kernel-silent-attempts",
        "two attempts, the first by an agent that owes nothing, a doubt, a pause",
        Scenario { tasks: 2, retry: true, ..SILENT }.with(Budget::Doubts, 1).with(Budget::Pauses, 1),
    ),
    (
        "kernel-silent-budget",
        "an agent that owes nothing and asks, a budget and its time",
        Scenario { budget: 1, ..SILENT }.with(Budget::Overdue, 1).with(Budget::Questions, 1),
    ),
    (
        "kernel-silent-questions",
        "an agent that owes nothing, asks through `Questions`, and fails",
        Scenario { agents: 1, ..SILENT }.with(Budget::Asks, 1).with(Budget::Failures, 1),
    ),
    (
        "kernel-silent-tokens",
        "an agent that owes nothing, and a second task with a credential that expires and a profile that is down",
        Scenario { tasks: 2, roots: 2, credential: true, failover: true, ..SILENT }
            .with(Budget::Lapses, 1)
            .with(Budget::Downs, 1),
    ),
    (
        "kernel-continued",
        "a task and a subtask that continue their conversations, of which one is forgotten, a profile that is down, a crash",
        Scenario { continues: true, failover: true, ..TREE }
            .with(Budget::Forgets, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Throttles, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-attempts-continued",
        "two attempts with a budget each, an agent that is lost, a tool, a doubt",
        Scenario { agents: 1, continues: true, budget: 1, ..ATTEMPTS }
            .with(Budget::Tools, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Doubts, 1)
            .with(Budget::Overdue, 1),
    ),
    (
        "kernel-attempts-doubt",
        "two attempts, a doubt, a credential that expires, a profile that is down",
        Scenario { tasks: 2, retry: true, ..TOKENS }
            .with(Budget::Failures, 1)
            .with(Budget::Doubts, 1)
            .with(Budget::Lapses, 1)
            .with(Budget::Downs, 1),
    ),
    (
        "kernel-budget-overdue",
        "a worker and its subtask, a budget and its time, a tool, a cancel",
        Scenario { worker: true, continues: true, budget: 1, ..TREE }
            .with(Budget::Overdue, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Cancels, 1),
    ),
    (
        "kernel-questions-worker",
        "an agent that asks in both ways, an interrupt, a pause, a budget and its time",
        Scenario { worker: true, budget: 1, ..PLACE }
            .with(Budget::Asks, 1)
            .with(Budget::Questions, 1)
            .with(Budget::Interrupts, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Overdue, 1),
    ),
    (
        "kernel-questions-roots",
        "an agent that asks, two tasks of a user who may have one, a subtask, a message, a credential that expires",
        Scenario { tasks: 3, subtasks: true, agents: 2, credential: true, continues: true, ..ROOTS }
            .with(Budget::Asks, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Lapses, 1),
    ),
    (
        "kernel-questions-tokens",
        "an agent that asks, a credential that another process refreshes, an outage, a profile that is down, a tool",
        Scenario { agents: 1, continues: true, ..TOKENS }
            .with(Budget::Asks, 1)
            .with(Budget::Lapses, 1)
            .with(Budget::Outages, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Tools, 1),
    ),
    (
        "kernel-places-held",
        "an agent that is lost, a tool, a pause, a crash",
        PLACE.with(Budget::Losses, 1).with(Budget::Tools, 1).with(Budget::Pauses, 1).with(Budget::Crashes, 1),
    ),
    (
        "kernel-quota-restart",
        "two tasks of one user, who may have one, two agents of which one is lost, a message, a cancel, a crash",
        Scenario { agents: 2, ..ROOTS }
            .with(Budget::Losses, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-quota-worker",
        "two tasks with a budget each of a user who may have one, a worker that is interrupted, a tool, a failure",
        Scenario { agents: 2, worker: true, continues: true, budget: 1, ..ROOTS }
            .with(Budget::Interrupts, 1)
            .with(Budget::Failures, 1)
            .with(Budget::Tools, 1)
            .with(Budget::Throttles, 1)
            .with(Budget::Overdue, 1),
    ),
    (
        "kernel-quota-tokens",
        "two tasks of a user who may have one, a credential that expires, an outage, a pause, a question",
        Scenario { agents: 2, credential: true, continues: true, outbox: true, ..ROOTS }
            .with(Budget::Lapses, 1)
            .with(Budget::Outages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Questions, 1),
    ),
    (
        "kernel-quota-silent",
        "two tasks of a user who may have one, of which an agent that owes nothing runs one, a credential, an outage",
        Scenario { tasks: 2, roots: 2, agents: 2, credential: true, sibling: true, ..SILENT }
            .with(Budget::Lapses, 1)
            .with(Budget::Outages, 1),
    ),
    (
        "kernel-quota-attempts",
        "two attempts at a task beside another, of a user who may have one, a doubt, an interrupt, a profile that is down",
        Scenario {
            tasks: 3,
            roots: 2,
            agents: 2,
            worker: true,
            failover: true,
            retry: true,
            ..Scenario::ALONE
        }
        .with(Budget::Doubts, 1)
        .with(Budget::Interrupts, 1)
        .with(Budget::Messages, 1)
        .with(Budget::Questions, 1)
        .with(Budget::Downs, 1),
    ),
    (
        "kernel-outage-worker",
        "a worker that is interrupted, a subtask with a credential that another process refreshes, an outage, a budget",
        Scenario { worker: true, credential: true, sibling: true, budget: 1, ..TREE }
            .with(Budget::Lapses, 1)
            .with(Budget::Outages, 1)
            .with(Budget::Interrupts, 1)
            .with(Budget::Overdue, 1),
    ),
    (
        "kernel-outage-attempts",
        "two attempts, a doubt, a credential that expires, an outage, throttling",
        Scenario { credential: true, ..ATTEMPTS }
            .with(Budget::Lapses, 1)
            .with(Budget::Outages, 1)
            .with(Budget::Throttles, 1)
            .with(Budget::Doubts, 1),
    ),
    (
        "kernel-outage-budget",
        "a budget and its time, an agent that is lost, a credential that expires, an outage, what people and models do",
        Scenario { credential: true, failover: true, budget: 1, ..PLACE }
            .with(Budget::Lapses, 1)
            .with(Budget::Outages, 1)
            .with(Budget::Downs, 1)
            .with(Budget::Losses, 1)
            .with(Budget::Failures, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Cancels, 1)
            .with(Budget::Overdue, 1),
    ),
    (
        "kernel-questions-attempts",
        "two attempts, of which the agent of the first asks, a doubt, throttling",
        Scenario { agents: 1, ..ATTEMPTS }
            .with(Budget::Asks, 1)
            .with(Budget::Doubts, 1)
            .with(Budget::Throttles, 1),
    ),
];
