//! What comes of an act: the kernel's step, what it takes off what is outstanding, what the outside sees of it.

use downbeat_kernel::{Answer, Effect, Kernel, Outcome, SendFailure, TaskState, Visit};

use super::act::{Act, Said, Stopped, event};
use super::id;
use super::outside::{Effects, Flight, Read, Start};
use super::sights::Sight;
use super::world::World;
use crate::watch::{TASKS, TaskIndex};

/// A kernel that has taken the event of an act, and its effects; `None` if it did not apply it, or if the act is no
/// event.
pub(super) fn taken(world: &World, act: Act) -> Option<(Kernel, Effects)> {
    let mut kernel = world.kernel.clone();
    let mut effects = Effects::default();
    let outcome = kernel.step(event(world, act)?, &mut effects);
    (outcome == Outcome::Applied).then_some((kernel, effects))
}

/// What comes of an act.
pub(super) struct Aftermath {
    pub(super) after: World,
    /// `None` if the kernel did not apply the event.
    pub(super) effects: Option<Effects>,
    /// What the step came by in the kernel.
    pub(super) visits: Vec<Visit>,
}

/// What comes of an act that is an event, if all its effects are released, or the first `released` of them. `None` if
/// nothing is in flight where the act says.
pub(super) fn aftermath(world: &World, act: Act, released: Option<usize>) -> Option<Aftermath> {
    let mut after = world.clone();
    let mut visits = Vec::new();
    let effects = after.step(&world.kernel, event(world, act)?, &mut |visit| visits.push(visit));
    if let Some(effects) = &effects {
        after.settle(act);
        after.see_born(&world.kernel);
        after.see(world, act);
        after.see_after(world, act, effects);
        after.release(effects, released.unwrap_or(usize::MAX));
    }
    Some(Aftermath { after, effects, visits })
}

impl World {
    /// Takes an act that was applied off what is outstanding.
    fn settle(&mut self, act: Act) {
        match act {
            Act::Admit { task } | Act::Initialize { task, .. } | Act::StopStart { task, .. } => {
                self.outside.of_mut(task).start = Start::Nothing;
            }
            Act::Respond { task, flight, .. }
            | Act::Fail { task, flight, .. }
            | Act::Lost { task, flight }
            | Act::Stop { task, flight, .. } => {
                self.outside.of_mut(task).land(flight);
            }
            Act::Deliver { task, flight } => self.outside.of_mut(task).deliver(flight),
            Act::ToolEnds { task, call } | Act::StopTool { task, call } => {
                let orders = self.outside.of_mut(task);
                orders.tools &= !(1 << call);
                orders.tools_stopping &= !(1 << call);
            }
            Act::Answer { task, number, answer } => self.outside.of_mut(task).hear(number, answer),
            Act::Bill { task } => self.outside.of_mut(task).pot.bills += 1,
            Act::BudgetTime { task } => {
                let orders = self.outside.of_mut(task);
                orders.budget = None;
                orders.pot.is_late = true;
            }
            Act::Backoff { task } => self.outside.of_mut(task).backoff = None,
            Act::Grace { task } => self.outside.of_mut(task).grace = false,
            Act::StreamGrace { task } => self.outside.of_mut(task).stream_grace = None,
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
            | Act::LateBill { .. }
            | Act::LateBudgetTime { .. }
            | Act::Crash => {}
        }
    }

    /// What the outside sees of an event that was applied, before its effects.
    fn see(&mut self, before: &Self, act: Act) {
        match act {
            Act::Respond { task, flight, said } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                self.see_landed(task, flight, true);
                if said != Said::Empty {
                    self.sees(Sight::TurnAnswered { task, turn: flight.turn });
                    self.outside.of_mut(task).content = 0;
                }
                self.sees(Sight::CallsMade { task, calls: said.calls() });
            }
            Act::Fail { task, flight, failure } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                let is_worked_on = matches!(failure, SendFailure::Transient | SendFailure::Interrupted);
                self.see_landed(task, flight, is_worked_on);
            }
            Act::Lost { task, flight } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                self.see_landed(task, flight, true);
            }
            Act::Stop { task, flight, end } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                self.see_landed(task, flight, true);
                if end == Stopped::Answered {
                    self.sees(Sight::TurnAnswered { task, turn: flight.turn });
                }
            }
            Act::Write { task } => {
                self.outside.written[usize::from(task)] += 1;
                self.sees(Sight::Written { task });
            }
            Act::Cancel { task } => self.sees(Sight::CancelRequested { task }),
            // S19: who wants no more to be spent cancels the tree.
            Act::Answer { task, number, answer: Answer::Denied | Answer::Text }
                if before.outside.of(task).more == Some(number) =>
            {
                self.sees(Sight::CancelRequested { task });
            }
            Act::Pause { task } => self.paused |= 1 << task,
            Act::Resume { task } => self.freed |= 1 << task,
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
            | Act::Deliver { .. }
            | Act::Backoff { .. }
            | Act::Grace { .. }
            | Act::StreamGrace { .. }
            | Act::LateSubmit { .. }
            | Act::LateAcknowledge { .. }
            | Act::LateCancel { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::Bill { .. }
            | Act::LateBill { .. }
            | Act::BudgetTime { .. }
            | Act::LateBudgetTime { .. }
            | Act::Acknowledge { .. }
            | Act::Crash => {}
        }
    }

    /// A request is over, and a provider may have worked on it. Of one that a crash took, that was seen before.
    pub(super) fn see_landed(&mut self, task: TaskIndex, flight: Flight, is_worked_on: bool) {
        let orders = self.outside.of_mut(task);
        if is_worked_on {
            orders.read = if orders.sent < flight.turn { Read::Unsent } else { Read::Perhaps };
        }
        if !flight.gone {
            self.sees(Sight::RequestEnded { task });
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
                self.freed |= 1 << task;
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
        let mut settled = [false; 16];
        before.asking(task).for_each(|number| settled[number as usize % 16] = true);
        self.asking(task).for_each(|number| settled[number as usize % 16] = false);
        for effect in effects.iter() {
            if let Effect::Withdraw { question } = effect
                && question.task == id(task)
            {
                settled[question.number as usize % 16] = false;
            }
        }
        for (number, settled) in (0..).zip(settled) {
            if settled {
                self.sees(Sight::QuestionSettled { task, question: number, named });
            }
        }
    }
}
