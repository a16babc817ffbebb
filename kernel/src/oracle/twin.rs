//! The task machine a second time: one plain `match` over the event and the state, without a hierarchy.
//!
//! It is written from what the vocabulary and the states promise, event by event, and shares with the machine only
//! the words: none of its guards, none of its helpers. Where both agree on every pair, a mistake would have to be
//! made twice.
//!
//! Here is the table. What its words do to a task is in the [`Ledger`], by what it is about.

mod budget;
mod calls;
mod ending;
mod ledger;
mod turn;
mod working;

use super::situations::Situation;
use crate::calls::CallState;
use crate::lifecycle::{Follow, Refusal, TaskEvent};
use crate::request::RequestEvent;
use crate::task::{Held, Outstanding, TaskData, TaskState};
use crate::vocabulary::{CallResult, Effect, Ignored, MessageId, Reason, TaskId, TurnNumber};
use crate::worker::WorkerEvent;
use budget::late_bill;
use ledger::Ledger;
use std::cmp::Ordering;
use std::vec::Vec;
use working::ended;

/// What an applied event leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct After {
    pub(super) state: TaskState,
    pub(super) data: TaskData,
    pub(super) effects: Vec<Effect>,
    pub(super) follows: Vec<Follow>,
    pub(super) highest: Option<TaskId>,
}

/// Why an event was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    /// The diagram has no such edge.
    Edge,
    Because(Refusal),
    /// It was refused and left a trace all the same, which S25 forbids.
    LeftTrace,
}

const STALE: No = No::Because(Refusal::Ignored(Ignored::Stale));
const DUPLICATE: No = No::Because(Refusal::Ignored(Ignored::Duplicate));
const TERMINAL: No = No::Because(Refusal::Ignored(Ignored::Terminal));
const NEVER_ASKED: No = No::Because(Refusal::NeverAsked);

/// What the task makes of the event.
pub(super) fn twin(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
    use Held as H;
    use Outstanding as O;
    use TaskEvent as E;
    use TaskState as S;
    let ledger = Ledger::of(at);
    match (*event, at.state) {
        (E::EndAcknowledged, S::Completed | S::Failed(_) | S::Cancelled) => ledger.forgotten(),
        (E::MessageReceived { message }, S::Completed | S::Failed(_) | S::Cancelled)
            if message.0 != 0 && message <= at.data.accepted =>
        {
            Err(DUPLICATE)
        }
        (
            E::Request { turn, event: event @ RequestEvent::UsageReported { .. } },
            S::Completed | S::Failed(_) | S::Cancelled,
        ) => match of_this_turn(at, turn).and_then(|()| ledger.bills(event)) {
            Ok(after) => Ok(after),
            Err(_) => Err(TERMINAL),
        },
        (E::Spent { bill, .. }, S::Completed | S::Failed(_) | S::Cancelled) => Err(late_bill(at, bill)),
        (_, S::Completed | S::Failed(_) | S::Cancelled) => Err(TERMINAL),
        (E::EndAcknowledged, _) => Err(No::Edge),

        (E::Spent { bill, spend }, _) => ledger.takes_the_bill(bill, spend),
        (E::BudgetElapsed { grant }, _) => ledger.time_is_over(grant),
        (E::BudgetSpent, _) => ledger.takes_word_of_an_empty_pot(),
        (E::BudgetGranted, _) => ledger.takes_word_of_a_grant(),
        (E::AnswerReceived { number, answer }, _)
            if at.data.account.as_ref().is_some_and(|account| account.question == Some(number)) =>
        {
            ledger.may_spend(answer)
        }

        (
            E::Worker { .. }
            | E::MessageReceived { .. }
            | E::PauseRequested
            | E::ResumeRequested
            | E::SubtaskRequested { .. }
            | E::ChildReported { .. },
            S::Ending(_),
        ) => Err(TERMINAL),
        (E::CancelRequested, S::Ending(_)) => Err(DUPLICATE),
        (E::SubtaskEnded { child, .. }, S::Ending(end)) => match ledger.waits_for(child) {
            Some(index) => {
                let ledger = ledger.without(index);
                if ledger.calls.is_empty() { ledger.ends(ended(end)) } else { ledger.stands(at.state) }
            }
            None => Err(STALE),
        },
        (E::Deployed, S::Initializing) => ledger.deploys(&[WorkerEvent::Assigned]),
        (E::Deployed, S::Paused(H::Initializing)) => {
            ledger.deploys(&[WorkerEvent::PauseRequested, WorkerEvent::Assigned])
        }
        (E::Worker { event }, S::Working | S::Cancelling(O::Worker)) => ledger.passes_from_outside(event),
        (E::Worker { .. } | E::SubtaskRequested { .. }, S::Cancelling(_)) => Err(TERMINAL),
        (E::MessageReceived { message }, S::Working) => {
            ledger.passes(WorkerEvent::MessageReceived { message })
        }
        (E::PauseRequested, S::Working) => ledger.passes(WorkerEvent::PauseRequested),
        (E::ResumeRequested, S::Working) => ledger.passes(WorkerEvent::ResumeRequested),
        (E::ChildReported { child, number }, S::Working) => {
            ledger.passes(WorkerEvent::ChildReported { child, number })
        }
        (E::SubtaskRequested { child }, S::Working) => ledger.asks_for(child),
        (E::SubtaskEnded { child, .. }, S::Working) => match ledger.waits_for(child) {
            Some(index) => {
                let mut ledger = ledger.without(index);
                let _ = ledger.tells(WorkerEvent::ChildEnded { child });
                ledger.stands(S::Working)
            }
            None => Err(STALE),
        },
        (E::CancelRequested, S::Working) => ledger.kills(),
        (E::Worker { .. } | E::SubtaskRequested { .. } | E::ChildReported { .. }, _) => Err(No::Edge),

        (E::Admitted, S::Queued) => ledger.gets_its_place(),
        (E::Admitted, S::Paused(H::Queued)) => ledger.stands(S::Paused(H::Admitted)),
        (E::Admitted, S::Paused(H::Unstarted)) => Err(NEVER_ASKED),
        (E::Admitted, _) => Err(DUPLICATE),

        (E::Initialized, S::Initializing) => ledger.asks_the_model(),
        (E::Initialized, S::Paused(H::Initializing)) => ledger.stands(S::Paused(H::Turn)),
        (E::InitializationFailed, S::Initializing | S::Paused(H::Initializing)) => {
            ledger.ends(S::Failed(Reason::Initialization))
        }
        (E::Initialized | E::InitializationFailed | E::Deployed, S::Cancelling(O::Initialization)) => {
            ledger.stopped(O::Nothing)
        }
        (
            E::Initialized | E::InitializationFailed | E::Deployed,
            S::Queued | S::Paused(H::Unstarted | H::Queued | H::Admitted),
        ) => Err(NEVER_ASKED),
        (E::Initialized | E::InitializationFailed | E::Deployed, _) => Err(DUPLICATE),

        (E::ResponseEnded { turn, attempt, response, jitter_ms }, _) => {
            of_this_turn(at, turn)?;
            ledger.hears(attempt, response, jitter_ms)
        }
        (E::Request { event, .. }, _) if is_own(event) => Err(No::Because(Refusal::NotForShell)),
        (E::Request { turn, event }, _) => {
            of_this_turn(at, turn)?;
            ledger.told(event, None)
        }
        (E::ProfileChanged { event }, _) => ledger.told(event, None),

        (E::ToolEnded { turn, .. }, _) if turn.0 == 0 || turn > at.data.replied => Err(NEVER_ASKED),
        (E::ToolEnded { turn, .. }, _) if turn < at.data.replied => Err(STALE),
        (E::ToolEnded { index, end, .. }, state) => match ledger.call(index) {
            Some(CallState::Running) => {
                let ledger = ledger.settle(index, CallResult::Tool(end));
                match state {
                    S::Cancelling(outstanding) => ledger.stopped(outstanding),
                    S::Queued
                    | S::Initializing
                    | S::Requesting
                    | S::ExecutingTools
                    | S::AwaitingSubtask
                    | S::AwaitingInput
                    | S::AwaitingBudget
                    | S::Working
                    | S::Paused(_)
                    | S::Ending(_)
                    | S::Completed
                    | S::Failed(_)
                    | S::Cancelled => ledger.goes_on(),
                }
            }
            Some(CallState::Settled(_)) => Err(DUPLICATE),
            Some(CallState::Subtask { .. } | CallState::Asking { .. } | CallState::Waiting(_)) | None => {
                Err(NEVER_ASKED)
            }
        },
        (E::SubtaskEnded { child, end }, state) => match ledger.waits_for(child) {
            None => Err(STALE),
            Some(index) => {
                let ledger = ledger.settle(index, CallResult::Subtask { child, end });
                match state {
                    S::Cancelling(outstanding) => ledger.ends_unless_busy(outstanding),
                    S::Queued
                    | S::Initializing
                    | S::Requesting
                    | S::ExecutingTools
                    | S::AwaitingSubtask
                    | S::AwaitingInput
                    | S::AwaitingBudget
                    | S::Working
                    | S::Paused(_)
                    | S::Ending(_)
                    | S::Completed
                    | S::Failed(_)
                    | S::Cancelled => ledger.goes_on(),
                }
            }
        },
        (E::AnswerReceived { number, answer }, _) => match ledger.asks(number) {
            Some((index, wanted)) => ledger.takes_answer(index, wanted, answer),
            None if (1..=at.data.questions).contains(&number) => Err(STALE),
            None => Err(NEVER_ASKED),
        },

        (E::MessageReceived { message }, S::Cancelling(_)) => {
            let known = message.0 != 0 && message <= at.data.accepted;
            Err(if known { DUPLICATE } else { TERMINAL })
        }
        (E::PauseRequested | E::ResumeRequested, S::Cancelling(_)) => Err(TERMINAL),
        (E::MessageReceived { message }, _) => {
            let expected = MessageId(at.data.accepted.0 + 1);
            let queued = at.data.accepted.0 - at.data.taken.0;
            match message.cmp(&expected) {
                Ordering::Less if message.0 == 0 => {
                    Err(No::Because(Refusal::MessageGap { expected, got: message }))
                }
                Ordering::Less => Err(DUPLICATE),
                Ordering::Greater => Err(No::Because(Refusal::MessageGap { expected, got: message })),
                Ordering::Equal if queued >= at.config.messages_max => {
                    Err(No::Because(Refusal::QueueFull { message }))
                }
                Ordering::Equal => ledger.accepts(message),
            }
        }
        (E::Released, S::Paused(H::Unstarted)) => {
            ledger.with(Effect::Enqueue { task: at.id }).stands(S::Queued)
        }
        (E::Released, _) => Err(DUPLICATE),
        (E::PauseRequested, S::Paused(H::Unstarted)) => {
            ledger.with(Effect::Enqueue { task: at.id }).stands(S::Paused(H::Queued))
        }
        (E::PauseRequested, S::Paused(_)) => Err(DUPLICATE),
        (E::PauseRequested, S::Requesting) => {
            ledger.asked(RequestEvent::PauseRequested).stands(S::Paused(H::Requesting))
        }
        (E::PauseRequested, state) => ledger.stands(S::Paused(match state {
            S::Queued => H::Queued,
            S::Initializing => H::Initializing,
            S::AwaitingBudget => H::Turn,
            S::Requesting
            | S::ExecutingTools
            | S::AwaitingSubtask
            | S::AwaitingInput
            | S::Working
            | S::Paused(_)
            | S::Cancelling(_)
            | S::Ending(_)
            | S::Completed
            | S::Failed(_)
            | S::Cancelled => H::Calls,
        })),
        (E::ResumeRequested, S::Paused(held)) => match held {
            H::Unstarted => ledger.with(Effect::Enqueue { task: at.id }).stands(S::Queued),
            H::Queued => ledger.stands(S::Queued),
            H::Admitted => ledger.gets_its_place(),
            H::Initializing => ledger.stands(S::Initializing),
            H::Requesting => ledger.asked(RequestEvent::ResumeRequested).stands(S::Requesting),
            H::Turn => ledger.asks_the_model(),
            H::Calls => ledger.lets_subtasks_go().starts_calls(),
        },
        (E::ResumeRequested, _) => Err(DUPLICATE),

        (E::CancelRequested, S::Cancelling(_)) => Err(DUPLICATE),
        (E::CancelRequested, state) => ledger.winds_down(state),
        (E::GraceElapsed, S::Cancelling(outstanding)) if ledger.busy(outstanding) => ledger.gives_up(),
        (E::GraceElapsed, S::Cancelling(_)) => Err(STALE),
        (E::GraceElapsed, _) => Err(NEVER_ASKED),
    }
}

/// Nothing if the answer is about the last turn, else what is to be said about it.
fn of_this_turn(at: &Situation, turn: TurnNumber) -> Result<(), No> {
    match turn.cmp(&at.data.turn) {
        _ if turn.0 == 0 => Err(NEVER_ASKED),
        Ordering::Greater => Err(NEVER_ASKED),
        Ordering::Less => Err(STALE),
        Ordering::Equal => Ok(()),
    }
}

/// Whether the kernel alone tells a request that.
fn is_own(event: RequestEvent) -> bool {
    use RequestEvent as E;
    matches!(
        event,
        E::Began { .. }
            | E::ResponseEnded { .. }
            | E::ProfileDown { .. }
            | E::ProfileUp { .. }
            | E::PauseRequested
            | E::ResumeRequested
            | E::CancelRequested
    )
}
