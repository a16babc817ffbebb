//! Whole runs, in this process.

use crate::error::DemoError;
use crate::faults::Fault;
use crate::promise::Promise;
use crate::run::{Outcome, Wanted, run};
use crate::testing::folder;
use crate::traffic::traffic;
use crate::view::View;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn wanted(store: PathBuf) -> Wanted {
    Wanted {
        store,
        trees: Some(6),
        seed: None,
        live: 6,
        speed: 100,
        pace: 1,
        is_simulated: false,
        fresh: false,
        fault: None,
    }
}

/// A life that goes on until everything has ended, or for so long.
fn live(wanted: &Wanted, for_ms: Option<u64>) -> Result<(Outcome, View), DemoError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let stop = async {
            match for_ms {
                Some(for_ms) => tokio::time::sleep(Duration::from_millis(for_ms)).await,
                None => pending().await,
            }
        };
        run(wanted, &mut |_| Ok(()), stop).await
    })
}

/// Waits for a store that was dropped, which closes beside us: the log of its database goes with the last connection, but for what a
/// commit that was cut off has left.
fn closed(store: &Path) {
    let (began, log) = (Instant::now(), store.join("journal.db-wal"));
    while log.exists() && began.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn run_keeps_every_promise_to_its_end() {
    let (outcome, view) = live(&wanted(folder("whole")), None).expect("it runs");
    println!("{view:#?}");
    assert_eq!(outcome, Outcome::Over);
    assert_eq!(view.verdict.broken, []);
}

#[test]
fn run_that_is_dropped_again_and_again_keeps_every_promise_over_all_lives() {
    let mut wanted = wanted(folder("lives"));
    let mut lives = 0;
    // A life that is dropped in the middle ends as by a crash, except that what was under way hears so.
    // The later ones are longer, so that it comes to its end where little is done in a life.
    while let (Outcome::Stopped, view) = live(&wanted, Some(150 + 10 * lives as u64)).expect("it runs") {
        assert_eq!(view.verdict.broken, []);
        closed(&wanted.store);
        lives += 1;
        wanted.live = 3 + lives % 4;
        assert!(lives < 100, "it never ends");
    }
    assert!(lives > 2, "it was over in {lives} lives");
    // A run that was kept makes room for the next.
    let (outcome, view) = live(&wanted, Some(100)).expect("it runs");
    assert_eq!((outcome, view.totals.lives), (Outcome::Stopped, 1));
}

#[test]
fn each_fault_breaks_its_promise() {
    #[rustfmt::skip]
    let cases = [
        (Fault::AsksBeside,     Promise::S1),
        (Fault::SendsTwice,     Promise::S2),
        (Fault::LosesResults,   Promise::S3),
        (Fault::LosesMessages,  Promise::S5),
        (Fault::MixesAnswers,   Promise::S6),
        (Fault::MixesEnds,      Promise::S7),
        (Fault::WorksTwice,     Promise::S8),
        (Fault::RefreshesTwice, Promise::S15),
        (Fault::KeepsToken,     Promise::S17),
        (Fault::Renumbers,      Promise::S24),
        (Fault::LosesEnds,      Promise::L1),
    ];
    assert_eq!(cases.map(|(_, promise)| promise), Promise::ALL);
    for (fault, promise) in cases {
        let wanted = Wanted { fault: Some(fault), speed: 1_000, ..wanted(folder(&format!("{fault:?}"))) };
        let (outcome, view) = live(&wanted, None).expect("it runs");
        assert_eq!(outcome, Outcome::Over);
        let broken: Vec<_> = view.verdict.broken.iter().map(|broken| broken.promise).collect();
        assert!(broken.contains(&promise), "{fault:?}: {:?}", view.verdict.broken);
        let again = live(&Wanted { fault: None, ..wanted }, None);
        assert!(matches!(again, Err(DemoError::Broken { .. })), "{fault:?}: {again:?}");
    }
}

/// What a journal has forgotten is done again, and the world notices.
#[test]
fn journal_that_is_put_back_has_sends_go_out_twice() {
    let store = folder("put-back");
    let wanted = Wanted { speed: 50, ..wanted(store.clone()) };
    let journal = || {
        closed(&store);
        let files =
            std::fs::read_dir(&store).expect("it is there").map(|entry| entry.expect("a file").path());
        files.filter(|file| !file.ends_with("world.jsonl") && file.is_file()).collect::<Vec<_>>()
    };
    let (outcome, _) = live(&wanted, Some(300)).expect("it runs");
    assert_eq!(outcome, Outcome::Stopped);
    let copies: Vec<_> =
        journal().into_iter().map(|file| (std::fs::read(&file).expect("it is read"), file)).collect();
    let (outcome, _) = live(&wanted, Some(500)).expect("it runs");
    assert_eq!(outcome, Outcome::Stopped);
    for file in journal() {
        std::fs::remove_file(file).expect("it is removed");
    }
    // The index of the log is made anew from the log.
    for (bytes, file) in copies.into_iter().filter(|(_, file)| !file.ends_with("journal.db-shm")) {
        std::fs::write(file, bytes).expect("it is written");
    }
    let (_, view) = live(&Wanted { speed: 1_000, ..wanted }, None).expect("it runs");
    let broken: Vec<_> = view.verdict.broken.iter().map(|broken| broken.promise).collect();
    assert!(broken.contains(&Promise::S2), "{:?}", view.verdict.broken);
}

#[test]
fn paused_clock_goes_on_when_nothing_is_left_to_do() {
    let wanted = Wanted { trees: Some(u64::MAX), speed: 1, is_simulated: true, ..wanted(folder("paused")) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let (began, mut minutes) = (Instant::now(), Vec::new());
    let ran = runtime.expect("a runtime").block_on(traffic(&wanted, 2, &mut |minute| minutes.push(minute)));
    ran.expect("it runs");
    let [first, second] = &minutes[..] else { panic!("two minutes: {minutes:?}") };
    assert!(began.elapsed() < Duration::from_mins(1), "two minutes took as long");
    assert!(first.tasks_live > 5 && second.tasks_live > 5 && second.sends > first.sends + 50, "{minutes:?}");
    assert_eq!(second.broken, Vec::<String>::new());
}
