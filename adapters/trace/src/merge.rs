//! Several traces of one system as one, in the order of their times.

use std::io::BufRead;

use crate::event::{Event, Field};
use crate::name::Name;
use crate::read::{Place, Read, Reader, TraceError};

/// Several traces, read as one. What one of them says comes in the order of its lines; of two, the earlier comes first, and of two at the
/// same time that of the trace that was named first. A line without a time comes at once behind the one above it.
///
/// Each event says which trace it is from ([`Field::Source`]); its place is that in its trace.
#[derive(Debug)]
pub struct Merged<R> {
    traces: Vec<Trace<R>>,
    /// The line that was read last.
    text: Vec<u8>,
}

#[derive(Debug)]
struct Trace<R> {
    name: String,
    reader: Reader<R>,
    /// What comes next of it.
    head: Option<(Place, Event<'static>)>,
    /// The time of what came last of it.
    last_ms: f64,
    is_over: bool,
    cut: Option<Place>,
}

impl<R: BufRead> Merged<R> {
    /// These traces, each with its name.
    pub fn new(traces: impl IntoIterator<Item = (String, R)>) -> Self {
        let trace = |(name, bytes)| Trace {
            name,
            reader: Reader::new(bytes),
            head: None,
            last_ms: f64::NEG_INFINITY,
            is_over: false,
            cut: None,
        };
        Self { traces: traces.into_iter().map(trace).collect(), text: Vec::new() }
    }

    /// The next event of all; [`Read::Pending`] at the end.
    ///
    /// # Errors
    /// With the name of the trace: if a line is no event, or cannot be read.
    pub fn read(&mut self) -> Result<Read<'_>, (String, TraceError)> {
        for trace in &mut self.traces {
            trace.fill().map_err(|error| (trace.name.clone(), error))?;
        }
        let heads = self.traces.iter_mut().filter(|trace| trace.head.is_some());
        let Some(first) = heads.min_by(|one, other| one.time().total_cmp(&other.time())) else {
            return Ok(Read::Pending);
        };
        first.last_ms = first.time();
        let Some((place, event)) = first.head.take() else { return Ok(Read::Pending) };
        self.text = event.line().into_bytes();
        Ok(Read::Event { place, event, text: &self.text })
    }

    /// Traces whose last line is cut off, and where.
    pub fn cut(&self) -> impl Iterator<Item = (&str, Place)> {
        self.traces.iter().filter_map(|trace| Some((trace.name.as_str(), trace.cut?)))
    }

    /// Lines of kinds, and fields, that the schema does not have.
    pub fn unknown(&self) -> (u64, u64) {
        let kinds = |trace: &Trace<R>| trace.reader.unknown_kinds().map_or(0, |(count, ..)| count);
        let fields = |trace: &Trace<R>| trace.reader.unknown_fields();
        (self.traces.iter().map(kinds).sum(), self.traces.iter().map(fields).sum())
    }
}

impl<R: BufRead> Trace<R> {
    /// When its head happened, as far as one knows.
    fn time(&self) -> f64 {
        self.head.as_ref().and_then(|(_, event)| event.at_ms).unwrap_or(self.last_ms)
    }

    fn fill(&mut self) -> Result<(), TraceError> {
        while self.head.is_none() && !self.is_over {
            let cut = self.reader.cut();
            let (read, is_last) = match self.reader.read()? {
                Read::Event { place, event, .. } => (Some((place, event.into_owned())), false),
                Read::Other => (None, false),
                Read::Pending => (None, true),
            };
            self.head = read;
            if is_last {
                self.is_over = true;
                self.cut = cut;
            }
            if let Some((_, event)) = &mut self.head
                && event.get(Field::Source).is_none()
            {
                event.set(Field::Source, Name::Text(self.name.clone().into()));
            }
        }
        Ok(())
    }
}
