//! Whether the kernel explains a trace: `--explain`.

use std::fmt::Write as _;
use std::io::BufRead;

use clap::ValueEnum;
use downbeat_explain::{Bound, Explained, LEFT_OUT, Order, Prefix, Settings, Step, Verdict, explain};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Outcome, grouped};
use downbeat_sim::report::Counterexample;
use downbeat_trace::{Event, Place, Read, Reader, TraceError};
use serde_json::{Value, json};

use crate::words::steps;

/// Events of a trace that is explained: all of them are in memory.
const EVENTS_MAX: usize = 1_000_000;
/// Steps that are drawn of the longest beginning, the last ones.
const STEPS_SHOWN: usize = 24;
/// Trees that are told of, of those that are explained.
const TREES_SHOWN: usize = 12;

/// In which order the events of a trace happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OrderOf {
    /// In that of the lines
    #[default]
    Lines,
    /// Those of one task in that of the lines; nothing is known between tasks
    Tasks,
    /// Those of one task in that of the lines; between tasks by their times, as far as clocks agree
    Times,
}

/// What a trace came to.
pub(crate) struct Explanation {
    trees: Vec<Explained>,
    events: Vec<(Place, Event<'static>)>,
    left_out: usize,
    /// Why it was not read to its end.
    error: Option<TraceError>,
    /// There were more events than are explained.
    is_cut: bool,
}

/// Reads a trace into memory, and explains it.
pub(crate) fn explained(bytes: impl BufRead, settings: Settings) -> Explanation {
    let mut reader = Reader::new(bytes);
    let mut events = Vec::new();
    let (mut error, mut is_cut) = (None, false);
    loop {
        match reader.read() {
            Ok(Read::Event { place, event, .. }) => {
                if events.len() == EVENTS_MAX {
                    is_cut = true;
                    break;
                }
                events.push((place, event.into_owned()));
            }
            Ok(Read::Other) => {}
            Ok(Read::Pending) => break,
            Err(why) => {
                error = Some(why);
                break;
            }
        }
    }
    if error.is_none()
        && !is_cut
        && let Ok(Read::Event { place, event, .. }) = reader.rest()
    {
        events.push((place, event.into_owned()));
    }
    let settings = Settings { is_whole: settings.is_whole && error.is_none(), ..settings };
    Explanation { error, ..Explanation::of(events, settings, is_cut) }
}

/// The settings of a command line.
pub(crate) fn settings(order: OrderOf, apart_ms: f64, is_whole: bool) -> Settings {
    let order = match order {
        OrderOf::Lines => Order::Lines,
        OrderOf::Tasks => Order::Tasks,
        OrderOf::Times => Order::Times { apart_ms },
    };
    Settings { order, is_whole, ..Settings::default() }
}

impl Explanation {
    /// Explains these events; `is_cut` if there were more.
    pub(crate) fn of(events: Vec<(Place, Event<'static>)>, settings: Settings, is_cut: bool) -> Self {
        let left_out = events.iter().filter(|(_, event)| LEFT_OUT.contains(&event.kind)).count();
        let settings = Settings { is_whole: settings.is_whole && !is_cut, ..settings };
        let trees = explain(events.iter().cloned(), settings);
        Self { trees, events, left_out, error: None, is_cut }
    }

    /// What the program ends with for this.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.error.is_some() {
            return Outcome::Failed;
        }
        let is = |is_such: fn(&Verdict) -> bool| self.trees.iter().any(|tree| is_such(&tree.verdict));
        if is(|verdict| matches!(verdict, Verdict::Rejected(_))) {
            return Outcome::Unexpected;
        }
        if self.is_cut || is(|verdict| matches!(verdict, Verdict::Undecided(..) | Verdict::NoBeginning(_))) {
            return Outcome::Incomplete;
        }
        Outcome::AsExpected
    }

    /// What a person reads of it. Ends with a line break.
    pub(crate) fn page(&self, style: Style) -> String {
        let mut page = String::from("explained by the kernel:\n");
        let (fine, others): (Vec<_>, Vec<_>) =
            self.trees.iter().partition(|tree| matches!(tree.verdict, Verdict::Explained(_)));
        for tree in fine.iter().take(TREES_SHOWN) {
            if let Verdict::Explained(run) = &tree.verdict {
                let unobserved = run.iter().filter(|step| matches!(step, Step::Unobserved(_))).count();
                let _ = writeln!(
                    page,
                    "  ✓ {}: {} of {}, with {} that nobody wrote down",
                    tree.root,
                    count(tree.events, "event"),
                    count(tree.tasks, "task"),
                    count(unobserved, "step")
                );
            }
        }
        if fine.len() > TREES_SHOWN {
            let _ = writeln!(page, "  ✓ and {}", count(fine.len() - TREES_SHOWN, "more tree"));
        }
        for tree in others {
            match &tree.verdict {
                Verdict::Explained(_) => {}
                Verdict::NoBeginning(task) => {
                    let _ = writeln!(page, "  ? {}: the trace does not say how {task} began", tree.root);
                }
                Verdict::Undecided(bound, prefix) => {
                    let _ = writeln!(page, "  ? {}: not known; {}", tree.root, bound_words(*bound));
                    self.told(&mut page, tree, prefix, style);
                }
                Verdict::Rejected(prefix) => {
                    let _ = writeln!(page, "  ✗ {}: no run of the kernel explains it", tree.root);
                    self.told(&mut page, tree, prefix, style);
                }
            }
        }
        if self.left_out > 0 {
            let _ = writeln!(
                page,
                "  left out: {}, of kinds that tasks know nothing of",
                count(self.left_out, "event")
            );
        }
        if self.is_cut {
            let _ = writeln!(page, "  ? only the first {} were read", count(EVENTS_MAX, "event"));
        }
        page
    }

    /// The longest beginning, as a diagram.
    fn told(&self, page: &mut String, tree: &Explained, prefix: &Prefix, style: Style) {
        let lines: Vec<_> = prefix.next.iter().map(|place| place.line.to_string()).collect();
        let _ = writeln!(
            page,
            "    the longest beginning that is explained has {} of {} events; what comes next cannot: line {}",
            grouped(prefix.explained as u64),
            grouped(tree.events as u64),
            lines.join(", or line ")
        );
        for stand in &prefix.stand {
            let _ = writeln!(page, "    then {stand}");
        }
        let from = prefix.steps.len().saturating_sub(STEPS_SHOWN);
        let shown: Vec<Shown<'_>> = prefix.steps[from..]
            .iter()
            .filter_map(|step| match step {
                Step::Observed(place) => self.event(*place).map(|event| Shown::Observed(*place, event)),
                Step::Unobserved(words) => Some(Shown::Unobserved(words)),
            })
            .collect();
        let (lanes, steps) = steps(&shown, &tree.root);
        let explanation = match self.event_at(&prefix.next) {
            Some(next) => format!("and then this cannot come: {next}"),
            None => "and then nothing is left".to_owned(),
        };
        let drawn = Counterexample { lanes, opening: String::new(), steps, lasso_start: None, explanation };
        let name = format!("{}: the longest beginning that the kernel explains", tree.root);
        let _ = write!(page, "\n{}", diagram::behaviour(&name, &drawn, style));
    }

    fn event(&self, place: Place) -> Option<&Event<'static>> {
        let at = self.events.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        Some(&self.events[at].1)
    }

    fn event_at(&self, places: &[Place]) -> Option<String> {
        let place = places.first()?;
        Some(format!("{place}: {}", self.event(*place)?.line()))
    }

    /// What a machine reads of it.
    pub(crate) fn document(&self) -> Value {
        let trees: Vec<_> = self.trees.iter().map(of_tree).collect();
        json!({
            "trees": trees,
            "leftOut": self.left_out,
            "cut": self.is_cut,
            "error": self.error.as_ref().map(ToString::to_string),
        })
    }
}

/// A step of a run, as it is drawn.
pub(crate) enum Shown<'s> {
    Observed(Place, &'s Event<'static>),
    Unobserved(&'s str),
}

fn of_tree(tree: &Explained) -> Value {
    let mut document = json!({
        "root": tree.root,
        "tasks": tree.tasks,
        "events": tree.events,
        "situations": tree.situations,
    });
    let (verdict, prefix) = match &tree.verdict {
        Verdict::Explained(run) => {
            document["run"] = run.iter().map(of_step).collect();
            ("explained", None)
        }
        Verdict::Rejected(prefix) => ("rejected", Some(prefix)),
        Verdict::Undecided(bound, prefix) => {
            document["why"] = bound_words(*bound).into();
            ("undecided", Some(prefix))
        }
        Verdict::NoBeginning(task) => {
            document["task"] = task.as_str().into();
            ("no-beginning", None)
        }
    };
    document["verdict"] = verdict.into();
    if let Some(prefix) = prefix {
        document["explained"] = prefix.explained.into();
        document["next"] =
            prefix.next.iter().map(|place| json!({ "line": place.line, "byte": place.byte })).collect();
        document["stand"] = prefix.stand.clone().into();
        document["run"] = prefix.steps.iter().map(of_step).collect();
    }
    document
}

fn of_step(step: &Step) -> Value {
    match step {
        Step::Observed(place) => json!({ "line": place.line }),
        Step::Unobserved(words) => json!({ "unobserved": words }),
    }
}

fn bound_words(bound: Bound) -> &'static str {
    match bound {
        Bound::Unobserved => "more steps that nobody wrote down would be between two events than are tried",
        Bound::Situations => "there are more situations than are looked at",
        Bound::Events => "it has more events than are explained",
    }
}

fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(number as u64))
}
