//! What may come next in a situation: an event of the trace, or something that nobody has written down.

use downbeat_kernel::{
    Answer, Approval, Call, CallState, Event, Generation, MessageId, Outcome, RequestEvent, RequestId,
    RequestTimer, Response, SendFailure, TaskId, TaskState, Timer, ToolEnd,
};
use downbeat_trace::{End, Kind};

use crate::log::{Entry, Hint, TaskIndex, Tree, Vocabulary};
use crate::sight::Sight;
use crate::system::{Armed, Flight, System};

/// Every situation to which an event of the trace may lead; none if it cannot come.
pub(crate) fn observed(system: &System, entry: &Entry, tree: &Tree) -> Vec<System> {
    let said = tree.said;
    let mut found = Found { system, said, next: Vec::new() };
    if entry.kind == Kind::Restart {
        found.with(|next| {
            next.restart(said);
            true
        });
        return found.next;
    }
    let Some(task) = system.task(entry.task) else {
        if entry.kind == Kind::TaskStarted {
            found.started(entry);
            return found.next;
        }
        return bound(system, entry.task, tree)
            .iter()
            .flat_map(|bound| observed(bound, entry, tree))
            .collect();
    };
    match entry.kind {
        Kind::TaskStarted => found.seen(Sight::Started(task), |_| true),
        Kind::Restart => {}
        Kind::TaskEnded => found.ended(task, entry),
        Kind::RequestStarted => found.request_started(task, entry),
        Kind::RequestDelta => found.request_delta(task, entry),
        Kind::RequestEnded => found.request_ended(task, entry),
        Kind::ToolCall => found.tool_call(task, entry),
        Kind::ToolStarted => found.tool_started(task, entry),
        Kind::ToolResult => found.tool_result(task, entry),
        Kind::ResultDelivered => {
            let child = entry.other.and_then(|child| system.task(child));
            if let Some(child) = child {
                found.seen(Sight::Delivered { task, child }, |_| true);
            }
        }
        Kind::MessageQueued => found.message_queued(task, entry),
        Kind::MessageDelivered => found.message(task, entry, |owed| {
            let Sight::Given(of, message) = owed else { return None };
            (of == task).then_some(message)
        }),
        Kind::MessageReturned => found.message(task, entry, |owed| {
            let Sight::Returned(of, message) = owed else { return None };
            (of == task).then_some(message)
        }),
        Kind::Question => found.question(task, entry),
        Kind::Answer => found.answer(entry),
        Kind::Pause => found.asked(Event::PauseRequested { task }),
        Kind::Resume => found.asked(Event::ResumeRequested { task }),
        Kind::Cancel => found.asked(Event::CancelRequested { task }),
        Kind::RefreshStarted
        | Kind::RefreshEnded
        | Kind::CredentialStored
        | Kind::Interrupt
        | Kind::AgentAssigned
        | Kind::AgentActive
        | Kind::AgentReleased
        | Kind::IteratorStarted
        | Kind::IteratorEnded
        | Kind::Notified
        | Kind::CallEntered
        | Kind::CallLeft
        | Kind::LockWaited
        | Kind::LockTaken
        | Kind::LockReleased => unreachable!("it is left out: {:?}", entry.kind),
    }
    found.next
}

/// A task that was not heard of before may be any subtask of its parent's that has no name yet; without a parent that is known, any task.
fn bound(system: &System, task: TaskIndex, tree: &Tree) -> Vec<System> {
    let parent = tree.parents[task].and_then(|parent| system.task(parent));
    let known = system.kernel.tasks().filter(|known| !system.is_bound(known.id));
    let fitting = known
        .filter(|known| known.data.parent.is_some() && (parent.is_none() || known.data.parent == parent));
    let bind = |id| {
        let mut next = system.clone();
        next.bind_task(task, id);
        next
    };
    fitting.map(|known| bind(known.id)).collect()
}

struct Found<'s> {
    system: &'s System,
    said: Vocabulary,
    next: Vec<System>,
}

impl Found<'_> {
    /// A situation that differs like this, if that may be.
    fn with(&mut self, change: impl FnOnce(&mut System) -> bool) {
        let mut next = self.system.clone();
        if change(&mut next) {
            self.next.push(next);
        }
    }

    /// An event that the kernel takes.
    fn applied(&mut self, event: Event, change: impl FnOnce(&mut System) -> bool) {
        let said = self.said;
        self.with(|next| change(next) && next.step(event, said) == Outcome::Applied);
    }

    /// A wish of a person, which may come too late.
    fn asked(&mut self, event: Event) {
        let said = self.said;
        self.with(|next| match next.step(event, said) {
            Outcome::Applied | Outcome::Ignored(_) => true,
            Outcome::Rejected(_) => false,
        });
    }

    /// An order that was given, and shows now.
    fn seen(&mut self, sight: Sight, change: impl FnOnce(&mut System) -> bool) {
        let Some(at) = self.system.owed.iter().position(|owed| *owed == sight) else { return };
        self.with(|next| {
            next.owed.remove(at);
            change(next)
        });
    }

    /// What is owed to the trace of some sort, in the order of the orders.
    fn owed<T>(&self, of: impl Fn(Sight) -> Option<T>) -> Vec<(Sight, T)> {
        self.system.owed.iter().filter_map(|owed| Some((*owed, of(*owed)?))).collect()
    }

    fn started(&mut self, entry: &Entry) {
        let Some(parent) = entry.other else {
            let task = self.system.fresh();
            let event = Event::TaskSubmitted { task, budget: downbeat_kernel::Budget::default() };
            // Bound first, so that its own beginning is not owed.
            return self.applied(event, |next| {
                next.bind_task(entry.task, task);
                true
            });
        };
        let Some(parent) = self.system.task(parent) else { return };
        let is_child =
            |task: TaskId| self.system.kernel.task(task).is_some_and(|task| task.data.parent == Some(parent));
        let begun = self.owed(|owed| {
            let Sight::Started(task) = owed else { return None };
            is_child(task).then_some(task)
        });
        for (_, child) in begun {
            self.seen(Sight::Started(child), |next| {
                next.bind_task(entry.task, child);
                true
            });
        }
    }

    fn ended(&mut self, task: TaskId, entry: &Entry) {
        let owed = self.owed(|owed| {
            let Sight::Ended(of, end) = owed else { return None };
            (of == task).then_some(end)
        });
        let Some((_, end)) = owed.first().copied() else { return };
        let named = match end {
            downbeat_kernel::End::Completed => End::Completed,
            downbeat_kernel::End::Failed(_) => End::Failed,
            downbeat_kernel::End::Cancelled => End::Cancelled,
        };
        if entry.end == Some(named) || entry.end == Some(End::Unknown) {
            self.seen(Sight::Ended(task, end), |_| true);
        }
    }

    fn request_started(&mut self, task: TaskId, entry: &Entry) {
        let sent = self.owed(|owed| {
            let Sight::Sent(request) = owed else { return None };
            (request.task == task).then_some(request)
        });
        // What it contains is written down before it; but for results of calls, which not everybody writes down for questions too.
        let lacks = self.owed(|owed| match owed {
            Sight::Delivered { task: of, .. } | Sight::Given(of, _) => (of == task).then_some(()),
            Sight::Started(_)
            | Sight::Sent(_)
            | Sight::ToolRan(_)
            | Sight::Result(_)
            | Sight::Returned(..)
            | Sight::Asked(_)
            | Sight::Ended(..) => None,
        });
        if let Some((_, request)) = sent.first().copied()
            && lacks.is_empty()
        {
            self.seen(Sight::Sent(request), |next| {
                if let Some(flight) = next.flights.iter_mut().find(|flight| flight.request == request) {
                    flight.is_seen = true;
                    flight.hint = Some(entry.hint);
                }
                next.is_turn(task, entry.turn, request.turn)
                    && next.is_attempt(task, request.turn, entry.attempt)
            });
        }
        let again =
            self.system.flights.iter().position(|flight| flight.request.task == task && flight.may_repeat);
        if let Some(at) = again {
            self.with(|next| {
                next.flights[at].may_repeat = false;
                next.flights[at].hint = Some(entry.hint);
                let turn = next.flights[at].request.turn;
                next.is_turn(task, entry.turn, turn)
            });
        }
    }

    fn request_delta(&mut self, task: TaskId, entry: &Entry) {
        for Flight { request, .. } in self.flown(task) {
            let said = self.said;
            let RequestId { turn, attempt, .. } = request;
            let event = Event::Request { task, turn, event: RequestEvent::OutputDelivered { attempt } };
            self.with(|next| {
                next.is_turn(task, entry.turn, turn)
                    && match next.step(event, said) {
                        Outcome::Applied | Outcome::Ignored(_) => true,
                        Outcome::Rejected(_) => false,
                    }
            });
        }
    }

    /// The requests of a task that went out, as far as anybody would know.
    fn flown(&self, task: TaskId) -> Vec<Flight> {
        let is_flown = |flight: &&Flight| flight.request.task == task && flight.is_seen;
        self.system.flights.iter().filter(is_flown).copied().collect()
    }

    fn request_ended(&mut self, task: TaskId, entry: &Entry) {
        for flight in self.flown(task) {
            let RequestId { turn, attempt, .. } = flight.request;
            let failed = |failure| Event::Request {
                task,
                turn,
                event: RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 },
            };
            let stopped = Event::Request { task, turn, event: RequestEvent::Stopped { attempt } };
            let events = match entry.end {
                Some(End::Completed) => responses(self.system, entry.hint, self.said)
                    .into_iter()
                    .map(|response| Event::ResponseEnded { request: flight.request, response, jitter_ms: 0 })
                    .collect(),
                Some(End::Failed) => FAILURES.into_iter().map(failed).collect(),
                Some(End::Refused) => vec![failed(SendFailure::Unauthorized)],
                Some(End::Stopped | End::Cancelled) if flight.is_stopping => vec![stopped],
                Some(End::Unknown) if flight.is_stopping => vec![stopped, failed(SendFailure::Interrupted)],
                Some(End::Stopped | End::Cancelled | End::Unknown) | None => {
                    vec![failed(SendFailure::Interrupted)]
                }
            };
            for event in events {
                self.applied(event, |next| {
                    next.landed(flight.request);
                    next.is_turn(task, entry.turn, turn)
                });
            }
        }
    }

    fn tool_call(&mut self, task: TaskId, entry: &Entry) {
        let Some(named) = entry.named else { return };
        // Those of one kind are alike until they have names: the first of each will do.
        let mut tried = Vec::new();
        for (call, state) in self.system.calls_of(task) {
            let like = std::mem::discriminant(&state);
            if self.system.calls.iter().any(|(_, known)| *known == call) || tried.contains(&like) {
                continue;
            }
            tried.push(like);
            self.with(|next| next.is_call(named, call));
        }
    }

    fn tool_started(&mut self, task: TaskId, entry: &Entry) {
        let Some(named) = entry.named else { return };
        let ran = self.owed(|owed| {
            let Sight::ToolRan(call) = owed else { return None };
            (call.task == task).then_some(call)
        });
        for (_, call) in ran {
            self.seen(Sight::ToolRan(call), |next| next.is_call(named, call));
        }
    }

    fn tool_result(&mut self, task: TaskId, entry: &Entry) {
        let Some(named) = entry.named else { return };
        for (call, state) in self.system.calls_of(task) {
            if state == CallState::Running && !self.system.owed.contains(&Sight::ToolRan(call)) {
                let end = ToolEnd::Succeeded;
                self.applied(Event::ToolEnded { call, end }, |next| {
                    next.shown.push(call);
                    next.is_call(named, call)
                });
            }
        }
        let results = self.owed(|owed| {
            let Sight::Result(call) = owed else { return None };
            (call.task == task).then_some(call)
        });
        for (_, call) in results {
            self.seen(Sight::Result(call), |next| next.is_call(named, call));
        }
    }

    fn message_queued(&mut self, task: TaskId, entry: &Entry) {
        let (Some(named), Some(known)) = (entry.named, self.system.kernel.task(task)) else { return };
        let message = MessageId(known.data.accepted.0 + 1);
        self.applied(Event::MessageReceived { task, message }, |next| next.is_message(named, task, message));
    }

    fn message(&mut self, task: TaskId, entry: &Entry, shown: impl Fn(Sight) -> Option<MessageId>) {
        let Some(named) = entry.named else { return };
        // They are part of what comes next in their order.
        if let Some((sight, message)) = self.owed(shown).first().copied() {
            self.seen(sight, |next| next.is_message(named, task, message));
        }
    }

    fn question(&mut self, task: TaskId, entry: &Entry) {
        let Some(named) = entry.named else { return };
        let asked = self.owed(|owed| {
            let Sight::Asked(question) = owed else { return None };
            (question.task == task).then_some(question)
        });
        for (_, question) in asked {
            self.seen(Sight::Asked(question), |next| {
                next.bind_question(named, question);
                true
            });
        }
    }

    fn answer(&mut self, entry: &Entry) {
        // The kernel takes an answer for the question that it names, and for no other.
        if !entry.is_apt {
            return;
        }
        let Some(question) = entry.named.and_then(|named| self.system.question(named)) else { return };
        for answer in [Answer::Text, Answer::Approved, Answer::Denied] {
            self.asked(Event::AnswerReceived { question, answer });
        }
    }
}

const FAILURES: [SendFailure; 4] = [
    SendFailure::Transient,
    SendFailure::Interrupted,
    SendFailure::Invalid,
    SendFailure::Throttled { retry_after_ms: None },
];

/// What the model may have said, given what follows; the likeliest first.
fn responses(system: &System, hint: Hint, said: Vocabulary) -> Vec<Response> {
    let Hint { calls, ran, subtasks: (least, most), questions, completes } = hint;
    let mut shapes: Vec<(usize, usize, usize)> = Vec::new();
    for subtasks in least..=most {
        let mut add = |tools: Option<usize>, questions: usize| {
            if let Some(tools) = tools
                && !shapes.contains(&(tools, subtasks, questions))
            {
                shapes.push((tools, subtasks, questions));
            }
        };
        if said.has(Kind::ToolCall) {
            // Subtasks and questions are calls of tools in some systems, and none in others.
            for others in [0, subtasks, questions, subtasks + questions] {
                add(calls.checked_sub(others), questions);
            }
            if questions > 0 {
                // A person may have been asked whether a tool may run.
                add(Some(calls), 0);
                add(calls.checked_sub(subtasks), 0);
            }
        } else {
            let few = usize::from(ran + questions + subtasks == 0 && !completes);
            for tools in [ran, few, 1 - few, ran + 1] {
                add(Some(tools), questions);
            }
            add(Some(ran.max(1)), 0);
        }
    }
    if said.has(Kind::ToolStarted) {
        // As many tools as are seen to run, rather than others.
        shapes.sort_by_key(|(tools, ..)| tools.abs_diff(ran));
    }
    let mut responses = Vec::new();
    let mut say = |response: Response| {
        if !responses.contains(&response) {
            responses.push(response);
        }
    };
    if completes {
        for approval in [Approval::Granted, Approval::Required] {
            say(Response::Calls(vec![Call::Completion(approval)]));
        }
    }
    let mut shape = |(tools, subtasks, own): (usize, usize, usize), required: usize| {
        if tools + subtasks + own > 0 {
            let ids = (system.fresh().0..).map(|id| Call::Subtask { child: TaskId(id) });
            let rest = ids.take(subtasks).chain(std::iter::repeat_n(Call::Question, own));
            // A person may have been asked whether a tool may run: about the last of them, if only some ran.
            let is_asked = |n: usize| n + required >= tools;
            let tool = |n| Call::Tool(if is_asked(n) { Approval::Required } else { Approval::Granted });
            say(Response::Calls((0..tools).map(tool).chain(rest).collect()));
        }
    };
    if said.has(Kind::Question) {
        for (tools, subtasks, own) in shapes {
            for required in [0, questions.saturating_sub(own).min(tools)] {
                shape((tools, subtasks, own), required);
            }
        }
    } else {
        for simple in &shapes {
            shape(*simple, 0);
        }
        // Of what nobody writes down there may be one, or none.
        for (tools, subtasks, own) in shapes {
            for own in own..=own + 1 {
                for required in [tools.saturating_sub(ran), tools, tools.min(1), 0] {
                    shape((tools, subtasks, own), required);
                }
            }
        }
    }
    if calls + ran + least == 0 {
        say(Response::Text);
        say(Response::Empty);
        say(Response::Calls(vec![Call::Completion(Approval::Granted)]));
        say(Response::Calls(vec![Call::Completion(Approval::Required)]));
    }
    responses
}

/// Every situation to which something may lead that nobody has written down, and what that is.
pub(crate) fn unobserved(system: &System, tree: &Tree) -> Vec<(String, System)> {
    let mut found = every_unobserved(system, tree);
    // What has to happen sooner or later first: whatever else is guessed has to be of use.
    found.sort_by_key(|(likely, ..)| *likely);
    found.into_iter().map(|(_, words, next)| (words, next)).collect()
}

/// How likely it is that something happened: the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likely {
    /// It answers an order, and everybody waits for it.
    Soon,
    /// It answers an order, and may take its time.
    Later,
    /// Nobody asked for it.
    Unasked,
}

fn every_unobserved(system: &System, tree: &Tree) -> Vec<(Likely, String, System)> {
    let name = |task: TaskId| {
        system.index(task).map_or_else(|| "a subtask".to_owned(), |task| tree.tasks[task].clone())
    };
    let said = tree.said;
    let mut found = Vec::new();
    let mut add = |likely: Likely, words: String, event: Event, change: &dyn Fn(&mut System)| {
        let mut next = system.clone();
        change(&mut next);
        if next.step(event, said) == Outcome::Applied {
            found.push((likely, words, next));
        }
    };
    let nothing = |_: &mut System| {};
    for task in system.kernel.tasks() {
        let id = task.id;
        match task.state {
            TaskState::Queued => {
                add(
                    Likely::Soon,
                    format!("{} has its place", name(id)),
                    Event::Admitted { task: id },
                    &nothing,
                );
            }
            TaskState::Initializing | TaskState::Cancelling(downbeat_kernel::Outstanding::Initialization) => {
                add(
                    Likely::Soon,
                    format!("{} is ready to run", name(id)),
                    Event::Initialized { task: id },
                    &nothing,
                );
                if tree.may_fail {
                    let failed = Event::InitializationFailed { task: id };
                    add(Likely::Unasked, format!("{} could not be made ready", name(id)), failed, &nothing);
                }
            }
            TaskState::Completed | TaskState::Failed(_) | TaskState::Cancelled => {
                let is_owed = system.owed.iter().any(|owed| matches!(owed, Sight::Ended(of, _) if *of == id));
                // Whoever may still write to it would be told that it is gone, not that it has ended.
                if !is_owed && system.is_bound(id) {
                    continue;
                }
            }
            TaskState::Requesting
            | TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget
            | TaskState::Working
            | TaskState::Paused(_)
            | TaskState::Cancelling(_)
            | TaskState::Ending(_) => {}
        }
        for (call, state) in system.calls_of(id) {
            let is_owed = system.owed.contains(&Sight::ToolRan(call));
            if state == CallState::Running && !is_owed {
                // A tool that is stopped is the same to the kernel, however it ended.
                let end = if is_stopping(task.state) { ToolEnd::Cancelled } else { ToolEnd::Succeeded };
                let words = format!("a tool of {} ends", name(id));
                add(Likely::Later, words, Event::ToolEnded { call, end }, &nothing);
            }
            if let CallState::Asking { number, .. } = state
                && !(said.has(Kind::Question) && said.has(Kind::Answer))
            {
                let question = downbeat_kernel::QuestionId { task: id, number };
                for answer in [Answer::Approved, Answer::Text, Answer::Denied] {
                    let words = format!("a person answers question {number} of {}", name(id));
                    add(Likely::Later, words, Event::AnswerReceived { question, answer }, &nothing);
                }
            }
        }
        let in_trace = system.index(id).map_or(0, |task| tree.messages[task]);
        let may_be_written = !said.has(Kind::MessageQueued) && task.data.accepted.0 < in_trace;
        if may_be_written && task.state.end().is_none() {
            let message = MessageId(task.data.accepted.0 + 1);
            let words = format!("a message for {} is accepted", name(id));
            add(Likely::Unasked, words, Event::MessageReceived { task: id, message }, &nothing);
        }
        if tree.may_cancel && !said.has(Kind::Cancel) && task.state.end().is_none() {
            add(
                Likely::Unasked,
                format!("somebody cancels {}", name(id)),
                Event::CancelRequested { task: id },
                &nothing,
            );
        }
    }
    for (request, newer_than) in &system.asking {
        let RequestId { task, turn, attempt } = *request;
        let generation = Generation(newer_than.0 + 1);
        let without = |next: &mut System| next.asking.retain(|(asking, _)| asking != request);
        let given =
            Event::Request { task, turn, event: RequestEvent::CredentialGiven { attempt, generation } };
        add(Likely::Soon, format!("turn {} of {} gets its credential", turn.0, name(task)), given, &without);
        if tree.may_fail {
            let failed = Event::Request { task, turn, event: RequestEvent::CredentialFailed { attempt } };
            add(
                Likely::Unasked,
                format!("turn {} of {} gets no credential", turn.0, name(task)),
                failed,
                &without,
            );
        }
    }
    for armed in &system.armed {
        let mut next = system.clone();
        let event = next.fired(*armed);
        if next.step(event, said) == Outcome::Applied {
            found.push((Likely::Later, fires(*armed, &name), next));
        }
    }
    if !said.has(Kind::RequestEnded) {
        for flight in system.flights.iter().filter(|flight| flight.is_seen) {
            landed(system, *flight, said, &name(flight.request.task), &mut found);
        }
    }
    found
}

/// A request ends, and nobody has written down how.
fn landed(
    system: &System,
    flight: Flight,
    said: Vocabulary,
    name: &str,
    found: &mut Vec<(Likely, String, System)>,
) {
    let RequestId { task, turn, attempt } = flight.request;
    let responses = flight.hint.map_or_else(|| simple(system), |hint| responses(system, hint, said));
    let ended = responses.into_iter().map(|response| Event::ResponseEnded {
        request: flight.request,
        response,
        jitter_ms: 0,
    });
    let failed = FAILURES.into_iter().map(|failure| Event::Request {
        task,
        turn,
        event: RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 },
    });
    let stopped = Event::Request { task, turn, event: RequestEvent::Stopped { attempt } };
    let stopped = flight.is_stopping.then_some(stopped);
    for event in ended.chain(failed).chain(stopped) {
        let mut next = system.clone();
        next.landed(flight.request);
        if next.step(event, said) == Outcome::Applied {
            found.push((Likely::Later, format!("the request of turn {} of {name} ends", turn.0), next));
        }
    }
}

/// What the model may have said of which nobody has written down anything: one thing.
fn simple(system: &System) -> Vec<Response> {
    let calls = [
        Call::Tool(Approval::Granted),
        Call::Subtask { child: system.fresh() },
        Call::Question,
        Call::Completion(Approval::Granted),
        Call::Completion(Approval::Required),
    ];
    calls.into_iter().map(|call| Response::Calls(vec![call])).chain([Response::Text]).collect()
}

fn is_stopping(state: TaskState) -> bool {
    matches!(state, TaskState::Cancelling(_))
}

/// What a timer is for.
fn fires(armed: Armed, name: &dyn Fn(TaskId) -> String) -> String {
    match armed {
        Armed::Tree(Timer::Grace(task)) => format!("{} has had its time to stop", name(task)),
        Armed::Tree(Timer::Budget { task, .. }) => format!("the time of {} is spent", name(task)),
        Armed::Request(task, turn, RequestTimer::Backoff(_)) => {
            format!("the wait before turn {} of {} is sent again is over", turn.0, name(task))
        }
        Armed::Request(task, turn, RequestTimer::Grace(_)) => {
            format!("the request of turn {} of {} has had its time to stop", turn.0, name(task))
        }
    }
}
