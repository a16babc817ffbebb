//! The agent manager: its book says which agent is idle, which is booked, and for what.
//!
//! Two handlers share the book: one books agents, the other one releases, cleans, removes and orders them. As designed, an
//! agent is idle in the book before its workspace is reset, and a release names the agent and not what it was booked for.

use super::super::ledger::{AgentIndex, task_name};
use super::scene::{MANAGER, Scene, agent_lane, orchestrator_lane};
use super::state::{Container, Desk, Entry, Janitor, Machine, Message};

impl Scene<'_> {
    /// Takes a request for an agent, and reads that one is idle.
    pub(super) fn pick(&mut self, message: Message, agent: AgentIndex) -> Option<()> {
        let Message::Book(orchestrator, task) = message else { return None };
        self.tell(MANAGER, MANAGER, || {
            format!("reads that agent {} is idle, for {}", agent + 1, task_name(task))
        });
        self.state.desk = Desk::Picked(orchestrator, task, agent);
        Some(())
    }

    pub(super) fn desk_goes_on(&mut self) -> Option<()> {
        self.state.desk = match self.state.desk {
            Desk::Idle => return None,
            Desk::Picked(orchestrator, task, agent) => {
                self.book(agent, Entry::Busy(task));
                Desk::Replying(orchestrator, task, agent)
            }
            Desk::Replying(orchestrator, task, agent) => {
                let lane = orchestrator_lane(orchestrator);
                self.send(MANAGER, lane, Message::Booked(orchestrator, task, agent))?;
                Desk::Idle
            }
        };
        Some(())
    }

    fn book(&mut self, agent: AgentIndex, entry: Entry) {
        self.tell(MANAGER, MANAGER, || format!("writes: agent {} is {}", agent + 1, entry_words(entry)));
        *self.entry(agent) = entry;
    }

    /// Takes a message about an agent, and writes what it says.
    pub(super) fn manage(&mut self, message: Message) -> Option<()> {
        match message {
            Message::Release(agent) if *self.entry(agent) == Entry::Absent => {}
            Message::Release(agent) => {
                self.book(agent, Entry::Idle);
                if let Container::Up(work) = self.state.container(agent) {
                    self.state.ledger.free(agent, work.job());
                }
                self.state.janitor = Janitor::Cleaning(agent);
            }
            Message::Started(agent) if *self.entry(agent) == Entry::Provisioning => {
                self.book(agent, Entry::Idle);
            }
            // It knows none that is to start.
            Message::Started(_) => {}
            Message::Submit(_)
            | Message::Accepted(_)
            | Message::Book(..)
            | Message::Booked(..)
            | Message::Details(..)
            | Message::Cancel(..)
            | Message::Answer(..)
            | Message::Running(..)
            | Message::Question(..)
            | Message::Completed(..)
            | Message::Stopped(..) => return None,
        }
        Some(())
    }

    pub(super) fn janitor_goes_on(&mut self) -> Option<()> {
        self.state.janitor = match self.state.janitor {
            Janitor::Idle => return None,
            Janitor::Cleaning(agent) => {
                self.tell(MANAGER, agent_lane(agent), || "resets the workspace".to_owned());
                self.machine(agent).traces = None;
                Janitor::Idle
            }
            Janitor::Retiring(agent) => {
                self.book(agent, Entry::Absent);
                Janitor::Removing(agent)
            }
            Janitor::Removing(agent) => {
                self.tell(MANAGER, agent_lane(agent), || "removes the container".to_owned());
                *self.machine(agent) = Machine { container: Container::Gone, traces: None };
                Janitor::Idle
            }
            Janitor::Ordering(agent) => {
                self.tell(MANAGER, agent_lane(agent), || "orders the container".to_owned());
                self.machine(agent).container = Container::Starting;
                Janitor::Idle
            }
        };
        Some(())
    }

    pub(super) fn scale_down(&mut self, agent: AgentIndex) -> Option<()> {
        self.spend(|left| &mut left.removals)?;
        self.tell(MANAGER, MANAGER, || format!("reads that agent {} is idle, to remove it", agent + 1));
        self.state.janitor = Janitor::Retiring(agent);
        Some(())
    }

    pub(super) fn scale_up(&mut self, agent: AgentIndex) {
        self.book(agent, Entry::Provisioning);
        self.state.janitor = Janitor::Ordering(agent);
    }

    /// Nobody needs the agent any more that is to come.
    pub(super) fn give_up(&mut self, agent: AgentIndex) {
        self.tell(MANAGER, MANAGER, || {
            format!("takes back the order of agent {}, which runs not yet", agent + 1)
        });
        self.book(agent, Entry::Absent);
    }
}

fn entry_words(entry: Entry) -> String {
    match entry {
        Entry::Absent => "no more".to_owned(),
        Entry::Provisioning => "to come".to_owned(),
        Entry::Idle => "idle".to_owned(),
        Entry::Busy(task) => format!("booked for {}", task_name(task)),
    }
}
