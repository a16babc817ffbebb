//! Two-phase commit, after Gray and Lamport, "Consensus on Transaction Commit": one transaction manager and up
//! to eight resource managers that may abort by themselves as long as they have not prepared.

use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::pack::Pack;
use downbeat_sim::symmetry::{Rename, Symmetry};

/// Two-phase commit with so many resource managers, at most eight.
pub(crate) struct TwoPhaseCommit {
    pub(crate) managers: u8,
}

/// A resource manager: none is set apart by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
pub(crate) struct ManagerId(u8);

/// All that is known anywhere, as sets of resource managers: whoever is in none of the first three is working. Messages
/// stay: whoever has been sent one may receive it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Rename)]
pub(crate) struct State {
    #[rename(bits = ManagerId)]
    pub(crate) prepared: u8,
    #[rename(bits = ManagerId)]
    pub(crate) committed: u8,
    #[rename(bits = ManagerId)]
    pub(crate) aborted: u8,
    /// The resource managers of which the transaction manager knows that they have prepared.
    #[rename(bits = ManagerId)]
    pub(crate) known_prepared: u8,
    /// The resource managers that have sent `prepared`.
    #[rename(bits = ManagerId)]
    pub(crate) sent_prepared: u8,
    pub(crate) transaction: Transaction,
    pub(crate) sent_commit: bool,
    pub(crate) sent_abort: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Rename)]
pub(crate) enum Transaction {
    Open,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub(crate) enum Action {
    Commit,
    Abort,
    ReceivePrepared(u8),
    Prepare(u8),
    ChooseToAbort(u8),
    ReceiveCommit(u8),
    ReceiveAbort(u8),
}

impl TwoPhaseCommit {
    fn all(&self) -> u8 {
        u8::MAX >> (8 - self.managers)
    }

    fn working(&self, state: State) -> u8 {
        self.all() & !(state.prepared | state.committed | state.aborted)
    }

    fn lane(number: u8) -> usize {
        usize::from(number) + 1
    }
}

impl TwoPhaseCommit {
    /// Every action that may be taken.
    #[inline]
    fn enabled(&self, state: State, mut action: impl FnMut(Action)) {
        let open = state.transaction == Transaction::Open;
        if open && state.known_prepared == self.all() {
            action(Action::Commit);
        }
        if open {
            action(Action::Abort);
        }
        for number in 0..self.managers {
            if open && state.sent_prepared & (1 << number) != 0 {
                action(Action::ReceivePrepared(number));
            }
            if self.working(state) & (1 << number) != 0 {
                action(Action::Prepare(number));
                action(Action::ChooseToAbort(number));
            }
            if state.sent_commit {
                action(Action::ReceiveCommit(number));
            }
            if state.sent_abort {
                action(Action::ReceiveAbort(number));
            }
        }
    }

    #[inline]
    fn after(state: State, action: Action) -> State {
        let mut next = state;
        match action {
            Action::Commit => {
                next.transaction = Transaction::Committed;
                next.sent_commit = true;
            }
            Action::Abort => {
                next.transaction = Transaction::Aborted;
                next.sent_abort = true;
            }
            Action::ReceivePrepared(number) => next.known_prepared |= 1 << number,
            Action::Prepare(number) => {
                next.prepared |= 1 << number;
                next.sent_prepared |= 1 << number;
            }
            Action::ChooseToAbort(number) | Action::ReceiveAbort(number) => {
                next.prepared &= !(1 << number);
                next.committed &= !(1 << number);
                next.aborted |= 1 << number;
            }
            Action::ReceiveCommit(number) => {
                next.prepared &= !(1 << number);
                next.aborted &= !(1 << number);
                next.committed |= 1 << number;
            }
        }
        next
    }
}

impl Model for TwoPhaseCommit {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            prepared: 0,
            committed: 0,
            aborted: 0,
            known_prepared: 0,
            sent_prepared: 0,
            transaction: Transaction::Open,
            sent_commit: false,
            sent_abort: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.enabled(*state, |action| actions.push(action));
    }

    fn steps(&self, state: &State, _: &mut Vec<Action>, mut take: impl FnMut(&Action, State)) {
        self.enabled(*state, |action| take(&action, Self::after(*state, action)));
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        Some(Self::after(*state, *action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "S1",
                "no resource manager commits while another aborts",
                |_, state| state.committed == 0 || state.aborted == 0,
                |_, state| state.committed != 0,
                |_, _| "one resource manager has committed and another has aborted".into(),
            ),
            Property::<Self>::sometimes("R1", "all commit", |model, state| state.committed == model.all()),
            Property::<Self>::sometimes("R2", "all abort", |model, state| state.aborted == model.all()),
        ]
    }

    fn symmetry(&self) -> Option<Symmetry<Self>> {
        Some(Symmetry::new().of::<ManagerId>(self.managers.into()))
    }

    fn is_final(&self, state: &State) -> bool {
        state.committed | state.aborted == self.all()
    }

    fn lanes(&self) -> Vec<String> {
        let resources = (1..=self.managers).map(|number| format!("resource {number}"));
        std::iter::once("transaction".to_owned()).chain(resources).collect()
    }

    fn tell(&self, _: &State, action: &Action, _: &State) -> Told {
        match *action {
            Action::Commit => Told::new(0, 0, "commits"),
            Action::Abort => Told::new(0, 0, "aborts"),
            Action::ReceivePrepared(number) => Told::new(Self::lane(number), 0, "prepared"),
            Action::Prepare(number) => Told::new(Self::lane(number), Self::lane(number), "prepares"),
            Action::ChooseToAbort(number) => {
                Told::new(Self::lane(number), Self::lane(number), "aborts by itself")
            }
            Action::ReceiveCommit(number) => Told::new(0, Self::lane(number), "commit"),
            Action::ReceiveAbort(number) => Told::new(0, Self::lane(number), "abort"),
        }
    }
}
