//! What the seam promises, on tokio.

use downbeat_rt::{First, JoinEnd, Rt, SendError, Tokio, TrySendError, first_of};
use std::future::{pending, ready};
use std::time::Duration;

fn rt() -> Rt {
    Rt::new(Tokio::current())
}

#[tokio::test(start_paused = true)]
async fn time_is_that_of_the_runtime() {
    let rt = rt();
    rt.sleep(Duration::from_hours(1)).await;
    assert_eq!(rt.now(), Duration::from_hours(1));
}

#[tokio::test]
async fn left_is_first_when_both_are_ready() {
    assert_eq!(first_of(ready(1), ready(2)).await, First::Left(1));
    assert_eq!(first_of(pending::<u8>(), ready(2)).await, First::Right(2));
}

#[tokio::test]
async fn task_ends_in_one_of_three_ways() {
    let rt = rt();
    assert_eq!(rt.spawn("finishes", ready(())).join().await, JoinEnd::Finished);
    assert_eq!(rt.spawn("panics", async { panic!("on purpose") }).join().await, JoinEnd::Panicked);
    let task = rt.spawn("waits", pending());
    task.abort();
    assert_eq!(task.join().await, JoinEnd::Aborted);
}

#[tokio::test]
async fn what_a_task_owns_is_gone_when_it_is_joined() {
    let (rt, owned) = (rt(), std::sync::Arc::new(()));
    let held = std::sync::Arc::clone(&owned);
    let task = rt.spawn("holds", async move {
        pending::<()>().await;
        drop(held);
    });
    task.abort();
    task.join().await;
    assert_eq!(std::sync::Arc::strong_count(&owned), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queue_keeps_the_order_of_each_sender_and_its_bound() {
    let rt = rt();
    let (sender, mut receiver) = rt.channel("queue", 2);
    for name in 0..3_u32 {
        let sender = sender.clone();
        rt.spawn("sender", async move {
            for number in 0..1_000_u32 {
                assert_eq!(sender.send((name, number)).await, Ok(()));
            }
        });
    }
    let mut next = [0; 3];
    for _ in 0..3_000 {
        let (name, number) = receiver.next().await.expect("senders live");
        assert_eq!(number, next[name as usize], "sender {name}");
        next[name as usize] += 1;
        assert!(sender.waiting() <= 2);
    }
}

#[tokio::test]
async fn queue_ends_behind_what_its_last_sender_has_posted() {
    let (sender, mut receiver) = rt().channel("queue", 2);
    let other = sender.clone();
    assert_eq!(sender.try_send(1), Ok(()));
    drop(sender);
    assert_eq!(other.try_send(2), Ok(()));
    drop(other);
    assert_eq!(
        [receiver.next().await, receiver.next().await, receiver.next().await],
        [Some(1), Some(2), None]
    );
}

#[tokio::test]
async fn closed_queue_gives_back_what_it_has() {
    let (sender, mut receiver) = rt().channel("queue", 2);
    assert_eq!((sender.try_send(1), sender.try_send(2)), (Ok(()), Ok(())));
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(receiver.take(), Some(1));
    assert_eq!(receiver.close(), [2]);
    assert_eq!(sender.send(4).await, Err(SendError(4)));
    assert_eq!(receiver.next().await, None);
}

#[tokio::test]
async fn sealed_queue_gives_what_is_in_it_and_takes_nothing() {
    let (sender, mut receiver) = rt().channel("queue", 2);
    sender.send(1).await.expect("there is room");
    sender.clone().seal();
    assert_eq!(sender.send(2).await, Err(SendError(2)));
    assert_eq!([receiver.next().await, receiver.next().await], [Some(1), None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cell_loses_no_change() {
    let rt = rt();
    let cell = rt.cell("sum", 0_u32);
    let tasks = [1, 2].map(|_| {
        let cell = cell.clone();
        rt.spawn("adder", async move { (0..10_000).for_each(|_| cell.with(|sum| *sum += 1)) })
    });
    for task in tasks {
        assert_eq!(task.join().await, JoinEnd::Finished);
    }
    assert_eq!((cell.get(), cell.read(|sum| sum / 2)), (20_000, 10_000));
    cell.set(1);
    assert_eq!(cell.get(), 1);
}
