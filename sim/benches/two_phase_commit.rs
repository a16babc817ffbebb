//! Two-phase commit.
fn main() {}
