//! Runs the tests of the kernel against every mutant of the kernel. See `docs/mutants.md`.

use clap::{Parser, ValueEnum};
use downbeat_tests::mutants::copy::{self, Places};
use downbeat_tests::mutants::report::{Report, Result as Found};
use downbeat_tests::mutants::run::{Fate, Manner, Suite};
use downbeat_tests::mutants::{Failure, Mutant, accepted};
use std::fs;
use std::io::{IsTerminal, stderr};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Mutates the kernel in every way that is known here, and says which mutants no test of the kernel catches.
///
/// Exit code 1: too few are caught, or some survivor is not accepted in docs/mutants.md. Exit code 2: no result.
#[derive(Parser)]
#[command(name = "mutants")]
struct Arguments {
    /// Only the mutants of this file, a path below kernel/src; may be given several times
    #[arg(long)]
    file: Vec<String>,
    /// Only the mutant with this number, with all that is known of it
    #[arg(long)]
    mutant: Option<u32>,
    /// Only the survivors of the last run: to see whether new tests catch them
    #[arg(long)]
    survivors: bool,
    /// Lists the mutants, and runs nothing
    #[arg(long)]
    list: bool,
    /// How the results are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How many test programs run at a time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Leaves out the tests that take longer than so many seconds: for a first look
    #[arg(long, default_value_t = 600)]
    longest: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables, and one line for each survivor that is not accepted
    Text,
    /// One object with every mutant
    Json,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether the kernel's tests are as good as they have to be.
fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let places = Places::of_this_workspace();
    let enumerated = copy::enumerate(&places)?;
    let chosen = chosen(arguments, &places, &enumerated.mutants)?;
    if arguments.list {
        for mutant in &chosen {
            println!("{mutant}");
        }
        return Ok(true);
    }
    let accepted =
        accepted::read(&fs::read_to_string(places.workspace.join("docs/mutants.md")).unwrap_or_default())?;
    let begun = Instant::now();
    let built = copy::build(&places, &enumerated)?;
    eprintln!("built in {} s", begun.elapsed().as_secs());
    let manner = Manner { jobs: arguments.jobs, longest: Duration::from_secs(arguments.longest) };
    let suite = Suite::record(built, &places, manner, &|done, of| progress("tests", done, of))?;
    let (tests, took) = (suite.tests().len(), suite.took().as_secs());
    eprintln!("{tests} tests take {took} s; recorded after {} s", begun.elapsed().as_secs());
    let is_accepted = |mutant: &&Mutant| accepted.iter().any(|accepted| accepted.is(&mutant.mutation));
    let expected = chosen.iter().filter(is_accepted).map(|mutant| mutant.number).collect();
    let done = AtomicUsize::new(0);
    let fates = suite.fates(&chosen, &expected, &|mutant, fate| {
        if matches!(fate, Fate::Survived | Fate::Unreached) && !expected.contains(&mutant.number) {
            eprintln!("{fate}: {mutant}");
        }
        progress("mutants", done.fetch_add(1, Ordering::Relaxed) + 1, chosen.len());
    })?;
    eprintln!("done after {} s", begun.elapsed().as_secs());
    let results: Vec<Found> =
        chosen.into_iter().zip(fates).map(|(mutant, fate)| Found { mutant, fate }).collect();
    let report = Report { results: &results, accepted: &accepted };
    remember(&places, &results)?;
    let stale = accepted::stale(&accepted, &enumerated.mutants);
    show(arguments, &report);
    for accepted in stale.iter().copied().chain(report.caught_after_all()) {
        eprintln!("accepted, and no survivor: {} {} {}", accepted.file, accepted.function, accepted.mutation);
    }
    Ok(report.total().is_enough()
        && report.unexplained().is_empty()
        && stale.is_empty()
        && report.caught_after_all().is_empty())
}

fn chosen(arguments: &Arguments, places: &Places, mutants: &[Mutant]) -> Result<Vec<Mutant>, Failure> {
    let survivors = if arguments.survivors {
        let path = places.copy.join("survivors.txt");
        let text = fs::read_to_string(&path).unwrap_or_default();
        Some(text.lines().map(str::to_owned).collect::<Vec<_>>())
    } else {
        None
    };
    let is_chosen = |mutant: &&Mutant| {
        let Mutant { number, mutation, .. } = mutant;
        arguments.mutant.is_none_or(|wanted| wanted == *number)
            && (arguments.file.is_empty() || arguments.file.contains(&mutation.file))
            && survivors.as_ref().is_none_or(|survivors| survivors.contains(&accepted::row(mutation, "")))
    };
    let chosen: Vec<Mutant> = mutants.iter().filter(is_chosen).cloned().collect();
    if chosen.is_empty() { Err(Failure::NoMutant) } else { Ok(chosen) }
}

fn remember(places: &Places, results: &[Found]) -> Result<(), Failure> {
    let survived = results.iter().filter(|found| matches!(found.fate, Fate::Survived | Fate::Unreached));
    let rows: Vec<String> = survived.map(|found| accepted::row(&found.mutant.mutation, "")).collect();
    let path = places.copy.join("survivors.txt");
    fs::write(&path, rows.join("\n")).map_err(|error| Failure::Io { of: path.display().to_string(), error })
}

fn show(arguments: &Arguments, report: &Report<'_>) {
    if arguments.format == Format::Json {
        println!("{}", report.json());
        return;
    }
    print!("{report}");
    if arguments.mutant.is_some() {
        for Found { mutant, fate } in report.results {
            println!("{mutant}\n{fate}");
        }
        return;
    }
    for found in report.unexplained() {
        let how = if found.fate == Fate::Unreached { "unreached" } else { "survived" };
        println!("{how}: {}", found.mutant);
    }
}

fn progress(what: &str, done: usize, of: usize) {
    let every = if stderr().is_terminal() { 1 } else { of / 50 };
    if done == of || done.is_multiple_of(every.max(1)) {
        eprint!(
            "{}{what}: {done} of {of}{}",
            if every == 1 { "\r" } else { "" },
            if every == 1 { "" } else { "\n" }
        );
    }
}
