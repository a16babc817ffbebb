//! Questions as they are designed: a signal, a status, an input that is relayed.
//!
//! ```text
//! agent asks ──▶ write pending_input, notify the user        user answers ──▶ relay to the agent, write running
//! ```
//! Each of these is a step, since an `await` lies between any two, and so is each message. Nothing names a question: the
//! user's input is for the task, and goes to the agent that is booked for it. The design has no time-out, and says nothing
//! about an agent that is lost; here the manager books another one, as it does for any agent that it takes for dead.

use downbeat_kernel::QuestionEnd;
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Fairness, Lane, Model, Property, Told};
use downbeat_sim::report::Verdict;

use super::ledger::{AGENTS, AgentIndex, Key, Ledger};
use super::properties::{Judged, of_questions};

/// What the task store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Status {
    Running,
    PendingInput,
    /// Terminal.
    Cancelled,
}

/// What the orchestrator has begun and not ended. A crash forgets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Handler {
    /// It wrote `pending_input`, and has to notify the user.
    Notify(Key),
    /// It has an input, and has to relay it.
    Relay(Key),
    /// It has relayed an input, and has to write `running`.
    WriteRunning,
}

/// Handlers at once. Two are enough for a person who answers twice.
const HANDLERS: usize = 2;

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    questions: u8,
    replacements: u8,
    doubles: u8,
    cancels: u8,
    losses: u8,
    crashes: u8,
}

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    ledger: Ledger,
    status: Status,
    booked: AgentIndex,
    handlers: [Option<Handler>; HANDLERS],
    /// A question on its way from each agent.
    signals: [Option<Key>; AGENTS],
    /// An input on its way to each agent, with the question that it was made for.
    inputs: [Option<Key>; AGENTS],
    left: Left,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// An agent signals a question.
    Ask(AgentIndex),
    /// The orchestrator reads the signal of an agent and writes `pending_input`.
    Read(AgentIndex),
    /// The orchestrator goes on with what it has begun.
    GoOn(u8),
    /// The user gives input, for a question that was put.
    Answer(Key),
    /// The user gives input for it a second time, from another window.
    AnswerAgain(Key),
    /// An agent reads its input.
    Take(AgentIndex),
    /// The manager takes the agent for dead, and books another one.
    Replace,
    /// The user cancels the task.
    Cancel,
    /// The signal of an agent is lost.
    LoseSignal(AgentIndex),
    /// The input for an agent is lost.
    LoseInput(AgentIndex),
    /// The orchestrator crashes, and begins anew.
    Crash,
}

const DESK: Lane = 0;
const USER: Lane = 1;

fn lane(agent: AgentIndex) -> Lane {
    usize::from(agent) + 2
}

/// The system of the design.
#[derive(Clone, Debug)]
pub struct AsIs {
    left: Left,
}

impl State {
    /// Begins with something; `None` if the orchestrator has its hands full.
    fn begin(&mut self, handler: Handler) -> Option<()> {
        let free = self.handlers.iter_mut().find(|slot| slot.is_none())?;
        *free = Some(handler);
        Some(())
    }

    fn write(&mut self, status: Status) {
        self.ledger.reopened |= self.status == Status::Cancelled && status != Status::Cancelled;
        self.status = status;
    }

    /// Whom a question that waits belongs to, that counts: one of the agent that is booked.
    fn waits(&self) -> Option<Key> {
        self.ledger.waits(self.booked).filter(|_| self.status != Status::Cancelled)
    }

    fn answer(&mut self, key: Key) -> Option<()> {
        self.begin(Handler::Relay(key))?;
        self.ledger.accept(key);
        self.ledger.tell_person(key, QuestionEnd::Answered);
        Some(())
    }

    fn go_on(&mut self, index: u8) -> Option<()> {
        let slot = usize::from(index);
        match self.handlers[slot]? {
            Handler::Notify(key) => {
                self.handlers[slot] = None;
                self.ledger.put(key);
            }
            Handler::Relay(key) => {
                self.handlers[slot] = Some(Handler::WriteRunning);
                // A second input goes over one that was not read.
                self.inputs[usize::from(self.booked)] = Some(key);
            }
            Handler::WriteRunning => {
                self.handlers[slot] = None;
                self.write(Status::Running);
            }
        }
        Some(())
    }

    /// The agent takes an input for the answer to what it waits for. One that waits for nothing drops it.
    fn take(&mut self, agent: AgentIndex) -> Option<()> {
        let made_for = self.inputs[usize::from(agent)].take()?;
        if let Some(key) = self.ledger.waits(agent) {
            self.ledger.tell_agent(key, QuestionEnd::Answered, made_for);
        }
        Some(())
    }

    fn crash(&mut self) {
        self.handlers = [None; HANDLERS];
    }
}

fn spend(budget: &mut u8) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    Some(())
}

impl Model for AsIs {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            ledger: Ledger::default(),
            status: Status::Running,
            booked: 0,
            handlers: [None; HANDLERS],
            signals: [None; AGENTS],
            inputs: [None; AGENTS],
            left: self.left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let agents = 0..=state.booked;
        for agent in agents.clone() {
            let is_quiet = state.signals[usize::from(agent)].is_none();
            let may_ask = is_quiet && state.ledger.may_ask(agent) && state.status != Status::Cancelled;
            actions.extend((may_ask && state.left.questions > 0).then_some(Action::Ask(agent)));
            actions.extend((!is_quiet).then_some(Action::Read(agent)));
            let has_input = state.inputs[usize::from(agent)].is_some();
            actions.extend(has_input.then_some(Action::Take(agent)));
            if state.left.losses > 0 {
                actions.extend((!is_quiet).then_some(Action::LoseSignal(agent)));
                actions.extend(has_input.then_some(Action::LoseInput(agent)));
            }
        }
        let busy = (0..).zip(state.handlers).filter(|(_, handler)| handler.is_some());
        actions.extend(busy.map(|(index, _)| Action::GoOn(index)));
        for key in agents.flat_map(|agent| state.ledger.asked(agent)) {
            if state.ledger.is_open(key) {
                actions.push(Action::Answer(key));
            } else if state.ledger.is_put(key) && state.left.doubles > 0 {
                actions.push(Action::AnswerAgain(key));
            }
        }
        if state.left.replacements > 0 && usize::from(state.booked) + 1 < AGENTS {
            actions.push(Action::Replace);
        }
        if state.left.cancels > 0 {
            actions.push(Action::Cancel);
        }
        if state.left.crashes > 0 {
            actions.push(Action::Crash);
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match *action {
            Action::Ask(agent) => {
                spend(&mut next.left.questions)?;
                next.ledger.ask(agent);
                next.signals[usize::from(agent)] = next.ledger.waits(agent);
            }
            Action::Read(agent) => {
                let key = next.signals[usize::from(agent)].take()?;
                next.begin(Handler::Notify(key))?;
                next.write(Status::PendingInput);
            }
            Action::GoOn(index) => next.go_on(index)?,
            Action::Answer(key) => next.answer(key)?,
            Action::AnswerAgain(key) => {
                spend(&mut next.left.doubles)?;
                next.answer(key)?;
            }
            Action::Take(agent) => next.take(agent)?,
            Action::Replace => {
                spend(&mut next.left.replacements)?;
                next.booked += 1;
            }
            Action::Cancel => {
                spend(&mut next.left.cancels)?;
                next.write(Status::Cancelled);
            }
            Action::LoseSignal(agent) => {
                spend(&mut next.left.losses)?;
                next.signals[usize::from(agent)].take()?;
            }
            Action::LoseInput(agent) => {
                spend(&mut next.left.losses)?;
                next.inputs[usize::from(agent)].take()?;
            }
            Action::Crash => {
                spend(&mut next.left.crashes)?;
                next.crash();
            }
        }
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        of_questions()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = |name: &str, includes: fn(&Action) -> bool| Fairness::weak(name, includes);
        vec![
            fair("signals are read", |action| matches!(action, Action::Read(_))),
            fair("the orchestrator goes on with the first thing", |action| *action == Action::GoOn(0)),
            fair("the orchestrator goes on with the second thing", |action| *action == Action::GoOn(1)),
            fair("agents read their input", |action| matches!(action, Action::Take(_))),
        ]
    }

    fn is_final(&self, state: &State) -> bool {
        state.untold().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let agents = (1..=AGENTS).map(|number| format!("agent {number}"));
        ["orchestrator".to_owned(), "user".to_owned()].into_iter().chain(agents).collect()
    }

    fn opening(&self, _: &State) -> String {
        "agent 1 is booked for the task, which is running".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let told = words(before, *action);
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}

fn words(before: &State, action: Action) -> Told {
    let alone = |text: String| Told::new(DESK, DESK, text);
    match action {
        Action::Ask(agent) => {
            let number = before.ledger.asked(agent).count() + 1;
            Told::new(lane(agent), DESK, format!("signals a question [question {number}]"))
        }
        Action::Read(agent) => {
            alone(format!("reads the signal of agent {}; writes pending_input", agent + 1))
        }
        Action::GoOn(index) => match before.handlers[usize::from(index)] {
            Some(Handler::Notify(key)) => Told::new(DESK, USER, format!("notifies the user [{key}]")),
            Some(Handler::Relay(key)) => {
                Told::new(DESK, lane(before.booked), format!("relays the input [to {key}]"))
            }
            Some(Handler::WriteRunning) => alone("writes running".to_owned()),
            None => unreachable!("it goes on with what it has begun"),
        },
        Action::Answer(key) => Told::new(USER, DESK, format!("gives input [to {key}]")),
        Action::AnswerAgain(key) => Told::new(USER, DESK, format!("gives input once more [to {key}]")),
        Action::Take(agent) => {
            let text = match before.ledger.waits(agent) {
                Some(key) => format!("takes the input for the answer to question {}", key.number + 1),
                None => "drops the input: it waits for none".to_owned(),
            };
            Told::new(lane(agent), lane(agent), text)
        }
        Action::Replace => {
            alone(format!("agent {} is taken for dead; books agent {}", before.booked + 1, before.booked + 2))
        }
        Action::Cancel => Told::new(USER, DESK, "cancels the task").then(DESK, DESK, "writes cancelled"),
        Action::LoseSignal(agent) => Told::new(lane(agent), lane(agent), "its signal is lost on the way"),
        Action::LoseInput(agent) => Told::new(lane(agent), lane(agent), "its input is lost on the way"),
        Action::Crash => alone("crashes, and begins anew".to_owned()),
    }
}

fn standing(state: &State) -> String {
    let status = match state.status {
        Status::Running => "running",
        Status::PendingInput => "pending_input",
        Status::Cancelled => "cancelled",
    };
    format!("{status}; booked: agent {}", state.booked + 1)
}

impl Judged for State {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn untold(&self) -> Option<String> {
        let agent = self.waits().map(|key| format!("nobody tells the agent about {key}"));
        let open = || self.ledger.all().find(|key| self.ledger.is_open(*key));
        agent.or_else(|| open().map(|key| format!("nobody tells the person about {key}")))
    }
}

/// The design, of which every property fails.
pub(super) fn variant() -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        AsIs {
            left: Left {
                questions: byte("questions"),
                replacements: byte("replacements"),
                doubles: byte("doubles"),
                cancels: byte("cancels"),
                losses: byte("losses"),
                crashes: byte("crashes"),
            },
        }
    };
    let variant = Variant::new("questions", "a question and its answer as in the design", build)
        .bound("questions", 2, 1..=4, "questions of all agents together")
        .bound("replacements", 1, 0..=1, "agents that are taken for dead and replaced")
        .bound("doubles", 1, 0..=1, "inputs that come twice, from two windows")
        .bound("cancels", 1, 0..=1, "1 if the user may cancel the task")
        .bound("losses", 1, 0..=2, "messages that are lost")
        .bound("crashes", 1, 0..=1, "crashes of the orchestrator");
    let violated = ["S6", "S7", "deadlock", "L1"];
    violated.into_iter().fold(variant, |variant, id| variant.expect(id, Verdict::Violated)).headline("S6")
}
