//! Since when each task has waited for what it waits for.

use crate::why::{Wait, Why, why};
use downbeat_kernel::{Kernel, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// What each task waits for, with the time of the line that began it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Since {
    tasks: BTreeMap<TaskId, Vec<(Wait, u64)>>,
}

impl Since {
    /// A line of that time was about these tasks. It may have begun subtasks of theirs, of which it says nothing where they are held.
    pub(crate) fn note(&mut self, kernel: &Kernel, tasks: impl IntoIterator<Item = TaskId>, at_ms: u64) {
        let mut all: BTreeSet<_> = tasks.into_iter().collect();
        let parents: Vec<_> = all.iter().filter_map(|task| kernel.task(*task)).collect();
        all.extend(parents.into_iter().flat_map(|task| task.data.calls.subtasks()));
        for task in all {
            match why(kernel, task) {
                Why::Waits(waits) => {
                    let before = self.tasks.remove(&task).unwrap_or_default();
                    let began = |wait: &Wait| before.iter().find(|(known, _)| known == wait);
                    let since = |wait: Wait| (wait, began(&wait).map_or(at_ms, |(_, since)| *since));
                    self.tasks.insert(task, waits.into_iter().map(since).collect());
                }
                Why::Unknown | Why::Forgotten | Why::Ended(_) => {
                    self.tasks.remove(&task);
                }
            }
        }
    }

    /// Since when a task has waited for that.
    pub(crate) fn of(&self, task: TaskId, wait: Wait) -> Option<u64> {
        self.tasks.get(&task)?.iter().find(|(known, _)| *known == wait).map(|(_, since)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{
        Approval, Attempt, Budget, Call, Config, Discard, Event, Outcome, RequestId, Response, TurnNumber,
    };

    #[test]
    fn wait_has_the_time_of_the_line_that_began_it_also_where_that_names_another_task() {
        let [parent, child] = [TaskId(1), TaskId(2)];
        let request = RequestId { task: parent, turn: TurnNumber(1), attempt: Attempt(0) };
        let calls = vec![Call::Tool(Approval::Granted), Call::Subtask { child }];
        let events = [
            Event::TaskSubmitted { task: parent, budget: Budget::default() },
            Event::Admitted { task: parent },
            Event::Initialized { task: parent },
            Event::PauseRequested { task: parent },
            Event::ResponseEnded { request, response: Response::Calls(calls), jitter_ms: 0 },
        ];
        let (mut kernel, mut since) = (Kernel::new(Config::default()), Since::default());
        for (event, at_ms) in events.into_iter().zip(100..) {
            assert_eq!(kernel.step(event, &mut Discard), Outcome::Applied);
            since.note(&kernel, [parent], at_ms);
        }
        #[rustfmt::skip]
        let cases = [
            ("a person resumes it", parent, Wait::Resume,                 Some(103)),
            ("a subtask",           parent, Wait::Subtask(child),         Some(104)),
            ("of the parent",       child,  Wait::ResumeOfParent(parent), Some(104)),
            ("what is over",        parent, Wait::Place,                  None),
        ];
        for (name, task, wait, expected) in cases {
            assert_eq!(since.of(task, wait), expected, "{name}");
        }
        assert_eq!(kernel.step(Event::ResumeRequested { task: parent }, &mut Discard), Outcome::Applied);
        since.note(&kernel, [parent], 105);
        assert_eq!(since.of(child, Wait::Place), Some(105), "it is in the queue");
    }
}
