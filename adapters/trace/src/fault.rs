//! The ways to break a promise that a trace can show.

use crate::property::Property;

macro_rules! faults {
    ($($name:ident $property:ident $words:literal;)*) => {
        /// One way to break a promise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $(#[doc = $words] $name,)* }

        impl Fault {
            /// Every one, in the order of the promises.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What is broken.
            pub const fn property(self) -> Property {
                match self { $(Self::$name => Property::$property,)* }
            }

            /// What happened, of a task.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            /// What it is called in a document for machines.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

faults! {
    SecondInFlight S1 "a request was sent while another one is in flight";
    SentTwice S2 "a turn was sent again as the same attempt, or after a later one";
    ContentChanged S2 "a turn was sent again with another content";
    ResultTwice S3 "the result of a subtask was delivered again";
    ResultToStranger S3 "the result of a subtask was delivered to a task that is not its parent";
    CompletedWithoutResult S3 "a task completed that has not got the result of a subtask";
    SentWithoutResult S4 "a request was sent without the result of a subtask that has ended";
    MessageTwice S5 "a message was delivered that a request carries or the model has answered, or that nobody wrote to this task";
    MessageOutOfOrder S5 "a message was delivered before an earlier one";
    MessageMisreported S5 "a message was delivered after its writer heard that it is not, or returned after it was answered";
    MessageDropped S5 "a message came neither to the model nor back to its writer";
    SettledByAnother S6 "an answer settled a question that it does not name";
    SettledAgain S6 "an answer settled a question that is not open";
    SentAfterEnd S7 "a request was sent after the end";
    RanAfterEnd S7 "a tool began to run after the end";
    EndedAgain S7 "a task ended again, in another way";
    StartedAfterEnd S7 "a task began again after its end";
    CallWithoutResult S8 "a request was sent although a call has no result";
    ResultWithoutCall S8 "a call got a second result, or one that nobody waited for";
    RanTwice S8 "a tool began twice for one call";
    LiveUnderEnded S9 "a task ended that has a live subtask";
    StartedUnderEnded S9 "a subtask began under a parent that has ended";
    SecondIterator S10 "an iterator began while another one works on the session";
    StoppedAnother S12 "a request was stopped that nobody meant to stop";
    WentOnWhilePaused S13 "something began for a task that is paused";
    SecondRefresh S14 "a refresh went out while another one of that generation is in flight";
    TokenTwice S15 "a refresh token was used again";
    OlderStored S16 "an older credential took the place of a newer one";
    SentAfterSecondRefusal S17 "a turn was sent again after its credential was refused twice";
    AcceptedTwice S18 "a second response was accepted for one turn";
    ShownOfTwo S18 "output of two sends of one turn was shown";
    SentAfterCancel S19 "a request was sent after a cancel";
    BeganAfterCancel S19 "a tool or a subtask began after a cancel";
    SecondAgent S20 "a task was given to an agent while another one has it, and not under a newer assignment";
    SecondTask S20 "an agent was given a task while it has another one";
    OldEpoch S20 "an agent acted under an assignment that is over, or that it never had";
    StartedAfterCancel S21 "a task began that was cancelled before";
    ToldOtherwise S24 "people were told of an end that contradicts the one before, or the one that there is";
    Unended L1 "a task neither ended nor waits for a person";
    CancelUnended L2 "a task was cancelled, and did not end";
    RefreshUnended L5 "a refresh went out, and did not end";
}
