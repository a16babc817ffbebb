//! The survivors that are accepted: the tables of `docs/mutants.md` whose heading is [`HEADING`].

use super::{Failure, Mutant, Mutation};

/// How a table of accepted survivors begins.
pub const HEADING: &str = "| file | function | mutation | reason |";

/// A survivor that no test has to catch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The file, below `kernel/src`.
    pub file: String,
    /// The function, with the type that it belongs to.
    pub function: String,
    /// The mutation in its words, as a [`Mutation`] reads.
    pub mutation: String,
    /// Why it is accepted.
    pub reason: String,
}

impl Accepted {
    /// Whether this is about that mutation.
    pub fn is(&self, mutation: &Mutation) -> bool {
        self.file == mutation.file
            && self.function == mutation.function
            && self.mutation == mutation.to_string()
    }
}

/// Reads the tables of a page.
///
/// # Errors
///
/// [`Failure::Row`] for a row that has not the four columns.
pub fn read(page: &str) -> Result<Vec<Accepted>, Failure> {
    let mut accepted = Vec::new();
    let mut lines = page.lines();
    while lines.by_ref().any(|line| line == HEADING) {
        let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
        for row in rows {
            accepted.push(parse(row).ok_or_else(|| Failure::Row { row: row.to_owned() })?);
        }
    }
    Ok(accepted)
}

/// A row of the table.
pub fn row(mutation: &Mutation, reason: &str) -> String {
    let words = mutation.to_string().replace('|', "\\|");
    format!("| {} | `{}` | {words} | {reason} |", mutation.file, mutation.function)
}

fn parse(row: &str) -> Option<Accepted> {
    let inner = row.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<&str> = inner.split(" | ").collect();
    let [file, function, mutation, reason] = cells.as_slice() else { return None };
    Some(Accepted {
        file: (*file).to_owned(),
        function: function.trim_matches('`').to_owned(),
        mutation: mutation.replace("\\|", "|"),
        reason: (*reason).to_owned(),
    })
}

/// Those that are about no mutation that there is.
pub fn stale<'a>(accepted: &'a [Accepted], mutants: &[Mutant]) -> Vec<&'a Accepted> {
    let exists = |accepted: &Accepted| mutants.iter().any(|mutant| accepted.is(&mutant.mutation));
    accepted.iter().filter(|accepted| !exists(accepted)).collect()
}
