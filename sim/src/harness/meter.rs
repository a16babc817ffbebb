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
        bar.set_style(ProgressStyle::default_spinner());
        Self { bar, subject }
    }

    /// Shows how far the search has come.
    pub(super) fn show(&self, progress: &Progress) {
        if self.bar.is_hidden() {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive rate, for people"
        )]
        let rate = progress.rate() as usize;
        self.bar.set_message(format!(
            "{}  {} states  {}/s  frontier {}  depth {}  {}",
            self.subject,
            grouped(progress.states as u64),
            grouped(rate as u64),
            grouped(progress.frontier as u64),
            progress.depth,
            seconds(progress.elapsed),
        ));
        self.bar.tick();
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
