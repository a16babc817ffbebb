//! Faults that a test can plant in the shell.
//!
//! A check that has never failed proves nothing. Each fault here takes away one duty of the shell, and a search of its schedules has to find
//! that: the table is in `docs/sim.md`. They are planted for one thread, on which everything runs that is explored. Without the
//! feature `planted-faults` none can be planted, and the branches are compiled away. The program `downbeat` has it, for `downbeat sim`.

#[cfg(feature = "planted-faults")]
use std::cell::Cell;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// One fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(not(feature = "planted-faults"), expect(unreachable_pub, reason = "nobody can plant it"))]
        pub enum Fault {$(
            $(#[doc = $doc])*
            $name,
        )*}

        #[cfg(feature = "planted-faults")]
        impl Fault {
            /// Every fault there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name at a command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What is wrong with it.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)*).trim_ascii_start(),)* }
            }
        }
    };
}

faults! {
    /// Carries orders out before the journal has the event that they come from.
    EffectsFirst = "effects-first",
    /// Says what became of something before the journal has it.
    RepliesFirst = "replies-first",
    /// Says what became of something before what was ordered until then is carried out.
    RepliesBeforeOrders = "replies-before-orders",
    /// Does not write messages of people to the journal.
    MessagesNotJournaled = "messages-not-journaled",
    /// Does not go on after a crash with what was outstanding.
    ForgetsOutstanding = "forgets-outstanding",
    /// Waits for letters while a commit is under way, and not for the commit.
    StarvesCommits = "starves-commits",
    /// Drops the letters that come while a commit is under way.
    DropsLetters = "drops-letters",
    /// Tells nobody what became of what was told.
    ForgetsReplies = "forgets-replies",
    /// Leaves out the last line of the journal after a crash.
    SkipsLastLine = "skips-last-line",
    /// Says that a send has stopped, and lets it run.
    SendsRunOn = "sends-run-on",
    /// Says that a tool was stopped, and lets it run.
    ToolsRunOn = "tools-run-on",
    /// Takes the response to any turn for that to the first.
    AnswersOlderTurn = "answers-older-turn",
    /// Sends again after a crash what was under way, under its old number.
    SendsAgain = "sends-again",
    /// Arms no timer.
    ForgetsTimers = "forgets-timers",
    /// Says that people were told of a message that nobody has read, and does not tell them.
    ReportsToNobody = "reports-to-nobody",
    /// Takes a notification for delivered that was not sent.
    TellsNobody = "tells-nobody",
    /// Forgets a task before everybody has heard of its end.
    ForgetsEarly = "forgets-early",
    /// Gives two subtasks of one response the same number.
    SameNumber = "same-number",
    /// Confuses the results of the calls of one response.
    SwapsResults = "swaps-results",
    /// Does not say to whoever waits for a credential that it is there.
    ForgetsWaiters = "forgets-waiters",
    /// Leaves notifications out of what is outstanding after a crash.
    OutboxesForgotten = "outboxes-forgotten",
    /// Leaves credentials out of what is outstanding after a crash.
    CredentialsForgotten = "credentials-forgotten",
    /// Sends a request twice at once.
    SendsTwice = "sends-twice",
    /// Runs a tool, and runs it again when it is done.
    RunsToolsTwice = "runs-tools-twice",
    /// Leaves the results of calls out of the next request.
    ForgetsResults = "forgets-results",
    /// Tells a parent that a subtask was cancelled that has completed.
    FailsSubtasks = "fails-subtasks",
    /// Leaves the turns before out of a request.
    ForgetsTurns = "forgets-turns",
    /// Refreshes a credential twice at once.
    RefreshesTwice = "refreshes-twice",
    /// Shows output of a send before it is on record that some goes out.
    ShowsFirst = "shows-first",
    /// Takes the answer to any question for that to the newest.
    AnswersNewestQuestion = "answers-newest-question",
    /// Waits half as long as it is told to.
    HalvesWaits = "halves-waits",
    /// Tells people that a root has ended, and not with what.
    ForgetsLastWords = "forgets-last-words",
    /// Waits for adapters that do not answer, whatever the bounds are.
    WaitsForEver = "waits-for-ever",
    /// Lets what runs under a lease run on when that is over.
    LeasesNeverEnd = "leases-never-end",
}

#[cfg(feature = "planted-faults")]
thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Plants a fault in every shell of this thread, or none.
#[cfg(feature = "planted-faults")]
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

/// Whether this fault is planted.
#[cfg(feature = "planted-faults")]
pub(crate) fn has(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Whether this fault is planted: none is.
#[cfg(not(feature = "planted-faults"))]
pub(crate) const fn has(_fault: Fault) -> bool {
    false
}
