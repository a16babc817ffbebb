//! One step: the kernel takes an event, and the world takes its effects.

use downbeat_kernel::{
    Config, Effect, Kernel, Outcome, SessionEvent, Source, TaskId, Then, WorkerEffect, WorkerEvent,
    WorkerPart, WorkerState,
};

use super::act::{Act, CHILD, TASK, Told};
use super::judgement::{CHILD_ENDED, Case};
use super::outside::{Armed, Breach, Outside, Running, sources};
use super::signs::Signs;
use super::world::{FOLLOWED, World, is_live};

/// What the kernel made of an act, before anything has gone out.
pub(super) struct Taken<'a> {
    config: &'a Config,
    before: &'a World,
    act: Act,
    /// Whether the kernel applied it.
    pub(super) is_applied: bool,
    /// What it ordered.
    pub(super) effects: Vec<Effect>,
    /// The kernel afterwards.
    pub(super) kernel: Kernel,
}

/// Gives the kernel of a world an event.
pub(super) fn take<'a>(config: &'a Config, before: &'a World, act: Act) -> Taken<'a> {
    let (mut kernel, mut effects) = (before.kernel(*config), Vec::new());
    let is_applied = kernel.step(act.event(), &mut effects) == Outcome::Applied;
    Taken { config, before, act, is_applied, effects, kernel }
}

impl Taken<'_> {
    /// The world when everything went out.
    pub(super) fn world(&self) -> World {
        self.as_counted().renumbered()
    }

    /// The same with its numbers as they came.
    pub(super) fn as_counted(&self) -> World {
        let mut after = held(&self.kernel);
        after.outsides = self.full(self.noted(&after), &after);
        after
    }

    /// The worlds when the process crashes after so many effects. What is on record with the event is not lost.
    pub(super) fn cuts(&self) -> impl Iterator<Item = World> {
        let after = held(&self.kernel);
        let noted = self.noted(&after);
        let full = self.full(noted.clone(), &after);
        (0..self.effects.len()).map(move |cut| {
            let mut scenes = noted.clone();
            let (released, lost) = self.effects.split_at(cut);
            for scene in &mut scenes {
                scene.release(released);
                lost.iter()
                    .filter(|effect| is_on_record(effect))
                    .for_each(|effect| scene.release_one(effect));
            }
            restarted(&self.kernel, &full, scenes)
        })
    }

    /// The outsides when they know of the event, and nothing has gone out.
    fn noted(&self, after: &World) -> Vec<Scene> {
        let mut scenes = scenes(self.config, self.before);
        for scene in &mut scenes {
            scene.note_wish(self.before, self.act);
        }
        if !self.is_applied {
            return scenes;
        }
        for scene in &mut scenes {
            scene.note(self.before, self.act);
        }
        let child_ended = self.before.has_live_child() && !after.has_live_child();
        if child_ended && self.before.takes_entries() && after.takes_entries() {
            scenes[0].outside.owed.insert(CHILD_ENDED);
        }
        scenes
    }

    /// The outsides when everything has gone out, and what is to be said against that.
    fn full(&self, noted: Vec<Scene>, after: &World) -> Vec<Outside> {
        let Self { config, before, act, is_applied, ref effects, .. } = *self;
        let judged = noted.into_iter().map(|mut scene| {
            let of = scene.of;
            scene.release(effects);
            let mut outside = scene.whole();
            Case { config, before, of, act, is_applied, effects, after }.judge(&mut outside);
            outside
        });
        judged.collect()
    }
}

/// What the kernel holds, and nothing of what the outside knows.
fn held(kernel: &Kernel) -> World {
    let highest = kernel.highest().unwrap_or(TASK);
    World { tasks: kernel.tasks().cloned().collect(), highest, outsides: Vec::new() }
}

/// The outsides of a world before anything happens.
fn scenes(config: &Config, world: &World) -> Vec<Scene> {
    world.followed().map(|(of, outside)| Scene::new(*config, of, outside.clone())).collect()
}

/// The world after a crash at rest.
pub(super) fn crashed(config: &Config, world: &World) -> World {
    restarted(&world.kernel(*config), &world.outsides, scenes(config, world))
}

/// Whether somebody wants a worker held that has not ended, and names a turn that it has or had.
pub(super) fn wants_hold(before: &World, act: Act) -> bool {
    let Told::Worker(WorkerEvent::InterruptRequested { turn, then: Then::Hold }) = act.told else {
        return false;
    };
    let worker = before.worker(act.of).filter(|worker| is_live(worker.state));
    worker.is_some_and(|worker| turn.0 > 0 && turn <= worker.data.turn)
}

/// Whether it is no order: whoever writes the journal has it there with the event that makes it.
fn is_on_record(effect: &Effect) -> bool {
    matches!(effect, Effect::Worker { effect: WorkerEffect::Acknowledge { .. }, .. })
}

/// Iterators and timers are gone, and the kernel repeats what is outstanding: all that would be if everything had gone out.
fn restarted(kernel: &Kernel, full: &[Outside], scenes: Vec<Scene>) -> World {
    let mut world = held(kernel);
    let outsides = scenes.into_iter().zip(full).map(|(scene, full)| scene.restarted(kernel, &world, full));
    world.outsides = outsides.collect();
    world.renumbered()
}

/// The outside of one worker while effects go out.
#[derive(Clone)]
pub(super) struct Scene {
    config: Config,
    /// The task of the worker.
    pub(super) of: TaskId,
    pub(super) outside: Outside,
    /// The parts of the prompt to come.
    pub(super) parts: Vec<WorkerPart>,
    /// What the prompt contained that was answered just now.
    pub(super) answered: Vec<Source>,
}

impl Scene {
    fn new(config: Config, of: TaskId, outside: Outside) -> Self {
        Self { config, of, outside, parts: Vec::new(), answered: Vec::new() }
    }

    /// The outside of its worker after a restart.
    fn restarted(mut self, kernel: &Kernel, world: &World, full: &Outside) -> Outside {
        let outside = &mut self.outside;
        outside.timers.clear();
        outside.asks.clear();
        outside.reports.clear();
        outside.iterators.iter_mut().for_each(|(_, running)| *running = Running::Lost);
        for (breach, how) in full.broken.iter().copied() {
            outside.breach(breach, true, how);
        }
        outside.check = None;
        if world.task(self.of).is_some() {
            // It is told again, once.
            outside.end = None;
        }
        // They were for a prompt that did not go out.
        self.parts.clear();
        let mut effects = Vec::new();
        kernel.resync(&mut effects);
        self.release(&effects);
        let mut outside = self.outside;
        // What was decided is on record, whether its orders went out or not.
        (outside.signs, outside.failures, outside.spent) = (full.signs, full.failures, full.spent);
        outside.judge_restart(full, world.standing(self.of) == Some(WorkerState::Executing));
        // Where nobody is asked again, the answer to the question of before may still come.
        outside.check = full.check;
        outside
    }

    /// A person who wants a hold wants it whatever the worker makes of that.
    fn note_wish(&mut self, before: &World, act: Act) {
        self.outside.held |= act.of == self.of && wants_hold(before, act);
    }

    fn note(&mut self, before: &World, act: Act) {
        if act.of == self.of {
            self.note_told(act.told);
        } else if let (CHILD, Told::Worker(WorkerEvent::Reported { number })) = (act.of, act.told)
            && before.takes_entries()
        {
            self.outside.owed.insert(Source::ChildReported { child: CHILD, number });
        }
    }

    fn note_told(&mut self, told: Told) {
        let outside = &mut self.outside;
        match told {
            Told::Message(message) => {
                let is_next = message.0 == outside.written + 1;
                outside.breach(Breach::S5, !is_next, "a message was accepted twice, or out of order");
                outside.written = outside.written.max(message.0);
                outside.owed.insert(Source::Message(message));
            }
            Told::Pause => outside.held = true,
            Told::Resume => outside.held = false,
            Told::Cancel => outside.ending = true,
            Told::Worker(event) => self.note_worker(event),
            // That the end is on record says so of the reports too, and nobody asks about the rest.
            Told::Recorded => {
                outside.reports.clear();
                (outside.check, outside.given, outside.signs) = (None, None, Signs::default());
            }
            Told::Subtask(_) | Told::Admitted | Told::Deployed => {}
        }
    }

    fn note_worker(&mut self, event: WorkerEvent) {
        let (outside, config) = (&mut self.outside, &self.config);
        match event {
            WorkerEvent::Session(event) => self.note_session(event),
            WorkerEvent::TimerFired { timer } => {
                outside.timers.remove(&Armed::Worker(timer));
            }
            WorkerEvent::AnswerReceived { approval, .. } => {
                let was_open = outside.asks.remove(&approval);
                outside.breach(Breach::S6, !was_open, "an answer was taken to what nobody was asked");
            }
            WorkerEvent::ApprovalRequested { approval } => {
                let waits = outside.has_prompt(approval.prompt);
                outside.breach(Breach::S6, !waits, "a question was taken for a prompt that no agent has");
            }
            WorkerEvent::Observed { prompt, sign } => {
                let works = outside.has_prompt(prompt);
                outside.breach(Breach::Stale, !works, "a sign was taken for a prompt that no agent has");
                outside.signs = outside.signs.after(sign, config);
            }
            WorkerEvent::ProgressReported { check } => {
                let is_open = outside.check.take() == Some(check);
                outside.breach(
                    Breach::Stale,
                    !is_open,
                    "an answer was taken to another question about progress",
                );
                outside.signs = outside.signs.after_progress(config);
            }
            WorkerEvent::ReportAcknowledged { number } => outside.reports.retain(|report| *report > number),
            WorkerEvent::WrapUpRequested => {
                outside.held = false;
                outside.ending = true;
                let is_new = outside.owed.insert(Source::WrapUp);
                outside.breach(Breach::S5, !is_new, "a second wish to finish was taken");
            }
            WorkerEvent::CompleteRequested => outside.ending = true,
            WorkerEvent::Reported { .. }
            | WorkerEvent::InterruptRequested { .. }
            | WorkerEvent::Assigned
            | WorkerEvent::MessageReceived { .. }
            | WorkerEvent::ChildReported { .. }
            | WorkerEvent::ChildEnded { .. }
            | WorkerEvent::PauseRequested
            | WorkerEvent::ResumeRequested
            | WorkerEvent::BudgetSpent
            | WorkerEvent::BudgetGranted
            | WorkerEvent::KillRequested
            | WorkerEvent::EndAcknowledged => {}
        }
    }

    fn note_session(&mut self, event: SessionEvent) {
        let outside = &mut self.outside;
        match event {
            SessionEvent::Started { iterator } => {
                let is_due = outside.running(iterator) == Some(Running::Ordered);
                outside.breach(Breach::S11, !is_due, "an iterator was taken to run that was not ordered");
                outside.set(iterator, Running::Listens);
            }
            SessionEvent::Answered { iterator, prompt } => {
                let is_its_own = outside.running(iterator) == Some(Running::Works(prompt));
                outside.breach(Breach::S11, !is_its_own, "a prompt was settled by what is not its answer");
                outside.set(iterator, Running::Listens);
                self.note_answer();
            }
            SessionEvent::IteratorEnded { iterator, .. } => {
                let known = outside.running(iterator);
                outside.breach(Breach::S11, known.is_none(), "an iterator ended twice");
                outside.forget(iterator);
            }
            SessionEvent::StopElapsed { iterator } => {
                outside.timers.remove(&Armed::Stop(iterator));
            }
            SessionEvent::Invoked { .. }
            | SessionEvent::AbortRequested { .. }
            | SessionEvent::RestartRequested
            | SessionEvent::CloseRequested => {
                outside.breach(Breach::S11, true, "somebody told the session what only its worker may");
            }
        }
    }

    fn note_answer(&mut self) {
        let given = self.outside.given.take();
        self.answered = given.iter().flat_map(|given| sources(&given.parts)).collect();
        let asks_only = given.is_some_and(|given| !given.parts.contains(&WorkerPart::Prompt));
        let outside = &mut self.outside;
        outside.inquired = asks_only && self.answered == [Source::Inquiry];
        outside.answered = true;
        outside.check = None;
        outside.signs = Signs::of_an_answer();
        (outside.failures, outside.spent) = (0, false);
    }
}

impl Outside {
    /// What a restart repeats is what was outstanding.
    fn judge_restart(&mut self, full: &Self, executes: bool) {
        let other_timers = self.timers != full.timers;
        self.breach(Breach::Orders, other_timers, "a restart arms other timers than there were");
        let other_asks = self.asks != full.asks;
        self.breach(Breach::Orders, other_asks, "a restart asks a person something else");
        let other_reports = self.reports != full.reports;
        self.breach(Breach::Orders, other_reports, "a restart forgets a report, or repeats another");
        let other_end = self.end != full.end;
        self.breach(Breach::Orders, other_end, "a restart forgets the end of the task, or tells another");
        let other_entries = self.owed != full.owed;
        self.breach(Breach::S5, other_entries, "what the worker owes is something else after a restart");
        let other_check = executes && self.check != full.check;
        let how = "a restart does not ask again about progress, or asks something else";
        self.breach(Breach::Orders, other_check, how);
    }
}

/// The world at the beginning, after these effects, where so many of the agents work.
pub(super) fn opened(config: &Config, kernel: &Kernel, effects: &[Effect], agents: usize) -> World {
    let mut world = held(kernel);
    let opened = FOLLOWED.into_iter().take(agents).map(|of| {
        let mut scene = Scene::new(*config, of, Outside::default());
        scene.release(effects);
        scene.outside
    });
    world.outsides = opened.collect();
    world.renumbered()
}
