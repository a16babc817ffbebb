//! What follows the table: surprises, counterexamples, and one line about everything.

use super::arguments::CheckArgs;
use super::checks::Checks;
use super::counterexamples::{self, Choice, Shown, is_same_behaviour};
use super::run::{Evaluated, Run};
use super::table::{counted, grouped, seconds};
use super::{coverage, files};
use crate::diagram::{self, Canvas, Ink, Style, WIDTH, wrap};
use crate::report::{PropertyReport, Report, Verdict};

/// The text about some runs, below their table. Ends with a line break.
pub(super) fn of(checks: &Checks<'_>, args: &CheckArgs, program: &str, style: Style) -> String {
    let runs = &checks.runs;
    let mut canvas = Canvas::new(style);
    if args.coverage {
        canvas.put_lines(&coverage::text(runs, style));
    }
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
            if let Some(caveat) = counterexamples::caveat(run, property.found) {
                canvas.end_line();
                paragraph(&mut canvas, caveat, 0, Ink::Dim);
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
    summary(&mut canvas, runs, checks.not_checked.len());
    rests_on(&mut canvas, runs, args.audit_all);
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
        format!("{} ({})", shown.property.found.id, counted(shown.counterexample.steps.len() as u64, "step"))
    };
    let names = named.iter().map(name).collect::<Vec<String>>().join(", ");
    let (model, variant) = (run.model, run.variant);
    if args.all_counterexamples {
        format!("{model}@{variant} also violates, by a behaviour shown above: {names}")
    } else {
        format!("{model}@{variant} also violates, as expected: {names}; --all-counterexamples shows how")
    }
}

fn summary(canvas: &mut Canvas, runs: &[Run], not_checked: usize) {
    let as_expected = runs.iter().filter(|run| run.is_as_expected()).count();
    let unexpected = runs.iter().filter(|run| run.is_unexpected()).count();
    let parts = [
        (as_expected, "as expected", Ink::Good),
        (unexpected, "not as expected", Ink::Alarm),
        (runs.len() - as_expected - unexpected, "incomplete", Ink::Loop),
        (not_checked, "not checked", Ink::Alarm),
    ];
    let all = runs.len() + not_checked;
    canvas.put(&counted(all as u64, "variant"), Ink::Normal);
    let mut separator = ": ";
    for (count, what, ink) in parts.into_iter().filter(|(count, ..)| *count > 0) {
        canvas.put(separator, Ink::Normal);
        canvas.put(&format!("{count} {what}"), ink);
        separator = ", ";
    }
    let states: usize = runs.iter().map(|run| run.report.distinct).sum();
    let time = runs.iter().map(|run| run.report.elapsed).sum();
    if !runs.is_empty() {
        canvas.put(&format!("; {} in {}", counted(states as u64, "state"), seconds(time)), Ink::Normal);
    }
    canvas.end_line();
}

/// What all verdicts rest on.
fn rests_on(canvas: &mut Canvas, runs: &[Run], audits_all: bool) {
    let reports = || runs.iter().map(|run| &run.report);
    for text in audited(reports(), audits_all).into_iter().chain(omission(reports())) {
        canvas.put(&text, Ink::Dim);
        canvas.end_line();
    }
}

/// In how many states the models were audited; nothing if there is no state.
fn audited<'a>(reports: impl Iterator<Item = &'a Report>, audits_all: bool) -> Option<String> {
    let (audited, states) = reports.fold((0, 0), |(audited, states), report| {
        (audited + report.audited as u64, states + report.distinct as u64)
    });
    let proposal = if audits_all { "" } else { "; --audit-all looks at each" };
    if audited == states {
        (states > 0).then(|| "audited: every state".to_owned())
    } else {
        Some(format!("audited: {} of {}{proposal}", grouped(audited), counted(states, "state")))
    }
}

/// A bound on the chance that any of the searches has missed a state; nothing if none can have.
fn omission<'a>(reports: impl Iterator<Item = &'a Report>) -> Option<String> {
    let chances: Vec<f64> = reports.map(|report| report.storage.omission(report.distinct)).collect();
    let sum = chances.iter().sum::<f64>().min(1.0);
    let in_all = if chances.len() > 1 { " in all" } else { "" };
    (sum > 0.0).then(|| {
        format!(
            "told apart by fingerprints: a state was missed with a chance of at most {}{in_all}",
            one_digit_up(sum)
        )
    })
}

/// A positive number with one digit, rounded up: `2e-6`, `0.03`.
fn one_digit_up(number: f64) -> String {
    /// Below a thousandth people count powers of ten.
    const SMALL: i32 = -3;
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a double has three digits")]
    let exponent = number.log10().floor() as i32;
    // What is above the digit by rounding alone does not raise it.
    let digit = (number / 10_f64.powi(exponent) - 1e-9).ceil();
    let rounded = digit * 10_f64.powi(exponent);
    if exponent < SMALL {
        format!("{rounded:.0e}")
    } else {
        let decimals = usize::try_from(-exponent).unwrap_or(0);
        format!("{rounded:.decimals$}")
    }
}

/// Text on as many lines as it needs, all but the first indented.
pub(super) fn paragraph(canvas: &mut Canvas, text: &str, indent: usize, ink: Ink) {
    for (number, line) in wrap(text, WIDTH - indent).iter().enumerate() {
        canvas.space(if number == 0 { 0 } else { indent });
        canvas.put(line, ink);
        canvas.end_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Coverage, Storage};
    use std::time::Duration;

    #[test]
    fn small_numbers_are_rounded_up_to_one_digit() {
        #[rustfmt::skip]
        let cases = [
            (1.2e-6, "2e-6"), (2e-6, "2e-6"), (1e-6, "1e-6"), (9.5e-7, "1e-6"), (5.3e-26, "6e-26"),
            (0.0271, "0.03"), (0.001, "0.001"), (0.000_91, "1e-3"), (0.23, "0.3"), (1.0, "1"),
        ];
        for (number, expected) in cases {
            assert_eq!(one_digit_up(number), expected);
        }
    }

    #[test]
    fn chance_of_a_missed_state_is_told_of_fingerprints_alone() {
        let report = |storage| Report {
            properties: Vec::new(),
            distinct: 6_000_000,
            generated: 6_000_000,
            depth: 9,
            audited: 6_059,
            coverage: Coverage::default(),
            fairness: Vec::new(),
            storage,
            reduction: None,
            elapsed: Duration::ZERO,
            stopped_by: None,
        };
        let (exact, short) = (report(Storage::Exact), report(Storage::Fingerprint { bits: 64 }));
        #[rustfmt::skip]
        let cases: [(&[&Report], Option<&str>); 4] = [
            (&[&exact, &exact],         None),
            (&[&short],                 Some("told apart by fingerprints: a state was missed with a chance of at most 1e-6")),
            (&[&exact, &short, &short], Some("told apart by fingerprints: a state was missed with a chance of at most 2e-6 in all")),
            (&[],                       None),
        ];
        for (reports, expected) in cases {
            assert_eq!(omission(reports.iter().copied()).as_deref(), expected);
        }
    }

    #[test]
    fn audited_states_are_told_of_all_searches_together() {
        let report = |distinct, audited| Report {
            properties: Vec::new(),
            distinct,
            generated: 9,
            depth: 9,
            audited,
            coverage: Coverage::default(),
            fairness: Vec::new(),
            storage: Storage::Exact,
            reduction: None,
            elapsed: Duration::ZERO,
            stopped_by: None,
        };
        let (small, large) = (report(150, 150), report(8_832, 208));
        #[rustfmt::skip]
        let cases: [(&[&Report], bool, Option<&str>); 5] = [
            (&[&small],         false, Some("audited: every state")),
            (&[&small],         true,  Some("audited: every state")),
            (&[&small, &large], false, Some("audited: 358 of 8,982 states; --audit-all looks at each")),
            // A limit ended it before the others were expanded.
            (&[&large],         true,  Some("audited: 208 of 8,832 states")),
            (&[],               false, None),
        ];
        for (reports, audits_all, expected) in cases {
            assert_eq!(audited(reports.iter().copied(), audits_all).as_deref(), expected);
        }
    }
}
