//! The `downbeat` program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use downbeat_demo::{DemoArgs, demo};
use downbeat_past::PastArgs;
use downbeat_sim::harness::{self, CheckArgs, Format, ModelsArgs, ReplayArgs};
use downbeat_validate::{ValidateArgs, validate};
use downbeat_world::{SimArgs, sim, sim_help};

/// Checks models of agent-task orchestrators, their races and what keeps them away, and shows an orchestrator at work.
#[derive(Parser)]
#[command(name = "downbeat", version, after_help = EXAMPLES)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks models and compares what is found with what is expected
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Box<CheckArgs>),
    /// Plays scenarios with the shell that ships, in a simulated world, at random or every execution
    Sim(Box<SimArgs>),
    /// Steps saved counterexamples through their models again, draws what `sim` has found, and travels through journals
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(Box<ReplayAny>),
    /// Judges recorded traces: which promises they show to be kept or broken, and what they cannot tell
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Lists models with their variants, bounds and properties
    Models(ModelsArgs),
    /// Runs trees of tasks against a simulated provider, and shows them live
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(DemoArgs),
}

/// What is replayed: files and recordings, or a journal.
#[derive(Args)]
struct ReplayAny {
    #[command(flatten)]
    saved: ReplayArgs,
    #[command(flatten)]
    past: PastArgs,
}

const EXAMPLES: &str = "\
Examples:
  downbeat models                          what there is to check
  downbeat check                           everything, as in continuous integration
  downbeat check subtask-completion        one model in all its variants
  downbeat replay FILE                     whether a saved counterexample is one still
  downbeat replay --journal DB             what a service does, and why each task waits
  downbeat sim                             the shell itself, at random
  downbeat sim --exhaustive                every execution of the shell in small scenarios
  downbeat validate trace.jsonl            a recorded trace: what went wrong, and when
  downbeat demo                            trees of tasks at work on a simulated provider";

const SIM_EXAMPLES: &str = "\
Examples:
  downbeat sim                             each scenario with a certificate, 1,000 executions at random
  downbeat sim --seeds 100000 --seed 7     more, and others
  downbeat sim --exhaustive                every execution, and whether they are as certified
  downbeat sim child+token+kill            a scenario of one's own
  downbeat sim tool+cancel --exhaustive --fault sends-run-on

Exit code:
  0    every promise was kept, in what was to be seen
  1    some promise was broken, or something is otherwise than certified
  2    wrong usage, or the shell or the world shares something past the seam
  3    the time was over before all was seen; what was seen kept every promise
  130  Ctrl-C came before the end; what was seen kept every promise";

const CHECK_EXAMPLES: &str = "\
Examples:
  downbeat check                           everything within the default bounds
  downbeat check MODEL@VARIANT             one variant, with the counterexample that tells its story
  downbeat check MODEL --bound messages=2  with another number of something
  downbeat check MODEL --deep              within deeper bounds, for minutes
  downbeat check MODEL --property S1       one property
  downbeat check --format json             for machines
  downbeat check --out traces              and files for each counterexample, to replay
  downbeat check --checkpoint DIR          a long search, which Ctrl-C ends; --resume goes on
  downbeat check --max-memory 8000         on disk beyond 8 GB

Marks before the rows of the table:
  ✓  every property came out as expected
  ✗  some property did not, or the variant could not be checked
  ?  incomplete: a limit ended the search, or left something undecided

Ctrl-C ends the search and prints what was found; a second one ends the program at once.

Exit code:
  0    every property came out as expected
  1    some property did not
  2    wrong usage, a wrong model, or files that cannot be used; what could be checked was
  3    a limit ended a search, or liveness was left out (--reduce, --max-memory); nothing is
       otherwise than expected
  130  Ctrl-C came before everything was checked";

const REPLAY_EXAMPLES: &str = "\
Examples:
  downbeat check MODEL@VARIANT --out traces          saves every counterexample that is found
  downbeat replay traces/MODEL@VARIANT.S1.json       takes its steps in the model as it is now
  downbeat replay traces/*.json --quiet              many of them, without diagrams
  downbeat replay FILE --format mermaid              as another diagram
  downbeat replay 'kill broke=S2 seed=0x0 12:1'      plays what `sim` has found, in its own words
  downbeat replay --journal DB                       tasks that live, and why each of them waits
  downbeat replay --journal DB --task 7 --tree       each line about a task and its subtasks
  downbeat replay --journal DB --at 120              the state before line 120 and after it
  downbeat replay --journal DB --task 7 --export test > tests/task_7.rs
  downbeat replay --journal DB --task 7 --export tree > task-7.jsonl
  downbeat replay task-7.jsonl                       steps through the events again
  downbeat replay --journal DB --task 7 --export scenario   what happened, as a scenario of `sim`

A journal is read as it is, also while its service runs: no lease is taken, and nothing in it changes.
Words of people and models are shown with --words alone.

Exit code:
  0  every file, or schedule, violates its property, as recorded; a tree comes to what was recorded;
     a journal is sound
  1  some does not: its steps cannot be taken any more, or they violate nothing, or another one;
     a journal has lines that do not follow from those before, or leads to another state than its
     snapshot, or to one that contradicts itself
  2  some could not be replayed: it is no saved counterexample, or its model does not exist; a
     journal cannot be read, or has no such task or line";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  downbeat validate trace.jsonl            which promises it shows to be broken, with diagrams
  my-orchestrator --log | downbeat validate -
  downbeat validate trace.jsonl --whole    nothing comes after it: what is open never ends
  downbeat validate trace.jsonl --follow   while it is being written; Ctrl-C ends it
  downbeat validate a.jsonl b.jsonl --merge  logs of one system as one, by their times
  downbeat validate trace.jsonl --explain  whether some run of the kernel explains it
  downbeat validate spans.json             spans of OpenTelemetry, as OTLP JSON
  downbeat validate journal.db             the journal of a shell
  downbeat validate .../globalStorage      saved tasks of KiloCode, Roo-Code or Cline
  downbeat validate .../tasks/TASK         one of them, with all that is found
  downbeat validate trace.jsonl --format json

A promise is decided if the trace has the kinds of events that it is about; for the others the page
says what is missing. A kind that a trace has at all is taken to be there wherever it happened.

Exit code:
  0    every promise that the trace puts to the test was kept
  1    some promise was broken, a saved task has a fault that is proven, or the kernel explains it not
  2    wrong usage, or a trace that cannot be read to its end
  3    nothing was broken, and a bound kept something out, something is missing, or nothing was put
       to the test
  130  Ctrl-C came before the end; nothing was broken by then";

const DEMO_EXAMPLES: &str = "\
Examples:
  downbeat demo                            a dozen trees, stored in ./downbeat-demo
  downbeat demo                            again, after Ctrl-C or kill -9: goes on where it was
  downbeat demo --fresh --speed 10         anew, ten times as fast
  downbeat demo --tasks 1000 --live 100    many trees, a hundred at once
  downbeat demo --store DIR                stored elsewhere
  downbeat demo --format json              for machines

What is simulated is the provider, the tools, the people and the login; the kernel, the shell and
the store are those that ship. The world remembers over all lives of the process what reached it,
and says at the end whether the promises were kept: no send twice, each result once, each end told.

The first Ctrl-C stops in an orderly way; a second one ends the program at once. A run that is over
makes room for the next one. NO_COLOR leaves colours out.

Exit code:
  0    every tree has ended, and every promise was kept
  1    some promise was broken
  2    wrong usage, or a store that cannot be used
  130  Ctrl-C came before the end; nothing was broken by then";

fn main() -> ExitCode {
    let registry = downbeat_models::registry;
    match program().command {
        Command::Check(args) => harness::check(&args, &registry()),
        Command::Replay(args) => replay(&args),
        Command::Validate(args) => validate(&args).into(),
        Command::Models(args) => harness::models(&args, &registry()),
        Command::Sim(args) => sim(&args),
        Command::Demo(args) => demo(&args).into(),
    }
}

/// Replays what there is to be replayed: a journal, exported trees, what `sim` has found, or what `check` has saved.
fn replay(ReplayAny { saved, past }: &ReplayAny) -> ExitCode {
    let is_exported = |file: &PathBuf| downbeat_past::is_exported(file);
    let are_exported = !saved.files.is_empty() && saved.files.iter().all(is_exported);
    if past.journal.is_none() && !are_exported {
        let registry = downbeat_models::registry();
        return downbeat_world::replay(saved)
            .map_or_else(|| harness::replay(saved, &registry), ExitCode::from);
    }
    let format = match saved.format {
        Format::Text => downbeat_past::Format::Text,
        Format::Json => downbeat_past::Format::Json,
        Format::Mermaid => {
            let refused =
                "journals and exported trees are shown as text or as JSON: leave `--format mermaid` out";
            Program::command().error(ErrorKind::ArgumentConflict, refused).exit();
        }
    };
    let code = if are_exported {
        downbeat_past::play(&saved.files, format)
    } else {
        downbeat_past::past(&PastArgs { is_quiet: saved.quiet, ..past.clone() }, format)
    };
    code.into()
}

/// What the command line asks for. The help of `sim` lists what there is. What is replayed is files, or a journal.
fn program() -> Program {
    let help = format!("{}\n{SIM_EXAMPLES}", sim_help());
    let command = Program::command().mut_subcommand("sim", |sim| sim.after_help(help));
    let command = command.mut_subcommand("replay", |replay| {
        replay.mut_arg("files", |files| {
            files.required(false).required_unless_present("journal").conflicts_with("journal")
        })
    });
    Program::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}
