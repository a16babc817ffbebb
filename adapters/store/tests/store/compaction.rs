//! What every store promises of a compaction.

use crate::contract::{SHARD, batch, lines, lines_of, trouble};
use crate::place::places;
use downbeat_store::{Batch, Lease, Pending, Position, Rewriting, ShardId, Store, StoreError, Trouble};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

/// Puts these in place of the batches of a journal: so many with each that it takes, and the rest in the end.
pub(crate) struct Others {
    with_each: Vec<Vec<Batch>>,
    taken: Vec<Position>,
    rest: Result<Vec<Batch>, StoreError>,
}

impl Others {
    pub(crate) fn by(rest: Vec<Batch>) -> Self {
        Self { with_each: Vec::new(), taken: Vec::new(), rest: Ok(rest) }
    }

    /// Whether it was asked for the rest.
    fn is_over(&self) -> bool {
        self.rest.as_ref().is_ok_and(Vec::is_empty)
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

pub(crate) fn until(next: u64, batch: Batch) -> Batch {
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
            let mut others = Others { with_each: vec![with_first.clone()], rest, ..Others::by(vec![]) };
            assert_eq!(trouble(store.compact(lease, Position(end), &mut others).await), why, "{name}");
            assert_eq!(lines(&*store, 1).await, words, "{name}");
            store.append(lease, &batch(41, &["it goes on"])).await.expect("it does");
        }
    }
}

/// Goes on with a compaction until it has waited so often for its database, and then no more: `None` if it is not over by then.
async fn goes_on(compacting: Pending<'_, ()>, mut waits: u32) -> Option<Result<(), StoreError>> {
    let mut compacting = compacting;
    poll_fn(|cx| match compacting.as_mut().poll(cx) {
        Poll::Ready(compacted) => Poll::Ready(Some(compacted)),
        Poll::Pending if waits == 0 => Poll::Ready(None),
        Poll::Pending => {
            waits -= 1;
            Poll::Pending
        }
    })
    .await
}

/// A journal of one line in a batch, more than are in memory at once, and its lines.
async fn forty(store: &dyn Store, shard: ShardId) -> (Lease, Vec<String>) {
    let lease = store.open(shard).await.expect("nobody has it").lease;
    let lines: Vec<_> = (1..=40).map(|line| format!("line {line} of {}", shard.0)).collect();
    for (line, first) in lines.iter().zip(1..) {
        store.append(lease, &batch(first, &[line])).await.expect("it is appended");
    }
    (lease, lines)
}

/// Replaces the first 30 lines of a journal by one.
fn less() -> Others {
    Others::by(vec![until(31, batch(1, &["thirty lines"]))])
}

fn with_less(lines: &[String]) -> Vec<String> {
    ["thirty lines".to_owned()].into_iter().chain(lines[30..].iter().cloned()).collect()
}

/// A compaction waits less often for its database than this.
const WAITS_MAX: u32 = 1_000;

#[tokio::test]
async fn compaction_that_is_dropped_leaves_the_journal_as_it_was() {
    for place in places("dropped").await {
        let store = place.open().await;
        let (lease, mut words) = forty(&*store, SHARD).await;
        let (mut is_compacted, mut may_be_over) = (false, false);
        for waits in 0..WAITS_MAX {
            let mut others = less();
            let over = goes_on(store.compact(lease, Position(31), &mut others), waits).await;
            place.rests().await;
            let there = lines(&*store, 1).await;
            is_compacted = there == with_less(&words);
            if is_compacted {
                // It is over, or the end of it, or of the one before, was on the way when that was dropped.
                assert!(may_be_over || others.is_over(), "{over:?}");
                break;
            }
            assert_eq!((over.is_none(), there), (true, words.clone()), "after {waits} waits");
            may_be_over = others.is_over();
            if waits == 0 {
                store.append(lease, &batch(41, &["it goes on"])).await.expect("it does");
                words.push("it goes on".to_owned());
            }
        }
        assert!(is_compacted, "it was never over");
        store.append(lease, &batch(42, &["and on"])).await.expect("it does");
        words.push("and on".to_owned());
        assert_eq!(lines(&*store, 1).await, with_less(&words));
    }
}

/// Gives up with a panic when it is asked for more than so many.
struct Panics(u32);

impl Rewriting for Panics {
    fn take(&mut self, _: &Batch) -> Result<Vec<Batch>, StoreError> {
        self.0 = self.0.checked_sub(1).expect("a panic on purpose");
        Ok(Vec::new())
    }

    fn rest(&mut self) -> Result<Vec<Batch>, StoreError> {
        Ok(Vec::new())
    }
}

/// Half of its lines are gone by then.
#[tokio::test]
async fn compaction_that_ends_half_way_leaves_the_journal_as_it_was() {
    for place in places("half-way").await {
        let store: Arc<dyn Store> = Arc::from(place.open().await);
        let (lease, words) = forty(&*store, SHARD).await;
        let compacting = Arc::clone(&store);
        let half = async move { compacting.compact(lease, Position(31), &mut Panics(20)).await };
        let ended = tokio::spawn(half).await.expect_err("it has panicked");
        assert!(ended.is_panic(), "{ended}");
        place.rests().await;
        assert_eq!(lines(&*store, 1).await, words);
        store.append(lease, &batch(41, &["it goes on"])).await.expect("it does");
    }
}

#[tokio::test]
async fn what_is_appended_beside_a_compaction_is_there_in_order() {
    for place in places("beside").await {
        let store = place.open().await;
        let (lease, mut words) = forty(&*store, SHARD).await;
        let later: Vec<_> = (41..=60).map(|line| format!("line {line}")).collect();
        let appends = async {
            for (line, first) in later.iter().zip(41..) {
                store.append(lease, &batch(first, &[line])).await?;
            }
            Ok::<_, StoreError>(())
        };
        let mut others = less();
        let (compacted, appended) = tokio::join!(store.compact(lease, Position(31), &mut others), appends);
        compacted.expect("it is compacted");
        appended.expect("all are appended");
        words.extend(later);
        assert_eq!(lines(&*store, 1).await, with_less(&words));
    }
}

#[tokio::test]
async fn whoever_has_lost_the_shard_compacts_nothing() {
    for place in places("compacted-late").await {
        let (one, other) = (place.open().await, place.open().await);
        let (first, words) = forty(&*one, SHARD).await;
        one.close(first).await.expect("it is given back");
        let second = other.open(SHARD).await.expect("nobody has it").lease;
        let mut late = less();
        let compacted = one.compact(first, Position(31), &mut late).await;
        assert_eq!(trouble(compacted), Trouble::Fenced { epoch: 1, newest: 2 });
        assert_eq!((late.taken, lines(&*other, 1).await), (vec![], words.clone()));
        other.compact(second, Position(31), &mut less()).await.expect("it is the writer");
        assert_eq!(lines(&*one, 1).await, with_less(&words));
    }
}

#[tokio::test]
async fn shards_beside_each_other_are_compacted_apart() {
    for place in places("compacted-apart").await {
        let store = place.open().await;
        let (one, words) = forty(&*store, SHARD).await;
        let (other, others) = forty(&*store, ShardId(1)).await;
        store.compact(one, Position(31), &mut less()).await.expect("it is compacted");
        assert_eq!(lines(&*store, 1).await, with_less(&words));
        assert_eq!(lines_of(&*store, ShardId(1), 1).await, others);
        let (mut left, mut right) = (Others::by(vec![until(41, batch(1, &["all"]))]), less());
        let both = tokio::join!(
            store.compact(one, Position(41), &mut left),
            store.compact(other, Position(31), &mut right),
        );
        assert!(matches!(both, (Ok(()), Ok(()))), "{both:?}");
        store.append(other, &batch(41, &["it goes on"])).await.expect("it does");
        assert_eq!(lines(&*store, 1).await, ["all"]);
        let more: Vec<_> = with_less(&others).into_iter().chain(["it goes on".to_owned()]).collect();
        assert_eq!(lines_of(&*store, ShardId(1), 1).await, more);
    }
}
