//! The same as in `damaged`, for requests to a model: sends that do not follow from each other, and states that do not follow
//! from the sends.

use downbeat_kernel::{
    Aim, Attempt, Config, Fate, Generation, Ledger, Passing, Previous, ProfileId, Profiles, Request,
    RequestCorrupt, RequestEnd, RequestReason, RequestState, SendReason, SendRecord, TurnNumber, Wait,
};

const FIRST: SendReason = SendReason::First;
const FRESH: SendReason = SendReason::FreshToken;
const FULL: SendReason = SendReason::FullInput;
const FAILOVER: SendReason = SendReason::Failover;
const AGAIN: SendReason = SendReason::Retry(Passing::Transient);
const LATER: SendReason = SendReason::Retry(Passing::Throttled);
const OPEN: Fate = Fate::Open;
const LOST: Fate = Fate::Lost;
const REFUSED: Fate = Fate::Refused;
const WHOLE: Fate = Fate::Whole;

/// What came of the sends, each with its profile, its reason and its fate. Of three profiles the second needs no credential.
fn request(state: RequestState, sends: &[(u8, SendReason, Fate)]) -> Request {
    let line = |&(profile, reason, fate): &(u8, SendReason, Fate)| SendRecord {
        profile: ProfileId(profile),
        reason,
        fate,
        charged: false,
    };
    let ledger = Ledger::try_from(sends.iter().map(line).collect::<Vec<_>>()).expect("they are few");
    Request { state, profiles: Profiles { count: 3, down: 0, keyed: 0b10 }, ledger, ..Request::default() }
}

fn held(request: Request) -> Request {
    Request { held: true, ..request }
}

/// The first credential of a profile was refused.
fn refusing(profile: u8, request: Request) -> Request {
    let mut refused = request.refused;
    refused[usize::from(profile)] = Generation(1);
    Request { refused, ..request }
}

/// A profile asked for too much patience.
fn shut(profile: u8, request: Request) -> Request {
    Request { shut: 1 << profile, ..request }
}

/// A wait is due where the last send failed.
fn owing(after: Passing, request: Request) -> Request {
    Request { owed: Some(Wait { after, after_ms: 1 }), ..request }
}

/// Its last send was billed.
fn billed(request: Request) -> Request {
    let mut lines = request.ledger.sends().to_vec();
    for line in &mut lines {
        line.charged = true;
    }
    Request { ledger: Ledger::try_from(lines).expect("they are few"), ..request }
}

fn continuing(profile: u8, request: Request) -> Request {
    let previous = Previous { turn: TurnNumber(1), attempt: Attempt(0), profile: ProfileId(profile) };
    Request { previous: Some(previous), ..request }
}

fn streaming(generation: u32) -> RequestState {
    RequestState::Streaming { generation: Generation(generation) }
}

fn authorizing(profile: u8, reason: SendReason) -> RequestState {
    RequestState::Authorizing { profile: ProfileId(profile), reason }
}

fn ready(profile: u8, generation: u32, reason: SendReason) -> RequestState {
    RequestState::Ready { profile: ProfileId(profile), generation: Generation(generation), reason }
}

fn accepted(attempt: u16) -> RequestState {
    RequestState::Ended(RequestEnd::Accepted { attempt: Attempt(attempt) })
}

fn failed(reason: RequestReason) -> RequestState {
    RequestState::Ended(RequestEnd::Failed(reason))
}

type Case = (&'static str, Request, Result<(), RequestCorrupt>);

/// With three sends at most.
#[track_caller]
fn assert_cases(cases: &[Case]) {
    for (name, request, expected) in cases {
        let config = Config { attempts_max: 3, ..Config::default() };
        assert_eq!(request.validate(&config), *expected, "{name}: {request:?}");
    }
}

#[test]
fn profiles_that_there_are_not_are_found() {
    const PROFILES: Result<(), RequestCorrupt> = Err(RequestCorrupt::Profiles);
    let sent = |profile, generation| request(streaming(generation), &[(profile, FIRST, OPEN)]);
    let again = request(streaming(2), &[(0, FIRST, REFUSED), (0, FRESH, OPEN)]);
    #[rustfmt::skip]
    let cases: [Case; 8] = [
        ("sent to the first",                    sent(0, 1),                    Ok(())),
        ("sent without a credential",            sent(1, 0),                    Ok(())),
        ("sent to one that is not there",        sent(3, 1),                    PROFILES),
        ("continued from the last",              continuing(2, sent(0, 1)),     Ok(())),
        ("continued from one that is not there", continuing(3, sent(0, 1)),     PROFILES),
        ("a credential was refused",             refusing(0, again),            Ok(())),
        ("refused where none is needed",         refusing(1, again),            PROFILES),
        ("refused where nobody is",              refusing(3, again),            PROFILES),
    ];
    assert_cases(&cases);
}

#[test]
fn sends_that_do_not_follow_are_found() {
    const LEDGER: Result<(), RequestCorrupt> = Err(RequestCorrupt::Ledger);
    let sent = |sends: &[(u8, SendReason, Fate)]| request(streaming(2), sends);
    let keyed = |sends: &[(u8, SendReason, Fate)]| request(streaming(0), sends);
    #[rustfmt::skip]
    let cases: [Case; 20] = [
        ("again after a loss",              sent(&[(0, FIRST, LOST), (0, AGAIN, OPEN)]),                    Ok(())),
        ("again after a refusal",           sent(&[(0, FIRST, REFUSED), (0, AGAIN, OPEN)]),                 LEDGER),
        ("later after a refusal",           sent(&[(0, FIRST, REFUSED), (0, LATER, OPEN)]),                 Ok(())),
        ("later after a loss",              sent(&[(0, FIRST, LOST), (0, LATER, OPEN)]),                    LEDGER),
        ("again elsewhere",                 keyed(&[(0, FIRST, LOST), (1, AGAIN, OPEN)]),                   LEDGER),
        ("later elsewhere",                 keyed(&[(0, FIRST, REFUSED), (1, LATER, OPEN)]),                LEDGER),
        ("failed over",                     keyed(&[(0, FIRST, LOST), (1, FAILOVER, OPEN)]),                Ok(())),
        ("failed over beside an open one",  keyed(&[(0, FIRST, OPEN), (1, FAILOVER, OPEN)]),                LEDGER),
        ("failed over after the response",  keyed(&[(0, FIRST, WHOLE), (1, FAILOVER, OPEN)]),               LEDGER),
        ("two that are the first",          sent(&[(0, FIRST, LOST), (0, FIRST, OPEN)]),                    LEDGER),
        ("none that is the first",          sent(&[(0, AGAIN, OPEN)]),                                      LEDGER),
        ("a newer token",                   refusing(0, sent(&[(0, FIRST, REFUSED), (0, FRESH, OPEN)])),    Ok(())),
        ("a newer token for none refused",  sent(&[(0, FIRST, REFUSED), (0, FRESH, OPEN)]),                 LEDGER),
        ("a newer token of another",        refusing(2, sent(&[(0, FIRST, REFUSED), (0, FRESH, OPEN)])),    LEDGER),
        ("two newer tokens",
            refusing(0, sent(&[(0, FIRST, REFUSED), (0, FRESH, REFUSED), (0, FRESH, OPEN)])),               LEDGER),
        ("in full twice",                   sent(&[(0, FIRST, REFUSED), (0, FULL, REFUSED), (0, FULL, OPEN)]), LEDGER),
        ("refused before the first",        refusing(0, request(authorizing(0, FIRST), &[])),               LEDGER),
        ("shut by a refusal",               shut(0, request(authorizing(2, FAILOVER), &[(0, FIRST, REFUSED)])), Ok(())),
        ("shut without a send",             shut(2, request(authorizing(2, FAILOVER), &[(0, FIRST, REFUSED)])), LEDGER),
        ("shut by what is open",            shut(0, sent(&[(0, FIRST, OPEN)])),                             LEDGER),
    ];
    assert_cases(&cases);
}

#[test]
fn next_send_that_cannot_be_due_is_found() {
    const STATE: Result<(), RequestCorrupt> = Err(RequestCorrupt::State);
    let next =
        |profile, reason, sends: &[(u8, SendReason, Fate)]| request(authorizing(profile, reason), sends);
    let fresh = &[(0, FIRST, REFUSED), (0, FRESH, REFUSED)];
    let full = &[(0, FIRST, REFUSED), (0, FULL, REFUSED)];
    let elsewhere = &[(2, FIRST, REFUSED), (0, FAILOVER, REFUSED)];
    let first = |profile, generation| held(request(ready(profile, generation, FIRST), &[]));
    #[rustfmt::skip]
    let cases: [Case; 22] = [
        ("the first",                           next(0, FIRST, &[]),                                Ok(())),
        ("not the first, before any",           next(0, FAILOVER, &[]),                             STATE),
        ("where no credential is needed",       next(1, FIRST, &[]),                                STATE),
        ("where nobody is",                     next(3, FIRST, &[]),                                STATE),
        ("after one that is over",              next(2, FAILOVER, &[(0, FIRST, LOST)]),             Ok(())),
        ("beside an open one",                  next(2, FAILOVER, &[(0, FIRST, OPEN)]),             STATE),
        ("after the response",                  next(2, FAILOVER, &[(0, FIRST, WHOLE)]),            STATE),
        ("that does not follow",                next(2, AGAIN, &[(0, FIRST, LOST)]),                STATE),
        ("a newer token",                       refusing(0, next(0, FRESH, &fresh[..1])),           Ok(())),
        ("a second newer token",                refusing(0, next(0, FRESH, fresh)),                 STATE),
        ("a newer token for another's",         refusing(2, next(0, FRESH, elsewhere)),             STATE),
        ("in full",                             next(0, FULL, &full[..1]),                          Ok(())),
        ("in full again",                       next(0, FULL, full),                                STATE),
        ("in full although it continues",       continuing(0, next(0, FULL, &full[..1])),           STATE),
        ("held back",                           first(0, 1),                                        Ok(())),
        ("held back by nobody",                 request(ready(0, 1, FIRST), &[]),                   STATE),
        ("held back without a credential",      first(0, 0),                                        STATE),
        ("held back where none is needed",      first(1, 0),                                        Ok(())),
        ("with one where none is needed",       first(1, 1),                                        STATE),
        ("held back where nobody is",           first(3, 0),                                        STATE),
        ("held back, and not the first",        held(request(ready(0, 1, FAILOVER), &[])),          STATE),
        ("held back with a token for none refused",
            held(request(ready(0, 1, FRESH), &[(0, FIRST, REFUSED)])),                              STATE),
    ];
    assert_cases(&cases);
    let spent = Config { attempts_max: 1, ..Config::default() };
    assert_eq!(next(0, AGAIN, &[(0, FIRST, LOST)]).validate(&spent), STATE, "no send is left");
}

#[test]
fn state_that_does_not_follow_from_the_sends_is_found() {
    use RequestReason::{
        AttemptsExhausted, ContextTooLong, Credential, Interrupted, Invalid, Throttled, Unauthorized,
    };
    const STATE: Result<(), RequestCorrupt> = Err(RequestCorrupt::State);
    let one = |state, fate| request(state, &[(0, FIRST, fate)]);
    let leaves = |generation| RequestState::Stopping(Aim::Failover { generation: Generation(generation) });
    let cancelling = RequestState::Stopping(Aim::Cancel);
    let cancelled = RequestState::Ended(RequestEnd::Cancelled);
    #[rustfmt::skip]
    let cases: [Case; 31] = [
        ("a stream that is over",               one(streaming(1), LOST),                            STATE),
        ("a stream without a credential",       one(streaming(0), OPEN),                            STATE),
        ("output of nothing",                   one(RequestState::Delivering, LOST),                STATE),
        ("told to stop",                        one(cancelling, OPEN),                              Ok(())),
        ("told to stop what is over",           one(cancelling, LOST),                              STATE),
        ("told to stop and held",               held(one(cancelling, OPEN)),                        STATE),
        ("leaves",                              one(leaves(1), OPEN),                               Ok(())),
        ("leaves what is over",                 one(leaves(1), LOST),                               STATE),
        ("leaves without a credential",         one(leaves(0), OPEN),                               STATE),
        ("accepted",                            one(accepted(0), WHOLE),                            Ok(())),
        ("another one accepted",                one(accepted(1), WHOLE),                            STATE),
        ("accepted what was lost",              one(accepted(0), LOST),                             STATE),
        ("cancelled and held",                  held(one(cancelled, LOST)),                         STATE),
        ("failed with the response",            one(failed(Interrupted), WHOLE),                    STATE),
        ("broke off",                           one(failed(Interrupted), LOST),                     Ok(())),
        ("broke off before it was sent",        request(failed(Interrupted), &[]),                  STATE),
        ("exhausted with a send left",          one(failed(AttemptsExhausted), LOST),               STATE),
        ("no credential for the next",          one(failed(Credential), LOST),                      Ok(())),
        ("no credential for the first",         request(failed(Credential), &[]),                   Ok(())),
        ("refused with a newer token too",      refusing(0, one(failed(Unauthorized), REFUSED)),    Ok(())),
        ("refused, and it was lost",            refusing(0, one(failed(Unauthorized), LOST)),       STATE),
        ("refused with a token that is left",   one(failed(Unauthorized), REFUSED),                 STATE),
        ("refused where no token is needed",
            request(failed(Unauthorized), &[(1, FIRST, REFUSED)]),                                  Ok(())),
        ("too long",                            one(failed(ContextTooLong), REFUSED),               Ok(())),
        ("too long, and it was lost",           one(failed(ContextTooLong), LOST),                  STATE),
        ("invalid",                             one(failed(Invalid), REFUSED),                      Ok(())),
        ("invalid, and it was lost",            one(failed(Invalid), LOST),                         STATE),
        ("invalid, and it is open",             billed(one(failed(Invalid), OPEN)),                 STATE),
        ("too much patience",                   shut(0, one(failed(Throttled), REFUSED)),           Ok(())),
        ("too much, of one that is not shut",   one(failed(Throttled), REFUSED),                    STATE),
        ("too much, of one that was lost",      shut(0, one(failed(Throttled), LOST)),              STATE),
    ];
    assert_cases(&cases);
    let spent = Config { attempts_max: 1, ..Config::default() };
    assert_eq!(one(failed(AttemptsExhausted), LOST).validate(&spent), Ok(()));
    assert_eq!(one(failed(Credential), LOST).validate(&spent), STATE, "nobody asks for one any more");
    let never = Config { attempts_max: 0, ..Config::default() };
    assert_eq!(request(failed(AttemptsExhausted), &[]).validate(&never), STATE, "it was never sent");
}

#[test]
fn wait_that_nobody_owes_is_found() {
    use Passing::{Throttled, Transient};
    const STATE: Result<(), RequestCorrupt> = Err(RequestCorrupt::State);
    let next = |profile, reason, fate| request(authorizing(profile, reason), &[(0, FIRST, fate)]);
    #[rustfmt::skip]
    let cases: [Case; 7] = [
        ("it goes elsewhere",        owing(Transient, next(2, FAILOVER, LOST)),                                       Ok(())),
        ("it is held there",         owing(Transient, held(request(ready(2, 1, FAILOVER), &[(0, FIRST, LOST)]))),     Ok(())),
        ("a refusal asks for it",    owing(Throttled, next(2, FAILOVER, REFUSED)),                                    Ok(())),
        ("a loss asks for another",  owing(Throttled, next(2, FAILOVER, LOST)),                                       STATE),
        ("it goes to the same",      owing(Transient, next(0, AGAIN, LOST)),                                          STATE),
        ("it is the first",          owing(Transient, request(authorizing(0, FIRST), &[])),                           STATE),
        ("it is out",                owing(Transient, request(streaming(1), &[(0, FIRST, LOST), (0, AGAIN, OPEN)])),  STATE),
    ];
    assert_cases(&cases);
}

#[test]
fn sends_have_to_be_paid_unless_they_were_refused_and_nobody_billed_them() {
    let line = |fate, charged| SendRecord { profile: ProfileId(0), reason: FIRST, fate, charged };
    let lines = vec![line(REFUSED, false), line(REFUSED, true), line(LOST, false), line(WHOLE, true)];
    let ledger = Ledger::try_from(lines).expect("they are few");
    let payable: Vec<Attempt> = ledger.payable().map(|(attempt, _)| attempt).collect();
    assert_eq!(payable, [1, 2, 3].map(Attempt));
}
