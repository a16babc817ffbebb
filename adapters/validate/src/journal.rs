//! Journals of a shell, as traces: each shard is one.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use downbeat_kernel::Config;
use downbeat_past::{PastError, Seen, observe};
use downbeat_trace::{Event, Monitor, Place};

use crate::judge::{Judged, Unread};

/// By which a database of SQLite is known.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Events of a journal that is explained: all of them are in memory.
const EVENTS_MAX: usize = 1_000_000;

/// One shard.
pub(crate) struct Journal {
    pub(crate) judged: Judged,
    /// Its events, if they are wanted, and no more than so many.
    pub(crate) events: Vec<(Place, Event<'static>)>,
    pub(crate) is_cut: bool,
}

/// Whether a file is a database.
pub(crate) fn is_database(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head == MAGIC)
}

/// What is said of every journal: it decides what was told to the shell, and not what the shell has done.
const ORDERED: &str = "of a shell's own journal: what it sent, ran and told is taken from what the kernel has ordered, and nobody wrote down what went out";

/// Reads every shard, to its end or to where it cannot be read on. A place is the position of the line, and which event of it.
pub(crate) fn read(
    path: &Path,
    settings: Option<&Path>,
    is_whole: bool,
    keeps_events: bool,
) -> Result<(Vec<Journal>, Config), PastError> {
    let mut shards: Vec<(u32, Journal)> = Vec::new();
    let mut last = Place::default();
    let config = observe(path, settings, |shard, seen| {
        if shards.last().is_none_or(|(known, _)| *known != shard) {
            shards.push((shard, Journal::new(path, shard, is_whole)));
        }
        let Some((_, journal)) = shards.last_mut() else { return };
        let (at, event) = match seen {
            Seen::Event(at, event) => (at, event),
            Seen::Compacted(before) => {
                let left_out = format!("compacted: what was over before line {before} is not in it");
                return journal.judged.notes.push(left_out);
            }
            Seen::Unread(error) => {
                journal.judged.is_whole = false;
                journal.judged.error = Some(Unread::Journal(error));
                return;
            }
        };
        let byte = if last.line == at { last.byte + 1 } else { 0 };
        last = Place { line: at, byte, ..Place::default() };
        journal.judged.monitor.take(last, &event, event.line().as_bytes());
        if keeps_events && journal.events.len() < EVENTS_MAX {
            journal.events.push((last, event));
        } else {
            journal.is_cut |= keeps_events;
        }
    })?;
    if shards.is_empty() {
        return Err(PastError::Empty);
    }
    Ok((shards.into_iter().map(|(_, journal)| journal).collect(), config))
}

impl Journal {
    fn new(path: &Path, shard: u32, is_whole: bool) -> Self {
        let name = format!("{}, shard {shard}", downbeat_past::name(path));
        let judged =
            Judged { is_whole, notes: vec![ORDERED.to_owned()], ..Judged::new(name, Monitor::default()) };
        Self { judged, events: Vec::new(), is_cut: false }
    }
}
