//! The as-is systems as a model: what is checked, and how a step reads.

use downbeat_sim::event_loop::EventLoop;
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};

use super::actions::{Action, enabled, lanes};
use super::budget::{BUDGETS, Budget};
use super::loops::{occasion, title};
use super::process::{At, Cause, LoopAt, Process, ToolAt};
use super::state::{ABSENT, PROCESSES, State};
use super::world::{USER, World, name};
use super::{Body, Config, Fix};
use crate::properties::{Observe, Observed, settled, task_tree};
use crate::watch::{NO_BUDGET, TASKS, TaskIndex, Watch};

/// An as-is system, with the fix that it may have.
#[derive(Clone, Copy, Debug)]
pub struct AsIs {
    config: Config,
}

/// The bounds of every as-is variant: name, default, maximum, help.
const BOUNDS: [(&str, u64, u64, &str, Budget); BUDGETS] = [
    (
        "responses",
        4,
        12,
        "responses of all kinds; a behaviour that needs more is cut short",
        Budget::Responses,
    ),
    ("aftermath", 1, 12, "responses after the first turn that was sent twice", Budget::Aftermath),
    ("troubles", 1, 6, "all of the following but tools, subtasks and questions, together", Budget::Troubles),
    ("tools", 1, 3, "responses with a plain tool", Budget::Tools),
    ("subtasks", 2, 2, "responses that start a subtask", Budget::Subtasks),
    ("questions", 1, 3, "responses that ask the user", Budget::Questions),
    ("texts", 1, 3, "responses without a tool", Budget::Texts),
    ("empties", 1, 3, "responses without anything", Budget::Empties),
    ("throttles", 1, 3, "requests refused before their first chunk", Budget::Throttles),
    ("truncations", 1, 3, "streams that break in the middle", Budget::Truncations),
    ("failures", 0, 2, "requests that end by an exception which nothing handles", Budget::Failures),
    ("messages", 1, 2, "messages that the user writes while a task is busy", Budget::Messages),
    ("closes", 1, 3, "times that the user presses the X", Budget::Closes),
    ("cancels", 1, 3, "times that the user presses cancel", Budget::Cancels),
    ("rejections", 1, 2, "times that the user answers a result with feedback", Budget::Rejections),
    ("opens", 1, 2, "times that the user opens a task from the history", Budget::Opens),
    ("crashes", 0, 2, "restarts of the process", Budget::Crashes),
];

/// The bound on mistakes in a row: the shipped default is 3 and 0 means none.
const MISTAKE_LIMIT: (&str, u64, u64) = ("mistakes", 2, 5);

/// The bound that lifts the assumptions about time.
const ANY_PACE: &str = "any-pace";

impl AsIs {
    /// A system with a body and a fix, within bounds.
    pub fn new(body: Body, fix: Fix, bounds: &Bounds) -> Self {
        let byte = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
        let mut left = [0; BUDGETS];
        for (name, _, _, _, budget) in BOUNDS {
            left[budget as usize] = byte(bounds.get(name));
        }
        let mistake_limit = match bounds.get(MISTAKE_LIMIT.0) {
            0 => u8::MAX,
            limit => byte(limit),
        };
        let any_pace = bounds.get(ANY_PACE) != 0;
        Self { config: Config { body, fix, mistake_limit, any_pace, left } }
    }

    /// A variant of the harness with the bounds that all as-is systems have, some of them with another default.
    ///
    /// # Panics
    /// A changed default names no bound.
    pub fn variant(
        name: &'static str,
        about: &'static str,
        (body, fix): (Body, Fix),
        defaults: &[(&'static str, u64)],
    ) -> Variant {
        let mut variant = Variant::new(name, about, move |bounds: &Bounds| Self::new(body, fix, bounds));
        let (mistakes, mistake_limit, mistakes_max) = MISTAKE_LIMIT;
        let budgets = BOUNDS.into_iter().map(|(name, default, max, help, _)| (name, default, max, help));
        let all: Vec<_> = budgets
            .chain([
                (
                    mistakes,
                    mistake_limit,
                    mistakes_max,
                    "mistakes in a row before the user is asked; 0 for never",
                ),
                (ANY_PACE, 0, 1, "1 if a model may answer faster than a disk"),
            ])
            .collect();
        for (name, _) in defaults {
            assert!(
                all.iter().any(|(known, ..)| known == name),
                "no bound of the as-is systems is named {name}"
            );
        }
        for (name, default, max, help) in all {
            let changed = defaults.iter().find(|(changed, _)| *changed == name);
            let default = changed.map_or(default, |(_, default)| *default);
            variant = variant.bound(name, default, 0..=max, help);
        }
        variant
    }

    fn world(&self, state: &State, told: bool) -> World<'_> {
        World { state: *state, config: &self.config, told: told.then(Vec::new) }
    }
}

impl Model for AsIs {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let state = State {
            watch: Watch::new(NO_BUDGET),
            processes: EventLoop::new(),
            tasks: [ABSENT; TASKS],
            next_turn: [0; TASKS],
            next_call: [0; TASKS],
            stack: [None; super::state::STACK],
            click: None,
            next_message: 0,
            left: self.config.left,
        };
        let mut world = self.world(&state, false);
        world.state.watch.started(0, None);
        world.build(0, false);
        world.push(0);
        world.start_loop(0, true, World::bare_content(Cause::Prompt));
        vec![world.state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        enabled(&self.config, state, actions);
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut world = self.world(state, false);
        world.step(*action)?;
        world.state.forget();
        Some(world.state)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // What cannot happen within the bounds puts nothing to the test.
        let may = |budget: Budget| {
            let left = |budget: Budget| self.config.left[budget as usize] > 0;
            left(budget) && budget.whole().is_none_or(left)
        };
        let mut properties = task_tree();
        properties.retain(|property| match property.id {
            "S5" => may(Budget::Messages),
            "S19" | "L2" => may(Budget::Cancels),
            _ => true,
        });
        properties
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let mut fairness = vec![
            Fairness::weak("the head of the microtask queue runs", |action| *action == Action::Microtask),
            Fairness::weak("a click arrives", |action| *action == Action::Arrive),
        ];
        fairness.extend((0..PROCESSES).map(|slot| {
            Fairness::weak(format!("what process {slot} awaits comes"), move |action| match action {
                Action::Fire(pid) | Action::Provider(pid, _) => pid.index() == slot,
                Action::Microtask
                | Action::Write
                | Action::Click(_)
                | Action::Arrive
                | Action::Accept
                | Action::Close
                | Action::Cancel
                | Action::Open(_)
                | Action::Crash => false,
            })
        }));
        fairness
    }

    fn is_final(&self, state: &State) -> bool {
        settled(state)
    }

    fn lanes(&self) -> Vec<String> {
        lanes()
    }

    fn opening(&self, _state: &State) -> String {
        let does = if self.config.fix == Fix::Mutex { "holds the lock" } else { "gathers the environment" };
        format!("the parent is open, its main loop {does}")
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut world = self.world(before, true);
        if world.step(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = world.told.unwrap_or_default().into_iter();
        let mut told = match arrows.next() {
            Some(first) => Told::new(first.from, first.to, first.text),
            None => match subject(before, *action) {
                Some(process) => {
                    let lane = super::world::lane(process.task);
                    Told::new(lane, lane, quiet_words(&process))
                }
                None => Told::new(USER, USER, "goes on"),
            },
        };
        for arrow in arrows {
            told = told.then(arrow.from, arrow.to, arrow.text);
        }
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}

/// The process that an action continues.
fn subject(state: &State, action: Action) -> Option<Process> {
    let pid = match action {
        Action::Microtask => state.processes.head()?,
        Action::Fire(pid) | Action::Provider(pid, _) => pid,
        Action::Write
        | Action::Click(_)
        | Action::Arrive
        | Action::Accept
        | Action::Close
        | Action::Cancel
        | Action::Open(_)
        | Action::Crash => return None,
    };
    state.processes.program(pid).copied()
}

/// A step that has nothing to say for itself.
fn quiet_words(process: &Process) -> String {
    match process.at {
        At::Loop { main, .. } => format!("{} goes on", title(main)),
        At::Tool { .. } => "the tool goes on".to_owned(),
        At::Close { .. } => "the close is over".to_owned(),
        At::Rebuild { .. } => "the rebuild is over".to_owned(),
    }
}

/// What is in flight, open and paused, in one line.
fn standing(state: &State) -> String {
    let in_flight: Vec<String> = state
        .processes
        .suspended()
        .filter_map(|(_, process, _)| match process.at {
            At::Loop { main, content, at: LoopAt::Streaming { .. }, .. } => {
                Some(format!("{}: {} ({})", name(process.task), occasion(&content), title(main)))
            }
            At::Loop { .. } | At::Tool { .. } | At::Close { .. } | At::Rebuild { .. } => None,
        })
        .collect();
    let open: Vec<&str> = state.stack.iter().flatten().map(|&task| name(task)).collect();
    let in_flight = if in_flight.is_empty() { "nothing".to_owned() } else { in_flight.join(", ") };
    format!("in flight: {in_flight}; open: [{}]", open.join(", "))
}

impl Observe for AsIs {
    fn observe<'a>(&'a self, state: &'a State) -> impl Observed + 'a {
        state
    }
}

impl Observed for State {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn waits_for(&self, task: TaskIndex) -> Option<TaskIndex> {
        let instance = self.task(task);
        let delegated = instance.abort && !self.stack.contains(&Some(task));
        instance.child.filter(|_| instance.paused || (delegated && !instance.parked))
    }

    /// A poll that will see the flag, the end of the awaited task on its way up, or a rebuild of it.
    fn wake_under_way(&self, task: TaskIndex) -> bool {
        if !self.task(task).paused && self.task(task).child.is_none() {
            return true;
        }
        self.processes.suspended().any(|(_, process, _)| match process.at {
            At::Close { .. } => true,
            At::Rebuild { .. } => self.waits_for(task) == Some(process.task),
            At::Tool { at, .. } => match at {
                ToolAt::Finishing(_) | ToolAt::Loading | ToolAt::Recording | ToolAt::Reopening => true,
                ToolAt::Running
                | ToolAt::Created { .. }
                | ToolAt::Switching
                | ToolAt::Asking { .. }
                | ToolAt::Delegating { .. } => false,
            },
            At::Loop { .. } => false,
        })
    }

    fn waits_for_person(&self, task: TaskIndex) -> bool {
        self.task(task).parked || self.asks(task)
    }

    fn is_cut_short(&self) -> bool {
        !self.may(Budget::Responses)
            && self.processes.suspended().any(|(_, process, _)| {
                matches!(process.at, At::Loop { at: LoopAt::Streaming { begun: false }, .. })
            })
    }

    fn stuck_words(&self, task: TaskIndex) -> Option<String> {
        let who = self.task_name(task);
        let own = |process: &Process| process.task == task && !self.is_aborted(process);
        let spins =
            self.processes.head().and_then(|pid| self.processes.program(pid)).is_some_and(|process| {
                let returns =
                    matches!(process.at, At::Loop { main: true, at: LoopAt::Returning { end: false }, .. });
                returns && own(process) && self.task(task).busy
            });
        if spins {
            let words = "loop is refused again and again in microtasks; nothing else ever runs";
            return Some(format!("{who}'s {words}"));
        }
        let loops = || {
            self.processes.suspended().filter_map(|(_, process, _)| match process.at {
                At::Loop { main, depth, at, .. } if own(process) => Some((title(main), depth, at)),
                At::Loop { .. } | At::Tool { .. } | At::Close { .. } | At::Rebuild { .. } => None,
            })
        };
        let waits_for_itself = |&(_, depth, at): &(_, u8, _)| depth > 0 && at == LoopAt::Acquiring;
        if let Some((title, ..)) = loops().find(waits_for_itself) {
            return Some(format!("{who}'s {title} waits for the lock that its own outer call holds"));
        }
        if self.waits_for(task).is_some() {
            return None;
        }
        let buffer = &self.task(task).buffer;
        let collects = |&(_, _, at): &(_, u8, _)| at == LoopAt::Collecting;
        if let Some((title, ..)) = loops().find(collects)
            && !buffer.ready
            && !buffer.locked
        {
            let words = "waits for the result of a block that is never presented";
            return Some(format!("{who}'s {title} {words}"));
        }
        let runs = self.processes.suspended().any(|(_, process, _)| process.task == task);
        (!runs).then(|| format!("{who} has not ended, and nothing of it runs any more"))
    }

    fn stopped(&self, task: TaskIndex) -> bool {
        self.watch.cancel_is_pending(task) && (self.asks(task) || self.task(task).parked)
    }
}
