//! How steps around the attempts at a task read.

use downbeat_kernel::{Finding, Retry, RetryEffect, RetryState};
use downbeat_sim::model::{Arrow, Lane};

use super::super::super::machine::DESK;
use super::super::ledger::{Real, class_word, end_word};
use super::Around;
use super::act::Act;

const PEOPLE: Lane = 1;
const SITE: Lane = 2;

pub(super) fn lanes() -> Vec<String> {
    ["kernel", "people", "site"].map(str::to_owned).into()
}

impl Around {
    pub(super) fn words(&self, act: Act) -> Arrow {
        let (from, to, text) = match act {
            Act::Submit => (PEOPLE, DESK, "want the task".to_owned()),
            Act::SubmitAgain => (PEOPLE, DESK, "want the task, once more".to_owned()),
            Act::Start(attempt) => (SITE, SITE, format!("begins attempt {}", attempt + 1)),
            Act::Succeed(attempt) => (SITE, SITE, format!("attempt {} delivers a result", attempt + 1)),
            Act::Fail(attempt, class) => {
                (SITE, SITE, format!("attempt {} {}", attempt + 1, class_word(class)))
            }
            Act::Die(attempt) => (SITE, SITE, format!("the agent of attempt {} dies", attempt + 1)),
            Act::Report(attempt) => {
                let word = match self.ledger.attempt(attempt) {
                    Real::Failed(class) => class_word(class),
                    Real::Succeeded | Real::Unheard | Real::Running | Real::Fenced => "succeeded",
                };
                (SITE, DESK, format!("attempt {} {word}", attempt + 1))
            }
            Act::ReportAhead => (SITE, DESK, "an attempt succeeded that was not ordered".to_owned()),
            Act::TimeOut => (DESK, DESK, format!("gives up waiting for attempt {}", self.ordered)),
            Act::Look => (SITE, SITE, format!("looks at attempt {}, and answers", self.about + 1)),
            Act::Answer(finding) => {
                (SITE, DESK, format!("attempt {} {}", self.about + 1, finding_word(finding)))
            }
            Act::AnswerLate(finding) => {
                (SITE, DESK, format!("to an older question: {}", finding_word(finding)))
            }
            Act::FenceLate(attempt) => (SITE, SITE, format!("hears the fence of attempt {}", attempt + 1)),
            Act::Elapse => (DESK, DESK, "the timer runs out".to_owned()),
            Act::ElapseLate(_) => (DESK, DESK, "a void timer fires".to_owned()),
            Act::Cancel => (PEOPLE, DESK, "cancel the task".to_owned()),
            Act::Record => (PEOPLE, DESK, "have the end on record".to_owned()),
        };
        Arrow { from, to, text }
    }
}

fn finding_word(finding: Finding) -> &'static str {
    match finding {
        Finding::Succeeded => "succeeded",
        Finding::Failed(class) => class_word(class),
        Finding::NeverStarted => "has not begun",
        Finding::StillRunning => "runs",
    }
}

pub(super) fn ordered(order: RetryEffect) -> Arrow {
    let (to, text) = match order {
        RetryEffect::Begin { attempt } => (SITE, format!("begin attempt {}", attempt.0)),
        RetryEffect::Query { attempt, .. } => (SITE, format!("how does attempt {} stand?", attempt.0)),
        RetryEffect::Fence { attempt, .. } => (SITE, format!("fence attempt {}", attempt.0)),
        RetryEffect::Ended { end } => (PEOPLE, format!("the task is {}", end_word(end))),
        RetryEffect::Arm { .. } => (DESK, "arms the timer".to_owned()),
        RetryEffect::Disarm { .. } => (DESK, "takes the timer back".to_owned()),
    };
    Arrow { from: DESK, to, text }
}

pub(super) fn standing(machine: &Retry) -> String {
    let attempt = machine.attempt.0;
    match machine.state {
        RetryState::Unsubmitted => "nobody wants the task".to_owned(),
        RetryState::Running => format!("running, attempt {attempt}"),
        RetryState::Querying { asked } => format!("querying attempt {attempt}, asked {asked}"),
        RetryState::Fencing { asked } => format!("fencing attempt {attempt}, asked {asked}"),
        RetryState::BackingOff { .. } => format!("backing off after attempt {attempt}"),
        RetryState::Cancelling { asked } => format!("cancelling attempt {attempt}, asked {asked}"),
        RetryState::Ended(end) => end_word(end),
        RetryState::Closed => "ended, on record".to_owned(),
    }
}
