//! How many states a search will find, from how many it has found at each distance.
//!
//! The levels of a breadth-first search grow and shrink like a bell: the logarithm of the growth from one level to the
//! next falls about linearly. A line through that of the last levels, drawn on until a level is empty, gives a
//! size; how far the sizes that were found one and two levels earlier lie apart shows how little it is to be trusted.
//! What happens behind a second hump that nothing announces is not to be known. `docs/checker.md` has how good it was.

use std::fmt;

/// Below this many states a search is over before somebody reads an estimate, and its levels are noise.
const STATES_MIN: usize = 10_000;
/// The line goes through this part of the levels,
const WINDOW: usize = 3;
/// but not through fewer growths than these.
const GROWTHS_MIN: usize = 4;
/// More levels than any search has whose growth falls visibly.
const LEVELS_MAX: usize = 1_000;
/// What is still to come is between half and twice what the lines say: with this, the range contained the size that
/// came 94 times of 100 on the recorded searches, and without it 55 times.
const DOUBT: f64 = 2.0;
/// No line is so right that the last digits matter.
const BLUR: f64 = 0.02;
/// A wider range says nothing that the number of states found does not say.
const RANGE_MAX: f64 = 4.0;

/// How many states there are in all, probably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// The levels do not show it yet.
    TooEarly,
    /// Between these.
    Between {
        /// Distinct states, at least.
        low: u64,
        /// Distinct states, at most.
        high: u64,
    },
}

impl Estimate {
    /// From the sizes of the levels that are complete, from that of the initial states on.
    pub fn of(levels: &[usize]) -> Self {
        let found: usize = levels.iter().sum();
        if found < STATES_MIN || levels.len() < 3 {
            return Estimate::TooEarly;
        }
        let sizes = [0, 1, 2].map(|earlier| size(&levels[..levels.len() - earlier]));
        let [Some(now), Some(before), Some(long_before)] = sizes else { return Estimate::TooEarly };
        let least = now.min(before).min(long_before);
        let most = now.max(before).max(long_before);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let found = found as f64;
        let low = (found + (least - found).max(0.0) / DOUBT) * (1.0 - BLUR);
        let high = (found + (most - found).max(0.0) * DOUBT) * (1.0 + BLUR);
        let low = low.max(found);
        if high > low * RANGE_MAX {
            return Estimate::TooEarly;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
        let [low, high] = [low as u64, high.ceil() as u64];
        Estimate::Between { low, high }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Estimate::TooEarly => write!(f, "no estimate yet"),
            Estimate::Between { low, high } => {
                let (unit, letter) = match high {
                    0..1_000_000 => (1_000, "thousand"),
                    1_000_000..1_000_000_000 => (1_000_000, "million"),
                    _ => (1_000_000_000, "billion"),
                };
                let (low, high) = (in_units(*low, unit), in_units(*high, unit));
                if low == high {
                    write!(f, "about {low} {letter} in all")
                } else {
                    write!(f, "about {low} to {high} {letter} in all")
                }
            }
        }
    }
}

/// A number in units, with a digit behind the point where it has only one before it.
fn in_units(number: u64, unit: u64) -> String {
    let tenths = (number * 10 + unit / 2) / unit;
    if tenths < 100 {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        ((number + unit / 2) / unit).to_string()
    }
}

/// The sum of all levels, with those that follow by the line through the last growths.
fn size(levels: &[usize]) -> Option<f64> {
    /// Beyond, nothing is worth to be said.
    const SIZE_MAX: f64 = 1e15;
    let growths = GROWTHS_MIN.max(levels.len() / WINDOW);
    let first = levels.len().checked_sub(growths + 1)?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let sizes: Vec<f64> = levels.iter().map(|size| *size as f64).collect();
    let growths: Vec<f64> = sizes[first..].windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    let (mut growth, slope) = line(&growths);
    let mut total: f64 = sizes.iter().sum();
    let mut level = *sizes.last()?;
    for _ in 0..LEVELS_MAX {
        level *= growth.exp();
        growth += slope;
        total += level;
        if level < 1.0 && slope < 0.0 {
            return Some(total);
        }
        if total > SIZE_MAX {
            return None;
        }
    }
    None
}

/// The line through values at 0, 1, 2 and so on with the least squares: its value behind the last of them, and its
/// slope.
fn line(values: &[f64]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred values at most")]
    let count = values.len() as f64;
    let places = || std::iter::successors(Some(0.0), |place| Some(place + 1.0));
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let along: f64 = places().zip(values).map(|(place, value)| (place - middle) * (value - mean)).sum();
    let across: f64 = places().zip(values).map(|(place, _)| (place - middle) * (place - middle)).sum();
    let slope = along / across;
    (mean + slope * (count - middle), slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_of_a_bell_is_its_size_before_half_of_it_was_seen() {
        // 200,000 times the density of the normal distribution at steps of a quarter: 800,000 in all.
        let bell =
            |step: i32| 200_000.0 * (-f64::from(step * step) / 32.0).exp() / std::f64::consts::TAU.sqrt();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
        let levels: Vec<usize> = (-16..=-2).map(|step| bell(step).round() as usize).collect();
        let found: usize = levels.iter().sum();
        assert_eq!(found, 282_759);
        let Estimate::Between { low, high } = Estimate::of(&levels) else { panic!("it is a bell") };
        // The lines are right; the doubt is about what is still to come.
        assert!((530_000..533_000).contains(&low) && (1_340_000..1_346_000).contains(&high), "{low} {high}");
    }

    #[test]
    fn estimate_comes_when_growth_falls() {
        #[rustfmt::skip]
        let cases: [(&str, &[usize]); 7] = [
            ("no level",                 &[]),
            ("two levels",               &[1, 5_000]),
            ("few states",               &[1, 1_000, 2_000, 2_400, 1_900, 1_000, 300]),
            ("growing as ever",          &[1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]),
            ("growing more and more",    &[1, 2, 8, 64, 1_024, 32_768, 2_097_152]),
            ("as wide as ever",          &[1_000; 40]),
            ("falling by hardly anything", &[1, 1_000, 2_000, 3_990, 7_940, 15_760, 31_200]),
        ];
        for (name, levels) in cases {
            assert_eq!(Estimate::of(levels), Estimate::TooEarly, "{name}");
        }
    }

    #[test]
    fn estimates_are_told_in_round_numbers() {
        let between = |low, high| Estimate::Between { low, high };
        #[rustfmt::skip]
        let cases = [
            (Estimate::TooEarly,                    "no estimate yet"),
            (between(4_649, 9_400),                 "about 4.6 to 9.4 thousand in all"),
            (between(46_490, 999_999),              "about 46 to 1000 thousand in all"),
            (between(1_240_000, 1_860_000),         "about 1.2 to 1.9 million in all"),
            (between(1_240_000, 1_249_999),         "about 1.2 million in all"),
            (between(940_000, 1_860_000),           "about 0.9 to 1.9 million in all"),
            (between(9_960_000, 25_500_000),        "about 10 to 26 million in all"),
            (between(740_000_000, 2_100_000_000),   "about 0.7 to 2.1 billion in all"),
        ];
        for (estimate, expected) in cases {
            assert_eq!(estimate.to_string(), expected);
        }
    }
}
