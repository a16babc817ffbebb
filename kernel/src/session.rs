//! The session of a worker with its agent: prompts in, answers out, one iterator at a time.
//!
//! The agent's SDK takes prompts through one iterator and gives answers through it, and when it is told to stop it
//! does so later, in an orderly way, with an error, or never. Three rules keep what follows from that apart. An
//! iterator is started only when the one before has ended or was killed (S10). Every answer names its iterator and
//! its prompt, so that what an old iterator still says touches nothing (S11). An abort names its prompt, so that one
//! that comes too late stops nothing else (S12).
//!
//! A prompt is settled exactly once: answered, aborted, or failed.

use crate::config::Config;
use crate::faults::Fault;
use crate::vocabulary::{Ignored, Outcome};
use serde::{Deserialize, Serialize};

/// One prompt of a session. Its caller numbers them from 1, without gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PromptId(pub u32);

/// One run of the agent's iterator. The session numbers them from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IteratorId(pub u32);

/// The prompts that a session holds at most: what is waiting is a window of this many bits.
pub const PROMPTS_MAX: u32 = 32;

/// A fact about one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SessionEvent {
    /// Somebody has a prompt for the agent.
    Invoked {
        /// The next number.
        prompt: PromptId,
    },
    /// The iterator runs. Answers [`SessionEffect::Start`].
    Started {
        /// Which one.
        iterator: IteratorId,
    },
    /// The agent answered a prompt. Answers [`SessionEffect::Prompt`].
    Answered {
        /// Whose answer.
        iterator: IteratorId,
        /// The prompt that the iterator was given last.
        prompt: PromptId,
    },
    /// The iterator is gone: it could not be started, or ended. Answers [`SessionEffect::Start`] and
    /// [`SessionEffect::Stop`]; may come at any time.
    IteratorEnded {
        /// Which one.
        iterator: IteratorId,
        /// How.
        end: IteratorEnd,
    },
    /// Whoever gave the prompt does not want its answer any more.
    AbortRequested {
        /// Which prompt.
        prompt: PromptId,
    },
    /// Somebody wants another iterator in place of this one.
    RestartRequested,
    /// Nobody will have a prompt again.
    CloseRequested,
    /// The time to stop is over. Answers [`SessionEffect::Arm`].
    StopElapsed {
        /// The iterator that was to stop.
        iterator: IteratorId,
    },
}

/// How an iterator ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IteratorEnd {
    /// In an orderly way.
    Normal,
    /// With an error that may pass: a lost connection, a time-out, an agent that crashed.
    Transient,
    /// The provider asked for patience.
    Throttled,
    /// With an error that another try cannot mend.
    Permanent,
}

/// An order to whoever drives a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SessionEffect {
    /// Start an iterator; answer [`SessionEvent::Started`] or [`SessionEvent::IteratorEnded`].
    Start {
        /// The identity that all it says has to carry.
        iterator: IteratorId,
    },
    /// Give the iterator a prompt; answer [`SessionEvent::Answered`] or [`SessionEvent::IteratorEnded`].
    Prompt {
        /// Which iterator.
        iterator: IteratorId,
        /// Which prompt: the idempotency key.
        prompt: PromptId,
    },
    /// Tell the iterator to end; answer [`SessionEvent::IteratorEnded`].
    Stop {
        /// Which one.
        iterator: IteratorId,
    },
    /// End the iterator by force. It is gone when this order is done, before the next one is begun; expects no
    /// answer.
    Kill {
        /// Which one.
        iterator: IteratorId,
    },
    /// The prompt came to its end.
    Settle {
        /// Which one.
        prompt: PromptId,
        /// How.
        end: PromptEnd,
    },
    /// Answer [`SessionEvent::StopElapsed`] after that time.
    Arm {
        /// The iterator that is to stop.
        iterator: IteratorId,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// That timer is not needed any more.
    Disarm {
        /// Whose timer.
        iterator: IteratorId,
    },
    /// The session has no iterator and takes no prompt any more.
    Closed,
}

/// How a prompt came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PromptEnd {
    /// The agent answered it.
    Answered,
    /// Somebody asked for that, or for the end of the session; the agent may have begun with it.
    Aborted,
    /// The iterator ended first.
    Failed(IteratorEnd),
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionRejected {
    /// A prompt number was left out.
    PromptGap {
        /// The number that comes next.
        expected: PromptId,
        /// The number that arrived.
        got: PromptId,
    },
    /// [`PROMPTS_MAX`]: the queue is full.
    QueueFull {
        /// The prompt that was not accepted.
        prompt: PromptId,
    },
    /// It answers something that the session has not asked.
    NeverAsked {
        /// Where the session stands.
        state: SessionState,
        /// What arrived.
        event: SessionEvent,
    },
}

/// Where a session stands. The diagram is in `docs/session.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SessionState {
    /// No iterator, and no prompt.
    #[default]
    Dormant,
    /// An iterator is being started.
    Starting,
    /// The iterator waits for a prompt.
    Listening,
    /// The iterator has the first prompt of the queue.
    Answering,
    /// The iterator was told to end. Prompts wait for the next one.
    Stopping,
    /// The same, and there will be no next one.
    Closing,
    /// No iterator and no prompt for good.
    Closed,
}

/// One session. `1..=settled` came to their ends; the rest up to `accepted` wait, but for those in `withdrawn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Session {
    /// Where it stands.
    pub state: SessionState,
    /// The last iterator that was started, 0 before the first.
    pub iterator: IteratorId,
    /// The last prompt that was accepted.
    pub accepted: PromptId,
    /// Every prompt up to this one is settled.
    pub settled: PromptId,
    /// Bit `i`: prompt `settled + 1 + i` is settled before its turn. The first waiting prompt is never among them.
    pub withdrawn: u32,
}

type Reply = Outcome<SessionRejected>;

impl Session {
    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(
        &mut self,
        event: SessionEvent,
        config: &Config,
        sink: &mut dyn FnMut(SessionEffect),
    ) -> Outcome<SessionRejected> {
        let mut step = Step { session: self, config, sink };
        match event {
            SessionEvent::Invoked { prompt } => step.invoked(prompt),
            SessionEvent::Started { iterator } => step.started(iterator, event),
            SessionEvent::Answered { iterator, prompt } => step.answered(iterator, prompt, event),
            SessionEvent::IteratorEnded { iterator, end } => step.iterator_ended(iterator, end, event),
            SessionEvent::AbortRequested { prompt } => step.abort_requested(prompt, event),
            SessionEvent::RestartRequested => step.restart_requested(),
            SessionEvent::CloseRequested => step.close_requested(),
            SessionEvent::StopElapsed { iterator } => step.stop_elapsed(iterator, event),
        }
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started. An iterator
    /// that did not survive is reported by [`SessionEvent::IteratorEnded`].
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(SessionEffect)) {
        let iterator = self.iterator;
        match self.state {
            SessionState::Starting if config.has(Fault::ResyncForgetsStart) => {}
            SessionState::Answering if config.has(Fault::ResyncForgetsPrompt) => {}
            SessionState::Stopping | SessionState::Closing if config.has(Fault::ResyncForgetsStopping) => {}
            SessionState::Starting => sink(SessionEffect::Start { iterator }),
            SessionState::Answering => sink(SessionEffect::Prompt { iterator, prompt: self.first() }),
            SessionState::Stopping | SessionState::Closing => {
                sink(SessionEffect::Stop { iterator });
                sink(SessionEffect::Arm { iterator, after_ms: u64::from(config.stop_ms) });
            }
            SessionState::Closed => sink(SessionEffect::Closed),
            SessionState::Dormant | SessionState::Listening => {}
        }
    }

    /// The first prompt that waits, if any does, else the next one to come.
    fn first(&self) -> PromptId {
        PromptId(self.settled.0 + 1)
    }

    fn is_empty(&self) -> bool {
        self.settled == self.accepted
    }

    /// Whether a prompt that was accepted came to its end.
    fn is_settled(&self, prompt: PromptId) -> bool {
        prompt <= self.settled || self.withdrawn >> (prompt.0 - self.settled.0 - 1) & 1 == 1
    }

    /// How an iterator relates to the one that is live.
    fn fits(&self, iterator: IteratorId) -> Result<(), Fit> {
        match self.state {
            _ if iterator.0 == 0 || iterator > self.iterator => Err(Fit::NeverAsked),
            SessionState::Dormant | SessionState::Closed => Err(Fit::Stale),
            SessionState::Starting
            | SessionState::Listening
            | SessionState::Answering
            | SessionState::Stopping
            | SessionState::Closing => {
                if iterator == self.iterator {
                    Ok(())
                } else {
                    Err(Fit::Stale)
                }
            }
        }
    }
}

/// Why an iterator is not the live one.
#[derive(Clone, Copy)]
enum Fit {
    Stale,
    NeverAsked,
}

/// A session during one step.
struct Step<'s> {
    session: &'s mut Session,
    config: &'s Config,
    sink: &'s mut dyn FnMut(SessionEffect),
}

impl Step<'_> {
    fn invoked(&mut self, prompt: PromptId) -> Reply {
        let Session { state, accepted, settled, .. } = *self.session;
        let is_known = prompt.0 != 0 && prompt <= accepted;
        if is_known && !self.config.has(Fault::PromptDoubled) {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        let is_over = matches!(state, SessionState::Closing | SessionState::Closed);
        if is_over && !self.config.has(Fault::InvokedAfterClose) {
            return Outcome::Ignored(Ignored::Terminal);
        }
        let expected = PromptId(accepted.0.saturating_add(1));
        let is_ahead = prompt > expected && self.config.has(Fault::PromptGapTaken);
        if prompt != expected && !is_known && !is_ahead {
            return Outcome::Rejected(SessionRejected::PromptGap { expected, got: prompt });
        }
        if accepted.0 - settled.0 >= PROMPTS_MAX && !self.config.has(Fault::PromptsUnbounded) {
            return Outcome::Rejected(SessionRejected::QueueFull { prompt });
        }
        self.session.accepted = prompt.max(expected);
        match state {
            SessionState::Dormant => self.start(),
            SessionState::Listening => self.prompt(),
            SessionState::Stopping if self.config.has(Fault::StartsBesideOld) => self.start(),
            SessionState::Starting
            | SessionState::Answering
            | SessionState::Stopping
            | SessionState::Closing
            | SessionState::Closed => {}
        }
        Outcome::Applied
    }

    fn started(&mut self, iterator: IteratorId, event: SessionEvent) -> Reply {
        if let Err(fit) = self.session.fits(iterator) {
            return self.unfit(fit, event);
        }
        match self.session.state {
            SessionState::Stopping if self.config.has(Fault::LateStartRuns) => {
                self.go_on();
                Outcome::Applied
            }
            SessionState::Starting if self.session.is_empty() => {
                self.session.state = SessionState::Listening;
                Outcome::Applied
            }
            SessionState::Starting => {
                self.prompt();
                Outcome::Applied
            }
            // It was told to stop before it ran.
            SessionState::Stopping | SessionState::Closing => Outcome::Ignored(Ignored::Stale),
            SessionState::Listening | SessionState::Answering => {
                if self.config.has(Fault::StartedAgainListens) {
                    self.session.state = SessionState::Listening;
                }
                Outcome::Ignored(Ignored::Duplicate)
            }
            SessionState::Dormant | SessionState::Closed => Outcome::Ignored(Ignored::Stale),
        }
    }

    fn answered(&mut self, iterator: IteratorId, prompt: PromptId, event: SessionEvent) -> Reply {
        let first = self.session.first();
        let crossed = self.config.has(Fault::CrossedAnswers) && self.session.state == SessionState::Answering;
        if crossed {
            self.settle_first(PromptEnd::Answered);
            self.go_on();
            return Outcome::Applied;
        }
        if prompt.0 == 0 || prompt > self.session.accepted {
            return self.unfit(Fit::NeverAsked, event);
        }
        if let Err(fit) = self.session.fits(iterator) {
            return self.unfit(fit, event);
        }
        match self.session.state {
            SessionState::Answering if prompt == first => {
                self.settle_first(PromptEnd::Answered);
                self.go_on();
                Outcome::Applied
            }
            _ if self.session.is_settled(prompt) => Outcome::Ignored(Ignored::Stale),
            SessionState::Starting
            | SessionState::Listening
            | SessionState::Answering
            | SessionState::Stopping
            | SessionState::Closing
            | SessionState::Dormant
            | SessionState::Closed => self.unfit(Fit::NeverAsked, event),
        }
    }

    fn iterator_ended(&mut self, iterator: IteratorId, end: IteratorEnd, event: SessionEvent) -> Reply {
        let fit = self.session.fits(iterator);
        if self.config.has(Fault::OldIteratorEnds) && matches!(fit, Err(Fit::Stale)) {
            self.ended(end);
            return Outcome::Applied;
        }
        if let Err(fit) = fit {
            return self.unfit(fit, event);
        }
        self.ended(end);
        Outcome::Applied
    }

    /// The live iterator is gone.
    fn ended(&mut self, end: IteratorEnd) {
        match self.session.state {
            SessionState::Starting | SessionState::Answering => {
                // Each failed start settles a prompt, so that it is not tried for ever here.
                if !self.session.is_empty() && !self.config.has(Fault::EndSettlesNobody) {
                    self.settle_first(PromptEnd::Failed(end));
                }
                self.start_or_rest();
            }
            SessionState::Listening | SessionState::Dormant => self.start_or_rest(),
            SessionState::Stopping => {
                self.disarm();
                self.start_or_rest();
            }
            SessionState::Closing => {
                self.disarm();
                self.closed();
            }
            SessionState::Closed => {}
        }
    }

    fn abort_requested(&mut self, prompt: PromptId, event: SessionEvent) -> Reply {
        if prompt.0 == 0 || prompt > self.session.accepted {
            return self.unfit(Fit::NeverAsked, event);
        }
        let any = self.config.has(Fault::AbortHitsFirst) && self.session.state == SessionState::Answering;
        if self.session.is_settled(prompt) && !any {
            if self.config.has(Fault::LateAbortStops) {
                (self.sink)(SessionEffect::Stop { iterator: self.session.iterator });
            }
            return Outcome::Ignored(Ignored::Stale);
        }
        let first = self.session.first();
        if (prompt == first || any) && self.session.state == SessionState::Answering {
            self.settle_first(PromptEnd::Aborted);
            self.stop();
        } else {
            self.withdraw(prompt);
        }
        Outcome::Applied
    }

    fn restart_requested(&mut self) -> Reply {
        match self.session.state {
            SessionState::Answering => {
                self.settle_first(PromptEnd::Aborted);
                self.stop();
                Outcome::Applied
            }
            SessionState::Starting | SessionState::Listening => {
                self.stop();
                Outcome::Applied
            }
            SessionState::Dormant | SessionState::Stopping => Outcome::Ignored(Ignored::Duplicate),
            SessionState::Closing | SessionState::Closed => Outcome::Ignored(Ignored::Terminal),
        }
    }

    fn close_requested(&mut self) -> Reply {
        let state = self.session.state;
        if matches!(state, SessionState::Closing | SessionState::Closed) {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        while !self.session.is_empty() {
            self.settle_first(PromptEnd::Aborted);
        }
        match state {
            SessionState::Starting | SessionState::Listening | SessionState::Answering => {
                self.stop();
                self.session.state = SessionState::Closing;
            }
            SessionState::Stopping => self.session.state = SessionState::Closing,
            SessionState::Dormant | SessionState::Closing | SessionState::Closed => self.closed(),
        }
        Outcome::Applied
    }

    fn stop_elapsed(&mut self, iterator: IteratorId, event: SessionEvent) -> Reply {
        let fit = self.session.fits(iterator);
        if self.config.has(Fault::AnyStopTimer) && matches!(fit, Err(Fit::Stale)) {
            self.kill();
            self.start_or_rest();
            return Outcome::Applied;
        }
        if let Err(fit) = fit {
            return self.unfit(fit, event);
        }
        match self.session.state {
            SessionState::Stopping => {
                self.kill();
                self.start_or_rest();
                Outcome::Applied
            }
            SessionState::Closing => {
                self.kill();
                self.closed();
                Outcome::Applied
            }
            SessionState::Starting | SessionState::Listening | SessionState::Answering => {
                self.unfit(Fit::NeverAsked, event)
            }
            SessionState::Dormant | SessionState::Closed => self.unfit(Fit::Stale, event),
        }
    }

    fn start(&mut self) {
        self.session.iterator.0 += 1;
        self.session.state = SessionState::Starting;
        (self.sink)(SessionEffect::Start { iterator: self.session.iterator });
    }

    /// Gives the iterator the first prompt that waits.
    fn prompt(&mut self) {
        let (iterator, prompt) = (self.session.iterator, self.session.first());
        self.session.state = SessionState::Answering;
        (self.sink)(SessionEffect::Prompt { iterator, prompt });
    }

    fn stop(&mut self) {
        let iterator = self.session.iterator;
        self.session.state = SessionState::Stopping;
        (self.sink)(SessionEffect::Stop { iterator });
        if !self.config.has(Fault::NoStopTimer) {
            (self.sink)(SessionEffect::Arm { iterator, after_ms: u64::from(self.config.stop_ms) });
        }
    }

    /// It has stopped in time.
    fn disarm(&mut self) {
        if !self.config.has(Fault::StopTimerLeft) {
            (self.sink)(SessionEffect::Disarm { iterator: self.session.iterator });
        }
    }

    fn kill(&mut self) {
        if !self.config.has(Fault::NoKill) {
            (self.sink)(SessionEffect::Kill { iterator: self.session.iterator });
        }
    }

    /// The iterator is done with its prompt.
    fn go_on(&mut self) {
        if self.session.is_empty() {
            self.session.state = SessionState::Listening;
        } else {
            self.prompt();
        }
    }

    /// There is no iterator any more.
    fn start_or_rest(&mut self) {
        if self.session.is_empty() || self.config.has(Fault::DeadIterator) {
            self.session.state = SessionState::Dormant;
        } else {
            self.start();
        }
    }

    fn closed(&mut self) {
        self.session.state = SessionState::Closed;
        (self.sink)(SessionEffect::Closed);
    }

    fn settle_first(&mut self, end: PromptEnd) {
        (self.sink)(SessionEffect::Settle { prompt: self.session.first(), end });
        self.advance();
    }

    /// Settles a prompt that no iterator has.
    fn withdraw(&mut self, prompt: PromptId) {
        (self.sink)(SessionEffect::Settle { prompt, end: PromptEnd::Aborted });
        if prompt == self.session.first() {
            self.advance();
        } else {
            self.session.withdrawn |= 1 << (prompt.0 - self.session.first().0);
        }
    }

    /// The first prompt is settled, and so is what was withdrawn right behind it.
    fn advance(&mut self) {
        let Session { settled, withdrawn, .. } = &mut *self.session;
        *withdrawn >>= 1;
        settled.0 += 1;
        // S13: what was withdrawn while it waited gets no turn.
        let behind = if self.config.has(Fault::WithdrawnIsGiven) { 0 } else { withdrawn.trailing_ones() };
        *withdrawn = withdrawn.checked_shr(behind).unwrap_or(0);
        settled.0 += behind;
    }

    fn unfit(&self, fit: Fit, event: SessionEvent) -> Reply {
        match fit {
            Fit::Stale => Outcome::Ignored(Ignored::Stale),
            Fit::NeverAsked => {
                Outcome::Rejected(SessionRejected::NeverAsked { state: self.session.state, event })
            }
        }
    }
}
