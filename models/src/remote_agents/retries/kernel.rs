//! The kernel's attempts, with a site that is hard to reach.
//!
//! What was ordered once may arrive at any moment, again and out of order, and so may reports and answers; none of them need
//! arrive. An agent may die without a word. A fence and its answer are one at the site, as the machine asks for.

mod act;
mod words;

use downbeat_kernel::{
    AttemptEnd, AttemptNumber, Config, FailureClass, Finding, Outcome, QueryNumber, Retry, RetryEffect,
    RetryEnd, RetryEvent, RetryReason, RetryTimer,
};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::model::{Arrow, Property};

use super::super::machine::{Closed, Fair, Former, State, World};
use super::ledger::{ATTEMPTS, Attempt, Ledger, Real};
use super::properties::{Judged, of_retries};
use act::Act;

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Attempts that fail, and say so.
    pub failures: u8,
    /// Agents that die without a word.
    pub deaths: u8,
    /// Cancels.
    pub cancels: u8,
    /// Crashes, at rest or between two orders.
    pub crashes: u8,
}

/// As many attempts come to nothing as the settings allow here. The second crash may come to what was repeated after the
/// first.
pub const LEFT: Left = Left { failures: 1, deaths: 1, cancels: 1, crashes: 2 };

/// What was ordered about an attempt last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asked {
    Nothing,
    Query,
    Fence,
}

/// What surrounds the attempts at a task.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Around {
    ledger: Ledger,
    is_wanted: bool,
    /// Attempts that were ordered.
    ordered: Attempt,
    /// Attempts whose end was reported, and those that were to be fenced: one bit each.
    reports: u8,
    fences: u8,
    /// The last question or fence that was ordered: its number, what it is, the attempt, how often it was ordered.
    query: u32,
    asked: Asked,
    about: Attempt,
    times: u8,
    /// Answers to it that were given, and answers to those before: one bit for each finding.
    answers: u8,
    old_answers: u8,
    /// The order to begin that was given since the last crash.
    begun: Option<Attempt>,
    /// The machine knows that the last attempt is over.
    is_over: bool,
    is_armed: bool,
    /// Somebody asked for more patience than the next wait would have.
    must_wait: bool,
    hurried: bool,
    is_said: bool,
    is_recorded: bool,
    left: Left,
    /// An order was given twice, too often, or for nothing, or was not given.
    disorder: bool,
}

/// The attempts, and the questions of one number, that the settings here allow.
const ATTEMPTS_MAX: u8 = 2;
const QUERIES_MAX: u8 = 2;

/// What somebody asks for who throttles: longer than the first wait by itself.
const THROTTLED: FailureClass = FailureClass::Throttled { retry_after_ms: 90_000 };

/// Every finding, in the order of its bit.
const FINDINGS: [Finding; 6] = [
    Finding::Succeeded,
    Finding::NeverStarted,
    Finding::StillRunning,
    Finding::Failed(FailureClass::Transient),
    Finding::Failed(THROTTLED),
    Finding::Failed(FailureClass::Permanent),
];

impl Around {
    /// A task that nobody wants yet.
    pub fn new(left: Left) -> Self {
        Self {
            ledger: Ledger::default(),
            is_wanted: false,
            ordered: 0,
            reports: 0,
            fences: 0,
            query: 0,
            asked: Asked::Nothing,
            about: 0,
            times: 0,
            answers: 0,
            old_answers: 0,
            begun: None,
            is_over: false,
            is_armed: false,
            must_wait: false,
            hurried: false,
            is_said: false,
            is_recorded: false,
            left,
            disorder: false,
        }
    }

    /// Whoever looks finds this.
    fn finding(&self, attempt: Attempt) -> Finding {
        match self.ledger.attempt(attempt) {
            Real::Unheard | Real::Fenced => Finding::NeverStarted,
            Real::Running => Finding::StillRunning,
            Real::Succeeded => Finding::Succeeded,
            Real::Failed(class) => Finding::Failed(class),
        }
    }

    /// What whoever looks finds, as the bit of that.
    fn found(&self, attempt: Attempt) -> u8 {
        let finding = self.finding(attempt);
        FINDINGS.iter().zip(0..).fold(0, |bits, (known, bit)| bits | u8::from(*known == finding) << bit)
    }

    /// The site answers a question or a fence that does not come from the owner.
    fn answers_beside(&mut self, attempt: AttemptNumber, query: QueryNumber) {
        let Some(attempt) = index(attempt) else {
            self.disorder = true;
            return;
        };
        let found = self.found(attempt);
        if query.0 == self.query {
            self.answers |= found;
        } else {
            self.old_answers |= found;
        }
    }

    /// The site answers what was ordered last.
    fn look(&mut self) {
        self.answers |= self.found(self.about);
        if self.asked == Asked::Fence {
            self.ledger.fence(self.about);
        }
    }

    /// A question or a fence of a new number makes those before it old.
    fn turn_to(&mut self, query: u32) {
        if query > self.query {
            self.old_answers |= self.answers;
            (self.query, self.asked, self.answers, self.times) = (query, Asked::Nothing, 0, 0);
        }
    }

    fn ask(&mut self, attempt: AttemptNumber, query: QueryNumber, asked: Asked) {
        self.turn_to(query.0);
        let Some(about) = index(attempt).filter(|about| *about < self.ordered) else {
            self.disorder = true;
            return;
        };
        self.times = self.times.saturating_add(1).min(QUERIES_MAX + 1);
        self.disorder |= self.times > QUERIES_MAX;
        (self.asked, self.about) = (asked, about);
        if asked == Asked::Fence {
            self.fences |= 1 << about;
        }
    }

    fn begin(&mut self, attempt: AttemptNumber) {
        let Some(attempt) = index(attempt) else {
            self.disorder = true;
            return;
        };
        let is_next = attempt == self.ordered;
        let is_again = attempt + 1 == self.ordered && self.begun.is_none();
        self.disorder |= !is_next && !is_again || attempt >= ATTEMPTS_MAX;
        if is_next {
            let before = attempt.checked_sub(1).map(|before| self.ledger.attempt(before));
            self.disorder |= before == Some(Real::Failed(FailureClass::Permanent));
            self.ledger.order();
            self.is_over = false;
            self.ordered += 1;
        }
        self.begun = Some(attempt);
    }

    fn learn(&mut self, class: FailureClass) {
        self.must_wait = class == THROTTLED;
        self.is_over = true;
    }

    /// Nobody says that nobody knows before it was asked, that a task is cancelled whose attempt may go on, or that nobody
    /// confirmed a fence that was not ordered.
    fn say(&mut self, end: RetryEnd) {
        let may_go_on = self.ordered > 0 && !self.is_over && self.fences >> (self.ordered - 1) & 1 == 0;
        self.disorder |= self.is_said
            || match end {
                RetryEnd::Cancelled => may_go_on,
                RetryEnd::CancelUnconfirmed => self.asked != Asked::Fence,
                RetryEnd::Failed(RetryReason::Unknown) => self.asked == Asked::Nothing,
                RetryEnd::Completed { .. }
                | RetryEnd::Failed(RetryReason::Permanent | RetryReason::Exhausted) => false,
            };
        self.is_said = true;
        self.ledger.say(end, self.ordered);
    }
}

/// The kernel's number of an attempt.
fn number(attempt: Attempt) -> AttemptNumber {
    AttemptNumber(u32::from(attempt) + 1)
}

/// The attempt of that number, if there can be one.
fn index(attempt: AttemptNumber) -> Option<Attempt> {
    let index = u8::try_from(attempt.0.checked_sub(1)?).ok()?;
    (usize::from(index) < ATTEMPTS).then_some(index)
}

/// The number that counts, and one before it, whatever they were: of timers, and of questions.
const NUMBERS: u32 = 2;

/// A number beside that of the owner, when that one is lowered: an older one stays older.
fn lowered(number: u32, by: u32) -> u32 {
    number.saturating_sub(by).max(number.min(1))
}

impl World for Around {
    type Machine = Retry;
    type Event = RetryEvent;
    type Effect = RetryEffect;
    type Act = Act;

    fn config() -> Config {
        Config { task_attempts_max: ATTEMPTS_MAX, queries_max: QUERIES_MAX, ..Config::default() }
    }

    fn step(
        machine: &mut Retry,
        event: RetryEvent,
        config: &Config,
        sink: &mut dyn FnMut(RetryEffect),
    ) -> bool {
        machine.step(event, config, sink) == Outcome::Applied
    }

    fn resync(machine: &Retry, config: &Config, sink: &mut dyn FnMut(RetryEffect)) {
        machine.resync(config, sink);
    }

    fn is_valid(machine: &Retry, config: &Config) -> bool {
        // Its timers have low numbers here, as if there had been fewer.
        let timer = RetryTimer(if machine.timer.0 == 0 { 0 } else { machine.timer.0 + 1_000 });
        Retry { timer, ..*machine }.validate(config).is_ok()
    }

    fn renumber(&mut self, machine: &mut Retry, former: Option<&mut Former<Self>>) {
        // What a slow process is to ask next makes no answer old before it has asked.
        let by = machine.query.0.saturating_sub(NUMBERS);
        machine.timer.0 = machine.timer.0.min(NUMBERS);
        machine.query.0 -= by;
        self.query = lowered(self.query, by);
        let Some(former) = former else { return };
        if let Some(machine) = former.machine_mut() {
            machine.timer.0 = machine.timer.0.min(NUMBERS);
            machine.query.0 = lowered(machine.query.0, by);
        }
        match former.taken_mut() {
            Some((_, RetryEvent::Elapsed { timer })) => timer.0 = timer.0.min(NUMBERS),
            Some((_, RetryEvent::Found { query, .. })) => query.0 = lowered(query.0, by),
            Some((
                _,
                RetryEvent::Submitted
                | RetryEvent::AttemptEnded { .. }
                | RetryEvent::CancelRequested
                | RetryEvent::EndAcknowledged,
            ))
            | None => {}
        }
        for order in former.orders_mut() {
            match order {
                RetryEffect::Query { query, .. } | RetryEffect::Fence { query, .. } => {
                    query.0 = lowered(query.0, by);
                }
                RetryEffect::Arm { timer, .. } | RetryEffect::Disarm { timer } => {
                    timer.0 = timer.0.min(NUMBERS);
                }
                RetryEffect::Begin { .. } | RetryEffect::Ended { .. } => {}
            }
        }
    }

    fn acts(&self, machine: &Retry, acts: &mut Vec<Act>) {
        self.enabled(machine, acts);
    }

    fn event(&self, machine: &Retry, act: Act) -> Option<RetryEvent> {
        self.event_of(machine, act)
    }

    fn happens(&mut self, act: Act) {
        match act {
            Act::Submit => self.is_wanted = true,
            Act::Start(attempt) => self.ledger.begin(attempt),
            Act::Succeed(attempt) => {
                self.ledger.finish(attempt, Real::Succeeded);
                self.reports |= 1 << attempt;
            }
            Act::Fail(attempt, class) => {
                self.left.failures -= 1;
                self.ledger.finish(attempt, Real::Failed(class));
                self.reports |= 1 << attempt;
            }
            Act::Die(attempt) => {
                self.left.deaths -= 1;
                self.ledger.finish(attempt, Real::Failed(FailureClass::Transient));
            }
            Act::Look => self.look(),
            Act::FenceLate(attempt) => self.ledger.fence(attempt),
            Act::Cancel => {
                // Two owners put the same cancel on record if the store lets them.
                self.left.cancels = self.left.cancels.saturating_sub(1);
                self.is_wanted = true;
                self.ledger.cancel();
            }
            Act::Elapse => (self.is_armed, self.must_wait) = (false, false),
            Act::Report(_)
            | Act::TimeOut
            | Act::Answer(_)
            | Act::Record
            | Act::SubmitAgain
            | Act::AnswerLate(_)
            | Act::ReportAhead
            | Act::ElapseLate(_) => {}
        }
    }

    fn is_taken(&mut self, event: RetryEvent) {
        match event {
            RetryEvent::AttemptEnded { end: AttemptEnd::Failed(class), .. }
            | RetryEvent::Found { finding: Finding::Failed(class), .. } => self.learn(class),
            RetryEvent::EndAcknowledged => self.is_recorded = true,
            RetryEvent::AttemptEnded { end: AttemptEnd::Succeeded, .. }
            | RetryEvent::Found { finding: Finding::Succeeded, .. } => self.is_over = true,
            RetryEvent::AttemptEnded { end: AttemptEnd::Unknown, .. }
            | RetryEvent::Found { finding: Finding::NeverStarted | Finding::StillRunning, .. }
            | RetryEvent::Submitted
            | RetryEvent::CancelRequested
            | RetryEvent::Elapsed { .. } => {}
        }
    }

    fn obeys(&mut self, order: RetryEffect) {
        match order {
            RetryEffect::Begin { attempt } => self.begin(attempt),
            RetryEffect::Query { attempt, query } => self.ask(attempt, query, Asked::Query),
            RetryEffect::Fence { attempt, query } => self.ask(attempt, query, Asked::Fence),
            RetryEffect::Ended { end } => self.say(end),
            RetryEffect::Arm { after_ms, .. } => {
                self.disorder |= self.is_armed;
                self.is_armed = true;
                self.hurried |= self.must_wait && after_ms <= 90_000;
            }
            RetryEffect::Disarm { .. } => {
                self.disorder |= !self.is_armed;
                self.is_armed = false;
            }
        }
    }

    fn hears_of(&mut self, order: RetryEffect) {
        match order {
            RetryEffect::Begin { attempt } => match index(attempt) {
                Some(attempt) if attempt >= self.ordered => {
                    self.ledger.order();
                    self.ordered = attempt + 1;
                }
                Some(_) => {}
                None => self.disorder = true,
            },
            RetryEffect::Query { attempt, query } => self.answers_beside(attempt, query),
            RetryEffect::Fence { attempt, query } => {
                self.answers_beside(attempt, query);
                if let Some(attempt) = index(attempt) {
                    self.ledger.fence(attempt);
                    self.fences |= 1 << attempt;
                }
            }
            RetryEffect::Ended { end } => self.ledger.say(end, self.ordered),
            RetryEffect::Arm { .. } | RetryEffect::Disarm { .. } => {}
        }
    }

    fn is_of_timer(order: RetryEffect) -> bool {
        matches!(order, RetryEffect::Arm { .. } | RetryEffect::Disarm { .. })
    }

    fn elapses() -> Act {
        Act::Elapse
    }

    fn spend_crash(&mut self) -> Option<()> {
        self.left.crashes = self.left.crashes.checked_sub(1)?;
        Some(())
    }

    fn begin_anew(&mut self) {
        self.times = self.times.saturating_sub(1);
        (self.begun, self.is_said, self.is_armed) = (None, false, false);
    }

    fn unsettled(&self) -> Option<String> {
        self.unended()
    }

    fn properties() -> Vec<Property<Closed<Self>>> {
        let mut properties = of_retries();
        properties.push(Property::always(
            "waits",
            "the next attempt waits as long as was asked for",
            |_, state: &State<Self>| !state.world.hurried,
            |_, state: &State<Self>| state.world.must_wait,
            |_, _| "an attempt was to wait, and is due before".into(),
        ));
        properties.push(Property::always(
            "orders",
            "attempts, questions and fences are ordered so many times and no more, no attempt after one that failed for \
             good; what is cancelled is fenced, what nobody knows was asked; every other order is given once until a \
             crash",
            |_, state: &State<Self>| !state.world.disorder,
            |_, state: &State<Self>| state.world.asked == Asked::Fence && state.world.is_armed,
            |_, _| "an order was given twice, too often, or for nothing, or was not given".into(),
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
        self.words(act)
    }

    fn ordered(order: RetryEffect) -> Arrow {
        words::ordered(order)
    }

    fn standing(&self, machine: &Retry) -> String {
        words::standing(machine)
    }
}

impl Around {
    fn unended(&self) -> Option<String> {
        (self.is_wanted && !self.is_recorded)
            .then(|| "the task is wanted, and has no end on record".to_owned())
    }
}

impl Judged for State<Around> {
    fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    fn unended(&self) -> Option<String> {
        self.world.unended()
    }
}

/// What a second owner is put beside. With a crash too there are three times as many states: that is for the deep bounds.
pub const BY_TWO: Left = Left { crashes: 0, ..LEFT };

/// One result of one task.
pub fn variants() -> [Variant; 2] {
    [
        variant("kernel-retries", "the kernel's attempts at a remote task", LEFT, 0)
            .deep([("failures", 2), ("deaths", 2)]),
        variant("kernel-retries-owners", "the same, and their owner is suspended, and replaced", BY_TWO, 1)
            .deep([("crashes", 1)]),
    ]
}

fn variant(name: &'static str, about: &'static str, left: Left, owners: u8) -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        Closed::new(Around::new(Left {
            failures: byte("failures"),
            deaths: byte("deaths"),
            cancels: byte("cancels"),
            crashes: byte("crashes"),
        }))
        .with_owners(byte("owners"))
    };
    Variant::new(name, about, build)
        .bound("failures", left.failures.into(), 0..=2, "attempts that fail, and say so")
        .bound("deaths", left.deaths.into(), 0..=2, "agents that die without a word")
        .bound("cancels", left.cancels.into(), 0..=1, "1 if the task may be cancelled")
        .bound("crashes", left.crashes.into(), 0..=2, "crashes, at rest or between two orders")
        .bound("owners", owners.into(), 0..=1, "processes that are suspended while another one goes on")
}
