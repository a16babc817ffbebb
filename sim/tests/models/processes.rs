//! Processes that follow one list of rules, with a token, a queue and a set that they share. No rule names a
//! process, so that they are interchangeable, but for what is planted.

use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::pack::Pack;
use downbeat_sim::symmetry::{Id, Rename, Symmetry};
use proptest::prelude::*;

/// The most processes, and the places in the state.
pub(crate) const PROCESSES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename, Pack)]
#[rename(id)]
pub(crate) struct Process(#[pack(bits = 2)] u8);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename, Pack)]
pub(crate) struct State {
    #[rename(index = Process)]
    pub(crate) local: [u8; PROCESSES],
    pub(crate) token: Option<Process>,
    /// The first one comes first, and nobody after the last.
    pub(crate) queue: [Option<Process>; 2],
    #[rename(bits = Process)]
    #[pack(bits = 4)]
    pub(crate) asleep: u8,
}

/// What can be said about a state without naming a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Atom {
    Never,
    /// So many processes stand there.
    Standing {
        at: u8,
        number: usize,
    },
    /// The process that has the token stands there.
    Holding {
        at: u8,
    },
    /// So many are in the queue.
    Waiting {
        number: usize,
    },
    /// So many are asleep.
    Sleeping {
        number: u32,
    },
}

/// Where a process stands at a local state, it may go to another one and do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) at: u8,
    pub(crate) deed: Deed,
    pub(crate) then: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
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
    /// Whether a behaviour may also begin with the token in some hand.
    pub(crate) begins_with_token: bool,
    /// The predicates of the properties of states, by number, and where the system may not rest.
    pub(crate) atoms: [Atom; 7],
    /// The rules that break the property of steps and that are its antecedent, by number.
    pub(crate) steps: [usize; 2],
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
            Deed::Enqueue => state.queue[1].is_none(),
            Deed::Dequeue => state.queue[0] == Some(me),
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
        let with = |token| State { local, token, queue: [None; 2], asleep: 0 };
        let hands = if self.begins_with_token { 0..self.number } else { 0..0 };
        std::iter::once(with(None)).chain(hands.map(|hand| with(Some(Process::at(hand))))).collect()
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
            Deed::Enqueue => next.queue[usize::from(next.queue[0].is_some())] = Some(me),
            Deed::Dequeue => next.queue = [next.queue[1], None],
            Deed::Sleep => next.asleep |= 1 << action.process,
            Deed::WakeAll => next.asleep = 0,
        }
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Deed::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.rule.deed.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "always",
                "",
                |model, state| !is_so::<0>(model, state),
                is_so::<1>,
                |_, _| String::new(),
            ),
            Property::<Self>::sometimes("sometimes", "", is_so::<2>),
            Property::<Self>::leads_to("leads-to", "", is_so::<3>, is_so::<4>, |_, _| String::new()),
            Property::<Self>::eventually("eventually", "", is_so::<5>, |_, _| String::new()),
            Property::<Self>::always_step(
                "step",
                "",
                |model, before, action, after| !is_taken::<0>(model, before, action, after),
                is_taken::<1>,
                |_, _| String::new(),
            ),
            Property::<Self>::no_deadlock("deadlock", "", |_, _| String::new()),
        ]
    }

    fn symmetry(&self) -> Option<Symmetry<Self>> {
        Some(Symmetry::new().of::<Process>(self.number))
    }

    fn is_final(&self, state: &State) -> bool {
        let is_planted = self.planted == Planted::NeverRests && state.token == Some(Process::at(0));
        !is_planted && !self.atoms[6].holds(state)
    }

    fn lanes(&self) -> Vec<String> {
        (0..self.number).map(|process| format!("process {process}")).collect()
    }

    fn tell(&self, _: &State, action: &Action, _: &State) -> Told {
        Told::new(action.process, action.to, format!("{:?}", action.rule))
    }
}

impl Atom {
    fn holds(self, state: &State) -> bool {
        match self {
            Atom::Never => false,
            Atom::Standing { at, number } => {
                (0..PROCESSES).filter(|process| state.local[*process] == at).count() == number
            }
            Atom::Holding { at } => state.token.is_some_and(|holder| state.local[holder.index()] == at),
            Atom::Waiting { number } => state.queue.iter().flatten().count() == number,
            Atom::Sleeping { number } => state.asleep.count_ones() == number,
        }
    }
}

/// The predicate with this number, or if it is planted, that process 0 has the token.
fn is_so<const PREDICATE: usize>(model: &Processes, state: &State) -> bool {
    let is_planted = model.planted == Planted::InPredicate(PREDICATE);
    model.atoms[PREDICATE].holds(state) || is_planted && state.token == Some(Process::at(0))
}

/// Whether the rule with this number is followed, or if it is planted, process 0 acts.
fn is_taken<const STEP: usize>(model: &Processes, _: &State, action: &Action, _: &State) -> bool {
    let is_planted = model.planted == Planted::InPredicate(6 + STEP);
    model.rules.get(model.steps[STEP]) == Some(&action.rule) || is_planted && action.process == 0
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Move),
        Just(Deed::TakeToken),
        (0..3_u8).prop_map(Deed::PassToken),
        Just(Deed::DropToken),
        Just(Deed::Enqueue),
        Just(Deed::Dequeue),
        Just(Deed::Sleep),
        Just(Deed::WakeAll),
    ]
}

fn atoms() -> impl Strategy<Value = Atom> {
    prop_oneof![
        (0..3_u8, 0..=PROCESSES).prop_map(|(at, number)| Atom::Standing { at, number }),
        (0..3_u8).prop_map(|at| Atom::Holding { at }),
        (0..3_usize).prop_map(|number| Atom::Waiting { number }),
        (0..3_u32).prop_map(|number| Atom::Sleeping { number }),
    ]
}

/// Random systems of interchangeable processes.
pub(crate) fn processes() -> impl Strategy<Value = Processes> {
    let rule = (0..3_u8, deeds(), 0..3_u8).prop_map(|(at, deed, then)| Rule { at, deed, then });
    let once = |mut rules: Vec<Rule>| {
        let mut known = Vec::new();
        rules.retain(|rule| {
            !known.contains(rule) && {
                known.push(*rule);
                true
            }
        });
        rules
    };
    let rules = prop::collection::vec(rule, 1..7).prop_map(once);
    let judged = (prop::array::uniform(atoms()), prop::array::uniform(0..7_usize));
    (2..=PROCESSES, rules, any::<bool>(), judged).prop_map(
        |(number, rules, begins_with_token, (atoms, steps))| Processes {
            number,
            rules,
            begins_with_token,
            atoms,
            steps,
            planted: Planted::Nothing,
        },
    )
}
