//! A trace as it is explained: tree by tree, task by task.

use downbeat_trace::{End, Event, Field, Key, Kind, Name, Place};
use hashbrown::HashMap;

use crate::{Order, is_left_out};

/// The kinds that a trace has at all, a bit each: what is written down of something is written down wherever it happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vocabulary(u64);

impl Vocabulary {
    /// Of an observer who sees everything.
    #[cfg(test)]
    pub(crate) fn everything() -> Self {
        Self(u64::MAX)
    }

    pub(crate) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Whether anything is written down of calls.
    pub(crate) fn has_calls(self) -> bool {
        [Kind::ToolCall, Kind::ToolStarted, Kind::ToolResult].into_iter().any(|kind| self.has(kind))
    }
}

/// A task of a tree, by number: the first that is named is 0.
pub(crate) type TaskIndex = usize;

/// Whether a line says something that no line has said before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It does.
    New,
    /// It is written down again, as after a restart.
    Again,
    /// Nothing came of it: a call of a response that broke off, or a response that was lost.
    Void,
}

/// What happened, with names as numbers.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) task: TaskIndex,
    pub(crate) at_ms: Option<f64>,
    pub(crate) end: Option<End>,
    /// The parent, or the child, by number.
    pub(crate) other: Option<TaskIndex>,
    pub(crate) turn: Option<u64>,
    pub(crate) attempt: Option<u64>,
    /// The call, the message or the question, by number within the tree.
    pub(crate) named: Option<usize>,
    /// Whether no line before has that name.
    pub(crate) is_first: bool,
    /// Of an answer: whether it names the question that it settles; of others true.
    pub(crate) is_apt: bool,
    pub(crate) news: News,
    /// Of a response, and of a request: what follows on it.
    pub(crate) hint: Hint,
}

/// What follows on a response, or on a request, before the next request of its task, as far as the trace says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Hint {
    pub(crate) calls: usize,
    /// Tools that began.
    pub(crate) ran: usize,
    /// Calls that have a result: tools, and whatever else is a call to whoever writes down.
    pub(crate) results: usize,
    /// From so many to so many: lines of different tasks may say nothing of what came first.
    pub(crate) subtasks: (usize, usize),
    pub(crate) questions: usize,
    pub(crate) completes: bool,
}

/// The events of one tree.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) said: Vocabulary,
    /// Their names.
    pub(crate) tasks: Vec<String>,
    /// Whose subtasks they are, where the trace says so.
    pub(crate) parents: Vec<Option<TaskIndex>>,
    /// How many messages of each are in the trace.
    pub(crate) messages: Vec<u32>,
    /// Whether anything shows that something was cancelled: a cancel that nobody wrote down shows in nothing else.
    pub(crate) may_cancel: bool,
    /// Whether anything shows that a task failed.
    pub(crate) may_fail: bool,
    /// A task whose beginning is not in the trace, though others are; where no beginning is, one of which the trace has nothing but
    /// its result.
    pub(crate) unbegun: Option<TaskIndex>,
    /// In the order of lines.
    pub(crate) entries: Vec<Entry>,
    /// Those of each task, as places in `entries`.
    pub(crate) of_task: Vec<Vec<usize>>,
}

impl Tree {
    /// A task, its parent, and so on. A circle ends.
    fn line(&self, task: TaskIndex) -> impl Iterator<Item = TaskIndex> {
        let above = |task: &TaskIndex| self.parents.get(*task).copied().flatten();
        std::iter::successors(Some(task), above).take(self.tasks.len())
    }

    /// The task above all others. In a circle, anyone.
    pub(crate) fn root(&self) -> TaskIndex {
        self.line(0).last().unwrap_or(0)
    }

    /// How many tasks are above the one that is lowest.
    pub(crate) fn depth(&self) -> usize {
        // Each is as deep as its parent and one more; what is above a task is counted once.
        let mut depths: Vec<Option<usize>> = vec![None; self.tasks.len()];
        for task in 0..self.tasks.len() {
            let unknown: Vec<_> = self.line(task).take_while(|task| depths[*task].is_none()).collect();
            let above = unknown.last().and_then(|last| self.parents[*last]).and_then(|above| depths[above]);
            for (depth, task) in (above.map_or(0, |above| above + 1)..).zip(unknown.into_iter().rev()) {
                depths[task] = Some(depth);
            }
        }
        depths.into_iter().flatten().max().unwrap_or(0)
    }
}

/// The trees of a trace.
pub(crate) fn trees<'e>(events: impl IntoIterator<Item = (Place, Event<'e>)>, order: Order) -> Vec<Tree> {
    let mut said = Vocabulary::default();
    let mut kept: Vec<(Place, Event<'e>)> = Vec::new();
    let mut parents: HashMap<Key, Key, foldhash::fast::FixedState> = HashMap::default();
    for (place, event) in events {
        if is_left_out(event.kind) {
            continue;
        }
        said.0 |= 1 << event.kind as u32;
        kept.push((place, event));
    }
    for (_, event) in &kept {
        if let Some((task, parent)) = parentage(event, said) {
            parents.entry(task.into()).or_insert_with(|| parent.into());
        }
    }
    let mut places: HashMap<Key, usize, foldhash::fast::FixedState> = HashMap::default();
    let mut trees: Vec<Building<'_, 'e>> = Vec::new();
    for (place, event) in &kept {
        match event.get(Field::Task) {
            Some(task) => {
                let root = root(&parents, task);
                let at = *places.entry(root).or_insert_with(|| {
                    trees.push(Building::default());
                    trees.len() - 1
                });
                trees[at].events.push((*place, event));
            }
            // A restart is one of every tree that has begun.
            None => trees.iter_mut().for_each(|tree| tree.events.push((*place, event))),
        }
    }
    trees.into_iter().map(|tree| tree.build(said, order)).collect()
}

/// Whose subtask a task is, if an event tells that: the beginning of the task, or where no beginning is in the trace its result.
fn parentage<'n>(event: &'n Event<'_>, said: Vocabulary) -> Option<(&'n Name<'n>, &'n Name<'n>)> {
    let task = event.get(Field::Task)?;
    if event.kind == Kind::TaskStarted {
        return Some((task, event.get(Field::Parent)?));
    }
    let is_result = event.kind == Kind::ResultDelivered && !said.has(Kind::TaskStarted);
    Some((event.get(Field::Child).filter(|_| is_result)?, task))
}

/// Whoever is above all others. In a circle, anyone.
fn root(parents: &HashMap<Key, Key, foldhash::fast::FixedState>, task: &Name<'_>) -> Key {
    let mut root = Key::from(task);
    for _ in 0..=parents.len() {
        match parents.get(&root) {
            Some(parent) => root = parent.clone(),
            None => break,
        }
    }
    root
}

#[derive(Default)]
struct Building<'b, 'e> {
    events: Vec<(Place, &'b Event<'e>)>,
}

/// Names as numbers, in the order in which they come.
#[derive(Default)]
struct Names(Vec<(usize, Key)>, HashMap<(usize, Key), usize, foldhash::fast::FixedState>);

impl Names {
    fn of(&mut self, within: usize, name: &Name<'_>) -> usize {
        let key = (within, Key::from(name));
        if let Some(at) = self.1.get(&key) {
            return *at;
        }
        self.0.push(key.clone());
        self.1.insert(key, self.0.len() - 1);
        self.0.len() - 1
    }
}

impl Building<'_, '_> {
    fn build(self, said: Vocabulary, order: Order) -> Tree {
        let (mut tasks, mut things) = (Names::default(), Names::default());
        let mut entries = Vec::with_capacity(self.events.len());
        for (place, event) in &self.events {
            let task = event.get(Field::Task).map(|name| tasks.of(0, name));
            let other = event.get(Field::Parent).or_else(|| event.get(Field::Child));
            let other = other.map(|name| tasks.of(0, name));
            // A thing is one of its task: two tasks may name theirs alike.
            let things_of = [Field::Call, Field::Message, Field::Settles, Field::Question];
            let named = things_of.iter().find_map(|field| Some((*field, event.get(*field)?)));
            let named = named.map(|(field, name)| {
                let field = if field == Field::Settles { Field::Question } else { field };
                things.of(task.unwrap_or(0) * 64 + field as usize, name)
            });
            let settles = event.get(Field::Settles);
            entries.push(Entry {
                place: *place,
                kind: event.kind,
                task: task.unwrap_or(0),
                at_ms: event.at_ms,
                end: event.end,
                other,
                turn: event.number(Field::Turn),
                attempt: event.number(Field::Attempt),
                named,
                is_apt: settles.is_none() || settles == event.get(Field::Question),
                is_first: false,
                news: News::New,
                hint: Hint::default(),
            });
        }
        let names: Vec<_> = tasks.0.iter().map(|(_, name)| name.to_string()).collect();
        lose_responses(&mut entries);
        hold_calls(&mut entries, said);
        let mut is_named = vec![false; things.0.len()];
        let mut told: HashMap<_, (), foldhash::fast::FixedState> = HashMap::default();
        for entry in entries.iter_mut().filter(|entry| entry.news != News::Void) {
            if let Some(named) = entry.named {
                entry.is_first = !std::mem::replace(&mut is_named[named], true);
            }
            if entry.named.is_some() || entry.other.is_some() {
                let what = (entry.kind as u32, entry.task, entry.named, entry.other);
                if told.insert(what, ()).is_some() {
                    entry.news = News::Again;
                }
            }
        }
        let mut of_task = vec![Vec::new(); names.len().max(1)];
        for (at, entry) in entries.iter().enumerate() {
            of_task[entry.task].push(at);
        }
        let hints = hints(&entries, &of_task, said, order == Order::Lines);
        for (at, hint) in hints {
            entries[at].hint = hint;
        }
        let is_beginning = |at: &&usize| entries[**at].kind == Kind::TaskStarted;
        let beginnings: Vec<_> = of_task.iter().map(|list| list.iter().find(is_beginning)).collect();
        let mut parents: Vec<_> = beginnings.iter().map(|at| at.and_then(|at| entries[*at].other)).collect();
        let mut unbegun = beginnings.iter().position(Option::is_none);
        if !said.has(Kind::TaskStarted) {
            for entry in entries.iter().filter(|entry| entry.kind == Kind::ResultDelivered) {
                if let Some(child) = entry.other {
                    parents[child].get_or_insert(entry.task);
                }
            }
            unbegun = of_task.iter().position(Vec::is_empty);
        }
        let messages = of_task.iter().map(|list| count_messages(&entries, list)).collect();
        let is_any = |is_such: fn(&Entry) -> bool| entries.iter().any(is_such);
        let may_cancel = !said.has(Kind::TaskEnded)
            || is_any(|entry| matches!(entry.end, Some(End::Cancelled | End::Stopped)))
            || is_any(|entry| entry.kind == Kind::MessageReturned);
        let may_fail = !said.has(Kind::TaskEnded)
            || is_any(|entry| entry.kind == Kind::TaskEnded && entry.end == Some(End::Failed));
        Tree { said, tasks: names, parents, may_cancel, may_fail, messages, unbegun, entries, of_task }
    }
}

/// A response is lost, with its calls, if its process died before it was on record: after the restart the same turn is sent again.
fn lose_responses(entries: &mut [Entry]) {
    /// The last response of a task, and the restart after it.
    struct Last {
        task: TaskIndex,
        turn: Option<u64>,
        response: usize,
        restart: Option<usize>,
    }
    let mut last: Vec<Last> = Vec::new();
    for at in 0..entries.len() {
        let Entry { kind, task, turn, end, .. } = entries[at];
        let known = last.iter().position(|last| last.task == task);
        if kind == Kind::Restart {
            for last in &mut last {
                last.restart.get_or_insert(at);
            }
        } else if kind == Kind::RequestEnded && end == Some(End::Completed) && turn.is_some() {
            known.map(|known| last.swap_remove(known));
            last.push(Last { task, turn, response: at, restart: None });
        } else if kind == Kind::RequestStarted
            && let Some(last) = known.map(|known| last.swap_remove(known))
            && last.turn == turn
            && let Some(restart) = last.restart
        {
            for entry in &mut entries[last.response..restart] {
                let is_of_it = [Kind::RequestEnded, Kind::ToolCall, Kind::ToolStarted, Kind::ToolResult];
                if entry.task == task && is_of_it.contains(&entry.kind) {
                    entry.news = News::Void;
                }
            }
        }
    }
}

/// Calls may be written down while the response comes that makes them. They are held until its end; those of a response that broke
/// off, or has no end in the trace, are void.
fn hold_calls(entries: &mut Vec<Entry>, said: Vocabulary) {
    if !said.has(Kind::RequestEnded) {
        return;
    }
    // The calls so far of the responses that are coming.
    let mut held: Vec<(TaskIndex, Vec<Entry>)> = Vec::new();
    let mut ordered = Vec::with_capacity(entries.len());
    let void = |calls: Vec<Entry>| calls.into_iter().map(|call| Entry { news: News::Void, ..call });
    for entry in entries.drain(..) {
        let at = held.iter().position(|(task, _)| *task == entry.task);
        match at {
            Some(at) if entry.kind == Kind::ToolCall => held[at].1.push(entry),
            Some(at) if entry.kind == Kind::RequestStarted => {
                ordered.extend(void(std::mem::take(&mut held[at].1)));
                ordered.push(entry);
            }
            Some(at) if entry.kind == Kind::RequestEnded => {
                let (_, calls) = held.swap_remove(at);
                let is_whole = entry.end == Some(End::Completed) && entry.news != News::Void;
                let at_ms = entry.at_ms;
                ordered.push(entry);
                if is_whole {
                    ordered.extend(calls.into_iter().map(|call| Entry { at_ms, ..call }));
                } else {
                    ordered.extend(void(calls));
                }
            }
            Some(_) | None => {
                if at.is_none() && entry.kind == Kind::RequestStarted {
                    held.push((entry.task, Vec::new()));
                }
                ordered.push(entry);
            }
        }
    }
    ordered.extend(held.into_iter().flat_map(|(_, calls)| void(calls)));
    *entries = ordered;
}

/// Messages of one task.
fn count_messages(entries: &[Entry], list: &[usize]) -> u32 {
    let is_message =
        |kind| matches!(kind, Kind::MessageQueued | Kind::MessageDelivered | Kind::MessageReturned);
    let of_messages = list.iter().map(|at| &entries[*at]).filter(|entry| is_message(entry.kind));
    let mut named: Vec<_> = of_messages.filter_map(|entry| entry.named).collect();
    named.sort_unstable();
    named.dedup();
    u32::try_from(named.len()).unwrap_or(u32::MAX)
}

/// What follows on each response and each request.
fn hints(
    entries: &[Entry],
    of_task: &[Vec<usize>],
    said: Vocabulary,
    is_ordered: bool,
) -> Vec<(usize, Hint)> {
    let mut hints = Vec::new();
    // Where no request is seen to begin, what follows on a response is what comes before the next one ends.
    let bound = if said.has(Kind::RequestStarted) { Kind::RequestStarted } else { Kind::RequestEnded };
    let asks = if said.has(Kind::Question) { Kind::Question } else { Kind::Answer };
    for (task, list) in of_task.iter().enumerate() {
        for (nth, at) in list.iter().enumerate() {
            let entry = &entries[*at];
            let is_response = entry.kind == Kind::RequestEnded && entry.end == Some(End::Completed);
            if !is_response && entry.kind != Kind::RequestStarted {
                continue;
            }
            let after = &list[nth + 1..];
            let next = after.iter().position(|at| entries[*at].kind == bound);
            let until = next.map_or(entries.len(), |next| after[next]);
            let own = after.iter().take(next.unwrap_or(after.len())).map(|at| &entries[*at]);
            let own: Vec<_> = own.collect();
            let of = |kind| own.iter().filter(move |entry| entry.kind == kind && entry.news == News::New);
            let named = |kind| of(kind).count();
            let mut hint = Hint {
                calls: named(Kind::ToolCall),
                ran: named(Kind::ToolStarted),
                results: named(Kind::ToolResult),
                subtasks: (0, 0),
                questions: named(asks),
                completes: of(Kind::TaskEnded).any(|entry| entry.end == Some(End::Completed)),
            };
            hint.subtasks = if said.has(Kind::TaskStarted) {
                let within = if is_ordered { entries.get(*at..until).unwrap_or_default() } else { entries };
                let is_own = |entry: &&Entry| {
                    entry.kind == Kind::TaskStarted && entry.other == Some(task) && entry.news == News::New
                };
                let begun = within.iter().filter(is_own).count();
                (if is_ordered { begun } else { 0 }, begun)
            } else {
                // Known by their results; if nobody writes these down either, or nothing is sent any more, there may be one.
                let known = named(Kind::ResultDelivered);
                let may_be_more = !said.has(Kind::ResultDelivered) || next.is_none();
                (known, known + usize::from(may_be_more))
            };
            hints.push((*at, hint));
        }
    }
    hints
}
