//! Hears events, and puts what they say into a queue.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::counters::Counters;
use crate::judge::Letter;
use crate::record::{Heard, Record, Source};

/// A layer that hears what a live service says; [`start`](crate::start) makes it.
///
/// It hears the targets `downbeat::trace`, `downbeat::step`, `downbeat::effect` and `downbeat::shard`, of any level that other filters let
/// through, and nothing of spans.
#[derive(Debug)]
pub struct MonitorLayer {
    pub(crate) queue: SyncSender<Letter>,
    pub(crate) counters: Arc<Counters>,
}

impl<S: Subscriber> Layer<S> for MonitorLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let Some(source) = Source::of(event.metadata().target()) else { return };
        // Whatever was missed before is missed before this event, too.
        let missing = self.counters.missing();
        let what = match source.hear(event) {
            Heard::Record(what) => what,
            Heard::Nothing => return,
            Heard::Unknown => return self.counters.unknown_one(),
            Heard::Unreadable => return self.counters.unreadable_one(),
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let record = Record { at_ms: since.as_secs_f64() * 1e3, missing, what };
        match self.queue.try_send(Letter::Record(record)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.counters.dropped_one(),
        }
    }
}
