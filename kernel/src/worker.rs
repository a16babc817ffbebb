//! One worker: its inbox, its turns, its session with the agent, and its health.
//!
//! A worker gives its agent everything that waits for it, as one turn, and begins the next one when that is answered. A
//! worker owns the [`Session`] with the agent and its own [`Health`] and drives both inside its step, so that there is no
//! moment in which the three disagree about what runs.
//!
//! Three facts carry the safety argument. An entry of the inbox leaves it when its turn is answered, or with the end of
//! the worker, and not before: what was interrupted, failed or restarted is still there (S5, S12). A turn has a
//! number, and whoever wants to stop one names it; it keeps the number through every wait and every other try, so that
//! an interrupt finds it in whatever gap it is (S12). And a worker ends only when its session is closed: nothing of it
//! runs any more that could succeed late (S7).

mod approvals;
mod inner;
mod machine;
mod requests;
mod turns;
mod validate;
mod vocabulary;

pub use approvals::{APPROVALS_MAX, Approvals};
pub use validate::WorkerCorrupt;
pub(crate) use validate::is_live;
pub use vocabulary::{
    ApprovalId, Deadline, Source, Then, WorkerEffect, WorkerEnd, WorkerEvent, WorkerPart, WorkerReason,
    WorkerRejected, WorkerTimer,
};

use crate::config::Config;
use crate::drive::drive;
use crate::faults::Fault;
use crate::health::{Health, HealthEvent, HealthState};
use crate::session::Session;
use crate::vocabulary::{Ignored, MessageId, Outcome, TurnNumber};
use alloc::collections::VecDeque;
use serde::{Deserialize, Serialize};

/// Where one worker stands. The diagram is in `docs/worker.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkerState {
    /// It has nothing to do.
    #[default]
    Idle,
    /// It starts nothing: a person stopped it and has not resumed it, or the budget of its tree is spent.
    Held,
    /// The session has the turn's prompt.
    Executing,
    /// The same, and the agent waits for a person's answer.
    AwaitingApproval,
    /// The prompt failed: a timer runs until the next one of the same turn.
    BackingOff {
        /// How long the timer was armed for, in milliseconds: a restart arms it for the whole time again.
        after_ms: u32,
    },
    /// The turn waits for the breaker.
    Cooling,
    /// It ends as soon as its session is closed.
    Ending(WorkerEnd),
    /// It ended.
    Ended(WorkerEnd),
}

/// Whether the prompt of the task was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Assignment {
    /// There is no task yet: the worker starts nothing.
    #[default]
    Awaited,
    /// The first turns contain the prompt.
    Unanswered,
    /// The agent has answered it.
    Answered,
}

/// What became of what the next prompt contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Content {
    /// Nothing of it was in a prompt.
    #[default]
    Fresh,
    /// What is taken is in one prompt.
    Given,
    /// It was in a prompt that came to nothing, and is in another one.
    Resumed,
}

/// Whether prompts pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Breaker {
    /// They do. After enough failures in a row, the next one opens it.
    #[default]
    Closed,
    /// They do not, until its timer runs out; then one passes.
    Open {
        /// How long the timer was armed for, in milliseconds.
        after_ms: u32,
    },
}

/// What outlives a state of one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkerData {
    /// The session with the agent. It has one prompt at most: that of the turn.
    pub session: Session,
    /// The health of the worker.
    pub health: Health,
    /// Whether the prompt of the task was answered.
    pub assignment: Assignment,
    /// What was not answered, in its order.
    pub inbox: VecDeque<Source>,
    /// So many entries, from the front, were in a prompt.
    pub taken: usize,
    /// What became of that prompt.
    pub content: Content,
    /// The last turn, 0 before the first.
    pub turn: TurnNumber,
    /// What the agent asked a person about for its last prompt.
    pub approvals: Approvals,
    /// The last message that was accepted.
    pub accepted: MessageId,
    /// The last report of the agent for its parent.
    pub reported: u32,
    /// Every report up to this one is where it belongs.
    pub acknowledged: u32,
    /// The others are not outside: they wait here for room in the inbox of the parent's worker.
    pub kept: bool,
    /// Prompts that failed since the last that was answered.
    pub failures: u8,
    /// Whether prompts pass.
    pub breaker: Breaker,
    /// A person wants no other turn to begin.
    pub hold: bool,
    /// The budget of its tree is spent: no other turn begins.
    pub spent: bool,
    /// A person wants the worker to finish: the timer that runs.
    pub wrap_up: Option<Deadline>,
}

/// One worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Worker {
    /// Where it stands.
    pub state: WorkerState,
    /// What outlives that.
    pub data: WorkerData,
}

/// Why a worker did not take an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Ignored(Ignored),
    NeverAsked,
    Because(WorkerRejected),
}

/// What a step may use besides the worker itself.
pub(crate) struct Surroundings<'c> {
    sink: &'c mut dyn FnMut(WorkerEffect),
    /// Why the event was not applied. Set before anything changes, or never.
    refusal: Option<Refusal>,
}

/// The machine of one step: a worker without its state.
pub(crate) struct WorkerMachine<'w> {
    data: &'w mut WorkerData,
    config: &'w Config,
}

impl Worker {
    /// Takes one event, changes the state, and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25); debug builds compare the
    /// whole state. An applied [`WorkerEvent::EndAcknowledged`] has no effect but this: its owner drops the worker.
    pub fn step(
        &mut self,
        event: WorkerEvent,
        config: &Config,
        sink: &mut dyn FnMut(WorkerEffect),
    ) -> Outcome<WorkerRejected> {
        #[cfg(debug_assertions)]
        let before = self.clone();
        let outcome = self.apply(event, config, sink);
        #[cfg(debug_assertions)]
        assert!(
            outcome == Outcome::Applied || config.has_fault() || before == *self,
            "S25: {outcome:?} changed something"
        );
        outcome
    }

    fn apply(
        &mut self,
        event: WorkerEvent,
        config: &Config,
        sink: &mut dyn FnMut(WorkerEffect),
    ) -> Outcome<WorkerRejected> {
        let (state, turn) = (self.state, self.data.turn);
        let mut machine = WorkerMachine { data: &mut self.data, config };
        let mut cx = Surroundings { sink, refusal: None };
        let handled = drive(&mut machine, &mut self.state, &event, &mut cx);
        match cx.refusal {
            Some(Refusal::Ignored(why)) => Outcome::Ignored(why),
            Some(Refusal::NeverAsked) => Outcome::Rejected(WorkerRejected::NeverAsked { state, event }),
            Some(Refusal::Because(rejected)) => Outcome::Rejected(rejected),
            None if handled => {
                if let Some(event) = self.posture(turn, config) {
                    let machine = &mut WorkerMachine { data: &mut self.data, config };
                    machine.tell_health(event, &mut cx);
                }
                Outcome::Applied
            }
            None => Outcome::Rejected(WorkerRejected::NoEdge { state, event }),
        }
    }

    /// What health has to be told of where the worker stands now, if it does not know. `turn` was the last one before.
    fn posture(&self, turn: TurnNumber, config: &Config) -> Option<HealthEvent> {
        let known = self.data.health.state;
        let held = self.state == WorkerState::Held && config.has(Fault::HeldIsWatched);
        match if held { HealthState::Resting } else { self.watched() } {
            HealthState::Working => {
                let news = known != HealthState::Working || turn != self.data.turn;
                news.then(|| HealthEvent::Began { origin: self.data.origin() })
            }
            HealthState::Resting => (known != HealthState::Resting).then_some(HealthEvent::Rested),
            HealthState::Unwatched => (known != HealthState::Unwatched).then_some(HealthEvent::Suspended),
        }
    }

    /// What health has to watch where the worker stands now.
    fn watched(&self) -> HealthState {
        match self.state {
            WorkerState::Executing => HealthState::Working,
            WorkerState::Idle if self.data.assignment != Assignment::Awaited => HealthState::Resting,
            // S13: a worker that is held, waits for a person, or has nothing of its agent's is not watched.
            WorkerState::Idle
            | WorkerState::Held
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling
            | WorkerState::Ending(_)
            | WorkerState::Ended(_) => HealthState::Unwatched,
        }
    }

    /// Whether the inbox takes one entry more.
    pub(crate) fn has_room(&self, config: &Config) -> bool {
        self.data.inbox.len() < usize::try_from(config.inbox_max).unwrap_or(usize::MAX)
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started. Warnings, and
    /// answers to the agent's questions, are not repeated.
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(WorkerEffect)) {
        let data = &self.data;
        data.resync_session(config, sink);
        // What waits for room in an inbox is not outside, until nobody is left who could take it there.
        let is_outside = !data.kept || self.state.end().is_some();
        if is_outside && !config.has(Fault::ResyncForgetsReports) {
            data.emit_reports(sink);
        }
        match self.state {
            WorkerState::Idle
            | WorkerState::Held
            | WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::Cooling => data.resync_live(config, sink),
            WorkerState::BackingOff { after_ms } => {
                if !config.has(Fault::ResyncForgetsWorkerTimers) {
                    let timer = WorkerTimer::Backoff(data.session.accepted);
                    sink(WorkerEffect::Arm { timer, after_ms: u64::from(after_ms) });
                }
                data.resync_live(config, sink);
            }
            WorkerState::Ending(_) => {}
            WorkerState::Ended(end) => data.emit_end(end, config, sink),
        }
    }
}

impl WorkerState {
    /// How the worker ended, if it has.
    pub fn end(self) -> Option<WorkerEnd> {
        match self {
            Self::Ended(end) => Some(end),
            Self::Idle
            | Self::Held
            | Self::Executing
            | Self::AwaitingApproval
            | Self::BackingOff { .. }
            | Self::Cooling
            | Self::Ending(_) => None,
        }
    }
}

impl Surroundings<'_> {
    fn emit(&mut self, effect: WorkerEffect) {
        (self.sink)(effect);
    }
}
