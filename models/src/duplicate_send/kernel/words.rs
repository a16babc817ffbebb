//! How an act and an order read.

use downbeat_kernel::{Attempt, Input, ProfileId, RequestEffect, RequestEnd, RequestTimer, SendReason};
use downbeat_sim::model::{Arrow, Lane};

use super::super::wire::{SendIndex, TurnIndex, turn_name};
use super::act::{Act, Answer, Echo, newest};
use super::state::State;

/// The lane of the owners of the requests.
pub(super) const TASK: Lane = 0;

/// The lane of the requests.
pub(super) const REQUEST: Lane = 1;

/// The lane of the driver.
pub(super) const DRIVER: Lane = 2;

fn provider(profile: u8) -> Lane {
    DRIVER + 1 + usize::from(profile)
}

/// A send, as people count.
fn send(turn: TurnIndex, Attempt(attempt): Attempt) -> String {
    format!("{}{}", turn_name(turn), attempt + 1)
}

/// The arrow of an act, from where things stand before it.
pub(super) fn arrow(state: &State, act: Act) -> Arrow {
    let (from, to) = lanes(state, act);
    Arrow { from, to, text: text(state, act) }
}

fn lanes(state: &State, act: Act) -> (Lane, Lane) {
    let of_stream = |turn: TurnIndex| {
        let profile = state.stream(turn).map_or(0, |send: SendIndex| state.wire.sent(send).profile);
        (provider(profile), DRIVER)
    };
    match act {
        Act::Ask | Act::CancelUnbegun | Act::Cancel(_) => (TASK, REQUEST),
        Act::Answer(turn, Answer::Begins) | Act::Race(turn, Answer::Begins) => of_stream(turn),
        Act::Answer(turn, _) | Act::Race(turn, _) => (of_stream(turn).0, REQUEST),
        Act::Give(_)
        | Act::Refuse(_)
        | Act::Stop(_)
        | Act::Forget(_)
        | Act::Recall(_)
        | Act::Usage(..)
        | Act::Backoff(_)
        | Act::Grace(_)
        | Act::Down(..)
        | Act::Up(..)
        | Act::Echo(..) => (DRIVER, REQUEST),
        Act::Crash => (DRIVER, DRIVER),
    }
}

fn text(state: &State, act: Act) -> String {
    let last = |turn: TurnIndex| {
        let sends = state.desk(turn).request.ledger.sends().len();
        send(turn, Attempt(u16::try_from(sends.saturating_sub(1)).unwrap_or(u16::MAX)))
    };
    match act {
        Act::Ask => format!("turn {}", turn_name(state.made())),
        Act::CancelUnbegun => format!("cancels turn {}, which has not begun", turn_name(state.made())),
        Act::Cancel(turn) => format!("cancels turn {}", turn_name(turn)),
        Act::Give(turn) => {
            let newest = state.desk(turn).wanted.map_or(0, |wanted| newest(state, wanted));
            format!("token {newest}")
        }
        Act::Refuse(_) => "there is no credential".to_owned(),
        Act::Answer(turn, answer) | Act::Race(turn, answer) => {
            format!("{}: {}", last(turn), answered(answer))
        }
        Act::Stop(turn) => format!("{} has stopped", last(turn)),
        Act::Forget(turn) => format!("nobody knows what became of {}", last(turn)),
        Act::Recall(turn) => format!("the response to {} is on record", last(turn)),
        Act::Usage(turn, attempt) => format!("what {} has cost", send(turn, Attempt(attempt.into()))),
        Act::Backoff(turn) => format!("the wait of turn {} is over", turn_name(turn)),
        Act::Grace(turn) => format!("the time of {} to stop is over", last(turn)),
        Act::Down(_, profile) => format!("provider {} is down", profile + 1),
        Act::Up(_, profile) => format!("provider {} is up", profile + 1),
        Act::Crash => "a crash".to_owned(),
        Act::Echo(turn, echo) => echoed(turn, echo),
    }
}

fn answered(answer: Answer) -> &'static str {
    match answer {
        Answer::Begins => "begins to work",
        Answer::Text => "text",
        Answer::End => "the end",
        Answer::Throttled => "429: later",
        Answer::Exhausted => "429: in a few weeks",
        Answer::Sheds => "an error in the stream: overloaded, in 9 s",
        Answer::Unauthorized => "401: the token is not good",
        Answer::ContinuityLost => "400: the previous response is not found",
        Answer::Invalid => "400: no",
        Answer::Unreachable => "cannot be reached",
        Answer::TimedOut => "works, and nothing comes in time",
        Answer::Breaks => "the stream breaks",
    }
}

fn echoed(turn: TurnIndex, echo: Echo) -> String {
    let of = |attempt: u8| send(turn, Attempt(attempt.into()));
    match echo {
        Echo::Began => format!("turn {} once more", turn_name(turn)),
        Echo::Cancelled => format!("cancels turn {} once more, or too late", turn_name(turn)),
        Echo::Given(attempt) => format!("a token for {}, late or unasked", of(attempt)),
        Echo::OldToken(attempt) => format!("the token that will not do, for {}", of(attempt)),
        Echo::NotGiven(attempt) => format!("no token for {}, late or unasked", of(attempt)),
        Echo::Text(attempt) => format!("text of {}, late or unasked", of(attempt)),
        Echo::End(attempt) => format!("the end of {}, late or unasked", of(attempt)),
        Echo::Failed(attempt) => format!("{} fails, late or unasked", of(attempt)),
        Echo::Stopped(attempt) => format!("{} has stopped, late or unasked", of(attempt)),
        Echo::Usage(attempt) => format!("what {} has cost, once more or unasked", of(attempt)),
        Echo::Backoff(attempt) => format!("a void timer for the wait before {}", of(attempt)),
        Echo::Grace(attempt) => format!("a void timer for {} to stop", of(attempt)),
        Echo::Profile => "a provider is down that is not in the list".to_owned(),
    }
}

/// An order: from where to where, and what.
pub(super) fn order(turn: TurnIndex, order: RequestEffect) -> ((Lane, Lane), String) {
    let driver = (REQUEST, DRIVER);
    match order {
        RequestEffect::GetCredential { attempt, profile, newer_than } => {
            let newer =
                if newer_than.0 > 0 { format!(", newer than {}", newer_than.0) } else { String::new() };
            (driver, format!("a token for {} to provider {}{newer}", send(turn, attempt), profile.0 + 1))
        }
        RequestEffect::Send { attempt, profile, generation, input, reason } => {
            let input = match input {
                Input::Full => "",
                Input::Continue(_) => ", continues",
            };
            let why = because(reason);
            let text = format!("sends {} with token {}{input}: {why}", send(turn, attempt), generation.0);
            ((REQUEST, provider(profile.0)), text)
        }
        RequestEffect::Recover { attempt } => (driver, format!("what became of {}?", send(turn, attempt))),
        RequestEffect::Stop { attempt } => (driver, format!("stop {}", send(turn, attempt))),
        RequestEffect::Fence { attempt } => (driver, format!("closes {} by force", send(turn, attempt))),
        RequestEffect::Arm { timer, .. } => (driver, format!("arms {}", of_timer(turn, timer))),
        RequestEffect::Disarm { timer } => (driver, format!("disarms {}", of_timer(turn, timer))),
        RequestEffect::Charge { attempt, profile } => (driver, charge(turn, attempt, profile)),
        RequestEffect::Ended { end: how } => (driver, end(turn, how)),
    }
}

fn because(reason: SendReason) -> &'static str {
    match reason {
        SendReason::First => "the first",
        SendReason::Retry(_) => "once more",
        SendReason::FreshToken => "with a newer token",
        SendReason::FullInput => "the full input",
        SendReason::Failover => "elsewhere",
        SendReason::Returned => "there again",
    }
}

fn of_timer(turn: TurnIndex, timer: RequestTimer) -> String {
    match timer {
        RequestTimer::Backoff(attempt) => format!("the wait before {}", send(turn, attempt)),
        RequestTimer::Grace(attempt) => format!("the time of {} to stop", send(turn, attempt)),
    }
}

/// Who pays for what.
pub(super) fn charge(turn: TurnIndex, attempt: Attempt, profile: ProfileId) -> String {
    format!("{} is charged to provider {}", send(turn, attempt), profile.0 + 1)
}

/// How a turn ends.
pub(super) fn end(turn: TurnIndex, end: RequestEnd) -> String {
    let name = turn_name(turn);
    match end {
        RequestEnd::Accepted { attempt } => format!("turn {name} is answered by {}", send(turn, attempt)),
        RequestEnd::Failed(reason) => format!("turn {name} fails: {reason:?}"),
        RequestEnd::Cancelled => format!("turn {name} ends as cancelled"),
    }
}
