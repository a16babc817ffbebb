//! What the machines of a shard order, done: each order that takes time is a task of its own, which tells the shard what came of it.

use crate::agents::{Seat, Submitter};
use crate::bounds::{Bounds, Nothing};
use crate::contain::{asked, contained, told};
use crate::desk::Desk;
use crate::fact::{Fact, Order, Refused, Told};
use crate::fault::{self, Fault};
use crate::known::Known;
use crate::number::NEW;
use crate::ports::{Question, Reply, SendEnd, Wish};
use crate::post::heard;
use crate::shard::Letter;
use crate::trace::Subject;
use crate::words::{Exchange, Library, Piece};
use crate::workers::Instructor;
use crate::{Ports, ShellConfig};
use downbeat_kernel::{
    AgentId, Call, CallId, CallResult, Effect, End, Event, Generation, Input, IteratorId, Lease, MessageId,
    OrderNumber, Outcome, Part, PoolEvent, PoolRejected, ProfileId, RequestEffect, RequestEvent, RequestId,
    Response, SendFailure, SendReason, Spend, TaskId, ToolEnd, TurnNumber,
};
use downbeat_rt::{Receiver, Rt, Sender, Task};
use downbeat_store::ShardId;
use downbeat_wiring::{dequeued, enqueued, given_back, root_of};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What is under way, and can be stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    Send(RequestId),
    Tool(CallId),
    /// A run of the agent of a worker.
    Iterator(TaskId, IteratorId),
    /// A report of a worker on its way to people.
    WorkerReport(TaskId, u32),
    /// The start of a container.
    Start(AgentId),
    /// The removal of one.
    Remove(AgentId),
    /// What is heard of an agent that has a task.
    Attend(AgentId),
    /// The end of what an agent was told to stop.
    Stop(AgentId),
    /// The reset of a workspace.
    Clean(AgentId),
    Preparation(TaskId),
    /// By the fact that it comes back with.
    Timer(Fact),
    /// The report that a message was not delivered.
    Undelivered(TaskId, MessageId),
    /// A notification of a root on its way.
    Notice(TaskId),
    /// The report that one was given up.
    Report(TaskId),
    /// What the agent of a root is told of the end of its question.
    Relay(TaskId),
    /// What people are told of the end of that.
    Close(TaskId),
    /// What a credential has ordered of its store, or of its server.
    Vault(ProfileId, OrderNumber),
}

/// Something that runs.
pub(crate) struct Under {
    /// The lease that it needs: when that is over, so is this.
    pub(crate) lease: Option<Lease>,
    pub(crate) task: Task,
    /// With what it is told more, if it is an iterator.
    pub(crate) instructor: Option<Instructor>,
}

/// Whoever carries out what the machines of a shard order.
pub(crate) struct Actor {
    pub(crate) shard: ShardId,
    pub(crate) rt: Rt,
    pub(crate) ports: Ports,
    /// [`ShellConfig::view_ms_max`](crate::ShellConfig::view_ms_max).
    pub(crate) view_ms_max: u64,
    pub(crate) bounds: Bounds,
    pub(crate) mailbox: Sender<Letter>,
    pub(crate) works: BTreeMap<Work, Under>,
    pub(crate) desk: Desk,
    /// By worker, what ends when its last report is where people find it.
    pub(crate) reports: BTreeMap<TaskId, Receiver<()>>,
    /// What is known at once, and needs no way through the mailbox, which may be full.
    own: VecDeque<Letter>,
}

impl Actor {
    pub(crate) fn new(
        shard: ShardId,
        rt: Rt,
        ports: Ports,
        config: &ShellConfig,
        mailbox: Sender<Letter>,
    ) -> Self {
        let ShellConfig { view_ms_max, bounds, .. } = *config;
        let (works, desk, reports, own) =
            (BTreeMap::new(), Desk::default(), BTreeMap::new(), VecDeque::new());
        Self { shard, rt, ports, view_ms_max, bounds, mailbox, works, desk, reports, own }
    }

    /// The next of what is known at once.
    pub(crate) fn own(&mut self) -> Option<Letter> {
        self.own.pop_front()
    }

    /// Does what takes no time, and begins what does.
    pub(crate) async fn carry_out(&mut self, order: Order, known: &Known) {
        match order {
            Order::Tree(Effect::TaskEnded { task, end }) => {
                self.reports.remove(&task);
                for word in known.words_of_end(task, end) {
                    self.tell(word);
                }
            }
            Order::Tree(effect) => self.of_tree(effect, None, known).await,
            Order::There { agent, lease, effect } => {
                let seat = self.seat(agent, lease);
                self.of_tree(effect, Some(seat), known).await;
            }
            Order::Pool(effect) => self.of_pool(effect, known).await,
            Order::Questions { root, effect } => self.of_questions(root, effect, known).await,
            Order::LeaseOver { agent, lease, lost } => self.lease_over(agent, lease, lost, known).await,
            Order::Forgotten(task) => self.forgotten(task, known),
            Order::Attach { task, iterator } => self.attach_iterator(task, iterator, known),
            Order::Outbox { root, effect } => self.of_outbox(root, effect, known).await,
            Order::Retry { task, effect } => self.of_retry(task, effect, known).await,
            Order::Credential { profile, effect } => {
                self.of_credential(profile, effect, &known.credentials).await;
            }
        }
    }

    /// An order of the tree of tasks, with the place where it is carried out.
    async fn of_tree(&mut self, effect: Effect, seat: Option<Seat>, known: &Known) {
        let library = &known.library;
        match effect {
            Effect::Enqueue { task } => {
                if known.pool.is_some() {
                    let Submitter { user, priority } = known.submitter(task);
                    self.tell(enqueued(&known.kernel, task, user, priority));
                } else {
                    self.tell(Event::Admitted { task });
                }
            }
            Effect::Dequeue { task } => {
                if let (Some(_), Some(word)) = (&known.pool, dequeued(&known.kernel, task)) {
                    self.tell(word);
                }
            }
            Effect::Initialize { task } => {
                let surroundings = self.surroundings(task, known.trial(task), seat);
                let lease = seat.map(|seat| seat.lease);
                self.begin_under(lease, Work::Preparation(task), "preparation", async move {
                    vec![(surroundings.await, vec![])]
                });
            }
            Effect::AbortInitialization { task } => {
                self.stop(&Work::Preparation(task)).await;
                self.tell(Event::InitializationFailed { task });
            }
            // What a request contains is in the library.
            Effect::Include { .. } => {}
            Effect::Request { task, turn, effect } => self.of_request(task, turn, effect, known).await,
            Effect::RunTool { call } => self.run_tool(call, seat, library),
            Effect::CancelTool { call } => {
                if !fault::has(Fault::ToolsRunOn) {
                    self.stop(&Work::Tool(call)).await;
                }
                self.tell(Event::ToolEnded { call, end: ToolEnd::Cancelled });
            }
            Effect::Ask { question, about } => {
                let text = library.question(about);
                self.asks(question.task, &text, known);
                told(|| self.ports.people.ask(question, about, text));
            }
            Effect::Withdraw { question } => {
                told(|| self.ports.people.withdraw(question));
            }
            Effect::Arm { timer, after_ms } => self.arm(Event::TimerFired { timer }.into(), after_ms),
            Effect::Disarm { timer } => self.stop(&Work::Timer(Event::TimerFired { timer }.into())).await,
            Effect::ReportUndelivered { task, message, in_doubt } => {
                self.undelivered(task, message, in_doubt, known);
            }
            // People hear of it from its outbox.
            Effect::TaskEnded { .. } => {}
            Effect::Worker { task, effect } => self.of_worker(task, effect, seat, known).await,
        }
    }

    /// People are told that nobody has read a message.
    pub(crate) fn undelivered(&mut self, task: TaskId, message: MessageId, in_doubt: bool, known: &Known) {
        let trial = known.trial(task);
        let people = Arc::clone(&self.ports.people);
        let report = move || people.undelivered(task, trial, message, in_doubt);
        let reported = asked(&report);
        let heard = heard(known, task);
        let reported = if fault::has(Fault::ReportsToNobody) { Box::pin(async {}) } else { reported };
        let mut bound = self.bound(self.bounds.again_ms, Subject::of("People::undelivered", task));
        self.begin(Work::Undelivered(task, message), "report", async move {
            bound.insist(reported, report).await;
            heard
        });
    }

    /// An order of the request of a turn.
    async fn of_request(&mut self, task: TaskId, turn: TurnNumber, effect: RequestEffect, known: &Known) {
        let tell = move |event| Event::Request { task, turn, event };
        let id = |attempt| RequestId { task, turn, attempt };
        let root = root_of(&known.kernel, task);
        match effect {
            RequestEffect::Send { attempt, profile, generation, input, reason } => {
                let id = id(attempt);
                let words = known.library.task(task);
                let mut before = words.map(|words| words.exchanges.clone()).unwrap_or_default();
                let mut asking = words.map(|words| words.asking.clone()).unwrap_or_default();
                change(&mut before, &mut asking);
                let question = Question { id, profile, generation, input, reason, before, asking };
                if fault::has(Fault::SendsTwice) {
                    let again = self.send(question.clone(), known.trial(task));
                    self.rt.spawn("again", async move {
                        contained(again).await;
                    });
                }
                let sent = self.send(question, known.trial(task));
                self.begin(Work::Send(id), "send", ended(id, root, sent, self.rt.clone()));
            }
            RequestEffect::Recover { attempt } => {
                let id = id(attempt);
                if fault::has(Fault::SendsAgain) {
                    return self.sends_again(id, root, known);
                }
                let (known, rt) = (asked(|| self.ports.model.recover(id)), self.rt.clone());
                let subject = Subject::of("Model::recover", task).turn(turn).attempt(attempt);
                let mut bound = self.bound(self.bounds.silence_ms_max, subject);
                self.begin(Work::Send(id), "recover", async move {
                    // Where nobody answers nobody knows more.
                    let lost = SendEnd::Failed(SendFailure::Interrupted);
                    let known = async { bound.wait(known).await.ok().flatten().unwrap_or(lost) };
                    ended(id, root, known, rt).await
                });
            }
            RequestEffect::Stop { attempt } => {
                if !fault::has(Fault::SendsRunOn) {
                    self.stop(&Work::Send(id(attempt))).await;
                }
                self.tell(tell(RequestEvent::Stopped { attempt }));
            }
            RequestEffect::Fence { attempt } => self.stop(&Work::Send(id(attempt))).await,
            RequestEffect::Arm { timer, after_ms } => {
                self.arm(tell(RequestEvent::TimerFired { timer }).into(), after_ms);
            }
            RequestEffect::Disarm { timer } => {
                self.stop(&Work::Timer(tell(RequestEvent::TimerFired { timer }).into())).await;
            }
            // Who pays is on record, in the event that it came with.
            RequestEffect::Charge { .. } => {}
            RequestEffect::GetCredential { attempt, profile, newer_than } => {
                self.tell(Told::Wanted { profile, request: id(attempt), newer_than });
            }
            // The request tells its task.
            RequestEffect::Ended { .. } => {}
        }
    }

    /// What the fault of this name does.
    fn sends_again(&mut self, id: RequestId, root: TaskId, known: &Known) {
        let asking = known.library.task(id.task).map(|words| words.asking.clone()).unwrap_or_default();
        let (profile, generation, before) = (ProfileId(0), Generation(0), Vec::new());
        let (input, reason) = (Input::Full, SendReason::First);
        let question = Question { id, profile, generation, input, reason, before, asking };
        let sent = self.send(question, known.trial(id.task));
        self.begin(Work::Send(id), "send", ended(id, root, sent, self.rt.clone()));
    }

    fn run_tool(&mut self, call: CallId, seat: Option<Seat>, library: &Library) {
        let run = asked(|| self.ports.tools.run(call, library.argument(call), seat));
        let again = fault::has(Fault::RunsToolsTwice)
            .then(|| asked(|| self.ports.tools.run(call, library.argument(call), seat)));
        let subject = Subject::of("Tools::run", call.task).turn(call.turn);
        let mut bound = self.bound(self.bounds.tool_ms_max, subject);
        self.begin_under(seat.map(|seat| seat.lease), Work::Tool(call), "tool", async move {
            let (end, text) = bound.wait(run).await.unwrap_or_else(|nothing| {
                let text = match nothing {
                    Nothing::Panicked => "The tool has panicked.".to_owned(),
                    Nothing::Silent(ms) => format!("The tool was stopped: it has not answered for {ms} ms."),
                };
                (ToolEnd::Failed, text)
            });
            if let Some(again) = again {
                contained(again).await;
            }
            vec![(Event::ToolEnded { call, end }, vec![text])]
        });
    }

    pub(crate) fn arm(&mut self, fact: Fact, mut after_ms: u64) {
        if fault::has(Fault::ForgetsTimers) {
            return;
        }
        if fault::has(Fault::HalvesWaits) {
            after_ms /= 2;
        }
        let wait = self.rt.sleep(Duration::from_millis(after_ms));
        self.begin(Work::Timer(fact.clone()), "timer", async move {
            wait.await;
            vec![(fact, vec![])]
        });
    }

    /// Begins something that ends with facts. What runs under the same name goes on: it is the same work, ordered again.
    pub(crate) fn begin<F: Into<Told> + Send>(
        &mut self,
        work: Work,
        name: &'static str,
        doing: impl Future<Output = Vec<(F, Vec<String>)>> + Send + 'static,
    ) {
        self.begin_under(None, work, name, doing);
    }

    /// The same, under a lease: when that is over, so is this, and what it says is dropped.
    pub(crate) fn begin_under<F: Into<Told> + Send>(
        &mut self,
        lease: Option<Lease>,
        work: Work,
        name: &'static str,
        doing: impl Future<Output = Vec<(F, Vec<String>)>> + Send + 'static,
    ) {
        if self.works.contains_key(&work) {
            return;
        }
        let (mailbox, of) = (self.mailbox.clone(), work.clone());
        let task = self.rt.spawn(name, async move {
            let mut finished = Some(of);
            let all = doing.await.into_iter().map(|(told, text)| (told.into(), text));
            for (told, text) in all.collect::<Vec<_>>() {
                let finished = finished.take();
                // A shard that has stopped learns it when it starts again.
                let letter = Letter { text, under: lease, ..Letter::of(told, finished) };
                if mailbox.send(letter).await.is_err() {
                    return;
                }
            }
        });
        self.works.insert(work, Under { lease, task, instructor: None });
    }

    /// What has to follow on something that no machine takes.
    pub(crate) async fn was_not_taken(&mut self, fact: &Fact, outcome: &Outcome<Refused>, known: &Known) {
        match fact {
            Fact::Tree(event) => self.was_not_taken_by_tree(event, outcome, known),
            Fact::Pool(event) => self.was_not_taken_by_pool(*event, outcome).await,
            Fact::Credential { profile, event } => {
                if let Some(event) = self.desk.was_not_taken(*profile, *event) {
                    self.tell(event);
                }
            }
            Fact::Begun { task, attempt, .. } => {
                if let Outcome::Rejected(_) = outcome {
                    self.not_begun(*task, *attempt);
                }
            }
            Fact::Outbox { .. }
            | Fact::Stands { .. }
            | Fact::Submitted { .. }
            | Fact::Attempted { .. }
            | Fact::Retry { .. }
            | Fact::Questions { .. }
            | Fact::NoPlace(_) => {}
        }
    }

    async fn was_not_taken_by_pool(&mut self, event: PoolEvent, outcome: &Outcome<Refused>) {
        match (event, outcome) {
            // Nobody else will place it.
            (PoolEvent::Submitted { task, .. }, Outcome::Rejected(_)) => self.tell(Fact::NoPlace(task)),
            // It has come back, and there is no room to remember that: there may never be.
            (
                PoolEvent::Started { agent },
                Outcome::Rejected(Refused::Pool(PoolRejected::AgentsFull { .. })),
            ) => self.remove(agent).await,
            (
                PoolEvent::Submitted { .. }
                | PoolEvent::Started { .. }
                | PoolEvent::CancelRequested { .. }
                | PoolEvent::EndAcknowledged { .. }
                | PoolEvent::Gone { .. }
                | PoolEvent::Heartbeat { .. }
                | PoolEvent::WorkEnded { .. }
                | PoolEvent::Cleaned { .. }
                | PoolEvent::DrainRequested { .. }
                | PoolEvent::Elapsed { .. },
                Outcome::Applied | Outcome::Ignored(_) | Outcome::Rejected(_),
            ) => {}
        }
    }

    fn was_not_taken_by_tree(&mut self, event: &Event, outcome: &Outcome<Refused>, known: &Known) {
        match event {
            // Its request waits still: the model has to be asked again.
            Event::ResponseEnded { request, jitter_ms, .. } if matches!(outcome, Outcome::Rejected(_)) => {
                let RequestId { task, turn, attempt } = *request;
                let failure = SendFailure::Interrupted;
                let event = RequestEvent::SendFailed { attempt, failure, jitter_ms: *jitter_ms };
                self.tell(Event::Request { task, turn, event });
            }
            Event::Admitted { task } => {
                if let (Some(_), Some(word)) = (&known.pool, given_back(&known.kernel, *task)) {
                    self.tell(word);
                }
            }
            Event::ResponseEnded { .. }
            | Event::TaskSubmitted { .. }
            | Event::Spent { .. }
            | Event::Initialized { .. }
            | Event::InitializationFailed { .. }
            | Event::Deployed { .. }
            | Event::Worker { .. }
            | Event::SubtaskRequested { .. }
            | Event::Request { .. }
            | Event::ProfileDown { .. }
            | Event::ProfileUp { .. }
            | Event::ToolEnded { .. }
            | Event::AnswerReceived { .. }
            | Event::MessageReceived { .. }
            | Event::PauseRequested { .. }
            | Event::ResumeRequested { .. }
            | Event::CancelRequested { .. }
            | Event::TimerFired { .. }
            | Event::EndAcknowledged { .. } => {}
        }
    }

    /// Something came to its end.
    pub(crate) fn finished(&mut self, work: &Work) {
        self.works.remove(work);
    }

    /// Stops something, and waits until nothing of it is left.
    pub(crate) async fn stop(&mut self, work: &Work) {
        if let Some(Under { task, .. }) = self.works.remove(work) {
            task.abort();
            task.join().await;
        }
    }

    /// Stops what runs under a lease.
    pub(crate) async fn stop_under(&mut self, lease: Lease) -> Vec<Work> {
        let needs = |(work, under): (&Work, &Under)| (under.lease == Some(lease)).then(|| work.clone());
        let works: Vec<_> = self.works.iter().filter_map(needs).collect();
        for work in &works {
            self.stop(work).await;
        }
        works
    }

    /// Stops everything.
    pub(crate) async fn stop_all(&mut self) {
        for Under { task, .. } in self.works.values() {
            task.abort();
        }
        for Under { task, .. } in std::mem::take(&mut self.works).into_values() {
            task.join().await;
        }
    }

    /// Something that is known at once.
    pub(crate) fn tell(&mut self, told: impl Into<Told>) {
        self.own.push_back(Letter::of(told, None));
    }

    /// The same, with words.
    pub(crate) fn tell_with(&mut self, told: impl Into<Told>, text: &str) {
        self.own.push_back(Letter { text: vec![text.to_owned()], ..Letter::of(told, None) });
    }

    /// Whether something is on its way to the pool about the place of a root.
    pub(crate) fn tells_pool_of(&self, root: TaskId) -> bool {
        self.own.iter().any(|letter| letter.told.is_for_place_of(root))
    }
}

impl Drop for Actor {
    /// What a shard that is gone has begun would tell nobody what came of it.
    fn drop(&mut self) {
        for Under { task, .. } in self.works.values() {
            task.abort();
        }
    }
}

/// The most that is added to a wait, so that those who were refused together do not come back together.
const JITTER_MS: u64 = 1_000;

/// The shape of a reply, and its words. Subtasks have no number yet.
fn shape(Reply { text, calls, .. }: Reply) -> (Response, Vec<String>) {
    let response = match (calls.is_empty(), text.is_empty()) {
        (true, true) => Response::Empty,
        (true, false) => Response::Text,
        (false, _) => Response::Calls(calls.iter().map(|(wish, _)| call(*wish)).collect()),
    };
    let text = std::iter::once(text).chain(calls.into_iter().map(|(_, text)| text));
    (response, text.collect())
}

fn call(wish: Wish) -> Call {
    match wish {
        Wish::Tool(approval) => Call::Tool(approval),
        Wish::Subtask => Call::Subtask { child: NEW },
        Wish::Question => Call::Question,
        Wish::Completion(approval) => Call::Completion(approval),
    }
}

/// What the faults do that change what a model is asked.
fn change(before: &mut Vec<Exchange>, asking: &mut Vec<Piece>) {
    if fault::has(Fault::ForgetsTurns) {
        before.clear();
    }
    if fault::has(Fault::ForgetsResults) {
        asking.retain(|piece| !matches!(piece.part, Part::Result { .. }));
    }
    if fault::has(Fault::FailsSubtasks) {
        for piece in asking {
            if let Part::Result { result: CallResult::Subtask { end, .. }, .. } = &mut piece.part {
                *end = End::Cancelled;
            }
        }
    }
}

/// What a send comes to.
async fn ended(
    id: RequestId,
    root: TaskId,
    sent: impl Future<Output = SendEnd>,
    rt: Rt,
) -> Vec<(Told, Vec<String>)> {
    let RequestId { task, mut turn, attempt } = id;
    if fault::has(Fault::AnswersOlderTurn) {
        turn = TurnNumber(1);
    }
    let end = sent.await;
    let jitter_ms = u32::try_from(rt.random(JITTER_MS)).unwrap_or_default();
    match end {
        SendEnd::Whole(reply) => {
            let spend = reply.spent;
            let (response, text) = shape(reply);
            let ended = Event::ResponseEnded { request: id, response, jitter_ms };
            let is_free = spend == Spend::default();
            vec![(if is_free { ended.into() } else { Told::Replied { ended, root, spend } }, text)]
        }
        SendEnd::Failed(failure) => {
            let event = RequestEvent::SendFailed { attempt, failure, jitter_ms };
            vec![(Event::Request { task, turn, event }.into(), vec![])]
        }
    }
}
