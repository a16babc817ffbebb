//! Traces in few words: `request-started p turn=1` is an event whose first field is `p`, and whose `turn` is 1.

use downbeat_trace::{Kind, Limits, Monitor, Property, Read, Reader, Verdict};

/// The lines of a trace that is written in few words, one event a line.
pub(crate) fn lines(words: &str) -> String {
    words.lines().map(str::trim).filter(|line| !line.is_empty()).map(line).collect()
}

fn line(words: &str) -> String {
    let mut words = words.split_whitespace();
    let name = words.next().expect("a kind");
    let kind = Kind::of(name).unwrap_or_else(|| panic!("there is no `{name}`"));
    let mut object = serde_json::Map::new();
    object.insert("event".to_owned(), name.into());
    for word in words {
        let (field, value) = word.split_once('=').unwrap_or_else(|| (kind.needs()[0].name(), word));
        let value = match (field, value.parse::<f64>()) {
            ("at_ms", Ok(at_ms)) => at_ms.into(),
            _ => value.into(),
        };
        object.insert(field.to_owned(), value);
    }
    format!("{}\n", serde_json::Value::from(object))
}

/// Judges the lines of a trace.
pub(crate) fn judged_within(limits: Limits, lines: &str) -> Monitor {
    let mut monitor = Monitor::new(limits);
    let mut reader = Reader::new(lines.as_bytes());
    loop {
        match reader.read().expect("it is a trace") {
            Read::Event { place, event, text } => monitor.take(place, &event, text),
            Read::Other => {}
            Read::Pending => return monitor,
        }
    }
}

/// Judges a trace that is written in few words.
pub(crate) fn judged(words: &str) -> Monitor {
    judged_within(Limits::default(), &lines(words))
}

/// What is known of one promise.
pub(crate) fn verdict(monitor: &Monitor, property: Property, is_whole: bool) -> Verdict {
    let verdicts = monitor.verdicts(is_whole);
    verdicts.into_iter().find(|(other, _)| *other == property).expect("every promise has a verdict").1
}

/// The ids of the promises that are broken.
pub(crate) fn broken(monitor: &Monitor, is_whole: bool) -> Vec<&'static str> {
    let verdicts = monitor.verdicts(is_whole);
    let broken = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Broken(_)));
    broken.map(|(property, _)| property.id()).collect()
}
