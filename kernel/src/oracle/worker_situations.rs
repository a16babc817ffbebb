//! Every situation in which a worker can be, up to small bounds, and every event that can reach it there.
//!
//! The lists below are crossed without regard to sense; [`Worker::validate`] throws out what cannot be.

use crate::config::Config;
use crate::health::{CheckNumber, Health, HealthState, Rung, Sign, ToolId, WatchNumber};
use crate::session::{IteratorEnd, IteratorId, PromptId, Session, SessionEvent, SessionState};
use crate::vocabulary::{Answer, MessageId, TaskId, TurnNumber};
use crate::worker::{
    ApprovalId, Approvals, Assignment, Breaker, Content, Deadline, Source, Then, Worker, WorkerData,
    WorkerEnd, WorkerEvent, WorkerReason, WorkerState, WorkerTimer,
};
use std::vec::Vec;

const TURN: TurnNumber = TurnNumber(2);
const ACCEPTED: MessageId = MessageId(3);
const CHILD: TaskId = TaskId(7);
const REPORTED: Source = Source::ChildReported { child: CHILD, number: 1 };
const ENDED: Source = Source::ChildEnded { child: CHILD };

/// Bounds that a few entries, failures and signs reach.
pub(super) fn small() -> Config {
    Config {
        inbox_max: 3,
        worker_attempts_max: 4,
        breaker_max: 2,
        loop_max: 2,
        errors_max: 2,
        progress_max: 2,
        worker_throttled_ms: 11_000,
        ..Config::default()
    }
}

/// Every valid situation.
pub(super) fn situations(config: &Config) -> Vec<Worker> {
    let mut found = Vec::new();
    for state in leaves() {
        for (session, approvals) in sessions().into_iter().flat_map(|one| approvals().map(|two| (one, two))) {
            for (assignment, inbox, taken, content) in contents() {
                for (failures, breaker) in failures() {
                    for wrap_up in [None, Some(Deadline::First), Some(Deadline::Last)] {
                        let data = WorkerData {
                            session,
                            health: Health::default(),
                            assignment,
                            inbox: inbox.iter().copied().collect(),
                            taken,
                            content,
                            turn: if assignment == Assignment::Awaited { TurnNumber(0) } else { TURN },
                            approvals,
                            accepted: ACCEPTED,
                            reported: 0,
                            acknowledged: 0,
                            kept: false,
                            failures,
                            breaker,
                            hold: state == WorkerState::Held,
                            spent: false,
                            wrap_up,
                        };
                        found.extend(varied(&Worker { state, data }, config));
                    }
                }
            }
        }
    }
    found
}

/// The situation with each of what is independent of the rest.
fn varied(at: &Worker, config: &Config) -> Vec<Worker> {
    let mut found = Vec::new();
    for health in healths(at.state) {
        let mut healthy = at.clone();
        healthy.data.health = health;
        if healthy.validate(config).is_err() {
            continue;
        }
        for (hold, spent, reported, acknowledged, kept) in [
            (at.data.hold, false, 0, 0, false),
            (true, false, 0, 0, false),
            (false, true, 0, 0, false),
            (true, true, 0, 0, false),
            (at.data.hold, false, 2, 1, false),
            (at.data.hold, false, 3, 0, false),
            (at.data.hold, false, 3, 1, true),
        ] {
            let mut other = healthy.clone();
            (other.data.hold, other.data.spent, other.data.kept) = (hold, spent, kept);
            (other.data.reported, other.data.acknowledged) = (reported, acknowledged);
            let plain = (hold, spent, reported) == (at.data.hold, false, 0);
            // Health and the rest do not meet, so one of them varies at a time.
            let first = health.rung == Rung::Ground && !health.active;
            if other.validate(config).is_ok() && (plain || first) {
                found.push(other);
            }
        }
    }
    found.dedup();
    found
}

fn leaves() -> Vec<WorkerState> {
    let stuck = WorkerEnd::Failed(WorkerReason::Stuck);
    let mut leaves = Vec::from([
        WorkerState::Idle,
        WorkerState::Held,
        WorkerState::Executing,
        WorkerState::AwaitingApproval,
        WorkerState::BackingOff { after_ms: 2_000 },
        WorkerState::Cooling,
    ]);
    for end in [WorkerEnd::Completed, WorkerEnd::Killed, stuck] {
        leaves.extend([WorkerState::Ending(end), WorkerState::Ended(end)]);
    }
    leaves
}

/// Before the first prompt; between prompts; with one.
fn sessions() -> Vec<Session> {
    use SessionState as S;
    let mut sessions = Vec::from([Session::default(), Session { state: S::Closed, ..Session::default() }]);
    for state in [S::Dormant, S::Starting, S::Listening, S::Answering, S::Stopping, S::Closing, S::Closed] {
        for settled in [4, 3] {
            let (accepted, settled) = (PromptId(4), PromptId(settled));
            sessions.push(Session { state, iterator: IteratorId(2), accepted, settled, withdrawn: 0 });
        }
    }
    sessions
}

fn approvals() -> [Approvals; 5] {
    [
        Approvals { asked: 0, settled: 0, open: 0 },
        Approvals { asked: 2, settled: 2, open: 0 },
        Approvals { asked: 2, settled: 1, open: 0b1 },
        Approvals { asked: 4, settled: 1, open: 0b101 },
        Approvals { asked: 33, settled: 1, open: u32::MAX },
    ]
}

type Contents = (Assignment, &'static [Source], usize, Content);

fn contents() -> Vec<Contents> {
    use Assignment::{Answered, Awaited, Unanswered};
    use Content::{Fresh, Given, Resumed};
    const ONE: Source = Source::Message(MessageId(2));
    const TWO: Source = Source::Message(MessageId(3));
    const WRAP: Source = Source::WrapUp;
    Vec::from([
        (Awaited, &[] as &[Source], 0, Fresh),
        (Awaited, &[ONE], 0, Fresh),
        (Awaited, &[WRAP], 0, Fresh),
        (Unanswered, &[], 0, Fresh),
        (Unanswered, &[], 0, Given),
        (Unanswered, &[ONE, WRAP, TWO], 1, Resumed),
        (Answered, &[], 0, Fresh),
        (Answered, &[ONE, ENDED], 0, Fresh),
        (Answered, &[WRAP, ONE], 0, Fresh),
        (Answered, &[ONE], 1, Given),
        (Answered, &[ONE, TWO], 1, Resumed),
        (Answered, &[REPORTED, ONE, TWO], 2, Given),
        (Answered, &[Source::Inquiry], 1, Given),
        (Answered, &[Source::Inquiry, ONE], 1, Resumed),
        (Answered, &[WRAP, ENDED], 2, Given),
        (Answered, &[ONE, WRAP, TWO], 1, Given),
        (Answered, &[REPORTED, WRAP, ONE, TWO], 2, Resumed),
    ])
}

fn failures() -> Vec<(u8, Breaker)> {
    let open = Breaker::Open { after_ms: 30_000 };
    Vec::from([
        (0, Breaker::Closed),
        (1, Breaker::Closed),
        (2, Breaker::Closed),
        (2, open),
        (3, Breaker::Closed),
        (3, open),
    ])
}

fn healths(state: WorkerState) -> Vec<Health> {
    let (watch, asked, reported) = (WatchNumber(5), CheckNumber(2), CheckNumber(2));
    let plain = Health { watch, asked, reported, ..Health::default() };
    let tool = Some(ToolId(1));
    let working = Health { state: HealthState::Working, ..plain };
    let mut healths = Vec::new();
    match state {
        WorkerState::Executing => {
            for rung in [Rung::Ground, Rung::Inquired, Rung::Interrupted, Rung::Restarted] {
                let base = Health { rung, ..working };
                healths.extend([
                    base,
                    Health { active: true, inquired: true, ..base },
                    Health { tool, calls: 1, errors: 1, ..base },
                    Health { tool, calls: 3, active: true, ..base },
                    Health { reported: CheckNumber(1), ..base },
                    Health { reported: CheckNumber(1), progress: 1, ..base },
                    Health { progress: 2, ..base },
                ]);
            }
        }
        WorkerState::Idle => {
            let resting = Health { state: HealthState::Resting, ..plain };
            healths.extend([plain, resting, Health { inquired: true, ..resting }]);
        }
        WorkerState::Held
        | WorkerState::AwaitingApproval
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling
        | WorkerState::Ending(_)
        | WorkerState::Ended(_) => {
            let asked = Health { reported: CheckNumber(1), rung: Rung::Inquired, inquired: true, ..plain };
            healths.extend([plain, asked, Health { rung: Rung::Restarted, tool, calls: 1, ..plain }]);
        }
    }
    healths
}

/// Every event, under every identity that is current, older, newer or doubled here.
pub(super) fn events(at: &Worker) -> Vec<WorkerEvent> {
    use WorkerEvent as E;
    let mut events = Vec::from([
        E::Assigned,
        E::ChildReported { child: CHILD, number: 1 },
        E::ChildReported { child: CHILD, number: 2 },
        E::ChildEnded { child: CHILD },
        E::ChildEnded { child: TaskId(8) },
        E::PauseRequested,
        E::ResumeRequested,
        E::BudgetSpent,
        E::BudgetGranted,
        E::WrapUpRequested,
        E::CompleteRequested,
        E::KillRequested,
        E::EndAcknowledged,
    ]);
    events.extend([0, 1, 3, 4, 5].map(|message| E::MessageReceived { message: MessageId(message) }));
    let data = &at.data;
    events.extend(around(data.health.asked.0).map(|check| E::ProgressReported { check: CheckNumber(check) }));
    events.extend(around(data.reported).map(|number| E::Reported { number }));
    events.extend([0, 1, 2, 3, 4].map(|number| E::ReportAcknowledged { number }));
    session_events(data, &mut events);
    turn_events(data, &mut events);
    let mut timers = Vec::from([WorkerTimer::WrapUp(Deadline::First), WorkerTimer::WrapUp(Deadline::Last)]);
    timers.extend(around(data.health.watch.0).map(|watch| WorkerTimer::Watch(WatchNumber(watch))));
    for prompt in around(data.session.accepted.0).map(PromptId) {
        timers.extend([WorkerTimer::Backoff(prompt), WorkerTimer::Breaker(prompt)]);
    }
    events.extend(timers.into_iter().map(|timer| E::TimerFired { timer }));
    events
}

/// Zero, the number before, the number itself and the one after.
fn around(number: u32) -> impl Iterator<Item = u32> {
    let mut numbers = Vec::from([0, number.saturating_sub(1), number, number + 1]);
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter()
}

fn session_events(data: &WorkerData, events: &mut Vec<WorkerEvent>) {
    use SessionEvent as E;
    let ends = [IteratorEnd::Normal, IteratorEnd::Transient, IteratorEnd::Throttled, IteratorEnd::Permanent];
    let prompt = data.session.accepted;
    let mut found = Vec::from([
        E::Invoked { prompt: PromptId(prompt.0 + 1) },
        E::AbortRequested { prompt },
        E::RestartRequested,
        E::CloseRequested,
    ]);
    for iterator in around(data.session.iterator.0).map(IteratorId) {
        found.extend([E::Started { iterator }, E::StopElapsed { iterator }]);
        found.extend(ends.map(|end| E::IteratorEnded { iterator, end }));
        found.extend(around(prompt.0).map(|prompt| E::Answered { iterator, prompt: PromptId(prompt) }));
    }
    events.extend(found.into_iter().map(WorkerEvent::Session));
}

fn turn_events(data: &WorkerData, events: &mut Vec<WorkerEvent>) {
    use WorkerEvent as E;
    for turn in around(data.turn.0).map(TurnNumber) {
        events.extend([Then::Resume, Then::Hold].map(|then| E::InterruptRequested { turn, then }));
    }
    for prompt in around(data.session.accepted.0).map(PromptId) {
        let signs = [
            Sign::Activity,
            Sign::Succeeded,
            Sign::Failed,
            Sign::ToolCalled { tool: ToolId(1) },
            Sign::ToolCalled { tool: ToolId(2) },
        ];
        let signs = if prompt == data.session.accepted { &signs[..] } else { &signs[..1] };
        events.extend(signs.iter().map(|sign| E::Observed { prompt, sign: *sign }));
        let asked = data.approvals.asked;
        let mut numbers = Vec::from([0, 1, 2, 3, asked, asked + 1, asked + 2]);
        numbers.sort_unstable();
        numbers.dedup();
        for approval in numbers.into_iter().map(|number| ApprovalId { prompt, number }) {
            events.push(E::ApprovalRequested { approval });
            events.push(E::AnswerReceived { approval, answer: Answer::Approved });
        }
    }
}
