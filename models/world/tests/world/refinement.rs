//! What the shell comes to, the checker's model of the same comes to.

use downbeat_kernel::End;
use downbeat_models::properties::{Observe, Observed};
use downbeat_models::subtask_completion::kernel::{KernelModel, Scenario as ModelScenario};
use downbeat_models::watch::How;
use downbeat_sim::explore::{Explorer, Extent, Search};
use downbeat_sim::model::Model;
use downbeat_world::{Marks, Outcome, Scenario};
use std::collections::{BTreeSet, HashSet};

/// How the root ended, and whether a person was told that nobody has read the message.
type Came = (&'static str, bool);

/// A root and a subtask, to which nothing happens.
fn quiet() -> ModelScenario {
    ModelScenario { tasks: 2, ..ModelScenario::default() }
}

/// Each scenario of the world, with one of the checker in which at least as much may happen: its model answers whatever it likes.
fn same() -> [(&'static str, ModelScenario); 8] {
    let quiet = quiet();
    [
        ("child+message", ModelScenario { messages: 1, ..quiet }),
        ("child+message+retry", ModelScenario { messages: 1, failures: 1, ..quiet }),
        ("child+message+pause", ModelScenario { messages: 1, pauses: 1, ..quiet }),
        ("child+message+cancel", ModelScenario { messages: 1, cancels: 1, ..quiet }),
        ("child+kill", ModelScenario { crashes: 1, ..quiet }),
        ("tool+kill", ModelScenario { tools: 1, crashes: 1, ..quiet }),
        ("question+cancel", ModelScenario { questions: 1, cancels: 1, ..quiet }),
        ("message+cut", ModelScenario { messages: 1, failures: 1, outputs: 1, ..quiet }),
    ]
}

fn of_shell(name: &str) -> BTreeSet<Came> {
    let scene = name.parse::<Scenario>().expect("there is such a scenario").scene();
    let mut explorer = Explorer::new(|world| scene.play(world, Marks::default())).without_classes();
    let report = explorer.explore(Search::Exhaustive).expect("the shell keeps to the seam");
    assert_eq!(report.extent, Extent::Complete);
    let ends = report.returned().map(|verdict| {
        let Outcome { end, returned, .. } = verdict.as_ref().expect("every promise is kept");
        let end = match end {
            End::Completed => "completed",
            End::Failed(_) => "failed",
            End::Cancelled => "cancelled",
        };
        (end, !returned.is_empty())
    });
    ends.collect()
}

/// Every state of the model, and what it comes to in those in which it may rest.
fn of_model(scenario: ModelScenario) -> BTreeSet<Came> {
    let model = KernelModel::new(scenario);
    let mut ends = BTreeSet::new();
    let (mut seen, mut open): (HashSet<_>, Vec<_>) = (HashSet::new(), model.initial());
    let mut room = Vec::new();
    while let Some(state) = open.pop() {
        if model.is_final(&state)
            && let watch = model.observe(&state).watch()
            && let Some(how) = watch.end_of(0)
        {
            let how = match how {
                How::Completed => "completed",
                How::Failed => "failed",
                How::Cancelled => "cancelled",
            };
            ends.insert((how, watch.message_was_reported(0)));
        }
        model.steps(&state, &mut room, |_, next| {
            if seen.insert(next) {
                open.push(next);
            }
        });
    }
    ends
}

#[test]
fn ends_of_the_shell_are_ends_of_the_model() {
    for (name, scenario) in same() {
        let (shell, model) = (of_shell(name), of_model(scenario));
        assert!(shell.is_subset(&model), "{name}: the shell comes to {shell:?}, the model to {model:?}");
    }
}

/// What the model cannot come to: the comparison can fail.
#[test]
fn model_without_a_cancel_comes_to_less_than_a_shell_with_one() {
    let (shell, model) =
        (of_shell("child+message+cancel"), of_model(ModelScenario { messages: 1, ..quiet() }));
    assert!(shell.contains(&("cancelled", true)) && !shell.is_subset(&model), "{shell:?}, {model:?}");
}
