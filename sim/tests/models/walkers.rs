//! Two walkers on one random graph, who now and then leave word of it: interchangeable, mostly independent of each other,
//! and with enough states for threads to share the work under every reduction.

use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::pack::Pack;
use downbeat_sim::reduction::{Footprint, Objects, Processes};
use downbeat_sim::symmetry::{Rename, Symmetry};

const WALKERS: usize = 2;
/// The object that is the word; those before are the walkers.
const WORD: usize = WALKERS;
const WORDS: u8 = 4;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Walkers {
    pub(crate) seed: u64,
    /// The places of the graph.
    pub(crate) places: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
struct Walker(u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename, Pack)]
pub(crate) struct State {
    #[rename(index = Walker)]
    at: [u8; WALKERS],
    word: u8,
}

/// Who takes which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    walker: usize,
    way: u8,
}

impl Walkers {
    fn random(&self, number: u64) -> u64 {
        // The finalizer of splitmix64: any good mixing does.
        let mut mixed = self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Two ways from most places, also from those of the beginning, and none from a few.
    fn ways(&self, place: u8) -> std::ops::Range<u8> {
        0..if place > 2 && self.random(place.into()).is_multiple_of(17) { 0 } else { 2 }
    }

    /// Whether who leaves the place changes the word.
    fn is_told(&self, place: u8) -> bool {
        self.random(u64::from(place) + 1_000).is_multiple_of(3)
    }

    /// What a walker touches who goes on from here.
    fn now(&self, place: u8, walker: usize) -> Footprint {
        let touched = touched(walker, self.is_told(place));
        if self.ways(place).is_empty() { Footprint::none() } else { touched }
    }
}

fn touched(walker: usize, is_told: bool) -> Footprint {
    let moves = Footprint::none().writes(Objects::one(walker));
    if is_told { moves.reads(Objects::one(WORD)).writes(Objects::one(WORD)) } else { moves }
}

impl Model for Walkers {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State { at: [1, 0], word: 0 }, State { at: [0, 1], word: 0 }, State { at: [2; 2], word: 1 }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for walker in 0..WALKERS {
            actions.extend(self.ways(state.at[walker]).map(|way| Action { walker, way }));
        }
    }

    fn next(&self, state: &State, Action { walker, way }: &Action) -> Option<State> {
        let mut next = *state;
        let place = state.at[*walker];
        let to = self.random(u64::from(place) * 2 + u64::from(*way) + 10_000) % self.places;
        next.at[*walker] = u8::try_from(to).expect("there are few places");
        next.word = (state.word + u8::from(self.is_told(place))) % WORDS;
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["left", "right"]
    }

    fn kind(&self, action: &Action) -> usize {
        action.way.into()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "always",
                "the last word is never said",
                |_, state| state.word + 1 < WORDS,
                |_, state| state.word == 1,
                |_, state| format!("said at {:?}", state.at),
            ),
            Property::<Self>::always_step(
                "step",
                "the second word never follows by the right",
                |_, before, action, after| (before.word, after.word, action.way) != (1, 2, 1),
                |_, before, _, after| before.word != after.word,
                |_, state| format!("said at {:?}", state.at),
            ),
            Property::<Self>::sometimes("sometimes", "the third word is said", |_, state| state.word == 2),
            Property::<Self>::no_deadlock("deadlock", "somebody can go on", |_, state| {
                format!("nobody at {:?}", state.at)
            }),
        ]
    }

    fn symmetry(&self) -> Option<Symmetry<Self>> {
        Some(Symmetry::new().of::<Walker>(WALKERS))
    }

    fn processes(&self) -> Option<Processes<Self>> {
        Some(Processes {
            count: WALKERS,
            of_action: Box::new(|_, action| action.walker),
            now: Box::new(|model, state, walker| model.now(state.at[walker], walker)),
            later: Box::new(|_, _, walker| touched(walker, true)),
            sees: Box::new(|_| Objects::one(WORD)),
        })
    }

    fn is_final(&self, state: &State) -> bool {
        state.word == 0
    }

    fn lanes(&self) -> Vec<String> {
        (0..WALKERS).map(|walker| format!("walker {walker}")).collect()
    }

    fn opening(&self, state: &State) -> String {
        format!("walkers at {:?}", state.at)
    }

    fn tell(&self, _: &State, action: &Action, after: &State) -> Told {
        Told::new(action.walker, action.walker, format!("goes to {}", after.at[action.walker]))
    }
}
