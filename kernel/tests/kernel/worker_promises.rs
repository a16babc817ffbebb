//! What a worker is held to from one answer of its agent to the next: its tries and their waits, its hold, its wish to
//! finish, and what its health makes of the agent.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an event that is left out here is one that nothing is asked of"
)]

use downbeat_kernel::{
    Concern, Config, Deadline, IteratorEnd, IteratorId, PromptId, SessionEffect, SessionEvent, SessionState,
    Sign, ToolId, Worker, WorkerEffect, WorkerEnd, WorkerEvent, WorkerReason, WorkerState, WorkerTimer,
};

/// What the outside knows of an agent at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    /// The prompt that it has.
    pub(crate) works: Option<(IteratorId, PromptId)>,
    /// Its last prompt without an answer has the wish to finish.
    pub(crate) finishes: bool,
    /// A person holds its worker.
    pub(crate) held: bool,
    /// The budget of its tree is spent.
    pub(crate) spent: bool,
}

/// One event that a worker took, and what came of it.
pub(crate) struct Taken<'a> {
    pub(crate) config: &'a Config,
    pub(crate) event: WorkerEvent,
    pub(crate) effects: &'a [WorkerEffect],
    /// What has to be done now, or to be answered.
    pub(crate) orders: &'a [WorkerEffect],
    /// The worker before and after.
    pub(crate) worker: [&'a Worker; 2],
    /// The agent before and after.
    pub(crate) sight: [Sight; 2],
}

/// What was seen since the last answer.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside the others")]
#[derive(Clone, Copy, Default)]
pub(crate) struct Promises {
    failures: u8,
    is_spent: bool,
    tool: Option<ToolId>,
    calls: u32,
    errors: u32,
    progress: u8,
    active: bool,
    asked: bool,
    warned: bool,
}

impl Promises {
    /// Judges what came of an event, and takes note of it.
    pub(crate) fn judge(&mut self, taken: &Taken<'_>) {
        taken.judge_hold();
        taken.judge_wrap_up();
        self.judge_tries(taken);
        self.judge_ladder(taken);
        let next = self.after(taken.event, taken.config);
        next.judge_streaks(taken);
        *self = next;
        for effect in taken.effects {
            match effect {
                WorkerEffect::AskProgress { .. } => self.asked = true,
                WorkerEffect::Arm { timer: WorkerTimer::Watch(_), .. } => self.active = false,
                WorkerEffect::Warn { concern: Concern::Stuck } => self.warned = true,
                WorkerEffect::Warn { concern: Concern::Looping | Concern::Errors }
                | WorkerEffect::Include { .. }
                | WorkerEffect::Session(_)
                | WorkerEffect::Acknowledge { .. }
                | WorkerEffect::ReportUndelivered { .. }
                | WorkerEffect::Ask { .. }
                | WorkerEffect::Withdraw { .. }
                | WorkerEffect::Answer { .. }
                | WorkerEffect::Report { .. }
                | WorkerEffect::Arm { .. }
                | WorkerEffect::Disarm { .. }
                | WorkerEffect::WorkerEnded { .. } => {}
            }
        }
    }

    /// S2: a prompt is tried as often as the budget says, and not where another try cannot mend it; and after the wait that
    /// its failure asks for.
    fn judge_tries(&mut self, taken: &Taken<'_>) {
        if let Some(end) = taken.failed() {
            self.failures += 1;
            self.is_spent =
                self.failures >= taken.config.worker_attempts_max || end == IteratorEnd::Permanent;
            let ended = bound_for(taken.worker[1].state).is_some();
            assert_eq!(ended, self.is_spent, "S2: {} failures, the last {end:?}", self.failures);
            if !self.is_spent {
                self.judge_wait(end, taken);
            }
        }
        assert!(!self.is_spent || !taken.prompts(), "S2: tried again after {} failures", self.failures);
        let waits = taken.orders.iter().any(|order| wait_ms(order).is_some());
        assert!(!waits || !taken.prompts(), "waits: {:?} prompts while a wait runs", taken.event);
    }

    fn judge_wait(&self, end: IteratorEnd, taken: &Taken<'_>) {
        let Config { breaker_max, worker_backoff_ms, worker_throttled_ms, breaker_ms, .. } = *taken.config;
        let unit_ms = if end == IteratorEnd::Throttled { worker_throttled_ms } else { worker_backoff_ms };
        let asked_ms = u64::from(unit_ms) * u64::from(self.failures);
        let opens = self.failures >= breaker_max;
        let least_ms = if opens { asked_ms.max(u64::from(breaker_ms)) } else { asked_ms };
        let armed: Vec<(bool, u64)> = taken.effects.iter().filter_map(wait_ms).collect();
        assert_eq!(armed, [(opens, least_ms)], "waits: after failure {} by {end:?}", self.failures);
    }

    /// L3: until a turn is answered, health interrupts it once, of an agent that was asked and has shown nothing since, and
    /// tells of it; and it fails no worker before.
    fn judge_ladder(&self, taken: &Taken<'_>) {
        let warns = taken.warns(Concern::Stuck);
        assert!(!warns || !self.warned, "ladder: a turn is interrupted twice before it has an answer");
        assert!(!warns || self.asked, "alarm: stuck, and it was not asked or has shown that it lives");
        let pesters = taken.is_of_watch() && taken.asks() && self.active;
        assert!(!pesters, "alarm: an agent is asked that has just shown how far it is");
        let is_silent = taken.is_of_health() && taken.stops() && !warns && !self.warned;
        assert!(!is_silent, "ladder: a turn is stopped, and nobody is told");
        let stuck = Some(WorkerEnd::Failed(WorkerReason::Stuck));
        let [before, after] = taken.worker.map(|worker| bound_for(worker.state));
        assert!(before.is_some() || after != stuck || self.warned, "ladder: a worker fails unwarned");
    }

    /// What repeats too often is reported whenever there is enough of it, and nothing else is; and a rung is climbed.
    fn judge_streaks(&self, taken: &Taken<'_>) {
        let Config { loop_max, errors_max, .. } = *taken.config;
        let filled = match taken.event {
            WorkerEvent::Observed { sign: Sign::ToolCalled { .. }, .. } => {
                (loop_max != 0 && self.calls.is_multiple_of(loop_max.into())).then_some(Concern::Looping)
            }
            WorkerEvent::Observed { sign: Sign::Failed, .. } => {
                (errors_max != 0 && self.errors.is_multiple_of(errors_max.into())).then_some(Concern::Errors)
            }
            _ => None,
        };
        let reported = [Concern::Looping, Concern::Errors].into_iter().find(|concern| taken.warns(*concern));
        assert_eq!(reported, filled, "alarm-streak: {} calls, {} errors", self.calls, self.errors);
        let executes = taken.worker[0].state == WorkerState::Executing;
        let acts = taken.asks() || taken.stops();
        assert!(filled.is_none() || !executes || acts, "alarm-streak: {filled:?}, and nothing is done");
    }

    /// What is known after an event, but for what it made the worker do.
    fn after(mut self, event: WorkerEvent, config: &Config) -> Self {
        match event {
            WorkerEvent::Session(SessionEvent::Answered { .. }) => {
                return Self { active: true, ..Self::default() };
            }
            WorkerEvent::Observed { sign, .. } => {
                match sign {
                    Sign::Activity => {}
                    Sign::Succeeded => self.errors = 0,
                    Sign::Failed => self.errors += 1,
                    Sign::ToolCalled { tool } => {
                        self.calls = if self.tool == Some(tool) { self.calls + 1 } else { 1 };
                        self.tool = Some(tool);
                    }
                }
                self.lives(config);
            }
            WorkerEvent::ProgressReported { .. } if self.progress < config.progress_max => {
                self.progress += 1;
                self.lives(config);
            }
            _ => {}
        }
        self
    }

    /// Whoever repeats itself has shown nothing.
    fn lives(&mut self, config: &Config) {
        let is_full = |in_a_row: u32, max: u8| max != 0 && in_a_row >= u32::from(max);
        self.active = true;
        self.asked &= is_full(self.calls, config.loop_max) || is_full(self.errors, config.errors_max);
    }
}

impl Taken<'_> {
    /// S13: no turn begins while a person holds the worker, none is tried again, and nobody asks it; and nobody else holds it
    /// but its budget, which does the same.
    fn judge_hold(&self) {
        let [before, after] = self.worker;
        let Sight { held, spent, .. } = self.sight[1];
        assert!(!held || before.data.turn == after.data.turn, "S13: {:?} began a turn", self.event);
        assert!(!spent || before.data.turn == after.data.turn, "budget: {:?} began a turn", self.event);
        let invoked = before.data.session.accepted != after.data.session.accepted;
        assert!(!held || !invoked, "S13: {:?} gave a prompt", self.event);
        assert!(!spent || !invoked, "budget: {:?} gave a prompt", self.event);
        assert!(held || spent || after.state != WorkerState::Held, "S13: {:?} holds a worker", self.event);
        let waits = matches!(after.state, WorkerState::Held | WorkerState::AwaitingApproval);
        let is_watch =
            |order: &WorkerEffect| matches!(order, WorkerEffect::Arm { timer: WorkerTimer::Watch(_), .. });
        assert!(!waits || !self.orders.iter().any(is_watch), "S13: {:?} is watched", after.state);
    }

    /// A worker that is to finish ends when it has answered that, is told when half of the time is over, and ends when all of
    /// it is.
    fn judge_wrap_up(&self) {
        let is_bound = bound_for(self.worker[1].state).is_some();
        let [before, after] = self.sight;
        match self.event {
            WorkerEvent::Session(SessionEvent::Answered { .. }) => {
                assert!(!before.finishes || is_bound, "wrap-up: the agent has finished, its worker goes on");
            }
            WorkerEvent::TimerFired { timer: WorkerTimer::WrapUp(Deadline::First) } => {
                let works_on = before.works.is_some() && before.works == after.works;
                assert!(before.finishes || !works_on, "wrap-up: the agent is not told");
            }
            WorkerEvent::TimerFired { timer: WorkerTimer::WrapUp(Deadline::Last) } => {
                assert!(is_bound, "wrap-up: the time is over, and the worker goes on");
            }
            _ => {}
        }
    }

    /// How the iterator ended with which a prompt failed.
    fn failed(&self) -> Option<IteratorEnd> {
        let WorkerEvent::Session(SessionEvent::IteratorEnded { end, .. }) = self.event else { return None };
        let session = self.worker[0].data.session;
        let is_its_own = matches!(session.state, SessionState::Starting | SessionState::Answering);
        (is_its_own && session.settled < session.accepted).then_some(end)
    }

    /// Whether an agent is started, or given a prompt.
    fn prompts(&self) -> bool {
        self.effects.iter().any(|effect| {
            matches!(
                effect,
                WorkerEffect::Session(SessionEffect::Start { .. } | SessionEffect::Prompt { .. })
            )
        })
    }

    fn warns(&self, of: Concern) -> bool {
        self.effects.contains(&WorkerEffect::Warn { concern: of })
    }

    /// Whether the agent is asked how far it is.
    fn asks(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, WorkerEffect::AskProgress { .. }))
    }

    /// Whether the agent had a prompt, and has it no more.
    fn stops(&self) -> bool {
        let [before, after] = self.sight;
        before.works.is_some() && before.works != after.works
    }

    fn is_of_watch(&self) -> bool {
        matches!(self.event, WorkerEvent::TimerFired { timer: WorkerTimer::Watch(_) })
    }

    /// Whether it is an event of which nobody but health makes anything.
    fn is_of_health(&self) -> bool {
        self.is_of_watch() || matches!(self.event, WorkerEvent::Observed { .. })
    }
}

/// The end that a worker comes to, or has come to.
pub(crate) fn bound_for(state: WorkerState) -> Option<WorkerEnd> {
    match state {
        WorkerState::Ending(end) | WorkerState::Ended(end) => Some(end),
        WorkerState::Idle
        | WorkerState::Held
        | WorkerState::Executing
        | WorkerState::AwaitingApproval
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling => None,
    }
}

/// Whether a wait after a failure is that of the breaker, and how long it is, in milliseconds.
fn wait_ms(effect: &WorkerEffect) -> Option<(bool, u64)> {
    let WorkerEffect::Arm { timer, after_ms } = *effect else { return None };
    match timer {
        WorkerTimer::Backoff(_) => Some((false, after_ms)),
        WorkerTimer::Breaker(_) => Some((true, after_ms)),
        WorkerTimer::Watch(_) | WorkerTimer::WrapUp(_) => None,
    }
}
