//! States as expressions of Rust, for tests that are exported.

use downbeat_kernel::{End, Held, Outstanding, Reason, RequestReason, TaskState, WorkerReason};

/// A state as an expression.
pub(crate) fn of_state(state: TaskState) -> String {
    let name = match state {
        TaskState::Queued => "Queued".to_owned(),
        TaskState::Initializing => "Initializing".to_owned(),
        TaskState::Requesting => "Requesting".to_owned(),
        TaskState::ExecutingTools => "ExecutingTools".to_owned(),
        TaskState::AwaitingSubtask => "AwaitingSubtask".to_owned(),
        TaskState::AwaitingInput => "AwaitingInput".to_owned(),
        TaskState::AwaitingBudget => "AwaitingBudget".to_owned(),
        TaskState::Working => "Working".to_owned(),
        TaskState::Paused(held) => format!("Paused(Held::{})", of_held(held)),
        TaskState::Cancelling(outstanding) => {
            format!("Cancelling(Outstanding::{})", of_outstanding(outstanding))
        }
        TaskState::Ending(end) => format!("Ending(End::{})", of_end(end)),
        TaskState::Completed => "Completed".to_owned(),
        TaskState::Failed(reason) => format!("Failed(Reason::{})", of_reason(reason)),
        TaskState::Cancelled => "Cancelled".to_owned(),
    };
    format!("TaskState::{name}")
}

fn of_held(held: Held) -> &'static str {
    match held {
        Held::Unstarted => "Unstarted",
        Held::Queued => "Queued",
        Held::Admitted => "Admitted",
        Held::Initializing => "Initializing",
        Held::Requesting => "Requesting",
        Held::Turn => "Turn",
        Held::Calls => "Calls",
    }
}

fn of_outstanding(outstanding: Outstanding) -> &'static str {
    match outstanding {
        Outstanding::Nothing => "Nothing",
        Outstanding::Initialization => "Initialization",
        Outstanding::Worker => "Worker",
        Outstanding::Request => "Request",
    }
}

fn of_end(end: End) -> String {
    match end {
        End::Completed => "Completed".to_owned(),
        End::Failed(reason) => format!("Failed(Reason::{})", of_reason(reason)),
        End::Cancelled => "Cancelled".to_owned(),
    }
}

fn of_reason(reason: Reason) -> String {
    match reason {
        Reason::Initialization => "Initialization".to_owned(),
        Reason::Request(reason) => format!("Request(RequestReason::{})", of_request(reason)),
        Reason::MistakeLimit => "MistakeLimit".to_owned(),
        Reason::Worker(reason) => format!("Worker(WorkerReason::{})", of_worker(reason)),
    }
}

fn of_request(reason: RequestReason) -> &'static str {
    match reason {
        RequestReason::AttemptsExhausted => "AttemptsExhausted",
        RequestReason::Credential => "Credential",
        RequestReason::Throttled => "Throttled",
        RequestReason::Unauthorized => "Unauthorized",
        RequestReason::ContextTooLong => "ContextTooLong",
        RequestReason::Invalid => "Invalid",
        RequestReason::Interrupted => "Interrupted",
    }
}

fn of_worker(reason: WorkerReason) -> &'static str {
    match reason {
        WorkerReason::Refused => "Refused",
        WorkerReason::AttemptsExhausted => "AttemptsExhausted",
        WorkerReason::Stuck => "Stuck",
    }
}
