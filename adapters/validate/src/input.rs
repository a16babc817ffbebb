//! Where the bytes of an input come from: a file, or something that comes once, such as standard input and pipes.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;
/// Pieces that wait for the reader.
const PIECES: usize = 4;
/// Between two looks whether somebody has pressed Ctrl-C.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What standard input is called.
pub(crate) const STANDARD: &str = "-";

/// Whether it is a file, which can be read twice and may grow.
pub(crate) fn is_file(trace: &str) -> io::Result<bool> {
    Ok(trace != STANDARD && fs::metadata(trace)?.is_file())
}

/// Opens an input. Ctrl-C ends it, if it is no file.
pub(crate) fn open(trace: &str, interrupt: &'static AtomicBool) -> io::Result<Box<dyn BufRead>> {
    if is_file(trace)? {
        let file = Growing { file: File::open(trace)?, read: 0 };
        return Ok(Box::new(BufReader::with_capacity(BUFFER, file)));
    }
    let trace = trace.to_owned();
    let stream = Stream::new(interrupt, move || -> io::Result<Box<dyn Read>> {
        if trace == STANDARD {
            return Ok(Box::new(io::stdin().lock()));
        }
        Ok(Box::new(File::open(Path::new(&trace))?))
    });
    Ok(Box::new(stream?))
}

/// A file, to which somebody may add.
struct Growing {
    file: File,
    /// Bytes that were read.
    read: u64,
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        if count == 0 && !buffer.is_empty() && self.file.metadata()?.len() < self.read {
            return Err(io::Error::other(
                "it is shorter than what was read: it was written anew; start again",
            ));
        }
        Ok(count)
    }
}

/// What another thread reads, so that nobody waits for it who presses Ctrl-C.
struct Stream {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    /// Where what was not taken of it begins.
    at: usize,
    interrupt: &'static AtomicBool,
}

impl Stream {
    fn new(
        interrupt: &'static AtomicBool,
        open: impl FnOnce() -> io::Result<Box<dyn Read>> + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, pieces) = sync_channel(PIECES);
        let read = move || {
            let mut stream = match open() {
                Ok(stream) => stream,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut piece = vec![0; BUFFER];
                let read = match stream.read(&mut piece) {
                    Ok(0) => return,
                    Ok(count) => {
                        piece.truncate(count);
                        Ok(piece)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                // Whoever has gone wants no more.
                if read.is_err() | sender.send(read).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("input".to_owned()).spawn(read)?;
        Ok(Self { pieces, piece: Vec::new(), at: 0, interrupt })
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.piece.len() && !self.interrupt.load(Ordering::Relaxed) {
            match self.pieces.recv_timeout(LOOK_EVERY) {
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at = self.piece.len().min(self.at + count);
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOBODY: AtomicBool = AtomicBool::new(false);

    #[test]
    fn stream_has_every_byte_and_its_error() {
        let text: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        let whole = text.clone();
        let mut stream =
            Stream::new(&NOBODY, move || Ok(Box::new(io::Cursor::new(whole)))).expect("a thread");
        let mut read = Vec::new();
        stream.read_to_end(&mut read).expect("it can be read");
        assert!(read == text);
        let failing = || Err(io::Error::other("gone"));
        let error = Stream::new(&NOBODY, failing).expect("a thread").read(&mut [0]).expect_err("it is gone");
        assert_eq!(error.to_string(), "gone");
    }

    #[test]
    fn stream_that_says_nothing_ends_with_ctrl_c() {
        static PRESSED: AtomicBool = AtomicBool::new(false);
        /// Never has anything.
        struct Quiet;
        impl Read for Quiet {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                loop {
                    thread::park();
                }
            }
        }
        let mut stream = Stream::new(&PRESSED, || Ok(Box::new(Quiet))).expect("a thread");
        let presses = thread::spawn(|| PRESSED.store(true, Ordering::Relaxed));
        assert_eq!(stream.read(&mut [0; 8]).expect("it ends"), 0);
        presses.join().expect("no panic");
    }

    #[test]
    fn file_that_becomes_shorter_is_told() {
        let path = std::env::temp_dir().join(format!("downbeat-input-{}", std::process::id()));
        fs::write(&path, "four").expect("it can be written");
        let mut file = Growing { file: File::open(&path).expect("it is there"), read: 0 };
        let mut text = String::new();
        file.read_to_string(&mut text).expect("it can be read");
        fs::write(&path, "fourfive").expect("it can be written");
        file.read_to_string(&mut text).expect("it has grown");
        fs::write(&path, "six").expect("it can be written");
        let error = file.read(&mut [0; 8]).expect_err("it is another file");
        assert_eq!((text.as_str(), error.to_string().contains("written anew")), ("fourfive", true));
        fs::remove_file(&path).expect("it is there");
    }
}
