//! The table of variants that were checked.

use std::time::Duration;

use super::coverage;
use super::fairness;
use super::registry::{Bounds, Variant};
use super::run::Run;
use crate::check::Reduction;
use crate::diagram::{Canvas, Ink, Style, WIDTH, wrap};
use crate::report::{Report, Storage, Undecided, Verdict};

/// A longer name of a variant is broken over lines, so that violated properties have room too.
const VARIANT_MAX: usize = 25;
const VERDICT: usize = 10;
const EXPECTED: usize = 8;
const STATES: usize = 11;
const DEPTH: usize = 5;
const TIME: usize = 7;
const GAP: usize = 2;

/// The measures of a table, known before the first variant is checked, so that each row can be written when
/// its run is over.
pub(super) struct Table {
    variant: usize,
    violated: usize,
    style: Style,
}

impl Table {
    /// A table for these variants.
    pub(super) fn of(variants: &[(&Variant, Bounds)], style: Style) -> Self {
        let longest = variants.iter().map(|(variant, _)| variant.name().len()).max().unwrap_or(0);
        let variant = longest.max("variant".len()).min(VARIANT_MAX);
        let others = GAP + VERDICT + EXPECTED + STATES + DEPTH + TIME + 6 * GAP;
        Self { variant, violated: WIDTH - others - variant, style }
    }

    /// The name of a model and of the columns, above its variants.
    pub(super) fn header(&self, model: &str) -> String {
        let mut canvas = Canvas::new(self.style);
        canvas.put(model, Ink::Normal);
        canvas.end_line();
        let cells = ["variant", "verdict", "expected", "violated", "states", "depth", "time"];
        self.line(&mut canvas, ' ', Ink::Dim, cells, [Ink::Dim; 7]);
        canvas.finish()
    }

    /// The row of a run, with what holds beside a violation, its bounds and what stopped it below. Of bounds that a run `before` it had too, only
    /// that is said.
    pub(super) fn row(&self, run: &Run, before: &[Run]) -> String {
        let report = &run.report;
        let violated: Vec<&str> = report
            .properties
            .iter()
            .filter(|property| property.verdict == Verdict::Violated)
            .map(|property| property.id)
            .collect();
        let (mark, mark_ink) = mark(run);
        let verdict = report.verdict();
        let verdict_ink = match (run.is_unexpected(), verdict) {
            (true, _) => Ink::Alarm,
            (false, Verdict::Holds) => Ink::Good,
            (false, Verdict::Incomplete) => Ink::Loop,
            (false, Verdict::Violated | Verdict::Vacuous) => Ink::Normal,
        };
        let (verdict, expected) = (verdict.to_string(), run.expected_verdict().to_string());
        let (violated, states) = (violated.join(" "), grouped(report.distinct as u64));
        let (depth, time) = (report.depth.to_string(), seconds(report.elapsed));
        let cells = [run.variant, &verdict, &expected, &violated, &states, &depth, &time];
        let mut inks = [Ink::Normal; 7];
        inks[1] = verdict_ink;
        let mut canvas = Canvas::new(self.style);
        self.line(&mut canvas, mark, mark_ink, cells, inks);
        Self::below(&mut canvas, run, before);
        canvas.finish()
    }

    /// The row of a variant that cannot be checked.
    pub(super) fn row_of_error(&self, variant: &str) -> String {
        let mut canvas = Canvas::new(self.style);
        let mut inks = [Ink::Normal; 7];
        inks[1] = Ink::Alarm;
        self.line(&mut canvas, '✗', Ink::Alarm, [variant, "error", "", "", "", "", ""], inks);
        canvas.finish()
    }

    fn below(canvas: &mut Canvas, run: &Run, before: &[Run]) {
        let same = before.iter().find(|other| other.model == run.model && other.bounds == run.bounds);
        let indent = 2 * GAP;
        let bounds: Vec<String> = run.bounds.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let bounds = if bounds.is_empty() {
            "without bounds".to_owned()
        } else if let Some(same) = same {
            format!("with the bounds of {}", same.variant)
        } else if run.is_deep {
            format!("with deep bounds: {}", bounds.join(" "))
        } else {
            format!("with {}", bounds.join(" "))
        };
        let stopped = run.report.stopped_by.map(|limit| format!("incomplete: stopped by the {limit}"));
        let held = holds(run).map(|held| (held, Ink::Good));
        let undecided = undecided(&run.report).into_iter().map(|reason| (reason, Ink::Loop));
        let fair = fairness::short(&run.report).map(|fair| (fair, Ink::Dim));
        let search = search(run).map(|search| (search, Ink::Dim));
        let lines = held.into_iter().chain([(bounds, Ink::Dim)]).chain(fair).chain(search);
        let lines = lines.chain(stopped.map(|stopped| (stopped, Ink::Loop))).chain(undecided);
        let is_first = before.iter().all(|other| other.model != run.model);
        let silent =
            coverage::silence(&run.report).filter(|_| is_first).map(|silent| (silent.to_owned(), Ink::Dim));
        let missing = coverage::missing(&run.report).map(|missing| (missing, Ink::Loop));
        for (text, ink) in lines.chain(missing).chain(silent) {
            for line in wrap(&text, WIDTH - indent) {
                canvas.space(indent);
                canvas.put(&line, ink);
                canvas.end_line();
            }
        }
    }

    /// One row of cells; those that are too long go on in the lines below.
    fn line(&self, canvas: &mut Canvas, mark: char, mark_ink: Ink, cells: [&str; 7], inks: [Ink; 7]) {
        let widths = [self.variant, VERDICT, EXPECTED, self.violated, STATES, DEPTH, TIME];
        let wrapped: Vec<Vec<String>> =
            cells.iter().zip(widths).map(|(cell, width)| wrap(cell, width)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            canvas.put(&if line == 0 { mark } else { ' ' }.to_string(), mark_ink);
            canvas.space(GAP - 1);
            for (column, (cell, width)) in wrapped.iter().zip(widths).enumerate() {
                let text = cell.get(line).map_or("", String::as_str);
                let blank = width.saturating_sub(text.chars().count());
                // Numbers stand right.
                let (left, right) = if column >= 4 { (blank, GAP) } else { (0, blank + GAP) };
                canvas.space(left);
                canvas.put(text, inks[column]);
                canvas.space(right);
            }
            canvas.end_line();
        }
    }
}

/// What a variant gains although something is violated.
fn holds(run: &Run) -> Option<String> {
    let ids = |verdict| {
        let properties = run.report.properties.iter();
        let ids: Vec<&str> =
            properties.filter(|property| property.verdict == verdict).map(|property| property.id).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    };
    ids(Verdict::Violated).and(ids(Verdict::Holds)).map(|ids| format!("holds: {ids}"))
}

/// What is special about the search, if something is: `reduced by symmetry; exact: whole states were compared`.
fn search(run: &Run) -> Option<String> {
    let reduced = match (run.report.reduction, run.undeclared) {
        (Some(reduction), _) => Some(format!("reduced by {}", in_words(reduction))),
        (None, Some(reduction)) => {
            Some(format!("searched in full: not declared for {}", in_words(reduction)))
        }
        (None, None) => None,
    };
    let storage = run.report.storage;
    let stored = (storage != run.default_storage).then(|| match storage {
        Storage::Exact => "exact: whole states were compared".to_owned(),
        Storage::Fingerprint { bits } => format!("told apart by fingerprints of {bits} bits"),
    });
    let parts: Vec<String> = reduced.into_iter().chain(stored).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn in_words(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::Symmetry => "symmetry",
        Reduction::PartialOrder => "partial order",
    }
}

/// The properties that are incomplete for a reason of their own, with the reason.
fn undecided(report: &Report) -> Vec<String> {
    let mut reasons: Vec<(Undecided, Vec<&str>)> = Vec::new();
    for property in &report.properties {
        let Some(reason) = property.undecided else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, ids)) => ids.push(property.id),
            None => reasons.push((reason, vec![property.id])),
        }
    }
    let line = |(reason, ids): (Undecided, Vec<&str>)| format!("incomplete: {}: {reason}", ids.join(" "));
    reasons.into_iter().map(line).collect()
}

fn mark(run: &Run) -> (char, Ink) {
    if run.is_unexpected() {
        ('✗', Ink::Alarm)
    } else if run.is_as_expected() {
        ('✓', Ink::Good)
    } else {
        ('?', Ink::Loop)
    }
}

/// A number with commas between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of things, of which one is called `one`: `1 state`, `1,024 states`.
pub(super) fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A time in seconds, with three digits as far as they mean something.
pub(super) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let decimals = if seconds < 10.0 { 2 } else { usize::from(seconds < 100.0) };
    format!("{seconds:.decimals$} s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Coverage, Kind, PropertyReport, Storage};

    #[test]
    fn properties_that_are_undecided_for_one_reason_are_named_together() {
        let property = |id, undecided| PropertyReport {
            id,
            name: "",
            kind: Kind::Eventually,
            verdict: Verdict::Incomplete,
            undecided,
            counterexample: None,
            is_shortest: false,
        };
        let (symmetry, spilled) = (Undecided::LivenessUnderSymmetry, Undecided::LivenessWhenSpilled);
        let report = Report {
            properties: vec![
                property("L1", Some(symmetry)),
                property("L2", Some(spilled)),
                property("S1", None),
                property("L3", Some(symmetry)),
                property("L4", Some(Undecided::LivenessOfTooManyStates)),
            ],
            distinct: 1,
            generated: 1,
            depth: 0,
            audited: 1,
            coverage: Coverage::default(),
            fairness: Vec::new(),
            storage: Storage::Exact,
            reduction: None,
            elapsed: Duration::ZERO,
            stopped_by: None,
        };
        let expected = [
            "incomplete: L1 L3: liveness is not decided under symmetry",
            "incomplete: L2: liveness is not decided when states are spilled to disk",
            "incomplete: L4: liveness is decided for up to some two billion states, and there are more",
        ];
        assert_eq!(undecided(&report), expected);
    }

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (18_507_778, "18,507,778")];
        for (number, expected) in cases {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!(
            [0, 1, 1_024].map(|number| counted(number, "state")),
            ["0 states", "1 state", "1,024 states"]
        );
    }

    #[test]
    fn times_have_three_digits() {
        let cases = [(4, "0.00 s"), (1_234, "1.23 s"), (12_345, "12.3 s"), (123_456, "123 s")];
        for (millis, expected) in cases {
            assert_eq!(seconds(Duration::from_millis(millis)), expected);
        }
    }
}
