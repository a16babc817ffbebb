//! One tree of tasks as the outside sees it, and whether that keeps the promises.

use crate::path::Path;
use crate::promise::{Promise, Verdict};
use crate::record::{Over, Wished};
use crate::script::Script;
use downbeat_kernel::{
    CallId, CallResult, End, Generation, MessageId, NotificationNumber, Part, RequestId, TaskId, ToolEnd,
    TurnNumber,
};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A send, as it came to the provider.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) id: RequestId,
    pub(crate) generation: Generation,
    pub(crate) asking: Vec<(Part, String)>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default)]
struct Message {
    is_accepted: bool,
    is_read: bool,
    is_reported: bool,
}

impl Message {
    fn is_settled(self) -> bool {
        !self.is_accepted || self.is_read || self.is_reported
    }
}

/// What a tool has done.
#[derive(Debug)]
struct Done {
    output: String,
    /// A request has had it.
    is_read: bool,
}

/// One task.
#[derive(Debug)]
struct Seen {
    path: Path,
    /// The last send, and what its turn asks.
    last: Option<(RequestId, u64)>,
    /// The send that is under way in this life, and its token.
    open: Option<(RequestId, Generation)>,
    /// Which turn was refused, with which token.
    refused: Option<(TurnNumber, Generation)>,
    /// What its tools have done.
    done: BTreeMap<CallId, Done>,
    messages: BTreeMap<MessageId, Message>,
    /// What people have begun and not heard of.
    wishes: BTreeSet<Wished>,
    is_held: bool,
    /// A request of its parent has had its result.
    is_read: bool,
}

/// One tree.
#[derive(Debug)]
pub(crate) struct Tree {
    script: Script,
    root: Option<TaskId>,
    tasks: BTreeMap<TaskId, Seen>,
    is_cancelled: bool,
    /// How people heard that it ended.
    pub(crate) told: Option<End>,
    /// The last notification of progress that people have.
    pub(crate) progress: NotificationNumber,
}

impl Tree {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            script,
            root: None,
            tasks: BTreeMap::new(),
            is_cancelled: false,
            told: None,
            progress: NotificationNumber(0),
        }
    }

    pub(crate) fn accepted(&mut self, task: TaskId) {
        self.root = Some(task);
    }

    /// What was under way went with the process.
    pub(crate) fn lives_again(&mut self) {
        self.tasks.values_mut().for_each(|seen| seen.open = None);
    }

    pub(crate) fn is_root(&self, task: TaskId) -> bool {
        self.root == Some(task)
    }

    pub(crate) fn path(&self, task: TaskId) -> Option<&Path> {
        self.tasks.get(&task).map(|seen| &seen.path)
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.root.into_iter().chain(self.tasks.keys().copied())
    }

    /// A send came. Whether it is the first of its task.
    pub(crate) fn sent(&mut self, ask: Ask, verdict: &mut Verdict) -> bool {
        let Ask { id, generation, asking } = ask;
        let prompt = asking.iter().find(|(part, _)| *part == Part::Prompt);
        let path = prompt.and_then(|(_, text)| Path::of(text));
        let is_new = !self.tasks.contains_key(&id.task);
        if let Some(path) = path.filter(|_| is_new) {
            let is_there = self.tasks.values().any(|seen| seen.path == path);
            verdict
                .look(Promise::S2, !is_there, || format!("{path} begins a second time, as {}", text_of(id)));
            if path.below.is_empty() {
                self.root = self.root.or(Some(id.task));
            }
            self.tasks.insert(id.task, Seen::new(path));
        }
        verdict.look(Promise::S7, self.told.is_none(), || format!("{} was sent after the end", text_of(id)));
        let script = self.script;
        let Some(seen) = self.tasks.get_mut(&id.task) else {
            verdict.look(Promise::S2, false, || format!("{} has no beginning", text_of(id)));
            return false;
        };
        verdict.look(Promise::S1, seen.open.is_none(), || format!("{} beside another", text_of(id)));
        if let Some((_, refused)) = seen.refused.filter(|(turn, _)| *turn == id.turn) {
            verdict.look(Promise::S17, refused != generation, || format!("{} has it", text_of(id)));
        }
        let sum = sum_of(&asking);
        let (is_next, is_first) = match seen.last {
            None => (true, true),
            Some((last, _)) if last.turn < id.turn => (true, true),
            Some((last, asked)) => (last < id && asked == sum, false),
        };
        verdict
            .look(Promise::S2, is_next, || format!("{} came before, or asked something else", text_of(id)));
        seen.last = Some((id, sum));
        seen.open = Some((id, generation));
        if is_first {
            let read = seen.reads(script, id, &asking, verdict);
            for (child, result) in read {
                self.child_is_read(id, child, &result, verdict);
            }
        }
        is_new
    }

    /// A request of the parent has the result of a subtask that has completed.
    fn child_is_read(&mut self, id: RequestId, child: TaskId, result: &str, verdict: &mut Verdict) {
        let parent = self.path(id.task).cloned();
        let is_kept = self.tasks.get_mut(&child).is_some_and(|seen| {
            let is_first = !std::mem::replace(&mut seen.is_read, true);
            let above = seen.path.below.split_last().map(|(_, above)| above);
            let is_its_own = above == parent.as_ref().map(|parent| &*parent.below);
            is_first && is_its_own && result == self.script.result(&seen.path)
        });
        verdict.look(Promise::S3, is_kept, || {
            format!("that of task {} is in {} too, or is not its own", child.0, text_of(id))
        });
    }

    pub(crate) fn over(&mut self, id: RequestId, end: Over) {
        let Some(seen) = self.tasks.get_mut(&id.task) else { return };
        let Some((_, generation)) = seen.open.filter(|(open, _)| *open == id) else { return };
        seen.open = None;
        if end == Over::Unauthorized {
            seen.refused = Some((id.turn, generation));
        }
    }

    /// A tool has done its work.
    pub(crate) fn did(&mut self, call: CallId, argument: &str, verdict: &mut Verdict) {
        let Some(seen) = self.tasks.get_mut(&call.task) else { return };
        let done = Done { output: Script::output(argument), is_read: false };
        let before = seen.done.insert(call, done);
        let what = || format!("call {} of {} turn {} was done twice", call.index, seen.path, call.turn.0);
        verdict.look(Promise::S8, before.is_none(), what);
    }

    pub(crate) fn wished(&mut self, task: TaskId, wish: Wished) {
        let Some(seen) = self.tasks.get_mut(&task) else { return };
        seen.wishes.insert(wish);
        match wish {
            Wished::Message(message) => {
                seen.messages.entry(message).or_default();
            }
            Wished::Pause => seen.is_held = true,
            Wished::Resume => {}
            Wished::Cancel => self.is_cancelled = true,
        }
    }

    pub(crate) fn heard(&mut self, task: TaskId, wish: Wished, is_taken: bool) {
        let Some(seen) = self.tasks.get_mut(&task) else { return };
        seen.wishes.remove(&wish);
        match wish {
            Wished::Message(message) => seen.messages.entry(message).or_default().is_accepted = is_taken,
            // One that is too late for a task holds nothing.
            Wished::Pause => seen.is_held &= is_taken,
            Wished::Resume => seen.is_held = false,
            Wished::Cancel => {}
        }
    }

    /// A person hears that the model has not answered a message, which may have been in a request all the same.
    pub(crate) fn undelivered(&mut self, task: TaskId, message: MessageId, verdict: &mut Verdict) {
        let Some(seen) = self.tasks.get_mut(&task) else { return };
        let wished = seen.messages.contains_key(&message);
        verdict.look(Promise::S5, wished, || format!("nobody wrote message {} to {}", message.0, seen.path));
        seen.messages.entry(message).or_default().is_reported = true;
    }

    /// People hear how it ended.
    pub(crate) fn ends(&mut self, end: End, result: &str, verdict: &mut Verdict) {
        let of = self.root.and_then(|root| self.path(root));
        let is_kept = match end {
            End::Completed => of.is_some_and(|path| result == self.script.result(path)),
            End::Cancelled => self.is_cancelled,
            End::Failed(_) => false,
        };
        let of = of.map_or_else(String::new, ToString::to_string);
        verdict.look(Promise::S7, is_kept, || format!("tree {of} ended as {end:?} with `{result}`"));
        self.told = Some(end);
    }

    /// Whether people know its end, and nothing of it is outstanding.
    pub(crate) fn is_settled(&self) -> bool {
        self.told.is_some() && self.tasks.values().all(Seen::is_settled)
    }

    /// Nothing will happen to it any more: is everything there that has to be?
    pub(crate) fn judge(&self, verdict: &mut Verdict) {
        for seen in self.tasks.values() {
            for (message, fate) in &seen.messages {
                let what =
                    || format!("message {} to {} is in no turn, and not reported", message.0, seen.path);
                verdict.look(Promise::S5, fate.is_settled(), what);
            }
            if self.told == Some(End::Completed) {
                let is_read = seen.is_read || seen.path.below.is_empty();
                verdict.look(Promise::S3, is_read, || format!("that of {} is in no turn", seen.path));
                let what = || format!("the result of a tool of {} is in no turn", seen.path);
                verdict.look(Promise::S8, seen.done.values().all(|done| done.is_read), what);
            }
        }
    }

    pub(crate) fn has_done(&self, call: CallId) -> bool {
        self.tasks.get(&call.task).is_some_and(|seen| seen.done.contains_key(&call))
    }

    pub(crate) fn has_come(&self, id: RequestId) -> bool {
        self.tasks.get(&id.task).is_some_and(|seen| seen.last.is_some_and(|(last, _)| last >= id))
    }

    pub(crate) fn was_refused(&self, id: RequestId) -> bool {
        let refused = self.tasks.get(&id.task).and_then(|seen| seen.refused);
        refused.is_some_and(|(turn, _)| turn == id.turn)
    }

    pub(crate) fn next_message(&self, task: TaskId) -> Option<MessageId> {
        let seen = self.tasks.get(&task).filter(|seen| seen.wishes.is_empty() && !seen.is_held)?;
        Some(MessageId(seen.messages.last_key_value().map_or(1, |(last, _)| last.0 + 1)))
    }

    pub(crate) fn wishes(&self) -> impl Iterator<Item = (TaskId, Wished)> + '_ {
        self.tasks.iter().flat_map(|(task, seen)| {
            let held = (seen.is_held && seen.wishes.is_empty()).then_some(Wished::Resume);
            seen.wishes.iter().copied().chain(held).map(|wish| (*task, wish))
        })
    }
}

impl Seen {
    fn new(path: Path) -> Self {
        Self {
            path,
            last: None,
            open: None,
            refused: None,
            done: BTreeMap::new(),
            messages: BTreeMap::new(),
            wishes: BTreeSet::new(),
            is_held: false,
            is_read: false,
        }
    }

    fn is_settled(&self) -> bool {
        self.wishes.is_empty() && self.messages.values().all(|message| message.is_settled())
    }

    /// What is new in a turn. The results of subtasks that have completed are their tree's to judge.
    fn reads(
        &mut self,
        script: Script,
        id: RequestId,
        asking: &[(Part, String)],
        verdict: &mut Verdict,
    ) -> Vec<(TaskId, String)> {
        let mut children = Vec::new();
        let before = TurnNumber(id.turn.0.saturating_sub(1));
        for (part, text) in asking {
            match *part {
                Part::Prompt => {
                    let is_kept = *text == script.prompt(&self.path);
                    verdict.look(Promise::S2, is_kept, || format!("{} begins otherwise", text_of(id)));
                }
                Part::Reminder => {}
                Part::Message(message) => {
                    let fate = self.messages.entry(message).or_default();
                    let is_first = !std::mem::replace(&mut fate.is_read, true);
                    let is_kept = is_first && *text == Script::message(&self.path, message.0);
                    let what = || format!("message {} is in {} too", message.0, text_of(id));
                    verdict.look(Promise::S5, is_kept, what);
                }
                Part::Result { call, result } => match result {
                    CallResult::Tool(ToolEnd::Succeeded | ToolEnd::Failed) => {
                        let is_kept = call.turn == before
                            && self.done.get_mut(&call).is_some_and(|done| {
                                !std::mem::replace(&mut done.is_read, true) && done.output == *text
                            });
                        let what =
                            || format!("a result in {} is of no tool, or of another turn", text_of(id));
                        verdict.look(Promise::S8, is_kept, what);
                    }
                    // It was stopped when its work was done, and before anybody heard so.
                    CallResult::Tool(ToolEnd::Cancelled) => {
                        if let Some(done) = self.done.get_mut(&call) {
                            done.is_read = true;
                        }
                    }
                    CallResult::Answered => {
                        let is_kept = *text == Script::words(&self.path, before);
                        let what = || format!("{} has the answer to another", text_of(id));
                        verdict.look(Promise::S6, is_kept, what);
                    }
                    CallResult::Subtask { child, end: End::Completed } => {
                        children.push((child, text.clone()));
                    }
                    CallResult::Subtask { end: End::Failed(_) | End::Cancelled, .. }
                    | CallResult::Denied
                    | CallResult::Refused(_)
                    | CallResult::Guided
                    | CallResult::Abandoned => {}
                },
            }
        }
        children
    }
}

/// What a turn asks, in few bytes.
fn sum_of(asking: &[(Part, String)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    asking.hash(&mut hasher);
    hasher.finish()
}

fn text_of(id: RequestId) -> String {
    format!("task {} turn {} send {}", id.task.0, id.turn.0, id.attempt.0)
}
