//! What the random lives of trees with workers come by: without these situations they would show little.

#![expect(clippy::wildcard_enum_match_arm, reason = "an order that is left out here is no end of a task")]

use crate::tree::{Tree, works};
use crate::tree_choices::{Choices, Happening, happening};
use crate::working_random::{LENGTH, config};
use downbeat_kernel::{
    CallRefusal, Effect, End, Event, Held, Kernel, Outcome, Reason, Rejected, Rung, SessionEvent, Source,
    Task, TaskId, TaskState, Worker, WorkerEffect, WorkerEvent, WorkerPart, WorkerReason, WorkerRejected,
    WorkerState,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// Lives within which each situation is come by at least once.
const LIVES: usize = 800;

/// One step of a life.
struct Moment<'a> {
    before: &'a Kernel,
    /// What the kernel was told; `None` for a crash.
    event: Option<&'a Event>,
    outcome: Outcome,
    effects: &'a [Effect],
    tree: &'a Tree,
}

type Situation = (&'static str, fn(&Moment<'_>) -> bool);

#[rustfmt::skip]
const OF_FAMILIES: &[Situation] = &[
    ("a worker and that of its subtask both have a prompt", |at| {
        at.families().any(|family| family.iter().all(|task| stands(task, WorkerState::Executing)))
    }),
    ("three generations of workers", |at| {
        at.families().any(|[_, child]| at.families().any(|[parent, _]| parent.id == child.id))
    }),
    ("a worker has two subtasks with workers", |at| {
        at.families().any(|[parent, _]| at.families().filter(|[other, _]| other.id == parent.id).count() == 2)
    }),
    ("the subtask of a task without a worker has one", |at| {
        at.tasks().any(|task| task.data.worker.is_some() && at.parent(task).is_some_and(|parent| parent.data.worker.is_none()))
    }),
    ("a held worker asks for a subtask", |at| {
        at.is_applied() && at.event.is_some_and(|event| matches!(event, Event::SubtaskRequested { child, .. }
            if at.task(*child).is_some_and(|child| child.state == TaskState::Paused(Held::Unstarted))))
    }),
    ("a subtask that was held back goes on", |at| {
        at.before.tasks().any(|task| task.state == TaskState::Paused(Held::Unstarted)
            && at.task(task.id).is_some_and(|task| task.state == TaskState::Queued))
    }),
    ("a report is in the prompt of the parent", |at| at.includes(|source| matches!(source, Source::ChildReported { .. }))),
    ("the end of a subtask is in the prompt of the parent", |at| at.includes(|source| matches!(source, Source::ChildEnded { .. }))),
    ("a report finds no room in the inbox of the parent", |at| {
        at.told().is_some_and(|(task, told)| matches!(told, WorkerEvent::Reported { .. }) && at.keeps(task) && !keeps(at.before, task))
    }),
    ("two reports wait for room in the inbox of the parent", |at| {
        at.children().any(|child| at.keeps(child.id) && child.data.worker.as_ref().is_some_and(|worker| worker.data.reported - worker.data.acknowledged == 2))
    }),
    ("a report that waited for room is told", |at| {
        at.told().is_some_and(|(_, told)| matches!(told, WorkerEvent::Session(SessionEvent::Answered { .. })))
            && at.children().any(|child| keeps(at.before, child.id) && !at.keeps(child.id))
    }),
    ("a subtask ends, and a report of it waits for room", |at| at.ends().any(|child| keeps(at.before, child))),
    ("a subtask ends, and the inbox of the parent is full", |at| {
        let is_full = |parent: TaskId| worker(at.before, parent).is_some_and(|worker| worker.data.inbox.len() >= 2);
        at.ends().any(|child| at.before.task(child).and_then(|child| child.data.parent).is_some_and(is_full))
    }),
    ("a worker completes, and the agent of its subtask has a prompt", |at| {
        at.moved(|before, after| before == TaskState::Working && after == TaskState::Ending(End::Completed))
            && at.families().any(|[parent, child]| parent.state == TaskState::Ending(End::Completed) && child.data.worker.is_some())
    }),
    ("a worker fails over its live subtask", |at| {
        at.moved(|before, after| before == TaskState::Working && matches!(after, TaskState::Ending(End::Failed(_))))
    }),
    ("a person cancels a worker and that of its subtask", |at| {
        at.is_applied() && at.event.is_some_and(|event| matches!(event, Event::CancelRequested { task } if works(at.before, *task)))
            && at.families().any(|[_, child]| matches!(child.state, TaskState::Cancelling(_)))
    }),
    ("a subtask is stuck, and its parent works on", |at| {
        at.tasks().any(|child| child.state == TaskState::Failed(Reason::Worker(WorkerReason::Stuck))
            && at.parent(child).is_some_and(|parent| parent.state == TaskState::Working))
    }),
];

#[rustfmt::skip]
const OF_WORKERS: &[Situation] = &[
    ("a subtask is held", |at| at.children().any(|child| stands(child, WorkerState::Held))),
    ("a subtask waits for a person's answer", |at| at.children().any(|child| stands(child, WorkerState::AwaitingApproval))),
    ("a subtask backs off", |at| at.children().any(|child| standing(child).is_some_and(|state| matches!(state, WorkerState::BackingOff { .. })))),
    ("a subtask waits for the breaker", |at| at.children().any(|child| stands(child, WorkerState::Cooling))),
    ("the agent of a subtask was asked how far it is", |at| at.has_rung(Rung::Inquired)),
    ("the agent of a subtask was interrupted by its health", |at| at.has_rung(Rung::Interrupted)),
    ("the agent of a subtask was restarted by its health", |at| at.has_rung(Rung::Restarted)),
    ("a turn is resumed", |at| at.orders(|effect| effect == WorkerEffect::Include { part: WorkerPart::Resumed })),
    ("a question is withdrawn", |at| at.orders(|effect| matches!(effect, WorkerEffect::Withdraw { .. }))),
    ("an entry is reported in doubt", |at| at.orders(|effect| matches!(effect, WorkerEffect::ReportUndelivered { in_doubt: true, .. }))),
    ("an inquiry is answered", |at| at.orders(|effect| effect == WorkerEffect::Acknowledge { source: Source::Inquiry })),
    ("a worker finishes as it was told", |at| at.orders(|effect| effect == WorkerEffect::Acknowledge { source: Source::WrapUp })),
    ("an iterator is killed", |at| at.orders(|effect| matches!(effect, WorkerEffect::Session(downbeat_kernel::SessionEffect::Kill { .. })))),
    ("an agent repeats itself", |at| at.orders(|effect| matches!(effect, WorkerEffect::Warn { concern: downbeat_kernel::Concern::Looping }))),
    ("the calls of an agent fail one after the other", |at| at.orders(|effect| matches!(effect, WorkerEffect::Warn { concern: downbeat_kernel::Concern::Errors }))),
    ("a worker has used up its tries", |at| at.tasks().any(|task| task.state == TaskState::Failed(Reason::Worker(WorkerReason::AttemptsExhausted)))),
];

#[rustfmt::skip]
const OF_REFUSALS: &[Situation] = &[
    ("the shell tells a worker what only the kernel may", |at| matches!(at.outcome, Outcome::Rejected(Rejected::NotForShell { .. }))),
    ("a subtask under an id that was used", |at| {
        matches!((at.event, &at.outcome), (Some(Event::SubtaskRequested { .. }), Outcome::Rejected(Rejected::IdNotFresh { .. })))
    }),
    ("more subtasks than fit", |at| {
        matches!((at.event, &at.outcome), (Some(Event::SubtaskRequested { .. }), Outcome::Rejected(Rejected::TooManyCalls { .. })))
    }),
    ("a subtask too deep", |at| matches!(at.outcome, Outcome::Rejected(Rejected::Subtask { why: CallRefusal::TooDeep, .. }))),
    ("a subtask more than there is room for", |at| matches!(at.outcome, Outcome::Rejected(Rejected::Subtask { why: CallRefusal::TasksFull, .. }))),
    ("a number of a question is left out", |at| at.rejects(|why| matches!(why, WorkerRejected::ApprovalGap { .. }))),
    ("a number of a report is left out", |at| at.rejects(|why| matches!(why, WorkerRejected::ReportGap { .. }))),
    ("more reports than fit", |at| at.rejects(|why| matches!(why, WorkerRejected::ReportsFull { .. }))),
    ("a number of a message is left out", |at| at.rejects(|why| matches!(why, WorkerRejected::MessageGap { .. }))),
    ("more messages than fit", |at| at.rejects(|why| matches!(why, WorkerRejected::InboxFull { .. }))),
    ("a report is acknowledged that there is not", |at| {
        at.rejects(|why| matches!(why, WorkerRejected::NeverAsked { event: WorkerEvent::ReportAcknowledged { .. }, .. }))
    }),
];

#[rustfmt::skip]
const OF_CRASHES: &[Situation] = &[
    ("a crash takes two agents", |at| at.event.is_none() && at.tree.lost.iter().map(|(task, _)| task).collect::<BTreeSet<_>>().len() == 2),
    ("a crash while a worker waits before the next try", |at| {
        at.event.is_none() && at.tasks().any(|task| standing(task).is_some_and(|state| matches!(state, WorkerState::BackingOff { .. })))
    }),
    ("a crash while a person is asked", |at| at.event.is_none() && at.tasks().any(|task| stands(task, WorkerState::AwaitingApproval))),
    ("a crash while a task joins its worker", |at| {
        at.event.is_none() && at.tasks().any(|task| standing(task).is_some_and(|state| matches!(state, WorkerState::Ending(_))))
    }),
    ("a crash while a task waits for its subtasks to end", |at| {
        at.event.is_none() && at.tasks().any(|task| matches!(task.state, TaskState::Ending(_)))
    }),
    ("a crash while a subtask is held back", |at| {
        at.event.is_none() && at.tasks().any(|task| task.state == TaskState::Paused(Held::Unstarted))
    }),
    ("an iterator that a crash took is replaced", |at| {
        at.orders(|effect| matches!(effect, WorkerEffect::Session(downbeat_kernel::SessionEffect::Start { .. })))
            && at.told().is_some_and(|(_, told)| matches!(told, WorkerEvent::Session(downbeat_kernel::SessionEvent::IteratorEnded { .. })))
    }),
];

impl<'a> Moment<'a> {
    fn is_applied(&self) -> bool {
        self.outcome == Outcome::Applied
    }

    fn rejects(&self, like: fn(&WorkerRejected) -> bool) -> bool {
        matches!(&self.outcome, Outcome::Rejected(Rejected::Worker { why, .. }) if like(why))
    }

    fn tasks(&self) -> impl Iterator<Item = &'a Task> + use<'a> {
        self.tree.kernel.tasks()
    }

    fn task(&self, task: TaskId) -> Option<&'a Task> {
        self.tree.kernel.task(task)
    }

    fn parent(&self, task: &Task) -> Option<&'a Task> {
        self.task(task.data.parent?)
    }

    /// Every worker of which a subtask has one, with that.
    fn families(&self) -> impl Iterator<Item = [&'a Task; 2]> + use<'_, 'a> {
        let with_worker = |task: &&Task| task.data.worker.is_some();
        let children = self.tasks().filter(with_worker);
        children.filter_map(move |child| Some([self.parent(child).filter(with_worker)?, child]))
    }

    /// Whether reports of a worker wait for room.
    fn keeps(&self, task: TaskId) -> bool {
        keeps(&self.tree.kernel, task)
    }

    /// Every subtask with a worker whose parent has one.
    fn children(&self) -> impl Iterator<Item = &'a Task> + use<'_, 'a> {
        self.families().map(|[_, child]| child)
    }

    fn has_rung(&self, rung: Rung) -> bool {
        self.children()
            .any(|child| child.data.worker.as_ref().is_some_and(|worker| worker.data.health.rung == rung))
    }

    /// What a worker was told from outside.
    fn told(&self) -> Option<(TaskId, WorkerEvent)> {
        match self.event {
            Some(Event::Worker { task, event }) => Some((*task, *event)),
            Some(_) | None => None,
        }
    }

    fn orders(&self, like: impl Fn(WorkerEffect) -> bool) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Worker { effect, .. } if like(*effect)))
    }

    fn includes(&self, like: fn(Source) -> bool) -> bool {
        self.orders(|effect| {
            matches!(effect, WorkerEffect::Include { part: WorkerPart::Source(source) } if like(source))
        })
    }

    /// The tasks that end in this step.
    fn ends(&self) -> impl Iterator<Item = TaskId> + use<'a> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::TaskEnded { task, .. } => Some(*task),
            _ => None,
        })
    }

    /// Whether a task moved like that.
    fn moved(&self, like: fn(TaskState, TaskState) -> bool) -> bool {
        self.before.tasks().any(|was| self.task(was.id).is_some_and(|is| like(was.state, is.state)))
    }
}

fn worker(kernel: &Kernel, task: TaskId) -> Option<&Worker> {
    kernel.task(task)?.data.worker.as_deref()
}

fn keeps(kernel: &Kernel, task: TaskId) -> bool {
    worker(kernel, task).is_some_and(|worker| worker.data.kept)
}

fn standing(task: &Task) -> Option<WorkerState> {
    task.data.worker.as_ref().map(|worker| worker.state)
}

fn stands(task: &Task, state: WorkerState) -> bool {
    standing(task) == Some(state)
}

/// Notes which of the situations one life comes by.
fn come_by(choices: &[Choices], found: &mut BTreeSet<&'static str>) {
    let mut tree = Tree::new(config());
    for choices in choices {
        let before = tree.kernel.clone();
        let happening = happening(&tree, *choices);
        let (event, (outcome, effects)) = match &happening {
            Happening::Told(event) => (Some(event), tree.step(event)),
            Happening::Crash { released } => {
                tree.crash(*released);
                (None, (Outcome::Applied, Vec::new()))
            }
        };
        let moment = Moment { before: &before, event, outcome, effects: &effects, tree: &tree };
        found.extend(situations().filter(|(_, like)| like(&moment)).map(|(name, _)| *name));
    }
}

fn situations() -> impl Iterator<Item = &'static Situation> {
    [OF_FAMILIES, OF_WORKERS, OF_REFUSALS, OF_CRASHES].into_iter().flatten()
}

#[test]
fn random_trees_come_by_every_situation() {
    let mut runner = TestRunner::deterministic();
    let mut found = BTreeSet::new();
    for _ in 0..LIVES {
        let choices = vec(any::<Choices>(), LENGTH).new_tree(&mut runner).expect("a life can be made");
        come_by(&choices.current(), &mut found);
    }
    let missed = situations().map(|(name, _)| *name).filter(|name| !found.contains(name));
    assert_eq!(missed.collect::<Vec<_>>(), Vec::<&str>::new(), "not come by in {LIVES} lives");
}
