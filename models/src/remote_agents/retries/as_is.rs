//! Attempts as they are designed: a time-out, a number of retries, and the status that comes last.
//!
//! ```text
//! submit ──▶ write running, send the details        time-out or a failure ──▶ write the next attempt, send the details
//! report ──▶ write completed or failed              cancel ──▶ signal the agent, write cancelled
//! ```
//! Each of these is a step, since an `await` lies between any two. A report names the task, and not which attempt at it. The
//! design says that failures are retried, "number of retries, backoff strategy, potentially based on error type"; that a
//! time-out counts as one is how such logic is written. What waits for a time-out is in memory.

use downbeat_kernel::{AttemptNumber, FailureClass, RetryEnd, RetryReason};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Fairness, Lane, Model, Property, Told};
use downbeat_sim::report::Verdict;

use super::ledger::{ATTEMPTS, Attempt, Ledger, Real, end_word};
use super::properties::{Judged, of_retries};

/// What the orchestrator has begun and not ended. A crash forgets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Hands {
    /// Nothing, and no time-out runs.
    Empty,
    /// The attempt is written down, and its details are not sent.
    Sending,
    /// The details are sent, and a time-out runs.
    Waiting,
}

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    failures: u8,
    cancels: u8,
    losses: u8,
    crashes: u8,
}

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    ledger: Ledger,
    /// What the store says: the attempt that is under way, and the end.
    attempt: Attempt,
    status: Option<RetryEnd>,
    hands: Hands,
    /// The agent was told to stop, and `cancelled` is not written; a crash forgets that too.
    is_cancelling: bool,
    /// Details on their way, reports on their way, orders to stop on their way: one bit for each attempt.
    details: u8,
    reports: u8,
    stops: u8,
    left: Left,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// The orchestrator sends the details of the attempt that it wrote down.
    Send,
    /// An agent begins.
    Begin(Attempt),
    /// It completes the task.
    Complete(Attempt),
    /// It fails.
    Fail(Attempt),
    /// The orchestrator reads the report of an attempt, and writes.
    Read(Attempt),
    /// It has waited long enough, and writes.
    TimeOut,
    /// The user cancels the task, and its agent is told to stop.
    Cancel,
    /// `cancelled` is written.
    WriteCancelled,
    /// An agent reads that it is to stop.
    Stop(Attempt),
    /// The details of an attempt are lost.
    LoseDetails(Attempt),
    /// The report of an attempt is lost.
    LoseReport(Attempt),
    /// The orchestrator crashes, and begins anew.
    Crash,
}

/// The system of the design.
#[derive(Clone, Debug)]
pub struct AsIs {
    attempts: Attempt,
    left: Left,
}

const DESK: Lane = 0;
const USER: Lane = 1;

fn lane(attempt: Attempt) -> Lane {
    usize::from(attempt) + 2
}

fn bit(attempt: Attempt) -> u8 {
    1 << attempt
}

fn spend(budget: &mut u8) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    Some(())
}

impl State {
    fn write(&mut self, end: RetryEnd) {
        self.ledger.say(end, self.attempt + 1);
        self.status = Some(end);
        // Details that are to be sent go out all the same: who sends them is another handler.
        if self.hands == Hands::Waiting {
            self.hands = Hands::Empty;
        }
    }

    /// Whatever failed, it is tried again, or that was the last time.
    fn try_again(&mut self, attempts: Attempt) {
        if self.attempt + 1 < attempts {
            self.attempt += 1;
            self.ledger.order();
            self.hands = Hands::Sending;
        } else {
            self.write(RetryEnd::Failed(RetryReason::Exhausted));
        }
    }

    fn read(&mut self, attempt: Attempt, attempts: Attempt) {
        self.reports &= !bit(attempt);
        if self.ledger.attempt(attempt) == Real::Succeeded {
            self.write(RetryEnd::Completed { attempt: AttemptNumber(u32::from(attempt) + 1) });
        } else if self.status.is_none() {
            self.try_again(attempts);
        } else {
            self.write(RetryEnd::Failed(RetryReason::Exhausted));
        }
    }
}

impl Model for AsIs {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            ledger: Ledger::default(),
            attempt: 0,
            status: None,
            hands: Hands::Sending,
            is_cancelling: false,
            details: 0,
            reports: 0,
            stops: 0,
            left: self.left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Left { failures, cancels, losses, crashes } = state.left;
        actions.extend(match state.hands {
            Hands::Empty => None,
            Hands::Sending => Some(Action::Send),
            Hands::Waiting => Some(Action::TimeOut),
        });
        actions.extend(state.is_cancelling.then_some(Action::WriteCancelled));
        for attempt in 0..=state.attempt {
            let is = |bits: u8| bits & bit(attempt) != 0;
            actions.extend(is(state.details).then_some(Action::Begin(attempt)));
            if state.ledger.attempt(attempt) == Real::Running {
                actions.push(Action::Complete(attempt));
                actions.extend((failures > 0).then_some(Action::Fail(attempt)));
                actions.extend(is(state.stops).then_some(Action::Stop(attempt)));
            }
            actions.extend(is(state.reports).then_some(Action::Read(attempt)));
            actions.extend((losses > 0 && is(state.details)).then_some(Action::LoseDetails(attempt)));
            actions.extend((losses > 0 && is(state.reports)).then_some(Action::LoseReport(attempt)));
        }
        actions.extend((cancels > 0 && state.status.is_none()).then_some(Action::Cancel));
        let is_busy = state.hands != Hands::Empty || state.is_cancelling;
        actions.extend((crashes > 0 && is_busy).then_some(Action::Crash));
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match *action {
            Action::Send => {
                next.details |= bit(next.attempt);
                next.hands = if next.status.is_none() { Hands::Waiting } else { Hands::Empty };
            }
            Action::Begin(attempt) => {
                next.details &= !bit(attempt);
                next.ledger.begin(attempt);
            }
            Action::Complete(attempt) => {
                next.ledger.finish(attempt, Real::Succeeded);
                next.reports |= bit(attempt);
            }
            Action::Fail(attempt) => {
                spend(&mut next.left.failures)?;
                next.ledger.finish(attempt, Real::Failed(FailureClass::Transient));
                next.reports |= bit(attempt);
            }
            Action::Read(attempt) => next.read(attempt, self.attempts),
            Action::TimeOut => next.try_again(self.attempts),
            Action::Cancel => {
                spend(&mut next.left.cancels)?;
                next.ledger.cancel();
                next.stops |= bit(next.attempt);
                next.is_cancelling = true;
            }
            Action::WriteCancelled => {
                next.is_cancelling = false;
                next.write(RetryEnd::Cancelled);
            }
            Action::Stop(attempt) => {
                next.stops &= !bit(attempt);
                next.ledger.fence(attempt);
            }
            Action::LoseDetails(attempt) => {
                spend(&mut next.left.losses)?;
                next.details &= !bit(attempt);
            }
            Action::LoseReport(attempt) => {
                spend(&mut next.left.losses)?;
                next.reports &= !bit(attempt);
            }
            Action::Crash => {
                spend(&mut next.left.crashes)?;
                (next.hands, next.is_cancelling) = (Hands::Empty, false);
            }
        }
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        of_retries()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = |name: &str, includes: fn(&Action) -> bool| Fairness::weak(name, includes);
        let mut all = vec![fair("the orchestrator goes on", |action| {
            matches!(action, Action::Send | Action::TimeOut | Action::WriteCancelled)
        })];
        for attempt in 0..self.attempts {
            let of = move |who: &Action| match *who {
                Action::Begin(who) | Action::Complete(who) | Action::Stop(who) => who == attempt,
                Action::Fail(who) => who == attempt,
                Action::Send
                | Action::Read(_)
                | Action::TimeOut
                | Action::Cancel
                | Action::WriteCancelled
                | Action::LoseDetails(_)
                | Action::LoseReport(_)
                | Action::Crash => false,
            };
            all.push(Fairness::weak(format!("attempt {} goes on", attempt + 1), of));
            let read = move |action: &Action| *action == Action::Read(attempt);
            all.push(Fairness::weak(format!("the report of attempt {} is read", attempt + 1), read));
        }
        all
    }

    fn is_final(&self, state: &State) -> bool {
        state.unended().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let agents = (1..=self.attempts).map(|number| format!("attempt {number}"));
        ["orchestrator".to_owned(), "user".to_owned()].into_iter().chain(agents).collect()
    }

    fn opening(&self, _: &State) -> String {
        "the task is written down as running, its first attempt".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let told = words(before, *action);
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}

fn words(before: &State, action: Action) -> Told {
    let alone = |text: &str| Told::new(DESK, DESK, text);
    let by = |attempt: Attempt, text: &str| Told::new(lane(attempt), lane(attempt), text);
    match action {
        Action::Send => Told::new(DESK, lane(before.attempt), "sends the details"),
        Action::Begin(attempt) => by(attempt, "an agent begins"),
        Action::Complete(attempt) => Told::new(lane(attempt), DESK, "delivers a result; reports: completed"),
        Action::Fail(attempt) => Told::new(lane(attempt), DESK, "reports: failed"),
        Action::Read(attempt) => {
            let word = if before.ledger.attempt(attempt) == Real::Succeeded { "completed" } else { "failed" };
            alone(&format!("reads the report: {word} [attempt {}]", attempt + 1))
        }
        Action::TimeOut => alone("has waited long enough"),
        Action::Cancel => Told::new(USER, DESK, "cancels the task").then(DESK, lane(before.attempt), "stop"),
        Action::WriteCancelled => alone("writes cancelled"),
        Action::Stop(attempt) => by(attempt, "stops"),
        Action::LoseDetails(attempt) => by(attempt, "its details are lost on the way"),
        Action::LoseReport(attempt) => by(attempt, "its report is lost on the way"),
        Action::Crash => alone("crashes, and begins anew"),
    }
}

fn standing(state: &State) -> String {
    match state.status {
        None => format!("running, attempt {}", state.attempt + 1),
        Some(end) => end_word(end),
    }
}

impl Judged for State {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn unended(&self) -> Option<String> {
        let waits = format!("the task is running, attempt {}, and nobody goes on", self.attempt + 1);
        self.status.is_none().then_some(waits)
    }
}

/// The design, of which every property fails.
pub(super) fn variant() -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            failures: byte("failures"),
            cancels: byte("cancels"),
            losses: byte("losses"),
            crashes: byte("crashes"),
        };
        AsIs { attempts: byte("attempts"), left }
    };
    let variant = Variant::new("retries", "a time-out is a failure, and failures are tried again", build)
        .bound("attempts", 2, 1..=ATTEMPTS as u64, "attempts at the task")
        .bound("failures", 1, 0..=3, "attempts that fail")
        .bound("cancels", 1, 0..=1, "1 if the user may cancel the task")
        .bound("losses", 1, 0..=2, "messages that are lost")
        .bound("crashes", 1, 0..=1, "crashes of the orchestrator");
    let violated = ["S7", "S11", "S18", "S19", "S20", "S21", "deadlock", "L1", "L2"];
    violated.into_iter().fold(variant, |variant, id| variant.expect(id, Verdict::Violated)).headline("S18")
}
