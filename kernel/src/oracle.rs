//! The machine beside its twin, and what is drawn from the machine: its diagram and its table.
//!
//! Every situation of one task, up to small bounds, meets every event. The machine and the [`twin`] have to
//! agree on the whole of what comes of it: the next state, the data, the effects in their order, the refusal, and
//! what follows for other tasks.

mod beside;
mod budgets;
mod credential;
mod health;
mod lifecycle_page;
mod notification;
mod page;
mod pool;
mod pool_twin;
mod question;
mod request;
mod request_twin;
mod requests;
mod retry;
mod session;
mod situations;
mod twin;
mod worker;
mod worker_situations;
mod worker_twin;

use crate::config::Config;
use crate::drive::drive;
use crate::lifecycle::{Surroundings, TaskEvent, TaskMachine};
use crate::task::TaskState;
use requests::is_asking;
use situations::{Responses, Situation, leaves, situations, small};
use std::collections::BTreeSet;
use std::format;
use std::string::String;
use std::vec::Vec;
use twin::{After, No, twin};

type Twin = fn(&Situation, &TaskEvent<'_>) -> Result<After, No>;

/// What the machine makes of the event.
fn machine(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
    let (mut state, mut data) = (at.state, at.data.clone());
    let (mut effects, mut follows) = (Vec::new(), Vec::new());
    let mut machine = TaskMachine { id: at.id, data: &mut data, config: &at.config };
    let mut cx = Surroundings {
        sink: &mut effects,
        refusal: None,
        room: at.room,
        highest: at.highest,
        down: at.down,
        follows: &mut follows,
    };
    let handled = drive(&mut machine, &mut state, event, &mut cx);
    let (refusal, highest) = (cx.refusal, cx.highest);
    let after = After { state, data, effects, follows, highest };
    let no = match refusal {
        Some(refusal) => No::Because(refusal),
        None if handled => return Ok(after),
        None => No::Edge,
    };
    let same = (after.state, &after.data, after.highest) == (at.state, &at.data, at.highest);
    let silent = after.effects.is_empty() && after.follows.is_empty();
    Err(if same && silent { no } else { No::LeftTrace })
}

/// Where a task stands, without what the state carries.
fn leaf(state: TaskState) -> &'static str {
    state.name()
}

/// Every kind of event, by the name of [`Event`](crate::Event) where it comes from outside.
const KINDS: [&str; 26] = [
    "Admitted",
    "Initialized",
    "InitializationFailed",
    "ResponseEnded",
    "Request",
    "Request(UsageReported)",
    "ProfileDown",
    "ProfileUp",
    "ToolEnded",
    "SubtaskEnded",
    "AnswerReceived",
    "MessageReceived",
    "PauseRequested",
    "ResumeRequested",
    "CancelRequested",
    "TimerFired(Grace)",
    "EndAcknowledged",
    "Released",
    "Deployed",
    "Worker",
    "SubtaskRequested",
    "ChildReported",
    "Spent",
    "TimerFired(Budget)",
    "BudgetSpent",
    "BudgetGranted",
];

fn kind(event: &TaskEvent<'_>) -> &'static str {
    event.name()
}

/// What a comparison saw.
#[derive(Default)]
struct Seen {
    pairs: usize,
    met: BTreeSet<(&'static str, &'static str)>,
}

/// Compares every situation, or every so many, until the first difference.
fn compare(config: Config, every: usize, twin: Twin) -> Result<Seen, String> {
    let responses = Responses::new();
    let mut seen = Seen::default();
    for at in situations(config).step_by(every) {
        for event in at.events(&responses) {
            seen.pairs += 1;
            seen.met.insert((leaf(at.state), kind(&event)));
            let (is, ought) = (machine(&at, &event), twin(&at, &event));
            if is != ought {
                return Err(format!(
                    "{event:?}\n  in {:?} with {:?} and room for {}\n  machine: {is:?}\n  twin:    {ought:?}",
                    at.state, at.data, at.room
                ));
            }
        }
    }
    Ok(seen)
}

/// Other settings under which some guard decides otherwise.
fn settings() -> [(&'static str, Config); 5] {
    [
        ("small bounds", small()),
        ("no mistake limit", Config { mistakes_max: 0, calls_max: 1, ..small() }),
        ("one attempt, one message", Config { attempts_max: 1, messages_max: 1, calls_max: 2, ..small() }),
        (
            "two profiles",
            Config { profiles: 2, profiles_keyed: 2, profiles_continuing: 1, calls_max: 1, ..small() },
        ),
        ("no depth", Config { depth_max: 0, calls_max: 2, mistakes_max: 1, ..small() }),
    ]
}

#[test]
fn machine_and_twin_agree_on_every_pair() {
    let mut pairs = 0;
    for (name, config) in settings() {
        let seen = compare(config, 1, twin).unwrap_or_else(|difference| panic!("{name}: {difference}"));
        pairs += seen.pairs;
        if config == small() {
            for (state, kind) in leaves().into_iter().flat_map(|leaf| KINDS.map(|kind| (leaf, kind))) {
                // Who asks nothing is not told of profiles.
                let is_told = is_asking(state) || !kind.starts_with("Profile");
                let state = leaf(state);
                assert_eq!(seen.met.contains(&(state, kind)), is_told, "pairs of {state} and {kind}");
            }
        }
        std::println!("{name}: {} pairs", seen.pairs);
    }
    assert!(pairs > 9_000_000, "the enumeration has shrunk to {pairs} pairs");
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin() {
    fn wrong_refusal(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
        match twin(at, event) {
            Err(No::Edge) => twin(at, &TaskEvent::Admitted),
            right => right,
        }
    }
    fn lost_effect(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
        let mut after = twin(at, event)?;
        if after.effects.len() > 5 {
            after.effects.pop();
        }
        Ok(after)
    }
    fn swapped_effects(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
        let mut after = twin(at, event)?;
        after.effects.reverse();
        Ok(after)
    }
    fn lost_follow(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
        let mut after = twin(at, event)?;
        after.follows.clear();
        Ok(after)
    }
    fn kept_mistakes(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
        let mut after = twin(at, event)?;
        after.data.mistakes = at.data.mistakes;
        Ok(after)
    }
    fn other_state(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
        let mut after = twin(at, event)?;
        if after.state == TaskState::AwaitingInput {
            after.state = TaskState::AwaitingSubtask;
        }
        Ok(after)
    }
    let wrong: [(&str, Twin); 6] = [
        ("a refusal", wrong_refusal),
        ("an effect less", lost_effect),
        ("effects in another order", swapped_effects),
        ("nothing follows", lost_follow),
        ("the mistakes stay", kept_mistakes),
        ("another state", other_state),
    ];
    for (name, twin) in wrong {
        assert!(compare(small(), 1, twin).is_err(), "nobody noticed: {name}");
    }
}

/// Every fault that changes what one task does differs from the twin somewhere. The others plant their fault in
/// [`Kernel::resync`](crate::Kernel::resync), or between two tasks, where the machine has no part.
#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_machine() {
    use crate::faults::Fault;
    const OF_THE_KERNEL: [Fault; 6] = [
        Fault::ResyncForgetsTools,
        Fault::ResyncForgetsQuestions,
        Fault::ResyncForgetsEnds,
        Fault::ReportLostWhenFull,
        Fault::ResyncForgetsBudgetQuestion,
        Fault::ResyncForgetsBudgetTimer,
    ];
    for fault in Fault::OF_TASKS.iter().copied().filter(|fault| !OF_THE_KERNEL.contains(fault)) {
        let config = Config { fault: Some(fault), ..small() };
        // A few of the situations are enough for nearly all of them.
        let is_noticed = [31, 7, 1].into_iter().any(|every| compare(config, every, twin).is_err());
        assert!(is_noticed, "nobody noticed {fault:?}");
    }
}
