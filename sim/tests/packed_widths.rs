//! States that fill their word to the last bit are as exact as others.

use downbeat_sim::check::{CheckError, Checker};
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::pack::{Pack, TooWide, Word};

/// Each initial state is a state of its own; nothing happens.
struct Still<S>(Vec<S>);

impl<S: Clone + Eq + std::hash::Hash + Send + Sync> Model for Still<S> {
    type State = S;
    type Action = ();

    fn initial(&self) -> Vec<S> {
        self.0.clone()
    }

    fn actions(&self, _: &S, _: &mut Vec<()>) {}

    fn next(&self, state: &S, (): &()) -> Option<S> {
        Some(state.clone())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Vec::new()
    }

    fn is_final(&self, _: &S) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["still".into()]
    }

    fn tell(&self, _: &S, (): &(), _: &S) -> Told {
        Told::new(0, 0, "stays")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Pack)]
struct Bits63 {
    #[pack(bits = 63)]
    bits: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Pack)]
struct Bits127 {
    low: u64,
    #[pack(bits = 63)]
    high: u64,
}

fn distinct<S: Pack + Clone + Eq + std::hash::Hash + Send + Sync>(
    states: Vec<S>,
) -> Result<usize, CheckError> {
    Checker::new(&Still(states)).packed_states().check().map(|report| report.distinct)
}

#[test]
fn states_of_any_width_are_told_apart() {
    const ALL_63: u64 = u64::MAX >> 1;
    let narrow = [0, 1, ALL_63 - 1, ALL_63].map(|bits| Bits63 { bits });
    assert_eq!(distinct(narrow.to_vec()), Ok(4));
    assert_eq!(distinct(vec![0, 1, u64::MAX - 1, u64::MAX]), Ok(4));
    let wide = [(0, 0), (u64::MAX, 0), (0, ALL_63), (u64::MAX, ALL_63)];
    assert_eq!(distinct(wide.map(|(low, high)| Bits127 { low, high }).to_vec()), Ok(4));
    assert_eq!(distinct(vec![(0, 0), (u64::MAX, 0), (0, u64::MAX)]), Ok(3));
    assert_eq!(distinct(vec![(0, 0), (u64::MAX, u64::MAX)]), Err(CheckError::FullWord));
}

#[test]
fn states_beyond_their_bounds_are_refused() {
    let error = distinct(vec![Bits63 { bits: u64::MAX }]).expect_err("it does not fit");
    assert_eq!(
        error.to_string(),
        "`Bits63::bits` is 18446744073709551615 and is declared to be at most 9223372036854775807 (63 bits)"
    );
}

/// Its packed form, written by hand, has no place for the lowest bit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rounded(u8);

impl Pack for Rounded {
    const BITS: u32 = 7;

    fn pack<W: Word>(&self) -> Result<W, TooWide> {
        (self.0 / 2).pack()
    }

    fn unpack<W: Word>(word: W) -> Self {
        Rounded(u8::unpack(word) * 2)
    }
}

#[test]
fn packed_form_that_leaves_something_out_is_refused() {
    let action = || "the beginning".to_owned();
    #[rustfmt::skip]
    let cases = [
        ("nothing is lost of even numbers",         vec![2, 4], Ok(2)),
        ("another state comes back",                vec![2, 5], Err(CheckError::NotHadBack { action: action() })),
        ("two states have one word",                vec![4, 5], Err(CheckError::HashLeavesOut { action: action() })),
    ];
    for (name, states, expected) in cases {
        assert_eq!(distinct(states.into_iter().map(Rounded).collect()), expected, "{name}");
    }
}
