//! The commands `downbeat sim`, and `downbeat replay` for what it finds.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use downbeat_shell::fault::{self, Fault};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::explore::{
    End, Execution, ExploreError, Explorer, Extent, Progress, Report, Schedule, Search, Stop,
};
use downbeat_sim::harness::{Outcome, by_ctrl_c, grouped};
use serde_json::{Value, json};

use crate::marks::{Mark, Marks};
use crate::scenario::{CERTIFICATES, Certificate, INGREDIENTS, Scenario};
use crate::scene::Verdict;

/// Executions at random for each scenario, unless something else is asked for: some seconds for all of them.
const SEEDS: u64 = 1_000;

/// How many orders between steps a fault is expected to need.
const DEPTH: usize = 3;

/// Arguments of `sim`; a larger program mounts them as a subcommand.
#[derive(Args, Clone, Debug)]
pub struct SimArgs {
    /// What may happen, with + between: `child+message+kill`; the scenarios with a certificate if nothing is named
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<Scenario>,
    /// Every execution of each scenario, instead of some at random
    #[arg(long, conflicts_with_all = ["seeds", "seed"])]
    pub exhaustive: bool,
    /// So many executions at random of each scenario [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
    /// The seed that they are drawn from
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    /// No longer than this for each scenario, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time: Option<Duration>,
    /// A fault to plant in the shell
    #[arg(long, value_name = "NAME", value_parser = fault_of)]
    pub fault: Option<Fault>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    pub format: SimFormat,
    /// No progress line
    #[arg(long, short)]
    pub quiet: bool,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SimFormat {
    /// A table and sequence diagrams, for people
    #[default]
    Text,
    /// One document of JSON
    Json,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn fault_of(name: &str) -> Result<Fault, String> {
    Fault::ALL.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| {
        let names: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        format!("there is no such fault; there are: {}", names.join(", "))
    })
}

/// The ingredients of scenarios and the faults, as a help text has them.
pub fn sim_help() -> String {
    let mut help = String::from("A scenario is `task`, or some of these with + between them:\n");
    for ingredient in INGREDIENTS {
        let _ = writeln!(help, "  {:<9} {}", ingredient.name, ingredient.about);
    }
    help.push_str("\nFaults:\n");
    for fault in Fault::ALL {
        let _ = writeln!(help, "  {:<22} {}", fault.name(), fault.about());
    }
    help
}

/// What became of one scenario.
struct Run {
    scenario: Scenario,
    certificate: Option<Certificate>,
    report: Result<Report<Verdict>, ExploreError>,
}

/// What a run comes to.
enum Judgement {
    /// Every promise was kept, in what was seen.
    Kept,
    /// This promise was broken, first in this schedule.
    Broken(String, Schedule),
    /// Every promise was kept, and the certificate says that there are other executions.
    Uncertified(Certificate),
    /// Not everything was seen that was to be seen.
    Incomplete,
    /// Nothing can be said.
    Failed(String),
}

impl Run {
    fn judgement(&self) -> Judgement {
        let report = match &self.report {
            Ok(report) => report,
            Err(error) => return Judgement::Failed(error.to_string()),
        };
        if let Some((broken, seen)) = report.ends.iter().find_map(|(end, seen)| Some((broken(end)?, seen))) {
            return Judgement::Broken(broken, seen.first.clone());
        }
        if report.ends.contains_key(&End::CutOff) {
            return Judgement::Incomplete;
        }
        match (report.extent, self.certificate) {
            (Extent::Stopped(_), _) => Judgement::Incomplete,
            (Extent::Complete, Some(certificate)) if !certificate.fits(report) => {
                Judgement::Uncertified(certificate)
            }
            (Extent::Complete | Extent::Bounded(_) | Extent::Sampled, _) => Judgement::Kept,
        }
    }

    fn outcome(&self) -> Outcome {
        match self.judgement() {
            Judgement::Kept => Outcome::AsExpected,
            Judgement::Broken(..) | Judgement::Uncertified(_) => Outcome::Unexpected,
            Judgement::Failed(_) => Outcome::Failed,
            Judgement::Incomplete => match &self.report {
                Ok(report) if report.extent == Extent::Stopped(Stop::Interrupt) => Outcome::Interrupted,
                Ok(_) | Err(_) => Outcome::Incomplete,
            },
        }
    }
}

impl Certificate {
    fn fits(self, report: &Report<Verdict>) -> bool {
        (self.executions, self.longest) == (report.executions, report.longest)
    }
}

/// What an end breaks.
fn broken(end: &End<Verdict>) -> Option<String> {
    match end {
        End::Returned(Ok(_)) | End::CutOff => None,
        End::Returned(Err(property)) => Some((*property).to_owned()),
        End::Deadlocked(_) => Some("deadlock".to_owned()),
        End::Panicked { task, message } => Some(format!("{task} panicked: {message}")),
    }
}

/// Plays scenarios.
pub fn sim(args: &SimArgs) -> ExitCode {
    let marks = Marks::default();
    let chosen = chosen(&args.scenarios);
    let search = if args.exhaustive {
        Search::Exhaustive
    } else {
        // Whoever is ready is hardly ever late where all are as likely; by priorities, somebody is.
        Search::Pct { seed: args.seed, executions: args.seeds.unwrap_or(SEEDS), depth: DEPTH }
    };
    // What was found is played again here.
    fault::plant(args.fault);
    let page = Page::new(args.format, args.fault, args.quiet);
    page.begin(search);
    let runs = play(&chosen, search, args, &marks, &page);
    page.end(&runs, &marks);
    let missed = (runs.len() < chosen.len()).then_some(Outcome::Interrupted);
    let all = runs.iter().map(Run::outcome).chain(missed);
    all.max_by_key(|outcome| rank(*outcome)).unwrap_or(Outcome::AsExpected).into()
}

/// Plays scenarios, on as many threads as there are processors, and says what became of each in their order.
fn play(
    chosen: &[(Scenario, Option<Certificate>)],
    search: Search,
    args: &SimArgs,
    marks: &Marks,
    page: &Page,
) -> Vec<Run> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(chosen.len());
    let (report, reports) = mpsc::channel();
    let play_some = |report: mpsc::Sender<(usize, Run)>| {
        fault::plant(args.fault);
        while !by_ctrl_c().load(Ordering::Relaxed)
            && let place = next.fetch_add(1, Ordering::Relaxed)
            && let Some((scenario, certificate)) = chosen.get(place)
        {
            let certificate = certificate.filter(|_| args.exhaustive && args.fault.is_none());
            let found = explore(scenario, search, args, marks, page);
            let run = Run { scenario: scenario.clone(), certificate, report: found };
            // Whoever waits for it waits for all.
            let _ = report.send((place, run));
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            let report = report.clone();
            scope.spawn(|| play_some(report));
        }
        drop(report);
        let (mut runs, mut early) = (Vec::new(), BTreeMap::new());
        for (place, run) in reports {
            early.insert(place, run);
            while let Some(run) = early.remove(&runs.len()) {
                page.row(&run);
                runs.push(run);
            }
        }
        runs
    })
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

fn chosen(named: &[Scenario]) -> Vec<(Scenario, Option<Certificate>)> {
    let certificate =
        |scenario: &Scenario| CERTIFICATES.iter().find(|known| known.scenario == scenario.name()).copied();
    let certified = CERTIFICATES.iter().filter_map(|certificate| certificate.scenario.parse().ok());
    let all: Vec<Scenario> = if named.is_empty() { certified.collect() } else { named.to_vec() };
    all.into_iter().map(|scenario| (scenario.clone(), certificate(&scenario))).collect()
}

fn explore(
    scenario: &Scenario,
    search: Search,
    args: &SimArgs,
    marks: &Marks,
    page: &Page,
) -> Result<Report<Verdict>, ExploreError> {
    let scene = scenario.scene();
    let program = |world| scene.play(world, marks.clone());
    let progress = |progress: &Progress| page.progress(scenario, progress);
    let mut explorer = Explorer::new(program).without_classes().interrupt(by_ctrl_c()).progress(progress);
    if let Some(time) = args.time {
        explorer = explorer.time(time);
    }
    explorer.explore(search)
}

/// Where the result goes.
struct Page {
    format: SimFormat,
    /// The fault that is planted.
    fault: Option<Fault>,
    /// Whether a line of progress is shown.
    shows_progress: bool,
}

impl Page {
    fn new(format: SimFormat, fault: Option<Fault>, is_quiet: bool) -> Self {
        Self { format, fault, shows_progress: !is_quiet && io::stderr().is_terminal() }
    }

    fn begin(&self, search: Search) {
        if self.format == SimFormat::Text {
            let what = if search == Search::Exhaustive { "every execution" } else { "executions at random" };
            say(&format!(
                "{:42} {:>11} {:>12} {:>8} {:>8}\n",
                what, "executions", "steps", "longest", "seconds"
            ));
        }
    }

    fn progress(&self, scenario: &Scenario, progress: &Progress) {
        if self.shows_progress {
            let (executions, rate) = (grouped(progress.executions), progress.rate());
            // Whoever does not read it loses nothing.
            let _ = write!(
                io::stderr(),
                "\r\x1b[K{}  {executions} executions, {rate:.0} a second",
                scenario.name()
            );
        }
    }

    fn row(&self, run: &Run) {
        if self.shows_progress {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        if self.format == SimFormat::Json {
            return;
        }
        let (mark, words) = match run.judgement() {
            Judgement::Kept => ('✓', None),
            Judgement::Broken(broken, _) => ('✗', Some(format!("broken: {broken}"))),
            Judgement::Uncertified(known) => (
                '✗',
                Some(format!(
                    "the certificate has {} executions, and {} steps in the longest: if the shell or the world has changed, so has it (models/world/src/scenario.rs)",
                    grouped(known.executions),
                    known.longest
                )),
            ),
            Judgement::Incomplete => ('?', None),
            Judgement::Failed(why) => ('✗', Some(why)),
        };
        let mut row = format!("{mark}  {:<39}", run.scenario.name());
        if let Ok(report) = &run.report {
            let Report { executions, steps, longest, elapsed, .. } = report;
            let _ = write!(
                row,
                " {:>11} {:>12} {longest:>8} {:>8.2}",
                grouped(*executions),
                grouped(*steps),
                elapsed.as_secs_f64()
            );
            if let Extent::Stopped(_) = report.extent {
                let _ = write!(row, "  {}", report.extent);
            }
        }
        if let Some(words) = words {
            let _ = write!(row, "  {words}");
        }
        say(&format!("{row}\n"));
    }

    fn end(&self, runs: &[Run], marks: &Marks) {
        match self.format {
            SimFormat::Json => {
                let hit: Vec<_> = marks.so_far().into_iter().map(Mark::about).collect();
                let runs: Vec<_> = runs.iter().map(|run| document(run, self.fault)).collect();
                say(&format!("{:#}\n", json!({ "version": 1, "scenarios": runs, "marks": hit })));
            }
            SimFormat::Text => runs.iter().for_each(|run| told(run, self.fault)),
        }
    }
}

fn document(run: &Run, fault: Option<Fault>) -> Value {
    let mut document = json!({ "scenario": run.scenario.name() });
    if let Ok(report) = &run.report {
        document["extent"] = report.extent.to_string().into();
        document["executions"] = report.executions.into();
        document["steps"] = report.steps.into();
        document["longest"] = report.longest.into();
        document["seconds"] = report.elapsed.as_secs_f64().into();
    }
    match run.judgement() {
        Judgement::Kept => document["result"] = "kept".into(),
        Judgement::Incomplete => document["result"] = "incomplete".into(),
        Judgement::Failed(why) => {
            document["result"] = "failed".into();
            document["error"] = why.into();
        }
        Judgement::Uncertified(known) => {
            document["result"] = "uncertified".into();
            document["certified"] = known.executions.into();
        }
        Judgement::Broken(property, schedule) => {
            document["result"] = "broken".into();
            document["property"] = property.into();
            let schedule = smallest(&run.scenario, &schedule).schedule;
            let recording = Recording { scenario: run.scenario.clone(), fault, schedule };
            document["replay"] = recording.to_string().into();
        }
    }
    document
}

/// The diagram of what was found, and the command that shows it again.
fn told(run: &Run, fault: Option<Fault>) {
    let Judgement::Broken(broken, schedule) = run.judgement() else { return };
    let found = smallest(&run.scenario, &schedule);
    let name = format!("{}: {broken} is broken", run.scenario.name());
    say(&format!("\n{}", diagram::behaviour(&name, &found.story, Style::Plain)));
    let recording = Recording { scenario: run.scenario.clone(), fault, schedule: found.schedule };
    say(&format!("to see it again: downbeat replay '{recording}'\n"));
}

/// A small execution with the same end.
fn smallest(scenario: &Scenario, schedule: &Schedule) -> Execution<Verdict> {
    let scene = scenario.scene();
    let explorer = Explorer::new(|world| scene.play(world, Marks::default()));
    let small = explorer.minimize(schedule).unwrap_or_else(|_| schedule.clone());
    explorer.replay(&small).expect("it was found in this scenario")
}

/// What `sim` has found, as `replay` takes it: the scenario, the fault that was planted if one was, and the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    scenario: Scenario,
    fault: Option<Fault>,
    schedule: Schedule,
}

impl Recording {
    /// Whether this is meant to be one, and if it is, what it says.
    pub fn read(text: &str) -> Option<Result<Self, String>> {
        let (what, schedule) = text.split_once(" seed=")?;
        Some(Self::parse(what, &format!("seed={schedule}")))
    }

    fn parse(what: &str, schedule: &str) -> Result<Self, String> {
        let (scenario, fault) = match what.split_once(" fault=") {
            Some((scenario, fault)) => (scenario, Some(fault_of(fault)?)),
            None => (what, None),
        };
        let scenario = scenario.parse::<Scenario>().map_err(|error| error.to_string())?;
        let schedule = schedule.parse::<Schedule>().map_err(|error| error.to_string())?;
        Ok(Self { scenario, fault, schedule })
    }

    /// Draws it. As expected if a promise is broken in it.
    pub fn replay(&self) -> Outcome {
        fault::plant(self.fault);
        let scene = self.scenario.scene();
        match Explorer::new(|world| scene.play(world, Marks::default())).replay(&self.schedule) {
            Ok(execution) => {
                let name = match broken(&execution.end) {
                    Some(broken) => format!("{self}: {broken} is broken"),
                    None => format!("{self}: every promise is kept"),
                };
                say(&diagram::behaviour(&name, &execution.story, Style::Plain));
                if broken(&execution.end).is_some() { Outcome::AsExpected } else { Outcome::Unexpected }
            }
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: {self}: {error}");
                Outcome::Failed
            }
        }
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scenario.name())?;
        if let Some(fault) = self.fault {
            write!(f, " fault={}", fault.name())?;
        }
        write!(f, " {}", self.schedule)
    }
}

/// Writes a result. Whoever does not read it to its end has what they wanted.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
