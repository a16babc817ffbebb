//! What an as-is system remembers: instances, the stack of open tasks, and what keeps equal situations equal.

use downbeat_sim::event_loop::EventLoop;

use super::budget::BUDGETS;
use super::process::{Ask, At, Block, FinishAt, Process, Reply, ToolAt};
use crate::watch::{TASKS, TaskIndex, Watch};

/// Processes that may exist at once: two loops and two tools for each of two tasks, and what a person started.
pub const PROCESSES: usize = 12;
/// Open tasks, with room for one that is opened while its old instance is still there.
pub const STACK: usize = 4;
/// Content blocks that one streaming buffer takes in. Two loops that feed one buffer rarely reach three.
pub const BLOCKS: usize = 4;

/// What the streams of an instance share.
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags of the code that is modelled, by its names"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buffer {
    /// `assistantMessageContent`, with the number of each call.
    pub blocks: [Option<(Block, u8)>; BLOCKS],
    /// The block that the presenter is at.
    pub index: u8,
    /// `presentAssistantMessageLocked`.
    pub locked: bool,
    /// `didCompleteReadingStream`.
    pub complete: bool,
    /// Whether a tool of this message was used: the others are refused.
    pub used: bool,
    /// `userMessageContentReady`.
    pub ready: bool,
    /// `userMessageContent`: calls with a result, one bit each.
    pub results: u8,
    /// The message that is part of the results.
    pub message: Option<u8>,
    /// The turn that a copy of the results began; all copies are the same turn.
    pub copied: Option<u8>,
}

/// A buffer after step 6.
pub const EMPTY: Buffer = Buffer {
    blocks: [None; BLOCKS],
    index: 0,
    locked: false,
    complete: false,
    used: false,
    ready: false,
    results: 0,
    message: None,
    copied: None,
};

/// The current instance of a task.
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags of the code that is modelled, by its names"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    /// Instances before this one.
    pub generation: u8,
    /// `abort`. Also true of a task that has no instance.
    pub abort: bool,
    /// `abandoned`.
    pub abandoned: bool,
    /// `isPaused`.
    pub paused: bool,
    /// Whether it knows its parent: in memory, or by record where tasks are delegated.
    pub linked: bool,
    /// `childTaskId`; the record of the awaited child where tasks are delegated.
    pub child: Option<TaskIndex>,
    /// `consecutiveMistakeCount`.
    pub mistakes: u8,
    /// `askTs`.
    pub ask: u8,
    /// `askResponse`.
    pub response: Option<Reply>,
    /// The message queue, first in first out.
    pub queue: [Option<u8>; 2],
    /// The streaming fields.
    pub buffer: Buffer,
    /// The cause that `completeSubtask` made: continue after the child.
    pub resume: u8,
    /// The lock of the mutex variants, and the flag of `skip-if-running`.
    pub busy: bool,
    /// Put away by a person or a crash: in the history, open nowhere.
    pub parked: bool,
}

/// A task that nobody started.
pub const ABSENT: Instance = Instance {
    generation: 0,
    abort: true,
    abandoned: true,
    paused: false,
    linked: false,
    child: None,
    mistakes: 0,
    ask: 0,
    response: None,
    queue: [None; 2],
    buffer: EMPTY,
    resume: 0,
    busy: false,
    parked: false,
};

/// A click that is on its way from the page to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Click {
    /// The task whose ask the person answered.
    pub task: TaskIndex,
    /// The number of that ask.
    pub number: u8,
    /// What they answered.
    pub yes: bool,
}

/// One state of an as-is system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What the outside world saw.
    pub watch: Watch,
    /// The processes.
    pub processes: EventLoop<Process, PROCESSES>,
    /// The current instance of each task.
    pub tasks: [Instance; TASKS],
    /// The next cause of each task, by task and not by instance: the API history survives.
    pub next_turn: [u8; TASKS],
    /// The next number of a call of each task.
    pub next_call: [u8; TASKS],
    /// The open tasks, the visible one last.
    pub stack: [Option<TaskIndex>; STACK],
    /// A click under way.
    pub click: Option<Click>,
    /// The next message to write.
    pub next_message: u8,
    /// What the environment may still do.
    pub left: [u8; BUDGETS],
}

impl State {
    /// The task that the user sees.
    pub fn top(&self) -> Option<TaskIndex> {
        self.stack.iter().rev().find_map(|entry| *entry)
    }

    /// The current instance of `task`.
    pub fn task(&self, task: TaskIndex) -> &Instance {
        &self.tasks[usize::from(task)]
    }

    /// Whether the instance that the process belongs to was aborted.
    pub fn is_aborted(&self, process: &Process) -> bool {
        self.task(process.task).generation != process.generation || self.task(process.task).abort
    }

    /// The ask that the user sees: task, number, kind. Nothing while a queued message is about to answer it.
    pub fn visible_ask(&self) -> Option<(TaskIndex, u8, Ask)> {
        self.open_ask(self.top()?)
    }

    /// The ask that a person will see when the task is on top.
    pub fn open_ask(&self, task: TaskIndex) -> Option<(TaskIndex, u8, Ask)> {
        let instance = self.task(task);
        self.processes.suspended().find_map(|(_, process, _)| {
            let (ask, number, posting) = process.asking()?;
            let shown = process.task == task
                && !self.is_aborted(process)
                && number == instance.ask
                && posting.is_none()
                && instance.response.is_none();
            shown.then_some((task, number, ask))
        })
    }

    /// Whether a person is asked by the task, now or when those above it in the stack are gone.
    pub fn asks(&self, task: TaskIndex) -> bool {
        self.stack.contains(&Some(task)) && self.open_ask(task).is_some()
    }
}

/// What keeps equal situations equal states.
impl State {
    /// Forgets what nobody can read again: budgets that an exhausted one covers, ask numbers that no ask has, instance
    /// numbers without an older instance, and everything of a task that is over.
    pub fn forget(&mut self) {
        self.forget_budgets();
        let mut asked = [self.click.is_some(); TASKS];
        let mut oldest = self.tasks.map(|instance| instance.generation);
        let mut runs = [false; TASKS];
        for (_, process, _) in self.processes.suspended() {
            let task = usize::from(process.task);
            asked[task] |= process.asking().is_some();
            oldest[task] = oldest[task].min(process.generation);
            runs[task] = true;
            // Who tells a task its result has its number too.
            let (At::Close { at: finish, .. } | At::Tool { at: ToolAt::Finishing(finish), .. }) = process.at
            else {
                continue;
            };
            if let FinishAt::Telling { to, generation } | FinishAt::Continuing { to, generation } = finish {
                oldest[usize::from(to)] = oldest[usize::from(to)].min(generation);
                runs[usize::from(to)] = true;
            }
        }
        for task in 0..TASKS {
            let instance = &mut self.tasks[task];
            if !asked[task] {
                instance.ask = 0;
            }
            if !runs[task] && !self.watch.is_live(u8::try_from(task).unwrap_or(u8::MAX)) && instance.abort {
                *instance = ABSENT;
                self.next_turn[task] = 0;
                self.next_call[task] = 0;
            } else if oldest[task] > 0 {
                instance.generation -= oldest[task];
            }
        }
        if oldest != [0; TASKS] {
            self.processes.rewrite(|process| {
                process.generation -= oldest[usize::from(process.task)];
                if let At::Close { at: finish, .. } | At::Tool { at: ToolAt::Finishing(finish), .. } =
                    &mut process.at
                    && let FinishAt::Telling { to, generation } | FinishAt::Continuing { to, generation } =
                        finish
                {
                    *generation -= oldest[usize::from(*to)];
                }
            });
        }
    }
}
