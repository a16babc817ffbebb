//! The `downbeat` program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use downbeat_sim::harness::{self, CheckArgs, ModelsArgs};

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
    Check(CheckArgs),
    /// Lists models with their variants, bounds and properties
    Models(ModelsArgs),
}

const EXAMPLES: &str = "\
Examples:
  downbeat models                          what there is to check
  downbeat check                           everything, as in continuous integration
  downbeat check subtask-completion        one model in all its variants";

const CHECK_EXAMPLES: &str = "\
Examples:
  downbeat check                           everything within the default bounds
  downbeat check MODEL@VARIANT             one variant, with the counterexample that tells its story
  downbeat check MODEL --bound messages=2  with another number of something
  downbeat check MODEL --property S1       one property
  downbeat check --format json             for machines
  downbeat check --out traces              and one file for each counterexample

Exit code:
  0  every property came out as expected
  1  some property did not
  2  nothing was checked: wrong usage, or output that cannot be written
  3  a limit ended some search, and nothing is otherwise than expected";

fn main() -> ExitCode {
    let registry = downbeat_models::registry();
    match Program::parse().command {
        Command::Check(args) => harness::check(&args, &registry),
        Command::Models(args) => harness::models(&args, &registry),
    }
}
