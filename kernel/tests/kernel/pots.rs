//! What is in the pots of the trees, counted from events alone: the judge of every life with budgets.

use downbeat_kernel::{
    Answer, BillNumber, Budget, Effect, Event, GrantNumber, Kernel, Spend, Task, TaskId, TaskState, Timer,
};
use std::collections::BTreeMap;

/// One pot, as the outside knows it.
#[derive(Clone, Debug)]
struct Pot {
    budget: Budget,
    grants: u64,
    bills: Vec<Spend>,
    is_late: bool,
}

impl Pot {
    fn sum(&self) -> Spend {
        let add = |sum: u64, bill: u64| sum.saturating_add(bill);
        let tokens = self.bills.iter().map(|bill| bill.tokens).fold(0, add);
        let micros = self.bills.iter().map(|bill| bill.micros).fold(0, add);
        Spend { tokens, micros }
    }

    fn is_empty(&self) -> bool {
        let Spend { tokens, micros } = self.sum();
        let Budget { tokens: each_tokens, micros: each_micros, .. } = self.budget;
        self.is_late
            || (each_tokens > 0 && tokens >= each_tokens * self.grants)
            || (each_micros > 0 && micros >= each_micros * self.grants)
    }
}

/// The pots of all trees, by their roots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pots(BTreeMap<TaskId, Pot>);

impl Pots {
    /// Takes note of an applied event, and judges what came of it.
    pub(crate) fn judge(&mut self, before: &Kernel, event: &Event, after: &Kernel) {
        self.note(before, event);
        for task in after.tasks().filter(|task| task.state.end().is_none()) {
            let root = root(after, task);
            let Some(pot) = self.0.get(&root.id) else { continue };
            if pot.is_empty() {
                judge_empty(before.task(task.id), task, event);
            }
            if root.id == task.id {
                judge_account(pot, task, event);
            }
        }
    }

    fn note(&mut self, before: &Kernel, event: &Event) {
        match *event {
            Event::TaskSubmitted { task, budget } if budget != Budget::default() => {
                self.0.insert(task, Pot { budget, grants: 1, bills: Vec::new(), is_late: false });
            }
            Event::Spent { task, bill: BillNumber(bill), spend } => {
                let is_child = before.task(task).is_some_and(|task| task.data.parent.is_some());
                assert!(!is_child, "budget: {event:?} was taken, which names a child");
                if let Some(pot) = self.0.get_mut(&task) {
                    pot.bills.push(spend);
                    assert_eq!(pot.bills.len(), bill as usize, "budget: {event:?} was taken");
                }
            }
            Event::TimerFired { timer: Timer::Budget { task, grant: GrantNumber(grant) } } => {
                let pot = self.0.get_mut(&task).expect("budget: a timer of no budget was taken");
                assert_eq!(pot.grants, u64::from(grant), "budget: the time of an older grant was taken");
                pot.is_late = true;
            }
            Event::AnswerReceived { question, answer: Answer::Approved }
                if asked(before, question.task) == Some(question.number) =>
            {
                let pot = self.0.get_mut(&question.task).expect("budget: nothing is bounded there");
                pot.grants += 1;
                pot.is_late = false;
            }
            Event::EndAcknowledged { task } => drop(self.0.remove(&task)),
            Event::TaskSubmitted { .. }
            | Event::TimerFired { timer: Timer::Grace(_) }
            | Event::AnswerReceived { .. }
            | Event::Admitted { .. }
            | Event::Initialized { .. }
            | Event::InitializationFailed { .. }
            | Event::Deployed { .. }
            | Event::Worker { .. }
            | Event::SubtaskRequested { .. }
            | Event::ResponseEnded { .. }
            | Event::Request { .. }
            | Event::ProfileDown { .. }
            | Event::ProfileUp { .. }
            | Event::ToolEnded { .. }
            | Event::MessageReceived { .. }
            | Event::PauseRequested { .. }
            | Event::ResumeRequested { .. }
            | Event::CancelRequested { .. } => {}
        }
    }
}

/// No turn begins, and no worker gives a prompt.
fn judge_empty(before: Option<&Task>, task: &Task, event: &Event) {
    let turn = |task: &Task| task.data.turn;
    let prompt = |task: &Task| task.data.worker.as_ref().map(|worker| worker.data.session.accepted);
    let Some(before) = before else { return assert_eq!(turn(task).0, 0, "budget: {event:?} began a turn") };
    assert_eq!(turn(before), turn(task), "budget: {event:?} began a turn of {:?}", task.id);
    let began = prompt(task).unwrap_or_default() != prompt(before).unwrap_or_default();
    assert!(!began, "budget: {event:?} gave a prompt of {:?}", task.id);
}

/// What was spent is the sum of the bills, and a person is asked exactly while nothing is left.
fn judge_account(pot: &Pot, root: &Task, event: &Event) {
    let account = root.data.account.as_deref().expect("budget: the account is lost");
    assert_eq!(account.spent, pot.sum(), "budget: after {event:?}");
    let is_bound = matches!(root.state, TaskState::Cancelling(_) | TaskState::Ending(_));
    let asks = pot.is_empty() && !is_bound;
    assert_eq!(account.question.is_some(), asks, "budget: after {event:?} somebody is asked: {account:?}");
}

fn root<'k>(kernel: &'k Kernel, task: &'k Task) -> &'k Task {
    match task.data.parent.and_then(|parent| kernel.task(parent)) {
        Some(parent) => root(kernel, parent),
        None => task,
    }
}

/// The number of the open question for more.
pub(crate) fn asked(kernel: &Kernel, task: TaskId) -> Option<u32> {
    kernel.task(task)?.data.account.as_ref()?.question
}

/// A budget that a few bills and timers use up, or none.
pub(crate) fn some_budget(choice: u8) -> Budget {
    let bound = |bit: u8, bound: u64| if choice >> bit & 1 == 1 { bound } else { 0 };
    if choice < 64 {
        return Budget::default();
    }
    Budget { tokens: bound(0, 20), micros: bound(1, 300), wall_ms: bound(2, 60_000) }
}

/// A bill that is the next one for most choices.
pub(crate) fn some_bill(kernel: &Kernel, task: TaskId, [which, amount]: [u8; 2]) -> Event {
    let last = kernel.task(task).and_then(|task| task.data.account.as_ref()).map_or(0, |of| of.bill.0);
    let bill = BillNumber(
        last.saturating_add([1, 1, 1, 1, 1, 0, 2][usize::from(which) % 7]).max(u32::from(which == 6)),
    );
    let spend = Spend { tokens: u64::from(amount % 32), micros: u64::from(amount) };
    Event::Spent { task, bill, spend }
}

/// What a person says about more: yes, for most choices.
pub(crate) fn word_about_more(order: &Effect, choice: u8) -> Option<Event> {
    let Effect::Ask { question, about: downbeat_kernel::About::Budget } = *order else { return None };
    let answer = if choice < 230 { Answer::Approved } else { Answer::Denied };
    Some(Event::AnswerReceived { question, answer })
}
