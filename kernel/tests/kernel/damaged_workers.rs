//! The same as in `damaged`, for workers: one thing of a valid worker is another one, and the first rule that it breaks is named.

use crate::worker_stage::{WorkerStage, answered, approval, backoff, fired, iterator_ended, started};
use downbeat_kernel::{
    Approvals, Assignment, Breaker, COUNTER_MAX, Config, Content, Deadline, HealthState, IteratorEnd,
    MessageId, Rung, SessionState, Source, TaskId, ToolId, Worker, WorkerCorrupt, WorkerEvent,
};

const MESSAGE: fn(u32) -> Source = |number| Source::Message(MessageId(number));
const REPORT: Source = Source::ChildReported { child: TaskId(2), number: 1 };
const CHILD: Source = Source::ChildEnded { child: TaskId(2) };

/// Bounds that a few changes reach.
fn config() -> Config {
    Config {
        inbox_max: 3,
        loop_max: 2,
        errors_max: 2,
        progress_max: 2,
        breaker_max: 2,
        worker_attempts_max: 3,
        ..Config::default()
    }
}

fn worker(events: &[WorkerEvent]) -> Worker {
    let mut stage = WorkerStage::new(config());
    stage.takes_all(events.iter().copied());
    stage.worker
}

/// The agent has the first prompt.
fn executing() -> Worker {
    worker(&[WorkerEvent::Assigned, started(1)])
}

/// The agent has answered it.
fn idle() -> Worker {
    worker(&[WorkerEvent::Assigned, started(1), answered(1, 1)])
}

/// It failed once, and is tried again after a wait.
fn backing_off() -> Worker {
    worker(&[WorkerEvent::Assigned, started(1), iterator_ended(1, IteratorEnd::Transient)])
}

/// It failed twice, which opens the breaker.
fn cooling() -> Worker {
    let failed = |iterator| [started(iterator), iterator_ended(iterator, IteratorEnd::Transient)];
    let [first, second] = [failed(1), failed(2)];
    worker(&[&[WorkerEvent::Assigned], &first[..], &[fired(backoff(1))], &second].concat())
}

fn held() -> Worker {
    worker(&[WorkerEvent::PauseRequested, WorkerEvent::Assigned])
}

type Damage = fn(&mut Worker);
type Case = (&'static str, Damage, Result<(), WorkerCorrupt>);

#[track_caller]
fn assert_damage(worker: &Worker, cases: &[Case]) {
    assert_eq!(worker.validate(&config()), Ok(()), "before");
    for (name, damage, expected) in cases {
        let mut damaged = worker.clone();
        damage(&mut damaged);
        assert_eq!(damaged.validate(&config()), *expected, "{name}");
    }
}

fn inbox(worker: &mut Worker, accepted: u32, sources: &[Source]) {
    worker.data.accepted = MessageId(accepted);
    worker.data.inbox = sources.iter().copied().collect();
}

#[test]
fn counters_that_contradict_each_other_are_found() {
    const COUNTERS: Result<(), WorkerCorrupt> = Err(WorkerCorrupt::Counters);
    #[rustfmt::skip]
    let cases: [Case; 9] = [
        ("as many as can be",           |w| w.data.turn.0 = COUNTER_MAX,                            Ok(())),
        ("one more than can be",        |w| w.data.turn.0 = COUNTER_MAX + 1,                        COUNTERS),
        ("kept, and none is open",      |w| w.data.kept = true,                                     COUNTERS),
        ("kept, and one is open",       |w| (w.data.kept, w.data.reported) = (true, 1),             Ok(())),
        ("as many open as fit",         |w| w.data.reported = 3,                                    Ok(())),
        ("one more open than fits",     |w| w.data.reported = 4,                                    COUNTERS),
        ("more acknowledged than open", |w| (w.data.reported, w.data.acknowledged) = (1, 2),        COUNTERS),
        ("an answer to no question",    |w| w.data.health.reported.0 = 1,                           COUNTERS),
        ("more settled than asked",     |w| w.data.session.settled.0 = 2,                           COUNTERS),
    ];
    assert_damage(&executing(), &cases);
}

#[test]
fn inbox_that_cannot_be_is_found() {
    const INBOX: Result<(), WorkerCorrupt> = Err(WorkerCorrupt::Inbox);
    #[rustfmt::skip]
    let cases: [Case; 17] = [
        ("messages in their order",       |w| inbox(w, 2, &[MESSAGE(1), MESSAGE(2)]),                         Ok(())),
        ("messages in another order",     |w| inbox(w, 2, &[MESSAGE(2), MESSAGE(1)]),                         INBOX),
        ("one message twice",             |w| inbox(w, 1, &[MESSAGE(1), MESSAGE(1)]),                         INBOX),
        ("a message before the first",    |w| inbox(w, 1, &[MESSAGE(0)]),                                     INBOX),
        ("a message that never came",     |w| inbox(w, 1, &[MESSAGE(2)]),                                     INBOX),
        ("one report",                    |w| inbox(w, 0, &[REPORT, CHILD]),                                  Ok(())),
        ("one report twice",              |w| inbox(w, 0, &[REPORT, CHILD, REPORT]),                          INBOX),
        ("as much as fits",               |w| inbox(w, 3, &[MESSAGE(1), MESSAGE(2), MESSAGE(3)]),             Ok(())),
        ("what always fits beside it",    |w| inbox(w, 3, &[MESSAGE(1), MESSAGE(2), MESSAGE(3), CHILD]),      Ok(())),
        ("more than fits",                |w| inbox(w, 3, &[MESSAGE(1), MESSAGE(2), MESSAGE(3), REPORT]),     INBOX),
        ("all of it is taken",            |w| { inbox(w, 1, &[MESSAGE(1)]); w.data.taken = 1; },              Ok(())),
        ("more than all of it is taken",  |w| { inbox(w, 1, &[MESSAGE(1)]); w.data.taken = 2; },              INBOX),
        ("given before the first turn",   |w| w.data.turn.0 = 0,                                              INBOX),
        ("an answer to nothing taken",    |w| w.data.assignment = Assignment::Answered,                       INBOX),
        ("told of an end that is not",    |w| inbox(w, 0, &[Source::WrapUp]),                                 INBOX),
        ("not told of its end",           |w| w.data.wrap_up = Some(Deadline::First),                         INBOX),
        ("given though it is awaited",    |w| w.data.assignment = Assignment::Awaited,                        INBOX),
    ];
    assert_damage(&executing(), &cases);
    assert_damage(&idle(), &[("answered before the first turn", |w| w.data.turn.0 = 0, INBOX)]);
    #[rustfmt::skip]
    let cases: [Case; 3] = [
        ("a message waits for the task",  |w| inbox(w, 1, &[MESSAGE(1)]),    Ok(())),
        ("a turn before the task",        |w| w.data.turn.0 = 1,             INBOX),
        ("content before the task",       |w| w.data.content = Content::Given, INBOX),
    ];
    assert_damage(&worker(&[]), &cases);
    #[rustfmt::skip]
    let cases: [Case; 1] = [
        ("taken before the first prompt", |w| { inbox(w, 1, &[MESSAGE(1)]); w.data.taken = 1; }, INBOX),
    ];
    assert_damage(&held(), &cases);
}

#[test]
fn session_that_does_not_fit_is_found() {
    const SESSION: Result<(), WorkerCorrupt> = Err(WorkerCorrupt::Session);
    #[rustfmt::skip]
    let cases: [Case; 3] = [
        ("its prompt is settled",         |w| w.data.session.settled.0 = 1,                  SESSION),
        ("a prompt is withdrawn",         |w| w.data.session.withdrawn = 1,                  SESSION),
        ("the breaker is open",           |w| w.data.breaker = Breaker::Open { after_ms: 1 }, SESSION),
    ];
    assert_damage(&executing(), &cases);
    #[rustfmt::skip]
    let cases: [Case; 2] = [
        ("it starts no iterator",         |w| w.data.session.state = SessionState::Starting, SESSION),
        ("an iterator without a prompt",  |w| w.data.session.iterator.0 = 1,                 SESSION),
    ];
    assert_damage(&worker(&[]), &cases);
    let never = |w: &mut Worker| {
        let session = &mut w.data.session;
        (session.accepted.0, session.settled.0, session.iterator.0) = (0, 0, 0);
        session.state = SessionState::Dormant;
    };
    assert_damage(&idle(), &[("answered without a prompt", never, SESSION)]);
}

#[test]
fn questions_that_cannot_be_are_found() {
    const APPROVALS: Result<(), WorkerCorrupt> = Err(WorkerCorrupt::Approvals);
    const OPEN: fn(&mut Worker, [u32; 3]) =
        |w, [asked, settled, open]| w.data.approvals = Approvals { asked, settled, open };
    let asks = WorkerEvent::ApprovalRequested { approval: approval(1, 1) };
    let asking = worker(&[WorkerEvent::Assigned, started(1), asks]);
    #[rustfmt::skip]
    let cases: [Case; 8] = [
        ("two are open",                  |w| OPEN(w, [2, 0, 0b11]),                         Ok(())),
        ("none is open",                  |w| OPEN(w, [1, 1, 0]),                            APPROVALS),
        ("the first is settled",          |w| OPEN(w, [2, 0, 0b10]),                         APPROVALS),
        ("one is open that nobody asked", |w| OPEN(w, [1, 0, 0b11]),                         APPROVALS),
        ("more are settled than asked",   |w| OPEN(w, [1, 2, 1]),                            APPROVALS),
        ("as many as fit",                |w| OPEN(w, [32, 0, u32::MAX]),                    Ok(())),
        ("as many, one of them open",     |w| OPEN(w, [32, 0, 1]),                           Ok(())),
        ("one more than fits",            |w| OPEN(w, [33, 0, u32::MAX]),                    APPROVALS),
    ];
    assert_damage(&asking, &cases);
    assert_damage(&worker(&[]), &[("asked by nobody", |w| OPEN(w, [1, 1, 0]), APPROVALS)]);
}

#[test]
fn health_that_does_not_fit_is_found() {
    const HEALTH: Result<(), WorkerCorrupt> = Err(WorkerCorrupt::Health);
    const CLIMBED: fn(&mut Worker, Rung, [u32; 2]) = |w, rung, [asked, reported]| {
        (w.data.health.asked.0, w.data.health.reported.0, w.data.health.rung) = (asked, reported, rung);
    };
    const CALLED: fn(&mut Worker, Option<ToolId>, u16) =
        |w, tool, calls| (w.data.health.tool, w.data.health.calls) = (tool, calls);
    #[rustfmt::skip]
    let cases: [Case; 18] = [
        ("nobody watches",                    |w| w.data.health.state = HealthState::Unwatched,   HEALTH),
        ("asked how far it is",               |w| CLIMBED(w, Rung::Inquired, [1, 0]),             Ok(())),
        ("climbed without a question",        |w| CLIMBED(w, Rung::Inquired, [0, 0]),             HEALTH),
        ("interrupted",                       |w| CLIMBED(w, Rung::Interrupted, [1, 1]),          Ok(())),
        ("interrupted with a question open",  |w| CLIMBED(w, Rung::Interrupted, [1, 0]),          HEALTH),
        ("restarted",                         |w| CLIMBED(w, Rung::Restarted, [1, 1]),            Ok(())),
        ("restarted with a question open",    |w| CLIMBED(w, Rung::Restarted, [1, 0]),            HEALTH),
        ("restarted without a question",      |w| CLIMBED(w, Rung::Restarted, [0, 0]),            HEALTH),
        ("work for an inquiry",               |w| w.data.health.inquired = true,                  HEALTH),
        ("no timer",                          |w| w.data.health.watch.0 = 0,                      HEALTH),
        ("one tool",                          |w| CALLED(w, Some(ToolId(1)), 1),                  Ok(())),
        ("a tool without a call",             |w| CALLED(w, Some(ToolId(1)), 0),                  HEALTH),
        ("a call without a tool",             |w| CALLED(w, None, 1),                             HEALTH),
        ("as many calls as count",            |w| CALLED(w, Some(ToolId(1)), 3),                  Ok(())),
        ("a call more than counts",           |w| CALLED(w, Some(ToolId(1)), 4),                  HEALTH),
        ("as many failures as count",         |w| w.data.health.errors = 3,                       Ok(())),
        ("a failure more than counts",        |w| w.data.health.errors = 4,                       HEALTH),
        ("as many answers as count",          |w| { CLIMBED(w, Rung::Ground, [2, 2]); w.data.health.progress = 2; }, Ok(())),
    ];
    assert_damage(&executing(), &cases);
    #[rustfmt::skip]
    let cases: [Case; 2] = [
        ("a call after the answer",           |w| CALLED(w, Some(ToolId(1)), 1),                  HEALTH),
        ("activity while it rests",           |w| w.data.health.active = true,                    HEALTH),
    ];
    assert_damage(&idle(), &cases);
    // It was inquired, and answered; then a person held it, and another one wrote.
    let held = worker(&[WorkerEvent::Assigned, started(1), answered(1, 1), WorkerEvent::PauseRequested]);
    let written = |w: &mut Worker| {
        inbox(w, 1, &[MESSAGE(1)]);
        w.data.health.inquired = true;
    };
    assert_damage(&held, &[("inquired before somebody wrote", written, Ok(()))]);
    let mut unbound = executing();
    let settings = Config { loop_max: 0, ..config() };
    CALLED(&mut unbound, Some(ToolId(1)), 1);
    assert_eq!(unbound.validate(&settings), Ok(()), "without a bound one call is as good as many");
    CALLED(&mut unbound, Some(ToolId(1)), 2);
    assert_eq!(unbound.validate(&settings), HEALTH);
}

#[test]
fn state_that_contradicts_what_outlives_it_is_found() {
    const STATE: Result<(), WorkerCorrupt> = Err(WorkerCorrupt::State);
    const OPEN: Breaker = Breaker::Open { after_ms: 1 };
    #[rustfmt::skip]
    let cases: [Case; 3] = [
        ("idle although a person holds it",   |w| w.data.hold = true,                             STATE),
        ("idle although something waits",     |w| inbox(w, 1, &[MESSAGE(1)]),                     STATE),
        ("failures of what was answered",     |w| w.data.failures = 1,                            STATE),
    ];
    assert_damage(&idle(), &cases);
    let assigned = |w: &mut Worker| {
        w.data.assignment = Assignment::Unanswered;
        (w.data.health.state, w.data.health.watch.0) = (HealthState::Resting, 1);
    };
    assert_damage(&worker(&[]), &[("idle with a task", assigned, STATE)]);
    assert_damage(&held(), &[("held by nobody", |w| w.data.hold = false, STATE)]);
    let ending = worker(&[WorkerEvent::Assigned, started(1), answered(1, 1), WorkerEvent::CompleteRequested]);
    assert_damage(&ending, &[("told to finish", |w| w.data.wrap_up = Some(Deadline::First), STATE)]);
    #[rustfmt::skip]
    let cases: [Case; 2] = [
        ("an attempt is left",                |w| w.data.failures = 2,                            Ok(())),
        ("none is left",                      |w| w.data.failures = 3,                            STATE),
    ];
    assert_damage(&executing(), &cases);
    #[rustfmt::skip]
    let cases: [Case; 3] = [
        ("waits without a failure",           |w| w.data.failures = 0,                            STATE),
        ("waits although the breaker trips",  |w| w.data.failures = 2,                            STATE),
        ("waits although the breaker is open", |w| w.data.breaker = OPEN,                         STATE),
    ];
    assert_damage(&backing_off(), &cases);
    #[rustfmt::skip]
    let cases: [Case; 2] = [
        ("cools although the breaker is closed", |w| w.data.breaker = Breaker::Closed,            STATE),
        ("too few failures to open it",       |w| w.data.failures = 1,                            STATE),
    ];
    assert_damage(&cooling(), &cases);
    let settings = Config { breaker_max: 1, ..config() };
    let mut once = WorkerStage::new(settings);
    once.takes_all([WorkerEvent::Assigned, started(1), iterator_ended(1, IteratorEnd::Transient)]);
    assert_eq!(once.worker.validate(&settings), Ok(()), "one failure opens it");
    let mut never = cooling();
    never.data.failures = 0;
    assert_eq!(never.validate(&Config { breaker_max: 0, ..config() }), STATE, "nothing has failed");
}
