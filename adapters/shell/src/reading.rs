//! A journal read again, line by line, by whoever wants to know what happened: it takes no lease and writes nothing.
//!
//! [`Journal`] gives the lines of a shard, [`Replay`] the machines that they lead to. Between two lines the machines stand still, so
//! that one can look at them before a line and after it. Nothing is decided here: a line is replayed as after a crash.

use crate::entry::{Entry, Past, Recorded};
use crate::error::ShellError;
use crate::fact::Order;
use crate::known::{Contradiction, Known};
use crate::number::{Place, Settings};
use crate::replay::take_entry;
use crate::snapshot::{FORM, encode};
use crate::trace::{task_of_fact, task_of_order};
use crate::{ShellConfig, Submitter};
use downbeat_kernel::{Credential, Kernel, Outbox, Pool, ProfileId, Questions, Retry, TaskId};
use downbeat_store::{Batch, Position, ShardId, Snapshot, Store, StoreError, Trouble};
use std::collections::VecDeque;

/// Lines that are read at once: as many as are a few megabytes.
const LINES_AT_ONCE: u64 = 10_000;

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnRecord {
    /// Where. Behind a compaction lines that are left have the places of others, in their order, and several may have the last one.
    pub at: Position,
    /// What it says.
    pub entry: Entry,
}

impl OnRecord {
    /// The task that it is about, if it names one.
    pub fn task(&self) -> Option<TaskId> {
        match Past::from(self.entry.event.clone()) {
            Past::Happened(fact) => task_of_fact(&fact),
            Past::PoolStands(..) => None,
        }
    }
}

impl Order {
    /// The task that it is about, if it names one.
    pub fn task(&self) -> Option<TaskId> {
        task_of_order(self)
    }
}

/// The lines of one shard, in their order.
pub struct Journal<'s> {
    store: &'s dyn Store,
    shard: ShardId,
    /// Where the next lines are read.
    next: Position,
    lines: VecDeque<(Position, String)>,
    /// What is behind the lines that are there.
    broken: Option<StoreError>,
    compacted: Option<Position>,
}

impl<'s> Journal<'s> {
    /// Those of a shard from the first on. A journal that is compacted meanwhile has others by then: the store has to be open as it is.
    pub fn new(store: &'s dyn Store, shard: ShardId) -> Self {
        Self { store, shard, next: Position(1), lines: VecDeque::new(), broken: None, compacted: None }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// If the store cannot be read, or the line is damaged or of a newer version. What came before is whole.
    pub async fn next(&mut self) -> Result<Option<OnRecord>, ShellError> {
        if self.lines.is_empty() {
            self.read_on().await?;
        }
        let Some((at, line)) = self.lines.pop_front() else { return Ok(None) };
        let entry =
            Entry::read(&line).map_err(|source| ShellError::Unreadable { shard: self.shard, at, source })?;
        if let Recorded::Stands { .. } | Recorded::PoolStands { .. } = entry.event {
            self.compacted = self.compacted.max(Some(Position(at.0 + 1)));
        }
        Ok(Some(OnRecord { at, entry }))
    }

    /// The position behind the batches that were read by now.
    pub fn end(&self) -> Position {
        self.next
    }

    /// Whether the journal was compacted, as far as it was read: lines of trees of tasks that were over before this position are
    /// not in it, nor what happened to credentials and to the pool.
    pub fn compacted(&self) -> Option<Position> {
        self.compacted
    }

    async fn read_on(&mut self) -> Result<(), ShellError> {
        if let Some(broken) = self.broken.take() {
            return Err(broken.into());
        }
        let batches = match self.store.read(self.shard, self.next, LINES_AT_ONCE).await {
            Ok(batches) => batches,
            Err(error) => match error.trouble {
                // What comes before the damage is given first.
                Trouble::Damaged { at, .. } if at > self.next => {
                    let before = self.store.read(self.shard, self.next, at.0 - self.next.0).await;
                    self.broken = Some(error);
                    before?
                }
                Trouble::Damaged { .. }
                | Trouble::Held
                | Trouble::Fenced { .. }
                | Trouble::Misplaced { .. }
                | Trouble::Full
                | Trouble::ReadOnly
                | Trouble::Absent
                | Trouble::NotADatabase
                | Trouble::Newer
                | Trouble::Unknown => return Err(error.into()),
            },
        };
        for batch in batches {
            self.take(&batch);
        }
        Ok(())
    }

    fn take(&mut self, batch: &Batch) {
        if batch.next.0 - batch.first.0 != batch.lines {
            self.compacted = Some(batch.next);
        }
        let last = batch.next.0.saturating_sub(1);
        for (line, at) in batch.lines().zip(batch.first.0..) {
            self.lines.push_back((Position(at.min(last)), line.to_owned()));
        }
        self.next = batch.next;
    }
}

/// An order that is outstanding: a restart repeats it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outstanding {
    /// What. A timer has the whole of its wait; of a send that may have been made it is asked what became of it.
    pub order: Order,
    /// When the timer was armed that it arms, and when it fires, in milliseconds since 1970.
    pub armed: Option<(u64, u64)>,
}

/// The machines of a shard, as its journal leads to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    known: Known,
    place: Place,
}

impl Replay {
    /// The machines before the first line. Of the settings `shards`, `kernel` and `pool` count: those that the journal was written under.
    pub fn new(shard: ShardId, config: &ShellConfig) -> Self {
        let settings = Settings { kernel: config.kernel, pool: config.pool };
        Self { known: Known::new(settings), place: Place { shard, shards: config.shards.max(1) } }
    }

    /// Takes the next line, and gives what its machines ordered.
    ///
    /// # Errors
    /// If a machine does not take it where it stands: the journal is of other settings, or of another shard. Then the machines
    /// stand somewhere that the journal does not lead to.
    pub fn step(&mut self, line: OnRecord) -> Result<Vec<Order>, ShellError> {
        let mut orders = Vec::new();
        take_entry(&mut self.known, self.place, (line.at, line.entry), &mut orders)?;
        Ok(orders)
    }

    /// The tree of tasks.
    pub fn kernel(&self) -> &Kernel {
        &self.known.kernel
    }

    /// The pool, if tasks run on agents.
    pub fn pool(&self) -> Option<&Pool> {
        self.known.pool.as_ref()
    }

    /// The credential of a profile, if that has no key that does not change.
    pub fn credential(&self, profile: ProfileId) -> Option<&Credential> {
        self.known.credentials.get(&profile)
    }

    /// What people are told of a root, from when there is anything.
    pub fn outbox(&self, root: TaskId) -> Option<&Outbox> {
        self.known.outboxes.get(&root).map(|post| &post.outbox)
    }

    /// What the agent of a root asks, from when it has asked anything.
    pub fn questions(&self, root: TaskId) -> Option<&Questions> {
        self.known.asking.get(&root).map(|asking| &asking.questions)
    }

    /// The attempts at the task of this name, if it is tried again.
    pub fn attempts(&self, name: TaskId) -> Option<&Retry> {
        self.known.attempted.get(name).map(|tries| &tries.retry)
    }

    /// Every task that is tried again, by its name.
    pub fn tried(&self) -> impl Iterator<Item = (TaskId, &Retry)> {
        self.known.attempted.iter().map(|(name, tries)| (name, &tries.retry))
    }

    /// The name of the task that a root is an attempt at; its own, if it is none.
    pub fn name_of(&self, root: TaskId) -> TaskId {
        self.known.name_of(root)
    }

    /// Who has submitted a root.
    pub fn submitter(&self, root: TaskId) -> Submitter {
        self.known.submitter(root)
    }

    /// What a restart would repeat.
    pub fn outstanding(&self) -> Vec<Outstanding> {
        // Before its beginning nothing of a wait is over.
        let orders = self.known.outstanding(0).into_iter();
        let of = |order| Outstanding { armed: self.known.alarms.armed(&order), order };
        orders.map(of).collect()
    }

    /// Whether all of it can have come from events.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn validate(&self) -> Result<(), Contradiction> {
        self.known.validate()
    }

    /// Whether a snapshot that was taken here knows the same; `None` if it cannot be told, because another version wrote it.
    pub fn agrees_with(&self, snapshot: &Snapshot) -> Option<bool> {
        let own = encode(&self.known, self.place, snapshot.next).ok()?;
        (snapshot.form == FORM).then_some(own == *snapshot)
    }
}

/// The settings that a snapshot was taken under: `shards`, `kernel` and `pool`, and the others as they are by default. `None` if
/// another version wrote it, or it cannot be read.
pub fn settings_in(snapshot: &Snapshot) -> Option<ShellConfig> {
    if snapshot.form != FORM {
        return None;
    }
    let (shards, known): (u32, Known) = postcard::from_bytes(&snapshot.bytes).ok()?;
    let Settings { kernel, pool } = known.settings();
    Some(ShellConfig { shards, kernel, pool, ..ShellConfig::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{PLACE, history, known_after, settings};
    use crate::known::Known;
    use downbeat_kernel::{Config, Event, Outcome};
    use downbeat_store::Sqlite;
    use std::path::PathBuf;

    /// The history as it is written. Whoever reads journals has it for an example.
    const HISTORY: &str = include_str!("../tests/journal/history.jsonl");

    #[test]
    fn history_is_on_record() {
        let lines: Vec<_> = history().iter().map(|entry| entry.line().expect("it is written")).collect();
        let written = lines.join("\n") + "\n";
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journal/history.jsonl");
            std::fs::write(path, written).expect("it can be written");
        } else {
            assert!(
                written == HISTORY,
                "another history: UPDATE_DOCS=1 cargo test -p downbeat-shell history"
            );
        }
    }

    fn config() -> ShellConfig {
        let Settings { kernel, pool } = settings();
        ShellConfig { kernel, pool, ..ShellConfig::default() }
    }

    #[test]
    fn replay_leads_to_what_the_shard_knew_and_gives_what_it_had_ordered() {
        let history = history();
        let (mut replay, mut known) = (Replay::new(PLACE.shard, &config()), Known::new(settings()));
        for (entry, at) in history.iter().zip((1..).map(Position)) {
            let given = replay.step(OnRecord { at, entry: entry.clone() }).expect("it was taken");
            let mut ordered = Vec::new();
            if let Some(bill) = entry.bill {
                let paid = known.take(entry.at_ms, &Event::from(bill).into(), &[], &mut ordered);
                assert_eq!(paid, Outcome::Applied);
            }
            let Past::Happened(fact) = entry.event.clone().into() else { continue };
            assert_eq!(known.take(entry.at_ms, &fact, &entry.text, &mut ordered), Outcome::Applied);
            assert_eq!((&replay.known, given), (&known, ordered), "line {}", at.0);
        }
        assert_eq!(replay.validate(), Ok(()));
        let now: Vec<_> = replay.outstanding().into_iter().map(|it| it.order).collect();
        assert_eq!(now, known.outstanding(0));
        assert!(replay.outstanding().iter().any(|it| it.armed.is_some()), "no timer runs");
    }

    #[test]
    fn snapshot_says_its_settings_and_whether_a_replay_knows_the_same() {
        let history = history();
        let snapshot = encode(&known_after(&history), PLACE, Position(1)).expect("it is written");
        assert_eq!(settings_in(&snapshot), Some(config()));
        let replayed = |config: &ShellConfig, lines: usize| {
            let mut replay = Replay::new(PLACE.shard, config);
            for (entry, at) in history[..lines].iter().zip((1..).map(Position)) {
                replay.step(OnRecord { at, entry: entry.clone() }).expect("it was taken");
            }
            replay
        };
        let all = history.len();
        let others = ShellConfig { kernel: Config { query_ms: 7, ..config().kernel }, ..config() };
        let newer = Snapshot { form: FORM + 1, ..snapshot.clone() };
        #[rustfmt::skip]
        let cases = [
            ("the same",         config(), all,     &snapshot, Some(true)),
            ("a line less",      config(), all - 1, &snapshot, Some(false)),
            ("other settings",   others,   all,     &snapshot, Some(false)),
            ("of a newer version", config(), all,   &newer,    None),
        ];
        for (name, config, lines, snapshot, agrees) in cases {
            assert_eq!(replayed(&config, lines).agrees_with(snapshot), agrees, "{name}");
        }
    }

    /// A store with these batches of lines; the folder is removed by the system.
    async fn stored(name: &str, batches: &[&[&str]]) -> (Sqlite, PathBuf) {
        let folder = std::env::temp_dir().join(format!("downbeat-reading-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        let path = folder.join("journal.db");
        let store = Sqlite::open(&path).await.expect("a store");
        let mut opened = store.open(PLACE.shard).await.expect("nobody has it");
        for lines in batches {
            let mut batch = Batch::at(opened.next);
            for line in *lines {
                batch.push(line);
            }
            store.append(opened.lease, &batch).await.expect("it is appended");
            opened.next = batch.next;
        }
        (store, path)
    }

    async fn read(store: &dyn Store) -> (Vec<u64>, Result<(), ShellError>) {
        let (mut journal, mut read) = (Journal::new(store, PLACE.shard), Vec::new());
        loop {
            match journal.next().await {
                Ok(Some(line)) => read.push(line.at.0),
                Ok(None) => return (read, Ok(())),
                Err(error) => return (read, Err(error)),
            }
        }
    }

    #[tokio::test]
    async fn what_comes_before_a_damaged_or_newer_line_is_read_and_the_error_has_its_place() {
        let lines: Vec<_> = HISTORY.lines().take(4).collect();
        let (store, path) = stored("damaged", &[&lines[..2], &lines[2..3], &lines[3..]]).await;
        let (positions, whole) = read(&store).await;
        assert!(whole.is_ok() && positions == [1, 2, 3, 4], "{positions:?}, {whole:?}");
        let other = rusqlite::Connection::open(&path).expect("a database");
        other.execute("UPDATE journal SET text = text || 'x' WHERE first = 3", []).expect("it is changed");
        let (positions, error) = read(&store).await;
        assert_eq!(positions, [1, 2]);
        let damaged = Trouble::Damaged { what: "its checksum does not fit", at: Position(3) };
        assert!(matches!(&error, Err(ShellError::Store(it)) if it.trouble == damaged), "{error:?}");
        other.execute("DELETE FROM journal WHERE first = 1", []).expect("it is removed");
        let (positions, error) = read(&store).await;
        let missing = Trouble::Damaged { what: "lines are missing before it", at: Position(1) };
        assert!(positions.is_empty(), "{positions:?}");
        assert!(matches!(&error, Err(ShellError::Store(it)) if it.trouble == missing), "{error:?}");

        let newer = r#"{"at_ms":1,"event":{"Tree":{"V99":{}}}}"#;
        let (store, _) = stored("newer", &[&[lines[0], newer]]).await;
        let (positions, error) = read(&store).await;
        assert_eq!(positions, [1]);
        assert!(matches!(error, Err(ShellError::Unreadable { at: Position(2), .. })), "{error:?}");
    }
}
