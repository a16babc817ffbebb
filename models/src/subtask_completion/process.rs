//! Processes of the as-is systems: where each stands, and what it carries.

use crate::watch::TaskIndex;

/// Calls are numbered modulo this; at most two are open at once.
pub const CALL_NUMBERS: u8 = 8;
/// A turn that gets its number when its content is pushed.
pub const UNNUMBERED: u8 = u8::MAX;

/// What a response asks for. At most one tool in a response, as the systems demand of their models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Block {
    /// Text alone.
    Text,
    /// A tool that needs no approval.
    Tool,
    /// A new subtask.
    Subtask,
    /// A question to the user.
    Question,
    /// `attempt_completion`.
    Completion,
}

/// The kinds of ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A question of the model.
    Followup,
    /// Approval of a subtask's result: tool-like, so that a queued message counts as yes.
    Finish,
    /// The result of a task without a parent in memory: accepted by starting a new task, or answered by text.
    Result,
    /// Whether to go on with a task that was rebuilt.
    Resume,
    /// Too many mistakes in a row.
    Mistakes,
}

/// What came as a response to an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    /// Yes, or the text that was asked for; `false` is feedback where a yes was hoped for.
    pub yes: bool,
    /// The queued message that it is made of.
    pub message: Option<u8>,
    /// The ask that the person looked at: task and number. The system does not know it.
    pub named: Option<(TaskIndex, u8)>,
}

/// What asks for a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The text that the task was started with.
    Prompt,
    /// The results of one response.
    Results,
    /// The end of a subtask.
    Subtask,
    /// No tool was used.
    Reminder,
    /// A person took the task up again from its history.
    Resume,
}

/// What a loop is about to send, and how often it tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// What asks for it.
    pub cause: Cause,
    /// The number of the cause.
    pub turn: u8,
    /// Retries so far.
    pub attempt: u8,
    /// Tool calls whose results it carries, one bit each.
    pub calls: u8,
    /// The message that it carries.
    pub message: Option<u8>,
}

/// Where a loop stands: each is an `await` of `recursivelyMakeClineRequests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoopAt {
    /// Waits for the lock of the task (only with the mutex).
    Acquiring,
    /// Step 2 and the question of a rebuilt task.
    Asking {
        /// The kind.
        ask: Ask,
        /// Its `askTs`.
        number: u8,
        /// The queued message that was taken, to be posted a tick later.
        posting: Option<u8>,
    },
    /// Step 3: polls whether the task is still paused.
    Paused,
    /// Step 4: the announcement and the environment.
    Announcing,
    /// Step 5: the disk.
    Pushing,
    /// Step 6 is done; the prompt of step 7 is built.
    Prompting,
    /// Step 7: the stream.
    Streaming {
        /// Whether its block has come.
        begun: bool,
    },
    /// The countdown before a retry.
    BackingOff,
    /// Step 8: polls whether the results are complete.
    Collecting,
    /// Hands its result down through the frames of the recursion.
    Returning {
        /// The result: whether to end the loop.
        end: bool,
    },
}

/// Where `finishSubTask` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinishAt {
    /// The top of the stack was popped, its abort is awaited.
    Popped,
    /// `completeSubtask` shows the result; next it pushes it to the history.
    Telling {
        /// The task that was on top, parent or not.
        to: TaskIndex,
        /// Its instance.
        generation: u8,
    },
    /// The result is in the history, and goes to the disk; next `continueParentTask` starts a loop.
    Continuing {
        /// The task that was on top, parent or not.
        to: TaskIndex,
        /// Its instance.
        generation: u8,
    },
}

/// Where the presenter stands with a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolAt {
    /// A plain tool runs, a new subtask is prepared, or the green text is shown.
    Running,
    /// The subtask exists and has started; `isPaused` is not yet set.
    Created {
        /// The subtask.
        child: TaskIndex,
    },
    /// `isPaused` is set; the mode is switched.
    Switching,
    /// Waits for the user.
    Asking {
        /// The kind.
        ask: Ask,
        /// Its `askTs`.
        number: u8,
        /// The queued message that was taken, to be posted a tick later.
        posting: Option<u8>,
    },
    /// Hands the result up.
    Finishing(FinishAt),
    /// Delegation: the child is made, the parent's record is being written.
    Delegating {
        /// The subtask.
        child: TaskIndex,
    },
    /// Delegation: reads the history of the parent.
    Loading,
    /// Delegation: the result is in the parent's history, its record is being written.
    Recording,
    /// Delegation: the record is written, the parent is being opened.
    Reopening,
}

/// A process: what it runs, for which instance of which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// The task.
    pub task: TaskIndex,
    /// The instance of the task. One that is not the current one was aborted.
    pub generation: u8,
    /// Program counter and locals.
    pub at: At,
}

/// Program counters with locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// The loop over requests.
    Loop {
        /// Started by `initiateTaskLoop`; otherwise by `continueParentTask`.
        main: bool,
        /// Frames of the recursion below this one.
        depth: u8,
        /// What it sends, or sent last.
        content: Content,
        /// The `await`.
        at: LoopAt,
    },
    /// The presenter with a tool.
    Tool {
        /// Which.
        block: Block,
        /// The number of the call.
        call: u8,
        /// The `await`.
        at: ToolAt,
    },
    /// `finishSubTask`, called by the X.
    Close {
        /// Whether what it hands up is what the task brought.
        with_result: bool,
        /// The `await`.
        at: FinishAt,
    },
    /// Waits for an abort to be over, then builds a new instance from the history.
    Rebuild {
        /// Whether the new instance knows its parent.
        linked: bool,
    },
}

impl Process {
    /// The ask that the process waits in: kind, number, and the message that is being posted to it.
    pub fn asking(&self) -> Option<(Ask, u8, Option<u8>)> {
        match self.at {
            At::Loop { at: LoopAt::Asking { ask, number, posting }, .. }
            | At::Tool { at: ToolAt::Asking { ask, number, posting }, .. } => Some((ask, number, posting)),
            At::Loop { .. } | At::Tool { .. } | At::Close { .. } | At::Rebuild { .. } => None,
        }
    }
}
