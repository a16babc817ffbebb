//! What one thread does with some states: it judges them, takes their steps, and sorts out what is known.

use super::CheckError;
use super::audit;
use super::encoding::{Encoding, Visited};
use super::evaluate::Findings;
use super::explore::{Found, Plan};
use super::key::{Key, SHARDS};
use super::panics::caught;
use super::recent::Recent;
use super::reduced::Reduced;
use super::traces::{Origin, Traces};
use crate::model::Model;
use crate::reduction::{Objects, Processes};

/// Candidates that are looked up together.
const GROUP: usize = 64;

/// What is done with a state in the frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Its properties are evaluated and what it leads to is stored.
    Expand,
    /// As `Expand`, but a step to an unknown state only shows that there is something beyond the depth limit.
    Probe,
    /// Only its own properties are evaluated.
    Look,
}

/// The states that are known when a block is expanded.
pub(super) struct Known<'a, V> {
    /// All of them, by shard.
    pub(super) all: &'a [V],
    /// Those of the next level, by shard, if a reduction asks for them.
    pub(super) next: &'a [V],
}

impl<V> Clone for Known<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Known<'_, V> {}

impl<V> Known<'_, V> {
    /// Whether a state is in a level up to the present one.
    fn is_old<K: Key, B>(self, key: K, body: &B) -> bool
    where
        V: Visited<K, B>,
    {
        let shard = key.shard();
        self.all[shard].find(key, body).is_some() && self.next[shard].find(key, body).is_none()
    }
}

/// What a set of steps that stands for all is chosen by.
struct Choice<'a, M: Model, E: Encoding<M>> {
    processes: &'a Processes<M>,
    visible: Objects,
    known: Known<'a, E::Visited>,
}

/// A state that a step led to and that is perhaps new.
pub(super) struct Candidate<M: Model, E: Encoding<M>> {
    pub(super) key: E::Key,
    pub(super) body: E::Body,
    /// The place of the state before within its chunk.
    pub(super) parent: u32,
    /// The number of the step among those of the state before.
    pub(super) position: u32,
}

/// What the expansion of some states found.
///
/// On cache lines of its own (processors fetch them in pairs), since each thread writes to its chunk at every step.
#[repr(align(128))]
pub(super) struct Chunk<M: Model, E: Encoding<M>> {
    pub(super) findings: Findings,
    pub(super) generated: u64,
    /// Whether a step leads beyond the depth limit.
    pub(super) beyond: bool,
    pub(super) kinds: Vec<u64>,
    pub(super) marks: Vec<u64>,
    /// In the order in which they were found.
    pub(super) candidates: Vec<Candidate<M, E>>,
    /// The candidates of each shard; those that are new, after they were stored.
    pub(super) columns: Vec<Column<E::Key>>,
    is_new: Vec<bool>,
    /// Parents and positions of the new states.
    steps: Vec<(u32, u32)>,
    /// The new states of a chunk whose candidates were stored, with their origins and the sum of their keys' digests.
    pub(super) new: Vec<Found<M, E>>,
    pub(super) origins: Traces,
    pub(super) key_sum: u64,
    pub(super) error: Option<Box<CheckError>>,
    /// The place of the state that is being expanded, for the case that the model panics.
    pub(super) at: usize,
    /// What the model said when it panicked.
    pub(super) panicked: Option<String>,
}

impl<M: Model, E: Encoding<M>> Chunk<M, E> {
    /// A chunk of nothing.
    pub(super) fn new(plan: &Plan<'_, M>) -> Self {
        Self {
            findings: plan.evaluator.nothing_found(),
            generated: 0,
            beyond: false,
            kinds: vec![0; plan.kinds],
            marks: vec![0; plan.marks],
            candidates: Vec::new(),
            columns: (0..SHARDS).map(|_| Vec::new()).collect(),
            is_new: Vec::new(),
            steps: Vec::new(),
            new: Vec::new(),
            origins: Traces::default(),
            key_sum: 0,
            error: None,
            at: 0,
            panicked: None,
        }
    }

    /// Forgets everything; goes on with what is known about the properties.
    pub(super) fn clear(&mut self, known: &Findings) {
        self.findings.clone_from(known);
        self.generated = 0;
        self.beyond = false;
        self.kinds.fill(0);
        self.marks.fill(0);
        self.candidates.clear();
        self.columns.iter_mut().for_each(Vec::clear);
        self.error = None;
        self.panicked = None;
    }

    /// Adds the steps of a state; whether one of them changes it.
    fn note(&mut self, steps: Steps, error: Option<Box<CheckError>>) -> bool {
        self.generated += u64::from(steps.taken);
        self.error = self.error.take().or(error);
        steps.changes
    }

    /// Divides the candidates by shard.
    pub(super) fn divide(&mut self) {
        for (place, candidate) in (0..).zip(&self.candidates) {
            self.columns[candidate.key.shard()].push((candidate.key, place));
        }
    }

    /// Makes new states of the candidates that are left in the columns. The first state of the chunk has the rank
    /// `first`.
    pub(super) fn keep_new(&mut self, first: usize) {
        self.is_new.clear();
        self.is_new.resize(self.candidates.len(), false);
        for (_, place) in self.columns.iter().flatten() {
            self.is_new[*place as usize] = true;
        }
        self.key_sum = 0;
        let count: usize = self.columns.iter().map(Vec::len).sum();
        self.new = Vec::with_capacity(count + 1);
        self.steps.clear();
        for (Candidate { key, body, parent, position }, is_new) in self.candidates.drain(..).zip(&self.is_new)
        {
            // Added first and taken back, as in `take`.
            let kept = self.new.len() + usize::from(*is_new);
            self.key_sum = self.key_sum.wrapping_add(u64::from(*is_new) * key.digest());
            self.new.push(Found { key, body });
            self.new.truncate(kept);
            self.steps.push((parent, position));
            self.steps.truncate(kept);
        }
        self.origins.restart(first as u64);
        for (parent, position) in self.steps.iter().copied() {
            self.origins.push(Origin { parent: first as u64 + u64::from(parent), position });
        }
    }
}

/// The candidates of one shard, in order: their keys, and their places among all of a chunk.
pub(super) type Column<K> = Vec<(K, u32)>;

/// Stores the candidates of a column, which are of one shard; only those that are new stay in it.
pub(super) fn store<M: Model, E: Encoding<M>>(
    candidates: &[Candidate<M, E>],
    column: &mut Column<E::Key>,
    visited: &mut E::Visited,
) {
    let (mut begin, mut kept) = (0, 0);
    while begin < column.len() {
        let group = Group::of(column[begin..].iter().map(|(key, _)| *key), |key| visited.is_at_hand(key));
        for at in group.unseen() {
            let (key, place) = column[begin + at];
            if visited.insert(key, &candidates[place as usize].body) {
                column[kept] = (key, place);
                kept += 1;
            }
        }
        begin += group.len;
    }
    column.truncate(kept);
}

/// Some keys of which each was looked for at one place. The processor fetches these places at the same time, before
/// the first one is needed.
pub(super) struct Group {
    places: [usize; GROUP],
    unseen: usize,
    /// How many keys were looked for.
    pub(super) len: usize,
}

impl Group {
    /// The first keys of these, as many as a group has.
    #[inline]
    pub(super) fn of<K: Key>(keys: impl Iterator<Item = K>, is_at_hand: impl Fn(K) -> bool) -> Self {
        let mut group = Self { places: [0; GROUP], unseen: 0, len: 0 };
        for (place, key) in (0..GROUP).zip(keys) {
            // Written in any case, since a processor that has to guess is often wrong here.
            group.places[group.unseen] = place;
            group.unseen += usize::from(!is_at_hand(key));
            group.len += 1;
        }
        group
    }

    /// The places, in order, of those keys that were not where one look finds them.
    #[inline]
    pub(super) fn unseen(&self) -> impl Iterator<Item = usize> {
        self.places[..self.unseen].iter().copied()
    }
}

/// The steps of a state.
#[derive(Clone, Copy)]
struct Steps {
    taken: u32,
    /// Whether one of them leads to another state.
    changes: bool,
}

/// What a thread needs to expand states.
pub(super) struct Worker<M: Model, E: Encoding<M>> {
    actions: Vec<M::Action>,
    results: Vec<M::State>,
    recent: Recent<E::Key>,
    /// The rank of the first state of the chunk before.
    last: usize,
    group: Vec<Candidate<M, E>>,
    /// Which of the group were seen at one look.
    at_hand: Vec<bool>,
}

impl<M: Model, E: Encoding<M>> Worker<M, E> {
    /// A worker that has seen nothing.
    pub(super) fn new() -> Self {
        Self {
            actions: Vec::new(),
            results: Vec::new(),
            recent: Recent::new(),
            last: 0,
            group: Vec::new(),
            at_hand: Vec::new(),
        }
    }

    /// Treats the states of a chunk, of which the first has the rank `first`.
    pub(super) fn treat(
        &mut self,
        plan: &Plan<'_, M>,
        known: Known<'_, E::Visited>,
        states: &[Found<M, E>],
        first: usize,
        mode: Mode,
        chunk: &mut Chunk<M, E>,
    ) {
        // What is remembered of later states must not stand for what earlier ones lead to.
        if first < std::mem::replace(&mut self.last, first) {
            self.recent.forget();
        }
        chunk.panicked = caught(|| self.expand(plan, known, states, first, mode, chunk)).err();
    }

    fn expand(
        &mut self,
        plan: &Plan<'_, M>,
        known: Known<'_, E::Visited>,
        states: &[Found<M, E>],
        first: usize,
        mode: Mode,
        chunk: &mut Chunk<M, E>,
    ) {
        for (parent, found) in (0_u32..).zip(states) {
            let state = E::decode(found.key, &found.body);
            let rank = first + parent as usize;
            chunk.at = parent as usize;
            if mode != Mode::Look
                && plan.audit.is_due(rank)
                && let Err(error) = audit::one_state::<M, E>(plan, &state)
            {
                chunk.error = Some(Box::new(error));
                return;
            }
            plan.evaluator.state(&state, rank, &mut chunk.findings);
            let changes = match mode {
                Mode::Look => continue,
                Mode::Probe => self.probe(plan, known.all, &state, rank, chunk),
                Mode::Expand => match &plan.reduced {
                    Reduced::PartialOrder { processes, visible } => {
                        let choice = Choice { processes, visible: *visible, known };
                        self.some_steps(plan, &choice, found, &state, (rank, parent), chunk)
                    }
                    Reduced::Nothing | Reduced::Symmetry(_) => {
                        self.steps(plan, found, &state, (rank, parent), chunk)
                    }
                },
            };
            if chunk.error.is_some() {
                // What comes first is reported, on any number of threads.
                return;
            }
            if !changes {
                plan.evaluator.dead_end(&state, rank, &mut chunk.findings);
            }
            if self.group.len() >= GROUP {
                self.sort_out(known.all, chunk);
            }
        }
        self.sort_out(known.all, chunk);
    }

    /// Takes every step from a state; whether one of them changes it.
    fn steps(
        &mut self,
        plan: &Plan<'_, M>,
        found: &Found<M, E>,
        state: &M::State,
        (rank, parent): (usize, u32),
        chunk: &mut Chunk<M, E>,
    ) -> bool {
        if plan.looks_at_steps() {
            let is_symmetric = matches!(plan.reduced, Reduced::Symmetry(_));
            let judges_steps = plan.evaluator.judges_steps();
            let mut changes = false;
            let Chunk { findings, kinds, marks, .. } = chunk;
            let look = |position: u32, action: &M::Action, next: M::State| {
                if judges_steps {
                    plan.evaluator.step((rank, position as usize), state, action, &next, findings);
                }
                count(plan, state, action, &next, kinds, marks);
                // A step to the state itself under other names is a step all the same.
                changes |= is_symmetric && next != *state;
                plan.reduced.representative(next)
            };
            let (steps, error) = self.take(plan, found, state, parent, look);
            chunk.note(steps, error) || changes
        } else {
            let (steps, error) = self.take(plan, found, state, parent, |_, _, next| next);
            chunk.note(steps, error)
        }
    }

    /// Takes every step from a state. `look` sees each one and gives the state that is visited for its result.
    #[inline]
    fn take(
        &mut self,
        plan: &Plan<'_, M>,
        found: &Found<M, E>,
        state: &M::State,
        parent: u32,
        mut look: impl FnMut(u32, &M::Action, M::State) -> M::State,
    ) -> (Steps, Option<Box<CheckError>>) {
        let Self { actions, results, recent, group, .. } = self;
        let mut steps = Steps { taken: 0, changes: false };
        let mut error = None;
        let (kept, is_by_key) = (plan.kept, plan.kept.is_by_key());
        let mut consider = |position: u32, next: M::State| {
            if next == *state {
                return;
            }
            steps.changes = true;
            match E::encode(kept, next) {
                // Two states that differ, and the search would take one for the other.
                Ok((key, _)) if is_by_key && key == found.key => {
                    error = error.take().or(Some(Box::new(CheckError::HashLeavesOut {
                        action: format!("step {} of the state", position + 1),
                    })));
                }
                // Added first and taken back, since a processor that has to guess guesses one time in five wrong.
                Ok((key, body)) if size_of::<E::Body>() == 0 => {
                    let kept = group.len() + usize::from(!recent.has_seen(key));
                    group.push(Candidate { key, body, parent, position });
                    group.truncate(kept);
                }
                Ok((key, _)) if is_by_key && recent.has_seen(key) => {}
                Ok((key, body)) => group.push(Candidate { key, body, parent, position }),
                Err(wide) => error = error.take().or(Some(wide)),
            }
        };
        let mut taken = 0;
        if std::mem::needs_drop::<M::State>() {
            // What owns memory is best given back at once, before the next step asks for as much.
            plan.model.steps(state, actions, |action, next| {
                consider(taken, look(taken, action, next));
                taken += 1;
            });
        } else {
            // Small enough to become a part of the model's own loops; all else is done in a loop of its own.
            plan.model.steps(state, actions, |action, next| {
                results.push(look(taken, action, next));
                taken += 1;
            });
            (0..).zip(results.drain(..)).for_each(|(position, next)| consider(position, next));
        }
        steps.taken = taken;
        (steps, error)
    }

    /// As [`Self::steps`], where some steps may stand for all; a set of them that does is looked for.
    fn some_steps(
        &mut self,
        plan: &Plan<'_, M>,
        choice: &Choice<'_, M, E>,
        found: &Found<M, E>,
        state: &M::State,
        (rank, parent): (usize, u32),
        chunk: &mut Chunk<M, E>,
    ) -> bool {
        let (mut actions, mut steps) = (Vec::new(), Vec::new());
        plan.model.steps(state, &mut self.actions, |action, next| match E::encode(plan.kept, next.clone()) {
            Ok((key, body)) => {
                actions.push(action.clone());
                steps.push((next, key, body));
            }
            Err(error) => chunk.error = chunk.error.take().or(Some(error)),
        });
        let is_new = |position: &usize| {
            let (_, key, body) = &steps[*position];
            !choice.known.is_old(*key, body)
        };
        let sets = choice.processes.choose(plan.model, state, &actions, choice.visible);
        let mut sets = sets.filter(|set| !set.is_empty() && set.iter().all(is_new));
        let chosen = sets.next().unwrap_or_else(|| (0..steps.len()).collect());
        let is_by_key = plan.kept.is_by_key();
        let changes = steps.iter().any(|(next, ..)| next != state);
        for (position, (action, (next, key, body))) in (0_u32..).zip(actions.iter().zip(steps)) {
            if !chosen.contains(&(position as usize)) {
                continue;
            }
            chunk.generated += 1;
            let at = (rank, position as usize);
            plan.evaluator.step(at, state, action, &next, &mut chunk.findings);
            count(plan, state, action, &next, &mut chunk.kinds, &mut chunk.marks);
            let is_same = key == found.key && (is_by_key || next == *state);
            if !(is_same || is_by_key && self.recent.has_seen(key)) {
                self.group.push(Candidate { key, body, parent, position });
            }
        }
        changes
    }

    /// As [`Self::steps`] at the depth limit: nothing is stored.
    fn probe(
        &mut self,
        plan: &Plan<'_, M>,
        visited: &[E::Visited],
        state: &M::State,
        rank: usize,
        chunk: &mut Chunk<M, E>,
    ) -> bool {
        let mut changes = false;
        let mut position = 0;
        plan.model.steps(state, &mut self.actions, |action, next| {
            match E::encode(plan.kept, plan.reduced.representative(next.clone())) {
                Ok((key, body)) => {
                    let is_same = *state == next;
                    changes |= !is_same;
                    if is_same || visited[key.shard()].find(key, &body).is_some() {
                        chunk.generated += 1;
                        plan.evaluator.step((rank, position), state, action, &next, &mut chunk.findings);
                        count(plan, state, action, &next, &mut chunk.kinds, &mut chunk.marks);
                    } else {
                        chunk.beyond = true;
                    }
                }
                Err(error) => chunk.error = chunk.error.take().or(Some(error)),
            }
            position += 1;
        });
        changes
    }

    /// Moves those of the group that are perhaps new to the candidates of the chunk.
    fn sort_out(&mut self, visited: &[E::Visited], chunk: &mut Chunk<M, E>) {
        if size_of::<E::Body>() == 0 {
            // Nothing but a key: to keep it is cheaper than to look for it here, and again when it is stored.
            chunk.candidates.append(&mut self.group);
            return;
        }
        let is_at_hand =
            |candidate: &Candidate<M, E>| visited[candidate.key.shard()].is_at_hand(candidate.key);
        // The processor fetches the places of all candidates at the same time, before the first one is needed.
        self.at_hand.clear();
        self.at_hand.extend(self.group.iter().map(is_at_hand));
        for (candidate, at_hand) in self.group.drain(..).zip(&self.at_hand) {
            let Candidate { key, body, .. } = &candidate;
            if !at_hand && visited[key.shard()].find(*key, body).is_none() {
                chunk.candidates.push(candidate);
            }
        }
    }
}

/// Counts what a step comes by.
#[inline]
fn count<M: Model>(
    plan: &Plan<'_, M>,
    before: &M::State,
    action: &M::Action,
    after: &M::State,
    kinds: &mut [u64],
    marks: &mut [u64],
) {
    if !kinds.is_empty() {
        let (kind, known) = (plan.model.kind(action), kinds.len());
        assert!(kind < known, "`kind` of `{action:?}` is {kind}, and the model names {known} kinds");
        kinds[kind] += 1;
    }
    if !marks.is_empty() {
        plan.model.mark(before, action, after, &mut |mark| marks[mark] += 1);
    }
}
