//! Notifications as they are designed: the end of a task is written down, sent, and marked as sent.
//!
//! ```text
//! the agent's report ──▶ write completed, unsent      each orchestrator: read an unsent row ──▶ send ──▶ mark it sent
//! the user's cancel  ──▶ write cancelled, unsent
//! ```
//! Each of these is a step, since an `await` lies between any two. Whoever writes a status writes it over what is there. Each
//! service runs in two instances, so two orchestrators look for unsent rows. A notification names its task and what
//! it says, and nothing that a copy could be known by.

use downbeat_kernel::{Conclusion, News};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Fairness, Lane, Model, Property, Told};
use downbeat_sim::report::Verdict;

use super::ledger::{Index, Ledger, news_word};
use super::properties::{Judged, of_notifications};

/// The most orchestrators.
const ORCHESTRATORS: usize = 2;

/// What one orchestrator does about the row. A crash forgets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sender {
    Looking,
    /// It has read that this is unsent.
    Sending(Index),
    /// It has sent, and has to mark the row.
    Marking,
}

/// Messages on their way to people, oldest first; two orchestrators send twice each at most.
const LINK: usize = 4;

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    completions: u8,
    cancels: u8,
    losses: u8,
    crashes: u8,
}

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    ledger: Ledger,
    /// Whether the last end on record is marked as sent.
    is_sent: bool,
    senders: [Sender; ORCHESTRATORS],
    link: [Option<Index>; LINK],
    left: Left,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// The agent reports that the task is completed, and that is written down.
    Complete,
    /// The user cancels the task, and that is written down.
    Cancel,
    /// An orchestrator reads a row that is not marked.
    Read(u8),
    /// It sends what the row says.
    Send(u8),
    /// It marks the row as sent.
    Mark(u8),
    /// People see the oldest notification that is under way.
    Show,
    /// It is lost.
    Lose,
    /// An orchestrator crashes, and begins anew.
    Crash(u8),
}

/// The system of the design.
#[derive(Clone, Debug)]
pub struct AsIs {
    orchestrators: u8,
    left: Left,
}

const STORE: Lane = 0;

fn lane(orchestrator: u8) -> Lane {
    usize::from(orchestrator) + 1
}

const PEOPLE: Lane = ORCHESTRATORS + 1;

impl State {
    /// The end that is on record.
    fn on_record(&self) -> Option<Index> {
        self.ledger.count().checked_sub(1)
    }

    fn sender(&self, orchestrator: u8) -> Sender {
        self.senders[usize::from(orchestrator)]
    }

    fn sender_mut(&mut self, orchestrator: u8) -> &mut Sender {
        &mut self.senders[usize::from(orchestrator)]
    }

    fn write(&mut self, conclusion: Conclusion) {
        self.ledger.note(News::Concluded(conclusion));
        self.is_sent = false;
    }

    fn send(&mut self, orchestrator: u8) -> Option<()> {
        let Sender::Sending(index) = self.sender(orchestrator) else { return None };
        *self.sender_mut(orchestrator) = Sender::Marking;
        *self.link.iter_mut().find(|slot| slot.is_none())? = Some(index);
        Some(())
    }

    fn pop(&mut self) -> Option<Index> {
        let first = self.link[0].take();
        self.link.rotate_left(1);
        first
    }

    fn said(&self, index: Index) -> &'static str {
        self.ledger.news(index).map_or("nothing", news_word)
    }
}

fn spend(budget: &mut u8) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    Some(())
}

impl Model for AsIs {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State {
            ledger: Ledger::default(),
            is_sent: false,
            senders: [Sender::Looking; ORCHESTRATORS],
            link: [None; LINK],
            left: self.left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Left { completions, cancels, losses, crashes } = state.left;
        actions.extend((completions > 0).then_some(Action::Complete));
        actions.extend((cancels > 0).then_some(Action::Cancel));
        for orchestrator in 0..self.orchestrators {
            match state.sender(orchestrator) {
                Sender::Looking => {
                    let unsent = state.on_record().is_some() && !state.is_sent;
                    actions.extend(unsent.then_some(Action::Read(orchestrator)));
                }
                Sender::Sending(_) => actions.push(Action::Send(orchestrator)),
                Sender::Marking => actions.push(Action::Mark(orchestrator)),
            }
            let is_busy = state.sender(orchestrator) != Sender::Looking;
            actions.extend((crashes > 0 && is_busy).then_some(Action::Crash(orchestrator)));
        }
        if state.link[0].is_some() {
            actions.push(Action::Show);
            actions.extend((losses > 0).then_some(Action::Lose));
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match *action {
            Action::Complete => {
                spend(&mut next.left.completions)?;
                next.write(Conclusion::Completed);
            }
            Action::Cancel => {
                spend(&mut next.left.cancels)?;
                next.write(Conclusion::Cancelled);
            }
            Action::Read(orchestrator) => *next.sender_mut(orchestrator) = Sender::Sending(next.on_record()?),
            Action::Send(orchestrator) => next.send(orchestrator)?,
            Action::Mark(orchestrator) => {
                *next.sender_mut(orchestrator) = Sender::Looking;
                next.is_sent = true;
            }
            Action::Show => {
                let index = next.pop()?;
                let news = next.ledger.news(index)?;
                next.ledger.show(index, news);
            }
            Action::Lose => {
                spend(&mut next.left.losses)?;
                next.pop()?;
            }
            Action::Crash(orchestrator) => {
                spend(&mut next.left.crashes)?;
                *next.sender_mut(orchestrator) = Sender::Looking;
            }
        }
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        Action::names()
    }

    fn kind(&self, action: &Action) -> usize {
        action.kind()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        of_notifications()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let goes_on = |orchestrator: u8| {
            let includes = move |action: &Action| match *action {
                Action::Read(who) | Action::Send(who) | Action::Mark(who) => who == orchestrator,
                Action::Complete | Action::Cancel | Action::Show | Action::Lose | Action::Crash(_) => false,
            };
            Fairness::weak(format!("orchestrator {} goes on", orchestrator + 1), includes)
        };
        let shown = Fairness::weak("what is under way arrives", |action: &Action| *action == Action::Show);
        (0..self.orchestrators).map(goes_on).chain([shown]).collect()
    }

    fn is_final(&self, state: &State) -> bool {
        state.untold().is_none()
    }

    fn lanes(&self) -> Vec<String> {
        let orchestrators = (1..=ORCHESTRATORS).map(|number| format!("orchestrator {number}"));
        ["store".to_owned()].into_iter().chain(orchestrators).chain(["people".to_owned()]).collect()
    }

    fn opening(&self, _: &State) -> String {
        "the task is running".to_owned()
    }

    fn tell(&self, before: &State, action: &Action, after: &State) -> Told {
        let said = |orchestrator: u8| match before.sender(orchestrator) {
            Sender::Sending(index) => before.said(index),
            Sender::Looking | Sender::Marking => unreachable!("it has read what it sends"),
        };
        let under_way = before.link[0].map_or("nothing", |index| before.said(index));
        let told = match *action {
            Action::Complete => Told::new(STORE, STORE, "the agent's report: completed, unsent"),
            Action::Cancel => Told::new(STORE, STORE, "the user's cancel: cancelled, unsent"),
            Action::Read(orchestrator) => {
                let row = before.on_record().map_or("nothing", |index| before.said(index));
                Told::new(STORE, lane(orchestrator), format!("{row}, unsent"))
            }
            Action::Send(orchestrator) => {
                Told::new(lane(orchestrator), PEOPLE, format!("sends: {}", said(orchestrator)))
            }
            Action::Mark(orchestrator) => Told::new(lane(orchestrator), STORE, "marks the row as sent"),
            Action::Show => Told::new(PEOPLE, PEOPLE, format!("are told: {under_way}")),
            Action::Lose => Told::new(PEOPLE, PEOPLE, format!("{under_way} is lost on the way")),
            Action::Crash(orchestrator) => {
                Told::new(lane(orchestrator), lane(orchestrator), "crashes, and begins anew")
            }
        };
        let (was, is) = (standing(before), standing(after));
        if was == is { told } else { told.change(is) }
    }
}

fn standing(state: &State) -> String {
    let row = state.on_record().map_or("running", |index| state.said(index));
    format!("{row}, {}", if state.is_sent { "sent" } else { "unsent" })
}

impl Judged for State {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn untold(&self) -> Option<String> {
        let index = self.on_record().filter(|index| !self.ledger.is_shown(*index))?;
        Some(format!("the task is {}, and nobody is told", self.said(index)))
    }
}

/// The design, of which every property fails.
pub(super) fn variant() -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        let left = Left {
            completions: byte("completions"),
            cancels: byte("cancels"),
            losses: byte("losses"),
            crashes: byte("crashes"),
        };
        AsIs { orchestrators: byte("orchestrators"), left }
    };
    let variant = Variant::new("notifications", "the end of a task is sent, and marked as sent", build)
        .bound("orchestrators", 2, 1..=ORCHESTRATORS as u64, "instances that look for what is unsent")
        .bound("completions", 1, 0..=1, "1 if the agent reports that the task is completed")
        .bound("cancels", 1, 0..=1, "1 if the user cancels the task")
        .bound("losses", 1, 0..=1, "notifications that are lost")
        .bound("crashes", 1, 0..=1, "crashes of an orchestrator");
    let violated = ["S7", "S24", "deadlock", "L1"];
    violated.into_iter().fold(variant, |variant, id| variant.expect(id, Verdict::Violated)).headline("S24")
}
