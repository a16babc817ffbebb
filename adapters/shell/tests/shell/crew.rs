//! Agents that run tasks by themselves, as a script has it, and whoever watches over them.

use crate::stage::{PATIENCE, World};
use downbeat_kernel::{
    Answer, ApprovalId, Concern, Event, IteratorEnd, IteratorId, Outcome, PromptId, SessionEvent, Sign,
    Spend, TaskId, WorkerEvent,
};
use downbeat_shell::{
    Doing, Instruction, Instructions, Overseer, Ports, Run, RunKey, Seat, ShellError, Text, Trial, Voice,
    Workers,
};
use std::collections::{BTreeSet, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What an iterator does, in this order; after the last, it goes on for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Starts,
    /// Takes the next instruction.
    Takes,
    /// It has this prompt from before a crash.
    Recalls(u32),
    Answers(&'static str),
    Asks(&'static str),
    Reports(u32, &'static str),
    Delegates(&'static str),
    Shows(Sign),
    Spends(u64),
    /// Has somebody else say so when that is let go on, whatever becomes of it.
    SpendsLate(u64),
    Completes(&'static str),
    Waits,
    /// Has somebody else speak for it when that is let go on, whatever becomes of it.
    Leaks,
    Ends(IteratorEnd),
    Panics,
}

/// What was seen of the agents and heard of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Which run of which task, under which epoch.
    Ran(TaskId, u32, Option<u64>),
    Attached(TaskId, u32),
    /// It is no more.
    Gone(TaskId, u32),
    Given(PromptId, Vec<String>),
    Told(Answer, String),
    AskedProgress,
    Stopped,
    Asked(ApprovalId, String),
    Withdrawn(ApprovalId),
    Reported(TaskId, u32, String),
    Warned(Concern),
    /// What became of what was said for it by somebody else.
    Late(Outcome),
}

#[derive(Default)]
struct State {
    workers: BTreeSet<TaskId>,
    scripts: VecDeque<Vec<Act>>,
    attached: VecDeque<Vec<Act>>,
    heard: Vec<Heard>,
    /// What was asked for about which task, and which attempt that was said to belong to.
    trials: Vec<(&'static str, TaskId, Trial)>,
    /// What runs elsewhere, and outlives whoever orders it: it is started once. `None` if nothing does.
    elsewhere: Option<BTreeSet<RunKey>>,
    /// Nobody takes reports.
    is_deaf: bool,
    /// Signs of life take their time.
    is_slow: bool,
    /// Nobody can be deployed.
    is_broken: bool,
}

/// The agents of one test. They outlive whoever orders them.
#[derive(Clone)]
pub(crate) struct Crew {
    state: Arc<Mutex<State>>,
    pub(crate) go: Arc<Semaphore>,
    pub(crate) late: Arc<Semaphore>,
}

impl Crew {
    /// Those of the first task, with what each run of it does.
    pub(crate) fn of(scripts: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let workers = BTreeSet::from([TaskId(1)]);
        let state = State { workers, scripts: scripts.into_iter().collect(), ..State::default() };
        let [go, late] = [0; 2].map(|permits| Arc::new(Semaphore::new(permits)));
        Self { state: Arc::new(Mutex::new(state)), go, late }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with it")
    }

    /// Another task is run by a worker too.
    pub(crate) fn runs(&self, task: TaskId) {
        self.state().workers.insert(task);
    }

    /// Iterators run elsewhere from here on.
    pub(crate) fn goes_elsewhere(&self) {
        self.state().elsewhere = Some(BTreeSet::new());
    }

    /// What runs elsewhere.
    pub(crate) fn elsewhere(&self) -> Vec<RunKey> {
        self.state().elsewhere.iter().flatten().copied().collect()
    }

    /// A task is not run by a worker.
    pub(crate) fn leaves(&self, task: TaskId) {
        self.state().workers.remove(&task);
    }

    /// What those do that are gone on with after a crash; without a script, one has not outlived it.
    pub(crate) fn outlives(&self, script: Vec<Act>) {
        self.state().attached.push_back(script);
    }

    pub(crate) fn is_deaf(&self, is_deaf: bool) {
        self.state().is_deaf = is_deaf;
    }

    pub(crate) fn breaks(&self) {
        self.state().is_broken = true;
    }

    pub(crate) fn slows(&self) {
        self.state().is_slow = true;
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.state().heard.clone()
    }

    /// Takes what was heard so far.
    pub(crate) fn take_heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.state().heard)
    }

    /// Takes what was asked for so far.
    pub(crate) fn take_trials(&self) -> BTreeSet<(&'static str, TaskId, Trial)> {
        std::mem::take(&mut self.state().trials).into_iter().collect()
    }

    /// What was asked for about which task of which attempt, each once.
    pub(crate) fn trials(&self) -> BTreeSet<(&'static str, TaskId, Trial)> {
        self.state().trials.iter().copied().collect()
    }

    fn is_of(&self, what: &'static str, task: TaskId, trial: Trial) {
        self.state().trials.push((what, task, trial));
    }

    fn hear(&self, heard: Heard) {
        self.state().heard.push(heard);
    }

    pub(crate) async fn until(&self, heard: Heard) {
        let is_heard = async {
            while !self.heard().contains(&heard) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, is_heard).await.is_ok();
        assert!(in_time, "{heard:?} is not among {:?}", self.heard());
    }

    pub(crate) fn ports(&self, ports: Ports) -> Ports {
        let crew = Arc::new(self.clone());
        Ports { workers: crew.clone(), overseer: crew, ..ports }
    }

    pub(crate) fn in_world(&self, world: &World) -> Ports {
        self.ports(world.ports())
    }

    async fn play(
        self,
        run: Run,
        mut instructions: Instructions,
        voice: Voice,
        script: Vec<Act>,
    ) -> IteratorEnd {
        let iterator = run.iterator;
        let _gone = Going(self.clone(), run);
        let (mut prompt, mut approvals) = (PromptId(0), 0);
        for act in script {
            match act {
                Act::Starts => {
                    let started = WorkerEvent::Session(SessionEvent::Started { iterator });
                    heard(voice.tell(started, String::new()).await);
                }
                Act::Takes => match instructions.next().await {
                    Some(Instruction::Prompt { prompt: given, parts }) => {
                        (prompt, approvals) = (given, 0);
                        let parts = parts.into_iter().map(|part| part.text.to_string());
                        self.hear(Heard::Given(prompt, parts.collect()));
                    }
                    Some(Instruction::Answer { answer, text, .. }) => {
                        self.hear(Heard::Told(answer, text.to_string()));
                    }
                    Some(Instruction::AskProgress { check }) => {
                        self.hear(Heard::AskedProgress);
                        heard(voice.tell(WorkerEvent::ProgressReported { check }, String::new()).await);
                    }
                    Some(Instruction::Stop) => self.hear(Heard::Stopped),
                    None => pending().await,
                },
                Act::Recalls(given) => prompt = PromptId(given),
                Act::Answers(text) => heard(voice.tell(answered(iterator, prompt), text.to_owned()).await),
                Act::Asks(text) => {
                    approvals += 1;
                    let approval = ApprovalId { prompt, number: approvals };
                    heard(voice.tell(WorkerEvent::ApprovalRequested { approval }, text.to_owned()).await);
                }
                Act::Reports(number, text) => {
                    heard(voice.tell(WorkerEvent::Reported { number }, text.to_owned()).await);
                }
                Act::Delegates(text) => {
                    assert!(voice.delegate(text.to_owned()).await.expect("it runs") > run.task);
                }
                Act::Shows(sign) => {
                    if self.state().is_slow {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    let _ = voice.tell(WorkerEvent::Observed { prompt, sign }, String::new()).await;
                }
                Act::Spends(tokens) => {
                    voice.spend(Spend { tokens, micros: 0 }).await.expect("it runs");
                }
                Act::SpendsLate(tokens) => {
                    let (late, voice) = (Arc::clone(&self.late), voice.clone());
                    tokio::spawn(async move {
                        late.acquire().await.expect("it is not closed").forget();
                        voice.spend(Spend { tokens, micros: 0 }).await.expect("it runs");
                    });
                }
                Act::Completes(text) => {
                    heard(voice.tell(WorkerEvent::CompleteRequested, text.to_owned()).await);
                }
                Act::Waits => self.go.acquire().await.expect("it is not closed").forget(),
                Act::Leaks => {
                    let (crew, voice) = (self.clone(), voice.clone());
                    tokio::spawn(async move {
                        crew.late.acquire().await.expect("it is not closed").forget();
                        for event in [answered(iterator, prompt), WorkerEvent::CompleteRequested] {
                            if let Ok(outcome) = voice.tell(event, "too late".to_owned()).await {
                                crew.hear(Heard::Late(outcome));
                            }
                        }
                    });
                }
                Act::Ends(end) => return end,
                Act::Panics => panic!("on purpose"),
            }
        }
        pending().await
    }
}

fn answered(iterator: IteratorId, prompt: PromptId) -> WorkerEvent {
    WorkerEvent::Session(SessionEvent::Answered { iterator, prompt })
}

fn heard(told: Result<Outcome, ShellError>) {
    assert_eq!(told.expect("it runs"), Outcome::Applied);
}

/// An iterator, until it is no more.
struct Going(Crew, Run);

impl Drop for Going {
    fn drop(&mut self) {
        let Run { task, iterator, .. } = self.1;
        self.0.hear(Heard::Gone(task, iterator.0));
    }
}

impl Workers for Crew {
    fn deploy(&self, task: TaskId, trial: Trial, _seat: Option<Seat>) -> Doing<bool> {
        self.is_of("deploy", task, trial);
        let state = self.state();
        let (is_worker, is_broken) = (state.workers.contains(&task), state.is_broken);
        Box::pin(async move {
            assert!(!is_broken, "on purpose");
            is_worker
        })
    }

    fn run(&self, run: Run, instructions: Instructions, voice: Voice) -> Doing<IteratorEnd> {
        let epoch = run.seat.map(|seat| seat.lease.epoch.0);
        self.is_of("run", run.task, run.trial);
        self.hear(Heard::Ran(run.task, run.iterator.0, epoch));
        if self.state().elsewhere.as_mut().is_some_and(|known| !known.insert(run.key())) {
            return Box::pin(pending());
        }
        let script = self.state().scripts.pop_front().unwrap_or_default();
        Box::pin(self.clone().play(run, instructions, voice, script))
    }

    fn attach(&self, run: Run, instructions: Instructions, voice: Voice) -> Doing<IteratorEnd> {
        self.is_of("attach", run.task, run.trial);
        self.hear(Heard::Attached(run.task, run.iterator.0));
        let script = self.state().attached.pop_front();
        Box::pin(self.clone().play(
            run,
            instructions,
            voice,
            script.unwrap_or(vec![Act::Ends(IteratorEnd::Transient)]),
        ))
    }
}

impl Overseer for Crew {
    fn ask(&self, task: TaskId, trial: Trial, approval: ApprovalId, text: Text) {
        self.is_of("ask", task, trial);
        self.hear(Heard::Asked(approval, text.to_string()));
    }

    fn withdraw(&self, task: TaskId, trial: Trial, approval: ApprovalId) {
        self.is_of("withdraw", task, trial);
        self.hear(Heard::Withdrawn(approval));
    }

    fn report(&self, task: TaskId, trial: Trial, number: u32, text: Text) -> Doing<()> {
        self.is_of("report", task, trial);
        let crew = self.clone();
        Box::pin(async move {
            // The first takes the longest.
            tokio::time::sleep(Duration::from_millis(if number == 1 { 200 } else { 1 })).await;
            crew.hear(Heard::Reported(task, number, text.to_string()));
            if crew.state().is_deaf {
                pending::<()>().await;
            }
        })
    }

    fn warn(&self, task: TaskId, trial: Trial, concern: Concern) {
        self.is_of("warn", task, trial);
        self.hear(Heard::Warned(concern));
    }
}

/// What a person says to what an agent asks.
pub(crate) fn agrees(task: TaskId, approval: ApprovalId) -> Event {
    Event::Worker { task, event: WorkerEvent::AnswerReceived { approval, answer: Answer::Approved } }
}
