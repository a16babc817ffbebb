//! Where one execution takes place: tasks, who is ready, the clock, and the record of what happens.
//!
//! It is borrowed only for a moment (`held`): no code of the program runs, and nothing of the program is dropped, while it is.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use downbeat_rt::{Access, JoinEnd, ObjectId, Passing, Work};

use super::clock::Clock;
use super::fault::{self, Fault};
use super::footprint::{Object, Touch};
use super::misuse::{Misuse, Misuses};
use super::mix::{mix, scale};
use super::names::{Actor, Names};
use super::schedule::Schedule;
use super::story::{Beat, Story};
use super::strategy::Strategy;
use super::trace::{About, Choice, Trace};

/// A number of the seam has so many bits for the object, and the others for the execution.
const OBJECT_BITS: u32 = 31;

pub(super) struct Stage {
    pub(super) strategy: Box<dyn Strategy>,
    pub(super) misuses: Arc<Misuses>,
    pub(super) trace: Trace,
    pub(super) names: Names,
    /// What is told of the execution, if somebody asked.
    pub(super) story: Option<Story>,
    /// What [`downbeat_rt::Runtime::random`] draws from in this execution.
    pub(super) seed: u64,
    seed_of_all: u64,
    /// Virtual time of all executions.
    pub(super) simulated: Duration,
    steps_max: usize,
    /// Tasks that were spawned and whose bodies wait to be fetched.
    pub(super) spawned: Vec<Work>,
    execution: u64,
    is_running: bool,
    tasks: Vec<Task>,
    /// Tasks that may go on, the one that has been ready longest first.
    ready: Vec<usize>,
    /// Tasks that come last, behind the timers, because they were spawned so and have not gone on yet.
    last: Vec<usize>,
    clock: Clock,
    /// The task whose step it is.
    current: Option<usize>,
    /// The task that waits until nobody else can go on.
    left: Option<usize>,
    /// The tasks that were woken by this step, by their wakers, and are not its own.
    woken: Vec<usize>,
    alternatives: Vec<Actor>,
}

#[derive(Debug)]
struct Task {
    name: &'static str,
    actor: Actor,
    children: usize,
    objects: usize,
    timers: usize,
    draws: u64,
    is_ready: bool,
    is_aborted: bool,
    /// Whether others go before it, unless a choice says otherwise. It does until it has gone on once.
    comes_last: bool,
    end: Option<JoinEnd>,
    /// What it said when it panicked, until somebody learns of it.
    panic: Option<String>,
    joiner: Option<Waker>,
}

impl Task {
    fn new(name: &'static str, actor: Actor) -> Self {
        let (children, objects, timers, draws) = (0, 0, 0, 0);
        let (is_ready, is_aborted, comes_last) = (false, false, false);
        let (end, panic, joiner) = (None, None, None);
        Self {
            name,
            actor,
            children,
            objects,
            timers,
            draws,
            is_ready,
            is_aborted,
            comes_last,
            end,
            panic,
            joiner,
        }
    }
}

/// What goes on.
#[derive(Debug)]
pub(super) enum Turn {
    /// A task, by its number in this execution.
    Task(usize),
    /// A task that was aborted goes.
    Abort(usize),
    /// A timer has fired, and wakes.
    Timer(Waker),
    /// Nothing can.
    Nothing,
    /// The strategy has seen all that could follow.
    Known,
    /// There were as many steps as are allowed.
    TooLong,
}

/// What a task that sleeps finds.
#[derive(Debug)]
pub(super) enum Sleeping {
    /// Its timer has fired.
    Fired,
    /// It is armed still.
    Armed,
    /// It is armed still, and wakes by another waker.
    WakesAnother,
}

/// What somebody who joins a task finds.
#[derive(Debug)]
pub(super) enum Joining {
    /// It has ended. This waker is not needed.
    Ended(JoinEnd, Waker),
    /// It runs. This waker is not needed any more.
    Waits(Option<Waker>),
}

impl Stage {
    pub(super) fn new(
        strategy: Box<dyn Strategy>,
        misuses: Arc<Misuses>,
        seed: u64,
        steps_max: usize,
        story: Option<Story>,
    ) -> Self {
        Self {
            strategy,
            misuses,
            trace: Trace::default(),
            names: Names::new(),
            story,
            seed,
            seed_of_all: seed,
            simulated: Duration::ZERO,
            steps_max,
            spawned: Vec::new(),
            execution: 0,
            is_running: false,
            tasks: Vec::new(),
            ready: Vec::new(),
            last: Vec::new(),
            clock: Clock::default(),
            current: None,
            left: None,
            woken: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    /// Begins an execution: the root is ready. Returns its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.execution += 1;
        self.seed = self.strategy.seed(self.seed_of_all);
        self.is_running = true;
        self.tasks.push(Task::new("root", Actor::ROOT));
        self.make_ready(0);
        self.execution
    }

    /// Ends an execution. What its tasks still do has no effect. The wakers are dropped by the caller.
    pub(super) fn end(&mut self, wakers: &mut Vec<Waker>) {
        self.is_running = false;
        self.ready.clear();
        self.last.clear();
        (self.current, self.left) = (None, None);
        if self.story.is_some() {
            let names = self.task_names();
            self.story.iter_mut().for_each(|story| story.lanes.clone_from(&names));
        }
        self.simulated = self.simulated.saturating_add(self.clock.now());
        self.clock.clear(wakers);
        wakers.extend(self.tasks.drain(..).filter_map(|task| task.joiner));
    }

    /// Whether an execution goes on, and this one if one is given. While another one does, nothing of this one is to be used.
    #[inline]
    pub(super) fn goes_on(&self, execution: Option<u64>) -> bool {
        let is_kept = execution.is_some_and(|execution| execution != self.execution);
        if self.is_running && is_kept {
            self.misuses.note(Misuse::Kept);
        }
        self.is_running && !is_kept
    }

    pub(super) fn execution(&self) -> u64 {
        self.execution
    }

    /// Prepares the next execution; false if there is none.
    pub(super) fn next(&mut self) -> bool {
        let Some(repeated) = self.strategy.next(&self.trace) else { return false };
        self.trace.repeat(repeated);
        true
    }

    /// The choices of the execution.
    pub(super) fn schedule(&self) -> Schedule {
        Schedule::new(self.seed, self.trace.choices().iter().map(|choice| choice.taken))
    }

    /// Decides who goes on, and begins the step.
    pub(super) fn turn(&mut self) -> Turn {
        if self.trace.begun() >= self.steps_max {
            return Turn::TooLong;
        }
        self.alternatives.clear();
        self.alternatives.extend(self.ready.iter().map(|task| self.tasks[*task].actor));
        self.alternatives.extend(self.clock.due().iter().map(|timer| timer.actor));
        let timers = self.alternatives.len() - self.ready.len();
        self.alternatives.extend(self.last.iter().map(|task| self.tasks[*task].actor));
        let left = self.left.take_if(|_| self.alternatives.is_empty());
        if let Some(left) = left {
            self.make_ready(left);
            self.alternatives.push(self.tasks[left].actor);
        }
        let taken = self.strategy.go_on(&self.alternatives, &self.trace);
        if self.alternatives.is_empty() {
            return Turn::Nothing;
        }
        let Some(taken) = taken else { return Turn::Known };
        let choice = Choice { about: About::Actor, taken, of: self.alternatives.len() };
        let turn = match taken.checked_sub(self.ready.len()) {
            None => {
                let number = self.ready.remove(taken);
                self.resume(number, choice)
            }
            Some(due) if due < timers => self.fire(due, choice),
            Some(behind) => {
                let number = self.last.remove(behind - timers);
                self.resume(number, choice)
            }
        };
        if left.is_some() {
            self.trace.is_left();
        }
        turn
    }

    fn resume(&mut self, number: usize, choice: Choice) -> Turn {
        self.current = Some(number);
        let task = &mut self.tasks[number];
        (task.is_ready, task.comes_last) = (false, false);
        self.trace.begin(task.actor, choice);
        self.trace.touch(Touch::write(self.names.readiness(task.actor)));
        let turn = if task.is_aborted { Turn::Abort(number) } else { Turn::Task(number) };
        self.tell(Beat::GoesOn { task: number });
        turn
    }

    fn fire(&mut self, due: usize, choice: Choice) -> Turn {
        let timer = self.clock.fire(due);
        self.trace.fire(timer.actor, timer.serial, choice);
        self.trace.touch(Touch::write(Object::CLOCK));
        self.tell(Beat::Fires { task: timer.task, at: timer.deadline });
        Turn::Timer(timer.waker)
    }

    /// The step that is under way ends everything: nobody goes on after it.
    pub(super) fn over(&mut self) {
        self.judge_wakes();
        self.trace.end();
        self.strategy.go_on(&[], &self.trace);
    }

    /// The step that was begun is over.
    pub(super) fn rest(&mut self) {
        self.judge_wakes();
        self.current = None;
    }

    /// Whoever wakes a task has changed something that the task had looked at. If the seam knows of nothing, it is past the seam.
    fn judge_wakes(&mut self) {
        if self.trace.is_repeating() {
            // They were judged when the step was recorded.
            self.woken.clear();
        }
        while let Some(woken) = self.woken.pop() {
            let actor = self.tasks[woken].actor;
            let waking = self.trace.steps().last().map(|step| step.actor);
            // One may have spawned the other, or aborted it, or woken it before.
            let besides = [Some(actor), waking].map(|actor| actor.map(|actor| self.names.readiness(actor)));
            if !fault::is_any() && !self.trace.has_to_do_with(actor, besides) {
                let mut names = self.task_names();
                let by = match self.current {
                    Some(task) => names[task].clone(),
                    None => "a timer".to_owned(),
                };
                let woken = std::mem::take(&mut names[woken]);
                self.misuses.note(Misuse::Unrecorded { woken, by });
            }
        }
    }

    /// A task has ended. Its body is dropped by now. Whoever waits for that is to be woken.
    pub(super) fn finish(&mut self, number: usize, end: JoinEnd, panic: Option<String>) -> Option<Waker> {
        let task = &mut self.tasks[number];
        task.end = Some(end);
        task.panic = panic;
        // It may have woken itself in its last step.
        if std::mem::take(&mut task.is_ready) {
            self.ready.retain(|ready| *ready != number);
        }
        let task = &mut self.tasks[number];
        let joiner = task.joiner.take();
        if !fault::has(Fault::IgnoresEnds) {
            self.trace.touch(Touch::write(self.names.end(task.actor)));
        }
        self.tell(Beat::Ends { task: number, end });
        joiner
    }

    /// A task is woken by its waker.
    pub(super) fn wake_by_waker(&mut self, number: usize) {
        if self.current != Some(number) {
            self.woken.push(number);
        }
        self.wake(number);
    }

    /// Something is woken, by whoever has the step.
    fn wake(&mut self, number: usize) {
        if !fault::has(Fault::IgnoresWakes) {
            self.touch(Touch::read(self.names.readiness(self.tasks[number].actor)));
        }
        if self.current == Some(number) {
            self.trace.wake_itself();
        }
        self.make_ready(number);
    }

    fn make_ready(&mut self, number: usize) {
        let task = &mut self.tasks[number];
        if task.end.is_none() && !task.is_ready {
            task.is_ready = true;
            if task.comes_last { self.last.push(number) } else { self.ready.push(number) }
        }
    }

    /// Spawns, in the step of some task, and returns the number of the new one, which may come last until it has gone on.
    pub(super) fn spawn(&mut self, name: &'static str, work: Work, comes_last: bool) -> usize {
        let parent = self.acting();
        let (of, before) = (parent.actor, parent.children);
        parent.children += 1;
        let actor = self.names.child(of, before);
        let number = self.tasks.len();
        self.tasks.push(Task { comes_last, ..Task::new(name, actor) });
        self.spawned.push(work);
        self.tell(Beat::Spawns { task: number });
        self.wake(number);
        number
    }

    pub(super) fn abort(&mut self, number: usize) {
        self.tasks[number].is_aborted = true;
        self.tell(Beat::Aborts { task: number });
        self.wake(number);
    }

    pub(super) fn join(&mut self, number: usize, waker: Waker) -> Joining {
        let task = &mut self.tasks[number];
        let object = self.names.end(task.actor);
        let joining = match task.end {
            Some(end) => {
                task.panic = None;
                Joining::Ended(end, waker)
            }
            None => Joining::Waits(task.joiner.replace(waker)),
        };
        self.touch(Touch::read(object));
        joining
    }

    pub(super) fn object(&mut self, name: &'static str) -> ObjectId {
        let maker = self.acting();
        let (actor, number) = (maker.actor, maker.objects);
        maker.objects += 1;
        let object = self.names.object(actor, number);
        if let Some(story) = &mut self.story {
            story.name(object, name);
        }
        ObjectId(self.execution << OBJECT_BITS | object.index() as u64)
    }

    /// The object with this number, if it is of this execution.
    fn known(&self, object: ObjectId) -> Option<Object> {
        let index = usize::try_from(object.0 & ((1 << OBJECT_BITS) - 1)).unwrap_or(usize::MAX);
        self.goes_on(Some(object.0 >> OBJECT_BITS)).then(|| Object::numbered(index))
    }

    /// The step that is under way uses an object of the seam, or this part of it.
    pub(super) fn touch_object(&mut self, object: ObjectId, part: Option<usize>, access: Access) {
        let Some(mut object) = self.known(object) else { return };
        if self.trace.is_repeating() {
            return;
        }
        if let Some(part) = part {
            // The first two are the ends of a queue.
            if part > 1 && fault::has(Fault::IgnoresPlaces) {
                return;
            }
            object = self.names.part(object, part);
        }
        self.touch(match access {
            Access::Write if !fault::has(Fault::IgnoresWrites) => Touch::write(object),
            Access::Read | Access::Write => Touch::read(object),
        });
    }

    /// Something goes through a queue.
    pub(super) fn passed(&mut self, object: ObjectId, passing: Passing) {
        if self.tells()
            && let Some(object) = self.known(object)
        {
            self.tell(Beat::Passes { object, passing });
        }
    }

    /// The step that is under way touches something.
    pub(super) fn touch(&mut self, touch: Touch) {
        let is_time = touch.object() == Object::CLOCK;
        if self.is_running && !(is_time && fault::has(Fault::IgnoresTime)) {
            self.trace.touch(touch);
        }
    }

    pub(super) fn now(&mut self) -> Duration {
        self.touch(Touch::read(Object::CLOCK));
        self.clock.now()
    }

    /// Arms a timer of the task that runs, and returns its number and that of the task.
    pub(super) fn arm(&mut self, deadline: Duration, waker: Waker) -> (usize, usize) {
        let number = self.acting_number();
        let task = &mut self.tasks[number];
        let actor = self.names.timer(task.actor, task.timers);
        task.timers += 1;
        self.touch(Touch::read(Object::CLOCK));
        self.tell(Beat::Arms { until: deadline });
        self.trace.arm(deadline);
        (self.clock.arm(number, actor, deadline, waker), number)
    }

    /// A task looks at a timer that this one has polled last, and is to be woken by this waker.
    pub(super) fn look_at_timer(&mut self, serial: usize, polled_by: usize, waker: &Waker) -> Sleeping {
        let number = self.acting_number();
        self.notice_move(polled_by);
        let Some(timer) = self.clock.armed(serial) else { return Sleeping::Fired };
        timer.task = number;
        if timer.waker.will_wake(waker) { Sleeping::Armed } else { Sleeping::WakesAnother }
    }

    /// A timer that is armed wakes by this waker from now on. Returns the one before.
    pub(super) fn rearm(&mut self, serial: usize, waker: Waker) -> Option<Waker> {
        let timer = self.clock.armed(serial)?;
        let before = std::mem::replace(&mut timer.waker, waker);
        self.touch(Touch::read(Object::CLOCK));
        Some(before)
    }

    /// A task that has polled a timer learns by its readiness whether it has fired. Another one looks at the clock.
    fn notice_move(&mut self, polled_by: usize) {
        if self.current != Some(polled_by) && !fault::has(Fault::IgnoresMoves) {
            self.touch(Touch::read(Object::CLOCK));
        }
    }

    /// Disarms a timer that this task has polled last, if it is armed.
    pub(super) fn disarm(&mut self, serial: usize, polled_by: usize) -> Option<Waker> {
        self.notice_move(polled_by);
        let timer = self.clock.disarm(serial)?;
        self.touch(Touch::read(Object::CLOCK));
        self.trace.disarm(serial);
        Some(timer.waker)
    }

    /// The task that runs waits until nobody else can go on. Whether it does still, if it has begun to.
    pub(super) fn wait_for_rest(&mut self, has_begun: bool) -> bool {
        let number = self.acting_number();
        if !has_begun && self.left.replace(number).is_some() {
            self.misuses.note(Misuse::TwoAtRest);
        }
        self.left.is_some()
    }

    /// Nobody waits for that any more.
    pub(super) fn give_up_rest(&mut self) {
        self.left = None;
    }

    /// A number below this one that depends on the seed, on who asks, and on how often it has asked before.
    pub(super) fn random(&mut self, below: u64) -> u64 {
        let asking = self.acting();
        asking.draws += 1;
        let (mut actor, mut draws) = (asking.actor, asking.draws);
        if fault::has(Fault::DrawsInOrder) {
            (actor, draws) = (Actor::ROOT, self.tasks.iter().map(|task| task.draws).sum());
        }
        let drawn = scale(mix(mix(self.seed, self.names.identity(actor)), draws), below.max(1));
        self.trace.draw(drawn);
        drawn
    }

    /// One of several.
    pub(super) fn choose(&mut self, of: usize, label: &'static str) -> usize {
        if of == 0 {
            self.misuses.note(Misuse::OneOfNone { label });
        }
        if of <= 1 {
            return 0;
        }
        let taken = self.strategy.choose(of, label);
        self.trace.choose(Choice { about: About::World, taken, of });
        self.tell(Beat::Chooses { label, taken, of });
        taken
    }

    /// Adds to the story, if it is told.
    pub(super) fn tell(&mut self, beat: Beat) {
        if let Some(story) = self.story.as_mut().filter(|_| self.is_running) {
            story.tell(self.trace.begun(), beat);
        }
    }

    pub(super) fn tells(&self) -> bool {
        self.story.is_some()
    }

    /// The names of the tasks, which differ, in the order in which they were spawned.
    pub(super) fn task_names(&self) -> Vec<String> {
        let numbered = |(number, task): (usize, &Task)| {
            let same = |other: &&Task| other.name == task.name;
            match self.tasks[..number].iter().filter(same).count() {
                0 => task.name.to_owned(),
                before => format!("{} {}", task.name, before + 1),
            }
        };
        self.tasks.iter().enumerate().map(numbered).collect()
    }

    /// The tasks that have not ended.
    pub(super) fn waiting(&self) -> Vec<usize> {
        (0..self.tasks.len()).filter(|number| self.tasks[*number].end.is_none()).collect()
    }

    /// A task that panicked without anybody learning of it, and what it said.
    pub(super) fn take_panic(&mut self) -> Option<(usize, String)> {
        self.tasks.iter_mut().enumerate().find_map(|(number, task)| Some((number, task.panic.take()?)))
    }

    /// The task whose step it is.
    pub(super) fn acting_number(&self) -> usize {
        self.current.unwrap_or_else(|| {
            self.misuses.note(Misuse::NoStep);
            panic!("only a step of a task asks for this")
        })
    }

    fn acting(&mut self) -> &mut Task {
        let number = self.acting_number();
        &mut self.tasks[number]
    }
}
