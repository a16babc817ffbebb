//! The files of `--out`: one for each counterexample that `replay` reads, and its diagram beside it.

use std::io;
use std::path::{Path, PathBuf};

use super::arguments::Format;
use super::counterexamples::{self, Shown};
use super::failure::Failure;
use super::run::Run;
use super::saved;
use crate::check::part;
use crate::diagram::{self, Style};
use crate::mermaid;

/// Makes the directory of an option, if it is not there yet, and tries whether files can be written there.
pub(super) fn assert_writable(option: &'static str, directory: &Path) -> Result<(), Failure> {
    let trial = directory.join(".downbeat-trial");
    let result = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&trial, "trial"));
    // One that a kill, or a command at the same time, leaves is removed by the next.
    drop(std::fs::remove_file(&trial));
    result.map_err(|error| Failure::Directory { option, path: directory.to_owned(), error })
}

/// Writes every counterexample of a run, whatever the format: what was only looked at today is replayed tomorrow.
pub(super) fn write(directory: &Path, run: &Run, format: Format) -> Result<(), Failure> {
    for Shown { property, counterexample } in counterexamples::all(run) {
        let (id, name) = (property.found.id, property.found.name);
        let caveat = counterexamples::caveat(run, property.found);
        let diagram = match format {
            Format::Text => {
                let diagram = diagram::text(id, name, counterexample, Style::Plain);
                Some(("txt", diagram + &caveat.map(|caveat| format!("\n{caveat}\n")).unwrap_or_default()))
            }
            Format::Json => None,
            Format::Mermaid => {
                let caveat = counterexamples::comment(run, property.found);
                Some(("mmd", caveat + &mermaid::diagram(id, name, counterexample)))
            }
        };
        let saved = ("json", saved::document(run, property.found, counterexample));
        for (extension, content) in diagram.into_iter().chain([saved]) {
            let path = path(directory, run, id, extension);
            replace(&path, &content).map_err(|error| Failure::File { path, error })?;
        }
    }
    Ok(())
}

/// Writes a file that is there as a whole or as it was before.
fn replace(path: &Path, content: &str) -> io::Result<()> {
    let part = part(path);
    let replaced = std::fs::write(&part, content).and_then(|()| std::fs::rename(&part, path));
    replaced.inspect_err(|_| {
        // The room that is left is for whatever else is written.
        drop(std::fs::remove_file(&part));
    })
}

/// The file that `replay` reads.
pub(super) fn saved(directory: &Path, run: &Run, id: &str) -> PathBuf {
    path(directory, run, id, "json")
}

fn path(directory: &Path, run: &Run, id: &str, extension: &str) -> PathBuf {
    // An id is free text of the model's author; a file name is not.
    let id: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    directory.join(format!("{}@{}.{id}.{extension}", run.model, run.variant))
}

/// A path as a shell takes it for one word.
pub(super) fn quoted(path: &Path) -> String {
    quoted_word(&path.display().to_string())
}

/// Text as a shell takes it for one word.
pub(super) fn quoted_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | '+' | ':' | '=');
    let is_plain = !word.is_empty() && word.chars().all(plain);
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_quoted_if_a_shell_would_not_take_it_for_one_word() {
        #[rustfmt::skip]
        let cases = [
            ("traces/counter@as-is.S1.json", "traces/counter@as-is.S1.json"),
            ("my traces/a.json",             "'my traces/a.json'"),
            ("it's/a.json",                  r"'it'\''s/a.json'"),
            ("$HOME/a.json",                 "'$HOME/a.json'"),
        ];
        for (path, expected) in cases {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
