//! What can be set: bounds that refuse with a typed error, and the numbers of the retry policy.

use serde::{Deserialize, Serialize};

/// Settings of one kernel. They are part of its state: a journal replays to the same state only under the same
/// settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Config {
    /// Tasks held at once, ended ones that are not acknowledged included. 100,000 by default: one shard.
    pub tasks_max: u32,
    /// How deep subtasks may nest; 0 allows none. 8 by default: deeper trees are a model that delegates in
    /// circles.
    pub depth_max: u8,
    /// Messages of one task that are accepted and not yet in a request. 1,000 by default: more than a person
    /// types while a model answers.
    pub messages_max: u32,
    /// Calls in one response. 128 by default, the most that current providers return.
    pub calls_max: u16,
    /// Sends of one turn, over all layers (S2), and no more than [`SENDS_MAX`](crate::SENDS_MAX). 8 by default: with the waits
    /// below about ten minutes.
    pub attempts_max: u16,
    /// Profiles of providers that a request may be sent to, the preferred one first: 1 to
    /// [`PROFILES_MAX`](crate::PROFILES_MAX). 1 by default.
    pub profiles: u8,
    /// Bit `i`: profile `i` has a key that does not change, so that no credential is asked for. The first one, by default.
    pub profiles_keyed: u8,
    /// Bit `i`: profile `i` keeps its responses, so that a turn can continue from the one before. None, by default.
    pub profiles_continuing: u8,
    /// Responses in a row without a call before a person is asked; 0 for never. 3 by default, as in Roo-Code.
    pub mistakes_max: u16,
    /// The first wait before another attempt; it doubles with each. 5,000 ms by default, as in Roo-Code.
    pub backoff_ms: u32,
    /// The longest such wait. 600,000 ms by default, as in Roo-Code.
    pub backoff_ms_max: u32,
    /// What is added to the time that a throttling provider names. 1,000 ms by default, as in Roo-Code.
    pub retry_after_margin_ms: u32,
    /// The longest time that a throttling provider may name. One that names a longer one is not asked again by the same
    /// request unless it is said to be up. 3,600,000 ms by default, our own choice: a limit for each minute or hour is
    /// waited out, and of one for each day or month a person hears while he can do something about it.
    pub retry_after_ms_max: u32,
    /// How long a cancelled task waits for its own requests and tools to stop before it gives them up (L2).
    /// 10,000 ms by default, our own choice: long enough to end a request or a process in an orderly way, short enough for a
    /// person who waits.
    pub grace_ms: u32,
    /// How long an agent's iterator that was told to stop may take before it is killed. 10,000 ms by default, our
    /// own choice, as `grace_ms`.
    pub stop_ms: u32,
    /// How long a worker rests before it is asked whether something is left to do. 30,000 ms by default, as in the
    /// orchestrator that `docs/health.md` names; 60,000 ms in a later version of it.
    pub idle_ms: u32,
    /// How long an agent with a turn may be silent before it is asked how far it is. 60,000 ms by default, from the same
    /// source.
    pub progress_ms: u32,
    /// How long it may be silent after that, before each further rung of the ladder. 300,000 ms by default, from the
    /// same source.
    pub stuck_ms: u32,
    /// Equal tool calls in a row that count as a loop; 0 for never. 5 by default, from the same source.
    pub loop_max: u8,
    /// Failures in a row that count as too many; 0 for never. 5 by default, from the same source.
    pub errors_max: u8,
    /// Answers about its progress that count as activity of an agent before it has answered its turn; 0 for no bound. 10 by
    /// default, our own choice: with `progress_ms` and `stuck_ms` between them, an hour of nothing but answers.
    pub progress_max: u8,
    /// Entries in the inbox of one worker, those of a turn without an answer included. The kernel adds an inquiry and a
    /// wrap-up of its own at most. 1,000 by default, as `messages_max`.
    pub inbox_max: u32,
    /// Failures in a row before a worker fails. 10 by default, as in the same orchestrator.
    pub worker_attempts_max: u8,
    /// The wait after the first failure of a turn; after the n-th it is n times as long. 2,000 ms by default, from the
    /// same source.
    pub worker_backoff_ms: u32,
    /// The same when the provider asked for patience. 30,000 ms by default, from the same source.
    pub worker_throttled_ms: u32,
    /// Failures in a row that open the breaker. 3 by default, from the same source.
    pub breaker_max: u8,
    /// How long an open breaker lets nothing pass. 30,000 ms by default, from the same source.
    pub breaker_ms: u32,
    /// How long a worker that was told to finish may go on with what it has, and how long it then has to finish.
    /// 120,000 ms by default, our own choice: two silences of `progress_ms`.
    pub wrap_up_ms: u32,
    /// Those who wait for one credential at once. 100,000 by default, as `tasks_max`: a task has one request at a time (S1).
    pub waiters_max: u32,
    /// How long the store of a credential may take to answer. 5,000 ms by default, our own choice.
    pub store_ms: u32,
    /// How long a server may take to refresh a credential. 30,000 ms by default, our own choice: whether it has taken the
    /// token is not known afterwards, so patience is cheap.
    pub refresh_ms: u32,
    /// How long a process alone may refresh a credential. 65,000 ms by default: more than a refresh, the longest wait after
    /// it and three answers of the store (to this claim, to the write, to the next claim) take together (61,000 ms), so
    /// that a process that lives claims it again in time.
    pub claim_ms: u32,
    /// Waits before those who wait for a credential are told that it failed. 8 by default: 72,000 ms of waiting, so that
    /// the claim of a process that crashed runs out first.
    pub credential_waits_max: u8,
    /// The first of these waits; the n-th is n times as long. 2,000 ms by default, as `worker_backoff_ms`.
    pub credential_backoff_ms: u32,
    /// How long a person has to answer a question of a remote agent. 86,400,000 ms by default, a day: the agent holds
    /// its place meanwhile.
    pub question_ms: u32,
    /// How long a remote agent has to acknowledge the end of its question before it is told again. 5,000 ms by default:
    /// far longer than a message takes.
    pub relay_ms: u32,
    /// Notifications of one remote task that wait to be delivered, its conclusion not counted. 100 by default: more than
    /// anybody reads about one task.
    pub notifications_max: u16,
    /// Sends of one notification before it is reported as undelivered. 10 by default: with the waits below about a
    /// quarter of an hour.
    pub notification_attempts_max: u8,
    /// How long the first send of a notification waits to be acknowledged; it doubles with each, up to
    /// `backoff_ms_max`. 1,000 ms by default: as long as a message may well take.
    pub notification_backoff_ms: u32,
    /// Attempts at one remote task (S18). 3 by default: one failure is bad luck, three are the task's doing.
    pub task_attempts_max: u8,
    /// The wait after the first failed attempt at a remote task; it doubles with each, up to `backoff_ms_max`. 30,000 ms
    /// by default: what it takes to replace an agent.
    pub task_backoff_ms: u32,
    /// How long an attempt at a remote task goes on without a word before it is asked how it stands. 600,000 ms by
    /// default: a report that was lost is missed for ten minutes.
    pub attempt_ms: u32,
    /// How long such a question, or a fence, waits for its answer. 10,000 ms by default.
    pub query_ms: u32,
    /// How often it is put. 6 by default: a minute, as long as a service takes to come back.
    pub queries_max: u8,
    /// The fault that is planted, if any.
    #[cfg(feature = "planted-faults")]
    pub fault: Option<crate::faults::Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tasks_max: 100_000,
            depth_max: 8,
            messages_max: 1_000,
            calls_max: 128,
            attempts_max: 8,
            profiles: 1,
            profiles_keyed: 1,
            profiles_continuing: 0,
            mistakes_max: 3,
            backoff_ms: 5_000,
            backoff_ms_max: 600_000,
            retry_after_margin_ms: 1_000,
            retry_after_ms_max: 3_600_000,
            grace_ms: 10_000,
            stop_ms: 10_000,
            idle_ms: 30_000,
            progress_ms: 60_000,
            stuck_ms: 300_000,
            loop_max: 5,
            errors_max: 5,
            progress_max: 10,
            inbox_max: 1_000,
            worker_attempts_max: 10,
            worker_backoff_ms: 2_000,
            worker_throttled_ms: 30_000,
            breaker_max: 3,
            breaker_ms: 30_000,
            wrap_up_ms: 120_000,
            waiters_max: 100_000,
            store_ms: 5_000,
            refresh_ms: 30_000,
            claim_ms: 65_000,
            credential_waits_max: 8,
            credential_backoff_ms: 2_000,
            question_ms: 86_400_000,
            relay_ms: 5_000,
            notifications_max: 100,
            notification_attempts_max: 10,
            notification_backoff_ms: 1_000,
            task_attempts_max: 3,
            task_backoff_ms: 30_000,
            attempt_ms: 600_000,
            query_ms: 10_000,
            queries_max: 6,
            #[cfg(feature = "planted-faults")]
            fault: None,
        }
    }
}
