//! A state on its way to the next one: who continues, what the server and the store do, and the words for it.

use downbeat_sim::event_loop::{Await, Pid};
use downbeat_sim::model::{Arrow, Lane};

use super::TokenRefresh;
use super::ledger::{Outcome, request_name};
use super::server::{Answer, Generation};
use super::state::{
    Action, Call, Handler, Left, Process, RefreshAt, Request, RequestAt, State, Store, Window, WriteAt,
};

/// The lane of a window.
pub fn window_lane(window: u8) -> Lane {
    usize::from(window)
}

/// One step under way, in one window.
pub struct Scene<'a> {
    /// The client and the bounds.
    pub system: &'a TokenRefresh,
    /// The state.
    pub state: State,
    /// The window that acts.
    pub window: u8,
    /// What happened, in order, if somebody wants to know.
    pub told: Option<Vec<Arrow>>,
}

impl Scene<'_> {
    /// Takes a step, or returns `None` if it is not enabled.
    pub fn step(&mut self, action: Action) -> Option<()> {
        self.state.ledger = self.state.ledger.without_breaches();
        match action {
            Action::Ask(window, handler) => {
                self.window = window;
                self.ask(handler);
            }
            Action::Run(window) => {
                self.window = window;
                let (pid, process) = self.here().processes.run_head()?;
                self.resume(pid, process, false);
            }
            Action::Fire(window, pid) => {
                let process = self.fire(window, pid)?;
                self.resume(pid, process, false);
            }
            Action::Forgive(window, pid) => {
                let process = self.fire(window, pid)?;
                self.resume(pid, process, true);
            }
            Action::Lose(window, pid) => {
                let process = self.fire(window, pid)?;
                self.lose(pid, process)?;
            }
            Action::FailWrite(window, pid) => {
                let process = self.fire(window, pid)?;
                self.fail_write(pid, process)?;
            }
            Action::Lapse => self.lapse()?,
            Action::Expire => {
                self.tell(self.server_lane(), self.server_lane(), || {
                    "the access tokens that are due expire".to_owned()
                });
                self.state.server.expire().then_some(())?;
            }
            Action::Refuse => self.refuse()?,
            Action::Crash(window) => self.crash(window)?,
        }
        Some(())
    }

    /// Begins the next stretch of a call in a window.
    fn fire(&mut self, window: u8, pid: Pid) -> Option<Process> {
        self.window = window;
        self.here().processes.fire(pid)
    }

    fn resume(&mut self, pid: Pid, process: Process, forgives: bool) {
        match process {
            Process::Request(request, at) => self.resume_request(pid, request, at, forgives),
            Process::Refresh { handler, token, at } => match at {
                RefreshAt::Calling(Call::Sent) => {
                    let answer = self.serve(token, forgives);
                    let at = RefreshAt::Calling(Call::Served(answer));
                    self.suspend(pid, Process::Refresh { handler, token, at }, Await::External);
                }
                RefreshAt::Calling(Call::Served(answer)) => {
                    self.refresh_answered(pid, handler, token, answer);
                }
                RefreshAt::Writing(new, at) => self.refresh_writes(pid, handler, token, new, at),
                RefreshAt::Clearing => self.refresh_clears(pid, handler, token),
            },
        }
    }

    /// The server takes a refresh.
    pub fn serve(&mut self, token: Generation, forgives: bool) -> Answer {
        if self.state.server.is_used(token) {
            self.state.ledger.reuse(token);
        }
        let was_revoked = self.state.server.is_revoked();
        let answer = self.state.server.serve(token, forgives);
        let (server, window) = (self.server_lane(), window_lane(self.window));
        let number = token + 1;
        self.tell(server, window, || match answer {
            Answer::Granted(new) if forgives => {
                format!("refresh token {number} again, within its grace period: hands out {}", new + 1)
            }
            Answer::Granted(new) => format!("refresh token {number} is good: hands out {}", new + 1),
            Answer::InvalidGrant if was_revoked => "invalid grant".to_owned(),
            Answer::InvalidGrant | Answer::Error => {
                format!("refresh token {number} again: revokes the family; invalid grant")
            }
        });
        answer
    }

    /// The answer to a refresh gets lost on its way.
    fn lose(&mut self, pid: Pid, process: Process) -> Option<()> {
        self.spend(|left| &mut left.losses)?;
        let (server, window) = (self.server_lane(), window_lane(self.window));
        self.tell(server, window, || "the answer gets lost".to_owned());
        match process {
            Process::Request(request, RequestAt::Refreshing(_, Call::Served(_))) => {
                self.gemini_answered(pid, request, Answer::Error);
            }
            Process::Refresh { handler, token, at: RefreshAt::Calling(Call::Served(_)) } => {
                self.refresh_answered(pid, handler, token, Answer::Error);
            }
            Process::Request(..) | Process::Refresh { .. } => return None,
        }
        Some(())
    }

    /// A write to the store fails, and leaves what was there.
    fn fail_write(&mut self, pid: Pid, process: Process) -> Option<()> {
        self.spend(|left| &mut left.failures)?;
        let (store, window) = (self.store_lane(), window_lane(self.window));
        self.tell(store, window, || "the write fails".to_owned());
        match process {
            Process::Request(request, RequestAt::Writing(_, WriteAt::Begun)) => {
                self.write_failed(pid, request);
            }
            Process::Refresh { handler, token, at: RefreshAt::Writing(new, WriteAt::Begun) } => {
                self.refresh_write_failed(pid, handler, token, new);
            }
            Process::Request(..) | Process::Refresh { .. } => return None,
        }
        Some(())
    }

    fn lapse(&mut self) -> Option<()> {
        self.state.left.lapses = self.state.left.lapses.checked_sub(1)?;
        self.state.server.lapse().then_some(())?;
        let server = self.server_lane();
        // Without a buffer, due for a refresh is what has expired.
        if self.system.client.has_buffer() {
            self.tell(server, server, || "time passes: the access tokens are due for a refresh".to_owned());
        } else {
            self.state.server.expire();
            self.tell(server, server, || "time passes: the access tokens expire".to_owned());
        }
        Some(())
    }

    fn refuse(&mut self) -> Option<()> {
        self.spend(|left| &mut left.refusals)?;
        let (server, newest) = (self.server_lane(), self.state.server.newest() + 1);
        self.tell(server, server, || format!("access token {newest} is not taken any more, before its time"));
        self.state.server.refuse().then_some(())
    }

    fn crash(&mut self, window: u8) -> Option<()> {
        self.window = window;
        self.spend(|left| &mut left.crashes)?;
        self.tell(window_lane(window), window_lane(window), || "crashes, and starts again".to_owned());
        let is_revoked = self.state.server.is_revoked();
        let lost: Vec<Request> = self.state.processes().filter_map(|of| request_in(window, of)).collect();
        for request in lost {
            self.state.ledger.end(request.index, Outcome::Failed, is_revoked);
        }
        *self.here() = Window::NEW;
        Some(())
    }

    /// Takes one of a kind of trouble, and one of all troubles.
    fn spend(&mut self, kind: fn(&mut Left) -> &mut u8) -> Option<()> {
        let left = &mut self.state.left;
        left.troubles = left.troubles.checked_sub(1)?;
        let of_kind = kind(left);
        *of_kind = of_kind.checked_sub(1)?;
        if left.troubles == 0 {
            // What can happen no more is equal, whatever came before.
            *left = Left { lapses: left.lapses, ..Left::NONE };
        }
        Some(())
    }

    /// The window that acts.
    pub fn here(&mut self) -> &mut Window {
        &mut self.state.windows[usize::from(self.window)]
    }

    /// A handler of the window that acts.
    pub fn handler(&mut self, handler: u8) -> &mut Handler {
        &mut self.here().handlers[usize::from(handler)]
    }

    /// A handler takes a credential into memory.
    pub fn remember(&mut self, handler: u8, credential: Generation) {
        let held = self.handler(handler).memory.replace(credential);
        self.state.ledger.replace(false, held, Some(credential), credential);
    }

    /// A write to the store goes on. Whether it is done.
    pub fn write(&mut self, credential: Generation, at: WriteAt) -> bool {
        let (window, store) = (window_lane(self.window), self.store_lane());
        let blanks = self.system.client.blanks_its_store() && at == WriteAt::Begun;
        if blanks {
            self.tell(window, store, || self.system.client.words_of_blank().to_owned());
            self.state.ledger.blank(self.state.store.held(), credential);
            self.state.store = Store::Blank;
        } else {
            self.tell(window, store, || format!("stores credential {}", credential + 1));
            self.state.ledger.replace(true, self.state.store.held(), Some(credential), credential);
            self.state.store = Store::Holds(credential);
        }
        !blanks
    }

    /// The credential is deleted everywhere, because a refresh with `token` was an invalid grant.
    pub fn clear(&mut self, handler: u8, token: Generation) {
        let (window, store) = (window_lane(self.window), self.store_lane());
        self.tell(window, store, || "deletes the credential".to_owned());
        self.state.ledger.replace(true, self.state.store.held(), None, token);
        self.state.store = Store::Deleted;
        let held = self.handler(handler).memory.take();
        self.state.ledger.replace(false, held, None, token);
    }

    /// A request is over.
    pub fn finish(&mut self, pid: Pid, request: Request, outcome: Outcome) {
        let lane = window_lane(self.window);
        let name = request_name(request.index);
        self.tell(lane, lane, || match outcome {
            Outcome::Answered => format!("{name} has its answer"),
            Outcome::Login => format!("{name} ends: a person is told to log in"),
            Outcome::Failed => format!("{name} fails"),
        });
        self.state.ledger.end(request.index, outcome, self.state.server.is_revoked());
        self.here().processes.end(pid);
    }

    /// Ends the stretch of a call.
    pub fn suspend(&mut self, pid: Pid, process: Process, on: Await) {
        self.here().processes.suspend(pid, process, on);
    }

    /// The lane of the store.
    pub fn store_lane(&self) -> Lane {
        usize::from(self.system.windows)
    }

    /// The lane of the server.
    pub fn server_lane(&self) -> Lane {
        usize::from(self.system.windows) + 1
    }

    /// Notes who did what.
    pub fn tell(&mut self, from: Lane, to: Lane, words: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: words() });
        }
    }
}

fn request_in(window: u8, (of, _, process): (u8, Pid, Process)) -> Option<Request> {
    match process {
        Process::Request(request, _) => (of == window).then_some(request),
        Process::Refresh { .. } => None,
    }
}
