//! The calls of one response, until each has its one result (S8).
//!
//! A response may ask for several things at once: tools, subtasks, questions. All of them run side by side, and
//! the next turn begins when the last has its result. The list is kept until the model has answered that turn,
//! because the results are the content of its request.

use crate::faults::Fault;
use crate::lifecycle::{Follow, Hold, Refusal, Surroundings, TaskEvent, TaskMachine};
use crate::task::{Held, TaskState};
use crate::turn::{Fit, late};
use crate::vocabulary::{
    About, Answer, Approval, Call, CallId, CallRefusal, CallResult, Effect, End, Ignored, QuestionId, Reason,
    TaskId, TurnNumber,
};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use statig::Outcome::{self, Super, Transition};

/// Where one call stands.
///
/// ```text
/// Waiting ──▶ Running ───────────────────▶ Settled
///    │ ▲                                     ▲
///    │ └─── yes, while the task is paused    │
///    └──▶ Asking ── yes ──▶ Running, or no ──┤
///         Subtask ── the child ended ────────┘
/// ```
///
/// A subtask never waits here: it exists from the moment in which the response is taken, and waits itself while its
/// parent is paused ([`Held::Unstarted`]). Only so can it be cancelled, or take a message, meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CallState {
    /// Not started, because the task is paused.
    Waiting(Wanted),
    /// A tool is running.
    Running,
    /// A person is asked.
    Asking {
        /// The number of the question.
        number: u32,
        /// What a yes leads to.
        wanted: Wanted,
    },
    /// A subtask is live. A subtask is live exactly while its parent has such a call.
    Subtask {
        /// Which one.
        child: TaskId,
    },
    /// It has its result.
    Settled(CallResult),
}

/// What a call is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Wanted {
    /// What the model asked for.
    Call(Call),
    /// No call of the model's: the question whether to go on after too many responses without a call.
    Guidance,
}

impl Wanted {
    /// What a person is asked about if it takes a person.
    pub(crate) fn about(self, call: CallId) -> About {
        match self {
            Self::Call(Call::Tool(_)) => About::Tool(call),
            Self::Call(Call::Completion(_)) => About::Completion(call),
            // Nobody is asked about a subtask.
            Self::Call(Call::Question | Call::Subtask { .. }) => About::Question(call),
            Self::Guidance => About::MistakeLimit,
        }
    }
}

/// The calls of the last response, by their index in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calls(Vec<CallState>);

/// What calls wait for, most active first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    Tool,
    Subtask,
    Person,
}

impl Calls {
    /// Each call, in the order of the response.
    pub fn iter(&self) -> impl Iterator<Item = CallState> + '_ {
        self.0.iter().copied()
    }

    /// The calls with their indices.
    pub(crate) fn indexed(&self) -> impl Iterator<Item = (u16, CallState)> + '_ {
        // The list first: it ends the pairs before the index would have to go past the largest.
        self.iter().zip(0..).map(|(call, index)| (index, call))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The indices of the calls. A response with more calls than an index can name is refused
    /// ([`Config::calls_max`](crate::Config::calls_max) is one of them), so none is left out.
    pub(crate) fn indices(&self) -> core::ops::Range<u16> {
        0..u16::try_from(self.0.len()).unwrap_or(u16::MAX)
    }

    pub(crate) fn get(&self, index: u16) -> Option<CallState> {
        self.0.get(usize::from(index)).copied()
    }

    pub(crate) fn set(&mut self, index: u16, state: CallState) {
        self.0[usize::from(index)] = state;
    }

    pub(crate) fn push(&mut self, state: CallState) {
        self.0.push(state);
    }

    pub(crate) fn remove(&mut self, index: u16) {
        self.0.remove(usize::from(index));
    }

    pub(crate) fn replace(&mut self, calls: impl Iterator<Item = CallState>) {
        self.0.clear();
        self.0.extend(calls);
    }

    /// The call that asks this question.
    pub(crate) fn asking(&self, question: u32) -> Option<(u16, Wanted)> {
        self.indexed().find_map(|(index, call)| match call {
            CallState::Asking { number, wanted } if number == question => Some((index, wanted)),
            CallState::Asking { .. }
            | CallState::Waiting(_)
            | CallState::Running
            | CallState::Subtask { .. }
            | CallState::Settled(_) => None,
        })
    }

    /// Some call that asks a question: what a planted fault takes for the right one.
    pub(crate) fn any_asking(&self) -> Option<(u16, Wanted)> {
        self.indexed().find_map(|(index, call)| match call {
            CallState::Asking { wanted, .. } => Some((index, wanted)),
            CallState::Waiting(_)
            | CallState::Running
            | CallState::Subtask { .. }
            | CallState::Settled(_) => None,
        })
    }

    /// Some call whose tool runs: what a planted fault takes for the right one.
    pub(crate) fn any_running(&self) -> Option<u16> {
        self.indexed().find_map(|(index, call)| (call == CallState::Running).then_some(index))
    }

    /// The call that waits for this subtask.
    pub(crate) fn subtask(&self, wanted: TaskId) -> Option<u16> {
        self.indexed()
            .find_map(|(index, call)| (call == CallState::Subtask { child: wanted }).then_some(index))
    }

    /// The live subtasks.
    pub fn subtasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.iter().filter_map(|call| match call {
            CallState::Subtask { child } => Some(child),
            CallState::Waiting(_) | CallState::Running | CallState::Asking { .. } | CallState::Settled(_) => {
                None
            }
        })
    }

    /// Whether some call has no result yet.
    pub(crate) fn open(&self) -> bool {
        self.iter().any(|call| !matches!(call, CallState::Settled(_)))
    }

    /// Whether a tool runs.
    pub(crate) fn running(&self) -> bool {
        self.iter().any(|call| call == CallState::Running)
    }

    /// What the started calls wait for, or `None` if each has its result.
    pub(crate) fn waits(&self) -> Option<Waits> {
        self.iter()
            .filter_map(|call| match call {
                CallState::Running => Some(Waits::Tool),
                CallState::Subtask { .. } => Some(Waits::Subtask),
                CallState::Asking { .. } => Some(Waits::Person),
                CallState::Waiting(_) | CallState::Settled(_) => None,
            })
            .min_by_key(|waits| *waits as u8)
    }
}

impl TaskMachine<'_> {
    /// Starts what has not started, and says what the task waits for then; with nothing left, the next turn.
    pub(crate) fn proceed(&mut self, hold: Hold, cx: &mut Surroundings<'_>) -> TaskState {
        if hold == Hold::Paused && !self.config.has(Fault::PauseHoldsNothing) {
            self.create_subtasks(cx);
            let held = if self.data.calls.open() { Held::Calls } else { Held::Turn };
            return TaskState::Paused(held);
        }
        for index in self.data.calls.indices() {
            if let Some(CallState::Waiting(wanted)) = self.data.calls.get(index) {
                if wanted == Wanted::Call(Call::Completion(Approval::Granted)) {
                    return TaskState::Completed;
                }
                let started = self.start(index, wanted, cx);
                self.data.calls.set(index, started);
            }
        }
        match self.data.calls.waits() {
            Some(Waits::Tool) => TaskState::ExecutingTools,
            Some(Waits::Subtask) => TaskState::AwaitingSubtask,
            Some(Waits::Person) => TaskState::AwaitingInput,
            None => self.begin_turn(cx),
        }
    }

    fn start(&mut self, index: u16, wanted: Wanted, cx: &mut Surroundings<'_>) -> CallState {
        let call = self.call(index);
        match wanted {
            Wanted::Call(Call::Tool(Approval::Granted)) => {
                cx.emit(Effect::RunTool { call });
                CallState::Running
            }
            Wanted::Call(Call::Subtask { child }) => self.start_subtask(child, Hold::Running, cx),
            Wanted::Call(Call::Tool(Approval::Required) | Call::Question | Call::Completion(_))
            | Wanted::Guidance => {
                self.data.questions += 1;
                let number = self.data.questions;
                let question = QuestionId { task: self.id, number };
                cx.emit(Effect::Ask { question, about: wanted.about(call) });
                CallState::Asking { number, wanted }
            }
        }
    }

    /// The subtasks of a response that came while the task is held: they exist, but nothing of them starts.
    fn create_subtasks(&mut self, cx: &mut Surroundings<'_>) {
        let hold = if self.config.has(Fault::PausedStarts) { Hold::Running } else { Hold::Paused };
        for index in self.data.calls.indices() {
            if let Some(CallState::Waiting(Wanted::Call(Call::Subtask { child }))) =
                self.data.calls.get(index)
            {
                let created = self.start_subtask(child, hold, cx);
                self.data.calls.set(index, created);
            }
        }
    }

    /// Goes on with the calls that a pause held, and lets the subtasks go that it held back.
    pub(crate) fn resume_calls(&mut self, cx: &mut Surroundings<'_>) -> TaskState {
        if self.config.has(Fault::RunsAgain) {
            for (index, _) in self.data.calls.indexed().filter(|(_, call)| *call == CallState::Running) {
                cx.emit(Effect::RunTool { call: self.call(index) });
            }
        }
        if self.config.has(Fault::ResumeAnswers)
            && let Some((index, _)) = self.data.calls.any_asking()
        {
            self.data.calls.set(index, CallState::Settled(CallResult::Answered));
        }
        // Those that have started take no notice.
        cx.follows.extend(self.data.calls.subtasks().map(|child| Follow::Release { child }));
        self.proceed(Hold::Running, cx)
    }

    pub(crate) fn start_subtask(&self, child: TaskId, hold: Hold, cx: &mut Surroundings<'_>) -> CallState {
        if self.data.depth >= self.config.depth_max {
            return CallState::Settled(CallResult::Refused(CallRefusal::TooDeep));
        }
        if cx.room == 0 {
            return CallState::Settled(CallResult::Refused(CallRefusal::TasksFull));
        }
        cx.room -= 1;
        let spent = self.data.spent && !self.config.has(Fault::ChildBornUntold);
        cx.follows.push(Follow::Spawn { child, parent: self.id, depth: self.data.depth + 1, hold, spent });
        if hold == Hold::Running {
            cx.emit(Effect::Enqueue { task: child });
        }
        CallState::Subtask { child }
    }

    /// The end of a call, in whichever way; other events are not of a call.
    pub(crate) fn call_ended(
        &mut self,
        event: &TaskEvent<'_>,
        hold: Hold,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        use TaskEvent as E;
        match *event {
            E::ToolEnded { turn, index, end } => match self.tool(turn, index) {
                Fit::Current => {
                    self.data.calls.set(index, CallState::Settled(CallResult::Tool(end)));
                    Transition(self.proceed(hold, cx))
                }
                Fit::Answered
                    if self.config.has(Fault::AnyCall)
                        && let Some(other) = self.data.calls.any_running() =>
                {
                    self.data.calls.set(other, CallState::Settled(CallResult::Tool(end)));
                    Transition(self.proceed(hold, cx))
                }
                other @ (Fit::Older | Fit::Answered | Fit::NeverAsked) => cx.refuse(late(other)),
            },
            E::SubtaskEnded { child, end } => {
                if self.settle_subtask(child, end) {
                    if self.config.has(Fault::ResumeWithoutCheck) {
                        return Transition(self.begin_turn(cx));
                    }
                    Transition(self.proceed(hold, cx))
                } else {
                    cx.ignore(Ignored::Stale)
                }
            }
            E::AnswerReceived { number, answer } => match self.asking(number) {
                Some((index, wanted)) => self.answered(index, wanted, answer, hold, cx),
                None if number == 0 || number > self.data.questions => cx.refuse(Refusal::NeverAsked),
                None => cx.ignore(Ignored::Stale),
            },
            E::Admitted
            | E::Initialized
            | E::InitializationFailed
            | E::Deployed
            | E::Worker { .. }
            | E::SubtaskRequested { .. }
            | E::ChildReported { .. }
            | E::ResponseEnded { .. }
            | E::Request { .. }
            | E::ProfileChanged { .. }
            | E::MessageReceived { .. }
            | E::PauseRequested
            | E::ResumeRequested
            | E::CancelRequested
            | E::GraceElapsed
            | E::EndAcknowledged
            | E::Released
            | E::Spent { .. }
            | E::BudgetElapsed { .. }
            | E::BudgetSpent
            | E::BudgetGranted => Super,
        }
    }

    /// Settles the call that waits for `child` (S3). False if none does.
    pub(crate) fn settle_subtask(&mut self, child: TaskId, end: End) -> bool {
        let Some(index) = self.data.calls.subtask(child) else { return false };
        self.data.calls.set(index, CallState::Settled(CallResult::Subtask { child, end }));
        true
    }

    pub(crate) fn answered(
        &mut self,
        index: u16,
        wanted: Wanted,
        answer: Answer,
        hold: Hold,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        let next = match (wanted, answer) {
            (Wanted::Guidance, Answer::Denied) => {
                return Transition(TaskState::Failed(Reason::MistakeLimit));
            }
            (Wanted::Guidance, Answer::Approved | Answer::Text) => {
                self.data.mistakes = 0;
                CallState::Settled(CallResult::Guided)
            }
            (Wanted::Call(Call::Tool(_)), Answer::Approved) => {
                CallState::Waiting(Wanted::Call(Call::Tool(Approval::Granted)))
            }
            (Wanted::Call(Call::Completion(_)), Answer::Approved) => {
                CallState::Waiting(Wanted::Call(Call::Completion(Approval::Granted)))
            }
            (Wanted::Call(Call::Tool(_) | Call::Completion(_)), Answer::Denied | Answer::Text) => {
                CallState::Settled(CallResult::Denied)
            }
            // Nobody is asked about a subtask.
            (
                Wanted::Call(Call::Question | Call::Subtask { .. }),
                Answer::Approved | Answer::Denied | Answer::Text,
            ) => CallState::Settled(CallResult::Answered),
        };
        self.data.calls.set(index, next);
        Transition(self.proceed(hold, cx))
    }

    /// The call that asks this question (S6).
    fn asking(&self, number: u32) -> Option<(u16, Wanted)> {
        if self.config.has(Fault::AnyQuestion) {
            return self.data.calls.any_asking();
        }
        self.data.calls.asking(number)
    }

    /// How the identity of a tool's end relates to the calls of the last response.
    pub(crate) fn tool(&self, turn: TurnNumber, index: u16) -> Fit {
        if turn > self.data.replied || turn.0 == 0 {
            return Fit::NeverAsked;
        }
        if turn < self.data.replied {
            return Fit::Older;
        }
        match self.data.calls.get(index) {
            Some(CallState::Running) => Fit::Current,
            Some(CallState::Settled(_)) => Fit::Answered,
            Some(CallState::Waiting(_) | CallState::Asking { .. } | CallState::Subtask { .. }) | None => {
                Fit::NeverAsked
            }
        }
    }

    pub(crate) fn call(&self, index: u16) -> CallId {
        CallId { task: self.id, turn: self.data.replied, index }
    }
}
