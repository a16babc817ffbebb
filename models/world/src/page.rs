//! What `sim` says of the scenarios that it has played: a table and diagrams, a document of JSON, or certificates.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use downbeat_shell::fault::{self, Fault};
use downbeat_sim::explore::{Explorer, Extent, Progress, Report, Schedule};
use downbeat_sim::harness::grouped;
use serde_json::{Value, json};

use crate::breach::Breach;
use crate::certificate::{self, RENEW};
use crate::marks::{Mark, Marks};
use crate::program::{Extents, Judgement, Run, SimFormat, say};
use crate::recording::{Recording, Replay};
use crate::scenario::Scenario;

/// Where the result goes.
pub(crate) struct Page {
    format: SimFormat,
    extents: Extents,
    /// The fault that is planted.
    fault: Option<Fault>,
    /// Whether a line of progress is shown.
    shows_progress: bool,
}

impl Page {
    pub(crate) fn new(format: SimFormat, extents: Extents, fault: Option<Fault>, is_quiet: bool) -> Self {
        Self { format, extents, fault, shows_progress: !is_quiet && io::stderr().is_terminal() }
    }

    pub(crate) fn begin(&self) {
        if self.format == SimFormat::Text {
            let what = match self.extents {
                Extents::Every => "every execution".to_owned(),
                Extents::Few(most) => format!("executions with {most} deviations at most"),
                Extents::Some => "executions at random".to_owned(),
            };
            say(&format!(
                "{what:42} {:>11} {:>11} {:>12} {:>8} {:>8}\n",
                "executions", "classes", "steps", "longest", "seconds"
            ));
        }
    }

    pub(crate) fn progress(&self, scenario: &Scenario, progress: &Progress) {
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

    pub(crate) fn row(&self, run: &Run) {
        if self.shows_progress {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        match self.format {
            SimFormat::Text => say(&format!("{}\n", row(run))),
            SimFormat::Json | SimFormat::Certificates => {}
        }
    }

    pub(crate) fn end(&self, runs: &[Run]) {
        match self.format {
            SimFormat::Text => {
                for run in runs {
                    told(run, self.fault);
                }
                if runs.iter().any(|run| matches!(run.judgement(), Judgement::Uncertified(_))) {
                    say(&format!(
                        "\nIf the shell or the world is meant to differ, this writes the certificates anew:\n  {RENEW}\n"
                    ));
                }
            }
            SimFormat::Json => {
                let scenarios: Vec<_> = runs.iter().map(|run| document(run, self.fault)).collect();
                let mut page = json!({ "version": 1, "scenarios": scenarios });
                if self.extents == Extents::Some {
                    let marks = Marks::default();
                    for run in runs {
                        marks.add(&run.marks);
                    }
                    let hit: Vec<_> = marks.so_far().into_iter().map(Mark::about).collect();
                    page["marks"] = hit.into();
                }
                say(&format!("{page:#}\n"));
            }
            SimFormat::Certificates => certificates(runs),
        }
    }
}

fn row(run: &Run) -> String {
    let (mark, words) = match run.judgement() {
        Judgement::Kept => ('✓', None),
        Judgement::Broken(breach, seen) => {
            let (nth, seconds) = (grouped(seen.nth), seen.after.as_secs_f64());
            ('✗', Some(format!("broken is {breach}; first in execution {nth}, after {seconds:.4} seconds")))
        }
        Judgement::Uncertified(differences) => {
            ('✗', Some(format!("otherwise than certified: {}", differences.join("; "))))
        }
        Judgement::Incomplete => ('?', None),
        Judgement::Failed(why) => ('✗', Some(why)),
    };
    let mut row = format!("{mark}  {:<39}", run.scenario.name());
    if let Ok(report) = &run.report {
        let Report { executions, classes, steps, longest, elapsed, .. } = report;
        let _ = write!(
            row,
            " {:>11} {:>11} {:>12} {longest:>8} {:>8.2}",
            grouped(*executions),
            classes.map_or_else(|| "-".to_owned(), grouped),
            grouped(*steps),
            elapsed.as_secs_f64()
        );
        match report.extent {
            Extent::Stopped(_) | Extent::Bounded(_) => {
                let _ = write!(row, "  {}", report.extent);
            }
            Extent::Complete | Extent::Sampled => {}
        }
    }
    if let Some(words) = words {
        let _ = write!(row, "  {words}");
    }
    row
}

/// The certificates, if every run has come to one.
fn certificates(runs: &[Run]) {
    let mut rows = String::new();
    let mut is_whole = true;
    for run in runs {
        let seen = match run.judgement() {
            Judgement::Kept | Judgement::Uncertified(_) => run.report.as_ref().ok(),
            Judgement::Broken(..) | Judgement::Incomplete | Judgement::Failed(_) => None,
        };
        if let Some(report) = seen {
            rows.push_str(&certificate::row(run.scenario.name(), report, &run.marks));
        } else {
            is_whole = false;
            let _ = writeln!(io::stderr(), "error: no certificate: {}", row(run));
        }
    }
    if is_whole {
        say(&certificate::source(&rows));
    }
}

fn document(run: &Run, fault: Option<Fault>) -> Value {
    let mut document = json!({ "scenario": run.scenario.name() });
    if let Ok(report) = &run.report {
        document["extent"] = report.extent.to_string().into();
        document["executions"] = report.executions.into();
        document["givenUp"] = report.given_up.into();
        document["classes"] = report.classes.into();
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
        Judgement::Uncertified(differences) => {
            document["result"] = "uncertified".into();
            document["differences"] = differences.into();
            document["renew"] = RENEW.into();
        }
        Judgement::Broken(breach, seen) => {
            document["result"] = "broken".into();
            document["property"] = breach.id.into();
            document["statement"] = breach.statement().into();
            document["replay"] = smallest(run, &breach, fault, &seen.first).recording.to_string().into();
            document["first"] = json!({ "execution": seen.nth, "seconds": seen.after.as_secs_f64() });
        }
    }
    document
}

/// The diagram of what was found, and the command that shows it again.
fn told(run: &Run, fault: Option<Fault>) {
    let Judgement::Broken(breach, seen) = run.judgement() else { return };
    let found = smallest(run, &breach, fault, &seen.first);
    say(&format!("\n{}\nto see it again: downbeat replay '{}'\n", found.drawn(), found.recording));
}

/// A small execution with the same end.
fn smallest(run: &Run, breach: &Breach, fault: Option<Fault>, schedule: &Schedule) -> Replay {
    fault::plant(fault);
    let scene = run.scenario.scene();
    let explorer = Explorer::new(|world| scene.play(world, Marks::default()));
    let schedule = explorer.minimize(schedule).unwrap_or_else(|_| schedule.clone());
    let broke = Some(breach.id.to_owned());
    let recording = Recording { scenario: run.scenario.clone(), fault, broke, schedule };
    recording.play().expect("it was found in this scenario")
}
