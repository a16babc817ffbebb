//! What is said in lines of text: now and then while it runs, and at the end.

use crate::promise::Promise;
use crate::run::{LIVE, Outcome};
use crate::view::View;
use std::fmt::Write;
use std::time::Duration;

/// A number with a comma before each three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let begins = digits.len() % 3;
    let (first, rest) = digits.split_at(begins);
    let groups = rest.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let first = (!first.is_empty()).then(|| first.to_owned());
    first.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

/// So many of something.
pub(crate) fn many(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `1:05`, or `1:00:05`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// An age.
pub(crate) fn seconds(ms: u64) -> String {
    let seconds = ms / 1_000;
    if seconds < 100 { format!("{seconds} s") } else { clock(Duration::from_secs(seconds)) }
}

/// One moment in a line.
pub(crate) fn moment(view: &View) -> String {
    let totals = &view.totals;
    let broken = match view.verdict.broken_count {
        0 => String::new(),
        count => format!("  {} BROKEN", many(count, "PROMISE")),
    };
    format!(
        "{:>5}  {} of {} trees ended, {} live  {} live  {} in flight  {}  {:.0} events/s{broken}",
        clock(view.elapsed),
        grouped(totals.trees_ended),
        grouped(view.subject.trees),
        grouped(view.trees_live as u64),
        many(view.tasks_live as u64, "task"),
        many(view.requests_all as u64, "request"),
        many(totals.sends, "send"),
        view.events_per_second,
    )
}

/// How to call the program to go on.
pub(crate) fn how_to_go_on(view: &View, program: &str, is_default: bool) -> String {
    let live = match view.subject.live {
        live if live == LIVE as usize => String::new(),
        live => format!(" --live {live}"),
    };
    let speed =
        if view.subject.speed == 1 { String::new() } else { format!(" --speed {}", view.subject.speed) };
    let store = if is_default {
        String::new()
    } else {
        format!(" --store {}", quoted(&view.subject.folder.display().to_string()))
    };
    format!("{program} demo{store}{live}{speed}")
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+:@%".contains(letter);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// What is said at the end. Ends with a line break.
pub(crate) fn summary(outcome: Outcome, view: &View, how_to_go_on: &str) -> String {
    let (mut text, totals, verdict) = (String::new(), &view.totals, &view.verdict);
    let lives = match (totals.lives, totals.killed) {
        (1, _) => "one life".to_owned(),
        (lives, 0) => format!("{lives} lives"),
        (lives, killed) => format!("{lives} lives, {killed} of them killed"),
    };
    let trees = match outcome {
        Outcome::Over => format!("{} of {}", grouped(totals.trees_ended), many(view.subject.trees, "tree")),
        Outcome::Stopped => {
            format!("stopped: {} of {}", grouped(totals.trees_ended), many(view.subject.trees, "tree"))
        }
    };
    let add = |text: &mut String, line: std::fmt::Arguments<'_>| {
        // Nothing fails that is written to memory.
        let _ = writeln!(text, "{line}");
    };
    add(&mut text, format_args!("{trees} ended, {} cancelled; {lives}", grouped(totals.trees_cancelled)));
    add(
        &mut text,
        format_args!(
            "the world saw {}, {}, {}, {}, {}",
            many(totals.tasks, "task"),
            many(totals.sends, "send"),
            many(totals.tools, "tool"),
            many(totals.messages, "message"),
            many(totals.refreshes, "refresh token"),
        ),
    );
    let so_far = match outcome {
        Outcome::Over => "",
        Outcome::Stopped => " so far",
    };
    if verdict.is_kept() {
        add(&mut text, format_args!("every promise was kept{so_far}:"));
    } else {
        let count = many(verdict.broken_count, "promise");
        add(&mut text, format_args!("✗ {count} broken{so_far}:"));
        for broken in &verdict.broken {
            add(&mut text, format_args!("  ✗ {} {}: {}", broken.promise, broken.promise.text(), broken.what));
        }
        add(&mut text, format_args!("how often somebody looked:"));
    }
    for promise in Promise::ALL {
        let looked = grouped(verdict.looked(promise));
        add(&mut text, format_args!("  {:<4} {looked:>9}  {}", promise.id(), promise.text()));
    }
    let folder = view.subject.folder.display();
    match outcome {
        Outcome::Over if verdict.is_kept() => {
            add(
                &mut text,
                format_args!("`{folder}` has what is left of it; the same command begins another run"),
            );
        }
        Outcome::Over => add(&mut text, format_args!("`{folder}` has what led to it")),
        Outcome::Stopped => {
            add(&mut text, format_args!("go on:       {how_to_go_on}"));
            add(&mut text, format_args!("begin anew:  {how_to_go_on} --fresh"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_readable() {
        let numbers = [0, 7, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!([0, 65, 3_605].map(|time| clock(Duration::from_secs(time))), ["0:00", "1:05", "1:00:05"]);
        assert_eq!([999, 99_999, 100_000].map(seconds), ["0 s", "99 s", "1:40"]);
        assert_eq!(["/tmp/a b", "it's", "x/y-1"].map(quoted), ["'/tmp/a b'", r"'it'\''s'", "x/y-1"]);
    }
}
