//! One PostgreSQL database: the store of several machines.

use crate::batch::fenced;
use crate::error::of_database;
use crate::schema::{
    NEWEST, ROWS_AT_ONCE, Row, batches, journal_on, migration_failed, migrator, opened, read_back, require,
    snapshot, stored,
};
use crate::{
    Batch, Lease, Opened, Pending, Position, Rewriting, ShardId, Snapshot, Store, StoreError, Trouble,
};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Connections at once: every shard appends one batch at a time.
const CONNECTIONS_MAX: u32 = 8;

/// How long a server may take to answer at all.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the lock of a shard is waited for, in milliseconds: a server takes a moment to notice that a process is gone.
const HELD_MS: u32 = 2_000;

/// The first half of the key under which a shard is locked, so that it is not the lock of something else.
const LOCKS: i32 = 0x444f_574e;

/// Journals of shards in one PostgreSQL database.
///
/// A shard that is open is locked by a connection of its own: the server frees it when the process is gone, or out of reach.
/// Whoever is out of reach may still write for a moment, which the epoch of its lease prevents.
#[derive(Debug)]
pub struct Postgres {
    pool: PgPool,
    /// The same connections.
    readers: PgPool,
    url: String,
    held: Mutex<BTreeMap<ShardId, PgConnection>>,
}

impl Postgres {
    /// Opens the database of this URL, and creates the tables if they are not there.
    ///
    /// # Errors
    /// If it is out of reach, cannot be written, or was written by a newer version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(CONNECT);
        let pool = pool.connect(url).await.map_err(|error| of_database(None, error))?;
        let tables = include_str!("../migrations/postgres/1_journal.sql");
        migrator(tables).run(&pool).await.map_err(migration_failed)?;
        Ok(Self { readers: pool.clone(), pool, url: url.to_owned(), held: Mutex::default() })
    }

    /// Opens the database of this URL to read what is in it now: what is written later is not seen, and every write is refused. Whoever
    /// writes waits for nothing; the server keeps what is seen until this is dropped.
    ///
    /// # Errors
    /// If it is out of reach, none of this crate, or was written by a newer version.
    pub async fn open_as_it_is(url: &str) -> Result<Self, StoreError> {
        let failed = |error| of_database(None, error);
        // A transaction sees one state of the database, from its first look on. It belongs to a connection, which has to stay.
        let one = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT);
        let one = one.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        let one = one.after_connect(|connection, _| {
            Box::pin(async move {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                sqlx::query(begin).execute(connection).await.map(drop)
            })
        });
        let pool = one.connect(url).await.map_err(|error| {
            let StoreError { source, .. } = failed(error);
            StoreError { shard: None, trouble: Trouble::Absent, source }
        })?;
        let (tables,): (i64,) = sqlx::query_as(
            "SELECT COUNT(name) FROM (VALUES (to_regclass('_sqlx_migrations')), (to_regclass('shards'))) AS tables (name)",
        )
        .fetch_one(&pool)
        .await
        .map_err(failed)?;
        require(tables == 2, Trouble::NotADatabase)?;
        let (newest,): (i64,) = sqlx::query_as("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
            .fetch_one(&pool)
            .await
            .map_err(failed)?;
        require(newest <= NEWEST, Trouble::Newer)?;
        Ok(Self { readers: pool.clone(), pool, url: url.to_owned(), held: Mutex::default() })
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<ShardId, PgConnection>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock of a shard.
    async fn hold(&self, shard: ShardId) -> Result<(), StoreError> {
        // A connection that is still there may have lost its lock with the server: it is taken anew.
        drop(self.held().remove(&shard));
        let failed = |error| of_database(Some(shard), error);
        let mut connection = PgConnection::connect(&self.url).await.map_err(failed)?;
        sqlx::query(AssertSqlSafe(format!("SET lock_timeout = {HELD_MS}")))
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        sqlx::query("SELECT pg_advisory_lock($1, $2)")
            .bind(LOCKS)
            .bind(i32::try_from(shard.0).unwrap_or(i32::MAX))
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        self.held().insert(shard, connection);
        Ok(())
    }

    async fn let_go(&self, shard: ShardId) {
        let connection = self.held().remove(&shard);
        if let Some(mut connection) = connection {
            // The server frees the lock in any case, but only when it finds the connection gone.
            let _ = sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut connection).await;
            let _ = connection.close().await;
        }
    }
}

journal_on! {
    Postgres, sqlx::Postgres,
    // Whoever gives a newer lease waits for the row, and so for the end of this, and finds the batch.
    append: "WITH writer AS (SELECT 1 FROM shards WHERE shard = $1 AND epoch = $6 FOR SHARE)
             INSERT INTO journal (shard, first, next, lines, sum, epoch, text)
             SELECT $1, $2, $3, $4, $5, $6, $7 FROM writer WHERE $2 =
             COALESCE((SELECT next FROM journal WHERE shard = $1 ORDER BY first DESC LIMIT 1), 1)",
    tables: "BEGIN"
}
