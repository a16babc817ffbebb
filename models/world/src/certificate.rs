//! What is known of a scenario of which every execution was seen, or all with few deviations, and how it is compared with what is seen now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use downbeat_kernel::End;
use downbeat_sim::explore::{Extent, Report, Search};
use downbeat_sim::harness::grouped;

use crate::marks::{Mark, Marks};
use crate::verdict::{Outcome, Verdict};

/// Writes the certificates anew, in the directory of the repository.
pub(crate) const RENEW: &str = "cargo run --release -- sim --exhaustive --format certificates > certificates.rs && mv certificates.rs models/world/src/";

/// What is known of a scenario of which every execution was seen, or every one with few deviations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The name of the scenario.
    pub scenario: &'static str,
    /// Choices other than the first in one execution, at most; `None` if every execution was seen.
    pub deviations: Option<usize>,
    /// So many executions came to an end.
    pub executions: u64,
    /// So many were begun and given up, because all that could follow had been seen.
    pub given_up: u64,
    /// Of so many classes: two of one class differ in the order of steps that have nothing in common.
    pub classes: u64,
    /// Steps of the longest.
    pub longest: usize,
    /// The situations that they come across, with few deviations. Which of them every execution comes across depends on those that stand for
    /// their classes, and is not told.
    pub marks: &'static [Mark],
    /// What the executions come to, all of it: how the root ends, the messages that are returned, and with how many sends.
    pub outcomes: &'static str,
}

impl Certificate {
    /// The search that it is of.
    pub fn search(&self) -> Search {
        self.deviations.map_or(Search::Exhaustive, Search::Bounded)
    }

    /// What is otherwise in what was seen, in words.
    pub fn differences(&self, report: &Report<Verdict>, marks: &Marks) -> Vec<String> {
        let longest = |steps: usize| u64::try_from(steps).unwrap_or(u64::MAX);
        let numbers = [
            ("executions", self.executions, report.executions),
            ("given up", self.given_up, report.given_up),
            ("classes", self.classes, report.classes.unwrap_or(0)),
            ("steps of the longest", longest(self.longest), longest(report.longest)),
        ];
        let differ = numbers.into_iter().filter(|(_, known, seen)| known != seen);
        let mut differences: Vec<String> = differ
            .map(|(what, known, seen)| format!("{what}: {} for {} certified", grouped(seen), grouped(known)))
            .collect();
        let seen = outcomes(kept(report));
        if seen != self.outcomes {
            differences.push(format!("outcomes: `{seen}` for `{}` certified", self.outcomes));
        }
        let (known, seen) = (self.marks.iter().copied().collect(), marks_of(self.deviations, marks));
        for (others, how) in [(&seen - &known, "not certified"), (&known - &seen, "certified, and missed")] {
            differences.extend(others.iter().map(|mark| format!("situations: {}, {how}", mark.about())));
        }
        differences
    }
}

/// The situations of a search, if they are those of every execution with few deviations.
fn marks_of(deviations: Option<usize>, marks: &Marks) -> BTreeSet<Mark> {
    deviations.map_or_else(BTreeSet::new, |_| marks.so_far())
}

/// The certificate that a report is, as source.
pub(crate) fn row(scenario: &str, report: &Report<Verdict>, marks: &Marks) -> String {
    let deviations = match report.extent {
        Extent::Bounded(most) => Some(most),
        Extent::Complete | Extent::Sampled | Extent::Stopped(_) => None,
    };
    let number = |number: u64| grouped(number).replace(',', "_");
    let (executions, given_up) = (number(report.executions), number(report.given_up));
    let (classes, longest) = (number(report.classes.unwrap_or(0)), report.longest);
    let marks: Vec<String> =
        marks_of(deviations, marks).iter().map(|mark| format!("Mark::{mark:?}")).collect();
    let (marks, outcomes) = (marks.join(", "), outcomes(kept(report)));
    format!(
        "    Certificate {{ scenario: {scenario:?}, deviations: {deviations:?}, executions: {executions}, given_up: {given_up}, classes: {classes}, longest: {longest}, marks: &[{marks}], outcomes: {outcomes:?} }},\n"
    )
}

/// The file of certificates with these rows.
pub(crate) fn source(rows: &str) -> String {
    format!(
        "//! The certificates. `downbeat sim --exhaustive --format certificates` prints this file.\n\nuse crate::certificate::Certificate;\nuse crate::marks::Mark;\n\n/// The scenarios that are seen again in continuous integration.\n#[rustfmt::skip]\npub const CERTIFICATES: &[Certificate] = &[\n{rows}];\n"
    )
}

fn kept(report: &Report<Verdict>) -> impl Iterator<Item = &Outcome> {
    report.returned().filter_map(|verdict| verdict.as_ref().ok())
}

/// A set of outcomes, all of it: `completed: 2-4; cancelled returning 1: 0-1, 3` for how the root ends, which messages are returned,
/// and with how many sends.
fn outcomes<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> String {
    let mut ends: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for Outcome { end, returned, sends } in outcomes {
        let end = match end {
            End::Completed => "completed",
            End::Failed(_) => "failed",
            End::Cancelled => "cancelled",
        };
        let returned: Vec<String> = returned.iter().map(|message| message.0.to_string()).collect();
        let returning =
            if returned.is_empty() { String::new() } else { format!(" returning {}", returned.join(", ")) };
        ends.entry(format!("{end}{returning}")).or_default().insert(*sends);
    }
    let each = ends.into_iter().map(|(end, sends)| format!("{end}: {}", numbers(&sends)));
    each.collect::<Vec<_>>().join("; ")
}

/// A set of numbers, those in a row as `2-4`.
fn numbers(numbers: &BTreeSet<u32>) -> String {
    let mut rows: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            Some(_) | None => rows.push((*number, *number)),
        }
    }
    let mut text = String::new();
    for (first, last) in rows {
        let comma = if text.is_empty() { "" } else { ", " };
        let end = if first == last { String::new() } else { format!("-{last}") };
        let _ = write!(text, "{comma}{first}{end}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::MessageId;

    fn outcome(end: End, returned: &[u32], sends: u32) -> Outcome {
        Outcome { end, returned: returned.iter().copied().map(MessageId).collect(), sends }
    }

    #[test]
    fn text_of_outcomes_has_each_of_them() {
        let some = [
            outcome(End::Completed, &[], 4),
            outcome(End::Completed, &[], 2),
            outcome(End::Completed, &[], 3),
            outcome(End::Completed, &[], 7),
            outcome(End::Cancelled, &[1, 2], 0),
        ];
        assert_eq!(outcomes(some.iter()), "cancelled returning 1, 2: 0; completed: 2-4, 7");
        let fewer = some.iter().filter(|outcome| outcome.sends != 3);
        assert_eq!(outcomes(fewer), "cancelled returning 1, 2: 0; completed: 2, 4, 7");
    }
}
