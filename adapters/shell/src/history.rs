//! A history for tests: a small world that answers every order, with something of everything that is on record.

mod worker;

use crate::agents::Submitter;
use crate::desk::Desk;
use crate::entry::Entry;
use crate::fact::{Fact, Order, Told};
use crate::known::Known;
use crate::number::{NEW, Place, Settings, billed, number};
use crate::passage::Passage;
use downbeat_kernel::{
    AgentId, Answer, Approval, Budget, Call, Config, CredentialEffect, CredentialEvent, Effect, Epoch, Event,
    Found, Generation, MessageId, News, NotificationEffect, NotificationEvent, Outcome, PoolConfig,
    PoolEffect, PoolEvent, Priority, ProfileId, QuestionEffect, QuestionEvent, QuestionKey, QuestionNumber,
    RefreshEnd, RequestEffect, RequestEvent, RequestId, Response, RetryEffect, RetryEvent, RetryState,
    SendFailure, TaskId, ToolEnd, TurnNumber, UserId, WorkEnd, WriteEnd,
};
use downbeat_store::ShardId;
use downbeat_wiring::{dequeued, ended_in_pool, enqueued, over, root_of, tool_lost};
use std::collections::VecDeque;

/// The first task that is tried again. Of the end of its attempt nobody is told.
const FIRST: TaskId = TaskId(9);

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
fn told() -> Vec<(usize, Told, &'static str)> {
    let submitted = || Told::from(Event::TaskSubmitted { task: NEW, budget: Budget::default() });
    let budget = Budget { tokens: 1, ..Budget::default() };
    let by = Submitter { user: UserId(5), priority: Priority::High };
    let by_somebody = Fact::Submitted { task: NEW, budget, by };
    let attempted = || Told::from(Fact::Attempted { task: NEW, budget: Budget::default(), by });
    let message =
        |message| Told::from(Event::MessageReceived { task: TaskId(1), message: MessageId(message) });
    let asks = |root, epoch, number| {
        let question = QuestionKey { epoch: Epoch(epoch), number: QuestionNumber(number) };
        Told::from(Fact::Questions { root, event: QuestionEvent::Asked { question } })
    };
    let gone = |agent| Fact::Pool(PoolEvent::Gone { agent: AgentId(agent) });
    vec![
        (0, Event::ProfileDown { profile: ProfileId(1) }.into(), ""),
        (1, Event::ProfileUp { profile: ProfileId(1) }.into(), ""),
        (2, Event::ProfileDown { profile: ProfileId(1) }.into(), ""),
        (3, submitted(), "count the files"),
        (10, message(1), "and the folders"),
        (11, by_somebody.into(), "with a budget"),
        (16, message(2), "but no links"),
        (25, gone(1).into(), ""),
        (29, Event::ProfileUp { profile: ProfileId(1) }.into(), ""),
        (33, asks(TaskId(1), 3, 1), "which folder?"),
        (34, Event::ProfileDown { profile: ProfileId(0) }.into(), ""),
        (45, asks(TaskId(2), 2, 1), "which links?"),
        (50, submitted(), "to be cancelled"),
        (60, asks(TaskId(1), 3, 2), "and of the folders?"),
        (66, Event::CancelRequested { task: TaskId(7) }.into(), ""),
        (90, submitted(), "the last"),
        (112, Fact::NoPlace(TaskId(8)).into(), ""),
        (130, attempted(), "to be tried and cancelled"),
        (140, attempted(), "to be done at last"),
        (150, Told::Said(Event::CancelRequested { task: FIRST }), ""),
        // When nothing else is left to do.
        (1_000, submitted(), "for a worker"),
        (1_000, worker::message().into(), "and this"),
    ]
}

/// The entries of some two hundred events. At the end something is held still.
pub(crate) fn history() -> Vec<Entry> {
    let (mut known, mut entries, mut desk) = (Known::new(settings()), Vec::new(), Desk::default());
    let (mut told, mut answers, mut passage) = (VecDeque::from(told()), VecDeque::new(), Passage::default());
    loop {
        let (next, text) = match told.front() {
            Some((after, ..)) if *after <= entries.len() || answers.is_empty() => {
                let Some((_, told, text)) = told.pop_front() else { return entries };
                (told, vec![text.to_owned()])
            }
            Some(_) | None => match answers.pop_front() {
                Some(answer) => answer,
                None => return entries,
            },
        };
        let is_on_way = |task| answers.iter().any(|(told, _): &(Told, _)| told.is_for_place_of(task));
        let paid = next.paid();
        let Some(fact) = fact(next, &known, &mut desk, is_on_way) else { continue };
        let (mut orders, at_ms) = (Vec::new(), 1_000 + 10 * entries.len() as u64);
        let bill = paid.and_then(|(root, spend)| billed(&known.kernel, root, spend));
        let outcome = bill.map(|bill| known.take(at_ms, &Event::from(bill).into(), &[], &mut orders));
        assert!(outcome.is_none_or(|outcome| outcome == Outcome::Applied), "what it cost is counted");
        if known.take(at_ms, &fact, &text, &mut orders) == Outcome::Applied {
            passage.note(&fact);
            entries.push(Entry { at_ms, event: fact.into(), bill, text });
        }
        for order in passage.pass(&known, orders) {
            answers.extend(answer(&order, &known, &mut desk));
        }
    }
}

fn fact(told: Told, known: &Known, desk: &mut Desk, is_on_way: impl Fn(TaskId) -> bool) -> Option<Fact> {
    let fresh = || PLACE.after(known.kernel.highest());
    match told {
        Told::Said(event) => Some(known.meant(event)),
        Told::Fact(Fact::Tree(mut event)) => {
            number(&mut event, &known.kernel, PLACE).then_some(Fact::Tree(event))
        }
        Told::Fact(Fact::Submitted { budget, by, .. }) => Some(Fact::Submitted { task: fresh(), budget, by }),
        Told::Fact(Fact::Attempted { budget, by, .. }) => Some(Fact::Attempted { task: fresh(), budget, by }),
        Told::Fact(fact) => Some(fact),
        Told::Begin { task, attempt } => known.begins(task, attempt, fresh()),
        Told::Fence { task, attempt, query } => {
            Some(known.fences(task, attempt, query)?.map_or_else(|found| found, Fact::Tree))
        }
        Told::Concluded(task) => known.concludes(task),
        Told::Heard(task) => {
            known.may_forget(task, is_on_way(task)).then_some(Event::EndAcknowledged { task }.into())
        }
        Told::Over(task, end) => over(known.pool.as_ref()?, task, end).map(Fact::Pool),
        Told::Posted { root, news } => Some(known.posts(root, news)),
        Told::Replied { mut ended, .. } => number(&mut ended, &known.kernel, PLACE).then_some(ended.into()),
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
        Order::Tree(Effect::TaskEnded { task: FIRST, .. }) => vec![],
        Order::Tree(Effect::TaskEnded { task, end }) => {
            known.words_of_end(*task, *end).into_iter().flat_map(plain).collect()
        }
        Order::Tree(Effect::Initialize { task })
        | Order::There { effect: Effect::Initialize { task }, .. } => {
            // The first attempt at a task fails.
            let is_ready = known.attempted.of(*task).is_none_or(|(name, _)| name != *task);
            plain(match *task {
                worker::TASK => Event::Deployed { task: worker::TASK },
                task if is_ready => Event::Initialized { task },
                task => Event::InitializationFailed { task },
            })
        }
        Order::Tree(Effect::Ask { question, about }) => {
            let root = known.name_of(root_of(&known.kernel, question.task));
            let text = known.library.question(*about).to_string();
            let posted = (Told::Posted { root, news: News::Progress }, vec![text]);
            let answer = Event::AnswerReceived { question: *question, answer: Answer::Approved };
            vec![posted, (answer.into(), vec!["yes".to_owned()])]
        }
        Order::Retry { task, effect: RetryEffect::Arm { timer, .. } } => {
            // The first attempt is asked about once, and waits are over at once.
            let waits = known.attempted.get(*task).is_some_and(|tries| {
                timer.0 == 1 || matches!(tries.retry.state, RetryState::BackingOff { .. })
            });
            let event = RetryEvent::Elapsed { timer: *timer };
            if waits { plain(Fact::Retry { task: *task, event }) } else { vec![] }
        }
        Order::Retry { task, effect } => {
            known.words_of_retry(*task, *effect).into_iter().flat_map(plain).collect()
        }
        Order::Outbox { root, effect } => answer_of_receiver(*root, *effect).map(plain).unwrap_or_default(),
        Order::Tree(Effect::Worker { effect, .. }) => worker::answer(*effect),
        Order::There { effect: Effect::Worker { effect, .. }, .. } => worker::answer(*effect),
        Order::Tree(effect) | Order::There { effect, .. } => {
            let answer = answer_of_tree(effect).map(|(event, text)| (worker::paid(event), text));
            worker::delivered(effect).into_iter().chain(answer).collect()
        }
        Order::Credential { profile, effect: CredentialEffect::Settle { waiter, end } } => {
            desk.settled(*profile, *waiter, *end).map(plain).unwrap_or_default()
        }
        Order::Credential { profile, effect } => {
            let fact = |event| Fact::Credential { profile: *profile, event };
            answer_of_vault(*effect).map(fact).map(plain).unwrap_or_default()
        }
        Order::Pool(effect) => answer_of_pool(*effect, known),
        Order::LeaseOver { lease, lost, .. } => {
            let asker = known.asker_lost(lease.task, lease.epoch).map(Told::from);
            let lost = lost.iter().map(|call| tool_lost(*call).into());
            asker.into_iter().chain(lost).flat_map(plain).collect()
        }
        Order::Questions { root, effect } => {
            let event = answer_to_agent(*root, *effect);
            let words = vec!["the second".to_owned()];
            event.map(|event| (Fact::Questions { root: *root, event }.into(), words)).into_iter().collect()
        }
        // There is no crash.
        Order::Attach { .. } => vec![],
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
            let word = ended_in_pool(&known.kernel, task, end).map(Told::from);
            return word.into_iter().chain([Told::Heard(task)]).flat_map(plain).collect();
        }
        PoolEffect::Arm { .. } | PoolEffect::Disarm { .. } => return vec![],
    };
    plain(Fact::Pool(event))
}

/// Of the seventh task nobody hears.
fn answer_of_receiver(root: TaskId, effect: NotificationEffect) -> Option<Told> {
    match effect {
        NotificationEffect::Send { .. } if root == TaskId(7) => None,
        NotificationEffect::Send { number, .. } => {
            let event = NotificationEvent::Acknowledged { number };
            Some(Told::Fact(Fact::Outbox { root, event }))
        }
        NotificationEffect::Disarm { .. }
        | NotificationEffect::Arm { .. }
        | NotificationEffect::ReportUndelivered { .. } => None,
    }
}

/// The second root is answered nothing.
fn answer_to_agent(root: TaskId, effect: QuestionEffect) -> Option<QuestionEvent> {
    match effect {
        QuestionEffect::Ask { .. } if root == TaskId(2) => None,
        QuestionEffect::Ask { question } => Some(QuestionEvent::Answered { question }),
        QuestionEffect::Relay { question, .. } => Some(QuestionEvent::Acknowledged { question }),
        QuestionEffect::Close { question, .. } => Some(QuestionEvent::Closed { question }),
        QuestionEffect::Arm { .. } | QuestionEffect::Disarm { .. } => None,
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
        Effect::AbortInitialization { task } => plain(Event::InitializationFailed { task }),
        Effect::Request { task, turn, effect } => answer_to_request(task, turn, effect),
        Effect::RunTool { call } => Some((
            Event::ToolEnded { call, end: ToolEnd::Succeeded },
            vec![format!("three of {}", call.task.0)],
        )),
        Effect::CancelTool { call } => plain(Event::ToolEnded { call, end: ToolEnd::Cancelled }),
        Effect::Arm { timer, .. } => plain(Event::TimerFired { timer }),
        Effect::Ask { .. }
        | Effect::Initialize { .. }
        | Effect::Enqueue { .. }
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
    for entry @ Entry { at_ms, event, bill, text } in entries {
        let outcome = known.replay(*at_ms, *bill, event.clone().into(), text, &mut Vec::new());
        assert_eq!(outcome, Outcome::Applied, "{entry:?}");
    }
    known
}
