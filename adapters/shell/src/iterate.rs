//! What the workers of a shard order, done: iterators start, take prompts and end, and people hear what agents ask and report.

use crate::act::{Actor, Under, Work};
use crate::agents::Seat;
use crate::bounds::Nothing;
use crate::contain::{asked, contained, told};
use crate::fact::{Order, Told};
use crate::known::Known;
use crate::ports::Trial;
use crate::post::heard;
use crate::trace::Subject;
use crate::workers::{Instruction, Instructor, Run, Voice};
use downbeat_kernel::{
    Event, IteratorEnd, IteratorId, Kernel, PromptId, SessionEffect, SessionEvent, SessionState, Source,
    TaskId, WorkerEffect, WorkerEvent, WorkerTimer,
};
use downbeat_wiring::{lease_of, root_of};
use std::future::Future;
use std::sync::Arc;

/// The iterators that have started before a crash, and of which the kernel does not know that they have ended. Nothing that it repeats
/// names those that have no prompt.
pub(crate) fn started(kernel: &Kernel) -> impl Iterator<Item = Order> {
    kernel.tasks().filter_map(|task| {
        let session = task.data.worker.as_ref()?.data.session;
        match session.state {
            SessionState::Listening
            | SessionState::Answering
            | SessionState::Stopping
            | SessionState::Closing => Some(Order::Attach { task: task.id, iterator: session.iterator }),
            SessionState::Dormant | SessionState::Starting | SessionState::Closed => None,
        }
    })
}

/// Whether what an iterator says counts: it is the one that its worker has, and was not told to end (S11).
pub(crate) fn counts(kernel: &Kernel, task: TaskId, iterator: IteratorId) -> bool {
    let worker = kernel.task(task).and_then(|task| task.data.worker.as_ref());
    worker.is_some_and(|worker| {
        let session = worker.data.session;
        session.iterator == iterator
            && match session.state {
                SessionState::Starting | SessionState::Listening | SessionState::Answering => true,
                SessionState::Dormant
                | SessionState::Stopping
                | SessionState::Closing
                | SessionState::Closed => false,
            }
    })
}

impl Actor {
    /// Makes the surroundings of a task ready, and asks who runs it.
    pub(crate) fn surroundings(
        &self,
        task: TaskId,
        trial: Trial,
        seat: Option<Seat>,
    ) -> impl Future<Output = Event> + use<> {
        let ready = asked(|| self.ports.agents.prepare(task, trial, seat));
        let workers = Arc::clone(&self.ports.workers);
        let subject = |asked| {
            let subject = Subject::of(asked, task);
            match seat {
                Some(seat) => subject.at(seat.container.agent),
                None => subject,
            }
        };
        let bound = |asked| self.bound(self.bounds.ready_ms_max, subject(asked));
        let (mut prepare, mut deploy) = (bound("Agents::prepare"), bound("Workers::deploy"));
        async move {
            if prepare.wait(ready).await != Ok(true) {
                return Event::InitializationFailed { task };
            }
            match deploy.wait(asked(|| workers.deploy(task, trial, seat))).await {
                Ok(true) => Event::Deployed { task },
                Ok(false) => Event::Initialized { task },
                Err(Nothing::Panicked | Nothing::Silent(_)) => Event::InitializationFailed { task },
            }
        }
    }

    /// An order of the worker of a task, with the place where it is carried out.
    pub(crate) async fn of_worker(
        &mut self,
        task: TaskId,
        effect: WorkerEffect,
        seat: Option<Seat>,
        known: &Known,
    ) {
        match effect {
            WorkerEffect::Session(effect) => self.of_session(task, effect, seat, known).await,
            WorkerEffect::AskProgress { check } => self.instruct(task, Instruction::AskProgress { check }),
            WorkerEffect::Answer { approval, answer } => {
                let text = known.library.answer(task, approval);
                self.instruct(task, Instruction::Answer { approval, answer, text });
            }
            WorkerEffect::Ask { approval } => {
                let text = known.library.asked(task, approval);
                self.asks(task, &text, known);
                told(|| self.ports.overseer.ask(task, known.trial(task), approval, text));
            }
            WorkerEffect::Withdraw { approval } => {
                told(|| self.ports.overseer.withdraw(task, known.trial(task), approval));
            }
            WorkerEffect::Report { number } => self.report(task, number, known),
            WorkerEffect::Warn { concern } => {
                told(|| self.ports.overseer.warn(task, known.trial(task), concern));
            }
            WorkerEffect::ReportUndelivered { source: Source::Message(message), in_doubt } => {
                self.undelivered(task, message, in_doubt, known);
            }
            // What was said by a child is over with its parent, and the rest the worker told itself.
            WorkerEffect::ReportUndelivered {
                source:
                    Source::ChildReported { .. } | Source::ChildEnded { .. } | Source::Inquiry | Source::WrapUp,
                ..
            } => {}
            WorkerEffect::Arm { timer, after_ms } => self.arm(elapsed(task, timer).into(), after_ms),
            WorkerEffect::Disarm { timer } => self.stop(&Work::Timer(elapsed(task, timer).into())).await,
            // What a prompt contains, and what of it is answered, is in the library; the end of a worker is that of its task.
            WorkerEffect::Include { .. }
            | WorkerEffect::Acknowledge { .. }
            | WorkerEffect::WorkerEnded { .. } => {}
        }
    }

    async fn of_session(&mut self, task: TaskId, effect: SessionEffect, seat: Option<Seat>, known: &Known) {
        match effect {
            SessionEffect::Start { iterator } => {
                let trial = known.trial(task);
                self.begin_iterator(Run { task, trial, iterator, seat }, false, known);
            }
            SessionEffect::Prompt { iterator, prompt } => self.prompt(task, iterator, prompt, known),
            SessionEffect::Stop { iterator } => match self.works.get(&Work::Iterator(task, iterator)) {
                Some(Under { instructor: Some(instructor), .. }) => instructor.tell(Instruction::Stop),
                // It was kept for want of a place, or has ended.
                Some(Under { instructor: None, .. }) | None => {
                    self.tell(ended(task, iterator, IteratorEnd::Normal));
                }
            },
            SessionEffect::Kill { iterator } => self.stop(&Work::Iterator(task, iterator)).await,
            SessionEffect::Arm { iterator, after_ms } => {
                self.arm(stop_elapsed(task, iterator).into(), after_ms);
            }
            SessionEffect::Disarm { iterator } => {
                self.stop(&Work::Timer(stop_elapsed(task, iterator).into())).await;
            }
            // The worker takes these itself.
            SessionEffect::Settle { .. } | SessionEffect::Closed => {}
        }
    }

    /// Goes on with an iterator of before a crash, under the lease that its root has by now. Where there is none, what it ran under is over.
    pub(crate) fn attach_iterator(&mut self, task: TaskId, iterator: IteratorId, known: &Known) {
        let seat = match &known.pool {
            None => None,
            Some(pool) => match lease_of(pool, root_of(&known.kernel, task)) {
                Some((agent, lease)) => Some(self.seat(agent, lease)),
                None => return self.tell(ended(task, iterator, IteratorEnd::Transient)),
            },
        };
        let trial = known.trial(task);
        self.begin_iterator(Run { task, trial, iterator, seat }, true, known);
    }

    fn begin_iterator(&mut self, run: Run, has_started: bool, known: &Known) {
        let Run { task, iterator, seat, .. } = run;
        let work = Work::Iterator(task, iterator);
        // One that is ordered twice goes on with what it is told already.
        if self.works.contains_key(&work) {
            return;
        }
        let (instructor, instructions) = Instructor::new(&self.rt);
        let root = root_of(&known.kernel, task);
        let voice = Voice { run, root, rt: self.rt.clone(), mailbox: self.mailbox.clone() };
        let workers = Arc::clone(&self.ports.workers);
        self.begin_under(seat.map(|seat| seat.lease), work.clone(), "iterator", async move {
            let runs = asked(|| {
                if has_started {
                    workers.attach(run, instructions, voice)
                } else {
                    workers.run(run, instructions, voice)
                }
            });
            let end = contained(runs).await.unwrap_or(IteratorEnd::Transient);
            vec![(ended(task, iterator, end), vec![])]
        });
        if let Some(under) = self.works.get_mut(&work) {
            under.instructor = Some(instructor);
        }
    }

    /// An iterator that does not run any more cannot be given anything, and its end is on its way. What was answered meanwhile need not be
    /// given: after a crash a prompt may wait here for a person while the agent goes on with it.
    fn prompt(&self, task: TaskId, iterator: IteratorId, prompt: PromptId, known: &Known) {
        let worker = known.kernel.task(task).and_then(|task| task.data.worker.as_ref());
        let is_settled = worker.is_none_or(|worker| prompt <= worker.data.session.settled);
        if let Some(Under { instructor: Some(instructor), .. }) =
            self.works.get(&Work::Iterator(task, iterator))
            && !is_settled
        {
            instructor.tell(Instruction::Prompt { prompt, parts: known.library.prompt(task) });
        }
    }

    /// Tells the iterator that a task has, if it has one.
    fn instruct(&self, task: TaskId, instruction: Instruction) {
        let (first, last) = (IteratorId(0), IteratorId(u32::MAX));
        let mut runs = self.works.range(Work::Iterator(task, first)..=Work::Iterator(task, last));
        if let Some((_, Under { instructor: Some(instructor), .. })) = runs.next_back() {
            instructor.tell(instruction);
        }
    }

    /// Tells people of a report, after those before it: its acknowledgement is for all of them.
    fn report(&mut self, task: TaskId, number: u32, known: &Known) {
        let work = Work::WorkerReport(task, number);
        if self.works.contains_key(&work) {
            return;
        }
        let (over, last) = self.rt.channel("report", 1);
        let before = self.reports.insert(task, last);
        let (overseer, trial) = (Arc::clone(&self.ports.overseer), known.trial(task));
        let (text, heard) = (known.library.report(task, number), heard(known, task));
        let mut bound = self.bound(self.bounds.again_ms, Subject::of("Overseer::report", task));
        self.begin(work, "report", async move {
            let _over: downbeat_rt::Sender<()> = over;
            if let Some(mut before) = before {
                before.next().await;
            }
            let report = || overseer.report(task, trial, number, text.clone());
            bound.insist(asked(report), report).await;
            let acknowledged = worker(task, WorkerEvent::ReportAcknowledged { number });
            std::iter::once((Told::from(acknowledged), vec![])).chain(heard).collect()
        });
    }

    /// What ran under a lease that is over has been stopped: each worker is told of its iterator.
    pub(crate) fn iterators_lost(&mut self, stopped: &[Work]) {
        for work in stopped {
            if let Work::Iterator(task, iterator) = work {
                self.tell(ended(*task, *iterator, IteratorEnd::Transient));
            }
        }
    }
}

fn worker(task: TaskId, event: WorkerEvent) -> Event {
    Event::Worker { task, event }
}

fn ended(task: TaskId, iterator: IteratorId, end: IteratorEnd) -> Event {
    worker(task, WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end }))
}

/// What the timer of a worker comes back with.
pub(crate) fn elapsed(task: TaskId, timer: WorkerTimer) -> Event {
    worker(task, WorkerEvent::TimerFired { timer })
}

/// What the timer of an iterator that is to stop comes back with.
pub(crate) fn stop_elapsed(task: TaskId, iterator: IteratorId) -> Event {
    worker(task, WorkerEvent::Session(SessionEvent::StopElapsed { iterator }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::settings;
    use crate::nobody::ports;
    use crate::ports::Doing;
    use crate::words::Text;
    use crate::workers::{Instructions, Overseer, Workers};
    use crate::{Ports, ShellConfig};
    use downbeat_kernel::{ApprovalId, CheckNumber, Concern};
    use downbeat_rt::{Rt, Tokio};
    use downbeat_store::ShardId;
    use std::future::{pending, ready};
    use std::sync::Mutex;
    use std::time::Duration;

    const TASK: TaskId = TaskId(7);
    const ITERATOR: IteratorId = IteratorId(1);

    /// What iterators were told, and which reports people have. The first report takes its time.
    #[derive(Default)]
    struct Heard {
        told: Mutex<Vec<Instruction>>,
        reported: Mutex<Vec<u32>>,
    }

    #[derive(Clone, Default)]
    struct Crew(Arc<Heard>);

    impl Workers for Crew {
        fn deploy(&self, _task: TaskId, _trial: Trial, _seat: Option<Seat>) -> Doing<bool> {
            Box::pin(ready(true))
        }

        fn run(&self, _run: Run, mut instructions: Instructions, _voice: Voice) -> Doing<IteratorEnd> {
            let heard = Arc::clone(&self.0);
            Box::pin(async move {
                while let Some(instruction) = instructions.next().await {
                    heard.told.lock().expect("nothing panics with it").push(instruction);
                }
                pending().await
            })
        }
    }

    impl Overseer for Crew {
        fn ask(&self, _task: TaskId, _trial: Trial, _approval: ApprovalId, _text: Text) {}

        fn withdraw(&self, _task: TaskId, _trial: Trial, _approval: ApprovalId) {}

        fn report(&self, _task: TaskId, _trial: Trial, number: u32, _text: Text) -> Doing<()> {
            let heard = Arc::clone(&self.0);
            Box::pin(async move {
                let takes_ms = if number == 1 { 50 } else { 0 };
                tokio::time::sleep(Duration::from_millis(takes_ms)).await;
                heard.reported.lock().expect("nothing panics with it").push(number);
            })
        }

        fn warn(&self, _task: TaskId, _trial: Trial, _concern: Concern) {}
    }

    #[tokio::test]
    async fn what_is_ordered_twice_is_done_once_and_goes_on() {
        let (rt, crew) = (Rt::new(Tokio::current()), Crew::default());
        let (mailbox, _letters) = rt.channel("mailbox", 10);
        let all = Arc::new(crew.clone());
        let ports = Ports { workers: all.clone(), overseer: all, ..ports() };
        let (mut actor, known) =
            (Actor::new(ShardId(0), rt, ports, &ShellConfig::default(), mailbox), Known::new(settings()));
        let start = WorkerEffect::Session(SessionEffect::Start { iterator: ITERATOR });
        let report = |number| WorkerEffect::Report { number };
        for effect in [start, start, report(1), report(1), report(2)] {
            actor.of_worker(TASK, effect, None, &known).await;
        }
        let check = CheckNumber(1);
        actor.of_worker(TASK, WorkerEffect::AskProgress { check }, None, &known).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(*crew.0.told.lock().expect("it lives"), [Instruction::AskProgress { check }]);
        assert_eq!(*crew.0.reported.lock().expect("it lives"), [1, 2], "in their order");
    }
}
