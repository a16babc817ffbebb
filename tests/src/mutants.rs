//! Mutants of the kernel: small faults, each of which some test of the kernel has to notice.
//!
//! All mutants are compiled into one copy of the package, each behind a test of its number, which is read once from the
//! environment. So one build serves thousands of them, and a mutant costs no more than a run of the tests that come by it.
//! What is mutated and what is not is in `docs/mutants.md`.

pub mod accepted;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the hundred forms of code a few are mutated, and new ones are as the rest"
)]
pub mod copy;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the hundred forms of code a few are mutated, and new ones are as the rest"
)]
mod patterns;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the hundred forms of code a few are mutated, and new ones are as the rest"
)]
mod planted;
pub mod report;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the hundred forms of code a few are mutated, and new ones are as the rest"
)]
mod rewrite;
pub mod run;

use std::collections::BTreeSet;
use std::fmt;
use std::io;

pub use rewrite::rewrite;

/// What a mutation takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A condition of an edge.
    Guard,
    /// A change of the state.
    Transition,
    /// An order, or a change of what a machine remembers.
    Effect,
    /// The exact place of a bound, or the exact number.
    Boundary,
    /// A function as a whole.
    Function,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Guard => "guards",
            Self::Transition => "transitions",
            Self::Effect => "effects",
            Self::Boundary => "boundaries",
            Self::Function => "functions",
        })
    }
}

/// How a mutation changes the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// A condition, or an operand of one, is always true.
    AlwaysTrue,
    /// A condition, or an operand of one, is always false.
    AlwaysFalse,
    /// A condition outside of a branch is the contrary.
    Negation,
    /// The `else` of a `let` is always taken.
    ElseTaken,
    /// An arm of a `match` is not there, and a later one takes it up.
    ArmRemoved,
    /// The machine stays where it is although all effects happened.
    TransitionLost,
    /// An assignment to the state is not there.
    StateKept,
    /// A statement is not there.
    StatementRemoved,
    /// An order of two numbers has its bound one further or one nearer.
    Comparison,
    /// An operation on numbers is its contrary.
    Arithmetic,
    /// A number is one more.
    Constant,
    /// A function returns at once.
    EarlyReturn,
}

impl Operator {
    /// Every operator there is, in the order in which they are reported.
    pub const ALL: [Self; 12] = [
        Self::AlwaysTrue,
        Self::AlwaysFalse,
        Self::Negation,
        Self::ElseTaken,
        Self::ArmRemoved,
        Self::TransitionLost,
        Self::StateKept,
        Self::StatementRemoved,
        Self::Comparison,
        Self::Arithmetic,
        Self::Constant,
        Self::EarlyReturn,
    ];

    /// What it takes away.
    pub fn class(self) -> Class {
        match self {
            Self::AlwaysTrue | Self::AlwaysFalse | Self::Negation | Self::ElseTaken | Self::ArmRemoved => {
                Class::Guard
            }
            Self::TransitionLost | Self::StateKept => Class::Transition,
            Self::StatementRemoved => Class::Effect,
            Self::Comparison | Self::Arithmetic | Self::Constant => Class::Boundary,
            Self::EarlyReturn => Class::Function,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::AlwaysTrue => "condition always true",
            Self::AlwaysFalse => "condition always false",
            Self::Negation => "condition negated",
            Self::ElseTaken => "else always taken",
            Self::ArmRemoved => "arm removed",
            Self::TransitionLost => "transition lost",
            Self::StateKept => "state kept",
            Self::StatementRemoved => "statement removed",
            Self::Comparison => "comparison moved",
            Self::Arithmetic => "arithmetic reversed",
            Self::Constant => "constant one more",
            Self::EarlyReturn => "early return",
        })
    }
}

/// What a mutation does where, without a number or a line: it stays the same while the code around it moves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mutation {
    /// The file, below `kernel/src`.
    pub file: String,
    /// The function, with the type that it belongs to.
    pub function: String,
    /// The code before.
    pub before: String,
    /// The code after; empty where it is removed.
    pub after: String,
    /// Which of those with the same words in the same function, from 1.
    pub nth: u32,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, after, nth, .. } = self;
        let after = if after.is_empty() { "nothing".to_owned() } else { format!("`{after}`") };
        write!(f, "`{before}` → {after}")?;
        if *nth > 1 { write!(f, " ({nth})") } else { Ok(()) }
    }
}

/// One mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its number in the copy, from 1.
    pub number: u32,
    /// The line of the file where the code before begins, from 1.
    pub line: usize,
    /// How it changes the code.
    pub operator: Operator,
    /// What it does where.
    pub mutation: Mutation,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, line, operator, mutation } = self;
        write!(
            f,
            "{number} kernel/src/{}:{line} {} [{operator}] {mutation}",
            mutation.file, mutation.function
        )
    }
}

/// Numbers of mutants.
pub type Numbers = BTreeSet<u32>;

/// Why there is no result.
#[derive(Debug)]
pub enum Failure {
    /// A file or a program could not be used.
    Io {
        /// What was to be done with what.
        of: String,
        /// Why not.
        error: io::Error,
    },
    /// A file of the kernel is not Rust that can be read.
    Syntax {
        /// Which file, below `kernel/src`.
        file: String,
        /// What and where.
        error: syn::Error,
    },
    /// The copy does not build, and no mutant is to blame.
    Build {
        /// What the compiler says.
        messages: String,
    },
    /// A test fails although nothing is mutated.
    Unmutated {
        /// Which one.
        test: String,
    },
    /// A line of the table of accepted survivors cannot be read.
    Row {
        /// The line.
        row: String,
    },
    /// There is no such mutant, or none to run.
    NoMutant,
}

impl Failure {
    /// For `map_err`: what was to be done.
    fn of(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { of: what.into(), error }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { of, error } => write!(f, "{of}: {error}"),
            Self::Syntax { file, error } => write!(f, "kernel/src/{file}: {error}"),
            Self::Build { messages } => write!(f, "the copy does not build:\n{messages}"),
            Self::Unmutated { test } => write!(f, "{test} fails although nothing is mutated"),
            Self::Row { row } => write!(f, "no accepted survivor can be read from: {row}"),
            Self::NoMutant => f.write_str("there is no such mutant"),
        }
    }
}

impl std::error::Error for Failure {}
