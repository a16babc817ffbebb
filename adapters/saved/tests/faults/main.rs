//! Each kind of finding, planted into a sound folder. What the sound folders themselves show is in `reports.rs`.

mod alone;
mod among;
mod loops;
#[path = "../planted/mod.rs"]
mod planted;
mod plants;
mod undecided;

use downbeat_saved::Certainty;
use downbeat_saved::Fault::{self, *};
use downbeat_saved::{Examined, Property};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A moment in the folders of the tests, in seconds from their beginning.
pub(crate) fn ts(second: i64) -> i64 {
    1_757_845_351_000 + second * 1000
}

pub(crate) fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().expect("a list of messages")
}

pub(crate) fn say(second: i64, kind: &str, text: &str) -> Value {
    json!({"ts": ts(second), "type": "say", "say": kind, "text": text})
}

pub(crate) fn ask(second: i64, kind: &str) -> Value {
    json!({"ts": ts(second), "type": "ask", "ask": kind})
}

pub(crate) fn request(second: i64) -> Value {
    say(second, "api_req_started", "{\"tokensIn\":1,\"cost\":0.01}")
}

pub(crate) fn turn(second: i64, role: &str, content: &Value) -> Value {
    json!({"ts": ts(second), "role": role, "content": content})
}

/// What a folder shows that its sound form does not, beside what no file can tell of either.
pub(crate) fn shown(examined: &Examined) -> Vec<(Certainty, Property, Fault)> {
    let told = examined.findings.iter().filter(|finding| finding.fault != NotRecorded);
    told.map(|finding| (finding.certainty, finding.property, finding.fault)).collect()
}

/// What happens in these messages happens an hour later.
pub(crate) fn later(messages: &mut [Value]) {
    for message in messages {
        message["ts"] = json!(message["ts"].as_i64().expect("a moment") + 3_600_000);
    }
}

pub(crate) const CONVERSATION: &str = "api_conversation_history.json";
pub(crate) const WINDOW: &str = "ui_messages.json";
pub(crate) const ITEM: &str = "history_item.json";

pub(crate) fn sorted(mut shown: Vec<(Certainty, Property, Fault)>) -> Vec<(Certainty, Property, Fault)> {
    shown.sort();
    shown
}

/// A finding that no test plants would be one that nobody has seen.
#[test]
fn every_kind_of_finding_is_planted() {
    let kinds = alone::PLANTED.iter().flat_map(|(.., expected)| *expected);
    let among = among::PLANTED.iter().flat_map(|(.., expected)| *expected);
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
