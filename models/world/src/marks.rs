//! What a search has come across: situations without which it would have tested little.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

macro_rules! marks {
    ($($name:ident = $about:literal,)*) => {
        /// One situation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mark {$(
            #[doc = $about]
            $name,
        )*}

        impl Mark {
            /// Every situation there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What it is.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }
        }
    };
}

marks! {
    MessageDuringSubtask = "a message came while a request of a subtask was under way",
    MessageWaited = "a message was waiting when a subtask ended",
    PauseDuringSend = "a pause was heard of while a request of the root was under way",
    PauseDuringSubtask = "a pause was heard of while a request of a subtask was under way",
    PauseDuringRefresh = "a refresh was under way when a pause was heard of",
    CancelDuringSend = "a cancel came while a request of the root was under way",
    TwoSubtasksAtOnce = "requests of two subtasks were under way at once",
    SentAgain = "a request was sent again",
    Throttled = "a provider asked for patience",
    Hung = "a request was never answered",
    CutAfterPiece = "a response was cut when somebody had seen a piece of it",
    LateAnswer = "somebody answered a question that was over",
    KillDuringSend = "the process was killed while a request of the root was under way",
    KillDuringSubtask = "the process was killed while a request of a subtask was under way",
    KillDuringRefresh = "the process was killed while a refresh was under way",
    KillDuringCommit = "the process was killed while a commit was under way",
    KillDuringPause = "the process was killed while the root was paused",
    KillBeforeRead = "the process was killed while a message was waiting",
    KillAfterEnd = "the process was killed after people had heard of the end",
    AnswerOfCommitLost = "a commit was made, and nobody heard of it",
    CommitLost = "a commit was not made, and nobody heard of that",
    Recalled = "a provider recalled after a kill what it had answered",
    ClockJumped = "the clock was set forward or back",
    AgentDied = "an agent died that had a task",
    LeaseOver = "a lease was over while a request of the root was under way",
}

/// The situations that a search has come across.
#[derive(Clone, Debug, Default)]
pub struct Marks(Arc<Mutex<BTreeSet<Mark>>>);

impl Marks {
    pub(crate) fn hit(&self, mark: Mark) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(mark);
    }

    pub(crate) fn hit_if(&self, mark: Mark, is_hit: bool) {
        if is_hit {
            self.hit(mark);
        }
    }

    /// Takes those of another search over.
    pub(crate) fn add(&self, other: &Self) {
        other.so_far().into_iter().for_each(|mark| self.hit(mark));
    }

    /// Those so far.
    pub fn so_far(&self) -> BTreeSet<Mark> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How many of something are under way, for marks: it is no object of the seam, and nothing depends on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay(Arc<AtomicU32>);

impl UnderWay {
    pub(crate) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// One more, until it is dropped.
    pub(crate) fn one(&self) -> One {
        self.0.fetch_add(1, Ordering::Relaxed);
        One(self.clone())
    }
}

/// One that is under way.
pub(crate) struct One(UnderWay);

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
