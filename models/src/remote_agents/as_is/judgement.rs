//! What is asked of the design, and where it stands, in words.

use downbeat_sim::model::Property;

use super::super::bag::Bag;
use super::super::ledger::{AgentIndex, Ledger, TASKS, TaskIndex, task_name};
use super::super::properties::{self, Judged};
use super::AsIs;
use super::orchestrator::record_words;
use super::state::{
    AGENTS, Container, Desk, Entry, Handler, Janitor, Machine, Message, ORCHESTRATORS, Record, State, Work,
};

impl AsIs {
    /// Every property that these bounds can put to the test.
    pub(super) fn judged(&self) -> Vec<Property<Self>> {
        let mut properties = properties::of_pools();
        properties.push(properties::of_idle_agents());
        let wanted = self.tasks + self.requests;
        if wanted > self.quota {
            properties.push(properties::of_quotas());
        }
        if wanted > 1 {
            properties.push(properties::of_workspaces());
        }
        if self.left.cancels > 0 {
            properties.extend(properties::of_cancels());
        }
        if self.questions > 0 {
            properties.extend(properties::of_questions());
        }
        if self.left.removals > 0 {
            properties.push(properties::of_fleets());
        }
        if self.provisions {
            properties.push(properties::of_containers());
        }
        properties
    }
}

impl State {
    pub(super) fn new(system: &AsIs) -> Self {
        let is_there = |agent| agent < usize::from(system.agents);
        let container = |agent| if is_there(agent) { Container::Up(Work::Idle) } else { Container::Absent };
        let mut state = Self {
            records: [Record::Absent; TASKS],
            attempts: [1; TASKS],
            requests: [0; TASKS],
            unanswered: 0,
            served: 0,
            book: std::array::from_fn(|agent| if is_there(agent) { Entry::Idle } else { Entry::Absent }),
            handlers: [Handler::Idle; ORCHESTRATORS],
            asking: [None; ORCHESTRATORS],
            desk: Desk::Idle,
            janitor: Janitor::Idle,
            machines: std::array::from_fn(|agent| Machine { container: container(agent), traces: None }),
            asked: 0,
            answered: 0,
            network: Bag::EMPTY,
            ledger: Ledger::EMPTY,
            left: system.left,
        };
        for task in 0..system.tasks {
            state.records[usize::from(task)] = Record::Queued;
            // Each is a request of its own.
            state.requests[usize::from(task)] = system.requests + task;
            state.ledger.submit(task);
        }
        for request in 0..system.requests {
            state.network.put(Message::Submit(request)).expect("there is room for every request");
            state.unanswered |= 1 << request;
        }
        state
    }

    /// Whether the system may rest: every task has ended and was told, no agent is booked, and nobody is left waiting.
    pub(super) fn is_settled(&self) -> bool {
        let is_booked = |entry: &Entry| matches!(entry, Entry::Busy(_) | Entry::Provisioning);
        self.ledger.open().next().is_none()
            && !self.book.iter().any(is_booked)
            && self.handlers == [Handler::Idle; ORCHESTRATORS]
            && self.asking == [None; ORCHESTRATORS]
    }

    fn is_asking(&self, agent: AgentIndex) -> bool {
        matches!(self.container(agent), Container::Up(Work::Asking(..)))
    }

    /// Where the records and the book stand, in one line.
    pub(super) fn standing(&self) -> String {
        let there = (0..).zip(self.records).filter(|(_, record)| *record != Record::Absent);
        let records: Vec<String> =
            there.map(|(task, record)| format!("{} {}", task_name(task), record_words(record))).collect();
        let agents: Vec<String> =
            (1..).zip(self.book).map(|(agent, entry)| entry_words(agent, entry)).collect();
        let records = if records.is_empty() { "no task".to_owned() } else { records.join(", ") };
        format!("{records}; {}", agents.join(", "))
    }
}

fn entry_words(agent: u8, entry: Entry) -> String {
    match entry {
        Entry::Absent => format!("no agent {agent}"),
        Entry::Provisioning => format!("agent {agent} to come"),
        Entry::Idle => format!("agent {agent} idle"),
        Entry::Busy(task) => format!("agent {agent} booked for {}", task_name(task)),
    }
}

impl Judged for State {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn has_traces(&self) -> bool {
        self.machines.iter().any(|machine| machine.traces.is_some())
    }

    fn is_running(&self) -> bool {
        self.ledger.open().next().is_some()
    }

    fn has_gone(&self) -> bool {
        self.machines.iter().any(|machine| machine.container == Container::Gone)
    }

    fn has_answered(&self) -> bool {
        self.answered > 0
    }

    fn orphan(&self) -> Option<TaskIndex> {
        self.ledger.open().find(|task| match self.record(*task) {
            Record::Pending(agent, question) => question > self.answered && !self.is_asking(agent),
            Record::Absent | Record::Queued | Record::Assigned(_) | Record::Running(_) | Record::Ended(_) => {
                false
            }
        })
    }

    fn has_idle(&self) -> bool {
        let is_idle = |(entry, machine): (&Entry, &Machine)| {
            *entry == Entry::Idle && machine.container == Container::Up(Work::Idle)
        };
        self.book.iter().zip(&self.machines).any(is_idle)
    }

    fn waits_for_a_person(&self, task: TaskIndex) -> bool {
        match self.record(task) {
            Record::Pending(agent, question) => question > self.answered && self.is_asking(agent),
            Record::Absent | Record::Queued | Record::Assigned(_) | Record::Running(_) | Record::Ended(_) => {
                false
            }
        }
    }

    fn stray(&self) -> Option<AgentIndex> {
        (0..).take(AGENTS).find(|agent: &AgentIndex| {
            let runs = matches!(self.container(*agent), Container::Up(_));
            let is_removed = matches!(self.janitor, Janitor::Removing(of) if of == *agent);
            runs && self.book[usize::from(*agent)] == Entry::Absent && !is_removed
        })
    }

    fn unsettled(&self) -> String {
        if let Some(task) = self.ledger.open().next() {
            let record = record_words(self.record(task));
            return format!("{} is {record}, and nobody sees to it", task_name(task));
        }
        let booked = (1..).zip(self.book).find(|(_, entry)| matches!(entry, Entry::Busy(_)));
        match booked {
            Some((agent, entry)) => format!("{}, and has nothing to do", entry_words(agent, entry)),
            None => "somebody waits for what does not come".to_owned(),
        }
    }
}
