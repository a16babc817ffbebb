//! Saved counterexamples, each replayed in the model that its file names.

use std::path::Path;

use super::arguments::ReplayArgs;
use super::failure::Failure;
use super::files::quoted;
use super::registry::{Bounds, Registry, Variant};
use super::saved::Saved;
use super::selection;
use super::text::paragraph;
use crate::diagram::{self, Canvas, Ink, Style, WIDTH};
use crate::mermaid;
use crate::replay::{Misfit, Part, Replayed};

/// A saved counterexample and what came of it.
pub(super) struct Replay<'a> {
    pub(super) path: &'a Path,
    pub(super) variant: &'a Variant,
    pub(super) bounds: Bounds,
    pub(super) property: PropertyName,
    pub(super) result: Result<Replayed, Misfit>,
    /// Bounds that the model has got since; they have their defaults.
    defaults: Vec<String>,
}

/// The id and the statement of a property, as the model has them now.
#[derive(Clone, Copy)]
pub(super) struct PropertyName {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

impl<'a> Replay<'a> {
    /// Replays a file.
    pub(super) fn of(path: &'a Path, registry: &'a Registry) -> Result<Self, Failure> {
        let in_file = |failure| Failure::InFile { path: path.to_owned(), failure: Box::new(failure) };
        let bytes = std::fs::read(path).map_err(|error| in_file(Failure::Read(error)))?;
        let saved = Saved::read(&bytes).map_err(|error| in_file(Failure::Saved(error)))?;
        Self::of_saved(path, &saved, registry).map_err(in_file)
    }

    fn of_saved(path: &'a Path, saved: &Saved, registry: &'a Registry) -> Result<Self, Failure> {
        let named = selection::variants(registry, &[format!("{}@{}", saved.model, saved.variant)])?;
        let selected = selection::with_bounds(&named, false, &saved.bounds)?;
        let (variant, bounds) =
            selected.into_iter().next().expect("what is named by MODEL@VARIANT is one variant");
        let properties = variant.properties(&bounds);
        let Some(property) = properties.iter().find(|property| property.id == saved.property) else {
            return Err(Failure::Unknown {
                of: variant.to_string(),
                what: "property",
                name: saved.property.clone(),
                known: properties.iter().map(|property| property.id.to_owned()).collect(),
            });
        };
        let property = PropertyName { id: property.id, name: property.name };
        let result = match variant.replay(&bounds, property.id, &saved.counterexample) {
            Err(Misfit::Model(error)) => {
                return Err(Failure::Model { variant: variant.to_string(), error, advice: None });
            }
            result => result,
        };
        let is_saved = |name: &str| saved.bounds.iter().any(|(saved, _)| saved == name);
        let new = bounds.iter().filter(|(name, _)| !is_saved(name));
        let defaults = new.map(|(name, value)| format!("{name}={value}")).collect();
        Ok(Replay { path, variant, bounds, property, result, defaults })
    }

    /// What is different from the record and does not matter, in sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.defaults.is_empty() {
            notes.push(format!("not recorded, so the default: {}", self.defaults.join(", ")));
        }
        let reworded = self.result.as_ref().map_or(&[][..], |replayed| &replayed.reworded);
        if !reworded.is_empty() {
            let parts: Vec<String> = reworded.iter().map(Part::to_string).collect();
            notes.push(format!("reads otherwise than recorded: {}", parts.join(", ")));
        }
        notes
    }

    /// What came of it, in a sentence.
    pub(super) fn conclusion(&self) -> String {
        let id = self.property.id;
        match &self.result {
            Ok(_) => format!("{id} is violated, as recorded"),
            Err(Misfit::Model(error)) => error.to_string(),
            Err(misfit) => format!("{id} is not violated as recorded: {misfit}"),
        }
    }

    /// How to find out more where the record does not help any more.
    fn advice(&self, program: &str) -> Option<String> {
        let gone = match &self.result {
            Ok(_) | Err(Misfit::Model(_)) => return None,
            Err(Misfit::Gone { .. }) => true,
            Err(
                Misfit::Step { .. } | Misfit::Open { .. } | Misfit::OtherKind { .. } | Misfit::Earlier { .. },
            ) => false,
        };
        let known = self.variant.default_bounds();
        let changed = self.bounds.iter().filter(|bound| known.iter().all(|default| default != *bound));
        let (variant, id) = (self.variant, self.property.id);
        let command = format!("{program} check {variant} --property {id}");
        let with_bound = |command, (name, value)| format!("{command} --bound {name}={value}");
        let command = changed.fold(command, with_bound);
        let what = if gone { "whether another behaviour violates it" } else { "what the model does now" };
        Some(format!("{what}: {command}"))
    }
}

/// Everything about some replays as text.
pub(super) fn text(replays: &[Replay<'_>], args: &ReplayArgs, program: &str, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    for (number, replay) in replays.iter().enumerate() {
        if number > 0 {
            canvas.end_line();
        }
        let head = format!("── {} ", replay.variant);
        canvas.put(&format!("{head:─<WIDTH$}"), Ink::Dim);
        canvas.end_line();
        paragraph(&mut canvas, &subtitle(replay), 0, Ink::Normal);
        canvas.end_line();
        if let Ok(replayed) = &replay.result
            && !args.quiet
        {
            let PropertyName { id, name } = replay.property;
            canvas.put_lines(&diagram::text(id, name, &replayed.counterexample, style));
            canvas.end_line();
        }
        for note in replay.notes() {
            paragraph(&mut canvas, &note, 2, Ink::Dim);
        }
        let ink = if replay.result.is_ok() { Ink::Good } else { Ink::Alarm };
        paragraph(&mut canvas, &replay.conclusion(), 2, ink);
        if let Some(advice) = replay.advice(program) {
            paragraph(&mut canvas, &advice, 2, Ink::Normal);
        }
    }
    if replays.len() > 1 {
        let as_recorded = replays.iter().filter(|replay| replay.result.is_ok()).count();
        canvas.end_line();
        let all = replays.len();
        canvas.put(
            &format!("{all} counterexamples: {as_recorded} violated as recorded, {} not", all - as_recorded),
            Ink::Normal,
        );
        canvas.end_line();
    }
    canvas.finish()
}

fn subtitle(replay: &Replay<'_>) -> String {
    let bounds: Vec<String> = replay.bounds.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let with =
        if bounds.is_empty() { "without bounds".to_owned() } else { format!("with {}", bounds.join(" ")) };
    format!("{}, {with}", quoted(replay.path))
}

/// Mermaid diagrams of what is violated still, each with comments that name it and what is different. What is not
/// has a comment alone.
pub(super) fn mermaid(replays: &[Replay<'_>]) -> String {
    let one = |replay: &Replay<'_>| {
        let PropertyName { id, name } = replay.property;
        let head = format!("{} {id}", replay.variant);
        let comments = [head].into_iter().chain(replay.notes()).chain([replay.conclusion()]);
        let lines = comments.fold(String::new(), |lines, comment| lines + "%% " + &comment + "\n");
        let drawn = replay.result.as_ref().ok();
        let diagram = drawn.map(|replayed| mermaid::diagram(id, name, &replayed.counterexample));
        lines + diagram.as_deref().unwrap_or("")
    };
    replays.iter().map(one).collect::<Vec<String>>().join("\n")
}
