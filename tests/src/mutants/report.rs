//! What the runs come to: scores, and the survivors.

use super::accepted::Accepted;
use super::run::Fate;
use super::{Class, Mutant, Operator};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

/// The least part of the mutants that has to be caught, in percent.
pub const SCORE_MIN: u32 = 95;

/// A mutant and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Result {
    /// The mutant.
    pub mutant: Mutant,
    /// What became of it.
    pub fate: Fate,
}

/// How many mutants of a kind there are, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Caught by a test.
    pub caught: u32,
    /// By which tests come that all pass.
    pub survived: u32,
    /// By which no test comes.
    pub unreached: u32,
    /// Left out, because they do not compile.
    pub refused: u32,
}

impl Score {
    fn count(&mut self, fate: &Fate) {
        match fate {
            Fate::Caught { .. } => self.caught += 1,
            Fate::Survived => self.survived += 1,
            Fate::Unreached => self.unreached += 1,
            Fate::Refused => self.refused += 1,
        }
    }

    /// How many compile.
    pub fn mutants(self) -> u32 {
        self.caught + self.survived + self.unreached
    }

    /// Whether enough of them are caught.
    pub fn is_enough(self) -> bool {
        self.caught * 100 >= self.mutants() * SCORE_MIN
    }
}

impl Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { caught, survived, unreached, refused } = *self;
        let mutants = self.mutants();
        let tenths = (caught * 1000).checked_div(mutants).unwrap_or(1000);
        let percent = format!("{}.{}", tenths / 10, tenths % 10);
        write!(f, "{mutants:>7} {caught:>7} {survived:>9} {unreached:>9} {refused:>8} {percent:>7} %")
    }
}

/// The scores of a set of results.
pub struct Report<'r> {
    /// Every result, in the order of the mutants.
    pub results: &'r [Result],
    /// The survivors that are accepted.
    pub accepted: &'r [Accepted],
}

impl Report<'_> {
    /// All of them together.
    pub fn total(&self) -> Score {
        self.scores(|_| ()).remove(&()).unwrap_or_default()
    }

    fn scores<K: Ord>(&self, key: impl Fn(&Mutant) -> K) -> BTreeMap<K, Score> {
        let mut scores: BTreeMap<K, Score> = BTreeMap::new();
        for Result { mutant, fate } in self.results {
            scores.entry(key(mutant)).or_default().count(fate);
        }
        scores
    }

    /// The survivors, reached or not, that nobody has accepted.
    pub fn unexplained(&self) -> Vec<&Result> {
        let is_accepted =
            |mutant: &Mutant| self.accepted.iter().any(|accepted| accepted.is(&mutant.mutation));
        let survived =
            self.results.iter().filter(|result| matches!(result.fate, Fate::Survived | Fate::Unreached));
        survived.filter(|result| !is_accepted(&result.mutant)).collect()
    }

    /// The accepted survivors that a test catches after all.
    pub fn caught_after_all(&self) -> Vec<&Accepted> {
        let is_caught = |accepted: &&Accepted| {
            let caught = self.results.iter().filter(|result| matches!(result.fate, Fate::Caught { .. }));
            caught.clone().any(|result| accepted.is(&result.mutant.mutation))
        };
        self.accepted.iter().filter(is_caught).collect()
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let mutants = self.results.iter().map(|Result { mutant, fate }| {
            let (fate, by) = match fate {
                Fate::Caught { by } => ("caught", Some(by)),
                Fate::Survived => ("survived", None),
                Fate::Unreached => ("unreached", None),
                Fate::Refused => ("refused", None),
            };
            let Mutant { number, line, operator, mutation } = mutant;
            json!({
                "number": number, "file": mutation.file, "line": line, "function": mutation.function,
                "operator": operator.to_string(), "class": operator.class().to_string(),
                "before": mutation.before, "after": mutation.after, "nth": mutation.nth,
                "fate": fate, "test": by,
            })
        });
        let Score { caught, survived, unreached, refused } = self.total();
        json!({
            "score": { "caught": caught, "survived": survived, "unreached": unreached, "refused": refused },
            "mutants": mutants.collect::<Vec<_>>(),
        })
    }
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        table(&mut text, "file", self.scores(|mutant| mutant.mutation.file.clone()))?;
        table(&mut text, "operator", self.scores(|mutant| mutant.operator))?;
        table(&mut text, "class", self.scores(|mutant| mutant.operator.class()))?;
        table(&mut text, "all", BTreeMap::from([("", self.total())]))?;
        f.write_str(&text)
    }
}

fn table<K: Display>(text: &mut String, of: &str, scores: BTreeMap<K, Score>) -> fmt::Result {
    writeln!(text, "{of:<24} mutants  caught  survived unreached  refused     score")?;
    for (name, score) in scores {
        writeln!(text, "{name:<24} {score}")?;
    }
    writeln!(text)
}

/// Every operator with its class, for the listing.
pub fn operators() -> [(Operator, Class); Operator::ALL.len()] {
    Operator::ALL.map(|operator| (operator, operator.class()))
}
