//! A real process that is killed at any moment, again and again, under load; and what the outside world saw of all its lives.
//!
//! The world lives in the test: a provider, tools and people that answer over a socket, remember everything, and honour the keys of
//! what they are asked for. The orchestrator lives in a child process, which is this same program, and is killed without a
//! warning. In the end every task has to end, and the union of what the world saw has to keep the promises.

mod child;
mod judge;
mod world;

use std::path::PathBuf;
use world::World;

/// Tells this program that it is the child, and where the socket is.
const SOCKET: &str = "DOWNBEAT_CRASH_SOCKET";
/// Where its store is: a path, or a URL.
const STORE: &str = "DOWNBEAT_CRASH_STORE";

/// How often the process is killed.
const KILLS: u32 = 200;

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("crash").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// The child's life. Not a test of its own: without a parent it does nothing.
#[test]
fn child() {
    if let (Some(socket), Some(store)) = (std::env::var_os(SOCKET), std::env::var(STORE).ok()) {
        child::live(socket.as_ref(), &store);
    }
}

#[test]
fn nothing_is_lost_or_doubled_when_the_process_is_killed() {
    let folder = folder("sqlite");
    let store = folder.join("journal.db").display().to_string();
    let seen = World::new(&folder, store, KILLS).play();
    judge::judge(&seen);
}
