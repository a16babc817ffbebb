//! What there is to see at one moment.

use crate::ledger::Totals;
use crate::mirror::{Mirror, Name, words};
use crate::promise::Verdict;
use crate::world::{Flight, State};
use downbeat_kernel::{RequestId, SendReason, Task, TaskId, TaskState};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What a run is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) seed: u64,
    pub(crate) trees: u64,
    /// Trees that live at once.
    pub(crate) live: usize,
    pub(crate) speed: u32,
    pub(crate) folder: PathBuf,
}

/// One task of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The branches before its name.
    pub(crate) branch: String,
    /// Its prompt.
    pub(crate) prompt: String,
    pub(crate) state: TaskState,
    /// What it does.
    pub(crate) words: String,
    /// How long ago it began, in milliseconds.
    pub(crate) age_ms: u64,
}

/// A request in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The place of its task in the script.
    pub(crate) path: String,
    pub(crate) turn: u32,
    pub(crate) attempt: u16,
    pub(crate) reason: &'static str,
    /// How long the provider has it.
    pub(crate) since: Duration,
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) subject: Subject,
    /// How long this life lasts.
    pub(crate) elapsed: Duration,
    pub(crate) trees_live: usize,
    pub(crate) tasks_live: usize,
    /// The first tasks, in the order of their trees.
    pub(crate) rows: Vec<Row>,
    /// How many tasks there are, those that have ended and are not yet forgotten included.
    pub(crate) rows_all: usize,
    /// The oldest requests.
    pub(crate) requests: Vec<Request>,
    pub(crate) requests_all: usize,
    pub(crate) tools: u64,
    pub(crate) questions: usize,
    /// Lines that became durable in this life.
    pub(crate) events: u64,
    pub(crate) commits: u64,
    /// In the last seconds.
    pub(crate) events_per_second: f64,
    pub(crate) totals: Totals,
    pub(crate) verdict: Verdict,
}

/// Tasks and requests that are shown at most: more than a terminal has lines.
const ROWS_MAX: usize = 200;

impl View {
    /// What there is to see now.
    pub(crate) fn of(
        subject: Subject,
        state: &State,
        mirror: &Mirror,
        elapsed: Duration,
        events_per_second: f64,
        clocks: (u64, Duration),
    ) -> Self {
        let (now_ms, now) = clocks;
        let children = mirror.children();
        let mut rows = Vec::new();
        for root in children.get(&None).into_iter().flatten() {
            add_rows(&mut rows, root, &children, &mirror.names, now_ms, &Branch::default());
            if rows.len() >= ROWS_MAX {
                break;
            }
        }
        rows.truncate(ROWS_MAX);
        let mut requests: Vec<_> = state
            .flights
            .iter()
            .map(|(id, flight)| request(*id, *flight, &mirror.names, now, subject.speed))
            .collect();
        requests.sort_by_key(|request| std::cmp::Reverse(request.since));
        requests.truncate(ROWS_MAX);
        Self {
            subject,
            elapsed,
            trees_live: state.ledger.live(),
            tasks_live: mirror.live(),
            rows,
            rows_all: mirror.kernel.tasks().count(),
            requests,
            requests_all: state.flights.len(),
            tools: state.tools,
            questions: state.questions.len(),
            events: mirror.events,
            commits: mirror.commits,
            events_per_second,
            totals: state.ledger.totals,
            verdict: state.ledger.verdict.clone(),
        }
    }
}

/// What stands before a row.
#[derive(Default)]
struct Branch {
    /// Before the row itself.
    own: String,
    /// Before those below it.
    below: String,
}

fn add_rows(
    rows: &mut Vec<Row>,
    task: &Task,
    children: &BTreeMap<Option<TaskId>, Vec<&Task>>,
    names: &BTreeMap<TaskId, Name>,
    now_ms: u64,
    branch: &Branch,
) {
    let name = names.get(&task.id);
    rows.push(Row {
        branch: branch.own.clone(),
        prompt: name.map(|name| name.prompt.clone()).unwrap_or_default(),
        state: task.state,
        words: words(task),
        age_ms: name.map_or(0, |name| now_ms.saturating_sub(name.began_ms)),
    });
    let below = children.get(&Some(task.id)).map_or(&[][..], Vec::as_slice);
    for (number, child) in below.iter().enumerate() {
        let (own, more) = if number + 1 == below.len() { ("└ ", "  ") } else { ("├ ", "│ ") };
        let branch =
            Branch { own: format!("{}{own}", branch.below), below: format!("{}{more}", branch.below) };
        add_rows(rows, child, children, names, now_ms, &branch);
    }
}

fn request(
    id: RequestId,
    flight: Flight,
    names: &BTreeMap<TaskId, Name>,
    now: Duration,
    speed: u32,
) -> Request {
    let prompt = names.get(&id.task).map_or("", |name| &name.prompt);
    Request {
        path: prompt.split_whitespace().next().unwrap_or_default().to_owned(),
        turn: id.turn.0,
        attempt: id.attempt.0,
        reason: match flight.reason {
            SendReason::First => "first",
            SendReason::Retry(_) => "again",
            SendReason::FreshToken => "with a new token",
            SendReason::FullInput => "in full",
            SendReason::Failover => "elsewhere",
            SendReason::Returned => "back",
        },
        since: now.saturating_sub(flight.since) / speed,
    }
}
