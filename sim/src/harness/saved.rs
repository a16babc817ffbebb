//! A counterexample in a file of its own, as `docs/counterexample.schema.json` describes it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::json::{CounterexampleEntry, pretty};
use super::run::Run;
use crate::report::{Counterexample, PropertyReport};

/// What every such file names as its format.
const FORMAT: &str = "downbeat-counterexample";
/// The version that is written and read. A field that an older reader may ignore is no new version.
const VERSION: u64 = 1;

/// A counterexample to a property of a run. Ends with a line break.
pub(super) fn document(run: &Run, property: &PropertyReport, counterexample: &Counterexample) -> String {
    pretty(&Document {
        format: FORMAT.into(),
        version: VERSION,
        model: run.model.into(),
        variant: run.variant.into(),
        bounds: run.bounds.iter().map(|(name, value)| (name.into(), value)).collect(),
        property: PropertyName { id: property.id.into(), name: property.name.into() },
        counterexample: CounterexampleEntry::of(counterexample),
    })
}

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    format: Cow<'a, str>,
    version: u64,
    model: Cow<'a, str>,
    variant: Cow<'a, str>,
    bounds: BTreeMap<Cow<'a, str>, u64>,
    property: PropertyName<'a>,
    counterexample: CounterexampleEntry<'a>,
}

#[derive(Serialize, Deserialize)]
struct PropertyName<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
}

/// What tells a file of another kind or time from one that is read.
#[derive(Deserialize)]
struct Head {
    format: Option<String>,
    version: Option<u64>,
}

/// A counterexample with all that it takes to build its model again.
pub(super) struct Saved {
    pub(super) model: String,
    pub(super) variant: String,
    pub(super) bounds: Vec<(String, u64)>,
    /// The id.
    pub(super) property: String,
    pub(super) counterexample: Counterexample,
}

impl Saved {
    /// Reads a file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, SavedError> {
        let head: Head = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
            Category::Data => SavedError::Foreign,
            Category::Eof | Category::Syntax | Category::Io => SavedError::Syntax(error),
        })?;
        if head.format.as_deref() != Some(FORMAT) {
            return Err(SavedError::Foreign);
        }
        if let Some(version) = head.version.filter(|version| *version != VERSION) {
            return Err(SavedError::Version { version });
        }
        let document: Document<'_> = serde_json::from_slice(bytes).map_err(SavedError::Field)?;
        let entry = document.counterexample;
        let steps = entry.steps.len();
        if entry.length != steps {
            return Err(SavedError::Length { length: entry.length, steps });
        }
        if let Some(start) = entry.lasso_start.filter(|start| *start > steps) {
            return Err(SavedError::Loop { start, steps });
        }
        Ok(Saved {
            model: document.model.into_owned(),
            variant: document.variant.into_owned(),
            bounds: document.bounds.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
            property: document.property.id.into_owned(),
            counterexample: entry.into_counterexample(),
        })
    }
}

/// Why a file is no saved counterexample.
#[derive(Debug)]
pub enum SavedError {
    /// It is not JSON, or the end of it is missing.
    Syntax(serde_json::Error),
    /// It is JSON of something else.
    Foreign,
    /// It is of a version that this program does not read.
    Version {
        /// The version.
        version: u64,
    },
    /// A field is missing or is not what it should be.
    Field(serde_json::Error),
    /// There are more or fewer steps than it says.
    Length {
        /// What it says.
        length: usize,
        /// The steps that there are.
        steps: usize,
    },
    /// The loop begins behind the last step.
    Loop {
        /// The steps before the loop.
        start: usize,
        /// The steps that there are.
        steps: usize,
    },
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SavedError::Syntax(error) if error.is_eof() => write!(f, "not all of it is there: {error}"),
            SavedError::Syntax(error) => write!(f, "not JSON: {error}"),
            SavedError::Foreign => write!(f, "no saved counterexample: its `format` is not `{FORMAT}`"),
            SavedError::Version { version } => {
                return write!(
                    f,
                    "saved in version {version} of the format, and this program reads version {VERSION}; use the \
                     program that saved it, or save it again with `check --out DIR`"
                );
            }
            SavedError::Field(error) => write!(f, "damaged: {error}"),
            SavedError::Length { length, steps } => {
                write!(f, "damaged: its `length` is {length}, and it has {steps} steps")
            }
            SavedError::Loop { start, steps } => {
                write!(f, "damaged: its `lasso_start` is {start}, and it has {steps} steps")
            }
        }?;
        write!(f, "; save it again with `check --out DIR`")
    }
}

impl std::error::Error for SavedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SavedError::Syntax(error) | SavedError::Field(error) => Some(error),
            SavedError::Foreign
            | SavedError::Version { .. }
            | SavedError::Length { .. }
            | SavedError::Loop { .. } => None,
        }
    }
}
