//! States that were found and not expanded yet, in the order of discovery; on disk where memory is short.

use std::collections::VecDeque;

use super::CheckError;
use super::disk::{KeyReader, Keys};
use super::encoding::Encoding;
use super::explore::{Found, Plan};
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

    /// How many states are in memory.
    pub(super) fn in_memory(&self) -> usize {
        self.states.len()
    }

    /// Takes the first `count` states away, or all if there are fewer.
    pub(super) fn take(
        &mut self,
        plan: &Plan<'_, M>,
        count: usize,
        states: &mut Vec<Found<M, E>>,
    ) -> Result<(), CheckError> {
        states.clear();
        while states.len() < count && self.on_disk > 0 {
            self.take_from_disk(plan, count - states.len(), states)?;
        }
        let count = (count - states.len()).min(self.states.len());
        states.extend(self.states.drain(..count));
        Ok(())
    }

    fn take_from_disk(
        &mut self,
        plan: &Plan<'_, M>,
        count: usize,
        states: &mut Vec<Found<M, E>>,
    ) -> Result<(), CheckError> {
        let Some(file) = self.files.front() else { return Ok(()) };
        if self.reader.is_none() {
            self.reader = Some(file.read()?);
        }
        let Some(reader) = &mut self.reader else { return Ok(()) };
        for _ in 0..count {
            let Some(key) = reader.peek() else {
                self.reader = None;
                self.files.pop_front();
                return Ok(());
            };
            states.push(match E::of_key(key) {
                Some(body) => Found { key, body },
                None => read(plan, key, reader)?,
            });
            self.on_disk -= 1;
            reader.advance()?;
        }
        Ok(())
    }

    /// Writes the states in memory to disk, if they can be had back.
    pub(super) fn spill(&mut self, plan: &Plan<'_, M>, spill: &mut Spill) -> Result<(), CheckError> {
        let Some(first) = self.states.front() else { return Ok(()) };
        let codec = plan.codec.as_ref().filter(|_| E::of_key(first.key).is_none());
        if codec.is_none() && E::of_key(first.key).is_none() {
            return Ok(());
        }
        let mut file = spill.file()?;
        let mut bytes = Vec::new();
        // One by one, so that what they own is free at once.
        for found in std::mem::take(&mut self.states) {
            file.push(found.key)?;
            if let Some(codec) = codec {
                bytes.clear();
                (codec.write)(plan.model, &E::decode(found.key, &found.body), &mut bytes);
                file.push_bytes(&bytes)?;
            }
            self.on_disk += 1;
        }
        self.files.push_back(file.end()?);
        Ok(())
    }

    /// Bytes in use, without what states own on the heap.
    pub(super) fn memory(&self) -> u64 {
        (self.states.capacity() * size_of::<Found<M, E>>()) as u64
    }
}

/// Reads the rest of a state whose key was read.
fn read<M: Model, E: Encoding<M>>(
    plan: &Plan<'_, M>,
    key: E::Key,
    reader: &mut KeyReader<E::Key>,
) -> Result<Found<M, E>, CheckError> {
    let codec = plan.codec.as_ref().expect("a state that was written has a codec");
    let mut bytes = Vec::new();
    reader.read_bytes(&mut bytes)?;
    let (again, body) = E::encode((codec.read)(plan.model, &bytes)).map_err(|error| *error)?;
    if again == key { Ok(Found { key, body }) } else { Err(CheckError::CodecLoses) }
}
