//! Processes that are small automata on bounded queues and shared counters, with footprints read off the automaton.

use std::ops::RangeInclusive;

use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::pack::Pack;
use downbeat_sim::reduction::{Footprint, Objects, Processes};
use proptest::prelude::*;

/// Most processes, places of each, queues, messages in a queue, and counters.
pub(crate) const PROCESSES: usize = 4;
pub(crate) const PLACES: u8 = 4;
pub(crate) const QUEUES: usize = 2;
pub(crate) const CAPACITY: usize = 2;
pub(crate) const COUNTERS: usize = 2;
/// Counters go round, so that counting alone never ends.
pub(crate) const ROUND: u8 = 3;

#[derive(Clone, Copy, Debug, Kinds)]
pub(crate) enum Act {
    Local,
    Send {
        queue: usize,
        message: u8,
    },
    /// Takes this message if it is the first one.
    Receive {
        queue: usize,
        message: u8,
    },
    Add {
        counter: usize,
        by: u8,
    },
    If {
        counter: usize,
        is: u8,
    },
    /// Goes on while another process is at a place.
    Beside {
        process: usize,
        place: u8,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) act: Act,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Atom {
    At { process: usize, place: u8 },
    Counted { counter: usize, is: u8 },
    Waiting { queue: usize, messages: usize },
}

/// True where each of its atoms is.
pub(crate) type Predicate = Vec<Atom>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Automata {
    /// The edges of each process, which begins at place 0.
    pub(crate) processes: Vec<Vec<Edge>>,
    /// With what the first counter may begin other than 0.
    pub(crate) begins: Option<u8>,
    /// The processes that are not ignored, and those of them that are strongly fair, as bits.
    pub(crate) fair: u8,
    pub(crate) strong: u8,
    pub(crate) bad: Predicate,
    pub(crate) antecedent: Predicate,
    pub(crate) wanted: Predicate,
    pub(crate) final_at: Predicate,
    /// A step that is bad from where the predicate is true.
    pub(crate) bad_step: (Action, Predicate),
    /// A step that is one of the antecedent if it leads to where the predicate is true.
    pub(crate) antecedent_step: (Action, Predicate),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pack)]
pub(crate) struct State {
    places: [u8; PROCESSES],
    queues: [Queue; QUEUES],
    counters: [u8; COUNTERS],
}

/// The first message comes first, and nothing after the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pack)]
struct Queue([Option<u8>; CAPACITY]);

impl Queue {
    fn len(self) -> usize {
        self.0.iter().flatten().count()
    }

    fn first(self) -> Option<u8> {
        self.0[0]
    }

    fn push(&mut self, message: u8) {
        self.0[self.len()] = Some(message);
    }

    fn pop(&mut self) {
        self.0[0] = None;
        self.0.rotate_left(1);
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) process: usize,
    pub(crate) edge: usize,
}

pub(crate) fn place(process: usize) -> Objects {
    Objects::one(process)
}

pub(crate) fn counter(counter: usize) -> Objects {
    Objects::one(PROCESSES + counter)
}

pub(crate) fn head(queue: usize) -> Objects {
    Objects::one(PROCESSES + COUNTERS + 2 * queue)
}

pub(crate) fn tail(queue: usize) -> Objects {
    Objects::one(PROCESSES + COUNTERS + 2 * queue + 1)
}

impl Act {
    /// What the step touches when it is taken by the process.
    fn taken(self, process: usize) -> Footprint {
        let moves = Footprint::none().writes(place(process));
        match self {
            Act::Local => moves,
            Act::Send { queue, .. } => moves.writes(tail(queue)),
            Act::Receive { queue, .. } => moves.writes(head(queue)),
            Act::Add { counter: number, .. } => moves.reads(counter(number)).writes(counter(number)),
            Act::If { counter: number, .. } => moves.reads(counter(number)),
            Act::Beside { process, .. } => moves.reads(place(process)),
        }
    }

    fn awaits(self, state: &State) -> Objects {
        match self {
            Act::Local | Act::Add { .. } => Objects::none(),
            Act::Send { queue, .. } => head(queue),
            Act::Receive { queue, .. } if state.queues[queue].len() == 0 => tail(queue),
            Act::Receive { queue, .. } => head(queue),
            Act::If { counter: number, .. } => counter(number),
            Act::Beside { process, .. } => place(process),
        }
    }

    fn is_enabled(self, state: &State) -> bool {
        match self {
            Act::Local | Act::Add { .. } => true,
            Act::Send { queue, .. } => state.queues[queue].len() < CAPACITY,
            Act::Receive { queue, message } => state.queues[queue].first() == Some(message),
            Act::If { counter, is } => state.counters[counter] == is,
            Act::Beside { process, place } => state.places[process] == place,
        }
    }

    fn apply(self, state: &mut State) {
        match self {
            Act::Send { queue, message } => state.queues[queue].push(message),
            Act::Receive { queue, .. } => state.queues[queue].pop(),
            Act::Add { counter, by } => state.counters[counter] = (state.counters[counter] + by) % ROUND,
            Act::Local | Act::If { .. } | Act::Beside { .. } => {}
        }
    }
}

impl Atom {
    fn holds(self, state: &State) -> bool {
        match self {
            Atom::At { process, place } => state.places[process] == place,
            Atom::Counted { counter, is } => state.counters[counter] == is,
            Atom::Waiting { queue, messages } => state.queues[queue].len() == messages,
        }
    }

    fn sees(self) -> Objects {
        match self {
            Atom::At { process, .. } => place(process),
            Atom::Counted { counter: number, .. } => counter(number),
            Atom::Waiting { queue, .. } => head(queue) | tail(queue),
        }
    }
}

fn holds(predicate: &[Atom], state: &State) -> bool {
    predicate.iter().all(|atom| atom.holds(state))
}

fn sees(predicate: &[Atom]) -> Objects {
    predicate.iter().map(|atom| atom.sees()).collect()
}

impl Automata {
    fn edge(&self, action: Action) -> Option<Edge> {
        self.processes.get(action.process)?.get(action.edge).copied()
    }

    pub(crate) fn now(&self, state: &State, process: usize) -> Footprint {
        let here = self.processes[process].iter().filter(|edge| edge.from == state.places[process]);
        let (able, stuck): (Vec<&Edge>, Vec<&Edge>) = here.partition(|edge| edge.act.is_enabled(state));
        let taken = able.iter().map(|edge| edge.act.taken(process));
        taken.chain(stuck.iter().map(|edge| Footprint::none().awaits(edge.act.awaits(state)))).collect()
    }

    pub(crate) fn later(&self, state: &State, process: usize) -> Footprint {
        let edges = &self.processes[process];
        let mut places = 1_u32 << state.places[process];
        for _ in 0..PLACES {
            for edge in edges {
                if places & (1 << edge.from) != 0 {
                    places |= 1 << edge.to;
                }
            }
        }
        edges
            .iter()
            .filter(|edge| places & (1 << edge.from) != 0)
            .map(|edge| edge.act.taken(process))
            .collect()
    }

    pub(crate) fn sees(&self, property: &str) -> Objects {
        match property {
            "always" => sees(&self.bad) | sees(&self.antecedent),
            "sometimes" => sees(&self.wanted),
            "step" => [&self.bad_step, &self.antecedent_step]
                .into_iter()
                .map(|(action, predicate)| place(action.process) | sees(predicate))
                .collect(),
            _ => Objects::all(),
        }
    }
}

impl Model for Automata {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let begins = self.begins.map(|begins| State { counters: [begins, 0], ..State::default() });
        std::iter::once(State::default()).chain(begins).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (process, edges) in self.processes.iter().enumerate() {
            let here = |edge: &Edge| edge.from == state.places[process] && edge.act.is_enabled(state);
            let enabled = (0..edges.len()).filter(|edge| here(&edges[*edge]));
            actions.extend(enabled.map(|edge| Action { process, edge }));
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let edge = self.edge(*action)?;
        if edge.from != state.places[action.process] || !edge.act.is_enabled(state) {
            return None;
        }
        let mut next = *state;
        edge.act.apply(&mut next);
        next.places[action.process] = edge.to;
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Act::names()
    }

    fn kind(&self, action: &Action) -> usize {
        self.edge(*action).expect("only edges are taken").act.kind()
    }

    fn marks(&self) -> Vec<String> {
        self.lanes()
    }

    fn mark(&self, _: &State, action: &Action, _: &State, hit: &mut dyn FnMut(usize)) {
        hit(action.process);
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = (0..self.processes.len()).filter(|process| self.fair & 1 << process != 0);
        let named = |process: usize| {
            let acts = move |action: &Action| action.process == process;
            if self.strong & 1 << process == 0 {
                Fairness::weak(process.to_string(), acts)
            } else {
                Fairness::strong(process.to_string(), acts)
            }
        };
        fair.map(named).collect()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "always",
                "no bad state",
                |model: &Self, state| !holds(&model.bad, state),
                |model, state| holds(&model.antecedent, state),
                |_, state| format!("{state:?} is bad"),
            ),
            Property::always_step(
                "step",
                "no bad step",
                |model: &Self, before, action, _| {
                    let (bad, from) = &model.bad_step;
                    action != bad || !holds(from, before)
                },
                |model, _, action, after| {
                    let (step, to) = &model.antecedent_step;
                    action == step && holds(to, after)
                },
                |_, state| format!("a bad step led to {state:?}"),
            ),
            Property::sometimes("sometimes", "what is wanted", |model: &Self, state| {
                holds(&model.wanted, state)
            }),
            Property::no_deadlock("deadlock", "no deadlock", |_, state| format!("{state:?} has no step")),
            Property::leads_to(
                "leads-to",
                "what is wanted follows",
                |model: &Self, state| holds(&model.antecedent, state),
                |model, state| holds(&model.wanted, state),
                |_, state| format!("not after {state:?}"),
            ),
            Property::eventually(
                "eventually",
                "what is wanted comes",
                |model: &Self, state| holds(&model.wanted, state),
                |_, state| format!("not after {state:?}"),
            ),
        ]
    }

    fn processes(&self) -> Option<Processes<Self>> {
        let model = self.clone();
        Some(Processes {
            count: self.processes.len(),
            of_action: Box::new(|_, action| action.process),
            now: Box::new(Self::now),
            later: Box::new(Self::later),
            sees: Box::new(move |property| model.sees(property)),
        })
    }

    fn is_final(&self, state: &State) -> bool {
        holds(&self.final_at, state)
    }

    fn lanes(&self) -> Vec<String> {
        (0..self.processes.len()).map(|process| process.to_string()).collect()
    }

    fn opening(&self, state: &State) -> String {
        format!("counters at {:?}", state.counters)
    }

    fn tell(&self, _: &State, action: &Action, _: &State) -> Told {
        Told::new(action.process, action.process, format!("takes edge {}", action.edge))
    }
}

fn acts() -> impl Strategy<Value = Act> {
    let (queue, message) = (0..QUEUES, 0..2_u8);
    prop_oneof![
        2 => Just(Act::Local),
        3 => (queue.clone(), message.clone()).prop_map(|(queue, message)| Act::Send { queue, message }),
        4 => (queue, message).prop_map(|(queue, message)| Act::Receive { queue, message }),
        2 => (0..COUNTERS, 1..ROUND).prop_map(|(counter, by)| Act::Add { counter, by }),
        2 => (0..COUNTERS, 0..ROUND).prop_map(|(counter, is)| Act::If { counter, is }),
        1 => (0..PROCESSES, 0..PLACES).prop_map(|(process, place)| Act::Beside { process, place }),
    ]
}

fn predicates() -> impl Strategy<Value = Vec<Atom>> {
    let atom = prop_oneof![
        (0..PROCESSES, 0..PLACES).prop_map(|(process, place)| Atom::At { process, place }),
        (0..COUNTERS, 0..ROUND).prop_map(|(counter, is)| Atom::Counted { counter, is }),
        (0..QUEUES, 0..=CAPACITY).prop_map(|(queue, messages)| Atom::Waiting { queue, messages }),
    ];
    prop::collection::vec(atom, 1..3)
}

/// Random systems of so many processes.
pub(crate) fn systems(number: RangeInclusive<usize>) -> impl Strategy<Value = Automata> {
    // A way through all places, so that most of a system can be come to, and what goes across.
    let way = prop::collection::vec(acts(), usize::from(PLACES) - 1);
    let across = (0..PLACES, 0..PLACES, acts()).prop_map(|(from, to, act)| Edge { from, to, act });
    let process = (way, prop::collection::vec(across, 0..3)).prop_map(|(way, across)| {
        let way = (0..).zip(way).map(|(from, act)| Edge { from, to: from + 1, act });
        way.chain(across).collect()
    });
    let processes = prop::collection::vec(process, number);
    let step = || {
        let action = (0..PROCESSES, 0..5_usize).prop_map(|(process, edge)| Action { process, edge });
        (action, predicates())
    };
    let of_states = (predicates(), predicates(), predicates(), predicates());
    let begins = prop::option::weighted(0.3, 1..ROUND);
    (processes, begins, any::<[u8; 2]>(), of_states, step(), step()).prop_map(
        |(processes, begins, [fair, strong], of_states, bad_step, antecedent_step)| {
            let (bad, antecedent, wanted, final_at) = of_states;
            Automata {
                processes,
                begins,
                fair,
                strong,
                bad,
                antecedent,
                wanted,
                final_at,
                bad_step,
                antecedent_step,
            }
        },
    )
}
