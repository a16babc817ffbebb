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
        /// Takes the answer to any turn.
        AnyTurn,
        /// Does not hold the request of a task that is paused.
        PauseMissesRequest,
        /// Leaves the request of a task held that is resumed.
        ResumeMissesRequest,
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
        /// Forgets at restart the tools that ran.
        ResyncForgetsTools,
        /// Forgets at restart the questions that were open.
        ResyncForgetsQuestions,
        /// Forgets at restart the ends that were not acknowledged.
        ResyncForgetsEnds,
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
        /// Begins the first turn of a worker whose task is paused.
        PausedDeploys,
        /// Acknowledges a report that the inbox of the parent did not take.
        ReportLostWhenFull,
        /// Does not tell again what had no room when there is some.
        KeptReportUntold,
        /// Never sees that the pot is empty.
        PotNeverEmpties,
        /// Counts a bill a second time.
        BillCountedTwice,
        /// Takes a bill although one before it is missing.
        BillGapTaken,
        /// Takes the bill of a tree that names a child.
        ChildBilled,
        /// Asks for more although the root is bound to end.
        ClosingAsks,
        /// Does not tell a subtask that the pot is empty.
        ChildUntoldOfBudget,
        /// Starts a subtask that does not know that the pot is empty.
        ChildBornUntold,
        /// Does not tell a subtask that there is something in the pot again.
        ChildUntoldOfGrant,
        /// Does not tell a worker that the pot is empty.
        WorkerUntoldOfBudget,
        /// Begins the first turn of a worker although the pot is empty.
        SpentDeploys,
        /// Begins a turn although the pot is empty.
        SpentBeginsTurn,
        /// Adds nothing to the pot where a person said yes.
        ApproveFillsNothing,
        /// Takes one grant for enough, however much was spent.
        OneGrantIsEnough,
        /// Goes on where a person said no.
        DenyGoesOn,
        /// Takes the time of an older grant for that of the last one.
        AnyGrant,
        /// Leaves the question for more open when the root is bound to end.
        BudgetQuestionLeft,
        /// Leaves the timer of a grant armed when the root is bound to end.
        BudgetTimerLeft,
        /// Forgets at restart the question for more.
        ResyncForgetsBudgetQuestion,
        /// Forgets at restart the timer of a grant.
        ResyncForgetsBudgetTimer,
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
        /// Takes a prompt although nobody will have one again.
        InvokedAfterClose,
        /// Takes a prompt that comes again for another one.
        PromptDoubled,
        /// Takes a prompt although one before it is missing.
        PromptGapTaken,
        /// Takes more prompts than fit.
        PromptsUnbounded,
        /// Takes an iterator that was told to stop while it started for one that may go on.
        LateStartRuns,
        /// Takes the time of an old iterator to stop for that of the live one.
        AnyStopTimer,
        /// Leaves the timer of an iterator armed that has stopped.
        StopTimerLeft,
        /// Forgets at restart the iterator that was to be started.
        ResyncForgetsStart,
        /// Forgets at restart the prompt that the iterator has.
        ResyncForgetsPrompt,
        /// Forgets at restart that the iterator was told to stop.
        ResyncForgetsStopping,
    }
    /// Those of health.
    OF_HEALTH {
        /// Forgets that a resting worker was inquired.
        InquiresAgain,
        /// Takes the answer to an inquiry for something new.
        InquiryForgotten,
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
        /// Counts what repeats itself on from one answered turn to the next.
        StreakKept,
        /// Counts answers about progress on likewise.
        ProgressKept,
        /// Leaves a question about progress open when its turn is answered.
        CheckOutlives,
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
        /// Takes a hold for late together with the turn that it names.
        LateHoldLost,
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
        /// Takes the answer to a question of any prompt.
        AnyApproval,
        /// Takes what is said of an earlier prompt for something about this one.
        AnyTry,
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
        /// Begins a turn although the budget is spent.
        SpentIgnored,
        /// Gives a failed prompt again although the budget is spent.
        SpentTriesAgain,
        /// Lets a person's resume lift what the budget holds.
        ResumeLiftsBudget,
        /// Lets a grant lift what a person holds.
        GrantLiftsHold,
        /// Does not go on when there is something to spend again.
        GrantUnheard,
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
        /// Loses at the end of a worker the reports for which its parent had no room.
        KeptReportLost,
        /// Takes it that a report is where it belongs which there is not yet.
        ReportAcknowledgedEarly,
        /// Takes what a child says a second time.
        ChildDoubled,
        /// Takes a second wish to finish.
        WrapUpTwice,
        /// Takes any timer of a wish to finish for the one that is armed.
        AnyDeadline,
        /// Takes a task that it has answered as given once more.
        AssignedTwice,
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
    /// Those of credentials.
    OF_CREDENTIALS {
        /// Refreshes for each who wants a newer credential, although a refresh is in flight.
        RefreshesBeside,
        /// Refreshes for one whose generation was replaced already.
        RefreshesReplaced,
        /// Gives somebody the very generation that will not do.
        RefusedGiven,
        /// Takes the end of any refresh for that of the one in flight.
        OldRefreshEnds,
        /// Gives a new credential away before it is in the store.
        GivenBeforeStored,
        /// Tries a refresh again without a look at the store.
        RefreshesUnread,
        /// Tries a write again without a look at the store.
        WritesUnread,
        /// Gives a credential up that the server refused, without a look at the store.
        RefusesUnread,
        /// Gives a credential up although the store holds a newer one.
        NewerRefused,
        /// Refreshes although another process has the right to.
        TakenRefreshes,
        /// Takes what the store holds for newer, whatever it is.
        OlderAdopted,
        /// Leaves a refresh in flight when its time is over.
        RefreshNotAborted,
        /// Leaves a refresh in flight when another process has stored a newer credential.
        ReplacedNotAborted,
        /// Arms no timer for an order to the store or the server.
        NoOrderTimer,
        /// Leaves the timer of an order armed that was answered.
        OrderLeftArmed,
        /// Waits for a credential without end.
        NoWaitBudget,
        /// Tells the first who waits, and not the others.
        OneWaiterSettled,
        /// Tells who waits, and takes it for waiting on.
        WaitersKept,
        /// Forgets a new credential that could not be stored.
        UnsavedForgotten,
        /// Takes more to wait than may.
        WaitersUnbounded,
        /// Counts somebody among those who wait for whom there is no room.
        RefusedWaits,
        /// Sends at restart the refresh that was in flight once more.
        ResyncRefreshes,
        /// Forgets at restart what a credential waits for.
        ResyncForgetsOrder,
    }
    /// Those of requests.
    OF_REQUESTS {
        /// Begins a second time.
        BeginsAgain,
        /// Takes what is said of any send for the open one.
        AnySend,
        /// Sends again past the budget of sends.
        NoSendBudget,
        /// Sends again when a credential comes twice.
        CredentialSendsAgain,
        /// Sends with a token that was refused.
        OldCredentialTaken,
        /// Asks for a newer token although a newer one was refused.
        RefusedAgain,
        /// Takes a refusal of one profile's token for one of every profile's.
        RefusalIsShared,
        /// Continues again from the response that is lost.
        LostIsContinued,
        /// Sends the full input again because continuity is lost that it did not need.
        FullIsLost,
        /// Lets two turns continue from one response.
        ContinuityShared,
        /// Tries again what another try cannot mend.
        InvalidIsRetried,
        /// Tries again without a wait.
        RetriesAtOnce,
        /// Takes a stream that broke off for a whole response.
        TruncatedAccepted,
        /// Tries again although output has gone out.
        DeliveredIsReplayed,
        /// Gives up for a failover what somebody has read of.
        DeliveredFailsOver,
        /// Lets output of a stream go out that was told to stop.
        StoppedDelivers,
        /// Sends to another profile while the old stream is open.
        FailoverBeside,
        /// Goes on without having closed a stream that does not stop.
        NoFence,
        /// Arms no timer for a stream that is told to stop.
        NoFenceTimer,
        /// Takes every profile for up again when it has sent.
        DownForgotten,
        /// Sends to the first profile although it is down.
        DownIsPreferred,
        /// Sends with the credential that has come, although its profile has gone down meanwhile.
        CredentialSticks,
        /// Calls it a failover when the next send goes where the last one went.
        ReturnIsFailover,
        /// Sends again at once, to a profile that is down, what was stopped for another one that is down by then.
        ReturnsToDown,
        /// Takes a stream that was stopped by nobody here for one that was told to stop.
        UnaskedStops,
        /// Goes on with a failover although the request was cancelled meanwhile.
        FailoverOutlivesCancel,
        /// Ends as cancelled, and waits on for a credential or the next send.
        CancelMissesWait,
        /// Ends as cancelled while the stream is open.
        CancelEndsBeside,
        /// Accepts a response that comes after the cancel.
        CancelledAccepted,
        /// Ends a second time.
        EndedRequestMoves,
        /// Books a stream that broke off as one that costs nothing.
        LostIsFree,
        /// Books a send as refused although its provider has sent a bill for it.
        BilledIsRefused,
        /// Waits as long as a provider asks for, however long that is.
        WaitUnbounded,
        /// Forgets the wait that it owes a provider when the next send is to go elsewhere.
        OwedForgotten,
        /// Owes a wait still when the next send has gone elsewhere.
        OwedKept,
        /// Takes a provider that wants more patience than there is for one that can be used.
        ShutForgotten,
        /// Avoids such a provider also when it is said to be up again.
        ShutKept,
        /// Books a stream that was closed by force as one that costs nothing.
        FencedIsFree,
        /// Charges the profile that is preferred now.
        ChargesPreferred,
        /// Charges a send twice.
        ChargedTwice,
        /// Arms no timer for the wait before the next send.
        NoRetryTimer,
        /// Sends although a person holds the request.
        HeldSends,
        /// Sends nothing at resume, although nothing else is missing.
        ResumeLeavesReady,
        /// Sends at resume what is open already.
        ResumeSendsAgain,
        /// Leaves the timer of that wait armed at a cancel.
        BackoffLeftAtCancel,
        /// Leaves the timer of a stream armed that has stopped.
        GraceLeftArmed,
        /// Takes a timer again that has run out.
        AnyBackoff,
        /// Takes a timer that was never armed for that of a stream that is to stop.
        AnyGrace,
        /// Tells a send to stop when it refuses output.
        RefusedRequestEmits,
        /// Sends at restart what was sent already.
        ResyncSendsAgain,
        /// Forgets at restart the credential that is waited for.
        ResyncForgetsCredential,
        /// Forgets at restart the send that is open.
        ResyncForgetsSend,
        /// Forgets at restart the wait before the next send.
        ResyncForgetsBackoff,
        /// Forgets at restart the send that is to stop.
        ResyncForgetsStop,
    }
    /// Those of pools.
    OF_POOLS {
        /// Takes a submission that comes again for that of a new task.
        SubmissionDoubled,
        /// Takes in more than fits.
        PoolUnbounded,
        /// Assigns a task of low priority when nothing of a higher one is there.
        PriorityStarves,
        /// Puts a task that was lost behind all others.
        PlaceLost,
        /// Leaves a cancelled task in the queue.
        CancelMissesQueue,
        /// Ends a cancelled task as its agent says.
        CompletionOvertakes,
        /// Lets heartbeats renew the lease of a cancelled task.
        CancelIsRenewed,
        /// Assigns more of a user's tasks than the quota allows.
        QuotaIgnored,
        /// Gives a place in the quota back at the cancel and at the end.
        QuotaReleasedTwice,
        /// Does not give a place in the quota back.
        QuotaKept,
        /// Assigns under the epoch of the last assignment.
        EpochKept,
        /// Leaves an assigned task in the queue.
        AssignedStaysQueued,
        /// Assigns a task that is lost again and again.
        NoAttemptsBound,
        /// Takes what an agent says under any lease for the present one.
        AnyLease,
        /// Arms no timer for a lease.
        NoLeaseTimer,
        /// Loses a lease that was renewed.
        RenewalForgotten,
        /// Does not put a task back whose lease was lost.
        LostTaskForgotten,
        /// Uses an agent again that was lost.
        LostAgentReused,
        /// Says the end of a task again, as the doubled report says.
        EndsTwice,
        /// Forgets a task before its end is acknowledged.
        PoolEndForgotten,
        /// Uses an agent again before it is cleaned.
        UncleanIdle,
        /// Takes the end of any cleaning for that of the present one.
        AnyCleaning,
        /// Takes any timer of an agent for the one that is armed.
        AnyPoolTimer,
        /// Removes an agent that is to be drained with the task that it has.
        DrainTakesTask,
        /// Cleans an agent that was drained, and uses it again.
        DrainedReused,
        /// Orders no agent.
        ProvisionsNothing,
        /// Orders more agents than may be.
        ProvisionsWithoutBound,
        /// Orders an agent at once in place of one that could not be started.
        FailsWithoutPause,
        /// Removes agents of the minimum.
        RetiresMinimum,
        /// Gives no order to remove an agent that is to leave.
        NotRetired,
        /// Takes no notice of a container that comes after it was removed.
        LeaksContainer,
        /// Forgets at restart the agents that were ordered.
        ResyncForgetsProvisions,
        /// Forgets at restart the agents that were to be removed.
        ResyncForgetsRetirements,
        /// Forgets at restart what was assigned.
        ResyncForgetsAssignments,
        /// Forgets at restart who was told to stop.
        ResyncForgetsStops,
        /// Forgets at restart which agents were to be cleaned.
        ResyncForgetsCleaning,
        /// Forgets at restart the timers of agents.
        ResyncForgetsPoolTimers,
        /// Forgets at restart the ends of tasks that were not acknowledged.
        ResyncForgetsPoolEnds,
    }
    /// Those of the questions of remote tasks.
    OF_QUESTIONS {
        /// Takes a question of an agent that is gone.
        LostAgentAsks,
        /// Takes a question that comes again for a new one.
        QuestionDoubled,
        /// Takes a question although one before it is missing.
        QuestionGapTaken,
        /// Takes the next question although the one before it is not settled.
        AsksBeside,
        /// Lets an answer settle whatever question of the task is open.
        AnyRemoteAnswer,
        /// Takes an answer after the question has ended otherwise.
        LateAnswerTaken,
        /// Sends the agent an answer that came too late.
        LateAnswerRelayed,
        /// Arms no timer for a question.
        QuestionNeverExpires,
        /// Takes any timer of the questions for the one that is armed.
        AnyQuestionTimer,
        /// Leaves the timer armed of a question that is settled, or that the agent knows the end of.
        QuestionTimerLeft,
        /// Leaves the question of an agent open that is lost.
        QuestionOutlivesAgent,
        /// Leaves a question open when its task ends.
        QuestionOutlivesTask,
        /// Tells the agent an answer and no other end.
        AgentUntold,
        /// Does not tell the person that a question is over.
        PersonUntold,
        /// Tells the agent once.
        RelayedOnce,
        /// Takes the acknowledgement of an older question for that of the last one.
        AnyRelayAcknowledged,
        /// Forgets at restart that a person is asked.
        ResyncForgetsOpenQuestion,
        /// Forgets at restart to tell the agent.
        ResyncForgetsRelay,
        /// Forgets at restart to tell the person.
        ResyncForgetsClose,
        /// Forgets at restart the timer of a question.
        ResyncForgetsQuestionTimer,
    }
    /// Those of the notifications of remote tasks.
    OF_NOTIFICATIONS {
        /// Takes a notification that comes again for the next one.
        NotificationDoubled,
        /// Sends a notification that comes again once more.
        NotificationSentAgain,
        /// Takes a notification although one before it is missing.
        NotificationGapTaken,
        /// Takes more into the outbox than fits.
        OutboxUnbounded,
        /// Refuses the conclusion of a task when the outbox is full.
        ConclusionRefused,
        /// Takes a notification after the conclusion of the task.
        ConclusionContradicted,
        /// Sends a notification at once, although one before it waits.
        NotificationOvertakes,
        /// Takes the acknowledgement of an older notification for that of the first that waits.
        AnyNotificationAcknowledged,
        /// Arms no timer for a notification.
        NotificationSentOnce,
        /// Takes any timer of an outbox for the one that is armed.
        AnyNotificationTimer,
        /// Leaves the timer armed of a notification that was acknowledged.
        NotificationTimerLeft,
        /// Sends past the budget of attempts.
        NotificationNeverGivenUp,
        /// Does not report what is given up.
        GivenUpSilently,
        /// Gives a conclusion up for good when it is reported.
        ConclusionGivenUp,
        /// Forgets at restart the notification that was sent.
        ResyncForgetsNotification,
        /// Forgets at restart the report of what was given up.
        ResyncForgetsUndelivered,
        /// Forgets at restart the timer of a notification.
        ResyncForgetsNotificationTimer,
    }
    /// Those of the attempts at remote tasks.
    OF_RETRIES {
        /// Takes the end of an older attempt for that of the last one.
        AnyAttemptEnds,
        /// Takes the timer back when an older attempt ends.
        OldAttemptDisarms,
        /// Takes a second end of one attempt.
        AttemptEndsTwice,
        /// Tries again what may have succeeded.
        UnknownTriesAgain,
        /// Tries again beside an attempt that runs.
        RunningTriedAgain,
        /// Tries again without a fence for an attempt that has not started.
        UnfencedRetry,
        /// Orders no fence.
        FenceNotGiven,
        /// Tries again although the attempt succeeded before its fence.
        SuccessBeforeFenceLost,
        /// Tries again what another try cannot mend.
        PermanentTaskTried,
        /// Begins more attempts than the budget has.
        NoTaskBudget,
        /// Waits less than was asked for.
        ThrottledHurries,
        /// Arms no timer for the next attempt.
        RetryNeverDue,
        /// Arms no timer for the report of an attempt.
        ReportAwaitedForEver,
        /// Takes the answer to an older question about the attempt.
        AnyQueryAnswers,
        /// Asks once how an attempt stands.
        QueriedOnce,
        /// Orders a fence once.
        FencedOnce,
        /// Asks without end.
        QueriedForEver,
        /// Fails a task that nobody knows about as one whose attempts have failed.
        UnknownIsExhausted,
        /// Ends a task as cancelled although nobody confirmed that its attempt is stopped.
        UnconfirmedIsCancelled,
        /// Leaves a cancelled task to its next attempt.
        CancelMissesBackoff,
        /// Lets the end of an attempt move an ended task.
        EndedTaskMoves,
        /// Takes any timer of the attempts for the one that is armed.
        AnyRetryTimer,
        /// Leaves a timer armed that is not needed any more.
        RetryTimerLeft,
        /// Forgets at restart the attempt that was ordered.
        ResyncForgetsAttempt,
        /// Forgets at restart the question about an attempt.
        ResyncForgetsQuery,
        /// Forgets at restart the fence of an attempt.
        ResyncForgetsFence,
        /// Forgets at restart the end that was not acknowledged.
        ResyncForgetsRetryEnd,
        /// Forgets at restart the timer of an attempt.
        ResyncForgetsRetryTimer,
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
