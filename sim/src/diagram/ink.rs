//! Coloured lines.

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    #[default]
    Plain,
    /// ANSI escape sequences.
    Ansi,
}

/// What a piece of text is, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Normal,
    Dim,
    Bold,
    Arrow,
    Loop,
    Alarm,
    #[cfg(feature = "harness")]
    Good,
}

impl Ink {
    /// The text in this ink.
    fn paint(self, text: &str, style: Style) -> String {
        let code = match self {
            Ink::Normal => return text.to_owned(),
            Ink::Dim => "2",
            Ink::Bold => "1",
            Ink::Arrow => "36",
            Ink::Loop => "33",
            Ink::Alarm => "1;31",
            #[cfg(feature = "harness")]
            Ink::Good => "32",
        };
        match style {
            Style::Plain => text.to_owned(),
            Style::Ansi if text.trim().is_empty() => text.to_owned(),
            Style::Ansi => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// Lines of text in several inks. No line ends in blanks.
pub(crate) struct Canvas {
    style: Style,
    done: String,
    line: Vec<(Ink, String)>,
}

impl Canvas {
    /// A canvas without lines.
    pub(crate) fn new(style: Style) -> Self {
        Self { style, done: String::new(), line: Vec::new() }
    }

    /// Continues the line. Pieces of one ink that follow one another become one.
    pub(crate) fn put(&mut self, text: &str, ink: Ink) {
        match self.line.last_mut() {
            Some((last, piece)) if *last == ink => piece.push_str(text),
            _ => self.line.push((ink, text.to_owned())),
        }
    }

    /// Continues the line with blanks.
    pub(crate) fn space(&mut self, width: usize) {
        self.put(&" ".repeat(width), Ink::Normal);
    }

    /// Begins a new line.
    pub(crate) fn end_line(&mut self) {
        while let Some((_, piece)) = self.line.last_mut() {
            piece.truncate(piece.trim_end().len());
            if !piece.is_empty() {
                break;
            }
            self.line.pop();
        }
        for (ink, piece) in self.line.drain(..) {
            self.done += &ink.paint(&piece, self.style);
        }
        self.done.push('\n');
    }

    /// Appends lines that are finished, after those that are.
    #[cfg(feature = "harness")]
    pub(crate) fn put_lines(&mut self, lines: &str) {
        self.done += lines;
    }

    /// All lines.
    pub(crate) fn finish(self) -> String {
        self.done
    }
}
