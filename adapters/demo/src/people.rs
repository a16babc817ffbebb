//! The people: they answer questions, write to tasks, pause them for a while, and cancel some.
//!
//! What a person begins is on record before it is told, and again when it is heard: so it is told again after a crash, and which
//! messages were accepted is known.

use crate::record::{Record, Wished};
use crate::script::{Script, Span, Visit};
use crate::world::{Port, World};
use downbeat_kernel::{
    About, Event, Ignored, MessageId, Outcome, QuestionEnd, QuestionId, QuestionKey, RequestId, TaskId,
};
use downbeat_shell::{Doing, People, Teller, Text, Trial};
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

impl People for Port {
    fn ask(&self, question: QuestionId, about: About, _text: Text) {
        let world = Arc::clone(&self.0);
        world.state().questions.insert(question);
        // Nobody waits for a person to end.
        drop(self.0.rt.spawn("person", async move { world.answers(question, about).await }));
    }

    fn asks(&self, root: TaskId, question: QuestionKey, _text: Text) {
        unreachable!("the demo has no agents: {root:?} {question:?}");
    }

    fn settled(&self, root: TaskId, question: QuestionKey, end: QuestionEnd) -> Doing<()> {
        unreachable!("the demo has no agents: {root:?} {question:?} {end:?}");
    }

    fn withdraw(&self, question: QuestionId) {
        self.0.state().questions.remove(&question);
    }

    fn undelivered(&self, task: TaskId, _trial: Trial, message: MessageId, in_doubt: bool) -> Doing<()> {
        let mut state = self.0.state();
        // One whose tree is forgotten was reported in another life.
        if state.ledger.path(task).is_some() {
            state.note(Record::Undelivered { task, message, in_doubt });
        }
        Box::pin(ready(()))
    }
}

/// While the shell starts, people look again so often.
const LOOKS_AGAIN: Duration = Duration::from_millis(10);

impl World {
    async fn tells(&self) -> Teller {
        loop {
            if let Some(teller) = self.teller() {
                return teller;
            }
            self.rt.sleep(LOOKS_AGAIN).await;
        }
    }

    async fn answers(&self, question: QuestionId, about: About) {
        let QuestionId { task, number } = question;
        self.rt.sleep(self.time(Span::Answer, &[task.0, number.into()])).await;
        let (answer, words) = {
            let mut state = self.state();
            let Some(path) = state.ledger.path(task).cloned() else { return };
            if !state.questions.remove(&question) {
                return;
            }
            self.script.answer(&path, number, about)
        };
        // A shell that has stopped asks again when it starts.
        let _ = self.tells().await.tell(Event::AnswerReceived { question, answer }, vec![words]).await;
    }

    /// A turn is asked: perhaps somebody comes by.
    pub(crate) fn visit(self: &Arc<Self>, id: RequestId) {
        let mut state = self.state();
        let Some(visit) = state.ledger.path(id.task).and_then(|path| self.script.visit(path, id.turn)) else {
            return;
        };
        let Some(message) = state.ledger.next_message(id.task) else { return };
        let wish = match visit {
            Visit::Writes => Wished::Message(message),
            Visit::Pauses => Wished::Pause,
            Visit::Cancels => Wished::Cancel,
        };
        if state.note(Record::Wished { task: id.task, wish }) {
            drop(state);
            self.goes_on(id.task, wish);
        }
    }

    /// Goes on with everything that people have begun and not heard of.
    pub(crate) fn people_go_on(self: &Arc<Self>) {
        let wishes = self.state().ledger.wishes();
        for (task, wish) in wishes {
            self.goes_on(task, wish);
        }
    }

    fn goes_on(self: &Arc<Self>, task: TaskId, wish: Wished) {
        let world = Arc::clone(self);
        drop(self.rt.spawn("person", async move {
            let about = [task.0, world.state().ledger.last()];
            world.rt.sleep(world.time(Span::Visit, &about)).await;
            match wish {
                Wished::Pause => {
                    if world.is_heard(task, Wished::Pause).await {
                        world.lets_go(task).await;
                    }
                }
                Wished::Resume => world.lets_go(task).await,
                Wished::Message(_) | Wished::Cancel => {
                    world.is_heard(task, wish).await;
                }
            }
        }));
    }

    /// Ends a pause.
    async fn lets_go(&self, task: TaskId) {
        self.rt.sleep(self.time(Span::Pause, &[task.0])).await;
        let is_begun = {
            let mut state = self.state();
            state.ledger.path(task).is_some() && state.note(Record::Wished { task, wish: Wished::Resume })
        };
        if is_begun {
            self.is_heard(task, Wished::Resume).await;
        }
    }

    /// Tells what a person wishes. Whether it was taken.
    async fn is_heard(&self, task: TaskId, wish: Wished) -> bool {
        let (event, words) = {
            let state = self.state();
            let Some(path) = state.ledger.path(task) else { return false };
            match wish {
                Wished::Message(message) => {
                    (Event::MessageReceived { task, message }, vec![Script::message(path, message.0)])
                }
                Wished::Pause => (Event::PauseRequested { task }, vec![]),
                Wished::Resume => (Event::ResumeRequested { task }, vec![]),
                Wished::Cancel => (Event::CancelRequested { task }, vec![]),
            }
        };
        let told = self.tells().await.tell(event, words).await;
        let is_taken = match told {
            Ok(Outcome::Applied | Outcome::Ignored(Ignored::Duplicate)) => true,
            Ok(Outcome::Ignored(Ignored::Stale | Ignored::Terminal) | Outcome::Rejected(_)) => false,
            // It is told again when the shell starts again.
            Err(_) => return false,
        };
        let mut state = self.state();
        state.ledger.path(task).is_some() && state.note(Record::Heard { task, wish, is_taken }) && is_taken
    }
}
