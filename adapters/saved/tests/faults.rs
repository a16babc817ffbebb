//! Each kind of finding, planted into a sound folder. What the sound folders themselves show is in `reports.rs`.

mod planted;

use downbeat_saved::Certainty::{self, CannotTell, Proven, Suspicious};
use downbeat_saved::Fault::{self, *};
use downbeat_saved::{Examined, Property, examine, examine_storage, summary, text};
use planted::Copy;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A moment in the folders of the tests, in seconds from their beginning.
fn ts(second: i64) -> i64 {
    1_757_845_351_000 + second * 1000
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().expect("a list of messages")
}

fn say(second: i64, kind: &str, text: &str) -> Value {
    json!({"ts": ts(second), "type": "say", "say": kind, "text": text})
}

fn ask(second: i64, kind: &str) -> Value {
    json!({"ts": ts(second), "type": "ask", "ask": kind})
}

fn request(second: i64) -> Value {
    say(second, "api_req_started", "{\"tokensIn\":1,\"cost\":0.01}")
}

fn turn(second: i64, role: &str, content: &Value) -> Value {
    json!({"ts": ts(second), "role": role, "content": content})
}

/// What a folder shows that its sound form does not, beside what no file can tell of either.
fn shown(examined: &Examined) -> Vec<(Certainty, Property, Fault)> {
    let told = examined.findings.iter().filter(|finding| finding.fault != NotRecorded);
    told.map(|finding| (finding.certainty, finding.property, finding.fault)).collect()
}

const CONVERSATION: &str = "api_conversation_history.json";
const WINDOW: &str = "ui_messages.json";
const ITEM: &str = "history_item.json";

/// A fault in one folder: the name, the folder, how it is planted, and everything that is found then.
type Planted = (&'static str, &'static str, fn(&Copy), &'static [(Certainty, Property, Fault)]);

/// What the double continuation of the version with a parent in memory leaves: the parent's own loop and the end of
/// the subtask have both sent, and both have saved what they got.
fn continue_twice(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let turns = list(value);
        turns.insert(3, turn(180, "user", &json!([{"type": "text", "text": "<environment_details>\n"}])));
        turns.insert(5, turn(187, "assistant", &json!("<list_files>\n<path>.</path>\n</list_files>")));
    });
    copy.edit(WINDOW, |value| list(value).insert(4, request(180)));
}

/// The same, of which the window shows one request.
fn continue_twice_unseen(copy: &Copy) {
    continue_twice(copy);
    copy.edit(WINDOW, |value| drop(list(value).remove(4)));
}

fn continue_twice_untimed(copy: &Copy) {
    continue_twice(copy);
    copy.edit(CONVERSATION, |value| {
        for turn in list(value) {
            turn.as_object_mut().expect("a message").remove("ts");
        }
    });
}

/// A request of which the window shows nothing but its beginning.
fn request_without_response(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value).insert(6, request(7)));
}

fn repeat_message(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let again = list(value)[2].clone();
        list(value).insert(3, again);
    });
}

fn forget_response(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value).remove(2)));
}

fn repeat_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let again = list(value)[2]["content"][0].clone();
        list(value)[4]["content"].as_array_mut().expect("parts").push(again);
    });
}

fn answer_nobody(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let orphan = json!({"type": "tool_result", "tool_use_id": "call-9", "content": "done"});
        list(value)[4]["content"].as_array_mut().expect("parts").push(orphan);
    });
}

fn answer_late(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let late = list(value)[2]["content"].as_array_mut().expect("parts").remove(0);
        list(value)[4]["content"].as_array_mut().expect("parts").push(late);
    });
}

fn forget_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value)[2]["content"].as_array_mut().expect("parts").remove(0)));
}

/// The task was opened again after the call, and the version that did it made up no result.
fn forget_interrupted_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value)[2]["content"].as_array_mut().expect("parts").remove(0)));
}

fn forget_answer_of_person(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        list(value).push(turn(200, "user", &json!("Add another one, for the lexer this time")));
        list(value).push(turn(210, "assistant", &json!("Yes.")));
    });
    copy.edit(WINDOW, |value| {
        list(value).push(say(199, "user_feedback", "Add another one, for the lexer this time"));
        list(value).push(request(200));
        list(value).push(say(210, "text", "Yes."));
    });
}

fn forget_message(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        list(value)[4]["content"][0]["content"] = json!("{\"status\":\"denied\"}");
    });
}

fn forget_message_before_reopening(copy: &Copy) {
    forget_message(copy);
    copy.edit(WINDOW, |value| list(value).insert(8, ask(95, "resume_task")));
    copy.edit(WINDOW, |value| list(value)[9]["ts"] = json!(ts(96)));
}

/// The last thing that happened is that a person typed.
fn type_last(copy: &Copy) {
    copy.edit(WINDOW, |value| {
        list(value).push(say(400, "user_feedback", "Now write one for the lexer as well"));
    });
}

fn forget_message_without_moments(copy: &Copy) {
    copy.edit(CONVERSATION, |value| list(value)[4]["content"] = json!([{"type": "text", "text": "Go on."}]));
}

fn give_result_twice(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let again = list(value)[2].clone();
        list(value).insert(3, again);
    });
}

fn show_result_twice(copy: &Copy) {
    copy.edit(WINDOW, |value| {
        let again = list(value)[3].clone();
        list(value).insert(4, again);
    });
}

fn show_second_result(copy: &Copy) {
    copy.edit(WINDOW, |value| {
        list(value).insert(4, say(180, "subtask_result", "Ten pictures are compressed."));
    });
}

fn forget_subtask_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value).remove(2)));
}

/// The parent got the result and did nothing with it for two days, until somebody opened it.
fn stall(copy: &Copy) {
    copy.edit(WINDOW, |value| {
        list(value)[4]["ts"] = json!(ts(180 + 172_800));
        list(value).insert(4, ask(170 + 172_800, "resume_task"));
        list(value).truncate(6);
    });
    copy.edit(CONVERSATION, |value| {
        list(value).truncate(4);
        list(value)[3]["ts"] = json!(ts(181 + 172_800));
    });
}

fn stall_for_ever(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value).truncate(4));
    copy.edit(CONVERSATION, |value| list(value).truncate(3));
}

/// The person gave up waiting for the subtask.
fn go_on_without_result(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value)[3] = ask(150, "resume_task"));
    copy.edit(CONVERSATION, |value| drop(list(value).remove(2)));
}

fn go_on_after_end(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value).extend([request(118), say(120, "text", "And another thing.")]));
}

#[rustfmt::skip]
const PLANTED: &[Planted] = &[
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
    }, &[]),
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
    ("a message twice", "text/0199-child", repeat_message, &[(Suspicious, Property::S2, RepeatedContent)]),
    ("no response between", "cline/tasks/1757845351000", |copy| {
        copy.edit(CONVERSATION, |value| drop(list(value).remove(3)));
    }, &[(Suspicious, Property::S2, OutOfAlternation)]),
    ("no message between", "cline/tasks/1757845351000", forget_response, &[(Suspicious, Property::S1, DoubleContinuation)]),
    ("a result twice", "native/0199-native", repeat_result, &[(Proven, Property::S8, RepeatedResult)]),
    ("a result of no call", "native/0199-native", answer_nobody, &[(Proven, Property::S8, OrphanResult)]),
    ("a result of no call, where messages are gone", "cut/0199-cut", answer_nobody, &[(CannotTell, Property::S8, OrphanResult)]),
    ("a call that an earlier summary repeats, and its result", "cut/0199-cut", |copy| copy.edit(CONVERSATION, |value| {
        list(value)[1]["content"] = json!([{"type": "tool_use", "id": "call-1", "name": "read_file", "input": {}}]);
        list(value)[2]["content"] = json!([{"type": "tool_result", "tool_use_id": "call-1", "content": "mod b;"}]);
    }), &[]),
    ("a result of no call, where messages may be gone unseen", "native/0199-native", |copy| {
        copy.edit(CONVERSATION, |value| drop(list(value).drain(1..2)));
    }, &[(CannotTell, Property::S8, OrphanResult), (CannotTell, Property::S8, OrphanResult), (Suspicious, Property::S2, OutOfAlternation)]),
    ("a result of no call, where the window says that messages are gone", "truncated/0199-truncated", |copy| {
        copy.edit(CONVERSATION, |value| {
            list(value).drain(1..4);
            list(value)[2]["content"][0]["tool_use_id"] = json!("call-9");
            list(value)[1]["content"] = json!("I read on.");
        });
    }, &[(CannotTell, Property::S8, OrphanResult)]),
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
    }, &[]),
    ("a message that is lost after a summary", "cut/0199-cut", |copy| copy.edit(WINDOW, |value| {
        list(value).insert(8, say(78, "user_feedback", "Do not forget the documentation"));
    }), &[(Proven, Property::S5, LostMessage)]),
    ("a message that is still to be sent", "native/0199-native", type_last, &[(CannotTell, Property::S5, LostMessage)]),
    ("a message that is lost, without moments", "cline/tasks/1757845351000", forget_message_without_moments, &[(Suspicious, Property::S5, LostMessage)]),
    ("a subtask's result given twice, as a text", "text/0199-parent", give_result_twice, &[(Proven, Property::S3, RepeatedSubtaskResult)]),
    ("a subtask's result given twice, by name", "delegation/tasks/0199-p", |copy| {
        copy.edit(CONVERSATION, |value| {
            let again = json!([{"type": "text", "text": list(value)[3]["content"][0]["content"]}]);
            list(value).push(turn(309, "user", &again));
        });
    }, &[(Proven, Property::S3, RepeatedSubtaskResult)]),
    ("two subtasks with the same result", "text/0199-parent", |copy| {
        copy.edit(CONVERSATION, |value| {
            let again: Vec<Value> = list(value)[1..4].to_vec();
            list(value).splice(4..4, again);
        });
        copy.edit(WINDOW, |value| {
            let again: Vec<Value> = list(value)[2..5].to_vec();
            list(value).splice(5..5, again);
        });
    }, &[]),
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
    }, &[]),
    ("a parent that a person continued", "text/0199-parent", stall, &[(Suspicious, Property::L1, StalledParent)]),
    ("a parent that stopped", "text/0199-parent", stall_for_ever, &[(Suspicious, Property::L1, StalledParent)]),
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

fn sorted(mut shown: Vec<(Certainty, Property, Fault)>) -> Vec<(Certainty, Property, Fault)> {
    shown.sort();
    shown
}

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

/// A fault in a storage: the name, how it is planted into the one with delegation, and what is found then.
type PlantedAmong = (&'static str, fn(&Copy), &'static [(Certainty, Property, Fault)]);

const PARENT: &str = "tasks/0199-p";
const CHILD: &str = "tasks/0199-c";

fn forget_to_resume(copy: &Copy) {
    copy.edit(&format!("{PARENT}/{CONVERSATION}"), |value| list(value).truncate(3));
    copy.edit(&format!("{PARENT}/{WINDOW}"), |value| list(value).truncate(4));
    copy.edit(&format!("{PARENT}/{ITEM}"), |value| {
        let item = value.as_object_mut().expect("an item");
        item.insert("status".into(), "delegated".into());
        item.insert("awaitingChildId".into(), "0199-c".into());
        item.remove("completedByChildId");
    });
}

/// A third task, which did something later.
fn do_something_later(copy: &Copy) {
    let folder = copy.path().join("tasks/0199-z");
    std::fs::create_dir(&folder).expect("a folder");
    let entries = json!([say(9000, "text", "Another task"), request(9000), say(9001, "text", "Yes.")]);
    std::fs::write(folder.join(WINDOW), entries.to_string()).expect("written");
}

fn deliver_to_nobody(copy: &Copy, end: &str) {
    copy.edit(&format!("{PARENT}/{CONVERSATION}"), |value| {
        list(value)[3]["content"][0]["content"] = json!("The user continued without the result.");
    });
    copy.edit(&format!("{PARENT}/{WINDOW}"), |value| drop(list(value).remove(4)));
    copy.edit(&format!("{PARENT}/{ITEM}"), |value| value["completedByChildId"] = Value::Null);
    copy.edit(&format!("{CHILD}/{ITEM}"), |value| value["status"] = json!("active"));
    copy.edit(&format!("{CHILD}/{WINDOW}"), |value| {
        let last = list(value).pop().expect("a question");
        list(value).push(if end == "tool" { last } else { ask(299, end) });
    });
}

#[rustfmt::skip]
const PLANTED_AMONG: &[PlantedAmong] = &[
    ("a parent that waits for what has just ended", forget_to_resume, &[(Suspicious, Property::S9, AwaitsEnded)]),
    ("a parent that waits for what has long ended", |copy| {
        forget_to_resume(copy);
        do_something_later(copy);
    }, &[(Proven, Property::S9, AwaitsEnded)]),
    ("a parent that waits for what is gone", |copy| {
        forget_to_resume(copy);
        std::fs::remove_dir_all(copy.path().join(CHILD)).expect("a folder");
    }, &[(Suspicious, Property::S9, AwaitsEnded)]),
    ("a subtask that ended as a task without a parent", |copy| deliver_to_nobody(copy, "completion_result"), &[(Suspicious, Property::S3, LostSubtaskResult)]),
    ("a subtask that went on after its result", |copy| {
        deliver_to_nobody(copy, "completion_result");
        copy.edit(&format!("{CHILD}/{WINDOW}"), |value| {
            list(value).extend([say(400, "user_feedback", "Go on."), request(401), say(410, "text", "Yes.")]);
        });
    }, &[]),
    ("a subtask whose end nobody may have approved of", |copy| deliver_to_nobody(copy, "tool"), &[(CannotTell, Property::S3, LostSubtaskResult)]),
    ("a subtask that ended, and a parent that was not told", |copy| {
        deliver_to_nobody(copy, "tool");
        copy.edit(&format!("{CHILD}/{ITEM}"), |value| value["status"] = json!("completed"));
    }, &[(Suspicious, Property::S3, LostSubtaskResult)]),
    ("the result of somebody else's subtask", |copy| {
        copy.edit(&format!("{CHILD}/{ITEM}"), |value| value["parentTaskId"] = json!("0199-q"));
    }, &[(Proven, Property::S3, WrongParent), (Proven, Property::S3, WrongParent)]),
    ("a subtask that is waited for and cannot be read", |copy| {
        forget_to_resume(copy);
        std::fs::write(copy.path().join(CHILD).join(WINDOW), "[").expect("written");
    }, &[(CannotTell, Property::S9, AwaitsEnded)]),
    ("the words of somebody else's subtask", |copy| {
        copy.edit(&format!("{CHILD}/{ITEM}"), |value| value["parentTaskId"] = json!("0199-q"));
        copy.edit(&format!("{PARENT}/{ITEM}"), |value| value["completedByChildId"] = Value::Null);
        copy.edit(&format!("{PARENT}/{CONVERSATION}"), |value| {
            list(value)[3]["content"][0]["content"] = json!("Two links were dead, both are removed.");
        });
    }, &[(Suspicious, Property::S3, WrongParent)]),
    ("the result of another subtask than the last", |copy| {
        copy.edit(&format!("{PARENT}/{ITEM}"), |value| value["delegatedToId"] = json!("0199-d"));
    }, &[(Suspicious, Property::S3, WrongParent)]),
];

#[test]
fn faults_that_are_planted_among_relatives_are_found_and_nothing_else() {
    for (name, plant, expected) in PLANTED_AMONG {
        let copy = Copy::of("delegation");
        plant(&copy);
        let storage = examine_storage(copy.path()).expect("a storage");
        let found: Vec<_> = storage.examined().flat_map(shown).collect();
        assert_eq!(sorted(found), sorted(expected.to_vec()), "{name}\n{}", summary(&storage));
    }
}

/// A finding that no test plants would be one that nobody has seen.
#[test]
fn every_kind_of_finding_is_planted() {
    let kinds = PLANTED.iter().flat_map(|(.., expected)| *expected);
    let among = PLANTED_AMONG.iter().flat_map(|(.., expected)| *expected);
    let planted: BTreeSet<Fault> = kinds.chain(among).map(|(.., fault)| *fault).collect();
    let elsewhere = [
        // The folder `interrupted` has it, as a repair of the program.
        FilledResult, // Whatever is not there.
        NotRecorded,
    ];
    let all: BTreeSet<Fault> = [
        DoubleContinuation,
        RequestsTogether,
        OutOfAlternation,
        RepeatedContent,
        OrphanResult,
        MissingResult,
        RepeatedResult,
        FilledResult,
        RepeatedSubtaskResult,
        LostSubtaskResult,
        WrongParent,
        StalledParent,
        AwaitsEnded,
        WentOnAfterEnd,
        LostMessage,
        NotRecorded,
    ]
    .into();
    assert_eq!(planted.into_iter().chain(elsewhere).collect::<BTreeSet<_>>(), all);
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

/// The subtask ended without a word to its parent, and a day later a person went to the parent.
#[test]
fn summary_says_how_long_a_parent_waited_for_a_person() {
    let copy = Copy::of("delegation");
    deliver_to_nobody(&copy, "completion_result");
    copy.edit(&format!("{PARENT}/{CONVERSATION}"), |value| {
        list(value)[3]["ts"] = json!(ts(86_700));
        list(value)[4]["ts"] = json!(ts(86_708));
    });
    copy.edit(&format!("{PARENT}/{WINDOW}"), |value| {
        list(value).truncate(4);
        list(value).extend([ask(86_690, "resume_task"), request(86_700), say(86_707, "text", "I go on.")]);
    });
    insta::assert_snapshot!(summary(&examine_storage(copy.path()).expect("a storage")));
}

#[test]
fn summary_of_a_storage_with_faults_names_them() {
    let copy = Copy::of("delegation");
    forget_to_resume(&copy);
    do_something_later(&copy);
    std::fs::write(copy.path().join(CHILD).join(CONVERSATION), "[{\"role\":").expect("written");
    copy.edit("tasks/_index.json", |value| *value = json!("nothing"));
    insta::assert_snapshot!(summary(&examine_storage(copy.path()).expect("a storage")));
}
