//! A refresh that is a process of its own, because several requests may await it.

use downbeat_sim::event_loop::{Await, Pid};

use super::Client;
use super::request::signal;
use super::scene::{Scene, window_lane};
use super::server::{Answer, Generation};
use super::state::{Process, Promise, RefreshAt, RequestAt, WriteAt};

impl Scene<'_> {
    /// The server has answered, or its answer is lost.
    pub fn refresh_answered(&mut self, pid: Pid, handler: u8, token: Generation, answer: Answer) {
        let lane = window_lane(self.window);
        self.tell(lane, lane, || {
            let words = match answer {
                Answer::Granted(_) => "is granted",
                Answer::InvalidGrant => "is refused",
                Answer::Error => "fails",
            };
            format!("the refresh with refresh token {} {words}", token + 1)
        });
        let (writes, clears) = match self.system.client {
            Client::Gemini => unreachable!("its refreshes are part of the requests"),
            Client::Qwen => (true, false),
            // Whoever awaits it stores and clears.
            Client::Codex => (false, false),
            Client::GlobalSingleFlight => (true, true),
        };
        let at = match answer {
            Answer::Granted(new) if writes => RefreshAt::Writing(new, WriteAt::Begun),
            Answer::InvalidGrant if clears => RefreshAt::Clearing,
            Answer::Granted(_) | Answer::InvalidGrant | Answer::Error => {
                return self.settle(pid, handler, token, answer);
            }
        };
        self.suspend(pid, Process::Refresh { handler, token, at }, Await::External);
    }

    /// The write goes on, and with its end the refresh settles.
    pub fn refresh_writes(&mut self, pid: Pid, handler: u8, token: Generation, new: Generation, at: WriteAt) {
        if !self.write(new, at) {
            let at = RefreshAt::Writing(new, WriteAt::Blanked);
            return self.suspend(pid, Process::Refresh { handler, token, at }, Await::External);
        }
        if self.system.client == Client::GlobalSingleFlight {
            self.remember(handler, new);
        }
        self.settle(pid, handler, token, Answer::Granted(new));
    }

    /// The write threw. One client goes on with what it has in memory.
    pub fn refresh_write_failed(&mut self, pid: Pid, handler: u8, token: Generation, new: Generation) {
        let answer = match self.system.client {
            Client::Qwen => Answer::Granted(new),
            Client::Gemini | Client::Codex | Client::GlobalSingleFlight => Answer::Error,
        };
        self.settle(pid, handler, token, answer);
    }

    /// The credential is deleted, and the refresh settles.
    pub fn refresh_clears(&mut self, pid: Pid, handler: u8, token: Generation) {
        self.clear(handler, token);
        self.settle(pid, handler, token, Answer::InvalidGrant);
    }

    /// Ends the refresh. Those who await it go on as microtasks, with what came of it.
    fn settle(&mut self, pid: Pid, handler: u8, token: Generation, answer: Answer) {
        let clears_itself = self.system.client == Client::GlobalSingleFlight;
        let promise = &mut self.handler(handler).promise;
        if *promise == Promise::Pending(pid, token) {
            *promise = if clears_itself { Promise::None } else { Promise::Settled(answer, token) };
        }
        let processes = &mut self.here().processes;
        processes.rewrite(|process| match process {
            Process::Request(_, RequestAt::Waiting { refresh, settled, .. }) => {
                if *refresh == pid && settled.is_none() {
                    *settled = Some(answer);
                }
            }
            Process::Request(..) | Process::Refresh { .. } => {}
        });
        processes.resolve(signal(pid));
        processes.end(pid);
    }
}
