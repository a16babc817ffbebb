//! What a service says is judged while it lives.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use downbeat_monitor::{Live, Settings, start};
use downbeat_trace::{Fault, Property, Shown, Verdict};
use tracing::info;
use tracing_subscriber::layer::SubscriberExt as _;

/// Runs a service with a judge.
fn live(settings: Settings, service: impl FnOnce(&Live)) -> Live {
    let (layer, live) = start(settings).expect("a thread");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || service(&live));
    live
}

fn verdict(live: &Live, property: Property) -> Verdict {
    let verdicts = live.report().expect("it lives").verdicts;
    verdicts.into_iter().find(|(of, _)| *of == property).expect("one of each").1
}

fn started(task: u32) {
    info!(target: "downbeat::trace", event = "request-started", task);
}

fn ended(task: u32) {
    info!(target: "downbeat::trace", event = "request-ended", task, end = "completed");
}

#[test]
fn requests_that_overlap_are_found_and_told_once() {
    let told = Arc::<Mutex<Vec<Fault>>>::default();
    let hears = Arc::clone(&told);
    let on_breach = Box::new(move |breach: &downbeat_trace::Breach| {
        hears.lock().expect("no panic").push(breach.fault);
    });
    let live = live(Settings { on_breach: Some(on_breach), ..Settings::default() }, |_| {
        started(1);
        ended(1);
        // Two of one task, twice; and two of two tasks.
        started(2);
        started(2);
        ended(2);
        started(2);
        started(3);
    });
    let Verdict::Broken(breach) = verdict(&live, Property::S1) else { panic!("it was broken") };
    assert_eq!((breach.fault, breach.of.as_str(), breach.count), (Fault::SecondInFlight, "2", 2));
    let context: Vec<_> = breach.context.iter().filter_map(Shown::event).collect();
    assert_eq!(context.len(), 2);
    assert!(context.iter().all(|event| event.at_ms.is_some()), "each has its time");
    let counters = Arc::clone(live.counters());
    assert_eq!((counters.breaches(Property::S1), counters.breaches(Property::S7)), (2, 0));
    assert_eq!((counters.events(), counters.dropped(), counters.has_gap()), (7, 0, false));
    assert_eq!(*told.lock().expect("no panic"), [Fault::SecondInFlight]);
    let report = live.close().expect("it lives");
    assert_eq!((report.events, report.tasks, report.gaps), (7, 3, 0));
}

#[test]
fn a_service_that_keeps_its_promises_is_told_so() {
    let live = live(Settings::default(), |_| {
        for _ in 0..3 {
            started(1);
            ended(1);
        }
    });
    assert_eq!(verdict(&live, Property::S1), Verdict::Kept(3));
    assert!(matches!(verdict(&live, Property::S8), Verdict::Undecided(_)));
}

/// A judge that has found something, and waits until it may go on.
fn held() -> (Settings, impl FnOnce(), SyncSender<()>) {
    let (goes, gate) = sync_channel::<()>(0);
    let (is_held, holds) = sync_channel::<()>(1);
    let on_breach = Box::new(move |_: &downbeat_trace::Breach| {
        let _ = is_held.send(());
        let _ = gate.recv();
    });
    let wait = move || {
        started(1);
        ended(1);
        started(1);
        started(1);
        wait_for(&holds);
    };
    (Settings { queue_max: 4, on_breach: Some(on_breach), ..Settings::default() }, wait, goes)
}

fn wait_for(holds: &Receiver<()>) {
    holds.recv().expect("the judge has found something");
}

#[test]
fn what_is_dropped_is_counted_and_makes_no_breach_and_nothing_kept() {
    let (settings, hold, goes) = held();
    let live = live(settings, |live| {
        hold();
        // Four have room, and the end of the request has not.
        started(5);
        ended(6);
        ended(6);
        ended(6);
        ended(5);
        assert_eq!(live.counters().dropped(), 1);
        drop(goes);
        while live.counters().events() < 8 {
            std::thread::yield_now();
        }
        // Without the gap this would be the second in flight.
        started(5);
        info!(target: "downbeat::trace", event = "task-ended", task = 9, end = "failed");
    });
    let Verdict::Broken(breach) = verdict(&live, Property::S1) else { panic!("it was broken before") };
    assert_eq!((breach.of.as_str(), breach.count), ("1", 1));
    assert_eq!(verdict(&live, Property::S7), Verdict::Incomplete);
    let report = live.close().expect("it lives");
    assert_eq!((report.events, report.gaps), (10, 1));
}

#[test]
fn what_is_dropped_last_makes_nothing_kept() {
    let (settings, hold, goes) = held();
    let live = live(settings, |live| {
        hold();
        for _ in 0..5 {
            info!(target: "downbeat::trace", event = "task-ended", task = 9, end = "failed");
        }
        assert_eq!(live.counters().dropped(), 1);
        drop(goes);
    });
    assert_eq!(verdict(&live, Property::S7), Verdict::Incomplete);
}

#[test]
fn events_that_are_none_are_counted() {
    let live = live(Settings::default(), |_| {
        info!(target: "downbeat::trace", event = "request-started");
        info!(target: "downbeat::trace", event = "request-ended", task = 1, end = "somehow");
        info!(target: "downbeat::trace", event = "request-started", task = 1, turn = "first");
        info!(target: "downbeat::trace", task = 1);
        info!(target: "downbeat::trace", event = "tea-made", task = 1);
        info!(target: "elsewhere", event = "request-started", task = 1);
    });
    live.report().expect("it lives");
    let counters = live.counters();
    assert_eq!((counters.unreadable(), counters.unknown(), counters.events()), (4, 1, 0));
    assert!(counters.has_gap());
}

#[test]
fn names_may_be_given_in_any_way() {
    let live = live(Settings::default(), |_| {
        let (text, number) = (String::from("a-7"), 7_i64);
        info!(target: "downbeat::trace", event = "request-started", task = text, colour = "red", "a request");
        info!(target: "downbeat::trace", event = "request-started", task = %text);
        info!(target: "downbeat::trace", event = "request-started", task = number);
        info!(target: "downbeat::trace", event = "request-started", task = "7");
        info!(target: "downbeat::trace", event = "request-ended", task = 7_u8, end = %"completed");
    });
    let report = live.report().expect("it lives");
    assert_eq!((report.tasks, report.events), (2, 5));
    assert_eq!(live.counters().breaches(Property::S1), 2);
}

#[test]
fn a_judge_whose_callback_has_panicked_is_silent_and_nobody_waits_for_it() {
    let on_breach = Box::new(|_: &downbeat_trace::Breach| panic!("on purpose"));
    let live = live(Settings { on_breach: Some(on_breach), ..Settings::default() }, |live| {
        started(1);
        ended(1);
        started(1);
        started(1);
        assert!(live.report().is_err());
        started(1);
        assert_eq!(live.counters().dropped(), 1);
    });
    assert!(live.close().is_err());
}
