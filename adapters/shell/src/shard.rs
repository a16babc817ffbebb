//! One shard: events into the journal, then effects into the world.
//!
//! The order is the whole point. An event changes the kernel, goes to the journal with its words, and when that is durable, and only
//! then, what the kernel ordered is carried out and whoever told the event hears what became of it. Many events go to the
//! journal in one commit, and while it lasts those of the next one go through the kernel.

use crate::act::{Actor, Work};
use crate::agents::Submitter;
use crate::contain::told;
use crate::entry::Entry;
use crate::error::ShellError;
use crate::fact::{Fact, Order, Refused, Told};
use crate::fault::{self, Fault};
use crate::iterate::counts;
use crate::keeper::Keeper;
use crate::known::Known;
use crate::number::{NEW, Place, Settings, billed, number};
use crate::passage::Passage;
use crate::ports::Clock;
use crate::replay::recover;
use crate::{Ports, ShellConfig, trace};
use downbeat_kernel::{Event, Ignored, IteratorId, Lease as RootLease, Outcome, TaskId};
use downbeat_rt::{First, Receiver, Rt, Sender, first_of};
use downbeat_store::{Batch, Lease, Opened, Pending, Position, ShardId, Store};
use downbeat_wiring::{is_present, over};
use std::pin::{Pin, pin};
use std::sync::Arc;

/// Something on its way to a machine of a shard.
#[derive(Debug)]
pub(crate) struct Letter {
    /// What happened.
    pub(crate) told: Told,
    pub(crate) text: Vec<String>,
    /// Who wants to hear what became of it.
    pub(crate) reply: Option<Sender<Answered>>,
    /// What came to its end with it.
    pub(crate) finished: Option<Work>,
    /// The lease that it was done under: if that is over, it is nothing to anybody (S20).
    pub(crate) under: Option<RootLease>,
    /// The iterator that says it: if that does not count any more, neither does this (S11).
    pub(crate) by: Option<(TaskId, IteratorId)>,
}

impl Letter {
    /// What nobody waits to hear of.
    pub(crate) fn of(told: impl Into<Told>, finished: Option<Work>) -> Self {
        Self { told: told.into(), text: Vec::new(), reply: None, finished, under: None, by: None }
    }

    /// Posts it, and waits until what becomes of it is durable.
    pub(crate) async fn answered(self, rt: &Rt, mailbox: &Sender<Self>) -> Result<Answered, ShellError> {
        let (reply, mut answered) = rt.channel("reply", 1);
        mailbox.send(Self { reply: Some(reply), ..self }).await.map_err(|_| ShellError::Stopped)?;
        answered.next().await.ok_or(ShellError::Stopped)
    }
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) outcome: Outcome<Refused>,
    /// The task that it began.
    pub(crate) task: Option<TaskId>,
}

/// Whoever told something hears what became of it.
fn reply(replies: Vec<(Sender<Answered>, Answered)>) {
    if fault::has(Fault::ForgetsReplies) {
        return replies.into_iter().for_each(std::mem::forget);
    }
    for (reply, answered) in replies {
        // Whoever asked may have gone.
        let _ = reply.try_send(answered);
    }
}

/// A shard that runs.
pub(crate) struct Shard {
    place: Place,
    batch_max: u64,
    /// Whether tasks that are submitted are tried again.
    attempts: bool,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// What the clock said last: what it says when it panics.
    at_ms: u64,
    lease: Lease,
    next: Position,
    known: Known,
    passage: Passage,
    keeper: Keeper,
    actor: Actor,
}

/// What goes through the machines together, into one commit.
struct Step {
    batch: Batch,
    /// What is released when that is durable.
    orders: Vec<Order>,
    replies: Vec<(Sender<Answered>, Answered)>,
}

impl Step {
    fn at(first: Position) -> Self {
        Self { batch: Batch::at(first), orders: Vec::new(), replies: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.replies.is_empty()
    }
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
        let settings = Settings { kernel: config.kernel, pool: config.pool };
        let (known, from) = recover(&*store, place, settings, next).await?;
        let (events, replayed, tasks) = (next.0 - 1, next.0 - from.0, known.kernel.tasks().count());
        tracing::info!(target: "downbeat::shard", shard = shard.0, epoch = lease.epoch, events, replayed, tasks, "opened");
        let keeper = Keeper::new(rt.clone(), Arc::clone(&store), lease, place, config.snapshot_every, from);
        let actor = Actor::new(shard, rt, ports.clone(), &config, mailbox);
        Ok(Self {
            place,
            batch_max: config.batch_max,
            attempts: config.attempts,
            store,
            clock: ports.clock,
            at_ms: 0,
            lease,
            next,
            known,
            passage: Passage::default(),
            keeper,
            actor,
        })
    }

    /// Goes on with what was outstanding, and takes letters until the mailbox is sealed and empty.
    pub(crate) async fn run(&mut self, letters: &mut Receiver<Letter>) -> Result<(), ShellError> {
        let now_ms = self.now_ms();
        let mut outstanding = self.known.outstanding(now_ms);
        if fault::has(Fault::ForgetsOutstanding) {
            outstanding.clear();
        }
        let outstanding = self.passage.pass_again(&self.known, outstanding);
        self.carry_out(outstanding).await;
        for gone in self.known.askers_gone() {
            self.actor.tell(gone);
        }
        while let Some(first) = self.next_letter(letters).await {
            let mut step = Step::at(self.next);
            self.take(first, &mut step).await?;
            while !step.is_empty() {
                self.fill(&mut step, letters).await?;
                step = self.commit(step, letters).await?;
            }
        }
        Ok(())
    }

    /// The next letter; `None` once the mailbox is sealed and empty.
    async fn next_letter(&mut self, letters: &mut Receiver<Letter>) -> Option<Letter> {
        match self.actor.own() {
            Some(own) => Some(own),
            None => letters.next().await,
        }
    }

    /// What there is to take goes through the kernel.
    async fn fill(&mut self, step: &mut Step, letters: &mut Receiver<Letter>) -> Result<(), ShellError> {
        while step.batch.lines < self.batch_max
            && let Some(letter) = self.actor.own().or_else(|| letters.take())
        {
            self.take(letter, step).await?;
        }
        Ok(())
    }

    /// Makes durable what went through the kernel together, and then releases what it leads to. What comes meanwhile goes through
    /// the kernel already, and waits for a commit of its own.
    async fn commit(&mut self, mut step: Step, letters: &mut Receiver<Letter>) -> Result<Step, ShellError> {
        if fault::has(Fault::EffectsFirst) {
            self.carry_out(std::mem::take(&mut step.orders)).await;
        }
        if fault::has(Fault::RepliesFirst) {
            reply(std::mem::take(&mut step.replies));
        }
        let taken = self.keeper.take(&self.known, step.batch.next);
        let mut next = Step::at(step.batch.next);
        if !step.batch.is_empty() {
            let (store, lease) = (Arc::clone(&self.store), self.lease);
            let appended = pin!(store.append(lease, &step.batch));
            self.fill_while(appended, &mut next, letters).await?;
            self.next = step.batch.next;
        }
        if fault::has(Fault::RepliesBeforeOrders) {
            reply(std::mem::take(&mut step.replies));
        }
        // The words of an order do not change between its event and here: what could change them answers the order.
        self.carry_out(step.orders).await;
        // Whoever hears of a stop hears of it when that is carried out, and what was ordered before it.
        reply(step.replies);
        if let Some(taken) = taken {
            self.keeper.begin(taken);
        }
        Ok(next)
    }

    /// What comes while a batch is made durable goes through the kernel.
    async fn fill_while(
        &mut self,
        mut appended: Pin<&mut Pending<'_, ()>>,
        next: &mut Step,
        letters: &mut Receiver<Letter>,
    ) -> Result<(), ShellError> {
        while next.batch.lines < self.batch_max {
            if fault::has(Fault::StarvesCommits) {
                let Some(letter) = self.next_letter(letters).await else { break };
                self.take(letter, next).await?;
                continue;
            }
            match first_of(appended.as_mut(), self.next_letter(letters)).await {
                First::Left(appended) => return Ok(appended?),
                First::Right(Some(_)) if fault::has(Fault::DropsLetters) => {}
                First::Right(Some(letter)) => self.take(letter, next).await?,
                First::Right(None) => break,
            }
        }
        Ok(appended.await?)
    }

    /// One letter through its machine. What it leads to waits for the journal.
    async fn take(&mut self, letter: Letter, step: &mut Step) -> Result<(), ShellError> {
        let Letter { told, text, reply, finished, under, by } = letter;
        // What runs under this name by now is another's, and whoever began this is told of its end with that of the lease.
        let is_late = under.is_some_and(|lease| !self.is_present(lease))
            || by.is_some_and(|(task, iterator)| !counts(&self.known.kernel, task, iterator));
        if let Some(work) = finished.filter(|_| !is_late) {
            self.actor.finished(&work);
        }
        let paid = told.paid();
        let Some(mut fact) = self.fact(told) else { return Ok(()) };
        if fault::has(Fault::AnswersNewestQuestion)
            && let Fact::Tree(Event::AnswerReceived { question, .. }) = &mut fact
        {
            let newest = self.known.kernel.task(question.task).map(|task| task.data.questions);
            question.number = newest.unwrap_or(question.number);
        }
        if is_late {
            let outcome = Outcome::Ignored(Ignored::Stale);
            trace::step(&fact, &outcome, 0);
            step.replies.extend(reply.map(|reply| (reply, Answered { outcome, task: None })));
            return Ok(());
        }
        let task = match fact {
            Fact::Tree(Event::TaskSubmitted { task, .. } | Event::SubtaskRequested { child: task, .. })
            | Fact::Submitted { task, .. }
            | Fact::Attempted { task, .. } => Some(task),
            Fact::Tree(_)
            | Fact::Credential { .. }
            | Fact::Stands { .. }
            | Fact::Outbox { .. }
            | Fact::Pool(_)
            | Fact::Begun { .. }
            | Fact::Retry { .. }
            | Fact::Questions { .. }
            | Fact::NoPlace(_) => None,
        };
        let at_ms = self.now_ms();
        let bill = paid.and_then(|(root, spend)| billed(&self.known.kernel, root, spend));
        let bill =
            bill.filter(|bill| self.put(at_ms, &Event::from(*bill).into(), &[], step) == Outcome::Applied);
        let is_message = matches!(fact, Fact::Tree(Event::MessageReceived { .. }));
        let outcome = self.put(at_ms, &fact, &text, step);
        let on_record = if outcome == Outcome::Applied {
            Some(Entry { at_ms, event: fact.into(), bill, text })
        } else {
            self.actor.was_not_taken(&fact, &outcome, &self.known).await;
            // What nobody can use has to be paid.
            let paid = |bill| Entry { at_ms, event: Event::from(bill).into(), bill: None, text: Vec::new() };
            bill.map(paid)
        };
        let is_left_out = is_message && fault::has(Fault::MessagesNotJournaled);
        if let Some(entry) = on_record.filter(|_| !is_left_out) {
            step.batch.push(&entry.line().map_err(ShellError::Unwritable)?);
        }
        step.replies.extend(reply.map(|reply| (reply, Answered { outcome, task })));
        Ok(())
    }

    /// Puts a fact to its machine. What it leads to waits for the journal, or for its place.
    fn put(&mut self, at_ms: u64, fact: &Fact, text: &[String], step: &mut Step) -> Outcome<Refused> {
        let mut orders = Vec::new();
        let outcome = self.known.take(at_ms, fact, text, &mut orders);
        trace::step(fact, &outcome, orders.len());
        if outcome == Outcome::Applied {
            self.passage.note(fact);
            step.orders.extend(self.passage.pass(&self.known, orders));
        }
        outcome
    }

    /// What was told, with the numbers that it lacked; `None` if no machine has to hear of it.
    fn fact(&mut self, told: Told) -> Option<Fact> {
        match told {
            Told::Said(event) => self.numbered(self.known.meant(event)),
            Told::Fact(fact) => self.numbered(fact),
            Told::Begin { task, attempt } => self.known.begins(task, attempt, self.fresh()),
            Told::Fence { task, attempt, query } => {
                let fenced = self.known.fences(task, attempt, query)?;
                fenced.map(Fact::Tree).map_err(|found| self.actor.tell(found)).ok()
            }
            Told::Concluded(task) => self.known.concludes(task),
            Told::Over(task, end) => over(self.known.pool.as_ref()?, task, end).map(Fact::Pool),
            Told::Posted { root, news } => Some(self.known.posts(root, news)),
            Told::Replied { ended, .. } => self.numbered(ended.into()),
            Told::Heard(task) => {
                let forgets = Fact::Tree(Event::EndAcknowledged { task });
                self.actor.may_forget(task, &self.known).then_some(forgets)
            }
            Told::Wanted { profile, request, newer_than } => {
                let wanted = self.actor.desk.wanted(&self.known.credentials, profile, request, newer_than);
                wanted.map_err(|event| self.actor.tell(event)).ok()
            }
        }
    }

    /// A fact with the numbers that it lacked. Here it is decided whether a task that is submitted is tried again.
    fn numbered(&self, fact: Fact) -> Option<Fact> {
        let (mut task, budget, by) = match fact {
            Fact::Tree(Event::TaskSubmitted { task, budget }) if self.attempts => {
                (task, budget, Submitter::default())
            }
            Fact::Submitted { task, budget, by } => (task, budget, by),
            Fact::Tree(mut event) => {
                return number(&mut event, &self.known.kernel, self.place).then_some(Fact::Tree(event));
            }
            Fact::Credential { .. }
            | Fact::Outbox { .. }
            | Fact::Pool(_)
            | Fact::Attempted { .. }
            | Fact::Begun { .. }
            | Fact::Retry { .. }
            | Fact::Questions { .. }
            | Fact::NoPlace(_)
            | Fact::Stands { .. } => return Some(fact),
        };
        if task == NEW {
            task = self.fresh();
        }
        let (attempted, submitted) =
            (Fact::Attempted { task, budget, by }, Fact::Submitted { task, budget, by });
        Some(if self.attempts { attempted } else { submitted })
    }

    fn now_ms(&mut self) -> u64 {
        self.at_ms = told(|| self.clock.now_ms()).unwrap_or(self.at_ms);
        self.at_ms
    }

    /// The number of the next task.
    fn fresh(&self) -> TaskId {
        self.place.after(self.known.kernel.highest())
    }

    /// Whether a lease is the one that its root has now.
    fn is_present(&self, lease: RootLease) -> bool {
        self.known.pool.as_ref().is_some_and(|pool| is_present(pool, lease))
    }

    async fn carry_out(&mut self, orders: Vec<Order>) {
        for order in orders {
            trace::order(&order);
            self.actor.carry_out(order, &self.known).await;
        }
    }

    /// Stops what runs, and gives the shard back.
    pub(crate) async fn close(mut self) -> Result<(), ShellError> {
        self.actor.stop_all().await;
        self.keeper.stop().await;
        tracing::info!(target: "downbeat::shard", epoch = self.lease.epoch, events = self.next.0 - 1, "closed");
        Ok(self.store.close(self.lease).await?)
    }
}
