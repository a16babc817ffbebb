//! Memory: how much a search takes, and what it writes to disk when that is too much.

use super::{BLOCK, FEW, Found, Search};
use crate::check::CheckError;
use crate::check::encoding::{Encoding, Visited};
use crate::check::limits;
use crate::check::spill::Spill;
use crate::check::traces::Origin;
use crate::model::Model;

impl<M: Model, E: Encoding<M>> Search<'_, M, E> {
    /// Whether keys are on disk, so that the tables know some of the states only.
    pub(in crate::check) fn is_spilled(&self) -> bool {
        self.spill.as_ref().is_some_and(|spill| !spill.is_empty())
    }

    /// The states that had been found when the first keys were written to disk.
    pub(super) fn spilled_at(&self) -> Option<usize> {
        self.spill.as_ref().map(Spill::since)
    }

    /// The memory of the process, if the search is judged by it and the system tells it.
    pub(in crate::check) fn resident(&self) -> Option<u64> {
        limits::resident_bytes().filter(|_| !self.may_spill())
    }

    /// Whether the search can go on on disk. One that leaves steps out cannot, nor one with a limit on depth: whether
    /// a state is new must be known at once.
    pub(super) fn may_spill(&self) -> bool {
        self.plan.spill.is_some()
            && self.plan.kept.is_by_key()
            && !self.is_partial()
            && self.plan.limits.depth.is_none()
    }

    /// Bytes in use, with what states own on the heap as far as it was measured.
    pub(in crate::check) fn memory(&self) -> u64 {
        self.held() + self.heap.of(self.in_memory())
    }

    /// States in memory that are not expanded.
    fn in_memory(&self) -> u64 {
        (self.level.in_memory() + self.next.in_memory() + self.pending.len()) as u64
    }

    /// Bytes in use, without what states own on the heap.
    fn held(&self) -> u64 {
        let visited: u64 = self.visited.iter().map(Visited::memory).sum();
        let pending = self.pending.capacity() * size_of::<(Found<M, E>, Origin)>();
        visited + self.traces.memory() + self.level.memory() + self.next.memory() + pending as u64
    }

    /// Writes keys and states to disk if memory is nearly used up and they can be.
    pub(super) fn make_room(&mut self) -> Result<(), CheckError> {
        let states = self.len();
        let (Some(parent), Some(most)) = (&self.plan.spill, self.plan.limits.memory) else { return Ok(()) };
        if !self.may_spill() {
            return Ok(());
        }
        self.heap.measure(self.held(), self.in_memory());
        let visited: u64 = self.visited.iter().map(Visited::memory).sum();
        // A table that is nearly full is about to double.
        if self.memory() + visited < most {
            return Ok(());
        }
        self.settle()?;
        let spill = match self.spill.take() {
            Some(spill) => self.spill.insert(spill),
            None => self.spill.insert(Spill::new(parent, states, self.plan.kept.key_bytes::<E::Key>())?),
        };
        let (kept, mut tables) = (self.plan.kept, std::mem::take(&mut self.visited));
        // Keys come sorted out of each shard, and the shards are in the order of the keys.
        spill.add(
            tables.iter_mut().flat_map(|table| std::mem::replace(table, E::nothing(kept)).into_keys()),
        )?;
        self.visited = tables;
        self.next.spill(self.plan, spill)?;
        self.level.spill(self.plan, spill)
    }

    /// States that may be expanded before memory is looked at again: what they lead to, if all of it is new, takes a
    /// quarter of the limit.
    pub(super) fn most_in_memory(&self) -> usize {
        let steps = self.totals.generated / (self.at as u64).max(1) + 1;
        let states = self.plan.limits.memory.and_then(|most| self.heap.states_in(most / 4 / steps));
        states.map_or(BLOCK, |states| usize::try_from(states).unwrap_or(BLOCK)).max(FEW)
    }

    /// Finds out which of the states that wait are new.
    pub(super) fn settle(&mut self) -> Result<(), CheckError> {
        let Some(spill) = self.spill.as_ref().filter(|_| !self.pending.is_empty()) else { return Ok(()) };
        let mut keys: Vec<(E::Key, usize)> =
            self.pending.iter().enumerate().map(|(place, (found, _))| (found.key, place)).collect();
        keys.sort_unstable();
        let mut is_known = vec![false; keys.len()];
        spill.known(&keys, |place| is_known[place] = true)?;
        for ((found, origin), is_known) in std::mem::take(&mut self.pending).into_iter().zip(is_known) {
            if !is_known {
                self.add_new(found, origin);
            }
        }
        Ok(())
    }
}
