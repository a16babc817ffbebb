//! What follows the table: surprises, counterexamples, and one line about everything.

use super::arguments::CheckArgs;
use super::counterexamples::{self, Choice, Shown, is_same_behaviour};
use super::files;
use super::run::{Evaluated, Run};
use super::table::{grouped, seconds};
use crate::diagram::{self, Canvas, Ink, Style, WIDTH, wrap};
use crate::report::{PropertyReport, Verdict};

/// The text about some runs, below their table. Ends with a line break.
pub(super) fn of(runs: &[Run], args: &CheckArgs, program: &str, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    let surprises: Vec<String> = runs.iter().flat_map(surprises).collect();
    if !surprises.is_empty() {
        canvas.end_line();
    }
    for surprise in &surprises {
        paragraph(&mut canvas, surprise, 2, Ink::Alarm);
    }
    let mut told: Vec<(&Run, Shown<'_>)> = Vec::new();
    for run in runs {
        let Choice { shown, named } = counterexamples::choose(run, args.all_counterexamples, args.quiet);
        for Shown { property, counterexample } in shown {
            let head = format!("── {}@{} ", run.model, run.variant);
            canvas.end_line();
            canvas.put(&format!("{head:─<WIDTH$}"), Ink::Dim);
            canvas.end_line();
            if !run.about.is_empty() {
                paragraph(&mut canvas, run.about, 0, Ink::Normal);
                canvas.end_line();
            }
            let PropertyReport { id, name, .. } = *property.found;
            let same = |(other, before): &&(&Run, Shown<'_>)| {
                !std::ptr::eq(*other, run)
                    && before.property.found.id == id
                    && is_same_behaviour(before.counterexample, counterexample)
            };
            match told.iter().find(same) {
                Some((other, _)) if !args.all_counterexamples => {
                    paragraph(&mut canvas, &format!("{id}: {name}"), 4, Ink::Bold);
                    canvas.space(4);
                    canvas.put(&format!("the same behaviour as {}@{}", other.model, other.variant), Ink::Dim);
                    canvas.end_line();
                }
                Some(_) | None => canvas.put_lines(&diagram::text(id, name, counterexample, style)),
            }
            if let Some(directory) = &args.out
                && property.is_unexpected()
            {
                let file = files::quoted(&files::saved(directory, run, id));
                canvas.end_line();
                canvas.put(&format!("replay: {program} replay {file}"), Ink::Normal);
                canvas.end_line();
            }
            told.push((run, Shown { property, counterexample }));
        }
        if !named.is_empty() && !args.quiet {
            canvas.end_line();
            paragraph(&mut canvas, &others(run, &named, args), 0, Ink::Dim);
        }
    }
    canvas.end_line();
    summary(&mut canvas, runs);
    canvas.finish()
}

/// What was decided otherwise than expected: the violated properties together, since each has a diagram below,
/// and the others with their names.
fn surprises(run: &Run) -> Vec<String> {
    let subject = format!("✗ {}@{}", run.model, run.variant);
    let is_violated = |property: &Evaluated<'_>| property.found.verdict == Verdict::Violated;
    let (violated, others): (Vec<_>, Vec<_>) =
        run.evaluated().filter(Evaluated::is_unexpected).partition(is_violated);
    let ids: Vec<&str> = violated.iter().map(|property| property.found.id).collect();
    let together = (!ids.is_empty()).then(|| format!("{subject} violates, unexpectedly: {}", ids.join(", ")));
    let alone = others.into_iter().map(|Evaluated { found, expected }| {
        format!("{subject} {} ({}) {}, expected {expected}", found.id, found.name, found.verdict)
    });
    together.into_iter().chain(alone).collect()
}

/// The counterexamples that are not shown.
fn others(run: &Run, named: &[Shown<'_>], args: &CheckArgs) -> String {
    let name = |shown: &Shown<'_>| {
        format!("{} ({} steps)", shown.property.found.id, shown.counterexample.steps.len())
    };
    let names = named.iter().map(name).collect::<Vec<String>>().join(", ");
    let (model, variant) = (run.model, run.variant);
    if args.all_counterexamples {
        format!("{model}@{variant} also violates, by a behaviour shown above: {names}")
    } else {
        format!("{model}@{variant} also violates, as expected: {names}; --all-counterexamples shows how")
    }
}

fn summary(canvas: &mut Canvas, runs: &[Run]) {
    let as_expected = runs.iter().filter(|run| run.is_as_expected()).count();
    let unexpected = runs.iter().filter(|run| run.is_unexpected()).count();
    let parts = [
        (as_expected, "as expected", Ink::Good),
        (unexpected, "not as expected", Ink::Alarm),
        (runs.len() - as_expected - unexpected, "incomplete", Ink::Loop),
    ];
    let variants = if runs.len() == 1 { "variant" } else { "variants" };
    canvas.put(&format!("{} {variants}", runs.len()), Ink::Normal);
    let mut separator = ": ";
    for (count, what, ink) in parts.into_iter().filter(|(count, ..)| *count > 0) {
        canvas.put(separator, Ink::Normal);
        canvas.put(&format!("{count} {what}"), ink);
        separator = ", ";
    }
    let states: usize = runs.iter().map(|run| run.report.distinct).sum();
    let time = runs.iter().map(|run| run.report.elapsed).sum();
    canvas.put(&format!("; {} states in {}", grouped(states as u64), seconds(time)), Ink::Normal);
    canvas.end_line();
}

/// Text on as many lines as it needs, all but the first indented.
pub(super) fn paragraph(canvas: &mut Canvas, text: &str, indent: usize, ink: Ink) {
    for (number, line) in wrap(text, WIDTH - indent).iter().enumerate() {
        canvas.space(if number == 0 { 0 } else { indent });
        canvas.put(line, ink);
        canvas.end_line();
    }
}
