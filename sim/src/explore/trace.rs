//! What happened in one execution, as the strategies see it: steps, what each touched, and what was chosen.

use std::ops::Range;
use std::time::Duration;

use super::footprint::{Object, Touch};
use super::mix::mix;
use super::names::Actor;

/// One execution. Its memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Trace {
    steps: Vec<Step>,
    touches: Vec<Touch>,
    choices: Vec<Choice>,
    /// In the order in which they were armed.
    timers: Vec<Timer>,
    /// The steps of timers.
    fires: Vec<usize>,
    /// For each object the number of the last step that touched it, over all executions, and where in `touches`.
    latest: Vec<(u64, usize)>,
    number: u64,
    /// Whether the last step ended everything: no other actor goes on after it.
    is_over: bool,
}

/// What one actor did without interruption.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) actor: Actor,
    /// For the step of a timer, what it was.
    pub(super) fired: Option<Fired>,
    /// The earliest deadline of the timers that it disarmed and had not armed itself.
    pub(super) disarmed: Option<Duration>,
    /// Whether the task woke itself, so that it may go on without anybody else.
    pub(super) woke_itself: bool,
    /// Whether it came because nobody else could go on.
    pub(super) was_left: bool,
    /// A number that stands for the numbers that the program drew in it, if it did.
    pub(super) drawn: Option<u64>,
    touches: usize,
    choices: usize,
}

/// A timer that has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fired {
    pub(super) deadline: Duration,
    /// The step that armed it.
    pub(super) armed_by: usize,
}

/// A timer that was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timer {
    pub(super) deadline: Duration,
    /// The step that armed it.
    pub(super) armed_by: usize,
    /// The step with which it was armed no more; of one that is armed at the end, the largest number.
    pub(super) until: usize,
}

/// One of several, at a place where more than one was possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) about: About,
    pub(super) taken: usize,
    pub(super) of: usize,
}

/// Who makes a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The executor: who goes on.
    Actor,
    /// The program, within a step: what the world around it does.
    World,
}

impl Trace {
    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.touches.clear();
        self.choices.clear();
        self.timers.clear();
        self.fires.clear();
        self.is_over = false;
    }

    /// A task begins a step.
    pub(super) fn begin(&mut self, actor: Actor) {
        self.push(actor, None);
    }

    /// The step of a timer, of those that were armed the one with this number.
    pub(super) fn fire(&mut self, actor: Actor, number: usize) {
        let step = self.steps.len();
        let timer = &mut self.timers[number];
        timer.until = step;
        let fired = Fired { deadline: timer.deadline, armed_by: timer.armed_by };
        self.fires.push(step);
        self.push(actor, Some(fired));
    }

    fn push(&mut self, actor: Actor, fired: Option<Fired>) {
        self.number += 1;
        let (touches, choices) = (self.touches.len(), self.choices.len());
        let (disarmed, woke_itself, was_left, drawn) = (None, false, false, None);
        self.steps.push(Step { actor, fired, disarmed, woke_itself, was_left, drawn, touches, choices });
    }

    /// The step that is under way touches something.
    pub(super) fn touch(&mut self, touch: Touch) {
        let at = touch.object().index();
        if at >= self.latest.len() {
            self.latest.resize(at + 1, (0, 0));
        }
        let (number, place) = self.latest[at];
        if number == self.number {
            self.touches[place] = self.touches[place].and(touch);
        } else {
            self.latest[at] = (self.number, self.touches.len());
            self.touches.push(touch);
        }
    }

    /// The step that is under way arms a timer.
    pub(super) fn arm(&mut self, deadline: Duration) {
        self.timers.push(Timer { deadline, armed_by: self.steps.len() - 1, until: usize::MAX });
    }

    /// The step that is under way disarms the timer with this number.
    pub(super) fn disarm(&mut self, number: usize) {
        let now = self.steps.len() - 1;
        self.timers[number].until = now;
        let Timer { deadline, armed_by, .. } = self.timers[number];
        if let Some(step) = self.steps.last_mut().filter(|_| armed_by < now) {
            step.disarmed = Some(step.disarmed.map_or(deadline, |earlier| earlier.min(deadline)));
        }
    }

    pub(super) fn timers(&self) -> &[Timer] {
        &self.timers
    }

    /// The first step of a timer behind this step, or the end.
    pub(super) fn next_fire(&self, step: usize) -> usize {
        let place = self.fires.partition_point(|fire| *fire <= step);
        self.fires.get(place).copied().unwrap_or(self.steps.len())
    }

    pub(super) fn wake_itself(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.woke_itself = true;
        }
    }

    /// The step that was begun came because nobody else could go on.
    pub(super) fn is_left(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.was_left = true;
        }
    }

    /// The step that is under way draws a number.
    pub(super) fn draw(&mut self, number: u64) {
        if let Some(step) = self.steps.last_mut() {
            step.drawn = Some(mix(step.drawn.unwrap_or(0), number));
        }
    }

    /// One of several was taken. With only one there is no choice.
    pub(super) fn choose(&mut self, about: About, taken: usize, of: usize) {
        if of > 1 {
            self.choices.push(Choice { about, taken, of });
        }
    }

    /// The step that is under way ends everything.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// Where in [`Self::touches`] those of a step are.
    pub(super) fn range(&self, step: usize) -> Range<usize> {
        self.steps[step].touches..self.steps.get(step + 1).map_or(self.touches.len(), |next| next.touches)
    }

    pub(super) fn touches(&self) -> &[Touch] {
        &self.touches
    }

    /// What a step touched, each object once.
    pub(super) fn footprint(&self, step: usize) -> &[Touch] {
        &self.touches[self.range(step)]
    }

    /// Whether the last step has something in common with an earlier one of this actor, besides these.
    pub(super) fn has_to_do_with(&self, actor: Actor, besides: [Option<Object>; 2]) -> bool {
        let last = self.steps.len() - 1;
        let touches = || self.footprint(last).iter().filter(|touch| !besides.contains(&Some(touch.object())));
        let of_actor = (0..last).rev().filter(|step| self.steps[*step].actor == actor);
        of_actor
            .map(|step| self.footprint(step))
            .any(|footprint| touches().any(|touch| footprint.iter().any(|other| other.conflicts(*touch))))
    }

    /// What the world chose within a step.
    pub(super) fn within(&self, step: usize) -> impl Iterator<Item = &Choice> {
        // The choice of the next actor stands before the step of that actor, behind the choices of this one.
        let end = self.steps.get(step + 1).map_or(self.choices.len(), |next| next.choices);
        self.choices[self.steps[step].choices..end].iter().filter(|choice| choice.about == About::World)
    }
}

impl Step {
    /// Whether, without this step, the timer could not have fired: it had not been armed, or another had to go first.
    pub(super) fn lets(&self, number: usize, fired: Fired) -> bool {
        fired.armed_by == number
            || self.fired.is_some_and(|earlier| earlier.deadline < fired.deadline)
            || self.disarmed.is_some_and(|deadline| deadline < fired.deadline)
    }
}
