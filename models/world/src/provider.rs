//! The provider of models, and what runs tools: they follow the script of a scenario, and fail where that lets them.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use downbeat_kernel::{Approval, Attempt, CallId, Part, RequestId, SendFailure, Spend, ToolEnd, TurnNumber};
use downbeat_models::watch::TaskIndex;
use downbeat_rt::Cell;
use downbeat_shell::{Doing, Model, Output, Question, Reply, Seat, SendEnd, Text, Tools, Wish};

use crate::host::Host;
use crate::ledger::{END_OF_ROOT, Ledger, PIECES, ROOT, Send};
use crate::login::Login;
use crate::marks::Mark;
use crate::pause::pause;

/// What the root does in its first turn, and how sends may fail.
#[expect(clippy::struct_excessive_bools, reason = "each is something that may happen, by itself")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// Subtasks, two at most.
    pub(crate) subtasks: u8,
    /// Whether it runs a tool, too.
    pub(crate) tool: bool,
    /// Questions that it asks people, one after the other.
    pub(crate) questions: u8,
    /// Whether the first send of a task may fail, so that it is sent again after a wait: that of a subtask if there is one.
    pub(crate) fails: bool,
    /// Whether that send may never be answered, and a tool never be done.
    pub(crate) hangs: bool,
    /// Whether the response to that send comes in pieces, and may be cut after the first or the last.
    pub(crate) cuts: bool,
    /// Whether the first response of the root may be another than the script says.
    pub(crate) errs: bool,
    /// Whether the provider may say after a crash what it has answered.
    pub(crate) recalls: bool,
}

/// After so long a provider that asks for patience wants to be asked again: longer than the shell would wait by itself. With a margin of
/// one second, and as much again at most, it waits for less than those waits that are never over.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Provider {
    pub(crate) world: Host,
    pub(crate) script: Script,
    pub(crate) ledger: Ledger,
    pub(crate) login: Option<Login>,
    /// What it has answered.
    answered: Cell<BTreeMap<RequestId, Reply>>,
}

impl Provider {
    pub(crate) fn new(world: &Host, script: Script, ledger: &Ledger, login: Option<&Login>) -> Self {
        let answered = world.rt().cell("answered", BTreeMap::new());
        Self { world: world.clone(), script, ledger: ledger.clone(), login: login.cloned(), answered }
    }

    fn reply(&self, task: TaskIndex, question: &Question) -> Reply {
        let is_first = question.asking.iter().any(|piece| piece.part == Part::Prompt);
        let calls = match (task, is_first) {
            (ROOT, true) if self.script.calls() > 0 => {
                let subtasks =
                    (1..=self.script.subtasks).map(|child| (Wish::Subtask, format!("subtask {child}")));
                let tool = self.script.tool.then(|| (Wish::Tool(Approval::Granted), "ls".to_owned()));
                let first = (self.script.questions > 0).then(|| (Wish::Question, "which?".to_owned()));
                subtasks.chain(tool).chain(first).collect()
            }
            (ROOT, false) if self.script.questions > 1 && question.id.turn == TurnNumber(2) => {
                vec![(Wish::Question, "and which then?".to_owned())]
            }
            (ROOT, _) => vec![(Wish::Completion(Approval::Granted), END_OF_ROOT.to_owned())],
            (child, _) => vec![(Wish::Completion(Approval::Granted), format!("end of subtask {child}"))],
        };
        if self.script.errs
            && task == ROOT
            && question.id.turn == TurnNumber(1)
            && question.id.attempt == Attempt(0)
        {
            return self.erring(calls);
        }
        Reply { text: String::new(), calls, spent: Spend::default() }
    }

    /// A response with these calls, or what a model says that has misunderstood.
    fn erring(&self, mut calls: Vec<(Wish, String)>) -> Reply {
        let mut text = String::new();
        match self.world.choose(4, "the model errs") {
            0 => {}
            1 => {
                calls.clear();
                "what shall I do?".clone_into(&mut text);
            }
            2 => calls.clear(),
            _ => calls.push((Wish::Completion(Approval::Granted), "too early".to_owned())),
        }
        Reply { text, calls, spent: Spend::default() }
    }

    /// Which of the tasks of the tree it is.
    fn task(question: &Question) -> TaskIndex {
        let first = question.before.first().map_or(&question.asking, |exchange| &exchange.asked);
        let prompt = first.iter().find(|piece| piece.part == Part::Prompt);
        let subtask = prompt.and_then(|piece| piece.text.strip_prefix("subtask "));
        subtask.and_then(|child| child.parse().ok()).unwrap_or(ROOT)
    }

    fn end(&self, send: Send, question: &Question) -> SendEnd {
        if let Some(login) = &self.login
            && !login.accepts(question.generation)
        {
            return SendEnd::Failed(SendFailure::Unauthorized);
        }
        if self.script.fails && self.is_the_first(send) {
            match self.world.choose(3, "the provider fails") {
                0 => {}
                1 => return SendEnd::Failed(SendFailure::Transient),
                _ => {
                    self.ledger.throttled(send.task, PATIENCE);
                    let retry_after_ms = u32::try_from(PATIENCE.as_millis()).ok();
                    return SendEnd::Failed(SendFailure::Throttled { retry_after_ms });
                }
            }
        }
        let reply = self.reply(send.task, question);
        let calls = u8::try_from(reply.calls.len()).unwrap_or(u8::MAX);
        let is_end = reply.calls.iter().any(|(wish, _)| matches!(wish, Wish::Completion(_)));
        self.ledger.replied(send, calls, is_end);
        if self.script.recalls {
            self.answered.with(|answered| answered.insert(question.id, reply.clone()));
        }
        SendEnd::Whole(reply)
    }

    /// Says pieces of a response, until it is cut; whether it was. The third waits until somebody has seen the first.
    async fn streams(&self, output: &Output) -> bool {
        for (place, piece) in PIECES.into_iter().enumerate() {
            output.say(piece.to_owned()).await;
            if place != 1 && self.world.happens("the stream is cut") {
                return true;
            }
        }
        false
    }

    /// Whether it is the one that something may happen to.
    fn is_the_first(&self, send: Send) -> bool {
        let who = TaskIndex::from(self.script.subtasks > 0);
        send.task == who && send.turn == TurnNumber(1) && send.attempt == 0
    }
}

impl Script {
    /// How many calls the root makes at first.
    fn calls(self) -> u8 {
        self.subtasks + u8::from(self.tool) + u8::from(self.questions > 0)
    }
}

/// How people call a task of the tree.
fn called(task: TaskIndex) -> String {
    if task == ROOT { "the root".to_owned() } else { format!("subtask {task}") }
}

/// Says that nobody listens any more.
struct Listening {
    ledger: Ledger,
    task: TaskIndex,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ledger.is_over(self.task);
    }
}

/// The provider behind a handle.
#[derive(Clone)]
pub(crate) struct Behind(pub(crate) Arc<Provider>);

impl Model for Behind {
    fn send(&self, question: Question, output: Output) -> Doing<SendEnd> {
        let provider = self.clone().0;
        let task = Provider::task(&question);
        provider.ledger.ordered(task);
        Box::pin(async move {
            let RequestId { turn, attempt, .. } = question.id;
            let send = Send { task, turn, attempt: u8::try_from(attempt.0).unwrap_or(u8::MAX) };
            provider.world.say(|| {
                format!(
                    "asks the model for {}, turn {}, attempt {attempt}",
                    called(task),
                    turn.0,
                    attempt = attempt.0 + 1
                )
            });
            provider.ledger.sent(send, &question.before, &question.asking);
            let _listening = Listening { ledger: provider.ledger.clone(), task };
            if provider.script.hangs
                && provider.is_the_first(send)
                && provider.world.happens("the provider hangs")
            {
                provider.ledger.hit(Mark::Hung);
                pending::<()>().await;
            }
            let is_cut =
                provider.script.cuts && provider.is_the_first(send) && provider.streams(&output).await;
            pause().await;
            let end = if is_cut {
                provider.ledger.cut(send);
                SendEnd::Failed(SendFailure::Interrupted)
            } else {
                provider.end(send, &question)
            };
            provider.world.say(|| match &end {
                SendEnd::Whole(reply) => {
                    format!("{} is answered, with {} calls", called(task), reply.calls.len())
                }
                SendEnd::Failed(failure) => format!("the request of {} fails: {failure:?}", called(task)),
            });
            end
        })
    }

    fn recover(&self, id: RequestId) -> Doing<Option<SendEnd>> {
        let provider = self.clone().0;
        Box::pin(async move {
            let reply = provider.answered.read(|answered| answered.get(&id).cloned())?;
            let is_said = provider.world.happens("the provider recalls its answer");
            is_said.then(|| {
                provider.world.say(|| "the provider recalls its answer");
                provider.ledger.hit(Mark::Recalled);
                SendEnd::Whole(reply)
            })
        })
    }
}

impl Tools for Behind {
    fn run(&self, call: CallId, argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        let provider = self.clone().0;
        Box::pin(async move {
            // It is done once for each call: whoever asks again is told what came of it.
            if provider.ledger.ran(call) {
                provider.world.say(|| "runs a tool");
            }
            if provider.script.hangs && provider.world.happens("the tool hangs") {
                pending::<()>().await;
            }
            pause().await;
            (ToolEnd::Succeeded, format!("{argument} is done"))
        })
    }
}
