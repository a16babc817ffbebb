//! The smallest thing that can drive the kernel: one thread, one mailbox, a journal in memory, and a crash.
//!
//! What every driver owes: an event is in the journal before its effects are carried out, and after a crash the journal is
//! replayed, the state validated, and what is outstanding ordered again. The world here is a table.

use downbeat_kernel::RequestEvent::{SendFailed, TimerFired};
use downbeat_kernel::{
    Approval, Budget, Call, Config, Discard, Effect, End, Event, Kernel, Outcome, Record, RequestEffect,
    RequestId, Response, SendFailure, TaskId, ToolEnd, TurnNumber,
};
use std::collections::VecDeque;

const PARENT: TaskId = TaskId(1);
const CHILD: TaskId = TaskId(2);

/// What the model says: the parent hands a piece of work to a subtask, and that runs a tool.
fn model(request: RequestId) -> Response {
    let call = match (request.task, request.turn) {
        (PARENT, TurnNumber(1)) => Call::Subtask { child: CHILD },
        (CHILD, TurnNumber(1)) => Call::Tool(Approval::Granted),
        _ => Call::Completion(Approval::Granted),
    };
    Response::Calls(vec![call])
}

/// What the world answers to an effect, if it owes an answer.
fn world(effect: Effect) -> Option<Event> {
    println!("  {effect:?}");
    match effect {
        Effect::Enqueue { task } => Some(Event::Admitted { task }),
        Effect::Initialize { task } => Some(Event::Initialized { task }),
        Effect::Request { task, turn, effect: RequestEffect::Send { attempt, .. } } => {
            let request = RequestId { task, turn, attempt };
            Some(Event::ResponseEnded { request, response: model(request), jitter_ms: 0 })
        }
        // After a crash nobody knows what became of a send, so that it goes out again, after a wait, under a new number.
        Effect::Request { task, turn, effect: RequestEffect::Recover { attempt } } => {
            let event = SendFailed { attempt, failure: SendFailure::Interrupted, jitter_ms: 0 };
            Some(Event::Request { task, turn, event })
        }
        Effect::Request { task, turn, effect: RequestEffect::Arm { timer, .. } } => {
            Some(Event::Request { task, turn, event: TimerFired { timer } })
        }
        Effect::RunTool { call } => Some(Event::ToolEnded { call, end: ToolEnd::Succeeded }),
        Effect::TaskEnded { task, end } => {
            assert_eq!(end, End::Completed);
            Some(Event::EndAcknowledged { task })
        }
        Effect::Include { .. } | Effect::Dequeue { .. } => None,
        Effect::AbortInitialization { .. }
        | Effect::Worker { .. }
        | Effect::Request { .. }
        | Effect::CancelTool { .. }
        | Effect::Ask { .. }
        | Effect::Withdraw { .. }
        | Effect::Arm { .. }
        | Effect::Disarm { .. }
        | Effect::ReportUndelivered { .. } => unreachable!("nobody asks, writes or cancels here"),
    }
}

/// Lives until nothing is left to do, or until so many events are on record.
fn live(kernel: &mut Kernel, mailbox: &mut VecDeque<Event>, journal: &mut Vec<String>, until: usize) {
    while let Some(event) = mailbox.pop_front() {
        println!("{event:?}");
        journal.push(serde_json::to_string(&Record::from(event.clone())).expect("a record has no maps"));
        let mut effects = Vec::new();
        match kernel.step(event, &mut effects) {
            Outcome::Applied if journal.len() == until => return println!("-- crash"),
            Outcome::Applied => mailbox.extend(effects.into_iter().filter_map(world)),
            Outcome::Ignored(why) => println!("  ignored: {why:?}"),
            Outcome::Rejected(why) => panic!("this driver made a mistake: {why:?}"),
        }
    }
}

/// The state that a journal leads to, and the orders that are outstanding there.
fn restart(journal: &[String]) -> (Kernel, Vec<Effect>) {
    let mut kernel = Kernel::new(Config::default());
    for line in journal {
        let record: Record = serde_json::from_str(line).expect("this driver wrote it");
        // What was ignored then is ignored now.
        let _outcome = kernel.step(record.into(), &mut Discard);
    }
    kernel.validate().expect("a journal leads to a valid state");
    let mut outstanding = Vec::new();
    kernel.resync(&mut outstanding);
    (kernel, outstanding)
}

fn main() {
    let mut journal = Vec::new();
    let mut mailbox = VecDeque::from([Event::TaskSubmitted { task: PARENT, budget: Budget::default() }]);
    live(&mut Kernel::new(Config::default()), &mut mailbox, &mut journal, 6);
    let (mut kernel, outstanding) = restart(&journal);
    mailbox = outstanding.into_iter().filter_map(world).collect();
    live(&mut kernel, &mut mailbox, &mut journal, usize::MAX);
    assert_eq!(kernel.tasks().count(), 0, "every end is on record");
}
