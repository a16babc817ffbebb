//! What the environment may do in a state, and what it may not put off for ever.

use downbeat_kernel::{Answer, Kernel, Outcome, SendFailure};
use downbeat_sim::model::{Fairness, Model};

use super::act::{Act, Action, Late, Said, Stopped, born, event};
use super::left::Left;
use super::outside::{Effects, Flight, Orders, Start};
use super::world::World;
use super::{Scenario, id};
use crate::watch::TaskIndex;

/// The attempts of each turn in the scenarios.
const ATTEMPTS: u8 = 2;

/// What the environment may do to one task, if it has enough left of what each act takes.
pub(super) fn acts(scenario: &Scenario, world: &World, task: TaskIndex) -> Vec<Act> {
    let mut acts = Acts { scenario, world, list: Vec::new() };
    acts.orders(task);
    acts.people(task);
    let all = Left::all(scenario);
    acts.list.retain(|act| all.covers(act.cost()));
    acts.list
}

/// What may come late to one task and does something, and before it or among it the first act that the kernel ignores
/// without a trace, marked so. There are many of those for each task, and each leads back to the same state.
pub(super) fn late_acts(scenario: &Scenario, world: &World, task: TaskIndex) -> Vec<(Act, bool)> {
    let acts = every_late_act(scenario, world, task);
    // In a sound kernel none of them leaves a trace, and one comparison after all of them says so.
    let mut kernel = world.kernel.clone();
    let all = acts.iter().all(|act| is_refused(&mut kernel, world, *act)) && kernel == world.kernel;
    let is_traceless = |act: Act| {
        let mut kernel = world.kernel.clone();
        is_refused(&mut kernel, world, act) && kernel == world.kernel
    };
    let mut kept = false;
    let marked = acts.into_iter().map(|act| (act, all || is_traceless(act)));
    marked.filter(|(_, traceless)| !*traceless || !std::mem::replace(&mut kept, true)).collect()
}

/// What may come late to one task, whether the kernel ignores it or not.
pub(super) fn every_late_act(scenario: &Scenario, world: &World, task: TaskIndex) -> Vec<Act> {
    let mut acts = Acts { scenario, world, list: Vec::new() };
    acts.late(task);
    acts.list
}

/// Whether the kernel does not apply the event of an act, comes by no other task, and emits nothing.
fn is_refused(kernel: &mut Kernel, world: &World, act: Act) -> bool {
    let mut effects = Effects::default();
    let mut visits = 0;
    let Some(event) = event(world, act) else { return false };
    let outcome = kernel.step_visiting(event, &mut effects, &mut |_| visits += 1);
    outcome != Outcome::Applied && effects.is_empty() && visits == 1
}

struct Acts<'a> {
    scenario: &'a Scenario,
    world: &'a World,
    list: Vec<Act>,
}

impl Acts<'_> {
    fn add(&mut self, act: Act) {
        self.list.push(act);
    }

    /// The true answers to what was ordered.
    fn orders(&mut self, task: TaskIndex) {
        let orders = *self.world.outside.of(task);
        match orders.start {
            Start::Nothing => {}
            Start::Queued => self.add(Act::Admit { task }),
            Start::Initializing => {
                self.add(Act::Initialize { task, ready: true });
                if self.scenario.bad_starts {
                    self.add(Act::Initialize { task, ready: false });
                }
            }
            Start::Stopping => {
                self.add(Act::StopStart { task, ready: true });
                self.add(Act::StopStart { task, ready: false });
            }
        }
        for (at, flight) in orders.flights.iter().enumerate() {
            match flight {
                // It may not have gone out at all, so that nobody can answer it.
                Some(Flight { stopping: false, gone: true, .. }) => self.add(Act::Lost { task, flight: at }),
                Some(Flight { stopping: false, delivered, .. }) => {
                    self.responses(task, at);
                    self.failures(task, at, *delivered);
                }
                Some(Flight { stopping: true, gone, .. }) => {
                    self.add(Act::Stop { task, flight: at, end: Stopped::Cancelled });
                    if !gone {
                        self.add(Act::Stop { task, flight: at, end: Stopped::Answered });
                        self.add(Act::Stop { task, flight: at, end: Stopped::Emptied });
                        self.add(Act::Stop { task, flight: at, end: Stopped::Failed });
                    }
                }
                None => {}
            }
        }
        for call in (0..8).filter(|call| orders.tools & (1 << call) != 0) {
            if orders.tools_stopping & (1 << call) == 0 {
                self.add(Act::ToolEnds { task, call });
            } else {
                self.add(Act::StopTool { task, call });
            }
        }
        if orders.backoff.is_some() {
            self.add(Act::Backoff { task });
        }
        if orders.grace {
            self.add(Act::Grace { task });
        }
        if orders.budget.is_some() {
            self.add(Act::BudgetTime { task });
        }
        if orders.stream_grace.is_some() {
            self.add(Act::StreamGrace { task });
        }
        if orders.ended {
            self.add(Act::Acknowledge { task });
        }
    }

    fn responses(&mut self, task: TaskIndex, flight: usize) {
        let subtasks = self.scenario.tasks.saturating_sub(born(self.world));
        let mut say = |said, may: bool| {
            if may {
                self.list.push(Act::Respond { task, flight, said });
            }
        };
        say(Said::Completion, true);
        say(Said::CompletionToApprove, true);
        say(Said::Question, true);
        say(Said::ToolToApprove, true);
        say(Said::TwoTools, true);
        say(Said::Subtask, subtasks > 0);
        say(Said::SubtaskAndTool, subtasks > 0);
        say(Said::TwoSubtasks, subtasks > 1);
        say(Said::TwoQuestions, true);
        say(Said::QuestionAndSubtask, subtasks > 0);
        say(Said::CompletionAndTool, true);
        say(Said::CompletionAndSubtask, subtasks > 0);
        say(Said::Text, true);
        say(Said::Empty, true);
    }

    /// After the first byte every failure is an interruption.
    fn failures(&mut self, task: TaskIndex, flight: usize, delivered: bool) {
        self.add(Act::Fail { task, flight, failure: SendFailure::Interrupted });
        if !delivered {
            // Another wait, and another word in the books: with three tasks that is a multiple of the states.
            if self.scenario.tasks < 3 {
                let throttled = SendFailure::Throttled { retry_after_ms: Some(9_000) };
                self.add(Act::Fail { task, flight, failure: throttled });
            }
            self.add(Act::Fail { task, flight, failure: SendFailure::Invalid });
            self.add(Act::Deliver { task, flight });
        }
    }

    /// What people may do.
    fn people(&mut self, task: TaskIndex) {
        let Some(state) = self.world.state(task) else { return };
        for number in (0..16).filter(|number| self.world.outside.of(task).questions & (1 << number) != 0) {
            for answer in [Answer::Approved, Answer::Denied, Answer::Text] {
                self.add(Act::Answer { task, number, answer });
            }
        }
        if self.world.paused(task).is_some() {
            self.add(Act::Resume { task });
        }
        if task == 0 && self.scenario.budget > 0 {
            // An ended task too: there is nobody to take the bill any more.
            self.add(Act::Bill { task });
        }
        self.add(Act::Write { task });
        // An ended task is asked too: the wish comes too late, and nothing may come of it.
        self.add(Act::Cancel { task });
        if state.end().is_none() {
            self.add(Act::Pause { task });
        }
    }

    /// Every answer that was ever asked for, again, and some that nobody asked for.
    fn late(&mut self, task: TaskIndex) {
        // The id of a task that is to come is nobody else's to submit.
        if task < born(self.world) {
            self.add(Act::LateSubmit { task });
        }
        if !self.world.outside.of(task).ended {
            self.add(Act::LateAcknowledge { task });
        }
        let Some(known) = self.world.kernel.task(id(task)) else {
            self.too_late(task);
            return;
        };
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let (turns, replied) = (small(known.data.turn.0), small(known.data.replied.0));
        let orders = *self.world.outside.of(task);
        // One turn and one question ahead were never asked.
        for turn in 1..=turns + 1 {
            for attempt in 0..ATTEMPTS {
                let flying = |flight: &Flight| (flight.turn, flight.attempt) == (turn, attempt);
                if !orders.flights.iter().flatten().any(flying) {
                    for end in Late::ALL {
                        self.add(Act::LateResponse { task, turn, attempt, end });
                    }
                }
                if orders.backoff != Some((turn, attempt)) && attempt > 0 {
                    self.add(Act::LateBackoff { task, turn, attempt });
                }
            }
        }
        if self.scenario.tools > 0 {
            for turn in 1..=replied {
                for call in 0..2 {
                    if (orders.tools_turn, orders.tools & (1 << call)) != (turn, 1 << call) {
                        self.add(Act::LateTool { task, turn, call });
                    }
                }
            }
        }
        for number in 1..=small(known.data.questions) {
            if orders.questions & (1 << number) == 0 {
                self.add(Act::LateAnswer { task, number });
            }
        }
        if self.scenario.budget > 0 {
            self.late_budget(task);
        }
        let written = small(self.world.outside.written(task));
        for message in 1..=written {
            self.add(Act::WriteAgain { task, message });
        }
        if self.scenario.messages > 0 {
            self.add(Act::WriteAhead { task });
        }
        if orders.start != Start::Queued {
            self.add(Act::LateAdmit { task });
        }
        if !matches!(orders.start, Start::Initializing | Start::Stopping) {
            self.add(Act::LateInitialize { task });
        }
        if !orders.grace {
            self.add(Act::LateGrace { task });
        }
    }

    /// Every bill but the next one, any bill of a child, and the time of every grant that does not run.
    fn late_budget(&mut self, task: TaskIndex) {
        let Orders { pot, budget, .. } = *self.world.outside.of(task);
        for bill in 1..=pot.bills + 2 {
            if task > 0 || bill != pot.bills + 1 {
                self.add(Act::LateBill { task, bill });
            }
        }
        for grant in 1..=pot.grants + 2 {
            if budget != Some(grant) {
                self.add(Act::LateBudgetTime { task, grant });
            }
        }
    }

    /// Every kind of event for a task that the kernel does not hold: not yet, or not any more. It cannot tell one
    /// identity of such a task from another, so one of each kind stands for all.
    fn too_late(&mut self, task: TaskIndex) {
        let (turn, attempt, call, number) = (1, 0, 0, 1);
        for act in [
            Act::LateAdmit { task },
            Act::LateInitialize { task },
            Act::LateResponse { task, turn, attempt, end: Late::Answered },
            Act::LateTool { task, turn, call },
            Act::LateAnswer { task, number },
            Act::WriteAgain { task, message: 1 },
            Act::WriteAhead { task },
            Act::Pause { task },
            Act::Resume { task },
            Act::LateCancel { task },
            Act::LateBackoff { task, turn, attempt },
            Act::LateGrace { task },
            Act::LateBill { task, bill: 1 },
            Act::LateBudgetTime { task, grant: 1 },
        ] {
            self.add(act);
        }
    }
}

/// Nobody forgets for ever to do what was ordered. What was told to stop may never answer, people may never act,
/// and nothing need come late or crash.
pub(super) fn fairness<M: Model<Action = Action>>(tasks: u8) -> Vec<Fairness<M>> {
    let mut all = Vec::new();
    let mut fair = |name: String, includes: Box<dyn Fn(&Action) -> bool + Send + Sync>| {
        all.push(Fairness::weak(name, move |action: &Action| action.cut.is_none() && includes(action)));
    };
    for wanted in 0..tasks {
        let name = super::words::TASK_NAMES[usize::from(wanted)];
        fair(
            format!("{name} gets its place"),
            Box::new(move |action| action.act == Act::Admit { task: wanted }),
        );
        fair(
            format!("{name} is initialized"),
            Box::new(move |action| matches!(action.act, Act::Initialize { task, .. } if task == wanted)),
        );
        fair(
            format!("a request of {name} ends"),
            Box::new(move |action| {
                matches!(
                    action.act,
                    Act::Respond { task, .. } | Act::Fail { task, .. } | Act::Lost { task, .. } if task == wanted
                )
            }),
        );
        for wanted_call in 0..2 {
            fair(
                format!("tool {wanted_call} of {name} ends"),
                Box::new(move |action| action.act == Act::ToolEnds { task: wanted, call: wanted_call }),
            );
        }
        fair(
            format!("the backoff timer of {name} fires"),
            Box::new(move |action| action.act == Act::Backoff { task: wanted }),
        );
        fair(
            format!("the grace timer of {name} fires"),
            Box::new(move |action| action.act == Act::Grace { task: wanted }),
        );
        fair(
            format!("the grace timer of the request of {name} fires"),
            Box::new(move |action| action.act == Act::StreamGrace { task: wanted }),
        );
        fair(
            format!("the end of {name} is recorded"),
            Box::new(move |action| action.act == Act::Acknowledge { task: wanted }),
        );
    }
    all
}
