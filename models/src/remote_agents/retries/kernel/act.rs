//! What can happen around the attempts at a task.

use downbeat_kernel::{AttemptEnd, FailureClass, Finding, QueryNumber, Retry, RetryEvent, RetryTimer};
use downbeat_sim::kinds::Kinds;

use super::super::super::machine::Fair;
use super::super::ledger::{Attempt, Real};
use super::{Around, Asked, FINDINGS, NUMBERS, THROTTLED, number};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Kinds)]
pub enum Act {
    /// Somebody wants the task.
    Submit,
    /// The order to begin arrives, and somebody works.
    Start(Attempt),
    /// An attempt delivers a result, and says so.
    Succeed(Attempt),
    /// An attempt fails, and says so.
    Fail(Attempt, FailureClass),
    /// The agent of an attempt dies without a word.
    Die(Attempt),
    /// What an attempt said arrives.
    Report(Attempt),
    /// Somebody gives up waiting for the attempt.
    TimeOut,
    /// The question or the fence that was ordered last arrives, and is answered.
    Look,
    /// Its answer arrives.
    Answer(Finding),
    /// The timer runs out.
    Elapse,
    /// Somebody cancels the task.
    Cancel,
    /// The end of the task goes on record.
    Record,
    /// A fence that was ordered before arrives.
    FenceLate(Attempt),
    /// Somebody wants the task again.
    SubmitAgain,
    /// The answer to an older question or fence arrives.
    AnswerLate(Finding),
    /// The end of an attempt is reported that was not ordered.
    ReportAhead,
    /// A timer fires that was taken back, or fired before.
    ElapseLate(u8),
}

impl Around {
    /// The event that the machine is told of an act.
    pub(super) fn event_of(&self, machine: &Retry, act: Act) -> Option<RetryEvent> {
        let ended = |attempt, end| Some(RetryEvent::AttemptEnded { attempt: number(attempt), end });
        match act {
            Act::Submit | Act::SubmitAgain => Some(RetryEvent::Submitted),
            Act::Start(_) | Act::Succeed(_) | Act::Fail(..) | Act::Die(_) | Act::Look | Act::FenceLate(_) => {
                None
            }
            Act::Report(attempt) => match self.ledger.attempt(attempt) {
                Real::Succeeded => ended(attempt, AttemptEnd::Succeeded),
                Real::Failed(class) => ended(attempt, AttemptEnd::Failed(class)),
                Real::Unheard | Real::Running | Real::Fenced => None,
            },
            Act::TimeOut => ended(self.ordered.checked_sub(1)?, AttemptEnd::Unknown),
            Act::ReportAhead => ended(self.ordered, AttemptEnd::Succeeded),
            Act::Answer(finding) => {
                let (attempt, query) = (number(self.about), machine.query);
                Some(RetryEvent::Found { attempt, query, finding })
            }
            Act::AnswerLate(finding) => {
                let query = QueryNumber(machine.query.0.checked_sub(1)?);
                Some(RetryEvent::Found { attempt: machine.attempt, query, finding })
            }
            Act::Elapse => Some(RetryEvent::Elapsed { timer: machine.timer }),
            Act::ElapseLate(timer) => Some(RetryEvent::Elapsed { timer: RetryTimer(timer.into()) }),
            Act::Cancel => Some(RetryEvent::CancelRequested),
            Act::Record => Some(RetryEvent::EndAcknowledged),
        }
    }

    /// Every act.
    pub(super) fn enabled(&self, machine: &Retry, acts: &mut Vec<Act>) {
        acts.push(if self.is_wanted { Act::SubmitAgain } else { Act::Submit });
        for attempt in 0..self.ordered {
            self.of_attempt(attempt, acts);
        }
        if self.ordered > 0 {
            acts.push(Act::TimeOut);
        }
        if self.asked != Asked::Nothing {
            acts.push(Act::Look);
        }
        let given = |bits: u8| FINDINGS.into_iter().zip(0..).filter(move |(_, bit)| bits >> bit & 1 == 1);
        acts.extend(given(self.answers).map(|(finding, _)| Act::Answer(finding)));
        if machine.query.0 >= NUMBERS {
            acts.extend(given(self.old_answers).map(|(finding, _)| Act::AnswerLate(finding)));
        }
        acts.extend(self.is_armed.then_some(Act::Elapse));
        acts.extend((self.left.cancels > 0).then_some(Act::Cancel));
        acts.extend(self.ledger.end.is_some().then_some(Act::Record));
        acts.push(Act::ReportAhead);
        let current = u8::try_from(machine.timer.0.min(NUMBERS)).unwrap_or(0);
        acts.extend((1..=current).filter(|timer| *timer < current || !self.is_armed).map(Act::ElapseLate));
    }

    fn of_attempt(&self, attempt: Attempt, acts: &mut Vec<Act>) {
        let is = |bits: u8| bits & 1 << attempt != 0;
        if self.ledger.may_begin(attempt) {
            acts.push(Act::Start(attempt));
        }
        if self.ledger.attempt(attempt) == Real::Running {
            acts.push(Act::Succeed(attempt));
            if self.left.failures > 0 {
                let classes = [FailureClass::Transient, THROTTLED, FailureClass::Permanent];
                acts.extend(classes.map(|class| Act::Fail(attempt, class)));
            }
            acts.extend((self.left.deaths > 0).then_some(Act::Die(attempt)));
        }
        acts.extend(is(self.reports).then_some(Act::Report(attempt)));
        acts.extend(is(self.fences).then_some(Act::FenceLate(attempt)));
    }
}

/// An attempt that runs comes to an end, timers run out, and the end of the task goes on record. Nothing need arrive, and
/// nothing need fail, come late, or crash.
pub(super) fn fair() -> Vec<Fair<Act>> {
    vec![
        ("attempt 1 comes to an end", |act| ends(act, 0)),
        ("attempt 2 comes to an end", |act| ends(act, 1)),
        ("the timer runs out", |act| act == Act::Elapse),
        ("the end of the task goes on record", |act| act == Act::Record),
    ]
}

fn ends(act: Act, attempt: Attempt) -> bool {
    match act {
        Act::Succeed(who) | Act::Fail(who, _) | Act::Die(who) => who == attempt,
        Act::Submit
        | Act::Start(_)
        | Act::Report(_)
        | Act::TimeOut
        | Act::Look
        | Act::Answer(_)
        | Act::Elapse
        | Act::Cancel
        | Act::Record
        | Act::FenceLate(_)
        | Act::SubmitAgain
        | Act::AnswerLate(_)
        | Act::ReportAhead
        | Act::ElapseLate(_) => false,
    }
}
