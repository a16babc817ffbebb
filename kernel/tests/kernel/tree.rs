//! A tree of tasks of which any may have a worker, and what the world outside knows of it.
//!
//! Beside each worker of the kernel stands one that is told by hand what the tree ought to tell its own, and a [`Ledger`] that
//! judges it. The two must never differ, in their state or in what they order: so everything that is for a worker comes
//! to it once, in its step, and to no other.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an event, an order or a state that is left out here is one that no worker hears of"
)]

use crate::orders::Orders;
use crate::pots::{Pots, asked};
use crate::worker_ledger::{Ledger, timeless};
use downbeat_kernel::{
    Answer, Config, Discard, Effect, End, Event, Held, IteratorId, Kernel, Outcome, Part, PromptId, Reason,
    Rejected, RequestEffect, RequestId, SessionEffect, SessionEvent, TaskId, TaskState, Timer, Worker,
    WorkerData, WorkerEffect, WorkerEnd, WorkerEvent, WorkerPart, WorkerRejected,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A worker that is told by hand, and what the outside knows of it.
#[derive(Default)]
pub(crate) struct Seat {
    pub(crate) worker: Worker,
    pub(crate) ledger: Ledger,
}

/// The kernel, and what the world outside knows of it.
pub(crate) struct Tree {
    pub(crate) kernel: Kernel,
    /// What the tasks wait for, but for their workers.
    pub(crate) orders: Orders,
    pub(crate) seats: BTreeMap<TaskId, Seat>,
    /// The iterators that a crash took, until somebody has said so.
    pub(crate) lost: BTreeSet<(TaskId, IteratorId)>,
    ends: BTreeMap<TaskId, End>,
    pots: Pots,
    journal: Vec<Event>,
    /// What the last step ordered, while it goes out.
    going_out: Vec<Effect>,
    read: Read,
}

/// What agents and models were given to read, under each identity.
#[derive(Default)]
struct Read {
    prompts: BTreeMap<(TaskId, PromptId), Vec<WorkerPart>>,
    requests: BTreeMap<RequestId, Vec<Part>>,
}

impl Tree {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            kernel: Kernel::new(config),
            orders: Orders::default(),
            seats: BTreeMap::new(),
            lost: BTreeSet::new(),
            ends: BTreeMap::new(),
            pots: Pots::default(),
            journal: Vec::new(),
            going_out: Vec::new(),
            read: Read::default(),
        }
    }

    /// Gives the kernel one event, with everything that must be true after it.
    pub(crate) fn step(&mut self, event: &Event) -> (Outcome, Vec<Effect>) {
        let (before, mut effects) = (self.kernel.clone(), Vec::new());
        let outcome = self.kernel.step(event.clone(), &mut effects);
        assert_eq!(self.kernel.validate(), Ok(()), "valid: after {event:?}");
        if outcome != Outcome::Applied {
            assert_eq!((&before, &effects), (&self.kernel, &Vec::new()), "S25: {event:?}");
            self.check_refusal(event, &outcome);
            return (outcome, effects);
        }
        self.read.note(&std::mem::replace(&mut self.going_out, effects.clone()));
        self.journal.push(event.clone());
        self.orders.note(event, &effects);
        self.pots.judge(&before, event, &self.kernel);
        let said = self.tell_workers(&before, event, &effects);
        self.check_workers(&said, &effects, event);
        for effect in &effects {
            self.note(&before, *effect);
        }
        self.forget(event);
        self.check_held(&before, event);
        self.check_resync();
        (outcome, effects)
    }

    /// The process crashes after so many effects of the last step, and starts again from what it stored. What the shell is
    /// told then under an identity that it knows is what it was told before.
    pub(crate) fn crash(&mut self, released: usize) {
        let stored = serde_json::to_vec(&self.kernel).expect("a kernel has a JSON form");
        let restored: Kernel = serde_json::from_slice(&stored).expect("and comes back from it");
        assert_eq!(restored, self.kernel, "a snapshot is what was stored");
        assert_eq!(restored.validate(), Ok(()), "valid: after a crash");
        self.kernel = restored;
        self.going_out.truncate(released);
        self.read.note(&std::mem::take(&mut self.going_out));
        let mut again = Vec::new();
        self.kernel.resync(&mut again);
        self.read.note(&again);
        for (task, seat) in &self.seats {
            let starts = |iterator| WorkerEffect::Session(SessionEffect::Start { iterator });
            let gone = seat.ledger.iterators.iter().copied();
            let gone = gone.filter(|iterator| !seat.ledger.orders.contains(&starts(*iterator)));
            self.lost.extend(gone.map(|iterator| (*task, iterator)));
        }
    }

    /// The journal leads to the same kernel.
    pub(crate) fn check_journal(&self) {
        let mut replayed = Kernel::new(*self.kernel.config());
        for event in &self.journal {
            assert_eq!(replayed.step(event.clone(), &mut Discard), Outcome::Applied, "{event:?}");
        }
        assert_eq!(replayed, self.kernel, "the journal leads elsewhere");
    }

    /// What the event has for workers, and what they order: by task, in its order.
    fn tell_workers(
        &mut self,
        before: &Kernel,
        event: &Event,
        effects: &[Effect],
    ) -> Vec<(TaskId, WorkerEffect)> {
        let mut said = Vec::new();
        match *event {
            Event::Deployed { task } => self.deploy(before, task, &mut said),
            Event::Worker { task, event } => self.tell_from_outside(before, task, event, &mut said),
            Event::MessageReceived { task, message } if works(before, task) => {
                self.must_take(task, WorkerEvent::MessageReceived { message }, &mut said);
            }
            Event::PauseRequested { task } if works(before, task) => {
                self.must_take(task, WorkerEvent::PauseRequested, &mut said);
            }
            Event::ResumeRequested { task } if works(before, task) => {
                self.must_take(task, WorkerEvent::ResumeRequested, &mut said);
            }
            Event::CancelRequested { task } => self.cancel(before, task, &mut said),
            Event::AnswerReceived { question, answer }
                if asked(before, question.task) == Some(question.number) =>
            {
                if answer != Answer::Approved {
                    self.cancel(before, question.task, &mut said);
                } else if asked(&self.kernel, question.task).is_none() {
                    self.tell_tree(before, question.task, WorkerEvent::BudgetGranted, &mut said);
                }
            }
            Event::Spent { task, .. } | Event::TimerFired { timer: Timer::Budget { task, .. } }
                if asked(before, task).is_none() && asked(&self.kernel, task).is_some() =>
            {
                self.tell_tree(before, task, WorkerEvent::BudgetSpent, &mut said);
            }
            _ => {}
        }
        for effect in effects {
            if let Effect::TaskEnded { task: child, .. } = *effect
                && let Some(parent) = parent(before, child)
                && works(&self.kernel, parent)
            {
                // One that is bound to end hears of it too (S3).
                self.must_take(parent, WorkerEvent::ChildEnded { child }, &mut said);
            }
        }
        said
    }

    fn deploy(&mut self, before: &Kernel, task: TaskId, said: &mut Vec<(TaskId, WorkerEffect)>) {
        let held = match before.task(task).map(|task| task.state) {
            Some(TaskState::Initializing) => None,
            Some(TaskState::Paused(Held::Initializing)) => Some(WorkerEvent::PauseRequested),
            _ => return,
        };
        let spent = asked(before, root(before, task)).map(|_| WorkerEvent::BudgetSpent);
        self.seats.insert(task, Seat::default());
        for event in held.into_iter().chain(spent).chain([WorkerEvent::Assigned]) {
            self.must_take(task, event, said);
        }
    }

    /// What every worker of a tree hears of its budget. One that is bound to end takes no notice.
    fn tell_tree(
        &mut self,
        before: &Kernel,
        task: TaskId,
        event: WorkerEvent,
        said: &mut Vec<(TaskId, WorkerEffect)>,
    ) {
        if works(before, task) {
            let _ = self.tell(task, event, said);
        }
        for child in live_subtasks(before, task) {
            self.tell_tree(before, child, event, said);
        }
    }

    /// A report is for the inbox of the parent's worker, and is acknowledged where that takes it. The end of a worker is that
    /// of its subtasks too (S9).
    fn tell_from_outside(
        &mut self,
        before: &Kernel,
        task: TaskId,
        event: WorkerEvent,
        said: &mut Vec<(TaskId, WorkerEffect)>,
    ) {
        assert!(!is_of_kernel(event), "NotForShell: {event:?}");
        let had_room = self.has_room(task);
        self.must_take(task, event, said);
        if let WorkerEvent::Reported { number } = event
            && let Some(parent) = parent(before, task).filter(|parent| works(before, *parent))
            && !self.keeps(task)
        {
            self.report(parent, task, number..=number, said);
        }
        if !had_room && self.has_room(task) {
            for child in live_subtasks(before, task) {
                self.report_kept(task, child, said);
            }
        }
        let ended = |seat: &Seat| seat.worker.state.end().is_some();
        if works(before, task) && self.seats.get(&task).is_some_and(ended) {
            self.cancel_subtasks(before, task, said);
        }
    }

    /// What a subtask has to say goes into the inbox of the parent's worker. For what there is no room, it waits; and where
    /// nobody takes it, it goes out.
    fn report(
        &mut self,
        parent: TaskId,
        child: TaskId,
        numbers: RangeInclusive<u32>,
        said: &mut Vec<(TaskId, WorkerEffect)>,
    ) {
        let is_report = |effect: &WorkerEffect| matches!(effect, WorkerEffect::Report { .. });
        for number in numbers {
            let told = self.tell(parent, WorkerEvent::ChildReported { child, number }, said);
            let seat = self.seats.get_mut(&child).expect("who reports has a worker");
            let order = WorkerEffect::Report { number };
            said.retain(|(of, effect)| *of != child || *effect != order);
            seat.ledger.orders.retain(|known| *known != order);
            match told {
                Outcome::Applied => {
                    seat.worker.data.kept = false;
                    self.must_take(child, WorkerEvent::ReportAcknowledged { number }, said);
                }
                Outcome::Rejected(WorkerRejected::InboxFull { .. }) => {
                    seat.worker.data.kept = true;
                    said.retain(|(of, effect)| *of != child || !is_report(effect));
                    seat.ledger.orders.retain(|known| !is_report(known));
                    return;
                }
                _ => {
                    seat.worker.data.kept = false;
                    said.push((child, order));
                    seat.ledger.orders.push(order);
                }
            }
        }
    }

    /// What waits with a subtask is told when there is room for it.
    fn report_kept(&mut self, parent: TaskId, child: TaskId, said: &mut Vec<(TaskId, WorkerEffect)>) {
        let waits = |seat: &&mut Seat| seat.worker.data.kept && seat.worker.state.end().is_none();
        let seat = self.seats.get_mut(&child).filter(waits);
        let Some(Seat { worker, ledger }) = seat else { return };
        let WorkerData { acknowledged, reported, .. } = worker.data;
        let waiting = acknowledged + 1..=reported;
        worker.data.kept = false;
        ledger.orders.extend(waiting.clone().map(|number| WorkerEffect::Report { number }));
        self.report(parent, child, waiting, said);
    }

    fn keeps(&self, task: TaskId) -> bool {
        self.seats.get(&task).is_some_and(|seat| seat.worker.data.kept)
    }

    fn has_room(&self, task: TaskId) -> bool {
        let limit = usize::try_from(self.kernel.config().inbox_max).expect("a bound of a test");
        self.seats.get(&task).is_some_and(|seat| seat.worker.data.inbox.len() < limit)
    }

    fn cancel(&mut self, before: &Kernel, task: TaskId, said: &mut Vec<(TaskId, WorkerEffect)>) {
        if works(before, task) {
            // One that is bound to end takes no notice.
            let _ = self.tell(task, WorkerEvent::KillRequested, said);
        }
        self.cancel_subtasks(before, task, said);
    }

    fn cancel_subtasks(&mut self, before: &Kernel, task: TaskId, said: &mut Vec<(TaskId, WorkerEffect)>) {
        for child in live_subtasks(before, task) {
            self.cancel(before, child, said);
        }
    }

    /// Tells a worker what it has to take, as the one of the kernel did.
    fn must_take(&mut self, task: TaskId, event: WorkerEvent, said: &mut Vec<(TaskId, WorkerEffect)>) {
        assert_eq!(self.tell(task, event, said), Outcome::Applied, "S3: {event:?} of {task:?}");
    }

    fn tell(
        &mut self,
        task: TaskId,
        event: WorkerEvent,
        said: &mut Vec<(TaskId, WorkerEffect)>,
    ) -> Outcome<WorkerRejected> {
        let config = *self.kernel.config();
        let seat = self.seats.get_mut(&task).unwrap_or_else(|| panic!("{task:?} has a worker for {event:?}"));
        let outcome = seat.ledger.tell(&mut seat.worker, &config, event);
        if let WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, .. }) = event {
            self.lost.remove(&(task, iterator));
        }
        // The end of a worker is that of its task.
        let ends = |effect: &WorkerEffect| matches!(effect, WorkerEffect::WorkerEnded { .. });
        let out = seat.ledger.said.iter().filter(|effect| !ends(effect));
        said.extend(out.map(|effect| (task, *effect)));
        outcome
    }

    /// S3, S4: each worker of the kernel is the one that was told by hand, and orders the same.
    fn check_workers(&self, said: &[(TaskId, WorkerEffect)], effects: &[Effect], event: &Event) {
        let of = |wanted: TaskId| {
            effects.iter().filter_map(move |effect| match *effect {
                Effect::Worker { task, effect } if task == wanted => Some(effect),
                _ => None,
            })
        };
        for task in self.kernel.tasks() {
            let by_hand = self.seats.get(&task.id).map(|seat| &seat.worker);
            assert_eq!(task.data.worker.as_deref(), by_hand, "S3: {:?} after {event:?}", task.id);
        }
        for task in self.seats.keys() {
            let by_hand = said.iter().filter(|(of, _)| of == task).map(|(_, effect)| *effect);
            assert_eq!(
                of(*task).collect::<Vec<_>>(),
                by_hand.collect::<Vec<_>>(),
                "S3: {task:?} after {event:?}"
            );
        }
    }

    fn note(&mut self, before: &Kernel, effect: Effect) {
        match effect {
            Effect::Worker { task, effect: WorkerEffect::Session(SessionEffect::Kill { iterator }) } => {
                self.lost.remove(&(task, iterator));
            }
            Effect::Request { task, effect, .. } => {
                assert!(!self.seats.contains_key(&task), "S1: a request beside a worker: {effect:?}");
            }
            Effect::TaskEnded { task, end } => self.note_end(before, task, end),
            _ => {}
        }
    }

    /// S7, S9: a task ends once, as its worker did unless it was cancelled, and leaves nobody behind.
    fn note_end(&mut self, before: &Kernel, task: TaskId, end: End) {
        assert_eq!(self.ends.insert(task, end), None, "S7: {task:?} ended twice");
        let orphan =
            self.kernel.tasks().find(|child| child.data.parent == Some(task) && child.state.end().is_none());
        assert_eq!(orphan.map(|child| child.id), None, "S9: a subtask of {task:?} lives on");
        let Some(seat) = self.seats.get(&task) else { return };
        assert_eq!(seat.ledger.iterators, BTreeSet::new(), "S9: an iterator of {task:?} lives on");
        let stood = before.task(task).map(|task| task.state);
        if matches!(stood, Some(TaskState::Working | TaskState::Ending(_))) && end != End::Cancelled {
            let of_worker = seat.worker.state.end().map(|end| match end {
                WorkerEnd::Completed => End::Completed,
                WorkerEnd::Failed(why) => End::Failed(Reason::Worker(why)),
                WorkerEnd::Killed => End::Cancelled,
            });
            assert_eq!(of_worker, Some(end), "S7: the end of {task:?}");
        }
    }

    /// What nobody asks about any more.
    fn forget(&mut self, event: &Event) {
        if let Event::EndAcknowledged { task } = event {
            self.seats.remove(task);
            self.lost.retain(|(of, _)| of != task);
        }
    }

    /// What a worker refuses is refused, for its reason.
    fn check_refusal(&mut self, event: &Event, outcome: &Outcome) {
        let Event::Worker { task, event: told } = *event else { return };
        if !works(&self.kernel, task) || is_of_kernel(told) {
            return;
        }
        let by_hand = match self.tell(task, told, &mut Vec::new()) {
            Outcome::Applied => Outcome::Applied,
            Outcome::Ignored(why) => Outcome::Ignored(why),
            Outcome::Rejected(why) => Outcome::Rejected(Rejected::Worker { task, why }),
        };
        assert_eq!(*outcome, by_hand, "S3: {event:?}");
    }

    /// S13: a subtask is held back exactly while a person holds the one that asked for it.
    fn check_held(&self, before: &Kernel, event: &Event) {
        let held = |task: TaskId| self.seats.get(&task).is_some_and(|seat| seat.ledger.held);
        let unstarted = |child: TaskId| {
            self.kernel.task(child).is_some_and(|child| child.state == TaskState::Paused(Held::Unstarted))
        };
        if let Event::SubtaskRequested { task, child } = *event {
            assert_eq!(unstarted(child), held(task), "S13: {child:?}, asked for by {task:?}");
        }
        for child in self.kernel.tasks().filter(|child| before.task(child.id).is_some()) {
            let parent = child.data.parent.filter(|parent| works(&self.kernel, *parent));
            if let Some(parent) = parent.filter(|_| unstarted(child.id)) {
                assert!(held(parent), "S13: {:?} is held back, and nobody holds {parent:?}", child.id);
            }
        }
    }

    /// What a restart repeats is what is outstanding, but for questions about progress, which are void in many ways.
    fn check_resync(&self) {
        let mut repeated = Vec::new();
        self.kernel.resync(&mut repeated);
        let is_check = |effect: &Effect| {
            matches!(effect, Effect::Worker { effect: WorkerEffect::AskProgress { .. }, .. })
        };
        repeated.retain(|effect| !is_check(effect));
        let untimed = |effect: Effect| match effect {
            Effect::Worker { task, effect } => Effect::Worker { task, effect: timeless(effect) },
            other => other,
        };
        let mut repeated: Vec<Effect> = repeated.into_iter().map(untimed).collect();
        repeated.sort_unstable();
        let of_workers = self.seats.iter().flat_map(|(task, seat)| {
            let orders = seat.ledger.orders.iter();
            let orders = orders.filter(|order| !matches!(order, WorkerEffect::WorkerEnded { .. }));
            orders.map(|effect| Effect::Worker { task: *task, effect: timeless(*effect) })
        });
        let mut outstanding: Vec<Effect> = self.orders.iter().copied().chain(of_workers).collect();
        outstanding.sort_unstable();
        assert_eq!(repeated, outstanding, "resync: of the tree");
    }
}

impl Read {
    /// What goes out. Whatever is given under one identity is the same each time (S2).
    fn note(&mut self, effects: &[Effect]) {
        let mut of_agents: BTreeMap<TaskId, Vec<WorkerPart>> = BTreeMap::new();
        let mut of_models: BTreeMap<TaskId, Vec<Part>> = BTreeMap::new();
        for effect in effects {
            match *effect {
                Effect::Worker { task, effect: WorkerEffect::Include { part } } => {
                    of_agents.entry(task).or_default().push(part);
                }
                Effect::Worker {
                    task,
                    effect: WorkerEffect::Session(SessionEffect::Prompt { prompt, .. }),
                } => {
                    let parts = of_agents.remove(&task).unwrap_or_default();
                    let known = self.prompts.entry((task, prompt)).or_insert_with(|| parts.clone());
                    assert_eq!(*known, parts, "S2: {prompt:?} of {task:?}");
                }
                Effect::Include { task, part } => of_models.entry(task).or_default().push(part),
                Effect::Request { task, turn, effect: RequestEffect::Send { attempt, .. } } => {
                    let request = RequestId { task, turn, attempt };
                    let parts = of_models.remove(&task).unwrap_or_default();
                    let known = self.requests.entry(request).or_insert_with(|| parts.clone());
                    assert_eq!(*known, parts, "S2: {request:?}");
                }
                _ => {}
            }
        }
    }
}

/// Whether a worker runs the task.
pub(crate) fn works(kernel: &Kernel, task: TaskId) -> bool {
    kernel.task(task).is_some_and(|task| task.state == TaskState::Working)
}

/// The subtasks of a task that have not ended, in the order in which they were asked for.
fn live_subtasks(kernel: &Kernel, task: TaskId) -> impl Iterator<Item = TaskId> {
    let live =
        move |child: &&downbeat_kernel::Task| child.data.parent == Some(task) && child.state.end().is_none();
    kernel.tasks().filter(live).map(|child| child.id)
}

fn parent(kernel: &Kernel, task: TaskId) -> Option<TaskId> {
    kernel.task(task)?.data.parent
}

fn root(kernel: &Kernel, task: TaskId) -> TaskId {
    parent(kernel, task).map_or(task, |parent| root(kernel, parent))
}

/// Whether only the kernel may tell a worker that.
fn is_of_kernel(event: WorkerEvent) -> bool {
    matches!(
        event,
        WorkerEvent::Assigned
            | WorkerEvent::MessageReceived { .. }
            | WorkerEvent::ChildReported { .. }
            | WorkerEvent::ChildEnded { .. }
            | WorkerEvent::PauseRequested
            | WorkerEvent::ResumeRequested
            | WorkerEvent::BudgetSpent
            | WorkerEvent::BudgetGranted
            | WorkerEvent::KillRequested
            | WorkerEvent::EndAcknowledged
    )
}
