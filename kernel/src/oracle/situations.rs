//! Every situation in which one task can be, up to small bounds, and every event that can reach it there.
//!
//! A situation is a state, what outlives states, and what a step may ask of its surroundings. The lists below are
//! crossed without regard to sense; [`Kernel::validate`] throws out what cannot be.

use super::budgets::{budget_events, empty_pot, with_budgets};
use super::requests::{answered, is_asking, requests, send_events};
use crate::calls::{CallState, Wanted};
use crate::config::Config;
use crate::kernel::Kernel;
use crate::lifecycle::TaskEvent;
use crate::request::{ProfileId, Request, RequestEvent, RequestReason};
use crate::roster::{Roster, Task};
use crate::session::{IteratorEnd, IteratorId, PromptId, SessionEvent};
use crate::task::{Held, Outstanding, TaskData, TaskState};
use crate::vocabulary::{
    Answer, Approval, Attempt, Call, CallRefusal, CallResult, End, MessageId, Outcome, Reason, Response,
    TaskId, ToolEnd, TurnNumber,
};
use crate::worker::{Then, Worker, WorkerEvent, WorkerReason};
use std::boxed::Box;
use std::vec::Vec;

/// The task that the events are for.
const TASK: TaskId = TaskId(10);
const PARENT: TaskId = TaskId(5);
/// Live subtasks are numbered from here by the index of their call.
const LIVE: u64 = 11;
/// A subtask that ended before.
const GONE: u64 = 15;
/// The highest id that was used. Responses bring fresh ids above it.
const HIGHEST: TaskId = TaskId(20);
/// Questions that were settled before those that are open.
const SETTLED_QUESTIONS: u32 = 2;

#[derive(Clone)]
pub(super) struct Situation {
    pub(super) config: Config,
    pub(super) id: TaskId,
    pub(super) state: TaskState,
    pub(super) data: TaskData,
    /// Places for new tasks.
    pub(super) room: u32,
    pub(super) highest: Option<TaskId>,
    /// Bit `i`: profile `i` is down, for requests that begin.
    pub(super) down: u8,
}

/// Bounds that a few calls, messages and attempts reach.
pub(super) fn small() -> Config {
    Config { depth_max: 1, messages_max: 2, calls_max: 3, attempts_max: 3, inbox_max: 1, ..Config::default() }
}

/// Every valid situation, one leaf after the other.
pub(super) fn situations(config: Config) -> impl Iterator<Item = Situation> {
    leaves().into_iter().flat_map(move |state| {
        if is_of_worker(state) {
            return with_budgets(with_worker(config, state));
        }
        let lists = if holds_open_calls(state) { open_lists() } else { settled_lists() };
        let requests = requests(&config, state);
        let judges_room =
            matches!(state, TaskState::Requesting | TaskState::Paused(Held::Requesting | Held::Calls));
        let mut found = Vec::new();
        for axes in axes(state) {
            for calls in &lists {
                // Room for other tasks matters where a response is taken, because its subtasks are created with
                // it, and must not matter any more at the resume.
                let rooms: &[u32] = if judges_room { &[0, 1, 5] } else { &[5] };
                for room in rooms {
                    for request in &requests {
                        found.extend(situation(config, state, &axes, calls, *room, *request));
                    }
                }
            }
        }
        with_budgets(found)
    })
}

/// Every leaf of the hierarchy.
pub(super) fn leaves() -> Vec<TaskState> {
    let failed = |why| TaskState::Failed(Reason::Request(why));
    Vec::from([
        TaskState::Queued,
        TaskState::Initializing,
        TaskState::ExecutingTools,
        TaskState::AwaitingSubtask,
        TaskState::AwaitingInput,
        TaskState::AwaitingBudget,
        TaskState::Paused(Held::Unstarted),
        TaskState::Paused(Held::Queued),
        TaskState::Paused(Held::Admitted),
        TaskState::Paused(Held::Initializing),
        TaskState::Paused(Held::Turn),
        TaskState::Paused(Held::Calls),
        TaskState::Cancelling(Outstanding::Nothing),
        TaskState::Cancelling(Outstanding::Initialization),
        TaskState::Working,
        TaskState::Cancelling(Outstanding::Worker),
        TaskState::Ending(End::Completed),
        TaskState::Ending(End::Failed(Reason::Worker(WorkerReason::Stuck))),
        TaskState::Ending(End::Cancelled),
        TaskState::Completed,
        TaskState::Failed(Reason::Worker(WorkerReason::Refused)),
        TaskState::Failed(Reason::Initialization),
        failed(RequestReason::AttemptsExhausted),
        failed(RequestReason::Invalid),
        failed(RequestReason::Interrupted),
        TaskState::Failed(Reason::MistakeLimit),
        TaskState::Cancelled,
        TaskState::Requesting,
        TaskState::Paused(Held::Requesting),
        TaskState::Cancelling(Outstanding::Request),
    ])
}

fn holds_open_calls(state: TaskState) -> bool {
    matches!(
        state,
        TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::Paused(Held::Calls)
            | TaskState::Cancelling(Outstanding::Nothing)
    )
}

/// Whether the task's agent is a worker's, so that it has no turn and no message of its own.
fn is_of_worker(state: TaskState) -> bool {
    matches!(state, TaskState::Working | TaskState::Ending(_) | TaskState::Cancelling(Outstanding::Worker))
}

fn with_worker(config: Config, state: TaskState) -> Vec<Situation> {
    let live = |index| CallState::Subtask { child: TaskId(LIVE + index) };
    let workers: Vec<_> = workers(&config).into_iter().map(|worker| Some(Box::new(worker))).collect();
    let mut found = Vec::new();
    for lineage in [(None, 0), (Some(PARENT), 1)] {
        for calls in [&[][..], &[live(0)], &[live(0), live(1)], &[live(0), live(1), live(2)]] {
            for worker in &workers {
                for room in [0, 5] {
                    let axes = Axes { lineage, turn: 0, replied: 0, messages: [0; 3], mistakes: 0 };
                    let mut data = data(&axes, calls);
                    data.questions = 0;
                    data.worker.clone_from(worker);
                    let highest = Some(HIGHEST);
                    let situation = Situation { config, id: TASK, state, data, room, highest, down: 0 };
                    found.extend(situation.kernel().validate().is_ok().then_some(situation));
                }
            }
        }
    }
    found
}

/// Workers that stand everywhere: what they do is compared with a twin of their own.
fn workers(config: &Config) -> Vec<Worker> {
    use WorkerEvent as E;
    let iterator = IteratorId(1);
    let started = E::Session(SessionEvent::Started { iterator });
    let answered = E::Session(SessionEvent::Answered { iterator, prompt: PromptId(1) });
    let failed = E::Session(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Throttled });
    let message = E::MessageReceived { message: MessageId(1) };
    let reported = E::Reported { number: 1 };
    let gone = E::Session(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Normal });
    let lives: [&[E]; 10] = [
        &[E::Assigned],
        &[E::Assigned, started, message, reported],
        &[E::PauseRequested, E::Assigned],
        &[E::Assigned, started, E::PauseRequested, message],
        // What its inbox has room for is in its prompt.
        &[E::PauseRequested, E::Assigned, message, E::ResumeRequested, started],
        &[E::Assigned, started, answered],
        &[E::Assigned, started, failed],
        &[E::Assigned, started, message, E::CompleteRequested],
        &[E::Assigned, started, E::KillRequested],
        &[E::Assigned, started, message, E::CompleteRequested, gone],
    ];
    let mut workers = Vec::new();
    for life in lives {
        let mut worker = Worker::default();
        for event in life {
            assert_eq!(worker.step(*event, config, &mut |_| {}), Outcome::Applied, "{event:?} of {life:?}");
        }
        workers.push(worker);
    }
    workers
}

/// One choice of everything but the state and its calls.
struct Axes {
    lineage: (Option<TaskId>, u8),
    turn: u32,
    replied: u32,
    /// Accepted, taken, answered.
    messages: [u32; 3],
    mistakes: u16,
}

fn axes(state: TaskState) -> Vec<Axes> {
    // None, one queued, the queue full; after a turn that was answered, and beside one that was not.
    let messages = [[0, 0, 0], [2, 1, 1], [3, 1, 1], [1, 0, 0], [1, 1, 0], [4, 2, 1]];
    let (messages, mistakes): (&[[u32; 3]], &[u16]) =
        if holds_open_calls(state) { (&messages[1..3], &[0]) } else { (&messages, &[0, 2]) };
    let mut axes = Vec::new();
    for lineage in [(None, 0), (Some(PARENT), 1)] {
        for (turn, replied) in [(0, 0), (1, 0), (1, 1), (3, 2), (3, 3)] {
            for messages in messages {
                for mistakes in mistakes {
                    axes.push(Axes { lineage, turn, replied, messages: *messages, mistakes: *mistakes });
                }
            }
        }
    }
    axes
}

/// Lists of calls that all have their result, as a request contains them.
fn settled_lists() -> Vec<Vec<CallState>> {
    let subtask = CallResult::Subtask { child: TaskId(LIVE), end: End::Completed };
    let failed = CallResult::Subtask { child: TaskId(LIVE), end: End::Failed(Reason::MistakeLimit) };
    let tool = CallResult::Tool(ToolEnd::Succeeded);
    let lists: [&[CallResult]; 6] = [
        &[],
        &[CallResult::Guided],
        &[tool],
        &[subtask, CallResult::Denied],
        &[CallResult::Refused(CallRefusal::NotAlone), CallResult::Tool(ToolEnd::Failed)],
        &[CallResult::Answered, failed, CallResult::Refused(CallRefusal::TasksFull)],
    ];
    lists.iter().map(|list| list.iter().copied().map(CallState::Settled).collect()).collect()
}

/// One kind of call by its index in the list, because ids and questions differ by index.
type Kind = fn(u16) -> CallState;

/// Every list of up to two calls of any kind and of three of the common kinds.
fn open_lists() -> Vec<Vec<CallState>> {
    let common: [Kind; 7] = [
        |_| CallState::Running,
        |_| CallState::Waiting(Wanted::Call(Call::Tool(Approval::Granted))),
        |_| CallState::Waiting(Wanted::Call(Call::Question)),
        |index| asking(index, Wanted::Call(Call::Tool(Approval::Required))),
        |index| asking(index, Wanted::Call(Call::Question)),
        |index| CallState::Subtask { child: TaskId(LIVE + u64::from(index)) },
        |_| CallState::Settled(CallResult::Tool(ToolEnd::Succeeded)),
    ];
    let rare: [Kind; 11] = [
        |_| CallState::Waiting(Wanted::Call(Call::Tool(Approval::Required))),
        |_| CallState::Waiting(Wanted::Call(Call::Completion(Approval::Granted))),
        |_| CallState::Waiting(Wanted::Call(Call::Completion(Approval::Required))),
        |_| CallState::Waiting(Wanted::Guidance),
        |index| asking(index, Wanted::Call(Call::Completion(Approval::Required))),
        |index| asking(index, Wanted::Guidance),
        |_| CallState::Settled(CallResult::Denied),
        |_| CallState::Settled(CallResult::Refused(CallRefusal::TooDeep)),
        |_| CallState::Settled(CallResult::Abandoned),
        |_| CallState::Settled(CallResult::Answered),
        |index| {
            let child = TaskId(LIVE + u64::from(index));
            CallState::Settled(CallResult::Subtask { child, end: End::Cancelled })
        },
    ];
    let all: Vec<Kind> = common.into_iter().chain(rare).collect();
    let mut lists: Vec<Vec<CallState>> = all.iter().map(|kind| Vec::from([kind(0)])).collect();
    for first in &all {
        lists.extend(all.iter().map(|second| Vec::from([first(0), second(1)])));
    }
    for first in common {
        for second in common {
            lists.extend(common.iter().map(|third| Vec::from([first(0), second(1), third(2)])));
        }
    }
    lists
}

fn asking(index: u16, wanted: Wanted) -> CallState {
    CallState::Asking { number: SETTLED_QUESTIONS + 1 + u32::from(index), wanted }
}

fn situation(
    config: Config,
    state: TaskState,
    axes: &Axes,
    calls: &[CallState],
    room: u32,
    request: Request,
) -> Option<Situation> {
    let mut data = data(axes, calls);
    data.request = request;
    if state == TaskState::AwaitingBudget {
        empty_pot(&mut data);
    }
    let down = if is_asking(state) { request.profiles.down } else { u8::from(config.profiles > 1) };
    let situation = Situation { config, id: TASK, state, data, room, highest: Some(HIGHEST), down };
    (situation.makes_sense() && situation.kernel().validate().is_ok()).then_some(situation)
}

fn data(axes: &Axes, calls: &[CallState]) -> TaskData {
    let (parent, depth) = axes.lineage;
    let mut data = TaskData::new(parent, depth);
    data.turn = TurnNumber(axes.turn);
    data.replied = TurnNumber(axes.replied);
    data.mistakes = axes.mistakes;
    [data.accepted, data.taken, data.answered] = axes.messages.map(MessageId);
    data.questions = SETTLED_QUESTIONS + 3;
    data.calls.replace(calls.iter().copied());
    data
}

impl Situation {
    /// What `validate` leaves to this list, because it is a matter of history: a task has asked nothing before its
    /// first turn, and its calls are those of a response.
    fn makes_sense(&self) -> bool {
        self.data.calls.len() == 0 || self.data.replied.0 > 0
    }

    /// A kernel with this task, its parent and its live subtasks.
    pub(super) fn kernel(&self) -> Kernel {
        let mut tasks = Roster::default();
        let mut family = |id, state, data| tasks.insert(Task { id, state, data });
        if let Some(parent) = self.data.parent {
            let mut data = TaskData::new(None, 0);
            (data.turn, data.replied) = (TurnNumber(1), TurnNumber(1));
            data.request = answered(&self.config);
            if self.data.spent {
                empty_pot(&mut data);
            }
            if self.state.end().is_none() {
                data.calls.replace([CallState::Subtask { child: TASK }].into_iter());
                let held = self.state == TaskState::Paused(Held::Unstarted);
                let paused = TaskState::Paused(Held::Calls);
                family(parent, if held { paused } else { TaskState::AwaitingSubtask }, data);
            }
        }
        family(self.id, self.state, self.data.clone());
        for child in self.data.calls.subtasks() {
            let spent = self.data.spent;
            let data = TaskData { spent, ..TaskData::new(Some(TASK), self.data.depth + 1) };
            family(child, TaskState::Queued, data);
        }
        Kernel { config: self.config, highest: self.highest, down: self.down, tasks }
    }

    /// Every event, under every identity that is current, older, newer or doubled here.
    pub(super) fn events<'r>(&self, responses: &'r Responses) -> Vec<TaskEvent<'r>> {
        use TaskEvent as E;
        let mut events = Vec::from([
            E::Admitted,
            E::Initialized,
            E::InitializationFailed,
            E::PauseRequested,
            E::ResumeRequested,
            E::CancelRequested,
            E::GraceElapsed,
            E::EndAcknowledged,
            E::Released,
            E::Deployed,
        ]);
        budget_events(&self.data, &mut events);
        self.worker_events(&mut events);
        self.request_events(responses, &mut events);
        self.call_events(&mut events);
        let accepted = self.data.accepted.0;
        for number in [accepted.saturating_sub(1), accepted, accepted + 1, accepted + 2] {
            events.push(E::MessageReceived { message: MessageId(number) });
        }
        events
    }

    /// What a task that no worker runs refuses by one is enough of; to the worker itself its own twin tells everything.
    fn worker_events(&self, events: &mut Vec<TaskEvent<'_>>) {
        use WorkerEvent as E;
        let iterator = IteratorId(1);
        let ended = SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Permanent };
        let answered = SessionEvent::Answered { iterator, prompt: PromptId(1) };
        let mut told = Vec::from([E::Session(ended)]);
        if self.data.worker.is_some() {
            told.extend([
                E::Session(answered),
                E::Session(SessionEvent::StopElapsed { iterator }),
                E::Session(SessionEvent::RestartRequested),
                E::Assigned,
                E::MessageReceived { message: MessageId(2) },
                E::ChildReported { child: TaskId(LIVE), number: 1 },
                E::ChildEnded { child: TaskId(LIVE) },
                E::PauseRequested,
                E::ResumeRequested,
                E::BudgetSpent,
                E::BudgetGranted,
                E::KillRequested,
                E::EndAcknowledged,
                E::Reported { number: 1 },
                E::Reported { number: 2 },
                E::ReportAcknowledged { number: 1 },
                E::WrapUpRequested,
                E::CompleteRequested,
                E::InterruptRequested { turn: TurnNumber(1), then: Then::Hold },
            ]);
        }
        events.extend(told.into_iter().map(|event| TaskEvent::Worker { event }));
        for child in [HIGHEST, TaskId(HIGHEST.0 + 1)] {
            events.push(TaskEvent::SubtaskRequested { child });
        }
        events.push(TaskEvent::ChildReported { child: TaskId(LIVE), number: 1 });
    }

    fn request_events<'r>(&self, responses: &'r Responses, events: &mut Vec<TaskEvent<'r>>) {
        use TaskEvent as E;
        let sends = u16::try_from(self.data.request.ledger.sends().len()).expect("few sends");
        let profile = ProfileId(0);
        let changed = [RequestEvent::ProfileDown { profile }, RequestEvent::ProfileUp { profile }];
        if is_asking(self.state) {
            events.extend(changed.map(|event| E::ProfileChanged { event }));
        }
        for turn in around(self.data.turn.0).into_iter().map(TurnNumber) {
            let own = [changed[0], RequestEvent::ResumeRequested, RequestEvent::CancelRequested];
            events.extend(own.map(|event| E::Request { turn, event }));
            for attempt in (0..=sends).map(Attempt) {
                let named = turn == self.data.turn && attempt.0 + 1 == sends;
                events.extend(send_events(attempt, named).map(|event| E::Request { turn, event }));
                let in_flight =
                    matches!(self.state, TaskState::Requesting | TaskState::Paused(Held::Requesting));
                let shapes = if named && in_flight { &responses.all[..] } else { &responses.all[..4] };
                events.extend(shapes.iter().map(|response| E::ResponseEnded {
                    turn,
                    attempt,
                    response,
                    jitter_ms: 250,
                }));
            }
        }
    }

    fn call_events(&self, events: &mut Vec<TaskEvent<'_>>) {
        use TaskEvent as E;
        let ends = [ToolEnd::Succeeded, ToolEnd::Failed, ToolEnd::Cancelled];
        for turn in around(self.data.replied.0).into_iter().map(TurnNumber) {
            let ends = if turn == self.data.replied { &ends[..] } else { &ends[..1] };
            for index in (0..=self.data.calls.len()).filter_map(|index| u16::try_from(index).ok()) {
                events.extend(ends.iter().map(|end| E::ToolEnded { turn, index, end: *end }));
            }
        }
        for child in [LIVE, LIVE + 1, LIVE + 2, GONE, HIGHEST.0 + 1].map(TaskId) {
            for end in [End::Completed, End::Failed(Reason::MistakeLimit), End::Cancelled] {
                events.push(E::SubtaskEnded { child, end });
            }
        }
        for number in 0..=self.data.questions + 1 {
            for answer in [Answer::Approved, Answer::Denied, Answer::Text] {
                events.push(E::AnswerReceived { number, answer });
            }
        }
    }
}

/// Zero, the number before, the number itself and the one after.
pub(super) fn around(number: u32) -> Vec<u32> {
    let mut numbers = Vec::from([0, number.saturating_sub(1), number, number + 1]);
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Responses of every shape: events borrow them.
pub(super) struct Responses {
    /// The first four are those that a stale answer is tried with.
    all: Vec<Response>,
}

impl Responses {
    pub(super) fn new() -> Self {
        let first = HIGHEST.0 + 1;
        let fresh = |index: u64| Call::Subtask { child: TaskId(first + index) };
        let kinds = |index: u64| {
            [
                Call::Tool(Approval::Granted),
                Call::Tool(Approval::Required),
                Call::Question,
                Call::Completion(Approval::Granted),
                Call::Completion(Approval::Required),
                fresh(index),
                // Used before, and used by another call of the same response.
                Call::Subtask { child: HIGHEST },
                fresh(0),
            ]
        };
        let mut all = Vec::from([
            Response::Text,
            Response::Calls(Vec::from([fresh(0)])),
            Response::Empty,
            Response::Calls(Vec::new()),
        ]);
        for one in kinds(0) {
            all.push(Response::Calls(Vec::from([one])));
            for two in kinds(1) {
                all.push(Response::Calls(Vec::from([one, two])));
                all.extend(kinds(2).into_iter().map(|three| Response::Calls(Vec::from([one, two, three]))));
            }
        }
        all.push(Response::Calls(Vec::from([Call::Question; 4])));
        Self { all }
    }
}
