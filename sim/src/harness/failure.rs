//! Why nothing was checked.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::nearest::nearest;
use super::registry::BoundsError;
use crate::check::CheckError;

/// Why a command ended without a result. The exit code is 2.
#[derive(Debug)]
pub enum Failure {
    /// Something was named that does not exist.
    Unknown {
        /// What it was to be: `model`, `variant of door`, `property`, `bound`.
        what: String,
        /// The name.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A bound has a value that a model cannot be built with.
    Bounds(BoundsError),
    /// The model contradicts itself.
    Model {
        /// `MODEL@VARIANT`.
        variant: String,
        /// How.
        error: CheckError,
    },
    /// A file of `--out`, or the directory itself, could not be written.
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Standard output could not be written.
    Output(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unknown { what, name, known } => {
                write!(f, "there is no {what} `{name}`")?;
                if let Some(nearest) = nearest(name, known) {
                    write!(f, "; did you mean `{nearest}`?")?;
                }
                if known.is_empty() {
                    return write!(f, "\nthere is none at all");
                }
                write!(f, "\nknown: {}", known.join(", "))
            }
            Failure::Bounds(error) => error.fmt(f),
            Failure::Model { variant, error } => write!(f, "{variant} cannot be checked: {error}"),
            Failure::File { path, error } => write!(f, "{} cannot be written: {error}", path.display()),
            Failure::Output(error) => write!(f, "the output cannot be written: {error}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Failure::Unknown { .. } => None,
            Failure::Bounds(error) => Some(error),
            Failure::Model { error, .. } => Some(error),
            Failure::File { error, .. } | Failure::Output(error) => Some(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}
