//! Reads a trace and judges it.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use downbeat_past::PastError;
use downbeat_sim::harness::grouped;
use downbeat_trace::{Breach, Merged, Monitor, Otlp, OtlpError, Place, Read, Reader, Tally, TraceError};

use crate::source::Interruptible;

/// Between two looks whether more has come.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two lines of progress.
const SHOW_EVERY: Duration = Duration::from_millis(250);
/// Events between two looks at the clock.
const LOOK_AFTER: u64 = 8_192;

/// What a trace came to.
pub(crate) struct Judged {
    /// What it is called.
    pub(crate) name: String,
    /// The files that it was read from, if it was more than one.
    pub(crate) files: Vec<String>,
    pub(crate) monitor: Monitor,
    /// Why it was not read to its end.
    pub(crate) error: Option<Unread>,
    /// Where its last line is cut off; of several files, the first that is.
    pub(crate) cut: Option<Place>,
    /// Of spans: how many there were, and which said nothing.
    pub(crate) spans: Option<Tally>,
    /// Lines of kinds that the schema does not have: how many, and the first.
    pub(crate) unknown_kinds: Option<(u64, Place, String)>,
    /// Fields that the schema does not have.
    pub(crate) unknown_fields: u64,
    /// Whether somebody ended it before its end.
    pub(crate) is_interrupted: bool,
    /// Whether nothing comes after it.
    pub(crate) is_whole: bool,
    /// It was said to be whole, and its last line is cut off.
    pub(crate) lacks_end: bool,
    /// What else a reader has to know of it.
    pub(crate) notes: Vec<String>,
}

impl Judged {
    /// What a monitor knows of an input that was read to its end, and may go on.
    pub(crate) fn new(name: String, monitor: Monitor) -> Self {
        Self {
            name,
            files: Vec::new(),
            monitor,
            error: None,
            cut: None,
            spans: None,
            unknown_kinds: None,
            unknown_fields: 0,
            is_interrupted: false,
            is_whole: false,
            lacks_end: false,
            notes: Vec::new(),
        }
    }
}

/// Why an input cannot be read on.
#[derive(Debug)]
pub(crate) enum Unread {
    Trace(TraceError),
    Otlp(OtlpError),
    Journal(PastError),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trace(error) => error.fmt(f),
            Self::Otlp(error) => error.fmt(f),
            Self::Journal(error) => error.fmt(f),
        }
    }
}

/// Whether breaches are told of at once, and what is done at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    /// They are told of in the end.
    No,
    /// At once; who is at the end looks again and again, as a file may grow.
    Grows,
    /// At once; the end is the end, as of a pipe.
    Flows,
}

/// How a trace is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'r> {
    pub(crate) follow: Follow,
    pub(crate) is_whole: bool,
    pub(crate) shows_progress: bool,
    pub(crate) interrupt: &'r AtomicBool,
}

/// Judges one, and tells of each breach as soon as it is certain, if more may come.
pub(crate) fn judge(
    name: String,
    bytes: impl BufRead,
    reading: Reading<'_>,
    mut tell: impl FnMut(&Breach),
) -> Judged {
    let mut monitor = Monitor::default();
    let mut reader = Reader::new(bytes);
    let mut meter = Meter::new(reading.shows_progress);
    let (mut error, mut is_interrupted) = (None, false);
    loop {
        let read = reader.read();
        match read {
            Ok(Read::Event { place, event, text }) => {
                monitor.take(place, &event, text);
                if reading.follow != Follow::No {
                    monitor.news().into_iter().for_each(&mut tell);
                }
                if monitor.events().is_multiple_of(LOOK_AFTER) {
                    meter.show(&name, monitor.events(), place.byte);
                    if reading.interrupt.load(Ordering::Relaxed) {
                        is_interrupted = true;
                        break;
                    }
                }
            }
            Ok(Read::Other) => {}
            Ok(Read::Pending) if reading.follow == Follow::Grows => {
                if reading.interrupt.load(Ordering::Relaxed) {
                    is_interrupted = true;
                    break;
                }
                thread::sleep(LOOK_EVERY);
            }
            Ok(Read::Pending) => {
                // What is no file ends so, too.
                is_interrupted = reading.interrupt.load(Ordering::Relaxed);
                break;
            }
            Err(why) => {
                error = Some(Unread::Trace(why));
                break;
            }
        }
    }
    meter.clear();
    let mut cut = None;
    if error.is_none() && !is_interrupted {
        let at = reader.cut();
        match reader.rest() {
            Ok(Read::Event { place, event, text }) => monitor.take(place, &event, text),
            Ok(Read::Other | Read::Pending) => {}
            Err(why) if why.is_cut() => cut = at,
            Err(why) => error = Some(Unread::Trace(why)),
        }
    }
    let unknown_kinds = reader.unknown_kinds().map(|(count, place, name)| (count, place, name.to_owned()));
    let unknown_fields = reader.unknown_fields();
    let is_whole = reading.is_whole && error.is_none() && cut.is_none() && !is_interrupted;
    let lacks_end = reading.is_whole && cut.is_some();
    Judged {
        error,
        cut,
        unknown_kinds,
        unknown_fields,
        is_interrupted,
        is_whole,
        lacks_end,
        ..Judged::new(name, monitor)
    }
}

/// Judges several as one, in the order of their times.
pub(crate) fn judge_merged<R: BufRead>(files: Vec<String>, traces: Vec<R>, reading: Reading<'_>) -> Judged {
    let name = match files.as_slice() {
        [one] => format!("{one}, in the order of its times"),
        several => format!("{} traces as one", several.len()),
    };
    let mut monitor = Monitor::default();
    let mut merged = Merged::new(traces);
    let mut meter = Meter::new(reading.shows_progress);
    let (mut error, mut cut, mut is_interrupted) = (None, None, false);
    loop {
        match merged.read() {
            Ok(Read::Event { place, event, text }) => {
                monitor.take(place, &event, text);
                if monitor.events().is_multiple_of(LOOK_AFTER) {
                    meter.show(&name, monitor.events(), merged.bytes());
                    if reading.interrupt.load(Ordering::Relaxed) {
                        is_interrupted = true;
                        break;
                    }
                }
            }
            Ok(Read::Other) => {}
            Ok(Read::Pending) => {
                is_interrupted = reading.interrupt.load(Ordering::Relaxed);
                break;
            }
            // The others go on, and what this one would have said is missing from here on.
            Err(why) if why.is_cut() => {
                cut = cut.or(Some(why.place()));
                monitor.gap();
            }
            Err(why) => {
                error = Some(Unread::Trace(why));
                break;
            }
        }
    }
    meter.clear();
    let unknown_kinds = merged.unknown_kinds().map(|(count, place, name)| (count, place, name.to_owned()));
    let unknown_fields = merged.unknown_fields();
    let is_whole = reading.is_whole && error.is_none() && cut.is_none() && !is_interrupted;
    let files_known = Judged { files, ..Judged::new(name, monitor) };
    Judged { error, cut, unknown_kinds, unknown_fields, is_interrupted, is_whole, ..files_known }
}

/// Judges spans: all of them are read before the first is judged, as they stand in the order of their ends.
pub(crate) fn judge_spans(name: String, bytes: impl io::Read, reading: Reading<'_>) -> Judged {
    let otlp = Otlp::read(Interruptible { inner: bytes, interrupt: reading.interrupt });
    let is_interrupted = reading.interrupt.load(Ordering::Relaxed);
    let mut monitor = Monitor::default();
    if otlp.has_gap() || is_interrupted {
        monitor.gap();
    }
    for (place, event) in otlp.events() {
        monitor.take(place, &event, event.line().as_bytes());
    }
    let (cut, tally) = (otlp.cut(), otlp.tally().clone());
    let error = otlp.into_error().filter(|_| !is_interrupted).map(Unread::Otlp);
    // A span is written when it ends: of what never ends there is none, whatever comes after it, so that no input is whole.
    Judged { error, cut, spans: Some(tally), is_interrupted, ..Judged::new(name, monitor) }
}

/// A line of progress on a terminal.
struct Meter {
    is_shown: bool,
    began: Instant,
    shown: Option<Instant>,
}

impl Meter {
    fn new(is_shown: bool) -> Self {
        Self { is_shown: is_shown && std::io::stderr().is_terminal(), began: Instant::now(), shown: None }
    }

    fn show(&mut self, name: &str, events: u64, bytes: u64) {
        if !self.is_shown || self.shown.is_some_and(|shown| shown.elapsed() < SHOW_EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        #[expect(clippy::cast_precision_loss, reason = "a rate to three digits")]
        let rate = events as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
        let megabytes = bytes / 1_000_000;
        // Whoever does not read it loses nothing.
        let _ = write!(
            std::io::stderr(),
            "\r\x1b[K{name}: {} events, {} MB, {rate:.0} events a second",
            grouped(events),
            grouped(megabytes)
        );
    }

    fn clear(&self) {
        if self.shown.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
