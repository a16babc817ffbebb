//! A machine of the kernel in a world that does its worst.
//!
//! The state is the machine and the world around it. A step is one act of the world: something that only the world knows
//! of, or an event that the machine takes. Its orders go out in their order, and a crash may come between any two of them,
//! or at rest: the timers of the process are gone, and the machine repeats what is outstanding (`resync`). The event is on
//! record before its orders go out, so the machine itself loses nothing.
//!
//! With a second owner the process may be suspended, between any two steps of its own: the machine takes an event, the journal
//! has it, each order goes out. Another process goes on from what is on record ([`owners`]).
//!
//! Links are not modelled as queues. What was sent once may arrive at any later moment, any number of times, in any order,
//! or never; fairness says what arrives at some time. What a process hears that was replaced is lost for nobody by that.

mod step;
#[cfg(test)]
mod tests;
mod world;

use downbeat_kernel::Config;
use downbeat_sim::kinds::Kinds as _;
use downbeat_sim::model::{Fairness, Lane, Model, Property, Told};

use super::owners::{self, Course, Flaw};
pub use world::{Fair, World};

/// The lane of whoever drives the machine, in every diagram.
pub const DESK: Lane = 0;

/// A process in the middle of an event, or one that was replaced. Of an event it has what the world calls it, too.
pub type Former<W> =
    owners::Former<<W as World>::Machine, (<W as World>::Act, <W as World>::Event), <W as World>::Effect>;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<A> {
    /// Something happens, and the process comes so far with it.
    Act(A, Course),
    /// The process crashes at rest.
    Crash,
    /// What a slow process has taken is on record.
    Journal,
    /// The next order of a slow process goes out.
    Release,
    /// Another process goes on from what is on record. The one before is suspended, and has not noticed.
    TakeOver,
    /// Something comes to the one before: to a flawed store it makes a difference what it is.
    Wake(Option<A>),
    /// The one before writes what it has taken. The store refuses that, and it ends.
    WriteLate,
    /// An order of the one before goes out that was on record when it was replaced.
    ReleaseLate(u8),
}

/// The kinds of steps beside those of the world, in the order of [`Closed::kind_of`].
const KINDS: [&str; 7] = ["Crash", "Journal", "Release", "TakeOver", "Wake", "WriteLate", "ReleaseLate"];

/// One state of the system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State<W: World> {
    /// The machine, as it is on record.
    pub machine: W::Machine,
    /// What surrounds it.
    pub world: W,
    /// A process that is slow, or the one before the present owner.
    pub former: Option<Box<Former<W>>>,
    /// How often a process may still be suspended.
    pub owners: u8,
    /// An event that was not applied has changed something all the same (S25).
    pub changed_unapplied: bool,
    /// The machine says that it cannot be as it is.
    pub invalid: bool,
}

/// The closed system of a machine and a world.
#[derive(Clone, Debug)]
pub struct Closed<W> {
    first: W,
    config: Config,
    owners: u8,
    flaw: Option<Flaw>,
}

impl<W: World> Closed<W> {
    /// The system that begins in a world, with one owner.
    pub fn new(first: W) -> Self {
        Self { first, config: W::config(), owners: 0, flaw: None }
    }

    /// The same system, whose process may be suspended so many times.
    #[must_use]
    pub fn with_owners(mut self, owners: u8) -> Self {
        self.owners = owners;
        self
    }

    /// The same system, in which nobody does this duty.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// The same system with a fault planted in its machine.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self
    }

    /// The place of an action among the kinds.
    fn kind_of(action: &Action<W::Act>) -> usize {
        let beside = match action {
            Action::Act(act, _) => return act.kind(),
            Action::Crash => 0,
            Action::Journal => 1,
            Action::Release => 2,
            Action::TakeOver => 3,
            Action::Wake(_) => 4,
            Action::WriteLate => 5,
            Action::ReleaseLate(_) => 6,
        };
        W::Act::COUNT + beside
    }
}

impl<W: World> Model for Closed<W> {
    type State = State<W>;
    type Action = Action<W::Act>;

    fn initial(&self) -> Vec<State<W>> {
        let machine = W::Machine::default();
        let (world, owners) = (self.first, self.owners);
        vec![State { machine, world, former: None, owners, changed_unapplied: false, invalid: false }]
    }

    fn actions(&self, state: &State<W>, actions: &mut Vec<Self::Action>) {
        let mut acts = Vec::new();
        state.world.acts(&state.machine, &mut acts);
        let may_crash = { state.world }.spend_crash().is_some();
        for act in acts {
            if state.is_slow() && state.world.event(&state.machine, act).is_some() {
                continue;
            }
            actions.push(Action::Act(act, Course::Whole));
            let Some(orders) = self.orders(&state.world, &state.machine, act) else { continue };
            if may_crash {
                actions.extend((0..orders).map(|kept| Action::Act(act, Course::Crash(kept))));
            }
            if state.owners > 0 && state.former.is_none() {
                actions.push(Action::Act(act, Course::Slow));
            }
        }
        if may_crash {
            actions.push(Action::Crash);
        }
        self.of_owners(state, actions);
    }

    fn next(&self, state: &State<W>, action: &Self::Action) -> Option<State<W>> {
        self.take(state, *action, &mut |_| {})
    }

    fn kinds(&self) -> Vec<&'static str> {
        let beside = if self.owners > 0 { KINDS.len() } else { 1 };
        W::Act::names().into_iter().chain(KINDS.into_iter().take(beside)).collect()
    }

    fn kind(&self, action: &Self::Action) -> usize {
        Self::kind_of(action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = W::properties();
        properties.extend([
            Property::always_step(
                "S25",
                "not applied means nothing changed and nothing was emitted",
                |_, _: &State<W>, _, after: &State<W>| !after.changed_unapplied,
                |_, before: &State<W>, action: &Action<W::Act>, after| {
                    before == after && matches!(action, Action::Act(..))
                },
                |_, _| {
                    "the machine did not apply the event, and changed or emitted something all the same"
                        .into()
                },
            ),
            Property::always(
                "valid",
                "the machine says of itself that it can be",
                |_, state: &State<W>| !state.invalid,
                |_, state: &State<W>| state.machine != <W::Machine as Default>::default(),
                |_, state: &State<W>| format!("{:?} cannot be", state.machine),
            ),
        ]);
        properties
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = |(name, includes): Fair<W::Act>| {
            Fairness::weak(
                name,
                move |action: &Action<W::Act>| matches!(action, Action::Act(act, Course::Whole) if includes(*act)),
            )
        };
        let goes_on = Fairness::weak("a slow process goes on", |action: &Action<W::Act>| {
            matches!(action, Action::Journal | Action::Release)
        });
        W::fair().into_iter().map(fair).chain((self.owners > 0).then_some(goes_on)).collect()
    }

    fn is_final(&self, state: &State<W>) -> bool {
        state.world.unsettled().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let former = (self.owners > 0).then(|| "the owner before".to_owned());
        W::lanes().into_iter().chain(former).collect()
    }

    fn opening(&self, state: &State<W>) -> String {
        state.world.standing(&state.machine)
    }

    fn tell(&self, before: &State<W>, action: &Self::Action, after: &State<W>) -> Told {
        let mut arrows = Vec::new();
        if self.take(before, *action, &mut |arrow| arrows.push(arrow)).is_none() {
            unreachable!("{action:?} is told, and it was refused");
        }
        let mut arrows = arrows.into_iter();
        let Some(first) = arrows.next() else { unreachable!("every step has something to tell") };
        let told = arrows.fold(Told::new(first.from, first.to, first.text), |told, arrow| {
            told.then(arrow.from, arrow.to, arrow.text)
        });
        let (was, is) = (before.world.standing(&before.machine), after.world.standing(&after.machine));
        if was == is { told } else { told.change(is) }
    }
}
