//! Ten thousand live tasks over ten minutes of simulated traffic: does the process stay as large as it was?
//!
//! `cargo bench -p downbeat-demo --bench live`
//!
//! The clock of the runtime is paused: it goes on to the next timer when nothing is left to do, and stands still while something becomes
//! durable. So the minutes are those of the provider, the tools and the people, and take as long as the machine needs for what happens
//! in them. It ends with 1 if the process grows, or a promise is broken.

use downbeat_demo::{Minute, Wanted, traffic};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Trees at once: on average each has two live tasks.
const TREES: usize = 6_400;
/// Live tasks at the end of each minute, at least.
const TASKS: usize = 10_000;
/// Simulated minutes.
const MINUTES: u32 = 10;
/// The first minutes fill the world with trees of every age, and have the journal compacted a few times.
const FIRST: u32 = 5;
/// Percent by which the process may be larger at any later moment than it has been in the first minutes.
const GROWTH_MAX: u64 = 10;

fn main() -> ExitCode {
    let store = folder();
    let wanted = Wanted {
        store: store.clone(),
        trees: Some(u64::MAX),
        seed: None,
        live: TREES,
        speed: 1,
        // A response takes 4 to 18 seconds.
        pace: 6,
        is_simulated: true,
        fresh: true,
        fault: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let (began, mut minutes) = (Instant::now(), Vec::new());
    println!("minute  live tasks  trees ended      events     sends    at most  real time");
    let mut look = |minute: Minute| {
        let resident = largest_since_last_asked();
        println!(
            "{:>6}  {:>10}  {:>11}  {:>10}  {:>8}  {:>5} MiB  {:>7.1} s",
            minute.minute,
            minute.tasks_live,
            minute.trees_ended,
            minute.events,
            minute.sends,
            resident.unwrap_or_default() / 1_024,
            began.elapsed().as_secs_f64()
        );
        minutes.push((minute, resident));
    };
    let ran = runtime.block_on(traffic(&wanted, MINUTES, &mut look));
    let bytes: u64 = ["journal.db", "world.jsonl"].iter().map(|file| size(&store.join(file))).sum();
    println!("on disk at the end: {} MiB", bytes / (1 << 20));
    drop(std::fs::remove_dir_all(&store));
    if let Err(error) = ran {
        println!("error: {error}");
        return ExitCode::FAILURE;
    }
    judge(&minutes)
}

fn judge(minutes: &[(Minute, Option<u64>)]) -> ExitCode {
    if minutes.len() != MINUTES as usize {
        println!("{} minutes of {MINUTES}", minutes.len());
        return ExitCode::FAILURE;
    }
    let mut is_kept = true;
    for (minute, _) in minutes {
        if minute.tasks_live < TASKS {
            println!("minute {}: {} live tasks, fewer than {TASKS}", minute.minute, minute.tasks_live);
            is_kept = false;
        }
    }
    // The last minute has those of all before.
    for broken in minutes.last().iter().flat_map(|(minute, _)| &minute.broken) {
        println!("broken: {broken}");
        is_kept = false;
    }
    if !is_kept {
        return ExitCode::FAILURE;
    }
    let Some(sizes) = minutes.iter().map(|(_, resident)| *resident).collect::<Option<Vec<_>>>() else {
        println!("this system does not say how large a process is: not decided");
        return ExitCode::FAILURE;
    };
    let (first, later) = sizes.split_at(FIRST as usize);
    let largest = |sizes: &[u64]| sizes.iter().copied().max().unwrap_or_default();
    let (first, later) = (largest(first), largest(later));
    let bound = first + first * GROWTH_MAX / 100;
    let verdict = if later <= bound { "flat" } else { "it grows" };
    println!(
        "{verdict}: at most {} MiB later, {} MiB in the first {FIRST} minutes",
        later / 1_024,
        first / 1_024
    );
    if later <= bound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The largest resident memory of this process in KiB, since this was asked last.
fn largest_since_last_asked() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let largest = line.split_whitespace().next()?.parse().ok();
    // 5 is for the system: begin anew.
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    largest
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

/// A folder of its own, beside what cargo builds.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("live")
}
