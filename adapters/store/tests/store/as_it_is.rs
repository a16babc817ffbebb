//! Who reads a store as it is.

use crate::compaction::{Others, until};
use crate::contract::{SHARD, batch, lines, trouble};
use crate::place::{Place, places};
use downbeat_store::{Position, Postgres, Trouble};

#[tokio::test]
async fn reader_of_what_is_there_now_sees_nothing_that_comes_later() {
    for place in places("as-it-is").await {
        let store = place.open().await;
        let lease = store.open(SHARD).await.expect("nobody has it").lease;
        store.append(lease, &batch(1, &["one"])).await.expect("it is appended");
        let still = place.open_as_it_is().await.expect("it is there");
        store.append(lease, &batch(2, &["two"])).await.expect("nobody keeps it from that");
        assert_eq!(lines(&*still, 1).await, ["one"]);
        let mut compacted = Others::by(vec![until(3, batch(1, &["both"]))]);
        store.compact(lease, Position(3), &mut compacted).await.expect("nobody keeps it from that");
        assert_eq!(lines(&*still, 1).await, ["one"], "what it has seen stays");
        assert_eq!(lines(&*store, 1).await, ["both"], "others see it");
        assert_eq!(trouble(still.append(lease, &batch(2, &["two"])).await), Trouble::ReadOnly);
        let later = place.open_as_it_is().await.expect("it is there");
        assert_eq!(lines(&*later, 1).await, ["both"]);
    }
}

#[tokio::test]
async fn server_without_a_store_or_with_a_newer_one_is_told_from_one_that_is_not_there() {
    for place in places("not-as-it-is").await {
        let Place::Database(url) = &place else { continue };
        assert_eq!(trouble(Postgres::open_as_it_is(url).await), Trouble::NotADatabase, "nobody wrote to it");
        drop(place.open().await);
        place.damage("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'later', true, '', 0)").await;
        assert_eq!(trouble(Postgres::open_as_it_is(url).await), Trouble::Newer);
    }
    let nobody = "postgres://somebody@%2Fnowhere:1/nothing";
    assert_eq!(trouble(Postgres::open_as_it_is(nobody).await), Trouble::Absent);
}
