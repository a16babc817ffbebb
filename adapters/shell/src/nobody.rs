//! Ports for tests behind which nobody is.

use crate::Ports;
use crate::agents::NoAgents;
use crate::output::Output;
use crate::ports::{
    Clock, Doing, Model, NoVault, Notification, Notifier, People, Question, SendEnd, Tools, Trial,
};
use crate::words::Text;
use crate::workers::NoWorkers;
use downbeat_kernel::{About, CallId, MessageId, QuestionEnd, QuestionId, QuestionKey, TaskId, ToolEnd};
use std::future::pending;
use std::sync::Arc;

struct Nobody;

pub(crate) fn ports() -> Ports {
    let nobody = Arc::new(Nobody);
    Ports {
        model: nobody.clone(),
        viewer: None,
        tools: nobody.clone(),
        people: nobody.clone(),
        notifier: nobody.clone(),
        agents: Arc::new(NoAgents),
        workers: Arc::new(NoWorkers),
        overseer: Arc::new(NoWorkers),
        vault: Arc::new(NoVault),
        clock: nobody,
    }
}

impl Model for Nobody {
    fn send(&self, _question: Question, _output: Output) -> Doing<SendEnd> {
        Box::pin(pending())
    }
}

impl Tools for Nobody {
    fn run(
        &self,
        _call: CallId,
        _argument: Text,
        _seat: Option<crate::agents::Seat>,
    ) -> Doing<(ToolEnd, String)> {
        Box::pin(pending())
    }
}

impl People for Nobody {
    fn ask(&self, _question: QuestionId, _about: About, _text: Text) {}

    fn asks(&self, _root: TaskId, _question: QuestionKey, _text: Text) {}

    fn settled(&self, _root: TaskId, _question: QuestionKey, _end: QuestionEnd) -> Doing<()> {
        Box::pin(pending())
    }

    fn withdraw(&self, _question: QuestionId) {}

    fn undelivered(&self, _task: TaskId, _trial: Trial, _message: MessageId, _in_doubt: bool) -> Doing<()> {
        Box::pin(pending())
    }
}

impl Notifier for Nobody {
    fn notify(&self, _notification: Notification) -> Doing<bool> {
        Box::pin(pending())
    }

    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(pending())
    }
}

impl Clock for Nobody {
    fn now_ms(&self) -> u64 {
        1_000
    }
}
