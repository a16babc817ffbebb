//! The command line of `check`, `replay` and `models`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
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
    #[arg(value_name = "MODEL[@VARIANT]")]
    pub selection: Vec<String>,
    /// Evaluates only this property; may be repeated
    #[arg(long = "property", value_name = "ID")]
    pub properties: Vec<String>,
    /// Builds the models with another number of something; may be repeated
    #[arg(long = "bound", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub bounds: Vec<(String, u64)>,
    /// Ends a search at more than so many distinct states
    #[arg(long, value_name = "COUNT", help_heading = LIMITS)]
    pub max_states: Option<usize>,
    /// Does not explore behaviours of more than so many steps
    #[arg(long, value_name = "STEPS", help_heading = LIMITS)]
    pub max_depth: Option<usize>,
    /// Ends a search after this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = LIMITS)]
    pub max_seconds: Option<Duration>,
    /// Lets a search hold so much in memory; beyond, it goes on on disk, without liveness
    ///
    /// What the search itself holds is counted, without what states own on the heap. Whole states that are compared
    /// (--storage exact, where they are not packed) and partial-order reduction cannot go to disk; such a search ends
    /// when the process is larger than this.
    #[arg(long, value_name = "MIB", help_heading = LIMITS)]
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
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "checkpoint", help_heading = LONG)]
    pub checkpoint_every: Option<Duration>,
    /// Goes on from the checkpoints that there are, to the same result; without one, begins
    #[arg(long, requires = "checkpoint", help_heading = LONG)]
    pub resume: bool,
    /// Uses so many threads instead of one on each core; the result does not depend on it
    #[arg(long, value_name = "COUNT", value_parser = threads, help_heading = SEARCH)]
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
    /// Shows how often each kind of step was taken, and which marks of a model were not come by
    #[arg(long)]
    pub coverage: bool,
    /// No progress, and no diagrams of violations that are expected
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
    #[arg(value_name = "MODEL[@VARIANT]")]
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

/// Time between two checkpoints: little enough to lose, and long beside the second that a large one takes.
const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);

impl CheckArgs {
    /// What the arguments say about how to check.
    pub(super) fn settings(&self) -> Settings {
        const MIB: u64 = 1024 * 1024;
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
    let value = value.parse().map_err(|error| format!("`{value}` is not a whole number: {error}"))?;
    Ok((name.to_owned(), value))
}

fn threads(argument: &str) -> Result<NonZeroUsize, String> {
    argument.parse().map_err(|_| "expected a number of threads, from 1 on".to_owned())
}

fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds: f64 =
        argument.parse().map_err(|_| "expected a number of seconds, such as 60 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
