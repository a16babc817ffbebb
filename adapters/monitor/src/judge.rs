//! Judges what was heard, on a thread of its own.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use downbeat_trace::{Breach, Event, Limits, Monitor, Place, Property, Verdict};

use crate::counters::Counters;
use crate::layer::MonitorLayer;
use crate::record::{Record, What};
use crate::shell::{Follows, Listener};

/// Told of the first breach of each promise, on the thread of the judge.
type Callback = Box<dyn FnMut(&Breach) + Send>;

/// How a live service is judged.
pub struct Settings {
    /// Events that may wait to be judged. 16,384 by default: three megabytes, and the bursts of some tenths of a second.
    pub queue_max: usize,
    /// What the monitor remembers.
    pub limits: Limits,
    /// Told of the first breach of each promise, on the thread of the judge, which waits for it. The same is an event of `tracing` of the
    /// target `downbeat::violation`, for the default subscriber of the process.
    pub on_breach: Option<Callback>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { queue_max: 16_384, limits: Limits::default(), on_breach: None }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue_max, limits, on_breach } = self;
        f.debug_struct("Settings")
            .field("queue_max", queue_max)
            .field("limits", limits)
            .field("on_breach", &on_breach.is_some())
            .finish()
    }
}

/// What is known of a live service.
#[derive(Clone, Debug)]
pub struct Report {
    /// Of each promise.
    pub verdicts: Vec<(Property, Verdict)>,
    /// Events that were judged.
    pub events: u64,
    /// Tasks that were heard of.
    pub tasks: u64,
    /// How often events were missing, one or more at once.
    pub gaps: u64,
}

/// The judge is no more: a callback of its has panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silent;

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thread that judges has ended before it was told to")
    }
}

impl std::error::Error for Silent {}

/// What the judge gets.
#[derive(Debug)]
pub(crate) enum Letter {
    Record(Record),
    Report(SyncSender<Report>),
    Close,
}

/// The judge of a live service.
#[derive(Debug)]
pub struct Live {
    queue: SyncSender<Letter>,
    counters: Arc<Counters>,
    thread: JoinHandle<Report>,
}

/// Starts a judge, and makes the layer that tells it what happens.
///
/// # Errors
/// If there is no thread to be had.
pub fn start(settings: Settings) -> io::Result<(MonitorLayer, Live)> {
    let Settings { queue_max, limits, on_breach } = settings;
    let counters = Arc::<Counters>::default();
    let (queue, letters) = sync_channel(queue_max.max(1));
    let judge = Judge {
        monitor: Monitor::new(limits),
        listener: Listener::default(),
        counters: Arc::clone(&counters),
        on_breach,
        missing: 0,
        line: 0,
    };
    let thread =
        thread::Builder::new().name("downbeat-monitor".to_owned()).spawn(move || judge.run(&letters))?;
    let layer = MonitorLayer { queue: queue.clone(), counters: Arc::clone(&counters) };
    Ok((layer, Live { queue, counters, thread }))
}

impl Live {
    /// What can be read at any time.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// What is known once all is judged that was emitted before. It waits for that; a service goes on meanwhile.
    ///
    /// # Errors
    /// If the judge is no more.
    pub fn report(&self) -> Result<Report, Silent> {
        let (answer, report) = sync_channel(1);
        self.queue.send(Letter::Report(answer)).map_err(|_| Silent)?;
        report.recv().map_err(|_| Silent)
    }

    /// Judges what was emitted before, and ends. What is emitted after it is dropped.
    ///
    /// # Errors
    /// If the judge is no more.
    pub fn close(self) -> Result<Report, Silent> {
        self.queue.send(Letter::Close).map_err(|_| Silent)?;
        self.thread.join().map_err(|_| Silent)
    }
}

struct Judge {
    monitor: Monitor,
    listener: Listener,
    counters: Arc<Counters>,
    on_breach: Option<Callback>,
    /// How many events are missing of which the monitor was told.
    missing: u64,
    /// The number of the last event.
    line: u64,
}

/// Events that are judged before the counters are written: a reader waits for no more than these.
const BATCH: u64 = 64;

impl Judge {
    fn run(mut self, letters: &Receiver<Letter>) -> Report {
        let mut since = 0;
        loop {
            // Only where nothing waits the counters are worth their time.
            let letter = match letters.try_recv() {
                Ok(letter) if since < BATCH => letter,
                Ok(letter) => {
                    self.told();
                    since = 0;
                    letter
                }
                Err(_) => {
                    self.told();
                    since = 0;
                    let Ok(letter) = letters.recv() else { return self.report() };
                    letter
                }
            };
            since += 1;
            match letter {
                Letter::Record(record) => self.take(record),
                Letter::Report(answer) => {
                    self.told();
                    // Whoever has gone does not want it any more.
                    let _ = answer.send(self.report());
                }
                Letter::Close => {
                    self.told();
                    return self.report();
                }
            }
        }
    }

    fn take(&mut self, record: Record) {
        let Record { at_ms, missing, what } = record;
        self.missed(missing);
        match what {
            What::Own(own) => self.judge(&own.event().at(at_ms)),
            What::Shell(told) => match self.listener.hear(told) {
                Follows::Nothing => {}
                Follows::Event(event) => self.judge(&event.at(at_ms)),
                Follows::Gap => self.monitor.gap(),
            },
        }
    }

    fn judge(&mut self, event: &Event<'_>) {
        self.line += 1;
        let line = event.line();
        self.monitor.take(Place { line: self.line, ..Place::default() }, event, line.as_bytes());
        for breach in self.monitor.news() {
            let (property, words) = (breach.fault.property(), breach.fault.words());
            tracing::error!(target: "downbeat::violation", property = property.id(), of = breach.of, words);
            if let Some(on_breach) = &mut self.on_breach {
                on_breach(breach);
            }
        }
    }

    /// So many are missing by now.
    fn missed(&mut self, missing: u64) {
        if missing > self.missing {
            self.missing = missing;
            self.monitor.gap();
        }
    }

    fn told(&self) {
        self.counters.take(&self.monitor);
    }

    fn report(&mut self) -> Report {
        // What was dropped last has no event behind it that says so.
        self.missed(self.counters.missing());
        Report {
            verdicts: self.monitor.verdicts(false),
            events: self.monitor.events(),
            tasks: self.monitor.tasks(),
            gaps: self.monitor.gaps(),
        }
    }
}
