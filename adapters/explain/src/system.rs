//! One situation of the search: the kernel, what it has ordered, and which names of the trace stand for what.

mod key;

use downbeat_kernel::{
    Budget, Call, CallId, CallResult, CallState, Config, Effect, End, Event, Generation, Kernel, MessageId,
    Outcome, Part, QuestionId, Reason, Rejected, RequestEffect, RequestEvent, RequestId, RequestReason,
    RequestTimer, Response, SENDS_MAX, Task, TaskId, Timer, TurnNumber,
};
use downbeat_trace::Kind;

use crate::log::{Entry, Hint, TaskIndex, Vocabulary};
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

/// A call that ends its task, or is refused, which may be written down like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Completion {
    pub(crate) call: CallId,
    /// Whether somebody has written down that it ran.
    pub(crate) has_run: bool,
    /// Whether somebody has written down its result.
    pub(crate) has_result: bool,
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
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) kernel: Kernel,
    /// Who a task of the trace is.
    tasks: Vec<Option<TaskId>>,
    /// What was ordered and would be written down, and is not yet; in the order of the orders.
    pub(crate) owed: Vec<Sight>,
    /// What may be written down once more, and need not be: after a restart, and what a request carries that is sent again.
    pub(crate) again: Vec<Sight>,
    pub(crate) flights: Vec<Flight>,
    pub(crate) armed: Vec<Armed>,
    /// The last turn of each task that has a number in the trace.
    turns: Vec<Turn>,
    /// What a call of the trace is, of the last response of each task.
    pub(crate) calls: Vec<(usize, CallId)>,
    /// What a question of the trace is, of the last response of each task.
    questions: Vec<(usize, QuestionId)>,
    messages: Vec<(usize, TaskId, MessageId)>,
    /// Calls whose result was written down when their tool ended, and not when it became part of what comes next.
    pub(crate) shown: Vec<CallId>,
    /// Of each task whose last response had a completion, the completion.
    pub(crate) completions: Vec<Completion>,
    /// Sends that wait for a credential, and the generation that will not do.
    pub(crate) asking: Vec<(RequestId, Generation)>,
    /// Whether a step would have come to something else if the kernel could count further. Whoever steps takes note of it.
    pub(crate) was_limited: bool,
}

impl System {
    pub(crate) fn new(config: Config, tasks: usize) -> Self {
        Self {
            kernel: Kernel::new(config),
            tasks: vec![None; tasks],
            owed: Vec::new(),
            again: Vec::new(),
            flights: Vec::new(),
            armed: Vec::new(),
            turns: Vec::new(),
            calls: Vec::new(),
            questions: Vec::new(),
            messages: Vec::new(),
            shown: Vec::new(),
            completions: Vec::new(),
            asking: Vec::new(),
            was_limited: false,
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let calls = self.kernel.tasks().map(|task| task.data.calls.iter().count() * size_of::<CallState>());
        let tasks = self.kernel.tasks().count() * (size_of::<Task>() + size_of::<TaskId>());
        let named = self.calls.len() * size_of::<(usize, CallId)>()
            + self.turns.len() * size_of::<Turn>()
            + self.messages.len() * size_of::<(usize, TaskId, MessageId)>();
        let orders = (self.owed.len() + self.again.len()) * size_of::<Sight>();
        let open = self.flights.len() * size_of::<Flight>() + self.armed.len() * size_of::<Armed>();
        size_of::<Self>() + calls.sum::<usize>() + tasks + named + orders + open
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

    /// A root begins. Nobody owes the trace its beginning.
    pub(crate) fn submit(&mut self, task: TaskIndex, said: Vocabulary) -> Outcome {
        let id = self.fresh();
        self.bind_task(task, id);
        self.step(Event::TaskSubmitted { task: id, budget: Budget::default() }, said)
    }

    /// Whether something should be in the trace and is not, of a task that is.
    pub(crate) fn owes(&self) -> bool {
        self.owed.iter().any(|owed| self.is_bound(owed.task()))
    }

    pub(crate) fn question(&self, question: usize) -> Option<QuestionId> {
        self.questions.iter().find(|(named, _)| *named == question).map(|(_, id)| *id)
    }

    /// Whether a question of the trace is that one; it is from here on, if it has its name for the first time.
    pub(crate) fn is_question(&mut self, entry: &Entry, id: QuestionId) -> bool {
        is_called(&mut self.questions, entry, id)
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

    /// Whether a call of the trace is that one; it is from here on, if it has its name for the first time.
    pub(crate) fn is_call(&mut self, entry: &Entry, id: CallId) -> bool {
        is_called(&mut self.calls, entry, id)
    }

    /// Whether a turn as the trace numbers it is that one; it is from here on, if it is a later one. Numbers only grow.
    pub(crate) fn is_turn(&mut self, task: TaskId, named: Option<u64>, turn: TurnNumber) -> bool {
        let Some(named) = named else { return true };
        let new = Turn { task, named, number: turn, attempt: None };
        let Some(last) = self.turns.iter_mut().find(|last| last.task == task) else {
            self.turns.push(new);
            return true;
        };
        if (last.named, last.number) == (named, turn) {
            return true;
        }
        let is_later = last.named < named && last.number < turn;
        if is_later {
            *last = new;
        }
        is_later
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
        // What need not be shown again after this.
        let mut over = None;
        if let Event::ToolEnded { call, .. } = event {
            over = Some(Sight::ToolRan(call));
        } else if let Event::AnswerReceived { question, .. } = event {
            over = Some(Sight::Asked(question));
        }
        let answered = if let Event::ResponseEnded { request, response, .. } = &event
            && *response != Response::Empty
        {
            Some((request.task, completion(*request, response)))
        } else {
            None
        };
        let outcome = self.kernel.step(event, &mut effects);
        self.was_limited |= self.is_limited(&outcome, &effects);
        if outcome == Outcome::Applied {
            self.again.retain(|again| Some(*again) != over);
            if let Some((task, completion)) = answered {
                // What its request carried has been read.
                self.again.retain(|again| again.content_for() != Some(task));
                self.completions.retain(|known| known.call.task != task);
                // What its calls and questions are called does not matter any more, but for results that are to come.
                let owed = &self.owed;
                self.calls.retain(|(_, call)| call.task != task || owed.contains(&Sight::Result(*call)));
                self.questions.retain(|(_, question)| question.task != task);
                self.completions.extend(completion.filter(|_| said.has_calls()));
            }
            self.order(&effects, said);
        }
        outcome
    }

    /// Whether the kernel would have gone on if it could count further: bounds that are lower by choice are part of what explains.
    fn is_limited(&self, outcome: &Outcome, effects: &[Effect]) -> bool {
        let config = self.kernel.config();
        let has_many_calls = matches!(outcome, Outcome::Rejected(Rejected::TooManyCalls { .. }));
        let is_sent_often = |effect: &Effect| {
            let exhausted = End::Failed(Reason::Request(RequestReason::AttemptsExhausted));
            matches!(effect, Effect::TaskEnded { end, .. } if *end == exhausted)
        };
        (config.calls_max == u16::MAX && has_many_calls)
            || (usize::from(config.attempts_max) >= SENDS_MAX && effects.iter().any(is_sent_often))
    }

    /// An end is on record, so that nothing comes of the task any more. Only after a restart its end may be told again.
    pub(crate) fn forget(&mut self, task: TaskId, said: Vocabulary) {
        if !said.has(Kind::Restart)
            && self.step(Event::EndAcknowledged { task }, said) == Outcome::Applied
            && !self.expected().any(|expected| expected.task() == task)
        {
            self.turns.retain(|turn| turn.task != task);
            self.messages.retain(|(_, of, _)| *of != task);
        }
    }

    /// The process dies, and begins again. What it had to show and had not shown by then it still has to; what it has shown, and
    /// orders again or sends again, may be shown once more.
    pub(crate) fn restart(&mut self, said: Vocabulary) {
        let before = std::mem::take(&mut self.owed);
        self.armed.clear();
        self.asking.clear();
        let flown = std::mem::take(&mut self.flights);
        let mut effects = Vec::new();
        self.kernel.resync(&mut effects);
        self.order(&effects, said);
        let ordered = std::mem::replace(&mut self.owed, before);
        let is_live = |task: &TaskId| self.kernel.task(*task).is_some_and(|task| task.state.end().is_none());
        let begun = self.tasks.iter().flatten().copied().filter(is_live).map(Sight::Started);
        let mut again: Vec<_> = ordered.into_iter().chain(begun).collect();
        for flight in &mut self.flights {
            let Some(before) = flown.iter().find(|before| before.request == flight.request) else { continue };
            flight.is_seen = before.is_seen;
            flight.may_repeat = before.is_seen;
            flight.hint = before.hint;
        }
        for task in self.flights.iter().map(|flight| flight.request.task) {
            again.extend(content(&self.kernel, task));
        }
        again.into_iter().filter(|sight| said.has(sight.kind())).for_each(|sight| self.allow(sight));
    }

    fn order(&mut self, effects: &[Effect], said: Vocabulary) {
        for effect in effects {
            for sight in Sight::of(effect) {
                if said.has(sight.kind()) && !self.is_told(sight) {
                    if is_repeated(effect, effects) || self.is_optional(sight, effect, said) {
                        self.allow(sight);
                    } else {
                        self.owed.push(sight);
                    }
                }
                self.shown.retain(|call| sight != Sight::Result(*call));
            }
            self.carry_out(effect, said);
        }
    }

    /// Whether an order shows the result of something that need not be a call of a tool to whoever writes down: a subtask, a question, and
    /// what is not among the calls if these are written down.
    fn is_optional(&self, sight: Sight, order: &Effect, said: Vocabulary) -> bool {
        let (Sight::Result(call), Effect::Include { part: Part::Result { result, .. }, .. }) = (sight, order)
        else {
            return false;
        };
        let is_other = !matches!(result, CallResult::Tool(_)) || said.has(Kind::ToolCall);
        is_other && !self.calls.iter().any(|(_, known)| *known == call)
    }

    /// What has been shown may be once more, unless it has to be.
    fn allow(&mut self, sight: Sight) {
        if !self.owed.contains(&sight) && !self.again.contains(&sight) {
            self.again.push(sight);
        }
    }

    /// Takes what is shown from what has to be, or else from what may be once more. False if it is in neither.
    pub(crate) fn show(&mut self, sight: Sight) -> bool {
        for expected in [&mut self.owed, &mut self.again] {
            if let Some(at) = expected.iter().position(|expected| *expected == sight) {
                expected.remove(at);
                return true;
            }
        }
        false
    }

    /// What has to be shown, in the order of the orders, and after it what may be once more.
    pub(crate) fn expected(&self) -> impl Iterator<Item = Sight> {
        self.owed.iter().chain(&self.again).copied()
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

    /// Whether what the last turn of a task contains has been sent.
    pub(crate) fn is_included(&self, task: TaskId) -> bool {
        let Some(known) = self.kernel.task(task) else { return false };
        known.data.turn > known.data.replied && !known.data.request.ledger.sends().is_empty()
    }

    pub(crate) fn completion(&self, task: TaskId) -> Option<Completion> {
        self.completions.iter().find(|known| known.call.task == task).copied()
    }

    fn carry_out(&mut self, effect: &Effect, said: Vocabulary) {
        match *effect {
            Effect::Request { task, turn, effect } => self.carry_out_request(task, turn, effect, said),
            Effect::Arm { timer, .. } => self.arm(Armed::Tree(timer)),
            Effect::Disarm { timer } => self.armed.retain(|armed| *armed != Armed::Tree(timer)),
            Effect::TaskEnded { task, .. } => {
                self.flights.retain(|flight| flight.request.task != task);
                self.again.retain(|again| again.content_for() != Some(task));
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
                let is_seen = !said.has(Kind::RequestStarted);
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

/// Whether what a line names is that one. What was named before and is known no more is over.
fn is_called<T: Copy + PartialEq>(known: &mut Vec<(usize, T)>, entry: &Entry, id: T) -> bool {
    let Some(name) = entry.named else { return true };
    if let Some(known) = known.iter().find(|(named, known)| *named == name || *known == id) {
        return *known == (name, id);
    }
    if entry.is_first {
        known.push((name, id));
    }
    entry.is_first
}

/// The completion in a response.
fn completion(request: RequestId, response: &Response) -> Option<Completion> {
    let Response::Calls(calls) = response else { return None };
    let at = calls.iter().position(|call| matches!(call, Call::Completion(_)))?;
    let call = CallId { task: request.task, turn: request.turn, index: u16::try_from(at).ok()? };
    Some(Completion { call, has_run: false, has_result: false })
}

/// What the request of a task carries that has been sent.
fn content(kernel: &Kernel, task: TaskId) -> Vec<Sight> {
    let Some(known) = kernel.task(task) else { return Vec::new() };
    let mut content = Vec::new();
    for (state, index) in known.data.calls.iter().zip(0..) {
        if let CallState::Settled(result) = state {
            let call = CallId { task, turn: known.data.replied, index };
            content.extend(Sight::of(&Effect::Include { task, part: Part::Result { call, result } }));
        }
    }
    let messages = known.data.answered.0 + 1..=known.data.taken.0;
    content.extend(messages.map(|message| Sight::Given(task, MessageId(message))));
    content
}

/// Whether an order is for a further send of the same turn: its content is that of the first one, and need not be written down
/// once more.
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
