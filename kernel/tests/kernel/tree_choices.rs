//! What happens next in a random life of a tree of workers.

#![expect(clippy::wildcard_enum_match_arm, reason = "an order that is left out here has no answer")]

use crate::pots::{some_bill, some_budget, word_about_more};
use crate::tree::Tree;
use downbeat_kernel::{
    Answer, Approval, ApprovalId, Attempt, Call, CheckNumber, Deadline, Effect, Event, IteratorEnd,
    IteratorId, Kernel, MessageId, PromptId, RequestEffect, RequestEvent, RequestId, Response, SessionEffect,
    SessionEvent, Sign, TaskId, Then, ToolEnd, ToolId, TurnNumber, WatchNumber, WorkerData, WorkerEffect,
    WorkerEvent, WorkerTimer,
};

/// What one step is made from: each choice picks among what makes sense at its place.
pub(crate) type Choices = [u8; 4];

/// Something that happens to a tree.
pub(crate) enum Happening {
    /// The kernel is told something.
    Told(Event),
    /// The process crashes when so many effects of the last step went out.
    Crash { released: usize },
}

/// Half of it answers an order; the rest comes from people and agents, or carries any identity.
pub(crate) fn happening(tree: &Tree, choices: Choices) -> Happening {
    let [which, place, a, _] = choices;
    if which >= 253 {
        return Happening::Crash { released: usize::from(place) % 8 };
    }
    let answers = answers(tree, a);
    let answer = answers.get(usize::from(place) % answers.len().max(1));
    Happening::Told(match answer {
        Some(answer) if which < 110 => answer.clone(),
        Some(_) | None => unasked(&tree.kernel, choices),
    })
}

/// An answer to each order that has one: good ones for the lower two thirds of `a`. Whatever a crash took has ended.
pub(crate) fn answers(tree: &Tree, a: u8) -> Vec<Event> {
    let lost = tree.lost.iter().map(|(task, iterator)| (*task, ended(*iterator, 0)));
    let live = tree.seats.iter().filter(|(_, seat)| seat.worker.state.end().is_none());
    let of_workers = live.flat_map(|(task, seat)| {
        let is_lost = |iterator: &IteratorId| tree.lost.contains(&(*task, *iterator));
        let orders =
            seat.ledger.orders.iter().filter(move |order| !iterator(**order).is_some_and(|i| is_lost(&i)));
        let check = seat.ledger.check.map(|check| WorkerEvent::ProgressReported { check });
        let answers = orders.filter_map(move |order| of_worker(*order, a)).chain(check);
        answers.map(|event| (*task, event))
    });
    let of_workers = lost.chain(of_workers).map(|(task, event)| Event::Worker { task, event });
    let of_tasks = tree.orders.iter().filter_map(|order| of_task(&tree.kernel, *order, a));
    of_workers.chain(of_tasks).collect()
}

/// The iterator that an order is for, if only that can answer.
fn iterator(order: WorkerEffect) -> Option<IteratorId> {
    match order {
        WorkerEffect::Session(
            SessionEffect::Start { iterator }
            | SessionEffect::Prompt { iterator, .. }
            | SessionEffect::Stop { iterator },
        ) => Some(iterator),
        _ => None,
    }
}

fn ended(iterator: IteratorId, a: u8) -> WorkerEvent {
    let end = match a % 10 {
        9 => IteratorEnd::Permanent,
        7 | 8 => IteratorEnd::Normal,
        4..=6 => IteratorEnd::Throttled,
        _ => IteratorEnd::Transient,
    };
    WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end })
}

fn of_worker(order: WorkerEffect, a: u8) -> Option<WorkerEvent> {
    Some(match order {
        WorkerEffect::Session(SessionEffect::Start { iterator }) if a < 170 => {
            WorkerEvent::Session(SessionEvent::Started { iterator })
        }
        WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt }) if a < 170 => {
            WorkerEvent::Session(SessionEvent::Answered { iterator, prompt })
        }
        WorkerEffect::Session(SessionEffect::Arm { iterator, .. }) => {
            WorkerEvent::Session(SessionEvent::StopElapsed { iterator })
        }
        WorkerEffect::Session(
            SessionEffect::Start { iterator }
            | SessionEffect::Prompt { iterator, .. }
            | SessionEffect::Stop { iterator },
        ) => ended(iterator, a),
        WorkerEffect::Ask { approval } => WorkerEvent::AnswerReceived { approval, answer: Answer::Approved },
        WorkerEffect::Report { number } => WorkerEvent::ReportAcknowledged { number },
        WorkerEffect::Arm { timer, .. } => WorkerEvent::TimerFired { timer },
        _ => return None,
    })
}

fn of_task(kernel: &Kernel, order: Effect, a: u8) -> Option<Event> {
    if let Some(word) = word_about_more(&order, a) {
        return Some(word);
    }
    let fresh = TaskId(kernel.highest().map_or(0, |task| task.0) + 1);
    Some(match order {
        Effect::Enqueue { task } => Event::Admitted { task },
        Effect::Initialize { task } if a < 180 => Event::Deployed { task },
        Effect::Initialize { task } if a < 190 => Event::InitializationFailed { task },
        Effect::AbortInitialization { task } if a < 100 => Event::Deployed { task },
        Effect::Initialize { task } | Effect::AbortInitialization { task } => Event::Initialized { task },
        Effect::Request { task, turn, effect } => return of_request(task, turn, effect, fresh, a),
        Effect::RunTool { call } | Effect::CancelTool { call } => {
            Event::ToolEnded { call, end: ToolEnd::Succeeded }
        }
        Effect::Arm { timer, .. } => Event::TimerFired { timer },
        Effect::TaskEnded { task, .. } => Event::EndAcknowledged { task },
        _ => return None,
    })
}

fn of_request(task: TaskId, turn: TurnNumber, order: RequestEffect, fresh: TaskId, a: u8) -> Option<Event> {
    let event = match order {
        RequestEffect::Send { attempt, .. } | RequestEffect::Recover { attempt } => {
            let calls = [
                Call::Subtask { child: fresh },
                Call::Tool(Approval::Granted),
                Call::Completion(Approval::Granted),
            ];
            let response = Response::Calls(vec![calls[usize::from(a) % 3]]);
            let request = RequestId { task, turn, attempt };
            return Some(Event::ResponseEnded { request, response, jitter_ms: 0 });
        }
        RequestEffect::Stop { attempt } => RequestEvent::Stopped { attempt },
        RequestEffect::Arm { timer, .. } => RequestEvent::TimerFired { timer },
        _ => return None,
    };
    Some(Event::Request { task, turn, event })
}

/// What nobody was asked for, of a task that there is, or now and then of one that there is not.
fn unasked(kernel: &Kernel, [which, place, a, b]: Choices) -> Event {
    let highest = kernel.highest().map_or(0, |task| task.0);
    let tasks: Vec<TaskId> = kernel.tasks().map(|task| task.id).collect();
    let task = tasks.get(usize::from(place) % (tasks.len() + 1)).copied().unwrap_or(TaskId(highest + 1));
    let worker = kernel.task(task).and_then(|task| task.data.worker.as_deref());
    let data = worker.map(|worker| worker.data.clone()).unwrap_or_default();
    let near = |number: u32| (number + u32::from(b) % 3).saturating_sub(1);
    match which {
        ..116 => Event::TaskSubmitted { task: TaskId(highest + 1), budget: some_budget(b) },
        116..123 => some_bill(kernel, task, [a, b]),
        123..134 => Event::MessageReceived { task, message: MessageId(near(data.accepted.0 + 1)) },
        134..148 => Event::SubtaskRequested { task, child: TaskId(highest + u64::from(b) % 3) },
        148..154 => Event::PauseRequested { task },
        154..168 => Event::ResumeRequested { task },
        168..170 => Event::CancelRequested { task },
        170..172 => {
            let request = RequestId { task, turn: TurnNumber(near(data.turn.0)), attempt: Attempt(0) };
            Event::ResponseEnded { request, response: Response::Text, jitter_ms: 0 }
        }
        172.. => Event::Worker { task, event: of_agent(&data, [which, place, a, b]) },
    }
}

/// What somebody says of the worker of a task.
fn of_agent(data: &WorkerData, [which, place, a, b]: Choices) -> WorkerEvent {
    // Mostly the next number, now and then the last one or one too far.
    let near = |number: u32| (number + [1, 1, 1, 0, 2][usize::from(b) % 5]).saturating_sub(1);
    let turn = TurnNumber(if a < 200 { data.turn.0 } else { near(data.turn.0) });
    let said = PromptId(if a < 200 { data.session.accepted.0 } else { near(data.session.accepted.0) });
    let iterator = IteratorId(near(data.session.iterator.0));
    let prompt = PromptId(near(data.session.accepted.0));
    match which {
        ..182 => WorkerEvent::Reported { number: near(data.reported + 1) },
        182..189 => {
            WorkerEvent::InterruptRequested { turn, then: if a % 2 == 0 { Then::Resume } else { Then::Hold } }
        }
        189..198 => {
            let number = near(data.approvals.asked + 1);
            WorkerEvent::ApprovalRequested { approval: ApprovalId { prompt: said, number } }
        }
        198..202 => {
            let approval = ApprovalId { prompt: said, number: near(data.approvals.asked) };
            WorkerEvent::AnswerReceived { approval, answer: Answer::Denied }
        }
        202..228 => WorkerEvent::Observed { prompt: said, sign: sign(a, place) },
        228..230 => WorkerEvent::WrapUpRequested,
        230..233 => WorkerEvent::CompleteRequested,
        233..236 => WorkerEvent::Session(SessionEvent::Answered { iterator, prompt }),
        236..239 => ended(iterator, a),
        239..241 => WorkerEvent::Session(SessionEvent::StopElapsed { iterator }),
        241..243 => WorkerEvent::ProgressReported { check: CheckNumber(near(data.health.asked.0)) },
        243..247 => timer(near(data.health.watch.0), prompt, a),
        247..249 => WorkerEvent::ReportAcknowledged { number: near(data.reported + 1) },
        249.. => of_kernel(data, a),
    }
}

fn sign(kind: u8, tool: u8) -> Sign {
    match kind % 5 {
        0 => Sign::Activity,
        1 => Sign::Succeeded,
        2 => Sign::Failed,
        _ => Sign::ToolCalled { tool: ToolId(u32::from(tool / 64) % 2) },
    }
}

fn timer(watch: u32, prompt: PromptId, a: u8) -> WorkerEvent {
    let timers = [
        WorkerTimer::Watch(WatchNumber(watch)),
        WorkerTimer::Backoff(prompt),
        WorkerTimer::Breaker(prompt),
        WorkerTimer::WrapUp(Deadline::First),
        WorkerTimer::WrapUp(Deadline::Last),
    ];
    WorkerEvent::TimerFired { timer: timers[usize::from(a) % timers.len()] }
}

/// What only the kernel may tell a worker.
fn of_kernel(data: &WorkerData, a: u8) -> WorkerEvent {
    let child = TaskId(u64::from(a) % 5);
    [
        WorkerEvent::Assigned,
        WorkerEvent::MessageReceived { message: MessageId(data.accepted.0 + 1) },
        WorkerEvent::ChildReported { child, number: 1 },
        WorkerEvent::ChildEnded { child },
        WorkerEvent::PauseRequested,
        WorkerEvent::ResumeRequested,
        WorkerEvent::BudgetSpent,
        WorkerEvent::BudgetGranted,
        WorkerEvent::KillRequested,
        WorkerEvent::EndAcknowledged,
    ][usize::from(a) % 10]
}
