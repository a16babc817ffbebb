//! A model that panics: what it said, and in which state it was asked what.

use std::any::Any;
#[cfg(feature = "harness")]
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
#[cfg(feature = "harness")]
use std::panic::PanicHookInfo;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::CheckError;
use super::encoding::Encoding;
use super::explore::Search;
use super::replay;
use crate::model::Model;

thread_local! {
    /// Whether this thread is calling the model.
    static IS_ASKING: Cell<bool> = const { Cell::new(false) };
    /// Where in the source the model panicked, and how it came there, if somebody looked.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls the model, or a program that is explored; its panic becomes what it said, and where, if [`notice`] was told.
///
/// Whatever the call was changing is thrown away by all callers, so that nothing half changed is ever seen.
pub(crate) fn caught<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    let was_asking = IS_ASKING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(ask));
    IS_ASKING.set(was_asking);
    result.map_err(|payload| match PLACE.take() {
        Some(place) => format!("{} {place}", said(payload.as_ref())),
        None => said(payload.as_ref()),
    })
}

/// For a panic hook: remembers where a model panicked. Whether it was a model, whose panic becomes a
/// [`CheckError`] and must not be told by the hook: a model may panic in several threads at once, and does so again
/// when it is asked what it cannot answer. One of these panics is reported, with its own way there.
#[cfg(feature = "harness")]
pub(crate) fn notice(info: &PanicHookInfo<'_>) -> bool {
    let is_asking = IS_ASKING.get();
    if is_asking {
        PLACE.set(info.location().map(|place| format!("(at {place}){}", way_there())));
    }
    is_asking
}

/// The calls on this thread, below a line break, if `RUST_BACKTRACE` asks for them.
#[cfg(feature = "harness")]
fn way_there() -> String {
    let calls = Backtrace::capture();
    let is_asked_for = calls.status() == BacktraceStatus::Captured;
    if is_asked_for { format!("\nstack backtrace:\n{calls}") } else { String::new() }
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// The error for a panic in the state of this rank. The model is asked again, one thing after the other, to learn
/// what it cannot answer.
pub(super) fn error<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    rank: usize,
    message: String,
) -> CheckError {
    let model = search.plan.model;
    let Ok((state, after)) =
        caught(|| replay::actions_to(search, rank)).unwrap_or(Err(CheckError::NoInitialState))
    else {
        return CheckError::Panicked { message, after: None, asked: "the same once more".to_owned() };
    };
    let mut actions = Vec::new();
    let asked = if caught(|| model.actions(&state, &mut actions)).is_err() {
        "its actions".to_owned()
    } else if let Some(action) = actions.iter().find(|action| caught(|| model.next(&state, action)).is_err())
    {
        format!("`{action:?}`")
    } else {
        "its properties, kinds and marks".to_owned()
    };
    CheckError::Panicked { message, after: Some(after), asked }
}
