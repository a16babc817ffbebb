//! The command `downbeat validate`: recorded traces, and which promises they show to be broken.

mod explained;
mod folder;
mod input;
mod journal;
mod json;
mod judge;
#[cfg(test)]
mod otlp_pages;
mod page;
mod source;
#[cfg(test)]
mod tests;
mod words;

use std::error::Error;
use std::io::{self, BufRead, IsTerminal, Write};
use std::iter;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use downbeat_explain::Settings;
use downbeat_saved::{CONVERSATION, WINDOW};
use downbeat_sim::diagram::Style;
use downbeat_sim::harness::{Outcome, by_ctrl_c};
use downbeat_trace::{Breach, Verdict};
pub use explained::OrderOf;
use explained::{End, Explanation, explained, explained_merged, settings};
use folder::Saved;
use judge::{Follow, Judged, Reading, judge, judge_merged, judge_spans};
use serde_json::Value;
pub use source::Input;

/// Why what comes once is not explained.
const ONCE: &str = "--explain reads a trace twice, and standard input and pipes come once: name a file";

/// Why spans are not explained.
const NO_ORDER: &str =
    "--explain is for traces and journals: spans do not say in which order things happened inside them";

/// Arguments of `validate`; a larger program mounts them as a subcommand.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ValidateArgs {
    /// Traces: files of JSON Lines in the schema of docs/trace.md, or of spans as OTLP JSON (docs/otlp.md), or journals of a shell; -
    /// is standard input. Or folders: the saved tasks of KiloCode, Roo-Code or Cline (docs/saved.md)
    #[arg(value_name = "TRACE", required = true)]
    pub traces: Vec<String>,
    /// Nothing comes after what is there: what has not ended by then never will
    #[arg(long, conflicts_with = "follow")]
    pub whole: bool,
    /// Waits for more at the end, and tells of each broken promise at once, as text; Ctrl-C ends it
    #[arg(long)]
    pub follow: bool,
    /// The traces are of one system, and judged as one, in the order of their times; also for one whose lines are in no order
    #[arg(long, conflicts_with_all = ["follow", "settings"])]
    pub merge: bool,
    /// Whether some run of the kernel explains it, with the steps that nobody wrote down
    #[arg(long, conflicts_with = "follow")]
    pub explain: bool,
    /// In which order its events happened, for --explain
    #[arg(long, value_enum, default_value_t, requires = "explain")]
    pub order: OrderOf,
    /// How far clocks are apart at most, in milliseconds, for --order times
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = milliseconds, requires = "explain")]
    pub apart: f64,
    /// What the files are; without this, their first object tells
    #[arg(long, value_enum)]
    pub input: Option<Input>,
    /// The settings that a journal was written under, in JSON [default: those of its snapshot, else those by default]
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    pub format: ValidateFormat,
    /// No progress line
    #[arg(long, short)]
    pub quiet: bool,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ValidateFormat {
    /// A page with sequence diagrams, for people
    #[default]
    Text,
    /// One document of JSON
    Json,
    /// The sequence diagrams in mermaid, of traces and journals
    Mermaid,
}

/// Judges traces.
pub fn validate(args: &ValidateArgs) -> Outcome {
    if args.explain && args.format == ValidateFormat::Mermaid {
        return failed("--explain is shown as text or as JSON: leave `--format mermaid` out");
    }
    if args.follow && args.traces.len() > 1 {
        return failed("--follow waits at the end of one trace; name one");
    }
    let style = style();
    let (mut documents, mut outcomes) = (Vec::new(), Vec::new());
    let several: Vec<&[String]> =
        if args.merge { vec![&args.traces] } else { args.traces.chunks(1).collect() };
    let mut has_said = false;
    for traces in several {
        let told = match traces {
            [trace] if !args.merge => told(args, trace, style).map_err(|why| named(trace, &*why)),
            several => merged_told(args, several, style).map_err(|why| why.to_string()),
        };
        let told = match told {
            Ok(told) => told,
            Err(why) => {
                outcomes.push(failed(&why));
                continue;
            }
        };
        outcomes.extend(told.outcomes);
        match args.format {
            ValidateFormat::Text | ValidateFormat::Mermaid => {
                let gap = if has_said && !told.page.is_empty() { "\n" } else { "" };
                say(&format!("{gap}{}", told.page));
                has_said |= !told.page.is_empty();
            }
            ValidateFormat::Json => documents.push(told.document),
        }
        if told.is_interrupted {
            break;
        }
    }
    if args.format == ValidateFormat::Json {
        say(&format!("{:#}\n", serde_json::json!({ "version": 1, "traces": documents })));
    }
    outcomes.into_iter().max_by_key(|outcome| rank(*outcome)).unwrap_or(Outcome::AsExpected)
}

/// What is said of one input.
struct Told {
    outcomes: Vec<Outcome>,
    page: String,
    document: Value,
    is_interrupted: bool,
}

/// An error with the trace that it is about.
fn named(trace: &str, why: &dyn Error) -> String {
    let why = why.to_string();
    // Some errors name their place themselves.
    let trace = downbeat_past::name(Path::new(trace));
    if why.starts_with(&trace) { why } else { format!("{trace}: {why}") }
}

/// What is said of several as one.
fn merged_told(args: &ValidateArgs, traces: &[String], style: Style) -> Result<Told, Box<dyn Error>> {
    let of = |trace: &str, why: &str| io::Error::other(format!("{trace}: {why}"));
    if traces.iter().filter(|trace| *trace == input::STANDARD).count() > 1 {
        return Err("standard input comes once: name it once".into());
    }
    for trace in traces {
        let is_file = input::is_file(trace).map_err(|why| of(trace, &why.to_string()))?;
        if args.explain && !is_file {
            return Err(of(trace, ONCE).into());
        }
    }
    let opened = || {
        let open = |trace: &String| lines(trace, args.input).map_err(|why| of(trace, &why.to_string()));
        traces.iter().map(open).collect::<io::Result<Vec<_>>>()
    };
    let judged = judge_merged(traces.to_vec(), opened()?, reading(args));
    let mut explanation = None;
    if args.explain {
        let settings = settings(args.order, args.apart, judged.is_whole);
        explanation = Some(explained_merged(opened()?, settings));
    }
    Ok(judged_told(args.format, &judged, explanation.as_ref(), style))
}

/// The lines of a trace that is read with others.
fn lines(trace: &str, input: Option<Input>) -> io::Result<Box<dyn BufRead>> {
    let no_lines =
        |what: &str| Err(io::Error::other(format!("--merge puts lines in order, and this is {what}")));
    let path = Path::new(trace);
    if trace != input::STANDARD && path.is_dir() {
        return no_lines("a folder");
    }
    if input.is_none() && input::is_file(trace)? && journal::is_database(path)? {
        return no_lines("a journal, which is one trace already");
    }
    let (seen, bytes) = source::look(input::open(trace, by_ctrl_c())?)?;
    match input.unwrap_or(seen) {
        Input::Trace => Ok(Box::new(bytes)),
        Input::Otlp => no_lines("spans, which have their times: join their files, and leave --merge out"),
    }
}

fn told(args: &ValidateArgs, trace: &str, style: Style) -> Result<Told, Box<dyn Error>> {
    let path = Path::new(trace);
    if trace != input::STANDARD && path.is_dir() {
        return folder_told(args, path);
    }
    if args.input.is_none() && is_of_a_task(path) {
        return Err("it is a file of a saved task: name its folder".into());
    }
    let is_on_a_server = downbeat_past::is_on_a_server(path);
    let is_file = !is_on_a_server && input::is_file(trace)?;
    if args.explain && !is_file && !is_on_a_server {
        return Err(ONCE.into());
    }
    let is_journal = is_on_a_server || is_file && args.input.is_none() && journal::is_database(path)?;
    if !is_journal {
        if args.settings.is_some() {
            return Err("--settings is for journals of a shell, and this is none".into());
        }
        if args.explain && kind(args, trace)? == Input::Otlp {
            return Err(NO_ORDER.into());
        }
        let judged = judged(args, trace, style)?;
        let explanation = if args.explain { Some(explanation(args, trace)?) } else { None };
        return Ok(judged_told(args.format, &judged, explanation.as_ref(), style));
    }
    if args.follow {
        return Err("--follow waits for lines; a journal is read as it is now".into());
    }
    let mut all =
        Told { outcomes: Vec::new(), page: String::new(), document: Value::Null, is_interrupted: false };
    let mut documents = Vec::new();
    // What happens in one shard has nothing to do with another.
    let (journals, config) = journal::read(path, args.settings.as_deref(), args.whole, args.explain)?;
    let settings = Settings { config, ..settings(args.order, args.apart, args.whole) };
    for journal in journals {
        let end = if journal.is_cut { End::TooMany } else { End::Over };
        let is_explained = args.explain && journal.judged.error.is_none();
        let explanation = is_explained.then(|| Explanation::of(journal.events, settings, end));
        let told = judged_told(args.format, &journal.judged, explanation.as_ref(), style);
        all.outcomes.extend(told.outcomes);
        if !all.page.is_empty() {
            all.page.push('\n');
        }
        all.page += &told.page;
        documents.push(told.document);
    }
    all.document = serde_json::json!({ "journal": downbeat_past::name(path), "shards": documents });
    Ok(all)
}

/// Whether it is called as the files in a folder of a saved task.
fn is_of_a_task(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == CONVERSATION || name == WINDOW)
}

/// What is said of a folder of saved tasks.
fn folder_told(args: &ValidateArgs, path: &Path) -> Result<Told, Box<dyn Error>> {
    let of_traces = [
        ("--follow", args.follow),
        ("--explain", args.explain),
        ("--whole", args.whole),
        ("--input", args.input.is_some()),
        ("--settings", args.settings.is_some()),
    ];
    if args.format == ValidateFormat::Mermaid {
        return Err("saved tasks are shown as text or as JSON: leave `--format mermaid` out".into());
    }
    if let Some((name, _)) = of_traces.into_iter().find(|(_, is_given)| *is_given) {
        return Err(format!("{name} is for traces, and this is a folder of saved tasks").into());
    }
    let saved = Saved::of(path)?;
    Ok(Told {
        outcomes: vec![saved.outcome()],
        page: saved.page(),
        document: saved.document(&path.to_string_lossy()),
        is_interrupted: false,
    })
}

fn judged_told(
    format: ValidateFormat,
    judged: &Judged,
    explanation: Option<&Explanation>,
    style: Style,
) -> Told {
    let mut page = match format {
        ValidateFormat::Mermaid => page::diagrams(judged),
        ValidateFormat::Text | ValidateFormat::Json => page::page(judged, style),
    };
    let mut document = json::document(judged);
    if let Some(explanation) = explanation {
        page.push('\n');
        page += &explanation.page(style);
        document["explanation"] = explanation.document();
    }
    let outcomes = iter::once(outcome(judged)).chain(explanation.map(Explanation::outcome)).collect();
    Told { outcomes, page, document, is_interrupted: judged.is_interrupted }
}

/// What an input is, as far as it can be read twice.
fn kind(args: &ValidateArgs, trace: &str) -> io::Result<Input> {
    match args.input {
        Some(input) => Ok(input),
        None => Ok(source::look(input::open(trace, by_ctrl_c())?)?.0),
    }
}

fn reading(args: &ValidateArgs) -> Reading<'static> {
    Reading {
        follow: if args.follow { Follow::Flows } else { Follow::No },
        is_whole: args.whole,
        shows_progress: !args.quiet,
        interrupt: by_ctrl_c(),
    }
}

fn judged(args: &ValidateArgs, trace: &str, style: Style) -> io::Result<Judged> {
    let mut reading = reading(args);
    if args.follow && input::is_file(trace)? {
        reading.follow = Follow::Grows;
    }
    let tell = |breach: &Breach| {
        if args.format == ValidateFormat::Text {
            let property = breach.fault.property();
            let drawn = words::drawn(breach);
            say(&format!(
                "{}\n",
                downbeat_sim::diagram::text(property.id(), property.statement(), &drawn, style)
            ));
        }
    };
    let name = if trace == input::STANDARD { "standard input" } else { trace };
    let bytes = input::open(trace, reading.interrupt)?;
    either(name.to_owned(), bytes, args.input, reading, tell)
}

/// Judges what it is said to be, or what its first object tells.
fn either(
    name: String,
    bytes: impl BufRead,
    input: Option<Input>,
    reading: Reading<'_>,
    tell: impl FnMut(&Breach),
) -> io::Result<Judged> {
    let (seen, bytes) = source::look(bytes)?;
    match input.unwrap_or(seen) {
        Input::Trace => Ok(judge(name, bytes, reading, tell)),
        Input::Otlp if reading.follow != Follow::No => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "--follow waits for lines, and spans come out of order; leave it out, or say --input trace",
        )),
        Input::Otlp => Ok(judge_spans(name, bytes, reading)),
    }
}

/// Whether the kernel explains a trace.
fn explanation(args: &ValidateArgs, trace: &str) -> io::Result<Explanation> {
    let settings = settings(args.order, args.apart, args.whole);
    Ok(explained(input::open(trace, by_ctrl_c())?, settings))
}

/// How far clocks are apart.
fn milliseconds(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number of milliseconds is expected".to_owned())?;
    if number.is_finite() && number >= 0.0 { Ok(number) } else { Err("from 0".to_owned()) }
}

fn outcome(judged: &Judged) -> Outcome {
    let verdicts = judged.monitor.verdicts(judged.is_whole);
    let is = |is_such: fn(&Verdict) -> bool| verdicts.iter().any(|(_, verdict)| is_such(verdict));
    if judged.error.is_some() {
        return Outcome::Failed;
    }
    if is(|verdict| matches!(verdict, Verdict::Broken(_))) {
        return Outcome::Unexpected;
    }
    if judged.is_interrupted {
        return Outcome::Interrupted;
    }
    // Where events are missing, what is undecided may be so for that.
    let is_short = judged.monitor.gaps() > 0 || judged.lacks_end;
    let is_decided = is(|verdict| matches!(verdict, Verdict::Kept(_)));
    if is_short || !is_decided || is(|verdict| matches!(verdict, Verdict::Incomplete)) {
        return Outcome::Incomplete;
    }
    Outcome::AsExpected
}

/// Of several outcomes the one that the program ends with.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::AsExpected => 0,
        Outcome::Incomplete => 1,
        Outcome::Interrupted => 2,
        Outcome::Unexpected => 3,
        Outcome::Failed => 4,
    }
}

fn failed(why: &str) -> Outcome {
    let _ = writeln!(io::stderr(), "error: {why}");
    Outcome::Failed
}

fn style() -> Style {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !is_plain { Style::Ansi } else { Style::Plain }
}

/// Writes a result. Whoever does not read it to its end has what they wanted.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
