//! Whether the kernel explains a trace: `--explain`.

use std::fmt::Write as _;
use std::io::BufRead;

use clap::ValueEnum;
use downbeat_explain::{
    Bound, Explained, Order, Prefix, Settings, Step, Verdict, explain_until, is_left_out,
};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Outcome, by_ctrl_c, grouped};
use downbeat_sim::report::Counterexample;
use downbeat_trace::{Event, Merged, Place, Read, Reader, TraceError};
use serde_json::{Value, json};

use crate::json::place;
use crate::words::steps;

/// Events of a trace that is explained: all of them are in memory.
const EVENTS_MAX: usize = 1_000_000;
/// Steps that are drawn of the longest beginning, the last ones.
const STEPS_SHOWN: usize = 24;
/// Trees that are told of, of those that are explained.
const TREES_SHOWN: usize = 12;
/// Lines that are told of, of those of which one would have to come next.
const NEXT_SHOWN: usize = 5;
/// Tasks of which it is told where they stand.
const STAND_SHOWN: usize = 12;

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
    end: End,
}

/// Why there are no more events.
pub(crate) enum End {
    /// It is the end.
    Over,
    /// There are more than are explained.
    TooMany,
    /// One of several files is cut off there: what it would have said of what happened later is missing.
    Cut(Place),
    /// It cannot be read on.
    Error(TraceError),
}

/// Reads a trace into memory, and explains it.
pub(crate) fn explained(bytes: impl BufRead, settings: Settings) -> Explanation {
    let mut reader = Reader::new(bytes);
    let mut events = Vec::new();
    let end = loop {
        if let Some(end) = gathered(&mut events, reader.read()) {
            break end;
        }
    };
    let mut is_whole = settings.is_whole;
    let end = match (end, reader.rest()) {
        // The line that is cut off is the last one: all before it is there.
        (End::Over, Err(why)) if why.is_cut() => {
            is_whole = false;
            End::Over
        }
        (End::Over, rest) => gathered(&mut events, rest).unwrap_or(End::Over),
        (end, _) => end,
    };
    let settings = Settings { is_whole, ..settings };
    Explanation::of(events, settings, end)
}

/// Reads several into memory as one, and explains it: up to where the first of them is cut off.
pub(crate) fn explained_merged<R: BufRead>(traces: Vec<R>, settings: Settings) -> Explanation {
    let mut merged = Merged::new(traces);
    let mut events = Vec::new();
    let end = loop {
        if let Some(end) = gathered(&mut events, merged.read()) {
            break end;
        }
    };
    Explanation::of(events, settings, end)
}

/// Keeps an event; why there are no more, if that is so.
fn gathered(events: &mut Vec<(Place, Event<'static>)>, read: Result<Read<'_>, TraceError>) -> Option<End> {
    match read {
        Ok(Read::Event { .. }) if events.len() == EVENTS_MAX => Some(End::TooMany),
        Ok(Read::Event { place, event, .. }) => {
            events.push((place, event.into_owned()));
            None
        }
        Ok(Read::Other) => None,
        Ok(Read::Pending) => Some(End::Over),
        Err(why) if why.is_cut() => Some(End::Cut(why.place())),
        Err(why) => Some(End::Error(why)),
    }
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
    /// Explains these events.
    pub(crate) fn of(mut events: Vec<(Place, Event<'static>)>, settings: Settings, end: End) -> Self {
        let left_out = events.iter().filter(|(_, event)| is_left_out(event.kind)).count();
        let settings = Settings { is_whole: settings.is_whole && matches!(end, End::Over), ..settings };
        let trees = explain_until(events.iter().cloned(), settings, by_ctrl_c());
        // They are looked up by their places, and those of several files are not in that order.
        events.sort_unstable_by_key(|(place, _)| *place);
        Self { trees, events, left_out, end }
    }

    /// What the program ends with for this.
    pub(crate) fn outcome(&self) -> Outcome {
        if let End::Error(_) = self.end {
            return Outcome::Failed;
        }
        let is = |is_such: fn(&Verdict) -> bool| self.trees.iter().any(|tree| is_such(&tree.verdict));
        if is(|verdict| matches!(verdict, Verdict::Rejected(_))) {
            return Outcome::Unexpected;
        }
        if is(|verdict| matches!(verdict, Verdict::Undecided(Bound::Interrupted, _))) {
            return Outcome::Interrupted;
        }
        if !matches!(self.end, End::Over)
            || is(|verdict| matches!(verdict, Verdict::Undecided(..) | Verdict::NoBeginning(_)))
        {
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
        match &self.end {
            // An error is told of already.
            End::Over | End::Error(_) => {}
            End::TooMany => {
                let _ = writeln!(page, "  ? only the first {} were read", count(EVENTS_MAX, "event"));
            }
            End::Cut(place) => {
                let _ =
                    writeln!(page, "  ? only what happened before {place} was read, where a file is cut off");
            }
        }
        page
    }

    /// The longest beginning, as a diagram.
    fn told(&self, page: &mut String, tree: &Explained, prefix: &Prefix, style: Style) {
        let mut lines: Vec<_> = prefix.next.iter().take(NEXT_SHOWN).map(ToString::to_string).collect();
        if prefix.next.len() > NEXT_SHOWN {
            lines.push(format!("{} more", grouped((prefix.next.len() - NEXT_SHOWN) as u64)));
        }
        let _ = writeln!(
            page,
            "    the longest beginning that is explained has {} of {} events; what comes next cannot: {}",
            grouped(prefix.explained as u64),
            grouped(tree.events as u64),
            lines.join(", or ")
        );
        for stand in prefix.stand.iter().take(STAND_SHOWN) {
            let _ = writeln!(page, "    then {stand}");
        }
        if prefix.stand.len() > STAND_SHOWN {
            let _ = writeln!(page, "    and {}", count(prefix.stand.len() - STAND_SHOWN, "more task"));
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
            "cut": matches!(self.end, End::TooMany | End::Cut(_)),
            "error": if let End::Error(error) = &self.end { Some(error.to_string()) } else { None },
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
        document["next"] = prefix.next.iter().map(|next| place(*next)).collect();
        document["stand"] = prefix.stand.clone().into();
        document["run"] = prefix.steps.iter().map(of_step).collect();
    }
    document
}

fn of_step(step: &Step) -> Value {
    match step {
        Step::Observed(at) => place(*at),
        Step::Unobserved(words) => json!({ "unobserved": words }),
    }
}

fn bound_words(bound: Bound) -> &'static str {
    match bound {
        Bound::Unobserved => "more steps that nobody wrote down would be between two events than are tried",
        Bound::Situations => "there are more situations than are looked at",
        Bound::Events => "it has more events than are explained",
        Bound::Bytes => "the search takes more memory than it may",
        Bound::Kernel => {
            "it is beyond what the kernel can count: calls of a response, sends of a turn, or how deep subtasks nest"
        }
        Bound::Interrupted => "the search was interrupted",
    }
}

fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lines_that_may_come_next_some_are_told() {
        use std::iter::once;
        // The result of a call that no response has made yet, and before it nothing else can be.
        let page = |subtasks: usize| {
            let begun = (1..=subtasks)
                .map(|child| format!("{{\"event\":\"task-started\",\"task\":{child},\"parent\":0}}\n"));
            let root = "{\"event\":\"task-started\",\"task\":0}\n".to_owned();
            let wrong = "{\"event\":\"tool-result\",\"task\":0,\"call\":1}\n".to_owned();
            let late = "{\"event\":\"request-started\",\"task\":0}\n{\"event\":\"request-ended\",\"task\":0,\"end\":\"completed\"}\n";
            let lines = once(root).chain(begun).chain([wrong, late.to_owned()]);
            let settings = settings(OrderOf::Tasks, 0.0, false);
            explained(lines.collect::<String>().as_bytes(), settings).page(Style::Plain)
        };
        let few = page(3);
        assert!(few.contains("line 2, or line 3, or line 4, or line 5\n"), "{few}");
        let many = page(300);
        assert!(many.contains("line 2, or line 3, or line 4, or line 5, or line 6, or 296 more\n"), "{many}");
    }
}
