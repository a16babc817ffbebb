//! One moment as the lines of a screen. It writes nothing.

use crate::text::{clock, grouped, many, seconds};
use crate::view::{Request, Row, View};
use downbeat_kernel::TaskState;

/// How a piece of a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    /// Stands back.
    Dim,
    Bold,
    Good,
    /// Something is done.
    Busy,
    /// Somebody waits.
    Waits,
    Alarm,
}

/// A line, piece by piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) Vec<(Ink, String)>);

impl Line {
    fn put(mut self, ink: Ink, text: impl Into<String>) -> Self {
        self.0.push((ink, text.into()));
        self
    }

    /// A line that begins with what it is about.
    fn about(what: &str) -> Self {
        Self::default().put(Ink::Dim, format!("{what:<10}"))
    }

    /// As much of it as there is room for.
    fn cut(self, width: usize) -> Self {
        let mut room = width;
        let pieces = self.0.into_iter().map(|(ink, text)| {
            let text: String = text.chars().take(room).collect();
            room -= text.chars().count();
            (ink, text)
        });
        Self(pieces.collect())
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// Room for what a task does and how old it is.
const STATE: usize = 26;
const AGE: usize = 7;
/// Lines above the tasks, and below them.
const ABOVE: usize = 8;
const BELOW: usize = 4;

/// The lines of a screen of this size, as many as it has at most.
pub(crate) fn lines(view: &View, width: usize, height: usize, how_to_go_on: &str) -> Vec<Line> {
    let mut lines = head(view);
    lines.push(Line::default());
    let name = width.saturating_sub(STATE + AGE + 2);
    lines.push(
        Line::default().put(Ink::Dim, format!("{:<name$} {:<STATE$} {:>AGE$}", "task", "state", "age")),
    );
    let room = height.saturating_sub(ABOVE + BELOW).max(1);
    let hidden = view.rows_all.saturating_sub(room);
    let shown = if hidden > 0 { room - 1 } else { room };
    lines.extend(view.rows.iter().take(shown).map(|row| task(row, name)));
    if hidden > 0 {
        let more = format!("… and {} more", grouped((view.rows_all - shown.min(view.rows.len())) as u64));
        lines.push(Line::default().put(Ink::Dim, more));
    }
    lines.resize(ABOVE + room, Line::default());
    lines.push(Line::default());
    lines.extend(requests(view, width));
    lines.push(Line::default().put(Ink::Dim, format!("Ctrl-C stops; `{how_to_go_on}` goes on.")));
    lines.truncate(height);
    lines.into_iter().map(|line| line.cut(width)).collect()
}

fn head(view: &View) -> Vec<Line> {
    let View { subject, totals, .. } = view;
    let life = match (totals.lives, totals.killed) {
        (1, _) => String::new(),
        (lives, 0) => format!("   life {lives}"),
        (lives, killed) => format!("   life {lives}, {killed} before it killed"),
    };
    let title = Line::default().put(Ink::Bold, "downbeat demo").put(
        Ink::Plain,
        format!("   seed {}   speed {}   {}{life}", subject.seed, subject.speed, clock(view.elapsed)),
    );
    let cancelled = match totals.trees_cancelled {
        0 => String::new(),
        cancelled => format!(", {} cancelled", grouped(cancelled)),
    };
    let ended = format!("{} of {} ended{cancelled}", grouped(totals.trees_ended), grouped(subject.trees));
    let trees = format!(
        "{} live   {ended}   {} live",
        grouped(view.trees_live as u64),
        many(view.tasks_live as u64, "task")
    );
    let waiting = format!(
        "{} in flight   {}   {}",
        many(view.requests_all as u64, "request"),
        many(view.tools, "tool"),
        many(view.questions as u64, "open question")
    );
    let durable = format!(
        "{:.0} events a second   {} in {}",
        view.events_per_second,
        many(view.events, "event"),
        many(view.commits, "commit")
    );
    let provider = format!(
        "{}   {} throttled   {} failed   {} refused   {}",
        many(totals.sends, "send"),
        grouped(totals.throttled),
        grouped(totals.failed),
        grouped(totals.unauthorized),
        many(totals.refreshes, "refresh token")
    );
    let verdict = &view.verdict;
    let promises = match verdict.broken.first() {
        None => Line::about("promises").put(Ink::Good, "none broken"),
        Some(first) => Line::about("promises").put(
            Ink::Alarm,
            format!("{} broken: {} {}", grouped(verdict.broken_count), first.promise, first.what),
        ),
    };
    vec![
        title,
        Line::about("trees").put(Ink::Plain, trees),
        Line::about("outside").put(Ink::Plain, waiting),
        Line::about("provider").put(Ink::Plain, provider),
        Line::about("durable").put(Ink::Plain, durable),
        promises,
    ]
}

fn task(row: &Row, name: usize) -> Line {
    let (path, title) = row.prompt.split_once(' ').unwrap_or((&row.prompt, ""));
    let named = row.branch.chars().count() + path.chars().count() + 2;
    let room = name.saturating_sub(named);
    let title: String = title.chars().take(room).collect();
    let age = seconds(row.age_ms);
    Line::default()
        .put(Ink::Dim, row.branch.clone())
        .put(Ink::Bold, format!("{path}  "))
        .put(Ink::Plain, format!("{title:<room$} "))
        .put(ink(row.state), format!("{:<STATE$.STATE$} ", row.words))
        .put(Ink::Dim, format!("{age:>AGE$}"))
}

fn ink(state: TaskState) -> Ink {
    match state {
        TaskState::Requesting | TaskState::ExecutingTools | TaskState::Working => Ink::Busy,
        TaskState::Queued | TaskState::Initializing | TaskState::AwaitingSubtask => Ink::Dim,
        TaskState::AwaitingInput | TaskState::AwaitingBudget | TaskState::Paused(_) => Ink::Waits,
        TaskState::Cancelling(_) | TaskState::Cancelled | TaskState::Failed(_) => Ink::Alarm,
        TaskState::Ending(_) | TaskState::Completed => Ink::Good,
    }
}

/// Two lines of requests in flight, the oldest first.
fn requests(view: &View, width: usize) -> [Line; 2] {
    let mut lines = [Line::about("requests"), Line::about("")];
    let (mut left, mut all) = ([width.saturating_sub(10); 2], view.requests.iter());
    let mut shown = 0;
    let mut next = all.next();
    for (line, left) in lines.iter_mut().zip(&mut left) {
        while let Some(request) = next {
            let text = format!("{}   ", in_flight(request));
            // Room for what says that there are more.
            let needed = text.chars().count() + 12;
            if needed > *left {
                break;
            }
            *left -= text.chars().count();
            line.0.push((Ink::Busy, text));
            shown += 1;
            next = all.next();
        }
    }
    let hidden = view.requests_all.saturating_sub(shown);
    if hidden > 0 {
        lines[1].0.push((Ink::Dim, format!("{} more", grouped(hidden as u64))));
    }
    lines
}

fn in_flight(request: &Request) -> String {
    let Request { path, turn, reason, since, .. } = request;
    let again = if request.attempt == 0 { String::new() } else { format!(" {reason}") };
    format!("{path} turn {turn}{again} {:.1} s", since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::view;

    fn text(view: &View, width: usize, height: usize) -> String {
        let lines = lines(view, width, height, "downbeat demo");
        lines.iter().map(|line| line.text().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn screen_fits_80_by_24() {
        insta::assert_snapshot!(text(&view(), 79, 24));
    }

    #[test]
    fn screen_fits_any_size() {
        for (width, height) in [(0, 0), (1, 1), (20, 5), (40, 12), (200, 60)] {
            let lines = lines(&view(), width, height, "downbeat demo");
            let widest = lines.iter().map(|line| line.text().chars().count()).max().unwrap_or(0);
            assert!(lines.len() <= height && widest <= width, "{width} x {height}: {lines:?}");
        }
    }
}
