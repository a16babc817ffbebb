//! An agent in its container: it begins with what it is sent, works, asks, reports, and is told to end.

use super::super::ledger::{AgentIndex, Breach, Job};
use super::scene::{MANAGER, Scene, agent_lane, orchestrator_lane};
use super::state::{Container, Message, Work};

impl Scene<'_> {
    pub(super) fn start(&mut self, agent: AgentIndex) -> Option<()> {
        self.machine(agent).container = Container::Up(Work::Idle);
        self.send(agent_lane(agent), MANAGER, Message::Started(agent))
    }

    pub(super) fn receive(&mut self, agent: AgentIndex, message: Message) -> Option<()> {
        let Container::Up(work) = self.state.container(agent) else {
            self.tell(agent_lane(agent), agent_lane(agent), || "nobody is there".to_owned());
            return Some(());
        };
        match message {
            Message::Details(_, job) => self.begin(agent, job, work),
            Message::Cancel(_, task) => {
                if work.job().is_some_and(|job| job.task == task) {
                    self.machine(agent).container = Container::Up(Work::Idle);
                }
                self.send(agent_lane(agent), orchestrator_lane(0), Message::Stopped(agent, task))
            }
            Message::Answer(_, task, question) => {
                self.answered(agent, work, task, question);
                Some(())
            }
            Message::Submit(_)
            | Message::Accepted(_)
            | Message::Book(..)
            | Message::Booked(..)
            | Message::Release(_)
            | Message::Started(_)
            | Message::Running(..)
            | Message::Question(..)
            | Message::Completed(..)
            | Message::Stopped(..) => None,
        }
    }

    /// Begins, and says that it runs, unless it works or sees by its workspace that it had this task already.
    fn begin(&mut self, agent: AgentIndex, job: Job, work: Work) -> Option<()> {
        let lane = agent_lane(agent);
        let traces = self.state.machines[usize::from(agent)].traces;
        if work != Work::Idle || traces == Some(job.task) {
            self.tell(lane, lane, || "takes no notice".to_owned());
            return Some(());
        }
        self.state.ledger.begin(agent, job, work.job(), traces);
        let machine = self.machine(agent);
        machine.container = Container::Up(Work::On(job));
        machine.traces = Some(job.task);
        self.send(lane, orchestrator_lane(0), Message::Running(agent, job.task))
    }

    /// An answer is for the question that is open.
    fn answered(&mut self, agent: AgentIndex, work: Work, task: u8, question: u8) {
        match work {
            Work::Asking(job, open) if job.task == task => {
                if open != question {
                    self.state.ledger.note(Breach::CrossedAnswer(task, [question, open]));
                }
                self.machine(agent).container = Container::Up(Work::On(job));
            }
            // It has asked nothing.
            Work::Idle | Work::On(_) | Work::Asking(..) => {}
        }
    }

    pub(super) fn complete(&mut self, agent: AgentIndex) -> Option<()> {
        let Container::Up(Work::On(job)) = self.state.container(agent) else { return None };
        self.machine(agent).container = Container::Up(Work::Idle);
        self.send(agent_lane(agent), orchestrator_lane(0), Message::Completed(agent, job))
    }

    pub(super) fn ask(&mut self, agent: AgentIndex) -> Option<()> {
        let Container::Up(Work::On(job)) = self.state.container(agent) else { return None };
        self.state.asked += 1;
        let question = self.state.asked;
        self.machine(agent).container = Container::Up(Work::Asking(job, question));
        self.send(agent_lane(agent), orchestrator_lane(0), Message::Question(agent, job.task, question))
    }

    pub(super) fn die(&mut self, agent: AgentIndex) -> Option<()> {
        self.spend(|left| &mut left.deaths)?;
        self.tell(agent_lane(agent), agent_lane(agent), || "dies, without a word".to_owned());
        self.machine(agent).container = Container::Dead;
        Some(())
    }
}
