//! The health of a worker: when to ask it, and what to do when it does not go on.
//!
//! Health follows the worker's posture. A worker that rests is asked once whether there is something left to do. A
//! worker with a turn is watched by one timer: whenever that runs out without activity in between, health climbs one
//! rung of a ladder that ends. It asks beside the turn, then interrupts, then restarts, then fails the worker.
//!
//! Four facts carry the argument that the ladder ends (L3). Every rung arms the next timer. Activity takes back the
//! question alone: a rung that destroyed something is kept until the turn is answered. While the agent repeats itself,
//! activity takes back nothing. And an agent that only ever says how far it is counts as active so many times and no more.
//!
//! Activity costs no timer: it is a mark, and a timer that runs out with the mark set is armed again. So a silence is
//! noticed after one to two periods.

use crate::config::Config;
use crate::faults::Fault;
use crate::vocabulary::{Ignored, Outcome};
use serde::{Deserialize, Serialize};

/// One timer of the watch. Health numbers them from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WatchNumber(pub u32);

/// One question about progress. Health numbers them from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CheckNumber(pub u32);

/// A tool of the agent: its caller gives each name and each set of arguments that count as equal one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ToolId(pub u32);

/// A fact about the health of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HealthEvent {
    /// The worker has given a turn to its agent, or its agent goes on with one.
    Began {
        /// What the turn is about.
        origin: Origin,
    },
    /// The agent has answered the turn.
    Answered,
    /// The worker has nothing to do.
    Rested,
    /// The agent is not to blame for what happens now: a person holds the worker or has to agree first, a wait before
    /// the next attempt runs, or the worker ends.
    Suspended,
    /// The agent does something.
    Observed(Sign),
    /// The agent said how far it is. Answers [`HealthEffect::AskProgress`].
    ProgressReported {
        /// Which question.
        check: CheckNumber,
    },
    /// The timer ran out. Answers [`HealthEffect::Arm`].
    Elapsed {
        /// Which timer.
        watch: WatchNumber,
    },
}

/// What a turn is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// Nothing but an inquiry of [`HealthEffect::Inquire`].
    Inquiry,
    /// Anything else.
    Work,
}

/// A sign of life of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sign {
    /// Words, thoughts, a tool that goes on.
    Activity,
    /// It calls a tool.
    ToolCalled {
        /// Which one.
        tool: ToolId,
    },
    /// A tool or a message of it succeeded.
    Succeeded,
    /// A tool or a message of it failed.
    Failed,
}

/// What health wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HealthEffect {
    /// Answer [`HealthEvent::Elapsed`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        watch: WatchNumber,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// That timer is not needed any more.
    Disarm {
        /// Which one.
        watch: WatchNumber,
    },
    /// Ask the worker, which rests, whether something is left to do: a turn of its own.
    Inquire,
    /// Ask the agent how far it is, beside the turn that it has; answer [`HealthEvent::ProgressReported`].
    AskProgress {
        /// The identity that the answer has to carry.
        check: CheckNumber,
    },
    /// Stop the turn, and resume it.
    Interrupt,
    /// Replace the agent's iterator, and resume the turn.
    Restart,
    /// End the worker: nothing helped.
    Fail,
    /// Tell whoever watches.
    Warn {
        /// What about.
        concern: Concern,
    },
}

/// What is wrong with a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Concern {
    /// It did not go on although it was asked, and is interrupted now.
    Stuck,
    /// It calls one tool again and again.
    Looping,
    /// One failure follows the other.
    Errors,
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthRejected {
    /// It answers something that health has not asked.
    NeverAsked {
        /// What health watches.
        state: HealthState,
        /// What arrived.
        event: HealthEvent,
    },
}

/// What health watches. The diagram is in `docs/health.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HealthState {
    /// Nothing: no timer runs.
    #[default]
    Unwatched,
    /// A worker that rests. The timer runs unless it was inquired already.
    Resting,
    /// A turn that the agent has. The timer runs.
    Working,
}

/// How far the ladder was climbed. The rung after the last is the end of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rung {
    /// Not at all.
    #[default]
    Ground,
    /// The agent was asked how far it is.
    Inquired,
    /// The turn was interrupted and resumed.
    Interrupted,
    /// The iterator was replaced and the turn resumed.
    Restarted,
}

/// The health of one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Health {
    /// What it watches.
    pub state: HealthState,
    /// The last timer that was armed, 0 before the first.
    pub watch: WatchNumber,
    /// There was activity since that timer was armed.
    pub active: bool,
    /// A resting worker was inquired, and nothing else has come since.
    pub inquired: bool,
    /// How far the ladder was climbed since the last answered turn.
    pub rung: Rung,
    /// The last question about progress, 0 before the first.
    pub asked: CheckNumber,
    /// Every question up to this one is answered or void.
    pub reported: CheckNumber,
    /// The last tool that the turn called, if it has called one.
    pub tool: Option<ToolId>,
    /// Calls of it in a row. A full streak counts on to the next one and starts again from its length.
    pub calls: u16,
    /// Failures in a row, counted likewise.
    pub errors: u16,
    /// Answers about progress that counted as activity since the last answered turn; always 0 where nothing bounds them.
    pub progress: u8,
}

type Reply = Outcome<HealthRejected>;

impl Health {
    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(
        &mut self,
        event: HealthEvent,
        config: &Config,
        sink: &mut dyn FnMut(HealthEffect),
    ) -> Outcome<HealthRejected> {
        let mut step = Step { health: self, config, sink };
        match event {
            HealthEvent::Began { origin } => step.began(origin),
            HealthEvent::Answered => step.answered(),
            HealthEvent::Rested => step.rested(),
            HealthEvent::Suspended => step.suspended(),
            HealthEvent::Observed(sign) => step.observed(sign),
            HealthEvent::ProgressReported { check } => step.progress_reported(check, event),
            HealthEvent::Elapsed { watch } => step.elapsed(watch, event),
        }
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started.
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(HealthEffect)) {
        if self.is_armed() && !config.has(Fault::ResyncForgetsWorkerTimers) {
            sink(HealthEffect::Arm { watch: self.watch, after_ms: self.period(config) });
        }
        let asking = self.state == HealthState::Working && self.reported < self.asked;
        if asking && !config.has(Fault::ResyncForgetsCheck) {
            sink(HealthEffect::AskProgress { check: self.asked });
        }
    }

    /// Whether the timer [`Health::watch`] runs.
    pub fn is_armed(&self) -> bool {
        match self.state {
            HealthState::Unwatched => false,
            HealthState::Resting => !self.inquired,
            HealthState::Working => true,
        }
    }

    /// How long the timer runs here, in milliseconds.
    fn period(&self, config: &Config) -> u64 {
        u64::from(match (self.state, self.rung) {
            (HealthState::Unwatched | HealthState::Resting, _) => config.idle_ms,
            (HealthState::Working, Rung::Ground) => config.progress_ms,
            (HealthState::Working, Rung::Inquired | Rung::Interrupted | Rung::Restarted) => config.stuck_ms,
        })
    }

    /// Whether the agent repeats itself.
    fn is_repeating(&self, config: &Config) -> bool {
        is_full(self.calls, config.loop_max) || is_full(self.errors, config.errors_max)
    }
}

/// Whether a streak reached its bound; 0 is no bound.
fn is_full(streak: u16, max: u8) -> bool {
    max != 0 && streak >= u16::from(max)
}

/// A streak one longer, and whether that fills it once more.
fn longer(streak: u16, max: u8) -> (u16, bool) {
    let max_wide = u16::from(max);
    match streak + 1 {
        // No bound: one is as good as many.
        _ if max == 0 => (1, false),
        next if next == max_wide => (next, true),
        next if next >= 2 * max_wide => (max_wide, true),
        next => (next, false),
    }
}

/// The health of a worker during one step.
struct Step<'s> {
    health: &'s mut Health,
    config: &'s Config,
    sink: &'s mut dyn FnMut(HealthEffect),
}

impl Step<'_> {
    fn began(&mut self, origin: Origin) -> Reply {
        let inquired = self.health.inquired && origin == Origin::Inquiry;
        match self.health.state {
            HealthState::Working if self.health.inquired == inquired => Outcome::Ignored(Ignored::Duplicate),
            HealthState::Working => {
                self.health.inquired = inquired;
                Outcome::Applied
            }
            HealthState::Unwatched | HealthState::Resting => {
                self.disarm();
                self.health.inquired = inquired;
                self.health.state = HealthState::Working;
                self.arm();
                Outcome::Applied
            }
        }
    }

    /// Everything about the turn begins anew. Its timer runs on, and the answer counts as activity.
    fn answered(&mut self) -> Reply {
        let before = *self.health;
        let health = &mut *self.health;
        health.inquired &= !self.config.has(Fault::InquiryForgotten);
        if !self.config.has(Fault::RungKept) {
            health.rung = Rung::Ground;
        }
        health.active = health.state == HealthState::Working;
        if !self.config.has(Fault::CheckOutlives) {
            health.reported = health.asked;
        }
        if !self.config.has(Fault::StreakKept) {
            (health.tool, health.calls, health.errors) = (None, 0, 0);
        }
        if !self.config.has(Fault::ProgressKept) {
            health.progress = 0;
        }
        self.since(before)
    }

    fn rested(&mut self) -> Reply {
        match self.health.state {
            HealthState::Resting => Outcome::Ignored(Ignored::Duplicate),
            HealthState::Unwatched | HealthState::Working => {
                self.disarm();
                self.health.state = HealthState::Resting;
                // A worker that rests is asked once, and then costs nothing until something else has come.
                if self.health.is_armed() && !self.config.has(Fault::NoIdleTimer) {
                    self.arm();
                }
                Outcome::Applied
            }
        }
    }

    /// S13: nobody asks a worker that a person holds, so no timer runs.
    fn suspended(&mut self) -> Reply {
        match self.health.state {
            HealthState::Unwatched => Outcome::Ignored(Ignored::Duplicate),
            HealthState::Resting | HealthState::Working => {
                self.disarm();
                self.health.state = HealthState::Unwatched;
                Outcome::Applied
            }
        }
    }

    fn observed(&mut self, sign: Sign) -> Reply {
        let Config { loop_max, errors_max, .. } = *self.config;
        let before = *self.health;
        let next = &mut *self.health;
        let concern = match sign {
            Sign::Activity => None,
            Sign::ToolCalled { tool } => {
                let same = next.tool == Some(tool) || self.config.has(Fault::AnyTool);
                let (calls, full) = longer(if same { next.calls } else { 0 }, loop_max);
                (next.tool, next.calls) = (Some(tool), calls);
                (full && !self.config.has(Fault::NeverWarnsOfLoops)).then_some(Concern::Looping)
            }
            Sign::Succeeded if self.config.has(Fault::ErrorsNeverEnd) => None,
            Sign::Succeeded => {
                next.errors = 0;
                None
            }
            Sign::Failed => {
                let (errors, full) = longer(next.errors, errors_max);
                next.errors = errors;
                (full && !self.config.has(Fault::NeverWarnsOfErrors)).then_some(Concern::Errors)
            }
        };
        next.goes_on(self.config);
        let Some(concern) = concern else { return self.since(before) };
        (self.sink)(HealthEffect::Warn { concern });
        match self.health.state {
            HealthState::Working if self.config.has(Fault::LoopWithoutRung) => {}
            HealthState::Working => {
                self.disarm();
                self.climb();
            }
            // The agent waits for a person, so that there is nothing to interrupt.
            HealthState::Unwatched | HealthState::Resting => {}
        }
        Outcome::Applied
    }

    fn progress_reported(&mut self, check: CheckNumber, event: HealthEvent) -> Reply {
        if check.0 == 0 || check > self.health.asked {
            return self.never_asked(event);
        }
        // S6: only the question that it names, and only once.
        let open = self.health.reported < check && check == self.health.asked;
        if !open && !self.config.has(Fault::AnyCheck) {
            return Outcome::Ignored(Ignored::Stale);
        }
        self.health.reported = check;
        if self.health.progress_counts(self.config) {
            self.health.goes_on(self.config);
        }
        Outcome::Applied
    }

    fn elapsed(&mut self, watch: WatchNumber, event: HealthEvent) -> Reply {
        if watch.0 == 0 || watch > self.health.watch {
            return self.never_asked(event);
        }
        let armed = watch == self.health.watch && self.health.is_armed();
        let any = self.health.is_armed() && self.config.has(Fault::AnyWatch);
        if !armed && !any {
            return Outcome::Ignored(Ignored::Stale);
        }
        match self.health.state {
            HealthState::Working if self.health.active && !self.config.has(Fault::ActivityUnseen) => {
                self.arm();
            }
            HealthState::Working => self.climb(),
            HealthState::Resting | HealthState::Unwatched => {
                self.health.inquired = !self.config.has(Fault::InquiresAgain);
                (self.sink)(HealthEffect::Inquire);
            }
        }
        Outcome::Applied
    }

    /// L3: one rung more. From the first that destroys something on, whoever watches knows.
    fn climb(&mut self) {
        let order = match self.health.rung {
            Rung::Ground => {
                self.health.rung = Rung::Inquired;
                self.health.asked.0 += 1;
                HealthEffect::AskProgress { check: self.health.asked }
            }
            Rung::Inquired => {
                self.health.rung = Rung::Interrupted;
                self.health.reported = self.health.asked;
                if !self.config.has(Fault::SilentLadder) {
                    (self.sink)(HealthEffect::Warn { concern: Concern::Stuck });
                }
                if self.config.has(Fault::StuckFails) {
                    self.health.state = HealthState::Unwatched;
                    (self.sink)(HealthEffect::Fail);
                    return;
                }
                HealthEffect::Interrupt
            }
            Rung::Restarted if self.config.has(Fault::NeverFails) => HealthEffect::Restart,
            Rung::Interrupted => {
                self.health.rung = Rung::Restarted;
                HealthEffect::Restart
            }
            Rung::Restarted => {
                self.health.state = HealthState::Unwatched;
                (self.sink)(HealthEffect::Fail);
                return;
            }
        };
        (self.sink)(order);
        if !self.config.has(Fault::NoNextRung) {
            self.arm();
        }
    }

    fn arm(&mut self) {
        self.health.watch.0 += 1;
        self.health.active = false;
        let after_ms = self.health.period(self.config);
        (self.sink)(HealthEffect::Arm { watch: self.health.watch, after_ms });
    }

    fn disarm(&mut self) {
        if self.health.is_armed() && !self.config.has(Fault::WatchLeftArmed) {
            (self.sink)(HealthEffect::Disarm { watch: self.health.watch });
        }
        self.health.active = false;
    }

    /// Whether an event has changed anything.
    fn since(&self, before: Health) -> Reply {
        if *self.health == before { Outcome::Ignored(Ignored::Duplicate) } else { Outcome::Applied }
    }

    fn never_asked(&self, event: HealthEvent) -> Reply {
        Outcome::Rejected(HealthRejected::NeverAsked { state: self.health.state, event })
    }
}

impl Health {
    /// Marks activity, which takes back a question that destroyed nothing, unless the agent repeats itself.
    fn goes_on(&mut self, config: &Config) {
        self.active = self.state == HealthState::Working;
        let question = self.rung == Rung::Inquired || config.has(Fault::ActivityTakesBackAll);
        let repeating = self.is_repeating(config) && !config.has(Fault::RepeatingTakesBack);
        if question && !repeating {
            self.rung = Rung::Ground;
        }
    }

    /// L3: whether one more answer about progress counts as activity, and if so counts it.
    fn progress_counts(&mut self, config: &Config) -> bool {
        let max = config.progress_max;
        if max == 0 || config.has(Fault::ProgressNeverEnds) {
            return true;
        }
        let counts = self.progress < max;
        self.progress += u8::from(counts);
        counts
    }
}
