//! That the edges of the model are all there are, and that low numbers are as good as those that were counted.

use std::collections::{BTreeSet, HashSet};

use downbeat_kernel::{CredentialEvent, OrderNumber, WaiterId};
use downbeat_sim::model::Model;

use super::act::{Act, edge_of, edges, event_name, state_name};
use super::late::late;
use super::state::{At, State};
use super::{KernelModel, Left, Scenario};

const SCENARIO: Scenario = Scenario {
    windows: 1,
    requests: 2,
    room: 2,
    waits: 1,
    has_grace: true,
    left: Left { lapses: 1, logins: 1, revocations: 1, crashes: 1, ..Left::NONE },
};

/// Every state that can be reached.
fn states(model: &KernelModel) -> impl Iterator<Item = State> {
    let mut frontier = model.initial();
    let mut states: HashSet<State> = frontier.iter().copied().collect();
    while let Some(state) = frontier.pop() {
        model.steps(&state, &mut Vec::new(), |_, next| {
            if states.insert(next) {
                frontier.push(next);
            }
        });
    }
    states.into_iter()
}

#[test]
fn edges_are_those_that_are_applied_and_no_others() {
    let model = KernelModel::new(SCENARIO);
    let mut applied = BTreeSet::new();
    for state in states(&model) {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        for act in actions.iter().map(|action| action.act) {
            let Some((window, event)) = act.event(&state) else { continue };
            let mut credential = state.window(window).credential;
            let before = credential;
            let _ = credential.step(event, &model.config, &mut |_| {});
            if credential != before {
                applied.insert((state_name(before.state), event_name(event)));
                assert!(edge_of(&model, &state, act).is_some(), "{act:?} takes no edge of the table");
            }
        }
    }
    assert_eq!(applied, edges().collect());
}

/// The same situation after many orders and waiters more.
fn counted(mut state: State, more: u32) -> State {
    let window = &mut state.windows[0];
    window.credential.order.0 += more;
    window.armed = window.armed.map(|OrderNumber(order)| OrderNumber(order + more));
    window.credential.settled.0 += u64::from(more);
    window.credential.accepted.0 += u64::from(more);
    for at in &mut state.requests {
        if let At::Waiting { waiter, .. } = at {
            *waiter += u64::from(more);
        }
    }
    state
}

/// What differs in the numbers of orders and waiters alone, and where both are past their first, goes on alike.
#[test]
fn states_that_differ_in_numbers_alone_go_on_alike() {
    let model = KernelModel::new(SCENARIO);
    let mut compared = 0;
    for low in states(&model) {
        let credential = low.window(0).credential;
        if credential.order.0 < 2 || credential.settled.0 < 1 {
            continue;
        }
        let high = counted(low, 40);
        let (mut acts, mut of_high) = (Vec::new(), Vec::new());
        model.actions(&low, &mut acts);
        model.actions(&high, &mut of_high);
        let is_timely = |act: Act| !matches!(act, Act::Late(..));
        acts.retain(|action| is_timely(action.act));
        of_high.retain(|action| is_timely(action.act));
        assert_eq!(acts, of_high, "{low:?}");
        for action in acts {
            assert_eq!(model.next(&low, &action), model.next(&high, &action), "{action:?} in {low:?}");
            compared += 1;
        }
        for event in late(high.window(0)) {
            let mut credential = high.window(0).credential;
            let _ = credential.step(event, &model.config, &mut |_| panic!("{event:?} does something"));
            assert_eq!(credential, high.window(0).credential, "{event:?}");
        }
    }
    assert!(compared > 10_000, "{compared} steps are too few to show anything");
}

/// What came before the first order and waiter that are kept is void too.
#[test]
fn late_has_what_is_before_the_last_and_what_is_after_it() {
    let mut state = State::new(Left::NONE);
    state.windows[0].credential.order = OrderNumber(2);
    state.windows[0].credential.accepted = WaiterId(1);
    let mut orders = BTreeSet::new();
    let mut waiters = BTreeSet::new();
    for event in late(state.window(0)) {
        match event {
            CredentialEvent::StoreRead { order, .. }
            | CredentialEvent::RefreshEnded { order, .. }
            | CredentialEvent::WriteEnded { order, .. }
            | CredentialEvent::Elapsed { order } => orders.insert(order.0),
            CredentialEvent::Wanted { waiter, .. } => waiters.insert(waiter.0),
            CredentialEvent::StoreChanged { .. } => false,
        };
    }
    assert_eq!((orders, waiters), (BTreeSet::from([0, 1, 2, 3]), BTreeSet::from([0, 1, 2, 3])));
}
