//! What everybody outside does: a function of the seed and of who asks.
//!
//! What the model answers to a turn, which sends fail and how, what people say: all of it follows from the seed, the place of a task
//! in the script, and the numbers that the kernel gave. So a send that is asked about after a crash has the answer that it had, and
//! what a request must contain is known to whoever checks it.

use crate::dice::{below, roll};
use crate::path::Path;
use downbeat_kernel::{About, Answer, Approval, Budget, RequestId, SendFailure, Spend, TurnNumber};
use downbeat_shell::{Reply, Wish};
use std::time::Duration;

/// The script of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) seed: u64,
}

/// What a roll is about, so that no two of them are the same.
#[derive(Clone, Copy)]
enum Topic {
    Title,
    Shape,
    Cost,
    Failure,
    Patience,
    Memory,
    Visit,
    Answer,
    Time,
    Post,
}

/// What a response of the model asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// So many tools at once; whether a person has to agree to the first.
    Tools(u8, Approval),
    /// So many subtasks at once, and a tool beside them.
    Subtasks(u8),
    Question,
    /// Words without a call, after which the model has to be reminded.
    Chatter,
    Completion(Approval),
}

/// What a person does while a turn is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Writes to the task.
    Writes,
    /// Pauses it for a while.
    Pauses,
    /// Cancels it.
    Cancels,
}

/// A time that something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// A whole response.
    Response,
    /// A refusal of the provider's, or a connection that breaks.
    Refusal,
    /// What the provider remembers of a send.
    Recollection,
    Tool,
    /// A person reads and answers.
    Answer,
    /// Before a person writes, pauses or cancels.
    Visit,
    Pause,
    /// A message to people.
    Post,
    /// The store of credentials.
    Vault,
    /// The server that gives new ones.
    Refresh,
}

const TITLES: [&str; 16] = [
    "fix the build",
    "review a patch",
    "write release notes",
    "update the docs",
    "find a leak",
    "port the tests",
    "rename a module",
    "bisect a failure",
    "profile the parser",
    "read the changelog",
    "clean up the schema",
    "reproduce a report",
    "split a large file",
    "check the links",
    "pin a dependency",
    "trace a request",
];

const TOOLS: [&str; 6] = ["grep", "read", "edit", "build", "test", "fetch"];

/// How deep subtasks nest.
const DEPTH_MAX: usize = 2;

/// From this send of a turn on none fails, so that each task comes to its end.
const FAILURES_MAX: u16 = 3;

impl Script {
    fn roll(self, topic: Topic, path: &Path, more: &[u64]) -> u64 {
        let about: Vec<u64> = [topic as u64].into_iter().chain(path.words()).collect();
        roll(roll(self.seed, &about), more)
    }

    /// Whether something happens that happens in so many of a hundred cases.
    fn is_one_of_100(self, percent: u64, topic: Topic, path: &Path, more: &[u64]) -> bool {
        self.roll(topic, path, more) % 100 < percent
    }

    /// What a task is about.
    pub(crate) fn title(self, path: &Path) -> &'static str {
        let titles = TITLES.len() as u64;
        usize::try_from(self.roll(Topic::Title, path, &[]) % titles).map_or(TITLES[0], |title| TITLES[title])
    }

    /// What a task is begun with.
    pub(crate) fn prompt(self, path: &Path) -> String {
        format!("{path} {}", self.title(path))
    }

    /// What a task ends with.
    pub(crate) fn result(self, path: &Path) -> String {
        format!("{path} is done: {}", self.title(path))
    }

    /// What a tree may spend before a person is asked: every third one has a bound.
    pub(crate) fn budget(tree: u64) -> Budget {
        let tokens = if tree.is_multiple_of(3) { 6_000 } else { 0 };
        Budget { tokens, ..Budget::default() }
    }

    fn steps(self, path: &Path) -> Vec<Step> {
        let chance = |percent, about| self.is_one_of_100(percent, Topic::Shape, path, &[about]);
        let number = |most: u64, about| {
            let number = 1 + self.roll(Topic::Shape, path, &[about]) % most;
            u8::try_from(number).unwrap_or(1)
        };
        let approval = if chance(15, 0) { Approval::Required } else { Approval::Granted };
        let has_subtasks = match path.below.len() {
            0 => true,
            depth => depth < DEPTH_MAX && chance(30, 1),
        };
        let is_root = path.below.is_empty();
        let steps = [
            chance(6, 2).then_some(Step::Chatter),
            Some(Step::Tools(number(3, 3), approval)),
            has_subtasks.then(|| Step::Subtasks(number(if is_root { 3 } else { 2 }, 4))),
            (is_root && chance(30, 5)).then_some(Step::Question),
            (is_root && chance(50, 6)).then(|| Step::Tools(number(2, 7), Approval::Granted)),
            Some(Step::Completion(if is_root && chance(20, 8) {
                Approval::Required
            } else {
                Approval::Granted
            })),
        ];
        steps.into_iter().flatten().collect()
    }

    /// What the model says to a turn. What comes after the last step, because a person has written or said no, ends the task.
    pub(crate) fn reply(self, path: &Path, turn: TurnNumber) -> Reply {
        let steps = self.steps(path);
        let step = usize::try_from(turn.0.saturating_sub(1)).ok().and_then(|step| steps.get(step));
        let step = step.copied().unwrap_or(Step::Completion(Approval::Granted));
        let tool = |index: u8, approval| {
            let tools = TOOLS.len() as u64;
            let which = self.roll(Topic::Shape, path, &[9, turn.0.into(), index.into()]) % tools;
            let name = usize::try_from(which).map_or(TOOLS[0], |which| TOOLS[which]);
            (Wish::Tool(approval), format!("{path} turn {} call {index}: {name}", turn.0))
        };
        let calls = match step {
            Step::Tools(count, approval) => (0..count)
                .map(|index| tool(index, if index == 0 { approval } else { Approval::Granted }))
                .collect(),
            Step::Subtasks(count) => {
                let subtask = |number| (Wish::Subtask, self.prompt(&path.child(number)));
                let tool = tool(count, Approval::Granted);
                (1..=count).map(subtask).chain([tool]).collect()
            }
            Step::Question => vec![(Wish::Question, format!("{path} turn {}: which one?", turn.0))],
            Step::Chatter => vec![],
            Step::Completion(approval) => vec![(Wish::Completion(approval), self.result(path))],
        };
        let tokens = 300 + self.roll(Topic::Cost, path, &[turn.0.into()]) % 900;
        Reply { text: "I go on.".to_owned(), calls, spent: Spend { tokens, micros: tokens * 3 } }
    }

    /// How a send fails, if it does, when its credential is taken.
    pub(crate) fn failure(self, path: &Path, id: RequestId) -> Option<SendFailure> {
        let about = [id.turn.0.into(), id.attempt.0.into()];
        if id.attempt.0 >= FAILURES_MAX {
            return None;
        }
        match self.roll(Topic::Failure, path, &about) % 100 {
            0..8 => {
                let wait = 1_000 + self.roll(Topic::Patience, path, &about) % 3_000;
                Some(SendFailure::Throttled { retry_after_ms: u32::try_from(wait).ok() })
            }
            8..11 => Some(SendFailure::Transient),
            11..13 => Some(SendFailure::Interrupted),
            _ => None,
        }
    }

    /// Whether the provider can say after a crash what became of a send: of three in four.
    pub(crate) fn remembers(self, path: &Path, id: RequestId) -> bool {
        self.is_one_of_100(75, Topic::Memory, path, &[id.turn.0.into(), id.attempt.0.into()])
    }

    /// What a person does while a turn is asked.
    pub(crate) fn visit(self, path: &Path, turn: TurnNumber) -> Option<Visit> {
        match self.roll(Topic::Visit, path, &[turn.0.into()]) % 100 {
            0..8 => Some(Visit::Writes),
            8..11 => Some(Visit::Pauses),
            11..13 if path.below.is_empty() && turn.0 > 1 => Some(Visit::Cancels),
            _ => None,
        }
    }

    /// What a person says to a question, and the words of that.
    pub(crate) fn answer(self, path: &Path, number: u32, about: About) -> (Answer, String) {
        let is_no = self.is_one_of_100(15, Topic::Answer, path, &[number.into()]);
        match about {
            About::Tool(_) if is_no => (Answer::Denied, String::new()),
            About::Completion(_) if is_no => (Answer::Text, "once more, please".to_owned()),
            About::Question(call) => (Answer::Text, Self::words(path, call.turn)),
            About::Tool(_) | About::Completion(_) | About::MistakeLimit | About::Budget => {
                (Answer::Approved, String::new())
            }
        }
    }

    /// What a person answers to the question of a turn.
    pub(crate) fn words(path: &Path, turn: TurnNumber) -> String {
        format!("the answer to {path} turn {}", turn.0)
    }

    /// What a person writes to a task.
    pub(crate) fn message(path: &Path, number: u32) -> String {
        format!("message {number} to {path}")
    }

    /// What comes of a tool.
    pub(crate) fn output(argument: &str) -> String {
        format!("{argument}: done")
    }

    /// Whether a message to people is lost, or, the other way, nobody hears that it came.
    pub(crate) fn is_lost(self, task: u64, copy: u64) -> bool {
        below(10, self.seed, &[Topic::Post as u64, task, copy]) == 0
    }

    /// How long something takes, in simulated time.
    pub(crate) fn time(self, span: Span, of: &[u64]) -> Duration {
        let (least, most) = match span {
            Span::Response => (700, 3_000),
            Span::Refusal => (100, 400),
            Span::Recollection => (100, 300),
            Span::Tool => (200, 2_000),
            Span::Answer => (1_000, 4_000),
            Span::Visit => (200, 1_200),
            Span::Pause => (2_000, 5_000),
            Span::Post => (50, 300),
            Span::Vault => (2, 10),
            Span::Refresh => (300, 1_200),
        };
        let about = roll(self.seed, &[Topic::Time as u64, span as u64]);
        Duration::from_millis(least + below(most - least, about, of))
    }
}
