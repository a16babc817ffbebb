//! See `downbeat_fuzz::schedules`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| downbeat_fuzz::schedules(bytes));
