//! What the outside world saw of one tree of tasks, and whether the promises were kept.
//!
//! The judge is the [`Watch`] of the models. It is in no cell: each task has a page of its own, so that two tasks that have nothing to do with
//! each other may come in either order. Whoever writes to the page of a task looks at those of its relatives, since what is said of a
//! task depends on them.

mod book;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use downbeat_kernel::{CallId, End, MessageId, QuestionId, TurnNumber};
use downbeat_models::watch::{Promise, TASKS, TaskIndex};
use downbeat_rt::{Access, Cell, ObjectId, Rt};
use downbeat_shell::{Excerpt, Exchange, Piece};

use book::Book;
pub(crate) use book::{END_OF_ROOT, Ends, PIECES, answer, word};

use crate::marks::{Mark, Marks, UnderWay};
use crate::verdict::{Outcome, Verdict};

/// The promises whose whole judgement is in a watch. What breaks one may break those after it too.
const PROMISES: [(Promise, &str); 8] = [
    (Promise::S2, "S2"),
    (Promise::S4, "S4"),
    (Promise::S3, "S3"),
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
pub(crate) struct Ledger(Arc<Volume>);

struct Volume {
    rt: Rt,
    pages: [ObjectId; TASKS],
    /// Whether the root was paused, and nobody has told it to go on.
    is_paused: Cell<bool>,
    book: Mutex<Book>,
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
    pub(crate) fn new(rt: &Rt, ends: Ends, refreshes: &UnderWay, commits: &UnderWay, marks: &Marks) -> Self {
        let pages = std::array::from_fn(|_| rt.object("ledger"));
        let book = Book::new(ends, refreshes, commits, marks);
        let is_paused = rt.cell("paused", false);
        Self(Arc::new(Volume { rt: rt.clone(), pages, is_paused, book: Mutex::new(book) }))
    }

    /// Writes to the page of a task.
    fn write<R>(&self, task: TaskIndex, write: impl FnOnce(&mut Book) -> R) -> R {
        let Volume { rt, pages, book, .. } = &*self.0;
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
    pub(crate) fn sent(&self, send: Send, before: &[Exchange], asking: &[Piece]) {
        self.write(send.task, |book| {
            book.has_waited(send.task, || self.0.rt.now());
            book.sent(send, before, asking);
        });
    }

    /// The provider wants to be asked again after that long.
    pub(crate) fn throttled(&self, task: TaskIndex, wait: Duration) {
        let until = self.0.rt.now() + wait;
        self.write(task, |book| book.throttled(task, until));
    }

    /// A response to it has left the provider, with so many calls; whether one of them ends its task.
    pub(crate) fn replied(&self, send: Send, calls: u8, is_end: bool) {
        self.write(send.task, |book| book.replied(send, calls, is_end));
    }

    /// The response to it is cut.
    pub(crate) fn cut(&self, send: Send) {
        self.write(send.task, |book| book.cut(send));
    }

    /// The search comes across a situation.
    pub(crate) fn hit(&self, mark: Mark) {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner).marks.hit(mark);
    }

    /// Nobody listens to what the provider says to it any more.
    pub(crate) fn is_over(&self, task: TaskIndex) {
        self.write(task, |book| book.watch.request_ended(task));
    }

    /// A tool is asked to run for the root; whether it was not asked before.
    pub(crate) fn ran(&self, call: CallId) -> bool {
        self.write(ROOT, |book| book.ran(call))
    }

    /// People are asked what the root wants to know.
    pub(crate) fn asked(&self, question: QuestionId, call: CallId) {
        self.write(ROOT, |book| book.asked(question, call));
    }

    /// Somebody answers a question.
    pub(crate) fn answers(&self, question: QuestionId, who: u8) {
        self.write(ROOT, |book| book.answers(question, who));
    }

    /// Somebody hears that their answer was taken.
    pub(crate) fn is_taken(&self, question: QuestionId, who: u8) {
        self.write(ROOT, |book| book.is_taken(question, who));
    }

    /// A person sees a piece of a response that arrives.
    pub(crate) fn shown(&self, task: TaskIndex, excerpt: &Excerpt) {
        self.write(task, |book| book.shown(task, excerpt));
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
        let mut book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.is_cancelling = true;
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
        self.write_all(|book| {
            book.is_cancelled = true;
            book.watch.cancel_requested(ROOT);
        });
    }

    /// A person has heard that the root is paused; or tells it to go on.
    pub(crate) fn paused(&self, is_paused: bool) {
        self.0.is_paused.set(is_paused);
        let mut book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.is_paused = is_paused;
        book.marks.hit_if(Mark::PauseDuringSend, is_paused && book.is_in_flight(ROOT));
        book.marks.hit_if(Mark::PauseDuringSubtask, is_paused && book.is_in_flight(1));
        book.marks.hit_if(Mark::PauseDuringRefresh, is_paused && book.is_refreshing());
    }

    /// The time of a lease is over.
    pub(crate) fn lease_is_over(&self) {
        let book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.marks.hit_if(Mark::LeaseOver, book.is_in_flight(ROOT));
    }

    /// A send is ordered. One that was ordered before may go out still when a person hears of a pause: what comes next is held.
    pub(crate) fn ordered(&self, task: TaskIndex) {
        if task == ROOT && self.0.is_paused.get() {
            self.broke("S13");
        }
    }

    /// People are told that the root has ended.
    pub(crate) fn ended(&self, end: End, text: &str) {
        self.write_all(|book| book.ended(end, text));
    }

    /// The process is killed.
    pub(crate) fn crashed(&self) {
        self.write_all(|book| {
            book.mark_kill();
            book.restarts();
        });
    }

    /// The process is gone, and with it what it was listening to.
    pub(crate) fn restarts(&self) {
        self.write_all(Book::restarts);
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
                End::Completed => !book.is_cancelled,
                End::Cancelled => book.is_cancelling || book.ends.cancelled,
                End::Failed(_) => book.ends.failed,
            };
            let returned = book.returned.clone();
            if is_scripted { Ok(Outcome { end, returned, sends: book.sends }) } else { Err("script") }
        })
    }
}

fn of_message(message: MessageId) -> u8 {
    u8::try_from(message.0.saturating_sub(1)).unwrap_or(u8::MAX)
}

fn of_turn(turn: TurnNumber) -> u8 {
    u8::try_from(turn.0).unwrap_or(u8::MAX)
}
