//! The recursive-call machine of the code-flow analysis, over time.

use crate::words::judged;
use downbeat_trace::{Approach, Calls, Monitor, Recursion};

fn calls(monitor: &Monitor) -> Calls {
    let (notable, more) = monitor.notable();
    assert_eq!((notable.len(), more), (1, 0), "one task is notable");
    notable[0].calls.clone()
}

/// The states that a task went through, as lines and names.
fn states(calls: &Calls) -> Vec<(u64, &'static str)> {
    calls.changes().0.iter().map(|(at, state)| (at.place.line, state.name())).collect()
}

#[test]
fn third_call_is_told_from_the_second_and_each_state_is_timed() {
    let monitor = judged(
        "task-started p at_ms=0
         call-entered p at_ms=10
         call-entered p at_ms=30
         call-entered p at_ms=70
         call-left p at_ms=150
         call-left p at_ms=310
         call-left p at_ms=630",
    );
    let calls = calls(&monitor);
    let expected = [
        (2, "RUNNING"),
        (3, "CONCURRENT"),
        (4, "TRIPLE_CONCURRENT"),
        (5, "CONCURRENT"),
        (6, "RUNNING"),
        (7, "IDLE"),
    ];
    assert_eq!(states(&calls), expected);
    assert_eq!((calls.peak(), calls.state()), (Recursion::TripleConcurrent, Recursion::Idle));
    assert_eq!(calls.first().map(|first| (first.place.line, first.at_ms)), Some((3, Some(30.0))));
    let ms: Vec<_> = Recursion::ALL.iter().map(|state| calls.ms(*state)).collect();
    assert_eq!(ms, [0.0, 20.0 + 320.0, 0.0, 40.0 + 160.0, 80.0]);
    assert_eq!(calls.approached(), None);
}

#[test]
fn lock_keeps_the_second_call_out_and_that_was_an_approach() {
    let with_lock = "
        lock-taken p at_ms=0
        call-entered p at_ms=0
        lock-waited p at_ms=5
        call-left p at_ms=20
        lock-released p at_ms=20
        lock-taken p at_ms=21
        call-entered p at_ms=21
        call-left p at_ms=30
        lock-released p at_ms=30";
    let calls_with = calls(&judged(with_lock));
    assert_eq!(states(&calls_with), [(2, "LOCKED"), (4, "IDLE"), (7, "LOCKED"), (8, "IDLE")]);
    assert_eq!((calls_with.peak(), calls_with.first()), (Recursion::Locked, None));
    let approached = calls_with.approached().map(|(at, why, count)| (at.place.line, why, count));
    assert_eq!(approached, Some((3, Approach::WaitedForLock, 1)));
    assert!((calls_with.ms(Recursion::Locked) - 29.0).abs() < 1e-9);

    // The same call, past a lock that keeps nobody out.
    let past = with_lock.replace("lock-waited p at_ms=5", "call-entered p at_ms=5");
    assert_eq!(calls(&judged(&past)).first().map(|first| first.place.line), Some(3));
}

#[test]
fn lock_that_is_taken_and_released_within_a_call_is_seen() {
    let monitor = judged("call-entered p\nlock-taken p\nlock-waited p\nlock-released p\ncall-left p");
    assert_eq!(states(&calls(&monitor)), [(1, "RUNNING"), (2, "LOCKED"), (4, "RUNNING"), (5, "IDLE")]);
}

#[test]
fn calls_near_a_subtask_are_approaches() {
    let beside = judged("task-started p\ntask-started c parent=p\ncall-entered p\nrequest-started p");
    let approached = calls(&beside).approached().map(|(at, why, count)| (at.place.line, why, count));
    assert_eq!(
        approached,
        Some((3, Approach::BeganBesideSubtask, 1)),
        "its requests are not counted as well"
    );

    let running = judged(
        "task-started p\ntask-started c parent=p\ntask-ended c end=completed\nrequest-started p\nresult-delivered p child=c",
    );
    let approached = calls(&running).approached().map(|(at, why, count)| (at.place.line, why, count));
    assert_eq!(approached, Some((5, Approach::ResultWhileRunning, 1)));

    let quiet = judged(
        "task-started p\ntask-started c parent=p\ntask-ended c end=completed\nresult-delivered p child=c\nrequest-started p",
    );
    assert_eq!(quiet.notable().0.len(), 0);
}

#[test]
fn without_calls_requests_in_flight_count() {
    let monitor = judged(
        "request-started p turn=1
         request-started p turn=2
         request-ended p turn=7 end=completed
         request-ended p turn=1 end=completed
         restart",
    );
    let expected = [(1, "RUNNING"), (2, "CONCURRENT"), (4, "RUNNING"), (5, "IDLE")];
    assert_eq!(states(&calls(&monitor)), expected, "an end of what is not in flight changes nothing");
}

#[test]
fn changes_beyond_the_first_are_counted() {
    let words = "call-entered p\ncall-entered p\ncall-left p\ncall-left p\n".repeat(100);
    let calls = calls(&judged(&words));
    let (changes, count) = calls.changes();
    assert_eq!((changes.len(), count), (32, 400));
}
