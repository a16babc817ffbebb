//! A trace as it is explained: tree by tree, task by task.

use downbeat_trace::{End, Event, Field, Key, Kind, Name, Place};
use hashbrown::HashMap;

use crate::{LEFT_OUT, Order};

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
}

/// A task of a tree, by number: the root is 0.
pub(crate) type TaskIndex = usize;

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
    /// Of an answer: whether it names the question that it settles; of others true.
    pub(crate) is_apt: bool,
    /// Of a response, and of a request: what follows on it.
    pub(crate) hint: Hint,
}

/// What follows on a response, or on a request, before the next request of its task, as far as the trace says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Hint {
    pub(crate) calls: usize,
    /// Tools that began.
    pub(crate) ran: usize,
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
    /// A task whose beginning is not in the trace, though others are.
    pub(crate) unbegun: Option<TaskIndex>,
    /// In the order of lines.
    pub(crate) entries: Vec<Entry>,
    /// Those of each task, as places in `entries`.
    pub(crate) of_task: Vec<Vec<usize>>,
}

/// The trees of a trace.
pub(crate) fn trees<'e>(events: impl IntoIterator<Item = (Place, Event<'e>)>, order: Order) -> Vec<Tree> {
    let mut said = Vocabulary::default();
    let mut kept: Vec<(Place, Event<'e>)> = Vec::new();
    let mut parents: HashMap<Key, Key, foldhash::fast::FixedState> = HashMap::default();
    for (place, event) in events {
        if LEFT_OUT.contains(&event.kind) {
            continue;
        }
        said.0 |= 1 << event.kind as u32;
        if let (Kind::TaskStarted, Some(task), Some(parent)) =
            (event.kind, event.get(Field::Task), event.get(Field::Parent))
        {
            parents.entry(task.into()).or_insert_with(|| parent.into());
        }
        kept.push((place, event));
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
                hint: Hint::default(),
            });
        }
        let names: Vec<_> = tasks.0.iter().map(|(_, name)| name.to_string()).collect();
        let mut of_task = vec![Vec::new(); names.len().max(1)];
        for (at, entry) in entries.iter().enumerate() {
            of_task[entry.task].push(at);
        }
        let hints = hints(&entries, &of_task, order == Order::Lines);
        for (at, hint) in hints {
            entries[at].hint = hint;
        }
        let is_beginning = |at: &&usize| entries[**at].kind == Kind::TaskStarted;
        let beginnings: Vec<_> = of_task.iter().map(|list| list.iter().find(is_beginning)).collect();
        let parents = beginnings.iter().map(|at| at.and_then(|at| entries[*at].other)).collect();
        let unbegun =
            if said.has(Kind::TaskStarted) { beginnings.iter().position(Option::is_none) } else { None };
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
fn hints(entries: &[Entry], of_task: &[Vec<usize>], is_ordered: bool) -> Vec<(usize, Hint)> {
    let mut hints = Vec::new();
    for (task, list) in of_task.iter().enumerate() {
        for (nth, at) in list.iter().enumerate() {
            let entry = &entries[*at];
            let is_response = entry.kind == Kind::RequestEnded && entry.end == Some(End::Completed);
            if !is_response && entry.kind != Kind::RequestStarted {
                continue;
            }
            let after = &list[nth + 1..];
            let next = after.iter().position(|at| entries[*at].kind == Kind::RequestStarted);
            let until = next.map_or(entries.len(), |next| after[next]);
            let own = after.iter().take(next.unwrap_or(after.len())).map(|at| &entries[*at]);
            let mut hint = Hint::default();
            for entry in own {
                hint.calls += usize::from(entry.kind == Kind::ToolCall);
                hint.ran += usize::from(entry.kind == Kind::ToolStarted);
                hint.questions += usize::from(entry.kind == Kind::Question);
                hint.completes |= entry.kind == Kind::TaskEnded && entry.end == Some(End::Completed);
            }
            let between = entries.get(*at..until).unwrap_or_default();
            let is_own = |entry: &&Entry| entry.kind == Kind::TaskStarted && entry.other == Some(task);
            let between = between.iter().filter(is_own).count();
            hint.subtasks =
                if is_ordered { (between, between) } else { (0, entries.iter().filter(is_own).count()) };
            hints.push((*at, hint));
        }
    }
    hints
}
