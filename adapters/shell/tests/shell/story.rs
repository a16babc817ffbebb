//! Whole lives of tasks: what the model is asked, what tools run, what people hear, also over a restart.

use crate::stage::{Seen, World, charges, journal, says, settings, start, start_shards, start_with, yes};
use downbeat_kernel::{
    About, Approval, Budget, CallId, End, Event, Ignored, MessageId, Outcome, QuestionId, SendFailure,
    TaskId, TurnNumber,
};
use downbeat_shell::{SendEnd, Shell, Wish};
use std::future::Future;
use std::time::Duration;

pub(crate) const A: TaskId = TaskId(1);
const B: TaskId = TaskId(2);

const TOOL: Wish = Wish::Tool(Approval::Granted);
pub(crate) const DONE: Wish = Wish::Completion(Approval::Granted);

pub(crate) fn call(task: TaskId, turn: u32) -> CallId {
    CallId { task, turn: TurnNumber(turn), index: 0 }
}

pub(crate) fn sent(task: TaskId, turn: u32, new: &[&str]) -> Seen {
    Seen::Sent(task, turn, new.iter().map(|text| (*text).to_owned()).collect())
}

#[tokio::test]
async fn subtask_runs_and_its_result_is_in_the_next_request_of_its_parent() {
    let world = World::of([
        says("I ask another.", &[(Wish::Subtask, "count the files")]),
        says("", &[(TOOL, "ls")]),
        says("", &[(DONE, "there are three")]),
        says("", &[(DONE, "three files")]),
    ]);
    let shard = start(&journal("subtask"), &world).await;
    assert_eq!(shard.submit("how many?".to_owned(), Budget::default()).await.expect("it runs"), A);
    world.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    assert_eq!(
        world.seen(),
        [
            sent(A, 1, &["how many?"]),
            sent(B, 1, &["count the files"]),
            Seen::Ran(call(B, 1), "ls".to_owned()),
            sent(B, 2, &["ls is done"]),
            sent(A, 2, &["there are three"]),
            Seen::Ended(A, End::Completed, "three files".to_owned()),
        ]
    );
}

/// Whether it was applied.
pub(crate) async fn apply(shard: &Shell, event: Event, text: &str) {
    let told = shard.tell(event, vec![text.to_owned()]).await;
    assert_eq!(told.expect("it runs"), Outcome::Applied);
}

/// Runs one life of a process: at its end everything that it had is gone.
pub(crate) fn life<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(life)
}

#[test]
fn shard_goes_on_where_it_was_when_its_process_is_gone() {
    let path = journal("gone");
    let before = World::of([says("", &[(Wish::Tool(Approval::Required), "rm -r")])]);
    life(async {
        let shard = start(&path, &before).await;
        apply(&shard, Event::TaskSubmitted { task: A, budget: Budget::default() }, "clean up").await;
        before.until(|seen| matches!(seen, Seen::Asked(..))).await;
        apply(&shard, Event::MessageReceived { task: A, message: MessageId(1) }, "keep the notes").await;
    });
    let after = World::of([says("", &[(DONE, "clean")])]);
    let question = QuestionId { task: A, number: 1 };
    let asked = Seen::Asked(question, About::Tool(call(A, 1)), "rm -r".to_owned());
    life(async {
        let shard = start(&path, &after).await;
        after.until(|seen| *seen == asked).await;
        let again = shard.tell(Event::MessageReceived { task: A, message: MessageId(1) }, vec![]).await;
        assert_eq!(again.expect("it runs"), Outcome::Ignored(Ignored::Duplicate));
        apply(&shard, yes(question), "").await;
        after.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
        shard.stop().await.expect("it stops");
    });
    assert_eq!(
        after.seen(),
        [
            asked,
            Seen::Ran(call(A, 1), "rm -r".to_owned()),
            sent(A, 2, &["rm -r is done", "keep the notes"]),
            Seen::Ended(A, End::Completed, "clean".to_owned()),
        ]
    );
}

#[test]
fn send_of_before_a_crash_is_asked_about_and_not_repeated() {
    let path = journal("send");
    let before = World::default();
    life(async {
        let shard = start(&path, &before).await;
        apply(&shard, Event::TaskSubmitted { task: A, budget: Budget::default() }, "go").await;
        before.until(|seen| *seen == sent(A, 1, &["go"])).await;
    });
    let after = World::of([says("", &[(DONE, "gone")])]);
    after.knows(says("", &[(DONE, "known")]));
    life(async {
        let _shard = start(&path, &after).await;
        after.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    });
    assert_eq!(after.seen(), [Seen::Ended(A, End::Completed, "known".to_owned())]);
}

#[tokio::test]
async fn adapter_that_panics_is_contained() {
    let world = World::of([says("boom", &[]), says("", &[(TOOL, "boom")]), says("", &[(DONE, "fine")])]);
    let shard = start(&journal("panics"), &world).await;
    apply(&shard, Event::TaskSubmitted { task: A, budget: Budget::default() }, "boom").await;
    world.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    assert_eq!(world.seen().last(), Some(&Seen::Ended(A, End::Completed, "fine".to_owned())));
}

#[tokio::test]
async fn second_process_is_refused_and_told_why() {
    let path = journal("second");
    let _first = start(&path, &World::default()).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let second = start(&path, &World::default()).await.join().await;
    let error = second.expect_err("the first lives").to_string();
    assert_eq!(error, "store, shard 0: another process writes to it; stop that one, or use another store");
}

#[tokio::test]
async fn tree_that_has_spent_its_budget_waits_for_a_person() {
    let world = World::of([
        charges(60, says("", &[(Wish::Subtask, "count the files")])),
        charges(60, says("", &[(TOOL, "ls")])),
        says("", &[(DONE, "there are three")]),
        says("", &[(DONE, "three files")]),
    ]);
    let shard = start(&journal("budget"), &world).await;
    let budget = Budget { tokens: 100, ..Budget::default() };
    assert_eq!(shard.submit("how many?".to_owned(), budget).await.expect("it runs"), A);
    let question = QuestionId { task: A, number: 1 };
    let asked =
        Seen::Asked(question, About::Budget, "The budget is spent. Shall it have as much again?".to_owned());
    world.until(|seen| *seen == asked).await;
    world.until(|seen| matches!(seen, Seen::Ran(..))).await;
    assert_eq!(
        shard.tell(Event::PauseRequested { task: B }, vec![]).await.expect("it runs"),
        Outcome::Applied
    );
    assert!(!world.seen().contains(&sent(B, 2, &["ls is done"])), "a turn began with an empty pot");
    apply(&shard, Event::ResumeRequested { task: B }, "").await;
    apply(&shard, yes(question), "").await;
    world.until(|seen| matches!(seen, Seen::Ended(A, End::Completed, _))).await;
    assert_eq!(world.seen().iter().filter(|seen| matches!(seen, Seen::Sent(..))).count(), 4);
}

#[tokio::test]
async fn response_of_a_shape_that_is_refused_is_asked_for_again() {
    let crowd = [(TOOL, "one"), (TOOL, "two"), (TOOL, "three")];
    let world = World::of([says("", &crowd), says("", &[(DONE, "fine")])]);
    let shard = start(&journal("shape"), &world).await;
    apply(&shard, Event::TaskSubmitted { task: A, budget: Budget::default() }, "go").await;
    world.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    let ended = Seen::Ended(A, End::Completed, "fine".to_owned());
    assert_eq!(world.seen(), [sent(A, 1, &["go"]), sent(A, 1, &["go"]), ended]);
}

#[test]
fn shards_share_the_work_and_stay_as_many_as_they_were() {
    let path = journal("shards");
    let world = World::of(std::iter::repeat_n(says("", &[(DONE, "fine")]), 9));
    life(async {
        let shell = start_shards(&path, &world, 3).await;
        let mut tasks = Vec::new();
        for _ in 0..9 {
            tasks.push(shell.submit("go".to_owned(), Budget::default()).await.expect("it runs").0);
        }
        tasks.sort_unstable();
        assert_eq!(tasks, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        for task in tasks.into_iter().map(TaskId) {
            world.until(|seen| matches!(seen, Seen::Ended(ended, ..) if *ended == task)).await;
        }
        shell.stop().await.expect("it stops");
    });
    let fewer = life(async { start_shards(&path, &world, 2).await.join().await });
    let told = fewer.expect_err("two are not three").to_string();
    assert!(told.contains("start with as many as the journal was written with"), "{told}");
}

#[test]
fn wait_of_before_a_crash_goes_on_where_it_was() {
    let path = journal("wait");
    let mut config = settings();
    config.kernel.backoff_ms = 600_000;
    let before = World::of([SendEnd::Failed(SendFailure::Transient)]);
    life(async {
        let shard = start_with(&path, &before, config).await;
        apply(&shard, Event::TaskSubmitted { task: A, budget: Budget::default() }, "go").await;
        before.until(|seen| *seen == sent(A, 1, &["go"])).await;
        // The failure is on record when what was told after it is.
        tokio::time::sleep(Duration::from_millis(50)).await;
        apply(&shard, Event::PauseRequested { task: A }, "").await;
        apply(&shard, Event::ResumeRequested { task: A }, "").await;
    });
    let after = World::of([says("", &[(DONE, "gone")])]);
    life(async {
        let _shard = start_with(&path, &after, config).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    assert_eq!(after.seen(), [], "the whole wait is not over yet");
    after.pass_ms(700_000);
    life(async {
        let _shard = start_with(&path, &after, config).await;
        after.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    });
}
