//! How long a request waits before it is sent again.

use crate::backoff::doubled;
use crate::config::Config;

/// Milliseconds before the next attempt, of a request that has waited `waits` times.
///
/// `backoff_ms` x 2^`waits`, at most `backoff_ms_max`; or what the provider asked for, `retry_after_ms`, plus a margin.
/// `jitter_ms` comes in with the event, because the kernel has no randomness; it no more than doubles the wait.
pub(super) fn backoff(config: &Config, waits: u32, retry_after_ms: Option<u32>, jitter_ms: u32) -> u64 {
    let wait = if let Some(asked) = retry_after_ms {
        u64::from(asked) + u64::from(config.retry_after_margin_ms)
    } else {
        doubled(config.backoff_ms, waits, config.backoff_ms_max)
    };
    wait + u64::from(jitter_ms).min(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_its_bound_unless_the_provider_says_when() {
        #[rustfmt::skip]
        let cases = [
            ("first wait",                0,  None,            0, 5_000),
            ("second wait",               1,  None,            0, 10_000),
            ("seventh wait",              6,  None,            0, 320_000),
            ("eighth wait is bounded",    7,  None,            0, 600_000),
            ("a shift past 64 bits",       200,  None,            0, 600_000),
            ("the provider names a time",    3,  Some(20_000),    0, 21_000),
            ("the longest time it can name", 0,  Some(u32::MAX),  0, 4_294_968_295),
            ("jitter is added",              0,  None,          250, 5_250),
            ("jitter has a bound",           0,  None,     u32::MAX, 10_000),
        ];
        for (name, waits, retry_after_ms, jitter_ms, expected) in cases {
            let wait = backoff(&Config::default(), waits, retry_after_ms, jitter_ms);
            assert_eq!(wait, expected, "{name}");
        }
    }
}
