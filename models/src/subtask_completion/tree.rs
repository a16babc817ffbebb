//! What moves tasks: finishing a subtask, the X, cancel, and rebuilding from the history.

use downbeat_sim::event_loop::{Await, Pid};

use super::Fix;
use super::process::{Ask, At, Cause, Content, FinishAt, LoopAt, Process, UNNUMBERED};
use super::state::STACK;
use super::world::{USER, World, lane, name};
use crate::watch::{How, TASKS, TaskIndex};

impl World<'_> {
    /// The first stretch of `finishSubTask`, called by `child`: pops the top of the stack, whatever it is.
    pub fn finish_top(&mut self, child: TaskIndex) {
        self.state.watch.ended(child, How::Completed);
        self.state.watch.subtask_ended(child);
        let popped = self.pop();
        self.tell(lane(child), lane(child), || match popped {
            Some(popped) if popped != child => format!("finishSubTask pops {} (the top)", name(popped)),
            Some(_) => "finishSubTask pops it off the stack".to_owned(),
            None => "finishSubTask finds no open task".to_owned(),
        });
        if let Some(popped) = popped {
            if popped != child {
                self.state.watch.ended(popped, How::Failed);
                self.state.watch.subtask_ended(popped);
            }
            self.abort(popped, true);
        }
    }

    /// The X, or "start new task" on a result: `finishSubTask` with the text "canceled".
    pub fn close_top(&mut self, how: How) {
        let Some(top) = self.pop() else { return };
        self.state.watch.ended(top, how);
        self.state.watch.subtask_ended(top);
        self.abort(top, true);
        if self.config.fix == Fix::Delegation {
            // Without an instance of the parent in memory there is nothing to continue.
            return;
        }
        let pid = self.call();
        let at = At::Close { with_result: how == How::Cancelled, at: FinishAt::Popped };
        let process = Process { task: top, generation: self.state.task(top).generation, at };
        self.suspend(pid, process, Await::External);
    }

    /// The X after its `await`.
    pub fn resume_close(&mut self, pid: Pid, process: Process) {
        let At::Close { with_result, at } = process.at else { unreachable!("{process:?} is no close") };
        let text = if with_result {
            "its end is pushed to the history"
        } else {
            "pushes \"canceled\", not its result"
        };
        match self.resume_finish(process.task, at, with_result, text) {
            Some(at) => {
                let at = At::Close { with_result, at };
                self.suspend(pid, Process { at, ..process }, Await::External);
            }
            None => self.state.processes.end(pid),
        }
    }

    /// `continueParentTask` and `completeSubtask`. `None` when it is over.
    pub fn resume_finish(
        &mut self,
        child: TaskIndex,
        at: FinishAt,
        with_result: bool,
        text: &'static str,
    ) -> Option<FinishAt> {
        match at {
            FinishAt::Popped => {
                let to = self.state.top()?;
                let resume = self.new_turn(to);
                let instance = self.task(to);
                instance.paused = false;
                instance.resume = resume;
                let (generation, abort) = (instance.generation, instance.abort);
                self.tell(lane(child), lane(to), || "completeSubtask: isPaused = false".to_owned());
                // Showing the result throws on an aborted instance.
                (!abort).then_some(FinishAt::Telling { to, generation })
            }
            FinishAt::Telling { to, generation } => {
                let instance = self.state.task(to);
                if instance.generation != generation {
                    return None;
                }
                let resume = instance.resume;
                if with_result {
                    self.state.watch.subtask_result_given(child, to, resume);
                }
                self.tell(lane(child), lane(to), || text.to_owned());
                Some(FinishAt::Continuing { to, generation })
            }
            FinishAt::Continuing { to, generation } => {
                let instance = self.state.task(to);
                if instance.generation != generation {
                    return None;
                }
                let (paused, resume) = (instance.paused, instance.resume);
                if paused {
                    self.tell(lane(to), lane(to), || "continueParentTask: it is paused again".to_owned());
                } else {
                    self.tell(lane(to), lane(to), || "continueParentTask starts a second loop".to_owned());
                    let content = Content { turn: resume, ..Self::bare_content(Cause::Subtask) };
                    self.start_loop(to, false, content);
                }
                None
            }
        }
    }

    /// `cancelTask`: aborts now, and rebuilds the task when its stream is over or three seconds have passed.
    pub fn cancel_top(&mut self) {
        let Some(top) = self.state.top() else { return };
        self.state.watch.cancel_requested(top);
        let linked = self.state.task(top).linked;
        let generation = self.state.task(top).generation;
        self.abort(top, false);
        let pid = self.call();
        let process = Process { task: top, generation, at: At::Rebuild { linked } };
        self.suspend(pid, process, Await::External);
    }

    /// Opens a task from the history: closes what is open, and builds a new instance.
    pub fn open(&mut self, task: TaskIndex) {
        if let Some(top) = self.pop() {
            self.abort(top, true);
            self.task(top).parked = true;
        }
        let linked = self.knows_parent_by_record(task);
        self.rebuild(task, linked);
    }

    /// Whether a new instance of the task finds its parent without a link between instances.
    pub fn knows_parent_by_record(&self, task: TaskIndex) -> bool {
        self.config.fix == Fix::Delegation && self.state.watch.parent_of(task).is_some()
    }

    /// `createTaskWithHistoryItem` after its `await`s.
    pub fn resume_rebuild(&mut self, pid: Pid, process: Process) {
        let At::Rebuild { linked } = process.at else { unreachable!("{process:?} is no rebuild") };
        let task = process.task;
        self.state.processes.end(pid);
        if let Some(popped) = self.pop() {
            if popped != task {
                self.tell(lane(task), lane(popped), || format!("pops {} (the top)", name(popped)));
                self.state.watch.ended(popped, How::Failed);
                self.state.watch.subtask_ended(popped);
            }
            self.abort(popped, true);
        }
        self.rebuild(task, linked);
    }

    fn rebuild(&mut self, task: TaskIndex, linked: bool) {
        self.build(task, linked);
        self.push(task);
        let alone = if linked || task == 0 { "" } else { ", without its parent" };
        self.tell(lane(task), lane(task), || format!("is rebuilt from its history{alone}"));
        let pid = self.call();
        // Calls without a result in the history get "interrupted" as theirs.
        let calls = self.state.watch.open_calls(task);
        let content = Content { cause: Cause::Resume, turn: UNNUMBERED, attempt: 0, calls, message: None };
        let at = At::Loop { main: true, depth: 0, content, at: LoopAt::Announcing };
        let process = Process { task, generation: self.state.task(task).generation, at };
        self.ask(pid, process, Ask::Resume);
    }

    /// The process dies and starts again: what was in memory is gone.
    pub fn crash(&mut self) {
        for task in (0..).take(TASKS).filter(|&task| self.state.watch.is_live(task)).collect::<Vec<_>>() {
            let open = self.state.stack.contains(&Some(task));
            self.abort(task, true);
            // A parent whose record says that it was delegated is not waiting to be opened by a person.
            let instance = self.task(task);
            instance.parked |= open || instance.child.is_none();
        }
        let pids: Vec<Pid> = self.state.processes.suspended().map(|(pid, _, _)| pid).collect();
        for pid in pids {
            self.state.processes.forget(pid);
        }
        self.state.stack = [None; STACK];
        self.state.click = None;
        self.state.watch.crashed(false, true);
        self.tell(USER, USER, || "the process crashes and starts again".to_owned());
    }
}
