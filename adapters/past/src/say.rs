//! Why a task waits, in plain words.

use crate::follow::Follow;
use crate::plain::phrase;
use crate::time::{span, stamp};
use crate::why::{Wait, Why, why};
use downbeat_kernel::{
    About, AttemptNumber, Effect, End, Held, Passing, QuestionState, RequestEffect, RequestTimer, Retry,
    RetryEffect, RetryState, Standing, Task, TaskId, TaskState, WorkerEffect, WorkerTimer,
};
use downbeat_shell::{Order, Outstanding};
use downbeat_wiring::root_of;
use std::collections::BTreeMap;

/// Things that a task waits for that are said in one line, and as many of each subtask that is followed: more are not read.
const WAITS_MAX: usize = 3;

/// One thing that a task waits for, as it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    pub(crate) since_ms: Option<u64>,
    /// When the timer fires that it waits for.
    pub(crate) until_ms: Option<u64>,
    pub(crate) subtask: Option<TaskId>,
}

/// What is said of a shard at the line at which it stands.
pub(crate) struct Sayer<'f, 's> {
    follow: &'f Follow<'s>,
    outstanding: BTreeMap<Option<TaskId>, Vec<Outstanding>>,
}

impl<'f, 's> Sayer<'f, 's> {
    pub(crate) fn new(follow: &'f Follow<'s>) -> Self {
        let mut outstanding = BTreeMap::<_, Vec<_>>::new();
        for it in follow.replay().outstanding() {
            outstanding.entry(it.order.task()).or_default().push(it);
        }
        Self { follow, outstanding }
    }

    /// What a restart repeats that is about a task.
    pub(crate) fn outstanding(&self, task: TaskId) -> impl Iterator<Item = &Outstanding> {
        self.outstanding.get(&Some(task)).into_iter().flatten()
    }

    /// What a restart repeats.
    pub(crate) fn outstanding_count(&self) -> usize {
        self.outstanding.values().map(Vec::len).sum()
    }

    /// Why a task waits, in a line.
    pub(crate) fn line(&self, task: TaskId) -> String {
        let why = why(self.follow.replay().kernel(), task);
        match (why, self.attempts(task)) {
            (Why::Waits(waits), _) => {
                let (all, kept) = (self.all(task, &waits), self.kept(task, &waits));
                format!("waits for {all}{kept}{}", self.asking(task))
            }
            (Why::Ended(end), Some(attempts)) => format!("{attempts}; the first has {}", ended(end)),
            (Why::Forgotten, Some(attempts)) => attempts,
            (Why::Ended(end), None) => format!("nothing: it has {}; {}", ended(end), self.hearers(task)),
            (Why::Forgotten, None) => "nothing: it has ended, and everybody has heard so".to_owned(),
            (Why::Unknown, _) => "nothing: no task has this id yet".to_owned(),
        }
    }

    /// What the attempts at a task wait for, if it is tried again and has not ended.
    pub(crate) fn attempts(&self, name: TaskId) -> Option<String> {
        let Retry { state, attempt: AttemptNumber(attempt), .. } = self.follow.replay().attempts(name)?;
        Some(match state {
            RetryState::Running => format!("waits for attempt {attempt} at it"),
            RetryState::Querying { .. } => {
                format!("waits for word of attempt {attempt}, which was asked for")
            }
            RetryState::Fencing { .. } => format!("waits for attempt {attempt} to stop, before the next"),
            RetryState::Cancelling { .. } => format!("waits for attempt {attempt} to stop: it was cancelled"),
            RetryState::BackingOff { .. } => {
                let is_timer = |it: &&Outstanding| {
                    matches!(it.order, Order::Retry { effect: RetryEffect::Arm { .. }, .. })
                };
                let until = self.outstanding(name).find(is_timer).and_then(|it| it.armed);
                let until = until.map(|(_, fires_ms)| format!(", over at {}", stamp(fires_ms)));
                format!("waits for the time before attempt {}{}", attempt + 1, until.unwrap_or_default())
            }
            RetryState::Unsubmitted | RetryState::Ended(_) | RetryState::Closed => return None,
        })
    }

    /// Whether the agent of a root waits for a person.
    fn asking(&self, root: TaskId) -> &'static str {
        match self.follow.replay().questions(root).map(|questions| questions.state) {
            Some(QuestionState::Open) => "; its agent has asked a person, who has not answered",
            Some(QuestionState::Silent | QuestionState::Settled { .. }) | None => "",
        }
    }

    /// What keeps back what a task orders: its tree had a place, and has lost it.
    fn kept(&self, task: TaskId, waits: &[Wait]) -> String {
        let replay = self.follow.replay();
        let root = root_of(replay.kernel(), task);
        let booking = replay.pool().and_then(|pool| pool.task(root));
        let is_queued = booking.is_some_and(|booking| booking.standing == Standing::Queued);
        if is_queued && !waits.contains(&Wait::Place) && replay.kernel().task(root).is_some_and(has_begun) {
            "; its tree has lost its agent, and what it orders is kept until there is another".to_owned()
        } else {
            String::new()
        }
    }

    /// Each thing that a task waits for.
    pub(crate) fn each(&self, task: TaskId) -> Vec<Said> {
        match why(self.follow.replay().kernel(), task) {
            Why::Unknown | Why::Forgotten | Why::Ended(_) => Vec::new(),
            Why::Waits(waits) => waits.into_iter().map(|wait| self.said(task, wait)).collect(),
        }
    }

    /// Everything that a task waits for, the first with what that waits for itself: the others have rows of their own.
    fn all(&self, task: TaskId, waits: &[Wait]) -> String {
        let said = waits.iter().take(WAITS_MAX).enumerate();
        let said = said.map(|(index, wait)| self.one(task, *wait, index == 0));
        let more = waits.len().saturating_sub(WAITS_MAX);
        let more = (more > 0).then(|| format!("{more} more"));
        said.chain(more).collect::<Vec<_>>().join(", and for ")
    }

    fn one(&self, task: TaskId, wait: Wait, is_followed: bool) -> String {
        let Said { text, since_ms, until_ms, subtask, .. } = self.said(task, wait);
        // A tree is no deeper than `depth_max`.
        if let Some(child) = subtask.filter(|_| is_followed)
            && let Why::Waits(waits) = why(self.follow.replay().kernel(), child)
        {
            return format!("{text} [which waits for {}]", self.all(child, &waits));
        }
        let since = since_ms.map(|since| self.since(since)).unwrap_or_default();
        let until = until_ms.map(|until| format!(", over at {}", stamp(until))).unwrap_or_default();
        format!("{text}{since}{until}")
    }

    /// Since when, and how long that was before the last line.
    fn since(&self, since_ms: u64) -> String {
        let last_ms = self.follow.counts().last_ms;
        match last_ms.checked_sub(since_ms) {
            Some(ms) => format!(" since {} ({})", stamp(since_ms), span(ms)),
            // The clock was set back.
            None => format!(" since {}", stamp(since_ms)),
        }
    }

    fn said(&self, task: TaskId, wait: Wait) -> Said {
        let (kind, text) = self.words(task, wait);
        let subtask = if let Wait::Subtask(child) = wait { Some(child) } else { None };
        let since_ms = self.follow.since().of(task, wait);
        Said { kind, text, since_ms, until_ms: self.until(task, wait), subtask }
    }

    fn words(&self, task: TaskId, wait: Wait) -> (&'static str, String) {
        let replay = self.follow.replay();
        match wait {
            Wait::Place => ("place", self.place(task)),
            Wait::Surroundings => ("surroundings", "its surroundings to be ready".to_owned()),
            Wait::SurroundingsStop => {
                ("surroundings-stop", "whoever makes its surroundings ready to stop".to_owned())
            }
            Wait::Credential { turn, attempt, profile } => {
                let stands = replay.credential(profile).map(|it| phrase(&it.state));
                let stands = stands.map(|stands| format!(" (it is {stands})")).unwrap_or_default();
                let (turn, attempt, profile) = (turn.0, attempt.0, profile.0);
                (
                    "credential",
                    format!(
                        "the credential of profile {profile}{stands}, to send attempt {attempt} of turn {turn}"
                    ),
                )
            }
            Wait::Response { turn, attempt, is_read } => {
                let read = if is_read { ", of which the beginning was shown" } else { "" };
                ("response", format!("the model's response to turn {}, attempt {}{read}", turn.0, attempt.0))
            }
            Wait::Backoff { turn, attempt, after } => {
                let after = match after {
                    Passing::Throttled => "was throttled",
                    Passing::Transient => "failed",
                    Passing::Interrupted => "broke off",
                };
                (
                    "backoff",
                    format!(
                        "the time before attempt {} of turn {} (the one before {after})",
                        attempt.0, turn.0
                    ),
                )
            }
            Wait::SendStop { turn, attempt } => {
                ("send-stop", format!("attempt {} of turn {} to stop", attempt.0, turn.0))
            }
            Wait::Tool(call) => ("tool", format!("the tool of call {} of turn {}", call.index, call.turn.0)),
            Wait::ToolStop(call) => {
                ("tool-stop", format!("the tool of call {} of turn {} to stop", call.index, call.turn.0))
            }
            Wait::Subtask(child) => ("subtask", format!("subtask {}", child.0)),
            Wait::Answer { question, about } => {
                let whose = if question.task == task {
                    String::new()
                } else {
                    format!(" of task {}", question.task.0)
                };
                ("answer", format!("the answer to question {}{whose} ({})", question.number, asked(about)))
            }
            Wait::Resume => ("resume", "a person to resume it".to_owned()),
            Wait::ResumeOfParent(parent) => {
                ("resume", format!("a person to resume it, or task {}, its parent", parent.0))
            }
            Wait::Work => ("work", "something to do: its worker is idle".to_owned()),
            Wait::IteratorStart(iterator) => ("iterator-start", format!("iterator {} to start", iterator.0)),
            Wait::IteratorStop(iterator) => ("iterator-stop", format!("iterator {} to stop", iterator.0)),
            Wait::Prompt { iterator, prompt } => {
                ("prompt", format!("its agent's answer to prompt {} (iterator {})", prompt.0, iterator.0))
            }
            Wait::Approval(approval) => (
                "approval",
                format!(
                    "the answer to question {} of its agent, at prompt {}",
                    approval.number, approval.prompt.0
                ),
            ),
            Wait::PromptBackoff(prompt) => {
                ("prompt-backoff", format!("the time before the next prompt (prompt {} failed)", prompt.0))
            }
            Wait::Breaker => ("breaker", "its breaker to let prompts pass".to_owned()),
            Wait::Nothing => ("nothing", "nothing that can come: its state contradicts itself".to_owned()),
        }
    }

    fn place(&self, task: TaskId) -> String {
        let replay = self.follow.replay();
        let root = root_of(replay.kernel(), task);
        let Some(pool) = replay.pool() else { return "its place".to_owned() };
        match pool.task(root).map(|booking| (booking.standing, booking.place)) {
            Some((Standing::Queued, place)) => {
                let before = pool
                    .tasks()
                    .filter(|(_, booking)| booking.standing == Standing::Queued && booking.place < place);
                match before.count() {
                    0 => "its place in the pool, where it is the first".to_owned(),
                    before => format!("its place in the pool, where {before} are before it"),
                }
            }
            Some((Standing::Held { agent }, _)) => {
                format!("its place in the pool, which is at agent {}", agent.0)
            }
            Some((Standing::Ended(end), _)) => {
                format!("its place in the pool, which has none for it ({})", phrase(&end))
            }
            None => "its place in the pool, which has not heard of it".to_owned(),
        }
    }

    /// Who has still to hear of an end.
    fn hearers(&self, task: TaskId) -> String {
        let outbox = self.follow.replay().outbox(task);
        match outbox.map(|outbox| (outbox.accepted, outbox.settled)) {
            Some((accepted, settled)) if settled < accepted => {
                "people have not acknowledged that yet".to_owned()
            }
            Some(_) | None => "it is forgotten when everybody has heard so".to_owned(),
        }
    }

    /// When the timer fires that is waited for.
    fn until(&self, task: TaskId, wait: Wait) -> Option<u64> {
        let fires = |is_it: fn(&Order) -> bool| {
            self.outstanding(task).find(|it| is_it(&it.order)).and_then(|it| Some(it.armed?.1))
        };
        match wait {
            Wait::Backoff { .. } => fires(|order| {
                let Order::Tree(Effect::Request { effect, .. }) = order else { return false };
                matches!(effect, RequestEffect::Arm { timer: RequestTimer::Backoff(_), .. })
            }),
            Wait::PromptBackoff(_) => fires(|order| {
                let Order::Tree(Effect::Worker { effect, .. }) = order else { return false };
                matches!(effect, WorkerEffect::Arm { timer: WorkerTimer::Backoff(_), .. })
            }),
            Wait::Breaker => fires(|order| {
                let Order::Tree(Effect::Worker { effect, .. }) = order else { return false };
                matches!(effect, WorkerEffect::Arm { timer: WorkerTimer::Breaker(_), .. })
            }),
            Wait::Place
            | Wait::Surroundings
            | Wait::SurroundingsStop
            | Wait::Credential { .. }
            | Wait::Response { .. }
            | Wait::SendStop { .. }
            | Wait::Tool(_)
            | Wait::ToolStop(_)
            | Wait::Subtask(_)
            | Wait::Answer { .. }
            | Wait::Resume
            | Wait::ResumeOfParent(_)
            | Wait::Work
            | Wait::IteratorStart(_)
            | Wait::IteratorStop(_)
            | Wait::Prompt { .. }
            | Wait::Approval(_)
            | Wait::Nothing => None,
        }
    }
}

/// Whether a root has had its place.
fn has_begun(root: &Task) -> bool {
    !matches!(root.state, TaskState::Queued | TaskState::Paused(Held::Queued))
}

fn ended(end: End) -> String {
    match end {
        End::Completed => "completed".to_owned(),
        End::Failed(reason) => format!("failed ({})", phrase(&reason)),
        End::Cancelled => "been cancelled".to_owned(),
    }
}

fn asked(about: About) -> String {
    match about {
        About::Tool(call) => format!("may the tool of call {} of turn {} run?", call.index, call.turn.0),
        About::Completion(call) => format!("may it end with the result of turn {}?", call.turn.0),
        About::Question(call) => format!("call {} of turn {}", call.index, call.turn.0),
        About::MistakeLimit => "shall it go on after responses without a call?".to_owned(),
        About::Budget => "its tree has spent its budget: may it spend as much again?".to_owned(),
    }
}
