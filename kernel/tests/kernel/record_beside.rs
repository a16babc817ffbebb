//! What the records of the machines beside the tree in `tests/records` say.

use downbeat_kernel::{
    AgentId, AttemptEnd, AttemptNumber, Conclusion, CredentialEvent, Epoch, FailureClass, Finding, Found,
    Generation, Lease, News, NotificationEvent, NotificationNumber, NotificationTimer, OrderNumber,
    PoolEvent, PoolTimer, Priority, QueryNumber, QuestionEvent, QuestionKey, QuestionNumber, QuestionTimer,
    RefreshEnd, RetryEvent, RetryTimer, TaskId, UserId, WaiterId, WorkEnd, WriteEnd,
};

/// What the lines of `tests/records/credential-v1.jsonl` say, in their order.
pub(crate) fn events_of_credential() -> Vec<CredentialEvent> {
    let (order, generation) = (OrderNumber(3), Generation(4));
    let found = [
        Found::Current,
        Found::Taken,
        Found::Other { generation: Generation(u32::MAX) },
        Found::Empty,
        Found::Unreadable,
    ];
    let refreshes = [RefreshEnd::Refreshed, RefreshEnd::InvalidGrant, RefreshEnd::Failed];
    let writes = [WriteEnd::Stored, WriteEnd::Failed, WriteEnd::Lost];
    let own = [
        CredentialEvent::Wanted { waiter: WaiterId(u64::MAX), newer_than: generation },
        CredentialEvent::StoreChanged { generation },
        CredentialEvent::Elapsed { order },
    ];
    own.into_iter()
        .chain(found.map(|found| CredentialEvent::StoreRead { order, found }))
        .chain(refreshes.map(|end| CredentialEvent::RefreshEnded { order, end }))
        .chain(writes.map(|end| CredentialEvent::WriteEnded { order, end }))
        .collect()
}

/// What the lines of `tests/records/pool-v1.jsonl` say, in their order.
pub(crate) fn events_of_pool() -> Vec<PoolEvent> {
    let (task, agent, user) = (TaskId(7), AgentId(2), UserId(9));
    let lease = Lease { task, epoch: Epoch(u64::MAX) };
    let own = [
        PoolEvent::CancelRequested { task },
        PoolEvent::EndAcknowledged { task },
        PoolEvent::Started { agent },
        PoolEvent::Gone { agent },
        PoolEvent::Heartbeat { agent, lease },
        PoolEvent::Cleaned { agent, lease },
        PoolEvent::DrainRequested { agent },
        PoolEvent::Elapsed { timer: PoolTimer { agent, number: 5 } },
    ];
    let priorities = [Priority::High, Priority::Normal, Priority::Low];
    let ends = [WorkEnd::Completed, WorkEnd::Failed, WorkEnd::Returned];
    own.into_iter()
        .chain(priorities.map(|priority| PoolEvent::Submitted { task, user, priority }))
        .chain(ends.map(|end| PoolEvent::WorkEnded { agent, lease, end }))
        .collect()
}

/// What the lines of `tests/records/question-v1.jsonl` say, in their order.
pub(crate) fn events_of_question() -> Vec<QuestionEvent> {
    let epoch = Epoch(4);
    let question = QuestionKey { epoch, number: QuestionNumber(2) };
    vec![
        QuestionEvent::Assigned { epoch },
        QuestionEvent::AgentLost { epoch: Epoch(u64::MAX) },
        QuestionEvent::Asked { question },
        QuestionEvent::Answered { question },
        QuestionEvent::Acknowledged { question },
        QuestionEvent::Closed { question },
        QuestionEvent::Elapsed { timer: QuestionTimer(3) },
        QuestionEvent::TaskEnded,
    ]
}

/// What the lines of `tests/records/notification-v1.jsonl` say, in their order.
pub(crate) fn events_of_notification() -> Vec<NotificationEvent> {
    let number = NotificationNumber(6);
    let news = [
        News::Progress,
        News::Concluded(Conclusion::Completed),
        News::Concluded(Conclusion::Failed),
        News::Concluded(Conclusion::Cancelled),
    ];
    let own = [
        NotificationEvent::Acknowledged { number },
        NotificationEvent::UndeliveredRecorded { number: NotificationNumber(u32::MAX) },
        NotificationEvent::Elapsed { timer: NotificationTimer(2) },
    ];
    own.into_iter().chain(news.map(|news| NotificationEvent::Posted { number, news })).collect()
}

/// What the lines of `tests/records/retry-v1.jsonl` say, in their order.
pub(crate) fn events_of_retry() -> Vec<RetryEvent> {
    let (attempt, query) = (AttemptNumber(2), QueryNumber(u32::MAX));
    let classes = [
        FailureClass::Transient,
        FailureClass::Throttled { retry_after_ms: 20_000 },
        FailureClass::Permanent,
    ];
    let ends =
        [AttemptEnd::Succeeded, AttemptEnd::Unknown].into_iter().chain(classes.map(AttemptEnd::Failed));
    let findings = [Finding::Succeeded, Finding::NeverStarted, Finding::StillRunning]
        .into_iter()
        .chain(classes.map(Finding::Failed));
    let own = [
        RetryEvent::Submitted,
        RetryEvent::CancelRequested,
        RetryEvent::EndAcknowledged,
        RetryEvent::Elapsed { timer: RetryTimer(4) },
    ];
    own.into_iter()
        .chain(ends.map(|end| RetryEvent::AttemptEnded { attempt, end }))
        .chain(findings.map(|finding| RetryEvent::Found { attempt, query, finding }))
        .collect()
}
