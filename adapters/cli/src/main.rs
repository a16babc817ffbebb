//! The `downbeat` program.
fn main() {}
