//! What has to be tested across the crates: see the folder `tests`.
