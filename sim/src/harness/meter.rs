//! Progress of a search on the terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::table::{grouped, seconds};
use crate::check::Progress;

/// One line on standard error that follows a search and leaves nothing behind.
pub(super) struct Meter {
    bar: ProgressBar,
    subject: String,
}

impl Meter {
    /// A meter for a search of `subject`; one that is not `visible` does nothing.
    pub(super) fn new(subject: String, visible: bool) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        // What is wider than the terminal is cut off, lest each message be another line of it.
        let style = ProgressStyle::with_template("{spinner} {wide_msg}").expect("a template that is right");
        bar.set_style(style);
        Self { bar, subject }
    }

    /// Shows how far the search has come.
    pub(super) fn show(&self, progress: &Progress) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_message(message(&self.subject, progress));
        self.bar.tick();
    }
}

/// How far a search has come, the most important first.
fn message(subject: &str, progress: &Progress) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive rate, for people"
    )]
    let rate = progress.rate() as u64;
    let states = progress.states as u64;
    if let Some(all) = progress.resuming {
        let (again, all) = (grouped(states), grouped(all as u64));
        return format!(
            "{subject}  {again} of {all} states of the checkpoint found again  {}",
            seconds(progress.elapsed)
        );
    }
    let new = (states * 100).checked_div(progress.generated).unwrap_or(0);
    let memory = progress.memory.map(|bytes| format!("  {}", mebibytes(bytes))).unwrap_or_default();
    format!(
        "{subject}  {} states, {}  {}  {}/s  depth {}  frontier {}  {new}% new{memory}",
        grouped(states),
        progress.estimate(),
        seconds(progress.elapsed),
        grouped(rate),
        progress.depth,
        grouped(progress.frontier as u64),
    )
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes / (1024 * 1024)))
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn message_has_all_that_is_known() {
        let progress = Progress {
            states: 143_000,
            resuming: None,
            generated: 1_100_000,
            depth: 10,
            frontier: 51_000,
            levels: vec![1, 15, 105, 462, 1_456, 3_570, 7_259, 12_861, 20_449, 29_372, 37_772, 29_678],
            memory: Some(70 << 20),
            elapsed: Duration::from_millis(500),
        };
        let expected = "two-phase@7  143,000 states, about 163 to 598 thousand states in all  0.50 s  286,000/s  \
                        depth 10  frontier 51,000  13% new  70 MiB";
        assert_eq!(message("two-phase@7", &progress), expected);
        let resuming = Progress { resuming: Some(200_000), levels: Vec::new(), ..progress.clone() };
        let expected = "two-phase@7  143,000 of 200,000 states of the checkpoint found again  0.50 s";
        assert_eq!(message("two-phase@7", &resuming), expected);
        let begin = Progress { generated: 0, memory: None, levels: vec![1], depth: 0, ..progress };
        let expected = "two-phase@7  143,000 states, no estimate yet  0.50 s  286,000/s  depth 0  frontier 51,000  0% new";
        assert_eq!(message("two-phase@7", &begin), expected);
    }
}
