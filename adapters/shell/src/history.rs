//! A history for tests: a small world that answers every order, with something of everything that is on record.

use crate::agents::Submitter;
use crate::desk::Desk;
use crate::entry::Entry;
use crate::fact::{Fact, Order, Told};
use crate::known::Known;
use crate::number::{NEW, Place, Settings, number};
use crate::passage::Passage;
use downbeat_kernel::{
    AgentId, Answer, Approval, Budget, Call, Conclusion, Config, CredentialEffect, CredentialEvent, Effect,
    Event, Found, Generation, MessageId, News, NotificationEffect, NotificationEvent, Outcome, PoolConfig,
    PoolEffect, PoolEvent, Priority, ProfileId, RefreshEnd, RequestEffect, RequestEvent, RequestId, Response,
    SendFailure, TaskId, ToolEnd, TurnNumber, UserId, WorkEnd, WriteEnd,
};
use downbeat_store::ShardId;
use downbeat_wiring::{dequeued, ended_in_pool, enqueued, over, posted, tool_lost};
use std::collections::VecDeque;

pub(crate) const PLACE: Place = Place { shard: ShardId(0), shards: 1 };

/// Two profiles, of which the first has to log in, and subtasks that may not have subtasks.
pub(crate) fn config() -> Config {
    Config { profiles: 2, profiles_keyed: 0b10, depth_max: 1, attempts_max: 3, ..Config::default() }
}

/// The same, and two agents.
pub(crate) fn settings() -> Settings {
    let pool = PoolConfig { agents_max: 2, agents_min: 0, quota: 2, ..PoolConfig::default() };
    Settings { kernel: config(), pool: Some(pool) }
}

/// What is told without being asked for, and after how many entries.
fn told() -> Vec<(usize, Fact, &'static str)> {
    let submitted = || Fact::Tree(Event::TaskSubmitted { task: NEW, budget: Budget::default() });
    let budget = Budget { tokens: 1, ..Budget::default() };
    let by = Submitter { user: UserId(5), priority: Priority::High };
    let by_somebody = Fact::Submitted { task: NEW, budget, by };
    let message =
        |message| Fact::Tree(Event::MessageReceived { task: TaskId(1), message: MessageId(message) });
    let gone = |agent| Fact::Pool(PoolEvent::Gone { agent: AgentId(agent) });
    vec![
        (0, Event::ProfileDown { profile: ProfileId(1) }.into(), ""),
        (1, Event::ProfileUp { profile: ProfileId(1) }.into(), ""),
        (2, Event::ProfileDown { profile: ProfileId(1) }.into(), ""),
        (3, submitted(), "count the files"),
        (10, message(1), "and the folders"),
        (11, by_somebody, "with a budget"),
        (16, message(2), "but no links"),
        (25, gone(1), ""),
        (29, Event::ProfileUp { profile: ProfileId(1) }.into(), ""),
        (34, Event::ProfileDown { profile: ProfileId(0) }.into(), ""),
        (50, submitted(), "to be cancelled"),
        (66, Event::CancelRequested { task: TaskId(7) }.into(), ""),
        (90, submitted(), "the last"),
        (112, Fact::NoPlace(TaskId(8)), ""),
    ]
}

/// The entries of more than a hundred events. At the end something is held still.
pub(crate) fn history() -> Vec<Entry> {
    let (mut known, mut entries, mut desk) = (Known::new(settings()), Vec::new(), Desk::default());
    let (mut told, mut answers, mut passage) = (VecDeque::from(told()), VecDeque::new(), Passage::default());
    loop {
        let (next, text) = match told.front() {
            Some((after, ..)) if *after <= entries.len() || answers.is_empty() => {
                let Some((_, fact, text)) = told.pop_front() else { return entries };
                (Told::from(fact), vec![text.to_owned()])
            }
            Some(_) | None => match answers.pop_front() {
                Some(answer) => answer,
                None => return entries,
            },
        };
        let Some(fact) = fact(next, &known, &mut desk) else { continue };
        let (mut orders, at_ms) = (Vec::new(), 1_000 + 10 * entries.len() as u64);
        if known.take(at_ms, &fact, &text, &mut orders) == Outcome::Applied {
            entries.push(Entry { at_ms, event: fact.into(), text });
        }
        for order in passage.pass(&known, orders) {
            answers.extend(answer(&order, &known, &mut desk));
        }
    }
}

fn fact(told: Told, known: &Known, desk: &mut Desk) -> Option<Fact> {
    match told {
        Told::Fact(Fact::Tree(mut event)) => {
            number(&mut event, &known.kernel, PLACE).then_some(Fact::Tree(event))
        }
        Told::Fact(Fact::Submitted { budget, by, .. }) => {
            Some(Fact::Submitted { task: PLACE.after(known.kernel.highest()), budget, by })
        }
        Told::Fact(fact) => Some(fact),
        Told::Heard(task) => Some(Event::EndAcknowledged { task }.into()),
        Told::Over(task, end) => over(known.pool.as_ref()?, task, end).map(Fact::Pool),
        // A subtask has no outbox: nobody has to hear of its end.
        Told::Posted { root, news } => Some(match known.outboxes.get(&root) {
            Some(post) => Fact::Outbox { root, event: posted(&post.outbox, news) },
            None => Event::EndAcknowledged { task: root }.into(),
        }),
        Told::Wanted { profile, request, newer_than } => {
            desk.wanted(&known.credentials, profile, request, newer_than).ok()
        }
    }
}

type Answers = Vec<(Told, Vec<String>)>;

fn plain(told: impl Into<Told>) -> Answers {
    vec![(told.into(), vec![])]
}

/// What the world says to an order.
fn answer(order: &Order, known: &Known, desk: &mut Desk) -> Answers {
    match order {
        Order::Tree(Effect::Request {
            task,
            turn,
            effect: RequestEffect::GetCredential { attempt, profile, newer_than },
        }) => {
            let request = RequestId { task: *task, turn: *turn, attempt: *attempt };
            plain(Told::Wanted { profile: *profile, request, newer_than: *newer_than })
        }
        Order::Tree(Effect::Enqueue { task }) => {
            let Submitter { user, priority } = known.submitter(*task);
            plain(enqueued(&known.kernel, *task, user, priority))
        }
        Order::Tree(Effect::Dequeue { task }) => {
            dequeued(&known.kernel, *task).map(plain).unwrap_or_default()
        }
        Order::Tree(Effect::TaskEnded { task: TaskId(9), .. }) => vec![],
        Order::Tree(Effect::TaskEnded { task, end }) => {
            let news = News::Concluded(Conclusion::Completed);
            let over = known.outboxes.contains_key(task).then_some(Told::Over(*task, *end));
            over.map(plain).into_iter().flatten().chain(plain(Told::Posted { root: *task, news })).collect()
        }
        Order::Outbox { root, effect } => answer_of_receiver(*root, *effect).map(plain).unwrap_or_default(),
        Order::Tree(effect) | Order::There { effect, .. } => {
            answer_of_tree(effect).map(|(event, text)| (event.into(), text)).into_iter().collect()
        }
        Order::Credential { profile, effect: CredentialEffect::Settle { waiter, end } } => {
            desk.settled(*profile, *waiter, *end).map(plain).unwrap_or_default()
        }
        Order::Credential { profile, effect } => {
            let fact = |event| Fact::Credential { profile: *profile, event };
            answer_of_vault(*effect).map(fact).map(plain).unwrap_or_default()
        }
        Order::Pool(effect) => answer_of_pool(*effect, known),
        Order::LeaseOver { lost, .. } => lost.iter().flat_map(|call| plain(tool_lost(*call))).collect(),
        Order::Forgotten(task) => plain(Fact::Pool(PoolEvent::EndAcknowledged { task: *task })),
    }
}

/// Agents do what they are told, and say how it ended.
fn answer_of_pool(effect: PoolEffect, known: &Known) -> Answers {
    let event = match effect {
        PoolEffect::Provision { agent } => PoolEvent::Started { agent },
        PoolEffect::Retire { agent } => PoolEvent::Gone { agent },
        PoolEffect::Assign { lease, .. } => return plain(Event::Admitted { task: lease.task }),
        PoolEffect::Stop { agent, lease } => PoolEvent::WorkEnded { agent, lease, end: WorkEnd::Returned },
        PoolEffect::Clean { agent, lease } => PoolEvent::Cleaned { agent, lease },
        PoolEffect::TaskEnded { task, end } => {
            return ended_in_pool(&known.kernel, task, end).map(plain).unwrap_or_default();
        }
        PoolEffect::Arm { .. } | PoolEffect::Disarm { .. } => return vec![],
    };
    plain(Fact::Pool(event))
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
        Effect::Enqueue { .. }
        | Effect::Dequeue { .. }
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
    known_under(settings(), entries)
}

/// The same, under other settings.
pub(crate) fn known_under(settings: Settings, entries: &[Entry]) -> Known {
    let mut known = Known::new(settings);
    for entry @ Entry { at_ms, event, text } in entries {
        assert_eq!(known.replay(*at_ms, event.clone().into(), text), Outcome::Applied, "{entry:?}");
    }
    known
}
