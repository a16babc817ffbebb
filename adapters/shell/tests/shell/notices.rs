//! The end of a root: people hear of it at least once, under one number, and the tree forgets it when the outbox has it.

use crate::stage::{Seen, World, journal, says, settings};
use crate::story::{A, DONE, apply, life};
use downbeat_kernel::{
    Answer, Budget, Conclusion, Event, Ignored, News, NotificationNumber, Outcome, QuestionId, TaskId,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{Doing, Notification, Notifier, Ports, Shell, ShellConfig, Wish};
use downbeat_store::{Sqlite, Store};
use std::future::{pending, ready};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a notification.
#[derive(Clone, Copy)]
enum Way {
    Comes,
    /// It could not be sent.
    Fails,
    /// Nobody hears whether it came.
    Unheard,
    Panics,
}

/// A receiver to whom notifications come by these ways, and then always.
#[derive(Clone, Default)]
struct Receiver {
    ways: Arc<Mutex<Vec<Way>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Told(TaskId, NotificationNumber, News, String),
    GivenUp(TaskId, NotificationNumber),
}

fn told(text: &str) -> Heard {
    Heard::Told(A, NotificationNumber(1), News::Concluded(Conclusion::Completed), text.to_owned())
}

/// Longer than an answer takes to be on record.
const PATIENCE_MS: u32 = 100;

/// Longer than a test.
const LONG_MS: u32 = 600_000;

const GIVEN_UP: Heard = Heard::GivenUp(A, NotificationNumber(1));

impl Receiver {
    fn of(ways: &[Way]) -> Self {
        let receiver = Self::default();
        receiver.ways.lock().expect("no panic").extend(ways.iter().rev());
        receiver
    }

    fn hear(&self, heard: Heard) {
        self.heard.lock().expect("no panic").push(heard);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic").clone()
    }

    async fn until(&self, notices: usize) {
        while self.heard().len() < notices {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Notifier for Receiver {
    fn notify(&self, notification: Notification) -> Doing<bool> {
        let Notification { task, number, news, text, .. } = notification;
        self.hear(Heard::Told(task, number, news, text.to_string()));
        let way = self.ways.lock().expect("no panic").pop();
        match way {
            Some(Way::Comes) | None => Box::pin(ready(true)),
            Some(Way::Fails) => Box::pin(ready(false)),
            Some(Way::Unheard) => Box::pin(pending()),
            Some(Way::Panics) => Box::pin(async { panic!("on purpose") }),
        }
    }

    fn undelivered(&self, notification: Notification) -> Doing<()> {
        self.hear(Heard::GivenUp(notification.task, notification.number));
        Box::pin(ready(()))
    }
}

/// A shell that says a thing twice before it gives it up, and waits so long after the first time.
async fn start(path: &Path, world: &World, receiver: &Receiver, backoff_ms: u32) -> Shell {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    let mut config = ShellConfig { snapshot_every: 2, ..settings() };
    (config.kernel.notification_backoff_ms, config.kernel.notification_attempts_max) = (backoff_ms, 2);
    let ports = Ports { notifier: Arc::new(receiver.clone()), ..world.ports() };
    Shell::start(&Rt::new(Tokio::current()), config, &store, &ports)
}

/// Each question of the model is a notification, and so is each that a subtask asks; the end comes after them, also if they
/// have not come yet.
#[tokio::test]
async fn progress_is_numbered_and_comes_before_the_end() {
    let world = World::of([
        says("", &[(Wish::Subtask, "count the files"), (Wish::Question, "which folder?")]),
        says("", &[(Wish::Question, "all of them?")]),
        says("", &[(DONE, "three")]),
        says("", &[(DONE, "three files")]),
    ]);
    let receiver = Receiver::of(&[Way::Comes, Way::Fails]);
    let shell = start(&journal("notice-progress"), &world, &receiver, PATIENCE_MS).await;
    shell.submit("how many?".to_owned(), Budget::default()).await.expect("it runs");
    for (task, text) in [(A, "which folder?"), (TaskId(2), "all of them?")] {
        let question = QuestionId { task, number: 1 };
        world
            .until(|seen| matches!(seen, Seen::Asked(of, _, words) if *of == question && words == text))
            .await;
        apply(&shell, Event::AnswerReceived { question, answer: Answer::Text }, "yes").await;
    }
    receiver.until(4).await;
    let told = |number, news, text: &str| Heard::Told(A, NotificationNumber(number), news, text.to_owned());
    let heard = receiver.heard();
    let mut texts = [&heard[0], &heard[1]].map(|heard| match heard {
        Heard::Told(A, number, News::Progress, text) => (number.0, text.as_str()),
        Heard::Told(..) | Heard::GivenUp(..) => panic!("{heard:?}"),
    });
    assert_eq!([texts[0].0, texts[1].0], [1, 2]);
    texts.sort_unstable_by_key(|(_, text)| *text);
    assert_eq!(texts.map(|(_, text)| text), ["all of them?", "which folder?"]);
    assert_eq!(heard[2], heard[1], "it is said again under its number");
    assert_eq!(heard[3], told(3, News::Concluded(Conclusion::Completed), "three files"));
    shell.stop().await.expect("it stops");
}

/// What is asked when the process is gone is said again, and the end has the last number.
#[test]
fn progress_that_nobody_has_acknowledged_keeps_its_words_over_a_crash() {
    let (path, unheard, after) =
        (journal("notice-asked"), Receiver::of(&[Way::Unheard]), Receiver::default());
    let question = QuestionId { task: A, number: 1 };
    life(async {
        let world = World::of([says("", &[(Wish::Question, "which folder?")])]);
        let shell = start(&path, &world, &unheard, LONG_MS).await;
        shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
        unheard.until(1).await;
    });
    life(async {
        let shell = start(&path, &world(), &after, LONG_MS).await;
        after.until(2).await;
        apply(&shell, Event::AnswerReceived { question, answer: Answer::Text }, "this one").await;
        after.until(3).await;
        shell.stop().await.expect("it stops");
    });
    let asks =
        |number| Heard::Told(A, NotificationNumber(number), News::Progress, "which folder?".to_owned());
    let end = News::Concluded(Conclusion::Completed);
    let ended = Heard::Told(A, NotificationNumber(3), end, "fine".to_owned());
    assert_eq!(unheard.heard(), [asks(1)]);
    assert_eq!(after.heard(), [asks(1), asks(2), ended]);
}

fn world() -> World {
    World::of([says("", &[(DONE, "fine")])])
}

#[tokio::test]
async fn end_is_told_until_somebody_has_it_and_no_longer() {
    use Way::{Comes, Fails, Panics, Unheard};
    #[rustfmt::skip]
    let cases: [(&str, &[Way], Vec<Heard>); 5] = [
        ("comes",    &[Comes],                  vec![told("fine")]),
        ("fails",    &[Fails, Comes],           vec![told("fine"), told("fine")]),
        ("panics",   &[Panics, Comes],          vec![told("fine"), told("fine")]),
        ("unheard",  &[Unheard, Comes],         vec![told("fine"), told("fine")]),
        ("given up", &[Unheard, Unheard, Fails, Comes], vec![told("fine"), told("fine"), GIVEN_UP, told("fine"), GIVEN_UP, told("fine")]),
    ];
    for (name, ways, heard) in cases {
        let (world, receiver) = (world(), Receiver::of(ways));
        let shell = start(&journal(&format!("notice-{name}")), &world, &receiver, PATIENCE_MS).await;
        shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
        receiver.until(heard.len()).await;
        tokio::time::sleep(Duration::from_millis(u64::from(PATIENCE_MS) * 3)).await;
        assert_eq!(receiver.heard(), heard, "{name}");
        shell.stop().await.expect("it stops");
    }
}

#[test]
fn end_that_nobody_has_acknowledged_is_told_again_after_a_restart_and_one_that_somebody_has_is_not() {
    let (path, unheard, again, after) =
        (journal("notice-restart"), Receiver::of(&[Way::Unheard]), Receiver::default(), Receiver::default());
    life(async {
        let shell = start(&path, &world(), &unheard, LONG_MS).await;
        shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
        unheard.until(1).await;
        // The tree has forgotten it: what people are told is in the outbox.
        let ended = Event::EndAcknowledged { task: A };
        let acknowledged = shell.tell(ended, vec![]).await.expect("it runs");
        assert_eq!(acknowledged, Outcome::Ignored(Ignored::Terminal));
    });
    life(async {
        let shell = start(&path, &World::default(), &again, LONG_MS).await;
        again.until(1).await;
        // What is acknowledged after the mailbox was sealed is sent again.
        tokio::time::sleep(Duration::from_millis(u64::from(PATIENCE_MS))).await;
        shell.stop().await.expect("it stops");
    });
    assert_eq!(again.heard(), [told("fine")]);
    life(async {
        let world = World::of([says("", &[(DONE, "the next")])]);
        let shell = start(&path, &world, &after, LONG_MS).await;
        let next = shell.submit("go on".to_owned(), Budget::default()).await.expect("it runs");
        after.until(1).await;
        assert_eq!(next, TaskId(2));
        shell.stop().await.expect("it stops");
    });
    let next = News::Concluded(Conclusion::Completed);
    assert_eq!(after.heard(), [Heard::Told(TaskId(2), NotificationNumber(1), next, "the next".to_owned())]);
}
