//! What must be true of a worker, wherever it came from.
//!
//! A worker that came from events is always valid; one that was read from a snapshot may be anything.

use super::{Approvals, Assignment, Breaker, Content, Source, Worker, WorkerData, WorkerState};
use crate::config::Config;
use crate::health::{Health, HealthState, Origin, Rung};
use crate::session::SessionState;
use crate::validate::COUNTER_MAX;
use core::error::Error;
use core::fmt;

/// Why a worker cannot have come from events: what [`Worker::validate`] found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerCorrupt {
    /// The counters contradict each other, or are near the end of their range.
    Counters,
    /// The inbox is too long, or has an entry that it cannot have.
    Inbox,
    /// The session does not do what the state says.
    Session,
    /// There are questions that nobody can have asked.
    Approvals,
    /// Health watches something else.
    Health,
    /// A hold, a breaker or a deadline contradicts the state.
    State,
}

impl fmt::Display for WorkerCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counters => "the counters of the worker contradict each other",
            Self::Inbox => "the inbox of the worker has what it cannot have",
            Self::Session => "the session of the worker does not fit its state",
            Self::Approvals => "the questions of the worker do not fit its state",
            Self::Health => "the health of the worker does not fit its state",
            Self::State => "the state of the worker contradicts what outlives it",
        })
    }
}

impl Error for WorkerCorrupt {}

impl Worker {
    /// Checks what must be true of every worker.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self, config: &Config) -> Result<(), WorkerCorrupt> {
        let checks = [
            (counters_agree(&self.data, config), WorkerCorrupt::Counters),
            (inbox_fits(self, config), WorkerCorrupt::Inbox),
            (session_fits(self), WorkerCorrupt::Session),
            (approvals_fit(self), WorkerCorrupt::Approvals),
            (health_fits(self, config), WorkerCorrupt::Health),
            (state_fits(self, config), WorkerCorrupt::State),
        ];
        checks.into_iter().find(|(fits, _)| !fits).map_or(Ok(()), |(_, corrupt)| Err(corrupt))
    }
}

/// Whether a worker in this state has neither ended nor is bound to.
pub(crate) fn is_live(state: WorkerState) -> bool {
    match state {
        WorkerState::Idle
        | WorkerState::Held
        | WorkerState::Executing
        | WorkerState::AwaitingApproval
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling => true,
        WorkerState::Ending(_) | WorkerState::Ended(_) => false,
    }
}

fn counters_agree(data: &WorkerData, config: &Config) -> bool {
    let WorkerData { session, health, turn, accepted, reported, acknowledged, kept, .. } = data;
    let counters = [
        turn.0,
        accepted.0,
        *reported,
        session.accepted.0,
        session.iterator.0,
        health.watch.0,
        health.asked.0,
        data.approvals.asked,
    ];
    counters.into_iter().all(|counter| counter <= COUNTER_MAX)
        && acknowledged <= reported
        && (!kept || acknowledged < reported)
        && reported - acknowledged <= config.inbox_max
        && health.reported <= health.asked
        && session.settled <= session.accepted
}

/// Messages are in their order, nothing is in it twice, and what was in a prompt is in front.
fn inbox_fits(worker: &Worker, config: &Config) -> bool {
    let WorkerData { inbox, taken, content, assignment, accepted, turn, wrap_up, .. } = &worker.data;
    let own =
        |source: &&Source| matches!(source, Source::Inquiry | Source::WrapUp | Source::ChildEnded { .. });
    let own = inbox.iter().filter(own).count();
    let limit = usize::try_from(config.inbox_max).unwrap_or(usize::MAX);
    let mut last = 0;
    let ordered = inbox.iter().enumerate().all(|(place, source)| match source {
        Source::Message(message) => {
            message.0 > core::mem::replace(&mut last, message.0) && message <= accepted
        }
        Source::ChildReported { .. } | Source::ChildEnded { .. } | Source::Inquiry | Source::WrapUp => {
            !inbox.iter().take(place).any(|earlier| earlier == source)
        }
    });
    let given = match assignment {
        Assignment::Awaited => turn.0 == 0 && *content == Content::Fresh,
        Assignment::Unanswered => turn.0 > 0 || *content == Content::Fresh,
        Assignment::Answered => turn.0 > 0 && (*taken > 0) == (*content != Content::Fresh),
    };
    let told = inbox.contains(&Source::WrapUp) == wrap_up.is_some();
    ordered
        && given
        && inbox.len() <= limit.saturating_add(own)
        && *taken <= inbox.len()
        && (*taken == 0 || *content != Content::Fresh)
        && (told || !is_live(worker.state))
}

fn session_fits(worker: &Worker) -> bool {
    use SessionState as S;
    let Worker { state, data } = worker;
    let session = &data.session;
    let prompts = session.accepted.0.saturating_sub(session.settled.0);
    let fits = match (*state, session.state) {
        (WorkerState::Executing, S::Starting | S::Answering | S::Stopping)
        | (WorkerState::AwaitingApproval, S::Answering) => prompts == 1,
        (WorkerState::Idle | WorkerState::Held, S::Dormant | S::Starting | S::Listening | S::Stopping)
        | (WorkerState::BackingOff { .. } | WorkerState::Cooling, S::Dormant)
        | (WorkerState::Ending(_), S::Closing)
        | (WorkerState::Ended(_), S::Closed) => prompts == 0,
        (
            WorkerState::Idle
            | WorkerState::Held
            | WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling
            | WorkerState::Ending(_)
            | WorkerState::Ended(_),
            S::Dormant | S::Starting | S::Listening | S::Answering | S::Stopping | S::Closing | S::Closed,
        ) => false,
    };
    let started = match session.state {
        S::Starting | S::Listening | S::Answering | S::Stopping | S::Closing => session.iterator.0 > 0,
        S::Dormant | S::Closed => true,
    };
    // A prompt is one of content that was given, or of content that was answered.
    let asked = data.content != Content::Fresh || data.assignment == Assignment::Answered;
    fits && started
        && session.withdrawn == 0
        && (session.accepted.0 > 0) == (session.iterator.0 > 0)
        && (session.accepted.0 > 0) == asked
        // The failure that opened the breaker was the end of the iterator.
        && (data.breaker == Breaker::Closed || session.state == S::Dormant)
}

fn approvals_fit(worker: &Worker) -> bool {
    let Approvals { asked, settled, open } = worker.data.approvals;
    let window = asked.saturating_sub(settled);
    let inside = window >= u32::BITS || open >> window == 0;
    settled <= asked
        && window <= super::APPROVALS_MAX
        && inside
        && (window == 0 || open & 1 == 1)
        && (open != 0) == (worker.state == WorkerState::AwaitingApproval)
        && (asked == 0 || worker.data.session.iterator.0 > 0)
}

fn health_fits(worker: &Worker, config: &Config) -> bool {
    let health = &worker.data.health;
    let Health { state, watch, active, inquired, asked, .. } = *health;
    let streak = |length: u16, max: u8| length < 2 * u16::from(max.max(1));
    let ladder = match health.rung {
        Rung::Ground => true,
        Rung::Inquired => health.asked.0 > 0,
        Rung::Interrupted | Rung::Restarted => health.asked.0 > 0 && health.reported == health.asked,
    };
    // An answer begins everything anew, and there is nothing before the first prompt.
    let anew = Health { state, watch, active, inquired, asked, reported: asked, ..Health::default() };
    health.state == worker.watched()
        && (worker.data.content != Content::Fresh || *health == anew)
        && ladder
        && (!health.inquired || worker.data.origin() == Origin::Inquiry)
        && (health.watch.0 > 0 || !health.is_armed())
        && (!health.active || health.state == HealthState::Working)
        && health.tool.is_some() == (health.calls > 0)
        && streak(health.calls, config.loop_max)
        && streak(health.errors, config.errors_max)
        && health.progress <= config.progress_max
        // Each was the answer to another question.
        && u32::from(health.progress) <= health.reported.0
}

fn state_fits(worker: &Worker, config: &Config) -> bool {
    let WorkerData { content, failures, breaker, hold, spent, wrap_up, assignment, inbox, .. } = &worker.data;
    let held = *hold || *spent;
    let given = *content != Content::Fresh;
    let open = matches!(breaker, Breaker::Open { .. });
    let (trips, spent) = (*failures >= config.breaker_max, *failures >= config.worker_attempts_max);
    let fits = match worker.state {
        WorkerState::Idle => {
            let nothing = *assignment == Assignment::Awaited || inbox.is_empty();
            !held && nothing && *assignment != Assignment::Unanswered
        }
        WorkerState::Held => held,
        WorkerState::Executing | WorkerState::AwaitingApproval => given,
        WorkerState::BackingOff { .. } => *failures > 0 && !trips,
        WorkerState::Cooling => open,
        WorkerState::Ending(_) | WorkerState::Ended(_) => return wrap_up.is_none(),
    };
    // What failed was given, an open breaker trips, and whoever is idle has nothing in its inbox.
    fits && (!open || (trips && *failures > 0)) && (*failures == 0 || (given && !spent))
}
