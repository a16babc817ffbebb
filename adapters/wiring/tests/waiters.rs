//! Whoever drives requests answers the last `GetCredential` of a send, once (A21): the event does not say whose credential it is.

use downbeat_kernel::{
    Attempt, Config, Credential, CredentialEvent, Event, Generation, Outcome, ProfileId, Profiles, Request,
    RequestEffect, RequestEvent, RequestId, TaskId, TurnNumber, WaitEnd, WaiterId,
};
use downbeat_wiring::Waiters;

const FIRST: ProfileId = ProfileId(0);
const SECOND: ProfileId = ProfileId(1);

/// The only send of the only turn.
const SEND: RequestId = RequestId { task: TaskId(1), turn: TurnNumber(1), attempt: Attempt(0) };

/// A profile's credential, and who waits for it.
#[derive(Default)]
struct Login {
    credential: Credential,
    waiters: Waiters,
}

impl Login {
    /// The send waits here, under the number that it gets.
    fn wait(&mut self) -> WaiterId {
        let event = self.waiters.wait(&self.credential, SEND, Generation(0));
        let CredentialEvent::Wanted { waiter, .. } = event else { panic!("{event:?}") };
        assert_eq!(self.credential.step(event, &Config::default(), &mut |_| {}), Outcome::Applied);
        waiter
    }

    /// What the request is told of the end of a wait, if somebody waits under that number.
    fn settle(&mut self, waiter: WaiterId, generation: u32) -> Option<RequestEvent> {
        let event = self.waiters.settle(waiter, WaitEnd::Given(Generation(generation)))?;
        let Event::Request { event, .. } = event else { panic!("{event:?}") };
        Some(event)
    }
}

/// Gives the request an event that it applies.
fn told(request: &mut Request, event: RequestEvent) -> Vec<RequestEffect> {
    let mut effects = Vec::new();
    let outcome = request.step(event, &Config::default(), &mut |effect| effects.push(effect));
    assert_eq!(outcome, Outcome::Applied, "{event:?}");
    effects
}

fn asks(profile: ProfileId) -> Vec<RequestEffect> {
    vec![RequestEffect::GetCredential { attempt: SEND.attempt, profile, newer_than: Generation(0) }]
}

/// A request that waits for the credential of the first of two profiles, which is down by now.
fn asked_for_one_that_went_down() -> Request {
    let mut request = Request::default();
    let profiles = Profiles { count: 2, down: 0, keyed: 0 };
    assert_eq!(told(&mut request, RequestEvent::Began { profiles, previous: None }), asks(FIRST));
    assert_eq!(told(&mut request, RequestEvent::ProfileDown { profile: FIRST }), vec![]);
    request
}

/// Where a send goes, and with which generation.
fn sent(effects: &[RequestEffect]) -> Option<(ProfileId, Generation)> {
    match effects {
        [RequestEffect::Send { profile, generation, .. }] => Some((*profile, *generation)),
        _ => None,
    }
}

#[test]
fn send_that_moved_on_goes_out_with_the_credential_of_where_it_goes() {
    let (mut request, mut first, mut second) =
        (asked_for_one_that_went_down(), Login::default(), Login::default());
    let old = first.wait();
    // A crash: the request asks again, and whoever waited is forgotten.
    first.waiters = Waiters::default();
    let mut repeated = Vec::new();
    request.resync(&Config::default(), &mut |effect| repeated.push(effect));
    assert_eq!(repeated, asks(FIRST));
    let waiter = first.wait();

    assert_eq!(first.settle(old, 7), None, "the wait of before the crash is told to nobody");
    let given = first.settle(waiter, 7).expect("the send waits");
    assert_eq!(told(&mut request, given), asks(SECOND), "it moves on, and asks anew");
    assert_eq!(first.settle(waiter, 7), None, "a wait is told its end once");

    let waiter = second.wait();
    let given = second.settle(waiter, 3).expect("the send waits");
    assert_eq!(sent(&told(&mut request, given)), Some((SECOND, Generation(3))));
}

/// What the duty keeps out.
#[test]
fn credential_that_is_given_twice_is_taken_for_that_of_another_profile() {
    let (mut request, mut first) = (asked_for_one_that_went_down(), Login::default());
    let waiter = first.wait();
    let given = first.settle(waiter, 7).expect("the send waits");
    assert_eq!(told(&mut request, given), asks(SECOND));
    assert_eq!(sent(&told(&mut request, given)), Some((SECOND, Generation(7))));
}
