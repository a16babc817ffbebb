//! The report for machines, as `docs/report.schema.json` describes it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::run::{Evaluated, Run};
use crate::model::Arrow;
use crate::report::{Counterexample, Step};

/// All runs of a command as one document. Ends with a line break.
pub(super) fn document(runs: &[Run]) -> String {
    let document = Document {
        tool: Tool { name: "downbeat", version: env!("CARGO_PKG_VERSION") },
        runs: runs.iter().map(RunEntry::of).collect(),
        as_expected: runs.iter().all(Run::is_as_expected),
    };
    pretty(&document)
}

/// One counterexample. Ends with a line break.
pub(super) fn counterexample(counterexample: &Counterexample) -> String {
    pretty(&CounterexampleEntry::of(counterexample))
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("strings, numbers and lists always have a form in JSON") + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    tool: Tool,
    runs: Vec<RunEntry<'a>>,
    as_expected: bool,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct RunEntry<'a> {
    model: &'a str,
    variant: &'a str,
    bounds: BTreeMap<&'a str, u64>,
    verdict: &'static str,
    expected: &'static str,
    as_expected: bool,
    states: States,
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
}

#[derive(Serialize)]
struct PropertyEntry<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    verdict: &'static str,
    expected: &'static str,
    counterexample: Option<CounterexampleEntry<'a>>,
}

#[derive(Serialize)]
struct CounterexampleEntry<'a> {
    length: usize,
    opening: &'a str,
    steps: Vec<StepEntry<'a>>,
    lasso_start: Option<usize>,
    explanation: &'a str,
}

#[derive(Serialize)]
struct StepEntry<'a> {
    actor: &'a str,
    to: &'a str,
    /// In words.
    action: &'a str,
    /// What followed in the same atomic step.
    then: Vec<ArrowEntry<'a>>,
    state_change: &'a str,
}

#[derive(Serialize)]
struct ArrowEntry<'a> {
    actor: &'a str,
    to: &'a str,
    action: &'a str,
}

impl<'a> RunEntry<'a> {
    fn of(run: &'a Run) -> Self {
        let report = &run.report;
        Self {
            model: run.model,
            variant: run.variant,
            bounds: run.bounds.iter().collect(),
            verdict: report.verdict().as_str(),
            expected: run.expected_verdict().as_str(),
            as_expected: run.is_as_expected(),
            states: States { distinct: report.distinct, generated: report.generated, depth: report.depth },
            seconds: report.elapsed.as_secs_f64(),
            stopped_by: report.stopped_by.map(|limit| limit.to_string()),
            properties: run.evaluated().map(PropertyEntry::of).collect(),
        }
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
            counterexample: found.counterexample.as_ref().map(CounterexampleEntry::of),
        }
    }
}

impl<'a> CounterexampleEntry<'a> {
    fn of(counterexample: &'a Counterexample) -> Self {
        let lane = |lane: usize| counterexample.lanes[lane].as_str();
        let arrow = |arrow: &'a Arrow| ArrowEntry {
            actor: lane(arrow.from),
            to: lane(arrow.to),
            action: &arrow.text,
        };
        let step = |step: &'a Step| StepEntry {
            actor: lane(step.told.cause.from),
            to: lane(step.told.cause.to),
            action: &step.told.cause.text,
            then: step.told.then.iter().map(arrow).collect(),
            state_change: &step.told.change,
        };
        Self {
            length: counterexample.steps.len(),
            opening: &counterexample.opening,
            steps: counterexample.steps.iter().map(step).collect(),
            lasso_start: counterexample.lasso_start,
            explanation: &counterexample.explanation,
        }
    }
}
