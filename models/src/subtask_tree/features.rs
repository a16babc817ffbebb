//! What a scenario may have, by name: so that each two of them are together in one.

use super::scenario::{Budget, Scenario};

/// Whether a scenario has a feature.
type Has = fn(&Scenario) -> bool;

/// Every feature: its name, and whether a scenario has it.
pub const FEATURES: [(&str, Has); 26] = [
    ("a subtask", |s| s.subtasks),
    ("a message", |s| s.has(Budget::Messages)),
    ("a pause", |s| s.has(Budget::Pauses)),
    ("a cancel", |s| s.has(Budget::Cancels)),
    ("a tool", |s| s.sends_itself() && s.has(Budget::Tools)),
    ("a question", |s| s.has(Budget::Questions)),
    ("a credential that expires", |s| s.has_refreshes()),
    ("another process", |s| s.has_refreshes() && s.sibling),
    ("an outage", |s| s.has_refreshes() && s.has(Budget::Outages)),
    ("a profile that is down", |s| s.sends_itself() && s.failover && s.has(Budget::Downs)),
    ("a send that is throttled", |s| s.sends_itself() && s.has(Budget::Throttles)),
    ("a conversation that is continued", |s| s.has_calls() && s.continues),
    ("a failure", |s| s.has(Budget::Failures)),
    ("an agent that is lost", |s| s.agents > 0 && s.has(Budget::Losses)),
    ("a second root", |s| s.roots > 1),
    ("a quota", |s| s.roots > 1 && s.agents > s.quota),
    ("a worker", |s| s.worker),
    ("an interrupt", |s| s.worker && s.has(Budget::Interrupts)),
    ("an agent that owes nothing", |s| s.worker && s.silent),
    ("an outbox", |s| s.outbox),
    ("attempts", |s| s.retry),
    ("a doubt", |s| s.retry && s.has(Budget::Doubts)),
    ("a crash", |s| s.has(Budget::Crashes)),
    ("a budget", |s| s.budget > 0),
    ("a grant that is overdue", |s| s.budget > 0 && s.has(Budget::Overdue)),
    ("a question of the agent", |s| s.agents > 0 && s.has(Budget::Asks)),
];
