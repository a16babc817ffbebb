//! Counterexamples as mermaid sequence diagrams, for pages that render them.

use std::fmt::Write as _;

use crate::model::Arrow;
use crate::report::Counterexample;

/// The diagram of a counterexample to the property `id`, whose statement is `name`. Ends with a line break.
///
/// Participants that do nothing are left out. What mermaid would take for its own syntax is written as entity
/// codes (`#59;` for a semicolon).
pub fn diagram(id: &str, name: &str, counterexample: &Counterexample) -> String {
    let mut used: Vec<usize> = arrows(counterexample).flat_map(|arrow| [arrow.from, arrow.to]).collect();
    used.sort_unstable();
    used.dedup();
    let over = match (used.first(), used.last()) {
        (Some(first), Some(last)) if first != last => format!("p{first},p{last}"),
        (Some(only), _) => format!("p{only}"),
        // A behaviour without steps: something must be there for the notes to stand over.
        (None, _) => {
            used.push(0);
            "p0".to_owned()
        }
    };

    let mut out = String::from("sequenceDiagram\n");
    let mut line = |indent: usize, text: String| {
        writeln!(out, "{:width$}{text}", "", width = 4 * indent).expect("a String takes any text");
    };
    line(1, format!("%% {}", escape(&format!("{id}: {name}"))));
    for lane in &used {
        let name = counterexample.lanes.get(*lane).map_or("", String::as_str);
        line(1, format!("participant p{lane} as {}", escape(name)));
    }
    let note = |text: &str| format!("Note over {over}: {}", escape(text));
    if !counterexample.opening.is_empty() {
        line(1, note(&counterexample.opening));
    }
    let steps = counterexample.steps.len();
    let loop_start = counterexample.lasso_start.filter(|start| *start < steps);
    let mut indent = 1;
    for (index, step) in counterexample.steps.iter().enumerate() {
        if loop_start == Some(index) {
            line(indent, "loop from here for ever".to_owned());
            indent += 1;
        }
        line(indent, arrow(&step.told.cause, &format!("{}. ", index + 1), "->>"));
        for follows in &step.told.then {
            line(indent, arrow(follows, "", "-->>"));
        }
        if !step.told.change.is_empty() {
            line(indent, note(&step.told.change));
        }
    }
    if loop_start.is_some() {
        line(1, "end".to_owned());
    }
    if counterexample.ends_in_stutter() {
        line(1, note("and nothing more happens"));
    }
    let explanation = &counterexample.explanation;
    line(
        1,
        note(&if explanation.is_empty() {
            format!("{id} violated")
        } else {
            format!("{id} violated: {explanation}")
        }),
    );
    out
}

fn arrows(counterexample: &Counterexample) -> impl Iterator<Item = &Arrow> {
    counterexample.steps.iter().flat_map(|step| std::iter::once(&step.told.cause).chain(&step.told.then))
}

fn arrow(arrow: &Arrow, number: &str, shape: &str) -> String {
    format!("p{}{shape}p{}: {number}{}", arrow.from, arrow.to, escape(&arrow.text))
}

/// The text on one line, without what mermaid takes for the end of a statement, an entity or markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ';' => escaped.push_str("#59;"),
            '#' => escaped.push_str("#35;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '%' => escaped.push_str("#37;"),
            '{' => escaped.push_str("#123;"),
            '}' => escaped.push_str("#125;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_keeps_no_syntax_of_mermaid() {
        assert_eq!(escape("a;b #1\n<i>%%{x}"), "a#59;b #35;1 #lt;i#gt;#37;#37;#123;x#125;");
    }
}
