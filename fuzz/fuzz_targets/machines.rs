//! See `downbeat_fuzz::machines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| downbeat_fuzz::machines(bytes));
