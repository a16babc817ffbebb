//! Requests in order, first in, first out: the prompt queue, and what an agent still has to answer.

use super::ledger::{REQUESTS, RequestIndex};

/// Different requests, oldest first. A request stands in a line at most once, so that it never overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Line([Option<RequestIndex>; REQUESTS]);

impl Line {
    /// The oldest.
    pub fn first(&self) -> Option<RequestIndex> {
        self.0[0]
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = RequestIndex> + use<> {
        self.0.into_iter().flatten()
    }

    /// Adds one at the end.
    ///
    /// # Panics
    /// The line is full, and a request would stand in it twice: a mistake of the model.
    pub fn push(&mut self, request: RequestIndex) {
        match self.0.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(request),
            None => panic!("a line of {REQUESTS} requests has no place for request {request}"),
        }
    }

    /// Takes the oldest.
    pub fn shift(&mut self) -> Option<RequestIndex> {
        let first = self.0[0].take();
        self.0.rotate_left(1);
        first
    }

    /// Takes one out, wherever it stands; whether it was there.
    pub fn remove(&mut self, request: RequestIndex) -> bool {
        let Some(at) = self.0.iter().position(|&place| place == Some(request)) else { return false };
        self.0[at] = None;
        self.0[at..].rotate_left(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_keeps_its_order_whoever_leaves_it() {
        #[rustfmt::skip]
        let cases = [
            ("the first",        vec![2, 0, 1], 2, true,  vec![0, 1]),
            ("in the middle",    vec![2, 0, 1], 0, true,  vec![2, 1]),
            ("the last",         vec![2, 0, 1], 1, true,  vec![2, 0]),
            ("one alone",        vec![1],       1, true,  vec![]),
            ("who is not there", vec![2, 0],    1, false, vec![2, 0]),
        ];
        for (name, before, request, was_there, after) in cases {
            let mut left = line(&before);
            assert_eq!((left.remove(request), left), (was_there, line(&after)), "{name}");
        }
    }

    fn line(requests: &[RequestIndex]) -> Line {
        let mut line = Line::default();
        for &request in requests {
            line.push(request);
        }
        line
    }
}
