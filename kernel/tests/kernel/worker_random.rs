//! Random lives of a worker with its session and its health.

use crate::worker_ledger::Ledger;
use downbeat_kernel::{
    Answer, ApprovalId, CheckNumber, Config, Deadline, IteratorEnd, IteratorId, MessageId, Outcome, PromptId,
    SessionEffect, SessionEvent, Sign, Source, TaskId, Then, ToolId, TurnNumber, WatchNumber, Worker,
    WorkerEffect, WorkerEvent, WorkerState, WorkerTimer,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// Bounds that random events reach.
fn config() -> Config {
    Config {
        inbox_max: 4,
        worker_attempts_max: 5,
        breaker_max: 2,
        loop_max: 2,
        errors_max: 2,
        progress_max: 2,
        ..Config::default()
    }
}

/// What one event is made from: each choice picks among what makes sense at its place.
type Choices = [u8; 4];

/// Half of the events answer an order that is outstanding; the others come from people, or carry any identity.
fn event(worker: &Worker, ledger: &Ledger, children: &mut u32, choices: Choices) -> WorkerEvent {
    let [which, place, a, b] = choices;
    let answerable: Vec<&WorkerEffect> = ledger.orders.iter().filter(|order| !is_part(order)).collect();
    if which < 110
        && let Some(order) = answerable.get(usize::from(place) % answerable.len().max(1))
    {
        return answer(order, a);
    }
    let data = &worker.data;
    let near = |number: u32| (number + u32::from(b) % 3).saturating_sub(1);
    let turn = TurnNumber(if a < 200 { data.turn.0 } else { near(data.turn.0) });
    let said = PromptId(if a < 200 { data.session.accepted.0 } else { near(data.session.accepted.0) });
    let iterator = IteratorId(near(data.session.iterator.0));
    let prompt = PromptId(near(data.session.accepted.0));
    match which {
        ..120 => WorkerEvent::Assigned,
        120..140 => WorkerEvent::MessageReceived { message: MessageId(near(data.accepted.0 + 1)) },
        140..150 => {
            *children += 1;
            WorkerEvent::ChildReported { child: TaskId(u64::from(a) % 2), number: *children }
        }
        150..153 => {
            *children += 1;
            WorkerEvent::ChildEnded { child: TaskId(u64::from(*children)) }
        }
        153..175 => WorkerEvent::Observed { prompt: said, sign: sign(place, b) },
        175..180 => WorkerEvent::ProgressReported { check: CheckNumber(near(data.health.asked.0)) },
        180..192 => {
            let number = near(data.approvals.asked + 1);
            WorkerEvent::ApprovalRequested { approval: ApprovalId { prompt: said, number } }
        }
        192..197 => {
            let approval = ApprovalId { prompt: said, number: near(data.approvals.asked) };
            WorkerEvent::AnswerReceived { approval, answer: Answer::Denied }
        }
        197..203 => WorkerEvent::Reported { number: near(data.reported + 1) },
        203..206 => WorkerEvent::ReportAcknowledged { number: near(data.acknowledged + 1) },
        206..214 => {
            let then = if b % 2 == 0 { Then::Resume } else { Then::Hold };
            WorkerEvent::InterruptRequested { turn, then }
        }
        214..219 => WorkerEvent::PauseRequested,
        219..224 => WorkerEvent::ResumeRequested,
        224..226 => WorkerEvent::BudgetSpent,
        226..229 => WorkerEvent::BudgetGranted,
        229..231 => WorkerEvent::WrapUpRequested,
        231 => WorkerEvent::CompleteRequested,
        232 => WorkerEvent::KillRequested,
        233..235 => WorkerEvent::EndAcknowledged,
        235..238 => WorkerEvent::Session(SessionEvent::Started { iterator }),
        238..241 => WorkerEvent::Session(SessionEvent::Answered { iterator, prompt }),
        241..244 => WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end: iterator_end(a) }),
        244..246 => WorkerEvent::Session(SessionEvent::StopElapsed { iterator }),
        246 => WorkerEvent::Session(SessionEvent::AbortRequested { prompt }),
        247 => WorkerEvent::Session(SessionEvent::Invoked { prompt }),
        248 => WorkerEvent::Session(SessionEvent::RestartRequested),
        249 => WorkerEvent::Session(SessionEvent::CloseRequested),
        250.. => {
            let timers = [
                WorkerTimer::Watch(WatchNumber(near(data.health.watch.0))),
                WorkerTimer::Backoff(prompt),
                WorkerTimer::Breaker(prompt),
                WorkerTimer::WrapUp(Deadline::First),
                WorkerTimer::WrapUp(Deadline::Last),
            ];
            WorkerEvent::TimerFired { timer: timers[usize::from(a) % timers.len()] }
        }
    }
}

/// Parts and reports of undelivered entries have no answer of their own.
fn is_part(order: &WorkerEffect) -> bool {
    matches!(order, WorkerEffect::Include { .. } | WorkerEffect::ReportUndelivered { .. })
}

fn sign(kind: u8, tool: u8) -> Sign {
    match kind % 5 {
        0 => Sign::Activity,
        1 => Sign::Succeeded,
        2 => Sign::Failed,
        _ => Sign::ToolCalled { tool: ToolId(u32::from(tool) % 2) },
    }
}

fn iterator_end(kind: u8) -> IteratorEnd {
    match kind % 10 {
        0 => IteratorEnd::Permanent,
        1 | 2 => IteratorEnd::Normal,
        3..=5 => IteratorEnd::Throttled,
        _ => IteratorEnd::Transient,
    }
}

/// The answer to an order: a good one for the lower two thirds of `a`.
fn answer(order: &WorkerEffect, a: u8) -> WorkerEvent {
    match *order {
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
        ) => WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end: iterator_end(a) }),
        WorkerEffect::Ask { approval } => WorkerEvent::AnswerReceived { approval, answer: Answer::Approved },
        WorkerEffect::Report { number } => WorkerEvent::ReportAcknowledged { number },
        WorkerEffect::Arm { timer, .. } => WorkerEvent::TimerFired { timer },
        WorkerEffect::WorkerEnded { .. } => WorkerEvent::EndAcknowledged,
        WorkerEffect::Session(_)
        | WorkerEffect::Include { .. }
        | WorkerEffect::Acknowledge { .. }
        | WorkerEffect::ReportUndelivered { .. }
        | WorkerEffect::AskProgress { .. }
        | WorkerEffect::Withdraw { .. }
        | WorkerEffect::Answer { .. }
        | WorkerEffect::Warn { .. }
        | WorkerEffect::Disarm { .. } => panic!("{order:?} is no outstanding order"),
    }
}

/// A worker that has lived through the choices.
fn life(config: &Config, choices: &[Choices]) -> (Worker, Ledger) {
    let (mut worker, mut ledger, mut children) = (Worker::default(), Ledger::default(), 0);
    for choices in choices {
        let event = event(&worker, &ledger, &mut children, *choices);
        // Whether it was applied, the ledger has checked.
        drop(ledger.tell(&mut worker, config, event));
    }
    (worker, ledger)
}

/// Answers everything in the good way, fires no timer of health, and takes nothing for granted but that.
fn settle(worker: &mut Worker, ledger: &mut Ledger, config: &Config) {
    for _ in 0..100 {
        let watched = |order: &WorkerEffect| {
            matches!(
                order,
                WorkerEffect::Arm { timer: WorkerTimer::Watch(_) | WorkerTimer::WrapUp(_), .. }
                    | WorkerEffect::WorkerEnded { .. }
            )
        };
        // Whoever acknowledges the end of a worker acknowledges its reports too.
        if worker.state.end().is_some() {
            return;
        }
        let next = ledger.orders.iter().find(|order| !is_part(order) && !watched(order)).copied();
        let Some(order) = next else { return };
        assert_eq!(ledger.tell(worker, config, answer(&order, 0)), Outcome::Applied, "{order:?}");
    }
    panic!("no end of orders: {:?}", ledger.orders);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a worker is held to is checked by the ledger, after every event. Then the world answers whatever is asked, and
    /// everything that was accepted comes to rest.
    #[test]
    fn every_life_keeps_the_properties_and_comes_to_its_end(choices in vec(any::<Choices>(), 0..250)) {
        let config = config();
        let (mut worker, mut ledger) = life(&config, &choices);
        drop(ledger.tell(&mut worker, &config, WorkerEvent::Assigned));
        drop(ledger.tell(&mut worker, &config, WorkerEvent::ResumeRequested));
        drop(ledger.tell(&mut worker, &config, WorkerEvent::BudgetGranted));
        settle(&mut worker, &mut ledger, &config);
        if worker.state.end().is_none() {
            prop_assert_eq!(worker.state, WorkerState::Idle);
            prop_assert_eq!(ledger.owed.iter().filter(|source| **source != Source::Inquiry).count(), 0);
            let completed = ledger.tell(&mut worker, &config, WorkerEvent::CompleteRequested);
            prop_assert_eq!(completed, Outcome::Applied);
            settle(&mut worker, &mut ledger, &config);
        }
        prop_assert!(worker.state.end().is_some());
        prop_assert_eq!(ledger.tell(&mut worker, &config, WorkerEvent::EndAcknowledged), Outcome::Applied);
    }

    /// L3: an agent that is silent from any moment on, whose iterators end when they are told to, is acted on until the
    /// worker has ended, or a person is asked for.
    #[test]
    fn silence_ends_every_worker_that_nobody_holds(choices in vec(any::<Choices>(), 0..150)) {
        let config = config();
        let (mut worker, mut ledger) = life(&config, &choices);
        drop(ledger.tell(&mut worker, &config, WorkerEvent::Assigned));
        drop(ledger.tell(&mut worker, &config, WorkerEvent::ResumeRequested));
        drop(ledger.tell(&mut worker, &config, WorkerEvent::BudgetGranted));
        for _ in 0..100 {
            if worker.state.end().is_some() {
                break;
            }
            let order = ledger.orders.iter().find(|order| match order {
                WorkerEffect::Session(SessionEffect::Prompt { .. }) | WorkerEffect::WorkerEnded { .. } => false,
                WorkerEffect::Session(_) | WorkerEffect::Report { .. } | WorkerEffect::Arm { .. } => true,
                WorkerEffect::Ask { .. } => true,
                WorkerEffect::Include { .. }
                | WorkerEffect::Acknowledge { .. }
                | WorkerEffect::ReportUndelivered { .. }
                | WorkerEffect::AskProgress { .. }
                | WorkerEffect::Withdraw { .. }
                | WorkerEffect::Answer { .. }
                | WorkerEffect::Warn { .. }
                | WorkerEffect::Disarm { .. } => false,
            });
            let Some(order) = order.copied() else { break };
            prop_assert_eq!(ledger.tell(&mut worker, &config, answer(&order, 0)), Outcome::Applied);
        }
        // A worker that has answered its inquiry rests, and nothing is wrong with it.
        let rests = worker.state == WorkerState::Idle && worker.data.health.inquired;
        prop_assert!(worker.state.end().is_some() || rests, "{:?}", worker);
    }

    /// Numbers in the place of numbers: the snapshot cannot be read, is found out, or is a state from which no event
    /// leads out of validity.
    #[test]
    fn damaged_worker_never_panics(
        choices in vec(any::<Choices>(), 5..100),
        place in any::<prop::sample::Index>(),
        number in prop_oneof![0_u64..12, Just(255), Just(u64::from(u32::MAX / 2)), Just(u64::from(u32::MAX))],
        after in vec(any::<Choices>(), 5..50),
    ) {
        let config = config();
        let (worker, _) = life(&config, &choices);
        let stored = serde_json::to_string(&worker).expect("a worker can be written");
        let digit = |at: usize| stored.as_bytes()[at].is_ascii_digit();
        let starts: Vec<usize> = (1..stored.len()).filter(|at| digit(*at) && !digit(at - 1)).collect();
        let start = *place.get(&starts);
        let rest = stored[start..].trim_start_matches(|letter: char| letter.is_ascii_digit());
        let damaged = format!("{}{number}{rest}", &stored[..start]);
        let read = serde_json::from_str::<Worker>(&damaged).ok();
        if let Some(mut worker) = read.filter(|worker| worker.validate(&config).is_ok()) {
            let mut children = 0;
            for choices in after {
                let event = event(&worker, &Ledger::default(), &mut children, choices);
                drop(worker.step(event, &config, &mut |_| ()));
                prop_assert!(counted_out(number) || worker.validate(&config).is_ok(), "{:?}", worker);
                worker.resync(&config, &mut |_| ());
            }
        }
    }

    /// A snapshot is what was stored, and goes on as the original does.
    #[test]
    fn snapshot_reads_back_as_it_was(choices in vec(any::<Choices>(), 0..100)) {
        let (worker, _) = life(&config(), &choices);
        let stored = serde_json::to_string(&worker).expect("a worker can be written");
        prop_assert_eq!(serde_json::from_str::<Worker>(&stored).expect("it can be read"), worker);
    }
}

/// A counter at the end of its range is one event from being refused.
fn counted_out(number: u64) -> bool {
    number == u64::from(u32::MAX / 2)
}

/// The random lives are not idle: together they stand in every state and climb every rung.
#[test]
fn random_lives_reach_every_state_and_every_rung() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..300 {
        let choices = vec(any::<Choices>(), 50..250).new_tree(&mut runner).expect("a life").current();
        let (mut worker, mut ledger, mut children) = (Worker::default(), Ledger::default(), 0);
        for choices in choices {
            let event = event(&worker, &ledger, &mut children, choices);
            drop(ledger.tell(&mut worker, &config(), event));
            let state = format!("{:?}", worker.state);
            reached.extend(state.split([' ', '(']).next().map(String::from));
            reached.insert(format!("{:?}", worker.data.health.rung));
        }
    }
    let expected = [
        "AwaitingApproval",
        "BackingOff",
        "Cooling",
        "Ended",
        "Ending",
        "Executing",
        "Ground",
        "Held",
        "Idle",
        "Inquired",
        "Interrupted",
        "Restarted",
    ];
    assert_eq!(Vec::from_iter(reached), expected);
}
