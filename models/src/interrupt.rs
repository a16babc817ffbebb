//! A worker, its executor loop, its agent session and its health monitor: what an interrupt does in every gap between
//! them.
//!
//! The source is the semantics of worker, executor loop, agent session (its last version, v3) and health monitor. The processes
//! run on [`downbeat_sim::event_loop`]: a step is what happens between two `await`s. [`executor`] has the loop and `execute`,
//! [`session`] the session, [`worker`] the calls from outside: people, and what the monitor's handlers do. The flags
//! of the monitor are those of the model `health`.
//!
//! Abstractions: what a tick reads of the clock is its own choice, since a gap may last as long as it likes; with
//! the stuck time everything else is due. Updates of children are one more message in the same slot, and are left out. To
//! get the session takes time once. A status is *waiting-approval* only while it would else be running, and an
//! answer leads back from there only. A listener is dropped with what it was registered for; one that is registered for a
//! token that is cancelled already is called by a timer of no time, as the editor's tokens do it. Selecting a model
//! and starting an iterator do not fail. A turn says nothing between its prompt and its result, and a provider answers at
//! some time: what hangs here hangs by the session. The stories are in `docs/races/interrupt.md`.

pub mod executor;
pub mod kernel;
pub mod process;
pub mod properties;
pub mod scene;
pub mod session;
pub mod state;
pub mod telling;
pub mod worker;

use downbeat_sim::event_loop::{Await, EventLoop};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::report::Verdict;

use self::process::{IterableAt, Process};
use self::scene::Scene;
use self::state::{
    Action, Approval, Due, Gap, Generator, Left, MESSAGES, PROCESSES, Prompt, Session, State, Status, Truth,
    Worker,
};
use crate::health::monitor::Flags;

/// One worker with everything that acts on it.
#[derive(Clone, Copy, Debug)]
pub struct Interrupt {
    /// Failures in a row that open the circuit breaker.
    pub breaker: u8,
    /// Messages that a person writes.
    pub messages: u8,
    /// Whether a listener is called that is registered for a token which is cancelled already.
    pub calls_late_listeners: bool,
    /// Whether the monitor sends anything.
    pub is_monitored: bool,
    /// What else may happen.
    pub left: Left,
}

/// The bounds: name, default, least, most, help.
const BOUNDS: [(&str, u64, u8, u8, &str); 10] = [
    ("troubles", 2, 0, 6, "all of stops, pauses, ends, approvals and failures together"),
    ("stops", 1, 0, 2, "times that a person stops the worker"),
    ("pauses", 1, 0, 2, "times that a person pauses the worker"),
    ("ends", 1, 0, 2, "times that the worker is completed or killed from outside"),
    ("approvals", 1, 0, 2, "tools that need the approval of a person"),
    ("failures", 1, 0, 3, "turns that fail without an interrupt"),
    ("messages", 2, 0, MESSAGES, "messages that a person writes"),
    ("late-listeners", 1, 0, 1, "0 if nobody calls a listener that is registered for a cancelled token"),
    ("monitored", 1, 0, 1, "0 if nothing is reported of the worker"),
    // With fewer failures than the shipped threshold the breaker would never open.
    ("breaker", 1, 1, 3, "failures in a row that open the circuit breaker; shipped: 3"),
];

/// The system as it is, and the kernel in its place.
pub fn variants() -> Vec<Variant> {
    let as_is =
        Variant::new("as-is", "the slot, the token and the status as they are shipped", Interrupt::new);
    let as_is = BOUNDS.into_iter().fold(as_is, |variant, (name, default, least, most, help)| {
        variant.bound(name, default, u64::from(least)..=u64::from(most), help)
    });
    let violated =
        ["S5", "S6", "S7", "S9", "S11", "S12", "S13", "alone", "resumed", "deadlock", "L1", "L2", "L3"];
    let as_is = violated.into_iter().fold(as_is, |variant, id| variant.expect(id, Verdict::Violated));
    let deep = [("troubles", 3), ("failures", 2), ("breaker", 2)];
    std::iter::once(as_is.headline("resumed").deep(deep)).chain(kernel::variants()).collect()
}

impl Interrupt {
    /// A system within the bounds of [`variants`].
    pub fn new(bounds: &Bounds) -> Self {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            troubles: byte("troubles"),
            stops: byte("stops"),
            pauses: byte("pauses"),
            ends: byte("ends"),
            approvals: byte("approvals"),
            failures: byte("failures"),
        };
        Self {
            breaker: byte("breaker"),
            messages: byte("messages"),
            calls_late_listeners: byte("late-listeners") > 0,
            is_monitored: byte("monitored") > 0,
            left,
        }
    }

    fn scene(&self, state: &State, told: bool) -> Scene<'_> {
        Scene { system: self, state: *state, told: told.then(Vec::new) }
    }

    /// What the SDK may do.
    fn provider_actions(state: &State, actions: &mut Vec<Action>) {
        let Left { troubles, approvals, failures, .. } = state.left;
        let works = state.session.generator == Generator::Live
            && state.iterable(IterableAt::Yielded).is_some()
            && state.approval != Approval::Pending;
        if works {
            actions.push(Action::Answer);
            let may_ask = troubles > 0 && approvals > 0 && state.approval == Approval::None;
            actions.extend(may_ask.then_some(Action::AskApproval));
            if troubles > 0 && failures > 0 {
                actions.extend([Action::Break(true), Action::Break(false)]);
            }
        }
        if state.session.generator == Generator::Dying {
            actions.extend([Action::EndOwn(true), Action::EndOwn(false)]);
        }
        if state.session.old > 0 {
            actions.extend([Action::EndOld(true), Action::EndOld(false)]);
        }
    }

    /// What people may do: nothing to a worker that was killed, as nobody finds it any more.
    fn people_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.truth.is_killed {
            return;
        }
        let status = state.worker.status;
        let Left { troubles, stops, pauses, ends, .. } = state.left;
        let is_busy = matches!(status, Status::Running | Status::WaitingApproval | Status::Paused);
        let may = |budget: u8| troubles > 0 && budget > 0;
        let acts = [
            (Action::Write, state.truth.sent < self.messages),
            (Action::Stop, may(stops) && is_busy),
            (Action::Pause, may(pauses) && status == Status::Running),
            (Action::Resume, status == Status::Paused),
            (Action::Approve, state.approval != Approval::None),
            (Action::Complete, may(ends) && status.is_active()),
            (Action::Kill, may(ends) && status.is_active()),
        ];
        actions.extend(acts.into_iter().filter_map(|(action, may)| may.then_some(action)));
    }
}

impl Model for Interrupt {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let state = State {
            processes: EventLoop::new(),
            worker: Worker { status: Status::Running, slot: None, has_waiter: false, handed: None },
            prompt: Prompt::Job,
            is_cancelled: false,
            failures: 0,
            session: Session {
                generator: Generator::None,
                has_request: false,
                settled: None,
                old: 0,
                exists: false,
            },
            approval: Approval::None,
            monitor: self.is_monitored.then(Flags::default),
            truth: Truth {
                sent: 0,
                delivered: 0,
                is_held: false,
                is_stopped: false,
                is_ended: false,
                is_killed: false,
            },
            left: self.left,
        };
        let mut scene = self.scene(&state, false);
        scene.begin_loop();
        vec![scene.state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if !state.processes.is_quiet() {
            return actions.push(Action::Microtask);
        }
        // A timer of no time fires before anything that takes any, and timers of one duration fire in order.
        let late = [Process::LateAbort, Process::LateWithdraw];
        if let Some(pid) = late.into_iter().find_map(|late| state.late_listener(late)) {
            return actions.push(Action::Fire(pid));
        }
        let external = state.processes.suspended().filter(|(_, _, on)| *on == Await::External);
        actions.extend(external.map(|(pid, _, _)| Action::Fire(pid)));
        Self::provider_actions(state, actions);
        self.people_actions(state, actions);
        let reported = |due: &Due| state.monitor.is_some_and(|flags| due.is_reported(flags));
        actions.extend(Due::ALL.into_iter().filter(reported).map(Action::Tick));
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

    fn marks(&self) -> Vec<String> {
        Gap::ALL.map(|(_, words)| format!("an interrupt {words}")).to_vec()
    }

    fn mark(&self, before: &State, action: &Action, after: &State, hit: &mut dyn FnMut(usize)) {
        let interrupts = matches!(action, Action::Stop | Action::Tick(_));
        let cancels =
            interrupts && before.worker.status != Status::Idle && after.worker.status == Status::Idle;
        let gap = before.gap().filter(|_| cancels);
        if let Some(index) = Gap::ALL.iter().position(|(known, _)| gap == Some(*known)) {
            hit(index);
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = |name: &str, fair: Action| Fairness::weak(name, move |action: &Action| *action == fair);
        let mut fairness = vec![
            fair("the head of the microtask queue runs", Action::Microtask),
            fair("the provider answers", Action::Answer),
            fair("the idle time passes", Action::Tick(Due::Idle)),
            fair("the interval passes", Action::Tick(Due::Check)),
            fair("the stuck time passes", Action::Tick(Due::Stuck)),
        ];
        fairness.extend((0..PROCESSES).map(|slot| {
            Fairness::weak(
                format!("what process {slot} awaits comes"),
                move |action| matches!(action, Action::Fire(pid) if pid.index() == slot),
            )
        }));
        fairness
    }

    fn is_final(&self, state: &State) -> bool {
        properties::rests(state)
    }

    fn lanes(&self) -> Vec<String> {
        ["person", "monitor", "worker", "session", "SDK"].map(str::to_owned).to_vec()
    }

    fn opening(&self, _: &State) -> String {
        "the worker is deployed, and monitored; its model is being selected".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut scene = self.scene(before, true);
        if scene.step(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        telling::told(before, *action, after, scene.told.unwrap_or_default())
    }
}
