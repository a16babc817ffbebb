//! What a task does that a worker runs.

use super::ledger::Ledger;
use super::{After, No};
use crate::calls::CallState;
use crate::lifecycle::{Follow, Hold, Refusal};
use crate::task::{Outstanding, TaskState};
use crate::vocabulary::{CallResult, Effect, End, Outcome, Reason, TaskId};
use crate::worker::{Worker, WorkerEffect, WorkerEnd, WorkerEvent};
use std::boxed::Box;
use std::vec::Vec;

impl Ledger<'_> {
    /// A worker with these first events.
    pub(super) fn deploys(mut self, events: &[WorkerEvent]) -> Result<After, No> {
        self.data.worker = Some(Box::new(Worker::default()));
        let spent = self.data.spent.then_some(WorkerEvent::BudgetSpent);
        let (last, first) = events.split_last().expect("a worker has a first event");
        for event in first.iter().chain(&spent).chain([last]) {
            self.tells(*event).expect("a new worker takes that");
        }
        self.stands(TaskState::Working)
    }

    /// The worker takes an event, or says why not. What it orders goes out, but its end and its reports.
    pub(super) fn tells(&mut self, event: WorkerEvent) -> Result<Option<WorkerEnd>, No> {
        let mut worker = self.data.worker.take().expect("a worker runs the task");
        let (before, mut effects) = (worker.clone(), Vec::new());
        let told = worker.step(event, &self.at.config, &mut |effect| effects.push(effect));
        let held = before.data.hold && !worker.data.hold;
        let limit = self.at.config.inbox_max as usize;
        let full = before.data.inbox.len() >= limit && worker.data.inbox.len() < limit;
        self.data.worker = Some(worker);
        match told {
            Outcome::Applied => {}
            Outcome::Ignored(why) => return Err(No::Because(Refusal::Ignored(why))),
            Outcome::Rejected(why) => return Err(No::Because(Refusal::Worker(why))),
        }
        let (task, mut end) = (self.at.id, None);
        for effect in effects {
            match (effect, self.data.parent) {
                (WorkerEffect::WorkerEnded { end: how }, _) => end = Some(how),
                // At its end nobody is left to ask for room.
                (WorkerEffect::Report { number }, Some(parent)) if end.is_none() && !before.data.kept => {
                    self.follows.push(Follow::Report { parent, child: task, number });
                }
                (effect, Some(_) | None) => self.effects.push(Effect::Worker { task, effect }),
            }
        }
        if held {
            self.release_subtasks();
        }
        if full {
            for call in &self.calls {
                if let CallState::Subtask { child } = *call {
                    self.follows.push(Follow::Room { parent: task, child });
                }
            }
        }
        Ok(end)
    }

    pub(super) fn passes(mut self, event: WorkerEvent) -> Result<After, No> {
        self.tells(event)?;
        let state = self.at.state;
        self.stands(state)
    }

    pub(super) fn passes_from_outside(mut self, event: WorkerEvent) -> Result<After, No> {
        use WorkerEvent as E;
        let own = matches!(
            event,
            E::Assigned
                | E::MessageReceived { .. }
                | E::ChildReported { .. }
                | E::ChildEnded { .. }
                | E::PauseRequested
                | E::ResumeRequested
                | E::BudgetSpent
                | E::BudgetGranted
                | E::KillRequested
                | E::EndAcknowledged
        );
        if own {
            return Err(No::Because(Refusal::NotForShell));
        }
        let state = self.at.state;
        let Some(end) = self.tells(event)? else { return self.stands(state) };
        let end = match end {
            WorkerEnd::Completed => End::Completed,
            WorkerEnd::Failed(why) => End::Failed(Reason::Worker(why)),
            WorkerEnd::Killed => End::Cancelled,
        };
        if matches!(state, TaskState::Cancelling(_)) {
            self.ends_unless_busy(Outstanding::Nothing)
        } else if self.calls.is_empty() {
            self.ends(ended(end))
        } else {
            self.closes_the_account().cancels_subtasks().stands(TaskState::Ending(end))
        }
    }

    pub(super) fn kills(mut self) -> Result<After, No> {
        self = self.closes_the_account();
        let killed = self.tells(WorkerEvent::KillRequested);
        self = self.cancels_subtasks();
        match killed {
            Ok(Some(_)) => self.ends_unless_busy(Outstanding::Nothing),
            Ok(None) | Err(_) => self.stands(TaskState::Cancelling(Outstanding::Worker)),
        }
    }

    fn cancels_subtasks(mut self) -> Self {
        for call in &self.calls {
            if let CallState::Subtask { child } = *call {
                self.follows.push(Follow::Cancel { child });
            }
        }
        self
    }

    pub(super) fn without(mut self, index: u16) -> Self {
        self.calls.remove(usize::from(index));
        self
    }

    pub(super) fn asks_for(mut self, child: TaskId) -> Result<After, No> {
        if let Some(used) = self.highest
            && child.0 <= used.0
        {
            return Err(No::Because(Refusal::IdNotFresh { highest: used, got: child }));
        }
        if self.calls.len() >= usize::from(self.at.config.calls_max) {
            return Err(No::Because(Refusal::TooManyCalls { got: self.calls.len() + 1 }));
        }
        let held = self.data.worker.as_ref().is_some_and(|worker| worker.data.hold);
        let mut room = self.at.room;
        let call = self.makes_subtask(child, if held { Hold::Paused } else { Hold::Running }, &mut room);
        if let CallState::Settled(CallResult::Refused(why)) = call {
            return Err(No::Because(Refusal::Subtask { child, why }));
        }
        self.highest = Some(child);
        self.calls.push(call);
        self.stands(TaskState::Working)
    }
}

/// The state of a task that ended like this.
pub(super) fn ended(end: End) -> TaskState {
    match end {
        End::Completed => TaskState::Completed,
        End::Failed(reason) => TaskState::Failed(reason),
        End::Cancelled => TaskState::Cancelled,
    }
}
