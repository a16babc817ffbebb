//! The lines that came last, so that a breach can be shown with what came before it.

use crate::event::Event;
use crate::line::Line;
use crate::read::Place;

/// A line that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where it stands.
    pub place: Place,
    /// What it says: a line of the schema.
    pub text: String,
}

impl Shown {
    /// The event that it is.
    pub fn event(&self) -> Option<Event<'_>> {
        match Line::read(self.text.as_bytes()) {
            Ok(Line::Event(event, _)) => Some(event),
            Ok(Line::Unknown(_)) | Err(_) => None,
        }
    }
}

/// Bytes of lines that are kept, at least, once there are so many; twice as many at most.
const BYTES: usize = 1 << 20;

/// Lines in the order in which they came: the older ones, and those since.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    older: Half,
    newer: Half,
}

#[derive(Clone, Debug, Default)]
struct Half {
    bytes: Vec<u8>,
    /// Where each line stands, and where it ends in `bytes`.
    ends: Vec<(Place, usize)>,
}

impl Recent {
    pub(super) fn push(&mut self, place: Place, text: &[u8]) {
        if self.newer.bytes.len() >= BYTES {
            std::mem::swap(&mut self.older, &mut self.newer);
            self.newer.bytes.clear();
            self.newer.ends.clear();
        }
        self.newer.bytes.extend_from_slice(text);
        self.newer.ends.push((place, self.newer.bytes.len()));
    }

    /// The last lines, at most so many, that are told of; the last one is the one that came last.
    pub(super) fn last(&self, most: usize, mut is_told: impl FnMut(&Event<'_>) -> bool) -> Vec<Shown> {
        let mut shown = Vec::new();
        for (place, text) in self.newer.backwards().chain(self.older.backwards()) {
            if shown.len() == most {
                break;
            }
            if let Ok(Line::Event(event, _)) = Line::read(text)
                && is_told(&event)
            {
                shown.push(Shown { place, text: String::from_utf8_lossy(text).into_owned() });
            }
        }
        shown.reverse();
        shown
    }
}

impl Half {
    fn backwards(&self) -> impl Iterator<Item = (Place, &[u8])> {
        (0..self.ends.len()).rev().map(|index| {
            let (place, end) = self.ends[index];
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before].1);
            (place, &self.bytes[start..end])
        })
    }
}
