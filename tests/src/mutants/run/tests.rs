//! The tests of the copy: their names, how long each takes, and by which mutants it comes.

use super::super::{Failure, Numbers, copy};
use super::process::{End, Process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// One test.
pub struct Test {
    /// The place of its program among the programs.
    pub program: usize,
    /// Its path in that program.
    pub name: String,
    /// How long it takes without a mutant.
    pub took: Duration,
    /// The mutants that it comes by.
    pub reached: Numbers,
}

/// Tests that are about the twins and the pages, and run through the same pairs as those that compare machine and twin.
const BESIDE: [&str; 2] = ["::comparison_", "::page_of_"];

/// The tests of each program.
pub(super) fn names(programs: &[PathBuf]) -> Result<Vec<(usize, String)>, Failure> {
    let mut names = Vec::new();
    for (index, program) in programs.iter().enumerate() {
        let output = Command::new(program).args(["--list", "--format", "terse"]).output();
        let output = output.map_err(Failure::of(program.display().to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let listed = text.lines().filter_map(|line| line.strip_suffix(": test"));
        let listed = listed.filter(|name| !BESIDE.iter().any(|beside| name.contains(beside)));
        names.extend(listed.map(|name| (index, name.to_owned())));
    }
    Ok(names)
}

/// Runs a test without a mutant, to see how long it takes and where it comes by; `None` if it takes longer than `longest`.
pub(super) fn record(
    programs: &[PathBuf],
    (index, name): &(usize, String),
    record: &Path,
    longest: Duration,
) -> Result<Option<Test>, Failure> {
    let program = programs.get(*index).ok_or(Failure::NoMutant)?;
    // What an earlier run has left would be added to. There may be nothing.
    let _ = fs::remove_file(record);
    let process = Process { program, names: &[name], seconds_max: longest.as_secs() };
    let begun = Instant::now();
    let end = process.run(&[("DOWNBEAT_MUTANT_REACHED", record.as_os_str())])?;
    let took = begun.elapsed();
    match end {
        End::Passed => {}
        End::Failed { .. } if took >= longest => return Ok(None),
        End::Failed { test } => return Err(Failure::Unmutated { test }),
    }
    // A test that comes by no mutant leaves no record.
    let reached = if record.exists() { copy::read(record)? } else { String::new() };
    let reached = reached.lines().filter_map(|line| line.parse().ok()).collect();
    Ok(Some(Test { program: *index, name: name.clone(), took, reached }))
}
