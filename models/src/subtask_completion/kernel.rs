//! The kernel that ships, in a world that does its worst.
//!
//! The state is the kernel itself, what has been ordered of the outside and not answered, and what the outside has
//! seen. Each step is one event: the true answer to an order, a person's act, a timer, or an answer that comes late
//! or twice. The kernel takes the event, and its effects are released in their order. A crash may come between any
//! two effects, or at rest: what was outstanding is gone, and the kernel orders it again (`resync`).
//!
//! Nothing is left to a schedule: any order may be answered at any moment, any armed timer may fire, and every
//! identity that was ever asked may be answered again.

mod act;
mod aftermath;
mod environment;
mod outside;
mod words;

use downbeat_kernel::{CallState, Calls, Config, Event, Held, Kernel, Outcome, TaskId, TaskState};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::model::{Check, Fairness, Model, Property, Told};

use crate::properties::{Observed, task_tree};
use crate::watch::{TASKS, TaskIndex, Watch};
use act::Action;
use outside::{Effects, Outside};

/// Which features one closed system has, and how often.
///
/// Each number is a budget of the environment: it is what keeps the system finite, and it is named in the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scenario {
    /// Tasks, the parent included: 1, 2, or 3. The second is a subtask of the first; the third is a subtask of
    /// either.
    pub tasks: u8,
    /// Messages that the user writes, to any live task.
    pub messages: u8,
    /// Times that the user cancels a task.
    pub cancels: u8,
    /// Times that the user pauses a task. Resuming is free.
    pub pauses: u8,
    /// Crashes of the process, at rest or between two effects.
    pub crashes: u8,
    /// Responses that call tools: two at once, or one that needs approval.
    pub tools: u8,
    /// Responses that ask a person: a question, or a completion that needs approval.
    pub questions: u8,
    /// Responses that mix what does not go together: two questions, a question and a subtask, a completion beside
    /// another call. Those with questions and tools are among those numbers too.
    pub mixed: u8,
    /// Responses without a call.
    pub texts: u8,
    /// Sends that fail in any way, over all tasks; each turn has two attempts.
    pub failures: u8,
    /// Whether initialization may fail.
    pub bad_starts: bool,
    /// Whether every answer may come again, and every older one late.
    pub late: bool,
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
            tasks_max: u32::from(scenario.tasks),
            depth_max: 2,
            messages_max: 2,
            calls_max: 2,
            attempts_max: 2,
            mistakes_max: 2,
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

/// What the environment may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    messages: u8,
    cancels: u8,
    pauses: u8,
    crashes: u8,
    tools: u8,
    questions: u8,
    mixed: u8,
    texts: u8,
    failures: u8,
}

/// One state: the kernel, the outside, and what was seen.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct World {
    kernel: Kernel,
    outside: Outside,
    watch: Watch,
    left: Left,
    /// An event that was not applied has changed something all the same (S25).
    changed_unapplied: bool,
    /// An order was given twice, or was left when its task ended.
    disorder: bool,
    /// One bit for each task that a person paused and did not resume, as long as it is not bound to end.
    held: u8,
}

impl World {
    fn state(&self, task: TaskIndex) -> Option<TaskState> {
        self.kernel.task(id(task)).map(|task| task.state)
    }

    /// The numbers of the questions that the kernel has open for a task.
    fn asking(&self, task: TaskIndex) -> impl Iterator<Item = u32> + '_ {
        let calls = self.kernel.task(id(task)).map(|task| &task.data.calls);
        calls.into_iter().flat_map(Calls::iter).filter_map(|call| match call {
            CallState::Asking { number, .. } => Some(number),
            CallState::Waiting(_)
            | CallState::Running
            | CallState::Subtask { .. }
            | CallState::Settled(_) => None,
        })
    }

    fn paused(&self, task: TaskIndex) -> Option<Held> {
        match self.state(task)? {
            TaskState::Paused(held) => Some(held),
            TaskState::Queued
            | TaskState::Initializing
            | TaskState::Requesting { .. }
            | TaskState::ExecutingTools
            | TaskState::BackingOff { .. }
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::Cancelling(_)
            | TaskState::Completed
            | TaskState::Failed(_)
            | TaskState::Cancelled => None,
        }
    }

    /// Gives the kernel, which stands as `before`, one event. Returns the effects if it was applied.
    fn step(&mut self, before: &Kernel, event: Event) -> Option<Effects> {
        let mut effects = Effects::default();
        if self.kernel.step(event, &mut effects) == Outcome::Applied {
            return Some(effects);
        }
        self.changed_unapplied |= *before != self.kernel || !effects.is_empty();
        None
    }

    /// Everything that was outstanding is gone, and the kernel orders it again.
    fn crash(&mut self) {
        self.left.crashes -= 1;
        self.outside = self.outside.restarted();
        self.watch.crashed(false);
        let mut effects = Effects::default();
        self.kernel.resync(&mut effects);
        self.release(&effects);
    }
}

/// The kernel's id of a task.
const fn id(task: TaskIndex) -> TaskId {
    TaskId(task as u64 + 1)
}

/// The model's index of a task.
fn index(task: TaskId) -> TaskIndex {
    u8::try_from(task.0 - 1).expect("the scenarios have three tasks")
}

impl Model for KernelModel {
    type State = World;
    type Action = Action;

    fn initial(&self) -> Vec<World> {
        let Scenario { messages, cancels, pauses, crashes, tools, questions, mixed, texts, failures, .. } =
            self.scenario;
        let left = Left { messages, cancels, pauses, crashes, tools, questions, mixed, texts, failures };
        let mut world = World {
            kernel: Kernel::new(self.config),
            outside: Outside::default(),
            watch: Watch::new(u8::try_from(self.config.attempts_max).unwrap_or(u8::MAX)),
            left,
            changed_unapplied: false,
            disorder: false,
            held: 0,
        };
        let empty = world.kernel.clone();
        if let Some(effects) = world.step(&empty, Event::TaskSubmitted { task: id(0) }) {
            world.see_born(&empty);
            world.release(&effects);
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        environment::actions(&self.scenario, world, actions);
    }

    fn next(&self, world: &World, action: &Action) -> Option<World> {
        aftermath::next(world, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = task_tree();
        properties.push(unapplied_changes_nothing());
        properties.push(valid());
        properties.push(orders());
        properties.push(recorded());
        if self.scenario.pauses > 0 {
            properties.push(held_stays_held());
        }
        properties.retain(|property| self.concerns(property.id));
        properties
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(self.scenario.tasks)
    }

    fn is_final(&self, world: &World) -> bool {
        // An end that nobody is told of is no rest.
        crate::properties::settled(world) && world.kernel.tasks().all(|task| task.state.end().is_none())
    }

    fn lanes(&self) -> Vec<String> {
        words::lanes(self.scenario.tasks)
    }

    fn tell(&self, before: &World, action: &Action, after: &World) -> Told {
        words::tell(self.scenario.tasks, before, action, after)
    }
}

impl KernelModel {
    /// Whether the scenario has what a property is about. What is left out here is checked by another scenario.
    fn concerns(&self, property: &str) -> bool {
        let Scenario { tasks, messages, cancels, tools, questions, texts, .. } = self.scenario;
        match property {
            "S3" | "S4" | "S9" => tasks > 1,
            "S5" => messages > 0,
            "S6" => questions > 0 || texts > 1,
            "S8" => tools > 0 || tasks > 1 || questions > 0,
            "S19" | "L2" => cancels > 0,
            _ => true,
        }
    }
}

fn unapplied_changes_nothing() -> Property<KernelModel> {
    Property {
        id: "S25",
        name: "not applied means nothing changed and nothing was emitted",
        check: Check::AlwaysStep {
            holds: |_, _, _, after| !after.changed_unapplied,
            reachable: |_, before, _, after| before == after,
        },
        explain: |_, _| {
            "the kernel did not apply the event, and changed or emitted something all the same".into()
        },
    }
}

fn valid() -> Property<KernelModel> {
    Property::always(
        "valid",
        "the kernel's own validation accepts its state",
        |_, world: &World| world.kernel.validate().is_ok(),
        |_, world| world.kernel.tasks().next().is_some(),
        |_, world| world.kernel.validate().err().map_or_else(String::new, |corrupt| corrupt.to_string()),
    )
}

/// Orders are given once each, until a crash, and none is left when its task ends.
fn orders() -> Property<KernelModel> {
    Property::always(
        "orders",
        "every order is given once, and is answered or taken back before its task ends",
        |_, world: &World| !world.disorder,
        |_, world| world.outside.tasks.iter().any(|orders| orders.ended),
        |_, _| "an order was given twice, or was left when its task ended".into(),
    )
}

/// An end that the outside was not told of would never be put on record.
fn recorded() -> Property<KernelModel> {
    fn ended(world: &World) -> bool {
        world.kernel.tasks().any(|task| task.state.end().is_some())
    }
    Property {
        id: "recorded",
        name: "every end is put on record",
        check: Check::LeadsTo { from: |_, world| ended(world), to: |_, world| !ended(world) },
        explain: |_, _| "a task has ended, and its end is never put on record".into(),
    }
}

/// What a person paused sends nothing and starts nothing until a person resumes it, and stays paused.
fn held_stays_held() -> Property<KernelModel> {
    fn held<'a>(before: &'a World, after: &'a World) -> impl Iterator<Item = TaskIndex> + 'a {
        (0..).take(TASKS).filter(|task| before.held & after.held & (1 << task) != 0)
    }
    fn began(before: &World, after: &World, task: TaskIndex) -> bool {
        let subtask = after.kernel.tasks().any(|child| {
            child.data.parent == Some(id(task))
                && child.state == TaskState::Queued
                && before.kernel.task(child.id).is_none()
        });
        subtask || after.outside.began_more_than(&before.outside, task)
    }
    Property {
        id: "S13",
        name: "what a person stopped stays stopped",
        check: Check::AlwaysStep {
            holds: |_, before, _, after| {
                held(before, after).all(|task| after.paused(task).is_some() && !began(before, after, task))
            },
            reachable: |_, before, _, after| held(before, after).next().is_some(),
        },
        explain: |_, _| "a paused task went on, sent a request, or started a tool or a subtask".into(),
    }
}

impl Observed for World {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn waits_for(&self, task: TaskIndex) -> Option<TaskIndex> {
        let calls = &self.kernel.task(id(task))?.data.calls;
        // Of several subtasks the one that is not there is the one to look at.
        let gone = calls.subtasks().find(|subtask| !self.is_live(index(*subtask)));
        gone.or_else(|| calls.subtasks().next()).map(index)
    }

    fn wake_under_way(&self, _task: TaskIndex) -> bool {
        // The end of a subtask settles its parent in the same step.
        false
    }

    fn waits_for_person(&self, task: TaskIndex) -> bool {
        self.paused(task).is_some()
            || (self.state(task) == Some(TaskState::AwaitingInput)
                && self.asking(task).any(|number| self.outside.asks(task, number)))
    }

    fn is_live(&self, task: TaskIndex) -> bool {
        self.state(task).is_some_and(|state| state.end().is_none())
    }

    fn task_name(&self, task: TaskIndex) -> &'static str {
        words::TASK_NAMES[usize::from(task)]
    }
}

/// The scenarios that `downbeat check` runs: name, what it is about, what it has.
///
/// One space with everything is too large to wait for. The first scenario is the main one; together they have each
/// feature beside each other one, which a test holds them to.
pub const SCENARIOS: &[(&str, &str, Scenario)] = &[
    (
        "kernel",
        "the kernel: a tree of three tasks, messages, cancel, pause, crash, retries, late answers",
        Scenario {
            tasks: 3,
            messages: 2,
            cancels: 1,
            pauses: 1,
            crashes: 1,
            tools: 0,
            questions: 0,
            mixed: 0,
            texts: 0,
            failures: 2,
            bad_starts: false,
            late: true,
        },
    ),
    (
        "kernel-calls",
        "the kernel: two tasks with tools, questions and text responses, nothing crashes",
        Scenario {
            tasks: 2,
            messages: 1,
            cancels: 2,
            pauses: 1,
            crashes: 0,
            tools: 1,
            questions: 1,
            mixed: 1,
            texts: 1,
            failures: 1,
            bad_starts: false,
            late: true,
        },
    ),
    (
        "kernel-tree",
        "the kernel: three tasks with tools, questions and text responses, where nothing fails",
        Scenario {
            tasks: 3,
            messages: 1,
            cancels: 1,
            pauses: 0,
            crashes: 0,
            tools: 1,
            questions: 1,
            mixed: 0,
            texts: 1,
            failures: 0,
            bad_starts: false,
            late: true,
        },
    ),
    (
        "kernel-restart",
        "the kernel: two tasks with everything but a pause, and a crash between any two effects",
        Scenario {
            tasks: 2,
            messages: 1,
            cancels: 1,
            pauses: 0,
            crashes: 1,
            tools: 1,
            questions: 1,
            mixed: 0,
            texts: 2,
            failures: 1,
            bad_starts: true,
            late: true,
        },
    ),
    (
        "kernel-alone",
        "the kernel: one task with everything, and every send may fail",
        Scenario {
            tasks: 1,
            messages: 2,
            cancels: 1,
            pauses: 1,
            crashes: 1,
            tools: 1,
            questions: 1,
            mixed: 1,
            texts: 2,
            failures: 9,
            bad_starts: true,
            late: true,
        },
    ),
    (
        "kernel-retries",
        "the kernel: three tasks, and every send may fail",
        Scenario {
            tasks: 3,
            messages: 1,
            cancels: 1,
            pauses: 0,
            crashes: 0,
            tools: 0,
            questions: 0,
            mixed: 0,
            texts: 0,
            failures: 9,
            bad_starts: true,
            late: true,
        },
    ),
];

/// The scenarios as variants.
pub fn variants() -> Vec<Variant> {
    SCENARIOS.iter().map(|(name, about, scenario)| variant(name, about, *scenario)).collect()
}

/// A scenario whose numbers can be changed.
fn variant(name: &'static str, about: &'static str, scenario: Scenario) -> Variant {
    let small = |bounds: &Bounds, name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
    let build = move |bounds: &Bounds| {
        KernelModel::new(Scenario {
            tasks: small(bounds, "tasks"),
            messages: small(bounds, "messages"),
            cancels: small(bounds, "cancels"),
            pauses: small(bounds, "pauses"),
            crashes: small(bounds, "crashes"),
            tools: small(bounds, "tools"),
            questions: small(bounds, "questions"),
            mixed: small(bounds, "mixed"),
            texts: small(bounds, "texts"),
            failures: small(bounds, "failures"),
            bad_starts: bounds.get("bad-starts") == 1,
            late: bounds.get("late") == 1,
        })
    };
    Variant::new(name, about, build)
        .bound("tasks", scenario.tasks.into(), 1..=3, "tasks, the parent included")
        .bound("messages", scenario.messages.into(), 0..=2, "messages of the user")
        .bound("cancels", scenario.cancels.into(), 0..=2, "times that the user cancels a task")
        .bound("pauses", scenario.pauses.into(), 0..=2, "times that the user pauses a task")
        .bound("crashes", scenario.crashes.into(), 0..=2, "crashes, at rest or between two effects")
        .bound("tools", scenario.tools.into(), 0..=2, "responses that call tools")
        .bound("questions", scenario.questions.into(), 0..=2, "responses that ask a person")
        .bound("mixed", scenario.mixed.into(), 0..=2, "responses that mix what does not go together")
        .bound("texts", scenario.texts.into(), 0..=3, "responses without a call")
        .bound("failures", scenario.failures.into(), 0..=9, "sends that fail; a turn has two attempts")
        .bound("bad-starts", scenario.bad_starts.into(), 0..=1, "1: initialization may fail")
        .bound("late", scenario.late.into(), 0..=1, "1: every answer may come again, or late")
}

#[cfg(test)]
mod tests {
    use super::{SCENARIOS, Scenario};

    #[test]
    fn scenarios_have_each_feature_beside_each_other_one() {
        type Feature = (&'static str, fn(&Scenario) -> bool);
        let features: [Feature; 11] = [
            ("three tasks", |s| s.tasks == 3),
            ("two messages", |s| s.messages == 2),
            ("a cancel", |s| s.cancels > 0),
            ("a pause", |s| s.pauses > 0),
            ("a crash", |s| s.crashes > 0),
            // No life in the scenarios has more sends than that.
            ("failure of every send", |s| s.failures == 9),
            ("late answers", |s| s.late),
            ("tools", |s| s.tools > 0),
            ("questions", |s| s.questions > 0),
            ("texts", |s| s.texts > 0),
            ("bad starts", |s| s.bad_starts),
        ];
        for (a, has_a) in features {
            for (b, has_b) in features {
                let together = SCENARIOS.iter().any(|(_, _, scenario)| has_a(scenario) && has_b(scenario));
                assert!(together, "no scenario has {a} and {b}");
            }
        }
    }
}
