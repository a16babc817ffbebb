//! What a task can know of a budget where it stands, and what can be said to it about that.

use super::situations::{Situation, around};
use crate::budget::{Account, Budget, Clock, Spend};
use crate::lifecycle::TaskEvent;
use crate::task::TaskData;
use crate::vocabulary::{BillNumber, GrantNumber};
use crate::worker::WorkerEvent;
use std::boxed::Box;
use std::vec::Vec;

/// The question for more. Those of the calls have higher numbers, and those before them were settled.
const QUESTION: u32 = 1;
const BUDGET: Budget = Budget { tokens: 100, micros: 1_000, wall_ms: 60_000 };
/// So many situations of one state vary in their budget; all of them would be too many.
const VARIED: usize = 250;

fn account(clock: Clock, tokens: u64, question: Option<u32>) -> Account {
    let (grant, bill) = (GrantNumber(1), BillNumber(3));
    Account { budget: BUDGET, grant, spent: Spend { tokens, micros: 0 }, bill, clock, question }
}

/// The tree of the task has nothing left.
pub(super) fn empty_pot(data: &mut TaskData) {
    data.spent = true;
    if data.parent.is_none() {
        data.account = Some(Box::new(account(Clock::Running, 100, Some(QUESTION))));
        data.questions = data.questions.max(QUESTION);
    }
}

/// The situations, and some of them with every budget that can be there.
pub(super) fn with_budgets(mut found: Vec<Situation>) -> Vec<Situation> {
    let varied: Vec<_> = found.iter().step_by((found.len() / VARIED) | 1).flat_map(budgets).collect();
    found.extend(varied);
    found
}

fn budgets(at: &Situation) -> Vec<Situation> {
    let mut found = Vec::new();
    for (account, spent) in accounts(at).into_iter().flat_map(|one| [(one.clone(), false), (one, true)]) {
        let mut other = at.clone();
        (other.data.account, other.data.spent) = (account.map(Box::new), spent);
        other.data.questions = other.data.questions.max(QUESTION);
        if let Some(worker) = other.data.worker.as_deref_mut().filter(|_| spent) {
            // One that is bound to end takes no notice.
            let _ = worker.step(WorkerEvent::BudgetSpent, &other.config, &mut |_| {});
        }
        let news = other.data != at.data;
        found.extend((news && other.kernel().validate().is_ok()).then_some(other));
    }
    found
}

/// Accounts of a root, crossed without regard to sense. A child has none.
fn accounts(at: &Situation) -> Vec<Option<Account>> {
    if at.data.parent.is_some() {
        return Vec::from([None]);
    }
    let mut accounts = Vec::new();
    for clock in [Clock::Stopped, Clock::Running, Clock::Over] {
        for question in [None, Some(QUESTION)] {
            let of = |tokens| account(clock, tokens, question);
            let untimed = Budget { tokens: 0, wall_ms: 0, ..BUDGET };
            let micros = Spend { tokens: 90, micros: 1_000 };
            accounts.extend([
                of(0),
                of(90),
                of(100),
                // More than a second grant covers.
                of(250),
                Account { grant: GrantNumber(2), ..of(190) },
                Account { grant: GrantNumber(2), bill: BillNumber(0), ..of(200) },
                Account { budget: untimed, ..of(900) },
                Account { budget: untimed, spent: micros, ..of(0) },
            ]);
        }
    }
    accounts.into_iter().map(Some).collect()
}

/// Every bill and timer, under every number that is next, older, newer or doubled here.
pub(super) fn budget_events(data: &TaskData, events: &mut Vec<TaskEvent<'_>>) {
    use TaskEvent as E;
    let (bill, grant) = data.account.as_ref().map_or((1, 1), |account| (account.bill.0, account.grant.0));
    let spend = |tokens, micros| Spend { tokens, micros };
    let next = [spend(0, 0), spend(9, 999), spend(10, 0), spend(0, 1_000), spend(u64::MAX, u64::MAX)];
    for number in around(bill).into_iter().map(BillNumber) {
        let spends = if number.0 == bill + 1 { &next[..] } else { &next[2..3] };
        events.extend(spends.iter().map(|spend| E::Spent { bill: number, spend: *spend }));
    }
    events.push(E::Spent { bill: BillNumber(bill + 2), spend: spend(10, 0) });
    events.extend(around(grant).into_iter().map(|grant| E::BudgetElapsed { grant: GrantNumber(grant) }));
    events.extend([E::BudgetSpent, E::BudgetGranted]);
}
