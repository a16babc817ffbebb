//! The words of a task that a worker runs: its prompts, what its agent asks and reports, and what it ends with.

use super::{Library, Text, Words};
use downbeat_kernel::{
    ApprovalId, PromptId, SessionEffect, SessionEvent, Source, TaskId, WorkerEffect, WorkerEvent, WorkerPart,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that the agent of a worker reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paragraph {
    /// What it is.
    pub part: WorkerPart,
    /// What it says.
    pub text: Text,
}

/// What the shell knows of one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WorkerWords {
    /// The last answer of the agent, or what it said to have as the result.
    pub(super) result: Text,
    /// What it asks a person.
    asked: BTreeMap<ApprovalId, Text>,
    /// What the person said.
    answers: BTreeMap<ApprovalId, Text>,
    /// What it reports, if it has no parent, and what its subtasks do: by whose, and which.
    reports: BTreeMap<(TaskId, u32), Text>,
    /// What the last prompt contains.
    prompt: Vec<Paragraph>,
    /// Whether that is given: the next part is the first of another prompt.
    is_given: bool,
}

impl Library {
    /// What the last prompt of a worker contains.
    pub(crate) fn prompt(&self, task: TaskId) -> Vec<Paragraph> {
        self.worker(task).map(|worker| worker.prompt.clone()).unwrap_or_default()
    }

    /// What the agent of a worker asks a person.
    pub(crate) fn asked(&self, task: TaskId, approval: ApprovalId) -> Text {
        self.worker(task).and_then(|worker| worker.asked.get(&approval).cloned()).unwrap_or_default()
    }

    /// What a person said to that.
    pub(crate) fn answer(&self, task: TaskId, approval: ApprovalId) -> Text {
        self.worker(task).and_then(|worker| worker.answers.get(&approval).cloned()).unwrap_or_default()
    }

    /// What a worker reports.
    pub(crate) fn report(&self, task: TaskId, number: u32) -> Text {
        let worker = self.worker(self.holder(task));
        worker.and_then(|worker| worker.reports.get(&(task, number)).cloned()).unwrap_or_default()
    }

    fn worker(&self, task: TaskId) -> Option<&WorkerWords> {
        self.task(task)?.worker.as_deref()
    }

    /// Who has the reports of a task: its parent, which may live longer.
    fn holder(&self, task: TaskId) -> TaskId {
        self.task(task).and_then(|words| words.parent).unwrap_or(task)
    }

    fn change_worker<T>(&mut self, task: TaskId, change: impl FnOnce(&mut WorkerWords) -> T) {
        self.change(task, |words| change(words.worker.get_or_insert_default()));
    }

    /// Takes the words of an event of a worker that was applied.
    pub(super) fn take_of_worker(&mut self, task: TaskId, event: WorkerEvent, text: Text) {
        match event {
            WorkerEvent::Session(SessionEvent::Answered { .. }) => {
                self.change_worker(task, |worker| worker.result = text);
            }
            // Without words it has what it has answered last.
            WorkerEvent::CompleteRequested if text.is_empty() => {}
            WorkerEvent::CompleteRequested => self.change_worker(task, |worker| worker.result = text),
            WorkerEvent::ApprovalRequested { approval } => {
                self.change_worker(task, |worker| worker.asked.insert(approval, text));
            }
            WorkerEvent::AnswerReceived { approval, .. } => self.change_worker(task, |worker| {
                worker.asked.remove(&approval);
                worker.answers.insert(approval, text)
            }),
            WorkerEvent::Reported { number } => {
                let holder = self.holder(task);
                self.change_worker(holder, |worker| worker.reports.insert((task, number), text));
            }
            WorkerEvent::ReportAcknowledged { number } => {
                let holder = self.holder(task);
                self.change_worker(holder, |worker| {
                    worker.reports.retain(|(of, report), _| *of != task || *report > number);
                });
            }
            WorkerEvent::Session(
                SessionEvent::Invoked { .. }
                | SessionEvent::Started { .. }
                | SessionEvent::IteratorEnded { .. }
                | SessionEvent::AbortRequested { .. }
                | SessionEvent::RestartRequested
                | SessionEvent::CloseRequested
                | SessionEvent::StopElapsed { .. },
            )
            | WorkerEvent::Assigned
            | WorkerEvent::MessageReceived { .. }
            | WorkerEvent::ChildReported { .. }
            | WorkerEvent::ChildEnded { .. }
            | WorkerEvent::Observed { .. }
            | WorkerEvent::ProgressReported { .. }
            | WorkerEvent::InterruptRequested { .. }
            | WorkerEvent::PauseRequested
            | WorkerEvent::ResumeRequested
            | WorkerEvent::BudgetSpent
            | WorkerEvent::BudgetGranted
            | WorkerEvent::WrapUpRequested
            | WorkerEvent::KillRequested
            | WorkerEvent::TimerFired { .. }
            | WorkerEvent::EndAcknowledged => {}
        }
    }

    /// Takes what an order of a worker says about words.
    pub(super) fn ordered_of_worker(&mut self, task: TaskId, effect: WorkerEffect) {
        match effect {
            WorkerEffect::Include { part } => self.change(task, |words| {
                let text = words.text_for_worker(part);
                words.worker.get_or_insert_default().include(Paragraph { part, text });
            }),
            WorkerEffect::Session(SessionEffect::Prompt { prompt, .. }) => {
                self.change_worker(task, |worker| worker.given(prompt));
            }
            WorkerEffect::Acknowledge { source } => self.change(task, |words| words.answered(source)),
            WorkerEffect::Withdraw { approval } => {
                self.change_worker(task, |worker| worker.asked.remove(&approval));
            }
            WorkerEffect::Session(
                SessionEffect::Start { .. }
                | SessionEffect::Stop { .. }
                | SessionEffect::Kill { .. }
                | SessionEffect::Settle { .. }
                | SessionEffect::Arm { .. }
                | SessionEffect::Disarm { .. }
                | SessionEffect::Closed,
            )
            | WorkerEffect::ReportUndelivered { .. }
            | WorkerEffect::AskProgress { .. }
            | WorkerEffect::Ask { .. }
            | WorkerEffect::Answer { .. }
            | WorkerEffect::Report { .. }
            | WorkerEffect::Warn { .. }
            | WorkerEffect::Arm { .. }
            | WorkerEffect::Disarm { .. }
            | WorkerEffect::WorkerEnded { .. } => {}
        }
    }
}

impl WorkerWords {
    fn include(&mut self, paragraph: Paragraph) {
        if std::mem::take(&mut self.is_given) {
            self.prompt.clear();
        }
        self.prompt.push(paragraph);
    }

    /// The agent has a prompt: nobody waits for what it was told of those before.
    fn given(&mut self, prompt: PromptId) {
        self.is_given = true;
        self.answers.retain(|approval, _| approval.prompt >= prompt);
    }
}

impl Words {
    fn text_for_worker(&self, part: WorkerPart) -> Text {
        match part {
            WorkerPart::Resumed => {
                Text::from("You may have read what follows before, all of it or its beginning.")
            }
            WorkerPart::Prompt => self.prompt.clone().unwrap_or_default(),
            WorkerPart::Source(Source::Message(message)) => {
                self.messages.get(&message).cloned().unwrap_or_default()
            }
            WorkerPart::Source(Source::ChildReported { child, number }) => {
                let reports = self.worker.as_ref().map(|worker| &worker.reports);
                reports.and_then(|reports| reports.get(&(child, number)).cloned()).unwrap_or_default()
            }
            WorkerPart::Source(Source::ChildEnded { child }) => {
                self.outcomes.get(&child).cloned().unwrap_or_default()
            }
            WorkerPart::Source(Source::Inquiry) => {
                Text::from("Is something left to do? If not, complete the task.")
            }
            WorkerPart::Source(Source::WrapUp) => Text::from("Finish now, with what you have."),
        }
    }

    /// The agent has answered a prompt with this: it is in none that follows.
    fn answered(&mut self, source: Source) {
        match source {
            Source::Message(message) => {
                self.messages.remove(&message);
            }
            Source::ChildReported { child, number } => {
                if let Some(worker) = &mut self.worker {
                    worker.reports.remove(&(child, number));
                }
            }
            Source::ChildEnded { child } => {
                self.outcomes.remove(&child);
            }
            Source::Inquiry | Source::WrapUp => {}
        }
    }
}
