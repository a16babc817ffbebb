//! States that were found and not expanded yet, in the order of discovery; on disk where memory is short.

use std::collections::VecDeque;

use super::CheckError;
use super::disk::{KeyReader, Keys};
use super::encoding::Encoding;
use super::explore::{Found, Plan};
use super::spill::Spill;
use crate::model::Model;

/// States of a piece that is filled one by one, and most of two pieces that become one.
const PIECE: usize = 4096;

/// States in their order: those in files first, then those in memory, in pieces that are handed on as they are.
pub(super) struct Frontier<M: Model, E: Encoding<M>> {
    files: VecDeque<Keys>,
    reader: Option<KeyReader<E::Key>>,
    pieces: VecDeque<Vec<Found<M, E>>>,
    /// The last piece, which is not full.
    open: Vec<Found<M, E>>,
    on_disk: usize,
    in_memory: usize,
}

impl<M: Model, E: Encoding<M>> Frontier<M, E> {
    /// A frontier of no states.
    pub(super) fn new() -> Self {
        Self {
            files: VecDeque::new(),
            reader: None,
            pieces: VecDeque::new(),
            open: Vec::new(),
            on_disk: 0,
            in_memory: 0,
        }
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.on_disk + self.in_memory
    }

    /// Appends a state.
    #[inline]
    pub(super) fn push(&mut self, found: Found<M, E>) {
        if self.open.len() >= PIECE {
            self.close();
        }
        self.open.push(found);
        self.in_memory += 1;
    }

    /// Appends states.
    pub(super) fn append(&mut self, mut states: Vec<Found<M, E>>) {
        self.in_memory += states.len();
        if self.open.len() + states.len() > PIECE {
            self.close();
        }
        if self.open.is_empty() {
            self.open = states;
        } else {
            self.open.append(&mut states);
        }
    }

    /// Begins another piece.
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push_back(std::mem::take(&mut self.open));
        }
    }

    /// How many states are in memory.
    pub(super) fn in_memory(&self) -> usize {
        self.in_memory
    }

    /// Takes the first `count` states away, or all if there are fewer, in pieces of at most `most` and no empty one.
    pub(super) fn take(
        &mut self,
        plan: &Plan<'_, M>,
        count: usize,
        most: usize,
    ) -> Result<Vec<Vec<Found<M, E>>>, CheckError> {
        let mut left = count.min(self.len());
        let mut taken = Vec::new();
        while left > 0 {
            let piece = if self.on_disk > 0 {
                self.take_from_disk(plan, left.min(most))?
            } else {
                self.take_from_memory(left.min(most))
            };
            left -= piece.len();
            taken.extend(Some(piece).filter(|piece| !piece.is_empty()));
        }
        Ok(taken)
    }

    /// The first piece, or as much of it as is wanted.
    fn take_from_memory(&mut self, most: usize) -> Vec<Found<M, E>> {
        let mut piece = self.pieces.pop_front().unwrap_or_else(|| std::mem::take(&mut self.open));
        if piece.len() > most {
            let rest = piece.split_off(most);
            self.pieces.push_front(rest);
        }
        self.in_memory -= piece.len();
        piece
    }

    fn take_from_disk(&mut self, plan: &Plan<'_, M>, count: usize) -> Result<Vec<Found<M, E>>, CheckError> {
        let mut states = Vec::new();
        let Some(file) = self.files.front() else { return Ok(states) };
        if self.reader.is_none() {
            self.reader = Some(file.read()?);
        }
        let Some(reader) = &mut self.reader else { return Ok(states) };
        for _ in 0..count {
            let Some(key) = reader.peek() else {
                self.reader = None;
                self.files.pop_front();
                break;
            };
            states.push(match E::of_key(key) {
                Some(body) => Found { key, body },
                None => read(plan, key, reader)?,
            });
            self.on_disk -= 1;
            reader.advance()?;
        }
        Ok(states)
    }

    /// Writes the states in memory to disk, if they can be had back.
    pub(super) fn spill(&mut self, plan: &Plan<'_, M>, spill: &mut Spill) -> Result<(), CheckError> {
        self.close();
        let Some(first) = self.pieces.front().and_then(|piece| piece.first()) else { return Ok(()) };
        let codec = plan.codec.as_ref().filter(|_| E::of_key(first.key).is_none());
        if codec.is_none() && E::of_key(first.key).is_none() {
            return Ok(());
        }
        let mut file = spill.file()?;
        let mut bytes = Vec::new();
        // One by one, so that what they own is free at once.
        for found in std::mem::take(&mut self.pieces).into_iter().flatten() {
            file.push(found.key)?;
            if let Some(codec) = codec {
                bytes.clear();
                (codec.write)(plan.model, &E::decode(found.key, &found.body), &mut bytes);
                file.push_bytes(&bytes)?;
            }
            self.on_disk += 1;
        }
        self.in_memory = 0;
        self.files.push_back(file.end()?);
        Ok(())
    }

    /// Bytes in use, without what states own on the heap.
    pub(super) fn memory(&self) -> u64 {
        (self.in_memory * size_of::<Found<M, E>>()) as u64
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
    let (again, body) = E::encode(plan.kept, (codec.read)(plan.model, &bytes)).map_err(|error| *error)?;
    if again == key { Ok(Found { key, body }) } else { Err(CheckError::CodecLoses) }
}
