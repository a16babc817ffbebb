//! The session's code, stretch by stretch: `invoke`, start, the prompt iterable, the message loop, `abort()`.
//!
//! Each function runs from one `await` to the next, or to the end of its call. Which of them may run at a moment is
//! for [`super::actions`].

use downbeat_sim::event_loop::{Await, Pid};
use downbeat_sim::model::{Arrow, Lane};

use super::Version;
use super::ledger::{Cause, Outcome, REQUESTS, RequestIndex, request_name};
use super::sdk::IteratorIndex;
use super::state::{InvokeAt, IterableAt, LoopAt, Process, State};

/// The lane of the callers and of the one in charge.
pub const CALLERS: Lane = 0;
/// The lane of the session.
pub const SESSION: Lane = 1;

/// The lane of an iterator.
pub fn lane(iterator: IteratorIndex) -> Lane {
    2 + usize::from(iterator)
}

/// The signal of a request's completion.
fn completion(request: RequestIndex) -> u8 {
    request
}

/// Signals below are those of completions.
const FIRST_PROMPT_SIGNAL: u8 = 5;

const _: () = assert!(FIRST_PROMPT_SIGNAL as usize >= REQUESTS, "a signal means one thing");

/// The signal of the pending prompt that an iterable awaits.
fn prompt_of(iterator: IteratorIndex) -> u8 {
    FIRST_PROMPT_SIGNAL + iterator
}

/// The state in the middle of a step.
pub struct Session<'a> {
    /// What is rewritten.
    pub state: State,
    /// Which code it is.
    pub version: Version,
    /// The story of the step; `None` while the checker only wants the next state.
    pub told: Option<&'a mut Vec<Arrow>>,
}

impl Session<'_> {
    /// Adds an arrow to the story.
    pub fn tell(&mut self, from: Lane, to: Lane, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: text() });
        }
    }

    fn call(&mut self) -> Pid {
        let room = self.state.processes.call_unawaited();
        room.expect("there is room for every process of every request (PROCESSES)")
    }

    /// A caller makes a request: `invoke` up to its first `await`.
    pub fn invoke(&mut self) {
        let request = self.state.ledger.make();
        let pid = self.call();
        self.tell(CALLERS, SESSION, || format!("invoke({})", request_name(request)));
        if self.state.shared.generator.is_some() {
            return self.enter(pid, request);
        }
        self.state.sdk.start(request);
        self.tell(SESSION, lane(request), || "no gen: start calls query()".to_owned());
        let querying = Process::Invoke { request, at: InvokeAt::Querying };
        self.state.processes.suspend(pid, querying, Await::External);
    }

    /// `query()` is over. The SDK asks the prompt iterable for its first prompt before `query()` returns.
    pub fn query_returns(&mut self, pid: Pid, iterator: IteratorIndex) {
        self.state.sdk.open(iterator);
        self.tell(lane(iterator), SESSION, || "query() returns".to_owned());
        let iterable = self.call();
        self.next_prompt(iterable, iterator);
        let started = Process::Invoke { request: iterator, at: InvokeAt::Started };
        self.state.processes.suspend(pid, started, Await::Resolved);
    }

    /// `query()` fails, and with it start and `invoke`.
    pub fn query_fails(&mut self, pid: Pid, request: RequestIndex) {
        self.state.sdk.end(request);
        self.tell(lane(request), SESSION, || "query() fails".to_owned());
        self.reject(request, Cause::Failure);
        self.state.processes.end(pid);
    }

    /// The stretch of `pid` that begins at `process`.
    pub fn resume(&mut self, pid: Pid, process: Process) {
        match process {
            Process::Invoke { request, at } => self.resume_invoke(pid, request, at),
            Process::Iterable { iterator, at } => self.resume_iterable(pid, iterator, at),
            Process::Loop { iterator, at: LoopAt::Leaving } => {
                self.catch(iterator, Cause::Interrupt);
                self.state.processes.end(pid);
            }
            Process::Loop { at: LoopAt::Listening, .. } => {
                unreachable!("a loop that listens goes on when the SDK has something to say")
            }
        }
    }

    fn resume_invoke(&mut self, pid: Pid, request: RequestIndex, at: InvokeAt) {
        match at {
            InvokeAt::Started => {
                self.state.shared.generator = Some(request);
                self.tell(SESSION, SESSION, || {
                    format!("start: gen = iterator {}, its loop begins", request + 1)
                });
                let listener = self.call();
                let listening = Process::Loop { iterator: request, at: LoopAt::Listening };
                self.state.processes.suspend(listener, listening, Await::External);
                let entering = Process::Invoke { request, at: InvokeAt::Entering };
                self.state.processes.suspend(pid, entering, Await::Resolved);
            }
            InvokeAt::Entering => self.enter(pid, request),
            InvokeAt::Completing => {
                self.tell(SESSION, SESSION, || {
                    format!("the promise of invoke({}) follows", request_name(request))
                });
                let returning = Process::Invoke { request, at: InvokeAt::Returning };
                self.state.processes.suspend(pid, returning, Await::Resolved);
            }
            InvokeAt::Returning => {
                let settled = match self.state.ledger.request(request).outcome() {
                    Some(Outcome::Rejected) => "throws",
                    Some(Outcome::Answered | Outcome::Crossed) | None => "returns",
                };
                self.tell(SESSION, CALLERS, || format!("invoke({}) {settled}", request_name(request)));
                self.state.processes.end(pid);
            }
            InvokeAt::Querying => unreachable!("query() returns or fails"),
        }
    }

    /// The rest of `invoke` after its start: queue, listener, pending prompt.
    fn enter(&mut self, pid: Pid, request: RequestIndex) {
        self.state.shared.queue.push(request);
        self.tell(SESSION, SESSION, || format!("{} joins the queue", request_name(request)));
        if self.state.ledger.request(request).cancelled {
            self.state.listeners_due |= 1 << request;
        }
        if let Some(iterator) = self.state.shared.pending_prompt.take() {
            self.tell(SESSION, SESSION, || {
                format!("{} is handed to the prompts of iterator {}", request_name(request), iterator + 1)
            });
            self.end_wait(iterator, IterableAt::Taking(request));
        }
        let completing = Process::Invoke { request, at: InvokeAt::Completing };
        self.state.processes.suspend(pid, completing, Await::Signal(completion(request)));
    }

    /// The pending prompt of an iterable is completed or rejected: where it goes on.
    fn end_wait(&mut self, iterator: IteratorIndex, goes_on: IterableAt) {
        let waiting = Process::Iterable { iterator, at: IterableAt::Waiting };
        self.state.processes.rewrite(|process| {
            if *process == waiting {
                *process = Process::Iterable { iterator, at: goes_on };
            }
        });
        self.state.processes.resolve(prompt_of(iterator));
    }

    /// The top of the prompt iterable: the queue's head, or a wait for what comes.
    fn next_prompt(&mut self, pid: Pid, iterator: IteratorIndex) {
        let head = self.state.shared.queue.first();
        if head.is_none() {
            self.state.shared.pending_prompt = Some(iterator);
        }
        self.tell(lane(iterator), SESSION, || match head {
            Some(head) => format!("wants a prompt: finds {}", request_name(head)),
            None => "wants a prompt: sets pendingPrompt".to_owned(),
        });
        let (at, on) = match head {
            Some(head) => (IterableAt::Taking(head), Await::Resolved),
            None => (IterableAt::Waiting, Await::Signal(prompt_of(iterator))),
        };
        self.state.processes.suspend(pid, Process::Iterable { iterator, at }, on);
    }

    fn resume_iterable(&mut self, pid: Pid, iterator: IteratorIndex, at: IterableAt) {
        match at {
            IterableAt::Taking(request) => {
                self.state.shared.current = Some(request);
                self.tell(SESSION, lane(iterator), || {
                    let name = request_name(request);
                    format!("cur = {name}, yields {name}")
                });
                let yielding = Process::Iterable { iterator, at: IterableAt::Yielding(request) };
                self.state.processes.suspend(pid, yielding, Await::Resolved);
            }
            IterableAt::Yielding(request) => self.yielded(pid, iterator, request),
            IterableAt::Completing(request) => match self.state.ledger.request(request).outcome() {
                Some(Outcome::Answered | Outcome::Crossed) => self.next_prompt(pid, iterator),
                Some(Outcome::Rejected) | None => self.end_of_prompts(pid, iterator),
            },
            IterableAt::Refused => self.end_of_prompts(pid, iterator),
            IterableAt::Waiting => unreachable!("a wait that ends says how"),
        }
    }

    /// The SDK has the prompt. An iterator that is not live, aborted or over, closes the iterable in place of using it.
    fn yielded(&mut self, pid: Pid, iterator: IteratorIndex, request: RequestIndex) {
        let name = request_name(request);
        if !self.state.sdk.take(iterator, request) {
            self.tell(lane(iterator), lane(iterator), || format!("drops {name}: it is not live"));
            return self.state.processes.end(pid);
        }
        self.tell(lane(iterator), lane(iterator), || format!("works on {name}"));
        self.state.ledger.put_to_work(request);
        let completing = Process::Iterable { iterator, at: IterableAt::Completing(request) };
        let on = match self.state.ledger.request(request).outcome() {
            Some(_) => Await::Resolved,
            None => Await::Signal(completion(request)),
        };
        self.state.processes.suspend(pid, completing, on);
    }

    fn end_of_prompts(&mut self, pid: Pid, iterator: IteratorIndex) {
        self.tell(SESSION, lane(iterator), || "its prompts end by an exception".to_owned());
        self.state.processes.end(pid);
    }

    /// A result comes to the loop `pid` of an iterator.
    pub fn result(&mut self, pid: Pid, iterator: IteratorIndex) {
        let Some(made_for) = self.state.sdk.answer(iterator) else {
            unreachable!("it answers what it works on")
        };
        self.tell(lane(iterator), SESSION, || format!("the result of {}", request_name(made_for)));
        let current = self.state.shared.current;
        if let Some(cancelled) = current.filter(|&current| self.state.ledger.request(current).cancelled) {
            self.tell(SESSION, lane(iterator), || {
                format!("cur = {} is cancelled: the loop throws", request_name(cancelled))
            });
            self.state.sdk.end(iterator);
            let leaving = Process::Loop { iterator, at: LoopAt::Leaving };
            return self.state.processes.suspend(pid, leaving, Await::Resolved);
        }
        if let Some(head) = self.state.shared.queue.shift() {
            self.tell(SESSION, CALLERS, || format!("completes {}", request_name(head)));
            self.state.ledger.complete(head, made_for);
            self.state.processes.resolve(completion(head));
        }
        self.state.shared.current = None;
        let listening = Process::Loop { iterator, at: LoopAt::Listening };
        self.state.processes.suspend(pid, listening, Await::External);
    }

    /// An iterator throws at its loop `pid`, because it was aborted or by itself.
    pub fn iterator_throws(&mut self, pid: Pid, iterator: IteratorIndex, cause: Cause) {
        self.state.sdk.end(iterator);
        self.tell(lane(iterator), SESSION, || "throws".to_owned());
        self.catch(iterator, cause);
        self.state.processes.end(pid);
    }

    /// An iterator ends normally: its loop `pid` does too, and nothing else.
    pub fn iterator_ends(&mut self, pid: Pid, iterator: IteratorIndex) {
        self.state.sdk.end(iterator);
        self.tell(lane(iterator), SESSION, || "ends normally".to_owned());
        self.state.processes.end(pid);
    }

    /// The `catch` of the message loop.
    fn catch(&mut self, iterator: IteratorIndex, cause: Cause) {
        let generator = self.state.shared.generator;
        let cleans_up = match self.version {
            Version::V0 | Version::V1 | Version::V2 => true,
            Version::V3 => generator.is_none_or(|generator| generator == iterator),
        };
        if !cleans_up {
            return self.tell(SESSION, SESSION, || {
                format!("catch of iterator {}: gen is another's, nothing to do", iterator + 1)
            });
        }
        self.tell(SESSION, SESSION, || format!("catch of iterator {} cleans up", iterator + 1));
        while let Some(request) = self.state.shared.queue.shift() {
            self.reject(request, cause);
        }
        if let Some(waiting) = self.state.shared.pending_prompt.take() {
            self.end_wait(waiting, IterableAt::Refused);
        }
        match self.version {
            Version::V0 => {}
            Version::V1 | Version::V2 | Version::V3 => self.state.shared.generator = None,
        }
    }

    /// `abort()`: the one in charge stops what is in progress.
    pub fn abort(&mut self) {
        self.tell(CALLERS, SESSION, || "abort()".to_owned());
        self.state.ledger.abort();
        self.state.sdk.abort();
        match self.version {
            Version::V0 | Version::V1 => {}
            Version::V2 | Version::V3 => self.state.shared.generator = None,
        }
        if let Some(head) = self.state.shared.queue.shift() {
            self.reject(head, Cause::Interrupt);
        }
    }

    /// A caller cancels a token. A listener that is there runs at once; before, nobody looks at the token.
    pub fn cancel(&mut self, request: RequestIndex) {
        self.tell(CALLERS, SESSION, || format!("cancels the token of {}", request_name(request)));
        self.state.ledger.cancel(request);
        match self.state.invoke_of(request) {
            Some((_, InvokeAt::Completing)) => self.withdraw(request),
            Some((_, InvokeAt::Querying | InvokeAt::Started | InvokeAt::Entering | InvokeAt::Returning))
            | None => {}
        }
    }

    /// The timer of a token that was cancelled before its listener was there.
    pub fn listener(&mut self, request: RequestIndex) {
        self.state.listeners_due &= !(1 << request);
        self.tell(CALLERS, SESSION, || format!("the token of {} calls its listener", request_name(request)));
        self.withdraw(request);
    }

    /// The listener of a token: takes its own request out of the queue.
    fn withdraw(&mut self, request: RequestIndex) {
        if self.state.shared.queue.remove(request) {
            self.reject(request, Cause::Interrupt);
        }
    }

    fn reject(&mut self, request: RequestIndex, cause: Cause) {
        self.tell(SESSION, CALLERS, || format!("rejects {}", request_name(request)));
        self.state.ledger.reject(request, cause);
        self.state.processes.resolve(completion(request));
    }
}
