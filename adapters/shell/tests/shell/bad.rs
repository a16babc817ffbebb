//! Ports of which one method does something wrong, the first time that it is asked for.

use crate::stopping::a_moment;
use downbeat_kernel::{
    About, ApprovalId, CallId, Concern, Found, Generation, IteratorEnd, MessageId, QuestionEnd, QuestionId,
    QuestionKey, QuestionNumber, RefreshEnd, RequestId, TaskId, ToolEnd, WriteEnd,
};
use downbeat_shell::{
    Agents, Bounds, Claimant, Clock, Container, Doing, Excerpt, Instructions, Model, Notification, Notifier,
    Output, Overseer, People, Ports, Question, Run, Seat, SendEnd, Sign, Text, Tools, Trial, Vault, Viewer,
    Voice, Workers,
};
use std::future::{pending, ready};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What an adapter does the first time that it is asked for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    PanicsAtOnce,
    PanicsLater,
    NeverAnswers,
    /// The same, where somebody waits for it for so long and no longer. Whatever would answer late is gone by then.
    AnswersTooLate,
    /// The same, and it panics when it is dropped.
    DropsWithPanic,
}

/// Milliseconds for which somebody waits for it.
pub(crate) const BOUND_MS: u32 = 30;

/// What is to answer too late. It is gone when it is dropped.
struct Late {
    bad: Bad,
    panics: bool,
}

impl Late {
    async fn answers<T>(self) -> T {
        self.bad.late.acquire().await.expect("it is not closed").forget();
        self.bad.has_answered.store(true, Ordering::Relaxed);
        pending().await
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        self.bad.is_gone.store(true, Ordering::Relaxed);
        assert!(!self.panics, "on purpose");
    }
}

/// The ports of a test, of which one does something wrong.
#[derive(Clone)]
pub(crate) struct Bad {
    ports: Ports,
    /// Which method, and what.
    fault: (&'static str, Fault),
    has_done: Arc<AtomicBool>,
    /// How often that method was asked.
    asked: Arc<AtomicUsize>,
    /// Lets what is late answer.
    late: Arc<Semaphore>,
    has_answered: Arc<AtomicBool>,
    is_gone: Arc<AtomicBool>,
}

impl Bad {
    pub(crate) fn of(ports: Ports, fault: (&'static str, Fault)) -> Self {
        let late = Arc::new(Semaphore::new(0));
        let (has_done, has_answered, is_gone) = (Arc::default(), Arc::default(), Arc::default());
        Self { ports, fault, has_done, asked: Arc::default(), late, has_answered, is_gone }
    }

    /// Whether it is to go wrong now.
    fn fault(&self, method: &'static str) -> Option<Fault> {
        let is_now = self.fault.0 == method && !self.has_done.swap(true, Ordering::Relaxed);
        is_now.then_some(self.fault.1)
    }

    fn does<T: Send + 'static>(&self, method: &'static str, does: impl FnOnce() -> Doing<T>) -> Doing<T> {
        if method == self.fault.0 {
            let before = self.asked.fetch_add(1, Ordering::Relaxed);
            assert!(before == 0 || !self.is_late() || self.is_gone(), "{method}: the first is still there");
        }
        match self.fault(method) {
            None => does(),
            Some(Fault::PanicsAtOnce) => panic!("on purpose"),
            Some(Fault::PanicsLater) => Box::pin(async { panic!("on purpose") }),
            Some(Fault::NeverAnswers) => Box::pin(pending()),
            Some(Fault::AnswersTooLate) => Box::pin(Late { bad: self.clone(), panics: false }.answers()),
            Some(Fault::DropsWithPanic) => Box::pin(Late { bad: self.clone(), panics: true }.answers()),
        }
    }

    /// Whether what it does wrong is to answer too late.
    fn is_late(&self) -> bool {
        match self.fault.1 {
            Fault::PanicsAtOnce | Fault::PanicsLater | Fault::NeverAnswers => false,
            Fault::AnswersTooLate | Fault::DropsWithPanic => true,
        }
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    /// How long the shell waits for it.
    pub(crate) fn bounds(&self) -> Bounds {
        let bound = if self.is_late() { NonZeroU32::new(BOUND_MS) } else { None };
        Bounds { silence_ms_max: bound, tool_ms_max: bound, ready_ms_max: bound, again_ms: bound }
    }

    /// What would have answered too late is gone, and answers nobody.
    pub(crate) async fn answers_nobody(&self) {
        if self.is_late() {
            assert!(self.is_gone(), "it is still waited for");
            self.late.add_permits(1);
            a_moment().await;
            assert!(!self.has_answered.load(Ordering::Relaxed), "it goes on");
        }
    }

    /// Waits until it was asked so often.
    pub(crate) async fn until_asked(&self, times: usize) {
        while self.asked.load(Ordering::Relaxed) < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The same, of what has no answer.
    fn says<T>(&self, method: &'static str, says: impl FnOnce() -> T) -> T {
        assert_eq!(self.fault(method), None, "on purpose");
        says()
    }

    /// Whether it has gone wrong.
    pub(crate) fn has_done(&self) -> bool {
        self.has_done.load(Ordering::Relaxed)
    }

    /// Waits until it has.
    pub(crate) async fn until_wrong(&self) {
        while !self.has_done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn ports(&self) -> Ports {
        let bad = Arc::new(self.clone());
        Ports {
            model: bad.clone(),
            viewer: Some(bad.clone()),
            tools: bad.clone(),
            people: bad.clone(),
            notifier: bad.clone(),
            agents: bad.clone(),
            workers: bad.clone(),
            overseer: bad.clone(),
            vault: bad.clone(),
            clock: bad,
        }
    }
}

impl Model for Bad {
    fn send(&self, question: Question, output: Output) -> Doing<SendEnd> {
        let sent = self.does("send", || self.ports.model.send(question, output.clone()));
        // Before a task is done nobody reads what its model says: a send that fails may be made again.
        Box::pin(async move {
            let end = sent.await;
            if let SendEnd::Whole(reply) = &end {
                output.say(reply.text.clone()).await;
            }
            end
        })
    }

    fn recover(&self, id: RequestId) -> Doing<Option<SendEnd>> {
        self.does("recover", || self.ports.model.recover(id))
    }
}

impl Viewer for Bad {
    fn show(&self, _excerpt: Excerpt) -> Doing<()> {
        self.does("show", || Box::pin(ready(())))
    }
}

impl Tools for Bad {
    fn run(&self, call: CallId, argument: Text, seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        self.does("run tool", || self.ports.tools.run(call, argument, seat))
    }
}

impl People for Bad {
    fn ask(&self, question: QuestionId, about: About, text: Text) {
        self.says("ask", || self.ports.people.ask(question, about, text));
    }

    fn asks(&self, root: TaskId, question: QuestionKey, text: Text) {
        self.says("asks", || self.ports.people.asks(root, question, text));
    }

    fn settled(&self, root: TaskId, question: QuestionKey, end: QuestionEnd) -> Doing<()> {
        self.does("settled", || self.ports.people.settled(root, question, end))
    }

    fn withdraw(&self, question: QuestionId) {
        self.says("withdraw", || self.ports.people.withdraw(question));
    }

    fn undelivered(&self, task: TaskId, trial: Trial, message: MessageId, in_doubt: bool) -> Doing<()> {
        self.does("undelivered", || self.ports.people.undelivered(task, trial, message, in_doubt))
    }
}

impl Notifier for Bad {
    fn notify(&self, notification: Notification) -> Doing<bool> {
        if self.fault.0 == "given up" && !self.has_done() {
            return Box::pin(ready(false));
        }
        self.does("notify", || self.ports.notifier.notify(notification))
    }

    fn undelivered(&self, notification: Notification) -> Doing<()> {
        self.does("given up", || self.ports.notifier.undelivered(notification))
    }
}

impl Clock for Bad {
    fn now_ms(&self) -> u64 {
        self.says("now", || self.ports.clock.now_ms())
    }
}

impl Agents for Bad {
    fn start(&self, container: Container) -> Doing<bool> {
        self.does("start", || self.ports.agents.start(container))
    }

    fn remove(&self, container: Container) -> Doing<()> {
        self.does("remove", || self.ports.agents.remove(container))
    }

    fn attend(&self, seat: Seat, asked: Option<QuestionNumber>) -> Doing<Sign> {
        self.does("attend", || self.ports.agents.attend(seat, asked))
    }

    fn answer(&self, seat: Seat, number: QuestionNumber, end: QuestionEnd, answer: Text) -> Doing<()> {
        self.does("answer", || self.ports.agents.answer(seat, number, end, answer))
    }

    fn stop(&self, seat: Seat) -> Doing<()> {
        self.does("stop", || self.ports.agents.stop(seat))
    }

    fn clean(&self, seat: Seat) -> Doing<()> {
        self.does("clean", || self.ports.agents.clean(seat))
    }

    fn prepare(&self, task: TaskId, trial: Trial, seat: Option<Seat>) -> Doing<bool> {
        self.does("prepare", || self.ports.agents.prepare(task, trial, seat))
    }
}

impl Vault for Bad {
    fn read(&self, who: Claimant, generation: Generation) -> Doing<Found> {
        self.ports.vault.read(who, generation)
    }

    fn claim(&self, who: Claimant, generation: Generation, for_ms: u64) -> Doing<Found> {
        self.does("claim", || self.ports.vault.claim(who, generation, for_ms))
    }

    fn refresh(&self, who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        self.does("refresh", || self.ports.vault.refresh(who, generation))
    }

    fn write(&self, who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        self.does("write", || self.ports.vault.write(who, generation))
    }

    fn refreshed(&self, who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        self.does("refreshed", || self.ports.vault.refreshed(who, generation))
    }

    fn written(&self, who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        self.does("written", || self.ports.vault.written(who, generation))
    }
}

impl Workers for Bad {
    fn deploy(&self, task: TaskId, trial: Trial, seat: Option<Seat>) -> Doing<bool> {
        self.does("deploy", || self.ports.workers.deploy(task, trial, seat))
    }

    fn run(&self, run: Run, instructions: Instructions, voice: Voice) -> Doing<IteratorEnd> {
        self.does("run", || self.ports.workers.run(run, instructions, voice))
    }

    fn attach(&self, run: Run, instructions: Instructions, voice: Voice) -> Doing<IteratorEnd> {
        self.does("attach", || self.ports.workers.attach(run, instructions, voice))
    }
}

impl Overseer for Bad {
    fn ask(&self, task: TaskId, trial: Trial, approval: ApprovalId, text: Text) {
        self.says("overseer asks", || self.ports.overseer.ask(task, trial, approval, text));
    }

    fn withdraw(&self, task: TaskId, trial: Trial, approval: ApprovalId) {
        self.says("overseer withdraws", || self.ports.overseer.withdraw(task, trial, approval));
    }

    fn report(&self, task: TaskId, trial: Trial, number: u32, text: Text) -> Doing<()> {
        self.does("report", || self.ports.overseer.report(task, trial, number, text))
    }

    fn warn(&self, task: TaskId, trial: Trial, concern: Concern) {
        self.says("warn", || self.ports.overseer.warn(task, trial, concern));
    }
}
