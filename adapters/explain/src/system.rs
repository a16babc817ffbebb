//! One situation of the search: the kernel, what it has ordered, and which names of the trace stand for what.

use downbeat_kernel::{
    CallId, CallState, Config, Effect, Event, Generation, Kernel, MessageId, Outcome, QuestionId,
    RequestEffect, RequestEvent, RequestId, RequestTimer, TaskId, Timer, TurnNumber,
};

use crate::log::{Hint, TaskIndex, Vocabulary};
use crate::sight::Sight;

/// A request that went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flight {
    pub(crate) request: RequestId,
    /// Whether somebody has written down that it went out, or nobody would.
    pub(crate) is_seen: bool,
    /// Whether it was told to stop.
    pub(crate) is_stopping: bool,
    /// A process that died had sent it, and it may be sent again under the same identity.
    pub(crate) may_repeat: bool,
    /// What follows on it, if somebody has written down that it went out.
    pub(crate) hint: Option<Hint>,
}

/// A timer that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Armed {
    /// Of a task, or of a tree.
    Tree(Timer),
    /// Of a request.
    Request(TaskId, TurnNumber, RequestTimer),
}

/// A turn as the trace numbers it, of the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Turn {
    task: TaskId,
    named: u64,
    number: TurnNumber,
    /// The last attempt that the trace has, if it has any.
    attempt: Option<u64>,
}

/// A situation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct System {
    pub(crate) kernel: Kernel,
    /// Who a task of the trace is.
    tasks: Vec<Option<TaskId>>,
    /// What was ordered and would be written down, and is not yet; in the order of the orders.
    pub(crate) owed: Vec<Sight>,
    pub(crate) flights: Vec<Flight>,
    pub(crate) armed: Vec<Armed>,
    turns: Vec<Turn>,
    /// What a call of the trace is.
    pub(crate) calls: Vec<(usize, CallId)>,
    questions: Vec<(usize, QuestionId)>,
    messages: Vec<(usize, TaskId, MessageId)>,
    /// Calls whose result was written down when their tool ended, and not when it became part of what comes next.
    pub(crate) shown: Vec<CallId>,
    /// Sends that wait for a credential, and the generation that will not do.
    pub(crate) asking: Vec<(RequestId, Generation)>,
}

impl System {
    pub(crate) fn new(config: Config, tasks: usize) -> Self {
        Self {
            kernel: Kernel::new(config),
            tasks: vec![None; tasks],
            owed: Vec::new(),
            flights: Vec::new(),
            armed: Vec::new(),
            turns: Vec::new(),
            calls: Vec::new(),
            questions: Vec::new(),
            messages: Vec::new(),
            shown: Vec::new(),
            asking: Vec::new(),
        }
    }

    /// The id that no task has had.
    pub(crate) fn fresh(&self) -> TaskId {
        TaskId(self.kernel.highest().map_or(1, |highest| highest.0 + 1))
    }

    pub(crate) fn task(&self, task: TaskIndex) -> Option<TaskId> {
        self.tasks[task]
    }

    /// What a task is called in the trace, if it is in it.
    pub(crate) fn index(&self, task: TaskId) -> Option<TaskIndex> {
        self.tasks.iter().position(|id| *id == Some(task))
    }

    pub(crate) fn is_bound(&self, task: TaskId) -> bool {
        self.tasks.contains(&Some(task))
    }

    pub(crate) fn bind_task(&mut self, task: TaskIndex, id: TaskId) {
        self.tasks[task] = Some(id);
    }

    /// Whether something should be in the trace and is not, of a task that is.
    pub(crate) fn owes(&self) -> bool {
        self.owed.iter().any(|owed| self.is_bound(owed.task()))
    }

    pub(crate) fn question(&self, question: usize) -> Option<QuestionId> {
        self.questions.iter().find(|(named, _)| *named == question).map(|(_, id)| *id)
    }

    pub(crate) fn bind_question(&mut self, question: usize, id: QuestionId) {
        self.questions.push((question, id));
    }

    /// Whether a message of the trace is that one; it is from here on, if it was none.
    pub(crate) fn is_message(&mut self, message: usize, task: TaskId, id: MessageId) -> bool {
        let is_named = |(named, of, known): &&(usize, TaskId, MessageId)| {
            *named == message || (*of, *known) == (task, id)
        };
        if let Some(known) = self.messages.iter().find(is_named) {
            return *known == (message, task, id);
        }
        self.messages.push((message, task, id));
        true
    }

    /// Whether a call of the trace is that one; it is from here on, if it was none.
    pub(crate) fn is_call(&mut self, call: usize, id: CallId) -> bool {
        if let Some(known) = self.calls.iter().find(|(named, known)| *named == call || *known == id) {
            return *known == (call, id);
        }
        self.calls.push((call, id));
        true
    }

    /// Whether a turn as the trace numbers it is that one; it is from here on, if it was none.
    pub(crate) fn is_turn(&mut self, task: TaskId, named: Option<u64>, turn: TurnNumber) -> bool {
        let Some(named) = named else { return true };
        let of = self
            .turns
            .iter()
            .find(|known| known.task == task && (known.named == named || known.number == turn));
        if let Some(known) = of {
            return known.named == named && known.number == turn;
        }
        self.turns.push(Turn { task, named, number: turn, attempt: None });
        true
    }

    /// Whether a turn may go out as this attempt: attempts of one turn only grow, as the trace numbers them.
    pub(crate) fn is_attempt(&mut self, task: TaskId, turn: TurnNumber, named: Option<u64>) -> bool {
        let Some(named) = named else { return true };
        let of = self.turns.iter_mut().find(|known| known.task == task && known.number == turn);
        let Some(known) = of else { return true };
        known.attempt.replace(named).is_none_or(|before| before < named)
    }

    /// Puts an event to the kernel; what it orders is owed to the trace, as far as that would have it.
    pub(crate) fn step(&mut self, event: Event, said: Vocabulary) -> Outcome {
        let mut effects = Vec::new();
        let outcome = self.kernel.step(event, &mut effects);
        if outcome == Outcome::Applied {
            self.order(&effects, said);
        }
        outcome
    }

    /// The process dies, and begins again.
    pub(crate) fn restart(&mut self, said: Vocabulary) {
        self.owed.clear();
        self.armed.clear();
        self.asking.clear();
        let flown = std::mem::take(&mut self.flights);
        let mut effects = Vec::new();
        self.kernel.resync(&mut effects);
        self.order(&effects, said);
        for flight in &mut self.flights {
            // Of one that had gone out the trace has a line already.
            let before = flown.iter().find(|before| before.request == flight.request);
            if before.is_some_and(|before| before.is_seen) {
                flight.is_seen = true;
                flight.may_repeat = true;
                let sent = Sight::Sent(flight.request);
                let task = flight.request.task;
                self.owed.retain(|owed| *owed != sent && owed.content_for() != Some(task));
            }
        }
    }

    fn order(&mut self, effects: &[Effect], said: Vocabulary) {
        for effect in effects {
            for sight in Sight::of(effect) {
                if said.has(sight.kind()) && !self.is_told(sight) && !is_repeated(effect, effects) {
                    self.owed.push(sight);
                }
                self.shown.retain(|call| sight != Sight::Result(*call));
            }
            self.carry_out(effect, said);
        }
    }

    /// Whether an order shows nothing that is not written down in another way: a root by its submission, the result of a
    /// tool perhaps by its end.
    fn is_told(&self, sight: Sight) -> bool {
        match sight {
            Sight::Started(task) => self.kernel.task(task).is_some_and(|task| task.data.parent.is_none()),
            Sight::Result(call) => self.shown.contains(&call),
            Sight::Sent(_)
            | Sight::ToolRan(_)
            | Sight::Delivered { .. }
            | Sight::Given(..)
            | Sight::Returned(..)
            | Sight::Asked(_)
            | Sight::Ended(..) => false,
        }
    }

    /// The calls of the last response of a task.
    pub(crate) fn calls_of(&self, task: TaskId) -> Vec<(CallId, CallState)> {
        let Some(known) = self.kernel.task(task) else { return Vec::new() };
        let turn = known.data.replied;
        known.data.calls.iter().zip(0..).map(|(state, index)| (CallId { task, turn, index }, state)).collect()
    }

    fn carry_out(&mut self, effect: &Effect, said: Vocabulary) {
        match *effect {
            Effect::Request { task, turn, effect } => self.carry_out_request(task, turn, effect, said),
            Effect::Arm { timer, .. } => self.arm(Armed::Tree(timer)),
            Effect::Disarm { timer } => self.armed.retain(|armed| *armed != Armed::Tree(timer)),
            Effect::TaskEnded { task, .. } => {
                self.flights.retain(|flight| flight.request.task != task);
            }
            Effect::Enqueue { .. }
            | Effect::Dequeue { .. }
            | Effect::Initialize { .. }
            | Effect::AbortInitialization { .. }
            | Effect::Worker { .. }
            | Effect::Include { .. }
            | Effect::RunTool { .. }
            | Effect::CancelTool { .. }
            | Effect::Ask { .. }
            | Effect::Withdraw { .. }
            | Effect::ReportUndelivered { .. } => {}
        }
    }

    fn carry_out_request(&mut self, task: TaskId, turn: TurnNumber, effect: RequestEffect, said: Vocabulary) {
        let id = |attempt| RequestId { task, turn, attempt };
        match effect {
            RequestEffect::Send { attempt, .. } | RequestEffect::Recover { attempt } => {
                let is_seen = !said.has(downbeat_trace::Kind::RequestStarted);
                self.flights.push(Flight {
                    request: id(attempt),
                    is_seen,
                    is_stopping: false,
                    may_repeat: false,
                    hint: None,
                });
            }
            RequestEffect::Stop { attempt } => {
                let request = id(attempt);
                match self.flights.iter_mut().find(|flight| flight.request == request) {
                    Some(flight) => flight.is_stopping = true,
                    // After a crash: what had gone out is stopped.
                    None => self.flights.push(Flight {
                        request,
                        is_seen: true,
                        is_stopping: true,
                        may_repeat: false,
                        hint: None,
                    }),
                }
            }
            RequestEffect::Fence { attempt } => self.flights.retain(|flight| flight.request != id(attempt)),
            RequestEffect::Arm { timer, .. } => self.arm(Armed::Request(task, turn, timer)),
            RequestEffect::Disarm { timer } => {
                self.armed.retain(|armed| *armed != Armed::Request(task, turn, timer));
            }
            RequestEffect::GetCredential { attempt, newer_than, .. } => {
                let request = id(attempt);
                self.asking.retain(|(asking, _)| *asking != request);
                self.asking.push((request, newer_than));
            }
            RequestEffect::Ended { .. } => {
                self.asking.retain(|(asking, _)| (asking.task, asking.turn) != (task, turn));
            }
            RequestEffect::Charge { .. } => {}
        }
    }

    fn arm(&mut self, timer: Armed) {
        if !self.armed.contains(&timer) {
            self.armed.push(timer);
        }
    }

    /// A request is over, one way or the other.
    pub(crate) fn landed(&mut self, request: RequestId) {
        self.flights.retain(|flight| flight.request != request);
        self.owed.retain(|owed| *owed != Sight::Sent(request));
    }

    /// What fires is armed no more.
    pub(crate) fn fired(&mut self, timer: Armed) -> Event {
        self.armed.retain(|armed| *armed != timer);
        match timer {
            Armed::Tree(timer) => Event::TimerFired { timer },
            Armed::Request(task, turn, timer) => {
                Event::Request { task, turn, event: RequestEvent::TimerFired { timer } }
            }
        }
    }
}

/// Whether an order is for a further send of the same turn: its content is that of the first one, and is written down once.
fn is_repeated(order: &Effect, all: &[Effect]) -> bool {
    let Effect::Include { task: whose, .. } = order else { return false };
    let is_further = |effect: &Effect| {
        let Effect::Request { task, effect: RequestEffect::Send { attempt, .. }, .. } = effect else {
            return false;
        };
        task == whose && attempt.0 > 0
    };
    all.iter().any(is_further)
}
