//! What the world has to do: one trait for each thing that touches it.
//!
//! An adapter carries out what it is asked for and says what came of it. It decides nothing that the kernel decides: it does not try
//! again, it does not choose another place, it does not answer for somebody else. Whatever it is asked for may be stopped at any
//! point where it waits, by dropping the future.

use crate::agents::Seat;
use crate::output::Output;
use crate::words::{Exchange, Piece, Text};
use downbeat_kernel::{
    About, Approval, AttemptNumber, CallId, End, Found, Generation, Input, MessageId, News,
    NotificationNumber, ProfileId, QuestionEnd, QuestionId, QuestionKey, Reason, RefreshEnd, RequestId,
    RetryEnd, SendFailure, SendReason, Spend, TaskId, ToolEnd, WriteEnd,
};
use downbeat_store::ShardId;
use serde::{Deserialize, Serialize};
use std::future::{Future, ready};
use std::pin::Pin;

/// Something that an adapter does.
pub type Doing<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What people call the task that something belongs to, and which attempt at it that is: what they say under the name reaches the last
/// attempt ([`Teller::tell`](crate::Teller::tell)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trial {
    /// The id that the submission gave.
    pub name: TaskId,
    /// Which attempt, from 1; always that if the task is not tried again.
    pub attempt: AttemptNumber,
}

/// One send of a question to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its identity, and the key under which a provider that honours one does it once.
    pub id: RequestId,
    /// Where to.
    pub profile: ProfileId,
    /// With which credential.
    pub generation: Generation,
    /// Whether the provider has the beginning, and under which response.
    pub input: Input,
    /// Why it is sent.
    pub reason: SendReason,
    /// The turns before.
    pub before: Vec<Exchange>,
    /// What is new.
    pub asking: Vec<Piece>,
}

/// How a send came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendEnd {
    /// With the whole response, and the mark of its end.
    Whole(Reply),
    /// Without.
    Failed(SendFailure),
}

/// A whole response of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its words beside the calls.
    pub text: String,
    /// Its calls, in their order, each with what it is called with.
    pub calls: Vec<(Wish, String)>,
    /// What its provider charges for it, as far as it is known by then. A later bill comes as an event.
    pub spent: Spend,
}

/// What one call of a response asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To run a tool, with its arguments.
    Tool(Approval),
    /// A subtask, with its prompt. The shell gives it its number.
    Subtask,
    /// To ask a person, with the question.
    Question,
    /// To end the task, with the result.
    Completion(Approval),
}

/// A model provider.
pub trait Model: Send + Sync {
    /// Sends, and waits for the end. What arrives meanwhile may be said to `output`, for whoever watches, and to show that the model is not
    /// silent: after [`Bounds::silence_ms_max`](crate::Bounds::silence_ms_max) without a piece nobody waits any more.
    fn send(&self, question: Question, output: Output) -> Doing<SendEnd>;

    /// What became of a send of before a crash. `None`, and that is the usual case, if nobody knows.
    fn recover(&self, id: RequestId) -> Doing<Option<SendEnd>> {
        let _ = id;
        Box::pin(std::future::ready(None))
    }
}

/// What runs tools.
pub trait Tools: Send + Sync {
    /// Runs one. After a crash it may be asked again under the same id, which is the key under which it is done once.
    /// After [`Bounds::tool_ms_max`](crate::Bounds::tool_ms_max) nobody waits for it any more.
    ///
    /// It runs in the place of its task, if tasks have places: what it writes carries the epoch of the lease, and what it says when that is
    /// over is dropped.
    fn run(&self, call: CallId, argument: Text, seat: Option<Seat>) -> Doing<(ToolEnd, String)>;
}

/// The people, or whoever speaks for them.
pub trait People: Send + Sync {
    /// Asks. The answer comes as an event, whenever there is one. It may be asked again under the same id.
    fn ask(&self, question: QuestionId, about: About, text: Text);

    /// The agent of a root asks. The answer comes as [`Teller::answer`](crate::Teller::answer). It may be asked again under the same key.
    fn asks(&self, root: TaskId, question: QuestionKey, text: Text);

    /// What the agent of a root asked is over, and how: nobody has to answer any more. Done when that is where people find it; after
    /// [`Bounds::again_ms`](crate::Bounds::again_ms), and after a crash, it may be said again.
    fn settled(&self, root: TaskId, question: QuestionKey, end: QuestionEnd) -> Doing<()>;

    /// Nobody has to answer any more.
    fn withdraw(&self, question: QuestionId);

    /// The model has not answered this message; if that is in doubt, it may have read it. Done when that is where people find it: the
    /// task is not forgotten before. After [`Bounds::again_ms`](crate::Bounds::again_ms), and after a crash, it may be said again.
    ///
    /// The task is the one that had the message, and each counts its own: so it is known by both together. Of a task that is tried again
    /// it is the attempt.
    fn undelivered(&self, task: TaskId, trial: Trial, message: MessageId, in_doubt: bool) -> Doing<()>;
}

/// What people are told of a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Which root, by the id that its submission gave.
    pub task: TaskId,
    /// Which notification of that root: with the task it is what a receiver knows copies by. Numbers only grow, and a receiver drops
    /// what is not above the highest that it has shown.
    pub number: NotificationNumber,
    /// What it is about.
    pub news: News,
    /// How the root ended; `None` of progress: somebody is asked something.
    pub end: Option<RootEnd>,
    /// With what it ended, or what is asked.
    pub text: Text,
}

/// How a root came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RootEnd {
    /// It was tried once.
    Once(End),
    /// It was tried again, if need be ([`ShellConfig::attempts`](crate::ShellConfig::attempts)). Where nobody could say what became of its last
    /// attempt, or a cancel was not confirmed, a person has to look.
    Tried {
        /// How.
        end: RetryEnd,
        /// Why the last attempt failed, if the task did; `None` also where that had not begun, had no place, or nobody knows.
        reason: Option<Reason>,
    },
}

/// Whoever brings notifications to people.
pub trait Notifier: Send + Sync {
    /// Sends one: `true` when the receiver has it, `false` if it could not be sent. It is sent again, under the same number, until
    /// somebody has it, also after a crash.
    fn notify(&self, notification: Notification) -> Doing<bool>;

    /// Nobody has acknowledged it for long. Done when that is where an operator looks; a conclusion is sent again after that. After
    /// [`Bounds::again_ms`](crate::Bounds::again_ms), and after a crash, it may be said again.
    fn undelivered(&self, notification: Notification) -> Doing<()>;
}

/// Who asks for a credential, claims it and refreshes it: a shard, which keeps its number over all its lives. Where several processes
/// share a store of credentials, whoever speaks for one of them adds which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimant {
    /// Whose credential.
    pub profile: ProfileId,
    /// The shard that asks.
    pub shard: ShardId,
}

/// The store of credentials, and the server that gives new ones. The tokens stay here, by the generation that the store gives each: the
/// shell knows numbers, and its journal has no secrets.
pub trait Vault: Send + Sync {
    /// Compares what the store holds with that generation.
    fn read(&self, who: Claimant, generation: Generation) -> Doing<Found>;

    /// The same; and, if the store holds that generation and nobody else may refresh it, takes the right to do so for that many
    /// milliseconds, in one atomic act. Whoever has the right already keeps it for the new time.
    fn claim(&self, who: Claimant, generation: Generation, for_ms: u64) -> Doing<Found>;

    /// Uses the refresh token of that generation. What it brings is kept where a crash does not lose it before this is done; and
    /// where something is kept, no token is used. When it is dropped, nothing more is sent.
    fn refresh(&self, who: Claimant, generation: Generation) -> Doing<RefreshEnd>;

    /// Writes what is kept under that generation, if the store holds the one before, in one atomic act. The claim on that ends.
    fn write(&self, who: Claimant, generation: Generation) -> Doing<WriteEnd>;

    /// After a crash: how the refresh of that generation ended. [`RefreshEnd::Refreshed`] if what it brought is kept, else
    /// [`RefreshEnd::Failed`]. No token is used.
    fn refreshed(&self, who: Claimant, generation: Generation) -> Doing<RefreshEnd>;

    /// After a crash: how the write of that generation ended. [`WriteEnd::Lost`] if nothing is kept that could be written.
    fn written(&self, who: Claimant, generation: Generation) -> Doing<WriteEnd>;
}

/// Nothing to log in with: for a shell whose profiles all have keys that do not change.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoVault;

impl Vault for NoVault {
    fn read(&self, _who: Claimant, _generation: Generation) -> Doing<Found> {
        Box::pin(ready(Found::Empty))
    }

    fn claim(&self, _who: Claimant, _generation: Generation, _for_ms: u64) -> Doing<Found> {
        Box::pin(ready(Found::Empty))
    }

    fn refresh(&self, _who: Claimant, _generation: Generation) -> Doing<RefreshEnd> {
        Box::pin(ready(RefreshEnd::InvalidGrant))
    }

    fn write(&self, _who: Claimant, _generation: Generation) -> Doing<WriteEnd> {
        Box::pin(ready(WriteEnd::Lost))
    }

    fn refreshed(&self, _who: Claimant, _generation: Generation) -> Doing<RefreshEnd> {
        Box::pin(ready(RefreshEnd::Failed))
    }

    fn written(&self, _who: Claimant, _generation: Generation) -> Doing<WriteEnd> {
        Box::pin(ready(WriteEnd::Lost))
    }
}

/// The time of day.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
}
