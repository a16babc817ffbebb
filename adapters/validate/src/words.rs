//! What an event is in words, and between whom it happens.

use std::fmt::Write as _;

use downbeat_sim::model::Told;
use downbeat_sim::report::{Counterexample, Step};
use downbeat_trace::{self as trace, Breach, Event, Field, Kind, Place};

use jiff::Timestamp;

use crate::explained::Shown;

/// A pause before an event that is told of.
const LATER_MS: f64 = 1_000.0;

/// Who takes part in what is drawn.
struct Lanes {
    names: Vec<String>,
}

impl Lanes {
    fn of(&mut self, name: String) -> usize {
        self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }
}

/// What came before a breach, as a sequence of arrows.
pub(crate) fn drawn(breach: &Breach) -> Counterexample {
    let mut lanes = Lanes { names: vec!["person".to_owned()] };
    let mut before = None;
    let steps = breach.context.iter().filter_map(|shown| step(shown, &mut lanes, &mut before)).collect();
    let explanation = sentence(breach);
    Counterexample { lanes: lanes.names, opening: String::new(), steps, lasso_start: None, explanation }
}

/// A run as a sequence of arrows, and who takes part.
pub(crate) fn steps(run: &[Shown<'_>], root: &str) -> (Vec<String>, Vec<Step>) {
    let mut lanes = Lanes { names: vec!["person".to_owned()] };
    let mut before = None;
    let step = |shown: &Shown<'_>| match shown {
        Shown::Observed(place, event) => arrow(*place, event, &mut lanes, &mut before),
        Shown::Unobserved(words) => {
            let own = lanes.of(root.to_owned());
            Step { action: (*words).to_owned(), told: Told::new(own, own, format!("unobserved: {words}")) }
        }
    };
    let steps = run.iter().map(step).collect();
    (lanes.names, steps)
}

/// A breach in one sentence: what happened, where, and whose it was.
pub(crate) fn sentence(breach: &Breach) -> String {
    let mut sentence = String::new();
    if breach.moment.place.line > 0 {
        sentence = format!("{}: ", breach.moment.place);
    }
    sentence += breach.fault.words();
    if !breach.of.is_empty() {
        let _ = write!(sentence, " ({})", breach.of);
    }
    sentence
}

/// A line that is shown, as a step; `before` is the time of the one before it.
fn step(shown: &trace::Shown, lanes: &mut Lanes, before: &mut Option<f64>) -> Option<Step> {
    Some(arrow(shown.place, &shown.event()?, lanes, before))
}

fn arrow(place: Place, event: &Event<'_>, lanes: &mut Lanes, before: &mut Option<f64>) -> Step {
    let (from, to) = ends(event, lanes);
    let text = format!("{} ({place})", text(event));
    let later = event.at_ms.zip(*before).map(|(now, before)| now - before).filter(|later| *later >= LATER_MS);
    let change = match (event.at_ms, before.is_none()) {
        (Some(at_ms), true) => format!("at {}", clock(at_ms)),
        _ => later.map_or_else(String::new, |later| format!("{} later", span(later))),
    };
    *before = event.at_ms.or(*before);
    Step { action: event.line(), told: Told { change, ..Told::new(from, to, text) } }
}

/// Between whom something happens.
fn ends(event: &Event<'_>, lanes: &mut Lanes) -> (usize, usize) {
    let named = |field: Field| event.get(field).map(ToString::to_string);
    let who = named(Field::Task)
        .or_else(|| named(Field::Credential))
        .or_else(|| named(Field::Agent))
        .unwrap_or_else(|| "process".to_owned());
    let person = |lanes: &mut Lanes| lanes.of("person".to_owned());
    let own = lanes.of(who);
    match event.kind {
        Kind::RequestStarted => (own, lanes.of("model".to_owned())),
        Kind::RequestEnded | Kind::ToolCall => (lanes.of("model".to_owned()), own),
        Kind::RequestDelta | Kind::MessageReturned | Kind::Question | Kind::Notified => (own, person(lanes)),
        Kind::MessageQueued | Kind::Answer | Kind::Interrupt | Kind::Pause | Kind::Resume | Kind::Cancel => {
            (person(lanes), own)
        }
        Kind::TaskStarted => (named(Field::Parent).map_or(own, |parent| lanes.of(parent)), own),
        Kind::ResultDelivered => (named(Field::Child).map_or(own, |child| lanes.of(child)), own),
        Kind::RefreshStarted => (own, lanes.of("server".to_owned())),
        Kind::RefreshEnded => (lanes.of("server".to_owned()), own),
        Kind::AgentAssigned | Kind::AgentActive => {
            (named(Field::Agent).map_or(own, |agent| lanes.of(agent)), own)
        }
        Kind::TaskEnded
        | Kind::ToolStarted
        | Kind::ToolResult
        | Kind::MessageDelivered
        | Kind::CredentialStored
        | Kind::AgentReleased
        | Kind::IteratorStarted
        | Kind::IteratorEnded
        | Kind::CallEntered
        | Kind::CallLeft
        | Kind::LockWaited
        | Kind::LockTaken
        | Kind::LockReleased
        | Kind::Restart => (own, own),
    }
}

/// What happens, without who: that is shown by the arrow.
fn text(event: &Event<'_>) -> String {
    let mut text = event.kind.name().replace('-', " ");
    let is_shown = |field: Field| match field {
        Field::Task | Field::Parent | Field::Child | Field::Credential | Field::Content | Field::Token => {
            false
        }
        Field::Agent => event.get(Field::Task).is_none(),
        Field::Attempt => event.number(Field::Attempt) != Some(0),
        Field::Request
        | Field::Turn
        | Field::Call
        | Field::Message
        | Field::Question
        | Field::Settles
        | Field::Generation
        | Field::Epoch
        | Field::Iterator
        | Field::Notification => true,
    };
    for (field, name) in event.said().filter(|(field, _)| is_shown(*field)) {
        let _ = write!(text, ", {} {name}", field.name());
    }
    if let Some(end) = event.end {
        let _ = write!(text, ": {}", end.name());
    }
    text
}

/// A time of a trace: a date if it is one since 1970, in UTC, else seconds.
pub(crate) fn clock(at_ms: f64) -> String {
    // Times before 2001 are those of a clock of the trace's own.
    const FIRST_DATE_MS: f64 = 978_307_200_000.0;
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit is no date")]
    let date = Timestamp::from_millisecond(at_ms as i64).ok().filter(|_| at_ms >= FIRST_DATE_MS);
    match date {
        Some(date) => date.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        None => format!("{:.3} s", at_ms / 1_000.0),
    }
}

/// How long something took.
pub(crate) fn span(ms: f64) -> String {
    if ms < 1_000.0 {
        return format!("{ms:.0} ms");
    }
    if ms < 120_000.0 {
        return format!("{:.1} s", ms / 1_000.0);
    }
    let minutes = (ms / 60_000.0).floor();
    if minutes < 120.0 {
        return format!("{minutes:.0} min {:.0} s", ((ms - minutes * 60_000.0) / 1_000.0).floor());
    }
    format!("{:.1} h", ms / 3_600_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_seconds() {
        #[rustfmt::skip]
        let cases = [
            (0.0, "0.000 s"),
            (1_234.5, "1.234 s"),
            (978_307_200_000.0, "2001-01-01 00:00:00.000"),
            (1_709_210_096_789.0, "2024-02-29 12:34:56.789"),
            (1_735_689_599_999.0, "2024-12-31 23:59:59.999"),
            (1e18, "1000000000000000.000 s"),
        ];
        for (at_ms, expected) in cases {
            assert_eq!(clock(at_ms), expected);
        }
    }

    #[test]
    fn spans_are_told_in_two_units_at_most() {
        #[rustfmt::skip]
        let cases = [
            (0.0, "0 ms"),
            (999.4, "999 ms"),
            (1_500.0, "1.5 s"),
            (125_000.0, "2 min 5 s"),
            (7_200_000.0, "2.0 h"),
        ];
        for (ms, expected) in cases {
            assert_eq!(span(ms), expected);
        }
    }
}
