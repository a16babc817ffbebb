//! Random graphs that are large enough for threads to share the work.

use downbeat_sim::model::{Fairness, Model, Property, Told};

/// Numbers below `states`; a seed gives the steps between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Large {
    pub(crate) seed: u64,
    pub(crate) states: u64,
}

impl Large {
    fn random(&self, number: u64) -> u64 {
        // The finalizer of splitmix64: any good mixing does.
        let mut mixed = self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Model for Large {
    type State = u64;
    type Action = u64;

    fn initial(&self) -> Vec<u64> {
        vec![0, 1, 0, 2]
    }

    /// Up to four in each state, and none in one of some thousand.
    fn actions(&self, state: &u64, actions: &mut Vec<u64>) {
        let steps =
            if self.random(state + 1).is_multiple_of(2_003) { 0 } else { self.random(*state) % 3 + 2 };
        actions.extend(0..steps);
    }

    fn next(&self, state: &u64, action: &u64) -> Option<u64> {
        Some(self.random(state * 4 + action + self.states) % self.states)
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["first", "second", "third", "fourth"]
    }

    fn kind(&self, action: &u64) -> usize {
        usize::try_from(*action).expect("there are four actions")
    }

    fn marks(&self) -> Vec<String> {
        vec!["to a lower number".into(), "to itself".into()]
    }

    fn mark(&self, before: &u64, _: &u64, after: &u64, hit: &mut dyn FnMut(usize)) {
        if after < before {
            hit(0);
        }
        if after == before {
            hit(1);
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "always",
                "some numbers never come",
                |_, state| state % 1_009 != 17,
                |_, _| true,
                |_, state| format!("{state} came"),
            ),
            Property::<Self>::always_step(
                "step",
                "some steps are never taken",
                |_, before, _, after| (before ^ after) % 2_003 != 5,
                |_, _, _, _| true,
                |_, state| format!("{state} came"),
            ),
            Property::<Self>::sometimes("sometimes", "a certain number comes", |_, state| *state == 1_234),
            Property::<Self>::no_deadlock("deadlock", "it goes on", |_, state| format!("not after {state}")),
            Property::<Self>::leads_to(
                "leads-to",
                "a multiple of 7 follows each multiple of 1,000",
                |_, state| state % 1_000 == 1,
                |_, state| state % 7 == 0,
                |_, state| format!("{state} came"),
            ),
        ]
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let takes = |number: u64| move |action: &u64| *action == number;
        vec![Fairness::weak("the first", takes(0)), Fairness::strong("the fourth", takes(3))]
    }

    /// Odd numbers are no end.
    fn is_final(&self, state: &u64) -> bool {
        state.is_multiple_of(2)
    }

    fn lanes(&self) -> Vec<String> {
        vec!["numbers".into()]
    }

    fn opening(&self, state: &u64) -> String {
        format!("from {state}")
    }

    fn tell(&self, before: &u64, _: &u64, after: &u64) -> Told {
        Told::new(0, 0, format!("{before} to {after}"))
    }
}
