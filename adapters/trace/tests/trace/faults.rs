//! Every way to break a promise: the smallest trace that shows it, and a healthy twin.

use crate::words::{judged, verdict};
use downbeat_trace::{Fault, Verdict};

/// A fault, the line that shows it (0 if the end does), a trace that has it, and one that has not and puts its promise to the test.
type Case = (Fault, u64, &'static str, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (Fault::SecondInFlight, 2,
        "request-started p
         request-started p
         request-ended p end=completed",
        "request-started p
         request-ended p end=completed
         request-started p"),
    (Fault::SentTwice, 2,
        "request-started p turn=1
         request-started p turn=1",
        "request-started p turn=1
         request-started p turn=1 attempt=1"),
    (Fault::ContentChanged, 2,
        "request-started p turn=1 content=a
         request-started p turn=1 attempt=1 content=b",
        "request-started p turn=1 content=a
         request-started p turn=1 attempt=1 content=a"),
    (Fault::ResultTwice, 5,
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         result-delivered p child=c turn=2
         result-delivered p child=c turn=3",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         result-delivered p child=c turn=2
         result-delivered p child=c turn=2"),
    (Fault::ResultToStranger, 4,
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         result-delivered q child=c",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         result-delivered p child=c"),
    (Fault::CompletedWithoutResult, 7,
        "task-started p
         task-started c parent=p
         task-started d parent=p
         task-ended c end=completed
         task-ended d end=completed
         result-delivered p child=c
         task-ended p end=completed",
        "task-started p
         task-started c parent=p
         task-started d parent=p
         task-ended c end=completed
         task-ended d end=completed
         result-delivered p child=c
         task-ended p end=failed"),
    (Fault::SentWithoutResult, 4,
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         request-started p
         result-delivered p child=c",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         result-delivered p child=c
         request-started p"),
    (Fault::MessageTwice, 6,
        "task-started p
         message-queued p message=1
         message-delivered p message=1 turn=1
         request-started p turn=1
         request-ended p turn=1 end=completed
         message-delivered p message=1 turn=2",
        "task-started p
         message-queued p message=1
         message-delivered p message=1 turn=1
         request-started p turn=1
         request-ended p turn=1 end=failed
         message-delivered p message=1 turn=2"),
    (Fault::MessageOutOfOrder, 4,
        "task-started p
         message-queued p message=1
         message-queued p message=2
         message-delivered p message=2
         message-delivered p message=1",
        "task-started p
         message-queued p message=1
         message-queued p message=2
         message-delivered p message=1
         message-delivered p message=2"),
    (Fault::MessageMisreported, 4,
        "task-started p
         message-queued p message=1
         message-returned p message=1
         message-delivered p message=1",
        "task-started p
         message-queued p message=1
         message-delivered p message=1
         message-returned p message=1"),
    (Fault::MessageDropped, 0,
        "message-queued p message=1
         message-delivered p message=1
         request-started p
         request-ended p end=completed
         message-queued p message=2
         task-ended p end=completed",
        "message-queued p message=1
         message-delivered p message=1
         request-started p
         request-ended p end=completed
         message-queued p message=2
         task-ended p end=completed
         message-returned p message=2"),
    (Fault::SettledByAnother, 4,
        "task-started p
         question p question=1
         question p question=2
         answer p question=1 settles=2",
        "task-started p
         question p question=1
         question p question=2
         answer p question=1 settles=1"),
    (Fault::SettledAgain, 4,
        "task-started p
         question p question=1
         answer p question=1 settles=1
         answer p question=1 settles=1",
        "task-started p
         question p question=1
         answer p question=1 settles=1
         answer p question=1"),
    (Fault::SentAfterEnd, 2,
        "task-ended p end=completed
         request-started p",
        "request-started p
         task-ended p end=completed"),
    (Fault::RanAfterEnd, 2,
        "task-ended p end=completed
         tool-started p call=1",
        "tool-started p call=1
         task-ended p end=completed"),
    (Fault::EndedAgain, 2,
        "task-ended p end=completed
         task-ended p end=failed",
        "task-ended p end=completed
         task-ended p end=completed"),
    (Fault::StartedAfterEnd, 2,
        "task-ended p end=completed
         task-started p",
        "task-started p
         task-ended p end=completed"),
    (Fault::CallWithoutResult, 5,
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-result p call=2
         request-started p",
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-result p call=2
         tool-result p call=1
         request-started p"),
    (Fault::ResultWithoutCall, 5,
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-result p call=1
         tool-result p call=1",
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-result p call=1
         tool-result p call=2"),
    (Fault::RanTwice, 5,
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-started p call=1
         tool-started p call=1
         tool-result p call=1",
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-started p call=1
         tool-started p call=2
         tool-result p call=1"),
    (Fault::LiveUnderEnded, 3,
        "task-started p
         task-started c parent=p
         task-ended p end=completed
         task-ended c end=completed",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         task-ended p end=completed"),
    (Fault::StartedUnderEnded, 3,
        "task-started p
         task-ended p end=completed
         task-started c parent=p",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         task-ended p end=completed"),
    (Fault::SecondIterator, 2,
        "iterator-started a iterator=1
         iterator-started a iterator=2
         iterator-ended a iterator=1",
        "iterator-started a iterator=1
         iterator-ended a iterator=1
         iterator-started a iterator=2"),
    (Fault::StoppedAnother, 4,
        "request-started p turn=2
         interrupt p turn=1
         request-ended p turn=2 end=stopped
         request-started p turn=3",
        "request-started p turn=2
         interrupt p turn=2
         request-ended p turn=2 end=stopped
         request-started p turn=3"),
    (Fault::WentOnWhilePaused, 2,
        "pause p
         request-started p
         resume p",
        "pause p
         resume p
         request-started p"),
    (Fault::SecondRefresh, 2,
        "refresh-started c generation=1
         refresh-started c generation=1
         refresh-ended c generation=1 end=completed",
        "refresh-started c generation=1
         refresh-started c generation=2
         refresh-ended c generation=1 end=completed"),
    (Fault::TokenTwice, 3,
        "refresh-started c token=a
         refresh-ended c end=unknown
         refresh-started c token=a",
        "refresh-started c token=a
         refresh-ended c end=failed
         refresh-started c token=a"),
    (Fault::OlderStored, 2,
        "credential-stored c generation=2
         credential-stored c generation=1",
        "credential-stored c generation=2
         credential-stored c generation=3"),
    (Fault::SentAfterSecondRefusal, 5,
        "request-started p turn=1
         request-ended p turn=1 end=refused
         request-started p turn=1 attempt=1
         request-ended p turn=1 attempt=1 end=refused
         request-started p turn=1 attempt=2",
        "request-started p turn=1
         request-ended p turn=1 end=refused
         request-started p turn=1 attempt=1
         request-ended p turn=1 attempt=1 end=failed
         request-started p turn=1 attempt=2"),
    (Fault::AcceptedTwice, 4,
        "request-started p turn=1
         request-ended p turn=1 end=completed
         request-started p turn=1 attempt=1
         request-ended p turn=1 attempt=1 end=completed",
        "request-started p turn=1
         request-ended p turn=1 end=failed
         request-started p turn=1 attempt=1
         request-ended p turn=1 attempt=1 end=completed"),
    (Fault::ShownOfTwo, 5,
        "request-started p turn=1
         request-delta p turn=1
         request-ended p turn=1 end=failed
         request-started p turn=1 attempt=1
         request-delta p turn=1 attempt=1",
        "request-started p turn=1
         request-delta p turn=1
         request-ended p turn=1 end=failed
         request-started p turn=2
         request-delta p turn=2"),
    (Fault::SentAfterCancel, 2,
        "cancel p
         request-started p",
        "request-started p
         cancel p"),
    (Fault::BeganAfterCancel, 2,
        "cancel p
         tool-started p call=1",
        "tool-started p call=1
         cancel p"),
    (Fault::SecondAgent, 2,
        "agent-assigned a task=p epoch=1
         agent-assigned b task=p epoch=1
         agent-released b",
        "agent-assigned a task=p epoch=1
         agent-assigned b task=p epoch=2
         agent-released b"),
    (Fault::SecondTask, 2,
        "agent-assigned a task=p
         agent-assigned a task=q
         agent-released a",
        "agent-assigned a task=p
         agent-released a
         agent-assigned a task=q"),
    (Fault::OldEpoch, 2,
        "agent-assigned a task=p epoch=2
         agent-active a task=p epoch=1
         agent-released a",
        "agent-assigned a task=p epoch=2
         agent-active a task=p epoch=2
         agent-released a"),
    (Fault::StartedAfterCancel, 3,
        "task-started q
         cancel p
         task-started p",
        "task-started q
         cancel p"),
    (Fault::ToldOtherwise, 2,
        "task-ended p end=completed
         notified p end=failed",
        "task-ended p end=completed
         notified p end=completed"),
    (Fault::Unended, 1,
        "task-started p
         task-started q
         task-ended q end=completed",
        "task-started p
         question p question=1
         task-started q
         task-ended q end=completed"),
    (Fault::CancelUnended, 2,
        "task-started p
         cancel p
         task-ended q end=completed",
        "task-started p
         cancel p
         task-ended p end=completed"),
    (Fault::RefreshUnended, 0,
        "refresh-started c generation=1
         refresh-ended d end=completed",
        "refresh-started c generation=1
         refresh-ended c end=completed"),
];

#[test]
fn every_fault_is_found_where_it_is_and_not_in_its_healthy_twin() {
    for fault in Fault::ALL {
        let property = fault.property();
        let cases: Vec<_> = CASES.iter().filter(|(of, ..)| of == fault).collect();
        let [(_, line, broken, healthy)] = cases[..] else { panic!("{} cases of {fault:?}", cases.len()) };
        let Verdict::Broken(breach) = verdict(&judged(broken), property, true) else {
            panic!("{fault:?} is not found in\n{broken}")
        };
        assert_eq!((breach.fault, breach.moment.place.line, breach.count), (*fault, *line, 1), "{broken}");
        if *line > 0 {
            let last = breach.context.last().expect("the breach itself is in its context");
            assert_eq!(last.place.line, *line, "{fault:?}");
        }
        let twin = verdict(&judged(healthy), property, true);
        assert!(matches!(twin, Verdict::Kept(1..)), "{fault:?}: {twin:?} of\n{healthy}");
    }
}
