//! What a step may not do, judged where the outside sees it, and the worker's state where it does not.

use downbeat_kernel::{
    Concern, Config, Deadline, Effect, IteratorEnd, SessionEffect, SessionEvent, SessionState, Source,
    TaskState, Worker, WorkerEffect, WorkerEnd, WorkerEvent, WorkerReason, WorkerState, WorkerTimer,
};

use super::act::{Act, CHILD, Kind, TASK, Told};
use super::outside::{Breach, Outside};
use super::world::{World, is_live};

/// One step that was taken.
pub(super) struct Case<'a> {
    pub(super) config: &'a Config,
    pub(super) before: &'a World,
    pub(super) act: Act,
    pub(super) is_applied: bool,
    pub(super) effects: &'a [Effect],
    /// What it led to, its numbers as they came.
    pub(super) after: &'a World,
}

impl Case<'_> {
    /// Notes what was broken.
    pub(super) fn judge(&self, outside: &mut Outside) {
        self.judge_interrupt(outside);
        if !self.is_applied {
            let leaves_a_trace = self.before.tasks != self.after.tasks || !self.effects.is_empty();
            outside.breach(Breach::S25, leaves_a_trace, "an event was not applied, and something changed");
            return;
        }
        let late = self.act.kind == Kind::Late;
        outside.breach(Breach::Stale, late, "something was applied that came late, again, or too early");
        self.judge_end(outside);
        self.judge_invocation(outside);
        self.judge_hold(outside);
        judge_questions(outside);
        self.judge_failure(outside);
        self.judge_waits(outside);
        self.judge_wrap_up(outside);
        self.judge_ladder(outside);
        self.judge_warnings(outside);
    }

    /// S12: exactly an interrupt that names the turn that there is is applied, and nobody works on that turn any more.
    fn judge_interrupt(&self, outside: &mut Outside) {
        let Some(WorkerEvent::InterruptRequested { turn, .. }) = self.act.told.to_worker() else { return };
        let names_it = self.before.worker().is_some_and(|worker| {
            turn == worker.data.turn
                && match worker.state {
                    WorkerState::Executing
                    | WorkerState::AwaitingApproval
                    | WorkerState::BackingOff { .. }
                    | WorkerState::Cooling => true,
                    WorkerState::Idle
                    | WorkerState::Held
                    | WorkerState::Ending(_)
                    | WorkerState::Ended(_) => false,
                }
        });
        outside.breach(
            Breach::S12,
            names_it && !self.is_applied,
            "an interrupt did not stop the turn that it names",
        );
        outside.breach(
            Breach::S12,
            !names_it && self.is_applied,
            "an interrupt stopped a turn that it does not name",
        );
        let goes_on =
            self.before.outside.working().is_some() && self.before.outside.working() == outside.working();
        outside.breach(Breach::S12, names_it && goes_on, "an agent goes on with a turn that was interrupted");
    }

    /// S7, S9: nothing comes of a task that has ended, and it leaves nothing behind.
    fn judge_end(&self, outside: &mut Outside) {
        let is_of_child = matches!(self.act.told, Told::Child(_));
        let had_ended = self.before.outside.end.is_some() && !is_of_child;
        let records = self.act.told == Told::Recorded;
        outside.breach(Breach::S7, had_ended && !records, "something came of a task that has ended");
        outside.breach(
            Breach::S7,
            records && self.after.task().is_some(),
            "a task is there whose end is on record",
        );
        let is_orphaned = outside.end.is_some() && self.after.has_live_child();
        outside.breach(Breach::S9, is_orphaned, "a subtask lives on under a task that has ended");
        let is_bound_to_end = self.after.task().is_some_and(|task| task.state != TaskState::Working);
        let goes_on = self.after.child().is_some_and(|child| child.state == TaskState::Working);
        outside.breach(
            Breach::S9,
            is_bound_to_end && goes_on,
            "a subtask goes on whose parent is about to end",
        );
    }

    /// S4, S5: a prompt takes all that waits when it is invoked.
    fn judge_invocation(&self, outside: &mut Outside) {
        let invoked = |world: &World| world.worker().map(|worker| worker.data.session.accepted);
        let Some(worker) = self.after.worker().filter(|_| invoked(self.before) < invoked(self.after)) else {
            return;
        };
        let entries: Vec<Source> = taken(worker).copied().collect();
        let had =
            |entry: &Source| self.before.worker().is_some_and(|before| taken(before).any(|old| old == entry));
        let comes_later =
            entries.iter().filter(|entry| !had(entry)).skip(1).any(|entry| *entry == Source::WrapUp);
        outside.breach(Breach::WrapUp, comes_later, "the wish to finish is behind what came before it");
        let left: Vec<Source> =
            outside.owed.iter().copied().filter(|entry| !entries.contains(entry)).collect();
        let (of_child, others): (Vec<Source>, Vec<Source>) = left
            .into_iter()
            .partition(|entry| matches!(entry, Source::ChildEnded { .. } | Source::ChildReported { .. }));
        outside.breach(Breach::S4, !of_child.is_empty(), "what a subtask said is not in the next prompt");
        outside.breach(Breach::S5, !others.is_empty(), "an entry waits, and is not in the next prompt");
    }

    /// S13: no other turn begins while a person holds the worker, and nobody asks it; and nobody else holds it.
    fn judge_hold(&self, outside: &mut Outside) {
        let turn = |world: &World| world.worker().map(|worker| worker.data.turn);
        let moved = outside.held && turn(self.before) < turn(self.after) && turn(self.after).is_some();
        outside.breach(Breach::S13, moved, "a person holds the worker, and a turn begins");
        let rests = self.after.standing() == Some(WorkerState::Held);
        let is_watched = outside.armed(|timer| matches!(timer, WorkerTimer::Watch(_)));
        outside.breach(Breach::S13, rests && is_watched, "a held worker is watched");
        outside.breach(Breach::S13, rests && !outside.held, "a worker is held that nobody holds");
    }

    /// S2: a prompt is tried as often as the budget says, and not where another try cannot mend it.
    fn judge_failure(&self, outside: &mut Outside) {
        let starts = self.orders_any(|effect| {
            matches!(
                effect,
                WorkerEffect::Session(SessionEffect::Start { .. } | SessionEffect::Prompt { .. })
            )
        });
        outside.breach(Breach::S2, outside.spent && starts, "a prompt is tried again that may not be");
        let Some(end) = self.failed() else { return };
        outside.failures += 1;
        outside.spent = outside.failures >= self.config.worker_attempts_max || end == IteratorEnd::Permanent;
        let is_bound_to_end = !self.after.standing().is_some_and(is_live);
        outside.breach(
            Breach::S2,
            outside.spent && !is_bound_to_end,
            "a worker goes on that has used up its tries",
        );
        if !outside.spent {
            self.judge_wait(end, outside);
        }
    }

    /// How the iterator ended with which a prompt failed.
    fn failed(&self) -> Option<IteratorEnd> {
        let Told::Worker(WorkerEvent::Session(SessionEvent::IteratorEnded { end, .. })) = self.act.told
        else {
            return None;
        };
        let session = self.before.worker()?.data.session;
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
        let is_open = outside.armed(|timer| matches!(timer, WorkerTimer::Breaker(_)));
        outside.breach(
            Breach::Waits,
            opens && !is_open,
            "one failure follows the other, and the breaker stays closed",
        );
        let unit_ms = if end == IteratorEnd::Throttled { worker_throttled_ms } else { worker_backoff_ms };
        let asked_ms = u64::from(unit_ms) * u64::from(outside.failures);
        let least_ms = if opens { asked_ms.max(breaker_ms.into()) } else { asked_ms };
        let waits = self.orders_any(|effect| {
            matches!(effect, WorkerEffect::Arm {
                timer: WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_),
                after_ms
            } if after_ms >= least_ms)
        });
        outside.breach(Breach::Waits, !waits, "the wait after a failure is shorter than it asks for");
    }

    /// No prompt passes while the wait of one that failed runs.
    fn judge_waits(&self, outside: &mut Outside) {
        let starts = self.orders_any(|effect| {
            matches!(
                effect,
                WorkerEffect::Session(SessionEffect::Start { .. } | SessionEffect::Prompt { .. })
            )
        });
        let waits = outside.armed(|timer| matches!(timer, WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_)));
        outside.breach(Breach::Waits, starts && waits, "a prompt is given while a wait runs");
    }

    /// A worker that is to finish is told next, and ends when it has answered that.
    fn judge_wrap_up(&self, outside: &mut Outside) {
        let had_it = self.before.outside.is_given(Source::WrapUp);
        let answers =
            matches!(self.act.told, Told::Worker(WorkerEvent::Session(SessionEvent::Answered { .. })));
        let goes_on = self.after.standing().is_some_and(is_live);
        outside.breach(
            Breach::WrapUp,
            had_it && answers && goes_on,
            "the agent has finished, and its worker goes on",
        );
        let first = WorkerEvent::TimerFired { timer: WorkerTimer::WrapUp(Deadline::First) };
        let works_on = outside.working().is_some() && outside.working() == self.before.outside.working();
        outside.breach(
            Breach::WrapUp,
            self.act.told == Told::Worker(first) && works_on && !had_it,
            "the time to finish is over by half, and the agent is not told",
        );
    }

    /// L3: health stops a turn once to interrupt it, tells of it, and fails no worker before.
    fn judge_ladder(&self, outside: &mut Outside) {
        let warns = self.warns(Concern::Stuck);
        outside.breach(
            Breach::Ladder,
            warns && outside.signs.warned,
            "a turn is interrupted twice before it has an answer",
        );
        let is_of_health = match self.act.told.to_worker() {
            Some(WorkerEvent::TimerFired { timer: WorkerTimer::Watch(_) } | WorkerEvent::Observed { .. }) => {
                true
            }
            Some(_) | None => false,
        };
        let stops = is_of_health
            && self.before.outside.working().is_some()
            && self.before.outside.working() != outside.working();
        let is_told = warns || outside.signs.warned;
        outside.breach(Breach::Ladder, stops && !is_told, "health stops a turn, and nobody is told");
        let stuck = WorkerEnd::Failed(WorkerReason::Stuck);
        let fails = self.after.standing() == Some(WorkerState::Ending(stuck))
            || self.after.standing() == Some(WorkerState::Ended(stuck));
        let failed = self.before.standing().is_some_and(|state| !is_live(state));
        outside.breach(
            Breach::Ladder,
            fails && !failed && !outside.signs.warned,
            "a worker fails that nobody has interrupted",
        );
        outside.signs.warned |= warns;
    }

    /// A warning is true, and something is done about it.
    fn judge_warnings(&self, outside: &mut Outside) {
        let signs = self.before.outside.signs;
        let is_unfounded = self.warns(Concern::Stuck) && !signs.asked;
        outside.breach(
            Breach::Alarm,
            is_unfounded,
            "a worker is reported as stuck that was not asked, or has shown that it lives",
        );
        let elapsed =
            matches!(self.act.told, Told::Worker(WorkerEvent::TimerFired { timer: WorkerTimer::Watch(_) }));
        let asks = self.orders_any(|effect| matches!(effect, WorkerEffect::AskProgress { .. }));
        outside.breach(
            Breach::Alarm,
            elapsed && asks && signs.active,
            "an agent is asked how far it is that has just shown it",
        );
        for concern in [Concern::Looping, Concern::Errors] {
            if self.warns(concern) {
                self.judge_streak(concern, asks, outside);
            }
        }
    }

    fn judge_streak(&self, concern: Concern, asks: bool, outside: &mut Outside) {
        let Told::Worker(WorkerEvent::Observed { sign, .. }) = self.act.told else { return };
        let is_one = self.before.outside.signs.after(sign, self.config).is(concern, self.config);
        outside.breach(
            Breach::AlarmStreak,
            !is_one,
            "a loop or errors in a row are reported, and there are none",
        );
        let stops = self.before.outside.working() != outside.working();
        let executes = self.before.standing() == Some(WorkerState::Executing);
        outside.breach(
            Breach::AlarmStreak,
            executes && !asks && !stops,
            "a loop or errors in a row are reported, and nothing is done",
        );
    }

    fn warns(&self, of: Concern) -> bool {
        self.orders_any(|effect| effect == WorkerEffect::Warn { concern: of })
    }

    /// Whether one of the effects for the worker is like that.
    fn orders_any(&self, like: impl Fn(WorkerEffect) -> bool) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Worker { task: TASK, effect } if like(*effect)))
    }
}

/// S6: a person is asked only what an agent waits to know.
fn judge_questions(outside: &mut Outside) {
    let waits = outside.working().is_some() || outside.has_lost();
    outside.breach(
        Breach::S6,
        !outside.asks.is_empty() && !waits,
        "a question is open, and its prompt is over",
    );
}

/// What a prompt of the worker contained.
fn taken(worker: &Worker) -> impl Iterator<Item = &Source> {
    worker.data.inbox.iter().take(worker.data.taken)
}

/// What the inbox has when the subtask has ended.
pub(super) const CHILD_ENDED: Source = Source::ChildEnded { child: CHILD };
