//! See `downbeat_fuzz::otlp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| downbeat_fuzz::otlp(bytes));
