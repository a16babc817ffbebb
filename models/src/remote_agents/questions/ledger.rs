//! What agents, people, and an observer of both know about questions, whoever stands between them.

use std::fmt;

use downbeat_kernel::QuestionEnd;

/// The most agents that a task has, one after the other.
pub const AGENTS: usize = 2;
/// The most questions of one agent.
pub const QUESTIONS: usize = 2;

/// An agent, from 0, in the order in which the task is assigned to them.
pub type AgentIndex = u8;

/// One question of one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Who asks.
    pub agent: AgentIndex,
    /// Which of its questions, from 0.
    pub number: u8,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "question {} of agent {}", self.number + 1, self.agent + 1)
    }
}

/// What is known of one question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Known {
    /// A person was asked.
    put: bool,
    /// An answer to it was taken.
    accepted: bool,
    /// The end that the agent was told.
    agent: Option<QuestionEnd>,
    /// The end that the person was told.
    person: Option<QuestionEnd>,
}

/// What an observer has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Questions that each agent has asked.
    asked: [u8; AGENTS],
    known: [[Known; QUESTIONS]; AGENTS],
    /// The first question that was settled by an answer to another one: the question, and what the answer was made for.
    pub crossed: Option<(Key, Key)>,
    /// The first question that was given a second end.
    pub twice: Option<Key>,
    /// A task that had ended was said to go on, or to ask.
    pub reopened: bool,
}

impl Ledger {
    fn known(&self, key: Key) -> Known {
        self.known[usize::from(key.agent)][usize::from(key.number)]
    }

    fn known_mut(&mut self, key: Key) -> &mut Known {
        &mut self.known[usize::from(key.agent)][usize::from(key.number)]
    }

    /// Every question that an agent has asked, the oldest first.
    pub fn asked(&self, agent: AgentIndex) -> impl Iterator<Item = Key> + use<> {
        (0..self.asked[usize::from(agent)]).map(move |number| Key { agent, number })
    }

    /// Every question that was asked.
    pub fn all(&self) -> impl Iterator<Item = Key> + use<'_> {
        (0..).take(AGENTS).flat_map(|agent| self.asked(agent))
    }

    /// The question that an agent waits for.
    pub fn waits(&self, agent: AgentIndex) -> Option<Key> {
        self.asked(agent).last().filter(|key| self.known(*key).agent.is_none())
    }

    /// Whether an agent may ask its next question.
    pub fn may_ask(&self, agent: AgentIndex) -> bool {
        self.waits(agent).is_none() && usize::from(self.asked[usize::from(agent)]) < QUESTIONS
    }

    /// The agent has its next question.
    pub fn ask(&mut self, agent: AgentIndex) {
        self.asked[usize::from(agent)] += 1;
    }

    /// A person is asked. Questions that nobody has are not put: `false`.
    pub fn put(&mut self, key: Key) -> bool {
        let is_asked = self.asked(key.agent).any(|asked| asked == key);
        if is_asked {
            self.known_mut(key).put = true;
        }
        is_asked
    }

    /// Whether a person was asked.
    pub fn is_put(&self, key: Key) -> bool {
        self.known(key).put
    }

    /// A person was asked and was not told that it is over.
    pub fn is_open(&self, key: Key) -> bool {
        self.known(key).put && self.known(key).person.is_none()
    }

    /// An answer is taken, and its person is told so.
    pub fn accept(&mut self, key: Key) {
        self.known_mut(key).accepted = true;
    }

    /// The end that an agent was told.
    pub fn end_at_agent(&self, key: Key) -> Option<QuestionEnd> {
        self.known(key).agent
    }

    /// Whether anybody was told an end.
    pub fn has_ended(&self) -> bool {
        self.all().any(|key| self.known(key).agent.or(self.known(key).person).is_some())
    }

    /// Whether an agent was given an answer.
    pub fn has_answer(&self) -> bool {
        self.all().any(|key| self.known(key).agent == Some(QuestionEnd::Answered))
    }

    /// An agent takes an end to be that of its question. An answer was made for some question (S6).
    pub fn tell_agent(&mut self, key: Key, end: QuestionEnd, made_for: Key) {
        if end == QuestionEnd::Answered && made_for != key {
            self.crossed = self.crossed.or(Some((key, made_for)));
        }
        self.judge(key, end);
        self.known_mut(key).agent = Some(end);
    }

    /// The person is told how it ended.
    pub fn tell_person(&mut self, key: Key, end: QuestionEnd) {
        self.judge(key, end);
        self.known_mut(key).person = Some(end);
    }

    /// S7: whoever is told an end is told the same. S6: an answer is one if somebody gave it.
    pub fn judge(&mut self, key: Key, end: QuestionEnd) {
        let Known { agent, person, accepted, .. } = self.known(key);
        if [agent, person].into_iter().flatten().any(|known| known != end) {
            self.twice = self.twice.or(Some(key));
        }
        if end == QuestionEnd::Answered && !accepted {
            let given = self.all().find(|other| *other != key && self.known(*other).accepted);
            self.crossed = self.crossed.or(Some((key, given.unwrap_or(key))));
        }
    }
}
