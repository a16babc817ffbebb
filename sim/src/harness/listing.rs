//! The list of models, variants, bounds and properties.

use super::registry::Variant;
use crate::diagram::{Canvas, Ink, Style, WIDTH, wrap};
use crate::report::Verdict;

/// What is known about some variants without checking them.
pub(super) fn of(variants: &[&Variant], about: impl Fn(&str) -> &'static str, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    let mut model = None;
    for variant in variants {
        if model != Some(variant.model()) {
            if model.is_some() {
                canvas.end_line();
            }
            model = Some(variant.model());
            entry(&mut canvas, 0, (variant.model(), Ink::Bold), about(variant.model()));
        }
        entry(&mut canvas, 2, (&variant.to_string(), Ink::Arrow), variant.about());
        for bound in variant.bounds() {
            let setting = format!("{}={}", bound.name, bound.default);
            let deep = variant.deep_bounds().iter().find(|(name, _)| *name == bound.name);
            let deep = deep.map(|(_, value)| format!("; deep: {value}")).unwrap_or_default();
            let help = format!("{} ({} to {}{deep})", bound.help, bound.range.start(), bound.range.end());
            entry(&mut canvas, 4, (&setting, Ink::Loop), &help);
        }
        let properties = variant.properties(&variant.default_bounds());
        let widest = properties.iter().map(|property| property.id.chars().count()).max().unwrap_or(0);
        for property in properties {
            let expected = variant.expected(property.id);
            let ink = if expected == Verdict::Holds { Ink::Good } else { Ink::Alarm };
            let name = format!("{:widest$}  {:8}", property.id, expected);
            entry(&mut canvas, 4, (&name, ink), &format!("{} [{}]", property.name, property.kind));
        }
    }
    canvas.finish()
}

/// A name and, hanging beside it, what it is.
fn entry(canvas: &mut Canvas, indent: usize, (name, ink): (&str, Ink), about: &str) {
    let left = indent + name.chars().count() + 2;
    for (number, line) in wrap(about, (WIDTH.saturating_sub(left)).max(20)).into_iter().enumerate() {
        if number == 0 {
            canvas.space(indent);
            canvas.put(name, ink);
            canvas.space(2);
        } else {
            canvas.space(left);
        }
        canvas.put(&line, Ink::Normal);
        canvas.end_line();
    }
}
