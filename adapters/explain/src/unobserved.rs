//! What may have happened that nobody has written down.

use downbeat_kernel::{
    Answer, CallState, Event, Generation, MessageId, Outcome, QuestionId, RequestEvent, RequestId,
    RequestTimer, TaskId, TaskState, Timer, ToolEnd,
};
use downbeat_trace::Kind;

use crate::guess::{FAILURES, responses, simple};
use crate::log::{Tree, Vocabulary};
use crate::observed::Change;
use crate::sight::Sight;
use crate::system::{Armed, Flight, System};

/// Every change that may come without a line, and what it is in words.
pub(crate) fn unobserved<'t>(system: &System, tree: &Tree) -> Vec<(String, Change<'t>)> {
    let mut found = Vec::new();
    let mut add = |likely: Likely, words: String, change: Change<'t>| found.push((likely, words, change));
    every(system, tree, &mut add);
    // What has to happen sooner or later first: whatever else is guessed has to be of use.
    found.sort_by_key(|(likely, ..)| *likely);
    found.into_iter().map(|(_, words, change)| (words, change)).collect()
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

/// An event that the kernel takes.
fn applied<'t>(event: Event, said: Vocabulary) -> Change<'t> {
    Box::new(move |next| next.step(event.clone(), said) == Outcome::Applied)
}

fn every<'t>(system: &System, tree: &Tree, found: &mut dyn FnMut(Likely, String, Change<'t>)) {
    let name = |task: TaskId| {
        system.index(task).map_or_else(|| "a subtask".to_owned(), |task| tree.tasks[task].clone())
    };
    let said = tree.said;
    let mut add = |likely: Likely, words: String, event: Event| found(likely, words, applied(event, said));
    for task in system.kernel.tasks() {
        let id = task.id;
        match task.state {
            TaskState::Queued => {
                add(Likely::Soon, format!("{} has its place", name(id)), Event::Admitted { task: id });
            }
            TaskState::Initializing | TaskState::Cancelling(downbeat_kernel::Outstanding::Initialization) => {
                add(Likely::Soon, format!("{} is ready to run", name(id)), Event::Initialized { task: id });
                if tree.may_fail {
                    let failed = Event::InitializationFailed { task: id };
                    add(Likely::Unasked, format!("{} could not be made ready", name(id)), failed);
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
                add(Likely::Later, words, Event::ToolEnded { call, end });
            }
            if let CallState::Asking { number, .. } = state
                && !(said.has(Kind::Question) && said.has(Kind::Answer))
            {
                let question = QuestionId { task: id, number };
                for answer in [Answer::Approved, Answer::Text, Answer::Denied] {
                    let words = format!("a person answers question {number} of {}", name(id));
                    add(Likely::Later, words, Event::AnswerReceived { question, answer });
                }
            }
        }
        let in_trace = system.index(id).map_or(0, |task| tree.messages[task]);
        let may_be_written = !said.has(Kind::MessageQueued) && task.data.accepted.0 < in_trace;
        if may_be_written && task.state.end().is_none() {
            let message = MessageId(task.data.accepted.0 + 1);
            let words = format!("a message for {} is accepted", name(id));
            add(Likely::Unasked, words, Event::MessageReceived { task: id, message });
        }
        let is_paused = matches!(task.state, TaskState::Paused(_));
        if is_paused && !said.has(Kind::Resume) {
            let words = format!("somebody resumes {}", name(id));
            add(Likely::Later, words, Event::ResumeRequested { task: id });
        }
        // Who is paused looks like one that takes its time, but for when it takes its messages, and for what it has to do by the end.
        let has_queue = in_trace > 0 && said.has(Kind::MessageQueued);
        if !is_paused && !said.has(Kind::Pause) && (has_queue || said.has(Kind::Resume)) {
            let words = format!("somebody pauses {}", name(id));
            add(Likely::Unasked, words, Event::PauseRequested { task: id });
        }
        // A subtask of which nobody writes down anything may end in any way.
        let is_unheard = task.data.parent.is_some() && !system.is_bound(id);
        if is_unheard && !said.has(Kind::TaskStarted) && !said.has(Kind::ResultDelivered) {
            add(Likely::Later, "a subtask ends".to_owned(), Event::CancelRequested { task: id });
        }
        // Where nobody knows whose subtask a task is, the cancel may be one of its parent.
        let may_be_unseen =
            !said.has(Kind::Cancel) || (!said.has(Kind::TaskStarted) && task.data.parent.is_none());
        if tree.may_cancel && may_be_unseen && task.state.end().is_none() {
            add(
                Likely::Unasked,
                format!("somebody cancels {}", name(id)),
                Event::CancelRequested { task: id },
            );
        }
    }
    for (request, newer_than) in &system.asking {
        let (request, generation) = (*request, Generation(newer_than.0 + 1));
        let RequestId { task, turn, attempt } = request;
        let told = move |event: RequestEvent| -> Change<'t> {
            Box::new(move |next: &mut System| {
                next.asking.retain(|(asking, _)| *asking != request);
                next.step(Event::Request { task, turn, event }, said) == Outcome::Applied
            })
        };
        let words = format!("turn {} of {} gets its credential", turn.0, name(task));
        found(Likely::Soon, words, told(RequestEvent::CredentialGiven { attempt, generation }));
        if tree.may_fail {
            let words = format!("turn {} of {} gets no credential", turn.0, name(task));
            found(Likely::Unasked, words, told(RequestEvent::CredentialFailed { attempt }));
        }
    }
    for armed in system.armed.iter().copied() {
        let fire = move |next: &mut System| {
            let event = next.fired(armed);
            next.step(event, said) == Outcome::Applied
        };
        found(Likely::Later, fires(armed, &name), Box::new(fire));
    }
    if !said.has(Kind::RequestEnded) {
        for flight in system.flights.iter().filter(|flight| flight.is_seen) {
            landed(system, *flight, said, &name(flight.request.task), found);
        }
    }
}

/// A request ends, and nobody has written down how.
fn landed<'t>(
    system: &System,
    flight: Flight,
    said: Vocabulary,
    name: &str,
    found: &mut dyn FnMut(Likely, String, Change<'t>),
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
        let land = move |next: &mut System| {
            next.landed(flight.request);
            next.step(event.clone(), said) == Outcome::Applied
        };
        found(Likely::Later, format!("the request of turn {} of {name} ends", turn.0), Box::new(land));
    }
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
