//! Which of many texts occur in others.
//!
//! All are looked for at once, in a tree of their beginnings in which each place knows the longest end of it that
//! begins another text (Aho and Corasick, Communications of the ACM 18, 1975). So the work is that of reading
//! everything once, however many are looked for and however alike they are. A library that tells of every place
//! would tell of as many as there are texts within texts.

use std::collections::HashMap;

/// The place where every text begins.
const ROOT: u32 = 0;

/// Texts that are looked for.
#[derive(Debug)]
pub(crate) struct Search {
    steps: HashMap<(u32, u8), u32>,
    /// Of each place the one that is its longest end, in an order in which that one comes before it.
    ends: Vec<(u32, u32)>,
    shorter: Vec<u32>,
    /// Where each of the texts ends.
    last: Vec<u32>,
    seen: Vec<bool>,
    /// How many steps were made.
    #[cfg(test)]
    made: u64,
}

impl Search {
    pub(crate) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut steps = HashMap::new();
        let mut places: u32 = 1;
        let mut levels: Vec<Vec<(u32, u8, u32)>> = Vec::new();
        let mut last = Vec::new();
        for text in texts {
            let mut place = ROOT;
            for (depth, byte) in text.bytes().enumerate() {
                place = *steps.entry((place, byte)).or_insert_with(|| {
                    if levels.len() <= depth {
                        levels.push(Vec::new());
                    }
                    levels[depth].push((place, byte, places));
                    places += 1;
                    places - 1
                });
            }
            last.push(place);
        }
        let count = places as usize;
        let mut search = Self {
            steps,
            ends: Vec::with_capacity(count),
            shorter: vec![ROOT; count],
            last,
            seen: vec![false; count],
            #[cfg(test)]
            made: 0,
        };
        for (before, byte, place) in levels.into_iter().flatten() {
            if before != ROOT {
                let end = search.step(search.shorter[before as usize], byte);
                search.shorter[place as usize] = end;
                search.ends.push((place, end));
            }
        }
        search
    }

    /// Looks through a text.
    pub(crate) fn read(&mut self, text: &str) {
        let mut place = ROOT;
        for byte in text.bytes() {
            place = self.step(place, byte);
            self.seen[place as usize] = true;
        }
    }

    /// Which of the texts were in what was read, in their order.
    pub(crate) fn found(mut self) -> Vec<bool> {
        for (place, end) in self.ends.into_iter().rev() {
            self.seen[end as usize] |= self.seen[place as usize];
        }
        self.last.into_iter().map(|place| self.seen[place as usize]).collect()
    }

    fn step(&mut self, mut place: u32, byte: u8) -> u32 {
        loop {
            #[cfg(test)]
            {
                self.made += 1;
            }
            match self.steps.get(&(place, byte)) {
                Some(next) => return *next,
                None if place == ROOT => return ROOT,
                None => place = self.shorter[place as usize],
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_where_they_overlap_and_where_one_is_in_another() {
        let mut search = Search::of(["abcab", "cabd", "b", "bca", "xyz", "abcab", "aa"]);
        search.read("xabcabd");
        search.read("zaxy");
        assert_eq!(search.found(), [true, true, true, true, false, true, false]);
    }

    /// A thousand texts that differ in their ends, in one in which each of them nearly stands a thousand times: were
    /// they looked for one by one, this would be ten million steps for each of their letters.
    #[test]
    fn steps_do_not_grow_with_how_many_are_looked_for() {
        let sought: Vec<String> = (0..1000).map(|number| format!("lorem ipsum dolor {number}")).collect();
        let mut search = Search::of(sought.iter().map(String::as_str));
        let text = "lorem ipsum dolor sit amet ".repeat(1000);
        search.made = 0;
        search.read(&text);
        // Each letter is one step forward, and each step back takes one away that went forward.
        assert!(search.made <= 2 * text.len() as u64, "{}", search.made);
        assert_eq!(search.found(), vec![false; 1000]);
    }
}
