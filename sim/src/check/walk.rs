//! The second walk through a complete search, for liveness: the graph of its steps, and where goals hold.
//!
//! Taking every step once more costs the time of a second search and keeps the first one free of edges and of
//! states that were expanded. States come in the order of the first search, so that only the frontier is held.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use super::crew;
use super::encoding::{Encoding, Visited};
use super::explore::{BETWEEN_PROGRESS, FEW_LEVELS, Found, Search};
use super::graph::{Graph, Piece, fair_actions};
use super::key::Key;
use super::limits::Limit;
use super::liveness::Obligation;
use super::pace::Pace;
use super::panics::caught;
use super::{CheckError, Phase, Progress};
use crate::model::{Check, Fairness, Model, Property};

/// States that are expanded between two looks at the limits.
const BLOCK: usize = 16_384;
/// States that a thread takes at a time.
const CHUNK: usize = 256;

/// What the walk gathered.
pub(super) struct Walk {
    pub(super) graph: Graph,
    /// By property; `None` for one that is not of liveness.
    pub(super) obligations: Vec<Option<Obligation>>,
    pub(super) ranks: Ranks,
}

impl Walk {
    /// What ends the work on liveness now, if it holds so many `bytes` besides. The states are there already: their
    /// number is no matter.
    pub(super) fn exceeded<M: Model, E: Encoding<M>>(
        &self,
        search: &Search<'_, M, E>,
        bytes: u64,
    ) -> Option<Limit> {
        search.plan.limit(0, || search.resident().unwrap_or_else(|| search.memory() + self.memory() + bytes))
    }

    /// Bytes in use.
    fn memory(&self) -> u64 {
        let obligations: u64 = self.obligations.iter().flatten().map(Obligation::memory).sum();
        let ranks = self.ranks.of_place.capacity() * size_of::<u32>();
        self.graph.memory() + obligations + ranks as u64
    }
}

/// The rank of every state, by its place in the visited set.
pub(super) struct Ranks {
    /// Where the places of each shard begin.
    begins: Vec<usize>,
    of_place: Vec<u32>,
}

impl Ranks {
    const NONE: u32 = u32::MAX;

    /// Whether so many places have numbers: a set of some two billion states has so many.
    pub(super) fn suffice(places: usize) -> bool {
        u32::try_from(places).is_ok()
    }

    fn new<K: Key, B, V: Visited<K, B>>(visited: &[V]) -> Self {
        let mut places = 0;
        let mut begins = Vec::new();
        for shard in visited {
            begins.push(places);
            places += shard.places();
        }
        Self { begins, of_place: vec![Self::NONE; places] }
    }

    /// The place of a state over all shards.
    fn place<M: Model, E: Encoding<M>>(
        &self,
        visited: &[E::Visited],
        key: E::Key,
        body: &E::Body,
    ) -> Option<u32> {
        let shard = key.shard();
        let place = self.begins[shard] + visited[shard].find(key, body)?;
        u32::try_from(place).ok()
    }

    /// The rank of a state.
    pub(super) fn of<M: Model, E: Encoding<M>>(
        &self,
        visited: &[E::Visited],
        key: E::Key,
        body: &E::Body,
    ) -> Option<u32> {
        self.place::<M, E>(visited, key, body).map(|place| self.of_place[place as usize])
    }
}

/// The graph of a complete search, or the limit that was reached on the way. There are no more places than have numbers.
pub(super) fn walk<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    properties: &[Property<M>],
    fairness: &[Fairness<M>],
    progress: &mut dyn FnMut(&Progress),
) -> Result<ControlFlow<Limit, Walk>, CheckError> {
    let ranks = Ranks::new(&search.visited);
    let obligations = properties.iter().map(|property| Obligation::of(&property.check)).collect();
    let walk = Walk { graph: Graph::new(), obligations, ranks };
    Walker { search, properties, fairness, walk, next: Vec::new(), found: 0, pace: Pace::new() }.run(progress)
}

struct Walker<'a, M: Model, E: Encoding<M>> {
    search: &'a Search<'a, M, E>,
    properties: &'a [Property<M>],
    fairness: &'a [Fairness<M>],
    walk: Walk,
    next: Vec<Found<M, E>>,
    /// States that have a rank.
    found: u32,
    pace: Pace,
}

impl<M: Model, E: Encoding<M>> Walker<'_, M, E> {
    fn run(mut self, progress: &mut dyn FnMut(&Progress)) -> Result<ControlFlow<Limit, Walk>, CheckError> {
        for state in self.search.plan.model.initial() {
            let (key, body) = E::encode(self.search.plan.kept, state).map_err(|error| *error)?;
            let place = self.walk.ranks.place::<M, E>(&self.search.visited, key, &body);
            let Some(place) = place else { return Err(unknown("an initial state")) };
            if self.number(place) {
                self.next.push(Found { key, body });
            }
        }
        let initial = self.found as usize;
        let mut told = Instant::now();
        while !self.next.is_empty() {
            let level = std::mem::take(&mut self.next);
            let mut end = 0;
            while end < level.len() {
                if let Some(limit) = self.walk.exceeded(self.search, 0) {
                    return Ok(ControlFlow::Break(limit));
                }
                let (begun, begin) = (Instant::now(), end);
                end += self.pace.piece(level.len() - begin);
                self.block(&level[begin..end], initial)?;
                self.pace.learn(end - begin, begun.elapsed(), BLOCK);
                if self.search.levels.len() < FEW_LEVELS || told.elapsed() >= BETWEEN_PROGRESS {
                    let phase = Phase::Walking(self.walk.graph.len());
                    progress(&Progress { phase, ..self.search.progress() });
                    told = Instant::now();
                }
            }
        }
        if self.found as usize == self.search.len() {
            Ok(ControlFlow::Continue(self.walk))
        } else {
            Err(unknown("some step"))
        }
    }

    /// Gives the state at a place the next rank, if it has none.
    fn number(&mut self, place: u32) -> bool {
        let rank = &mut self.walk.ranks.of_place[place as usize];
        let is_new = *rank == Ranks::NONE;
        if is_new {
            *rank = self.found;
            self.found += 1;
        }
        is_new
    }

    fn block(&mut self, states: &[Found<M, E>], initial: usize) -> Result<(), CheckError> {
        let mut steps: Vec<Result<Steps<M, E>, CheckError>> = Vec::new();
        let first = self.walk.graph.len();
        steps.resize_with(states.len().div_ceil(CHUNK), || Ok(Steps::new(self.properties)));
        let threads = if states.len() <= CHUNK { 1 } else { self.search.plan.threads };
        let jobs = states.chunks(CHUNK).zip(&mut steps).zip((first..).step_by(CHUNK));
        let this = &*self;
        crew::for_each(&mut vec![Vec::new(); threads], jobs, |actions, ((states, steps), first)| {
            // A panic is caught where it is known to be the first of its block, on any number of threads.
            *steps =
                caught(|| this.steps(states, first..initial.max(first), actions)).unwrap_or_else(|message| {
                    let asked = "its steps once more, or for a predicate of liveness".to_owned();
                    Err(CheckError::Panicked { message, after: None, asked })
                });
        });
        for steps in steps {
            self.append(steps?);
        }
        Ok(())
    }

    /// The steps from some states, the first of which have the ranks of `initial` and are initial.
    fn steps(
        &self,
        states: &[Found<M, E>],
        initial: Range<usize>,
        actions: &mut Vec<M::Action>,
    ) -> Result<Steps<M, E>, CheckError> {
        let (model, visited, ranks) = (self.search.plan.model, &self.search.visited, &self.walk.ranks);
        let mut steps = Steps::new(self.properties);
        let kept = self.search.plan.kept;
        let mut error = None;
        for (place, found) in states.iter().enumerate() {
            let state = E::decode(found.key, &found.body);
            for (obligation, property) in steps.obligations.iter_mut().zip(self.properties) {
                if let Some(obligation) = obligation {
                    obligation.judge(model, &property.check, &state, place < initial.len());
                }
            }
            model.steps(&state, actions, |action, next| {
                let (key, body) = match E::encode(kept, next) {
                    Ok(encoded) => encoded,
                    Err(wide) => {
                        error = error.take().or(Some(*wide));
                        return;
                    }
                };
                if key == found.key && (kept.is_by_key() || *state == *E::decode(key, &body)) {
                    return;
                }
                let Some(place) = ranks.place::<M, E>(visited, key, &body) else {
                    let action = format!("{action:?}");
                    error = error.take().or(Some(CheckError::UnknownState { action }));
                    return;
                };
                if ranks.of_place[place as usize] == Ranks::NONE {
                    steps.new.push((steps.piece.len(), Found { key, body }));
                }
                steps.piece.push(place, fair_actions(self.fairness, action));
            });
            steps.piece.end_state();
        }
        error.map_or(Ok(steps), Err)
    }

    /// Appends the steps of some states; their targets are places and become ranks here.
    fn append(&mut self, steps: Steps<M, E>) {
        let Steps { mut piece, new, obligations } = steps;
        let mut new = new.into_iter().peekable();
        for index in 0..piece.len() {
            let found = new.next_if(|(at, _)| *at == index);
            let target = piece.target_mut(index);
            let place = *target;
            if self.number(place)
                && let Some((_, found)) = found
            {
                self.next.push(found);
            }
            *target = self.walk.ranks.of_place[place as usize];
        }
        self.walk.graph.append(piece);
        for (known, more) in self.walk.obligations.iter_mut().zip(obligations) {
            if let (Some(known), Some(more)) = (known, more) {
                known.append(more);
            }
        }
    }
}

fn unknown(action: &str) -> CheckError {
    CheckError::UnknownState { action: action.to_owned() }
}

/// The steps from some states.
struct Steps<M: Model, E: Encoding<M>> {
    piece: Piece,
    /// States that had no rank, with the step that leads to each.
    new: Vec<(usize, Found<M, E>)>,
    obligations: Vec<Option<Obligation>>,
}

impl<M: Model, E: Encoding<M>> Steps<M, E> {
    fn new(properties: &[Property<M>]) -> Self {
        let obligations = properties.iter().map(|property| Obligation::of(&property.check)).collect();
        Self { piece: Piece::default(), new: Vec::new(), obligations }
    }
}

impl Obligation {
    /// What is known of a property before any state is seen; `None` if it is not one of liveness.
    pub(super) fn of<M: Model>(check: &Check<M>) -> Option<Self> {
        super::liveness::is_liveness(check).then(Self::default)
    }

    /// Adds the next state.
    fn judge<M: Model>(&mut self, model: &M, check: &Check<M>, state: &M::State, is_initial: bool) {
        let (obliges, met) = match check {
            Check::LeadsTo { from, to } => (from(model, state), to(model, state)),
            Check::Eventually(to) => (is_initial, to(model, state)),
            Check::Always { .. } | Check::AlwaysStep { .. } | Check::Sometimes(_) | Check::NoDeadlock => {
                return;
            }
        };
        self.arises |= obliges;
        self.begins.push(obliges && !met);
        self.met.push(met);
    }

    fn append(&mut self, more: Self) {
        self.arises |= more.arises;
        self.begins.extend(more.begins);
        self.met.extend(more.met);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_numbers_of_thirty_two_bits() {
        let places = [0, (1 << 32) - 1, 1 << 32];
        assert_eq!(places.map(Ranks::suffice), [true, true, false]);
    }
}
