//! How long to wait before something is tried once more.

/// `first_ms` doubled `times` times, at most `max_ms`; in milliseconds.
pub(crate) fn doubled(first_ms: u32, times: u32, max_ms: u32) -> u64 {
    let factor = 1_u64.checked_shl(times).unwrap_or(u64::MAX);
    u64::from(first_ms).saturating_mul(factor).min(u64::from(max_ms))
}

#[cfg(test)]
mod tests {
    use super::doubled;

    #[test]
    fn a_wait_doubles_up_to_its_bound() {
        #[rustfmt::skip]
        let cases = [
            ("the first",             doubled(1_000, 0, 600_000),          1_000),
            ("the fourth",            doubled(1_000, 3, 600_000),          8_000),
            ("the last below",        doubled(1_000, 9, 600_000),        512_000),
            ("the bound",             doubled(1_000, 10, 600_000),       600_000),
            ("past any word",         doubled(u32::MAX, 64, u32::MAX), 4_294_967_295),
            ("a bound below the first", doubled(1_000, 0, 10),                10),
        ];
        for (name, is, ought) in cases {
            assert_eq!(is, ought, "{name}");
        }
    }
}
