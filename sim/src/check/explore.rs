//! Breadth-first search, level by level and within a level block by block.
//!
//! Threads expand the states of a block into batches of perhaps-new states, looking into the table without
//! changing it; then the batches are stored, shard by shard. The bounded block bounds the batches.

use std::ops::Range;
use std::time::Instant;

use super::crew;
use super::evaluate::{Evaluator, Findings};
use super::limits::{Limit, Limits, resident_bytes};
use super::space::{Batch, Key, Space, StateId};
use super::{CheckError, Progress};
use crate::model::Model;

/// States that are expanded before what they lead to is stored: enough to give several threads work for
/// milliseconds, few enough that the batches stay small beside the states.
const BLOCK: usize = 4096;
/// States that a thread takes at a time.
const CHUNK: usize = 256;
/// Below this many states another thread costs more than it saves.
const WORTH_A_THREAD: usize = 512;

/// What is done with a state in the frontier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Its properties are evaluated and what it leads to is stored.
    Expand,
    /// As `Expand`, but a step to an unknown state only shows that there is something beyond the depth limit.
    Probe,
    /// Only its own properties are evaluated.
    Look,
}

/// A search and what it found.
pub(super) struct Exploration<'a, M: Model> {
    model: &'a M,
    evaluator: &'a Evaluator<'a, M>,
    pub(super) limits: Limits,
    pub(super) threads: usize,
    pub(super) begin: Instant,
    pub(super) space: Space<M::State>,
    pub(super) findings: Findings,
    /// Initial states and steps.
    pub(super) generated: u64,
    chunks: Vec<Chunk>,
    batches: Vec<Batch<M::State>>,
}

/// What the expansion of some states found, besides states.
struct Chunk {
    findings: Findings,
    generated: u64,
    beyond: bool,
}

impl<'a, M: Model> Exploration<'a, M> {
    /// A search that has not begun.
    pub(super) fn new(
        model: &'a M,
        evaluator: &'a Evaluator<'a, M>,
        limits: Limits,
        threads: usize,
        begin: Instant,
    ) -> Self {
        let initial = model.initial();
        Self {
            model,
            evaluator,
            limits,
            threads,
            begin,
            generated: initial.len() as u64,
            space: Space::new(initial),
            findings: evaluator.nothing_found(),
            chunks: Vec::new(),
            batches: Vec::new(),
        }
    }

    /// Finds every state, or all that the limits admit; returns the limit that left some out.
    pub(super) fn run(&mut self, progress: &mut dyn FnMut(&Progress)) -> Result<Option<Limit>, CheckError> {
        if self.space.len() == 0 {
            return Err(CheckError::NoInitialState);
        }
        let mut depth = 0;
        while let Some(level) = self.space.close_level() {
            let last = self.limits.depth == Some(depth);
            let mode = if last { Mode::Probe } else { Mode::Expand };
            let mut beyond = false;
            let mut rank = level.start;
            while rank < level.end {
                if let Some(limit) = self.exceeded() {
                    // What is stored is at least looked at: a violation there is one, whatever lies beyond.
                    self.look(rank..self.space.len());
                    return Ok(Some(limit));
                }
                let block = rank..level.end.min(rank + self.block_len());
                rank = block.end;
                beyond |= self.block(block, mode);
                progress(&Progress {
                    states: self.space.len(),
                    generated: self.generated,
                    depth,
                    frontier: self.space.len() - rank,
                    levels: self.space.levels().map(|level| level.len()).collect(),
                    memory: resident_bytes(),
                    elapsed: self.begin.elapsed(),
                });
            }
            if last && beyond {
                return Ok(Some(Limit::Depth(depth)));
            }
            depth += 1;
        }
        Ok(None)
    }

    fn exceeded(&self) -> Option<Limit> {
        self.limits.exceeded(self.space.len(), self.begin, || self.space.estimated_bytes())
    }

    /// Close to the limit on states blocks become small, down to one state, so that the search does not go far
    /// beyond it. Depends on nothing but counts, so it is the same for any number of threads.
    fn block_len(&self) -> usize {
        let left = self.limits.max_states().saturating_sub(self.space.len());
        (left / 64).clamp(1, BLOCK)
    }

    fn look(&mut self, ranks: Range<usize>) {
        for begin in ranks.clone().step_by(BLOCK) {
            self.block(begin..ranks.end.min(begin + BLOCK), Mode::Look);
        }
    }

    /// Expands the states with these ranks; whether a step leads beyond the depth limit.
    fn block(&mut self, ranks: Range<usize>, mode: Mode) -> bool {
        let count = ranks.len().div_ceil(CHUNK);
        while self.batches.len() < count {
            self.batches.push(Batch::new());
        }
        self.chunks.clear();
        self.chunks.resize_with(count, || Chunk {
            findings: self.findings.clone(),
            generated: 0,
            beyond: false,
        });
        let threads = if ranks.len() < WORTH_A_THREAD { 1 } else { self.threads };

        let mut chunks = std::mem::take(&mut self.chunks);
        let mut batches = std::mem::take(&mut self.batches);
        let begins = ranks.clone().step_by(CHUNK);
        let end = |begin: usize| ranks.end.min(begin + CHUNK);
        if threads == 1 {
            // Stored at once, what a chunk led to is known to the next one and never becomes a candidate again.
            for (begin, chunk) in begins.zip(&mut chunks) {
                self.expand(begin..end(begin), mode, chunk, &mut batches[0]);
                self.space.insert(&mut batches[..1], 1);
            }
        } else {
            let jobs = begins.zip(chunks.iter_mut().zip(&mut batches));
            crew::for_each(threads, jobs, |(begin, (chunk, batch))| {
                self.expand(begin..end(begin), mode, chunk, batch);
            });
            self.space.insert(&mut batches[..count], threads);
        }

        let mut beyond = false;
        for chunk in &chunks {
            self.findings.add_later(&chunk.findings);
            self.generated += chunk.generated;
            beyond |= chunk.beyond;
        }
        self.chunks = chunks;
        self.batches = batches;
        beyond
    }

    fn expand(&self, ranks: Range<usize>, mode: Mode, chunk: &mut Chunk, batch: &mut Batch<M::State>) {
        let mut actions = Vec::new();
        for (rank, id) in ranks.clone().zip(self.space.ids(ranks)) {
            let state = self.space.state(*id);
            self.evaluator.state(state, rank, &mut chunk.findings);
            if mode == Mode::Look {
                continue;
            }
            actions.clear();
            self.model.actions(state, &mut actions);
            let changes = self.steps((rank, *id), state, &actions, mode, chunk, batch);
            if !changes {
                self.evaluator.dead_end(state, rank, &mut chunk.findings);
            }
        }
    }

    /// Takes every step from a state; whether one of them changes it.
    fn steps(
        &self,
        (rank, id): (usize, StateId),
        state: &M::State,
        actions: &[M::Action],
        mode: Mode,
        chunk: &mut Chunk,
        batch: &mut Batch<M::State>,
    ) -> bool {
        let mut changes = false;
        for (position, action) in actions.iter().enumerate() {
            let Some(next) = self.model.next(state, action) else { continue };
            let unknown = if next == *state {
                None
            } else {
                changes = true;
                let key = Key::of(&next);
                self.space.find(key, &next).is_none().then_some(key)
            };
            if unknown.is_some() && mode == Mode::Probe {
                chunk.beyond = true;
                continue;
            }
            chunk.generated += 1;
            self.evaluator.step((rank, position), state, action, &next, &mut chunk.findings);
            if let Some(key) = unknown {
                batch.push(key, next, id);
            }
        }
        changes
    }
}
