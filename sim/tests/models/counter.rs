//! A toy: clerks that each add one to a shared counter, by reading it and writing it back.

use downbeat_sim::harness::{Registry, Variant};
use downbeat_sim::model::{Fairness, Model, Property, Told};
use downbeat_sim::report::Verdict;

/// How the clerks come to terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Custom {
    /// They do not.
    None,
    /// They take a key first.
    Key,
    /// They take a key first, and may give it back without having used it.
    PoliteKey,
}

pub(crate) struct Counter {
    pub(crate) clerks: usize,
    pub(crate) custom: Custom,
    pub(crate) diligent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    counter: u8,
    clerks: Vec<Clerk>,
    key: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Clerk {
    Idle,
    HasRead(u8),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    TakeKey(usize),
    GiveWay(usize),
    Read(usize),
    Write(usize),
}

impl Action {
    fn clerk(self) -> usize {
        match self {
            Action::TakeKey(clerk) | Action::GiveWay(clerk) | Action::Read(clerk) | Action::Write(clerk) => {
                clerk
            }
        }
    }
}

impl State {
    fn all_done(&self) -> bool {
        self.clerks.iter().all(|clerk| *clerk == Clerk::Done)
    }
}

impl Model for Counter {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State { counter: 0, clerks: vec![Clerk::Idle; self.clerks], key: None }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (clerk, stands) in state.clerks.iter().enumerate() {
            let has_key = state.key == Some(clerk) || self.custom == Custom::None;
            match stands {
                Clerk::Idle if has_key => {
                    actions.push(Action::Read(clerk));
                    if self.custom == Custom::PoliteKey {
                        actions.push(Action::GiveWay(clerk));
                    }
                }
                Clerk::Idle if state.key.is_none() => actions.push(Action::TakeKey(clerk)),
                Clerk::HasRead(_) => actions.push(Action::Write(clerk)),
                Clerk::Idle | Clerk::Done => {}
            }
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = state.clone();
        let clerk = action.clerk();
        match action {
            Action::TakeKey(_) => next.key = Some(clerk),
            Action::GiveWay(_) => next.key = None,
            Action::Read(_) => next.clerks[clerk] = Clerk::HasRead(state.counter),
            Action::Write(_) => {
                let Clerk::HasRead(value) = state.clerks[clerk] else { return None };
                next.counter = value + 1;
                next.clerks[clerk] = Clerk::Done;
                next.key = None;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "S1",
                "no update is lost",
                |model, state| !state.all_done() || usize::from(state.counter) == model.clerks,
                |_, state| state.all_done(),
                |model, state| {
                    format!("{} clerks added one, and the counter is {}", model.clerks, state.counter)
                },
            ),
            Property::<Self>::always_step(
                "S2",
                "the counter never goes back",
                |_, before, _, after| after.counter >= before.counter,
                |_, before, _, after| after.counter != before.counter,
                |_, state| format!("the counter went back to {}", state.counter),
            ),
            Property::<Self>::always_step(
                "S3",
                "a clerk writes what follows the counter",
                |_, before, _, after| after.counter == before.counter || after.counter == before.counter + 1,
                |_, _, action, _| matches!(action, Action::Write(_)),
                |_, state| format!("the counter became {}", state.counter),
            ),
            Property::<Self>::always(
                "V1",
                "nobody adds two",
                |_, _| true,
                |_, _| false,
                |_, _| String::new(),
            ),
            Property::<Self>::sometimes("R1", "the counter comes to the number of clerks", |model, state| {
                usize::from(state.counter) == model.clerks
            }),
            Property::<Self>::no_deadlock("D1", "work goes on until all is done", |_, state| {
                format!("the clerks stand still at {state:?}")
            }),
            Property::<Self>::eventually(
                "L1",
                "every clerk gets done",
                |_, state| state.all_done(),
                |_, state| {
                    let waiting = state.clerks.iter().filter(|clerk| **clerk != Clerk::Done).count();
                    format!("{waiting} of {} clerks never get done", state.clerks.len())
                },
            ),
        ]
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fair = |number| {
            Fairness::weak(format!("clerk {} goes on", number + 1), move |action: &Action| {
                action.clerk() == number
            })
        };
        if self.diligent { (0..self.clerks).map(fair).collect() } else { Vec::new() }
    }

    fn is_final(&self, state: &State) -> bool {
        state.all_done()
    }

    fn lanes(&self) -> Vec<String> {
        let clerks = (1..=self.clerks).map(|number| format!("clerk {number}"));
        clerks.chain(["shared counter".to_owned(), "key".to_owned()]).collect()
    }

    fn opening(&self, state: &State) -> String {
        format!("the counter is {}", state.counter)
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let (counter, key) = (self.clerks, self.clerks + 1);
        let clerk = action.clerk();
        match action {
            Action::TakeKey(_) => Told::new(clerk, key, "takes the key"),
            Action::GiveWay(_) => Told::new(clerk, key, "gives the key back without having used it"),
            Action::Read(_) => Told::new(clerk, counter, "asks what the counter is").then(
                counter,
                clerk,
                format!("it is {}", before.counter),
            ),
            Action::Write(_) => {
                let told = Told::new(clerk, counter, format!("writes {} into the counter", after.counter));
                let told = told.change(format!("counter: {}", after.counter));
                if before.key == Some(clerk) { told.then(clerk, key, "gives the key back") } else { told }
            }
        }
    }
}

/// A variant of the toy with its bound.
pub(crate) fn variant(name: &'static str, about: &'static str, custom: Custom, diligent: bool) -> Variant {
    Variant::new(name, about, move |bounds| Counter { clerks: bounds.get_usize("clerks"), custom, diligent })
        .bound("clerks", 2, 1..=4, "clerks that add one each")
        .expect("V1", Verdict::Vacuous)
}

pub(crate) fn registry() -> Registry {
    Registry::new().model(
        "counter",
        "clerks that add one to a shared counter",
        [
            variant("as-is", "they read and write as they like", Custom::None, true)
                .expect("S1", Verdict::Violated)
                .expect("S3", Verdict::Holds),
            variant("key", "they take a key first", Custom::Key, true),
            variant("polite", "they may give the key back unused", Custom::PoliteKey, true)
                .expect("L1", Verdict::Violated),
            variant("lazy", "they need not go on", Custom::Key, false).expect("L1", Verdict::Violated),
        ],
    )
}
