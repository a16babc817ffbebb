//! The presenter and the tools that it runs while the stream is still open.
//!
//! Abstractions: a plain tool is approved at once and runs for one `await`; a text block is shown for none.

use downbeat_sim::event_loop::{Await, Pid};

use super::Fix;
use super::process::{Ask, At, Block, Cause, FinishAt, Process, ToolAt};
use super::state::{BLOCKS, State};
use super::world::{USER, World, lane, name};
use crate::watch::{TASKS, TaskIndex};

const HANDED_UP: &str = "its result is pushed to the history";

impl State {
    /// The task that the next subtask will be.
    pub fn unborn(&self) -> Option<TaskIndex> {
        let known = |task: TaskIndex| self.watch.is_live(task) || self.watch.end_of(task).is_some();
        (1..).take(TASKS - 1).find(|&task| !known(task))
    }
}

impl World<'_> {
    /// A chunk completes a block: it goes to the buffer that all streams of the instance share.
    pub fn take_block(&mut self, task: TaskIndex, block: Block, call: u8) {
        let buffer = &mut self.task(task).buffer;
        match buffer.blocks.iter_mut().find(|entry| entry.is_none()) {
            Some(entry) => *entry = Some((block, call)),
            None => panic!("more than {BLOCKS} blocks in a buffer: the model needs a larger one (BLOCKS)"),
        }
        buffer.ready = false;
        // Text is partial until its stream ends.
        if block != Block::Text {
            self.present(task);
        }
    }

    /// The end of a stream, which completes its text.
    pub fn complete_stream(&mut self, task: TaskIndex) {
        let buffer = &mut self.task(task).buffer;
        buffer.complete = true;
        if let Some(Some((Block::Text, _))) = buffer.blocks.get(usize::from(buffer.index)) {
            self.present(task);
        }
    }

    /// `presentAssistantMessage`: one at a time; the loser leaves it to the winner to come back.
    fn present(&mut self, task: TaskIndex) {
        let buffer = &mut self.task(task).buffer;
        if buffer.locked {
            return;
        }
        let Some(Some((block, call))) = buffer.blocks.get(usize::from(buffer.index)).copied() else {
            // Out of bounds after the end of a stream means that everything was presented.
            buffer.ready |= buffer.complete;
            return;
        };
        if block == Block::Text {
            return self.complete_block(task);
        }
        if buffer.used {
            // One tool a message: the others get a refusal as their result.
            buffer.results |= 1 << call;
            return self.complete_block(task);
        }
        buffer.locked = true;
        self.run_tool(task, block, call);
    }

    /// The presenter is done with a block and goes to the next one, which it finds without having been told: a
    /// presenter that lost the lock meanwhile left it in the buffer.
    fn complete_block(&mut self, task: TaskIndex) {
        let buffer = &mut self.task(task).buffer;
        buffer.locked = false;
        let blocks = buffer.blocks.iter().flatten().count();
        if usize::from(buffer.index) + 1 == blocks {
            buffer.ready = true;
        }
        buffer.index += 1;
        if usize::from(buffer.index) < blocks {
            self.present(task);
        }
    }

    /// The first stretch of a tool.
    fn run_tool(&mut self, task: TaskIndex, block: Block, call: u8) {
        let pid = self.call();
        let generation = self.state.task(task).generation;
        let process = Process { task, generation, at: At::Tool { block, call, at: ToolAt::Running } };
        self.state.watch.tool_ran(task);
        match block {
            Block::Question => self.ask(pid, process, Ask::Followup),
            Block::Tool | Block::Subtask => self.suspend(pid, process, Await::External),
            Block::Completion => {
                self.tell(lane(task), USER, || "shows its result in green".to_owned());
                self.suspend(pid, process, Await::External);
            }
            Block::Text => unreachable!("text is shown, not run"),
        }
    }

    /// The stretch of a tool after its `await`.
    pub fn resume_tool(&mut self, pid: Pid, process: Process) {
        let At::Tool { block, call, at } = process.at else { unreachable!("{process:?} is no tool") };
        let next = |at| Process { at: At::Tool { block, call, at }, ..process };
        let task = process.task;
        match (at, block) {
            (ToolAt::Running, Block::Tool) => self.tool_done(pid, process, None),
            (ToolAt::Running, Block::Subtask) => self.create_child(pid, process),
            (ToolAt::Running, Block::Completion) => self.offer_result(pid, process),
            (ToolAt::Running, Block::Text | Block::Question) => unreachable!("{block:?} does not run"),
            (ToolAt::Created { child }, _) => {
                if let Some(instance) = self.own(&process) {
                    instance.paused = !instance.abort;
                    instance.child = Some(child);
                }
                self.tell(lane(task), lane(task), || format!("isPaused = true, waits for {}", name(child)));
                self.suspend(pid, next(ToolAt::Switching), Await::External);
            }
            (ToolAt::Switching, _) => self.tool_done(pid, process, None),
            (ToolAt::Asking { ask, .. }, _) => self.tool_answered(pid, process, ask),
            (ToolAt::Finishing(finish), _) => {
                if let Some(finish) = self.resume_finish(task, finish, true, HANDED_UP) {
                    return self.suspend(pid, next(ToolAt::Finishing(finish)), Await::External);
                }
                // The tool returns without a result. Whoever finished itself was popped and throws later on; if
                // another task was popped instead, this one goes on.
                if !self.state.is_aborted(&process) {
                    self.task(task).buffer.used = true;
                    self.complete_block(task);
                }
                self.state.processes.end(pid);
            }
            (ToolAt::Delegating { .. } | ToolAt::Loading | ToolAt::Recording | ToolAt::Reopening, _) => {
                self.resume_delegation(pid, process, at);
            }
        }
    }

    /// `startSubtask` after its preparations: the child starts itself.
    fn create_child(&mut self, pid: Pid, process: Process) {
        let At::Tool { block, call, .. } = process.at else { unreachable!("{process:?} is no tool") };
        let task = process.task;
        let Some(child) = self.state.unborn() else { return self.tool_done(pid, process, None) };
        self.state.watch.tool_ran(task);
        if self.config.fix == Fix::Delegation {
            return self.delegate(pid, process, child);
        }
        self.state.watch.started(child, Some(task));
        self.build(child, true);
        self.push(child);
        self.tell(lane(task), lane(child), || format!("creates {}, which starts", name(child)));
        let at = At::Tool { block, call, at: ToolAt::Created { child } };
        self.suspend(pid, Process { at, ..process }, Await::External);
        self.start_loop(child, true, Self::bare_content(Cause::Prompt));
    }

    /// `attempt_completion` after the green text.
    fn offer_result(&mut self, pid: Pid, process: Process) {
        if self.state.is_aborted(&process) {
            return self.state.processes.end(pid);
        }
        let linked = self.state.task(process.task).linked;
        self.ask(pid, process, if linked { Ask::Finish } else { Ask::Result });
    }

    fn tool_answered(&mut self, pid: Pid, process: Process, ask: Ask) {
        let At::Tool { block, call, .. } = process.at else { unreachable!("{process:?} is no tool") };
        let task = process.task;
        let Some(reply) = self.take_reply(&process) else {
            // A newer ask replaced this one; the tool reports that as its result.
            return self.tool_done(pid, process, None);
        };
        match ask {
            Ask::Finish if reply.yes => {
                if let Some(m) = reply.message {
                    self.state.watch.message_dropped(task, m);
                    self.tell(lane(task), lane(task), || {
                        format!("message {} counts as yes, its text is lost", m + 1)
                    });
                }
                let at = match self.config.fix {
                    Fix::Delegation => {
                        self.tell(lane(task), lane(task), || {
                            "approved: reads the history of its parent".to_owned()
                        });
                        ToolAt::Loading
                    }
                    Fix::None | Fix::Mutex | Fix::SkipIfRunning => {
                        self.finish_top(task);
                        ToolAt::Finishing(FinishAt::Popped)
                    }
                };
                let process = Process { at: At::Tool { block, call, at }, ..process };
                self.suspend(pid, process, Await::External);
            }
            Ask::Finish | Ask::Followup | Ask::Result => self.tool_done(pid, process, reply.message),
            Ask::Resume | Ask::Mistakes => unreachable!("a loop asks this, not a tool"),
        }
    }

    /// The result becomes part of `userMessageContent`, of whichever message that is by now.
    fn tool_done(&mut self, pid: Pid, process: Process, message: Option<u8>) {
        let At::Tool { call, .. } = process.at else { unreachable!("{process:?} is no tool") };
        let task = process.task;
        self.state.processes.end(pid);
        if self.state.is_aborted(&process) {
            if let Some(m) = message {
                self.state.watch.message_dropped(task, m);
            }
            return;
        }
        let buffer = &mut self.task(task).buffer;
        buffer.results |= 1 << call;
        buffer.message = message.or(buffer.message);
        buffer.used = true;
        self.tell(lane(task), lane(task), || "the tool has its result".to_owned());
        self.complete_block(task);
    }
}
