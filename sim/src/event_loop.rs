//! Systems that run on a JavaScript event loop.
//!
//! Such a system is a set of processes (calls of async functions), each a program counter with its locals. The
//! code between two `await`s runs without interruption and is one step of a model. This module keeps who
//! continues when; what a process does is the model's.
//!
//! Two rules of the runtime decide which interleavings exist, and a model that gets one of them wrong reports
//! races that cannot happen or misses real ones:
//! - a continuation is never run inline: it goes to the end of a queue of microtasks, first in, first out;
//! - that queue drains before the next timer, I/O event or click. While it is not empty, the only thing that can
//!   happen is that its head runs.
//!
//! A call of an async function runs at once, up to its first `await`, as part of the caller's step: the model
//! takes a number from [`EventLoop::call`], runs the callee's first stretch, and goes on in the caller.
//!
//! What is left out: an `await` of a process that has finished costs one microtask here; the runtime takes up to
//! three for a promise that is returned through another async function. Timers have no durations: each may fire
//! at any time when the queue is empty, in any order.

use std::fmt;

/// A process, by its slot. Numbers are used again when their process is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pid(u8);

impl Pid {
    /// The slot, as an index of arrays beside the event loop.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What the continuation of a process waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Await {
    /// A promise that is resolved already: one turn of the microtask queue.
    Resolved,
    /// The end of another process.
    End(Pid),
    /// A timer, a disk, a network, a person: fires when the environment chooses and the queue is empty.
    External,
    /// A promise or a lock that some other process resolves, by a number of the model's choice.
    Signal(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Slot<P> {
    Free,
    /// Its stretch is being run in the present step.
    Running {
        kept: bool,
    },
    Suspended {
        program: P,
        on: Await,
        kept: bool,
    },
    /// It ended, and somebody may still await it.
    Ended,
}

/// Numbers of processes in order, the rest filled with zeros so that equal lines are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Line<const N: usize> {
    pids: [u8; N],
    len: u8,
}

impl<const N: usize> Line<N> {
    const EMPTY: Self = Self { pids: [0; N], len: 0 };

    fn push(&mut self, pid: Pid) {
        // Every process is in at most one line, once, so that a line of N never overflows.
        self.pids[usize::from(self.len)] = pid.0;
        self.len += 1;
    }

    fn head(&self) -> Option<Pid> {
        (self.len > 0).then(|| Pid(self.pids[0]))
    }

    fn iter(&self) -> impl Iterator<Item = Pid> {
        self.pids[..usize::from(self.len)].iter().map(|&pid| Pid(pid))
    }

    fn remove(&mut self, pid: Pid) {
        let len = usize::from(self.len);
        if let Some(at) = self.pids[..len].iter().position(|&other| other == pid.0) {
            self.pids.copy_within(at + 1..len, at);
            self.pids[len - 1] = 0;
            self.len -= 1;
        }
    }
}

/// There are as many processes as the model has room for, and one more was called.
///
/// A bound of the model is too small, or it starts processes without end. A model must not go on without the
/// process, as that would hide what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyProcesses {
    /// Processes that there is room for.
    pub limit: usize,
}

impl fmt::Display for TooManyProcesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} processes at once: the model needs a larger event loop", self.limit)
    }
}

impl std::error::Error for TooManyProcesses {}

/// The processes of a system and the order in which they continue. `P` is a program counter with its locals;
/// `N` is the number of processes that may exist at once, at most 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventLoop<P, const N: usize> {
    slots: [Slot<P>; N],
    microtasks: Line<N>,
    /// Those that wait for an end or a signal, in the order in which they began to: continuations of one promise
    /// run in the order of their `await`s.
    waiting: Line<N>,
}

impl<P: Copy, const N: usize> Default for EventLoop<P, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Copy, const N: usize> EventLoop<P, N> {
    /// No process.
    pub const fn new() -> Self {
        assert!(N <= 255, "processes are numbered by bytes");
        Self { slots: [Slot::Free; N], microtasks: Line::EMPTY, waiting: Line::EMPTY }
    }

    /// A call whose promise somebody may await: the process is known until [`Await::End`] has been awaited.
    ///
    /// # Errors
    /// There is no room. The caller must make this the end of the check, not of the process.
    pub fn call(&mut self) -> Result<Pid, TooManyProcesses> {
        self.take_slot(true)
    }

    /// A call whose promise nobody will await.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_unawaited(&mut self) -> Result<Pid, TooManyProcesses> {
        self.take_slot(false)
    }

    /// Ends the stretch of `pid`: it continues as `program` when what it awaits has come.
    ///
    /// # Panics
    /// The process is not running, or it awaits one that does not exist: a mistake of the model.
    pub fn suspend(&mut self, pid: Pid, program: P, on: Await) {
        let Slot::Running { kept } = self.slots[pid.index()] else { panic!("{pid:?} is not running") };
        self.slots[pid.index()] = Slot::Suspended { program, on, kept };
        match on {
            Await::Resolved => self.microtasks.push(pid),
            Await::External => {}
            Await::Signal(_) => self.waiting.push(pid),
            Await::End(other) => match self.slots[other.index()] {
                Slot::Ended => {
                    self.slots[other.index()] = Slot::Free;
                    self.microtasks.push(pid);
                }
                Slot::Running { .. } | Slot::Suspended { .. } => self.waiting.push(pid),
                Slot::Free => panic!("{pid:?} awaits {other:?}, which does not exist"),
            },
        }
    }

    /// Ends the process; those that await its end continue, in the order in which they began to.
    ///
    /// # Panics
    /// The process is not running: a mistake of the model.
    pub fn end(&mut self, pid: Pid) {
        let Slot::Running { kept } = self.slots[pid.index()] else { panic!("{pid:?} is not running") };
        let woken = self.wake_all(Await::End(pid));
        self.slots[pid.index()] = if kept && woken == 0 { Slot::Ended } else { Slot::Free };
    }

    /// Resolves a promise: everybody who awaits the signal continues, in the order in which they began to.
    /// Returns how many.
    pub fn resolve(&mut self, signal: u8) -> usize {
        self.wake_all(Await::Signal(signal))
    }

    /// Hands a lock on: the one who has awaited the signal longest continues, if there is one.
    pub fn hand_on(&mut self, signal: u8) -> Option<Pid> {
        let first = self.waiting.iter().find(|&pid| self.awaited(pid) == Some(Await::Signal(signal)))?;
        self.wake(first);
        Some(first)
    }

    /// Forgets a process whose continuation can never come, such as a wait whose timer was cleared without
    /// resolving it. Those that await its end wait for ever.
    pub fn forget(&mut self, pid: Pid) {
        self.microtasks.remove(pid);
        self.waiting.remove(pid);
        self.slots[pid.index()] = Slot::Free;
    }

    /// The process that must continue next; `None` if the queue of microtasks is empty.
    pub fn head(&self) -> Option<Pid> {
        self.microtasks.head()
    }

    /// Whether the environment may act: a timer, I/O, a person.
    pub fn is_quiet(&self) -> bool {
        self.head().is_none()
    }

    /// Begins the next stretch of the head of the queue, which the model then runs and ends with
    /// [`Self::suspend`] or [`Self::end`].
    pub fn run_head(&mut self) -> Option<(Pid, P)> {
        let pid = self.head()?;
        self.microtasks.remove(pid);
        Some((pid, self.run(pid)))
    }

    /// What `pid` awaits fires: begins its next stretch. `None` unless it awaits [`Await::External`] and the
    /// queue is empty.
    pub fn fire(&mut self, pid: Pid) -> Option<P> {
        let may = self.is_quiet() && self.awaited(pid) == Some(Await::External);
        may.then(|| self.run(pid))
    }

    /// What a suspended process waits for.
    pub fn awaited(&self, pid: Pid) -> Option<Await> {
        match &self.slots[pid.index()] {
            Slot::Suspended { on, .. } => Some(*on),
            Slot::Free | Slot::Running { .. } | Slot::Ended => None,
        }
    }

    /// All suspended processes, by number.
    pub fn suspended(&self) -> impl Iterator<Item = (Pid, &P, Await)> {
        (0..).map(Pid).zip(&self.slots).filter_map(|(pid, slot)| match slot {
            Slot::Suspended { program, on, .. } => Some((pid, program, *on)),
            Slot::Free | Slot::Running { .. } | Slot::Ended => None,
        })
    }

    /// Rewrites the locals of every suspended process, for models that rename what they count.
    pub fn rewrite(&mut self, mut rewrite: impl FnMut(&mut P)) {
        for slot in &mut self.slots {
            match slot {
                Slot::Suspended { program, .. } => rewrite(program),
                Slot::Free | Slot::Running { .. } | Slot::Ended => {}
            }
        }
    }

    /// Where a suspended process will continue.
    pub fn program(&self, pid: Pid) -> Option<&P> {
        match &self.slots[pid.index()] {
            Slot::Suspended { program, .. } => Some(program),
            Slot::Free | Slot::Running { .. } | Slot::Ended => None,
        }
    }

    fn take_slot(&mut self, kept: bool) -> Result<Pid, TooManyProcesses> {
        let (pid, slot) = (0..)
            .map(Pid)
            .zip(&mut self.slots)
            .find(|(_, slot)| matches!(slot, Slot::Free))
            .ok_or(TooManyProcesses { limit: N })?;
        *slot = Slot::Running { kept };
        Ok(pid)
    }

    fn run(&mut self, pid: Pid) -> P {
        let Slot::Suspended { program, kept, .. } = self.slots[pid.index()] else {
            unreachable!("a line of suspended processes holds {pid:?}, which is not")
        };
        self.slots[pid.index()] = Slot::Running { kept };
        program
    }

    fn wake(&mut self, pid: Pid) {
        self.waiting.remove(pid);
        self.microtasks.push(pid);
    }

    fn wake_all(&mut self, on: Await) -> usize {
        let before = self.waiting;
        let mut woken = 0;
        for pid in before.iter() {
            if self.awaited(pid) == Some(on) {
                self.wake(pid);
                woken += 1;
            }
        }
        woken
    }
}
