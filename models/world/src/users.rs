//! The people who use the shell: each tells it something, and says it again to the next one if it dies meanwhile.

use std::future::pending;
use std::time::Duration;

use downbeat_kernel::{Budget, Event, Ignored, MessageId, Outcome, TaskId};
use downbeat_rt::{Receiver, Rt, Sender, Work};
use downbeat_shell::Teller;
use downbeat_sim::explore::World;

use crate::ledger::Ledger;
use crate::scene::Scene;

/// The root of the tree.
const A: TaskId = TaskId(1);

/// After so long somebody who has paused the root tells it to go on.
const RESUME: Duration = Duration::from_millis(50);

/// Lets the people of a scene begin: one submits the root, and when that is done the others come. Each gets a way to hear of every shell.
pub(crate) fn gather(scene: &Scene, world: &World, ledger: &Ledger, ways: &mut Vec<Sender<Teller>>) {
    let rt = world.rt();
    let mut person = || {
        let (way, tellers) = rt.channel("teller", scene.lives());
        ways.push(way);
        Person { tellers, teller: None, ledger: ledger.clone(), world: world.clone() }
    };
    let mut submitter = person();
    let mut others: Vec<(&'static str, Work)> = Vec::new();
    for message in (1..=scene.messages).map(MessageId) {
        others.push(("writer", Box::pin(person().writes(message))));
    }
    if scene.pauses {
        others.push(("stopper", Box::pin(person().pauses(rt.clone()))));
    }
    if scene.cancels {
        others.push(("canceller", Box::pin(person().cancels())));
    }
    let spawner = rt.clone();
    rt.spawn("submitter", async move {
        let _ = submitter.tell(Event::TaskSubmitted { task: A, budget: Budget::default() }, "go").await;
        for (name, other) in others {
            spawner.spawn(name, other);
        }
        submitter.stays().await;
    });
}

struct Person {
    tellers: Receiver<Teller>,
    teller: Option<Teller>,
    ledger: Ledger,
    world: World,
}

impl Person {
    async fn writes(mut self, message: MessageId) {
        self.ledger.wrote(message);
        match self.tell(Event::MessageReceived { task: A, message }, "a word").await {
            (outcome, _) if is_taken(&outcome) => {}
            (_, Said::Once) => self.ledger.refused(message),
            (_, Said::Before) => self.ledger.doubts(message),
        }
        self.stays().await;
    }

    async fn pauses(mut self, rt: Rt) {
        if is_taken(&self.tell(Event::PauseRequested { task: A }, "").await.0) {
            self.ledger.paused(true);
            rt.sleep(RESUME).await;
            self.ledger.paused(false);
            let _ = self.tell(Event::ResumeRequested { task: A }, "").await;
        }
        self.stays().await;
    }

    async fn cancels(mut self) {
        self.ledger.cancels();
        if is_taken(&self.tell(Event::CancelRequested { task: A }, "").await.0) {
            self.ledger.cancelled();
        }
        self.stays().await;
    }

    /// Has nothing more to do, and hangs on to what there is: one who goes is no use to any scenario.
    async fn stays(self) {
        pending::<()>().await;
    }

    /// What becomes of it.
    async fn tell(&mut self, event: Event, text: &str) -> (Outcome, Said) {
        self.world.say(|| format!("tells: {event:?}"));
        self.ledger.waits(true);
        let mut said = Said::Once;
        loop {
            if let Some(teller) = &self.teller {
                if let Ok(outcome) = teller.tell(event.clone(), vec![text.to_owned()]).await {
                    self.world.say(|| format!("hears: {outcome:?}"));
                    self.ledger.waits(false);
                    return (outcome, said);
                }
                said = Said::Before;
            }
            match self.tellers.next().await {
                Some(teller) => self.teller = Some(teller),
                None => pending().await,
            }
        }
    }
}

/// Whether something was said before, to somebody who did not answer: then nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Once,
    Before,
}

/// Whether it has happened, now or before.
fn is_taken(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied | Outcome::Ignored(Ignored::Duplicate))
}
