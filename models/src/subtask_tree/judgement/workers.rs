//! What is asked where a worker runs a task.

use downbeat_sim::model::Property;

use super::super::SubtaskTree;
use super::super::line::Line;
use super::super::scenario::{Budget, Scenario};
use super::super::state::{Breach, State};
use super::super::view::View;

pub(super) fn of_workers(scenario: &Scenario) -> Vec<Property<SubtaskTree>> {
    let has = |budget| scenario.has(budget);
    let mut properties = vec![one_iterator()];
    let is_lost = scenario.agents > 0 && has(Budget::Losses);
    // With one agent the next is ordered when the last is gone, with whatever went on there.
    if is_lost && scenario.agents > 1 {
        properties.push(own_answers());
    }
    if has(Budget::Interrupts) {
        properties.push(named_turn());
    }
    if is_lost || has(Budget::Interrupts) || has(Budget::Crashes) || has(Budget::Failures) || scenario.silent
    {
        properties.push(resumed());
    }
    if scenario.silent {
        properties.extend([settles(), acted_on()]);
    }
    properties
}

fn one_iterator() -> Property<SubtaskTree> {
    unbroken!(
        "S10",
        "one iterator for a worker",
        [TwoIterators],
        |view| view.lines().any(Line::works),
        "an iterator was started beside another, or was given a prompt that it cannot take"
    )
}

/// An agent that was taken for dead may answer what it was given when another has the next prompt.
fn own_answers() -> Property<SubtaskTree> {
    unbroken!(
        "S11",
        "a prompt is settled by its own answer",
        [CrossedAnswer],
        |view| view.lines().any(|line| line.has_stray() && line.works()),
        "a prompt was settled by what answers another"
    )
}

fn named_turn() -> Property<SubtaskTree> {
    unbroken!(
        "S12",
        "an interrupt stops the turn that it names and no other, and what was stopped is resumed",
        [WrongTurn, NotResumed],
        |view| view.lines().any(Line::is_to_resume),
        "an interrupt did not stop the turn that it names, or stopped another, or what it stopped was not resumed"
    )
}

fn resumed() -> Property<SubtaskTree> {
    unbroken!(
        "resumed",
        "what was stopped, or was lost with its place or in a crash, is in front of the next prompt, and marked",
        [NotResumed],
        |view| view.lines().any(Line::is_to_resume),
        "what came to nothing is not in front of the next prompt, or the agent is not told that it was given before"
    )
}

fn settles() -> Property<SubtaskTree> {
    Property::leads_to(
        "settles",
        "a prompt that was given is answered, is stopped, is lost, or waits for a person",
        |model: &SubtaskTree, state: &State| View::new(model, state).lines().any(Line::is_open),
        |model, state| !View::new(model, state).lines().any(Line::is_open),
        |_, _| "for ever: an agent has a prompt, and neither answers nor is stopped".into(),
    )
}

fn acted_on() -> Property<SubtaskTree> {
    Property::leads_to(
        "L3",
        "a turn that does not go on is acted on",
        |model: &SubtaskTree, state: &State| View::new(model, state).executes(),
        |model, state| !View::new(model, state).executes(),
        |_, _| "for ever: an agent does not go on, and nobody acts".into(),
    )
}
