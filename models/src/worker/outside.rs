//! What the world outside knows: what it has told, what it has to do, and which promise was broken.

use super::few::Few;
use super::signs::Signs;
use downbeat_kernel::{ApprovalId, CheckNumber, End, IteratorId, PromptId, Source, WorkerPart, WorkerTimer};

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
    S2,
    S4,
    S5,
    S6,
    S7,
    S9,
    S10,
    S11,
    S12,
    Resumed,
    S13,
    S25,
    Orders,
    Stale,
    Waits,
    WrapUp,
    Alarm,
    AlarmStreak,
    Ladder,
    Escalation,
}

/// The last prompt that was given and has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Given {
    pub(super) prompt: PromptId,
    pub(super) parts: Vec<WorkerPart>,
}

/// The outside of the one worker.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside the others")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outside {
    pub(super) iterators: Vec<(IteratorId, Running)>,
    pub(super) timers: Few<Armed>,
    pub(super) asks: Few<ApprovalId>,
    /// The question about progress that was asked last, while it has no answer.
    pub(super) check: Option<CheckNumber>,
    pub(super) reports: Few<u32>,
    /// The last message that was accepted.
    pub(super) written: u32,
    /// What was accepted, and neither acknowledged nor reported.
    pub(super) owed: Few<Source>,
    /// `None` if the last prompt was answered.
    pub(super) given: Option<Given>,
    /// Some prompt was answered.
    pub(super) answered: bool,
    /// The last answered prompt was nothing but an inquiry.
    pub(super) inquired: bool,
    /// Prompts that failed since the last answer.
    pub(super) failures: u8,
    /// The last failure was one too many, or one that another try cannot mend.
    pub(super) spent: bool,
    /// What was seen of the agent since its last answer.
    pub(super) signs: Signs,
    /// A person holds the worker.
    pub(super) held: bool,
    /// Somebody wants the task to end, now or when it has finished.
    pub(super) ending: bool,
    pub(super) end: Option<End>,
    /// What was broken, and how.
    pub(super) broken: Few<(Breach, &'static str)>,
}

impl Outside {
    pub(super) fn breach(&mut self, breach: Breach, is_broken: bool, how: &'static str) {
        if is_broken {
            self.broken.insert((breach, how));
        }
    }

    /// How a promise was broken, if it was.
    pub(super) fn how(&self, breach: Breach) -> Option<&'static str> {
        self.broken.iter().find(|(broken, _)| *broken == breach).map(|(_, how)| *how)
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

    /// Whether an agent works on this prompt.
    pub(super) fn has_prompt(&self, prompt: PromptId) -> bool {
        self.working().is_some_and(|(_, has)| has == prompt)
    }

    /// Whether a crash took an iterator, and nobody has said so.
    pub(super) fn has_lost(&self) -> bool {
        self.iterators.iter().any(|(_, running)| *running == Running::Lost)
    }

    /// Whether this entry is in the last prompt, and that has no answer.
    pub(super) fn is_given(&self, source: Source) -> bool {
        self.given.as_ref().is_some_and(|given| given.parts.contains(&WorkerPart::Source(source)))
    }

    /// The timers of one kind that run.
    pub(super) fn armed(&self, of_kind: fn(WorkerTimer) -> bool) -> bool {
        self.timers.iter().any(|timer| match timer {
            Armed::Worker(timer) => of_kind(*timer),
            Armed::Stop(_) => false,
        })
    }
}

/// The entries of a prompt, in their order.
pub(super) fn sources(parts: &[WorkerPart]) -> impl Iterator<Item = Source> {
    parts.iter().filter_map(|part| match part {
        WorkerPart::Source(source) => Some(*source),
        WorkerPart::Resumed | WorkerPart::Prompt => None,
    })
}
