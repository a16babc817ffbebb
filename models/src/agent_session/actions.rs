//! What may happen next, and what it does.

use downbeat_sim::event_loop::Pid;

use super::as_is::AsIs;
use super::ledger::Cause;
use super::sdk::{IteratorIndex, SdkIterator};
use super::session::Session;
use super::state::{Action, InvokeAt, Process, State};

impl AsIs {
    /// What may happen: the head of the microtask queue, and only if there is none, anything else.
    pub(super) fn enabled(&self, state: &State, actions: &mut Vec<Action>) {
        if let Some(head) = state.processes.head() {
            actions.push(Action::Run);
            let returns = match state.processes.program(head) {
                Some(Process::Invoke { at, .. }) => *at == InvokeAt::Returning,
                Some(Process::Iterable { .. } | Process::Loop { .. }) | None => false,
            };
            if returns && self.may_make(state) {
                actions.push(Action::RunAndInvoke);
            }
            return;
        }
        if self.may_make(state) && state.invokes() < usize::from(self.callers) {
            actions.push(Action::Invoke);
        }
        for (iterator, standing) in state.sdk.iterators() {
            iterator_actions(state, iterator, *standing, actions);
        }
        let due =
            state.ledger.made().map(|(request, _)| request).filter(|&request| state.is_listener_due(request));
        actions.extend(due.map(Action::Listener));
        if self.early || !state.sdk.is_starting() {
            interrupts(state, actions);
        }
    }

    fn may_make(&self, state: &State) -> bool {
        state.ledger.made().count() < usize::from(self.requests)
    }
}

/// What people may stop. An abort when nothing runs and nobody waits would have nothing to do.
fn interrupts(state: &State, actions: &mut Vec<Action>) {
    if state.left.cancels > 0 {
        let open = state.ledger.open().filter(|&request| !state.ledger.request(request).cancelled);
        actions.extend(open.map(Action::Cancel));
    }
    if state.left.aborts > 0 && (state.sdk.is_stoppable() || state.ledger.open().next().is_some()) {
        actions.push(Action::Abort);
    }
}

/// What the SDK may do about one iterator.
fn iterator_actions(
    state: &State,
    iterator: IteratorIndex,
    standing: SdkIterator,
    actions: &mut Vec<Action>,
) {
    let works = state.sdk.works_on(iterator).is_some();
    let ends = [Action::Throw(iterator), Action::End(iterator)];
    match standing {
        SdkIterator::Starting { .. } => {
            actions.push(Action::QueryReturns(iterator));
            if state.left.failures > 0 {
                actions.push(Action::QueryFails(iterator));
            }
        }
        SdkIterator::Live { .. } => {
            if works {
                actions.push(Action::Answer(iterator));
            }
            if state.left.exits > 0 {
                actions.extend(ends);
            }
        }
        SdkIterator::Aborted { .. } => {
            if works && state.left.late > 0 {
                actions.push(Action::AnswerLate(iterator));
            }
            actions.extend(ends);
        }
        SdkIterator::Absent | SdkIterator::Ended => {}
    }
}

impl Session<'_> {
    /// Takes one step; `None` if it may not be taken.
    pub(super) fn step(&mut self, action: Action) -> Option<()> {
        match action {
            Action::Run => self.run_head(),
            Action::RunAndInvoke => {
                self.run_head()?;
                self.invoke();
                Some(())
            }
            Action::Invoke => {
                self.invoke();
                Some(())
            }
            Action::QueryReturns(iterator) => {
                let (pid, _) = self.state.invoke_of(iterator)?;
                self.state.processes.fire(pid)?;
                self.query_returns(pid, iterator);
                Some(())
            }
            Action::QueryFails(iterator) => {
                self.state.left.failures = self.state.left.failures.checked_sub(1)?;
                let (pid, _) = self.state.invoke_of(iterator)?;
                self.state.processes.fire(pid)?;
                self.query_fails(pid, iterator);
                Some(())
            }
            Action::Answer(iterator) => self.at_loop(iterator, Self::result),
            Action::AnswerLate(iterator) => {
                self.state.left.late = self.state.left.late.checked_sub(1)?;
                self.at_loop(iterator, Self::result)
            }
            Action::Throw(iterator) => {
                let cause = self.cause_of_end(iterator)?;
                self.at_loop(iterator, |session, pid, iterator| session.iterator_throws(pid, iterator, cause))
            }
            Action::End(iterator) => {
                self.cause_of_end(iterator)?;
                self.at_loop(iterator, Self::iterator_ends)
            }
            Action::Cancel(request) => {
                self.state.left.cancels = self.state.left.cancels.checked_sub(1)?;
                self.cancel(request);
                Some(())
            }
            Action::Listener(request) => {
                self.listener(request);
                Some(())
            }
            Action::Abort => {
                self.state.left.aborts = self.state.left.aborts.checked_sub(1)?;
                self.abort();
                Some(())
            }
        }
    }

    fn run_head(&mut self) -> Option<()> {
        let (pid, process) = self.state.processes.run_head()?;
        self.resume(pid, process);
        Some(())
    }

    /// The SDK has something to say to the loop of an iterator.
    fn at_loop(
        &mut self,
        iterator: IteratorIndex,
        says: impl FnOnce(&mut Self, Pid, IteratorIndex),
    ) -> Option<()> {
        let pid = self.state.loop_of(iterator)?;
        self.state.processes.fire(pid)?;
        says(self, pid, iterator);
        Some(())
    }

    /// Why an iterator ends. Without an abort it does so at most as often as the bound says.
    fn cause_of_end(&mut self, iterator: IteratorIndex) -> Option<Cause> {
        match self.state.sdk.iterator(iterator) {
            SdkIterator::Aborted { .. } => Some(Cause::Interrupt),
            SdkIterator::Live { .. } => {
                self.state.left.exits = self.state.left.exits.checked_sub(1)?;
                Some(Cause::Failure)
            }
            SdkIterator::Absent | SdkIterator::Starting { .. } | SdkIterator::Ended => None,
        }
    }
}
