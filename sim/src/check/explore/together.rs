//! A block on several threads, in three parts: its states are expanded, what they led to is stored, and what was
//! new is put in its order. No thread waits for another within a part.

use std::sync::Arc;

use super::{Block, Found, Search};
use crate::check::crew::Crew;
use crate::check::encoding::Encoding;
use crate::check::expand::{self, Chunk, Known, Mode, Worker};
use crate::model::Model;

/// What nobody changes while a block is expanded.
struct Shared<M: Model, E: Encoding<M>> {
    states: Vec<Found<M, E>>,
    visited: Vec<E::Visited>,
    visited_next: Vec<E::Visited>,
}

impl<'a, M: Model, E: Encoding<M>> Search<'a, M, E> {
    /// Expands the states, `chunk_len` of them for each chunk, and stores what they lead to.
    pub(super) fn expand_together(
        &mut self,
        crew: &Crew<'a, Worker<M, E>>,
        Block { states, chunks }: Block<M, E>,
        chunk_len: usize,
        mode: Mode,
    ) -> Block<M, E> {
        let (plan, first) = (self.plan, self.at);
        let begins = (0..).step_by(chunk_len);
        let visited = std::mem::take(&mut self.visited);
        let visited_next = std::mem::take(&mut self.visited_next);
        let shared = Arc::new(Shared { states, visited, visited_next });
        let seen = Arc::clone(&shared);
        let expand = move |worker: &mut Worker<M, E>, (begin, mut chunk): (usize, Chunk<M, E>)| {
            let known = Known { all: &seen.visited, next: &seen.visited_next };
            let states = &seen.states[begin..seen.states.len().min(begin + chunk_len)];
            worker.treat(plan, known, states, first + begin, mode, &mut chunk);
            chunk.divide();
            chunk
        };
        let chunks = crew.all(&mut self.worker, begins.clone().zip(chunks), expand);
        let shared = Arc::into_inner(shared).expect("all who expanded states are done");
        self.visited_next = shared.visited_next;
        let chunks = self.store_together(crew, shared.visited, chunks);
        let mut chunks = crew.all(&mut self.worker, begins.zip(chunks), move |_, (begin, mut chunk)| {
            chunk.keep_new(first + begin);
            chunk
        });
        for chunk in &mut chunks {
            self.append(chunk);
        }
        Block { states: shared.states, chunks }
    }

    /// Stores the candidates of several chunks, each shard on some thread; leaves the new ones in the columns.
    fn store_together(
        &mut self,
        crew: &Crew<'a, Worker<M, E>>,
        visited: Vec<E::Visited>,
        mut chunks: Vec<Chunk<M, E>>,
    ) -> Vec<Chunk<M, E>> {
        let mut columns: Vec<Vec<Vec<u32>>> =
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
