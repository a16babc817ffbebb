//! A worker beside its twin: every situation up to small bounds meets every event.

use super::beside::{self, Side};
use super::page::Observed;
use super::worker_situations::{events, situations, small};
use super::worker_twin::{Said, twin, twin_resync};
use crate::config::Config;
#[cfg(feature = "planted-faults")]
use crate::faults::Fault;
use crate::session::SessionEvent;
use crate::vocabulary::{Ignored, Outcome};
use crate::worker::{Worker, WorkerEvent, WorkerRejected, WorkerState, WorkerTimer};
use std::string::String;

type Twin = fn(&Worker, WorkerEvent, &Config) -> Said;

fn machine(at: &Worker, event: WorkerEvent, config: &Config) -> Said {
    beside::taken(at, |worker, sink| worker.step(event, config, sink))
}

/// Compares every situation, or every so many, until the first difference. Gives how many pairs there were.
fn compare(config: &Config, every: usize, twin: Twin) -> Result<usize, String> {
    let repeats = |at: &Worker, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: twin_resync }];
    beside::compare(situations(config).into_iter().step_by(every), events, config, sides)
}

#[test]
fn worker_and_its_twin_agree_on_every_pair() {
    let settings = [
        ("small bounds", small()),
        ("a breaker that opens at once", Config { breaker_max: 1, inbox_max: 4, ..small() }),
    ];
    let mut pairs = 0;
    for (name, config) in settings {
        let seen = compare(&config, 1, twin).unwrap_or_else(|difference| panic!("{name}: {difference}"));
        std::println!("{name}: {seen} pairs");
        pairs += seen;
    }
    assert!(pairs > 500_000, "the enumeration has shrunk to {pairs} pairs");
}

/// What the events make of a situation is one that the enumeration could have: `validate` and the machine agree.
#[test]
fn no_event_leads_out_of_validity() {
    let config = small();
    for at in situations(&config) {
        for event in events(&at) {
            if let Ok((next, _)) = machine(&at, event, &config) {
                assert_eq!(next.validate(&config), Ok(()), "{event:?} led from {at:?}\nto {next:?}");
            }
        }
    }
}

#[test]
fn comparison_of_workers_finds_a_wrong_twin() {
    fn lost_effect(at: &Worker, event: WorkerEvent, config: &Config) -> Said {
        let (next, mut out) = twin(at, event, config)?;
        if out.len() > 4 {
            out.pop();
        }
        Ok((next, out))
    }
    fn other_order(at: &Worker, event: WorkerEvent, config: &Config) -> Said {
        let (next, mut out) = twin(at, event, config)?;
        out.reverse();
        Ok((next, out))
    }
    fn other_refusal(at: &Worker, event: WorkerEvent, config: &Config) -> Said {
        twin(at, event, config).or(Err(Outcome::Ignored(Ignored::Stale)))
    }
    fn kept_failures(at: &Worker, event: WorkerEvent, config: &Config) -> Said {
        let (mut next, out) = twin(at, event, config)?;
        next.data.failures = at.data.failures;
        Ok((next, out))
    }
    let wrong: [(&str, Twin); 4] = [
        ("an effect less", lost_effect),
        ("effects in another order", other_order),
        ("a refusal", other_refusal),
        ("the failures stay", kept_failures),
    ];
    for (name, twin) in wrong {
        assert!(compare(&small(), 3, twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_worker() {
    for fault in Fault::OF_WORKERS.iter().copied() {
        let config = Config { fault: Some(fault), ..small() };
        // No divisor of how many variations a situation has, so that each variation is in the sample.
        assert!(compare(&config, 5, twin).is_err(), "nobody noticed {fault:?}");
    }
}

const KINDS: [&str; 28] = [
    "Assigned",
    "MessageReceived",
    "ChildReported",
    "ChildEnded",
    "Session(Started)",
    "Session(Answered)",
    "Session(IteratorEnded)",
    "Session(StopElapsed)",
    "Session(others)",
    "Observed",
    "ProgressReported",
    "ApprovalRequested",
    "AnswerReceived",
    "Reported",
    "ReportAcknowledged",
    "InterruptRequested",
    "PauseRequested",
    "ResumeRequested",
    "BudgetSpent",
    "BudgetGranted",
    "WrapUpRequested",
    "CompleteRequested",
    "KillRequested",
    "TimerFired(Watch)",
    "TimerFired(Backoff)",
    "TimerFired(Breaker)",
    "TimerFired(WrapUp)",
    "EndAcknowledged",
];

fn kind(event: WorkerEvent) -> &'static str {
    use SessionEvent as S;
    use WorkerEvent as E;
    match event {
        E::Assigned => "Assigned",
        E::MessageReceived { .. } => "MessageReceived",
        E::ChildReported { .. } => "ChildReported",
        E::ChildEnded { .. } => "ChildEnded",
        E::Session(S::Started { .. }) => "Session(Started)",
        E::Session(S::Answered { .. }) => "Session(Answered)",
        E::Session(S::IteratorEnded { .. }) => "Session(IteratorEnded)",
        E::Session(S::StopElapsed { .. }) => "Session(StopElapsed)",
        E::Session(
            S::Invoked { .. } | S::AbortRequested { .. } | S::RestartRequested | S::CloseRequested,
        ) => "Session(others)",
        E::Observed { .. } => "Observed",
        E::ProgressReported { .. } => "ProgressReported",
        E::ApprovalRequested { .. } => "ApprovalRequested",
        E::AnswerReceived { .. } => "AnswerReceived",
        E::Reported { .. } => "Reported",
        E::ReportAcknowledged { .. } => "ReportAcknowledged",
        E::InterruptRequested { .. } => "InterruptRequested",
        E::PauseRequested => "PauseRequested",
        E::ResumeRequested => "ResumeRequested",
        E::BudgetSpent => "BudgetSpent",
        E::BudgetGranted => "BudgetGranted",
        E::WrapUpRequested => "WrapUpRequested",
        E::CompleteRequested => "CompleteRequested",
        E::KillRequested => "KillRequested",
        E::TimerFired { timer: WorkerTimer::Watch(_) } => "TimerFired(Watch)",
        E::TimerFired { timer: WorkerTimer::Backoff(_) } => "TimerFired(Backoff)",
        E::TimerFired { timer: WorkerTimer::Breaker(_) } => "TimerFired(Breaker)",
        E::TimerFired { timer: WorkerTimer::WrapUp(_) } => "TimerFired(WrapUp)",
        E::EndAcknowledged => "EndAcknowledged",
    }
}

fn leaf(state: WorkerState) -> &'static str {
    match state {
        WorkerState::Idle => "Idle",
        WorkerState::Held => "Held",
        WorkerState::Executing => "Executing",
        WorkerState::AwaitingApproval => "AwaitingApproval",
        WorkerState::BackingOff { .. } => "BackingOff",
        WorkerState::Cooling => "Cooling",
        WorkerState::Ending(_) => "Ending",
        WorkerState::Ended(_) => "Ended",
    }
}

fn outcome(refused: &Outcome<WorkerRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(rejected) => match rejected {
            WorkerRejected::NoEdge { .. } => "Rejected(NoEdge)",
            WorkerRejected::NeverAsked { .. } => "Rejected(NeverAsked)",
            WorkerRejected::NotForShell { .. } => "Rejected(NotForShell)",
            WorkerRejected::Session(_) => "Rejected(Session)",
            WorkerRejected::MessageGap { .. } => "Rejected(MessageGap)",
            WorkerRejected::InboxFull { .. } => "Rejected(InboxFull)",
            WorkerRejected::ApprovalGap { .. } => "Rejected(ApprovalGap)",
            WorkerRejected::ApprovalsFull { .. } => "Rejected(ApprovalsFull)",
            WorkerRejected::ReportGap { .. } => "Rejected(ReportGap)",
            WorkerRejected::ReportsFull { .. } => "Rejected(ReportsFull)",
        },
    }
}

#[test]
fn page_of_worker_shows_what_the_machine_does() {
    let mut observed = Observed::default();
    for at in situations(&small()) {
        for event in events(&at) {
            match machine(&at, event, &small()) {
                Ok((next, _)) => observed.applied(leaf(at.state), kind(event), leaf(next.state)),
                Err(refused) => observed.refused(leaf(at.state), kind(event), outcome(&refused)),
            }
        }
    }
    let boxes: [(&str, &[&str]); 4] = [
        ("Waiting", &["Idle", "Held"]),
        ("InTurn", &["Executing", "AwaitingApproval", "BackingOff", "Cooling"]),
        ("Ending", &["Ending"]),
        ("Ended", &["Ended"]),
    ];
    let diagram = observed.diagram("Idle", &boxes, &KINDS);
    observed.assert_page("worker", &diagram, &boxes, &KINDS);
}
