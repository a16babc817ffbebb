//! An orchestrator: it reads and writes the task store, asks for agents, hands tasks to them, and reads what they say.
//!
//! As designed: a read and the write that follows from it are two steps, a record is written without a look at what it
//! says by now, a status is taken for whatever the task is, and nothing has a lease, a timeout, or an attempt in its name.

use super::super::ledger::{AgentIndex, Breach, End, Job, TASKS, TaskIndex, task_name};
use super::scene::{MANAGER, Scene, USER, agent_lane, orchestrator_lane};
use super::state::{Container, Handler, Message, OrchestratorIndex, Record, RequestIndex, State};

impl Scene<'_> {
    /// Finds a queued task, and asks the manager for an agent.
    pub(super) fn poll(&mut self, orchestrator: OrchestratorIndex, task: TaskIndex) -> Option<()> {
        let lane = orchestrator_lane(orchestrator);
        self.tell(lane, lane, || format!("reads that {} is queued", task_name(task)));
        *self.asking(orchestrator) = Some(task);
        self.send(lane, MANAGER, Message::Book(orchestrator, task))
    }

    pub(super) fn ask_again(&mut self, orchestrator: OrchestratorIndex) -> Option<()> {
        let task = (*self.asking(orchestrator))?;
        self.spend(|left| &mut left.retries)?;
        self.send(orchestrator_lane(orchestrator), MANAGER, Message::Book(orchestrator, task))
    }

    /// Takes a message: writes what it says, and begins what follows.
    pub(super) fn serve(&mut self, orchestrator: OrchestratorIndex, message: Message) -> Option<()> {
        match message {
            Message::Submit(request) => self.admit(orchestrator, request),
            Message::Booked(_, task, agent) if *self.asking(orchestrator) == Some(task) => {
                *self.asking(orchestrator) = None;
                *self.handler(orchestrator) = Handler::Assigning(task, agent);
            }
            // It has asked for nothing.
            Message::Booked(..) => {}
            Message::Running(agent, task) => {
                self.write(orchestrator, task, Record::Running(agent));
                self.state.ledger.run_on_record(task);
            }
            Message::Question(agent, task, question) => {
                self.write(orchestrator, task, Record::Pending(agent, question));
                self.state.ledger.run_on_record(task);
            }
            Message::Completed(agent, job) => self.completed(orchestrator, agent, job),
            Message::Stopped(agent, task) => self.ended(orchestrator, task, End::Cancelled, Some(agent)),
            Message::Accepted(_)
            | Message::Book(..)
            | Message::Release(_)
            | Message::Started(_)
            | Message::Details(..)
            | Message::Cancel(..)
            | Message::Answer(..) => return None,
        }
        Some(())
    }

    /// Reads how many tasks the user has that have not ended.
    fn admit(&mut self, orchestrator: OrchestratorIndex, request: RequestIndex) {
        let lane = orchestrator_lane(orchestrator);
        let open = open_records(&self.state);
        self.tell(lane, lane, || format!("request {}: reads that {open} tasks are open", request + 1));
        if open < usize::from(self.system.quota) {
            *self.handler(orchestrator) = Handler::Storing(request);
        }
    }

    fn completed(&mut self, orchestrator: OrchestratorIndex, agent: AgentIndex, job: Job) {
        self.state.ledger.write(job);
        let request = self.state.requests[usize::from(job.task)];
        if self.state.served & 1 << request != 0 {
            self.state.ledger.note(Breach::SecondResult(job.task));
        }
        self.state.served |= 1 << request;
        self.ended(orchestrator, job.task, End::Completed, Some(agent));
    }

    fn ended(
        &mut self,
        orchestrator: OrchestratorIndex,
        task: TaskIndex,
        end: End,
        agent: Option<AgentIndex>,
    ) {
        self.write(orchestrator, task, Record::Ended(end));
        self.state.ledger.end(task, end);
        *self.handler(orchestrator) = Handler::Notifying(task, end, agent);
    }

    fn write(&mut self, orchestrator: OrchestratorIndex, task: TaskIndex, record: Record) {
        let lane = orchestrator_lane(orchestrator);
        self.tell(lane, lane, || format!("writes: {} is {}", task_name(task), record_words(record)));
        *self.record(task) = record;
    }

    /// The next step of a handler.
    pub(super) fn go_on(&mut self, orchestrator: OrchestratorIndex) -> Option<()> {
        let lane = orchestrator_lane(orchestrator);
        let next = match *self.handler(orchestrator) {
            Handler::Idle => return None,
            Handler::Storing(request) => self.store(orchestrator, request)?,
            Handler::Accepting(request) => {
                self.send(lane, USER, Message::Accepted(request))?;
                Handler::Idle
            }
            Handler::Assigning(task, agent) => {
                self.write(orchestrator, task, Record::Assigned(agent));
                Handler::Sending(task, agent)
            }
            Handler::Sending(task, agent) => {
                self.send_details(lane, task, agent)?;
                Handler::Idle
            }
            Handler::Notifying(task, end, agent) => {
                self.tell(lane, USER, || format!("{} is {}", task_name(task), end.word()));
                self.state.ledger.tell(task, end);
                agent.map_or(Handler::Idle, Handler::Releasing)
            }
            Handler::Releasing(agent) => {
                self.send(lane, MANAGER, Message::Release(agent))?;
                Handler::Idle
            }
            Handler::Stopping(task, agent) => {
                self.state.ledger.cancel(task);
                self.send(lane, agent_lane(agent), Message::Cancel(agent, task))?;
                Handler::Idle
            }
            Handler::Withdrawing(task) => {
                self.state.ledger.cancel(task);
                self.ended(orchestrator, task, End::Cancelled, None);
                return Some(());
            }
            Handler::Relaying(task, agent, question) => {
                self.send(lane, agent_lane(agent), Message::Answer(agent, task, question))?;
                Handler::Idle
            }
        };
        *self.handler(orchestrator) = next;
        Some(())
    }

    fn store(&mut self, orchestrator: OrchestratorIndex, request: RequestIndex) -> Option<Handler> {
        let task = (0..TASKS).zip(self.state.records).find(|(_, record)| *record == Record::Absent);
        let task = TaskIndex::try_from(task?.0).ok()?;
        self.state.requests[usize::from(task)] = request;
        self.write(orchestrator, task, Record::Queued);
        self.state.ledger.submit(task);
        let open = open_records(&self.state);
        self.state.ledger.run(open, self.system.quota);
        Some(Handler::Accepting(request))
    }

    fn send_details(&mut self, lane: usize, task: TaskIndex, agent: AgentIndex) -> Option<()> {
        let job = Job { task, number: self.state.attempts[usize::from(task)] };
        let is_gone = self.state.container(agent) == Container::Gone;
        self.state.ledger.give(job, agent, is_gone);
        self.send(lane, agent_lane(agent), Message::Details(agent, job))
    }

    /// The user wants a task to end: reads where it stands.
    pub(super) fn cancel_comes(&mut self, orchestrator: OrchestratorIndex, task: TaskIndex) -> Option<()> {
        self.spend(|left| &mut left.cancels)?;
        let lane = orchestrator_lane(orchestrator);
        self.tell(USER, lane, || format!("cancel {}", task_name(task)));
        let record = *self.record(task);
        self.tell(lane, lane, || format!("reads that {} is {}", task_name(task), record_words(record)));
        *self.handler(orchestrator) = match record {
            Record::Queued => Handler::Withdrawing(task),
            Record::Assigned(agent) | Record::Running(agent) | Record::Pending(agent, _) => {
                Handler::Stopping(task, agent)
            }
            Record::Absent | Record::Ended(_) => return None,
        };
        Some(())
    }

    /// A person answers the question that is shown.
    pub(super) fn answer_comes(&mut self, orchestrator: OrchestratorIndex, task: TaskIndex) -> Option<()> {
        let Record::Pending(agent, question) = *self.record(task) else { return None };
        let lane = orchestrator_lane(orchestrator);
        self.tell(USER, lane, || format!("answers question {question} about {}", task_name(task)));
        self.state.answered = question;
        *self.handler(orchestrator) = Handler::Relaying(task, agent, question);
        Some(())
    }

    /// What the design does not have: a timeout, after which the task is put back for another agent.
    pub(super) fn suspect(&mut self, task: TaskIndex) -> Option<()> {
        self.spend(|left| &mut left.suspicions)?;
        self.tell(orchestrator_lane(0), orchestrator_lane(0), || {
            format!("has not heard of {} for long: puts it back", task_name(task))
        });
        *self.record(task) = Record::Queued;
        self.state.attempts[usize::from(task)] += 1;
        self.state.ledger.take_back(task);
        Some(())
    }
}

/// How many tasks are on record that have not ended.
pub(super) fn open_records(state: &State) -> usize {
    let is_open = |record: &&Record| !matches!(record, Record::Absent | Record::Ended(_));
    state.records.iter().filter(is_open).count()
}

/// Where a record says that its task stands.
pub(super) fn record_words(record: Record) -> String {
    match record {
        Record::Absent => "not there".to_owned(),
        Record::Queued => "queued".to_owned(),
        Record::Assigned(agent) => format!("assigned to agent {}", agent + 1),
        Record::Running(agent) => format!("running on agent {}", agent + 1),
        Record::Pending(_, question) => format!("pending, with question {question}"),
        Record::Ended(end) => end.word().to_owned(),
    }
}
