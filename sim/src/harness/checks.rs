//! The variants of one command, checked one after the other.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::arguments::{CheckArgs, Format};
use super::command::{Outcome, Streams};
use super::failure::Failure;
use super::files;
use super::meter::Meter;
use super::registry::{Bounds, Variant};
use super::run::{self, Control, Run};
use super::table::Table;
use crate::check::{CheckError, Limit};

/// What became of the variants that were to be checked.
pub(super) struct Checks<'a> {
    /// What was found, in the order of the variants.
    pub(super) runs: Vec<Run>,
    /// The variants about which nothing is known, in their order.
    pub(super) not_checked: Vec<NotChecked<'a>>,
    /// The first file of `--out` that could not be written.
    pub(super) unsaved: Option<Failure>,
}

/// A variant about which nothing is known.
pub(super) struct NotChecked<'a> {
    pub(super) variant: &'a Variant,
    pub(super) why: Why,
}

/// Why nothing is known.
pub(super) enum Why {
    /// The command was interrupted before.
    Interrupted,
    /// It cannot be checked, or not on this machine.
    Failed(CheckError),
}

impl<'a> Checks<'a> {
    /// Checks the variants. One that cannot be checked keeps no other from it; after an interrupt none is begun.
    pub(super) fn of(
        variants: &[(&'a Variant, Bounds)],
        args: &CheckArgs,
        table: &Table,
        streams: &mut Streams<'_>,
    ) -> io::Result<Self> {
        let interrupt = streams.interrupt.map(|interrupt| interrupt());
        let mut checks = Self { runs: Vec::new(), not_checked: Vec::new(), unsaved: None };
        let mut model = None;
        for (variant, bounds) in variants {
            if interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed)) {
                checks.not_checked.push(NotChecked { variant, why: Why::Interrupted });
                continue;
            }
            if args.format == Format::Text && model != Some(variant.model()) {
                let gap = if model.is_some() { "\n" } else { "" };
                model = Some(variant.model());
                write!(streams.out, "{gap}{}", table.header(variant.model()))?;
                streams.out.flush()?;
            }
            let row = checks.check(variant, bounds, args, (table, interrupt, streams.progress));
            if args.format == Format::Text {
                streams.out.write_all(row.as_bytes())?;
                streams.out.flush()?;
            }
        }
        Ok(checks)
    }

    /// Checks a variant and returns its row in the table.
    fn check(
        &mut self,
        variant: &'a Variant,
        bounds: &Bounds,
        args: &CheckArgs,
        (table, interrupt, has_terminal): (&Table, Option<&AtomicBool>, bool),
    ) -> String {
        // The table has the model above its variants.
        let subject =
            if args.format == Format::Text { variant.name().to_owned() } else { variant.to_string() };
        let mut meter = Meter::new(subject, has_terminal && !args.quiet);
        let control = Control { progress: &mut |progress| meter.show(progress), interrupt };
        let run = run::run_under(variant, bounds, &args.settings(), control);
        let is_interrupted = interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed));
        if has_terminal && is_interrupted && !meter.has_drawn() {
            // The terminal shows `^C` where the row is to begin.
            drop(writeln!(io::stderr()));
        }
        drop(meter);
        match run {
            Ok(run) => {
                let row = table.row(&run, &self.runs);
                if let (Some(directory), None) = (&args.out, &self.unsaved) {
                    self.unsaved = files::write(directory, &run, args.format).err();
                }
                self.runs.push(run);
                row
            }
            Err(CheckError::Interrupted) => {
                self.not_checked.push(NotChecked { variant, why: Why::Interrupted });
                String::new()
            }
            Err(error) => {
                self.not_checked.push(NotChecked { variant, why: Why::Failed(error) });
                table.row_of_error(variant.name())
            }
        }
    }

    /// Whether an interrupt kept something from being known.
    pub(super) fn is_interrupted(&self) -> bool {
        self.runs.iter().any(|run| run.report.stopped_by == Some(Limit::Interrupt))
            || self.not_checked.iter().any(|not_checked| matches!(not_checked.why, Why::Interrupted))
    }

    /// Whether everything was checked and is as expected.
    pub(super) fn is_as_expected(&self) -> bool {
        self.not_checked.is_empty() && self.runs.iter().all(Run::is_as_expected)
    }

    /// What is wrong with the command, in the order in which it happened.
    pub(super) fn failures(self, args: &CheckArgs) -> impl Iterator<Item = Failure> {
        let not_checked = self.not_checked.into_iter().filter_map(|NotChecked { variant, why }| match why {
            Why::Interrupted => None,
            Why::Failed(error) => Some(Failure::of_check(variant, error, args)),
        });
        not_checked.chain(self.unsaved)
    }

    /// How the command ends.
    pub(super) fn outcome(&self) -> Outcome {
        let is_failed = |not_checked: &NotChecked<'_>| matches!(not_checked.why, Why::Failed(_));
        if self.is_interrupted() {
            Outcome::Interrupted
        } else if self.unsaved.is_some() || self.not_checked.iter().any(is_failed) {
            Outcome::Failed
        } else if self.runs.iter().any(Run::is_unexpected) {
            Outcome::Unexpected
        } else if self.is_as_expected() {
            Outcome::AsExpected
        } else {
            Outcome::Incomplete
        }
    }
}
