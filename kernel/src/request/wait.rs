//! How long a request waits before it is sent again.

use crate::backoff::doubled;
use crate::config::Config;
use crate::vocabulary::Attempt;

/// Milliseconds before the attempt after `failed` is sent.
///
/// `backoff_ms` x 2^`failed`, at most `backoff_ms_max`; or what the provider asked for, `retry_after_ms`, plus a margin.
/// `jitter_ms` comes in with the event, because the kernel has no randomness.
pub(super) fn backoff(config: &Config, failed: Attempt, retry_after_ms: Option<u32>, jitter_ms: u32) -> u64 {
    let wait = if let Some(asked) = retry_after_ms {
        u64::from(asked) + u64::from(config.retry_after_margin_ms)
    } else {
        doubled(config.backoff_ms, u32::from(failed.0), config.backoff_ms_max)
    };
    wait + u64::from(jitter_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_its_bound_unless_the_provider_says_when() {
        #[rustfmt::skip]
        let cases = [
            ("first failure",                0,  None,            0, 5_000),
            ("second failure",               1,  None,            0, 10_000),
            ("seventh failure",              6,  None,            0, 320_000),
            ("eighth failure is bounded",    7,  None,            0, 600_000),
            ("a shift past 64 bits",       200,  None,            0, 600_000),
            ("the provider names a time",    3,  Some(20_000),    0, 21_000),
            ("the longest time it can name", 0,  Some(u32::MAX),  0, 4_294_968_295),
            ("jitter is added",              0,  None,          250, 5_250),
        ];
        for (name, failed, retry_after_ms, jitter_ms, expected) in cases {
            let wait = backoff(&Config::default(), Attempt(failed), retry_after_ms, jitter_ms);
            assert_eq!(wait, expected, "{name}");
        }
    }
}
