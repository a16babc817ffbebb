//! What every store promises.

use crate::place::places;
use downbeat_store::{Batch, Lease, Position, Rewriting, ShardId, Snapshot, Store, StoreError, Trouble};

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
    let batches = store.read(SHARD, Position(from), 1_000).await.expect("it is read");
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

/// Puts these in place of the batches of a journal: so many with each that it takes, and the rest in the end.
struct Others {
    with_each: Vec<Vec<Batch>>,
    taken: Vec<Position>,
    rest: Result<Vec<Batch>, StoreError>,
}

impl Others {
    fn by(rest: Vec<Batch>) -> Self {
        Self { with_each: Vec::new(), taken: Vec::new(), rest: Ok(rest) }
    }
}

impl Rewriting for Others {
    fn take(&mut self, batch: &Batch) -> Result<Vec<Batch>, StoreError> {
        self.taken.push(batch.first);
        Ok(self.with_each.pop().unwrap_or_default())
    }

    fn rest(&mut self) -> Result<Vec<Batch>, StoreError> {
        std::mem::replace(&mut self.rest, Ok(Vec::new()))
    }
}

fn until(next: u64, batch: Batch) -> Batch {
    Batch { next: Position(next), ..batch }
}

#[tokio::test]
async fn compacted_journal_goes_on_where_it_was() {
    for place in places("compacted").await {
        let store = place.open().await;
        let lease = store.open(SHARD).await.expect("nobody has it").lease;
        // More batches than are in memory at once.
        for first in (1..100).step_by(2) {
            store.append(lease, &batch(first, &["one", "two"])).await.expect("it is appended");
        }
        let mut others = Others::by(vec![until(91, batch(3, &["two of the rest"]))]);
        others.with_each = vec![vec![batch(1, &["of", "the first"])]];
        store.compact(lease, Position(91), &mut others).await.expect("it is compacted");
        assert_eq!(others.taken, (1..91).step_by(2).map(Position).collect::<Vec<_>>());
        store.append(lease, &batch(101, &["the last"])).await.expect("it is appended");
        let rest = ["one", "two"].into_iter().cycle().take(10);
        let all: Vec<_> =
            ["of", "the first", "two of the rest"].into_iter().chain(rest).chain(["the last"]).collect();
        assert_eq!(lines(&*store, 1).await, all);
    }
}

#[tokio::test]
async fn compaction_that_comes_to_nothing_leaves_the_journal_as_it_was() {
    let at = |at| Trouble::Misplaced { at: Position(at) };
    let to = |next, first, text| vec![until(next, batch(first, &[text]))];
    let damaged = Trouble::Damaged { what: "on purpose", at: Position(2) };
    #[rustfmt::skip]
    let cases = [
        ("ends inside of a batch",    2,  vec![],            Ok(to(2, 1, "half")),  at(2)),
        ("ends behind the journal",   50, vec![],            Ok(to(50, 1, "more")), at(50)),
        ("leaves positions out",      41, vec![],            Ok(to(41, 2, "late")), at(2)),
        ("ends too early",            41, vec![],            Ok(to(40, 1, "some")), at(40)),
        ("ends too late",             41, vec![],            Ok(to(42, 1, "all!")), at(1)),
        ("is where others are still", 41, to(41, 1, "soon"), Ok(vec![]),            at(1)),
        ("gives up",                  41, vec![],            Err(damaged),          damaged),
    ];
    let words: Vec<_> = (1..=40).map(|line| format!("line {line}")).collect();
    for (name, end, with_first, rest, why) in cases {
        for place in places(&format!("compacted-{name}").replace(' ', "-")).await {
            let store = place.open().await;
            let lease = store.open(SHARD).await.expect("nobody has it").lease;
            store.append(lease, &batch(1, &[&words[0], &words[1]])).await.expect("it is appended");
            for (line, first) in words.iter().zip(1..).skip(2) {
                store.append(lease, &batch(first, &[line])).await.expect("it is appended");
            }
            let rest = rest.clone().map_err(|trouble: Trouble| trouble.of(SHARD));
            let mut others = Others { with_each: vec![with_first.clone()], taken: vec![], rest };
            assert_eq!(trouble(store.compact(lease, Position(end), &mut others).await), why, "{name}");
            assert_eq!(lines(&*store, 1).await, words, "{name}");
            store.append(lease, &batch(41, &["it goes on"])).await.expect("it does");
        }
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
