//! A credential beside the kernel: one refresh serves every request that waits for it.
//!
//! The shell carries words between the two: [`GetCredential`] of a request becomes [`CredentialEvent::Wanted`], under a number
//! by which the request is found again, and [`Settle`] becomes [`RequestEvent::CredentialGiven`]. Here the store has a token
//! that the provider does not take any more, and two tasks find that out.

use CredentialEffect::{Abort, Arm, Claim, Disarm, Read, Recover, Refresh, Settle, Write};
use RequestEffect::{GetCredential, Send};
use downbeat_kernel::{
    Approval, Budget, Call, Config, Credential, CredentialEffect, CredentialEvent, Effect, Event, Found,
    Generation, Kernel, Outcome, RefreshEnd, RequestEffect, RequestEvent, RequestId, Response, SendFailure,
    TaskId, WaitEnd, WaiterId, WriteEnd,
};

/// To whom an event goes.
enum To {
    Kernel(Event),
    Credential(CredentialEvent),
}

struct World {
    /// What the store holds. The provider takes what is newer than the first.
    stored: Generation,
    /// Who waits: the first one has the number 1.
    waiters: Vec<RequestId>,
}

impl World {
    fn obey_kernel(&mut self, effect: Effect) -> Option<To> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "content and timers are not what is shown")]
        Some(match effect {
            Effect::Enqueue { task } => To::Kernel(Event::Admitted { task }),
            Effect::Initialize { task } => To::Kernel(Event::Initialized { task }),
            Effect::Request { task, turn, effect: GetCredential { attempt, newer_than, .. } } => {
                self.waiters.push(RequestId { task, turn, attempt });
                let waiter = WaiterId(self.waiters.len() as u64);
                println!("{task:?} wants a credential newer than {newer_than:?}, as {waiter:?}");
                To::Credential(CredentialEvent::Wanted { waiter, newer_than })
            }
            Effect::Request { task, turn, effect: Send { attempt, generation, .. } } => {
                println!("{task:?} is sent with {generation:?}");
                To::Kernel(provider(RequestId { task, turn, attempt }, generation))
            }
            Effect::TaskEnded { task, .. } => To::Kernel(Event::EndAcknowledged { task }),
            _ => return None,
        })
    }

    fn obey_credential(&mut self, effect: CredentialEffect) -> Option<To> {
        println!("  {effect:?}");
        Some(To::Credential(match effect {
            Read { order, generation } | Claim { order, generation, .. } => {
                let other = Found::Other { generation: self.stored };
                let found = if generation == self.stored { Found::Current } else { other };
                CredentialEvent::StoreRead { order, found }
            }
            Refresh { order, .. } => CredentialEvent::RefreshEnded { order, end: RefreshEnd::Refreshed },
            Write { order, generation } => {
                self.stored = generation;
                CredentialEvent::WriteEnded { order, end: WriteEnd::Stored }
            }
            Settle { waiter, end: WaitEnd::Given(generation) } => {
                let place = usize::try_from(waiter.0 - 1).expect("a waiter");
                let RequestId { task, turn, attempt } = self.waiters[place];
                let event = RequestEvent::CredentialGiven { attempt, generation };
                return Some(To::Kernel(Event::Request { task, turn, event }));
            }
            Arm { .. } | Disarm { .. } => return None,
            Abort { .. } | Recover { .. } | Settle { .. } => unreachable!("nothing fails or crashes"),
        }))
    }
}

fn provider(request: RequestId, generation: Generation) -> Event {
    let RequestId { task, turn, attempt } = request;
    if generation > Generation(1) {
        let response = Response::Calls(vec![Call::Completion(Approval::Granted)]);
        return Event::ResponseEnded { request, response, jitter_ms: 0 };
    }
    let failure = SendFailure::Unauthorized;
    Event::Request { task, turn, event: RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 } }
}

fn main() {
    // The one profile has no key that stays as it is, so a request has to ask for a credential.
    let config = Config { profiles_keyed: 0, ..Config::default() };
    let (mut kernel, mut credential) = (Kernel::new(config), Credential::default());
    let mut world = World { stored: Generation(1), waiters: Vec::new() };
    let submitted = |task| To::Kernel(Event::TaskSubmitted { task: TaskId(task), budget: Budget::default() });
    let mut events = std::collections::VecDeque::from([1, 2].map(submitted));
    while let Some(event) = events.pop_front() {
        let (mut of_kernel, mut of_credential) = (Vec::new(), Vec::new());
        let applied = match event {
            To::Kernel(event) => kernel.step(event, &mut of_kernel) == Outcome::Applied,
            To::Credential(event) => {
                credential.step(event, &config, &mut |effect| of_credential.push(effect)) == Outcome::Applied
            }
        };
        assert!(applied, "this driver made a mistake");
        events.extend(of_kernel.into_iter().filter_map(|effect| world.obey_kernel(effect)));
        events.extend(of_credential.into_iter().filter_map(|effect| world.obey_credential(effect)));
    }
    assert_eq!((kernel.tasks().count(), world.stored), (0, Generation(2)), "two tasks, one refresh");
}
