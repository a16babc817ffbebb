//! One variant checked within its bounds, beside what is expected of it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::arguments::StoredAs;
use super::counterexamples;
use super::registry::{Bounds, Registry, Variant};
use crate::check::{CheckError, Checkpointing, Limit, Limits, Progress, Reduction};
use crate::diagram;
use crate::report::{PropertyReport, Report, Storage, Verdict};

/// How variants are checked. The default is: all properties, no limits, all cores, every state, nothing on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What may end a search early.
    pub limits: Limits,
    /// The number of threads; `None` for one on each core.
    pub threads: Option<NonZeroUsize>,
    /// The ids of the properties to evaluate, as far as a model has them; `None` for all.
    pub only: Option<Vec<String>>,
    /// What states are told apart by; `None` for [`Variant::default_storage`].
    pub storage: Option<StoredAs>,
    /// How states of the variants whose models are declared for it are left out.
    pub reduction: Option<Reduction>,
    /// Whether the model is audited in every state instead of a sample; see [`Checker::audit_all`].
    ///
    /// [`Checker::audit_all`]: crate::check::Checker::audit_all
    pub audit_all: bool,
    /// The directory in which a search goes on when the limit on memory is reached; `None` to end it.
    pub spill: Option<PathBuf>,
    /// Whether and where checkpoints are written.
    pub checkpoints: Option<Checkpoints>,
}

/// Checkpoints of the searches of several variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// Has one file for each search that is not complete.
    pub directory: PathBuf,
    /// Time between two checkpoints of a search.
    pub every: Duration,
    /// Whether a search that has a checkpoint goes on from it.
    pub resume: bool,
}

impl Checkpoints {
    /// The checkpoint of a variant.
    pub(super) fn of(&self, variant: &Variant, bounds: &Bounds) -> Checkpointing {
        let path = self.directory.join(format!("{variant}.checkpoint"));
        let bounds = bounds.iter().map(|(name, value)| format!("{name}={value}"));
        let version = concat!("downbeat ", env!("CARGO_PKG_VERSION")).to_owned();
        let parts: Vec<String> = [variant.to_string()].into_iter().chain(bounds).chain([version]).collect();
        Checkpointing { path, identity: parts.join(", "), every: self.every }
    }
}

/// How a search is followed and ended from outside.
pub(super) struct Control<'a> {
    /// Called after each block of states.
    pub(super) progress: &'a mut dyn FnMut(&Progress),
    /// Becomes true when the search is to end.
    pub(super) interrupt: Option<&'a AtomicBool>,
}

/// A variant that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The name of the model.
    pub model: &'static str,
    /// The name of the variant.
    pub variant: &'static str,
    /// One line about what is special about the variant.
    pub about: &'static str,
    /// What it was built with.
    pub bounds: Bounds,
    /// Whether some of these is the deep one, [`Variant::deep_bounds`].
    pub is_deep: bool,
    /// What was found.
    pub report: Report,
    /// The expected verdict of each property of the report, in its order.
    pub expected: Vec<Verdict>,
    /// What states of the variant are told apart by unless something else is asked for.
    pub default_storage: Storage,
    /// The reduction that was asked for, if the model is not declared for it, so that the search was a full one.
    pub undeclared: Option<Reduction>,
    /// The expected violation that tells what the variant is about, if it names one.
    pub headline: Option<&'static str>,
}

impl Run {
    /// The verdict of the run if every property came out as expected.
    pub fn expected_verdict(&self) -> Verdict {
        Verdict::of_all(self.expected.iter().copied())
    }

    /// Each property with what is expected of it.
    pub fn evaluated(&self) -> impl Iterator<Item = Evaluated<'_>> {
        self.report
            .properties
            .iter()
            .zip(&self.expected)
            .map(|(found, expected)| Evaluated { found, expected: *expected })
    }

    /// Whether every property came out as expected. A run that a limit ended never did.
    pub fn is_as_expected(&self) -> bool {
        self.report.stopped_by.is_none() && self.evaluated().all(|property| property.is_as_expected())
    }

    /// Whether the search can be gone on with, from a checkpoint.
    pub fn can_go_on(&self) -> bool {
        match self.report.stopped_by {
            // A search to another depth is another search.
            None | Some(Limit::Depth(_)) => false,
            Some(Limit::States(_) | Limit::Time(_) | Limit::Memory(_) | Limit::Interrupt) => true,
        }
    }

    /// Whether a property was decided otherwise than expected.
    pub fn is_unexpected(&self) -> bool {
        self.evaluated().any(|property| property.is_unexpected())
    }
}

/// A property with what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated<'a> {
    /// What was found.
    pub found: &'a PropertyReport,
    /// The verdict that is expected.
    pub expected: Verdict,
}

impl Evaluated<'_> {
    /// Whether the verdict is the expected one.
    pub fn is_as_expected(&self) -> bool {
        self.found.verdict == self.expected
    }

    /// Whether the property was decided, and otherwise than expected.
    pub fn is_unexpected(&self) -> bool {
        self.found.verdict != Verdict::Incomplete && !self.is_as_expected()
    }
}

/// Checks a variant.
///
/// # Errors
/// The model contradicts itself, or a file could not be used.
pub fn run(variant: &Variant, bounds: &Bounds, settings: &Settings) -> Result<Run, CheckError> {
    run_under(variant, bounds, settings, Control { progress: &mut |_| {}, interrupt: None })
}

/// As [`run`], under control from outside.
pub(super) fn run_under(
    variant: &Variant,
    bounds: &Bounds,
    settings: &Settings,
    control: Control<'_>,
) -> Result<Run, CheckError> {
    let checkpointing = settings.checkpoints.as_ref().map(|checkpoints| checkpoints.of(variant, bounds));
    let report = variant.check(bounds, settings, checkpointing.as_ref(), control)?;
    let undeclared = settings.reduction.filter(|reduction| !variant.declares(bounds, *reduction));
    let expected = report.properties.iter().map(|property| variant.expected(property.id)).collect();
    let run = Run {
        model: variant.model(),
        variant: variant.name(),
        about: variant.about(),
        bounds: bounds.clone(),
        is_deep: variant.is_deep(bounds),
        report,
        expected,
        default_storage: variant.default_storage(),
        undeclared,
        headline: variant.headline_property(),
    };
    if let Some(checkpointing) = checkpointing.filter(|_| !run.can_go_on()) {
        checkpointing.remove()?;
    }
    Ok(run)
}

/// Checks every variant that `selection` names, within its default bounds, for a `#[test]`.
///
/// `selection` is `MODEL`, `MODEL@VARIANT`, or empty for all models.
///
/// # Panics
/// A verdict is not the expected one: the message has the diagram of the counterexample. Or there is no such
/// variant, or its model contradicts itself.
pub fn assert_as_expected(registry: &Registry, selection: &str) {
    let selected: Vec<&Variant> = registry
        .variants()
        .filter(|variant| {
            selection.is_empty() || variant.model() == selection || variant.to_string() == selection
        })
        .collect();
    assert!(!selected.is_empty(), "no variant is selected by `{selection}`");
    for variant in selected {
        match run(variant, &variant.default_bounds(), &Settings::default()) {
            Ok(run) => assert!(run.is_as_expected(), "{}", disappointment(variant, &run)),
            Err(error) => panic!("{variant} cannot be checked: {error}"),
        }
    }
}

/// Why a run is not as expected, with the diagrams of unexpected violations.
fn disappointment(variant: &Variant, run: &Run) -> String {
    let mut parts = vec![format!("{variant} is not as expected")];
    if let Some(limit) = run.report.stopped_by {
        parts.push(format!("the search was stopped by the {limit}"));
    }
    for Evaluated { found, expected } in run.evaluated().filter(|property| !property.is_as_expected()) {
        let because = found.undecided.map(|reason| format!("; {reason}")).unwrap_or_default();
        let (id, name, verdict) = (found.id, found.name, found.verdict);
        parts.push(format!("{id} ({name}): {verdict}, expected {expected}{because}"));
        if let Some(counterexample) = &found.counterexample {
            let diagram = diagram::text(found.id, found.name, counterexample, diagram::Style::Plain);
            parts.push(format!("\n{diagram}"));
            parts.extend(counterexamples::caveat(run, found).map(str::to_owned));
        }
    }
    parts.join("\n")
}
