//! A request, stretch by stretch: read the store, refresh if the token is due, send, and what a 401 leads to.

use downbeat_sim::event_loop::{Await, Pid};

use super::Client;
use super::ledger::{Outcome, request_name};
use super::scene::{Scene, window_lane};
use super::server::{Answer, Generation};
use super::state::{Call, Handler, Process, Promise, RefreshAt, Request, RequestAt, Store, WriteAt};

impl Scene<'_> {
    /// Somebody makes a request.
    pub fn ask(&mut self, handler: u8) {
        let request = Request { index: self.state.ledger.make(), handler, refused: None };
        let pid = self.here().processes.call_unawaited();
        let pid = pid.expect("there is room for every request (PROCESSES)");
        let (lane, handlers) = (window_lane(self.window), self.system.handlers);
        self.tell(lane, lane, || match handlers {
            1 => format!("request {} comes", request_name(request.index)),
            _ => format!("request {} comes to handler {}", request_name(request.index), handler + 1),
        });
        self.authenticate(pid, request);
    }

    /// `ensureAuthenticated` or `getAccessToken`, up to its first await.
    fn authenticate(&mut self, pid: Pid, request: Request) {
        let Handler { memory, promise } = *self.handler(request.handler);
        let blocks = self.system.client == Client::GlobalSingleFlight && promise != Promise::None;
        match memory {
            _ if blocks => self.renew(pid, request),
            Some(credential) if self.state.server.is_lapsed(credential) => self.renew(pid, request),
            Some(_) => self.send(pid, request),
            None => self.load(pid, request),
        }
    }

    fn load(&mut self, pid: Pid, request: Request) {
        let (window, store) = (window_lane(self.window), self.store_lane());
        self.tell(window, store, || {
            format!("{} has no credential: reads the store", request_name(request.index))
        });
        self.suspend(pid, Process::Request(request, RequestAt::Loading), Await::External);
    }

    /// Goes on with a request whose await is over.
    pub fn resume_request(&mut self, pid: Pid, request: Request, at: RequestAt, forgives: bool) {
        match at {
            RequestAt::Loading => self.loaded(pid, request),
            RequestAt::Waiting { token, is_owner, settled, .. } => {
                let Some(answer) = settled else {
                    unreachable!("nobody goes on before the refresh has settled")
                };
                self.renewed(pid, request, token, is_owner, answer);
            }
            RequestAt::Refreshing(token, Call::Sent) => {
                let answer = self.serve(token, forgives);
                let at = RequestAt::Refreshing(token, Call::Served(answer));
                self.suspend(pid, Process::Request(request, at), Await::External);
            }
            RequestAt::Refreshing(_, Call::Served(answer)) => self.gemini_answered(pid, request, answer),
            RequestAt::Writing(credential, at) => self.request_writes(pid, request, credential, at),
            RequestAt::Clearing(token) => {
                self.clear(request.handler, token);
                self.finish(pid, request, Outcome::Login);
            }
            RequestAt::Sent(token) => self.responded(pid, request, token),
        }
    }

    /// The store was read.
    fn loaded(&mut self, pid: Pid, request: Request) {
        let (window, store) = (window_lane(self.window), self.store_lane());
        let (name, found) = (request_name(request.index), self.state.store);
        self.tell(store, window, || match found {
            Store::Holds(credential) => format!("{name} reads credential {}", credential + 1),
            Store::Blank => format!("{name} reads: no file, or an empty one"),
            Store::Deleted => format!("{name} reads: no credential"),
        });
        if let Store::Holds(credential) = found {
            self.remember(request.handler, credential);
        }
        let is_unreadable = found == Store::Blank;
        match self.handler(request.handler).memory {
            Some(_) if !is_unreadable => self.with_credential(pid, request),
            Some(_) | None => self.finish(pid, request, Outcome::Login),
        }
    }

    /// The handler has a credential. After a 401 a refresh is forced.
    fn with_credential(&mut self, pid: Pid, request: Request) {
        if request.refused.is_some() { self.renew(pid, request) } else { self.authenticate(pid, request) }
    }

    /// Refreshes the credential in memory, or joins those who do already.
    fn renew(&mut self, pid: Pid, request: Request) {
        let handler = *self.handler(request.handler);
        match (self.system.client, handler.promise) {
            (Client::Gemini, _) => self.refresh_alone(pid, request),
            (_, Promise::Pending(refresh, token)) => {
                self.say(request, "awaits the refresh in flight");
                let at = RequestAt::Waiting { refresh, token, is_owner: false, settled: None };
                self.suspend(pid, Process::Request(request, at), Await::Signal(signal(refresh)));
            }
            (_, Promise::Settled(answer, token)) => {
                self.say(request, "awaits the refresh that is over");
                let at = RequestAt::Waiting { refresh: pid, token, is_owner: false, settled: Some(answer) };
                self.suspend(pid, Process::Request(request, at), Await::Resolved);
            }
            (_, Promise::None) => self.begin_refresh(pid, request),
        }
    }

    /// The refresh token in memory, as one goes out.
    fn take_refresh_token(&mut self, request: Request) -> Generation {
        let memory = self.handler(request.handler).memory;
        let token = memory.expect("whoever refreshes has a credential in memory");
        let (window, server) = (window_lane(self.window), self.server_lane());
        self.tell(window, server, || {
            format!("{} refreshes with refresh token {}", request_name(request.index), token + 1)
        });
        token
    }

    fn refresh_alone(&mut self, pid: Pid, request: Request) {
        let token = self.take_refresh_token(request);
        let at = RequestAt::Refreshing(token, Call::Sent);
        self.suspend(pid, Process::Request(request, at), Await::External);
    }

    fn begin_refresh(&mut self, pid: Pid, request: Request) {
        let token = self.take_refresh_token(request);
        let refresh = self.here().processes.call_unawaited();
        let refresh = refresh.expect("there is room for a refresh of every request (PROCESSES)");
        let at = RefreshAt::Calling(Call::Sent);
        self.suspend(refresh, Process::Refresh { handler: request.handler, token, at }, Await::External);
        self.handler(request.handler).promise = Promise::Pending(refresh, token);
        let at = RequestAt::Waiting { refresh, token, is_owner: true, settled: None };
        self.suspend(pid, Process::Request(request, at), Await::Signal(signal(refresh)));
    }

    /// The promise of a refresh has settled, and one who awaited it goes on.
    fn renewed(&mut self, pid: Pid, request: Request, token: Generation, is_owner: bool, answer: Answer) {
        match self.system.client {
            Client::Gemini => unreachable!("nobody shares a refresh"),
            Client::Qwen => self.qwen_renewed(pid, request, is_owner, answer),
            Client::Codex => self.codex_renewed(pid, request, token, answer),
            Client::GlobalSingleFlight => match answer {
                Answer::Granted(_) => self.send(pid, request),
                Answer::InvalidGrant | Answer::Error => self.finish(pid, request, Outcome::Login),
            },
        }
    }

    /// The one who began it clears the promise, whichever is there; each takes the credential, or throws.
    fn qwen_renewed(&mut self, pid: Pid, request: Request, is_owner: bool, answer: Answer) {
        if is_owner {
            self.handler(request.handler).promise = Promise::None;
        }
        match answer {
            Answer::Granted(credential) => {
                self.remember(request.handler, credential);
                self.send(pid, request);
            }
            Answer::InvalidGrant => self.finish(pid, request, Outcome::Login),
            Answer::Error => self.finish(pid, request, Outcome::Failed),
        }
    }

    /// Each clears the promise, whichever is there, and only then awaits the store. Whatever goes wrong is a `null`,
    /// which the caller takes for *not logged in*.
    fn codex_renewed(&mut self, pid: Pid, request: Request, token: Generation, answer: Answer) {
        self.handler(request.handler).promise = Promise::None;
        match answer {
            Answer::Granted(credential) => {
                self.say(request, "clears the promise, and begins to store");
                let at = RequestAt::Writing(credential, WriteAt::Begun);
                self.suspend(pid, Process::Request(request, at), Await::External);
            }
            Answer::InvalidGrant => {
                self.say(request, "clears the promise, and begins to delete");
                self.suspend(pid, Process::Request(request, RequestAt::Clearing(token)), Await::External);
            }
            Answer::Error => self.finish(pid, request, Outcome::Login),
        }
    }

    /// A refresh that nobody shares has come back. The new credential is in memory before it is written.
    pub fn gemini_answered(&mut self, pid: Pid, request: Request, answer: Answer) {
        match answer {
            Answer::Granted(credential) => {
                self.say(request, "has the new credential, and begins to write");
                self.remember(request.handler, credential);
                let at = RequestAt::Writing(credential, WriteAt::Begun);
                self.suspend(pid, Process::Request(request, at), Await::External);
            }
            Answer::InvalidGrant => self.finish(pid, request, Outcome::Login),
            Answer::Error => self.finish(pid, request, Outcome::Failed),
        }
    }

    fn request_writes(&mut self, pid: Pid, request: Request, credential: Generation, at: WriteAt) {
        if !self.write(credential, at) {
            let at = RequestAt::Writing(credential, WriteAt::Blanked);
            return self.suspend(pid, Process::Request(request, at), Await::External);
        }
        if self.system.client == Client::Codex {
            self.remember(request.handler, credential);
        }
        self.send(pid, request);
    }

    /// The write of a request threw.
    pub fn write_failed(&mut self, pid: Pid, request: Request) {
        match self.system.client {
            Client::Gemini => self.finish(pid, request, Outcome::Failed),
            Client::Codex => {
                self.handler(request.handler).promise = Promise::None;
                self.finish(pid, request, Outcome::Login);
            }
            Client::Qwen | Client::GlobalSingleFlight => unreachable!("its refreshes write"),
        }
    }

    /// Goes to the API under what is in memory now.
    fn send(&mut self, pid: Pid, request: Request) {
        let Some(token) = self.handler(request.handler).memory else {
            return self.finish(pid, request, Outcome::Login);
        };
        let (window, server) = (window_lane(self.window), self.server_lane());
        let (name, number) = (request_name(request.index), token + 1);
        let again = if request.refused.is_some() { "is sent again" } else { "is sent" };
        self.tell(window, server, || format!("{name} {again}, with access token {number}"));
        if let Some(refused) = request.refused {
            self.state.ledger.send_again(request.index, refused, token);
        }
        self.suspend(pid, Process::Request(request, RequestAt::Sent(token)), Await::External);
    }

    /// The API answers: the request is over, or refused for the first time.
    fn responded(&mut self, pid: Pid, request: Request, token: Generation) {
        if self.state.server.accepts(token) {
            return self.finish(pid, request, Outcome::Answered);
        }
        let (window, server) = (window_lane(self.window), self.server_lane());
        self.tell(server, window, || format!("401: refuses {}", request_name(request.index)));
        if request.refused.is_some() {
            return self.finish(pid, request, Outcome::Failed);
        }
        let request = Request { refused: Some(token), ..request };
        match (self.system.client, self.handler(request.handler).memory) {
            (_, None) => self.load(pid, request),
            (Client::Gemini, Some(_)) => self.authenticate(pid, request),
            (Client::Qwen | Client::Codex | Client::GlobalSingleFlight, Some(_)) => self.renew(pid, request),
        }
    }

    fn say(&mut self, request: Request, words: &str) {
        let lane = window_lane(self.window);
        self.tell(lane, lane, || format!("{} {words}", request_name(request.index)));
    }
}

/// The signal of a refresh.
pub(super) fn signal(refresh: Pid) -> u8 {
    u8::try_from(refresh.index()).expect("processes are numbered by bytes")
}
