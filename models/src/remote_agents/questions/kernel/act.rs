//! What can happen around the questions of a task.

use downbeat_kernel::{Epoch, QuestionEvent, QuestionTimer, Questions};
use downbeat_sim::kinds::Kinds;

use super::super::super::machine::Fair;
use super::super::ledger::{AgentIndex, Key};
use super::{Around, Life, TIMERS, to_kernel};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Kinds)]
pub enum Act {
    /// The task is assigned to its next agent.
    Replace(AgentIndex),
    /// An agent has a question. It begins to say so.
    Ask(AgentIndex),
    /// What an agent asks is heard.
    Hear(Key),
    /// An agent dies without a word.
    Die(AgentIndex),
    /// That an agent is dead is noticed.
    ReportLost(AgentIndex),
    /// An agent that lives is taken for dead.
    Suspect(AgentIndex),
    /// A person answers a question that was put.
    Answer(Key),
    /// An agent is told the end of its question, which is told it again and again.
    Learn(Key),
    /// The acknowledgement of an agent is heard, which is told again and again.
    Acknowledge(Key),
    /// The person's side says that it knows the end.
    Shut(Key),
    /// The timer runs out.
    Elapse,
    /// The task ends.
    End,
    /// A question is heard again.
    HearLate(Key),
    /// An agent is heard with a question after the next one.
    HearAhead(Key),
    /// It is said again that the task is assigned to an agent.
    ReplaceLate(AgentIndex),
    /// An answer comes again, or for a question that is closed.
    AnswerLate(Key),
    /// An agent hears the end of its question, which it is told no more.
    LearnLate(Key),
    /// The acknowledgement of an agent is heard, which is told nothing more.
    AcknowledgeLate(Key),
    /// A timer fires that was taken back, or fired before.
    ElapseLate(u8),
}

impl Act {
    /// The event that the machine is told of it.
    pub(super) fn event(self, machine: &Questions) -> Option<QuestionEvent> {
        let epoch = |agent: AgentIndex| Epoch(u64::from(agent) + 1);
        let event = match self {
            Self::Replace(agent) | Self::ReplaceLate(agent) => {
                QuestionEvent::Assigned { epoch: epoch(agent) }
            }
            Self::Ask(_) | Self::Die(_) | Self::Learn(_) | Self::LearnLate(_) => return None,
            Self::Hear(key) | Self::HearLate(key) | Self::HearAhead(key) => {
                QuestionEvent::Asked { question: to_kernel(key) }
            }
            Self::ReportLost(agent) | Self::Suspect(agent) => {
                QuestionEvent::AgentLost { epoch: epoch(agent) }
            }
            Self::Answer(key) | Self::AnswerLate(key) => QuestionEvent::Answered { question: to_kernel(key) },
            Self::Acknowledge(key) | Self::AcknowledgeLate(key) => {
                QuestionEvent::Acknowledged { question: to_kernel(key) }
            }
            Self::Shut(key) => QuestionEvent::Closed { question: to_kernel(key) },
            Self::Elapse => QuestionEvent::Elapsed { timer: machine.timer },
            Self::ElapseLate(timer) => QuestionEvent::Elapsed { timer: QuestionTimer(timer.into()) },
            Self::End => QuestionEvent::TaskEnded,
        };
        Some(event)
    }
}

impl Around {
    /// Every act.
    pub(super) fn enabled(&self, machine: &Questions, acts: &mut Vec<Act>) {
        let assigned = (0..).zip(self.agents).filter(|(_, life)| *life != Life::Unassigned).count();
        if assigned == 0 || self.left.agents > 0 && assigned < self.agents.len() {
            acts.extend(u8::try_from(assigned).map(Act::Replace));
        }
        for agent in self.assigned() {
            self.of_agent(agent, acts);
        }
        for key in self.ledger.all() {
            self.about_question(key, acts);
        }
        if self.is_armed {
            acts.push(Act::Elapse);
        }
        let current = u8::try_from(machine.timer.0.min(TIMERS)).unwrap_or(0);
        acts.extend((1..=current).filter(|timer| *timer < current || !self.is_armed).map(Act::ElapseLate));
        if self.left.ends > 0 {
            acts.push(Act::End);
        }
    }

    fn of_agent(&self, agent: AgentIndex, acts: &mut Vec<Act>) {
        let life = self.life(agent);
        let may_be_lost = self.left.losses > 0 && life == Life::Present;
        if life.lives() && self.left.questions > 0 && self.ledger.may_ask(agent) {
            acts.push(Act::Ask(agent));
        }
        if may_be_lost {
            acts.extend([Act::Die(agent), Act::Suspect(agent)]);
        }
        if life == Life::Missing {
            acts.push(Act::ReportLost(agent));
        }
        acts.push(Act::ReplaceLate(agent));
        let ahead = Key { agent, number: self.ledger.asked(agent).last().map_or(1, |last| last.number + 2) };
        acts.push(Act::HearAhead(ahead));
    }

    fn about_question(&self, key: Key, acts: &mut Vec<Act>) {
        let is_waiting = self.life(key.agent).lives() && self.ledger.waits(key.agent) == Some(key);
        acts.push(if is_waiting { Act::Hear(key) } else { Act::HearLate(key) });
        if self.ledger.is_put(key) {
            acts.push(if self.ledger.is_open(key) { Act::Answer(key) } else { Act::AnswerLate(key) });
        }
        // What is told again and again arrives at some time, and so does its acknowledgement.
        let is_repeated = self.is_armed && self.relaying == Some(key);
        if self.relayed(key).is_some() && is_waiting {
            acts.push(if is_repeated { Act::Learn(key) } else { Act::LearnLate(key) });
        }
        if self.ledger.end_at_agent(key).is_some() {
            acts.push(if is_repeated { Act::Acknowledge(key) } else { Act::AcknowledgeLate(key) });
        }
        if self.ledger.is_put(key) && !self.ledger.is_open(key) {
            acts.push(Act::Shut(key));
        }
    }
}

/// Nobody forgets for ever to do what was ordered. People need not answer, and nothing need be lost, come late, or crash.
pub(super) fn fair() -> Vec<Fair<Act>> {
    vec![
        ("an agent is heard at some time", |act| matches!(act, Act::Hear(_))),
        ("the death of an agent is noticed", |act| matches!(act, Act::ReportLost(_))),
        ("an agent hears at some time what it is told", |act| matches!(act, Act::Learn(_))),
        ("its acknowledgement is heard at some time", |act| matches!(act, Act::Acknowledge(_))),
        ("the person's side says that it knows", |act| matches!(act, Act::Shut(_))),
        ("the timer runs out", |act| act == Act::Elapse),
    ]
}
