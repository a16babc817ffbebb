//! Packed encodings: which word each value has, and what is said of a value or a type that does not fit.

use downbeat_sim::pack::{Field, Pack, TooWide, misfit, pack, unpack};
use proptest::prelude::*;

const TRIES_MAX: u8 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
enum Light {
    Red,
    Yellow,
    Green,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
enum Only {
    One,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
struct Nothing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
struct Tick(#[pack(bits = 4)] u16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
struct Zero(#[pack(max = 0)] u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
struct Slot<T, const N: usize> {
    held: [T; N],
    r#type: Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
enum Phase {
    Idle,
    Waiting {
        #[pack(max = TRIES_MAX)]
        tries: u8,
        until: Tick,
    },
    Asking(Light, Option<Light>),
    Held(Slot<Light, 2>),
    Gone {},
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
struct World {
    phases: [Phase; 3],
    offset: i8,
    moved: Option<(bool, i16)>,
    only: Only,
    #[pack(max = 2)]
    owner: usize,
}

/// All 128 bits, with a part of more than 64 and nothing behind the last bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pack)]
struct Full {
    number: Option<u64>,
    pair: (i32, [u8; 3]),
    #[pack(bits = 7)]
    last: u32,
    nothing: Nothing,
}

fn light() -> impl Strategy<Value = Light> {
    prop_oneof![Just(Light::Red), Just(Light::Yellow), Just(Light::Green)]
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        Just(Phase::Idle),
        (0..=TRIES_MAX, 0..16_u16).prop_map(|(tries, until)| Phase::Waiting { tries, until: Tick(until) }),
        (light(), proptest::option::of(light())).prop_map(|(now, next)| Phase::Asking(now, next)),
        [light(), light()].prop_map(|held| Phase::Held(Slot { held, r#type: Nothing })),
        Just(Phase::Gone {}),
    ]
}

fn world() -> impl Strategy<Value = World> {
    (proptest::array::uniform3(phase()), any::<i8>(), any::<Option<(bool, i16)>>(), 0..=2_usize)
        .prop_map(|(phases, offset, moved, owner)| World { phases, offset, moved, only: Only::One, owner })
}

proptest! {
    #[test]
    fn world_comes_back_from_words_of_both_widths(world in world()) {
        let (short, long) = (pack::<_, u64>(&world)?, pack::<_, u128>(&world)?);
        prop_assert_eq!(u128::from(short), long);
        prop_assert_eq!(short >> World::BITS, 0);
        prop_assert_eq!(unpack::<World, u64>(short), world);
        prop_assert_eq!(unpack::<World, u128>(long), world);
    }

    #[test]
    fn word_without_a_free_bit_keeps_all_of_them(number: u64, small: i32, bytes: [u8; 3], last in 0..128_u32) {
        let full = Full { number: Some(number), pair: (small, bytes), last, nothing: Nothing };
        let [first, second, third] = bytes.map(u128::from);
        let word = 1 | u128::from(number) << 1 | u128::from(small.cast_unsigned()) << 65
            | first << 97 | second << 105 | third << 113 | u128::from(last) << 121;
        prop_assert_eq!(pack(&full), Ok(word));
        prop_assert_eq!(unpack::<Full, u128>(word), full);
    }

    /// Whatever stands above a value belongs to another one.
    #[test]
    fn value_is_in_its_own_bits_alone(phase in phase(), above: u64) {
        let word: u64 = pack(&phase)?;
        prop_assert_eq!(unpack::<Phase, u64>(word | above << Phase::BITS), phase);
    }
}

#[test]
#[expect(clippy::unusual_byte_groupings, reason = "a group of digits is a field")]
fn value_has_its_word() {
    let waiting = |tries, until| Phase::Waiting { tries, until: Tick(until) };
    let asking = Phase::Asking(Light::Red, Some(Light::Yellow));
    let held = Phase::Held(Slot { held: [Light::Yellow, Light::Green], r#type: Nothing });
    #[rustfmt::skip]
    let cases = [
        ("nothing",              encoded(&Nothing),                            0, 0),
        ("the only variant",     encoded(&Only::One),                          0, 0),
        ("first variant",        encoded(&Light::Red),                         2, 0b00),
        ("last variant",         encoded(&Light::Green),                       2, 0b10),
        ("largest of 4 bits",    encoded(&Tick(15)),                           4, 0b1111),
        ("variant of no field",  encoded(&Phase::Idle),                       10, 0b000),
        ("named fields",         encoded(&waiting(5, 9)),                     10, 0b1001_101_001),
        ("nothing there",        encoded(&Phase::Asking(Light::Green, None)), 10, 0b0_10_010),
        ("something there",      encoded(&asking),                            10, 0b01_1_00_010),
        ("nested array",         encoded(&held),                              10, 0b10_01_011),
        ("braces, nothing else", encoded(&Phase::Gone {}),                    10, 0b100),
        ("a whole word",         encoded(&(u64::MAX, Nothing)),               64, u64::MAX),
        ("no bit to declare",    encoded(&(Zero(0), true)),                    1, 1),
        ("negative number",      encoded(&-2_i8),                              8, 0xfe),
        ("none of a number",     encoded(&None::<u8>),                         9, 0),
        ("some zero",            encoded(&Some(0_u8)),                         9, 1),
        ("tuple",                encoded(&(true, 3_u8, [false, true])),       11, 0b10_0000_0011_1),
    ];
    for (name, encoded, bits, word) in cases {
        assert_eq!(encoded, (bits, Ok(word)), "{name}");
    }
}

/// The width of a value, and its word after it has gone through the word and back.
fn encoded<S: Pack>(value: &S) -> (u32, Result<u64, TooWide>) {
    (S::BITS, pack(value).and_then(|word: u64| pack(&unpack::<S, u64>(word))))
}

#[test]
fn value_beyond_its_bound_is_named_with_its_field() {
    let world = World { phases: [Phase::Idle; 3], offset: 0, moved: None, only: Only::One, owner: 0 };
    let waiting = Phase::Waiting { tries: 6, until: Tick(16) };
    #[rustfmt::skip]
    let cases = [
        (pack::<_, u64>(&World { owner: 3, ..world }),
            "`World::owner` is 3 and is declared to be at most 2 (2 bits)"),
        (pack(&World { phases: [Phase::Idle, waiting, Phase::Idle], owner: 3, ..world }),
            "`Phase::Waiting::tries` is 6 and is declared to be at most 5 (3 bits)"),
        (pack(&Tick(16)), "`Tick::0` is 16 and is declared to be at most 15 (4 bits)"),
    ];
    for (packed, expected) in cases {
        assert_eq!(packed.map_err(|error| error.to_string()), Err(expected.to_owned()));
    }
    assert_eq!(pack::<_, u64>(&Tick(16)), Err(TooWide { field: "Tick::0", value: 16, max: 15 }));
}

/// Fields that lie one behind the other end where the value ends.
#[test]
fn field_has_its_place() {
    let field = |name, begin, bits| Field { name, begin, bits };
    let of_world = [
        field("phases", 0, 30),
        field("offset", 30, 8),
        field("moved", 38, 18),
        field("only", 56, 0),
        field("owner", 56, 2),
    ];
    assert_eq!((World::NAME, World::BITS, World::FIELDS), ("`World`", 58, of_world.as_slice()));
    let of_phase = [
        field("Waiting::tries", 3, 3),
        field("Waiting::until", 6, 4),
        field("Asking::0", 3, 2),
        field("Asking::1", 5, 3),
        field("Held::0", 3, 4),
    ];
    assert_eq!((Phase::NAME, Phase::BITS, Phase::FIELDS), ("`Phase`", 10, of_phase.as_slice()));
    assert_eq!(Slot::<Light, 2>::FIELDS, [field("held", 0, 4), field("type", 4, 0)]);
}

#[test]
fn type_that_is_too_wide_says_which_field_is() {
    #[derive(Pack)]
    struct State {
        _log: [u16; 3],
        _asked: [u16; 3],
        _turn: u32,
        _budget: u16,
        _done: bool,
    }
    #[derive(Pack)]
    enum Mail {
        _Empty,
        _Letter { _text: [u64; 2] },
    }
    #[derive(Pack)]
    struct Pair<T>(T, T);
    #[rustfmt::skip]
    let cases = [
        (misfit::<State>(), Some("`State` needs 145 bits and a packed state has 128: `_budget` (bits 128 to 143) is \
                                  too wide; the widest is `_log` with 48 bits")),
        (misfit::<Mail>(), Some("`Mail` needs 129 bits and a packed state has 128: `_Letter::_text` (bits 1 to 128) is \
                                 too wide")),
        (misfit::<Pair<Pair<u64>>>(), Some("`Pair` needs 256 bits and a packed state has 128: `1` (bits 128 to 255) is \
                                            too wide")),
        (misfit::<[u64; 3]>(), Some("the state needs 192 bits and a packed state has 128")),
        (misfit::<Pair<u64>>(), None),
        (misfit::<World>(), None),
    ];
    for (said, expected) in cases {
        assert_eq!(said.as_deref(), expected);
    }
}

#[test]
#[should_panic(expected = "`Full` needs a word of 128 bits")]
fn long_state_does_not_go_into_a_short_word() {
    let _lost = pack::<_, u64>(&Full { number: None, pair: (0, [0; 3]), last: 0, nothing: Nothing });
}
