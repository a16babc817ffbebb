//! The journal without what is over.
//!
//! Trees of tasks do not touch each other. When no task of a tree is held any more, the lines of that tree say nothing about the
//! state; without them the journal leads to the same. Whether it does is not taken for granted: what is left is replayed, and
//! has to be what the snapshot says, byte for byte.
//!
//! Credentials and the pool go on for ever, and each send has one line of a credential. All that follows from these is how the machine stands;
//! one line says that in their place.

use crate::entry::{Entry, Recorded};
use crate::error::ShellError;
use crate::known::Known;
use crate::number::{Place, Settings};
use crate::replay::{Line, Stretch, take};
use crate::snapshot::encode;
use crate::trace::task_of;
use downbeat_kernel::{Call, Event, ProfileId, Response, TaskId};
use downbeat_store::{Batch, Lease, Position, Rewriting, ShardId, Snapshot, Store, StoreError, Trouble};
use std::collections::{BTreeMap, BTreeSet};

/// Lines that are read at once: few, because a shard waits for them that has the same thread.
const LINES_AT_ONCE: u64 = 1_000;

/// Lines in a batch of a compacted journal: as many as are read at once. In a test few, so that a short history has many batches.
const LINES_MAX: u64 = if cfg!(test) { 7 } else { LINES_AT_ONCE };

/// Bytes in a batch of a compacted journal, beside its last line, and beside how the machines stand in the last batch: few, because some batches are in memory at once.
const BYTES_MAX: usize = 1 << 20;

/// What is to be compacted.
pub(crate) struct Compaction<'s> {
    pub(crate) place: Place,
    pub(crate) settings: Settings,
    pub(crate) lease: Lease,
    pub(crate) snapshot: &'s Snapshot,
    /// The tasks of which the snapshot holds something, and the one with the highest number.
    pub(crate) held: BTreeSet<TaskId>,
    /// How the pool and each credential stood when it was taken.
    pub(crate) standing: Vec<Entry>,
}

impl Compaction<'_> {
    /// Leaves the lines of what is over out of the journal before the snapshot. How many there are then, or `None` if all are
    /// needed.
    pub(crate) async fn run(self, store: &dyn Store) -> Result<Option<u64>, ShellError> {
        let (lease, until) = (self.lease, self.snapshot.next);
        // What is left is replayed by then, and not in memory any more.
        let Some((lines, mut shortened)) = self.shortened(store).await? else { return Ok(None) };
        store.compact(lease, until, &mut shortened).await?;
        Ok(Some(lines))
    }

    /// What takes the place of the journal, and how many lines that has; `None` if all are needed.
    async fn shortened(self, store: &dyn Store) -> Result<Option<(u64, Shortened)>, ShellError> {
        let stretch = Stretch {
            shard: self.lease.shard,
            from: Position(1),
            until: self.snapshot.next,
            lines_at_once: LINES_AT_ONCE,
        };
        let mut trees = Trees::default();
        stretch
            .each(store, |line| {
                match line.entry.event {
                    Recorded::Tree(record) => trees.take(&record.into()),
                    Recorded::Submitted { task, .. } | Recorded::Attempted { task, .. } => {
                        trees.is_root(task);
                    }
                    // All attempts at a task are one tree.
                    Recorded::Begun { task, root, .. } => trees.is_below(root, task),
                    Recorded::Credential { .. }
                    | Recorded::Outbox { .. }
                    | Recorded::Pool(_)
                    | Recorded::Retry { .. }
                    | Recorded::Questions { .. }
                    | Recorded::NoPlace { .. }
                    | Recorded::PoolStands { .. }
                    | Recorded::Stands { .. } => {}
                }
                Ok(())
            })
            .await?;
        let stay = self.held.iter().filter_map(|task| trees.root_of.get(task).copied()).collect();
        let mut rest = Rest::new(self.place, trees, stay, self.settings);
        stretch.each(store, |line| rest.take(line)).await?;
        rest.keep_down()?;
        let mut standing = Vec::new();
        for entry in self.standing {
            let text = entry.line().map_err(ShellError::Unwritable)?;
            take(&mut rest.known, self.place, Line { at: self.snapshot.next, text: &text, entry })?;
            standing.push(text);
        }
        let is_equal =
            encode(&rest.known, self.place, self.snapshot.next).is_ok_and(|it| it == *self.snapshot);
        if !is_equal {
            return Ok(None);
        }
        let (lines, stays) = (rest.lines + standing.len() as u64, rest.stays.into_iter());
        let (shard, next) = (self.place.shard, Batch::at(Position(1)));
        Ok(Some((lines, Shortened { shard, stays, standing, next, until: self.snapshot.next })))
    }
}

/// Which tree each task belongs to.
#[derive(Default)]
struct Trees {
    root_of: BTreeMap<TaskId, TaskId>,
}

impl Trees {
    fn take(&mut self, event: &Event) {
        if let Event::TaskSubmitted { task, .. } = *event {
            self.is_root(task);
        }
        let Some(root) = self.root(event) else { return };
        if let Event::SubtaskRequested { child, .. } = *event {
            self.root_of.insert(child, root);
        }
        if let Event::ResponseEnded { response: Response::Calls(calls), .. } = event {
            let child = |call: &Call| if let Call::Subtask { child } = call { Some(*child) } else { None };
            self.root_of.extend(calls.iter().filter_map(child).map(|child| (child, root)));
        }
    }

    fn is_root(&mut self, task: TaskId) {
        self.root_of.insert(task, task);
    }

    fn is_below(&mut self, task: TaskId, root: TaskId) {
        self.root_of.insert(task, root);
    }

    /// The tree that an event is about.
    fn root(&self, event: &Event) -> Option<TaskId> {
        self.root_of.get(&task_of(event)?).copied()
    }
}

/// Which lines of a journal are left, and what they lead to.
struct Rest {
    place: Place,
    trees: Trees,
    /// The trees whose lines stay.
    stay: BTreeSet<TaskId>,
    /// Profiles that went down before anything that stays, and did not come up again: with the line that says so, and which one it is.
    down: Vec<(ProfileId, Position, usize, String)>,
    /// Of each line, in their order.
    stays: Vec<bool>,
    /// How many stay.
    lines: u64,
    known: Known,
}

impl Rest {
    fn new(place: Place, trees: Trees, stay: BTreeSet<TaskId>, settings: Settings) -> Self {
        Self {
            place,
            trees,
            stay,
            down: Vec::new(),
            stays: Vec::new(),
            lines: 0,
            known: Known::new(settings),
        }
    }

    fn take(&mut self, line: Line<'_>) -> Result<(), ShellError> {
        self.stays.push(false);
        let event = match &line.entry.event {
            Recorded::Tree(record) => Event::from(record.clone()),
            Recorded::Outbox { root, .. } => return self.take_of(*root, line),
            Recorded::Submitted { task: root, .. }
            | Recorded::Attempted { task: root, .. }
            | Recorded::Begun { task: root, .. }
            | Recorded::Retry { task: root, .. } => return self.take_of(*root, line),
            // Of a root, which may be an attempt.
            Recorded::NoPlace { task } | Recorded::Questions { root: task, .. } => {
                let root = self.trees.root_of.get(task).copied().unwrap_or(*task);
                return self.take_of(root, line);
            }
            // How they stand in the end is said in one line each.
            Recorded::Credential { .. }
            | Recorded::Stands { .. }
            | Recorded::Pool(_)
            | Recorded::PoolStands { .. } => return Ok(()),
        };
        // Who hears of a profile is every tree; while there is none, all that counts is how it stands in the end.
        if self.lines == 0 {
            if let Event::ProfileDown { profile } = event {
                self.down.push((profile, line.at, self.stays.len() - 1, line.text.to_owned()));
                return Ok(());
            }
            if let Event::ProfileUp { profile } = event {
                self.down.retain(|(down, ..)| *down != profile);
                return Ok(());
            }
        }
        if let Some(root) = self.trees.root(&event) {
            return self.take_of(root, line);
        }
        self.keep_down()?;
        self.keep_last(line)
    }

    /// A line of the tree of a root.
    fn take_of(&mut self, root: TaskId, line: Line<'_>) -> Result<(), ShellError> {
        if !self.stay.contains(&root) {
            return Ok(());
        }
        self.keep_down()?;
        self.keep_last(line)
    }

    /// From here on somebody hears of profiles.
    fn keep_down(&mut self) -> Result<(), ShellError> {
        for (_, at, index, text) in std::mem::take(&mut self.down) {
            self.keep(index, Line::read(self.place.shard, at, &text)?)?;
        }
        Ok(())
    }

    fn keep_last(&mut self, line: Line<'_>) -> Result<(), ShellError> {
        self.keep(self.stays.len() - 1, line)
    }

    fn keep(&mut self, index: usize, line: Line<'_>) -> Result<(), ShellError> {
        self.stays[index] = true;
        self.lines += 1;
        take(&mut self.known, self.place, line)
    }
}

/// What takes the place of a journal: the lines that stay, and how credentials and the pool stand.
struct Shortened {
    shard: ShardId,
    /// Of each line that is still to come.
    stays: std::vec::IntoIter<bool>,
    standing: Vec<String>,
    /// The batch that is still to be written.
    next: Batch,
    until: Position,
}

impl Shortened {
    /// What is there, as a batch that ends before this position.
    fn cut(&mut self, next: Position) -> Batch {
        Batch { next, ..std::mem::replace(&mut self.next, Batch::at(next)) }
    }

    fn is_full(&self) -> bool {
        self.next.lines >= LINES_MAX || self.next.text.len() >= BYTES_MAX
    }

    /// The journal has not the lines that were looked at.
    fn damaged(&self, at: Position) -> StoreError {
        Trouble::Damaged { what: "it has other lines than before", at }.of(self.shard)
    }
}

impl Rewriting for Shortened {
    fn take(&mut self, batch: &Batch) -> Result<Vec<Batch>, StoreError> {
        let mut full = Vec::new();
        for (line, at) in batch.lines().zip(batch.first.0..) {
            if !self.stays.next().ok_or_else(|| self.damaged(batch.first))? {
                continue;
            }
            if self.is_full() {
                full.push(self.cut(Position(at)));
            }
            self.next.push(line);
        }
        Ok(full)
    }

    fn rest(&mut self) -> Result<Vec<Batch>, StoreError> {
        if self.stays.next().is_some() {
            return Err(self.damaged(self.until));
        }
        for line in std::mem::take(&mut self.standing) {
            self.next.push(&line);
        }
        Ok(vec![self.cut(self.until)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::fact::Fact;
    use crate::history::{PLACE, history, known_after, known_under, settings};
    use crate::replay::recover;
    use downbeat_kernel::{
        Attempt, Budget, Conclusion, Config, News, NotificationEvent, NotificationNumber, RequestId,
        TurnNumber,
    };
    use downbeat_store::{Opened, Sqlite};
    use std::path::{Path, PathBuf};

    /// A folder for the files of a test, which removes it.
    struct Folder(PathBuf);

    impl Folder {
        fn of(test: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("downbeat-{test}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder for the test");
            Self(folder)
        }

        fn file(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // Nothing depends on it.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn batch(first: u64, entries: &[Entry]) -> Batch {
        let mut batch = Batch::at(Position(first));
        for entry in entries {
            batch.push(&entry.line().expect("it is written"));
        }
        batch
    }

    /// A store with these entries, in two batches, and the snapshot between them.
    async fn stored(
        path: &Path,
        settings: Settings,
        entries: &[Entry],
        taken: usize,
    ) -> (Sqlite, Lease, Snapshot) {
        let store = Sqlite::open(path).await.expect("a store");
        let Opened { lease, .. } = store.open(PLACE.shard).await.expect("nobody has it");
        let between = taken as u64 + 1;
        for batch in [batch(1, &entries[..taken]), batch(between, &entries[taken..])] {
            if !batch.is_empty() {
                store.append(lease, &batch).await.expect("it is appended");
            }
        }
        let snapshot = encode(&known_under(settings, &entries[..taken]), PLACE, Position(between));
        (store, lease, snapshot.expect("it is written"))
    }

    #[tokio::test]
    async fn journal_that_is_compacted_anywhere_leads_to_the_same_with_its_snapshot_and_without() {
        let history = history();
        let (end, next) = (known_after(&history), Position(history.len() as u64 + 1));
        let (folder, mut fewest) = (Folder::of("compacted"), u64::MAX);
        for taken in 1..=history.len() {
            let (store, lease, snapshot) =
                stored(&folder.file(&format!("{taken}.db")), settings(), &history, taken).await;
            let known = known_after(&history[..taken]);
            let (place, settings) = (PLACE, settings());
            let (held, standing) = (known.held(), known.standing());
            let compaction = Compaction { place, settings, lease, snapshot: &snapshot, held, standing };
            let lines = compaction.run(&store).await.expect("it is compacted").expect("it can be");
            fewest = fewest.min(lines * 100 / taken as u64);
            let batches = store.read(PLACE.shard, Position(1), u64::MAX).await.expect("they are read");
            let before: Vec<_> = batches.iter().filter(|batch| batch.first < snapshot.next).collect();
            let (full, last) = (before.len() as u64 - 1, before[before.len() - 1].lines);
            assert_eq!(full * LINES_MAX + last, lines, "compacted at {taken}: full ones, and the rest");

            let (without, from) = recover(&store, PLACE, settings, next).await.expect("it is replayed");
            assert_eq!((&without, from), (&end, Position(1)), "compacted at {taken}");
            store.keep(lease, &snapshot).await.expect("it is kept");
            let (with, from) = recover(&store, PLACE, settings, next).await.expect("it is replayed");
            assert_eq!((&with, from), (&end, snapshot.next), "snapshot at {taken}");
        }
        assert!(fewest < 50, "at best {fewest} % of the lines are left");
    }

    /// Nobody else writes to it, so that is a defect. It must not cost lines.
    #[test]
    fn journal_with_other_lines_than_before_is_not_replaced() {
        let there = batch(1, &history()[..3]);
        for (name, stays, at) in [("more", vec![true, false], 1), ("fewer", vec![true; 4], 4)] {
            let (stays, next, until) = (stays.into_iter(), Batch::at(Position(1)), Position(4));
            let mut shortened = Shortened { shard: PLACE.shard, stays, standing: vec![], next, until };
            let written = shortened.take(&there).and_then(|_| shortened.rest());
            let what = "it has other lines than before";
            let damaged = Trouble::Damaged { what, at: Position(at) };
            assert_eq!(written.expect_err("it is found").trouble, damaged, "{name}");
        }
    }

    /// One subtask is refused because of a task of another tree, which is over later: without its lines there would have been room.
    #[tokio::test]
    async fn journal_stays_as_it_is_where_trees_have_touched_each_other() {
        let (folder, one, other) = (Folder::of("touched"), TaskId(1), TaskId(2));
        let submitted = |task| Event::TaskSubmitted { task, budget: Budget::default() };
        let request = RequestId { task: one, turn: TurnNumber(1), attempt: Attempt(0) };
        let response = Response::Calls(vec![Call::Subtask { child: TaskId(3) }]);
        let number = NotificationNumber(1);
        let news = News::Concluded(Conclusion::Cancelled);
        let of_outbox = |event| Fact::Outbox { root: other, event };
        let events = [
            submitted(one).into(),
            submitted(other).into(),
            Event::Admitted { task: one }.into(),
            Event::Initialized { task: one }.into(),
            Event::ResponseEnded { request, response, jitter_ms: 0 }.into(),
            Event::CancelRequested { task: other }.into(),
            of_outbox(NotificationEvent::Posted { number, news }),
            Event::EndAcknowledged { task: other }.into(),
            of_outbox(NotificationEvent::Acknowledged { number }),
        ];
        let entries =
            events.map(|fact: Fact| Entry { at_ms: 1, event: fact.into(), bill: None, text: vec![] });
        let (taken, next) = (entries.len(), Position(entries.len() as u64 + 1));
        for (name, tasks_max, lines) in [("full", 2, None), ("roomy", 3, Some(4))] {
            let kernel = Config { tasks_max, profiles_keyed: 0b11, ..settings().kernel };
            let (place, settings) = (PLACE, Settings { kernel, pool: None });
            let (store, lease, snapshot) =
                stored(&folder.file(&format!("{name}.db")), settings, &entries, taken).await;
            let known = known_under(settings, &entries);
            let (held, standing) = (known.held(), known.standing());
            let compaction = Compaction { place, settings, lease, snapshot: &snapshot, held, standing };
            assert_eq!(compaction.run(&store).await.expect("it is read"), lines, "{name}");
            let (known, _) = recover(&store, PLACE, settings, next).await.expect("it is replayed");
            assert_eq!(known, known_under(settings, &entries), "{name}");
        }
    }
}
