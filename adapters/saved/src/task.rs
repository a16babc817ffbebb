//! One task in memory, and what the checks say about it.

use crate::bounds::{FINDINGS_MAX, SOUGHT_BYTES_MAX, WAITS_MAX};
use crate::conversation::{Conversation, Mark, Role, Turn};
use crate::finding::{Certainty, Counts, Fault, Finding, OpenWait, Place, Property, Wait, WaitFor};
use crate::item::Item;
use crate::search::Search;
use crate::window::{Entry, Kind, Window};
use crate::words::plain;
use std::cmp::Reverse;

/// What the files of a task have. What is not there is `None`.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) conversation: Option<Conversation>,
    pub(crate) window: Option<Window>,
    pub(crate) item: Option<Item>,
    /// The names that the files have in places.
    pub(crate) names: Names,
    reopened: Reopened,
}

/// When somebody opened the task again.
#[derive(Debug)]
enum Reopened {
    Never,
    /// In order.
    At(Vec<i64>),
    /// At some moment that is not known.
    Untimed,
}

/// The names of the files that were read.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) conversation: String,
    pub(crate) window: String,
    pub(crate) item: String,
}

impl Task {
    pub(crate) fn new(
        conversation: Option<Conversation>,
        window: Option<Window>,
        item: Option<Item>,
        names: Names,
    ) -> Self {
        let asked = window.iter().flat_map(|window| window.of_kind(Kind::ResumeAsked));
        let reopened = match asked.map(|entry| entry.ts).collect::<Option<Vec<i64>>>() {
            None => Reopened::Untimed,
            Some(at) if at.is_empty() => Reopened::Never,
            Some(mut at) => {
                at.sort_unstable();
                Reopened::At(at)
            }
        };
        Self { conversation, window, item, names, reopened }
    }

    pub(crate) fn turns(&self) -> &[Turn] {
        self.conversation.as_ref().map_or(&[], |conversation| &conversation.turns)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        self.window.as_ref().map_or(&[], |window| &window.entries)
    }

    pub(crate) fn at_turn(&self, turn: &Turn) -> Place {
        let base = self.conversation.as_ref().map_or("$", |conversation| &conversation.base);
        Place {
            file: self.names.conversation.clone(),
            message: Some(turn.index),
            path: format!("{base}[{}]", turn.index),
            ts: turn.ts,
        }
    }

    pub(crate) fn at_conversation(&self) -> Place {
        Place { file: self.names.conversation.clone(), message: None, path: "$".into(), ts: None }
    }

    pub(crate) fn at_entry(&self, entry: &Entry) -> Place {
        Place {
            file: self.names.window.clone(),
            message: Some(entry.index),
            path: format!("$[{}]", entry.index),
            ts: entry.ts,
        }
    }

    /// Whether somebody opened the task again between two moments; if one is not known, whether at any time.
    pub(crate) fn was_reopened(&self, from: Option<i64>, until: Option<i64>) -> bool {
        match (&self.reopened, from, until) {
            (Reopened::Never, _, _) => false,
            (Reopened::At(at), Some(from), Some(until)) => {
                at.get(at.partition_point(|ts| *ts < from)).is_some_and(|ts| *ts <= until)
            }
            (Reopened::At(_) | Reopened::Untimed, _, _) => true,
        }
    }

    /// Whether the model was given each of these words, which are [`plain`] ones.
    pub(crate) fn was_given(&self, words: &[String]) -> Vec<bool> {
        let begin = |words: &'_ String| words.floor_char_boundary(SOUGHT_BYTES_MAX);
        let mut search = Search::of(words.iter().map(|words| &words[..begin(words)]));
        for turn in self.turns().iter().filter(|turn| turn.role != Role::Assistant) {
            turn.readable().for_each(|text| search.read(&plain(text)));
        }
        search.found()
    }

    /// Whether messages may have been taken out of the conversation, so that what is not in it says nothing.
    pub(crate) fn may_be_cut(&self) -> bool {
        let conversation = self.conversation.as_ref();
        let shortened = self.window.iter().any(|window| window.of_kind(Kind::Shortened).next().is_some());
        let keeps = self.turns().iter().any(|turn| turn.mark != Mark::Said);
        conversation.is_some_and(Conversation::has_cut) || (shortened && !keeps)
    }

    pub(crate) fn last_moment(&self) -> Option<i64> {
        let turns = self.turns().iter().filter_map(|turn| turn.ts);
        turns.chain(self.entries().iter().filter_map(|entry| entry.ts)).max()
    }

    pub(crate) fn first_moment(&self) -> Option<i64> {
        let turns = self.turns().iter().filter_map(|turn| turn.ts);
        turns.chain(self.entries().iter().filter_map(|entry| entry.ts)).min()
    }
}

/// Turns of one kind by their moments: the first in the file that was said after a moment, however they are ordered.
pub(crate) struct ByMoment<'a>(Vec<(i64, &'a Turn)>);

impl<'a> ByMoment<'a> {
    pub(crate) fn of(turns: impl Iterator<Item = &'a Turn>) -> Self {
        let mut later: Vec<(i64, &Turn)> = Vec::new();
        for turn in turns {
            // One that is not later than one before it is never the first after a moment.
            if let Some(ts) = turn.ts.filter(|ts| later.last().is_none_or(|(last, _)| ts > last)) {
                later.push((ts, turn));
            }
        }
        Self(later)
    }

    pub(crate) fn after(&self, moment: i64) -> Option<&'a Turn> {
        self.0.get(self.0.partition_point(|(ts, _)| *ts <= moment)).map(|(_, turn)| *turn)
    }
}

/// What the checks have found. No more is kept than is told.
#[derive(Debug, Default)]
pub(crate) struct Found {
    findings: Vec<Finding>,
    counts: Counts,
    waits: Vec<Wait>,
    waits_seen: usize,
    pub(crate) open_waits: Vec<OpenWait>,
    /// Waits for a person that are too short to be told.
    pub(crate) short_waits: u64,
}

impl Found {
    pub(crate) fn add(&mut self, certainty: Certainty, about: (Property, Fault), place: Place, says: String) {
        let (property, fault) = about;
        self.counts.add(certainty);
        self.findings.push(Finding { certainty, property, fault, place, says });
        // Sorted now and then, so that each is sorted a few times only.
        if self.findings.len() >= 2 * FINDINGS_MAX {
            self.keep_findings();
        }
    }

    pub(crate) fn waited(&mut self, wait_for: WaitFor, place: Place, ms: i64) {
        self.waits.push(Wait { wait_for, place, ms });
        self.waits_seen += 1;
        if self.waits.len() >= 2 * WAITS_MAX {
            self.keep_waits();
        }
    }

    pub(crate) fn waits_still(&mut self, wait_for: WaitFor, place: Place) {
        self.open_waits.push(OpenWait { wait_for, place });
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// The findings that are told, the most certain first, and how many are left off.
    pub(crate) fn findings(&mut self) -> (Vec<Finding>, usize) {
        self.keep_findings();
        let findings = std::mem::take(&mut self.findings);
        let left_off = self.counts.all() - findings.len();
        (findings, left_off)
    }

    /// The waits that are told, in the order in which they began, and how many are left off.
    pub(crate) fn waits(&mut self) -> (Vec<Wait>, usize) {
        self.keep_waits();
        let mut waits = std::mem::take(&mut self.waits);
        let left_off = self.waits_seen - waits.len();
        waits.sort_by(|a, b| a.place.ts.cmp(&b.place.ts).then_with(|| a.place.cmp(&b.place)));
        (waits, left_off)
    }

    fn keep_findings(&mut self) {
        self.findings.sort_by(|a, b| b.certainty.cmp(&a.certainty).then_with(|| a.place.cmp(&b.place)));
        self.findings.truncate(FINDINGS_MAX);
    }

    fn keep_waits(&mut self) {
        self.waits.sort_by_key(|wait| Reverse(wait.ms));
        self.waits.truncate(WAITS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept is bounded while the checks run, and not only when they are over.
    #[test]
    fn no_more_findings_and_waits_are_kept_than_are_told_twice() {
        let mut found = Found::default();
        let place =
            |number: usize| Place { file: "f".into(), message: Some(number), path: "$".into(), ts: None };
        for number in 0..10 * FINDINGS_MAX {
            let certainty = if number % 2 == 0 { Certainty::CannotTell } else { Certainty::Proven };
            found.add(certainty, (Property::S1, Fault::RequestsTogether), place(number), String::new());
            found.waited(WaitFor::Person, place(number), 1);
            assert!(found.findings.len() < 2 * FINDINGS_MAX && found.waits.len() < 2 * WAITS_MAX);
        }
        let (findings, left_off) = found.findings();
        assert_eq!((findings.len(), left_off), (FINDINGS_MAX, 9 * FINDINGS_MAX));
        let kept: Vec<_> = findings.iter().map(|finding| finding.place.message).collect();
        assert_eq!(kept, (0..FINDINGS_MAX).map(|number| Some(2 * number + 1)).collect::<Vec<_>>());
        let (waits, left_off) = found.waits();
        assert_eq!((waits.len(), left_off), (WAITS_MAX, 10 * FINDINGS_MAX - WAITS_MAX));
    }

    /// What `docs/saved.md` says of the memory that a message takes.
    #[test]
    fn messages_are_small() {
        assert!(size_of::<Entry>() <= 64 && size_of::<Turn>() <= 64, "without their texts and parts");
    }
}
