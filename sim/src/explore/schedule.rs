//! The choices of one execution, as a list that can be written down.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// All that decides how an execution goes: a seed for [`downbeat_rt::Runtime::random`], and the choice at each place where there are several
/// alternatives. Where it says nothing, the first one is taken: of several tasks the one that has been ready longest, of several
/// possibilities of the world the first.
///
/// It is written as `seed=0x51f2 3:1 17:2`: at the fourth place (they count from 0) the second alternative, at the eighteenth the
/// third.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schedule {
    seed: u64,
    /// Choices other than the first, by place.
    others: BTreeMap<usize, usize>,
}

impl Schedule {
    /// The one that always takes the first alternative.
    pub fn first(seed: u64) -> Self {
        Self { seed, others: BTreeMap::new() }
    }

    /// The choices in order, behind the last of which is always the first alternative.
    pub fn new(seed: u64, choices: impl IntoIterator<Item = usize>) -> Self {
        let others = choices.into_iter().enumerate().filter(|(_, taken)| *taken > 0).collect();
        Self { seed, others }
    }

    /// What numbers that look random are drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The choice at a place, counted from 0.
    pub fn choice(&self, place: usize) -> usize {
        self.others.get(&place).copied().unwrap_or(0)
    }

    /// The choices other than the first, by place.
    pub fn deviations(&self) -> impl ExactSizeIterator<Item = (usize, usize)> {
        self.others.iter().map(|(place, taken)| (*place, *taken))
    }

    /// The same with these choices other than the first.
    pub(super) fn with(&self, others: impl IntoIterator<Item = (usize, usize)>) -> Self {
        Self { seed: self.seed, others: others.into_iter().filter(|(_, taken)| *taken > 0).collect() }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed={:#x}", self.seed)?;
        self.others.iter().try_for_each(|(place, taken)| write!(f, " {place}:{taken}"))
    }
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleError {
    /// It does not begin with a seed, as in `seed=0x51f2`.
    Seed(String),
    /// This is no place with the number of an alternative other than 0, as in `17:2`.
    Choice(String),
    /// This place is not behind the one before.
    Order(usize),
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(word) => write!(f, "`{word}` is no seed: a schedule begins as in `seed=0x51f2`"),
            Self::Choice(word) => write!(f, "`{word}` is no choice, as in `17:2`"),
            Self::Order(place) => write!(f, "place {place} is not behind the one before it"),
        }
    }
}

impl std::error::Error for ScheduleError {}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or("");
        let seed = first.strip_prefix("seed=0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let seed = seed.ok_or_else(|| ScheduleError::Seed(first.to_owned()))?;
        let mut others = BTreeMap::new();
        for word in words {
            let choice = || {
                let (place, taken) = word.split_once(':')?;
                Some((place.parse().ok()?, taken.parse().ok().filter(|taken| *taken > 0)?))
            };
            let (place, taken) = choice().ok_or_else(|| ScheduleError::Choice(word.to_owned()))?;
            if others.last_key_value().is_some_and(|(last, _)| *last >= place) {
                return Err(ScheduleError::Order(place));
            }
            others.insert(place, taken);
        }
        Ok(Self { seed, others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule_is_read_as_it_is_written() {
        let schedule = Schedule::new(0x51f2, [0, 0, 0, 1, 0, 2, 0]);
        assert_eq!(schedule.to_string(), "seed=0x51f2 3:1 5:2");
        assert_eq!("seed=0x51f2 3:1 5:2".parse(), Ok(schedule.clone()));
        assert_eq!((schedule.choice(3), schedule.choice(4), schedule.choice(99)), (1, 0, 0));
        assert_eq!("seed=0x0".parse(), Ok(Schedule::first(0)));
    }

    #[test]
    fn text_that_is_no_schedule_is_refused_with_the_reason() {
        let (seed, choice) = (ScheduleError::Seed, ScheduleError::Choice);
        #[rustfmt::skip]
        let cases = [
            ("",                   seed(String::new())),
            ("3:1",                seed("3:1".into())),
            ("seed=12",            seed("seed=12".into())),
            ("seed=0xg",           seed("seed=0xg".into())),
            ("seed=0x1 3",         choice("3".into())),
            ("seed=0x1 3:0",       choice("3:0".into())),
            ("seed=0x1 3:1 -4:1",  choice("-4:1".into())),
            ("seed=0x1 3:1 3:2",   ScheduleError::Order(3)),
            ("seed=0x1 3:1 2:2",   ScheduleError::Order(2)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Schedule>(), Err(expected), "{text}");
        }
    }
}
