//! What tests share.

use crate::ledger::Totals;
use crate::promise::Verdict;
use crate::view::{Request, Row, Subject, View};
use downbeat_kernel::{Held, TaskState};
use std::path::PathBuf;
use std::time::Duration;

/// A folder of its own for a test, which is empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("downbeat-demo-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("there is room for temporary files");
    folder
}

/// A moment with something of everything.
pub(crate) fn view() -> View {
    let row = |branch: &str, prompt: &str, state, words: &str, age_ms| Row {
        branch: branch.to_owned(),
        prompt: prompt.to_owned(),
        state,
        words: words.to_owned(),
        age_ms,
    };
    let request = |path: &str, turn, attempt, reason, ms| Request {
        path: path.to_owned(),
        turn,
        attempt,
        reason,
        since: Duration::from_millis(ms),
    };
    let rows = [
        row("", "7 port the tests", TaskState::ExecutingTools, "runs 1 tool, 2 subtasks", 21_400),
        row("├ ", "7.1 check the links", TaskState::AwaitingSubtask, "waits for 2 subtasks", 12_000),
        row("│ ├ ", "7.1.1 bisect a failure", TaskState::Requesting, "asks the model, turn 2", 3_000),
        row("│ └ ", "7.1.2 find a leak", TaskState::Paused(Held::Turn), "paused", 3_000),
        row("└ ", "7.2 fix the build", TaskState::Requesting, "throttled, waits", 12_000),
        row("", "8 review a patch", TaskState::AwaitingInput, "waits for a person", 130_000),
        row("", "9 write release notes", TaskState::Requesting, "waits for a token", 9_000),
        row("", "10 trace a request", TaskState::Initializing, "is made ready", 400),
    ];
    let requests = [
        request("7.1.1", 2, 0, "first", 2_440),
        request("6.2", 3, 1, "with a new token", 1_200),
        request("5", 4, 2, "again", 900),
        request("5.3", 1, 0, "first", 100),
        request("4.1", 1, 0, "first", 50),
    ];
    View {
        subject: Subject { seed: 1, trees: 1_000, live: 4, speed: 4, folder: PathBuf::from("downbeat-demo") },
        elapsed: Duration::from_millis(83_200),
        trees_live: 7,
        tasks_live: 19,
        rows: rows.iter().cycle().take(19).cloned().collect(),
        rows_all: 20,
        requests: requests.to_vec(),
        requests_all: 5,
        tools: 3,
        questions: 1,
        events: 1_234,
        commits: 842,
        events_per_second: 38.4,
        totals: Totals {
            lives: 3,
            killed: 1,
            trees_begun: 10,
            trees_ended: 3,
            trees_cancelled: 1,
            tasks: 41,
            sends: 310,
            throttled: 24,
            failed: 6,
            unauthorized: 4,
            tools: 97,
            messages: 8,
            refreshes: 2,
            copies: 1,
            tokens: 120_400,
        },
        verdict: Verdict::default(),
    }
}
