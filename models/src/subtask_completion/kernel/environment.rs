//! What the environment may do next, and what comes of it.

use downbeat_kernel::{
    Answer, Approval, Attempt, Call, CallId, Event, Failure, Kernel, MessageId, Outcome, QuestionId,
    RequestId, Response, Timer, ToolEnd, TurnNumber,
};
use downbeat_sim::model::Fairness;

use super::outside::{Effects, Flight, Start};
use super::{KernelModel, Left, Scenario, World, id, index};
use crate::watch::{TASKS, TaskIndex};

/// One event, and whether the process crashes while its effects are released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What happens.
    pub act: Act,
    /// The process crashes after so many effects, and less than all, were released.
    pub cut: Option<u8>,
}

impl Action {
    /// Whether the process crashes in this step.
    pub(super) fn crashes(&self) -> bool {
        self.cut.is_some() || self.act == Act::Crash
    }
}

/// What the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The task is done.
    Completion,
    /// The task is done, if a person agrees.
    CompletionToApprove,
    /// Two tools at once.
    TwoTools,
    /// One tool, if a person agrees.
    ToolToApprove,
    /// A question to a person.
    Question,
    /// One subtask.
    Subtask,
    /// A subtask and a tool at once.
    SubtaskAndTool,
    /// Two subtasks at once.
    TwoSubtasks,
    /// Text without a call.
    Text,
    /// Nothing.
    Empty,
}

/// How a request ends that was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It stopped.
    Cancelled,
    /// The response came first.
    Answered,
    /// It failed first.
    Failed,
}

/// What happens. Requests, calls and timers are named by the numbers that the kernel gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The task gets its place.
    Admit { task: TaskIndex },
    /// Its surroundings are ready, or cannot be made ready.
    Initialize { task: TaskIndex, ready: bool },
    /// Making them ready ends after it was told to stop.
    StopStart { task: TaskIndex, ready: bool },
    /// The model answers the request in flight.
    Respond { task: TaskIndex, flight: usize, said: Said },
    /// The request in flight fails.
    Fail { task: TaskIndex, flight: usize, failure: Failure },
    /// A request that was told to stop ends, in whichever way.
    Stop { task: TaskIndex, flight: usize, end: Stopped },
    /// An answer to a request that has been answered, replaced or lost.
    LateResponse { task: TaskIndex, turn: u8, attempt: u8, failed: bool },
    /// A tool ends.
    ToolEnds { task: TaskIndex, call: u8 },
    /// A tool ends after it was told to stop.
    StopTool { task: TaskIndex, call: u8 },
    /// The end of a tool comes again, or late.
    LateTool { task: TaskIndex, turn: u8, call: u8 },
    /// A person answers a question that is open.
    Answer { task: TaskIndex, number: u8, answer: Answer },
    /// A person's answer to a question comes again, or late.
    LateAnswer { task: TaskIndex, number: u8 },
    /// The user writes the next message.
    Write { task: TaskIndex },
    /// A message comes again.
    WriteAgain { task: TaskIndex, message: u8 },
    /// A message comes although the one before it has not.
    WriteAhead { task: TaskIndex },
    /// The user pauses a task.
    Pause { task: TaskIndex },
    /// The user resumes a task.
    Resume { task: TaskIndex },
    /// The user cancels a task.
    Cancel { task: TaskIndex },
    /// The backoff timer fires.
    Backoff { task: TaskIndex },
    /// The grace timer fires.
    Grace { task: TaskIndex },
    /// The task gets a place that it has had, or does not want.
    LateAdmit { task: TaskIndex },
    /// Its surroundings are made ready again, or nobody asked for it.
    LateInitialize { task: TaskIndex },
    /// A grace timer that fired, or was disarmed, fires again.
    LateGrace { task: TaskIndex },
    /// A backoff timer that fired, or was disarmed, fires again.
    LateBackoff { task: TaskIndex, turn: u8, attempt: u8 },
    /// The end of a task is put on record.
    Acknowledge { task: TaskIndex },
    /// The process crashes at rest.
    Crash,
}

/// The attempts of each turn in the scenarios.
const ATTEMPTS: u8 = 2;

/// Appends what the environment may do in a state of the scenario.
pub(super) fn actions(scenario: &Scenario, world: &World, actions: &mut Vec<Action>) {
    let first = actions.len();
    let mut list = Acts { scenario, world, actions };
    for task in 0..scenario.tasks {
        list.orders(task);
        list.people(task);
    }
    if scenario.late {
        let true_answers = list.actions.len();
        for task in 0..scenario.tasks {
            list.late(task);
        }
        keep_what_does_something(world, true_answers, list.actions);
    }
    if world.left.crashes > 0 {
        list.add(Act::Crash);
        for at in first..actions.len() {
            let act = actions[at].act;
            let effects = taken(world, act).map_or(0, |(_, effects)| effects.len());
            let cuts = u8::try_from(effects).unwrap_or(u8::MAX);
            actions.extend((0..cuts).map(|cut| Action { act, cut: Some(cut) }));
        }
    }
}

/// Leaves out the actions from `first` on that the kernel ignores without a trace, all but one: there are many of
/// them in each state, and each leads back to it. The one that stays shows that there are such events (S25).
fn keep_what_does_something(world: &World, first: usize, actions: &mut Vec<Action>) {
    let mut kernel = world.kernel.clone();
    let mut effects = Effects::default();
    let mut traceless = 0;
    let mut at = 0;
    actions.retain(|action| {
        at += 1;
        if at <= first {
            return true;
        }
        let Some(event) = event(world, action.act) else { return true };
        let applied = kernel.step(event, &mut effects) == Outcome::Applied;
        if applied || !effects.is_empty() || kernel != world.kernel {
            kernel.clone_from(&world.kernel);
            effects = Effects::default();
            return true;
        }
        traceless += 1;
        traceless == 1
    });
}

struct Acts<'a> {
    scenario: &'a Scenario,
    world: &'a World,
    actions: &'a mut Vec<Action>,
}

impl Acts<'_> {
    fn add(&mut self, act: Act) {
        self.actions.push(Action { act, cut: None });
    }

    /// The true answers to what was ordered.
    fn orders(&mut self, task: TaskIndex) {
        let orders = *self.world.outside.of(task);
        match orders.start {
            Start::Nothing => {}
            Start::Queued => self.add(Act::Admit { task }),
            Start::Initializing => {
                self.add(Act::Initialize { task, ready: true });
                if self.scenario.bad_starts {
                    self.add(Act::Initialize { task, ready: false });
                }
            }
            Start::Stopping => {
                self.add(Act::StopStart { task, ready: true });
                self.add(Act::StopStart { task, ready: false });
            }
        }
        for (at, flight) in orders.flights.iter().enumerate() {
            match flight {
                Some(Flight { stopping: false, .. }) => self.responses(task, at),
                Some(Flight { stopping: true, gone, .. }) => {
                    self.add(Act::Stop { task, flight: at, end: Stopped::Cancelled });
                    if !gone {
                        self.add(Act::Stop { task, flight: at, end: Stopped::Answered });
                        self.add(Act::Stop { task, flight: at, end: Stopped::Failed });
                    }
                }
                None => {}
            }
        }
        for call in (0..8).filter(|call| orders.tools & (1 << call) != 0) {
            if orders.tools_stopping & (1 << call) == 0 {
                self.add(Act::ToolEnds { task, call });
            } else {
                self.add(Act::StopTool { task, call });
            }
        }
        if orders.backoff.is_some() {
            self.add(Act::Backoff { task });
        }
        if orders.grace {
            self.add(Act::Grace { task });
        }
        if orders.ended {
            self.add(Act::Acknowledge { task });
        }
    }

    fn responses(&mut self, task: TaskIndex, flight: usize) {
        let left = &self.world.left;
        let mut say = |said, may: bool| {
            if may {
                self.actions.push(Action { act: Act::Respond { task, flight, said }, cut: None });
            }
        };
        let subtasks = self.scenario.tasks.saturating_sub(born(self.world));
        say(Said::Completion, true);
        say(Said::CompletionToApprove, left.questions > 0);
        say(Said::Question, left.questions > 0);
        say(Said::ToolToApprove, left.questions > 0 && left.tools > 0);
        say(Said::TwoTools, left.tools > 0);
        say(Said::Subtask, subtasks > 0);
        say(Said::SubtaskAndTool, subtasks > 0 && left.tools > 0);
        say(Said::TwoSubtasks, subtasks > 1);
        say(Said::Text, left.texts > 0);
        say(Said::Empty, left.failures > 0 && left.texts > 0);
        if left.failures > 0 {
            for failure in
                [Failure::Truncated, Failure::Throttled { retry_after_ms: Some(9_000) }, Failure::Permanent]
            {
                self.add(Act::Fail { task, flight, failure });
            }
        }
    }

    /// What people may do.
    fn people(&mut self, task: TaskIndex) {
        let Left { messages, cancels, pauses, .. } = self.world.left;
        let Some(state) = self.world.state(task) else { return };
        for number in (0..8).filter(|number| self.world.outside.of(task).questions & (1 << number) != 0) {
            self.add(Act::Answer { task, number, answer: Answer::Approved });
            self.add(Act::Answer { task, number, answer: Answer::Denied });
        }
        if self.world.paused(task).is_some() {
            self.add(Act::Resume { task });
        }
        if messages > 0 {
            self.add(Act::Write { task });
        }
        // An ended task is asked too: the wish comes too late, and nothing may come of it.
        if cancels > 0 {
            self.add(Act::Cancel { task });
        }
        if pauses > 0 && state.end().is_none() {
            self.add(Act::Pause { task });
        }
    }

    /// Every answer that was ever asked for, again, and some that nobody asked for.
    fn late(&mut self, task: TaskIndex) {
        let Some(known) = self.world.kernel.task(id(task)) else { return };
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let (turns, replied) = (small(known.data.turn.0), small(known.data.replied.0));
        let orders = *self.world.outside.of(task);
        // One turn and one question ahead were never asked.
        for turn in 1..=turns + 1 {
            for attempt in 0..ATTEMPTS {
                let flying = |flight: &Flight| (flight.turn, flight.attempt) == (turn, attempt);
                if !orders.flights.iter().flatten().any(flying) {
                    self.add(Act::LateResponse { task, turn, attempt, failed: false });
                    self.add(Act::LateResponse { task, turn, attempt, failed: true });
                }
                if orders.backoff != Some((turn, attempt)) && attempt > 0 {
                    self.add(Act::LateBackoff { task, turn, attempt });
                }
            }
        }
        if self.scenario.tools > 0 {
            for turn in 1..=replied {
                for call in 0..2 {
                    if (orders.tools_turn, orders.tools & (1 << call)) != (turn, 1 << call) {
                        self.add(Act::LateTool { task, turn, call });
                    }
                }
            }
        }
        for number in 1..=small(known.data.questions) {
            if orders.questions & (1 << number) == 0 {
                self.add(Act::LateAnswer { task, number });
            }
        }
        let written = small(self.world.outside.written(task));
        for message in 1..=written {
            self.add(Act::WriteAgain { task, message });
        }
        if self.scenario.messages > 0 {
            self.add(Act::WriteAhead { task });
        }
        if orders.start != Start::Queued {
            self.add(Act::LateAdmit { task });
        }
        if !matches!(orders.start, Start::Initializing | Start::Stopping) {
            self.add(Act::LateInitialize { task });
        }
        if !orders.grace {
            self.add(Act::LateGrace { task });
        }
    }
}

/// How many task ids were used: the next subtask takes the next place.
fn born(world: &World) -> u8 {
    world.kernel.highest().map_or(0, |highest| index(highest) + 1)
}

/// The event that an act tells the kernel.
pub(super) fn event(world: &World, act: Act) -> Option<Event> {
    let request = |task, turn: u8, attempt: u8| RequestId {
        task: id(task),
        turn: TurnNumber(u32::from(turn)),
        attempt: Attempt(u16::from(attempt)),
    };
    let flying = |task, flight: usize| {
        let flight = world.outside.of(task).flights[flight]?;
        Some(request(task, flight.turn, flight.attempt))
    };
    let question = |task, number: u8| QuestionId { task: id(task), number: u32::from(number) };
    let call = |task, turn: u8, call: u8| CallId {
        task: id(task),
        turn: TurnNumber(u32::from(turn)),
        index: u16::from(call),
    };
    Some(match act {
        Act::Admit { task } | Act::LateAdmit { task } => Event::Admitted { task: id(task) },
        Act::Initialize { task, ready: true }
        | Act::StopStart { task, ready: true }
        | Act::LateInitialize { task } => Event::Initialized { task: id(task) },
        Act::Initialize { task, ready: false } | Act::StopStart { task, ready: false } => {
            Event::InitializationFailed { task: id(task) }
        }
        Act::Respond { task, flight, said } => Event::ResponseEnded {
            request: flying(task, flight)?,
            response: response(world, said),
            jitter_ms: 0,
        },
        Act::Fail { task, flight, failure } => {
            Event::RequestFailed { request: flying(task, flight)?, failure, jitter_ms: 0 }
        }
        Act::Stop { task, flight, end } => {
            let request = flying(task, flight)?;
            match end {
                Stopped::Cancelled => Event::RequestCancelled { request },
                Stopped::Answered => Event::ResponseEnded { request, response: Response::Text, jitter_ms: 0 },
                Stopped::Failed => {
                    Event::RequestFailed { request, failure: Failure::Transient, jitter_ms: 0 }
                }
            }
        }
        Act::LateResponse { task, turn, attempt, failed: false } => Event::ResponseEnded {
            request: request(task, turn, attempt),
            // A subtask does the most harm; without an id for one, text has to do.
            response: response(
                world,
                if usize::from(born(world)) < TASKS { Said::Subtask } else { Said::Text },
            ),
            jitter_ms: 0,
        },
        Act::LateResponse { task, turn, attempt, failed: true } => Event::RequestFailed {
            request: request(task, turn, attempt),
            failure: Failure::Permanent,
            jitter_ms: 0,
        },
        Act::ToolEnds { task, call: at } => {
            let turn = world.outside.of(task).tools_turn;
            Event::ToolEnded { call: call(task, turn, at), end: ToolEnd::Succeeded }
        }
        Act::StopTool { task, call: at } => {
            let turn = world.outside.of(task).tools_turn;
            Event::ToolEnded { call: call(task, turn, at), end: ToolEnd::Cancelled }
        }
        Act::LateTool { task, turn, call: at } => {
            Event::ToolEnded { call: call(task, turn, at), end: ToolEnd::Failed }
        }
        Act::Answer { task, number, answer } => {
            Event::AnswerReceived { question: question(task, number), answer }
        }
        Act::LateAnswer { task, number } => {
            Event::AnswerReceived { question: question(task, number), answer: Answer::Approved }
        }
        Act::Write { task } => {
            let message = MessageId(world.outside.written(task) + 1);
            Event::MessageReceived { task: id(task), message }
        }
        Act::WriteAgain { task, message } => {
            Event::MessageReceived { task: id(task), message: MessageId(u32::from(message)) }
        }
        Act::WriteAhead { task } => {
            let message = MessageId(world.outside.written(task) + 2);
            Event::MessageReceived { task: id(task), message }
        }
        Act::Pause { task } => Event::PauseRequested { task: id(task) },
        Act::Resume { task } => Event::ResumeRequested { task: id(task) },
        Act::Cancel { task } => Event::CancelRequested { task: id(task) },
        Act::Backoff { task } => {
            let (turn, attempt) = world.outside.of(task).backoff?;
            Event::TimerFired { timer: Timer::Backoff(request(task, turn, attempt)) }
        }
        Act::LateBackoff { task, turn, attempt } => {
            Event::TimerFired { timer: Timer::Backoff(request(task, turn, attempt)) }
        }
        Act::Grace { task } | Act::LateGrace { task } => Event::TimerFired { timer: Timer::Grace(id(task)) },
        Act::Acknowledge { task } => Event::EndAcknowledged { task: id(task) },
        Act::Crash => return None,
    })
}

fn response(world: &World, said: Said) -> Response {
    let next = born(world);
    let subtask = |ahead| Call::Subtask { child: id(next + ahead) };
    let tool = Call::Tool(Approval::Granted);
    Response::Calls(match said {
        Said::Completion => vec![Call::Completion(Approval::Granted)],
        Said::CompletionToApprove => vec![Call::Completion(Approval::Required)],
        Said::TwoTools => vec![tool, tool],
        Said::ToolToApprove => vec![Call::Tool(Approval::Required)],
        Said::Question => vec![Call::Question],
        Said::Subtask => vec![subtask(0)],
        Said::SubtaskAndTool => vec![subtask(0), tool],
        Said::TwoSubtasks => vec![subtask(0), subtask(1)],
        Said::Text => return Response::Text,
        Said::Empty => return Response::Empty,
    })
}

/// A kernel that has taken the event of an act, and its effects; `None` if it did not apply it, or if the act is no
/// event.
pub(super) fn taken(world: &World, act: Act) -> Option<(Kernel, Effects)> {
    let mut kernel = world.kernel.clone();
    let mut effects = Effects::default();
    let outcome = kernel.step(event(world, act)?, &mut effects);
    (outcome == Outcome::Applied).then_some((kernel, effects))
}

/// The state after an action.
pub(super) fn next(world: &World, action: &Action) -> Option<World> {
    let mut after = world.clone();
    let Some(event) = event(world, action.act) else {
        after.crash();
        return Some(after);
    };
    let Some(effects) = after.step(&world.kernel, event) else {
        return action.cut.is_none().then_some(after);
    };
    after.spend(action.act);
    after.see(world, action.act);
    match action.cut {
        None => after.release(&effects),
        Some(cut) => {
            after.release(&effects.cut(usize::from(cut)));
            after.crash();
        }
    }
    Some(after)
}

impl World {
    /// Takes an act that was applied off the budget, and off what is outstanding.
    fn spend(&mut self, act: Act) {
        let left = &mut self.left;
        match act {
            Act::Write { .. } => left.messages -= 1,
            Act::Cancel { .. } => left.cancels -= 1,
            Act::Pause { .. } => left.pauses -= 1,
            Act::Fail { .. } => left.failures -= 1,
            Act::Respond { said, .. } => match said {
                Said::Completion | Said::Subtask | Said::TwoSubtasks => {}
                Said::CompletionToApprove | Said::Question => left.questions -= 1,
                Said::TwoTools | Said::SubtaskAndTool => left.tools -= 1,
                Said::ToolToApprove => (left.tools, left.questions) = (left.tools - 1, left.questions - 1),
                Said::Text => left.texts -= 1,
                Said::Empty => left.failures -= 1,
            },
            Act::Admit { .. }
            | Act::Initialize { .. }
            | Act::StopStart { .. }
            | Act::Stop { .. }
            | Act::LateResponse { .. }
            | Act::ToolEnds { .. }
            | Act::StopTool { .. }
            | Act::LateTool { .. }
            | Act::Answer { .. }
            | Act::LateAnswer { .. }
            | Act::WriteAgain { .. }
            | Act::WriteAhead { .. }
            | Act::Resume { .. }
            | Act::Backoff { .. }
            | Act::Grace { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::Acknowledge { .. }
            | Act::Crash => {}
        }
        match act {
            Act::Admit { task } | Act::Initialize { task, .. } | Act::StopStart { task, .. } => {
                self.outside.of_mut(task).start = Start::Nothing;
            }
            Act::Respond { task, flight, .. }
            | Act::Fail { task, flight, .. }
            | Act::Stop { task, flight, .. } => {
                self.outside.of_mut(task).land(flight);
            }
            Act::ToolEnds { task, call } | Act::StopTool { task, call } => {
                let orders = self.outside.of_mut(task);
                orders.tools &= !(1 << call);
                orders.tools_stopping &= !(1 << call);
            }
            Act::Answer { task, number, .. } => self.outside.of_mut(task).questions &= !(1 << number),
            Act::Backoff { task } => self.outside.of_mut(task).backoff = None,
            Act::Grace { task } => self.outside.of_mut(task).grace = false,
            Act::Acknowledge { task } => self.outside.of_mut(task).ended = false,
            Act::LateResponse { .. }
            | Act::LateTool { .. }
            | Act::LateAnswer { .. }
            | Act::Write { .. }
            | Act::WriteAgain { .. }
            | Act::WriteAhead { .. }
            | Act::Pause { .. }
            | Act::Resume { .. }
            | Act::Cancel { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::Crash => {}
        }
    }

    /// What the outside sees of an event that was applied, before its effects.
    fn see(&mut self, before: &Self, act: Act) {
        match act {
            Act::Respond { task, flight, said } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                self.watch.request_ended(task);
                if said != Said::Empty {
                    self.watch.turn_answered(task, flight.turn);
                }
                self.watch.calls_made(task, said.calls());
            }
            Act::Fail { task, .. } => self.watch.request_ended(task),
            Act::Stop { task, flight, end } => {
                let Some(flight) = before.outside.of(task).flights[flight] else { return };
                if !flight.gone {
                    self.watch.request_ended(task);
                }
                if end == Stopped::Answered {
                    self.watch.turn_answered(task, flight.turn);
                }
            }
            Act::Write { task } => {
                let m = self.outside.own(task);
                self.watch.message_accepted(task, m);
            }
            Act::Cancel { task } => self.watch.cancel_requested(task),
            Act::Answer { task, number, .. } | Act::LateAnswer { task, number } => {
                self.see_settled(before, task, Some(number));
            }
            Act::Admit { .. }
            | Act::Initialize { .. }
            | Act::StopStart { .. }
            | Act::LateResponse { .. }
            | Act::ToolEnds { .. }
            | Act::StopTool { .. }
            | Act::LateTool { .. }
            | Act::WriteAgain { .. }
            | Act::WriteAhead { .. }
            | Act::Pause { .. }
            | Act::Resume { .. }
            | Act::Backoff { .. }
            | Act::Grace { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::Acknowledge { .. }
            | Act::Crash => {}
        }
        if let Act::Write { task } = act {
            self.see_settled(before, task, None);
        }
    }

    /// The questions that were open and are not: an act that named `named` has settled them.
    fn see_settled(&mut self, before: &Self, task: TaskIndex, named: Option<u8>) {
        let mut settled = [false; 8];
        before.asking(task).for_each(|number| settled[number as usize % 8] = true);
        self.asking(task).for_each(|number| settled[number as usize % 8] = false);
        for (number, settled) in (0..).zip(settled) {
            if settled {
                self.watch.question_settled(task, number, named);
            }
        }
    }
}

impl Said {
    /// The calls of the model's that want a result.
    fn calls(self) -> u8 {
        match self {
            Self::Completion
            | Self::CompletionToApprove
            | Self::ToolToApprove
            | Self::Question
            | Self::Subtask => 1,
            Self::TwoTools | Self::SubtaskAndTool | Self::TwoSubtasks => 2,
            Self::Text | Self::Empty => 0,
        }
    }
}

/// Nobody forgets for ever to do what was ordered. What was told to stop may never answer, people may never act,
/// and nothing need come late or crash.
pub(super) fn fairness(tasks: u8) -> Vec<Fairness<KernelModel>> {
    let mut all: Vec<Fairness<KernelModel>> = Vec::new();
    let mut fair = |name: String, includes: Box<dyn Fn(&Action) -> bool + Send + Sync>| {
        all.push(Fairness {
            name,
            includes: Box::new(move |action| action.cut.is_none() && includes(action)),
        });
    };
    for wanted in 0..tasks {
        let name = super::words::TASK_NAMES[usize::from(wanted)];
        fair(
            format!("{name} gets its place"),
            Box::new(move |action| action.act == Act::Admit { task: wanted }),
        );
        fair(
            format!("{name} is initialized"),
            Box::new(move |action| matches!(action.act, Act::Initialize { task, .. } if task == wanted)),
        );
        fair(
            format!("a request of {name} ends"),
            Box::new(
                move |action| matches!(action.act, Act::Respond { task, .. } | Act::Fail { task, .. } if task == wanted),
            ),
        );
        for wanted_call in 0..2 {
            fair(
                format!("tool {wanted_call} of {name} ends"),
                Box::new(move |action| action.act == Act::ToolEnds { task: wanted, call: wanted_call }),
            );
        }
        fair(
            format!("the backoff timer of {name} fires"),
            Box::new(move |action| action.act == Act::Backoff { task: wanted }),
        );
        fair(
            format!("the grace timer of {name} fires"),
            Box::new(move |action| action.act == Act::Grace { task: wanted }),
        );
        fair(
            format!("the end of {name} is recorded"),
            Box::new(move |action| action.act == Act::Acknowledge { task: wanted }),
        );
    }
    all
}
