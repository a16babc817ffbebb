//! The tasks of one kernel, in the order of their ids.
//!
//! Ids only grow, so a new task goes to the end. A look-up searches the ids alone, which lie close together: among a million
//! tasks it comes by a few blocks of memory and not by twenty. Where ids have no gaps it finds its place at once. A task that
//! leaves makes a hole; holes are closed when they are half of the block, which keeps every operation at logarithmic or
//! amortized constant cost. Two rosters are equal if they hold the same tasks, holes or not.

use crate::task::{Held, Outstanding, TaskData, TaskState};
use crate::vocabulary::TaskId;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One task: where it stands and what outlives that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Where it stands.
    pub state: TaskState,
    /// What outlives the state.
    pub data: TaskData,
}

impl Task {
    /// Whether it has a request that has not ended.
    pub(crate) fn is_asking(&self) -> bool {
        matches!(
            self.state,
            TaskState::Requesting
                | TaskState::Paused(Held::Requesting)
                | TaskState::Cancelling(Outstanding::Request)
        )
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    /// Ascending.
    ids: Vec<TaskId>,
    /// The task of each id. `None` is a hole.
    places: Vec<Option<Task>>,
    live: usize,
}

impl Roster {
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.places.iter().flatten()
    }

    pub(crate) fn get(&self, id: TaskId) -> Option<&Task> {
        self.places[self.place(id).ok()?].as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        let place = self.place(id).ok()?;
        self.places[place].as_mut()
    }

    /// Where the id is, or where it belongs.
    fn place(&self, id: TaskId) -> Result<usize, usize> {
        let Some(first) = self.ids.first() else { return Err(0) };
        let Some(offset) = id.0.checked_sub(first.0) else { return Err(0) };
        // Ids ascend, so none is farther from the first than this; without gaps it is just as far.
        let last =
            usize::try_from(offset).map_or(self.ids.len() - 1, |offset| offset.min(self.ids.len() - 1));
        if self.ids[last] == id { Ok(last) } else { self.ids[..=last].binary_search(&id) }
    }

    /// Adds a task. A task that has this id already is replaced.
    pub(crate) fn insert(&mut self, task: Task) {
        match self.place(task.id) {
            Ok(place) => {
                self.live += usize::from(self.places[place].is_none());
                self.places[place] = Some(task);
            }
            // The end of the block, except for a subtask that a pause held back.
            Err(place) => {
                self.live += 1;
                self.ids.insert(place, task.id);
                self.places.insert(place, Some(task));
            }
        }
    }

    pub(crate) fn remove(&mut self, id: TaskId) {
        let Ok(place) = self.place(id) else { return };
        self.live -= usize::from(self.places[place].is_some());
        self.places[place] = None;
        if self.live * 2 <= self.places.len() {
            self.places.retain(Option::is_some);
            self.ids.clear();
            self.ids.extend(self.places.iter().flatten().map(|task| task.id));
        }
    }
}

impl PartialEq for Roster {
    fn eq(&self, other: &Self) -> bool {
        self.live == other.live && self.iter().eq(other.iter())
    }
}

impl Eq for Roster {}

impl Hash for Roster {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.live.hash(state);
        self.iter().for_each(|task| task.hash(state));
    }
}

impl Serialize for Roster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut tasks = serializer.serialize_seq(Some(self.live))?;
        for task in self.iter() {
            tasks.serialize_element(task)?;
        }
        tasks.end()
    }
}

impl<'de> Deserialize<'de> for Roster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tasks;
        impl<'de> Visitor<'de> for Tasks {
            type Value = Roster;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tasks in the order of their ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut tasks: A) -> Result<Roster, A::Error> {
                let mut roster = Roster::default();
                while let Some(task) = tasks.next_element::<Task>()? {
                    if roster.ids.last().is_some_and(|last| *last >= task.id) {
                        return Err(serde::de::Error::custom("task ids do not ascend"));
                    }
                    roster.insert(task);
                }
                Ok(roster)
            }
        }
        deserializer.deserialize_seq(Tasks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: u64) -> Task {
        Task { id: TaskId(id), state: TaskState::Queued, data: TaskData::new(None, 0) }
    }

    fn ids(roster: &Roster) -> Vec<u64> {
        roster.iter().map(|task| task.id.0).collect()
    }

    #[test]
    fn roster_keeps_the_order_of_ids_and_forgets_its_holes() {
        let mut roster = Roster::default();
        for id in [1, 2, 5, 6, 7, 4] {
            roster.insert(task(id));
        }
        roster.remove(TaskId(5));
        roster.remove(TaskId(3));
        assert_eq!(ids(&roster), [1, 2, 4, 6, 7]);
        assert_eq!((roster.len(), roster.get(TaskId(5)), roster.get(TaskId(3))), (5, None, None));
        for id in 0..9 {
            let found = roster.get(TaskId(id)).map(|task| task.id.0);
            assert_eq!(found, [1, 2, 4, 6, 7].contains(&id).then_some(id));
        }
        let mut same = Roster::default();
        for id in [1, 2, 4, 6, 7] {
            same.insert(task(id));
        }
        assert_eq!(roster, same);
        for id in [1, 2, 4] {
            roster.remove(TaskId(id));
        }
        assert_eq!(ids(&roster), [6, 7]);
        assert!(roster.places.len() < 2 * roster.len(), "holes are closed when they are half");
        roster.insert(task(5));
        assert_eq!(ids(&roster), [5, 6, 7]);
    }
    #[test]
    fn task_under_an_id_that_is_a_hole_fills_it() {
        let mut roster = Roster::default();
        for id in [1, 2, 3] {
            roster.insert(task(id));
        }
        roster.remove(TaskId(2));
        assert_eq!(roster.places.len(), 3, "the hole stays");
        roster.insert(task(2));
        assert_eq!(ids(&roster), [1, 2, 3]);
        assert_eq!(roster.len(), 3);
    }
}
