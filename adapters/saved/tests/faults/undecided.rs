//! What the files cannot tell, and the reasons that are said.

use crate::planted::Copy;
use crate::{CONVERSATION, ITEM, list, say, ts, turn};
use downbeat_saved::Fault::NotRecorded;
use downbeat_saved::bounds::{RELATIVES_MAX, SOUGHT_MAX};
use downbeat_saved::{Certainty, Counts, Examined, Files, Property, examine, examine_bytes};
use serde_json::{Value, json};

/// What is not looked into is named, and why.
#[test]
fn what_was_not_decided_about_results_is_said_with_the_reason() {
    let call = |id: Value| json!([{"type": "tool_use", "name": "read_file", "id": id}]);
    let result = |id: Value| json!([{"type": "tool_result", "tool_use_id": id, "content": "x"}]);
    let of = |made: Value, given: Value| {
        json!([
            turn(0, "user", &json!("Go.")),
            turn(1, "assistant", &made),
            turn(2, "user", &given),
            turn(3, "assistant", &json!("Done."))
        ])
    };
    let unread = "messages have something of a form that is not known here, which may be a call or a result";
    #[rustfmt::skip]
    let cases = [
        ("with ids", of(call(json!("a")), result(json!("a"))), vec![]),
        ("no calls", of(json!("Hm."), json!("Go on.")), vec![]),
        ("no messages", json!([]), vec!["the conversation has no messages"]),
        ("in text", of(json!("<read_file>"), json!("[read_file for 'a'] Result:\nx")), vec!["calls of tools are texts, and have no ids"]),
        ("without ids", of(call(Value::Null), result(Value::Null)), vec!["calls have no ids", "results name no call"]),
        ("with empty ids", of(call(json!("")), result(json!(""))), vec!["calls have no ids", "results name no call"]),
        ("with numbers", of(call(json!(7)), result(json!(7))), vec!["calls have no ids", "results name no call"]),
        ("of OpenAI's interface", json!([
            {"role": "user", "content": "Go."},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "a", "function": {"name": "read_file"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "x"},
        ]), vec![unread]),
    ];
    for (name, conversation, expected) in cases {
        let bytes = conversation.to_string();
        let files = Files { conversation: Some(bytes.as_bytes()), window: Some(b"[]"), item: None };
        let examined = examine_bytes("task", &files).expect("JSON of the right shape");
        let told =
            examined.findings.iter().filter(|it| it.property == Property::S8 && it.fault == NotRecorded);
        let told: Vec<&str> = told.map(|it| it.says.as_str()).collect();
        let expected: Vec<_> =
            expected.iter().map(|why| format!("S8 was not decided, because {why}.")).collect();
        assert_eq!(told, expected, "{name}");
    }
}

/// What is said of S5 and S4 that was not decided.
fn not_sought(examined: &Examined) -> Vec<&str> {
    let told = examined
        .findings
        .iter()
        .filter(|it| it.fault == NotRecorded && matches!(it.property, Property::S4 | Property::S5));
    told.map(|it| it.says.as_str()).collect()
}

/// Each is in the conversation, so that nothing else is said of it.
#[test]
fn what_is_not_looked_for_is_counted() {
    for (kind, words) in [
        (
            "user_feedback",
            "S5 was not decided for 1 of the messages of a person: no more than 10000 are looked for.",
        ),
        (
            "subtask_result",
            "S4 was not decided for 1 of the results of subtasks: no more than 10000 are looked for.",
        ),
    ] {
        let told = |count: usize| {
            let text = "twelve letters and more";
            // Each result is of a subtask that was asked for.
            let asked = json!({"ts": ts(5), "type": "ask", "ask": "tool", "text": "{\"tool\":\"newTask\"}"});
            let entries: Vec<_> = (0..count).flat_map(|_| [asked.clone(), say(5, kind, text)]).collect();
            let conversation = json!([
                turn(0, "user", &json!("Go.")),
                turn(1, "assistant", &json!("Yes.")),
                turn(9, "user", &json!(text)),
            ]);
            let (conversation, window) = (conversation.to_string(), Value::from(entries).to_string());
            let files = Files {
                conversation: Some(conversation.as_bytes()),
                window: Some(window.as_bytes()),
                item: None,
            };
            let examined = examine_bytes("task", &files).expect("JSON of the right shape");
            assert!(
                !examined.findings.iter().any(|it| it.property == Property::S5 && it.fault != NotRecorded)
            );
            not_sought(&examined).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(told(SOUGHT_MAX), [""; 0]);
        assert_eq!(told(SOUGHT_MAX + 1), [words]);
    }
}

#[test]
fn relatives_that_are_not_looked_for_are_counted() {
    let told = |count: usize| {
        let copy = Copy::of("delegation");
        let children: Vec<String> = (0..count).map(|number| format!("0199-{number}")).collect();
        copy.edit(&format!("tasks/0199-c/{ITEM}"), |value| value["childIds"] = json!(children));
        let examined = examine(&copy.path().join("tasks/0199-c")).expect("a folder");
        let told = examined.findings.into_iter().filter(|it| it.fault == NotRecorded).map(|it| it.says);
        told.collect::<Vec<_>>()
    };
    // The parent is one of them.
    assert_eq!(
        told(RELATIVES_MAX - 1),
        [
            "S3 and S9 were not decided for the relatives that are not beside this folder: looked for ../0199-0 and 98 more."
        ]
    );
    assert_eq!(
        told(RELATIVES_MAX)[1],
        "S3 and S9 were not decided for 1 of the relatives: no more than 100 are looked for."
    );
}

/// Of more findings than are told none is forgotten in the counts, and the most certain stay.
#[test]
fn a_storage_with_more_findings_than_are_told_counts_them_all() {
    let copy = Copy::of("delegation/tasks/0199-p");
    copy.edit(CONVERSATION, |value| {
        let orphans = (0..5000)
            .map(|id| json!({"type": "tool_result", "tool_use_id": format!("o-{id}"), "content": ""}));
        list(&mut list(value)[3]["content"]).extend(orphans);
    });
    let examined = examine(copy.path()).expect("a folder");
    assert_eq!(examined.counts, Counts { proven: 5000, suspicious: 0, cannot_tell: 1 });
    assert_eq!(examined.findings_left_off, 4501);
    assert!(examined.findings.iter().all(|it| it.certainty == Certainty::Proven));
}
