//! How steps around the questions of a task read.

use downbeat_kernel::{Asker, QuestionEffect, QuestionEnd, QuestionKey, QuestionState, Questions, Untold};
use downbeat_sim::model::{Arrow, Lane};

use super::super::super::machine::DESK;
use super::super::ledger::{AGENTS, AgentIndex};
use super::act::Act;
use super::of_kernel;

const PERSON: Lane = 1;

pub(super) fn lanes() -> Vec<String> {
    let agents = (1..=AGENTS).map(|number| format!("agent {number}"));
    ["kernel".to_owned(), "person".to_owned()].into_iter().chain(agents).collect()
}

fn lane(agent: AgentIndex) -> Lane {
    usize::from(agent) + 2
}

pub(super) fn told(act: Act) -> Arrow {
    let (from, to, text) = match act {
        Act::Replace(agent) => (DESK, lane(agent), "is assigned the task".to_owned()),
        Act::ReplaceLate(agent) => (DESK, DESK, format!("agent {} is assigned, it is said again", agent + 1)),
        Act::Ask(agent) => (lane(agent), lane(agent), "has a question".to_owned()),
        Act::Hear(key) => (lane(key.agent), DESK, format!("asks question {}", key.number + 1)),
        Act::HearLate(key) => (lane(key.agent), DESK, format!("asks question {}, late", key.number + 1)),
        Act::HearAhead(key) => {
            (lane(key.agent), DESK, format!("asks question {}, which is not the next", key.number + 1))
        }
        Act::Die(agent) => (lane(agent), lane(agent), "dies".to_owned()),
        Act::ReportLost(agent) => (DESK, DESK, format!("agent {} is found dead", agent + 1)),
        Act::Suspect(agent) => (DESK, DESK, format!("agent {} is taken for dead", agent + 1)),
        Act::Answer(key) => (PERSON, DESK, format!("answers {key}")),
        Act::AnswerLate(key) => (PERSON, DESK, format!("answers {key}, late or once more")),
        Act::Learn(key) | Act::LearnLate(key) => {
            (lane(key.agent), lane(key.agent), format!("hears of question {}", key.number + 1))
        }
        Act::Acknowledge(key) | Act::AcknowledgeLate(key) => {
            (lane(key.agent), DESK, format!("acknowledges the end of question {}", key.number + 1))
        }
        Act::Shut(key) => (PERSON, DESK, format!("knows the end of {key}")),
        Act::Elapse => (DESK, DESK, "the timer runs out".to_owned()),
        Act::ElapseLate(_) => (DESK, DESK, "a void timer fires".to_owned()),
        Act::End => (DESK, DESK, "the task ends".to_owned()),
    };
    Arrow { from, to, text }
}

pub(super) fn ordered(order: QuestionEffect) -> Arrow {
    let (to, text) = match order {
        QuestionEffect::Ask { question } => (PERSON, format!("puts {}", name(question))),
        QuestionEffect::Relay { question, end } => {
            let to = of_kernel(question).map_or(DESK, |key| lane(key.agent));
            (to, format!("{} is {}", name(question), word(end)))
        }
        QuestionEffect::Close { question, end } => (PERSON, format!("{} is {}", name(question), word(end))),
        QuestionEffect::Arm { .. } => (DESK, "arms the timer".to_owned()),
        QuestionEffect::Disarm { .. } => (DESK, "takes the timer back".to_owned()),
    };
    Arrow { from: DESK, to, text }
}

fn name(question: QuestionKey) -> String {
    format!("question {} of agent {}", question.number.0, question.epoch.0)
}

fn word(end: QuestionEnd) -> &'static str {
    match end {
        QuestionEnd::Answered => "answered",
        QuestionEnd::Expired => "expired",
        QuestionEnd::Withdrawn => "withdrawn",
    }
}

pub(super) fn standing(machine: &Questions) -> String {
    let asker = match machine.asker {
        Asker::Absent => "no agent".to_owned(),
        Asker::Present => format!("agent {}", machine.epoch.0),
        Asker::Done => "the task has ended".to_owned(),
    };
    let last = name(machine.question);
    let state = match machine.state {
        QuestionState::Silent => "nothing asked".to_owned(),
        QuestionState::Open => format!("{last} open"),
        QuestionState::Settled { end, untold } => {
            let untold = match untold {
                Untold::Both => ", untold: agent and person",
                Untold::Agent => ", untold: agent",
                Untold::Person => ", untold: person",
                Untold::Nobody => "",
            };
            format!("{last} {}{untold}", word(end))
        }
    };
    format!("{asker}; {state}")
}
