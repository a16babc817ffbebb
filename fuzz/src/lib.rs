//! Entry points that take bytes. Each takes any bytes at all and panics on a broken promise.
//!
//! `cargo +nightly fuzz run <target> --features libfuzzer` searches for such bytes for as long as one likes. The short
//! run of each target on stable is `fuzz/tests/smoke.rs`.

mod bytes;
mod events;
mod journals;
mod machines;
mod otlp;
mod records;
mod saved;
mod schedules;
mod snapshots;
mod trace;

pub use bytes::Bytes;
pub use events::{events, history};
pub use journals::{journals, replayed};
pub use machines::{machine_history, machines};
pub use otlp::{otlp, spans};
pub use records::{journal, records};
pub use saved::{PARTS, saved, saved_task};
pub use schedules::schedules;
pub use snapshots::snapshots;
pub use trace::{judged, trace};

/// One target.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its program for `cargo fuzz`.
pub const TARGETS: &[(&str, Target)] = &[
    ("events", events),
    ("journals", journals),
    ("machines", machines),
    ("otlp", otlp),
    ("records", records),
    ("saved", saved),
    ("schedules", schedules),
    ("snapshots", snapshots),
    ("trace", trace),
];
