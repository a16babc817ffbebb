//! What is stored and cannot have come from events: one number or word of a valid state is another one, and `validate` names
//! what is wrong. At each bound stands the last value that is right.

use crate::pool_stage::{cancel, of_priority, started, submitted};
use downbeat_kernel::{
    AgentId, Asker, AttemptNumber, COUNTER_MAX, Conclusion, Config, CredentialCorrupt, Epoch, Fate, Kernel,
    Ledger, NotificationNumber, NotificationTimer, Outbox, OutboxCorrupt, OutboxState, Outcome, Pool,
    PoolConfig, PoolCorrupt, PoolEvent, Priority, ProfileId, QueryNumber, QuestionCorrupt, QuestionEnd,
    QuestionKey, QuestionNumber, QuestionState, QuestionTimer, Questions, RequestCorrupt, Retry,
    RetryCorrupt, RetryEnd, RetryReason, RetryState, RetryTimer, SENDS_MAX, SendReason, SendRecord, TaskId,
    Untold, UserId, WorkerCorrupt,
};
use serde_json::{Value, json};
use std::error::Error;

/// What is written in the place of what is at these paths.
pub(crate) type Changes = Vec<(&'static str, Value)>;

/// What is stored, with other values in some places.
#[track_caller]
pub(crate) fn changed(stored: &impl serde::Serialize, changes: &Changes) -> Value {
    let mut stored = serde_json::to_value(stored).expect("it has a JSON form");
    for (path, value) in changes {
        let (parent, name) = path.rsplit_once('/').expect("a path begins with a stroke");
        match stored.pointer_mut(parent) {
            Some(Value::Object(fields)) => drop(fields.insert(name.to_owned(), value.clone())),
            other => panic!("{parent} is {other:?}"),
        }
    }
    stored
}

fn outbox(state: OutboxState, accepted: u32, settled: u32, timer: u32) -> Outbox {
    let (accepted, settled) = (NotificationNumber(accepted), NotificationNumber(settled));
    Outbox { state, accepted, settled, conclusion: None, timer: NotificationTimer(timer) }
}

#[test]
fn damage_of_an_outbox_is_named() {
    use OutboxCorrupt::{Bounds, Conclusion as Concluded, Counters, State};
    use OutboxState::{Idle, Sending, Undelivered};
    const MAX: u32 = COUNTER_MAX;
    let once = Config { notifications_max: 3, notification_attempts_max: 1, ..Config::default() };
    let never = Config { notification_attempts_max: 0, ..once };
    let twice = Config { notification_attempts_max: 2, ..once };
    let concluded = |outbox| Outbox { conclusion: Some(Conclusion::Completed), ..outbox };
    let sending = |attempt| Sending { attempt };
    #[rustfmt::skip]
    let cases = [
        ("one is out",                           twice, outbox(sending(1), 1, 0, 1),             Ok(())),
        ("more settled than accepted",           twice, outbox(Idle, 1, 2, 2),                   Err(Counters)),
        ("as many as can be",                    twice, outbox(Idle, MAX, MAX, MAX),             Ok(())),
        ("one more than can be",                 twice, outbox(sending(1), MAX + 1, MAX - 1, MAX), Err(Counters)),
        ("a timer more than can be",             twice, outbox(Idle, 1, 1, MAX + 1),             Err(Counters)),
        ("an attempt without its timer",         twice, outbox(sending(2), 1, 0, 1),             Err(Counters)),
        ("given up before its time",             twice, outbox(Undelivered, 1, 0, 1),            Err(Counters)),
        ("given up",                             twice, outbox(Undelivered, 1, 0, 2),            Ok(())),
        ("given up after its only attempt",      once,  outbox(Undelivered, 1, 0, 1),            Ok(())),
        ("given up without an attempt",          never, outbox(Undelivered, 1, 0, 0),            Err(Counters)),
        ("a timer before the first",             twice, outbox(Idle, 0, 0, 1),                   Err(Counters)),
        ("nothing yet",                          twice, outbox(Idle, 0, 0, 0),                   Ok(())),
        ("as many wait as may",                  twice, outbox(sending(1), 3, 0, 1),             Ok(())),
        ("one more waits than may",              twice, outbox(sending(1), 4, 0, 1),             Err(Bounds)),
        ("a conclusion may always wait",         twice, concluded(outbox(sending(1), 4, 0, 1)),  Ok(())),
        ("idle although one waits",              twice, outbox(Idle, 1, 0, 1),                   Err(State)),
        ("sends although none waits",            twice, outbox(sending(1), 1, 1, 2),             Err(State)),
        ("an attempt past the last",             once,  outbox(sending(2), 1, 0, 2),             Err(State)),
        ("an attempt before the first",          twice, outbox(sending(0), 1, 0, 1),             Err(State)),
        ("the only attempt",                     never, outbox(sending(1), 1, 0, 1),             Ok(())),
        ("given up although none waits",         twice, outbox(Undelivered, 1, 1, 3),            Err(State)),
        ("a conclusion of nothing",              twice, concluded(outbox(Idle, 0, 0, 0)),        Err(Concluded)),
    ];
    for (name, config, outbox, expected) in cases {
        assert_eq!(outbox.validate(&config), expected, "{name}");
    }
}

fn questions(state: QuestionState, number: u32, timer: u32) -> Questions {
    let epoch = Epoch(u64::from(number.min(1)));
    let question = QuestionKey { epoch, number: QuestionNumber(number) };
    Questions { asker: Asker::Present, epoch: Epoch(1), question, state, timer: QuestionTimer(timer) }
}

#[test]
fn damage_of_the_timers_of_questions_is_named() {
    use QuestionCorrupt::Counters;
    use QuestionState::{Open, Settled, Silent};
    let settled = |untold| Settled { end: QuestionEnd::Answered, untold };
    let withdrawn = Settled { end: QuestionEnd::Withdrawn, untold: Untold::Person };
    let lost = |questions| Questions { asker: Asker::Absent, ..questions };
    let telling = Settled { end: QuestionEnd::Withdrawn, untold: Untold::Both };
    let done = |questions| Questions { asker: Asker::Done, ..questions };
    #[rustfmt::skip]
    let cases = [
        ("none was asked",                            questions(Silent, 0, 0),                      Ok(())),
        ("a timer before the first question",         questions(Silent, 0, 1),                      Err(Counters)),
        ("a timer for the first",                     questions(Open, 1, 1),                        Ok(())),
        ("none for the first",                        questions(Open, 1, 0),                        Err(Counters)),
        ("another one while the agent is told",       questions(settled(Untold::Both), 1, 2),       Ok(())),
        ("none while the agent is told",              questions(settled(Untold::Both), 1, 1),       Err(Counters)),
        ("another one when the agent was told",       questions(settled(Untold::Person), 1, 2),     Ok(())),
        ("none although the agent was told",          questions(settled(Untold::Person), 1, 1),     Err(Counters)),
        ("none where the agent was lost",             lost(questions(withdrawn, 1, 1)),             Ok(())),
        ("none while it is told that its task ended", done(questions(telling, 1, 1)),               Err(Counters)),
        ("one while it is told that its task ended",  done(questions(telling, 1, 2)),               Ok(())),
        ("two for the first and one for the second",  questions(Open, 2, 3),                        Ok(())),
        ("one too few for the second",                questions(Open, 2, 2),                        Err(Counters)),
        ("as many as can be",                         questions(Open, 2, COUNTER_MAX),              Ok(())),
        ("one more than can be",                      questions(Open, 2, COUNTER_MAX + 1),          Err(Counters)),
    ];
    for (name, questions, expected) in cases {
        assert_eq!(questions.validate(), expected, "{name}");
    }
}

fn retry(state: RetryState, attempt: u32, query: u32, timer: u32) -> Retry {
    let (attempt, query) = (AttemptNumber(attempt), QueryNumber(query));
    Retry { state, attempt, query, timer: RetryTimer(timer) }
}

#[test]
fn damage_of_attempts_is_named() {
    use RetryCorrupt::{Attempts, Counters, Queries};
    use RetryState::{BackingOff, Cancelling, Ended, Fencing, Querying, Running, Unsubmitted};
    let once = Config { task_attempts_max: 1, queries_max: 1, ..Config::default() };
    let twice = Config { task_attempts_max: 2, queries_max: 2, ..once };
    let exhausted = Ended(RetryEnd::Failed(RetryReason::Exhausted));
    let cancelled = Ended(RetryEnd::Cancelled);
    let waiting = BackingOff { wait_ms: 1 };
    #[rustfmt::skip]
    let cases = [
        ("nothing yet",                             twice, retry(Unsubmitted, 0, 0, 0),             Ok(())),
        ("a timer before the first attempt",        twice, retry(Unsubmitted, 0, 0, 1),             Err(Counters)),
        ("the first attempt",                       twice, retry(Running, 1, 0, 1),                 Ok(())),
        ("the first attempt without a timer",       twice, retry(Running, 1, 0, 0),                 Err(Counters)),
        ("the second, after a wait",                twice, retry(Running, 2, 0, 3),                 Ok(())),
        ("the second, without a wait",              twice, retry(Running, 2, 0, 2),                 Err(Counters)),
        ("as many timers as can be",                twice, retry(Running, 1, 0, COUNTER_MAX),       Ok(())),
        ("one more than can be",                    twice, retry(Running, 1, 0, COUNTER_MAX + 1),   Err(Counters)),
        ("a wait",                                  twice, retry(waiting, 1, 0, 2),                 Ok(())),
        ("a wait without a timer",                  twice, retry(waiting, 1, 0, 1),                 Err(Counters)),
        ("a question",                              twice, retry(Querying { asked: 1 }, 1, 1, 2),   Ok(())),
        ("a question that was repeated",            twice, retry(Querying { asked: 2 }, 1, 1, 3),   Ok(())),
        ("the same without its timer",              twice, retry(Querying { asked: 2 }, 1, 1, 2),   Err(Counters)),
        ("a wait after the last attempt",           once,  retry(waiting, 1, 0, 2),                 Err(Attempts)),
        ("exhausted after the only attempt",        once,  retry(exhausted, 1, 0, 1),               Ok(())),
        ("exhausted with an attempt left",          twice, retry(exhausted, 1, 0, 1),               Err(Attempts)),
        ("an attempt past the last",                once,  retry(Running, 2, 0, 3),                 Err(Attempts)),
        ("repeated past the last",                  once,  retry(Querying { asked: 2 }, 1, 1, 3),   Err(Queries)),
        ("a cancel without a question",             twice, retry(Cancelling { asked: 1 }, 1, 0, 1), Err(Queries)),
        ("a fence without a question before",       twice, retry(Fencing { asked: 1 }, 1, 1, 2),    Err(Queries)),
        ("cancelled in the last attempt unfenced",  once,  retry(cancelled, 1, 0, 1),               Err(Queries)),
        ("cancelled before the last attempt",       twice, retry(cancelled, 1, 0, 2),               Ok(())),
    ];
    for (name, config, retry, expected) in cases {
        assert_eq!(retry.validate(&config), expected, "{name}");
    }
}

fn pool(events: &[PoolEvent]) -> Pool {
    let config =
        PoolConfig { agents_max: 4, agents_min: 2, quota: 2, attempts_max: 2, ..PoolConfig::default() };
    let mut pool = Pool::new(config);
    for event in events {
        assert_eq!(pool.step(*event, &mut |_| ()), Outcome::Applied, "{event:?}");
    }
    pool
}

/// Agents 1 to 3 have tasks 3, 1 and 4, under epochs 1 to 3; task 2 waits, whose user has no room.
fn busy_pool() -> Pool {
    let of_first = |task, priority| of_priority(task, 1, priority);
    pool(&[
        of_first(1, Priority::Normal),
        of_first(2, Priority::Low),
        of_first(3, Priority::High),
        submitted(4, 2),
        started(1),
        started(2),
        started(3),
    ])
}

#[test]
fn damage_of_a_pool_is_named() {
    use PoolCorrupt::{Bounds, Counters, Fleet, Idle, Lease, Quota, Task};
    const MAX: u32 = COUNTER_MAX;
    let task = |task| Err(Task { task: TaskId(task) });
    let lease = |agent| Err(Lease { agent: AgentId(agent) });
    let quota = |user| Err(Quota { user: UserId(user) });
    let idle = |agent| Err(Idle { agent: AgentId(agent) });
    let timed = |state: Value| json!({ "state": state, "timer": 1 });
    let busy = |task: u64, epoch: u64| {
        timed(json!({"Busy": {"lease": {"task": task, "epoch": epoch}, "renewal": "Due"}}))
    };
    let cleaning =
        |task: u64, epoch: u64| timed(json!({"Cleaning": {"lease": {"task": task, "epoch": epoch}}}));
    let kept = json!({ "state": {"Idle": "Kept"}, "timer": 0 });
    let waits = |turn: u64, yields: u32| json!({ "turn": turn, "yields": yields });
    #[rustfmt::skip]
    let cases: Vec<(&str, Changes, Result<(), PoolCorrupt>)> = vec![
        ("as it was",                         vec![],                                                Ok(())),
        ("as many tasks as fit",              vec![("/config/tasks_max", json!(4))],                 Ok(())),
        ("a task more than fits",             vec![("/config/tasks_max", json!(3))],                 Err(Bounds)),
        ("as many users as fit",              vec![("/config/users_max", json!(2))],                 Ok(())),
        ("a user more than fits",             vec![("/config/users_max", json!(1))],                 Err(Bounds)),
        ("as many agents as fit",             vec![("/config/agents_max", json!(3))],                Ok(())),
        ("an agent more than fits",           vec![("/config/agents_max", json!(2))],                Err(Bounds)),
        ("a lease without a timer",           vec![("/agents/1/timer", json!(0))],                   Err(Counters)),
        ("as many timers as can be",          vec![("/agents/1/timer", json!(MAX))],                 Ok(())),
        ("a timer more than can be",          vec![("/agents/1/timer", json!(MAX + 1))],             Err(Counters)),
        ("an agent before the first",         vec![("/agents/0", kept.clone()), ("/config/agents_min", json!(4))],
                                                                                                     Err(Counters)),
        ("an agent after the last",           vec![("/last", json!(2))],                             Err(Counters)),
        ("as many agents as can be",          vec![("/last", json!(MAX))],                           Ok(())),
        ("an agent more than can be",         vec![("/last", json!(MAX + 1))],                       Err(Counters)),
        ("as many submissions as can be",     vec![("/submissions", json!(u64::MAX / 2))],           Ok(())),
        ("a submission more than can be",     vec![("/submissions", json!(u64::MAX / 2 + 1))],       Err(Counters)),
        ("as many epochs as can be",          vec![("/epoch", json!(u64::MAX / 2))],                 Ok(())),
        ("an epoch more than can be",         vec![("/epoch", json!(u64::MAX / 2 + 1))],             Err(Counters)),
        ("an attempt without an epoch",       vec![("/tasks/2/attempts", json!(1))],                 Err(Counters)),
        ("two with one submission",           vec![("/tasks/2/place", waits(65, 64))],               Err(Counters)),
        ("a place before the first",          vec![("/tasks/2/place", waits(64, 64))],               Err(Counters)),
        ("a place after the last",            vec![("/submissions", json!(3))],                      Err(Counters)),
        ("waits after its last attempt",      vec![("/tasks/2/attempts", json!(2)), ("/epoch", json!(5))],
                                                                                                     task(2)),
        ("waits before its last attempt",     vec![("/tasks/2/attempts", json!(1)), ("/epoch", json!(4))],
                                                                                                     Ok(())),
        ("held by another's agent",           vec![("/tasks/1/standing/Held/agent", json!(1))],      lease(1)),
        ("held by nobody",                    vec![("/tasks/1/standing/Held/agent", json!(9))],      lease(9)),
        ("held without an attempt",           vec![("/tasks/1/attempts", json!(0))],                 task(1)),
        ("ended without an attempt",          vec![("/tasks/2/standing", json!({"Ended": "Completed"}))], task(2)),
        ("lost with an attempt left",         vec![("/tasks/2/standing", json!({"Ended": "Lost"})),
            ("/tasks/2/attempts", json!(1)), ("/epoch", json!(4))],                                  task(2)),
        ("lost with none left",               vec![("/tasks/2/standing", json!({"Ended": "Lost"})),
            ("/tasks/2/attempts", json!(2)), ("/epoch", json!(5))],                                  Ok(())),
        ("cancelled before it began",         vec![("/tasks/2/standing", json!({"Ended": "Cancelled"}))], Ok(())),
        ("a priority that there is not",      vec![("/tasks/2/place", waits(67, 65))],               task(2)),
        ("more attempts than it has",         vec![("/tasks/1/attempts", json!(3)), ("/epoch", json!(9))],
                                                                                                     task(1)),
        ("a lease of a task that is another's", vec![("/agents/4", busy(1, 4)), ("/last", json!(4)), ("/epoch", json!(4))],
                                                                                                     lease(4)),
        ("one epoch for two",                 vec![("/agents/3/state/Busy/lease/epoch", json!(2))],  lease(2)),
        ("traces of a lease that goes on",    vec![("/agents/4", cleaning(1, 2)), ("/last", json!(4))], lease(2)),
        ("traces of one that is over",        vec![("/agents/4", cleaning(1, 4)), ("/last", json!(4)), ("/epoch", json!(4))],
                                                                                                     Ok(())),
        ("an epoch before the first",         vec![("/agents/3/state/Busy/lease/epoch", json!(0))],  lease(3)),
        ("an epoch after the last",           vec![("/agents/3/state/Busy/lease/epoch", json!(4))],  lease(3)),
        ("more than the quota",               vec![("/config/quota", json!(1))],                     quota(1)),
        ("idle while a task is ready",        vec![("/config/quota", json!(3)), ("/agents/4", timed(json!({"Idle": "Spare"}))),
            ("/last", json!(4))],                                                                    idle(4)),
        ("idle while none is ready",          vec![("/agents/4", timed(json!({"Idle": "Spare"}))), ("/last", json!(4))],
                                                                                                     Ok(())),
        ("fewer than the minimum",            vec![("/config/agents_min", json!(4))],                Err(Fleet)),
        ("none on its way to who is ready",   vec![("/config/quota", json!(3))],                     Err(Fleet)),
        ("no place for one on its way",       vec![("/config/quota", json!(3)), ("/config/agents_max", json!(3))], Ok(())),
        ("kept above the minimum",            vec![("/agents/4", kept.clone()), ("/last", json!(4))], Err(Fleet)),
        ("kept as one of the minimum",        vec![("/agents/4", kept), ("/last", json!(4)), ("/config/agents_min", json!(4))],
                                                                                                     Ok(())),
    ];
    assert_damage(&busy_pool(), cases);
}

/// Pools in which nobody works.
#[test]
fn damage_of_a_pool_at_rest_is_named() {
    let ended = pool(&[submitted(1, 1), cancel(1)]);
    let no_quota = vec![("/config/quota", json!(0))];
    assert_damage(&ended, vec![("ended, of a user who has nothing else", no_quota, Ok(()))]);
    #[rustfmt::skip]
    let cases = vec![
        ("new",                                         vec![],                         Ok(())),
        ("a submission, and no agent",                  vec![("/submissions", json!(1))], Err(PoolCorrupt::Fleet)),
        ("an agent that is gone, and the minimum too",  vec![("/last", json!(1))],      Err(PoolCorrupt::Fleet)),
    ];
    assert_damage(&pool(&[]), cases);
}

#[track_caller]
fn assert_damage(pool: &Pool, cases: Vec<(&str, Changes, Result<(), PoolCorrupt>)>) {
    for (name, changes, expected) in cases {
        let read: Pool = serde_json::from_value(changed(pool, &changes)).expect("it is read");
        assert_eq!(read.validate(), expected, "{name}");
    }
}

#[test]
fn damage_is_told_in_words() {
    let (task, agent, user) = (TaskId(1), AgentId(2), UserId(3));
    #[rustfmt::skip]
    let cases: [(&dyn Error, &str); 13] = [
        (&OutboxCorrupt::Bounds,          "more notifications wait than the settings allow"),
        (&QuestionCorrupt::Asker,         "the agent that can ask was never assigned"),
        (&RetryCorrupt::Attempts,         "the attempts do not agree with the state or the settings"),
        (&CredentialCorrupt::Waits,       "the waits do not agree with the state"),
        (&RequestCorrupt::Ledger,         "the sends of the request do not follow from each other"),
        (&WorkerCorrupt::Inbox,           "the inbox of the worker has what it cannot have"),
        (&PoolCorrupt::Bounds,            "there is more than the settings allow"),
        (&PoolCorrupt::Counters,          "the counters contradict what they count"),
        (&PoolCorrupt::Task { task },     "task 1 cannot stand as it does"),
        (&PoolCorrupt::Lease { agent },   "agent 2 and its task do not know of each other"),
        (&PoolCorrupt::Quota { user },    "user 3 has more than the quota"),
        (&PoolCorrupt::Idle { agent },    "agent 2 is idle while a task is ready"),
        (&PoolCorrupt::Fleet,             "agents are missing, or kept above the minimum"),
    ];
    for (corrupt, words) in cases {
        assert_eq!(corrupt.to_string(), words);
    }
    let (profile, reason, fate) = (ProfileId(0), SendReason::First, Fate::Open);
    let lines = vec![SendRecord { profile, reason, fate, charged: false }; SENDS_MAX + 1];
    let lines = serde_json::to_value(lines).expect("they have a JSON form");
    let error = serde_json::from_value::<Ledger>(lines).expect_err("there are more than fit");
    assert_eq!(error.to_string(), "a request has 16 sends at most");
    let no_list = serde_json::json!({"config": Config::default(), "highest": null, "down": 0, "tasks": 7});
    let error = serde_json::from_value::<Kernel>(no_list).expect_err("tasks are a list");
    assert_eq!(error.to_string(), "invalid type: integer `7`, expected tasks in the order of their ids");
}
