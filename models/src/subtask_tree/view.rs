//! A state as it is asked: what it looks like to the properties of all models, and to those of the composition.

use downbeat_kernel::{
    Event, Held, NotificationTimer, Outbox, RequestState, Retry, RetryTimer, Standing, TaskId, TaskState,
};

use super::asking::Asking;
use super::line::Line;
use super::scenario::Scenario;
use super::seen::Seen;
use super::state::{Desk, Fleet, Orders, Post, State, Tree, Wish, id, index};
use super::vault::{self, Vault};
use super::{SubtaskTree, words};
use crate::pots;
use crate::properties::{Observed, settled};
use crate::watch::{TASKS, TaskIndex, Watch};
use downbeat_wiring::{Word, root_of, untaken};

/// A state beside the tables that its parts are in.
pub(super) struct View<'a> {
    model: &'a SubtaskTree,
    pub(super) tree: &'a Tree,
    pub(super) vault: &'a Vault,
    pub(super) fleet: &'a Fleet,
    pub(super) post: &'a Post,
    pub(super) wish: &'a Wish,
    pub(super) asking: &'a Asking,
    desk: &'a Desk,
    pub(super) seen: &'a Seen,
}

impl<'a> View<'a> {
    pub(super) fn new(model: &'a SubtaskTree, state: &'a State) -> Self {
        let tables = &model.tables;
        Self {
            model,
            tree: &tables.tree[state.tree],
            vault: &tables.vault[state.vault],
            fleet: &tables.fleet[state.fleet],
            post: &tables.post[state.post],
            wish: &tables.wish[state.wish],
            asking: &tables.asking[state.asking],
            desk: &tables.desk[state.desk],
            seen: &tables.seen[state.seen],
        }
    }

    fn scenario(&self) -> &Scenario {
        &self.model.scenario
    }

    fn root(&self, task: TaskIndex) -> TaskId {
        root_of(&self.tree.kernel, id(task))
    }

    /// Whether a live task needs a place that it has not, and that another root has.
    fn waits_for_place_of(&self, task: TaskIndex) -> Option<TaskIndex> {
        if self.scenario().agents == 0 || !self.is_live(task) {
            return None;
        }
        let root = self.root(task);
        let is_queued =
            self.fleet.pool.task(root).is_some_and(|booking| booking.standing == Standing::Queued);
        let others = self.fleet.leases().map(|lease| lease.task);
        is_queued
            .then(|| others.filter(|other| *other != root).map(index).find(|other| self.is_live(*other)))?
    }

    /// Whether the system may rest: what lives waits for a person, and nobody has anything more to do or to say.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_over = |task: TaskIndex| self.tree.of(task).ended;
        let has_ended = (0..).take(TASKS).any(is_over);
        let ended_in_pool =
            self.fleet.pool.tasks().any(|(_, booking)| matches!(booking.standing, Standing::Ended(_)));
        settled(self)
            && !has_ended
            && !ended_in_pool
            && self.desk.words.is_empty()
            && self.post.is_settled()
            && !self.wish.ended
            && !self.has_untold_question()
            && !self.has_stray_lease()
    }

    /// A root that the tree does not hold any more, and that has a lease or waits for one.
    pub(super) fn has_stray_lease(&self) -> bool {
        self.fleet.pool.tasks().any(|(root, booking)| match booking.standing {
            Standing::Queued | Standing::Held { .. } => self.tree.kernel.task(root).is_none(),
            Standing::Ended(_) => false,
        })
    }

    /// A root that has ended, and has a lease or waits for one.
    pub(super) fn has_idle_lease(&self) -> bool {
        self.fleet.pool.tasks().any(|(root, booking)| match booking.standing {
            Standing::Queued | Standing::Held { .. } => !self.is_live(index(root)),
            Standing::Ended(_) => false,
        })
    }

    /// A task that is tried again was cancelled, and the attempts at it have not come to an end.
    pub(super) fn is_cancelled(&self) -> bool {
        self.wish.cancelled && self.wish.is_live()
    }

    /// Whether an agent asks and was not heard, or somebody was not told how its question ended.
    pub(super) fn has_untold_question(&self) -> bool {
        self.asking.is_unsettled(self.fleet, self.is_live(0))
    }

    /// The requests that wait for a credential.
    pub(super) fn authorizing(&self) -> impl Iterator<Item = TaskIndex> + '_ {
        (0..).take(TASKS).filter(|task| {
            let asks = |state| matches!(state, RequestState::Authorizing { .. });
            self.tree.task(*task).is_some_and(|task| asks(task.data.request.state) && is_asking(task.state))
        })
    }

    /// One who waits for a credential, and whom nobody will tell.
    pub(super) fn unheard(&self) -> Option<TaskIndex> {
        self.authorizing().find(|task| {
            let is_asked = |word: &Word| match word {
                Word::Wanted(request, _) => request.task == id(*task),
                Word::Tree(Event::Request { task: of, .. }) => *of == id(*task),
                Word::Tree(_)
                | Word::NoPlace(_)
                | Word::Begin(_)
                | Word::Fence(..)
                | Word::Pool(_)
                | Word::Over(..)
                | Word::Posted(_)
                | Word::Retry(_)
                | Word::Question(_) => false,
            };
            let waits = self.desk.waiters.requests().any(|request| request.task == id(*task));
            !waits && !self.desk.words.iter().any(is_asked)
        })
    }

    /// What the property of budgets looks at, of the tree of a root.
    pub(super) fn pot(&self, root: TaskIndex) -> pots::Tree {
        let turns = std::array::from_fn(|task| {
            let task = u8::try_from(task).unwrap_or(u8::MAX);
            let known = self.tree.task(task).filter(|_| self.root(task) == id(root));
            known.map_or(0, |known| known.data.turn.0 + self.tree.prompts(task))
        });
        let Orders { pot, more, budget: timer, .. } = self.tree.of(root);
        pots::Tree {
            budget: self.scenario().budget,
            root: self.tree.task(root).map(|task| task.state),
            pot: *pot,
            asks: more.is_some(),
            runs: timer.is_some(),
            turns,
        }
    }

    /// The roots that are there.
    pub(super) fn roots(&self) -> impl Iterator<Item = TaskIndex> + '_ {
        (0..).take(TASKS).filter(|task| self.tree.task(*task).is_some_and(|task| task.data.parent.is_none()))
    }

    /// A live root of which there is a bill that it has not taken, and that is not on its way to it.
    pub(super) fn unbilled(&self) -> Option<TaskIndex> {
        self.roots().find(|root| {
            let mut untaken = untaken(&self.tree.kernel, &self.desk.record, id(*root)).map(Word::Tree);
            untaken.any(|bill| !self.desk.words.contains(&bill))
        })
    }

    /// Whether a bill of a live root is on its way.
    pub(super) fn is_billed(&self) -> bool {
        self.roots().any(|root| untaken(&self.tree.kernel, &self.desk.record, id(root)).next().is_some())
    }

    /// Whether an attempt at the task that is tried again lives.
    pub(super) fn has_live_attempt(&self) -> bool {
        self.roots().any(|root| self.scenario().is_tried_again(root) && self.is_live(root))
    }

    /// What each task has at its agent, if a worker runs it.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.tree.orders.iter().map(|orders| &orders.line)
    }

    /// Whether an agent is to go on with a turn.
    pub(super) fn executes(&self) -> bool {
        (0..).take(TASKS).any(|task| self.tree.executes(task))
    }

    pub(super) fn has_ended(&self) -> bool {
        (0..).take(TASKS).any(|task| self.tree.of(task).ended)
    }

    pub(super) fn is_valid(&self) -> bool {
        let settings = &self.model.settings;
        // Timers have low numbers here, as if there had been fewer.
        let timer = self.post.outbox.timer.0;
        let timer = NotificationTimer(if timer == 0 { 0 } else { timer + 1_000 });
        let outbox = Outbox { timer, ..self.post.outbox };
        let timer = self.wish.retry.timer.0;
        let timer = RetryTimer(if timer == 0 { 0 } else { timer + 1_000 });
        let retry = Retry { timer, ..self.wish.retry };
        self.tree.kernel.validate().is_ok()
            && self.vault.credential.validate(&settings.credential).is_ok()
            && self.fleet.pool.validate().is_ok()
            && outbox.validate(&settings.outbox).is_ok()
            && retry.validate(&settings.retry).is_ok()
            && self.asking.questions.validate().is_ok()
    }

    /// What a reader must know about the new state.
    pub(super) fn change(&self, before: &Self) -> String {
        let mut words = Vec::new();
        for task in (0..).take(TASKS) {
            let state = |view: &Self| view.tree.task(task).map(|task| task.state);
            if state(self) != state(before) {
                words.push(format!("{}: {}", words::task_name(task), words::stands(state(self))));
            }
        }
        if vault::standing(self.vault) != vault::standing(before.vault) {
            words.push(format!("credential: {}", vault::standing(self.vault)));
        }
        words.join("; ")
    }
}

/// Whether a task asks a model, as far as it is not bound to end.
fn is_asking(state: TaskState) -> bool {
    match state {
        TaskState::Requesting | TaskState::Paused(Held::Requesting) => true,
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Paused(_)
        | TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => false,
    }
}

impl Observed for View<'_> {
    fn watch(&self) -> &Watch {
        &self.seen.watch
    }

    fn waits_for(&self, task: TaskIndex) -> Option<TaskIndex> {
        let calls = &self.tree.task(task)?.data.calls;
        // Of several subtasks the one that is not there is the one to look at.
        let gone = calls.subtasks().find(|subtask| !self.is_live(index(*subtask)));
        gone.or_else(|| calls.subtasks().next()).map(index).or_else(|| self.waits_for_place_of(task))
    }

    fn wake_under_way(&self, task: TaskIndex) -> bool {
        // The end of a subtask settles its parent in the same step; a place is given by the pool.
        self.waits_for_place_of(task).is_some()
    }

    fn waits_for_person(&self, task: TaskIndex) -> bool {
        let asks = |state| match state {
            TaskState::AwaitingInput => self.tree.of(task).questions != 0,
            TaskState::AwaitingBudget => self.tree.asks_for_more(task),
            TaskState::Queued
            | TaskState::Initializing
            | TaskState::Requesting
            | TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::Working
            | TaskState::Paused(_)
            | TaskState::Cancelling(_)
            | TaskState::Ending(_)
            | TaskState::Completed
            | TaskState::Failed(_)
            | TaskState::Cancelled => false,
        };
        self.tree.is_held(task)
            || self.tree.worker_waits_for_person(task)
            || self.tree.task(task).is_some_and(|task| asks(task.state))
    }

    fn is_live(&self, task: TaskIndex) -> bool {
        self.tree.task(task).is_some_and(|task| task.state.end().is_none())
    }

    fn task_name(&self, task: TaskIndex) -> &'static str {
        ["task A", "task B", "task C"][usize::from(task)]
    }
}
