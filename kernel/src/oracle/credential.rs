//! The credential beside its twin: lists of who waits, and one table over event and state.

use super::beside::{self, Side};
use super::page::Observed;
use crate::config::Config;
use crate::credential::{
    Credential, CredentialEffect, CredentialEvent, CredentialRejected, CredentialState, Found, Generation,
    IfCurrent, OrderNumber, RefreshEnd, WaitEnd, WaiterId, WriteEnd,
};
use crate::validate::COUNTER_MAX;
use crate::vocabulary::{Ignored, Outcome};
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Credential, CredentialEffect, CredentialRejected>;
type Twin = fn(&Credential, CredentialEvent, &Config) -> Said;

fn small() -> Config {
    Config { waiters_max: 2, credential_waits_max: 2, ..Config::default() }
}

/// The states in which a timer runs, with what they have ordered in one step and what they repeat after a crash.
fn orders(at: &Credential, config: &Config) -> Option<(Vec<CredentialEffect>, Vec<CredentialEffect>)> {
    use CredentialEffect as F;
    use CredentialState as S;
    let (order, generation, next) = (at.order, at.generation, Generation(at.generation.0 + 1));
    let arm = |after_ms| F::Arm { order, after_ms };
    let (store, server) = (arm(u64::from(config.store_ms)), arm(u64::from(config.refresh_ms)));
    let recover = F::Recover { order };
    let twice = |effects: Vec<F>| Some((effects.clone(), effects));
    match at.state {
        S::Reading { if_current: IfCurrent::Refuse } => {
            twice(Vec::from([F::Read { order, generation }, store]))
        }
        S::Reading { .. } => {
            twice(Vec::from([F::Claim { order, generation, for_ms: config.claim_ms.into() }, store]))
        }
        S::Waiting { .. } => {
            twice(Vec::from([arm(u64::from(config.credential_backoff_ms * u32::from(at.waits)))]))
        }
        S::Refreshing => {
            Some((Vec::from([F::Refresh { order, generation }, server]), Vec::from([recover, server])))
        }
        S::Storing => {
            Some((Vec::from([F::Write { order, generation: next }, store]), Vec::from([recover, store])))
        }
        S::Lapsed | S::Fresh | S::Unsaved | S::Refused => None,
    }
}

/// What the credential makes of the event, written from what its vocabulary promises.
fn twin(at: &Credential, event: CredentialEvent, config: &Config) -> Said {
    use CredentialEvent as E;
    use CredentialState as S;
    use IfCurrent as I;
    let stale = Err(Outcome::Ignored(Ignored::Stale));
    let duplicate = Err(Outcome::Ignored(Ignored::Duplicate));
    let never = Err(Outcome::Rejected(CredentialRejected::NeverAsked { state: at.state, event }));
    let known = at.generation;
    let wrong = |got| Err(Outcome::Rejected(CredentialRejected::Generation { known, got }));
    let disarm = Vec::from([CredentialEffect::Disarm { order: at.order }]);
    let settled = |at: &Credential, end| {
        let who = (1..=at.accepted.0).filter(|waiter| *waiter > at.settled.0).map(WaiterId);
        who.map(|waiter| CredentialEffect::Settle { waiter, end }).collect::<Vec<_>>()
    };
    // Nobody waits any more.
    let done = |at: Credential, state, generation, end, before: Vec<CredentialEffect>| {
        let effects = [before, settled(&at, end)].concat();
        let after = Credential { state, generation, waits: 0, settled: at.accepted, ..at };
        Ok((after, effects))
    };
    let fresh = |generation, before| done(*at, S::Fresh, generation, WaitEnd::Given(generation), before);
    let refused = |before| done(*at, S::Refused, known, WaitEnd::Refused, before);
    // The next order.
    let begin = |at: Credential, state, waits, before: Vec<CredentialEffect>| {
        let after = Credential { state, waits, order: OrderNumber(at.order.0 + 1), ..at };
        let (given, _) = orders(&after, config).expect("a state with an order");
        Ok((after, [before, given].concat()))
    };
    let wait = |if_current, before: Vec<CredentialEffect>| {
        let idle = match if_current {
            I::Refresh => S::Lapsed,
            I::Write => S::Unsaved,
            I::Refuse => S::Refused,
        };
        if at.waits == config.credential_waits_max {
            done(*at, idle, known, WaitEnd::Failed, before)
        } else {
            begin(*at, S::Waiting { if_current }, at.waits + 1, before)
        }
    };
    let open = orders(at, config).is_some();
    match event {
        E::Wanted { waiter, .. } if (1..=at.accepted.0).contains(&waiter.0) => duplicate,
        E::Wanted { waiter, .. } if waiter.0 != at.accepted.0 + 1 => {
            let expected = WaiterId(at.accepted.0 + 1);
            Err(Outcome::Rejected(CredentialRejected::WaiterGap { expected, got: waiter }))
        }
        E::Wanted { newer_than, .. } if newer_than > known => wrong(newer_than),
        E::Wanted { waiter, .. } if at.accepted.0 == at.settled.0 + u64::from(config.waiters_max) => {
            Err(Outcome::Rejected(CredentialRejected::WaitersFull { waiter }))
        }
        E::Wanted { waiter, newer_than } => {
            let more = Credential { accepted: waiter, ..*at };
            let read = |if_current| begin(more, S::Reading { if_current }, 0, Vec::new());
            match at.state {
                S::Fresh if newer_than != known => {
                    done(more, S::Fresh, known, WaitEnd::Given(known), Vec::new())
                }
                S::Fresh | S::Lapsed => read(I::Refresh),
                S::Unsaved => read(I::Write),
                S::Refused => read(I::Refuse),
                S::Reading { .. } | S::Refreshing | S::Storing | S::Waiting { .. } => Ok((more, Vec::new())),
            }
        }

        E::StoreChanged { generation } if generation == known => duplicate,
        E::StoreChanged { generation } if generation < known => stale,
        E::StoreChanged { generation } if generation.0 > COUNTER_MAX => wrong(generation),
        E::StoreChanged { generation } => match at.state {
            S::Refreshing => {
                fresh(generation, [disarm, Vec::from([CredentialEffect::Abort { order: at.order }])].concat())
            }
            S::Reading { .. } | S::Storing | S::Waiting { .. } => fresh(generation, disarm),
            S::Lapsed | S::Fresh | S::Unsaved | S::Refused => fresh(generation, Vec::new()),
        },

        E::StoreRead { order, .. }
        | E::RefreshEnded { order, .. }
        | E::WriteEnded { order, .. }
        | E::Elapsed { order }
            if order.0 == 0 || order > at.order =>
        {
            never
        }
        E::StoreRead { order, .. }
        | E::RefreshEnded { order, .. }
        | E::WriteEnded { order, .. }
        | E::Elapsed { order }
            if order != at.order || !open =>
        {
            stale
        }
        E::StoreRead { found, .. } => match (at.state, found) {
            (S::Reading { .. }, Found::Current | Found::Taken) if known == Generation(0) => never,
            (S::Reading { .. }, Found::Other { generation })
                if generation <= known || generation.0 > COUNTER_MAX =>
            {
                wrong(generation)
            }
            (S::Reading { .. }, Found::Other { generation }) => fresh(generation, disarm),
            (S::Reading { .. }, Found::Empty) => refused(disarm),
            (S::Reading { if_current }, Found::Unreadable) => wait(if_current, disarm),
            (S::Reading { if_current: I::Refresh }, Found::Current) => {
                begin(*at, S::Refreshing, at.waits, disarm)
            }
            (S::Reading { if_current: I::Write }, Found::Current | Found::Taken) => {
                begin(*at, S::Storing, at.waits, disarm)
            }
            (S::Reading { if_current: I::Refuse }, Found::Current) => refused(disarm),
            (S::Reading { if_current }, Found::Taken) => wait(if_current, disarm),
            (
                S::Lapsed
                | S::Fresh
                | S::Refreshing
                | S::Storing
                | S::Unsaved
                | S::Waiting { .. }
                | S::Refused,
                _,
            ) => never,
        },
        E::RefreshEnded { end, .. } => match (at.state, end) {
            (S::Refreshing, RefreshEnd::Refreshed) => begin(*at, S::Storing, at.waits, disarm),
            (S::Refreshing, RefreshEnd::InvalidGrant) => {
                begin(*at, S::Reading { if_current: I::Refuse }, at.waits, disarm)
            }
            (S::Refreshing, RefreshEnd::Failed) => wait(I::Refresh, disarm),
            (
                S::Lapsed
                | S::Fresh
                | S::Reading { .. }
                | S::Storing
                | S::Unsaved
                | S::Waiting { .. }
                | S::Refused,
                _,
            ) => never,
        },
        E::WriteEnded { end, .. } => match (at.state, end) {
            (S::Storing, WriteEnd::Stored) => fresh(Generation(known.0 + 1), disarm),
            (S::Storing, WriteEnd::Failed) => wait(I::Write, disarm),
            (S::Storing, WriteEnd::Lost) => wait(I::Refresh, disarm),
            (
                S::Lapsed
                | S::Fresh
                | S::Reading { .. }
                | S::Refreshing
                | S::Unsaved
                | S::Waiting { .. }
                | S::Refused,
                _,
            ) => never,
        },
        E::Elapsed { order } => match at.state {
            S::Reading { if_current } => wait(if_current, Vec::new()),
            S::Waiting { if_current } => begin(*at, S::Reading { if_current }, at.waits, Vec::new()),
            S::Refreshing => wait(I::Refresh, Vec::from([CredentialEffect::Abort { order }])),
            S::Storing => wait(I::Write, Vec::new()),
            S::Lapsed | S::Fresh | S::Unsaved | S::Refused => unreachable!("no order is open there"),
        },
    }
}

const CHOICES: [IfCurrent; 3] = [IfCurrent::Refresh, IfCurrent::Write, IfCurrent::Refuse];

/// Everything that could be read from a damaged store, within small bounds.
fn combinations() -> Vec<Credential> {
    use CredentialState as S;
    let mut states = Vec::from([S::Lapsed, S::Fresh, S::Refreshing, S::Storing, S::Unsaved, S::Refused]);
    states.extend(CHOICES.map(|if_current| S::Reading { if_current }));
    states.extend(CHOICES.map(|if_current| S::Waiting { if_current }));
    let mut combinations = Vec::new();
    for state in states {
        for (generation, order, waits) in
            (0..4).flat_map(|g| (0..4).flat_map(move |o| (0..4).map(move |w| (g, o, w))))
        {
            for (settled, accepted) in [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 2), (2, 3), (2, 4)] {
                let (generation, order) = (Generation(generation), OrderNumber(order));
                let (accepted, settled) = (WaiterId(accepted), WaiterId(settled));
                combinations.push(Credential { state, generation, order, waits, accepted, settled });
            }
        }
    }
    combinations
}

/// Every credential within small bounds that can be.
fn credentials() -> impl Iterator<Item = Credential> {
    combinations().into_iter().filter(can_be)
}

/// Whoever waits, waits for an order, and an order is for somebody; a successor has a generation before it.
fn can_be(at: &Credential) -> bool {
    use CredentialState as S;
    let waiting = at.accepted.0 > at.settled.0;
    let too_many = at.accepted.0 > at.settled.0 + 2 || at.accepted < at.settled || at.waits > 2;
    let (ordered, has_one, waited) = (at.order.0 > 0, at.generation.0 > 0, at.waits > 0);
    let fits = match at.state {
        S::Lapsed => !waiting && !waited,
        S::Fresh => !waiting && !waited && has_one,
        S::Unsaved => !waiting && !waited && has_one && ordered,
        S::Refused => !waiting && !waited && ordered,
        S::Refreshing | S::Storing | S::Reading { if_current: IfCurrent::Write } => {
            waiting && ordered && has_one
        }
        S::Reading { .. } => waiting && ordered,
        S::Waiting { if_current: IfCurrent::Write } => waiting && ordered && waited && has_one,
        S::Waiting { .. } => waiting && ordered && waited,
    };
    fits && !too_many
}

fn events(at: &Credential) -> Vec<CredentialEvent> {
    use CredentialEvent as E;
    let generations = (0..=at.generation.0 + 2).chain([COUNTER_MAX, COUNTER_MAX + 1]).map(Generation);
    let mut events: Vec<E> = generations.clone().map(|generation| E::StoreChanged { generation }).collect();
    for waiter in (0..=at.accepted.0 + 2).map(WaiterId) {
        events.extend(generations.clone().map(|newer_than| E::Wanted { waiter, newer_than }));
    }
    let found = generations.map(|generation| Found::Other { generation });
    let found = found.chain([Found::Current, Found::Taken, Found::Empty, Found::Unreadable]);
    for order in (0..=at.order.0 + 1).map(OrderNumber) {
        events.extend(found.clone().map(|found| E::StoreRead { order, found }));
        events.extend(
            [RefreshEnd::Refreshed, RefreshEnd::InvalidGrant, RefreshEnd::Failed]
                .map(|end| E::RefreshEnded { order, end }),
        );
        events.extend(
            [WriteEnd::Stored, WriteEnd::Failed, WriteEnd::Lost].map(|end| E::WriteEnded { order, end }),
        );
        events.push(E::Elapsed { order });
    }
    events
}

/// What a restart repeats.
fn twin_resync(at: &Credential, config: &Config) -> Vec<CredentialEffect> {
    orders(at, config).map_or_else(Vec::new, |(_, repeated)| repeated)
}

fn machine(at: &Credential, event: CredentialEvent, config: &Config) -> Said {
    beside::taken(at, |credential, sink| credential.step(event, config, sink))
}

/// Compares every pair until the first difference; how many there are.
fn compare(config: &Config, twin: Twin) -> Result<usize, String> {
    let repeats = |at: &Credential, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: twin_resync }];
    beside::compare(credentials(), events, config, sides)
}

#[test]
fn credential_and_twin_agree_on_every_pair() {
    let pairs = compare(&small(), twin).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(pairs > 100_000, "the enumeration has shrunk to {pairs} pairs");
}

#[test]
fn validate_accepts_the_credentials_that_can_be_and_no_others() {
    for at in combinations() {
        assert_eq!(at.validate(&small()).is_ok(), can_be(&at), "{at:?}");
    }
}

#[test]
fn steps_lead_only_to_credentials_that_can_be() {
    for at in credentials() {
        for event in events(&at) {
            let mut credential = at;
            let _ = credential.step(event, &small(), &mut |_| {});
            let valid = credential.validate(&small());
            assert_eq!(valid, Ok(()), "{event:?} at {at:?} leads to {credential:?}");
        }
    }
}

const KINDS: [&str; 6] = ["Wanted", "StoreRead", "RefreshEnded", "WriteEnded", "StoreChanged", "Elapsed"];

/// The boxes of the diagram with the states in them.
const BOXES: [(&str, &[&str]); 4] = [
    ("Idle", &["Lapsed", "Unsaved", "Refused"]),
    ("Fresh", &["Fresh"]),
    ("AtWork", &["Reading(Refresh)", "Reading(Write)", "Reading(Refuse)", "Refreshing", "Storing"]),
    ("Waiting", &["Waiting(Refresh)", "Waiting(Write)", "Waiting(Refuse)"]),
];

fn name(state: CredentialState) -> &'static str {
    use CredentialState as S;
    match state {
        S::Lapsed => "Lapsed",
        S::Fresh => "Fresh",
        S::Reading { if_current: IfCurrent::Refresh } => "Reading(Refresh)",
        S::Reading { if_current: IfCurrent::Write } => "Reading(Write)",
        S::Reading { if_current: IfCurrent::Refuse } => "Reading(Refuse)",
        S::Refreshing => "Refreshing",
        S::Storing => "Storing",
        S::Waiting { if_current: IfCurrent::Refresh } => "Waiting(Refresh)",
        S::Waiting { if_current: IfCurrent::Write } => "Waiting(Write)",
        S::Waiting { if_current: IfCurrent::Refuse } => "Waiting(Refuse)",
        S::Unsaved => "Unsaved",
        S::Refused => "Refused",
    }
}

fn kind(event: CredentialEvent) -> &'static str {
    match event {
        CredentialEvent::Wanted { .. } => "Wanted",
        CredentialEvent::StoreRead { .. } => "StoreRead",
        CredentialEvent::RefreshEnded { .. } => "RefreshEnded",
        CredentialEvent::WriteEnded { .. } => "WriteEnded",
        CredentialEvent::StoreChanged { .. } => "StoreChanged",
        CredentialEvent::Elapsed { .. } => "Elapsed",
    }
}

fn outcome(refused: &Outcome<CredentialRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(CredentialRejected::WaiterGap { .. }) => "Rejected(WaiterGap)",
        Outcome::Rejected(CredentialRejected::WaitersFull { .. }) => "Rejected(WaitersFull)",
        Outcome::Rejected(CredentialRejected::Generation { .. }) => "Rejected(Generation)",
        Outcome::Rejected(CredentialRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
    }
}

#[test]
fn page_of_credential_shows_what_the_machine_does() {
    let mut observed = Observed::default();
    for at in credentials() {
        for event in events(&at) {
            match machine(&at, event, &small()) {
                Ok((next, _)) => observed.applied(name(at.state), kind(event), name(next.state)),
                Err(refused) => observed.refused(name(at.state), kind(event), outcome(&refused)),
            }
        }
    }
    let diagram = observed.diagram("Lapsed", &BOXES, &KINDS);
    observed.assert_page("credential", &diagram, &BOXES, &KINDS);
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin_of_the_credential() {
    let wrong: [(&str, Twin); 3] = [
        ("an effect less", |at, event, config| {
            let (credential, mut effects) = twin(at, event, config)?;
            effects.truncate(3);
            Ok((credential, effects))
        }),
        ("another refusal", |at, event, config| match twin(at, event, config) {
            Err(Outcome::Ignored(_)) => Err(Outcome::Ignored(Ignored::Stale)),
            other => other,
        }),
        ("the waits stay", |at, event, config| {
            let (mut credential, effects) = twin(at, event, config)?;
            credential.waits = credential.waits.max(at.waits);
            Ok((credential, effects))
        }),
    ];
    for (name, twin) in wrong {
        assert!(compare(&small(), twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_credential() {
    for fault in crate::faults::Fault::OF_CREDENTIALS.iter().copied() {
        let config = Config { fault: Some(fault), ..small() };
        assert!(compare(&config, twin).is_err(), "nobody noticed {fault:?}");
    }
}
