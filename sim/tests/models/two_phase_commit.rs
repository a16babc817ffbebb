//! Two-phase commit, after Gray and Lamport, "Consensus on Transaction Commit": one transaction manager and up
//! to eight resource managers that may abort by themselves as long as they have not prepared.

use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::symmetry::{Rename, Symmetry};

/// Two-phase commit with so many resource managers, at most eight.
pub(crate) struct TwoPhaseCommit {
    pub(crate) managers: u8,
}

/// A resource manager: none is set apart by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
pub(crate) struct ManagerId(u8);

/// All that is known anywhere. Messages stay: whoever has been sent one may receive it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
pub(crate) struct State {
    #[rename(index = ManagerId)]
    pub(crate) resources: [Resource; 8],
    pub(crate) transaction: Transaction,
    /// The resource managers of which the transaction manager knows that they have prepared.
    #[rename(bits = ManagerId)]
    pub(crate) known_prepared: u8,
    /// The resource managers that have sent `prepared`.
    #[rename(bits = ManagerId)]
    pub(crate) sent_prepared: u8,
    pub(crate) sent_commit: bool,
    pub(crate) sent_abort: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
pub(crate) enum Resource {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
pub(crate) enum Transaction {
    Open,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    fn has(&self, state: &State, resource: Resource) -> bool {
        state.resources[..usize::from(self.managers)].contains(&resource)
    }

    fn lane(number: u8) -> usize {
        usize::from(number) + 1
    }
}

impl Model for TwoPhaseCommit {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            resources: [Resource::Working; 8],
            transaction: Transaction::Open,
            known_prepared: 0,
            sent_prepared: 0,
            sent_commit: false,
            sent_abort: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let open = state.transaction == Transaction::Open;
        if open && state.known_prepared == self.all() {
            actions.push(Action::Commit);
        }
        if open {
            actions.push(Action::Abort);
        }
        for number in 0..self.managers {
            if open && state.sent_prepared & (1 << number) != 0 {
                actions.push(Action::ReceivePrepared(number));
            }
            if state.resources[usize::from(number)] == Resource::Working {
                actions.extend([Action::Prepare(number), Action::ChooseToAbort(number)]);
            }
            if state.sent_commit {
                actions.push(Action::ReceiveCommit(number));
            }
            if state.sent_abort {
                actions.push(Action::ReceiveAbort(number));
            }
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match *action {
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
                next.resources[usize::from(number)] = Resource::Prepared;
                next.sent_prepared |= 1 << number;
            }
            Action::ChooseToAbort(number) | Action::ReceiveAbort(number) => {
                next.resources[usize::from(number)] = Resource::Aborted;
            }
            Action::ReceiveCommit(number) => next.resources[usize::from(number)] = Resource::Committed,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "S1",
                "no resource manager commits while another aborts",
                |model, state| {
                    !(model.has(state, Resource::Committed) && model.has(state, Resource::Aborted))
                },
                |model, state| model.has(state, Resource::Committed),
                |_, _| "one resource manager has committed and another has aborted".into(),
            ),
            Property::<Self>::sometimes("R1", "all commit", |model, state| {
                state.resources[..usize::from(model.managers)].iter().all(|one| *one == Resource::Committed)
            }),
            Property::<Self>::sometimes("R2", "all abort", |model, state| {
                state.resources[..usize::from(model.managers)].iter().all(|one| *one == Resource::Aborted)
            }),
        ]
    }

    fn symmetry(&self) -> Option<Symmetry<Self>> {
        Some(Symmetry::new().of::<ManagerId>(self.managers.into()))
    }

    fn is_final(&self, state: &State) -> bool {
        !self.has(state, Resource::Working) && !self.has(state, Resource::Prepared)
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
