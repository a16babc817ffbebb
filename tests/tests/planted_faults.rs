//! The guards and duties of the kernel that are listed here are there for a property: without it, that one fails.

#[path = "planted_faults/composition.rs"]
mod composition;
#[path = "planted_faults/owners.rs"]
mod owners;
#[path = "planted_faults/pools.rs"]
mod pools;
use std::fmt::Debug;

use downbeat_kernel::faults::Fault;
use downbeat_models::agent_session::kernel as session;
use downbeat_models::duplicate_send::kernel as request;
use downbeat_models::remote_agents::machine::{Closed, World};
use downbeat_models::remote_agents::{
    notifications::kernel as notifications, questions::kernel as questions, retries::kernel as retries,
};
use downbeat_models::subtask_completion::kernel::{KernelModel, Scenario};
use downbeat_models::token_refresh::kernel as credential;
use downbeat_models::worker::{self, Budget, WorkerModel};
use downbeat_sim::check::{Checker, Limits};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::model::Model;
use downbeat_sim::report::{Report, Verdict};

/// Enough for every fault here. A broken kernel may have no end of states, and nobody wants them all.
const STATES: usize = 120_000;

/// The same for the faults of workers, of which some make states without an end, and large ones.
const STATES_OF_WORKERS: usize = 25_000;

/// The same for a kernel that asks for more again and again: a few levels, before there are more questions than the outside counts.
const STATES_OF_ONE_WHO_ASKS: usize = 3_000;

/// A small tree, with a crash.
const TREE: Scenario = Scenario {
    tasks: 2,
    messages: 1,
    cancels: 1,
    pauses: 0,
    crashes: 1,
    tools: 0,
    questions: 0,
    mixed: 0,
    texts: 0,
    failures: 2,
    outputs: 0,
    bad_starts: false,
    late: true,
    budget: 0,
    bills: 0,
};

/// A task alone, with tools, a question and a crash.
const ALONE: Scenario =
    Scenario { tasks: 1, messages: 2, pauses: 1, tools: 1, questions: 1, texts: 1, failures: 1, ..TREE };

/// A subtask and a tool at once.
const SIDE_BY_SIDE: Scenario = Scenario { messages: 0, pauses: 1, crashes: 0, tools: 1, failures: 0, ..TREE };

/// The same with a pause, and calls that do not go together.
const MIXED: Scenario = Scenario { questions: 1, mixed: 1, ..SIDE_BY_SIDE };

/// A task alone that asks twice.
const ASKING: Scenario = Scenario { crashes: 0, tools: 0, questions: 2, texts: 3, ..ALONE };

/// A task alone of which output goes out early.
const DELIVERING: Scenario = Scenario { tasks: 1, messages: 0, cancels: 1, crashes: 0, outputs: 1, ..TREE };

/// A small tree that draws on one budget, with a crash.
const SPENDING: Scenario = Scenario { messages: 0, failures: 0, budget: 1, bills: 2, ..TREE };

const SCENARIOS: [Scenario; 7] = [TREE, ALONE, SIDE_BY_SIDE, MIXED, ASKING, DELIVERING, SPENDING];

/// The fault, where it shows, and which property finds it.
#[rustfmt::skip]
const FAULTS: &[(Fault, Scenario, &str)] = &[
    (Fault::AnySend,                TREE,         "S1"),
    (Fault::AnyTurn,                TREE,         "S1"),
    (Fault::NoSendBudget,           TREE,         "S2"),
    (Fault::TruncatedAccepted,      TREE,         "S5"),
    (Fault::NoRetryTimer,           TREE,         "L1"),
    (Fault::DeliveredIsReplayed,    DELIVERING,   "orders"),
    (Fault::NoFence,                DELIVERING,   "orders"),
    (Fault::PauseMissesRequest,     ALONE,        "S13"),
    (Fault::ResumeMissesRequest,    ALONE,        "L1"),
    (Fault::HeldSends,              ALONE,        "S13"),
    (Fault::ResumeLeavesReady,      ALONE,        "L1"),
    (Fault::ResumeSendsAgain,       ALONE,        "S1"),
    (Fault::PauseHoldsNothing,      ALONE,        "S13"),
    (Fault::SettlesNobody,          TREE,         "S9"),
    (Fault::ResumeWithoutCheck,     SIDE_BY_SIDE, "S8"),
    (Fault::SubtaskResultLeftOut,   TREE,         "S4"),
    (Fault::CreateBeforeCheck,      TREE,         "S25"),
    (Fault::NoCascade,              SIDE_BY_SIDE, "L2"),
    (Fault::EndBeforeChildren,      TREE,         "S9"),
    (Fault::NoGraceTimer,           TREE,         "L2"),
    (Fault::UndeliveredForgotten,   TREE,         "S5"),
    (Fault::InDoubtForgotten,       TREE,         "S5"),
    (Fault::MessageTakenTwice,      TREE,         "S5"),
    (Fault::DuplicateMessage,       TREE,         "S5"),
    (Fault::MessagesReversed,       ALONE,        "S5"),
    (Fault::MessageAnswers,         ALONE,        "S6"),
    (Fault::AnyQuestion,            ASKING,       "S6"),
    (Fault::AnyCall,                SIDE_BY_SIDE, "S8"),
    (Fault::ToolResultLeftOut,      SIDE_BY_SIDE, "S8"),
    (Fault::EndedMoves,             TREE,         "S7"),
    (Fault::IgnoredChanges,         TREE,         "S25"),
    (Fault::RefusedEmits,           TREE,         "S25"),
    (Fault::ResyncForgetsSend,      TREE,         "L1"),
    (Fault::ResyncForgetsTools,     ALONE,        "L1"),
    (Fault::ResyncForgetsQuestions, ALONE,        "L1"),
    (Fault::ResyncForgetsBackoff,   TREE,         "L1"),
    (Fault::ResyncForgetsEnds,      TREE,         "recorded"),
    (Fault::ResyncSendsAgain,       TREE,         "S2"),
    (Fault::RetryLeavesOut,         TREE,         "S2"),
    (Fault::RetryTakesMessages,     TREE,         "S2"),
    (Fault::NoPrompt,               TREE,         "S2"),
    (Fault::ForeignInclude,         TREE,         "S2"),
    (Fault::NeverInDoubt,           TREE,         "S5"),
    (Fault::EmptyAnswersAfterCancel, TREE,        "S5"),
    (Fault::PausedAdmits,           ALONE,        "S13"),
    (Fault::MessageUnpauses,        ALONE,        "S13"),
    (Fault::PausedStarts,           SIDE_BY_SIDE, "S13"),
    (Fault::StopsNothing,           TREE,         "orders"),
    (Fault::RunsAgain,              SIDE_BY_SIDE, "S8"),
    (Fault::CompletionBeside,       MIXED,        "S9"),
    (Fault::ResumeAnswers,          ALONE,        "S6"),
    (Fault::PotNeverEmpties,        SPENDING,     "budget"),
    (Fault::BillCountedTwice,       SPENDING,     "budget"),
    (Fault::BillGapTaken,           SPENDING,     "budget"),
    (Fault::ClosingAsks,            SPENDING,     "budget"),
    (Fault::ChildUntoldOfBudget,    SPENDING,     "budget"),
    (Fault::ChildBornUntold,        SPENDING,     "budget"),
    (Fault::ChildUntoldOfGrant,     SPENDING,     "L1"),
    (Fault::SpentBeginsTurn,        SPENDING,     "budget"),
    (Fault::ApproveFillsNothing,    SPENDING,     "budget"),
    (Fault::OneGrantIsEnough,       SPENDING,     "budget"),
    (Fault::DenyGoesOn,             SPENDING,     "S19"),
    (Fault::AnyGrant,               SPENDING,     "budget"),
    (Fault::BudgetQuestionLeft,     SPENDING,     "orders"),
    (Fault::BudgetTimerLeft,        SPENDING,     "orders"),
    (Fault::ResyncForgetsBudgetQuestion, SPENDING, "budget"),
    (Fault::ResyncForgetsBudgetTimer, SPENDING,   "budget"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::ResumeWithoutCheck,     SIDE_BY_SIDE, "S3"),
    (Fault::NoCascade,              TREE,         "S19"),
    (Fault::EndBeforeChildren,      TREE,         "valid"),
    (Fault::SettlesNobody,          TREE,         "deadlock"),
    (Fault::ResumeWithoutCheck,     SIDE_BY_SIDE, "orders"),
];

/// Three requests of a session, two at once, of which one may be stopped.
const SESSION: session::Scenario = session::Scenario {
    requests: 3,
    callers: 2,
    left: session::Left { cancels: 1, aborts: 0, restarts: 0, closes: 1, failures: 1, exits: 1, crashes: 0 },
};

/// The same, and nobody can help by a close.
const UNCLOSED: session::Scenario =
    session::Scenario { left: session::Left { closes: 0, ..SESSION.left }, ..SESSION };

/// One request, and a crash.
const CRASHED_SESSION: session::Scenario = session::Scenario {
    requests: 1,
    callers: 1,
    left: session::Left {
        crashes: 1,
        ..session::Left { cancels: 0, closes: 0, failures: 0, exits: 0, ..SESSION.left }
    },
};

/// The faults of the session, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_SESSION: &[(Fault, session::Scenario, &str)] = &[
    (Fault::StartsBesideOld,  SESSION,  "alone"),
    (Fault::CrossedAnswers,   SESSION,  "S11"),
    (Fault::OldIteratorEnds,  SESSION,  "S10"),
    (Fault::EndSettlesNobody, SESSION,  "orders"),
    (Fault::DeadIterator,     SESSION,  "settles"),
    (Fault::AbortHitsFirst,   SESSION,  "S12"),
    (Fault::NoStopTimer,      SESSION,  "settles"),
    (Fault::NoKill,           SESSION,  "alone"),
    (Fault::WithdrawnIsGiven, SESSION,  "S13"),
    (Fault::LateAbortStops,   SESSION,  "S25"),
    (Fault::StartedAgainListens, SESSION, "S25"),
    (Fault::InvokedAfterClose, SESSION, "settles"),
    (Fault::PromptDoubled,    SESSION,  "orders"),
    (Fault::PromptGapTaken,   SESSION,  "orders"),
    (Fault::LateStartRuns,    SESSION,  "orders"),
    (Fault::AnyStopTimer,     SESSION,  "orders"),
    (Fault::ResyncForgetsStart, CRASHED_SESSION, "settles"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::DeadIterator,     UNCLOSED, "deadlock"),
    (Fault::NoStopTimer,      SESSION,  "closes"),
];

/// Two agents with a question each, of which the first may be lost; and one agent with two.
const TWO_AGENTS: questions::Left =
    questions::Left { agents: 1, questions: 2, losses: 1, ends: 1, crashes: 1 };
const ONE_AGENT: questions::Left = questions::Left { agents: 0, losses: 0, ends: 0, ..TWO_AGENTS };

/// The faults of the questions of remote tasks, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_QUESTIONS: &[(Fault, questions::Left, &str)] = &[
    (Fault::LostAgentAsks,              TWO_AGENTS, "valid"),
    (Fault::QuestionDoubled,            ONE_AGENT,  "S7"),
    (Fault::QuestionGapTaken,           ONE_AGENT,  "orders"),
    (Fault::AsksBeside,                 ONE_AGENT,  "orders"),
    (Fault::AnyRemoteAnswer,            ONE_AGENT,  "S6"),
    (Fault::LateAnswerTaken,            ONE_AGENT,  "S7"),
    (Fault::LateAnswerRelayed,          ONE_AGENT,  "S25"),
    (Fault::QuestionNeverExpires,       ONE_AGENT,  "L1"),
    (Fault::AnyQuestionTimer,           ONE_AGENT,  "orders"),
    (Fault::QuestionTimerLeft,          ONE_AGENT,  "orders"),
    (Fault::QuestionOutlivesAgent,      TWO_AGENTS, "valid"),
    (Fault::QuestionOutlivesTask,       TWO_AGENTS, "S7"),
    (Fault::AgentUntold,                ONE_AGENT,  "L1"),
    (Fault::PersonUntold,               ONE_AGENT,  "deadlock"),
    (Fault::RelayedOnce,                ONE_AGENT,  "L1"),
    (Fault::AnyRelayAcknowledged,       ONE_AGENT,  "L1"),
    (Fault::ResyncForgetsOpenQuestion,  ONE_AGENT,  "L1"),
    (Fault::ResyncForgetsClose,         ONE_AGENT,  "deadlock"),
    (Fault::ResyncForgetsQuestionTimer, ONE_AGENT,  "L1"),
];

/// Two notifications, the end, and two crashes.
const OUTBOX: notifications::Left = notifications::LEFT;

/// The faults of the notifications of remote tasks, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_NOTIFICATIONS: &[(Fault, notifications::Left, &str)] = &[
    (Fault::NotificationDoubled,            OUTBOX, "orders"),
    (Fault::NotificationSentAgain,          OUTBOX, "S25"),
    (Fault::NotificationGapTaken,           OUTBOX, "orders"),
    (Fault::OutboxUnbounded,                OUTBOX, "valid"),
    (Fault::ConclusionRefused,              OUTBOX, "L1"),
    (Fault::ConclusionContradicted,         OUTBOX, "S24"),
    (Fault::NotificationOvertakes,          OUTBOX, "orders"),
    (Fault::AnyNotificationAcknowledged,    OUTBOX, "L1"),
    (Fault::NotificationSentOnce,           OUTBOX, "L1"),
    (Fault::AnyNotificationTimer,           OUTBOX, "orders"),
    (Fault::NotificationTimerLeft,          OUTBOX, "orders"),
    (Fault::NotificationNeverGivenUp,       OUTBOX, "L1"),
    (Fault::GivenUpSilently,                OUTBOX, "deadlock"),
    (Fault::ConclusionGivenUp,              OUTBOX, "orders"),
    (Fault::ResyncForgetsNotification,      OUTBOX, "orders"),
    (Fault::ResyncForgetsUndelivered,       OUTBOX, "L1"),
    (Fault::ResyncForgetsNotificationTimer, OUTBOX, "L1"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::ConclusionContradicted,         OUTBOX, "S7"),
];

/// A failure and a cancel; a failure and two crashes.
const RETRIES_CANCELLED: retries::Left = retries::Left { failures: 1, deaths: 0, cancels: 1, crashes: 0 };
const RETRIES_CRASHED: retries::Left = retries::Left { cancels: 0, crashes: 2, ..RETRIES_CANCELLED };

/// The faults of the attempts at remote tasks, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_RETRIES: &[(Fault, retries::Left, &str)] = &[
    (Fault::AnyAttemptEnds,          RETRIES_CANCELLED, "S11"),
    (Fault::OldAttemptDisarms,       RETRIES_CANCELLED, "S25"),
    (Fault::AttemptEndsTwice,        RETRIES_CANCELLED, "orders"),
    (Fault::UnknownTriesAgain,       RETRIES_CANCELLED, "S18"),
    (Fault::RunningTriedAgain,       RETRIES_CANCELLED, "S20"),
    (Fault::UnfencedRetry,           RETRIES_CANCELLED, "S20"),
    (Fault::FenceNotGiven,           RETRIES_CANCELLED, "orders"),
    (Fault::SuccessBeforeFenceLost,  RETRIES_CANCELLED, "S18"),
    (Fault::PermanentTaskTried,      RETRIES_CANCELLED, "orders"),
    (Fault::NoTaskBudget,            RETRIES_CANCELLED, "valid"),
    (Fault::ThrottledHurries,        RETRIES_CANCELLED, "waits"),
    (Fault::RetryNeverDue,           RETRIES_CANCELLED, "L1"),
    (Fault::ReportAwaitedForEver,    RETRIES_CANCELLED, "L1"),
    (Fault::AnyQueryAnswers,         RETRIES_CANCELLED, "S20"),
    (Fault::QueriedOnce,             RETRIES_CANCELLED, "L1"),
    (Fault::FencedOnce,              RETRIES_CANCELLED, "L2"),
    (Fault::QueriedForEver,          RETRIES_CANCELLED, "orders"),
    (Fault::UnknownIsExhausted,      RETRIES_CANCELLED, "S11"),
    (Fault::UnconfirmedIsCancelled,  RETRIES_CANCELLED, "S21"),
    (Fault::CancelMissesBackoff,     RETRIES_CANCELLED, "S19"),
    (Fault::EndedTaskMoves,          RETRIES_CANCELLED, "S7"),
    (Fault::AnyRetryTimer,           RETRIES_CANCELLED, "waits"),
    (Fault::RetryTimerLeft,          RETRIES_CANCELLED, "orders"),
    (Fault::ResyncForgetsAttempt,    RETRIES_CRASHED,   "orders"),
    (Fault::ResyncForgetsQuery,      RETRIES_CRASHED,   "orders"),
    (Fault::ResyncForgetsFence,      RETRIES_CRASHED,   "orders"),
    (Fault::ResyncForgetsRetryEnd,   RETRIES_CRASHED,   "deadlock"),
    (Fault::ResyncForgetsRetryTimer, RETRIES_CRASHED,   "L1"),
];

/// Faults of which nothing shows outside. The comparison with the twin finds them (`kernel/src/oracle/question.rs`).
const OF_QUESTIONS_ALONE: [(Fault, &str); 1] =
    [(Fault::ResyncForgetsRelay, "the timer that is armed anew tells the agent soon enough")];

/// A task whose agent may do anything and owes nothing, and which a person may end.
const CALM: worker::Scenario = worker::Scenario::NOTHING.with(Budget::Ends, 1);

/// The same, and nobody ends it.
const LEFT_ALONE: worker::Scenario = worker::Scenario::NOTHING;

/// An agent that says how far it is, whenever it is asked.
const TALKATIVE: worker::Scenario = worker::Scenario { progress: true, ..LEFT_ALONE };

/// An agent that shows that it lives, up to two failures with a success between them.
const LIVELY: worker::Scenario = LEFT_ALONE.with(Budget::Signs, 3);

/// Two messages.
const WRITTEN_TO: worker::Scenario = CALM.with(Budget::Messages, 2);

/// The same where one has room.
const CROWDED: worker::Scenario = worker::Scenario { room: 1, ..LEFT_ALONE.with(Budget::Messages, 2) };

/// A person interrupts and pauses.
const HELD: worker::Scenario = LEFT_ALONE.with(Budget::Interrupts, 1).with(Budget::Pauses, 1);

/// An agent that asks twice, and an interrupt.
const ASKED: worker::Scenario = LEFT_ALONE.with(Budget::Interrupts, 1).with(Budget::Approvals, 2);

/// A question in each of two tries of one turn.
const ASKED_AGAIN: worker::Scenario = LEFT_ALONE.failing(1).with(Budget::Approvals, 2);

/// A person writes, pauses, and wants it to finish.
const FINISHING: worker::Scenario =
    LEFT_ALONE.with(Budget::Messages, 1).with(Budget::Pauses, 1).with(Budget::WrapUps, 1);

/// Each kind of wait, and an interrupt of it.
const FAILING: worker::Scenario = CALM.failing(3).with(Budget::Interrupts, 1);

/// A failure, and a person who pauses.
const FAILING_HELD: worker::Scenario = LEFT_ALONE.failing(1).with(Budget::Pauses, 1);

/// A crash beside a message.
const CRASHING: worker::Scenario = CALM.with(Budget::Messages, 1).with(Budget::Crashes, 1);

/// A crash beside a question and a report.
const CRASHING_ASKED: worker::Scenario =
    LEFT_ALONE.with(Budget::Approvals, 1).with(Budget::Reports, 1).with(Budget::Crashes, 1);

/// A subtask.
const WITH_SUBTASK: worker::Scenario = CALM.with(Budget::Updates, 1);

/// A subtask that the agent asks for, and a person who holds the worker.
const DELEGATING: worker::Scenario = LEFT_ALONE.with(Budget::Subtasks, 1).with(Budget::Pauses, 1);

/// A message that leaves no room for the end of a subtask.
const CROWDED_BY_SUBTASK: worker::Scenario =
    worker::Scenario { room: 1, ..LEFT_ALONE.with(Budget::Subtasks, 1).with(Budget::Messages, 1) };

/// Two reports of a subtask where one has room.
const TALKED_TO: worker::Scenario = worker::Scenario { room: 1, ..CALM.with(Budget::Updates, 2) };

/// Two reports where one has room.
const TALKED_OVER: worker::Scenario = worker::Scenario { room: 1, ..LEFT_ALONE.with(Budget::Reports, 2) };

/// A subtask whose agent works, too.
const FAMILY: worker::Scenario = worker::Scenario { works: true, ..LEFT_ALONE.with(Budget::Subtasks, 1) };

const OF_WORKERS_SCENARIOS: [worker::Scenario; 20] = [
    CALM,
    LEFT_ALONE,
    TALKATIVE,
    LIVELY,
    WRITTEN_TO,
    CROWDED,
    HELD,
    ASKED,
    ASKED_AGAIN,
    FINISHING,
    FAILING,
    FAILING_HELD,
    CRASHING,
    CRASHING_ASKED,
    WITH_SUBTASK,
    DELEGATING,
    CROWDED_BY_SUBTASK,
    TALKED_TO,
    TALKED_OVER,
    FAMILY,
];

/// The faults of workers, of their health, and of tasks that a worker runs.
#[rustfmt::skip]
const OF_WORKERS: &[(Fault, worker::Scenario, &str)] = &[
    (Fault::InquiresAgain,             CALM,           "escalation"),
    (Fault::InquiryForgotten,          CALM,           "escalation"),
    (Fault::NoIdleTimer,               CALM,           "L1"),
    (Fault::ActivityUnseen,            LIVELY,         "alarm"),
    (Fault::ActivityTakesBackAll,      LIVELY,         "ladder"),
    (Fault::RepeatingTakesBack,        LIVELY,         "L3"),
    (Fault::AnyWatch,                  CALM,           "stale"),
    (Fault::NoNextRung,                CALM,           "L3"),
    (Fault::NeverFails,                CALM,           "L3"),
    (Fault::StuckFails,                CALM,           "ladder"),
    (Fault::SilentLadder,              CALM,           "ladder"),
    (Fault::AnyTool,                   LIVELY,         "alarm-streak"),
    (Fault::LoopWithoutRung,           LIVELY,         "alarm-streak"),
    (Fault::NeverWarnsOfLoops,         LIVELY,         "alarm-streak"),
    (Fault::NeverWarnsOfErrors,        LIVELY,         "alarm-streak"),
    (Fault::ErrorsNeverEnd,            LIVELY,         "alarm-streak"),
    (Fault::AnyCheck,                  TALKATIVE,      "stale"),
    (Fault::ProgressNeverEnds,         TALKATIVE,      "L3"),
    (Fault::RungKept,                  CALM,           "alarm"),
    (Fault::StreakKept,                LIVELY,         "alarm-streak"),
    (Fault::ProgressKept,              TALKATIVE,      "alarm"),
    (Fault::CheckOutlives,             TALKATIVE,      "stale"),
    (Fault::WatchLeftArmed,            CALM,           "S9"),
    (Fault::HeldIsWatched,             HELD,           "S13"),
    (Fault::HoldIgnored,               HELD,           "S13"),
    (Fault::HeldTriesAgain,            FAILING_HELD,   "S13"),
    (Fault::InterruptAnyTurn,          HELD,           "S12"),
    (Fault::InterruptMissesGap,        FAILING,        "S12"),
    (Fault::LateHoldLost,              HELD,           "S13"),
    (Fault::InterruptDropsTurn,        WRITTEN_TO,     "resumed"),
    (Fault::InterruptLiftsHold,        HELD,           "S13"),
    (Fault::BackoffLeftArmed,          FAILING,        "waits"),
    (Fault::InboxReversed,             WRITTEN_TO,     "S5"),
    (Fault::InboxDoubled,              WRITTEN_TO,     "S5"),
    (Fault::InboxForgotten,            WRITTEN_TO,     "S5"),
    (Fault::InboxNeverInDoubt,         WRITTEN_TO,     "S5"),
    (Fault::InboxUnbounded,            CROWDED,        "valid"),
    (Fault::ChildEndRefused,           CROWDED_BY_SUBTASK, "S4"),
    (Fault::GapTaken,                  WRITTEN_TO,     "S5"),
    (Fault::ApprovalGapTaken,          ASKED,          "stale"),
    (Fault::ReportGapTaken,            TALKED_OVER,    "stale"),
    (Fault::ReportsUnbounded,          TALKED_OVER,    "valid"),
    (Fault::ReportAcknowledgedEarly,   TALKED_OVER,    "stale"),
    (Fault::AcknowledgesAll,           WRITTEN_TO,     "S5"),
    (Fault::AcknowledgesNothing,       WRITTEN_TO,     "S5"),
    (Fault::ResumeLeavesOut,           WRITTEN_TO,     "resumed"),
    (Fault::ResumeUnmarked,            CALM,           "resumed"),
    (Fault::ApprovalsOutlive,          ASKED,          "S6"),
    (Fault::AnyApproval,               ASKED,          "S6"),
    (Fault::AnyTry,                    ASKED_AGAIN,    "S6"),
    (Fault::OldIteratorAsks,           ASKED,          "S6"),
    (Fault::NoBreaker,                 FAILING,        "waits"),
    (Fault::BreakerPasses,             FAILING,        "waits"),
    (Fault::BreakerHurries,            FAILING,        "waits"),
    (Fault::AnyWait,                   FAILING,        "stale"),
    (Fault::NoWorkerBudget,            FAILING,        "S2"),
    (Fault::PermanentTriesAgain,       FAILING,        "S2"),
    (Fault::EndsBeforeSession,         CALM,           "S9"),
    (Fault::TimersLeftAtEnd,           FAILING,        "S9"),
    (Fault::WrapUpLast,                FINISHING,      "wrap-up"),
    (Fault::WrapUpKeepsHold,           FINISHING,      "S13"),
    (Fault::WrapUpWaits,               FINISHING,      "wrap-up"),
    (Fault::WrapUpWithoutEnd,          FINISHING,      "L2"),
    (Fault::WrapUpIsNoEnd,             FINISHING,      "wrap-up"),
    (Fault::WrapUpTwice,               FINISHING,      "S5"),
    (Fault::AnyDeadline,               FINISHING,      "stale"),
    (Fault::ReportDoubled,             CRASHING_ASKED, "orders"),
    (Fault::ShellAborts,               CALM,           "S11"),
    (Fault::RefusedWorkerEmits,        CALM,           "S25"),
    (Fault::ResyncForgetsWorkerTimers, CRASHING,       "L1"),
    (Fault::ResyncForgetsApprovals,    CRASHING_ASKED, "S6"),
    (Fault::ResyncForgetsReports,      CRASHING_ASKED, "orders"),
    (Fault::ResyncForgetsContent,      CRASHING,       "resumed"),
    (Fault::ResyncForgetsCheck,        CRASHING,       "orders"),
    (Fault::EndedWorkerDropped,        CRASHING,       "S5"),
    (Fault::ChildEndUntold,            WITH_SUBTASK,   "S4"),
    (Fault::HeldStartsSubtask,         DELEGATING,     "S13"),
    (Fault::SubtaskLeftHeld,           DELEGATING,     "S13"),
    (Fault::ShellSpeaksForKernel,      CALM,           "stale"),
    (Fault::SubtaskIdReused,           CALM,           "stale"),
    (Fault::SubtasksUnbounded,         DELEGATING,     "valid"),
    (Fault::ReportLostWhenFull,        TALKED_TO,      "S4"),
    (Fault::KeptReportUntold,          TALKED_TO,      "S4"),
    (Fault::KeptReportLost,            TALKED_TO,      "S4"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::InterruptDropsTurn,        LEFT_ALONE,     "deadlock"),
    (Fault::NoNextRung,                CALM,           "settles"),
    (Fault::NoNextRung,                CALM,           "inquiry"),
    (Fault::NeverFails,                WITH_SUBTASK,   "updates"),
    // Faults of sessions and of tasks are faults of the worker and its task too.
    (Fault::StartsBesideOld,           CALM,           "S10"),
    (Fault::OldIteratorEnds,           CALM,           "S10"),
    (Fault::NoKill,                    CALM,           "S10"),
    (Fault::CrossedAnswers,            CALM,           "S11"),
    (Fault::NoStopTimer,               CALM,           "L2"),
    (Fault::StopTimerLeft,             CALM,           "S9"),
    (Fault::ResyncForgetsStopping,     CRASHING,       "orders"),
    (Fault::EndedMoves,                CALM,           "S7"),
    (Fault::NoCascade,                 WITH_SUBTASK,   "S9"),
    (Fault::SettlesNobody,             WITH_SUBTASK,   "S4"),
    (Fault::ResyncForgetsEnds,         CRASHING,       "deadlock"),
    // And of a worker and that of its subtask, side by side.
    (Fault::NoNextRung,                FAMILY,         "L3"),
    (Fault::NoKill,                    FAMILY,         "S10"),
    (Fault::ChildEndUntold,            FAMILY,         "S4"),
];

/// Faults of which nothing shows in the model of a task tree. The properties that are checked over a worker alone find them
/// (`kernel/tests/kernel/worker_faults.rs`), and so does its twin.
const OF_WORKERS_ALONE: [(Fault, &str); 5] = [
    (Fault::ChildDoubled, "the tree says once what a child says, so no double of it comes to a worker"),
    (
        Fault::SecondEndWins,
        "the end of a task that is cancelled is the same, whatever end its worker was bound for",
    ),
    (Fault::EndedWorkerMoves, "a task tells a worker nothing that has ended"),
    (Fault::AssignedTwice, "the tree tells a worker once what its task is, and nobody else may"),
    (
        Fault::ApprovalsUnbounded,
        "it shows by the 33rd question, and of 32 that are open any may have its answer: 2^32 worlds",
    ),
];

/// A request to two profiles, of which one may go down, with two failures and a cancel.
const REQUEST: request::Scenario = request::Scenario {
    left: request::Left { failures: 2, keyless: 0, downs: 1, cancels: 1, crashes: 0 },
    ..request::SCENARIO
};

/// The same with a crash.
const REQUEST_CRASHING: request::Scenario =
    request::Scenario { left: request::Left { failures: 1, crashes: 1, ..REQUEST.left }, ..REQUEST };

/// A request whose profiles go down, and nothing else.
const REQUEST_STRANDED: request::Scenario = request::Scenario {
    left: request::Left { failures: 0, keyless: 0, downs: 2, cancels: 0, crashes: 0 },
    ..REQUEST
};

/// A request to one profile, and nothing but a crash.
const REQUEST_ALONE: request::Scenario = request::Scenario {
    profiles: 1,
    left: request::Left { failures: 0, keyless: 0, downs: 0, cancels: 0, crashes: 1 },
    ..REQUEST
};

/// The faults of requests, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_REQUESTS: &[(Fault, request::Scenario, &str)] = &[
    (Fault::BeginsAgain,             REQUEST,            "stale"),
    (Fault::AnySend,                 REQUEST,            "S18"),
    (Fault::NoSendBudget,            REQUEST_CRASHING,   "S2"),
    (Fault::CredentialSendsAgain,    REQUEST,            "S2"),
    (Fault::OldCredentialTaken,      REQUEST,            "S17"),
    (Fault::RefusedAgain,            REQUEST,            "S17"),
    (Fault::RefusalIsShared,         REQUEST,            "valid"),
    (Fault::LostIsContinued,         REQUEST,            "ledger"),
    (Fault::FullIsLost,              REQUEST,            "ledger"),
    (Fault::ContinuityShared,        request::TWO_TURNS, "continuity"),
    (Fault::InvalidIsRetried,        REQUEST,            "S2"),
    (Fault::RetriesAtOnce,           REQUEST,            "waits"),
    (Fault::TruncatedAccepted,       REQUEST,            "S18"),
    (Fault::DeliveredIsReplayed,     REQUEST,            "S18"),
    (Fault::DeliveredFailsOver,      REQUEST,            "S18"),
    (Fault::StoppedDelivers,         REQUEST,            "S18"),
    (Fault::FailoverBeside,          REQUEST,            "S1"),
    (Fault::NoFence,                 REQUEST,            "S1"),
    (Fault::NoFenceTimer,            REQUEST,            "L2"),
    (Fault::DownIsPreferred,         REQUEST,            "orders"),
    // Only who remembers what each profile has asked for finds this by `waits`.
    (Fault::DownForgotten,           REQUEST,            "waits"),
    (Fault::CredentialSticks,        REQUEST,            "orders"),
    (Fault::ReturnIsFailover,        REQUEST,            "ledger"),
    (Fault::ReturnsToDown,           REQUEST_STRANDED,   "orders"),
    (Fault::UnaskedStops,            REQUEST,            "stale"),
    (Fault::FailoverOutlivesCancel,  REQUEST,            "S19"),
    (Fault::CancelMissesWait,        REQUEST,            "S19"),
    (Fault::CancelEndsBeside,        REQUEST,            "S1"),
    (Fault::CancelledAccepted,       REQUEST,            "S19"),
    (Fault::EndedRequestMoves,       REQUEST,            "orders"),
    (Fault::LostIsFree,              REQUEST,            "paid"),
    (Fault::BilledIsRefused,         REQUEST,            "paid"),
    (Fault::WaitUnbounded,           REQUEST,            "orders"),
    (Fault::OwedForgotten,           REQUEST,            "waits"),
    (Fault::OwedKept,                REQUEST,            "orders"),
    (Fault::ShutForgotten,           REQUEST,            "orders"),
    (Fault::ShutKept,                REQUEST,            "orders"),
    (Fault::FencedIsFree,            REQUEST,            "paid"),
    (Fault::ChargesPreferred,        REQUEST,            "charged"),
    (Fault::ChargedTwice,            REQUEST,            "charged"),
    (Fault::NoRetryTimer,            REQUEST,            "L1"),
    (Fault::BackoffLeftAtCancel,     REQUEST,            "orders"),
    (Fault::GraceLeftArmed,          REQUEST,            "orders"),
    (Fault::AnyBackoff,              REQUEST,            "stale"),
    (Fault::AnyGrace,                REQUEST,            "stale"),
    (Fault::RefusedRequestEmits,     REQUEST,            "S25"),
    (Fault::ResyncSendsAgain,        REQUEST_CRASHING,   "S2"),
    (Fault::ResyncForgetsCredential, REQUEST_CRASHING,   "L1"),
    (Fault::ResyncForgetsSend,       REQUEST_CRASHING,   "L1"),
    (Fault::ResyncForgetsBackoff,    REQUEST_CRASHING,   "L1"),
    (Fault::ResyncForgetsStop,       REQUEST_CRASHING,   "L2"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::RefusedAgain,            REQUEST,            "valid"),
    (Fault::ResyncForgetsSend,       REQUEST_ALONE,      "deadlock"),
];

/// Faults of sessions of which nothing shows in a model: their twin finds them, and what is said here.
const OF_SESSIONS_ALONE: [(Fault, &str); 2] = [
    (Fault::PromptsUnbounded, "it shows by the 33rd prompt of a session, and a worker has one at most"),
    (
        Fault::ResyncForgetsPrompt,
        "no iterator of a model outlives a crash, so that the prompt is given to none: random trees, by what `resync` repeats",
    ),
];

/// Faults of the tree of which nothing shows in the model of a worker, which begins where that is deployed.
const OF_TREES_ALONE: [(Fault, &str); 9] = [
    (Fault::PausedDeploys, "random trees pause tasks on their way, and find it by what each worker is told"),
    (
        Fault::ChildBilled,
        "a child has no account that a bill could change, so that it is taken and nothing comes of it",
    ),
    (Fault::WorkerUntoldOfBudget, NO_BUDGET),
    (Fault::SpentDeploys, NO_BUDGET),
    (Fault::SpentIgnored, NO_BUDGET),
    (Fault::SpentTriesAgain, NO_BUDGET),
    (Fault::ResumeLiftsBudget, NO_BUDGET),
    (Fault::GrantLiftsHold, NO_BUDGET),
    (Fault::GrantUnheard, NO_BUDGET),
];

/// Why no model shows what a worker does about its budget.
const NO_BUDGET: &str =
    "no model has workers and a budget together; random trees find it by what each worker does";

/// A process with two requests.
const SHARING: credential::Scenario = credential::Scenario {
    windows: 1,
    requests: 2,
    room: 2,
    waits: 1,
    has_grace: false,
    left: credential::Left { lapses: 1, refusals: 1, ..credential::Left::NONE },
};

/// The same where one may wait at a time.
const FULL: credential::Scenario = credential::Scenario { room: 1, ..SHARING };

/// One request, and a person who logs in.
const LOGIN: credential::Scenario =
    credential::Scenario { requests: 1, left: credential::Left { logins: 1, ..SHARING.left }, ..SHARING };

/// A crash between any two orders.
const CRASHED: credential::Scenario =
    credential::Scenario { left: credential::Left { crashes: 1, refusals: 0, ..SHARING.left }, ..SHARING };

/// Two processes with one store.
const SIBLINGS: credential::Scenario =
    credential::Scenario { windows: 2, left: credential::Left { refusals: 0, ..SHARING.left }, ..SHARING };

/// The same, and one of them may crash.
const CRASHED_SIBLINGS: credential::Scenario =
    credential::Scenario { left: credential::Left { crashes: 1, ..SIBLINGS.left }, ..SIBLINGS };

const OF_CREDENTIALS_SCENARIOS: [credential::Scenario; 6] =
    [SHARING, FULL, LOGIN, CRASHED, SIBLINGS, CRASHED_SIBLINGS];

/// The faults of credentials, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_CREDENTIALS: &[(Fault, credential::Scenario, &str)] = &[
    (Fault::RefreshesBeside,    SHARING,  "S14"),
    (Fault::RefreshesReplaced,  SHARING,  "replaced"),
    (Fault::RefusedGiven,       SHARING,  "S17"),
    (Fault::OldRefreshEnds,     SHARING,  "stale"),
    (Fault::GivenBeforeStored,  SHARING,  "stored"),
    (Fault::RefreshesUnread,    SIBLINGS, "S14"),
    (Fault::RefusesUnread,      LOGIN,    "login"),
    (Fault::NewerRefused,       LOGIN,    "login"),
    (Fault::TakenRefreshes,     SIBLINGS, "S15"),
    (Fault::OlderAdopted,       SHARING,  "S16"),
    (Fault::RefreshNotAborted,  SHARING,  "S14"),
    (Fault::ReplacedNotAborted, LOGIN,    "orders"),
    (Fault::NoOrderTimer,       SHARING,  "L5"),
    (Fault::OrderLeftArmed,     SHARING,  "orders"),
    (Fault::NoWaitBudget,       SHARING,  "valid"),
    (Fault::OneWaiterSettled,   SHARING,  "L1"),
    (Fault::WaitersKept,        SHARING,  "orders"),
    (Fault::UnsavedForgotten,   SHARING,  "S15"),
    (Fault::WaitersUnbounded,   FULL,     "valid"),
    (Fault::RefusedWaits,       FULL,     "S25"),
    (Fault::ResyncRefreshes,    CRASHED_SIBLINGS, "S14"),
    (Fault::ResyncForgetsOrder, CRASHED,  "L5"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::OneWaiterSettled,   SHARING,  "deadlock"),
];

/// Faults of which nothing shows outside. The comparison with the twin finds them (`kernel/src/oracle/credential.rs`).
const OF_CREDENTIALS_ALONE: [(Fault, &str); 1] = [(
    Fault::WritesUnread,
    "the store replaces only the generation before, so that a write which was done already changes nothing",
)];

/// Every table, as the faults that have a property which finds them.
fn listed() -> impl Iterator<Item = Fault> {
    let of_request = OF_REQUESTS.iter().map(|(fault, ..)| *fault);
    let of_session = OF_SESSION.iter().map(|(fault, ..)| *fault);
    let of_workers = OF_WORKERS.iter().map(|(fault, ..)| *fault);
    let of_credentials = OF_CREDENTIALS.iter().map(|(fault, ..)| *fault);
    let of_questions = OF_QUESTIONS.iter().map(|(fault, ..)| *fault);
    let of_notifications = OF_NOTIFICATIONS.iter().map(|(fault, ..)| *fault);
    let of_retries = OF_RETRIES.iter().map(|(fault, ..)| *fault);
    let of_tasks = FAULTS.iter().map(|(fault, ..)| *fault);
    let of_remote = of_questions.chain(of_notifications).chain(of_retries);
    let of_remote = of_remote.chain(pools::listed());
    of_tasks.chain(of_session).chain(of_workers).chain(of_credentials).chain(of_request).chain(of_remote)
}

fn limits() -> Limits {
    Limits { states: Some(STATES), ..Limits::default() }
}

/// What the checker finds about a property of a session, or about all of them.
fn check<M: Model>(name: &str, model: &M, only: Option<&str>) -> Report {
    check_within(STATES, name, model, only)
}

/// The same of a worker.
fn check_worker(name: &str, model: &WorkerModel, only: Option<&str>) -> Report {
    check_within(STATES_OF_WORKERS, name, model, only)
}

/// The same of any model.
fn check_within<M: Model>(states: usize, name: &str, model: &M, only: Option<&str>) -> Report {
    let checker = Checker::new(model).limits(Limits { states: Some(states), ..Limits::default() });
    let checker = match only {
        Some(id) => checker.only([id]),
        None => checker,
    };
    checker.check().unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_planted_fault_breaks_the_property_that_is_there_for_it() {
    for (fault, scenario, property) in FAULTS {
        let model = KernelModel::new(*scenario).with_fault(*fault);
        let asks_on = matches!(fault, Fault::ApproveFillsNothing | Fault::AnyGrant);
        let states = if asks_on { STATES_OF_ONE_WHO_ASKS } else { STATES };
        let report = check_within(states, &format!("{fault:?}"), &model, Some(property));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
    }
}

#[test]
fn every_planted_fault_of_the_session_breaks_the_property_that_is_there_for_it() {
    for (fault, scenario, property) in OF_SESSION {
        let model = session::KernelModel::new(*scenario).with_fault(*fault);
        let report = check(&format!("{fault:?}"), &model, Some(property));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
    }
}

#[test]
fn every_planted_fault_of_workers_breaks_the_property_that_is_there_for_it() {
    for (fault, scenario, property) in OF_WORKERS {
        let model = WorkerModel::new(*scenario).with_fault(*fault);
        let report = check_worker(&format!("{fault:?}"), &model, Some(property));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
    }
}

/// Each fault of a machine of remote tasks breaks its property, and without one nothing is broken and all can be.
fn assert_found<W: World, L: Copy + Debug + PartialEq>(first: fn(L) -> W, table: &[(Fault, L, &str)]) {
    for (row, (fault, left, property)) in table.iter().enumerate() {
        let model = Closed::new(first(*left)).with_fault(*fault);
        let report = check(&format!("{fault:?}"), &model, Some(property));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
        if table[..row].iter().any(|(_, known, _)| known == left) {
            continue;
        }
        for found in check("no fault", &Closed::new(first(*left)), None).properties {
            // Where nobody cancels, nothing is asked of cancels.
            assert_ne!(found.verdict, Verdict::Violated, "{} in {left:?}", found.id);
            assert_ne!(found.verdict, Verdict::Incomplete, "{} in {left:?}", found.id);
            let is_listed = table.iter().any(|(.., found_by)| *found_by == found.id);
            assert!(is_listed, "no planted fault shows that {} can fail", found.id);
        }
    }
}

#[test]
fn every_planted_fault_of_remote_tasks_breaks_the_property_that_is_there_for_it() {
    assert_found(questions::Around::new, OF_QUESTIONS);
    assert_found(notifications::Around::new, OF_NOTIFICATIONS);
    assert_found(retries::Around::new, OF_RETRIES);
}

#[test]
fn nothing_outside_shows_the_faults_of_questions_that_stand_alone() {
    for (fault, reason) in OF_QUESTIONS_ALONE {
        for left in [TWO_AGENTS, ONE_AGENT] {
            let model = Closed::new(questions::Around::new(left)).with_fault(fault);
            for property in check(reason, &model, None).properties {
                assert_eq!(property.verdict, Verdict::Holds, "{fault:?} breaks {} in {left:?}", property.id);
            }
        }
    }
}

#[test]
fn counterexamples_of_remote_tasks_read_as_before() {
    let name = "success-between-question-and-fence";
    let model =
        Closed::new(retries::Around::new(RETRIES_CANCELLED)).with_fault(Fault::SuccessBeforeFenceLost);
    let report = check(name, &model, Some("S18"));
    let found = &report.properties[0];
    let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
    insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
}

#[test]
fn every_planted_fault_of_requests_breaks_the_property_that_is_there_for_it() {
    for (fault, scenario, property) in OF_REQUESTS {
        let model = request::KernelModel::new(*scenario).with_fault(*fault);
        let report = check(&format!("{fault:?}"), &model, Some(property));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
    }
}

/// A21: a request knows the patience of the last place only.
#[test]
fn driver_that_does_not_say_what_cools_down_breaks_the_wait_that_was_asked_for() {
    let model = request::KernelModel::new(request::SCENARIO).with_cooling_unsaid();
    let report = check("cooling unsaid", &model, Some("waits"));
    assert_eq!(report.properties[0].verdict, Verdict::Violated);
}

#[test]
fn every_planted_fault_of_credentials_breaks_the_property_that_is_there_for_it() {
    for (fault, scenario, property) in OF_CREDENTIALS {
        let model = credential::KernelModel::new(*scenario).with_fault(*fault);
        let report = check(&format!("{fault:?}"), &model, Some(property));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
    }
}

#[test]
fn without_a_fault_every_property_of_requests_holds_and_one_fault_or_another_breaks_it() {
    for scenario in [REQUEST, REQUEST_CRASHING, request::TWO_TURNS] {
        for property in check("no fault", &request::KernelModel::new(scenario), None).properties {
            assert_eq!(property.verdict, Verdict::Holds, "{} in {scenario:?}", property.id);
            assert!(
                OF_REQUESTS.iter().any(|(.., found_by)| *found_by == property.id),
                "no planted fault shows that {} can fail",
                property.id
            );
        }
    }
}

#[test]
fn nothing_outside_shows_the_faults_of_credentials_that_stand_alone() {
    for (fault, reason) in OF_CREDENTIALS_ALONE {
        for scenario in OF_CREDENTIALS_SCENARIOS {
            let model = credential::KernelModel::new(scenario).with_fault(fault);
            for property in check(reason, &model, None).properties {
                assert_eq!(
                    property.verdict,
                    Verdict::Holds,
                    "{fault:?} breaks {} in {scenario:?}",
                    property.id
                );
            }
        }
    }
}

/// Where they would show, if they could: what a subtask says, ends, and what comes after those.
const AROUND_ENDS: [worker::Scenario; 5] = [CALM, FINISHING, CRASHING, WITH_SUBTASK, TALKED_TO];

/// But for the last: 2^32 worlds are too many to look at.
#[test]
fn nothing_outside_shows_the_faults_of_workers_that_stand_alone() {
    let (_, held) = OF_WORKERS_ALONE.split_last().expect("there are some");
    for (fault, reason) in held {
        for scenario in AROUND_ENDS {
            let model = WorkerModel::new(scenario).with_fault(*fault);
            for property in check_worker(reason, &model, None).properties {
                assert_eq!(
                    property.verdict,
                    Verdict::Holds,
                    "{fault:?} breaks {} in {scenario:?}",
                    property.id
                );
            }
        }
    }
}

#[test]
fn without_a_fault_every_property_of_credentials_holds_and_one_fault_or_another_breaks_it() {
    for scenario in OF_CREDENTIALS_SCENARIOS {
        for property in check("no fault", &credential::KernelModel::new(scenario), None).properties {
            assert_eq!(property.verdict, Verdict::Holds, "{} in {scenario:?}", property.id);
            assert!(
                OF_CREDENTIALS.iter().any(|(.., found_by)| *found_by == property.id),
                "no planted fault shows that {} can fail",
                property.id
            );
        }
    }
}

#[test]
fn without_a_fault_every_property_of_workers_holds_and_one_fault_or_another_breaks_it() {
    for scenario in OF_WORKERS_SCENARIOS {
        for property in check_worker("no fault", &WorkerModel::new(scenario), None).properties {
            assert_eq!(property.verdict, Verdict::Holds, "{} in {scenario:?}", property.id);
            assert!(
                OF_WORKERS.iter().any(|(.., found_by)| *found_by == property.id),
                "no planted fault shows that {} can fail",
                property.id
            );
        }
    }
}

#[test]
fn without_a_fault_every_property_of_the_session_holds_and_one_fault_or_another_breaks_it() {
    let report = check("no fault", &session::KernelModel::new(SESSION), None);
    for property in report.properties {
        assert_eq!(property.verdict, Verdict::Holds, "{}", property.id);
        assert!(
            OF_SESSION.iter().any(|(.., found_by)| *found_by == property.id),
            "no planted fault shows that {} can fail",
            property.id
        );
    }
}

#[test]
fn without_a_fault_every_property_holds_in_the_same_scenarios() {
    for scenario in SCENARIOS {
        let report =
            Checker::new(&KernelModel::new(scenario)).limits(limits()).check().expect("a sound model");
        for property in &report.properties {
            assert_eq!(property.verdict, Verdict::Holds, "{} in {scenario:?}", property.id);
        }
    }
}

#[test]
fn every_fault_is_in_one_list() {
    for fault in Fault::ALL {
        let has_property = listed().any(|listed| listed == *fault);
        let of_trees = OF_SESSIONS_ALONE.iter().chain(&OF_TREES_ALONE);
        let mut alone =
            OF_WORKERS_ALONE.iter().chain(&OF_CREDENTIALS_ALONE).chain(&OF_QUESTIONS_ALONE).chain(of_trees);
        let stands_alone = alone.any(|(known, _)| known == fault);
        assert!(has_property != stands_alone, "{fault:?} is in no list, or in both");
    }
}

#[test]
fn every_property_of_the_task_tree_is_in_the_table() {
    for scenario in SCENARIOS {
        let report =
            Checker::new(&KernelModel::new(scenario)).limits(limits()).check().expect("a sound model");
        for property in report.properties {
            assert!(
                FAULTS.iter().any(|(.., found_by)| *found_by == property.id),
                "no planted fault shows that {} can fail",
                property.id
            );
        }
    }
}

#[test]
fn counterexamples_of_the_kernel_read_as_before() {
    let cases = [
        ("crash-between-two-effects", Fault::ResyncSendsAgain, TREE, "S2"),
        ("held-request-sends", Fault::HeldSends, ALONE, "S13"),
        ("cancel-without-its-subtask", Fault::NoCascade, SIDE_BY_SIDE, "L2"),
        ("question-settled-by-another-answer", Fault::AnyQuestion, ASKING, "S6"),
    ];
    for (name, fault, scenario, id) in cases {
        let model = KernelModel::new(scenario).with_fault(fault);
        let report =
            Checker::new(&model).limits(limits()).only([id]).check().expect("the model is consistent");
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}

#[test]
fn counterexamples_of_the_session_read_as_before() {
    let cases = [
        ("late-answer-crosses", Fault::CrossedAnswers, "S11"),
        ("late-abort-stops-another", Fault::AbortHitsFirst, "S12"),
        ("old-iterator-ends-the-new-one", Fault::OldIteratorEnds, "S10"),
    ];
    for (name, fault, id) in cases {
        let report = check(name, &session::KernelModel::new(SESSION).with_fault(fault), Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}

#[test]
fn counterexamples_of_workers_read_as_before() {
    let cases = [
        ("stuck-agent-is-asked-for-ever", Fault::ProgressNeverEnds, TALKATIVE, "L3"),
        ("interrupt-misses-a-gap", Fault::InterruptMissesGap, FAILING, "S12"),
        ("stopped-turn-is-not-resumed", Fault::InterruptDropsTurn, WRITTEN_TO, "resumed"),
        ("held-worker-begins", Fault::HoldIgnored, HELD, "S13"),
        ("approval-outlives-its-turn", Fault::ApprovalsOutlive, ASKED, "S6"),
        ("prompt-passes-the-breaker", Fault::BreakerPasses, FAILING, "waits"),
        ("crash-loses-a-report-of-the-end", Fault::EndedWorkerDropped, CRASHING, "S5"),
        ("subtask-ends-unheard", Fault::ChildEndUntold, WITH_SUBTASK, "S4"),
        ("held-worker-starts-a-subtask", Fault::HeldStartsSubtask, DELEGATING, "S13"),
        ("stuck-subtask-ends-unheard", Fault::ChildEndUntold, FAMILY, "S4"),
    ];
    for (name, fault, scenario, id) in cases {
        let report = check_worker(name, &WorkerModel::new(scenario).with_fault(fault), Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}

#[test]
fn counterexamples_of_requests_read_as_before() {
    let cases = [
        ("failover-beside-an-open-stream", Fault::FailoverBeside, REQUEST, "S1"),
        ("sent-again-after-output", Fault::DeliveredIsReplayed, REQUEST, "S18"),
        ("sent-again-after-a-crash", Fault::ResyncSendsAgain, REQUEST_CRASHING, "S2"),
        ("failover-outlives-the-cancel", Fault::FailoverOutlivesCancel, REQUEST, "S19"),
        ("two-turns-continue-from-one-response", Fault::ContinuityShared, request::TWO_TURNS, "continuity"),
    ];
    for (name, fault, scenario, id) in cases {
        let report = check(name, &request::KernelModel::new(scenario).with_fault(fault), Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}

#[test]
fn counterexamples_of_credentials_read_as_before() {
    let cases = [
        ("two-refreshes-with-one-token", Fault::RefreshesBeside, SHARING, "S14"),
        ("unsaved-credential-is-forgotten", Fault::UnsavedForgotten, SHARING, "S15"),
        ("claim-of-a-sibling-is-passed-over", Fault::TakenRefreshes, SIBLINGS, "S15"),
        ("refused-although-a-person-has-logged-in", Fault::RefusesUnread, LOGIN, "login"),
        ("restart-refreshes-without-a-claim", Fault::ResyncRefreshes, CRASHED_SIBLINGS, "S14"),
        ("second-waiter-is-never-told", Fault::OneWaiterSettled, SHARING, "L1"),
    ];
    for (name, fault, scenario, id) in cases {
        let model = credential::KernelModel::new(scenario).with_fault(fault);
        let report = check(name, &model, Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}
