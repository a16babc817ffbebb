//! Runs of the kernel that are drawn, and written down: each has to be explained, whatever of it is left out.

use downbeat_kernel::{
    Answer, Approval, Call, CallState, Config, Event as Told, MessageId, Outcome, QuestionId, RequestEvent,
    RequestId, Response, SendFailure, TaskId, TaskState, ToolEnd,
};
use downbeat_trace::{End, Event, Field, Kind, Name, Place};

use crate::log::Vocabulary;
use crate::sight::Sight;
use crate::system::System;
use crate::{Order, Settings, Verdict, explain};

/// Steele's `SplitMix64`.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap_or(0)
    }
}

/// A run, and what an observer writes down of it who sees everything.
struct Observer {
    system: System,
    draws: Draws,
    trace: Vec<Event<'static>>,
    began: Vec<TaskId>,
    is_prompt: bool,
    /// Whether its process may die.
    is_mortal: bool,
    all: Vocabulary,
}

impl Observer {
    fn new(seed: u64, config: Config) -> Self {
        let mut system = System::new(config, 1);
        system.bind_task(0, TaskId(1));
        Self {
            system,
            draws: Draws(seed),
            trace: Vec::new(),
            began: vec![TaskId(1)],
            is_prompt: seed.is_multiple_of(2),
            is_mortal: false,
            all: Vocabulary::everything(),
        }
    }

    fn write(&mut self, kind: Kind, task: TaskId, with: impl FnOnce(Event<'static>) -> Event<'static>) {
        self.trace.push(with(Event::new(kind).with(Field::Task, Name::Number(task.0))));
    }

    /// Tells the kernel something, and writes down what follows.
    fn tell(&mut self, event: Told) -> Outcome {
        let outcome = self.system.step(event, self.all);
        for owed in std::mem::take(&mut self.system.owed) {
            self.show(owed);
        }
        outcome
    }

    fn show(&mut self, sight: Sight) {
        let number = |number: u64| Name::Number(number);
        match sight {
            Sight::Started(task) => {
                if !self.began.contains(&task) {
                    self.began.push(task);
                }
                let parent = self.system.kernel.task(task).and_then(|task| task.data.parent);
                self.write(Kind::TaskStarted, task, |event| match parent {
                    Some(parent) => event.with(Field::Parent, number(parent.0)),
                    None => event,
                });
            }
            Sight::Sent(RequestId { task, turn, attempt }) => {
                let found = self.system.flights.iter_mut().find(|flight| flight.request.task == task);
                if let Some(flight) = found {
                    flight.is_seen = true;
                }
                self.write(Kind::RequestStarted, task, |event| {
                    event
                        .with(Field::Turn, number(turn.0.into()))
                        .with(Field::Attempt, number(attempt.0.into()))
                });
            }
            Sight::ToolRan(call) => {
                self.write(Kind::ToolStarted, call.task, |event| event.with(Field::Call, name(call)));
            }
            Sight::Result(call) => {
                self.write(Kind::ToolResult, call.task, |event| event.with(Field::Call, name(call)));
            }
            Sight::Delivered { task, child } => {
                self.write(Kind::ResultDelivered, task, |event| event.with(Field::Child, number(child.0)));
            }
            Sight::Given(task, message) => self.write(Kind::MessageDelivered, task, |event| {
                event.with(Field::Message, number(message.0.into()))
            }),
            Sight::Returned(task, message) => self.write(Kind::MessageReturned, task, |event| {
                event.with(Field::Message, number(message.0.into()))
            }),
            Sight::Asked(QuestionId { task, number: question }) => {
                self.write(Kind::Question, task, |event| {
                    event.with(Field::Question, number(question.into()))
                });
            }
            // A subtask that has not begun is not in the trace.
            Sight::Ended(task, _) if !self.began.contains(&task) => {}
            Sight::Ended(task, end) => {
                let end = match end {
                    downbeat_kernel::End::Completed => End::Completed,
                    downbeat_kernel::End::Failed(_) => End::Failed,
                    downbeat_kernel::End::Cancelled => End::Cancelled,
                };
                self.write(Kind::TaskEnded, task, |event| event.ended(end));
            }
        }
    }

    fn play(mut self, steps: usize) -> Vec<Event<'static>> {
        self.write(Kind::TaskStarted, TaskId(1), |event| event);
        let _ =
            self.tell(Told::TaskSubmitted { task: TaskId(1), budget: downbeat_kernel::Budget::default() });
        for _ in 0..steps {
            self.turn();
        }
        self.trace
    }

    /// The process dies and begins again, and shows some of what it has shown once more.
    fn restart(&mut self) {
        self.trace.push(Event::new(Kind::Restart));
        self.system.restart(self.all);
        assert_eq!(self.system.owed, [], "all of it was shown");
        for sight in self.system.again.clone() {
            if self.draws.below(2) == 0 && self.system.show(sight) {
                self.show(sight);
            }
        }
        for at in 0..self.system.flights.len() {
            if self.draws.below(2) == 0 {
                self.system.flights[at].may_repeat = false;
                self.show(Sight::Sent(self.system.flights[at].request));
            }
        }
    }

    /// Something happens that may.
    fn turn(&mut self) {
        if self.is_mortal && self.draws.below(20) == 0 {
            return self.restart();
        }
        let began = self.system.kernel.tasks().filter(|task| self.began.contains(&task.id));
        let tasks: Vec<_> = began.map(|task| (task.id, task.state)).collect();
        let Some((task, state)) = tasks.get(self.draws.below(tasks.len().max(1))).copied() else { return };
        match state {
            TaskState::Queued => {
                let _ = self.tell(Told::Admitted { task });
                return;
            }
            TaskState::Initializing => {
                let _ = self.tell(Told::Initialized { task });
                return;
            }
            TaskState::Requesting
            | TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget
            | TaskState::Working
            | TaskState::Paused(_)
            | TaskState::Cancelling(_)
            | TaskState::Ending(_)
            | TaskState::Completed
            | TaskState::Failed(_)
            | TaskState::Cancelled => {}
        }
        match self.draws.below(12) {
            0 => self.message(task),
            1 if self.draws.below(6) == 0 => {
                self.write(Kind::Cancel, task, |event| event);
                let _ = self.tell(Told::CancelRequested { task });
            }
            2 => {
                self.write(Kind::Pause, task, |event| event);
                let _ = self.tell(Told::PauseRequested { task });
            }
            3 | 4 => {
                self.write(Kind::Resume, task, |event| event);
                let _ = self.tell(Told::ResumeRequested { task });
            }
            5 => self.timer(),
            6 | 7 => self.call(task),
            _ => self.response(task),
        }
    }

    fn message(&mut self, task: TaskId) {
        let Some(known) = self.system.kernel.task(task) else { return };
        let message = MessageId(known.data.accepted.0 + 1);
        let at = self.trace.len();
        if self.tell(Told::MessageReceived { task, message }) == Outcome::Applied {
            let event = Event::new(Kind::MessageQueued).with(Field::Task, Name::Number(task.0));
            self.trace.insert(at, event.with(Field::Message, Name::Number(message.0.into())));
        }
    }

    fn timer(&mut self) {
        let count = self.system.armed.len();
        if count > 0 {
            let armed = self.system.armed[self.draws.below(count)];
            let event = self.system.fired(armed);
            let _ = self.tell(event);
        }
    }

    fn call(&mut self, task: TaskId) {
        for (call, state) in self.system.calls_of(task) {
            match state {
                CallState::Running => {
                    // An observer may write a result down at once, or when it becomes part of what comes next.
                    if self.is_prompt {
                        self.system.shown.push(call);
                        self.write(Kind::ToolResult, task, |event| event.with(Field::Call, name(call)));
                    }
                    let _ = self.tell(Told::ToolEnded { call, end: ToolEnd::Succeeded });
                    return;
                }
                CallState::Asking { number, .. } => {
                    let answer = [Answer::Approved, Answer::Denied, Answer::Text][self.draws.below(3)];
                    let named = Name::Number(number.into());
                    self.write(Kind::Answer, task, |event| {
                        event.with(Field::Question, named.clone()).with(Field::Settles, named)
                    });
                    let _ = self.tell(Told::AnswerReceived { question: QuestionId { task, number }, answer });
                    return;
                }
                CallState::Waiting(_) | CallState::Subtask { .. } | CallState::Settled(_) => {}
            }
        }
    }

    fn response(&mut self, task: TaskId) {
        let flight = self.system.flights.iter().find(|flight| flight.request.task == task).copied();
        let Some(flight) = flight else { return };
        let RequestId { turn, attempt, .. } = flight.request;
        let named = |event: Event<'static>| event.with(Field::Turn, Name::Number(turn.0.into()));
        self.system.landed(flight.request);
        if flight.is_stopping {
            self.write(Kind::RequestEnded, task, |event| named(event).ended(End::Stopped));
            let _ = self.tell(Told::Request { task, turn, event: RequestEvent::Stopped { attempt } });
            return;
        }
        if self.draws.below(5) == 0 {
            self.write(Kind::RequestEnded, task, |event| named(event).ended(End::Failed));
            let failure = SendFailure::Transient;
            let event = RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 };
            let _ = self.tell(Told::Request { task, turn, event });
            return;
        }
        let child = self.system.fresh();
        let calls = match self.draws.below(6) {
            0 => vec![Call::Tool(Approval::Granted), Call::Tool(Approval::Granted)],
            1 => vec![Call::Tool(Approval::Granted), Call::Subtask { child }],
            2 => vec![Call::Subtask { child }],
            3 => vec![Call::Question],
            4 => vec![Call::Tool(Approval::Required)],
            _ => vec![Call::Completion(Approval::Granted)],
        };
        self.write(Kind::RequestEnded, task, |event| named(event).ended(End::Completed));
        let at = self.trace.len();
        let response = Response::Calls(calls.clone());
        let _ = self.tell(Told::ResponseEnded { request: flight.request, response, jitter_ms: 0 });
        let made = self.trace.split_off(at);
        for (index, call) in (0..).zip(&calls) {
            if let Call::Tool(_) = call {
                let call = downbeat_kernel::CallId { task, turn, index };
                self.system.calls.push((self.trace.len(), call));
                let call = name(call);
                self.write(Kind::ToolCall, task, |event| event.with(Field::Call, call));
            }
        }
        self.trace.extend(made);
    }
}

fn name(call: downbeat_kernel::CallId) -> Name<'static> {
    Name::Text(format!("{}.{}", call.turn.0, call.index).into())
}

fn placed(trace: Vec<Event<'static>>) -> Vec<(Place, Event<'static>)> {
    (1..).zip(trace).map(|(line, event)| (Place { line, ..Place::default() }, event)).collect()
}

/// Kinds without which something of a run is not to be seen.
const LEFT_OUT: [&[Kind]; 9] = [
    &[],
    &[Kind::TaskStarted],
    &[Kind::TaskStarted, Kind::ResultDelivered],
    &[Kind::Question],
    &[Kind::ToolStarted],
    &[Kind::ToolCall, Kind::ToolStarted, Kind::ToolResult],
    &[Kind::Question, Kind::Answer],
    &[Kind::MessageQueued],
    &[Kind::RequestEnded, Kind::ToolCall, Kind::ToolResult],
];

/// A run is not rejected, also without some kinds. How many of its trees are undecided.
fn assert_explained(seed: u64, trace: &[Event<'static>], left_out: &[Kind], settings: Settings) -> usize {
    // Nobody looks for a pause where neither its beginning nor its end is ever written down.
    let is_whole = [Kind::Pause, Kind::Resume].iter().any(|kind| !left_out.contains(kind));
    let settings = Settings { is_whole, ..settings };
    let kept: Vec<_> = trace.iter().filter(|event| !left_out.contains(&event.kind)).cloned().collect();
    let mut undecided = 0;
    for tree in explain(placed(kept.clone()), settings) {
        match &tree.verdict {
            Verdict::Explained(_) => {}
            Verdict::Undecided(..) | Verdict::NoBeginning(_) => undecided += 1,
            other @ Verdict::Rejected(_) => {
                let lines: Vec<_> = kept.iter().map(Event::line).collect();
                panic!("seed {seed} without {left_out:?}: {other:#?}\n{}", lines.join("\n"));
            }
        }
    }
    undecided
}

#[test]
fn what_the_kernel_did_is_explained_whatever_is_left_out() {
    for seed in 0..300 {
        let trace = Observer::new(seed, Config::default()).play(40);
        for left_out in LEFT_OUT {
            assert_eq!(
                assert_explained(seed, &trace, left_out, Settings::default()),
                0,
                "seed {seed} without {left_out:?}"
            );
        }
    }
}

#[test]
fn what_is_shown_again_after_a_restart_is_explained() {
    for seed in 0..300 {
        let mut observer = Observer::new(seed, Config::default());
        observer.is_mortal = true;
        let trace = observer.play(40);
        for left_out in LEFT_OUT {
            assert_eq!(
                assert_explained(seed, &trace, left_out, Settings::default()),
                0,
                "seed {seed} without {left_out:?}"
            );
        }
    }
}

/// Some kinds, each with one chance in three; without restarts nothing could be shown again.
fn drawn_kinds(seed: u64) -> Vec<Kind> {
    let mut draws = Draws(seed);
    let is_drawn = |kind: &Kind| *kind != Kind::Restart && draws.below(3) == 0;
    Kind::ALL.iter().copied().filter(is_drawn).collect()
}

#[test]
fn what_the_kernel_did_is_explained_whatever_kinds_are_left_out() {
    let settings = Settings { situations_max: 2_000, ..Settings::default() };
    let mut undecided = 0;
    for seed in 0..1_500 {
        let mut observer = Observer::new(seed, Config::default());
        observer.is_mortal = seed % 2 == 0;
        let trace = observer.play(40);
        undecided += assert_explained(seed, &trace, &drawn_kinds(seed), settings);
    }
    assert!(undecided < 100, "{undecided} were undecided");
}

#[test]
fn the_order_within_tasks_is_enough() {
    let settings = Settings { order: Order::Tasks, ..Settings::default() };
    let few = Settings { situations_max: 2_000, ..settings };
    let mut undecided = 0;
    for seed in 0..100 {
        let mut by_task = Observer::new(seed, Config::default()).play(30);
        // Each task by itself, one after the other.
        by_task.sort_by_key(|event| event.number(Field::Task));
        assert_eq!(assert_explained(seed, &by_task, &[], settings), 0, "seed {seed}");
        undecided += assert_explained(seed, &by_task, &drawn_kinds(seed), few);
    }
    assert!(undecided < 10, "{undecided} were undecided");
}

/// Whether no run explains a trace.
fn is_rejected(trace: Vec<Event<'static>>) -> bool {
    let settings = Settings { is_whole: false, ..Settings::default() };
    explain(placed(trace), settings).iter().any(|tree| matches!(tree.verdict, Verdict::Rejected(_)))
}

#[test]
fn a_request_that_nobody_ordered_is_explained_by_nothing() {
    let mut rejected = 0;
    for seed in 0..100 {
        let mut trace = Observer::new(seed, Config::default()).play(40);
        let sent: Vec<_> = (0..trace.len()).filter(|at| trace[*at].kind == Kind::RequestStarted).collect();
        if !trace.iter().any(|event| event.kind == Kind::RequestEnded) {
            // Nobody knows that the first one has not failed.
            continue;
        }
        let Some(at) = sent.get(usize::try_from(seed).unwrap_or(0) % sent.len().max(1)).copied() else {
            continue;
        };
        // The same send again: the double continuation.
        trace.insert(at + 1, trace[at].clone());
        let explained = explain(placed(trace.clone()), Settings::default());
        let Verdict::Rejected(prefix) = &explained[0].verdict else { panic!("seed {seed}: {explained:#?}") };
        // One of the two can come, and nothing after it.
        assert_eq!(prefix.next[0].line, u64::try_from(at).unwrap_or(0) + 2, "seed {seed}");
        rejected += 1;
    }
    assert!(rejected > 70, "{rejected} of 100 were tried");
}

#[test]
fn line_that_is_missing_is_missed_unless_it_may_be_still_to_come() {
    use Kind::{MessageDelivered, Question, RequestStarted, ResultDelivered, TaskEnded, ToolResult};
    let settings = Settings { is_whole: true, ..Settings::default() };
    let (mut tried, mut rejected) = (0, 0);
    for seed in 0..200 {
        let trace = Observer::new(seed, Config::default()).play(40);
        for kind in [MessageDelivered, Question, RequestStarted, ResultDelivered, TaskEnded, ToolResult] {
            let of_kind: Vec<_> = (0..trace.len()).filter(|at| trace[*at].kind == kind).collect();
            // With the last of its kind nobody would know that it is ever written down.
            if of_kind.len() > 1 {
                let mut without = trace.clone();
                without.remove(of_kind[usize::try_from(seed).unwrap_or(0) % of_kind.len()]);
                let verdict = explain(placed(without), settings).remove(0).verdict;
                rejected += usize::from(matches!(verdict, Verdict::Rejected(_)));
                tried += 1;
            }
        }
    }
    assert!(tried > 250 && rejected * 100 > tried * 85, "{rejected} of {tried} are rejected");
}

#[test]
fn what_a_kernel_with_a_fault_did_is_not_always_explained() {
    use downbeat_kernel::Fault;
    let faults = [
        Fault::PauseHoldsNothing,
        Fault::ResumeWithoutCheck,
        Fault::NoCascade,
        Fault::MessageTakenTwice,
        Fault::MessagesReversed,
    ];
    for fault in faults {
        let config = Config { fault: Some(fault), ..Config::default() };
        let found = (0..2_000).find(|seed| is_rejected(Observer::new(*seed, config).play(60)));
        assert!(found.is_some(), "{fault:?}: every run is explained");
    }
}

#[test]
fn clocks_that_differ_are_explained_as_far_as_they_are_said_to() {
    let mut rejected = 0;
    for seed in 0..60 {
        let trace = Observer::new(seed, Config::default()).play(40);
        // Each task is observed by somebody else, whose clock is up to 30 ms ahead; something happens every 10 ms.
        let timed = (0_u32..).zip(trace).map(|(nth, event)| {
            let task = event.number(Field::Task).unwrap_or(0);
            let ahead = u32::try_from((task * 17 + seed) % 30).unwrap_or(0);
            event.at(f64::from(nth * 10 + ahead))
        });
        let mut by_time: Vec<_> = timed.collect();
        by_time.sort_by(|one, other| one.at_ms.partial_cmp(&other.at_ms).expect("no time is no number"));
        let verdict = |apart_ms| {
            let settings = Settings { order: Order::Times { apart_ms }, ..Settings::default() };
            explain(placed(by_time.clone()), settings).remove(0).verdict
        };
        let settings =
            Settings { situations_max: 2_000, order: Order::Times { apart_ms: 30.0 }, ..Settings::default() };
        assert_explained(seed, &by_time, &drawn_kinds(seed), settings);
        let far = verdict(30.0);
        assert!(matches!(far, Verdict::Explained(_)), "seed {seed}: {far:#?}");
        rejected += usize::from(matches!(verdict(0.0), Verdict::Rejected(_)));
    }
    assert!(rejected > 0, "clocks that are said to agree may not show the impossible");
}
