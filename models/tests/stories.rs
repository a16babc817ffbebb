//! Stories that no property of the book asks for: each is the shortest way to a situation that the semantics
//! document names.

use downbeat_models::properties::Observed;
use downbeat_models::subtask_completion::actions::Action;
use downbeat_models::subtask_completion::as_is::AsIs;
use downbeat_models::subtask_completion::process::{At, ToolAt};
use downbeat_models::subtask_completion::state::State;
use downbeat_models::subtask_completion::{Body, Fix};
use downbeat_models::watch::{Breach, Fault, Promise, TASKS, TaskIndex};
use downbeat_sim::check::Checker;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::model::{Fairness, Model, Property, Told};

/// An as-is system that is asked for one situation and nothing else.
struct Asked {
    system: AsIs,
    never: &'static str,
    arises: fn(&State) -> bool,
    words: fn(&State) -> String,
}

impl Model for Asked {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        self.system.initial()
    }
    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.system.actions(state, actions);
    }
    fn next(&self, state: &State, action: &Action) -> Option<State> {
        self.system.next(state, action)
    }
    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "never",
            self.never,
            |model: &Self, state| !(model.arises)(state),
            |_, _| true,
            |model, state| (model.words)(state),
        )]
    }
    fn fairness(&self) -> Vec<Fairness<Self>> {
        Vec::new()
    }
    fn is_final(&self, _: &State) -> bool {
        true
    }
    fn lanes(&self) -> Vec<String> {
        self.system.lanes()
    }
    fn opening(&self, state: &State) -> String {
        self.system.opening(state)
    }
    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        self.system.tell(before, action, after)
    }
}

fn tasks() -> impl Iterator<Item = TaskIndex> {
    (0..).take(TASKS)
}

/// A task whose result is in the history of a parent that, by its record, awaits another one.
fn unawaited(state: &State) -> Option<(TaskIndex, TaskIndex)> {
    state.processes.suspended().find_map(|(_, process, _)| {
        let At::Tool { at: ToolAt::Recording, .. } = process.at else { return None };
        let awaited = state.task(state.watch.parent_of(process.task)?).child?;
        (awaited != process.task).then_some((process.task, awaited))
    })
}

/// Whether child 2, which the parent started, handed its result to another task, which can only be the child.
fn handed_to_the_other(state: &State) -> bool {
    let to_stranger = Breach { fault: Fault::ResultToStranger, task: 2 };
    state.watch.parent_of(2) == Some(0) && state.watch.breach(Promise::S3) == Some(to_stranger)
}

/// A system, the number of each kind of thing that happens (nothing else does), and the situation.
struct Story {
    name: &'static str,
    fix: Fix,
    bounds: &'static [(&'static str, u64)],
    never: &'static str,
    arises: fn(&State) -> bool,
    words: fn(&State) -> String,
}

const STORIES: [Story; 3] = [
    Story {
        name: "three-requests",
        fix: Fix::None,
        bounds: &[("aftermath", 2)],
        never: "no task has three model requests in flight",
        arises: |state| tasks().any(|task| state.watch.in_flight(task) > 2),
        words: |_| "three requests of the parent are in flight".to_owned(),
    },
    Story {
        name: "result-reaches-another-subtask",
        fix: Fix::None,
        bounds: &[("responses", 3), ("troubles", 1), ("truncations", 1), ("any-pace", 1)],
        never: "a subtask's result does not reach its sibling",
        arises: handed_to_the_other,
        words: |_| "the result of child 2 reaches the child, and both are subtasks of the parent".to_owned(),
    },
    Story {
        name: "reopen-does-not-compare",
        fix: Fix::Delegation,
        bounds: &[("responses", 5), ("troubles", 2), ("opens", 2)],
        never: "a parent goes on with the result of the subtask that its record awaits",
        arises: |state| unawaited(state).is_some(),
        words: |state| match unawaited(state) {
            Some((task, awaited)) => {
                let (task, awaited) = (state.task_name(task), state.task_name(awaited));
                format!("the parent goes on with the result of {task}, and its record awaits {awaited}")
            }
            None => String::new(),
        },
    },
];

/// What may happen by default.
const KINDS: [&str; 14] = [
    "tools",
    "questions",
    "troubles",
    "texts",
    "empties",
    "throttles",
    "truncations",
    "failures",
    "messages",
    "closes",
    "cancels",
    "rejections",
    "opens",
    "crashes",
];

#[test]
fn each_situation_of_the_semantics_document_arises_where_nothing_else_can_happen() {
    for story in STORIES {
        let Story { name, fix, bounds, never, arises, words } = story;
        let variant = AsIs::variant("story", "", (Body::Loop, fix), &[]);
        let bounds = KINDS.map(|kind| (kind, 0)).into_iter().chain(bounds.iter().copied());
        let bounds = variant.bounds_with(bounds).expect("the as-is systems have these bounds");
        let model = Asked { system: AsIs::new(Body::Loop, fix, &bounds), never, arises, words };
        let report = Checker::new(&model).check().expect("the model is consistent");
        let counterexample = report.properties[0].counterexample.as_ref().expect(name);
        insta::assert_snapshot!(name, diagram::text("never", never, counterexample, Style::Plain));
    }
}
