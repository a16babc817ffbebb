//! What both databases have in common: the tables, the statements, and what follows on their answers.

use crate::{Batch, Lease, Opened, Position, ShardId, Snapshot, StoreError, Trouble};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

/// The last change of the tables that this version knows.
pub(crate) const NEWEST: i64 = 1;

/// The tables, as each version has left them. A migration that was released is never changed.
pub(crate) fn migrator(first: &'static str) -> Migrator {
    let first = AssertSqlSafe(first).into_sql_str();
    Migrator::with_migrations(vec![Migration::new(
        NEWEST,
        "journal".into(),
        MigrationType::Simple,
        first,
        false,
    )])
}

/// What has to be so before a store is read.
pub(crate) fn require(is_so: bool, trouble: Trouble) -> Result<(), StoreError> {
    if is_so { Ok(()) } else { Err(StoreError { shard: None, trouble, source: None }) }
}

/// Begins a transaction. It is begun to the end also where nobody waits for it any more, and rolled back then: a connection of PostgreSQL
/// whose `BEGIN` is dropped on its way would go back to the pool with a transaction that is open, and swallow what is written next.
pub(crate) async fn begun<D: sqlx::Database>(
    pool: &sqlx::Pool<D>,
    statement: &'static str,
) -> Result<sqlx::Transaction<'static, D>, sqlx::Error> {
    let pool = pool.clone();
    let beginning = tokio::spawn(async move { pool.begin_with(statement).await });
    beginning.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

/// A number as the databases have it. Positions and epochs never come near the difference.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The same, back. What is negative was not written by this crate.
pub(crate) fn read_back(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Rows of a journal that are in memory at once while it is compacted: a few megabytes.
pub(crate) const ROWS_AT_ONCE: i64 = 16;

/// One row of the journal.
pub(crate) type Row = (i64, i64, i64, i64, String);

/// The batches of these rows, if each is what was written and comes where the one before ends.
pub(crate) fn batches(shard: ShardId, from: Position, rows: Vec<Row>) -> Result<Vec<Batch>, StoreError> {
    let mut expected = from;
    let mut batches = Vec::with_capacity(rows.len());
    for (first, next, lines, sum, text) in rows {
        let (first, next) = (Position(read_back(first)), Position(read_back(next)));
        let batch = Batch { first, next, lines: read_back(lines), text };
        batch.verify(shard, expected, u32::try_from(sum).unwrap_or_default())?;
        expected = next;
        batches.push(batch);
    }
    Ok(batches)
}

/// A snapshot, if it is whole: one that is not is of no use, and the journal has all that it had.
pub(crate) fn snapshot(row: Option<(i64, i64, i64, Vec<u8>)>) -> Option<Snapshot> {
    let (next, form, sum, bytes) = row?;
    (i64::from(crc32fast::hash(&bytes)) == sum).then(|| Snapshot {
        next: Position(read_back(next)),
        form: u32::try_from(form).unwrap_or(u32::MAX),
        bytes,
    })
}

/// What a new writer finds, of the epoch and the end of the journal.
pub(crate) fn opened(shard: ShardId, epoch: i64, next: Option<i64>) -> Opened {
    let next = Position(next.map_or(1, read_back));
    Opened { lease: Lease { shard, epoch: read_back(epoch) }, next }
}

/// What is wrong with a migration that was refused.
pub(crate) fn migration_failed(error: sqlx::migrate::MigrateError) -> StoreError {
    use sqlx::migrate::MigrateError;
    if let MigrateError::Execute(error) = error {
        return crate::error::of_database(None, error);
    }
    let newer = matches!(error, MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_));
    let trouble = if newer { Trouble::Newer } else { Trouble::NotADatabase };
    StoreError { shard: None, trouble, source: Some(Box::new(error)) }
}

/// [`Store`](crate::Store) on connections to `$database`: `pool` for what writes, `readers` for what does not.
macro_rules! journal_on {
    ($store:ident, $database:ty, append: $append:literal, tables: $tables:literal) => {
        impl $store {
            /// The epoch that a shard has now, 0 if it has none.
            async fn epoch(&self, shard: ShardId) -> Result<u64, StoreError> {
                let epoch: Option<(i64,)> = sqlx::query_as("SELECT epoch FROM shards WHERE shard = $1")
                    .bind(i64::from(shard.0))
                    .fetch_optional(&self.readers)
                    .await
                    .map_err(|error| of_database(Some(shard), error))?;
                Ok(epoch.map_or(0, |(epoch,)| read_back(epoch)))
            }

            /// Begins to write under this lease: nobody gets a newer one before the end of what comes.
            async fn begin(&self, lease: Lease) -> Result<sqlx::Transaction<'_, $database>, StoreError> {
                let failed = |error| of_database(Some(lease.shard), error);
                let mut writing = crate::schema::begun(&self.pool, $tables).await.map_err(failed)?;
                let held = sqlx::query("UPDATE shards SET epoch = epoch WHERE shard = $1 AND epoch = $2")
                    .bind(i64::from(lease.shard.0))
                    .bind(stored(lease.epoch))
                    .execute(&mut *writing)
                    .await
                    .map_err(failed)?;
                if held.rows_affected() == 0 {
                    drop(writing);
                    return Err(fenced(lease, self.epoch(lease.shard).await?));
                }
                Ok(writing)
            }

            async fn opened(&self, shard: ShardId) -> Result<Opened, StoreError> {
                let failed = |error| of_database(Some(shard), error);
                let mut writing = crate::schema::begun(&self.pool, $tables).await.map_err(failed)?;
                let (epoch,): (i64,) = sqlx::query_as(
                    "INSERT INTO shards (shard, epoch) VALUES ($1, 1)
                     ON CONFLICT (shard) DO UPDATE SET epoch = shards.epoch + 1 RETURNING epoch",
                )
                .bind(i64::from(shard.0))
                .fetch_one(&mut *writing)
                .await
                .map_err(failed)?;
                let next: Option<(i64,)> =
                    sqlx::query_as("SELECT next FROM journal WHERE shard = $1 ORDER BY first DESC LIMIT 1")
                    .bind(i64::from(shard.0))
                    .fetch_optional(&mut *writing)
                    .await
                    .map_err(failed)?;
                writing.commit().await.map_err(failed)?;
                Ok(opened(shard, epoch, next.map(|(next,)| next)))
            }

            async fn appended(&self, lease: Lease, batch: &Batch) -> Result<(), StoreError> {
                let written = sqlx::query($append)
                    .bind(i64::from(lease.shard.0))
                    .bind(stored(batch.first.0))
                    .bind(stored(batch.next.0))
                    .bind(stored(batch.lines))
                    .bind(i64::from(batch.sum()))
                    .bind(stored(lease.epoch))
                    .bind(&batch.text)
                    .execute(&self.pool)
                    .await;
                match written {
                    Ok(written) if written.rows_affected() == 1 => Ok(()),
                    Ok(_) => match self.epoch(lease.shard).await? {
                        epoch if epoch == lease.epoch => Err(Trouble::Misplaced { at: batch.first }.of(lease.shard)),
                        newest => Err(fenced(lease, newest)),
                    },
                    Err(error) => Err(of_database(Some(lease.shard), error)),
                }
            }

            async fn compacted(
                &self,
                lease: Lease,
                until: Position,
                rewriting: &mut dyn Rewriting,
            ) -> Result<(), StoreError> {
                let failed = |error| of_database(Some(lease.shard), error);
                let misplaced = |at| Trouble::Misplaced { at }.of(lease.shard);
                let mut writing = self.begin(lease).await?;
                let (mut from, mut written) = (Position(1), Position(1));
                loop {
                    let rows: Vec<Row> = sqlx::query_as(
                        "SELECT first, next, lines, sum, text FROM journal
                         WHERE shard = $1 AND first >= $2 AND first < $3 ORDER BY first LIMIT $4",
                    )
                    .bind(i64::from(lease.shard.0))
                    .bind(stored(from.0))
                    .bind(stored(until.0))
                    .bind(ROWS_AT_ONCE)
                    .fetch_all(&mut *writing)
                    .await
                    .map_err(failed)?;
                    let there = batches(lease.shard, from, rows)?;
                    let next = there.last().map_or(from, |last| last.next);
                    if next > until || (there.is_empty() && next < until) {
                        return Err(misplaced(until));
                    }
                    let mut others = Vec::new();
                    for batch in &there {
                        others.extend(rewriting.take(batch)?);
                    }
                    if there.is_empty() {
                        others.extend(rewriting.rest()?);
                    }
                    sqlx::query("DELETE FROM journal WHERE shard = $1 AND first >= $2 AND first < $3")
                        .bind(i64::from(lease.shard.0))
                        .bind(stored(from.0))
                        .bind(stored(next.0))
                        .execute(&mut *writing)
                        .await
                        .map_err(failed)?;
                    // One that went beyond what is deleted by now would take the place of what is still to be read.
                    for batch in others {
                        if batch.first != written || batch.next <= batch.first || batch.next > next {
                            return Err(misplaced(batch.first));
                        }
                        written = batch.next;
                        sqlx::query(
                            "INSERT INTO journal (shard, first, next, lines, sum, epoch, text)
                             VALUES ($1, $2, $3, $4, $5, $6, $7)",
                        )
                        .bind(i64::from(lease.shard.0))
                        .bind(stored(batch.first.0))
                        .bind(stored(batch.next.0))
                        .bind(stored(batch.lines))
                        .bind(i64::from(batch.sum()))
                        .bind(stored(lease.epoch))
                        .bind(batch.text)
                        .execute(&mut *writing)
                        .await
                        .map_err(failed)?;
                    }
                    if there.is_empty() {
                        break;
                    }
                    from = next;
                }
                if written != until {
                    return Err(misplaced(written));
                }
                writing.commit().await.map_err(failed)
            }

            async fn kept(&self, lease: Lease, snapshot: &Snapshot) -> Result<(), StoreError> {
                let failed = |error| of_database(Some(lease.shard), error);
                let mut writing = self.begin(lease).await?;
                sqlx::query(
                    "INSERT INTO snapshots (shard, next, form, sum, bytes) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (shard) DO UPDATE
                     SET next = excluded.next, form = excluded.form, sum = excluded.sum, bytes = excluded.bytes",
                )
                .bind(i64::from(lease.shard.0))
                .bind(stored(snapshot.next.0))
                .bind(i64::from(snapshot.form))
                .bind(i64::from(crc32fast::hash(&snapshot.bytes)))
                .bind(&snapshot.bytes)
                .execute(&mut *writing)
                .await
                .map_err(failed)?;
                writing.commit().await.map_err(failed)
            }

            async fn read_from(
                &self,
                shard: ShardId,
                from: Position,
                lines_max: u64,
            ) -> Result<Vec<Batch>, StoreError> {
                let rows: Vec<Row> = sqlx::query_as(
                    "SELECT first, next, lines, sum, text FROM journal
                     WHERE shard = $1 AND next > $2
                     AND first >= COALESCE((SELECT MAX(first) FROM journal WHERE shard = $1 AND first <= $2), 0)
                     AND first < $3 + COALESCE((SELECT MIN(first) FROM journal WHERE shard = $1 AND first >= $2), 0)
                     ORDER BY first",
                )
                .bind(i64::from(shard.0))
                .bind(stored(from.0))
                .bind(i64::from(u32::try_from(lines_max.max(1)).unwrap_or(u32::MAX)))
                .fetch_all(&self.readers)
                .await
                .map_err(|error| of_database(Some(shard), error))?;
                batches(shard, from, rows)
            }

            async fn last_snapshot(&self, shard: ShardId) -> Result<Option<Snapshot>, StoreError> {
                let row = sqlx::query_as("SELECT next, form, sum, bytes FROM snapshots WHERE shard = $1")
                    .bind(i64::from(shard.0))
                    .fetch_optional(&self.readers)
                    .await
                    .map_err(|error| of_database(Some(shard), error))?;
                Ok(snapshot(row))
            }

            async fn all_shards(&self) -> Result<Vec<ShardId>, StoreError> {
                let rows: Vec<(i64,)> = sqlx::query_as("SELECT shard FROM shards ORDER BY shard")
                    .fetch_all(&self.readers)
                    .await
                    .map_err(|error| of_database(None, error))?;
                Ok(rows.into_iter().filter_map(|(shard,)| u32::try_from(shard).ok().map(ShardId)).collect())
            }
        }

        impl Store for $store {
            fn open(&self, shard: ShardId) -> Pending<'_, Opened> {
                Box::pin(async move {
                    self.hold(shard).await?;
                    let opened = self.opened(shard).await;
                    if opened.is_err() {
                        self.let_go(shard).await;
                    }
                    opened
                })
            }

            fn append<'s>(&'s self, lease: Lease, batch: &'s Batch) -> Pending<'s, ()> {
                Box::pin(self.appended(lease, batch))
            }

            fn read(&self, shard: ShardId, from: Position, lines_max: u64) -> Pending<'_, Vec<Batch>> {
                Box::pin(self.read_from(shard, from, lines_max))
            }

            fn compact<'s>(
                &'s self,
                lease: Lease,
                until: Position,
                rewriting: &'s mut dyn Rewriting,
            ) -> Pending<'s, ()> {
                Box::pin(self.compacted(lease, until, rewriting))
            }

            fn keep<'s>(&'s self, lease: Lease, snapshot: &'s Snapshot) -> Pending<'s, ()> {
                Box::pin(self.kept(lease, snapshot))
            }

            fn snapshot(&self, shard: ShardId) -> Pending<'_, Option<Snapshot>> {
                Box::pin(self.last_snapshot(shard))
            }

            fn shards(&self) -> Pending<'_, Vec<ShardId>> {
                Box::pin(self.all_shards())
            }

            fn close(&self, lease: Lease) -> Pending<'_, ()> {
                Box::pin(async move {
                    self.let_go(lease.shard).await;
                    Ok(())
                })
            }
        }
    };
}
pub(crate) use journal_on;
