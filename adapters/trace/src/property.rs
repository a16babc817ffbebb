//! The promises, and what a trace has to tell for each of them to be decided.
//!
//! Ids and statements are those of `docs/properties.md`.

use crate::event::{Event, Field, KINDS, Kind};

macro_rules! properties {
    ($($name:ident $statement:literal $stake:literal $decided:expr;)*) => {
        /// A promise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Property { $(#[doc = $statement] $name,)* }

        impl Property {
            /// Every one, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its id.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What is promised.
            pub const fn statement(self) -> &'static str {
                match self { $(Self::$name => $statement,)* }
            }

            /// What puts it to the test.
            pub const fn stake(self) -> &'static str {
                match self { $(Self::$name => $stake,)* }
            }

            /// What decides it.
            pub const fn decided(self) -> Decided {
                match self { $(Self::$name => $decided,)* }
            }
        }
    };
}

/// Promises that there are.
pub(crate) const PROPERTIES: usize = Property::ALL.len();

/// What decides whether a promise is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// A trace that says all of this.
    By(&'static [Need]),
    /// One that says all of this, and is whole: nothing comes after it.
    AtTheEndBy(&'static [Need]),
    /// No trace, because of this.
    Never(&'static str),
}

/// Something that a trace has to say, at least once, if it says it wherever it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// That something happened.
    Event(Kind),
    /// That something happened, and this of it.
    Said(Kind, Field),
}

impl Need {
    /// In words: what the trace lacks.
    pub fn words(self) -> String {
        match self {
            Self::Event(kind) => format!("no `{}`", kind.name()),
            Self::Said(kind, field) => format!("no `{}` with `{}`", kind.name(), field.name()),
        }
    }
}

use Decided::{AtTheEndBy, By, Never};
use Need::{Event as E, Said as F};

properties! {
    S1 "at most one model request in flight for a task" "a request is in flight"
        By(&[E(Kind::RequestStarted), E(Kind::RequestEnded)]);
    S2 "one send for each (task, turn, attempt), and one content for each turn" "a turn was sent"
        By(&[F(Kind::RequestStarted, Field::Turn)]);
    S3 "a subtask's result reaches its own parent exactly once" "a result was delivered"
        By(&[F(Kind::TaskStarted, Field::Parent), E(Kind::ResultDelivered)]);
    S4 "the result is in the parent's next request" "a parent sends after a subtask of it ended"
        By(&[F(Kind::TaskStarted, Field::Parent), E(Kind::TaskEnded), E(Kind::ResultDelivered), E(Kind::RequestStarted)]);
    S5 "an accepted user message reaches the model exactly once and in order, or is reported undelivered" "a message was delivered or returned"
        By(&[E(Kind::MessageQueued), E(Kind::MessageDelivered)]);
    S6 "an answer settles only the question that it names" "an answer settled a question"
        By(&[F(Kind::Answer, Field::Question), F(Kind::Answer, Field::Settles)]);
    S7 "terminal states absorb" "a task has ended"
        By(&[E(Kind::TaskEnded)]);
    S8 "every tool call has exactly one result before the next request, and its tool ran once" "a call got its result"
        By(&[E(Kind::ToolCall), E(Kind::ToolResult)]);
    S9 "no live subtask under an ended parent" "a parent has ended"
        By(&[F(Kind::TaskStarted, Field::Parent), E(Kind::TaskEnded)]);
    S10 "at most one live iterator for a session" "an iterator is live"
        By(&[E(Kind::IteratorStarted), E(Kind::IteratorEnded)]);
    S11 "a result completes the request that it answers; every invoke settles" ""
        Never("no event says which result was taken for which request of an agent");
    S12 "an interrupt stops the turn it was meant for and no other" "a request was stopped"
        By(&[F(Kind::Interrupt, Field::Turn), F(Kind::RequestStarted, Field::Turn), E(Kind::RequestEnded)]);
    S13 "what a person stopped stays stopped" "a task is paused"
        By(&[E(Kind::Pause)]);
    S14 "at most one refresh in flight for a generation of a credential" "a refresh is in flight"
        By(&[E(Kind::RefreshStarted), E(Kind::RefreshEnded)]);
    S15 "a refresh token is used at most once" "a refresh token was used"
        By(&[F(Kind::RefreshStarted, Field::Token)]);
    S16 "an older outcome never replaces a newer credential" "a stored credential was replaced"
        By(&[E(Kind::CredentialStored)]);
    S17 "a request refused for a stale token is sent again once; a second refusal is final" "a request was refused"
        By(&[F(Kind::RequestStarted, Field::Turn), E(Kind::RequestEnded)]);
    S18 "one accepted response for each turn; delivered output comes from one attempt" "a response was accepted, or shown"
        By(&[F(Kind::RequestStarted, Field::Turn), E(Kind::RequestEnded)]);
    S19 "no send after cancel, of the task or of an ancestor; no tool and no subtask begins" "a task is cancelled"
        By(&[E(Kind::Cancel)]);
    S20 "one agent for each task, one task for each agent; nothing under an old epoch" "an agent has a task"
        By(&[E(Kind::AgentAssigned), E(Kind::AgentReleased)]);
    S21 "cancelled means never started after" "a task was cancelled before it began"
        By(&[E(Kind::Cancel), E(Kind::TaskStarted)]);
    S22 "a quota is never exceeded, and released exactly once" ""
        Never("no event says what the quota is");
    S23 "nothing of one task is visible to the next on the same agent" ""
        Never("no event says what an agent sees");
    S24 "a terminal notification is never contradicted" "people were told of an end"
        By(&[E(Kind::Notified)]);
    S25 "not applied means nothing changed" ""
        Never("it is a promise of transitions, and a trace has what happened");
    L1 "every task ends, or waits for a person" "a task is live"
        AtTheEndBy(&[E(Kind::TaskStarted), E(Kind::TaskEnded)]);
    L2 "a cancel terminates" "a cancel was asked for"
        AtTheEndBy(&[E(Kind::Cancel), E(Kind::TaskEnded)]);
    L3 "a stuck worker is acted on" ""
        Never("no event says that a worker is stuck");
    L4 "a queued task is assigned while agents keep becoming idle" ""
        Never("no event says that a task waits for an agent");
    L5 "everyone who waits for a refresh settles" "a refresh is in flight"
        AtTheEndBy(&[E(Kind::RefreshStarted), E(Kind::RefreshEnded)]);
}

/// What a trace has said so far, of whatever.
#[derive(Clone, Debug)]
pub(crate) struct Vocabulary {
    kinds: [u64; KINDS],
    fields: [u32; KINDS],
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self { kinds: [0; KINDS], fields: [0; KINDS] }
    }
}

impl Vocabulary {
    /// Takes an event down; says whether it says something new.
    pub(crate) fn take(&mut self, event: &Event<'_>) -> bool {
        let kind = event.kind as usize;
        let fields = event.mask();
        let is_new = self.kinds[kind] == 0 || fields & !self.fields[kind] != 0;
        self.kinds[kind] += 1;
        self.fields[kind] |= fields;
        is_new
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }

    fn has(&self, need: Need) -> bool {
        match need {
            Need::Event(kind) => self.kinds[kind as usize] > 0,
            Need::Said(kind, field) => self.fields[kind as usize] & (1 << field as u32) != 0,
        }
    }

    /// What is missing for a promise to be decided.
    pub(crate) fn missing(&self, needs: &'static [Need]) -> Vec<Need> {
        needs.iter().copied().filter(|need| !self.has(*need)).collect()
    }

    pub(crate) fn has_all(&self, needs: &'static [Need]) -> bool {
        needs.iter().all(|need| self.has(*need))
    }
}
