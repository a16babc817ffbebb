//! Processes that follow one list of rules, with a token, a queue and a set that they share. No rule names a
//! process, so that they are interchangeable, but for what is planted.

use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::symmetry::{Id, Rename, Symmetry};

/// The most processes, and the places in the state.
pub(crate) const PROCESSES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
pub(crate) struct Process(u8);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
pub(crate) struct State {
    #[rename(index = Process)]
    pub(crate) local: [u8; PROCESSES],
    pub(crate) token: Option<Process>,
    pub(crate) queue: Vec<Process>,
    #[rename(bits = Process)]
    pub(crate) asleep: u8,
}

/// Where a process stands at a local state, it may go to another one and do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) at: u8,
    pub(crate) deed: Deed,
    pub(crate) then: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Move,
    TakeToken,
    /// To a process at this local state.
    PassToken(u8),
    DropToken,
    /// At the end of the queue, if it is not full.
    Enqueue,
    /// Only by the first one of the queue.
    Dequeue,
    Sleep,
    WakeAll,
}

/// What makes process 0 another one than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    BeginsElsewhere,
    PassesNoTokens,
    NeverRests,
    /// In the predicate of a property that has this number.
    InPredicate(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Processes {
    pub(crate) number: usize,
    pub(crate) rules: Vec<Rule>,
    pub(crate) planted: Planted,
}

/// Which process does what, and to which other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    process: usize,
    rule: Rule,
    to: usize,
}

impl Processes {
    fn is_allowed(&self, state: &State, Action { process, rule, to }: Action) -> bool {
        let me = Process::at(process);
        let is_awake = state.asleep & (1 << process) == 0;
        let may = match rule.deed {
            Deed::Move | Deed::Sleep | Deed::WakeAll => true,
            Deed::TakeToken => state.token.is_none(),
            Deed::PassToken(_) | Deed::DropToken => {
                state.token == Some(me) && !(self.planted == Planted::PassesNoTokens && process == 0)
            }
            Deed::Enqueue => state.queue.len() < 2,
            Deed::Dequeue => state.queue.first() == Some(&me),
        };
        let fits = match rule.deed {
            Deed::PassToken(there) => to != process && state.local[to] == there,
            Deed::Move
            | Deed::TakeToken
            | Deed::DropToken
            | Deed::Enqueue
            | Deed::Dequeue
            | Deed::Sleep
            | Deed::WakeAll => to == process,
        };
        is_awake && state.local[process] == rule.at && may && fits
    }
}

impl Model for Processes {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let mut local = [0; PROCESSES];
        local[0] = u8::from(self.planted == Planted::BeginsElsewhere);
        vec![State { local, token: None, queue: Vec::new(), asleep: 0 }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let all = || 0..self.number;
        let rules = all().flat_map(|process| self.rules.iter().map(move |rule| (process, *rule)));
        let every = rules.flat_map(|(process, rule)| all().map(move |to| Action { process, rule, to }));
        actions.extend(every.filter(|action| self.is_allowed(state, *action)));
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = state.clone();
        let me = Process::at(action.process);
        next.local[action.process] = action.rule.then;
        match action.rule.deed {
            Deed::Move => {}
            Deed::TakeToken => next.token = Some(me),
            Deed::PassToken(_) => next.token = Some(Process::at(action.to)),
            Deed::DropToken => next.token = None,
            Deed::Enqueue => next.queue.push(me),
            Deed::Dequeue => drop(next.queue.remove(0)),
            Deed::Sleep => next.asleep |= 1 << action.process,
            Deed::WakeAll => next.asleep = 0,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("always", "", first_holds::<0>, first_holds::<1>, |_, _| String::new()),
            Property::<Self>::sometimes("sometimes", "", first_holds::<2>),
            Property::<Self>::leads_to("leads-to", "", first_holds::<3>, first_holds::<4>, |_, _| {
                String::new()
            }),
            Property::<Self>::eventually("eventually", "", first_holds::<5>, |_, _| String::new()),
            Property::<Self>::always_step("step", "", first_acts::<6>, first_acts::<7>, |_, _| String::new()),
        ]
    }

    fn symmetry(&self) -> Option<Symmetry<Self>> {
        Some(Symmetry::new().of::<Process>(self.number))
    }

    fn is_final(&self, state: &State) -> bool {
        !(self.planted == Planted::NeverRests && state.token == Some(Process::at(0)))
    }

    fn lanes(&self) -> Vec<String> {
        (0..self.number).map(|process| format!("process {process}")).collect()
    }

    fn tell(&self, _: &State, action: &Action, _: &State) -> Told {
        Told::new(action.process, action.to, format!("{:?}", action.rule))
    }
}

/// False, unless planted: that process 0 has the token.
fn first_holds<const PREDICATE: usize>(model: &Processes, state: &State) -> bool {
    model.planted == Planted::InPredicate(PREDICATE) && state.token == Some(Process::at(0))
}

/// False, unless planted: that process 0 acts.
fn first_acts<const PREDICATE: usize>(model: &Processes, _: &State, action: &Action, _: &State) -> bool {
    model.planted == Planted::InPredicate(PREDICATE) && action.process == 0
}
