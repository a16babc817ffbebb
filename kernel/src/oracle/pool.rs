//! The pool beside its twin: every event in every situation that a short history leads to.

use super::beside::{self, Side};
use super::page::{OUTSIDE, Observed};
use super::pool_twin::{twin, twin_resync};
use crate::config::Config;
use crate::pool::{
    AgentId, AgentState, Epoch, Lease, Pool, PoolConfig, PoolEffect, PoolEvent, PoolRejected, PoolTimer,
    Priority, Renewal, Stay, Stored, UserId, WorkEnd,
};
use crate::vocabulary::{Ignored, Outcome, TaskId};
use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Pool, PoolEffect, PoolRejected>;

/// Bounds that short histories reach, and times that differ.
fn small() -> PoolConfig {
    PoolConfig {
        tasks_max: 3,
        users_max: 2,
        agents_max: 2,
        agents_min: 1,
        quota: 1,
        attempts_max: 2,
        normal_yields: 1,
        low_yields: 2,
        provision_ms: 2,
        lease_ms: 3,
        clean_ms: 5,
        idle_ms: 7,
        #[cfg(feature = "planted-faults")]
        fault: None,
    }
}

/// Other settings under which some guard decides otherwise.
fn settings() -> [PoolConfig; 3] {
    let roomy = PoolConfig { users_max: 1, agents_max: 3, agents_min: 0, quota: 2, ..small() };
    [small(), roomy, PoolConfig { agents_min: 2, quota: 3, attempts_max: 1, ..small() }]
}

/// The length of the histories, and how many situations of each length are kept: all at first, then evenly chosen ones.
const LENGTH: usize = 12;
const KEPT: usize = 250;

/// The situations that short histories lead to, by their length.
fn situations(config: PoolConfig) -> Vec<Stored> {
    let first = Stored::from(Pool::new(config));
    let (mut seen, mut situations) = (BTreeSet::from([first.clone()]), Vec::from([first.clone()]));
    let mut level = Vec::from([first]);
    for _ in 0..LENGTH {
        let mut longer = Vec::new();
        for at in &level {
            for event in events(at).into_iter().filter(leads_on) {
                let Ok((after, _)) = machine(&Pool::from(at.clone()), event) else { continue };
                let after = Stored::from(after);
                if seen.insert(after.clone()) {
                    longer.push(after);
                }
            }
        }
        let every = longer.len().div_ceil(KEPT).max(1);
        level = longer.into_iter().step_by(every).collect();
        situations.extend(level.iter().cloned());
    }
    situations
}

/// The submissions with which histories go on. Tasks differ in user and priority, and one of each is enough.
const SUBMISSIONS: [PoolEvent; 3] = [
    PoolEvent::Submitted { task: TaskId(1), user: UserId(1), priority: Priority::Low },
    PoolEvent::Submitted { task: TaskId(2), user: UserId(2), priority: Priority::Normal },
    PoolEvent::Submitted { task: TaskId(3), user: UserId(1), priority: Priority::High },
];

fn leads_on(event: &PoolEvent) -> bool {
    let is_submission = matches!(event, PoolEvent::Submitted { .. });
    // A failure leads where a completion does.
    let is_failure = matches!(event, PoolEvent::WorkEnded { end: WorkEnd::Failed, .. });
    !is_failure && (!is_submission || SUBMISSIONS.contains(event))
}

/// Every event that a situation may meet: what is there, was there, and never was.
fn events(at: &Stored) -> Vec<PoolEvent> {
    let mut events = Vec::new();
    let tasks: Vec<TaskId> = (1..=4).map(TaskId).collect();
    for task in tasks.iter().copied() {
        for priority in [Priority::High, Priority::Normal, Priority::Low] {
            let submitted = |user| PoolEvent::Submitted { task, user: UserId(user), priority };
            events.extend([1, 2, 3].map(submitted));
        }
        events.extend([PoolEvent::CancelRequested { task }, PoolEvent::EndAcknowledged { task }]);
    }
    for agent in (0..=at.last.0 + 1).map(AgentId) {
        events.extend([
            PoolEvent::Started { agent },
            PoolEvent::Gone { agent },
            PoolEvent::DrainRequested { agent },
        ]);
        let timers = at.agents.get(&agent).map_or(0, |agent| agent.timer);
        events
            .extend((0..=timers + 1).map(|number| PoolEvent::Elapsed { timer: PoolTimer { agent, number } }));
        for epoch in (0..=at.epoch.0 + 1).map(Epoch) {
            for lease in tasks.iter().map(|task| Lease { task: *task, epoch }) {
                events.extend([PoolEvent::Heartbeat { agent, lease }, PoolEvent::Cleaned { agent, lease }]);
                let ended = |end| PoolEvent::WorkEnded { agent, lease, end };
                events.extend([WorkEnd::Completed, WorkEnd::Failed, WorkEnd::Returned].map(ended));
            }
        }
    }
    events
}

fn machine(at: &Pool, event: PoolEvent) -> Said {
    beside::taken(at, |pool, sink| pool.step(event, sink))
}

type Twin = Side<Pool, PoolEvent, PoolEffect, PoolRejected>;

const TWIN: Twin = Side { takes: twin_of, repeats: |at, _| twin_resync(&Stored::from(at.clone())) };

/// Compares every pair until the first difference; how many there are.
fn compare(
    situations: Vec<Stored>,
    twin: Side<Pool, PoolEvent, PoolEffect, PoolRejected>,
) -> Result<usize, String> {
    let machine = Side {
        takes: |at, event, _| machine(at, event),
        repeats: |at, _| beside::repeated(|sink| at.resync(sink)),
    };
    let situations = situations.into_iter().map(Pool::from);
    beside::compare(situations, |at| events(&Stored::from(at.clone())), &Config::default(), [machine, twin])
}

/// What the twin makes of an event in the place of the pool.
fn twin_of(at: &Pool, event: PoolEvent, _: &Config) -> Said {
    let (after, effects) = twin(&Stored::from(at.clone()), event)?;
    Ok((Pool::from(after), effects))
}

#[test]
fn pool_and_twin_agree_on_every_pair() {
    let mut pairs = 0;
    for config in settings() {
        let compared = compare(situations(config), TWIN);
        pairs += compared.unwrap_or_else(|difference| panic!("{difference}"));
    }
    assert!(pairs > 1_000_000, "the histories have shrunk to {pairs} pairs");
}

#[test]
fn short_histories_lead_to_valid_pools_in_which_everything_follows_from_what_is_stored() {
    for at in settings().into_iter().flat_map(situations) {
        let pool = Pool::from(at.clone());
        assert_eq!(pool.validate(), Ok(()), "{at:?}");
        for event in events(&at) {
            if let Ok((after, _)) = machine(&pool, event) {
                assert_eq!(Pool::from(Stored::from(after.clone())), after, "{event:?} in {at:?}");
            }
        }
    }
}

/// The boxes of the table with the states in them; `Gone` is an agent that the pool has forgotten.
const BOXES: [(&str, &[&str]); 9] = [
    ("Provisioning", &["Provisioning"]),
    ("Failed", &["Failed"]),
    ("Idle", &["Idle(Kept)", "Idle(Spare)"]),
    ("Busy", &["Busy(Due)", "Busy(Renewed)", "Busy(Refused)"]),
    ("Draining", &["Draining(Due)", "Draining(Renewed)", "Draining(Refused)"]),
    ("Cleaning", &["Cleaning"]),
    ("Leaving", &["Leaving"]),
    ("Gone", &["Gone"]),
    ("never given", &["never given"]),
];

/// The states of the diagram.
const DRAWN: [(&str, &[&str]); 8] = [
    ("Provisioning", &["Provisioning"]),
    ("Failed", &["Failed"]),
    ("Idle", &["Idle(Kept)", "Idle(Spare)"]),
    ("Busy", &["Busy"]),
    ("Draining", &["Draining"]),
    ("Cleaning", &["Cleaning"]),
    ("Leaving", &["Leaving"]),
    (OUTSIDE, &[OUTSIDE]),
];

/// Every kind of event; the last ones name an agent.
const KINDS: [&str; 10] = [
    "Submitted",
    "CancelRequested",
    "EndAcknowledged",
    "Started",
    "Heartbeat",
    "WorkEnded",
    "Cleaned",
    "Gone",
    "DrainRequested",
    "Elapsed",
];

/// The kind of an event, and the agent that it names.
fn kind(event: PoolEvent) -> (&'static str, Option<AgentId>) {
    match event {
        PoolEvent::Submitted { .. } => ("Submitted", None),
        PoolEvent::CancelRequested { .. } => ("CancelRequested", None),
        PoolEvent::EndAcknowledged { .. } => ("EndAcknowledged", None),
        PoolEvent::Started { agent } => ("Started", Some(agent)),
        PoolEvent::Heartbeat { agent, .. } => ("Heartbeat", Some(agent)),
        PoolEvent::WorkEnded { agent, .. } => ("WorkEnded", Some(agent)),
        PoolEvent::Cleaned { agent, .. } => ("Cleaned", Some(agent)),
        PoolEvent::Gone { agent } => ("Gone", Some(agent)),
        PoolEvent::DrainRequested { agent } => ("DrainRequested", Some(agent)),
        PoolEvent::Elapsed { timer } => ("Elapsed", Some(timer.agent)),
    }
}

/// Where an agent stands, for the table.
fn leaf(at: &Pool, agent: AgentId) -> &'static str {
    match at.agent(agent).map(|agent| agent.state) {
        None if agent.0 == 0 || agent > at.last_agent() => "never given",
        None => "Gone",
        Some(AgentState::Provisioning) => "Provisioning",
        Some(AgentState::Failed) => "Failed",
        Some(AgentState::Idle(Stay::Kept)) => "Idle(Kept)",
        Some(AgentState::Idle(Stay::Spare)) => "Idle(Spare)",
        Some(AgentState::Busy { renewal: Renewal::Due, .. }) => "Busy(Due)",
        Some(AgentState::Busy { renewal: Renewal::Renewed, .. }) => "Busy(Renewed)",
        Some(AgentState::Busy { renewal: Renewal::Refused, .. }) => "Busy(Refused)",
        Some(AgentState::Draining { renewal: Renewal::Due, .. }) => "Draining(Due)",
        Some(AgentState::Draining { renewal: Renewal::Renewed, .. }) => "Draining(Renewed)",
        Some(AgentState::Draining { renewal: Renewal::Refused, .. }) => "Draining(Refused)",
        Some(AgentState::Cleaning { .. }) => "Cleaning",
        Some(AgentState::Leaving) => "Leaving",
    }
}

/// The same for the diagram, in which an agent that is gone, and one that is to come, is outside.
fn drawn(leaf: &'static str) -> &'static str {
    match leaf {
        "Busy(Due)" | "Busy(Renewed)" | "Busy(Refused)" => "Busy",
        "Draining(Due)" | "Draining(Renewed)" | "Draining(Refused)" => "Draining",
        "Gone" | "never given" => OUTSIDE,
        other => other,
    }
}

fn outcome(refused: &Outcome<PoolRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(PoolRejected::UnknownTask { .. }) => "Rejected(UnknownTask)",
        Outcome::Rejected(PoolRejected::NotEnded { .. }) => "Rejected(NotEnded)",
        Outcome::Rejected(PoolRejected::UnknownAgent { .. }) => "Rejected(UnknownAgent)",
        Outcome::Rejected(PoolRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
        Outcome::Rejected(PoolRejected::QueueFull { .. }) => "Rejected(QueueFull)",
        Outcome::Rejected(PoolRejected::UsersFull { .. }) => "Rejected(UsersFull)",
        Outcome::Rejected(PoolRejected::AgentsFull { .. }) => "Rejected(AgentsFull)",
    }
}

#[test]
fn page_of_pool_shows_what_the_machine_does() {
    let (mut table, mut diagram) = (Observed::default(), Observed::default());
    for at in settings().into_iter().flat_map(situations) {
        let pool = Pool::from(at.clone());
        for event in events(&at) {
            let (kind, named) = kind(event);
            let said = machine(&pool, event);
            if let Some(named) = named {
                let outcome = said.as_ref().err().map_or("Applied", outcome);
                table.refused(leaf(&pool, named), kind, outcome);
            }
            let Ok((after, _)) = said else { continue };
            for agent in (1..=after.last_agent().0).map(AgentId) {
                let (was, is) = (drawn(leaf(&pool, agent)), drawn(leaf(&after, agent)));
                // An agent is ordered whenever one is missing.
                if (was, is) != (OUTSIDE, "Provisioning") {
                    diagram.applied(was, kind, is);
                }
            }
        }
    }
    let diagram = diagram.diagram("Provisioning", &DRAWN, &KINDS);
    table.assert_page("pool", &diagram, &BOXES, &KINDS[3..]);
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin_of_the_pool() {
    let wrong: [(&str, Twin); 4] = [
        (
            "an effect less",
            Side {
                takes: |at, event, config| {
                    let (pool, mut effects) = twin_of(at, event, config)?;
                    effects.truncate(5);
                    Ok((pool, effects))
                },
                ..TWIN
            },
        ),
        (
            "another refusal",
            Side {
                takes: |at, event, config| match twin_of(at, event, config) {
                    Err(Outcome::Ignored(_)) => Err(Outcome::Ignored(Ignored::Stale)),
                    other => other,
                },
                ..TWIN
            },
        ),
        (
            "an attempt is not counted",
            Side {
                takes: |at, event, config| {
                    let (pool, effects) = twin_of(at, event, config)?;
                    let mut stored = Stored::from(pool);
                    for booking in stored.tasks.values_mut() {
                        booking.attempts = booking.attempts.min(1);
                    }
                    Ok((Pool::from(stored), effects))
                },
                ..TWIN
            },
        ),
        ("a restart that repeats nothing", Side { repeats: |_, _| Vec::new(), ..TWIN }),
    ];
    for (name, twin) in wrong {
        let situations = settings().into_iter().flat_map(situations).collect();
        assert!(compare(situations, twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_pool() {
    let sound: Vec<Stored> = settings().into_iter().flat_map(situations).collect();
    for fault in crate::faults::Fault::OF_POOLS.iter().copied() {
        let plant = |at: &Stored| {
            let config = PoolConfig { fault: Some(fault), ..at.config };
            Stored { config, ..at.clone() }
        };
        let planted = sound.iter().map(plant).collect();
        assert!(compare(planted, TWIN).is_err(), "nobody noticed {fault:?}");
    }
}
