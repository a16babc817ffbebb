//! See `downbeat_fuzz::journals`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| downbeat_fuzz::journals(bytes));
