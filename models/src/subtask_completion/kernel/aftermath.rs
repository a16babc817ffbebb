//! What comes of an action: the kernel's step, what it takes off the budget, what the outside sees of it.

use downbeat_kernel::{Effect, Kernel, Outcome, TaskState};

use super::act::{Act, Action, Said, Stopped, event};
use super::outside::{Effects, Start};
use super::{World, id};
use crate::watch::{TASKS, TaskIndex};

/// A kernel that has taken the event of an act, and its effects; `None` if it did not apply it, or if the act is no
/// event.
pub(super) fn taken(world: &World, act: Act) -> Option<(Kernel, Effects)> {
    let mut kernel = world.kernel.clone();
    let mut effects = Effects::default();
    let outcome = kernel.step(event(world, act)?, &mut effects);
    (outcome == Outcome::Applied).then_some((kernel, effects))
}

/// The state after an action.
pub(super) fn next(world: &World, action: &Action) -> Option<World> {
    let mut after = world.clone();
    let Some(event) = event(world, action.act) else {
        after.crash();
        return Some(after);
    };
    let Some(effects) = after.step(&world.kernel, event) else {
        return action.cut.is_none().then_some(after);
    };
    after.spend(action.act);
    after.see_born(&world.kernel);
    after.see(world, action.act);
    after.see_after(world, action.act, &effects);
    match action.cut {
        None => after.release(&effects),
        Some(cut) => {
            after.release(&effects.cut(usize::from(cut)));
            after.crash();
        }
    }
    Some(after)
}

impl World {
    /// Takes an act that was applied off the budget, and off what is outstanding.
    fn spend(&mut self, act: Act) {
        let left = &mut self.left;
        match act {
            Act::Write { .. } => left.messages -= 1,
            Act::Cancel { .. } => left.cancels -= 1,
            Act::Pause { .. } => left.pauses -= 1,
            Act::Fail { .. } | Act::Dropped { .. } => left.failures -= 1,
            Act::Respond { said, .. } => match said {
                Said::Completion | Said::Subtask | Said::TwoSubtasks => {}
                Said::CompletionToApprove | Said::Question => left.questions -= 1,
                Said::TwoTools | Said::SubtaskAndTool => left.tools -= 1,
                Said::ToolToApprove => (left.tools, left.questions) = (left.tools - 1, left.questions - 1),
                Said::TwoQuestions | Said::QuestionAndSubtask => {
                    (left.mixed, left.questions) = (left.mixed - 1, left.questions - 1);
                }
                Said::CompletionAndTool => (left.mixed, left.tools) = (left.mixed - 1, left.tools - 1),
                Said::CompletionAndSubtask => left.mixed -= 1,
                Said::Text => left.texts -= 1,
                Said::Empty => left.failures -= 1,
            },
            Act::Admit { .. }
            | Act::Initialize { .. }
            | Act::StopStart { .. }
            | Act::Stop { .. }
            | Act::LateResponse { .. }
            | Act::ToolEnds { .. }
            | Act::StopTool { .. }
            | Act::LateTool { .. }
            | Act::Answer { .. }
            | Act::LateAnswer { .. }
            | Act::WriteAgain { .. }
            | Act::WriteAhead { .. }
            | Act::Resume { .. }
            | Act::Backoff { .. }
            | Act::Grace { .. }
            | Act::LateSubmit { .. }
            | Act::LateAcknowledge { .. }
            | Act::LateCancel { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::Acknowledge { .. }
            | Act::Crash => {}
        }
        match act {
            Act::Admit { task } | Act::Initialize { task, .. } | Act::StopStart { task, .. } => {
                self.outside.of_mut(task).start = Start::Nothing;
            }
            Act::Respond { task, flight, .. }
            | Act::Fail { task, flight, .. }
            | Act::Dropped { task, flight }
            | Act::Stop { task, flight, .. } => {
                self.outside.of_mut(task).land(flight);
            }
            Act::ToolEnds { task, call } | Act::StopTool { task, call } => {
                let orders = self.outside.of_mut(task);
                orders.tools &= !(1 << call);
                orders.tools_stopping &= !(1 << call);
            }
            Act::Answer { task, number, .. } => self.outside.of_mut(task).questions &= !(1 << number),
            Act::Backoff { task } => self.outside.of_mut(task).backoff = None,
            Act::Grace { task } => self.outside.of_mut(task).grace = false,
            Act::Acknowledge { task } => self.outside.of_mut(task).ended = false,
            Act::LateResponse { .. }
            | Act::LateTool { .. }
            | Act::LateAnswer { .. }
            | Act::Write { .. }
            | Act::WriteAgain { .. }
            | Act::WriteAhead { .. }
            | Act::Pause { .. }
            | Act::Resume { .. }
            | Act::Cancel { .. }
            | Act::LateSubmit { .. }
            | Act::LateAcknowledge { .. }
            | Act::LateCancel { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::Crash => {}
        }
    }

    /// What the outside sees of an event that was applied, before its effects.
    fn see(&mut self, before: &Self, act: Act) {
        match act {
            Act::Respond { task, flight, said } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                self.watch.request_ended(task);
                if said != Said::Empty {
                    self.watch.turn_answered(task, flight.turn);
                    self.outside.of_mut(task).content = 0;
                }
                self.watch.calls_made(task, said.calls());
            }
            Act::Fail { task, .. } | Act::Dropped { task, .. } => self.watch.request_ended(task),
            Act::Stop { task, flight, end } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                if !flight.gone {
                    self.watch.request_ended(task);
                }
                if end == Stopped::Answered {
                    self.watch.turn_answered(task, flight.turn);
                }
            }
            Act::Write { task } => {
                let m = self.outside.own(task);
                self.watch.message_accepted(task, m);
            }
            Act::Cancel { task } => self.watch.cancel_requested(task),
            Act::Pause { task } => self.held |= 1 << task,
            Act::Resume { task } => self.held &= !(1 << task),
            Act::Admit { .. }
            | Act::Initialize { .. }
            | Act::Answer { .. }
            | Act::LateAnswer { .. }
            | Act::StopStart { .. }
            | Act::LateResponse { .. }
            | Act::ToolEnds { .. }
            | Act::StopTool { .. }
            | Act::LateTool { .. }
            | Act::WriteAgain { .. }
            | Act::WriteAhead { .. }
            | Act::Backoff { .. }
            | Act::Grace { .. }
            | Act::LateSubmit { .. }
            | Act::LateAcknowledge { .. }
            | Act::LateCancel { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::Acknowledge { .. }
            | Act::Crash => {}
        }
    }

    /// Which questions the step settled, and whom a person's pause still holds.
    fn see_after(&mut self, before: &Self, act: Act, effects: &Effects) {
        let answer = if let Act::Answer { task, number, .. } | Act::LateAnswer { task, number } = act {
            Some((task, number))
        } else {
            None
        };
        for task in (0..).take(TASKS) {
            let named = answer.and_then(|(to, number)| (to == task).then_some(number));
            self.see_settled(before, task, named, effects);
            if self.is_bound_to_end(task) {
                self.held &= !(1 << task);
            }
        }
    }

    /// Whether the task is gone, has ended, or is being cancelled.
    fn is_bound_to_end(&self, task: TaskIndex) -> bool {
        self.state(task)
            .is_none_or(|state| state.end().is_some() || matches!(state, TaskState::Cancelling(_)))
    }

    /// The questions that were open, are not, and were not withdrawn: an act that named `named` has settled them.
    fn see_settled(&mut self, before: &Self, task: TaskIndex, named: Option<u8>, effects: &Effects) {
        let mut settled = [false; 8];
        before.asking(task).for_each(|number| settled[number as usize % 8] = true);
        self.asking(task).for_each(|number| settled[number as usize % 8] = false);
        for effect in effects.iter() {
            if let Effect::Withdraw { question } = effect
                && question.task == id(task)
            {
                settled[question.number as usize % 8] = false;
            }
        }
        for (number, settled) in (0..).zip(settled) {
            if settled {
                self.watch.question_settled(task, number, named);
            }
        }
    }
}
