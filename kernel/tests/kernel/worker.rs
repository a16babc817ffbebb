//! Turns of a worker: what the agent is given, and what becomes of it.

use crate::worker_stage::{
    WorkerStage, acknowledged, answered, approval, arm, backoff, breaker, disarm, fired, include, interrupt,
    iterator_ended, message, observed, prompt, start, started, stop, stop_disarmed, text, watch,
};
use downbeat_kernel::{
    Answer, Config, Ignored, IteratorEnd, MessageId, Outcome, SessionEvent, Sign, Source, TaskId, Then,
    TurnNumber, WorkerEffect, WorkerEnd, WorkerEvent, WorkerPart, WorkerReason, WorkerRejected, WorkerState,
};

const STALE: Outcome<WorkerRejected> = Outcome::Ignored(Ignored::Stale);
const DUPLICATE: Outcome<WorkerRejected> = Outcome::Ignored(Ignored::Duplicate);

const RESUMED: WorkerPart = WorkerPart::Resumed;
const PROMPT: WorkerPart = WorkerPart::Prompt;

fn never_asked(state: WorkerState, event: WorkerEvent) -> Outcome<WorkerRejected> {
    Outcome::Rejected(WorkerRejected::NeverAsked { state, event })
}

fn part(source: Source) -> WorkerEffect {
    include(WorkerPart::Source(source))
}

#[test]
fn task_begins_the_first_turn_and_messages_the_next_ones_in_their_order() {
    let mut stage = WorkerStage::new(Config::default());
    // Nothing begins without a task.
    assert_eq!(stage.takes(message(1)), []);
    assert_eq!(stage.takes(WorkerEvent::Assigned), [start(1), arm(watch(1), 60_000)]);
    stage.refuses(WorkerEvent::Assigned, &DUPLICATE);
    assert_eq!(stage.takes(message(2)), []);
    assert_eq!(stage.takes(started(1)), [include(PROMPT), text(1), prompt(1, 1)]);
    assert_eq!(stage.takes_all([message(3), message(4)]), []);
    // Two wait when the turn is answered: one turn takes all.
    let second = [acknowledged(1), text(2), text(3), text(4), prompt(1, 2)];
    assert_eq!(stage.takes(answered(1, 1)), second);
    let rest = [acknowledged(2), acknowledged(3), acknowledged(4), disarm(watch(1)), arm(watch(2), 30_000)];
    assert_eq!(stage.takes(answered(1, 2)), rest);
    assert_eq!(stage.state(), WorkerState::Idle);
    let third = [text(5), prompt(1, 3), disarm(watch(2)), arm(watch(3), 60_000)];
    assert_eq!(stage.takes(message(5)), third);
    stage.refuses(message(5), &DUPLICATE);
    let (expected, got) = (MessageId(6), MessageId(7));
    stage.refuses(message(7), &Outcome::Rejected(WorkerRejected::MessageGap { expected, got }));
}

/// S12: the interrupt names a turn, and finds it wherever it waits.
#[test]
fn interrupt_stops_its_turn_in_every_gap_and_what_it_stopped_is_resumed() {
    let transient = |iterator| iterator_ended(iterator, IteratorEnd::Transient);
    let asked = WorkerEvent::ApprovalRequested { approval: approval(2, 1) };
    let cooling = [
        transient(1),
        fired(backoff(2)),
        started(2),
        transient(2),
        fired(backoff(3)),
        started(3),
        transient(3),
    ];
    let withdraw = WorkerEffect::Withdraw { approval: approval(2, 1) };
    let [stops, stop_timer] = stop(1);
    #[rustfmt::skip]
    let cases: [(&str, &[WorkerEvent], &[WorkerEffect]); 4] = [
        ("executing",             &[],             &[stops, stop_timer]),
        ("waiting for approval",  &[asked],        &[withdraw, stops, stop_timer, arm(watch(4), 60_000)]),
        ("backing off",           &[transient(1)], &[disarm(backoff(2)), start(2), arm(watch(4), 60_000)]),
        ("cooling",               &cooling,        &[]),
    ];
    for (name, gap, expected) in cases {
        let mut at = WorkerStage::idle();
        at.takes(message(1));
        at.takes_all(gap.iter().copied());
        let state = at.state();
        at.refuses(interrupt(1, Then::Resume), &STALE);
        at.refuses(interrupt(3, Then::Hold), &never_asked(state, interrupt(3, Then::Hold)));
        at.refuses(interrupt(0, Then::Hold), &never_asked(state, interrupt(0, Then::Hold)));
        let mut resumed = at.clone();
        assert_eq!(resumed.takes(interrupt(2, Then::Resume)), expected, "{name}");
        assert_eq!(resumed.worker.data.turn, TurnNumber(3), "{name}");
        resumed.refuses(interrupt(2, Then::Resume), &STALE);
        at.takes(interrupt(2, Then::Hold));
        assert_eq!(at.state(), WorkerState::Held, "{name}");
        at.refuses(interrupt(2, Then::Resume), &STALE);
        assert_eq!(at.worker.data.inbox, [Source::Message(MessageId(1))], "{name}: nothing is lost");
    }
}

/// S13: a person wanted the worker held. S12: the turn that has begun meanwhile is another one.
#[test]
fn hold_that_comes_after_its_turn_holds_and_stops_nothing() {
    let failed = iterator_ended(1, IteratorEnd::Transient);
    #[rustfmt::skip]
    let cases: [(&str, &[WorkerEvent], &[WorkerEffect], WorkerState); 3] = [
        ("answered, and nothing to do", &[],                   &[disarm(watch(2))], WorkerState::Held),
        ("the next turn executes",      &[message(1)],         &[],                 WorkerState::Executing),
        ("the next turn backs off",     &[message(1), failed], &[],                 WorkerState::BackingOff { after_ms: 2_000 }),
    ];
    for (name, since, expected, state) in cases {
        let mut at = WorkerStage::idle();
        at.takes_all(since.iter().copied());
        let turn = at.worker.data.turn;
        assert_eq!(at.takes(interrupt(1, Then::Hold)), expected, "{name}");
        assert_eq!((at.state(), at.worker.data.turn), (state, turn), "{name}");
        at.refuses(interrupt(1, Then::Hold), &DUPLICATE);
        at.takes(WorkerEvent::KillRequested);
        at.refuses(interrupt(1, Then::Hold), &Outcome::Ignored(Ignored::Terminal));
    }
    let mut late = WorkerStage::executing();
    late.takes(message(1));
    late.takes_all([answered(1, 1), interrupt(1, Then::Hold)]);
    assert_eq!(late.takes(answered(1, 2)), [acknowledged(1), disarm(watch(1))]);
    assert_eq!(late.state(), WorkerState::Held);
}

#[test]
fn interrupted_turn_comes_again_before_what_is_new() {
    let mut stage = WorkerStage::idle();
    stage.takes_all([message(1), message(2), interrupt(2, Then::Resume), message(3)]);
    let next = [stop_disarmed(1), start(2)];
    assert_eq!(stage.takes(iterator_ended(1, IteratorEnd::Normal)), next);
    // What came before the interrupt and was not in the turn goes with what was; what came after it waits.
    assert_eq!(stage.takes(started(2)), [include(RESUMED), text(1), text(2), prompt(2, 3)]);
    let rest = [acknowledged(1), acknowledged(2), text(3), prompt(2, 4)];
    assert_eq!(stage.takes(answered(2, 3)), rest);
}

#[test]
fn children_speak_in_the_inbox_beside_the_person() {
    let child = TaskId(7);
    let (told, gone) = (Source::ChildReported { child, number: 1 }, Source::ChildEnded { child });
    let mut stage = WorkerStage::executing();
    let said =
        [WorkerEvent::ChildReported { child, number: 1 }, message(1), WorkerEvent::ChildEnded { child }];
    assert_eq!(stage.takes_all(said), []);
    stage.refuses(said[0], &DUPLICATE);
    assert_eq!(stage.takes(answered(1, 1)), [part(told), text(1), part(gone), prompt(1, 2)]);
    let limit = 3;
    stage.config.inbox_max = limit;
    let source = Source::Message(MessageId(2));
    stage.refuses(message(2), &Outcome::Rejected(WorkerRejected::InboxFull { limit, source }));
}

/// S6: another try of the same turn is another agent, which numbers its questions anew.
#[test]
fn what_is_said_of_another_try_of_the_turn_counts_for_nothing() {
    let ask = |prompt, number| WorkerEvent::ApprovalRequested { approval: approval(prompt, number) };
    let says = |prompt| {
        let answer = Answer::Approved;
        WorkerEvent::AnswerReceived { approval: approval(prompt, 1), answer }
    };
    let mut stage = WorkerStage::executing();
    stage.takes_all([ask(1, 1), iterator_ended(1, IteratorEnd::Transient), fired(backoff(1)), started(2)]);
    assert_eq!(stage.worker.data.turn, TurnNumber(1));
    for late in [ask(1, 1), ask(1, 2), says(1), observed(1, Sign::Activity)] {
        stage.refuses(late, &STALE);
    }
    assert_eq!(stage.takes(ask(2, 1))[0], WorkerEffect::Ask { approval: approval(2, 1) });
    stage.refuses(says(1), &STALE);
    stage.takes(says(2));
    assert_eq!(stage.state(), WorkerState::Executing);
}

/// S13: the turn goes on, and no other begins until the person says so.
#[test]
fn held_worker_stays_held_whatever_comes() {
    let mut stage = WorkerStage::executing();
    assert_eq!(stage.takes_all([WorkerEvent::PauseRequested, message(1)]), []);
    stage.refuses(WorkerEvent::PauseRequested, &DUPLICATE);
    assert_eq!(stage.takes(answered(1, 1)), [disarm(watch(1))]);
    assert_eq!(stage.state(), WorkerState::Held);
    let child = TaskId(7);
    let quiet = [message(2), WorkerEvent::ChildEnded { child }, iterator_ended(1, IteratorEnd::Normal)];
    assert_eq!(stage.takes_all(quiet), []);
    // There is no timer that could ask it, and an old one does not.
    assert_eq!(stage.resync(), []);
    stage.refuses(fired(watch(1)), &STALE);
    assert_eq!(stage.state(), WorkerState::Held);
    assert_eq!(stage.takes(WorkerEvent::ResumeRequested), [start(2), arm(watch(2), 60_000)]);
    stage.refuses(WorkerEvent::ResumeRequested, &DUPLICATE);
    let gone = part(Source::ChildEnded { child });
    assert_eq!(stage.takes(started(2)), [text(1), text(2), gone, prompt(2, 2)]);
}

#[test]
fn interrupt_that_resumes_does_not_lift_a_hold() {
    let mut stage = WorkerStage::executing();
    stage.takes(WorkerEvent::PauseRequested);
    stage.takes(interrupt(1, Then::Resume));
    assert_eq!(stage.state(), WorkerState::Held);
}

/// S13: what failed is given again when the person who holds the worker lets it go on.
#[test]
fn held_worker_does_not_try_again() {
    let mut stage = WorkerStage::executing();
    stage.takes_all([iterator_ended(1, IteratorEnd::Transient), WorkerEvent::PauseRequested]);
    assert_eq!(stage.takes(fired(backoff(1))), []);
    assert_eq!((stage.state(), stage.resync()), (WorkerState::Held, vec![]));
    assert_eq!(stage.takes(WorkerEvent::ResumeRequested), [start(2), arm(watch(2), 60_000)]);
    assert_eq!(stage.takes(started(2)), [include(RESUMED), include(PROMPT), prompt(2, 2)]);
}

/// S6: each answer settles the question that it names, and what ends the prompt takes the others back.
#[test]
fn approvals_are_settled_one_by_one_and_by_an_interrupt() {
    let ask = |number| WorkerEvent::ApprovalRequested { approval: approval(1, number) };
    let asks = |number| WorkerEffect::Ask { approval: approval(1, number) };
    let answer = Answer::Denied;
    let says = |number| WorkerEvent::AnswerReceived { approval: approval(1, number), answer };
    let told = |number| WorkerEffect::Answer { approval: approval(1, number), answer };
    let withdraw = |number| WorkerEffect::Withdraw { approval: approval(1, number) };
    let mut stage = WorkerStage::executing();
    assert_eq!(stage.takes(ask(1)), [asks(1), disarm(watch(1))]);
    assert_eq!(stage.takes_all([ask(2), ask(3)]), [asks(2), asks(3)]);
    stage.refuses(ask(3), &DUPLICATE);
    let (expected, got) = (4, approval(1, 5));
    stage.refuses(ask(5), &Outcome::Rejected(WorkerRejected::ApprovalGap { expected, got }));
    assert_eq!(stage.takes(says(2)), [told(2)]);
    stage.refuses(says(2), &STALE);
    stage.refuses(says(4), &never_asked(WorkerState::AwaitingApproval, says(4)));
    assert_eq!(stage.resync(), [include(PROMPT), prompt(1, 1), asks(1), asks(3)]);
    let mut all = stage.clone();
    assert_eq!(all.takes_all([says(3), says(1)]), [told(3), told(1), arm(watch(2), 60_000)]);
    assert_eq!(all.state(), WorkerState::Executing);
    let [stops, timer] = stop(1);
    let stopped = [withdraw(1), withdraw(3), stops, timer];
    assert_eq!(stage.takes(interrupt(1, Then::Hold)), stopped);
    stage.refuses(says(1), &STALE);
    // The same numbers in the next turn are other questions.
    stage.takes_all([WorkerEvent::ResumeRequested, iterator_ended(1, IteratorEnd::Normal)]);
    stage.refuses(WorkerEvent::ApprovalRequested { approval: approval(2, 1) }, &STALE);
    stage.takes(started(2));
    stage.takes(WorkerEvent::ApprovalRequested { approval: approval(2, 1) });
    stage.refuses(says(1), &STALE);
}

#[test]
fn approvals_fit_a_window_of_32() {
    let ask = |number| WorkerEvent::ApprovalRequested { approval: approval(1, number) };
    let answer = Answer::Approved;
    let says = |number| WorkerEvent::AnswerReceived { approval: approval(1, number), answer };
    let mut stage = WorkerStage::executing();
    stage.takes_all((1..=32).map(ask));
    let full = Outcome::Rejected(WorkerRejected::ApprovalsFull { approval: approval(1, 33) });
    stage.refuses(ask(33), &full);
    stage.takes(says(2));
    stage.refuses(ask(33), &full);
    stage.takes_all([says(1), ask(33), ask(34)]);
    stage.takes_all((3..=34).rev().map(says));
    assert_eq!(stage.state(), WorkerState::Executing);
}

/// Waits grow with the failures in a row; three open the breaker, and one success closes it.
#[test]
fn failures_back_off_and_open_the_breaker() {
    use IteratorEnd::{Normal, Throttled, Transient};
    let mut stage = WorkerStage::executing();
    let first = [arm(backoff(1), 2_000), disarm(watch(1))];
    assert_eq!(stage.takes(iterator_ended(1, Normal)), first);
    stage.refuses(fired(backoff(2)), &never_asked(stage.state(), fired(backoff(2))));
    stage.takes(message(1));
    assert_eq!(stage.takes(fired(backoff(1))), [start(2), arm(watch(2), 60_000)]);
    stage.refuses(fired(backoff(1)), &STALE);
    // The second try of the same turn takes what has come since.
    assert_eq!(stage.takes(started(2)), [include(RESUMED), include(PROMPT), text(1), prompt(2, 2)]);
    assert_eq!(stage.worker.data.turn, TurnNumber(1));
    let second = [arm(backoff(2), 60_000), disarm(watch(2))];
    assert_eq!(stage.takes(iterator_ended(2, Throttled)), second);
    stage.takes_all([fired(backoff(2)), started(3)]);
    // Six seconds are less than the breaker's thirty, ninety are more.
    let mut throttled = stage.clone();
    assert_eq!(stage.takes(iterator_ended(3, Transient)), [arm(breaker(3), 30_000), disarm(watch(3))]);
    assert_eq!(throttled.takes(iterator_ended(3, Throttled))[0], arm(breaker(3), 90_000));
    assert_eq!(stage.state(), WorkerState::Cooling);
    assert_eq!(stage.resync(), [arm(breaker(3), 30_000)]);
    // A new turn waits for the same timer, also when the worker was held in between.
    stage.takes_all([interrupt(1, Then::Hold), WorkerEvent::ResumeRequested]);
    assert_eq!((stage.state(), stage.worker.data.turn), (WorkerState::Cooling, TurnNumber(2)));
    let mut held = stage.clone();
    held.takes(interrupt(2, Then::Hold));
    assert_eq!(held.takes(fired(breaker(3))), []);
    assert_eq!(held.takes(WorkerEvent::ResumeRequested)[0], start(4));
    // One try; it opens again at once, or closes.
    assert_eq!(stage.takes(fired(breaker(3)))[0], start(4));
    stage.takes(started(4));
    let mut again = stage.clone();
    assert_eq!(again.takes(iterator_ended(4, Transient))[0], arm(breaker(4), 30_000));
    stage.takes_all([answered(4, 4), message(2)]);
    assert_eq!(stage.takes(iterator_ended(4, Transient))[0], arm(backoff(5), 2_000));
}

#[test]
fn failures_that_no_other_try_can_mend_end_the_worker() {
    let failed = |reason| WorkerEffect::WorkerEnded { end: WorkerEnd::Failed(reason) };
    let mut stage = WorkerStage::executing();
    let refused = [disarm(watch(1)), failed(WorkerReason::Refused)];
    assert_eq!(stage.takes(iterator_ended(1, IteratorEnd::Permanent)), refused);
    let mut stage = WorkerStage::executing();
    for failures in 1..10 {
        stage.takes(iterator_ended(failures, IteratorEnd::Transient));
        let timer = if failures < 3 { backoff(failures) } else { breaker(failures) };
        stage.takes_all([fired(timer), started(failures + 1)]);
    }
    let spent = [disarm(watch(10)), failed(WorkerReason::AttemptsExhausted)];
    assert_eq!(stage.takes(iterator_ended(10, IteratorEnd::Transient)), spent);
}

#[test]
fn shell_cannot_drive_the_session_behind_the_worker() {
    let mut stage = WorkerStage::executing();
    let prompt = downbeat_kernel::PromptId(1);
    for event in [
        SessionEvent::Invoked { prompt: downbeat_kernel::PromptId(2) },
        SessionEvent::AbortRequested { prompt },
        SessionEvent::RestartRequested,
        SessionEvent::CloseRequested,
    ] {
        let refused = Outcome::Rejected(WorkerRejected::NotForShell { event });
        stage.refuses(WorkerEvent::Session(event), &refused);
    }
}

#[test]
fn reports_go_out_in_their_order_until_they_are_acknowledged() {
    let report = |number| WorkerEvent::Reported { number };
    let acknowledge = |number| WorkerEvent::ReportAcknowledged { number };
    let goes = |number| WorkerEffect::Report { number };
    let mut stage = WorkerStage::idle();
    assert_eq!(stage.takes_all([report(1), report(2)]), [goes(1), goes(2)]);
    stage.refuses(report(1), &DUPLICATE);
    let (expected, got) = (3, 4);
    stage.refuses(report(4), &Outcome::Rejected(WorkerRejected::ReportGap { expected, got }));
    assert_eq!(stage.takes(acknowledge(1)), []);
    stage.refuses(acknowledge(1), &DUPLICATE);
    stage.refuses(acknowledge(3), &never_asked(WorkerState::Idle, acknowledge(3)));
    assert_eq!(stage.resync()[..1], [goes(2)]);
    stage.config.inbox_max = 1;
    stage.refuses(report(3), &Outcome::Rejected(WorkerRejected::ReportsFull { limit: 1, number: 3 }));
}
