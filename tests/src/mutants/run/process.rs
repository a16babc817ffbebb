//! One run of a test program, which ends with its first failure.

use super::super::Failure;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Kilobytes of memory that a run may have. The tests take a hundredth of it.
const MEMORY_KB_MAX: u64 = 2_000_000;

/// A test program, and the tests of it that are to run.
pub(super) struct Process<'p> {
    pub(super) program: &'p Path,
    pub(super) names: &'p [&'p str],
    /// How many seconds of a processor it may take. A loop without an end is a failure; a machine that does other things is
    /// none.
    pub(super) seconds_max: u64,
}

/// How a run ended.
pub(super) enum End {
    Passed,
    /// A test failed, or the program ended in the middle of it.
    Failed {
        test: String,
    },
}

impl Process<'_> {
    pub(super) fn run(&self, environment: &[(&str, &OsStr)]) -> Result<End, Failure> {
        let of = || self.program.display().to_string();
        let mut child = self.command(environment).spawn().map_err(Failure::of(of()))?;
        let failed = first_failure(&mut child);
        if failed.is_some() {
            // It may have ended by itself.
            let _ = child.kill();
        }
        let status = child.wait().map_err(Failure::of(of()))?;
        Ok(match failed {
            Some(test) => End::Failed { test },
            None if status.success() => End::Passed,
            None => End::Failed { test: self.names.first().copied().unwrap_or_default().to_owned() },
        })
    }

    /// The shell bounds time and memory, and becomes the program.
    fn command(&self, environment: &[(&str, &OsStr)]) -> Command {
        let seconds_max = self.seconds_max;
        // One call for each: some shells take no more than one bound.
        let bounds = format!("ulimit -c 0; ulimit -t {seconds_max}; ulimit -v {MEMORY_KB_MAX}");
        let bounded = format!("{bounds}; exec \"$0\" \"$@\"");
        let mut command = Command::new("nice");
        command.args(["-n", "15", "sh", "-c", &bounded]).arg(self.program);
        command.args(["--exact", "--test-threads", "1"]).args(self.names);
        command.envs(environment.iter().copied()).env("RUST_BACKTRACE", "0");
        // The same random lives each time, and no search for a shorter one.
        command.env("PROPTEST_RNG_SEED", "1").env("PROPTEST_MAX_SHRINK_ITERS", "0");
        command.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }
}

/// Reads until a test has failed, or to the end. A program that ended in the middle of a test names that.
fn first_failure(child: &mut Child) -> Option<String> {
    let output = BufReader::new(child.stdout.take()?);
    for line in output.lines().map_while(Result::ok) {
        let Some(rest) = line.strip_prefix("test ") else { continue };
        if let Some((test, end)) = rest.split_once(" ... ")
            && end != "ok"
        {
            return Some(test.trim_end_matches(" - should panic").to_owned());
        }
    }
    None
}
