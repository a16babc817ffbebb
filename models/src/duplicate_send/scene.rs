//! A state on its way to the next one: whose call goes on, what the provider does, and the words for it.

use downbeat_sim::model::{Arrow, Lane};

use super::AsIs;
use super::layers::Failure;
use super::state::{Action, At, Call, Left, Path, Refusal, State};
use super::wire::{Profile, SendIndex, Stage, TurnIndex, turn_name};

/// The lane of the tasks.
pub const TASK: Lane = 0;

/// The lane of the handler.
pub const HANDLER: Lane = 1;

/// The lane of a provider.
pub fn provider(profile: Profile) -> Lane {
    HANDLER + 1 + usize::from(profile)
}

/// One step under way.
pub struct Scene<'a> {
    /// The client and the bounds.
    pub system: &'a AsIs,
    /// The state.
    pub state: State,
    /// What happened, in order, if somebody wants to know.
    pub told: Option<Vec<Arrow>>,
}

impl Scene<'_> {
    /// Takes a step, or returns `None` if it is not enabled.
    pub fn step(&mut self, action: Action) -> Option<()> {
        self.state.wire = self.state.wire.without_breaches();
        match action {
            Action::Ask => self.ask(),
            Action::Fire(turn) => {
                let (call, at) = self.state.call(turn)?;
                self.resume(call, at);
            }
            Action::Refuse(turn, refusal) => self.refuse(turn, refusal)?,
            Action::TimeOut(turn) => {
                let (call, send) = self.requested(turn)?;
                self.spend(|left| &mut left.delays)?;
                self.state.wire.begin(send);
                self.tell_answer(send, "works on it, and nothing comes in time");
                self.fails(call, send, Failure::TimedOut);
            }
            Action::Break(turn) => {
                let (call, At::Reading(send)) = self.state.call(turn)? else { return None };
                self.spend(|left| &mut left.breaks)?;
                self.tell_answer(send, "an error, in the middle of the stream");
                self.fails(call, send, Failure::Broken);
            }
            Action::KeepToken(turn) => {
                let (call, At::Refreshing) = self.state.call(turn)? else { return None };
                self.spend(|left| &mut left.keeps)?;
                self.keeps_token(call);
            }
            Action::Cancel(turn) => {
                self.state.left.cancels = self.state.left.cancels.checked_sub(1)?;
                let (call, at) = self.state.call(turn)?;
                self.cancel(call, at);
            }
            Action::Switch => {
                self.spend(|left| &mut left.switches)?;
                self.switch();
            }
            Action::RunOut(send) => {
                self.state.wire.close(send, Stage::Whole);
                self.tell_answer(send, "the end, which nobody reads");
            }
        }
        Some(())
    }

    fn ask(&mut self) {
        let turn = self.state.wire.make();
        self.tell(TASK, HANDLER, || format!("turn {}", turn_name(turn)));
        let call = Call { turn, tries: 0, pauses: 0, is_replayed: false, path: Path::Library, from: None };
        self.attempt(call);
    }

    /// The call of a turn that awaits the head of an answer.
    fn requested(&self, turn: TurnIndex) -> Option<(Call, SendIndex)> {
        let (call, At::Requested(send)) = self.state.call(turn)? else { return None };
        Some((call, send))
    }

    fn refuse(&mut self, turn: TurnIndex, refusal: Refusal) -> Option<()> {
        let (call, send) = self.requested(turn)?;
        match refusal {
            Refusal::Throttled => {
                self.spend(|left| &mut left.throttles)?;
                self.state.wire.throttle(send);
                self.tell_answer(send, "429: later");
            }
            Refusal::Unauthorized => {
                self.spend(|left| &mut left.refusals)?;
                self.state.wire.refuse_token(send);
                self.tell_answer(send, "401: the token is not good");
            }
            Refusal::ContinuityLost => {
                self.spend(|left| &mut left.losses)?;
                self.tell_answer(send, "400: the previous response is not found");
            }
            Refusal::Unavailable => {
                self.spend(|left| &mut left.outages)?;
                self.tell_answer(send, "503: overloaded");
            }
        }
        self.fails(call, send, Failure::Refused(refusal));
        Some(())
    }

    fn switch(&mut self) {
        let (profiles, handler) = (self.system.profiles, &mut self.state.handler);
        if let Some(active) = handler.active {
            handler.cooling |= 1 << active;
        }
        let cooling = handler.cooling;
        handler.active = (0..profiles).find(|profile| cooling & 1 << profile == 0);
        let active = handler.active;
        self.tell(HANDLER, HANDLER, || match active {
            Some(active) => {
                format!("a count of tokens finds the limit reached: provider {} is active", active + 1)
            }
            None => "a count of tokens finds the limit reached: no provider is active".to_owned(),
        });
    }

    /// Takes one of a kind of trouble, and one of all troubles.
    fn spend(&mut self, kind: fn(&mut Left) -> &mut u8) -> Option<()> {
        let left = &mut self.state.left;
        left.troubles = left.troubles.checked_sub(1)?;
        let of_kind = kind(left);
        *of_kind = of_kind.checked_sub(1)?;
        if left.troubles == 0 {
            // What can happen no more is equal, whatever came before.
            *left = Left { cancels: left.cancels, ..Left::NONE };
        }
        Some(())
    }

    /// Ends a stretch of a call.
    pub fn suspend(&mut self, call: Call, at: At) {
        self.state.calls[usize::from(call.turn)] = Some((call, at));
    }

    /// The call of a turn is over.
    pub fn end_call(&mut self, call: Call) {
        self.state.calls[usize::from(call.turn)] = None;
    }

    /// Notes who did what.
    pub fn tell(&mut self, from: Lane, to: Lane, words: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: words() });
        }
    }

    /// Notes what the handler does for a call.
    pub fn say(&mut self, call: Call, words: &str) {
        self.tell(HANDLER, HANDLER, || format!("turn {}: {words}", turn_name(call.turn)));
    }

    /// Notes what goes to a provider.
    pub fn tell_provider(&mut self, profile: Profile, words: impl FnOnce() -> String) {
        self.tell(HANDLER, provider(profile), words);
    }

    /// Notes a send.
    pub fn tell_send(&mut self, call: Call, send: SendIndex) {
        let sent = *self.state.wire.sent(send);
        let has_tokens = self.system.left.refusals > 0;
        self.tell_provider(sent.profile, || {
            let token = if has_tokens { format!(", token {}", sent.token) } else { String::new() };
            let input = match sent.from {
                Some(response) => format!(", continues from response {response}"),
                None => String::new(),
            };
            format!("send {} of turn {}{token}{input}", send + 1, turn_name(call.turn))
        });
    }

    /// Notes what comes of a send.
    pub fn tell_answer(&mut self, send: SendIndex, words: &str) {
        let profile = self.state.wire.sent(send).profile;
        self.tell(provider(profile), HANDLER, || format!("send {}: {words}", send + 1));
    }
}
