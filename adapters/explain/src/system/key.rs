//! What of a situation can matter later, by which two are told apart.

use std::hash::{Hash, Hasher};

use downbeat_kernel::{CallState, QuestionId, Request, RequestState, Task};

use super::System;
use crate::sight::Sight;

/// Two situations that differ in nothing that can matter later are alike, though they differ in how many questions there were, in
/// responses without a call where nobody counts them, or in why a request is sent again.
impl Hash for System {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            kernel,
            tasks,
            owed,
            again,
            flights,
            armed,
            turns,
            calls,
            questions,
            messages,
            shown,
            completions,
            asking,
            was_limited: _,
        } = self;
        let counts_mistakes = kernel.config().mistakes_max > 0;
        for Task { id, state: stands, data } in kernel.tasks() {
            (id, stands, data.parent, data.depth, data.turn, data.replied).hash(state);
            hash_request(&data.request, state);
            (counts_mistakes.then_some(data.mistakes), data.accepted, data.taken, data.answered).hash(state);
            (&data.worker, &data.account, data.spent).hash(state);
            for call in data.calls.iter() {
                if let CallState::Asking { number, wanted } = call {
                    (data.questions - number, wanted).hash(state);
                } else {
                    call.hash(state);
                }
            }
        }
        let since = |question: &QuestionId| {
            let asked = kernel.task(question.task).map_or(0, |task| task.data.questions);
            (question.task, asked.saturating_sub(question.number))
        };
        for sight in owed.iter().map(Some).chain([None]).chain(again.iter().map(Some)) {
            match sight {
                Some(Sight::Asked(question)) => since(question).hash(state),
                other => other.hash(state),
            }
        }
        for (named, question) in questions {
            (named, since(question)).hash(state);
        }
        (kernel.highest(), tasks, flights, armed, turns, calls).hash(state);
        (messages, shown, completions, asking).hash(state);
    }
}

/// How often it was sent matters, and where to; why, only where there is a choice.
fn hash_request<H: Hasher>(request: &Request, state: &mut H) {
    match request.state {
        RequestState::Authorizing { profile, reason: _ } => (0, profile).hash(state),
        RequestState::Ready { profile, generation, reason: _ } => (1, profile, generation).hash(state),
        RequestState::BackingOff { after: _, after_ms: _ } => 2.hash(state),
        stands @ (RequestState::Unbegun
        | RequestState::Streaming { .. }
        | RequestState::Delivering
        | RequestState::Stopping(_)
        | RequestState::Ended(_)) => (3, stands).hash(state),
    }
    let Request { state: _, profiles, previous, refused, shut, owed, held, ledger } = request;
    (profiles, previous, refused, shut, owed, held, ledger.sends().len()).hash(state);
    if profiles.count > 1 {
        ledger.hash(state);
    }
}
