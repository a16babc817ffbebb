//! A state on its way to the next one: who acts, and the words for it.

use downbeat_sim::model::{Arrow, Lane};

use super::super::ledger::{AgentIndex, TaskIndex, task_name};
use super::AsIs;
use super::state::{
    Action, Desk, Entry, Handler, Janitor, Left, Machine, Message, OrchestratorIndex, Record, RequestIndex,
    State,
};

/// The lane of the user.
pub const USER: Lane = 0;
/// The lane of the manager.
pub const MANAGER: Lane = 3;

/// The lane of an orchestrator.
pub fn orchestrator_lane(orchestrator: OrchestratorIndex) -> Lane {
    1 + usize::from(orchestrator)
}

/// The lane of an agent.
pub fn agent_lane(agent: AgentIndex) -> Lane {
    MANAGER + 1 + usize::from(agent)
}

/// One step under way.
pub struct Scene<'a> {
    /// The bounds.
    pub system: &'a AsIs,
    /// The state.
    pub state: State,
    /// What happened, in order, if somebody wants to know.
    pub told: Option<Vec<Arrow>>,
}

impl Scene<'_> {
    /// Takes a step, or returns `None` if it is not enabled.
    pub fn step(&mut self, action: Action) -> Option<()> {
        self.state.ledger = self.state.ledger.without_breaches();
        match action {
            Action::Poll(orchestrator, task) => self.poll(orchestrator, task),
            Action::Serve(orchestrator, message, again) => {
                self.arrives(orchestrator_lane(orchestrator), message, again)?;
                self.serve(orchestrator, message)
            }
            Action::GoOn(orchestrator) => self.go_on(orchestrator),
            Action::AskAgain(orchestrator) => self.ask_again(orchestrator),
            Action::CancelComes(orchestrator, task) => self.cancel_comes(orchestrator, task),
            Action::AnswerComes(orchestrator, task) => self.answer_comes(orchestrator, task),
            Action::Suspect(task) => self.suspect(task),
            Action::CrashOrchestrator(orchestrator) => self.crash_orchestrator(orchestrator),
            Action::Pick(message, agent, again) => {
                self.arrives(MANAGER, message, again)?;
                self.pick(message, agent)
            }
            Action::DeskGoesOn => self.desk_goes_on(),
            Action::Manage(message, again) => {
                self.arrives(MANAGER, message, again)?;
                self.manage(message)
            }
            Action::JanitorGoesOn => self.janitor_goes_on(),
            Action::ScaleDown(agent) => self.scale_down(agent),
            Action::ScaleUp(agent) => {
                self.scale_up(agent);
                Some(())
            }
            Action::GiveUp(agent) => {
                self.give_up(agent);
                Some(())
            }
            Action::CrashManager => self.crash_manager(),
            Action::Start(agent) => self.start(agent),
            Action::Receive(agent, message, again) => {
                self.arrives(agent_lane(agent), message, again)?;
                self.receive(agent, message)
            }
            Action::Complete(agent) => self.complete(agent),
            Action::Ask(agent) => self.ask(agent),
            Action::Die(agent) => self.die(agent),
            Action::Read(request) => self.read(request),
            Action::Retry(request) => self.retry(request),
            Action::Lose(message) => {
                self.spend(|left| &mut left.losses)?;
                self.tell(sender(message), sender(message), || format!("\"{}\" gets lost", words(message)));
                self.state.network.take(message)
            }
        }
    }

    /// A message comes; if a second copy is still on the way, it will come again.
    fn arrives(&mut self, reader: Lane, message: Message, again: bool) -> Option<()> {
        let copy = if again { ", of which a copy is still on the way" } else { "" };
        self.tell(reader, reader, || format!("reads \"{}\"{copy}", words(message)));
        if again { self.spend(|left| &mut left.duplicates) } else { self.state.network.take(message) }
    }

    fn crash_orchestrator(&mut self, orchestrator: OrchestratorIndex) -> Option<()> {
        self.spend(|left| &mut left.crashes)?;
        let lane = orchestrator_lane(orchestrator);
        self.tell(lane, lane, || "crashes, and starts again".to_owned());
        *self.handler(orchestrator) = Handler::Idle;
        *self.asking(orchestrator) = None;
        Some(())
    }

    fn crash_manager(&mut self) -> Option<()> {
        self.spend(|left| &mut left.crashes)?;
        self.tell(MANAGER, MANAGER, || "crashes, and starts again".to_owned());
        (self.state.desk, self.state.janitor) = (Desk::Idle, Janitor::Idle);
        Some(())
    }

    fn read(&mut self, request: RequestIndex) -> Option<()> {
        let message = Message::Accepted(request);
        self.tell(USER, USER, || format!("reads that request {} is accepted", request + 1));
        self.state.unanswered &= !(1 << request);
        self.state.network.take(message)
    }

    fn retry(&mut self, request: RequestIndex) -> Option<()> {
        self.spend(|left| &mut left.retries)?;
        self.tell(USER, USER, || format!("has no answer, and makes request {} again", request + 1));
        self.state.network.put(Message::Submit(request))
    }

    /// Takes one of a kind of trouble, and one of all troubles.
    pub fn spend(&mut self, kind: fn(&mut Left) -> &mut u8) -> Option<()> {
        let left = &mut self.state.left;
        left.troubles = left.troubles.checked_sub(1)?;
        let of_kind = kind(left);
        *of_kind = of_kind.checked_sub(1)?;
        if left.troubles == 0 {
            // What can happen no more is equal, whatever came before.
            *left = Left::NONE;
        }
        Some(())
    }

    /// Sends a message, with an arrow from its sender to its receiver.
    pub fn send(&mut self, from: Lane, to: Lane, message: Message) -> Option<()> {
        self.tell(from, to, || words(message));
        self.state.network.put(message)
    }

    /// Notes who did what.
    pub fn tell(&mut self, from: Lane, to: Lane, words: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: words() });
        }
    }

    /// The handler of an orchestrator.
    pub fn handler(&mut self, orchestrator: OrchestratorIndex) -> &mut Handler {
        &mut self.state.handlers[usize::from(orchestrator)]
    }

    /// What an orchestrator has asked the manager for.
    pub fn asking(&mut self, orchestrator: OrchestratorIndex) -> &mut Option<TaskIndex> {
        &mut self.state.asking[usize::from(orchestrator)]
    }

    /// The record of a task.
    pub fn record(&mut self, task: TaskIndex) -> &mut Record {
        &mut self.state.records[usize::from(task)]
    }

    /// The entry of an agent.
    pub fn entry(&mut self, agent: AgentIndex) -> &mut Entry {
        &mut self.state.book[usize::from(agent)]
    }

    /// The container and workspace of an agent.
    pub fn machine(&mut self, agent: AgentIndex) -> &mut Machine {
        &mut self.state.machines[usize::from(agent)]
    }
}

/// Where a message comes from.
fn sender(message: Message) -> Lane {
    match message {
        Message::Submit(_) => USER,
        Message::Accepted(_) | Message::Details(..) | Message::Cancel(..) | Message::Answer(..) => {
            orchestrator_lane(0)
        }
        Message::Release(_) => orchestrator_lane(0),
        Message::Book(orchestrator, _) => orchestrator_lane(orchestrator),
        Message::Booked(..) => MANAGER,
        Message::Started(agent)
        | Message::Running(agent, _)
        | Message::Question(agent, ..)
        | Message::Completed(agent, _)
        | Message::Stopped(agent, _) => agent_lane(agent),
    }
}

/// What a message says, and in brackets what it does not say.
pub fn words(message: Message) -> String {
    match message {
        Message::Submit(request) => format!("request {}", request + 1),
        Message::Accepted(request) => format!("request {} is accepted", request + 1),
        Message::Book(_, task) => format!("an agent for {}?", task_name(task)),
        Message::Booked(_, task, agent) => format!("agent {} for {}", agent + 1, task_name(task)),
        Message::Release(agent) => format!("release agent {}", agent + 1),
        Message::Started(agent) => format!("agent {} has started", agent + 1),
        Message::Details(_, job) if job.number > 1 => {
            format!("details of {} [attempt {}]", task_name(job.task), job.number)
        }
        Message::Details(_, job) => format!("details of {}", task_name(job.task)),
        Message::Cancel(_, task) => format!("cancel {}", task_name(task)),
        Message::Answer(_, task, question) => {
            format!("an answer for {} [to question {question}]", task_name(task))
        }
        Message::Running(_, task) => format!("{} is running", task_name(task)),
        Message::Question(_, task, question) => format!("question {question} about {}", task_name(task)),
        Message::Completed(_, job) if job.number > 1 => {
            format!("{} is completed [attempt {}]", task_name(job.task), job.number)
        }
        Message::Completed(_, job) => format!("{} is completed", task_name(job.task)),
        Message::Stopped(_, task) => format!("{} is stopped", task_name(task)),
    }
}
