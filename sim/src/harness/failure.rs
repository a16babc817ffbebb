//! Why something, or nothing, was checked or replayed.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::arguments::CheckArgs;
use super::nearest::nearest;
use super::registry::{BoundsError, Variant};
use super::saved::SavedError;
use crate::check::{CheckError, Reduction};
use crate::diagram::{WIDTH, wrap};

/// Why a command has no result, or not all of it. The exit code is 2.
#[derive(Debug)]
pub enum Failure {
    /// Something was named that does not exist.
    Unknown {
        /// The model that it was to be of, or empty.
        of: String,
        /// What it was to be: `model`, `variant`, `property`, `bound`.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A variant was named where a model has to be.
    WithoutModel {
        /// The name.
        name: String,
        /// The variants of this name, as `MODEL@VARIANT`.
        meant: Vec<String>,
    },
    /// The property exists, and says nothing about what was selected: the bounds leave nothing to put it to the test, or
    /// it belongs to other variants.
    NotEvaluated {
        /// The property.
        id: String,
        /// What was selected: `MODEL@VARIANT`, or their number.
        selected: String,
        /// The models that have it within their default bounds. Empty if what was selected has it within its own.
        of: Vec<String>,
        /// The properties that are evaluated.
        evaluated: Vec<String>,
    },
    /// A bound was set more than once.
    BoundTwice {
        /// The bound.
        name: String,
    },
    /// A deep search was asked for, and no selected variant has one.
    NotDeep {
        /// The variants that have, as `MODEL@VARIANT`.
        deep: Vec<String>,
    },
    /// A bound has a value that a model cannot be built with.
    Bounds(BoundsError),
    /// The model contradicts itself.
    Model {
        /// `MODEL@VARIANT`.
        variant: String,
        /// How.
        error: CheckError,
        /// What would help, unless the error says it.
        advice: Option<&'static str>,
    },
    /// A reduction was asked for, and no selected variant is declared for it.
    Undeclared {
        /// Which one.
        reduction: Reduction,
        /// The variants that are, as `MODEL@VARIANT`.
        declared: Vec<String>,
    },
    /// A check would overwrite the checkpoints of searches that are not complete.
    Unfinished {
        /// Where they are.
        directory: PathBuf,
        /// The variants that are searched, as `MODEL@VARIANT`.
        of: Vec<String>,
    },
    /// In the directory of an option no file can be written.
    Directory {
        /// The option.
        option: &'static str,
        /// The directory.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file of `--out` could not be written.
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A saved counterexample could not be replayed.
    InFile {
        /// Where it is saved.
        path: PathBuf,
        /// Why.
        failure: Box<Failure>,
    },
    /// A file could not be read.
    Read(io::Error),
    /// A file is no saved counterexample.
    Saved(SavedError),
    /// Standard output could not be written.
    Output(io::Error),
}

impl Failure {
    /// Of a variant that could not be checked.
    pub(super) fn of_check(variant: &Variant, error: CheckError, args: &CheckArgs) -> Self {
        let is_below = |directory: &PathBuf| matches!(&error, CheckError::Disk { path, .. } if path.starts_with(directory));
        let advice = if args.checkpoint.as_ref().is_some_and(is_below) {
            Some(CHECKPOINT_ADVICE)
        } else {
            args.settings().spill.as_ref().is_some_and(is_below).then_some(SPILL_ADVICE)
        };
        Failure::Model { variant: variant.to_string(), error, advice }
    }
}

const CHECKPOINT_ADVICE: &str =
    "the checkpoint before, if there was one, is still there: make room, and go on with --resume";
const SPILL_ADVICE: &str = "--spill names another directory, and --no-spill ends a search instead";

/// The width of the formatter, or 100, is that of the lines of a list.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unknown { of, what, name, known } => {
                if of.is_empty() {
                    write!(f, "there is no {what} `{name}`")?;
                } else {
                    write!(f, "{of} has no {what} `{name}`")?;
                }
                if let Some(nearest) = nearest(name, known) {
                    write!(f, "; did you mean `{nearest}`?")?;
                }
                if known.is_empty() {
                    return write!(f, "\nthere is none at all");
                }
                list(f, "known", known)
            }
            Failure::WithoutModel { name, meant } => {
                write!(f, "`{name}` is a variant, not a model; did you mean `{}`?", meant.join("` or `"))
            }
            Failure::NotEvaluated { id, selected, of, evaluated } => {
                write!(f, "`{id}` is not evaluated for {selected}")?;
                if of.is_empty() {
                    write!(f, " within these bounds")?;
                } else {
                    write!(f, "; it is a property of {}", of.join(", "))?;
                }
                list(f, "evaluated", evaluated)
            }
            Failure::BoundTwice { name } => write!(f, "the bound `{name}` is set twice; set it once"),
            Failure::NotDeep { deep } => {
                write!(f, "no selected model has bounds for --deep")?;
                if deep.is_empty() {
                    return write!(f, "\nno model here has any; leave --deep out");
                }
                list(f, "deep", deep)
            }
            Failure::Bounds(error) => error.fmt(f),
            Failure::Model { variant, error, advice } => {
                write!(f, "{variant} cannot be checked: {error}")?;
                advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
            }
            Failure::Undeclared { reduction, declared } => {
                write!(f, "no selected model is declared for --reduce {reduction}")?;
                if declared.is_empty() {
                    return write!(f, "\nno model here declares it; leave --reduce out");
                }
                list(f, "declared", declared)
            }
            Failure::Unfinished { directory, of } => {
                let directory = directory.display();
                write!(
                    f,
                    "{directory} has checkpoints: --resume goes on from them; remove them to begin anew"
                )?;
                list(f, "of", of)
            }
            Failure::Directory { option, path, error } => {
                write!(
                    f,
                    "{option}: in `{}` no file can be written: {error}; name another directory",
                    path.display()
                )
            }
            Failure::File { path, error } => write!(f, "{} cannot be written: {error}", path.display()),
            Failure::InFile { path, failure } => {
                write!(f, "{}: {failure:width$}", path.display(), width = width(f))
            }
            Failure::Read(error) => write!(f, "cannot be read: {error}"),
            Failure::Saved(error) => error.fmt(f),
            Failure::Output(error) => write!(f, "the output cannot be written: {error}"),
        }
    }
}

/// Before the second line of a list and those after it.
const INDENT: usize = 2;

fn width(f: &fmt::Formatter<'_>) -> usize {
    f.width().unwrap_or(WIDTH)
}

/// Names on as many lines as they need.
fn list(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    let lines = wrap(&format!("{what}: {}", names.join(", ")), width(f).saturating_sub(INDENT));
    lines.iter().enumerate().try_for_each(|(number, line)| {
        let indent = if number == 0 { 0 } else { INDENT };
        write!(f, "\n{:indent$}{line}", "")
    })
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Failure::Unknown { .. }
            | Failure::WithoutModel { .. }
            | Failure::NotEvaluated { .. }
            | Failure::BoundTwice { .. }
            | Failure::NotDeep { .. }
            | Failure::Undeclared { .. }
            | Failure::Unfinished { .. } => None,
            Failure::Bounds(error) => Some(error),
            Failure::Model { error, .. } => Some(error),
            Failure::InFile { failure, .. } => Some(failure),
            Failure::Saved(error) => Some(error),
            Failure::File { error, .. }
            | Failure::Directory { error, .. }
            | Failure::Read(error)
            | Failure::Output(error) => Some(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}
