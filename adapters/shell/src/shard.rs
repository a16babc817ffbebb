//! One shard: events into the journal, then effects into the world.
//!
//! The order is the whole point. An event changes the kernel, goes to the journal with its words, and when that is durable, and only
//! then, what the kernel ordered is carried out and whoever told the event hears what became of it. Many events go to the
//! journal in one commit.

use crate::act::{Actor, Work};
use crate::entry::Entry;
use crate::error::ShellError;
use crate::number::{Place, number};
use crate::ports::Clock;
use crate::words::Library;
use crate::{Ports, ShellConfig, trace};
use downbeat_kernel::{Config, Effect, Event, Kernel, Outcome, TaskId};
use downbeat_rt::{Receiver, Rt, Sender};
use downbeat_store::{Batch, Lease, Opened, Position, ShardId, Store};
use std::sync::Arc;

/// An event on its way to the kernel.
#[derive(Debug)]
pub(crate) struct Letter {
    /// What happened; `None` if somebody wants the shard to stop.
    pub(crate) event: Option<Event>,
    pub(crate) text: Vec<String>,
    /// Who wants to hear what became of it.
    pub(crate) reply: Option<Sender<Answered>>,
    /// What came to its end with it.
    pub(crate) finished: Option<Work>,
}

/// What became of an event.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) outcome: Outcome,
    /// The task that it began.
    pub(crate) task: Option<TaskId>,
}

/// A shard that runs.
pub(crate) struct Shard {
    place: Place,
    batch_max: u64,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    lease: Lease,
    next: Position,
    kernel: Kernel,
    library: Library,
    actor: Actor,
}

/// What is released when a batch is durable.
#[derive(Default)]
struct Released {
    effects: Vec<Effect>,
    replies: Vec<(Sender<Answered>, Answered)>,
}

/// What comes after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Stop,
}

impl Shard {
    /// Opens the journal of a shard, and brings the kernel to where it was.
    pub(crate) async fn open(
        rt: Rt,
        shard: ShardId,
        config: ShellConfig,
        store: Arc<dyn Store>,
        ports: Ports,
        mailbox: Sender<Letter>,
    ) -> Result<Self, ShellError> {
        let place = Place { shard, shards: config.shards.max(1) };
        let Opened { lease, next } = store.open(shard).await?;
        let (kernel, library) = replay(&*store, place, config.kernel).await?;
        kernel.validate().map_err(ShellError::Corrupt)?;
        let (events, tasks) = (next.0 - 1, kernel.tasks().count());
        tracing::info!(target: "downbeat::shard", epoch = lease.epoch, events, tasks, "opened");
        let actor = Actor::new(rt, ports.clone(), mailbox);
        Ok(Self {
            place,
            batch_max: config.batch_max,
            store,
            clock: ports.clock,
            lease,
            next,
            kernel,
            library,
            actor,
        })
    }

    /// Goes on with what was outstanding, and takes letters until somebody wants it to stop.
    pub(crate) async fn run(&mut self, letters: &mut Receiver<Letter>) -> Result<(), ShellError> {
        let mut outstanding = Vec::new();
        self.kernel.resync(&mut outstanding);
        self.carry_out(outstanding).await;
        loop {
            let first = match self.actor.own() {
                Some(own) => own,
                None => match letters.next().await {
                    Some(letter) => letter,
                    None => return Ok(()),
                },
            };
            if self.commit(first, letters).await? == Then::Stop {
                return Ok(());
            }
        }
    }

    /// What there is to take goes through the kernel and into the journal together; then what it leads to is released.
    async fn commit(&mut self, first: Letter, letters: &mut Receiver<Letter>) -> Result<Then, ShellError> {
        let mut batch = Batch::at(self.next);
        let mut released = Released::default();
        let mut then = self.take(first, &mut batch, &mut released)?;
        while then == Then::GoOn
            && batch.lines < self.batch_max
            && let Some(letter) = self.actor.own().or_else(|| letters.take())
        {
            then = self.take(letter, &mut batch, &mut released)?;
        }
        if !batch.is_empty() {
            self.store.append(self.lease, &batch).await?;
            self.next = batch.next;
        }
        for (reply, answered) in released.replies {
            // Whoever asked may have gone.
            let _ = reply.try_send(answered);
        }
        // The words of an order do not change between its event and here: what could change them answers the order.
        self.carry_out(released.effects).await;
        Ok(then)
    }

    /// One letter through the kernel. What it leads to waits for the journal.
    fn take(
        &mut self,
        letter: Letter,
        batch: &mut Batch,
        released: &mut Released,
    ) -> Result<Then, ShellError> {
        let Letter { event, text, reply, finished } = letter;
        let Some(mut event) = event else { return Ok(Then::Stop) };
        if let Some(work) = finished {
            self.actor.finished(&work);
        }
        if !number(&mut event, &self.kernel, self.place) {
            return Ok(Then::GoOn);
        }
        let task = if let Event::TaskSubmitted { task, .. } = event { Some(task) } else { None };
        let first = released.effects.len();
        let outcome = self.kernel.step(event.clone(), &mut released.effects);
        trace::step(&event, &outcome, released.effects.len() - first);
        if outcome == Outcome::Applied {
            self.library.take(&event, &text, &released.effects[first..]);
            let entry = Entry { at_ms: self.clock.now_ms(), event: event.into(), text };
            batch.push(&entry.line().map_err(ShellError::Unwritable)?);
        } else {
            self.actor.was_not_taken(&event, &outcome);
        }
        released.replies.extend(reply.map(|reply| (reply, Answered { outcome, task })));
        Ok(Then::GoOn)
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            trace::order(&effect);
            self.actor.carry_out(effect, &self.library).await;
        }
    }

    /// Stops what runs, and gives the shard back.
    pub(crate) async fn close(mut self) -> Result<(), ShellError> {
        self.actor.stop_all().await;
        tracing::info!(target: "downbeat::shard", epoch = self.lease.epoch, events = self.next.0 - 1, "closed");
        Ok(self.store.close(self.lease).await?)
    }
}

/// The kernel and the words that the journal of a shard leads to.
async fn replay(store: &dyn Store, place: Place, config: Config) -> Result<(Kernel, Library), ShellError> {
    let shard = place.shard;
    let (mut kernel, mut library) = (Kernel::new(config), Library::default());
    let mut from = Position(1);
    loop {
        let batches = store.read(shard, from, LINES_AT_ONCE).await?;
        let Some(last) = batches.last() else { return Ok((kernel, library)) };
        from = last.next;
        for batch in &batches {
            for (line, at) in batch.lines().zip(batch.first.0..) {
                let unreadable = |source| ShellError::Unreadable { shard, at: Position(at), source };
                let (event, text) = Entry::read(line).map_err(unreadable)?;
                if let Event::TaskSubmitted { task, .. } = event
                    && !place.has(task)
                {
                    return Err(ShellError::Shards { shard, shards: place.shards, task });
                }
                let mut effects = Vec::new();
                let outcome = kernel.step(event.clone(), &mut effects);
                if outcome != Outcome::Applied {
                    return Err(ShellError::Refused { shard, at: Position(at), outcome: Box::new(outcome) });
                }
                library.take(&event, &text, &effects);
            }
        }
    }
}

/// Lines that are read at once: as many as are a few megabytes.
const LINES_AT_ONCE: u64 = 10_000;
