//! Processes: the calls of async functions, and where each may stand.

/// The promise of `waitForClarification`.
pub const WAITER: u8 = 0;
/// `_pendingPrompt`: the promise that the prompt iterable waits for.
pub const PENDING_PROMPT: u8 = 1;
/// The completion of the request in the queue.
pub const REQUEST: u8 = 2;

/// Where the executor loop stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoopAt {
    /// Before the loop: the model is selected.
    Selecting,
    /// Steps 1, 6 and 7: waits for a message.
    Waiting,
    /// Step 3: the circuit breaker is open.
    Breaking,
    /// Step 4: execute.
    Executing,
    /// Step 6: sleeps before it tries the same prompt again.
    Sleeping,
}

/// Where execute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecuteAt {
    /// Gets or creates the session of the worktree.
    Getting,
    /// Has registered for the token, and awaits invoke.
    Invoking,
}

/// Where invoke stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvokeAt {
    /// Awaits the start of an iterator.
    Starting,
    /// Its request is in the queue.
    Completing,
}

/// Where a prompt iterable stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IterableAt {
    /// There was no request: it waits for one.
    Waiting,
    /// It has yielded one and waits for its completion.
    Yielded,
}

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    /// The executor loop.
    Loop(LoopAt),
    /// `execute`.
    Execute(ExecuteAt),
    /// `invoke`.
    Invoke(InvokeAt),
    /// The start of an iterator, which awaits the SDK.
    Query {
        /// Whether the controller that it read at its entry was aborted since.
        is_aborted: bool,
    },
    /// What the SDK reads its prompts from.
    Iterable(IterableAt),
    /// The listener of execute, registered for a token that was cancelled: it is called by a timer of no time.
    LateAbort,
    /// The listener of the request, likewise.
    LateWithdraw,
}
