//! Whole journals, as the command shows them.

use crate::command::{Export, Format, PastArgs, is_exported, play_to};
use crate::exported;
use crate::follow::Follow;
use crate::settings::Settings;
use crate::testing::{HISTORY, args, folder, history, shell, shown, stored};
use crate::why::{Wait, Why, why};
use downbeat_kernel::{Budget, Effect, RequestEffect, SessionEffect, TaskId, WorkerEffect};
use downbeat_store::{ShardId, Sqlite, Store};
use downbeat_wiring::root_of;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

const SCHEMA: &str = include_str!("../../../docs/journal.schema.json");
const PAGE: &str = include_str!("../../../docs/replay.md");
const TREE: &str = include_str!("../tests/tree.jsonl");
const EXPORTED: &str = include_str!("../tests/exported.rs");

/// What a restart orders has to be what a task waits for, in every state that the history comes by; and since when is what looking at
/// every task after every line finds.
#[tokio::test]
async fn what_a_task_waits_for_is_what_is_outstanding_and_since_when_is_when_that_began() {
    let path = history("outstanding").await;
    let store = Sqlite::open_as_it_is(&path).await.expect("it is there");
    let settings = Settings::find(&store, args(&path).settings.as_deref()).await.expect("they are there");
    let mut follow = Follow::open(&store, ShardId(0), &settings.config, None).await.expect("it is there");
    let mut since = BTreeMap::<TaskId, Vec<(Wait, u64)>>::new();
    let mut kinds = BTreeSet::new();
    while let Some(line) = follow.next().await.expect("it is whole") {
        let (at, at_ms) = (line.at.0, line.entry.at_ms);
        follow.take(line).expect("it is taken");
        let kernel = follow.replay().kernel();
        for task in kernel.tasks().map(|task| task.id) {
            let Why::Waits(waits) = why(kernel, task) else {
                since.remove(&task);
                continue;
            };
            let mut effects = Vec::new();
            kernel.resync(&mut effects);
            let known = since.remove(&task).unwrap_or_default();
            let began =
                |wait: &Wait| known.iter().find(|(known, _)| known == wait).map_or(at_ms, |(_, ms)| *ms);
            let now: Vec<_> = waits.iter().map(|wait| (*wait, began(wait))).collect();
            for (wait, began_ms) in &now {
                let is_live = |child: TaskId| kernel.task(child).is_some_and(|it| it.state.end().is_none());
                assert!(is_backed(*wait, task, &effects, is_live), "line {at}, task {task:?}: {wait:?}");
                assert_eq!(
                    follow.since().of(task, *wait),
                    Some(*began_ms),
                    "line {at}, task {task:?}: {wait:?}"
                );
                kinds.insert(
                    format!("{wait:?}")
                        .chars()
                        .take_while(|letter| letter.is_alphanumeric())
                        .collect::<String>(),
                );
            }
            since.insert(task, now);
        }
    }
    insta::assert_snapshot!(kinds.into_iter().collect::<Vec<_>>().join(" "));
}

/// Whether there is an order, a live subtask or a person that brings what is waited for.
fn is_backed(wait: Wait, waiting: TaskId, effects: &[Effect], is_live: impl Fn(TaskId) -> bool) -> bool {
    let has = |is_it: &dyn Fn(&Effect) -> bool| effects.iter().any(is_it);
    let of_request = |is_it: &dyn Fn(RequestEffect) -> bool| {
        has(
            &|effect| matches!(effect, Effect::Request { task, effect, .. } if *task == waiting && is_it(*effect)),
        )
    };
    let of_worker = |is_it: &dyn Fn(WorkerEffect) -> bool| {
        has(&|effect| matches!(effect, Effect::Worker { task, effect } if *task == waiting && is_it(*effect)))
    };
    match wait {
        Wait::Place => has(&|effect| *effect == Effect::Enqueue { task: waiting }),
        Wait::Surroundings => has(&|effect| *effect == Effect::Initialize { task: waiting }),
        Wait::SurroundingsStop => has(&|effect| *effect == Effect::AbortInitialization { task: waiting }),
        Wait::Credential { attempt: next, .. } => of_request(
            &|effect| matches!(effect, RequestEffect::GetCredential { attempt, .. } if attempt == next),
        ),
        Wait::Response { attempt, .. } => of_request(&|effect| effect == RequestEffect::Recover { attempt }),
        Wait::Backoff { .. } => of_request(&|effect| matches!(effect, RequestEffect::Arm { .. })),
        Wait::SendStop { attempt, .. } => of_request(&|effect| effect == RequestEffect::Stop { attempt }),
        Wait::Tool(call) => has(&|effect| *effect == Effect::RunTool { call }),
        Wait::ToolStop(call) => has(&|effect| *effect == Effect::CancelTool { call }),
        Wait::Subtask(child) => is_live(child),
        Wait::Answer { question, about } => has(&|effect| *effect == Effect::Ask { question, about }),
        Wait::IteratorStart(iterator) => {
            of_worker(&|effect| effect == WorkerEffect::Session(SessionEffect::Start { iterator }))
        }
        Wait::IteratorStop(iterator) => {
            of_worker(&|effect| effect == WorkerEffect::Session(SessionEffect::Stop { iterator }))
        }
        Wait::Prompt { iterator, prompt } => {
            of_worker(&|effect| effect == WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt }))
        }
        Wait::Approval(approval) => of_worker(&|effect| effect == WorkerEffect::Ask { approval }),
        Wait::PromptBackoff(_) | Wait::Breaker | Wait::Work => {
            of_worker(&|effect| matches!(effect, WorkerEffect::Arm { .. }))
        }
        // A person does that unasked.
        Wait::Resume | Wait::ResumeOfParent(_) => true,
        Wait::Nothing => false,
    }
}

#[tokio::test]
async fn journal_is_shown_in_rows() {
    let path = history("rows").await;
    let (code, text, errors) = shown(&args(&path), Format::Text);
    assert_eq!((code, errors.as_str()), (0, ""));
    insta::assert_snapshot!(text);
    let (_, text, _) = shown(&PastArgs { is_quiet: true, ..args(&path) }, Format::Text);
    assert!(!text.contains("task 2"), "{text}");
}

#[tokio::test]
async fn task_is_shown_line_by_line_with_why_it_waits() {
    let path = history("story").await;
    let of = |task, has_tree| PastArgs { task: Some(task), has_tree, ..args(&path) };
    let (code, text, errors) = shown(&PastArgs { until: Some(80), ..of(1, false) }, Format::Text);
    assert_eq!((code, errors.as_str()), (0, ""));
    insta::assert_snapshot!("task", text);
    assert!(!text.contains("count the files") && !text.contains("folders"), "words are private: {text}");
    let (_, text, _) = shown(&PastArgs { words: true, until: Some(14), ..of(1, false) }, Format::Text);
    insta::assert_snapshot!("task-with-words", text);
    let (_, text, _) = shown(&PastArgs { from: Some(150), ..of(9, true) }, Format::Text);
    insta::assert_snapshot!("attempts", text);
    let (_, text, _) = shown(&PastArgs { from: Some(150), until: Some(170), ..of(10, false) }, Format::Text);
    insta::assert_snapshot!("second-attempt", text);
    let (_, text, _) = shown(&PastArgs { from: Some(190), ..of(14, false) }, Format::Text);
    insta::assert_snapshot!("worker", text);
}

/// Between two attempts a task is in no tree.
#[tokio::test]
async fn task_that_is_tried_again_waits_for_its_next_attempt_and_an_agent_for_a_person() {
    let path = history("between").await;
    let rows =
        |until| shown(&PastArgs { until: Some(until), is_quiet: false, ..args(&path) }, Format::Text).1;
    let all: Vec<_> = (1..=216).map(rows).collect();
    let seen = |what: &str| all.iter().filter(|rows| rows.contains(what)).count();
    #[rustfmt::skip]
    let cases = [
        "between attempts   waits for the time before attempt 2, over at 1970-01-01 00:0",
        "between attempts   waits for attempt 1 to stop: it was cancelled",
        "; its agent has asked a person, who has not answered",
        "; its tree has lost its agent, and what it orders is kept until there is another",
    ];
    for case in cases {
        assert!(seen(case) > 0, "{case}: {}", all.join("\n"));
    }
}

/// The page shows what is shown.
#[tokio::test]
async fn page_has_examples_that_are_true() {
    let path = history("page").await;
    let rows = shown(&PastArgs { until: Some(59), ..args(&path) }, Format::Text).1;
    let story = PastArgs { task: Some(3), from: Some(50), until: Some(59), ..args(&path) };
    let story = shown(&story, Format::Text).1;
    let block = |text: &str| format!("```text\n{}\n```\n", text.trim_end());
    let mut page = PAGE.to_owned();
    for (name, text) in [("rows", rows), ("task", story)] {
        let mark = format!("<!-- generated: {name} -->\n");
        let (before, rest) = page.split_once(&mark).expect("there is such a mark");
        let (_, after) = rest.split_once("```\n").expect("the end of a block");
        page = format!("{before}{mark}{}{after}", block(&text));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/replay.md");
        std::fs::write(path, page).expect("it can be written");
    } else {
        assert!(page == PAGE, "other examples: UPDATE_DOCS=1 cargo test -p downbeat-past page\n{page}");
    }
}

#[tokio::test]
async fn moment_has_the_state_before_a_line_and_after_it() {
    let path = history("moment").await;
    let at = |at| PastArgs { at: Some(at), ..args(&path) };
    let (code, text, errors) = shown(&at(60), Format::Text);
    assert_eq!((code, errors.as_str()), (0, ""));
    insta::assert_snapshot!(text);
    let (_, text, _) = shown(&PastArgs { task: Some(1), ..at(26) }, Format::Text);
    let lost = "; its tree has lost its agent, and what it orders is kept until there is another\n";
    assert_eq!(text.matches(lost).count(), 1, "{text}");
    let (code, _, errors) = shown(&at(10_000), Format::Text);
    let expected = "error: shard 0 has no line 10000: the last one that was read is 216, and a compaction leaves lines out\n";
    assert_eq!((code, errors.as_str()), (2, expected));
}

fn schema() -> jsonschema::Validator {
    let schema = serde_json::from_str(SCHEMA).expect("it is JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).expect("it is a schema")
}

#[tokio::test]
async fn every_line_for_machines_is_as_the_schema_says() {
    let path = history("json").await;
    let schema = schema();
    let cases = [
        args(&path),
        PastArgs { task: Some(1), has_tree: true, ..args(&path) },
        PastArgs { task: Some(14), words: true, ..args(&path) },
        PastArgs { at: Some(60), ..args(&path) },
        PastArgs { task: Some(99), ..args(&path) },
    ];
    let mut kinds = BTreeMap::new();
    for case in cases {
        let (code, text, _) = shown(&case, Format::Json);
        for line in text.lines() {
            let document: Value = serde_json::from_str(line).expect("each line is JSON");
            let errors: Vec<_> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{line}: {errors:?}");
            *kinds.entry(document["kind"].to_string()).or_insert(0) += 1;
            let mut other = document.clone();
            other["kind"] = "line".into();
            assert!(!schema.is_valid(&other), "a kind that there is not");
        }
        assert!(text.ends_with(&format!("\"ok\":{}}}\n", code == 0)), "{text}");
        assert!(case.words || !text.contains("count the files"), "words are private: {text}");
    }
    assert_eq!(
        kinds.keys().map(String::as_str).collect::<Vec<_>>(),
        ["\"event\"", "\"journal\"", "\"result\"", "\"shard\"", "\"task\""]
    );
}

#[tokio::test]
async fn what_cannot_be_read_or_does_not_follow_is_told_with_its_place() {
    let lines: Vec<_> = HISTORY.lines().collect();
    let damaged = stored("damaged", &lines[..40], 10).await;
    let other = rusqlite::Connection::open(&damaged).expect("a database");
    other.execute("UPDATE journal SET text = text || ' ' WHERE first = 21", []).expect("it is changed");
    let newer = stored("newer", &[lines[0], r#"{"at_ms":1,"event":{"Tree":{"V99":{}}}}"#], 10).await;
    let missing = stored("missing", &[&lines[..6], &lines[7..9]].concat(), 10).await;
    let default = history("default").await;
    std::fs::remove_file(default.with_file_name("settings.json")).expect("it is there");
    let waits = r#"{"at_ms":1,"event":{"Stands":{"profile":0,"credential":{"V1":{"state":"Refused","generation":0,"order":4,"waits":0,"accepted":9,"settled":8}}}}}"#;
    let contradicts = stored("contradicts", &[lines[0], waits, lines[1]], 10).await;
    let text = folder("text").join("journal.db");
    std::fs::write(&text, "this is no database, it is a text of some length").expect("it is written");
    let empty = folder("empty").join("journal.db");
    drop(Sqlite::open(&empty).await.expect("a store"));
    #[rustfmt::skip]
    let cases = [
        ("damaged", args(&damaged), 2, "store, shard 0: the journal is damaged at position 21: its checksum does not fit; what comes before is whole"),
        ("newer",   args(&newer),   2, "shard 0: line 2 of the journal cannot be read: unknown variant `V99`, expected one of `V1`, `V2`, `V3` at line 1 column 33; was it written by a newer version?"),
        ("missing", args(&missing), 1, "shard 0: line 7 does not follow from those before it"),
        ("default", args(&default), 1, "shard 0: line 1 does not follow from those before it"),
        ("contradicts", args(&contradicts), 1, "shard 0: the lines lead to a state that contradicts itself: Credential(ProfileId(0), Waiters)"),
        ("contradicts before", PastArgs { until: Some(2), ..args(&contradicts) }, 1, "shard 0: the lines lead to a state that contradicts itself"),
        ("nothing", args(&folder("nothing").join("journal.db")), 2, "store: it cannot be opened: check the path and the permissions of its folder"),
        ("text",    args(&text),    2, "store: this is no database, or a damaged one: restore it from a backup"),
        ("empty",   args(&empty),   2, "journal.db: nothing was ever written to this store"),
        ("folder",  args(&folder("a-folder")), 2, "past-a-folder: it cannot be read: is a directory"),
        ("server",  args(Path::new("postgres://me:secret@%2Fnowhere:1/there")), 2, "error: postgres://me@%2Fnowhere:1/there: store: it cannot be opened"),
        ("no lines", PastArgs { task: Some(1), from: Some(9), until: Some(8), ..args(&damaged) }, 2, "--from 9 comes after --until 8: no line is shown"),
        ("task",    PastArgs { task: Some(99), ..args(&newer) }, 2, "shard 0: line 2 of the journal cannot be read"),
        ("shard",   PastArgs { shard: Some(1), ..args(&damaged) }, 2, "there is no shard 1: there are 1, numbered from 0"),
    ];
    for (name, args, expected, error) in cases {
        let (code, text, errors) = shown(&args, Format::Text);
        assert_eq!(code, expected, "{name}: {errors}");
        assert!(errors.starts_with("error: ") && errors.contains(error), "{name}: {errors}");
        if name == "damaged" {
            assert!(
                text.contains("shard 0: 20 lines") && text.contains("task 1 "),
                "what comes before is shown: {text}"
            );
        }
    }
}

/// Waits until the journal has a snapshot behind so many lines.
async fn until_kept(store: &dyn Store, lines: u64) {
    let kept = async {
        while store.snapshot(ShardId(0)).await.expect("it is read").is_none_or(|kept| kept.next.0 < lines) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), kept).await.expect("a snapshot comes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journal_that_is_written_and_compacted_is_shown_as_it_is_and_its_snapshot_says_the_settings() {
    let path = folder("written").join("journal.db");
    let shell = shell(&path, 1, 10).await;
    for prompt in ["ask", "wait"] {
        shell.submit(prompt.to_owned(), Budget::default()).await.expect("it is taken");
    }
    let (mut last, mut compacted) = (0, false);
    for count in 0..500 {
        if compacted && count >= 20 {
            break;
        }
        shell.submit("some work".to_owned(), Budget::default()).await.expect("it is taken");
        let (code, text, errors) = shown(&args(&path), Format::Json);
        assert_eq!((code, errors.as_str()), (0, ""), "{text}");
        let shard: Value = serde_json::from_str(text.lines().nth(1).expect("a shard")).expect("it is JSON");
        let now = shard["last"].as_u64().expect("a number");
        assert!(now >= last, "{now} is before {last}");
        last = now;
        compacted |= !shard["compacted_before"].is_null();
    }
    assert!(compacted, "no journal was compacted");
    let store = Sqlite::open_to_read(&path).await.expect("it is there");
    until_kept(&store, 100).await;
    let held = shell.submit("some work".to_owned(), Budget::default()).await;
    assert!(held.is_ok(), "whoever reads has taken the lease: {held:?}");
    shell.stop().await.expect("it stops");
    let (code, text, errors) = shown(&args(&path), Format::Text);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(text.contains("settings: of the last snapshot (attempts_max 2)"), "{text}");
    assert!(text.contains("knows the same") && text.contains("compacted before position"), "{text}");
    let asks =
        "waits for the answer to question 1 (call 0 of turn 1) since 2023-11-14 22:13:20.000Z (0 ms)\n";
    assert!(text.contains(asks), "{text}");
    let waits = "waits for the model's response to turn 1, attempt 0 since 2023-11-14 22:13:20.000Z (0 ms)\n";
    assert!(text.contains(waits), "{text}");

    // Another state, and a journal that ends before the snapshot.
    let (_, text, errors) = shown(&PastArgs { task: Some(3), ..args(&path) }, Format::Text);
    assert!(
        errors.contains("no line is about task 3; the journal was compacted, and what was over"),
        "{text}{errors}"
    );
    std::fs::write(path.with_file_name("settings.json"), r#"{"kernel":{"attempts_max":3}}"#)
        .expect("it is written");
    let (code, _, errors) = shown(&args(&path), Format::Text);
    let expected = "error: the journal was written under other settings, as its snapshot says: attempts_max is 2; leave --settings out to take those\n";
    assert_eq!((code, errors.as_str()), (2, expected));
    std::fs::remove_file(path.with_file_name("settings.json")).expect("it is there");
    let other = rusqlite::Connection::open(&path).expect("a database");
    other.execute("DELETE FROM journal", []).expect("lines are lost");
    let (code, _, errors) = shown(&args(&path), Format::Text);
    assert!(code == 1 && errors.contains("lines are lost that have gone out"), "{errors}");
}

#[tokio::test]
async fn task_is_found_in_its_shard_and_a_line_in_the_one_that_is_named() {
    let path = folder("shards").join("journal.db");
    let shell = shell(&path, 2, 0).await;
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let task = shell.submit("ask".to_owned(), Budget::default()).await.expect("it is taken");
        tasks.push((task.0, task.0 % 2));
    }
    shell.stop().await.expect("it stops");
    tasks.sort_by_key(|(_, shard)| *shard);
    assert_eq!(tasks.iter().map(|(_, shard)| *shard).collect::<Vec<_>>(), [0, 1]);
    let (code, text, _) = shown(&args(&path), Format::Text);
    assert!(
        code == 0 && text.contains("2 shards") && text.contains("shard 0: ") && text.contains("shard 1: "),
        "{text}"
    );
    for (task, shard) in tasks {
        let (code, text, errors) = shown(&PastArgs { task: Some(task), ..args(&path) }, Format::Json);
        assert_eq!((code, errors.as_str()), (0, ""));
        assert!(text.contains(&format!("\"shard\":{shard}")) && text.contains("waits for "), "{text}");
        let at = PastArgs { at: Some(1), shard: u32::try_from(shard).ok(), ..args(&path) };
        let (code, text, _) = shown(&at, Format::Text);
        assert!(code == 0 && text.contains(&format!("after: task {task}\n")), "{text}");
    }
    #[rustfmt::skip]
    let cases = [
        (None,    "error: there are 2 shards with a line of this number each: say which with --shard, or name a task\n"),
        (Some(2), "error: there is no shard 2: there are 2, numbered from 0\n"),
    ];
    for (shard, error) in cases {
        let (code, _, errors) = shown(&PastArgs { at: Some(1), shard, ..args(&path) }, Format::Text);
        assert_eq!((code, errors.as_str()), (2, error));
    }
    std::fs::write(path.with_file_name("settings.json"), r#"{"shards":3,"kernel":{"attempts_max":2}}"#)
        .expect("it is written");
    let (code, _, errors) = shown(&args(&path), Format::Text);
    assert!(code == 2 && errors.contains("belongs to another of 3 shards; say with how many"), "{errors}");
}

#[tokio::test]
async fn journal_whose_snapshot_knows_something_else_breaks_a_promise() {
    let path = folder("disagrees").join("journal.db");
    let shell = shell(&path, 1, 1_000).await;
    shell.submit("ask".to_owned(), Budget::default()).await.expect("it is taken");
    shell.stop().await.expect("it stops");
    let store = Sqlite::open(&path).await.expect("a store");
    let lease = store.open(ShardId(0)).await.expect("nobody has it").lease;
    let (_, text, _) = shown(&args(&path), Format::Json);
    let shard: Value = serde_json::from_str(text.lines().nth(1).expect("a shard")).expect("it is JSON");
    let end = shard["last"].as_u64().expect("a number") + 1;
    // The snapshot of a shard that knows nothing.
    let nothing = folder("knows-nothing").join("journal.db");
    let empty = crate::testing::shell(&nothing, 1, 1).await;
    empty.submit("wait".to_owned(), Budget::default()).await.expect("it is taken");
    let reader = Sqlite::open_to_read(&nothing).await.expect("it is there");
    until_kept(&reader, 1).await;
    empty.stop().await.expect("it stops");
    let kept = reader.snapshot(ShardId(0)).await.expect("it is read").expect("it is there");
    let kept = downbeat_store::Snapshot { next: downbeat_store::Position(end), ..kept };
    store.keep(lease, &kept).await.expect("it is kept");
    let (code, _, errors) = shown(&args(&path), Format::Text);
    let expected = format!("error: shard 0: the lines before position {end} lead to another state");
    assert!(code == 1 && errors.starts_with(&expected), "{errors}");
}

#[tokio::test]
async fn tree_is_exported_as_a_test_that_is_one() {
    let path = history("test").await;
    let (code, text, errors) = shown(
        &PastArgs { task: Some(3), until: Some(60), export: Some(Export::Test), ..args(&path) },
        Format::Text,
    );
    assert_eq!((code, errors.as_str()), (0, ""));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exported.rs");
        std::fs::write(path, text).expect("it can be written");
    } else {
        assert!(text == EXPORTED, "another test: UPDATE_DOCS=1 cargo test -p downbeat-past exported\n{text}");
    }
}

#[tokio::test]
async fn tree_is_exported_with_its_events() {
    let path = history("example").await;
    let export = PastArgs { task: Some(3), until: Some(60), export: Some(Export::Tree), ..args(&path) };
    let (code, text, errors) = shown(&export, Format::Text);
    assert_eq!((code, errors.as_str()), (0, ""));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tree.jsonl");
        std::fs::write(path, text).expect("it can be written");
    } else {
        assert!(text == TREE, "another tree: UPDATE_DOCS=1 cargo test -p downbeat-past exported\n{text}");
    }
}

#[tokio::test]
async fn tree_that_comes_to_something_else_by_itself_is_not_exported() {
    let tree = |event: &str| format!(r#"{{"at_ms":1,"event":{{"Tree":{{"V3":{event}}}}}}}"#);
    let submitted = |task| {
        tree(&format!(
            r#"{{"TaskSubmitted":{{"task":{task},"budget":{{"tokens":0,"micros":0,"wall_ms":0}}}}}}"#
        ))
    };
    let of_first = |name: &str| tree(&format!(r#"{{"{name}":{{"task":1}}}}"#));
    let response = r#"{"ResponseEnded":{"request":{"task":1,"turn":1,"attempt":0},"response":{"Calls":[{"Subtask":{"child":3}}]},"jitter_ms":0}}"#;
    let lines = [submitted(1), submitted(2), of_first("Admitted"), of_first("Initialized"), tree(response)];
    let path = stored("by-itself", &lines.each_ref().map(String::as_str), 10).await;
    // The second tree takes the place of the subtask.
    std::fs::write(path.with_file_name("settings.json"), r#"{"kernel":{"tasks_max":2}}"#)
        .expect("it is written");
    let of = |until| PastArgs { task: Some(1), until, export: Some(Export::Tree), ..args(&path) };
    let (code, text, errors) = shown(&of(None), Format::Text);
    let expected = "error: the tree of task 1 cannot be exported by itself: without the other trees task 1 stands elsewhere, because a bound of all tasks together was met\n";
    assert_eq!((code, text.as_str(), errors.as_str()), (2, "", expected));
    assert_eq!(shown(&of(Some(4)), Format::Text).0, 0, "before that it can");
}

/// Each attempt has the budget that the task was submitted with.
#[tokio::test]
async fn second_attempt_is_exported_with_its_budget() {
    let attempted = r#""Attempted":{"task":10,"budget":{"tokens":"#;
    let lines = HISTORY.replace(&format!("{attempted}0"), &format!("{attempted}1000000"));
    let path = stored("budget", &lines.lines().collect::<Vec<_>>(), 10).await;
    let export = PastArgs { task: Some(11), until: Some(162), export: Some(Export::Tree), ..args(&path) };
    let (code, text, errors) = shown(&export, Format::Text);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(text.contains(r#""TaskSubmitted":{"task":11,"budget":{"tokens":1000000"#), "{text}");
}

#[tokio::test]
async fn every_tree_is_exported_as_events_that_comes_to_the_same_and_what_does_not_is_told() {
    let path = history("scenario").await;
    let store = Sqlite::open_as_it_is(&path).await.expect("it is there");
    let settings = Settings::find(&store, args(&path).settings.as_deref()).await.expect("they are there");
    let mut roots = BTreeSet::new();
    let mut follow = Follow::open(&store, ShardId(0), &settings.config, None).await.expect("it is there");
    while let Some(line) = follow.next().await.expect("it is whole") {
        follow.take(line).expect("it is taken");
        let kernel = follow.replay().kernel();
        roots.extend(kernel.tasks().map(|task| root_of(kernel, task.id)));
    }
    assert!(roots.len() > 5, "{roots:?}");
    let mut of_first = String::new();
    for root in roots {
        let export = PastArgs { task: Some(root.0), export: Some(Export::Tree), ..args(&path) };
        let (code, text, errors) = shown(&export, Format::Text);
        assert_eq!((code, errors.as_str()), (0, ""), "{root:?}");
        assert!(exported::is_meant(&text) && !text.contains("count the files"));
        let played = exported::step_through(&text).expect("it is read");
        assert_eq!((played.root, played.misfit, played.events > 1), (root, None, true));
        if root == TaskId(1) {
            of_first = text;
        }
    }
    let lines: Vec<_> = of_first.lines().collect();
    let without = |left_out: usize| {
        let lines: Vec<_> =
            lines.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, line)| *line).collect();
        lines.join("\n")
    };
    let misfit = |text: &str| {
        exported::step_through(text).map(|played| played.misfit.map(|misfit| misfit.to_string()))
    };
    let gone = misfit(&without(4)).expect("it is read").expect("a misfit");
    assert!(gone.starts_with("event 4, Admitted(task 1), is not taken any more: "), "{gone}");
    let cut = misfit(&lines[..lines.len() - 1].join("\n")).expect("it is read").expect("a misfit");
    assert!(cut.starts_with("it comes to "), "{cut}");
    // As files, in both formats.
    let file = |name: &str, text: &str| {
        let file = path.with_file_name(name);
        std::fs::write(&file, text).expect("it is written");
        file
    };
    let (sound, other) = (file("sound.jsonl", &of_first), file("other.jsonl", &without(4)));
    let foreign = file("foreign.jsonl", "{\"format\":\"downbeat-counterexample\"}");
    assert_eq!([&sound, &other, &foreign].map(|file| is_exported(file)), [true, true, false]);
    let schema = schema();
    for (files, expected) in
        [(vec![sound.clone()], 0), (vec![sound, other.clone()], 1), (vec![other, foreign], 2)]
    {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        assert_eq!(play_to(&files, Format::Text, &mut out, &mut err), expected, "{files:?}");
        assert_eq!(err.is_empty(), expected < 2, "{files:?}");
        assert!(String::from_utf8_lossy(&out).contains("tree of task 1: "), "{files:?}");
        let mut out = Vec::new();
        assert_eq!(play_to(&files, Format::Json, &mut out, &mut err), expected, "{files:?}");
        for line in String::from_utf8_lossy(&out).lines() {
            let document = serde_json::from_str(line).expect("each line is JSON");
            assert!(schema.is_valid(&document), "{line}");
        }
    }
    let damaged = misfit(&of_first.replacen("V3", "V9", 1)).expect_err("there is no such version");
    assert!(damaged.to_string().starts_with("line 2 is none of an exported tree: "), "{damaged}");
    let newer = misfit(&of_first.replacen("\"version\":1", "\"version\":2", 1)).expect_err("it is newer");
    assert!(newer.to_string().contains("this program reads version 1"), "{newer}");
}
