//! Partial-order reduction: of steps that commute, one order is enough.
//!
//! A model declares its [`Processes`]: who takes which action, and the [`Footprint`] of what a process may touch
//! next and from here on. In each state [`Processes::choose`] offers sets of steps, smallest first, that a search
//! may take *instead of all steps*. [`audit`] holds a declaration to the model in one state.
//!
//! # What makes a set enough
//! A set of processes `C` is *closed* in a state if what any other process may *ever* touch from here on does not
//! disturb ([`Footprint::disturbs`]) the *next* step of a member. A candidate is the enabled steps of a closed set.
//! A search may take one instead of all if four conditions hold:
//!
//! - **C0**: there is a step in it. An action that [`Model::next`] refuses is none; the search looks at that.
//! - **C1**: the set is closed. The steps of the others then neither take a step away from a member, nor change
//!   what it does, nor enable another one; and each of them commutes with it. In the literature: the set is
//!   *persistent*.
//! - **C2**: no step of it writes what a selected property sees ([`Processes::visible`]).
//! - **C3**: every step of it leads to a state that is in no level of the breadth-first search up to the
//!   present one. The search looks at that, and tries the next candidate, or takes all steps.
//!
//! # Why it is enough
//! Let `s` be a state of the reduced search, and let a behaviour lead from `s` by steps `w` to a state `b` that
//! matters: a predicate is false there, or true. If all steps are taken in `s`, one step of `w` is done. If a
//! candidate is taken in `s`:
//!
//! - A step `t` of it is in `w`, the first such one. By C1 it can be taken first, and the rest of `w` after it
//!   leads to the same `b`. One step of `w` is done.
//! - None is in `w`. By C1 a step `t` of it can be taken first, `w` after it, and that leads to `b` with `t` added.
//!   By C2 every predicate has the same value there. No step of `w` is done, but by C3 this cannot go on for ever:
//!   from a state with a candidate all steps go to deeper levels, so that a cycle of the reduced graph has a state
//!   in which all steps are taken.
//!
//! So some state with the same value is found for each reachable `b`: `always`, `sometimes` and the antecedents
//! keep their verdicts. For a property of steps let `b` be the step: it is not in the candidate unless all steps are
//! taken, since it writes what the property sees, and neither its values before nor those after are changed by `t`.
//! If `b` is a deadlock, the second case cannot be: `t` would still be enabled in `b`, and change it, because C3
//! refuses a step to the same state. So the very same deadlocks are found, even without C2.
//!
//! # What is not kept
//! - *Liveness.* A fair behaviour need not have a counterpart, because fairness is about actions that a candidate
//!   leaves out. Such a property is *incomplete* ([`is_kept`]), never *holds*.
//! - *Lengths.* A counterexample is a behaviour of the model, and no longer a shortest one. A limit on depth
//!   leaves out what the same limit admits in the full search.
//! - *Counts*, and which marks were hit. Each kind of action that is ever taken is still taken somewhere, as the
//!   argument for steps needs no visibility for the mere name of a step.
//!
//! # Channels
//! A queue between two processes is best given as two objects, its head and its tail:
//!
//! - a send writes the tail, and while the queue is full it awaits the head;
//! - a receive writes the head, and while the queue is empty it awaits the tail;
//! - a predicate on the queue sees both.
//!
//! A send and a receive that are both enabled touch different ends and commute, although both look at the length:
//! a receive never fills a queue and a send never empties it, so neither can take the other away. That is why a
//! wait is told apart from a read. Several senders conflict at the tail, several receivers at the head, and a
//! network that loses messages is one more receiver.

mod audit;
mod objects;

pub use audit::{Dependence, Order, audit};
pub use objects::{Footprint, Objects};

use crate::model::{Check, Model, Property};

/// Which process takes an action, from 0.
pub type OfAction<M> = Box<dyn Fn(&M, &<M as Model>::Action) -> usize + Send + Sync>;
/// The footprint of a process in a state.
pub type Touches<M> = Box<dyn Fn(&M, &<M as Model>::State, usize) -> Footprint + Send + Sync>;
/// What a property depends on, by its id.
pub type Sees = Box<dyn Fn(&str) -> Objects + Send + Sync>;

/// The processes of a model, and what they touch. `Model::processes` gives it.
///
/// An action must name the same step before and after a step of another process that does not disturb it.
pub struct Processes<M: Model> {
    /// How many there are, at most [`MOST_PROCESSES`].
    pub count: usize,
    /// Who takes an action.
    pub of_action: OfAction<M>,
    /// All that the next step of a process may read or write, whichever it is, and what those of its next steps
    /// that are disabled await. As long as the others write none of it, the enabled actions of the process stay
    /// the same, and so does what they do.
    pub now: Touches<M>,
    /// All that a process may read and write by steps that it takes from here on, its next one included, whatever
    /// the others do. It never grows on the way. What it will await then does not matter.
    pub later: Touches<M>,
    /// For a property of states, what its predicates depend on. For a property of steps, what they depend on before and
    /// after the step, and in addition: a step that writes none of it neither violates the property nor is one of its antecedent.
    pub sees: Sees,
}

/// Processes that a model may have: the bits of a set of them.
pub const MOST_PROCESSES: usize = 64;

/// Whether a verdict about such a property is the same by a reduced search. Otherwise it is *incomplete*.
pub fn is_kept<M: Model>(check: &Check<M>) -> bool {
    match check {
        Check::Always { .. } | Check::AlwaysStep { .. } | Check::Sometimes(_) | Check::NoDeadlock => true,
        Check::LeadsTo { .. } | Check::Eventually(_) => false,
    }
}

impl<M: Model> Processes<M> {
    /// What must stay visible so that the verdicts about `properties` are the same, as far as they are kept at all.
    pub fn visible(&self, properties: &[Property<M>]) -> Objects {
        let seen = |property: &Property<M>| match property.check {
            Check::Always { .. } | Check::AlwaysStep { .. } | Check::Sometimes(_) => (self.sees)(property.id),
            // The deadlocks themselves are kept, whatever is visible; liveness is not, whatever is.
            Check::NoDeadlock | Check::LeadsTo { .. } | Check::Eventually(_) => Objects::none(),
        };
        properties.iter().map(seen).collect()
    }

    /// Sets of steps of `state` that may be taken instead of all, as positions in `actions`: fewest steps first,
    /// then by the process that each began with. Each of them has C1 and C2; the caller has to look at C0 and C3.
    ///
    /// # Panics
    /// There are more processes than [`MOST_PROCESSES`], or an action belongs to none of them.
    pub fn choose(
        &self,
        model: &M,
        state: &M::State,
        actions: &[M::Action],
        visible: Objects,
    ) -> impl Iterator<Item = Vec<usize>> + use<M> {
        let owners: Vec<usize> = actions.iter().map(|action| (self.of_action)(model, action)).collect();
        let mut sets = self.closed_sets(model, state, &owners, visible);
        let steps = |set: ProcessSet| owners.iter().filter(|owner| set.has(**owner)).count();
        sets.retain(|set| steps(*set) < owners.len());
        sets.sort_by_key(|set| steps(*set));
        sets.into_iter().map(move |set| (0..owners.len()).filter(|action| set.has(owners[*action])).collect())
    }

    /// The closed sets around each process with a step, without those that the properties see, each once.
    fn closed_sets(
        &self,
        model: &M,
        state: &M::State,
        owners: &[usize],
        visible: Objects,
    ) -> Vec<ProcessSet> {
        assert!(self.count <= MOST_PROCESSES, "{} processes are more than a set of them holds", self.count);
        let able = owners.iter().fold(ProcessSet::default(), |set, owner| {
            assert!(*owner < self.count, "an action belongs to process {owner} of {}", self.count);
            set.with(*owner)
        });
        let mut sets = Vec::new();
        if able.is_single() {
            return sets;
        }
        let of = |touches: &Touches<M>| -> Vec<Footprint> {
            (0..self.count).map(|process| touches(model, state, process)).collect()
        };
        let (now, later) = (of(&self.now), of(&self.later));
        for process in (0..self.count).filter(|process| able.has(*process)) {
            let set = closure(process, &now, &later);
            let is_seen = |member: usize| now[member].writes.meets(visible);
            let seen = (0..self.count).any(|member| set.has(member) && able.has(member) && is_seen(member));
            if !seen && !sets.contains(&set) {
                sets.push(set);
            }
        }
        sets
    }
}

/// The smallest closed set with this process.
fn closure(process: usize, now: &[Footprint], later: &[Footprint]) -> ProcessSet {
    let mut set = ProcessSet::default().with(process);
    let mut next = now[process];
    while let Some(other) = (0..now.len()).find(|other| !set.has(*other) && later[*other].disturbs(next)) {
        set = set.with(other);
        next = next | now[other];
    }
    set
}

/// Some of the processes, as bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct ProcessSet(u64);

impl ProcessSet {
    fn has(self, process: usize) -> bool {
        self.0 & (1 << process) != 0
    }

    fn with(self, process: usize) -> Self {
        Self(self.0 | (1 << process))
    }

    /// Whether at most one process is in it.
    fn is_single(self) -> bool {
        self.0.count_ones() <= 1
    }
}
