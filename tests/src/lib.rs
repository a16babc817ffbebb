//! What has to be tested across the crates: see the folder `tests`.

#[cfg(feature = "mutants")]
pub mod mutants;
