//! What an interrupt or a limit left undone, and how to go on with it.

use super::arguments::CheckArgs;
use super::checks::{Checks, NotChecked, Why};
use super::command::Streams;
use super::files::{quoted, quoted_word};
use super::run::Run;
use crate::check::Limit;
use crate::diagram::wrap;

/// What is not known, where it is saved, and the command that goes on; empty if nothing is left, or if nobody asked
/// for checkpoints of what a limit ended. Ends with a line break.
pub(super) fn text(checks: &Checks<'_>, args: &CheckArgs, streams: &Streams<'_>) -> String {
    let is_interrupted = checks.is_interrupted();
    let mut lines = if is_interrupted { wrap(&interrupted(checks), streams.width) } else { Vec::new() };
    match &args.checkpoint {
        Some(directory) => {
            let saved: Vec<&Run> = checks.runs.iter().filter(|run| run.can_go_on()).collect();
            let file = |subject: String| directory.join(subject + ".checkpoint");
            let saved_now = saved.iter().map(|run| file(format!("{}@{}", run.model, run.variant)));
            lines.extend(saved_now.map(|file| format!("saved: {}", quoted(&file))));
            let saved_before = not_checked(checks).map(|not_checked| file(not_checked.variant.to_string()));
            let saved_before = saved_before.filter(|file| file.exists());
            lines.extend(saved_before.map(|file| format!("still saved: {}", quoted(&file))));
            let is_enough =
                |run: &&Run| matches!(run.report.stopped_by, Some(Limit::Interrupt | Limit::Time(_)));
            if is_interrupted || saved.iter().any(is_enough) {
                lines.push(format!("to go on: {}", command(streams)));
            } else if !saved.is_empty() {
                lines.push("to go on: the same command with --resume and a higher limit".to_owned());
            }
        }
        None if is_interrupted => {
            lines.push("nothing was saved; with --checkpoint DIR a search can be gone on with".to_owned());
        }
        None => {}
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The command that goes on.
fn command(streams: &Streams<'_>) -> String {
    const RESUME: &str = "--resume";
    let Streams { program, arguments, .. } = streams;
    let resume = (!arguments.iter().any(|argument| argument == RESUME)).then_some(RESUME);
    let words = [program.as_str()].into_iter().chain(arguments.iter().map(String::as_str)).chain(resume);
    words.map(quoted_word).collect::<Vec<String>>().join(" ")
}

/// The variants about which nothing is known because of the interrupt: not begun, or not as far as their checkpoints.
fn not_checked<'c, 'a>(checks: &'c Checks<'a>) -> impl Iterator<Item = &'c NotChecked<'a>> {
    checks.not_checked.iter().filter(|not_checked| matches!(not_checked.why, Why::Interrupted))
}

fn interrupted(checks: &Checks<'_>) -> String {
    let cut: Vec<String> = checks
        .runs
        .iter()
        .filter(|run| run.report.stopped_by == Some(Limit::Interrupt))
        .map(|run| format!("{}@{} is incomplete", run.model, run.variant))
        .collect();
    let not_checked: Vec<String> =
        not_checked(checks).map(|not_checked| not_checked.variant.to_string()).collect();
    let not_checked = (!not_checked.is_empty()).then(|| format!("not checked: {}", not_checked.join(", ")));
    let parts: Vec<String> = cut.into_iter().chain(not_checked).collect();
    format!("interrupted: {}", parts.join("; "))
}
