//! The kernel's questions, with agents and people who do their worst.
//!
//! An agent says again what it asks until it is told, and acknowledges as often as it is told. It may die without a word, or
//! be taken for dead and go on. People answer when they like, late and twice too. What was said once may be heard again at
//! any moment, out of order.

mod act;
mod words;

use downbeat_kernel::{
    Config, Epoch, Outcome, QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey, QuestionNumber,
    QuestionTimer, Questions,
};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::model::{Arrow, Property};

use super::super::machine::{Closed, Fair, Former, State, World};
use super::ledger::{AGENTS, AgentIndex, Key, Ledger, QUESTIONS};
use super::properties::{Judged, of_questions};
use act::Act;

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Agents that come after the first.
    pub agents: u8,
    /// Questions of all agents together.
    pub questions: u8,
    /// Agents that die, or are taken for dead.
    pub losses: u8,
    /// Ends of the task.
    pub ends: u8,
    /// Crashes, at rest or between two orders.
    pub crashes: u8,
}

/// Two agents with three questions between them, which both may be lost. The second crash may come to what was repeated after
/// the first.
pub const LEFT: Left = Left { agents: 1, questions: 3, losses: 2, ends: 1, crashes: 2 };

/// What is true of an agent, and what the machine was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    /// The task was not assigned to it.
    Unassigned,
    /// It lives, and the machine counts on it.
    Present,
    /// It is dead, and nobody has said so.
    Missing,
    /// It lives, and is taken for dead.
    Suspected,
    /// It is dead.
    Gone,
}

impl Life {
    fn lives(self) -> bool {
        match self {
            Self::Present | Self::Suspected => true,
            Self::Unassigned | Self::Missing | Self::Gone => false,
        }
    }

    fn is_counted_on(self) -> bool {
        match self {
            Self::Present | Self::Missing => true,
            Self::Unassigned | Self::Suspected | Self::Gone => false,
        }
    }

    /// The machine counts on it no more.
    fn lost(self) -> Self {
        match self {
            Self::Present => Self::Suspected,
            Self::Missing => Self::Gone,
            Self::Unassigned | Self::Suspected | Self::Gone => self,
        }
    }
}

/// What surrounds the questions of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Around {
    ledger: Ledger,
    agents: [Life; AGENTS],
    /// The ends that were sent to agents, which may arrive at any time.
    relayed: [[Option<QuestionEnd>; QUESTIONS]; AGENTS],
    /// The question whose end was sent last.
    relaying: Option<Key>,
    /// Orders to the person's side that were given since the last crash.
    put: Option<Key>,
    closed: Option<Key>,
    is_armed: bool,
    has_ended: bool,
    left: Left,
    /// An order was given twice, or to nobody.
    disorder: bool,
}

impl Around {
    /// A task with its first agent to come.
    pub fn new(left: Left) -> Self {
        Self {
            ledger: Ledger::default(),
            agents: [Life::Unassigned; AGENTS],
            relayed: [[None; QUESTIONS]; AGENTS],
            relaying: None,
            put: None,
            closed: None,
            is_armed: false,
            has_ended: false,
            left,
            disorder: false,
        }
    }

    fn life(&self, agent: AgentIndex) -> Life {
        self.agents[usize::from(agent)]
    }

    /// The agents that the task was assigned to.
    fn assigned(&self) -> impl Iterator<Item = AgentIndex> + use<> {
        let agents = self.agents;
        (0..).zip(agents).filter(|(_, life)| *life != Life::Unassigned).map(|(agent, _)| agent)
    }

    fn relayed(&self, key: Key) -> Option<QuestionEnd> {
        self.relayed[usize::from(key.agent)][usize::from(key.number)]
    }

    fn relay(&mut self, key: Key, end: QuestionEnd) {
        self.disorder |= !self.life(key.agent).is_counted_on();
        self.send(key, end);
        self.relaying = Some(key);
    }

    /// An end is on its way to an agent.
    fn send(&mut self, key: Key, end: QuestionEnd) {
        let sent = &mut self.relayed[usize::from(key.agent)][usize::from(key.number)];
        if sent.is_some_and(|sent| sent != end) {
            self.ledger.twice = self.ledger.twice.or(Some(key));
        }
        *sent = Some(end);
        self.ledger.judge(key, end);
    }

    /// Carries out an order about a question; there is no such order about one that nobody can ask.
    fn about(&mut self, question: QuestionKey, order: impl FnOnce(&mut Self, Key)) {
        match of_kernel(question) {
            Some(key) => order(self, key),
            None => self.disorder = true,
        }
    }
}

/// The kernel's name of a question.
fn to_kernel(key: Key) -> QuestionKey {
    let number = QuestionNumber(u32::from(key.number) + 1);
    QuestionKey { epoch: Epoch(u64::from(key.agent) + 1), number }
}

/// The question of that name, if there can be one.
fn of_kernel(question: QuestionKey) -> Option<Key> {
    let agent = u8::try_from(question.epoch.0.checked_sub(1)?).ok()?;
    let number = u8::try_from(question.number.0.checked_sub(1)?).ok()?;
    let is_known = usize::from(agent) < AGENTS && usize::from(number) < QUESTIONS;
    is_known.then_some(Key { agent, number })
}

/// The timer that counts, and one before it, whatever their numbers were.
const TIMERS: u32 = 2;

impl World for Around {
    type Machine = Questions;
    type Event = QuestionEvent;
    type Effect = QuestionEffect;
    type Act = Act;

    fn config() -> Config {
        Config::default()
    }

    fn step(
        machine: &mut Questions,
        event: QuestionEvent,
        config: &Config,
        sink: &mut dyn FnMut(QuestionEffect),
    ) -> bool {
        machine.step(event, config, sink) == Outcome::Applied
    }

    fn resync(machine: &Questions, config: &Config, sink: &mut dyn FnMut(QuestionEffect)) {
        machine.resync(config, sink);
    }

    fn is_valid(machine: &Questions, _: &Config) -> bool {
        // Its timers have low numbers here, as if there had been fewer.
        let timer = QuestionTimer(if machine.timer.0 == 0 { 0 } else { machine.timer.0 + 1_000 });
        Questions { timer, ..*machine }.validate().is_ok()
    }

    fn renumber(&mut self, machine: &mut Questions, former: Option<&mut Former<Self>>) {
        machine.timer.0 = machine.timer.0.min(TIMERS);
        let Some(former) = former else { return };
        if let Some(machine) = former.machine_mut() {
            machine.timer.0 = machine.timer.0.min(TIMERS);
        }
        if let Some((_, QuestionEvent::Elapsed { timer })) = former.taken_mut() {
            timer.0 = timer.0.min(TIMERS);
        }
        for order in former.orders_mut() {
            match order {
                QuestionEffect::Arm { timer, .. } | QuestionEffect::Disarm { timer } => {
                    timer.0 = timer.0.min(TIMERS);
                }
                QuestionEffect::Ask { .. } | QuestionEffect::Relay { .. } | QuestionEffect::Close { .. } => {}
            }
        }
    }

    fn acts(&self, machine: &Questions, acts: &mut Vec<Act>) {
        self.enabled(machine, acts);
    }

    fn event(&self, machine: &Questions, act: Act) -> Option<QuestionEvent> {
        act.event(machine)
    }

    fn happens(&mut self, act: Act) {
        match act {
            Act::Ask(agent) => {
                self.left.questions -= 1;
                self.ledger.ask(agent);
            }
            Act::Die(agent) => {
                self.left.losses -= 1;
                self.agents[usize::from(agent)] = Life::Missing;
            }
            Act::Learn(key) | Act::LearnLate(key) => {
                if let Some(end) = self.relayed(key) {
                    self.ledger.tell_agent(key, end, key);
                }
            }
            // Two owners put the same end on record if the store lets them.
            Act::End => self.left.ends = self.left.ends.saturating_sub(1),
            Act::Elapse => self.is_armed = false,
            Act::Replace(_)
            | Act::Suspect(_)
            | Act::Hear(_)
            | Act::ReportLost(_)
            | Act::Answer(_)
            | Act::Acknowledge(_)
            | Act::AcknowledgeLate(_)
            | Act::Shut(_)
            | Act::HearLate(_)
            | Act::HearAhead(_)
            | Act::ReplaceLate(_)
            | Act::AnswerLate(_)
            | Act::ElapseLate(_) => {}
        }
    }

    fn is_taken(&mut self, event: QuestionEvent) {
        match event {
            QuestionEvent::Assigned { epoch } => {
                self.left.agents = self.left.agents.saturating_sub(u8::from(epoch > Epoch(1)));
                for (life, number) in self.agents.iter_mut().zip(1..) {
                    *life = if epoch == Epoch(number) { Life::Present } else { life.lost() };
                }
            }
            QuestionEvent::AgentLost { epoch } => {
                for (life, number) in self.agents.iter_mut().zip(1..) {
                    if epoch == Epoch(number) {
                        let is_lost = u8::from(*life == Life::Present);
                        self.left.losses = self.left.losses.saturating_sub(is_lost);
                        *life = life.lost();
                    }
                }
            }
            QuestionEvent::Answered { question } => {
                self.about(question, |around, key| around.ledger.accept(key));
            }
            QuestionEvent::TaskEnded => self.has_ended = true,
            QuestionEvent::Asked { .. }
            | QuestionEvent::Acknowledged { .. }
            | QuestionEvent::Closed { .. }
            | QuestionEvent::Elapsed { .. } => {}
        }
    }

    fn obeys(&mut self, order: QuestionEffect) {
        match order {
            QuestionEffect::Ask { question } => self.about(question, |around, key| {
                let is_counted_on = around.life(key.agent).is_counted_on();
                around.disorder |= around.put == Some(key) || !is_counted_on || !around.ledger.put(key);
                around.ledger.reopened |= around.has_ended;
                around.put = Some(key);
            }),
            QuestionEffect::Relay { question, end } => {
                self.about(question, |around, key| around.relay(key, end));
            }
            QuestionEffect::Close { question, end } => self.about(question, |around, key| {
                around.disorder |= around.closed == Some(key) || !around.ledger.is_put(key);
                around.ledger.tell_person(key, end);
                around.closed = Some(key);
            }),
            QuestionEffect::Arm { .. } => {
                self.disorder |= self.is_armed;
                self.is_armed = true;
            }
            QuestionEffect::Disarm { .. } => {
                self.disorder |= !self.is_armed;
                self.is_armed = false;
            }
        }
    }

    /// A person's side that was told an end takes no notice of the question.
    fn hears_of(&mut self, order: QuestionEffect) {
        match order {
            QuestionEffect::Ask { question } => self.about(question, |around, key| {
                around.ledger.reopened |= !around.ledger.is_put(key) && around.has_ended;
                around.disorder |= !around.ledger.put(key);
            }),
            QuestionEffect::Relay { question, end } => {
                self.about(question, |around, key| around.send(key, end));
            }
            QuestionEffect::Close { question, end } => {
                self.about(question, |around, key| around.ledger.tell_person(key, end));
            }
            QuestionEffect::Arm { .. } | QuestionEffect::Disarm { .. } => {}
        }
    }

    fn is_of_timer(order: QuestionEffect) -> bool {
        matches!(order, QuestionEffect::Arm { .. } | QuestionEffect::Disarm { .. })
    }

    fn elapses() -> Act {
        Act::Elapse
    }

    fn spend_crash(&mut self) -> Option<()> {
        self.left.crashes = self.left.crashes.checked_sub(1)?;
        Some(())
    }

    fn begin_anew(&mut self) {
        (self.put, self.closed, self.is_armed) = (None, None, false);
    }

    fn unsettled(&self) -> Option<String> {
        self.untold()
    }

    fn properties() -> Vec<Property<Closed<Self>>> {
        let mut properties = of_questions();
        properties.push(Property::always(
            "orders",
            "every order is given once until a crash, about a question that was asked, to an agent that is there",
            |_, state: &State<Self>| !state.world.disorder,
            |_, state: &State<Self>| state.world.put.is_some() && state.world.is_armed,
            |_, _| "an order was given twice, about nothing, or to an agent that is gone".into(),
        ));
        properties
    }

    fn fair() -> Vec<Fair<Act>> {
        act::fair()
    }

    fn lanes() -> Vec<String> {
        words::lanes()
    }

    fn told(&self, act: Act) -> Arrow {
        words::told(act)
    }

    fn ordered(order: QuestionEffect) -> Arrow {
        words::ordered(order)
    }

    fn standing(&self, machine: &Questions) -> String {
        words::standing(machine)
    }
}

impl Judged for State<Around> {
    fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    fn untold(&self) -> Option<String> {
        self.world.untold()
    }
}

impl Around {
    /// Who waits to be told. An agent that is not counted on is stopped by others, and so is one that asks when its task
    /// has ended.
    fn untold(&self) -> Option<String> {
        let waits = |agent| {
            let key = self.ledger.waits(agent).filter(|_| self.life(agent) == Life::Present)?;
            (self.ledger.is_put(key) || !self.has_ended).then_some(key)
        };
        let agent =
            (0..).take(AGENTS).find_map(waits).map(|key| format!("nobody tells the agent about {key}"));
        let person = || self.ledger.all().find(|key| self.ledger.is_open(*key));
        agent.or_else(|| person().map(|key| format!("nobody tells the person about {key}")))
    }
}

/// A second owner, beside an agent that is lost, the end of the task, and a crash.
pub const BY_TWO: Left = Left { questions: 2, losses: 1, crashes: 1, ..LEFT };

/// Every question comes to its end, with one owner and with two.
pub fn variants() -> [Variant; 2] {
    [
        variant("kernel-questions", "the kernel's questions of a remote task", LEFT, 0)
            .deep([("questions", (AGENTS * QUESTIONS) as u64)]),
        variant("kernel-questions-owners", "the same, and their owner is suspended, and replaced", BY_TWO, 1),
    ]
}

fn variant(name: &'static str, about: &'static str, left: Left, owners: u8) -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        Closed::new(Around::new(Left {
            agents: byte("agents") - 1,
            questions: byte("questions"),
            losses: byte("losses"),
            ends: byte("ends"),
            crashes: byte("crashes"),
        }))
        .with_owners(byte("owners"))
    };
    let most = (AGENTS * QUESTIONS) as u64;
    Variant::new(name, about, build)
        .bound("agents", u64::from(left.agents) + 1, 1..=AGENTS as u64, "agents, one after the other")
        .bound("questions", left.questions.into(), 1..=most, "questions of all agents together")
        .bound("losses", left.losses.into(), 0..=2, "agents that die, or are taken for dead")
        .bound("ends", left.ends.into(), 0..=1, "1 if the task may end while a question is open")
        .bound("crashes", left.crashes.into(), 0..=2, "crashes, at rest or between two orders")
        .bound("owners", owners.into(), 0..=1, "processes that are suspended while another one goes on")
}
