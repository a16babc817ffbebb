//! What may happen in a state, and what may not be put off for ever.

use downbeat_sim::model::Fairness;

use super::super::ledger::{AgentIndex, TASKS, TaskIndex};
use super::AsIs;
use super::orchestrator::open_records;
use super::state::{
    AGENTS, Action, Container, Desk, Entry, Handler, Janitor, Message, ORCHESTRATORS, OrchestratorIndex,
    Record, State, Work,
};

/// Every agent there may be.
fn agents() -> impl Iterator<Item = AgentIndex> {
    (0..).take(AGENTS)
}

/// Every task there may be.
fn tasks() -> impl Iterator<Item = TaskIndex> {
    (0..).take(TASKS)
}

/// Every orchestrator.
fn orchestrators() -> impl Iterator<Item = OrchestratorIndex> {
    (0..).take(ORCHESTRATORS)
}

/// Who reads a message.
enum Reader {
    User,
    AnyOrchestrator,
    Orchestrator(OrchestratorIndex),
    Desk,
    Janitor,
    Agent(AgentIndex),
}

fn reader(message: Message) -> Reader {
    match message {
        Message::Accepted(_) => Reader::User,
        Message::Submit(_)
        | Message::Running(..)
        | Message::Question(..)
        | Message::Completed(..)
        | Message::Stopped(..) => Reader::AnyOrchestrator,
        Message::Booked(orchestrator, ..) => Reader::Orchestrator(orchestrator),
        Message::Book(..) => Reader::Desk,
        Message::Release(_) | Message::Started(_) => Reader::Janitor,
        Message::Details(agent, _) | Message::Cancel(agent, _) | Message::Answer(agent, ..) => {
            Reader::Agent(agent)
        }
    }
}

impl AsIs {
    pub(super) fn enabled(&self, state: &State, actions: &mut Vec<Action>) {
        let free = state.free(self.orchestrators);
        for message in state.network.iter() {
            Self::arrivals(state, message, free, actions);
        }
        if let Some(free) = free {
            Self::begins(state, free, actions);
        }
        for orchestrator in orchestrators() {
            Self::handler_actions(state, orchestrator, actions);
        }
        self.manager_actions(state, actions);
        for agent in agents() {
            self.agent_actions(state, agent, actions);
        }
        let retries = state.left.retries > 0;
        let unanswered = (0..self.requests).filter(|request| state.unanswered & 1 << request != 0);
        actions.extend(unanswered.filter(|_| retries).map(Action::Retry));
    }

    fn arrivals(state: &State, message: Message, free: Option<OrchestratorIndex>, actions: &mut Vec<Action>) {
        let mut arrive = |action: &dyn Fn(bool) -> Action| {
            actions.push(action(false));
            if state.left.duplicates > 0 {
                actions.push(action(true));
            }
        };
        match reader(message) {
            Reader::User => {
                if let Message::Accepted(request) = message {
                    actions.push(Action::Read(request));
                }
            }
            Reader::AnyOrchestrator => {
                if let Some(free) = free {
                    arrive(&|again| Action::Serve(free, message, again));
                }
            }
            Reader::Orchestrator(orchestrator) => {
                if state.handlers[usize::from(orchestrator)] == Handler::Idle {
                    arrive(&|again| Action::Serve(orchestrator, message, again));
                }
            }
            Reader::Desk => {
                let idle = agents().find(|agent| state.book[usize::from(*agent)] == Entry::Idle);
                if let Some(agent) = idle.filter(|_| state.desk == Desk::Idle) {
                    arrive(&|again| Action::Pick(message, agent, again));
                }
            }
            Reader::Janitor => {
                if state.janitor == Janitor::Idle {
                    arrive(&|again| Action::Manage(message, again));
                }
            }
            Reader::Agent(agent) => match state.container(agent) {
                Container::Up(_) | Container::Dead | Container::Gone => {
                    arrive(&|again| Action::Receive(agent, message, again));
                }
                Container::Absent | Container::Starting => {}
            },
        }
        if state.left.losses > 0 {
            actions.push(Action::Lose(message));
        }
    }

    /// What an orchestrator may begin that has nothing else to do.
    fn begins(state: &State, free: OrchestratorIndex, actions: &mut Vec<Action>) {
        for task in tasks() {
            let record = state.record(task);
            match record {
                Record::Queued if state.asking[usize::from(free)].is_none() => {
                    actions.push(Action::Poll(free, task));
                }
                Record::Pending(_, question) if question > state.answered => {
                    actions.push(Action::AnswerComes(free, task));
                }
                Record::Absent
                | Record::Queued
                | Record::Assigned(_)
                | Record::Running(_)
                | Record::Pending(..)
                | Record::Ended(_) => {}
            }
            let is_open = !matches!(record, Record::Absent | Record::Ended(_));
            if is_open && state.left.cancels > 0 {
                actions.push(Action::CancelComes(free, task));
            }
            let is_with_agent = matches!(record, Record::Assigned(_) | Record::Running(_));
            if is_with_agent && state.left.suspicions > 0 {
                actions.push(Action::Suspect(task));
            }
        }
    }

    fn handler_actions(state: &State, orchestrator: OrchestratorIndex, actions: &mut Vec<Action>) {
        let handler = state.handlers[usize::from(orchestrator)];
        let waits = state.asking[usize::from(orchestrator)].is_some();
        if handler != Handler::Idle {
            actions.push(Action::GoOn(orchestrator));
        } else if !waits {
            return;
        } else if state.left.retries > 0 {
            actions.push(Action::AskAgain(orchestrator));
        }
        if state.left.crashes > 0 {
            actions.push(Action::CrashOrchestrator(orchestrator));
        }
    }

    fn manager_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.desk != Desk::Idle {
            actions.push(Action::DeskGoesOn);
        }
        if state.janitor != Janitor::Idle {
            actions.push(Action::JanitorGoesOn);
        }
        if state.left.crashes > 0 && (state.desk, state.janitor) != (Desk::Idle, Janitor::Idle) {
            actions.push(Action::CrashManager);
        }
        if state.janitor != Janitor::Idle {
            return;
        }
        for agent in agents() {
            match state.book[usize::from(agent)] {
                Entry::Idle if state.left.removals > 0 => actions.push(Action::ScaleDown(agent)),
                Entry::Provisioning if open_records(state) == 0 => actions.push(Action::GiveUp(agent)),
                Entry::Idle | Entry::Provisioning | Entry::Busy(_) | Entry::Absent => {}
            }
        }
        if let Some(agent) = self.missing(state) {
            actions.push(Action::ScaleUp(agent));
        }
    }

    /// The agent that may be ordered for a request that no idle agent is there for.
    fn missing(&self, state: &State) -> Option<AgentIndex> {
        let is_wanted = state.network.iter().any(|message| matches!(message, Message::Book(..)));
        let is_there = |entry: &Entry| matches!(entry, Entry::Idle | Entry::Provisioning);
        let is_new = |agent: &AgentIndex| {
            state.book[usize::from(*agent)] == Entry::Absent && state.container(*agent) == Container::Absent
        };
        let is_missing = self.provisions && is_wanted && !state.book.iter().any(is_there);
        agents().find(|agent| is_missing && is_new(agent))
    }

    fn agent_actions(&self, state: &State, agent: AgentIndex, actions: &mut Vec<Action>) {
        match state.container(agent) {
            Container::Starting => actions.push(Action::Start(agent)),
            Container::Up(Work::On(_)) => {
                actions.push(Action::Complete(agent));
                if state.asked < self.questions {
                    actions.push(Action::Ask(agent));
                }
            }
            Container::Up(Work::Idle | Work::Asking(..))
            | Container::Absent
            | Container::Dead
            | Container::Gone => {}
        }
        let works = matches!(state.container(agent), Container::Up(Work::On(_) | Work::Asking(..)));
        if works && state.left.deaths > 0 {
            actions.push(Action::Die(agent));
        }
    }
}

/// Processes go on, messages that are not lost arrive, orchestrators look into the queue, agents come to the end of their
/// work. Nobody need cancel, answer, remove or order anything, nothing need crash or get lost.
pub(super) fn fairness() -> Vec<Fairness<AsIs>> {
    let mut all = Vec::new();
    let mut fair = |name: String, includes: Box<dyn Fn(Action) -> bool + Send + Sync>| {
        all.push(Fairness::weak(name, move |action: &Action| includes(*action)));
    };
    for at in orchestrators() {
        let number = at + 1;
        fair(
            format!("the handler of orchestrator {number} goes on"),
            Box::new(move |act| act == Action::GoOn(at)),
        );
        fair(
            format!("the answer of the manager comes to orchestrator {number}"),
            Box::new(move |act| matches!(act, Action::Serve(to, Message::Booked(..), _) if to == at)),
        );
    }
    fair(
        "what agents and users say is read".to_owned(),
        Box::new(
            |act| matches!(act, Action::Serve(_, message, _) if !matches!(message, Message::Booked(..))),
        ),
    );
    for task in tasks() {
        fair(
            format!("somebody finds the queued task {}", task + 1),
            Box::new(move |act| matches!(act, Action::Poll(_, found) if found == task)),
        );
    }
    fair("the manager reads requests for agents".to_owned(), Box::new(|act| matches!(act, Action::Pick(..))));
    fair("the manager books".to_owned(), Box::new(|act| act == Action::DeskGoesOn));
    fair(
        "the manager reads what else it is told".to_owned(),
        Box::new(|act| matches!(act, Action::Manage(..))),
    );
    fair("the manager sees to its agents".to_owned(), Box::new(|act| act == Action::JanitorGoesOn));
    fair("agents that are missing are ordered".to_owned(), Box::new(|act| matches!(act, Action::ScaleUp(_))));
    fair("the user reads".to_owned(), Box::new(|act| matches!(act, Action::Read(_))));
    for agent in agents() {
        let number = agent + 1;
        fair(
            format!("the container of agent {number} starts"),
            Box::new(move |act| act == Action::Start(agent)),
        );
        fair(
            format!("what is sent to agent {number} arrives"),
            Box::new(move |act| matches!(act, Action::Receive(to, ..) if to == agent)),
        );
        fair(
            format!("agent {number} comes to the end of its work"),
            Box::new(move |act| act == Action::Complete(agent)),
        );
    }
    all
}
