//! How a step reads in a sequence diagram.

use downbeat_sim::model::{Lane, Told};

use super::agent::Agent;
use super::orchestrator::{Booking, Handler, Record};
use super::state::{Action, AgentIndex, Report, State, ToAgent, task_name};
use super::{Names, Reports, outcome_word};

const ORCHESTRATOR: Lane = 0;

/// What the work consists of; further steps are named like the last.
const WORK: [&str; 4] =
    ["clones the repository", "prepares the engine", "runs the engine", "uploads the artifacts"];

fn lane(agent: AgentIndex) -> Lane {
    usize::from(agent) + 1
}

impl Reports {
    pub(super) fn told(&self, before: &State, action: Action, after: &State) -> Told {
        let to_agent = |agent, text: String| Told::new(ORCHESTRATOR, lane(agent), text);
        let alone = |text: String| Told::new(ORCHESTRATOR, ORCHESTRATOR, text);
        let from_agent = |agent, text: String| Told::new(lane(agent), ORCHESTRATOR, text);
        let by_agent = |agent, text: String| Told::new(lane(agent), lane(agent), text);
        let told = match action {
            Action::Book(agent) => match after.booking(agent) {
                Booking::Busy(job) => alone(format!("books agent {} for {job}", agent + 1)),
                Booking::Idle => unreachable!("an agent is booked"),
            },
            Action::SendDetails(agent) => match self.assigned(before, agent) {
                Some(job) => to_agent(agent, format!("sends the details of {job}")),
                None => unreachable!("details are sent to an agent that is booked"),
            },
            Action::Read(agent) => alone(self.read_words(before, agent)),
            Action::Acknowledge(agent) => match before.handler(agent) {
                Handler::Acknowledging { job, .. } => to_agent(
                    agent,
                    match self.names {
                        Names::Nothing => "acknowledges the report".to_owned(),
                        Names::Task => format!("acknowledges the report of {}", task_name(job.task)),
                        Names::TaskAndAttempt => format!("acknowledges the report of {job}"),
                    },
                ),
                Handler::Listening | Handler::Releasing(_) => unreachable!("what was read is acknowledged"),
            },
            Action::Release(reporter) => alone(self.release_words(before, reporter)),
            Action::Take(agent) => by_agent(agent, take_words(before, agent, after)),
            Action::Work(agent) => {
                let done = match before.agent(agent) {
                    Agent::Working { done, .. } => usize::from(done),
                    Agent::Idle | Agent::Reporting { .. } => 0,
                };
                by_agent(agent, WORK[done.min(WORK.len() - 1)].to_owned())
            }
            Action::Finish(agent, outcome) => match before.agent(agent).job() {
                Some(job) => {
                    from_agent(agent, format!("reports: {}", self.report_words(Report { job, outcome })))
                }
                None => unreachable!("work that is over has begun"),
            },
            Action::Repeat(agent) => match before.agent(agent) {
                Agent::Reporting { report, .. } => {
                    from_agent(agent, format!("reports again: {}", self.report_words(report)))
                }
                Agent::Idle | Agent::Working { .. } => {
                    unreachable!("a report is repeated while it is reported")
                }
            },
            Action::Lose(agent) => by_agent(agent, "its oldest report is lost on the way".to_owned()),
        };
        let (was, is) = (self.standing(before), self.standing(after));
        if was == is { told } else { told.change(is) }
    }

    /// What a report says, and in brackets what it was made for if it does not say it.
    fn report_words(&self, report: Report) -> String {
        let outcome = outcome_word(report.outcome);
        match self.names {
            Names::Nothing => format!("{outcome} [{}]", report.job),
            Names::Task if report.job.attempt > 0 => {
                format!("{} {outcome} [attempt {}]", task_name(report.job.task), report.job.attempt + 1)
            }
            Names::Task => format!("{} {outcome}", task_name(report.job.task)),
            Names::TaskAndAttempt => format!("{} {outcome}", report.job),
        }
    }

    fn read_words(&self, before: &State, agent: AgentIndex) -> String {
        let Some(report) = before.outbox(agent).first() else { unreachable!("a report is read that came") };
        let said = self.report_words(report);
        match self.taken_for(before, agent, report.job) {
            Some(job) => format!("reads \"{said}\" from agent {}, for {job}", agent + 1),
            None => format!("reads \"{said}\" from agent {}, which is stale", agent + 1),
        }
    }

    fn release_words(&self, before: &State, reporter: AgentIndex) -> String {
        let Handler::Releasing(job) = before.handler(reporter) else {
            unreachable!("an agent is released when its job has ended")
        };
        match self.released(before, reporter, job) {
            Some(agent) => format!("releases agent {}", agent + 1),
            None => format!("no agent is booked for {job} any more"),
        }
    }

    /// What the records and the book say, in one line.
    fn standing(&self, state: &State) -> String {
        let tasks = (0..self.tasks).map(|task| {
            let status = match state.record(task) {
                Record::Queued { .. } => "queued".to_owned(),
                Record::Assigned { .. } => "assigned".to_owned(),
                Record::Running { .. } => "running".to_owned(),
                Record::Completed => "completed".to_owned(),
                Record::Failed => "failed".to_owned(),
            };
            format!("{} {status}", char::from(b'A' + task))
        });
        let busy = self.agents().filter_map(|agent| match state.booking(agent) {
            Booking::Busy(job) => Some(format!("agent {} for {job}", agent + 1)),
            Booking::Idle => None,
        });
        let busy: Vec<String> = busy.collect();
        let busy = if busy.is_empty() { "nobody".to_owned() } else { busy.join(", ") };
        format!("{}; booked: {busy}", tasks.collect::<Vec<_>>().join(", "))
    }
}

fn take_words(before: &State, agent: AgentIndex, after: &State) -> String {
    match (before.inbox(agent).first(), after.agent(agent)) {
        (Some(ToAgent::Details(job)), _) => format!("begins with {job}"),
        (Some(ToAgent::Acknowledged(_)), Agent::Idle) => "its report is acknowledged".to_owned(),
        (Some(ToAgent::Acknowledged(_)), Agent::Working { .. } | Agent::Reporting { .. }) => {
            "an acknowledgement of something else".to_owned()
        }
        (None, _) => unreachable!("mail is taken that came"),
    }
}
