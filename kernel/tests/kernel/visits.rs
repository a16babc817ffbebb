//! What a step says that it came by: whoever takes two steps for alike because they came by the same relies on it.

use crate::stage::{acknowledged, admitted, cancelled, initialized, responded, submitted};
use downbeat_kernel::{Call, Config, Event, Kernel, Met, ProfileId, Response, TaskId, Visit};

const SUBTASK: Call = Call::Subtask { child: TaskId(2) };

/// A task that was met: where, by what, and whether it took it.
fn met(task: u64, state: &'static str, event: &'static str, applied: bool) -> Visit {
    Visit { task: TaskId(task), met: Some(Met { state, event, applied }) }
}

/// A task that came to be, was forgotten or was not there.
fn passed(task: u64) -> Visit {
    Visit { task: TaskId(task), met: None }
}

#[test]
fn step_tells_every_task_that_it_comes_by_in_order() {
    let mut kernel = Kernel::new(Config { profiles: 2, ..Config::default() });
    let asks = responded(1, 1, 0, Response::Calls(vec![SUBTASK]));
    let profile = ProfileId(1);
    #[rustfmt::skip]
    let story: [(Event, Vec<Visit>); 12] = [
        (submitted(1),                   vec![passed(1)]),
        (admitted(9),                    vec![passed(9)]),
        (admitted(1),                    vec![met(1, "Queued", "Admitted", true)]),
        (admitted(1),                    vec![met(1, "Initializing", "Admitted", false)]),
        (Event::ProfileDown { profile }, vec![]),
        (initialized(1),                 vec![met(1, "Initializing", "Initialized", true)]),
        (Event::ProfileUp { profile },   vec![met(1, "Requesting", "ProfileUp", true)]),
        (asks,                           vec![met(1, "Requesting", "ResponseEnded", true), passed(2)]),
        (Event::ProfileDown { profile }, vec![]),
        (cancelled(1), vec![
            met(1, "AwaitingSubtask", "CancelRequested", true),
            met(2, "Queued", "CancelRequested", true),
            met(1, "Cancelling(Nothing)", "SubtaskEnded", true),
        ]),
        (acknowledged(2),                vec![met(2, "Cancelled", "EndAcknowledged", true), passed(2)]),
        (acknowledged(2),                vec![passed(2)]),
    ];
    for (event, expected) in story {
        let mut visits = Vec::new();
        drop(kernel.step_visiting(event.clone(), &mut Vec::new(), &mut |visit| visits.push(visit)));
        assert_eq!(visits, expected, "{event:?}");
    }
}
