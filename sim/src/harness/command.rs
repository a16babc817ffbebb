//! The commands `check`, `replay` and `models`.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};

use super::arguments::{CheckArgs, Color, Format, ModelsArgs, ReplayArgs};
use super::checks::Checks;
use super::counterexamples::{self, Shown};
use super::failure::Failure;
use super::registry::{Bounds, Registry, Variant};
use super::replays::{self, Replay};
use super::run::Run;
use super::table::Table;
use super::{files, interrupt, json, listing, meter, selection, text, unfinished};
use crate::check::{Reduction, notice};
use crate::diagram::{Style, WIDTH};
use crate::mermaid;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every property of every run came out as expected; every saved counterexample is one still. Exit code 0.
    AsExpected,
    /// Some property was decided otherwise than expected; some saved counterexample is none any more. Exit code 1.
    Unexpected,
    /// Something could not be checked, or nothing: wrong usage, a model that contradicts itself, files that cannot be
    /// used. Or some file could not be replayed. Exit code 2.
    Failed,
    /// Some run was not decided in full, by a limit or by the kind of search that was asked for, and nothing is
    /// otherwise than expected. Exit code 3.
    Incomplete,
    /// An interrupt ended it before everything was checked. Exit code 130.
    Interrupted,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Outcome::AsExpected => 0,
            Outcome::Unexpected => 1,
            Outcome::Failed => 2,
            Outcome::Incomplete => 3,
            Outcome::Interrupted => interrupt::EXIT_CODE,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome.code())
    }
}

/// Where a command writes.
pub struct Streams<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Messages about failures.
    pub err: &'a mut dyn Write,
    /// Whether `out` is a terminal that shows colours.
    pub colors: bool,
    /// Whether progress may be shown on the standard error of the process.
    pub progress: bool,
    /// Columns of the terminal that shows messages and progress; [`WIDTH`] if there is none.
    pub width: usize,
    /// The name of the program, for the commands that a text proposes.
    pub program: String,
    /// Its arguments, for the command that goes on with a search.
    pub arguments: Vec<String>,
    /// Asked when a check begins for what becomes true when it is to end soon; `None` if nothing ends it.
    pub interrupt: Option<fn() -> &'static AtomicBool>,
}

/// Checks models, and replays what was found.
#[derive(Parser)]
#[command(name = "check-models", about)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks models and compares what is found with what is expected
    Check(Box<CheckArgs>),
    /// Steps saved counterexamples through their models again
    Replay(ReplayArgs),
    /// Lists models with their variants, bounds and properties
    Models(ModelsArgs),
}

/// A whole program around a registry: parses the command line of the process and obeys it.
pub fn main(registry: &Registry) -> ExitCode {
    with_process_streams(|streams| main_from(std::env::args_os(), registry, streams))
}

/// As [`main`], with other arguments, the first of which is the name of the program, and other streams.
pub fn main_from(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    registry: &Registry,
    streams: &mut Streams<'_>,
) -> Outcome {
    match Program::try_parse_from(arguments) {
        Ok(Program { command: Command::Check(args) }) => check_to(&args, registry, streams),
        Ok(Program { command: Command::Replay(args) }) => replay_to(&args, registry, streams),
        Ok(Program { command: Command::Models(args) }) => models_to(&args, registry, streams),
        Err(error) => {
            let text =
                if streams.colors { error.render().ansi().to_string() } else { error.render().to_string() };
            let (stream, outcome): (&mut dyn Write, _) = if error.use_stderr() {
                (&mut *streams.err, Outcome::Failed)
            } else {
                (&mut *streams.out, Outcome::AsExpected)
            };
            // A message that cannot be delivered leaves the exit code to tell.
            stream.write_all(text.as_bytes()).map_or(Outcome::Failed, |()| outcome)
        }
    }
}

/// The command `check` on the streams of the process.
pub fn check(args: &CheckArgs, registry: &Registry) -> ExitCode {
    with_process_streams(|streams| check_to(args, registry, streams))
}

/// The command `replay` on the streams of the process.
pub fn replay(args: &ReplayArgs, registry: &Registry) -> ExitCode {
    with_process_streams(|streams| replay_to(args, registry, streams))
}

/// The command `models` on the streams of the process.
pub fn models(args: &ModelsArgs, registry: &Registry) -> ExitCode {
    with_process_streams(|streams| models_to(args, registry, streams))
}

/// The command `check`.
pub fn check_to(args: &CheckArgs, registry: &Registry, streams: &mut Streams<'_>) -> Outcome {
    let result = checked(args, registry, streams);
    report_failure(result, streams)
}

/// The command `replay`. A file that cannot be replayed keeps no other from it.
pub fn replay_to(args: &ReplayArgs, registry: &Registry, streams: &mut Streams<'_>) -> Outcome {
    let mut replays = Vec::new();
    let mut failed = false;
    for file in &args.files {
        match Replay::of(file, registry) {
            Ok(replay) => replays.push(replay),
            Err(failure) => {
                failed = true;
                report_failure(Err(failure), streams);
            }
        }
    }
    let text = match args.format {
        Format::Text => replays::text(&replays, args, &streams.program, style(args.color, streams)),
        Format::Json => json::replays(&replays, !failed),
        Format::Mermaid => replays::mermaid(&replays),
    };
    let outcome = if failed {
        Outcome::Failed
    } else if replays.iter().all(|replay| replay.result.is_ok()) {
        Outcome::AsExpected
    } else {
        Outcome::Unexpected
    };
    let written = streams.out.write_all(text.as_bytes()).and_then(|()| streams.out.flush());
    report_failure(written.map(|()| outcome).map_err(Failure::Output), streams)
}

/// The command `models`.
pub fn models_to(args: &ModelsArgs, registry: &Registry, streams: &mut Streams<'_>) -> Outcome {
    let style = style(args.color, streams);
    let result = selection::variants(registry, &args.selection).and_then(|variants| {
        let about = |model: &str| {
            registry.models().iter().find(|entry| entry.name == model).map_or("", |entry| entry.about)
        };
        streams.out.write_all(listing::of(&variants, about, style).as_bytes())?;
        Ok(Outcome::AsExpected)
    });
    report_failure(result, streams)
}

fn report_failure(result: Result<Outcome, Failure>, streams: &mut Streams<'_>) -> Outcome {
    result.unwrap_or_else(|failure| {
        // A message that cannot be delivered leaves the exit code to tell.
        drop(writeln!(streams.err, "error: {failure:width$}", width = streams.width));
        Outcome::Failed
    })
}

fn checked(args: &CheckArgs, registry: &Registry, streams: &mut Streams<'_>) -> Result<Outcome, Failure> {
    let style = style(args.color, streams);
    let named = selection::variants(registry, &args.selection)?;
    selection::assert_deep(registry, &named, args.deep)?;
    let mut variants = selection::with_bounds(&named, args.deep, &args.bounds)?;
    selection::retain_with_properties(registry, &mut variants, &args.properties)?;
    selection::assert_declared(registry, &variants, args.reduce.map(Reduction::from))?;
    assert_usable(args, &variants)?;
    let checks = Checks::of(&variants, args, &Table::of(&variants, style), streams)?;
    let rest = match args.format {
        Format::Text => text::of(&checks, args, &streams.program, style),
        Format::Json => json::document(&checks),
        Format::Mermaid => diagrams(&checks.runs, args),
    };
    streams.out.write_all(rest.as_bytes())?;
    streams.out.flush()?;
    let outcome = checks.outcome();
    let left = unfinished::text(&checks, args, streams);
    for failure in checks.failures(args) {
        report_failure(Err(failure), streams);
    }
    // As of every message: one that cannot be delivered leaves the exit code to tell.
    drop(streams.err.write_all(left.as_bytes()));
    Ok(outcome)
}

/// Finds out before the first search what would fail after it.
fn assert_usable(args: &CheckArgs, variants: &[(&Variant, Bounds)]) -> Result<(), Failure> {
    let settings = args.settings();
    let directories = [
        ("--out", args.out.as_ref()),
        ("--spill", settings.spill.as_ref()),
        ("--checkpoint", args.checkpoint.as_ref()),
    ];
    for (option, directory) in directories {
        if let Some(directory) = directory {
            files::assert_writable(option, directory)?;
        }
    }
    let Some(checkpoints) = settings.checkpoints.filter(|checkpoints| !checkpoints.resume) else {
        return Ok(());
    };
    let is_there = |(variant, bounds): &&(&Variant, Bounds)| checkpoints.of(variant, bounds).path.exists();
    let of: Vec<String> = variants.iter().filter(is_there).map(|(variant, _)| variant.to_string()).collect();
    let directory = checkpoints.directory;
    if of.is_empty() { Ok(()) } else { Err(Failure::Unfinished { directory, of }) }
}

/// Mermaid diagrams, each with a comment that names it, an empty line between them.
fn diagrams(runs: &[Run], args: &CheckArgs) -> String {
    let mut diagrams = Vec::new();
    for run in runs {
        for Shown { property, counterexample } in
            counterexamples::choose(run, args.all_counterexamples, args.quiet).shown
        {
            let (id, name) = (property.found.id, property.found.name);
            let diagram = mermaid::diagram(id, name, counterexample);
            let caveat = counterexamples::comment(run, property.found);
            diagrams.push(format!("%% {}@{} {id}\n{caveat}{diagram}", run.model, run.variant));
        }
    }
    diagrams.join("\n")
}

fn style(color: Color, streams: &Streams<'_>) -> Style {
    match color {
        Color::Always => Style::Ansi,
        Color::Auto if streams.colors => Style::Ansi,
        Color::Auto | Color::Never => Style::Plain,
    }
}

fn with_process_streams(command: impl FnOnce(&mut Streams<'_>) -> Outcome) -> ExitCode {
    let stdout = io::stdout();
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut streams = Streams {
        colors: stdout.is_terminal() && !is_set("NO_COLOR"),
        out: &mut Reader { stdout: stdout.lock(), is_gone: false },
        err: &mut io::stderr(),
        progress: io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|name| name != "dumb"),
        width: meter::columns().unwrap_or(WIDTH),
        program: program(),
        arguments: std::env::args().skip(1).collect(),
        interrupt: Some(interrupt::by_ctrl_c),
    };
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !notice(info) {
            hook(info);
        }
    }));
    command(&mut streams).into()
}

/// The name by which this program was called.
fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    Path::new(&path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Standard output, whose reader may go away. That is no failure: the rest is dropped, and the exit code still
/// tells what was found.
struct Reader<'a> {
    stdout: io::StdoutLock<'a>,
    is_gone: bool,
}

impl Reader<'_> {
    fn unless_gone<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_gone = true;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl Write for Reader<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_gone {
            return Ok(bytes.len());
        }
        let result = self.stdout.write(bytes);
        self.unless_gone(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_gone {
            return Ok(());
        }
        let result = self.stdout.flush();
        self.unless_gone(result, ())
    }
}
