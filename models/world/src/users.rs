//! The people who use the shell: each tells it something, and says it again to the next one if it dies meanwhile.

use std::future::pending;
use std::time::Duration;

use downbeat_kernel::{Answer, Budget, Event, Ignored, MessageId, Outcome, QuestionId, TaskId};
use downbeat_rt::{Receiver, Rt, Sender, Work};
use downbeat_shell::Teller;

use crate::host::Host;
use crate::ledger::{Ledger, answer, word};
use crate::marks::Mark;
use crate::scene::Scene;

/// The root of the tree.
const A: TaskId = TaskId(1);

/// After so long somebody who has paused the root tells it to go on.
const RESUME: Duration = Duration::from_millis(50);

/// Questions that somebody has not come to yet: there are two, and two processes may ask them again.
const QUESTIONS_MAX: usize = 6;

/// Lets the people of a scene begin: one submits the root, and when that is done the others come. Each gets a way to hear of every shell.
/// Whoever answers hears of questions by a way of `answering`.
pub(crate) fn gather(
    scene: &Scene,
    world: &Host,
    ledger: &Ledger,
    ways: &mut Vec<Sender<Teller>>,
    answering: &mut Vec<Sender<QuestionId>>,
) {
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
    // As many answer as there are questions.
    for who in 1..=scene.script.questions {
        let (way, questions) = rt.channel("questions", QUESTIONS_MAX);
        answering.push(way);
        others.push(("answerer", Box::pin(person().answers(questions, who))));
    }
    let spawner = world.clone();
    rt.spawn("submitter", async move {
        let _ = submitter.tell(Event::TaskSubmitted { task: A, budget: Budget::default() }, "go").await;
        for (name, other) in others {
            spawner.spawn_last(name, other);
        }
        submitter.stays().await;
    });
}

struct Person {
    tellers: Receiver<Teller>,
    teller: Option<Teller>,
    ledger: Ledger,
    world: Host,
}

impl Person {
    async fn writes(mut self, message: MessageId) {
        self.ledger.wrote(message);
        match self.tell(Event::MessageReceived { task: A, message }, &word(message)).await {
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

    /// Answers every question once.
    async fn answers(mut self, mut questions: Receiver<QuestionId>, who: u8) {
        let mut last = 0;
        while let Some(question) = questions.next().await {
            // After a crash people are asked again.
            if question.number > last {
                last = question.number;
                self.ledger.answers(question, who);
                let event = Event::AnswerReceived { question, answer: Answer::Text };
                match self.tell(event, &answer(question, who)).await.0 {
                    Outcome::Applied => self.ledger.is_taken(question, who),
                    Outcome::Ignored(_) | Outcome::Rejected(_) => self.ledger.hit(Mark::LateAnswer),
                }
            }
        }
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
