//! What may come of a prompt that failed: how often it is tried, and after which wait.

use downbeat_kernel::{
    Config, IteratorEnd, SessionEffect, SessionEvent, SessionState, WorkerEffect, WorkerEvent, WorkerTimer,
};

use super::super::outside::{Breach, Outside};
use super::super::world::is_live;
use super::Case;

impl Case<'_> {
    /// S2: a prompt is tried as often as the budget says, and not where another try cannot mend it.
    pub(super) fn judge_failure(&self, outside: &mut Outside) {
        outside.breach(
            Breach::S2,
            outside.spent && self.prompts(),
            "a prompt is tried again that may not be",
        );
        let Some(end) = self.failed() else { return };
        outside.failures += 1;
        outside.spent = outside.failures >= self.config.worker_attempts_max || end == IteratorEnd::Permanent;
        let goes_on = self.after.standing(self.of).is_some_and(is_live);
        outside.breach(Breach::S2, outside.spent && goes_on, "a worker goes on that has used up its tries");
        if !outside.spent {
            self.judge_wait(end, outside);
        }
    }

    /// No prompt passes while the wait of one that failed runs.
    pub(super) fn judge_waits(&self, outside: &mut Outside) {
        let waits = outside.armed(|timer| matches!(timer, WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_)));
        outside.breach(Breach::Waits, waits && self.prompts(), "a prompt is given while a wait runs");
    }

    /// How the iterator ended with which a prompt failed.
    fn failed(&self) -> Option<IteratorEnd> {
        let WorkerEvent::Session(SessionEvent::IteratorEnded { end, .. }) = self.worker_told()? else {
            return None;
        };
        let session = self.before.worker(self.of)?.data.session;
        let is_its_own = match session.state {
            SessionState::Starting | SessionState::Answering => true,
            SessionState::Dormant
            | SessionState::Listening
            | SessionState::Stopping
            | SessionState::Closing
            | SessionState::Closed => false,
        };
        (is_its_own && session.settled < session.accepted).then_some(end)
    }

    /// The wait after a failure is that of the breaker from so many failures on, and as long as its cause asks.
    fn judge_wait(&self, end: IteratorEnd, outside: &mut Outside) {
        let Config { breaker_max, worker_backoff_ms, worker_throttled_ms, breaker_ms, .. } = *self.config;
        let opens = outside.failures >= breaker_max;
        let stays_closed = opens && !outside.armed(|timer| matches!(timer, WorkerTimer::Breaker(_)));
        outside.breach(
            Breach::Waits,
            stays_closed,
            "one failure follows the other, and the breaker stays closed",
        );
        let unit_ms = if end == IteratorEnd::Throttled { worker_throttled_ms } else { worker_backoff_ms };
        let asked_ms = unit_ms * u32::from(outside.failures);
        let least_ms = if opens { asked_ms.max(breaker_ms) } else { asked_ms };
        let waits = self.orders_any(|effect| wait_ms(effect).is_some_and(|ms| ms >= u64::from(least_ms)));
        outside.breach(Breach::Waits, !waits, "the wait after a failure is shorter than it asks for");
    }

    /// Whether an agent is started, or given a prompt.
    fn prompts(&self) -> bool {
        self.orders_any(|effect| match effect {
            WorkerEffect::Session(effect) => {
                matches!(effect, SessionEffect::Start { .. } | SessionEffect::Prompt { .. })
            }
            WorkerEffect::Include { .. }
            | WorkerEffect::Acknowledge { .. }
            | WorkerEffect::ReportUndelivered { .. }
            | WorkerEffect::AskProgress { .. }
            | WorkerEffect::Ask { .. }
            | WorkerEffect::Withdraw { .. }
            | WorkerEffect::Answer { .. }
            | WorkerEffect::Report { .. }
            | WorkerEffect::Warn { .. }
            | WorkerEffect::Arm { .. }
            | WorkerEffect::Disarm { .. }
            | WorkerEffect::WorkerEnded { .. } => false,
        })
    }
}

/// How long a wait after a failure is, in milliseconds, if it is one.
fn wait_ms(effect: WorkerEffect) -> Option<u64> {
    match effect {
        WorkerEffect::Arm { timer: WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_), after_ms } => {
            Some(after_ms)
        }
        WorkerEffect::Arm { timer: WorkerTimer::Watch(_) | WorkerTimer::WrapUp(_), .. }
        | WorkerEffect::Session(_)
        | WorkerEffect::Include { .. }
        | WorkerEffect::Acknowledge { .. }
        | WorkerEffect::ReportUndelivered { .. }
        | WorkerEffect::AskProgress { .. }
        | WorkerEffect::Ask { .. }
        | WorkerEffect::Withdraw { .. }
        | WorkerEffect::Answer { .. }
        | WorkerEffect::Report { .. }
        | WorkerEffect::Warn { .. }
        | WorkerEffect::Disarm { .. }
        | WorkerEffect::WorkerEnded { .. } => None,
    }
}
