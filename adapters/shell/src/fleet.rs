//! What the pool of a shard orders, done: containers come and go, and roots get their places.

use crate::act::{Actor, Under, Work};
use crate::agents::{Agents, Container, Seat, Sign};
use crate::contain::{asked, contained};
use crate::error::ShellError;
use crate::fact::{Fact, Told};
use crate::fault::{self, Fault};
use crate::known::Known;
use crate::ports::Doing;
use crate::shard::Letter;
use crate::trace::Subject;
use downbeat_kernel::{
    AgentId, CallId, Event, Lease, Outcome, PoolEffect, PoolEvent, PoolTimer, QuestionEvent, QuestionKey,
    QuestionNumber, TaskId, WorkEnd,
};
use downbeat_rt::{Rt, Sender};
use downbeat_wiring::{ended_in_pool, tool_lost};
use std::sync::Arc;
use std::time::Duration;

impl Actor {
    pub(crate) fn seat(&self, agent: AgentId, lease: Lease) -> Seat {
        Seat { container: Container { shard: self.shard, agent }, lease }
    }

    /// An order of the pool.
    pub(crate) async fn of_pool(&mut self, effect: PoolEffect, known: &Known) {
        let container = |agent| Container { shard: self.shard, agent };
        match effect {
            PoolEffect::Provision { agent } => {
                let started = asked(|| self.ports.agents.start(container(agent)));
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
                let seat = self.seat(agent, lease);
                let stopped = asked(|| self.ports.agents.stop(seat));
                let event = PoolEvent::WorkEnded { agent, lease, end: WorkEnd::Returned };
                self.begin(Work::Stop(agent), "stop", async move {
                    contained(stopped).await.map(|()| (Fact::Pool(event), vec![])).into_iter().collect()
                });
            }
            PoolEffect::Clean { agent, lease } => {
                let seat = self.seat(agent, lease);
                let cleaned = asked(|| self.ports.agents.clean(seat));
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
        let container = Container { shard: self.shard, agent };
        let agents = Arc::clone(&self.ports.agents);
        let remove = move || agents.remove(container);
        let removed = asked(&remove);
        let mut bound = self.bound(self.bounds.again_ms, Subject::new("Agents::remove").at(agent));
        self.begin(Work::Remove(agent), "remove", async move {
            // Of one that panics nobody can say that it is gone: it is removed again at the next start.
            let gone = Fact::Pool(PoolEvent::Gone { agent });
            bound.insist(removed, remove).await.map(|()| (gone, vec![])).into_iter().collect()
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
        let runs_on = fault::has(Fault::LeasesNeverEnd);
        let stopped = if runs_on { Vec::new() } else { self.stop_under(lease).await };
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
        let work = Work::Attend(seat.container.agent);
        let (agents, mailbox, rt) = (self.ports.agents.clone(), self.mailbox.clone(), self.rt.clone());
        // The lease is given before anything is ordered under it.
        let heard = asked(|| agents.attend(seat, None));
        let listening = Listening { seat, agents, mailbox, rt, finished: work.clone() };
        let task = self.rt.spawn("attend", listening.to(heard));
        self.works.insert(work, Under { lease: None, task, instructor: None });
    }
}

/// Milliseconds for which an agent is not listened to that says a question which it need not say: its beats are late by as much.
const REPEAT_MS: u64 = 10;

/// Whoever listens to an agent that has a lease.
struct Listening {
    seat: Seat,
    agents: Arc<dyn Agents>,
    mailbox: Sender<Letter>,
    rt: Rt,
    finished: Work,
}

impl Listening {
    /// Takes one sign after the other. A question that is on record is not put again, and one that was refused not before something else was
    /// heard, or some time is over. So no question comes between an agent and its beats.
    async fn to(self, mut heard: Doing<Sign>) {
        let Seat { container: Container { agent, .. }, lease } = self.seat;
        let (mut on_record, mut said) = (None, None);
        let of_pool = |event, finished| Letter::of(Fact::Pool(event), finished);
        // One that panics is not heard of any more.
        while let Some(sign) = contained(heard).await {
            let last = match sign {
                Sign::Beat => {
                    said = on_record;
                    if self.mailbox.send(of_pool(PoolEvent::Heartbeat { agent, lease }, None)).await.is_err()
                    {
                        return;
                    }
                    None
                }
                Sign::Asks { number, .. } if said.is_some_and(|said| number <= said) => {
                    self.rt.sleep(Duration::from_millis(REPEAT_MS)).await;
                    // One that was refused may be taken by now.
                    said = on_record;
                    None
                }
                Sign::Asks { number, text } => {
                    let Ok(is_on_record) = self.asks(number, text).await else { return };
                    said = Some(number);
                    if is_on_record {
                        on_record = said;
                    }
                    None
                }
                Sign::Returned => Some(PoolEvent::WorkEnded { agent, lease, end: WorkEnd::Returned }),
                Sign::Gone => Some(PoolEvent::Gone { agent }),
            };
            if let Some(last) = last {
                // A shard that has stopped learns it when it starts again.
                let _ = self.mailbox.send(of_pool(last, Some(self.finished))).await;
                return;
            }
            heard = asked(|| self.agents.attend(self.seat, said));
        }
    }

    /// Puts a question. Whether it need not be put again: it is on record, or nobody wants it any more.
    async fn asks(&self, number: QuestionNumber, text: String) -> Result<bool, ShellError> {
        let lease = self.seat.lease;
        let question = QuestionKey { epoch: lease.epoch, number };
        let event = QuestionEvent::Asked { question };
        let letter = Letter::of(Fact::Questions { root: lease.task, event }, None);
        let letter = Letter { text: vec![text], under: Some(lease), ..letter };
        Ok(match letter.answered(&self.rt, &self.mailbox).await?.outcome {
            Outcome::Applied | Outcome::Ignored(_) => true,
            Outcome::Rejected(_) => false,
        })
    }
}

/// What the timer of an agent comes back with.
fn elapsed(timer: PoolTimer) -> Fact {
    Fact::Pool(PoolEvent::Elapsed { timer })
}
