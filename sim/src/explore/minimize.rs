//! Fewer choices that lead to the same end.

use super::schedule::Schedule;

/// A schedule of which `leads` is true, with few choices other than the first: none of them can be left out, or be replaced by a
/// lesser one, so that it is still true of what remains. It is asked at most `attempts` times; what has come out by then is
/// returned.
///
/// `leads` runs a schedule. If that comes to the end that is looked for, it returns the choices that were in effect, which may be
/// others than were asked for: a choice that is left out makes different places of those behind it.
pub(super) fn minimize(
    schedule: &Schedule,
    attempts: usize,
    mut leads: impl FnMut(&Schedule) -> Option<Schedule>,
) -> Schedule {
    let mut best = schedule.clone();
    let mut left = attempts;
    let mut attempt = |candidate: &Schedule, best: &mut Schedule| {
        if left == 0 {
            return false;
        }
        left -= 1;
        match leads(candidate) {
            Some(found) if is_less(&found, best) => {
                *best = found;
                true
            }
            Some(_) | None => false,
        }
    };
    loop {
        let before = best.clone();
        // Delta debugging: pieces are left out, large ones first.
        let mut size = best.deviations().len();
        while size > 0 {
            let mut from = 0;
            while from < best.deviations().len() {
                let rest = best.deviations().enumerate().filter(|(at, _)| !(from..from + size).contains(at));
                let candidate = best.with(rest.map(|(_, choice)| choice));
                if !attempt(&candidate, &mut best) {
                    from += size;
                }
            }
            size /= 2;
        }
        let mut at = 0;
        loop {
            let Some((place, taken)) = best.deviations().nth(at) else { break };
            let lesser = (1..taken).any(|less| {
                let others = best.deviations().filter(|(other, _)| *other != place).chain([(place, less)]);
                let candidate = best.with(others);
                attempt(&candidate, &mut best)
            });
            at += usize::from(!lesser);
        }
        if best == before {
            return best;
        }
    }
}

/// Fewer choices other than the first are less; of as many, lesser ones.
fn is_less(one: &Schedule, other: &Schedule) -> bool {
    let size = |schedule: &Schedule| {
        (schedule.deviations().len(), schedule.deviations().map(|(_, taken)| taken).sum::<usize>())
    };
    size(one) < size(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let noisy = Schedule::new(7, [1, 0, 3, 2, 1, 1, 4, 0, 2, 1]);
        // Needs a choice of at least 2 at place 3, and anything at place 8.
        let needed = |schedule: &Schedule| schedule.choice(3) >= 2 && schedule.choice(8) > 0;
        let leads = |schedule: &Schedule| needed(schedule).then(|| schedule.clone());
        assert_eq!(minimize(&noisy, 1_000, leads).to_string(), "seed=0x7 3:2 8:1");
    }

    #[test]
    fn attempts_are_bounded() {
        let noisy = Schedule::new(0, [1; 64]);
        let mut asked = 0;
        let leads = |schedule: &Schedule| {
            asked += 1;
            Some(schedule.clone()).filter(|schedule| schedule.choice(0) > 0)
        };
        let minimized = minimize(&noisy, 3, leads);
        assert_eq!(asked, 3);
        assert!(minimized.deviations().len() < 64 && minimized.choice(0) == 1, "{minimized}");
    }
}
