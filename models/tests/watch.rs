//! Every breach that a watch reports, and beside each the healthy history that looks like it.

use downbeat_models::watch::{Breach, Fault, How, NO_BUDGET, Promise, Watch};

const PROMISES: [Promise; 8] =
    [Promise::S2, Promise::S3, Promise::S4, Promise::S5, Promise::S6, Promise::S7, Promise::S8, Promise::S19];

/// A parent (0) with a child (1) and a stranger (2), each with nothing sent.
fn family() -> Watch {
    let mut watch = Watch::new(2);
    watch.started(0, None);
    watch.started(1, Some(0));
    watch.started(2, None);
    watch
}

fn breaches(watch: &Watch) -> Vec<(Fault, u8)> {
    PROMISES
        .iter()
        .filter_map(|&promise| watch.breach(promise))
        .map(|Breach { fault, task }| (fault, task))
        .collect()
}

type Case = (&'static str, fn(&mut Watch), &'static [(Fault, u8)]);

fn check(cases: &[Case]) {
    for (name, history, expected) in cases {
        let mut watch = family();
        history(&mut watch);
        assert_eq!(breaches(&watch), *expected, "{name}");
    }
}

#[test]
fn sends_are_told_apart_by_turn_and_attempt() {
    check(&[
        ("next turn", |w| send(w, &[(0, 0), (1, 0)]), &[]),
        ("next attempt", |w| send(w, &[(0, 0), (0, 1)]), &[]),
        ("an older turn that was not sent yet", |w| send(w, &[(3, 0), (2, 0)]), &[]),
        ("same attempt", |w| send(w, &[(0, 0), (0, 0)]), &[(Fault::SentTwice, 0)]),
        ("an older turn again", |w| send(w, &[(0, 0), (1, 0), (0, 0)]), &[(Fault::SentTwice, 0)]),
        ("an older turn, next attempt", |w| send(w, &[(0, 0), (1, 0), (0, 1)]), &[(Fault::SentTwice, 0)]),
        ("budget exhausted", |w| send(w, &[(0, 1), (0, 2)]), &[(Fault::SentTooOften, 0)]),
        (
            "repeat after a crash",
            |w| {
                send(w, &[(0, 0), (1, 0)]);
                w.crashed(false, true);
                send(w, &[(1, 0)]);
            },
            &[],
        ),
        (
            "an older turn after a crash",
            |w| {
                send(w, &[(0, 0), (1, 0)]);
                w.crashed(false, true);
                send(w, &[(0, 0)]);
            },
            &[(Fault::SentTwice, 0)],
        ),
        (
            "second repeat after one crash",
            |w| {
                send(w, &[(0, 0)]);
                w.crashed(false, true);
                send(w, &[(0, 0), (0, 0)]);
            },
            &[(Fault::SentTwice, 0)],
        ),
        (
            "turns that were forgotten leave the others known",
            |w| {
                send(w, &[(0, 0), (1, 0), (2, 1)]);
                w.forget_turns(0, 2);
                send(w, &[(1, 0)]);
            },
            &[],
        ),
        (
            "a kept turn again",
            |w| {
                send(w, &[(0, 0), (1, 0), (2, 1)]);
                w.forget_turns(0, 2);
                send(w, &[(0, 1)]);
            },
            &[(Fault::SentTwice, 0)],
        ),
    ]);
}

fn send(watch: &mut Watch, sends: &[(u8, u8)]) {
    for &(turn, attempt) in sends {
        watch.request_sent(0, turn, attempt);
        watch.request_ended(0);
    }
}

#[test]
fn requests_in_flight_are_counted_until_they_end() {
    let mut watch = family();
    watch.request_sent(0, 0, 0);
    watch.request_sent(1, 0, 0);
    assert_eq!((watch.in_flight(0), watch.in_flight(1)), (1, 1), "one for each task");
    watch.request_sent(0, 1, 0);
    assert_eq!(watch.in_flight(0), 2, "two loops of one task");
    watch.request_ended(0);
    assert_eq!(watch.in_flight(0), 1, "one of them ended");
    watch.crashed(true, true);
    watch.request_sent(0, 1, 0);
    assert_eq!(watch.in_flight(0), 1, "a repeat has the key of the request that is still in flight");
    watch.crashed(false, true);
    assert_eq!(watch.in_flight(0), 0, "lost in a crash");
}

#[test]
fn results_reach_their_own_parent_once_and_before_its_next_request() {
    check(&[
        (
            "given, then sent",
            |w| {
                w.subtask_ended(1);
                w.subtask_result_given(1, 0, 1);
                w.request_sent(0, 1, 0);
            },
            &[],
        ),
        (
            "a retry carries it again",
            |w| {
                w.subtask_ended(1);
                w.subtask_result_given(1, 0, 1);
                w.request_sent(0, 1, 0);
                w.subtask_result_given(1, 0, 1);
                w.request_sent(0, 1, 1);
            },
            &[],
        ),
        (
            "in two deliveries",
            |w| {
                w.subtask_result_given(1, 0, 1);
                w.subtask_result_given(1, 0, 2);
            },
            &[(Fault::ResultTwice, 1)],
        ),
        (
            "again after its turn was answered",
            |w| {
                w.subtask_result_given(1, 0, 1);
                w.turn_answered(0, 1);
                w.subtask_result_given(1, 0, 1);
            },
            &[(Fault::ResultTwice, 1)],
        ),
        ("given to a stranger", |w| w.subtask_result_given(1, 2, 1), &[(Fault::ResultToStranger, 1)]),
        (
            "sent without it",
            |w| {
                w.subtask_ended(1);
                w.request_sent(0, 1, 0);
            },
            &[(Fault::SentWithoutResult, 1)],
        ),
        (
            "a stranger may send meanwhile",
            |w| {
                w.subtask_ended(1);
                w.request_sent(2, 1, 0);
            },
            &[],
        ),
        (
            "completed while owed",
            |w| {
                w.subtask_ended(1);
                w.ended(0, How::Completed);
            },
            &[(Fault::CompletedWithoutResult, 1)],
        ),
        (
            "cancelled while owed",
            |w| {
                w.subtask_ended(1);
                w.ended(0, How::Cancelled);
            },
            &[],
        ),
    ]);
}

#[test]
fn messages_are_answered_once_and_in_order_or_reported() {
    check(&[
        (
            "given again while unanswered",
            |w| {
                w.message_accepted(0, 0);
                w.message_given(0, 0, 1);
                w.message_given(0, 0, 2);
                w.turn_answered(0, 2);
            },
            &[],
        ),
        (
            "given again although answered",
            |w| {
                w.message_accepted(0, 0);
                w.message_given(0, 0, 1);
                w.turn_answered(0, 1);
                w.message_given(0, 0, 2);
            },
            &[(Fault::MessageTwice, 0)],
        ),
        (
            "in order",
            |w| {
                w.message_accepted(0, 0);
                w.message_accepted(0, 1);
                w.message_given(0, 0, 1);
                w.message_given(0, 1, 1);
            },
            &[],
        ),
        (
            "overtaken",
            |w| {
                w.message_accepted(0, 0);
                w.message_accepted(0, 1);
                w.message_given(0, 1, 1);
            },
            &[(Fault::MessageOutOfOrder, 0)],
        ),
        (
            "a message of another task is no predecessor",
            |w| {
                w.message_accepted(2, 0);
                w.message_accepted(0, 1);
                w.message_given(0, 1, 1);
            },
            &[],
        ),
        (
            "to a stranger",
            |w| {
                w.message_accepted(1, 0);
                w.message_given(0, 0, 1);
            },
            &[(Fault::MessageToStranger, 0)],
        ),
        (
            "reported, twice",
            |w| {
                w.message_accepted(0, 0);
                w.message_reported(0, 0);
                w.message_reported(0, 0);
            },
            &[],
        ),
        (
            "reported although answered",
            |w| {
                w.message_accepted(0, 0);
                w.message_given(0, 0, 1);
                w.turn_answered(0, 1);
                w.message_reported(0, 0);
            },
            &[(Fault::MessageMisreported, 0)],
        ),
        (
            "given after the report",
            |w| {
                w.message_accepted(0, 0);
                w.message_reported(0, 0);
                w.message_given(0, 0, 1);
            },
            &[(Fault::MessageMisreported, 0)],
        ),
        (
            "dropped",
            |w| {
                w.message_accepted(0, 0);
                w.message_dropped(0, 0);
            },
            &[(Fault::MessageDropped, 0)],
        ),
        (
            "dropped after it was reported",
            |w| {
                w.message_accepted(0, 0);
                w.message_reported(0, 0);
                w.message_dropped(0, 0);
            },
            &[],
        ),
    ]);
}

#[test]
fn a_message_is_lost_when_its_task_ends_and_nobody_tells() {
    let mut watch = family();
    watch.message_accepted(0, 0);
    assert_eq!(watch.message_lost(), None, "the task lives");
    watch.ended(0, How::Completed);
    assert_eq!(watch.message_lost(), Some((0, 0)), "never given");
    watch.message_reported(0, 0);
    assert_eq!(watch.message_lost(), None, "reported in the step that ended the task");

    let mut watch = family();
    watch.message_accepted(0, 0);
    watch.message_given(0, 0, 1);
    watch.ended(0, How::Failed);
    assert_eq!(watch.message_lost(), Some((0, 0)), "given, not answered");
    watch.turn_answered(0, 1);
    assert_eq!(watch.message_lost(), None, "answered in the step that ended the task");
    assert!(watch.message_has_settled());
}

#[test]
fn an_answer_settles_the_question_that_it_names() {
    check(&[
        ("the question", |w| w.question_settled(1, 4, Some(4)), &[]),
        ("another one", |w| w.question_settled(1, 4, Some(3)), &[(Fault::SettledByAnother, 1)]),
        ("no question", |w| w.question_settled(1, 4, None), &[(Fault::SettledByAnother, 1)]),
    ]);
}

#[test]
fn nothing_happens_after_the_end() {
    check(&[
        (
            "an equal report again",
            |w| {
                w.ended(1, How::Cancelled);
                w.ended(1, How::Cancelled);
                w.request_ended(1);
            },
            &[],
        ),
        (
            "another end",
            |w| {
                w.ended(1, How::Cancelled);
                w.ended(1, How::Completed);
            },
            &[(Fault::EndedAgain, 1)],
        ),
        (
            "a request",
            |w| {
                w.ended(1, How::Completed);
                w.request_sent(1, 1, 0);
            },
            &[(Fault::SentAfterEnd, 1)],
        ),
        (
            "a tool",
            |w| {
                w.ended(1, How::Completed);
                w.tool_ran(1);
            },
            &[(Fault::RanAfterEnd, 1)],
        ),
        (
            "others go on",
            |w| {
                w.ended(1, How::Completed);
                w.tool_ran(0);
                w.request_sent(0, 1, 0);
            },
            &[],
        ),
    ]);
}

#[test]
fn every_call_has_one_result_before_the_next_request() {
    check(&[
        (
            "two calls, two results",
            |w| {
                w.calls_made(0, 2);
                w.call_result_given(0, 0);
                w.call_result_given(0, 1);
                w.request_sent(0, 1, 0);
            },
            &[],
        ),
        (
            "numbers start again with the next response",
            |w| {
                w.calls_made(0, 1);
                w.call_result_given(0, 0);
                w.request_sent(0, 1, 0);
                w.calls_made(0, 1);
                w.call_result_given(0, 0);
                w.request_sent(0, 2, 0);
            },
            &[],
        ),
        (
            "one result missing",
            |w| {
                w.calls_made(0, 2);
                w.call_result_given(0, 0);
                w.request_sent(0, 1, 0);
            },
            &[(Fault::CallWithoutResult, 0)],
        ),
        (
            "two results",
            |w| {
                w.calls_made(0, 1);
                w.call_result_given(0, 0);
                w.call_result_given(0, 0);
            },
            &[(Fault::CallResultTwice, 0)],
        ),
        (
            "a result after the next request",
            |w| {
                w.calls_made(0, 1);
                w.call_result_given(0, 0);
                w.request_sent(0, 1, 0);
                w.call_result_given(0, 0);
            },
            &[(Fault::CallResultTwice, 0)],
        ),
    ]);
}

#[test]
fn nothing_is_sent_after_a_cancel_of_the_task_or_of_one_above_it() {
    check(&[
        (
            "the task",
            |w| {
                w.cancel_requested(1);
                w.request_sent(1, 0, 0);
            },
            &[(Fault::SentAfterCancel, 1)],
        ),
        (
            "its parent",
            |w| {
                w.cancel_requested(0);
                w.request_sent(1, 0, 0);
            },
            &[(Fault::SentAfterCancel, 1)],
        ),
        (
            "its child",
            |w| {
                w.cancel_requested(1);
                w.request_sent(0, 0, 0);
            },
            &[],
        ),
        (
            "taken up again",
            |w| {
                w.cancel_requested(1);
                w.cancel_withdrawn(1);
                w.request_sent(1, 0, 0);
            },
            &[],
        ),
        (
            "one that was in flight may end",
            |w| {
                w.request_sent(1, 0, 0);
                w.cancel_requested(1);
                w.request_ended(1);
                w.turn_answered(1, 0);
            },
            &[],
        ),
    ]);
}

#[test]
fn histories_that_cannot_matter_any_more_are_one_state() {
    let ended_after = |turns: u8| {
        let mut watch = family();
        for turn in 0..turns {
            watch.request_sent(1, turn, 0);
            watch.calls_made(1, 1);
            watch.call_result_given(1, 0);
        }
        watch.ended(1, How::Completed);
        watch
    };
    assert_eq!(ended_after(1), ended_after(5), "turns of an ended task");

    let breached_in = |order: [u8; 2]| {
        let mut watch = Watch::new(NO_BUDGET);
        watch.started(0, None);
        watch.started(1, Some(0));
        for task in order {
            watch.question_settled(task, 1, None);
        }
        watch
    };
    assert_eq!(breached_in([0, 1]), breached_in([1, 0]), "the order of two breaches");
}

#[test]
fn what_begins_is_judged_like_what_is_sent() {
    check(&[
        ("a tool of a live task", |w| w.began(1), &[]),
        (
            "a tool after a cancel of the task above",
            |w| {
                w.cancel_requested(0);
                w.began(1);
            },
            &[(Fault::ActedAfterCancel, 1)],
        ),
        (
            "a tool beside a cancelled task",
            |w| {
                w.cancel_requested(1);
                w.began(2);
            },
            &[],
        ),
        (
            "a subtask of a cancelled task",
            |w| {
                w.cancel_requested(0);
                w.started(1, Some(0));
            },
            &[(Fault::ActedAfterCancel, 1)],
        ),
        (
            "a task that has ended begins again",
            |w| {
                w.ended(1, How::Completed);
                w.started(1, Some(0));
            },
            &[(Fault::StartedAfterEnd, 1)],
        ),
        ("a tool twice for one call", |w| w.tool_ran_twice(1), &[(Fault::RanTwice, 1)]),
        ("another content for the same turn", |w| w.content_changed(1), &[(Fault::ContentChanged, 1)]),
        ("an untrue report", |w| w.message_misreported(1), &[(Fault::MessageMisreported, 1)]),
    ]);
}
