//! The kernel's own validation, once for each task alone, and once for each way in which three tasks are tied.

use downbeat_kernel::{Task, Ties};
use downbeat_sim::parts::{Memo, Notes, Part, Parts, Shelf};

use super::index;
use super::state::{Place, State, Tables};
use crate::watch::TASKS;

/// What validation makes of one place.
struct Judged {
    /// Whether the task alone is valid.
    is_valid: bool,
    /// The highest id that the kernel must have used, as in a roster.
    highest: u8,
    ties: Part<Option<Ties>>,
}

/// What is known of validation.
pub(super) struct Validity {
    judged: Notes<Judged>,
    ties: Parts<Option<Ties>>,
    /// The numbers of the ties of the first two tasks.
    pairs: Memo<u32>,
    pair_numbers: Shelf<()>,
    /// By those, and the ties of the third task.
    are_valid: Memo<bool>,
}

impl Validity {
    pub(super) fn new() -> Self {
        Self {
            judged: Notes::new(),
            ties: Parts::new(),
            pairs: Memo::new(),
            pair_numbers: Shelf::new(),
            are_valid: Memo::new(),
        }
    }

    /// Whether [`Kernel::validate`](downbeat_kernel::Kernel::validate) accepts the kernel of a state.
    pub(super) fn is_valid(&self, tables: &Tables, state: &State) -> bool {
        let judged = state.places.map(|place| self.judge(tables, place));
        let fits = |judged: &&Judged| judged.is_valid && judged.highest <= state.roster.highest;
        if !judged.iter().all(fits) || u32::from(state.roster.tasks) > tables.config.tasks_max {
            return false;
        }
        let [first, second, third] = judged.map(|judged| judged.ties);
        let pair = self.pairs.get_or(first.key(), second.key(), || self.pair_numbers.push(()));
        self.are_valid.get_or(pair, third.key(), || self.work_out([first, second, third]))
    }

    /// How many ways in which tasks are tied were validated.
    pub(super) fn worked_out(&self) -> u64 {
        self.are_valid.counts().misses
    }

    fn judge(&self, tables: &Tables, place: Part<Place>) -> &Judged {
        self.judged.get_or(place.key(), || {
            let task = tables.places[place].task.as_ref();
            Judged {
                is_valid: task.is_none_or(|task| task.validate(&tables.config).is_ok()),
                highest: task.map_or(0, |task| index(task.id) + 1),
                ties: self.ties.intern(task.map(Task::ties)),
            }
        })
    }

    fn work_out(&self, ties: [Part<Option<Ties>>; TASKS]) -> bool {
        let find = |task| self.ties[*ties.get(usize::from(index(task)))?].as_ref();
        ties.iter().all(|ties| self.ties[*ties].as_ref().is_none_or(|ties| ties.validate(find).is_ok()))
    }
}
