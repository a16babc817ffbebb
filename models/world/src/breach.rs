//! What an execution breaks, and the words of the catalogue for it.

use std::fmt;

use downbeat_sim::explore::End;

use crate::verdict::Verdict;

/// A promise that an execution broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// The id of the property, in the catalogue of the models or one of [`OF_THE_WORLD`].
    pub(crate) id: &'static str,
    /// What a task said that panicked.
    said: Option<String>,
}

/// Promises that no model knows of, or of another thing.
const OF_THE_WORLD: [(&str, &str); 5] = [
    ("S18", "what people see of a response is of one send, in its order, and all that there is of its turn"),
    ("script", "what nothing fails for good completes, unless somebody cancels it"),
    ("judge", "what the world sees does not contradict itself"),
    ("deadlock", "something can go on until the scenario is judged"),
    ("panic", "no task panics unless somebody learns of it by joining it"),
];

/// The models whose words are taken, the first one first: it has the shell's machines together.
const MODELS: [&str; 3] = ["subtask-tree", "subtask-completion", "duplicate-send"];

impl Breach {
    /// What an end breaks.
    pub(crate) fn of(end: &End<Verdict>) -> Option<Self> {
        let (id, said) = match end {
            End::Returned(Ok(_)) | End::CutOff => return None,
            End::Returned(Err(property)) => (*property, None),
            End::Deadlocked(_) => ("deadlock", None),
            End::Panicked { task, message } => ("panic", Some(format!("{task} panicked: {message}"))),
        };
        Some(Self { id, said })
    }

    /// What is promised.
    pub(crate) fn statement(&self) -> &'static str {
        let own = OF_THE_WORLD.iter().find(|(id, _)| *id == self.id).map(|(_, statement)| *statement);
        own.or_else(|| statement(self.id)).unwrap_or("the catalogue has no words for it")
    }
}

/// The words of the catalogue of properties.
fn statement(id: &str) -> Option<&'static str> {
    let registry = downbeat_models::registry();
    let of_model = |model: &&str| {
        registry
            .models()
            .iter()
            .find(|entry| entry.name == *model)
            .into_iter()
            .flat_map(|entry| &entry.variants)
    };
    let mut variants = MODELS.iter().flat_map(of_model);
    variants.find_map(|variant| {
        let properties = variant.properties(&variant.default_bounds());
        properties.into_iter().find(|property| property.id == id).map(|property| property.name)
    })
}

/// The property and what it says.
impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.statement())?;
        self.said.iter().try_for_each(|said| write!(f, " ({said})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the ledger and the login can say was broken.
    const ALL: [&str; 19] = [
        "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S13", "S14", "S15", "S18", "S19", "S24", "L1",
        "waits", "script", "judge",
    ];

    #[test]
    fn every_promise_has_words() {
        for id in ALL {
            let breach = Breach::of(&End::Returned(Err(id))).expect("it is one");
            assert_ne!(breach.statement(), "the catalogue has no words for it", "{id}");
        }
        let breach = Breach::of(&End::Returned(Err("S2"))).expect("it is one");
        assert_eq!(breach.to_string(), "S2: one send for each (task, turn, attempt)");
        assert_eq!(Breach::of(&End::CutOff), None);
    }
}
