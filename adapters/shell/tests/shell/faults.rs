//! What goes wrong with a store while a shell runs on it: the shell stops and says why, what it had told as durable is there, and a
//! start afterwards goes on.

use crate::place::{Place, places};
use crate::stage::{World, journal, settings, start_on, start_with};
use crate::story::{A, apply};
use downbeat_kernel::{Budget, Event, Ignored, MessageId, Outcome};
use downbeat_shell::{Shell, ShellError};
use downbeat_store::{Postgres, ShardId, Sqlite, Store, Trouble};
use sqlx::{AssertSqlSafe, Connection};

/// Some text that fills a page.
fn long() -> String {
    "x".repeat(4_000)
}

fn message(number: u32) -> Event {
    Event::MessageReceived { task: A, message: MessageId(number) }
}

/// Begins a task whose model never answers.
async fn begin(shell: &Shell) {
    apply(shell, Event::TaskSubmitted { task: A, budget: Budget::default() }, "go").await;
}

/// Writes to it until the shell has stopped, or so often. How many messages were told to be durable.
async fn write(shell: &Shell, messages_max: u32) -> u32 {
    for number in 1..=messages_max {
        match shell.tell(message(number), vec![long()]).await {
            Ok(outcome) => assert_eq!(outcome, Outcome::Applied),
            Err(_) => return number - 1,
        }
    }
    messages_max
}

/// What is wrong with the store that a shell stopped for.
async fn trouble(shell: Shell) -> Trouble {
    match shell.stop().await {
        Err(ShellError::Store(error)) => error.trouble,
        ended => panic!("it ended with {ended:?}"),
    }
}

/// The messages up to this one are there, and the shell takes the next.
async fn goes_on(shell: &Shell, durable: u32) {
    for number in 1..=durable {
        let again = shell.tell(message(number), vec![]).await.expect("it runs");
        assert_eq!(again, Outcome::Ignored(Ignored::Duplicate), "message {number} is lost");
    }
    // One whose answer was lost may be there.
    let next = shell.tell(message(durable + 1), vec![]).await.expect("it runs");
    assert!(matches!(next, Outcome::Applied | Outcome::Ignored(Ignored::Duplicate)), "{next:?}");
    apply(shell, message(durable + 2), "").await;
}

#[tokio::test]
async fn shell_stops_on_a_full_disk_and_goes_on_when_there_is_room() {
    let (path, world) = (journal("full"), World::default());
    let small = Sqlite::open_limited(&path, 400_000).await.expect("a store");
    let shell = start_on(small, &world, settings());
    begin(&shell).await;
    let durable = write(&shell, 1_000).await;
    assert!((10..1_000).contains(&durable), "{durable} messages found room");
    assert_eq!(trouble(shell).await, Trouble::Full);
    goes_on(&start_with(&path, &world, settings()).await, durable).await;
}

#[tokio::test]
async fn shell_that_may_not_write_does_not_begin() {
    let (path, world) = (journal("read-only"), World::default());
    let shell = start_with(&path, &world, settings()).await;
    begin(&shell).await;
    let durable = write(&shell, 3).await;
    shell.stop().await.expect("it stops");
    let reader = Sqlite::open_to_read(&path).await.expect("it is there");
    let shell = start_on(reader, &world, settings());
    assert_eq!(write(&shell, 1).await, 0);
    assert_eq!(trouble(shell).await, Trouble::ReadOnly);
    goes_on(&start_with(&path, &world, settings()).await, durable).await;
}

#[tokio::test]
async fn shell_stops_when_another_has_become_the_writer() {
    let (path, world) = (journal("fenced"), World::default());
    let first = start_with(&path, &world, settings()).await;
    begin(&first).await;
    let durable = write(&first, 3).await;
    // Whoever clears up behind a process that lives lets a second one in.
    std::fs::remove_file(format!("{}.shard-0.lock", path.display())).expect("it is there");
    let second = start_with(&path, &world, settings()).await;
    goes_on(&second, durable).await;
    assert!(first.tell(message(durable + 1), vec![]).await.is_err(), "it is not the writer any more");
    assert_eq!(trouble(first).await, Trouble::Fenced { epoch: 1, newest: 2 });
    apply(&second, message(durable + 3), "").await;
    second.stop().await.expect("it stops");
}

/// Lets nobody in to a database of the server any more, or again.
async fn let_in(url: &str, is_open: bool) {
    let (server, database) = url.rsplit_once('/').expect("a URL");
    let mut maintenance =
        sqlx::PgConnection::connect(&format!("{server}/postgres")).await.expect("it is there");
    let mut statements = vec![format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {is_open}")];
    if !is_open {
        let of = format!("FROM pg_stat_activity WHERE datname = '{database}'");
        statements.push(format!("SELECT pg_terminate_backend(pid) {of}"));
    }
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut maintenance).await.expect("it may do so");
    }
}

#[tokio::test]
async fn shell_stops_when_its_server_is_out_of_reach_and_goes_on_when_it_is_back() {
    for place in places("shell_lost").await {
        let Place::Database(url) = place else { continue };
        let world = World::default();
        let shell = start_on(Postgres::open(&url).await.expect("a store"), &world, settings());
        begin(&shell).await;
        let durable = write(&shell, 3).await;
        let_in(&url, false).await;
        assert!(shell.tell(message(4), vec![]).await.is_err(), "there is no server");
        assert_eq!(trouble(shell).await, Trouble::Unknown);
        let_in(&url, true).await;
        let shell = start_on(Postgres::open(&url).await.expect("a store"), &world, settings());
        goes_on(&shell, durable).await;
    }
}

#[tokio::test]
async fn shell_stops_when_its_lock_was_lost_and_another_took_the_shard() {
    for place in places("shell_taken").await {
        let Place::Database(url) = place else { continue };
        let world = World::default();
        let first = start_on(Postgres::open(&url).await.expect("a store"), &world, settings());
        begin(&first).await;
        let durable = write(&first, 3).await;
        let_in(&url, false).await;
        let_in(&url, true).await;
        let second = Postgres::open(&url).await.expect("a store");
        let epoch = second.open(ShardId(0)).await.expect("the lock is free").lease.epoch;
        assert!(first.tell(message(4), vec![]).await.is_err(), "it is not the writer any more");
        assert_eq!(trouble(first).await, Trouble::Fenced { epoch: 1, newest: epoch });
        goes_on(&start_on(second, &world, settings()), durable).await;
    }
}
