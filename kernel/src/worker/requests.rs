//! What people, children, timers and the agent want of a worker, and which of it is refused.
//!
//! Refusals are decided before anything changes (S25).

use super::vocabulary::{
    ApprovalId, Deadline, Source, Then, WorkerEffect, WorkerEnd, WorkerRejected, WorkerTimer,
};
use super::{Approvals, Assignment, Breaker, Refusal, Surroundings, WorkerData, WorkerMachine, WorkerState};
use crate::faults::Fault;
use crate::health::{HealthEvent, Sign};
use crate::session::PromptId;
use crate::vocabulary::{Answer, Ignored, MessageId, TurnNumber};
use statig::Outcome::{self, Handled, Transition};

impl WorkerMachine<'_> {
    pub(super) fn assigned(&mut self, leaf: WorkerState, cx: &mut Surroundings<'_>) -> Outcome<WorkerState> {
        match self.data.assignment {
            Assignment::Awaited => {
                self.data.assignment = Assignment::Unanswered;
                self.arrived(leaf, cx)
            }
            Assignment::Answered if self.config.has(Fault::AssignedTwice) => {
                self.data.assignment = Assignment::Unanswered;
                self.arrived(leaf, cx)
            }
            Assignment::Unanswered | Assignment::Answered => cx.ignore(Ignored::Duplicate),
        }
    }

    /// Takes a message into the inbox (S5).
    pub(super) fn message_received(
        &mut self,
        leaf: WorkerState,
        message: MessageId,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        let expected = MessageId(self.data.accepted.0 + 1);
        let known = (MessageId(1)..expected).contains(&message);
        if known && self.config.has(Fault::InboxDoubled) {
            self.data.inbox.push_back(Source::Message(message));
            return self.arrived(leaf, cx);
        }
        if known {
            return cx.ignore(Ignored::Duplicate);
        }
        if message != expected && !(message > expected && self.config.has(Fault::GapTaken)) {
            if self.config.has(Fault::RefusedWorkerEmits) {
                let source = Source::Message(message);
                cx.emit(WorkerEffect::ReportUndelivered { source, in_doubt: false });
            }
            return cx.reject(WorkerRejected::MessageGap { expected, got: message });
        }
        if let Some(full) = self.full(Source::Message(message)) {
            return cx.reject(full);
        }
        self.data.accepted = message;
        if self.config.has(Fault::InboxReversed) {
            self.data.inbox.insert(self.data.taken, Source::Message(message));
        } else {
            self.data.inbox.push_back(Source::Message(message));
        }
        self.arrived(leaf, cx)
    }

    /// Takes what a child says into the inbox. The child's parent in the tree takes care that it is said once; only what
    /// still waits is known here to be a double.
    pub(super) fn received(
        &mut self,
        leaf: WorkerState,
        source: Source,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        if self.data.inbox.contains(&source) && !self.config.has(Fault::ChildDoubled) {
            return cx.ignore(Ignored::Duplicate);
        }
        if let Some(full) = self.full(source) {
            return cx.reject(full);
        }
        self.data.inbox.push_back(source);
        self.arrived(leaf, cx)
    }

    /// The end of a child is never refused: nobody would tell it again (S3).
    fn full(&self, source: Source) -> Option<WorkerRejected> {
        let limit = self.config.inbox_max;
        let exempt = matches!(source, Source::ChildEnded { .. }) && !self.config.has(Fault::ChildEndRefused);
        let full = !exempt
            && self.data.inbox.len() >= usize::try_from(limit).unwrap_or(usize::MAX)
            && !self.config.has(Fault::InboxUnbounded);
        full.then_some(WorkerRejected::InboxFull { limit, source })
    }

    /// There is something new to do.
    fn arrived(&mut self, leaf: WorkerState, cx: &mut Surroundings<'_>) -> Outcome<WorkerState> {
        if leaf == WorkerState::Idle { Transition(self.go_on(cx)) } else { Handled }
    }

    /// What a message is to a worker that takes none any more. One that it has taken is a double, so that its sender does
    /// not take it elsewhere.
    pub(super) fn too_late(&self, message: MessageId) -> Ignored {
        if (1..=self.data.accepted.0).contains(&message.0) { Ignored::Duplicate } else { Ignored::Terminal }
    }

    pub(super) fn observed(
        &mut self,
        leaf: WorkerState,
        sign: Sign,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        self.health_told(leaf, HealthEvent::Observed(sign), cx)
    }

    /// S12: the turn that it names is over, and no other is stopped for it. But who wanted a hold wanted what comes after that
    /// turn to wait, and that has not changed (S13).
    pub(super) fn late_interrupt(
        &mut self,
        leaf: WorkerState,
        turn: TurnNumber,
        then: Then,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        let was_asked = turn.0 > 0 && turn <= self.data.turn;
        match then {
            Then::Hold if was_asked && !self.config.has(Fault::LateHoldLost) => {
                self.pause_requested(leaf, cx)
            }
            Then::Hold | Then::Resume if was_asked => cx.ignore(Ignored::Stale),
            Then::Hold | Then::Resume => cx.refuse(Refusal::NeverAsked),
        }
    }

    /// Whether it is the prompt of this try: what is said of another one counts for nothing (S6).
    pub(super) fn is_current(&self, prompt: PromptId) -> bool {
        let accepted = self.data.session.accepted;
        prompt == accepted || (prompt < accepted && self.config.has(Fault::AnyTry))
    }

    /// S6: only the question that it names, and not one that was withdrawn.
    pub(super) fn is_open(&self, approval: ApprovalId) -> bool {
        let named = approval.prompt == self.data.session.accepted || self.config.has(Fault::AnyApproval);
        named && self.data.approvals.is_open(approval.number)
    }

    pub(super) fn late_answer(
        &self,
        approval: ApprovalId,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        let ApprovalId { prompt, number } = approval;
        if number == 0 || (prompt == self.data.session.accepted && number > self.data.approvals.asked) {
            return cx.refuse(Refusal::NeverAsked);
        }
        self.late_word(prompt, cx)
    }

    pub(super) fn approval_requested(
        &mut self,
        approval: ApprovalId,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        let Approvals { asked, .. } = self.data.approvals;
        if (1..=asked).contains(&approval.number) {
            return cx.ignore(Ignored::Duplicate);
        }
        let expected = asked + 1;
        if approval.number != expected && !self.config.has(Fault::ApprovalGapTaken) {
            return cx.reject(WorkerRejected::ApprovalGap { expected, got: approval });
        }
        if self.data.approvals.is_full() && !self.config.has(Fault::ApprovalsUnbounded) {
            return cx.reject(WorkerRejected::ApprovalsFull { approval });
        }
        self.data.approvals.ask();
        cx.emit(WorkerEffect::Ask { approval });
        Transition(WorkerState::AwaitingApproval)
    }

    pub(super) fn answer_received(
        &mut self,
        approval: ApprovalId,
        answer: Answer,
        cx: &mut Surroundings<'_>,
    ) -> WorkerState {
        self.data.approvals.settle(approval.number);
        cx.emit(WorkerEffect::Answer { approval, answer });
        if self.data.approvals.open == 0 { WorkerState::Executing } else { WorkerState::AwaitingApproval }
    }

    pub(super) fn reported(&mut self, number: u32, cx: &mut Surroundings<'_>) -> Outcome<WorkerState> {
        let expected = self.data.reported + 1;
        if (1..expected).contains(&number) && self.config.has(Fault::ReportDoubled) {
            cx.emit(WorkerEffect::Report { number });
            return Handled;
        }
        if (1..expected).contains(&number) {
            return cx.ignore(Ignored::Duplicate);
        }
        if number != expected && !self.config.has(Fault::ReportGapTaken) {
            return cx.reject(WorkerRejected::ReportGap { expected, got: number });
        }
        let limit = self.config.inbox_max;
        let full = self.data.reported.saturating_sub(self.data.acknowledged) >= limit;
        if full && !self.config.has(Fault::ReportsUnbounded) {
            return cx.reject(WorkerRejected::ReportsFull { limit, number });
        }
        self.data.reported = number;
        // Those before it are told first.
        if !self.data.kept {
            cx.emit(WorkerEffect::Report { number });
        }
        Handled
    }

    pub(super) fn report_acknowledged(
        &mut self,
        number: u32,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        let WorkerData { reported, acknowledged, kept, .. } = *self.data;
        let given = if kept { acknowledged } else { reported };
        let early = number > given && !self.config.has(Fault::ReportAcknowledgedEarly);
        if number == 0 || early {
            return cx.refuse(Refusal::NeverAsked);
        }
        if number <= self.data.acknowledged {
            return cx.ignore(Ignored::Duplicate);
        }
        self.data.acknowledged = number;
        Handled
    }

    /// S13: no other turn begins. The one that there is goes on.
    pub(super) fn pause_requested(
        &mut self,
        leaf: WorkerState,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        if self.data.hold {
            return cx.ignore(Ignored::Duplicate);
        }
        self.data.hold = true;
        if leaf == WorkerState::Idle { Transition(WorkerState::Held) } else { Handled }
    }

    pub(super) fn resume_requested(
        &mut self,
        leaf: WorkerState,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        if !self.data.hold {
            return cx.ignore(Ignored::Duplicate);
        }
        self.data.hold = false;
        self.data.spent &= !self.config.has(Fault::ResumeLiftsBudget);
        if leaf == WorkerState::Held { Transition(self.go_on(cx)) } else { Handled }
    }

    /// The same where what its tree may spend is spent.
    pub(super) fn budget_spent(
        &mut self,
        leaf: WorkerState,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        if self.data.spent {
            return cx.ignore(Ignored::Duplicate);
        }
        self.data.spent = true;
        if leaf == WorkerState::Idle { Transition(WorkerState::Held) } else { Handled }
    }

    /// What a person holds stays held.
    pub(super) fn budget_granted(
        &mut self,
        leaf: WorkerState,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        if !self.data.spent {
            return cx.ignore(Ignored::Duplicate);
        }
        self.data.spent = false;
        self.data.hold &= !self.config.has(Fault::GrantLiftsHold);
        if leaf == WorkerState::Held && !self.config.has(Fault::GrantUnheard) {
            Transition(self.go_on(cx))
        } else {
            Handled
        }
    }

    /// It comes before everything that was in no prompt yet.
    pub(super) fn wrap_up_requested(
        &mut self,
        leaf: WorkerState,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        if self.data.wrap_up.is_some() && !self.config.has(Fault::WrapUpTwice) {
            return cx.ignore(Ignored::Duplicate);
        }
        let last = self.config.has(Fault::WrapUpLast);
        let place = if last { self.data.inbox.len() } else { self.data.taken };
        self.data.inbox.insert(place, Source::WrapUp);
        if self.data.hold && self.config.has(Fault::WrapUpKeepsHold) {
            self.arm_wrap_up(Deadline::First, cx);
            return Handled;
        }
        self.data.hold = false;
        self.arm_wrap_up(Deadline::First, cx);
        match leaf {
            WorkerState::Idle | WorkerState::Held => Transition(self.go_on(cx)),
            WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling
            | WorkerState::Ending(_)
            | WorkerState::Ended(_) => Handled,
        }
    }

    fn arm_wrap_up(&mut self, deadline: Deadline, cx: &mut Surroundings<'_>) {
        self.data.wrap_up = Some(deadline);
        let after_ms = u64::from(self.config.wrap_up_ms);
        cx.emit(WorkerEffect::Arm { timer: WorkerTimer::WrapUp(deadline), after_ms });
    }

    pub(super) fn timer_fired(
        &mut self,
        leaf: WorkerState,
        timer: WorkerTimer,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        match timer {
            WorkerTimer::Watch(watch) => self.health_told(leaf, HealthEvent::Elapsed { watch }, cx),
            WorkerTimer::Backoff(prompt) => self.late_word(prompt, cx),
            WorkerTimer::Breaker(prompt) => match self.data.breaker {
                Breaker::Open { .. }
                    if prompt == self.data.session.accepted || self.config.has(Fault::AnyWait) =>
                {
                    self.data.breaker = Breaker::Closed;
                    if leaf == WorkerState::Cooling { Transition(self.try_again(cx)) } else { Handled }
                }
                Breaker::Open { .. } | Breaker::Closed => self.late_word(prompt, cx),
            },
            WorkerTimer::WrapUp(deadline) => self.wrap_up_elapsed(leaf, deadline, cx),
        }
    }

    /// What names a prompt that the agent does not have now, or a wait that does not run.
    pub(super) fn late_word(&self, prompt: PromptId, cx: &mut Surroundings<'_>) -> Outcome<WorkerState> {
        if prompt.0 == 0 || prompt > self.data.session.accepted {
            return cx.refuse(Refusal::NeverAsked);
        }
        cx.ignore(Ignored::Stale)
    }

    fn wrap_up_elapsed(
        &mut self,
        leaf: WorkerState,
        deadline: Deadline,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        if self.data.wrap_up.is_none_or(|armed| armed < deadline) {
            return cx.refuse(Refusal::NeverAsked);
        }
        if self.data.wrap_up != Some(deadline) && !self.config.has(Fault::AnyDeadline) {
            return cx.ignore(Ignored::Stale);
        }
        if deadline == Deadline::Last && self.config.has(Fault::WrapUpWithoutEnd) {
            self.arm_wrap_up(Deadline::Last, cx);
            return Handled;
        }
        if deadline == Deadline::Last {
            self.data.wrap_up = None;
            return Transition(self.end(leaf, WorkerEnd::Completed, cx));
        }
        self.arm_wrap_up(Deadline::Last, cx);
        let told = self.data.inbox.iter().take(self.data.taken).any(|source| *source == Source::WrapUp);
        match leaf {
            WorkerState::Executing | WorkerState::AwaitingApproval
                if !told && !self.config.has(Fault::WrapUpWaits) =>
            {
                self.stop_turn(leaf, cx);
                Transition(self.go_on(cx))
            }
            // The next prompt tells it anyway.
            WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::Idle
            | WorkerState::Held
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling
            | WorkerState::Ending(_)
            | WorkerState::Ended(_) => Handled,
        }
    }

    /// What was stopped is still in the inbox, and so it is resumed, now or later, or reported at the end (S12).
    pub(super) fn interrupted(
        &mut self,
        leaf: WorkerState,
        then: Then,
        cx: &mut Surroundings<'_>,
    ) -> WorkerState {
        match then {
            Then::Hold => self.data.hold = true,
            Then::Resume if self.config.has(Fault::InterruptLiftsHold) => self.data.hold = false,
            Then::Resume => {}
        }
        self.stop_turn(leaf, cx);
        self.go_on(cx)
    }
}
