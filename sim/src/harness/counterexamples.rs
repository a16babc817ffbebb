//! Which counterexamples of a run are shown.

use super::run::{Evaluated, Run};
use crate::check::Reduction;
use crate::report::{Counterexample, PropertyReport, Verdict};

/// A property with its counterexample.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) property: Evaluated<'a>,
    pub(super) counterexample: &'a Counterexample,
}

/// The counterexamples of a run, divided by whether they are shown.
pub(super) struct Choice<'a> {
    /// Shown in full, in the order of the properties.
    pub(super) shown: Vec<Shown<'a>>,
    /// Only named.
    pub(super) named: Vec<Shown<'a>>,
}

/// Every counterexample of a run.
pub(super) fn all(run: &Run) -> Vec<Shown<'_>> {
    run.evaluated()
        .filter_map(|property| {
            Some(Shown { property, counterexample: property.found.counterexample.as_ref()? })
        })
        .collect()
}

/// Unexpected violations are shown always. Of the expected ones the headline of the variant is shown, or the
/// shortest if it has none, or with `every` each one whose behaviour is not that of another that is shown; with
/// `quiet` none.
pub(super) fn choose(run: &Run, every: bool, quiet: bool) -> Choice<'_> {
    let all = all(run);
    let is_expected = |one: &Shown<'_>| one.property.expected == Verdict::Violated;
    let is_headline = |one: &Shown<'_>| run.headline == Some(one.property.found.id);
    let wanted = all
        .iter()
        .filter(|one| is_expected(one))
        .min_by_key(|one| (!is_headline(one), one.counterexample.steps.len()))
        .map(|one| one.property.found.id);
    let mut choice = Choice { shown: Vec::new(), named: Vec::new() };
    for one in all {
        let is_wanted = if quiet {
            false
        } else if every {
            let same = |other: &Shown<'_>| is_same_behaviour(other.counterexample, one.counterexample);
            !choice.shown.iter().any(same)
        } else {
            wanted == Some(one.property.found.id)
        };
        let is_shown = !is_expected(&one) || is_wanted;
        if is_shown { choice.shown.push(one) } else { choice.named.push(one) }
    }
    choice
}

/// What has to be said below a counterexample that is perhaps not a shortest one.
pub(super) fn caveat(run: &Run, found: &PropertyReport) -> Option<&'static str> {
    let because = match run.report.reduction {
        Some(Reduction::PartialOrder) => {
            "perhaps not a shortest one: by partial order, steps were left out that may lead there sooner"
        }
        Some(Reduction::Symmetry) | None => {
            "perhaps not a shortest one: the search for a shorter loop was given up"
        }
    };
    (!found.is_shortest).then_some(because)
}

/// The same as a comment in mermaid; empty if there is nothing to say.
pub(super) fn comment(run: &Run, found: &PropertyReport) -> String {
    caveat(run, found).map(|caveat| format!("%% {caveat}\n")).unwrap_or_default()
}

/// Whether two counterexamples show the same, step by step.
pub(super) fn is_same_behaviour(one: &Counterexample, other: &Counterexample) -> bool {
    one.steps == other.steps && one.lasso_start == other.lasso_start && one.opening == other.opening
}
