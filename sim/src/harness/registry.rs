//! Which models there are, in which variants, within which bounds, and what is expected of them.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use super::run::{Control, Settings};
use super::subject::{Built, Subject};
use crate::check::{CheckError, Checkpointing, Reduction};
use crate::model::Model;
use crate::pack::Pack;
use crate::replay::{Misfit, Replayed};
use crate::report::{Counterexample, Kind, Report, Storage, Verdict};

/// The models of a program, in the order in which they are checked and listed.
#[derive(Debug, Default)]
pub struct Registry {
    models: Vec<Entry>,
}

impl Registry {
    /// A registry without models.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a model with its variants.
    ///
    /// # Panics
    /// The description contradicts itself: a name is used twice or has a character other than `a-z`, `0-9`,
    /// `-`, `_` and `.`, two properties have the same id, something is expected of a property that does not
    /// exist, a bound's default is outside its range, or a deep bound is, or is no deeper than its default. Such a
    /// registry is a mistake of the program.
    #[must_use]
    pub fn model(
        mut self,
        name: &'static str,
        about: &'static str,
        variants: impl IntoIterator<Item = Variant>,
    ) -> Self {
        assert_name("model", name);
        assert!(self.models.iter().all(|entry| entry.name != name), "two models are named `{name}`");
        let mut variants: Vec<Variant> = variants.into_iter().collect();
        assert!(!variants.is_empty(), "the model `{name}` has no variant");
        let mut names = BTreeSet::new();
        for variant in &mut variants {
            assert_name("variant", variant.name);
            assert!(
                names.insert(variant.name),
                "two variants of the model `{name}` are named `{}`",
                variant.name
            );
            variant.model = name;
            variant.assert_consistent();
        }
        self.models.push(Entry { name, about, variants });
        self
    }

    /// All models.
    pub fn models(&self) -> &[Entry] {
        &self.models
    }

    /// All variants of all models.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.models.iter().flat_map(|entry| &entry.variants)
    }

    /// One variant, by the names of its model and itself.
    pub fn variant(&self, model: &str, variant: &str) -> Option<&Variant> {
        self.variants().find(|candidate| candidate.model == model && candidate.name == variant)
    }
}

/// A model in its variants.
#[derive(Debug)]
pub struct Entry {
    /// The name on the command line.
    pub name: &'static str,
    /// One line about what is modelled.
    pub about: &'static str,
    /// At least one.
    pub variants: Vec<Variant>,
}

/// One variant of a model: how it is built, within which bounds, and what is expected of it.
pub struct Variant {
    model: &'static str,
    name: &'static str,
    about: &'static str,
    bounds: Vec<Bound>,
    deep: Vec<(&'static str, u64)>,
    expected: Vec<(&'static str, Verdict)>,
    headline: Option<&'static str>,
    subject: Box<dyn Subject>,
}

impl Variant {
    /// A variant that `build` makes from its bounds. Every property of it is expected to hold.
    pub fn new<M, F>(name: &'static str, about: &'static str, build: F) -> Self
    where
        M: Model + 'static,
        F: Fn(&Bounds) -> M + Send + Sync + 'static,
    {
        Self::of(name, about, Built::new(build))
    }

    /// As [`Variant::new`], for a model whose states can be packed. They are, unless something else is asked for: a
    /// search of it leaves nothing to chance, and needs 8 or 16 bytes for each state.
    pub fn packed<M, F>(name: &'static str, about: &'static str, build: F) -> Self
    where
        M: Model<State: Pack> + 'static,
        F: Fn(&Bounds) -> M + Send + Sync + 'static,
    {
        Self::of(name, about, Built::packed(build))
    }

    fn of(name: &'static str, about: &'static str, subject: impl Subject + 'static) -> Self {
        Self {
            model: "",
            name,
            about,
            bounds: Vec::new(),
            deep: Vec::new(),
            expected: Vec::new(),
            headline: None,
            subject: Box::new(subject),
        }
    }

    /// Adds a number that the model is built with, such as how many messages there are.
    #[must_use]
    pub fn bound(
        mut self,
        name: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
        help: &'static str,
    ) -> Self {
        self.bounds.push(Bound { name, default, range, help });
        self
    }

    /// Greater values of some bounds, for a search that takes minutes: `check --deep` takes them for the defaults.
    #[must_use]
    pub fn deep(mut self, bounds: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        self.deep.extend(bounds);
        self
    }

    /// Expects another verdict about a property than that it holds.
    #[must_use]
    pub fn expect(mut self, id: &'static str, verdict: Verdict) -> Self {
        self.expected.push((id, verdict));
        self
    }

    /// Names the expected violation that tells what this variant is about: of several counterexamples a report
    /// shows this one. Without it, the shortest.
    #[must_use]
    pub fn headline(mut self, id: &'static str) -> Self {
        self.headline = Some(id);
        self
    }

    /// The name of the model that this is a variant of.
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// The name of the variant within its model.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// One line about what is special about it.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// What it is built with.
    pub fn bounds(&self) -> &[Bound] {
        &self.bounds
    }

    /// The values of all bounds when nothing else is asked for.
    pub fn default_bounds(&self) -> Bounds {
        Bounds { values: self.bounds.iter().map(|bound| (bound.name, bound.default)).collect() }
    }

    /// The bounds that are greater in a deep search, with their values there; none if there is no such search.
    pub fn deep_bounds(&self) -> &[(&'static str, u64)] {
        &self.deep
    }

    /// Whether some bound has its value of a deep search.
    pub(super) fn is_deep(&self, bounds: &Bounds) -> bool {
        self.deep.iter().any(|(name, value)| bounds.get(name) == *value)
    }

    /// The values of all bounds, with some of them changed. Of two changes of one bound the later counts.
    ///
    /// # Errors
    /// There is no bound of this name, or the value is outside its range.
    pub fn bounds_with<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, u64)>,
    ) -> Result<Bounds, BoundsError> {
        let mut bounds = self.default_bounds();
        for (name, value) in changes {
            let place = self.bounds.iter().zip(&mut bounds.values).find(|(bound, _)| bound.name == name);
            let Some((bound, place)) = place else {
                return Err(BoundsError::Unknown { name: name.to_owned(), variant: self.to_string() });
            };
            if !bound.range.contains(&value) {
                let (name, range) = (bound.name, bound.range.clone());
                return Err(BoundsError::OutOfRange { name, value, range, variant: self.to_string() });
            }
            place.1 = value;
        }
        Ok(bounds)
    }

    /// The verdict that is expected about a property.
    pub fn expected(&self, id: &str) -> Verdict {
        let declared = self.expected.iter().find(|(expected, _)| *expected == id);
        declared.map_or(Verdict::Holds, |(_, verdict)| *verdict)
    }

    /// The properties of the model built with these bounds.
    pub fn properties(&self, bounds: &Bounds) -> Vec<PropertySummary> {
        self.subject.properties(bounds)
    }

    /// What its states are told apart by unless something else is asked for.
    pub fn default_storage(&self) -> Storage {
        if self.subject.is_packed() { Storage::Exact } else { Storage::Fingerprint { bits: 64 } }
    }

    /// Whether the model built with these bounds is declared for a reduction.
    pub fn declares(&self, bounds: &Bounds, reduction: Reduction) -> bool {
        self.subject.declares(bounds, reduction)
    }

    pub(super) fn headline_property(&self) -> Option<&'static str> {
        self.headline
    }

    pub(super) fn check(
        &self,
        bounds: &Bounds,
        settings: &Settings,
        checkpointing: Option<&Checkpointing>,
        control: Control<'_>,
    ) -> Result<Report, CheckError> {
        self.subject.check(bounds, settings, checkpointing, control)
    }

    pub(super) fn replay(
        &self,
        bounds: &Bounds,
        id: &str,
        recorded: &Counterexample,
    ) -> Result<Replayed, Misfit> {
        self.subject.replay(bounds, id, recorded)
    }

    fn assert_consistent(&self) {
        let mut names = BTreeSet::new();
        for Bound { name, default, range, .. } in &self.bounds {
            assert!(names.insert(name), "two bounds of {self} are named `{name}`");
            assert!(
                range.contains(default),
                "the default of the bound `{name}` of {self} is outside {range:?}"
            );
        }
        self.assert_deep_bounds();
        let mut ids = BTreeSet::new();
        for PropertySummary { id, .. } in self.properties(&self.default_bounds()) {
            assert!(ids.insert(id), "two properties of {self} have the id `{id}`");
        }
        if let Some(id) = self.headline {
            assert!(
                self.expected(id) == Verdict::Violated,
                "the headline of {self} is `{id}`, which is not expected to be violated"
            );
        }
        let mut expected = BTreeSet::new();
        for (id, verdict) in &self.expected {
            assert!(
                ids.contains(id),
                "{self} expects something of `{id}`, which is none of its properties {ids:?}"
            );
            assert!(expected.insert(id), "{self} expects something of `{id}` twice");
            assert!(
                *verdict != Verdict::Incomplete,
                "{self} expects `{id}` to be incomplete, which decides nothing"
            );
        }
    }

    fn assert_deep_bounds(&self) {
        let mut names = BTreeSet::new();
        for (name, value) in &self.deep {
            assert!(names.insert(name), "the bound `{name}` of {self} is deep twice");
            let Some(Bound { default, range, .. }) = self.bounds.iter().find(|bound| bound.name == *name)
            else {
                panic!("{self} has no bound `{name}` that could be deep");
            };
            assert!(
                range.contains(value) && value > default,
                "the deep bound `{name}` of {self} is {value}, which is outside {range:?} or not beyond {default}"
            );
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.model, self.name)
    }
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("model", &self.model)
            .field("name", &self.name)
            .field("bounds", &self.bounds)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

/// A number that a model is built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The name on the command line.
    pub name: &'static str,
    /// The value when nothing else is asked for.
    pub default: u64,
    /// The values that the model can be built with.
    pub range: RangeInclusive<u64>,
    /// What it counts, in a few words.
    pub help: &'static str,
}

/// A value for every bound of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    values: Vec<(&'static str, u64)>,
}

impl Bounds {
    /// The value of a bound.
    ///
    /// # Panics
    /// The variant has no bound of this name.
    pub fn get(&self, name: &str) -> u64 {
        let value = self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value);
        value.unwrap_or_else(|| {
            panic!("a model is built with the bound `{name}`, which its variant does not have")
        })
    }

    /// The value of a bound as a count of things in memory.
    ///
    /// # Panics
    /// The variant has no bound of this name, or its value is beyond `usize`.
    pub fn get_usize(&self, name: &str) -> usize {
        let value = self.get(name);
        usize::try_from(value)
            .unwrap_or_else(|_| panic!("the bound `{name}` of {value} is beyond what memory holds"))
    }

    /// All bounds with their values, in the order of the variant.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.values.iter().copied()
    }
}

/// Why bounds were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundsError {
    /// The variant has no bound of this name.
    Unknown {
        /// The name that was asked for.
        name: String,
        /// `MODEL@VARIANT`.
        variant: String,
    },
    /// The model cannot be built with this value.
    OutOfRange {
        /// The bound.
        name: &'static str,
        /// The value that was asked for.
        value: u64,
        /// The values that there are.
        range: RangeInclusive<u64>,
        /// `MODEL@VARIANT`.
        variant: String,
    },
}

impl fmt::Display for BoundsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BoundsError::Unknown { name, variant } => write!(f, "{variant} has no bound `{name}`"),
            BoundsError::OutOfRange { name, value, range, variant } => write!(
                f,
                "the bound `{name}` of {variant} is between {} and {}, not {value}",
                range.start(),
                range.end()
            ),
        }
    }
}

impl std::error::Error for BoundsError {}

/// What can be told about a property without checking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PropertySummary {
    /// The id within the model.
    pub id: &'static str,
    /// The statement in words.
    pub name: &'static str,
    /// What kind of property it is.
    pub kind: Kind,
}

/// Names go into file names and are separated by `@` on the command line.
fn assert_name(what: &str, name: &str) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    assert!(
        !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(plain),
        "the name `{name}` of a {what} must consist of a-z, 0-9, `-`, `_` and `.`, and begin with a letter or digit"
    );
}
