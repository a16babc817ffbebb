//! The search for a run that explains a tree.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicBool, Ordering};

use downbeat_trace::Kind;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::log::{TaskIndex, Tree};
use crate::observed::{Change, observed};
use crate::system::System;
use crate::unobserved::unobserved;
use crate::{Bound, Explained, Order, Prefix, Settings, Step, Verdict};

/// How many situations of the path are kept beside one that lies so far back, at most: of those that lie between 2^k and 2^(k+1)
/// times this many steps back, every 2^k-th.
const KEPT: usize = 4;

/// What may come next in a situation.
struct Alternative<'t> {
    change: Change<'t>,
    step: Step,
    /// Of which task an event of the trace comes, if one does.
    task: Option<TaskIndex>,
}

/// A situation on the path from the beginning. It is kept as a whole, or made again from the last one below that is.
struct Frame<'t> {
    change: Change<'t>,
    system: Option<System>,
    /// About how many bytes that takes.
    size: usize,
    /// What was not tried yet, the first last.
    untried: Vec<Alternative<'t>>,
    task: Option<TaskIndex>,
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

/// About what the words of a step take, and the change of an alternative, beside what their types do.
const STEP_BYTES: usize = 40;
const ALTERNATIVE_BYTES: usize = 100;

/// No step before.
const BEGINNING: usize = usize::MAX;

pub(crate) fn explain(tree: &Tree, settings: Settings, interrupted: &AtomicBool) -> Explained {
    let root = tree.tasks.get(tree.root()).cloned().unwrap_or_default();
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
    let mut search = Search::new(tree, settings, interrupted);
    explained.verdict = search.run();
    explained.situations = search.seen.len();
    explained
}

struct Search<'t> {
    tree: &'t Tree,
    settings: Settings,
    interrupted: &'t AtomicBool,
    /// The path to where the search is.
    frames: Vec<Frame<'t>>,
    /// How many events of each task are explained there, and of all.
    taken: Vec<usize>,
    count: usize,
    /// About how many bytes the situations of the path take, and what was not tried.
    bytes: usize,
    runs: Vec<Run>,
    /// Situations that were come to, by two hashes that share nothing, and the fewest steps since the last event.
    seen: HashMap<(u64, u64), usize, FixedState>,
    best: Option<Best>,
    was_cut: bool,
    was_limited: bool,
}

/// Where most events are explained so far.
struct Best {
    system: System,
    taken: Vec<usize>,
    count: usize,
    run: usize,
}

impl<'t> Search<'t> {
    fn new(tree: &'t Tree, settings: Settings, interrupted: &'t AtomicBool) -> Self {
        Self {
            tree,
            settings,
            interrupted,
            frames: Vec::new(),
            taken: vec![0; tree.of_task.len()],
            count: 0,
            bytes: 0,
            runs: Vec::new(),
            seen: HashMap::default(),
            best: None,
            was_cut: false,
            was_limited: false,
        }
    }

    fn run(&mut self) -> Verdict {
        let (system, run) = self.beginning();
        let config = &self.settings.config;
        let is_too_deep = config.depth_max == u8::MAX && self.tree.depth() > config.depth_max.into();
        let has_many = self.tree.entries.len() > self.settings.events_max;
        if has_many || is_too_deep {
            self.best = Some(Best { system, taken: self.taken.clone(), count: 0, run });
            let bound = if has_many { Bound::Events } else { Bound::Kernel };
            return Verdict::Undecided(bound, self.prefix());
        }
        if self.is_explained(&system) {
            return Verdict::Explained(self.steps(run));
        }
        self.push(Box::new(|_| true), system, None, 0, run);
        while let Some(top) = self.frames.last_mut() {
            let Some(next) = top.untried.pop() else {
                self.leave();
                continue;
            };
            self.bytes -= size_of::<Alternative<'_>>() + ALTERNATIVE_BYTES;
            let (unobserved, before) = (top.unobserved, top.run);
            let mut system = self.system();
            let may_be = (next.change)(&mut system);
            self.was_limited |= std::mem::take(&mut system.was_limited);
            if !may_be {
                continue;
            }
            let unobserved = if next.task.is_some() { 0 } else { unobserved + 1 };
            self.taken(next.task);
            if !self.is_new(&system, unobserved) {
                self.untaken(next.task);
                continue;
            }
            let run = self.note(next.step, before);
            if self.is_explained(&system) {
                return Verdict::Explained(self.steps(run));
            }
            self.push(next.change, system, next.task, unobserved, run);
            if let Some(bound) = self.bound() {
                return Verdict::Undecided(bound, self.prefix());
            }
        }
        if self.was_cut {
            return Verdict::Undecided(Bound::Unobserved, self.prefix());
        }
        if self.was_limited {
            return Verdict::Undecided(Bound::Kernel, self.prefix());
        }
        Verdict::Rejected(self.prefix())
    }

    /// Where nothing has happened yet; where no beginning is in the trace, the root has begun.
    fn beginning(&mut self) -> (System, usize) {
        let mut system = System::new(self.settings.config, self.tree.tasks.len());
        let mut run = BEGINNING;
        if !self.tree.said.has(Kind::TaskStarted) {
            for root in (0..self.tree.tasks.len()).filter(|task| self.tree.parents[*task].is_none()) {
                let _ = system.submit(root, self.tree.said);
                run = self.note(Step::Unobserved(format!("{} begins", self.tree.tasks[root])), run);
            }
        }
        (system, run)
    }

    /// The bound that is reached, if one is.
    fn bound(&self) -> Option<Bound> {
        let of_each = size_of::<((u64, u64), usize)>() + size_of::<Run>() + STEP_BYTES;
        if self.interrupted.load(Ordering::Relaxed) {
            Some(Bound::Interrupted)
        } else if self.seen.len() > self.settings.situations_max {
            Some(Bound::Situations)
        } else if self.bytes + self.seen.len() * of_each > self.settings.bytes_max {
            Some(Bound::Bytes)
        } else {
            None
        }
    }

    fn taken(&mut self, task: Option<TaskIndex>) {
        if let Some(task) = task {
            self.taken[task] += 1;
            self.count += 1;
        }
    }

    fn untaken(&mut self, task: Option<TaskIndex>) {
        if let Some(task) = task {
            self.taken[task] -= 1;
            self.count -= 1;
        }
    }

    fn push(
        &mut self,
        change: Change<'t>,
        system: System,
        task: Option<TaskIndex>,
        unobserved: usize,
        run: usize,
    ) {
        if self.best.as_ref().is_none_or(|best| self.count > best.count) {
            let (taken, count) = (self.taken.clone(), self.count);
            self.best = Some(Best { system: system.clone(), taken, count, run });
        }
        // What is looked at first is put last.
        let mut untried = self.unobserved(&system, unobserved);
        untried.extend(self.observed(&system));
        let size = system.size();
        self.bytes += size + untried.len() * (size_of::<Alternative<'_>>() + ALTERNATIVE_BYTES);
        self.frames.push(Frame { change, system: Some(system), size, untried, task, unobserved, run });
        let top = self.frames.len() - 1;
        let mut back = KEPT;
        for power in 0.. {
            let Some(at) = top.checked_sub(back).filter(|at| *at > 0) else { break };
            if at.trailing_zeros() == power {
                self.forget(at);
            }
            back *= 2;
        }
    }

    fn leave(&mut self) {
        self.forget(self.frames.len() - 1);
        if let Some(frame) = self.frames.pop() {
            self.untaken(frame.task);
        }
    }

    fn forget(&mut self, at: usize) {
        let frame = &mut self.frames[at];
        if frame.system.take().is_some() {
            self.bytes -= frame.size;
        }
    }

    /// The situation that the search is in. If it was not kept, it is made from the last one that was, and so are those between them
    /// that are worth to be kept from here.
    fn system(&mut self) -> System {
        let top = self.frames.len() - 1;
        let Some(kept) = (0..=top).rev().find(|at| self.frames[*at].system.is_some()) else {
            unreachable!("the beginning is kept as long as the search runs")
        };
        let mut system = self.frames[kept].system.clone().expect("it is kept");
        for at in kept + 1..=top {
            let frame = &mut self.frames[at];
            (frame.change)(&mut system);
            system.was_limited = false;
            if top - at < KEPT << at.trailing_zeros() {
                frame.system = Some(system.clone());
                self.bytes += frame.size;
            }
        }
        system
    }

    fn is_explained(&self, system: &System) -> bool {
        self.count == self.tree.entries.len() && (!self.settings.is_whole || !system.owes())
    }

    fn observed(&self, system: &System) -> Vec<Alternative<'t>> {
        let tree = self.tree;
        let mut next = Vec::new();
        for at in self.heads(&self.taken).into_iter().rev() {
            let entry = &tree.entries[at];
            for change in observed(system, entry, tree).into_iter().rev() {
                next.push(Alternative { change, step: Step::Observed(entry.place), task: Some(entry.task) });
            }
        }
        next
    }

    fn unobserved(&mut self, system: &System, since: usize) -> Vec<Alternative<'t>> {
        let found = unobserved(system, self.tree);
        if since == self.settings.unobserved_max {
            self.was_cut |= found.iter().any(|(_, change)| change(&mut system.clone()));
            return Vec::new();
        }
        let of = |(words, change)| Alternative { change, step: Step::Unobserved(words), task: None };
        found.into_iter().rev().map(of).collect()
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

    fn is_new(&mut self, system: &System, unobserved: usize) -> bool {
        let key = |seed| FixedState::with_seed(seed).hash_one(Keyed(system, &self.taken));
        let key = (key(0), key(1));
        match self.seen.get_mut(&key) {
            Some(fewest) if *fewest <= unobserved => false,
            Some(fewest) => {
                *fewest = unobserved;
                true
            }
            None => {
                self.seen.insert(key, unobserved);
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
        let Some(best) = &self.best else {
            return Prefix { steps: Vec::new(), explained: 0, next: Vec::new(), stand: Vec::new() };
        };
        let heads = self.heads(&best.taken);
        Prefix {
            steps: self.steps(best.run),
            explained: best.count,
            next: heads.iter().map(|at| self.tree.entries[*at].place).collect(),
            stand: self.stand(&best.system),
        }
    }

    /// Where each live task stands, in the words of the kernel.
    fn stand(&self, system: &System) -> Vec<String> {
        let of = |(task, name): (usize, &String)| {
            let id = system.task(task)?;
            let state =
                system.kernel.task(id).map_or_else(|| "Ended".to_owned(), |task| format!("{:?}", task.state));
            Some(format!("{name}: {state}"))
        };
        self.tree.tasks.iter().enumerate().filter_map(of).collect()
    }
}

#[derive(Hash)]
struct Keyed<'s>(&'s System, &'s [usize]);
