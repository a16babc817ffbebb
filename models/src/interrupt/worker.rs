//! The worker session from outside: people, and the handlers of what the monitor reports.

use downbeat_sim::model::Lane;

use super::process::{ExecuteAt, WAITER};
use super::scene::{MONITOR, PERSON, Scene, WORKER, words};
use super::state::{Approval, Due, Left, Prompt, Status};
use crate::health::monitor::Report;

impl Scene<'_> {
    /// Takes one from a budget and from that of all troubles together.
    pub fn spend(&mut self, of: fn(&mut Left) -> &mut u8) -> Option<()> {
        let left = &mut self.state.left;
        left.troubles = left.troubles.checked_sub(1)?;
        let budget = of(left);
        *budget = budget.checked_sub(1)?;
        Some(())
    }

    /// The tick, with its handlers inside.
    pub fn tick(&mut self, due: Due) -> Option<()> {
        let ages = due.ages();
        for report in Report::ALL {
            if self.state.monitor.as_mut()?.check(report, ages) {
                match report {
                    Report::Idle => self.handle_idle(),
                    Report::CheckDue => self.handle_check(),
                    Report::Unhealthy => self.tell(MONITOR, PERSON, || "tick: unhealthy".to_owned()),
                }
            }
        }
        Some(())
    }

    fn handle_idle(&mut self) {
        if let Some(flags) = &mut self.state.monitor {
            flags.inquiry_pending = true;
        }
        self.send(MONITOR, Prompt::Inquiry);
    }

    fn handle_check(&mut self) {
        let is_work = matches!(self.state.prompt, Prompt::Job | Prompt::Message(_));
        let stops = self.interrupt(MONITOR);
        self.state.truth.is_stopped |= stops && is_work;
        self.send(MONITOR, Prompt::Question);
    }

    /// `sendClarification`.
    fn send(&mut self, by: Lane, prompt: Prompt) {
        let worker = &mut self.state.worker;
        if worker.has_waiter {
            worker.has_waiter = false;
            worker.handed = Some(prompt);
            self.state.processes.resolve(WAITER);
            return self.tell(by, WORKER, || format!("sends {}: wakes the loop", words(prompt)));
        }
        let overwritten = worker.slot.replace(prompt);
        self.tell(by, WORKER, || match overwritten {
            Some(old) => format!("sends {}: into the slot, over {}", words(prompt), words(old)),
            None => format!("sends {}: into the slot", words(prompt)),
        });
    }

    /// `interrupt`. Returns whether it did anything.
    fn interrupt(&mut self, by: Lane) -> bool {
        match self.state.worker.status {
            Status::Running | Status::WaitingApproval => {}
            Status::Idle | Status::Paused | Status::Completed | Status::Error => {
                self.tell(by, WORKER, || "interrupts: nothing happens, by its status".to_owned());
                return false;
            }
        }
        let listens = self.state.execution() == Some(ExecuteAt::Invoking) && !self.state.is_cancelled;
        self.state.is_cancelled = true;
        self.state.worker.status = Status::Idle;
        self.tell(by, WORKER, || {
            let aborts = if listens { ", session aborted" } else { ", nobody listens" };
            format!("interrupts: token cancelled{aborts}, status = idle")
        });
        if listens {
            self.abort();
        }
        true
    }

    /// A person writes.
    pub fn write(&mut self) {
        let m = self.state.truth.sent;
        self.state.truth.sent += 1;
        self.send(PERSON, Prompt::Message(m));
    }

    /// A person sends a message without text, which counts as none: a wait ends with nothing, and the slot is empty then.
    pub fn write_nothing(&mut self) -> Option<()> {
        self.spend(|left| &mut left.empties)?;
        let overwritten = self.state.worker.slot.take();
        let wakes = std::mem::take(&mut self.state.worker.has_waiter);
        if wakes {
            self.state.processes.resolve(WAITER);
        }
        self.tell(PERSON, WORKER, || match overwritten {
            Some(old) => format!("sends a message without text: into the slot, over {}", words(old)),
            None if wakes => "sends a message without text: wakes the loop".to_owned(),
            None => "sends a message without text: into the slot".to_owned(),
        });
        Some(())
    }

    /// A person stops the worker, and with that ends the matter of what a check stopped.
    pub fn stop(&mut self) -> Option<()> {
        self.spend(|left| &mut left.stops)?;
        let is_in_turn = self.state.gap().is_some();
        let truth = &mut self.state.truth;
        truth.held_from = Some(truth.sent);
        (truth.is_stopped, truth.is_stop_pending) = (false, is_in_turn);
        self.interrupt(PERSON);
        Some(())
    }

    /// `pause`.
    pub fn pause(&mut self) -> Option<()> {
        self.spend(|left| &mut left.pauses)?;
        self.state.truth.held_from = Some(self.state.truth.sent);
        self.state.worker.status = Status::Paused;
        self.tell(PERSON, WORKER, || "pauses it".to_owned());
        Some(())
    }

    /// `resume`.
    pub fn unpause(&mut self) {
        self.state.truth.held_from = None;
        self.state.worker.status = Status::Running;
        self.tell(PERSON, WORKER, || "resumes it".to_owned());
    }

    /// The answer to the approval that is shown.
    pub fn approve(&mut self) {
        let is_heard = self.state.approval == Approval::Pending;
        self.state.approval = Approval::None;
        if self.state.worker.status == Status::WaitingApproval {
            self.state.worker.status = Status::Running;
        }
        self.tell(PERSON, WORKER, || {
            let heard = if is_heard { "" } else { ", of a turn that is over" };
            format!("allows the tool{heard}")
        });
    }

    /// `complete`.
    pub fn complete(&mut self) -> Option<()> {
        self.spend(|left| &mut left.ends)?;
        self.state.truth.is_ended = true;
        self.state.truth.is_stopped = false;
        self.state.worker.status = Status::Completed;
        let is_dropped = std::mem::take(&mut self.state.worker.has_waiter);
        self.tell(PERSON, WORKER, || {
            let dropped = if is_dropped { ", and drops the waiter" } else { "" };
            format!("completes it{dropped}")
        });
        Some(())
    }

    /// `kill`, and `conclude`, which does the same to the worker.
    pub fn kill(&mut self) -> Option<()> {
        self.spend(|left| &mut left.ends)?;
        let truth = &mut self.state.truth;
        (truth.is_ended, truth.is_killed, truth.is_stopped) = (true, true, false);
        self.state.monitor = None;
        self.tell(PERSON, WORKER, || "kills it: monitoring stops, and it is disposed".to_owned());
        Some(())
    }
}
