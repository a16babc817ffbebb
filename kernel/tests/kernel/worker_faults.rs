//! Faults of a worker that no model of a task tree can show, since the tree keeps from it what would show them, or a model has no
//! end with so much of it: the properties that are checked over a worker alone find them.

use downbeat_kernel::faults::Fault;
use downbeat_kernel::{APPROVALS_MAX, Config, IteratorEnd, TaskId, Worker, WorkerEvent};

use super::worker_ledger::Ledger;
use super::worker_stage::{answered, approval, iterator_ended, started};

/// A worker with its first turn is told these, with a fault planted or none.
fn tell(fault: Option<Fault>, events: &[WorkerEvent]) {
    let config = Config { fault, ..Config::default() };
    let (mut worker, mut ledger) = (Worker::default(), Ledger::default());
    for event in [WorkerEvent::Assigned, started(1)].iter().chain(events) {
        let _ = ledger.tell(&mut worker, &config, *event);
    }
}

const REPORT: WorkerEvent = WorkerEvent::ChildReported { child: TaskId(2), number: 1 };
const TWICE: [WorkerEvent; 2] = [REPORT, REPORT];
const TWO_ENDS: [WorkerEvent; 2] = [WorkerEvent::CompleteRequested, WorkerEvent::KillRequested];

/// One question more than fit between the first open one and the last.
fn questions() -> Vec<WorkerEvent> {
    let asked = (1..=APPROVALS_MAX + 1).map(|number| approval(1, number));
    asked.map(|approval| WorkerEvent::ApprovalRequested { approval }).collect()
}

#[test]
fn sound_worker_stands_the_same_events() {
    tell(None, &TWICE);
    tell(None, &questions());
    tell(None, &TWO_ENDS);
    tell(None, &[answered(1, 1), WorkerEvent::CompleteRequested, WorkerEvent::KillRequested]);
}

#[test]
#[should_panic(expected = "valid: ")]
fn report_that_is_accepted_twice_is_seen() {
    tell(Some(Fault::ChildDoubled), &TWICE);
}

#[test]
#[should_panic(expected = "S5: ")]
fn task_that_is_given_twice_is_seen() {
    tell(Some(Fault::AssignedTwice), &[answered(1, 1), WorkerEvent::Assigned]);
}

#[test]
#[should_panic(expected = "valid: ")]
fn question_that_does_not_fit_is_seen() {
    tell(Some(Fault::ApprovalsUnbounded), &questions());
}

#[test]
#[should_panic(expected = "S7: ")]
fn second_end_that_wins_is_seen() {
    tell(Some(Fault::SecondEndWins), &TWO_ENDS);
}

#[test]
#[should_panic(expected = "S7: ")]
fn ended_worker_that_moves_is_seen() {
    tell(
        Some(Fault::EndedWorkerMoves),
        &[
            answered(1, 1),
            WorkerEvent::CompleteRequested,
            iterator_ended(1, IteratorEnd::Normal),
            WorkerEvent::KillRequested,
        ],
    );
}
