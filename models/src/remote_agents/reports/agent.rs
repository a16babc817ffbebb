//! An agent: takes a task, works on it in steps of its own, reports the end.

use super::Reports;
use super::state::{Action, AgentIndex, Job, Outcome, Report, State, ToAgent};

/// What an agent does.
///
/// ```text
/// Idle ──Details──▶ Working ↺ Work ──Finish──▶ Reporting ↺ Repeat
///  ▲                                              │
///  └──────────────────Acknowledged────────────────┘
/// ```
/// A report that is sent once leads from `Working` to `Idle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Agent {
    /// It waits for details.
    Idle,
    /// It works, and reads nothing until it is done.
    Working {
        /// On what.
        job: Job,
        /// The steps that are done.
        done: u8,
    },
    /// It has sent its report and waits for the acknowledgement.
    Reporting {
        /// What it reports.
        report: Report,
        /// How often it has sent it again.
        repeated: u8,
    },
}

impl Agent {
    /// What it works on.
    pub fn job(self) -> Option<Job> {
        match self {
            Self::Working { job, .. } => Some(job),
            Self::Idle | Self::Reporting { .. } => None,
        }
    }
}

impl Reports {
    pub(super) fn agent_actions(&self, state: &State, agent: AgentIndex, actions: &mut Vec<Action>) {
        let can_send = !state.outbox(agent).is_full();
        let has_mail = !state.inbox(agent).is_empty();
        match state.agent(agent) {
            Agent::Working { done, .. } if done < self.work => actions.push(Action::Work(agent)),
            Agent::Working { job, .. } => {
                if can_send {
                    actions.push(Action::Finish(agent, Outcome::Completed));
                    let failed = Action::Finish(agent, Outcome::Failed);
                    actions.extend(self.may_fail(job).then_some(failed));
                }
            }
            Agent::Idle => actions.extend(has_mail.then_some(Action::Take(agent))),
            Agent::Reporting { repeated, .. } => {
                actions.extend(has_mail.then_some(Action::Take(agent)));
                let again = repeated < self.repeats && can_send;
                actions.extend(again.then_some(Action::Repeat(agent)));
            }
        }
    }

    pub(super) fn take(&self, state: &mut State, agent: AgentIndex) -> Option<()> {
        let message = state.inbox_mut(agent).pop()?;
        let next = match (state.agent(agent), message) {
            (Agent::Working { .. }, _) => return None,
            // New details say that the orchestrator is done with the old job.
            (Agent::Idle | Agent::Reporting { .. }, ToAgent::Details(job)) => Agent::Working { job, done: 0 },
            (Agent::Reporting { report, .. }, ToAgent::Acknowledged(said))
                if self.is_about(said, report.job) =>
            {
                Agent::Idle
            }
            (stays @ (Agent::Idle | Agent::Reporting { .. }), ToAgent::Acknowledged(_)) => stays,
        };
        *state.agent_mut(agent) = next;
        state.judge_booking(agent);
        Some(())
    }

    pub(super) fn work(&self, state: &mut State, agent: AgentIndex) -> Option<()> {
        let Agent::Working { job, done } = state.agent(agent) else { return None };
        *state.agent_mut(agent) = Agent::Working { job, done: done + 1 };
        (done < self.work).then_some(())
    }

    pub(super) fn finish(&self, state: &mut State, agent: AgentIndex, outcome: Outcome) -> Option<()> {
        let job = state.agent(agent).job()?;
        let report = Report { job, outcome };
        *state.agent_mut(agent) = if self.repeats_until_acknowledged {
            Agent::Reporting { report, repeated: 0 }
        } else {
            Agent::Idle
        };
        state.outbox_mut(agent).push(report)
    }
}

pub(super) fn repeat(state: &mut State, agent: AgentIndex) -> Option<()> {
    let Agent::Reporting { report, repeated } = state.agent(agent) else { return None };
    *state.agent_mut(agent) = Agent::Reporting { report, repeated: repeated + 1 };
    state.outbox_mut(agent).push(report)
}
