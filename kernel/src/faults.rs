//! Faults that a test can plant in the kernel's guards.
//!
//! A check that has never failed proves nothing. Each fault here takes away one guard or one duty, and a named
//! property has to fail for it: the list with the names is `tests/tests/planted_faults.rs`. Without the feature
//! `planted-faults` no kernel can be given one, and the branches are compiled away.

use crate::config::Config;
use serde::{Deserialize, Serialize};

macro_rules! faults {
    ($($(#[$about:meta])* $list:ident { $($(#[$doc:meta])* $name:ident,)* })*) => {
        /// One fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Fault {$($(
            $(#[$doc])*
            $name,
        )*)*}

        impl Fault {
            /// Every fault there is.
            pub const ALL: &[Self] = &[$($(Self::$name,)*)*];
            $(
                $(#[$about])*
                pub const $list: &[Self] = &[$(Self::$name,)*];
            )*
        }
    };
}

faults! {
    /// Those of tasks, and of the tree of them.
    OF_TASKS {
        /// Takes the answer to any attempt of the turn, not only to the one in flight.
        AnyAttempt,
        /// Takes the answer to any turn.
        AnyTurn,
        /// Sends again past the budget of attempts.
        NoBudget,
        /// Takes a truncated stream for a response.
        TruncatedIsText,
        /// Forgets to arm the backoff timer.
        NoBackoffTimer,
        /// Sends when a backoff timer fires that is void, although a request is in flight.
        VoidTimerSends,
        /// Sends at resume although a request is in flight.
        ResumeSends,
        /// Starts a new turn although the task is paused.
        PauseHoldsNothing,
        /// Does not tell the parent that its subtask ended.
        SettlesNobody,
        /// Begins the next turn when a subtask ends, although other calls are open.
        ResumeWithoutCheck,
        /// Leaves the result of a subtask out of the next request.
        SubtaskResultLeftOut,
        /// Creates a subtask for a response that is stale.
        CreateBeforeCheck,
        /// Does not cancel the subtasks of a cancelled task.
        NoCascade,
        /// Ends a cancelled task while its subtasks are live.
        EndBeforeChildren,
        /// Sends the next attempt of a task that was cancelled while it backed off.
        TimerSendsAfterCancel,
        /// Arms no grace timer: a cancel waits for ever for what does not answer.
        NoGraceTimer,
        /// Does not report queued messages at the end.
        UndeliveredForgotten,
        /// Does not report messages of a turn that was never answered.
        InDoubtForgotten,
        /// Keeps messages that the model has answered for the next turn.
        MessageTakenTwice,
        /// Accepts a doubled message as a new one.
        DuplicateMessage,
        /// Gives the newest message first.
        MessagesReversed,
        /// Lets a message answer an open question.
        MessageAnswers,
        /// Lets an answer settle whatever question is open.
        AnyQuestion,
        /// Takes the second end of one tool for the end of another.
        AnyCall,
        /// Leaves the result of a tool out of the next request.
        ToolResultLeftOut,
        /// Lets a cancel move an ended task.
        EndedMoves,
        /// Counts a stale response as a mistake of the model.
        IgnoredChanges,
        /// Reports a message that it refuses.
        RefusedEmits,
        /// Forgets at restart the requests that were in flight.
        ResyncForgetsRequests,
        /// Forgets at restart the tools that ran.
        ResyncForgetsTools,
        /// Forgets at restart the questions that were open.
        ResyncForgetsQuestions,
        /// Forgets at restart the timers that were armed.
        ResyncForgetsTimers,
        /// Forgets at restart the ends that were not acknowledged.
        ResyncForgetsEnds,
        /// Sends at restart the attempt after the one in flight.
        ResyncSendsNext,
        /// Leaves results and messages out of every attempt but the first.
        RetryLeavesOut,
        /// Begins the initialization of a paused task that is admitted.
        PausedAdmits,
        /// Lets a message end the pause of a task whose request is in flight.
        MessageUnpauses,
        /// Starts the subtasks of a response that came while the task is paused.
        PausedStarts,
        /// Tells nothing to stop when a task is cancelled.
        StopsNothing,
        /// Runs at resume again the tools that run.
        RunsAgain,
        /// Gives what belongs into a subtask's request to its parent.
        ForeignInclude,
        /// Leaves the prompt out of the first request.
        NoPrompt,
        /// Reports every message that was not answered as one that the model cannot have read.
        NeverInDoubt,
        /// Takes the queue anew for the next attempt of a turn.
        RetryTakesMessages,
        /// Lets a completion count that is not the only call of its response.
        CompletionBeside,
        /// Takes an empty response to a cancelled request for an answer.
        EmptyAnswersAfterCancel,
        /// Takes a resume for the answer to an open question.
        ResumeAnswers,
        /// Forgets an ended worker before the end of its task is acknowledged.
        EndedWorkerDropped,
        /// Does not tell a worker that its subtask ended.
        ChildEndUntold,
        /// Starts a subtask although a person holds the worker that asks for it.
        HeldStartsSubtask,
        /// Holds a subtask back although the worker that asked for it is held no more.
        SubtaskLeftHeld,
        /// Lets the shell tell a worker what only the kernel may.
        ShellSpeaksForKernel,
        /// Takes a subtask of a worker under an id that was used.
        SubtaskIdReused,
        /// Takes more subtasks of a worker than fit.
        SubtasksUnbounded,
    }
    /// Those of sessions.
    OF_SESSIONS {
        /// Starts an iterator while the one before is stopping.
        StartsBesideOld,
        /// Takes any answer for that of the first prompt.
        CrossedAnswers,
        /// Takes the end of an old iterator for that of the live one.
        OldIteratorEnds,
        /// Settles no prompt when its iterator ends.
        EndSettlesNobody,
        /// Starts no iterator for the prompts that wait when one has ended.
        DeadIterator,
        /// Lets an abort that comes too late stop the prompt that is being answered.
        AbortHitsFirst,
        /// Arms no timer for an iterator that is told to stop.
        NoStopTimer,
        /// Starts anew without having killed an iterator that does not stop.
        NoKill,
        /// Gives a prompt to the iterator although it was withdrawn while it waited.
        WithdrawnIsGiven,
        /// Tells the iterator to stop when an abort comes too late.
        LateAbortStops,
        /// Takes an iterator that says again that it runs for one without a prompt.
        StartedAgainListens,
    }
    /// Those of health.
    OF_HEALTH {
        /// Forgets that a resting worker was inquired.
        InquiresAgain,
        /// Takes silence from an agent that was active.
        ActivityUnseen,
        /// Lets activity take back every rung of the ladder.
        ActivityTakesBackAll,
        /// Lets activity take back a question while the agent repeats itself.
        RepeatingTakesBack,
        /// Takes any timer of health for the one that is armed.
        AnyWatch,
        /// Arms no timer for the next rung.
        NoNextRung,
        /// Restarts again where nothing has helped.
        NeverFails,
        /// Fails a worker where it should interrupt it.
        StuckFails,
        /// Interrupts without a warning.
        SilentLadder,
        /// Counts calls of different tools as a loop.
        AnyTool,
        /// Sees a loop and does nothing.
        LoopWithoutRung,
        /// Does not see a loop.
        NeverWarnsOfLoops,
        /// Does not see that one failure follows the other.
        NeverWarnsOfErrors,
        /// Lets a success not end a streak of failures.
        ErrorsNeverEnd,
        /// Takes the answer to any question about progress.
        AnyCheck,
        /// Takes every answer about progress for activity.
        ProgressNeverEnds,
        /// Keeps the rung of a turn that was answered.
        RungKept,
        /// Leaves the timer of a worker armed that nobody watches any more.
        WatchLeftArmed,
        /// Arms no timer for a worker that rests.
        NoIdleTimer,
        /// Forgets at restart the question about progress.
        ResyncForgetsCheck,
    }
    /// Those of workers.
    OF_WORKERS {
        /// Watches a held worker as one that rests.
        HeldIsWatched,
        /// Begins a turn although a person holds the worker.
        HoldIgnored,
        /// Gives a failed prompt again although a person holds the worker.
        HeldTriesAgain,
        /// Lets an interrupt stop whatever turn runs.
        InterruptAnyTurn,
        /// Takes an interrupt for late when the turn waits.
        InterruptMissesGap,
        /// Drops what a stopped turn contained.
        InterruptDropsTurn,
        /// Leaves the backoff timer of a stopped turn armed.
        BackoffLeftArmed,
        /// Puts the newest message first.
        InboxReversed,
        /// Accepts a message a second time.
        InboxDoubled,
        /// Acknowledges what was not in the prompt.
        AcknowledgesAll,
        /// Acknowledges nothing.
        AcknowledgesNothing,
        /// Leaves what was in the failed prompt out of the next one.
        ResumeLeavesOut,
        /// Does not say that a turn is resumed.
        ResumeUnmarked,
        /// Does not report what was not in a prompt at the end of a worker.
        InboxForgotten,
        /// Reports all that is left as something that the agent cannot have read.
        InboxNeverInDoubt,
        /// Leaves questions open when the prompt is over.
        ApprovalsOutlive,
        /// Takes the answer to a question of any turn.
        AnyApproval,
        /// Takes what an iterator says that has no prompt.
        OldIteratorAsks,
        /// Never opens the breaker.
        NoBreaker,
        /// Lets every new turn pass the open breaker.
        BreakerPasses,
        /// Lets the breaker wait less than the provider asked for.
        BreakerHurries,
        /// Tries a turn again past the budget.
        NoWorkerBudget,
        /// Ends a worker whose session is not closed.
        EndsBeforeSession,
        /// Lets a kill overtake a completion.
        SecondEndWins,
        /// Lets a kill move an ended worker.
        EndedWorkerMoves,
        /// Puts the wrap-up behind what waits.
        WrapUpLast,
        /// Leaves a worker held that is to finish.
        WrapUpKeepsHold,
        /// Interrupts nobody for the wrap-up.
        WrapUpWaits,
        /// Lets a worker go on that has had its time to finish.
        WrapUpWithoutEnd,
        /// Goes on after the wrap-up was answered.
        WrapUpIsNoEnd,
        /// Lets an interrupt that resumes lift a hold.
        InterruptLiftsHold,
        /// Takes any timer of a wait for the one that is armed.
        AnyWait,
        /// Leaves the timers of a worker armed that is to end.
        TimersLeftAtEnd,
        /// Takes more into the inbox than fits.
        InboxUnbounded,
        /// Refuses the end of a child where the inbox is full.
        ChildEndRefused,
        /// Takes a message although one before it is missing.
        GapTaken,
        /// Takes a question although one before it is missing.
        ApprovalGapTaken,
        /// Takes more questions than fit.
        ApprovalsUnbounded,
        /// Takes a report although one before it is missing.
        ReportGapTaken,
        /// Takes more reports than fit.
        ReportsUnbounded,
        /// Takes it that a report is where it belongs which there is not yet.
        ReportAcknowledgedEarly,
        /// Takes what a child says a second time.
        ChildDoubled,
        /// Takes a second wish to finish.
        WrapUpTwice,
        /// Tries again what another try cannot mend.
        PermanentTriesAgain,
        /// Takes a report a second time.
        ReportDoubled,
        /// Lets the shell abort a prompt behind the worker's back.
        ShellAborts,
        /// Reports a message that a worker refuses.
        RefusedWorkerEmits,
        /// Forgets at restart the timers of workers.
        ResyncForgetsWorkerTimers,
        /// Forgets at restart what the agent asked a person about.
        ResyncForgetsApprovals,
        /// Forgets at restart the reports that were not acknowledged.
        ResyncForgetsReports,
        /// Forgets at restart what the prompt contains.
        ResyncForgetsContent,
    }
}

impl Config {
    /// Whether this fault is planted.
    #[cfg(feature = "planted-faults")]
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether this fault is planted: never in a kernel that ships.
    #[cfg(not(feature = "planted-faults"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    pub(crate) const fn has(&self, _fault: Fault) -> bool {
        false
    }

    /// Whether any fault is planted, so that the kernel's own assertions leave the finding to the checks.
    #[cfg(feature = "planted-faults")]
    pub(crate) fn has_fault(&self) -> bool {
        self.fault.is_some()
    }

    /// Whether any fault is planted: never in a kernel that ships.
    #[cfg(not(feature = "planted-faults"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    pub(crate) const fn has_fault(&self) -> bool {
        false
    }
}
