//! What only a file can do.

use crate::contract::{SHARD, batch, lines, trouble};
use crate::place::{Place, folder};
use downbeat_store::{Position, Sqlite, Store, Trouble};

#[tokio::test]
async fn what_cannot_be_opened_is_told_with_its_reason() {
    let folder = folder("unopened");
    std::fs::write(folder.join("text.db"), "this is no database, it is a text of some length")
        .expect("it is written");
    assert_eq!(trouble(Sqlite::open(&folder.join("text.db")).await), Trouble::NotADatabase);
    assert_eq!(trouble(Sqlite::open(&folder.join("nowhere").join("journal.db")).await), Trouble::Absent);
    assert_eq!(trouble(Sqlite::open_to_read(&folder.join("nothing.db")).await), Trouble::Absent);

    let newer = folder.join("newer.db");
    drop(Sqlite::open(&newer).await.expect("a store"));
    Place::File(newer.clone()).damage(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'later', 1, x'00', 0)",
    )
    .await;
    assert_eq!(trouble(Sqlite::open(&newer).await), Trouble::Newer);
    assert_eq!(trouble(Sqlite::open_to_read(&newer).await), Trouble::Newer);
    assert_eq!(trouble(Sqlite::open_as_it_is(&newer).await), Trouble::Newer);

    let foreign = folder.join("foreign.db");
    let other = rusqlite::Connection::open(&foreign).expect("a database");
    other.execute("CREATE TABLE shards (name TEXT)", []).expect("a table");
    assert_eq!(trouble(Sqlite::open_to_read(&foreign).await), Trouble::NotADatabase);
}

#[tokio::test]
async fn reader_reads_while_another_writes_and_writes_nothing() {
    let path = folder("reader").join("journal.db");
    let store = Sqlite::open(&path).await.expect("a store");
    let lease = store.open(SHARD).await.expect("nobody has it").lease;
    store.append(lease, &batch(1, &["one"])).await.expect("it is appended");
    let reader = Sqlite::open_to_read(&path).await.expect("it is there");
    assert_eq!(lines(&reader, 1).await, ["one"]);
    store.append(lease, &batch(2, &["two"])).await.expect("it is appended");
    assert_eq!(lines(&reader, 1).await, ["one", "two"]);
    assert_eq!(trouble(reader.append(lease, &batch(3, &["three"])).await), Trouble::ReadOnly);
}

#[tokio::test]
async fn full_disk_loses_nothing_and_says_so() {
    let path = folder("full").join("journal.db");
    let store = Sqlite::open_limited(&path, 100_000).await.expect("a store");
    let lease = store.open(SHARD).await.expect("nobody has it").lease;
    let long = "x".repeat(4_000);
    let mut next = 1;
    let full = loop {
        match store.append(lease, &batch(next, &[&long])).await {
            Ok(()) => next += 1,
            Err(error) => break error,
        }
        assert!(next < 100, "the disk is never full");
    };
    assert_eq!(full.trouble, Trouble::Full);
    assert_eq!(lines(&store, 1).await.len() as u64, next - 1);
    drop(store);
    let store = Sqlite::open(&path).await.expect("there is room again");
    let opened = store.open(SHARD).await.expect("nobody has it");
    assert_eq!(opened.next, Position(next));
    store.append(opened.lease, &batch(next, &[&long])).await.expect("it is appended");
}
