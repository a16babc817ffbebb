//! What people are shown about one task, and what they ought to be.

use std::fmt;

use downbeat_kernel::{Conclusion, News};

/// The most notifications of a task.
pub const NOTIFICATIONS: usize = 4;

/// One notification, from 0, in the order in which they came about.
pub type Index = u8;

/// What is wrong with what people were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// One thing was shown twice.
    Twice(Index),
    /// Something was shown after what came later.
    Overtaken(Index),
    /// Something was shown of which nothing, or something else, is on record.
    Unrecorded(Index, News),
    /// Something was shown after the end of the task, or another end.
    Contradicted {
        /// What people believe.
        shown: Conclusion,
        /// What they see now.
        now: News,
    },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(index) => write!(f, "people are told notification {} twice", index + 1),
            Self::Overtaken(index) => write!(f, "notification {} was overtaken by a later one", index + 1),
            Self::Unrecorded(index, news) => {
                write!(
                    f,
                    "people are told notification {}, {}, and that is not on record",
                    index + 1,
                    news_word(*news)
                )
            }
            Self::Contradicted { shown, now } => {
                write!(f, "people are told {}, and had been told {}", news_word(*now), word(*shown))
            }
        }
    }
}

/// How people read an end.
pub fn word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Completed => "completed",
        Conclusion::Failed => "failed",
        Conclusion::Cancelled => "cancelled",
    }
}

/// How people read a notification.
pub fn news_word(news: News) -> &'static str {
    match news {
        News::Progress => "progress",
        News::Concluded(conclusion) => word(conclusion),
    }
}

/// What an observer has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    noted: [Option<News>; NOTIFICATIONS],
    shown: u8,
    reported: u8,
    concluded: Option<Conclusion>,
    /// The first thing that is wrong.
    pub breach: Option<Breach>,
    /// A task that had ended was said to end otherwise, or to go on.
    pub reopened: bool,
}

impl Ledger {
    /// How many notifications there are.
    pub fn count(&self) -> Index {
        self.noted.iter().flatten().fold(0, |count, _| count + 1)
    }

    /// Every notification.
    pub fn all(&self) -> impl Iterator<Item = Index> + use<> {
        0..self.count()
    }

    /// What a notification says.
    pub fn news(&self, index: Index) -> Option<News> {
        self.noted.get(usize::from(index)).copied().flatten()
    }

    /// It is on record that people are to be told something. Nothing may follow an end (S7).
    pub fn note(&mut self, news: News) {
        self.reopened |= self.noted.iter().flatten().any(|noted| *noted != News::Progress);
        if let Some(free) = self.noted.iter_mut().find(|noted| noted.is_none()) {
            *free = Some(news);
        }
    }

    /// Whether people were shown it.
    pub fn is_shown(&self, index: Index) -> bool {
        self.shown & 1 << index != 0
    }

    /// Whether people were shown anything.
    pub fn has_shown(&self) -> bool {
        self.shown != 0
    }

    /// Whether people were shown it, or an operator that they may not have been.
    pub fn is_told(&self, index: Index) -> bool {
        self.is_shown(index) || self.is_reported(index)
    }

    /// Whether an operator has learned that people may not have been shown it.
    pub fn is_reported(&self, index: Index) -> bool {
        self.reported & 1 << index != 0
    }

    /// An operator learns that people may not have been shown it.
    pub fn report(&mut self, index: Index) {
        self.reported |= 1 << index;
    }

    /// People are shown it.
    pub fn show(&mut self, index: Index, news: News) {
        let breach = match self.concluded {
            _ if self.is_shown(index) => Some(Breach::Twice(index)),
            Some(shown) => Some(Breach::Contradicted { shown, now: news }),
            None if self.shown >> index != 0 => Some(Breach::Overtaken(index)),
            None if self.news(index) != Some(news) => Some(Breach::Unrecorded(index, news)),
            None => None,
        };
        self.breach = self.breach.or(breach);
        self.shown |= 1 << index;
        match news {
            News::Progress => {}
            News::Concluded(conclusion) => self.concluded = self.concluded.or(Some(conclusion)),
        }
    }
}
