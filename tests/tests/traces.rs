//! The monitor of traces and the watch of the models judge the same observations alike: two implementations of one statement.
//!
//! Random observations of three tasks are told to both, as a line of a trace and as what a model says. A promise has to be broken for both
//! at the same step, or for neither. Where they differ for a reason it is the [`Excuse`] that says so, and then it is the monitor that
//! says nothing: it has to do with the traces of systems that it does not know.

use downbeat_models::watch::{How, MESSAGES, NO_BUDGET, Promise, TASKS, TURNS, Watch};
use downbeat_trace::{End, Event, Field, Kind, Monitor, Name, Place, Property, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// A promise that both judge.
#[derive(Clone, Copy)]
struct Common {
    property: Property,
    /// What the watch calls it; of S1 it keeps no breach, but how many requests are in flight.
    promise: Option<Promise>,
    /// Without the events of this kind the monitor judges otherwise.
    rests_on: Kind,
}

const COMMON: [Common; 9] = [
    Common { property: Property::S1, promise: None, rests_on: Kind::RequestEnded },
    Common { property: Property::S2, promise: Some(Promise::S2), rests_on: Kind::RequestStarted },
    Common { property: Property::S3, promise: Some(Promise::S3), rests_on: Kind::ResultDelivered },
    Common { property: Property::S4, promise: Some(Promise::S4), rests_on: Kind::ResultDelivered },
    Common { property: Property::S5, promise: Some(Promise::S5), rests_on: Kind::MessageDelivered },
    Common { property: Property::S6, promise: Some(Promise::S6), rests_on: Kind::Answer },
    Common { property: Property::S7, promise: Some(Promise::S7), rests_on: Kind::TaskEnded },
    Common { property: Property::S8, promise: Some(Promise::S8), rests_on: Kind::ToolResult },
    Common { property: Property::S19, promise: Some(Promise::S19), rests_on: Kind::Cancel },
];

/// Steps of one history.
const STEPS: usize = 60;
/// Calls of one response.
const CALLS: u8 = 3;

/// Why one of them says nothing where the other sees a breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excuse {
    /// A request came to nothing, or a crash came: what it carried may be written down once more when it is built again. A model tells of
    /// that once.
    BuiltAgain,
    /// After a crash the last send is repeated, so that its response was lost, and the calls in it are void. A model says that calls were
    /// made when its journal has them.
    ResponseLost,
    /// The parent has sent a request while the subtask was live, so that it does not wait for the result. The kernel's parents do.
    GoesOnBeside,
    /// A message goes with another turn before the request that carries it came to nothing. The monitor says so at once, and the watch when
    /// a message goes out that was answered.
    GoesTwice,
}

impl Excuse {
    /// Whether it is the watch that says nothing.
    fn is_of_the_watch(self) -> bool {
        match self {
            Self::GoesTwice => true,
            Self::BuiltAgain | Self::ResponseLost | Self::GoesOnBeside => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Unborn,
    Live,
    Ended,
}

/// What is kept of a task so that only what can be observed is told.
#[derive(Clone, Debug)]
struct Task {
    life: Life,
    parent: Option<u8>,
    flying: Vec<(u8, u8)>,
    last: Option<(u8, u8)>,
    /// A request of it was not answered whole.
    has_failed: bool,
    /// A restart came after the last send.
    may_repeat: bool,
    /// Its parent has sent while it was live.
    is_beside: bool,
}

const UNBORN: Task = Task {
    life: Life::Unborn,
    parent: None,
    flying: Vec::new(),
    last: None,
    has_failed: false,
    may_repeat: false,
    is_beside: false,
};

struct Both {
    watch: Watch,
    monitor: Monitor,
    /// Events of this kind are kept from the monitor.
    withheld: Option<Kind>,
    line: u64,
    tasks: [Task; TASKS],
    /// Whom each message was written to.
    owners: Vec<u8>,
    /// With which turn each was given.
    turns: [Option<u8>; MESSAGES],
    questions: u64,
    has_restarted: bool,
    /// Why the watch alone may see a breach in this step.
    excuses: Vec<(Property, Excuse)>,
}

fn event(kind: Kind, task: u8) -> Event<'static> {
    Event::new(kind).with(Field::Task, Name::Number(task.into()))
}

impl Both {
    fn new(withheld: Option<Kind>) -> Self {
        let mut both = Self {
            watch: Watch::new(NO_BUDGET),
            monitor: Monitor::default(),
            withheld: None,
            line: 0,
            tasks: [UNBORN; TASKS],
            owners: Vec::new(),
            turns: [None; MESSAGES],
            questions: 0,
            has_restarted: false,
            excuses: Vec::new(),
        };
        // So that the monitor has heard of everything that a verdict needs: another task, with which nothing is wrong.
        let named = |kind: Kind, task: u8, field: Field, number: u64| {
            event(kind, task).with(field, Name::Number(number))
        };
        for event in [
            event(Kind::TaskStarted, 100),
            named(Kind::TaskStarted, 101, Field::Parent, 100),
            event(Kind::TaskEnded, 101).ended(End::Completed),
            named(Kind::ResultDelivered, 100, Field::Child, 101),
            named(Kind::MessageQueued, 100, Field::Message, 1),
            named(Kind::MessageDelivered, 100, Field::Message, 1),
            named(Kind::RequestStarted, 100, Field::Turn, 1),
            named(Kind::RequestEnded, 100, Field::Turn, 1).ended(End::Completed),
            named(Kind::ToolCall, 100, Field::Call, 1),
            named(Kind::ToolResult, 100, Field::Call, 1),
            named(Kind::Question, 100, Field::Question, 1),
            named(Kind::Answer, 100, Field::Question, 1).with(Field::Settles, Name::Number(1)),
            event(Kind::TaskEnded, 100).ended(End::Completed),
            event(Kind::Cancel, 102),
        ] {
            both.write(&event);
        }
        both.withheld = withheld;
        both
    }

    fn write(&mut self, event: &Event<'_>) {
        if self.withheld != Some(event.kind) {
            self.line += 1;
            self.monitor.take(Place { line: self.line, ..Place::default() }, event, event.line().as_bytes());
        }
    }

    fn task(&mut self, task: u8) -> &mut Task {
        &mut self.tasks[usize::from(task)]
    }

    fn excuse(&mut self, is_so: bool, property: Property, excuse: Excuse) {
        if is_so {
            self.excuses.push((property, excuse));
        }
    }

    /// One observation, told to both; nothing if it cannot be made now.
    fn step(&mut self, [what, who, one, other]: [u8; 4]) {
        self.excuses.clear();
        let task = who % 3;
        let life = self.task(task).life;
        if what % 16 == 0 {
            return self.started(task, one);
        }
        if life == Life::Unborn {
            return;
        }
        match what % 16 {
            1..=3 => self.sent(task, one, other),
            4 | 5 => self.request_ended(task, one, other),
            6 => self.call_made(task, one),
            7 => self.call_result(task, one),
            8 => self.tool_ran(task),
            9 => self.task_ended(task, one),
            10 => self.result_given(task, one, other),
            11 => self.message_accepted(task),
            12 => self.message_given(task, one, other),
            13 => self.message_reported(one),
            14 => self.question_settled(task, one),
            _ => match one % 4 {
                0 | 1 => {
                    self.watch.cancel_requested(task);
                    self.write(&event(Kind::Cancel, task));
                }
                2 => {
                    self.watch.cancel_withdrawn(task);
                    self.write(&event(Kind::Resume, task));
                }
                _ => self.restarted(),
            },
        }
    }

    fn started(&mut self, task: u8, one: u8) {
        let parent = match task {
            0 => None,
            1 => Some(0),
            _ => Some(one % 2),
        };
        let is_parent_unborn = parent.is_some_and(|parent| self.task(parent).life == Life::Unborn);
        if self.task(task).life == Life::Live || is_parent_unborn {
            return;
        }
        self.watch.started(task, parent);
        if self.task(task).life == Life::Unborn {
            *self.task(task) = Task { life: Life::Live, parent, ..UNBORN };
        }
        let started = event(Kind::TaskStarted, task);
        self.write(
            &parent
                .into_iter()
                .fold(started, |event, parent| event.with(Field::Parent, Name::Number(parent.into()))),
        );
    }

    fn sent(&mut self, task: u8, one: u8, other: u8) {
        let last = self.task(task).last;
        let (turn, attempt) = match (last, one % 8) {
            (None, _) => (0, 0),
            (Some((turn, _)), 0..=3) if turn + 1 < TURNS => (turn + 1, 0),
            (Some((turn, attempt)), 0..=4) => (turn, attempt + 1),
            (Some((turn, attempt)), 5 | 6) => (turn, attempt),
            (Some((turn, _)), _) => (other % (turn + 1), 0),
        };
        let repeats = self.task(task).may_repeat && last == Some((turn, attempt));
        let has_open_calls = self.watch.open_calls(task) != 0;
        let owed_beside = (0_u8..).zip(&self.tasks).any(|(child, seen)| {
            seen.parent == Some(task) && seen.is_beside && self.watch.result_is_owed(child)
        });
        self.excuse(repeats && has_open_calls, Property::S8, Excuse::ResponseLost);
        self.excuse(owed_beside, Property::S4, Excuse::GoesOnBeside);
        self.watch.request_sent(task, turn, attempt);
        if self.task(task).life == Life::Live {
            let seen = self.task(task);
            if repeats {
                seen.flying.clear();
            }
            seen.flying.push((turn, attempt));
            seen.last = last.max(Some((turn, attempt)));
            seen.may_repeat = false;
            for child in self.tasks.iter_mut().filter(|child| child.parent == Some(task)) {
                child.is_beside |= child.life == Life::Live;
            }
        }
        self.write(&of_send(event(Kind::RequestStarted, task), turn, attempt));
    }

    fn request_ended(&mut self, task: u8, one: u8, other: u8) {
        let seen = self.task(task);
        if seen.flying.is_empty() {
            return;
        }
        let at = usize::from(one) % seen.flying.len();
        let (turn, attempt) = seen.flying.remove(at);
        let end = match other % 8 {
            0..=5 => End::Completed,
            6 => End::Failed,
            _ => End::Stopped,
        };
        seen.has_failed |= end != End::Completed;
        self.watch.request_ended(task);
        if end == End::Completed {
            self.watch.turn_answered(task, turn);
        }
        self.write(&of_send(event(Kind::RequestEnded, task), turn, attempt).ended(end));
    }

    /// Calls are in a response, so that none is in flight.
    fn call_made(&mut self, task: u8, one: u8) {
        if self.task(task).life == Life::Live && self.task(task).flying.is_empty() {
            self.watch.call_made(task, one % CALLS);
            self.write(&event(Kind::ToolCall, task).with(Field::Call, Name::Number((one % CALLS).into())));
        }
    }

    fn call_result(&mut self, task: u8, one: u8) {
        let is_again = self.has_restarted || self.task(task).has_failed;
        self.excuse(is_again, Property::S8, Excuse::BuiltAgain);
        self.watch.call_result_given(task, one % CALLS);
        self.write(&event(Kind::ToolResult, task).with(Field::Call, Name::Number((one % CALLS).into())));
    }

    /// That a tool ran twice for one call, and that content has changed, a model finds out by itself.
    fn tool_ran(&mut self, task: u8) {
        self.watch.tool_ran(task);
        if self.task(task).life == Life::Live {
            self.watch.began(task);
        }
        self.write(&event(Kind::ToolStarted, task).with(Field::Call, Name::of("another")));
    }

    fn task_ended(&mut self, task: u8, one: u8) {
        let (how, end) = match one % 4 {
            0 | 1 => (How::Completed, End::Completed),
            2 => (How::Failed, End::Failed),
            _ => (How::Cancelled, End::Cancelled),
        };
        if self.task(task).life == Life::Live {
            self.watch.subtask_ended(task);
        }
        self.watch.ended(task, how);
        let seen = self.task(task);
        (seen.life, seen.flying) = (Life::Ended, Vec::new());
        self.write(&event(Kind::TaskEnded, task).ended(end));
    }

    fn result_given(&mut self, child: u8, one: u8, other: u8) {
        // Now and then to whoever is not its parent.
        let to = self.task(child).parent.filter(|_| !one.is_multiple_of(8)).unwrap_or(other % 3);
        if self.task(to).life == Life::Unborn {
            return;
        }
        let turn = self.task(to).last.map_or(0, |(turn, _)| (turn + other % 2).min(TURNS - 1));
        let is_again = self.has_restarted || self.task(to).has_failed;
        self.excuse(is_again, Property::S3, Excuse::BuiltAgain);
        self.watch.subtask_result_given(child, to, turn);
        let given = event(Kind::ResultDelivered, to).with(Field::Child, Name::Number(child.into()));
        self.write(&given.with(Field::Turn, Name::Number(turn.into())));
    }

    fn message_accepted(&mut self, task: u8) {
        let next = u8::try_from(self.owners.len()).expect("a few");
        if usize::from(next) < MESSAGES {
            self.owners.push(task);
            self.watch.message_accepted(task, next);
            self.write(&event(Kind::MessageQueued, task).with(Field::Message, Name::Number(next.into())));
        }
    }

    fn message_given(&mut self, task: u8, one: u8, other: u8) {
        let message = one % 3;
        if usize::from(message) < self.owners.len() {
            let turn = self.task(task).last.map_or(0, |(turn, _)| (turn + other % 2).min(TURNS - 1));
            let before = self.turns[usize::from(message)].replace(turn);
            self.excuse(before.is_some_and(|before| before != turn), Property::S5, Excuse::GoesTwice);
            self.excuse(self.has_restarted, Property::S5, Excuse::BuiltAgain);
            self.watch.message_given(task, message, turn);
            let given =
                event(Kind::MessageDelivered, task).with(Field::Message, Name::Number(message.into()));
            self.write(&given.with(Field::Turn, Name::Number(turn.into())));
        }
    }

    fn message_reported(&mut self, one: u8) {
        let message = one % 3;
        if let Some(owner) = self.owners.get(usize::from(message)).copied() {
            self.excuse(self.has_restarted, Property::S5, Excuse::BuiltAgain);
            self.watch.message_reported(owner, message);
            self.write(
                &event(Kind::MessageReturned, owner).with(Field::Message, Name::Number(message.into())),
            );
        }
    }

    /// A question is asked and settled: that it is open is not the watch's to judge.
    fn question_settled(&mut self, task: u8, one: u8) {
        self.questions += 1;
        let asked = Name::Number(self.questions);
        let named = match one % 8 {
            0..=5 => Some(1),
            6 => Some(2),
            _ => None,
        };
        self.watch.question_settled(task, 1, named);
        self.write(&event(Kind::Question, task).with(Field::Question, asked.clone()));
        let answer = event(Kind::Answer, task).with(Field::Settles, asked.clone());
        self.write(&match named {
            Some(1) => answer.with(Field::Question, asked),
            Some(_) => answer.with(Field::Question, Name::of("another")),
            None => answer,
        });
    }

    fn restarted(&mut self) {
        self.has_restarted = true;
        self.watch.crashed(false, true);
        for task in &mut self.tasks {
            task.flying.clear();
            task.may_repeat = task.life == Life::Live && task.last.is_some();
        }
        self.write(&Event::new(Kind::Restart));
    }

    fn watch_says(&self, promise: Option<Promise>) -> bool {
        match promise {
            Some(promise) => self.watch.breach(promise).is_some(),
            None => (0..3).any(|task| self.watch.in_flight(task) > 1),
        }
    }
}

fn of_send(event: Event<'static>, turn: u8, attempt: u8) -> Event<'static> {
    event.with(Field::Turn, Name::Number(turn.into())).with(Field::Attempt, Name::Number(attempt.into()))
}

/// What became of one promise in one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Kept,
    Broken,
    Excused(Excuse),
}

/// Tells a history to both, and holds what they say of these promises against each other.
fn compare(
    steps: &[[u8; 4]],
    promises: &[Common],
    withheld: Option<Kind>,
) -> Result<Vec<(Property, Judged)>, String> {
    let mut both = Both::new(withheld);
    let mut open = promises.to_vec();
    let mut judged = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        both.step(*step);
        let verdicts = both.monitor.verdicts(false);
        let mut differ = Ok(());
        open.retain(|Common { property, promise, .. }| {
            let mut verdicts = verdicts.iter();
            let is_broken =
                verdicts.any(|(of, verdict)| of == property && matches!(verdict, Verdict::Broken(_)));
            let is_broken_for_watch = both.watch_says(*promise);
            let excuse = both
                .excuses
                .iter()
                .find(|(of, excuse)| of == property && excuse.is_of_the_watch() != is_broken_for_watch);
            match (is_broken_for_watch, is_broken, excuse) {
                (false, false, _) => return true,
                (true, true, _) => judged.push((*property, Judged::Broken)),
                (true, false, Some((_, excuse))) | (false, true, Some((_, excuse))) => {
                    judged.push((*property, Judged::Excused(*excuse)));
                }
                (watch, monitor, _) => {
                    differ = Err(format!(
                        "{property:?} at step {number}: the watch says {watch}, the monitor {monitor}"
                    ));
                }
            }
            false
        });
        differ?;
    }
    judged.extend(open.iter().map(|common| (common.property, Judged::Kept)));
    Ok(judged)
}

fn steps() -> impl Strategy<Value = Vec<[u8; 4]>> {
    prop::collection::vec(any::<[u8; 4]>(), 1..STEPS)
}

/// The same histories each time.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 5_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn monitor_and_watch_judge_alike() {
    let counts = std::cell::RefCell::new(Vec::new());
    let alike = runner(6_000).run(&steps(), |steps| {
        counts.borrow_mut().extend(compare(&steps, &COMMON, None).map_err(TestCaseError::fail)?);
        Ok(())
    });
    if let Err(difference) = alike {
        panic!("{difference}");
    }
    let count = |property: Property, judged: Judged| {
        counts.borrow().iter().filter(|seen| **seen == (property, judged)).count()
    };
    for Common { property, .. } in COMMON {
        let (kept, broken) = (count(property, Judged::Kept), count(property, Judged::Broken));
        assert!(
            kept > 20 && broken > 20,
            "{property:?} is kept {kept} times and broken {broken} times: the histories show too little"
        );
    }
}

/// Each reason to differ, and the shortest history that has it.
#[test]
fn each_excuse_has_a_history() {
    const BEGUN: [u8; 4] = [0, 0, 0, 0];
    const SUBTASK: [u8; 4] = [0, 1, 0, 0];
    const SUBTASK_ENDED: [u8; 4] = [9, 1, 0, 0];
    const SENT: [u8; 4] = [1, 0, 0, 0];
    const SENT_AGAIN: [u8; 4] = [1, 0, 5, 0];
    const ANSWERED: [u8; 4] = [4, 0, 0, 0];
    const FAILED: [u8; 4] = [4, 0, 0, 6];
    const RESTARTED: [u8; 4] = [15, 0, 3, 0];
    const ACCEPTED: [u8; 4] = [11, 0, 0, 0];
    const MESSAGE: [u8; 4] = [12, 0, 0, 0];
    const MESSAGE_WITH_THE_NEXT: [u8; 4] = [12, 0, 0, 1];
    const CALLED: [u8; 4] = [6, 0, 0, 0];
    const CALL_RESULT: [u8; 4] = [7, 0, 0, 0];
    const RESULT: [u8; 4] = [10, 1, 1, 0];
    const RESULT_WITH_THE_NEXT: [u8; 4] = [10, 1, 1, 1];
    #[rustfmt::skip]
    let cases: [(Property, Excuse, &[[u8; 4]]); 6] = [
        (Property::S3, Excuse::BuiltAgain, &[BEGUN, SUBTASK, SUBTASK_ENDED, RESULT, SENT, FAILED, RESULT_WITH_THE_NEXT]),
        (Property::S4, Excuse::GoesOnBeside, &[BEGUN, SUBTASK, SENT, SUBTASK_ENDED, SENT]),
        (Property::S5, Excuse::BuiltAgain, &[BEGUN, ACCEPTED, MESSAGE, SENT, ANSWERED, RESTARTED, MESSAGE]),
        (Property::S5, Excuse::GoesTwice, &[BEGUN, ACCEPTED, MESSAGE, SENT, MESSAGE_WITH_THE_NEXT]),
        (Property::S8, Excuse::BuiltAgain, &[BEGUN, CALLED, CALL_RESULT, SENT, FAILED, CALL_RESULT]),
        (Property::S8, Excuse::ResponseLost, &[BEGUN, SENT, ANSWERED, CALLED, RESTARTED, SENT_AGAIN]),
    ];
    for (property, excuse, steps) in cases {
        let common = COMMON.into_iter().find(|common| common.property == property).expect("both judge it");
        let judged = compare(steps, &[common], None);
        assert_eq!(judged, Ok(vec![(property, Judged::Excused(excuse))]), "{property:?}");
        // Without the step that excuses it, it is a breach for both, or for neither.
        let is_excuse = |step: &[u8; 4]| *step == FAILED || *step == RESTARTED;
        if let Some(at) = steps.iter().position(is_excuse) {
            let mut without = steps.to_vec();
            without[at] = ANSWERED;
            assert_eq!(
                compare(&without, &[common], None),
                Ok(vec![(property, Judged::Broken)]),
                "{property:?}"
            );
        }
    }
}

/// What one of the two is not told, the comparison finds.
#[test]
fn monitor_that_is_not_told_everything_judges_otherwise() {
    for common in COMMON {
        let Common { property, rests_on, .. } = common;
        let alike = runner(6_000).run(&steps(), |steps| {
            compare(&steps, &[common], Some(rests_on)).map(drop).map_err(TestCaseError::fail)
        });
        let Err(TestError::Fail(reason, history)) = alike else {
            panic!("{property:?} is judged alike without `{}`", rests_on.name());
        };
        assert!(reason.message().starts_with(&format!("{property:?} at step")), "{reason}");
        assert!(history.len() <= 12, "{property:?}: {history:?}");
    }
}
