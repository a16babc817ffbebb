//! `initiateTaskLoop` and `recursivelyMakeClineRequests`, await by await.
//!
//! Abstractions: announcing a request and gathering the environment are one `await`, because nothing shared is
//! touched between them. A response is one block of text or
//! of one tool, or nothing; its chunks before the block is complete are not told apart. A request ends for the
//! outside world when nobody reads its content any more; draining the rest for its usage is not counted.

use downbeat_sim::event_loop::{Await, Pid};

use super::Fix;
use super::actions::Answer;
use super::process::{Ask, At, Block, Cause, Content, LoopAt, Process, UNNUMBERED};
use super::world::{MODEL, World, lane};

/// How diagrams call a loop.
pub fn title(main: bool) -> &'static str {
    if main { "main loop" } else { "continuation" }
}

/// How diagrams call what asks for a send.
pub fn occasion(content: &Content) -> String {
    let turn = content.turn;
    match content.cause {
        Cause::Prompt => "first prompt".to_owned(),
        Cause::Subtask => "after the subtask".to_owned(),
        Cause::Results => format!("tool results, turn {turn}"),
        Cause::Reminder => format!("reminder, turn {turn}"),
        Cause::Resume => format!("resumed, turn {turn}"),
    }
}

/// The locals of a loop, taken out of its process.
#[derive(Clone, Copy)]
struct Frame {
    main: bool,
    depth: u8,
    content: Content,
}

impl Frame {
    fn of(process: &Process) -> (Self, LoopAt) {
        match process.at {
            At::Loop { main, depth, content, at } => (Self { main, depth, content }, at),
            At::Tool { .. } | At::Close { .. } | At::Rebuild { .. } => unreachable!("{process:?} is no loop"),
        }
    }

    fn at(self, process: Process, at: LoopAt) -> Process {
        let Self { main, depth, content } = self;
        Process { at: At::Loop { main, depth, content, at }, ..process }
    }
}

impl World<'_> {
    /// A call of the body: what the fixes do before it, then its first stretch.
    pub fn enter(&mut self, pid: Pid, process: Process) {
        let (frame, _) = Frame::of(&process);
        let lane = lane(process.task);
        // The lock and the flag of an aborted instance matter no more: whoever gets there throws.
        let taken = self.state.task(process.task).busy && !self.state.is_aborted(&process);
        match self.config.fix {
            Fix::None | Fix::Delegation => {}
            Fix::Mutex if taken => {
                self.tell(lane, lane, || format!("{} waits for the lock", title(frame.main)));
                let process = frame.at(process, LoopAt::Acquiring);
                return self.suspend(pid, process, Await::Signal(process.task));
            }
            Fix::SkipIfRunning if taken => {
                if let Some(m) = frame.content.message {
                    self.state.watch.message_dropped(process.task, m);
                }
                self.tell(lane, lane, || format!("{} is refused: one is running", title(frame.main)));
                return self.hand_down(pid, process, frame, false);
            }
            Fix::Mutex | Fix::SkipIfRunning => {
                if !self.state.is_aborted(&process) {
                    self.task(process.task).busy = true;
                    if self.config.fix == Fix::Mutex {
                        self.tell(lane, lane, || format!("{} takes the lock", title(frame.main)));
                    }
                }
            }
        }
        self.item(pid, process);
    }

    /// Steps 1 to 4 for what comes next.
    fn item(&mut self, pid: Pid, process: Process) {
        if self.state.is_aborted(&process) {
            return self.throw(pid, process);
        }
        if self.state.task(process.task).mistakes >= self.config.mistake_limit {
            return self.ask(pid, process, Ask::Mistakes);
        }
        self.announce(pid, process);
    }

    fn announce(&mut self, pid: Pid, process: Process) {
        let (frame, _) = Frame::of(&process);
        if self.state.task(process.task).paused {
            self.tell(lane(process.task), lane(process.task), || {
                format!("{} waits: isPaused is true", title(frame.main))
            });
            return self.suspend(pid, frame.at(process, LoopAt::Paused), Await::External);
        }
        self.suspend(pid, frame.at(process, LoopAt::Announcing), Await::External);
    }

    /// The stretch of a loop after its `await`. `answer` is what came from the provider.
    pub fn resume_loop(&mut self, pid: Pid, process: Process, answer: Option<Answer>) {
        let (mut frame, at) = Frame::of(&process);
        let task = process.task;
        match at {
            LoopAt::Acquiring => {
                self.tell(lane(task), lane(task), || format!("{} gets the lock", title(frame.main)));
                self.item(pid, process);
            }
            LoopAt::Asking { ask, .. } => self.answered(pid, process, ask),
            LoopAt::Paused => {
                frame.content.turn = self.state.task(task).resume;
                self.tell(lane(task), lane(task), || {
                    format!("{} wakes: isPaused is false", title(frame.main))
                });
                self.suspend(pid, frame.at(process, LoopAt::Announcing), Await::External);
            }
            LoopAt::Announcing => {
                if frame.content.turn == UNNUMBERED {
                    frame.content.turn = self.new_turn(task);
                }
                self.push_content(process, frame);
                // What a loop that was paused pushes is its own; why it sends is the end of the subtask.
                if frame.content.turn != 0 && frame.content.turn == self.state.task(task).resume {
                    frame.content.cause = Cause::Subtask;
                }
                self.suspend(pid, frame.at(process, LoopAt::Pushing), Await::External);
            }
            LoopAt::Pushing => {
                if let Some(instance) = self.own(&process) {
                    instance.buffer = super::state::EMPTY;
                }
                self.tell(lane(task), lane(task), || {
                    format!("{} resets the streaming buffer", title(frame.main))
                });
                self.suspend(pid, frame.at(process, LoopAt::Prompting), Await::External);
            }
            LoopAt::Prompting => self.send(pid, process, frame),
            LoopAt::BackingOff => {
                frame.content.attempt += 1;
                self.send(pid, process, frame);
            }
            LoopAt::Streaming { begun } => match answer {
                Some(answer) => self.streamed(pid, process, frame, answer, begun),
                None => unreachable!("a stream ends by an answer of its provider"),
            },
            LoopAt::Collecting => self.collect(pid, process, frame),
            LoopAt::Returning { end } if frame.depth > 0 => {
                frame.depth -= 1;
                self.give_back(pid, process, frame, end);
            }
            LoopAt::Returning { end } => self.returned(pid, process, frame, end),
        }
    }

    /// Steps 2 and the resumption of a rebuilt task: the ask has its response.
    fn answered(&mut self, pid: Pid, process: Process, ask: Ask) {
        let (mut frame, _) = Frame::of(&process);
        let Some(reply) = self.take_reply(&process) else { return self.throw(pid, process) };
        let task = process.task;
        frame.content.message = reply.message.or(frame.content.message);
        let process = frame.at(process, LoopAt::Announcing);
        match ask {
            Ask::Resume => {
                self.state.watch.cancel_withdrawn(task);
                self.tell(lane(task), lane(task), || "resumes from its history".to_owned());
                self.enter(pid, process);
            }
            Ask::Mistakes => {
                self.task(task).mistakes = 0;
                self.announce(pid, process);
            }
            Ask::Followup | Ask::Finish | Ask::Result => unreachable!("a tool asks this, not a loop"),
        }
    }

    /// Step 5: the user message becomes part of the history.
    fn push_content(&mut self, process: Process, frame: Frame) {
        let task = process.task;
        let Frame { main, content, .. } = frame;
        for call in (0..8).filter(|call| content.calls & (1 << call) != 0) {
            self.state.watch.call_result_given(task, call);
        }
        if let Some(m) = content.message {
            self.state.watch.message_given(task, m, content.turn);
        }
        self.tell(lane(task), lane(task), || {
            let what = match (content.message, content.calls, content.cause) {
                (Some(m), _, _) => format!("message {}", m + 1),
                (None, 1.., _) => "tool results".to_owned(),
                (None, 0, Cause::Prompt) => "the first prompt".to_owned(),
                (None, 0, Cause::Reminder) => "a reminder to use a tool".to_owned(),
                (None, 0, Cause::Subtask | Cause::Results) => "an empty message".to_owned(),
                (None, 0, Cause::Resume) => "a note of the interruption".to_owned(),
            };
            format!("{} pushes {what} to the history", title(main))
        });
    }

    /// Step 7: the request goes out, whatever became of the task since step 1.
    fn send(&mut self, pid: Pid, process: Process, frame: Frame) {
        let task = process.task;
        let Content { turn, attempt, .. } = frame.content;
        self.state.watch.request_sent(task, turn, attempt);
        self.tell(lane(task), MODEL, || {
            let again = if attempt > 0 { ", again" } else { "" };
            format!("{} sends its request: {}{again}", title(frame.main), occasion(&frame.content))
        });
        self.suspend(pid, frame.at(process, LoopAt::Streaming { begun: false }), Await::External);
    }

    fn streamed(&mut self, pid: Pid, process: Process, frame: Frame, answer: Answer, begun: bool) {
        let task = process.task;
        let turn = frame.content.turn;
        let aborted = self.state.is_aborted(&process);
        self.tell(MODEL, lane(task), || format!("{} ({})", answer.words(), title(frame.main)));
        match answer {
            Answer::Throttle => {
                self.state.watch.request_ended(task);
                self.suspend(pid, frame.at(process, LoopAt::BackingOff), Await::External);
            }
            Answer::Empty => {
                self.state.watch.request_ended(task);
                self.state.watch.turn_answered(task, turn);
                if aborted {
                    return self.throw(pid, process);
                }
                self.give_back(pid, process, frame, false);
            }
            Answer::Fails => {
                self.state.watch.request_ended(task);
                self.give_back(pid, process, frame, true);
            }
            Answer::Begins(_) if aborted => {
                self.state.watch.request_ended(task);
                self.throw(pid, process);
            }
            Answer::Begins(block) => {
                let call = if block == Block::Text { 0 } else { self.new_call(task) };
                if block != Block::Text {
                    self.state.watch.call_made(task, call);
                }
                self.suspend(pid, frame.at(process, LoopAt::Streaming { begun: true }), Await::External);
                self.take_block(task, block, call);
            }
            Answer::Ends => {
                self.state.watch.request_ended(task);
                debug_assert!(begun, "a stream ends after it began");
                if aborted {
                    return self.throw(pid, process);
                }
                self.state.watch.turn_answered(task, turn);
                self.complete_stream(task);
                self.suspend(pid, frame.at(process, LoopAt::Collecting), Await::External);
            }
            Answer::Breaks => {
                self.state.watch.request_ended(task);
                let abandoned = self.own(&process).is_none_or(|instance| instance.abandoned);
                if abandoned {
                    return self.throw(pid, process);
                }
                self.leave(process);
                self.abort(task, false);
                self.tell(lane(task), lane(task), || "the stream broke: aborts, will be rebuilt".to_owned());
                // The history item that the rebuild reads has no link to the instance of the parent; a record of
                // the parent's id, as delegation has it, survives.
                let linked = self.knows_parent_by_record(task);
                self.suspend(pid, Process { at: At::Rebuild { linked }, ..process }, Await::External);
            }
        }
    }

    /// Step 9: what comes next is made of the results that are in the buffer now.
    fn collect(&mut self, pid: Pid, process: Process, mut frame: Frame) {
        let task = process.task;
        let buffer = self.state.task(task).buffer;
        let turn = match buffer.copied {
            Some(turn) => turn,
            None => self.new_turn(task),
        };
        let limit = self.config.mistake_limit;
        let instance = self.task(task);
        instance.buffer.copied = Some(turn);
        let only_text = buffer.blocks.iter().flatten().all(|(block, _)| *block == Block::Text);
        if only_text {
            instance.mistakes = (instance.mistakes + 1).min(limit);
        }
        let cause = if only_text { Cause::Reminder } else { Cause::Results };
        frame.content = Content { cause, turn, attempt: 0, calls: buffer.results, message: buffer.message };
        self.tell(lane(task), lane(task), || format!("{} takes a copy of the results", title(frame.main)));
        if self.recurses() {
            frame.depth += 1;
            self.enter(pid, frame.at(process, LoopAt::Announcing));
        } else {
            self.item(pid, frame.at(process, LoopAt::Announcing));
        }
    }

    /// A return of the body from the frame at `frame.depth`.
    fn give_back(&mut self, pid: Pid, process: Process, frame: Frame, end: bool) {
        if frame.depth == 0 {
            self.leave(process);
        }
        self.hand_down(pid, process, frame, end);
    }

    /// The caller of the body goes on with its result. Each frame of the recursion, and `initiateTaskLoop` in the
    /// end, continues in a microtask of its own.
    fn hand_down(&mut self, pid: Pid, process: Process, frame: Frame, end: bool) {
        self.suspend(pid, frame.at(process, LoopAt::Returning { end }), Await::Resolved);
    }

    /// What `initiateTaskLoop` does with a result. A continuation has no caller that would look at it.
    fn returned(&mut self, pid: Pid, process: Process, mut frame: Frame, end: bool) {
        let task = process.task;
        if !frame.main || end || self.state.is_aborted(&process) {
            self.tell(lane(task), lane(task), || format!("{} ends", title(frame.main)));
            return self.state.processes.end(pid);
        }
        let limit = self.config.mistake_limit;
        let instance = self.task(task);
        instance.mistakes = (instance.mistakes + 1).min(limit);
        frame.content = Self::bare_content(Cause::Reminder);
        self.tell(lane(task), lane(task), || "main loop reads `false` as: no tools used".to_owned());
        self.enter(pid, frame.at(process, LoopAt::Announcing));
    }

    /// An exception of the body: the loop is over, and what it did not push yet is lost.
    fn throw(&mut self, pid: Pid, process: Process) {
        let (frame, at) = Frame::of(&process);
        let unpushed = matches!(at, LoopAt::Announcing | LoopAt::Asking { .. } | LoopAt::Acquiring);
        if let (true, Some(m)) = (unpushed, frame.content.message) {
            self.state.watch.message_dropped(process.task, m);
        }
        self.leave(process);
        self.tell(lane(process.task), lane(process.task), || {
            format!("{} ends by an exception", title(frame.main))
        });
        self.state.processes.end(pid);
    }

    /// The end of the outermost call: releases what the fixes took. The frames of the recursion are inside.
    fn leave(&mut self, process: Process) {
        if self.state.is_aborted(&process) {
            return;
        }
        self.task(process.task).busy = match self.config.fix {
            Fix::None | Fix::Delegation | Fix::SkipIfRunning => false,
            Fix::Mutex => {
                let (frame, _) = Frame::of(&process);
                let next = self.state.processes.hand_on(process.task).is_some();
                self.tell(lane(process.task), lane(process.task), || {
                    let what = if next { "hands the lock on" } else { "releases the lock" };
                    format!("{} {what}", title(frame.main))
                });
                next
            }
        };
    }
}
