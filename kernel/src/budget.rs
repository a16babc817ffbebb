//! The budget of a tree of tasks: one pot, from which the root and everything below it draws.
//!
//! The root has the [`Account`]; a child has none, so that what it may spend is at each moment what its tree has left, and
//! siblings that run side by side cannot overspend together. What was spent is known from bills, which come after the fact.
//! When the bills reach what was granted, or its time is over, a person is asked for more, and every task of the tree hears in
//! that step that the pot is empty.
//!
//! Two facts carry the argument. A bit in every task says that the pot is empty, and it changes in all of them in one step, so
//! no task goes by an older answer than another. And only the beginning of a turn reads it: what is under way
//! when the pot becomes empty goes on to its end, which is the bound of what is spent too much.

use crate::config::Config;
use crate::faults::Fault;
use crate::lifecycle::{Follow, Refusal, Surroundings, TaskMachine};
use crate::task::{Held, TaskState};
use crate::vocabulary::{
    About, Answer, BillNumber, Effect, GrantNumber, Ignored, QuestionId, Sink, TaskId, Timer,
};
use crate::worker::WorkerEvent;
use alloc::boxed::Box;
use serde::{Deserialize, Serialize};
use statig::Outcome::{self, Handled, Transition};

/// What a tree of tasks may spend before a person is asked for as much again. 0 is no bound; by default there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Budget {
    /// Tokens, however the bills count them.
    pub tokens: u64,
    /// Millionths of the currency of the bills.
    pub micros: u64,
    /// Milliseconds from the admission of the root, and from each further grant. Pauses and waits for people count, the
    /// time in the queue before does not.
    pub wall_ms: u64,
}

/// What one bill says, or what all of them say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Spend {
    /// Tokens.
    pub tokens: u64,
    /// Millionths of the currency.
    pub micros: u64,
}

/// The time of the last grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Clock {
    /// No timer runs: time has no bound here, the root was not admitted, or it is bound to end.
    Stopped,
    /// The timer is armed.
    Running,
    /// The time is over.
    Over,
}

/// What a root was granted, and what of it is spent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// What each grant adds.
    pub budget: Budget,
    /// The last grant: the first came with the task, each further one from a person.
    pub grant: GrantNumber,
    /// What the bills say together. It stops at the end of its range.
    pub spent: Spend,
    /// The last bill, 0 before the first.
    pub bill: BillNumber,
    /// The time of the last grant.
    pub clock: Clock,
    /// The number of the question for more, which is open exactly while the pot is empty and the root not bound to end.
    pub question: Option<u32>,
}

impl Account {
    /// The account of a new root, if anything is bounded.
    pub(crate) fn open(budget: Budget) -> Option<Box<Self>> {
        (budget != Budget::default()).then(|| {
            let (grant, bill) = (GrantNumber(1), BillNumber(0));
            Box::new(Self {
                budget,
                grant,
                spent: Spend::default(),
                bill,
                clock: Clock::Stopped,
                question: None,
            })
        })
    }

    /// Whether the pot is empty: something that is bounded was spent to the last grant, or its time is over.
    pub fn is_empty(&self) -> bool {
        let granted = |each: u64| each.saturating_mul(u64::from(self.grant.0));
        let reached = |spent: u64, each: u64| each != 0 && spent >= granted(each);
        reached(self.spent.tokens, self.budget.tokens)
            || reached(self.spent.micros, self.budget.micros)
            || self.clock == Clock::Over
    }

    /// Repeats what is outstanding.
    pub(crate) fn resync(&self, task: TaskId, config: &Config, sink: &mut dyn Sink) {
        if let Some(number) = self.question
            && !config.has(Fault::ResyncForgetsBudgetQuestion)
        {
            sink.emit(Effect::Ask { question: QuestionId { task, number }, about: About::Budget });
        }
        if self.clock == Clock::Running && !config.has(Fault::ResyncForgetsBudgetTimer) {
            sink.emit(self.armed(task));
        }
    }

    fn armed(&self, task: TaskId) -> Effect {
        Effect::Arm { timer: self.timer(task), after_ms: self.budget.wall_ms }
    }

    fn timer(&self, task: TaskId) -> Timer {
        Timer::Budget { task, grant: self.grant }
    }
}

impl Spend {
    fn add(&mut self, more: Self) {
        self.tokens = self.tokens.saturating_add(more.tokens);
        self.micros = self.micros.saturating_add(more.micros);
    }
}

/// Whether a task in this state is bound to end, or has ended: nobody is asked for more then.
pub(crate) fn is_closing(state: TaskState) -> bool {
    match state {
        TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => true,
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Paused(_) => false,
    }
}

/// Whether a task in this state, live and not bound to end, has its place.
pub(crate) fn is_admitted(state: TaskState) -> bool {
    match state {
        TaskState::Queued | TaskState::Paused(Held::Unstarted | Held::Queued | Held::Admitted) => false,
        TaskState::Initializing
        | TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Paused(Held::Initializing | Held::Requesting | Held::Turn | Held::Calls)
        | TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => true,
    }
}

impl TaskMachine<'_> {
    /// The task has its place: its surroundings are made ready, and its time begins.
    pub(crate) fn initialize(&mut self, cx: &mut Surroundings<'_>) -> TaskState {
        cx.emit(Effect::Initialize { task: self.id });
        if let Some(account) = &mut self.data.account
            && account.budget.wall_ms > 0
        {
            account.clock = Clock::Running;
            cx.emit(account.armed(self.id));
        }
        TaskState::Initializing
    }

    /// A bill. Where nothing is bounded, nothing is counted.
    pub(crate) fn billed(
        &mut self,
        leaf: TaskState,
        bill: BillNumber,
        spend: Spend,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        if let Some(parent) = self.data.parent
            && !self.config.has(Fault::ChildBilled)
        {
            return cx.refuse(Refusal::NotARoot { parent });
        }
        let Some(account) = &mut self.data.account else { return Handled };
        let expected = BillNumber(account.bill.0 + 1);
        let known = (BillNumber(1)..expected).contains(&bill);
        let again = self.config.has(Fault::BillCountedTwice) && known;
        if known && !again {
            return cx.ignore(Ignored::Duplicate);
        }
        let beyond = self.config.has(Fault::BillGapTaken) && bill > expected;
        if bill != expected && !again && !beyond {
            return cx.refuse(Refusal::BillGap { expected, got: bill });
        }
        account.bill = account.bill.max(bill);
        account.spent.add(spend);
        self.drawn(leaf, cx);
        Handled
    }

    /// What a bill is to a task that has ended.
    pub(crate) fn billed_late(&self, bill: BillNumber) -> Refusal {
        if let Some(parent) = self.data.parent {
            return Refusal::NotARoot { parent };
        }
        let last = self.data.account.as_ref().map_or(BillNumber(0), |account| account.bill);
        let known = (BillNumber(1)..=last).contains(&bill);
        Refusal::Ignored(if known { Ignored::Duplicate } else { Ignored::Terminal })
    }

    /// The time of a grant is over. Only that of the last one counts.
    pub(crate) fn budget_elapsed(
        &mut self,
        leaf: TaskState,
        grant: GrantNumber,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        let Some(account) = &mut self.data.account else { return cx.refuse(Refusal::NeverAsked) };
        if account.budget.wall_ms == 0 || grant.0 == 0 || grant > account.grant {
            return cx.refuse(Refusal::NeverAsked);
        }
        if grant < account.grant && !self.config.has(Fault::AnyGrant) {
            return cx.ignore(Ignored::Stale);
        }
        match account.clock {
            Clock::Stopped if is_closing(leaf) => cx.ignore(Ignored::Terminal),
            Clock::Stopped => cx.refuse(Refusal::NeverAsked),
            Clock::Over => cx.ignore(Ignored::Duplicate),
            Clock::Running => {
                account.clock = Clock::Over;
                self.drawn(leaf, cx);
                Handled
            }
        }
    }

    /// Asks for more once the pot is empty, and tells everybody who draws on it.
    fn drawn(&mut self, leaf: TaskState, cx: &mut Surroundings<'_>) {
        let Some(account) = &self.data.account else { return };
        let closing = is_closing(leaf) && !self.config.has(Fault::ClosingAsks);
        if closing || account.question.is_some() || !account.is_empty() {
            return;
        }
        if self.config.has(Fault::PotNeverEmpties) {
            return;
        }
        self.ask_for_more(cx);
        let _ = self.budget_spent(cx);
    }

    fn ask_for_more(&mut self, cx: &mut Surroundings<'_>) {
        let Some(account) = &mut self.data.account else { return };
        self.data.questions += 1;
        let number = self.data.questions;
        account.question = Some(number);
        cx.emit(Effect::Ask { question: QuestionId { task: self.id, number }, about: About::Budget });
    }

    /// Nothing that costs begins any more, here and below.
    pub(crate) fn budget_spent(&mut self, cx: &mut Surroundings<'_>) -> Outcome<TaskState> {
        if self.data.spent {
            return cx.ignore(Ignored::Duplicate);
        }
        self.data.spent = true;
        if !self.config.has(Fault::WorkerUntoldOfBudget) {
            // One that is about to end has no use for it.
            let _ = self.tell(WorkerEvent::BudgetSpent, cx);
        }
        if !self.config.has(Fault::ChildUntoldOfBudget) {
            cx.follows.extend(self.data.calls.subtasks().map(|child| Follow::BudgetSpent { child }));
        }
        Handled
    }

    /// There is something in the pot again: what waited for that begins.
    pub(crate) fn budget_granted(
        &mut self,
        leaf: TaskState,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        if !self.data.spent {
            return cx.ignore(Ignored::Duplicate);
        }
        self.data.spent = false;
        let _ = self.tell(WorkerEvent::BudgetGranted, cx);
        if !self.config.has(Fault::ChildUntoldOfGrant) {
            cx.follows.extend(self.data.calls.subtasks().map(|child| Follow::BudgetGranted { child }));
        }
        if leaf == TaskState::AwaitingBudget { Transition(self.begin_turn(cx)) } else { Handled }
    }

    /// Whether this is the open question for more (S6).
    pub(crate) fn asks_for_more(&self, number: u32) -> bool {
        self.data.account.as_ref().is_some_and(|account| account.question == Some(number))
    }

    /// A person said whether the tree may spend as much again.
    pub(crate) fn more_answered(
        &mut self,
        leaf: TaskState,
        answer: Answer,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        if let Some(account) = &mut self.data.account {
            account.question = None;
        }
        match answer {
            Answer::Approved => self.refill(leaf, cx),
            Answer::Denied | Answer::Text if self.config.has(Fault::DenyGoesOn) => self.refill(leaf, cx),
            Answer::Denied | Answer::Text => Transition(self.cancel(leaf, cx)),
        }
    }

    /// The same again. Where more than that was spent already, a person is asked again at once.
    fn refill(&mut self, leaf: TaskState, cx: &mut Surroundings<'_>) -> Outcome<TaskState> {
        let Some(account) = &mut self.data.account else { return Handled };
        if account.clock == Clock::Running {
            cx.emit(Effect::Disarm { timer: account.timer(self.id) });
        }
        if !self.config.has(Fault::ApproveFillsNothing) {
            account.grant.0 += 1;
        }
        if account.clock != Clock::Stopped {
            account.clock = Clock::Running;
            cx.emit(account.armed(self.id));
        }
        if account.is_empty() && !self.config.has(Fault::OneGrantIsEnough) {
            self.ask_for_more(cx);
            return Handled;
        }
        self.budget_granted(leaf, cx)
    }

    /// The root is bound to end, or has ended: nobody is asked any more, and its time does not matter.
    pub(crate) fn close_account(&mut self, cx: &mut Surroundings<'_>) {
        let Some(account) = &mut self.data.account else { return };
        if let Some(number) = account.question.take()
            && !self.config.has(Fault::BudgetQuestionLeft)
        {
            cx.emit(Effect::Withdraw { question: QuestionId { task: self.id, number } });
        }
        if account.clock == Clock::Running {
            account.clock = Clock::Stopped;
            if !self.config.has(Fault::BudgetTimerLeft) {
                cx.emit(Effect::Disarm { timer: account.timer(self.id) });
            }
        }
    }
}
