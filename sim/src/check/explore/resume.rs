//! A search put back to where it was when its checkpoint was written.

use std::time::Instant;

use super::{BLOCK, Found, Plan, Search};
use crate::check::checkpoint::{BadCheckpoint, Checkpoint};
use crate::check::encoding::{Encoding, Visited};
use crate::check::key::Key;
use crate::check::{CheckError, Phase, Progress, limits};
use crate::model::Model;

impl<'a, M: Model, E: Encoding<M>> Search<'a, M, E> {
    /// A search that goes on where another one was when it wrote a checkpoint.
    ///
    /// The states are found again from their origins: each is the result of one known step of one known state. They
    /// are judged again and all their steps are taken again, but no state is looked up, so that this takes a part of
    /// the time of the search. Other keys, another number of steps or other findings show a model that has changed.
    pub(super) fn resume(
        plan: &'a Plan<'a, M>,
        saved: Checkpoint,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Self, CheckError> {
        let mut search = Self::new(plan)?;
        let Checkpoint { traces, levels, at, until, beyond, totals, findings, key_sum, .. } = saved;
        let initial = search.initial;
        if search.traces.range(0..initial).ne(traces.range(0..initial)) {
            return Err(other_model(plan));
        }
        let mut rank = 0;
        let mut actions = Vec::new();
        let mut origins = traces.range(initial..traces.len()).peekable();
        for (depth, begin) in levels.iter().enumerate() {
            debug_assert_eq!(rank, *begin, "levels are found one after the other");
            search.next_level();
            let end = levels.get(depth + 1).copied().unwrap_or(at);
            while rank < end {
                let (begun, before) = (Instant::now(), rank);
                let count = search.pace.piece(end - rank);
                for found in search.level.take(plan, count, count)?.into_iter().flatten() {
                    let mut wanted = Vec::new();
                    while let Some(origin) = origins.next_if(|origin| origin.parent == rank as u64) {
                        wanted.push(origin.position);
                    }
                    search.expand_again(&found, rank, &wanted, &mut actions)?;
                    rank += 1;
                }
                search.pace.learn(rank - before, begun.elapsed(), BLOCK);
                search.make_room()?;
                if plan.is_interrupted() {
                    return Err(CheckError::Interrupted);
                }
                progress(&search.found_again(rank, traces.len()));
            }
        }
        // Where steps were left out, by a reduction or at the depth limit, their number is another one.
        let took_all = !search.is_partial() && plan.limits.depth.is_none_or(|depth| levels.len() <= depth);
        let differs = search.totals.generated != totals.generated || search.findings != findings;
        let is_other = search.key_sum != key_sum || origins.next().is_some() || took_all && differs;
        drop(origins);
        if is_other {
            return Err(other_model(plan));
        }
        Ok(Self { traces, levels, findings, totals, at, until, beyond, ..search })
    }

    /// Judges a state again and takes its steps again, of which those at the positions `wanted` led to new states.
    fn expand_again(
        &mut self,
        found: &Found<M, E>,
        rank: usize,
        wanted: &[u32],
        actions: &mut Vec<M::Action>,
    ) -> Result<(), CheckError> {
        let Plan { model, evaluator, .. } = self.plan;
        let state = E::decode(found.key, &found.body);
        evaluator.state(&state, rank, &mut self.findings);
        let mut children = Vec::with_capacity(wanted.len());
        let (mut position, mut changes) = (0, false);
        model.steps(&state, actions, |action, next| {
            evaluator.step((rank, position as usize), &state, action, &next, &mut self.findings);
            changes |= next != *state;
            if wanted.get(children.len()) == Some(&position) {
                children.push(next);
            }
            position += 1;
        });
        self.totals.generated += u64::from(position);
        if !changes {
            evaluator.dead_end(&state, rank, &mut self.findings);
        }
        if children.len() < wanted.len() {
            return Err(other_model(self.plan));
        }
        children.into_iter().try_for_each(|child| self.find_again(child))
    }

    fn find_again(&mut self, state: M::State) -> Result<(), CheckError> {
        let (key, body) =
            E::encode(self.plan.kept, self.plan.reduced.representative(state)).map_err(|error| *error)?;
        if !self.visited[key.shard()].insert(key, &body) {
            return Err(other_model(self.plan));
        }
        self.key_sum = self.key_sum.wrapping_add(key.digest());
        self.note_next(key, &body);
        self.next.push(Found { key, body });
        Ok(())
    }

    /// The progress of a search that has expanded so many states again and is to find `all`.
    fn found_again(&self, expanded: usize, all: usize) -> Progress {
        let frontier = self.level.len() + self.next.len();
        Progress {
            states: expanded + frontier,
            phase: Phase::Resuming(all),
            generated: 0,
            depth: 0,
            frontier,
            levels: Vec::new(),
            memory: limits::resident_bytes(),
            spilled_at: self.spilled_at(),
            elapsed: self.plan.begin.elapsed(),
        }
    }
}

/// The error for states of the checkpoint that the model does not have.
fn other_model<M: Model>(plan: &Plan<'_, M>) -> CheckError {
    let path = plan.checkpoint.as_ref().map(|checkpoint| checkpoint.path.clone());
    CheckError::Checkpoint { path: path.unwrap_or_default(), why: BadCheckpoint::OtherModel }
}
