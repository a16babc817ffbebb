//! What was seen of an agent since its last answer, and what health may make of it.

use downbeat_kernel::{Concern, Config, Sign, ToolId};

/// What was seen of an agent since its last answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Signs {
    /// It showed that it lives since its watch was armed.
    pub(super) active: bool,
    /// It was asked how far it is, and has shown nothing since that counts.
    pub(super) asked: bool,
    /// Whoever watches was told that it is stuck.
    pub(super) warned: bool,
    /// The last tool that it called.
    tool: Option<ToolId>,
    /// Calls of it in a row. Of several loops in a row one is kept, and how far the next one is.
    calls: u8,
    /// Failures in a row, kept likewise.
    errors: u8,
    /// Answers about its progress that counted.
    progress: u8,
}

impl Signs {
    /// What is seen of an agent that has just answered.
    pub(super) fn of_an_answer() -> Self {
        Self { active: true, ..Self::default() }
    }

    /// What is seen after one more sign.
    pub(super) fn after(mut self, sign: Sign, config: &Config) -> Self {
        match sign {
            Sign::Activity => {}
            Sign::ToolCalled { tool } => {
                let calls = if self.tool == Some(tool) { self.calls } else { 0 };
                (self.tool, self.calls) = (Some(tool), one_more(calls, config.loop_max));
            }
            Sign::Succeeded => self.errors = 0,
            Sign::Failed => self.errors = one_more(self.errors, config.errors_max),
        }
        self.lives(config)
    }

    /// What is seen when it has said how far it is. Only so many answers count.
    pub(super) fn after_progress(mut self, config: &Config) -> Self {
        if self.progress == config.progress_max {
            return self;
        }
        self.progress += 1;
        self.lives(config)
    }

    /// Whether a sign does no more than to repeat what was too often already.
    pub(super) fn is_repeated_by(self, sign: Sign, config: &Config) -> bool {
        match sign {
            Sign::Activity | Sign::Succeeded => false,
            Sign::ToolCalled { tool } => self.tool == Some(tool) && self.calls >= config.loop_max,
            Sign::Failed => self.errors >= config.errors_max,
        }
    }

    /// Whether what was seen is what a warning says.
    pub(super) fn is(self, concern: Concern, config: &Config) -> bool {
        match concern {
            Concern::Stuck => self.asked,
            Concern::Looping => self.calls >= config.loop_max,
            Concern::Errors => self.errors >= config.errors_max,
        }
    }

    /// What has just become full by a sign: with it there are enough calls or failures in a row, or as many once more.
    pub(super) fn filled_by(self, sign: Sign, config: &Config) -> Option<Concern> {
        match sign {
            Sign::ToolCalled { .. } => self.calls.is_multiple_of(config.loop_max).then_some(Concern::Looping),
            Sign::Failed => self.errors.is_multiple_of(config.errors_max).then_some(Concern::Errors),
            Sign::Activity | Sign::Succeeded => None,
        }
    }

    /// Whether the agent repeats itself.
    pub(super) fn repeats(self, config: &Config) -> bool {
        self.is(Concern::Looping, config) || self.is(Concern::Errors, config)
    }

    /// Whoever repeats itself has shown nothing.
    fn lives(mut self, config: &Config) -> Self {
        self.active = true;
        self.asked &= self.repeats(config);
        self
    }
}

/// A number in a row with one more, less what is a whole loop beyond the first.
fn one_more(in_a_row: u8, max: u8) -> u8 {
    if in_a_row + 1 == 2 * max { max } else { in_a_row + 1 }
}
