//! A task that is tried again: its attempts, each a root of the tree, and what they say to it.
//!
//! The first attempt has the id that the submission gave, and that id stays the name of the task for people: they cancel it under that
//! name, and hear of its one end, whichever attempt it came to. Which root is which attempt is on record (duty 7 of
//! `docs/composition.md`), and the attempts are forgotten when people have their end and the tree holds none of them.

use crate::act::{Actor, Work};
use crate::agents::Submitter;
use crate::fact::{Fact, Order, Refused, Told, of};
use crate::known::{Contradiction, Known};
use crate::ports::{RootEnd, Trial};
use crate::words::Text;
use downbeat_kernel::{
    Answer, AttemptEnd, AttemptNumber, Budget, Config, End, Event, Ignored, Kernel, News, Outcome,
    QueryNumber, QuestionId, Rejected, Retry, RetryEffect, RetryEnd, RetryEvent, RetryState, RetryTimer,
    TaskId, WorkerEvent,
};
use downbeat_wiring::{Record, attempt_end, denied, fenced, finding, retry_conclusion, root_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One task that is tried again, and what each attempt at it begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tries {
    pub(crate) retry: Retry,
    pub(crate) record: Record,
    budget: Budget,
    by: Submitter,
    prompt: Text,
}

impl Tries {
    /// The root that is the last attempt, if the tree has taken it.
    fn last(&self) -> Option<TaskId> {
        self.record.task_of(self.retry.attempt)
    }

    /// What the attempts at the task of that name are told of the end of one.
    pub(crate) fn ended(&self, name: TaskId, root: TaskId, end: End) -> Option<Fact> {
        let attempt = self.record.attempt_of(root)?;
        let event = RetryEvent::AttemptEnded { attempt, end: attempt_end(end) };
        Some(Fact::Retry { task: name, event })
    }

    /// What people are told of the end of the task, while the tree holds the last attempt still.
    fn told(&self, end: RetryEnd, kernel: &Kernel) -> RootEnd {
        let last = self.last().and_then(|root| kernel.task(root)?.state.end());
        let reason = match (end, last) {
            (RetryEnd::Failed(_), Some(End::Failed(reason))) => Some(reason),
            (RetryEnd::Failed(_), Some(End::Completed | End::Cancelled) | None)
            | (RetryEnd::Completed { .. } | RetryEnd::Cancelled | RetryEnd::CancelUnconfirmed, _) => None,
        };
        RootEnd::Tried { end, reason }
    }

    /// The root whose result is that of the task.
    fn winner(&self, end: RetryEnd) -> Option<TaskId> {
        match end {
            RetryEnd::Completed { attempt } => self.record.task_of(attempt),
            RetryEnd::Failed(_) | RetryEnd::Cancelled | RetryEnd::CancelUnconfirmed => None,
        }
    }
}

/// Every task of a shard that is tried again, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempted {
    tasks: BTreeMap<TaskId, Tries>,
    /// The name of the task that a root is an attempt at.
    names: BTreeMap<TaskId, TaskId>,
}

impl Attempted {
    pub(crate) fn get(&self, name: TaskId) -> Option<&Tries> {
        self.tasks.get(&name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TaskId, &Tries)> {
        self.tasks.iter().map(|(name, tries)| (*name, tries))
    }

    /// The task that a root is an attempt at, with its name.
    pub(crate) fn of(&self, root: TaskId) -> Option<(TaskId, &Tries)> {
        let name = *self.names.get(&root)?;
        Some((name, self.tasks.get(&name)?))
    }

    /// Whether all of them can have come from events: attempts have no gaps, none is ahead of its machine, the first has the name of the
    /// task, and names are those of the attempts.
    pub(crate) fn validate(&self, config: &Config) -> Result<(), Contradiction> {
        let mut names = BTreeMap::new();
        for (name, tries) in &self.tasks {
            let roots: Vec<_> = tries.record.tasks().collect();
            let known = (1..).zip(&roots).all(|(attempt, root)| {
                let attempt = AttemptNumber(attempt);
                attempt <= tries.retry.attempt && tries.record.task_of(attempt) == Some(*root)
            });
            if !known || roots.first() != Some(name) {
                return Err(Contradiction::Attempts(*name));
            }
            names.extend(roots.into_iter().map(|root| (root, *name)));
        }
        if let Some((_, name)) = self.names.iter().find(|(root, name)| names.get(root) != Some(name)) {
            return Err(Contradiction::Attempts(*name));
        }
        if let Some((_, name)) = names.iter().find(|(root, _)| !self.names.contains_key(root)) {
            return Err(Contradiction::Attempts(*name));
        }
        self.tasks.iter().try_for_each(|(name, tries)| {
            let valid = tries.retry.validate(config);
            valid.map_err(|corrupt| Contradiction::Retry(*name, corrupt))
        })
    }
}

impl Known {
    /// What people call the tree of a root: the name of the task that it is an attempt at, or its own.
    pub(crate) fn name_of(&self, root: TaskId) -> TaskId {
        self.attempted.of(root).map_or(root, |(name, _)| name)
    }

    /// The attempt that a task belongs to.
    pub(crate) fn trial(&self, task: TaskId) -> Trial {
        let root = root_of(&self.kernel, task);
        let known = self.attempted.of(root).and_then(|(name, tries)| {
            let attempt = tries.record.attempt_of(root)?;
            Some(Trial { name, attempt })
        });
        known.unwrap_or(Trial { name: root, attempt: AttemptNumber(1) })
    }

    /// Whether the outbox of a task has its end.
    pub(crate) fn is_concluded(&self, name: TaskId) -> bool {
        self.outboxes.get(&name).is_some_and(|post| post.outbox.conclusion.is_some())
    }

    /// What somebody outside means who tells of a task that is tried again. A cancel and a no to more are told to the attempts
    /// (duty 9); what else is told to the task goes to the attempt that there is, unless it names something that each attempt
    /// counts for itself (S6, S12).
    pub(crate) fn meant(&self, mut event: Event) -> Fact {
        match &mut event {
            Event::CancelRequested { task } => {
                if let Some((name, _)) = self.attempted.of(*task) {
                    return Fact::Retry { task: name, event: RetryEvent::CancelRequested };
                }
            }
            Event::AnswerReceived { question, answer: Answer::Denied } => {
                if let Some((name, tries)) = self.attempted.of(question.task)
                    && self.is_about_budget(*question)
                    && let Some(event) = denied(&tries.retry, &tries.record, question.task)
                {
                    return Fact::Retry { task: name, event };
                }
            }
            Event::PauseRequested { task }
            | Event::ResumeRequested { task }
            | Event::MessageReceived { task, .. } => {
                *task = self.attempted.get(*task).and_then(Tries::last).unwrap_or(*task);
            }
            Event::Worker { task, event } if is_for_any_attempt(*event) => {
                *task = self.attempted.get(*task).and_then(Tries::last).unwrap_or(*task);
            }
            Event::AnswerReceived { answer: Answer::Approved | Answer::Text, .. }
            | Event::TaskSubmitted { .. }
            | Event::Spent { .. }
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
            | Event::TimerFired { .. }
            | Event::EndAcknowledged { .. } => {}
        }
        event.into()
    }

    /// Whether a question of a root is whether its tree may spend more.
    fn is_about_budget(&self, question: QuestionId) -> bool {
        let account = self.kernel.task(question.task).and_then(|task| task.data.account.as_deref());
        account.is_some_and(|account| account.question == Some(question.number))
    }

    /// Why a task cannot be submitted under an id that a later attempt at another has: to say that it was would lose it.
    pub(crate) fn is_taken(&self, event: &Event) -> Option<Rejected> {
        let Event::TaskSubmitted { task: got, .. } = *event else { return None };
        let (name, _) = self.attempted.of(got)?;
        (name != got).then(|| Rejected::IdNotFresh { highest: self.kernel.highest().unwrap_or(got), got })
    }

    /// Somebody submits a task that is tried again. The tree takes the first attempt with it, under the same id: there is no moment in
    /// which that attempt was ordered and has not begun.
    pub(crate) fn take_attempted(
        &mut self,
        (task, budget, by): (TaskId, Budget, Submitter),
        text: &[String],
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        if self.attempted.get(task).is_some() {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        let outcome = self.take_of_tree(&Event::TaskSubmitted { task, budget }, text, orders);
        if outcome != Outcome::Applied {
            return outcome;
        }
        let prompt = Text::from(text.first().map_or("", String::as_str));
        let tries = Tries { retry: Retry::default(), record: Record::default(), budget, by, prompt };
        self.attempted.tasks.insert(task, tries);
        let outcome = self.take_of_retry(task, RetryEvent::Submitted, orders);
        self.is_attempt(task, AttemptNumber(1), task);
        outcome
    }

    /// The tree takes an attempt after the first, under an id of its own.
    pub(crate) fn take_begun(
        &mut self,
        (name, attempt, root): (TaskId, AttemptNumber, TaskId),
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        let Some(tries) = self.attempted.get(name) else { return Outcome::Ignored(Ignored::Terminal) };
        let (budget, text) = (tries.budget, [tries.prompt.to_string()]);
        let outcome = self.take_of_tree(&Event::TaskSubmitted { task: root, budget }, &text, orders);
        if outcome == Outcome::Applied {
            self.is_attempt(name, attempt, root);
        }
        outcome
    }

    fn is_attempt(&mut self, name: TaskId, attempt: AttemptNumber, root: TaskId) {
        if let Some(tries) = self.attempted.tasks.get_mut(&name) {
            tries.record.begun(attempt, root);
            self.submitters.insert(root, tries.by);
            self.attempted.names.insert(root, name);
        }
    }

    pub(crate) fn take_of_retry(
        &mut self,
        name: TaskId,
        event: RetryEvent,
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        // People have its end, and nothing of it is left.
        let Some(tries) = self.attempted.tasks.get_mut(&name) else {
            return Outcome::Ignored(Ignored::Terminal);
        };
        let mut effects = Vec::new();
        let outcome = tries.retry.step(event, self.kernel.config(), &mut |effect| effects.push(effect));
        for effect in effects {
            if let RetryEffect::Ended { end } = effect {
                let told = tries.told(end, &self.kernel);
                let root = tries.winner(end).or(tries.last());
                let text = root.map(|root| self.library.conclusion(root)).unwrap_or_default();
                self.outboxes.entry(name).or_default().end = Some((told, text));
            }
            orders.push(Order::Retry { task: name, effect });
        }
        self.forget_attempted(name);
        of(outcome, Refused::Retry)
    }

    /// A task is forgotten when people have its end and the tree holds no attempt at it: until then the tree may say again how one ended.
    pub(crate) fn forget_attempted(&mut self, name: TaskId) {
        let is_over = |tries: &Tries| {
            tries.retry.state == RetryState::Closed
                && tries.record.tasks().all(|root| self.kernel.task(root).is_none())
        };
        if self.attempted.get(name).is_some_and(is_over)
            && let Some(tries) = self.attempted.tasks.remove(&name)
        {
            for root in tries.record.tasks() {
                self.attempted.names.remove(&root);
            }
            self.forget_delivered(name);
        }
    }
}

impl Known {
    /// What the attempts at a task have to say; nothing, if they order something else.
    pub(crate) fn words_of_retry(&self, task: TaskId, effect: RetryEffect) -> Vec<Told> {
        let Some(tries) = self.attempted.get(task) else { return Vec::new() };
        match effect {
            // What the tree has taken is under way, or over, which it says.
            RetryEffect::Begin { attempt } if tries.record.task_of(attempt).is_some() => Vec::new(),
            RetryEffect::Begin { attempt } => vec![Told::Begin { task, attempt }],
            RetryEffect::Query { attempt, query } => {
                let finding = finding(&self.kernel, &tries.record, attempt);
                vec![Fact::Retry { task, event: RetryEvent::Found { attempt, query, finding } }.into()]
            }
            RetryEffect::Fence { attempt, query } => vec![Told::Fence { task, attempt, query }],
            RetryEffect::Ended { end } => {
                let news = News::Concluded(retry_conclusion(end));
                let posted = Told::Posted { root: task, news };
                let posted = (!self.is_concluded(task)).then_some(posted);
                posted.into_iter().chain([Told::Concluded(task)]).collect()
            }
            RetryEffect::Arm { .. } | RetryEffect::Disarm { .. } => Vec::new(),
        }
    }

    /// An attempt begins as this root, if it has not begun.
    pub(crate) fn begins(&self, task: TaskId, attempt: AttemptNumber, root: TaskId) -> Option<Fact> {
        let tries = self.attempted.get(task)?;
        tries.record.task_of(attempt).is_none().then_some(Fact::Begun { task, attempt, root })
    }

    /// What comes of a fence: an event of the tree, or what the attempts are told at once.
    pub(crate) fn fences(
        &self,
        task: TaskId,
        attempt: AttemptNumber,
        query: QueryNumber,
    ) -> Option<Result<Event, Fact>> {
        let record = &self.attempted.get(task)?.record;
        Some(fenced(&self.kernel, record, attempt, query).map_err(|event| Fact::Retry { task, event }))
    }

    /// The end of the attempts at a task is on record, if the outbox has it.
    pub(crate) fn concludes(&self, task: TaskId) -> Option<Fact> {
        self.is_concluded(task).then_some(Fact::Retry { task, event: RetryEvent::EndAcknowledged })
    }
}

impl Actor {
    /// An order of the attempts at a task.
    pub(crate) async fn of_retry(&mut self, task: TaskId, effect: RetryEffect, known: &Known) {
        match effect {
            RetryEffect::Arm { timer, after_ms } => self.arm(elapsed(task, timer), after_ms),
            RetryEffect::Disarm { timer } => self.stop(&Work::Timer(elapsed(task, timer))).await,
            RetryEffect::Begin { .. }
            | RetryEffect::Query { .. }
            | RetryEffect::Fence { .. }
            | RetryEffect::Ended { .. } => {
                for word in known.words_of_retry(task, effect) {
                    self.tell(word);
                }
            }
        }
    }

    /// The tree does not take an attempt: nobody has begun with it, and nobody will, which is found out before the next one.
    pub(crate) fn not_begun(&mut self, task: TaskId, attempt: AttemptNumber) {
        let event = RetryEvent::AttemptEnded { attempt, end: AttemptEnd::Unknown };
        self.tell(Fact::Retry { task, event });
    }
}

/// Whether what is said to the worker of one attempt means the same to that of another: an interrupt names a turn, an answer a question, a
/// report its number, and what is said of an iterator that.
fn is_for_any_attempt(event: WorkerEvent) -> bool {
    match event {
        WorkerEvent::WrapUpRequested | WorkerEvent::CompleteRequested => true,
        WorkerEvent::Session(_)
        | WorkerEvent::Assigned
        | WorkerEvent::MessageReceived { .. }
        | WorkerEvent::ChildReported { .. }
        | WorkerEvent::ChildEnded { .. }
        | WorkerEvent::Observed { .. }
        | WorkerEvent::ProgressReported { .. }
        | WorkerEvent::ApprovalRequested { .. }
        | WorkerEvent::AnswerReceived { .. }
        | WorkerEvent::Reported { .. }
        | WorkerEvent::ReportAcknowledged { .. }
        | WorkerEvent::InterruptRequested { .. }
        | WorkerEvent::PauseRequested
        | WorkerEvent::ResumeRequested
        | WorkerEvent::BudgetSpent
        | WorkerEvent::BudgetGranted
        | WorkerEvent::KillRequested
        | WorkerEvent::TimerFired { .. }
        | WorkerEvent::EndAcknowledged => false,
    }
}

/// What the timer of the attempts at a task comes back with.
fn elapsed(task: TaskId, timer: RetryTimer) -> Fact {
    Fact::Retry { task, event: RetryEvent::Elapsed { timer } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{history, known_after};

    #[test]
    fn attempts_that_do_not_fit_their_names_are_found() {
        type Change = fn(&mut Attempted);
        let name = TaskId(9);
        #[rustfmt::skip]
        let cases: [(&str, Change); 4] = [
            ("no attempt",       |attempted| attempted.tasks.values_mut().for_each(|tries| tries.record = Record::default())),
            ("ahead",            |attempted| attempted.tasks.values_mut().for_each(|tries| tries.record.begun(AttemptNumber(7), TaskId(70)))),
            ("name of nothing",  |attempted| attempted.names.extend([(TaskId(70), TaskId(9))])),
            ("attempt of no name", |attempted| attempted.names.clear()),
        ];
        let known = known_after(&history());
        assert_eq!(known.validate(), Ok(()));
        for (case, change) in cases {
            let mut known = known.clone();
            change(&mut known.attempted);
            assert_eq!(known.validate(), Err(Contradiction::Attempts(name)), "{case}");
        }
    }
}
