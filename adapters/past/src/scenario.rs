//! A tree as a scenario of the simulator: what happened in the tree may happen there, in every order.

use crate::export::Tree;
use downbeat_kernel::{Approval, Budget, Call, Event, Record, RequestEvent, Response, SendFailure, TaskId};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a tree may be exported with as a scenario of `downbeat sim`, in the order of its name, and how often at most.
pub const SCENARIO_WORDS: [(&str, u32); 11] = [
    ("child", 2),
    ("tool", 1),
    ("message", 2),
    ("pause", 1),
    ("question", 2),
    ("cancel", 1),
    ("retry", 1),
    ("error", 1),
    ("cut", 1),
    ("token", 1),
    ("pool", 1),
];

/// The command that plays it, below what it leaves out.
pub(crate) fn command(tree: &Tree, has_pool: bool) -> String {
    let mut happened = Happened { root: tree.root, words: BTreeMap::new(), others: BTreeMap::new() };
    if has_pool {
        happened.word("pool");
    }
    tree.events.iter().cloned().for_each(|record| happened.take(record));
    let Tree { root: TaskId(root), until, .. } = *tree;
    let mut text = format!(
        "# What happened in the tree of task {root} of a journal, up to line {until}, may happen here.\n"
    );
    // Nothing fails that is written to memory.
    for (what, times) in &happened.others {
        let _ = writeln!(text, "# not here: {what} ({times})");
    }
    text += "# A journal does not say when its process died (+kill), which commits failed (+disk), nor which agents (+death).\n";
    text += "# --exhaustive plays every execution; without it, some are drawn at random.\n";
    let words = SCENARIO_WORDS.iter().flat_map(|(word, most)| {
        let times = happened.words.get(word).copied().unwrap_or(0);
        (0..times.min(*most)).map(|_| *word)
    });
    let name = words.collect::<Vec<_>>().join("+");
    let _ = writeln!(text, "downbeat sim {}", if name.is_empty() { "task" } else { &name });
    text
}

/// What happened in a tree.
struct Happened {
    root: TaskId,
    /// What a scenario has, and how often.
    words: BTreeMap<&'static str, u32>,
    /// What none has, and how often.
    others: BTreeMap<&'static str, u32>,
}

impl Happened {
    fn word(&mut self, word: &'static str) {
        let times = self.words.entry(word).or_default();
        *times += 1;
        let is_more =
            SCENARIO_WORDS.iter().any(|(known, most)| *known == word && *most > 1 && *times > *most);
        match word {
            "child" if is_more => self.other("subtasks beyond the second"),
            "message" if is_more => self.other("messages beyond the second"),
            "question" if is_more => self.other("questions beyond the second"),
            _ => {}
        }
    }

    fn other(&mut self, what: &'static str) {
        *self.others.entry(what).or_default() += 1;
    }

    /// Of the root it is this word, and of a subtask nothing that a scenario has.
    fn of(&mut self, task: TaskId, word: &'static str, of_subtask: &'static str) {
        if task == self.root { self.word(word) } else { self.other(of_subtask) }
    }

    fn take(&mut self, record: Record) {
        match Event::from(record) {
            Event::TaskSubmitted { budget, .. } if budget != Budget::default() => self.other("a budget"),
            Event::ResponseEnded { request, response, .. } => self.response(request.task, &response),
            Event::Request { event: RequestEvent::SendFailed { failure, .. }, .. } => match failure {
                SendFailure::Unauthorized => self.word("token"),
                SendFailure::Throttled { .. } | SendFailure::Transient => self.word("retry"),
                SendFailure::Interrupted => self.word("cut"),
                SendFailure::ContinuityLost | SendFailure::ContextTooLong | SendFailure::Invalid => {
                    self.other("requests that the provider did not take");
                }
            },
            Event::MessageReceived { task, .. } => self.of(task, "message", "messages to subtasks"),
            Event::PauseRequested { task } => self.of(task, "pause", "pauses of subtasks"),
            Event::CancelRequested { task } => self.of(task, "cancel", "cancels of subtasks"),
            Event::InitializationFailed { .. } => self.other("surroundings that could not be made ready"),
            Event::Deployed { .. } => self.other("remote agents"),
            Event::SubtaskRequested { .. } => self.other("subtasks of remote agents"),
            Event::ProfileDown { .. } => self.other("profiles that went down"),
            Event::TaskSubmitted { .. }
            | Event::Spent { .. }
            | Event::Admitted { .. }
            | Event::Initialized { .. }
            | Event::Worker { .. }
            | Event::Request { .. }
            | Event::ProfileUp { .. }
            | Event::ToolEnded { .. }
            | Event::AnswerReceived { .. }
            | Event::ResumeRequested { .. }
            | Event::TimerFired { .. }
            | Event::EndAcknowledged { .. } => {}
        }
    }

    fn response(&mut self, task: TaskId, response: &Response) {
        let calls = match response {
            Response::Calls(calls) => calls,
            Response::Text | Response::Empty => return self.of(task, "error", "wrong responses of subtasks"),
        };
        for call in calls {
            match call {
                Call::Tool(approval) => {
                    self.of(task, "tool", "tools of subtasks");
                    if *approval == Approval::Required {
                        self.other("tools that a person has to agree to");
                    }
                }
                Call::Subtask { .. } => self.of(task, "child", "subtasks of subtasks"),
                Call::Question => self.of(task, "question", "questions of subtasks"),
                Call::Completion(Approval::Required) => self.other("ends that a person has to agree to"),
                Call::Completion(Approval::Granted) if calls.len() > 1 => {
                    self.of(task, "error", "wrong responses of subtasks");
                }
                Call::Completion(Approval::Granted) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{Attempt, CallId, Config, MessageId, ProfileId, RequestId, ToolEnd, TurnNumber};

    /// The command for these events in the tree of task 1, and what it leaves out.
    fn played(events: Vec<Event>, has_pool: bool) -> (String, Vec<String>) {
        let tree = Tree {
            root: TaskId(1),
            until: 9,
            config: Config::default(),
            events: events.into_iter().map(Record::from).collect(),
            states: Vec::new(),
            outstanding: 0,
        };
        let text = command(&tree, has_pool);
        let left_out = text.lines().filter_map(|line| line.strip_prefix("# not here: "));
        let left_out = left_out.map(str::to_owned).collect();
        let command = text.lines().last().expect("it has lines").to_owned();
        assert!(text.lines().all(|line| line.starts_with("# ") || line == command), "{text}");
        (command, left_out)
    }

    fn response(task: u64, calls: Vec<Call>) -> Event {
        let request = RequestId { task: TaskId(task), turn: TurnNumber(1), attempt: Attempt(0) };
        let response = if calls.is_empty() { Response::Text } else { Response::Calls(calls) };
        Event::ResponseEnded { request, response, jitter_ms: 0 }
    }

    fn failed(failure: SendFailure) -> Event {
        let event = RequestEvent::SendFailed { attempt: Attempt(0), failure, jitter_ms: 0 };
        Event::Request { task: TaskId(1), turn: TurnNumber(1), event }
    }

    #[test]
    fn scenario_has_what_happened_and_says_what_it_has_not() {
        let subtask = |child| Call::Subtask { child: TaskId(child) };
        let message =
            |task, number| Event::MessageReceived { task: TaskId(task), message: MessageId(number) };
        let budget = Budget { tokens: 7, ..Budget::default() };
        let end = Call::Completion(Approval::Granted);
        let quiet = Event::ToolEnded {
            call: CallId { task: TaskId(1), turn: TurnNumber(1), index: 0 },
            end: ToolEnd::Succeeded,
        };
        #[rustfmt::skip]
        let cases: Vec<(Vec<Event>, &str, &[&str])> = vec![
            (vec![quiet], "task", &[]),
            (vec![Event::TaskSubmitted { task: TaskId(1), budget: Budget::default() }], "pool", &[]),
            (vec![Event::TaskSubmitted { task: TaskId(1), budget }], "task", &["a budget (1)"]),
            (vec![response(1, vec![end])], "task", &[]),
            (vec![response(1, vec![])], "error", &[]),
            (vec![response(1, vec![subtask(2), end])], "child+error", &[]),
            (vec![response(2, vec![])], "task", &["wrong responses of subtasks (1)"]),
            (vec![response(1, vec![subtask(2), subtask(3), subtask(4)])], "child+child", &["subtasks beyond the second (1)"]),
            (vec![response(2, vec![subtask(3), Call::Question])], "task", &["questions of subtasks (1)", "subtasks of subtasks (1)"]),
            (vec![response(1, vec![Call::Tool(Approval::Required), Call::Question])], "tool+question", &["tools that a person has to agree to (1)"]),
            (vec![response(1, vec![Call::Completion(Approval::Required)])], "task", &["ends that a person has to agree to (1)"]),
            (vec![message(1, 1), message(1, 2), message(1, 3), message(2, 1)], "message+message", &["messages beyond the second (1)", "messages to subtasks (1)"]),
            (vec![Event::CancelRequested { task: TaskId(1) }, Event::PauseRequested { task: TaskId(1) }], "pause+cancel", &[]),
            (vec![failed(SendFailure::Transient), failed(SendFailure::Throttled { retry_after_ms: None })], "retry", &[]),
            (vec![failed(SendFailure::Interrupted)], "cut", &[]),
            (vec![failed(SendFailure::Unauthorized)], "token", &[]),
            (vec![failed(SendFailure::Invalid)], "task", &["requests that the provider did not take (1)"]),
            (vec![Event::ProfileDown { profile: ProfileId(0) }], "task", &["profiles that went down (1)"]),
        ];
        for (events, name, left_out) in cases {
            let shown = format!("{events:?}");
            let (command, others) = played(events, name == "pool");
            assert_eq!(
                (command, others),
                (format!("downbeat sim {name}"), left_out.iter().map(|what| (*what).to_owned()).collect()),
                "{shown}"
            );
        }
    }
}
