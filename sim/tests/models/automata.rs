//! Processes that are small automata on bounded queues and shared counters, with footprints read off the automaton.

use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::reduction::{Footprint, Objects, Processes};

/// Most processes, places of each, queues, messages in a queue, and counters.
pub(crate) const PROCESSES: usize = 4;
pub(crate) const PLACES: u8 = 4;
pub(crate) const QUEUES: usize = 2;
pub(crate) const CAPACITY: usize = 2;
pub(crate) const COUNTERS: usize = 2;
/// Counters go round, so that counting alone never ends.
pub(crate) const ROUND: u8 = 3;

#[derive(Clone, Copy, Debug)]
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
    pub(crate) bad: Predicate,
    pub(crate) antecedent: Predicate,
    pub(crate) wanted: Predicate,
    pub(crate) final_at: Predicate,
    /// A step that is bad from where the predicate is true.
    pub(crate) bad_step: (Action, Predicate),
    /// A step that is one of the antecedent if it leads to where the predicate is true.
    pub(crate) antecedent_step: (Action, Predicate),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    places: [u8; PROCESSES],
    queues: [Vec<u8>; QUEUES],
    counters: [u8; COUNTERS],
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
            Act::Receive { queue, .. } if state.queues[queue].is_empty() => tail(queue),
            Act::Receive { queue, .. } => head(queue),
            Act::If { counter: number, .. } => counter(number),
            Act::Beside { process, .. } => place(process),
        }
    }

    fn is_enabled(self, state: &State) -> bool {
        match self {
            Act::Local | Act::Add { .. } => true,
            Act::Send { queue, .. } => state.queues[queue].len() < CAPACITY,
            Act::Receive { queue, message } => state.queues[queue].first() == Some(&message),
            Act::If { counter, is } => state.counters[counter] == is,
            Act::Beside { process, place } => state.places[process] == place,
        }
    }

    fn apply(self, state: &mut State) {
        match self {
            Act::Send { queue, message } => state.queues[queue].push(message),
            Act::Receive { queue, .. } => {
                state.queues[queue].remove(0);
            }
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
        vec![State::default()]
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
        let mut next = state.clone();
        edge.act.apply(&mut next);
        next.places[action.process] = edge.to;
        Some(next)
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

    fn tell(&self, _: &State, action: &Action, _: &State) -> Told {
        Told::new(action.process, action.process, format!("takes edge {}", action.edge))
    }
}
