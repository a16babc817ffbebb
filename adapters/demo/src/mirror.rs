//! The kernel's own state, for whoever looks on: a second kernel that takes what the journal has, as soon as it is durable.

use downbeat_kernel::{
    Call, CallState, Config, Effect, Event, Kernel, Passing, RequestState, Response, Task, TaskId, TaskState,
};
use downbeat_shell::{Entry, Recorded};
use downbeat_store::{
    Batch, Lease, Opened, Pending, Position, Rewriting, ShardId, Snapshot, Sqlite, Store, StoreError,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

/// What is known of a task beside its state.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// Its prompt.
    pub(crate) prompt: String,
    /// When it began, by the journal.
    pub(crate) began_ms: u64,
}

/// What the journal says.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) kernel: Kernel,
    pub(crate) names: BTreeMap<TaskId, Name>,
    /// Lines that became durable in this life.
    pub(crate) events: u64,
    /// Commits in this life.
    pub(crate) commits: u64,
    effects: Vec<Effect>,
}

impl Mirror {
    fn new(config: Config) -> Self {
        let (kernel, names) = (Kernel::new(config), BTreeMap::new());
        Self { kernel, names, events: 0, commits: 0, effects: Vec::new() }
    }

    fn take(&mut self, batch: &Batch) {
        // What cannot be read, or does not fit, is said by the shell, which reads the same lines.
        let entries = batch.lines().filter_map(|line| Entry::read(line).ok());
        for Entry { at_ms, event, bill, text } in entries {
            if let Some(bill) = bill {
                self.step(at_ms, bill.into(), Vec::new());
            }
            match event {
                Recorded::Tree(record) => self.step(at_ms, record.into(), text),
                Recorded::Credential { .. }
                | Recorded::Outbox { .. }
                | Recorded::Stands { .. }
                | Recorded::Pool(_)
                | Recorded::Submitted { .. }
                | Recorded::Attempted { .. }
                | Recorded::Begun { .. }
                | Recorded::Retry { .. }
                | Recorded::Questions { .. }
                | Recorded::NoPlace { .. }
                | Recorded::PoolStands { .. } => {}
            }
        }
    }

    fn step(&mut self, began_ms: u64, event: Event, text: Vec<String>) {
        match &event {
            Event::TaskSubmitted { task, .. } => {
                let prompt = text.into_iter().next().unwrap_or_default();
                self.names.insert(*task, Name { prompt, began_ms });
            }
            Event::ResponseEnded { response: Response::Calls(calls), .. } => {
                for (call, prompt) in calls.iter().zip(text.into_iter().skip(1)) {
                    if let Call::Subtask { child } = call {
                        self.names.insert(*child, Name { prompt, began_ms });
                    }
                }
            }
            Event::EndAcknowledged { task } => {
                self.names.remove(task);
            }
            Event::ResponseEnded { response: Response::Text | Response::Empty, .. }
            | Event::Spent { .. }
            | Event::Admitted { .. }
            | Event::Initialized { .. }
            | Event::InitializationFailed { .. }
            | Event::Deployed { .. }
            | Event::Worker { .. }
            | Event::SubtaskRequested { .. }
            | Event::Request { .. }
            | Event::ProfileDown { .. }
            | Event::ProfileUp { .. }
            | Event::ToolEnded { .. }
            | Event::AnswerReceived { .. }
            | Event::MessageReceived { .. }
            | Event::PauseRequested { .. }
            | Event::ResumeRequested { .. }
            | Event::CancelRequested { .. }
            | Event::TimerFired { .. } => {}
        }
        // Only what was applied is in a journal.
        let _ = self.kernel.step(event, &mut self.effects);
        self.effects.clear();
    }

    /// Tasks that have not ended.
    pub(crate) fn live(&self) -> usize {
        self.kernel.tasks().filter(|task| task.state.end().is_none()).count()
    }

    /// Every task with its subtasks.
    pub(crate) fn children(&self) -> BTreeMap<Option<TaskId>, Vec<&Task>> {
        let mut children = BTreeMap::<_, Vec<_>>::new();
        for task in self.kernel.tasks() {
            children.entry(task.data.parent).or_default().push(task);
        }
        children
    }
}

/// A store that shows what goes through it.
pub(crate) struct Watched {
    store: Sqlite,
    mirror: Mutex<Mirror>,
    is_simulated: bool,
}

/// Lines that are read at once.
const LINES_AT_ONCE: u64 = 10_000;

impl Watched {
    /// Reads what the journal has.
    pub(crate) async fn open(
        store: Sqlite,
        config: Config,
        is_simulated: bool,
    ) -> Result<Arc<Self>, StoreError> {
        let (mut mirror, mut from) = (Mirror::new(config), Position(1));
        loop {
            let batches = store.read(ShardId(0), from, LINES_AT_ONCE).await?;
            let Some(last) = batches.last() else { break };
            from = last.next;
            for batch in &batches {
                mirror.take(batch);
            }
        }
        Ok(Arc::new(Self { store, mirror: Mutex::new(mirror), is_simulated }))
    }

    /// Holds a clock that is paused until the database has answered.
    fn holding<'s, T: 's>(&'s self, answer: Pending<'s, T>) -> Pending<'s, T> {
        let held = self.is_simulated.then(hold_time);
        Box::pin(async move {
            let answer = answer.await;
            drop(held);
            answer
        })
    }

    pub(crate) fn mirror(&self) -> MutexGuard<'_, Mirror> {
        // What is shown may be wrong after a panic; what is journaled is not.
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Watched {
    fn open(&self, shard: ShardId) -> Pending<'_, Opened> {
        self.holding(self.store.open(shard))
    }

    fn append<'s>(&'s self, lease: Lease, batch: &'s Batch) -> Pending<'s, ()> {
        Box::pin(async move {
            self.holding(self.store.append(lease, batch)).await?;
            let mut mirror = self.mirror();
            mirror.take(batch);
            mirror.events += batch.lines;
            mirror.commits += 1;
            Ok(())
        })
    }

    fn read(&self, shard: ShardId, from: Position, lines_max: u64) -> Pending<'_, Vec<Batch>> {
        self.holding(self.store.read(shard, from, lines_max))
    }

    fn compact<'s>(
        &'s self,
        lease: Lease,
        until: Position,
        rewriting: &'s mut dyn Rewriting,
    ) -> Pending<'s, ()> {
        self.holding(self.store.compact(lease, until, rewriting))
    }

    fn keep<'s>(&'s self, lease: Lease, snapshot: &'s Snapshot) -> Pending<'s, ()> {
        self.holding(self.store.keep(lease, snapshot))
    }

    fn snapshot(&self, shard: ShardId) -> Pending<'_, Option<Snapshot>> {
        self.holding(self.store.snapshot(shard))
    }

    fn shards(&self) -> Pending<'_, Vec<ShardId>> {
        self.holding(self.store.shards())
    }

    fn close(&self, lease: Lease) -> Pending<'_, ()> {
        self.holding(self.store.close(lease))
    }
}

/// Holds a clock that is paused, until what it gives is dropped. A database takes its time in a thread of its own, of which the
/// runtime knows nothing: it would take that for a time in which nothing happens, and go on to the next timer.
pub(crate) fn hold_time() -> mpsc::Sender<()> {
    let (hold, held) = mpsc::channel();
    // tokio's clock does not advance by itself while something blocks.
    drop(tokio::task::spawn_blocking(move || held.recv()));
    hold
}

/// What a task does, in a few words.
pub(crate) fn words(task: &Task) -> String {
    let count = |is_it: fn(&CallState) -> bool| task.data.calls.iter().filter(is_it).count();
    let many = |count: usize, what: &str| {
        if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
    };
    let subtasks = || many(count(|call| matches!(call, CallState::Subtask { .. })), "subtask");
    match task.state {
        TaskState::Queued => "waits for a place".to_owned(),
        TaskState::Initializing => "is made ready".to_owned(),
        TaskState::Requesting => request(task),
        TaskState::ExecutingTools => {
            let tools = many(count(|call| matches!(call, CallState::Running)), "tool");
            match count(|call| matches!(call, CallState::Subtask { .. })) {
                0 => format!("runs {tools}"),
                _ => format!("runs {tools}, {}", subtasks()),
            }
        }
        TaskState::AwaitingSubtask => format!("waits for {}", subtasks()),
        TaskState::AwaitingInput => "waits for a person".to_owned(),
        TaskState::AwaitingBudget => "has spent its budget".to_owned(),
        TaskState::Working => "works".to_owned(),
        TaskState::Paused(_) => "paused".to_owned(),
        TaskState::Cancelling(_) => "is being cancelled".to_owned(),
        TaskState::Ending(_) => "ends".to_owned(),
        TaskState::Completed => "completed".to_owned(),
        TaskState::Failed(_) => "failed".to_owned(),
        TaskState::Cancelled => "cancelled".to_owned(),
    }
}

fn request(task: &Task) -> String {
    let turn = task.data.turn.0;
    match task.data.request.state {
        RequestState::Unbegun => format!("begins turn {turn}"),
        RequestState::Authorizing { .. } => "waits for a token".to_owned(),
        RequestState::Ready { .. } => "held back".to_owned(),
        RequestState::Streaming { .. } | RequestState::Delivering => format!("asks the model, turn {turn}"),
        RequestState::BackingOff { after: Passing::Throttled, .. } => "throttled, waits".to_owned(),
        RequestState::BackingOff { after: Passing::Transient | Passing::Interrupted, .. } => {
            "send failed, waits".to_owned()
        }
        RequestState::Stopping(_) => "stops its request".to_owned(),
        RequestState::Ended(_) => format!("has asked, turn {turn}"),
    }
}
