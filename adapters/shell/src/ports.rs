//! What the world has to do: one trait for each thing that touches it.
//!
//! An adapter carries out what it is asked for and says what came of it. It decides nothing that the kernel decides: it does not try
//! again, it does not choose another place, it does not answer for somebody else. Whatever it is asked for may be stopped at any
//! point where it waits, by dropping the future.

use crate::words::{Exchange, Piece, Text};
use downbeat_kernel::{
    About, Approval, CallId, End, Generation, Input, MessageId, ProfileId, QuestionId, RequestId,
    SendFailure, SendReason, Spend, TaskId, ToolEnd,
};
use std::future::Future;
use std::pin::Pin;

/// Something that an adapter does.
pub type Doing<T> = Pin<Box<dyn Future<Output = T> + Send>>;

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
    /// Sends, and waits for the end.
    fn send(&self, question: Question) -> Doing<SendEnd>;

    /// What became of a send of before a crash. `None`, and that is the usual case, if nobody knows.
    fn recover(&self, id: RequestId) -> Doing<Option<SendEnd>> {
        let _ = id;
        Box::pin(std::future::ready(None))
    }
}

/// What runs tools.
pub trait Tools: Send + Sync {
    /// Runs one. After a crash it may be asked again under the same id, which is the key under which it is done once.
    fn run(&self, call: CallId, argument: Text) -> Doing<(ToolEnd, String)>;
}

/// The people, or whoever speaks for them.
pub trait People: Send + Sync {
    /// Asks. The answer comes as an event, whenever there is one. It may be asked again under the same id.
    fn ask(&self, question: QuestionId, about: About, text: Text);

    /// Nobody has to answer any more.
    fn withdraw(&self, question: QuestionId);

    /// The model has not answered this message; if that is in doubt, it may have read it.
    fn undelivered(&self, task: TaskId, message: MessageId, in_doubt: bool);

    /// A task ended like this. Done when it is on record: from then on it is forgotten.
    fn ended(&self, task: TaskId, end: End, result: Text) -> Doing<()>;
}

/// Where tasks run.
pub trait Places: Send + Sync {
    /// Finds a place. It may be asked again for the same task.
    fn find(&self, task: TaskId) -> Doing<()>;

    /// Makes a task's surroundings ready. `false` if that cannot be.
    fn prepare(&self, task: TaskId) -> Doing<bool>;

    /// The task needs no place any more, or ended in the one that it has.
    fn leave(&self, task: TaskId);
}

/// The time of day.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
}
