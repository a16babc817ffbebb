//! The executor loop and `execute`, await by await.

use downbeat_sim::event_loop::{Await, Pid};

use super::process::{ExecuteAt, LoopAt, Process, WAITER};
use super::scene::{SESSION, Scene, WORKER, words};
use super::state::{Settled, Status};

impl Scene<'_> {
    /// Before the loop: start, monitoring, and the selection of the model.
    pub fn begin_loop(&mut self) {
        let pid = self.call_unawaited();
        self.suspend(pid, Process::Loop(LoopAt::Selecting), Await::External);
    }

    /// The stretch of the loop after its await.
    pub fn resume_loop(&mut self, pid: Pid, at: LoopAt) {
        match at {
            LoopAt::Selecting => self.top(pid),
            LoopAt::Sleeping => {
                self.tell(WORKER, WORKER, || "wakes from its sleep before the retry".to_owned());
                self.top(pid);
            }
            LoopAt::Breaking => self.execute(pid),
            LoopAt::Waiting => self.waited(pid),
            LoopAt::Executing => self.executed(pid),
        }
    }

    /// The head of the loop and step 1.
    fn top(&mut self, pid: Pid) {
        match self.state.worker.status {
            Status::Completed | Status::Error => self.exit(pid),
            Status::Idle => self.wait(pid),
            Status::Running | Status::WaitingApproval | Status::Paused => self.iterate(pid),
        }
    }

    /// `waitForClarification`.
    fn wait(&mut self, pid: Pid) {
        self.state.truth.is_stop_pending = false;
        let worker = &mut self.state.worker;
        worker.handed = worker.slot.take();
        let on = if worker.handed.is_some() || !worker.status.is_active() {
            Await::Resolved
        } else {
            worker.has_waiter = true;
            Await::Signal(WAITER)
        };
        let has_message = self.state.worker.handed;
        self.tell(WORKER, WORKER, || match has_message {
            Some(prompt) => format!("the loop takes {} from the slot", words(prompt)),
            None => "the loop waits for a message".to_owned(),
        });
        self.suspend(pid, Process::Loop(LoopAt::Waiting), on);
    }

    fn waited(&mut self, pid: Pid) {
        let Some(prompt) = self.state.worker.handed.take() else { return self.exit(pid) };
        self.state.prompt = prompt;
        self.state.worker.status = Status::Running;
        self.iterate(pid);
    }

    /// Steps 2 and 3.
    fn iterate(&mut self, pid: Pid) {
        self.state.is_cancelled = false;
        if self.state.failures >= self.system.breaker {
            self.tell(WORKER, WORKER, || "the circuit breaker is open: waits".to_owned());
            return self.suspend(pid, Process::Loop(LoopAt::Breaking), Await::External);
        }
        self.execute(pid);
    }

    /// Step 4, and the first stretch of execute.
    fn execute(&mut self, pid: Pid) {
        if let Some(flags) = &mut self.state.monitor {
            flags.active();
            flags.is_executing = true;
        }
        let prompt = self.state.prompt;
        if self.state.truth.is_asked_for(prompt) {
            self.state.truth.held_from = None;
        }
        self.tell(WORKER, WORKER, || format!("executes {}", words(prompt)));
        let execute = self.call();
        let on = if self.state.session.exists { Await::Resolved } else { Await::External };
        self.suspend(execute, Process::Execute(ExecuteAt::Getting), on);
        self.suspend(pid, Process::Loop(LoopAt::Executing), Await::End(execute));
    }

    /// The stretch of execute after its await.
    pub fn resume_execute(&mut self, pid: Pid, at: ExecuteAt) {
        match at {
            ExecuteAt::Getting => {
                self.state.session.exists = true;
                self.tell(WORKER, SESSION, || "has its session, registers for the token, invokes".to_owned());
                if self.is_too_late() {
                    let late = self.call_unawaited();
                    self.suspend(late, Process::LateAbort, Await::External);
                }
                let invoke = self.invoke();
                self.suspend(pid, Process::Execute(ExecuteAt::Invoking), Await::End(invoke));
            }
            ExecuteAt::Invoking => self.state.processes.end(pid),
        }
    }

    /// Whether a listener that is registered now will be called by a timer.
    pub fn is_too_late(&self) -> bool {
        self.state.is_cancelled && self.system.calls_late_listeners
    }

    /// Steps 5 to 7.
    fn executed(&mut self, pid: Pid) {
        if let Some(flags) = &mut self.state.monitor {
            flags.is_executing = false;
        }
        let Some(settled) = self.state.session.settled.take() else {
            unreachable!("an execution ends when its request is settled")
        };
        if self.state.is_cancelled {
            self.tell(WORKER, WORKER, || "the execution is over, its token is cancelled".to_owned());
            return self.top(pid);
        }
        match settled {
            Settled::Result => {
                self.tell(WORKER, WORKER, || "the execution succeeds: status = idle".to_owned());
                self.state.failures = 0;
                self.state.worker.status = Status::Idle;
                self.wait(pid);
            }
            Settled::Aborted | Settled::Broken | Settled::Failed => self.failed(pid, settled),
        }
    }

    /// Step 6.
    fn failed(&mut self, pid: Pid, settled: Settled) {
        self.state.failures = (self.state.failures + 1).min(self.system.breaker);
        if settled == Settled::Aborted || self.state.worker.status == Status::Idle {
            self.tell(WORKER, WORKER, || "the execution fails, \"aborted\"".to_owned());
            self.wait(pid);
        } else if settled == Settled::Broken {
            self.tell(WORKER, WORKER, || "the execution fails: sleeps before it tries again".to_owned());
            self.suspend(pid, Process::Loop(LoopAt::Sleeping), Await::External);
        } else {
            self.tell(WORKER, WORKER, || "the execution fails for good: status = error".to_owned());
            self.state.worker.status = Status::Error;
            self.exit(pid);
        }
    }

    fn exit(&mut self, pid: Pid) {
        self.tell(WORKER, WORKER, || "the loop ends".to_owned());
        self.state.truth.is_stop_pending = false;
        self.state.monitor = None;
        self.state.processes.end(pid);
    }
}
