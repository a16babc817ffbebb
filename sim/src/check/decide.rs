//! From a search to a report: every property is decided, or said to be undecided.

use std::ops::ControlFlow;

use super::encoding::{Encoding, Visited};
use super::explore::{Plan, Search};
use super::patience::Patience;
use super::walk::{self, Ranks, Walk};
use super::{CheckError, Limit, Phase, Progress, Reduction, audit, liveness, replay};
use crate::model::{Model, Property, Strength};
use crate::report::{FairAction, Kind, PropertyReport, Report, Undecided, Verdict};

/// Searches, and decides every property.
pub(super) fn decide<M: Model, E: Encoding<M>>(
    plan: &Plan<'_, M>,
    properties: &[Property<M>],
    progress: &mut dyn FnMut(&Progress),
) -> Result<Report, CheckError> {
    audit::first_states::<M, E>(plan)?;
    let mut search = Search::<M, E>::begin(plan, progress)?;
    // Those that a checkpoint has as expanded were audited before it was written.
    let audited_before = if search.levels.is_empty() {
        0
    } else {
        let begin = search.progress();
        plan.audit.due_among(begin.states - begin.frontier)
    };
    let mut stopped_by = search.run(progress)?;
    let saw_all_states = stopped_by.is_none();

    let mut walked = None;
    let undecided = why_undecided(&search);
    let asks_for_liveness = properties.iter().any(|property| liveness::is_liveness(&property.check));
    if saw_all_states && undecided.is_none() && asks_for_liveness {
        match walk::walk(&search, properties, &plan.model.fairness(), progress)? {
            ControlFlow::Continue(walk) => walked = Some(walk),
            ControlFlow::Break(limit) => {
                // All states are there: who goes on begins with liveness.
                search.save()?;
                stopped_by = Some(limit);
            }
        }
    }
    let fairness = if asks_for_liveness { fair_actions(plan.model, walked.as_ref()) } else { Vec::new() };
    let mut entries = Vec::with_capacity(properties.len());
    for (index, property) in properties.iter().enumerate() {
        let mut entry = PropertyReport {
            id: property.id,
            name: property.name,
            kind: Kind::from(&property.check),
            verdict: Verdict::Incomplete,
            undecided: None,
            counterexample: None,
            is_shortest: false,
        };
        if !liveness::is_liveness(&property.check) {
            decide_safety(&search, index, property, saw_all_states, &mut entry)?;
        } else if let Some(walk) = &walked {
            let decided = entries.iter().filter(|entry: &&PropertyReport| entry.kind.is_liveness()).count();
            progress(&Progress { phase: Phase::Deciding(decided), ..search.progress() });
            if let ControlFlow::Break(limit) = decide_liveness(&search, walk, index, property, &mut entry)? {
                // What was decided before stays. Who goes on begins with liveness.
                search.save()?;
                stopped_by = Some(limit);
                walked = None;
            }
        } else {
            entry.undecided = undecided.filter(|_| saw_all_states);
        }
        entries.push(entry);
    }
    Ok(Report {
        properties: entries,
        distinct: search.len(),
        generated: search.totals.generated,
        depth: search.depth(),
        audited: audited_before + plan.audit.audited(),
        coverage: search.coverage(),
        fairness,
        storage: plan.kept.storage(),
        reduction: plan.reduced.kind(),
        elapsed: plan.begin.elapsed(),
        stopped_by,
    })
}

/// Decides a property of states or steps by what the search found.
fn decide_safety<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    index: usize,
    property: &Property<M>,
    saw_all_states: bool,
    entry: &mut PropertyReport,
) -> Result<(), CheckError> {
    let finding = search.findings.of(index);
    entry.verdict = finding.verdict(&property.check, saw_all_states);
    if let Some(witness) = finding.witness.filter(|_| entry.verdict == Verdict::Violated) {
        entry.counterexample = Some(replay::finite(search, property, witness)?);
        // Without the steps that are left out there may be only a longer way.
        entry.is_shortest = search.plan.reduced.kind() != Some(Reduction::PartialOrder);
    }
    Ok(())
}

/// Decides a property of liveness on the complete graph, or returns the limit that was reached before.
fn decide_liveness<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    walk: &Walk,
    index: usize,
    property: &Property<M>,
    entry: &mut PropertyReport,
) -> Result<ControlFlow<Limit>, CheckError> {
    let Some(obligation) = &walk.obligations[index] else { return Ok(ControlFlow::Continue(())) };
    let strengths: Vec<Strength> =
        search.plan.model.fairness().iter().map(|fairness| fairness.strength).collect();
    let states = liveness::BYTES_A_STATE * search.len() as u64;
    let reached = |bytes| walk.exceeded(search, states + bytes);
    let patience = Patience::until(&reached);
    entry.verdict = match liveness::decide(&walk.graph, &strengths, &search.levels, obligation, &patience) {
        Err(limit) => return Ok(ControlFlow::Break(limit)),
        Ok(liveness::Outcome::Holds) => Verdict::Holds,
        Ok(liveness::Outcome::Vacuous) => Verdict::Vacuous,
        Ok(liveness::Outcome::Violated(lasso)) => {
            entry.is_shortest = lasso.is_shortest;
            entry.counterexample = Some(replay::lasso(search, &walk.ranks, property, &lasso)?);
            Verdict::Violated
        }
    };
    Ok(ControlFlow::Continue(()))
}

/// Why a search that sees all states does not decide liveness all the same.
fn why_undecided<M: Model, E: Encoding<M>>(search: &Search<'_, M, E>) -> Option<Undecided> {
    match search.plan.reduced.kind() {
        Some(Reduction::Symmetry) => Some(Undecided::LivenessUnderSymmetry),
        Some(Reduction::PartialOrder) => Some(Undecided::LivenessUnderPartialOrder),
        None if search.is_spilled() => Some(Undecided::LivenessWhenSpilled),
        None => {
            let places = search.visited.iter().map(Visited::places).sum();
            (!Ranks::suffice(places)).then_some(Undecided::LivenessOfTooManyStates)
        }
    }
}

/// The fair actions of a model, with what the walk knows of them.
fn fair_actions<M: Model>(model: &M, walk: Option<&Walk>) -> Vec<FairAction> {
    let action =
        |(index, fairness)| FairAction::of(fairness, walk.map(|walk| walk.graph.ever_enabled(index)));
    model.fairness().into_iter().enumerate().map(action).collect()
}
