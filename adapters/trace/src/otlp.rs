//! Spans of OpenTelemetry as a trace: OTLP in JSON, with the semantic conventions of generative AI.
//!
//! A span of an agent is a task, one of a request to a model a request, one of a tool the run of a call. What does not follow from spans
//! is left out, so that the [`Monitor`](crate::Monitor) says itself what it cannot decide; `docs/otlp.md` says what follows and what
//! does not. Spans come when they end and not in the order of time, so all of them are held before the first event is made.

mod error;
mod follow;
mod shape;
mod wire;

use std::io::Read;

use hashbrown::{HashMap, HashSet};

use crate::event::{End, Event};
use crate::read::Place;
pub use error::{At, OtlpError};
use follow::Step;

/// Spans that are held, of one input: half a gigabyte with names of forty bytes, and three and a half if all names are as long as
/// [`NAME_MAX`](crate::NAME_MAX) lets them be.
pub const SPANS_MAX: usize = 1_000_000;
/// Bytes of the longest span, and of what may stand between two: prompts and answers are in spans, a video is not.
pub const SPAN_MAX: u64 = 64 << 20;
macro_rules! lefts {
    ($($name:ident $is_gap:literal $words:literal;)*) => {
        /// Why a span says nothing to a monitor.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Left { $(#[doc = $words] $name,)* }

        impl Left {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Which spans these are.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            /// Whether a promise may be broken by what such a span would have said.
            pub const fn is_gap(self) -> bool {
                match self { $(Self::$name => $is_gap,)* }
            }

            /// What it is called in a document for machines.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

lefts! {
    NotGenAi false "not of generative AI";
    OtherOperation false "of operations that are neither agent nor request nor tool";
    Twice false "there a second time";
    Nested false "requests within a request: the same one, seen again";
    OfTool false "requests within a tool: not of the agent that called the tool";
    NoOperation true "of generative AI, without `gen_ai.operation.name`";
    Timeless true "without a start, or with an end before it; requests without an end";
    Orphan true "below a span that is not there: nobody knows whose they are";
    OtherClock true "below an agent of another process, whose clock may differ";
}

/// How many spans there were, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All that were read.
    pub spans: u64,
    /// Requests and tools with no agent above them, whose conversation is taken for their task.
    pub by_conversation: u64,
    /// The same, without a conversation: their trace is taken for their task.
    pub by_trace: u64,
    left: [u64; Left::ALL.len()],
}

impl Tally {
    /// How many were left out for this.
    pub fn left(&self, why: Left) -> u64 {
        self.left[why as usize]
    }

    /// Whether a span was left out that might have shown a promise broken.
    pub fn has_gap(&self) -> bool {
        Left::ALL.iter().any(|why| why.is_gap() && self.left(*why) > 0)
    }

    fn leave(&mut self, why: Left) {
        self.left[why as usize] += 1;
    }
}

/// What a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Agent,
    Request,
    Tool,
    Other,
    Unnamed,
}

/// What is kept of a span of generative AI.
#[derive(Clone, Debug)]
struct About {
    operation: Operation,
    /// In nanoseconds since 1970; 0 if it is not there.
    start_ns: u64,
    end_ns: u64,
    end: End,
    /// Of an agent: what it is called, if it is called anything.
    agent: Option<Box<str>>,
    conversation: Option<Box<str>>,
    call: Option<Box<str>>,
}

/// What is kept of any span.
#[derive(Clone, Debug)]
struct Span {
    place: Place,
    trace: u128,
    id: u64,
    /// 0 if it has none.
    parent: u64,
    /// In which `resourceSpans` it stands, over all documents.
    group: u32,
    about: Option<Box<About>>,
}

/// Spans as they were read.
#[derive(Clone, Debug, Default)]
struct Spans {
    all: Vec<Span>,
    by_id: HashMap<(u128, u64), u32, foldhash::fast::FixedState>,
    /// Which process each group of spans is of: a digest of what its resource says.
    processes: Vec<u64>,
    /// Ids that spans of two traces have.
    ambiguous: HashSet<u64, foldhash::fast::FixedState>,
}

impl Spans {
    fn process(&self, span: u32) -> u64 {
        self.processes[self.all[span as usize].group as usize]
    }
}

/// Spans, and what follows from them.
#[derive(Debug)]
pub struct Otlp {
    spans: Spans,
    steps: Vec<Step>,
    tally: Tally,
    error: Option<OtlpError>,
    cut: Option<Place>,
}

impl Otlp {
    /// Reads documents, one behind the other, to the end or to what is none.
    pub fn read(bytes: impl Read) -> Self {
        let wire::Gathered { mut spans, mut tally, error, cut, .. } = wire::read(bytes, SPAN_MAX);
        spans.ambiguous = follow::ambiguous(&spans);
        let steps = follow::steps(&spans, &mut tally);
        Self { spans, steps, tally, error, cut }
    }

    /// The events that follow, in the order of their times. The line of a place is the number of a span.
    pub fn events(&self) -> impl Iterator<Item = (Place, Event<'static>)> {
        self.steps.iter().map(|step| (self.spans.all[step.span as usize].place, step.event(&self.spans)))
    }

    /// How many spans there were, and which said nothing.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Why it was not read to its end.
    pub fn error(&self) -> Option<&OtlpError> {
        self.error.as_ref()
    }

    /// The same, for whoever needs nothing else any more.
    pub fn into_error(self) -> Option<OtlpError> {
        self.error
    }

    /// Where a document stands that is cut off: the number of the span that would come next, and where the bytes end.
    pub fn cut(&self) -> Option<Place> {
        self.cut
    }

    /// Whether spans are missing that might have shown a promise broken: then a [`Monitor`](crate::Monitor) is to be told of a gap.
    pub fn has_gap(&self) -> bool {
        self.tally.has_gap() || self.error.is_some() || self.cut.is_some()
    }
}

#[cfg(test)]
mod tests;
