//! What the environment may still do, and what each act takes of it.

use super::Scenario;
use super::act::{Act, Said};

/// How often the environment may still do what, in one word: a number below 16 for each [`Budget`], and a free bit above
/// it, so that one subtraction tells whether all of them suffice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Left(u64);

/// What the environment has a bounded number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Budget {
    Messages,
    Cancels,
    Pauses,
    Crashes,
    Tools,
    Questions,
    Mixed,
    Texts,
    Failures,
    Outputs,
    Bills,
}

/// Bits for each budget, the free one included.
const BITS: u32 = 5;
/// The free bit of each budget.
const FREE: u64 = {
    let mut free = 0;
    let mut budget = 0;
    while budget <= Budget::Bills as u32 {
        free |= 1 << (budget * BITS + BITS - 1);
        budget += 1;
    }
    free
};

impl Left {
    /// Nothing.
    pub(super) const NOTHING: Self = Self(0);

    /// Everything that a scenario has.
    ///
    /// # Panics
    /// It has 16 of something.
    pub(super) fn all(scenario: &Scenario) -> Self {
        let Scenario {
            messages,
            cancels,
            pauses,
            crashes,
            tools,
            questions,
            mixed,
            texts,
            failures,
            outputs,
            bills,
            ..
        } = *scenario;
        let of = |budget: Budget, times: u8| {
            assert!(times < 1 << (BITS - 1), "{times} {budget:?} are more than a state can count");
            u64::from(times) << (budget as u32 * BITS)
        };
        Self(
            of(Budget::Messages, messages)
                | of(Budget::Cancels, cancels)
                | of(Budget::Pauses, pauses)
                | of(Budget::Crashes, crashes)
                | of(Budget::Tools, tools)
                | of(Budget::Questions, questions)
                | of(Budget::Mixed, mixed)
                | of(Budget::Texts, texts)
                | of(Budget::Failures, failures)
                | of(Budget::Outputs, outputs)
                | of(Budget::Bills, bills),
        )
    }

    /// All of it in the lower 55 bits.
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    /// What has these [`Self::bits`].
    pub(super) const fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// One of each.
    pub(super) const fn one_of(budgets: &[Budget]) -> Self {
        let mut one = 0;
        let mut at = 0;
        while at < budgets.len() {
            one += 1 << (budgets[at] as u32 * BITS);
            at += 1;
        }
        Self(one)
    }

    /// Whether as much is left as `cost`.
    pub(super) const fn covers(self, cost: Self) -> bool {
        ((self.0 | FREE) - cost.0) & FREE == FREE
    }

    /// What is left after `cost`, which has to be covered.
    #[must_use]
    pub(super) const fn without(self, cost: Self) -> Self {
        Self(self.0 - cost.0)
    }
}

impl Act {
    /// What the act takes of the budgets if the kernel applies it.
    pub(super) fn cost(self) -> Left {
        use Budget::{
            Bills, Cancels, Crashes, Failures, Messages, Mixed, Outputs, Pauses, Questions, Texts, Tools,
        };
        Left::one_of(match self {
            Self::Write { .. } => &[Messages],
            Self::Cancel { .. } => &[Cancels],
            Self::Pause { .. } => &[Pauses],
            Self::Crash => &[Crashes],
            Self::Fail { .. } => &[Failures],
            Self::Deliver { .. } => &[Outputs],
            Self::Bill { .. } | Self::BudgetTime { .. } => &[Bills],
            Self::Respond { said, .. } => match said {
                Said::Completion | Said::Subtask | Said::TwoSubtasks => &[],
                Said::CompletionToApprove | Said::Question => &[Questions],
                Said::TwoTools | Said::SubtaskAndTool => &[Tools],
                Said::ToolToApprove => &[Tools, Questions],
                Said::TwoQuestions | Said::QuestionAndSubtask => &[Mixed, Questions],
                Said::CompletionAndTool => &[Mixed, Tools],
                Said::CompletionAndSubtask => &[Mixed],
                Said::Text => &[Texts],
                Said::Empty => &[Failures],
            },
            Self::Admit { .. }
            | Self::Initialize { .. }
            | Self::StopStart { .. }
            | Self::Stop { .. }
            | Self::LateResponse { .. }
            | Self::ToolEnds { .. }
            | Self::StopTool { .. }
            | Self::LateTool { .. }
            | Self::Answer { .. }
            | Self::LateAnswer { .. }
            | Self::WriteAgain { .. }
            | Self::WriteAhead { .. }
            | Self::Resume { .. }
            | Self::Backoff { .. }
            | Self::Grace { .. }
            | Self::StreamGrace { .. }
            | Self::Lost { .. }
            | Self::LateSubmit { .. }
            | Self::LateAcknowledge { .. }
            | Self::LateCancel { .. }
            | Self::LateAdmit { .. }
            | Self::LateInitialize { .. }
            | Self::LateGrace { .. }
            | Self::LateBackoff { .. }
            | Self::LateBill { .. }
            | Self::LateBudgetTime { .. }
            | Self::Acknowledge { .. } => &[],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_covered_exactly_while_each_of_its_budgets_lasts() {
        let scenario = Scenario { messages: 2, tools: 1, failures: 9, ..Scenario::default() };
        let (message, both) =
            (Left::one_of(&[Budget::Messages]), Left::one_of(&[Budget::Tools, Budget::Failures]));
        let all = Left::all(&scenario);
        let cases = [
            ("two messages", all.without(message), message, true),
            ("no third one", all.without(message).without(message), message, false),
            ("a tool and a failure", all, both, true),
            ("no second tool", all.without(both), both, false),
            ("nothing of what there is not", all, Left::one_of(&[Budget::Texts]), false),
            ("nothing needs nothing", Left::NOTHING, Left::NOTHING, true),
        ];
        for (name, left, cost, covered) in cases {
            assert_eq!(left.covers(cost), covered, "{name}");
        }
    }
}
