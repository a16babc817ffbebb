//! Depth-first search of the tree of choices, with or without dynamic partial-order reduction.
//!
//! Each execution repeats the choices of the one before up to the last place where another one is to be tried. Without reduction
//! that is every one. With it, who else is to go on at some place is found out by the races of the executions themselves (source
//! sets, Abdulla et al. 2014): for each race an actor that comes to the other order of it. What was seen from there is put to sleep
//! for the rest of the subtree, until a step conflicts with it.
//!
//! Who could go on and cannot any more takes part in no race of that execution: a timer that was disarmed, or that is due after
//! another one now, and everybody when the program ends. They are tried where they could last.

use super::fault::{self, Fault};
use super::footprint::{Touch, conflict};
use super::names::Actor;
use super::order::{Order, Race};
use super::strategy::Strategy;
use super::trace::Trace;

pub(super) struct Tree {
    nodes: Vec<Node>,
    /// How many of `nodes` are part of the execution; the others are memory that is used again.
    depth: usize,
    /// How many steps of this execution have begun.
    at: usize,
    /// How many choices of the world this step has made.
    asked: usize,
    has_begun: bool,
    /// The first node that is new or was changed since the last execution.
    changed: usize,
    kind: Kind,
    order: Order,
    races: Vec<Race>,
    initials: Vec<Actor>,
    misfit: Option<usize>,
}

/// Which part of the tree is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All of it.
    Plain,
    /// One execution of each class, at least.
    Reduced,
    /// Executions with at most so many choices other than the first.
    Bounded(usize),
}

/// A step of the execution, and what else could be in its place.
#[derive(Default)]
struct Node {
    alternatives: Vec<Alternative>,
    /// The place of the one that goes on.
    taken: usize,
    /// What the world chose within the step.
    within: Vec<Within>,
    /// What all variants of the step that was taken have touched so far.
    touched: Vec<Touch>,
    /// Whether one of these ended everything.
    has_ended: bool,
    sleepers: Vec<Sleeper>,
    /// What the sleepers touched.
    footprints: Vec<Touch>,
    /// The first steps of races of which this is the second, whose actor sleeps there and would do something else.
    other_variants: Vec<usize>,
    /// How many choices before this step were not the first.
    deviations: usize,
}

#[derive(Clone, Copy)]
struct Alternative {
    actor: Actor,
    is_to_try: bool,
    is_done: bool,
}

#[derive(Clone, Copy)]
struct Within {
    taken: usize,
    of: usize,
}

/// An actor of whose step all that follows was seen, and where in the footprints what it touches is.
#[derive(Clone, Copy)]
struct Sleeper {
    actor: Actor,
    begin: usize,
    end: usize,
    /// Whether its step ends everything, so that it has something in common with every other one.
    ends_all: bool,
}

impl Tree {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            nodes: Vec::new(),
            depth: 0,
            at: 0,
            asked: 0,
            has_begun: false,
            changed: 0,
            kind,
            order: Order::default(),
            races: Vec::new(),
            initials: Vec::new(),
            misfit: None,
        }
    }

    /// Takes the execution that has ended into account.
    fn learn(&mut self, trace: &Trace) {
        if self.kind != Kind::Reduced {
            return;
        }
        let mut races = std::mem::take(&mut self.races);
        self.order.of(trace, self.changed, &mut races);
        if fault::has(Fault::ForgetsBlocked) {
            races.retain(|race| race.second.is_some());
        }
        if fault::has(Fault::ForgetsTheEnd) && trace.is_over() {
            races.retain(|race| race.second.is_none_or(|second| second + 1 < trace.steps().len()));
        }
        for race in races.drain(..) {
            self.note_other_variant(trace, race);
            self.reverse(trace, race);
        }
        self.races = races;
        if !fault::has(Fault::ForgetsOtherVariants) {
            (0..trace.steps().len()).for_each(|second| self.reverse_other_variants(trace, second));
        }
    }

    /// Notes a race whose second step would have been another one without the first, and was seen to follow there.
    fn note_other_variant(&mut self, trace: &Trace, race: Race) {
        let Some(second) = race.second else { return };
        let (before, behind) = self.nodes.split_at_mut(second);
        let first = &before[race.first];
        let sleeper = first.sleeper(race.preferred);
        if sleeper.is_some_and(|sleeper| first.footprint(sleeper) != trace.footprint(second)) {
            behind[0].other_variants.push(race.first);
        }
    }

    /// Takes the place of races of an actor that sleeps at the first step of a race, by what it does there.
    ///
    /// What such an actor does there was seen, and is not run again, so that nobody learns by races what conflicts with it. What it
    /// did in this execution, behind the first step, may be less: it found a queue full, say, and waited.
    fn reverse_other_variants(&mut self, trace: &Trace, second: usize) {
        for at in 0..self.nodes[second].other_variants.len() {
            let first = self.nodes[second].other_variants[at];
            let actor = trace.steps()[second].actor;
            let Some(sleeper) = self.nodes[first].sleeper(actor).copied() else { continue };
            for later in self.changed.max(first + 1)..trace.steps().len() {
                if trace.steps()[later].actor == actor || self.order.is_before(first, later) {
                    continue;
                }
                let does_there = self.nodes[first].footprint(&sleeper);
                if sleeper.ends_all || conflict(does_there, trace.footprint(later)) {
                    self.order.ways(trace, first, later, &mut self.initials);
                    self.try_one(first, actor);
                }
            }
        }
    }

    /// Sees to it that the second step of a race is tried without the first.
    fn reverse(&mut self, trace: &Trace, race: Race) {
        self.order.initials(trace, race, &mut self.initials);
        self.try_one(race.first, race.preferred);
    }

    /// Sees to it that one of `initials` is tried at a node.
    fn try_one(&mut self, at: usize, preferred: Actor) {
        let node = &mut self.nodes[at];
        let place = |actor: &Actor| node.alternatives.iter().position(|other| other.actor == *actor);
        let covered = |actor: &Actor| {
            node.is_asleep(*actor) || place(actor).is_some_and(|place| node.alternatives[place].is_to_try)
        };
        if self.initials.iter().any(covered) {
            return;
        }
        let preferred = self.initials.iter().find(|actor| **actor == preferred);
        if fault::has(Fault::ForgetsIndirect) && preferred.is_none() {
            return;
        }
        // A timer that was blocked behind steps that all need the first one has nobody to go first.
        let Some(chosen) = preferred.or(self.initials.first()) else { return };
        // All that lets an actor go on is before its step: an initial one could go on.
        let place = place(chosen).expect("an actor that waits for none of the others could go on");
        node.alternatives[place].is_to_try = true;
    }

    /// Begins a node behind the last one.
    fn grow(&mut self, alternatives: &[Actor], trace: &Trace) -> Option<usize> {
        let at = self.at;
        if self.nodes.len() == at {
            self.nodes.push(Node::default());
        }
        let (before, here) = self.nodes.split_at_mut(at);
        let node = &mut here[0];
        let tries_all = self.kind != Kind::Reduced;
        let fresh = |actor: &Actor| Alternative { actor: *actor, is_to_try: tries_all, is_done: false };
        node.alternatives.clear();
        node.alternatives.extend(alternatives.iter().map(fresh));
        node.within.clear();
        node.touched.clear();
        node.has_ended = false;
        node.sleepers.clear();
        node.footprints.clear();
        node.other_variants.clear();
        node.deviations = 0;
        self.depth = at;
        if let Some(previous) = before.last_mut() {
            node.deviations = previous.deviations_after();
            if self.kind == Kind::Reduced {
                let footprint = trace.footprint(at - 1);
                let actor = previous.alternatives[previous.taken].actor;
                let footprint = if fault::has(Fault::NeverWakesSleepers) { &[] } else { footprint };
                node.inherit(previous, actor, footprint);
                if !fault::has(Fault::ForgetsWhatIsGone) {
                    previous.try_what_is_gone(&node.alternatives);
                }
            }
        }
        let taken = node.begin()?;
        self.depth = at + 1;
        Some(taken)
    }

    /// Moves on to the next execution; false if all were seen.
    fn backtrack(&mut self, trace: &Trace) -> bool {
        while let Some(last) = self.depth.checked_sub(1) {
            if fault::has(Fault::DecidesOnce) {
                self.nodes[last].within.clear();
            }
            let ends_all = trace.is_over() && last + 1 == trace.steps().len();
            let node = &mut self.nodes[last];
            if !fault::has(Fault::ForgetsVariants) || node.within.is_empty() {
                node.touched.extend_from_slice(trace.footprint(last));
                node.has_ended |= ends_all && !fault::has(Fault::EndsInItsSleep);
            }
            if node.next_within(self.kind) {
                self.changed = last;
                return true;
            }
            if self.kind == Kind::Reduced {
                node.put_to_sleep();
            }
            if node.next_actor(self.kind) {
                self.changed = last;
                return true;
            }
            self.depth = last;
        }
        false
    }

    /// The execution that is repeated is another one from here on.
    fn stray(&mut self) {
        self.misfit.get_or_insert(self.at);
    }
}

impl Strategy for Tree {
    fn next(&mut self, trace: &Trace) -> Option<usize> {
        if self.has_begun {
            self.learn(trace);
            if !self.backtrack(trace) {
                return None;
            }
        }
        let one_too_many = self.has_begun && fault::has(Fault::RepeatsOneTooMany);
        self.has_begun = true;
        (self.at, self.asked) = (0, 0);
        Some(self.changed + usize::from(one_too_many))
    }

    fn go_on(&mut self, alternatives: &[Actor], trace: &Trace) -> Option<usize> {
        let taken = if self.at < self.depth {
            let node = &self.nodes[self.at];
            let same = node.alternatives.iter().map(|alternative| &alternative.actor).eq(alternatives);
            if !same || self.at == self.changed && !trace.has_armed_as_before() {
                self.stray();
                return None;
            }
            node.taken
        } else {
            self.grow(alternatives, trace)?
        };
        self.at += 1;
        self.asked = 0;
        Some(taken)
    }

    fn choose(&mut self, of: usize, _label: &'static str) -> usize {
        let node = &mut self.nodes[self.at - 1];
        let taken = match node.within.get(self.asked) {
            Some(within) if within.of == of => within.taken,
            Some(_) => {
                self.stray();
                0
            }
            None => {
                node.within.push(Within { taken: 0, of });
                0
            }
        };
        self.asked += 1;
        taken
    }

    fn misfit(&self) -> Option<usize> {
        self.misfit
    }
}

impl Node {
    /// Takes the first alternative that does not sleep.
    fn begin(&mut self) -> Option<usize> {
        let awake = |alternative: &Alternative| !self.is_asleep(alternative.actor);
        self.taken = self.alternatives.iter().position(awake)?;
        self.alternatives[self.taken].is_to_try = true;
        Some(self.taken)
    }

    fn is_asleep(&self, actor: Actor) -> bool {
        self.sleeper(actor).is_some()
    }

    fn sleeper(&self, actor: Actor) -> Option<&Sleeper> {
        self.sleepers.iter().find(|sleeper| sleeper.actor == actor)
    }

    /// Takes over the sleepers of the node before that the step from there does not wake.
    fn inherit(&mut self, previous: &Node, actor: Actor, step: &[Touch]) {
        for sleeper in &previous.sleepers {
            let footprint = previous.footprint(sleeper);
            if sleeper.actor != actor && !sleeper.ends_all && !conflict(footprint, step) {
                self.add_sleeper(sleeper.actor, footprint, false);
            }
        }
    }

    fn footprint(&self, sleeper: &Sleeper) -> &[Touch] {
        &self.footprints[sleeper.begin..sleeper.end]
    }

    fn add_sleeper(&mut self, actor: Actor, footprint: &[Touch], ends_all: bool) {
        let begin = self.footprints.len();
        self.footprints.extend_from_slice(footprint);
        self.sleepers.push(Sleeper { actor, begin, end: self.footprints.len(), ends_all });
    }

    /// Whoever could go on here and cannot afterwards, without having gone on, is to be tried here.
    fn try_what_is_gone(&mut self, after: &[Alternative]) {
        let taken = self.taken;
        for (place, alternative) in self.alternatives.iter_mut().enumerate() {
            let is_there = after.iter().any(|other| other.actor == alternative.actor);
            alternative.is_to_try |= place != taken && !is_there;
        }
    }

    /// The choices other than the first, up to and with this step.
    fn deviations_after(&self) -> usize {
        let within = self.within.iter().filter(|within| within.taken > 0).count();
        self.deviations + usize::from(self.taken > 0) + within
    }

    /// Moves on to another choice of the world within the step.
    fn next_within(&mut self, kind: Kind) -> bool {
        self.other_variants.clear();
        while let Some(last) = self.within.pop() {
            // A first choice that becomes another one is a deviation more.
            let fits = match kind {
                Kind::Plain | Kind::Reduced => true,
                Kind::Bounded(most) => last.taken > 0 || self.deviations_after() < most,
            };
            if fits && last.taken + 1 < last.of {
                self.within.push(Within { taken: last.taken + 1, ..last });
                return true;
            }
        }
        false
    }

    /// All that follows the step that was taken was seen.
    fn put_to_sleep(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        self.add_sleeper(self.alternatives[self.taken].actor, &touched, self.has_ended);
        touched.clear();
        (self.touched, self.has_ended) = (touched, false);
    }

    /// Moves on to another actor.
    fn next_actor(&mut self, kind: Kind) -> bool {
        self.other_variants.clear();
        self.alternatives[self.taken].is_done = true;
        let fits = match kind {
            Kind::Plain | Kind::Reduced => true,
            Kind::Bounded(most) => self.deviations < most,
        };
        let next = |alternative: &Alternative| {
            alternative.is_to_try && !alternative.is_done && !self.is_asleep(alternative.actor)
        };
        let Some(taken) = self.alternatives.iter().position(next).filter(|_| fits) else { return false };
        self.taken = taken;
        true
    }
}
