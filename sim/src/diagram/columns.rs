//! The lifelines: how wide each column is, what stands above it, and how an arrow crosses it.

use super::ink::{Canvas, Ink};
use super::{WIDTH, wrap};
use crate::model::{Arrow, Lane};
use crate::report::Counterexample;

/// All lifelines together are no wider, so that the text keeps more than 40 columns.
const WIDTH_MAX: usize = 48;
/// A column that is narrower does not show that an arrow is one.
const COLUMN_MIN: usize = 6;
/// Lifelines may be this close when there are many.
const COLUMN_LEAST: usize = 2;
/// Lines above a lifeline.
const HEADING_LINES: usize = 3;
/// A wider column is spent on a heading; the name goes into the legend instead.
const COLUMN_MAX: usize = 14;

/// The lifelines of the participants that take part, left to right.
pub(super) struct Columns {
    columns: Vec<Column>,
    /// `short = name`, where a name does not fit above its lifeline.
    legend: Vec<String>,
}

struct Column {
    lane: Lane,
    heading: Vec<String>,
    width: usize,
    /// The column of the lifeline itself, from the left of the first one.
    center: usize,
}

impl Columns {
    /// The lifelines of a counterexample; none if there are more than could be told apart.
    pub(super) fn of(counterexample: &Counterexample) -> Self {
        let mut used = vec![false; counterexample.lanes.len()];
        for step in &counterexample.steps {
            for arrow in std::iter::once(&step.told.cause).chain(&step.told.then) {
                used[arrow.from] = true;
                used[arrow.to] = true;
            }
        }
        let lanes: Vec<Lane> = (0..used.len()).filter(|lane| used[*lane]).collect();
        let names: Vec<&str> = lanes.iter().map(|lane| counterexample.lanes[*lane].as_str()).collect();
        if lanes.len() * COLUMN_LEAST > WIDTH_MAX {
            return Self { columns: Vec::new(), legend: Vec::new() };
        }
        let headings: Option<Vec<(Vec<String>, usize)>> = names.iter().map(|name| heading(name)).collect();
        let fitting = headings.filter(|all| all.iter().map(|(_, width)| width).sum::<usize>() <= WIDTH_MAX);
        if let Some(headings) = fitting {
            return Self { columns: side_by_side(&lanes, headings), legend: Vec::new() };
        }
        let width = (WIDTH_MAX / lanes.len()).clamp(COLUMN_LEAST, COLUMN_MIN);
        let short = short_names(&names, width);
        // An entry is not broken over two lines.
        let entry = |(short, name): (&String, &&str)| format!("{short} = {name}").replace(' ', "\u{a0}");
        let legend = short.iter().zip(&names).map(entry).collect::<Vec<String>>().join(", ");
        let legend = wrap(&legend, WIDTH - 4).into_iter().map(|line| line.replace('\u{a0}', " ")).collect();
        let headings = short.into_iter().map(|short| (vec![short], width)).collect();
        Self { columns: side_by_side(&lanes, headings), legend }
    }

    /// How wide all lifelines are together.
    pub(super) fn width(&self) -> usize {
        self.columns.iter().map(|column| column.width).sum()
    }

    /// The lines that explain the headings, indented.
    pub(super) fn legend(&self) -> impl Iterator<Item = String> {
        self.legend.iter().map(|line| format!("    {line}"))
    }

    /// The lines above the lifelines, from the left of the first one; the last line is always used.
    pub(super) fn headings(&self) -> Vec<String> {
        let height = self.columns.iter().map(|column| column.heading.len()).max().unwrap_or(0);
        let line = |number: usize| {
            let mut line = String::new();
            for column in &self.columns {
                let above = height - column.heading.len();
                let text = number.checked_sub(above).map_or("", |number| column.heading[number].as_str());
                let left = column.center - text.chars().count() / 2;
                line += &" ".repeat(left.saturating_sub(line.chars().count()));
                line += text;
            }
            line
        };
        (0..height).map(line).collect()
    }

    /// The columns that an arrow connects.
    pub(super) fn arrow(&self, arrow: &Arrow) -> Option<(usize, usize)> {
        let column = |lane: Lane| self.columns.iter().position(|column| column.lane == lane);
        Some((column(arrow.from)?, column(arrow.to)?))
    }

    /// What an arrow says; with the names of its ends if there are no lifelines to show them.
    pub(super) fn words(&self, arrow: &Arrow, lanes: &[String]) -> String {
        if !self.columns.is_empty() {
            return arrow.text.clone();
        }
        let (from, to) = (&lanes[arrow.from], &lanes[arrow.to]);
        if from == to {
            format!("{from}: {}", arrow.text)
        } else {
            format!("{from} → {to}: {}", arrow.text)
        }
    }

    /// Draws the lifelines in one line, with an arrow across them.
    pub(super) fn draw(&self, canvas: &mut Canvas, arrow: Option<(usize, usize)>) {
        let mut line = vec![(' ', Ink::Normal); self.width()];
        for column in &self.columns {
            line[column.center] = ('│', Ink::Dim);
        }
        if let Some((from, to)) = arrow {
            let (from, to) = (self.columns[from].center, self.columns[to].center);
            for (glyph, ink) in &mut line[from.min(to)..=from.max(to)] {
                *ink = Ink::Arrow;
                *glyph = if *glyph == '│' { '┼' } else { '─' };
            }
            if from != to {
                line[to].0 = if from < to { '▶' } else { '◀' };
            }
            line[from].0 = '●';
        }
        for (glyph, ink) in line {
            canvas.put(glyph.encode_utf8(&mut [0; 4]), ink);
        }
    }
}

/// A name in few lines, and the width of the column below it.
fn heading(name: &str) -> Option<(Vec<String>, usize)> {
    let longest = name.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
    ((longest + 2).max(COLUMN_MIN)..=COLUMN_MAX).find_map(|width| {
        let lines = wrap(name, width - 2);
        (lines.len() <= HEADING_LINES).then_some((lines, width))
    })
}

fn side_by_side(lanes: &[Lane], headings: Vec<(Vec<String>, usize)>) -> Vec<Column> {
    let mut left = 0;
    let place = |(lane, (heading, width)): (&Lane, (Vec<String>, usize))| {
        let column = Column { lane: *lane, heading, width, center: left + width / 2 };
        left += width;
        column
    };
    lanes.iter().zip(headings).map(place).collect()
}

/// Names that fit above narrow lifelines: the initials, with the numbers that are in the name, or letters.
fn short_names(names: &[&str], width: usize) -> Vec<String> {
    let initials = |name: &&str| -> String {
        let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words
            .flat_map(|word| {
                let numeric = word.starts_with(|c: char| c.is_ascii_digit());
                let length = if numeric { word.chars().count() } else { 1 };
                word.chars().take(length).flat_map(char::to_uppercase)
            })
            .collect()
    };
    let short: Vec<String> = names.iter().map(initials).collect();
    let told_apart = short.iter().enumerate().all(|(index, one)| !short[..index].contains(one));
    if told_apart && short.iter().all(|one| (1..width).contains(&one.chars().count())) {
        return short;
    }
    // There are fewer columns than letters: WIDTH_MAX / COLUMN_LEAST of them.
    ('A'..='Z').take(names.len()).map(String::from).collect()
}
