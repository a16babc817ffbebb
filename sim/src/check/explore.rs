//! Breadth-first search, level by level and within a level block by block.
//!
//! Threads expand the states of a block into candidates, states that are perhaps new, and look into the visited
//! set without changing it; then the candidates are stored, shard by shard, and at last put in their order. No
//! thread waits for another within one of these three parts.

use std::ops::Range;
use std::time::Instant;

use super::crew;
use super::encoding::{Encoding, Visited};
use super::evaluate::{Evaluator, Findings};
use super::expand::{Candidate, Chunk, Mode, Worker};
use super::key::{Key, SHARDS};
use super::limits::{Limit, Limits};
use super::panics;
use super::traces::{Origin, Traces};
use super::{CheckError, Progress};
use crate::model::Model;
use crate::report::Coverage;

/// States that are expanded before what they lead to is stored: enough to give several threads work for
/// milliseconds, few enough that the candidates stay small beside the states.
const BLOCK: usize = 32_768;
/// States that a thread takes at a time.
const CHUNK: usize = 512;
/// Below this many states another thread costs more than it saves.
const WORTH_A_THREAD: usize = 1024;

/// What a search is of and how it is done.
pub(super) struct Plan<'a, M: Model> {
    pub(super) model: &'a M,
    pub(super) evaluator: Evaluator<'a, M>,
    pub(super) limits: Limits,
    pub(super) threads: usize,
    pub(super) begin: Instant,
    /// How many kinds of action and how many marks the model has.
    pub(super) kinds: usize,
    pub(super) marks: usize,
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
    pub(super) traces: Traces,
    /// The rank at which each level begins: level 0 has the initial states.
    pub(super) levels: Vec<usize>,
    pub(super) findings: Findings,
    /// Initial states and steps.
    pub(super) generated: u64,
    kinds: Vec<u64>,
    marks: Vec<u64>,
    /// The states of the level that is being expanded, and those of the next one.
    level: Vec<Found<M, E>>,
    next: Vec<Found<M, E>>,
    workers: Vec<Worker<M, E>>,
    chunks: Vec<Chunk<M, E>>,
}

impl<'a, M: Model, E: Encoding<M>> Search<'a, M, E> {
    /// A search that has found the initial states.
    pub(super) fn new(plan: &'a Plan<'a, M>) -> Result<Self, CheckError> {
        let mut search = Self {
            plan,
            visited: (0..SHARDS).map(|_| E::Visited::new()).collect(),
            traces: Traces::default(),
            levels: vec![0],
            findings: plan.evaluator.nothing_found(),
            generated: 0,
            kinds: vec![0; plan.kinds],
            marks: vec![0; plan.marks],
            level: Vec::new(),
            next: Vec::new(),
            workers: (0..plan.threads).map(|_| Worker::new()).collect(),
            chunks: Vec::new(),
        };
        for (position, state) in (0..).zip(plan.model.initial()) {
            let (key, body) = E::encode(state).map_err(|error| *error)?;
            search.generated += 1;
            if search.visited[key.shard()].insert(key, &body) {
                search.next.push(Found { key, body });
                search.traces.push(Origin { parent: 0, position });
            }
        }
        if search.next.is_empty() { Err(CheckError::NoInitialState) } else { Ok(search) }
    }

    /// Finds every state, or all that the limits admit; returns the limit that left some out.
    pub(super) fn run(&mut self, progress: &mut dyn FnMut(&Progress)) -> Result<Option<Limit>, CheckError> {
        let mut depth = 0;
        while !self.next.is_empty() {
            self.level = std::mem::take(&mut self.next);
            let first = self.len() - self.level.len();
            if depth > 0 {
                self.levels.push(first);
            }
            let last = self.plan.limits.depth == Some(depth);
            let mode = if last { Mode::Probe } else { Mode::Expand };
            let mut beyond = false;
            let mut at = 0;
            while at < self.level.len() {
                if let Some(limit) = self.exceeded() {
                    // What is stored is at least looked at: a violation there is one, whatever lies beyond.
                    self.look(first, at)?;
                    return Ok(Some(limit));
                }
                let block = at..self.level.len().min(at + self.block_len());
                at = block.end;
                beyond |= self.block(first, block, mode)?;
                progress(&Progress {
                    states: self.len(),
                    generated: self.generated,
                    depth,
                    frontier: self.level.len() - at + self.next.len(),
                    elapsed: self.plan.begin.elapsed(),
                });
            }
            if last && beyond {
                return Ok(Some(Limit::Depth(depth)));
            }
            depth += 1;
        }
        self.level = Vec::new();
        Ok(None)
    }

    /// Distinct states that were found.
    pub(super) fn len(&self) -> usize {
        self.traces.len()
    }

    /// Distinct initial states.
    pub(super) fn initial(&self) -> usize {
        self.levels.get(1).copied().unwrap_or(self.len())
    }

    /// Steps to the state that is farthest from the initial ones.
    pub(super) fn depth(&self) -> usize {
        let last = self.len().saturating_sub(1);
        self.levels.partition_point(|begin| *begin <= last).saturating_sub(1)
    }

    /// What the steps came by.
    pub(super) fn coverage(&self) -> Coverage {
        let kinds = self.plan.model.kinds().into_iter().zip(self.kinds.iter().copied());
        let marks = self.plan.model.marks().into_iter().zip(self.marks.iter().copied());
        Coverage { kinds: kinds.collect(), marks: marks.collect() }
    }

    fn exceeded(&self) -> Option<Limit> {
        self.plan.limits.exceeded(self.len(), self.plan.begin, || self.memory())
    }

    /// Bytes in use, without what states own on the heap.
    pub(super) fn memory(&self) -> u64 {
        let frontier = (self.level.capacity() + self.next.capacity()) * size_of::<Found<M, E>>();
        let visited: u64 = self.visited.iter().map(Visited::memory).sum();
        visited + self.traces.memory() + frontier as u64
    }

    /// Close to the limit on states blocks become small, down to one state, so that the search does not go far
    /// beyond it. Depends on nothing but counts, so it is the same for any number of threads.
    fn block_len(&self) -> usize {
        let left = self.plan.limits.max_states().saturating_sub(self.len());
        (left / 64).clamp(1, BLOCK)
    }

    /// Evaluates the properties of all states that are not expanded, of the level from `at` on and of the next.
    fn look(&mut self, first: usize, at: usize) -> Result<(), CheckError> {
        self.block(first, at..self.level.len(), Mode::Look)?;
        let first = first + self.level.len();
        self.level = std::mem::take(&mut self.next);
        self.block(first, 0..self.level.len(), Mode::Look)?;
        Ok(())
    }

    /// Expands a block of the level whose first state has the rank `first`; whether a step leads beyond the
    /// depth limit.
    fn block(&mut self, first: usize, block: Range<usize>, mode: Mode) -> Result<bool, CheckError> {
        let count = block.len().div_ceil(CHUNK);
        let (plan, findings) = (self.plan, &self.findings);
        self.chunks.resize_with(self.chunks.len().max(count), || Chunk::new(plan));
        for chunk in &mut self.chunks[..count] {
            chunk.clear(findings);
        }
        let threads = if block.len() < WORTH_A_THREAD { 1 } else { self.workers.len() };
        let begins = block.clone().step_by(CHUNK);
        let end = |begin: usize| block.end.min(begin + CHUNK);
        let mut chunks = std::mem::take(&mut self.chunks);
        if threads == 1 {
            // Stored at once, what a chunk led to is known to the next one and never becomes a candidate again.
            for (begin, chunk) in begins.zip(&mut chunks) {
                let states = &self.level[begin..end(begin)];
                self.workers[0].treat(plan, &self.visited, states, first + begin, mode, chunk);
                self.store(first + begin, chunk);
            }
        } else {
            let (visited, level) = (&self.visited, &self.level);
            let jobs = begins.clone().zip(&mut chunks);
            crew::for_each(&mut self.workers, jobs, |worker, (begin, chunk)| {
                worker.treat(plan, visited, &level[begin..end(begin)], first + begin, mode, chunk);
                chunk.divide();
            });
            self.store_divided(&mut chunks[..count]);
            for (begin, chunk) in begins.zip(&mut chunks) {
                self.append(first + begin, chunk);
            }
        }
        let panicked = (block.start..)
            .step_by(CHUNK)
            .zip(&mut chunks[..count])
            .find_map(|(begin, chunk)| Some((first + begin + chunk.at, chunk.panicked.take()?)));
        if let Some((rank, message)) = panicked {
            return Err(panics::error(self, rank, message));
        }
        let beyond = self.sum_up(&mut chunks[..count])?;
        self.chunks = chunks;
        Ok(beyond)
    }

    /// Stores the new ones among the candidates of one chunk.
    fn store(&mut self, first: usize, chunk: &mut Chunk<M, E>) {
        for Candidate { key, body, parent, position } in chunk.candidates.drain(..) {
            if self.visited[key.shard()].insert(key, &body) {
                self.next.push(Found { key, body });
                self.traces.push(Origin { parent: first as u64 + u64::from(parent), position });
            }
        }
    }

    /// Stores the candidates of several chunks, each shard on some thread, and keeps of each chunk the new ones.
    fn store_divided(&mut self, chunks: &mut [Chunk<M, E>]) {
        let mut columns: Vec<Vec<(&[Candidate<M, E>], &mut Vec<u32>)>> =
            (0..SHARDS).map(|_| Vec::with_capacity(chunks.len())).collect();
        for chunk in chunks.iter_mut() {
            for (shard, column) in chunk.columns.iter_mut().enumerate() {
                columns[shard].push((&chunk.candidates, column));
            }
        }
        let jobs = self.visited.iter_mut().zip(columns);
        crew::for_each(&mut self.workers, jobs, |_, (visited, columns)| {
            for (candidates, column) in columns {
                column.retain(|place| {
                    let Candidate { key, body, .. } = &candidates[*place as usize];
                    visited.insert(*key, body)
                });
            }
        });
        crew::for_each(&mut self.workers, chunks.iter_mut(), |_, chunk| chunk.keep_new());
    }

    /// Appends the new states of a chunk, whose candidates are stored.
    fn append(&mut self, first: usize, chunk: &mut Chunk<M, E>) {
        for Candidate { key, body, parent, position } in chunk.candidates.drain(..) {
            self.next.push(Found { key, body });
            self.traces.push(Origin { parent: first as u64 + u64::from(parent), position });
        }
    }

    /// Adds what the chunks of a block found besides states; whether a step leads beyond the depth limit.
    fn sum_up(&mut self, chunks: &mut [Chunk<M, E>]) -> Result<bool, CheckError> {
        let mut beyond = false;
        for chunk in chunks {
            if let Some(error) = chunk.error.take() {
                return Err(*error);
            }
            self.findings.add_later(&chunk.findings);
            self.generated += chunk.generated;
            beyond |= chunk.beyond;
            for (sum, count) in self.kinds.iter_mut().zip(&chunk.kinds) {
                *sum += count;
            }
            for (sum, count) in self.marks.iter_mut().zip(&chunk.marks) {
                *sum += count;
            }
        }
        Ok(beyond)
    }
}
