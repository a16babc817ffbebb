//! Judges a live service: a layer of `tracing` that hears what happens, and a thread that holds it to the promises.
//!
//! ```
//! use downbeat_monitor::{Settings, start};
//! use downbeat_trace::Property;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let (layer, live) = start(Settings::default()).expect("a thread");
//! let subscriber = tracing_subscriber::registry().with(layer);
//! tracing::subscriber::with_default(subscriber, || {
//!     tracing::info!(target: "downbeat::trace", event = "request-started", task = 7);
//!     tracing::info!(target: "downbeat::trace", event = "request-started", task = 7);
//!     tracing::info!(target: "downbeat::trace", event = "request-ended", task = 7, end = "completed");
//! });
//! live.report().expect("it lives");
//! assert_eq!(live.counters().breaches(Property::S1), 1);
//! ```
//!
//! Whoever emits an event pays for a small record and for putting it into a queue, and never waits: where there is no room, the event is
//! dropped and counted, and from there on nothing is said to be *kept*. What the shell says of itself is heard too; `docs/monitor.md`
//! says what follows from it.

mod counters;
mod judge;
mod layer;
mod record;
mod shell;

pub use counters::Counters;
pub use judge::{Live, Report, Settings, Silent, start};
pub use layer::MonitorLayer;
