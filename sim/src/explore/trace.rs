//! What happened in one execution, as the strategies see it: steps, what each touched, and what was chosen.

use std::time::Duration;

use super::footprint::{Object, Touch};
use super::mix::mix;
use super::names::Actor;

/// One execution. Its memory is used again for the next, and so is what it knows of the steps that the next one repeats.
#[derive(Debug, Default)]
pub(super) struct Trace {
    steps: Vec<Step>,
    /// So many steps are those of the execution before. While they are repeated nothing is recorded.
    repeated: usize,
    /// How many steps have begun.
    begun: usize,
    touches: Vec<Touch>,
    choices: Vec<Choice>,
    /// In the order in which they were armed.
    timers: Vec<Timer>,
    /// How many were armed, also by steps that are repeated.
    armed: usize,
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
    /// Where in the choices that of its actor is, if there was one.
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
    /// Begins an execution whose first steps are the same as those of the one before, so many of them.
    pub(super) fn repeat(&mut self, steps: usize) {
        if let Some(first) = self.steps.get(steps) {
            self.touches.truncate(first.touches);
            self.choices.truncate(first.choices);
        }
        self.steps.truncate(steps);
        self.timers.truncate(self.timers.partition_point(|timer| timer.armed_by < steps));
        let armed = self.timers.iter_mut().filter(|timer| timer.until >= steps);
        armed.for_each(|timer| timer.until = usize::MAX);
        self.fires.truncate(self.fires.partition_point(|fire| *fire < steps));
        (self.repeated, self.begun, self.armed, self.is_over) = (steps, 0, 0, false);
    }

    /// Whether the step that is under way was recorded in an execution before.
    #[inline]
    pub(super) fn is_repeating(&self) -> bool {
        self.begun <= self.repeated
    }

    /// Whether the steps that were repeated have armed as many timers as before.
    pub(super) fn has_armed_as_before(&self) -> bool {
        self.armed == self.timers.len()
    }

    /// How many steps have begun.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// A task begins a step, for which it was chosen.
    pub(super) fn begin(&mut self, actor: Actor, choice: Choice) {
        self.begun += 1;
        if !self.is_repeating() {
            self.push(actor, None, choice);
        }
    }

    /// The step of a timer, of those that were armed the one with this number.
    pub(super) fn fire(&mut self, actor: Actor, number: usize, choice: Choice) {
        self.begun += 1;
        if self.is_repeating() {
            return;
        }
        let step = self.steps.len();
        let timer = &mut self.timers[number];
        timer.until = step;
        let fired = Fired { deadline: timer.deadline, armed_by: timer.armed_by };
        self.fires.push(step);
        self.push(actor, Some(fired), choice);
    }

    fn push(&mut self, actor: Actor, fired: Option<Fired>, choice: Choice) {
        self.number += 1;
        let (touches, choices) = (self.touches.len(), self.choices.len());
        let (disarmed, woke_itself, was_left, drawn) = (None, false, false, None);
        self.steps.push(Step { actor, fired, disarmed, woke_itself, was_left, drawn, touches, choices });
        self.choose(choice);
    }

    /// The step that is under way, unless it is known.
    fn recorded(&mut self) -> Option<&mut Step> {
        if self.is_repeating() { None } else { self.steps.last_mut() }
    }

    /// The step that is under way touches something.
    #[inline]
    pub(super) fn touch(&mut self, touch: Touch) {
        if !self.is_repeating() {
            self.record(touch);
        }
    }

    fn record(&mut self, touch: Touch) {
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
        self.armed += 1;
        if !self.is_repeating() {
            self.timers.push(Timer { deadline, armed_by: self.steps.len() - 1, until: usize::MAX });
        }
    }

    /// The step that is under way disarms the timer with this number.
    pub(super) fn disarm(&mut self, number: usize) {
        if self.is_repeating() {
            return;
        }
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
        if let Some(step) = self.recorded() {
            step.woke_itself = true;
        }
    }

    /// The step that was begun came because nobody else could go on.
    pub(super) fn is_left(&mut self) {
        if let Some(step) = self.recorded() {
            step.was_left = true;
        }
    }

    /// The step that is under way draws a number.
    pub(super) fn draw(&mut self, number: u64) {
        if let Some(step) = self.recorded() {
            step.drawn = Some(mix(step.drawn.unwrap_or(0), number));
        }
    }

    /// One of several was taken. With only one there is no choice.
    pub(super) fn choose(&mut self, choice: Choice) {
        if choice.of > 1 && !self.is_repeating() {
            self.choices.push(choice);
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

    /// What a step touched, each object once.
    pub(super) fn footprint(&self, step: usize) -> &[Touch] {
        let end = self.steps.get(step + 1).map_or(self.touches.len(), |next| next.touches);
        &self.touches[self.steps[step].touches..end]
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tasks: the first arms two timers, the second disarms the later one, or the earlier one fires.
    fn run(trace: &mut Trace, fires: bool) {
        let [root, timer] = [0, 1].map(|number| Object::numbered(number + 1));
        let one_of_two = |about, taken| Choice { about, taken, of: 2 };
        trace.begin(Actor::ROOT, Choice { about: About::Actor, taken: 0, of: 1 });
        trace.touch(Touch::write(root));
        trace.choose(one_of_two(About::World, 1));
        trace.draw(7);
        trace.arm(Duration::from_millis(1));
        trace.arm(Duration::from_millis(2));
        if fires {
            trace.fire(Actor::ROOT, 0, one_of_two(About::Actor, 1));
            trace.touch(Touch::write(timer));
        } else {
            trace.begin(Actor::ROOT, one_of_two(About::Actor, 0));
            trace.touch(Touch::read(root));
            trace.choose(one_of_two(About::World, 0));
            trace.wake_itself();
            trace.disarm(1);
            trace.arm(Duration::from_millis(3));
            trace.end();
        }
    }

    /// All but what numbers the steps over all executions.
    fn seen(trace: &Trace) -> String {
        let Trace { steps, touches, choices, timers, fires, begun, is_over, .. } = trace;
        format!("{steps:?} {touches:?} {choices:?} {timers:?} {fires:?} {begun} {is_over}")
    }

    #[test]
    fn execution_that_repeats_steps_is_recorded_like_a_new_one() {
        for fires in [false, true] {
            let mut new = Trace::default();
            run(&mut new, fires);
            for (before, repeated) in [(!fires, 0), (!fires, 1), (fires, 1), (fires, 2)] {
                let mut trace = Trace::default();
                run(&mut trace, before);
                trace.repeat(repeated);
                run(&mut trace, fires);
                assert_eq!(seen(&trace), seen(&new), "{repeated} steps repeated");
            }
        }
    }
}
