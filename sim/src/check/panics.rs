//! A model that panics: what it said, and in which state it was asked what.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::CheckError;
use super::encoding::Encoding;
use super::explore::Search;
use super::replay;
use crate::model::Model;

/// Calls the model; its panic becomes what it said.
///
/// Whatever the call was changing is thrown away by all callers, so that nothing half changed is ever seen.
pub(super) fn caught<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|payload| said(payload.as_ref()))
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
