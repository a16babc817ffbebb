//! What is shown of a journal: all of it in rows, one task line by line, or one moment.

use crate::change::{Change, changes};
use crate::command::{Format, PastArgs};
use crate::error::PastError;
use crate::follow::Follow;
use crate::place;
use crate::say::Sayer;
use crate::settings::Settings;
use crate::{json, text};
use downbeat_kernel::{Kernel, Task, TaskId};
use downbeat_shell::{OnRecord, Order, Recorded};
use downbeat_store::{ShardId, Store};
use downbeat_wiring::root_of;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// A journal, and where it is shown.
pub(crate) struct Show<'s> {
    pub(crate) store: &'s dyn Store,
    pub(crate) settings: Settings,
    pub(crate) args: &'s PastArgs,
    pub(crate) format: Format,
    pub(crate) out: &'s mut dyn Write,
}

impl<'s> Show<'s> {
    /// What is asked for.
    pub(crate) async fn run(&mut self) -> Result<(), PastError> {
        let path = place::name(self.args.path());
        match self.format {
            Format::Text => {
                let settings = text::settings(&self.settings);
                let shards = match self.settings.config.shards {
                    1 => "1 shard".to_owned(),
                    shards => format!("{shards} shards"),
                };
                writeln!(self.out, "{path}: {shards}; {settings}\n")?;
            }
            Format::Json => writeln!(self.out, "{}", json::journal(&path, &self.settings))?,
        }
        match (self.args.at, self.args.task) {
            (Some(at), task) => {
                let shard = self.shard_of(task.map(TaskId))?;
                self.moment(shard, at, task.map(TaskId)).await
            }
            (None, Some(task)) => {
                let shard = self.shard_of(Some(TaskId(task)))?;
                self.story(shard, TaskId(task)).await
            }
            (None, None) => self.overview().await,
        }
    }

    /// The shard of a task, or the one that is named, or the only one.
    pub(crate) fn shard_of(&self, task: Option<TaskId>) -> Result<ShardId, PastError> {
        let shards = self.settings.config.shards;
        let own = task.map(|task| u32::try_from(task.0 % u64::from(shards)).unwrap_or(u32::MAX));
        match own.or(self.args.shard) {
            Some(shard) if shard < shards => Ok(ShardId(shard)),
            Some(shard) => Err(PastError::NoShard { shard, shards }),
            None if shards == 1 => Ok(ShardId(0)),
            None => Err(PastError::WhichShard { shards }),
        }
    }

    pub(crate) async fn follow(&self, shard: ShardId) -> Result<Follow<'s>, PastError> {
        Follow::open(self.store, shard, &self.settings.config, self.args.until).await
    }

    /// Every shard, with its tasks that live. Of one that is broken what comes before is shown.
    async fn overview(&mut self) -> Result<(), PastError> {
        let shards = 0..self.settings.config.shards;
        let asked = |shard: &u32| self.args.shard.is_none_or(|asked| asked == *shard);
        let mut first = Ok(());
        let shards: Vec<_> = shards.filter(asked).collect();
        if let (Some(shard), true) = (self.args.shard, shards.is_empty()) {
            return Err(PastError::NoShard { shard, shards: self.settings.config.shards });
        }
        for shard in shards {
            let mut follow = self.follow(ShardId(shard)).await?;
            let read = read(&mut follow).await;
            match self.format {
                Format::Text => {
                    write!(self.out, "{}", text::shard(&follow))?;
                    if !self.args.is_quiet {
                        writeln!(self.out, "{}", text::tasks(&follow))?;
                    }
                }
                Format::Json => {
                    writeln!(self.out, "{}", json::shard(&follow))?;
                    let sayer = Sayer::new(&follow);
                    for task in text::rows(&follow, &sayer).into_iter().filter(|_| !self.args.is_quiet) {
                        writeln!(self.out, "{}", json::task(&follow, &sayer, task))?;
                    }
                }
            }
            first = first.and(read);
        }
        first
    }

    /// One task from its first line to its last, and how it stands then.
    async fn story(&mut self, shard: ShardId, task: TaskId) -> Result<(), PastError> {
        let mut follow = self.follow(shard).await?;
        let mut story = Story::of(task, self.args.has_tree);
        let told = self.tell(&mut follow, &mut story).await;
        if !story.is_seen {
            told?;
            return Err(PastError::NoTask { task, compacted: follow.compacted() });
        }
        match self.format {
            Format::Text => {
                let counts = follow.counts();
                writeln!(self.out, "after line {}:", counts.last)?;
                for member in story.shown(follow.replay().kernel()) {
                    writeln!(self.out, "  task {}", member.0)?;
                    write!(self.out, "{}", text::standing(&follow, member))?;
                }
            }
            Format::Json => {
                let sayer = Sayer::new(&follow);
                for member in story.shown(follow.replay().kernel()) {
                    writeln!(self.out, "{}", json::task(&follow, &sayer, member))?;
                }
            }
        }
        told
    }

    async fn tell(&mut self, follow: &mut Follow<'_>, story: &mut Story) -> Result<(), PastError> {
        let from = self.args.from.unwrap_or(0);
        let mut before_ms = None;
        while let Some(line) = follow.next().await? {
            let before = story.before(follow.replay().kernel(), &line);
            let orders = follow.take(line.clone())?;
            let told = story.after(follow.replay().kernel(), &line, before, &orders);
            let Some((changes, orders)) = told.filter(|_| line.at.0 >= from && !self.args.is_quiet) else {
                continue;
            };
            self.line(follow.shard(), &line, before_ms, Some(story.task), &changes, &orders)?;
            before_ms = Some(line.entry.at_ms);
        }
        Ok(())
    }

    fn line(
        &mut self,
        shard: ShardId,
        line: &OnRecord,
        before_ms: Option<u64>,
        task: Option<TaskId>,
        changes: &[(TaskId, Vec<Change>)],
        orders: &[&Order],
    ) -> Result<(), PastError> {
        let has_words = self.args.words;
        match self.format {
            Format::Text => {
                write!(self.out, "{}", text::line(line, before_ms, task, has_words))?;
                for (changed, changes) in changes {
                    if Some(*changed) != task {
                        writeln!(self.out, "        task {}", changed.0)?;
                    }
                    write!(self.out, "{}", text::consequences(changes, &[], task))?;
                }
                writeln!(self.out, "{}", text::consequences(&[], orders, task))?;
            }
            Format::Json => {
                writeln!(self.out, "{}", json::event(shard.0, line, changes, orders, has_words))?;
            }
        }
        Ok(())
    }

    /// The state before a line and after it: of the task that is asked for, or else of each that it changed.
    async fn moment(&mut self, shard: ShardId, at: u64, task: Option<TaskId>) -> Result<(), PastError> {
        let mut follow = self.follow(shard).await?;
        let line = loop {
            match follow.next().await? {
                Some(line) if line.at.0 == at => break line,
                Some(line) if line.at.0 < at => drop(follow.take(line)?),
                Some(_) | None => {
                    return Err(PastError::NoLine { at, shard, last: follow.counts().last });
                }
            }
        };
        let subject = task.or_else(|| line.task());
        let before = follow.replay().clone();
        self.stands("before", &follow, subject)?;
        let orders = follow.take(line.clone())?;
        let (old, new) = (before.kernel(), follow.replay().kernel());
        let ids: BTreeSet<_> = old.tasks().chain(new.tasks()).map(|task| task.id).collect();
        let of = |task: TaskId| (task, changes(old.task(task), new.task(task)));
        let is_meant = |task: &TaskId| self.args.task.is_none_or(|meant| meant == task.0);
        let changed = ids.into_iter().filter(is_meant).map(of).filter(|(_, changes)| !changes.is_empty());
        let (changed, orders): (Vec<_>, Vec<_>) = (changed.collect(), orders.iter().collect());
        self.line(shard, &line, None, subject, &changed, &orders)?;
        follow.replay().validate().map_err(|what| PastError::Contradiction { shard, what })?;
        self.stands("after", &follow, subject)
    }

    fn stands(&mut self, when: &str, follow: &Follow<'_>, task: Option<TaskId>) -> Result<(), PastError> {
        let Some(task) = task else { return Ok(()) };
        match self.format {
            Format::Text => {
                writeln!(self.out, "{when}: task {}", task.0)?;
                writeln!(self.out, "{}", text::standing(follow, task))?;
            }
            Format::Json => {
                writeln!(self.out, "{}", json::task(follow, &Sayer::new(follow), task))?;
            }
        }
        Ok(())
    }
}

/// Reads a shard to its end.
pub(crate) async fn read(follow: &mut Follow<'_>) -> Result<(), PastError> {
    while let Some(line) = follow.next().await? {
        follow.take(line)?;
    }
    Ok(())
}

/// The lines about one task, and those about its subtasks if they are wanted.
struct Story {
    task: TaskId,
    has_tree: bool,
    /// The task, the attempts at it, and their subtasks if they are wanted.
    members: BTreeSet<TaskId>,
    is_seen: bool,
}

/// What a line changed, and what was ordered after it.
type Told<'o> = (Vec<(TaskId, Vec<Change>)>, Vec<&'o Order>);

impl Story {
    fn of(task: TaskId, has_tree: bool) -> Self {
        Self { task, has_tree, members: BTreeSet::from([task]), is_seen: false }
    }

    /// The members that a line may change, as they are before it.
    fn before(&self, kernel: &Kernel, line: &OnRecord) -> BTreeMap<TaskId, Option<Task>> {
        // What is about no task may concern all.
        let roots: BTreeSet<_> = line
            .task()
            .into_iter()
            .chain(line.entry.bill.map(|bill| bill.root))
            .map(|task| root_of(kernel, task))
            .collect();
        let is_near = |task: &TaskId| roots.is_empty() || roots.contains(&root_of(kernel, *task));
        let near = self.members.iter().filter(|task| is_near(task));
        near.map(|task| (*task, kernel.task(*task).cloned())).collect()
    }

    /// What a line came to for the members; `None` if it was not about them.
    fn after<'o>(
        &mut self,
        kernel: &Kernel,
        line: &OnRecord,
        mut before: BTreeMap<TaskId, Option<Task>>,
        orders: &'o [Order],
    ) -> Option<Told<'o>> {
        if let Recorded::Begun { task, root, .. } = line.entry.event
            && self.members.contains(&task)
        {
            self.members.insert(root);
            before.insert(root, None);
        }
        if self.has_tree {
            let known: Vec<_> = before.keys().copied().collect();
            let children = known.into_iter().filter_map(|task| kernel.task(task));
            for child in children.flat_map(|task| task.data.calls.subtasks()) {
                if self.members.insert(child) {
                    before.insert(child, None);
                }
            }
        }
        let changed =
            before.into_iter().map(|(task, before)| (task, changes(before.as_ref(), kernel.task(task))));
        let changed: Vec<_> = changed.filter(|(_, changes)| !changes.is_empty()).collect();
        let is_member = |task: Option<TaskId>| task.is_some_and(|task| self.members.contains(&task));
        let orders: Vec<_> = orders.iter().filter(|order| is_member(order.task())).collect();
        let is_about = is_member(line.task()) || is_member(line.entry.bill.map(|bill| bill.root));
        let is_shown = is_about || !changed.is_empty() || !orders.is_empty();
        self.is_seen |= is_shown;
        is_shown.then_some((changed, orders))
    }

    /// Whose standing is shown at the end: that of the task, and of the others that are held.
    fn shown(&self, kernel: &Kernel) -> Vec<TaskId> {
        let is_shown = |task: &&TaskId| **task == self.task || kernel.task(**task).is_some();
        self.members.iter().filter(is_shown).copied().collect()
    }
}
