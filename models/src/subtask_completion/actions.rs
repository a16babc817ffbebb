//! What may happen next: continuations, timers, the provider and the user.

use downbeat_sim::event_loop::{Await, Pid};
use downbeat_sim::kinds::Kinds;

use super::budget::Budget;
use super::process::{Ask, At, Block, LoopAt, Process, Reply, ToolAt};
use super::state::{Click, State};
use super::world::{MODEL, USER, World, lane, name};
use super::{Config, Fix};
use crate::watch::{How, MESSAGES, Promise, TASKS, TaskIndex};

/// What a provider does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Refuses it before the first chunk.
    Throttle,
    /// Answers with nothing at all.
    Empty,
    /// Ends it by an exception that nothing handles.
    Fails,
    /// Streams a block; the stream stays open.
    Begins(Block),
    /// Ends the stream.
    Ends,
    /// Breaks the stream.
    Breaks,
}

impl Answer {
    /// How diagrams say it.
    pub fn words(self) -> &'static str {
        match self {
            Answer::Throttle => "refuses: too many requests",
            Answer::Empty => "answers with nothing",
            Answer::Fails => "ends by an exception",
            Answer::Begins(Block::Text) => "streams text without a tool",
            Answer::Begins(Block::Tool) => "streams a tool call",
            Answer::Begins(Block::Subtask) => "streams a call of new_task",
            Answer::Begins(Block::Question) => "streams a question to the user",
            Answer::Begins(Block::Completion) => "streams attempt_completion",
            Answer::Ends => "ends the stream",
            Answer::Breaks => "breaks the stream in the middle",
        }
    }

    fn budget(self) -> Option<Budget> {
        match self {
            Answer::Throttle => Some(Budget::Throttles),
            Answer::Empty => Some(Budget::Empties),
            Answer::Begins(Block::Text) => Some(Budget::Texts),
            Answer::Begins(Block::Tool) => Some(Budget::Tools),
            Answer::Begins(Block::Subtask) => Some(Budget::Subtasks),
            Answer::Begins(Block::Question) => Some(Budget::Questions),
            Answer::Breaks => Some(Budget::Truncations),
            Answer::Fails => Some(Budget::Failures),
            // Bounded by the number of responses alone.
            Answer::Begins(Block::Completion) | Answer::Ends => None,
        }
    }
}

/// One step of an as-is system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Kinds)]
pub enum Action {
    /// The head of the microtask queue runs.
    Microtask,
    /// What a process awaits comes: a timer, the disk, a poll that finds something.
    Fire(Pid),
    /// The provider acts on the request of a process.
    Provider(Pid, Answer),
    /// The user writes a message while the task is busy.
    Write,
    /// The user answers the ask that they see; the click is under way.
    Click(bool),
    /// The click arrives at the task that is on top by then.
    Arrive,
    /// The user accepts a result by starting something new.
    Accept,
    /// The user presses the X.
    Close,
    /// The user presses cancel.
    Cancel,
    /// The user opens a task from the history.
    Open(TaskIndex),
    /// The process dies and starts again.
    Crash,
}

const BEGINNINGS: [Answer; 8] = [
    Answer::Begins(Block::Completion),
    Answer::Begins(Block::Subtask),
    Answer::Begins(Block::Tool),
    Answer::Begins(Block::Question),
    Answer::Begins(Block::Text),
    Answer::Empty,
    Answer::Throttle,
    Answer::Fails,
];

/// Appends what may happen in `state`.
pub fn enabled(config: &Config, state: &State, actions: &mut Vec<Action>) {
    if state.processes.head().is_some() {
        // Nothing else happens before the queue is empty.
        actions.push(Action::Microtask);
        return;
    }
    let hurried = !config.any_pace && hurries(state, true);
    let tail = !config.any_pace && streams(state);
    for (pid, process, on) in state.processes.suspended() {
        if on != Await::External {
            continue;
        }
        match process.at {
            At::Loop { at: LoopAt::Streaming { begun: false }, .. } if hurried || tail => {}
            At::Loop { at: LoopAt::Streaming { begun: false }, .. } => {
                let may = |answer: &Answer| {
                    let subtask = *answer != Answer::Begins(Block::Subtask) || state.unborn().is_some();
                    let answers =
                        matches!(answer, Answer::Throttle | Answer::Fails) || state.may(Budget::Responses);
                    answers && subtask && answer.budget().is_none_or(|budget| state.may(budget))
                };
                actions
                    .extend(BEGINNINGS.into_iter().filter(may).map(|answer| Action::Provider(pid, answer)));
            }
            At::Loop { at: LoopAt::Streaming { begun: true }, .. } => {
                actions.push(Action::Provider(pid, Answer::Ends));
                if state.may(Budget::Truncations) {
                    actions.push(Action::Provider(pid, Answer::Breaks));
                }
            }
            At::Loop { .. } | At::Tool { .. } | At::Close { .. } | At::Rebuild { .. } => {
                if fires(state, process) {
                    actions.push(Action::Fire(pid));
                }
            }
        }
    }
    if state.click.is_some() {
        actions.push(Action::Arrive);
    }
    if state.may(Budget::Crashes) && state.processes.suspended().next().is_some() {
        actions.push(Action::Crash);
    }
    let left_open = !config.any_pace && is_left_open(state);
    if !tail && !left_open && (config.any_pace || !hurries(state, false)) {
        user(config, state, actions);
    }
}

/// Whether a stream has delivered its block and is still open.
fn streams(state: &State) -> bool {
    state
        .processes
        .suspended()
        .any(|(_, process, _)| matches!(process.at, At::Loop { at: LoopAt::Streaming { begun: true }, .. }))
}

/// Whether a loop of an aborted instance is still on its way to the chunk upon which it gives up. Only a countdown
/// keeps it for longer than a person takes.
fn is_left_open(state: &State) -> bool {
    state.processes.suspended().any(|(_, process, _)| match process.at {
        At::Loop { at: LoopAt::BackingOff, .. } | At::Tool { .. } | At::Close { .. } | At::Rebuild { .. } => {
            false
        }
        At::Loop { .. } => state.is_aborted(process),
    })
}

/// Whether something is under way that takes milliseconds: a disk, a click, a poll that will find something.
/// Gathering the environment takes up to a few seconds: shorter than a model (`announcing`), not than a person.
fn hurries(state: &State, announcing: bool) -> bool {
    state.click.is_some()
        || state.processes.suspended().any(|(_, process, on)| {
            let long = match process.at {
                At::Loop { at, .. } => match at {
                    LoopAt::Paused | LoopAt::BackingOff | LoopAt::Streaming { .. } | LoopAt::Acquiring => {
                        true
                    }
                    LoopAt::Announcing => !announcing,
                    LoopAt::Asking { .. }
                    | LoopAt::Pushing
                    | LoopAt::Prompting
                    | LoopAt::Collecting
                    | LoopAt::Returning { .. } => false,
                },
                At::Tool { block, at: ToolAt::Running, .. } => block == Block::Tool,
                At::Tool { .. } | At::Close { .. } => false,
                At::Rebuild { .. } => true,
            };
            !long && on == Await::External && fires(state, process)
        })
}

/// Whether what the process awaits may come now. A poll that would find nothing is no step.
fn fires(state: &State, process: &Process) -> bool {
    let instance = state.task(process.task);
    match process.at {
        At::Loop { at: LoopAt::Paused, .. } => !instance.paused,
        At::Loop { at: LoopAt::Collecting, .. } => instance.buffer.ready,
        At::Loop { at: LoopAt::Asking { number, posting, .. }, .. }
        | At::Tool { at: ToolAt::Asking { number, posting, .. }, .. } => {
            posting.is_some() || instance.response.is_some() || instance.ask != number
        }
        At::Loop {
            at:
                LoopAt::Acquiring
                | LoopAt::Announcing
                | LoopAt::Pushing
                | LoopAt::Prompting
                | LoopAt::Streaming { .. }
                | LoopAt::BackingOff
                | LoopAt::Returning { .. },
            ..
        }
        | At::Tool {
            at:
                ToolAt::Running
                | ToolAt::Created { .. }
                | ToolAt::Switching
                | ToolAt::Finishing(_)
                | ToolAt::Delegating { .. }
                | ToolAt::Loading
                | ToolAt::Recording
                | ToolAt::Reopening,
            ..
        }
        | At::Close { .. }
        | At::Rebuild { .. } => true,
    }
}

fn user(config: &Config, state: &State, actions: &mut Vec<Action>) {
    let Some(top) = state.top() else {
        open(config, state, actions);
        return;
    };
    let asked = state.visible_ask();
    match asked {
        Some((_, _, Ask::Result)) if state.click.is_none() => {
            actions.push(Action::Accept);
            if state.may(Budget::Rejections) {
                actions.push(Action::Click(false));
            }
        }
        Some((_, _, Ask::Finish)) if state.click.is_none() => {
            actions.push(Action::Click(true));
            if state.may(Budget::Rejections) {
                actions.push(Action::Click(false));
            }
        }
        Some((_, _, Ask::Followup | Ask::Resume | Ask::Mistakes)) if state.click.is_none() => {
            actions.push(Action::Click(true));
        }
        Some(_) => {}
        None => {
            let room = state.task(top).queue[1].is_none() && usize::from(state.next_message) < MESSAGES;
            if state.may(Budget::Messages) && room && !state.task(top).abort {
                actions.push(Action::Write);
            }
        }
    }
    if state.may(Budget::Closes) {
        actions.push(Action::Close);
    }
    // A task that was rebuilt and asks whether to resume shows no cancel.
    let resting = matches!(asked, Some((_, _, Ask::Resume | Ask::Result)));
    if state.may(Budget::Cancels) && !resting && !state.task(top).abort {
        actions.push(Action::Cancel);
    }
    open(config, state, actions);
}

/// With a stack of instances, opening another task and then this one again is one act: the other task is not
/// modelled. With delegation any task may be opened, and after a crash one must be.
fn open(config: &Config, state: &State, actions: &mut Vec<Action>) {
    let top = state.top();
    match (config.fix, top) {
        (Fix::Delegation, top) => {
            let idle = top.is_none() && state.processes.suspended().next().is_none();
            let may = idle || state.may(Budget::Opens);
            let known = |&task: &TaskIndex| state.watch.is_live(task) && top != Some(task);
            actions.extend((0..).take(TASKS).filter(known).filter(|_| may).map(Action::Open));
        }
        (Fix::None | Fix::Mutex | Fix::SkipIfRunning, Some(top)) if state.may(Budget::Opens) => {
            actions.push(Action::Open(top));
        }
        (Fix::None | Fix::Mutex | Fix::SkipIfRunning, _) => {}
    }
}

impl World<'_> {
    /// Takes one step.
    pub fn step(&mut self, action: Action) -> Option<()> {
        match action {
            Action::Microtask => {
                let (pid, process) = self.state.processes.run_head()?;
                self.resume(pid, process, None);
            }
            Action::Fire(pid) => {
                let process = self.state.processes.fire(pid)?;
                self.resume(pid, process, None);
            }
            Action::Provider(pid, answer) => {
                if let Some(budget) = answer.budget() {
                    self.spend(budget);
                }
                if let Answer::Begins(_) | Answer::Empty = answer {
                    let broken = self.state.watch.breach(Promise::S2).is_some();
                    self.spend(Budget::Responses);
                    if broken {
                        self.spend(Budget::Aftermath);
                    }
                }
                let process = self.state.processes.fire(pid)?;
                self.resume(pid, process, Some(answer));
            }
            Action::Write => {
                self.spend(Budget::Messages);
                let top = self.state.top()?;
                let m = self.state.next_message;
                self.state.next_message += 1;
                self.state.watch.message_accepted(top, m);
                let free = self.task(top).queue.iter_mut().find(|entry| entry.is_none())?;
                *free = Some(m);
                self.tell(USER, lane(top), || format!("writes message {}, it is queued", m + 1));
            }
            Action::Click(yes) => {
                let (task, number, ask) = self.state.visible_ask()?;
                if !yes {
                    self.spend(Budget::Rejections);
                }
                self.state.click = Some(Click { task, number, yes });
                self.tell(USER, USER, || match (ask, yes) {
                    (Ask::Followup, _) => format!("answers the question of {}", name(task)),
                    (Ask::Resume, _) => format!("clicks resume for {}", name(task)),
                    (Ask::Mistakes, _) => format!("gives guidance to {}", name(task)),
                    (Ask::Finish | Ask::Result, true) => format!("approves the result of {}", name(task)),
                    (Ask::Finish | Ask::Result, false) => {
                        format!("answers the result of {} with feedback", name(task))
                    }
                });
            }
            Action::Arrive => {
                let click = self.state.click.take()?;
                let top = self.state.top()?;
                let named = Some((click.task, click.number));
                self.tell(USER, lane(top), || "the answer arrives at the top of the stack".to_owned());
                let instance = self.task(top);
                if !instance.abort {
                    instance.response = Some(Reply { yes: click.yes, message: None, named });
                }
            }
            Action::Accept => {
                let top = self.state.top()?;
                self.tell(USER, lane(top), || "accepts the result: starts a new task".to_owned());
                self.close_top(How::Completed);
            }
            Action::Close => {
                self.spend(Budget::Closes);
                let top = self.state.top()?;
                self.tell(USER, lane(top), || "presses the X".to_owned());
                self.close_top(How::Cancelled);
            }
            Action::Cancel => {
                self.spend(Budget::Cancels);
                let top = self.state.top()?;
                self.tell(USER, lane(top), || "presses cancel".to_owned());
                self.cancel_top();
            }
            Action::Open(task) => {
                if self.state.top().is_some() {
                    self.spend(Budget::Opens);
                }
                let again = self.state.top() == Some(task);
                let text = if again {
                    "opens another task, then this one again"
                } else {
                    "opens it from the history"
                };
                self.tell(USER, lane(task), || text.to_owned());
                self.open(task);
            }
            Action::Crash => {
                self.spend(Budget::Crashes);
                self.crash();
            }
        }
        Some(())
    }

    fn resume(&mut self, pid: Pid, process: Process, answer: Option<Answer>) {
        match process.at {
            At::Loop { .. } => self.resume_loop(pid, process, answer),
            At::Tool { .. } => self.resume_tool(pid, process),
            At::Close { .. } => self.resume_close(pid, process),
            At::Rebuild { .. } => self.resume_rebuild(pid, process),
        }
    }

    fn spend(&mut self, budget: Budget) {
        self.state.left[budget as usize] -= 1;
        if let Some(whole) = budget.whole() {
            self.state.left[whole as usize] -= 1;
        }
    }
}

/// Participants, in the order of the lanes.
pub fn lanes() -> Vec<String> {
    let mut lanes = vec!["user".to_owned()];
    lanes.extend((0..).take(TASKS).map(|task| name(task).to_owned()));
    debug_assert_eq!(lanes.len(), MODEL);
    lanes.push("model".to_owned());
    lanes
}
