//! The command `replay` for journals.

use crate::error::PastError;
use crate::export::{Tree, root_in};
use crate::place::{self, opened};
use crate::settings::Settings;
use crate::show::Show;
use crate::{exported, json, scenario};
use clap::{Args, ValueEnum};
use downbeat_kernel::TaskId;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Arguments of `replay` for journals; a larger program mounts them beside others.
#[derive(Args, Clone, Debug, Default)]
pub struct PastArgs {
    /// The journal of a shell, an SQLite file or a database of PostgreSQL (postgres://...); it may be in use. Without --task an overview
    #[arg(long, value_name = "DB", help_heading = JOURNALS)]
    pub journal: Option<PathBuf>,
    /// One task: each line about it, how it stands, and why it waits
    #[arg(long, value_name = "ID", requires = "journal", help_heading = JOURNALS)]
    pub task: Option<u64>,
    /// With its subtasks
    #[arg(long = "tree", requires = "task", conflicts_with = "at", help_heading = JOURNALS)]
    pub has_tree: bool,
    /// The first line that is shown; those before it are read
    #[arg(long, value_name = "LINE", requires = "task", conflicts_with = "at", help_heading = JOURNALS)]
    pub from: Option<u64>,
    /// The last line that is read
    #[arg(long, value_name = "LINE", requires = "journal", conflicts_with = "at", help_heading = JOURNALS)]
    pub until: Option<u64>,
    /// The state before a line and after it
    #[arg(long, value_name = "LINE", requires = "journal", help_heading = JOURNALS)]
    pub at: Option<u64>,
    /// One shard, from 0
    #[arg(long, value_name = "SHARD", requires = "journal", conflicts_with = "task", help_heading = JOURNALS)]
    pub shard: Option<u32>,
    /// The settings that the journal was written under, in JSON [default: those of its snapshot, else those by default]
    #[arg(long, value_name = "FILE", requires = "journal", help_heading = JOURNALS)]
    pub settings: Option<PathBuf>,
    /// With the words of people and models, which may be private
    #[arg(long, requires = "journal", help_heading = JOURNALS)]
    pub words: bool,
    /// The tree of the task, from its first line up to --until, without its words
    #[arg(long, value_enum, requires = "task", conflicts_with_all = ["at", "words", "from", "has_tree"], help_heading = JOURNALS)]
    pub export: Option<Export>,
    /// Whether lines and tasks are left out: set by whoever mounts this.
    #[arg(skip)]
    pub is_quiet: bool,
}

/// Under which the help has these arguments.
const JOURNALS: &str = "Journals";

/// What a tree is exported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Export {
    /// A test in Rust that plays the events into a kernel
    Test,
    /// A file of its events, that `replay FILE` steps through again
    Tree,
    /// The command that plays a scenario of `sim`, in which what happened in the tree may happen in every order
    Scenario,
}

/// How a journal is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// A line of JSON for each thing; there is a JSON schema of them.
    Json,
}

impl PastArgs {
    pub(crate) fn path(&self) -> &Path {
        self.journal.as_deref().unwrap_or(Path::new(""))
    }
}

/// Runs the command, and gives its exit code: 0 if the journal was shown and is sound, 1 if it breaks a promise or leads to a state
/// that contradicts itself, 2 if it cannot be read, or not be asked for like this.
pub fn past(args: &PastArgs, format: Format) -> u8 {
    let (mut out, mut err) = (BufWriter::new(io::stdout().lock()), io::stderr().lock());
    past_to(args, format, &mut out, &mut err)
}

/// The same, on other streams.
pub(crate) fn past_to(args: &PastArgs, format: Format, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let out = &mut Reader { out, is_gone: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let shown = match runtime {
        Ok(runtime) => runtime.block_on(run(args, format, out)),
        Err(error) => Err(PastError::Output(error)),
    };
    let error = shown.as_ref().err().map(ToString::to_string);
    let result = if format == Format::Json && args.export.is_none() {
        writeln!(out, "{}", json::result(error.as_deref()))
    } else {
        Ok(())
    };
    let shown = shown.and(result.and_then(|()| out.flush()).map_err(PastError::Output));
    match shown {
        Ok(()) => 0,
        Err(error) => {
            // A message that cannot be delivered leaves the exit code to tell.
            drop(if error.is_of_the_file() {
                writeln!(err, "error: {}: {error}", place::name(args.path()))
            } else {
                writeln!(err, "error: {error}")
            });
            if error.is_of_the_journal() { 1 } else { 2 }
        }
    }
}

/// Whoever reads what is shown. One that is gone misses the rest, and the exit code still tells.
struct Reader<'o> {
    out: &'o mut dyn Write,
    is_gone: bool,
}

impl Reader<'_> {
    fn unless_gone<T>(&mut self, written: io::Result<T>, otherwise: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_gone = true;
                Ok(otherwise)
            }
            other => other,
        }
    }
}

impl Write for Reader<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_gone {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.unless_gone(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = if self.is_gone { Ok(()) } else { self.out.flush() };
        self.unless_gone(flushed, ())
    }
}

async fn run(args: &PastArgs, format: Format, out: &mut dyn Write) -> Result<(), PastError> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && from > until
    {
        return Err(PastError::Backwards { from, until });
    }
    let store = opened(args.path()).await?;
    let settings = Settings::find(&*store, args.settings.as_deref()).await?;
    let mut show = Show { store: &*store, settings, args, format, out };
    let (Some(export), Some(task)) = (args.export, args.task.map(TaskId)) else { return show.run().await };
    let shard = show.shard_of(Some(task))?;
    let root = root_in(&mut show.follow(shard).await?, task).await?;
    let tree = Tree::read(&mut show.follow(shard).await?, root).await?;
    let text = match export {
        Export::Test => tree.test(),
        Export::Tree => exported::file(&tree),
        Export::Scenario => Ok(scenario::command(&tree, show.settings.config.pool.is_some())),
    };
    let text = text.map_err(|error| PastError::Output(error.into()))?;
    Ok(show.out.write_all(text.as_bytes())?)
}

/// Bytes by which an exported tree is known.
const HEAD_BYTES: u64 = 100;

/// Whether a file is an exported tree.
pub fn is_exported(path: &Path) -> bool {
    let mut begins = Vec::new();
    // What cannot be read is somebody else's to say.
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut begins));
    read.is_ok() && exported::is_meant(&String::from_utf8_lossy(&begins))
}

/// Steps through exported trees again, and gives the exit code: 0 if each comes to what was recorded, 1 if some does not, 2 if some
/// cannot be read.
pub fn play(paths: &[PathBuf], format: Format) -> u8 {
    play_to(paths, format, &mut io::stdout().lock(), &mut io::stderr().lock())
}

/// The same, on other streams.
pub(crate) fn play_to(paths: &[PathBuf], format: Format, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let (mut code, mut documents) = (0, Vec::new());
    let out = &mut Reader { out, is_gone: false };
    let mut say = |line: &str| {
        // What cannot be written leaves the exit code to tell.
        drop(writeln!(out, "{line}"));
    };
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(PastError::Input);
        match text.and_then(|text| exported::step_through(&text)) {
            Ok(played) => {
                code = code.max(u8::from(played.misfit.is_some()));
                let misfit = played.misfit.as_ref().map(ToString::to_string);
                match format {
                    Format::Text => {
                        let said = misfit.unwrap_or_else(|| format!("{} events, as recorded", played.events));
                        say(&format!("{}: tree of task {}: {said}", path.display(), played.root.0));
                    }
                    Format::Json => documents.push(json::exported(path, &played, misfit.as_deref())),
                }
            }
            Err(error) => {
                drop(writeln!(err, "error: {}: {error}", path.display()));
                code = 2;
            }
        }
    }
    if format == Format::Json {
        for document in documents {
            say(&document.to_string());
        }
    }
    code
}
