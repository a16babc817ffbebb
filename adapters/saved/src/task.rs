//! One task in memory, and what the checks say about it.

use crate::bounds::{FINDINGS_MAX, WAITS_MAX};
use crate::conversation::{Conversation, Turn};
use crate::finding::{Certainty, Counts, Fault, Finding, Place, Property, Wait, WaitFor};
use crate::item::Item;
use crate::window::{Entry, Kind, Window};
use std::cmp::Reverse;

/// What the files of a task have. What is not there is `None`.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) conversation: Option<Conversation>,
    pub(crate) window: Option<Window>,
    pub(crate) item: Option<Item>,
    /// The names that the files have in places.
    pub(crate) names: Names,
}

/// The names of the files that were read.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) conversation: String,
    pub(crate) window: String,
    pub(crate) item: String,
}

impl Task {
    pub(crate) fn turns(&self) -> &[Turn] {
        self.conversation.as_ref().map_or(&[], |conversation| &conversation.turns)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        self.window.as_ref().map_or(&[], |window| &window.entries)
    }

    pub(crate) fn at_turn(&self, turn: &Turn) -> Place {
        let base = self.conversation.as_ref().map_or("$", |conversation| conversation.base);
        Place {
            file: self.names.conversation.clone(),
            message: Some(turn.index),
            path: format!("{base}[{}]", turn.index),
            ts: turn.ts,
        }
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
        self.entries().iter().filter(|entry| entry.kind == Kind::ResumeAsked).any(|entry| {
            let (Some(from), Some(until), Some(ts)) = (from, until, entry.ts) else { return true };
            from <= ts && ts <= until
        })
    }

    /// Whether messages may have been taken out of the conversation, so that what is not in it says nothing.
    pub(crate) fn may_be_cut(&self) -> bool {
        let conversation = self.conversation.as_ref();
        let shortened = self.entries().iter().any(|entry| entry.kind == Kind::Shortened);
        let keeps = self.turns().iter().any(|turn| turn.mark != crate::conversation::Mark::Said);
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

/// What the checks have found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    findings: Vec<Finding>,
    waits: Vec<Wait>,
    /// Waits for a person that are too short to be told.
    pub(crate) short_waits: u64,
}

impl Found {
    pub(crate) fn add(&mut self, certainty: Certainty, about: (Property, Fault), place: Place, says: String) {
        let (property, fault) = about;
        self.findings.push(Finding { certainty, property, fault, place, says });
    }

    pub(crate) fn waited(&mut self, wait_for: WaitFor, place: Place, ms: i64) {
        self.waits.push(Wait { wait_for, place, ms });
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.findings.iter().for_each(|finding| counts.add(finding.certainty));
        counts
    }

    /// The findings that are told, the most certain first, and how many are left off.
    pub(crate) fn findings(&mut self) -> (Vec<Finding>, usize) {
        let mut findings = std::mem::take(&mut self.findings);
        findings.sort_by(|a, b| b.certainty.cmp(&a.certainty).then_with(|| a.place.cmp(&b.place)));
        let left_off = findings.len().saturating_sub(FINDINGS_MAX);
        findings.truncate(FINDINGS_MAX);
        (findings, left_off)
    }

    /// The waits that are told, in the order in which they began, and how many are left off.
    pub(crate) fn waits(&mut self) -> (Vec<Wait>, usize) {
        let mut waits = std::mem::take(&mut self.waits);
        waits.sort_by_key(|wait| Reverse(wait.ms));
        let left_off = waits.len().saturating_sub(WAITS_MAX);
        waits.truncate(WAITS_MAX);
        waits.sort_by(|a, b| a.place.ts.cmp(&b.place.ts).then_with(|| a.place.cmp(&b.place)));
        (waits, left_off)
    }
}
