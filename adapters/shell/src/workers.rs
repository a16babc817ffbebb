//! The ports behind which workers are: agents with a loop of their own, each at a task of its own, and whoever watches over them.
//!
//! An agent takes prompts through an iterator, and there is one iterator of a worker at a time. An iterator is a future here: it lives as
//! long as that is polled, takes instructions, and says what its agent does. What it says names its prompt, so that what an older one still
//! says touches nothing (S11).

use crate::agents::Seat;
use crate::error::ShellError;
use crate::fact::{Told, of_tree};
use crate::ports::{Doing, Trial};
use crate::shard::{Answered, Letter};
use crate::words::{Paragraph, Text};
use downbeat_kernel::{
    APPROVALS_MAX, Answer, ApprovalId, BillNumber, CheckNumber, Concern, Epoch, Event, IteratorEnd,
    IteratorId, Outcome, PromptId, Spend, TaskId, WorkerEvent,
};
use downbeat_rt::{Receiver, Rt, Sender};
use std::fmt;
use std::future::ready;

/// One run of the agent of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// Whose worker.
    pub task: TaskId,
    /// Which attempt that task belongs to.
    pub trial: Trial,
    /// Which run: each worker's are numbered from 1. One that was ordered under a lease that is over, and of which nothing was heard before a
    /// crash, is ordered under the next lease with the same number: [`Run::key`] tells the two apart.
    pub iterator: IteratorId,
    /// Where, if tasks have places: that of the root, under the lease that it had when this was ordered. What it says is dropped when that
    /// is over.
    pub seat: Option<Seat>,
}

/// What a run is known by, and fenced off: a later run of a task has a greater key, and no two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    /// Whose worker.
    pub task: TaskId,
    /// Its number.
    pub iterator: IteratorId,
    /// Under which lease, if tasks have places.
    pub epoch: Option<Epoch>,
}

impl Run {
    /// What it is known by.
    pub fn key(&self) -> RunKey {
        let Self { task, iterator, seat, .. } = *self;
        RunKey { task, iterator, epoch: seat.map(|seat| seat.lease.epoch) }
    }
}

/// What an iterator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Give the agent a prompt, with [`SessionEvent::Answered`](downbeat_kernel::SessionEvent) as the answer. After a crash it may come a
    /// second time under its number, which is the key under which it is done once.
    Prompt {
        /// Which one.
        prompt: PromptId,
        /// What it contains, in this order.
        parts: Vec<Paragraph>,
    },
    /// A person has answered what the agent asked.
    Answer {
        /// What it asked.
        approval: ApprovalId,
        /// What the person said.
        answer: Answer,
        /// In which words.
        text: Text,
    },
    /// Ask the agent beside its turn how far it is, with [`WorkerEvent::ProgressReported`] as the answer. It need not know: then it is
    /// interrupted later.
    AskProgress {
        /// Which question.
        check: CheckNumber,
    },
    /// End. An iterator that does not within [`Config::stop_ms`](downbeat_kernel::Config) is dropped.
    Stop,
}

/// The most that an iterator has not taken: the answers to what may be open at once, a prompt, and that it is to stop. A question about
/// progress comes only where nothing waits, because whoever takes nothing answers nothing.
const INSTRUCTIONS_MAX: usize = APPROVALS_MAX as usize + 2;

/// What an iterator is told, one after the other.
pub struct Instructions(Receiver<Instruction>);

impl Instructions {
    /// The next one; `None` if there will be none.
    pub async fn next(&mut self) -> Option<Instruction> {
        self.0.next().await
    }
}

impl fmt::Debug for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instructions")
    }
}

/// Tells an iterator what to do, without waiting for it.
pub(crate) struct Instructor(Sender<Instruction>);

impl Instructor {
    pub(crate) fn new(rt: &Rt) -> (Self, Instructions) {
        let (instructor, instructions) = rt.channel("instructions", INSTRUCTIONS_MAX);
        (Self(instructor), Instructions(instructions))
    }

    /// What there is no room for is lost, as it may be in a crash: one that takes nothing is found by the health of its worker.
    pub(crate) fn tell(&self, instruction: Instruction) {
        let room = match instruction {
            Instruction::AskProgress { .. } => 1,
            Instruction::Answer { .. } => APPROVALS_MAX as usize,
            Instruction::Prompt { .. } | Instruction::Stop => INSTRUCTIONS_MAX,
        };
        if self.0.waiting() < room {
            // It may have ended, and says so.
            let _ = self.0.try_send(instruction);
        }
    }
}

/// With what an iterator says what its agent does. What is said when it has ended, or after it was told to, is `Ignored(Stale)`.
#[derive(Clone)]
pub struct Voice {
    pub(crate) run: Run,
    /// Of the tree that pays: it may outlive the task.
    pub(crate) root: TaskId,
    pub(crate) rt: Rt,
    pub(crate) mailbox: Sender<Letter>,
}

impl Voice {
    /// Says something with its words, and hears what became of it when that is on record: that the iterator has started, an answer, a sign
    /// of life, what is asked of a person, a report, that the task is done. How an iterator ends is what its future ends with.
    ///
    /// The words are those of the answer, the question, the report, or the result; of anything else there are none.
    ///
    /// # Errors
    /// If the shard has stopped.
    pub async fn tell(&self, event: WorkerEvent, text: String) -> Result<Outcome, ShellError> {
        let event = Event::Worker { task: self.run.task, event };
        Ok(of_tree(self.answered(self.said(event, text)).await?.outcome))
    }

    /// Asks for a subtask, and gives its number when that is on record. Asked again, it is another one.
    ///
    /// # Errors
    /// If the shard has stopped, or the subtask is refused.
    pub async fn delegate(&self, prompt: String) -> Result<TaskId, ShellError> {
        let event = Event::SubtaskRequested { task: self.run.task, child: crate::number::NEW };
        match self.answered(self.said(event, prompt)).await? {
            Answered { outcome: Outcome::Applied, task: Some(child) } => Ok(child),
            Answered { outcome, .. } => Err(ShellError::NotTaken(Box::new(of_tree(outcome)))),
        }
    }

    /// Says what something of it has cost; once, because every bill is another one. It is on record when what is told after it is, and
    /// counts also where nothing else of the iterator does any more, as long as the tree lives.
    ///
    /// # Errors
    /// If the shard has stopped.
    pub async fn spend(&self, spend: Spend) -> Result<(), ShellError> {
        let event = Event::Spent { task: self.root, bill: BillNumber(0), spend };
        self.mailbox.send(Letter::of(event, None)).await.map_err(|_| ShellError::Stopped)
    }

    /// What counts while the iterator does.
    fn said(&self, event: Event, text: String) -> Letter {
        let Run { task, iterator, seat, .. } = self.run;
        let (under, by) = (seat.map(|seat| seat.lease), Some((task, iterator)));
        Letter { text: vec![text], under, by, ..Letter::of(Told::from(event), None) }
    }

    async fn answered(&self, letter: Letter) -> Result<Answered, ShellError> {
        letter.answered(&self.rt, &self.mailbox).await
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("run", &self.run).finish_non_exhaustive()
    }
}

/// What runs the agents of workers.
pub trait Workers: Send + Sync {
    /// Whether a worker runs this task, whose surroundings are ready; if so, its agent can be started from here on. `false` for one whose
    /// requests go to a model. Asked again after a crash, it says the same; each attempt at a task is asked about. After
    /// [`Bounds::ready_ms_max`](crate::Bounds::ready_ms_max) nobody waits for it any more.
    fn deploy(&self, task: TaskId, trial: Trial, seat: Option<Seat>) -> Doing<bool>;

    /// Starts an iterator, takes instructions, and ends when it is gone, with how it ended. When it runs it says
    /// [`SessionEvent::Started`](downbeat_kernel::SessionEvent).
    ///
    /// Dropped, it is ended by force. No iterator of the task under a lower key may go on when this one takes its first prompt: one that
    /// runs elsewhere is fenced off by its key (S10). After a crash it may be ordered a second time under its key, and is started
    /// once. One that panics has ended with an error that may pass.
    fn run(&self, run: Run, instructions: Instructions, voice: Voice) -> Doing<IteratorEnd>;

    /// Goes on with an iterator that has started in an earlier life of the process. One that has not outlived that, or is not under this
    /// lease, has ended, and is not started again: that is the usual case.
    fn attach(&self, run: Run, instructions: Instructions, voice: Voice) -> Doing<IteratorEnd> {
        drop((run, instructions, voice));
        Box::pin(ready(IteratorEnd::Transient))
    }
}

/// Whoever watches over workers: what is asked, reported and feared of an agent comes here. What nobody has read of the messages of a task
/// comes to [`People`](crate::People), whoever runs it.
///
/// Each is told of the task that it is about, which may be one attempt of several, and of the attempt that it belongs to. Approvals and
/// reports are counted by task: what answers one names that.
pub trait Overseer: Send + Sync {
    /// The agent wants to do something that a person has to agree to. [`WorkerEvent::AnswerReceived`] is the answer, whenever there is one.
    /// It may be asked again under the same number.
    fn ask(&self, task: TaskId, trial: Trial, approval: ApprovalId, text: Text);

    /// Nobody has to answer any more.
    fn withdraw(&self, task: TaskId, trial: Trial, approval: ApprovalId);

    /// The agent has told of progress or of an error, and no worker has its parent. Done when that is where people find it; the next one
    /// of the task comes after that. After [`Bounds::again_ms`](crate::Bounds::again_ms), and after a crash, it may come again under the same number.
    fn report(&self, task: TaskId, trial: Trial, number: u32, text: Text) -> Doing<()>;

    /// Something is wrong with an agent, and is acted on. It may be lost in a crash.
    fn warn(&self, task: TaskId, trial: Trial, concern: Concern);
}

/// No workers, and nobody to watch over them: for a shell whose tasks all ask a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWorkers;

impl Workers for NoWorkers {
    fn deploy(&self, _task: TaskId, _trial: Trial, _seat: Option<Seat>) -> Doing<bool> {
        Box::pin(ready(false))
    }

    /// A journal that has a worker was written with others.
    fn run(&self, _run: Run, _instructions: Instructions, _voice: Voice) -> Doing<IteratorEnd> {
        Box::pin(ready(IteratorEnd::Permanent))
    }
}

impl Overseer for NoWorkers {
    fn ask(&self, _task: TaskId, _trial: Trial, _approval: ApprovalId, _text: Text) {}

    fn withdraw(&self, _task: TaskId, _trial: Trial, _approval: ApprovalId) {}

    fn report(&self, _task: TaskId, _trial: Trial, _number: u32, _text: Text) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn warn(&self, _task: TaskId, _trial: Trial, _concern: Concern) {}
}
