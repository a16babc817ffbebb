//! What a scene comes to.

use std::collections::BTreeSet;

use downbeat_kernel::{End, MessageId};

/// What a scene came to, or the promise that was broken.
pub type Verdict = Result<Outcome, &'static str>;

/// What a scene came to in which every promise was kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// How the root ended.
    pub end: End,
    /// The messages that people were told of that nobody has read them.
    pub returned: BTreeSet<MessageId>,
    /// Sends of all tasks.
    pub sends: u32,
}
