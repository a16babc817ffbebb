//! States that were found and not expanded yet, in the order of discovery; on disk where memory is short.

use std::collections::VecDeque;

use super::CheckError;
use super::disk::{KeyReader, Keys};
use super::encoding::Encoding;
use super::explore::Found;
use super::spill::Spill;
use crate::model::Model;

/// States in their order: those in files first, then those in memory.
pub(super) struct Frontier<M: Model, E: Encoding<M>> {
    files: VecDeque<Keys>,
    reader: Option<KeyReader<E::Key>>,
    states: VecDeque<Found<M, E>>,
    on_disk: usize,
}

impl<M: Model, E: Encoding<M>> Frontier<M, E> {
    /// A frontier of no states.
    pub(super) fn new() -> Self {
        Self { files: VecDeque::new(), reader: None, states: VecDeque::new(), on_disk: 0 }
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.on_disk + self.states.len()
    }

    /// Appends a state.
    #[inline]
    pub(super) fn push(&mut self, found: Found<M, E>) {
        self.states.push_back(found);
    }

    /// Appends states and takes them away from where they are.
    pub(super) fn append(&mut self, states: &mut Vec<Found<M, E>>) {
        self.states.extend(states.drain(..));
    }

    /// Takes the first `count` states away, or all if there are fewer.
    pub(super) fn take(&mut self, count: usize, states: &mut Vec<Found<M, E>>) -> Result<(), CheckError> {
        states.clear();
        while states.len() < count && self.on_disk > 0 {
            self.take_from_disk(count - states.len(), states)?;
        }
        let count = (count - states.len()).min(self.states.len());
        states.extend(self.states.drain(..count));
        Ok(())
    }

    fn take_from_disk(&mut self, count: usize, states: &mut Vec<Found<M, E>>) -> Result<(), CheckError> {
        let Some(file) = self.files.front() else { return Ok(()) };
        if self.reader.is_none() {
            self.reader = Some(file.read()?);
        }
        let Some(reader) = &mut self.reader else { return Ok(()) };
        for _ in 0..count {
            let Some((key, body)) = reader.peek().and_then(|key| Some((key, E::of_key(key)?))) else {
                self.reader = None;
                self.files.pop_front();
                return Ok(());
            };
            states.push(Found { key, body });
            self.on_disk -= 1;
            reader.advance()?;
        }
        Ok(())
    }

    /// Writes the states in memory to disk, if their keys are all that is needed to have them back.
    pub(super) fn spill(&mut self, spill: &mut Spill) -> Result<(), CheckError> {
        let is_whole = |found: &Found<M, E>| E::of_key(found.key).is_some();
        if !self.states.front().is_some_and(is_whole) {
            return Ok(());
        }
        let mut file = spill.file()?;
        for found in &self.states {
            file.push(found.key)?;
        }
        self.on_disk += self.states.len();
        self.states = VecDeque::new();
        self.files.push_back(file.end()?);
        Ok(())
    }

    /// Bytes in use, without what states own on the heap.
    pub(super) fn memory(&self) -> u64 {
        (self.states.capacity() * size_of::<Found<M, E>>()) as u64
    }
}
