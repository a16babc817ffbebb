//! A policy of one's own: the kernel decides what happens next, and whoever drives it decides what is allowed.
//!
//! Three places are the driver's. [`Config`] has the numbers. [`Approval`] comes with each call of a response, so which
//! tools need a person is decided where their names are known. And an [`Effect::Ask`] is answered by whoever the
//! driver likes: here nobody is at the keyboard, so a rule answers, and every question gets an answer.

use downbeat_kernel::{
    About, Answer, Approval, Budget, Call, CallId, CallResult, Config, Effect, Event, Kernel, Outcome, Part,
    RequestEffect, RequestId, Response, TaskId, ToolEnd,
};

/// Which tools run without being asked about, and what is said to a question in the night.
struct Unattended {
    harmless: &'static [&'static str],
}

impl Unattended {
    fn approval(&self, tool: &str) -> Approval {
        if self.harmless.contains(&tool) { Approval::Granted } else { Approval::Required }
    }

    /// What is not harmless waits for the morning, and so does a model that is lost: no task hangs on it.
    fn answer(about: About) -> Answer {
        match about {
            About::Tool(_) | About::MistakeLimit | About::Budget => Answer::Denied,
            About::Completion(_) => Answer::Approved,
            About::Question(_) => Answer::Text,
        }
    }
}

/// The tools that the model calls in its first response; then it is done.
const CALLED: [&str; 3] = ["read_file", "delete_branch", "list_files"];

fn respond(policy: &Unattended, request: RequestId) -> Response {
    Response::Calls(match request.turn.0 {
        1 => CALLED.map(|tool| Call::Tool(policy.approval(tool))).to_vec(),
        _ => vec![Call::Completion(Approval::Required)],
    })
}

fn name(call: CallId) -> &'static str {
    CALLED[usize::from(call.index)]
}

fn main() {
    let policy = Unattended { harmless: &["read_file", "list_files"] };
    // Nobody waits, so a provider may take its time; and a lost model is not asked a third time.
    let config = Config { attempts_max: 16, mistakes_max: 2, ..Config::default() };
    let mut kernel = Kernel::new(config);
    let mut mailbox = vec![Event::TaskSubmitted { task: TaskId(1), budget: Budget::default() }];
    let mut results = Vec::new();
    while let Some(event) = mailbox.pop() {
        let mut effects = Vec::new();
        assert_eq!(kernel.step(event, &mut effects), Outcome::Applied);
        for effect in effects {
            match effect {
                Effect::Enqueue { task } => mailbox.push(Event::Admitted { task }),
                Effect::Initialize { task } => mailbox.push(Event::Initialized { task }),
                Effect::Request { task, turn, effect: RequestEffect::Send { attempt, .. } } => {
                    let request = RequestId { task, turn, attempt };
                    let response = respond(&policy, request);
                    mailbox.push(Event::ResponseEnded { request, response, jitter_ms: 0 });
                }
                Effect::RunTool { call } => mailbox.push(Event::ToolEnded { call, end: ToolEnd::Succeeded }),
                Effect::Ask { question, about } => {
                    mailbox.push(Event::AnswerReceived { question, answer: Unattended::answer(about) });
                }
                Effect::Include { part: Part::Result { call, result }, .. } => {
                    results.push((name(call), result));
                }
                Effect::TaskEnded { task, .. } => mailbox.push(Event::EndAcknowledged { task }),
                Effect::Include { .. } => {}
                Effect::Dequeue { .. }
                | Effect::AbortInitialization { .. }
                | Effect::Worker { .. }
                | Effect::Request { .. }
                | Effect::CancelTool { .. }
                | Effect::Withdraw { .. }
                | Effect::Arm { .. }
                | Effect::Disarm { .. }
                | Effect::ReportUndelivered { .. } => unreachable!("nothing fails, and nobody cancels"),
            }
        }
    }
    for (tool, result) in &results {
        println!("{tool}: {result:?}");
    }
    let ran = CallResult::Tool(ToolEnd::Succeeded);
    assert_eq!(results, [("read_file", ran), ("delete_branch", CallResult::Denied), ("list_files", ran)]);
}
