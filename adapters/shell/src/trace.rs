//! What a shell says of itself: one event of `tracing` for every step and for every order.
//!
//! The fields are in `docs/shell.md`. Words of people and models are never among them.

use crate::fact::{Fact, Order, Refused, agent_of};
use downbeat_kernel::{
    AgentId, AttemptNumber, CredentialEffect, CredentialEvent, Effect, Epoch, Event, Ignored, IteratorId,
    Lease, NotificationEffect, NotificationEvent, Outcome, PoolEffect, PoolEvent, PromptId, QuestionEffect,
    QuestionEvent, QuestionKey, RequestEffect, RequestEvent, RequestId, RetryEffect, RetryEvent,
    SessionEffect, SessionEvent, TaskId, Timer, TurnNumber, WorkerEffect, WorkerEvent,
};

/// Whom something is about, and what it is called.
pub(crate) struct Subject {
    name: &'static str,
    task: Option<u64>,
    turn: Option<u32>,
    attempt: Option<u16>,
    profile: Option<u8>,
    notification: Option<u32>,
    trial: Option<u32>,
    question: Option<u32>,
    agent: Option<u32>,
    epoch: Option<u64>,
    iterator: Option<u32>,
    prompt: Option<u32>,
}

impl Subject {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            task: None,
            turn: None,
            attempt: None,
            profile: None,
            notification: None,
            trial: None,
            question: None,
            agent: None,
            epoch: None,
            iterator: None,
            prompt: None,
        }
    }

    pub(crate) fn of(name: &'static str, task: TaskId) -> Self {
        Self { task: Some(task.0), ..Self::new(name) }
    }

    pub(crate) fn at(self, agent: AgentId) -> Self {
        Self { agent: Some(agent.0), ..self }
    }

    fn under(self, lease: Lease) -> Self {
        Self { task: Some(lease.task.0), epoch: Some(lease.epoch.0), ..self }
    }

    pub(crate) fn turn(self, turn: TurnNumber) -> Self {
        Self { turn: Some(turn.0), ..self }
    }

    fn iterator(self, iterator: IteratorId) -> Self {
        Self { iterator: Some(iterator.0), ..self }
    }

    fn prompt(self, prompt: PromptId) -> Self {
        Self { prompt: Some(prompt.0), ..self }
    }

    fn question(self, QuestionKey { epoch, number }: QuestionKey) -> Self {
        Self { question: Some(number.0), epoch: Some(epoch.0), ..self }
    }

    fn trial(self, attempt: AttemptNumber) -> Self {
        Self { trial: Some(attempt.0), ..self }
    }

    pub(crate) fn attempt(self, attempt: downbeat_kernel::Attempt) -> Self {
        Self { attempt: Some(attempt.0), ..self }
    }
}

/// A fact was put to its machine, and this became of it.
pub(crate) fn step(fact: &Fact, outcome: &Outcome<Refused>, effects: usize) {
    let Subject {
        name,
        task,
        turn,
        attempt,
        profile,
        notification,
        trial,
        question,
        agent,
        epoch,
        iterator,
        prompt,
    } = of_fact(fact);
    match outcome {
        Outcome::Applied => {
            tracing::debug!(target: "downbeat::step", event = name, task, turn, attempt, profile, notification, trial, question, agent, epoch, iterator, prompt, effects);
        }
        Outcome::Ignored(why) => {
            let why = ignored(*why);
            tracing::debug!(target: "downbeat::ignored", event = name, task, turn, attempt, profile, notification, trial, question, agent, epoch, iterator, prompt, why);
        }
        Outcome::Rejected(why) => {
            let why = refused(why);
            tracing::warn!(target: "downbeat::rejected", event = name, task, turn, attempt, profile, notification, trial, question, agent, epoch, iterator, prompt, ?why);
        }
    }
}

/// An order is carried out.
pub(crate) fn order(order: &Order) {
    let Subject {
        name,
        task,
        turn,
        attempt,
        profile,
        notification,
        trial,
        question,
        agent,
        epoch,
        iterator,
        prompt,
    } = of_order(order);
    tracing::debug!(target: "downbeat::effect", effect = name, task, turn, attempt, profile, notification, trial, question, agent, epoch, iterator, prompt);
}

/// An adapter has not answered for so long, and is not waited for any more.
pub(crate) fn silent(asked: &Subject, after_ms: u32) {
    let Subject { name, task, turn, attempt, agent, .. } = *asked;
    tracing::warn!(target: "downbeat::silent", asked = name, task, turn, attempt, agent, after_ms);
}

fn of_order(order: &Order) -> Subject {
    match order {
        Order::Tree(effect) => of_effect(effect),
        Order::Credential { profile, effect } => {
            Subject { profile: Some(profile.0), ..Subject::new(of_credential_effect(*effect)) }
        }
        Order::Outbox { root, effect } => of_outbox_effect(*effect, *root),
        Order::Pool(effect) => of_pool_effect(*effect),
        Order::Questions { root, effect } => of_question_effect(*effect, *root),
        Order::Retry { task, effect } => of_retry_effect(*effect, *task),
        Order::There { agent, lease, effect } => {
            Subject { epoch: Some(lease.epoch.0), ..of_effect(effect).at(*agent) }
        }
        Order::LeaseOver { agent, lease, .. } => Subject::new("LeaseOver").at(*agent).under(*lease),
        Order::Forgotten(task) => Subject::of("Forgotten", *task),
        Order::Attach { task, iterator } => Subject::of("Attach", *task).iterator(*iterator),
    }
}

fn of_fact(fact: &Fact) -> Subject {
    match fact {
        Fact::Tree(event) => of_event(event),
        Fact::Credential { profile, event } => {
            Subject { profile: Some(profile.0), ..Subject::new(of_credential_event(*event)) }
        }
        Fact::Outbox { root, event } => of_outbox_event(*event, *root),
        Fact::Pool(event) => of_pool_event(*event),
        Fact::Submitted { task, .. } | Fact::Attempted { task, .. } => Subject::of("TaskSubmitted", *task),
        Fact::Begun { attempt, root, .. } => Subject::of("TaskSubmitted", *root).trial(*attempt),
        Fact::Questions { root, event } => of_question_event(*event, *root),
        Fact::Retry { task, event } => of_retry_event(*event, *task),
        Fact::NoPlace(task) => Subject::of("NoPlace", *task),
        Fact::Stands { profile, .. } => Subject { profile: Some(profile.0), ..Subject::new("Stands") },
    }
}

/// Why it was refused, without the name of the machine.
fn refused(why: &Refused) -> &dyn std::fmt::Debug {
    match why {
        Refused::Tree(why) => why,
        Refused::Credential(why) => why,
        Refused::Outbox(why) => why,
        Refused::Pool(why) => why,
        Refused::Retry(why) => why,
        Refused::Questions(why) => why,
        Refused::NoCredential(_) | Refused::NoPool => why,
    }
}

/// The task that an event is about; `None` if it is about all of them.
pub(crate) fn task_of(event: &Event) -> Option<TaskId> {
    of_event(event).task.map(TaskId)
}

/// The task that a fact is about, if it names one.
pub(crate) fn task_of_fact(fact: &Fact) -> Option<TaskId> {
    of_fact(fact).task.map(TaskId)
}

/// The task that an order is about, if it names one.
pub(crate) fn task_of_order(order: &Order) -> Option<TaskId> {
    of_order(order).task.map(TaskId)
}

fn ignored(why: Ignored) -> &'static str {
    match why {
        Ignored::Stale => "stale",
        Ignored::Duplicate => "duplicate",
        Ignored::Terminal => "terminal",
    }
}

fn of_event(event: &Event) -> Subject {
    match *event {
        Event::TaskSubmitted { task, .. } => Subject::of("TaskSubmitted", task),
        Event::Admitted { task } => Subject::of("Admitted", task),
        Event::Initialized { task } => Subject::of("Initialized", task),
        Event::InitializationFailed { task } => Subject::of("InitializationFailed", task),
        Event::Deployed { task } => Subject::of("Deployed", task),
        Event::Worker { task, event } => of_worker_event(event, task),
        Event::SubtaskRequested { task, .. } => Subject::of("SubtaskRequested", task),
        Event::ResponseEnded { request: RequestId { task, turn, attempt }, .. } => {
            Subject::of("ResponseEnded", task).turn(turn).attempt(attempt)
        }
        Event::Request { task, turn, event } => of_request_event(event, task).turn(turn),
        Event::ProfileDown { .. } => Subject::new("ProfileDown"),
        Event::ProfileUp { .. } => Subject::new("ProfileUp"),
        Event::ToolEnded { call, .. } => Subject::of("ToolEnded", call.task).turn(call.turn),
        Event::AnswerReceived { question, .. } => Subject::of("AnswerReceived", question.task),
        Event::MessageReceived { task, .. } => Subject::of("MessageReceived", task),
        Event::PauseRequested { task } => Subject::of("PauseRequested", task),
        Event::ResumeRequested { task } => Subject::of("ResumeRequested", task),
        Event::CancelRequested { task } => Subject::of("CancelRequested", task),
        Event::Spent { task, .. } => Subject::of("Spent", task),
        Event::TimerFired { timer: Timer::Grace(task) | Timer::Budget { task, .. } } => {
            Subject::of("TimerFired", task)
        }
        Event::EndAcknowledged { task } => Subject::of("EndAcknowledged", task),
    }
}

fn of_request_event(event: RequestEvent, task: TaskId) -> Subject {
    match event {
        RequestEvent::Began { .. } => Subject::of("Began", task),
        RequestEvent::CredentialGiven { attempt, .. } => {
            Subject::of("CredentialGiven", task).attempt(attempt)
        }
        RequestEvent::CredentialFailed { attempt } => Subject::of("CredentialFailed", task).attempt(attempt),
        RequestEvent::OutputDelivered { attempt } => Subject::of("OutputDelivered", task).attempt(attempt),
        RequestEvent::ResponseEnded { attempt } => Subject::of("ResponseEnded", task).attempt(attempt),
        RequestEvent::SendFailed { attempt, .. } => Subject::of("SendFailed", task).attempt(attempt),
        RequestEvent::Stopped { attempt } => Subject::of("Stopped", task).attempt(attempt),
        RequestEvent::UsageReported { attempt } => Subject::of("UsageReported", task).attempt(attempt),
        RequestEvent::ProfileDown { .. } => Subject::of("ProfileDown", task),
        RequestEvent::ProfileUp { .. } => Subject::of("ProfileUp", task),
        RequestEvent::PauseRequested => Subject::of("PauseRequested", task),
        RequestEvent::ResumeRequested => Subject::of("ResumeRequested", task),
        RequestEvent::CancelRequested => Subject::of("CancelRequested", task),
        RequestEvent::TimerFired { .. } => Subject::of("TimerFired", task),
    }
}

fn of_effect(effect: &Effect) -> Subject {
    match *effect {
        Effect::Enqueue { task } => Subject::of("Enqueue", task),
        Effect::Dequeue { task } => Subject::of("Dequeue", task),
        Effect::Initialize { task } => Subject::of("Initialize", task),
        Effect::AbortInitialization { task } => Subject::of("AbortInitialization", task),
        Effect::Worker { task, effect } => of_worker_effect(effect, task),
        Effect::Include { task, .. } => Subject::of("Include", task),
        Effect::Request { task, turn, effect } => of_request_effect(effect, task).turn(turn),
        Effect::RunTool { call } => Subject::of("RunTool", call.task).turn(call.turn),
        Effect::CancelTool { call } => Subject::of("CancelTool", call.task).turn(call.turn),
        Effect::Ask { question, .. } => Subject::of("Ask", question.task),
        Effect::Withdraw { question } => Subject::of("Withdraw", question.task),
        Effect::Arm { timer: Timer::Grace(task) | Timer::Budget { task, .. }, .. } => {
            Subject::of("Arm", task)
        }
        Effect::Disarm { timer: Timer::Grace(task) | Timer::Budget { task, .. } } => {
            Subject::of("Disarm", task)
        }
        Effect::ReportUndelivered { task, .. } => Subject::of("ReportUndelivered", task),
        Effect::TaskEnded { task, .. } => Subject::of("TaskEnded", task),
    }
}

fn of_request_effect(effect: RequestEffect, task: TaskId) -> Subject {
    match effect {
        RequestEffect::GetCredential { attempt, .. } => Subject::of("GetCredential", task).attempt(attempt),
        RequestEffect::Send { attempt, .. } => Subject::of("Send", task).attempt(attempt),
        RequestEffect::Recover { attempt } => Subject::of("Recover", task).attempt(attempt),
        RequestEffect::Stop { attempt } => Subject::of("Stop", task).attempt(attempt),
        RequestEffect::Fence { attempt } => Subject::of("Fence", task).attempt(attempt),
        RequestEffect::Charge { attempt, .. } => Subject::of("Charge", task).attempt(attempt),
        RequestEffect::Arm { .. } => Subject::of("Arm", task),
        RequestEffect::Disarm { .. } => Subject::of("Disarm", task),
        RequestEffect::Ended { .. } => Subject::of("Ended", task),
    }
}

fn of_worker_event(event: WorkerEvent, task: TaskId) -> Subject {
    match event {
        WorkerEvent::Assigned => Subject::of("Assigned", task),
        WorkerEvent::MessageReceived { .. } => Subject::of("MessageReceived", task),
        WorkerEvent::ChildReported { .. } => Subject::of("ChildReported", task),
        WorkerEvent::ChildEnded { .. } => Subject::of("ChildEnded", task),
        WorkerEvent::Session(event) => of_session_event(event, task),
        WorkerEvent::Observed { prompt, .. } => Subject::of("Observed", task).prompt(prompt),
        WorkerEvent::ProgressReported { .. } => Subject::of("ProgressReported", task),
        WorkerEvent::ApprovalRequested { approval } => {
            Subject::of("ApprovalRequested", task).prompt(approval.prompt)
        }
        WorkerEvent::AnswerReceived { approval, .. } => {
            Subject::of("AnswerReceived", task).prompt(approval.prompt)
        }
        WorkerEvent::Reported { .. } => Subject::of("Reported", task),
        WorkerEvent::ReportAcknowledged { .. } => Subject::of("ReportAcknowledged", task),
        WorkerEvent::InterruptRequested { turn, .. } => Subject::of("InterruptRequested", task).turn(turn),
        WorkerEvent::PauseRequested => Subject::of("PauseRequested", task),
        WorkerEvent::ResumeRequested => Subject::of("ResumeRequested", task),
        WorkerEvent::BudgetSpent => Subject::of("BudgetSpent", task),
        WorkerEvent::BudgetGranted => Subject::of("BudgetGranted", task),
        WorkerEvent::WrapUpRequested => Subject::of("WrapUpRequested", task),
        WorkerEvent::CompleteRequested => Subject::of("CompleteRequested", task),
        WorkerEvent::KillRequested => Subject::of("KillRequested", task),
        WorkerEvent::TimerFired { .. } => Subject::of("TimerFired", task),
        WorkerEvent::EndAcknowledged => Subject::of("EndAcknowledged", task),
    }
}

fn of_session_event(event: SessionEvent, task: TaskId) -> Subject {
    match event {
        SessionEvent::Invoked { prompt } => Subject::of("Invoked", task).prompt(prompt),
        SessionEvent::Started { iterator } => Subject::of("Started", task).iterator(iterator),
        SessionEvent::Answered { iterator, prompt } => {
            Subject::of("Answered", task).iterator(iterator).prompt(prompt)
        }
        SessionEvent::IteratorEnded { iterator, .. } => Subject::of("IteratorEnded", task).iterator(iterator),
        SessionEvent::AbortRequested { prompt } => Subject::of("AbortRequested", task).prompt(prompt),
        SessionEvent::RestartRequested => Subject::of("RestartRequested", task),
        SessionEvent::CloseRequested => Subject::of("CloseRequested", task),
        SessionEvent::StopElapsed { iterator } => Subject::of("StopElapsed", task).iterator(iterator),
    }
}

fn of_worker_effect(effect: WorkerEffect, task: TaskId) -> Subject {
    match effect {
        WorkerEffect::Include { .. } => Subject::of("Include", task),
        WorkerEffect::Session(effect) => of_session_effect(effect, task),
        WorkerEffect::Acknowledge { .. } => Subject::of("Acknowledge", task),
        WorkerEffect::ReportUndelivered { .. } => Subject::of("ReportUndelivered", task),
        WorkerEffect::AskProgress { .. } => Subject::of("AskProgress", task),
        WorkerEffect::Ask { approval } => Subject::of("Ask", task).prompt(approval.prompt),
        WorkerEffect::Withdraw { approval } => Subject::of("Withdraw", task).prompt(approval.prompt),
        WorkerEffect::Answer { approval, .. } => Subject::of("Answer", task).prompt(approval.prompt),
        WorkerEffect::Report { .. } => Subject::of("Report", task),
        WorkerEffect::Warn { .. } => Subject::of("Warn", task),
        WorkerEffect::Arm { .. } => Subject::of("Arm", task),
        WorkerEffect::Disarm { .. } => Subject::of("Disarm", task),
        WorkerEffect::WorkerEnded { .. } => Subject::of("WorkerEnded", task),
    }
}

fn of_session_effect(effect: SessionEffect, task: TaskId) -> Subject {
    match effect {
        SessionEffect::Start { iterator } => Subject::of("Start", task).iterator(iterator),
        SessionEffect::Prompt { iterator, prompt } => {
            Subject::of("Prompt", task).iterator(iterator).prompt(prompt)
        }
        SessionEffect::Stop { iterator } => Subject::of("Stop", task).iterator(iterator),
        SessionEffect::Kill { iterator } => Subject::of("Kill", task).iterator(iterator),
        SessionEffect::Settle { prompt, .. } => Subject::of("Settle", task).prompt(prompt),
        SessionEffect::Arm { iterator, .. } => Subject::of("Arm", task).iterator(iterator),
        SessionEffect::Disarm { iterator } => Subject::of("Disarm", task).iterator(iterator),
        SessionEffect::Closed => Subject::of("Closed", task),
    }
}

fn of_credential_event(event: CredentialEvent) -> &'static str {
    match event {
        CredentialEvent::Wanted { .. } => "Wanted",
        CredentialEvent::StoreRead { .. } => "StoreRead",
        CredentialEvent::RefreshEnded { .. } => "RefreshEnded",
        CredentialEvent::WriteEnded { .. } => "WriteEnded",
        CredentialEvent::StoreChanged { .. } => "StoreChanged",
        CredentialEvent::Elapsed { .. } => "Elapsed",
    }
}

fn of_credential_effect(effect: CredentialEffect) -> &'static str {
    match effect {
        CredentialEffect::Read { .. } => "Read",
        CredentialEffect::Claim { .. } => "Claim",
        CredentialEffect::Refresh { .. } => "Refresh",
        CredentialEffect::Abort { .. } => "Abort",
        CredentialEffect::Write { .. } => "Write",
        CredentialEffect::Recover { .. } => "Recover",
        CredentialEffect::Arm { .. } => "Arm",
        CredentialEffect::Disarm { .. } => "Disarm",
        CredentialEffect::Settle { .. } => "Settle",
    }
}

fn of_outbox_event(event: NotificationEvent, root: TaskId) -> Subject {
    let (name, number) = match event {
        NotificationEvent::Posted { number, .. } => ("Posted", Some(number)),
        NotificationEvent::Acknowledged { number } => ("Acknowledged", Some(number)),
        NotificationEvent::UndeliveredRecorded { number } => ("UndeliveredRecorded", Some(number)),
        NotificationEvent::Elapsed { .. } => ("Elapsed", None),
    };
    Subject { notification: number.map(|number| number.0), ..Subject::of(name, root) }
}

fn of_outbox_effect(effect: NotificationEffect, root: TaskId) -> Subject {
    let (name, number) = match effect {
        NotificationEffect::Send { number, .. } => ("Send", Some(number)),
        NotificationEffect::ReportUndelivered { number, .. } => ("ReportUndelivered", Some(number)),
        NotificationEffect::Arm { .. } => ("Arm", None),
        NotificationEffect::Disarm { .. } => ("Disarm", None),
    };
    Subject { notification: number.map(|number| number.0), ..Subject::of(name, root) }
}

fn of_retry_event(event: RetryEvent, task: TaskId) -> Subject {
    match event {
        RetryEvent::Submitted => Subject::of("Submitted", task),
        RetryEvent::AttemptEnded { attempt, .. } => Subject::of("AttemptEnded", task).trial(attempt),
        RetryEvent::Found { attempt, .. } => Subject::of("Found", task).trial(attempt),
        RetryEvent::CancelRequested => Subject::of("CancelRequested", task),
        RetryEvent::EndAcknowledged => Subject::of("EndAcknowledged", task),
        RetryEvent::Elapsed { .. } => Subject::of("Elapsed", task),
    }
}

fn of_retry_effect(effect: RetryEffect, task: TaskId) -> Subject {
    match effect {
        RetryEffect::Begin { attempt } => Subject::of("Begin", task).trial(attempt),
        RetryEffect::Query { attempt, .. } => Subject::of("Query", task).trial(attempt),
        RetryEffect::Fence { attempt, .. } => Subject::of("Fence", task).trial(attempt),
        RetryEffect::Ended { .. } => Subject::of("Ended", task),
        RetryEffect::Arm { .. } => Subject::of("Arm", task),
        RetryEffect::Disarm { .. } => Subject::of("Disarm", task),
    }
}

fn of_question_event(event: QuestionEvent, root: TaskId) -> Subject {
    let at = |name, epoch: Epoch| Subject { epoch: Some(epoch.0), ..Subject::of(name, root) };
    match event {
        QuestionEvent::Assigned { epoch } => at("Assigned", epoch),
        QuestionEvent::AgentLost { epoch } => at("AgentLost", epoch),
        QuestionEvent::Asked { question } => Subject::of("Asked", root).question(question),
        QuestionEvent::Answered { question } => Subject::of("Answered", root).question(question),
        QuestionEvent::Acknowledged { question } => Subject::of("Acknowledged", root).question(question),
        QuestionEvent::Closed { question } => Subject::of("Closed", root).question(question),
        QuestionEvent::Elapsed { .. } => Subject::of("Elapsed", root),
        QuestionEvent::TaskEnded => Subject::of("TaskEnded", root),
    }
}

fn of_question_effect(effect: QuestionEffect, root: TaskId) -> Subject {
    match effect {
        QuestionEffect::Ask { question } => Subject::of("Ask", root).question(question),
        QuestionEffect::Relay { question, .. } => Subject::of("Relay", root).question(question),
        QuestionEffect::Close { question, .. } => Subject::of("Close", root).question(question),
        QuestionEffect::Arm { .. } => Subject::of("Arm", root),
        QuestionEffect::Disarm { .. } => Subject::of("Disarm", root),
    }
}

fn of_pool_event(event: PoolEvent) -> Subject {
    let subject = match event {
        PoolEvent::Submitted { task, .. } => Subject::of("Submitted", task),
        PoolEvent::CancelRequested { task } => Subject::of("CancelRequested", task),
        PoolEvent::EndAcknowledged { task } => Subject::of("EndAcknowledged", task),
        PoolEvent::Started { .. } => Subject::new("Started"),
        PoolEvent::Gone { .. } => Subject::new("Gone"),
        PoolEvent::Heartbeat { lease, .. } => Subject::new("Heartbeat").under(lease),
        PoolEvent::WorkEnded { lease, .. } => Subject::new("WorkEnded").under(lease),
        PoolEvent::Cleaned { lease, .. } => Subject::new("Cleaned").under(lease),
        PoolEvent::DrainRequested { .. } => Subject::new("DrainRequested"),
        PoolEvent::Elapsed { .. } => Subject::new("Elapsed"),
    };
    Subject { agent: agent_of(event).map(|agent| agent.0), ..subject }
}

fn of_pool_effect(effect: PoolEffect) -> Subject {
    match effect {
        PoolEffect::Provision { agent } => Subject::new("Provision").at(agent),
        PoolEffect::Retire { agent } => Subject::new("Retire").at(agent),
        PoolEffect::Assign { agent, lease } => Subject::new("Assign").at(agent).under(lease),
        PoolEffect::Stop { agent, lease } => Subject::new("Stop").at(agent).under(lease),
        PoolEffect::Clean { agent, lease } => Subject::new("Clean").at(agent).under(lease),
        PoolEffect::TaskEnded { task, .. } => Subject::of("TaskEnded", task),
        PoolEffect::Arm { timer, .. } => Subject::new("Arm").at(timer.agent),
        PoolEffect::Disarm { timer } => Subject::new("Disarm").at(timer.agent),
    }
}
