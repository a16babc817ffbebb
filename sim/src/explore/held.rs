//! The stage of a thread.
//!
//! It is in a variable of the thread, because tasks reach it by way of wakers and of the seam.

use std::cell::RefCell;
use std::sync::Arc;

use super::misuse::{Exploration, Misuse, Misuses};
use super::stage::Stage;

thread_local! {
    static STAGE: RefCell<Option<Box<Stage>>> = const { RefCell::new(None) };
}

/// Calls with the stage of this thread, if it explores.
pub(super) fn on_stage<R>(act: impl FnOnce(&mut Stage) -> R) -> Option<R> {
    STAGE.with_borrow_mut(|stage| stage.as_deref_mut().map(act))
}

/// Calls with the stage, if an execution of this exploration goes on, and this one if one is given. When it is over, what is
/// dropped then may still use the seam, to no effect. What is used elsewhere is noted.
pub(super) fn during<R>(
    exploration: Exploration,
    execution: Option<u64>,
    act: impl FnOnce(&mut Stage) -> R,
) -> Option<R> {
    // What is not called is dropped when the stage is given back.
    let mut act = Some(act);
    STAGE.with_borrow_mut(|stage| match stage.as_deref_mut() {
        Some(stage) if stage.misuses.exploration() == exploration => {
            if stage.goes_on(execution) {
                act.take().map(|act| act(stage))
            } else {
                None
            }
        }
        other => {
            if let Some(other) = other {
                other.misuses.note(Misuse::Kept);
            }
            exploration.note_elsewhere();
            None
        }
    })
}

/// Holds the stage of this thread. Dropped, there is none any more.
pub(super) struct Held(Arc<Misuses>);

impl Held {
    /// Sets the stage.
    ///
    /// # Panics
    /// If this thread has one: within an exploration there is no other one.
    pub(super) fn new(stage: Stage) -> Self {
        let is_free = on_stage(|stage| stage.misuses.note(Misuse::Nested)).is_none();
        assert!(is_free, "a program that is explored explores nothing itself");
        let misuses = Arc::clone(&stage.misuses);
        misuses.begin();
        STAGE.set(Some(Box::new(stage)));
        Self(misuses)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(STAGE.take());
        self.0.end();
    }
}

/// Takes the stage of this thread away.
pub(super) fn take_stage() -> Option<Box<Stage>> {
    STAGE.take()
}
