//! Tasks that run on agents: agents come and go, die under a task, and come back late. What is said under a lease that is over is dropped.

use crate::stage::{PATIENCE, World, journal, says, settings};
use crate::stopping::Gated;
use crate::story::{A, DONE, apply, call, life, sent};
use downbeat_kernel::{
    AgentId, Approval, Budget, CallId, Conclusion, End, Event, Ignored, News, Outcome, PoolConfig, PoolEvent,
    Priority, QuestionEnd, QuestionNumber, RetryEnd, TaskId, ToolEnd, UserId,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{
    Agents, Container, Doing, Notification, Notifier, Ports, RootEnd, Seat, Shell, ShellConfig, Sign,
    Submitter, Text, Tools, Trial, Wish,
};
use downbeat_store::{ShardId, Sqlite, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{pending, ready};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

const B: TaskId = TaskId(2);
pub(crate) const TOOL: Wish = Wish::Tool(Approval::Granted);

/// What was asked of the agents: of which container, for which task, under which epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    Start(u32),
    Remove(u32),
    Give(u32, TaskId, u64),
    Stop(u32, TaskId, u64),
    Clean(u32, TaskId, u64),
    Prepare(TaskId, u64),
    Run(CallId, u64),
}

/// How an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Nothing is heard of it.
    Silent,
    /// It takes nothing that it is told.
    Deaf,
    /// What it asks it says at once, whatever it is told, and nothing else.
    Insists,
    Dead,
}

#[derive(Default)]
pub(crate) struct State {
    asked: Vec<Asked>,
    pub(crate) ill: BTreeMap<u32, Health>,
    /// Nothing starts.
    pub(crate) is_stuck: bool,
    /// Nothing is made ready.
    is_unready: bool,
    /// Tools that are asked to wait may end.
    pub(crate) may_end: bool,
    /// Who has a task, as the orders say, and the most at once.
    seats: BTreeSet<(TaskId, u64)>,
    most: usize,
    /// What people are told of.
    told: Vec<(TaskId, News, End)>,
    /// What the agent of a lease asks until it is told how that ended, by its epoch.
    pub(crate) asks: BTreeMap<u64, (u32, &'static str)>,
    /// How often one was listened to.
    pub(crate) attended: usize,
    /// What agents were told, each under its epoch.
    pub(crate) answers: Vec<(u64, u32, QuestionEnd, String)>,
    /// What people hear of that is no end.
    pub(crate) progress: Vec<(TaskId, String)>,
    /// And how tasks end that are tried again.
    pub(crate) tried: Vec<(TaskId, RetryEnd)>,
}

/// The agents of one shard, the tools that they run, and whoever hears of ends. They outlive whoever asks them.
#[derive(Clone, Default)]
pub(crate) struct Fleet(Arc<Mutex<State>>);

impl Fleet {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics with it")
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Nothing starts.
    pub(crate) fn is_stuck(&self, is_stuck: bool) {
        self.state().is_stuck = is_stuck;
    }

    pub(crate) fn becomes(&self, agent: u32, health: Health) {
        self.state().ill.insert(agent, health);
    }

    /// Waits until that was asked for.
    pub(crate) async fn until(&self, asked: Asked) {
        self.until_any(|other| *other == asked).await;
    }

    pub(crate) async fn until_any(&self, is_asked: impl Fn(&Asked) -> bool) {
        while !self.asked().iter().any(&is_asked) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn ports(&self, world: &World) -> Ports {
        let fleet = Arc::new(self.clone());
        Ports { agents: fleet.clone(), tools: fleet.clone(), notifier: fleet, ..world.ports() }
    }
}

impl Agents for Fleet {
    fn start(&self, container: Container) -> Doing<bool> {
        self.state().asked.push(Asked::Start(container.agent.0));
        let fleet = self.clone();
        Box::pin(async move {
            while fleet.state().is_stuck {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            true
        })
    }

    fn remove(&self, container: Container) -> Doing<()> {
        self.state().asked.push(Asked::Remove(container.agent.0));
        Box::pin(ready(()))
    }

    fn attend(&self, Seat { container, lease }: Seat, told: Option<QuestionNumber>) -> Doing<Sign> {
        let (agent, asked) = (container.agent.0, Asked::Give(container.agent.0, lease.task, lease.epoch.0));
        let mut state = self.state();
        if state.asked.last() != Some(&asked) {
            state.asked.push(asked);
        }
        state.seats.insert((lease.task, lease.epoch.0));
        state.most = state.most.max(state.seats.len());
        state.attended += 1;
        let beat_ms = if state.ill.get(&agent) == Some(&Health::Insists) { 0 } else { BEAT_MS };
        drop(state);
        let fleet = self.clone();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(beat_ms)).await;
            loop {
                let health = fleet.state().ill.get(&agent).copied();
                let asks = fleet.state().asks.get(&lease.epoch.0).copied();
                match health {
                    None | Some(Health::Deaf | Health::Insists) => {
                        let insists = health == Some(Health::Insists);
                        let asks = asks.map(|(number, text)| (QuestionNumber(number), text.to_owned()));
                        let asks = asks.filter(|(number, _)| Some(*number) > told || insists);
                        return asks.map_or(Sign::Beat, |(number, text)| Sign::Asks { number, text });
                    }
                    Some(Health::Dead) => return Sign::Gone,
                    Some(Health::Silent) => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        })
    }

    fn answer(&self, seat: Seat, number: QuestionNumber, end: QuestionEnd, answer: Text) -> Doing<()> {
        let (epoch, mut state) = (seat.lease.epoch.0, self.state());
        state.answers.push((epoch, number.0, end, answer.to_string()));
        if state.ill.get(&seat.container.agent.0) == Some(&Health::Deaf) {
            return Box::pin(pending());
        }
        state.asks.remove(&epoch);
        Box::pin(ready(()))
    }

    fn stop(&self, Seat { container, lease }: Seat) -> Doing<()> {
        let mut state = self.state();
        state.asked.push(Asked::Stop(container.agent.0, lease.task, lease.epoch.0));
        state.seats.remove(&(lease.task, lease.epoch.0));
        Box::pin(ready(()))
    }

    fn clean(&self, Seat { container, lease }: Seat) -> Doing<()> {
        let mut state = self.state();
        state.asked.push(Asked::Clean(container.agent.0, lease.task, lease.epoch.0));
        state.seats.remove(&(lease.task, lease.epoch.0));
        Box::pin(ready(()))
    }

    fn prepare(&self, task: TaskId, _trial: Trial, seat: Option<Seat>) -> Doing<bool> {
        let lease = seat.expect("it has a place").lease;
        self.state().asked.push(Asked::Prepare(task, lease.epoch.0));
        let fleet = self.clone();
        Box::pin(async move {
            while fleet.state().is_unready {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            true
        })
    }
}

impl Tools for Fleet {
    fn run(&self, call: CallId, argument: Text, seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        let lease = seat.expect("it has a place").lease;
        self.state().asked.push(Asked::Run(call, lease.epoch.0));
        let fleet = self.clone();
        Box::pin(async move {
            while argument.starts_with("wait") && !fleet.state().may_end {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            (ToolEnd::Succeeded, format!("{argument} is done"))
        })
    }
}

impl Notifier for Fleet {
    fn notify(&self, Notification { task, news, end, text, .. }: Notification) -> Doing<bool> {
        let mut state = self.state();
        match end {
            Some(RootEnd::Once(end)) => state.told.push((task, news, end)),
            Some(RootEnd::Tried { end, .. }) => state.tried.push((task, end)),
            None => state.progress.push((task, text.to_string())),
        }
        Box::pin(ready(true))
    }

    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(ready(()))
    }
}

impl Fleet {
    /// Waits until people were told of that many ends.
    pub(crate) async fn ends(&self, ends: usize) -> Vec<(TaskId, News, End)> {
        let are_there = async {
            while self.state().told.len() < ends {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, are_there).await.is_ok();
        let told = self.state().told.clone();
        assert!(in_time, "people were told of no more than {told:?}");
        told
    }
}

/// How often an agent is heard of.
pub(crate) const BEAT_MS: u64 = 20;

/// How long an agent that nobody hears of keeps its lease.
pub(crate) const LEASE_MS: u32 = 200;

/// Longer than a test.
pub(crate) const LONG_MS: u32 = 600_000;

/// At most two agents, as many tasks at once, and a lease that outlives a test.
pub(crate) fn pool() -> PoolConfig {
    PoolConfig { agents_max: 2, agents_min: 0, quota: 2, lease_ms: LONG_MS, ..PoolConfig::default() }
}

pub(crate) fn config(pool: PoolConfig) -> ShellConfig {
    ShellConfig { pool: Some(pool), snapshot_every: 5, ..settings() }
}

async fn start(path: &Path, world: &World, fleet: &Fleet, pool: PoolConfig) -> Shell {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    Shell::start(&Rt::new(Tokio::current()), config(pool), &store, &fleet.ports(world))
}

pub(crate) async fn submit(shell: &Shell, prompt: &str) -> TaskId {
    shell.submit(prompt.to_owned(), Budget::default()).await.expect("it runs")
}

pub(crate) fn completed(task: TaskId) -> (TaskId, News, End) {
    (task, News::Concluded(Conclusion::Completed), End::Completed)
}

pub(crate) async fn gone(shell: &Shell, agent: u32) {
    let event = PoolEvent::Gone { agent: AgentId(agent) };
    assert_eq!(shell.teller().tell_pool(ShardId(0), event).await.expect("it runs"), Outcome::Applied);
}

#[tokio::test]
async fn root_and_subtask_run_in_one_place_which_is_cleaned_and_given_to_the_next() {
    let subtask = [(Wish::Subtask, "count the files")];
    let world = World::of([
        says("", &subtask),
        says("", &[(TOOL, "ls")]),
        says("", &[(DONE, "there are three")]),
        says("", &[(DONE, "three files")]),
        says("", &[(DONE, "fine")]),
    ]);
    let fleet = Fleet::default();
    let shell = start(&journal("fleet"), &world, &fleet, PoolConfig { agents_max: 1, ..pool() }).await;
    submit(&shell, "how many?").await;
    assert_eq!(fleet.ends(1).await, [completed(A)]);
    let next = submit(&shell, "go").await;
    fleet.ends(2).await;
    fleet.until(Asked::Clean(1, next, 2)).await;
    let one = [
        Asked::Start(1),
        Asked::Give(1, A, 1),
        Asked::Prepare(A, 1),
        Asked::Prepare(B, 1),
        Asked::Run(call(B, 1), 1),
        Asked::Clean(1, A, 1),
    ];
    let other = [Asked::Give(1, next, 2), Asked::Prepare(next, 2), Asked::Clean(1, next, 2)];
    let beats = |asked: &Asked| !matches!(asked, Asked::Give(..));
    let given = |asked: &Asked| matches!(asked, Asked::Give(..));
    let expected: Vec<_> = one.into_iter().chain(other).collect();
    let asked = fleet.asked();
    assert_eq!(
        asked.iter().filter(|asked| beats(asked)).collect::<Vec<_>>(),
        expected.iter().filter(|asked| beats(asked)).collect::<Vec<_>>()
    );
    let given: BTreeSet<_> = asked.iter().filter(|asked| given(asked)).collect();
    assert_eq!(given.into_iter().collect::<Vec<_>>(), [&Asked::Give(1, A, 1), &Asked::Give(1, next, 2)]);
}

#[tokio::test]
async fn agent_that_dies_under_a_task_is_replaced_and_the_task_goes_on() {
    let world = World::of([says("", &[(TOOL, "wait for it")]), says("", &[(DONE, "fine")])]);
    let fleet = Fleet::default();
    let shell = start(&journal("fleet-dies"), &world, &fleet, pool()).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    fleet.becomes(1, Health::Dead);
    assert_eq!(fleet.ends(1).await, [completed(A)]);
    assert_eq!(world.seen(), [sent(A, 1, &["go"]), sent(A, 2, &["Its agent was lost."])]);
    fleet.until(Asked::Clean(2, A, 2)).await;
    assert!(!fleet.asked().contains(&Asked::Remove(1)), "it was gone already");
    assert!(!fleet.asked().contains(&Asked::Prepare(A, 2)), "its surroundings are ready");
}

#[tokio::test]
async fn agent_that_is_silent_loses_its_lease_and_is_removed_and_one_that_beats_does_not() {
    let world = World::of([says("", &[(TOOL, "wait for it")]), says("", &[(DONE, "fine")])]);
    let fleet = Fleet::default();
    let lease = PoolConfig { lease_ms: LEASE_MS, ..pool() };
    let shell = start(&journal("fleet-silent"), &world, &fleet, lease).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    tokio::time::sleep(Duration::from_millis(u64::from(LEASE_MS) * 3)).await;
    assert!(!fleet.asked().contains(&Asked::Remove(1)), "it was heard of");
    fleet.becomes(1, Health::Silent);
    fleet.until(Asked::Remove(1)).await;
    assert_eq!(fleet.ends(1).await, [completed(A)]);
    assert_eq!(world.seen(), [sent(A, 1, &["go"]), sent(A, 2, &["Its agent was lost."])]);
}

/// The agent is gone, and what its tool says comes before that is durable: so nobody has told the tool to stop yet.
#[tokio::test]
async fn answer_under_a_lease_that_is_over_is_dropped() {
    let world = World::of([says("", &[(TOOL, "wait for it")]), says("", &[(DONE, "fine")])]);
    let (fleet, path) = (Fleet::default(), journal("fleet-late"));
    let (store, gate) = Gated::open(&path).await;
    gate.add_permits(1_000);
    let store: Arc<dyn Store> = Arc::new(store);
    let shell = Shell::start(&Rt::new(Tokio::current()), config(pool()), &store, &fleet.ports(&world));
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    // The beats go on, and a commit is not always under way.
    fleet.becomes(1, Health::Silent);
    tokio::time::sleep(Duration::from_millis(2 * BEAT_MS)).await;
    gate.forget_permits(1_000);
    let told = tokio::spawn({
        let teller = shell.teller();
        async move { teller.tell_pool(ShardId(0), PoolEvent::Gone { agent: AgentId(1) }).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    fleet.state().may_end = true;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.add_permits(1_000);
    assert_eq!(told.await.expect("no panic").expect("it runs"), Outcome::Applied);
    assert_eq!(fleet.ends(1).await, [completed(A)]);
    assert_eq!(world.seen(), [sent(A, 1, &["go"]), sent(A, 2, &["Its agent was lost."])]);
}

#[tokio::test]
async fn quota_of_one_lets_one_root_run_after_the_other() {
    let turns = [says("", &[(TOOL, "ls")]), says("", &[(DONE, "fine")])];
    let world = World::of(turns.iter().chain(&turns).cloned());
    let fleet = Fleet::default();
    let shell = start(&journal("fleet-quota"), &world, &fleet, PoolConfig { quota: 1, ..pool() }).await;
    let (one, other) = (submit(&shell, "one").await, submit(&shell, "other").await);
    assert_eq!(fleet.ends(2).await, [completed(one), completed(other)]);
    assert_eq!(fleet.state().most, 1, "S22");
}

/// The process is gone after it has ordered the agent to take the task, and before anything is heard of it.
#[test]
fn assignment_of_before_a_crash_is_repeated_and_not_made_again() {
    let (path, fleet) = (journal("fleet-crash"), Fleet::default());
    fleet.becomes(1, Health::Silent);
    life(async {
        let shell = start(&path, &World::default(), &fleet, pool()).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Give(1, A, 1)).await;
    });
    fleet.state().asked.clear();
    fleet.state().ill.clear();
    let world = World::of([says("", &[(DONE, "fine")])]);
    life(async {
        let _shell = start(&path, &world, &fleet, pool()).await;
        assert_eq!(fleet.ends(1).await, [completed(A)]);
        fleet.until(Asked::Clean(1, A, 1)).await;
    });
    let others = fleet.asked().into_iter().filter(|asked| matches!(asked, Asked::Start(_)));
    assert_eq!(others.collect::<Vec<_>>(), [], "another agent was ordered");
}

/// The word that its tool is over goes with the process, and the call runs again at another agent.
#[test]
fn tool_whose_agent_was_lost_with_the_process_runs_at_the_next() {
    let (path, fleet) = (journal("fleet-lost"), Fleet::default());
    let world = World::of([says("", &[(TOOL, "wait for it")]), says("", &[(DONE, "fine")])]);
    life(async {
        let shell = start(&path, &world, &fleet, PoolConfig { agents_max: 1, ..pool() }).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Run(call(A, 1), 1)).await;
        fleet.state().is_stuck = true;
        fleet.becomes(1, Health::Silent);
        apply(&shell, Event::PauseRequested { task: A }, "").await;
        gone(&shell, 1).await;
        // The tool is told to be over, but what is held begins no turn.
        apply(&shell, Event::ResumeRequested { task: A }, "").await;
    });
    fleet.state().asked.clear();
    fleet.state().is_stuck = false;
    fleet.state().may_end = true;
    life(async {
        let _shell = start(&path, &world, &fleet, PoolConfig { agents_max: 1, ..pool() }).await;
        assert_eq!(fleet.ends(1).await, [completed(A)]);
    });
    assert!(fleet.asked().contains(&Asked::Start(2)), "{:?}", fleet.asked());
    assert_eq!(world.seen().first(), Some(&sent(A, 1, &["go"])));
}

/// Its next request is given while it has no place, and kept.
#[tokio::test]
async fn task_without_a_place_sends_nothing_and_one_that_is_held_does_not_in_the_next_place_either() {
    let world = World::of([says("", &[(TOOL, "wait for it")]), says("", &[(DONE, "fine")])]);
    let fleet = Fleet::default();
    let shell = start(&journal("fleet-held"), &world, &fleet, pool()).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    fleet.state().is_stuck = true;
    gone(&shell, 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.seen(), [sent(A, 1, &["go"])], "placed");
    apply(&shell, Event::PauseRequested { task: A }, "").await;
    fleet.state().is_stuck = false;
    fleet.until(Asked::Give(2, A, 2)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.seen(), [sent(A, 1, &["go"])], "S13");
    apply(&shell, Event::ResumeRequested { task: A }, "").await;
    assert_eq!(fleet.ends(1).await, [completed(A)]);
    assert_eq!(world.seen(), [sent(A, 1, &["go"]), sent(A, 2, &["Its agent was lost."])]);
}

/// It is to be made ready at the next agent when the process is gone. The tree repeats that, and nobody knows that it was kept.
#[test]
fn task_that_is_held_with_what_was_kept_begins_nothing_after_a_crash() {
    let (path, fleet) = (journal("fleet-held-crash"), Fleet::default());
    let world = World::of([says("", &[(DONE, "fine")])]);
    fleet.state().is_unready = true;
    life(async {
        let shell = start(&path, &world, &fleet, pool()).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Prepare(A, 1)).await;
        fleet.state().is_stuck = true;
        gone(&shell, 1).await;
        apply(&shell, Event::PauseRequested { task: A }, "").await;
        fleet.state().is_stuck = false;
        fleet.until(Asked::Give(2, A, 2)).await;
    });
    fleet.state().is_unready = false;
    life(async {
        let shell = start(&path, &world, &fleet, pool()).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!fleet.asked().contains(&Asked::Prepare(A, 2)), "S13");
        apply(&shell, Event::ResumeRequested { task: A }, "").await;
        assert_eq!(fleet.ends(1).await, [completed(A)]);
    });
    assert!(fleet.asked().contains(&Asked::Prepare(A, 2)), "{:?}", fleet.asked());
}

/// What is kept for want of a place is void when it is taken back: the task ends, and nothing of it goes out later.
#[tokio::test]
async fn task_that_is_cancelled_without_a_place_ends_at_once_and_sends_nothing() {
    let world = World::of([says("", &[(TOOL, "wait for it")]), says("", &[(DONE, "fine")])]);
    let fleet = Fleet::default();
    let shell = start(&journal("fleet-void"), &world, &fleet, pool()).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    fleet.state().is_stuck = true;
    gone(&shell, 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    apply(&shell, Event::CancelRequested { task: A }, "").await;
    assert_eq!(fleet.ends(1).await, [(A, News::Concluded(Conclusion::Cancelled), End::Cancelled)]);
    fleet.state().is_stuck = false;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.seen(), [sent(A, 1, &["go"])], "S19");
    assert!(!fleet.asked().contains(&Asked::Give(2, A, 2)), "S21");
}

/// It ends as Cancelled in the tree, and people hear that it has failed, also if the process is gone in between.
#[test]
fn task_that_is_lost_too_often_has_failed_for_want_of_a_place() {
    let (path, fleet) = (journal("fleet-placeless"), Fleet::default());
    let once = PoolConfig { attempts_max: 1, ..pool() };
    life(async {
        let shell = start(&path, &World::default(), &fleet, once).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Prepare(A, 1)).await;
        gone(&shell, 1).await;
        assert_eq!(fleet.ends(1).await, [(A, News::Concluded(Conclusion::Failed), End::Cancelled)]);
    });
    life(async {
        let shell = start(&path, &World::default(), &fleet, once).await;
        let cancelled = shell.tell(Event::CancelRequested { task: A }, vec![]).await.expect("it runs");
        assert!(
            matches!(cancelled, Outcome::Ignored(Ignored::Terminal) | Outcome::Rejected(_)),
            "{cancelled:?}"
        );
    });
    let told: BTreeSet<_> =
        fleet.state().told.iter().map(|(task, _, end)| (task.0, *end == End::Cancelled)).collect();
    assert_eq!(told.into_iter().collect::<Vec<_>>(), [(1, true)], "S24");
}

#[tokio::test]
async fn task_that_is_cancelled_while_it_waits_or_runs_leaves_no_place_taken() {
    let world = World::of([says("", &[(TOOL, "wait for it")])]);
    let fleet = Fleet::default();
    let shell = start(&journal("fleet-cancel"), &world, &fleet, PoolConfig { agents_max: 1, ..pool() }).await;
    let (runs, waits) = (submit(&shell, "go").await, submit(&shell, "wait").await);
    fleet.until(Asked::Run(call(runs, 1), 1)).await;
    apply(&shell, Event::CancelRequested { task: waits }, "").await;
    let cancelled = |task| (task, News::Concluded(Conclusion::Cancelled), End::Cancelled);
    assert_eq!(fleet.ends(1).await, [cancelled(waits)]);
    apply(&shell, Event::CancelRequested { task: runs }, "").await;
    assert_eq!(fleet.ends(2).await, [cancelled(waits), cancelled(runs)]);
    fleet.until(Asked::Stop(1, runs, 1)).await;
    fleet.until(Asked::Clean(1, runs, 1)).await;
    assert!(
        !fleet.asked().iter().any(|asked| matches!(asked, Asked::Give(_, task, _) if *task == waits)),
        "S21"
    );
    // The tree has forgotten both, and so has the pool.
    let again = shell.tell(Event::EndAcknowledged { task: runs }, vec![]).await.expect("it runs");
    assert_eq!(again, Outcome::Ignored(Ignored::Terminal));
}

/// Two users of one each: the second task of the first one waits, and is placed after a crash as it was submitted before.
#[test]
fn quota_is_that_of_a_user_also_after_a_crash() {
    let (path, fleet) = (journal("fleet-users"), Fleet::default());
    let each = PoolConfig { agents_max: 3, quota: 1, ..pool() };
    let by = |user| Submitter { user: UserId(user), priority: Priority::Normal };
    fleet.state().is_stuck = true;
    life(async {
        let shell = start(&path, &World::default(), &fleet, each).await;
        for user in [1, 1, 2] {
            let teller = shell.teller();
            teller.submit_for(by(user), "go".to_owned(), Budget::default()).await.expect("it runs");
        }
        fleet.until(Asked::Start(2)).await;
    });
    fleet.state().is_stuck = false;
    fleet.state().asked.clear();
    let world = World::of([says("", &[(TOOL, "wait for it")]), says("", &[(TOOL, "wait for it")])]);
    life(async {
        let shell = start(&path, &world, &fleet, each).await;
        for task in [TaskId(1), TaskId(3)] {
            fleet.until_any(|asked| matches!(asked, Asked::Run(call, _) if call.task == task)).await;
        }
        apply(&shell, Event::PauseRequested { task: TaskId(2) }, "").await;
    });
    let given = |asked: &Asked| if let Asked::Give(_, task, _) = asked { Some(task.0) } else { None };
    let given: BTreeSet<_> = fleet.asked().iter().filter_map(given).collect();
    assert_eq!(given.into_iter().collect::<Vec<_>>(), [1, 3], "S22");
}
