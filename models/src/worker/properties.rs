//! What is promised of a worker.

use downbeat_kernel::{Held, Source, TaskId, TaskState, WorkerState};
use downbeat_sim::model::Property;

use super::act::TASK;
use super::outside::{Armed, Breach, Outside, Running};
use super::scenario::{Budget, Scenario};
use super::words::source_word;
use super::world::World;
use super::{STREAK, State, WorkerModel};

/// An invariant that is the absence of a breach, and what has to be there to be broken.
macro_rules! promise {
    ($id:literal, $breach:expr, $name:literal, $reachable:expr) => {
        Property::always(
            $id,
            $name,
            |model: &WorkerModel, state: &State| model.world(state).how($breach).is_none(),
            |model, state| {
                let reachable: fn(&Outside) -> bool = $reachable;
                model.world(state).outsides.iter().any(reachable)
            },
            |model, state| model.world(state).how($breach).unwrap_or_default(),
        )
    };
}

/// What comes to its end at some time, of each worker.
macro_rules! leads_to {
    ($id:literal, $name:literal, $from:expr, $to:expr, $how:literal) => {
        Property::leads_to(
            $id,
            $name,
            |model: &WorkerModel, state: &State| {
                let (world, from): (_, fn(&World, TaskId) -> bool) = (model.world(state), $from);
                world.followed().any(|(of, _)| from(world, of))
            },
            |model, state| {
                let (world, to): (_, fn(&World, TaskId) -> bool) = (model.world(state), $to);
                world.followed().all(|(of, _)| to(world, of))
            },
            |model, state| format!("{}: {}", $how, standing(model.world(state))),
        )
    };
}

/// All of them, in the order of the report, but for those that the scenario has nothing for.
pub(super) fn all(scenario: &Scenario) -> Vec<Property<WorkerModel>> {
    let mut properties = safety();
    properties.extend(of_health());
    properties.extend(of_the_kernel());
    properties.extend(liveness());
    properties.retain(|property| concerns(scenario, property.id));
    properties
}

fn concerns(scenario: &Scenario, id: &str) -> bool {
    let has = |budget| scenario.has(budget);
    match id {
        "S2" | "waits" => has(Budget::Failures),
        "S4" | "updates" => scenario.has_subtask(),
        "S5" => has(Budget::Messages),
        "S6" => has(Budget::Approvals),
        "S13" => has(Budget::Pauses) || has(Budget::Interrupts),
        "wrap-up" => has(Budget::WrapUps),
        // Whoever does twice what is one too many has to do it once before, which is a sign that repeats nothing.
        "alarm-streak" => scenario.left.of(Budget::Signs) >= STREAK,
        "L2" => has(Budget::Ends) || has(Budget::WrapUps),
        _ => true,
    }
}

fn safety() -> Vec<Property<WorkerModel>> {
    vec![
        promise!(
            "S2",
            Breach::S2,
            "a prompt is tried as often as the budget says, and not where another try cannot mend it",
            |outside| outside.failures > 0
        ),
        promise!(
            "S4",
            Breach::S4,
            "what a subtask says, and that it ended, is in the next prompt",
            |outside| outside.owed.iter().any(is_of_child)
        ),
        promise!(
            "S5",
            Breach::S5,
            "what was accepted is acknowledged once and in order, or reported, in doubt if it was given",
            |outside| outside.owed.iter().any(|owed| matches!(owed, Source::Message(_)))
        ),
        promise!(
            "S6",
            Breach::S6,
            "an answer settles the question that it names, and a person is asked what an agent waits to know",
            |outside| !outside.asks.is_empty()
        ),
        promise!("S7", Breach::S7, "a task that has ended stays so, and ends once", |outside| {
            outside.end.is_some()
        }),
        promise!("S9", Breach::S9, "no iterator, timer, question or subtask outlives the task", |outside| {
            outside.end.is_some()
        }),
        promise!("S10", Breach::S10, "at most one iterator, with one prompt", |outside| {
            outside.working().is_some()
        }),
        promise!("S11", Breach::S11, "a prompt is settled by its own answer", |outside| outside.answered),
        Property::always(
            "S12",
            "an interrupt stops the turn that it names and no other, and what was stopped is resumed",
            |model, state: &State| {
                let world = model.world(state);
                world.how(Breach::S12).is_none() && world.how(Breach::Resumed).is_none()
            },
            |model, state| model.world(state).outsides.iter().any(is_stopped),
            |model, state| {
                let world = model.world(state);
                world.how(Breach::S12).or(world.how(Breach::Resumed)).unwrap_or_default()
            },
        ),
        promise!(
            "resumed",
            Breach::Resumed,
            "what was stopped is resumed or reported (the second half of S12)",
            is_stopped
        ),
        promise!(
            "S13",
            Breach::S13,
            "a worker that a person holds begins no turn, starts no subtask and is not asked, and nobody else holds it",
            |outside| outside.held
        ),
        promise!(
            "waits",
            Breach::Waits,
            "no prompt passes while the wait of one that failed runs, and that is as long as its cause asks",
            |outside| outside.failures > 0
        ),
        promise!(
            "wrap-up",
            Breach::WrapUp,
            "a worker that is to finish is told next, and ends when that is answered",
            |outside| outside.is_given(Source::WrapUp)
        ),
    ]
}

fn of_health() -> Vec<Property<WorkerModel>> {
    vec![
        promise!(
            "alarm",
            Breach::Alarm,
            "a worker is asked how far it is only if it is silent, and reported as stuck only if it was asked",
            |outside| outside.signs.warned
        ),
        Property::always(
            "alarm-streak",
            "a loop or errors in a row are reported once they are there, and only then, and something is done",
            |model: &WorkerModel, state: &State| model.world(state).how(Breach::AlarmStreak).is_none(),
            |model, state| {
                let mut outsides = model.world(state).outsides.iter();
                outsides.any(|outside| outside.signs.repeats(&model.config))
            },
            |model, state| model.world(state).how(Breach::AlarmStreak).unwrap_or_default(),
        ),
        promise!(
            "ladder",
            Breach::Ladder,
            "until a turn is answered health interrupts it once, tells of it, and fails no worker before",
            |outside| outside.signs.warned
        ),
        promise!(
            "escalation",
            Breach::Escalation,
            "an inquiry that was answered is not sent again while nothing is new",
            |outside| outside.inquired
        ),
    ]
}

fn of_the_kernel() -> Vec<Property<WorkerModel>> {
    vec![
        Property::always_step(
            "S25",
            "not applied means nothing changed and nothing was emitted",
            |model: &WorkerModel, _, _, after: &State| model.world(after).how(Breach::S25).is_none(),
            |_, before, _, after| before == after,
            |model, state| model.world(state).how(Breach::S25).unwrap_or_default(),
        ),
        promise!(
            "orders",
            Breach::Orders,
            "an order is given once, taken back once, and repeated after a crash",
            |outside| !outside.timers.is_empty()
        ),
        Property::always_step(
            "stale",
            "what is void, comes again or was never asked for changes nothing",
            |model: &WorkerModel, _, _, after: &State| model.world(after).how(Breach::Stale).is_none(),
            |_, before, _, after| before == after,
            |model, state| model.world(state).how(Breach::Stale).unwrap_or_default(),
        ),
        Property::always(
            "valid",
            "`Kernel::validate` accepts every reachable state",
            |model, state: &State| model.is_valid(state),
            |model, state| model.world(state).worker(TASK).is_some(),
            |_, _| "`Kernel::validate` does not accept the state".to_owned(),
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when the task is gone, or its worker waits for a person",
            |model, state| standing(model.world(state)),
        ),
    ]
}

/// What comes to its end at some time. Where two agents work, it does so for both at once: they do not wake each other for ever.
fn liveness() -> Vec<Property<WorkerModel>> {
    vec![
        leads_to!(
            "settles",
            "a prompt that was given is answered, is stopped, fails, or waits for a person",
            |world, of| world.outside(of).working().is_some(),
            |world, of| {
                let outside = world.outside(of);
                outside.working().is_none() || !outside.asks.is_empty()
            },
            "for ever"
        ),
        leads_to!(
            "inquiry",
            "an inquiry is answered or reported, or the worker waits for a person",
            |world, of| world.outside(of).owed.contains(&Source::Inquiry),
            |world, of| !world.outside(of).owed.contains(&Source::Inquiry) || rests(world, of),
            "an inquiry is pending for ever"
        ),
        leads_to!(
            "updates",
            "what a subtask says is answered or reported, or the worker waits for a person",
            |world, of| world.outside(of).owed.iter().any(is_of_child),
            |world, of| !world.outside(of).owed.iter().any(is_of_child) || rests(world, of),
            "it waits for ever"
        ),
        leads_to!(
            "L1",
            "the task ends, or waits for a person",
            |world, of| !rests(world, of),
            rests,
            "for ever"
        ),
        leads_to!(
            "L2",
            "a task that is to finish, or is completed or cancelled, comes to its end",
            is_ending,
            |world, of| !is_ending(world, of),
            "for ever"
        ),
        leads_to!(
            "L3",
            "a turn that does not go on is acted on",
            executes,
            |world, of| !executes(world, of),
            "nobody acts"
        ),
    ]
}

/// Whether a prompt was given that no agent works on, and that has no answer.
fn is_stopped(outside: &Outside) -> bool {
    outside.given.is_some() && outside.working().is_none()
}

fn is_of_child(source: &Source) -> bool {
    matches!(source, Source::ChildReported { .. } | Source::ChildEnded { .. })
}

fn is_ending(world: &World, of: TaskId) -> bool {
    let outside = world.outside(of);
    outside.ending && outside.end.is_none()
}

fn executes(world: &World, of: TaskId) -> bool {
    world.standing(of) == Some(WorkerState::Executing)
}

/// Whether everybody rests.
pub(super) fn all_rest(world: &World) -> bool {
    world.followed().all(|(of, _)| rests(world, of))
}

/// Whether the task is gone, or its worker waits for a person: who holds it, who was asked, or who has something for it.
fn rests(world: &World, of: TaskId) -> bool {
    let outside = world.outside(of);
    let Some(standing) = world.standing(of) else {
        return match world.task(of) {
            // One that is held back waits for whoever holds the worker that asked for it.
            Some(task) => task.state == TaskState::Paused(Held::Unstarted) && world.outside(TASK).held,
            None => outside.end.is_some() || world.highest < of,
        };
    };
    let stops = outside.timers.iter().any(|timer| matches!(timer, Armed::Stop(_)));
    match standing {
        WorkerState::Held => !stops && outside.held,
        WorkerState::AwaitingApproval => !outside.asks.is_empty(),
        WorkerState::Idle => !stops && outside.inquired && outside.timers.is_empty(),
        WorkerState::Executing
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling
        | WorkerState::Ending(_)
        | WorkerState::Ended(_) => false,
    }
}

/// Where the workers stand, and what they have to answer, in words.
pub(super) fn standing(world: &World) -> String {
    let mut each = world.followed().map(|(of, outside)| standing_of(world, of, outside));
    let of_task = each.next().unwrap_or_default();
    each.fold(of_task, |standing, of_child| format!("{standing}; the subtask: {of_child}"))
}

fn standing_of(world: &World, of: TaskId, outside: &Outside) -> String {
    let state = match (world.standing(of), world.task(of), outside.end) {
        (Some(state), ..) => standing_word(state),
        (None, _, Some(_)) => "the task is gone",
        (None, None, None) if world.highest < of => "there is none",
        (None, Some(task), None) if task.state == TaskState::Paused(Held::Unstarted) => "it is held back",
        (None, _, None) => "the task has no worker",
    };
    let agent = outside.iterators.iter().map(|(_, running)| match running {
        Running::Ordered => "its agent is starting",
        Running::Listens => "its agent has nothing to do",
        Running::Works(_) => "its agent has a prompt",
        Running::Stops => "its agent was told to stop",
        Running::Lost => "its agent was lost in a crash",
    });
    let standing = std::iter::once(state).chain(agent).collect::<Vec<_>>().join(", ");
    let open: Vec<String> = outside.owed.iter().map(|entry| source_word(*entry)).collect();
    if open.is_empty() { standing } else { format!("{standing}; open: {}", open.join(", ")) }
}

fn standing_word(state: WorkerState) -> &'static str {
    match state {
        WorkerState::Idle => "the worker rests",
        WorkerState::Held => "the worker is held",
        WorkerState::Executing => "the worker has a turn",
        WorkerState::AwaitingApproval => "the worker waits for a person's answer",
        WorkerState::BackingOff { .. } => "the worker waits before the next try",
        WorkerState::Cooling => "the worker waits for the breaker",
        WorkerState::Ending(_) => "the worker is about to end",
        WorkerState::Ended(_) => "the worker has ended",
    }
}
