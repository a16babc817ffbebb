//! How a step reads in a sequence diagram.

use downbeat_kernel::{
    About, AttemptEnd, CredentialState, Effect, End, Event, IfCurrent, News, PoolEvent, QuestionEvent,
    RequestEffect, RequestEvent, RetryEvent, TaskId, TaskState, Then, WorkerEffect,
};
use downbeat_sim::model::{Arrow, Lane};

use super::act::{Act, AskAct, Failure, FleetAct, PostAct, Said, TaskAct, VaultAct, WishAct, WorkerAct};
use super::post::conclusion_word;
use super::state::{Desk, Tree, index};
use crate::watch::TaskIndex;
use downbeat_wiring::{Machine, Word};

pub(super) const USER: Lane = 0;
pub(super) const TREE: Lane = 1;
pub(super) const MODEL: Lane = 2;
pub(super) const VAULT: Lane = 3;
pub(super) const POOL: Lane = 4;
pub(super) const POST: Lane = 5;
pub(super) const WISH: Lane = 6;
pub(super) const QUESTIONS: Lane = 7;
pub(super) const OUTSIDE: Lane = 8;
/// Agents are outside like the store, the server and the timers.
pub(super) const AGENT: Lane = OUTSIDE;

pub(super) fn lanes() -> Vec<String> {
    let lanes =
        ["people", "tree", "model", "credential", "pool", "outbox", "attempts", "questions", "outside"];
    lanes.map(str::to_owned).to_vec()
}

/// How people call a machine.
pub(super) fn machine(machine: Machine) -> &'static str {
    match machine {
        Machine::Tree => "the tree",
        Machine::Credential => "the credential",
        Machine::Pool => "the pool",
        Machine::Outbox => "the outbox",
        Machine::Retry => "the attempts",
        Machine::Questions => "the questions",
    }
}

fn lane(machine: Machine) -> Lane {
    match machine {
        Machine::Tree => TREE,
        Machine::Credential => VAULT,
        Machine::Pool => POOL,
        Machine::Outbox => POST,
        Machine::Retry => WISH,
        Machine::Questions => QUESTIONS,
    }
}

fn arrow(from: Lane, to: Lane, text: impl Into<String>) -> Arrow {
    Arrow { from, to, text: text.into() }
}

/// How people call a task.
pub(super) fn task_name(task: TaskIndex) -> char {
    char::from(b'A' + task)
}

fn name(task: TaskId) -> char {
    task_name(index(task))
}

/// What an act is.
pub(super) fn act(tree: &Tree, desk: &Desk, act: Act) -> Arrow {
    match act {
        Act::Take(machine) => {
            let word = desk.words.iter().find(|word| word.to() == machine);
            arrow(lane(machine), lane(machine), word.map_or_else(String::new, said))
        }
        Act::Tree(act) => of_task(tree, act),
        Act::Vault(act) => of_vault(act),
        Act::Fleet(act) => of_fleet(act),
        Act::Post(act) => of_post(act),
        Act::Wish(act) => of_wish(act),
        Act::Worker(act) => of_worker(act),
        Act::Ask(act) => of_asking(act),
        Act::Crash => arrow(TREE, TREE, "nothing is under way"),
    }
}

/// What a machine hears of another.
fn said(word: &Word) -> String {
    match word {
        Word::Tree(event) => heard(event),
        Word::NoPlace(task) => format!("hears that there is no place for {}", name(*task)),
        Word::Begin(attempt) => format!("is given attempt {}", attempt.0),
        Word::Fence(attempt, _) => format!("attempt {} is to be fenced", attempt.0),
        Word::Wanted(request, newer) => {
            format!("{} wants a credential newer than {}", name(request.task), newer.0)
        }
        Word::Pool(event) => match event {
            PoolEvent::Submitted { task, .. } => format!("{} wants a place", name(*task)),
            PoolEvent::CancelRequested { task } => {
                format!("{} wants no place any more", name(*task))
            }
            PoolEvent::EndAcknowledged { .. }
            | PoolEvent::Started { .. }
            | PoolEvent::Gone { .. }
            | PoolEvent::Heartbeat { .. }
            | PoolEvent::WorkEnded { .. }
            | PoolEvent::Cleaned { .. }
            | PoolEvent::DrainRequested { .. }
            | PoolEvent::Elapsed { .. } => "hears of an agent".to_owned(),
        },
        Word::Over(task, end) => format!("hears that {} has {}", name(*task), ended(*end)),
        Word::Posted(news_of) => format!("is to tell people: {}", news(*news_of)),
        Word::Retry(event) => match event {
            RetryEvent::AttemptEnded { attempt, end } => {
                let how = match end {
                    AttemptEnd::Succeeded => "succeeded",
                    AttemptEnd::Failed(_) => "failed",
                    AttemptEnd::Unknown => "come to nobody knows what",
                };
                format!("hears that attempt {} has {how}", attempt.0)
            }
            RetryEvent::Found { attempt, .. } => {
                format!("hears how attempt {} stands", attempt.0)
            }
            RetryEvent::Submitted
            | RetryEvent::CancelRequested
            | RetryEvent::EndAcknowledged
            | RetryEvent::Elapsed { .. } => "hears of its task".to_owned(),
        },
        Word::Question(event) => asked(*event),
    }
}

fn asked(event: QuestionEvent) -> String {
    match event {
        QuestionEvent::Assigned { epoch } => format!("hears that the agent has lease {}", epoch.0),
        QuestionEvent::AgentLost { epoch } => format!("hears that lease {} is over", epoch.0),
        QuestionEvent::TaskEnded => "hears that the task has ended".to_owned(),
        QuestionEvent::Asked { .. }
        | QuestionEvent::Answered { .. }
        | QuestionEvent::Acknowledged { .. }
        | QuestionEvent::Closed { .. }
        | QuestionEvent::Elapsed { .. } => "hears of a question".to_owned(),
    }
}

fn heard(event: &Event) -> String {
    match event {
        Event::Admitted { task } => format!("{} has its place", name(*task)),
        Event::Request { task, event: RequestEvent::CredentialGiven { attempt, generation }, .. } => {
            format!("{} has credential {} for send {}", name(*task), generation.0, attempt.0)
        }
        Event::Request { task, .. } => format!("{} gets no credential", name(*task)),
        Event::ToolEnded { call, .. } => format!("the tool of {} is lost with its place", name(call.task)),
        Event::CancelRequested { task } => format!("{} is to end", name(*task)),
        Event::Spent { task, bill, .. } => format!("{} has bill {}", name(*task), bill.0),
        Event::TaskSubmitted { .. }
        | Event::Initialized { .. }
        | Event::InitializationFailed { .. }
        | Event::Deployed { .. }
        | Event::Worker { .. }
        | Event::SubtaskRequested { .. }
        | Event::ResponseEnded { .. }
        | Event::ProfileDown { .. }
        | Event::ProfileUp { .. }
        | Event::AnswerReceived { .. }
        | Event::MessageReceived { .. }
        | Event::PauseRequested { .. }
        | Event::ResumeRequested { .. }
        | Event::TimerFired { .. }
        | Event::EndAcknowledged { .. } => "hears of a task".to_owned(),
    }
}

fn of_task(tree: &Tree, act: TaskAct) -> Arrow {
    let key = |task: TaskIndex| {
        tree.of(task).flights[0]
            .map_or_else(String::new, |flight| format!("{}.{}", flight.turn, flight.attempt))
    };
    let at =
        |from: Lane, task: TaskIndex, words: &str| arrow(from, TREE, format!("{} {words}", task_name(task)));
    match act {
        TaskAct::Admit(task) => at(OUTSIDE, task, "has its place"),
        TaskAct::Initialize(task) => at(OUTSIDE, task, "is initialized"),
        TaskAct::FailToInitialize(task) => at(OUTSIDE, task, "cannot be initialized"),
        TaskAct::StopStart(task) => at(OUTSIDE, task, "is not initialized any more"),
        TaskAct::Respond(task, said) => {
            let words = match said {
                Said::Completion => "done",
                Said::Tool => "run a tool",
                Said::Question => "a question",
                Said::Subtask => "start a subtask",
            };
            arrow(MODEL, TREE, format!("answers request {} of {}: {words}", key(task), task_name(task)))
        }
        TaskAct::Fail(task, Failure::Throttled) => at(MODEL, task, "is throttled"),
        TaskAct::Fail(task, Failure::Forgotten) => at(MODEL, task, "continues from what is lost"),
        TaskAct::Fail(task, Failure::Invalid) => at(MODEL, task, "is refused for good"),
        TaskAct::Refuse(task) => at(MODEL, task, "has a token that is not taken"),
        TaskAct::Lost(task) => arrow(
            OUTSIDE,
            TREE,
            format!("nobody knows what became of request {} of {}", key(task), task_name(task)),
        ),
        TaskAct::Stop(task) => at(MODEL, task, "has its request stopped"),
        TaskAct::ToolEnds(task) => at(OUTSIDE, task, "has its tool ended"),
        TaskAct::StopTool(task) => at(OUTSIDE, task, "has its tool stopped"),
        TaskAct::StrayEnds(task) => at(OUTSIDE, task, "has a tool ended at an agent that was taken for dead"),
        TaskAct::Answer(task, _) => at(USER, task, "is answered"),
        TaskAct::Write(task) => at(USER, task, "is written to"),
        TaskAct::Pause(task) => at(USER, task, "is paused"),
        TaskAct::Resume(task) => at(USER, task, "is resumed"),
        TaskAct::Cancel(task) => at(USER, task, "is cancelled"),
        TaskAct::Backoff(task) => at(OUTSIDE, task, "is due to be sent again"),
        TaskAct::Grace(task) => at(OUTSIDE, task, "has had its time to stop"),
        TaskAct::StreamGrace(task) => at(OUTSIDE, task, "has had the time to stop its request"),
        TaskAct::GrantMore(task) => at(USER, task, "may spend as much again"),
        TaskAct::DenyMore(task) => at(USER, task, "may spend no more"),
        TaskAct::BudgetTime(task) => at(OUTSIDE, task, "has had the time of its grant"),
        TaskAct::Forget(task) => at(OUTSIDE, task, "has its end on record"),
        TaskAct::GoDown => arrow(MODEL, TREE, "profile 1 is down"),
        TaskAct::ComeUp => arrow(MODEL, TREE, "profile 1 is up"),
    }
}

fn of_vault(act: VaultAct) -> Arrow {
    let text = match act {
        VaultAct::Find => "the store says what it holds",
        VaultAct::FindNothing => "the store cannot be read",
        VaultAct::Land => return arrow(OUTSIDE, OUTSIDE, "the store writes"),
        VaultAct::Store => "the store has written",
        VaultAct::FailToStore => "the store has not written",
        VaultAct::Serve => return arrow(OUTSIDE, OUTSIDE, "the server takes the refresh token"),
        VaultAct::Hear => "the server's answer comes",
        VaultAct::FailToRefresh => "the refresh fails on its way",
        VaultAct::Recover => "nobody knows what became of the order",
        VaultAct::ElapseOrder => "its time is over",
        VaultAct::Lapse => return arrow(OUTSIDE, OUTSIDE, "the access token comes to its end"),
        VaultAct::SiblingClaims => return arrow(OUTSIDE, OUTSIDE, "another process claims the credential"),
        VaultAct::SiblingRefreshes => return arrow(OUTSIDE, OUTSIDE, "another process refreshes it"),
        VaultAct::SiblingStores => return arrow(OUTSIDE, OUTSIDE, "another process stores the new one"),
        VaultAct::EndClaim => return arrow(OUTSIDE, OUTSIDE, "the claim of this process ends"),
    };
    arrow(OUTSIDE, VAULT, text)
}

fn of_fleet(act: FleetAct) -> Arrow {
    let at = |agent: u8, words: &str| arrow(OUTSIDE, POOL, format!("agent {} {words}", agent + 1));
    match act {
        FleetAct::Start(agent) => at(agent, "has started"),
        FleetAct::Remove(agent) => at(agent, "is removed"),
        FleetAct::StopWork(agent) => at(agent, "has stopped"),
        FleetAct::Clean(agent) => at(agent, "is clean"),
        FleetAct::Die(agent) => arrow(OUTSIDE, OUTSIDE, format!("agent {} dies without a word", agent + 1)),
        FleetAct::FindDead(agent) => at(agent, "is found dead"),
        FleetAct::ElapseAgent(agent) => at(agent, "has had its time"),
        FleetAct::Suspect(agent) => at(agent, "is taken for dead, and works"),
        FleetAct::ForgetPlace(task) => {
            arrow(OUTSIDE, POOL, format!("the end of {} is on record", task_name(task)))
        }
    }
}

fn of_post(act: PostAct) -> Arrow {
    match act {
        PostAct::Deliver(number) => arrow(POST, USER, format!("notification {number} arrives")),
        PostAct::Acknowledge(number) => arrow(USER, POST, format!("notification {number} is acknowledged")),
        PostAct::ElapsePost => arrow(OUTSIDE, POST, "nobody has acknowledged it in time"),
        PostAct::RecordUndelivered => arrow(OUTSIDE, POST, "that it was given up is on record"),
    }
}

fn of_wish(act: WishAct) -> Arrow {
    match act {
        WishAct::ElapseWait => arrow(OUTSIDE, WISH, "the next attempt is due"),
        WishAct::Doubt => arrow(OUTSIDE, WISH, "nothing was heard for too long"),
        WishAct::CancelWish => arrow(USER, WISH, "the task is cancelled"),
        WishAct::Conclude => arrow(OUTSIDE, WISH, "the end is on record"),
    }
}

fn of_worker(act: WorkerAct) -> Arrow {
    let at =
        |from: Lane, task: TaskIndex, words: &str| arrow(from, TREE, format!("{words} {}", task_name(task)));
    match act {
        WorkerAct::Deploy(task) => at(AGENT, task, "a worker runs"),
        WorkerAct::StartIterator(task) => at(AGENT, task, "the iterator has started of"),
        WorkerAct::AnswerPrompt(task) => at(AGENT, task, "the agent answers for"),
        WorkerAct::EndIterator(task) => at(AGENT, task, "the iterator fails of"),
        WorkerAct::StopIterator(task) => at(AGENT, task, "the iterator is gone of"),
        WorkerAct::ElapseStop(task) => at(AGENT, task, "the time to stop is over for"),
        WorkerAct::ElapseRetry(task) => at(AGENT, task, "the wait is over of"),
        WorkerAct::ElapseWatch(task) => at(AGENT, task, "nothing was seen for too long of"),
        WorkerAct::Progress(task) => at(AGENT, task, "the agent says how far it is for"),
        WorkerAct::StrayAnswers(task) => at(AGENT, task, "an agent that was taken for dead answers for"),
        WorkerAct::Interrupt(task, turn, then) => {
            let then = match then {
                Then::Resume => "to go on with it anew",
                Then::Hold => "to hold it",
            };
            at(USER, task, &format!("interrupts turn {}, {then}, of", turn.0))
        }
        WorkerAct::Delegate(task) => at(AGENT, task, "the agent asks for a subtask of"),
        WorkerAct::Ask(task) => at(AGENT, task, "the agent asks a person for"),
        WorkerAct::Approve(task) => at(USER, task, "a person answers the agent of"),
        WorkerAct::Finish(task) => at(AGENT, task, "the worker has done"),
    }
}

fn of_asking(act: AskAct) -> Arrow {
    match act {
        AskAct::Ask => arrow(AGENT, AGENT, "the agent has a question"),
        AskAct::Say => arrow(AGENT, QUESTIONS, "the agent says what it asks"),
        AskAct::SayLate => arrow(AGENT, QUESTIONS, "an agent that was taken for dead says what it asks"),
        AskAct::Answer => arrow(USER, QUESTIONS, "the question is answered"),
        AskAct::Shut => arrow(USER, QUESTIONS, "whoever was asked knows that it is over"),
        AskAct::Learn => arrow(AGENT, QUESTIONS, "the agent knows the end"),
        AskAct::Elapse => arrow(OUTSIDE, QUESTIONS, "its time is over"),
    }
}

/// Whom an order of the tree goes to.
pub(super) enum Whom {
    Model,
    User,
    Outside,
}

/// An order of the tree in words, if it is worth any.
pub(super) fn effect(effect: &Effect) -> Option<(Whom, String)> {
    Some(match effect {
        Effect::Initialize { task } => (Whom::Outside, format!("{} is to be initialized", name(*task))),
        Effect::AbortInitialization { task } => {
            (Whom::Outside, format!("{} is not to be initialized any more", name(*task)))
        }
        Effect::Request { task, turn, effect } => request(name(*task), turn.0, effect)?,
        Effect::RunTool { call } => (Whom::Outside, format!("runs a tool of {}", name(call.task))),
        Effect::CancelTool { call } => (Whom::Outside, format!("the tool of {} is to stop", name(call.task))),
        Effect::Ask { question, about: About::Budget } => {
            (Whom::User, format!("{} has spent its budget, and asks for more", name(question.task)))
        }
        Effect::Ask { question, .. } => (Whom::User, format!("{} asks a person", name(question.task))),
        Effect::Withdraw { question } => (Whom::User, format!("{} asks no more", name(question.task))),
        Effect::ReportUndelivered { task, .. } => {
            (Whom::User, format!("a message to {} was not delivered", name(*task)))
        }
        Effect::TaskEnded { task, end } => (Whom::Outside, format!("{} has {}", name(*task), ended(*end))),
        Effect::Worker { effect: WorkerEffect::Warn { .. }, .. }
        | Effect::Worker { .. }
        | Effect::Enqueue { .. }
        | Effect::Dequeue { .. }
        | Effect::Include { .. }
        | Effect::Arm { .. }
        | Effect::Disarm { .. } => return None,
    })
}

fn request(task: char, turn: u32, effect: &RequestEffect) -> Option<(Whom, String)> {
    Some(match effect {
        RequestEffect::Send { attempt, profile, generation, .. } => {
            let with =
                if generation.0 == 0 { String::new() } else { format!(" with credential {}", generation.0) };
            let to = profile.0 + 1;
            (Whom::Model, format!("{task} sends request {turn}.{} to profile {to}{with}", attempt.0))
        }
        RequestEffect::Recover { attempt } => {
            (Whom::Model, format!("{task} asks what became of request {turn}.{}", attempt.0))
        }
        RequestEffect::Stop { attempt } => {
            (Whom::Model, format!("request {turn}.{} of {task} is to stop", attempt.0))
        }
        RequestEffect::Fence { attempt } => {
            (Whom::Model, format!("request {turn}.{} of {task} is closed by force", attempt.0))
        }
        RequestEffect::GetCredential { .. }
        | RequestEffect::Charge { .. }
        | RequestEffect::Arm { .. }
        | RequestEffect::Disarm { .. }
        | RequestEffect::Ended { .. } => return None,
    })
}

pub(super) fn ended(end: End) -> &'static str {
    match end {
        End::Completed => "completed",
        End::Failed(_) => "failed",
        End::Cancelled => "been cancelled",
    }
}

pub(super) fn news(news: News) -> &'static str {
    match news {
        News::Progress => "progress",
        News::Concluded(conclusion) => conclusion_word(conclusion),
    }
}

/// Where a credential stands.
pub(super) fn credential(state: CredentialState) -> &'static str {
    match state {
        CredentialState::Lapsed => "Lapsed",
        CredentialState::Fresh => "Fresh",
        CredentialState::Reading { if_current: IfCurrent::Refresh } => "Reading(Refresh)",
        CredentialState::Reading { if_current: IfCurrent::Write } => "Reading(Write)",
        CredentialState::Reading { if_current: IfCurrent::Refuse } => "Reading(Refuse)",
        CredentialState::Refreshing => "Refreshing",
        CredentialState::Storing => "Storing",
        CredentialState::Waiting { .. } => "Waiting",
        CredentialState::Unsaved => "Unsaved",
        CredentialState::Refused => "Refused",
    }
}

/// Where a task stands.
pub(super) fn stands(state: Option<TaskState>) -> &'static str {
    match state {
        None => "forgotten",
        Some(TaskState::Queued) => "Queued",
        Some(TaskState::Initializing) => "Initializing",
        Some(TaskState::Requesting) => "Requesting",
        Some(TaskState::ExecutingTools) => "ExecutingTools",
        Some(TaskState::AwaitingSubtask) => "AwaitingSubtask",
        Some(TaskState::AwaitingInput) => "AwaitingInput",
        Some(TaskState::AwaitingBudget) => "AwaitingBudget",
        Some(TaskState::Working) => "Working",
        Some(TaskState::Paused(_)) => "Paused",
        Some(TaskState::Cancelling(_)) => "Cancelling",
        Some(TaskState::Ending(_)) => "Ending",
        Some(TaskState::Completed) => "Completed",
        Some(TaskState::Failed(_)) => "Failed",
        Some(TaskState::Cancelled) => "Cancelled",
    }
}
