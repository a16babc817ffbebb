//! A machine of the kernel in a world that does its worst.
//!
//! The state is the machine and the world around it. A step is one act of the world: something that only the world knows
//! of, or an event that the machine takes. Its orders go out in their order, and a crash may come between any two of them,
//! or at rest: the timers of the process are gone, and the machine repeats what is outstanding (`resync`). The event is on
//! record before its orders go out, so the machine itself loses nothing.
//!
//! Links are not modelled as queues. What was sent once may arrive at any later moment, any number of times, in any order,
//! or never; fairness says what arrives at some time.

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::hash::Hash;

use downbeat_kernel::Config;
use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Arrow, Fairness, Lane, Model, Property, Told};

/// Acts that are not put off for ever: the name, and which they are.
pub type Fair<A> = (&'static str, fn(A) -> bool);

/// What surrounds a machine: what may happen there, and what comes of the machine's orders.
pub trait World: Copy + Eq + Hash + Debug + Send + Sync + 'static {
    /// The machine of the kernel.
    type Machine: Copy + Default + Eq + Hash + Debug + Send + Sync;
    /// What the machine is told.
    type Event: Copy + Debug;
    /// What it orders.
    type Effect: Copy + Debug;
    /// What may happen.
    type Act: Copy + Eq + Debug + Kinds + Send + Sync;

    /// The settings of the machine, but for a planted fault.
    fn config() -> Config;

    /// The machine takes an event, or not; whether it was applied.
    fn step(
        machine: &mut Self::Machine,
        event: Self::Event,
        config: &Config,
        sink: &mut dyn FnMut(Self::Effect),
    ) -> bool;

    /// The machine repeats what is outstanding.
    fn resync(machine: &Self::Machine, config: &Config, sink: &mut dyn FnMut(Self::Effect));

    /// Whether the machine says of itself that it can be.
    fn is_valid(machine: &Self::Machine, config: &Config) -> bool;

    /// Gives counters that only grow the lowest values under which everything goes on alike.
    fn renumber(&mut self, machine: &mut Self::Machine);

    /// Everything that may happen but a crash, always in the same order.
    fn acts(&self, machine: &Self::Machine, acts: &mut Vec<Self::Act>);

    /// The event that an act is to the machine, if it is told of it.
    fn event(&self, machine: &Self::Machine, act: Self::Act) -> Option<Self::Event>;

    /// What an act does in the world, before the machine is told.
    fn happens(&mut self, act: Self::Act);

    /// The machine has applied an event.
    fn is_taken(&mut self, event: Self::Event);

    /// Carries out an order.
    fn obeys(&mut self, order: Self::Effect);

    /// The process is gone with its timers; `None` if it may not crash any more.
    fn crash(&mut self) -> Option<()>;

    /// What keeps the world from rest, as a sentence; `None` if it may rest.
    fn unsettled(&self) -> Option<String>;

    /// What is asked of it, beside S25 and `valid`.
    fn properties() -> Vec<Property<Closed<Self>>>;

    /// Acts that are not put off for ever: the name, and which they are.
    fn fair() -> Vec<Fair<Self::Act>>;

    /// The participants of a diagram.
    fn lanes() -> Vec<String>;

    /// How an act reads.
    fn told(&self, act: Self::Act) -> Arrow;

    /// How an order reads.
    fn ordered(order: Self::Effect) -> Arrow;

    /// Where things stand, in one line.
    fn standing(&self, machine: &Self::Machine) -> String;
}

/// The lane of whoever drives the machine, in every diagram.
pub const DESK: Lane = 0;

/// One step: an act, and whether the process crashes while its orders go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action<A> {
    /// What happens; `None` for a crash at rest.
    pub act: Option<A>,
    /// The process crashes after so many orders, and less than all, went out.
    pub cut: Option<u8>,
}

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State<W: World> {
    /// The machine.
    pub machine: W::Machine,
    /// What surrounds it.
    pub world: W,
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
}

impl<W: World> Closed<W> {
    /// The system that begins in a world.
    pub fn new(first: W) -> Self {
        Self { first, config: W::config() }
    }

    /// The same system with a fault planted in its machine.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_fault(mut self, fault: downbeat_kernel::Fault) -> Self {
        self.config.fault = Some(fault);
        self
    }

    /// How many orders an act has the machine give.
    fn orders(&self, state: &State<W>, act: W::Act) -> u8 {
        let Some(event) = state.world.event(&state.machine, act) else { return 0 };
        let (mut machine, mut orders) = (state.machine, 0);
        W::step(&mut machine, event, &self.config, &mut |_| orders += 1);
        orders
    }

    /// Takes one step; `None` if it may not be taken. `tell` is given what there is to tell.
    fn take(&self, from: &State<W>, action: Action<W::Act>, tell: &mut dyn FnMut(Arrow)) -> Option<State<W>> {
        let mut state = self.counted(from, action, tell)?;
        state.world.renumber(&mut state.machine);
        Some(state)
    }

    /// The same, and every number stays as it was counted.
    fn counted(
        &self,
        from: &State<W>,
        action: Action<W::Act>,
        tell: &mut dyn FnMut(Arrow),
    ) -> Option<State<W>> {
        let mut state = *from;
        let Some(act) = action.act else {
            self.crash(&mut state, tell)?;
            return Some(state);
        };
        tell(state.world.told(act));
        let event = state.world.event(&state.machine, act);
        state.world.happens(act);
        if let Some(event) = event {
            self.inform(&mut state, event, action.cut, tell);
        }
        if action.cut.is_some() {
            self.crash(&mut state, tell)?;
        }
        Some(state)
    }

    fn inform(&self, state: &mut State<W>, event: W::Event, cut: Option<u8>, tell: &mut dyn FnMut(Arrow)) {
        let (before, mut orders) = (state.machine, Vec::new());
        if W::step(&mut state.machine, event, &self.config, &mut |order| orders.push(order)) {
            state.world.is_taken(event);
        } else {
            tell(Arrow { from: DESK, to: DESK, text: "takes no notice".to_owned() });
            state.changed_unapplied |= before != state.machine || !orders.is_empty();
        }
        state.invalid |= !W::is_valid(&state.machine, &self.config);
        for order in orders.into_iter().take(cut.map_or(usize::MAX, usize::from)) {
            tell(W::ordered(order));
            state.world.obeys(order);
        }
    }

    fn crash(&self, state: &mut State<W>, tell: &mut dyn FnMut(Arrow)) -> Option<()> {
        state.world.crash()?;
        tell(Arrow { from: DESK, to: DESK, text: "the process crashes, and begins anew".to_owned() });
        let mut orders = Vec::new();
        W::resync(&state.machine, &self.config, &mut |order| orders.push(order));
        for order in orders {
            tell(W::ordered(order));
            state.world.obeys(order);
        }
        Some(())
    }
}

impl<W: World> Model for Closed<W> {
    type State = State<W>;
    type Action = Action<W::Act>;

    fn initial(&self) -> Vec<State<W>> {
        let machine = W::Machine::default();
        vec![State { machine, world: self.first, changed_unapplied: false, invalid: false }]
    }

    fn actions(&self, state: &State<W>, actions: &mut Vec<Self::Action>) {
        let mut acts = Vec::new();
        state.world.acts(&state.machine, &mut acts);
        let may_crash = { state.world }.crash().is_some();
        for act in acts {
            let act = Some(act);
            actions.push(Action { act, cut: None });
            let cuts = if may_crash { act.map_or(0, |act| self.orders(state, act)) } else { 0 };
            actions.extend((0..cuts).map(|cut| Action { act, cut: Some(cut) }));
        }
        if may_crash {
            actions.push(Action { act: None, cut: None });
        }
    }

    fn next(&self, state: &State<W>, action: &Self::Action) -> Option<State<W>> {
        self.take(state, *action, &mut |_| {})
    }

    fn kinds(&self) -> Vec<&'static str> {
        W::Act::names().into_iter().chain(["Crash"]).collect()
    }

    fn kind(&self, action: &Self::Action) -> usize {
        action.act.map_or(W::Act::COUNT, |act| act.kind())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = W::properties();
        properties.extend([
            Property::always_step(
                "S25",
                "not applied means nothing changed and nothing was emitted",
                |_, _: &State<W>, _, after: &State<W>| !after.changed_unapplied,
                |_, before: &State<W>, action: &Action<W::Act>, after| {
                    before == after && action.act.is_some()
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
            Fairness::weak(name, move |action: &Action<W::Act>| {
                action.cut.is_none() && action.act.is_some_and(includes)
            })
        };
        W::fair().into_iter().map(fair).collect()
    }

    fn is_final(&self, state: &State<W>) -> bool {
        state.world.unsettled().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        W::lanes()
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
