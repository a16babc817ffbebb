//! What a trace leaves open when it ends.

use super::task::Task;
use super::{Breach, Moment, Monitor, Open, Waits};
use crate::event::{Event, Field};
use crate::fault::Fault;
use crate::name::Key;
use crate::read::Place;

impl Monitor {
    /// The live tasks, and what each waits for. In the order of when they were last heard of.
    pub fn open(&self) -> Vec<Open> {
        let of = |(name, task): (&Key, &Task)| Open {
            task: name.to_string(),
            waits: waits(task),
            last: task.last,
        };
        let mut open: Vec<_> = self.tasks.iter().map(of).collect();
        open.sort_by_key(|open| open.last.place);
        open
    }

    /// What is broken by that a trace has ended, and nothing comes after it: one of each promise, the first.
    pub(super) fn unended(&self) -> Vec<Breach> {
        let first = |is_broken: fn(&Task) -> bool| {
            let sure = self.tasks.iter().filter(|(_, task)| self.is_surely_live(task));
            let broken = sure.filter(|(_, task)| is_broken(task));
            broken.min_by_key(|(_, task)| task.last.place).map(|(name, task)| (name, task.last))
        };
        let at_the_end = Moment { place: Place::default(), at_ms: self.last_ms };
        let lost = self
            .ended
            .iter()
            .find(|(_, gone)| gone.messages.first().is_some())
            .map(|(name, _)| (name, at_the_end));
        let mut refreshing: Vec<_> = self
            .credentials
            .iter()
            .filter(|(_, credential)| credential.is_refreshing())
            .map(|(name, _)| name)
            .collect();
        refreshing.sort();
        let refreshing = refreshing.first().map(|name| (*name, at_the_end));
        let broken = [
            (Fault::MessageDropped, lost),
            (Fault::StoppedAnother, first(|task| task.requests.is_stopped_by_nobody())),
            (Fault::Unended, first(|task| !is_with_person(&waits(task)))),
            (Fault::CancelUnended, first(|task| task.is_cancelled)),
            (Fault::RefreshUnended, refreshing),
        ];
        let told = |(fault, broken): (Fault, Option<(&Key, Moment)>)| {
            broken.map(|(of, moment)| self.told(fault, moment, of))
        };
        broken.into_iter().filter_map(told).collect()
    }

    /// Whether a task has not ended: one of which something came after it was forgotten may have.
    fn is_surely_live(&self, task: &Task) -> bool {
        task.is_born || !self.has_forgotten
    }

    /// Whether there is a task of which nobody knows whether it has ended.
    pub(super) fn open_is_unsure(&self) -> bool {
        self.has_forgotten && self.tasks.values().any(|task| !task.is_born)
    }

    fn told(&self, fault: Fault, moment: Moment, of: &Key) -> Breach {
        let is_told = |event: &Event<'_>| {
            [Field::Task, Field::Credential]
                .iter()
                .any(|field| event.get(*field).is_some_and(|name| of == name))
        };
        let context = self.recent.last(super::CONTEXT_MAX, is_told);
        Breach { fault, moment, of: of.to_string(), context, count: 1 }
    }
}

fn waits(task: &Task) -> Waits {
    if task.requests.in_flight() > 0 {
        return Waits::Model(task.requests.in_flight());
    }
    if let Some(question) = task.questions.first() {
        return Waits::Person(question.to_string());
    }
    if task.is_paused {
        return Waits::Paused;
    }
    if let Some(call) = task.calls.first() {
        return Waits::Call(call.to_string());
    }
    if let Some(child) = task.live.values().next() {
        return Waits::Subtask(child.to_string());
    }
    if let Some(child) = task.owed.first() {
        return Waits::Result(child.name.to_string());
    }
    if let Some(message) = task.messages.first() {
        return Waits::Message(message.to_string());
    }
    Waits::Nothing
}

/// Whether a task may rest like this: a person has to do something, or another task that is judged by itself.
fn is_with_person(waits: &Waits) -> bool {
    match waits {
        Waits::Person(_) | Waits::Paused | Waits::Subtask(_) => true,
        Waits::Model(_) | Waits::Call(_) | Waits::Result(_) | Waits::Message(_) | Waits::Nothing => false,
    }
}
