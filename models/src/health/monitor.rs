//! The flags of the health monitor, and what its tick reports.
//!
//! All comparisons of ages are the caller's choice: an age that is not yet beyond its threshold and one that is are all
//! that the tick can tell apart. Ages are read once in a tick, flags whenever they are needed, so that what a
//! handler does inside the tick changes the checks after it by its flags only.

use downbeat_sim::pack::Pack;

/// What the monitor keeps of one worker, beside its times and counts.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the flags of the code, and all combinations occur"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pack)]
pub struct Flags {
    /// It was reported as idle, and has not been active since.
    pub is_idle: bool,
    /// It was reported as unhealthy, and has not been active since.
    pub is_stuck: bool,
    /// An idle inquiry counts as sent, and it has not been active since.
    pub inquiry_pending: bool,
    /// Between the marks of the start and the end of an execution.
    pub is_executing: bool,
}

/// How long ago something last happened, against the two thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pack)]
pub enum Age {
    /// Beyond neither.
    #[default]
    Recent,
    /// Beyond the idle time (30 s, later 60 s).
    Idle,
    /// Beyond the stuck time (300 s) too.
    Stuck,
}

/// What a tick reads of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pack)]
pub struct Ages {
    /// The age of the last activity.
    pub activity: Age,
    /// Whether the last progress check is longer ago than the interval (60 s, later 300 s).
    pub is_check_due: bool,
}

/// What a tick may report of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// It is idle.
    Idle,
    /// A progress check is due.
    CheckDue,
    /// It is unhealthy: nothing has been heard of it for the stuck time.
    Unhealthy,
}

impl Report {
    /// In the order in which a tick looks for them.
    pub const ALL: [Self; 3] = [Self::Idle, Self::CheckDue, Self::Unhealthy];
}

impl Flags {
    /// One of the three checks of a tick: whether it reports, with the flag that this sets. The handler runs before
    /// the next one.
    pub fn check(&mut self, report: Report, ages: Ages) -> bool {
        match report {
            Report::Idle => {
                let quiet = !self.is_idle && !self.is_stuck && !self.inquiry_pending && !self.is_executing;
                let due = quiet && ages.activity > Age::Recent;
                self.is_idle |= due;
                due
            }
            Report::CheckDue => !self.is_stuck && self.is_executing && ages.is_check_due,
            Report::Unhealthy => {
                let due = !self.is_stuck && ages.activity == Age::Stuck;
                self.is_stuck |= due;
                due
            }
        }
    }

    /// Any activity. It tells whatever waited that the worker lives.
    pub fn active(&mut self) {
        let Self { is_executing, .. } = *self;
        *self = Self { is_executing, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::{Age, Ages, Flags, Report};

    const CALM: Flags =
        Flags { is_idle: false, is_stuck: false, inquiry_pending: false, is_executing: false };
    const BUSY: Flags = Flags { is_executing: true, ..CALM };

    fn reports(mut flags: Flags, activity: Age, is_check_due: bool) -> (Vec<Report>, Flags) {
        let ages = Ages { activity, is_check_due };
        let reports = Report::ALL.into_iter().filter(|report| flags.check(*report, ages)).collect();
        (reports, flags)
    }

    #[test]
    fn tick_reports_what_its_flags_do_not_suppress() {
        let idle = Flags { is_idle: true, ..CALM };
        let pending = Flags { inquiry_pending: true, ..CALM };
        let stuck = Flags { is_stuck: true, ..CALM };
        let busy_stuck = Flags { is_stuck: true, ..BUSY };
        #[rustfmt::skip]
        let cases = [
            ("nothing is due",                 CALM,       Age::Recent, false, vec![],                                   CALM),
            ("idle",                           CALM,       Age::Idle,   true,  vec![Report::Idle],                       idle),
            ("idle and stuck at once",         CALM,       Age::Stuck,  false, vec![Report::Idle, Report::Unhealthy],    Flags { is_stuck: true, ..idle }),
            ("once idle",                      idle,       Age::Idle,   false, vec![],                                   idle),
            ("a pending inquiry",              pending,    Age::Idle,   false, vec![],                                   pending),
            ("is no excuse for being stuck",   pending,    Age::Stuck,  false, vec![Report::Unhealthy],                  Flags { is_stuck: true, ..pending }),
            ("never idle while it executes",   BUSY,       Age::Idle,   false, vec![],                                   BUSY),
            ("a check while it executes",      BUSY,       Age::Recent, true,  vec![Report::CheckDue],                   BUSY),
            ("a check does not make it alive", BUSY,       Age::Stuck,  true,  vec![Report::CheckDue, Report::Unhealthy], busy_stuck),
            ("once stuck, nothing",            stuck,      Age::Stuck,  true,  vec![],                                   stuck),
            ("once stuck, no check",           busy_stuck, Age::Stuck,  true,  vec![],                                   busy_stuck),
        ];
        for (name, flags, activity, is_check_due, expected, after) in cases {
            assert_eq!(reports(flags, activity, is_check_due), (expected, after), "{name}");
        }
    }

    #[test]
    fn activity_clears_everything_but_the_execution() {
        let mut flags = Flags { is_idle: true, is_stuck: true, inquiry_pending: true, is_executing: true };
        flags.active();
        assert_eq!(flags, BUSY);
    }
}
