//! A short run of every target on stable, the same bytes each time.
//!
//! It is no search: `cargo fuzz` is. It holds that no target panics on what is easily thought of, and that the targets get
//! somewhere.

use downbeat_fuzz::{Bytes, PARTS, TARGETS, history, journal, machine_history, replayed, saved_task, spans};
use downbeat_kernel::{
    CredentialRecord, Event as KernelEvent, NotificationRecord, PoolRecord, QuestionRecord, Record,
    RetryRecord,
};
use downbeat_trace::{End, Event, Field, Kind, Name};
use std::collections::BTreeSet;

/// Where the examples of all records are, of every version that was ever written.
const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../kernel/tests/records");

/// Where there are tasks as they are saved.
const SAVED: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/saved/tests/folders/interrupted/0199-interrupted"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/saved/tests/folders/condensed/0199-kept"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/saved/tests/folders/delegation/tasks/0199-p"),
];

/// A journal with something of everything that is on record.
const JOURNAL: &str = include_str!("../../adapters/shell/tests/journal/history.jsonl");

/// A tree of it, exported.
const TREE: &str = include_str!("../../adapters/past/tests/tree.jsonl");

/// Spans: an agent with tools and a subagent, one whose requests overlap, and spans that say nothing.
const SPANS: [&[u8]; 3] = [
    include_bytes!("../../adapters/trace/tests/otlp/healthy.json"),
    include_bytes!("../../adapters/trace/tests/otlp/overlap.jsonl"),
    include_bytes!("../../adapters/trace/tests/otlp/left-out.json"),
];

/// As many inputs for each target and each kind of input.
const INPUTS: u64 = 1500;

/// Pseudo-random numbers: Marsaglia's xorshift with 64 bits.
struct Random(u64);

impl Random {
    /// Seeds that differ little lead to numbers that differ much.
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.below(most);
        (0..len).map(|_| self.next().to_le_bytes()[3]).collect()
    }

    /// Changes, drops, doubles or cuts a few bytes; digits and words stay such more often than not.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        const LETTERS: &[u8] = b"0123456789,:\"{}[]\n";
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let place = self.below(bytes.len());
            match self.below(8) {
                0 => bytes.truncate(place),
                1 => drop(bytes.remove(place)),
                2 => bytes.insert(place, bytes[place]),
                3 => bytes[place] = self.next().to_le_bytes()[3],
                _ => bytes[place] = LETTERS[self.below(LETTERS.len())],
            }
        }
    }
}

/// The examples of records, each file as its bytes, in the order of their names.
fn examples() -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(RECORDS).expect("a folder");
    let files = folder.map(|entry| entry.expect("a file").path());
    let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a file")).collect()
}

/// A saved task, its files one after the other.
fn files_of(folder: &str) -> Vec<u8> {
    let names = [downbeat_saved::CONVERSATION, downbeat_saved::WINDOW, downbeat_saved::ITEM];
    names.map(|name| std::fs::read(format!("{folder}/{name}")).expect("a file")).join(&PARTS)
}

/// Lines of every kind about few things.
fn trace_lines(random: &mut Random) -> String {
    (0..random.below(60))
        .map(|_| {
            let mut event = Event::new(Kind::ALL[random.below(Kind::ALL.len())])
                .ended(End::ALL[random.below(End::ALL.len())]);
            let others = [Field::ALL[random.below(Field::ALL.len())], Field::Turn];
            for field in event.kind.needs().iter().copied().chain(others) {
                event = event.with(field, Name::Number(random.next() % 3));
            }
            event.line() + "\n"
        })
        .collect()
}

/// Sound input of each target, to be damaged.
fn sound(target: &str, examples: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    match target {
        "events" | "machines" | "schedules" => random.bytes(400),
        "saved" => files_of(SAVED[random.below(SAVED.len())]),
        "otlp" => SPANS[random.below(SPANS.len())].to_vec(),
        "records" => examples[random.below(examples.len())].clone(),
        "snapshots" => {
            let (kernel, _) = history(&random.bytes(300));
            let mut bytes = serde_json::to_vec(&kernel).expect("a kernel has a JSON form");
            bytes.push(b'\n');
            bytes.extend(random.bytes(100));
            bytes
        }
        "trace" => trace_lines(random).into_bytes(),
        "journals" if random.below(2) == 0 => JOURNAL.as_bytes().to_vec(),
        "journals" => TREE.as_bytes().to_vec(),
        other => panic!("no sound input of {other}"),
    }
}

#[test]
fn targets_take_any_bytes() {
    let examples = examples();
    for (name, target) in TARGETS {
        target(&[]);
        // Each of these plays a whole scenario, or a whole history.
        let inputs = if ["schedules", "journals"].contains(name) { INPUTS / 10 } else { INPUTS };
        for seed in 0..inputs {
            let random = &mut Random::new(seed);
            target(&random.bytes(400));
            let mut bytes = sound(name, &examples, random);
            target(&bytes);
            random.damage(&mut bytes);
            target(&bytes);
        }
    }
}

/// The examples are what they are taken for.
#[test]
fn journal_is_replayed_to_its_end_and_the_tree_is_one() {
    let lines = JOURNAL.lines().count() as u64;
    assert_eq!((replayed(JOURNAL.as_bytes()), replayed(TREE.as_bytes())), ((lines, false), (0, true)));
}

/// The name of an event's variant, and of that of what it carries for a worker.
fn kind(event: &KernelEvent) -> String {
    let text = format!("{event:?}");
    let words: Vec<_> =
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if matches!(event, KernelEvent::Worker { .. }) {
        format!("{} {}", words[0], words[5])
    } else if matches!(event, KernelEvent::Request { .. }) {
        format!("{} {}", words[0], words[8])
    } else {
        words[0].to_owned()
    }
}

/// A target that only ever makes events that are refused would be green for nothing.
#[test]
fn histories_apply_every_kind_of_event() {
    let applied: BTreeSet<String> = (0..4 * INPUTS)
        .flat_map(|seed| history(&Random::new(seed).bytes(400)).1)
        .map(|event| kind(&event))
        .collect();
    let applied: Vec<&str> = applied.iter().map(String::as_str).collect();
    // What only the kernel tells a worker or a request is not among it.
    #[rustfmt::skip]
    assert_eq!(applied, [
        "Admitted", "AnswerReceived", "CancelRequested", "Deployed", "EndAcknowledged", "InitializationFailed",
        "Initialized", "MessageReceived", "PauseRequested", "ProfileDown", "ProfileUp",
        "Request CredentialFailed", "Request CredentialGiven", "Request OutputDelivered", "Request SendFailed",
        "Request Stopped", "Request TimerFired", "Request UsageReported", "ResponseEnded", "ResumeRequested",
        "Spent", "SubtaskRequested", "TaskSubmitted", "TimerFired", "ToolEnded",
        "Worker AnswerReceived", "Worker ApprovalRequested", "Worker CompleteRequested", "Worker InterruptRequested",
        "Worker Observed", "Worker ProgressReported", "Worker ReportAcknowledged", "Worker Reported", "Worker Session",
        "Worker TimerFired", "Worker WrapUpRequested",
    ]);
}

#[test]
fn histories_of_machines_apply_every_kind_of_event() {
    let applied: BTreeSet<String> =
        (0..4 * INPUTS).flat_map(|seed| machine_history(&Random::new(seed).bytes(600))).collect();
    let applied: Vec<&str> = applied.iter().map(String::as_str).collect();
    #[rustfmt::skip]
    assert_eq!(applied, [
        "Credential Elapsed", "Credential RefreshEnded", "Credential StoreChanged", "Credential StoreRead",
        "Credential Wanted", "Credential WriteEnded",
        "Outbox Acknowledged", "Outbox Elapsed", "Outbox Posted", "Outbox UndeliveredRecorded",
        "Pool CancelRequested", "Pool Cleaned", "Pool DrainRequested", "Pool Elapsed", "Pool EndAcknowledged",
        "Pool Gone", "Pool Heartbeat", "Pool Started", "Pool Submitted", "Pool WorkEnded",
        "Questions Acknowledged", "Questions AgentLost", "Questions Answered", "Questions Asked", "Questions Assigned",
        "Questions Closed", "Questions Elapsed", "Questions TaskEnded",
        "Request Began", "Request CancelRequested", "Request CredentialFailed", "Request CredentialGiven",
        "Request OutputDelivered", "Request PauseRequested", "Request ProfileDown", "Request ProfileUp",
        "Request ResponseEnded", "Request ResumeRequested", "Request SendFailed", "Request Stopped", "Request TimerFired", "Request UsageReported",
        "Retry AttemptEnded", "Retry CancelRequested", "Retry Elapsed", "Retry EndAcknowledged", "Retry Found",
        "Retry Submitted",
    ]);
}

/// The input that is damaged has something of every version of every record to damage.
#[test]
fn journals_have_records_of_every_machine_and_version() {
    let read: Vec<_> = journal(&examples().concat()).into_iter().collect();
    #[rustfmt::skip]
    assert_eq!(read, [
        ("Credential", CredentialRecord::NEWEST), ("Kernel", 1), ("Kernel", 2), ("Kernel", Record::NEWEST),
        ("Outbox", NotificationRecord::NEWEST), ("Pool", PoolRecord::NEWEST), ("Questions", QuestionRecord::NEWEST),
        ("Retry", RetryRecord::NEWEST),
    ]);
}

/// Files that are damaged are still examined often enough, and then show faults that the sound ones do not.
#[test]
fn saved_tasks_that_are_damaged_show_faults() {
    let examined = (0..INPUTS).filter_map(|seed| {
        let random = &mut Random::new(seed);
        let mut bytes = files_of(SAVED[random.below(SAVED.len())]);
        random.damage(&mut bytes);
        saved_task(&bytes)
    });
    let (mut all, mut proven) = (0, 0);
    for examined in examined {
        all += 1;
        proven += u32::from(examined.counts.proven > 0);
    }
    assert!(all > 300 && proven > 10, "{proven} of {all}");
}

/// Damaged spans are still spans, now and then.
#[test]
fn spans_lead_to_events() {
    assert_eq!(SPANS.map(spans), [15, 8, 15]);
    let mut random = Random::new(11);
    let damaged = (0..INPUTS / 10).map(|_| {
        let mut bytes = SPANS[random.below(SPANS.len())].to_vec();
        random.damage(&mut bytes);
        spans(&bytes)
    });
    assert!(damaged.filter(|events| *events > 0).count() > 0);
}

/// What is found out about a target depends on its bytes alone.
#[test]
fn same_bytes_are_the_same_choices() {
    let bytes = Random::new(7).bytes(400);
    let make = || {
        let mut bytes = Bytes::new(&bytes);
        (0..40).map(|_| bytes.make::<KernelEvent>()).collect::<Vec<_>>()
    };
    assert_eq!(make(), make());
    assert_eq!(history(&bytes), history(&bytes));
}

/// `cargo fuzz` finds its programs in the manifest.
#[test]
fn every_target_is_a_program_for_cargo_fuzz() {
    let manifest = include_str!("../Cargo.toml");
    let programs: Vec<_> =
        manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")).collect();
    let mut expected: Vec<_> = TARGETS.iter().map(|(name, _)| format!("{name}.rs\"")).collect();
    expected.sort();
    let mut programs: Vec<_> = programs.into_iter().map(str::to_owned).collect();
    programs.sort();
    assert_eq!(programs, expected);
}

#[test]
fn sound_traces_are_judged() {
    let events: u64 =
        (0..100).map(|seed| downbeat_fuzz::judged(trace_lines(&mut Random::new(seed)).as_bytes())).sum();
    assert!(events > 1_000, "{events}");
}
