//! Ctrl-C.

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a program that Ctrl-C ended: 128 and the number of the signal.
pub(super) const EXIT_CODE: u8 = 130;

/// What the first Ctrl-C from now on makes true. The second one ends the process.
///
/// It takes the place of whatever the process did at an interrupt, also of ignoring it, as a shell asks of what it
/// starts in the background: a long search is ended there with `kill -INT`.
pub fn by_ctrl_c() -> &'static AtomicBool {
    static WAS_ASKED: AtomicBool = AtomicBool::new(false);
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        let handler = || {
            if WAS_ASKED.swap(true, Ordering::Relaxed) {
                process::exit(EXIT_CODE.into());
            }
        };
        // Where it fails, the program around this one has a handler, which decides.
        drop(ctrlc::set_handler(handler));
    });
    &WAS_ASKED
}
