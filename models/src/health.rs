//! The health monitor of a worker: what it reports, and what comes of the reports.
//!
//! The source is the semantics of the health monitor: the tick is one step, its handlers run inside it, and it reads ages
//! once. [`monitor`] has the flags, [`steps`] everything that happens, [`properties`] what is asked of it. The worker is the
//! executor loop as far as the monitor can tell: between `await`s of which only microtasks are waited for, nothing but
//! the loop happens, so that they are one step here. What the loop and the session do in their own gaps is the subject
//! of the model `interrupt`.
//!
//! Time is three events: an age passes the idle time, the stuck time, the interval of progress checks. The order of
//! the thresholds (idle below stuck, interval not above stuck) is that of the shipped defaults. A turn may take longer
//! than any of them. The stories are in `docs/races/health.md`.

pub mod kernel;
pub mod monitor;
pub mod properties;
pub mod state;
pub mod steps;

use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::report::Verdict;

use self::monitor::{Age, Ages, Flags};
use self::state::{
    Action, BUDGET_MAX, Hold, Job, Left, Prompt, State, Streaks, THRESHOLD_MAX, Tool, Turn, Worker,
};
use self::steps::{MONITOR, ORCHESTRATOR, PERSON, Scene, WORKER};

/// One worker, its monitor, and the orchestrator that handles the reports.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// Equal tool calls in a row that are reported as a loop.
    pub equal_calls: u8,
    /// Errors in a row that are reported.
    pub errors: u8,
    /// Whether the model of the worker may be selected more slowly than the idle time passes.
    pub is_start_slow: bool,
    /// Whether a turn may hang where no abort reaches it.
    pub is_deaf_possible: bool,
    /// What the environment may do.
    pub left: Left,
}

/// The bounds: name, default, least, most, help.
const BOUNDS: [(&str, u64, u8, u8, &str); 9] = [
    ("messages", 1, 0, BUDGET_MAX, "messages that a person writes"),
    ("stops", 1, 0, BUDGET_MAX, "times that a person stops the worker"),
    ("updates", 1, 0, BUDGET_MAX, "reports of children"),
    ("removals", 1, 0, 1, "times that the record of the task is removed"),
    ("hangs", 1, 0, BUDGET_MAX, "turns that will not end by themselves"),
    ("slow-start", 1, 0, 1, "1 if the idle time may pass while the model of the worker is selected"),
    ("deaf", 1, 0, 1, "1 if one may hang where no abort reaches it"),
    // The counts below a threshold differ in nothing but how far off it is, so that a lower one tells the same.
    ("equal-calls", 2, 2, THRESHOLD_MAX, "equal tool calls that are reported as a loop; shipped: 5"),
    ("errors", 2, 1, THRESHOLD_MAX, "errors in a row that are reported; shipped: 5"),
];

/// The monitor as it is, and the kernel in its place.
pub fn variants() -> Vec<Variant> {
    let as_is = Variant::packed("as-is", "the monitor as it is shipped", Health::new);
    let as_is = BOUNDS.into_iter().fold(as_is, |variant, (name, default, least, most, help)| {
        variant.bound(name, default, u64::from(least)..=u64::from(most), help)
    });
    let violated =
        ["S12", "S13", "alarm", "alarm-streak", "inquiry", "escalation", "updates", "deadlock", "L1", "L3"];
    let as_is = violated.into_iter().fold(as_is, |variant, id| variant.expect(id, Verdict::Violated));
    std::iter::once(as_is.headline("inquiry")).chain(kernel::variants()).collect()
}

impl Health {
    /// A system within the bounds of [`variants`].
    pub fn new(bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            messages: byte("messages"),
            stops: byte("stops"),
            updates: byte("updates"),
            removals: byte("removals"),
            hangs: byte("hangs"),
        };
        Self {
            equal_calls: byte("equal-calls"),
            errors: byte("errors"),
            is_start_slow: byte("slow-start") > 0,
            is_deaf_possible: byte("deaf") > 0,
            left,
        }
    }

    fn scene(&self, state: &State, told: bool) -> Scene<'_> {
        Scene { system: self, state: *state, told: told.then(Vec::new) }
    }

    /// What the worker, as it stands, and the people may do.
    fn acts(&self, state: &State, actions: &mut Vec<Action>) {
        match state.worker {
            Worker::Starting => actions.push(Action::Select),
            Worker::Executing(_, turn) => self.turn_actions(state, turn, actions),
            Worker::Waiting | Worker::Resumed(_) | Worker::Stopping => {}
        }
        let Left { messages, stops, updates, removals, .. } = state.left;
        let people = [
            (Action::Update, updates > 0),
            (Action::Write, messages > 0),
            (Action::Stop, stops > 0 && state.is_running),
            (Action::Remove, removals > 0),
        ];
        actions.extend(people.into_iter().filter_map(|(action, may)| may.then_some(action)));
    }

    fn turn_actions(&self, state: &State, turn: Turn, actions: &mut Vec<Action>) {
        match turn {
            Turn::Works => {
                actions.extend([
                    Action::Finish,
                    Action::Fail,
                    Action::Call(Tool::Read),
                    Action::Call(Tool::Edit),
                ]);
                if state.left.hangs > 0 {
                    actions.extend([Action::Hang(Turn::Loops), Action::Hang(Turn::Hangs)]);
                    actions.extend(self.is_deaf_possible.then_some(Action::Hang(Turn::Deaf)));
                }
            }
            Turn::Loops => actions.push(Action::Call(Tool::Read)),
            Turn::Hangs | Turn::Deaf => {}
        }
    }
}

impl Model for Health {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            flags: Flags::default(),
            ages: Ages::default(),
            is_checked: false,
            streaks: Streaks { errors: 0, tool: Tool::Read, equal: 0 },
            worker: Worker::Starting,
            is_running: true,
            slot: None,
            updates: 0,
            is_record_gone: false,
            job: Job::Open,
            hold: Hold::None,
            is_answered: false,
            left: self.left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if matches!(state.worker, Worker::Resumed(_) | Worker::Stopping) {
            return actions.push(Action::Microtask);
        }
        if state.worker == Worker::Starting && !self.is_start_slow {
            return actions.push(Action::Select);
        }
        actions.push(Action::Tick);
        actions.extend(match state.ages.activity {
            Age::Recent => Some(Action::IdleDue),
            Age::Idle => Some(Action::StuckDue),
            Age::Stuck => None,
        });
        actions.extend((!state.ages.is_check_due).then_some(Action::ProgressDue));
        self.acts(state, actions);
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut scene = self.scene(state, false);
        scene.step(*action)?;
        Some(scene.state)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = |name: &str, fair: Action| Fairness::weak(name, move |action: &Action| *action == fair);
        vec![
            fair("the continuation runs", Action::Microtask),
            fair("the monitor ticks", Action::Tick),
            fair("the idle time passes", Action::IdleDue),
            fair("the stuck time passes", Action::StuckDue),
            fair("the interval passes", Action::ProgressDue),
            fair("the model is selected", Action::Select),
            fair("a turn that works ends", Action::Finish),
        ]
    }

    fn is_final(&self, state: &State) -> bool {
        state.worker == Worker::Waiting && state.job == Job::Settled
    }

    fn lanes(&self) -> Vec<String> {
        let lanes =
            [(PERSON, "person"), (ORCHESTRATOR, "orchestrator"), (MONITOR, "monitor"), (WORKER, "worker")];
        lanes.map(|(_, name)| name.to_owned()).to_vec()
    }

    fn opening(&self, _: &State) -> String {
        "the worker is deployed, and monitored".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut scene = self.scene(before, true);
        if scene.step(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = scene.told.unwrap_or_default().into_iter();
        let mut told = match arrows.next() {
            Some(first) => Told::new(first.from, first.to, first.text),
            None => Told::new(MONITOR, MONITOR, quiet_words(*action)),
        };
        for arrow in arrows {
            told = told.then(arrow.from, arrow.to, arrow.text);
        }
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}

/// A step of which nothing is heard.
fn quiet_words(action: Action) -> &'static str {
    match action {
        Action::IdleDue => "the idle time has passed",
        Action::StuckDue => "the stuck time has passed",
        Action::ProgressDue => "the interval of the checks has passed",
        Action::Tick => "tick: nothing to report",
        Action::Microtask
        | Action::Select
        | Action::Call(_)
        | Action::Fail
        | Action::Finish
        | Action::Hang(_)
        | Action::Update
        | Action::Write
        | Action::Stop
        | Action::Remove => "goes on",
    }
}

/// The flags that are set, and what is in the slot, in one line.
fn standing(state: &State) -> String {
    let Flags { is_idle, is_stuck, inquiry_pending, is_executing } = state.flags;
    let flags = [
        ("isIdle", is_idle),
        ("isStuck", is_stuck),
        ("inquiryPending", inquiry_pending),
        ("isExecuting", is_executing),
    ];
    let set: Vec<&str> = flags.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect();
    let set = if set.is_empty() { "none".to_owned() } else { set.join(", ") };
    match state.slot {
        Some(prompt) => format!("flags: {set}; slot: {}", slot_word(prompt)),
        None => format!("flags: {set}"),
    }
}

fn slot_word(prompt: Prompt) -> &'static str {
    match prompt {
        Prompt::Job => "instructions",
        Prompt::Message => "message",
        Prompt::Inquiry => "inquiry",
        Prompt::Question => "question",
        Prompt::Updates => "updates",
    }
}
