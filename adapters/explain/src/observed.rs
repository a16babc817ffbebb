//! What a line of the trace says of a situation: everything that may have happened.

use downbeat_kernel::{
    Answer, CallState, Event, MessageId, Outcome, QuestionId, RequestEvent, RequestId, SendFailure, TaskId,
    ToolEnd,
};
use downbeat_trace::{End, Kind};

use crate::guess::{FAILURES, responses};
use crate::log::{Entry, News, TaskIndex, Tree, Vocabulary};
use crate::sight::Sight;
use crate::system::{Completion, Flight, System};

/// How a situation becomes the next one. False if it cannot.
pub(crate) type Change<'t> = Box<dyn Fn(&mut System) -> bool + 't>;

/// What a line of some kind says of a task.
type Line = for<'t> fn(&mut Found<'_, 't>, TaskId, &'t Entry);

/// What the lines of a kind say; nothing, if tasks of the kernel know nothing of it.
fn line(kind: Kind) -> Option<Line> {
    let line: Line = match kind {
        Kind::TaskStarted => |found, task, _| found.seen(Sight::Started(task), |_| true),
        // It is one of all tasks.
        Kind::Restart => |_, _, _| {},
        Kind::TaskEnded => |found, task, entry| found.ended(task, entry),
        Kind::RequestStarted => |found, task, entry| found.request_started(task, entry),
        Kind::RequestDelta => |found, task, entry| found.request_delta(task, entry),
        Kind::RequestEnded => |found, task, entry| found.request_ended(task, entry),
        Kind::ToolCall => |found, task, entry| found.tool_call(task, entry),
        Kind::ToolStarted => |found, task, entry| found.tool_started(task, entry),
        Kind::ToolResult => |found, task, entry| found.tool_result(task, entry),
        Kind::ResultDelivered => |found, task, entry| found.result_delivered(task, entry),
        Kind::MessageQueued => |found, task, entry| found.message_queued(task, entry),
        Kind::MessageDelivered => |found, task, entry| found.message_delivered(task, entry),
        Kind::MessageReturned => |found, task, entry| found.message_returned(task, entry),
        Kind::Question => |found, task, entry| found.question(task, entry),
        Kind::Answer => |found, task, entry| found.answer(task, entry),
        Kind::Pause => |found, task, _| found.asked(Event::PauseRequested { task }),
        Kind::Resume => |found, task, _| found.asked(Event::ResumeRequested { task }),
        Kind::Cancel => |found, task, _| found.asked(Event::CancelRequested { task }),
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
        | Kind::LockReleased => return None,
    };
    Some(line)
}

/// Whether events of a kind say nothing to the tree of tasks in the kernel: they are left out.
pub fn is_left_out(kind: Kind) -> bool {
    line(kind).is_none()
}

/// Every change by which an event of the trace may come; none if it cannot.
pub(crate) fn observed<'t>(system: &System, entry: &'t Entry, tree: &Tree) -> Vec<Change<'t>> {
    let said = tree.said;
    let mut found = Found { system, said, next: Vec::new() };
    if entry.kind == Kind::Restart {
        found.with(move |next| {
            next.restart(said);
            true
        });
        return found.next;
    }
    match system.task(entry.task) {
        Some(task) if entry.news == News::Void => {
            // Though it is void it has to be of a request that went out.
            if entry.kind != Kind::RequestEnded || !found.flown(task).is_empty() {
                found.with(|_| true);
            }
            found.next
        }
        Some(task) => {
            if let Some(line) = line(entry.kind) {
                line(&mut found, task, entry);
            }
            found.next
        }
        None if entry.kind == Kind::TaskStarted => {
            found.started(entry);
            found.next
        }
        None => {
            let task = entry.task;
            let of = |id: TaskId| {
                let mut bound = system.clone();
                bound.bind_task(task, id);
                let then = move |change: Change<'t>| -> Change<'t> {
                    Box::new(move |next: &mut System| {
                        next.bind_task(task, id);
                        change(next)
                    })
                };
                observed(&bound, entry, tree).into_iter().map(then)
            };
            unheard(system, task, tree).into_iter().flat_map(of).collect()
        }
    }
}

/// Who a task may be that was not heard of before: any subtask of its parent's that has no name yet; without a parent that is known,
/// any subtask.
fn unheard(system: &System, task: TaskIndex, tree: &Tree) -> Vec<TaskId> {
    let parent = tree.parents[task].and_then(|parent| system.task(parent));
    let known = system.kernel.tasks().filter(|known| !system.is_bound(known.id));
    let fitting = known
        .filter(|known| known.data.parent.is_some() && (parent.is_none() || known.data.parent == parent));
    fitting.map(|known| known.id).collect()
}

/// What was found so far.
struct Found<'s, 't> {
    system: &'s System,
    said: Vocabulary,
    next: Vec<Change<'t>>,
}

impl<'t> Found<'_, 't> {
    fn with(&mut self, change: impl Fn(&mut System) -> bool + 't) {
        self.next.push(Box::new(change));
    }

    /// An event that the kernel takes.
    fn applied(&mut self, event: Event, change: impl Fn(&mut System) -> bool + 't) {
        let said = self.said;
        self.with(move |next| change(next) && next.step(event.clone(), said) == Outcome::Applied);
    }

    /// A wish of a person, which may come too late.
    fn asked(&mut self, event: Event) {
        let said = self.said;
        self.with(move |next| is_taken(&next.step(event.clone(), said)));
    }

    /// An order that was given, and shows now.
    fn seen(&mut self, sight: Sight, change: impl Fn(&mut System) -> bool + 't) {
        self.with(move |next| next.show(sight) && change(next));
    }

    /// What the trace has to have, or may have once more, of some sort.
    fn expected<T>(&self, of: impl Fn(Sight) -> Option<T>) -> Vec<(Sight, T)> {
        self.system.expected().filter_map(|sight| Some((sight, of(sight)?))).collect()
    }

    fn started(&mut self, entry: &'t Entry) {
        let Some(parent) = entry.other else {
            let said = self.said;
            return self.with(move |next| next.submit(entry.task, said) == Outcome::Applied);
        };
        let Some(parent) = self.system.task(parent) else { return };
        let is_child =
            |task: TaskId| self.system.kernel.task(task).is_some_and(|task| task.data.parent == Some(parent));
        let begun = self.expected(|owed| {
            let Sight::Started(task) = owed else { return None };
            (is_child(task) && !self.system.is_bound(task)).then_some(task)
        });
        for (_, child) in begun {
            self.seen(Sight::Started(child), move |next| {
                next.bind_task(entry.task, child);
                true
            });
        }
    }

    fn ended(&mut self, task: TaskId, entry: &'t Entry) {
        let owed = self.expected(|owed| {
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
            let said = self.said;
            self.seen(Sight::Ended(task, end), move |next| {
                next.forget(task, said);
                true
            });
        }
    }

    fn request_started(&mut self, task: TaskId, entry: &'t Entry) {
        let sent = self.expected(|owed| {
            let Sight::Sent(request) = owed else { return None };
            (request.task == task).then_some(request)
        });
        // What it contains is written down before it; but for results of calls, which not everybody writes down for questions too.
        let lacks = self.system.owed.iter().any(|owed| match *owed {
            Sight::Delivered { task: of, .. } | Sight::Given(of, _) => of == task,
            Sight::Started(_)
            | Sight::Sent(_)
            | Sight::ToolRan(_)
            | Sight::Result(_)
            | Sight::Returned(..)
            | Sight::Asked(_)
            | Sight::Ended(..) => false,
        });
        if let Some((_, request)) = sent.first().copied()
            && !lacks
        {
            self.seen(Sight::Sent(request), move |next| {
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
            self.with(move |next| {
                next.flights[at].may_repeat = false;
                next.flights[at].hint = Some(entry.hint);
                let turn = next.flights[at].request.turn;
                next.is_turn(task, entry.turn, turn)
            });
        }
    }

    fn request_delta(&mut self, task: TaskId, entry: &'t Entry) {
        for Flight { request, .. } in self.flown(task) {
            let said = self.said;
            let RequestId { turn, attempt, .. } = request;
            let event = Event::Request { task, turn, event: RequestEvent::OutputDelivered { attempt } };
            self.with(move |next| {
                next.is_turn(task, entry.turn, turn) && is_taken(&next.step(event.clone(), said))
            });
        }
    }

    /// The requests of a task that went out, as far as anybody would know.
    fn flown(&self, task: TaskId) -> Vec<Flight> {
        let is_flown = |flight: &&Flight| flight.request.task == task && flight.is_seen;
        self.system.flights.iter().filter(is_flown).copied().collect()
    }

    fn request_ended(&mut self, task: TaskId, entry: &'t Entry) {
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
                self.applied(event, move |next| {
                    next.landed(flight.request);
                    next.is_turn(task, entry.turn, turn)
                });
            }
        }
    }

    fn tool_call(&mut self, task: TaskId, entry: &'t Entry) {
        // Those of one kind are alike until they have names: the first of each will do.
        let mut tried = Vec::new();
        for (call, state) in self.system.calls_of(task) {
            let like = std::mem::discriminant(&state);
            if self.system.calls.iter().any(|(_, known)| *known == call) || tried.contains(&like) {
                continue;
            }
            tried.push(like);
            self.with(move |next| next.is_call(entry, call));
        }
        // One that has ended its task is open no more.
        if let Some(completion) = self.system.completion(task).filter(|_| tried.is_empty()) {
            self.with(move |next| next.is_call(entry, completion.call));
        }
    }

    fn tool_started(&mut self, task: TaskId, entry: &'t Entry) {
        if entry.named.is_none() {
            return;
        }
        let ran = self.expected(|owed| {
            let Sight::ToolRan(call) = owed else { return None };
            (call.task == task).then_some(call)
        });
        for (_, call) in ran {
            self.seen(Sight::ToolRan(call), move |next| next.is_call(entry, call));
        }
        self.completion(task, entry, |completion| &mut completion.has_run);
    }

    fn tool_result(&mut self, task: TaskId, entry: &'t Entry) {
        if entry.named.is_none() {
            return;
        }
        let is_included = self.system.is_included(task);
        for (call, state) in self.system.calls_of(task) {
            match state {
                CallState::Running if !self.system.owed.contains(&Sight::ToolRan(call)) => {
                    let end = ToolEnd::Succeeded;
                    self.applied(Event::ToolEnded { call, end }, move |next| {
                        next.shown.push(call);
                        next.is_call(entry, call)
                    });
                }
                CallState::Settled(_) if !is_included && !self.system.shown.contains(&call) => {
                    self.with(move |next| {
                        next.shown.push(call);
                        next.is_call(entry, call)
                    });
                }
                CallState::Running
                | CallState::Settled(_)
                | CallState::Waiting(_)
                | CallState::Asking { .. }
                | CallState::Subtask { .. } => {}
            }
        }
        let results = self.expected(|owed| {
            let Sight::Result(call) = owed else { return None };
            (call.task == task).then_some(call)
        });
        for (_, call) in results {
            self.seen(Sight::Result(call), move |next| next.is_call(entry, call));
        }
        self.completion(task, entry, |completion| &mut completion.has_result);
    }

    /// A completion may be written down as a call that runs and has a result. The kernel knows nothing of these.
    fn completion(&mut self, task: TaskId, entry: &'t Entry, shown: fn(&mut Completion) -> &mut bool) {
        self.with(move |next| {
            let Some(completion) = next.completions.iter_mut().find(|known| known.call.task == task) else {
                return false;
            };
            let call = completion.call;
            !std::mem::replace(shown(completion), true) && next.is_call(entry, call)
        });
    }

    fn result_delivered(&mut self, task: TaskId, entry: &'t Entry) {
        if let Some(child) = entry.other.and_then(|child| self.system.task(child)) {
            self.seen(Sight::Delivered { task, child }, |_| true);
        }
    }

    fn message_queued(&mut self, task: TaskId, entry: &'t Entry) {
        let (Some(named), Some(known)) = (entry.named, self.system.kernel.task(task)) else { return };
        let message = MessageId(known.data.accepted.0 + 1);
        self.applied(Event::MessageReceived { task, message }, move |next| {
            next.is_message(named, task, message)
        });
    }

    fn message_delivered(&mut self, task: TaskId, entry: &'t Entry) {
        self.message(task, entry, |owed| {
            let Sight::Given(of, message) = owed else { return None };
            (of == task).then_some(message)
        });
    }

    fn message_returned(&mut self, task: TaskId, entry: &'t Entry) {
        self.message(task, entry, |owed| {
            let Sight::Returned(of, message) = owed else { return None };
            (of == task).then_some(message)
        });
    }

    fn message(&mut self, task: TaskId, entry: &'t Entry, shown: impl Fn(Sight) -> Option<MessageId>) {
        let Some(named) = entry.named else { return };
        // They are part of what comes next in their order; what was shown before may be left out.
        let is_owed = |(sight, _): &(Sight, MessageId)| self.system.owed.contains(sight);
        let (owed, again): (Vec<_>, Vec<_>) = self.expected(shown).into_iter().partition(is_owed);
        for (sight, message) in owed.into_iter().take(1).chain(again) {
            self.seen(sight, move |next| next.is_message(named, task, message));
        }
    }

    fn question(&mut self, task: TaskId, entry: &'t Entry) {
        if entry.named.is_none() {
            return;
        }
        let asked = self.expected(|owed| {
            let Sight::Asked(question) = owed else { return None };
            (question.task == task).then_some(question)
        });
        for (_, question) in asked {
            self.seen(Sight::Asked(question), move |next| next.is_question(entry, question));
        }
    }

    fn answer(&mut self, task: TaskId, entry: &'t Entry) {
        // The kernel takes an answer for the question that it names, and for no other.
        if !entry.is_apt {
            return;
        }
        let bound = entry.named.and_then(|named| self.system.question(named));
        let questions = match bound {
            Some(question) => vec![question],
            // That one is over.
            None if entry.named.is_some() && !entry.is_first => return self.with(|_| true),
            None if entry.named.is_some() && self.said.has(Kind::Question) => return,
            None => self.open_questions(task),
        };
        for question in questions {
            for answer in [Answer::Text, Answer::Approved, Answer::Denied] {
                let (event, said) = (Event::AnswerReceived { question, answer }, self.said);
                self.with(move |next| {
                    next.is_question(entry, question) && is_taken(&next.step(event.clone(), said))
                });
            }
        }
    }

    /// The questions that somebody may answer; if none is open, the last one, for which it is too late.
    fn open_questions(&self, task: TaskId) -> Vec<QuestionId> {
        let calls = self.system.calls_of(task).into_iter();
        let asking = calls.filter_map(|(_, state)| match state {
            CallState::Asking { number, .. } => Some(QuestionId { task, number }),
            CallState::Waiting(_)
            | CallState::Running
            | CallState::Subtask { .. }
            | CallState::Settled(_) => None,
        });
        let is_asked = |question: &QuestionId| !self.system.owed.contains(&Sight::Asked(*question));
        let open: Vec<_> = asking.filter(is_asked).collect();
        let last = self.system.kernel.task(task).map_or(0, |task| task.data.questions);
        if open.is_empty() && last > 0 { vec![QuestionId { task, number: last }] } else { open }
    }
}

/// Whether somebody's wish was one: it may have come too late.
fn is_taken(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Applied | Outcome::Ignored(_) => true,
        Outcome::Rejected(_) => false,
    }
}
