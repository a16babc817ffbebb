//! What each event does in each state of a worker: the statig hierarchy.

use super::vocabulary::{Source, WorkerEnd, WorkerEvent, WorkerRejected, WorkerTimer};
use super::{Refusal, Surroundings, WorkerMachine, WorkerState};
use crate::faults::Fault;
use crate::health::HealthEvent;
use crate::session::SessionState;
use crate::vocabulary::Ignored;
use statig::Outcome::{self, Handled, Super, Transition};
use statig::blocking::{IntoStateMachine, State, Superstate};

/// The hierarchy above the states, each with the leaf below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerSuper {
    /// Neither ended nor bound to end.
    Live(WorkerState),
    /// A turn has begun and has no answer.
    InTurn(WorkerState),
    /// Ended, and not yet acknowledged.
    Ended(WorkerEnd),
}

impl IntoStateMachine for WorkerMachine<'_> {
    type Event<'e> = WorkerEvent;
    type Context<'c> = Surroundings<'c>;
    type State = WorkerState;
    type Superstate<'s>
        = WorkerSuper
    where
        WorkerState: 's;

    fn initial() -> WorkerState {
        WorkerState::Idle
    }
}

impl<'w> State<WorkerMachine<'w>> for WorkerState {
    fn call_handler(
        &mut self,
        worker: &mut WorkerMachine<'w>,
        event: &WorkerEvent,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<Self> {
        match *self {
            Self::Executing | Self::AwaitingApproval => at_agent(*self, *event, worker, cx),
            Self::BackingOff { .. } => backing_off(*event, worker, cx),
            Self::Ending(end) => ending(end, *event, worker, cx),
            Self::Idle | Self::Held | Self::Cooling | Self::Ended(_) => Super,
        }
    }

    fn call_entry_action(&mut self, worker: &mut WorkerMachine<'w>, cx: &mut Surroundings<'_>) {
        if let Some(end) = self.end() {
            if worker.data.kept && !worker.config.has(Fault::KeptReportLost) {
                worker.data.emit_reports(cx.sink);
            }
            worker.data.emit_end(end, worker.config, cx.sink);
        }
    }

    fn superstate(&mut self) -> Option<WorkerSuper> {
        match *self {
            Self::Idle | Self::Held => Some(WorkerSuper::Live(*self)),
            Self::Executing | Self::AwaitingApproval | Self::BackingOff { .. } | Self::Cooling => {
                Some(WorkerSuper::InTurn(*self))
            }
            Self::Ending(_) => None,
            Self::Ended(end) => Some(WorkerSuper::Ended(end)),
        }
    }
}

impl<'w> Superstate<WorkerMachine<'w>> for WorkerSuper {
    fn call_handler(
        &mut self,
        worker: &mut WorkerMachine<'w>,
        event: &WorkerEvent,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        match *self {
            Self::Live(leaf) => live(leaf, *event, worker, cx),
            Self::InTurn(leaf) => in_turn(leaf, *event, worker, cx),
            Self::Ended(end) => ended(end, *event, worker, cx),
        }
    }

    fn superstate(&mut self) -> Option<WorkerSuper> {
        match *self {
            Self::InTurn(leaf) => Some(Self::Live(leaf)),
            Self::Live(_) | Self::Ended(_) => None,
        }
    }
}

/// The session has the prompt of the turn.
fn at_agent(
    leaf: WorkerState,
    event: WorkerEvent,
    worker: &mut WorkerMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<WorkerState> {
    use WorkerEvent as E;
    // While an iterator starts or stops, what comes is of the one before.
    let answering =
        worker.data.session.state == SessionState::Answering || worker.config.has(Fault::OldIteratorAsks);
    match event {
        // `Live` would do the same: most of what a worker hears is this, and it need not climb there.
        E::Session(event) => worker.session_told(leaf, event, cx),
        E::Observed { prompt, sign } if answering && worker.is_current(prompt) => {
            worker.observed(leaf, sign, cx)
        }
        E::ApprovalRequested { approval } if answering && worker.is_current(approval.prompt) => {
            worker.approval_requested(approval, cx)
        }
        E::AnswerReceived { approval, answer } if worker.is_open(approval) => {
            Transition(worker.answer_received(approval, answer, cx))
        }
        E::Observed { .. }
        | E::ApprovalRequested { .. }
        | E::AnswerReceived { .. }
        | E::Assigned
        | E::MessageReceived { .. }
        | E::ChildReported { .. }
        | E::ChildEnded { .. }
        | E::ProgressReported { .. }
        | E::Reported { .. }
        | E::ReportAcknowledged { .. }
        | E::InterruptRequested { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::BudgetSpent
        | E::BudgetGranted
        | E::WrapUpRequested
        | E::CompleteRequested
        | E::KillRequested
        | E::TimerFired { .. }
        | E::EndAcknowledged => Super,
    }
}

fn backing_off(
    event: WorkerEvent,
    worker: &mut WorkerMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<WorkerState> {
    use WorkerEvent as E;
    match event {
        E::TimerFired { timer: WorkerTimer::Backoff(prompt) }
            if prompt == worker.data.session.accepted || worker.config.has(Fault::AnyWait) =>
        {
            Transition(worker.try_again(cx))
        }
        E::TimerFired { .. }
        | E::Assigned
        | E::MessageReceived { .. }
        | E::ChildReported { .. }
        | E::ChildEnded { .. }
        | E::Session(_)
        | E::Observed { .. }
        | E::ProgressReported { .. }
        | E::ApprovalRequested { .. }
        | E::AnswerReceived { .. }
        | E::Reported { .. }
        | E::ReportAcknowledged { .. }
        | E::InterruptRequested { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::BudgetSpent
        | E::BudgetGranted
        | E::WrapUpRequested
        | E::CompleteRequested
        | E::KillRequested
        | E::EndAcknowledged => Super,
    }
}

/// S12: in whatever gap the turn is, who names it stops it, and who names another one does not.
fn in_turn(
    leaf: WorkerState,
    event: WorkerEvent,
    worker: &mut WorkerMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<WorkerState> {
    use WorkerEvent as E;
    match event {
        E::InterruptRequested { .. }
            if worker.config.has(Fault::InterruptMissesGap)
                && matches!(leaf, WorkerState::BackingOff { .. } | WorkerState::Cooling) =>
        {
            Super
        }
        E::InterruptRequested { turn, then }
            if turn == worker.data.turn || worker.config.has(Fault::InterruptAnyTurn) =>
        {
            Transition(worker.interrupted(leaf, then, cx))
        }
        E::InterruptRequested { .. }
        | E::Assigned
        | E::MessageReceived { .. }
        | E::ChildReported { .. }
        | E::ChildEnded { .. }
        | E::Session(_)
        | E::Observed { .. }
        | E::ProgressReported { .. }
        | E::ApprovalRequested { .. }
        | E::AnswerReceived { .. }
        | E::Reported { .. }
        | E::ReportAcknowledged { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::BudgetSpent
        | E::BudgetGranted
        | E::WrapUpRequested
        | E::CompleteRequested
        | E::KillRequested
        | E::TimerFired { .. }
        | E::EndAcknowledged => Super,
    }
}

/// What every worker does that neither ended nor is bound to, unless its state knows better.
fn live(
    leaf: WorkerState,
    event: WorkerEvent,
    worker: &mut WorkerMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<WorkerState> {
    use WorkerEvent as E;
    match event {
        E::Assigned => worker.assigned(leaf, cx),
        E::MessageReceived { message } => worker.message_received(leaf, message, cx),
        E::ChildReported { child, number } => {
            worker.received(leaf, Source::ChildReported { child, number }, cx)
        }
        E::ChildEnded { child } => worker.received(leaf, Source::ChildEnded { child }, cx),
        E::Session(event) => worker.session_told(leaf, event, cx),
        E::InterruptRequested { turn, then } => worker.late_interrupt(leaf, turn, then, cx),
        E::Observed { prompt, .. } => worker.late_word(prompt, cx),
        E::ApprovalRequested { approval } => worker.late_word(approval.prompt, cx),
        E::AnswerReceived { approval, .. } => worker.late_answer(approval, cx),
        E::ProgressReported { check } => {
            worker.health_told(leaf, HealthEvent::ProgressReported { check }, cx)
        }
        E::Reported { number } => worker.reported(number, cx),
        E::ReportAcknowledged { number } => worker.report_acknowledged(number, cx),
        E::PauseRequested => worker.pause_requested(leaf, cx),
        E::ResumeRequested => worker.resume_requested(leaf, cx),
        E::BudgetSpent => worker.budget_spent(leaf, cx),
        E::BudgetGranted => worker.budget_granted(leaf, cx),
        E::WrapUpRequested => worker.wrap_up_requested(leaf, cx),
        E::CompleteRequested => Transition(worker.end(leaf, WorkerEnd::Completed, cx)),
        E::KillRequested => Transition(worker.end(leaf, WorkerEnd::Killed, cx)),
        E::TimerFired { timer } => worker.timer_fired(leaf, timer, cx),
        E::EndAcknowledged => Super,
    }
}

/// The session closes. The first end wins (S7).
fn ending(
    end: WorkerEnd,
    event: WorkerEvent,
    worker: &mut WorkerMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<WorkerState> {
    use WorkerEvent as E;
    match event {
        E::Session(event) => worker.closing_session_told(end, event, cx),
        E::ReportAcknowledged { number } => worker.report_acknowledged(number, cx),
        // It is reported with the rest of the inbox (S5).
        E::ChildEnded { child } => {
            worker.received(WorkerState::Ending(end), Source::ChildEnded { child }, cx)
        }
        E::MessageReceived { message } => cx.ignore(worker.too_late(message)),
        E::CompleteRequested if end == WorkerEnd::Completed => cx.ignore(Ignored::Duplicate),
        E::KillRequested if worker.config.has(Fault::SecondEndWins) && end != WorkerEnd::Killed => {
            Transition(WorkerState::Ending(WorkerEnd::Killed))
        }
        E::KillRequested if end == WorkerEnd::Killed => cx.ignore(Ignored::Duplicate),
        E::Assigned
        | E::ChildReported { .. }
        | E::Observed { .. }
        | E::ProgressReported { .. }
        | E::ApprovalRequested { .. }
        | E::AnswerReceived { .. }
        | E::Reported { .. }
        | E::InterruptRequested { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::BudgetSpent
        | E::BudgetGranted
        | E::WrapUpRequested
        | E::CompleteRequested
        | E::KillRequested
        | E::TimerFired { .. } => cx.ignore(Ignored::Terminal),
        E::EndAcknowledged => Super,
    }
}

/// Terminal states absorb (S7).
fn ended(
    end: WorkerEnd,
    event: WorkerEvent,
    worker: &WorkerMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<WorkerState> {
    use WorkerEvent as E;
    match event {
        E::EndAcknowledged => Handled,
        E::KillRequested if worker.config.has(Fault::EndedWorkerMoves) && end == WorkerEnd::Completed => {
            Transition(WorkerState::Ended(WorkerEnd::Killed))
        }
        E::MessageReceived { message } => cx.ignore(worker.too_late(message)),
        E::Assigned
        | E::ChildReported { .. }
        | E::ChildEnded { .. }
        | E::Session(_)
        | E::Observed { .. }
        | E::ProgressReported { .. }
        | E::ApprovalRequested { .. }
        | E::AnswerReceived { .. }
        | E::Reported { .. }
        | E::ReportAcknowledged { .. }
        | E::InterruptRequested { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::BudgetSpent
        | E::BudgetGranted
        | E::WrapUpRequested
        | E::CompleteRequested
        | E::KillRequested
        | E::TimerFired { .. } => cx.ignore(Ignored::Terminal),
    }
}

impl Surroundings<'_> {
    pub(super) fn refuse(&mut self, refusal: Refusal) -> Outcome<WorkerState> {
        self.refusal = Some(refusal);
        Handled
    }

    pub(super) fn ignore(&mut self, why: Ignored) -> Outcome<WorkerState> {
        self.refuse(Refusal::Ignored(why))
    }

    pub(super) fn reject(&mut self, rejected: WorkerRejected) -> Outcome<WorkerState> {
        self.refuse(Refusal::Because(rejected))
    }
}
