//! What the outside knows: it follows from the records alone, over all lives, and is judged as it comes.
//!
//! A tree of tasks is held until people know its end and nothing of it is outstanding; then it has been judged, and is forgotten. So
//! a run of any length needs room for the trees that live, and no more.

use crate::path::Path;
use crate::promise::{Promise, Verdict};
use crate::record::{Over, Record, Wished};
use crate::script::Script;
use crate::tree::{Ask, Tree};
use downbeat_kernel::{
    CallId, End, Found, Generation, MessageId, NotificationNumber, Part, RefreshEnd, RequestId, TaskId,
    WriteEnd,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many of each kind there were, over all lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) lives: u64,
    /// Lives that ended without a word.
    pub(crate) killed: u64,
    pub(crate) trees_begun: u64,
    pub(crate) trees_ended: u64,
    pub(crate) trees_cancelled: u64,
    pub(crate) tasks: u64,
    pub(crate) sends: u64,
    pub(crate) throttled: u64,
    pub(crate) failed: u64,
    pub(crate) unauthorized: u64,
    pub(crate) tools: u64,
    pub(crate) messages: u64,
    pub(crate) refreshes: u64,
    /// Notifications that came again.
    pub(crate) copies: u64,
    pub(crate) tokens: u64,
}

/// An end that people know.
type Known = (NotificationNumber, End, String);

/// Ends whose copies are known as such after whoever told people has heard that they know: until that is on record, which takes a second or
/// so, a crash has them told once more. Far fewer trees end meanwhile.
const HEARD_MAX: usize = 4_096;

#[derive(Debug)]
pub(crate) struct Ledger {
    script: Script,
    trees: BTreeMap<u64, Tree>,
    tree_of: BTreeMap<TaskId, u64>,
    /// The ends whose copies may still come, of trees that are forgotten too.
    known: BTreeMap<TaskId, Known>,
    /// Those of them of which no copy comes any more but after a crash.
    heard: VecDeque<TaskId>,
    /// The last tree that was begun; they are begun in their order.
    last: u64,
    /// What the store of credentials holds.
    stored: Generation,
    /// Generations whose refresh token was used, and for which nothing is stored yet.
    kept: BTreeSet<Generation>,
    used_last: Generation,
    /// Whether a life has begun that has not come to an orderly end.
    is_open: bool,
    /// Whether every promise was kept, once the run was judged.
    pub(crate) finished: Option<bool>,
    pub(crate) totals: Totals,
    pub(crate) verdict: Verdict,
}

impl Ledger {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            script,
            trees: BTreeMap::new(),
            tree_of: BTreeMap::new(),
            known: BTreeMap::new(),
            heard: VecDeque::new(),
            last: 0,
            stored: Generation(1),
            kept: BTreeSet::new(),
            used_last: Generation(0),
            is_open: false,
            finished: None,
            totals: Totals::default(),
            verdict: Verdict::default(),
        }
    }

    /// Takes what was written.
    pub(crate) fn take(&mut self, record: Record) {
        match record {
            Record::Run { .. } => {}
            Record::Life => {
                self.totals.lives += 1;
                self.totals.killed += u64::from(std::mem::replace(&mut self.is_open, true));
                self.trees.values_mut().for_each(Tree::lives_again);
            }
            Record::Closed => self.is_open = false,
            Record::Finished { is_kept } => self.finished = Some(is_kept),
            Record::Accepted { tree, task } => self.accepted(tree, task),
            Record::Sent { id, generation, asking } => self.sent(id, generation, asking),
            Record::Over { id, end } => self.over(id, end),
            Record::Did { call, argument } => {
                self.totals.tools += 1;
                self.of(Promise::S8, call.task, |tree, verdict| tree.did(call, &argument, verdict));
            }
            Record::Wished { task, wish } => {
                self.of(Promise::S5, task, |tree, _| tree.wished(task, wish));
            }
            Record::Heard { task, wish, is_taken } => {
                self.totals.messages += u64::from(is_taken && matches!(wish, Wished::Message(_)));
                self.of(Promise::S5, task, |tree, _| tree.heard(task, wish, is_taken));
            }
            Record::Undelivered { task, message, .. } => {
                self.of(Promise::S5, task, |tree, verdict| tree.undelivered(task, message, verdict));
            }
            Record::Progress { task, number } => self.progress(task, number),
            Record::Told { task, number, end, result, is_heard } => {
                self.told(task, (number, end, result));
                if is_heard {
                    self.heard(task);
                }
            }
            Record::Used { generation } => {
                self.totals.refreshes += 1;
                let is_new = generation > self.used_last;
                self.verdict.look(Promise::S15, is_new, || format!("that of login {}", generation.0));
                self.used_last = self.used_last.max(generation);
                self.kept.insert(Generation(generation.0 + 1));
            }
            Record::Stored { generation } => {
                self.kept.remove(&generation);
                self.stored = generation;
            }
        }
    }

    /// Something happened to a task that the outside knows.
    fn of(&mut self, promise: Promise, task: TaskId, take: impl FnOnce(&mut Tree, &mut Verdict)) {
        let number = self.tree_of.get(&task).copied();
        if let Some((number, tree)) = number.and_then(|number| Some((number, self.trees.get_mut(&number)?))) {
            take(tree, &mut self.verdict);
            self.forget_if_settled(number);
        } else {
            self.verdict.look(promise, false, || format!("task {} is over, or never began", task.0));
        }
    }

    /// The tree of this number; begun, if it is the next one.
    fn tree(&mut self, number: u64) -> Option<&mut Tree> {
        if number == self.last + 1 {
            self.last = number;
            self.totals.trees_begun += 1;
            self.trees.insert(number, Tree::new(self.script));
        }
        self.trees.get_mut(&number)
    }

    fn accepted(&mut self, number: u64, task: TaskId) {
        let is_live = self.tree(number).is_some_and(|tree| {
            tree.accepted(task);
            true
        });
        if is_live {
            self.tree_of.insert(task, number);
        }
    }

    fn sent(&mut self, id: RequestId, generation: Generation, asking: Vec<(Part, String)>) {
        self.totals.sends += 1;
        let prompt = asking.iter().find(|(part, _)| *part == Part::Prompt);
        let path = prompt.and_then(|(_, text)| Path::of(text));
        if let Some(path) = path.filter(|_| !self.tree_of.contains_key(&id.task)) {
            let number = path.tree;
            if self.tree(number).is_some() {
                self.tree_of.insert(id.task, number);
            }
        }
        let asked = Ask { id, generation, asking };
        let mut is_new = false;
        self.of(Promise::S7, id.task, |tree, verdict| is_new = tree.sent(asked, verdict));
        self.totals.tasks += u64::from(is_new);
    }

    fn over(&mut self, id: RequestId, end: Over) {
        let totals = &mut self.totals;
        match end {
            Over::Whole { tokens } => totals.tokens += tokens,
            Over::Throttled => totals.throttled += 1,
            Over::Broken => totals.failed += 1,
            Over::Unauthorized => totals.unauthorized += 1,
            Over::Stopped => {}
        }
        // A send of a task that has ended may still be on its way at the provider.
        if let Some(tree) = self.tree_of.get(&id.task).and_then(|number| self.trees.get_mut(number)) {
            tree.over(id, end);
        }
    }

    /// The next one, or a copy of the last; nothing follows an end.
    fn progress(&mut self, task: TaskId, number: NotificationNumber) {
        let last = self.tree_of.get(&task).and_then(|tree| self.trees.get_mut(tree));
        let is_fit = last.is_some_and(|live| {
            self.totals.copies += u64::from(number == live.progress);
            let last = std::mem::replace(&mut live.progress, number);
            live.is_root(task) && live.told.is_none() && (number == last || number.0 == last.0 + 1)
        });
        self.verdict
            .look(Promise::S24, is_fit, || format!("progress of task {}, number {}", task.0, number.0));
    }

    fn told(&mut self, task: TaskId, known: Known) {
        let (number, end, ref result) = known;
        let what = || format!("of task {} as {end:?}, number {}", task.0, number.0);
        if let Some(tree) = self.tree_of.get(&task).copied()
            && let Some(live) = self.trees.get_mut(&tree)
            && live.is_root(task)
            && live.told.is_none()
        {
            self.verdict.look(Promise::S24, number.0 == live.progress.0 + 1, what);
            self.totals.trees_cancelled += u64::from(end == End::Cancelled);
            live.ends(end, result, &mut self.verdict);
            self.known.insert(task, known);
            return self.forget_if_settled(tree);
        }
        self.totals.copies += 1;
        self.heard.retain(|heard| *heard != task);
        self.verdict.look(Promise::S24, self.known.get(&task) == Some(&known), what);
    }

    /// Whoever told people of the end of a root has heard that they know.
    fn heard(&mut self, task: TaskId) {
        self.heard.push_back(task);
        if self.heard.len() > HEARD_MAX
            && let Some(first) = self.heard.pop_front()
        {
            self.known.remove(&first);
        }
    }

    fn forget_if_settled(&mut self, number: u64) {
        if self.trees.get(&number).is_some_and(Tree::is_settled)
            && let Some(tree) = self.trees.remove(&number)
        {
            self.totals.trees_ended += 1;
            self.verdict.look(Promise::L1, true, String::new);
            tree.judge(&mut self.verdict);
            for task in tree.tasks() {
                self.tree_of.remove(&task);
            }
        }
    }

    /// Nothing will happen any more: what should have happened, and has not?
    pub(crate) fn finish(&mut self, trees: u64) {
        let open: Vec<_> = (self.last + 1..=trees).chain(self.trees.keys().copied()).collect();
        for number in open {
            let told = self.trees.get(&number).is_some_and(|tree| tree.told.is_some());
            self.verdict
                .look(Promise::L1, told, || format!("people never heard of the end of tree {number}"));
            if let Some(tree) = self.trees.get(&number) {
                tree.judge(&mut self.verdict);
            }
        }
    }

    /// The last tree that was begun.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Trees that live.
    pub(crate) fn live(&self) -> usize {
        self.trees.len()
    }

    /// Where a task is in the script.
    pub(crate) fn path(&self, task: TaskId) -> Option<&Path> {
        self.trees.get(self.tree_of.get(&task)?)?.path(task)
    }

    /// Whether a tool has done its work.
    pub(crate) fn has_done(&self, call: CallId) -> bool {
        self.tree_of
            .get(&call.task)
            .and_then(|tree| self.trees.get(tree))
            .is_some_and(|tree| tree.has_done(call))
    }

    /// Whether a send came.
    pub(crate) fn has_come(&self, id: RequestId) -> bool {
        self.tree_of.get(&id.task).and_then(|tree| self.trees.get(tree)).is_some_and(|tree| tree.has_come(id))
    }

    /// Whether this turn was refused before, which happens once.
    pub(crate) fn was_refused(&self, id: RequestId) -> bool {
        let tree = self.tree_of.get(&id.task).and_then(|tree| self.trees.get(tree));
        tree.is_some_and(|tree| tree.was_refused(id))
    }

    /// The number of the next message to a task; `None` if somebody is at it.
    pub(crate) fn next_message(&self, task: TaskId) -> Option<MessageId> {
        self.trees.get(self.tree_of.get(&task)?)?.next_message(task)
    }

    /// What people have begun and not heard of, and tasks that they hold.
    pub(crate) fn wishes(&self) -> Vec<(TaskId, Wished)> {
        self.trees.values().flat_map(Tree::wishes).collect()
    }

    /// The newest login.
    pub(crate) fn stored(&self) -> Generation {
        self.stored
    }

    pub(crate) fn compare(&self, generation: Generation) -> Found {
        if generation == self.stored { Found::Current } else { Found::Other { generation: self.stored } }
    }

    /// Whether what a refresh brought is kept under this generation.
    pub(crate) fn is_kept(&self, generation: Generation) -> bool {
        self.kept.contains(&generation)
    }

    pub(crate) fn refreshed(&self, generation: Generation) -> RefreshEnd {
        if self.is_kept(Generation(generation.0 + 1)) { RefreshEnd::Refreshed } else { RefreshEnd::Failed }
    }

    pub(crate) fn written(&self, generation: Generation) -> WriteEnd {
        match (self.stored >= generation, self.is_kept(generation)) {
            (true, _) => WriteEnd::Stored,
            (false, true) => WriteEnd::Failed,
            (false, false) => WriteEnd::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{Attempt, TurnNumber};

    const SCRIPT: Script = Script { seed: 1 };

    /// A tree of one task, to its end.
    fn lives(ledger: &mut Ledger, tree: u64, is_heard: bool) -> Record {
        let (task, path) = (TaskId(tree), Path::root(tree));
        let id = RequestId { task, turn: TurnNumber(1), attempt: Attempt(0) };
        let asking = vec![(Part::Prompt, SCRIPT.prompt(&path))];
        let (number, result) = (NotificationNumber(1), SCRIPT.result(&path));
        let told = Record::Told { task, number, end: End::Completed, result, is_heard };
        ledger.take(Record::Accepted { tree, task });
        ledger.take(Record::Sent { id, generation: Generation(1), asking });
        ledger.take(Record::Over { id, end: Over::Whole { tokens: 1 } });
        ledger.take(told.clone());
        told
    }

    /// A notification may be lost again and again, and the wait between two doubles: thousands of trees end meanwhile.
    #[test]
    fn copy_of_an_end_is_known_until_whoever_sends_it_has_heard_so() {
        let mut ledger = Ledger::new(SCRIPT);
        let unheard = lives(&mut ledger, 1, false);
        let heard = lives(&mut ledger, 2, true);
        for tree in 3..3 + HEARD_MAX as u64 {
            lives(&mut ledger, tree, true);
        }
        ledger.take(unheard);
        assert!(ledger.verdict.is_kept(), "{:?}", ledger.verdict.broken);
        assert_eq!((ledger.live(), ledger.known.len()), (0, HEARD_MAX + 1), "what is held");
        ledger.take(heard);
        let broken: Vec<_> = ledger.verdict.broken.iter().map(|broken| broken.promise).collect();
        assert_eq!(broken, [Promise::S24], "nobody has a reason to say that again");
    }
}
