//! What the kernel orders, and what that is outside.

use downbeat_kernel::{
    Concern, Effect, End, PromptId, SessionEffect, Source, WorkerEffect, WorkerPart, WorkerTimer,
};

use super::act::CHILD;
use super::outside::{Armed, Breach, Given, Outside, Running, sources};
use super::step::Scene;

impl Scene {
    /// Carries out effects in their order.
    pub(super) fn release(&mut self, effects: &[Effect]) {
        for effect in effects {
            self.release_one(effect);
        }
    }

    /// Carries out one effect, as far as it is for this worker.
    pub(super) fn release_one(&mut self, effect: &Effect) {
        match *effect {
            Effect::Worker { task, effect } if task == self.of => self.carry_out(effect),
            Effect::Worker { task: CHILD, effect: WorkerEffect::Report { number } } => {
                // Somebody else takes it there: whether that is in order, is judged where the workers are known.
                self.outside.owed.remove(&Source::ChildReported { child: CHILD, number });
            }
            Effect::TaskEnded { task, end } if task == self.of => self.ended(end),
            // Of another task nothing is of interest but its reports.
            Effect::Worker { .. }
            | Effect::TaskEnded { .. }
            | Effect::Enqueue { .. }
            | Effect::Dequeue { .. }
            | Effect::Initialize { .. }
            | Effect::AbortInitialization { .. }
            | Effect::Include { .. }
            | Effect::Request { .. }
            | Effect::RunTool { .. }
            | Effect::CancelTool { .. }
            | Effect::Ask { .. }
            | Effect::Withdraw { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::ReportUndelivered { .. } => {}
        }
    }

    /// The outside when everything has gone out.
    pub(super) fn whole(mut self) -> Outside {
        let is_left = !self.answered.is_empty();
        self.outside.breach(Breach::S5, is_left, "an entry was answered, and not acknowledged");
        self.outside
    }

    fn carry_out(&mut self, effect: WorkerEffect) {
        let outside = &mut self.outside;
        match effect {
            WorkerEffect::Include { part } => self.parts.push(part),
            WorkerEffect::Session(effect) => self.carry_out_session(effect),
            WorkerEffect::Acknowledge { source } => self.acknowledge(source),
            WorkerEffect::ReportUndelivered { source, in_doubt } => {
                let may_be_read = outside.is_given(source);
                outside.breach(
                    Breach::S5,
                    may_be_read && !in_doubt,
                    "an entry was in a prompt, and is reported as unread",
                );
                outside.owed.remove(&source);
            }
            WorkerEffect::AskProgress { check } => {
                outside.check = Some(check);
                outside.signs.asked = true;
            }
            WorkerEffect::Ask { approval } => {
                let is_new = outside.asks.insert(approval);
                outside.order(is_new, "a person is asked twice");
            }
            WorkerEffect::Withdraw { approval } => {
                let was_open = outside.asks.remove(&approval);
                outside.order(was_open, "a question is withdrawn that was not open");
            }
            WorkerEffect::Report { number } => {
                let is_new = outside.reports.insert(number);
                outside.order(is_new, "a report is given twice");
            }
            WorkerEffect::Arm { timer, .. } => {
                let is_new = outside.timers.insert(Armed::Worker(timer));
                outside.order(is_new, "a timer is armed that runs");
                outside.signs.active &= !matches!(timer, WorkerTimer::Watch(_));
            }
            WorkerEffect::Disarm { timer } => {
                let ran = outside.timers.remove(&Armed::Worker(timer));
                outside.order(ran, "a timer is disarmed that does not run");
            }
            // What it was asked before it was interrupted is void.
            WorkerEffect::Warn { concern: Concern::Stuck } => outside.check = None,
            WorkerEffect::Warn { concern: Concern::Looping | Concern::Errors } => {}
            WorkerEffect::Answer { .. } => {
                let waits = outside.working().is_some() || outside.has_lost();
                outside.breach(Breach::S6, !waits, "an agent that has no prompt is given an answer");
            }
            WorkerEffect::WorkerEnded { .. } => {
                outside.order(false, "the end of the worker is told beside that of its task");
            }
        }
    }

    fn acknowledge(&mut self, source: Source) {
        let was_answered = self.answered.contains(&source);
        self.answered.retain(|answered| *answered != source);
        let was_owed = self.outside.owed.remove(&source);
        let ought = was_answered && was_owed;
        self.outside.breach(
            Breach::S5,
            !ought,
            "an entry was acknowledged that no prompt contained which is answered",
        );
    }

    fn carry_out_session(&mut self, effect: SessionEffect) {
        let outside = &mut self.outside;
        match effect {
            SessionEffect::Start { iterator } => {
                // What a crash took does not run beside it.
                outside.iterators.retain(|(_, running)| *running != Running::Lost);
                outside.breach(
                    Breach::S10,
                    !outside.iterators.is_empty(),
                    "an iterator is started beside another",
                );
                outside.set(iterator, Running::Ordered);
            }
            SessionEffect::Prompt { iterator, prompt } => {
                match outside.running(iterator) {
                    Some(Running::Listens) => outside.set(iterator, Running::Works(prompt)),
                    // It cannot be given anything, and its end says so.
                    Some(Running::Lost) => {}
                    Some(Running::Ordered | Running::Works(_) | Running::Stops) | None => {
                        outside.breach(
                            Breach::S10,
                            true,
                            "an iterator is given a prompt that cannot take one",
                        );
                    }
                }
                let parts = std::mem::take(&mut self.parts);
                self.outside.give(prompt, parts);
            }
            SessionEffect::Stop { iterator } => {
                let known = outside.running(iterator);
                let is_new = known.is_some() && known != Some(Running::Stops);
                outside.order(is_new, "an iterator is told to stop that was told, or is gone");
                if known != Some(Running::Lost) {
                    outside.set(iterator, Running::Stops);
                }
            }
            SessionEffect::Kill { iterator } => outside.forget(iterator),
            SessionEffect::Arm { iterator, .. } => {
                let is_new = outside.timers.insert(Armed::Stop(iterator));
                outside.order(is_new, "the time to stop is given twice");
            }
            SessionEffect::Disarm { iterator } => {
                let ran = outside.timers.remove(&Armed::Stop(iterator));
                outside.order(ran, "the time to stop is taken back that was not given");
            }
            SessionEffect::Settle { .. } | SessionEffect::Closed => {
                outside.order(false, "what is for the worker goes out");
            }
        }
    }

    fn ended(&mut self, end: End) {
        let outside = &mut self.outside;
        outside.breach(Breach::S7, outside.end.is_some(), "the task ended twice");
        outside.breach(
            Breach::S5,
            !outside.owed.is_empty(),
            "an entry is left that was neither answered nor reported",
        );
        let waits = !outside.timers.is_empty() || !outside.asks.is_empty();
        outside.breach(Breach::S9, waits, "a timer or a question outlives the task");
        let lives = outside.iterators.iter().any(|(_, running)| *running != Running::Lost);
        outside.breach(Breach::S9, lives, "an iterator outlives the task");
        outside.end = Some(end);
    }
}

impl Outside {
    /// An order that has to change something.
    fn order(&mut self, has_changed: bool, how: &'static str) {
        self.breach(Breach::Orders, !has_changed, how);
    }

    /// A prompt. One that comes again is the same; another contains what came to nothing before, and everything new.
    fn give(&mut self, prompt: PromptId, parts: Vec<WorkerPart>) {
        let before = self.given.replace(Given { prompt, parts });
        let Some(given) = self.given.clone() else { return };
        let entries: Vec<Source> = sources(&given.parts).collect();
        if entries.contains(&Source::Inquiry) {
            self.owed.insert(Source::Inquiry);
        }
        match before {
            Some(before) if before.prompt == prompt => {
                self.breach(Breach::Resumed, before != given, "a prompt is given again with another content");
            }
            Some(before) => self.judge_resumed(&before, &given),
            None => self.judge_fresh(&given.parts),
        }
        self.judge_entries(&entries);
    }

    /// S12: all of it is there again, in front, and the agent is told so.
    fn judge_resumed(&mut self, before: &Given, now: &Given) {
        let unmarked = |given: &Given| -> Vec<WorkerPart> {
            given.parts.iter().copied().filter(|part| *part != WorkerPart::Resumed).collect()
        };
        let is_front = unmarked(now).starts_with(&unmarked(before));
        self.breach(Breach::Resumed, !is_front, "what came to nothing is not in front of the next prompt");
        let is_marked = now.parts.first() == Some(&WorkerPart::Resumed);
        self.breach(Breach::Resumed, !is_marked, "the agent is not told that a prompt is resumed");
    }

    fn judge_fresh(&mut self, parts: &[WorkerPart]) {
        let lacks = !self.answered && !parts.contains(&WorkerPart::Prompt);
        self.breach(Breach::S5, lacks, "the prompt of the task is left out");
        let again = sources(parts).eq([Source::Inquiry]) && self.inquired;
        self.breach(
            Breach::Escalation,
            again,
            "the worker has answered an inquiry, nothing is new, and it is asked again",
        );
    }

    fn judge_entries(&mut self, entries: &[Source]) {
        let messages: Vec<&Source> =
            entries.iter().filter(|entry| matches!(entry, Source::Message(_))).collect();
        self.breach(Breach::S5, !messages.is_sorted(), "messages are given out of order");
        let doubled = (1..entries.len()).any(|place| entries[..place].contains(&entries[place]));
        self.breach(Breach::S5, doubled, "an entry is given twice in one prompt");
    }
}
