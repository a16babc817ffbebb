//! An exported tree in a file of its own: its events, and what they came to. It is stepped through again by the kernel as it is now.

use crate::error::PastError;
use crate::export::Tree;
use crate::plain::phrase;
use crate::settings::{changed, over};
use downbeat_kernel::{Config, Effect, Event, Kernel, Outcome, Record, RequestEffect, RequestId, TaskId};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What the first line of every such file names as its format.
const FORMAT: &str = "downbeat-tree";
const VERSION: u32 = 1;

/// The first line; each other one is an event in the form of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    root: TaskId,
    /// The number of the last line of the journal that was read.
    until: u64,
    /// The settings that are not as by default.
    settings: Map<String, Value>,
    /// Where each task stood at the end.
    states: Vec<(TaskId, String)>,
    /// Orders that a restart would have repeated there.
    outstanding: usize,
}

/// What stepping through came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The root of the tree.
    pub root: TaskId,
    /// Events that the kernel has taken.
    pub events: usize,
    /// What is otherwise than recorded, if anything.
    pub misfit: Option<Misfit>,
}

/// What is otherwise than recorded. Events are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// An event is not taken any more.
    NotTaken {
        /// Which.
        event: usize,
        /// What it says.
        what: String,
        /// What the kernel says.
        outcome: String,
    },
    /// The state after an event contradicts itself.
    Contradicts {
        /// After which.
        event: usize,
        /// How.
        what: String,
    },
    /// A send goes out a second time (S2).
    SentTwice {
        /// By which event.
        event: usize,
        /// Which send.
        request: RequestId,
    },
    /// Tasks stand elsewhere at the end, or another number of orders is outstanding.
    Elsewhere {
        /// What was recorded.
        recorded: String,
        /// What it comes to.
        now: String,
    },
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotTaken { event, what, outcome } => {
                write!(f, "event {event}, {what}, is not taken any more: {outcome}")
            }
            Self::Contradicts { event, what } => {
                write!(f, "the state after event {event} contradicts itself: {what}")
            }
            Self::SentTwice { event, request: RequestId { task, turn, attempt } } => write!(
                f,
                "S2: event {event} has attempt {} of turn {} of task {} sent a second time",
                attempt.0, turn.0, task.0
            ),
            Self::Elsewhere { recorded, now } => write!(f, "it comes to {now}, and not to {recorded}"),
        }
    }
}

/// Whether a text begins as such a file.
pub(crate) fn is_meant(text: &str) -> bool {
    text.starts_with(&format!("{{\"format\":\"{FORMAT}\""))
}

/// The file of a tree.
pub(crate) fn file(tree: &Tree) -> Result<String, serde_json::Error> {
    let states = tree.states.iter().map(|(task, state)| (*task, phrase(state))).collect();
    let head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        root: tree.root,
        until: tree.until,
        settings: changed(&tree.config).into_iter().collect(),
        states,
        outstanding: tree.outstanding,
    };
    let mut text = serde_json::to_string(&head)? + "\n";
    for event in &tree.events {
        text += &(serde_json::to_string(event)? + "\n");
    }
    Ok(text)
}

/// Steps through an exported tree again, with the kernel as it is now.
///
/// # Errors
/// If it is none, or of another version.
pub fn step_through(text: &str) -> Result<Played, PastError> {
    let mut lines = text.lines();
    let unread = |line| move |source| PastError::Exported { line, source };
    let head: Head = serde_json::from_str(lines.next().unwrap_or_default()).map_err(unread(1))?;
    if head.version != VERSION {
        let other = format!("it is of version {}, and this program reads version {VERSION}", head.version);
        return Err(unread(1)(serde_json::Error::custom(other)));
    }
    let config: Config = over(&Config::default(), head.settings.clone()).map_err(unread(1))?;
    let (mut kernel, mut sent, mut events) = (Kernel::new(config), BTreeSet::new(), 0);
    let mut misfit = None;
    for (line, number) in lines.zip(2..) {
        let record: Record = serde_json::from_str(line).map_err(unread(number))?;
        misfit = step(&mut kernel, record.into(), events + 1, &mut sent);
        if misfit.is_some() {
            break;
        }
        events += 1;
    }
    let misfit = misfit.or_else(|| elsewhere(&kernel, &head));
    Ok(Played { root: head.root, events, misfit })
}

fn step(kernel: &mut Kernel, event: Event, number: usize, sent: &mut BTreeSet<RequestId>) -> Option<Misfit> {
    let (what, mut effects) = (phrase(&event), Vec::new());
    let outcome = kernel.step(event, &mut effects);
    if outcome != Outcome::Applied {
        return Some(Misfit::NotTaken { event: number, what, outcome: phrase(&outcome) });
    }
    if let Err(corrupt) = kernel.validate() {
        return Some(Misfit::Contradicts { event: number, what: format!("{corrupt:?}") });
    }
    let sends = effects.iter().filter_map(|effect| {
        let Effect::Request { task, turn, effect: RequestEffect::Send { attempt, .. } } = *effect else {
            return None;
        };
        Some(RequestId { task, turn, attempt })
    });
    sends
        .filter(|request| !sent.insert(*request))
        .map(|request| Misfit::SentTwice { event: number, request })
        .next()
}

fn elsewhere(kernel: &Kernel, head: &Head) -> Option<Misfit> {
    let mut outstanding = Vec::new();
    kernel.resync(&mut outstanding);
    let words = |states: &[(TaskId, String)], outstanding: usize| {
        let states: Vec<_> = states.iter().map(|(task, state)| format!("task {} {state}", task.0)).collect();
        let states = if states.is_empty() { "no task".to_owned() } else { states.join(", ") };
        format!("{states} with {outstanding} orders outstanding")
    };
    let states: Vec<_> = kernel.tasks().map(|task| (task.id, phrase(&task.state))).collect();
    let (recorded, now) = (words(&head.states, head.outstanding), words(&states, outstanding.len()));
    (recorded != now).then_some(Misfit::Elsewhere { recorded, now })
}
