//! A breach is an event of `tracing`, for the default subscriber of the process. A program of its own, as there is one such subscriber.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use downbeat_monitor::{Settings, start};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, info};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// Keeps what is said of breaches.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Said {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() == "downbeat::violation" {
            let mut fields = Fields(event.metadata().level().to_string());
            event.record(&mut fields);
            self.0.lock().expect("no panic").push(fields.0);
        }
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        use std::fmt::Write as _;
        let _ = write!(self.0, " {field}={value:?}");
    }
}

#[test]
fn a_breach_is_said_once() {
    let said = Said::default();
    let (layer, live) = start(Settings::default()).expect("a thread");
    let subscriber = tracing_subscriber::registry().with(said.clone()).with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    for _ in 0..3 {
        info!(target: "downbeat::trace", event = "request-started", task = "a");
    }
    assert_eq!(live.report().expect("it lives").events, 3);
    // Only who says how requests end can have two at once.
    assert_eq!(said.0.lock().expect("no panic").len(), 0);
    info!(target: "downbeat::trace", event = "request-ended", task = "a", end = "failed");
    live.close().expect("it lives");
    let expected = r#"ERROR property="S1" of="a" words="a request was sent while another one is in flight""#;
    assert_eq!(*said.0.lock().expect("no panic"), [expected]);
}
