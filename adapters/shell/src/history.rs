//! A history for tests: a small world that answers every order, with something of everything that is on record.

use crate::desk::Desk;
use crate::entry::Entry;
use crate::fact::{Fact, Order, Told};
use crate::known::Known;
use crate::number::{NEW, Place, number};
use downbeat_kernel::{
    Answer, Approval, Budget, Call, Conclusion, Config, CredentialEffect, CredentialEvent, Effect, Event,
    Found, Generation, MessageId, News, NotificationEffect, NotificationEvent, Outcome, ProfileId,
    RefreshEnd, RequestEffect, RequestEvent, RequestId, Response, SendFailure, TaskId, ToolEnd, TurnNumber,
    WriteEnd,
};
use downbeat_store::ShardId;
use downbeat_wiring::posted;
use std::collections::VecDeque;

pub(crate) const PLACE: Place = Place { shard: ShardId(0), shards: 1 };

/// Two profiles, of which the first has to log in, and subtasks that may not have subtasks.
pub(crate) fn config() -> Config {
    Config { profiles: 2, profiles_keyed: 0b10, depth_max: 1, attempts_max: 3, ..Config::default() }
}

/// What is told without being asked for, and after how many entries.
fn told() -> Vec<(usize, Event, &'static str)> {
    let submitted = |tokens| {
        let budget = Budget { tokens, ..Budget::default() };
        Event::TaskSubmitted { task: NEW, budget }
    };
    let message = |message| Event::MessageReceived { task: TaskId(1), message: MessageId(message) };
    vec![
        (0, Event::ProfileDown { profile: ProfileId(1) }, ""),
        (1, Event::ProfileUp { profile: ProfileId(1) }, ""),
        (2, Event::ProfileDown { profile: ProfileId(1) }, ""),
        (3, submitted(0), "count the files"),
        (8, message(1), "and the folders"),
        (9, submitted(1), "with a budget"),
        (14, message(2), "but no links"),
        (25, Event::ProfileUp { profile: ProfileId(1) }, ""),
        (30, Event::ProfileDown { profile: ProfileId(0) }, ""),
        (40, submitted(0), "to be cancelled"),
        (52, Event::CancelRequested { task: TaskId(7) }, ""),
        (70, submitted(0), "the last"),
    ]
}

/// The entries of about a hundred events. At the end something is live still.
pub(crate) fn history() -> Vec<Entry> {
    let (mut known, mut entries, mut desk) = (Known::new(config()), Vec::new(), Desk::default());
    let (mut told, mut answers) = (VecDeque::from(told()), VecDeque::new());
    loop {
        let (next, text) = match told.front() {
            Some((after, ..)) if *after <= entries.len() || answers.is_empty() => {
                let Some((_, event, text)) = told.pop_front() else { return entries };
                (Told::from(event), vec![text.to_owned()])
            }
            Some(_) | None => match answers.pop_front() {
                Some(answer) => answer,
                None => return entries,
            },
        };
        let fact = match next {
            Told::Fact(Fact::Tree(mut event)) => {
                number(&mut event, &known.kernel, PLACE).then_some(Fact::Tree(event))
            }
            Told::Fact(fact) => Some(fact),
            Told::Heard(task) => Some(Event::EndAcknowledged { task }.into()),
            // A subtask has no outbox: nobody has to hear of its end.
            Told::Posted { root, news } => Some(match known.outboxes.get(&root) {
                Some(post) => Fact::Outbox { root, event: posted(&post.outbox, news) },
                None => Event::EndAcknowledged { task: root }.into(),
            }),
            Told::Wanted { profile, request, newer_than } => {
                desk.wanted(&known.credentials, profile, request, newer_than).ok()
            }
        };
        let Some(fact) = fact else { continue };
        let (mut orders, at_ms) = (Vec::new(), 1_000 + 10 * entries.len() as u64);
        if known.take(at_ms, &fact, &text, &mut orders) == Outcome::Applied {
            entries.push(Entry { at_ms, event: fact.into(), text });
        }
        answers.extend(orders.into_iter().filter_map(|order| answer(&order, &mut desk)));
    }
}

/// What the world says to an order.
fn answer(order: &Order, desk: &mut Desk) -> Option<(Told, Vec<String>)> {
    match *order {
        Order::Tree(Effect::Request {
            task,
            turn,
            effect: RequestEffect::GetCredential { attempt, profile, newer_than },
        }) => {
            let request = RequestId { task, turn, attempt };
            Some((Told::Wanted { profile, request, newer_than }, vec![]))
        }
        Order::Tree(Effect::TaskEnded { task, .. }) => (task != TaskId(10)).then(|| {
            let news = News::Concluded(Conclusion::Completed);
            (Told::Posted { root: task, news }, vec![])
        }),
        Order::Outbox { root, effect } => Some((answer_of_receiver(root, effect)?, vec![])),
        Order::Tree(ref effect) => answer_of_tree(effect).map(|(event, text)| (event.into(), text)),
        Order::Credential { profile, effect: CredentialEffect::Settle { waiter, end } } => {
            desk.settled(profile, waiter, end).map(|event| (event.into(), vec![]))
        }
        Order::Credential { profile, effect } => {
            let event = answer_of_vault(effect)?;
            Some((Told::Fact(Fact::Credential { profile, event }), vec![]))
        }
    }
}

/// Who is told of the end of a root has it before the tree has forgotten that one. Of the seventh task nobody hears.
fn answer_of_receiver(root: TaskId, effect: NotificationEffect) -> Option<Told> {
    let forgets = Told::from(Event::EndAcknowledged { task: root });
    match effect {
        NotificationEffect::Send { .. } if root == TaskId(7) => Some(forgets),
        NotificationEffect::Send { number, .. } => {
            let event = NotificationEvent::Acknowledged { number };
            Some(Told::Fact(Fact::Outbox { root, event }))
        }
        NotificationEffect::Disarm { .. } => Some(forgets),
        NotificationEffect::Arm { .. } | NotificationEffect::ReportUndelivered { .. } => None,
    }
}

/// The store holds the first generation, until it is refreshed; the first claim is taken by somebody else.
fn answer_of_vault(effect: CredentialEffect) -> Option<CredentialEvent> {
    match effect {
        CredentialEffect::Claim { order, generation, .. } | CredentialEffect::Read { order, generation } => {
            let found = match (order.0, generation.0) {
                (_, 0) => Found::Other { generation: Generation(1) },
                (..3, _) => Found::Taken,
                (3.., _) => Found::Current,
            };
            Some(CredentialEvent::StoreRead { order, found })
        }
        CredentialEffect::Refresh { order, .. } => {
            Some(CredentialEvent::RefreshEnded { order, end: RefreshEnd::Refreshed })
        }
        CredentialEffect::Write { order, .. } => {
            Some(CredentialEvent::WriteEnded { order, end: WriteEnd::Stored })
        }
        CredentialEffect::Arm { order, .. } if order.0 < 4 => Some(CredentialEvent::Elapsed { order }),
        CredentialEffect::Arm { .. }
        | CredentialEffect::Disarm { .. }
        | CredentialEffect::Abort { .. }
        | CredentialEffect::Recover { .. }
        | CredentialEffect::Settle { .. } => None,
    }
}

/// What the world says to an order of the tree. What ends is in the outboxes, but for the last task.
fn answer_of_tree(effect: &Effect) -> Option<(Event, Vec<String>)> {
    let plain = |event| Some((event, vec![]));
    match *effect {
        Effect::Enqueue { task } => plain(Event::Admitted { task }),
        Effect::Initialize { task } => plain(Event::Initialized { task }),
        Effect::AbortInitialization { task } => plain(Event::InitializationFailed { task }),
        Effect::Request { task, turn, effect } => answer_to_request(task, turn, effect),
        Effect::RunTool { call } => Some((
            Event::ToolEnded { call, end: ToolEnd::Succeeded },
            vec![format!("three of {}", call.task.0)],
        )),
        Effect::CancelTool { call } => plain(Event::ToolEnded { call, end: ToolEnd::Cancelled }),
        Effect::Ask { question, .. } => {
            Some((Event::AnswerReceived { question, answer: Answer::Approved }, vec!["yes".to_owned()]))
        }
        Effect::Arm { timer, .. } => plain(Event::TimerFired { timer }),
        Effect::Dequeue { .. }
        | Effect::Worker { .. }
        | Effect::Include { .. }
        | Effect::Withdraw { .. }
        | Effect::Disarm { .. }
        | Effect::ReportUndelivered { .. }
        | Effect::TaskEnded { .. } => None,
    }
}

fn answer_to_request(task: TaskId, turn: TurnNumber, effect: RequestEffect) -> Option<(Event, Vec<String>)> {
    let of_request = |event| Some((Event::Request { task, turn, event }, vec![]));
    match effect {
        RequestEffect::Send { attempt, .. }
            if attempt.0 == 0 && (turn.0 == 2 || task.0 == 1 && turn.0 == 1) =>
        {
            let failure = if turn.0 == 1 { SendFailure::Unauthorized } else { SendFailure::Transient };
            of_request(RequestEvent::SendFailed { attempt, failure, jitter_ms: 5 })
        }
        RequestEffect::Send { attempt, .. } => {
            let request = RequestId { task, turn, attempt };
            let calls = calls(turn);
            let text = (0..=calls.len()).map(|index| format!("word {index} of {}", task.0)).collect();
            let response = Response::Calls(calls);
            Some((Event::ResponseEnded { request, response, jitter_ms: 0 }, text))
        }
        RequestEffect::Stop { attempt } => of_request(RequestEvent::Stopped { attempt }),
        RequestEffect::Arm { timer, .. } => of_request(RequestEvent::TimerFired { timer }),
        RequestEffect::GetCredential { .. }
        | RequestEffect::Recover { .. }
        | RequestEffect::Fence { .. }
        | RequestEffect::Charge { .. }
        | RequestEffect::Disarm { .. }
        | RequestEffect::Ended { .. } => None,
    }
}

fn calls(turn: TurnNumber) -> Vec<Call> {
    match turn.0 {
        1 => vec![Call::Tool(Approval::Granted), Call::Subtask { child: NEW }],
        2 => vec![Call::Question, Call::Tool(Approval::Required)],
        _ => vec![Call::Completion(Approval::Granted)],
    }
}

/// What a shard knows after these.
pub(crate) fn known_after(entries: &[Entry]) -> Known {
    known_under(config(), entries)
}

/// The same, under other settings.
pub(crate) fn known_under(config: Config, entries: &[Entry]) -> Known {
    let mut known = Known::new(config);
    for Entry { at_ms, event, text } in entries {
        let outcome = known.take(*at_ms, &event.clone().into(), text, &mut Vec::new());
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
    }
    known
}
