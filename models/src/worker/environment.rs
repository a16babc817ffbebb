//! What may happen where a world stands, and what may not be put off for ever.

use downbeat_kernel::{
    Answer, ApprovalId, Config, IteratorEnd, IteratorId, MessageId, Outstanding, SessionEvent, Sign, TaskId,
    TaskState, Then, ToolId, TurnNumber, WorkerEvent, WorkerState, WorkerTimer,
};
use downbeat_sim::model::Fairness;

use super::WorkerModel;
use super::act::{Act, Action, CHILD, Kind, TASK, Told};
use super::outside::{Armed, Outside, Running};
use super::scenario::{Budget, Scenario};
use super::world::World;

/// How an iterator may end that was not told to.
const ENDS: [IteratorEnd; 4] =
    [IteratorEnd::Normal, IteratorEnd::Transient, IteratorEnd::Throttled, IteratorEnd::Permanent];

/// How one may end that was. Or it never does.
const STOPS: [IteratorEnd; 2] = [IteratorEnd::Normal, IteratorEnd::Transient];

/// Everything that may happen and does not come late, whatever is left of the budgets.
pub(super) fn acts(scenario: &Scenario, config: &Config, world: &World) -> Vec<Act> {
    let mut acts = Vec::new();
    for (of, outside) in world.followed() {
        let mut of_task = Acts { scenario, of, outside, found: &mut acts };
        of_task.iterators();
        of_task.orders(world);
        of_task.people(world);
        of_task.agent(config, world);
    }
    let mut of_child = Acts { scenario, of: CHILD, outside: world.outside(TASK), found: &mut acts };
    of_child.place(world);
    if !scenario.works {
        of_child.child(world);
    }
    acts
}

/// What may happen to one task.
struct Acts<'a> {
    scenario: &'a Scenario,
    of: TaskId,
    outside: &'a Outside,
    found: &'a mut Vec<Act>,
}

impl Acts<'_> {
    /// Adds an act, unless the scenario has nothing of its kind.
    fn may(&mut self, kind: Kind, told: Told) {
        if kind.cost().is_none_or(|budget| self.scenario.has(budget)) {
            self.found.push(Act { kind, of: self.of, told });
        }
    }

    fn worker(&mut self, kind: Kind, event: WorkerEvent) {
        self.may(kind, Told::Worker(event));
    }

    fn session(&mut self, kind: Kind, event: SessionEvent) {
        self.worker(kind, WorkerEvent::Session(event));
    }

    fn iterators(&mut self) {
        for (iterator, running) in self.outside.iterators.iter().copied() {
            let (kind, ends): (Kind, &[IteratorEnd]) = match running {
                Running::Ordered => {
                    self.session(Kind::Start, SessionEvent::Started { iterator });
                    (Kind::Fail, &ENDS)
                }
                Running::Works(prompt) => {
                    self.session(Kind::Answer, SessionEvent::Answered { iterator, prompt });
                    (Kind::Fail, &ENDS)
                }
                // Without a prompt, how it ends makes no difference.
                Running::Listens => (Kind::Fail, &[IteratorEnd::Transient]),
                Running::Stops => (Kind::End, &STOPS),
                Running::Lost => (Kind::End, &[IteratorEnd::Transient]),
            };
            for end in ends.iter().copied() {
                self.session(kind, SessionEvent::IteratorEnded { iterator, end });
            }
        }
    }

    fn orders(&mut self, world: &World) {
        let outside = self.outside;
        for timer in outside.timers.iter() {
            match *timer {
                Armed::Worker(timer) => self.worker(Kind::Elapse, WorkerEvent::TimerFired { timer }),
                Armed::Stop(iterator) => self.session(Kind::Elapse, SessionEvent::StopElapsed { iterator }),
            }
        }
        for approval in outside.asks.iter().copied() {
            self.worker(Kind::Approve, WorkerEvent::AnswerReceived { approval, answer: Answer::Approved });
        }
        if let Some(check) = outside.check.filter(|_| self.scenario.progress) {
            self.worker(Kind::Progress, WorkerEvent::ProgressReported { check });
        }
        for number in outside.reports.iter().copied() {
            self.worker(Kind::Record, WorkerEvent::ReportAcknowledged { number });
        }
        if outside.end.is_some() && world.task(self.of).is_some() {
            self.may(Kind::Record, Told::Recorded);
        }
    }

    fn people(&mut self, world: &World) {
        let Some(worker) = world.worker(self.of) else { return };
        let turn = worker.data.turn;
        self.may(Kind::Write, Told::Message(MessageId(self.outside.written + 1)));
        for then in [Then::Resume, Then::Hold] {
            self.worker(Kind::Interrupt, WorkerEvent::InterruptRequested { turn, then });
        }
        if turn.0 > 1 {
            // The person has not seen that the next one has begun.
            let (turn, then) = (TurnNumber(turn.0 - 1), Then::Hold);
            self.worker(Kind::Interrupt, WorkerEvent::InterruptRequested { turn, then });
        }
        self.may(Kind::Pause, Told::Pause);
        if self.outside.held {
            self.may(Kind::Resume, Told::Resume);
        }
        self.worker(Kind::WrapUp, WorkerEvent::WrapUpRequested);
        self.worker(Kind::Finish, WorkerEvent::CompleteRequested);
        self.may(Kind::Finish, Told::Cancel);
    }

    /// What an agent does that has a prompt.
    fn agent(&mut self, config: &Config, world: &World) {
        let Some(worker) = world.worker(self.of) else { return };
        let report = if self.of == CHILD { Kind::Update } else { Kind::Report };
        self.worker(report, WorkerEvent::Reported { number: worker.data.reported + 1 });
        let Some((_, prompt)) = self.outside.working() else { return };
        if world.highest < CHILD {
            self.may(Kind::Delegate, Told::Subtask(CHILD));
        }
        let approval = ApprovalId { prompt, number: worker.data.approvals.asked + 1 };
        self.worker(Kind::Ask, WorkerEvent::ApprovalRequested { approval });
        if !self.scenario.has(Budget::Signs) {
            return;
        }
        let called = |tool| Sign::ToolCalled { tool: ToolId(tool) };
        for sign in [Sign::Activity, called(1), called(2), Sign::Succeeded, Sign::Failed] {
            let repeats = self.outside.signs.is_repeated_by(sign, config);
            let kind = if repeats { Kind::Repeat } else { Kind::Observe };
            self.worker(kind, WorkerEvent::Observed { prompt, sign });
        }
    }

    /// A subtask that was asked for gets its place, and its worker.
    fn place(&mut self, world: &World) {
        let Some(child) = world.task(CHILD) else { return };
        match child.state {
            TaskState::Queued => self.may(Kind::Place, Told::Admitted),
            TaskState::Initializing | TaskState::Cancelling(Outstanding::Initialization) => {
                self.may(Kind::Place, Told::Deployed);
            }
            TaskState::Paused(_)
            | TaskState::Working
            | TaskState::Ending(_)
            | TaskState::Cancelling(Outstanding::Nothing | Outstanding::Worker | Outstanding::Request)
            | TaskState::Completed
            | TaskState::Failed(_)
            | TaskState::Cancelled
            | TaskState::Requesting
            | TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget => {}
        }
    }

    /// The subtask reports, and ends at some time. Its agent never starts, and its end is never on record.
    fn child(&mut self, world: &World) {
        let Some(worker) = world.worker(CHILD) else { return };
        let number = worker.data.reported + 1;
        self.worker(Kind::Update, WorkerEvent::Reported { number });
        let end = match worker.state {
            WorkerState::Ending(_) => {
                let (iterator, end) = (IteratorId(1), IteratorEnd::Normal);
                WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end })
            }
            WorkerState::Idle
            | WorkerState::Held
            | WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling => WorkerEvent::CompleteRequested,
            WorkerState::Ended(_) => return,
        };
        self.worker(Kind::ChildEnd, end);
    }
}

/// Timers run out, subtasks come to their place and end, and what has to be on record comes there, of each task by itself.
/// Agents owe nothing, and people neither.
pub(super) fn fairness(scenario: &Scenario) -> Vec<Fairness<WorkerModel>> {
    let mut all = of_task(TASK, "");
    if scenario.works {
        all.extend(of_task(CHILD, "of the subtask: "));
    }
    if scenario.has(Budget::Subtasks) {
        all.push(fair("a subtask comes to its place", |act| act.kind == Kind::Place));
    }
    if scenario.has_subtask() && !scenario.works {
        all.push(fair("a subtask ends", |act| act.kind == Kind::ChildEnd));
    }
    all
}

/// What may not be put off for ever of one task.
fn of_task(of: TaskId, whose: &str) -> Vec<Fairness<WorkerModel>> {
    let fired = |name: &str, is_it: fn(WorkerTimer) -> bool| {
        fair(&format!("{whose}{name}"), move |act| {
            act.kind == Kind::Elapse
                && act.of == of
                && matches!(act.told, Told::Worker(WorkerEvent::TimerFired { timer }) if is_it(timer))
        })
    };
    vec![
        fair(&format!("{whose}reports and ends are put on record"), move |act| {
            act.kind == Kind::Record && act.of == of
        }),
        fair(&format!("{whose}the time to stop is over at some time"), move |act| {
            let elapsed = |event| matches!(event, WorkerEvent::Session(SessionEvent::StopElapsed { .. }));
            act.kind == Kind::Elapse && act.of == of && act.told.to_worker().is_some_and(elapsed)
        }),
        fired("the watch runs out", |timer| matches!(timer, WorkerTimer::Watch(_))),
        fired("the wait after a failure is over at some time", |timer| {
            matches!(timer, WorkerTimer::Backoff(_))
        }),
        fired("the breaker closes", |timer| matches!(timer, WorkerTimer::Breaker(_))),
        fired("the time to finish is over at some time", |timer| matches!(timer, WorkerTimer::WrapUp(_))),
    ]
}

fn fair(name: &str, includes: impl Fn(Act) -> bool + Send + Sync + 'static) -> Fairness<WorkerModel> {
    Fairness::weak(name, move |action: &Action| action.cut.is_none() && action.act.is_some_and(&includes))
}
