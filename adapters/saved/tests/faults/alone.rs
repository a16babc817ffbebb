//! Faults that one folder shows by itself.

use crate::planted::Copy;
use crate::plants::*;
use crate::{CONVERSATION, ITEM, WINDOW, ask, later, list, request, say, shown, sorted, ts, turn};
use downbeat_saved::Certainty::{self, CannotTell, Proven, Suspicious};
use downbeat_saved::Fault::{self, *};
use downbeat_saved::{Property, examine, text};
use serde_json::{Value, json};

/// A fault in one folder: the name, the folder, how it is planted, and everything that is found then.
type Planted = (&'static str, &'static str, fn(&Copy), &'static [(Certainty, Property, Fault)]);

#[rustfmt::skip]
pub(crate) const PLANTED: &[Planted] = &[
    ("two loops, seen in the window", "text/0199-parent", continue_twice, &[
        (Proven, Property::S1, DoubleContinuation), (Suspicious, Property::S2, OutOfAlternation),
    ]),
    ("two loops, one request in the window", "text/0199-parent", continue_twice_unseen, &[
        (Suspicious, Property::S1, DoubleContinuation), (Suspicious, Property::S2, OutOfAlternation),
    ]),
    ("two loops, without moments", "text/0199-parent", continue_twice_untimed, &[
        (Suspicious, Property::S1, DoubleContinuation), (Suspicious, Property::S2, OutOfAlternation),
        (CannotTell, Property::S1, RequestsTogether),
    ]),
    ("a request beside another", "native/0199-native", request_without_response, &[(Suspicious, Property::S1, RequestsTogether)]),
    ("a request that failed and was tried again", "native/0199-native", |copy| {
        request_without_response(copy);
        copy.edit(WINDOW, |value| list(value)[5]["text"] = json!("{\"cancelReason\":\"streaming_failed\"}"));
    }, &[]),
    ("a response that left nothing in the window", "native/0199-native", |copy| {
        copy.edit(WINDOW, |value| drop(list(value).remove(6)));
        copy.edit(WINDOW, |value| drop(list(value).remove(6)));
        copy.edit(CONVERSATION, |value| list(value)[4]["content"][0]["content"] = json!("Not allowed in this mode."));
    }, &[]),
    ("a response that was cut short", "native/0199-native", |copy| {
        request_without_response(copy);
        copy.edit(WINDOW, |value| list(value).insert(6, json!({"ts": ts(6), "type": "say", "say": "text", "partial": true})));
    }, &[(Suspicious, Property::S1, RequestsTogether)]),
    ("two loops, and a clock that was set back", "text/0199-parent", |copy| {
        continue_twice(copy);
        copy.edit(WINDOW, |value| list(value)[1]["ts"] = json!(ts(9000)));
    }, &[
        (Suspicious, Property::S1, DoubleContinuation), (Suspicious, Property::S2, OutOfAlternation),
        (Suspicious, Property::S1, RequestsTogether),
    ]),
    ("two responses, of which one was interrupted", "text/0199-parent", |copy| {
        continue_twice(copy);
        copy.edit(CONVERSATION, |value| list(value)[5]["content"] = json!("I list\n\n[Response interrupted by user]"));
    }, &[
        (Suspicious, Property::S2, OutOfAlternation), (Suspicious, Property::S2, OutOfAlternation),
        (Suspicious, Property::S1, RequestsTogether),
    ]),
    ("three loops", "text/0199-parent", |copy| {
        continue_twice(copy);
        copy.edit(CONVERSATION, |value| list(value).insert(6, turn(187, "assistant", &json!("Another one."))));
        copy.edit(WINDOW, |value| list(value).insert(4, request(180)));
    }, &[
        (Proven, Property::S1, DoubleContinuation), (Proven, Property::S1, DoubleContinuation),
        (Suspicious, Property::S2, OutOfAlternation),
    ]),
    ("two loops that alternate, until both end", "text/0199-parent", interleave, &[(Proven, Property::S1, DoubleContinuation)]),
    ("two loops that alternate, when one is cut short", "text/0199-parent", |copy| {
        interleave(copy);
        copy.edit(CONVERSATION, |value| drop(list(value).pop()));
    }, &[(Suspicious, Property::S1, RequestsTogether)]),
    ("the same messages of one loop", "text/0199-parent", go_on_alone, &[]),
    ("the same, and a response of somebody who is not known", "text/0199-parent", |copy| {
        go_on_alone(copy);
        copy.edit(CONVERSATION, |value| list(value)[6]["role"] = json!("model"));
    }, &[]),
    ("a request that was sent again after a failure", "text/0199-parent", |copy| {
        go_on_alone(copy);
        copy.edit(WINDOW, |value| list(value).splice(4..4, [request(180), say(180, "api_req_retry_delayed", "429")]).for_each(drop));
    }, &[]),
    ("a request that was sent again by a person", "text/0199-parent", |copy| {
        go_on_alone(copy);
        copy.edit(WINDOW, |value| list(value).splice(4..4, [request(180), say(180, "text", "I"), ask(180, "resume_task")]).for_each(drop));
    }, &[]),
    ("two loops that alternate, and a failed request of which a response may be left", "text/0199-parent", |copy| {
        interleave(copy);
        copy.edit(WINDOW, |value| list(value)[9]["text"] = json!("{\"cancelReason\":\"streaming_failed\"}"));
    }, &[(Suspicious, Property::S1, RequestsTogether)]),
    ("two loops that alternate, and the task opened again between", "text/0199-parent", |copy| {
        interleave(copy);
        copy.edit(WINDOW, |value| list(value).insert(9, ask(183, "resume_task")));
    }, &[(Suspicious, Property::S1, RequestsTogether)]),
    ("two messages of the model, of which one is of a request that failed", "text/0199-parent", |copy| {
        continue_twice(copy);
        copy.edit(WINDOW, |value| list(value)[4]["text"] = json!("{\"streamingFailedMessage\":\"broken\"}"));
    }, &[(Suspicious, Property::S1, DoubleContinuation), (Suspicious, Property::S2, OutOfAlternation)]),
    ("a message of somebody who is not known, between two of the model", "text/0199-parent", |copy| {
        continue_twice(copy);
        copy.edit(WINDOW, |value| list(value)[4]["text"] = json!("{\"streamingFailedMessage\":\"broken\"}"));
        copy.edit(CONVERSATION, |value| list(value).insert(6, turn(187, "developer", &json!("Go on."))));
    }, &[(Suspicious, Property::S2, OutOfAlternation)]),
    ("two responses, of which one quotes what interrupted ones end with", "text/0199-parent", |copy| {
        continue_twice(copy);
        copy.edit(CONVERSATION, |value| list(value)[5]["content"] = json!("The log has \"[Response interrupted by user]\" twice."));
    }, &[(Proven, Property::S1, DoubleContinuation), (Suspicious, Property::S2, OutOfAlternation)]),
    ("no result, and the model never spoke again", "native/0199-native", |copy| {
        forget_result(copy);
        end_after_calls(copy, 3);
    }, &[(Suspicious, Property::S8, MissingResult)]),
    ("no result, and the task was opened again and never spoke", "native/0199-native", |copy| {
        forget_result(copy);
        end_after_calls(copy, 3);
        copy.edit(WINDOW, |value| list(value)[5] = ask(6, "resume_task"));
    }, &[(CannotTell, Property::S8, MissingResult)]),
    ("no result, and a text behind the surroundings", "native/0199-native", |copy| {
        forget_result(copy);
        copy.edit(CONVERSATION, |value| {
            list(value)[2]["content"][1]["text"] = json!("<environment_details>\n</environment_details>\nIt was fn parse() {}");
        });
    }, &[(Suspicious, Property::S8, MissingResult)]),
    ("all results, and the model never spoke again", "native/0199-native", |copy| end_after_calls(copy, 3), &[]),
    ("calls at the end", "native/0199-native", |copy| end_after_calls(copy, 2), &[
        (CannotTell, Property::S8, MissingResult), (CannotTell, Property::S8, MissingResult),
    ]),
    ("a call that waits for its subtask", "delegation/tasks/0199-p", |copy| {
        copy.edit(CONVERSATION, |value| list(value).truncate(3));
        copy.edit(WINDOW, |value| list(value).truncate(4));
        copy.edit(ITEM, |value| value["status"] = json!("delegated"));
    }, &[]),
    ("calls beside one that waits for its subtask", "delegation/tasks/0199-p", |copy| {
        copy.edit(CONVERSATION, |value| list(value).truncate(2));
        copy.edit(WINDOW, |value| list(value).truncate(4));
        copy.edit(ITEM, |value| value["status"] = json!("delegated"));
    }, &[]),
    ("a call that may wait for its subtask, or for ever", "delegation/tasks/0199-p", |copy| {
        copy.edit(CONVERSATION, |value| list(value).truncate(3));
        copy.edit(WINDOW, |value| list(value).truncate(4));
        copy.remove(ITEM);
    }, &[(CannotTell, Property::S8, MissingResult), (Suspicious, Property::L1, StalledParent)]),
    ("a result that names no call", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        result_of(value)["tool_use_id"] = json!("");
    }), &[(CannotTell, Property::S8, MissingResult)]),
    ("a call without an id, and a result that has one", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        call(value)["id"] = Value::Null;
    }), &[(CannotTell, Property::S8, OrphanResult)]),
    ("a result of a form that is not known", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        result_of(value)["type"] = json!("tool-output");
    }), &[(CannotTell, Property::S8, MissingResult), (Suspicious, Property::S5, LostMessage)]),
    ("a picture for a result", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[2]["content"][0] = json!({"type": "image", "source": {}});
    }), &[(CannotTell, Property::S8, MissingResult)]),
    ("a picture beside the results", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(&mut list(value)[2]["content"]).push(json!({"type": "image", "source": {}}));
    }), &[]),
    ("results in a message that cannot be read", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[2]["content"] = list(value)[2]["content"][0].take();
    }), &[(CannotTell, Property::S8, MissingResult), (CannotTell, Property::S8, MissingResult)]),
    ("results in a message of somebody who is not known", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[2]["role"] = json!("function");
        list(value)[2]["content"] = json!("fn parse() {}");
    }), &[(CannotTell, Property::S8, MissingResult), (CannotTell, Property::S8, MissingResult)]),
    ("a message twice", "text/0199-child", repeat_message, &[(Suspicious, Property::S2, RepeatedContent)]),
    ("no response between", "cline/tasks/1757845351000", |copy| {
        copy.edit(CONVERSATION, |value| drop(list(value).remove(3)));
    }, &[(Suspicious, Property::S2, OutOfAlternation)]),
    ("no message between", "cline/tasks/1757845351000", forget_response, &[(Suspicious, Property::S1, DoubleContinuation)]),
    ("a result twice", "native/0199-native", repeat_result, &[(Proven, Property::S8, RepeatedResult)]),
    ("a result of no call", "native/0199-native", answer_nobody, &[(Proven, Property::S8, OrphanResult)]),
    ("a result twice, and something that may be a call", "native/0199-native", |copy| {
        repeat_result(copy);
        copy.edit(CONVERSATION, |value| list(&mut list(value)[3]["content"]).push(json!({"type": "server_call"})));
    }, &[(Suspicious, Property::S8, RepeatedResult)]),
    ("a result of what may be a call", "native/0199-native", |copy| {
        answer_nobody(copy);
        copy.edit(CONVERSATION, |value| list(&mut list(value)[3]["content"]).push(json!({"type": "server_call"})));
    }, &[(CannotTell, Property::S8, OrphanResult)]),
    ("a result after a message of somebody who is not known", "native/0199-native", |copy| {
        answer_nobody(copy);
        copy.edit(CONVERSATION, |value| list(value).insert(4, turn(13, "developer", &json!("Go on."))));
    }, &[(CannotTell, Property::S8, OrphanResult)]),
    ("a result of no call, where messages are gone", "cut/0199-cut", answer_nobody, &[(CannotTell, Property::S8, OrphanResult)]),
    ("a call that an earlier summary repeats, and its result", "cut/0199-cut", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[1]["content"] = json!([{"type": "tool_use", "id": "call-1", "name": "read_file", "input": {}}]);
        list(value)[2]["content"] = json!([{"type": "tool_result", "tool_use_id": "call-1", "content": "mod b;"}]);
    }), &[]),
    ("a result of no call, where messages may be gone unseen", "native/0199-native", |copy| {
        copy.edit(CONVERSATION, |value| drop(list(value).drain(1..2)));
    }, &[
        (CannotTell, Property::S8, OrphanResult), (CannotTell, Property::S8, OrphanResult),
        (Suspicious, Property::S2, OutOfAlternation), (CannotTell, Property::S1, RequestsTogether),
    ]),
    ("a result of no call, where the window says that messages are gone", "truncated/0199-truncated", |copy| {
        copy.edit(CONVERSATION, |value| {
            list(value).drain(1..4);
            list(value)[2]["content"][0]["tool_use_id"] = json!("call-9");
            list(value)[1]["content"] = json!("I read on.");
        });
    }, &[(CannotTell, Property::S8, OrphanResult), (CannotTell, Property::S1, RequestsTogether)]),
    ("a result one message late", "native/0199-native", answer_late, &[
        (Proven, Property::S8, MissingResult), (Suspicious, Property::S8, OrphanResult),
    ]),
    ("no result", "native/0199-native", forget_result, &[(Proven, Property::S8, MissingResult)]),
    ("no result in the form of the SDK", "sdk/0199-sdk", |copy| {
        copy.edit(CONVERSATION, |value| drop(list(&mut value["messages"]).remove(3)));
    }, &[(Proven, Property::S8, MissingResult)]),
    ("no result but what a summary says", "condensed/0199-kept", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[5]["content"] = json!([{"type": "text", "text": "Tool result: mod b;"}]);
    }), &[]),
    ("no result but a text that refuses the call", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[2]["content"][1] = json!({"type": "text", "text": "Skipping tool due to user rejecting a previous tool. [read_file]"});
    }), &[(CannotTell, Property::S8, MissingResult)]),
    ("a result as a text", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[4]["content"] = json!([{"type": "text", "text": "[write_to_file for 'tests.rs'] Result:\nPlease name the test after what it \"checks\", not after the file"}]);
    }), &[]),
    ("a result that names the other id of its call", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[3]["content"][0]["call_id"] = json!("fc-3");
        list(value)[4]["content"][0]["tool_use_id"] = json!("fc-3");
        list(value)[5]["content"][0]["call_id"] = json!("fc-4");
        list(value)[6]["content"][0]["tool_use_id"] = json!("unknown");
        list(value)[6]["content"][0]["call_id"] = json!("fc-4");
    }), &[]),
    ("an id that is used again", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[3]["content"][0]["id"] = json!("call-1");
        list(value)[4]["content"][0]["tool_use_id"] = json!("call-1");
    }), &[]),
    ("an id that is used again, and a result too many", "native/0199-native", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[3]["content"][0]["id"] = json!("call-1");
        let again = json!({"type": "tool_result", "tool_use_id": "call-1", "content": "once more"});
        list(value)[4]["content"].as_array_mut().expect("parts").push(again);
        list(value)[4]["content"][0]["tool_use_id"] = json!("call-1");
    }), &[(Suspicious, Property::S8, RepeatedResult)]),
    ("no result of what was interrupted", "interrupted/0199-interrupted", forget_interrupted_result, &[(CannotTell, Property::S8, MissingResult)]),
    ("an answer of a person as a text", "native/0199-native", forget_answer_of_person, &[(Suspicious, Property::S8, MissingResult)]),
    ("a message that is lost", "native/0199-native", forget_message, &[(Proven, Property::S5, LostMessage)]),
    ("a message that is lost, and the task opened again", "native/0199-native", forget_message_before_reopening, &[(Suspicious, Property::S5, LostMessage)]),
    ("a message of which nothing is left", "native/0199-native", |copy| {
        copy.edit(CONVERSATION, |value| drop(list(value).drain(1..5)));
    }, &[(CannotTell, Property::S1, RequestsTogether)]),
    ("a message that is lost after a summary", "cut/0199-cut", |copy| copy.edit(WINDOW, |value| {
        list(value).insert(8, say(78, "user_feedback", "Do not forget the documentation"));
    }), &[(Proven, Property::S5, LostMessage)]),
    ("a message that is still to be sent", "native/0199-native", type_last, &[(CannotTell, Property::S5, LostMessage)]),
    ("a message that is lost, without moments", "cline/tasks/1757845351000", forget_message_without_moments, &[(Suspicious, Property::S5, LostMessage)]),
    ("a subtask's result given twice, as a text", "text/0199-parent", give_result_twice, &[(Proven, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result given twice, where messages may be gone", "text/0199-parent", |copy| {
        give_result_twice(copy);
        copy.edit(WINDOW, |value| list(value).insert(3, say(170, "condense_context", "")));
    }, &[(Suspicious, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result of one word, shown twice", "text/0199-parent", |copy| {
        show_result_twice(copy);
        copy.edit(WINDOW, |value| {
            for entry in &mut list(value)[3..5] {
                entry["text"] = json!("Done");
            }
        });
    }, &[(Suspicious, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result that may be in a message that cannot be read", "text/0199-parent", |copy| {
        copy.edit(CONVERSATION, |value| list(value)[2]["content"] = json!({"text": "All nine pictures are compressed."}));
    }, &[(Suspicious, Property::S4, LostSubtaskResult), (Suspicious, Property::S2, OutOfAlternation)]),
    ("a subtask's result given twice, by name", "delegation/tasks/0199-p", |copy| {
        copy.edit(CONVERSATION, |value| {
            let again = json!([{"type": "text", "text": list(value)[3]["content"][0]["content"]}]);
            list(value).push(turn(309, "user", &again));
        });
    }, &[(Proven, Property::S3, RepeatedSubtaskResult), (Suspicious, Property::S8, MissingResult)]),
    ("two subtasks with the same result", "text/0199-parent", |copy| {
        copy.edit(CONVERSATION, |value| {
            let again: Vec<Value> = list(value)[1..4].to_vec();
            list(value).splice(4..4, again);
            later(&mut list(value)[4..]);
        });
        copy.edit(WINDOW, |value| {
            let again: Vec<Value> = list(value)[2..5].to_vec();
            list(value).splice(5..5, again);
            later(&mut list(value)[5..]);
        });
    }, &[]),
    ("two subtasks at once, with the same result", "text/0199-parent", |copy| {
        start_two(copy);
        give_result_twice(copy);
    }, &[(Suspicious, Property::S3, RepeatedSubtaskResult)]),
    ("two subtasks at once, and a result three times", "text/0199-parent", |copy| {
        start_two(copy);
        give_result_twice(copy);
        give_result_twice(copy);
    }, &[(Proven, Property::S3, RepeatedSubtaskResult), (Suspicious, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result of one word, given twice", "text/0199-parent", |copy| {
        copy.edit(CONVERSATION, |value| list(value)[2]["content"][0]["text"] = json!("[new_task completed] Result: Done"));
        copy.edit(WINDOW, |value| list(value)[3]["text"] = json!("Done"));
        give_result_twice(copy);
    }, &[(Suspicious, Property::S3, RepeatedSubtaskResult)]),
    ("two subtasks at once, and each of their results", "text/0199-parent", |copy| {
        start_two(copy);
        copy.edit(CONVERSATION, |value| {
            let other = json!([{"type": "text", "text": "[new_task completed] Result: Ten pictures are compressed."}]);
            list(value).insert(3, turn(180, "user", &other));
        });
        copy.edit(WINDOW, |value| list(value).insert(5, say(180, "subtask_result", "Ten pictures are compressed.")));
    }, &[]),
    ("two subtasks at once, and the same result in the window", "text/0199-parent", |copy| {
        start_two(copy);
        copy.edit(WINDOW, |value| {
            let again = list(value)[4].clone();
            list(value).insert(5, again);
        });
    }, &[(Suspicious, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result shown twice, and a subtask that was never started", "text/0199-parent", |copy| {
        show_result_twice(copy);
        copy.edit(WINDOW, |value| {
            let mut asked = list(value)[2].clone();
            asked["partial"] = json!(true);
            list(value).insert(4, asked);
        });
    }, &[(Proven, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result shown twice", "text/0199-parent", show_result_twice, &[(Proven, Property::S3, RepeatedSubtaskResult)]),
    ("two results of one subtask", "text/0199-parent", show_second_result, &[
        (Proven, Property::S4, LostSubtaskResult), (Suspicious, Property::S3, RepeatedSubtaskResult),
    ]),
    ("two results of one subtask, and a person between them", "text/0199-parent", |copy| {
        show_second_result(copy);
        copy.edit(WINDOW, |value| list(value).insert(4, ask(180, "resume_task")));
    }, &[(Proven, Property::S4, LostSubtaskResult), (Suspicious, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result that is shown alone", "text/0199-parent", forget_subtask_result, &[(Proven, Property::S4, LostSubtaskResult)]),
    ("a subtask's result in messages that may be gone", "text/0199-parent", |copy| {
        copy.edit(CONVERSATION, |value| drop(list(value).drain(1..4)));
    }, &[(CannotTell, Property::S1, RequestsTogether)]),
    ("a parent that a person continued", "text/0199-parent", stall, &[(Suspicious, Property::L1, StalledParent)]),
    ("a parent that stopped", "text/0199-parent", stall_for_ever, &[(Suspicious, Property::L1, StalledParent)]),
    ("a parent that asked for a subtask, and then nothing", "text/0199-parent", |copy| {
        copy.edit(WINDOW, |value| list(value).truncate(3));
        copy.edit(CONVERSATION, |value| list(value).truncate(2));
    }, &[(Suspicious, Property::L1, StalledParent)]),
    ("a parent that was told to do without a subtask", "text/0199-parent", |copy| {
        copy.edit(WINDOW, |value| {
            list(value).truncate(3);
            list(value).push(say(20, "user_feedback", "No."));
        });
        copy.edit(CONVERSATION, |value| list(value).truncate(2));
    }, &[]),
    ("a parent that a person continued without a result", "text/0199-parent", go_on_without_result, &[(Suspicious, Property::S3, LostSubtaskResult)]),
    ("a request after the end that a person wanted", "native/0199-native", |copy| {
        copy.edit(WINDOW, |value| list(value).push(say(118, "user_feedback", "Go on.")));
        go_on_after_end(copy);
    }, &[]),
    ("a request after the end, and a failure before it", "native/0199-native", |copy| {
        copy.edit(WINDOW, |value| list(value).push(say(117, "api_req_retry_delayed", "429")));
        go_on_after_end(copy);
    }, &[]),
    ("a request after the end", "native/0199-native", go_on_after_end, &[(Suspicious, Property::S7, WentOnAfterEnd)]),
];

#[test]
fn planted_faults_are_found_and_nothing_else() {
    for (name, folder, plant, expected) in PLANTED {
        let copy = Copy::of(folder);
        let before = shown(&examine(copy.path()).expect("a sound folder"));
        plant(&copy);
        let examined = examine(copy.path()).expect("a folder with a fault");
        // What the sound folder cannot tell stays, unless the fault took its place.
        let new: Vec<_> =
            sorted(shown(&examined)).into_iter().filter(|found| !before.contains(found)).collect();
        assert_eq!(new, sorted(expected.to_vec()), "{name}\n{}", text(&examined));
    }
}

#[test]
fn findings_say_what_happened_and_when() {
    let mut told = Vec::new();
    for (name, folder, plant, _) in PLANTED {
        let copy = Copy::of(folder);
        plant(&copy);
        told.push((*name).to_owned());
        for finding in examine(copy.path()).expect("a folder with a fault").findings {
            let (certainty, place, says) = (finding.certainty.name(), finding.place.path, finding.says);
            if finding.fault != NotRecorded {
                told.push(format!("  {certainty} {:?} {place}: {says}", finding.property));
            }
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// A length that is below nothing is none.
#[test]
fn a_clock_that_was_set_back_gives_no_lengths() {
    let copy = Copy::of("text/0199-parent");
    stall(&copy);
    let says = |copy: &Copy| {
        let examined = examine(copy.path()).expect("a folder");
        let says = examined.findings.into_iter().find(|finding| finding.fault == StalledParent);
        says.expect("a parent that a person continued").says
    };
    assert!(says(&copy).ends_with(" opened it again or typed, 2 d 0 h later."));
    copy.edit(WINDOW, |value| list(value)[5]["ts"] = json!(ts(170)));
    assert!(says(&copy).ends_with(" opened it again or typed."));
}
