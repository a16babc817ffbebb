//! The request of a turn: profiles, credentials, what it continues from, and its bills.

use crate::stage::{
    DUPLICATE, STALE, Stage, TERMINAL, acknowledged, admitted, arm, cancelled, disarm, ended, failed,
    include, initialized, orders, paused, request_grace, responded, resumed, stop, stopped, submitted, told,
    tool_ended,
};
use downbeat_kernel::{
    Approval, Attempt, Call, Config, Corrupt, Effect, End, Event, Generation, Input, Kernel, Outcome, Part,
    Previous, ProfileId, Profiles, Rejected, RequestEffect, RequestEvent, RequestRejected, Response,
    SendFailure, SendReason, TaskId, ToolEnd, TurnNumber,
};

/// Two profiles, of which the second has a key that does not change.
fn two_profiles() -> Config {
    Config { profiles: 2, profiles_keyed: 2, profiles_continuing: 1, ..Config::default() }
}

fn get(task: u64, turn: u32, attempt: u16, newer_than: u32) -> Effect {
    let (attempt, profile, newer_than) = (Attempt(attempt), ProfileId(0), Generation(newer_than));
    orders(task, turn, RequestEffect::GetCredential { attempt, profile, newer_than })
}

fn given(task: u64, turn: u32, attempt: u16, generation: u32) -> Event {
    let (attempt, generation) = (Attempt(attempt), Generation(generation));
    told(task, turn, RequestEvent::CredentialGiven { attempt, generation })
}

fn sends(turn: u32, attempt: u16, to: (u8, u32), input: Input, reason: SendReason) -> Effect {
    let (attempt, profile, generation) = (Attempt(attempt), ProfileId(to.0), Generation(to.1));
    orders(1, turn, RequestEffect::Send { attempt, profile, generation, input, reason })
}

fn usage(turn: u32, attempt: u16) -> Event {
    told(1, turn, RequestEvent::UsageReported { attempt: Attempt(attempt) })
}

fn charge(turn: u32, attempt: u16) -> Effect {
    let (attempt, profile) = (Attempt(attempt), ProfileId(0));
    orders(1, turn, RequestEffect::Charge { attempt, profile })
}

fn down(profile: u8) -> Event {
    Event::ProfileDown { profile: ProfileId(profile) }
}

fn up(profile: u8) -> Event {
    Event::ProfileUp { profile: ProfileId(profile) }
}

#[test]
fn turn_waits_for_a_credential_and_the_next_one_continues_from_its_response() {
    let mut stage = Stage::new(two_profiles());
    stage.takes_all([submitted(1), admitted(1)]);
    assert_eq!(stage.takes(initialized(1)), [get(1, 1, 0, 0)]);
    let first = sends(1, 0, (0, 7), Input::Full, SendReason::First);
    assert_eq!(stage.takes(given(1, 1, 0, 7)), [include(1, Part::Prompt), first]);
    let refused = failed(1, 1, 0, SendFailure::Unauthorized, 0);
    assert_eq!(stage.takes(refused), [get(1, 1, 1, 7)]);
    let old = Rejected::Request {
        task: TaskId(1),
        turn: TurnNumber(1),
        why: RequestRejected::OldCredential { refused: Generation(7), got: Generation(7) },
    };
    stage.refuses(&given(1, 1, 1, 7), &Outcome::Rejected(old));
    let again = sends(1, 1, (0, 8), Input::Full, SendReason::FreshToken);
    assert_eq!(stage.takes(given(1, 1, 1, 8)), [include(1, Part::Prompt), again]);
    assert_eq!(stage.takes(responded(1, 1, 1, Response::Text)), [get(1, 2, 0, 0)]);
    let previous = Previous { turn: TurnNumber(1), attempt: Attempt(1), profile: ProfileId(0) };
    let second = sends(2, 0, (0, 8), Input::Continue(previous), SendReason::First);
    assert_eq!(stage.takes(given(1, 2, 0, 8)), [include(1, Part::Reminder), second]);
}

#[test]
fn profile_that_goes_down_is_left_by_all_and_avoided_by_those_that_come() {
    let mut stage = Stage::new(two_profiles());
    for task in [1, 2] {
        stage.takes_all([submitted(task), admitted(task), initialized(task)]);
    }
    stage.takes(given(1, 1, 0, 7));
    // Task 2 waits for a credential, and has nothing to stop.
    assert_eq!(stage.takes(down(0)), [stop(1, 1, 0), arm(request_grace(1, 1, 0), 10_000)]);
    stage.refuses(&down(0), &DUPLICATE);
    let elsewhere = sends(1, 1, (1, 0), Input::Full, SendReason::Failover);
    let left = [disarm(request_grace(1, 1, 0)), include(1, Part::Prompt), elsewhere];
    assert_eq!(stage.takes(stopped(1, 1, 0)), left);
    stage.takes_all([submitted(3), admitted(3)]);
    let third = RequestEffect::Send {
        attempt: Attempt(0),
        profile: ProfileId(1),
        generation: Generation(0),
        input: Input::Full,
        reason: SendReason::First,
    };
    assert_eq!(stage.takes(initialized(3)), [include(3, Part::Prompt), orders(3, 1, third)]);
    // The second profile keeps no responses, so that nothing continues from one.
    let next = sends(2, 0, (1, 0), Input::Full, SendReason::First);
    let reminded = [include(1, Part::Reminder), next];
    assert_eq!(stage.takes(responded(1, 1, 1, Response::Text)), reminded);
    stage.takes(up(0));
    stage.refuses(&up(0), &DUPLICATE);
    let strange = Rejected::UnknownProfile { count: 2, got: ProfileId(2) };
    stage.refuses(&down(2), &Outcome::Rejected(strange));
    assert_eq!(stage.takes(responded(1, 2, 0, Response::Text)), [get(1, 3, 0, 0)]);
}

/// Profiles are part of the settings; more of them than there can be are as many as there can be.
#[test]
fn request_may_be_sent_to_the_profiles_of_the_settings() {
    #[rustfmt::skip]
    let cases = [
        ("none is one",   Config { profiles: 0, ..Config::default() },                        Profiles { count: 1, down: 0, keyed: 1 }),
        ("one",           Config::default(),                                                  Profiles { count: 1, down: 0, keyed: 1 }),
        ("eight",         Config { profiles: 8, profiles_keyed: 0x81, ..Config::default() },  Profiles { count: 8, down: 0, keyed: 0x81 }),
        ("more",          Config { profiles: 200, ..Config::default() },                      Profiles { count: 8, down: 0, keyed: 1 }),
        ("keys of none",  Config { profiles: 2, profiles_keyed: 0xff, ..Config::default() },  Profiles { count: 2, down: 0, keyed: 3 }),
    ];
    for (name, config, expected) in cases {
        let stage = Stage::requesting(config);
        let task = stage.kernel.task(TaskId(1)).expect("the task is held");
        assert_eq!(task.data.request.profiles, expected, "{name}");
    }
}

#[test]
fn bill_is_taken_whenever_it_comes_and_once() {
    let mut stage = Stage::requesting(Config::default());
    assert_eq!(stage.takes(usage(1, 0)), [charge(1, 0)]);
    stage.refuses(&usage(1, 0), &DUPLICATE);
    stage.takes(responded(1, 1, 0, Response::Calls(vec![Call::Question])));
    let mut cancelled_later = stage.clone();
    stage.takes(crate::stage::answered(1, 1, downbeat_kernel::Answer::Text));
    stage.refuses(&usage(1, 0), &STALE);
    stage.takes(responded(1, 2, 0, Response::Calls(vec![Call::Completion(Approval::Granted)])));
    assert_eq!(stage.takes(usage(2, 0)), [charge(2, 0)]);
    stage.refuses(&usage(2, 0), &TERMINAL);
    stage.takes(acknowledged(1));
    stage.refuses(&usage(2, 0), &TERMINAL);
    cancelled_later.takes(cancelled(1));
    cancelled_later.refuses(&usage(1, 0), &TERMINAL);
}

/// Whoever is paused sends nothing, whatever comes (S13).
#[test]
fn paused_task_sends_at_resume_and_not_before() {
    let mut stage = Stage::new(two_profiles());
    stage.takes_all([submitted(1), admitted(1), initialized(1), paused(1)]);
    assert_eq!(stage.takes(given(1, 1, 0, 7)), []);
    let first = sends(1, 0, (0, 7), Input::Full, SendReason::First);
    assert_eq!(stage.takes(resumed(1)), [include(1, Part::Prompt), first]);
    stage.takes(paused(1));
    assert_eq!(stage.takes(cancelled(1)), [stop(1, 1, 0), arm(request_grace(1, 1, 0), 10_000)]);
    let end = [disarm(request_grace(1, 1, 0)), ended(1, End::Cancelled)];
    assert_eq!(stage.takes(stopped(1, 1, 0)), end);
}

#[test]
fn what_the_kernel_tells_a_request_the_shell_does_not() {
    let mut stage = Stage::requesting(Config::default());
    let own = [
        RequestEvent::Began { profiles: Profiles { count: 1, down: 0, keyed: 1 }, previous: None },
        RequestEvent::ResponseEnded { attempt: Attempt(0) },
        RequestEvent::ProfileDown { profile: ProfileId(0) },
        RequestEvent::ProfileUp { profile: ProfileId(0) },
        RequestEvent::PauseRequested,
        RequestEvent::ResumeRequested,
        RequestEvent::CancelRequested,
    ];
    for event in own {
        let event = told(1, 1, event);
        stage.refuses(&event, &Outcome::Rejected(Rejected::NotForShell { event: event.clone() }));
    }
}

#[test]
fn request_that_cannot_be_is_found_out() {
    let stage = Stage::requesting(Config::default());
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut snapshot = serde_json::to_value(&stage.kernel).expect("a kernel has a JSON form");
        *snapshot.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is there")) = value;
        serde_json::from_value::<Kernel>(snapshot).expect("it is read").validate()
    };
    let request = Err(Corrupt::Request { task: TaskId(1) });
    #[rustfmt::skip]
    let cases = [
        ("not begun",              "/tasks/0/data/request/state",          serde_json::json!("Unbegun"),                request),
        ("held by nobody",         "/tasks/0/data/request/held",           serde_json::json!(true),                     request),
        ("other profiles",         "/tasks/0/data/request/profiles/count", serde_json::json!(2),                        request),
        ("nothing was sent",       "/tasks/0/data/request/ledger",         serde_json::json!([]),                       request),
        ("ended",                  "/tasks/0/data/request/state",          serde_json::json!({"Ended": "Cancelled"}),   request),
        ("paused, and it is not",  "/tasks/0/state",                       serde_json::json!({"Paused": "Requesting"}), request),
        ("a profile too many",     "/down",                                serde_json::json!(2),                        Err(Corrupt::Profiles { down: 2 })),
    ];
    for (name, pointer, value, expected) in cases {
        assert_eq!(changed(pointer, value), expected, "{name}");
    }
}

/// Each profile keeps its responses, or does not: a turn continues from a response only where it is kept.
#[test]
fn turn_continues_from_a_response_of_a_profile_that_keeps_it() {
    let cases = [(0b01, 0, true), (0b01, 1, false), (0b10, 0, false), (0b10, 1, true)];
    for (profiles_continuing, profile, kept) in cases {
        let settings = Config { profiles: 2, profiles_keyed: 0b11, profiles_continuing, ..Config::default() };
        let mut stage = Stage::new(settings);
        stage.takes_all([submitted(1), admitted(1)]);
        if profile == 1 {
            stage.takes(Event::ProfileDown { profile: ProfileId(0) });
        }
        stage.takes_all([
            initialized(1),
            responded(1, 1, 0, Response::Calls(vec![Call::Tool(Approval::Granted)])),
        ]);
        stage.takes(tool_ended(1, 1, 0, ToolEnd::Succeeded));
        let previous = stage.kernel.task(TaskId(1)).expect("it is held").data.request.previous;
        let expected = Previous { turn: TurnNumber(1), attempt: Attempt(0), profile: ProfileId(profile) };
        assert_eq!(previous, kept.then_some(expected), "{profiles_continuing:#b}: profile {profile}");
    }
}

/// The request of a task that is being cancelled is still told of profiles, so that it agrees with what everybody knows.
#[test]
fn request_that_is_told_to_stop_hears_of_profiles() {
    let mut stage = Stage::new(two_profiles());
    stage.takes_all([submitted(1), admitted(1), initialized(1), given(1, 1, 0, 1), cancelled(1)]);
    assert_eq!(stage.takes(Event::ProfileDown { profile: ProfileId(0) }), []);
    assert_eq!(stage.kernel.validate(), Ok(()));
}

/// A limit for a day is asked of one request alone, and nobody says for that that the profile is down.
#[test]
fn profile_that_is_up_again_is_news_to_whoever_it_asked_for_patience() {
    let day = SendFailure::Throttled { retry_after_ms: Some(86_400_000) };
    let up = Event::ProfileUp { profile: ProfileId(0) };
    let mut stage = Stage::new(two_profiles());
    stage.takes_all([submitted(1), admitted(1), initialized(1), given(1, 1, 0, 1)]);
    stage.refuses(&up, &DUPLICATE);
    stage.takes(failed(1, 1, 0, day, 0));
    assert_eq!(stage.takes(up.clone()), [], "the send to the other profile is out");
    stage.refuses(&up, &DUPLICATE);
    assert_eq!(stage.takes(failed(1, 1, 1, SendFailure::Transient, 0)), [get(1, 1, 2, 0)]);
}

/// Of three profiles the first two ask for too much: that one of them is up is news for itself, and that one is down is told once.
#[test]
fn news_of_a_profile_is_told_once_also_where_it_asked_for_patience() {
    let day = SendFailure::Throttled { retry_after_ms: Some(86_400_000) };
    let mut stage = Stage::new(Config { profiles: 3, profiles_keyed: 0b111, ..Config::default() });
    stage.takes_all([submitted(1), admitted(1), initialized(1)]);
    stage.takes_all([failed(1, 1, 0, day, 0), failed(1, 1, 1, day, 0)]);
    stage.takes(up(1));
    stage.refuses(&up(1), &DUPLICATE);
    stage.refuses(&up(2), &DUPLICATE);
    stage.takes(down(0));
    stage.refuses(&down(0), &DUPLICATE);
    stage.takes(up(0));
}
