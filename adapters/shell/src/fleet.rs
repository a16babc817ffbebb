//! What the pool of a shard orders, done: containers come and go, and roots get their places.

use crate::act::{Actor, Under, Work, contained};
use crate::agents::{Container, Seat, Sign};
use crate::fact::{Fact, Told};
use crate::known::Known;
use crate::shard::Letter;
use downbeat_kernel::{
    AgentId, CallId, Event, Lease, PoolEffect, PoolEvent, PoolTimer, QuestionEvent, QuestionKey, TaskId,
    WorkEnd,
};
use downbeat_wiring::{ended_in_pool, tool_lost};

impl Actor {
    pub(crate) fn seat(&self, agent: AgentId, lease: Lease) -> Seat {
        Seat { container: Container { shard: self.shard, agent }, lease }
    }

    /// An order of the pool.
    pub(crate) async fn of_pool(&mut self, effect: PoolEffect, known: &Known) {
        let container = |agent| Container { shard: self.shard, agent };
        match effect {
            PoolEffect::Provision { agent } => {
                let started = self.ports.agents.start(container(agent));
                self.begin(Work::Start(agent), "agent", async move {
                    // Of one that panics nobody knows what there is: its time runs out, and it is removed.
                    let said = |is_there| {
                        if is_there { PoolEvent::Started { agent } } else { PoolEvent::Gone { agent } }
                    };
                    contained(started)
                        .await
                        .map(|is_there| (Fact::Pool(said(is_there)), vec![]))
                        .into_iter()
                        .collect()
                });
            }
            PoolEffect::Retire { agent } => self.remove(agent).await,
            PoolEffect::Assign { agent, lease } => {
                self.stop(&Work::Attend(agent)).await;
                self.attend(self.seat(agent, lease));
                self.tell(Event::Admitted { task: lease.task });
            }
            PoolEffect::Stop { agent, lease } => {
                self.stop(&Work::Attend(agent)).await;
                let stopped = self.ports.agents.stop(self.seat(agent, lease));
                let event = PoolEvent::WorkEnded { agent, lease, end: WorkEnd::Returned };
                self.begin(Work::Stop(agent), "stop", async move {
                    contained(stopped).await.map(|()| (Fact::Pool(event), vec![])).into_iter().collect()
                });
            }
            PoolEffect::Clean { agent, lease } => {
                let cleaned = self.ports.agents.clean(self.seat(agent, lease));
                let event = PoolEvent::Cleaned { agent, lease };
                self.begin(Work::Clean(agent), "clean", async move {
                    contained(cleaned).await.map(|()| (Fact::Pool(event), vec![])).into_iter().collect()
                });
            }
            PoolEffect::TaskEnded { task, end } => {
                if let Some(word) = ended_in_pool(&known.kernel, task, end) {
                    self.tell(word);
                }
                self.tell(Told::Heard(task));
                self.forgotten(task, known);
            }
            PoolEffect::Arm { timer, after_ms } => self.arm(elapsed(timer), after_ms),
            PoolEffect::Disarm { timer } => self.stop(&Work::Timer(elapsed(timer))).await,
        }
    }

    /// What is left of an agent is stopped, and its container removed.
    pub(crate) async fn remove(&mut self, agent: AgentId) {
        for work in [Work::Start(agent), Work::Attend(agent), Work::Stop(agent), Work::Clean(agent)] {
            self.stop(&work).await;
        }
        let removed = self.ports.agents.remove(Container { shard: self.shard, agent });
        self.begin(Work::Remove(agent), "remove", async move {
            // Of one that panics nobody can say that it is gone: it is removed again at the next start.
            let gone = Fact::Pool(PoolEvent::Gone { agent });
            contained(removed).await.map(|()| (gone, vec![])).into_iter().collect()
        });
    }

    /// The tree does not hold a root any more. Nobody will submit it again, so the pool may forget how it ended there.
    pub(crate) fn forgotten(&mut self, task: TaskId, known: &Known) {
        let is_known = known.pool.as_ref().is_some_and(|pool| pool.task(task).is_some());
        if is_known && known.kernel.task(task).is_none() {
            self.tell(Fact::Pool(PoolEvent::EndAcknowledged { task }));
        }
    }

    /// The lease of a root is over. What ran under it is stopped, and what it says still is dropped; the tree is told of the iterators and
    /// tools that ran.
    pub(crate) async fn lease_over(
        &mut self,
        agent: AgentId,
        lease: Lease,
        lost: Vec<CallId>,
        known: &Known,
    ) {
        self.stop(&Work::Attend(agent)).await;
        let stopped = self.stop_under(lease).await;
        self.iterators_lost(&stopped);
        if let Some(gone) = known.asker_lost(lease.task, lease.epoch) {
            self.tell(gone);
        }
        for call in lost {
            self.tell_with(tool_lost(call), "Its agent was lost.");
        }
    }

    /// Gives an agent its lease, and listens to it until it is gone or returns it, or somebody stops that.
    fn attend(&mut self, seat: Seat) {
        let (agents, mailbox) = (self.ports.agents.clone(), self.mailbox.clone());
        let Seat { container: Container { agent, .. }, lease } = seat;
        let work = Work::Attend(agent);
        let finished = work.clone();
        // The lease is given before anything is ordered under it.
        let mut heard = agents.attend(seat);
        let task = self.rt.spawn("attend", async move {
            let said = |event, finished| Letter::of(Fact::Pool(event), finished);
            loop {
                // One that panics is not heard of any more.
                let Some(sign) = contained(heard).await else { return };
                let goes_on = matches!(sign, Sign::Beat | Sign::Asks { .. });
                let letter = match sign {
                    Sign::Beat => said(PoolEvent::Heartbeat { agent, lease }, None),
                    Sign::Asks { number, text } => {
                        let question = QuestionKey { epoch: lease.epoch, number };
                        let event = QuestionEvent::Asked { question };
                        let asked = Letter::of(Fact::Questions { root: lease.task, event }, None);
                        Letter { text: vec![text], under: Some(lease), ..asked }
                    }
                    Sign::Returned => {
                        let event = PoolEvent::WorkEnded { agent, lease, end: WorkEnd::Returned };
                        said(event, Some(finished.clone()))
                    }
                    Sign::Gone => said(PoolEvent::Gone { agent }, Some(finished.clone())),
                };
                // A shard that has stopped learns it when it starts again.
                if mailbox.send(letter).await.is_err() || !goes_on {
                    return;
                }
                heard = agents.attend(seat);
            }
        });
        self.works.insert(work, Under { lease: None, task, instructor: None });
    }
}

/// What the timer of an agent comes back with.
fn elapsed(timer: PoolTimer) -> Fact {
    Fact::Pool(PoolEvent::Elapsed { timer })
}
