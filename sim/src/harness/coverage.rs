//! What the steps of the searches came by, what they did not, and what was assumed of them.

use super::fairness;
use super::run::Run;
use super::table::grouped;
use super::text::paragraph;
use crate::check::Reduction;
use crate::diagram::{Canvas, Ink, Style, WIDTH};
use crate::report::{Coverage, Report};

/// Room for a count of steps.
const STEPS: usize = 14;

/// The kinds of action that were never taken, if there is one: of a complete search, `never enabled: send, retry`. Under
/// symmetry a kind that names an id may be one that representatives never take.
pub(super) fn missing(report: &Report) -> Option<String> {
    let missing = without_a_step(report.coverage.kinds.iter().map(|(name, steps)| (*name, *steps)));
    let what = match (report.stopped_by, report.reduction) {
        (Some(_), _) => "not yet taken",
        (None, Some(Reduction::Symmetry)) => "not enabled in any representative",
        (None, Some(Reduction::PartialOrder) | None) => "never enabled",
    };
    (!missing.is_empty()).then(|| format!("{what}: {}", missing.join(", ")))
}

/// That nothing can be said of a model that names no kinds of action.
pub(super) fn silence(report: &Report) -> Option<&'static str> {
    report.coverage.kinds.is_empty().then_some(SILENCE)
}

const SILENCE: &str = "no word of what is never enabled: the model names no kinds of action (`Model::kinds`)";

/// A table of kinds and of marks for each run, and below the runs of a model what of its marks they cover together.
pub(super) fn text(runs: &[Run], style: Style) -> String {
    let mut canvas = Canvas::new(style);
    canvas.end_line();
    canvas.put(&format!("{:─<WIDTH$}", "── coverage "), Ink::Dim);
    canvas.end_line();
    for of_model in runs.chunk_by(|run, next| run.model == next.model) {
        for run in of_model {
            table(&mut canvas, &format!("{}@{}", run.model, run.variant), &run.report.coverage);
            fairness::list(&mut canvas, &run.report.fairness);
        }
        let coverages: Vec<&Coverage> = of_model.iter().map(|run| &run.report.coverage).collect();
        if coverages.len() > 1
            && let Some(covered) = covered(&union(&coverages))
        {
            let text = format!("{} in {} variants together: {covered}", of_model[0].model, of_model.len());
            paragraph(&mut canvas, &text, 2, Ink::Bold);
        }
    }
    canvas.finish()
}

fn table(canvas: &mut Canvas, subject: &str, coverage: &Coverage) {
    canvas.put(subject, Ink::Bold);
    canvas.end_line();
    if coverage.kinds.is_empty() && coverage.marks.is_empty() {
        canvas.put("  the model names no kinds of action and no marks", Ink::Dim);
        canvas.end_line();
    }
    let row = |canvas: &mut Canvas, name: &str, steps: u64| {
        let ink = if steps == 0 { Ink::Loop } else { Ink::Normal };
        canvas.put(&format!("{:>STEPS$}  {name}", grouped(steps)), ink);
        canvas.end_line();
    };
    for (name, steps) in &coverage.kinds {
        row(canvas, name, *steps);
    }
    if let Some(covered) = covered(&coverage.marks) {
        canvas.space(2);
        paragraph(canvas, &covered, 4, Ink::Normal);
    }
    for (name, steps) in &coverage.marks {
        row(canvas, name, *steps);
    }
}

/// The marks of several variants of one model, each once, where it came first, with all its steps.
fn union(coverages: &[&Coverage]) -> Vec<(String, u64)> {
    let mut union: Vec<(String, u64)> = Vec::new();
    for (name, steps) in coverages.iter().flat_map(|coverage| &coverage.marks) {
        match union.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known += steps,
            None => union.push((name.clone(), *steps)),
        }
    }
    union
}

/// How many marks have a step, and which do not: `covered 41 of 60 marks; not covered: idle to sent`.
fn covered(marks: &[(String, u64)]) -> Option<String> {
    let missing = without_a_step(marks.iter().map(|(name, steps)| (name.as_str(), *steps)));
    let count = format!("covered {} of {} marks", marks.len() - missing.len(), marks.len());
    let rest =
        if missing.is_empty() { String::new() } else { format!("; not covered: {}", missing.join(", ")) };
    (!marks.is_empty()).then_some(count + &rest)
}

fn without_a_step<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Vec<&'a str> {
    counts.filter(|(_, steps)| *steps == 0).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Limit;
    use crate::check::Reduction::{PartialOrder, Symmetry};
    use crate::report::Storage;
    use std::time::Duration;

    fn coverage(kinds: &[(&'static str, u64)], marks: &[(&str, u64)]) -> Coverage {
        let marks = marks.iter().map(|(name, steps)| ((*name).to_owned(), *steps)).collect();
        Coverage { kinds: kinds.to_vec(), marks }
    }

    fn report(coverage: Coverage, stopped_by: Option<Limit>, reduction: Option<Reduction>) -> Report {
        Report {
            properties: Vec::new(),
            distinct: 1,
            generated: 1,
            depth: 0,
            audited: 1,
            coverage,
            fairness: Vec::new(),
            storage: Storage::Exact,
            reduction,
            elapsed: Duration::ZERO,
            stopped_by,
        }
    }

    #[test]
    fn kinds_without_a_step_are_missing() {
        let some = [("send", 0), ("receive", 3), ("retry", 0)];
        let stopped = Some(Limit::States(9));
        #[rustfmt::skip]
        let cases = [
            ("complete",             &some[..],    None,    None,           Some("never enabled: send, retry")),
            ("stopped",              &some[..],    stopped, None,           Some("not yet taken: send, retry")),
            ("by representatives",   &some[..],    None,    Some(Symmetry), Some("not enabled in any representative: send, retry")),
            ("in some orders",       &some[..],    None,    Some(PartialOrder), Some("never enabled: send, retry")),
            ("all are taken",        &some[1..2],  None,    None,           None),
            ("none is named",        &[],          None,    None,           None),
        ];
        for (name, kinds, stopped_by, reduction, expected) in cases {
            let report = report(coverage(kinds, &[("idle to sent", 0)]), stopped_by, reduction);
            assert_eq!(missing(&report).as_deref(), expected, "{name}");
            assert_eq!(silence(&report), kinds.is_empty().then_some(SILENCE), "{name}");
        }
    }

    #[test]
    fn marks_are_counted_in_each_variant_and_together() {
        let one = coverage(&[], &[("a", 1), ("b", 0), ("c", 0)]);
        let other = coverage(&[], &[("c", 2), ("b", 0), ("d", 7), ("a", 4)]);
        let together: Vec<(String, u64)> =
            [("a", 5), ("b", 0), ("c", 2), ("d", 7)].map(|(name, steps)| (name.to_owned(), steps)).to_vec();
        assert_eq!(union(&[&one, &other]), together);
        #[rustfmt::skip]
        let cases = [
            (&one.marks[..],   Some("covered 1 of 3 marks; not covered: b, c")),
            (&together[..],    Some("covered 3 of 4 marks; not covered: b")),
            (&together[2..],   Some("covered 2 of 2 marks")),
            (&[],              None),
        ];
        for (marks, expected) in cases {
            assert_eq!(covered(marks).as_deref(), expected, "{marks:?}");
        }
    }

    #[test]
    fn table_has_every_kind_and_every_mark() {
        let mut canvas = Canvas::new(Style::Plain);
        table(
            &mut canvas,
            "mail@as-is",
            &coverage(&[("send", 1_234), ("retry", 0)], &[("idle to sent", 7), ("lost", 0)]),
        );
        table(&mut canvas, "mail@bare", &coverage(&[], &[]));
        let expected = "\
mail@as-is
         1,234  send
             0  retry
  covered 1 of 2 marks; not covered: lost
             7  idle to sent
             0  lost
mail@bare
  the model names no kinds of action and no marks
";
        assert_eq!(canvas.finish(), expected);
    }
}
