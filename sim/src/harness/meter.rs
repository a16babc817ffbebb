//! Progress of a search on the terminal.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::table::{counted, grouped, seconds};
use crate::check::{Estimate, Phase, Progress};
use crate::diagram::WIDTH;

/// One line on standard error that follows a search and leaves nothing behind.
pub(super) struct Meter {
    subject: String,
    is_visible: bool,
    shown: Option<Instant>,
}

impl Meter {
    /// A meter for a search of `subject`; one that is not `visible` does nothing.
    pub(super) fn new(subject: String, is_visible: bool) -> Self {
        Self { subject, is_visible, shown: None }
    }

    /// Shows how far the search has come, unless that was shown a moment ago.
    pub(super) fn show(&mut self, progress: &Progress) {
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE);
        if self.is_visible && is_due {
            // Should the terminal become narrower just now, what is wider is cut off instead of going on in the next
            // line, which would stay.
            let width = columns().unwrap_or(WIDTH);
            draw(&format!("\x1b[?7l{}\x1b[?7h", message(&self.subject, progress, width)));
            self.shown = Some(Instant::now());
        }
    }

    /// Whether it stands on the line of the terminal.
    pub(super) fn has_drawn(&self) -> bool {
        self.shown.is_some()
    }
}

/// The columns of the terminal on standard error, if it is one. They change when a window does.
pub(super) fn columns() -> Option<usize> {
    terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| width.0.into())
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.shown.is_some() {
            draw("");
        }
    }
}

/// Nobody reads faster.
const PAUSE: Duration = Duration::from_millis(100);
/// Room for the `^C` of an interrupt behind a message.
const BEHIND: usize = 3;

/// Writes over the line of the terminal.
fn draw(text: &str) {
    // A terminal that is gone is no reason to end.
    drop(write!(io::stderr(), "\r\x1b[K{text}"));
}

/// How far a search has come, the most important first, and as much as a line of this width has room for, with what an
/// interrupt shows behind it: in the next line that would stay.
fn message(subject: &str, progress: &Progress, width: usize) -> String {
    let room = width.saturating_sub(BEHIND);
    let mut message: String = subject.chars().take(room).collect();
    for part in parts(progress) {
        if message.chars().count() + 2 + part.chars().count() > room {
            break;
        }
        message += "  ";
        message += &part;
    }
    message
}

fn parts(progress: &Progress) -> Vec<String> {
    let states = counted(progress.states as u64, "state");
    let time = seconds(progress.elapsed);
    let memory = progress.memory.map(mebibytes);
    let disk = progress.spilled_at.map(|at| format!("on disk since {}", counted(at as u64, "state")));
    match progress.phase {
        Phase::Resuming(all) => {
            let found = format!(
                "{} of {} found again",
                grouped(progress.states as u64),
                counted(all as u64, "state")
            );
            [found, time].into_iter().chain(disk).chain(memory).collect()
        }
        Phase::Walking(walked) => {
            let walked = format!("liveness: {} of {states}", grouped(walked as u64));
            [walked, time].into_iter().chain(memory).collect()
        }
        Phase::Deciding(decided) => {
            let what = format!("liveness: {decided} properties decided, {states}");
            [what, time].into_iter().chain(memory).collect()
        }
        Phase::Searching => {
            let found = match progress.estimate() {
                Estimate::TooEarly => states,
                estimate @ Estimate::Between { .. } => format!("{states}, {estimate}"),
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive, for people"
            )]
            let rate = progress.rate() as u64;
            let open = format!("{} open", grouped(progress.frontier as u64));
            let new = (progress.states as u64 * 100).checked_div(progress.generated).unwrap_or(0);
            let parts = [found, time].into_iter().chain(disk);
            let parts = parts.chain([format!("{}/s", grouped(rate))]).chain(memory);
            parts.chain([open, format!("{} deep", progress.depth), format!("{new}% new")]).collect()
        }
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes / (1024 * 1024)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_has_what_there_is_room_for() {
        let progress = Progress {
            states: 143_000,
            phase: Phase::Searching,
            generated: 1_100_000,
            depth: 10,
            frontier: 51_000,
            levels: vec![1, 15, 105, 462, 1_456, 3_570, 7_259, 12_861, 20_449, 29_372, 37_772, 29_678],
            memory: Some(70 << 20),
            spilled_at: None,
            elapsed: Duration::from_millis(500),
        };
        let begin = Progress { levels: vec![1], depth: 0, generated: 0, memory: None, ..progress.clone() };
        let spilled = Progress { spilled_at: Some(85_234), ..begin.clone() };
        let resuming = Progress { phase: Phase::Resuming(200_000), ..progress.clone() };
        let walking = Progress { phase: Phase::Walking(32_768), ..progress.clone() };
        let deciding = Progress { phase: Phase::Deciding(3), ..progress.clone() };
        let long = "agent-reports@names-attempt";
        #[rustfmt::skip]
        let cases = [
            ("two-phase@7", &begin,
                "two-phase@7  143,000 states  0.50 s  286,000/s  51,000 open  0 deep  0% new"),
            ("two-phase@7", &spilled,
                "two-phase@7  143,000 states  0.50 s  on disk since 85,234 states  286,000/s  51,000 open  0 deep"),
            ("7", &progress,
                "7  143,000 states, about 163 to 598 thousand in all  0.50 s  286,000/s  70 MiB  51,000 open"),
            (long, &progress,
                "agent-reports@names-attempt  143,000 states, about 163 to 598 thousand in all  0.50 s  286,000/s"),
            (long, &resuming, "agent-reports@names-attempt  143,000 of 200,000 states found again  0.50 s  70 MiB"),
            ("7", &deciding,  "7  liveness: 3 properties decided, 143,000 states  0.50 s  70 MiB"),
            (long, &walking,  "agent-reports@names-attempt  liveness: 32,768 of 143,000 states  0.50 s  70 MiB"),
        ];
        for (subject, progress, expected) in cases {
            assert_eq!(message(subject, progress, 100), expected);
        }
        #[rustfmt::skip]
        let cases = [
            (200, "7  143,000 states, about 163 to 598 thousand in all  0.50 s  286,000/s  70 MiB  51,000 open  10 deep  13% new"),
            (80,  "7  143,000 states, about 163 to 598 thousand in all  0.50 s  286,000/s"),
            // With two spaces, `0.50 s` ends three columns before the last one.
            (62,  "7  143,000 states, about 163 to 598 thousand in all  0.50 s"),
            (61,  "7  143,000 states, about 163 to 598 thousand in all"),
            (30,  "7"),
            (3,   ""),
            (0,   ""),
        ];
        for (width, expected) in cases {
            assert_eq!(message("7", &progress, width), expected, "{width}");
        }
        assert_eq!(message(long, &progress, 20), "agent-reports@nam");
    }
}
