//! The `downbeat` program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use downbeat_sim::harness::{self, CheckArgs, ModelsArgs, ReplayArgs};

/// Checks models of agent-task orchestrators: their races, and what keeps them away.
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
    /// Steps saved counterexamples through their models again
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
    /// Lists models with their variants, bounds and properties
    Models(ModelsArgs),
}

const EXAMPLES: &str = "\
Examples:
  downbeat models                          what there is to check
  downbeat check                           everything, as in continuous integration
  downbeat check subtask-completion        one model in all its variants
  downbeat replay FILE                     whether a saved counterexample is one still";

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

Exit code:
  0  every file violates its property, as recorded
  1  some does not: its steps cannot be taken any more, or they violate nothing
  2  some could not be replayed: it is no saved counterexample, or its model does not exist";

fn main() -> ExitCode {
    let registry = downbeat_models::registry();
    match Program::parse().command {
        Command::Check(args) => harness::check(&args, &registry),
        Command::Replay(args) => harness::replay(&args, &registry),
        Command::Models(args) => harness::models(&args, &registry),
    }
}
