//! What a file is: lines of the schema, or spans of OpenTelemetry.

use std::io::{self, BufRead, Chain, Cursor, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use downbeat_trace::BYTE_ORDER_MARK;

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Input {
    /// Lines of the schema of docs/trace.md
    Trace,
    /// Spans of OpenTelemetry: OTLP as JSON, docs/otlp.md
    Otlp,
}

/// Bytes that are looked at, at most: a document whose first key comes later is taken for lines, and `--input` says otherwise.
const HEAD_MAX: usize = 1 << 16;

/// What was looked at, and the rest.
pub(crate) type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Says what comes, by its first object: OTLP has `resourceSpans` there. Gives back all of it.
pub(crate) fn look<R: BufRead>(mut bytes: R) -> io::Result<(Input, Whole<R>)> {
    let mut head = Vec::new();
    let input = loop {
        if let Some(input) = told(&head) {
            break input;
        }
        let more = match bytes.fill_buf() {
            Ok(more) => more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if more.is_empty() || head.len() >= HEAD_MAX {
            break Input::Trace;
        }
        let taken = more.len().min(HEAD_MAX);
        head.extend_from_slice(&more[..taken]);
        bytes.consume(taken);
    };
    Ok((input, Cursor::new(head).chain(bytes)))
}

/// What begins like this; nothing if that is not certain yet.
fn told(head: &[u8]) -> Option<Input> {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let (mut depth, mut text_start, mut is_escaped) = (0_u32, None, false);
    let mut last_text: &[u8] = &[];
    for (at, byte) in head.iter().enumerate() {
        if let Some(start) = text_start {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => (last_text, text_start) = (&head[start..at], None),
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => text_start = Some(at + 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(Input::Trace);
                }
            }
            b':' if depth == 1 && last_text == b"resourceSpans" => return Some(Input::Otlp),
            _ if byte.is_ascii_whitespace() || depth > 0 => {}
            // No object: the reader of lines says what is wrong.
            _ => return Some(Input::Trace),
        }
    }
    None
}

/// Reads until somebody presses Ctrl-C.
pub(crate) struct Interruptible<'r, R> {
    pub(crate) inner: R,
    pub(crate) interrupt: &'r AtomicBool,
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(io::Error::other("ended by Ctrl-C"));
        }
        self.inner.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_object_tells_what_a_file_is() {
        #[rustfmt::skip]
        let cases: &[(&str, Option<Input>)] = &[
            ("", None),
            ("{\"resourceSpans", None),
            ("{\"resourceSpans\":[", Some(Input::Otlp)),
            ("\u{feff} \n{ \"resourceSpans\" : null}", Some(Input::Otlp)),
            ("{\"partialSuccess\":{\"a\":[1]},\"resourceSpans\":[]}", Some(Input::Otlp)),
            ("{\"event\":\"restart\"}", Some(Input::Trace)),
            ("{\"event\":\"restart\"}\n{\"resourceSpans\":[]}", Some(Input::Trace)),
            // As a value, or further inside, it is no key of the document.
            ("{\"event\":\"resourceSpans\",\"a\":{\"resourceSpans\":1}}", Some(Input::Trace)),
            ("{\"a\\\"resourceSpans\":1}", Some(Input::Trace)),
            ("[{\"resourceSpans\":1}]", Some(Input::Trace)),
            ("hello", Some(Input::Trace)),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text.as_bytes()), *expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_lost_by_looking_however_few_bytes_come_at_once() {
        let text = "{\"resourceSpans\":[]}\n{\"resourceSpans\":[]}\n";
        for size in [1, 2, 7, 100] {
            let (input, mut all) =
                look(io::BufReader::with_capacity(size, text.as_bytes())).expect("it can be read");
            let mut read = String::new();
            all.read_to_string(&mut read).expect("it can be read");
            assert_eq!((input, read.as_str()), (Input::Otlp, text), "{size} at once");
        }
    }
}
