//! Events and effects of a pool, in short.

use downbeat_kernel::{
    AgentId, Epoch, Lease, PoolEffect, PoolEnd, PoolEvent, PoolTimer, Priority, TaskId, UserId, WorkEnd,
};

pub(crate) fn submitted(task: u64, user: u64) -> PoolEvent {
    of_priority(task, user, Priority::Normal)
}

pub(crate) fn of_priority(task: u64, user: u64, priority: Priority) -> PoolEvent {
    PoolEvent::Submitted { task: TaskId(task), user: UserId(user), priority }
}

pub(crate) fn started(agent: u32) -> PoolEvent {
    PoolEvent::Started { agent: AgentId(agent) }
}

pub(crate) fn gone(agent: u32) -> PoolEvent {
    PoolEvent::Gone { agent: AgentId(agent) }
}

pub(crate) fn drain(agent: u32) -> PoolEvent {
    PoolEvent::DrainRequested { agent: AgentId(agent) }
}

pub(crate) fn cancel(task: u64) -> PoolEvent {
    PoolEvent::CancelRequested { task: TaskId(task) }
}

pub(crate) fn acknowledged(task: u64) -> PoolEvent {
    PoolEvent::EndAcknowledged { task: TaskId(task) }
}

pub(crate) fn lease(task: u64, epoch: u64) -> Lease {
    Lease { task: TaskId(task), epoch: Epoch(epoch) }
}

pub(crate) fn beat(agent: u32, lease: Lease) -> PoolEvent {
    PoolEvent::Heartbeat { agent: AgentId(agent), lease }
}

pub(crate) fn ended(agent: u32, lease: Lease, end: WorkEnd) -> PoolEvent {
    PoolEvent::WorkEnded { agent: AgentId(agent), lease, end }
}

pub(crate) fn cleaned(agent: u32, lease: Lease) -> PoolEvent {
    PoolEvent::Cleaned { agent: AgentId(agent), lease }
}

pub(crate) fn elapsed(agent: u32, number: u32) -> PoolEvent {
    PoolEvent::Elapsed { timer: PoolTimer { agent: AgentId(agent), number } }
}

pub(crate) fn provision(agent: u32) -> PoolEffect {
    PoolEffect::Provision { agent: AgentId(agent) }
}

pub(crate) fn retire(agent: u32) -> PoolEffect {
    PoolEffect::Retire { agent: AgentId(agent) }
}

pub(crate) fn assign(agent: u32, lease: Lease) -> PoolEffect {
    PoolEffect::Assign { agent: AgentId(agent), lease }
}

pub(crate) fn stop(agent: u32, lease: Lease) -> PoolEffect {
    PoolEffect::Stop { agent: AgentId(agent), lease }
}

pub(crate) fn clean(agent: u32, lease: Lease) -> PoolEffect {
    PoolEffect::Clean { agent: AgentId(agent), lease }
}

pub(crate) fn task_ended(task: u64, end: PoolEnd) -> PoolEffect {
    PoolEffect::TaskEnded { task: TaskId(task), end }
}

pub(crate) fn arm(agent: u32, number: u32, after_ms: u64) -> PoolEffect {
    PoolEffect::Arm { timer: PoolTimer { agent: AgentId(agent), number }, after_ms }
}

pub(crate) fn disarm(agent: u32, number: u32) -> PoolEffect {
    PoolEffect::Disarm { timer: PoolTimer { agent: AgentId(agent), number } }
}
