//! The kernel with one deployed task, in a world that does its worst to the task's worker.
//!
//! The state is the whole [`Kernel`] and what the outside has seen and has to do. Each step is one event: the true
//! answer to an order, an act of a person or of the agent, a timer, or something that comes late or twice. A crash may
//! come between any two effects, or at rest: iterators and timers are gone, and the kernel repeats what is outstanding.
//!
//! An iterator that is told to stop ends in an orderly way, with an error, or never. Nobody owes the worker an answer:
//! what is fair is that timers run out and that ends and reports are put on record.
//!
//! `Acknowledge` is no order: whoever writes the journal has it on record with the answer that makes it, so no crash comes
//! between.

mod environment;
mod judgement;
mod outside;
mod step;
mod words;

use downbeat_kernel::{Config, Event, Kernel, TaskId, Worker, WorkerEvent};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};

use environment::Kind;
use outside::Outside;

/// The one task.
const TASK: TaskId = TaskId(1);

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Messages that a person writes.
    pub messages: u8,
    /// Interrupts of the turn that there is, with a hold or without.
    pub interrupts: u8,
    /// Times that a person pauses the task. Resuming is free.
    pub pauses: u8,
    /// Wishes to finish.
    pub wrap_ups: u8,
    /// Completions and cancels.
    pub ends: u8,
    /// Questions of the agent to a person.
    pub approvals: u8,
    /// Iterators that end without having been told to.
    pub failures: u8,
    /// Signs of life of the agent, and reports of how far it is.
    pub signs: u8,
    /// Reports of the agent for a parent that is not there.
    pub reports: u8,
    /// Crashes, at rest or between two effects.
    pub crashes: u8,
}

/// What one closed system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// How often each thing may happen.
    pub left: Left,
    /// Failures in a row that open the breaker.
    pub breaker: u8,
    /// Whether things come late or twice.
    pub late: bool,
}

/// Nothing out of the ordinary.
const CALM: Left = Left {
    messages: 1,
    interrupts: 0,
    pauses: 0,
    wrap_ups: 0,
    ends: 1,
    approvals: 0,
    failures: 0,
    signs: 0,
    reports: 0,
    crashes: 0,
};

/// The systems that `downbeat check` looks at: name, what it is about, what it has.
///
/// One space with everything is too large to wait for. The first is the main one.
pub const SCENARIOS: [(&str, &str, Scenario); 4] = [
    (
        "kernel",
        "the kernel's worker: an interrupt, a pause, an end, and health at any moment",
        Scenario { left: Left { interrupts: 1, pauses: 1, ..CALM }, breaker: 1, late: true },
    ),
    (
        "kernel-inbox",
        "the kernel's worker: two messages, a pause and an end",
        Scenario { left: Left { messages: 2, pauses: 1, ..CALM }, breaker: 1, late: true },
    ),
    (
        "kernel-failures",
        "the kernel's worker: an iterator that fails, and a question to a person",
        Scenario { left: Left { approvals: 1, failures: 1, ..CALM }, breaker: 1, late: true },
    ),
    (
        "kernel-restart",
        "the kernel's worker: a crash between any two effects",
        Scenario { left: Left { crashes: 1, ..CALM }, breaker: 1, late: true },
    ),
];

/// The kernel's worker, of which every property is expected to hold.
pub fn variants() -> Vec<Variant> {
    SCENARIOS.map(|(name, about, scenario)| variant(name, about, scenario)).into()
}

/// A scenario whose numbers can be changed.
fn variant(name: &'static str, about: &'static str, scenario: Scenario) -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            messages: byte("messages"),
            interrupts: byte("interrupts"),
            pauses: byte("pauses"),
            wrap_ups: byte("wrap-ups"),
            ends: byte("ends"),
            approvals: byte("approvals"),
            failures: byte("failures"),
            signs: byte("signs"),
            reports: byte("reports"),
            crashes: byte("crashes"),
        };
        KernelModel::new(Scenario { left, breaker: byte("breaker"), late: bounds.get("late") == 1 })
    };
    let Scenario { left, breaker, late } = scenario;
    Variant::new(name, about, build)
        .bound("messages", left.messages.into(), 0..=2, "messages that a person writes")
        .bound("interrupts", left.interrupts.into(), 0..=2, "interrupts of the current turn")
        .bound("pauses", left.pauses.into(), 0..=2, "times that a person pauses the task")
        .bound("wrap-ups", left.wrap_ups.into(), 0..=1, "wishes to finish")
        .bound("ends", left.ends.into(), 0..=2, "completions and cancels")
        .bound("approvals", left.approvals.into(), 0..=2, "questions of the agent to a person")
        .bound("failures", left.failures.into(), 0..=3, "iterators that end unasked; a turn has two attempts")
        .bound("signs", left.signs.into(), 0..=4, "signs of life of the agent")
        .bound("reports", left.reports.into(), 0..=2, "reports of the agent")
        .bound("crashes", left.crashes.into(), 0..=2, "crashes, at rest or between two effects")
        .bound("breaker", breaker.into(), 1..=2, "failures in a row that open the breaker")
        .bound("late", late.into(), 0..=1, "1: things come late, or twice")
}

/// One event, and whether the process crashes while its effects go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    kind: Kind,
    /// What the kernel is told; `None` for a crash at rest.
    event: Option<Event>,
    /// The process crashes after so many effects, and less than all, went out.
    cut: Option<usize>,
}

/// The kernel, its world, and what may still happen.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct State {
    kernel: Kernel,
    outside: Outside,
    left: Left,
}

impl State {
    fn worker(&self) -> Option<&Worker> {
        self.kernel.task(TASK)?.data.worker.as_deref()
    }
}

/// The closed system of one scenario.
pub struct KernelModel {
    scenario: Scenario,
    config: Config,
}

impl KernelModel {
    /// A system whose kernel is the one that ships.
    pub fn new(scenario: Scenario) -> Self {
        let config = Config {
            tasks_max: 1,
            worker_attempts_max: 2,
            breaker_max: scenario.breaker,
            loop_max: 2,
            errors_max: 2,
            ..Config::default()
        };
        Self { scenario, config }
    }

    /// The same system with a fault planted in its kernel.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self
    }
}

/// What happened to the worker of the one task.
fn told(event: WorkerEvent) -> Event {
    Event::Worker { task: TASK, event }
}

impl Model for KernelModel {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let kernel = Kernel::new(self.config);
        let mut state = State { kernel, outside: Outside::default(), left: self.scenario.left };
        let deploy = [
            Event::TaskSubmitted { task: TASK },
            Event::Admitted { task: TASK },
            Event::Deployed { task: TASK },
        ];
        for event in deploy {
            state.take(&event, None);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        environment::enabled(&self.scenario, state, actions);
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = state.clone();
        next.happen(action);
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Kind::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        judgement::properties(&self.scenario)
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness()
    }

    fn is_final(&self, state: &State) -> bool {
        judgement::rests(state)
    }

    fn lanes(&self) -> Vec<String> {
        ["world", "kernel"].map(str::to_owned).to_vec()
    }

    fn opening(&self, _: &State) -> String {
        "the task is deployed".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        words::told(before, action, after)
    }
}
