//! The system: the monitor with its clock, the worker as far as the monitor can see it, and what is true of both.

use downbeat_sim::kinds::Kinds;
use downbeat_sim::pack::Pack;

use super::monitor::{Ages, Flags};

/// The most that any budget of the environment can be.
pub const BUDGET_MAX: u8 = 2;
/// The highest threshold of errors and of equal tool calls: that of the code.
pub const THRESHOLD_MAX: u8 = 5;

/// What a turn is begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub enum Prompt {
    /// The instructions that the worker was deployed with.
    Job,
    /// What a person wrote.
    Message,
    /// The question of the monitor whether the worker is done.
    Inquiry,
    /// The question of a progress check.
    Question,
    /// What its children reported.
    Updates,
}

/// What a turn is in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub enum Turn {
    /// It goes on and will end if it is let.
    Works,
    /// It calls the same tool for ever.
    Loops,
    /// It will never say anything again; an abort ends it.
    Hangs,
    /// It will never say anything again, and no abort reaches it: no request was handed over yet.
    Deaf,
}

/// Where the executor loop stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub enum Worker {
    /// Its model is being selected.
    Starting,
    /// It waits for a message.
    Waiting,
    /// Its wait was resolved: a microtask continues it.
    Resumed(Prompt),
    /// It is inside of execute.
    Executing(Prompt, Turn),
    /// Its turn was aborted: a microtask continues it.
    Stopping,
}

/// What became of the instructions of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub enum Job {
    /// They are not carried out yet.
    Open,
    /// A progress check stopped the turn that carried them out.
    Stopped,
    /// They are carried out, or a person stopped them.
    Settled,
}

/// Whether a person holds the worker (S13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub enum Hold {
    /// Nobody does.
    None,
    /// A person stopped it.
    Stopped,
    /// A person stopped it, and has written since; the turn of that message ends the hold. What was written before is
    /// overwritten or over, so that a message that begins a turn is this one.
    Written,
}

impl Hold {
    /// Whether a turn with that prompt is what the person wants.
    pub fn admits(self, prompt: Prompt) -> bool {
        match self {
            Self::None => true,
            Self::Stopped => false,
            Self::Written => prompt == Prompt::Message,
        }
    }
}

/// The two counts of activities in a row that the monitor reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub struct Streaks {
    /// Errors since the last success.
    #[pack(max = THRESHOLD_MAX)]
    pub errors: u8,
    /// The last tool.
    pub tool: Tool,
    /// Calls of it in a row.
    #[pack(max = THRESHOLD_MAX)]
    pub equal: u8,
}

/// The name of a tool, which is all that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub enum Tool {
    /// One.
    Read,
    /// Another.
    Edit,
}

/// How often the environment may still do what is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub struct Left {
    /// Messages of a person.
    #[pack(max = BUDGET_MAX)]
    pub messages: u8,
    /// Stops by a person.
    #[pack(max = BUDGET_MAX)]
    pub stops: u8,
    /// Updates by children.
    #[pack(max = BUDGET_MAX)]
    pub updates: u8,
    /// Removals of the record of the task.
    #[pack(max = BUDGET_MAX)]
    pub removals: u8,
    /// Turns that go wrong.
    #[pack(max = BUDGET_MAX)]
    pub hangs: u8,
}

/// One global state.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
pub struct State {
    /// The flags of the monitor.
    pub flags: Flags,
    /// What the next tick will read of the clock.
    pub ages: Ages,
    /// Whether a progress check was sent since the last activity.
    pub is_checked: bool,
    /// What is counted.
    pub streaks: Streaks,
    /// The executor loop.
    pub worker: Worker,
    /// Whether the status of the worker is running; otherwise idle.
    pub is_running: bool,
    /// The one message that is kept for a worker that does not wait.
    pub slot: Option<Prompt>,
    /// Updates of children that are not sent yet.
    #[pack(max = BUDGET_MAX)]
    pub updates: u8,
    /// Whether the record of the task is gone.
    pub is_record_gone: bool,
    /// In truth: what became of the instructions.
    pub job: Job,
    /// In truth: whether a person holds the worker.
    pub hold: Hold,
    /// In truth: an inquiry was answered, and nobody else has sent anything since.
    pub is_answered: bool,
    /// What may still happen.
    pub left: Left,
}

impl State {
    /// Whether the worker is in a turn that will not end by itself.
    pub fn is_unhealthy(&self) -> bool {
        match self.worker {
            Worker::Executing(_, Turn::Loops | Turn::Hangs | Turn::Deaf) => true,
            Worker::Starting
            | Worker::Waiting
            | Worker::Resumed(_)
            | Worker::Executing(_, Turn::Works)
            | Worker::Stopping => false,
        }
    }

    /// The prompt of the turn that is under way.
    pub fn turn(&self) -> Option<Prompt> {
        match self.worker {
            Worker::Executing(prompt, _) => Some(prompt),
            Worker::Starting | Worker::Waiting | Worker::Resumed(_) | Worker::Stopping => None,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// The continuation of the executor loop runs.
    Microtask,
    /// The periodic check of the monitor.
    Tick,
    /// The last activity is now longer ago than the idle time.
    IdleDue,
    /// The last activity is now longer ago than the stuck time.
    StuckDue,
    /// The last progress check is now longer ago than the interval.
    ProgressDue,
    /// The model of the worker is selected.
    Select,
    /// The turn calls a tool, which succeeds.
    Call(Tool),
    /// A tool of the turn fails.
    Fail,
    /// The turn ends with a result.
    Finish,
    /// From now on the turn will not end by itself.
    Hang(Turn),
    /// A child reports to this worker.
    Update,
    /// A person writes to the worker.
    Write,
    /// A person stops the worker.
    Stop,
    /// The record of the task is removed.
    Remove,
}

#[cfg(test)]
mod tests {
    use super::{Hold, Prompt};

    #[test]
    fn stopped_worker_admits_a_message_that_was_written_after_the_stop() {
        #[rustfmt::skip]
        let cases = [
            ("nobody holds it",         Hold::None,    Prompt::Inquiry,  true),
            ("written before the stop", Hold::Stopped, Prompt::Message,  false),
            ("the monitor asks",        Hold::Stopped, Prompt::Inquiry,  false),
            ("written after the stop",  Hold::Written, Prompt::Message,  true),
            ("its instructions",        Hold::Written, Prompt::Job,      false),
            ("the monitor asks first",  Hold::Written, Prompt::Inquiry,  false),
            ("a check asks first",      Hold::Written, Prompt::Question, false),
            ("a child is first",        Hold::Written, Prompt::Updates,  false),
        ];
        for (name, hold, prompt, expected) in cases {
            assert_eq!(hold.admits(prompt), expected, "{name}");
        }
    }
}
