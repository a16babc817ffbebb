//! Several traces of one system as one, in the order of their times.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io::BufRead;

use crate::event::Event;
use crate::read::{Place, Read, Reader, TraceError};

/// Lines of each trace that are read before the first of them is given: so far may a line stand from where its time belongs.
pub const AHEAD_MAX: usize = 4_096;

/// Several traces, read as one, in the order of their times. Of lines at the same time, those of the trace that was named first come
/// first, each in the order of its lines. A line without a time has that of the line above it.
///
/// Places say in which file a line stands ([`Place::file`]), from 1.
#[derive(Debug)]
pub struct Merged<R> {
    traces: Vec<Trace<R>>,
    /// What was read, and not given yet.
    ahead: BinaryHeap<Reverse<Ahead>>,
    /// The time of what was given last.
    given_ms: f64,
    /// The line that was given last.
    text: Box<[u8]>,
}

#[derive(Debug)]
struct Trace<R> {
    reader: Reader<R>,
    /// Lines of it that were read, and not given yet.
    ahead: usize,
    /// The time of the line that was read last.
    last_ms: Option<f64>,
    /// The latest of its times.
    until_ms: f64,
    is_over: bool,
    /// Why it ended, where nobody was told yet.
    error: Option<TraceError>,
}

/// A line that waits for its turn.
#[derive(Debug)]
struct Ahead {
    at_ms: f64,
    place: Place,
    event: Event<'static>,
    text: Box<[u8]>,
}

impl Ord for Ahead {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at_ms.total_cmp(&other.at_ms).then_with(|| self.place.cmp(&other.place))
    }
}

impl PartialOrd for Ahead {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ahead {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ahead {}

impl<R: BufRead> Merged<R> {
    /// These traces as one.
    pub fn new(traces: impl IntoIterator<Item = R>) -> Self {
        let trace = |(file, bytes)| Trace {
            reader: Reader::of_file(bytes, file),
            ahead: 0,
            last_ms: None,
            until_ms: f64::NEG_INFINITY,
            is_over: false,
            error: None,
        };
        Self {
            traces: (1..).zip(traces).map(trace).collect(),
            ahead: BinaryHeap::new(),
            given_ms: f64::NEG_INFINITY,
            text: Box::default(),
        }
    }

    /// The next event of all; [`Read::Pending`] at the end.
    ///
    /// # Errors
    /// As [`Reader::read`], once all that happened before is given; if no line of a trace has a time up to some line; if a line stands
    /// further than [`AHEAD_MAX`] lines from where its time belongs. Only behind a line that [`TraceError::is_cut`] one can read on: what
    /// follows is of the other traces.
    pub fn read(&mut self) -> Result<Read<'_>, TraceError> {
        for trace in &mut self.traces {
            trace.fill(&mut self.ahead);
        }
        let next_ms = self.ahead.peek().map_or(f64::INFINITY, |Reverse(next)| next.at_ms);
        let mut ended = self.traces.iter_mut().filter(|trace| trace.until_ms < next_ms);
        if let Some(error) = ended.find_map(|trace| trace.error.take()) {
            return Err(error);
        }
        let Some(Reverse(Ahead { at_ms, place, event, text })) = self.ahead.pop() else {
            return Ok(Read::Pending);
        };
        if let Some(trace) = self.traces.get_mut((place.file as usize).wrapping_sub(1)) {
            trace.ahead -= 1;
        }
        if at_ms < self.given_ms {
            return Err(TraceError::TooLate { place });
        }
        (self.given_ms, self.text) = (at_ms, text);
        Ok(Read::Event { place, event, text: &self.text })
    }

    /// Bytes that were read, of all.
    pub fn bytes(&self) -> u64 {
        self.traces.iter().map(|trace| trace.reader.next().byte).sum()
    }

    /// Lines whose kind the schema does not have: how many, and the first of the first trace that has one.
    pub fn unknown_kinds(&self) -> Option<(u64, Place, &str)> {
        let mut unknown = self.traces.iter().filter_map(|trace| trace.reader.unknown_kinds());
        let (count, place, name) = unknown.next()?;
        Some((count + unknown.map(|(count, ..)| count).sum::<u64>(), place, name))
    }

    /// Fields, over all lines, that the schema does not have.
    pub fn unknown_fields(&self) -> u64 {
        self.traces.iter().map(|trace| trace.reader.unknown_fields()).sum()
    }
}

impl<R: BufRead> Trace<R> {
    fn fill(&mut self, all: &mut BinaryHeap<Reverse<Ahead>>) {
        while !self.is_over && self.ahead < AHEAD_MAX {
            let read = match self.reader.read() {
                Ok(Read::Pending) => {
                    self.is_over = true;
                    self.reader.rest()
                }
                read => read,
            };
            let error = match read {
                Ok(Read::Other | Read::Pending) => continue,
                Ok(Read::Event { place, event, text }) => match event.at_ms.or(self.last_ms) {
                    Some(at_ms) => {
                        self.last_ms = Some(at_ms);
                        self.until_ms = self.until_ms.max(at_ms);
                        self.ahead += 1;
                        let (event, text) = (event.into_owned(), text.into());
                        all.push(Reverse(Ahead { at_ms, place, event, text }));
                        continue;
                    }
                    None => TraceError::NoTime { place },
                },
                Err(error) => error,
            };
            self.is_over = true;
            self.error = Some(error);
        }
    }
}
