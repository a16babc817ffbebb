//! A block on several threads, in three parts: its states are expanded, what they led to is stored, and what was
//! new is put in its order. No thread waits for another within a part.

use std::sync::Arc;

use super::{Found, Search};
use crate::check::CheckError;
use crate::check::crew::Crew;
use crate::check::encoding::Encoding;
use crate::check::expand::{self, Chunk, Column, Known, Mode, Worker};
use crate::model::Model;

/// What nobody changes while states are expanded.
struct Shared<M: Model, E: Encoding<M>> {
    visited: Vec<E::Visited>,
    visited_next: Vec<E::Visited>,
}

/// States that one thread expands, and the rank of the first.
struct Piece<M: Model, E: Encoding<M>> {
    first: usize,
    states: Vec<Found<M, E>>,
}

impl<'a, M: Model, E: Encoding<M>> Search<'a, M, E> {
    /// Expands the states, a piece of them for each chunk, and stores what they lead to.
    pub(super) fn expand_together(
        &mut self,
        crew: &Crew<'a, Worker<M, E>>,
        pieces: Vec<Vec<Found<M, E>>>,
        mode: Mode,
    ) -> Result<(), CheckError> {
        let plan = self.plan;
        let mut firsts = Vec::with_capacity(pieces.len());
        let mut work = Vec::with_capacity(pieces.len());
        for states in pieces {
            let mut chunk = self.chunks.pop().unwrap_or_else(|| Chunk::new(plan));
            chunk.clear(&self.findings);
            firsts.push(self.at);
            work.push((Piece { first: self.at, states }, chunk));
            self.at += work.last().map_or(0, |(piece, _)| piece.states.len());
        }
        let visited = std::mem::take(&mut self.visited);
        let visited_next = std::mem::take(&mut self.visited_next);
        let shared = Arc::new(Shared::<M, E> { visited, visited_next });
        let seen = Arc::clone(&shared);
        // The states end here, on whatever thread, since to free what they own takes its time.
        let expand = move |worker: &mut Worker<M, E>, (piece, mut chunk): (Piece<M, E>, Chunk<M, E>)| {
            let known = Known { all: &seen.visited, next: &seen.visited_next };
            worker.treat(plan, known, &piece.states, piece.first, mode, &mut chunk);
            chunk.divide();
            chunk
        };
        let chunks = crew.all(&mut self.worker, work, expand);
        let shared = Arc::into_inner(shared).expect("all who expanded states are done");
        self.visited_next = shared.visited_next;
        let chunks = self.store_together(crew, shared.visited, chunks);
        let keep = move |_: &mut Worker<M, E>, (first, mut chunk): (usize, Chunk<M, E>)| {
            chunk.keep_new(first);
            (first, chunk)
        };
        for (first, mut chunk) in crew.all(&mut self.worker, firsts.into_iter().zip(chunks), keep) {
            self.append(&mut chunk);
            self.sum_up(first, &mut chunk)?;
            self.chunks.push(chunk);
        }
        Ok(())
    }

    /// Stores the candidates of several chunks, each shard on some thread; leaves the new ones in the columns.
    fn store_together(
        &mut self,
        crew: &Crew<'a, Worker<M, E>>,
        visited: Vec<E::Visited>,
        mut chunks: Vec<Chunk<M, E>>,
    ) -> Vec<Chunk<M, E>> {
        let mut columns: Vec<Vec<Column<E::Key>>> =
            visited.iter().map(|_| Vec::with_capacity(chunks.len())).collect();
        for chunk in &mut chunks {
            for (shard, column) in columns.iter_mut().zip(&mut chunk.columns) {
                shard.push(std::mem::take(column));
            }
        }
        let chunks = Arc::new(chunks);
        let shared = Arc::clone(&chunks);
        let stored = crew.all(
            &mut self.worker,
            visited.into_iter().zip(columns),
            move |_, (mut visited, mut columns)| {
                for (chunk, column) in shared.iter().zip(&mut columns) {
                    expand::store(&chunk.candidates, column, &mut visited);
                }
                (visited, columns)
            },
        );
        let mut chunks = Arc::into_inner(chunks).expect("all who stored candidates are done");
        for (shard, (visited, columns)) in stored.into_iter().enumerate() {
            self.visited.push(visited);
            for (chunk, column) in chunks.iter_mut().zip(columns) {
                chunk.columns[shard] = column;
            }
        }
        chunks
    }
}
