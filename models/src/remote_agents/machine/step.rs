//! What a step does to a machine and the world around it, by its owner and by the one before.

use downbeat_sim::model::{Arrow, Lane};

use super::super::owners::{Course, Flaw};
use super::{Action, Closed, DESK, Former, State, World};

impl<W: World> State<W> {
    /// Whether the owner is in the middle of an event, and hears nothing.
    pub(super) fn is_slow(&self) -> bool {
        self.former.as_ref().is_some_and(|former| !former.is_replaced())
    }

    fn settle_former(&mut self) {
        self.former = self.former.take().and_then(|former| former.settled(true)).map(Box::new);
    }
}

impl<W: World> Closed<W> {
    /// The lane of a process that was replaced.
    fn former_lane() -> Lane {
        W::lanes().len()
    }

    /// How many orders an act has a machine give, if that applies it.
    pub(super) fn orders(&self, world: &W, machine: &W::Machine, act: W::Act) -> Option<u8> {
        let event = world.event(machine, act)?;
        let (mut machine, mut orders) = (*machine, 0);
        W::step(&mut machine, event, &self.config, &mut |_| orders += 1).then_some(orders)
    }

    /// What may become of a process that is slow or was replaced.
    pub(super) fn of_owners(&self, state: &State<W>, actions: &mut Vec<Action<W::Act>>) {
        if state.owners > 0 || state.is_slow() {
            actions.push(Action::TakeOver);
        }
        let Some(former) = &state.former else { return };
        if state.is_slow() {
            if former.is_to_write() {
                actions.push(Action::Journal);
            }
            if !former.is_to_write() || self.flaw == Some(Flaw::Unrecorded) {
                actions.push(Action::Release);
            }
            return;
        }
        if former.is_to_write() {
            actions.push(Action::WriteLate);
        }
        if former.hears() {
            actions.push(Action::Wake(None));
        }
        if let Some(machine) = former.machine() {
            let mut acts = Vec::new();
            state.world.acts(machine, &mut acts);
            // Its timers are its own.
            if !acts.contains(&W::elapses()) {
                acts.push(W::elapses());
            }
            let applied = acts.into_iter().filter(|act| self.orders(&state.world, machine, *act).is_some());
            actions.extend(applied.map(|act| Action::Wake(Some(act))));
        }
        actions.extend((0..).zip(former.owes()).map(|(at, _)| Action::ReleaseLate(at)));
    }

    /// Takes one step; `None` if it may not be taken. `tell` is given what there is to tell.
    pub(super) fn take(
        &self,
        from: &State<W>,
        action: Action<W::Act>,
        tell: &mut dyn FnMut(Arrow),
    ) -> Option<State<W>> {
        let mut state = self.counted(from, action, tell)?;
        state.world.renumber(&mut state.machine, state.former.as_deref_mut());
        Some(state)
    }

    /// The same, and every number stays as it was counted.
    pub(super) fn counted(
        &self,
        from: &State<W>,
        action: Action<W::Act>,
        tell: &mut dyn FnMut(Arrow),
    ) -> Option<State<W>> {
        let mut state = from.clone();
        match action {
            Action::Act(act, course) => self.act(&mut state, act, course, tell)?,
            Action::Crash => self.crash(&mut state, tell)?,
            Action::Journal => self.journal(&mut state, tell)?,
            Action::Release => self.release(&mut state, tell)?,
            Action::TakeOver => self.take_over(&mut state, tell)?,
            Action::Wake(act) => self.wake(&mut state, act, tell)?,
            Action::WriteLate => write_late(&mut state, tell)?,
            Action::ReleaseLate(at) => {
                let order = state.former.as_mut()?.release_late(at)?;
                late::<W>(&mut state, order, tell);
                state.settle_former();
            }
        }
        Some(state)
    }

    fn act(
        &self,
        state: &mut State<W>,
        act: W::Act,
        course: Course,
        tell: &mut dyn FnMut(Arrow),
    ) -> Option<()> {
        tell(state.world.told(act));
        let event = state.world.event(&state.machine, act);
        if course == Course::Slow {
            state.owners = state.owners.checked_sub(1)?;
            let (mut machine, mut orders) = (state.machine, Vec::new());
            W::step(&mut machine, event?, &self.config, &mut |order| orders.push(order));
            tell(at_desk("has yet to put that on record"));
            state.former = Some(Box::new(Former::<W>::slow(machine, (act, event?), orders)));
            return Some(());
        }
        state.world.happens(act);
        if let Some(event) = event {
            self.inform(state, event, course, tell);
        }
        match course {
            Course::Whole | Course::Slow => Some(()),
            Course::Crash(_) => self.crash(state, tell),
        }
    }

    fn inform(&self, state: &mut State<W>, event: W::Event, course: Course, tell: &mut dyn FnMut(Arrow)) {
        let (before, mut orders) = (state.machine, Vec::new());
        if W::step(&mut state.machine, event, &self.config, &mut |order| orders.push(order)) {
            state.world.is_taken(event);
        } else {
            tell(at_desk("takes no notice"));
            state.changed_unapplied |= before != state.machine || !orders.is_empty();
        }
        state.invalid |= !W::is_valid(&state.machine, &self.config);
        let kept = match course {
            Course::Whole | Course::Slow => usize::MAX,
            Course::Crash(kept) => kept.into(),
        };
        obey(state, orders.into_iter().take(kept), tell);
    }

    /// What a slow owner has taken has happened when it is on record, and not before.
    fn journal(&self, state: &mut State<W>, tell: &mut dyn FnMut(Arrow)) -> Option<()> {
        let former = state.former.as_mut()?;
        let ((act, event), _) = former.record()?;
        state.machine = former.hand_over()?;
        state.world.happens(act);
        state.world.is_taken(event);
        state.invalid |= !W::is_valid(&state.machine, &self.config);
        tell(at_desk("that is on record"));
        state.settle_former();
        Some(())
    }

    fn release(&self, state: &mut State<W>, tell: &mut dyn FnMut(Arrow)) -> Option<()> {
        let former = state.former.as_mut()?;
        if former.is_to_write() {
            debug_assert_eq!(self.flaw, Some(Flaw::Unrecorded), "an order goes out after its event");
            let order = former.release_unrecorded()?;
            tell(W::ordered(order));
            if !W::is_of_timer(order) {
                state.world.hears_of(order);
            }
        } else {
            let order = former.release()?;
            obey(state, [order], tell);
        }
        state.settle_former();
        Some(())
    }

    fn take_over(&self, state: &mut State<W>, tell: &mut dyn FnMut(Arrow)) -> Option<()> {
        // Whoever is slow has been suspended already.
        if !state.is_slow() {
            state.owners = state.owners.checked_sub(1)?;
        }
        tell(at_desk("another process goes on from what is on record"));
        let slow = state.former.take().map(|former| *former);
        let mut former = Former::<W>::replaced(slow, &state.machine, Vec::new(), W::is_of_timer, self.flaw);
        if self.flaw != Some(Flaw::Unfenced) {
            former.forget_machine();
        }
        state.former = Some(Box::new(former));
        state.settle_former();
        self.begin_anew(state, tell);
        Some(())
    }

    /// Something comes to a process that was replaced. In the world nothing has happened by that: whoever says it is told
    /// nothing, and says it again.
    fn wake(&self, state: &mut State<W>, act: Option<W::Act>, tell: &mut dyn FnMut(Arrow)) -> Option<()> {
        let former = state.former.as_mut()?;
        let lane = Self::former_lane();
        let Some(act) = act else {
            former.takes_something();
            tell(Arrow {
                from: lane,
                to: lane,
                text: "hears something, and would have it on record".to_owned(),
            });
            return Some(());
        };
        let (mut machine, mut orders) = (*former.machine()?, Vec::new());
        let event = state.world.event(&machine, act)?;
        W::step(&mut machine, event, &self.config, &mut |order| orders.push(order));
        *former.machine_mut()? = machine;
        former.takes((act, event), orders, self.flaw);
        let Arrow { from, to, text } = state.world.told(act);
        let of_former = |of| if of == DESK { lane } else { of };
        tell(Arrow { from: of_former(from), to: of_former(to), text });
        Some(())
    }

    fn crash(&self, state: &mut State<W>, tell: &mut dyn FnMut(Arrow)) -> Option<()> {
        state.world.spend_crash()?;
        tell(at_desk("the process crashes, and begins anew"));
        if state.is_slow() {
            state.former = None;
        }
        self.begin_anew(state, tell);
        Some(())
    }

    /// A process that has nothing under way goes on from what is on record.
    fn begin_anew(&self, state: &mut State<W>, tell: &mut dyn FnMut(Arrow)) {
        state.world.begin_anew();
        let mut orders = Vec::new();
        W::resync(&state.machine, &self.config, &mut |order| orders.push(order));
        obey(state, orders, tell);
    }
}

fn at_desk(text: &str) -> Arrow {
    Arrow { from: DESK, to: DESK, text: text.to_owned() }
}

fn obey<W: World>(
    state: &mut State<W>,
    orders: impl IntoIterator<Item = W::Effect>,
    tell: &mut dyn FnMut(Arrow),
) {
    for order in orders {
        tell(W::ordered(order));
        state.world.obeys(order);
    }
}

/// An order of a process that was replaced goes out.
fn late<W: World>(state: &mut State<W>, order: W::Effect, tell: &mut dyn FnMut(Arrow)) {
    tell(Arrow { from: Closed::<W>::former_lane(), ..W::ordered(order) });
    state.world.hears_of(order);
}

/// A process that was replaced writes what it has taken. The store refuses that, and it ends.
fn write_late<W: World>(state: &mut State<W>, tell: &mut dyn FnMut(Arrow)) -> Option<()> {
    let lane = Closed::<W>::former_lane();
    let mut former = state.former.take()?;
    let Some(((act, event), _)) = former.record() else {
        tell(Arrow { from: lane, to: lane, text: "is refused, and ends".to_owned() });
        return Some(());
    };
    tell(Arrow { from: lane, to: lane, text: "that is on record".to_owned() });
    state.world.happens(act);
    state.world.is_taken(event);
    former.forget(W::is_of_timer);
    state.former = former.settled(true).map(Box::new);
    Some(())
}
