//! Any bytes as a recorded trace.

use downbeat_trace::{Limits, Line, Merged, Monitor, Read, Reader, TraceError};

/// So few that every bound is reached.
const LIMITS: Limits = Limits { live_max: 3, ended_max: 2, notable_max: 1, others_max: 2 };

/// Reads bytes as the lines of a trace, and judges those that are events.
///
/// # Panics
/// If an event changes when it is written again.
pub fn trace(bytes: &[u8]) {
    judged(bytes);
}

/// The same, with how many events there were.
///
/// # Panics
/// As [`trace`].
pub fn judged(bytes: &[u8]) -> u64 {
    let mut monitors = [Monitor::default(), Monitor::new(LIMITS)];
    let mut reader = Reader::new(bytes);
    while goes_on(&mut monitors, reader.read()) {}
    goes_on(&mut monitors, reader.rest());
    merged(bytes);
    for monitor in &mut monitors {
        assert_eq!(monitor.verdicts(true).len(), monitor.verdicts(false).len());
        assert!(monitor.open().len() as u64 <= monitor.tasks());
        monitor.news();
    }
    monitors[0].events()
}

/// Reads them as several files, one behind each byte of zero, in one order.
fn merged(bytes: &[u8]) {
    let mut merged = Merged::new(bytes.split(|byte| *byte == 0));
    let mut last_ms = f64::NEG_INFINITY;
    loop {
        match merged.read() {
            Ok(Read::Event { event, .. }) => {
                let at_ms = event.at_ms.unwrap_or(last_ms);
                assert!(at_ms >= last_ms, "{at_ms} after {last_ms}");
                last_ms = at_ms;
            }
            Ok(Read::Other) => {}
            Ok(Read::Pending) => break,
            Err(why) if why.is_cut() => {}
            Err(_) => break,
        }
    }
}

/// Takes what was read; whether there may be more.
fn goes_on(monitors: &mut [Monitor], read: Result<Read<'_>, TraceError>) -> bool {
    match read {
        Ok(Read::Event { place, event, text }) => {
            let written = event.line();
            let Ok(Line::Event(again, 0)) = Line::read(written.as_bytes()) else {
                panic!("{written} is no event")
            };
            // A time may differ in its last digit.
            let is_same = again.kind == event.kind && again.end == event.end && again.said().eq(event.said());
            assert!(is_same, "{written}");
            for monitor in monitors {
                monitor.take(place, &event, text);
            }
            true
        }
        // A line that is no event is behind the reader.
        Ok(Read::Other) | Err(TraceError::NoEvent { .. }) => true,
        Ok(Read::Pending) | Err(_) => false,
    }
}
