//! A state on its way to the next one, with the words for it if somebody wants them.

use downbeat_sim::event_loop::{Await, Pid};
use downbeat_sim::model::{Arrow, Lane};

use super::Interrupt;
use super::process::Process;
use super::state::{Action, Prompt, State};

/// Who a person is in a diagram.
pub const PERSON: Lane = 0;
/// Who the monitor is, with the handlers of what it reports.
pub const MONITOR: Lane = 1;
/// Who the worker is: its session and its executor loop.
pub const WORKER: Lane = 2;
/// Who the agent session is.
pub const SESSION: Lane = 3;
/// Who the SDK is.
pub const SDK: Lane = 4;

/// One step under way.
pub struct Scene<'a> {
    /// The bounds.
    pub system: &'a Interrupt,
    /// The state.
    pub state: State,
    /// What happened, in order.
    pub told: Option<Vec<Arrow>>,
}

impl Scene<'_> {
    /// Takes a step, or returns `None` if it is not enabled.
    pub fn step(&mut self, action: Action) -> Option<()> {
        match action {
            Action::Microtask => {
                let (pid, process) = self.state.processes.run_head()?;
                self.resume(pid, process);
            }
            Action::Fire(pid) => {
                let process = self.state.processes.fire(pid)?;
                self.resume(pid, process);
            }
            Action::Answer => self.answered(),
            Action::AskApproval => self.asks_approval()?,
            Action::Break(is_transient) => self.broken(is_transient)?,
            Action::EndOwn(throws) => self.own_ended(throws),
            Action::EndOld(throws) => self.old_ended(throws),
            Action::Tick(due) => self.tick(due)?,
            Action::Write => self.write(),
            Action::WriteNothing => self.write_nothing()?,
            Action::Stop => self.stop()?,
            Action::Pause => self.pause()?,
            Action::Resume => self.unpause(),
            Action::Approve => self.approve(),
            Action::Complete => self.complete()?,
            Action::Kill => self.kill()?,
        }
        Some(())
    }

    fn resume(&mut self, pid: Pid, process: Process) {
        match process {
            Process::Loop(at) => self.resume_loop(pid, at),
            Process::Execute(at) => self.resume_execute(pid, at),
            Process::Invoke(at) => self.resume_invoke(pid, at),
            Process::Query { is_aborted } => self.queried(pid, is_aborted),
            Process::Iterable(at) => self.resume_iterable(pid, at),
            Process::LateAbort => {
                self.state.processes.end(pid);
                self.tell(WORKER, SESSION, || "the listener that came too late: abort".to_owned());
                self.abort();
            }
            Process::LateWithdraw => {
                self.state.processes.end(pid);
                self.withdraw();
            }
        }
    }

    /// Notes who did what, if somebody wants to know.
    pub fn tell(&mut self, from: Lane, to: Lane, words: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: words() });
        }
    }

    /// Begins a call. There is always room, because each process is begun by one that awaits it, but for those that
    /// [`super::state::PROCESSES`] counts.
    pub fn call(&mut self) -> Pid {
        self.state.processes.call().expect("the model has room for every process (PROCESSES)")
    }

    /// Begins a call that nobody awaits.
    pub fn call_unawaited(&mut self) -> Pid {
        self.state.processes.call_unawaited().expect("the model has room for every process (PROCESSES)")
    }

    /// Ends the stretch of a process.
    pub fn suspend(&mut self, pid: Pid, process: Process, on: Await) {
        self.state.processes.suspend(pid, process, on);
    }
}

/// A prompt in words.
pub fn words(prompt: Prompt) -> String {
    match prompt {
        Prompt::Job => "its instructions".to_owned(),
        Prompt::Message(m) => format!("message {}", m + 1),
        Prompt::Inquiry => "an idle inquiry".to_owned(),
        Prompt::Question => "the progress question".to_owned(),
    }
}
