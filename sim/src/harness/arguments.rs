//! The command line of `check`, `replay` and `models`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::run::Settings;
use crate::check::Limits;

/// Arguments of `check`; a larger program mounts them as a subcommand.
#[derive(Args, Clone, Debug, Default)]
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
    #[arg(long, value_name = "COUNT")]
    pub max_states: Option<usize>,
    /// Does not explore behaviours of more than so many steps
    #[arg(long, value_name = "STEPS")]
    pub max_depth: Option<usize>,
    /// Ends a search after this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub max_seconds: Option<Duration>,
    /// Ends a search that makes the process larger than this
    #[arg(long, value_name = "MIB")]
    pub max_memory: Option<u64>,
    /// Uses so many threads instead of one on each core; the result does not depend on it
    #[arg(long, value_name = "COUNT")]
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
        }
    }
}

fn name_and_value(argument: &str) -> Result<(String, u64), String> {
    let (name, value) = argument.split_once('=').ok_or("expected NAME=VALUE, such as messages=2")?;
    let value = value.parse().map_err(|error| format!("`{value}` is not a whole number: {error}"))?;
    Ok((name.to_owned(), value))
}

fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds: f64 =
        argument.parse().map_err(|_| "expected a number of seconds, such as 60 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
