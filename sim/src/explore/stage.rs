//! Where one execution takes place: tasks, who is ready, the clock, and the record of what happens.
//!
//! It is in a variable of the thread, because tasks reach it by way of wakers and of the seam, and borrowed only for a moment: no
//! code of the program runs, and nothing of the program is dropped, while it is.

use std::cell::RefCell;
use std::task::Waker;
use std::time::Duration;

use downbeat_rt::{JoinEnd, Work};

use super::clock::Clock;
use super::fault::{self, Fault};
use super::footprint::{Object, Touch};
use super::mix::{mix, scale};
use super::names::{Actor, Names};
use super::schedule::Schedule;
use super::story::{Beat, Story};
use super::strategy::Strategy;
use super::trace::{About, Blocked, Fired, Trace};

thread_local! {
    static STAGE: RefCell<Option<Box<Stage>>> = const { RefCell::new(None) };
}

/// Calls with the stage of this thread, if it explores.
pub(super) fn on_stage<R>(act: impl FnOnce(&mut Stage) -> R) -> Option<R> {
    STAGE.with_borrow_mut(|stage| stage.as_deref_mut().map(act))
}

/// Holds the stage of this thread. Dropped, there is none any more.
pub(super) struct Held(());

impl Held {
    /// Sets the stage.
    ///
    /// # Panics
    /// If this thread has one: within an exploration there is no other one.
    pub(super) fn new(stage: Stage) -> Self {
        let is_explored = STAGE.with_borrow(Option::is_some);
        assert!(!is_explored, "a program that is explored explores nothing itself");
        STAGE.set(Some(Box::new(stage)));
        Self(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(STAGE.take());
    }
}

/// Takes the stage of this thread away.
pub(super) fn take_stage() -> Option<Box<Stage>> {
    STAGE.take()
}

pub(super) struct Stage {
    pub(super) strategy: Box<dyn Strategy>,
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
    clock: Clock,
    /// The task whose step it is.
    current: Option<usize>,
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
    end: Option<JoinEnd>,
    /// What it said when it panicked, until somebody learns of it.
    panic: Option<String>,
    joiner: Option<Waker>,
}

impl Task {
    fn new(name: &'static str, actor: Actor) -> Self {
        let (children, objects, timers, draws) = (0, 0, 0, 0);
        let (is_ready, is_aborted, end, panic, joiner) = (false, false, None, None, None);
        Self { name, actor, children, objects, timers, draws, is_ready, is_aborted, end, panic, joiner }
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
    /// It is armed still. This waker is not needed any more.
    Armed(Option<Waker>),
}

/// What somebody who joins a task finds.
#[derive(Debug)]
pub(super) enum Joining {
    Ended(JoinEnd),
    /// It runs. This waker is not needed any more.
    Waits(Option<Waker>),
}

impl Stage {
    pub(super) fn new(
        strategy: Box<dyn Strategy>,
        seed: u64,
        steps_max: usize,
        story: Option<Story>,
    ) -> Self {
        Self {
            strategy,
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
            clock: Clock::default(),
            current: None,
            alternatives: Vec::new(),
        }
    }

    /// Begins an execution: the root is ready. Returns its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.execution += 1;
        self.seed = self.strategy.seed(self.seed_of_all);
        self.is_running = true;
        self.trace.clear();
        self.tasks.push(Task::new("root", Actor::ROOT));
        self.make_ready(0);
        self.execution
    }

    /// Ends an execution. What its tasks still do has no effect. The wakers are dropped by the caller.
    pub(super) fn end(&mut self, wakers: &mut Vec<Waker>) {
        self.note_blocked();
        self.is_running = false;
        self.ready.clear();
        self.current = None;
        if self.story.is_some() {
            let names = self.task_names();
            self.story.iter_mut().for_each(|story| story.lanes.clone_from(&names));
        }
        self.simulated = self.simulated.saturating_add(self.clock.now());
        self.clock.clear(wakers);
        wakers.extend(self.tasks.drain(..).filter_map(|task| task.joiner));
    }

    /// Whether this execution goes on.
    pub(super) fn is_running(&self, execution: u64) -> bool {
        self.is_running && self.execution == execution
    }

    pub(super) fn execution(&self) -> u64 {
        self.execution
    }

    /// Prepares the next execution; false if there is none.
    pub(super) fn next(&mut self) -> bool {
        self.strategy.next(&self.trace)
    }

    /// The choices of the execution.
    pub(super) fn schedule(&self) -> Schedule {
        Schedule::new(self.seed, self.trace.choices().iter().map(|choice| choice.taken))
    }

    /// Decides who goes on, and begins the step.
    pub(super) fn turn(&mut self) -> Turn {
        if self.trace.steps().len() >= self.steps_max {
            return Turn::TooLong;
        }
        self.alternatives.clear();
        self.alternatives.extend(self.ready.iter().map(|task| self.tasks[*task].actor));
        self.alternatives.extend(self.clock.due().iter().map(|timer| timer.actor));
        let taken = self.strategy.go_on(&self.alternatives, &self.trace);
        if self.alternatives.is_empty() {
            return Turn::Nothing;
        }
        let Some(taken) = taken else { return Turn::Known };
        self.trace.choose(About::Actor, taken, self.alternatives.len());
        match taken.checked_sub(self.ready.len()) {
            Some(due) => self.fire(due),
            None => self.resume(taken),
        }
    }

    /// Notes which timers could not fire because of which, before time goes on.
    fn note_blocked(&mut self) {
        if self.strategy.asks_about_timers() {
            let at = self.trace.steps().len();
            for later in self.clock.all() {
                for timer in self.clock.before(later) {
                    self.trace.block(Blocked { by: timer.armed_by, armed_by: later.armed_by, at });
                }
            }
        }
    }

    fn resume(&mut self, place: usize) -> Turn {
        let number = self.ready.remove(place);
        self.current = Some(number);
        let task = &mut self.tasks[number];
        task.is_ready = false;
        self.trace.begin(task.actor, None);
        self.trace.touch(Touch::write(self.names.readiness(task.actor)));
        let turn = if task.is_aborted { Turn::Abort(number) } else { Turn::Task(number) };
        self.tell(Beat::GoesOn { task: number });
        turn
    }

    fn fire(&mut self, due: usize) -> Turn {
        self.note_blocked();
        let timer = self.clock.fire(due);
        self.trace.begin(timer.actor, Some(Fired { deadline: timer.deadline, armed_by: timer.armed_by }));
        self.trace.touch(Touch::write(Object::CLOCK));
        self.tell(Beat::Fires { task: timer.task, at: timer.deadline });
        Turn::Timer(timer.waker)
    }

    /// The step that is under way ends everything: nobody goes on after it.
    pub(super) fn over(&mut self) {
        self.trace.end();
        self.strategy.go_on(&[], &self.trace);
    }

    /// The step that was begun is over.
    pub(super) fn rest(&mut self) {
        self.current = None;
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

    /// Something is woken, by whoever has the step.
    pub(super) fn wake(&mut self, number: usize) {
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
            self.ready.push(number);
        }
    }

    /// Spawns, in the step of some task, and returns the number of the new one.
    pub(super) fn spawn(&mut self, name: &'static str, work: Work) -> usize {
        let parent = self.acting();
        let (of, before) = (parent.actor, parent.children);
        parent.children += 1;
        let actor = self.names.child(of, before);
        let number = self.tasks.len();
        self.tasks.push(Task::new(name, actor));
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

    pub(super) fn join(&mut self, number: usize, waker: &Waker) -> Joining {
        let task = &mut self.tasks[number];
        let object = self.names.end(task.actor);
        let joining = match task.end {
            Some(end) => {
                task.panic = None;
                Joining::Ended(end)
            }
            None => Joining::Waits(task.joiner.replace(waker.clone())),
        };
        self.touch(Touch::read(object));
        joining
    }

    pub(super) fn object(&mut self, name: &'static str) -> Object {
        let maker = self.acting();
        let (actor, number) = (maker.actor, maker.objects);
        maker.objects += 1;
        let object = self.names.object(actor, number);
        if let Some(story) = &mut self.story {
            story.name(object, name);
        }
        object
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

    /// Arms a timer of the task that runs, and returns its number.
    pub(super) fn arm(&mut self, deadline: Duration, waker: Waker) -> usize {
        let (number, armed_by) = (self.acting_number(), self.trace.steps().len() - 1);
        let task = &mut self.tasks[number];
        let actor = self.names.timer(task.actor, task.timers);
        task.timers += 1;
        self.touch(Touch::read(Object::CLOCK));
        self.tell(Beat::Arms { until: deadline });
        self.clock.arm(number, actor, deadline, armed_by, waker)
    }

    /// Looks at a timer that was armed. If it is still, it wakes this waker from now on.
    pub(super) fn rearm(&mut self, serial: usize, waker: &Waker) -> Sleeping {
        let number = self.acting_number();
        let Some(timer) = self.clock.armed(serial) else { return Sleeping::Fired };
        if timer.waker.will_wake(waker) {
            return Sleeping::Armed(None);
        }
        timer.task = number;
        let before = std::mem::replace(&mut timer.waker, waker.clone());
        self.touch(Touch::read(Object::CLOCK));
        Sleeping::Armed(Some(before))
    }

    /// Disarms a timer, if it is armed.
    pub(super) fn disarm(&mut self, serial: usize) -> Option<Waker> {
        let timer = self.clock.disarm(serial)?;
        self.touch(Touch::read(Object::CLOCK));
        self.trace.disarm(timer.deadline, timer.armed_by);
        Some(timer.waker)
    }

    /// A number below this one that depends on the seed, on who asks, and on how often it has asked before.
    pub(super) fn random(&mut self, below: u64) -> u64 {
        let seed = self.seed;
        let asking = self.acting();
        asking.draws += 1;
        let (actor, draws) = (asking.actor, asking.draws);
        scale(mix(mix(seed, self.names.identity(actor)), draws), below.max(1))
    }

    /// One of several.
    pub(super) fn choose(&mut self, of: usize, label: &'static str) -> usize {
        if of <= 1 {
            return 0;
        }
        let taken = self.strategy.choose(of, label);
        self.trace.choose(About::World, taken, of);
        self.tell(Beat::Chooses { label, taken, of });
        taken
    }

    /// Adds to the story, if it is told.
    pub(super) fn tell(&mut self, beat: Beat) {
        if let Some(story) = self.story.as_mut().filter(|_| self.is_running) {
            story.tell(self.trace.steps().len(), beat);
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

    fn acting_number(&self) -> usize {
        self.current.expect("only a step of a task asks for this")
    }

    fn acting(&mut self) -> &mut Task {
        let number = self.acting_number();
        &mut self.tasks[number]
    }
}
