//! The delegation that Roo-Code merged: one open task, a parent that is stored and closed, a child that reopens it.
//!
//! Starting a subtask closes the parent, opens the child, and writes into the parent's record that it awaits the
//! child; only then does the child start. An approved result is injected into the stored history of the parent, the
//! record is set active again, the child is closed and the parent is opened and goes on. Each of these writes is
//! an `await`, and the process may die at each. Nothing compares the awaited child of the record with the child
//! that comes back.

use downbeat_sim::event_loop::{Await, Pid};

use super::process::{At, Cause, Content, Process, ToolAt};
use super::world::{World, lane, name};
use crate::watch::{How, TaskIndex};

impl World<'_> {
    /// `delegateParentAndOpenChild` up to the write of the record.
    pub fn delegate(&mut self, pid: Pid, process: Process, child: TaskIndex) {
        let task = process.task;
        if let Some(popped) = self.pop() {
            self.abort(popped, true);
            self.task(popped).parked = popped != task;
        }
        self.state.watch.started(child, Some(task));
        self.build(child, true);
        self.push(child);
        self.tell(lane(task), lane(child), || format!("is closed; {} is opened", name(child)));
        self.go(pid, process, ToolAt::Delegating { child });
    }

    /// The steps after the writes.
    pub fn resume_delegation(&mut self, pid: Pid, process: Process, at: ToolAt) {
        let child = process.task;
        match at {
            ToolAt::Delegating { child } => {
                self.task(process.task).child = Some(child);
                self.tell(lane(process.task), lane(process.task), || {
                    format!("record: delegated, awaits {}", name(child))
                });
                self.state.processes.end(pid);
                if !self.state.task(child).abort {
                    self.tell(lane(child), lane(child), || "starts".to_owned());
                    self.start_loop(child, true, Self::bare_content(Cause::Prompt));
                }
            }
            ToolAt::Loading => {
                let Some(parent) = self.state.watch.parent_of(child) else {
                    return self.state.processes.end(pid);
                };
                let resume = self.new_turn(parent);
                self.task(parent).resume = resume;
                self.state.watch.subtask_ended(child);
                self.state.watch.subtask_result_given(child, parent, resume);
                self.tell(lane(child), lane(parent), || "its result is written to the history".to_owned());
                self.go(pid, process, ToolAt::Recording);
            }
            ToolAt::Recording => {
                let Some(parent) = self.state.watch.parent_of(child) else {
                    return self.state.processes.end(pid);
                };
                self.task(parent).child = None;
                self.state.watch.ended(child, How::Completed);
                self.tell(lane(child), lane(parent), || "record: active".to_owned());
                self.go(pid, process, ToolAt::Reopening);
            }
            ToolAt::Reopening => self.reopen(pid, process),
            ToolAt::Running
            | ToolAt::Created { .. }
            | ToolAt::Switching
            | ToolAt::Asking { .. }
            | ToolAt::Finishing(_) => unreachable!("{at:?} is no step of a delegation"),
        }
    }

    /// Closes what is open, opens the parent, and lets it go on.
    fn reopen(&mut self, pid: Pid, process: Process) {
        let child = process.task;
        self.state.processes.end(pid);
        let Some(parent) = self.state.watch.parent_of(child) else { return };
        if let Some(popped) = self.pop() {
            self.abort(popped, true);
            self.task(popped).parked = popped != child;
        }
        let linked = self.state.watch.parent_of(parent).is_some();
        self.build(parent, linked);
        let resume = self.state.task(parent).resume;
        self.push(parent);
        self.tell(lane(child), lane(parent), || "reopens it, and it goes on".to_owned());
        let calls = self.state.watch.open_calls(parent);
        let content = Content { turn: resume, calls, ..Self::bare_content(Cause::Subtask) };
        self.start_loop(parent, true, content);
    }

    fn go(&mut self, pid: Pid, process: Process, at: ToolAt) {
        let At::Tool { block, call, .. } = process.at else { unreachable!("{process:?} is no tool") };
        self.suspend(pid, Process { at: At::Tool { block, call, at }, ..process }, Await::External);
    }
}
