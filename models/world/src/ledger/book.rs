//! What is written in a ledger: the watch, and what that does not know of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use downbeat_kernel::{
    Attempt, CallId, CallResult, End, MessageId, Part, QuestionId, RequestId, ToolEnd, TurnNumber,
};
use downbeat_models::watch::{How, MESSAGES, NO_BUDGET, TASKS, TaskIndex, Watch};
use downbeat_shell::{Excerpt, Exchange, Piece};

use super::{ROOT, Send, of_message, of_turn};
use crate::marks::{Mark, Marks, UnderWay};

pub(super) struct Book {
    pub(super) watch: Watch,
    /// What each turn asks, and how many calls the response made that was given for it last.
    pub(super) turns: BTreeMap<(TaskIndex, TurnNumber), Turn>,
    begun: BTreeSet<TaskIndex>,
    /// When a task may send again whose provider has asked for patience.
    not_before: BTreeMap<TaskIndex, Duration>,
    /// The calls whose tool has run, and in which life of the process last.
    runs: BTreeMap<CallId, u32>,
    /// What people are asked, by its number.
    questions: BTreeMap<u32, Asked>,
    /// The last piece of each turn that was shown: of which attempt, and its number.
    shown: BTreeMap<(TaskIndex, TurnNumber), (Attempt, u32)>,
    /// Which life of the process this is.
    life: u32,
    /// The promises that no watch knows of and that were broken.
    pub(super) broken: BTreeSet<&'static str>,
    /// Messages that people were told of that nobody has read them.
    pub(super) returned: BTreeSet<MessageId>,
    /// Sends of all tasks.
    pub(super) sends: u32,
    /// Those who have told the shell something and not heard what became of it.
    pub(super) waiting: u32,
    pub(super) ends: Ends,
    /// For marks, like what follows.
    refreshes: UnderWay,
    commits: UnderWay,
    /// A person has heard that the root is paused, and has not told it to go on.
    pub(super) is_paused: bool,
    pub(super) end: Option<End>,
    /// A person has asked for the end of the root.
    pub(super) is_cancelling: bool,
    /// And has heard that it is cancelled.
    pub(super) is_cancelled: bool,
    /// Subtasks whose last response has left the provider.
    done: BTreeSet<TaskIndex>,
    pub(super) marks: Marks,
}

/// How tasks and calls may end, beside that they do what the script says.
#[expect(clippy::struct_excessive_bools, reason = "each is something that may happen, by itself")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The pool may give the root up, if too many agents were lost with it.
    pub(crate) cancelled: bool,
    /// Something may fail for good.
    pub(crate) failed: bool,
    /// A tool may be stopped, because nothing is heard of it, or lost.
    pub(crate) silent: bool,
    /// A call may be refused.
    pub(crate) refused: bool,
}

#[derive(Default)]
pub(super) struct Turn {
    asking: Vec<Piece>,
    pub(super) calls: u8,
    pub(super) is_over: bool,
}

/// A question that people were asked.
struct Asked {
    call: CallId,
    /// Those who have answered it.
    answers: BTreeSet<u8>,
    /// Whose answer was taken.
    taken: Option<u8>,
    /// Whose answer the model was given.
    given: Option<u8>,
}

/// The pieces of a response that arrives bit by bit.
pub(crate) const PIECES: [&str; 3] = ["one", "two", "three"];

/// What the root ends with.
pub(crate) const END_OF_ROOT: &str = "end of the root";

/// What a tool says when it is done.
const TOOL_IS_DONE: &str = "ls is done";

/// What a person writes in a message.
pub(crate) fn word(message: MessageId) -> String {
    format!("word {}", message.0)
}

/// What somebody answers.
pub(crate) fn answer(question: QuestionId, who: u8) -> String {
    format!("answer {} of {who}", question.number)
}

/// Which question an answer is to, and whose it is.
fn named(answer: &str) -> Option<(u32, u8)> {
    let (number, who) = answer.strip_prefix("answer ")?.split_once(" of ")?;
    Some((number.parse().ok()?, who.parse().ok()?))
}

impl Book {
    /// An empty one.
    pub(super) fn new(ends: Ends, refreshes: &UnderWay, commits: &UnderWay, marks: &Marks) -> Self {
        let mut watch = Watch::new(NO_BUDGET);
        watch.started(ROOT, None);
        Self {
            watch,
            turns: BTreeMap::new(),
            begun: BTreeSet::from([ROOT]),
            not_before: BTreeMap::new(),
            runs: BTreeMap::new(),
            questions: BTreeMap::new(),
            shown: BTreeMap::new(),
            life: 0,
            broken: BTreeSet::new(),
            returned: BTreeSet::new(),
            sends: 0,
            waiting: 0,
            ends,
            refreshes: refreshes.clone(),
            commits: commits.clone(),
            is_paused: false,
            end: None,
            is_cancelling: false,
            is_cancelled: false,
            done: BTreeSet::new(),
            marks: marks.clone(),
        }
    }

    pub(super) fn is_refreshing(&self) -> bool {
        self.refreshes.is_any()
    }

    pub(super) fn is_in_flight(&self, task: TaskIndex) -> bool {
        self.watch.in_flight(task) > 0
    }

    /// Whether somebody has written to the root what is in no turn yet.
    fn has_waiting_message(&self) -> bool {
        (0..).take(MESSAGES).any(|message| self.watch.message_in_turn(message) == Some(false))
    }

    pub(super) fn sent(&mut self, send: Send, before: &[Exchange], asking: &[Piece]) {
        let Send { task, turn, attempt } = send;
        self.sends += 1;
        if self.end.is_some() {
            self.broken.insert("S7");
        }
        let turns = self.turns.range((task, TurnNumber(0))..(task, turn)).map(|(_, turn)| &turn.asking);
        if !turns.eq(before.iter().map(|exchange| &exchange.asked)) {
            self.watch.content_changed(task);
        }
        if self.shown.contains_key(&(task, turn)) {
            self.broken.insert("S18");
        }
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
    pub(super) fn answer_last(&mut self, task: TaskIndex) {
        let last = self.turns.range((task, TurnNumber(0))..=(task, TurnNumber(u32::MAX))).next_back();
        let Some((&(_, turn), Turn { calls, is_over: true, .. })) = last else { return };
        self.watch.turn_answered(task, of_turn(turn));
        self.watch.calls_made(task, *calls);
    }

    /// Whether a response to the last turn of a task has left the provider.
    pub(super) fn is_last_answered(&self, task: TaskIndex) -> bool {
        let turns = self.turns.range((task, TurnNumber(0))..=(task, TurnNumber(u32::MAX)));
        turns.last().is_some_and(|(_, turn)| turn.is_over)
    }

    /// The provider of a task has asked for patience until then.
    pub(super) fn throttled(&mut self, task: TaskIndex, until: Duration) {
        self.marks.hit(Mark::Throttled);
        self.not_before.insert(task, until);
    }

    /// A send of a task goes out: has it waited, if its provider has asked for that?
    pub(super) fn has_waited(&mut self, task: TaskIndex, now: impl FnOnce() -> Duration) {
        if self.not_before.remove(&task).is_some_and(|until| now() < until) {
            self.broken.insert("waits");
        }
    }

    /// A response has left the provider: if it ends a subtask, its parent is owed the result.
    pub(super) fn replied(&mut self, send: Send, calls: u8, is_end: bool) {
        if let Some(turn) = self.turns.get_mut(&(send.task, send.turn)) {
            (turn.calls, turn.is_over) = (calls, true);
        }
        if is_end && send.task != ROOT {
            self.marks.hit_if(Mark::MessageWaited, self.has_waiting_message());
            self.done.insert(send.task);
            self.watch.subtask_ended(send.task);
        }
    }

    /// A tool runs for the root; whether it was not asked for before. Asked for again after a crash, it does nothing.
    pub(super) fn ran(&mut self, call: CallId) -> bool {
        let before = self.runs.insert(call, self.life);
        if before == Some(self.life) {
            self.watch.tool_ran_twice(ROOT);
        }
        if before.is_none() {
            self.watch.tool_ran(ROOT);
            self.watch.began(ROOT);
        }
        before.is_none()
    }

    /// People are asked.
    pub(super) fn asked(&mut self, question: QuestionId, call: CallId) {
        let asked = Asked { call, answers: BTreeSet::new(), taken: None, given: None };
        self.questions.entry(question.number).or_insert(asked);
    }

    /// Somebody answers.
    pub(super) fn answers(&mut self, question: QuestionId, who: u8) {
        if let Some(asked) = self.questions.get_mut(&question.number) {
            asked.answers.insert(who);
        }
    }

    /// The stream of a send is cut.
    pub(super) fn cut(&self, send: Send) {
        self.marks.hit_if(Mark::CutAfterPiece, self.shown.contains_key(&(send.task, send.turn)));
    }

    /// Somebody hears that their answer was taken.
    pub(super) fn is_taken(&mut self, question: QuestionId, who: u8) {
        let Some(asked) = self.questions.get_mut(&question.number) else { return };
        let others = [asked.taken.replace(who), asked.given];
        if others.into_iter().flatten().any(|other| other != who) {
            self.broken.insert("S6");
        }
    }

    fn gives_answer(&mut self, call: CallId, text: &str) {
        let Some((number, asked)) = self.questions.iter_mut().find(|(_, asked)| asked.call == call) else {
            self.broken.insert("S6");
            return;
        };
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let named = named(text);
        self.watch.question_settled(ROOT, small(*number), named.map(|(number, _)| small(number)));
        let Some((_, who)) = named else { return };
        asked.given = Some(who);
        if !asked.answers.contains(&who) || asked.taken.is_some_and(|taken| taken != who) {
            self.broken.insert("S6");
        }
    }

    /// Whether the script lets something happen that has.
    fn may(&mut self, may_be: bool) {
        if !may_be {
            self.broken.insert("script");
        }
    }

    /// A person sees a piece of a response: each once, in order, and all of a turn of one send.
    pub(super) fn shown(&mut self, task: TaskIndex, excerpt: &Excerpt) {
        let RequestId { turn, attempt, .. } = excerpt.id;
        let last = self.shown.insert((task, turn), (attempt, excerpt.number));
        let place = excerpt.number.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        let is_said = place.and_then(|place| PIECES.get(place)).is_some_and(|said| *said == excerpt.text);
        if !is_said || last.map_or(excerpt.number != 1, |last| last != (attempt, excerpt.number - 1)) {
            self.broken.insert("S18");
        }
    }

    /// People hear of the end of the root, and what it has come to: nothing below it may be under way.
    pub(super) fn ended(&mut self, end: End, text: &str) {
        // What completes has read its last response; of what is cancelled nobody knows.
        if end == End::Completed {
            self.answer_last(ROOT);
            if text != END_OF_ROOT {
                self.broken.insert("S24");
            }
        }
        if (ROOT..).take(TASKS).any(|task| self.is_in_flight(task)) {
            self.broken.insert("S9");
        }
        let how = match end {
            End::Completed => How::Completed,
            End::Failed(_) => How::Failed,
            End::Cancelled => How::Cancelled,
        };
        self.watch.ended(ROOT, how);
        self.end = Some(end);
    }

    /// What a kill comes in the middle of.
    pub(super) fn mark_kill(&mut self) {
        self.marks.hit_if(Mark::KillDuringSend, self.is_in_flight(ROOT));
        self.marks.hit_if(Mark::KillDuringSubtask, self.is_in_flight(1));
        self.marks.hit_if(Mark::KillDuringRefresh, self.is_refreshing());
        self.marks.hit_if(Mark::KillDuringCommit, self.commits.is_any());
        self.marks.hit_if(Mark::KillDuringPause, self.is_paused);
        self.marks.hit_if(Mark::KillBeforeRead, self.has_waiting_message());
        self.marks.hit_if(Mark::KillAfterEnd, self.end.is_some());
    }

    /// The process is gone, and with it what it was listening to.
    pub(super) fn restarts(&mut self) {
        self.life += 1;
        // Whether a request for patience was on record, nobody outside knows.
        self.not_before.clear();
        self.watch.crashed(false, false);
    }

    pub(super) fn reports(&mut self, message: MessageId) {
        self.watch.message_reported(ROOT, of_message(message));
        self.returned.insert(message);
    }

    /// What is new in a turn.
    fn gives(&mut self, task: TaskIndex, turn: TurnNumber, asking: &[Piece]) {
        for piece in asking {
            match piece.part {
                Part::Prompt | Part::Reminder => {}
                Part::Message(message) => {
                    if *piece.text != word(message) {
                        self.broken.insert("S5");
                    }
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
                let is_its_own = self.done.contains(&child) && text == format!("end of subtask {child}");
                if end == End::Completed && !is_its_own {
                    self.broken.insert("S3");
                }
                self.may(end == End::Completed || self.ends.failed);
                if self.begun.contains(&child) {
                    self.watch.subtask_result_given(child, task, of_turn(turn));
                }
            }
            CallResult::Tool(end) => {
                if end == ToolEnd::Succeeded && text != TOOL_IS_DONE {
                    self.broken.insert("S8");
                }
                self.may(end == ToolEnd::Succeeded || self.ends.silent);
            }
            CallResult::Answered => self.gives_answer(call, text),
            CallResult::Refused(_) => self.may(self.ends.refused),
            CallResult::Denied | CallResult::Guided | CallResult::Abandoned => self.may(false),
        }
    }
}
