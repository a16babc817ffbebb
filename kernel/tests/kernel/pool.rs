//! The pool of remote agents: stories.

use crate::pool_stage::{
    acknowledged, arm, assign, beat, cancel, clean, cleaned, disarm, drain, elapsed, ended, gone, lease,
    of_priority, provision, retire, started, stop, submitted, task_ended,
};
use downbeat_kernel::{
    AgentId, AgentState, Epoch, Ignored, Outcome, Pool, PoolConfig, PoolEffect, PoolEnd, PoolEvent,
    PoolRejected, Priority, Renewal, Standing, Stay, TaskId, UserId, WorkEnd,
};

/// A pool of one or two agents.
fn config() -> PoolConfig {
    PoolConfig { agents_max: 2, ..PoolConfig::default() }
}

/// A pool after these events, all of which it applies, and the effects of the last one.
#[track_caller]
fn after(config: PoolConfig, events: &[PoolEvent]) -> (Pool, Vec<PoolEffect>) {
    let (mut pool, mut effects) = (Pool::new(config), Vec::new());
    for event in events {
        effects.clear();
        let outcome = pool.step(*event, &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
    }
    (pool, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(pool: &Pool, event: PoolEvent) -> Outcome<PoolRejected> {
    let (mut same, mut effects) = (pool.clone(), Vec::new());
    let outcome = same.step(event, &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (pool, Vec::new()), "{event:?}");
    outcome
}

const PROVISION_MS: u64 = 120_000;
const LEASE_MS: u64 = 60_000;
const CLEAN_MS: u64 = 60_000;
const IDLE_MS: u64 = 300_000;
const STALE: Outcome<PoolRejected> = Outcome::Ignored(Ignored::Stale);

#[test]
fn a_task_goes_from_its_submission_to_its_end() {
    let first = lease(7, 1);
    let story: [(&str, PoolEvent, &[PoolEffect]); 6] = [
        ("an agent is ordered for it", submitted(7, 1), &[provision(1), arm(1, 1, PROVISION_MS)]),
        ("which is given it", started(1), &[disarm(1, 1), assign(1, first), arm(1, 2, LEASE_MS)]),
        ("works", beat(1, first), &[]),
        (
            "and ends it",
            ended(1, first, WorkEnd::Completed),
            &[disarm(1, 2), task_ended(7, PoolEnd::Completed), clean(1, first), arm(1, 3, CLEAN_MS)],
        ),
        ("that is put on record", acknowledged(7), &[]),
        ("and the agent is ready for another one", cleaned(1, first), &[disarm(1, 3)]),
    ];
    let mut events = Vec::new();
    for (name, event, effects) in story {
        events.push(event);
        assert_eq!(after(config(), &events).1, effects, "{name}");
    }
    let (pool, _) = after(config(), &events);
    assert_eq!(pool.agent(AgentId(1)).map(|agent| agent.state), Some(AgentState::Idle(Stay::Kept)));
    assert_eq!((pool.tasks().count(), pool.epoch()), (0, Epoch(1)));
}

/// A lease that nobody renews is lost; its agent comes back, and nothing of what it says counts.
#[test]
fn a_lost_agent_is_fenced_and_its_task_assigned_anew() {
    let (old, new) = (lease(7, 1), lease(7, 2));
    let lost = [submitted(7, 1), started(1), beat(1, old), elapsed(1, 2), elapsed(1, 3)];
    let (_, renewed) = after(config(), &lost[..4]);
    assert_eq!(renewed, [arm(1, 3, LEASE_MS)], "the first run of the timer saw a heartbeat");
    let (pool, effects) = after(config(), &lost);
    assert_eq!(effects, [retire(1), provision(2), arm(2, 1, PROVISION_MS)], "the second did not");
    assert!(!pool.holds(AgentId(1), old));

    let (pool, effects) = after(config(), &[&lost[..], &[started(2)]].concat());
    assert_eq!(effects, [disarm(2, 1), assign(2, new), arm(2, 2, LEASE_MS)]);
    assert_eq!((pool.holds(AgentId(1), old), pool.holds(AgentId(2), new)), (false, true));
    for event in [beat(1, old), ended(1, old, WorkEnd::Completed), cleaned(1, old), started(1), beat(2, old)]
    {
        assert_eq!(refused(&pool, event), STALE, "{event:?}");
    }
    let (pool, _) = after(config(), &[&lost[..], &[started(2), gone(1)]].concat());
    assert_eq!(refused(&pool, beat(1, old)), Outcome::Ignored(Ignored::Terminal), "it is gone");
}

#[test]
fn attempts_have_a_bound_however_a_lease_ends() {
    let config = PoolConfig { attempts_max: 2, ..config() };
    let once =
        [submitted(7, 1), started(1), ended(1, lease(7, 1), WorkEnd::Returned), cleaned(1, lease(7, 1))];
    let (pool, effects) = after(config, &once);
    assert_eq!(effects, [disarm(1, 3), assign(1, lease(7, 2)), arm(1, 4, LEASE_MS)]);
    assert_eq!(pool.task(TaskId(7)).map(|task| task.attempts), Some(2));
    #[rustfmt::skip]
    let ends = [
        ("it is returned",  ended(1, lease(7, 2), WorkEnd::Returned)),
        ("its agent is gone", gone(1)),
        ("its agent is silent", elapsed(1, 4)),
    ];
    for (name, event) in ends {
        let (pool, effects) = after(config, &[&once[..], &[event]].concat());
        assert!(effects.contains(&task_ended(7, PoolEnd::Lost)), "{name}: {effects:?}");
        assert_eq!(
            pool.task(TaskId(7)).map(|task| task.standing),
            Some(Standing::Ended(PoolEnd::Lost)),
            "{name}"
        );
    }
}

#[test]
fn a_cancel_finds_a_task_wherever_it_is() {
    let first = lease(1, 1);
    let waiting = [submitted(1, 1), cancel(1)];
    let (pool, effects) = after(config(), &waiting);
    assert_eq!(effects, [task_ended(1, PoolEnd::Cancelled)], "it waits");
    assert_eq!(refused(&pool, submitted(1, 1)), Outcome::Ignored(Ignored::Duplicate), "S21");
    let (_, effects) = after(config(), &[&waiting[..], &[started(1)]].concat());
    assert_eq!(effects, [disarm(1, 1)], "S21: the agent that was ordered for it is not given it");

    let working = [submitted(1, 1), started(1), beat(1, first), cancel(1)];
    let (pool, effects) = after(config(), &working);
    assert_eq!(effects, [stop(1, first)], "an agent has it");
    assert_eq!(refused(&pool, beat(1, first)), Outcome::Ignored(Ignored::Terminal), "L2: it cannot go on");
    assert_eq!(refused(&pool, cancel(1)), Outcome::Ignored(Ignored::Duplicate));
    let cancelled = task_ended(1, PoolEnd::Cancelled);
    #[rustfmt::skip]
    let ends: [(&str, PoolEvent, &[PoolEffect]); 3] = [
        ("it completes all the same", ended(1, first, WorkEnd::Completed),
            &[disarm(1, 2), cancelled, clean(1, first), arm(1, 3, CLEAN_MS)]),
        ("it says nothing", elapsed(1, 2), &[cancelled, retire(1), provision(2), arm(2, 1, PROVISION_MS)]),
        ("it is gone",      gone(1),       &[disarm(1, 2), cancelled, provision(2), arm(2, 1, PROVISION_MS)]),
    ];
    for (name, event, effects) in ends {
        assert_eq!(after(config(), &[&working[..], &[event]].concat()).1, effects, "{name}");
    }

    let over = [submitted(1, 1), started(1), ended(1, first, WorkEnd::Completed)];
    let (pool, _) = after(config(), &over);
    assert_eq!(refused(&pool, cancel(1)), Outcome::Ignored(Ignored::Terminal), "it has ended");
}

#[test]
fn what_is_said_under_an_older_lease_touches_no_newer_one() {
    let (old, new) = (lease(1, 1), lease(2, 2));
    let again =
        [submitted(1, 1), started(1), ended(1, old, WorkEnd::Completed), cleaned(1, old), submitted(2, 1)];
    let (pool, effects) = after(PoolConfig { agents_max: 1, ..config() }, &again);
    assert_eq!(effects, [assign(1, new), arm(1, 4, LEASE_MS)]);
    for event in [beat(1, old), ended(1, old, WorkEnd::Failed), cleaned(1, old), elapsed(1, 2), elapsed(1, 3)]
    {
        assert_eq!(refused(&pool, event), STALE, "{event:?}");
    }
    let state = AgentState::Busy { lease: new, renewal: Renewal::Due };
    for event in
        [beat(1, lease(2, 3)), ended(1, lease(1, 0), WorkEnd::Failed), cleaned(1, new), elapsed(1, 5)]
    {
        assert_eq!(refused(&pool, event), Outcome::Rejected(PoolRejected::NeverAsked { state, event }));
    }
    assert_eq!(refused(&pool, started(1)), Outcome::Ignored(Ignored::Duplicate));
}

#[test]
fn scale_down_takes_no_agent_that_has_a_task() {
    let (first, second) = (lease(1, 1), lease(2, 2));
    let two = [submitted(1, 1), started(1), submitted(2, 1), started(2)];
    let rested = [&two[..], &[ended(1, first, WorkEnd::Completed), cleaned(1, first)]].concat();
    let (_, effects) = after(config(), &rested);
    assert_eq!(effects, [disarm(1, 3), arm(1, 4, IDLE_MS)], "one of two is above the minimum");

    let (pool, effects) = after(config(), &[&rested[..], &[submitted(3, 1)]].concat());
    assert_eq!(effects, [disarm(1, 4), assign(1, lease(3, 3)), arm(1, 5, LEASE_MS)]);
    assert_eq!(refused(&pool, elapsed(1, 4)), STALE, "its timer is void");

    let (_, effects) = after(config(), &[&rested[..], &[elapsed(1, 4)]].concat());
    assert_eq!(effects, [retire(1)], "nobody needed it");
    let both = [&rested[..], &[ended(2, second, WorkEnd::Completed), cleaned(2, second)]].concat();
    let (pool, effects) = after(config(), &[&both[..], &[elapsed(1, 4), elapsed(2, 4)]].concat());
    assert_eq!(effects, [], "the other one is the minimum by now");
    assert_eq!(pool.agent(AgentId(2)).map(|agent| agent.state), Some(AgentState::Idle(Stay::Kept)));
}

#[test]
fn draining_lets_the_task_end() {
    let first = lease(1, 1);
    let draining = [submitted(1, 1), started(1), drain(1)];
    let (pool, effects) = after(config(), &draining);
    assert_eq!(effects, [provision(2), arm(2, 1, PROVISION_MS)], "the minimum is ordered anew");
    assert!(pool.holds(AgentId(1), first));
    let (_, effects) = after(config(), &[&draining[..], &[beat(1, first), elapsed(1, 2)]].concat());
    assert_eq!(effects, [arm(1, 3, LEASE_MS)], "its lease goes on");
    let (_, effects) = after(config(), &[&draining[..], &[ended(1, first, WorkEnd::Completed)]].concat());
    assert_eq!(effects, [disarm(1, 2), task_ended(1, PoolEnd::Completed), retire(1)]);
}

#[test]
fn a_container_that_comes_after_its_provisioning_was_cancelled_is_removed() {
    let cancelled = [submitted(1, 1), drain(1)];
    let (_, effects) = after(config(), &cancelled);
    assert_eq!(effects, [disarm(1, 1), retire(1), provision(2), arm(2, 1, PROVISION_MS)]);
    let (pool, _) = after(config(), &cancelled);
    assert_eq!(refused(&pool, started(1)), STALE, "it is to be removed as it is");
    let forgotten = [submitted(1, 1), drain(1), gone(1)];
    let (_, effects) = after(config(), &[&forgotten[..], &[started(1)]].concat());
    assert_eq!(effects, [retire(1)], "it was slower than the order to remove it");
    let full = PoolConfig { agents_max: 1, ..config() };
    let (pool, _) = after(full, &forgotten);
    let no_room = PoolRejected::AgentsFull { limit: 1, agent: AgentId(1) };
    assert_eq!(refused(&pool, started(1)), Outcome::Rejected(no_room), "the next one has its place");
}

#[test]
fn what_fails_to_start_is_not_tried_anew_at_once() {
    let failed = [submitted(1, 1), gone(1)];
    assert_eq!(after(config(), &failed).1, []);
    let (pool, effects) = after(config(), &[&failed[..], &[elapsed(1, 1)]].concat());
    assert_eq!((effects, pool.agent(AgentId(1))), (vec![provision(2), arm(2, 1, PROVISION_MS)], None));
    let (_, effects) = after(config(), &[submitted(1, 1), elapsed(1, 1)]);
    assert_eq!(
        effects,
        [retire(1), provision(2), arm(2, 1, PROVISION_MS)],
        "nor is one waited for that is slow"
    );
}

/// The order in which one agent is given what waits for it.
fn order(config: PoolConfig, submissions: &[PoolEvent]) -> Vec<u64> {
    let config = PoolConfig { agents_max: 1, ..config };
    let (mut pool, _) = after(config, submissions);
    let (mut order, mut event) = (Vec::new(), started(1));
    for _ in submissions {
        let mut assigned = None;
        let outcome = pool.step(event, &mut |effect| match effect {
            PoolEffect::Assign { lease, .. } => assigned = Some(lease),
            PoolEffect::Provision { .. }
            | PoolEffect::Retire { .. }
            | PoolEffect::Stop { .. }
            | PoolEffect::Clean { .. }
            | PoolEffect::TaskEnded { .. }
            | PoolEffect::Arm { .. }
            | PoolEffect::Disarm { .. } => {}
        });
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
        let Some(lease) = assigned else { break };
        order.push(lease.task.0);
        assert_eq!(pool.step(ended(1, lease, WorkEnd::Completed), &mut |_| {}), Outcome::Applied);
        event = cleaned(1, lease);
    }
    order
}

#[test]
fn a_task_is_overtaken_by_as_many_later_ones_as_it_yields() {
    use Priority::{High, Low, Normal};
    let config = PoolConfig { normal_yields: 1, low_yields: 3, ..config() };
    #[rustfmt::skip]
    let cases: [(&str, &[Priority], &[u64]); 6] = [
        ("equals keep their order",      &[Normal, Normal, Normal],         &[1, 2, 3]),
        ("normal lets one pass",         &[Normal, High, High],             &[2, 1, 3]),
        ("low lets three pass",          &[Low, High, High, High, High],    &[2, 3, 4, 1, 5]),
        ("normal ones pass low ones",    &[Low, Normal, Normal, Normal],    &[2, 3, 1, 4]),
        ("all of them at once",          &[Low, Low, Normal, High, High],   &[4, 3, 1, 5, 2]),
        ("high lets nobody pass",        &[High, High, Normal],             &[1, 2, 3]),
    ];
    for (name, priorities, expected) in cases {
        let submissions: Vec<PoolEvent> =
            (1..).zip(priorities).map(|(task, priority)| of_priority(task, task, *priority)).collect();
        assert_eq!(order(config, &submissions), expected, "{name}");
    }
}

#[test]
fn a_task_that_was_lost_keeps_its_place() {
    let config = PoolConfig { agents_max: 1, ..config() };
    let lost = [submitted(1, 1), started(1), submitted(2, 1), ended(1, lease(1, 1), WorkEnd::Returned)];
    let (_, effects) = after(config, &[&lost[..], &[cleaned(1, lease(1, 1))]].concat());
    assert_eq!(effects, [disarm(1, 3), assign(1, lease(1, 2)), arm(1, 4, LEASE_MS)]);
}

#[test]
fn a_quota_holds_back_its_own_user_alone_and_is_given_back_once() {
    let config = PoolConfig { quota: 1, ..config() };
    let full = [submitted(1, 1), started(1), submitted(2, 1), submitted(3, 2), started(2)];
    let (_, effects) = after(config, &full);
    assert_eq!(effects, [disarm(2, 1), assign(2, lease(3, 2)), arm(2, 2, LEASE_MS)], "the second user's");
    let idle = [&full[..], &[ended(2, lease(3, 2), WorkEnd::Completed), cleaned(2, lease(3, 2))]].concat();
    let (_, effects) = after(config, &idle);
    assert_eq!(effects, [disarm(2, 3), arm(2, 4, IDLE_MS)], "the first user is at the quota, the agent idle");
    let first = lease(1, 1);
    let next = |task| [disarm(2, 4), assign(2, lease(task, 3)), arm(2, 5, LEASE_MS)];
    #[rustfmt::skip]
    let ends = [
        ("it ends",               beat(1, first), ended(1, first, WorkEnd::Failed),    2),
        ("it was cancelled",      cancel(1),      ended(1, first, WorkEnd::Completed), 2),
        ("it is cancelled, lost", cancel(1),      gone(1),                             2),
        ("it is lost, and next",  beat(1, first), gone(1),                             1),
    ];
    for (name, before, event, task) in ends {
        let (pool, effects) = after(config, &[&idle[..], &[before, event]].concat());
        assert!(effects.windows(3).any(|window| window == next(task)), "{name}: {effects:?}");
        assert_eq!(pool.agents().filter(|(_, agent)| agent.state.lease().is_some()).count(), 1, "{name}");
    }
}

#[test]
fn bounds_are_refused_by_name() {
    let config = PoolConfig { tasks_max: 2, users_max: 1, ..config() };
    let (pool, _) = after(config, &[submitted(1, 1)]);
    let no_user = PoolRejected::UsersFull { limit: 1, user: UserId(2) };
    assert_eq!(refused(&pool, submitted(2, 2)), Outcome::Rejected(no_user));
    let (pool, _) = after(config, &[submitted(1, 1), submitted(2, 1)]);
    let no_task = PoolRejected::QueueFull { limit: 2, task: TaskId(3) };
    assert_eq!(refused(&pool, submitted(3, 1)), Outcome::Rejected(no_task));
    let not_ended = PoolRejected::NotEnded { task: TaskId(1), standing: Standing::Queued };
    let unknown = PoolRejected::UnknownTask { task: TaskId(3) };
    let last = AgentId(2);
    #[rustfmt::skip]
    let refusals = [
        (acknowledged(1), Outcome::Rejected(not_ended)),
        (acknowledged(3), Outcome::Ignored(Ignored::Terminal)),
        (cancel(3),       Outcome::Rejected(unknown)),
        (started(3),      Outcome::Rejected(PoolRejected::UnknownAgent { last, event: started(3) })),
        (gone(0),         Outcome::Rejected(PoolRejected::UnknownAgent { last, event: gone(0) })),
        (elapsed(1, 0),   Outcome::Rejected(PoolRejected::NeverAsked { state: AgentState::Provisioning, event: elapsed(1, 0) })),
    ];
    for (event, outcome) in refusals {
        assert_eq!(refused(&pool, event), outcome, "{event:?}");
    }
}

#[test]
fn resync_repeats_what_is_outstanding() {
    let first = lease(1, 1);
    #[rustfmt::skip]
    let cases: [(&str, &[PoolEvent], &[PoolEffect]); 8] = [
        ("new",          &[],                                                              &[]),
        ("provisioning", &[submitted(1, 1)],                                               &[provision(1), arm(1, 1, PROVISION_MS)]),
        ("failed",       &[submitted(1, 1), gone(1)],                                      &[arm(1, 1, PROVISION_MS)]),
        ("busy",         &[submitted(1, 1), started(1), beat(1, first)],                   &[assign(1, first), arm(1, 2, LEASE_MS)]),
        ("cancelled",    &[submitted(1, 1), started(1), cancel(1)],                        &[stop(1, first), arm(1, 2, LEASE_MS)]),
        ("cleaning",     &[submitted(1, 1), started(1), ended(1, first, WorkEnd::Failed)], &[clean(1, first), arm(1, 3, CLEAN_MS), task_ended(1, PoolEnd::Failed)]),
        ("leaving",      &[submitted(1, 1), cancel(1), started(1), acknowledged(1), drain(1), gone(2)], &[retire(1), arm(2, 1, PROVISION_MS)]),
        ("idle",         &[submitted(1, 1), cancel(1), started(1)],                        &[task_ended(1, PoolEnd::Cancelled)]),
    ];
    for (name, events, effects) in cases {
        let (pool, mut repeated) = (after(config(), events).0, Vec::new());
        pool.resync(&mut |effect| repeated.push(effect));
        assert_eq!(repeated, effects, "{name}");
    }
}
