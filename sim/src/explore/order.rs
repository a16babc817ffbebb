//! What happened before what in an execution, and which two steps raced.
//!
//! A step happens before a later one if both are of one actor, or touch one object that one of them writes, or through a third. A
//! race is two steps of different actors of which the first happens before the second and before no other step that does, so that
//! another execution of the same past may have them in the other order. All that lets an actor go on happens before its step:
//! to wake a task reads its readiness and a step of the task writes it, to arm or disarm a timer reads the clock and a timer that
//! fires writes it.
//!
//! Who waits until nobody else can go on comes behind all steps before, and races with none of them.
//!
//! There is one thing that two steps may keep each other from although their order makes no difference: of two timers only the one
//! that is due first may fire. So whoever armed that one races with the other timer, also where this one has never fired.

use std::ops::Range;

use super::fault::{self, Fault};
use super::names::Actor;
use super::trace::Trace;

/// Which steps of one execution happen before which. Its memory is used again for the next, and so is what it knows of the steps
/// that the next one has in common with it.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Words of one row of `before`.
    words: usize,
    /// For each step the set of the steps before it.
    before: Vec<u64>,
    objects: Vec<Uses>,
    /// The last step of each actor, plus one.
    actors: Vec<usize>,
    /// The steps that are taken into account.
    taken: Vec<Taken>,
    /// Their touches.
    used: Vec<Used>,
    /// The steps just before the one that is looked at, and others before these: a row.
    direct: Vec<u64>,
    /// A row to work in.
    row: Vec<u64>,
    /// The timers that are armed, by number.
    armed: Vec<usize>,
}

/// A step that is taken into account, and what was there before.
#[derive(Clone, Copy, Debug)]
struct Taken {
    actor: usize,
    /// The step of this actor before it, plus one.
    own: usize,
    /// So many touches came before.
    touches: usize,
}

/// A touch that is taken into account, and what was there before.
#[derive(Clone, Copy, Debug)]
struct Used {
    step: usize,
    object: usize,
    before: Uses,
}

/// Who has used an object so far. Each number is that of a step or touch, plus one.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    writer: usize,
    /// The last touch that has read it since. The one before that is where this one was taken into account.
    last_reader: usize,
}

/// Two steps that raced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Race {
    pub(super) first: usize,
    /// The second one; `None` for a timer that could not fire.
    pub(super) second: Option<usize>,
    /// The number of steps up to and with the second one, or up to where the timer could not fire.
    until: usize,
    /// Who should come first, if it can.
    pub(super) preferred: Actor,
}

impl Order {
    /// Orders the steps of an execution, and appends the races whose second step is not before this one. What comes before it is
    /// as in the execution before.
    pub(super) fn of(&mut self, trace: &Trace, from: usize, races: &mut Vec<Race>) {
        let steps = trace.steps().len();
        let words = steps.div_ceil(64);
        if words > self.words {
            self.rewind(0);
            self.words = words;
        }
        self.rewind(from);
        for step in self.taken.len()..steps {
            let lone_waker = self.collect(trace, step);
            self.row.clear();
            self.row.resize(self.words, 0);
            let found = races.len();
            // The last one first: what happened before it is no race of this step, and neither is what happened before that.
            for word in (0..self.words).rev() {
                while let Some(bit) = (self.direct[word] & !self.row[word]).checked_ilog2() {
                    let first = word * 64 + bit as usize;
                    or(&mut self.row, row(&self.before, self.words, first));
                    insert(&mut self.row, first);
                    if step >= from && Self::may_be_reversed(trace, first, step, lone_waker) {
                        let preferred = trace.steps()[step].actor;
                        races.push(Race { first, second: Some(step), until: step + 1, preferred });
                    }
                }
            }
            races[found..].reverse();
            self.before.extend_from_slice(&self.row);
        }
        self.blocked(trace, from, races);
    }

    /// Forgets the steps from this one on.
    fn rewind(&mut self, from: usize) {
        if let Some(first) = self.taken.get(from) {
            for used in self.used.drain(first.touches..).rev() {
                self.objects[used.object] = used.before;
            }
            for step in self.taken.drain(from..).rev() {
                self.actors[step.actor] = step.own;
            }
        }
        self.before.truncate(self.taken.len() * self.words);
    }

    /// Appends the races of timers that could not fire because another one was due before them: where time goes on, or everything
    /// ends, for the first time with a step between that does not wait for the one that armed the earlier timer. Whoever could go
    /// first then could do so also where time goes on later.
    fn blocked(&mut self, trace: &Trace, from: usize, races: &mut Vec<Race>) {
        let (timers, steps) = (trace.timers(), trace.steps().len());
        self.armed.clear();
        for (number, timer) in timers.iter().enumerate() {
            self.armed.retain(|other| timers[*other].until > timer.armed_by);
            for other in self.armed.iter().map(|other| &timers[*other]) {
                let (earlier, later) =
                    if other.deadline < timer.deadline { (other, timer) } else { (timer, other) };
                let (first, until) = (earlier.armed_by, earlier.until.min(later.until).min(steps));
                if until < from
                    || earlier.deadline == later.deadline
                    || first == later.armed_by
                    || self.is_before(first, later.armed_by)
                {
                    continue;
                }
                let apart = (first + 1..until).find(|step| !self.is_before(first, *step));
                let Some(apart) = apart else { continue };
                let at = trace.next_fire(apart.max(later.armed_by));
                if (from..=until).contains(&at) {
                    let preferred = trace.steps()[later.armed_by].actor;
                    races.push(Race { first, second: None, until: at, preferred });
                }
            }
            self.armed.push(number);
        }
    }

    /// Whether one step happens before another one.
    pub(super) fn is_before(&self, one: usize, other: usize) -> bool {
        contains(row(&self.before, self.words, other), one)
    }

    /// The actors that could go on in place of the first step of a race, so that the second one comes without the first: those
    /// whose steps between the two, or the second itself, wait for none of the others.
    pub(super) fn initials(&mut self, trace: &Trace, race: Race, initials: &mut Vec<Actor>) {
        let takes_part = |order: &Self, step| race.second == Some(step) || !order.is_before(race.first, step);
        self.initials_of(trace, race.first + 1..race.until, takes_part, initials);
    }

    /// The actors that could go on in place of a step, so that a later one comes without it: those whose steps that one waits for,
    /// or its own, wait for none of the others.
    pub(super) fn ways(&mut self, trace: &Trace, first: usize, later: usize, initials: &mut Vec<Actor>) {
        let takes_part = |order: &Self, step| step == later || order.is_before(step, later);
        self.initials_of(trace, first + 1..later + 1, takes_part, initials);
    }

    fn initials_of(
        &mut self,
        trace: &Trace,
        steps: Range<usize>,
        takes_part: impl Fn(&Self, usize) -> bool,
        initials: &mut Vec<Actor>,
    ) {
        initials.clear();
        self.row.clear();
        self.row.resize(self.words, 0);
        for step in steps {
            if !takes_part(self, step) {
                continue;
            }
            if disjoint(&self.row, row(&self.before, self.words, step)) {
                initials.push(trace.steps()[step].actor);
            }
            insert(&mut self.row, step);
        }
    }

    /// Collects into `direct` the steps just before this one, and others before these. If a single step has let the actor go on,
    /// it is returned.
    fn collect(&mut self, trace: &Trace, step: usize) -> Option<usize> {
        self.direct.clear();
        self.direct.resize(self.words, 0);
        let actor = trace.steps()[step].actor;
        if self.actors.len() <= actor.index() {
            self.actors.resize(actor.index() + 1, 0);
        }
        let before = std::mem::replace(&mut self.actors[actor.index()], step + 1);
        self.taken.push(Taken { actor: actor.index(), own: before, touches: self.used.len() });
        let own = before.checked_sub(1);
        if let Some(own) = own {
            insert(&mut self.direct, own);
        }

        let mut lone_waker = None;
        for (place, touch) in trace.footprint(step).iter().enumerate() {
            let at = touch.object().index();
            if self.objects.len() <= at {
                self.objects.resize(at + 1, Uses::default());
            }
            let uses = self.objects[at];
            self.used.push(Used { step, object: at, before: uses });
            if uses.writer > 0 {
                insert(&mut self.direct, uses.writer - 1);
            }
            if touch.writes() {
                let (mut readers, mut earliest) = (0, None);
                let mut reader = uses.last_reader;
                while reader > 0 {
                    let read = self.used[reader - 1];
                    insert(&mut self.direct, read.step);
                    (readers, earliest) = (readers + 1, Some(read.step));
                    reader = read.before.last_reader;
                }
                // The first thing that a step touches is the readiness of its task.
                let woke_itself = own.is_some_and(|own| trace.steps()[own].woke_itself);
                if place == 0 && !woke_itself && (readers == 1 || fault::has(Fault::SeesOneWaker)) {
                    lone_waker = earliest;
                }
                self.objects[at] = Uses { writer: step + 1, last_reader: 0 };
            } else {
                self.objects[at].last_reader = self.used.len();
            }
        }
        let is_last = trace.is_over() && step + 1 == trace.steps().len();
        if is_last || trace.steps()[step].was_left {
            // Nothing comes after it, or everything came before: it is behind every step.
            let last = self.actors.iter().filter_map(|last| last.checked_sub(1));
            last.filter(|last| *last != step).for_each(|last| insert(&mut self.direct, last));
        }
        lone_waker
    }

    /// Whether the second of two steps of which one happens just before the other may come without the first.
    fn may_be_reversed(trace: &Trace, first: usize, second: usize, lone_waker: Option<usize>) -> bool {
        let steps = trace.steps();
        steps[first].actor != steps[second].actor
            && !steps[second].was_left
            && match steps[second].fired {
                Some(_) if fault::has(Fault::TimersNeverRace) => false,
                Some(fired) => !steps[first].lets(first, fired),
                None => lone_waker != Some(first),
            }
    }
}

fn row(rows: &[u64], words: usize, number: usize) -> &[u64] {
    &rows[number * words..][..words]
}

fn or(row: &mut [u64], other: &[u64]) {
    row.iter_mut().zip(other).for_each(|(word, other)| *word |= other);
}

fn insert(row: &mut [u64], number: usize) {
    row[number / 64] |= 1 << (number % 64);
}

fn contains(row: &[u64], number: usize) -> bool {
    row[number / 64] & 1 << (number % 64) != 0
}

fn disjoint(one: &[u64], other: &[u64]) -> bool {
    one.iter().zip(other).all(|(one, other)| one & other == 0)
}
