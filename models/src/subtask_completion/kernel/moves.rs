//! The steps of a state, each worked out once for the parts that it comes by.
//!
//! What may be done to a task depends on its place alone (and the [`Roster`](super::state::Roster)), and so does what
//! comes of it, unless the kernel comes by other tasks: a parent is settled, subtasks are cancelled. Then it depends on
//! their places too, in the order in which the kernel comes by them. What is known of a step is therefore a path of
//! [`Note`]s: one for each task until the last, which has the outcome.

use std::sync::OnceLock;

use downbeat_kernel::{EDGES, Visit};
use downbeat_sim::parts::{Memo, Notes, Part, Shelf};

use super::act::{Act, Action, Noted};
use super::aftermath::{Aftermath, aftermath};
use super::left::{Budget, Left};
use super::outside::of;
use super::sights::{Seen, Sight};
use super::state::{Place, Roster, State, Tables};
use super::validity::Validity;
use super::world::World;
use super::{Scenario, environment, index};
use crate::watch::{TASKS, TaskIndex};

/// One act that the place of a task admits.
pub(super) struct Move {
    pub(super) act: Act,
    cost: Left,
    /// Whether the kernel is known to ignore it without a trace.
    is_traceless: bool,
    /// The first note of what comes of it.
    first: OnceLock<u32>,
}

/// What can be done to one task.
pub(super) struct Moves {
    /// What the environment may do while it has enough left.
    acts: Box<[Move]>,
    /// What may come late.
    late: Box<[Move]>,
}

/// What is known of a step.
enum Note {
    /// It comes by this task too.
    ComesBy(TaskIndex),
    Outcome(Outcome),
}

/// What comes of an act: what every step of it needs, in one line of a cache.
#[derive(Clone, Copy)]
struct Outcome {
    /// The places of the tasks that the step came by; those of the others mean nothing.
    places: [Part<Place>; TASKS],
    /// One bit for each task that it came by.
    came_by: u8,
    roster: Roster,
    /// Whether the kernel applied the event.
    is_applied: bool,
    changed_unapplied: bool,
    disorder: bool,
    paused: u8,
    freed: u8,
    effects: u8,
    sights: Part<Box<[Sight]>>,
}

/// What else is known of an outcome.
struct Details {
    /// The edges of the lifecycle that were taken, as indices of [`edges`].
    edges: Box<[u16]>,
    /// The same step when a crash cuts its effects short, for each number of them that is released.
    cuts: OnceLock<Box<[Cut]>>,
}

/// What stands when the process crashes.
struct Cut {
    places: [Part<Place>; TASKS],
    sights: Part<Box<[Sight]>>,
    disorder: bool,
}

/// What a restart makes of one task.
struct Restarted {
    place: Part<Place>,
    sights: Part<Box<[Sight]>>,
    disorder: bool,
}

/// What has been worked out for a model.
pub(super) struct Memory {
    pub(super) tables: Tables,
    /// The number of the moves of a place beside a roster.
    moves_of: Memo<u32>,
    moves: Shelf<Moves>,
    notes: Shelf<Note>,
    /// By the number of the note that has the outcome.
    details: Notes<Details>,
    /// The note that follows on one that comes by a task, for the place of that task.
    next_note: Memo<u32>,
    seen_after: Memo<Part<Seen>>,
    /// Two lists of sights as one.
    joined: Memo<Part<Box<[Sight]>>>,
    restarted: Notes<Restarted>,
    validity: Validity,
    nothing: Part<Box<[Sight]>>,
    crash: Part<Box<[Sight]>>,
}

impl Memory {
    pub(super) fn new(tables: Tables) -> Self {
        let nothing = tables.sights.intern(Box::new([]));
        let crash = tables.sights.intern(Box::new([Sight::Crashed]));
        Self {
            tables,
            moves_of: Memo::new(),
            moves: Shelf::new(),
            notes: Shelf::new(),
            details: Notes::new(),
            next_note: Memo::new(),
            seen_after: Memo::new(),
            joined: Memo::new(),
            restarted: Notes::new(),
            validity: Validity::new(),
            nothing,
            crash,
        }
    }

    /// How much has been worked out, by name.
    pub(super) fn sizes(&self) -> [(&'static str, u64); 8] {
        let Tables { places, seen, sights, .. } = &self.tables;
        let count = |len: usize| len as u64;
        [
            ("places", count(places.len())),
            ("histories", count(seen.len())),
            ("lists of sights", count(sights.len())),
            ("lists of moves", count(self.moves.len())),
            ("notes", count(self.notes.len())),
            ("notes beside other places", self.next_note.counts().misses),
            ("histories worked out", self.seen_after.counts().misses),
            ("ties of tasks validated", self.validity.worked_out()),
        ]
    }

    /// Takes every step from a state, in the order of the tasks: first what the environment may do, then what may come
    /// late, then crashes.
    pub(super) fn steps(&self, scenario: &Scenario, state: &State, mut take: impl FnMut(&Action, State)) {
        let moves: [Option<&Moves>; TASKS] = std::array::from_fn(|task| {
            (task < usize::from(scenario.tasks)).then(|| self.moves(scenario, state, task))
        });
        each_move(&moves, state.left, |step| {
            let (noted, outcome) = self.outcome(state, step);
            take(&Action { act: step.act, cut: None, noted }, self.after(state, step.cost, outcome));
        });
        if !state.left.covers(CRASH) {
            return;
        }
        take(&Action { act: Act::Crash, cut: None, noted: Noted(u32::MAX) }, self.crashed(*state));
        each_move(&moves, state.left, |step| {
            let (noted, outcome) = self.outcome(state, step);
            for cut in 0..outcome.effects {
                let after = self.after_cut(state, step, (noted, outcome), cut);
                take(&Action { act: step.act, cut: Some(cut), noted }, after);
            }
        });
    }

    /// The state after one action; `None` if it cannot be taken there.
    pub(super) fn next(&self, scenario: &Scenario, state: &State, action: &Action) -> Option<State> {
        let Some(task) = action.act.task() else {
            return state.left.covers(CRASH).then(|| self.crashed(*state));
        };
        let Moves { acts, late } = self.moves(scenario, state, usize::from(task));
        let step = acts.iter().chain(late).find(|step| step.act == action.act)?;
        let (noted, outcome) = self.outcome(state, step);
        Some(match action.cut {
            None => self.after(state, step.cost, outcome),
            Some(cut) => self.after_cut(state, step, (noted, outcome), cut),
        })
    }

    /// Whether the kernel's own validation accepts its state.
    pub(super) fn is_valid(&self, state: &State) -> bool {
        self.validity.is_valid(&self.tables, state)
    }

    /// The edges of the lifecycle that an action took, if it was one of a step of this model.
    pub(super) fn edges(&self, action: &Action) -> &[u16] {
        // A crash at rest has no note, and takes no edge.
        self.details.get(action.noted.0).map_or(&[], |details| &details.edges)
    }

    /// What the outside has seen after some more.
    pub(super) fn see(&self, seen: Part<Seen>, sights: Part<Box<[Sight]>>) -> Part<Seen> {
        if sights == self.nothing {
            return seen;
        }
        let Tables { seen: all, sights: lists, .. } = &self.tables;
        self.seen_after.get_or(seen.key(), sights.key(), || all.intern(all[seen].after(&lists[sights])))
    }

    fn moves(&self, scenario: &Scenario, state: &State, task: usize) -> &Moves {
        let number = self.moves_of.get_or(state.places[task].key(), state.roster.key(), || {
            self.moves.push(self.work_out_moves(scenario, state, task))
        });
        self.moves.get(number).expect("the moves were put there under this number")
    }

    fn work_out_moves(&self, scenario: &Scenario, state: &State, task: usize) -> Moves {
        let world = self.tables.unfold_some(&state.places[task..=task], state.roster);
        let index = TaskIndex::try_from(task).expect("the scenarios have three tasks");
        let of = |act: Act, cost, is_traceless| Move { act, cost, is_traceless, first: OnceLock::new() };
        let acts = environment::acts(scenario, &world, index).into_iter();
        let late = if scenario.late { environment::late_acts(scenario, &world, index) } else { Vec::new() };
        Moves {
            acts: acts.map(|act| of(act, act.cost(), false)).collect(),
            late: late.into_iter().map(|(act, traceless)| of(act, Left::NOTHING, traceless)).collect(),
        }
    }

    fn outcome(&self, state: &State, step: &Move) -> (Noted, &Outcome) {
        let mut note = *step.first.get_or_init(|| self.work_out(state, step.act, 1));
        let mut known = 1;
        loop {
            match self.notes.get(note).expect("the note was put there under this number") {
                Note::Outcome(outcome) => return (Noted(note), outcome),
                Note::ComesBy(task) => {
                    known += 1;
                    let place = state.places[usize::from(*task)];
                    note = self.next_note.get_or(note, place.key(), || self.work_out(state, step.act, known));
                }
            }
        }
    }

    /// The note for a step of which the places of the first `known` tasks are known, and all notes that follow on it
    /// beside the places of this state.
    fn work_out(&self, state: &State, act: Act, known: usize) -> u32 {
        let world = self.tables.unfold(state);
        let Some(aftermath) = aftermath(&world, act, None) else {
            unreachable!("{act:?} is offered where its request is in flight");
        };
        let tasks = come_by(act, &aftermath);
        let mut note = self.note_outcome(state, &tasks, aftermath);
        for next in tasks[known..].iter().rev() {
            let before = self.notes.push(Note::ComesBy(*next));
            self.next_note.get_or(before, state.places[usize::from(*next)].key(), || note);
            note = before;
        }
        note
    }

    fn note_outcome(&self, state: &State, tasks: &[TaskIndex], aftermath: Aftermath) -> u32 {
        let Aftermath { after, effects, visits } = aftermath;
        let came_by = tasks.iter().fold(0, |bits, task| bits | 1 << task);
        let note = self.notes.push(Note::Outcome(Outcome {
            places: self.places(state, came_by, &after),
            came_by,
            roster: Roster::of(&after.kernel),
            is_applied: effects.is_some(),
            changed_unapplied: after.changed_unapplied,
            disorder: after.disorder,
            paused: after.paused,
            // Of the other tasks the outcome says nothing: it is that of steps beside any others.
            freed: after.freed & came_by,
            effects: effects.map_or(0, |effects| u8::try_from(effects.len()).unwrap_or(u8::MAX)),
            sights: self.tables.sights.intern(after.sights.into()),
        }));
        self.details.get_or(note, || Details { edges: taken_edges(&visits), cuts: OnceLock::new() });
        note
    }

    fn places(&self, state: &State, came_by: u8, after: &World) -> [Part<Place>; TASKS] {
        let mut places = state.places;
        for task in (0..).take(TASKS).filter(|task| came_by & (1 << task) != 0) {
            places[usize::from(task)] = self.tables.place(after, task);
        }
        places
    }

    fn after(&self, state: &State, cost: Left, outcome: &Outcome) -> State {
        let mut after = *state;
        replace(&mut after.places, &outcome.places, outcome.came_by);
        after.roster = outcome.roster;
        after.changed_unapplied |= outcome.changed_unapplied;
        after.disorder |= outcome.disorder;
        if outcome.is_applied {
            after.left = state.left.without(cost);
            after.held = (state.held | outcome.paused) & !outcome.freed;
            after.seen = self.see(state.seen, outcome.sights);
        }
        after
    }

    fn after_cut(
        &self,
        state: &State,
        step: &Move,
        (Noted(note), outcome): (Noted, &Outcome),
        cut: u8,
    ) -> State {
        let details = self.details.get(note).expect("what is noted has its details");
        let cuts = details.cuts.get_or_init(|| self.work_out_cuts(state, step.act, outcome));
        let Cut { places, sights, disorder } = &cuts[usize::from(cut)];
        let mut after = *state;
        replace(&mut after.places, places, outcome.came_by);
        after.roster = outcome.roster;
        after.disorder |= *disorder;
        after.left = state.left.without(step.cost);
        after.held = (state.held | outcome.paused) & !outcome.freed;
        after.seen = self.see(state.seen, *sights);
        self.crashed(after)
    }

    fn work_out_cuts(&self, state: &State, act: Act, outcome: &Outcome) -> Box<[Cut]> {
        let world = self.tables.unfold(state);
        let cut = |released: u8| {
            let aftermath = aftermath(&world, act, Some(released.into()))?;
            let places = self.places(state, outcome.came_by, &aftermath.after);
            let World { sights, disorder, .. } = aftermath.after;
            Some(Cut { places, sights: self.tables.sights.intern(sights.into()), disorder })
        };
        (0..outcome.effects).filter_map(cut).collect()
    }

    /// The state after a crash.
    fn crashed(&self, mut state: State) -> State {
        state.left = state.left.without(CRASH);
        let mut sights = self.crash;
        for place in &mut state.places {
            let restarted = self.restarted.get_or(place.key(), || self.work_out_restart(*place));
            *place = restarted.place;
            sights = self.join(sights, restarted.sights);
            state.disorder |= restarted.disorder;
        }
        // At once: what the outside had seen when only one task had restarted is nobody's state.
        state.seen = self.see(state.seen, sights);
        state
    }

    fn join(&self, first: Part<Box<[Sight]>>, then: Part<Box<[Sight]>>) -> Part<Box<[Sight]>> {
        if then == self.nothing {
            return first;
        }
        let lists = &self.tables.sights;
        self.joined.get_or(first.key(), then.key(), || {
            lists.intern(lists[first].iter().chain(&lists[then]).copied().collect())
        })
    }

    fn work_out_restart(&self, place: Part<Place>) -> Restarted {
        // A restart reads nothing of the kernel but its tasks, one by one.
        let mut world = self.tables.unfold_some(&[place], Roster { highest: 0, tasks: 0 });
        world.restart();
        let index = self.tables.places[place].index;
        Restarted {
            place: self.tables.place(&world, index),
            disorder: world.disorder,
            sights: self.tables.sights.intern(world.sights.into()),
        }
    }
}

const CRASH: Left = Left::one_of(&[Budget::Crashes]);

/// Calls `take` for each move that the budget allows, and for one move alone of those that the kernel ignores.
fn each_move<'m>(moves: &[Option<&'m Moves>; TASKS], left: Left, mut take: impl FnMut(&'m Move)) {
    for moves in moves.iter().flatten() {
        moves.acts.iter().filter(|step| left.covers(step.cost)).for_each(&mut take);
    }
    let mut was_ignored = false;
    for moves in moves.iter().flatten() {
        for step in &moves.late {
            if !(step.is_traceless && was_ignored) {
                take(step);
            }
            was_ignored |= step.is_traceless;
        }
    }
}

fn replace(places: &mut [Part<Place>; TASKS], by: &[Part<Place>; TASKS], which: u8) {
    for (task, (place, by)) in places.iter_mut().zip(by).enumerate() {
        if which & (1 << task) != 0 {
            *place = *by;
        }
    }
}

/// The tasks that a step came by, its own first.
fn come_by(act: Act, aftermath: &Aftermath) -> Vec<TaskIndex> {
    let visited = aftermath.visits.iter().map(|visit| visit.task);
    let ordered = aftermath.effects.iter().flat_map(|effects| effects.iter().map(of));
    let mut tasks: Vec<TaskIndex> = act.task().into_iter().collect();
    for task in visited.chain(ordered).map(index).filter(|task| usize::from(*task) < TASKS) {
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    }
    tasks
}

/// The edges of the lifecycle, event and state, but for those of what is not here: tasks that a worker runs, more than one
/// profile, and bills.
pub(super) fn edges() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = EDGES.iter().flat_map(|(event, states)| states.iter().map(move |state| (*event, *state)));
    let elsewhere = ["Deployed", "ProfileDown", "ProfileUp", "Request(UsageReported)"];
    all.filter(move |(event, state)| {
        !elsewhere.contains(event) && !["Working", "Ending", "Cancelling(Worker)"].contains(state)
    })
}

/// Those that a step took.
pub(super) fn taken_edges(visits: &[Visit]) -> Box<[u16]> {
    let applied = visits.iter().filter_map(|visit| visit.met).filter(|met| met.applied);
    let number = |(event, state)| (0..).zip(edges()).find(|(_, edge)| *edge == (event, state));
    applied.filter_map(|met| number((met.event, met.state))).map(|(number, _)| number).collect()
}
