//! Moments and lengths of time, for people.

/// A moment in milliseconds since 1970, as a date and a time in UTC.
pub(crate) fn moment(ms: i64) -> String {
    let (days, ms_of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Years from March, so that the day that is added every four years is the last of its year; in eras of 400 years.
    // The parts are those of the proleptic Gregorian calendar.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let second = ms_of_day / 1000;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
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
