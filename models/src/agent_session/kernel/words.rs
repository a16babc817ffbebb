//! How an act reads.

use downbeat_kernel::IteratorEnd;
use downbeat_sim::model::Arrow;

use super::super::ledger::{RequestIndex, request_name};
use super::super::sdk::IteratorIndex;
use super::super::session::{CALLERS, SESSION, lane};
use super::act::Act;
use super::state::State;

/// The arrow of an act, from where things stand before it.
pub(super) fn arrow(state: &State, act: Act) -> Arrow {
    let (from, to) = match sender(act) {
        Sender::Callers => (CALLERS, SESSION),
        Sender::Iterator(iterator) => (lane(iterator), SESSION),
        Sender::Session => (SESSION, SESSION),
    };
    Arrow { from, to, text: text(state, act) }
}

enum Sender {
    Callers,
    Iterator(IteratorIndex),
    /// Its own process: timers, and what a crash has taken.
    Session,
}

fn sender(act: Act) -> Sender {
    match act {
        Act::Invoke
        | Act::Cancel(_)
        | Act::Abort
        | Act::Restart
        | Act::Close
        | Act::InvokeAgain(_)
        | Act::InvokeAhead
        | Act::CancelLate(_) => Sender::Callers,
        Act::Start(iterator)
        | Act::FailToStart(iterator)
        | Act::Answer(iterator)
        | Act::End(iterator, _)
        | Act::StartLate(iterator)
        | Act::AnswerLate(iterator, _)
        | Act::EndLate(iterator) => Sender::Iterator(iterator),
        Act::ReportLost(_) | Act::Elapse(_) | Act::ElapseLate(_) | Act::Crash => Sender::Session,
    }
}

fn text(state: &State, act: Act) -> String {
    let of =
        |request: Option<RequestIndex>| request.map_or("nobody".to_owned(), |r| request_name(r).to_string());
    match act {
        Act::Invoke => format!("invoke({})", request_name(state.made())),
        Act::InvokeAgain(request) => format!("invoke({}) once more", request_name(request)),
        Act::InvokeAhead => format!("invoke({}), which is not the next", request_name(state.made() + 1)),
        Act::Cancel(request) => format!("cancels the token of {}", request_name(request)),
        Act::CancelLate(request) => format!("aborts {}, which is not open", request_name(request)),
        Act::Abort => format!("aborts {}", of(state.ledger.in_progress())),
        Act::Restart => "restart".to_owned(),
        Act::Close => "close".to_owned(),
        Act::Start(_) => "runs".to_owned(),
        Act::StartLate(_) => "runs, it is said late".to_owned(),
        Act::FailToStart(_) => "cannot be started".to_owned(),
        Act::Answer(iterator) => format!("the result of {}", of(state.sdk.works_on(iterator))),
        Act::AnswerLate(_, request) => format!("the result of {}, late or once more", request_name(request)),
        Act::End(_, IteratorEnd::Normal) => "ends normally".to_owned(),
        Act::End(_, IteratorEnd::Transient | IteratorEnd::Throttled | IteratorEnd::Permanent) => {
            "throws".to_owned()
        }
        Act::EndLate(_) => "has ended, it is said late or once more".to_owned(),
        Act::ReportLost(iterator) => format!("iterator {} did not survive the crash", iterator + 1),
        Act::Elapse(iterator) => format!("the time of iterator {} to stop is over", iterator + 1),
        Act::ElapseLate(iterator) => format!("a void timer of iterator {} fires", iterator + 1),
        Act::Crash => "a crash".to_owned(),
    }
}
