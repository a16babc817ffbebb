//! What a check found: verdicts, counts and counterexamples, free of the model's types.

use std::fmt;
use std::time::Duration;

use crate::check::{Limit, Reduction};
use crate::model::{Check, Fairness, Model, Strength, Told};

/// What is known about a property, or about all properties of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// True of every behaviour of the model, and not for want of cases.
    Holds,
    /// False of some behaviour.
    Violated,
    /// Never put to the test: its antecedent is not reachable.
    Vacuous,
    /// Undecided: a limit ended the search before the whole space was seen, or the search was of a kind that cannot
    /// decide it; see [`Undecided`].
    Incomplete,
}

impl Verdict {
    /// The name used in reports: `holds`, `violated`, `vacuous`, `incomplete`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Violated => "violated",
            Verdict::Vacuous => "vacuous",
            Verdict::Incomplete => "incomplete",
        }
    }

    /// The verdict of a whole from those of its parts: violated, else incomplete, else vacuous, else holds.
    pub fn of_all(parts: impl IntoIterator<Item = Verdict>) -> Verdict {
        parts.into_iter().max_by_key(|verdict| verdict.severity()).unwrap_or(Verdict::Holds)
    }

    fn severity(self) -> u8 {
        match self {
            Verdict::Holds => 0,
            Verdict::Vacuous => 1,
            Verdict::Incomplete => 2,
            Verdict::Violated => 3,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kind of a property: [`Check`] without its predicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`Check::Always`]
    Always,
    /// [`Check::AlwaysStep`]
    AlwaysStep,
    /// [`Check::Sometimes`]
    Sometimes,
    /// [`Check::NoDeadlock`]
    NoDeadlock,
    /// [`Check::LeadsTo`]
    LeadsTo,
    /// [`Check::Eventually`]
    Eventually,
}

impl Kind {
    /// The name used in reports, such as `always-step`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Always => "always",
            Kind::AlwaysStep => "always-step",
            Kind::Sometimes => "sometimes",
            Kind::NoDeadlock => "no-deadlock",
            Kind::LeadsTo => "leads-to",
            Kind::Eventually => "eventually",
        }
    }

    /// Whether it is decided by cycles, so that the whole graph is needed.
    pub fn is_liveness(self) -> bool {
        match self {
            Kind::LeadsTo | Kind::Eventually => true,
            Kind::Always | Kind::AlwaysStep | Kind::Sometimes | Kind::NoDeadlock => false,
        }
    }
}

impl<M: Model> From<&Check<M>> for Kind {
    fn from(check: &Check<M>) -> Self {
        match check {
            Check::Always { .. } => Kind::Always,
            Check::AlwaysStep { .. } => Kind::AlwaysStep,
            Check::Sometimes(_) => Kind::Sometimes,
            Check::NoDeadlock => Kind::NoDeadlock,
            Check::LeadsTo { .. } => Kind::LeadsTo,
            Check::Eventually(_) => Kind::Eventually,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Everything that one check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// One entry for each property that was evaluated, in the model's order.
    pub properties: Vec<PropertyReport>,
    /// Distinct states that were found.
    pub distinct: usize,
    /// Initial states and steps, counted before states that are equal become one.
    pub generated: u64,
    /// Steps on the way to the state that is farthest from the initial ones.
    pub depth: usize,
    /// In how many of the states the model was audited: that it answers twice alike, that `Hash`, `Eq` and the packed
    /// form agree, that what it declares for a reduction is true. All that was found rests on it that this is so in
    /// the others too.
    pub audited: usize,
    /// What the steps of the search came by.
    pub coverage: Coverage,
    /// The fair actions of the model, on which what was decided about liveness rests; empty if no property of liveness was
    /// evaluated.
    pub fairness: Vec<FairAction>,
    /// What states were told apart by.
    pub storage: Storage,
    /// How states were left out, if they were.
    pub reduction: Option<Reduction>,
    /// Wall-clock time. The only field that differs between two runs of the same check.
    pub elapsed: Duration,
    /// The limit that ended the search early. `None`: the whole space was seen.
    pub stopped_by: Option<Limit>,
}

impl Report {
    /// The verdict of the whole run. A search that a limit ended is incomplete, even if every property that
    /// was asked for was decided before.
    pub fn verdict(&self) -> Verdict {
        let stopped = self.stopped_by.map(|_| Verdict::Incomplete);
        Verdict::of_all(self.properties.iter().map(|property| property.verdict).chain(stopped))
    }

    /// The entry of one property.
    pub fn property(&self, id: &str) -> Option<&PropertyReport> {
        self.properties.iter().find(|property| property.id == id)
    }
}

/// How often the steps that were taken were of each kind of action, and came by each mark of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The kinds of action of [`Model::kinds`] with the steps of each. One without a step was never enabled, or
    /// not before a limit ended the search.
    pub kinds: Vec<(&'static str, u64)>,
    /// The marks of [`Model::marks`] with the steps that came by each.
    pub marks: Vec<(String, u64)>,
}

/// A fair action of a model: the behaviours that ignore it were left out of account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FairAction {
    /// [`Fairness::name`].
    pub name: String,
    /// [`Fairness::strength`].
    pub strength: Strength,
    /// Whether a step of it changes some reachable state; if none does, its fairness asks for nothing, most often by a
    /// mistake of the model. `None` if liveness was not decided, so that nobody looked.
    pub is_enabled: Option<bool>,
}

impl FairAction {
    /// The action of which so much is known.
    pub(crate) fn of<M: Model>(fairness: Fairness<M>, is_enabled: Option<bool>) -> Self {
        Self { name: fairness.name, strength: fairness.strength, is_enabled }
    }
}

/// How a search told the states apart that it had found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// By the states themselves. None is missed.
    Exact,
    /// By fingerprints. A state whose fingerprint is that of another is taken for it and missed.
    Fingerprint {
        /// The length of a fingerprint.
        bits: u8,
    },
}

impl Storage {
    /// A bound on the probability that a search which found this many states has missed any, from 0 to 1, for
    /// fingerprints that are as good as random.
    ///
    /// Until the first is missed, each new state meets at most as many others as are found in the end. Of n states
    /// one is missed with a probability of at most n (n + 1) / 2 / 2^bits.
    pub fn omission(&self, states: usize) -> f64 {
        match self {
            Storage::Exact => 0.0,
            Storage::Fingerprint { bits } => {
                #[expect(clippy::cast_precision_loss, reason = "a bound of which two digits matter")]
                let states = states as f64;
                (states * (states + 1.0) * 0.5_f64.powi(i32::from(*bits) + 1)).min(1.0)
            }
        }
    }
}

/// Why a property is [`Verdict::Incomplete`], other than by the limit that ended the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Undecided {
    /// It is one of liveness, and states stand for others that are symmetric to them.
    LivenessUnderSymmetry,
    /// It is one of liveness, and steps were left out by partial-order reduction.
    LivenessUnderPartialOrder,
    /// It is one of liveness, and the states that were found did not fit in memory.
    LivenessWhenSpilled,
    /// It is one of liveness, and there are more states than its graph has numbers for.
    LivenessOfTooManyStates,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Undecided::LivenessUnderSymmetry => "liveness is not decided under symmetry",
            Undecided::LivenessUnderPartialOrder => "liveness is not decided under partial-order reduction",
            Undecided::LivenessWhenSpilled => "liveness is not decided when states are spilled to disk",
            Undecided::LivenessOfTooManyStates => {
                "liveness is decided for up to some two billion states, and there are more"
            }
        })
    }
}

/// What was found about one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyReport {
    /// The id within the model.
    pub id: &'static str,
    /// The statement in words.
    pub name: &'static str,
    /// What kind of property it is.
    pub kind: Kind,
    /// What is known about it.
    pub verdict: Verdict,
    /// Why it is incomplete, unless the limit that ended the search is the reason.
    pub undecided: Option<Undecided>,
    /// A behaviour that violates it. A violated [`Kind::Sometimes`] has none.
    pub counterexample: Option<Counterexample>,
    /// Whether it is known that no counterexample has fewer steps; false without one. It is not known of a lasso for
    /// which the search for a shorter one was given up, and of none that was found under partial-order reduction.
    pub is_shortest: bool,
}

/// A behaviour that violates a property: a finite one, or a lasso that goes on for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The names of all participants; a [`crate::model::Lane`] indexes into them.
    pub lanes: Vec<String>,
    /// Where the system stands at the beginning; may be empty.
    pub opening: String,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// For liveness, the index of the step at which the loop begins. Equal to the number of steps when the
    /// behaviour ends in a state where nothing more need happen.
    pub lasso_start: Option<usize>,
    /// What is wrong in the last state, as a sentence.
    pub explanation: String,
}

impl Counterexample {
    /// Whether the behaviour is infinite only because nothing more happens.
    pub fn ends_in_stutter(&self) -> bool {
        self.lasso_start == Some(self.steps.len())
    }
}

/// One step of a counterexample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The action, as its `Debug` shows it.
    pub action: String,
    /// The step in words.
    pub told: Told,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn omission_is_bounded_by_the_pairs_of_states() {
        let fingerprint = |bits| Storage::Fingerprint { bits };
        #[rustfmt::skip]
        let cases = [
            (Storage::Exact,   usize::MAX,    0.0),
            (fingerprint(64),  0,             0.0),
            // Two states are one pair; one more for the state that was missed.
            (fingerprint(2),   2,             0.75),
            (fingerprint(8),   1_000,         1.0),
            (fingerprint(64),  6_000_000,     9.757_819e-7),
            (fingerprint(128), 6_000_000,     5.289_725e-26),
            (fingerprint(64),  1_000_000_000, 2.710_505e-2),
        ];
        for (storage, states, expected) in cases {
            let found = storage.omission(states);
            assert!((found - expected).abs() <= expected * 1e-6, "{storage:?} {states}: {found:e}");
        }
    }
}
