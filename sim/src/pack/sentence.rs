//! A text that is put together while a program is compiled.

/// Room for the names of a type and of two fields, and what is said about them.
const CAPACITY: usize = 512;

/// A text of bounded length. What it has no room for is left out.
pub(super) struct Sentence {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Sentence {
    pub(super) const EMPTY: Self = Self { bytes: [0; CAPACITY], length: 0 };

    pub(super) const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if text.len() <= CAPACITY - self.length {
            let (_, free) = self.bytes.split_at_mut(self.length);
            free.split_at_mut(text.len()).0.copy_from_slice(text);
            self.length += text.len();
        }
        self
    }

    pub(super) const fn number(self, number: u32) -> Self {
        let shorter = if number >= 10 { self.number(number / 10) } else { self };
        let digit = [b'0' + (number % 10) as u8];
        match std::str::from_utf8(&digit) {
            Ok(digit) => shorter.text(digit),
            Err(_) => shorter,
        }
    }

    pub(super) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => panic!("a sentence is made of whole texts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Sentence};

    #[test]
    fn sentence_is_what_was_said() {
        const SAID: &str = Sentence::EMPTY.text("né ").number(0).text(", ").number(140).as_str();
        assert_eq!(SAID, "né 0, 140");
        assert_eq!(Sentence::EMPTY.number(u32::MAX).as_str(), "4294967295");
    }

    #[test]
    fn sentence_leaves_out_what_it_has_no_room_for() {
        let full = "x".repeat(CAPACITY - 1);
        assert_eq!(Sentence::EMPTY.text(&full).text("ö").text("y").text("z").as_str(), full.clone() + "y");
    }
}
