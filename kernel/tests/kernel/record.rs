//! Every record that was ever written is read as the event that it was.

use crate::record_beside::{
    events_of_credential, events_of_notification, events_of_pool, events_of_question, events_of_retry,
};
use crate::record_tree::{events_of_v1, events_of_v2, events_of_v3};
use downbeat_kernel::{
    CredentialEvent, CredentialRecord, Event, NotificationEvent, NotificationRecord, PoolEvent, PoolRecord,
    QuestionEvent, QuestionRecord, Record, RetryEvent, RetryRecord,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// What the records of all machines have in common, and the examples of each of their versions: the file, and what it says.
trait Journaled: From<Self::Event> + Into<Self::Event> + Serialize + DeserializeOwned + Debug {
    type Event: PartialEq + Debug;
    const NAME: &str;
    const NEWEST: u32;

    fn version(&self) -> u32;
    fn examples() -> Vec<(&'static str, Vec<Self::Event>)>;
}

macro_rules! journaled {
    ($record:ident of $event:ident: $($file:literal says $events:ident,)*) => {
        impl Journaled for $record {
            type Event = $event;
            const NAME: &str = stringify!($record);
            const NEWEST: u32 = $record::NEWEST;

            fn version(&self) -> u32 {
                $record::version(self)
            }

            fn examples() -> Vec<(&'static str, Vec<$event>)> {
                vec![$((include_str!(concat!("../records/", $file)), $events()),)*]
            }
        }
    };
}

journaled! { Record of Event: "v1.jsonl" says events_of_v1, "v2.jsonl" says events_of_v2, "v3.jsonl" says events_of_v3, }
journaled! { CredentialRecord of CredentialEvent: "credential-v1.jsonl" says events_of_credential, }
journaled! { PoolRecord of PoolEvent: "pool-v1.jsonl" says events_of_pool, }
journaled! { QuestionRecord of QuestionEvent: "question-v1.jsonl" says events_of_question, }
journaled! { NotificationRecord of NotificationEvent: "notification-v1.jsonl" says events_of_notification, }
journaled! { RetryRecord of RetryEvent: "retry-v1.jsonl" says events_of_retry, }

/// The check of one kind of record, over all of them.
macro_rules! of_all_records {
    ($check:ident) => {
        $check::<Record>();
        $check::<CredentialRecord>();
        $check::<PoolRecord>();
        $check::<QuestionRecord>();
        $check::<NotificationRecord>();
        $check::<RetryRecord>();
    };
}

/// These files are never changed: what they hold is on somebody's disk.
#[test]
fn records_of_every_version_are_read_for_ever() {
    fn check<R: Journaled>() {
        let examples = R::examples();
        assert_eq!(examples.len(), R::NEWEST as usize, "{}: a version without examples", R::NAME);
        for (version, (lines, events)) in (1..).zip(examples) {
            let name = format!("{} V{version}", R::NAME);
            assert_eq!(lines.lines().count(), events.len(), "{name}");
            for (line, event) in lines.lines().zip(events) {
                let record: R =
                    serde_json::from_str(line).unwrap_or_else(|error| panic!("{name} {line}: {error}"));
                assert_eq!(record.version(), version, "{name} {line}");
                assert_eq!(record.into(), event, "{name} {line}");
            }
        }
    }
    of_all_records!(check);
}

#[test]
fn newest_version_is_written_as_its_examples_are() {
    fn check<R: Journaled>() {
        let (newest, events) = R::examples().pop().expect("a version");
        let written: Vec<_> = events
            .into_iter()
            .map(|event| serde_json::to_string(&R::from(event)).expect("a record"))
            .collect();
        assert_eq!(written, newest.lines().collect::<Vec<_>>(), "{}", R::NAME);
    }
    of_all_records!(check);
}

/// A word without an example could be lost without anybody noticing.
///
/// What words there are, the reader says: each word of an example is replaced by one that there is not, and the error lists
/// those that could stand in its place. So a word of one enum is no example of the same word of another.
#[test]
fn examples_have_every_word_of_their_version() {
    fn check<R: Journaled>() {
        for (version, (lines, _)) in (1..).zip(R::examples()) {
            let mut places = BTreeMap::<Vec<String>, BTreeSet<String>>::new();
            for line in lines.lines() {
                let example: Value = serde_json::from_str(line).expect("JSON");
                for (word, damaged) in without_one_word(&example) {
                    let error = serde_json::from_value::<R>(damaged).expect_err(line).to_string();
                    if let Some(words) = error.strip_prefix("unknown variant `?`, ") {
                        let words = words.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                        places.entry(words).or_default().insert(word);
                    }
                }
            }
            places.retain(|words, _| !words.contains(&"V1".to_owned()));
            assert!(!places.is_empty(), "{} says no words", R::NAME);
            for (words, seen) in places {
                let missing: Vec<_> = words.iter().filter(|word| !seen.contains(*word)).collect();
                assert_eq!(
                    missing,
                    Vec::<&String>::new(),
                    "no example in {} V{version} of {words:?}",
                    R::NAME
                );
            }
        }
    }
    of_all_records!(check);
}

/// Each way to put "?" in the place of one string or one lone key, with what stood there.
fn without_one_word(value: &Value) -> Vec<(String, Value)> {
    let mut ways = Vec::new();
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(word) => ways.push((word.clone(), Value::from("?"))),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                ways.extend(without_one_word(item).into_iter().map(|(word, damaged)| {
                    let mut items = items.clone();
                    items[place] = damaged;
                    (word, Value::Array(items))
                }));
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                ways.extend(without_one_word(field).into_iter().map(|(word, damaged)| {
                    let mut fields = fields.clone();
                    fields[key] = damaged;
                    (word, Value::Object(fields))
                }));
            }
            if let (1, Some((key, field))) = (fields.len(), fields.iter().next()) {
                ways.push((key.clone(), serde_json::json!({ "?": field })));
            }
        }
    }
    ways
}

#[test]
fn what_no_version_says_is_an_error_that_names_it() {
    #[rustfmt::skip]
    let cases = [
        (r#"{"V0":{"Admitted":{"task":7}}}"#,            "unknown variant `V0`, expected one of `V1`, `V2`, `V3`"),
        (r#"{"V4":{"Admitted":{"task":7}}}"#,            "unknown variant `V4`, expected one of `V1`, `V2`, `V3`"),
        (r#"{"V3":{"TaskSubmitted":{"task":7}}}"#,       "missing field `budget`"),
        (r#"{"V1":{"Admited":{"task":7}}}"#,             "unknown variant `Admited`"),
        (r#"{"V1":{"Admitted":{"task":7,"at":1}}}"#,     "unknown field `at`, expected `task`"),
        (r#"{"V1":{"Admitted":{}}}"#,                    "missing field `task`"),
        (r#"{"V1":{"Admitted":{"task":-1}}}"#,           "invalid value: integer `-1`, expected u64"),
        (r#"{"V1":{"Admitted":{"task":7}}} {}"#,         "trailing characters"),
        (r#"{"V1":{"Admitted":{"task":7}}"#,             "EOF while parsing"),
        ("",                                             "EOF while parsing"),
    ];
    for (line, expected) in cases {
        let error = serde_json::from_str::<Record>(line).expect_err(line).to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
}

/// One journal has the records of all machines: none is taken for one of another whose words differ.
#[test]
fn record_of_a_machine_is_none_of_another() {
    #[rustfmt::skip]
    let cases = [
        (serde_json::from_str::<PoolRecord>(r#"{"V2":{"Gone":{"agent":1}}}"#).err(),       "unknown variant `V2`, expected `V1`"),
        (serde_json::from_str::<PoolRecord>(r#"{"V1":{"Admitted":{"task":7}}}"#).err(),    "unknown variant `Admitted`"),
        (serde_json::from_str::<QuestionRecord>(r#"{"V1":{"Gone":{"agent":1}}}"#).err(),   "unknown variant `Gone`"),
        (serde_json::from_str::<RetryRecord>(r#"{"V1":{"Asked":{"question":1}}}"#).err(),  "unknown variant `Asked`"),
        (serde_json::from_str::<NotificationRecord>(r#"{"V1":"Submitted"}"#).err(),        "unknown variant `Submitted`"),
        (serde_json::from_str::<CredentialRecord>(r#"{"V1":{"Elapsed":{"timer":1}}}"#).err(), "unknown field `timer`, expected `order`"),
    ];
    for (error, expected) in cases {
        let error = error.expect(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}
