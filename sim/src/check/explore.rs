//! Breadth-first search, level by level and within a level block by block, in pieces that do not take long.
//!
//! Threads expand the states of a piece into candidates, states that are perhaps new, and look into the visited
//! set without changing it; then the candidates are stored, shard by shard, and at last put in their order. No
//! thread waits for another within one of these three parts.

mod resume;
mod room;
mod together;

use std::path::PathBuf;
use std::sync::atomic::{self, AtomicBool};
use std::time::{Duration, Instant};

use super::audit::Audit;
use super::checkpoint::{Checkpoint, Checkpointing, PART};
use super::crew::Crew;
use super::encoding::{Encoding, Kept, Visited};
use super::evaluate::{Evaluator, Findings};
use super::expand::{Candidate, Chunk, Group, Known, Mode, Worker};
use super::frontier::Frontier;
use super::heap::Heap;
use super::key::{Key, SHARDS};
use super::limits::{self, Limit, Limits};
use super::pace::Pace;
use super::panics;
use super::reduced::Reduced;
use super::spill::Spill;
use super::traces::{Origin, Traces};
use super::{CheckError, Phase, Progress};
use crate::model::{Codec, Model};
use crate::report::Coverage;

/// States after which the limit on states is looked at, and most that are expanded before what they lead to is stored: enough to give several threads work for
/// milliseconds, few enough that the candidates stay small beside the states.
const BLOCK: usize = 32_768;
/// Most states that a thread takes at a time: many, since what they lead to is known to the others only when the block
/// is done.
const CHUNK: usize = 4096;
/// States after which a single thread stores what they led to, while their places are in the near caches.
const CHUNK_ALONE: usize = 512;
/// Up to so many levels progress is told after each block; beyond, telling it costs as much as a block.
pub(super) const FEW_LEVELS: usize = 256;
pub(super) const BETWEEN_PROGRESS: Duration = Duration::from_millis(50);
/// However little memory there is, so many states are expanded together.
const FEW: usize = 32;
/// Chunks for each thread, so that none waits long for the last one of another.
const CHUNKS: usize = 4;

/// What a search is of and how it is done.
pub(super) struct Plan<'a, M: Model> {
    pub(super) model: &'a M,
    /// What is kept of each state.
    pub(super) kept: Kept,
    pub(super) evaluator: Evaluator<'a, M>,
    pub(super) limits: Limits,
    pub(super) threads: usize,
    pub(super) begin: Instant,
    /// How many kinds of action and how many marks the model has.
    pub(super) kinds: usize,
    pub(super) marks: usize,
    /// Where keys and states go when memory is used up.
    pub(super) spill: Option<PathBuf>,
    pub(super) checkpoint: Option<Checkpointing>,
    /// Whether to go on from the checkpoint.
    pub(super) resume: bool,
    pub(super) reduced: Reduced<M>,
    pub(super) audit: Audit,
    /// How states are written to disk that are not packed.
    pub(super) codec: Option<Codec<M>>,
    /// Becomes true when the search is to end.
    pub(super) interrupt: Option<&'a AtomicBool>,
}

impl<M: Model> Plan<'_, M> {
    /// Whether there is more to do with a step than to look up where it leads.
    pub(super) fn looks_at_steps(&self) -> bool {
        let is_symmetric = matches!(self.reduced, Reduced::Symmetry(_));
        self.evaluator.judges_steps() || self.kinds > 0 || self.marks > 0 || is_symmetric
    }

    /// What ends the search now, other than depth, which the search itself sees.
    pub(super) fn limit(&self, states: usize, memory: impl Fn() -> u64) -> Option<Limit> {
        if self.is_interrupted() {
            return Some(Limit::Interrupt);
        }
        self.limits.exceeded(states, self.begin, memory)
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|interrupt| interrupt.load(atomic::Ordering::Relaxed))
    }
}

/// A state that was found and not expanded yet.
pub(super) struct Found<M: Model, E: Encoding<M>> {
    pub(super) key: E::Key,
    pub(super) body: E::Body,
}

/// A search and what it found.
pub(super) struct Search<'a, M: Model, E: Encoding<M>> {
    pub(super) plan: &'a Plan<'a, M>,
    pub(super) visited: Vec<E::Visited>,
    /// The states of the next level among them, if a reduction asks for them.
    visited_next: Vec<E::Visited>,
    pub(super) traces: Traces,
    /// Distinct initial states. They have the lowest ranks.
    pub(super) initial: usize,
    /// The rank at which each level that was begun begins: level 0 has the initial states.
    pub(super) levels: Vec<usize>,
    pub(super) findings: Findings,
    pub(super) totals: Totals,
    /// The sum of the digests of all keys, by which a checkpoint knows its model again.
    key_sum: u64,
    /// The states of the level that is being expanded, and those of the next one.
    level: Frontier<M, E>,
    next: Frontier<M, E>,
    /// The rank of the first state that was not expanded.
    at: usize,
    /// The rank at which the block ends that was begun, if it is greater than `at`. The limit on states is looked at
    /// between blocks, which follow from counts; blocks are expanded in pieces, which follow from time.
    until: usize,
    pace: Pace,
    /// Whether a step leads beyond the depth limit.
    beyond: bool,
    spill: Option<Spill>,
    heap: Heap,
    /// States that were not in the tables when something had been written to disk, with their origins.
    pending: Vec<(Found<M, E>, Origin)>,
    worker: Worker<M, E>,
    chunks: Vec<Chunk<M, E>>,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Initial states and steps.
    pub(super) generated: u64,
    /// Steps of each kind of action.
    pub(super) kinds: Vec<u64>,
    /// Steps by each mark.
    pub(super) marks: Vec<u64>,
}

impl<'a, M: Model, E: Encoding<M>> Search<'a, M, E> {
    /// A search at its beginning, or where its checkpoint was written.
    pub(super) fn begin(
        plan: &'a Plan<'a, M>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Self, CheckError> {
        match &plan.checkpoint {
            Some(checkpoint) if plan.resume => {
                let saved = Checkpoint::read(&checkpoint.path, &Self::identity(plan, checkpoint))?;
                Self::resume(plan, saved, progress)
            }
            Some(_) | None => Self::new(plan),
        }
    }

    /// What is searched, how states are told apart, and what is judged: all that a checkpoint depends on.
    fn identity(plan: &Plan<'_, M>, checkpoint: &Checkpointing) -> String {
        let properties = format!("properties {}", plan.evaluator.ids().collect::<Vec<_>>().join(" "));
        let depth = plan.limits.depth.map_or("any depth".to_owned(), |depth| format!("a depth of {depth}"));
        let reduction =
            plan.reduced.kind().map_or("every state".to_owned(), |kind| format!("{kind} reduction"));
        let identity = &checkpoint.identity;
        [identity, &properties, plan.kept.name(), &reduction, &depth].join(PART)
    }

    /// A search that has found the initial states.
    fn new(plan: &'a Plan<'a, M>) -> Result<Self, CheckError> {
        let mut search = Self::empty(plan);
        for (position, state) in (0..).zip(plan.model.initial()) {
            let (key, body) =
                E::encode(plan.kept, plan.reduced.representative(state)).map_err(|error| *error)?;
            search.totals.generated += 1;
            if search.visited[key.shard()].insert(key, &body) {
                search.add(Found { key, body }, Origin { parent: 0, position });
            }
        }
        search.initial = search.len();
        if search.initial == 0 { Err(CheckError::NoInitialState) } else { Ok(search) }
    }

    fn empty(plan: &'a Plan<'a, M>) -> Self {
        let totals = Totals { generated: 0, kinds: vec![0; plan.kinds], marks: vec![0; plan.marks] };
        Self {
            plan,
            visited: nothing::<M, E>(plan.kept),
            visited_next: nothing::<M, E>(plan.kept),
            traces: Traces::default(),
            initial: 0,
            levels: Vec::new(),
            findings: plan.evaluator.nothing_found(),
            totals,
            key_sum: 0,
            level: Frontier::new(),
            next: Frontier::new(),
            at: 0,
            until: 0,
            pace: Pace::new(),
            beyond: false,
            spill: None,
            heap: Heap::new(std::mem::needs_drop::<M::State>() && size_of::<E::Body>() > 0),
            pending: Vec::new(),
            worker: Worker::new(),
            chunks: Vec::new(),
        }
    }

    /// Finds every state, or all that the limits admit; returns the limit that left some out.
    pub(super) fn run(&mut self, progress: &mut dyn FnMut(&Progress)) -> Result<Option<Limit>, CheckError> {
        Crew::with(self.plan.threads - 1, Worker::new, |crew| self.run_with(crew, progress))
    }

    fn run_with(
        &mut self,
        crew: &Crew<'a, Worker<M, E>>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Option<Limit>, CheckError> {
        let (mut saved, mut told) = (Instant::now(), Instant::now());
        loop {
            if self.level.len() == 0 {
                self.settle()?;
                if self.beyond {
                    return Ok(Some(Limit::Depth(self.levels.len() - 1)));
                }
                if self.next.len() == 0 {
                    return Ok(None);
                }
                self.levels.push(self.at);
                self.next_level();
            }
            let is_between = self.at >= self.until;
            if is_between && self.len() + self.pending.len() > self.plan.limits.max_states() {
                // Of those that wait some are known, so that the limit may not be exceeded yet.
                self.settle()?;
            }
            if let Some(limit) = self.exceeded(is_between) {
                self.settle()?;
                self.save()?;
                match limit {
                    // What is stored is at least looked at: a violation there is one, whatever lies beyond.
                    Limit::States(_) | Limit::Depth(_) | Limit::Memory(_) => self.look(crew)?,
                    // Nobody who asked for an end now waits for that.
                    Limit::Time(_) | Limit::Interrupt => {}
                }
                return Ok(Some(limit));
            }
            if is_between {
                self.until = self.at + self.block_len().min(self.level.len());
            }
            let last = self.plan.limits.depth == Some(self.levels.len() - 1);
            self.expand(crew, if last { Mode::Probe } else { Mode::Expand }, self.until - self.at)?;
            self.make_room()?;
            self.save_now_and_then(&mut saved)?;
            if self.levels.len() < FEW_LEVELS || told.elapsed() >= BETWEEN_PROGRESS {
                progress(&self.progress());
                told = Instant::now();
            }
        }
    }

    pub(super) fn progress(&self) -> Progress {
        Progress {
            states: self.len(),
            phase: Phase::Searching,
            generated: self.totals.generated,
            depth: self.levels.len() - 1,
            frontier: self.level.len() + self.next.len(),
            levels: self.level_sizes(),
            memory: limits::resident_bytes(),
            spilled_at: self.spilled_at(),
            elapsed: self.plan.begin.elapsed(),
        }
    }

    /// The states of each level, the last one as far as it was found.
    fn level_sizes(&self) -> Vec<usize> {
        let next = self.len() - self.next.len();
        let ends = self.levels.iter().skip(1).copied().chain([next, self.len()]);
        let begins = self.levels.iter().copied().chain([next]);
        begins.zip(ends).map(|(begin, end)| end - begin).collect()
    }

    /// Distinct states that were found.
    pub(super) fn len(&self) -> usize {
        self.traces.len()
    }

    /// Steps to the state that is farthest from the initial ones.
    pub(super) fn depth(&self) -> usize {
        let expanded = self.levels.len().saturating_sub(1);
        // After an early end the last states may be of a level that was not begun.
        if self.next.len() > 0 { expanded + 1 } else { expanded }
    }

    /// What the steps came by.
    pub(super) fn coverage(&self) -> Coverage {
        let kinds = self.plan.model.kinds().into_iter().zip(self.totals.kinds.iter().copied());
        let marks = self.plan.model.marks().into_iter().zip(self.totals.marks.iter().copied());
        Coverage { kinds: kinds.collect(), marks: marks.collect() }
    }

    /// What ends the search now; the limit on states only between blocks.
    fn exceeded(&self, is_between: bool) -> Option<Limit> {
        self.plan.limit(if is_between { self.len() } else { 0 }, || {
            self.resident().unwrap_or_else(|| self.memory())
        })
    }

    /// Close to the limit on states blocks become small, down to one state, so that the search does not go far
    /// beyond it. Depends on nothing but counts, so it is the same for any number of threads.
    fn block_len(&self) -> usize {
        let left = self.plan.limits.max_states().saturating_sub(self.len() + self.pending.len());
        (left / 64).clamp(1, BLOCK)
    }

    /// Evaluates the properties of all states that are not expanded.
    fn look(&mut self, crew: &Crew<'a, Worker<M, E>>) -> Result<(), CheckError> {
        let depth = self.depth();
        while self.level.len() + self.next.len() > 0 {
            if self.level.len() == 0 {
                self.level = std::mem::replace(&mut self.next, Frontier::new());
            }
            self.expand(crew, Mode::Look, BLOCK)?;
        }
        if depth == self.levels.len() {
            self.levels.push(self.len());
        }
        Ok(())
    }

    fn save_now_and_then(&mut self, saved: &mut Instant) -> Result<(), CheckError> {
        let due = |checkpoint: &Checkpointing| saved.elapsed() >= checkpoint.every;
        if self.plan.checkpoint.as_ref().is_some_and(due) {
            self.settle()?;
            self.save()?;
            *saved = Instant::now();
        }
        Ok(())
    }

    /// Writes a checkpoint, if there is to be one. Nothing waits.
    pub(super) fn save(&self) -> Result<(), CheckError> {
        let Some(checkpoint) = &self.plan.checkpoint else { return Ok(()) };
        let saved = Checkpoint {
            identity: Self::identity(self.plan, checkpoint),
            traces: &self.traces,
            initial: self.initial,
            levels: self.levels.clone(),
            at: self.at,
            until: self.until,
            beyond: self.beyond,
            totals: self.totals.clone(),
            findings: self.findings.clone(),
            key_sum: self.key_sum,
        };
        saved.write(&checkpoint.path)
    }

    /// Treats the next states of the level, at most so many.
    fn expand(&mut self, crew: &Crew<'a, Worker<M, E>>, mode: Mode, most: usize) -> Result<(), CheckError> {
        let begin = Instant::now();
        let count = self.pace.piece(most.min(self.most_in_memory())).min(self.level.len());
        let threads = self.plan.threads;
        if threads == 1 || count == 1 || !self.pace.is_worth_dividing(count) {
            for states in self.level.take(self.plan, count, count)? {
                self.expand_alone(&states, mode)?;
            }
        } else {
            let chunk_len = count.div_ceil(CHUNKS * threads).min(CHUNK);
            let states = self.level.take(self.plan, count, chunk_len)?;
            self.expand_together(crew, states, mode)?;
        }
        self.pace.learn(count, begin.elapsed(), BLOCK);
        Ok(())
    }

    /// Expands states and stores what they lead to, a few at a time.
    fn expand_alone(&mut self, states: &[Found<M, E>], mode: Mode) -> Result<(), CheckError> {
        let mut chunk = self.chunks.pop().unwrap_or_else(|| Chunk::new(self.plan));
        // Stored at once, what some states led to is known to the next ones and never becomes a candidate again.
        for states in states.chunks(CHUNK_ALONE) {
            chunk.clear(&self.findings);
            let known = Known { all: &self.visited, next: &self.visited_next };
            self.worker.treat(self.plan, known, states, self.at, mode, &mut chunk);
            self.store(&mut chunk);
            self.sum_up(self.at, &mut chunk)?;
            self.at += states.len();
        }
        self.chunks.push(chunk);
        Ok(())
    }

    /// Stores the new ones among the candidates of a chunk, whose first state has the next rank.
    fn store(&mut self, chunk: &mut Chunk<M, E>) {
        let first = self.at as u64;
        let mut candidates = chunk.candidates.drain(..);
        while candidates.len() > 0 {
            let keys = candidates.as_slice().iter().map(|candidate| candidate.key);
            let group = Group::of(keys, |key| self.visited[key.shard()].is_at_hand(key));
            let mut passed = 0;
            for place in group.unseen() {
                let candidate = candidates.nth(place - passed).expect("the group is of the first candidates");
                passed = place + 1;
                let Candidate { key, body, parent, position } = candidate;
                if self.visited[key.shard()].insert(key, &body) {
                    self.add(Found { key, body }, Origin { parent: first + u64::from(parent), position });
                }
            }
            candidates.by_ref().take(group.len - passed).for_each(drop);
        }
    }

    /// Appends the new states of a chunk, whose candidates are stored.
    fn append(&mut self, chunk: &mut Chunk<M, E>) {
        if self.spill.is_some() {
            let origins = chunk.origins.range(0..chunk.origins.len());
            self.pending.extend(chunk.new.drain(..).zip(origins));
            return;
        }
        if self.is_partial() {
            for Found { key, body } in &chunk.new {
                self.visited_next[key.shard()].insert(*key, body);
            }
        }
        self.key_sum = self.key_sum.wrapping_add(chunk.key_sum);
        self.traces.append(&chunk.origins);
        self.next.append(std::mem::take(&mut chunk.new));
    }

    /// Goes on to the next level.
    fn next_level(&mut self) {
        self.level = std::mem::replace(&mut self.next, Frontier::new());
        if self.is_partial() {
            self.visited_next = nothing::<M, E>(self.plan.kept);
        }
    }

    /// Whether steps are left out by what is known of the next level.
    fn is_partial(&self) -> bool {
        matches!(self.plan.reduced, Reduced::PartialOrder { .. })
    }

    #[inline]
    fn note_next(&mut self, key: E::Key, body: &E::Body) {
        if self.is_partial() {
            self.visited_next[key.shard()].insert(key, body);
        }
    }

    /// Adds a state that is not in the tables.
    #[inline]
    fn add(&mut self, found: Found<M, E>, origin: Origin) {
        if self.spill.is_some() {
            self.pending.push((found, origin));
        } else {
            self.add_new(found, origin);
        }
    }

    #[inline]
    fn add_new(&mut self, found: Found<M, E>, origin: Origin) {
        self.note_next(found.key, &found.body);
        self.key_sum = self.key_sum.wrapping_add(found.key.digest());
        self.next.push(found);
        self.traces.push(origin);
    }

    /// Adds what a chunk, whose first state has this rank, found besides states.
    fn sum_up(&mut self, first: usize, chunk: &mut Chunk<M, E>) -> Result<(), CheckError> {
        if let Some(message) = chunk.panicked.take() {
            return Err(panics::error(self, first + chunk.at, message));
        }
        if let Some(error) = chunk.error.take() {
            return Err(*error);
        }
        self.findings.add_later(&chunk.findings);
        self.totals.generated += chunk.generated;
        self.beyond |= chunk.beyond;
        for (sum, count) in self.totals.kinds.iter_mut().zip(&chunk.kinds) {
            *sum += count;
        }
        for (sum, count) in self.totals.marks.iter_mut().zip(&chunk.marks) {
            *sum += count;
        }
        Ok(())
    }
}

/// The parts of a visited set of no states.
fn nothing<M: Model, E: Encoding<M>>(kept: Kept) -> Vec<E::Visited> {
    (0..SHARDS).map(|_| E::nothing(kept)).collect()
}
