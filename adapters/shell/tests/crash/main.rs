//! A real process that is killed at any moment, again and again, under load; and what the outside world saw of all its lives.
//!
//! The world lives in the test: a provider, tools and people that answer over a socket, remember everything, and honour the keys of
//! what they are asked for; a login whose token expires all the time; and agents that die under their tasks. The orchestrator lives in a child process, which is this same program, and is killed without a
//! warning. In the end every task has to end, and the union of what the world saw has to keep the promises.

mod child;
mod fleet;
mod judge;
mod login;
#[expect(dead_code, reason = "the tests of the store use the rest of it")]
#[path = "../../../store/tests/store/place.rs"]
mod place;
mod world;

use place::Place;
use std::path::Path;
use world::World;

/// Tells this program that it is the child, and where the socket is.
const SOCKET: &str = "DOWNBEAT_CRASH_SOCKET";
/// Where its store is: a path, or a URL.
const STORE: &str = "DOWNBEAT_CRASH_STORE";

/// How often the process is killed.
const KILLS: u32 = 200;

/// The child's life. Not a test of its own: without a parent it does nothing.
#[test]
fn child() {
    if let (Some(socket), Some(store)) = (std::env::var_os(SOCKET), std::env::var(STORE).ok()) {
        child::live(socket.as_ref(), &store);
    }
}

/// Plays a world with this store, and judges what it saw.
fn play(folder: &Path, store: String) {
    judge::judge(&World::new(folder, store, KILLS).play());
}

#[test]
fn nothing_is_lost_or_doubled_when_the_process_is_killed() {
    let folder = place::folder("crash-sqlite");
    play(&folder, folder.join("journal.db").display().to_string());
}

#[test]
fn nothing_is_lost_or_doubled_on_postgresql_when_the_process_is_killed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for place in runtime.block_on(place::places("crash")) {
        if let Place::Database(url) = place {
            play(&place::folder("crash-postgres"), url);
        }
    }
}
