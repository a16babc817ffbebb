//! What the world outside knows: what it has told, what it has to do, and which promise was broken.

use downbeat_kernel::{
    ApprovalId, CheckNumber, End, IteratorId, PromptId, Source, TurnNumber, WorkerPart, WorkerTimer,
};
use std::collections::BTreeSet;

/// What an iterator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Running {
    /// It was ordered.
    Ordered,
    /// It has nothing to do.
    Listens,
    /// It works on a prompt.
    Works(PromptId),
    /// It was told to stop.
    Stops,
    /// A crash took it.
    Lost,
}

/// A timer that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Armed {
    /// One of the worker's own.
    Worker(WorkerTimer),
    /// The time that an iterator has to stop.
    Stop(IteratorId),
}

/// A promise that was broken, by the id of its property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Breach {
    /// A message was taken twice, out of order, or never came to rest.
    S5,
    /// A question was settled by what is not its answer.
    S6,
    /// Something came of a task that had ended.
    S7,
    /// Something was left to wait for a task that had ended.
    S9,
    /// Two iterators, or two prompts at one.
    S10,
    /// What was no answer was taken for one.
    S11,
    /// An interrupt missed its turn or hit another, or what it stopped was not resumed.
    S12,
    /// A held worker began a turn, or was asked.
    S13,
    /// A refused event changed something.
    S25,
    /// An order was given twice, or taken back without having been given.
    Orders,
    /// A timer or a report that was void was taken.
    Stale,
}

/// The outside of the one worker.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside the others")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outside {
    pub(super) iterators: Vec<(IteratorId, Running)>,
    pub(super) timers: BTreeSet<Armed>,
    pub(super) asks: BTreeSet<ApprovalId>,
    /// The question about progress that was asked last, while it has no answer.
    pub(super) check: Option<CheckNumber>,
    pub(super) reports: BTreeSet<u32>,
    /// The last message that was written.
    pub(super) written: u32,
    /// The last message that was acknowledged.
    pub(super) acknowledged: u32,
    /// What was accepted, and neither acknowledged nor reported.
    pub(super) owed: BTreeSet<Source>,
    /// What of it was in a prompt.
    pub(super) given: BTreeSet<Source>,
    /// The last prompt that was given, with its content.
    pub(super) prompt: Option<(PromptId, Vec<WorkerPart>)>,
    /// That prompt has no answer.
    pub(super) unanswered: bool,
    /// Some prompt was answered.
    pub(super) answered: bool,
    /// The last answered prompt was nothing but an inquiry.
    pub(super) inquired: bool,
    /// A person holds the worker since this turn.
    pub(super) held: Option<TurnNumber>,
    /// Somebody wants the task to end.
    pub(super) ending: bool,
    pub(super) end: Option<End>,
    pub(super) breaches: BTreeSet<Breach>,
}

impl Outside {
    pub(super) fn breach(&mut self, breach: Breach, is_broken: bool) {
        if is_broken {
            self.breaches.insert(breach);
        }
    }

    pub(super) fn running(&self, iterator: IteratorId) -> Option<Running> {
        self.iterators.iter().find(|(id, _)| *id == iterator).map(|(_, running)| *running)
    }

    pub(super) fn set(&mut self, iterator: IteratorId, running: Running) {
        self.forget(iterator);
        self.iterators.push((iterator, running));
    }

    pub(super) fn forget(&mut self, iterator: IteratorId) {
        self.iterators.retain(|(id, _)| *id != iterator);
    }

    /// The iterator that has a prompt.
    pub(super) fn working(&self) -> Option<(IteratorId, PromptId)> {
        self.iterators.iter().find_map(|(id, running)| match running {
            Running::Works(prompt) => Some((*id, *prompt)),
            Running::Ordered | Running::Listens | Running::Stops | Running::Lost => None,
        })
    }
}
