//! Counterexamples as sequence diagrams in text, at most 100 columns wide.
//!
//! On the left the number of each step and what happens in it, on the right one lifeline for each participant
//! that takes part. A participant that does nothing in a counterexample is left out. A character is taken to
//! be one column wide.

mod columns;
mod ink;
mod wrap;

pub use ink::Style;
pub(crate) use ink::{Canvas, Ink};
pub(crate) use wrap::wrap;

use crate::model::Arrow;
use crate::report::Counterexample;
use columns::Columns;

/// The widest line, in columns.
pub const WIDTH: usize = 100;

/// The text beside the lifelines is no wider: longer lines are hard to read.
const TEXT_MAX: usize = 58;
/// And no narrower, lest the diagram of a few short steps look squeezed.
const TEXT_MIN: usize = 26;
/// Between the text and the first lifeline.
const GAP: usize = 2;
/// The marker of a loop and the space after the number.
const AROUND_NUMBER: usize = 4;

/// The diagram of a counterexample to the property `id`, whose statement is `name`. Ends with a line break.
///
/// ```text
/// S1: at most one request in flight
///     counterexample: 2 steps
///
///                                        user  task  model
///   1  asks a question                     ●─────▶     │
///      └ in flight: #1                     │     │     │
///   2  asks another one                    ●─────▶     │
///      └ in flight: #1, #2                 │     │     │
///
/// S1 violated: two requests are in flight
/// ```
pub fn text(id: &str, name: &str, counterexample: &Counterexample, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    title(&mut canvas, &format!("{id}: {name}"), &format!("counterexample: {}", length(counterexample)));
    body(&mut canvas, counterexample);
    verdict(&mut canvas, &format!("{id} violated"), &counterexample.explanation);
    canvas.finish()
}

/// The diagram of a behaviour that violates nothing. Its last line is the explanation. Ends with a line break.
pub fn behaviour(name: &str, behaviour: &Counterexample, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    title(&mut canvas, name, &length(behaviour));
    body(&mut canvas, behaviour);
    for line in wrap(&behaviour.explanation, WIDTH) {
        canvas.put(&line, Ink::Bold);
        canvas.end_line();
    }
    canvas.finish()
}

fn body(canvas: &mut Canvas, counterexample: &Counterexample) {
    let columns = Columns::of(counterexample);
    let rows = rows(counterexample, &columns);
    let digits = counterexample.steps.len().to_string().len().max(2);
    let before_text = AROUND_NUMBER + digits;
    let space = WIDTH - before_text - GAP - columns.width();
    let longest = rows.iter().map(|row| row.hanging() + row.text.chars().count()).max().unwrap_or(0);
    let frame = Frame { digits, text: longest.clamp(TEXT_MIN, TEXT_MAX.max(space)).min(space) };

    for line in columns.legend() {
        canvas.put(&line, Ink::Dim);
        canvas.end_line();
    }
    canvas.end_line();
    for line in columns.headings() {
        canvas.space(before_text + frame.text + GAP);
        canvas.put(&line, Ink::Bold);
        canvas.end_line();
    }
    for row in &rows {
        frame.draw(canvas, row, &columns);
    }
    canvas.end_line();
}

fn title(canvas: &mut Canvas, text: &str, below: &str) {
    for (number, line) in wrap(text, WIDTH - 4).into_iter().enumerate() {
        canvas.space(if number == 0 { 0 } else { 4 });
        canvas.put(&line, Ink::Bold);
        canvas.end_line();
    }
    canvas.space(4);
    canvas.put(below, Ink::Dim);
    canvas.end_line();
}

/// The length in words: `3 steps`, `1 step, then a loop of 2 steps`, `4 steps, then nothing`.
fn length(counterexample: &Counterexample) -> String {
    let count = |steps: usize| match steps {
        1 => "1 step".to_owned(),
        _ => format!("{steps} steps"),
    };
    let steps = counterexample.steps.len();
    match counterexample.lasso_start {
        None => count(steps),
        Some(start) if start == steps => format!("{}, then nothing", count(steps)),
        Some(start) => format!("{}, then a loop of {}", count(start), count(steps - start)),
    }
}

fn verdict(canvas: &mut Canvas, head: &str, explanation: &str) {
    let text = if explanation.is_empty() { head.to_owned() } else { format!("{head}: {explanation}") };
    for (number, line) in wrap(&text, WIDTH - 4).into_iter().enumerate() {
        canvas.space(if number == 0 { 0 } else { 4 });
        match line.strip_prefix(head).filter(|_| number == 0) {
            Some(rest) => {
                canvas.put(head, Ink::Alarm);
                canvas.put(rest, Ink::Bold);
            }
            None => canvas.put(&line, Ink::Bold),
        }
        canvas.end_line();
    }
}

/// A row of the diagram, before it is wrapped.
struct Row {
    marker: char,
    number: Option<usize>,
    kind: RowKind,
    text: String,
    /// From which to which column an arrow goes.
    arrow: Option<(usize, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RowKind {
    Opening,
    Step,
    Change,
    Loop,
}

impl Row {
    /// How far the text is indented.
    fn hanging(&self) -> usize {
        if self.kind == RowKind::Change { 2 } else { 0 }
    }

    fn ink(&self) -> Ink {
        match self.kind {
            RowKind::Step => Ink::Normal,
            RowKind::Opening | RowKind::Change => Ink::Dim,
            RowKind::Loop => Ink::Loop,
        }
    }
}

fn rows(counterexample: &Counterexample, columns: &Columns) -> Vec<Row> {
    let row =
        |marker, kind, text: &str| Row { marker, number: None, kind, text: text.to_owned(), arrow: None };
    let mut rows = Vec::new();
    if !counterexample.opening.is_empty() {
        rows.push(row(' ', RowKind::Opening, &counterexample.opening));
    }
    let steps = counterexample.steps.len();
    let loop_start = counterexample.lasso_start.filter(|start| *start < steps);
    for (index, step) in counterexample.steps.iter().enumerate() {
        if loop_start == Some(index) {
            rows.push(row('┌', RowKind::Loop, "loop: from here for ever"));
        }
        let marker = if loop_start.is_some_and(|start| start <= index) { '│' } else { ' ' };
        let arrow = |arrow: &Arrow| Row {
            arrow: columns.arrow(arrow),
            ..row(marker, RowKind::Step, &columns.words(arrow, &counterexample.lanes))
        };
        rows.push(Row { number: Some(index + 1), ..arrow(&step.told.cause) });
        rows.extend(step.told.then.iter().map(arrow));
        if !step.told.change.is_empty() {
            rows.push(row(marker, RowKind::Change, &step.told.change));
        }
    }
    match (loop_start, counterexample.ends_in_stutter()) {
        (Some(start), _) => rows.push(row('└', RowKind::Loop, &format!("and again from step {}", start + 1))),
        (None, true) => rows.push(row('■', RowKind::Loop, "and nothing more happens")),
        (None, false) => {}
    }
    rows
}

/// The measures of the left side.
struct Frame {
    digits: usize,
    text: usize,
}

impl Frame {
    fn draw(&self, canvas: &mut Canvas, row: &Row, columns: &Columns) {
        let hanging = row.hanging();
        for (line_number, line) in wrap(&row.text, self.text - hanging).into_iter().enumerate() {
            let first = line_number == 0;
            // Neither the beginning nor the end of a loop goes on into the next line.
            let marker = match row.marker {
                '┌' if !first => '│',
                '└' | '■' if !first => ' ',
                marker => marker,
            };
            let number = row.number.filter(|_| first).map_or_else(String::new, |number| number.to_string());
            canvas.put(&marker.to_string(), Ink::Loop);
            canvas.put(&format!(" {number:>width$}  ", width = self.digits), Ink::Bold);
            if hanging > 0 {
                canvas.put(if first { "└ " } else { "  " }, Ink::Dim);
            }
            canvas.put(&line, row.ink());
            canvas.space(self.text - hanging - line.chars().count() + GAP);
            columns.draw(canvas, row.arrow.filter(|_| first));
            canvas.end_line();
        }
    }
}
