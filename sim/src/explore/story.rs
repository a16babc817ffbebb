//! An execution as somebody reads it: which task did what, step by step.

use std::collections::BTreeMap;
use std::time::Duration;

use downbeat_rt::{JoinEnd, Passing};

use super::footprint::Object;
use crate::model::{Arrow, Told};
use crate::report::Step;

/// What is told of one execution.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// With the number of the step that each belongs to.
    beats: Vec<(usize, Beat)>,
    names: BTreeMap<Object, &'static str>,
    /// The tasks by number.
    pub(super) lanes: Vec<String>,
}

/// Something that happens. Tasks are given by their number in the execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    GoesOn { task: usize },
    Fires { task: usize, at: Duration },
    Spawns { task: usize },
    Aborts { task: usize },
    Ends { task: usize, end: JoinEnd },
    Passes { object: Object, passing: Passing },
    Arms { until: Duration },
    Chooses { label: &'static str, taken: usize, of: usize },
    Says { words: String },
}

impl Story {
    pub(super) fn tell(&mut self, step: usize, beat: Beat) {
        self.beats.push((step, beat));
    }

    pub(super) fn name(&mut self, object: Object, name: &'static str) {
        self.names.insert(object, name);
    }

    /// The steps, as those of a counterexample.
    pub(super) fn steps(&self) -> Vec<Step> {
        let takers = self.takers();
        let mut passed: BTreeMap<Object, usize> = BTreeMap::new();
        let mut steps = Vec::new();
        for of_step in self.beats.chunk_by(|(one, _), (other, _)| one == other) {
            let Some(actor) = of_step.iter().find_map(|(_, beat)| beat.actor()) else { continue };
            let mut arrows = of_step.iter().filter_map(|(_, beat)| {
                let (to, text) = match beat {
                    Beat::GoesOn { .. } => return None,
                    Beat::Fires { at, .. } => (actor, format!("a timer fires, at {at:?}")),
                    Beat::Spawns { task } => (*task, "spawns".to_owned()),
                    Beat::Aborts { task } => (*task, "aborts".to_owned()),
                    Beat::Ends { task, end } => (*task, ended(*end).to_owned()),
                    Beat::Passes { object, passing: Passing::Out } => {
                        (actor, format!("takes one from `{}`", self.name_of(*object)))
                    }
                    Beat::Passes { object, passing: Passing::In } => {
                        let number = passed.entry(*object).or_default();
                        let taker = takers.get(&(*object, *number)).copied();
                        *number += 1;
                        let name = self.name_of(*object);
                        match taker {
                            Some(taker) => (taker, format!("sends through `{name}`")),
                            None => (actor, format!("puts one into `{name}`, which nobody takes")),
                        }
                    }
                    Beat::Arms { until } => (actor, format!("arms a timer for {until:?}")),
                    Beat::Chooses { label, taken, of } => (actor, format!("{label}: {taken} (of {of})")),
                    Beat::Says { words } => (actor, words.clone()),
                };
                Some(Arrow { from: actor, to, text })
            });
            let nothing = || Arrow { from: actor, to: actor, text: "goes on".to_owned() };
            let cause = arrows.next().unwrap_or_else(nothing);
            let told = Told { cause, then: arrows.collect(), change: String::new() };
            steps.push(Step { action: self.lanes[actor].clone(), told });
        }
        steps
    }

    /// Which task took what was put into a queue as the n-th.
    fn takers(&self) -> BTreeMap<(Object, usize), usize> {
        let mut takers = BTreeMap::new();
        let mut taken: BTreeMap<Object, usize> = BTreeMap::new();
        let mut actor = 0;
        for (_, beat) in &self.beats {
            actor = beat.actor().unwrap_or(actor);
            if let Beat::Passes { object, passing: Passing::Out } = beat {
                let number = taken.entry(*object).or_default();
                takers.insert((*object, *number), actor);
                *number += 1;
            }
        }
        takers
    }

    fn name_of(&self, object: Object) -> &'static str {
        self.names.get(&object).copied().unwrap_or("a queue")
    }
}

impl Beat {
    /// Whose step it begins.
    fn actor(&self) -> Option<usize> {
        match self {
            Self::GoesOn { task } | Self::Fires { task, .. } => Some(*task),
            Self::Spawns { .. }
            | Self::Aborts { .. }
            | Self::Ends { .. }
            | Self::Passes { .. }
            | Self::Arms { .. }
            | Self::Chooses { .. }
            | Self::Says { .. } => None,
        }
    }
}

fn ended(end: JoinEnd) -> &'static str {
    match end {
        JoinEnd::Finished => "ends",
        JoinEnd::Aborted => "is gone",
        JoinEnd::Panicked => "panics",
    }
}
