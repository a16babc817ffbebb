//! Times and spans for people. Times are in UTC.

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Milliseconds since 1970 as `2023-11-14 22:13:20.000Z`.
pub(crate) fn stamp(at_ms: u64) -> String {
    let (day_ms, (year, month, day)) = (at_ms % DAY_MS, date(at_ms / DAY_MS));
    let (hour, minute) = (day_ms / HOUR_MS, day_ms / MINUTE_MS % 60);
    let (second, milli) = (day_ms / SECOND_MS % 60, day_ms % SECOND_MS);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The date so many days after the first of January 1970, in the Gregorian calendar. Years are counted from March, so that the day that
/// some have more is their last.
fn date(days: u64) -> (u64, u64, u64) {
    // From the first of March of the year 0; 400 years have 146,097 days.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
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
            (u64::MAX,          "584556019-04-03 14:25:51.615Z"),
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
