//! What each step does: the tick with its handlers inside, the executor loop between its awaits, the people.

use downbeat_sim::model::{Arrow, Lane};

use super::Health;
use super::monitor::{Age, Ages, Report};
use super::state::{Action, Hold, Job, Prompt, State, Tool, Turn, Worker};

/// Who a person is in a diagram.
pub const PERSON: Lane = 0;
/// Who the orchestrator is, which handles what the monitor reports.
pub const ORCHESTRATOR: Lane = 1;
/// Who the monitor is.
pub const MONITOR: Lane = 2;
/// Who the worker is.
pub const WORKER: Lane = 3;

/// A state on its way to the next one, and the words for it if somebody wants them.
pub struct Scene<'a> {
    /// The bounds.
    pub system: &'a Health,
    /// The state.
    pub state: State,
    /// What happened, in order.
    pub told: Option<Vec<Arrow>>,
}

impl Scene<'_> {
    /// Takes a step, or returns `None` if it is not enabled.
    pub fn step(&mut self, action: Action) -> Option<()> {
        match action {
            Action::Microtask => self.microtask()?,
            Action::Tick => self.tick(),
            Action::IdleDue => self.state.ages.activity = Age::Idle,
            Action::StuckDue => self.stuck_due(),
            Action::ProgressDue => self.state.ages.is_check_due = true,
            Action::Select => self.selected(),
            Action::Call(tool) => self.call(tool),
            Action::Fail => self.fail(),
            Action::Finish => self.finish(),
            Action::Hang(turn) => self.hang(turn)?,
            Action::Update => self.update()?,
            Action::Write => self.write()?,
            Action::Stop => self.stop()?,
            Action::Remove => self.remove()?,
        }
        Some(())
    }

    fn tell(&mut self, from: Lane, to: Lane, words: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: words() });
        }
    }

    /// The interval of the checks is not longer than the stuck time, so that a check is due too unless there was one
    /// since the last activity.
    fn stuck_due(&mut self) {
        self.state.ages.activity = Age::Stuck;
        self.state.ages.is_check_due |= !self.state.is_checked;
    }

    fn tick(&mut self) {
        let ages = self.state.ages;
        for report in Report::ALL {
            if self.state.flags.check(report, ages) {
                match report {
                    Report::Idle => self.handle_idle(),
                    Report::CheckDue => self.handle_check(ages),
                    Report::Unhealthy => self.handle_unhealthy(),
                }
            }
        }
    }

    fn handle_idle(&mut self) {
        self.tell(MONITOR, ORCHESTRATOR, || "tick: idle".to_owned());
        if self.state.updates > 0 {
            self.state.updates = 0;
            self.state.is_answered = false;
            return self.send(Prompt::Updates);
        }
        self.state.flags.inquiry_pending = true;
        if self.state.is_record_gone {
            return self.tell(ORCHESTRATOR, ORCHESTRATOR, || {
                "marks the inquiry as sent, finds no task, returns".to_owned()
            });
        }
        self.send(Prompt::Inquiry);
    }

    fn handle_check(&mut self, ages: Ages) {
        self.tell(MONITOR, ORCHESTRATOR, || "tick: progress check due".to_owned());
        self.state.ages = Ages { is_check_due: false, ..ages };
        self.state.is_checked = true;
        if self.state.is_record_gone {
            return self
                .tell(ORCHESTRATOR, ORCHESTRATOR, || "finds no task to ask about, returns".to_owned());
        }
        if self.state.turn() == Some(Prompt::Job) && self.state.is_running {
            self.state.job = Job::Stopped;
        }
        self.interrupt(ORCHESTRATOR);
        self.send(Prompt::Question);
    }

    fn handle_unhealthy(&mut self) {
        self.tell(MONITOR, ORCHESTRATOR, || "tick: unhealthy; queued to the parent as an error".to_owned());
    }

    /// `sendClarification`.
    fn send(&mut self, prompt: Prompt) {
        let words = words(prompt);
        if self.state.worker == Worker::Waiting {
            self.state.worker = Worker::Resumed(prompt);
            self.tell(ORCHESTRATOR, WORKER, || format!("sends {words}"));
        } else {
            self.state.slot = Some(prompt);
            self.tell(ORCHESTRATOR, WORKER, || format!("sends {words}: into the slot"));
        }
    }

    /// `interrupt`: cancels the token, inside of which the session is told to abort.
    fn interrupt(&mut self, by: Lane) {
        if !self.state.is_running {
            return self.tell(by, WORKER, || "interrupts: its status is idle, nothing happens".to_owned());
        }
        self.state.is_running = false;
        let stops = match self.state.worker {
            Worker::Executing(_, Turn::Works | Turn::Loops | Turn::Hangs) => true,
            Worker::Executing(_, Turn::Deaf) | Worker::Starting => false,
            Worker::Waiting | Worker::Resumed(_) | Worker::Stopping => {
                unreachable!("a worker that waits is idle")
            }
        };
        if stops {
            self.state.worker = Worker::Stopping;
            self.tell(by, WORKER, || "interrupts: the turn is aborted, status = idle".to_owned());
        } else {
            self.tell(by, WORKER, || "interrupts: status = idle, and nothing is there to abort".to_owned());
        }
    }

    fn microtask(&mut self) -> Option<()> {
        match self.state.worker {
            Worker::Resumed(prompt) => self.begin(prompt),
            Worker::Stopping => {
                self.tell(WORKER, MONITOR, || "marks the end of the execution, which was stopped".to_owned());
                self.execution_ended();
            }
            Worker::Starting | Worker::Waiting | Worker::Executing(..) => return None,
        }
        Some(())
    }

    fn selected(&mut self) {
        if self.state.is_running {
            self.begin(Prompt::Job);
        } else {
            self.tell(WORKER, WORKER, || {
                "its status is idle before it began: waits for a message".to_owned()
            });
            self.wait();
        }
    }

    /// Steps 1 to 4 of the loop: there is no await between them while the circuit breaker is closed.
    fn begin(&mut self, prompt: Prompt) {
        self.active();
        if self.state.hold.admits(prompt) {
            self.state.hold = Hold::None;
        }
        self.state.is_running = true;
        self.state.flags.is_executing = true;
        self.state.worker = Worker::Executing(prompt, Turn::Works);
        self.tell(WORKER, MONITOR, || format!("begins a turn with {}: activity", words(prompt)));
    }

    fn finish(&mut self) {
        match self.state.turn() {
            Some(Prompt::Job) => self.state.job = Job::Settled,
            Some(Prompt::Inquiry) => self.state.is_answered = true,
            Some(Prompt::Message | Prompt::Question | Prompt::Updates) => {}
            None => unreachable!("a turn that ends was begun"),
        }
        self.state.streaks.errors = 0;
        self.state.is_running = false;
        self.tell(WORKER, MONITOR, || "the turn ends with a result".to_owned());
        self.execution_ended();
    }

    /// The mark of the end sets the time of the last activity, and clears no flag.
    fn execution_ended(&mut self) {
        self.state.flags.is_executing = false;
        self.heard();
        self.wait();
    }

    /// `waitForClarification`.
    fn wait(&mut self) {
        self.state.worker = match self.state.slot.take() {
            Some(prompt) => Worker::Resumed(prompt),
            None => Worker::Waiting,
        };
    }

    fn active(&mut self) {
        self.state.flags.active();
        self.heard();
    }

    fn heard(&mut self) {
        self.state.ages.activity = Age::Recent;
        self.state.is_checked = false;
    }

    fn call(&mut self, tool: Tool) {
        self.active();
        let threshold = self.system.equal_calls;
        let streaks = &mut self.state.streaks;
        let before = if streaks.tool == tool { streaks.equal } else { 0 };
        (streaks.tool, streaks.equal) = (tool, (before + 1).min(threshold));
        streaks.errors = 0;
        let is_loop = streaks.equal == threshold && before < threshold;
        self.tell(WORKER, MONITOR, || format!("calls {tool:?}"));
        if is_loop {
            self.tell(MONITOR, ORCHESTRATOR, || format!("{tool:?} {threshold} times in a row: looping"));
        }
    }

    fn fail(&mut self) {
        self.active();
        let before = self.state.streaks.errors;
        self.state.streaks.errors = (before + 1).min(self.system.errors);
        self.tell(WORKER, MONITOR, || "a tool fails".to_owned());
        if before < self.system.errors && self.state.streaks.errors == self.system.errors {
            self.tell(MONITOR, ORCHESTRATOR, || "high error rate".to_owned());
        }
    }

    fn hang(&mut self, turn: Turn) -> Option<()> {
        self.state.left.hangs = self.state.left.hangs.checked_sub(1)?;
        let Worker::Executing(prompt, Turn::Works) = self.state.worker else { return None };
        self.state.worker = Worker::Executing(prompt, turn);
        let words = match turn {
            Turn::Works => "works",
            Turn::Loops => "calls the same tool from now on",
            Turn::Hangs => "says nothing any more",
            Turn::Deaf => "hangs before its request is handed over, where no abort reaches it",
        };
        self.tell(WORKER, WORKER, || words.to_owned());
        Some(())
    }

    fn update(&mut self) -> Option<()> {
        self.state.left.updates = self.state.left.updates.checked_sub(1)?;
        self.state.updates += 1;
        self.tell(ORCHESTRATOR, ORCHESTRATOR, || {
            "a child reports: the update is kept for the worker".to_owned()
        });
        Some(())
    }

    fn write(&mut self) -> Option<()> {
        self.state.left.messages = self.state.left.messages.checked_sub(1)?;
        if self.state.hold == Hold::Stopped {
            self.state.hold = Hold::Written;
        }
        self.state.is_answered = false;
        self.tell(PERSON, ORCHESTRATOR, || "writes a message".to_owned());
        self.send(Prompt::Message);
        Some(())
    }

    fn stop(&mut self) -> Option<()> {
        self.state.left.stops = self.state.left.stops.checked_sub(1)?;
        if self.state.turn() == Some(Prompt::Job) || self.state.worker == Worker::Starting {
            self.state.job = Job::Settled;
        }
        self.state.hold = Hold::Stopped;
        self.interrupt(PERSON);
        Some(())
    }

    fn remove(&mut self) -> Option<()> {
        self.state.left.removals = self.state.left.removals.checked_sub(1)?;
        self.state.is_record_gone = true;
        self.tell(PERSON, ORCHESTRATOR, || "removes the record of the task".to_owned());
        Some(())
    }
}

/// A prompt in words.
pub fn words(prompt: Prompt) -> &'static str {
    match prompt {
        Prompt::Job => "its instructions",
        Prompt::Message => "the message",
        Prompt::Inquiry => "an idle inquiry",
        Prompt::Question => "the progress question",
        Prompt::Updates => "the updates of its children",
    }
}
