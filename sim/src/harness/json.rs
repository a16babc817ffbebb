//! The report for machines, as `docs/report.schema.json` describes it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checks::{Checks, NotChecked, Why};
use super::fairness;
use super::replays::Replay;
use super::run::{Evaluated, Run};
use crate::model::{Arrow, Lane, Told};
use crate::replay::Misfit;
use crate::report::{Counterexample, Coverage, FairAction, Report, Step, Storage};

/// What a command found as one document. Ends with a line break.
pub(super) fn document(checks: &Checks<'_>) -> String {
    let document = Document {
        tool: TOOL,
        runs: checks.runs.iter().map(RunEntry::of).collect(),
        not_checked: checks.not_checked.iter().map(NotCheckedEntry::of).collect(),
        as_expected: checks.is_as_expected(),
    };
    pretty(&document)
}

/// All replays of a command, which are `all` that were asked for, as one document. Ends with a line break.
pub(super) fn replays(replays: &[Replay<'_>], all: bool) -> String {
    let document = ReplayDocument {
        tool: TOOL,
        replays: replays.iter().map(ReplayEntry::of).collect(),
        as_recorded: all && replays.iter().all(|replay| replay.result.is_ok()),
    };
    pretty(&document)
}

/// A value on several lines. Ends with a line break.
pub(super) fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("strings, numbers and lists always have a form in JSON") + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    tool: Tool,
    runs: Vec<RunEntry<'a>>,
    not_checked: Vec<NotCheckedEntry>,
    as_expected: bool,
}

#[derive(Serialize)]
struct NotCheckedEntry {
    model: &'static str,
    variant: &'static str,
    /// In words.
    reason: String,
}

impl NotCheckedEntry {
    fn of(not_checked: &NotChecked<'_>) -> Self {
        let NotChecked { variant, why } = not_checked;
        let reason = match why {
            Why::Interrupted => "interrupt".to_owned(),
            Why::Failed(error) => error.to_string(),
        };
        Self { model: variant.model(), variant: variant.name(), reason }
    }
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

const TOOL: Tool = Tool { name: "downbeat", version: env!("CARGO_PKG_VERSION") };

#[derive(Serialize)]
struct RunEntry<'a> {
    model: &'a str,
    variant: &'a str,
    bounds: BTreeMap<&'a str, u64>,
    deep: bool,
    verdict: &'static str,
    expected: &'static str,
    as_expected: bool,
    states: States,
    storage: StorageEntry,
    reduction: Option<String>,
    coverage: CoverageEntry<'a>,
    fairness: Vec<FairEntry<'a>>,
    seconds: f64,
    /// The limit that ended the search, in words.
    stopped_by: Option<String>,
    properties: Vec<PropertyEntry<'a>>,
}

#[derive(Serialize)]
struct States {
    distinct: usize,
    generated: u64,
    depth: usize,
    audited: usize,
}

#[derive(Serialize)]
struct FairEntry<'a> {
    name: &'a str,
    strength: &'static str,
    enabled: Option<bool>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum StorageEntry {
    Exact,
    Fingerprint {
        bits: u8,
        /// Bounds the probability that any state was missed.
        omission: f64,
    },
}

#[derive(Serialize)]
struct CoverageEntry<'a> {
    kinds: Vec<CountEntry<'a>>,
    marks: Vec<CountEntry<'a>>,
}

#[derive(Serialize)]
struct CountEntry<'a> {
    name: &'a str,
    steps: u64,
}

#[derive(Serialize)]
struct PropertyEntry<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    verdict: &'static str,
    expected: &'static str,
    /// Why it is incomplete, in words, unless it is the limit.
    undecided: Option<String>,
    counterexample: Option<CounterexampleEntry<'a>>,
    /// Whether the counterexample is known to be a shortest one.
    shortest: Option<bool>,
}

/// A counterexample, written and read.
#[derive(Serialize, Deserialize)]
pub(super) struct CounterexampleEntry<'a> {
    pub(super) length: usize,
    opening: Cow<'a, str>,
    pub(super) steps: Vec<StepEntry<'a>>,
    pub(super) lasso_start: Option<usize>,
    explanation: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StepEntry<'a> {
    actor: Cow<'a, str>,
    to: Cow<'a, str>,
    /// In words.
    action: Cow<'a, str>,
    /// As its `Debug` shows it, by which a replay finds it.
    debug: Cow<'a, str>,
    /// What followed in the same atomic step.
    then: Vec<ArrowEntry<'a>>,
    state_change: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct ArrowEntry<'a> {
    actor: Cow<'a, str>,
    to: Cow<'a, str>,
    action: Cow<'a, str>,
}

#[derive(Serialize)]
struct ReplayDocument<'a> {
    tool: Tool,
    replays: Vec<ReplayEntry<'a>>,
    as_recorded: bool,
}

#[derive(Serialize)]
struct ReplayEntry<'a> {
    file: String,
    model: &'a str,
    variant: &'a str,
    bounds: BTreeMap<&'a str, u64>,
    property: &'a str,
    /// `violated`, `gone`, `misfit`.
    outcome: &'static str,
    conclusion: String,
    notes: Vec<String>,
    counterexample: Option<CounterexampleEntry<'a>>,
}

impl<'a> ReplayEntry<'a> {
    fn of(replay: &'a Replay<'_>) -> Self {
        let outcome = match &replay.result {
            Ok(_) => "violated",
            Err(Misfit::Gone { .. }) => "gone",
            Err(
                Misfit::Step { .. }
                | Misfit::Open { .. }
                | Misfit::OtherKind { .. }
                | Misfit::Earlier { .. }
                | Misfit::Model(_),
            ) => "misfit",
        };
        let replayed = replay.result.as_ref().ok();
        Self {
            file: replay.path.display().to_string(),
            model: replay.variant.model(),
            variant: replay.variant.name(),
            bounds: replay.bounds.iter().collect(),
            property: replay.property.id,
            outcome,
            conclusion: replay.conclusion(),
            notes: replay.notes(),
            counterexample: replayed.map(|replayed| CounterexampleEntry::of(&replayed.counterexample)),
        }
    }
}

impl<'a> RunEntry<'a> {
    fn of(run: &'a Run) -> Self {
        let report = &run.report;
        Self {
            model: run.model,
            variant: run.variant,
            bounds: run.bounds.iter().collect(),
            deep: run.is_deep,
            verdict: report.verdict().as_str(),
            expected: run.expected_verdict().as_str(),
            as_expected: run.is_as_expected(),
            states: States {
                distinct: report.distinct,
                generated: report.generated,
                depth: report.depth,
                audited: report.audited,
            },
            storage: StorageEntry::of(report),
            reduction: report.reduction.map(|reduction| reduction.to_string()),
            coverage: CoverageEntry::of(&report.coverage),
            fairness: report.fairness.iter().map(FairEntry::of).collect(),
            seconds: report.elapsed.as_secs_f64(),
            stopped_by: report.stopped_by.map(|limit| limit.to_string()),
            properties: run.evaluated().map(PropertyEntry::of).collect(),
        }
    }
}

impl StorageEntry {
    fn of(report: &Report) -> Self {
        match report.storage {
            Storage::Exact => StorageEntry::Exact,
            Storage::Fingerprint { bits } => {
                StorageEntry::Fingerprint { bits, omission: report.storage.omission(report.distinct) }
            }
        }
    }
}

impl<'a> FairEntry<'a> {
    fn of(action: &'a FairAction) -> Self {
        let FairAction { name, strength, is_enabled } = action;
        Self { name, strength: fairness::adjective(*strength), enabled: *is_enabled }
    }
}

impl<'a> CoverageEntry<'a> {
    fn of(coverage: &'a Coverage) -> Self {
        let kinds = coverage.kinds.iter().map(|(name, steps)| CountEntry { name, steps: *steps });
        let marks = coverage.marks.iter().map(|(name, steps)| CountEntry { name, steps: *steps });
        Self { kinds: kinds.collect(), marks: marks.collect() }
    }
}

impl<'a> PropertyEntry<'a> {
    fn of(property: Evaluated<'a>) -> Self {
        let Evaluated { found, expected } = property;
        Self {
            id: found.id,
            name: found.name,
            kind: found.kind.as_str(),
            verdict: found.verdict.as_str(),
            expected: expected.as_str(),
            undecided: found.undecided.map(|reason| reason.to_string()),
            counterexample: found.counterexample.as_ref().map(CounterexampleEntry::of),
            shortest: found.counterexample.as_ref().map(|_| found.is_shortest),
        }
    }
}

impl<'a> CounterexampleEntry<'a> {
    pub(super) fn of(counterexample: &'a Counterexample) -> Self {
        let lane = |lane: Lane| Cow::from(&counterexample.lanes[lane]);
        let arrow = |arrow: &'a Arrow| ArrowEntry {
            actor: lane(arrow.from),
            to: lane(arrow.to),
            action: Cow::from(&arrow.text),
        };
        let step = |step: &'a Step| StepEntry {
            actor: lane(step.told.cause.from),
            to: lane(step.told.cause.to),
            action: Cow::from(&step.told.cause.text),
            debug: Cow::from(&step.action),
            then: step.told.then.iter().map(arrow).collect(),
            state_change: Cow::from(&step.told.change),
        };
        Self {
            length: counterexample.steps.len(),
            opening: Cow::from(&counterexample.opening),
            steps: counterexample.steps.iter().map(step).collect(),
            lasso_start: counterexample.lasso_start,
            explanation: Cow::from(&counterexample.explanation),
        }
    }

    /// What was written. Its lanes are the participants that do something, in the order in which they come.
    pub(super) fn into_counterexample(self) -> Counterexample {
        let mut lanes: Vec<String> = Vec::new();
        let mut arrow = |ArrowEntry { actor, to, action }: ArrowEntry<'_>| {
            let [from, to] = [actor, to].map(|name| {
                lanes.iter().position(|lane| *lane == name).unwrap_or_else(|| {
                    lanes.push(name.into_owned());
                    lanes.len() - 1
                })
            });
            Arrow { from, to, text: action.into_owned() }
        };
        let step = |StepEntry { actor, to, action, debug, then, state_change }: StepEntry<'_>| {
            let cause = arrow(ArrowEntry { actor, to, action });
            let then = then.into_iter().map(&mut arrow).collect();
            Step { action: debug.into_owned(), told: Told { cause, then, change: state_change.into_owned() } }
        };
        let steps = self.steps.into_iter().map(step).collect();
        Counterexample {
            lanes,
            opening: self.opening.into_owned(),
            steps,
            lasso_start: self.lasso_start,
            explanation: self.explanation.into_owned(),
        }
    }
}
