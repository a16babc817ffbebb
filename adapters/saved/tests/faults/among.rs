//! Faults that tasks show of each other.

use crate::planted::Copy;
use crate::{CONVERSATION, ITEM, WINDOW, ask, list, request, say, shown, sorted, ts};
use downbeat_saved::Certainty::{self, CannotTell, Proven, Suspicious};
use downbeat_saved::Fault::{self, *};
use downbeat_saved::{Property, examine, examine_storage, summary, text};
use serde_json::{Value, json};

/// A fault in a storage: the name, how it is planted into the one with delegation, and what is found then.
type Planted = (&'static str, fn(&Copy), &'static [(Certainty, Property, Fault)]);

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
pub(crate) const PLANTED: &[Planted] = &[
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
        for file in [WINDOW, CONVERSATION] {
            std::fs::write(copy.path().join(CHILD).join(file), "[").expect("written");
        }
    }, &[(CannotTell, Property::S9, AwaitsEnded)]),
    ("a subtask that is waited for, whose window cannot be read and whose item says that it has ended", |copy| {
        forget_to_resume(copy);
        std::fs::write(copy.path().join(CHILD).join(WINDOW), "[").expect("written");
    }, &[(Suspicious, Property::S9, AwaitsEnded)]),
    ("a subtask that is waited for, whose window cannot be read and whose item says that it runs", |copy| {
        forget_to_resume(copy);
        std::fs::write(copy.path().join(CHILD).join(WINDOW), "[").expect("written");
        copy.edit(&format!("{CHILD}/{ITEM}"), |value| value["status"] = json!("active"));
    }, &[]),
    ("a subtask that is waited for, and went on after its end", |copy| {
        forget_to_resume(copy);
        copy.edit(&format!("{CHILD}/{WINDOW}"), |value| list(value).push(say(400, "user_feedback", "Go on.")));
    }, &[(CannotTell, Property::S9, AwaitsEnded)]),
    ("a subtask that is waited for and was only about to begin", |copy| {
        forget_to_resume(copy);
        for file in [WINDOW, CONVERSATION] {
            std::fs::remove_file(copy.path().join(CHILD).join(file)).expect("a file");
        }
        copy.edit(&format!("{CHILD}/{ITEM}"), |value| value["status"] = json!("active"));
    }, &[]),
    ("a parent without a folder, which waits for what has long ended", |copy| {
        do_something_later(copy);
        std::fs::remove_dir_all(copy.path().join(PARENT)).expect("a folder");
        copy.edit("tasks/_index.json", |value| {
            value["entries"][0]["status"] = json!("delegated");
            value["entries"][0]["awaitingChildId"] = json!("0199-c");
        });
    }, &[(Proven, Property::S9, AwaitsEnded)]),
    ("a parent without a folder, which waits for nobody", |copy| {
        do_something_later(copy);
        std::fs::remove_dir_all(copy.path().join(PARENT)).expect("a folder");
        copy.edit("tasks/_index.json", |value| value["entries"][0]["status"] = json!("completed"));
    }, &[]),
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
    for (name, plant, expected) in PLANTED {
        let copy = Copy::of("delegation");
        plant(&copy);
        let storage = examine_storage(copy.path()).expect("a storage");
        let found: Vec<_> = storage.examined().flat_map(shown).collect();
        assert_eq!(sorted(found), sorted(expected.to_vec()), "{name}\n{}", summary(&storage));
    }
}

/// Tasks without history items, as KiloCode kept them in September 2025: the subtask ended as a task without a parent,
/// and its parent waits for ever.
fn orphan(copy: &Copy) {
    copy.edit(&format!("0199-parent/{WINDOW}"), |value| list(value).truncate(3));
    copy.edit(&format!("0199-parent/{CONVERSATION}"), |value| list(value).truncate(2));
    copy.edit(&format!("0199-child/{WINDOW}"), |value| list(value)[5] = ask(170, "completion_result"));
}

#[test]
fn subtasks_without_items_are_paired_by_the_words_that_they_began_with() {
    #[rustfmt::skip]
    let cases: [Planted; 5] = [
        ("sound", |_| {}, &[]),
        ("the subtask ended as a task without a parent", orphan, &[
            (Suspicious, Property::L1, StalledParent), (Suspicious, Property::S3, LostSubtaskResult),
        ]),
        ("it still runs", |copy| {
            orphan(copy);
            copy.edit(&format!("0199-child/{WINDOW}"), |value| list(value).truncate(4));
        }, &[(Suspicious, Property::L1, StalledParent)]),
        ("it began with other words", |copy| {
            orphan(copy);
            copy.edit(&format!("0199-child/{WINDOW}"), |value| list(value)[0]["text"] = json!("Compress the films"));
        }, &[(Suspicious, Property::L1, StalledParent)]),
        ("it began before it was asked for", |copy| {
            orphan(copy);
            copy.edit(&format!("0199-child/{WINDOW}"), |value| list(value)[0]["ts"] = json!(ts(0)));
        }, &[(Suspicious, Property::L1, StalledParent)]),
    ];
    for (name, plant, expected) in cases {
        let copy = Copy::of("text");
        plant(&copy);
        let storage = examine_storage(copy.path()).expect("a storage");
        let found: Vec<_> = storage.examined().flat_map(shown).collect();
        assert_eq!(sorted(found), sorted(expected.to_vec()), "{name}\n{}", summary(&storage));
    }
}

/// The finding of a parent that is examined alone, or none.
fn alone(task: &str, plant: fn(&Copy)) -> Vec<String> {
    let copy = Copy::of("delegation");
    plant(&copy);
    let examined = examine(&copy.path().join(task)).expect("a folder");
    let told = examined.findings.iter();
    told.map(|it| format!("{} {:?} {}: {}", it.certainty.name(), it.property, it.place.file, it.says))
        .collect()
}

#[test]
fn a_task_that_is_examined_alone_is_compared_with_those_beside_it() {
    assert_eq!(alone(PARENT, |_| {}), [""; 0], "sound");
    assert_eq!(
        alone(PARENT, forget_to_resume),
        [
            "suspicious S9 history_item.json: The task waits for the subtask 0199-c, which ended at 2025-09-14 \
             10:27:29. Whether anything has happened since in tasks that it does not name was not looked at."
        ]
    );
    let told = alone(PARENT, |copy| {
        forget_to_resume(copy);
        std::fs::remove_dir_all(copy.path().join(CHILD)).expect("a folder");
    });
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("which is not beside its folder: looked for ../0199-c."), "{told:?}");
    let told = alone(PARENT, |copy| copy.edit("tasks/_index.json", |value| *value = json!("nothing")));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("because of a list of history items: _index.json: $ is a string"), "{told:?}");
    // An id that is a path names no folder beside it.
    let told = alone(PARENT, |copy| {
        forget_to_resume(copy);
        copy.edit(&format!("{PARENT}/{ITEM}"), |value| value["awaitingChildId"] = json!("../tasks/0199-c"));
    });
    assert!(told.iter().any(|says| says.contains("looked for ../../tasks/0199-c")), "{told:?}");
    // Nor does one that leads to a task elsewhere.
    let told = alone(PARENT, |copy| {
        forget_to_resume(copy);
        copy.edit(&format!("{PARENT}/{ITEM}"), |value| value["awaitingChildId"] = json!("../elsewhere"));
        copy.edit(&format!("{CHILD}/{ITEM}"), |value| value["id"] = json!("../elsewhere"));
        std::fs::rename(copy.path().join(CHILD), copy.path().join("elsewhere")).expect("renamed");
    });
    assert!(told.iter().any(|says| says.contains("looked for ../../elsewhere")), "{told:?}");
    // What its parent has with another subtask is not about it.
    let told = alone(CHILD, |copy| {
        copy.edit(&format!("{PARENT}/{ITEM}"), |value| {
            value["status"] = json!("delegated");
            value["awaitingChildId"] = json!("0199-d");
        });
    });
    assert_eq!(told, [""; 0]);
    let told = alone(CHILD, |copy| {
        copy.edit(&format!("{PARENT}/{ITEM}"), |value| value["delegatedToId"] = json!("0199-d"));
    });
    assert_eq!(
        told,
        [
            "suspicious S3 ../0199-p/history_item.json: The task last delegated to 0199-d and was resumed by the end \
             of 0199-c."
        ]
    );
    let told = alone(CHILD, |copy| {
        std::fs::remove_dir_all(copy.path().join(PARENT)).expect("a folder");
    });
    assert_eq!(
        told,
        [
            "cannot tell S3 history_item.json: S3 and S9 were not decided for the relatives that are not beside this \
             folder: looked for ../0199-p."
        ]
    );
}

#[test]
fn waits_that_have_not_ended_are_told_with_since_when() {
    let open = |plant: fn(&Copy)| {
        let copy = Copy::of("delegation");
        plant(&copy);
        let told = text(&examine(&copy.path().join(PARENT)).expect("a folder"));
        let open = told.lines().filter(|line| line.contains("still open")).map(|line| line.trim().to_owned());
        open.collect::<Vec<_>>()
    };
    assert_eq!(open(|_| {}), [""; 0], "sound");
    assert_eq!(
        open(forget_to_resume),
        ["still open for a subtask since 2025-09-14 10:22:37, ui_messages.json $[3]"]
    );
    let told = open(|copy| copy.edit(&format!("{PARENT}/{WINDOW}"), |value| list(value).truncate(5)));
    assert_eq!(told, ["still open for its next request since 2025-09-14 10:27:31, ui_messages.json $[4]"]);
    let told = open(|copy| {
        copy.edit(&format!("{PARENT}/{WINDOW}"), |value| list(value).extend([ask(400, "followup")]));
    });
    assert_eq!(told, ["still open for a person since 2025-09-14 10:29:11, ui_messages.json $[8]"]);
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
