//! The properties of the kernel's pool: those of every system with remote agents, and its own.

use downbeat_sim::model::Property;

use super::super::properties;
use super::KernelModel;
use super::act::Act;
use super::state::{Breach, State};

impl KernelModel {
    /// All that this scenario can put to the test.
    pub(super) fn judged(&self) -> Vec<Property<Self>> {
        let scenario = &self.scenario;
        let left = scenario.left;
        let mut all = properties::of_pools();
        if scenario.users > 1 && scenario.tasks > scenario.users && scenario.agents > 1 {
            all.push(properties::of_idle_agents());
        }
        all.push(properties::of_fleets());
        if scenario.has_more_than_the_quota() {
            all.push(properties::of_quotas());
        }
        if scenario.tasks > 1 {
            all.push(properties::of_workspaces());
        }
        if scenario.has_more_than_it_yields() {
            all.push(properties::of_queues());
        }
        if left.cancels > 0 {
            all.extend(properties::of_cancels());
        }
        if left.early > 0 || left.drains > 0 || left.owners > 0 {
            all.push(properties::of_containers());
        }
        all.extend([unapplied_changes_nothing(), stale(), orders(), valid()]);
        if left.beats > 0 {
            all.push(renewed());
        }
        all
    }
}

fn unapplied_changes_nothing() -> Property<KernelModel> {
    Property::always_step(
        "S25",
        "not applied means nothing changed and nothing was emitted",
        |_, _: &State, _, after: &State| !after.breaches.has(Breach::Unapplied),
        |_, before, action, after| before == after && is_void(action.act),
        |_, _| "the pool did not apply the event, and changed or emitted something all the same".into(),
    )
}

fn stale() -> Property<KernelModel> {
    Property::always_step(
        "stale",
        "what is void, comes again or was never asked for changes nothing",
        |_, _: &State, _, after: &State| !after.breaches.has(Breach::Stale),
        |_, _, action, _| is_void(action.act),
        |_, _| "the pool applied what is void, came again, or was never asked for".into(),
    )
}

fn is_void(act: Act) -> bool {
    matches!(act, Act::SubmitAgain(_) | Act::ElapseVoid(..))
}

fn orders() -> Property<KernelModel> {
    Property::always(
        "orders",
        "every order is given once, ends with its answer, and is what a crash would have repeated",
        |_, state: &State| !state.breaches.has(Breach::Disorder) && repeats_what_is_outstanding(state),
        |_, state| state.outside.iter().any(|outside| outside.lease.is_some() && outside.armed.is_some()),
        |_, _| "an order was given twice, for nothing or too often, or a crash would not repeat it".into(),
    )
}

fn repeats_what_is_outstanding(state: &State) -> bool {
    let mut repeated = Vec::new();
    state.pool.resync(&mut |order| repeated.push(order));
    repeated.sort_unstable();
    repeated == state.orders
}

fn renewed() -> Property<KernelModel> {
    Property::always(
        "renewed",
        "an agent that was heard of since its timer was armed keeps what it has",
        |_, state: &State| !state.breaches.has(Breach::Unrenewed),
        |_, state| state.outside.iter().any(|outside| outside.is_renewed),
        |_, _| "an agent was heard of, and has lost its lease all the same".into(),
    )
}

fn valid() -> Property<KernelModel> {
    Property::always(
        "valid",
        "`Pool::validate` accepts every reachable state",
        |_, state: &State| state.pool.validate().is_ok(),
        |_, state| state.pool.last_agent().0 > 0,
        |_, state| state.pool.validate().map_or_else(|corrupt| corrupt.to_string(), |()| String::new()),
    )
}
