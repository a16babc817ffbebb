//! The name that was probably meant.

use crate::edits::edits;

/// The known name that is nearest to `name`, if it is near enough that a slip explains the difference: a third
/// of the letters, at least one, or that one begins with the other.
pub(super) fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    let distance = |candidate: &&String| {
        let candidate = candidate.to_lowercase();
        let begins = lower.len() > 1 && (candidate.starts_with(&lower) || lower.starts_with(&candidate));
        if begins { 1 } else { edits(&lower, &candidate) }
    };
    let nearest = known.iter().min_by_key(distance)?;
    (distance(&nearest) <= allowed).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_name_is_one_that_a_slip_explains() {
        let known = ["door", "watch", "token-refresh", "S1", "S12"].map(String::from);
        #[rustfmt::skip]
        let cases = [
            ("dor",            Some("door")),
            ("wacht",          None),
            ("watchh",         Some("watch")),
            ("token",          Some("token-refresh")),
            ("token-refrehs",  Some("token-refresh")),
            ("s1",             Some("S1")),
            ("S2",             Some("S1")),
            ("elephant",       None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
