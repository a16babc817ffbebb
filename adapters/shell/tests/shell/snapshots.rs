//! A shell that is started again finds the same with a snapshot, without one, and with one that is of no use.

use crate::stage::{Seen, World, journal, says, settings, start_with, yes};
use crate::story::{A, DONE, apply, call, life, sent};
use downbeat_kernel::{About, Approval, Budget, End, Event, MessageId, QuestionId};
use downbeat_shell::{ShellConfig, Wish};
use downbeat_store::{Position, ShardId, Snapshot, Sqlite, Store};
use std::path::Path;

const SHARD: ShardId = ShardId(0);

/// Snapshots whenever there is time for one.
fn often() -> ShellConfig {
    ShellConfig { snapshot_every: 1, ..settings() }
}

/// Waits until there is a snapshot, and gives it. What came while it was written is behind it.
async fn taken(path: &Path) -> Snapshot {
    let store = Sqlite::open_to_read(path).await.expect("it is there");
    loop {
        if let Some(snapshot) = store.snapshot(SHARD).await.expect("it is read") {
            return snapshot;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// A life that is over while a person is asked.
fn first_life(path: &Path) -> Snapshot {
    let world = World::of([says("", &[(Wish::Tool(Approval::Required), "rm -r")])]);
    life(async {
        let shell = start_with(path, &world, often()).await;
        apply(&shell, Event::TaskSubmitted { task: A, budget: Budget::default() }, "clean up").await;
        world.until(|seen| matches!(seen, Seen::Asked(..))).await;
        apply(&shell, Event::MessageReceived { task: A, message: MessageId(1) }, "keep the notes").await;
        taken(path).await
    })
}

/// Puts this in the place of the snapshot.
fn replace(path: &Path, snapshot: &Snapshot) {
    life(async {
        let store = Sqlite::open(path).await.expect("a store");
        let lease = store.open(SHARD).await.expect("nobody has it").lease;
        store.keep(lease, snapshot).await.expect("it is kept");
    });
}

#[test]
fn shell_goes_on_where_it_was_whatever_its_snapshot_is_worth() {
    type Change = fn(Snapshot) -> Snapshot;
    #[rustfmt::skip]
    let cases: [(&str, Change); 4] = [
        ("whole",      |snapshot| snapshot),
        ("newer",      |snapshot| Snapshot { form: snapshot.form + 1, ..snapshot }),
        ("unreadable", |snapshot| Snapshot { bytes: vec![0xff; 20], ..snapshot }),
        ("empty",      |snapshot| Snapshot { bytes: vec![], ..snapshot }),
    ];
    let question = QuestionId { task: A, number: 1 };
    let asked = Seen::Asked(question, About::Tool(call(A, 1)), "rm -r".to_owned());
    for (name, change) in cases {
        let path = journal(&format!("snapshot-{name}"));
        replace(&path, &change(first_life(&path)));
        let world = World::of([says("", &[(DONE, "clean")])]);
        life(async {
            let shell = start_with(&path, &world, often()).await;
            world.until(|seen| *seen == asked).await;
            apply(&shell, yes(question), "").await;
            world.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
            shell.stop().await.expect("it stops");
        });
        let after = [
            asked.clone(),
            Seen::Ran(call(A, 1), "rm -r".to_owned()),
            sent(A, 2, &["rm -r is done", "keep the notes"]),
            Seen::Ended(A, End::Completed, "clean".to_owned()),
        ];
        assert_eq!(world.seen(), after, "{name}");
    }
}

#[test]
fn snapshot_without_the_end_of_its_journal_is_told() {
    let path = journal("ahead");
    let snapshot = first_life(&path);
    replace(&path, &Snapshot { next: Position(1_000), ..snapshot });
    let ended = life(async { start_with(&path, &World::default(), often()).await.join().await });
    let told = ended.expect_err("lines are lost").to_string();
    assert!(told.contains("and its snapshot before position 1000: lines are lost"), "{told}");
}

#[test]
fn what_is_over_leaves_the_journal() {
    let path = journal("over");
    let world = World::of(std::iter::repeat_n(says("", &[(DONE, "fine")]), 40));
    life(async {
        let shell = start_with(&path, &world, often()).await;
        for _ in 0..40 {
            let task = shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
            world.until(|seen| matches!(seen, Seen::Ended(ended, ..) if *ended == task)).await;
        }
        shell.stop().await.expect("it stops");
        let store = Sqlite::open_to_read(&path).await.expect("it is there");
        let batches = store.read(SHARD, Position(1), 10_000).await.expect("it is read");
        let lines: u64 = batches.iter().map(|batch| batch.lines).sum();
        let next = batches.last().map(|batch| batch.next).expect("there is something");
        assert!(next >= Position(280) && lines < 140, "{lines} lines are left before {next:?}");
        // Numbers are not given again.
        let shell = start_with(&path, &world, often()).await;
        let task = shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
        assert_eq!(task.0, 41);
    });
}
