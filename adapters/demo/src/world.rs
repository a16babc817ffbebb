//! The simulated provider, the tools, and the receiver of notifications: what the shell calls through its ports.
//!
//! Whatever reaches the world is on record before it is answered, and what it answers follows from the script and from what is on
//! record. The people are in `people.rs`, the credentials in `vault.rs`.

use crate::error::DemoError;
use crate::faults::Fault;
use crate::ledger::Ledger;
use crate::record::{Log, Over, Record};
use crate::run::Wanted;
use crate::script::{Script, Span};
use downbeat_kernel::{CallId, Generation, QuestionId, RequestId, SendFailure, SendReason, TaskId, ToolEnd};
use downbeat_rt::Rt;
use downbeat_shell::{
    Clock, Doing, Model, Notification, Notifier, Output, Question, Reply, RootEnd, Seat, SendEnd, Teller,
    Text, Tools,
};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A send that the provider works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    /// When it came, in the time of the runtime.
    pub(crate) since: Duration,
    pub(crate) reason: SendReason,
}

/// What changes.
pub(crate) struct State {
    log: Log,
    fault: Option<Fault>,
    pub(crate) ledger: Ledger,
    pub(crate) flights: BTreeMap<RequestId, Flight>,
    /// Questions that people think about.
    pub(crate) questions: BTreeSet<QuestionId>,
    pub(crate) tools: u64,
    /// How often people were told of an end that they do not know yet.
    posts: BTreeMap<TaskId, u64>,
    /// When the newest token was issued, in this life.
    pub(crate) issued: Duration,
    /// Why nothing can be remembered any more. From then on nobody is answered.
    pub(crate) trouble: Option<DemoError>,
}

impl State {
    /// Puts something on record. `false` if that cannot be: then it has not happened, and nobody may be answered.
    pub(crate) fn note(&mut self, record: Record) -> bool {
        let Some(fault) = self.fault else { return self.note_one(record) };
        fault.bend(record).into_iter().all(|record| self.note_one(record))
    }

    fn note_one(&mut self, record: Record) -> bool {
        if self.trouble.is_some() {
            return false;
        }
        if let Err(trouble) = self.log.write(&record) {
            self.trouble = Some(trouble);
            return false;
        }
        self.ledger.take(record);
        true
    }
}

/// The world of one life.
pub(crate) struct World {
    pub(crate) rt: Rt,
    pub(crate) script: Script,
    /// How many times as long as in the script everything takes that the outside does.
    pace: u32,
    state: Mutex<State>,
    teller: OnceLock<Teller>,
}

/// How long a token is good, from when it was issued or the process began.
const TOKEN_LIFE: Duration = Duration::from_secs(20);

impl World {
    pub(crate) fn new(rt: Rt, script: Script, log: Log, ledger: Ledger, wanted: &Wanted) -> Arc<Self> {
        let state = State {
            log,
            fault: wanted.fault,
            ledger,
            flights: BTreeMap::new(),
            questions: BTreeSet::new(),
            tools: 0,
            posts: BTreeMap::new(),
            issued: rt.now(),
            trouble: None,
        };
        Arc::new(Self { rt, script, pace: wanted.pace, state: Mutex::new(state), teller: OnceLock::new() })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // What panicked had put on record what it did before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long something takes, in simulated time.
    pub(crate) fn time(&self, span: Span, of: &[u64]) -> Duration {
        self.script.time(span, of) * self.pace
    }

    /// The shell runs: people can speak to it.
    pub(crate) fn opens(&self, teller: Teller) {
        // A world lives with one shell.
        let _ = self.teller.set(teller);
    }

    /// What people speak to.
    pub(crate) fn teller(&self) -> Option<Teller> {
        self.teller.get().cloned()
    }

    /// Whether the API takes a token.
    fn accepts(&self, state: &State, generation: Generation) -> bool {
        generation == state.ledger.stored() && self.rt.now().saturating_sub(state.issued) < TOKEN_LIFE
    }

    /// What comes of a send, and how long that takes.
    fn answer(&self, state: &State, id: RequestId, generation: Generation) -> (SendEnd, Over, Duration) {
        let about = [id.task.0, id.turn.0.into(), id.attempt.0.into()];
        let response = self.time(Span::Response, &about);
        let refusal = self.time(Span::Refusal, &about);
        if !self.accepts(state, generation) && !state.ledger.was_refused(id) {
            return (SendEnd::Failed(SendFailure::Unauthorized), Over::Unauthorized, refusal);
        }
        let Some(path) = state.ledger.path(id.task) else {
            return (SendEnd::Failed(SendFailure::Invalid), Over::Broken, refusal);
        };
        match self.script.failure(path, id) {
            Some(failure @ SendFailure::Throttled { .. }) => {
                (SendEnd::Failed(failure), Over::Throttled, refusal)
            }
            Some(failure) => (SendEnd::Failed(failure), Over::Broken, response / 2),
            None => {
                let reply = self.script.reply(path, id.turn);
                let over = Over::Whole { tokens: reply.spent.tokens };
                (SendEnd::Whole(reply), over, response)
            }
        }
    }
}

impl World {
    /// A tool does its work. Asked again after a crash, it has been done. `false` if that cannot be put on record.
    fn does(&self, call: CallId, argument: &Text) -> bool {
        let mut state = self.state();
        state.ledger.has_done(call) || state.note(Record::Did { call, argument: argument.to_string() })
    }

    /// People are told something of a root: whether whoever tells them hears that they know. `None` if that cannot be put on record.
    fn hears(&self, notification: Notification) -> Option<bool> {
        let Notification { task, number, end, text, .. } = notification;
        let mut state = self.state();
        let times = state.posts.entry(task).or_default();
        *times += 1;
        let times = *times;
        // Now and then it does not come.
        if self.script.is_lost(task.0, 2 * times) {
            return Some(false);
        }
        // Now and then nobody hears that it came.
        let is_heard = !self.script.is_lost(task.0, 2 * times + 1);
        let record = match end {
            None => Record::Progress { task, number },
            Some(RootEnd::Once(end)) => {
                Record::Told { task, number, end, result: text.to_string(), is_heard }
            }
            Some(RootEnd::Tried { end, .. }) => unreachable!("a task of the demo is tried once: {end:?}"),
        };
        if !state.note(record) {
            return None;
        }
        if is_heard {
            state.posts.remove(&task);
        }
        Some(is_heard)
    }
}

/// What a port of the shell holds.
#[derive(Clone)]
pub(crate) struct Port(pub(crate) Arc<World>);

/// A send under way. Dropped before it is over, whoever asked has gone.
struct Sending {
    world: Arc<World>,
    id: RequestId,
    is_over: bool,
}

impl Sending {
    fn is_over(&mut self, end: Over) -> bool {
        self.is_over = true;
        let mut state = self.world.state();
        state.flights.remove(&self.id);
        state.note(Record::Over { id: self.id, end })
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_over {
            self.is_over(Over::Stopped);
        }
    }
}

impl Model for Port {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        let Question { id, generation, reason, asking, .. } = question;
        let world = Arc::clone(&self.0);
        let mut state = world.state();
        let asking = asking.into_iter().map(|piece| (piece.part, piece.text.to_string())).collect();
        let is_first = !state.ledger.has_come(id);
        if !state.note(Record::Sent { id, generation, asking }) {
            return Box::pin(pending());
        }
        let (end, over, takes) = world.answer(&state, id, generation);
        state.flights.insert(id, Flight { since: world.rt.now(), reason });
        drop(state);
        if is_first && id.attempt.0 == 0 {
            self.0.visit(id);
        }
        let mut sending = Sending { world: Arc::clone(&world), id, is_over: false };
        Box::pin(async move {
            world.rt.sleep(takes).await;
            if sending.is_over(over) { end } else { pending().await }
        })
    }

    /// The provider goes on with what it had when the process was killed, and of some of it knows the end.
    fn recover(&self, id: RequestId) -> Doing<Option<SendEnd>> {
        let state = self.0.state();
        let path = state.ledger.path(id.task).filter(|_| state.ledger.has_come(id));
        let known = path.filter(|path| self.0.script.remembers(path, id)).and_then(|path| {
            let fails = self.0.script.failure(path, id).is_some();
            (!fails).then(|| self.0.script.reply(path, id.turn))
        });
        let takes = self.0.time(Span::Recollection, &[id.task.0, id.turn.0.into()]);
        let wait = self.0.rt.sleep(takes);
        Box::pin(async move {
            wait.await;
            known.map(|reply: Reply| SendEnd::Whole(reply))
        })
    }
}

impl Tools for Port {
    fn run(&self, call: CallId, argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        let world = Arc::clone(&self.0);
        let about = [call.task.0, call.turn.0.into(), call.index.into()];
        let takes = world.time(Span::Tool, &about);
        let mut running = Running::new(&world);
        Box::pin(async move {
            world.rt.sleep(takes).await;
            running.ends();
            if world.does(call, &argument) {
                (ToolEnd::Succeeded, Script::output(&argument))
            } else {
                pending().await
            }
        })
    }
}

/// A tool that runs.
struct Running {
    world: Arc<World>,
    is_over: bool,
}

impl Running {
    fn new(world: &Arc<World>) -> Self {
        world.state().tools += 1;
        Self { world: Arc::clone(world), is_over: false }
    }

    fn ends(&mut self) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.world.state().tools -= 1;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ends();
    }
}

impl Notifier for Port {
    fn notify(&self, notification: Notification) -> Doing<bool> {
        let world = Arc::clone(&self.0);
        Box::pin(async move {
            world.rt.sleep(world.time(Span::Post, &[notification.task.0])).await;
            match world.hears(notification) {
                Some(is_heard) => is_heard,
                None => pending().await,
            }
        })
    }

    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(std::future::ready(()))
    }
}

impl Clock for Port {
    fn now_ms(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }
}
