//! One step of an as-is system in the making: the state, the configuration, and what there is to tell.

use downbeat_sim::event_loop::{Await, Pid};
use downbeat_sim::model::{Arrow, Lane};

use super::process::{Ask, At, CALL_NUMBERS, Cause, Content, LoopAt, Process, Reply, ToolAt, UNNUMBERED};
use super::state::{Buffer, Instance, STACK, State};
use super::{Body, Config, Fix};
use crate::watch::TaskIndex;

/// The lane of the user.
pub const USER: Lane = 0;
/// The lane of the model and its provider.
pub const MODEL: Lane = 4;

/// The lane of a task.
pub fn lane(task: TaskIndex) -> Lane {
    1 + usize::from(task)
}

/// How diagrams call a task.
pub fn name(task: TaskIndex) -> &'static str {
    match task {
        0 => "parent",
        1 => "child",
        _ => "child 2",
    }
}

/// The state in the middle of a step.
pub struct World<'a> {
    /// What is rewritten.
    pub state: State,
    /// Which system it is.
    pub config: &'a Config,
    /// The story of the step; `None` while the checker only wants the next state.
    pub told: Option<Vec<Arrow>>,
}

impl World<'_> {
    /// Adds an arrow to the story.
    pub fn tell(&mut self, from: Lane, to: Lane, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: text() });
        }
    }

    /// The current instance of `task`.
    pub fn task(&mut self, task: TaskIndex) -> &mut Instance {
        &mut self.state.tasks[usize::from(task)]
    }

    /// The fields of the instance that `process` belongs to, if that is the current one. An old instance keeps
    /// its own fields, and nobody reads them again.
    pub fn own(&mut self, process: &Process) -> Option<&mut Instance> {
        let instance = &mut self.state.tasks[usize::from(process.task)];
        (instance.generation == process.generation).then_some(instance)
    }

    /// The number for a new cause.
    pub fn new_turn(&mut self, task: TaskIndex) -> u8 {
        let next = &mut self.state.next_turn[usize::from(task)];
        *next += 1;
        *next - 1
    }

    /// The number for a new call.
    pub fn new_call(&mut self, task: TaskIndex) -> u8 {
        let next = &mut self.state.next_call[usize::from(task)];
        let call = *next;
        *next = (call + 1) % CALL_NUMBERS;
        call
    }

    /// Starts a process that nobody awaits, in the middle of the present step.
    pub fn call(&mut self) -> Pid {
        self.state
            .processes
            .call_unawaited()
            .expect("the model has room for every process of its bounds (PROCESSES)")
    }

    /// Ends the stretch of `pid` at an `await`.
    pub fn suspend(&mut self, pid: Pid, process: Process, on: Await) {
        self.state.processes.suspend(pid, process, on);
    }

    /// Starts a main loop (`initiateTaskLoop`) or a continuation with `content`.
    pub fn start_loop(&mut self, task: TaskIndex, main: bool, content: Content) {
        let pid = self.call();
        let at = At::Loop { main, depth: 0, content, at: LoopAt::Announcing };
        let process = Process { task, generation: self.state.task(task).generation, at };
        self.enter(pid, process);
    }

    /// `ask`: clears the response, takes a number, and takes a queued message first.
    pub fn ask(&mut self, pid: Pid, mut process: Process, ask: Ask) {
        let Some(instance) = self.own(&process) else {
            unreachable!("an old instance throws before it asks")
        };
        instance.response = None;
        instance.ask += 1;
        let number = instance.ask;
        let posting = instance.queue[0];
        instance.queue = [instance.queue[1], None];
        match &mut process.at {
            At::Loop { at, .. } => *at = LoopAt::Asking { ask, number, posting },
            At::Tool { at, .. } => *at = ToolAt::Asking { ask, number, posting },
            At::Close { .. } | At::Rebuild { .. } => unreachable!("neither the X nor a rebuild asks"),
        }
        let task = process.task;
        self.suspend(pid, process, Await::External);
        let words = match ask {
            Ask::Followup => "asks the question of the model",
            Ask::Finish => "asks to approve its result",
            Ask::Result => "shows its result, asks whether it is right",
            Ask::Resume => "asks whether to resume",
            Ask::Mistakes => "asks for guidance after too many mistakes",
        };
        self.tell(lane(task), USER, || match posting {
            Some(m) => format!("{words}; takes queued message {}", m + 1),
            None => words.to_owned(),
        });
    }

    /// The poll of `ask` finds a response. `None` if a newer ask replaced this one: it throws.
    pub fn take_reply(&mut self, process: &Process) -> Option<Reply> {
        let (_, number, posting) = process.asking()?;
        let task = process.task;
        let instance = self.task(task);
        let reply = match posting {
            Some(m) => Reply { yes: true, message: Some(m), named: None },
            None if instance.ask == number => instance.response.take()?,
            None => return None,
        };
        let named = reply.named.and_then(|(asked, number)| (asked == task).then_some(number));
        self.state.watch.question_settled(task, number, named);
        Some(reply)
    }

    /// Takes the top off the stack of open tasks.
    pub fn pop(&mut self) -> Option<TaskIndex> {
        self.state.stack.iter_mut().rev().find_map(Option::take)
    }

    /// Puts a task on top of the stack.
    pub fn push(&mut self, task: TaskIndex) {
        let free = self.state.stack.iter_mut().find(|entry| entry.is_none());
        match free {
            Some(entry) => *entry = Some(task),
            None => panic!("more than {STACK} open tasks: the model needs a larger stack (STACK)"),
        }
    }

    /// `abortTask`: the flag, the queue, and with them everything that waited for something of this instance.
    pub fn abort(&mut self, task: TaskIndex, abandon: bool) {
        let instance = self.task(task);
        instance.abort = true;
        instance.abandoned |= abandon;
        let generation = instance.generation;
        let queue = std::mem::take(&mut instance.queue);
        let unread = instance.buffer.message.filter(|_| instance.buffer.copied.is_none());
        // Nobody reads the fields of an aborted instance again, so that they need not tell states apart.
        instance.buffer = Buffer { locked: true, ..super::state::EMPTY };
        instance.response = None;
        instance.busy = false;
        instance.mistakes = 0;
        instance.paused = false;
        let mut lost: Vec<u8> = queue.into_iter().flatten().chain(unread).collect();
        let waiting: Vec<(Pid, Option<u8>)> = self
            .state
            .processes
            .suspended()
            .filter(|(_, process, _)| process.task == task && process.generation == generation)
            .filter(|(_, process, _)| hangs(process))
            .map(|(pid, process, _)| (pid, held(process)))
            .collect();
        for (pid, message) in waiting {
            self.state.processes.forget(pid);
            lost.extend(message);
        }
        for m in lost {
            self.state.watch.message_dropped(task, m);
            self.tell(lane(task), lane(task), || format!("message {} is dropped", m + 1));
        }
    }

    /// A new instance of `task`, with nothing but its place in the tree.
    pub fn build(&mut self, task: TaskIndex, linked: bool) {
        let keep_record = self.config.fix == Fix::Delegation;
        let instance = self.task(task);
        // The record of the awaited child, and the turn that its result began, are on disk.
        let (child, resume) = if keep_record { (instance.child, instance.resume) } else { (None, 0) };
        let generation = instance.generation + 1;
        *instance = Instance {
            generation,
            abort: false,
            abandoned: false,
            linked,
            child,
            resume,
            ..super::state::ABSENT
        };
    }

    /// Content without a number yet and without results.
    pub fn bare_content(cause: Cause) -> Content {
        Content { cause, turn: UNNUMBERED, attempt: 0, calls: 0, message: None }
    }

    /// Whether the body calls itself.
    pub fn recurses(&self) -> bool {
        self.config.body == Body::Recursive
    }
}

/// Whether an abort leaves the process waiting for what can never come. The poll of a pause loses its interval, the
/// polls of an ask and of the results see a response or results of the new instance only, and a lock is never
/// released by a loop that hangs.
fn hangs(process: &Process) -> bool {
    match process.at {
        At::Loop { at, .. } => match at {
            LoopAt::Asking { .. } | LoopAt::Acquiring | LoopAt::Paused | LoopAt::Collecting => true,
            LoopAt::Announcing
            | LoopAt::Pushing
            | LoopAt::Prompting
            | LoopAt::Streaming { .. }
            | LoopAt::BackingOff
            | LoopAt::Returning { .. } => false,
        },
        At::Tool { at, .. } => match at {
            ToolAt::Asking { .. } => true,
            ToolAt::Running
            | ToolAt::Created { .. }
            | ToolAt::Switching
            | ToolAt::Finishing(_)
            | ToolAt::Delegating { .. }
            | ToolAt::Loading
            | ToolAt::Recording
            | ToolAt::Reopening => false,
        },
        At::Close { .. } | At::Rebuild { .. } => false,
    }
}

/// The message that only a process that hangs holds: taken off the queue, or part of content not yet pushed. What a
/// loop collects the results of was pushed before.
fn held(process: &Process) -> Option<u8> {
    let posting = process.asking().and_then(|(_, _, posting)| posting);
    let unpushed = match process.at {
        At::Loop { at: LoopAt::Asking { .. } | LoopAt::Acquiring | LoopAt::Paused, content, .. } => {
            content.message
        }
        At::Loop { .. } | At::Tool { .. } | At::Close { .. } | At::Rebuild { .. } => None,
    };
    posting.or(unpushed)
}
