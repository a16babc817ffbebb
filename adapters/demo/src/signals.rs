//! Ctrl-C, and what else asks a program to end.

use crate::terminal;
use downbeat_rt::{Rt, Tokio};
use std::future::Future;
use std::io;
use std::process;

/// The exit code of a program that Ctrl-C ended: 128 and the number of the signal.
pub(crate) const EXIT_CODE: u8 = 130;

/// What waits until somebody wants the program to end. Whoever wants so a second time ends it at once, also where it is held up by
/// whoever should read what it says. Called in a runtime.
pub(crate) fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut signals = Signals::new()?;
    let rt = Rt::new(Tokio::current());
    let (ask, mut asked) = rt.channel("stop", 1);
    rt.spawn("signals", async move {
        signals.next().await;
        // Who has stopped already needs no word.
        let _ = ask.try_send(());
        signals.next().await;
        terminal::give_back();
        process::exit(EXIT_CODE.into());
    });
    Ok(async move {
        asked.next().await;
    })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        use downbeat_rt::first_of;
        let others = first_of(self.terminate.recv(), self.hangup.recv());
        first_of(self.interrupt.recv(), others).await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Where there is no such thing, nobody asks.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
