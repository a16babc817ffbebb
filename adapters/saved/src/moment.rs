//! Moments and lengths of time, for people.

use jiff::Timestamp;

/// A moment in milliseconds since 1970, as a date and a time in UTC; as a number where that is no year of four digits.
pub(crate) fn moment(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

/// The same where a moment may be unknown: ` at …`, or nothing.
pub(crate) fn at(ms: Option<i64>) -> String {
    ms.map(|ms| format!(" at {}", moment(ms))).unwrap_or_default()
}

/// A length of time in its two largest units.
pub(crate) fn length(ms: i64) -> String {
    let seconds = ms / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else {
        format!("{}.{} s", seconds, ms % 1000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_of_the_calendar() {
        #[rustfmt::skip]
        let cases = [
            (0, "1970-01-01 00:00:00"),
            (951_782_399_000, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_757_845_351_999, "2025-09-14 10:22:31"),
            (-1, "1969-12-31 23:59:59"),
        ];
        for (ms, expected) in cases {
            assert_eq!(moment(ms), expected);
        }
        // No number in a file makes it fail.
        moment(i64::MAX);
        moment(i64::MIN);
    }

    #[test]
    fn lengths_have_two_units() {
        let lengths = [900, 59_000, 61_000, 3_660_000, 90_000_000].map(length);
        assert_eq!(lengths, ["0.9 s", "59.0 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
    }
}
