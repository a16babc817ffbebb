//! What has been ordered of the outside and not answered, and what becomes of an effect.

use std::hash::{Hash, Hasher};

use downbeat_kernel::{
    CallId, CallResult, Effect, End, Kernel, MessageId, Part, QuestionId, RequestId, Sink, TaskId, Timer,
};

use super::{World, index};
use crate::watch::{How, MESSAGES, TASKS, TaskIndex};

/// The effects of one event.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects(Vec<Effect>);

impl Effects {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Effect> {
        self.0.iter().copied()
    }

    /// The first `count` effects: what was released before a crash.
    pub(super) fn cut(mut self, count: usize) -> Self {
        self.0.truncate(count);
        self
    }
}

impl Sink for Effects {
    fn emit(&mut self, effect: Effect) {
        self.0.push(effect);
    }
}

/// A model request that somebody works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flight {
    pub(super) turn: u8,
    pub(super) attempt: u8,
    /// It was told to stop: it may never answer.
    pub(super) stopping: bool,
    /// It is only the answer to an order to stop something that a crash had stopped already.
    pub(super) gone: bool,
}

/// What is being done to start a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Start {
    #[default]
    Nothing,
    Queued,
    Initializing,
    /// It was told to stop: it may never answer.
    Stopping,
}

/// What one task has outstanding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Orders {
    pub(super) start: Start,
    /// More than one only if S1 is broken.
    pub(super) flights: [Option<Flight>; 2],
    /// The turn whose calls the tools are.
    pub(super) tools_turn: u8,
    /// One bit for each call whose tool runs.
    pub(super) tools: u8,
    /// One bit for each call whose tool was run since the process began.
    pub(super) tools_begun: u8,
    /// Those of them that were told to stop.
    pub(super) tools_stopping: u8,
    /// One bit for each question that a person can see.
    pub(super) questions: u8,
    /// The turn and attempt that the armed backoff timer brings.
    pub(super) backoff: Option<(u8, u8)>,
    pub(super) grace: bool,
    /// Its end was reported and waits to be put on record.
    pub(super) ended: bool,
    /// The last turn of which a request was sent.
    pub(super) sent: u8,
    /// What it contained, while the model has not answered it.
    pub(super) content: u16,
}

impl Orders {
    /// Whether something is left that was neither answered nor told to stop.
    fn is_left(&self) -> bool {
        let waits = matches!(self.start, Start::Queued | Start::Initializing);
        let flies = self.flights.iter().flatten().any(|flight| !flight.stopping);
        let runs = self.tools & !self.tools_stopping != 0;
        waits || flies || runs || self.questions != 0 || self.backoff.is_some() || self.grace
    }
}

/// Everything outstanding, and whose the messages are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outside {
    pub(super) tasks: [Orders; TASKS],
    /// The task that each message was written to, in the order in which they were accepted.
    pub(super) owners: [Option<TaskIndex>; MESSAGES],
}

impl Outside {
    /// What is left after a crash: who was written to, and which turns were sent.
    pub(super) fn restarted(&self) -> Self {
        let tasks = self.tasks.map(|orders| Orders {
            sent: orders.sent,
            content: orders.content,
            ..Orders::default()
        });
        Self { tasks, owners: self.owners }
    }

    pub(super) fn of(&self, task: TaskIndex) -> &Orders {
        &self.tasks[usize::from(task)]
    }

    pub(super) fn of_mut(&mut self, task: TaskIndex) -> &mut Orders {
        &mut self.tasks[usize::from(task)]
    }

    pub(super) fn asks(&self, task: TaskIndex, number: u32) -> bool {
        self.of(task).questions & bit(number) != 0
    }

    /// Whether something of the task runs, or is asked, that was not `before`.
    pub(super) fn began_more_than(&self, before: &Self, task: TaskIndex) -> bool {
        let (now, then) = (self.of(task), before.of(task));
        let key = |flight: &Flight| (flight.turn, flight.attempt);
        let sent =
            now.flights.iter().flatten().any(|flight| {
                !flight.gone && !then.flights.iter().flatten().any(|old| key(old) == key(flight))
            });
        let same_turn = now.tools_turn == then.tools_turn;
        let ran = now.tools & !(if same_turn { then.tools } else { 0 }) != 0;
        let asked = now.questions & !then.questions != 0;
        let began = now.start != then.start && matches!(now.start, Start::Queued | Start::Initializing);
        sent || ran || asked || began
    }

    /// The model's number of a task's message.
    fn message(&self, task: TaskIndex, message: MessageId) -> Option<u8> {
        let nth = usize::try_from(message.0.checked_sub(1)?).ok()?;
        (0..).zip(self.owners).filter(|(_, owner)| *owner == Some(task)).map(|(m, _)| m).nth(nth)
    }

    /// Gives the next place among the messages to one that was accepted for `task`.
    pub(super) fn own(&mut self, task: TaskIndex) -> u8 {
        let place = self.owners.iter().position(Option::is_none).expect("the scenarios have few messages");
        self.owners[place] = Some(task);
        u8::try_from(place).expect("a place among three")
    }

    /// How many messages were accepted for a task.
    pub(super) fn written(&self, task: TaskIndex) -> u32 {
        self.owners.iter().filter(|owner| **owner == Some(task)).fold(0, |count, _| count + 1)
    }
}

/// One bit for a small number.
pub(super) fn bit(number: u32) -> u8 {
    assert!(number < 8, "the scenarios ask fewer than eight questions of a task");
    1 << number
}

fn small(number: u32) -> u8 {
    u8::try_from(number).expect("the scenarios are small")
}

/// A short sum of what a request contains, the same in every run.
fn digest(parts: &[(TaskId, Part)]) -> u16 {
    let mut sum = Fold(0x811c_9dc5);
    parts.hash(&mut sum);
    let [low, high] = [sum.0 & 0xffff, sum.0 >> 16].map(|half| u16::try_from(half).unwrap_or(0));
    low ^ high
}

/// FNV-1a.
struct Fold(u32);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn finish(&self) -> u64 {
        self.0.into()
    }
}

/// Whether the parts are such as a turn has: the prompt in the first and in no other.
fn opens(turn: u8, parts: &[(TaskId, Part)]) -> bool {
    parts.iter().any(|(_, part)| *part == Part::Prompt) == (turn == 1)
}

impl World {
    /// Carries out effects in their order.
    pub(super) fn release(&mut self, effects: &Effects) {
        let mut parts = Vec::new();
        for effect in effects.iter() {
            match effect {
                Effect::Include { task, part } => parts.push((task, part)),
                Effect::Send { request } => self.send(request, &std::mem::take(&mut parts)),
                Effect::Enqueue { task } => self.enqueue(task),
                Effect::Dequeue { task } => self.outside.of_mut(index(task)).start = Start::Nothing,
                Effect::Initialize { task } => self.initialize(task),
                Effect::AbortInitialization { task } => {
                    self.outside.of_mut(index(task)).start = Start::Stopping;
                }
                Effect::CancelRequest { request } => self.cancel_request(request),
                Effect::RunTool { call } => self.run_tool(call),
                Effect::CancelTool { call } => self.cancel_tool(call),
                Effect::Ask { question, .. } => self.ask(question),
                Effect::Withdraw { question: QuestionId { task, number } } => {
                    self.outside.of_mut(index(task)).questions &= !bit(number);
                }
                Effect::Arm { timer, .. } => self.arm(timer),
                Effect::Disarm { timer: Timer::Backoff(request) } => {
                    self.outside.of_mut(index(request.task)).backoff = None;
                }
                Effect::Disarm { timer: Timer::Grace(task) } => {
                    self.outside.of_mut(index(task)).grace = false;
                }
                Effect::ReportUndelivered { task, message, in_doubt } => {
                    self.report(index(task), message, in_doubt);
                }
                Effect::TaskEnded { task, end } => self.ended(task, end),
            }
        }
    }

    /// An order is given: it may not be outstanding already.
    fn once(&mut self, is_outstanding: bool) {
        self.disorder |= is_outstanding;
    }

    fn initialize(&mut self, task: TaskId) {
        let task = index(task);
        self.watch.began(task);
        self.once(self.outside.of(task).start == Start::Initializing);
        self.outside.of_mut(task).start = Start::Initializing;
    }

    fn ask(&mut self, QuestionId { task, number }: QuestionId) {
        let task = index(task);
        self.watch.began(task);
        self.once(self.outside.asks(task, number));
        self.outside.of_mut(task).questions |= bit(number);
    }

    fn arm(&mut self, timer: Timer) {
        match timer {
            Timer::Backoff(request) => {
                let timer = Some((small(request.turn.0), small(u32::from(request.attempt.0))));
                self.once(self.outside.of(index(request.task)).backoff == timer);
                self.outside.of_mut(index(request.task)).backoff = timer;
            }
            Timer::Grace(task) => {
                self.once(self.outside.of(index(task)).grace);
                self.outside.of_mut(index(task)).grace = true;
            }
        }
    }

    fn report(&mut self, task: TaskIndex, message: MessageId, in_doubt: bool) {
        // A report of a message that nobody wrote is a kernel's fault that S25 finds.
        let Some(m) = self.outside.message(task, message) else { return };
        if self.watch.message_in_turn(m).is_some_and(|in_turn| in_turn != in_doubt) {
            self.watch.message_misreported(task);
        }
        self.watch.message_reported(task, m);
    }

    /// Tasks that the kernel holds and did not hold `before` have begun.
    pub(super) fn see_born(&mut self, before: &Kernel) {
        let born: Vec<_> = self
            .kernel
            .tasks()
            .filter(|task| before.task(task.id).is_none())
            .map(|task| (task.id, task.data.parent))
            .collect();
        for (task, parent) in born {
            self.watch.started(index(task), parent.map(index));
        }
    }

    fn enqueue(&mut self, task: TaskId) {
        let task = index(task);
        if self.watch.end_of(task).is_some() {
            self.watch.started(task, None);
        }
        self.once(self.outside.of(task).start == Start::Queued);
        self.outside.of_mut(task).start = Start::Queued;
    }

    fn send(&mut self, request: RequestId, parts: &[(TaskId, Part)]) {
        let task = index(request.task);
        let (turn, attempt) = (small(request.turn.0), small(u32::from(request.attempt.0)));
        // A retry and a repeat carry the same again; only the first send of a turn delivers it.
        let first = turn > self.outside.of(task).sent;
        let content = digest(parts);
        if parts.is_empty() || (!first && content != self.outside.of(task).content) || !opens(turn, parts) {
            self.watch.content_changed(task);
        }
        for (receiver, part) in parts {
            let receiver = index(*receiver);
            match *part {
                Part::Result { call, result } if first => self.deliver(receiver, call, result, turn),
                Part::Message(message) => {
                    // A message that nobody wrote can only come from accepting a double.
                    let m = self.outside.message(receiver, message).unwrap_or(MESSAGES_UNKNOWN);
                    self.watch.message_given(receiver, m, turn);
                }
                Part::Result { .. } | Part::Prompt | Part::Reminder => {}
            }
            if receiver != task {
                self.watch.content_changed(task);
            }
        }
        self.watch.request_sent(task, turn, attempt);
        let flight = Flight { turn, attempt, stopping: false, gone: false };
        let orders = self.outside.of_mut(task);
        (orders.sent, orders.content) = (orders.sent.max(turn), content);
        orders.add(flight);
    }

    /// The result of one call is part of the next request of `receiver`.
    fn deliver(&mut self, receiver: TaskIndex, call: CallId, result: CallResult, turn: u8) {
        let at = small(u32::from(call.index));
        match result {
            CallResult::Subtask { child, .. } => {
                self.watch.call_result_given(receiver, at);
                self.watch.subtask_result_given(index(child), receiver, turn);
            }
            CallResult::Tool(_) => {
                let orders = self.outside.of(receiver);
                let runs = u32::from(orders.tools_turn) == call.turn.0 && orders.tools & (1 << at) != 0;
                // The result of a tool that still runs is another's: the call itself has none.
                if !runs {
                    self.watch.call_result_given(receiver, at);
                }
            }
            CallResult::Denied | CallResult::Answered | CallResult::Refused(_) | CallResult::Abandoned => {
                self.watch.call_result_given(receiver, at);
            }
            // The kernel's own question, not a call of the model's.
            CallResult::Guided => {}
        }
    }

    fn cancel_request(&mut self, request: RequestId) {
        let (turn, attempt) = (small(request.turn.0), small(u32::from(request.attempt.0)));
        let orders = self.outside.of_mut(index(request.task));
        let found = orders.flights.iter_mut().flatten().find(|f| (f.turn, f.attempt) == (turn, attempt));
        match found {
            Some(flight) => flight.stopping = true,
            None => orders.add(Flight { turn, attempt, stopping: true, gone: true }),
        }
    }

    fn run_tool(&mut self, call: CallId) {
        let task = index(call.task);
        self.watch.tool_ran(task);
        self.watch.began(task);
        let orders = self.outside.of_mut(task);
        orders.tool(call);
        let bit = 1 << call.index;
        if orders.tools_begun & bit != 0 {
            self.watch.tool_ran_twice(task);
        }
        self.outside.of_mut(task).tools_begun |= bit;
    }

    fn cancel_tool(&mut self, call: CallId) {
        let orders = self.outside.of_mut(index(call.task));
        orders.tool(call);
        orders.tools_stopping |= 1 << call.index;
    }

    fn ended(&mut self, task: TaskId, end: End) {
        let task = index(task);
        let how = match end {
            End::Completed => How::Completed,
            End::Failed(_) => How::Failed,
            End::Cancelled => How::Cancelled,
        };
        self.watch.subtask_ended(task);
        self.watch.ended(task, how);
        self.disorder |= self.outside.of(task).is_left();
        // What an ended task has told to stop can only come late.
        *self.outside.of_mut(task) = Orders { ended: true, ..Orders::default() };
    }
}

/// A message that no user wrote: the last place, which no scenario fills.
const MESSAGES_UNKNOWN: u8 = 2;

impl Orders {
    /// A request has ended.
    pub(super) fn land(&mut self, flight: usize) {
        self.flights[flight] = None;
        self.flights.sort_unstable_by_key(Option::is_none);
    }

    fn add(&mut self, flight: Flight) {
        let same = |other: &Flight| (other.turn, other.attempt) == (flight.turn, flight.attempt);
        if let Some(known) = self.flights.iter_mut().flatten().find(|other| same(other)) {
            *known = flight;
        } else if self.flights[0].is_none() {
            self.flights[0] = Some(flight);
        } else {
            // A third request at once is no worse than a second: S1 is broken already.
            self.flights[1] = Some(flight);
        }
    }

    fn tool(&mut self, call: CallId) {
        let turn = small(call.turn.0);
        if self.tools_turn != turn {
            (self.tools_turn, self.tools, self.tools_stopping, self.tools_begun) = (turn, 0, 0, 0);
        }
        self.tools |= 1 << call.index;
    }
}
