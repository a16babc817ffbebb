//! What a shell says of itself while a task lives. A program of its own: who listens is known to a whole process.

#[expect(dead_code, reason = "other stories use the rest of it")]
#[path = "../shell/stage.rs"]
mod stage;

use downbeat_kernel::{Approval, Budget, Event, MessageId, TaskId};
use downbeat_shell::Wish;
use stage::{Seen, World, journal, says, start};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Waits until this was written.
    async fn until(&self, text: &str) {
        while !String::from_utf8_lossy(&self.0.lock().expect("no panic")).contains(text) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn every_step_order_and_refusal_is_told_with_its_subject() {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false).without_time();
    let subscriber = subscriber.with_writer(lines.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let world = World::of([says("", &[(Wish::Completion(Approval::Granted), "done")])]);
            let shard = start(&journal("traced"), &world).await;
            shard.submit("say nothing of this".to_owned(), Budget::default()).await.expect("it runs");
            world.until(|seen| matches!(seen, Seen::Ended(..))).await;
            lines.until("Disarm").await;
            // The shell has said so already.
            let _ = shard.tell(Event::EndAcknowledged { task: TaskId(1) }, vec![]).await.expect("it runs");
            let message = Event::MessageReceived { task: TaskId(9), message: MessageId(1) };
            let _ = shard.tell(message, vec!["nor of this".to_owned()]).await.expect("it runs");
            shard.stop().await.expect("it stops");
        });
    });
    let lines = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
    let own: Vec<_> = lines.lines().filter(|line| line.contains("downbeat::")).collect();
    assert_eq!(own.join("\n"), include_str!("traced.txt").trim_end());
}
