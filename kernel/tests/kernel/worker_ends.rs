//! How a worker ends: joined, once, and with everything accounted for.

use crate::worker_stage::{
    WorkerStage, acknowledged, answered, approval, arm, backoff, breaker, deadline, disarm, ended, fired,
    include, interrupt, iterator_ended, message, prompt, start, started, stop, stop_disarmed, text,
    undelivered, watch,
};
use downbeat_kernel::{
    Config, Deadline, Ignored, IteratorEnd, IteratorId, Outcome, SessionEffect, SessionEvent, Source, Then,
    Worker, WorkerCorrupt, WorkerEffect, WorkerEnd, WorkerEvent, WorkerPart, WorkerRejected, WorkerState,
    WorkerTimer,
};

const STALE: Outcome<WorkerRejected> = Outcome::Ignored(Ignored::Stale);
const DUPLICATE: Outcome<WorkerRejected> = Outcome::Ignored(Ignored::Duplicate);
const TERMINAL: Outcome<WorkerRejected> = Outcome::Ignored(Ignored::Terminal);

const FIRST: WorkerTimer = WorkerTimer::WrapUp(Deadline::First);
const LAST: WorkerTimer = WorkerTimer::WrapUp(Deadline::Last);

const fn wrap_up() -> WorkerEffect {
    WorkerEffect::Include { part: WorkerPart::Source(Source::WrapUp) }
}

/// S7: the end is reported when nothing of the worker runs any more, and what comes late changes nothing.
#[test]
fn completion_during_a_turn_cancels_and_joins_before_it_ends() {
    let mut stage = WorkerStage::idle();
    stage.takes_all([message(1), message(2)]);
    stage.takes(WorkerEvent::ApprovalRequested { approval: approval(2, 1) });
    let [stops, timer] = stop(1);
    let withdraw = WorkerEffect::Withdraw { approval: approval(2, 1) };
    assert_eq!(stage.takes(WorkerEvent::CompleteRequested), [withdraw, stops, timer]);
    assert_eq!(stage.state(), WorkerState::Ending(WorkerEnd::Completed));
    stage.refuses(WorkerEvent::CompleteRequested, &DUPLICATE);
    stage.refuses(WorkerEvent::KillRequested, &TERMINAL);
    stage.refuses(message(2), &DUPLICATE);
    stage.refuses(message(3), &TERMINAL);
    stage.refuses(answered(1, 2), &STALE);
    let no_edge = WorkerRejected::NoEdge { state: stage.state(), event: WorkerEvent::EndAcknowledged };
    stage.refuses(WorkerEvent::EndAcknowledged, &Outcome::Rejected(no_edge));
    assert_eq!(stage.resync(), [stops, timer]);
    let end = [undelivered(1, true), undelivered(2, false), ended(WorkerEnd::Completed)];
    let joined = [stop_disarmed(1), end[0], end[1], end[2]];
    assert_eq!(stage.takes(iterator_ended(1, IteratorEnd::Normal)), joined);
    for late in [
        answered(1, 2),
        started(1),
        message(3),
        interrupt(2, Then::Resume),
        fired(watch(3)),
        WorkerEvent::ResumeRequested,
        WorkerEvent::KillRequested,
        WorkerEvent::WrapUpRequested,
    ] {
        stage.refuses(late, &TERMINAL);
    }
    assert_eq!(stage.resync(), end);
    let worker = stage.worker.clone();
    assert_eq!(stage.takes(WorkerEvent::EndAcknowledged), []);
    assert_eq!(stage.worker, worker);
}

#[test]
fn iterator_that_does_not_stop_is_killed_before_the_end() {
    let mut stage = WorkerStage::executing();
    stage.takes(WorkerEvent::KillRequested);
    stage.refuses(WorkerEvent::CompleteRequested, &TERMINAL);
    let iterator = IteratorId(1);
    let killed = WorkerEffect::Session(SessionEffect::Kill { iterator });
    let elapsed = WorkerEvent::Session(SessionEvent::StopElapsed { iterator });
    assert_eq!(stage.takes(elapsed), [killed, ended(WorkerEnd::Killed)]);
}

/// Every timer that is armed is disarmed, and nothing is left behind.
#[test]
fn kill_in_every_gap_leaves_nothing() {
    let transient = |iterator| iterator_ended(iterator, IteratorEnd::Transient);
    let cooling = [
        transient(1),
        fired(backoff(1)),
        started(2),
        transient(2),
        fired(backoff(2)),
        started(3),
        transient(3),
    ];
    let killed = ended(WorkerEnd::Killed);
    let [stops, timer] = stop(1);
    #[rustfmt::skip]
    let cases: [(&str, Vec<WorkerEvent>, Vec<WorkerEffect>); 6] = [
        ("executing",   vec![],                            vec![disarm(watch(1)), stops, timer]),
        ("backing off", vec![transient(1)],                vec![disarm(backoff(1)), killed]),
        ("cooling",     cooling.to_vec(),                  vec![disarm(breaker(3)), killed]),
        ("idle",        vec![answered(1, 1)],              vec![disarm(watch(2)), stops, timer]),
        ("held",        vec![interrupt(1, Then::Hold)],    vec![]),
        ("to finish",   vec![WorkerEvent::WrapUpRequested],
            vec![disarm(FIRST), disarm(watch(1)), stops, timer]),
    ];
    for (name, events, expected) in cases {
        let mut stage = WorkerStage::executing();
        stage.takes_all(events);
        assert_eq!(stage.takes(WorkerEvent::KillRequested), expected, "{name}");
    }
    let mut stage = WorkerStage::new(Config::default());
    assert_eq!(stage.takes(WorkerEvent::KillRequested), [killed]);
}

#[test]
fn wrap_up_comes_first_in_the_next_turn_and_completes_the_worker() {
    let mut stage = WorkerStage::executing();
    stage.takes_all([message(1), WorkerEvent::PauseRequested]);
    assert_eq!(stage.takes(WorkerEvent::WrapUpRequested), [arm(FIRST, 120_000)]);
    stage.refuses(WorkerEvent::WrapUpRequested, &DUPLICATE);
    // It interrupts nothing, and lifts the hold.
    assert_eq!(stage.takes(answered(1, 1)), [wrap_up(), text(1), prompt(1, 2)]);
    stage.takes(message(2));
    let [stops, timer] = stop(1);
    let done = WorkerEffect::Acknowledge { source: Source::WrapUp };
    let finished = [done, acknowledged(1), disarm(FIRST), disarm(watch(1)), stops, timer];
    assert_eq!(stage.takes(answered(1, 2)), finished);
    let end = [stop_disarmed(1), undelivered(2, false), ended(WorkerEnd::Completed)];
    assert_eq!(stage.takes(iterator_ended(1, IteratorEnd::Normal)), end);
}

#[test]
fn wrap_up_begins_a_turn_where_none_runs() {
    let mut stage = WorkerStage::idle();
    let begins = [arm(FIRST, 120_000), wrap_up(), prompt(1, 2), disarm(watch(2)), arm(watch(3), 60_000)];
    assert_eq!(stage.takes(WorkerEvent::WrapUpRequested), begins);
    let mut stage = WorkerStage::executing();
    stage.takes(interrupt(1, Then::Hold));
    assert_eq!(stage.takes(WorkerEvent::WrapUpRequested), [arm(FIRST, 120_000), arm(watch(2), 60_000)]);
    stage.takes(iterator_ended(1, IteratorEnd::Normal));
    let resumed = [include(WorkerPart::Resumed), include(WorkerPart::Prompt), wrap_up(), prompt(2, 2)];
    assert_eq!(stage.takes(started(2)), resumed);
}

/// A turn that does not end is interrupted once for the wrap-up; a worker that does not finish is finished.
#[test]
fn wrap_up_has_two_deadlines() {
    let mut stage = WorkerStage::executing();
    stage.takes(WorkerEvent::WrapUpRequested);
    let early = fired(deadline(Deadline::Last));
    stage.refuses(
        early,
        &Outcome::Rejected(WorkerRejected::NeverAsked { state: WorkerState::Executing, event: early }),
    );
    let [stops, timer] = stop(1);
    assert_eq!(stage.takes(fired(FIRST)), [arm(LAST, 120_000), stops, timer]);
    stage.refuses(fired(FIRST), &STALE);
    assert_eq!(stage.takes(iterator_ended(1, IteratorEnd::Normal))[1], start(2));
    let told = [include(WorkerPart::Resumed), include(WorkerPart::Prompt), wrap_up(), prompt(2, 2)];
    assert_eq!(stage.takes(started(2)), told);
    let [stops, timer] = stop(2);
    assert_eq!(stage.takes(fired(LAST)), [disarm(watch(1)), stops, timer]);
    let source = Source::WrapUp;
    let doubt = WorkerEffect::ReportUndelivered { source, in_doubt: true };
    let end = [stop_disarmed(2), doubt, ended(WorkerEnd::Completed)];
    assert_eq!(stage.takes(iterator_ended(2, IteratorEnd::Transient)), end);
    // One that has been told already is left alone until the second deadline.
    let mut stage = WorkerStage::idle();
    stage.takes(WorkerEvent::WrapUpRequested);
    assert_eq!(stage.takes(fired(FIRST)), [arm(LAST, 120_000)]);
}

type Damage = fn(&mut Worker);

/// A snapshot that contradicts itself is found out.
#[test]
fn damaged_worker_is_refused() {
    let stage = WorkerStage::executing();
    let damaged = |damage: Damage| {
        let mut worker = stage.worker.clone();
        damage(&mut worker);
        worker.validate(&stage.config)
    };
    let too_many_answers = |worker: &mut Worker| {
        let health = &mut worker.data.health;
        (health.asked.0, health.reported.0, health.progress) = (11, 11, 11);
    };
    #[rustfmt::skip]
    let cases: [(&str, Damage, _); 10] = [
        ("nothing", |_| (),                                              Ok(())),
        ("a report too many acknowledged", |w| w.data.acknowledged = 1,  Err(WorkerCorrupt::Counters)),
        ("a counter near its end", |w| w.data.turn.0 = u32::MAX,         Err(WorkerCorrupt::Counters)),
        ("more taken than there is", |w| w.data.taken = 1,               Err(WorkerCorrupt::Inbox)),
        ("a prompt that nobody has", |w| w.state = WorkerState::Cooling, Err(WorkerCorrupt::Session)),
        ("a question without a wait", |w| w.data.approvals.open = 1,     Err(WorkerCorrupt::Approvals)),
        ("nobody watches", |w| w.data.health.watch.0 = 0,                Err(WorkerCorrupt::Health)),
        ("more answers than the bound", too_many_answers,                Err(WorkerCorrupt::Health)),
        ("an answer to no question", |w| w.data.health.progress = 1,     Err(WorkerCorrupt::Health)),
        ("a spent budget", |w| w.data.failures = 10,                     Err(WorkerCorrupt::State)),
    ];
    for (name, damage, expected) in cases {
        assert_eq!(damaged(damage), expected, "{name}");
    }
}
