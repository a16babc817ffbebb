//! The search for a run that explains a tree.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::log::Tree;
use crate::moves::{observed, unobserved};
use crate::system::System;
use crate::{Bound, Explained, Order, Prefix, Settings, Step, Verdict};

/// A situation and how far the trace is explained in it.
struct Situation {
    system: System,
    /// How many events of each task are explained.
    taken: Vec<usize>,
    count: usize,
    /// Steps since the last event of the trace.
    unobserved: usize,
    /// How it was come to.
    run: usize,
}

/// A step, and the one before it.
struct Run {
    step: Step,
    before: usize,
}

/// No step before.
const BEGINNING: usize = usize::MAX;

pub(crate) fn explain(tree: &Tree, settings: Settings) -> Explained {
    let root = tree.tasks.first().cloned().unwrap_or_default();
    let mut explained = Explained {
        root,
        tasks: tree.tasks.len(),
        events: tree.entries.len(),
        verdict: Verdict::Explained(Vec::new()),
        situations: 0,
    };
    if let Some(task) = tree.unbegun {
        explained.verdict = Verdict::NoBeginning(tree.tasks[task].clone());
        return explained;
    }
    let mut search = Search::new(tree, settings);
    explained.verdict = search.run();
    explained.situations = search.seen.len();
    explained
}

struct Search<'t> {
    tree: &'t Tree,
    settings: Settings,
    runs: Vec<Run>,
    /// Situations that were come to, by two hashes that share nothing, and the fewest steps since the last event.
    seen: HashMap<(u64, u64), usize, FixedState>,
    /// The best so far: how many events are explained, and in which situation.
    best: Option<(usize, Situation)>,
    was_cut: bool,
}

impl<'t> Search<'t> {
    fn new(tree: &'t Tree, settings: Settings) -> Self {
        Self { tree, settings, runs: Vec::new(), seen: HashMap::default(), best: None, was_cut: false }
    }

    fn run(&mut self) -> Verdict {
        let beginning = Situation {
            system: System::new(self.settings.config, self.tree.tasks.len()),
            taken: vec![0; self.tree.of_task.len()],
            count: 0,
            unobserved: 0,
            run: BEGINNING,
        };
        if self.tree.entries.len() > self.settings.events_max {
            self.best = Some((0, beginning));
            return Verdict::Undecided(Bound::Events, self.prefix());
        }
        let mut open = vec![beginning];
        while let Some(situation) = open.pop() {
            if self.is_explained(&situation) {
                return Verdict::Explained(self.steps(situation.run));
            }
            if self.seen.len() > self.settings.situations_max {
                return Verdict::Undecided(Bound::Situations, self.prefix());
            }
            // What is looked at first is put last.
            let mut next = self.unobserved(&situation);
            next.extend(self.observed(&situation));
            if self.best.as_ref().is_none_or(|(count, _)| situation.count > *count) {
                self.best = Some((situation.count, situation));
            }
            for situation in next {
                if self.is_new(&situation) {
                    open.push(situation);
                }
            }
        }
        if self.was_cut {
            return Verdict::Undecided(Bound::Unobserved, self.prefix());
        }
        Verdict::Rejected(self.prefix())
    }

    fn is_explained(&self, situation: &Situation) -> bool {
        situation.count == self.tree.entries.len() && (!self.settings.is_whole || !situation.system.owes())
    }

    fn observed(&mut self, situation: &Situation) -> Vec<Situation> {
        let mut next = Vec::new();
        // What is put last is looked at first: the earliest line.
        for at in self.heads(&situation.taken).into_iter().rev() {
            let entry = &self.tree.entries[at];
            let mut systems = observed(&situation.system, entry, self.tree);
            systems.reverse();
            for system in systems {
                let mut taken = situation.taken.clone();
                taken[entry.task] += 1;
                let run = self.note(Step::Observed(entry.place), situation.run);
                next.push(Situation { system, taken, count: situation.count + 1, unobserved: 0, run });
            }
        }
        next
    }

    fn unobserved(&mut self, situation: &Situation) -> Vec<Situation> {
        let mut found = unobserved(&situation.system, self.tree);
        if situation.unobserved == self.settings.unobserved_max {
            self.was_cut |= !found.is_empty();
            return Vec::new();
        }
        found.reverse();
        let mut next = Vec::new();
        for (words, system) in found {
            let run = self.note(Step::Unobserved(words), situation.run);
            next.push(Situation {
                system,
                taken: situation.taken.clone(),
                count: situation.count,
                unobserved: situation.unobserved + 1,
                run,
            });
        }
        next
    }

    /// The events that may come next, in the order of their lines.
    fn heads(&self, taken: &[usize]) -> Vec<usize> {
        let entries = &self.tree.entries;
        let first = |(task, list): (usize, &Vec<usize>)| list.get(taken[task]).copied();
        let mut heads: Vec<_> = self.tree.of_task.iter().enumerate().filter_map(first).collect();
        heads.sort_unstable();
        match self.settings.order {
            Order::Lines => heads.truncate(1),
            Order::Tasks => {}
            Order::Times { apart_ms } => {
                let earliest = heads.iter().filter_map(|at| entries[*at].at_ms).fold(f64::INFINITY, f64::min);
                heads.retain(|at| entries[*at].at_ms.is_none_or(|at_ms| at_ms <= earliest + apart_ms));
            }
        }
        heads
    }

    fn is_new(&mut self, situation: &Situation) -> bool {
        let key = |seed| FixedState::with_seed(seed).hash_one(Keyed(&situation.system, &situation.taken));
        let key = (key(0), key(1));
        match self.seen.get_mut(&key) {
            Some(fewest) if *fewest <= situation.unobserved => false,
            Some(fewest) => {
                *fewest = situation.unobserved;
                true
            }
            None => {
                self.seen.insert(key, situation.unobserved);
                true
            }
        }
    }

    fn note(&mut self, step: Step, before: usize) -> usize {
        self.runs.push(Run { step, before });
        self.runs.len() - 1
    }

    fn steps(&self, mut run: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(at) = self.runs.get(run) {
            steps.push(at.step.clone());
            run = at.before;
        }
        steps.reverse();
        steps
    }

    fn prefix(&self) -> Prefix {
        let Some((explained, situation)) = &self.best else {
            return Prefix { steps: Vec::new(), explained: 0, next: Vec::new(), stand: Vec::new() };
        };
        let heads = self.heads(&situation.taken);
        Prefix {
            steps: self.steps(situation.run),
            explained: *explained,
            next: heads.iter().map(|at| self.tree.entries[*at].place).collect(),
            stand: self.stand(&situation.system),
        }
    }

    /// Where each live task stands, in the words of the kernel.
    fn stand(&self, system: &System) -> Vec<String> {
        let of = |(task, name): (usize, &String)| {
            let id = system.task(task)?;
            let state =
                system.kernel.task(id).map_or_else(|| "gone".to_owned(), |task| format!("{:?}", task.state));
            Some(format!("{name}: {state}"))
        };
        self.tree.tasks.iter().enumerate().filter_map(of).collect()
    }
}

#[derive(Hash)]
struct Keyed<'s>(&'s System, &'s [usize]);
