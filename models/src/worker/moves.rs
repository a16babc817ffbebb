//! The steps of a world, worked out once for all the budgets that it is met with.

use std::sync::OnceLock;

use downbeat_kernel::{Config, Outcome, TaskId, WorkerState};
use downbeat_sim::parts::{Notes, Part, Parts};

use super::act::{Act, Action};
use super::scenario::{Budget, Left, Scenario};
use super::step::{crashed, take};
use super::world::World;
use super::{State, edges, environment, late};

/// A world that a step leads to.
#[derive(Clone, Copy)]
struct Reached {
    world: Part<World>,
    use_of: Use,
}

/// Which budgets are of any use where the workers stand. What is left of the others is forgotten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// All have ended.
    Afterwards,
    /// One of them is about to end.
    OfTheEnd,
    /// One of them goes on.
    All,
}

/// One act, and what comes of it.
pub(super) struct Move {
    pub(super) act: Act,
    is_applied: bool,
    /// The edge of the worker's machine that it takes.
    pub(super) edge: Option<u8>,
    after: Reached,
    /// How many effects it has.
    effects: u8,
    /// The worlds in which the process crashes after so many of them.
    cuts: OnceLock<Box<[Reached]>>,
}

/// What can be done in one world.
pub(super) struct Moves {
    steps: Box<[Move]>,
    crashed: OnceLock<Reached>,
    /// Whether the kernel's own validation accepts it.
    pub(super) is_valid: bool,
}

/// What has been worked out for a model.
pub(super) struct Memory {
    scenario: Scenario,
    config: Config,
    pub(super) worlds: Parts<World>,
    moves: Notes<Moves>,
}

impl Memory {
    pub(super) fn new(scenario: Scenario, config: Config) -> Self {
        Self { scenario, config, worlds: Parts::new(), moves: Notes::new() }
    }

    /// Takes every step from a state: first those that the budgets allow, then crashes.
    pub(super) fn steps(&self, state: &State, mut take: impl FnMut(&Action, State)) {
        let known = self.moves(state.world);
        let left = state.left;
        let may = |step: &&Move| left.covers(step.act.kind.cost());
        for step in known.steps.iter().filter(may) {
            take(&Action { act: Some(step.act), cut: None }, step.taken(state.left));
        }
        if !left.covers(Some(Budget::Crashes)) {
            return;
        }
        take(&Action { act: None, cut: None }, self.crash(state, known));
        for step in known.steps.iter().filter(may) {
            for cut in 0..step.effects {
                take(&Action { act: Some(step.act), cut: Some(cut) }, self.after_cut(state, step, cut));
            }
        }
    }

    /// The state after one action; `None` if it cannot be taken there.
    pub(super) fn next(&self, state: &State, action: &Action) -> Option<State> {
        let known = self.moves(state.world);
        let Some(act) = action.act else {
            return state.left.covers(Some(Budget::Crashes)).then(|| self.crash(state, known));
        };
        let step = known.steps.iter().find(|step| step.act == act)?;
        let may = state.left.covers(act.kind.cost());
        match action.cut {
            None => may.then(|| step.taken(state.left)),
            Some(cut) => {
                let may = may && state.left.covers(Some(Budget::Crashes)) && cut < step.effects;
                may.then(|| self.after_cut(state, step, cut))
            }
        }
    }

    /// The move of an act that may be done in a world.
    pub(super) fn find(&self, world: Part<World>, act: Act) -> Option<&Move> {
        self.moves(world).steps.iter().find(|step| step.act == act)
    }

    /// What can be done in a world.
    pub(super) fn moves(&self, world: Part<World>) -> &Moves {
        self.moves.get_or(world.key(), || self.work_out(world))
    }

    fn work_out(&self, part: Part<World>) -> Moves {
        let world = &self.worlds[part];
        let acts = environment::acts(&self.scenario, &self.config, world);
        let mut steps: Vec<Move> = acts.into_iter().map(|act| self.work_out_move(part, act)).collect();
        if self.scenario.late {
            self.work_out_late(part, &mut steps);
        }
        // Of what changes nothing, one is as good as all.
        let mut was_ignored = false;
        steps.retain(|step| {
            step.is_applied || step.after.world != part || !std::mem::replace(&mut was_ignored, true)
        });
        let is_valid = world.kernel(self.config).validate().is_ok();
        Moves { steps: steps.into(), crashed: OnceLock::new(), is_valid }
    }

    fn work_out_move(&self, part: Part<World>, act: Act) -> Move {
        let before = &self.worlds[part];
        let done = take(&self.config, before, act);
        let after = done.world();
        let edge = done.is_applied.then(|| edges::taken(before, act, &after)).flatten();
        Move {
            act,
            is_applied: done.is_applied,
            edge: edge.and_then(|edge| u8::try_from(edge).ok()),
            after: self.reach(after),
            effects: u8::try_from(done.effects.len()).unwrap_or(u8::MAX),
            cuts: OnceLock::new(),
        }
    }

    /// What comes late and does something. When nothing does, which is as it should be, the first of it.
    fn work_out_late(&self, part: Part<World>, steps: &mut Vec<Move>) {
        let world = &self.worlds[part];
        let late = late::late(world);
        let (kernel, mut effects) = (world.kernel(self.config), Vec::new());
        let mut tried = kernel.clone();
        let is_taken = |act: &Act| tried.step(act.event(), &mut effects) == Outcome::Applied;
        // One look at the end sees whether any of them did something: a look after each costs more than all the rest.
        let is_any_taken = late.iter().any(is_taken);
        let is_idle = !is_any_taken && effects.is_empty() && tried == kernel;
        let does_something = |act: &&Act| {
            let (mut tried, mut effects) = (kernel.clone(), Vec::new());
            let outcome = tried.step(act.event(), &mut effects);
            outcome == Outcome::Applied || !effects.is_empty() || tried != kernel
        };
        let shown: Vec<Act> = match late.first() {
            Some(first) if is_idle => vec![*first],
            Some(_) | None => late.iter().filter(does_something).copied().collect(),
        };
        steps.extend(shown.into_iter().map(|act| self.work_out_move(part, act)));
    }

    fn reach(&self, world: World) -> Reached {
        let use_of = world.followed().map(|(of, _)| use_of(&world, of)).max().unwrap_or(Use::Afterwards);
        Reached { world: self.worlds.intern(world), use_of }
    }

    fn after_cut(&self, state: &State, step: &Move, cut: u8) -> State {
        let cuts = step.cuts.get_or_init(|| {
            let done = take(&self.config, &self.worlds[state.world], step.act);
            done.cuts().map(|world| self.reach(world)).collect()
        });
        let left = state.left.without(step.act.kind.cost()).without(Some(Budget::Crashes));
        cuts[usize::from(cut)].with(left)
    }

    fn crash(&self, state: &State, known: &Moves) -> State {
        let reached =
            known.crashed.get_or_init(|| self.reach(crashed(&self.config, &self.worlds[state.world])));
        reached.with(state.left.without(Some(Budget::Crashes)))
    }
}

/// Which budgets are of any use for one task.
fn use_of(world: &World, of: TaskId) -> Use {
    match world.standing(of) {
        Some(WorkerState::Ending(_)) => Use::OfTheEnd,
        Some(
            WorkerState::Idle
            | WorkerState::Held
            | WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling,
        ) => Use::All,
        // Of one that has no worker yet, the task that asked for it may make use.
        Some(WorkerState::Ended(_)) | None => Use::Afterwards,
    }
}

impl Move {
    fn taken(&self, left: Left) -> State {
        let cost = self.act.kind.cost().filter(|_| self.is_applied);
        self.after.with(left.without(cost))
    }
}

impl Reached {
    fn with(self, left: Left) -> State {
        let left = match self.use_of {
            Use::All => left,
            Use::OfTheEnd => left.only(&[Budget::Ends, Budget::Updates, Budget::Crashes]),
            Use::Afterwards => left.only(&[Budget::Updates, Budget::Crashes]),
        };
        State { world: self.world, left }
    }
}
