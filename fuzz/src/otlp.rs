//! Any bytes as spans.

use downbeat_trace::{Event, Kind, Line, Monitor, Otlp, Verdict};

/// What follows from spans.
const FOLLOW: [Kind; 5] =
    [Kind::TaskStarted, Kind::TaskEnded, Kind::RequestStarted, Kind::RequestEnded, Kind::ToolStarted];

/// Reads bytes as OTLP, and judges what follows. Says how many events that is.
///
/// # Panics
/// If events are not in the order of time, one of them changes on its way as a line, a request ends that has not begun, or something is
/// *kept* although spans are missing.
pub fn spans(bytes: &[u8]) -> u64 {
    let otlp = Otlp::read(bytes);
    let mut monitor = Monitor::default();
    if otlp.has_gap() {
        monitor.gap();
    }
    let mut in_flight = 0_u64;
    for (place, event) in otlp.events() {
        assert!(FOLLOW.contains(&event.kind), "no span says {:?}", event.kind);
        in_flight += u64::from(event.kind == Kind::RequestStarted);
        let ended = u64::from(event.kind == Kind::RequestEnded);
        in_flight = in_flight.checked_sub(ended).expect("it has begun");
        let line = event.line();
        assert_eq!(read(&line).as_ref(), Some(&event), "an event changed on its way: {line}");
        monitor.take(place, &event, line.as_bytes());
    }
    assert_eq!(in_flight, 0, "each request has its end");
    assert_eq!(monitor.backwards(), 0, "in the order of time");
    let is_kept = |verdict: &Verdict| matches!(verdict, Verdict::Kept(_));
    let kept = monitor.verdicts(true).iter().filter(|(_, verdict)| is_kept(verdict)).count();
    assert!(kept == 0 || !otlp.has_gap(), "nothing is kept where spans are missing");
    monitor.events()
}

fn read(line: &str) -> Option<Event<'_>> {
    match Line::read(line.as_bytes()) {
        Ok(Line::Event(event, 0)) => Some(event),
        Ok(Line::Event(..) | Line::Unknown(_)) | Err(_) => None,
    }
}

/// The same, for a fuzzer.
///
/// # Panics
/// As [`spans`].
pub fn otlp(bytes: &[u8]) {
    spans(bytes);
}
