//! What travels between the kernel's machines, as whoever drives them carries it.
//!
//! The tree of tasks, a credential, a pool, an outbox, the attempts at a task and the questions of its agent are machines of their own. An order of one
//! that is news to another becomes a [`Word`], which waits until the other takes it. Words of one machine are taken in
//! their order. None of them is on record: a crash loses what is on its way, and each of the two machines repeats what is
//! outstanding. So every word may come twice, and is lost only if its sender will say it again. Which word follows from what, and what goes wrong
//! otherwise, is in `docs/composition.md`. The model `subtask-tree` checks these functions, and a shell that ships uses them.
//!
//! Everything here is a pure function of what the machines hold, but for two tables: who waits for a credential
//! ([`Waiters`]), which a crash may lose, and which task is which attempt ([`Record`]), which it may not.

mod gate;
mod places;
mod record;

pub use gate::{Gate, task_of};
pub use places::{
    at_stake, dequeued, ended_in_pool, enqueued, given_back, has_place, is_held, is_present, lease_of,
    lineage, may_go_out, over, root_of, tool_lost,
};
pub use record::{Record, spent, untaken};

use downbeat_kernel::{
    Asker, AttemptEnd, AttemptNumber, Conclusion, Credential, CredentialEvent, End, Event, FailureClass,
    Finding, Generation, Kernel, News, NotificationEvent, NotificationNumber, Outbox, Pool, PoolEvent,
    QueryNumber, QuestionEvent, Questions, Reason, RequestEvent, RequestId, RequestReason, Retry, RetryEnd,
    RetryEvent, RetryState, Standing, TaskId, WaitEnd, WaiterId, WorkerReason,
};
use std::collections::VecDeque;

/// A machine that takes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Machine {
    /// The tree of tasks: the kernel itself.
    Tree,
    /// The credential of a profile.
    Credential,
    /// The pool of agents.
    Pool,
    /// The outbox of a task.
    Outbox,
    /// The attempts at a task.
    Retry,
    /// The questions of the agent of a task.
    Questions,
}

impl Machine {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Tree, Self::Credential, Self::Pool, Self::Outbox, Self::Retry, Self::Questions];
}

/// What one machine has to say to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// An event of the tree.
    Tree(Event),
    /// The pool has no place for this task and will have none: the tree is told to end it.
    NoPlace(TaskId),
    /// An attempt at the task is to begin, under an id that is taken when the tree takes it.
    Begin(AttemptNumber),
    /// An attempt is not to begin or to go on.
    Fence(AttemptNumber, QueryNumber),
    /// A request wants a credential newer than that.
    Wanted(RequestId, Generation),
    /// An event of the pool.
    Pool(PoolEvent),
    /// A task has ended like that in the tree: the pool need not keep its place.
    Over(TaskId, End),
    /// There is something to tell people.
    Posted(News),
    /// An event of the attempts.
    Retry(RetryEvent),
    /// An event of the questions.
    Question(QuestionEvent),
}

impl Word {
    /// Who takes it.
    pub fn to(&self) -> Machine {
        match self {
            Self::Tree(_) | Self::NoPlace(_) | Self::Begin(_) | Self::Fence(..) => Machine::Tree,
            Self::Wanted(..) => Machine::Credential,
            Self::Pool(_) | Self::Over(..) => Machine::Pool,
            Self::Posted(_) => Machine::Outbox,
            Self::Retry(_) => Machine::Retry,
            Self::Question(_) => Machine::Questions,
        }
    }

    /// Whether the pool has still to hear this of a root.
    pub fn is_for_place_of(&self, root: TaskId) -> bool {
        match self {
            Self::Pool(PoolEvent::Submitted { task, .. } | PoolEvent::CancelRequested { task })
            | Self::Over(task, _) => *task == root,
            Self::Pool(_)
            | Self::Tree(_)
            | Self::NoPlace(_)
            | Self::Begin(_)
            | Self::Fence(..)
            | Self::Wanted(..)
            | Self::Posted(_)
            | Self::Retry(_)
            | Self::Question(_) => false,
        }
    }
}

/// Who waits for one credential, by number. It is lost in a crash: the tree asks again for who waits still, under another number, and
/// nobody takes what the old one is told. Whoever waits the longest is told first, so that is where it is looked for first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Waiters(VecDeque<(WaiterId, RequestId)>);

impl Waiters {
    /// A request becomes the next who waits.
    pub fn wait(
        &mut self,
        credential: &Credential,
        request: RequestId,
        newer_than: Generation,
    ) -> CredentialEvent {
        let waiter = WaiterId(credential.accepted.0 + 1);
        self.0.push_back((waiter, request));
        CredentialEvent::Wanted { waiter, newer_than }
    }

    /// Whoever waits under this number need not any more; `None` if a crash came between.
    pub fn settle(&mut self, waiter: WaiterId, end: WaitEnd) -> Option<Event> {
        let at = self.0.iter().position(|(other, _)| *other == waiter)?;
        let (_, request) = self.0.remove(at)?;
        Some(settled(request, end))
    }

    /// Every request that waits.
    pub fn requests(&self) -> impl Iterator<Item = RequestId> {
        self.0.iter().map(|(_, request)| *request)
    }

    /// Everyone who waits, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (WaiterId, RequestId)> {
        self.0.iter().copied()
    }
}

impl FromIterator<(WaiterId, RequestId)> for Waiters {
    fn from_iter<T: IntoIterator<Item = (WaiterId, RequestId)>>(waiters: T) -> Self {
        Self(waiters.into_iter().collect())
    }
}

/// What a request is told that has waited for a credential. One for whom there was no room has waited in vain.
pub fn settled(RequestId { task, turn, attempt }: RequestId, end: WaitEnd) -> Event {
    let event = match end {
        WaitEnd::Given(generation) => RequestEvent::CredentialGiven { attempt, generation },
        WaitEnd::Refused | WaitEnd::Failed => RequestEvent::CredentialFailed { attempt },
    };
    Event::Request { task, turn, event }
}

/// What the attempts are told of a person who will have no more spent on a task, if it is the attempt that they are at: the
/// whole task is cancelled. Otherwise the tree is told, and that alone would be the end of an attempt that is tried again.
pub fn denied(retry: &Retry, record: &Record, task: TaskId) -> Option<RetryEvent> {
    let is_last = record.attempt_of(task) == Some(retry.attempt);
    let is_theirs = is_last
        && match retry.state {
            RetryState::Running | RetryState::Querying { .. } | RetryState::Fencing { .. } => true,
            RetryState::Cancelling { .. } => true,
            RetryState::Unsubmitted
            | RetryState::BackingOff { .. }
            | RetryState::Ended(_)
            | RetryState::Closed => false,
        };
    is_theirs.then_some(RetryEvent::CancelRequested)
}

/// What the questions of a root are told after a crash of an agent that has no lease of it any more: that it lost it was said once, and
/// is on no record. Their own is the epoch under which they count on an agent.
pub fn asker_is_gone(pool: &Pool, questions: &Questions, root: TaskId) -> Option<QuestionEvent> {
    let epoch = questions.epoch;
    let holds = lease_of(pool, root).is_some_and(|(_, lease)| lease.epoch == epoch);
    let is_counted_on = epoch.0 > 0 && questions.asker != Asker::Absent;
    (is_counted_on && !holds).then_some(QuestionEvent::AgentLost { epoch })
}

/// Who has to hear of the end of a root, beside the tree.
#[derive(Clone, Copy)]
pub struct Hearers<'a> {
    /// The pool, if it gives places.
    pub pool: Option<&'a Pool>,
    /// The outbox, if people are told of this end.
    pub outbox: Option<&'a Outbox>,
    /// The attempts, if the root is one.
    pub retry: Option<&'a Retry>,
    /// The questions of its agent, if it asks through them.
    pub questions: Option<&'a Questions>,
}

/// Whether the end of a root may be put on record in the tree, which then forgets it: everybody who has to hear of it has it on
/// record, and nothing about it is on the way. A crash would keep an end that was forgotten before from whoever has not heard of it,
/// and a submission that comes after it would be that of another task to the pool. `is_on_way` says whether the pool has still to hear
/// something of the root ([`Word::is_for_place_of`]).
pub fn may_forget(root: TaskId, hearers: Hearers<'_>, record: &Record, is_on_way: bool) -> bool {
    let Hearers { pool, outbox, retry, questions } = hearers;
    let pool_knows = pool.is_none_or(|pool| match pool.task(root).map(|booking| booking.standing) {
        None | Some(Standing::Ended(_)) => !is_on_way,
        Some(Standing::Queued | Standing::Held { .. }) => false,
    });
    let people_know = outbox.is_none_or(|outbox| outbox.conclusion.is_some());
    let retry_knows = retry.is_none_or(|retry| {
        let is_last = record.attempt_of(root) == Some(retry.attempt);
        !is_last
            || match retry.state {
                RetryState::BackingOff { .. } | RetryState::Ended(_) | RetryState::Closed => true,
                RetryState::Unsubmitted
                | RetryState::Running
                | RetryState::Querying { .. }
                | RetryState::Fencing { .. }
                | RetryState::Cancelling { .. } => false,
            }
    });
    let agent_asks = questions.is_some_and(|questions| questions.asker != Asker::Done);
    pool_knows && people_know && retry_knows && !agent_asks
}

/// A notification gets the next number.
pub fn posted(outbox: &Outbox, news: News) -> NotificationEvent {
    NotificationEvent::Posted { number: NotificationNumber(outbox.accepted.0 + 1), news }
}

/// How people are told of the end of a task that was tried several times.
pub fn retry_conclusion(end: RetryEnd) -> Conclusion {
    match end {
        RetryEnd::Completed { .. } => Conclusion::Completed,
        // Nobody knows whether an attempt goes on, and a cancel promises that none does.
        RetryEnd::Failed(_) | RetryEnd::CancelUnconfirmed => Conclusion::Failed,
        RetryEnd::Cancelled => Conclusion::Cancelled,
    }
}

/// How an attempt came to its end, by the end of its task.
pub fn attempt_end(end: End) -> AttemptEnd {
    match end {
        End::Completed => AttemptEnd::Succeeded,
        // Nobody cancels an attempt but by a fence, or because there is no place for it.
        End::Cancelled => AttemptEnd::Failed(FailureClass::Transient),
        End::Failed(reason) => AttemptEnd::Failed(class_of(reason)),
    }
}

/// Whether another attempt may help.
pub fn class_of(reason: Reason) -> FailureClass {
    match reason {
        Reason::Initialization
        | Reason::Request(
            RequestReason::AttemptsExhausted | RequestReason::Credential | RequestReason::Interrupted,
        )
        | Reason::Worker(WorkerReason::AttemptsExhausted | WorkerReason::Stuck) => FailureClass::Transient,
        Reason::Request(
            RequestReason::Throttled
            | RequestReason::Unauthorized
            | RequestReason::ContextTooLong
            | RequestReason::Invalid,
        )
        | Reason::MistakeLimit
        | Reason::Worker(WorkerReason::Refused) => FailureClass::Permanent,
    }
}

/// How an attempt stands.
pub fn finding(kernel: &Kernel, record: &Record, attempt: AttemptNumber) -> Finding {
    let Some(task) = record.task_of(attempt).and_then(|task| kernel.task(task)) else {
        return Finding::NeverStarted;
    };
    match task.state.end().map(attempt_end) {
        None | Some(AttemptEnd::Unknown) => Finding::StillRunning,
        Some(AttemptEnd::Succeeded) => Finding::Succeeded,
        Some(AttemptEnd::Failed(class)) => Finding::Failed(class),
    }
}

/// What the tree is told of a fence. An attempt that goes on is fenced when its task has ended, which says so.
///
/// # Errors
/// There is nothing to fence: the attempts are told how that one stands at once.
pub fn fenced(
    kernel: &Kernel,
    record: &Record,
    attempt: AttemptNumber,
    query: QueryNumber,
) -> Result<Event, RetryEvent> {
    match (record.task_of(attempt), finding(kernel, record, attempt)) {
        (Some(task), Finding::StillRunning) => Ok(Event::CancelRequested { task }),
        (_, finding) => Err(RetryEvent::Found { attempt, query, finding }),
    }
}
