//! The representative of a state: equal for all states that differ in the names of ids only.
//!
//! Ids are given *colours*, at first one for each type; a colour is the place that the first of its ids is to
//! take. An observer's signatures split the ids of one colour, until they do so no more. Two ids of one colour
//! are *twins* if exchanging them changes nothing; the order among twins does not matter. If others of one
//! colour remain, each of them in turn is put first and the splitting goes on; every way to do so ends in a
//! renaming, and the least of the renamed states is the representative.
//!
//! None of this looks at the names of ids, so that the states from which the least is taken are the same ones
//! for every renaming of the state. Two ways that end in equal states show a renaming that changes nothing; a
//! choice that such a renaming takes to one already made ends in no other states, and is left out.

use super::observe::Observer;
use super::rename::Rename;
use super::sorts::{Numbers, Renaming, Sorts, below, identity, narrow};

pub(super) fn representative<S: Rename + Ord>(sorts: &Sorts, state: &S) -> S {
    let mut search = Search::new(sorts, state);
    let mut colours = search.first_colours();
    search.split(&mut colours);
    search.find_twins(&colours);
    if search.undecided(&colours).is_none() {
        return state.rename(&search.renaming(&colours));
    }
    search.split_all(&mut colours);
    search.descend(&colours);
    search.least()
}

struct Search<'a, S> {
    sorts: &'a Sorts,
    ids: usize,
    state: &'a S,
    observer: Observer,
    /// For each id the first of its twins.
    twins: Numbers,
    /// The ids that have been put first, in this order, on the way to where the search is.
    path: Vec<u8>,
    first: Option<Leaf<S>>,
    /// The leaf with the least state, unless it is the first.
    best: Option<Leaf<S>>,
    /// Renamings that change nothing.
    automorphisms: Vec<Numbers>,
}

/// Where a way ends.
struct Leaf<S> {
    path: Vec<u8>,
    renaming: Renaming,
    state: S,
}

impl<'a, S: Rename + Ord> Search<'a, S> {
    fn new(sorts: &'a Sorts, state: &'a S) -> Self {
        Self {
            sorts,
            ids: sorts.ids(),
            state,
            observer: Observer::new(sorts),
            twins: identity(),
            path: Vec::new(),
            first: None,
            best: None,
            automorphisms: Vec::new(),
        }
    }

    fn first_colours(&self) -> Numbers {
        let mut colours = identity();
        for sort in self.sorts.iter() {
            colours[sort.numbers()].fill(narrow(sort.start));
        }
        colours
    }

    /// Gives ids of one colour and different signatures different colours.
    fn split(&mut self, colours: &mut Numbers) {
        let before = *colours;
        let signatures = self.observer.signatures(self.state, before);
        for sort in self.sorts.iter() {
            for id in sort.numbers() {
                let is_earlier =
                    |other: &usize| before[*other] == before[id] && signatures[*other] < signatures[id];
                colours[id] += narrow(sort.numbers().filter(is_earlier).count());
            }
        }
    }

    /// Splits until nothing changes, at most once for each id.
    fn split_all(&mut self, colours: &mut Numbers) {
        loop {
            let before = *colours;
            self.split(colours);
            if before == *colours {
                return;
            }
        }
    }

    /// Being twins is an equivalence, and the ids of different colours are none.
    fn find_twins(&mut self, colours: &Numbers) {
        let mut exchange = Renaming::identity(self.sorts);
        for id in 0..self.ids {
            for first in 0..id {
                if colours[first] != colours[id] || usize::from(self.twins[first]) != first {
                    continue;
                }
                exchange.swap(first, id);
                let are_twins = self.state.rename(&exchange) == *self.state;
                exchange.swap(first, id);
                if are_twins {
                    self.twins[id] = narrow(first);
                    break;
                }
            }
        }
    }

    /// The first colour of ids that are not all twins of each other.
    fn undecided(&self, colours: &Numbers) -> Option<u8> {
        let pairs = (0..self.ids).flat_map(|id| (0..id).map(move |other| (other, id)));
        let undecided = pairs
            .filter(|(other, id)| colours[*other] == colours[*id] && self.twins[*other] != self.twins[*id]);
        undecided.map(|(_, id)| colours[id]).min()
    }

    /// The renaming that takes each id to the place of its colour, and twins to successive places.
    fn renaming(&self, colours: &Numbers) -> Renaming {
        let mut to = *colours;
        for id in 0..self.ids {
            to[id] += narrow((0..id).filter(|other| colours[*other] == colours[id]).count());
        }
        Renaming::new(self.sorts, to)
    }

    /// Tries all that can be put first among the ids of the first undecided colour. Returns the length of the
    /// path from which the search goes on: a shorter one if this choice turns out to have been made before.
    fn descend(&mut self, colours: &Numbers) -> usize {
        let Some(colour) = self.undecided(colours) else { return self.arrive(colours) };
        let depth = self.path.len();
        let mut tried = 0_u64;
        for id in (0..self.ids).filter(|id| colours[*id] == colour) {
            if self.orbit(id, colours) & tried != 0 {
                continue;
            }
            let mut chosen = *colours;
            for other in (0..self.ids).filter(|other| *other != id && colours[*other] == colour) {
                chosen[other] += 1;
            }
            self.split_all(&mut chosen);
            self.path.push(narrow(id));
            let resume = self.descend(&chosen);
            self.path.pop();
            tried |= 1 << id;
            if resume < depth {
                return resume;
            }
        }
        depth
    }

    /// The ids of one colour to which `id` is taken by known renamings that change neither the state nor the
    /// path.
    fn orbit(&self, id: usize, colours: &Numbers) -> u64 {
        let keeps_path =
            |automorphism: &&Numbers| self.path.iter().all(|id| automorphism[usize::from(*id)] == *id);
        let mut orbit = 1_u64 << id;
        loop {
            let before = orbit;
            for member in (0..self.ids).filter(|member| before & (1 << member) != 0) {
                let twins = (0..self.ids).filter(|other| {
                    colours[*other] == colours[id] && self.twins[*other] == self.twins[member]
                });
                orbit |= twins.fold(0, |twins, other| twins | 1 << other);
                let images = self.automorphisms.iter().filter(keeps_path).map(|to| to[member]);
                orbit |= images.fold(0, |images, image| images | 1 << image);
            }
            if orbit == before {
                return orbit & below(self.ids);
            }
        }
    }

    /// Takes the state at the end of a way into account.
    fn arrive(&mut self, colours: &Numbers) -> usize {
        let renaming = self.renaming(colours);
        let state = self.state.rename(&renaming);
        let leaf = Leaf { path: self.path.clone(), renaming, state };
        let Some(first) = &self.first else {
            self.first = Some(leaf);
            return self.path.len();
        };
        let known = [Some(first), self.best.as_ref()];
        if let Some(equal) = known.into_iter().flatten().find(|known| known.state == leaf.state) {
            self.automorphisms.push(equal.renaming.then_back(&leaf.renaming));
            return equal.path.iter().zip(&leaf.path).take_while(|(one, other)| one == other).count();
        }
        if leaf.state < self.best.as_ref().unwrap_or(first).state {
            self.best = Some(leaf);
        }
        self.path.len()
    }

    fn least(self) -> S {
        let least = self.best.or(self.first);
        least.expect("every choice leads to a leaf, and the first one is kept").state
    }
}
