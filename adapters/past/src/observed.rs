//! A journal as a trace: what an observer would have written down beside it.
//!
//! A line is what happened to a machine, and what that has ordered follows on it. That it was carried out is not in a journal: an order
//! stands for it. What a restart repeats is in no line, and so in no trace.

use crate::error::PastError;
use crate::place::opened;
use crate::settings::Settings;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use downbeat_kernel::{
    About, Call, CallId, CallResult, Conclusion, Config, CredentialEffect, CredentialEvent, Effect,
    Event as Told, Kernel, News, NotificationEffect, OrderNumber, Part, ProfileId, QuestionId, RequestEffect,
    RequestEvent, RequestId, Response, SendFailure, TaskId, TurnNumber, WriteEnd,
};
use downbeat_shell::{Journal, OnRecord, Order, Recorded, Replay};
use downbeat_trace::{End, Event, Field, Kind, Name};

/// Makes events of lines.
#[derive(Debug, Default)]
struct Observer {
    /// The generation that a write would store.
    writes: BTreeMap<(ProfileId, OrderNumber), u32>,
    /// Refreshes that have not ended.
    refreshes: BTreeMap<(ProfileId, OrderNumber), u32>,
    /// Questions about a budget: a trace knows nothing of those.
    of_budget: BTreeSet<QuestionId>,
}

impl Observer {
    /// What a line says, and what it has ordered; `replay` has taken it.
    fn observe(&mut self, line: &OnRecord, orders: &[Order], replay: &Replay) -> Vec<Event<'static>> {
        let mut events = Vec::new();
        match line.entry.event.clone() {
            Recorded::Tree(record) => {
                let event = record.into();
                if !self.is_of_budget(&event) {
                    told(event, &mut events);
                }
            }
            Recorded::Credential { profile, event } => self.credential(profile, event.into(), &mut events),
            Recorded::NoPlace { task } => events.push(of(Kind::Cancel, task)),
            Recorded::Outbox { .. }
            | Recorded::Pool(_)
            | Recorded::Submitted { .. }
            | Recorded::Attempted { .. }
            | Recorded::Begun { .. }
            | Recorded::Questions { .. }
            | Recorded::Retry { .. }
            | Recorded::PoolStands { .. }
            | Recorded::Stands { .. } => {}
        }
        let effects: Vec<_> = orders.iter().filter_map(effect).collect();
        for order in orders {
            match order {
                Order::Tree(Effect::Ask { question, about: About::Budget }) => {
                    self.of_budget.insert(*question);
                }
                Order::Tree(effect) | Order::There { effect, .. } => {
                    ordered(effect, &effects, replay.kernel(), &mut events);
                }
                Order::Credential { profile, effect } => self.order(*profile, *effect, &mut events),
                Order::Outbox { root, effect } => {
                    if let NotificationEffect::Send { number, news: News::Concluded(conclusion), .. } = effect
                    {
                        let event = of(Kind::Notified, *root).ended(concluded(*conclusion));
                        events.push(event.with(Field::Notification, Name::Number(number.0.into())));
                    }
                }
                Order::Pool(_)
                | Order::Retry { .. }
                | Order::Questions { .. }
                | Order::LeaseOver { .. }
                | Order::Forgotten(_)
                | Order::Attach { .. } => {}
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact for 285,000 years")]
        let at_ms = line.entry.at_ms as f64;
        events.into_iter().map(|event| event.at(at_ms)).collect()
    }

    /// Whether it answers a question about a budget.
    fn is_of_budget(&mut self, event: &Told) -> bool {
        let Told::AnswerReceived { question, .. } = event else { return false };
        self.of_budget.remove(question)
    }

    fn credential(&mut self, profile: ProfileId, event: CredentialEvent, events: &mut Vec<Event<'static>>) {
        match event {
            CredentialEvent::RefreshEnded { order, end } => {
                let end = match end {
                    downbeat_kernel::RefreshEnd::Refreshed => End::Completed,
                    downbeat_kernel::RefreshEnd::InvalidGrant => End::Refused,
                    downbeat_kernel::RefreshEnd::Failed => End::Failed,
                };
                if let Some(generation) = self.refreshes.remove(&(profile, order)) {
                    events.push(refresh(Kind::RefreshEnded, profile, generation).ended(end));
                }
            }
            CredentialEvent::WriteEnded { order, end } => {
                if let (WriteEnd::Stored, Some(generation)) = (end, self.writes.remove(&(profile, order))) {
                    events.push(refresh(Kind::CredentialStored, profile, generation));
                }
            }
            CredentialEvent::StoreChanged { generation } => {
                events.push(refresh(Kind::CredentialStored, profile, generation.0));
            }
            CredentialEvent::Wanted { .. }
            | CredentialEvent::StoreRead { .. }
            | CredentialEvent::Elapsed { .. } => {}
        }
    }

    fn order(&mut self, profile: ProfileId, effect: CredentialEffect, events: &mut Vec<Event<'static>>) {
        match effect {
            CredentialEffect::Refresh { order, generation } => {
                self.refreshes.insert((profile, order), generation.0);
                events.push(refresh(Kind::RefreshStarted, profile, generation.0));
            }
            CredentialEffect::Abort { order } => {
                if let Some(generation) = self.refreshes.remove(&(profile, order)) {
                    events.push(refresh(Kind::RefreshEnded, profile, generation).ended(End::Unknown));
                }
            }
            CredentialEffect::Write { order, generation } => {
                self.writes.insert((profile, order), generation.0);
            }
            CredentialEffect::Read { .. }
            | CredentialEffect::Claim { .. }
            | CredentialEffect::Recover { .. }
            | CredentialEffect::Arm { .. }
            | CredentialEffect::Disarm { .. }
            | CredentialEffect::Settle { .. } => {}
        }
    }
}

fn effect(order: &Order) -> Option<&Effect> {
    match order {
        Order::Tree(effect) | Order::There { effect, .. } => Some(effect),
        Order::Credential { .. }
        | Order::Outbox { .. }
        | Order::Pool(_)
        | Order::Retry { .. }
        | Order::Questions { .. }
        | Order::LeaseOver { .. }
        | Order::Forgotten(_)
        | Order::Attach { .. } => None,
    }
}

fn of(kind: Kind, task: TaskId) -> Event<'static> {
    Event::new(kind).with(Field::Task, Name::Number(task.0))
}

fn refresh(kind: Kind, profile: ProfileId, generation: u32) -> Event<'static> {
    let event = Event::new(kind).with(Field::Credential, Name::Number(profile.0.into()));
    event.with(Field::Generation, Name::Number(generation.into()))
}

fn concluded(conclusion: Conclusion) -> End {
    match conclusion {
        Conclusion::Completed => End::Completed,
        Conclusion::Failed => End::Failed,
        Conclusion::Cancelled => End::Cancelled,
    }
}

fn sent(kind: Kind, RequestId { task, turn, attempt }: RequestId) -> Event<'static> {
    let event = of(kind, task).with(Field::Turn, Name::Number(turn.0.into()));
    event.with(Field::Attempt, Name::Number(attempt.0.into()))
}

/// A call by its turn and its place in the response.
fn call(kind: Kind, CallId { task, turn, index }: CallId) -> Event<'static> {
    of(kind, task).with(Field::Call, Name::of(format!("{}.{index}", turn.0)))
}

/// What happened, as it was told.
fn told(event: Told, events: &mut Vec<Event<'static>>) {
    match event {
        Told::ResponseEnded { request, response, .. } => {
            events.push(sent(Kind::RequestEnded, request).ended(End::Completed));
            if let Response::Calls(calls) = response {
                let RequestId { task, turn, .. } = request;
                let is_waited_for = |call: &Call| !matches!(call, Call::Completion(_));
                let made = (0..).zip(&calls).filter(|(_, call)| is_waited_for(call));
                events.extend(made.map(|(index, _)| call(Kind::ToolCall, CallId { task, turn, index })));
            }
        }
        Told::Request { task, turn, event } => of_request(task, turn, event, events),
        Told::AnswerReceived { question, .. } => {
            let number = Name::Number(question.number.into());
            let event = of(Kind::Answer, question.task).with(Field::Question, number.clone());
            events.push(event.with(Field::Settles, number));
        }
        Told::MessageReceived { task, message } => {
            events.push(of(Kind::MessageQueued, task).with(Field::Message, Name::Number(message.0.into())));
        }
        Told::PauseRequested { task } => events.push(of(Kind::Pause, task)),
        Told::ResumeRequested { task } => events.push(of(Kind::Resume, task)),
        Told::CancelRequested { task } => events.push(of(Kind::Cancel, task)),
        Told::TaskSubmitted { .. }
        | Told::Spent { .. }
        | Told::Admitted { .. }
        | Told::Initialized { .. }
        | Told::InitializationFailed { .. }
        | Told::Deployed { .. }
        | Told::Worker { .. }
        | Told::SubtaskRequested { .. }
        | Told::ProfileDown { .. }
        | Told::ProfileUp { .. }
        | Told::ToolEnded { .. }
        | Told::TimerFired { .. }
        | Told::EndAcknowledged { .. } => {}
    }
}

fn of_request(task: TaskId, turn: TurnNumber, event: RequestEvent, events: &mut Vec<Event<'static>>) {
    match event {
        RequestEvent::SendFailed { attempt, failure, .. } => {
            let end = if failure == SendFailure::Unauthorized { End::Refused } else { End::Failed };
            events.push(sent(Kind::RequestEnded, RequestId { task, turn, attempt }).ended(end));
        }
        RequestEvent::Stopped { attempt } => {
            events.push(sent(Kind::RequestEnded, RequestId { task, turn, attempt }).ended(End::Stopped));
        }
        RequestEvent::OutputDelivered { attempt } => {
            events.push(sent(Kind::RequestDelta, RequestId { task, turn, attempt }));
        }
        RequestEvent::Began { .. }
        | RequestEvent::CredentialGiven { .. }
        | RequestEvent::CredentialFailed { .. }
        | RequestEvent::ResponseEnded { .. }
        | RequestEvent::UsageReported { .. }
        | RequestEvent::ProfileDown { .. }
        | RequestEvent::ProfileUp { .. }
        | RequestEvent::PauseRequested
        | RequestEvent::ResumeRequested
        | RequestEvent::CancelRequested
        | RequestEvent::TimerFired { .. } => {}
    }
}

/// What was ordered, among all that was with it.
fn ordered(effect: &Effect, all: &[&Effect], kernel: &Kernel, events: &mut Vec<Event<'static>>) {
    match *effect {
        Effect::Enqueue { task } => {
            let parent = kernel.task(task).and_then(|task| task.data.parent);
            let event = of(Kind::TaskStarted, task);
            events.push(match parent {
                Some(parent) => event.with(Field::Parent, Name::Number(parent.0)),
                None => event,
            });
        }
        Effect::Request { task, turn, effect } => match effect {
            RequestEffect::Send { attempt, .. } => {
                events.push(sent(Kind::RequestStarted, RequestId { task, turn, attempt }));
            }
            // It is closed by then, and nobody knows how it would have ended.
            RequestEffect::Fence { attempt } => {
                events.push(sent(Kind::RequestEnded, RequestId { task, turn, attempt }).ended(End::Unknown));
            }
            RequestEffect::GetCredential { .. }
            | RequestEffect::Recover { .. }
            | RequestEffect::Stop { .. }
            | RequestEffect::Charge { .. }
            | RequestEffect::Arm { .. }
            | RequestEffect::Disarm { .. }
            | RequestEffect::Ended { .. } => {}
        },
        Effect::RunTool { call: id } => events.push(call(Kind::ToolStarted, id)),
        Effect::Include { task, part } if !is_further(task, all) => included(task, part, kernel, events),
        Effect::ReportUndelivered { task, message, .. } => {
            events.push(of(Kind::MessageReturned, task).with(Field::Message, Name::Number(message.0.into())));
        }
        Effect::Ask { question, .. } => {
            let number = Name::Number(question.number.into());
            events.push(of(Kind::Question, question.task).with(Field::Question, number));
        }
        Effect::TaskEnded { task, end } => {
            let end = match end {
                downbeat_kernel::End::Completed => End::Completed,
                downbeat_kernel::End::Failed(_) => End::Failed,
                downbeat_kernel::End::Cancelled => End::Cancelled,
            };
            events.push(of(Kind::TaskEnded, task).ended(end));
        }
        Effect::Include { .. }
        | Effect::Dequeue { .. }
        | Effect::Initialize { .. }
        | Effect::AbortInitialization { .. }
        | Effect::Worker { .. }
        | Effect::CancelTool { .. }
        | Effect::Withdraw { .. }
        | Effect::Arm { .. }
        | Effect::Disarm { .. } => {}
    }
}

/// Whether a turn is sent again: its content is that of the first send.
fn is_further(whose: TaskId, all: &[&Effect]) -> bool {
    all.iter().any(|effect| {
        let Effect::Request { task, effect: RequestEffect::Send { attempt, .. }, .. } = effect else {
            return false;
        };
        *task == whose && attempt.0 > 0
    })
}

/// What became part of a task's next request.
fn included(task: TaskId, part: Part, kernel: &Kernel, events: &mut Vec<Event<'static>>) {
    let turn = kernel.task(task).map_or(0, |task| task.data.turn.0);
    match part {
        Part::Result { call: id, result } => match result {
            // There was no call: the model had made too many responses without one.
            CallResult::Guided => {}
            CallResult::Subtask { child, .. } => {
                let event = of(Kind::ResultDelivered, task).with(Field::Child, Name::Number(child.0));
                events.push(event.with(Field::Turn, Name::Number(turn.into())));
                events.push(call(Kind::ToolResult, id));
            }
            CallResult::Tool(_)
            | CallResult::Denied
            | CallResult::Answered
            | CallResult::Refused(_)
            | CallResult::Abandoned => events.push(call(Kind::ToolResult, id)),
        },
        Part::Message(message) => {
            let event = of(Kind::MessageDelivered, task).with(Field::Message, Name::Number(message.0.into()));
            events.push(event.with(Field::Turn, Name::Number(turn.into())));
        }
        Part::Prompt | Part::Reminder => {}
    }
}

/// What is seen of a shard.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives as long as it is looked at, and is an event as a rule"
)]
pub enum Seen {
    /// An event, and the position of its line.
    Event(u64, Event<'static>),
    /// It was compacted: what was over before this position is not in it. Said at its end.
    Compacted(u64),
    /// It cannot be read on, or a line does not follow from those before it.
    Unread(PastError),
}

/// Gives what an observer would have written down beside a journal, shard by shard, with the number of the shard. The journal is read
/// as it is, also while its shell runs. Says under which settings of the kernel it was written.
///
/// # Errors
/// If it cannot be opened, or was written under other settings than those of that file.
pub fn observe(
    path: &Path,
    settings: Option<&Path>,
    mut take: impl FnMut(u32, Seen),
) -> Result<Config, PastError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PastError::Output)?;
    runtime.block_on(async {
        let store = opened(path).await?;
        let config = Settings::find(&*store, settings).await?.config;
        for shard in store.shards().await? {
            let mut journal = Journal::new(&*store, shard);
            let read = read(&mut journal, Replay::new(shard, &config), |at, event| {
                take(shard.0, Seen::Event(at, event));
            });
            if let Err(error) = read.await {
                take(shard.0, Seen::Unread(error));
            }
            if let Some(before) = journal.compacted() {
                take(shard.0, Seen::Compacted(before.0));
            }
        }
        Ok(config.kernel)
    })
}

/// Reads a shard to its end.
async fn read(
    journal: &mut Journal<'_>,
    mut replay: Replay,
    mut take: impl FnMut(u64, Event<'static>),
) -> Result<(), PastError> {
    let mut observer = Observer::default();
    while let Some(line) = journal.next().await? {
        let orders = replay.step(line.clone())?;
        for event in observer.observe(&line, &orders, &replay) {
            take(line.at.0, event);
        }
    }
    Ok(())
}
