//! Traces: what an observer writes down of an orchestrator, and which promises that shows to be broken.
//!
//! A trace is a sequence of [`Event`]s, one a line, as objects of JSON; the schema is in `docs/trace.md`. A [`Monitor`] judges it event by
//! event, in memory that does not grow with it. Spans of OpenTelemetry are a trace as well ([`Otlp`]).

mod event;
mod fault;
mod line;
mod merge;
mod monitor;
mod name;
mod otlp;
mod property;
mod read;

pub use event::{End, Event, Field, Kind, Misfit, Shape};
pub use fault::Fault;
pub use line::Line;
pub use merge::{AHEAD_MAX, Merged};
pub use monitor::recursion::{Approach, Calls, Recursion};
pub use monitor::{Breach, Limits, Moment, Monitor, Notable, Open, Shown, Verdict, Waits};
pub use name::{Key, NAME_MAX, Name};
pub use otlp::{At, Left, Otlp, OtlpError, SPAN_MAX, SPANS_MAX, Tally};
pub use property::{Decided, Need, Property};
pub use read::{BYTE_ORDER_MARK, LINE_MAX, Place, Read, Reader, TraceError};
