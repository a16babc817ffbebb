//! The attempts at the first root: each is a task of its own in the tree.

use downbeat_kernel::{AttemptNumber, Event, News, Outcome, RetryEffect, RetryEvent, RetryState};

use super::act::WishAct;
use super::state::{Breach, Wish};
use super::step::Step;
use super::words::{TREE, WISH};
use downbeat_wiring::{Word, finding, retry_conclusion};

impl Wish {
    pub(super) fn acts(&self, may: &mut impl FnMut(WishAct)) {
        if self.armed {
            match self.retry.state {
                RetryState::BackingOff { .. } => may(WishAct::ElapseWait),
                RetryState::Running
                | RetryState::Querying { .. }
                | RetryState::Fencing { .. }
                | RetryState::Cancelling { .. } => may(WishAct::Doubt),
                RetryState::Unsubmitted | RetryState::Ended(_) | RetryState::Closed => {}
            }
        }
        if self.is_live() && !self.cancelled {
            may(WishAct::CancelWish);
        }
        if self.ended {
            may(WishAct::Conclude);
        }
    }

    /// Whether it has not ended.
    pub(super) fn is_live(&self) -> bool {
        match self.retry.state {
            RetryState::Unsubmitted | RetryState::Ended(_) | RetryState::Closed => false,
            RetryState::Running
            | RetryState::Querying { .. }
            | RetryState::Fencing { .. }
            | RetryState::BackingOff { .. }
            | RetryState::Cancelling { .. } => true,
        }
    }

    /// The event that an act is to the attempts.
    pub(super) fn event(&self, act: WishAct) -> RetryEvent {
        match act {
            WishAct::ElapseWait | WishAct::Doubt => RetryEvent::Elapsed { timer: self.retry.timer },
            WishAct::CancelWish => RetryEvent::CancelRequested,
            WishAct::Conclude => RetryEvent::EndAcknowledged,
        }
    }
}

impl Step<'_> {
    /// What an act is outside, before the attempts know of it.
    pub(super) fn happens_to_wish(&mut self, act: WishAct) {
        match act {
            WishAct::ElapseWait | WishAct::Doubt => self.wish.armed = false,
            WishAct::CancelWish => self.wish.cancelled = true,
            WishAct::Conclude => self.wish.ended = false,
        }
    }

    /// Gives the attempts an event, and carries out what comes of it.
    pub(super) fn inform_wish(&mut self, event: RetryEvent) -> bool {
        let (before, mut effects) = (self.wish.retry, Vec::new());
        let config = self.model.settings.retry;
        let outcome = self.wish.retry.step(event, &config, &mut |effect| effects.push(effect));
        let (after, is_silent) = (self.wish.retry, effects.is_empty());
        let is_applied = self.judge_outcome(outcome == Outcome::Applied, || before != after || !is_silent);
        for effect in self.cut_short(effects) {
            self.obey_retry(effect);
        }
        is_applied
    }

    fn obey_retry(&mut self, effect: RetryEffect) {
        match effect {
            RetryEffect::Begin { attempt } => {
                let is_cancelled = self.wish.cancelled;
                self.note(Breach::BegunAfterCancel, is_cancelled);
                self.say(Word::Begin(attempt));
            }
            RetryEffect::Query { attempt, query } => {
                let finding = finding(&self.tree.kernel, &self.desk.record, attempt);
                self.tell(WISH, TREE, || format!("asks how attempt {} stands", attempt.0));
                self.say(Word::Retry(RetryEvent::Found { attempt, query, finding }));
            }
            RetryEffect::Fence { attempt, query } => self.say(Word::Fence(attempt, query)),
            RetryEffect::Ended { end } => {
                self.wish.ended = true;
                let conclusion = retry_conclusion(end);
                self.seen.end = Some(conclusion);
                if self.model.scenario.outbox {
                    self.say(Word::Posted(News::Concluded(conclusion)));
                }
            }
            RetryEffect::Arm { .. } => {
                let was = std::mem::replace(&mut self.wish.armed, true);
                self.note(Breach::Disorder, was);
            }
            RetryEffect::Disarm { .. } => self.wish.armed = false,
        }
    }

    /// The submission of an attempt comes to the tree, which may have it already.
    pub(super) fn begin(&mut self, attempt: AttemptNumber) -> bool {
        let known = self.desk.record.task_of(attempt);
        let task = known.unwrap_or_else(|| super::state::id(self.tree.born()));
        let budget = self.model.settings.budget;
        let is_applied = self.inform_tree(Event::TaskSubmitted { task, budget });
        if is_applied {
            self.desk.record.begun(attempt, task);
        }
        is_applied
    }

    pub(super) fn crash_wish(&mut self) {
        (self.wish.armed, self.wish.ended) = (false, false);
        let (retry, mut effects) = (self.wish.retry, Vec::new());
        retry.resync(&self.model.settings.retry, &mut |effect| effects.push(effect));
        for effect in effects {
            self.obey_retry(effect);
        }
    }

    pub(super) fn renumber_wish(&mut self) {
        if self.wish.retry.timer.0 > 1 {
            self.wish.retry.timer.0 = 1;
        }
    }
}
