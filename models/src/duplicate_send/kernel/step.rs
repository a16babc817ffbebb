//! One step: what happens outside, what the request makes of it, and what comes of its orders.

use downbeat_kernel::{
    Aim, Attempt, Outcome, ProfileId, RequestEffect, RequestEnd, RequestEvent, RequestReason, RequestState,
    RequestTimer, SendReason,
};
use downbeat_sim::model::{Arrow, Lane};

use super::super::wire::{self, Profile, Progress, Promise, SendIndex, Stage, TurnIndex};
use super::act::{Act, Action, Answer, newest};
use super::state::{Desk, Flaw, State, Wanted, number, profile, response, slot, timer, token};
use super::{ATTEMPTS, KernelModel, Left, words};

/// The longest wait of the default settings, without jitter: the longest time that a provider may name, and its margin.
const WAIT_MS_MAX: u64 = 3_600_000 + 1_000;

/// The state in the middle of a step.
pub(super) struct Step<'a> {
    pub(super) state: State,
    pub(super) model: &'a KernelModel,
    /// The story of the step; `None` while the checker only wants the next state.
    pub(super) told: Option<&'a mut Vec<Arrow>>,
}

/// Whether an effect goes outside. The others are for the owner of the request, who takes them in the same step.
pub(super) fn is_order(effect: RequestEffect) -> bool {
    match effect {
        RequestEffect::GetCredential { .. }
        | RequestEffect::Send { .. }
        | RequestEffect::Recover { .. }
        | RequestEffect::Stop { .. }
        | RequestEffect::Fence { .. }
        | RequestEffect::Arm { .. }
        | RequestEffect::Disarm { .. } => true,
        RequestEffect::Charge { .. } | RequestEffect::Ended { .. } => false,
    }
}

impl Step<'_> {
    pub(super) fn tell(&mut self, (from, to): (Lane, Lane), text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: text() });
        }
    }

    /// Takes one step; `None` if it may not be taken.
    pub(super) fn take(&mut self, Action { act, cut }: Action) -> Option<()> {
        self.state.wire = self.state.wire.without_breaches();
        if act == Act::Crash {
            return self.crash();
        }
        let left = self.state.left.after(act)?;
        if let Some(told) = &mut self.told {
            told.push(words::arrow(&self.state, act));
        }
        let event = act.event(&self.state, &self.model.scenario);
        self.happens(act);
        let Some((turn, event)) = event else {
            self.state.left = left;
            return Some(());
        };
        let (before, mut effects) = (self.state.desk(turn).request, Vec::new());
        let config = &self.model.config;
        let request = &mut self.state.desk_mut(turn).request;
        let outcome = request.step(event, config, &mut |effect| effects.push(effect));
        let (after, is_corrupt) = (*request, request.validate(config).is_err());
        if outcome != Outcome::Applied {
            self.tell((words::REQUEST, words::REQUEST), || "takes no notice".to_owned());
            self.state.note(Flaw::ChangedUnapplied, before != after || !effects.is_empty());
            return cut.is_none().then_some(());
        }
        self.state.left = left;
        self.state.note(Flaw::Corrupt, is_corrupt);
        self.state.note(Flaw::AppliedVoid, matches!(act, Act::Echo(..)));
        self.state.note(Flaw::Disorder, self.goes_back(turn, before.state, after.state));
        self.means(act, turn);
        self.state.keep_books(turn);
        self.release(turn, &effects, cut);
        if cut.is_some() {
            return self.crash();
        }
        let desk = self.state.desk(turn);
        let is_over = self.state.wire.turn(turn).progress != Progress::Open;
        let outlives = is_over && (desk.backoff.is_some() || desk.grace.is_some());
        self.state.note(Flaw::Disorder, outlives);
        Some(())
    }

    /// What was stopped to go elsewhere goes back at once, where nobody is.
    fn goes_back(&self, turn: TurnIndex, before: RequestState, after: RequestState) -> bool {
        let leaves = matches!(before, RequestState::Stopping(Aim::Failover { .. }));
        let goes = matches!(
            after,
            RequestState::Authorizing { reason: SendReason::Failover | SendReason::Returned, .. }
        );
        leaves && goes && self.state.up(turn).is_none()
    }

    /// What an act is outside, before the request knows of it.
    fn happens(&mut self, act: Act) {
        let state = &mut self.state;
        match act {
            Act::Ask => {
                state.wire.make();
            }
            Act::CancelUnbegun => {
                let turn = state.wire.make();
                state.wire.turn_mut(turn).is_cancelled = true;
            }
            Act::Cancel(turn) => state.wire.turn_mut(turn).is_cancelled = true,
            Act::Give(turn) => self.gives(turn),
            Act::Refuse(turn) => state.desk_mut(turn).wanted = None,
            Act::Answer(turn, answer) | Act::Race(turn, answer) => {
                if let Some(send) = state.stream(turn) {
                    self.answers(turn, send, answer);
                }
            }
            Act::Stop(turn) => self.closes(turn),
            Act::Recall(turn) => {
                if let Some(send) = state.last(turn) {
                    let sent = state.wire.sent_mut(send);
                    (sent.stage, sent.is_billed) = (Stage::Whole, true);
                }
            }
            Act::Backoff(turn) => {
                state.desk_mut(turn).backoff = None;
                if let Some(last) = state.last_profile(turn) {
                    state.wire.waited(turn, last);
                }
            }
            Act::Grace(turn) => state.desk_mut(turn).grace = None,
            Act::Down(turn, down) => state.desk_mut(turn).down |= 1 << down,
            Act::Up(turn, up) => self.comes_up(turn, up),
            Act::Forget(_) | Act::Usage(..) | Act::Crash | Act::Echo(..) => {}
        }
    }

    /// Whoever says so of a profile that was left, or that asked for more patience than there is, has seen that its patience
    /// is over (A21). The wait of where the request was last has to be waited for all the same.
    fn comes_up(&mut self, turn: TurnIndex, up: u8) {
        let desk = self.state.desk_mut(turn);
        let was_shut = desk.shut >> up & 1 == 1;
        (desk.down, desk.shut) = (desk.down & !(1 << up), desk.shut & !(1 << up));
        if was_shut || self.state.last_profile(turn) != Some(up) {
            self.state.wire.waited(turn, up);
        }
    }

    /// A request knows the patience of where it was last. Of what it has left the driver says that it is down while it cools
    /// (A21).
    fn cools(&mut self, turn: TurnIndex, to: Profile) {
        let Desk { down, shut, .. } = *self.state.desk(turn);
        let throttled = self.state.wire.turn(turn).throttled;
        for (left, throttled) in (0..).zip(throttled) {
            if !throttled || left == to || (down | shut) >> left & 1 == 1 || self.model.leaves_cooling_unsaid
            {
                continue;
            }
            self.tell((words::DRIVER, words::REQUEST), || format!("provider {} cools down", left + 1));
            let (config, mut orders) = (&self.model.config, Vec::new());
            let desk = self.state.desk_mut(turn);
            desk.down |= 1 << left;
            let event = RequestEvent::ProfileDown { profile: ProfileId(left) };
            let outcome = desk.request.step(event, config, &mut |order| orders.push(order));
            self.state.note(Flaw::Disorder, outcome != Outcome::Applied);
            self.release(turn, &orders, None);
        }
    }

    /// The credential is refreshed if its generation will not do.
    fn gives(&mut self, turn: TurnIndex) {
        if let Some(wanted) = self.state.desk(turn).wanted {
            self.state.tokens[usize::from(wanted.profile)] = newest(&self.state, wanted);
        }
    }

    /// What becomes of the open stream of a turn.
    fn answers(&mut self, turn: TurnIndex, send: SendIndex, answer: Answer) {
        let wire = &mut self.state.wire;
        match answer {
            Answer::Begins => wire.begin(send),
            // It goes out when the request has let it.
            Answer::Text => {}
            Answer::End => wire.close(send, Stage::Whole),
            Answer::Throttled | Answer::Exhausted => {
                wire.close(send, Stage::Refused);
                wire.throttle(send);
                if answer == Answer::Exhausted {
                    let profile = wire.sent(send).profile;
                    self.state.desk_mut(turn).shut |= 1 << profile;
                }
            }
            Answer::Sheds => {
                wire.close(send, Stage::Broken);
                wire.throttle(send);
            }
            Answer::Unauthorized => wire.refuse_token(send),
            Answer::ContinuityLost => wire.close(send, Stage::Refused),
            Answer::Invalid => {
                wire.close(send, Stage::Refused);
                wire.turn_mut(turn).is_refused_for_good = true;
            }
            Answer::Unreachable => wire.close(send, Stage::Broken),
            Answer::TimedOut => {
                wire.begin(send);
                wire.close(send, Stage::Broken);
            }
            Answer::Breaks => wire.close(send, Stage::Broken),
        }
    }

    /// The open stream of a turn is closed from here. Whether its provider works on it nobody knows, so it may.
    fn closes(&mut self, turn: TurnIndex) {
        if let Some(send) = self.state.stream(turn) {
            self.state.wire.begin(send);
            self.state.wire.close(send, Stage::Broken);
        }
    }

    /// What an act means, once the request has taken it and before its orders go out.
    fn means(&mut self, act: Act, turn: TurnIndex) {
        match act {
            Act::Ask => {
                // Claimed in the step in which it begins.
                self.state.conversation.claim(&self.model.config);
            }
            Act::Answer(_, Answer::Text) | Act::Race(_, Answer::Text) => {
                if let Some(send) = self.state.stream(turn) {
                    self.state.wire.deliver(send);
                }
            }
            Act::Give(_) => self.state.desk_mut(turn).wanted = None,
            Act::Answer(..)
            | Act::Race(..)
            | Act::CancelUnbegun
            | Act::Cancel(_)
            | Act::Refuse(_)
            | Act::Stop(_)
            | Act::Forget(_)
            | Act::Recall(_)
            | Act::Usage(..)
            | Act::Backoff(_)
            | Act::Grace(_)
            | Act::Down(..)
            | Act::Up(..)
            | Act::Crash
            | Act::Echo(..) => {}
        }
        if !self.state.is_lost(turn) {
            self.state.desk_mut(turn).is_asked_about = false;
        }
    }

    /// The process is gone with its streams and timers; the next one has each request repeat its orders.
    fn crash(&mut self) -> Option<()> {
        self.state.left.crashes = self.state.left.crashes.checked_sub(1)?;
        self.tell((words::DRIVER, words::DRIVER), || "the process crashes, and begins anew".to_owned());
        for turn in 0..self.state.made() {
            self.closes(turn);
            let desk = self.state.desk_mut(turn);
            (desk.wanted, desk.backoff, desk.grace, desk.is_asked_about) = (None, None, None, false);
            self.state.keep_books(turn);
            let mut effects = Vec::new();
            let request = self.state.desk(turn).request;
            request.resync(&self.model.config, &mut |effect| effects.push(effect));
            self.release(turn, &effects, None);
        }
        Some(())
    }

    /// Takes note of what is for the owner, and carries out the first `cut` orders: the others come after the crash.
    fn release(&mut self, turn: TurnIndex, effects: &[RequestEffect], cut: Option<u8>) {
        let mut orders = 0;
        for effect in effects {
            if is_order(*effect) {
                if cut.is_none_or(|cut| orders < cut) {
                    self.carry_out(turn, *effect);
                }
                if let RequestEffect::Send { profile: to, .. } = *effect {
                    self.cools(turn, profile(to));
                }
                orders += 1;
            } else {
                self.take_note(turn, *effect);
            }
        }
    }

    /// The owner of the request takes what is for him.
    fn take_note(&mut self, turn: TurnIndex, effect: RequestEffect) {
        match effect {
            RequestEffect::Charge { attempt, profile: payer } => {
                self.tell((words::REQUEST, words::TASK), || words::charge(turn, attempt, payer));
                match slot(turn, attempt) {
                    Some(send) => self.state.wire.charge(send, profile(payer)),
                    None => self.state.note(Flaw::Disorder, true),
                }
            }
            RequestEffect::Ended { end } => self.ends(turn, end),
            RequestEffect::GetCredential { .. }
            | RequestEffect::Send { .. }
            | RequestEffect::Recover { .. }
            | RequestEffect::Stop { .. }
            | RequestEffect::Fence { .. }
            | RequestEffect::Arm { .. }
            | RequestEffect::Disarm { .. } => unreachable!("an order is carried out"),
        }
    }

    fn ends(&mut self, turn: TurnIndex, end: RequestEnd) {
        self.tell((words::REQUEST, words::TASK), || words::end(turn, end));
        let is_over = self.state.wire.turn(turn).progress != Progress::Open;
        self.state.note(Flaw::Disorder, is_over);
        match end {
            RequestEnd::Accepted { attempt } => match slot(turn, attempt) {
                Some(send) => self.state.wire.accept(send),
                None => self.state.note(Flaw::Disorder, true),
            },
            RequestEnd::Failed(reason) => {
                let gives_up_early = reason == RequestReason::Throttled && self.state.up(turn).is_some();
                self.state.note(Flaw::Disorder, gives_up_early);
                self.state.wire.end(turn, wire::Outcome::Failed);
            }
            RequestEnd::Cancelled => self.state.wire.end(turn, wire::Outcome::Cancelled),
        }
        // Whoever gets a credential for it tells it all the same, and that is late.
        self.state.desk_mut(turn).wanted = None;
        let request = self.state.desk(turn).request;
        self.state.conversation.turn_ended(number(turn), &request);
    }

    fn carry_out(&mut self, turn: TurnIndex, order: RequestEffect) {
        self.tell_order(turn, order);
        match order {
            RequestEffect::GetCredential { attempt, profile: of, newer_than } => {
                let wanted = Wanted {
                    attempt: u8::try_from(attempt.0).unwrap_or(u8::MAX),
                    profile: profile(of),
                    newer_than: token(newer_than),
                };
                let before = self.state.desk_mut(turn).wanted.replace(wanted);
                self.state.note(Flaw::Disorder, before.is_some());
            }
            RequestEffect::Send { attempt, profile: to, generation, input, reason } => {
                let from = match input {
                    downbeat_kernel::Input::Full => None,
                    downbeat_kernel::Input::Continue(previous) => Some(response(previous)),
                };
                let up = self.state.up(turn);
                let is_preferred = up.is_none_or(|up| up == profile(to));
                self.state.note(Flaw::Disorder, !is_preferred);
                self.sends(turn, attempt, (profile(to), token(generation)), from);
                let is_explained = self.state.is_explained(turn, attempt, reason);
                self.state.note(Flaw::Unexplained, !is_explained);
            }
            RequestEffect::Recover { attempt } => {
                self.state.note(
                    Flaw::Disorder,
                    !self.state.is_lost(turn) || self.state.last(turn) != slot(turn, attempt),
                );
                self.state.desk_mut(turn).is_asked_about = true;
            }
            RequestEffect::Stop { attempt } => {
                self.state.note(Flaw::Disorder, self.state.last(turn) != slot(turn, attempt));
            }
            RequestEffect::Fence { attempt } => {
                self.state.note(Flaw::Disorder, self.state.last(turn) != slot(turn, attempt));
                self.closes(turn);
            }
            RequestEffect::Arm { timer, after_ms } => {
                let is_for_nothing = matches!(timer, RequestTimer::Backoff(_)) && !self.state.may_wait(turn);
                self.state.note(Flaw::Disorder, after_ms > WAIT_MS_MAX || is_for_nothing);
                self.arm(turn, timer);
            }
            RequestEffect::Disarm { timer } => self.disarm(turn, timer),
            RequestEffect::Charge { .. } | RequestEffect::Ended { .. } => unreachable!("it is no order"),
        }
    }

    fn sends(&mut self, turn: TurnIndex, attempt: Attempt, to: (u8, u8), from: Option<u8>) {
        match slot(turn, attempt) {
            Some(send) => self.state.wire.send(send, (turn, self.model.scenario.attempts), to, from),
            // There is no room on the wire for what is past every budget.
            None => self.state.wire.breaks(Promise::S2, turn * u8::try_from(ATTEMPTS).expect("small")),
        }
    }

    fn arm(&mut self, turn: TurnIndex, armed: RequestTimer) {
        let (kept, attempt) = timer(self.state.desk_mut(turn), armed);
        let before = kept.replace(attempt);
        self.state.note(Flaw::Disorder, before.is_some());
    }

    fn disarm(&mut self, turn: TurnIndex, armed: RequestTimer) {
        let (kept, attempt) = timer(self.state.desk_mut(turn), armed);
        let before = kept.take();
        self.state.note(Flaw::Disorder, before != Some(attempt));
    }

    fn tell_order(&mut self, turn: TurnIndex, order: RequestEffect) {
        if self.told.is_some() {
            let (lanes, text) = words::order(turn, order);
            self.tell(lanes, || text);
        }
    }
}

impl Left {
    /// What is left after an act; `None` if there was not enough.
    fn after(mut self, act: Act) -> Option<Self> {
        let budget = match act {
            Act::CancelUnbegun | Act::Cancel(_) => &mut self.cancels,
            Act::Refuse(_) => &mut self.keyless,
            Act::Down(..) => &mut self.downs,
            Act::Answer(_, answer) | Act::Race(_, answer) => match answer {
                Answer::Begins | Answer::Text | Answer::End => return Some(self),
                Answer::Throttled
                | Answer::Exhausted
                | Answer::Sheds
                | Answer::Unauthorized
                | Answer::ContinuityLost
                | Answer::Invalid
                | Answer::Unreachable
                | Answer::TimedOut
                | Answer::Breaks => &mut self.failures,
            },
            Act::Ask
            | Act::Give(_)
            | Act::Stop(_)
            | Act::Forget(_)
            | Act::Recall(_)
            | Act::Usage(..)
            | Act::Backoff(_)
            | Act::Grace(_)
            | Act::Up(..)
            | Act::Crash
            | Act::Echo(..) => return Some(self),
        };
        *budget = budget.checked_sub(1)?;
        Some(self)
    }
}
