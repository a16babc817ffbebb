//! What may happen in a state, and what may not be put off for ever.

use downbeat_kernel::{IteratorEnd, Outcome, SessionEffect};
use downbeat_sim::model::Fairness;

use super::super::sdk::{IteratorIndex, SdkIterator};
use super::act::{Act, Action};
use super::state::{Lost, State};
use super::step::is_order;
use super::{KernelModel, Left, Scenario};

/// How an iterator ends that ran: in an orderly way, or it throws. What the session makes of other errors is the same.
const ENDS: [IteratorEnd; 2] = [IteratorEnd::Normal, IteratorEnd::Transient];

impl KernelModel {
    /// Every act, and each crash while its orders go out.
    pub(super) fn enabled(&self, state: &State, actions: &mut Vec<Action>) {
        let mut may = |act| {
            actions.push(Action { act, cut: None });
            if state.left.crashes > 0 {
                actions.extend((0..self.orders(state, act)).map(|cut| Action { act, cut: Some(cut) }));
            }
        };
        self.people(state, &mut may);
        for (iterator, standing) in state.sdk.iterators() {
            iterator_acts(state, iterator, *standing, &mut may);
        }
        late_callers(state, &mut may);
        if state.left.crashes > 0 {
            actions.push(Action { act: Act::Crash, cut: None });
        }
    }

    /// How many orders an act has the session give.
    fn orders(&self, state: &State, act: Act) -> u8 {
        let Some(event) = act.event(state) else { return 0 };
        let (mut session, mut orders) = (state.session, 0);
        let mut count = |effect: SessionEffect| orders += u8::from(is_order(effect));
        match session.step(event, &self.config, &mut count) {
            Outcome::Applied => orders,
            Outcome::Ignored(_) | Outcome::Rejected(_) => 0,
        }
    }

    /// What callers and the one in charge may do. A request after a close, and a second close, do nothing.
    fn people(&self, state: &State, may: &mut impl FnMut(Act)) {
        let is_room = state.ledger.open().count() < usize::from(self.scenario.callers);
        if state.made() < self.scenario.requests && is_room {
            may(Act::Invoke);
        }
        if state.left.cancels > 0 {
            state.ledger.open().map(Act::Cancel).for_each(&mut *may);
        }
        if state.left.aborts > 0 && state.ledger.in_progress().is_some() {
            may(Act::Abort);
        }
        if state.left.restarts > 0 {
            may(Act::Restart);
        }
        if state.left.closes > 0 {
            may(Act::Close);
        }
    }
}

/// What the SDK may do about one iterator, and its timer.
fn iterator_acts(state: &State, iterator: IteratorIndex, standing: SdkIterator, may: &mut impl FnMut(Act)) {
    let Left { failures, exits, .. } = state.left;
    match standing {
        SdkIterator::Starting { aborted: false } => {
            may(Act::Start(iterator));
            if failures > 0 {
                may(Act::FailToStart(iterator));
            }
        }
        SdkIterator::Starting { aborted: true } | SdkIterator::Aborted { .. } => {
            for end in ENDS {
                may(Act::End(iterator, end));
            }
        }
        SdkIterator::Live { .. } => {
            if state.sdk.works_on(iterator).is_some() {
                may(Act::Answer(iterator));
            }
            if exits > 0 {
                for end in ENDS {
                    may(Act::End(iterator, end));
                }
            }
        }
        SdkIterator::Ended if state.lost == Lost::Stopping(iterator) => {
            may(Act::End(iterator, IteratorEnd::Transient));
        }
        SdkIterator::Ended if state.is_lost(iterator) => may(Act::ReportLost(iterator)),
        SdkIterator::Absent | SdkIterator::Ended => {}
    }
    if state.is_armed(iterator) {
        may(Act::Elapse(iterator));
    }
    late_iterator(state, iterator, standing, may);
}
/// What one iterator may say again, or too late. Nobody has ordered the first that is absent, and something is said
/// of it all the same.
fn late_iterator(state: &State, iterator: IteratorIndex, standing: SdkIterator, may: &mut impl FnMut(Act)) {
    let is_lost = state.is_lost(iterator);
    let (starts, ends, elapses) = match standing {
        SdkIterator::Absent => {
            let is_next = state.newest().map_or(0, |newest| newest + 1) == iterator;
            (is_next, is_next, is_next)
        }
        SdkIterator::Starting { aborted } => (aborted, false, !aborted),
        SdkIterator::Live { .. } => (true, false, true),
        SdkIterator::Aborted { .. } => (true, false, false),
        SdkIterator::Ended => (true, !is_lost, !is_lost),
    };
    if starts {
        may(Act::StartLate(iterator));
    }
    if ends {
        may(Act::EndLate(iterator));
    }
    if elapses && !state.is_armed(iterator) {
        may(Act::ElapseLate(iterator));
    }
    let is_live = matches!(standing, SdkIterator::Live { .. });
    let works_on = state.sdk.works_on(iterator).filter(|_| is_live);
    let given = (0..state.made()).filter(|request| state.was_given(iterator, *request));
    given
        .filter(|request| works_on != Some(*request))
        .for_each(|request| may(Act::AnswerLate(iterator, request)));
}

/// What callers say again, too early, or too late.
fn late_callers(state: &State, may: &mut impl FnMut(Act)) {
    let made = state.made();
    (0..made).map(Act::InvokeAgain).for_each(&mut *may);
    may(Act::InvokeAhead);
    let settled = (0..made).filter(|request| !state.ledger.request(*request).is_open());
    settled.chain([made]).map(Act::CancelLate).for_each(may);
}

/// Nobody forgets for ever to do what was ordered. What was told to stop may never end, people may never act, and
/// nothing need come late or crash.
pub(super) fn fairness(scenario: &Scenario) -> Vec<Fairness<KernelModel>> {
    let mut all = Vec::new();
    let mut fair = |name: String, includes: Box<dyn Fn(Act) -> bool + Send + Sync>| {
        all.push(Fairness::weak(name, move |action: &Action| action.cut.is_none() && includes(action.act)));
    };
    for index in 0..scenario.iterators() {
        let number = index + 1;
        fair(
            format!("the start of iterator {number} is over at some time"),
            Box::new(move |act| act == Act::Start(index) || act == Act::FailToStart(index)),
        );
        fair(format!("iterator {number} answers"), Box::new(move |act| act == Act::Answer(index)));
        fair(
            format!("the time of iterator {number} to stop is over at some time"),
            Box::new(move |act| act == Act::Elapse(index)),
        );
        fair(
            format!("the end of iterator {number} is reported after a crash"),
            Box::new(move |act| act == Act::ReportLost(index)),
        );
    }
    all
}
