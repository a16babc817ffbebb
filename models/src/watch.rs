//! What the outside world saw of a system, and which promise it broke.
//!
//! A model tells its [`Watch`] what an observer outside of the system could see: requests that went out, answers
//! that were accepted, results and messages that became part of what the model is sent, reports to the user. The
//! watch folds these observations into a few bytes and judges them as they arrive, so that properties of whole
//! histories (*exactly once*, *never after*) become predicates of one state. It belongs to the state of a model.
//!
//! Two rules keep it small. What can no longer be broken is forgotten: an ended task has no turns, an answered
//! message has no owner. And of several breaches of one property only the least is kept, so that the order in
//! which a broken system breaks its promises again does not multiply its states.
//!
//! The watch knows nothing of how a system works inside. What a task waits for, and whether something is under
//! way that would wake it, is asked of the model (see [`crate::properties::Observed`]).

mod breach;
mod read;

pub use breach::{Breach, Fault, How, Promise};

/// Tasks that one watch can follow: a parent and two subtasks, in one line or as siblings.
pub const TASKS: usize = 3;
/// User messages that one watch can follow, over all tasks. Two of one task show order, one more a second task.
pub const MESSAGES: usize = 3;
/// Turns of one task that one watch can tell apart; see [`Watch::forget_turns`] for systems that count further.
pub const TURNS: u8 = 32;
/// Tool calls of one response.
pub const CALLS: u8 = 8;
/// An attempt budget that no system exhausts, for systems that promise none.
pub const NO_BUDGET: u8 = u8::MAX;

/// Index of a task: 0 is the root.
pub type TaskIndex = u8;

/// What became of a user message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Message {
    /// Nobody wrote it yet.
    Unwritten,
    /// Accepted for `task`, given to nobody.
    Waiting { task: TaskIndex },
    /// Part of the content of `turn`, which was not answered yet.
    Given { task: TaskIndex, turn: u8 },
    /// The model answered a request that carried it.
    Answered,
    /// The user was told that it was not delivered.
    Reported,
}

/// Whether a task has begun or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    Unborn,
    Live,
    Ended(How),
}

/// What a subtask's result is to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    /// The subtask has not ended.
    None,
    /// It ended, and the parent does not have the result.
    Owed,
    /// The parent has it from this delivery, which may be repeated.
    Given { delivery: u8 },
    /// The parent has it for good.
    Taken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Seen {
    life: Life,
    parent: Option<TaskIndex>,
    in_flight: u8,
    /// One bit for each turn that was sent.
    turns: u32,
    /// The last send, as (turn, attempt).
    last: (u8, u8),
    /// Whether a restart may repeat the last send.
    may_repeat: bool,
    cancelled: bool,
    outcome: Outcome,
    /// Calls of the last response without a result, one bit each.
    calls_open: u8,
}

const UNBORN: Seen = Seen {
    life: Life::Unborn,
    parent: None,
    in_flight: 0,
    turns: 0,
    last: (0, 0),
    may_repeat: false,
    cancelled: false,
    outcome: Outcome::None,
    calls_open: 0,
};

/// The observer's memory. See the module for what it keeps and why.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Watch {
    tasks: [Seen; TASKS],
    messages: [Message; MESSAGES],
    breaches: [Option<Breach>; 8],
    attempt_budget: u8,
    settled_once: bool,
    called_once: bool,
}

impl Watch {
    /// Nothing was seen yet. `attempt_budget` is the number of sends that one turn may take, over all layers that
    /// retry; [`NO_BUDGET`] for a system that promises none.
    pub const fn new(attempt_budget: u8) -> Self {
        Self {
            tasks: [UNBORN; TASKS],
            messages: [Message::Unwritten; MESSAGES],
            breaches: [None; 8],
            attempt_budget,
            settled_once: false,
            called_once: false,
        }
    }

    /// A task began, as a subtask of `parent` if there is one.
    pub fn started(&mut self, task: TaskIndex, parent: Option<TaskIndex>) {
        if let Life::Ended(_) = self.seen(task).life {
            return self.broke(Promise::S7, Fault::StartedAfterEnd, task);
        }
        if parent.is_some_and(|parent| self.cancel_covers(parent)) {
            self.broke(Promise::S19, Fault::ActedAfterCancel, task);
        }
        *self.seen(task) = Seen { life: Life::Live, parent, ..UNBORN };
    }

    /// A request went to the model. `turn` is the occasion of the send (the cause that asks for it, such as
    /// "continue after the first subtask"), `attempt` counts its retries from 0.
    ///
    /// Tell first what the request carries: [`Self::subtask_result_given`], [`Self::call_result_given`].
    pub fn request_sent(&mut self, task: TaskIndex, turn: u8, attempt: u8) {
        assert!(turn < TURNS, "turn {turn} of task {task}: a watch tells {TURNS} turns apart (TURNS)");
        let budget = self.attempt_budget;
        let cancelled = self.cancel_covers(task);
        let result_missing = (0..).zip(&self.tasks).find_map(|(child, seen)| {
            (seen.parent == Some(task) && seen.outcome == Outcome::Owed).then_some(child)
        });
        let seen = self.seen(task);
        if let Life::Ended(_) = seen.life {
            return self.broke(Promise::S7, Fault::SentAfterEnd, task);
        }
        let (bit, known) = (1 << turn, seen.turns & (1 << turn) != 0);
        let again = known && (turn != seen.last.0 || attempt <= seen.last.1);
        let repeated = again && seen.may_repeat && (turn, attempt) == seen.last;
        let calls_open = seen.calls_open;
        seen.may_repeat = false;
        seen.turns |= bit;
        seen.last = (turn, attempt);
        seen.calls_open = 0;
        // A repeat carries the same key as the send that it repeats: the other side has one request of it.
        seen.in_flight = if repeated { 1 } else { seen.in_flight.saturating_add(1) };
        if again && !repeated {
            self.broke(Promise::S2, Fault::SentTwice, task);
        }
        if attempt >= budget {
            self.broke(Promise::S2, Fault::SentTooOften, task);
        }
        if let Some(child) = result_missing {
            self.broke(Promise::S4, Fault::SentWithoutResult, child);
        }
        if calls_open != 0 {
            self.broke(Promise::S8, Fault::CallWithoutResult, task);
        }
        if cancelled {
            self.broke(Promise::S19, Fault::SentAfterCancel, task);
        }
    }

    /// A request is over: answered, failed, or really given up by the other side.
    pub fn request_ended(&mut self, task: TaskIndex) {
        let seen = self.seen(task);
        seen.in_flight = seen.in_flight.saturating_sub(1);
    }

    /// A response to `turn` was accepted: what the request carried has reached the model.
    pub fn turn_answered(&mut self, task: TaskIndex, turn: u8) {
        for message in &mut self.messages {
            if *message == (Message::Given { task, turn }) {
                *message = Message::Answered;
            }
        }
        for seen in &mut self.tasks {
            if seen.parent == Some(task) && seen.outcome == (Outcome::Given { delivery: turn }) {
                seen.outcome = Outcome::Taken;
            }
        }
    }

    /// A response made the calls `0..n`.
    pub fn calls_made(&mut self, task: TaskIndex, n: u8) {
        for call in 0..n {
            self.call_made(task, call);
        }
    }

    /// A response made one call, numbered within its response.
    pub fn call_made(&mut self, task: TaskIndex, call: u8) {
        assert!(call < CALLS, "call {call} of task {task}: a watch tells {CALLS} calls apart (CALLS)");
        let seen = self.seen(task);
        if seen.life == Life::Live {
            seen.calls_open |= 1 << call;
        }
    }

    /// The result of a call of the last response became part of what the model gets next. A retry of the same
    /// turn carries it again without another observation.
    pub fn call_result_given(&mut self, task: TaskIndex, call: u8) {
        self.called_once = true;
        let seen = self.seen(task);
        let open = seen.calls_open & (1 << call) != 0;
        seen.calls_open &= !(1 << call);
        if !open && seen.life == Life::Live {
            self.broke(Promise::S8, Fault::CallResultTwice, task);
        }
    }

    /// A tool of the task began to run.
    pub fn tool_ran(&mut self, task: TaskIndex) {
        if let Life::Ended(_) = self.seen(task).life {
            self.broke(Promise::S7, Fault::RanAfterEnd, task);
        }
    }

    /// A tool ran a second time for one call, and no crash came between.
    pub fn tool_ran_twice(&mut self, task: TaskIndex) {
        self.broke(Promise::S8, Fault::RanTwice, task);
    }

    /// Something began for the task that a cancel has to keep from beginning.
    pub fn began(&mut self, task: TaskIndex) {
        if self.cancel_covers(task) {
            self.broke(Promise::S19, Fault::ActedAfterCancel, task);
        }
    }

    /// A request carries something else than the turn that it names.
    pub fn content_changed(&mut self, task: TaskIndex) {
        self.broke(Promise::S2, Fault::ContentChanged, task);
    }

    /// What the user was told of a message is not true.
    pub fn message_misreported(&mut self, task: TaskIndex) {
        self.broke(Promise::S5, Fault::MessageMisreported, task);
    }

    /// A subtask is over, in whatever way: its result is now owed to its parent.
    pub fn subtask_ended(&mut self, child: TaskIndex) {
        let parent_live = self.tasks[usize::from(child)].parent.is_some_and(|parent| self.is_live(parent));
        let seen = self.seen(child);
        if seen.outcome == Outcome::None && parent_live {
            seen.outcome = Outcome::Owed;
        }
    }

    /// The result of `child` became part of what the model gets next from `to`. `delivery` tells deliveries apart:
    /// the number of the turn that carries it. A retry of that turn repeats its number.
    pub fn subtask_result_given(&mut self, child: TaskIndex, to: TaskIndex, delivery: u8) {
        let seen = self.seen(child);
        if seen.parent != Some(to) {
            return self.broke(Promise::S3, Fault::ResultToStranger, child);
        }
        match seen.outcome {
            Outcome::None | Outcome::Owed => seen.outcome = Outcome::Given { delivery },
            Outcome::Given { delivery: first } if first == delivery => {}
            Outcome::Given { .. } | Outcome::Taken => self.broke(Promise::S3, Fault::ResultTwice, child),
        }
    }

    /// The system took a message of the user for `task`.
    pub fn message_accepted(&mut self, task: TaskIndex, m: u8) {
        *self.message(m) = Message::Waiting { task };
    }

    /// Message `m` is part of the content of `turn`.
    pub fn message_given(&mut self, task: TaskIndex, m: u8, turn: u8) {
        let overtakes = self.messages[..usize::from(m)].contains(&Message::Waiting { task });
        match *self.message(m) {
            Message::Waiting { task: owner } | Message::Given { task: owner, .. } => {
                *self.message(m) = Message::Given { task, turn };
                if owner != task {
                    self.broke(Promise::S5, Fault::MessageToStranger, task);
                }
            }
            Message::Answered => self.broke(Promise::S5, Fault::MessageTwice, task),
            Message::Reported | Message::Unwritten => {
                self.broke(Promise::S5, Fault::MessageMisreported, task);
            }
        }
        if overtakes {
            self.broke(Promise::S5, Fault::MessageOutOfOrder, task);
        }
    }

    /// The user was told that message `m` did not reach the model.
    pub fn message_reported(&mut self, task: TaskIndex, m: u8) {
        match *self.message(m) {
            Message::Waiting { .. } | Message::Given { .. } => *self.message(m) = Message::Reported,
            Message::Answered => self.broke(Promise::S5, Fault::MessageMisreported, task),
            // A repeated report is fine; one of a message that nobody wrote is the model's own mistake.
            Message::Reported => {}
            Message::Unwritten => unreachable!("message {m} was reported before it was written"),
        }
    }

    /// The system no longer holds message `m` anywhere, and did not say so.
    pub fn message_dropped(&mut self, task: TaskIndex, m: u8) {
        if let Message::Waiting { .. } | Message::Given { .. } = *self.message(m) {
            self.broke(Promise::S5, Fault::MessageDropped, task);
        }
    }

    /// `question` of `task` was settled by an answer that named `named`; `None` for one that named no question.
    pub fn question_settled(&mut self, task: TaskIndex, question: u8, named: Option<u8>) {
        self.settled_once = true;
        if named != Some(question) {
            self.broke(Promise::S6, Fault::SettledByAnother, task);
        }
    }

    /// A person asked to stop the task, and with it everything below it.
    pub fn cancel_requested(&mut self, task: TaskIndex) {
        let seen = self.seen(task);
        seen.cancelled |= seen.life == Life::Live;
    }

    /// A person asked to go on after a stop: the cancel binds no more.
    pub fn cancel_withdrawn(&mut self, task: TaskIndex) {
        self.seen(task).cancelled = false;
    }

    /// The outside world was told that the task is over. A repeated equal report is fine.
    pub fn ended(&mut self, task: TaskIndex, how: How) {
        let owed = (0..).zip(&self.tasks).find_map(|(child, seen)| {
            (seen.parent == Some(task) && seen.outcome == Outcome::Owed).then_some(child)
        });
        let seen = self.seen(task);
        match seen.life {
            Life::Unborn => {}
            Life::Ended(before) => {
                if before != how {
                    self.broke(Promise::S7, Fault::EndedAgain, task);
                }
                return;
            }
            Life::Live => {
                if let (How::Completed, Some(child)) = (how, owed) {
                    self.broke(Promise::S3, Fault::CompletedWithoutResult, child);
                }
            }
        }
        let seen = self.seen(task);
        *seen = Seen { life: Life::Ended(how), parent: seen.parent, outcome: seen.outcome, ..UNBORN };
        for child in &mut self.tasks {
            if child.parent == Some(task) && child.outcome != Outcome::None {
                child.outcome = Outcome::Taken;
            }
        }
    }

    /// The process restarted. Whether each live task may repeat its last send once, under the same key, and whether the
    /// other side still works on the requests of before the crash, is the model's to say.
    pub fn crashed(&mut self, keep_in_flight: bool, may_repeat: bool) {
        for seen in &mut self.tasks {
            seen.may_repeat = may_repeat && seen.life == Life::Live && seen.turns != 0;
            if !keep_in_flight {
                seen.in_flight = 0;
            }
        }
    }

    /// Takes `by` off every turn number of the task, for systems whose turn numbers only grow. The forgotten turns
    /// must not be sent again; a message given in one of them keeps its place as given in turn 0.
    pub fn forget_turns(&mut self, task: TaskIndex, by: u8) {
        let seen = self.seen(task);
        seen.turns = seen.turns.checked_shr(u32::from(by)).unwrap_or(0);
        seen.last = if seen.last.0 < by { (0, 0) } else { (seen.last.0 - by, seen.last.1) };
        for message in &mut self.messages {
            if let Message::Given { task: owner, turn } = message
                && *owner == task
            {
                *turn = turn.saturating_sub(by);
            }
        }
        for child in &mut self.tasks {
            if let (Some(parent), Outcome::Given { delivery }) = (child.parent, child.outcome)
                && parent == task
            {
                child.outcome = match delivery.checked_sub(by) {
                    Some(delivery) => Outcome::Given { delivery },
                    None => Outcome::Taken,
                };
            }
        }
    }

    fn broke(&mut self, promise: Promise, fault: Fault, task: TaskIndex) {
        let kept = &mut self.breaches[promise as usize];
        let breach = Breach { fault, task };
        *kept = Some(kept.map_or(breach, |before| before.min(breach)));
    }

    fn seen(&mut self, task: TaskIndex) -> &mut Seen {
        assert!(usize::from(task) < TASKS, "task {task}: a watch follows {TASKS} tasks (TASKS)");
        &mut self.tasks[usize::from(task)]
    }

    fn message(&mut self, m: u8) -> &mut Message {
        assert!(usize::from(m) < MESSAGES, "message {m}: a watch follows {MESSAGES} messages (MESSAGES)");
        &mut self.messages[usize::from(m)]
    }
}
