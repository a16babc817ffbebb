//! What health may make of an agent: whom it asks, whom it reports, and what it does then.

use downbeat_kernel::{
    Concern, TaskId, WorkerEffect, WorkerEnd, WorkerEvent, WorkerReason, WorkerState, WorkerTimer,
};

use super::super::outside::{Breach, Outside};
use super::super::world::{World, is_live};
use super::Case;

impl Case<'_> {
    /// L3: until a turn is answered, health interrupts it once, tells of it, and fails no worker before.
    pub(super) fn judge_ladder(&self, outside: &mut Outside) {
        let (warned, warns) = (outside.signs.warned, self.warns(Concern::Stuck));
        outside.breach(
            Breach::Ladder,
            warned && warns,
            "a turn is interrupted twice before it has an answer",
        );
        let is_silent = self.is_of_health() && self.stops(outside) && !warned && !warns;
        outside.breach(Breach::Ladder, is_silent, "health stops a turn, and nobody is told");
        let fails = self.before.standing(self.of).is_some_and(is_live) && is_stuck(self.after, self.of);
        outside.breach(Breach::Ladder, fails && !warned, "a worker fails that nobody has interrupted");
        outside.signs.warned |= warns;
    }

    /// A warning is true, and something is done about it.
    pub(super) fn judge_warnings(&self, outside: &mut Outside) {
        let signs = self.outside_before().signs;
        let is_unfounded = self.warns(Concern::Stuck) && !signs.asked;
        let how = "a worker is reported as stuck that was not asked, or has shown that it lives";
        outside.breach(Breach::Alarm, is_unfounded, how);
        let is_pestered = self.watch_ran_out() && self.asks() && signs.active;
        outside.breach(Breach::Alarm, is_pestered, "an agent is asked how far it is that has just shown it");
        let filled = self.filled();
        for concern in [Concern::Looping, Concern::Errors] {
            let is_unfounded = self.warns(concern) && filled != Some(concern);
            let how = "a loop or errors in a row are reported, and there are none, or they were reported";
            outside.breach(Breach::AlarmStreak, is_unfounded, how);
        }
        if let Some(concern) = filled {
            self.judge_streak(concern, outside);
        }
    }

    /// A loop, or errors in a row, are reported and acted on as soon as there are enough, and each time that there are as
    /// many again. While the agent waits for a person there is nothing to do.
    fn judge_streak(&self, concern: Concern, outside: &mut Outside) {
        let how = "there are enough for a loop, or for errors in a row, and nobody is told";
        outside.breach(Breach::AlarmStreak, !self.warns(concern), how);
        let executes = self.before.standing(self.of) == Some(WorkerState::Executing);
        let is_idle = executes && !self.asks() && !self.stops(outside);
        let how = "there are enough for a loop, or for errors in a row, and nothing is done";
        outside.breach(Breach::AlarmStreak, is_idle, how);
    }

    /// The streak that a sign of the agent fills.
    fn filled(&self) -> Option<Concern> {
        let WorkerEvent::Observed { sign, .. } = self.worker_told()? else { return None };
        self.outside_before().signs.after(sign, self.config).filled_by(sign, self.config)
    }

    fn warns(&self, of: Concern) -> bool {
        self.orders_any(|effect| effect == WorkerEffect::Warn { concern: of })
    }

    /// Whether the agent is asked how far it is.
    fn asks(&self) -> bool {
        self.orders_any(|effect| matches!(effect, WorkerEffect::AskProgress { .. }))
    }

    /// Whether an agent had a prompt, and has it no more.
    fn stops(&self, outside: &Outside) -> bool {
        let before = self.outside_before().working();
        before.is_some() && before != outside.working()
    }

    fn watch_ran_out(&self) -> bool {
        let watch = |event| matches!(event, WorkerEvent::TimerFired { timer: WorkerTimer::Watch(_) });
        self.worker_told().is_some_and(watch)
    }

    /// Whether it is an event of which nobody but health makes anything.
    fn is_of_health(&self) -> bool {
        let observed = |event| matches!(event, WorkerEvent::Observed { .. });
        self.watch_ran_out() || self.worker_told().is_some_and(observed)
    }
}

/// Whether the worker fails because its agent is stuck.
fn is_stuck(world: &World, of: TaskId) -> bool {
    let stuck = WorkerEnd::Failed(WorkerReason::Stuck);
    world
        .standing(of)
        .is_some_and(|state| state == WorkerState::Ending(stuck) || state == WorkerState::Ended(stuck))
}
