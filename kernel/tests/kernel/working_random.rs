//! Random lives of trees in which some tasks are run by workers: tasks, workers and sessions together.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an order or an event that is left out here is one that nothing is asked of"
)]

use crate::orders::Orders;
use downbeat_kernel::{
    Answer, Approval, ApprovalId, Attempt, Call, Config, Discard, Effect, End, Event, IteratorEnd,
    IteratorId, Kernel, MessageId, Outcome, PromptId, RequestId, Response, SessionEffect, SessionEvent, Sign,
    Source, TaskId, TaskState, Then, ToolEnd, ToolId, TurnNumber, WorkerEffect, WorkerEvent, WorkerPart,
    WorkerTimer,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Bounds that random events reach.
fn config() -> Config {
    Config {
        tasks_max: 6,
        depth_max: 2,
        inbox_max: 3,
        calls_max: 3,
        attempts_max: 3,
        worker_attempts_max: 4,
        breaker_max: 2,
        loop_max: 2,
        errors_max: 2,
        progress_max: 2,
        ..Config::default()
    }
}

type Choices = [u8; 4];

/// Everything outside of the kernel, and what has to be true of it.
#[derive(Default)]
struct Outside {
    orders: Orders,
    /// What the workers wait for, by task.
    workers: Vec<(TaskId, WorkerEffect)>,
    iterators: BTreeMap<TaskId, IteratorId>,
    /// What has been accepted for a worker and neither acknowledged nor reported.
    owed: BTreeSet<(TaskId, Source)>,
    ends: BTreeMap<TaskId, End>,
    /// Subtasks by the task whose worker asked for them, until their ends were told.
    families: BTreeMap<TaskId, TaskId>,
}

impl Outside {
    /// What an applied event and its effects mean.
    fn note(&mut self, kernel: &Kernel, event: &Event, effects: &[Effect]) -> Result<(), TestCaseError> {
        self.orders.note(event, effects);
        self.note_event(event);
        for effect in effects {
            match *effect {
                Effect::Worker { task, effect } => self.note_worker(task, effect)?,
                Effect::TaskEnded { task, end } => {
                    prop_assert_eq!(self.ends.insert(task, end), None, "S7: {:?} ended twice", task);
                    self.workers.retain(|(of, _)| *of != task);
                    prop_assert!(
                        !self.iterators.contains_key(&task),
                        "S9: an iterator of {:?} lives on",
                        task
                    );
                    prop_assert!(!self.owed.iter().any(|(of, _)| *of == task), "S5: {:?}", self.owed);
                    self.settle_parent(kernel, task);
                }
                Effect::Send { request } => {
                    let runs = self.workers.iter().any(|(task, _)| *task == request.task);
                    prop_assert!(!runs, "S1: a request beside the worker of {:?}", request.task);
                }
                Effect::Enqueue { .. }
                | Effect::Dequeue { .. }
                | Effect::Initialize { .. }
                | Effect::AbortInitialization { .. }
                | Effect::Include { .. }
                | Effect::CancelRequest { .. }
                | Effect::RunTool { .. }
                | Effect::CancelTool { .. }
                | Effect::Ask { .. }
                | Effect::Withdraw { .. }
                | Effect::Arm { .. }
                | Effect::Disarm { .. }
                | Effect::ReportUndelivered { .. } => {}
            }
        }
        Ok(())
    }

    /// The end of a subtask is for its parent's worker, unless the parent has ended or is cancelled.
    fn settle_parent(&mut self, kernel: &Kernel, child: TaskId) {
        if let Some(parent) = self.families.remove(&child)
            && kernel.task(parent).is_some_and(|parent| parent.state == TaskState::Working)
        {
            self.owed.insert((parent, Source::ChildEnded { child }));
        }
    }

    fn note_event(&mut self, event: &Event) {
        match *event {
            Event::SubtaskRequested { task, child } => {
                self.families.insert(child, task);
            }
            Event::Worker { task, event: WorkerEvent::Session(SessionEvent::IteratorEnded { .. }) } => {
                self.iterators.remove(&task);
            }
            _ => {}
        }
        let Event::Worker { task, event } = *event else { return };
        self.workers.retain(|(of, order)| *of != task || !answers(event, *order));
    }

    fn note_worker(&mut self, task: TaskId, effect: WorkerEffect) -> Result<(), TestCaseError> {
        match effect {
            WorkerEffect::Session(SessionEffect::Start { iterator }) => {
                prop_assert_eq!(
                    self.iterators.insert(task, iterator),
                    None,
                    "S10: {:?} has two iterators",
                    task
                );
            }
            // What the iterator was to do is void.
            WorkerEffect::Session(SessionEffect::Stop { .. }) => {
                self.workers.retain(|(of, order)| *of != task || !matches!(order, WorkerEffect::Session(_)));
            }
            WorkerEffect::Session(SessionEffect::Kill { .. }) => {
                self.iterators.remove(&task);
                self.workers.retain(|(of, order)| *of != task || !matches!(order, WorkerEffect::Session(_)));
                return Ok(());
            }
            WorkerEffect::Acknowledge { source } | WorkerEffect::ReportUndelivered { source, .. } => {
                self.owed.remove(&(task, source));
                return Ok(());
            }
            WorkerEffect::Disarm { timer } => {
                let armed = |order: &WorkerEffect| matches!(order, WorkerEffect::Arm { timer: of, .. } if *of == timer);
                self.workers.retain(|(of, order)| *of != task || !armed(order));
                return Ok(());
            }
            WorkerEffect::Withdraw { approval } => {
                self.workers.retain(|order| *order != (task, WorkerEffect::Ask { approval }));
                return Ok(());
            }
            WorkerEffect::Include {
                part: WorkerPart::Source(_) | WorkerPart::Resumed | WorkerPart::Prompt,
            }
            | WorkerEffect::Session(SessionEffect::Disarm { .. })
            | WorkerEffect::AskProgress { .. }
            | WorkerEffect::Answer { .. }
            | WorkerEffect::Warn { .. } => return Ok(()),
            WorkerEffect::WorkerEnded { .. } => {
                return Err(TestCaseError::fail("the end of a worker is that of its task"));
            }
            WorkerEffect::Session(_)
            | WorkerEffect::Ask { .. }
            | WorkerEffect::Report { .. }
            | WorkerEffect::Arm { .. } => {}
        }
        self.workers.push((task, effect));
        Ok(())
    }
}

/// Whether the order has its answer by this event.
fn answers(event: WorkerEvent, order: WorkerEffect) -> bool {
    match (event, order) {
        (
            WorkerEvent::Session(SessionEvent::Started { .. }),
            WorkerEffect::Session(SessionEffect::Start { .. }),
        )
        | (
            WorkerEvent::Session(SessionEvent::Answered { .. }),
            WorkerEffect::Session(SessionEffect::Prompt { .. }),
        )
        | (WorkerEvent::Session(SessionEvent::IteratorEnded { .. }), WorkerEffect::Session(_)) => true,
        (WorkerEvent::TimerFired { timer }, WorkerEffect::Arm { timer: armed, .. }) => timer == armed,
        (WorkerEvent::AnswerReceived { approval, .. }, WorkerEffect::Ask { approval: asked }) => {
            approval == asked
        }
        (WorkerEvent::ReportAcknowledged { number }, WorkerEffect::Report { number: reported }) => {
            reported <= number
        }
        _ => false,
    }
}

/// A good answer to an order of a worker for the lower two thirds of `a`.
fn worker_answer(order: WorkerEffect, a: u8) -> Option<WorkerEvent> {
    let end = [IteratorEnd::Transient, IteratorEnd::Normal, IteratorEnd::Throttled, IteratorEnd::Permanent];
    let ended = |iterator| {
        let end = end[usize::from(a / 8) % 4];
        Some(WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end }))
    };
    match order {
        WorkerEffect::Session(SessionEffect::Start { iterator }) if a < 170 => {
            Some(WorkerEvent::Session(SessionEvent::Started { iterator }))
        }
        WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt }) if a < 170 => {
            Some(WorkerEvent::Session(SessionEvent::Answered { iterator, prompt }))
        }
        WorkerEffect::Session(SessionEffect::Arm { iterator, .. }) => {
            Some(WorkerEvent::Session(SessionEvent::StopElapsed { iterator }))
        }
        WorkerEffect::Session(
            SessionEffect::Start { iterator }
            | SessionEffect::Prompt { iterator, .. }
            | SessionEffect::Stop { iterator },
        ) => ended(iterator),
        WorkerEffect::Ask { approval } => {
            Some(WorkerEvent::AnswerReceived { approval, answer: Answer::Approved })
        }
        WorkerEffect::Report { number } => Some(WorkerEvent::ReportAcknowledged { number }),
        WorkerEffect::Arm { timer, .. } => Some(WorkerEvent::TimerFired { timer }),
        _ => None,
    }
}

/// An answer to an order of a task.
fn task_answer(kernel: &Kernel, order: Effect, a: u8) -> Option<Event> {
    let fresh = TaskId(kernel.highest().map_or(0, |task| task.0) + 1);
    Some(match order {
        Effect::Enqueue { task } => Event::Admitted { task },
        Effect::Initialize { task } if a < 160 => Event::Deployed { task },
        Effect::AbortInitialization { task } if a < 100 => Event::Deployed { task },
        Effect::Initialize { task } | Effect::AbortInitialization { task } => Event::Initialized { task },
        Effect::Send { request } => {
            let calls = [
                Call::Subtask { child: fresh },
                Call::Tool(Approval::Granted),
                Call::Completion(Approval::Granted),
            ];
            let response = Response::Calls(vec![calls[usize::from(a) % 3]]);
            Event::ResponseEnded { request, response, jitter_ms: 0 }
        }
        Effect::CancelRequest { request } => Event::RequestCancelled { request },
        Effect::RunTool { call } | Effect::CancelTool { call } => {
            Event::ToolEnded { call, end: ToolEnd::Succeeded }
        }
        Effect::Arm { timer, .. } => Event::TimerFired { timer },
        Effect::TaskEnded { task, .. } => Event::EndAcknowledged { task },
        _ => return None,
    })
}

/// Half of the events answer an order; the others come from people and agents, or carry any identity.
fn event(kernel: &Kernel, outside: &Outside, [which, place, a, b]: Choices) -> Event {
    let highest = kernel.highest().map_or(0, |task| task.0);
    let answerable: Vec<Event> = outside
        .workers
        .iter()
        .filter_map(|(task, order)| {
            worker_answer(*order, a).map(|event| Event::Worker { task: *task, event })
        })
        .chain(outside.orders.iter().filter_map(|order| task_answer(kernel, *order, a)))
        .collect();
    if which < 130
        && let Some(event) = answerable.get(usize::from(place) % answerable.len().max(1))
    {
        return event.clone();
    }
    let task = TaskId((highest + 1).saturating_sub(u64::from(place) % 7));
    let worker = kernel.task(task).and_then(|task| task.data.worker.as_deref());
    let data = worker.map(|worker| worker.data.clone()).unwrap_or_default();
    let near = |number: u32| (number + u32::from(b) % 3).saturating_sub(1);
    let turn = TurnNumber(near(data.turn.0));
    let iterator = IteratorId(near(data.session.iterator.0));
    let prompt = PromptId(near(data.session.accepted.0));
    let told = |event| Event::Worker { task, event };
    match which {
        ..142 => Event::TaskSubmitted { task: TaskId(highest + 1) },
        142..160 => Event::MessageReceived { task, message: MessageId(near(data.accepted.0 + 1)) },
        160..176 => Event::SubtaskRequested { task, child: TaskId(highest + u64::from(b) % 3) },
        176..184 => told(WorkerEvent::Reported { number: near(data.reported + 1) }),
        184..192 => told(WorkerEvent::InterruptRequested {
            turn,
            then: if a % 2 == 0 { Then::Resume } else { Then::Hold },
        }),
        192..197 => Event::PauseRequested { task },
        197..210 => Event::ResumeRequested { task },
        210..215 => told(WorkerEvent::ApprovalRequested {
            approval: ApprovalId { turn, number: near(data.approvals.asked + 1) },
        }),
        215..225 => {
            let sign =
                [Sign::Activity, Sign::Failed, Sign::ToolCalled { tool: ToolId(1) }][usize::from(a) % 3];
            told(WorkerEvent::Observed { turn, sign })
        }
        225..229 => told(WorkerEvent::WrapUpRequested),
        229..233 => told(WorkerEvent::CompleteRequested),
        233..235 => Event::CancelRequested { task },
        235..239 => told(WorkerEvent::Session(SessionEvent::Answered { iterator, prompt })),
        239..243 => {
            told(WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Normal }))
        }
        243..246 => told(WorkerEvent::Session(SessionEvent::StopElapsed { iterator })),
        246..249 => told(WorkerEvent::KillRequested),
        249..252 => told(WorkerEvent::TimerFired { timer: WorkerTimer::Backoff(prompt) }),
        252.. => {
            let request = RequestId { task, turn, attempt: Attempt(0) };
            Event::ResponseEnded { request, response: Response::Text, jitter_ms: 0 }
        }
    }
}

/// One event, with everything that must be true after it.
fn step(kernel: &mut Kernel, outside: &mut Outside, event: &Event) -> Result<Outcome, TestCaseError> {
    let before = kernel.clone();
    let mut effects = Vec::new();
    let outcome = kernel.step(event.clone(), &mut effects);
    prop_assert_eq!(kernel.validate(), Ok(()), "after {:?}", event);
    if outcome != Outcome::Applied {
        prop_assert_eq!((&before, &effects[..]), (&*kernel, &[][..]), "S25: {:?}", event);
        return Ok(outcome);
    }
    if let Event::MessageReceived { task, message } = *event
        && before.task(task).is_some_and(|task| task.state == TaskState::Working)
    {
        outside.owed.insert((task, Source::Message(message)));
    }
    outside.note(kernel, event, &effects)?;
    // A worker that has ended waits for nothing: the acknowledgement of the end covers its reports.
    outside.workers.retain(|(task, _)| {
        let worker = kernel.task(*task).and_then(|task| task.data.worker.as_deref());
        worker.is_some_and(|worker| worker.state.end().is_none())
    });
    Ok(outcome)
}

/// Cancels everything and answers whatever is asked: all of it has to end (L2).
fn cancel_everything(mut kernel: Kernel, mut outside: Outside) -> Result<(), TestCaseError> {
    for task in kernel.tasks().map(|task| task.id).collect::<Vec<_>>() {
        let _ = step(&mut kernel, &mut outside, &Event::CancelRequested { task })?;
    }
    for _ in 0..1_000 {
        let of_worker = outside.workers.iter().find_map(|(task, order)| {
            worker_answer(*order, 0).map(|event| Event::Worker { task: *task, event })
        });
        let of_task = || outside.orders.iter().find_map(|order| task_answer(&kernel, *order, 0));
        let Some(event) = of_worker.or_else(of_task) else { break };
        let outcome = step(&mut kernel, &mut outside, &event)?;
        prop_assert_eq!(outcome, Outcome::Applied, "{:?}", event);
    }
    prop_assert_eq!(kernel.tasks().count(), 0, "L2: {:?}", outside.workers);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees_with_workers_keep_every_promise(choices in vec(any::<Choices>(), 20..250)) {
        let (mut kernel, mut outside) = (Kernel::new(config()), Outside::default());
        let mut journal = Vec::new();
        for choices in choices {
            let event = event(&kernel, &outside, choices);
            if step(&mut kernel, &mut outside, &event)? == Outcome::Applied {
                journal.push(event);
            }
        }
        let mut replayed = Kernel::new(config());
        for event in journal {
            prop_assert_eq!(replayed.step(event, &mut Discard), Outcome::Applied);
        }
        prop_assert_eq!(&replayed, &kernel);
        cancel_everything(kernel, outside)?;
    }
}
