//! One SQLite file: the store of one machine.

use crate::batch::fenced;
use crate::error::of_database;
use crate::schema::{
    NEWEST, ROWS_AT_ONCE, Row, batches, journal_on, migration_failed, migrator, opened, read_back, require,
    snapshot, stored,
};
use crate::{
    Batch, Lease, Opened, Pending, Position, Rewriting, ShardId, Snapshot, Store, StoreError, Trouble,
};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Connections at once that read, beside the one that writes.
const READERS_MAX: u32 = 3;

/// How long a write waits for that of another process: many times what a commit takes on a slow disk.
const BUSY: Duration = Duration::from_secs(10);

/// How long a commit waits for the connection that writes: longer than the compaction of any journal that one machine has.
const WRITER: Duration = Duration::from_hours(1);

/// Bytes in a page of a new file.
const PAGE: u64 = 4_096;

/// The most that SQLite can have.
const PAGES_MAX: u64 = 4_294_967_294;

/// Journals of shards in one SQLite file, with write-ahead logging; a commit is on the disk when it is answered.
///
/// Beside the file each shard has a lock file, which the system frees when the process that holds it is gone.
#[derive(Debug)]
pub struct Sqlite {
    /// One connection, which is given to whoever has waited the longest. With two of them SQLite would let the one that did not get
    /// its turn sleep, and a stream of commits would keep a snapshot waiting for ever.
    pool: SqlitePool,
    readers: SqlitePool,
    path: PathBuf,
    held: Mutex<BTreeMap<ShardId, File>>,
}

impl Sqlite {
    /// Opens the file, and creates it if it is not there.
    ///
    /// # Errors
    /// If it is no database, cannot be written, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_limited(path, u64::MAX).await
    }

    /// The same, of a file that grows to so many bytes at most: what goes beyond is [`Trouble::Full`], as on a full disk.
    ///
    /// # Errors
    /// As for [`Sqlite::open`].
    pub async fn open_limited(path: &Path, bytes_max: u64) -> Result<Self, StoreError> {
        let pages_max = (bytes_max / PAGE).min(PAGES_MAX);
        let options = SqliteConnectOptions::new()
            .pragma("max_page_count", pages_max.to_string())
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let failed = |error| of_database(None, error);
        let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
        let pool = pool.acquire_timeout(WRITER);
        let pool = pool.connect_with(options.clone()).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new().max_connections(READERS_MAX).test_before_acquire(false);
        let readers = readers.connect_lazy_with(options);
        let tables = include_str!("../migrations/sqlite/1_journal.sql");
        migrator(tables).run(&pool).await.map_err(migration_failed)?;
        Ok(Self { pool, readers, path: path.to_owned(), held: Mutex::default() })
    }

    /// Opens the file to read what is in it, whoever writes to it. Every write is refused.
    ///
    /// # Errors
    /// If it is not there, is no database or none of this crate, or was written by a newer version.
    pub async fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        Self::open_reader(path, SqlitePoolOptions::new().max_connections(READERS_MAX)).await
    }

    /// The same, as it is now: what is written later is not seen. The log of the file keeps what is seen until this is dropped, and whoever
    /// writes waits for nothing.
    ///
    /// # Errors
    /// As for [`Sqlite::open_to_read`].
    pub async fn open_as_it_is(path: &Path) -> Result<Self, StoreError> {
        // A transaction sees one state of the database, from its first look on. It belongs to a connection, which has to stay.
        let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let one = one.test_before_acquire(false).after_connect(|connection, _| {
            Box::pin(async move { sqlx::query("BEGIN").execute(connection).await.map(drop) })
        });
        Self::open_reader(path, one).await
    }

    async fn open_reader(path: &Path, pool: SqlitePoolOptions) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
        let failed = |error| of_database(None, error);
        let pool = pool.connect_with(options).await.map_err(failed)?;
        let (tables,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('_sqlx_migrations', 'shards')")
                .fetch_one(&pool)
                .await
                .map_err(failed)?;
        require(tables == 2, Trouble::NotADatabase)?;
        let (newest,): (i64,) = sqlx::query_as("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
            .fetch_one(&pool)
            .await
            .map_err(failed)?;
        require(newest <= NEWEST, Trouble::Newer)?;
        Ok(Self { readers: pool.clone(), pool, path: path.to_owned(), held: Mutex::default() })
    }

    /// Takes the lock of a shard.
    #[expect(clippy::unused_async, reason = "the lock of another database is a question to its server")]
    async fn hold(&self, shard: ShardId) -> Result<(), StoreError> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".shard-{}.lock", shard.0));
        let of_file = |error: std::io::Error| {
            let trouble =
                if error.kind() == ErrorKind::StorageFull { Trouble::Full } else { Trouble::ReadOnly };
            StoreError { shard: Some(shard), trouble, source: Some(Box::new(error)) }
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(&shard) {
            return Ok(());
        }
        let file = File::create(&name).map_err(of_file)?;
        match file.try_lock() {
            Ok(()) => held.insert(shard, file),
            Err(TryLockError::WouldBlock) => return Err(Trouble::Held.of(shard)),
            Err(TryLockError::Error(error)) => return Err(of_file(error)),
        };
        Ok(())
    }

    #[expect(clippy::unused_async, reason = "the lock of another database is a question to its server")]
    async fn let_go(&self, shard: ShardId) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&shard);
    }
}

journal_on! {
    Sqlite, sqlx::Sqlite,
    append: "INSERT INTO journal (shard, first, next, lines, sum, epoch, text)
             SELECT $1, $2, $3, $4, $5, $6, $7 FROM shards WHERE shard = $1 AND epoch = $6 AND $2 =
             COALESCE((SELECT next FROM journal WHERE shard = $1 ORDER BY first DESC LIMIT 1), 1)",
    tables: "BEGIN IMMEDIATE"
}
