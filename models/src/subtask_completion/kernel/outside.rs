//! What has been ordered of the outside and not answered, and what becomes of an effect.

use std::hash::{Hash, Hasher};

use downbeat_kernel::{
    About, Answer, CallId, CallResult, Effect, End, Kernel, Part, QuestionId, RequestEffect, RequestId,
    RequestTimer, Sink, Task, TaskId, Timer, TurnNumber,
};

use super::index;
use super::sights::Sight;
use super::world::World;
use crate::pots::{self, Pot};
use crate::watch::{How, TASKS, TaskIndex};

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
}

/// The task that an effect is of.
pub(super) fn of(effect: Effect) -> TaskId {
    match effect {
        Effect::Enqueue { task }
        | Effect::Dequeue { task }
        | Effect::Initialize { task }
        | Effect::AbortInitialization { task }
        | Effect::Include { task, .. }
        | Effect::Request { task, .. }
        | Effect::Worker { task, .. }
        | Effect::ReportUndelivered { task, .. }
        | Effect::TaskEnded { task, .. } => task,
        Effect::RunTool { call } | Effect::CancelTool { call } => call.task,
        Effect::Ask { question, .. } | Effect::Withdraw { question } => question.task,
        Effect::Arm { timer, .. } | Effect::Disarm { timer } => match timer {
            Timer::Grace(task) | Timer::Budget { task, .. } => task,
        },
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
    /// A crash has closed it: it is only the answer to the order to stop it, or to say what became of it.
    pub(super) gone: bool,
    /// Output of it has gone out.
    pub(super) delivered: bool,
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
    pub(super) questions: u16,
    /// The turn and attempt that the armed backoff timer brings.
    pub(super) backoff: Option<(u8, u8)>,
    pub(super) grace: bool,
    /// The turn and attempt whose grace timer is armed.
    pub(super) stream_grace: Option<(u8, u8)>,
    /// Its end was reported and waits to be put on record.
    pub(super) ended: bool,
    /// The grant whose timer is armed.
    pub(super) budget: Option<u8>,
    /// The number of the open question for more.
    pub(super) more: Option<u8>,
    /// What is in the pot of the tree, of a root.
    pub(super) pot: Pot,
    /// The last turn of which a request was sent.
    pub(super) sent: u8,
    /// What it contained, while the model has not answered it.
    pub(super) content: u16,
    /// Whether a provider may have worked on a request of the last turn that was begun.
    pub(super) read: Read,
    /// The last turn of which output went out.
    pub(super) delivered: u8,
}

/// Whether a provider may have worked on a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Read {
    /// It did not.
    #[default]
    No,
    /// It may have.
    Perhaps,
    /// It did not, but only because a crash came before the request went out, which the kernel cannot know.
    Unsent,
}

impl Orders {
    /// Whether something is left that was neither answered nor told to stop, or a request that is not over.
    fn is_left(&self) -> bool {
        let waits = matches!(self.start, Start::Queued | Start::Initializing);
        let flies = self.flights.iter().any(Option::is_some);
        let runs = self.tools & !self.tools_stopping != 0;
        waits
            || flies
            || runs
            || self.questions != 0
            || self.backoff.is_some()
            || self.grace
            || self.budget.is_some()
            || self.stream_grace.is_some()
    }

    /// Whether something runs, or is asked, that was not `then`.
    pub(super) fn began_more_than(&self, then: &Self) -> bool {
        let now = self;
        let key = |flight: &Flight| (flight.turn, flight.attempt);
        let sent =
            now.flights.iter().flatten().any(|flight| {
                !flight.gone && !then.flights.iter().flatten().any(|old| key(old) == key(flight))
            });
        let same_turn = now.tools_turn == then.tools_turn;
        let ran = now.tools & !(if same_turn { then.tools } else { 0 }) != 0;
        let of_work = |orders: &Self| orders.questions & !orders.more.map_or(0, |more| bit(more.into()));
        let asked = of_work(now) & !then.questions != 0;
        let began = now.start != then.start && matches!(now.start, Start::Queued | Start::Initializing);
        sent || ran || asked || began
    }

    pub(super) fn asks(&self, number: u32) -> bool {
        self.questions & bit(number) != 0
    }
}

/// Everything outstanding, and how many messages each task was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outside {
    pub(super) tasks: [Orders; TASKS],
    /// How many messages were accepted for each task.
    pub(super) written: [u8; TASKS],
}

impl Outside {
    /// What is left after a crash: who was written to, and which turns were sent.
    pub(super) fn restarted(&self) -> Self {
        let tasks = self.tasks.map(|orders| Orders {
            sent: orders.sent,
            content: orders.content,
            delivered: orders.delivered,
            pot: orders.pot,
            read: if orders.flights.iter().flatten().any(|flight| !flight.gone) {
                Read::Perhaps
            } else {
                orders.read
            },
            ..Orders::default()
        });
        Self { tasks, written: self.written }
    }

    pub(super) fn of(&self, task: TaskIndex) -> &Orders {
        &self.tasks[usize::from(task)]
    }

    pub(super) fn of_mut(&mut self, task: TaskIndex) -> &mut Orders {
        &mut self.tasks[usize::from(task)]
    }

    pub(super) fn asks(&self, task: TaskIndex, number: u32) -> bool {
        self.of(task).asks(number)
    }
    /// How many messages were accepted for a task.
    pub(super) fn written(&self, task: TaskIndex) -> u32 {
        self.written[usize::from(task)].into()
    }
}

/// One bit for a small number.
pub(super) fn bit(number: u32) -> u16 {
    assert!(number < 16, "the scenarios ask fewer than sixteen questions of a task");
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
    /// Carries out the first `count` effects in their order: the others come after a crash.
    pub(super) fn release(&mut self, effects: &Effects, count: usize) {
        let mut parts = Vec::new();
        for effect in effects.iter().take(count) {
            match effect {
                Effect::Include { task, part } => parts.push((task, part)),
                Effect::Request { task, turn, effect } => self.request(task, turn, effect, &mut parts),
                Effect::Enqueue { task } => self.enqueue(task),
                Effect::Dequeue { task } => self.outside.of_mut(index(task)).start = Start::Nothing,
                Effect::Initialize { task } => self.initialize(task),
                Effect::AbortInitialization { task } => {
                    self.outside.of_mut(index(task)).start = Start::Stopping;
                }
                Effect::RunTool { call } => self.run_tool(call),
                Effect::CancelTool { call } => self.cancel_tool(call),
                Effect::Ask { question, about } => self.ask(question, about),
                Effect::Withdraw { question: QuestionId { task, number } } => {
                    self.outside.of_mut(index(task)).settle(small(number));
                }
                Effect::Arm { timer, .. } => self.arm(timer),
                Effect::Disarm { timer: Timer::Grace(task) } => {
                    self.outside.of_mut(index(task)).grace = false;
                }
                Effect::Disarm { timer: Timer::Budget { task, .. } } => {
                    self.outside.of_mut(index(task)).budget = None;
                }
                Effect::ReportUndelivered { task, message, in_doubt } => {
                    let task = index(task);
                    let read = self.outside.of(task).read;
                    self.sees(Sight::Reported { task, message, in_doubt, read });
                }
                Effect::TaskEnded { task, end } => self.ended(task, end),
                // No worker is deployed here.
                Effect::Worker { .. } => self.once(true),
            }
        }
    }

    /// An order is given: it may not be outstanding already.
    fn once(&mut self, is_outstanding: bool) {
        self.disorder |= is_outstanding;
    }

    fn initialize(&mut self, task: TaskId) {
        let task = index(task);
        self.sees(Sight::Began { task });
        self.once(self.outside.of(task).start == Start::Initializing);
        self.outside.of_mut(task).start = Start::Initializing;
    }

    fn ask(&mut self, QuestionId { task, number }: QuestionId, about: About) {
        let task = index(task);
        // To ask for more is no work of the task's.
        if about != About::Budget {
            self.sees(Sight::Began { task });
        }
        self.once(self.outside.asks(task, number));
        let orders = self.outside.of_mut(task);
        orders.questions |= bit(number);
        if about == About::Budget {
            orders.more = Some(small(number));
        }
    }

    fn arm(&mut self, timer: Timer) {
        let is_armed = match timer {
            Timer::Grace(task) => std::mem::replace(&mut self.outside.of_mut(index(task)).grace, true),
            Timer::Budget { task, grant } => {
                self.outside.of_mut(index(task)).budget.replace(small(grant.0)).is_some()
            }
        };
        self.once(is_armed);
    }

    /// An order of the request of a turn.
    fn request(
        &mut self,
        task: TaskId,
        turn: TurnNumber,
        effect: RequestEffect,
        parts: &mut Vec<(TaskId, Part)>,
    ) {
        let request = |attempt| RequestId { task, turn, attempt };
        match effect {
            RequestEffect::Send { attempt, .. } => self.send(request(attempt), &std::mem::take(parts)),
            RequestEffect::Recover { attempt } => {
                let flight = Flight::of(request(attempt));
                self.outside.of_mut(index(task)).add(Flight { gone: true, ..flight });
            }
            RequestEffect::Stop { attempt } => self.stop_request(request(attempt)),
            RequestEffect::Fence { attempt } => self.fence(request(attempt)),
            RequestEffect::Arm { timer, .. } => self.arm_request(task, turn, timer),
            RequestEffect::Disarm { timer: RequestTimer::Backoff(_) } => {
                self.outside.of_mut(index(task)).backoff = None;
            }
            RequestEffect::Disarm { timer: RequestTimer::Grace(_) } => {
                self.outside.of_mut(index(task)).stream_grace = None;
            }
            // There is one profile, with a key that does not change, and nobody sends a bill.
            RequestEffect::GetCredential { .. }
            | RequestEffect::Charge { .. }
            | RequestEffect::Ended { .. } => self.once(true),
        }
    }

    fn arm_request(&mut self, task: TaskId, turn: TurnNumber, timer: RequestTimer) {
        let orders = self.outside.of_mut(index(task));
        let (armed, attempt) = match timer {
            RequestTimer::Backoff(attempt) => (&mut orders.backoff, attempt),
            RequestTimer::Grace(attempt) => (&mut orders.stream_grace, attempt),
        };
        let before = armed.replace((small(turn.0), small(u32::from(attempt.0))));
        self.once(before.is_some());
    }

    /// A request is closed by force.
    fn fence(&mut self, request: RequestId) {
        let task = index(request.task);
        let wanted = Flight::of(request);
        let flights = self.outside.of(task).flights;
        let same = |flight: &Flight| (flight.turn, flight.attempt) == (wanted.turn, wanted.attempt);
        if let Some(at) = flights.iter().position(|flight| flight.as_ref().is_some_and(same))
            && let Some(flight) = flights[at]
        {
            self.outside.of_mut(task).land(at);
            self.see_landed(task, flight, true);
        }
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
            self.sees(Sight::Started { task: index(task), parent: parent.map(index) });
        }
    }

    fn enqueue(&mut self, task: TaskId) {
        let task = index(task);
        self.sees(Sight::Enqueued { task });
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
            self.sees(Sight::ContentChanged { task });
        }
        for (receiver, part) in parts {
            let receiver = index(*receiver);
            match *part {
                Part::Result { call, result } if first => self.deliver(receiver, call, result, turn),
                Part::Message(message) => {
                    self.sees(Sight::MessageGiven { task: receiver, message, turn });
                }
                Part::Result { .. } | Part::Prompt | Part::Reminder => {}
            }
            if receiver != task {
                self.sees(Sight::ContentChanged { task });
            }
        }
        // S18: who has read of one answer is given no other.
        self.once(self.outside.of(task).delivered == turn);
        self.sees(Sight::RequestSent { task, turn, attempt });
        let orders = self.outside.of_mut(task);
        if attempt == 0 {
            orders.read = Read::No;
        }
        (orders.sent, orders.content) = (orders.sent.max(turn), content);
        orders.add(Flight::of(request));
    }

    /// The result of one call is part of the next request of `receiver`.
    fn deliver(&mut self, receiver: TaskIndex, call: CallId, result: CallResult, turn: u8) {
        let at = small(u32::from(call.index));
        match result {
            CallResult::Subtask { child, .. } => {
                self.sees(Sight::CallResultGiven { task: receiver, call: at });
                self.sees(Sight::SubtaskResultGiven { child: index(child), to: receiver, turn });
            }
            CallResult::Tool(_) => {
                let orders = self.outside.of(receiver);
                let runs = u32::from(orders.tools_turn) == call.turn.0 && orders.tools & (1 << at) != 0;
                // The result of a tool that still runs is another's: the call itself has none.
                if !runs {
                    self.sees(Sight::CallResultGiven { task: receiver, call: at });
                }
            }
            CallResult::Denied | CallResult::Answered | CallResult::Refused(_) | CallResult::Abandoned => {
                self.sees(Sight::CallResultGiven { task: receiver, call: at });
            }
            // The kernel's own question, not a call of the model's.
            CallResult::Guided => {}
        }
    }

    fn stop_request(&mut self, request: RequestId) {
        let wanted = Flight { stopping: true, gone: true, ..Flight::of(request) };
        let orders = self.outside.of_mut(index(request.task));
        let same = |flight: &&mut Flight| (flight.turn, flight.attempt) == (wanted.turn, wanted.attempt);
        match orders.flights.iter_mut().flatten().find(same) {
            Some(flight) => flight.stopping = true,
            None => orders.add(wanted),
        }
    }

    fn run_tool(&mut self, call: CallId) {
        let task = index(call.task);
        self.sees(Sight::ToolRan { task });
        self.sees(Sight::Began { task });
        let orders = self.outside.of_mut(task);
        orders.tool(call);
        let bit = 1 << call.index;
        if orders.tools_begun & bit != 0 {
            self.sees(Sight::ToolRanTwice { task });
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
        self.sees(Sight::Ended { task, how });
        self.disorder |= self.outside.of(task).is_left();
        // What an ended task has told to stop can only come late.
        let Orders { read, .. } = *self.outside.of(task);
        *self.outside.of_mut(task) = Orders { ended: true, read, ..Orders::default() };
    }
}

impl Flight {
    fn of(request: RequestId) -> Self {
        Self {
            turn: small(request.turn.0),
            attempt: small(u32::from(request.attempt.0)),
            stopping: false,
            gone: false,
            delivered: false,
        }
    }
}

impl Orders {
    /// Output of a request goes out.
    pub(super) fn deliver(&mut self, flight: usize) {
        if let Some(flight) = &mut self.flights[flight] {
            flight.delivered = true;
            self.delivered = flight.turn;
        }
    }

    /// A person answers. Only a yes to the question for more grants as much again.
    pub(super) fn hear(&mut self, number: u8, answer: Answer) {
        if self.more == Some(number) && answer == Answer::Approved {
            self.pot.refill();
        }
        self.settle(number);
    }

    /// What is asked of the tree whose root has these outstanding.
    pub(super) fn tree(&self, budget: u8, tasks: [Option<&Task>; TASKS]) -> pots::Tree {
        let root = tasks[0].map(|root| root.state);
        let turns = tasks.map(|task| task.map_or(0, |task| task.data.turn.0));
        let Self { pot, more, budget: timer, .. } = *self;
        pots::Tree { budget, root, pot, asks: more.is_some(), runs: timer.is_some(), turns }
    }

    /// A question is not open any more.
    pub(super) fn settle(&mut self, number: u8) {
        self.questions &= !bit(number.into());
        self.more = self.more.filter(|more| *more != number);
    }

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
