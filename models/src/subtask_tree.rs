//! All of the kernel's machines composed: the tree of tasks with its requests and workers, a credential, a pool of agents, an
//! outbox, the attempts at a task, and the questions of its agent, wired as whoever drives them has to wire them.
//!
//! Each step is one event: the true answer to an order, an act of a person, a timer, or a machine that takes what another has to
//! say to it (`downbeat-wiring`). The machine takes the event, and its effects are released in their order. A crash may come
//! between any two effects, or at rest: what is on its way between machines is lost with everything else that is not on
//! record, and every machine repeats what is outstanding.
//!
//! What comes late or twice from outside is left out, as are links that lose and double: each machine is put to that by itself.
//! Here they meet: whether what one says is what the other needs, whatever comes between.
//!
//! A state is made of a few parts (`state`); a step copies those that it changes.

mod act;
mod agents;
mod asking;
mod content;
mod environment;
mod features;
mod judgement;
mod line;
mod moves;
mod pairs;
mod post;
mod purse;
mod scenario;
mod scenarios;
mod seen;
mod state;
mod step;
mod tasks;
mod vault;
mod view;
mod wish;
mod words;

use downbeat_kernel::{Event, Kernel, Outbox, Pool, RetryEvent};
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Model, Property, Told};

use crate::properties::{Observe, Observed};
use act::Act;
use agents::{AGENTS, Place};
use asking::Asking;
use downbeat_wiring::Machine;
use post::Receiver;
use seen::Seen;
use state::{Breaches, Desk, Fleet, Orders, Post, Settings, State, Tables, Tree, Wish, id};
use step::Step;
use vault::Vault;
use view::View;

pub use act::Action;
pub use features::FEATURES;
pub use scenario::{Budget, Left, Scenario};
pub use scenarios::{Named, scenarios, variants};

/// A fault of the wiring: whoever drives the machines does not do what `docs/composition.md` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Gives a credential to another who waits.
    WaitersCrossed,
    /// Does not ask again for a credential after a crash.
    AskedOnce,
    /// Sends again with the token that was refused, whatever the send names.
    TokenKept,
    /// Writes a credential again of which nothing was heard, in the place of whatever is there.
    WritesOver,
    /// Puts the end of a root on record before everybody has it who has to.
    ForgetsAtOnce,
    /// Lets out what uses a place although there is none.
    GateOpen,
    /// Lets out what was kept although it was told to stop.
    StopMissesKept,
    /// Drops what was kept for the next iterator when the last one has ended.
    StopMeetsNext,
    /// Lets out what was kept although a person holds the task.
    HeldKeptGoesOut,
    /// Lets out what the tree repeats after a crash although a person holds the task.
    HeldRepeatGoesOut,
    /// Takes what an agent says under a lease that is over.
    OldLeaseTaken,
    /// Takes what an agent answers for the answer to the last prompt, whatever it answers and under which lease.
    AnswersUnnamed,
    /// Does not say that a tool was lost with its place.
    LostToolUntold,
    /// Has the pool place each subtask.
    SubtasksPlaced,
    /// Tells people of the end of each attempt.
    AttemptsConclude,
    /// Sends no bill again after a crash.
    BilledOnce,
    /// Says to the tree alone that a person will have no more spent on an attempt.
    DeniedToTree,
    /// Does not say to the questions of a root that its agent has lost its lease.
    LostAskerUntold,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Self; 18] = [
        Self::WaitersCrossed,
        Self::AskedOnce,
        Self::TokenKept,
        Self::WritesOver,
        Self::ForgetsAtOnce,
        Self::GateOpen,
        Self::StopMissesKept,
        Self::StopMeetsNext,
        Self::HeldKeptGoesOut,
        Self::HeldRepeatGoesOut,
        Self::OldLeaseTaken,
        Self::AnswersUnnamed,
        Self::LostToolUntold,
        Self::SubtasksPlaced,
        Self::AttemptsConclude,
        Self::BilledOnce,
        Self::DeniedToTree,
        Self::LostAskerUntold,
    ];
}

/// The closed system of one scenario.
pub struct SubtaskTree {
    scenario: Scenario,
    settings: Settings,
    tables: Tables,
    fault: Option<Fault>,
}

impl SubtaskTree {
    /// A system whose machines are those that ship.
    pub fn new(scenario: Scenario) -> Self {
        Self { scenario, settings: Settings::of(&scenario), tables: Tables::new(), fault: None }
    }

    /// The same system with a fault in its wiring.
    #[must_use]
    pub fn with_wiring_fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The same system with a fault planted in each of its machines that can have it.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        let Settings { kernel, credential, pool, outbox, retry, questions, budget: _ } = &mut self.settings;
        for config in [kernel, credential, outbox, retry, questions] {
            config.fault = Some(fault);
        }
        pool.fault = Some(fault);
        self
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Nothing was submitted.
    fn nothing(&self) -> State {
        let tables = &self.tables;
        let tree = Tree {
            kernel: Kernel::new(self.settings.kernel),
            orders: std::array::from_fn(|_| Orders::default()),
            written: [0; crate::watch::TASKS],
            down: false,
        };
        let fleet = Fleet { pool: Pool::new(self.settings.pool), places: [Place::ABSENT; AGENTS] };
        let post = Post { outbox: Outbox::default(), receiver: Receiver::default() };
        State {
            tree: tables.tree.intern(tree),
            vault: tables.vault.intern(Vault::FIRST),
            fleet: tables.fleet.intern(fleet),
            post: tables.post.intern(post),
            wish: tables.wish.intern(Wish::default()),
            asking: tables.asking.intern(Asking::default()),
            desk: tables.desk.intern(Desk::default()),
            seen: tables.seen.intern(Seen::nothing(self.scenario.sends)),
            left: self.scenario.left,
            breaches: Breaches::default(),
        }
    }
}

impl Model for SubtaskTree {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let nothing = self.nothing();
        let mut step = Step::new(self, &nothing, None);
        if self.scenario.retry {
            step.inform_wish(RetryEvent::Submitted);
        }
        for root in 0..self.scenario.roots {
            let mut next = Step::new(self, &step.fold(), None);
            if !self.scenario.is_tried_again(root) {
                let budget = self.settings.budget;
                next.inform_tree(Event::TaskSubmitted { task: id(root), budget });
            } else if self.scenario.roots > 1 {
                // The first attempt has its id before the second root has one.
                next.take(Action { act: Act::Take(Machine::Tree), cut: None });
            }
            step = next;
        }
        vec![step.fold()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.each_step(state, |action, _| actions.push(*action));
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut step = Step::new(self, state, None);
        step.take(*action)?;
        Some(step.fold())
    }

    fn steps(&self, state: &State, _: &mut Vec<Action>, take: impl FnMut(&Action, State)) {
        self.each_step(state, take);
    }

    fn kinds(&self) -> Vec<&'static str> {
        Act::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.act.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        judgement::properties(&self.scenario)
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        environment::fairness(&self.scenario)
    }

    fn is_final(&self, state: &State) -> bool {
        View::new(self, state).is_at_rest()
    }

    fn lanes(&self) -> Vec<String> {
        words::lanes()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let mut arrows = Vec::new();
        let mut step = Step::new(self, before, Some(&mut arrows));
        if step.take(*action).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        drop(step);
        let mut arrows = arrows.into_iter();
        let Some(first) = arrows.next() else { unreachable!("every step has something to tell") };
        let told = arrows.fold(Told::new(first.from, first.to, first.text), |told, arrow| {
            told.then(arrow.from, arrow.to, arrow.text)
        });
        told.change(View::new(self, after).change(&View::new(self, before)))
    }
}

impl Observe for SubtaskTree {
    fn observe<'a>(&'a self, state: &'a State) -> impl Observed + 'a {
        View::new(self, state)
    }
}
