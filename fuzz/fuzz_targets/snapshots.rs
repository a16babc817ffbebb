//! See `downbeat_fuzz::snapshots`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| downbeat_fuzz::snapshots(bytes));
