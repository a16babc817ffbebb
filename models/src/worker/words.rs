//! How a step reads. Numbers that only count up are not told: what is not of the newest is of an older one.

use downbeat_kernel::{
    Concern, Config, Deadline, Effect, End, IteratorEnd, IteratorId, PromptId, SessionEffect, SessionEvent,
    Sign, Source, TaskId, Then, TurnNumber, WorkerEffect, WorkerEvent, WorkerPart, WorkerTimer,
};
use downbeat_sim::model::{Arrow, Lane, Told as Story};

use super::act::{Act, Action, CHILD, Kind, TASK, Told};
use super::outside::Running;
use super::properties::standing;
use super::step::take;
use super::world::World;

/// The participants. Outside are whoever keeps the record, whoever watches, and the subtask, if its agent does not work.
const LANES: [&str; 6] = ["person", "worker", "agent", "outside", "subtask", "its agent"];

const PERSON: Lane = 0;
const WORKER: Lane = 1;
const AGENT: Lane = 2;
const OUTSIDE: Lane = 3;
const SUBTASK: Lane = 4;
const ITS_AGENT: Lane = 5;

/// The participants where the agent of the subtask works, or does not.
pub(super) fn lanes(works: bool) -> &'static [&'static str] {
    if works { &LANES } else { &LANES[..4] }
}

/// One step in words.
pub(super) fn told(config: &Config, before: &World, action: &Action, after: &World) -> Story {
    let mut arrows = Vec::new();
    let mut kernel = before.kernel(*config);
    if let Some(act) = action.act {
        arrows.push(cause(before, act));
        let taken = take(config, before, act);
        if !taken.is_applied {
            arrows.push(remark("takes no notice"));
        }
        let released = action.cut.map_or(taken.effects.len(), usize::from);
        arrows.extend(orders(before, &taken.effects[..released], ""));
        kernel = taken.kernel;
    }
    if action.cut.is_some() || action.act.is_none() {
        let text = if action.cut.is_some() {
            "the process crashes before the next effect"
        } else {
            "the process crashes"
        };
        arrows.push(remark(text));
        let mut repeated = Vec::new();
        kernel.resync(&mut repeated);
        arrows.extend(orders(before, &repeated, "again: "));
    }
    let mut arrows = arrows.into_iter();
    let Some(Arrow { from, to, text }) = arrows.next() else {
        unreachable!("every action has something to tell")
    };
    let story =
        arrows.fold(Story::new(from, to, text), |story, arrow| story.then(arrow.from, arrow.to, arrow.text));
    let (was, is) = (standing(before), standing(after));
    if was == is { story } else { story.change(is) }
}

fn arrow(from: Lane, to: Lane, text: impl Into<String>) -> Arrow {
    Arrow { from, to, text: text.into() }
}

fn remark(text: &str) -> Arrow {
    arrow(WORKER, WORKER, text)
}

/// An arrow of a task, drawn for whichever it is.
fn of_task(of: TaskId, Arrow { from, to, text }: Arrow) -> Arrow {
    let lane = |lane| match lane {
        WORKER if of == CHILD => SUBTASK,
        AGENT if of == CHILD => ITS_AGENT,
        other => other,
    };
    Arrow { from: lane(from), to: lane(to), text }
}

/// Whether the agent of a task works.
fn is_followed(world: &World, of: TaskId) -> bool {
    world.followed().any(|(followed, _)| followed == of)
}

/// What happens.
fn cause(before: &World, act: Act) -> Arrow {
    let is_apart = !is_followed(before, act.of);
    let Arrow { from, to, text } = match act.told {
        Told::Worker(event) if is_apart => of_subtask(event),
        Told::Worker(event) => of_worker(before, act.of, event),
        Told::Message(message) => arrow(PERSON, WORKER, format!("writes message {}", message.0)),
        Told::Pause => arrow(PERSON, WORKER, "pauses the task"),
        Told::Resume => arrow(PERSON, WORKER, "resumes it"),
        Told::Cancel => arrow(PERSON, WORKER, "cancels the task"),
        Told::Subtask(TASK) => arrow(AGENT, WORKER, "asks for a subtask by the id of the task"),
        Told::Subtask(_) => arrow(AGENT, WORKER, "asks for a subtask"),
        Told::Admitted | Told::Deployed if is_apart => {
            arrow(OUTSIDE, OUTSIDE, "the subtask comes nearer to its worker")
        }
        Told::Admitted => arrow(OUTSIDE, WORKER, "there is a place for the task"),
        Told::Deployed => arrow(OUTSIDE, WORKER, "the task is deployed"),
        Told::Recorded => arrow(OUTSIDE, WORKER, "the end of the task is on record"),
    };
    let text = if act.kind == Kind::Late { format!("{text}: late, again, or too early") } else { text };
    if is_apart { Arrow { from, to, text } } else { of_task(act.of, Arrow { from, to, text }) }
}

/// What is seen of a subtask whose agent does not work.
fn of_subtask(event: WorkerEvent) -> Arrow {
    if let WorkerEvent::Reported { number } = event {
        return arrow(OUTSIDE, WORKER, format!("the subtask reports, {number}"));
    }
    if event == WorkerEvent::CompleteRequested {
        return arrow(OUTSIDE, OUTSIDE, "the subtask is about to end");
    }
    arrow(OUTSIDE, WORKER, "the subtask ends")
}

fn of_worker(before: &World, of: TaskId, event: WorkerEvent) -> Arrow {
    match event {
        WorkerEvent::Session(event) => of_session(before, of, event),
        WorkerEvent::Observed { prompt, sign } => {
            arrow(AGENT, WORKER, format!("{}{}", sign_word(sign), of_prompt(before, of, prompt)))
        }
        WorkerEvent::ProgressReported { .. } => arrow(AGENT, WORKER, "says how far it is"),
        WorkerEvent::ApprovalRequested { approval } => {
            let prompt = of_prompt(before, of, approval.prompt);
            arrow(AGENT, WORKER, format!("asks for approval {}{prompt}", approval.number))
        }
        WorkerEvent::AnswerReceived { approval, .. } => {
            let prompt = of_prompt(before, of, approval.prompt);
            arrow(PERSON, WORKER, format!("answers question {}{prompt}", approval.number))
        }
        WorkerEvent::Reported { number } => arrow(AGENT, WORKER, format!("reports, {number}")),
        WorkerEvent::ReportAcknowledged { number } => {
            arrow(OUTSIDE, WORKER, format!("report {number} is on record"))
        }
        WorkerEvent::InterruptRequested { turn, then } => {
            let holds = if then == Then::Hold { "interrupts and holds" } else { "interrupts" };
            arrow(PERSON, WORKER, format!("{holds}{}", of_turn(before, of, turn)))
        }
        WorkerEvent::WrapUpRequested => arrow(PERSON, WORKER, "wants it to finish"),
        WorkerEvent::CompleteRequested => arrow(PERSON, WORKER, "completes the task"),
        WorkerEvent::TimerFired { timer } => remark(timer_word(timer)),
        WorkerEvent::Assigned
        | WorkerEvent::MessageReceived { .. }
        | WorkerEvent::ChildReported { .. }
        | WorkerEvent::ChildEnded { .. }
        | WorkerEvent::PauseRequested
        | WorkerEvent::ResumeRequested
        | WorkerEvent::BudgetSpent
        | WorkerEvent::BudgetGranted
        | WorkerEvent::KillRequested
        | WorkerEvent::EndAcknowledged => {
            arrow(OUTSIDE, WORKER, "is told from outside what only the kernel may tell it")
        }
    }
}

fn of_session(before: &World, of: TaskId, event: SessionEvent) -> Arrow {
    let which = |iterator: IteratorId| match before.worker(of) {
        Some(worker) if iterator == worker.data.session.iterator => "",
        Some(worker) if iterator > worker.data.session.iterator => " (an iterator that was never ordered)",
        Some(_) | None => " (an older iterator)",
    };
    match event {
        SessionEvent::Started { iterator } => arrow(AGENT, WORKER, format!("runs{}", which(iterator))),
        SessionEvent::Answered { iterator, .. } => {
            arrow(AGENT, WORKER, format!("answers{}", which(iterator)))
        }
        SessionEvent::IteratorEnded { iterator, .. }
            if before.outside(of).running(iterator) == Some(Running::Lost) =>
        {
            remark("the iterator did not survive the crash")
        }
        SessionEvent::IteratorEnded { iterator, end } => {
            arrow(AGENT, WORKER, format!("{}{}", end_word(end), which(iterator)))
        }
        SessionEvent::StopElapsed { iterator } => {
            remark(&format!("the time to stop is over{}", which(iterator)))
        }
        SessionEvent::AbortRequested { .. } => arrow(OUTSIDE, WORKER, "aborts a prompt behind its back"),
        SessionEvent::Invoked { .. } | SessionEvent::RestartRequested | SessionEvent::CloseRequested => {
            unreachable!("{event:?} is not for the outside to tell")
        }
    }
}

fn of_turn(before: &World, of: TaskId, turn: TurnNumber) -> &'static str {
    match before.worker(of) {
        Some(worker) if turn == worker.data.turn => "",
        Some(worker) if turn > worker.data.turn => " (in a turn to come)",
        Some(_) | None => " (in an older turn)",
    }
}

fn of_prompt(before: &World, of: TaskId, prompt: PromptId) -> &'static str {
    match before.worker(of) {
        Some(worker) if prompt == worker.data.session.accepted => "",
        Some(worker) if prompt > worker.data.session.accepted => " (for a prompt to come)",
        Some(_) | None => " (for an older prompt)",
    }
}

fn sign_word(sign: Sign) -> String {
    match sign {
        Sign::Activity => "shows that it lives".to_owned(),
        Sign::ToolCalled { tool } => format!("calls tool {}", tool.0),
        Sign::Succeeded => "a call of it succeeds".to_owned(),
        Sign::Failed => "a call of it fails".to_owned(),
    }
}

fn end_word(end: IteratorEnd) -> &'static str {
    match end {
        IteratorEnd::Normal => "ends normally",
        IteratorEnd::Transient => "throws",
        IteratorEnd::Throttled => "throws: rate limit",
        IteratorEnd::Permanent => "throws for good",
    }
}

fn timer_word(timer: WorkerTimer) -> &'static str {
    match timer {
        WorkerTimer::Watch(_) => "the watch runs out",
        WorkerTimer::Backoff(_) => "the wait before the next try is over",
        WorkerTimer::Breaker(_) => "the time of the breaker is over",
        WorkerTimer::WrapUp(Deadline::First) => "half of the time to finish is over",
        WorkerTimer::WrapUp(Deadline::Last) => "the time to finish is over",
    }
}

/// What goes out, but for timers, and what belongs to the subtask.
fn orders<'a>(world: &'a World, effects: &'a [Effect], again: &'a str) -> impl Iterator<Item = Arrow> + 'a {
    let mut parts = Vec::new();
    effects.iter().filter_map(move |effect| {
        let Arrow { from, to, text } = match *effect {
            Effect::Worker { task, effect } if is_followed(world, task) => {
                of_task(task, order(effect, &mut parts)?)
            }
            Effect::Worker { task: CHILD, effect: WorkerEffect::Report { number } } => {
                arrow(OUTSIDE, OUTSIDE, format!("report {number} of the subtask goes out"))
            }
            Effect::TaskEnded { task, end } if is_followed(world, task) => {
                let ended = format!("the task has ended: {}", how_it_ended(end));
                of_task(task, arrow(WORKER, OUTSIDE, ended))
            }
            Effect::Enqueue { task: CHILD } => arrow(WORKER, OUTSIDE, "a place for the subtask"),
            Effect::Worker { .. }
            | Effect::TaskEnded { .. }
            | Effect::Enqueue { .. }
            | Effect::Dequeue { .. }
            | Effect::Initialize { .. }
            | Effect::AbortInitialization { .. }
            | Effect::Include { .. }
            | Effect::Request { .. }
            | Effect::RunTool { .. }
            | Effect::CancelTool { .. }
            | Effect::Ask { .. }
            | Effect::Withdraw { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::ReportUndelivered { .. } => return None,
        };
        Some(Arrow { from, to, text: format!("{again}{text}") })
    })
}

fn order(effect: WorkerEffect, parts: &mut Vec<WorkerPart>) -> Option<Arrow> {
    Some(match effect {
        WorkerEffect::Include { part } => {
            parts.push(part);
            return None;
        }
        WorkerEffect::Arm { .. } | WorkerEffect::Disarm { .. } => return None,
        WorkerEffect::Session(effect) => return session_order(effect, parts),
        WorkerEffect::Acknowledge { source } => {
            arrow(WORKER, OUTSIDE, format!("acknowledges {}", source_word(source)))
        }
        WorkerEffect::ReportUndelivered { source, in_doubt } => {
            let doubt = if in_doubt { ", in doubt" } else { "" };
            arrow(WORKER, OUTSIDE, format!("undelivered{doubt}: {}", source_word(source)))
        }
        WorkerEffect::AskProgress { .. } => arrow(WORKER, AGENT, "asks how far it is"),
        WorkerEffect::Ask { approval } => arrow(WORKER, PERSON, format!("question {}", approval.number)),
        WorkerEffect::Withdraw { approval } => {
            arrow(WORKER, PERSON, format!("withdraws question {}", approval.number))
        }
        WorkerEffect::Answer { approval, .. } => {
            arrow(WORKER, AGENT, format!("the answer to {}", approval.number))
        }
        WorkerEffect::Report { number } => arrow(WORKER, OUTSIDE, format!("report {number}")),
        WorkerEffect::Warn { concern } => arrow(WORKER, OUTSIDE, concern_word(concern)),
        WorkerEffect::WorkerEnded { .. } => arrow(WORKER, OUTSIDE, "the worker has ended"),
    })
}

fn session_order(effect: SessionEffect, parts: &mut Vec<WorkerPart>) -> Option<Arrow> {
    let text = match effect {
        SessionEffect::Start { .. } => "start".to_owned(),
        SessionEffect::Prompt { .. } => {
            let parts: Vec<String> = parts.drain(..).map(part_word).collect();
            format!("prompt: {}", parts.join(", "))
        }
        SessionEffect::Stop { .. } => "stop".to_owned(),
        SessionEffect::Kill { .. } => "kill".to_owned(),
        SessionEffect::Settle { .. } => "settles a prompt".to_owned(),
        SessionEffect::Closed => "is closed".to_owned(),
        SessionEffect::Arm { .. } | SessionEffect::Disarm { .. } => return None,
    };
    Some(arrow(WORKER, AGENT, text))
}

fn part_word(part: WorkerPart) -> String {
    match part {
        WorkerPart::Resumed => "resumed".to_owned(),
        WorkerPart::Prompt => "the task".to_owned(),
        WorkerPart::Source(source) => source_word(source),
    }
}

/// An entry of the inbox.
pub(super) fn source_word(source: Source) -> String {
    match source {
        Source::Message(message) => format!("message {}", message.0),
        Source::ChildReported { number, .. } => format!("report {number} of the subtask"),
        Source::ChildEnded { .. } => "the end of the subtask".to_owned(),
        Source::Inquiry => "is something left to do?".to_owned(),
        Source::WrapUp => "finish now".to_owned(),
    }
}

fn concern_word(concern: Concern) -> &'static str {
    match concern {
        Concern::Stuck => "warns: it is stuck",
        Concern::Looping => "warns: it calls one tool again and again",
        Concern::Errors => "warns: one failure follows the other",
    }
}

fn how_it_ended(end: End) -> &'static str {
    match end {
        End::Completed => "completed",
        End::Failed(_) => "failed",
        End::Cancelled => "cancelled",
    }
}
