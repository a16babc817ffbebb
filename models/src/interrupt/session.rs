//! The agent session, version v3, as far as one caller can tell.
//!
//! The current request is always that of the executor loop's turn, so that its token is the loop's.

use downbeat_sim::event_loop::{Await, Pid};

use super::process::{InvokeAt, IterableAt, PENDING_PROMPT, Process, REQUEST};
use super::scene::{SDK, SESSION, Scene, WORKER, words};
use super::state::{Approval, Generator, OLD_MAX, Prompt, Settled, Status};

impl Scene<'_> {
    /// `invoke` up to its first await.
    pub fn invoke(&mut self) -> Pid {
        let pid = self.call();
        match self.state.session.generator {
            Generator::None => {
                let query = self.call();
                self.tell(SESSION, SDK, || "starts an iterator".to_owned());
                self.suspend(query, Process::Query { is_aborted: false }, Await::External);
                self.suspend(pid, Process::Invoke(InvokeAt::Starting), Await::End(query));
            }
            Generator::Live | Generator::Dying | Generator::Dead => self.push(pid),
        }
        pid
    }

    /// The stretch of invoke after its await.
    pub fn resume_invoke(&mut self, pid: Pid, at: InvokeAt) {
        match at {
            InvokeAt::Starting => self.push(pid),
            InvokeAt::Completing => self.state.processes.end(pid),
        }
    }

    fn push(&mut self, pid: Pid) {
        assert!(!self.state.session.has_request, "one caller has one request at a time");
        self.state.session.has_request = true;
        self.state.session.settled = None;
        let is_handed = self.state.processes.resolve(PENDING_PROMPT) > 0;
        let is_late = self.state.is_cancelled;
        if self.is_too_late() {
            let late = self.call_unawaited();
            self.suspend(late, Process::LateWithdraw, Await::External);
        }
        self.tell(SESSION, SESSION, || {
            let handed = if is_handed { "queued, and handed to the iterable" } else { "queued" };
            let late = if is_late { "; its token is cancelled already" } else { "" };
            format!("the request is {handed}{late}")
        });
        self.suspend(pid, Process::Invoke(InvokeAt::Completing), Await::Signal(REQUEST));
    }

    /// The iterator is there: the message loop is launched, and pulls the prompts.
    pub fn queried(&mut self, pid: Pid, is_aborted: bool) {
        self.state.processes.end(pid);
        self.state.session.generator = if is_aborted { Generator::Dying } else { Generator::Live };
        self.tell(SDK, SESSION, || {
            let aborted = if is_aborted { ", with a controller that was aborted" } else { "" };
            format!("the iterator is there{aborted}")
        });
        let iterable = self.call_unawaited();
        self.next_prompt(iterable);
    }

    /// What the prompt iterable does for the next prompt.
    fn next_prompt(&mut self, pid: Pid) {
        if self.state.session.has_request {
            return self.give(pid);
        }
        // The promise that an older iterable waits for is overwritten: nothing will resolve it any more.
        if let Some(older) = self.state.iterable(IterableAt::Waiting) {
            self.state.processes.forget(older);
        }
        self.suspend(pid, Process::Iterable(IterableAt::Waiting), Await::Signal(PENDING_PROMPT));
    }

    fn give(&mut self, pid: Pid) {
        let prompt = self.state.prompt;
        if let (Prompt::Message(m), Generator::Live) = (prompt, self.state.session.generator) {
            self.state.truth.delivered |= 1 << m;
        }
        self.tell(SESSION, SDK, || format!("gives {}", words(prompt)));
        self.suspend(pid, Process::Iterable(IterableAt::Yielded), Await::Signal(REQUEST));
    }

    /// The stretch of the prompt iterable after its wait.
    pub fn resume_iterable(&mut self, pid: Pid, at: IterableAt) {
        match (at, self.state.session.settled) {
            (IterableAt::Waiting, _) if self.state.session.has_request => self.give(pid),
            (IterableAt::Yielded, Some(Settled::Result)) => self.next_prompt(pid),
            // What it waited for was rejected: it throws, and never goes on.
            (IterableAt::Waiting, _)
            | (IterableAt::Yielded, Some(Settled::Aborted | Settled::Broken | Settled::Failed)) => {
                self.state.processes.end(pid);
            }
            (IterableAt::Yielded, None) => {
                unreachable!("the loop sees how a request was settled after the iterable")
            }
        }
    }

    /// `abort`.
    pub fn abort(&mut self) {
        self.state.processes.rewrite(|process| {
            if let Process::Query { is_aborted } = process {
                *is_aborted = true;
            }
        });
        let session = &mut self.state.session;
        session.old = match session.generator {
            Generator::Live | Generator::Dying => (session.old + 1).min(OLD_MAX),
            Generator::None | Generator::Dead => session.old,
        };
        session.generator = Generator::None;
        self.settle(Settled::Aborted);
    }

    /// Takes the head of the queue out, if there is one, and completes or rejects it.
    fn settle(&mut self, settled: Settled) {
        if !self.state.session.has_request {
            return;
        }
        self.state.session.has_request = false;
        self.state.session.settled = Some(settled);
        self.state.processes.resolve(REQUEST);
        if self.state.approval == Approval::Pending {
            self.state.approval = Approval::Orphaned;
        }
    }

    /// The listener of a request whose token is cancelled.
    pub fn withdraw(&mut self) {
        self.tell(SESSION, SESSION, || {
            "the listener of the request that came too late: rejects it".to_owned()
        });
        self.settle(Settled::Aborted);
    }

    /// A result: the head of the queue is completed, whoever it is.
    pub fn answered(&mut self) {
        self.tell(SDK, SESSION, || "a result".to_owned());
        if !self.leaves() {
            self.settle(Settled::Result);
        }
    }

    /// What the message loop asks at each message: whether the token of the current request is cancelled. Then it throws,
    /// which ends the iterator, and catches. Nothing comes between the two, as only microtasks could, and there are none
    /// when a message comes.
    fn leaves(&mut self) -> bool {
        let leaves = self.state.is_cancelled;
        if leaves {
            self.tell(SESSION, SESSION, || {
                "the token of its request is cancelled: the loop throws".to_owned()
            });
            self.caught(Settled::Aborted);
        }
        leaves
    }

    /// The iterator throws, and nobody aborted it.
    pub fn broken(&mut self, is_transient: bool) -> Option<()> {
        self.spend(|left| &mut left.failures)?;
        self.tell(SDK, SESSION, || if is_transient { "throws: rate limit" } else { "throws" }.to_owned());
        self.caught(if is_transient { Settled::Broken } else { Settled::Failed });
        Some(())
    }

    /// The catch of the message loop whose generator the session has, or of any while it has none.
    fn caught(&mut self, settled: Settled) {
        self.state.session.generator = Generator::None;
        self.settle(settled);
        self.state.processes.resolve(PENDING_PROMPT);
    }

    /// The iterator that was started aborted comes to its end.
    pub fn own_ended(&mut self, throws: bool) {
        if throws {
            self.tell(SDK, SESSION, || "throws: aborted; the queue is rejected".to_owned());
            self.caught(Settled::Aborted);
        } else {
            self.tell(SDK, SESSION, || "the iterator ends, and nothing is done about it".to_owned());
            self.state.session.generator = Generator::Dead;
        }
    }

    /// An iterator that was aborted comes to its end.
    pub fn old_ended(&mut self, throws: bool) {
        self.state.session.old -= 1;
        self.tell(SDK, SESSION, || {
            let how = if throws { "throws: aborted" } else { "ends" };
            format!("an old iterator {how}")
        });
        if throws && self.state.session.generator == Generator::None {
            self.caught(Settled::Aborted);
        }
    }

    /// A tool of the turn needs the approval of a person. The call of the tool is a message, and comes before the question.
    pub fn asks_approval(&mut self) -> Option<()> {
        self.spend(|left| &mut left.approvals)?;
        if self.leaves() {
            return Some(());
        }
        self.state.approval = Approval::Pending;
        if self.state.worker.status == Status::Running {
            self.state.worker.status = Status::WaitingApproval;
        }
        self.tell(SDK, WORKER, || "asks whether a tool may run".to_owned());
        Some(())
    }
}
