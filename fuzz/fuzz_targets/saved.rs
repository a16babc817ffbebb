//! See `downbeat_fuzz::saved`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| downbeat_fuzz::saved(bytes));
