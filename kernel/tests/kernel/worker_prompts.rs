//! What an agent is given to read, prompt by prompt.

use downbeat_kernel::{Source, WorkerPart};
use std::collections::BTreeSet;

/// Is something left to do?
const INQUIRY: WorkerPart = WorkerPart::Source(Source::Inquiry);

/// The prompts of one worker.
#[derive(Clone, Default)]
pub(crate) struct Prompts {
    /// The parts of the one to come.
    parts: Vec<WorkerPart>,
    /// The last one that has no answer, without the word that it is resumed.
    last: Option<Vec<WorkerPart>>,
    /// The entries of it.
    given: BTreeSet<Source>,
    /// What waited when the worker made its last prompt: all of that belongs into it.
    due: BTreeSet<Source>,
    /// What was in the one before, if that has no answer. Perhaps no agent was there to read it.
    earlier: BTreeSet<Source>,
    answered: bool,
    /// The last answer was to an inquiry and nothing else.
    inquired: bool,
}

impl Prompts {
    pub(crate) fn include(&mut self, part: WorkerPart) {
        self.parts.push(part);
    }

    /// The worker makes a prompt while so much waits.
    pub(crate) fn invoke(&mut self, owed: &BTreeSet<Source>) {
        self.earlier = std::mem::replace(&mut self.due, owed.clone());
    }

    /// The agent has answered.
    pub(crate) fn answer(&mut self) {
        self.inquired = self.last.take().is_some_and(|parts| parts == [INQUIRY]);
        self.answered = true;
        self.due.clear();
    }

    /// The entry is acknowledged or reported. Returns whether an agent was given it.
    pub(crate) fn settle(&mut self, source: Source) -> bool {
        self.due.remove(&source);
        self.given.remove(&source)
    }

    /// Whether the entry is in a prompt that has no answer.
    pub(crate) fn has_given(&self, source: Source) -> bool {
        self.given.contains(&source)
    }

    /// The agent has the prompt.
    ///
    /// S4, S12: everything that waited is in a prompt, and once. What was given and not answered is given again, in front, and
    /// the agent is told so; of what is new, the wish to finish comes first.
    pub(crate) fn give(&mut self, owed: &mut BTreeSet<Source>) {
        let parts = std::mem::take(&mut self.parts);
        let is_marked = parts.first() == Some(&WorkerPart::Resumed);
        let parts: Vec<WorkerPart> = parts.into_iter().filter(|part| *part != WorkerPart::Resumed).collect();
        let before = self.last.take();
        assert!(before.is_none() || is_marked, "S12: the agent is not told that a prompt is resumed");
        let again = before.is_none() && self.inquired && parts == [INQUIRY];
        assert!(!again, "escalation: the inquiry is answered, nothing is new, and it comes again");
        let before = before.unwrap_or_default();
        assert!(parts.starts_with(&before), "S12: {before:?} is not in front of {parts:?}");
        assert_eq!(parts.contains(&WorkerPart::Prompt), !self.answered, "S5: the prompt of the task");
        // An inquiry is never new: it is made with the prompt that it is first in.
        let mut new = parts.iter().filter(|part| match part {
            WorkerPart::Source(Source::Inquiry) | WorkerPart::Resumed | WorkerPart::Prompt => false,
            WorkerPart::Source(source) => !self.earlier.contains(source),
        });
        let late = new.position(|part| *part == WorkerPart::Source(Source::WrapUp));
        assert!(late.is_none_or(|place| place == 0), "wrap-up: behind what came before it: {parts:?}");
        self.give_sources(&parts, owed);
        self.last = Some(parts);
    }

    fn give_sources(&mut self, parts: &[WorkerPart], owed: &mut BTreeSet<Source>) {
        let mut now = BTreeSet::new();
        let mut message = 0;
        for part in parts {
            let WorkerPart::Source(source) = *part else { continue };
            if source == Source::Inquiry {
                owed.insert(source);
            }
            assert!(owed.contains(&source), "S5: {source:?} is not owed");
            assert!(now.insert(source), "S5: {source:?} is twice in a prompt");
            if let Source::Message(id) = source {
                assert!(id.0 > message, "S5: {source:?} comes late");
                message = id.0;
            }
        }
        assert!(now.is_superset(&self.given), "S12: {:?} lacks some of {:?}", now, self.given);
        assert!(now.is_superset(&self.due), "S4, S5: {:?} lacks some of {:?}", now, self.due);
        self.given = now;
    }
}
