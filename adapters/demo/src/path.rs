//! Where a task is in the script: `12.1.2` is the second subtask of the first subtask of tree 12.

use std::fmt;
use std::str::FromStr;

/// A place in the script. The first word of each prompt is one: that is how the simulated model knows who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path {
    /// Which tree, from 1.
    pub(crate) tree: u64,
    /// Which subtask of which, each from 1. Empty for the root.
    pub(crate) below: Vec<u8>,
}

impl Path {
    pub(crate) fn root(tree: u64) -> Self {
        Self { tree, below: Vec::new() }
    }

    pub(crate) fn child(&self, number: u8) -> Self {
        let mut child = self.clone();
        child.below.push(number);
        child
    }

    /// The path that the first word of a text is.
    pub(crate) fn of(text: &str) -> Option<Self> {
        text.split_whitespace().next()?.parse().ok()
    }

    /// For dice: different paths have different words.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::once(self.tree).chain(self.below.iter().map(|number| u64::from(*number)))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tree)?;
        self.below.iter().try_for_each(|number| write!(f, ".{number}"))
    }
}

/// A text that is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPath;

impl FromStr for Path {
    type Err = NoPath;

    fn from_str(text: &str) -> Result<Self, NoPath> {
        let mut numbers = text.split('.');
        let tree = numbers.next().and_then(|number| number.parse().ok()).ok_or(NoPath)?;
        let below = numbers.map(|number| number.parse().map_err(|_| NoPath)).collect::<Result<_, _>>()?;
        Ok(Self { tree, below })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_the_first_word_of_a_prompt() {
        #[rustfmt::skip]
        let cases = [
            ("12 fix the build",    Some(Path::root(12))),
            ("12.1.2 read a patch", Some(Path::root(12).child(1).child(2))),
            ("fix the build",       None),
            ("12.x fix",            None),
            ("",                    None),
        ];
        for (text, path) in cases {
            assert_eq!(Path::of(text), path, "{text}");
            assert!(path.is_none_or(|path| text.starts_with(&format!("{path} "))), "{text}");
        }
    }
}
