//! Random lives of several tasks at once, and random damage to what is stored.

use crate::orders::Orders;
use crate::pots::{Pots, some_bill, some_budget, word_about_more};
use downbeat_kernel::{
    Answer, Approval, Attempt, Call, CallId, Config, Discard, Effect, Event, Generation, GrantNumber, Kernel,
    MessageId, Outcome, ProfileId, QuestionId, RequestEffect, RequestEvent, RequestId, RequestTimer,
    Response, SendFailure, TaskId, Timer, ToolEnd, TurnNumber,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// Bounds that random events reach.
fn config() -> Config {
    Config {
        tasks_max: 6,
        depth_max: 2,
        messages_max: 2,
        calls_max: 3,
        attempts_max: 3,
        mistakes_max: 2,
        profiles: 2,
        profiles_keyed: 2,
        profiles_continuing: 3,
        ..Config::default()
    }
}

/// What one event is made from: each choice picks among what makes sense at its place.
type Choices = [u8; 5];

/// Half of the events answer an order that is outstanding; the others come from people, or carry any identity.
fn event(kernel: &Kernel, orders: &Orders, choices: Choices) -> Event {
    let [which, place, a, b, c] = choices;
    if which < 128 {
        let answerable: Vec<&Effect> = orders.iter().filter(|order| !is_part(order)).collect();
        if let Some(order) = answerable.get(usize::from(place) % answerable.len().max(1)) {
            return answer(kernel, order, a, b, c);
        }
    }
    let highest = kernel.highest().map_or(0, |task| task.0);
    // Recent tasks, and one that never was.
    let task = TaskId(highest.saturating_add(1).saturating_sub(u64::from(place) % 7));
    let data = kernel.task(task).map(|task| task.data.clone());
    let near = |number: u32| number.saturating_add(u32::from(a) % 3).saturating_sub(1);
    let turn = TurnNumber(near(data.as_ref().map_or(0, |data| data.turn.0)));
    let request = RequestId { task, turn, attempt: Attempt(u16::from(b) % 3) };
    match which {
        128..=145 => Event::TaskSubmitted {
            task: TaskId(highest.saturating_add(u64::from(a) % 3)),
            budget: some_budget(b),
        },
        146..=152 => some_bill(kernel, root_of(kernel, task, a), [b, c]),
        153..=170 => {
            let next = data.as_ref().map_or(0, |data| data.accepted.0).saturating_add(1);
            Event::MessageReceived { task, message: MessageId(near(next)) }
        }
        171..=180 => Event::PauseRequested { task },
        181..=195 => Event::ResumeRequested { task },
        196..=203 => Event::CancelRequested { task },
        204..=207 => Event::EndAcknowledged { task },
        208..=215 => Event::ResponseEnded { request, response: response(kernel, b, c), jitter_ms: 0 },
        216..=225 => told(request, stray(request.attempt, a, c)),
        226..=232 => {
            let turn = TurnNumber(near(data.as_ref().map_or(0, |data| data.replied.0)));
            Event::ToolEnded { call: CallId { task, turn, index: u16::from(b) % 4 }, end: tool_end(c) }
        }
        233..=240 => {
            let number = near(data.as_ref().map_or(0, |data| data.questions));
            Event::AnswerReceived { question: QuestionId { task, number }, answer: said(c) }
        }
        241..=243 => {
            told(request, RequestEvent::TimerFired { timer: RequestTimer::Backoff(request.attempt) })
        }
        244 => Event::ProfileDown { profile: ProfileId(a % 3) },
        245 => Event::ProfileUp { profile: ProfileId(a % 3) },
        246..=247 => Event::TimerFired { timer: Timer::Grace(task) },
        248..=249 => {
            let grant = GrantNumber(u32::from(a) % 4);
            Event::TimerFired { timer: Timer::Budget { task, grant } }
        }
        250..=251 => Event::Admitted { task },
        252..=253 => Event::Initialized { task },
        _ => Event::InitializationFailed { task },
    }
}

/// Bills name a root, but for one in eight.
fn root_of(kernel: &Kernel, task: TaskId, choice: u8) -> TaskId {
    match kernel.task(task).and_then(|task| task.data.parent) {
        Some(parent) if !choice.is_multiple_of(8) => root_of(kernel, parent, choice),
        Some(_) | None => task,
    }
}

/// Parts and reports have no answer of their own.
fn is_part(order: &Effect) -> bool {
    matches!(order, Effect::Include { .. } | Effect::ReportUndelivered { .. })
}

fn answer(kernel: &Kernel, order: &Effect, a: u8, b: u8, c: u8) -> Event {
    if let Some(word) = word_about_more(order, a) {
        return word;
    }
    match *order {
        Effect::Enqueue { task } => Event::Admitted { task },
        Effect::Initialize { task } | Effect::AbortInitialization { task } if a < 25 => {
            Event::InitializationFailed { task }
        }
        Effect::Initialize { task } | Effect::AbortInitialization { task } => Event::Initialized { task },
        Effect::Request { task, turn, effect } => {
            let request = |attempt| RequestId { task, turn, attempt };
            match effect {
                RequestEffect::GetCredential { attempt, newer_than, .. } => {
                    let generation = Generation(newer_than.0.saturating_add(1));
                    let given = RequestEvent::CredentialGiven { attempt, generation };
                    let failed = RequestEvent::CredentialFailed { attempt };
                    told(request(attempt), if a < 240 { given } else { failed })
                }
                RequestEffect::Send { attempt, .. } | RequestEffect::Recover { attempt } if a < 130 => {
                    let (request, response) = (request(attempt), response(kernel, b, c));
                    Event::ResponseEnded { request, response, jitter_ms: u32::from(c) }
                }
                RequestEffect::Stop { attempt } if a < 60 => {
                    let response = response(kernel, b, c);
                    Event::ResponseEnded { request: request(attempt), response, jitter_ms: 0 }
                }
                RequestEffect::Send { attempt, .. } | RequestEffect::Recover { attempt } if a < 160 => {
                    told(request(attempt), RequestEvent::OutputDelivered { attempt })
                }
                RequestEffect::Send { attempt, .. } | RequestEffect::Recover { attempt } => {
                    let jitter_ms = u32::from(c);
                    told(
                        request(attempt),
                        RequestEvent::SendFailed { attempt, failure: failure(b), jitter_ms },
                    )
                }
                RequestEffect::Stop { attempt } => told(request(attempt), RequestEvent::Stopped { attempt }),
                RequestEffect::Arm { timer, .. } | RequestEffect::Disarm { timer } => {
                    told(request(Attempt(0)), RequestEvent::TimerFired { timer })
                }
                RequestEffect::Fence { attempt } | RequestEffect::Charge { attempt, .. } => {
                    told(request(attempt), RequestEvent::UsageReported { attempt })
                }
                RequestEffect::Ended { .. } => Event::EndAcknowledged { task },
            }
        }
        Effect::RunTool { call } | Effect::CancelTool { call } => Event::ToolEnded { call, end: tool_end(a) },
        Effect::Ask { question, .. } => Event::AnswerReceived { question, answer: said(a) },
        Effect::Arm { timer, .. } | Effect::Disarm { timer } => Event::TimerFired { timer },
        Effect::TaskEnded { task, .. }
        | Effect::Dequeue { task }
        | Effect::Worker { task, .. }
        | Effect::Include { task, .. }
        | Effect::ReportUndelivered { task, .. } => Event::EndAcknowledged { task },
        Effect::Withdraw { question } => Event::AnswerReceived { question, answer: said(a) },
    }
}

fn told(request: RequestId, event: RequestEvent) -> Event {
    Event::Request { task: request.task, turn: request.turn, event }
}

/// What nobody may have asked for.
fn stray(attempt: Attempt, which: u8, choice: u8) -> RequestEvent {
    match which % 8 {
        0 => RequestEvent::Stopped { attempt },
        1 => RequestEvent::UsageReported { attempt },
        2 => RequestEvent::OutputDelivered { attempt },
        3 => RequestEvent::CredentialGiven { attempt, generation: Generation(u32::from(choice) % 3) },
        4 => RequestEvent::TimerFired { timer: RequestTimer::Grace(attempt) },
        5 => RequestEvent::CancelRequested,
        _ => RequestEvent::SendFailed { attempt, failure: failure(choice), jitter_ms: 0 },
    }
}

fn response(kernel: &Kernel, shape: u8, kinds: u8) -> Response {
    let fresh = kernel.highest().map_or(0, |task| task.0).saturating_add(1);
    let call = |index: u8| match (kinds >> (2 * index)) % 4 {
        0 => Call::Tool(if shape.is_multiple_of(2) { Approval::Granted } else { Approval::Required }),
        1 => Call::Question,
        // Now and then an id that is not fresh.
        2 => Call::Subtask { child: TaskId(fresh.saturating_add(u64::from(index)) - u64::from(shape == 77)) },
        _ => Call::Completion(if kinds < 128 { Approval::Granted } else { Approval::Required }),
    };
    match shape % 8 {
        0 => Response::Text,
        1 => Response::Empty,
        2 | 3 => Response::Calls(vec![call(0)]),
        4 | 5 => Response::Calls((0..2).map(call).collect()),
        6 => Response::Calls((0..3).map(call).collect()),
        _ => Response::Calls((0..shape % 5).map(|index| call(index % 4)).collect()),
    }
}

fn failure(choice: u8) -> SendFailure {
    match choice % 8 {
        0 => SendFailure::Throttled { retry_after_ms: Some(u32::from(choice)) },
        1 => SendFailure::Throttled { retry_after_ms: None },
        2 => SendFailure::Interrupted,
        4 => SendFailure::Unauthorized,
        5 => SendFailure::ContinuityLost,
        3 if choice > 200 => SendFailure::Invalid,
        _ => SendFailure::Transient,
    }
}

fn tool_end(choice: u8) -> ToolEnd {
    [ToolEnd::Succeeded, ToolEnd::Failed, ToolEnd::Cancelled][usize::from(choice) % 3]
}

fn said(choice: u8) -> Answer {
    [Answer::Approved, Answer::Denied, Answer::Text][usize::from(choice) % 3]
}

/// One random life, with everything that must be true after each of its events.
fn live_through(choices: &[Choices]) -> Result<(Kernel, Orders), TestCaseError> {
    let mut kernel = Kernel::new(config());
    let (mut orders, mut pots) = (Orders::default(), Pots::default());
    let mut journal = Vec::new();
    for choices in choices {
        let event = event(&kernel, &orders, *choices);
        let before = kernel.clone();
        let mut effects = Vec::new();
        if kernel.step(event.clone(), &mut effects) == Outcome::Applied {
            orders.note(&event, &effects);
            pots.judge(&before, &event, &kernel);
            journal.push(event.clone());
        } else {
            prop_assert_eq!(&kernel, &before, "S25: {:?}", event);
            prop_assert_eq!(&effects, &[], "S25: {:?}", event);
        }
        prop_assert_eq!(kernel.validate(), Ok(()), "after {:?}", event);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        kernel.resync(&mut first);
        kernel.resync(&mut second);
        prop_assert_eq!(&first, &second);
        first.sort_unstable();
        prop_assert_eq!(first, orders.sorted(), "after {:?}", event);
        one_request_each(&orders)?;
    }
    let mut replayed = Kernel::new(config());
    for event in journal {
        prop_assert_eq!(replayed.step(event, &mut Discard), Outcome::Applied);
    }
    prop_assert_eq!(&replayed, &kernel);
    Ok((kernel, orders))
}

/// S1: no task has two requests out, nor one that it asks for and one that it stops.
fn one_request_each(orders: &Orders) -> Result<(), TestCaseError> {
    let mut asking: Vec<TaskId> = Vec::new();
    for order in orders.iter() {
        if let Effect::Request { task, effect, .. } = order
            && matches!(effect, RequestEffect::Recover { .. } | RequestEffect::Stop { .. })
        {
            asking.push(*task);
        }
    }
    asking.sort_unstable();
    prop_assert!(asking.windows(2).all(|pair| pair[0] != pair[1]), "S1: {:?}", asking);
    Ok(())
}

fn is_send(effect: &Effect) -> bool {
    matches!(effect, Effect::Request { effect: RequestEffect::Send { .. }, .. })
}

/// Answers everything and cancels every task: each has to end (L2).
fn cancel_everything(mut kernel: Kernel, mut orders: Orders) -> Result<(), TestCaseError> {
    let tasks: Vec<TaskId> = kernel.tasks().map(|task| task.id).collect();
    for task in tasks {
        let mut effects = Vec::new();
        let event = Event::CancelRequested { task };
        if kernel.step(event.clone(), &mut effects) == Outcome::Applied {
            orders.note(&event, &effects);
        }
    }
    // Each answer takes an order away and a cancelled task gives no new ones, so this many are enough.
    for _ in 0..=orders.sorted().len() {
        let Some(order) = orders.iter().find(|order| !is_part(order)).copied() else { break };
        let event = answer(&kernel, &order, 255, 0, 0);
        let mut effects = Vec::new();
        prop_assert_eq!(kernel.step(event.clone(), &mut effects), Outcome::Applied, "{:?}", event);
        let sends = effects.iter().any(|effect| is_send(effect) || matches!(effect, Effect::RunTool { .. }));
        prop_assert!(!sends, "S19: {:?} gave {:?}", event, effects);
        orders.note(&event, &effects);
        let ended = kernel.tasks().filter(|task| task.state.end().is_some()).map(|task| task.id);
        for task in ended.collect::<Vec<_>>() {
            let event = Event::EndAcknowledged { task };
            prop_assert_eq!(kernel.step(event.clone(), &mut Discard), Outcome::Applied);
            orders.note(&event, &[]);
        }
    }
    prop_assert_eq!(kernel.tasks().count(), 0, "L2: {:?}", orders);
    Ok(())
}

fn lives(events: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Choices>> {
    vec(any::<Choices>(), events)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_lives_keep_every_promise(choices in lives(100..300)) {
        let (kernel, orders) = live_through(&choices)?;
        cancel_everything(kernel, orders)?;
    }

    /// Damaged storage is not read, is found out, or is a state like any other.
    #[test]
    fn damaged_snapshot_never_panics(
        before in lives(10..80),
        damage in vec((any::<prop::sample::Index>(), prop::sample::select(b"0123456789,:\"{}[]nulSTaefRPWQC".to_vec())), 1..4),
        after in lives(10..60),
    ) {
        let (kernel, _) = live_through(&before)?;
        let mut snapshot = serde_json::to_vec(&kernel).expect("a kernel has a JSON form");
        for (place, byte) in damage {
            *place.get_mut(&mut snapshot) = byte;
        }
        survives(&snapshot, &after)?;
    }

    /// The same with numbers in the place of numbers, which stay readable more often.
    #[test]
    fn damaged_numbers_never_panic(
        before in lives(10..80),
        place in any::<prop::sample::Index>(),
        number in prop_oneof![0_u64..12, Just(255), Just(65_535), Just(u64::from(u32::MAX / 2 - 100)), Just(u64::from(u32::MAX))],
        after in lives(10..60),
    ) {
        let (kernel, _) = live_through(&before)?;
        let snapshot = serde_json::to_string(&kernel).expect("a kernel has a JSON form");
        let starts: Vec<usize> = (1..snapshot.len())
            .filter(|at| {
                let [last, this] = [snapshot.as_bytes()[at - 1], snapshot.as_bytes()[*at]];
                this.is_ascii_digit() && !last.is_ascii_digit()
            })
            .collect();
        let start = *place.get(&starts);
        let rest = snapshot[start..].trim_start_matches(|letter: char| letter.is_ascii_digit());
        survives(format!("{}{number}{rest}", &snapshot[..start]).as_bytes(), &after)?;
    }
}

/// The random lives are not idle: together they stand in every state that there is.
#[test]
fn random_lives_reach_every_state() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..150 {
        let choices = lives(100..300).new_tree(&mut runner).expect("a life can be made").current();
        let (mut kernel, mut orders) = (Kernel::new(config()), Orders::default());
        for choices in choices {
            let (event, mut effects) = (event(&kernel, &orders, choices), Vec::new());
            if kernel.step(event.clone(), &mut effects) == Outcome::Applied {
                orders.note(&event, &effects);
            }
            // Without what the state carries: `Paused(Requesting { .. })` becomes `Paused(Requesting`.
            reached.extend(kernel.tasks().map(|task| {
                let state = format!("{:?}", task.state);
                state.split([' ', ')']).next().map(String::from)
            }));
        }
    }
    let reached: Vec<String> = reached.into_iter().flatten().collect();
    #[rustfmt::skip]
    assert_eq!(reached, [
        "AwaitingBudget", "AwaitingInput", "AwaitingSubtask",
        "Cancelled", "Cancelling(Initialization", "Cancelling(Nothing", "Cancelling(Request",
        "Completed", "ExecutingTools",
        "Failed(Initialization", "Failed(MistakeLimit", "Failed(Request(AttemptsExhausted",
        "Failed(Request(Credential", "Failed(Request(Interrupted", "Failed(Request(Invalid",
        "Failed(Request(Unauthorized",
        "Initializing",
        "Paused(Admitted", "Paused(Calls", "Paused(Initializing",
        "Paused(Queued", "Paused(Requesting", "Paused(Turn", "Paused(Unstarted",
        "Queued", "Requesting",
    ]);
}

fn survives(snapshot: &[u8], after: &[Choices]) -> Result<(), TestCaseError> {
    let Ok(mut kernel) = serde_json::from_slice::<Kernel>(snapshot) else { return Ok(()) };
    if kernel.validate().is_err() {
        return Ok(());
    }
    let mut outstanding = Vec::new();
    kernel.resync(&mut outstanding);
    let mut orders = Orders::default();
    orders.note(&Event::PauseRequested { task: TaskId(0) }, &outstanding);
    for choices in after {
        let event = event(&kernel, &orders, *choices);
        let mut effects = Vec::new();
        if kernel.step(event.clone(), &mut effects) == Outcome::Applied {
            orders.note(&event, &effects);
        }
        prop_assert_eq!(kernel.validate(), Ok(()), "a valid state became {:?}", kernel);
    }
    Ok(())
}

/// A planted fault is for the checks to find: it breaks promises, and does not panic.
#[cfg(feature = "planted-faults")]
#[test]
fn random_lives_with_a_planted_fault_do_not_panic() {
    let mut runner = TestRunner::deterministic();
    for fault in downbeat_kernel::Fault::ALL {
        for _ in 0..50 {
            let choices = lives(100..300).new_tree(&mut runner).expect("a life can be made").current();
            let mut kernel = Kernel::new(Config { fault: Some(*fault), ..config() });
            let mut orders = Orders::default();
            for choices in choices {
                let (event, mut effects) = (event(&kernel, &orders, choices), Vec::new());
                if kernel.step(event.clone(), &mut effects) == Outcome::Applied {
                    orders.note(&event, &effects);
                }
                kernel.resync(&mut Discard);
            }
        }
    }
}
