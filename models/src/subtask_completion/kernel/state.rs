//! A state as parts, and the whole world that they stand for.
//!
//! What belongs to one task is one part, a [`Place`]: the kernel's task and its orders outside. Some thousand places make
//! up all states of a scenario. What the outside has seen is another part. The rest fits into a few bytes.

use std::hash::{Hash, Hasher};

use downbeat_kernel::{
    Attempt, Config, Kernel, Outcome, Profiles, Request, RequestEnd, RequestEvent, RequestState, Task, TaskId,
};
use downbeat_sim::parts::{Part, Parts, Word};

use super::left::Left;
use super::outside::{Orders, Outside};
use super::sights::{Seen, Sight};
use super::world::World;
use super::{id, index};
use crate::watch::{TASKS, TaskIndex};

/// One task: where it stands, and what it has outstanding.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Which task: parts of different tasks are different.
    pub(super) index: TaskIndex,
    /// What the kernel holds of it.
    pub(super) task: Option<Task>,
    pub(super) orders: Orders,
    /// How many messages were accepted for it.
    written: u8,
}

/// The parts of one state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub(super) places: [Part<Place>; TASKS],
    pub(super) seen: Part<Seen>,
    pub(super) left: Left,
    pub(super) roster: Roster,
    /// An event that was not applied has changed something all the same (S25).
    pub(super) changed_unapplied: bool,
    /// An order was given twice, or was left when its task ended.
    pub(super) disorder: bool,
    /// One bit for each task that a person paused and did not resume, as long as it is not bound to end.
    pub(super) held: u8,
}

impl Hash for State {
    /// All that is not a part in one word: hashing is what most steps cost.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { places, seen, left, roster, changed_unapplied, disorder, held } = self;
        for place in places {
            place.hash(hasher);
        }
        seen.hash(hasher);
        let flags = u64::from(*changed_unapplied) | u64::from(*disorder) << 1 | u64::from(*held) << 2;
        // The budgets take 55 bits, a roster 4, three tasks and two flags 5.
        hasher.write_u64(left.bits() | u64::from(roster.key()) << 55 | flags << 59);
    }
}

/// Between a state and bytes that stand for it as long as the tables are there.
impl State {
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let Self { places, seen, left, roster, changed_unapplied, disorder, held } = *self;
        for (number, hash) in places.map(Word::to_words).into_iter().chain([seen.to_words()]) {
            bytes.extend(number.to_le_bytes().into_iter().chain(hash.to_le_bytes()));
        }
        bytes.extend(left.bits().to_le_bytes());
        bytes.extend([roster.highest, roster.tasks, changed_unapplied.into(), disorder.into(), held]);
    }

    /// The state that was written; `None` if the bytes are of another length.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        const WORDS: usize = 2 * (TASKS + 1) + 1;
        let (words, rest) = bytes.as_chunks::<8>();
        let words: [u64; WORDS] = <[[u8; 8]; WORDS]>::try_from(words).ok()?.map(u64::from_le_bytes);
        let &[highest, tasks, changed_unapplied, disorder, held] = rest else { return None };
        Some(Self {
            places: std::array::from_fn(|task| Part::from_words(words[2 * task], words[2 * task + 1])),
            seen: Part::from_words(words[2 * TASKS], words[2 * TASKS + 1]),
            left: Left::of_bits(words[2 * TASKS + 2]),
            roster: Roster { highest, tasks },
            changed_unapplied: changed_unapplied == 1,
            disorder: disorder == 1,
            held,
        })
    }
}

/// What a step reads of the kernel beside the tasks that it comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Roster {
    /// The highest task id that was used, 0 for none.
    pub(super) highest: u8,
    /// How many tasks there are.
    pub(super) tasks: u8,
}

impl Roster {
    pub(super) fn of(kernel: &Kernel) -> Self {
        Self {
            highest: kernel.highest().map_or(0, |highest| index(highest) + 1),
            tasks: kernel.tasks().fold(0, |tasks, _| tasks + 1),
        }
    }

    /// The roster as a number below 16.
    pub(super) fn key(self) -> u32 {
        u32::from(self.highest) * 4 + u32::from(self.tasks)
    }

    fn highest(self) -> Option<TaskId> {
        self.highest.checked_sub(1).map(id)
    }
}

/// One task for all that have the same future here. How often an answered request was sent, and why, shows in bills alone, and
/// in how a late answer is refused: nobody sends a bill here, and what is refused changes nothing.
pub(super) fn representative(task: &Task, answered: &Request) -> Task {
    let mut task = task.clone();
    if let RequestState::Ended(RequestEnd::Accepted { .. }) = task.data.request.state {
        task.data.request = *answered;
    }
    task
}

/// A request that was sent once, and answered.
pub(super) fn answered(config: &Config) -> Request {
    let mut request = Request::default();
    let profiles = Profiles { count: config.profiles, down: 0, keyed: config.profiles_keyed };
    let attempt = Attempt(0);
    for event in [RequestEvent::Began { profiles, previous: None }, RequestEvent::ResponseEnded { attempt }] {
        assert_eq!(request.step(event, config, &mut |_| {}), Outcome::Applied, "a key needs no credential");
    }
    request
}

/// The tables of the parts of one model.
pub(super) struct Tables {
    pub(super) config: Config,
    /// A request that was sent once, and answered.
    answered: Request,
    pub(super) places: Parts<Place>,
    pub(super) seen: Parts<Seen>,
    pub(super) sights: Parts<Box<[Sight]>>,
}

impl Tables {
    pub(super) fn new(config: Config) -> Self {
        let answered = answered(&config);
        Self { config, answered, places: Parts::new(), seen: Parts::new(), sights: Parts::new() }
    }

    /// The world that the parts stand for.
    pub(super) fn unfold(&self, state: &State) -> World {
        self.unfold_some(&state.places, state.roster)
    }

    /// The world of some tasks alone.
    pub(super) fn unfold_some(&self, places: &[Part<Place>], roster: Roster) -> World {
        let mut outside = Outside::default();
        let mut tasks = Vec::new();
        for place in places.iter().map(|part| &self.places[*part]) {
            *outside.of_mut(place.index) = place.orders;
            outside.written[usize::from(place.index)] = place.written;
            tasks.extend(place.task.clone());
        }
        World::new(Kernel::from_tasks(self.config, roster.highest(), tasks), outside)
    }

    /// The part of one task.
    pub(super) fn place(&self, world: &World, index: TaskIndex) -> Part<Place> {
        self.places.intern(Place {
            index,
            task: world.kernel.task(id(index)).map(|task| representative(task, &self.answered)),
            orders: *world.outside.of(index),
            written: world.outside.written[usize::from(index)],
        })
    }

    /// The parts of all tasks.
    pub(super) fn fold(&self, world: &World) -> [Part<Place>; TASKS] {
        [0, 1, 2].map(|index| self.place(world, index))
    }
}
