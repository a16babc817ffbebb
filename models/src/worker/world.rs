//! The whole of a state but its budgets, and its one name among all that differ in numbers alone.
//!
//! Turns, prompts, iterators, timers and questions are counted, and nothing but whether a number is the newest, or one of
//! before, decides anything. So in each state all numbers of a kind are moved down together, until the newest is the
//! second: what comes late has one older to name. None is moved below the first, nor below one that the outside
//! still waits for, so that no two are ever taken for each other.

use downbeat_kernel::{
    ApprovalId, CheckNumber, Config, IteratorId, Kernel, PromptId, Task, TaskId, TaskState, WatchNumber,
    Worker, WorkerState, WorkerTimer,
};

use super::act::{CHILD, TASK};
use super::outside::{Armed, Breach, Outside, Running};

/// The tasks whose agents work, in the order of [`World::outsides`].
pub(super) const FOLLOWED: [TaskId; 2] = [TASK, CHILD];

/// The newest number, once there are two.
const NEWEST: u32 = 2;

/// What the kernel holds, and what the outside knows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    /// The task and its subtask, as far as they are not forgotten.
    pub(super) tasks: Vec<Task>,
    /// The last task that there was.
    pub(super) highest: TaskId,
    /// What the outside knows of the worker of the task, and then of that of the subtask, if its agent works.
    pub(super) outsides: Vec<Outside>,
}

impl World {
    /// The same with numbers as low as they can be.
    pub(super) fn renumbered(mut self) -> Self {
        for (of, outside) in FOLLOWED.iter().zip(&mut self.outsides) {
            let task = self.tasks.iter_mut().find(|task| task.id == *of);
            if let Some(worker) = task.and_then(|task| task.data.worker.as_deref_mut()) {
                let down = Down::of(worker, outside);
                down.apply_to_worker(worker);
                down.apply_to_outside(outside);
            }
        }
        self
    }

    /// The kernel.
    pub(super) fn kernel(&self, config: Config) -> Kernel {
        Kernel::from_tasks(config, Some(self.highest), self.tasks.iter().cloned())
    }

    /// The tasks whose agents work, with what the outside knows of their workers.
    pub(super) fn followed(&self) -> impl Iterator<Item = (TaskId, &Outside)> {
        FOLLOWED.iter().copied().zip(&self.outsides)
    }

    /// What the outside knows of the worker of a task whose agent works.
    pub(super) fn outside(&self, of: TaskId) -> &Outside {
        let known = self.followed().find(|(task, _)| *task == of);
        known.map(|(_, outside)| outside).expect("the agent of the task works")
    }

    /// How a promise was broken, if it was.
    pub(super) fn how(&self, breach: Breach) -> Option<String> {
        self.followed().find_map(|(of, outside)| {
            let how = outside.how(breach)?;
            Some(if of == CHILD { format!("of the subtask: {how}") } else { how.to_owned() })
        })
    }

    /// The worker of a task, also when it has ended.
    pub(super) fn worker(&self, of: TaskId) -> Option<&Worker> {
        self.task(of)?.data.worker.as_deref()
    }

    /// Where that worker stands.
    pub(super) fn standing(&self, of: TaskId) -> Option<WorkerState> {
        self.worker(of).map(|worker| worker.state)
    }

    /// A task, from when it was asked for until its end is on record.
    pub(super) fn task(&self, of: TaskId) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == of)
    }

    /// Whether the subtask has not ended.
    pub(super) fn has_live_child(&self) -> bool {
        self.task(CHILD).is_some_and(|child| child.state.end().is_none())
    }

    /// Whether a task is on its way to its worker.
    pub(super) fn is_starting(&self, of: TaskId) -> bool {
        self.task(of).is_some_and(|task| task.state.end().is_none() && task.data.worker.is_none())
    }

    /// Whether a worker runs the task, so that what comes for it is not lost.
    pub(super) fn takes_entries(&self) -> bool {
        self.task(TASK).is_some_and(|task| task.state == TaskState::Working)
            && self.standing(TASK).is_some_and(is_live)
    }
}

/// Whether a worker neither has ended nor is bound to.
pub(super) fn is_live(state: WorkerState) -> bool {
    match state {
        WorkerState::Idle
        | WorkerState::Held
        | WorkerState::Executing
        | WorkerState::AwaitingApproval
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling => true,
        WorkerState::Ending(_) | WorkerState::Ended(_) => false,
    }
}

/// How far down each kind of number moves.
struct Down {
    iterators: u32,
    prompts: u32,
    turns: u32,
    watches: u32,
    checks: u32,
}

impl Down {
    fn of(worker: &Worker, outside: &Outside) -> Self {
        let data = &worker.data;
        let timers = || outside.timers.iter().copied();
        let iterators = outside.iterators.iter().map(|(id, _)| id.0);
        let stops = timers().filter_map(|timer| match timer {
            Armed::Stop(iterator) => Some(iterator.0),
            Armed::Worker(_) => None,
        });
        let prompts = outside.iterators.iter().filter_map(|(_, running)| match running {
            Running::Works(prompt) => Some(prompt.0),
            Running::Ordered | Running::Listens | Running::Stops | Running::Lost => None,
        });
        let waits = timers().filter_map(|timer| match timer {
            Armed::Worker(WorkerTimer::Backoff(prompt) | WorkerTimer::Breaker(prompt)) => Some(prompt.0),
            Armed::Worker(WorkerTimer::Watch(_) | WorkerTimer::WrapUp(_)) | Armed::Stop(_) => None,
        });
        let watches = timers().filter_map(|timer| match timer {
            Armed::Worker(WorkerTimer::Watch(watch)) => Some(watch.0),
            Armed::Worker(WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_) | WorkerTimer::WrapUp(_))
            | Armed::Stop(_) => None,
        });
        let given = outside.given.iter().map(|given| given.prompt.0);
        let asks = outside.asks.iter().map(|approval| approval.prompt.0);
        let settled = std::iter::once(data.session.settled.0).filter(|settled| *settled > 0);
        Self {
            iterators: down(data.session.iterator.0, iterators.chain(stops)),
            prompts: down(
                data.session.accepted.0,
                prompts.chain(waits).chain(given).chain(asks).chain(settled),
            ),
            turns: down(data.turn.0, std::iter::empty()),
            watches: down(data.health.watch.0, watches),
            checks: down(data.health.asked.0, outside.check.iter().map(|check| check.0)),
        }
    }

    fn apply_to_worker(&self, worker: &mut Worker) {
        let data = &mut worker.data;
        data.session.iterator.0 -= self.iterators;
        data.session.accepted.0 -= self.prompts;
        data.session.settled.0 = data.session.settled.0.saturating_sub(self.prompts);
        data.turn.0 -= self.turns;
        let health = &mut data.health;
        health.watch.0 -= self.watches;
        health.asked.0 -= self.checks;
        // Which of the questions before the last were answered does not matter: none of them is open.
        let open = health.reported.0 < health.asked.0 + self.checks;
        health.reported.0 = health.asked.0 - u32::from(open);
    }

    fn apply_to_outside(&self, outside: &mut Outside) {
        for (iterator, running) in &mut outside.iterators {
            *iterator = self.iterator(*iterator);
            if let Running::Works(prompt) = running {
                *prompt = self.prompt(*prompt);
            }
        }
        outside.timers = outside.timers.iter().map(|timer| self.timer(*timer)).collect();
        let asks = outside.asks.iter().map(|ask| ApprovalId { prompt: self.prompt(ask.prompt), ..*ask });
        outside.asks = asks.collect();
        outside.check = outside.check.map(|check| CheckNumber(check.0 - self.checks));
        if let Some(given) = &mut outside.given {
            given.prompt = self.prompt(given.prompt);
        }
    }

    fn timer(&self, timer: Armed) -> Armed {
        match timer {
            Armed::Stop(iterator) => Armed::Stop(self.iterator(iterator)),
            Armed::Worker(timer) => Armed::Worker(match timer {
                WorkerTimer::Watch(watch) => WorkerTimer::Watch(WatchNumber(watch.0 - self.watches)),
                WorkerTimer::Backoff(prompt) => WorkerTimer::Backoff(self.prompt(prompt)),
                WorkerTimer::Breaker(prompt) => WorkerTimer::Breaker(self.prompt(prompt)),
                WorkerTimer::WrapUp(_) => timer,
            }),
        }
    }

    fn iterator(&self, iterator: IteratorId) -> IteratorId {
        IteratorId(iterator.0 - self.iterators)
    }

    fn prompt(&self, prompt: PromptId) -> PromptId {
        PromptId(prompt.0 - self.prompts)
    }
}

/// How far a number moves down of which the last is `last`, and of which these are still waited for.
fn down(last: u32, awaited: impl Iterator<Item = u32>) -> u32 {
    awaited.map(|number| number.saturating_sub(1)).fold(last.saturating_sub(NEWEST), u32::min)
}
