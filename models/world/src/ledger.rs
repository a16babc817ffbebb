//! What the outside world saw of one tree of tasks, and whether the promises were kept.
//!
//! The judge is the [`Watch`] of the models. It is in no cell: each task has a page of its own, so that two tasks that have nothing to do with
//! each other may come in either order. Whoever writes to the page of a task looks at those of its relatives, since what is said of a
//! task depends on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use downbeat_kernel::{CallId, CallResult, End, MessageId, Part, TurnNumber};
use downbeat_models::watch::{How, NO_BUDGET, Promise, TASKS, TaskIndex, Watch};
use downbeat_rt::{Access, Cell, ObjectId, Rt};
use downbeat_shell::Piece;

use crate::marks::{Mark, Marks};
use crate::scene::{Outcome, Verdict};

/// The promises whose whole judgement is in a watch.
const PROMISES: [(Promise, &str); 8] = [
    (Promise::S2, "S2"),
    (Promise::S3, "S3"),
    (Promise::S4, "S4"),
    (Promise::S5, "S5"),
    (Promise::S6, "S6"),
    (Promise::S7, "S7"),
    (Promise::S8, "S8"),
    (Promise::S19, "S19"),
];

/// The root of a tree; the others are its subtasks.
pub(crate) const ROOT: TaskIndex = 0;

/// The ledger of one tree.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<Shared>);

struct Shared {
    rt: Rt,
    pages: [ObjectId; TASKS],
    /// Whether the root was paused, and nobody has told it to go on.
    is_paused: Cell<bool>,
    book: Mutex<Book>,
}

struct Book {
    watch: Watch,
    /// What each turn asks, and how many calls the response made that was given for it last.
    turns: BTreeMap<(TaskIndex, TurnNumber), Turn>,
    begun: BTreeSet<TaskIndex>,
    /// The promises that no watch knows of and that were broken.
    broken: BTreeSet<&'static str>,
    /// Messages that people were told of that nobody has read them.
    returned: BTreeSet<MessageId>,
    /// Sends of all tasks.
    sends: u32,
    /// Those who have told the shell something and not heard what became of it.
    waiting: u32,
    /// Whether somebody may ask for the end of the root: a person, or the pool, if too many agents were lost with it.
    may_be_cancelled: bool,
    /// Refreshes that are under way, for marks.
    refreshes: Arc<AtomicU32>,
    end: Option<End>,
    marks: Marks,
}

#[derive(Default)]
struct Turn {
    asking: Vec<Piece>,
    calls: u8,
    is_over: bool,
}

/// A send, as the ledger knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Send {
    pub(crate) task: TaskIndex,
    pub(crate) turn: TurnNumber,
    pub(crate) attempt: u8,
}

impl Ledger {
    /// An empty one.
    pub(crate) fn new(rt: &Rt, may_be_cancelled: bool, refreshes: &Arc<AtomicU32>, marks: &Marks) -> Self {
        let pages = std::array::from_fn(|_| rt.object("ledger"));
        let mut watch = Watch::new(NO_BUDGET);
        watch.started(ROOT, None);
        let book = Book {
            watch,
            turns: BTreeMap::new(),
            begun: BTreeSet::from([ROOT]),
            broken: BTreeSet::new(),
            returned: BTreeSet::new(),
            sends: 0,
            waiting: 0,
            may_be_cancelled,
            refreshes: Arc::clone(refreshes),
            end: None,
            marks: marks.clone(),
        };
        let is_paused = rt.cell("paused", false);
        Self(Arc::new(Shared { rt: rt.clone(), pages, is_paused, book: Mutex::new(book) }))
    }

    /// Writes to the page of a task.
    fn write<R>(&self, task: TaskIndex, write: impl FnOnce(&mut Book) -> R) -> R {
        let Shared { rt, pages, book, .. } = &*self.0;
        for (page, of) in pages.iter().zip(0..) {
            if of == task {
                rt.touch(*page, Access::Write);
            } else if of == ROOT || task == ROOT {
                rt.touch(*page, Access::Read);
            }
        }
        write(&mut book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes to all pages.
    fn write_all<R>(&self, write: impl FnOnce(&mut Book) -> R) -> R {
        for page in self.0.pages {
            self.0.rt.touch(page, Access::Write);
        }
        write(&mut self.0.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request has reached a provider.
    pub(crate) fn sent(&self, send: Send, asking: &[Piece]) {
        self.write(send.task, |book| book.sent(send, asking));
    }

    /// A response to it has left the provider, with so many calls.
    pub(crate) fn replied(&self, send: Send, calls: u8) {
        self.write(send.task, |book| {
            if let Some(turn) = book.turns.get_mut(&(send.task, send.turn)) {
                (turn.calls, turn.is_over) = (calls, true);
            }
        });
    }

    /// Nobody listens to what the provider says to it any more.
    pub(crate) fn is_over(&self, task: TaskIndex) {
        self.write(task, |book| book.watch.request_ended(task));
    }

    /// A tool has begun to run for the root.
    pub(crate) fn ran(&self, task: TaskIndex, is_again: bool) {
        self.write(task, |book| {
            book.watch.tool_ran(task);
            book.watch.began(task);
            if is_again {
                book.watch.tool_ran_twice(task);
            }
        });
    }

    /// A person writes to the root.
    pub(crate) fn wrote(&self, message: MessageId) {
        self.write(ROOT, |book| {
            book.marks.hit_if(
                Mark::MessageDuringSubtask,
                (1..).take(TASKS - 1).any(|task| book.is_in_flight(task)),
            );
            book.watch.message_accepted(ROOT, of_message(message));
        });
    }

    /// Somebody tells the shell something, or has heard what became of it. It is nobody's page: only how many there are is looked at, and only
    /// at the end.
    pub(crate) fn waits(&self, waits: bool) {
        let mut book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.waiting = if waits { book.waiting + 1 } else { book.waiting.saturating_sub(1) };
    }

    /// Somebody asks for the end of the root.
    pub(crate) fn cancels(&self) {
        let book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.marks.hit_if(Mark::CancelDuringSend, book.is_in_flight(ROOT));
    }

    /// A person was told that the root does not take a message.
    pub(crate) fn refused(&self, message: MessageId) {
        self.write(ROOT, |book| book.reports(message));
    }

    /// A person was told that the model has not answered a message; `in_doubt` if it may have read it. Whether that is so, and whether it was said
    /// before, says where the message is.
    pub(crate) fn returned(&self, message: MessageId, in_doubt: bool) {
        self.write(ROOT, |book| {
            // A response has left the provider, and nobody may be sure that it was for nothing.
            let in_turn = book.watch.message_in_turn(of_message(message)) == Some(true);
            if !in_doubt && in_turn && book.is_last_answered(ROOT) {
                book.watch.message_misreported(ROOT);
            }
            book.reports(message);
        });
    }

    /// A person hears that the root takes no message, and has said it before: whether it was taken then, nobody says.
    pub(crate) fn doubts(&self, message: MessageId) {
        self.write(ROOT, |book| {
            if book.watch.message_in_turn(of_message(message)) == Some(false) {
                book.reports(message);
            }
        });
    }

    /// A person has heard that the root is cancelled.
    pub(crate) fn cancelled(&self) {
        self.write_all(|book| book.watch.cancel_requested(ROOT));
    }

    /// A person has heard that the root is paused; or tells it to go on.
    pub(crate) fn paused(&self, is_paused: bool) {
        self.0.is_paused.set(is_paused);
        let book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.marks.hit_if(Mark::PauseDuringSend, is_paused && book.is_in_flight(ROOT));
        book.marks.hit_if(Mark::PauseDuringSubtask, is_paused && book.is_in_flight(1));
        book.marks.hit_if(Mark::PauseDuringRefresh, is_paused && book.is_refreshing());
    }

    /// A send is ordered. One that was ordered before may go out still when a person hears of a pause: what comes next is held.
    pub(crate) fn ordered(&self, task: TaskIndex) {
        if task == ROOT && self.0.is_paused.get() {
            self.broke("S13");
        }
    }

    /// People are told that the root has ended.
    pub(crate) fn ended(&self, end: End) {
        self.write_all(|book| {
            // What completes has read its last response; of what is cancelled nobody knows.
            if end == End::Completed {
                book.answer_last(ROOT);
            }
            let how = match end {
                End::Completed => How::Completed,
                End::Failed(_) => How::Failed,
                End::Cancelled => How::Cancelled,
            };
            book.watch.ended(ROOT, how);
            book.end = Some(end);
        });
    }

    /// The process is gone, and with it what it was listening to.
    pub(crate) fn crashed(&self) {
        self.write_all(|book| {
            book.marks.hit_if(Mark::KillDuringSend, book.is_in_flight(ROOT));
            book.marks.hit_if(Mark::KillDuringSubtask, book.is_in_flight(1));
            book.marks.hit_if(Mark::KillDuringRefresh, book.is_refreshing());
            book.marks.hit_if(Mark::KillAfterEnd, book.end.is_some());
            book.watch.crashed(false, false);
        });
    }

    /// A promise was broken that no watch knows of.
    pub(crate) fn broke(&self, property: &'static str) {
        self.write(ROOT, |book| book.broken.insert(property));
    }

    /// What it came to, or the first promise that was broken. At rest alone.
    pub(crate) fn verdict(&self) -> Verdict {
        if self.0.book.is_poisoned() {
            // What contradicts the ledger itself has panicked in a port, where the shell contains it.
            return Err("judge");
        }
        self.write_all(|book| {
            let told = PROMISES.iter().filter(|(promise, _)| book.watch.breach(*promise).is_some());
            let mut broken = book.broken.iter().copied().chain(told.map(|(_, id)| *id));
            if let Some(property) = broken.next() {
                return Err(property);
            }
            // Whether a response that had left the provider was taken, nobody outside knows: what it had read need not be returned.
            book.answer_last(ROOT);
            if book.watch.message_lost().is_some() {
                return Err("S5");
            }
            let end = book.end.filter(|_| book.waiting == 0).ok_or("L1")?;
            // Nothing fails for good, so that the root completes, or somebody wanted its end.
            let is_scripted = match end {
                End::Completed => true,
                End::Cancelled => book.may_be_cancelled,
                End::Failed(_) => false,
            };
            let returned = book.returned.clone();
            if is_scripted { Ok(Outcome { end, returned, sends: book.sends }) } else { Err("script") }
        })
    }
}

impl Book {
    fn is_refreshing(&self) -> bool {
        self.refreshes.load(Ordering::Relaxed) > 0
    }

    fn is_in_flight(&self, task: TaskIndex) -> bool {
        self.watch.in_flight(task) > 0
    }

    fn sent(&mut self, send: Send, asking: &[Piece]) {
        let Send { task, turn, attempt } = send;
        self.sends += 1;
        if self.begun.insert(task) {
            self.watch.started(task, Some(ROOT));
        }
        match self.turns.get(&(task, turn)) {
            None => {
                self.answer_last(task);
                self.gives(task, turn, asking);
                self.turns.insert((task, turn), Turn { asking: asking.to_vec(), ..Turn::default() });
            }
            Some(first) if first.asking == asking => {}
            Some(_) => self.watch.content_changed(task),
        }
        self.watch.request_sent(task, of_turn(turn), attempt);
        self.marks.hit_if(Mark::TwoSubtasksAtOnce, self.is_in_flight(1) && self.is_in_flight(2));
        self.marks.hit_if(Mark::SentAgain, attempt > 0);
        if self.watch.in_flight(task) > 1 {
            self.broken.insert("S1");
        }
    }

    /// What the last turn of a task asked has reached the model, since the task goes on: what became of its response shows only now.
    fn answer_last(&mut self, task: TaskIndex) {
        let last = self.turns.range((task, TurnNumber(0))..=(task, TurnNumber(u32::MAX))).next_back();
        let Some((&(_, turn), Turn { calls, is_over: true, .. })) = last else { return };
        self.watch.turn_answered(task, of_turn(turn));
        self.watch.calls_made(task, *calls);
    }

    /// Whether a response to the last turn of a task has left the provider.
    fn is_last_answered(&self, task: TaskIndex) -> bool {
        let turns = self.turns.range((task, TurnNumber(0))..=(task, TurnNumber(u32::MAX)));
        turns.last().is_some_and(|(_, turn)| turn.is_over)
    }

    fn reports(&mut self, message: MessageId) {
        self.watch.message_reported(ROOT, of_message(message));
        self.returned.insert(message);
    }

    /// What is new in a turn.
    fn gives(&mut self, task: TaskIndex, turn: TurnNumber, asking: &[Piece]) {
        for piece in asking {
            match piece.part {
                Part::Prompt | Part::Reminder => {}
                Part::Message(message) => {
                    self.watch.message_given(task, of_message(message), of_turn(turn));
                }
                Part::Result { call, result } => self.gives_result(task, turn, call, result, &piece.text),
            }
        }
    }

    fn gives_result(
        &mut self,
        task: TaskIndex,
        turn: TurnNumber,
        call: CallId,
        result: CallResult,
        text: &str,
    ) {
        self.watch.call_result_given(task, u8::try_from(call.index).unwrap_or(u8::MAX));
        match result {
            CallResult::Subtask { end, .. } => {
                // The calls of the script come in the order of the subtasks, and each ends with its own name, if it completes.
                let child = TaskIndex::try_from(call.index + 1).unwrap_or(TaskIndex::MAX);
                if end == End::Completed && text != format!("end of subtask {child}") {
                    self.broken.insert("S3");
                }
                if self.begun.contains(&child) {
                    self.watch.subtask_result_given(child, task, of_turn(turn));
                }
            }
            CallResult::Tool(_)
            | CallResult::Denied
            | CallResult::Answered
            | CallResult::Refused(_)
            | CallResult::Guided
            | CallResult::Abandoned => {}
        }
    }
}

fn of_message(message: MessageId) -> u8 {
    u8::try_from(message.0.saturating_sub(1)).unwrap_or(u8::MAX)
}

fn of_turn(turn: TurnNumber) -> u8 {
    u8::try_from(turn.0).unwrap_or(u8::MAX)
}
