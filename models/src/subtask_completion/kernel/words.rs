//! How a step of the kernel's world reads in a sequence diagram.

use downbeat_kernel::{
    About, Answer, Attempt, CallResult, Effect, End, Part, RequestEffect, RequestTimer, SendFailure, TaskId,
    TaskState, Timer, TurnNumber,
};
use downbeat_sim::model::{Lane, Told};

use super::act::{Act, Action, Late, Said, Stopped};
use super::aftermath::taken;
use super::index;
use super::outside::{Effects, of as of_effect};
use super::world::World;
use crate::watch::TaskIndex;

/// How people call the tasks.
pub(super) const TASK_NAMES: [&str; 3] = ["the parent", "the child", "child 2"];

const USER: Lane = 0;

/// The user, the tasks, the model, and everything else: tools, timers, the store, the process itself.
pub(super) fn lanes(tasks: u8) -> Vec<String> {
    let tasks = ["parent", "child", "child 2"].into_iter().take(usize::from(tasks));
    std::iter::once("user").chain(tasks).chain(["model", "outside"]).map(str::to_owned).collect()
}

struct Lanes {
    model: Lane,
    outside: Lane,
}

fn lane(task: TaskIndex) -> Lane {
    usize::from(task) + 1
}

/// One step in words.
pub(super) fn tell(tasks: u8, before: &World, action: &Action, after: &World) -> Told {
    let lanes = Lanes { model: usize::from(tasks) + 1, outside: usize::from(tasks) + 2 };
    let mut told = tell_act(&lanes, before, action.act);
    let taken = taken(before, action.act);
    let mut parts = Vec::new();
    let released = action.cut.map_or(usize::MAX, usize::from);
    for effect in taken.iter().flat_map(|(_, effects)| effects.iter()).take(released) {
        told = tell_effect(&lanes, told, effect, &mut parts);
    }
    if action.cut.is_some() {
        told = told.then(lanes.outside, lanes.outside, "the process crashes before the next effect");
    }
    if action.crashes() {
        let mut repeated = Effects::default();
        taken.as_ref().map_or(&before.kernel, |(kernel, _)| kernel).resync(&mut repeated);
        parts.clear();
        for effect in repeated.iter() {
            told = tell_effect(&lanes, told, effect, &mut parts);
        }
    }
    if taken.is_none() && action.act != Act::Crash {
        told = told.then(lanes.outside, lanes.outside, "the kernel does not apply it");
    }
    told.change(change(before, after))
}

fn tell_act(lanes: &Lanes, before: &World, act: Act) -> Told {
    let outside = lanes.outside;
    let flight = |task: TaskIndex, flight: usize| {
        before.outside.of(task).flights[flight].map_or_else(String::new, |f| key(f.turn, f.attempt))
    };
    match act {
        Act::Admit { task } => Told::new(outside, lane(task), "gets its place to run"),
        Act::Initialize { task, ready: true } => Told::new(outside, lane(task), "is initialized"),
        Act::Initialize { task, ready: false } => Told::new(outside, lane(task), "cannot be initialized"),
        Act::StopStart { task, .. } => Told::new(outside, lane(task), "initialization has stopped"),
        Act::Respond { task, flight: at, said } => {
            Told::new(lanes.model, lane(task), format!("answers request {}: {}", flight(task, at), say(said)))
        }
        Act::Fail { task, flight: at, failure } => {
            Told::new(lanes.model, lane(task), format!("request {} {}", flight(task, at), fail(failure)))
        }
        Act::Stop { task, flight: at, end } => {
            let how = match end {
                Stopped::Cancelled => "has stopped",
                Stopped::Answered => "is answered before it stops",
                Stopped::Emptied => "gets an empty answer before it stops",
                Stopped::Failed => "fails before it stops",
            };
            Told::new(lanes.model, lane(task), format!("request {} {how}", flight(task, at)))
        }
        Act::Lost { task, flight: at } => Told::new(
            outside,
            lane(task),
            format!("nobody knows what became of request {}", flight(task, at)),
        ),
        Act::Deliver { task, flight: at } => {
            Told::new(lanes.model, lane(task), format!("output of request {} goes out", flight(task, at)))
        }
        Act::LateResponse { task, turn, attempt, end } => {
            let what = match end {
                Late::Answered => "response (a subtask)",
                Late::Failed => "failure",
                Late::Cancelled => "stop",
                Late::Delivered => "output",
                Late::Fenced => "grace timer",
            };
            let text = format!("a late {what} of request {}", key(turn, attempt));
            Told::new(lanes.model, lane(task), text)
        }
        Act::ToolEnds { task, call } => Told::new(outside, lane(task), format!("tool {call} ends")),
        Act::StopTool { task, call } => Told::new(outside, lane(task), format!("tool {call} has stopped")),
        Act::LateTool { task, turn, call } => {
            Told::new(outside, lane(task), format!("tool {call} of turn {turn} ends, late or again"))
        }
        Act::Answer { task, number, answer } => {
            let answer = match answer {
                Answer::Approved => "yes",
                Answer::Denied => "no",
                Answer::Text => "in words",
            };
            Told::new(USER, lane(task), format!("answers question {number}: {answer}"))
        }
        Act::LateAnswer { task, number } => {
            Told::new(USER, lane(task), format!("answers question {number}, late or again"))
        }
        Act::Write { task } => Told::new(USER, lane(task), "writes a message"),
        Act::WriteAgain { task, message } => {
            Told::new(USER, lane(task), format!("message {message} arrives again"))
        }
        Act::WriteAhead { task } => Told::new(USER, lane(task), "a message overtakes the one before it"),
        Act::Pause { task } => Told::new(USER, lane(task), "pauses it"),
        Act::Resume { task } => Told::new(USER, lane(task), "resumes it"),
        Act::Cancel { task } => Told::new(USER, lane(task), "cancels it"),
        Act::Backoff { task } => Told::new(outside, lane(task), "the backoff timer fires"),
        Act::Grace { task } => Told::new(outside, lane(task), "the grace timer fires"),
        Act::StreamGrace { task } => Told::new(outside, lane(task), "the request's grace timer fires"),
        Act::LateSubmit { task } => Told::new(USER, lane(task), "is submitted again"),
        Act::LateAcknowledge { task } => Told::new(outside, lane(task), "its end is on record, without need"),
        Act::LateCancel { task } => Told::new(USER, lane(task), "cancels it, too late"),
        Act::LateAdmit { task } => Told::new(outside, lane(task), "gets its place, late or again"),
        Act::LateInitialize { task } => Told::new(outside, lane(task), "is initialized, late or again"),
        Act::LateGrace { task } => Told::new(outside, lane(task), "a void grace timer fires"),
        Act::LateBackoff { task, turn, attempt } => {
            let text = format!("a void backoff timer fires for request {}", key(turn, attempt));
            Told::new(outside, lane(task), text)
        }
        Act::Bill { task } => Told::new(outside, lane(task), "a bill comes"),
        Act::LateBill { task, bill } => {
            Told::new(outside, lane(task), format!("bill {bill} comes, again or ahead of another"))
        }
        Act::BudgetTime { task } => Told::new(outside, lane(task), "the time of its budget is over"),
        Act::LateBudgetTime { task, grant } => {
            Told::new(outside, lane(task), format!("a void timer of grant {grant} fires"))
        }
        Act::Acknowledge { task } => Told::new(outside, lane(task), "its end is on record"),
        Act::Crash => Told::new(outside, outside, "the process crashes and starts again"),
    }
}

fn tell_effect(lanes: &Lanes, told: Told, effect: Effect, parts: &mut Vec<Part>) -> Told {
    let outside = lanes.outside;
    let of = |task: TaskId| lane(index(task));
    match effect {
        Effect::Include { part, .. } => {
            parts.push(part);
            told
        }
        Effect::Request { task, turn, effect } => tell_request(lanes, told, (task, turn), effect, parts),
        Effect::Enqueue { task } => told.then(of(task), outside, "wants a place to run"),
        Effect::Dequeue { task } => told.then(of(task), outside, "wants no place any more"),
        Effect::Initialize { task } => told.then(of(task), outside, "is to be initialized"),
        Effect::AbortInitialization { task } => told.then(of(task), outside, "initialization is to stop"),
        Effect::RunTool { call } => told.then(of(call.task), outside, format!("runs tool {}", call.index)),
        Effect::CancelTool { call } => {
            told.then(of(call.task), outside, format!("tool {} is to stop", call.index))
        }
        Effect::Ask { question, about } => {
            let about = match about {
                About::Tool(_) => "may the tool run?",
                About::Completion(_) => "may the task end?",
                About::Question(_) => "the model's question",
                About::MistakeLimit => "shall the model go on?",
                About::Budget => "may it spend as much again?",
            };
            told.then(of(question.task), USER, format!("asks question {}: {about}", question.number))
        }
        Effect::Withdraw { question } => {
            told.then(of(question.task), USER, format!("withdraws question {}", question.number))
        }
        Effect::Arm { timer, .. } => {
            told.then(of(of_effect(effect)), outside, format!("arms {}", name(timer)))
        }
        Effect::Disarm { timer } => {
            told.then(of(of_effect(effect)), outside, format!("disarms {}", name(timer)))
        }
        Effect::ReportUndelivered { task, message, in_doubt } => {
            let doubt = if in_doubt { ", perhaps read" } else { "" };
            told.then(of(task), USER, format!("message {} was not delivered{doubt}", message.0))
        }
        Effect::Worker { task, .. } => told.then(of(task), outside, "has an order for a worker"),
        Effect::TaskEnded { task, end } => told.then(of(task), USER, format!("has {}", ended(end))),
    }
}

fn name(timer: Timer) -> &'static str {
    match timer {
        Timer::Grace(_) => "the grace timer",
        Timer::Budget { .. } => "the timer of its budget",
    }
}

fn tell_request(
    lanes: &Lanes,
    told: Told,
    (task, turn): (TaskId, TurnNumber),
    effect: RequestEffect,
    parts: &mut Vec<Part>,
) -> Told {
    let (from, model, outside) = (lane(index(task)), lanes.model, lanes.outside);
    let name = |attempt: Attempt| format!("{}.{}", turn.0, attempt.0);
    match effect {
        RequestEffect::Send { attempt, .. } => {
            let content: Vec<_> = parts.drain(..).map(content).collect();
            told.then(from, model, format!("sends request {} ({})", name(attempt), content.join(", ")))
        }
        RequestEffect::Recover { attempt } => {
            told.then(from, model, format!("asks what became of request {}", name(attempt)))
        }
        RequestEffect::Stop { attempt } => {
            told.then(from, model, format!("request {} is to stop", name(attempt)))
        }
        RequestEffect::Fence { attempt } => {
            told.then(from, model, format!("closes request {} by force", name(attempt)))
        }
        RequestEffect::Arm { timer: RequestTimer::Backoff(attempt), after_ms } => {
            told.then(from, outside, format!("request {} is due in {after_ms} ms", name(attempt)))
        }
        RequestEffect::Arm { timer: RequestTimer::Grace(attempt), .. } => {
            told.then(from, outside, format!("arms the grace timer of request {}", name(attempt)))
        }
        RequestEffect::Disarm { timer: RequestTimer::Backoff(_) } => {
            told.then(from, outside, "disarms the backoff timer")
        }
        RequestEffect::Disarm { timer: RequestTimer::Grace(_) } => {
            told.then(from, outside, "disarms the request's grace timer")
        }
        RequestEffect::GetCredential { .. } => told.then(from, outside, "wants a credential"),
        RequestEffect::Charge { .. } => told.then(from, outside, "has a bill"),
        RequestEffect::Ended { .. } => told,
    }
}

fn key(turn: u8, attempt: u8) -> String {
    format!("{turn}.{attempt}")
}

fn content(part: Part) -> String {
    match part {
        Part::Prompt => "prompt".to_owned(),
        Part::Reminder => "reminder".to_owned(),
        Part::Message(message) => format!("message {}", message.0),
        Part::Result { call, result } => match result {
            CallResult::Subtask { child, end } => {
                format!("{} has {}", TASK_NAMES[usize::from(index(child))], ended(end))
            }
            CallResult::Tool(_) => format!("tool {}", call.index),
            CallResult::Denied => format!("call {} denied", call.index),
            CallResult::Answered => format!("answer {}", call.index),
            CallResult::Refused(_) => format!("call {} refused", call.index),
            CallResult::Guided => "go on".to_owned(),
            CallResult::Abandoned => format!("call {} abandoned", call.index),
        },
    }
}

fn ended(end: End) -> &'static str {
    match end {
        End::Completed => "completed",
        End::Failed(_) => "failed",
        End::Cancelled => "been cancelled",
    }
}

fn say(said: Said) -> &'static str {
    match said {
        Said::Completion => "done",
        Said::CompletionToApprove => "done, if you agree",
        Said::TwoTools => "run two tools",
        Said::ToolToApprove => "run a tool, if you agree",
        Said::Question => "a question",
        Said::Subtask => "start a subtask",
        Said::SubtaskAndTool => "start a subtask and run a tool",
        Said::TwoSubtasks => "start two subtasks",
        Said::TwoQuestions => "two questions",
        Said::QuestionAndSubtask => "a question, and start a subtask",
        Said::CompletionAndTool => "done, and run a tool",
        Said::CompletionAndSubtask => "done, and start a subtask",
        Said::Text => "text without a call",
        Said::Empty => "nothing",
    }
}

fn fail(failure: SendFailure) -> &'static str {
    match failure {
        SendFailure::Throttled { .. } => "is throttled",
        SendFailure::Transient => "fails",
        SendFailure::Interrupted => "breaks off",
        SendFailure::Unauthorized => "has a token that is not taken",
        SendFailure::ContinuityLost => "continues from what is lost",
        SendFailure::ContextTooLong => "is too long",
        SendFailure::Invalid => "is refused for good",
    }
}

/// Which requests are in flight, and which tasks stand elsewhere than before.
fn change(before: &World, after: &World) -> String {
    let mut words = Vec::new();
    for (task, name) in (0..).zip(["parent", "child", "child 2"]) {
        let (then, now) = (before.state(task), after.state(task));
        if then != now {
            words.push(format!("{name}: {}", stands(now)));
        }
    }
    let flights: Vec<_> = (0..)
        .zip(["parent", "child", "child 2"])
        .flat_map(|(task, name)| {
            let flights = after.outside.of(task).flights.into_iter().flatten().filter(|flight| !flight.gone);
            flights.map(move |flight| format!("{name} {}", key(flight.turn, flight.attempt)))
        })
        .collect();
    if !flights.is_empty() {
        words.push(format!("in flight: {}", flights.join(", ")));
    }
    words.join("; ")
}

fn stands(state: Option<TaskState>) -> &'static str {
    match state {
        None => "forgotten",
        Some(TaskState::Queued) => "Queued",
        Some(TaskState::Initializing) => "Initializing",
        Some(TaskState::Requesting) => "Requesting",
        Some(TaskState::ExecutingTools) => "ExecutingTools",
        Some(TaskState::AwaitingSubtask) => "AwaitingSubtask",
        Some(TaskState::AwaitingInput) => "AwaitingInput",
        Some(TaskState::AwaitingBudget) => "AwaitingBudget",
        Some(TaskState::Working) => "Working",
        Some(TaskState::Paused(_)) => "Paused",
        Some(TaskState::Cancelling(_)) => "Cancelling",
        Some(TaskState::Ending(_)) => "Ending",
        Some(TaskState::Completed) => "Completed",
        Some(TaskState::Failed(_)) => "Failed",
        Some(TaskState::Cancelled) => "Cancelled",
    }
}
