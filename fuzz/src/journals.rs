//! Any bytes as a journal of the shell, and as an exported tree.

use downbeat_kernel::{Config, PoolConfig, TaskState};
use downbeat_past::{Wait, Why, step_through, why};
use downbeat_shell::{Entry, OnRecord, Recorded, Replay, ShellConfig};
use downbeat_store::{Position, ShardId};

/// The settings of the history that the shell has for an example.
fn settings() -> ShellConfig {
    let kernel =
        Config { profiles: 2, profiles_keyed: 0b10, depth_max: 1, attempts_max: 3, ..Config::default() };
    let pool = PoolConfig { agents_max: 2, agents_min: 0, quota: 2, ..PoolConfig::default() };
    ShellConfig { kernel, pool: Some(pool), ..ShellConfig::default() }
}

/// Reads bytes as the lines of a journal, and replays them up to the first that does not follow; and as an exported tree.
///
/// # Panics
/// If lines that say what happened lead to a state that contradicts itself, or a task waits there for nothing that can come.
pub fn journals(bytes: &[u8]) {
    replayed(bytes);
}

/// The same, with how many lines were taken, and whether the bytes are an exported tree.
///
/// # Panics
/// As [`journals`].
pub fn replayed(bytes: &[u8]) -> (u64, bool) {
    let text = String::from_utf8_lossy(bytes);
    let (mut replay, mut taken) = (Replay::new(ShardId(0), &settings()), 0);
    for (line, at) in text.lines().zip((1..).map(Position)) {
        let Ok(entry) = Entry::read(line) else { break };
        // How a machine stands is taken at its word; whether it can be is asked at the end of a journal.
        if let Recorded::Stands { .. } | Recorded::PoolStands { .. } = entry.event {
            break;
        }
        if replay.step(OnRecord { at, entry }).is_err() {
            break;
        }
        taken += 1;
        assert_eq!(replay.validate(), Ok(()), "line {}", at.0);
    }
    let kernel = replay.kernel();
    for task in kernel.tasks().filter(|task| task.state != TaskState::Completed) {
        let waits = why(kernel, task.id);
        let is_sound = !matches!(&waits, Why::Waits(waits) if waits.contains(&Wait::Nothing));
        assert!(is_sound && waits != Why::Unknown && waits != Why::Forgotten, "{task:?}: {waits:?}");
    }
    let _outstanding = replay.outstanding();
    (taken, step_through(&text).is_ok())
}
