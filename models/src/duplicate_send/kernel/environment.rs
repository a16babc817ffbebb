//! What may happen in a state, and what may not be put off for ever.

use downbeat_kernel::{Attempt, Outcome, RequestEffect};
use downbeat_sim::model::Fairness;

use super::super::wire::{Progress, Sent, Stage, TurnIndex, turn_name};
use super::act::{Act, Action, Answer, Echo};
use super::state::{Desk, State, attempt_of, slot};
use super::step::is_order;
use super::{KernelModel, Left, Scenario};

/// What may become of a send on which nobody works yet, each at the cost of a failure.
const BEFORE_WORK: [Answer; 6] = [
    Answer::Throttled,
    Answer::Exhausted,
    Answer::Unauthorized,
    Answer::Invalid,
    Answer::Unreachable,
    Answer::TimedOut,
];

impl KernelModel {
    /// Every act, and each crash while its orders go out.
    pub(super) fn enabled(&self, state: &State, actions: &mut Vec<Action>) {
        let mut may = |act| {
            actions.push(Action { act, cut: None });
            if state.left.crashes > 0 {
                actions.extend((0..self.orders(state, act)).map(|cut| Action { act, cut: Some(cut) }));
            }
        };
        if state.made() < self.scenario.turns {
            may(Act::Ask);
            if state.left.cancels > 0 {
                may(Act::CancelUnbegun);
            }
        }
        for turn in 0..state.made() {
            self.of_turn(state, turn, &mut may);
            // What leaves no trace is one step like another, so that one of them stands for all.
            may(Act::Echo(turn, Echo::Began));
            echoes(state, turn, &mut |echo| {
                if self.leaves_trace(state, turn, echo) {
                    may(Act::Echo(turn, echo));
                }
            });
        }
        if state.left.crashes > 0 && state.wire.open_turns().next().is_some() {
            actions.push(Action { act: Act::Crash, cut: None });
        }
    }

    /// Whether something that is void changes the request, or has it say something.
    fn leaves_trace(&self, state: &State, turn: TurnIndex, echo: Echo) -> bool {
        let Some((turn, event)) = Act::Echo(turn, echo).event(state, &self.scenario) else { return false };
        let (before, mut spoke) = (state.desk(turn).request, false);
        let mut request = before;
        let outcome = request.step(event, &self.config, &mut |_| spoke = true);
        outcome == Outcome::Applied || spoke || request != before
    }

    /// How many orders an act has its request give.
    fn orders(&self, state: &State, act: Act) -> u8 {
        let Some((turn, event)) = act.event(state, &self.scenario) else { return 0 };
        let (mut request, mut orders) = (state.desk(turn).request, 0);
        let mut count = |effect: RequestEffect| orders += u8::from(is_order(effect));
        match request.step(event, &self.config, &mut count) {
            Outcome::Applied => orders,
            Outcome::Ignored(_) | Outcome::Rejected(_) => 0,
        }
    }

    /// What may happen to a turn, and what is billed when it is over.
    fn of_turn(&self, state: &State, turn: TurnIndex, may: &mut impl FnMut(Act)) {
        let bills = state.wire.sends_of(turn).filter(|(_, sent)| sent.is_billed && !sent.is_charged);
        bills.for_each(|(send, _)| may(Act::Usage(turn, attempt_of(send))));
        if state.wire.turn(turn).progress != Progress::Open {
            return;
        }
        let Desk { wanted, backoff, grace, is_asked_about, .. } = *state.desk(turn);
        let Left { keyless, cancels, .. } = state.left;
        if wanted.is_some() {
            may(Act::Give(turn));
            if keyless > 0 {
                may(Act::Refuse(turn));
            }
        }
        if backoff.is_some() {
            may(Act::Backoff(turn));
        }
        if grace.is_some() {
            may(Act::Grace(turn));
        }
        of_stream(state, turn, self.scenario.continues, may);
        if is_asked_about {
            may(Act::Forget(turn));
            // What a crash has cut off went to nobody.
            if state.last(turn).is_some_and(|send| state.wire.sent(send).stage != Stage::Unsent) {
                may(Act::Recall(turn));
            }
        }
        if cancels > 0 && !state.wire.turn(turn).is_cancelled {
            may(Act::Cancel(turn));
        }
        self.of_profiles(state, turn, may);
    }

    fn of_profiles(&self, state: &State, turn: TurnIndex, may: &mut impl FnMut(Act)) {
        let Desk { down, shut, .. } = *state.desk(turn);
        for profile in 0..self.scenario.profiles {
            if (down | shut) >> profile & 1 == 1 {
                may(Act::Up(turn, profile));
            }
            if down >> profile & 1 == 0 && state.left.downs > 0 {
                may(Act::Down(turn, profile));
            }
        }
    }
}

/// What may become of the open stream of a turn.
fn of_stream(state: &State, turn: TurnIndex, continues: bool, may: &mut impl FnMut(Act)) {
    let is_stopping = state.is_stopping(turn);
    if is_stopping && (state.stream(turn).is_some() || state.is_lost(turn)) {
        may(Act::Stop(turn));
    }
    let Some(send) = state.stream(turn) else { return };
    let Sent { stage, is_delivered, is_charged, .. } = *state.wire.sent(send);
    let mut answer =
        |answer| may(if is_stopping { Act::Race(turn, answer) } else { Act::Answer(turn, answer) });
    let can_fail = state.left.failures > 0;
    match stage {
        Stage::Asked => {
            answer(Answer::Begins);
            if can_fail {
                BEFORE_WORK.into_iter().for_each(&mut answer);
                // Also of a send that had the full input, by a provider that errs.
                if continues {
                    answer(Answer::ContinuityLost);
                }
            }
        }
        Stage::Working => {
            if !is_delivered {
                answer(Answer::Text);
            }
            answer(Answer::End);
            if can_fail {
                answer(Answer::Breaks);
                // The driver owes the bill first, so that the send is not taken for one that was refused.
                if is_charged {
                    answer(Answer::Sheds);
                }
            }
        }
        Stage::Unsent | Stage::Whole | Stage::Refused | Stage::Broken => {}
    }
}

/// Everything that is void: of each send that was made and of the one that comes next.
fn echoes(state: &State, turn: TurnIndex, echo: &mut impl FnMut(Echo)) {
    let Desk { request, wanted, backoff, grace, .. } = *state.desk(turn);
    echo(Echo::Profile);
    let is_over = state.wire.turn(turn).progress != Progress::Open;
    if is_over || state.wire.turn(turn).is_cancelled {
        echo(Echo::Cancelled);
    }
    let next = u8::try_from(request.ledger.sends().len()).unwrap_or(u8::MAX);
    for attempt in 0..=next {
        let is_current = attempt + 1 == next && (state.stream(turn).is_some() || state.is_lost(turn));
        let is_wanted = wanted.is_some_and(|wanted| wanted.attempt == attempt);
        if is_wanted {
            echo(Echo::OldToken(attempt));
        } else {
            echo(Echo::Given(attempt));
            echo(Echo::NotGiven(attempt));
        }
        if !is_current {
            echo(Echo::Text(attempt));
            echo(Echo::End(attempt));
            echo(Echo::Failed(attempt));
        }
        if !is_current || !state.is_stopping(turn) {
            echo(Echo::Stopped(attempt));
        }
        if backoff != Some(attempt) {
            echo(Echo::Backoff(attempt));
        }
        if grace != Some(attempt) {
            echo(Echo::Grace(attempt));
        }
        let sent = slot(turn, Attempt(attempt.into())).map(|send| *state.wire.sent(send));
        if attempt == next || sent.is_some_and(|sent| sent.is_charged) {
            echo(Echo::Usage(attempt));
        }
    }
}

/// Nobody forgets for ever to do what was ordered. What was told to stop may never end, people may never act, profiles need
/// not come up, bills need not come, and nothing need come late or crash.
pub(super) fn fairness(scenario: &Scenario) -> Vec<Fairness<KernelModel>> {
    let mut all = Vec::new();
    let mut fair = |name: String, includes: Box<dyn Fn(Act) -> bool + Send + Sync>| {
        all.push(Fairness::weak(name, move |action: &Action| action.cut.is_none() && includes(action.act)));
    };
    for turn in 0..scenario.turns {
        let name = turn_name(turn);
        fair(
            format!("a credential for turn {name} is given, or cannot be had"),
            Box::new(move |act| act == Act::Give(turn) || act == Act::Refuse(turn)),
        );
        fair(
            format!("the stream of turn {name} goes on"),
            Box::new(move |act| matches!(act, Act::Answer(of, _) if of == turn)),
        );
        fair(
            format!("the driver says what became of turn {name} before the crash"),
            Box::new(move |act| act == Act::Forget(turn) || act == Act::Recall(turn)),
        );
        fair(
            format!("the wait of turn {name} is over at some time"),
            Box::new(move |act| act == Act::Backoff(turn)),
        );
        fair(
            format!("the time of turn {name} to stop is over at some time"),
            Box::new(move |act| act == Act::Grace(turn)),
        );
    }
    all
}
