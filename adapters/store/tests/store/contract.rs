//! What every store promises.

use crate::compaction::Others;
use crate::place::places;
use downbeat_store::{Batch, Lease, Position, ShardId, Snapshot, Store, StoreError, Trouble};

pub(crate) const SHARD: ShardId = ShardId(0);

pub(crate) fn batch(first: u64, lines: &[&str]) -> Batch {
    let mut batch = Batch::at(Position(first));
    for line in lines {
        batch.push(line);
    }
    batch
}

pub(crate) fn trouble<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Trouble {
    answer.expect_err("it fails").trouble
}

pub(crate) async fn lines(store: &dyn Store, from: u64) -> Vec<String> {
    lines_of(store, SHARD, from).await
}

pub(crate) async fn lines_of(store: &dyn Store, shard: ShardId, from: u64) -> Vec<String> {
    let batches = store.read(shard, Position(from), 1_000).await.expect("it is read");
    batches.iter().flat_map(Batch::lines).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_was_appended_is_there_when_it_is_opened_again() {
    for place in places("opened-again").await {
        let store = place.open().await;
        let opened = store.open(SHARD).await.expect("nobody has it");
        assert_eq!((opened.lease, opened.next), (Lease { shard: SHARD, epoch: 1 }, Position(1)));
        store.append(opened.lease, &batch(1, &["one", "two"])).await.expect("it is appended");
        store.append(opened.lease, &batch(3, &["three"])).await.expect("it is appended");
        store.close(opened.lease).await.expect("it is closed");
        drop(store);

        let store = place.open().await;
        let opened = store.open(SHARD).await.expect("nobody has it");
        assert_eq!((opened.lease.epoch, opened.next), (2, Position(4)));
        assert_eq!(lines(&*store, 1).await, ["one", "two", "three"]);
        assert_eq!(lines(&*store, 3).await, ["three"]);
        assert_eq!(lines(&*store, 4).await, Vec::<String>::new());
        assert_eq!(store.shards().await.expect("they are read"), [SHARD]);
    }
}

#[tokio::test]
async fn shard_has_one_writer() {
    for place in places("one-writer").await {
        let (one, other) = (place.open().await, place.open().await);
        let first = one.open(SHARD).await.expect("nobody has it");
        assert_eq!(trouble(other.open(SHARD).await), Trouble::Held);
        other.open(ShardId(1)).await.expect("another shard is another matter");

        one.close(first.lease).await.expect("it is given back");
        let second = other.open(SHARD).await.expect("nobody has it");
        let late = one.append(first.lease, &batch(1, &["late"])).await;
        assert_eq!(trouble(late), Trouble::Fenced { epoch: 1, newest: 2 });
        let late = one.keep(first.lease, &Snapshot { next: Position(1), form: 1, bytes: vec![] }).await;
        assert_eq!(trouble(late), Trouble::Fenced { epoch: 1, newest: 2 });
        let late = one.compact(first.lease, Position(1), &mut Others::by(vec![])).await;
        assert_eq!(trouble(late), Trouble::Fenced { epoch: 1, newest: 2 });
        other.append(second.lease, &batch(1, &["in time"])).await.expect("it is the writer");
        assert_eq!(lines(&*one, 1).await, ["in time"]);
    }
}

#[tokio::test]
async fn batch_goes_to_the_end_or_nowhere() {
    for place in places("misplaced").await {
        let store = place.open().await;
        let lease = store.open(SHARD).await.expect("nobody has it").lease;
        store.append(lease, &batch(1, &["one"])).await.expect("it is appended");
        for first in [1, 3] {
            let misplaced = store.append(lease, &batch(first, &["again"])).await;
            assert_eq!(trouble(misplaced), Trouble::Misplaced { at: Position(first) });
        }
        assert_eq!(lines(&*store, 1).await, ["one"]);
    }
}

#[tokio::test]
async fn as_much_is_read_at_once_as_is_asked_for() {
    for place in places("at-once").await {
        let store = place.open().await;
        let lease = store.open(SHARD).await.expect("nobody has it").lease;
        for first in [1, 4, 7, 10] {
            store.append(lease, &batch(first, &["a", "b", "c"])).await.expect("it is appended");
        }
        #[rustfmt::skip]
        let cases = [
            ("one at least",             1,  1,        vec![1]),
            ("a second begins in time",  1,  4,        vec![1, 4]),
            ("from the middle of one",   5,  1,        vec![4, 7]),
            ("all the rest",             4,  u64::MAX, vec![4, 7, 10]),
            ("the end",                  13, 100,      vec![]),
        ];
        for (name, from, lines_max, firsts) in cases {
            let batches = store.read(SHARD, Position(from), lines_max).await.expect("it is read");
            let read: Vec<_> = batches.iter().map(|batch| batch.first.0).collect();
            assert_eq!(read, firsts, "{name}");
        }
    }
}

#[tokio::test]
async fn snapshot_is_kept_and_a_damaged_one_is_none() {
    for place in places("snapshot").await {
        let store = place.open().await;
        let lease = store.open(SHARD).await.expect("nobody has it").lease;
        assert_eq!(store.snapshot(SHARD).await.expect("it is read"), None);
        for next in [Position(1), Position(7)] {
            let snapshot = Snapshot { next, form: 3, bytes: vec![1, 2, 3] };
            store.keep(lease, &snapshot).await.expect("it is kept");
            assert_eq!(store.snapshot(SHARD).await.expect("it is read"), Some(snapshot));
        }
        place.damage("UPDATE snapshots SET sum = sum + 1").await;
        assert_eq!(store.snapshot(SHARD).await.expect("it is read"), None);
    }
}

#[tokio::test]
async fn damage_is_told_with_its_place() {
    #[rustfmt::skip]
    let cases = [
        ("text",    "UPDATE journal SET text = 'twi' WHERE first = 3", "its checksum does not fit",   3),
        ("numbers", "UPDATE journal SET lines = 2 WHERE first = 3",    "its checksum does not fit",   3),
        ("gap",     "DELETE FROM journal WHERE first = 3",             "lines are missing before it", 3),
    ];
    for (name, statement, what, at) in cases {
        for place in places(&format!("damaged-{name}")).await {
            let store = place.open().await;
            let lease = store.open(SHARD).await.expect("nobody has it").lease;
            for (first, text) in [(1, "one"), (2, "two"), (3, "three"), (4, "four")] {
                store.append(lease, &batch(first, &[text])).await.expect("it is appended");
            }
            place.damage(statement).await;
            let read = store.read(SHARD, Position(1), 1_000).await;
            assert_eq!(trouble(read), Trouble::Damaged { what, at: Position(at) }, "{name}");
            assert_eq!(
                store.read(SHARD, Position(1), 2).await.expect("what comes before is whole").len(),
                2,
                "{name}"
            );
        }
    }
}
