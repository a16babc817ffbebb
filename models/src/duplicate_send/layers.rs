//! The code between a task and the network, stretch by stretch: the task's loop, the handler, the library.
//!
//! What differs between the clients is in three places: what a handler awaits before it sends, what it does about a
//! failure, and what it awaits after the answer.

use super::Client;
use super::scene::{HANDLER, Scene, TASK};
use super::state::{At, Call, Handler, Path, Refusal};
use super::wire::{Outcome, SendIndex, Stage, turn_name};

/// How a send fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// By a refusal, before the first byte.
    Refused(Refusal),
    /// No first byte came in time.
    TimedOut,
    /// In the middle of the stream.
    Broken,
}

impl Scene<'_> {
    /// The task's loop begins a try, and calls the handler.
    pub fn attempt(&mut self, call: Call) {
        let call = Call { pauses: 0, is_replayed: false, path: Path::Library, from: None, ..call };
        self.state.wire.turn_mut(call.turn).fetched = 0;
        match self.system.client {
            Client::LayeredRetries | Client::RefreshRetry => self.send(call),
            Client::Continuing | Client::Native => self.continue_from_last(call),
            Client::Failover => {
                self.say(call, "looks at the limits of the active profile");
                self.suspend(call, At::Adjusting);
            }
            Client::RepeatedFetch => self.fetch(call, 0),
        }
    }

    /// If a response is on its way it waits for it, for a short time.
    fn continue_from_last(&mut self, call: Call) {
        if self.state.handler.is_pending {
            self.say(call, "waits 100 ms for the response of the request before");
            return self.suspend(call, At::AwaitingResponse);
        }
        self.continue_now(call);
    }

    /// It takes what the handler has by now.
    fn continue_now(&mut self, call: Call) {
        let call = Call { from: self.state.handler.last, ..call };
        self.state.handler.is_pending = true;
        self.send(call);
    }

    fn fetch(&mut self, call: Call, before: u8) {
        self.tell_provider(0, || format!("{}: describe the model", turn_name(call.turn)));
        self.state.wire.fetch(call.turn);
        self.suspend(call, At::Fetching(before));
    }

    /// What a call awaited has come.
    pub fn resume(&mut self, call: Call, at: At) {
        match at {
            At::Fetching(0) => self.fetch(call, 1),
            At::Fetching(_) => self.send(call),
            At::Adjusting => match self.adjusted() {
                Some(_) => self.send(call),
                None => self.task_fails(call, None, "no profile is left"),
            },
            At::AwaitingResponse => self.continue_now(call),
            At::Requested(send) => self.begins(call, send),
            At::Reading(send) => self.reads(call, send),
            At::Pausing => self.send(call),
            At::Refreshing => {
                self.state.handler.token += 1;
                self.say(call, "has a newer token");
                self.send(call);
            }
            // The recursive call looks at the limits again.
            At::Cooling => self.attempt(call),
            At::Polling(send, 0) => {
                self.tell_provider(0, || "not known yet; asks again".to_owned());
                self.suspend(call, At::Polling(send, 1));
            }
            At::Polling(send, _) => self.finish(call, send),
            At::Counting => self.tries_again(call),
        }
    }

    /// The active profile, after a look at who cools down. It may be switched again before anybody reads it.
    fn adjusted(&mut self) -> Option<u8> {
        let Handler { active, cooling, .. } = &mut self.state.handler;
        if active.is_none_or(|active| *cooling & 1 << active != 0) {
            *active = (0..self.system.profiles).find(|profile| *cooling & 1 << profile == 0);
        }
        *active
    }

    /// The clock says that the token is good, and so it is not refreshed.
    pub fn keeps_token(&mut self, call: Call) {
        self.say(call, "finds its token good, by the clock");
        self.send(call);
    }

    /// Something goes over the network. Nobody asks whether the turn was cancelled.
    fn send(&mut self, call: Call) {
        let Handler { active, token, .. } = self.state.handler;
        let profile = active.unwrap_or_default();
        let (send, allowed) = (self.state.wire.next_send(), self.system.attempts);
        self.state.wire.send(send, (call.turn, allowed), (profile, token), call.from);
        self.tell_send(call, send);
        self.suspend(call, At::Requested(send));
    }

    /// The provider begins to answer. From here on its response has a number that others may continue from.
    fn begins(&mut self, call: Call, send: SendIndex) {
        self.state.wire.begin(send);
        if matches!(self.system.client, Client::Continuing | Client::Native) {
            let Handler { last, is_pending, .. } = &mut self.state.handler;
            (*last, *is_pending) = (Some(send + 1), false);
        }
        self.tell_answer(send, "begins to answer");
        self.suspend(call, At::Reading(send));
    }

    /// A piece of the answer comes: text, or the end with what it has cost.
    fn reads(&mut self, call: Call, send: SendIndex) {
        if self.is_given_up(call, send) {
            return;
        }
        if !self.state.wire.sent(send).is_delivered {
            self.state.wire.deliver(send);
            self.tell_answer(send, "text, which goes to the task");
            return self.suspend(call, At::Reading(send));
        }
        self.state.wire.close(send, Stage::Whole);
        self.tell_answer(send, "the end");
        if self.system.client == Client::RepeatedFetch {
            self.tell_provider(0, || format!("what has send {} cost?", send + 1));
            return self.suspend(call, At::Polling(send, 0));
        }
        self.finish(call, send);
    }

    /// The task looks at its abort flag whenever a piece comes to it.
    fn is_given_up(&mut self, call: Call, send: SendIndex) -> bool {
        let is_cancelled = self.state.wire.turn(call.turn).is_cancelled;
        if is_cancelled {
            self.state.wire.close(send, Stage::Broken);
            self.end_cancelled(call, Some(send));
        }
        is_cancelled
    }

    /// What it has cost is charged, and the task has its answer.
    fn finish(&mut self, call: Call, send: SendIndex) {
        let profile = match self.system.client {
            // Read again after the awaits.
            Client::Failover => self.state.handler.active.unwrap_or(u8::MAX),
            Client::LayeredRetries
            | Client::RefreshRetry
            | Client::Continuing
            | Client::Native
            | Client::RepeatedFetch => self.state.wire.sent(send).profile,
        };
        self.state.wire.charge(send, profile);
        self.tell(HANDLER, HANDLER, || match self.system.profiles {
            1 => format!("send {} is charged", send + 1),
            _ if profile == u8::MAX => format!("send {} is charged to nobody", send + 1),
            _ => format!("send {} is charged to provider {}", send + 1, profile + 1),
        });
        if self.state.wire.turn(call.turn).is_cancelled {
            return self.end_cancelled(call, Some(send));
        }
        self.tell(HANDLER, TASK, || format!("turn {} has its answer", turn_name(call.turn)));
        self.state.wire.accept(send);
        self.end_call(call);
    }

    /// A send fails, and comes by the library first, then by the handler.
    pub fn fails(&mut self, call: Call, send: SendIndex, failure: Failure) {
        let stage = match failure {
            Failure::Refused(_) => Stage::Refused,
            Failure::TimedOut | Failure::Broken => Stage::Broken,
        };
        match self.system.client {
            // What has thrown is not read any more, and nobody closes it.
            Client::Failover if failure == Failure::Broken => {}
            Client::LayeredRetries
            | Client::RefreshRetry
            | Client::Continuing
            | Client::Native
            | Client::Failover
            | Client::RepeatedFetch => self.state.wire.close(send, stage),
        }
        let may_pass = match failure {
            Failure::Refused(Refusal::Throttled | Refusal::Unavailable) | Failure::TimedOut => true,
            Failure::Refused(Refusal::Unauthorized | Refusal::ContinuityLost) | Failure::Broken => false,
        };
        if may_pass && call.pauses < self.system.retries {
            self.say(call, "its library waits, and will try again");
            return self.suspend(Call { pauses: call.pauses + 1, ..call }, At::Pausing);
        }
        self.handler_fails(Call { pauses: 0, ..call }, send, failure);
    }

    /// What each handler does about a failure.
    fn handler_fails(&mut self, call: Call, send: SendIndex, failure: Failure) {
        match (self.system.client, failure) {
            (Client::RefreshRetry, Failure::Refused(Refusal::Unauthorized)) if !call.is_replayed => {
                self.say(call, "refreshes its token");
                self.suspend(Call { is_replayed: true, ..call }, At::Refreshing);
            }
            (Client::Continuing | Client::Native, _) => self.native_fails(call, send, failure),
            (
                Client::Failover,
                Failure::Refused(Refusal::Throttled | Refusal::Unavailable) | Failure::Broken,
            ) => {
                self.cool_down(call);
            }
            (
                Client::LayeredRetries | Client::RefreshRetry | Client::RepeatedFetch | Client::Failover,
                Failure::Refused(_) | Failure::TimedOut | Failure::Broken,
            ) => self.task_fails(call, Some(send), "the try fails"),
        }
    }

    /// A lost response leads to the full input, and any other error, also in the middle of a stream, to a request of the
    /// handler's own if it has another way.
    fn native_fails(&mut self, call: Call, send: SendIndex, failure: Failure) {
        let is_lost = failure == Failure::Refused(Refusal::ContinuityLost) && call.from.is_some();
        let next = match call.path {
            Path::Library if is_lost => Call { path: Path::Full, from: None, ..call },
            Path::Raw if is_lost => Call { path: Path::RawFull, from: None, ..call },
            Path::Library | Path::Full if self.system.client == Client::Native => {
                Call { path: Path::Raw, ..call }
            }
            Path::Library | Path::Full | Path::Raw | Path::RawFull => {
                return self.task_fails(call, Some(send), "the try fails");
            }
        };
        if is_lost {
            self.state.handler.last = None;
            self.say(call, "forgets the response, and sends the full input");
        } else {
            self.say(call, "falls back to a request of its own");
        }
        self.send(next);
    }

    /// The active profile, whichever that is by now, is to cool down.
    fn cool_down(&mut self, call: Call) {
        let Handler { active, cooling, .. } = &mut self.state.handler;
        if let Some(active) = *active {
            *cooling |= 1 << active;
        }
        self.say(call, "lets the active profile cool down, and looks for another");
        self.suspend(call, At::Cooling);
    }

    /// An error comes to the task's loop, which knows of the send that it is about, and of no other.
    fn task_fails(&mut self, call: Call, send: Option<SendIndex>, words: &str) {
        if let Some(send) = send {
            self.state.wire.sent_mut(send).is_booked = true;
        }
        if self.state.wire.turn(call.turn).is_cancelled {
            return self.end_cancelled(call, send);
        }
        self.tell(HANDLER, TASK, || format!("turn {}: {words}", turn_name(call.turn)));
        if call.tries + 1 < self.system.attempts {
            self.state.wire.withdraw(call.turn);
            return self.suspend(Call { tries: call.tries + 1, ..call }, At::Counting);
        }
        self.tell(TASK, TASK, || format!("turn {} fails", turn_name(call.turn)));
        self.state.wire.end(call.turn, Outcome::Failed);
        self.end_call(call);
    }

    /// The countdown of the task is over.
    fn tries_again(&mut self, call: Call) {
        if self.state.wire.turn(call.turn).is_cancelled {
            return self.end_cancelled(call, None);
        }
        self.tell(TASK, TASK, || format!("turn {}: the countdown is over", turn_name(call.turn)));
        let last = self.state.wire.sends_of(call.turn).last().map(|(_, sent)| sent.profile);
        if let Some(profile) = last {
            self.state.wire.waited(call.turn, profile);
        }
        self.attempt(call);
    }

    /// The task sees that it was cancelled.
    fn end_cancelled(&mut self, call: Call, send: Option<SendIndex>) {
        if let Some(send) = send {
            self.state.wire.sent_mut(send).is_booked = true;
        }
        self.tell(TASK, TASK, || format!("turn {} ends as cancelled", turn_name(call.turn)));
        self.state.wire.end(call.turn, Outcome::Cancelled);
        self.end_call(call);
    }

    /// Somebody cancels a turn. The task notes it; only one handler has something that it can abort.
    pub fn cancel(&mut self, call: Call, at: At) {
        self.state.wire.turn_mut(call.turn).is_cancelled = true;
        let name = turn_name(call.turn);
        self.tell(TASK, HANDLER, || format!("cancels turn {name}"));
        let is_abortable = matches!(self.system.client, Client::Continuing | Client::Native);
        let (true, At::Requested(send) | At::Reading(send)) = (is_abortable, at) else { return };
        // The library throws, and the handler takes that for an error of the library.
        self.say(call, "the stream is aborted, and throws");
        self.fails(Call { pauses: u8::MAX, ..call }, send, Failure::Broken);
    }
}
