//! What is kept of tasks: live ones whole, ended ones in a few words.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use super::Moment;
use super::calls::Calls;
use super::messages::Messages;
use super::questions::Questions;
use super::recursion;
use super::requests::Requests;
use crate::event::End;
use crate::name::{Key, Name};

/// What a subtask's result is to its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its parent does not have it.
    #[default]
    Owed,
    /// The parent has it, as part of a turn that was not answered yet: that turn may carry it again.
    Given {
        /// Which turn, if the trace says so.
        turn: Option<u64>,
    },
    /// The request that carried it came to nothing, or a crash came: it may be delivered once more, and need not.
    Again,
    /// The parent's model has it.
    Taken,
}

/// Subtasks of a task that have ended, and whose result it does not have, or has and was not answered. Of more, nothing is known.
pub(super) const OUTCOMES_MAX: usize = 4_096;

/// A subtask that has ended, to its parent.
#[derive(Clone, Debug)]
pub(super) struct Subtask {
    pub(super) name: Key,
    /// The parent has sent a request while it was live, and so does not wait for it.
    pub(super) is_beside: bool,
}

/// Which agent has a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Holder {
    /// None that the trace names.
    #[default]
    Unknown,
    /// This one.
    Agent(Key),
    /// None any more: it was released.
    Released,
}

impl Holder {
    pub(super) fn agent(&self) -> Option<&Key> {
        match self {
            Self::Agent(agent) => Some(agent),
            Self::Unknown | Self::Released => None,
        }
    }
}

/// A task that has not ended, as far as the trace says.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) parent: Option<Key>,
    /// Which of its parent's subtasks it is, from 0.
    pub(super) number: u64,
    /// Whether it was seen to begin: then what it was given before is known.
    pub(super) is_born: bool,
    pub(super) requests: Requests,
    pub(super) calls: Calls,
    pub(super) messages: Messages,
    pub(super) questions: Questions,
    pub(super) recursion: recursion::Calls,
    /// Subtasks that it had.
    pub(super) subtasks: u64,
    /// Of them, those that began before it has sent while one was live: it does not wait for those.
    pub(super) beside: u64,
    /// Subtasks that are live, by their numbers.
    pub(super) live: BTreeMap<u64, Key>,
    /// Subtasks that have ended, and whose result was not delivered.
    pub(super) owed: Vec<Subtask>,
    /// Subtasks whose result was delivered, and was not answered.
    pub(super) given: Vec<Key>,
    /// Subtasks whose result was answered, and nothing was sent since.
    pub(super) taken: Vec<Key>,
    pub(super) outcome: Outcome,
    pub(super) is_cancelled: bool,
    pub(super) is_paused: bool,
    pub(super) notified: Option<End>,
    /// Who has it, and under which assignment.
    pub(super) holder: Holder,
    pub(super) epoch: Option<u64>,
    /// The last that was heard of it.
    pub(super) last: Moment,
}

impl Task {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            parent: None,
            number: 0,
            is_born: false,
            requests: Requests::default(),
            calls: Calls::default(),
            messages: Messages::default(),
            questions: Questions::default(),
            recursion: recursion::Calls::default(),
            subtasks: 0,
            beside: 0,
            live: BTreeMap::new(),
            owed: Vec::new(),
            given: Vec::new(),
            taken: Vec::new(),
            outcome: Outcome::default(),
            is_cancelled: false,
            is_paused: false,
            notified: None,
            holder: Holder::default(),
            epoch: None,
            last: now,
        }
    }
}

/// A task that has ended.
#[derive(Clone, Debug)]
pub(super) struct Gone {
    pub(super) end: End,
    pub(super) parent: Option<Key>,
    /// Whether it was seen to begin.
    pub(super) is_born: bool,
    pub(super) outcome: Outcome,
    pub(super) notified: Option<End>,
    /// Messages that came neither to the model nor back by then, and later ones.
    pub(super) messages: Messages,
}

/// The tasks that ended last.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    tasks: HashMap<Key, Gone, foldhash::fast::FixedState>,
    order: VecDeque<Key>,
}

impl Ended {
    pub(super) fn get(&self, task: &Name<'_>) -> Option<&Gone> {
        self.tasks.get(task)
    }

    pub(super) fn get_mut(&mut self, task: &Name<'_>) -> Option<&mut Gone> {
        self.tasks.get_mut(task)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Takes one up; the one that ended first is forgotten if there are more than so many.
    pub(super) fn push(&mut self, task: Key, gone: Gone, most: usize) -> Option<Gone> {
        if self.tasks.insert(task.clone(), gone).is_none() {
            self.order.push_back(task);
        }
        if self.order.len() <= most {
            return None;
        }
        self.order.pop_front().and_then(|first| self.tasks.remove(&first))
    }

    /// Events are missing: whether a message came anywhere is not known any more.
    pub(super) fn gap(&mut self) {
        for gone in self.tasks.values_mut() {
            gone.messages = Messages::default();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Gone)> {
        self.order.iter().filter_map(|task| Some((task, self.tasks.get(task)?)))
    }
}
