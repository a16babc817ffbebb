//! The last seat, for two buyers: under every schedule, with the fault, and on tokio.

use std::time::Duration;

use downbeat_rt::{Rt, Tokio};
use downbeat_sim::explore::{self, World};
use downbeat_tickets::Show;

/// One buyer comes at once and pays for two seconds; another one comes after two seconds, and may be too late.
async fn last_seat(world: World, has_fault: bool) {
    let (rt, two_seconds) = (world.rt(), Duration::from_secs(2));
    let (show, sold) = (Show::new(rt, 1), rt.cell("sold", 0));
    let buyers = [("early", Duration::ZERO), ("late", two_seconds)].map(|(name, comes)| {
        let (world, show, sold) = (world.clone(), show.clone(), sold.clone());
        rt.spawn(name, async move {
            let rt = world.rt();
            rt.sleep(comes).await;
            let pays = async {
                rt.sleep(two_seconds).await;
                !world.happens("the card is refused")
            };
            let is_sold = if has_fault { show.sell_twice(pays).await } else { show.sell(pays).await };
            sold.with(|sold| *sold += u32::from(is_sold));
        })
    });
    for buyer in buyers {
        buyer.join().await;
    }
    assert!(sold.get() <= 1, "the last seat was sold twice");
}

#[test]
fn last_seat_is_sold_once() {
    explore::test(|world| last_seat(world, false));
}

const MANUAL: &str = include_str!("../../../../docs/explorer.md");

#[test]
fn fault_is_found_and_drawn_as_the_manual_shows() {
    let failure = std::panic::catch_unwind(|| explore::test(|world| last_seat(world, true)));
    let failure = failure.expect_err("the seat is sold twice");
    let text = failure.downcast_ref::<String>().expect("it says something");
    assert!(MANUAL.contains(text), "docs/explorer.md does not show this:\n{text}");
}

#[tokio::test]
async fn last_seat_is_sold_on_tokio() {
    let show = Show::new(&Rt::new(Tokio::current()), 1);
    assert_eq!([show.sell(async { false }).await, show.sell(async { true }).await], [false, true]);
    assert!(!show.sell(async { true }).await);
}
