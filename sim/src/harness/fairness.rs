//! The fairness on which what was decided about liveness rests, in words.

use crate::diagram::{Canvas, Ink};
use crate::model::Strength;
use crate::report::{FairAction, Report, Verdict};

/// One line below the row of a variant; nothing if nothing was decided about liveness.
///
/// `liveness rests on weak fairness of 24 actions (6 of them never enabled); --coverage names them`
pub(super) fn short(report: &Report) -> Option<String> {
    let mut liveness = report.properties.iter().filter(|property| property.kind.is_liveness());
    if !liveness.any(|property| property.verdict != Verdict::Incomplete) {
        return None;
    }
    let of = |strength| report.fairness.iter().filter(|action| action.strength == strength).count();
    let idle = report.fairness.iter().filter(|action| action.is_enabled == Some(false)).count();
    let idle = if idle == 0 { String::new() } else { format!(" ({idle} of them never enabled)") };
    let rests_on = match (of(Strength::Weak), of(Strength::Strong)) {
        (0, 0) => return Some("liveness rests on no fairness".to_owned()),
        (weak, 0) => format!("weak fairness of {}", actions(weak)),
        (0, strong) => format!("strong fairness of {}", actions(strong)),
        (weak, strong) => format!("weak fairness of {} and strong fairness of {strong}", actions(weak)),
    };
    let pronoun = if report.fairness.len() == 1 { "it" } else { "them" };
    Some(format!("liveness rests on {rests_on}{idle}; --coverage names {pronoun}"))
}

/// One line for each fair action.
pub(super) fn list(canvas: &mut Canvas, fairness: &[FairAction]) {
    for FairAction { name, strength, is_enabled } in fairness {
        let (never, ink) = match is_enabled {
            Some(false) => (", never enabled", Ink::Loop),
            Some(true) | None => ("", Ink::Normal),
        };
        canvas.put(&format!("  {} fair: {name}{never}", adverb(*strength)), ink);
        canvas.end_line();
    }
}

/// The name used in reports.
pub(super) fn adjective(strength: Strength) -> &'static str {
    match strength {
        Strength::Weak => "weak",
        Strength::Strong => "strong",
    }
}

fn adverb(strength: Strength) -> &'static str {
    match strength {
        Strength::Weak => "weakly",
        Strength::Strong => "strongly",
    }
}

fn actions(count: usize) -> String {
    format!("{count} {}", if count == 1 { "action" } else { "actions" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::diagram::Style;
    use crate::model::Strength::{Strong, Weak};
    use crate::report::{Coverage, Kind, PropertyReport, Storage};

    fn action(name: &str, strength: Strength, is_enabled: Option<bool>) -> FairAction {
        FairAction { name: name.to_owned(), strength, is_enabled }
    }

    fn report(verdict: Verdict, kind: Kind, fairness: &[FairAction]) -> Report {
        let property = PropertyReport {
            id: "L1",
            name: "",
            kind,
            verdict,
            undecided: None,
            counterexample: None,
            is_shortest: false,
        };
        Report {
            properties: vec![property],
            distinct: 1,
            generated: 1,
            depth: 0,
            audited: 1,
            coverage: Coverage::default(),
            fairness: fairness.to_vec(),
            storage: Storage::Exact,
            reduction: None,
            elapsed: Duration::ZERO,
            stopped_by: None,
        }
    }

    #[test]
    fn fairness_is_told_where_liveness_was_decided() {
        let all = [
            action("a", Weak, Some(true)),
            action("b", Weak, Some(false)),
            action("c", Strong, Some(true)),
            action("d", Strong, None),
        ];
        let (holds, leads) = (Verdict::Holds, Kind::LeadsTo);
        #[rustfmt::skip]
        let cases = [
            (report(holds, leads, &all[..1]),  Some("liveness rests on weak fairness of 1 action; --coverage names it")),
            (report(holds, leads, &all[..2]),  Some("liveness rests on weak fairness of 2 actions (1 of them never enabled); --coverage names them")),
            (report(holds, leads, &all[2..]),  Some("liveness rests on strong fairness of 2 actions; --coverage names them")),
            (report(Verdict::Violated, leads, &all),
                Some("liveness rests on weak fairness of 2 actions and strong fairness of 2 (1 of them never enabled); --coverage names them")),
            (report(holds, Kind::Eventually, &[]), Some("liveness rests on no fairness")),
            (report(Verdict::Incomplete, leads, &all), None),
            (report(holds, Kind::Always, &all), None),
        ];
        for (report, expected) in cases {
            assert_eq!(short(&report).as_deref(), expected);
        }
        let mut canvas = Canvas::new(Style::Plain);
        list(&mut canvas, &all);
        let expected =
            "  weakly fair: a\n  weakly fair: b, never enabled\n  strongly fair: c\n  strongly fair: d\n";
        assert_eq!(canvas.finish(), expected);
    }
}
