//! How faults are planted into one folder.

use crate::planted::Copy;
use crate::{CONVERSATION, WINDOW, ask, list, request, say, ts, turn};
use serde_json::{Value, json};

/// What the double continuation of the version with a parent in memory leaves: the parent's own loop and the end of
/// the subtask have both sent, and both have saved what they got.
pub(crate) fn continue_twice(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let turns = list(value);
        turns.insert(3, turn(180, "user", &json!([{"type": "text", "text": "<environment_details>\n"}])));
        turns.insert(5, turn(187, "assistant", &json!("<list_files>\n<path>.</path>\n</list_files>")));
    });
    copy.edit(WINDOW, |value| list(value).insert(4, request(180)));
}

/// The same, of which the window shows one request.
pub(crate) fn continue_twice_unseen(copy: &Copy) {
    continue_twice(copy);
    copy.edit(WINDOW, |value| drop(list(value).remove(4)));
}

pub(crate) fn continue_twice_untimed(copy: &Copy) {
    continue_twice(copy);
    copy.edit(CONVERSATION, |value| {
        for turn in list(value) {
            turn.as_object_mut().expect("a message").remove("ts");
        }
    });
}

/// The double continuation as it mostly persists: each loop waits for its own tools, so their messages alternate as
/// those of one loop do. Both stop in the end, and every request has its response.
pub(crate) fn interleave(copy: &Copy) {
    let result = |tool: &str| json!([{"type": "text", "text": format!("[{tool}] Result:\nlines of {tool}")}]);
    copy.edit(CONVERSATION, |value| {
        let turns = [
            turn(183, "assistant", &json!("<read_file>\n<path>a.png</path>\n</read_file>")),
            turn(184, "user", &result("read_file for 'a.png'")),
            turn(185, "assistant", &json!("<list_files>\n<path>.</path>\n</list_files>")),
            turn(186, "user", &result("list_files for '.'")),
            turn(187, "assistant", &json!("<read_file>\n<path>b.png</path>\n</read_file>")),
            turn(187, "user", &result("read_file for 'b.png'")),
        ];
        list(value).splice(4..4, turns);
    });
    copy.edit(WINDOW, |value| {
        let entries = [
            say(182, "text", "I read one"),
            say(182, "tool", "{\"tool\": \"readFile\"}"),
            request(184),
            say(185, "tool", "{\"tool\": \"listFilesTopLevel\"}"),
            request(186),
            say(187, "tool", "{\"tool\": \"readFile\"}"),
        ];
        list(value).splice(5..5, entries);
        list(value).insert(4, request(180));
        list(value).insert(5, say(180, "text", "I list"));
    });
}

/// The same messages of one loop: each request begins when the response to the one before is saved.
pub(crate) fn go_on_alone(copy: &Copy) {
    interleave(copy);
    copy.edit(WINDOW, |value| drop(list(value).drain(4..6)));
    copy.edit(CONVERSATION, |value| list(value).truncate(9));
}

/// The model has called two tools, and was given what there was of their results; the provider refused it.
pub(crate) fn end_after_calls(copy: &Copy, turns: usize) {
    copy.edit(CONVERSATION, |value| list(value).truncate(turns));
    copy.edit(WINDOW, |value| list(value).truncate(6));
}

/// A call of a sound folder, as its message has it.
pub(crate) fn call(value: &mut Value) -> &mut Value {
    &mut list(value)[3]["content"][0]
}

/// The result of that call.
pub(crate) fn result_of(value: &mut Value) -> &mut Value {
    &mut list(value)[4]["content"][0]
}

/// Two subtasks are started by one message of the model.
pub(crate) fn start_two(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let one = list(value)[1]["content"][0]["text"].as_str().expect("a text").to_owned();
        list(value)[1]["content"][0]["text"] = json!(format!("{one}\n{one}"));
    });
    copy.edit(WINDOW, |value| {
        let again = list(value)[2].clone();
        list(value).insert(3, again);
    });
}

/// A request of which the window shows nothing but its beginning.
pub(crate) fn request_without_response(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value).insert(6, request(7)));
}

pub(crate) fn repeat_message(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let again = list(value)[2].clone();
        list(value).insert(3, again);
    });
}

pub(crate) fn forget_response(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value).remove(2)));
}

pub(crate) fn repeat_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let again = list(value)[2]["content"][0].clone();
        list(value)[4]["content"].as_array_mut().expect("parts").push(again);
    });
}

pub(crate) fn answer_nobody(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let orphan = json!({"type": "tool_result", "tool_use_id": "call-9", "content": "done"});
        list(value)[4]["content"].as_array_mut().expect("parts").push(orphan);
    });
}

pub(crate) fn answer_late(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let late = list(value)[2]["content"].as_array_mut().expect("parts").remove(0);
        list(value)[4]["content"].as_array_mut().expect("parts").push(late);
    });
}

pub(crate) fn forget_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value)[2]["content"].as_array_mut().expect("parts").remove(0)));
}

/// The task was opened again after the call, and the version that did it made up no result.
pub(crate) fn forget_interrupted_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value)[2]["content"].as_array_mut().expect("parts").remove(0)));
}

pub(crate) fn forget_answer_of_person(copy: &Copy) {
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

pub(crate) fn forget_message(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        list(value)[4]["content"][0]["content"] = json!("{\"status\":\"denied\"}");
    });
}

pub(crate) fn forget_message_before_reopening(copy: &Copy) {
    forget_message(copy);
    copy.edit(WINDOW, |value| list(value).insert(8, ask(95, "resume_task")));
    copy.edit(WINDOW, |value| list(value)[9]["ts"] = json!(ts(96)));
}

/// The last thing that happened is that a person typed.
pub(crate) fn type_last(copy: &Copy) {
    copy.edit(WINDOW, |value| {
        list(value).push(say(400, "user_feedback", "Now write one for the lexer as well"));
    });
}

pub(crate) fn forget_message_without_moments(copy: &Copy) {
    copy.edit(CONVERSATION, |value| list(value)[4]["content"] = json!([{"type": "text", "text": "Go on."}]));
}

pub(crate) fn give_result_twice(copy: &Copy) {
    copy.edit(CONVERSATION, |value| {
        let again = list(value)[2].clone();
        list(value).insert(3, again);
    });
}

pub(crate) fn show_result_twice(copy: &Copy) {
    copy.edit(WINDOW, |value| {
        let again = list(value)[3].clone();
        list(value).insert(4, again);
    });
}

pub(crate) fn show_second_result(copy: &Copy) {
    copy.edit(WINDOW, |value| {
        list(value).insert(4, say(180, "subtask_result", "Ten pictures are compressed."));
    });
}

pub(crate) fn forget_subtask_result(copy: &Copy) {
    copy.edit(CONVERSATION, |value| drop(list(value).remove(2)));
}

/// The parent got the result and did nothing with it for two days, until somebody opened it.
pub(crate) fn stall(copy: &Copy) {
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

pub(crate) fn stall_for_ever(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value).truncate(4));
    copy.edit(CONVERSATION, |value| list(value).truncate(3));
}

/// The person gave up waiting for the subtask.
pub(crate) fn go_on_without_result(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value)[3] = ask(150, "resume_task"));
    copy.edit(CONVERSATION, |value| drop(list(value).remove(2)));
}

pub(crate) fn go_on_after_end(copy: &Copy) {
    copy.edit(WINDOW, |value| list(value).extend([request(118), say(120, "text", "And another thing.")]));
}
