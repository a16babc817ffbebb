//! What the files of one task show. Each module looks for its own kind of fault.

mod end;
mod person;
mod requests;
mod subtasks;
mod tools;
mod turns;
mod waits;

use crate::finding::{Certainty, Fault, Property};
use crate::task::{Found, Task};

/// Everything that the files of one task show by themselves.
pub(crate) fn all(task: &Task) -> Found {
    let mut found = Found::default();
    turns::check(task, &mut found);
    tools::check(task, &mut found);
    subtasks::check(task, &mut found);
    person::check(task, &mut found);
    end::check(task, &mut found);
    waits::check(task, &mut found);
    not_recorded(task, &mut found);
    found
}

/// What cannot be decided, because a file is not there.
fn not_recorded(task: &Task, found: &mut Found) {
    let mut note = |property, place, says: &str| {
        found.add(Certainty::CannotTell, (property, Fault::NotRecorded), place, says.to_owned());
    };
    let place = |file: &str| crate::finding::Place {
        file: file.to_owned(),
        message: None,
        path: "$".into(),
        ts: None,
    };
    if task.item.is_none() {
        note(
            Property::S3,
            place(&task.names.item),
            "There is no history item that can be read: whether this task is a subtask, and of which, the files do not say.",
        );
    }
    if task.conversation.is_none() {
        note(
            Property::S8,
            place(&task.names.conversation),
            "There is no conversation that can be read: what the model was given, and whether each call got its \
             result, the files do not say.",
        );
    }
    if task.window.is_none() {
        note(
            Property::S1,
            place(&task.names.window),
            "There are no messages of the window that can be read: when requests were sent and what a person typed, \
             the files do not say.",
        );
    }
}
