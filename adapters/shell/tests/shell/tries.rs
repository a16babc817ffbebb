//! Tasks that are tried again: each attempt is a root of its own, and people hear of one end, under the id that the submission gave.

use crate::cuts::lines;
use crate::stage::{Seen, World, charges, journal, says, settings, start_with, yes};
use crate::story::{A, DONE, apply, life, sent};
use downbeat_kernel::{
    About, Answer, Approval, Attempt, AttemptNumber, Budget, Event, Ignored, MessageId, Outcome, QuestionId,
    Reason, Rejected, RequestId, RequestReason, Response, RetryEnd, RetryReason, SendFailure, TaskId,
    TurnNumber,
};
use downbeat_shell::{SendEnd, Shell, ShellConfig, Wish};
use std::path::Path;
use std::time::Duration;

pub(crate) const B: TaskId = TaskId(2);
const C: TaskId = TaskId(3);

/// Longer than a test.
const LONG_MS: u32 = 600_000;

/// A request of which two sends fail, and with it its attempt.
pub(crate) const FAILED: [SendEnd; 2] =
    [SendEnd::Failed(SendFailure::Transient), SendEnd::Failed(SendFailure::Transient)];

const REFUSED: SendEnd = SendEnd::Failed(SendFailure::Invalid);

/// Three attempts, a millisecond between them, and snapshots whenever there is time.
fn tried() -> ShellConfig {
    let mut config = ShellConfig { attempts: true, snapshot_every: 1, ..settings() };
    config.kernel.task_backoff_ms = 1;
    config
}

/// The same, and each wait between two attempts outlives the test.
fn patient() -> ShellConfig {
    let mut config = tried();
    (config.kernel.task_backoff_ms, config.kernel.backoff_ms_max) = (LONG_MS, LONG_MS);
    config
}

pub(crate) async fn submit(shell: &Shell) -> TaskId {
    shell.submit("go".to_owned(), Budget::default()).await.expect("it runs")
}

pub(crate) async fn tell(shell: &Shell, event: Event) -> Outcome {
    shell.tell(event, vec!["a word".to_owned()]).await.expect("it runs")
}

/// Waits until a line of the journal says so.
async fn until_line(path: &Path, text: &str) {
    while !lines(path).await.iter().any(|line| line.contains(text)) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn ends(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| matches!(seen, Seen::Tried(..) | Seen::Ended(..))).collect()
}

/// Waits until people have heard of an end, and a moment more, in which they could hear of another one.
pub(crate) async fn end(world: &World) -> Seen {
    world.until(|seen| matches!(seen, Seen::Tried(..) | Seen::Ended(..))).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let seen = world.seen();
    assert_eq!(ends(&seen).len(), 1, "S24: {seen:?}");
    ends(&seen)[0].clone()
}

pub(crate) fn completed(attempt: u32, text: &str) -> Seen {
    Seen::Tried(A, RetryEnd::Completed { attempt: AttemptNumber(attempt) }, text.to_owned())
}

fn cancelled() -> Seen {
    Seen::Tried(A, RetryEnd::Cancelled, String::new())
}

#[tokio::test]
async fn task_is_tried_again_as_long_as_that_may_help() {
    type Case = (&'static str, Vec<SendEnd>, Vec<Seen>, Seen, Option<RequestReason>);
    let fails = |times: usize| FAILED.into_iter().cycle().take(2 * times);
    let fine = || says("", &[(DONE, "fine")]);
    let failed = |reason| Seen::Tried(A, RetryEnd::Failed(reason), String::new());
    let sends = |tasks: &[TaskId]| tasks.iter().map(|task| sent(*task, 1, &["go"])).collect::<Vec<_>>();
    #[rustfmt::skip]
    let cases: [Case; 4] = [
        ("at once",   vec![fine()],                         sends(&[A]),                completed(1, "fine"),           None),
        ("again",     fails(1).chain([fine()]).collect(),   sends(&[A, A, B]),          completed(2, "fine"),           None),
        ("too often", fails(3).chain([fine()]).collect(),   sends(&[A, A, B, B, C, C]), failed(RetryReason::Exhausted), Some(RequestReason::AttemptsExhausted)),
        ("for good",  vec![REFUSED, fine()],                sends(&[A]),                failed(RetryReason::Permanent), Some(RequestReason::Invalid)),
    ];
    for (name, script, sends, told, reason) in cases {
        let world = World::of(script);
        let shell = start_with(&journal(&format!("tries-{name}")), &world, tried()).await;
        assert_eq!(submit(&shell).await, A);
        assert_eq!(end(&world).await, told, "{name}");
        let mut expected = sends;
        expected.push(told);
        assert_eq!(world.seen(), expected, "{name}");
        assert_eq!(world.reasons(), Vec::from_iter(reason.map(Reason::Request)), "{name}");
        // Nothing of it is left: the next task is the next number, and this one is over.
        assert_eq!(
            tell(&shell, Event::CancelRequested { task: A }).await,
            Outcome::Ignored(Ignored::Terminal)
        );
        shell.stop().await.expect("it stops");
    }
}

/// What the first attempt was asked is answered when the second runs.
#[tokio::test]
async fn report_of_an_attempt_that_is_over_comes_late_and_is_nobodys() {
    let world = World::of(FAILED.into_iter().chain([says("", &[(Wish::Question, "how?")])]));
    let shell = start_with(&journal("tries-late"), &world, tried()).await;
    submit(&shell).await;
    let question = QuestionId { task: B, number: 1 };
    world.until(|seen| matches!(seen, Seen::Asked(of, ..) if *of == question)).await;
    let request = RequestId { task: A, turn: TurnNumber(1), attempt: Attempt(1) };
    let late = Event::ResponseEnded { request, response: Response::Text, jitter_ms: 0 };
    assert_eq!(tell(&shell, late).await, Outcome::Ignored(Ignored::Terminal));
    assert_eq!(ends(&world.seen()), [] as [&Seen; 0]);
    apply(&shell, Event::CancelRequested { task: A }, "").await;
    assert_eq!(end(&world).await, cancelled());
}

/// Nothing is heard of it for longer than it should take: it is asked how it stands, and waited for.
#[tokio::test]
async fn attempt_that_takes_long_is_asked_about_and_not_made_again() {
    let world = World::of([says("", &[(Wish::Question, "how?")]), says("", &[(DONE, "fine")])]);
    let (path, mut config) = (journal("tries-slow"), tried());
    config.kernel.attempt_ms = 5;
    let shell = start_with(&path, &world, config).await;
    submit(&shell).await;
    let question = QuestionId { task: A, number: 1 };
    world.until(|seen| matches!(seen, Seen::Asked(..))).await;
    until_line(&path, "StillRunning").await;
    apply(&shell, Event::AnswerReceived { question, answer: Answer::Text }, "so").await;
    assert_eq!(end(&world).await, completed(1, "fine"));
}

/// By the id that the submission gave, whatever the attempt is called that runs.
#[tokio::test]
async fn task_is_cancelled_by_its_name_wherever_its_attempts_stand() {
    let fails = || FAILED.to_vec();
    let again = || FAILED.into_iter().chain([says("", &[(Wish::Question, "how?")])]).collect();
    let asks = vec![says("", &[(Wish::Question, "how?")])];
    let waits = |world: World, sends: usize| async move {
        while world.seen().len() < sends {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    #[rustfmt::skip]
    let cases: [(&str, Vec<SendEnd>, ShellConfig, usize, TaskId); 4] = [
        ("first",    asks,    patient(), 2, A),
        ("waits",    fails(), patient(), 2, A),
        ("second",   again(), tried(),   4, A),
        ("attempt",  again(), tried(),   4, B),
    ];
    for (name, script, config, seen, by) in cases {
        let world = World::of(script);
        let shell = start_with(&journal(&format!("tries-cancel-{name}")), &world, config).await;
        submit(&shell).await;
        waits(world.clone(), seen).await;
        apply(&shell, Event::CancelRequested { task: by }, "").await;
        assert_eq!(end(&world).await, cancelled(), "{name}");
        assert_eq!(world.seen().len(), seen + 1, "S19: {name}");
        shell.stop().await.expect("it stops");
    }
}

/// Duty 9: told to the tree alone, it would be the end of an attempt, and the next one would begin with a full pot.
#[tokio::test]
async fn no_to_more_is_a_no_to_the_task() {
    let world = World::of([charges(60, says("", &[(Wish::Tool(Approval::Granted), "ls")]))]);
    let shell = start_with(&journal("tries-no"), &world, tried()).await;
    let budget = Budget { tokens: 50, ..Budget::default() };
    shell.submit("go".to_owned(), budget).await.expect("it runs");
    let question = QuestionId { task: A, number: 1 };
    world.until(|seen| matches!(seen, Seen::Asked(_, About::Budget, _))).await;
    apply(&shell, Event::AnswerReceived { question, answer: Answer::Denied }, "").await;
    assert_eq!(end(&world).await, cancelled());
    let sends = world.seen().into_iter().filter(|seen| matches!(seen, Seen::Sent(..)));
    assert_eq!(sends.count(), 1, "S19");
}

/// And a no to anything else is one to the attempt, which goes on with it.
#[tokio::test]
async fn no_to_a_tool_is_told_to_the_model() {
    let world = World::of([
        says("", &[(Wish::Tool(Approval::Required), "rm")]),
        says("", &[(DONE, "nothing is removed")]),
    ]);
    let shell = start_with(&journal("tries-denied"), &world, tried()).await;
    submit(&shell).await;
    world.until(|seen| matches!(seen, Seen::Asked(..))).await;
    let question = QuestionId { task: A, number: 1 };
    apply(&shell, Event::AnswerReceived { question, answer: Answer::Denied }, "no").await;
    assert_eq!(end(&world).await, completed(1, "nothing is removed"));
}

/// What is written, paused and resumed under the name of a task is so at the attempt that runs.
#[tokio::test]
async fn people_reach_the_attempt_that_runs_by_the_name_of_the_task() {
    let asks = says("", &[(Wish::Tool(Approval::Required), "rm")]);
    let world = World::of(FAILED.into_iter().chain([asks, says("", &[(DONE, "fine")])]));
    let shell = start_with(&journal("tries-name"), &world, tried()).await;
    submit(&shell).await;
    world.until(|seen| matches!(seen, Seen::Asked(..))).await;
    apply(&shell, Event::MessageReceived { task: A, message: MessageId(1) }, "but not this").await;
    // The id of the attempt is no task's that somebody has submitted.
    let submitted = |task| Event::TaskSubmitted { task, budget: Budget::default() };
    let refused = Outcome::Rejected(Rejected::IdNotFresh { highest: B, got: B });
    assert_eq!(tell(&shell, submitted(B)).await, refused);
    assert_eq!(tell(&shell, submitted(A)).await, Outcome::Ignored(Ignored::Duplicate));
    apply(&shell, Event::PauseRequested { task: A }, "").await;
    apply(&shell, yes(QuestionId { task: B, number: 1 }), "").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ends(&world.seen()), [] as [&Seen; 0], "it is paused");
    apply(&shell, Event::ResumeRequested { task: A }, "").await;
    assert_eq!(end(&world).await, completed(2, "fine"));
    assert!(world.seen().contains(&sent(B, 2, &["rm is done", "but not this"])), "{:?}", world.seen());
}

/// There is room for one task, and another has it when the second attempt is due: nobody begins with that, and the next one does.
#[tokio::test]
async fn attempt_for_which_the_tree_has_no_room_is_made_later() {
    let asks = says("", &[(Wish::Question, "how?")]);
    let world = World::of(FAILED.into_iter().chain([asks, says("", &[(DONE, "fine")])]));
    let (path, mut config) = (journal("tries-full"), tried());
    (config.kernel.tasks_max, config.kernel.task_attempts_max) = (1, 100);
    (config.kernel.task_backoff_ms, config.kernel.backoff_ms_max) = (100, 100);
    let shell = start_with(&path, &world, config).await;
    submit(&shell).await;
    // When the tree has forgotten the first attempt there is room.
    let other = loop {
        match shell.submit("go".to_owned(), Budget::default()).await {
            Ok(other) => break other,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    world.until(|seen| matches!(seen, Seen::Asked(question, ..) if question.task == other)).await;
    until_line(&path, "NeverStarted").await;
    apply(&shell, Event::CancelRequested { task: other }, "").await;
    world.until(|seen| matches!(seen, Seen::Tried(A, RetryEnd::Completed { .. }, _))).await;
    let told = world.seen();
    let Some(Seen::Tried(A, RetryEnd::Completed { attempt }, _)) = told.last() else { panic!("{told:?}") };
    assert!(attempt.0 > 2, "{attempt:?}");
}

#[test]
fn wait_between_two_attempts_goes_on_where_it_was_after_a_crash() {
    let path = journal("tries-wait");
    let before = World::of(FAILED);
    life(async {
        let shell = start_with(&path, &before, patient()).await;
        submit(&shell).await;
        while before.seen().len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // What follows the second failure is on record.
        tokio::time::sleep(Duration::from_millis(50)).await;
        shell.stop().await.expect("it stops");
    });
    let after = World::of([says("", &[(DONE, "fine")])]);
    life(async {
        let shell = start_with(&path, &after, patient()).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        shell.stop().await.expect("it stops");
    });
    assert_eq!(after.seen(), [], "the wait is not over yet");
    after.pass_ms(LONG_MS.into());
    life(async {
        let _shell = start_with(&path, &after, patient()).await;
        assert_eq!(end(&after).await, completed(2, "fine"));
    });
}
