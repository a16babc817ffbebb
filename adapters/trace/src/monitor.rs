//! Judges a trace event by event, in memory that is bounded by what is live.
//!
//! What can no longer be broken is forgotten: of an ended task only how it ended and whose it was is kept. Every bound has a name, and
//! when one is reached, the promises of which something may go unseen from then on are *incomplete*, and never *kept*.
//!
//! A trace need not begin at the beginning. What answers something that was not seen is no breach, unless the task was seen from its
//! own beginning.

mod agents;
mod calls;
mod credentials;
mod end;
mod found;
mod gap;
mod messages;
mod questions;
mod recent;
pub(crate) mod recursion;
mod requests;
mod step;
mod task;

use hashbrown::HashMap;

use crate::event::{Event, Field, Kind};
use crate::fault::Fault;
use crate::name::Key;
use crate::property::{Decided, Need, PROPERTIES, Property, Vocabulary};
use crate::read::Place;
use agents::Agent;
use credentials::Credential;
use found::Found;
use recent::Recent;
pub use recent::Shown;
use recursion::Calls;
use task::{Ended, Task};

/// When something happened: where the trace says so, and the time that it gives, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Where it stands.
    pub place: Place,
    /// When, if the trace says so.
    pub at_ms: Option<f64>,
}

/// How much a monitor remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live tasks that are followed; others are not. 200,000 by default, at about a kilobyte each.
    pub live_max: usize,
    /// Ended tasks that are remembered, the last ones. 1,000,000 by default, at about five hundred bytes each.
    pub ended_max: usize,
    /// Tasks whose calls are told of: the first that are notable. 1,000 by default.
    pub notable_max: usize,
    /// Agents and credentials that are followed, of each. 100,000 by default.
    pub others_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { live_max: 200_000, ended_max: 1_000_000, notable_max: 1_000, others_max: 100_000 }
    }
}

/// The first breach of a promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// What happened.
    pub fault: Fault,
    /// When.
    pub moment: Moment,
    /// Whose it was: a task, a credential or an agent.
    pub of: String,
    /// What came before it, of whoever has to do with it; the last line is the breach.
    pub context: Vec<Shown>,
    /// Breaches of this promise, with this one.
    pub count: u64,
}

/// What is known of a promise.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It was put to the test so often, and kept.
    Kept(u64),
    /// It was broken.
    Broken(Box<Breach>),
    /// It was never put to the test.
    NotAtStake,
    /// The trace does not say what decides it: all of this is missing.
    Undecided(Vec<Need>),
    /// The trace may go on, and only its end decides it.
    Unfinished,
    /// No trace decides it, because of this.
    Undecidable(&'static str),
    /// It was kept in what was followed, and a bound kept the rest from being followed.
    Incomplete,
}

/// A task whose calls are worth telling of.
#[derive(Clone, Debug)]
pub struct Notable {
    /// Its name.
    pub task: String,
    /// What became of them.
    pub calls: Calls,
}

/// Something that has not ended when the trace does.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// Of which task.
    pub task: String,
    /// What it is.
    pub waits: Waits,
    /// The last that was heard of the task.
    pub last: Moment,
}

/// What a live task waits for at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The model: so many requests are in flight.
    Model(usize),
    /// A person: this question is open.
    Person(String),
    /// A person, who paused it.
    Paused,
    /// The result of this call.
    Call(String),
    /// This subtask, which is live.
    Subtask(String),
    /// Nothing that the trace shows: this subtask has ended, and nobody has its result.
    Result(String),
    /// Nothing that the trace shows: this message has not reached the model.
    Message(String),
    /// Nothing that the trace shows.
    Nothing,
}

/// Lines of context, with the breach itself.
const CONTEXT_MAX: usize = 24;
/// Ancestors that are asked whether they are cancelled: a system with deeper trees has lost its way, or names them in a circle.
const DEPTH_MAX: usize = 64;

/// Judges a trace.
#[derive(Debug)]
pub struct Monitor {
    limits: Limits,
    tasks: HashMap<Key, Task, foldhash::fast::FixedState>,
    ended: Ended,
    credentials: HashMap<Key, Credential, foldhash::fast::FixedState>,
    agents: HashMap<Key, Agent, foldhash::fast::FixedState>,
    said: Vocabulary,
    stakes: [u64; PROPERTIES],
    broken: [Option<Box<Breach>>; PROPERTIES],
    /// A bit for each promise of which something was forgotten.
    lost: u32,
    /// Some tasks that have ended are forgotten.
    has_forgotten: bool,
    /// How often events were missing.
    gaps: u64,
    recent: Recent,
    notable: Vec<Notable>,
    notable_more: u64,
    events: u64,
    task_count: u64,
    first_ms: Option<f64>,
    last_ms: Option<f64>,
    /// Events whose time is before that of one above them.
    backwards: u64,
    /// A bit for each promise whose breach was announced.
    announced: u32,
    may_announce: bool,
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Monitor {
    /// One that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            tasks: HashMap::default(),
            ended: Ended::default(),
            credentials: HashMap::default(),
            agents: HashMap::default(),
            said: Vocabulary::default(),
            stakes: [0; PROPERTIES],
            broken: [const { None }; PROPERTIES],
            lost: 0,
            has_forgotten: false,
            gaps: 0,
            recent: Recent::default(),
            notable: Vec::new(),
            notable_more: 0,
            events: 0,
            task_count: 0,
            first_ms: None,
            last_ms: None,
            backwards: 0,
            announced: 0,
            may_announce: false,
        }
    }

    /// Takes the next event, which stands there and has this line ([`Event::line`]).
    pub fn take(&mut self, place: Place, event: &Event<'_>, line: &[u8]) {
        let moment = Moment { place, at_ms: event.at_ms };
        self.events += 1;
        if let Some(at_ms) = event.at_ms {
            self.first_ms.get_or_insert(at_ms);
            if self.last_ms.is_some_and(|last| at_ms < last) {
                self.backwards += 1;
            }
            self.last_ms = Some(self.last_ms.map_or(at_ms, |last| last.max(at_ms)));
        }
        self.may_announce |= self.said.take(event);
        self.recent.push(place, line);
        let mut found = Found::nothing();
        self.step(moment, event, &mut found);
        self.lost |= found.lost;
        let mut staked = found.staked;
        while staked != 0 {
            self.stakes[staked.trailing_zeros() as usize] += 1;
            staked &= staked - 1;
        }
        for fault in found.faults {
            self.breach(fault, moment, event);
        }
    }

    /// Events that were taken.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Tasks that were seen, live or ended.
    pub fn tasks(&self) -> u64 {
        self.task_count
    }

    /// Events of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.said.count(kind)
    }

    /// The first time that was given, and the last, in milliseconds.
    pub fn span_ms(&self) -> Option<(f64, f64)> {
        self.first_ms.zip(self.last_ms)
    }

    /// Events whose time is before that of one above them: then the lines are not in the order in which things happened, or clocks differ.
    pub fn backwards(&self) -> u64 {
        self.backwards
    }

    /// How often a promise was broken, as far as that is certain by now.
    pub fn breaches(&self, property: Property) -> u64 {
        match (&self.broken[property as usize], property.decided()) {
            (Some(breach), Decided::By(needs) | Decided::AtTheEndBy(needs)) if self.said.has_all(needs) => {
                breach.count
            }
            (Some(_) | None, Decided::By(_) | Decided::AtTheEndBy(_) | Decided::Never(_)) => 0,
        }
    }

    /// Breaches that are certain now and were not when this was asked before.
    pub fn news(&mut self) -> Vec<&Breach> {
        if !std::mem::take(&mut self.may_announce) {
            return Vec::new();
        }
        let mut news = Vec::new();
        for property in Property::ALL {
            let bit = 1 << *property as u32;
            if self.announced & bit == 0
                && let (Some(breach), Decided::By(needs)) =
                    (&self.broken[*property as usize], property.decided())
                && self.said.has_all(needs)
            {
                self.announced |= bit;
                news.push(&**breach);
            }
        }
        news
    }

    /// What is known of every promise; `is_whole` if nothing comes after what was taken.
    pub fn verdicts(&self, is_whole: bool) -> Vec<(Property, Verdict)> {
        Property::ALL.iter().map(|property| (*property, self.verdict(*property, is_whole))).collect()
    }

    fn verdict(&self, property: Property, is_whole: bool) -> Verdict {
        let (needs, is_for_the_end) = match property.decided() {
            Decided::By(needs) => (needs, false),
            Decided::AtTheEndBy(needs) => (needs, true),
            Decided::Never(why) => return Verdict::Undecidable(why),
        };
        let missing = self.said.missing(needs);
        if !missing.is_empty() {
            return Verdict::Undecided(missing);
        }
        if is_for_the_end && !is_whole {
            return Verdict::Unfinished;
        }
        let mut breach = self.broken[property as usize].clone();
        if is_whole && breach.is_none() && self.gaps == 0 {
            let mut unended = self.unended().into_iter();
            breach = unended.find(|breach| breach.fault.property() == property).map(Box::new);
        }
        if let Some(breach) = breach {
            return Verdict::Broken(breach);
        }
        if self.lost & (1 << property as u32) != 0
            || matches!(property, Property::L1 | Property::L2) && self.open_is_unsure()
        {
            return Verdict::Incomplete;
        }
        match self.stakes[property as usize] {
            0 => Verdict::NotAtStake,
            count => Verdict::Kept(count),
        }
    }
}

impl Monitor {
    /// Tasks whose calls are worth telling of, ended or live, and how many more there were.
    pub fn notable(&self) -> (Vec<Notable>, u64) {
        let mut live: Vec<_> = self.tasks.iter().filter(|(_, task)| task.recursion.is_notable()).collect();
        live.sort_by_key(|(_, task)| task.recursion.first().map(|first| first.place));
        let live = live
            .into_iter()
            .map(|(name, task)| Notable { task: name.to_string(), calls: task.recursion.clone() });
        (self.notable.iter().cloned().chain(live).collect(), self.notable_more)
    }

    /// Keeps what became of the calls of a task that is forgotten, if that is worth telling of.
    fn keep_calls(&mut self, task: &Key, calls: Calls) {
        if !calls.is_notable() {
            return;
        }
        if self.notable.len() < self.limits.notable_max {
            self.notable.push(Notable { task: task.to_string(), calls });
        } else {
            self.notable_more += 1;
        }
    }

    fn breach(&mut self, fault: Fault, moment: Moment, event: &Event<'_>) {
        if let Some(breach) = &mut self.broken[fault.property() as usize] {
            breach.count += 1;
            return;
        }
        let context = self.recent.last(CONTEXT_MAX, related(event, &self.relatives(event)));
        let breach = Breach { fault, moment, of: whose(event), context, count: 1 };
        self.broken[fault.property() as usize] = Some(Box::new(breach));
        self.may_announce = true;
    }

    /// The tasks that have to do with the one of an event: its parent, and its subtasks.
    fn relatives(&self, event: &Event<'_>) -> Vec<Key> {
        let Some(name) = event.get(Field::Task) else { return Vec::new() };
        let parent = self.ended.get(name).and_then(|gone| gone.parent.clone());
        let live = self.tasks.get(name);
        let kin = live.into_iter().flat_map(|task| {
            let owed = task.owed.iter().map(|subtask| &subtask.name);
            task.parent.iter().chain(task.live.values()).chain(owed).chain(&task.given).cloned()
        });
        let child = event.get(Field::Child).map(Key::from);
        kin.chain(parent).chain(child).collect()
    }
}

/// Whether an event is about the same as another one, or about somebody who has to do with it.
fn related<'e>(breach: &'e Event<'_>, relatives: &'e [Key]) -> impl FnMut(&Event<'_>) -> bool + 'e {
    const WHOSE: [Field; 4] = [Field::Task, Field::Credential, Field::Agent, Field::Child];
    move |event| {
        let is_same = |field: &Field| breach.get(*field).is_some() && breach.get(*field) == event.get(*field);
        event.kind == Kind::Restart
            || WHOSE.iter().any(is_same)
            || event.get(Field::Task).is_some_and(|task| relatives.iter().any(|relative| relative == task))
    }
}

/// Whose an event is.
fn whose(event: &Event<'_>) -> String {
    let fields = [Field::Task, Field::Credential, Field::Agent];
    fields.iter().find_map(|field| event.get(*field)).map_or_else(String::new, ToString::to_string)
}
