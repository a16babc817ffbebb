//! The words behind the numbers: what prompts, messages, results and responses say.
//!
//! The kernel decides by number and shape. What a number stands for is kept here, for as long as the task lives, and is a function of
//! the journal alone: the same entries and the same effects lead to the same words.

mod worker;

use crate::fault::{self, Fault};
use downbeat_kernel::{
    About, Call, CallId, CallRefusal, CallResult, Effect, Event, MessageId, Part, RequestEffect, Response,
    TaskId, ToolEnd,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use worker::Paragraph;
use worker::WorkerWords;

/// Some words.
pub type Text = Arc<str>;

/// One thing that the model reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// What it is.
    pub part: Part,
    /// What it says.
    pub text: Text,
}

/// What the model said in one turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its words beside the calls.
    pub text: Text,
    /// Each call with what it is called with: the arguments of a tool, the prompt of a subtask, the words of a question, the
    /// result of a completion.
    pub calls: Vec<(Call, Text)>,
}

/// One turn that the model has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What it read that was new.
    pub asked: Vec<Piece>,
    /// What it said.
    pub said: Said,
}

/// What the shell knows of one task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Words {
    parent: Option<TaskId>,
    prompt: Option<Text>,
    messages: BTreeMap<MessageId, Text>,
    results: BTreeMap<CallId, Text>,
    /// What each subtask ended with.
    outcomes: BTreeMap<TaskId, Text>,
    /// Which call each question is about.
    asked_about: BTreeMap<u32, CallId>,
    pub(crate) exchanges: Vec<Exchange>,
    /// What the request of this turn contains.
    pub(crate) asking: Vec<Piece>,
    /// Whether that went out whole: the next part is the first of another send.
    is_sent: bool,
    /// What there is more of where a worker runs the task, or one of its subtasks.
    worker: Option<Box<WorkerWords>>,
}

impl Words {
    fn of(parent: Option<TaskId>, prompt: Option<Text>) -> Self {
        Self { parent, prompt, ..Self::default() }
    }

    /// What a part of a request says.
    fn text_of(&self, part: Part) -> Text {
        match part {
            Part::Prompt => self.prompt.clone().unwrap_or_default(),
            Part::Reminder => Text::from("Use one of the calls that there are, or complete the task."),
            Part::Message(message) => self.messages.get(&message).cloned().unwrap_or_default(),
            Part::Result { call, result } => self.result(call, result),
        }
    }

    fn result(&self, call: CallId, result: CallResult) -> Text {
        match result {
            CallResult::Subtask { child, .. } => {
                let last = self.outcomes.last_key_value().filter(|_| fault::has(Fault::SwapsResults));
                self.outcomes.get(last.map_or(&child, |(last, _)| last)).cloned().unwrap_or_default()
            }
            CallResult::Tool(ToolEnd::Cancelled) => Text::from("It was stopped."),
            CallResult::Tool(ToolEnd::Succeeded | ToolEnd::Failed)
            | CallResult::Denied
            | CallResult::Answered => self.results.get(&call).cloned().unwrap_or_default(),
            CallResult::Refused(CallRefusal::NotAlone) => {
                Text::from("A completion has to be the only call of its response.")
            }
            CallResult::Refused(CallRefusal::TooDeep) => {
                Text::from("Subtasks may not nest deeper than this.")
            }
            CallResult::Refused(CallRefusal::TasksFull) => Text::from("There is no room for another task."),
            CallResult::Guided | CallResult::Abandoned => Text::default(),
        }
    }

    /// What the completion of the last response gives as the result, or the agent of the worker.
    fn conclusion(&self) -> Text {
        let calls = self.exchanges.last().into_iter().flat_map(|exchange| &exchange.said.calls);
        let is_completion = |call: &Call| matches!(call, Call::Completion(_));
        let given = calls.filter(|(call, _)| is_completion(call)).map(|(_, text)| text.clone()).next();
        given.or_else(|| Some(self.worker.as_ref()?.result.clone())).unwrap_or_default()
    }

    /// What a call was made with.
    fn argument(&self, call: CallId) -> Text {
        let said = self.exchanges.last().map(|exchange| &exchange.said);
        let argument = said.and_then(|said| said.calls.get(usize::from(call.index)));
        argument.map(|(_, text)| text.clone()).unwrap_or_default()
    }
}

/// The words of every task of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Library {
    tasks: BTreeMap<TaskId, Words>,
}

impl Library {
    pub(crate) fn task(&self, task: TaskId) -> Option<&Words> {
        self.tasks.get(&task)
    }

    /// What a call was made with.
    pub(crate) fn argument(&self, call: CallId) -> Text {
        self.task(call.task).map(|words| words.argument(call)).unwrap_or_default()
    }

    /// What a person is asked.
    pub(crate) fn question(&self, about: About) -> Text {
        match about {
            About::Tool(call) | About::Completion(call) | About::Question(call) => self.argument(call),
            About::Budget => Text::from("The budget is spent. Shall it have as much again?"),
            About::MistakeLimit => {
                Text::from("The model has made no call several times in a row. Shall it go on?")
            }
        }
    }

    /// What a task ended with.
    pub(crate) fn conclusion(&self, task: TaskId) -> Text {
        self.task(task).map(Words::conclusion).unwrap_or_default()
    }

    /// Takes the words of an event that was applied, and what its effects say about them.
    pub(crate) fn take(&mut self, event: &Event, text: &[String], effects: &[Effect]) {
        let first = || Text::from(text.first().map_or("", String::as_str));
        match *event {
            Event::TaskSubmitted { task, .. } => {
                self.tasks.insert(task, Words::of(None, Some(first())));
            }
            Event::SubtaskRequested { task, child } => {
                self.tasks.insert(child, Words::of(Some(task), Some(first())));
            }
            Event::MessageReceived { task, message } => {
                self.change(task, |words| words.messages.insert(message, first()));
            }
            Event::ToolEnded { call, .. } => {
                self.change(call.task, |words| words.results.insert(call, first()));
            }
            Event::AnswerReceived { question, .. } => self.change(question.task, |words| {
                let call = words.asked_about.get(&question.number)?;
                words.results.insert(*call, first())
            }),
            Event::ResponseEnded { request, ref response, .. } => self.said(request.task, response, text),
            Event::Worker { task, event } => self.take_of_worker(task, event, first()),
            Event::Admitted { .. }
            | Event::Initialized { .. }
            | Event::InitializationFailed { .. }
            | Event::Deployed { .. }
            | Event::Request { .. }
            | Event::ProfileDown { .. }
            | Event::ProfileUp { .. }
            | Event::PauseRequested { .. }
            | Event::ResumeRequested { .. }
            | Event::CancelRequested { .. }
            | Event::TimerFired { .. }
            | Event::Spent { .. }
            | Event::EndAcknowledged { .. } => {}
        }
        for effect in effects {
            self.ordered(effect);
        }
        if let Event::EndAcknowledged { task } = *event {
            self.forget(task);
        }
    }

    /// Nothing is asked about this task any more.
    pub(crate) fn forget(&mut self, task: TaskId) {
        self.tasks.remove(&task);
    }

    fn change<T>(&mut self, task: TaskId, change: impl FnOnce(&mut Words) -> T) {
        if let Some(words) = self.tasks.get_mut(&task) {
            change(words);
        }
    }

    /// The response is the end of a turn, unless there is nothing in it: then the model is asked again.
    fn said(&mut self, task: TaskId, response: &Response, text: &[String]) {
        let mut words = text.iter().map(|text| Text::from(text.as_str()));
        let own = words.next().unwrap_or_default();
        let calls: Vec<_> = match response {
            Response::Empty => return,
            Response::Text => Vec::new(),
            Response::Calls(calls) => {
                calls.iter().copied().zip(words.chain(std::iter::repeat(Text::default()))).collect()
            }
        };
        for (call, prompt) in &calls {
            if let Call::Subtask { child } = call {
                self.tasks.insert(*child, Words::of(Some(task), Some(prompt.clone())));
            }
        }
        self.change(task, |words| {
            let asked = std::mem::take(&mut words.asking);
            words.exchanges.push(Exchange { asked, said: Said { text: own, calls } });
            words.results.clear();
            words.asked_about.clear();
        });
    }

    fn ordered(&mut self, effect: &Effect) {
        match *effect {
            Effect::Include { task, part } => self.change(task, |words| {
                if std::mem::take(&mut words.is_sent) {
                    words.asking.clear();
                }
                let text = words.text_of(part);
                words.asking.push(Piece { part, text });
            }),
            Effect::Request { task, effect: RequestEffect::Send { .. }, .. } => {
                self.change(task, |words| words.is_sent = true);
            }
            Effect::Ask { question, about } => {
                if let About::Tool(call) | About::Completion(call) | About::Question(call) = about {
                    self.change(question.task, |words| words.asked_about.insert(question.number, call));
                }
            }
            Effect::TaskEnded { task, .. } => {
                let conclusion = self.conclusion(task);
                if let Some(parent) = self.task(task).and_then(|words| words.parent) {
                    self.change(parent, |words| words.outcomes.insert(task, conclusion));
                }
            }
            Effect::Worker { task, effect } => self.ordered_of_worker(task, effect),
            Effect::Enqueue { .. }
            | Effect::Dequeue { .. }
            | Effect::Initialize { .. }
            | Effect::AbortInitialization { .. }
            | Effect::Request { .. }
            | Effect::RunTool { .. }
            | Effect::CancelTool { .. }
            | Effect::Withdraw { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::ReportUndelivered { .. } => {}
        }
    }
}
