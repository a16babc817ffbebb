//! OTLP in JSON, span by span: no document is held.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, Read};

use hashbrown::hash_map::Entry;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::shape::{WireSpan, about, hex, short};
use super::{At, Left, OtlpError, SPANS_MAX, Span, Spans, Tally};
use crate::read::{BYTE_ORDER_MARK, Place};

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) spans: Spans,
    pub(super) tally: Tally,
    pub(super) error: Option<OtlpError>,
    pub(super) cut: Option<Place>,
    /// Whether a document has a place for spans.
    has_spans: bool,
}

/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// Reads to the end, or to what is none; a span has so many bytes at most.
pub(super) fn read(bytes: impl Read, span_max: u64) -> Gathered {
    let reached = Reached::default();
    let mut inner = BufReader::with_capacity(BUFFER, bytes);
    // What cannot be read is told where it is needed.
    if inner.fill_buf().is_ok_and(|head| head.starts_with(BYTE_ORDER_MARK)) {
        inner.consume(BYTE_ORDER_MARK.len());
        reached.bytes.set(BYTE_ORDER_MARK.len() as u64);
    }
    let counted = Counted { inner, reached: &reached, span_max };
    let mut json = serde_json::Deserializer::from_reader(counted);
    let gather = RefCell::new(Gathered::default());
    let fault = Cell::new(None);
    let walk = Walk { gather: &gather, reached: &reached, fault: &fault };
    let error = loop {
        match json.end() {
            Ok(()) => break None,
            Err(source) if source.is_io() => break Some(source),
            // Something comes: another document.
            Err(_) => {}
        }
        reached.document.set(reached.document.get() + 1);
        if let Err(source) = (Object { level: Level::Document, walk }).deserialize(&mut json) {
            break Some(source);
        }
    };
    let mut gathered = gather.into_inner();
    let at = reached.at();
    let Some(source) = error else {
        if reached.document.get() > 0 && !gathered.has_spans {
            gathered.error = Some(OtlpError::NoSpans { at });
        }
        return gathered;
    };
    gathered.error = Some(match (fault.take().or(reached.fault.take()), source.classify()) {
        (Some(Fault::Id(field)), _) => OtlpError::Id { at, field },
        (Some(Fault::TooLong), _) => OtlpError::TooLong { at },
        (Some(Fault::TooMany), _) => OtlpError::TooMany { at },
        (Some(Fault::LongName(attribute)), _) => OtlpError::LongName { at, attribute },
        (Some(Fault::Time), _) => OtlpError::Time { at },
        (None, serde_json::error::Category::Io) => OtlpError::Io { at, source: source.into() },
        (None, serde_json::error::Category::Eof) => {
            gathered.cut =
                Some(Place { line: gathered.tally.spans + 1, byte: reached.bytes.get(), ..Place::default() });
            return gathered;
        }
        (None, serde_json::error::Category::Syntax | serde_json::error::Category::Data) => {
            OtlpError::Json { at, source }
        }
    });
    gathered
}

/// What is wrong, where `serde` knows one kind of error only.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Id(&'static str),
    TooLong,
    TooMany,
    LongName(&'static str),
    Time,
}

/// How far reading has come.
#[derive(Debug, Default)]
struct Reached {
    bytes: Cell<u64>,
    /// Line breaks, and where the line began.
    breaks: Cell<usize>,
    line_start: Cell<u64>,
    /// Where the last span began.
    mark: Cell<u64>,
    document: Cell<u64>,
    /// How deep in `resourceSpans`, `scopeSpans`, `spans`, and at which of each.
    path: [Cell<Option<usize>>; 3],
    fault: Cell<Option<Fault>>,
}

impl Reached {
    fn at(&self) -> At {
        let names = ["resourceSpans", "scopeSpans", "spans"];
        let parts: Vec<_> = names
            .iter()
            .zip(&self.path)
            .map_while(|(name, index)| Some(format!("{name}[{}]", index.get()?)))
            .collect();
        // The last byte that was looked at; at the beginning of a line, the one that comes.
        let column = (self.bytes.get() - self.line_start.get()).max(1);
        At {
            line: self.breaks.get() + 1,
            column: usize::try_from(column).unwrap_or(usize::MAX),
            byte: self.line_start.get() + column - 1,
            document: self.document.get(),
            path: parts.join("."),
        }
    }
}

/// Counts what is read.
struct Counted<'r, R> {
    inner: BufReader<R>,
    reached: &'r Reached,
    span_max: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Reached { bytes, breaks, line_start, mark, fault, .. } = self.reached;
        if bytes.get() - mark.get() > self.span_max {
            fault.set(Some(Fault::TooLong));
            return Err(io::Error::other("too long"));
        }
        // `serde_json` asks for one byte after the other, so that it never has read more than it has looked at.
        let one = buffer.len().min(1);
        let taken = self.inner.read(&mut buffer[..one])?;
        if taken == 1 {
            bytes.set(bytes.get() + 1);
            if buffer[0] == b'\n' {
                breaks.set(breaks.get() + 1);
                line_start.set(bytes.get());
            }
        }
        Ok(taken)
    }
}

/// What every level of a document needs.
#[derive(Clone, Copy)]
struct Walk<'w> {
    gather: &'w RefCell<Gathered>,
    reached: &'w Reached,
    fault: &'w Cell<Option<Fault>>,
}

/// Which object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Document,
    Resource,
    Scope,
}

impl Level {
    fn holds(self, key: &str) -> bool {
        match self {
            Self::Document => key == "resourceSpans",
            // The older name, of OTLP before 0.15.
            Self::Resource => key == "scopeSpans" || key == "instrumentationLibrarySpans",
            Self::Scope => key == "spans",
        }
    }
}

#[derive(Clone, Copy)]
struct Object<'w> {
    level: Level,
    walk: Walk<'w>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::Document => "a document of OTLP: an object with `resourceSpans`",
            Level::Resource => "an object with `resource` and `scopeSpans`",
            Level::Scope => "an object with `spans`",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { level, walk } = self;
        let before = if level == Level::Resource {
            let mut gather = walk.gather.borrow_mut();
            gather.spans.processes.push(0);
            gather.spans.all.len()
        } else {
            0
        };
        while let Some(key) = map.next_key::<String>()? {
            if level.holds(&key) {
                walk.gather.borrow_mut().has_spans = true;
                map.next_value_seed(List(self))?;
            } else if level == Level::Resource && key == "resource" {
                let resource: serde_json::Value = map.next_value()?;
                let process = foldhash::fast::FixedState::default().hash_one(resource.to_string());
                if let Some(last) = walk.gather.borrow_mut().spans.processes.last_mut() {
                    *last = process;
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if level == Level::Resource {
            let mut gather = walk.gather.borrow_mut();
            if gather.spans.all.len() == before {
                gather.spans.processes.pop();
            }
        }
        Ok(())
    }
}

/// What an object of that level holds.
struct List<'w>(Object<'w>);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Object { level, walk } = self.0;
        let path = &walk.reached.path[level as usize];
        let mut index = 0;
        loop {
            path.set(Some(index));
            let more = match level {
                Level::Document => list.next_element_seed(Object { level: Level::Resource, walk })?,
                Level::Resource => list.next_element_seed(Object { level: Level::Scope, walk })?,
                Level::Scope => list.next_element_seed(OneSpan(walk))?,
            };
            if more.is_none() {
                path.set(None);
                return Ok(());
            }
            index += 1;
        }
    }
}

struct OneSpan<'w>(Walk<'w>);

impl<'de> DeserializeSeed<'de> for OneSpan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Walk { gather, reached, fault } = self.0;
        // Its first byte has been looked at.
        let byte = reached.bytes.get().saturating_sub(1);
        reached.mark.set(byte);
        let wire = WireSpan::deserialize(deserializer)?;
        reached.mark.set(reached.bytes.get());
        gather.borrow_mut().take(byte, wire).map_err(|why| {
            fault.set(Some(why));
            D::Error::custom("a span that cannot be taken")
        })
    }
}

impl Gathered {
    fn take(&mut self, byte: u64, mut wire: WireSpan) -> Result<(), Fault> {
        let trace = hex(&wire.trace_id, 32).filter(|id| *id > 0).ok_or(Fault::Id("traceId"))?;
        let id = short(&wire.span_id).filter(|id| *id > 0).ok_or(Fault::Id("spanId"))?;
        let parent = match wire.parent_span_id.as_deref() {
            None | Some("") => 0,
            Some(text) => short(text).ok_or(Fault::Id("parentSpanId"))?,
        };
        if self.spans.all.len() == SPANS_MAX {
            return Err(Fault::TooMany);
        }
        self.tally.spans += 1;
        let about = about(&mut wire)?.map(Box::new);
        let next = u32::try_from(self.spans.all.len()).map_err(|_| Fault::TooMany)?;
        let group = u32::try_from(self.spans.processes.len() - 1).map_err(|_| Fault::TooMany)?;
        match self.spans.by_id.entry((trace, id)) {
            // An exporter that is not sure that it was heard says it again.
            Entry::Occupied(_) => self.tally.leave(Left::Twice),
            Entry::Vacant(entry) => {
                entry.insert(next);
                let place = Place { line: self.tally.spans, byte, ..Place::default() };
                self.spans.all.push(Span { place, trace, id, parent, group, about });
            }
        }
        Ok(())
    }
}
