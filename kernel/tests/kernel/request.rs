//! One request to a model: stories, and what is refused.

use downbeat_kernel::RequestCorrupt::{Ledger, Profiles as List, State};
use downbeat_kernel::{
    Aim, Attempt, Config, Conversation, Fate, Generation, Ignored, Input, Outcome, Passing, Previous,
    ProfileId, Profiles, Request, RequestEffect, RequestEnd, RequestEvent, RequestReason, RequestRejected,
    RequestState, RequestTimer, SENDS_MAX, SendFailure, SendReason, SendRecord, TurnNumber,
};

/// A request after these events, all of which it applies, and the effects of the last one.
#[track_caller]
fn after(events: &[RequestEvent]) -> (Request, Vec<RequestEffect>) {
    let (mut request, mut effects) = (Request::default(), Vec::new());
    for event in events {
        effects.clear();
        let outcome = request.step(*event, &Config::default(), &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?} at {request:?}");
        assert_eq!(request.validate(&Config::default()), Ok(()), "{event:?}");
    }
    (request, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(request: &Request, event: RequestEvent) -> Outcome<RequestRejected> {
    let (mut same, mut effects) = (*request, Vec::new());
    let outcome = same.step(event, &Config::default(), &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (request, Vec::new()), "{event:?}");
    outcome
}

/// A response to turn 1, at the first profile.
const PREVIOUS: Previous = Previous { turn: TurnNumber(1), attempt: Attempt(0), profile: ProfileId(0) };

/// Begins with two profiles and something to continue from.
const BEGAN: RequestEvent =
    RequestEvent::Began { profiles: Profiles { count: 2, down: 0, keyed: 0 }, previous: Some(PREVIOUS) };

fn given(attempt: u16, generation: u32) -> RequestEvent {
    RequestEvent::CredentialGiven { attempt: Attempt(attempt), generation: Generation(generation) }
}

fn delivered(attempt: u16) -> RequestEvent {
    RequestEvent::OutputDelivered { attempt: Attempt(attempt) }
}

fn answered(attempt: u16) -> RequestEvent {
    RequestEvent::ResponseEnded { attempt: Attempt(attempt) }
}

fn failed(attempt: u16, failure: SendFailure) -> RequestEvent {
    RequestEvent::SendFailed { attempt: Attempt(attempt), failure, jitter_ms: 0 }
}

fn stopped(attempt: u16) -> RequestEvent {
    RequestEvent::Stopped { attempt: Attempt(attempt) }
}

fn usage(attempt: u16) -> RequestEvent {
    RequestEvent::UsageReported { attempt: Attempt(attempt) }
}

fn down(profile: u8) -> RequestEvent {
    RequestEvent::ProfileDown { profile: ProfileId(profile) }
}

fn up(profile: u8) -> RequestEvent {
    RequestEvent::ProfileUp { profile: ProfileId(profile) }
}

fn backoff(attempt: u16) -> RequestTimer {
    RequestTimer::Backoff(Attempt(attempt))
}

fn grace(attempt: u16) -> RequestTimer {
    RequestTimer::Grace(Attempt(attempt))
}

fn fired(timer: RequestTimer) -> RequestEvent {
    RequestEvent::TimerFired { timer }
}

fn get(attempt: u16, profile: u8, newer_than: u32) -> RequestEffect {
    let (attempt, profile) = (Attempt(attempt), ProfileId(profile));
    RequestEffect::GetCredential { attempt, profile, newer_than: Generation(newer_than) }
}

fn send(attempt: u16, profile: u8, generation: u32, input: Input, reason: SendReason) -> RequestEffect {
    let (attempt, profile) = (Attempt(attempt), ProfileId(profile));
    RequestEffect::Send { attempt, profile, generation: Generation(generation), input, reason }
}

fn stop(attempt: u16) -> RequestEffect {
    RequestEffect::Stop { attempt: Attempt(attempt) }
}

fn fence(attempt: u16) -> RequestEffect {
    RequestEffect::Fence { attempt: Attempt(attempt) }
}

fn charge(attempt: u16, profile: u8) -> RequestEffect {
    RequestEffect::Charge { attempt: Attempt(attempt), profile: ProfileId(profile) }
}

fn arm(timer: RequestTimer, after_ms: u64) -> RequestEffect {
    RequestEffect::Arm { timer, after_ms }
}

fn disarm(timer: RequestTimer) -> RequestEffect {
    RequestEffect::Disarm { timer }
}

fn ended(end: RequestEnd) -> RequestEffect {
    RequestEffect::Ended { end }
}

fn accepted(attempt: u16) -> RequestEffect {
    ended(RequestEnd::Accepted { attempt: Attempt(attempt) })
}

fn fail(reason: RequestReason) -> RequestEffect {
    ended(RequestEnd::Failed(reason))
}

fn line(profile: u8, reason: SendReason, fate: Fate) -> SendRecord {
    SendRecord { profile: ProfileId(profile), reason, fate, charged: false }
}

const CANCEL: RequestEvent = RequestEvent::CancelRequested;
const CANCELLED: RequestEffect = RequestEffect::Ended { end: RequestEnd::Cancelled };
const CONTINUED: Input = Input::Continue(PREVIOUS);
const TRANSIENT: SendReason = SendReason::Retry(Passing::Transient);
const GRACE_MS: u64 = 10_000;

/// The events up to an open first send, and more.
fn streaming(more: &[RequestEvent]) -> Vec<RequestEvent> {
    [&[BEGAN, given(0, 7)], more].concat()
}

/// The same, with a failover under way.
fn leaving(more: &[RequestEvent]) -> Vec<RequestEvent> {
    streaming(&[&[down(0)], more].concat())
}

#[test]
fn one_send_is_answered_and_charged_to_where_it_went() {
    #[rustfmt::skip]
    let story: [(RequestEvent, &[RequestEffect]); 6] = [
        (BEGAN,        &[get(0, 0, 0)]),
        (given(0, 7),  &[send(0, 0, 7, CONTINUED, SendReason::First)]),
        (delivered(0), &[]),
        (down(0),      &[]),
        (answered(0),  &[accepted(0)]),
        (usage(0),     &[charge(0, 0)]),
    ];
    let mut events = Vec::new();
    for (event, expected) in story {
        events.push(event);
        assert_eq!(after(&events).1, expected, "{event:?}");
    }
    let line = SendRecord { charged: true, ..line(0, SendReason::First, Fate::Whole) };
    assert_eq!(after(&events).0.ledger.sends(), [line]);
}

#[test]
fn each_class_of_failures_has_its_own_next_step() {
    let asked = SendFailure::Throttled { retry_after_ms: Some(20_000) };
    #[rustfmt::skip]
    let cases = [
        (asked,                                           arm(backoff(1), 21_000)),
        (SendFailure::Throttled { retry_after_ms: None }, arm(backoff(1), 5_000)),
        (SendFailure::Unauthorized,                       get(1, 0, 7)),
        (SendFailure::ContinuityLost,                     get(1, 0, 0)),
        (SendFailure::ContextTooLong,                     fail(RequestReason::ContextTooLong)),
        (SendFailure::Transient,                          arm(backoff(1), 5_000)),
        (SendFailure::Interrupted,                        arm(backoff(1), 5_000)),
        (SendFailure::Invalid,                            fail(RequestReason::Invalid)),
    ];
    for (failure, expected) in cases {
        assert_eq!(after(&streaming(&[failed(0, failure)])).1, [expected], "{failure:?}");
        let late = after(&streaming(&[delivered(0), failed(0, failure)]));
        assert_eq!(late.1, [fail(RequestReason::Interrupted)], "S18: {failure:?} after output");
    }
}

#[test]
fn provider_that_asks_for_too_much_patience_is_left() {
    let day = SendFailure::Throttled { retry_after_ms: Some(86_400_000) };
    let hour = SendFailure::Throttled { retry_after_ms: Some(3_600_000) };
    let throttled = fail(RequestReason::Throttled);
    let elsewhere = [failed(0, day), given(1, 3)];
    let retried = [&elsewhere[..], &[failed(1, SendFailure::Transient)]].concat();
    let back = [&elsewhere[..], &[up(0), failed(1, SendFailure::Transient)]].concat();
    let down_and_up = [&elsewhere[..], &[down(0), up(0), failed(1, SendFailure::Transient)]].concat();
    #[rustfmt::skip]
    let cases: [(&str, Vec<RequestEvent>, RequestEffect); 8] = [
        ("an hour is waited for",            vec![failed(0, hour)],                            arm(backoff(1), 3_601_000)),
        ("a day is not",                     vec![failed(0, day)],                             get(1, 1, 0)),
        ("the other one asks for it too",    [&elsewhere[..], &[failed(1, day)]].concat(),     throttled),
        ("the other one is down",            vec![down(1), failed(0, day)],                    throttled),
        ("nobody comes back to it",          retried,                                          arm(backoff(2), 5_000)),
        ("until it is said to be up",        back,                                             get(2, 0, 0)),
        ("down and up again is up",          down_and_up,                                      get(2, 0, 0)),
        ("what was given up asks for it",    vec![down(0), failed(0, day)],                    get(1, 1, 0)),
    ];
    for (name, events, expected) in cases {
        assert_eq!(after(&streaming(&events)).1.last(), Some(&expected), "{name}");
    }
}

#[test]
fn first_wait_is_the_shortest_whatever_was_sent_before() {
    let lost = [
        failed(0, SendFailure::ContinuityLost),
        given(1, 7),
        failed(1, SendFailure::Unauthorized),
        given(2, 8),
    ];
    let first = [&lost[..], &[failed(2, SendFailure::Transient)]].concat();
    assert_eq!(after(&streaming(&first)).1, [arm(backoff(3), 5_000)]);
    let second = [&first[..], &[fired(backoff(3)), given(3, 8), failed(3, SendFailure::Transient)]].concat();
    assert_eq!(after(&streaming(&second)).1, [arm(backoff(4), 10_000)]);
}

#[test]
fn stream_that_is_shed_before_any_output_waits_as_long_as_was_named_and_is_paid() {
    let asked = SendFailure::Throttled { retry_after_ms: Some(20_000) };
    let (request, effects) = after(&streaming(&[usage(0), failed(0, asked)]));
    assert_eq!(effects, [arm(backoff(1), 21_000)]);
    let line = SendRecord { charged: true, ..line(0, SendReason::First, Fate::Lost) };
    assert_eq!(request.ledger.sends(), [line]);
    let again = after(&streaming(&[usage(0), failed(0, asked), fired(backoff(1)), given(1, 7)])).1;
    assert_eq!(again, [send(1, 0, 7, CONTINUED, SendReason::Retry(Passing::Throttled))]);
}

#[test]
fn refused_token_is_replaced_once_whatever_comes_between() {
    let once = [failed(0, SendFailure::Unauthorized), given(1, 8)];
    let (request, effects) = after(&streaming(&once));
    assert_eq!(effects, [send(1, 0, 8, CONTINUED, SendReason::FreshToken)]);
    assert_eq!(request.ledger.sends()[0].fate, Fate::Refused);

    let unauthorized = fail(RequestReason::Unauthorized);
    let again = [&once[..], &[failed(1, SendFailure::Unauthorized)]].concat();
    assert_eq!(after(&streaming(&again)).1, [unauthorized], "S17");

    let between = [&once[..], &[failed(1, SendFailure::Transient), fired(backoff(2))]].concat();
    assert_eq!(after(&streaming(&between)).1, [get(2, 0, 7)], "the old one will not do any more");
    let again = [&between[..], &[given(2, 9), failed(2, SendFailure::Unauthorized)]].concat();
    assert_eq!(after(&streaming(&again)).1, [unauthorized], "S17: a third one is no news");

    let elsewhere = [&once[..], &[down(0), stopped(1)]].concat();
    let expected = [disarm(grace(1)), get(2, 1, 0)];
    assert_eq!(after(&streaming(&elsewhere)).1, expected, "another profile has another credential");
    let stale = [&elsewhere[..], &[given(2, 3), failed(2, SendFailure::Unauthorized)]].concat();
    assert_eq!(after(&streaming(&stale)).1, [get(3, 1, 3)], "and that may be stale too");
    let again = [&stale[..], &[given(3, 4), failed(3, SendFailure::Unauthorized)]].concat();
    assert_eq!(after(&streaming(&again)).1, [unauthorized], "S17: once for each profile");
    let back =
        [&elsewhere[..], &[given(2, 3), up(0), failed(2, SendFailure::Unauthorized), given(3, 9)]].concat();
    let expected = send(3, 0, 9, CONTINUED, SendReason::Failover);
    assert_eq!(after(&streaming(&back)).1, [expected], "what one refused was not what the other did");
}

#[test]
fn send_goes_to_the_best_place_at_the_time_that_it_goes_out() {
    let first = |profile, generation| send(0, profile, generation, Input::Full, SendReason::First);
    let began = |keyed| {
        let profiles = Profiles { count: 2, down: 0, keyed };
        RequestEvent::Began { profiles, previous: None }
    };
    let again = |profile, reason| send(1, profile, 3, Input::Full, reason);
    let hold = RequestEvent::PauseRequested;
    let patience = SendFailure::Throttled { retry_after_ms: Some(9_000) };
    #[rustfmt::skip]
    let cases: [(&str, Vec<RequestEvent>, Vec<RequestEffect>); 10] = [
        ("down meanwhile",                 vec![began(0), down(0), given(0, 7)],                        vec![get(0, 1, 0)]),
        ("and the other one has its own",  vec![began(0), down(0), given(0, 7), given(0, 3)],           vec![first(1, 3)]),
        ("the other one has a key",        vec![began(2), down(0), given(0, 7)],                        vec![first(1, 0)]),
        ("which a person holds",           vec![began(2), hold, down(0), given(0, 7)],                  vec![]),
        ("both are down",                  vec![began(0), down(0), given(0, 7), down(1), given(0, 3)],  vec![first(1, 3)]),
        ("down before it has stopped",     leaving_full(&[stopped(0), given(1, 3)]),                    vec![again(1, SendReason::Failover)]),
        ("up before it has stopped",       leaving_full(&[up(0), stopped(0), given(1, 3)]),             vec![again(0, SendReason::Returned)]),
        ("up before the credential came",  leaving_full(&[stopped(0), up(0), given(1, 2)]),             vec![get(1, 0, 0)]),
        ("which it is to wait for",        leaving_full(&[stopped(0), given(1, 3), up(0), failed(1, patience), down(0), given(2, 9)]), vec![arm(backoff(2), 10_000)]),
        ("which has another credential",   leaving_full(&[stopped(0), up(0), given(1, 2), given(1, 3)]), vec![again(0, SendReason::Returned)]),
    ];
    for (name, events, expected) in cases {
        assert_eq!(after(&events).1, expected, "{name}");
    }
}

/// A failover under way of what has nothing to continue from.
fn leaving_full(more: &[RequestEvent]) -> Vec<RequestEvent> {
    let began = RequestEvent::Began { profiles: Profiles { count: 2, down: 0, keyed: 0 }, previous: None };
    [&[began, given(0, 7), down(0)], more].concat()
}

#[test]
fn lost_continuity_leads_to_the_full_input_once() {
    let lost = [failed(0, SendFailure::ContinuityLost), given(1, 7)];
    assert_eq!(after(&streaming(&lost)).1, [send(1, 0, 7, Input::Full, SendReason::FullInput)]);
    let again = [&lost[..], &[failed(1, SendFailure::ContinuityLost)]].concat();
    assert_eq!(after(&streaming(&again)).1, [fail(RequestReason::Invalid)]);
    let retried = [&lost[..], &[failed(1, SendFailure::Transient), fired(backoff(2)), given(2, 7)]].concat();
    assert_eq!(after(&streaming(&retried)).1, [send(2, 0, 7, Input::Full, TRANSIENT)]);

    let elsewhere = after(&leaving(&[stopped(0), given(1, 3)])).1;
    assert_eq!(elsewhere, [send(1, 1, 3, Input::Full, SendReason::Failover)], "only its profile knows it");
    let back = [stopped(0), given(1, 3), up(0), failed(1, SendFailure::Transient), given(2, 7)];
    assert_eq!(after(&leaving(&back)).1, [send(2, 0, 7, CONTINUED, SendReason::Failover)]);
}

#[test]
fn failover_waits_until_the_old_stream_is_closed() {
    assert_eq!(after(&leaving(&[])).1, [stop(0), arm(grace(0), GRACE_MS)]);
    #[rustfmt::skip]
    let cases: [(&str, RequestEvent, &[RequestEffect], Fate); 6] = [
        ("it has stopped",      stopped(0),                             &[disarm(grace(0)), get(1, 1, 0)], Fate::Lost),
        ("it has broken off",   failed(0, SendFailure::Interrupted),    &[disarm(grace(0)), get(1, 1, 0)], Fate::Lost),
        ("it was refused",      failed(0, SendFailure::Unauthorized),   &[disarm(grace(0)), get(1, 1, 0)], Fate::Refused),
        ("it was no use",       failed(0, SendFailure::Invalid),        &[disarm(grace(0)), fail(RequestReason::Invalid)], Fate::Refused),
        ("it does not stop",    fired(grace(0)),                        &[fence(0), get(1, 1, 0)],         Fate::Lost),
        ("it was faster",       answered(0),                            &[disarm(grace(0)), accepted(0)],  Fate::Whole),
    ];
    for (name, event, expected, fate) in cases {
        let (request, effects) = after(&leaving(&[event]));
        assert_eq!(effects, expected, "{name}");
        assert_eq!(request.ledger.sends(), [line(0, SendReason::First, fate)], "{name}");
    }
    let (request, _) = after(&leaving(&[]));
    assert_eq!(refused(&request, delivered(0)), Outcome::Ignored(Ignored::Stale), "S18: it is held back");
}

#[test]
fn stream_is_given_up_only_for_a_better_place() {
    let nothing: [(&str, Vec<RequestEvent>); 4] = [
        ("the other one is down too", streaming(&[down(1), down(0)])),
        ("another profile goes down", streaming(&[down(1)])),
        ("output has gone out", streaming(&[delivered(0), down(0)])),
        ("a credential is waited for", vec![BEGAN, down(0)]),
    ];
    for (name, events) in nothing {
        assert_eq!(after(&events).1, [], "{name}");
    }
    let alone = RequestEvent::Began { profiles: Profiles { count: 1, down: 0, keyed: 0 }, previous: None };
    assert_eq!(after(&[alone, given(0, 7), down(0)]).1, [], "there is no other");

    let noticed = streaming(&[down(1), down(0), up(1), failed(0, SendFailure::Transient)]);
    assert_eq!(after(&noticed).1, [get(1, 1, 0)], "no wait where the next send goes elsewhere");
    let late = streaming(&[failed(0, SendFailure::Transient), down(0), fired(backoff(1))]);
    assert_eq!(after(&late).1, [get(1, 1, 0)], "noticed late, it is looked at after the wait");
    let all_down =
        RequestEvent::Began { profiles: Profiles { count: 2, down: 3, keyed: 0 }, previous: Some(PREVIOUS) };
    assert_eq!(after(&[all_down]).1, [get(0, 0, 0)], "nobody waits for a profile");
    let first_down =
        RequestEvent::Began { profiles: Profiles { count: 2, down: 1, keyed: 0 }, previous: None };
    assert_eq!(after(&[first_down]).1, [get(0, 1, 0)]);
}

#[test]
fn request_comes_back_after_the_wait_that_it_left_behind() {
    let busy = failed(0, SendFailure::Throttled { retry_after_ms: Some(20_000) });
    let left = streaming(&[down(0), busy, up(0)]);
    assert_eq!(after(&left).1, [], "the other one's credential is on its way");
    assert_eq!(after(&[&left[..], &[given(1, 1)]].concat()).1, [arm(backoff(1), 21_000)]);
    let none = RequestEvent::CredentialFailed { attempt: Attempt(1) };
    assert_eq!(after(&[&left[..], &[none]].concat()).1, [arm(backoff(1), 21_000)], "nor is there one");
}

#[test]
fn send_that_was_given_up_waits_where_nobody_is_left() {
    let all_down = streaming(&[down(0), down(1), RequestEvent::Stopped { attempt: Attempt(0) }]);
    assert_eq!(after(&all_down).1.last(), Some(&arm(backoff(1), 5_000)));
    let up_again = [&all_down[..], &[up(1), fired(backoff(1))]].concat();
    assert_eq!(after(&up_again).1, [get(1, 1, 0)], "then it looks for the best place");
}

#[test]
fn credential_that_cannot_be_had_is_the_end_unless_there_is_a_better_place() {
    let none = RequestEvent::CredentialFailed { attempt: Attempt(0) };
    #[rustfmt::skip]
    let cases: [(&str, Vec<RequestEvent>, RequestEffect); 3] = [
        ("its profile is up",   vec![BEGAN, none],                   fail(RequestReason::Credential)),
        ("its profile is down", vec![BEGAN, down(0), none],          get(0, 1, 0)),
        ("nobody else is up",   vec![BEGAN, down(0), down(1), none], fail(RequestReason::Credential)),
    ];
    for (name, events, expected) in cases {
        assert_eq!(after(&events).1.last(), Some(&expected), "{name}");
    }
}

#[test]
fn held_request_sends_nothing_and_goes_on_at_resume() {
    use RequestEvent::{PauseRequested, ResumeRequested};
    let first = |generation| send(0, 0, generation, Input::Continue(PREVIOUS), SendReason::First);
    let again = send(1, 0, 1, Input::Continue(PREVIOUS), SendReason::Retry(Passing::Transient));
    let full = send(1, 0, 1, Input::Full, SendReason::FullInput);
    let retry = [failed(0, SendFailure::Transient), fired(backoff(1)), given(1, 1)];
    let lost = [failed(0, SendFailure::ContinuityLost), given(1, 1)];
    #[rustfmt::skip]
    let cases: [(&str, Vec<RequestEvent>, Vec<RequestEffect>); 5] = [
        ("before the first send", vec![BEGAN, PauseRequested, given(0, 1)], vec![first(1)]),
        ("before another try",    streaming(&[&[PauseRequested], &retry[..]].concat()), vec![again]),
        ("before the full input", streaming(&[&[PauseRequested], &lost[..]].concat()), vec![full]),
        ("while one is open",     streaming(&[PauseRequested]), vec![]),
        ("while one is missing",  vec![BEGAN, PauseRequested], vec![]),
    ];
    for (name, events, expected) in cases {
        let (mut request, mut effects) = (after(&events).0, Vec::new());
        let outcome = request.step(ResumeRequested, &Config::default(), &mut |effect| effects.push(effect));
        assert_eq!((outcome, effects), (Outcome::Applied, expected), "{name}");
    }
    let ready = after(&[BEGAN, PauseRequested, given(0, 1)]).0;
    for event in [PauseRequested, given(0, 2), RequestEvent::CredentialFailed { attempt: Attempt(0) }] {
        assert_eq!(refused(&ready, event), Outcome::Ignored(Ignored::Duplicate), "{event:?}");
    }
    let cancelled = after(&[BEGAN, PauseRequested, given(0, 1), RequestEvent::CancelRequested]);
    assert_eq!(cancelled.1.last(), Some(&ended(RequestEnd::Cancelled)));
}

#[test]
fn key_that_does_not_change_is_not_asked_for_and_not_tried_twice() {
    let profiles = Profiles { count: 2, down: 0, keyed: 1 };
    let began = RequestEvent::Began { profiles, previous: None };
    let first = send(0, 0, 0, Input::Full, SendReason::First);
    assert_eq!(after(&[began]).1, vec![first]);
    let refused = failed(0, SendFailure::Unauthorized);
    assert_eq!(after(&[began, refused]).1, vec![fail(RequestReason::Unauthorized)]);
    // The other profile has a credential.
    assert_eq!(after(&[began, down(0), stopped(0)]).1.last(), Some(&get(1, 1, 0)));
}

#[test]
fn cancel_ends_what_waits_and_waits_for_what_is_open() {
    let cases: [(&str, Vec<RequestEvent>, Vec<RequestEffect>); 6] = [
        ("not begun", vec![], vec![CANCELLED]),
        ("authorizing", vec![BEGAN], vec![CANCELLED]),
        ("backing off", streaming(&[failed(0, SendFailure::Transient)]), vec![disarm(backoff(1)), CANCELLED]),
        ("streaming", streaming(&[]), vec![stop(0), arm(grace(0), GRACE_MS)]),
        ("delivering", streaming(&[delivered(0)]), vec![stop(0), arm(grace(0), GRACE_MS)]),
        ("stopping already", leaving(&[]), vec![]),
    ];
    for (name, before, expected) in cases {
        assert_eq!(after(&[&before[..], &[CANCEL]].concat()).1, expected, "{name}");
    }
    #[rustfmt::skip]
    let ends = [
        ("stopped",   stopped(0),                           [disarm(grace(0)), CANCELLED]),
        ("failed",    failed(0, SendFailure::Transient),    [disarm(grace(0)), CANCELLED]),
        ("too late",  answered(0),                          [disarm(grace(0)), CANCELLED]),
        ("never",     fired(grace(0)),                      [fence(0), CANCELLED]),
    ];
    for (name, event, expected) in ends {
        for before in [streaming(&[CANCEL]), leaving(&[CANCEL])] {
            assert_eq!(after(&[&before[..], &[event]].concat()).1, expected, "{name} after {before:?}");
        }
    }
}

#[test]
fn nothing_moves_an_ended_request_and_bills_are_taken() {
    let ended = [
        streaming(&[answered(0)]),
        streaming(&[failed(0, SendFailure::Invalid)]),
        streaming(&[CANCEL, stopped(0)]),
    ];
    let terminal = Outcome::Ignored(Ignored::Terminal);
    for events in ended {
        let (request, _) = after(&events);
        let late = [
            BEGAN,
            given(1, 8),
            delivered(0),
            answered(0),
            failed(0, SendFailure::Transient),
            stopped(0),
            down(0),
            CANCEL,
            fired(backoff(1)),
            fired(grace(0)),
        ];
        for event in late {
            assert_eq!(refused(&request, event), terminal, "{event:?} in {:?}", request.state);
        }
        let (request, effects) = after(&[&events[..], &[usage(0)]].concat());
        assert_eq!(effects, [charge(0, 0)]);
        assert_eq!(refused(&request, usage(0)), Outcome::Ignored(Ignored::Duplicate));
    }
}

#[test]
fn nothing_of_an_old_send_touches_a_newer_one() {
    let (request, _) = after(&leaving(&[fired(grace(0)), given(1, 3)]));
    let late = [
        given(0, 8),
        delivered(0),
        answered(0),
        failed(0, SendFailure::Transient),
        stopped(0),
        fired(grace(0)),
        fired(backoff(0)),
    ];
    for event in late {
        assert_eq!(refused(&request, event), Outcome::Ignored(Ignored::Stale), "S1: {event:?}");
    }
    let (_, effects) = after(&leaving(&[fired(grace(0)), given(1, 3), usage(0)]));
    assert_eq!(effects, [charge(0, 0)], "who was closed by force is paid all the same");
}

#[test]
fn mistakes_are_refused_by_name() {
    let never = |state, event| (event, Outcome::Rejected(RequestRejected::NeverAsked { state, event }));
    let unknown = RequestRejected::UnknownProfile { count: 2, got: ProfileId(2) };
    let (request, _) = after(&streaming(&[]));
    let state = RequestState::Streaming { generation: Generation(7) };
    let cases = [
        (BEGAN, Outcome::Ignored(Ignored::Duplicate)),
        (up(0), Outcome::Ignored(Ignored::Duplicate)),
        (down(2), Outcome::Rejected(unknown)),
        never(state, given(1, 8)),
        never(state, answered(1)),
        never(state, stopped(0)),
        never(state, fired(grace(0))),
        never(state, fired(backoff(1))),
        never(state, usage(1)),
    ];
    for (event, outcome) in cases {
        assert_eq!(refused(&request, event), outcome, "{event:?}");
    }
    let old = |refused, got| {
        let (refused, got) = (Generation(refused), Generation(got));
        Outcome::Rejected(RequestRejected::OldCredential { refused, got })
    };
    let (asking, _) = after(&streaming(&[failed(0, SendFailure::Unauthorized)]));
    assert_eq!(refused(&asking, given(1, 7)), old(7, 7), "S17");
    assert_eq!(refused(&after(&[BEGAN]).0, given(0, 0)), old(0, 0), "0 is no generation");
    for (count, down, previous) in [(0, 0, None), (9, 0, None), (2, 4, None), (1, 0, Some(1))] {
        let got = Profiles { count, down, keyed: 0 };
        let previous = previous.map(|profile| Previous { profile: ProfileId(profile), ..PREVIOUS });
        let event = RequestEvent::Began { profiles: got, previous };
        let outcome = Outcome::Rejected(RequestRejected::Profiles { got });
        assert_eq!(refused(&Request::default(), event), outcome, "{event:?}");
    }
}

#[test]
fn sends_of_every_kind_come_out_of_one_budget() {
    for (attempts_max, expected) in [(0, 1), (1, 1), (3, 3), (100, SENDS_MAX)] {
        let config = Config { attempts_max, ..Config::default() };
        let (mut request, mut sends) = (Request::default(), 0);
        let mut take = |event: RequestEvent| {
            let mut count = |effect| sends += usize::from(matches!(effect, RequestEffect::Send { .. }));
            let _ = request.step(event, &config, &mut count);
        };
        take(BEGAN);
        let failures = [SendFailure::Unauthorized, SendFailure::ContinuityLost, SendFailure::Transient];
        for attempt in 0..200 {
            take(given(attempt, 10 + u32::from(attempt)));
            take(failed(attempt, failures[usize::from(attempt).min(2)]));
            take(fired(backoff(attempt + 1)));
        }
        assert_eq!(sends, expected, "S2: {attempts_max}");
        let exhausted = RequestState::Ended(RequestEnd::Failed(RequestReason::AttemptsExhausted));
        assert_eq!((request.state, request.validate(&config)), (exhausted, Ok(())), "{attempts_max}");
    }
}

#[test]
fn resync_repeats_what_is_outstanding_and_sends_nothing() {
    let recover = |attempt| RequestEffect::Recover { attempt: Attempt(attempt) };
    let wait = SendFailure::Throttled { retry_after_ms: Some(20_000) };
    #[rustfmt::skip]
    let cases: [(&str, Vec<RequestEvent>, Vec<RequestEffect>); 8] = [
        ("not begun",      vec![],                                               vec![]),
        ("authorizing",    vec![BEGAN],                                          vec![get(0, 0, 0)]),
        ("a newer token",  streaming(&[failed(0, SendFailure::Unauthorized)]),   vec![get(1, 0, 7)]),
        ("streaming",      streaming(&[]),                                       vec![recover(0)]),
        ("delivering",     streaming(&[delivered(0)]),                           vec![recover(0)]),
        ("backing off",    streaming(&[failed(0, wait)]),                        vec![arm(backoff(1), 21_000)]),
        ("stopping",       leaving(&[]),                                         vec![stop(0), arm(grace(0), GRACE_MS)]),
        ("ended",          streaming(&[answered(0)]),                            vec![]),
    ];
    for (name, events, expected) in cases {
        let mut effects = Vec::new();
        after(&events).0.resync(&Config::default(), &mut |effect| effects.push(effect));
        assert_eq!(effects, expected, "{name}");
    }
}

#[test]
fn ledger_says_what_may_have_to_be_paid() {
    let (request, _) = after(&streaming(&[
        failed(0, SendFailure::Throttled { retry_after_ms: None }),
        fired(backoff(1)),
        given(1, 7),
        failed(1, SendFailure::Transient),
        fired(backoff(2)),
        given(2, 7),
        down(0),
        fired(grace(2)),
        given(3, 1),
        answered(3),
    ]));
    let expected = [
        line(0, SendReason::First, Fate::Refused),
        line(0, SendReason::Retry(Passing::Throttled), Fate::Lost),
        line(0, TRANSIENT, Fate::Lost),
        line(1, SendReason::Failover, Fate::Whole),
    ];
    assert_eq!(request.ledger.sends(), expected);
    let payable: Vec<_> = request.ledger.payable().map(|(attempt, _)| attempt).collect();
    assert_eq!(payable, [Attempt(1), Attempt(2), Attempt(3)]);
}

#[test]
fn two_turns_never_continue_from_one_response() {
    let mut conversation = Conversation::default();
    let config = Config::default();
    assert_eq!(conversation.claim(&config), None, "there was no turn");
    let elsewhere = leaving(&[stopped(0), given(1, 3), answered(1)]);
    conversation.turn_ended(TurnNumber(2), &after(&elsewhere).0);
    let response = Previous { turn: TurnNumber(2), attempt: Attempt(1), profile: ProfileId(1) };
    assert_eq!(conversation.claim(&config), Some(response));
    assert_eq!(conversation.claim(&config), None, "it is claimed");
    for unanswered in [streaming(&[failed(0, SendFailure::Invalid)]), streaming(&[CANCEL, answered(0)])] {
        conversation.turn_ended(TurnNumber(3), &after(&unanswered).0);
        assert_eq!(conversation.claim(&config), None, "it does not come back");
    }
}

#[test]
fn snapshot_is_read_as_it_was_written() {
    for events in [streaming(&[failed(0, SendFailure::Transient)]), leaving(&[CANCEL]), vec![]] {
        let (request, _) = after(&events);
        let text = serde_json::to_string(&request).expect("a request is written");
        assert_eq!(serde_json::from_str::<Request>(&text).expect("and read"), request);
    }
}

#[test]
fn damage_is_named() {
    let (open, _) = after(&streaming(&[]));
    let (fresh, _) = after(&streaming(&[failed(0, SendFailure::Unauthorized)]));
    let (fresh_sent, _) = after(&streaming(&[failed(0, SendFailure::Unauthorized), given(1, 8)]));
    let (waits, _) = after(&streaming(&[failed(0, SendFailure::Transient)]));
    let (full, _) = after(&streaming(&[failed(0, SendFailure::ContinuityLost)]));
    let (begun, _) = after(&[BEGAN]);
    let (leaves, _) = after(&leaving(&[]));
    let authorizing = |profile, reason| RequestState::Authorizing { profile: ProfileId(profile), reason };
    let in_state = |request: &Request, state| Request { state, ..*request };
    let with_end = |request: &Request, end| in_state(request, RequestState::Ended(end));
    let unbegun = in_state(&open, RequestState::Unbegun);
    let strange = Profiles { count: 0, down: 0, keyed: 0 };
    let exhausted = RequestEnd::Failed(RequestReason::AttemptsExhausted);
    let accepted = RequestEnd::Accepted { attempt: Attempt(0) };
    let retry = SendReason::Retry(Passing::Throttled);
    #[rustfmt::skip]
    let cases = [
        ("not begun, and sent",           unbegun,                                                   List),
        ("no profiles",                   Request { profiles: strange, ..open },                     List),
        ("not begun, and failed",         with_end(&Request::default(), exhausted),                  List),
        ("a profile that is not there",   in_state(&begun, authorizing(2, SendReason::First)),       State),
        ("a first send again",            in_state(&waits, authorizing(0, SendReason::First)),       State),
        ("not what has failed",           in_state(&waits, authorizing(0, retry)),                   State),
        ("a token that nobody refused",   in_state(&full, authorizing(0, SendReason::FreshToken)),   State),
        ("continuity that is not lost",   in_state(&fresh, authorizing(0, SendReason::FullInput)),   State),
        ("open and over",                 in_state(&waits, RequestState::Delivering),                State),
        ("over and open",                 in_state(&open, waits.state),                              State),
        ("a wait for nothing",            in_state(&begun, waits.state),                             State),
        ("accepted without a response",   with_end(&waits, accepted),                                State),
        ("ended with an open stream",     with_end(&open, RequestEnd::Cancelled),                    State),
        ("spent too early",               with_end(&waits, exhausted),                               State),
        ("stopped for nothing",           in_state(&waits, leaves.state),                            State),
        ("sent with what was refused",    in_state(&fresh_sent, open.state),                         State),
        ("a failover to where it was",    in_state(&waits, authorizing(0, SendReason::Failover)),    State),
        ("a return to elsewhere",         in_state(&waits, authorizing(1, SendReason::Returned)),    State),
        ("a patience without a send",     Request { shut: 1, ..begun },                              Ledger),
        ("a wait for one that is shut",   Request { shut: 1, ..waits },                              State),
        ("throttled, and not for long",   with_end(&waits, RequestEnd::Failed(RequestReason::Throttled)), State),
        ("refused without a send",        Request { refused: fresh.refused, ..begun },               Ledger),
    ];
    for (name, damaged, corrupt) in cases {
        assert_eq!(damaged.validate(&Config::default()), Err(corrupt), "{name}: {damaged:?}");
    }
    let config = Config { attempts_max: 1, ..Config::default() };
    let twice = after(&streaming(&[failed(0, SendFailure::ContinuityLost), given(1, 7)])).0;
    assert_eq!(twice.validate(&config), Err(Ledger), "more sends than there are");
    let lost = Request { previous: Some(PREVIOUS), ..twice };
    assert_eq!(lost.validate(&Config::default()), Err(Ledger), "what was lost is there");
    assert_eq!(leaves.validate(&config), Err(State), "no send is left to fail over with");
    let generation = Generation(7);
    assert_eq!(leaves.state, RequestState::Stopping(Aim::Failover { generation }));
}
