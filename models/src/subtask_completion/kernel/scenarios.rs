//! Which features the checked systems have, and how often.

use downbeat_sim::harness::{Bounds, Variant};

use super::KernelModel;

/// Which features one closed system has, and how often.
///
/// Each number is a budget of the environment: it is what keeps the system finite, and it is named in the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scenario {
    /// Tasks, the parent included: 1, 2, or 3. The second is a subtask of the first; the third is a subtask of
    /// either.
    pub tasks: u8,
    /// Messages that the user writes, to any live task.
    pub messages: u8,
    /// Times that the user cancels a task.
    pub cancels: u8,
    /// Times that the user pauses a task. Resuming is free.
    pub pauses: u8,
    /// Crashes of the process, at rest or between two effects.
    pub crashes: u8,
    /// Responses that call tools: two at once, or one that needs approval.
    pub tools: u8,
    /// Responses that ask a person: a question, or a completion that needs approval.
    pub questions: u8,
    /// Responses that mix what does not go together: two questions, a question and a subtask, a completion beside
    /// another call. Those with questions and tools are among those numbers too.
    pub mixed: u8,
    /// Responses without a call.
    pub texts: u8,
    /// Sends that break off, are refused for good, or are throttled, over all tasks; each turn has two attempts. Providers of
    /// three tasks do not throttle. What became of a send of before a crash nobody knows.
    pub failures: u8,
    /// Sends of which output goes out before they end, over all tasks.
    pub outputs: u8,
    /// Whether initialization may fail.
    pub bad_starts: bool,
    /// Whether every answer may come again, and every older one late.
    pub late: bool,
    /// Bills that one grant of the budget covers; 0 is no budget.
    pub budget: u8,
    /// Bills that come, and times of a grant that run out.
    pub bills: u8,
}

impl Scenario {
    /// Whether the scenario has what a property is about. What is left out here is checked by another scenario.
    pub(super) fn concerns(&self, property: &str) -> bool {
        let Self { tasks, messages, cancels, tools, questions, texts, budget, .. } = *self;
        match property {
            "S3" | "S4" | "S9" => tasks > 1,
            "S5" => messages > 0,
            "S6" => questions > 0 || texts > 1 || budget > 0,
            "S8" => tools > 0 || tasks > 1 || questions > 0,
            "S19" | "L2" => cancels > 0 || budget > 0,
            _ => true,
        }
    }
}

/// What there is more of in a deep search, by the names of the bounds.
pub type Deep = &'static [(&'static str, u64)];

/// The scenarios that `downbeat check` runs: name, what it is about, what it has, and what a deep search has.
///
/// One space with everything is too large to wait for. The first scenario is the main one; together they have each
/// feature beside each other one, which a test holds them to.
pub const SCENARIOS: &[(&str, &str, Scenario, Deep)] = &[
    (
        "kernel",
        "the kernel: a tree of three tasks, messages, cancel, pause, crash, retries, late answers",
        Scenario {
            tasks: 3,
            messages: 2,
            cancels: 1,
            pauses: 1,
            crashes: 1,
            tools: 0,
            questions: 0,
            mixed: 0,
            texts: 0,
            failures: 1,
            outputs: 0,
            bad_starts: false,
            late: true,
            budget: 0,
            bills: 0,
        },
        &[("pauses", 2), ("failures", 2)],
    ),
    (
        "kernel-calls",
        "the kernel: two tasks with tools, questions and text responses, nothing crashes",
        Scenario {
            tasks: 2,
            messages: 1,
            cancels: 2,
            pauses: 1,
            crashes: 0,
            tools: 1,
            questions: 1,
            mixed: 1,
            texts: 1,
            failures: 1,
            outputs: 0,
            bad_starts: false,
            late: true,
            budget: 0,
            bills: 0,
        },
        &[("messages", 2), ("outputs", 1)],
    ),
    (
        "kernel-tree",
        "the kernel: three tasks with tools, questions and text responses, where nothing fails",
        Scenario {
            tasks: 3,
            messages: 1,
            cancels: 1,
            pauses: 0,
            crashes: 0,
            tools: 1,
            questions: 1,
            mixed: 0,
            texts: 1,
            failures: 0,
            outputs: 0,
            bad_starts: false,
            late: true,
            budget: 0,
            bills: 0,
        },
        &[("messages", 2), ("cancels", 2)],
    ),
    (
        "kernel-restart",
        "the kernel: two tasks with everything but a pause, and a crash between any two effects",
        Scenario {
            tasks: 2,
            messages: 1,
            cancels: 1,
            pauses: 0,
            crashes: 1,
            tools: 1,
            questions: 1,
            mixed: 0,
            texts: 2,
            failures: 1,
            outputs: 0,
            bad_starts: true,
            late: true,
            budget: 0,
            bills: 0,
        },
        &[("messages", 2), ("pauses", 1)],
    ),
    (
        "kernel-alone",
        "the kernel: one task with everything, and every send may fail",
        Scenario {
            tasks: 1,
            messages: 2,
            cancels: 1,
            pauses: 1,
            crashes: 1,
            tools: 1,
            questions: 1,
            mixed: 1,
            texts: 2,
            failures: 9,
            outputs: 1,
            bad_starts: true,
            late: true,
            budget: 0,
            bills: 0,
        },
        &[("cancels", 2), ("outputs", 2)],
    ),
    (
        "kernel-retries",
        "the kernel: three tasks, and every send may fail",
        Scenario {
            tasks: 3,
            messages: 1,
            cancels: 1,
            pauses: 0,
            crashes: 0,
            tools: 0,
            questions: 0,
            mixed: 0,
            texts: 0,
            failures: 9,
            outputs: 1,
            bad_starts: true,
            late: true,
            budget: 0,
            bills: 0,
        },
        &[("messages", 2), ("pauses", 1)],
    ),
    (
        "kernel-budget",
        "the kernel: two tasks that draw on one budget, with bills, its time, a person's word, cancel, pause, and a crash",
        Scenario {
            tasks: 2,
            messages: 1,
            cancels: 1,
            pauses: 1,
            crashes: 1,
            tools: 0,
            questions: 0,
            mixed: 0,
            texts: 0,
            failures: 0,
            outputs: 0,
            bad_starts: false,
            late: true,
            budget: 1,
            bills: 3,
        },
        &[("failures", 1)],
    ),
];

/// The scenarios as variants.
pub fn variants() -> Vec<Variant> {
    let variants = SCENARIOS
        .iter()
        .map(|(name, about, scenario, deep)| variant(name, about, *scenario).deep(deep.iter().copied()));
    variants.collect()
}

/// A scenario whose numbers can be changed.
fn variant(name: &'static str, about: &'static str, scenario: Scenario) -> Variant {
    let small = |bounds: &Bounds, name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
    let build = move |bounds: &Bounds| {
        KernelModel::new(Scenario {
            tasks: small(bounds, "tasks"),
            messages: small(bounds, "messages"),
            cancels: small(bounds, "cancels"),
            pauses: small(bounds, "pauses"),
            crashes: small(bounds, "crashes"),
            tools: small(bounds, "tools"),
            questions: small(bounds, "questions"),
            mixed: small(bounds, "mixed"),
            texts: small(bounds, "texts"),
            failures: small(bounds, "failures"),
            outputs: small(bounds, "outputs"),
            bad_starts: bounds.get("bad-starts") == 1,
            late: bounds.get("late") == 1,
            budget: small(bounds, "budget"),
            bills: small(bounds, "bills"),
        })
    };
    Variant::new(name, about, build)
        .bound("tasks", scenario.tasks.into(), 1..=3, "tasks, the parent included")
        .bound("messages", scenario.messages.into(), 0..=2, "messages of the user")
        .bound("cancels", scenario.cancels.into(), 0..=2, "times that the user cancels a task")
        .bound("pauses", scenario.pauses.into(), 0..=2, "times that the user pauses a task")
        .bound("crashes", scenario.crashes.into(), 0..=2, "crashes, at rest or between two effects")
        .bound("tools", scenario.tools.into(), 0..=2, "responses that call tools")
        .bound("questions", scenario.questions.into(), 0..=2, "responses that ask a person")
        .bound("mixed", scenario.mixed.into(), 0..=2, "responses that mix what does not go together")
        .bound("texts", scenario.texts.into(), 0..=3, "responses without a call")
        .bound("failures", scenario.failures.into(), 0..=9, "sends that fail; a turn has two attempts")
        .bound("outputs", scenario.outputs.into(), 0..=9, "sends of which output goes out early")
        .bound("bad-starts", scenario.bad_starts.into(), 0..=1, "1: initialization may fail")
        .bound("late", scenario.late.into(), 0..=1, "1: every answer may come again, or late")
        .bound("budget", scenario.budget.into(), 0..=2, "bills that one grant covers, 0: no budget")
        .bound("bills", scenario.bills.into(), 0..=3, "bills, and times of a grant that run out")
}

#[cfg(test)]
mod tests {
    use super::{SCENARIOS, Scenario};

    #[test]
    fn scenarios_have_each_feature_beside_each_other_one() {
        type Feature = (&'static str, fn(&Scenario) -> bool);
        let features: [Feature; 12] = [
            ("three tasks", |s| s.tasks == 3),
            ("two messages", |s| s.messages == 2),
            ("a cancel", |s| s.cancels > 0),
            ("a pause", |s| s.pauses > 0),
            ("a crash", |s| s.crashes > 0),
            // No life in the scenarios has more sends than that.
            ("failure of every send", |s| s.failures == 9),
            ("output that goes out early", |s| s.outputs > 0),
            ("late answers", |s| s.late),
            ("tools", |s| s.tools > 0),
            ("questions", |s| s.questions > 0),
            ("texts", |s| s.texts > 0),
            ("bad starts", |s| s.bad_starts),
        ];
        for (a, has_a) in features {
            for (b, has_b) in features {
                let together = SCENARIOS.iter().any(|(_, _, scenario, _)| has_a(scenario) && has_b(scenario));
                assert!(together, "no scenario has {a} and {b}");
            }
        }
    }
}
