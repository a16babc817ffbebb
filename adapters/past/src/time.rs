//! Times and spans for people. Times are in UTC.

use jiff::Timestamp;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Milliseconds since 1970 as `2023-11-14 22:13:20.000Z`; as a number beyond the year 9999.
pub(crate) fn stamp(at_ms: u64) -> String {
    match i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        Some(time) => time.strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string(),
        None => format!("{at_ms} ms"),
    }
}

/// A span, in its two largest units.
pub(crate) fn span(ms: u64) -> String {
    let two = |first: u64, unit: &str, second: u64, below: &str| match second {
        0 => format!("{first} {unit}"),
        second => format!("{first} {unit} {second} {below}"),
    };
    match ms {
        0..SECOND_MS => format!("{ms} ms"),
        SECOND_MS..MINUTE_MS => format!("{}.{} s", ms / SECOND_MS, ms % SECOND_MS / 100),
        MINUTE_MS..HOUR_MS => two(ms / MINUTE_MS, "min", ms / SECOND_MS % 60, "s"),
        HOUR_MS..DAY_MS => two(ms / HOUR_MS, "h", ms / MINUTE_MS % 60, "min"),
        DAY_MS.. => two(ms / DAY_MS, "d", ms / HOUR_MS % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        #[rustfmt::skip]
        let cases = [
            (0,                 "1970-01-01 00:00:00.000Z"),
            (951_782_399_999,   "2000-02-28 23:59:59.999Z"),
            (951_782_400_000,   "2000-02-29 00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14 22:13:20.123Z"),
            (4_107_542_400_000, "2100-03-01 00:00:00.000Z"),
            (253_402_207_200_001, "253402207200001 ms"),
            (u64::MAX,          "18446744073709551615 ms"),
        ];
        for (at_ms, expected) in cases {
            assert_eq!(stamp(at_ms), expected);
        }
    }

    #[test]
    fn spans_have_two_units() {
        let spans = [0, 999, 1_000, 59_940, 60_000, 243_000, 3_600_000, 5_400_000, 90_000_000].map(span);
        let expected =
            ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min", "4 min 3 s", "1 h", "1 h 30 min", "1 d 1 h"];
        assert_eq!(spans, expected);
    }
}
