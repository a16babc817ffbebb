//! What an event of `tracing` says, in as few bytes as it can be kept in.

use std::fmt::Debug;

use downbeat_trace::{End, Event, Field, Key, Kind, Name};
use tracing::field::{Field as Named, Visit};

use crate::shell::{Told, Word};

/// What an event said, and when.
#[derive(Debug)]
pub(crate) struct Record {
    /// In milliseconds since 1970.
    pub(crate) at_ms: f64,
    /// How many events were missing when it was emitted.
    pub(crate) missing: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// An event of the schema.
    Own(Own),
    /// Something that the shell said.
    Shell(Told),
}

/// Fields of one event: no kind has more.
const FIELDS_MAX: usize = 6;

#[derive(Debug)]
pub(crate) struct Own {
    kind: Kind,
    end: Option<End>,
    fields: [Option<(Field, Key)>; FIELDS_MAX],
}

impl Own {
    pub(crate) fn event(&self) -> Event<'_> {
        let event = Event::new(self.kind);
        let event = self.end.into_iter().fold(event, Event::ended);
        self.fields.iter().flatten().fold(event, |event, (field, key)| event.with(*field, key.name()))
    }
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Own,
    Step,
    Effect,
    Shard,
}

/// What was heard.
pub(crate) enum Heard {
    Record(What),
    /// Nothing that a promise needs.
    Nothing,
    /// A kind that the schema does not have.
    Unknown,
    /// Something is missing, or not of its shape.
    Unreadable,
}

impl Source {
    pub(crate) fn of(target: &str) -> Option<Self> {
        match target {
            "downbeat::trace" => Some(Self::Own),
            "downbeat::step" => Some(Self::Step),
            "downbeat::effect" => Some(Self::Effect),
            "downbeat::shard" => Some(Self::Shard),
            _ => None,
        }
    }

    pub(crate) fn hear(self, event: &tracing::Event<'_>) -> Heard {
        match self {
            Self::Own => {
                let mut ear = OwnEar::default();
                event.record(&mut ear);
                ear.heard()
            }
            Self::Step | Self::Effect | Self::Shard => {
                let mut ear = ShellEar { source: self, word: None, told: Told::default() };
                event.record(&mut ear);
                match ear.word {
                    Some(word) => Heard::Record(What::Shell(Told { word, ..ear.told })),
                    None => Heard::Nothing,
                }
            }
        }
    }
}

/// Hears an event of the schema.
#[derive(Default)]
struct OwnEar {
    kind: Option<Kind>,
    is_unknown: bool,
    is_odd: bool,
    end: Option<End>,
    fields: [Option<(Field, Key)>; FIELDS_MAX],
    count: usize,
}

impl OwnEar {
    fn set(&mut self, named: &Named, name: &Name<'_>) {
        // What the schema does not have says nothing.
        let Some(field) = Field::of(named.name()) else { return };
        match self.fields.get_mut(self.count) {
            Some(place) => {
                *place = Some((field, name.into()));
                self.count += 1;
            }
            None => self.is_odd = true,
        }
    }

    fn heard(self) -> Heard {
        let Self { kind, is_unknown, is_odd, end, fields, .. } = self;
        let Some(kind) = kind.filter(|_| !is_odd) else {
            return if is_unknown { Heard::Unknown } else { Heard::Unreadable };
        };
        let own = Own { kind, end, fields };
        if own.event().misfit().is_some() { Heard::Unreadable } else { Heard::Record(What::Own(own)) }
    }
}

impl Visit for OwnEar {
    fn record_str(&mut self, named: &Named, text: &str) {
        match named.name() {
            "event" => {
                self.kind = Kind::of(text);
                self.is_unknown = self.kind.is_none();
            }
            "end" => {
                self.end = End::of(text);
                self.is_odd |= self.end.is_none();
            }
            _ => self.set(named, &Name::of(text)),
        }
    }

    fn record_u64(&mut self, named: &Named, number: u64) {
        self.set(named, &Name::Number(number));
    }

    fn record_i64(&mut self, named: &Named, number: i64) {
        match u64::try_from(number) {
            Ok(number) => self.set(named, &Name::Number(number)),
            Err(_) => self.set(named, &Name::of(number.to_string())),
        }
    }

    fn record_debug(&mut self, named: &Named, value: &dyn Debug) {
        // What is given with `%` comes here, too.
        self.record_str(named, &format!("{value:?}"));
    }
}

/// Hears what the shell says.
struct ShellEar {
    source: Source,
    word: Option<Word>,
    told: Told,
}

impl Visit for ShellEar {
    fn record_str(&mut self, named: &Named, text: &str) {
        match (self.source, named.name()) {
            (Source::Step, "event") => self.word = Word::of_step(text),
            (Source::Effect, "effect") => self.word = Word::of_effect(text),
            _ => {}
        }
    }

    fn record_u64(&mut self, named: &Named, number: u64) {
        let place = match named.name() {
            "task" => &mut self.told.task,
            "turn" => &mut self.told.turn,
            "attempt" => &mut self.told.attempt,
            "agent" => &mut self.told.agent,
            "shard" => &mut self.told.shard,
            _ => return,
        };
        *place = Some(number);
    }

    fn record_debug(&mut self, named: &Named, value: &dyn Debug) {
        if self.source == Source::Shard && named.name() == "message" && format!("{value:?}") == "opened" {
            self.word = Some(Word::Opened);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_any_kind_fits() {
        let most = Kind::ALL.iter().map(|kind| kind.needs().len() + kind.may_have().len()).max();
        assert_eq!(most, Some(FIELDS_MAX));
    }
}
