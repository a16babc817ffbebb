//! The budget of a tree: bills, time, a person's word, and who hears of it.

use super::ledger::Ledger;
use super::{After, DUPLICATE, NEVER_ASKED, No, STALE, TERMINAL};
use crate::budget::{Account, Clock, Spend};
use crate::calls::CallState;
use crate::lifecycle::{Follow, Refusal};
use crate::oracle::situations::Situation;
use crate::task::TaskState;
use crate::vocabulary::{About, Answer, BillNumber, Effect, GrantNumber, QuestionId, Timer};
use crate::worker::WorkerEvent;
use std::cmp::Ordering;

/// Whether something that is bounded is used up.
fn is_used_up(account: &Account) -> bool {
    let Account { budget, grant, spent, clock, .. } = account;
    let pots = [(budget.tokens, spent.tokens), (budget.micros, spent.micros)];
    let used = |(each, spent): (u64, u64)| {
        each > 0 && u128::from(spent) >= (u128::from(each) * u128::from(grant.0)).min(u128::from(u64::MAX))
    };
    *clock == Clock::Over || pots.into_iter().any(used)
}

/// Whether a person can still be asked for more.
fn is_open(state: TaskState) -> bool {
    !matches!(state, TaskState::Cancelling(_) | TaskState::Ending(_)) && state.end().is_none()
}

/// Nothing if a bill of this number is the next one, else what is to be said about it.
fn numbered(at: &Situation, bill: BillNumber) -> Result<(), No> {
    if let Some(parent) = at.data.parent {
        return Err(No::Because(Refusal::NotARoot { parent }));
    }
    let Some(account) = &at.data.account else { return Ok(()) };
    let expected = BillNumber(account.bill.0 + 1);
    match bill.cmp(&expected) {
        Ordering::Equal => Ok(()),
        Ordering::Less if bill.0 > 0 => Err(DUPLICATE),
        Ordering::Less | Ordering::Greater => Err(No::Because(Refusal::BillGap { expected, got: bill })),
    }
}

/// What is said about a bill for a task that has ended.
pub(super) fn late_bill(at: &Situation, bill: BillNumber) -> No {
    match (numbered(at, bill), &at.data.account) {
        (Err(no), _) if no == DUPLICATE || at.data.parent.is_some() => no,
        (Ok(()) | Err(_), _) => TERMINAL,
    }
}

impl Ledger<'_> {
    /// A root with a budget begins to count its time with its place.
    pub(super) fn gets_its_place(mut self) -> Result<After, No> {
        self.effects.push(Effect::Initialize { task: self.at.id });
        self.starts_the_clock();
        self.stands(TaskState::Initializing)
    }

    fn starts_the_clock(&mut self) {
        let task = self.at.id;
        let Some(account) = self.data.account.as_deref_mut().filter(|account| account.budget.wall_ms > 0)
        else {
            return;
        };
        account.clock = Clock::Running;
        let timer = Timer::Budget { task, grant: account.grant };
        self.effects.push(Effect::Arm { timer, after_ms: account.budget.wall_ms });
    }

    fn stops_the_clock(&mut self) {
        let task = self.at.id;
        if let Some(account) = self.data.account.as_deref_mut().filter(|of| of.clock == Clock::Running) {
            account.clock = Clock::Stopped;
            let timer = Timer::Budget { task, grant: account.grant };
            self.effects.push(Effect::Disarm { timer });
        }
    }

    /// Nobody is asked for more any longer.
    pub(super) fn closes_the_account(mut self) -> Self {
        let task = self.at.id;
        let asked = self.data.account.as_deref_mut().and_then(|account| account.question.take());
        let withdrawn = asked.map(|number| Effect::Withdraw { question: QuestionId { task, number } });
        self.effects.extend(withdrawn);
        self.stops_the_clock();
        self
    }

    pub(super) fn takes_the_bill(mut self, bill: BillNumber, spend: Spend) -> Result<After, No> {
        numbered(self.at, bill)?;
        if let Some(account) = &mut self.data.account {
            let Spend { tokens, micros } = account.spent;
            let sum = |one, two| u64::try_from(u128::from(one) + u128::from(two)).unwrap_or(u64::MAX);
            account.spent = Spend { tokens: sum(tokens, spend.tokens), micros: sum(micros, spend.micros) };
            account.bill = bill;
        }
        self.looks_into_the_pot()
    }

    pub(super) fn time_is_over(mut self, grant: GrantNumber) -> Result<After, No> {
        let state = self.at.state;
        let Some(account) = &mut self.data.account else { return Err(NEVER_ASKED) };
        if account.budget.wall_ms == 0 || !(1..=account.grant.0).contains(&grant.0) {
            return Err(NEVER_ASKED);
        }
        match (grant == account.grant, account.clock) {
            (false, _) => Err(STALE),
            (true, Clock::Over) => Err(DUPLICATE),
            (true, Clock::Stopped) => Err(if is_open(state) { NEVER_ASKED } else { TERMINAL }),
            (true, Clock::Running) => {
                account.clock = Clock::Over;
                self.looks_into_the_pot()
            }
        }
    }

    /// The first look that finds it empty asks for more and tells everybody.
    fn looks_into_the_pot(mut self) -> Result<After, No> {
        let state = self.at.state;
        let empty = self.data.account.as_deref().is_some_and(is_used_up);
        if empty && is_open(state) && !self.data.spent {
            self.asks_for_more();
            self.hears_it_is_empty();
        }
        self.stands(state)
    }

    fn asks_for_more(&mut self) {
        let number = self.data.questions + 1;
        self.data.questions = number;
        self.data.account.as_mut().expect("who asks for more has an account").question = Some(number);
        let question = QuestionId { task: self.at.id, number };
        self.effects.push(Effect::Ask { question, about: About::Budget });
    }

    fn hears_it_is_empty(&mut self) {
        self.data.spent = true;
        if self.data.worker.is_some() {
            // One that is bound to end takes no notice.
            let _ = self.tells(WorkerEvent::BudgetSpent);
        }
        for call in &self.calls {
            if let CallState::Subtask { child } = *call {
                self.follows.push(Follow::BudgetSpent { child });
            }
        }
    }

    pub(super) fn takes_word_of_an_empty_pot(mut self) -> Result<After, No> {
        if self.data.spent {
            return Err(DUPLICATE);
        }
        self.hears_it_is_empty();
        let state = self.at.state;
        self.stands(state)
    }

    pub(super) fn takes_word_of_a_grant(mut self) -> Result<After, No> {
        if !self.data.spent {
            return Err(DUPLICATE);
        }
        self.data.spent = false;
        if self.data.worker.is_some() {
            let _ = self.tells(WorkerEvent::BudgetGranted);
        }
        for call in &self.calls {
            if let CallState::Subtask { child } = *call {
                self.follows.push(Follow::BudgetGranted { child });
            }
        }
        let state = self.at.state;
        if state == TaskState::AwaitingBudget { self.asks_the_model() } else { self.stands(state) }
    }

    /// A person's word about more.
    pub(super) fn may_spend(mut self, answer: Answer) -> Result<After, No> {
        let account = self.data.account.as_mut().expect("who asked for more has an account");
        account.question = None;
        if answer != Answer::Approved {
            let state = self.at.state;
            return if state == TaskState::Working { self.kills() } else { self.winds_down(state) };
        }
        let timed = account.clock != Clock::Stopped;
        self.stops_the_clock();
        let account = self.data.account.as_mut().expect("it is still there");
        account.grant = GrantNumber(account.grant.0 + 1);
        if timed {
            self.starts_the_clock();
        }
        if self.data.account.as_deref().is_some_and(is_used_up) {
            self.asks_for_more();
            let state = self.at.state;
            return self.stands(state);
        }
        self.takes_word_of_a_grant()
    }
}
