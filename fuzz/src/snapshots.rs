//! Any bytes as a snapshot of the state.

use crate::events::{live, replay_is_equal};
use downbeat_kernel::{Discard, Kernel};

/// Where the snapshot ends and the events begin that it has to live through.
const END: u8 = b'\n';

/// Reads bytes up to the first line end as a snapshot; if that can be read and is valid, lives on from it with the rest.
///
/// # Panics
/// If a state that was found valid does not stay so, or comes back different from what it was written as.
pub fn snapshots(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == END).unwrap_or(bytes.len());
    let (snapshot, rest) = bytes.split_at(end);
    let Ok(mut kernel) = serde_json::from_slice::<Kernel>(snapshot) else { return };
    if kernel.validate().is_err() {
        return;
    }
    kernel.resync(&mut Discard);
    let written = serde_json::to_vec(&kernel).expect("a kernel has a JSON form");
    assert_eq!(
        serde_json::from_slice::<Kernel>(&written).ok().as_ref(),
        Some(&kernel),
        "a snapshot changed on its way"
    );
    let before = kernel.clone();
    let applied = live(&mut kernel, rest);
    replay_is_equal(before, &kernel, &applied);
}
