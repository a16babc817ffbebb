//! A textbook search, level by level, that takes fewer steps where it may.

use std::collections::{HashMap, HashSet};

use downbeat_sim::model::{Check, Model};
use downbeat_sim::reduction::{Processes, is_kept};
use downbeat_sim::report::Verdict;

/// How far the search trusts a set of steps that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cycles {
    /// All of its steps must lead to levels that are deeper than the present one.
    Proviso,
    /// It may go round in a cycle without the others.
    Ignored,
}

pub(crate) struct Search<M: Model> {
    pub(crate) levels: HashMap<M::State, usize>,
    pub(crate) deadlocks: HashSet<M::State>,
    /// In the order in which the properties were asked for.
    pub(crate) verdicts: Vec<Verdict>,
}

/// What is known of one property.
#[derive(Clone, Copy, Default)]
struct Finding {
    violated: bool,
    reached: bool,
}

/// All states without `processes`, fewer with them; judges the properties with these ids, which must be kept.
pub(crate) fn search<M: Model>(
    model: &M,
    processes: Option<&Processes<M>>,
    only: &[&str],
    cycles: Cycles,
) -> Search<M> {
    let asked = |id: &&str| model.properties().into_iter().find(|property| property.id == *id);
    let properties: Vec<_> = only.iter().map(|id| asked(id).expect("the model has the property")).collect();
    assert!(properties.iter().all(|property| is_kept(&property.check)));
    let visible = processes.map(|processes| processes.visible(&properties));
    let mut findings = vec![Finding::default(); properties.len()];
    let mut frontier = model.initial();
    let mut levels: HashMap<M::State, usize> = frontier.iter().map(|state| (state.clone(), 0)).collect();
    let mut deadlocks = HashSet::new();
    let mut level = 0;
    while !frontier.is_empty() {
        let mut found = Vec::new();
        for state in frontier {
            let mut actions = Vec::new();
            model.actions(&state, &mut actions);
            let steps_of = |positions: &[usize]| -> Vec<(M::Action, M::State)> {
                let actions = positions.iter().map(|position| actions[*position].clone());
                actions.filter_map(|action| Some((action.clone(), model.next(&state, &action)?))).collect()
            };
            let is_deeper = |next: &M::State| levels.get(next).is_none_or(|known| *known > level);
            let may = |steps: &Vec<(M::Action, M::State)>| match cycles {
                Cycles::Proviso => !steps.is_empty() && steps.iter().all(|(_, next)| is_deeper(next)),
                Cycles::Ignored => steps.iter().any(|(_, next)| *next != state),
            };
            let chosen = processes.zip(visible).and_then(|(processes, visible)| {
                let sets = processes.choose(model, &state, &actions, visible);
                sets.map(|set| steps_of(&set)).find(may)
            });
            let all: Vec<usize> = (0..actions.len()).collect();
            let steps = chosen.unwrap_or_else(|| steps_of(&all));
            if steps.iter().all(|(_, next)| *next == state) {
                deadlocks.insert(state.clone());
            }
            for (property, finding) in properties.iter().zip(&mut findings) {
                match property.check {
                    Check::Always { holds, reachable } => {
                        finding.violated |= !holds(model, &state);
                        finding.reached |= reachable(model, &state);
                    }
                    Check::Sometimes(holds) => finding.reached |= holds(model, &state),
                    Check::AlwaysStep { holds, reachable } => {
                        for (action, next) in &steps {
                            finding.violated |= !holds(model, &state, action, next);
                            finding.reached |= reachable(model, &state, action, next);
                        }
                    }
                    Check::NoDeadlock => {
                        finding.violated |= deadlocks.contains(&state) && !model.is_final(&state);
                    }
                    Check::LeadsTo { .. } | Check::Eventually(_) => {}
                }
            }
            for (_, next) in steps {
                if !levels.contains_key(&next) {
                    levels.insert(next.clone(), level + 1);
                    found.push(next);
                }
            }
        }
        frontier = found;
        level += 1;
    }
    let judged = properties.iter().zip(findings);
    let verdicts = judged.map(|(property, finding)| verdict(&property.check, finding)).collect();
    Search { levels, deadlocks, verdicts }
}

fn verdict<M: Model>(check: &Check<M>, Finding { violated, reached }: Finding) -> Verdict {
    match (check, violated, reached) {
        (Check::Sometimes(_), _, false) => Verdict::Violated,
        (Check::Sometimes(_), _, true) => Verdict::Holds,
        (Check::Always { .. } | Check::AlwaysStep { .. }, false, false) => Verdict::Vacuous,
        (_, true, _) => Verdict::Violated,
        (_, false, _) => Verdict::Holds,
    }
}
