//! Who is who, in every execution of a program: actors and the objects that they share, by descent.
//!
//! A task is named by its parent and by how many its parent had spawned before, a timer by its task and by how many that had armed
//! before, an object by the task that made it. So the names do not depend on who went first, and what was learned of an actor in
//! one execution is true of it in another one with the same past.

use super::footprint::Object;
use super::mix::mix;

/// A task, or a timer that was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Actor(u32);

impl Actor {
    /// The task that the others descend from.
    pub(super) const ROOT: Self = Self(0);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names that were given so far. They are dense, and the same in all executions of one search.
#[derive(Debug)]
pub(super) struct Names {
    actors: Vec<Named>,
    /// The identity of each object.
    objects: Vec<u64>,
    /// The parts of each object.
    parts: Vec<Vec<Object>>,
}

#[derive(Debug)]
struct Named {
    /// The descent as a number: the same in every search.
    identity: u64,
    children: Vec<Actor>,
    timers: Vec<Actor>,
    objects: Vec<Object>,
    readiness: Object,
    end: Object,
}

/// What sets apart the descendants of one task that have the same number.
#[derive(Clone, Copy)]
enum Kind {
    Child = 1,
    Timer,
    Object,
    Readiness,
    End,
    Part,
}

impl Names {
    pub(super) fn new() -> Self {
        let mut names = Self { actors: Vec::new(), objects: vec![mix(1, 1)], parts: vec![Vec::new()] };
        names.actor(mix(2, 2));
        names
    }

    /// The task that this one spawns after so many others.
    pub(super) fn child(&mut self, parent: Actor, number: usize) -> Actor {
        if let Some(known) = self.actors[parent.index()].children.get(number) {
            return *known;
        }
        let child = self.actor(self.descent(parent, Kind::Child, number));
        self.actors[parent.index()].children.push(child);
        child
    }

    /// The timer that this task arms after so many others.
    pub(super) fn timer(&mut self, task: Actor, number: usize) -> Actor {
        if let Some(known) = self.actors[task.index()].timers.get(number) {
            return *known;
        }
        let timer = self.actor(self.descent(task, Kind::Timer, number));
        self.actors[task.index()].timers.push(timer);
        timer
    }

    /// The object that this task makes after so many others.
    pub(super) fn object(&mut self, task: Actor, number: usize) -> Object {
        if let Some(known) = self.actors[task.index()].objects.get(number) {
            return *known;
        }
        let object = self.new_object(self.descent(task, Kind::Object, number));
        self.actors[task.index()].objects.push(object);
        object
    }

    /// The part of an object with this number.
    pub(super) fn part(&mut self, object: Object, number: usize) -> Object {
        while self.parts[object.index()].len() <= number {
            let before = self.parts[object.index()].len() as u64;
            let part = mix(self.objects[object.index()], before << 3 | Kind::Part as u64);
            let part = self.new_object(part);
            self.parts[object.index()].push(part);
        }
        self.parts[object.index()][number]
    }

    /// Whether a task is to go on, as an object: whoever wakes it reads it, and its own steps write it.
    pub(super) fn readiness(&self, task: Actor) -> Object {
        self.actors[task.index()].readiness
    }

    /// How a task has ended, as an object.
    pub(super) fn end(&self, task: Actor) -> Object {
        self.actors[task.index()].end
    }

    pub(super) fn identity(&self, actor: Actor) -> u64 {
        self.actors[actor.index()].identity
    }

    pub(super) fn identity_of_object(&self, object: Object) -> u64 {
        self.objects[object.index()]
    }

    pub(super) fn actors(&self) -> usize {
        self.actors.len()
    }

    pub(super) fn objects(&self) -> usize {
        self.objects.len()
    }

    fn descent(&self, parent: Actor, kind: Kind, number: usize) -> u64 {
        mix(self.actors[parent.index()].identity, (number as u64) << 3 | kind as u64)
    }

    fn actor(&mut self, identity: u64) -> Actor {
        let actor = Actor(u32::try_from(self.actors.len()).expect("fewer than 2^32 actors fit in memory"));
        let readiness = self.new_object(mix(identity, Kind::Readiness as u64));
        let end = self.new_object(mix(identity, Kind::End as u64));
        let (children, timers, objects) = (Vec::new(), Vec::new(), Vec::new());
        self.actors.push(Named { identity, children, timers, objects, readiness, end });
        actor
    }

    fn new_object(&mut self, identity: u64) -> Object {
        self.objects.push(identity);
        self.parts.push(Vec::new());
        Object::numbered(self.objects.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_depends_on_descent_and_not_on_who_came_first() {
        let (mut early, mut late) = (Names::new(), Names::new());
        let first = early.child(Actor::ROOT, 0);
        let second = early.child(Actor::ROOT, 1);
        let grandchild = early.child(first, 0);

        let first_late = late.child(Actor::ROOT, 0);
        let grandchild_late = late.child(first_late, 0);
        let second_late = late.child(Actor::ROOT, 1);
        let pairs = [(first, first_late), (second, second_late), (grandchild, grandchild_late)];
        for (one, other) in pairs {
            assert_eq!(early.identity(one), late.identity(other));
        }
        assert_ne!(second, second_late, "dense numbers do depend on it");
        assert_eq!(early.child(Actor::ROOT, 1), second, "and stay");
    }

    #[test]
    fn descendants_of_one_task_with_the_same_number_differ() {
        let mut names = Names::new();
        let (child, timer) = (names.child(Actor::ROOT, 0), names.timer(Actor::ROOT, 0));
        assert_ne!(names.identity(child), names.identity(timer));
        let object = names.object(Actor::ROOT, 0);
        let identities = [object, names.readiness(child), names.end(child), names.readiness(timer)]
            .map(|object| names.identity_of_object(object));
        assert!(identities.iter().enumerate().all(|(at, one)| !identities[..at].contains(one)));
    }
}
