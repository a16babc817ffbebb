//! The system: the processes, what they share, and what is true beside it.

use downbeat_sim::event_loop::{Await, EventLoop, Pid};
use downbeat_sim::kinds::Kinds;

use super::process::{ExecuteAt, IterableAt, LoopAt, Process, WAITER};
use crate::health::monitor::{Age, Ages, Flags, Report};

/// Room for the executor loop, what it awaits (execute, invoke, start), two prompt iterables (an old one that waits, and
/// that of the generator), and two listeners that were registered too late.
pub const PROCESSES: usize = 8;
/// The most messages that a person writes.
pub const MESSAGES: u8 = 2;
/// Old iterators of which an end may still come. More of them could do no more than these: all are alike.
pub const OLD_MAX: u8 = 2;

/// What a turn is begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// The instructions that the worker was deployed with.
    Job,
    /// What a person wrote, by number.
    Message(u8),
    /// The idle inquiry of the monitor.
    Inquiry,
    /// The question of a progress check.
    Question,
}

/// The status of a worker session.
///
/// ```text
/// Idle ──start──▶ Running ──approval──▶ WaitingApproval
///  ▲   ◀──idle───  │   ▲ ◀───answer────   │
///  │           pause   resume             │
///  │               ▼   │                  │
///  │              Paused                  │
///  └──────────────interrupt───────────────┘
/// ```
/// start, idle, complete and error are assignments: they lead from every status to theirs, from a terminal one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It waits for a message, or is about to.
    Idle,
    /// A turn is in progress or scheduled.
    Running,
    /// A turn waits for a person.
    WaitingApproval,
    /// A person paused it. Nothing looks at this status.
    Paused,
    /// Terminal.
    Completed,
    /// Terminal.
    Error,
}

impl Status {
    /// Whether the executor loop goes on.
    pub fn is_active(self) -> bool {
        match self {
            Self::Idle | Self::Running | Self::WaitingApproval | Self::Paused => true,
            Self::Completed | Self::Error => false,
        }
    }
}

/// The worker session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    /// Its status.
    pub status: Status,
    /// `_pendingClarification`: the one message that is kept.
    pub slot: Option<Prompt>,
    /// `_clarificationResolve`: whether the loop can be woken.
    pub has_waiter: bool,
    /// What the wait of the loop was resolved with, until the loop continues.
    pub handed: Option<Prompt>,
}

/// The iterator of the SDK that the session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generator {
    /// None: the next invoke starts one.
    None,
    /// One that answers.
    Live,
    /// One that was started with a controller that had been aborted meanwhile: it will not answer.
    Dying,
    /// One that came to its end without an exception, of which the session was not told.
    Dead,
}

/// How a request was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settled {
    /// By a result.
    Result,
    /// Rejected, and the text says that it was aborted.
    Aborted,
    /// Rejected, and the text says rate limit, timeout or network.
    Broken,
    /// Rejected with any other text.
    Failed,
}

/// The agent session, version v3. Its one caller awaits each request before the next, so that the queue is one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// `_queryGenerator`.
    pub generator: Generator,
    /// `_promptQueue`: whether a request is in it.
    pub has_request: bool,
    /// How the last request was settled, until the executor loop has seen it.
    pub settled: Option<Settled>,
    /// Iterators that were aborted and have not ended, up to [`OLD_MAX`].
    pub old: u8,
    /// Whether the worktree has its session, so that to get it takes no time.
    pub exists: bool,
}

/// A question whether a tool may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Approval {
    /// None is shown.
    None,
    /// One is shown, and its turn waits for the answer.
    Pending,
    /// One is shown, and its turn is over.
    Orphaned,
}

/// How often the environment may still do what is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// All of the following together.
    pub troubles: u8,
    /// Stops by a person.
    pub stops: u8,
    /// Pauses by a person.
    pub pauses: u8,
    /// Completions and kills from outside.
    pub ends: u8,
    /// Approvals that a turn asks for.
    pub approvals: u8,
    /// Turns that fail without an interrupt.
    pub failures: u8,
}

/// What is so, whether the system knows or not.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Truth {
    /// Messages that a person has written.
    pub sent: u8,
    /// Those that reached the model, as bits.
    pub delivered: u8,
    /// A person stopped or paused the worker, and has not written or resumed since.
    pub is_held: bool,
    /// A progress check stopped a turn of the instructions or of a message, and no person has ended the matter.
    pub is_stopped: bool,
    /// It was completed or killed from outside.
    pub is_ended: bool,
    /// It was killed: nobody knows it any more.
    pub is_killed: bool,
}

/// One global state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Who continues when.
    pub processes: EventLoop<Process, PROCESSES>,
    /// The worker session.
    pub worker: Worker,
    /// The prompt of the executor loop.
    pub prompt: Prompt,
    /// Whether the token that the loop took for this iteration is cancelled.
    pub is_cancelled: bool,
    /// Failures in a row that the circuit breaker has counted.
    pub failures: u8,
    /// The agent session.
    pub session: Session,
    /// What a person is shown.
    pub approval: Approval,
    /// The monitor; `None` if it does not look at the worker.
    pub monitor: Option<Flags>,
    /// What is judged, and no process looks at.
    pub truth: Truth,
    /// What may still happen.
    pub left: Left,
}

impl State {
    /// Where the executor loop stands; `None` if it is over.
    pub fn executor(&self) -> Option<(LoopAt, Await)> {
        self.processes.suspended().find_map(|(_, process, on)| match *process {
            Process::Loop(at) => Some((at, on)),
            Process::Execute(_)
            | Process::Invoke(_)
            | Process::Query { .. }
            | Process::Iterable(_)
            | Process::LateAbort
            | Process::LateWithdraw => None,
        })
    }

    /// Where execute stands; `None` outside of it.
    pub fn execution(&self) -> Option<ExecuteAt> {
        self.processes.suspended().find_map(|(_, process, _)| match *process {
            Process::Execute(at) => Some(at),
            Process::Loop(_)
            | Process::Invoke(_)
            | Process::Query { .. }
            | Process::Iterable(_)
            | Process::LateAbort
            | Process::LateWithdraw => None,
        })
    }

    /// The prompt iterable that stands there.
    pub fn iterable(&self, at: IterableAt) -> Option<Pid> {
        let found = self.processes.suspended().find(|(_, process, _)| **process == Process::Iterable(at));
        found.map(|(pid, _, _)| pid)
    }

    /// A listener that was registered too late and is still to be called.
    pub fn late_listener(&self, late: Process) -> Option<Pid> {
        let found = self.processes.suspended().find(|(_, process, _)| **process == late);
        found.map(|(pid, _, _)| pid)
    }

    /// Whether the executor loop waits for a message, with nothing under way that continues it.
    pub fn waits(&self) -> bool {
        self.executor().is_some_and(|(_, on)| on == Await::Signal(WAITER)) && self.worker.handed.is_none()
    }

    /// Whether the loop waits and nobody can wake it.
    pub fn is_forsaken(&self) -> bool {
        self.waits() && !self.worker.has_waiter
    }

    /// Whether a message is on its way to the model.
    pub fn is_under_way(&self, m: u8) -> bool {
        let message = Prompt::Message(m);
        let kept = [self.worker.slot, self.worker.handed, Some(self.prompt)].contains(&Some(message));
        kept && self.executor().is_some() && !self.is_forsaken()
    }

    /// Whether a message has reached the model.
    pub fn is_delivered(&self, m: u8) -> bool {
        self.truth.delivered & (1 << m) != 0
    }

    /// Iterators of the session that run, or are being started, and were not told to stop.
    pub fn live_iterators(&self) -> usize {
        let own = self.session.generator == Generator::Live;
        self.starts().filter(|is_aborted| !is_aborted).count() + usize::from(own)
    }

    /// Iterators of the session that run, or are being started, told to stop or not, as far as they are counted.
    pub fn iterators(&self) -> usize {
        let own = match self.session.generator {
            Generator::Live | Generator::Dying => 1,
            Generator::None | Generator::Dead => 0,
        };
        self.starts().count() + own + usize::from(self.session.old)
    }

    /// The starts of iterators that are under way: whether each was aborted.
    fn starts(&self) -> impl Iterator<Item = bool> {
        self.processes.suspended().filter_map(|(_, process, _)| match *process {
            Process::Query { is_aborted } => Some(is_aborted),
            Process::Loop(_)
            | Process::Execute(_)
            | Process::Invoke(_)
            | Process::Iterable(_)
            | Process::LateAbort
            | Process::LateWithdraw => None,
        })
    }
}

/// Where a turn is when an interrupt comes: the awaits between two prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The model of the worker is selected.
    Selecting,
    /// The circuit breaker is open.
    Breaking,
    /// It sleeps before a retry.
    Sleeping,
    /// Execute gets its session.
    Getting,
    /// Invoke starts an iterator.
    Starting,
    /// The request is in the queue.
    Queued,
    /// A tool of the turn waits for approval.
    Approving,
}

impl Gap {
    /// All of them, with the words for a report.
    pub const ALL: [(Self, &str); 7] = [
        (Self::Selecting, "while the model is selected"),
        (Self::Breaking, "while the breaker is open"),
        (Self::Sleeping, "in the sleep before a retry"),
        (Self::Getting, "while the session is created"),
        (Self::Starting, "while an iterator is started"),
        (Self::Queued, "while the request is in the queue"),
        (Self::Approving, "while a tool waits for approval"),
    ];
}

impl State {
    /// The gap that the loop is in; `None` if it waits for a message, or is over.
    pub fn gap(&self) -> Option<Gap> {
        match (self.executor()?.0, self.execution()) {
            (LoopAt::Waiting, _) => None,
            (LoopAt::Selecting, _) => Some(Gap::Selecting),
            (LoopAt::Breaking, _) => Some(Gap::Breaking),
            (LoopAt::Sleeping, _) => Some(Gap::Sleeping),
            (LoopAt::Executing, Some(ExecuteAt::Getting)) => Some(Gap::Getting),
            (LoopAt::Executing, _) if !self.session.has_request => Some(Gap::Starting),
            (LoopAt::Executing, _) if self.approval == Approval::Pending => Some(Gap::Approving),
            (LoopAt::Executing, _) => Some(Gap::Queued),
        }
    }
}

/// What the clock says in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Due {
    /// The idle time has passed.
    Idle,
    /// The interval of the checks has passed.
    Check,
    /// The stuck time has passed, and with it both of the others.
    Stuck,
}

impl Due {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Idle, Self::Check, Self::Stuck];

    /// What the tick reads.
    pub fn ages(self) -> Ages {
        match self {
            Self::Idle => Ages { activity: Age::Idle, is_check_due: false },
            Self::Check => Ages { activity: Age::Recent, is_check_due: true },
            Self::Stuck => Ages { activity: Age::Stuck, is_check_due: true },
        }
    }

    /// Whether the tick reports anything.
    pub fn is_reported(self, flags: Flags) -> bool {
        let mut flags = flags;
        Report::ALL.into_iter().any(|report| flags.check(report, self.ages()))
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// The head of the queue of microtasks runs.
    Microtask,
    /// What a process awaits comes: a selection, a session, an iterator, a timer.
    Fire(Pid),
    /// The SDK gives the result of the prompt that it was given last.
    Answer,
    /// The SDK asks whether a tool may run.
    AskApproval,
    /// The iterator throws, and nobody aborted it: whether the text says to try again.
    Break(bool),
    /// The iterator that was started aborted ends: whether by an exception.
    EndOwn(bool),
    /// An old iterator ends: whether by an exception.
    EndOld(bool),
    /// The periodic check of the monitor.
    Tick(Due),
    /// A person writes to the worker.
    Write,
    /// A person stops the worker.
    Stop,
    /// A person pauses the worker.
    Pause,
    /// A person resumes the worker.
    Resume,
    /// A person allows the tool that the worker asked about.
    Approve,
    /// The worker is completed from outside.
    Complete,
    /// The worker is killed from outside.
    Kill,
}
