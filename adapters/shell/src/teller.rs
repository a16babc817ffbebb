//! Tells shards what happened.

use crate::agents::Submitter;
use crate::error::ShellError;
use crate::fact::{Fact, Refused, Told, of_tree};
use crate::number::NEW;
use crate::shard::{Answered, Letter};
use crate::trace::task_of;
use downbeat_kernel::{
    Budget, CredentialEvent, Event, Generation, Outcome, PoolEvent, ProfileId, QuestionEvent, QuestionKey,
    TaskId,
};
use downbeat_rt::{Cell, Rt, Sender};
use downbeat_store::ShardId;
use std::sync::Arc;

/// What tells the shards of a shell events, from as many places as one likes.
#[derive(Clone, Debug)]
pub struct Teller {
    rt: Rt,
    /// One for each shard.
    mailboxes: Arc<[Sender<Letter>]>,
    /// Whose turn it is.
    next: Cell<usize>,
}

impl Teller {
    pub(crate) fn new(rt: Rt, mailboxes: Vec<Sender<Letter>>) -> Self {
        let next = rt.cell("turn", 0);
        Self { rt, mailboxes: mailboxes.into(), next }
    }

    /// Tells an event with its words to the shard of its task, and hears what became of it when that is durable. What is about
    /// all tasks is told to all shards, and the last of them answers. Where the mailbox of a shard is full, it waits for room.
    ///
    /// What answers an order of the kernel's comes from the ports; above all, that the end of a task is on record (`EndAcknowledged`) says
    /// the shell alone, when everybody has it.
    ///
    /// # Errors
    /// If the shard has stopped. Then the event is durable, or has not happened.
    pub async fn tell(&self, event: Event, text: Vec<String>) -> Result<Outcome, ShellError> {
        if let Some(task) = task_of(&event) {
            return Ok(of_tree(self.answered(self.shard_of(task), Told::Said(event), text).await?.outcome));
        }
        let mut outcome = Err(ShellError::Stopped);
        for shard in 0..self.mailboxes.len() {
            let told = Told::Said(event.clone());
            outcome = Ok(of_tree(self.answered(shard, told, text.clone()).await?.outcome));
        }
        outcome
    }

    /// Submits a task to the next shard in turn, and gives its number when that is durable. It stays the name of the task where that is tried
    /// again: what is told to it reaches the attempt that runs, and a cancel ends the task.
    ///
    /// # Errors
    /// If the shard has stopped, or has no room for another task.
    pub async fn submit(&self, prompt: String, budget: Budget) -> Result<TaskId, ShellError> {
        self.submitted(Event::TaskSubmitted { task: NEW, budget }.into(), prompt).await
    }

    /// The same, for somebody in particular: the pool counts the task towards the quota of that user. Each shard has a pool of its own.
    ///
    /// # Errors
    /// If the shard has stopped, or has no room for another task.
    pub async fn submit_for(
        &self,
        by: Submitter,
        prompt: String,
        budget: Budget,
    ) -> Result<TaskId, ShellError> {
        self.submitted(Fact::Submitted { task: NEW, budget, by }.into(), prompt).await
    }

    async fn submitted(&self, submitted: Told, prompt: String) -> Result<TaskId, ShellError> {
        let shards = self.mailboxes.len();
        let shard = self.next.with(|next| std::mem::replace(next, (*next + 1) % shards));
        match self.answered(shard, submitted, vec![prompt]).await? {
            Answered { outcome: Outcome::Applied, task: Some(task) } => Ok(task),
            Answered { outcome, .. } => Err(ShellError::NotTaken(Box::new(of_tree(outcome)))),
        }
    }

    /// Tells every shard that the store of credentials holds this generation now: a person has logged in, or somebody else has
    /// refreshed. It is a hint, without which it is found out when a credential is wanted next.
    ///
    /// # Errors
    /// If a shard has stopped.
    pub async fn credential_changed(
        &self,
        profile: ProfileId,
        generation: Generation,
    ) -> Result<(), ShellError> {
        for shard in 0..self.mailboxes.len() {
            let event = CredentialEvent::StoreChanged { generation };
            self.answered(shard, Told::Fact(Fact::Credential { profile, event }), Vec::new()).await?;
        }
        Ok(())
    }

    /// A person answers what the agent of a root asks, and hears whether that came in time when it is durable.
    ///
    /// # Errors
    /// If the shard has stopped.
    pub async fn answer(
        &self,
        root: TaskId,
        question: QuestionKey,
        text: String,
    ) -> Result<Outcome<Refused>, ShellError> {
        let event = QuestionEvent::Answered { question };
        Ok(self
            .answered(self.shard_of(root), Fact::Questions { root, event }.into(), vec![text])
            .await?
            .outcome)
    }

    fn shard_of(&self, task: TaskId) -> usize {
        let shards = self.mailboxes.len() as u64;
        usize::try_from(task.0 % shards).unwrap_or_default()
    }

    /// Tells the pool of a shard an event: above all that a container is gone which had nothing to do, or that one is to go. What answers
    /// an order of the pool comes from the ports, and what is to be placed from the tree.
    ///
    /// # Errors
    /// If there is no such shard, or it has stopped.
    pub async fn tell_pool(&self, shard: ShardId, event: PoolEvent) -> Result<Outcome<Refused>, ShellError> {
        let shard = usize::try_from(shard.0).unwrap_or(usize::MAX);
        if shard >= self.mailboxes.len() {
            return Err(ShellError::Stopped);
        }
        Ok(self.answered(shard, Fact::Pool(event).into(), Vec::new()).await?.outcome)
    }

    async fn answered(&self, shard: usize, told: Told, text: Vec<String>) -> Result<Answered, ShellError> {
        Letter { text, ..Letter::of(told, None) }.answered(&self.rt, &self.mailboxes[shard]).await
    }

    /// Lets nothing in any more: every shard commits what it was told, and ends.
    pub(crate) fn seal(&self) {
        for mailbox in self.mailboxes.iter() {
            mailbox.seal();
        }
    }
}
