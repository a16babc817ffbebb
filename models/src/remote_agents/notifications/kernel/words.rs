//! How steps around an outbox read.

use downbeat_kernel::{News, NotificationEffect, NotificationNumber, Outbox, OutboxState};
use downbeat_sim::model::{Arrow, Lane};

use super::super::super::machine::DESK;
use super::super::ledger::{Index, news_word, word};
use super::act::Act;

const PEOPLE: Lane = 1;
const OPERATOR: Lane = 2;

pub(super) fn lanes() -> Vec<String> {
    ["kernel", "people", "operator"].map(str::to_owned).into()
}

pub(super) fn told(act: Act) -> Arrow {
    let one = |index: Index| format!("notification {}", index + 1);
    let (from, to, text) = match act {
        Act::Post => (DESK, DESK, "posts progress".to_owned()),
        Act::Complete => (DESK, DESK, "the agent's report: posts completed".to_owned()),
        Act::Cancel => (DESK, DESK, "the user's cancel: posts cancelled".to_owned()),
        Act::CancelLate => (DESK, DESK, "posts cancelled, under a number that is taken".to_owned()),
        Act::PostAgain(index) => (DESK, DESK, format!("posts {} once more", one(index))),
        Act::PostAhead => (DESK, DESK, "posts progress, under a number that is not the next".to_owned()),
        Act::Deliver(index, news) => {
            (PEOPLE, PEOPLE, format!("a copy of {} arrives, {}", one(index), news_word(news)))
        }
        Act::Acknowledge(index) => (PEOPLE, DESK, format!("acknowledges {}", one(index))),
        Act::Record(index) => (OPERATOR, DESK, format!("has it on record that {} was given up", one(index))),
        Act::Elapse => (DESK, DESK, "the timer runs out".to_owned()),
        Act::ElapseLate(_) => (DESK, DESK, "a void timer fires".to_owned()),
    };
    Arrow { from, to, text }
}

pub(super) fn ordered(order: NotificationEffect) -> Arrow {
    let said =
        |number: NotificationNumber, news: News| format!("notification {}, {}", number.0, news_word(news));
    let (to, text) = match order {
        NotificationEffect::Send { number, news } => (PEOPLE, format!("sends {}", said(number, news))),
        NotificationEffect::ReportUndelivered { number, news } => {
            (OPERATOR, format!("gives up {}", said(number, news)))
        }
        NotificationEffect::Arm { .. } => (DESK, "arms the timer".to_owned()),
        NotificationEffect::Disarm { .. } => (DESK, "takes the timer back".to_owned()),
    };
    Arrow { from: DESK, to, text }
}

pub(super) fn standing(machine: &Outbox) -> String {
    let state = match machine.state {
        OutboxState::Idle => "idle".to_owned(),
        OutboxState::Sending { attempt } => format!("sending {}, attempt {attempt}", machine.settled.0 + 1),
        OutboxState::Undelivered => format!("given up {}", machine.settled.0 + 1),
    };
    let end = machine.conclusion.map_or("", word);
    format!("{state}; accepted {}{}{end}", machine.accepted.0, if end.is_empty() { "" } else { ", " })
}
