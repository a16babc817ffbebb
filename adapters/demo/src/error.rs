//! Why the demo cannot go on, and what to do about it.

use downbeat_shell::ShellError;
use downbeat_store::StoreError;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the demo cannot go on.
#[derive(Debug)]
pub enum DemoError {
    /// A file or folder of the store cannot be made, read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another demo has the store.
    Held {
        /// The file that it has locked.
        path: PathBuf,
    },
    /// The folder has files that are not the demo's.
    Foreign {
        /// Which folder.
        folder: PathBuf,
        /// One of the files.
        file: PathBuf,
    },
    /// A line of what the outside remembers cannot be read.
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// What the outside remembers begins with something else than a run of this version.
    Newer {
        /// Which file.
        path: PathBuf,
    },
    /// The stored run has other settings.
    Other {
        /// Which folder.
        folder: PathBuf,
        /// The option that differs.
        option: &'static str,
        /// What the stored run has.
        stored: String,
    },
    /// The stored run is over, and has broken a promise: what it left is worth a look.
    Broken {
        /// Which folder.
        folder: PathBuf,
    },
    /// One of the two files is there without the other.
    Torn {
        /// The one that is missing.
        path: PathBuf,
    },
    /// The journal cannot be read or written.
    Store {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The shell cannot go on.
    Shell {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        source: ShellError,
    },
    /// What is shown cannot be written.
    Output(io::Error),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(
                f,
                "`{}` cannot be used: {source}; check the permissions, or name another folder with --store",
                path.display()
            ),
            Self::Held { path } => write!(
                f,
                "another demo runs with `{}`; stop that one, or name another folder with --store",
                path.display()
            ),
            Self::Foreign { folder, file } => write!(
                f,
                "`{}` has files that are not of a demo, such as `{}`; name another folder with --store",
                folder.display(),
                file.display()
            ),
            Self::Damaged { path, line, source } => write!(
                f,
                "`{}` is damaged in line {line} ({source}); --fresh removes what is stored and begins anew",
                path.display()
            ),
            Self::Newer { path } => write!(
                f,
                "`{}` is not of a run of this version; use the version that wrote it, or begin anew with --fresh",
                path.display()
            ),
            Self::Other { folder, option, stored } => write!(
                f,
                "the run in `{}` is not over and has {option} {stored}; leave {option} out to go on with it, or begin anew with --fresh",
                folder.display()
            ),
            Self::Broken { folder } => write!(
                f,
                "the run in `{}` is over and has broken a promise; keep the folder for whoever looks into it and name another with --store, or begin anew with --fresh",
                folder.display()
            ),
            Self::Torn { path } => write!(
                f,
                "`{}` is missing, without which the run cannot go on; --fresh removes what is stored and begins anew",
                path.display()
            ),
            Self::Store { folder, source } => {
                write!(f, "{source}; or begin anew with --fresh (the store is `{}`)", folder.display())
            }
            Self::Shell { folder, source } => {
                write!(f, "{source}; or begin anew with --fresh (the store is `{}`)", folder.display())
            }
            Self::Output(source) => write!(f, "the output cannot be written: {source}"),
        }
    }
}

impl Error for DemoError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File { source, .. } | Self::Output(source) => Some(source),
            Self::Damaged { source, .. } => Some(source),
            Self::Store { source, .. } => Some(source),
            Self::Shell { source, .. } => Some(source),
            Self::Held { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Other { .. }
            | Self::Broken { .. }
            | Self::Torn { .. } => None,
        }
    }
}
