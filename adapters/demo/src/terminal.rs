//! The terminal: a screen of its own, which is always given back.

use crate::screen::{Ink, Line};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Color, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, size,
};
use crossterm::{execute, queue};
use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the screen is taken. One for the process, as the terminal is.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Columns and lines, where a terminal does not say.
const SIZE: (u16, u16) = (80, 24);

/// The screen of the terminal, until it is dropped or something panics.
#[derive(Debug)]
pub(crate) struct Terminal {
    has_colors: bool,
    frame: Vec<u8>,
}

impl Terminal {
    /// Takes the screen.
    pub(crate) fn take(has_colors: bool) -> io::Result<Self> {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            hook(info);
        }));
        IS_TAKEN.store(true, Ordering::SeqCst);
        let terminal = Self { has_colors, frame: Vec::new() };
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(terminal)
    }

    /// Columns and lines.
    pub(crate) fn size() -> (usize, usize) {
        // One that does not know says 0.
        let (width, height) = size().ok().filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(SIZE);
        (width.into(), height.into())
    }

    /// Draws over what was there. After a panic the screen is somebody else's.
    pub(crate) fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        if !IS_TAKEN.load(Ordering::SeqCst) {
            return Ok(());
        }
        let (frame, has_colors) = (&mut self.frame, self.has_colors);
        frame.clear();
        queue!(frame, BeginSynchronizedUpdate, MoveTo(0, 0))?;
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                frame.extend(b"\r\n");
            }
            for (ink, text) in &line.0 {
                put(frame, *ink, text, has_colors)?;
            }
            queue!(frame, Clear(ClearType::UntilNewLine))?;
        }
        // Whatever is typed shows where the next look is drawn first.
        queue!(frame, Clear(ClearType::FromCursorDown), MoveTo(0, 0), EndSynchronizedUpdate)?;
        let mut out = io::stdout().lock();
        out.write_all(frame)?;
        out.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the screen back, if it is taken.
pub(crate) fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing.
        let _ = execute!(io::stdout(), ResetColor, Show, LeaveAlternateScreen);
    }
}

fn put(frame: &mut Vec<u8>, ink: Ink, text: &str, has_colors: bool) -> io::Result<()> {
    let attribute = match ink {
        Ink::Dim => Some(Attribute::Dim),
        Ink::Bold => Some(Attribute::Bold),
        Ink::Plain | Ink::Good | Ink::Busy | Ink::Waits | Ink::Alarm => None,
    };
    let color = match ink {
        Ink::Good => Some(Color::DarkGreen),
        Ink::Busy => Some(Color::DarkCyan),
        Ink::Waits => Some(Color::DarkYellow),
        Ink::Alarm => Some(Color::DarkRed),
        Ink::Plain | Ink::Dim | Ink::Bold => None,
    };
    if !has_colors || (attribute.is_none() && color.is_none()) {
        return frame.write_all(text.as_bytes());
    }
    if let Some(attribute) = attribute {
        queue!(frame, SetAttribute(attribute))?;
    }
    if let Some(color) = color {
        queue!(frame, SetForegroundColor(color))?;
    }
    frame.write_all(text.as_bytes())?;
    queue!(frame, SetAttribute(Attribute::Reset))
}
