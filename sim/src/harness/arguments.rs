//! The command line of `check`, `replay` and `models`.

use std::fmt::Display;
use std::num::{IntErrorKind, NonZeroUsize, ParseIntError};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::run::{Checkpoints, Settings};
use crate::check::{Limits, Reduction};

const LIMITS: &str = "Limits of each search";
const SEARCH: &str = "How to search";
const LONG: &str = "Long searches";

/// Arguments of `check`; a larger program mounts them as a subcommand.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct CheckArgs {
    /// What to check: a model in all its variants, or one variant; everything if nothing is named
    #[arg(value_name = "MODEL[@VARIANT]", value_parser = model_and_variant)]
    pub selection: Vec<String>,
    /// Evaluates only this property; may be repeated
    #[arg(long = "property", value_name = "ID")]
    pub properties: Vec<String>,
    /// Sets a bound of the models, such as messages=2; the command `models` lists them; may be repeated
    #[arg(long = "bound", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub bounds: Vec<(String, u64)>,
    /// Takes the deep bounds of the models that have them, for minutes of search each; --bound wins over them
    #[arg(long)]
    pub deep: bool,
    /// Ends a search at more than so many distinct states
    #[arg(long, value_name = "COUNT", value_parser = states, allow_negative_numbers = true, help_heading = LIMITS)]
    pub max_states: Option<usize>,
    /// Does not explore behaviours of more than so many steps
    #[arg(long, value_name = "STEPS", value_parser = steps, allow_negative_numbers = true, help_heading = LIMITS)]
    pub max_depth: Option<usize>,
    /// Ends a search after this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true, help_heading = LIMITS)]
    pub max_seconds: Option<Duration>,
    /// Memory of a search in MiB; past it states go to disk and liveness is left undecided
    ///
    /// What the search itself holds is counted, without what states own on the heap. Whole states that are compared
    /// (--storage exact, where they are not packed) and partial-order reduction cannot go to disk; such a search ends
    /// when the process is larger than this.
    #[arg(long, value_name = "MIB", value_parser = mebibytes, allow_negative_numbers = true, help_heading = LIMITS)]
    pub max_memory: Option<u64>,
    /// Where a search goes on on disk [default: the system's directory for temporary files]
    #[arg(long, value_name = "DIR", requires = "max_memory", help_heading = LIMITS)]
    pub spill: Option<PathBuf>,
    /// Ends a search that makes the process larger than --max-memory, and uses no disk
    #[arg(long, requires = "max_memory", conflicts_with = "spill", help_heading = LIMITS)]
    pub no_spill: bool,
    /// What states are told apart by [default: exact if the model is packed, else fingerprint]
    #[arg(long, value_enum, value_name = "HOW", help_heading = SEARCH)]
    pub storage: Option<StoredAs>,
    /// Leaves states out of the models that are declared for it, and does not decide their liveness
    #[arg(long, value_enum, value_name = "HOW", help_heading = SEARCH)]
    pub reduce: Option<Reduce>,
    /// Audits the models in every state instead of a sample of them; takes several times as long
    ///
    /// Looks whether a model answers alike when it is asked twice, whether equal states have equal hashes and packed
    /// forms, and whether what it declares for --reduce is true. Otherwise the first 200 states are looked at, and each
    /// whose number is a multiple of 1,024.
    #[arg(long, help_heading = SEARCH)]
    pub audit_all: bool,
    /// Writes each search now and then, and when it ends early, to MODEL@VARIANT.checkpoint in here
    ///
    /// A search that is complete has its checkpoint removed.
    #[arg(long, value_name = "DIR", help_heading = LONG)]
    pub checkpoint: Option<PathBuf>,
    /// Time between two checkpoints of a search [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true, requires = "checkpoint", help_heading = LONG)]
    pub checkpoint_every: Option<Duration>,
    /// Goes on from the checkpoints that there are, to the same result; without one, begins
    #[arg(long, requires = "checkpoint", help_heading = LONG)]
    pub resume: bool,
    /// Uses so many threads instead of one on each core; the result does not depend on it
    #[arg(long, value_name = "COUNT", value_parser = threads, allow_negative_numbers = true, help_heading = SEARCH)]
    pub threads: Option<NonZeroUsize>,
    /// How the result is written to standard output, and the diagrams to the files of --out
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also saves each counterexample as MODEL@VARIANT.ID.json for `replay`, with its diagram beside it
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Shows every counterexample of a variant, not only the one that tells its story
    #[arg(long, conflicts_with = "quiet")]
    pub all_counterexamples: bool,
    /// Shows how often each kind of step was taken, which marks of a model were never reached, and which actions are fair
    #[arg(long)]
    pub coverage: bool,
    /// No progress line, and no diagrams of violations that are expected
    #[arg(long, short)]
    pub quiet: bool,
    /// Whether text is coloured
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// Arguments of `replay`; a larger program mounts them as a subcommand.
#[derive(Args, Clone, Debug, Default)]
pub struct ReplayArgs {
    /// A counterexample that `check --out` saved
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// No diagrams
    #[arg(long, short)]
    pub quiet: bool,
    /// Whether text is coloured
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// Arguments of `models`.
#[derive(Args, Clone, Debug, Default)]
pub struct ModelsArgs {
    /// What to list: a model in all its variants, or one variant; everything if nothing is named
    #[arg(value_name = "MODEL[@VARIANT]", value_parser = model_and_variant)]
    pub selection: Vec<String>,
    /// Whether text is coloured
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table and sequence diagrams, for people
    #[default]
    Text,
    /// One document of JSON; there is a JSON schema of it
    Json,
    /// Sequence diagrams in mermaid
    Mermaid,
}

/// When text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What states are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoredAs {
    /// By 64 bits of a hash; the report gives the chance that a state was missed
    Fingerprint,
    /// By 128 bits of a hash: twice the memory, and next to no chance
    Fingerprint128,
    /// By the words that they are packed into if the model is packed, else by whole states
    Exact,
}

/// How states are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reduce {
    /// Visits one of the states that differ only in the names of ids (`Model::symmetry`)
    Symmetry,
    /// Visits one of the orders of steps that make no difference (`Model::processes`)
    PartialOrder,
}

impl From<Reduce> for Reduction {
    fn from(reduce: Reduce) -> Self {
        match reduce {
            Reduce::Symmetry => Reduction::Symmetry,
            Reduce::PartialOrder => Reduction::PartialOrder,
        }
    }
}

/// A MiB in bytes.
const MIB: u64 = 1024 * 1024;
/// Time between two checkpoints: little enough to lose, and long beside the second that a large one takes.
const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);

impl CheckArgs {
    /// What the arguments say about how to check.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            limits: Limits {
                states: self.max_states,
                depth: self.max_depth,
                time: self.max_seconds,
                memory: self.max_memory.map(|mib| mib.saturating_mul(MIB)),
            },
            threads: self.threads,
            only: (!self.properties.is_empty()).then(|| self.properties.clone()),
            storage: self.storage,
            reduction: self.reduce.map(Reduction::from),
            audit_all: self.audit_all,
            spill: self.spill_directory(),
            checkpoints: self.checkpoint.as_ref().map(|directory| Checkpoints {
                directory: directory.clone(),
                every: self.checkpoint_every.unwrap_or(CHECKPOINT_EVERY),
                resume: self.resume,
            }),
        }
    }

    /// Where a search goes on on disk, if it may.
    fn spill_directory(&self) -> Option<PathBuf> {
        let may_spill = self.max_memory.is_some() && !self.no_spill;
        may_spill.then(|| self.spill.clone().unwrap_or_else(std::env::temp_dir))
    }
}

fn name_and_value(argument: &str) -> Result<(String, u64), String> {
    let (name, value) = argument.split_once('=').ok_or("expected NAME=VALUE, such as messages=2")?;
    if name.is_empty() {
        return Err("a bound needs a name: NAME=VALUE".to_owned());
    }
    let value = whole_number(value, u64::MAX, || format!("`{value}` is not a whole number"))?;
    Ok((name.to_owned(), value))
}

/// A selection, as far as it can be judged without the registry.
fn model_and_variant(argument: &str) -> Result<String, String> {
    match argument.split('@').collect::<Vec<_>>()[..] {
        [""] | ["", ""] => Err("a model needs a name: MODEL or MODEL@VARIANT".to_owned()),
        [_, ""] => Err("a variant needs a name: MODEL@VARIANT, or MODEL for all of them".to_owned()),
        [] | [_] | [_, _] => Ok(argument.to_owned()),
        [_, _, ..] => Err("there is one `@`, between the model and the variant: MODEL@VARIANT".to_owned()),
    }
}

fn states(argument: &str) -> Result<usize, String> {
    whole_number(argument, usize::MAX, || "expected a whole number, such as 1000000".to_owned())
}

fn steps(argument: &str) -> Result<usize, String> {
    whole_number(argument, usize::MAX, || "expected a whole number, such as 20".to_owned())
}

fn mebibytes(argument: &str) -> Result<u64, String> {
    let expected = || "expected a whole number of MiB, such as 8000".to_owned();
    let mebibytes = whole_number(argument, u64::MAX / MIB, expected)?;
    mebibytes.checked_mul(MIB).map(|_| mebibytes).ok_or_else(|| too_large(u64::MAX / MIB))
}

/// A number up to `most`, the largest of its type or of those that mean something.
fn whole_number<N>(argument: &str, most: N, expected: impl FnOnce() -> String) -> Result<N, String>
where
    N: FromStr<Err = ParseIntError> + Display,
{
    argument.parse().map_err(|error: ParseIntError| {
        if *error.kind() == IntErrorKind::PosOverflow { too_large(most) } else { expected() }
    })
}

fn too_large(most: impl Display) -> String {
    format!("the largest is {most}")
}

fn threads(argument: &str) -> Result<NonZeroUsize, String> {
    argument.parse().map_err(|_| "expected a number of threads, from 1 on".to_owned())
}

const EXPECTED_SECONDS: &str = "expected a number of seconds, such as 60 or 0.5";

fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds: f64 = argument.parse().map_err(|_| EXPECTED_SECONDS.to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| if seconds > 0.0 { too_large(u64::MAX) } else { EXPECTED_SECONDS.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<N: std::fmt::Debug>(parsed: Result<N, String>) -> String {
        parsed.expect_err("it is refused")
    }

    #[test]
    fn numbers_say_what_was_expected() {
        let (beyond, largest) = ("18446744073709551616", "the largest is 18446744073709551615");
        #[rustfmt::skip]
        let cases = [
            (refused(states("many")),               "expected a whole number, such as 1000000"),
            (refused(states("-1")),                 "expected a whole number, such as 1000000"),
            (refused(states("")),                   "expected a whole number, such as 1000000"),
            (refused(states(beyond)),               largest),
            (refused(steps("x")),                   "expected a whole number, such as 20"),
            (refused(mebibytes("1.5")),             "expected a whole number of MiB, such as 8000"),
            (refused(mebibytes("17592186044416")),  "the largest is 17592186044415"),
            (refused(mebibytes(beyond)),            "the largest is 17592186044415"),
            (refused(seconds("-1")),                "expected a number of seconds, such as 60 or 0.5"),
            (refused(seconds("NaN")),               "expected a number of seconds, such as 60 or 0.5"),
            (refused(seconds("1e30")),              largest),
            (refused(threads("-1")),                "expected a number of threads, from 1 on"),
            (refused(name_and_value("agents=x")),   "`x` is not a whole number"),
            (refused(name_and_value(&format!("agents={beyond}"))), largest),
            (refused(name_and_value("=3")),         "a bound needs a name: NAME=VALUE"),
            (refused(name_and_value("agents")),     "expected NAME=VALUE, such as messages=2"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
        assert_eq!((states("7"), mebibytes("17592186044415")), (Ok(7), Ok(17_592_186_044_415)));
        assert_eq!(
            (seconds("0.5"), name_and_value("agents=2")),
            (Ok(Duration::from_millis(500)), Ok(("agents".to_owned(), 2)))
        );
    }

    #[test]
    fn selection_has_a_model_and_at_most_one_variant() {
        let (no_model, no_variant) = (
            "a model needs a name: MODEL or MODEL@VARIANT",
            "a variant needs a name: MODEL@VARIANT, or MODEL for all of them",
        );
        let two = "there is one `@`, between the model and the variant: MODEL@VARIANT";
        #[rustfmt::skip]
        let cases = [
            ("",       Err(no_model)),   ("@",   Err(no_model)),
            ("door@",  Err(no_variant)), ("a@b@c", Err(two)), ("@@", Err(two)),
            ("door",   Ok("door")),      ("a@b", Ok("a@b")),  ("@b", Ok("@b")),
        ];
        for (argument, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(model_and_variant(argument), expected, "{argument}");
        }
    }
}
