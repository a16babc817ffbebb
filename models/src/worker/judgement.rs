//! What a step may not do, judged where the outside sees it, and the worker's state where it does not.

mod failures;
mod health;

use downbeat_kernel::{
    Config, Deadline, Effect, Held, SessionEvent, Source, TaskId, TaskState, Then, Worker, WorkerEffect,
    WorkerEvent, WorkerState, WorkerTimer,
};

use super::act::{Act, CHILD, Kind, TASK, Told};
use super::outside::{Breach, Outside};
use super::step::wants_hold;
use super::world::{World, is_live};

/// One step that was taken.
pub(super) struct Case<'a> {
    pub(super) config: &'a Config,
    pub(super) before: &'a World,
    /// The task whose worker is judged.
    pub(super) of: TaskId,
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
        if self.of == TASK {
            self.judge_family(outside);
            self.judge_reports(outside);
        }
        self.judge_invocation(outside);
        self.judge_hold(outside);
        judge_questions(outside);
        self.judge_failure(outside);
        self.judge_waits(outside);
        self.judge_place_of_wrap_up(outside);
        self.judge_wrap_up(outside);
        self.judge_ladder(outside);
        self.judge_warnings(outside);
    }

    /// S12: an interrupt that names the turn that there is stops it, and any other stops nothing; but a hold holds (S13).
    fn judge_interrupt(&self, outside: &mut Outside) {
        let Some(WorkerEvent::InterruptRequested { turn, then }) = self.worker_told() else { return };
        let names_it = self.before.worker(self.of).is_some_and(|worker| {
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
        let last = |world: &World| world.worker(self.of).map(|worker| worker.data.turn);
        let is_same = self.outside_before().working() == outside.working();
        let stops = last(self.before) != last(self.after) || !is_same;
        let is_taken = self.is_applied && then == Then::Resume;
        outside.breach(
            Breach::S12,
            !names_it && (stops || is_taken),
            "an interrupt stopped a turn that it does not name",
        );
        let goes_on = self.outside_before().working().is_some() && is_same;
        outside.breach(Breach::S12, names_it && goes_on, "an agent goes on with a turn that was interrupted");
        let is_held = self.after.worker(self.of).is_some_and(|worker| worker.data.hold);
        outside.breach(
            Breach::S13,
            wants_hold(self.before, self.act) && !is_held,
            "a person wants the worker held, and it is not",
        );
    }

    /// S7: nothing comes of a task that has ended.
    fn judge_end(&self, outside: &mut Outside) {
        let had_ended = self.outside_before().end.is_some() && self.told().is_some();
        let records = self.told() == Some(Told::Recorded);
        outside.breach(Breach::S7, had_ended && !records, "something came of a task that has ended");
        outside.breach(
            Breach::S7,
            records && self.after.task(self.of).is_some(),
            "a task is there whose end is on record",
        );
    }

    /// S9, S13: a subtask ends with the task that asked for it, and is held back exactly while a person holds that one's worker.
    fn judge_family(&self, outside: &mut Outside) {
        let is_orphaned = outside.end.is_some() && self.after.has_live_child();
        outside.breach(Breach::S9, is_orphaned, "a subtask lives on under a task that has ended");
        let state = |of| self.after.task(of).map(|task| task.state);
        let is_bound_to_end = state(TASK).is_some_and(|state| state != TaskState::Working);
        let goes_on = self.after.has_live_child() && !matches!(state(CHILD), Some(TaskState::Cancelling(_)));
        outside.breach(
            Breach::S9,
            is_bound_to_end && goes_on,
            "a subtask goes on whose parent is about to end",
        );
        let is_back = state(CHILD) == Some(TaskState::Paused(Held::Unstarted));
        outside.breach(Breach::S13, is_back && !outside.held, "a subtask is held back that nobody holds");
        let asks = matches!(self.told(), Some(Told::Subtask(_)));
        outside.breach(
            Breach::S13,
            asks && outside.held && !is_back,
            "a person holds the worker, and its subtask starts",
        );
    }

    /// S4: what a subtask reports comes to its parent: it waits only while there is no room, and goes out only when one of the
    /// two is bound to end.
    fn judge_reports(&self, outside: &mut Outside) {
        let worker = |of| self.after.worker(of).filter(|worker| is_live(worker.state));
        let Some((parent, child)) = worker(TASK).zip(worker(CHILD)) else { return };
        if self.after.task(TASK).is_none_or(|task| task.state != TaskState::Working) {
            return;
        }
        let is_report = |effect: &Effect| {
            matches!(effect, Effect::Worker { task: CHILD, effect: WorkerEffect::Report { .. } })
        };
        let goes_out = self.effects.iter().any(is_report);
        outside.breach(Breach::S4, goes_out, "a report goes out that the parent would take");
        let waits = child.data.acknowledged < child.data.reported;
        let has_room = parent.data.inbox.len() < usize::try_from(self.config.inbox_max).unwrap_or(usize::MAX);
        outside.breach(Breach::S4, waits && has_room, "there is room for a report, and it is not told");
    }

    /// Whether a report of the subtask waited for room, or was not there yet: a prompt of this step need not have it.
    fn waited(&self, entry: Source) -> bool {
        let Source::ChildReported { number, .. } = entry else { return false };
        let child = self.before.worker(CHILD).filter(|child| child.state.end().is_none());
        child.is_some_and(|child| child.data.acknowledged < number)
    }

    /// S4, S5: a prompt takes all that waits when it is invoked.
    fn judge_invocation(&self, outside: &mut Outside) {
        let Some(entries) = self.invoked() else { return };
        let left = outside.owed.iter().copied();
        let left = left.filter(|entry| !entries.contains(entry) && !self.waited(*entry));
        let (of_child, others): (Vec<Source>, Vec<Source>) =
            left.partition(|entry| matches!(entry, Source::ChildEnded { .. } | Source::ChildReported { .. }));
        outside.breach(Breach::S4, !of_child.is_empty(), "what a subtask said is not in the next prompt");
        outside.breach(Breach::S5, !others.is_empty(), "an entry waits, and is not in the next prompt");
    }

    /// A wish to finish comes before everything that was in no prompt yet.
    fn judge_place_of_wrap_up(&self, outside: &mut Outside) {
        let Some(entries) = self.invoked() else { return };
        let before: Vec<Source> = self.before.worker(self.of).into_iter().flat_map(taken).copied().collect();
        let mut new = entries.into_iter().filter(|entry| !before.contains(entry));
        let comes_later = new.position(|entry| entry == Source::WrapUp).is_some_and(|place| place > 0);
        outside.breach(Breach::WrapUp, comes_later, "the wish to finish is behind what came before it");
    }

    /// The entries of the prompt that the worker gives its session in this step.
    fn invoked(&self) -> Option<Vec<Source>> {
        let last = |world: &World| world.worker(self.of).map(|worker| worker.data.session.accepted);
        let worker = self.after.worker(self.of).filter(|_| last(self.before) < last(self.after))?;
        Some(taken(worker).copied().collect())
    }

    /// S13: no turn begins while a person holds the worker, none is tried again, and nobody asks it; and nobody else
    /// holds it.
    fn judge_hold(&self, outside: &mut Outside) {
        let turn = |world: &World| world.worker(self.of).map(|worker| worker.data.turn);
        let moved = outside.held && turn(self.before) < turn(self.after) && turn(self.after).is_some();
        outside.breach(Breach::S13, moved, "a person holds the worker, and a turn begins");
        let invoked = |world: &World| world.worker(self.of).map(|worker| worker.data.session.accepted);
        let tries = outside.held && invoked(self.before) < invoked(self.after) && !moved;
        outside.breach(Breach::S13, tries, "a person holds the worker, and a prompt is given again");
        let rests = self.after.standing(self.of) == Some(WorkerState::Held);
        let asks = self.after.standing(self.of) == Some(WorkerState::AwaitingApproval);
        let is_watched = outside.armed(|timer| matches!(timer, WorkerTimer::Watch(_)));
        outside.breach(
            Breach::S13,
            (rests || asks) && is_watched,
            "a worker is watched that waits for a person",
        );
        outside.breach(Breach::S13, rests && !outside.held, "a worker is held that nobody holds");
    }

    /// A worker that is to finish is told next, and ends when it has answered that.
    fn judge_wrap_up(&self, outside: &mut Outside) {
        let had_it = self.outside_before().is_given(Source::WrapUp);
        let answers = matches!(self.worker_told(), Some(WorkerEvent::Session(SessionEvent::Answered { .. })));
        let goes_on = self.after.standing(self.of).is_some_and(is_live);
        outside.breach(
            Breach::WrapUp,
            had_it && answers && goes_on,
            "the agent has finished, and its worker goes on",
        );
        let first = WorkerEvent::TimerFired { timer: WorkerTimer::WrapUp(Deadline::First) };
        let works_on = outside.working().is_some() && outside.working() == self.outside_before().working();
        outside.breach(
            Breach::WrapUp,
            self.worker_told() == Some(first) && works_on && !had_it,
            "the time to finish is over by half, and the agent is not told",
        );
    }

    /// What happened to the task itself.
    fn told(&self) -> Option<Told> {
        (self.act.of == self.of).then_some(self.act.told)
    }

    /// The same, as far as it concerns the worker alone.
    fn worker_told(&self) -> Option<WorkerEvent> {
        self.told()?.to_worker()
    }

    fn outside_before(&self) -> &Outside {
        self.before.outside(self.of)
    }

    /// Whether one of the effects for the worker is like that.
    fn orders_any(&self, like: impl Fn(WorkerEffect) -> bool) -> bool {
        self.effects.iter().any(
            |effect| matches!(effect, Effect::Worker { task, effect } if *task == self.of && like(*effect)),
        )
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
