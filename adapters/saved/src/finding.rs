//! What was found, how certain it is, and where it stands.

use serde::Serialize;

/// How certain a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The files would have to say more to decide it.
    CannotTell,
    /// The fault explains it best, and something else could.
    Suspicious,
    /// No run of the program without the fault has written these files, if nobody has edited them.
    Proven,
}

impl Certainty {
    /// As the reports say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CannotTell => "cannot tell",
            Self::Suspicious => "suspicious",
            Self::Proven => "proven",
        }
    }
}

/// The property of `docs/properties.md` that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[expect(missing_docs, reason = "the page has the statements")]
pub enum Property {
    S1,
    S2,
    S3,
    S4,
    S5,
    S7,
    S8,
    S9,
    L1,
}

/// What went wrong, or may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Two responses to two requests that were in flight at once.
    DoubleContinuation,
    /// Two requests with nothing of a response between them.
    RequestsTogether,
    /// Two messages of one side in a row.
    OutOfAlternation,
    /// One content that was given to the model in two messages.
    RepeatedContent,
    /// The result of a call that is not in the message before.
    OrphanResult,
    /// A call without a result, and the conversation went on.
    MissingResult,
    /// A call with more than one result.
    RepeatedResult,
    /// A call for which the program has made up a result.
    FilledResult,
    /// A subtask's result that was given to its parent twice.
    RepeatedSubtaskResult,
    /// A subtask's result that its parent went on without.
    LostSubtaskResult,
    /// A subtask's result that was given to somebody else's parent.
    WrongParent,
    /// A parent that went on only when a person did something, or not at all.
    StalledParent,
    /// A parent that waits for a subtask that has ended.
    AwaitsEnded,
    /// A task that went on after its end, with nobody asking for it.
    WentOnAfterEnd,
    /// A message of a person that the model was not given.
    LostMessage,
    /// Something that cannot be examined, because a file or field is not there.
    NotRecorded,
}

impl Fault {
    /// As the reports say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DoubleContinuation => "double continuation",
            Self::RequestsTogether => "requests together",
            Self::OutOfAlternation => "out of alternation",
            Self::RepeatedContent => "repeated content",
            Self::OrphanResult => "orphan tool result",
            Self::MissingResult => "missing tool result",
            Self::RepeatedResult => "repeated tool result",
            Self::FilledResult => "filled-in tool result",
            Self::RepeatedSubtaskResult => "repeated subtask result",
            Self::LostSubtaskResult => "lost subtask result",
            Self::WrongParent => "wrong parent",
            Self::StalledParent => "stalled parent",
            Self::AwaitsEnded => "awaits an ended task",
            Self::WentOnAfterEnd => "went on after its end",
            Self::LostMessage => "lost message",
            Self::NotRecorded => "not recorded",
        }
    }
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// The file.
    pub file: String,
    /// The number of the message in the file, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<usize>,
    /// The JSON path.
    pub path: String,
    /// When, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<i64>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// How certain it is.
    pub certainty: Certainty,
    /// What it is about.
    pub property: Property,
    /// What went wrong, or may have.
    pub fault: Fault,
    /// Where it shows.
    pub place: Place,
    /// What happened and when.
    pub says: String,
}

/// How many findings there are of each certainty, also of those that are left off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Proven.
    pub proven: usize,
    /// Suspicious.
    pub suspicious: usize,
    /// Cannot tell.
    pub cannot_tell: usize,
}

impl Counts {
    /// All of them.
    pub const fn all(self) -> usize {
        self.proven + self.suspicious + self.cannot_tell
    }

    pub(crate) fn add(&mut self, certainty: Certainty) {
        match certainty {
            Certainty::Proven => self.proven += 1,
            Certainty::Suspicious => self.suspicious += 1,
            Certainty::CannotTell => self.cannot_tell += 1,
        }
    }
}

/// What a wait was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    /// A subtask, from when it was asked for until its result was there.
    Subtask,
    /// The parent, from the result of a subtask until its next request.
    Parent,
    /// A person, from a question until the next thing that happened.
    Person,
    /// Somebody who opens the task again, from the last thing that happened.
    Reopening,
}

impl WaitFor {
    /// As the reports say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subtask => "for a subtask",
            Self::Parent => "for its next request",
            Self::Person => "for a person",
            Self::Reopening => "until it was opened again",
        }
    }
}

/// One wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Wait {
    /// What for.
    #[serde(rename = "for")]
    pub wait_for: WaitFor,
    /// Where it begins.
    pub place: Place,
    /// How long it lasted, in milliseconds.
    pub ms: i64,
}

/// A wait that has not ended when the files do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OpenWait {
    /// What for.
    #[serde(rename = "for")]
    pub wait_for: WaitFor,
    /// Where it begins, with since when.
    pub place: Place,
}
