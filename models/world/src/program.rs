//! The command `downbeat sim`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use downbeat_shell::fault::{self, Fault};
use downbeat_sim::explore::{End, ExploreError, Explorer, Extent, Progress, Report, Search, Seen, Stop};
use downbeat_sim::harness::{Outcome, by_ctrl_c};

use crate::breach::Breach;
use crate::certificate::Certificate;
use crate::certificates::CERTIFICATES;
use crate::marks::Marks;
use crate::page::Page;
use crate::scenario::{INGREDIENTS, Scenario};
use crate::verdict::Verdict;

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
    /// Every execution of each scenario, instead of some at random; of those with a certificate, if none is named, what that is of
    #[arg(long, conflicts_with_all = ["seeds", "seed", "deviations"])]
    pub exhaustive: bool,
    /// Every execution with at most so many deviations: choices other than the first
    #[arg(long, value_name = "N", conflicts_with_all = ["seeds", "seed"])]
    pub deviations: Option<usize>,
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
    #[arg(long, value_enum, default_value_t, requires_if("certificates", "exhaustive"))]
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
    /// What was seen, as certificates: with --exhaustive, to renew models/world/src/certificates.rs
    Certificates,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

pub(crate) fn fault_of(name: &str) -> Result<Fault, String> {
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

/// Which executions are seen of all scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extents {
    /// Every one, or what the certificate is of.
    Every,
    /// Those with few deviations.
    Few(usize),
    /// Some at random.
    Some,
}

impl Extents {
    fn of(args: &SimArgs) -> Self {
        match args.deviations {
            Some(most) => Self::Few(most),
            None if args.exhaustive => Self::Every,
            None => Self::Some,
        }
    }
}

/// One scenario, and how it is searched.
struct Plan {
    scenario: Scenario,
    search: Search,
    /// What it is compared with.
    certificate: Option<Certificate>,
}

/// What became of one scenario.
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    /// What it is compared with.
    certificate: Option<Certificate>,
    pub(crate) report: Result<Report<Verdict>, ExploreError>,
    /// What it has come across.
    pub(crate) marks: Marks,
}

/// What a run comes to.
pub(crate) enum Judgement {
    /// Every promise was kept, in what was seen.
    Kept,
    /// This promise was broken, and when that was seen.
    Broken(Breach, Seen),
    /// Every promise was kept, and these things are otherwise than certified.
    Uncertified(Vec<String>),
    /// Not everything was seen that was to be seen.
    Incomplete,
    /// Nothing can be said.
    Failed(String),
}

impl Run {
    pub(crate) fn judgement(&self) -> Judgement {
        let report = match &self.report {
            Ok(report) => report,
            Err(error) => return Judgement::Failed(error.to_string()),
        };
        if let Some((breach, seen)) =
            report.ends.iter().find_map(|(end, seen)| Some((Breach::of(end)?, seen)))
        {
            return Judgement::Broken(breach, seen.clone());
        }
        if report.ends.contains_key(&End::CutOff) {
            return Judgement::Incomplete;
        }
        if let Extent::Stopped(_) = report.extent {
            return Judgement::Incomplete;
        }
        let differences = self
            .certificate
            .map_or_else(Vec::new, |certificate| certificate.differences(report, &self.marks));
        if differences.is_empty() { Judgement::Kept } else { Judgement::Uncertified(differences) }
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

/// Plays scenarios.
pub fn sim(args: &SimArgs) -> ExitCode {
    if args.format == SimFormat::Certificates && args.fault.is_some() {
        let _ = writeln!(io::stderr(), "error: nothing is certified of a shell with a fault");
        return Outcome::Failed.into();
    }
    let plans = plans(args);
    let page = Page::new(args.format, Extents::of(args), args.fault, args.quiet);
    page.begin();
    let runs = play(&plans, args, &page);
    page.end(&runs);
    let missed = (runs.len() < plans.len()).then_some(Outcome::Interrupted);
    let all = runs.iter().map(Run::outcome).chain(missed);
    all.max_by_key(|outcome| rank(*outcome)).unwrap_or(Outcome::AsExpected).into()
}

/// Plays scenarios, on as many threads as there are processors, and says what became of each in their order.
fn play(plans: &[Plan], args: &SimArgs, page: &Page) -> Vec<Run> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(plans.len());
    let (report, reports) = mpsc::channel();
    let play_some = |report: mpsc::Sender<(usize, Run)>| {
        fault::plant(args.fault);
        while !by_ctrl_c().load(Ordering::Relaxed)
            && let place = next.fetch_add(1, Ordering::Relaxed)
            && let Some(plan) = plans.get(place)
        {
            let (scenario, certificate) = (plan.scenario.clone(), plan.certificate);
            let marks = Marks::default();
            let run = Run { scenario, certificate, report: explore(plan, args, &marks, page), marks };
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

/// What is to be played, and how.
fn plans(args: &SimArgs) -> Vec<Plan> {
    let search = match args.deviations {
        Some(most) => Search::Bounded(most),
        None if args.exhaustive => Search::Exhaustive,
        // Whoever is ready is hardly ever late where all are as likely; by priorities, somebody is.
        None => Search::Pct { seed: args.seed, executions: args.seeds.unwrap_or(SEEDS), depth: DEPTH },
    };
    let plan = |scenario: Scenario, search: Search| {
        let mut known = CERTIFICATES.iter();
        let certificate =
            known.find(|known| known.scenario == scenario.name() && known.search() == search).copied();
        let certificate =
            certificate.filter(|_| args.fault.is_none() && args.format != SimFormat::Certificates);
        Plan { scenario, search, certificate }
    };
    if args.scenarios.is_empty() {
        let certified = CERTIFICATES.iter().filter_map(|certificate| {
            let search = if args.exhaustive { certificate.search() } else { search };
            Some(plan(certificate.scenario.parse().ok()?, search))
        });
        return certified.collect();
    }
    args.scenarios.iter().map(|scenario| plan(scenario.clone(), search)).collect()
}

fn explore(
    Plan { scenario, search, .. }: &Plan,
    args: &SimArgs,
    marks: &Marks,
    page: &Page,
) -> Result<Report<Verdict>, ExploreError> {
    let scene = scenario.scene();
    let program = |world| scene.play(world, marks.clone());
    let progress = |progress: &Progress| page.progress(scenario, progress);
    let mut explorer = Explorer::new(program).interrupt(by_ctrl_c()).progress(progress);
    if let Search::Pct { .. } = search {
        // At random every request draws something else, so that hardly any two executions are of one class.
        explorer = explorer.without_classes();
    }
    if let Some(time) = args.time {
        explorer = explorer.time(time);
    }
    explorer.explore(*search)
}

/// Writes a result. Whoever does not read it to its end has what they wanted.
pub(crate) fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Mark;

    /// What the certificate of a scenario says, but for one thing.
    fn judgement(change: impl FnOnce(&mut Certificate, &Marks)) -> Judgement {
        let scenario: Scenario = "child".parse().expect("there is such a scenario");
        let (scene, marks) = (scenario.scene(), Marks::default());
        let mut explorer = Explorer::new(|world| scene.play(world, marks.clone()));
        let report = explorer.explore(Search::Exhaustive);
        let certified = CERTIFICATES.iter().find(|certificate| certificate.scenario == "child");
        let mut certificate = *certified.expect("it is certified");
        change(&mut certificate, &marks);
        Run { scenario, certificate: Some(certificate), report, marks }.judgement()
    }

    #[test]
    fn whatever_is_otherwise_than_certified_is_told() {
        type Change = fn(&mut Certificate, &Marks);
        let cases: [(&str, Change); 7] = [
            ("executions: ", |certificate, _| certificate.executions += 1),
            ("given up: ", |certificate, _| certificate.given_up += 1),
            ("classes: ", |certificate, _| certificate.classes += 1),
            ("steps of the longest: ", |certificate, _| certificate.longest += 1),
            ("outcomes: ", |certificate, _| certificate.outcomes = "completed: 99"),
            ("situations: an agent died that had a task, certified", |certificate, _| {
                (certificate.deviations, certificate.marks) = (Some(1), &[Mark::AgentDied]);
            }),
            ("situations: an agent died that had a task, not certified", |certificate, marks| {
                certificate.deviations = Some(1);
                marks.hit(Mark::AgentDied);
            }),
        ];
        for (what, change) in cases {
            let Judgement::Uncertified(differences) = judgement(change) else { panic!("{what}not told") };
            assert!(differences.len() == 1 && differences[0].starts_with(what), "{differences:?}");
        }
        assert!(matches!(judgement(|_, _| ()), Judgement::Kept));
    }
}
