//! A search put back to where it was when its checkpoint was written.

use super::{BLOCK, Found, Plan, Search};
use crate::check::checkpoint::{BadCheckpoint, Checkpoint};
use crate::check::encoding::{Encoding, Visited};
use crate::check::key::Key;
use crate::check::{CheckError, Phase, Progress, limits};
use crate::model::Model;

impl<'a, M: Model, E: Encoding<M>> Search<'a, M, E> {
    /// A search that goes on where another one was when it wrote a checkpoint.
    ///
    /// The states are found again from their origins: each is the result of one known step of one known state, so
    /// that this takes a part of the time of the search. The sum of all keys shows a model that has changed.
    pub(super) fn resume(
        plan: &'a Plan<'a, M>,
        saved: Checkpoint,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Self, CheckError> {
        let mut search = Self::empty(plan);
        let Checkpoint { traces, initial, levels, at, beyond, totals, findings, key_sum, .. } = saved;
        let mut sum = 0_u64;
        let states = plan.model.initial();
        for origin in traces.range(0..initial) {
            let state = states.get(origin.position as usize).cloned();
            search.find_again(state.ok_or_else(|| other_model(plan))?, &mut sum)?;
        }
        let mut rank = 0;
        let mut actions = Vec::new();
        let mut origins = traces.range(initial..traces.len()).peekable();
        for (depth, begin) in levels.iter().enumerate() {
            debug_assert_eq!(rank, *begin, "levels are found one after the other");
            search.next_level();
            let end = levels.get(depth + 1).copied().unwrap_or(at);
            while rank < end {
                let mut block = Vec::new();
                search.level.take(BLOCK.min(end - rank), &mut block)?;
                for found in block {
                    let mut wanted = Vec::new();
                    while let Some(origin) = origins.next_if(|origin| origin.parent == rank as u64) {
                        wanted.push(origin.position);
                    }
                    search.children_again(&found, &wanted, &mut actions, &mut sum)?;
                    rank += 1;
                }
                search.make_room()?;
                if plan.is_interrupted() {
                    return Err(CheckError::Interrupted);
                }
                progress(&search.found_again(rank, traces.len()));
            }
        }
        let is_other = sum != key_sum || origins.next().is_some();
        drop(origins);
        if is_other {
            return Err(other_model(plan));
        }
        Ok(Self { traces, initial, levels, findings, totals, key_sum, at, beyond, ..search })
    }

    fn children_again(
        &mut self,
        found: &Found<M, E>,
        wanted: &[u32],
        actions: &mut Vec<M::Action>,
        sum: &mut u64,
    ) -> Result<(), CheckError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let state = E::decode(found.key, &found.body);
        let mut children = Vec::with_capacity(wanted.len());
        let mut position = 0;
        self.plan.model.steps(&state, actions, |_, next| {
            if wanted.get(children.len()) == Some(&position) {
                children.push(next);
            }
            position += 1;
        });
        if children.len() < wanted.len() {
            return Err(other_model(self.plan));
        }
        children.into_iter().try_for_each(|child| self.find_again(child, sum))
    }

    fn find_again(&mut self, state: M::State, sum: &mut u64) -> Result<(), CheckError> {
        let (key, body) = E::encode(self.plan.reduced.representative(state)).map_err(|error| *error)?;
        if !self.visited[key.shard()].insert(key, &body) {
            return Err(other_model(self.plan));
        }
        *sum = sum.wrapping_add(key.digest());
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
            elapsed: self.plan.begin.elapsed(),
        }
    }
}

/// The error for states of the checkpoint that the model does not have.
fn other_model<M: Model>(plan: &Plan<'_, M>) -> CheckError {
    let path = plan.checkpoint.as_ref().map(|checkpoint| checkpoint.path.clone());
    CheckError::Checkpoint { path: path.unwrap_or_default(), why: BadCheckpoint::OtherModel }
}
