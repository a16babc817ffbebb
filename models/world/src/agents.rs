//! The agents of a pool, of which one may die.

use std::future::{pending, ready};

use downbeat_kernel::{QuestionEnd, QuestionNumber, TaskId};
use downbeat_rt::Cell;
use downbeat_shell::{Agents, Container, Doing, Seat, Sign, Text, Trial};

use crate::host::Host;
use crate::marks::{Mark, Marks};
use crate::pause::pause;

/// The agents. None says that it lives: how long a lease lasts is the pool's business, and whether that time ever comes the scene's.
pub(crate) struct Fleet {
    world: Host,
    /// How many may still die.
    deaths: Cell<u32>,
    marks: Marks,
}

impl Fleet {
    pub(crate) fn new(world: &Host, deaths: u32, marks: &Marks) -> Self {
        Self { world: world.clone(), deaths: world.rt().cell("deaths", deaths), marks: marks.clone() }
    }

    /// Whether an agent that is given a task dies with it.
    fn dies(world: &Host, deaths: &Cell<u32>) -> bool {
        let may_die = deaths.read(|left| *left > 0);
        // On several threads two may come to that at once.
        may_die
            && world.happens("an agent dies")
            && deaths.with(|left| left.checked_sub(1).map(|less| *left = less)).is_some()
    }
}

impl Agents for Fleet {
    fn start(&self, _container: Container) -> Doing<bool> {
        Box::pin(ready(true))
    }

    fn remove(&self, _container: Container) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn attend(&self, _seat: Seat, _settled: Option<QuestionNumber>) -> Doing<Sign> {
        let (world, deaths, marks) = (self.world.clone(), self.deaths.clone(), self.marks.clone());
        Box::pin(async move {
            if Self::dies(&world, &deaths) {
                pause().await;
                marks.hit(Mark::AgentDied);
                return Sign::Gone;
            }
            pending().await
        })
    }

    fn answer(&self, _seat: Seat, _number: QuestionNumber, _end: QuestionEnd, _answer: Text) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn stop(&self, _seat: Seat) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn clean(&self, _seat: Seat) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn prepare(&self, _task: TaskId, _trial: Trial, _seat: Option<Seat>) -> Doing<bool> {
        Box::pin(ready(true))
    }
}
