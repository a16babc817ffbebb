//! The provider of models, and what runs tools: they follow the script of a scenario, and fail where that lets them.

use std::collections::BTreeSet;

use downbeat_kernel::{Approval, CallId, Part, RequestId, SendFailure, Spend, ToolEnd};
use downbeat_models::watch::TaskIndex;
use downbeat_rt::Cell;
use downbeat_shell::{Doing, Model, Output, Question, Reply, Seat, SendEnd, Text, Tools, Wish};
use downbeat_sim::explore::World;

use crate::ledger::{Ledger, ROOT, Send};
use crate::login::Login;
use crate::pause::pause;

/// What the root does in its first turn, and how sends may fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// Subtasks, two at most.
    pub(crate) subtasks: u8,
    /// Whether it runs a tool, too.
    pub(crate) tool: bool,
    /// Whether the first send of a task may fail, so that it is sent again after a wait: that of a subtask if there is one.
    pub(crate) fails: bool,
}

pub(crate) struct Provider {
    pub(crate) world: World,
    pub(crate) script: Script,
    pub(crate) ledger: Ledger,
    pub(crate) login: Option<Login>,
    ran: Cell<BTreeSet<CallId>>,
}

impl Provider {
    pub(crate) fn new(world: &World, script: Script, ledger: &Ledger, login: Option<&Login>) -> Self {
        let ran = world.rt().cell("tools", BTreeSet::new());
        Self { world: world.clone(), script, ledger: ledger.clone(), login: login.cloned(), ran }
    }

    fn reply(&self, task: TaskIndex, question: &Question) -> Reply {
        let is_first = question.asking.iter().any(|piece| piece.part == Part::Prompt);
        let calls = match (task, is_first) {
            (ROOT, true) if self.script.subtasks > 0 || self.script.tool => {
                let subtasks =
                    (1..=self.script.subtasks).map(|child| (Wish::Subtask, format!("subtask {child}")));
                let tool = self.script.tool.then(|| (Wish::Tool(Approval::Granted), "ls".to_owned()));
                subtasks.chain(tool).collect()
            }
            (ROOT, _) => vec![(Wish::Completion(Approval::Granted), "end of the root".to_owned())],
            (child, _) => vec![(Wish::Completion(Approval::Granted), format!("end of subtask {child}"))],
        };
        Reply { text: String::new(), calls, spent: Spend::default() }
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
        let who = TaskIndex::from(self.script.subtasks > 0);
        let may_fail = self.script.fails && send.task == who && send.turn.0 == 1 && send.attempt == 0;
        if may_fail && self.world.happens("the provider fails") {
            return SendEnd::Failed(SendFailure::Transient);
        }
        let reply = self.reply(send.task, question);
        self.ledger.replied(send, u8::try_from(reply.calls.len()).unwrap_or(u8::MAX));
        SendEnd::Whole(reply)
    }
}

/// How people call a task of the tree.
fn of(task: TaskIndex) -> String {
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
pub(crate) struct Shared(pub(crate) std::sync::Arc<Provider>);

impl Model for Shared {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        let provider = self.clone().0;
        let task = Provider::task(&question);
        provider.ledger.ordered(task);
        Box::pin(async move {
            let RequestId { turn, attempt, .. } = question.id;
            let send = Send { task, turn, attempt: u8::try_from(attempt.0).unwrap_or(u8::MAX) };
            provider.world.say(|| {
                format!(
                    "asks the model for {}, turn {}, attempt {attempt}",
                    of(task),
                    turn.0,
                    attempt = attempt.0 + 1
                )
            });
            provider.ledger.sent(send, &question.asking);
            let _listening = Listening { ledger: provider.ledger.clone(), task };
            pause().await;
            let end = provider.end(send, &question);
            provider.world.say(|| match &end {
                SendEnd::Whole(reply) => {
                    format!("{} is answered, with {} calls", of(task), reply.calls.len())
                }
                SendEnd::Failed(failure) => format!("the request of {} fails: {failure:?}", of(task)),
            });
            end
        })
    }
}

impl Tools for Shared {
    fn run(&self, call: CallId, argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        let provider = self.clone().0;
        Box::pin(async move {
            // It is done once for each call: whoever asks again is told what came of it.
            let is_first = provider.ran.with(|ran| ran.insert(call));
            if is_first {
                provider.world.say(|| "runs a tool");
                provider.ledger.ran(ROOT, false);
            }
            pause().await;
            (ToolEnd::Succeeded, format!("{argument} is done"))
        })
    }
}
