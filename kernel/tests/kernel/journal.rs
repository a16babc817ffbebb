//! A journal of every version that was ever written replays to the state that it meant.

use downbeat_kernel::{
    Config, Discard, Effect, End, Kernel, MessageId, Outcome, Reason, Record, RequestReason, TaskId,
    TaskState,
};

/// The same story in each version: a send that has to wait and one that breaks off, a tool that a person agrees to, a subtask
/// that a worker runs, a message, a pause, a cancel while the model is asked, a failure for good. These files are never changed.
const JOURNALS: [(u32, &str); 3] = [
    (1, include_str!("../records/journals/v1.jsonl")),
    (2, include_str!("../records/journals/v2.jsonl")),
    (3, include_str!("../records/journals/v3.jsonl")),
];

fn replay(version: u32, journal: &str) -> Kernel {
    let mut kernel = Kernel::new(Config::default());
    for line in journal.lines() {
        let record: Record = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(record.version(), version, "{line}");
        assert_eq!(kernel.step(record.into(), &mut Discard), Outcome::Applied, "{line}");
    }
    kernel
}

#[test]
fn journal_of_every_version_replays_to_the_same_state() {
    assert_eq!(JOURNALS.len(), Record::NEWEST as usize, "a version without a journal");
    let kernels = JOURNALS.map(|(version, journal)| replay(version, journal));
    let states: Vec<_> = kernels[0].tasks().map(|task| (task.id, task.state)).collect();
    let failed = Reason::Request(RequestReason::Invalid);
    let expected = [
        (TaskId(1), TaskState::Completed),
        (TaskId(3), TaskState::Cancelled),
        (TaskId(4), TaskState::Failed(failed)),
    ];
    assert_eq!(states, expected);
    assert_eq!(kernels[0].task(TaskId(1)).map(|task| task.data.answered), Some(MessageId(1)));
    for kernel in &kernels {
        assert_eq!(kernel.validate(), Ok(()));
        assert_eq!(*kernel, kernels[0]);
        let mut outstanding = Vec::new();
        kernel.resync(&mut outstanding);
        let ended = |task, end| Effect::TaskEnded { task: TaskId(task), end };
        assert_eq!(
            outstanding,
            [ended(1, End::Completed), ended(3, End::Cancelled), ended(4, End::Failed(failed))]
        );
    }
}
