//! Messages of a user: in order, to the model exactly once, or reported (S5).

use crate::stage::{
    DUPLICATE, Stage, answered, ask, backoff, call_id, cancelled, disarm, ended, failed, fence, fired,
    include, message, request_grace, responded, result, send, send_after, stopped, text, undelivered,
};
use downbeat_kernel::{
    About, Answer, Approval, Call, CallResult, Config, Effect, End, Part, Passing, Reason, RequestReason,
    Response, SendFailure,
};

fn done() -> Response {
    Response::Calls(vec![Call::Completion(Approval::Granted)])
}

#[test]
fn messages_go_into_the_next_turn_in_order_and_into_every_attempt_of_it() {
    let mut stage = Stage::requesting(Config::default());
    assert_eq!(stage.takes_all([message(1, 1), message(1, 2)]), []);
    stage.refuses(&message(1, 1), &DUPLICATE);
    // Not into another attempt of the turn that is under way.
    stage.takes(failed(1, 1, 0, SendFailure::Transient, 0));
    assert_eq!(stage.takes(fired(backoff(1, 1, 1))), [include(1, Part::Prompt), send(1, 1, 1)]);
    let second = [include(1, Part::Reminder), text(1, 1), text(1, 2)];
    let mut expected = second.to_vec();
    expected.push(send(1, 2, 0));
    assert_eq!(stage.takes(responded(1, 1, 1, Response::Text)), expected);
    stage.takes_all([message(1, 3), failed(1, 2, 0, SendFailure::Interrupted, 0)]);
    let mut expected = second.to_vec();
    expected.push(send_after(1, 2, 1, Passing::Interrupted));
    assert_eq!(stage.takes(fired(backoff(1, 2, 1))), expected);
    // An empty response has not answered them: they go out again, and 3 still waits.
    stage.takes(responded(1, 2, 1, Response::Empty));
    let mut expected = second.to_vec();
    expected.push(send(1, 2, 2));
    assert_eq!(stage.takes(fired(backoff(1, 2, 2))), expected);
    let third = [include(1, Part::Reminder), text(1, 3), send(1, 3, 0)];
    assert_eq!(stage.takes(responded(1, 2, 2, Response::Text)), third);
}

/// What has not reached the model when the task ends is reported before the end, in order; what was in a request
/// without an answer is in doubt.
#[test]
fn undelivered_messages_are_reported_at_the_end() {
    let disarm = disarm(request_grace(1, 2, 0));
    let both = |end| vec![undelivered(1, 1, true), undelivered(1, 2, false), ended(1, end)];
    let neither = |end| vec![undelivered(1, 1, false), undelivered(1, 2, false), ended(1, end)];
    let after_stop = |mut effects: Vec<Effect>| {
        effects.insert(0, disarm);
        effects
    };
    let fenced = |mut effects: Vec<Effect>| {
        effects.insert(0, fence(1, 2, 0));
        effects
    };
    #[rustfmt::skip]
    let cases = [
        ("the answer completes the task", vec![responded(1, 2, 0, done())],
            vec![undelivered(1, 2, false), ended(1, End::Completed)]),
        ("the request is refused: nobody has read it", vec![failed(1, 2, 0, SendFailure::Invalid, 0)],
            neither(End::Failed(Reason::Request(RequestReason::Invalid)))),
        ("the budget is spent", vec![failed(1, 2, 0, SendFailure::Interrupted, 0)],
            both(End::Failed(Reason::Request(RequestReason::AttemptsExhausted)))),
        ("nothing was said", vec![responded(1, 2, 0, Response::Empty)],
            both(End::Failed(Reason::Request(RequestReason::AttemptsExhausted)))),
        ("cancelled, and the request stopped", vec![cancelled(1), stopped(1, 2, 0)],
            after_stop(both(End::Cancelled))),
        ("cancelled, and the request failed", vec![cancelled(1), failed(1, 2, 0, SendFailure::Interrupted, 0)],
            after_stop(both(End::Cancelled))),
        ("cancelled, and the answer was faster", vec![cancelled(1), responded(1, 2, 0, Response::Text)],
            after_stop(vec![undelivered(1, 2, false), ended(1, End::Cancelled)])),
        ("cancelled, and nothing was said", vec![cancelled(1), responded(1, 2, 0, Response::Empty)],
            after_stop(both(End::Cancelled))),
        ("cancelled, and nothing came", vec![cancelled(1), fired(request_grace(1, 2, 0))],
            fenced(both(End::Cancelled))),
    ];
    for (name, mut events, expected) in cases {
        let mut stage = Stage::requesting(Config { attempts_max: 1, ..Config::default() });
        stage.takes_all([message(1, 1), responded(1, 1, 0, Response::Text), message(1, 2)]);
        let last = events.pop().expect("each case has an event");
        stage.takes_all(events);
        assert_eq!(stage.takes(last), expected, "{name}");
        // Until the end is on record, a restart reports the same.
        let reported: Vec<Effect> =
            expected.iter().filter(|effect| !matches!(effect, Effect::Request { .. })).copied().collect();
        assert_eq!(stage.resync(), reported, "{name}");
    }
}

#[test]
fn message_never_answers_a_question() {
    let mut stage = Stage::requesting(Config::default());
    let wanted = Response::Calls(vec![Call::Completion(Approval::Required)]);
    let about = About::Completion(call_id(1, 1, 0));
    stage.takes(message(1, 1));
    assert_eq!(stage.takes(responded(1, 1, 0, wanted)), [ask(1, 1, about)]);
    assert_eq!(stage.takes(message(1, 2)), []);
    assert_eq!(stage.resync(), [ask(1, 1, about)]);
    let expected = [result(1, 1, 0, CallResult::Denied), text(1, 1), text(1, 2), send(1, 2, 0)];
    assert_eq!(stage.takes(answered(1, 1, Answer::Denied)), expected);
}
