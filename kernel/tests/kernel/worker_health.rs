//! How a worker is watched: what is asked, what is done, and that it ends.

use crate::worker_stage::{
    WorkerStage, answered, approval, arm, called, disarm, ended, fired, include, interrupt, iterator_ended,
    message, observed, prompt, start, started, stop, stop_disarmed, text, warn, watch,
};
use downbeat_kernel::{
    Answer, CheckNumber, Concern, Ignored, IteratorEnd, Outcome, Rung, Sign, Source, Then, WorkerEffect,
    WorkerEnd, WorkerEvent, WorkerPart, WorkerReason, WorkerRejected, WorkerState,
};

const STALE: Outcome<WorkerRejected> = Outcome::Ignored(Ignored::Stale);
const DUPLICATE: Outcome<WorkerRejected> = Outcome::Ignored(Ignored::Duplicate);

const RESUMED: [WorkerEffect; 2] =
    [WorkerEffect::Include { part: WorkerPart::Resumed }, WorkerEffect::Include { part: WorkerPart::Prompt }];

fn asks(check: u32) -> WorkerEffect {
    WorkerEffect::AskProgress { check: CheckNumber(check) }
}

fn says(check: u32) -> WorkerEvent {
    WorkerEvent::ProgressReported { check: CheckNumber(check) }
}

/// L3: inquire, interrupt, restart, fail; whatever was destroyed is resumed.
#[test]
fn ladder_of_a_silent_agent_ends() {
    let mut stage = WorkerStage::executing();
    assert_eq!(stage.takes(fired(watch(1))), [asks(1), arm(watch(2), 300_000)]);
    let [stops, timer] = stop(1);
    let interrupted = [warn(Concern::Stuck), arm(watch(3), 300_000), stops, timer];
    assert_eq!(stage.takes(fired(watch(2))), interrupted);
    stage.takes(iterator_ended(1, IteratorEnd::Normal));
    assert_eq!(stage.takes(started(2)), [RESUMED[0], RESUMED[1], prompt(2, 2)]);
    // The rung is kept, whatever the agent does and whoever stops the turn, until it answers.
    stage.takes(observed(2, Sign::Activity));
    assert_eq!(stage.takes(fired(watch(3))), [arm(watch(4), 300_000)]);
    let [stops, timer] = stop(2);
    assert_eq!(stage.takes(fired(watch(4))), [arm(watch(5), 300_000), stops, timer]);
    stage.takes_all([iterator_ended(2, IteratorEnd::Normal), interrupt(3, Then::Hold)]);
    assert_eq!(stage.takes(WorkerEvent::ResumeRequested), [arm(watch(6), 300_000)]);
    stage.takes(started(3));
    assert_eq!(stage.worker.data.health.rung, Rung::Restarted);
    let [stops, timer] = stop(3);
    assert_eq!(stage.takes(fired(watch(6))), [stops, timer]);
    let end = WorkerEnd::Failed(WorkerReason::Stuck);
    let joined = [stop_disarmed(3), ended(end)];
    assert_eq!(stage.takes(iterator_ended(3, IteratorEnd::Normal)), joined);
}

#[test]
fn answered_turn_begins_the_ladder_anew() {
    let mut stage = WorkerStage::executing();
    stage.takes_all([fired(watch(1)), fired(watch(2)), iterator_ended(1, IteratorEnd::Normal), started(2)]);
    stage.takes_all([message(1), answered(2, 2)]);
    assert_eq!(stage.worker.data.health.rung, Rung::Ground);
    // The answer was activity.
    assert_eq!(stage.takes(fired(watch(3))), [arm(watch(4), 60_000)]);
    assert_eq!(stage.takes(fired(watch(4))), [asks(2), arm(watch(5), 300_000)]);
}

/// The question is asked beside the turn, which goes on.
#[test]
fn progress_check_destroys_nothing() {
    let mut stage = WorkerStage::executing();
    stage.takes(fired(watch(1)));
    assert_eq!(stage.state(), WorkerState::Executing);
    assert_eq!(stage.resync(), [include(WorkerPart::Prompt), prompt(1, 1), arm(watch(2), 300_000), asks(1),]);
    stage.refuses(
        says(2),
        &Outcome::Rejected(WorkerRejected::NeverAsked { state: WorkerState::Executing, event: says(2) }),
    );
    assert_eq!(stage.takes(says(1)), []);
    stage.refuses(says(1), &STALE);
    assert_eq!(
        stage.takes_all([fired(watch(2)), fired(watch(3))]),
        [arm(watch(3), 60_000), asks(2), arm(watch(4), 300_000),]
    );
    stage.refuses(says(1), &STALE);
}

/// A worker whose agent answered so many questions about its progress, was asked once more, and answers that as well.
fn answering(progress_max: u8, answers: u32) -> WorkerStage {
    let mut stage = WorkerStage::executing();
    stage.config.progress_max = progress_max;
    for check in 1..=answers {
        let [silence, answer] = [watch(2 * check - 1), watch(2 * check)];
        let heard = [asks(check), arm(answer, 300_000), arm(watch(2 * check + 1), 60_000)];
        assert_eq!(stage.takes_all([fired(silence), says(check), fired(answer)]), heard);
    }
    stage.takes(fired(watch(2 * answers + 1)));
    assert_eq!(stage.takes(says(answers + 1)), []);
    stage
}

/// L3: the eleventh answer in one turn is taken and helps nothing.
#[test]
fn answers_about_progress_count_as_activity_up_to_their_bound() {
    let mut stage = answering(10, 10);
    stage.refuses(says(11), &STALE);
    let [stops, timer] = stop(1);
    let interrupted = [warn(Concern::Stuck), arm(watch(23), 300_000), stops, timer];
    assert_eq!(stage.takes(fired(watch(22))), interrupted);
    // Below the bound, and without one, the answer took the question back.
    for (progress_max, answers) in [(10, 9), (0, 300)] {
        assert_eq!(answering(progress_max, answers).worker.data.health.rung, Rung::Ground, "{progress_max}");
    }
}

#[test]
fn spent_answers_about_progress_leave_activity_and_the_next_turn_alone() {
    let mut stage = answering(2, 2);
    assert_eq!(stage.worker.data.health.rung, Rung::Inquired);
    // Words and tools are another sign of life than an answer.
    stage.takes(observed(1, Sign::Activity));
    assert_eq!(stage.takes(fired(watch(6))), [arm(watch(7), 60_000)]);
    // The answered turn begins everything anew.
    stage.takes_all([message(1), answered(1, 1), fired(watch(7)), fired(watch(8)), says(4)]);
    assert_eq!(stage.takes(fired(watch(9))), [arm(watch(10), 60_000)]);
}

/// One mark for each period, and no timer for each sign of life.
#[test]
fn activity_costs_no_timer() {
    let mut stage = WorkerStage::executing();
    assert_eq!(stage.takes(observed(1, Sign::Activity)), []);
    stage.refuses(observed(1, Sign::Activity), &DUPLICATE);
    assert_eq!(stage.takes(fired(watch(1))), [arm(watch(2), 60_000)]);
    assert_eq!(stage.takes(fired(watch(2))), [asks(1), arm(watch(3), 300_000)]);
    stage.refuses(fired(watch(2)), &STALE);
    // Of another turn, or of an iterator that has no prompt, it is not a sign of life of this one.
    stage.takes(interrupt(1, Then::Resume));
    stage.refuses(observed(1, Sign::Activity), &STALE);
    stage.refuses(observed(2, Sign::Activity), &STALE);
}

#[test]
fn five_equal_tool_calls_in_a_row_are_a_loop() {
    let mut stage = WorkerStage::executing();
    let calls = [called(1, 1), called(1, 1), called(1, 1), called(1, 1), called(1, 2)];
    assert_eq!(stage.takes_all(calls), []);
    // A success between them changes nothing about that.
    let calls = [called(1, 2), called(1, 2), observed(1, Sign::Succeeded), called(1, 2)];
    assert_eq!(
        calls.map(|call| stage.worker.step(call, &stage.config, &mut |_| ())),
        [Outcome::Applied, Outcome::Applied, Outcome::Ignored(Ignored::Duplicate), Outcome::Applied,]
    );
    let first = [warn(Concern::Looping), disarm(watch(1)), asks(1), arm(watch(2), 300_000)];
    assert_eq!(stage.takes(called(1, 2)), first);
    // Activity takes back nothing while it loops: the next streak climbs on.
    stage.takes_all([observed(1, Sign::Activity), called(1, 2), called(1, 2), called(1, 2), called(1, 2)]);
    let [stops, timer] = stop(1);
    let second = [
        warn(Concern::Looping),
        disarm(watch(2)),
        warn(Concern::Stuck),
        arm(watch(3), 300_000),
        stops,
        timer,
    ];
    assert_eq!(stage.takes(called(1, 2)), second);
    // Another tool ends the streak; the rung stays until the turn is answered.
    stage.takes_all([iterator_ended(1, IteratorEnd::Normal), started(2), called(2, 3)]);
    assert_eq!(stage.worker.data.health.rung, Rung::Interrupted);
    assert_eq!(stage.worker.data.health.calls, 1);
}

#[test]
fn five_failures_in_a_row_are_too_many() {
    let failed = observed(1, Sign::Failed);
    let mut stage = WorkerStage::executing();
    stage.takes_all([failed, failed, failed, failed, observed(1, Sign::Succeeded)]);
    assert_eq!(stage.takes_all([failed, failed, failed, failed]), []);
    let warned = [warn(Concern::Errors), disarm(watch(1)), asks(1), arm(watch(2), 300_000)];
    assert_eq!(stage.takes(failed), warned);
    // A success takes the question back.
    stage.takes(observed(1, Sign::Succeeded));
    assert_eq!(stage.worker.data.health.rung, Rung::Ground);
}

#[test]
fn resting_worker_is_asked_once_until_something_comes() {
    let inquiry = include(WorkerPart::Source(Source::Inquiry));
    let done = WorkerEffect::Acknowledge { source: Source::Inquiry };
    let mut stage = WorkerStage::idle();
    assert_eq!(stage.takes(fired(watch(2))), [inquiry, prompt(1, 2), arm(watch(3), 60_000)]);
    // Its turn is watched as any other.
    assert_eq!(stage.takes(fired(watch(3))), [asks(1), arm(watch(4), 300_000)]);
    assert_eq!(stage.takes(answered(1, 2)), [done, disarm(watch(4))]);
    assert_eq!((stage.state(), stage.resync()), (WorkerState::Idle, Vec::new()));
    stage.refuses(fired(watch(4)), &STALE);
    stage.takes(message(1));
    let rest = stage.takes(answered(1, 3));
    assert_eq!(rest[1..], [disarm(watch(5)), arm(watch(6), 30_000)]);
    // A message during the inquiry counts as well, though both are in the end one turn after the other.
    stage.takes_all([fired(watch(6)), message(2)]);
    assert_eq!(stage.takes(answered(1, 4)), [done, text(2), prompt(1, 5)]);
    assert_eq!(stage.takes(answered(1, 5))[2], arm(watch(8), 30_000));
}

/// Who waits for a person is not to blame, and is not asked.
#[test]
fn approval_suspends_the_watch() {
    let mut stage = WorkerStage::executing();
    let wanted = WorkerEvent::ApprovalRequested { approval: approval(1, 1) };
    assert_eq!(stage.takes(wanted)[1], disarm(watch(1)));
    stage.refuses(fired(watch(1)), &STALE);
    // A loop is warned about, and climbs nothing.
    assert_eq!(stage.takes_all([called(1, 1); 5]), [warn(Concern::Looping)]);
    let answer = WorkerEvent::AnswerReceived { approval: approval(1, 1), answer: Answer::Approved };
    assert_eq!(stage.takes(answer)[1], arm(watch(2), 60_000));
}

/// A restart replaces an iterator that does not even start; the prompt waits for the next one.
#[test]
fn restart_of_a_start_that_hangs_keeps_the_prompt() {
    let mut stage = WorkerStage::new(downbeat_kernel::Config::default());
    stage.takes(WorkerEvent::Assigned);
    stage.takes_all([fired(watch(1)), fired(watch(2))]);
    let [stops, timer] = stop(1);
    assert_eq!(stage.takes(fired(watch(3))), [arm(watch(4), 300_000), stops, timer]);
    let next = [stop_disarmed(1), start(2)];
    assert_eq!(stage.takes(iterator_ended(1, IteratorEnd::Transient)), next);
    assert_eq!(stage.takes(started(2)), [RESUMED[0], RESUMED[1], prompt(2, 2)]);
}
