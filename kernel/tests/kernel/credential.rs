//! A credential: stories, and long random histories with a store, a server and a second process that do their worst.

use downbeat_kernel::{
    Config, Credential, CredentialCorrupt, CredentialEffect, CredentialEvent, CredentialRejected,
    CredentialState, Found, Generation, IfCurrent, Ignored, OrderNumber, Outcome, RefreshEnd, WaitEnd,
    WaiterId, WriteEnd,
};

/// A credential after these events, all of which it applies, and the effects of the last one.
#[track_caller]
fn after(events: &[CredentialEvent]) -> (Credential, Vec<CredentialEffect>) {
    let (mut credential, mut effects) = (Credential::default(), Vec::new());
    for event in events {
        effects.clear();
        let outcome = credential.step(*event, &Config::default(), &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
        assert_eq!(credential.validate(&Config::default()), Ok(()), "{event:?}");
    }
    (credential, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(credential: &Credential, event: CredentialEvent) -> Outcome<CredentialRejected> {
    let (mut same, mut effects) = (*credential, Vec::new());
    let outcome = same.step(event, &Config::default(), &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (credential, Vec::new()), "{event:?}");
    outcome
}

fn wanted(waiter: u64, newer_than: u32) -> CredentialEvent {
    CredentialEvent::Wanted { waiter: WaiterId(waiter), newer_than: Generation(newer_than) }
}

fn found(order: u32, found: Found) -> CredentialEvent {
    CredentialEvent::StoreRead { order: OrderNumber(order), found }
}

fn other(order: u32, generation: u32) -> CredentialEvent {
    found(order, Found::Other { generation: Generation(generation) })
}

fn refresh_ended(order: u32, end: RefreshEnd) -> CredentialEvent {
    CredentialEvent::RefreshEnded { order: OrderNumber(order), end }
}

fn write_ended(order: u32, end: WriteEnd) -> CredentialEvent {
    CredentialEvent::WriteEnded { order: OrderNumber(order), end }
}

fn changed(generation: u32) -> CredentialEvent {
    CredentialEvent::StoreChanged { generation: Generation(generation) }
}

fn elapsed(order: u32) -> CredentialEvent {
    CredentialEvent::Elapsed { order: OrderNumber(order) }
}

fn read(order: u32, generation: u32) -> CredentialEffect {
    CredentialEffect::Read { order: OrderNumber(order), generation: Generation(generation) }
}

fn claim(order: u32, generation: u32) -> CredentialEffect {
    let (order, generation) = (OrderNumber(order), Generation(generation));
    CredentialEffect::Claim { order, generation, for_ms: 65_000 }
}

fn refresh(order: u32, generation: u32) -> CredentialEffect {
    CredentialEffect::Refresh { order: OrderNumber(order), generation: Generation(generation) }
}

fn abort(order: u32) -> CredentialEffect {
    CredentialEffect::Abort { order: OrderNumber(order) }
}

fn write(order: u32, generation: u32) -> CredentialEffect {
    CredentialEffect::Write { order: OrderNumber(order), generation: Generation(generation) }
}

fn recover(order: u32) -> CredentialEffect {
    CredentialEffect::Recover { order: OrderNumber(order) }
}

fn arm(order: u32, after_ms: u64) -> CredentialEffect {
    CredentialEffect::Arm { order: OrderNumber(order), after_ms }
}

fn disarm(order: u32) -> CredentialEffect {
    CredentialEffect::Disarm { order: OrderNumber(order) }
}

fn given(waiter: u64, generation: u32) -> CredentialEffect {
    settle(waiter, WaitEnd::Given(Generation(generation)))
}

fn settle(waiter: u64, end: WaitEnd) -> CredentialEffect {
    CredentialEffect::Settle { waiter: WaiterId(waiter), end }
}

const STORE_MS: u64 = 5_000;
const REFRESH_MS: u64 = 30_000;

/// Generation 7 was read from the store, and the first waiter has it.
const FRESH: [CredentialEvent; 2] = [
    CredentialEvent::Wanted { waiter: WaiterId(1), newer_than: Generation(0) },
    CredentialEvent::StoreRead { order: OrderNumber(1), found: Found::Other { generation: Generation(7) } },
];

/// Two waiters were refused with generation 7, and the token of 7 is in use.
fn refreshing(more: &[CredentialEvent]) -> Vec<CredentialEvent> {
    [&FRESH[..], &[wanted(2, 7), wanted(3, 7), found(2, Found::Current)], more].concat()
}

/// The same, and the new credential is to be written.
fn storing(more: &[CredentialEvent]) -> Vec<CredentialEvent> {
    refreshing(&[&[refresh_ended(3, RefreshEnd::Refreshed)], more].concat())
}

#[test]
fn one_refresh_serves_everyone_and_counts_when_it_is_stored() {
    let fresh = CredentialState::Fresh;
    let reading = CredentialState::Reading { if_current: IfCurrent::Refresh };
    #[rustfmt::skip]
    let story: [(CredentialEvent, &[CredentialEffect], CredentialState); 9] = [
        (wanted(1, 0),                          &[claim(1, 0), arm(1, STORE_MS)],                    reading),
        (other(1, 7),                           &[disarm(1), given(1, 7)],                           fresh),
        (wanted(2, 0),                          &[given(2, 7)],                                      fresh),
        (wanted(3, 7),                          &[claim(2, 7), arm(2, STORE_MS)],                    reading),
        (wanted(4, 7),                          &[],                                                 reading),
        (found(2, Found::Current),              &[disarm(2), refresh(3, 7), arm(3, REFRESH_MS)],     CredentialState::Refreshing),
        (wanted(5, 6),                          &[],                                                 CredentialState::Refreshing),
        (refresh_ended(3, RefreshEnd::Refreshed), &[disarm(3), write(4, 8), arm(4, STORE_MS)],       CredentialState::Storing),
        (write_ended(4, WriteEnd::Stored),      &[disarm(4), given(3, 8), given(4, 8), given(5, 8)], fresh),
    ];
    let mut events = Vec::new();
    for (event, expected, state) in story {
        events.push(event);
        let (credential, effects) = after(&events);
        assert_eq!((effects.as_slice(), credential.state), (expected, state), "{event:?}");
    }
}

#[test]
fn what_was_replaced_already_costs_no_refresh() {
    let (credential, effects) = after(&storing(&[write_ended(4, WriteEnd::Stored), wanted(4, 7)]));
    assert_eq!(effects, [given(4, 8)], "S17: the caller gets the newer one at once");
    assert_eq!((credential.state, credential.generation), (CredentialState::Fresh, Generation(8)));
}

#[test]
fn an_invalid_grant_is_believed_only_when_the_store_has_nothing_newer() {
    let refused_grant = |more: &[CredentialEvent]| {
        after(&refreshing(&[&[refresh_ended(3, RefreshEnd::InvalidGrant)], more].concat()))
    };
    assert_eq!(refused_grant(&[]).1, [disarm(3), read(4, 7), arm(4, STORE_MS)]);
    let refusal = [disarm(4), settle(2, WaitEnd::Refused), settle(3, WaitEnd::Refused)];
    #[rustfmt::skip]
    let cases: [(&str, CredentialEvent, &[CredentialEffect], CredentialState); 5] = [
        ("a sibling was faster", other(4, 8),                &[disarm(4), given(2, 8), given(3, 8)], CredentialState::Fresh),
        ("nothing newer",        found(4, Found::Current),   &refusal,                               CredentialState::Refused),
        ("logged out",           found(4, Found::Empty),     &refusal,                               CredentialState::Refused),
        ("a sibling is at it",   found(4, Found::Taken),     &[disarm(4), arm(5, 2_000)], CredentialState::Waiting { if_current: IfCurrent::Refuse }),
        ("no answer",            elapsed(4),                 &[arm(5, 2_000)],            CredentialState::Waiting { if_current: IfCurrent::Refuse }),
    ];
    for (name, event, expected, state) in cases {
        let (credential, effects) = refused_grant(&[event]);
        assert_eq!((effects.as_slice(), credential.state), (expected, state), "{name}");
    }
}

#[test]
fn a_refused_credential_is_read_again_for_each_who_asks_and_is_replaced_by_a_login() {
    let refused = refreshing(&[refresh_ended(3, RefreshEnd::InvalidGrant), found(4, Found::Current)]);
    let with = |more: &[CredentialEvent]| after(&[&refused, more].concat());
    assert_eq!(with(&[wanted(4, 7)]).1, [read(5, 7), arm(5, STORE_MS)]);
    assert_eq!(with(&[wanted(4, 7), found(5, Found::Current)]).1, [disarm(5), settle(4, WaitEnd::Refused)]);
    assert_eq!(with(&[wanted(4, 7), other(5, 8)]).1, [disarm(5), given(4, 8)]);
    let (credential, effects) = with(&[changed(8)]);
    assert_eq!((credential.state, effects), (CredentialState::Fresh, Vec::new()));
}

#[test]
fn whatever_nobody_knows_is_looked_up_before_it_is_tried_again() {
    let refresh_again = [disarm(5), refresh(6, 7), arm(6, REFRESH_MS)];
    let write_again = [disarm(6), write(7, 8), arm(7, STORE_MS)];
    #[rustfmt::skip]
    let cases: [(&str, Vec<CredentialEvent>, Vec<CredentialEffect>); 7] = [
        ("the refresh failed",          refreshing(&[refresh_ended(3, RefreshEnd::Failed)]),             vec![disarm(3), arm(4, 2_000)]),
        ("the refresh never answers",   refreshing(&[elapsed(3)]),                                       vec![abort(3), arm(4, 2_000)]),
        ("the store is read",           refreshing(&[elapsed(3), elapsed(4)]),                           vec![claim(5, 7), arm(5, STORE_MS)]),
        ("it holds the same",           refreshing(&[elapsed(3), elapsed(4), found(5, Found::Current)]), refresh_again.to_vec()),
        ("it holds a newer one",        refreshing(&[elapsed(3), elapsed(4), other(5, 9)]),              vec![disarm(5), given(2, 9), given(3, 9)]),
        ("the write failed",            storing(&[write_ended(4, WriteEnd::Failed), elapsed(5), found(6, Found::Current)]), write_again.to_vec()),
        ("the write was done",          storing(&[elapsed(4), elapsed(5), other(6, 8)]),                 vec![disarm(6), given(2, 8), given(3, 8)]),
    ];
    for (name, events, expected) in cases {
        assert_eq!(after(&events).1, expected, "{name}");
    }
}

#[test]
fn nothing_of_an_older_order_touches_a_newer_one() {
    let stale = Outcome::Ignored(Ignored::Stale);
    let late = [
        refresh_ended(3, RefreshEnd::Refreshed),
        refresh_ended(3, RefreshEnd::InvalidGrant),
        found(2, Found::Empty),
        elapsed(3),
    ];
    let again = refreshing(&[elapsed(3), elapsed(4), found(5, Found::Current)]);
    for events in [again, refreshing(&[changed(8)]), storing(&[])] {
        let (credential, _) = after(&events);
        for event in late {
            assert_eq!(refused(&credential, event), stale, "S16: {event:?} in {credential:?}");
        }
    }
}

#[test]
fn a_sibling_that_was_faster_is_followed_from_everywhere() {
    let both = [given(2, 9), given(3, 9)];
    #[rustfmt::skip]
    let cases: [(&str, Vec<CredentialEvent>, Vec<CredentialEffect>); 5] = [
        ("fresh",      FRESH.to_vec(),                                                  vec![]),
        ("reading",    [&FRESH[..], &[wanted(2, 7), wanted(3, 7)]].concat(),            [&[disarm(2)], &both[..]].concat()),
        ("refreshing", refreshing(&[]),                                                 [&[disarm(3), abort(3)], &both[..]].concat()),
        ("storing",    storing(&[]),                                                    [&[disarm(4)], &both[..]].concat()),
        ("waiting",    refreshing(&[refresh_ended(3, RefreshEnd::Failed)]),             [&[disarm(4)], &both[..]].concat()),
    ];
    for (name, before, expected) in cases {
        let (credential, effects) = after(&[&before[..], &[changed(9)]].concat());
        assert_eq!(effects, expected, "{name}");
        assert_eq!(
            (credential.state, credential.generation),
            (CredentialState::Fresh, Generation(9)),
            "{name}"
        );
    }
}

#[test]
fn a_claim_of_a_sibling_is_waited_for_and_not_for_ever() {
    let mut events = [&FRESH[..], &[wanted(2, 7)]].concat();
    for wait in 0..8 {
        events.extend([found(2 + 2 * wait, Found::Taken), elapsed(3 + 2 * wait)]);
    }
    let (credential, effects) = after(&[&events[..], &[found(18, Found::Taken)]].concat());
    assert_eq!(effects, [disarm(18), settle(2, WaitEnd::Failed)], "L5");
    assert_eq!((credential.state, credential.waits), (CredentialState::Lapsed, 0));
    let (_, effects) = after(&[&events[..], &[other(18, 8)]].concat());
    assert_eq!(effects, [disarm(18), given(2, 8)]);
}

/// The longest wait, three answers of the store and a refresh pass before a claim ends, and a claim before patience does.
#[test]
fn defaults_agree_with_each_other() {
    let Config { store_ms, refresh_ms, claim_ms, credential_waits_max, credential_backoff_ms, .. } =
        Config::default();
    let waits = u32::from(credential_waits_max);
    assert!(refresh_ms + 3 * store_ms + waits * credential_backoff_ms < claim_ms);
    assert!(claim_ms < credential_backoff_ms * waits * (waits + 1) / 2);
}

#[test]
fn a_credential_that_cannot_be_stored_is_kept_and_not_given_away() {
    let mut events = storing(&[]);
    for wait in 0..8 {
        events.extend([
            write_ended(4 + 3 * wait, WriteEnd::Failed),
            elapsed(5 + 3 * wait),
            found(6 + 3 * wait, Found::Current),
        ]);
    }
    events.push(elapsed(28));
    let (credential, effects) = after(&events);
    assert_eq!(effects, [settle(2, WaitEnd::Failed), settle(3, WaitEnd::Failed)]);
    assert_eq!((credential.state, credential.generation), (CredentialState::Unsaved, Generation(7)));
    let (_, effects) = after(&[&events[..], &[wanted(4, 7), found(29, Found::Current)]].concat());
    assert_eq!(effects, [disarm(29), write(30, 8), arm(30, STORE_MS)], "S15: no second use of the token");
}

#[test]
fn resync_repeats_what_is_outstanding_and_uses_no_token() {
    let waiting = refreshing(&[refresh_ended(3, RefreshEnd::Failed)]);
    let refuse = refreshing(&[refresh_ended(3, RefreshEnd::InvalidGrant)]);
    #[rustfmt::skip]
    let cases: [(&str, Vec<CredentialEvent>, Vec<CredentialEffect>); 7] = [
        ("nothing yet", vec![],                                          vec![]),
        ("fresh",       FRESH.to_vec(),                                  vec![]),
        ("reading",     [&FRESH[..], &[wanted(2, 7)]].concat(),          vec![claim(2, 7), arm(2, STORE_MS)]),
        ("refreshing",  refreshing(&[]),                                 vec![recover(3), arm(3, REFRESH_MS)]),
        ("storing",     storing(&[]),                                    vec![recover(4), arm(4, STORE_MS)]),
        ("waiting",     waiting,                                         vec![arm(4, 2_000)]),
        ("refused by the server", refuse,                                vec![read(4, 7), arm(4, STORE_MS)]),
    ];
    for (name, events, expected) in cases {
        let mut effects = Vec::new();
        after(&events).0.resync(&Config::default(), &mut |effect| effects.push(effect));
        assert_eq!(effects, expected, "{name}");
    }
}

#[test]
fn mistakes_and_bounds_are_refused_by_name() {
    let (credential, _) = after(&refreshing(&[]));
    let never = |event| {
        Outcome::Rejected(CredentialRejected::NeverAsked { state: CredentialState::Refreshing, event })
    };
    let gap =
        |got| Outcome::Rejected(CredentialRejected::WaiterGap { expected: WaiterId(4), got: WaiterId(got) });
    let unknown = |got| {
        Outcome::Rejected(CredentialRejected::Generation { known: Generation(7), got: Generation(got) })
    };
    #[rustfmt::skip]
    let cases = [
        (wanted(3, 7),                       Outcome::Ignored(Ignored::Duplicate)),
        (wanted(0, 7),                       gap(0)),
        (wanted(5, 7),                       gap(5)),
        (wanted(4, 8),                       unknown(8)),
        (changed(7),                         Outcome::Ignored(Ignored::Duplicate)),
        (changed(6),                         Outcome::Ignored(Ignored::Stale)),
        (changed(u32::MAX),                  unknown(u32::MAX)),
        (elapsed(4),                         never(elapsed(4))),
        (found(3, Found::Empty),             never(found(3, Found::Empty))),
        (write_ended(3, WriteEnd::Stored),   never(write_ended(3, WriteEnd::Stored))),
        (refresh_ended(0, RefreshEnd::Failed), never(refresh_ended(0, RefreshEnd::Failed))),
    ];
    for (event, outcome) in cases {
        assert_eq!(refused(&credential, event), outcome, "{event:?}");
    }
    let (reading, _) = after(&[&FRESH[..], &[wanted(2, 7)]].concat());
    for got in [0, 6, 7, u32::MAX] {
        assert_eq!(refused(&reading, other(2, got)), unknown(got), "a store goes forwards");
    }
    let config = Config { waiters_max: 2, ..Config::default() };
    let (mut full, mut effects) = (credential, Vec::new());
    let outcome = full.step(wanted(4, 7), &config, &mut |effect| effects.push(effect));
    assert_eq!(outcome, Outcome::Rejected(CredentialRejected::WaitersFull { waiter: WaiterId(4) }));
    assert_eq!((full, effects), (credential, vec![]));
}

#[test]
fn damage_is_named() {
    let (good, _) = after(&refreshing(&[]));
    let (rests, _) = after(&FRESH);
    let waiting = CredentialState::Waiting { if_current: IfCurrent::Refresh };
    #[rustfmt::skip]
    let cases = [
        (Credential { generation: Generation(u32::MAX), ..good }, CredentialCorrupt::Counters),
        (Credential { order: OrderNumber(u32::MAX), ..good },     CredentialCorrupt::Counters),
        (Credential { settled: WaiterId(4), ..good },             CredentialCorrupt::Waiters),
        (Credential { settled: WaiterId(3), ..good },             CredentialCorrupt::Waiters),
        (Credential { accepted: WaiterId(2), ..rests },           CredentialCorrupt::Waiters),
        (Credential { accepted: WaiterId(200_000), ..good },      CredentialCorrupt::Waiters),
        (Credential { generation: Generation(0), ..good },        CredentialCorrupt::State),
        (Credential { order: OrderNumber(0), ..good },            CredentialCorrupt::State),
        (Credential { state: waiting, ..good },                   CredentialCorrupt::Waits),
        (Credential { waits: 9, ..good },                         CredentialCorrupt::Waits),
        (Credential { waits: 1, ..rests },                        CredentialCorrupt::Waits),
    ];
    for (damaged, corrupt) in cases {
        assert_eq!(damaged.validate(&Config::default()), Err(corrupt), "{damaged:?}");
    }
}
