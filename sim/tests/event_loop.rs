//! The order in which processes of an event loop continue.

use downbeat_sim::event_loop::{Await, EventLoop, Pid, TooManyProcesses};

type Loop = EventLoop<&'static str, 3>;

/// Three processes that are suspended as given.
fn suspended(awaits: [Await; 3]) -> (Loop, [Pid; 3]) {
    let mut system = Loop::new();
    let pids = ["a", "b", "c"].map(|_| system.call_unawaited().expect("there is room for three"));
    for ((pid, name), on) in pids.into_iter().zip(["a", "b", "c"]).zip(awaits) {
        system.suspend(pid, name, on);
    }
    (system, pids)
}

/// Runs everything in the queue; each process ends with its next stretch.
fn drain(system: &mut Loop) -> Vec<&'static str> {
    let mut order = Vec::new();
    while let Some((pid, name)) = system.run_head() {
        order.push(name);
        system.end(pid);
    }
    order
}

#[test]
fn no_timer_fires_between_a_resolution_and_its_continuation() {
    let (mut system, [_, timer, _]) = suspended([Await::Signal(1), Await::External, Await::Signal(1)]);
    assert!(system.is_quiet());
    assert_eq!(system.resolve(1), 2);
    assert_eq!(system.fire(timer), None, "two continuations are ahead of it");
    let (pid, name) = system.run_head().expect("the first continuation");
    assert_eq!(name, "a");
    system.end(pid);
    assert_eq!(system.fire(timer), None, "one continuation is ahead of it");
    assert_eq!(drain(&mut system), ["c"]);
    assert_eq!(system.fire(timer), Some("b"));
}

#[test]
fn continuations_are_queued_in_the_order_of_their_awaits_and_not_inline() {
    let (mut system, [a, b, c]) = suspended([Await::External, Await::Signal(7), Await::Resolved]);
    assert_eq!(drain(&mut system), ["c"], "an await of a resolved promise is one turn of the queue");
    assert_eq!(system.fire(a), Some("a"));
    assert_eq!(system.resolve(7), 1);
    assert_eq!(system.head(), Some(b), "woken, and not run before the present stretch is over");
    system.suspend(a, "a later", Await::Resolved);
    assert_eq!(drain(&mut system), ["b", "a later"]);
    assert_eq!(system.awaited(c), None);
}

#[test]
fn a_call_without_await_runs_to_its_first_await_before_the_caller_goes_on() {
    let mut system = Loop::new();
    let caller = system.call_unawaited().expect("room");
    let callee = system.call_unawaited().expect("room");
    system.suspend(callee, "callee, after its first await", Await::Resolved);
    system.suspend(caller, "caller, after its next await", Await::Resolved);
    assert_eq!(drain(&mut system), ["callee, after its first await", "caller, after its next await"]);
}

#[test]
fn the_end_of_a_process_resumes_those_that_await_it() {
    let mut system = Loop::new();
    let caller = system.call_unawaited().expect("room");
    let callee = system.call().expect("room");
    system.suspend(callee, "callee", Await::External);
    system.suspend(caller, "caller", Await::End(callee));
    assert!(system.is_quiet());
    assert_eq!(system.fire(callee), Some("callee"));
    system.end(callee);
    assert_eq!(drain(&mut system), ["caller"]);
}

#[test]
fn a_process_that_ended_before_it_was_awaited_costs_one_turn_of_the_queue() {
    let mut system = Loop::new();
    let caller = system.call_unawaited().expect("room");
    let callee = system.call().expect("room");
    system.end(callee);
    system.suspend(caller, "caller", Await::End(callee));
    assert_eq!(drain(&mut system), ["caller"]);
    assert_eq!(system, Loop::new(), "and nothing of it remains");
}

#[test]
fn a_lock_goes_to_the_one_who_waited_longest() {
    let (mut system, [a, b, _]) = suspended([Await::Signal(0), Await::Signal(0), Await::Signal(1)]);
    assert_eq!(system.hand_on(0), Some(a));
    assert_eq!(drain(&mut system), ["a"]);
    assert_eq!(system.hand_on(0), Some(b));
    assert_eq!(drain(&mut system), ["b"]);
    assert_eq!(system.hand_on(0), None);
}

#[test]
fn a_forgotten_process_never_continues() {
    let (mut system, [a, b, c]) = suspended([Await::Signal(0), Await::Resolved, Await::External]);
    for pid in [a, b, c] {
        system.forget(pid);
    }
    assert_eq!(system.resolve(0), 0);
    assert_eq!(system, Loop::new());
}

#[test]
fn one_process_too_many_is_an_error_that_names_the_limit() {
    let (mut system, _) = suspended([Await::External; 3]);
    let refused = system.call().expect_err("there is room for three");
    assert_eq!(refused, TooManyProcesses { limit: 3 });
    assert_eq!(refused.to_string(), "more than 3 processes at once: the model needs a larger event loop");
}
