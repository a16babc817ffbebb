//! What the agent of a root asks people while it works, and how both learn the end.
//!
//! The questions of a root stand beside it from the first that its agent asks. That an agent was assigned is on record with its first
//! question, so that a root whose agents ask nothing has no line of them.

use crate::act::{Actor, Work};
use crate::contain::{asked, contained, told};
use crate::fact::{Fact, Order, Refused, of};
use crate::known::{Contradiction, Known};
use crate::trace::Subject;
use crate::words::Text;
use downbeat_kernel::{
    Epoch, Ignored, Outcome, QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey, QuestionState,
    QuestionTimer, Questions, TaskId, Untold,
};
use downbeat_wiring::{asker_is_gone, lease_of};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The questions of the agent of a root, and the words of the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asking {
    pub(crate) questions: Questions,
    asked: Text,
    /// Nothing, as long as nobody has answered.
    answer: Text,
}

impl Asking {
    /// Keeps the words of what was applied.
    fn note(&mut self, event: QuestionEvent, text: &[String]) {
        let words = || Text::from(text.first().map_or("", String::as_str));
        match event {
            QuestionEvent::Asked { .. } => (self.asked, self.answer) = (words(), Text::default()),
            QuestionEvent::Answered { .. } => self.answer = words(),
            QuestionEvent::Assigned { .. }
            | QuestionEvent::AgentLost { .. }
            | QuestionEvent::Acknowledged { .. }
            | QuestionEvent::Closed { .. }
            | QuestionEvent::Elapsed { .. }
            | QuestionEvent::TaskEnded => {}
        }
    }

    /// Whether everybody knows the end of the last question.
    fn is_settled(&self) -> bool {
        match self.questions.state {
            QuestionState::Silent | QuestionState::Settled { untold: Untold::Nobody, .. } => true,
            QuestionState::Open
            | QuestionState::Settled { untold: Untold::Both | Untold::Agent | Untold::Person, .. } => false,
        }
    }
}

impl Known {
    pub(crate) fn take_of_questions(
        &mut self,
        root: TaskId,
        event: QuestionEvent,
        text: &[String],
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        let is_live = self.kernel.task(root).is_some_and(|task| task.state.end().is_none());
        let is_known = self.asking.contains_key(&root);
        if !is_live && !is_known {
            return Outcome::Ignored(Ignored::Terminal);
        }
        let mut asking = self.asking.get(&root).cloned().unwrap_or_default();
        let (config, mut effects) = (self.kernel.config(), Vec::new());
        let mut order = |effect| effects.push(Order::Questions { root, effect });
        // It has the lease, or nobody would have taken what it says.
        if let QuestionEvent::Asked { question } = event
            && question.epoch > asking.questions.epoch
        {
            let epoch = question.epoch;
            match asking.questions.step(QuestionEvent::Assigned { epoch }, config, &mut order) {
                Outcome::Applied => {}
                outcome @ (Outcome::Ignored(_) | Outcome::Rejected(_)) => {
                    return of(outcome, Refused::Questions);
                }
            }
        }
        let outcome = asking.questions.step(event, config, &mut order);
        if outcome == Outcome::Applied {
            asking.note(event, text);
            self.asking.insert(root, asking);
            orders.extend(effects);
            self.forget_asking(root);
        }
        of(outcome, Refused::Questions)
    }

    /// The questions of a root that the tree does not hold are forgotten when everybody knows how the last one ended.
    pub(crate) fn forget_asking(&mut self, root: TaskId) {
        if self.kernel.task(root).is_none() && self.asking.get(&root).is_some_and(Asking::is_settled) {
            self.asking.remove(&root);
        }
    }

    /// What the questions are told of an agent that has lost its lease; nothing, if it has asked nothing under that.
    pub(crate) fn asker_lost(&self, root: TaskId, epoch: Epoch) -> Option<Fact> {
        let asking = self.asking.get(&root).filter(|asking| asking.questions.epoch == epoch)?;
        let event = QuestionEvent::AgentLost { epoch: asking.questions.epoch };
        Some(Fact::Questions { root, event })
    }

    /// Agents that questions count on and that have no lease any more: a crash may have taken the word that says so (duty 12).
    pub(crate) fn askers_gone(&self) -> Vec<Fact> {
        let gone = |(&root, asking): (&TaskId, &Asking)| {
            let event = asker_is_gone(self.pool.as_ref()?, &asking.questions, root)?;
            Some(Fact::Questions { root, event })
        };
        self.asking.iter().filter_map(gone).collect()
    }

    pub(crate) fn validate_asking(&self) -> Result<(), Contradiction> {
        self.asking.iter().try_for_each(|(root, asking)| {
            let valid = asking.questions.validate();
            valid.map_err(|corrupt| Contradiction::Questions(*root, corrupt))
        })
    }

    /// What a person is asked, or has answered: the words of the last question.
    fn words_of(&self, root: TaskId) -> (Text, Text) {
        let words = self.asking.get(&root).map(|asking| (asking.asked.clone(), asking.answer.clone()));
        words.unwrap_or_default()
    }
}

impl Actor {
    /// An order of the questions of a root.
    pub(crate) async fn of_questions(&mut self, root: TaskId, effect: QuestionEffect, known: &Known) {
        match effect {
            QuestionEffect::Ask { question } => {
                let (text, _) = known.words_of(root);
                self.asks(root, &text, known);
                told(|| self.ports.people.asks(root, question, text));
            }
            QuestionEffect::Relay { question, end } => self.relay(root, question, end, known).await,
            QuestionEffect::Close { question, end } => {
                let people = Arc::clone(&self.ports.people);
                let settle = move || people.settled(root, question, end);
                let (settled, subject) = (asked(&settle), Subject::of("People::settled", root));
                let mut bound = self.bound(self.bounds.again_ms, subject);
                self.begin(Work::Close(root), "close", async move {
                    // One that panics is no reason to take no other question.
                    bound.insist(settled, settle).await;
                    vec![(Fact::Questions { root, event: QuestionEvent::Closed { question } }, vec![])]
                });
            }
            QuestionEffect::Arm { timer, after_ms } => self.arm(elapsed(root, timer), after_ms),
            QuestionEffect::Disarm { timer } => self.stop(&Work::Timer(elapsed(root, timer))).await,
        }
    }

    /// Tells the agent how its question ended, in place of the time before. That one has no lease any more is told by the end of that.
    async fn relay(&mut self, root: TaskId, question: QuestionKey, end: QuestionEnd, known: &Known) {
        let lease = known.pool.as_ref().and_then(|pool| lease_of(pool, root));
        let Some((agent, lease)) = lease.filter(|(_, lease)| lease.epoch == question.epoch) else { return };
        let (_, answer) = known.words_of(root);
        self.stop(&Work::Relay(root)).await;
        let seat = self.seat(agent, lease);
        let relayed = asked(|| self.ports.agents.answer(seat, question.number, end, answer));
        self.begin_under(Some(lease), Work::Relay(root), "relay", async move {
            let event = QuestionEvent::Acknowledged { question };
            let acknowledged = contained(relayed).await.map(|()| (Fact::Questions { root, event }, vec![]));
            acknowledged.into_iter().collect()
        });
    }
}

/// What the timer of the questions of a root comes back with.
fn elapsed(root: TaskId, timer: QuestionTimer) -> Fact {
    Fact::Questions { root, event: QuestionEvent::Elapsed { timer } }
}
