//! Virtual time, and the timers that are armed.
//!
//! Time stands still until a timer fires, and is then the deadline of that timer. Only a timer with the earliest deadline may fire;
//! of several with the same, any. It may do so whoever else could go on: nothing bounds how long a task that is ready waits. So a
//! timer may beat a message that is on its way, and never a timer that is due before it.

use std::task::Waker;
use std::time::Duration;

use super::names::Actor;

#[derive(Debug, Default)]
pub(super) struct Clock {
    now: Duration,
    /// By deadline, and those with the same in the order in which they were armed.
    armed: Vec<Timer>,
    /// How many were armed so far.
    serial: usize,
}

#[derive(Debug)]
pub(super) struct Timer {
    /// Its number in this execution.
    pub(super) serial: usize,
    pub(super) actor: Actor,
    /// Whose it is, by the number of the task in this execution.
    pub(super) task: usize,
    pub(super) deadline: Duration,
    pub(super) waker: Waker,
}

impl Clock {
    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// Arms a timer and returns its number.
    pub(super) fn arm(&mut self, task: usize, actor: Actor, deadline: Duration, waker: Waker) -> usize {
        let serial = self.serial;
        self.serial += 1;
        let place = self.armed.partition_point(|timer| timer.deadline <= deadline);
        self.armed.insert(place, Timer { serial, actor, task, deadline, waker });
        serial
    }

    /// The timer with this number, if it has neither fired nor been disarmed.
    pub(super) fn armed(&mut self, serial: usize) -> Option<&mut Timer> {
        self.armed.iter_mut().find(|timer| timer.serial == serial)
    }

    pub(super) fn disarm(&mut self, serial: usize) -> Option<Timer> {
        let place = self.armed.iter().position(|timer| timer.serial == serial)?;
        Some(self.armed.remove(place))
    }

    /// The timers that may fire.
    pub(super) fn due(&self) -> &[Timer] {
        let Some(first) = self.armed.first() else { return &[] };
        let due = self.armed.iter().take_while(|timer| timer.deadline == first.deadline).count();
        &self.armed[..due]
    }

    /// One of [`Self::due`] fires, and it is so late.
    pub(super) fn fire(&mut self, due: usize) -> Timer {
        let timer = self.armed.remove(due);
        self.now = self.now.max(timer.deadline);
        timer
    }

    /// Forgets everything, and moves the wakers to where they are dropped later.
    pub(super) fn clear(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.armed.drain(..).map(|timer| timer.waker));
        self.now = Duration::ZERO;
        self.serial = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_deadline_is_first_and_time_is_its() {
        let mut clock = Clock::default();
        let ms = Duration::from_millis;
        for (task, deadline) in [(0, 20), (1, 10), (2, 10), (3, 30)] {
            clock.arm(task, Actor::ROOT, ms(deadline), Waker::noop().clone());
        }
        let due = |clock: &Clock| clock.due().iter().map(|timer| timer.task).collect::<Vec<_>>();
        assert_eq!(due(&clock), [1, 2]);
        assert_eq!((clock.fire(1).task, clock.now(), due(&clock)), (2, ms(10), vec![1]));
        assert!(clock.disarm(1).is_some() && clock.armed(1).is_none());
        assert_eq!((due(&clock), clock.now()), (vec![0], ms(10)));
        assert_eq!((clock.fire(0).task, clock.now(), due(&clock)), (0, ms(20), vec![3]));
        clock.clear(&mut Vec::new());
        assert_eq!((due(&clock), clock.now()), (vec![], Duration::ZERO));
    }
}
