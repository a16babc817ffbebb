//! Text broken into lines.

/// The lines of a text at most `width` characters wide: broken between words, and within a word that is longer
/// than a line. Control characters become spaces; a no-break space is part of a word. There is always one line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    assert!(width > 0, "text is wrapped to at least one column");
    let is_blank = |c: char| c.is_control() || c.is_whitespace() && c != '\u{a0}';
    let plain: String = text.chars().map(|c| if is_blank(c) { ' ' } else { c }).collect();
    let mut lines = vec![String::new()];
    let mut room = width;
    for word in plain.split(' ').filter(|word| !word.is_empty()) {
        let mut word: Vec<char> = word.chars().collect();
        let space = usize::from(room < width);
        if word.len() + space > room && space > 0 {
            lines.push(String::new());
            room = width;
        }
        while !word.is_empty() {
            if room == 0 {
                lines.push(String::new());
                room = width;
            }
            let line = lines.last_mut().expect("there is always one line");
            if room < width {
                line.push(' ');
                room -= 1;
            }
            let rest = word.split_off(word.len().min(room));
            room -= word.len();
            line.extend(word);
            word = rest;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn text_wraps_between_words_and_within_long_ones() {
        #[rustfmt::skip]
        let cases: [(&str, usize, &[&str]); 8] = [
            ("",                     5, &[""]),
            ("one two three",        7, &["one two", "three"]),
            ("one two three",        8, &["one two", "three"]),
            ("abcdefghij",           4, &["abcd", "efgh", "ij"]),
            ("a bcdefghij k",        4, &["a", "bcde", "fghi", "j k"]),
            ("two\nlines\tand  tabs", 9, &["two lines", "and tabs"]),
            ("exactly",              7, &["exactly"]),
            ("one\u{a0}two three",    7, &["one\u{a0}two", "three"]),
        ];
        for (text, width, expected) in cases {
            assert_eq!(wrap(text, width), expected, "{text:?} in {width} columns");
        }
    }
}
