//! The questions of a remote task: stories, event by event.

use downbeat_kernel::{
    Config, Epoch, Ignored, Outcome, QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey, QuestionNumber,
    QuestionRejected, QuestionState, QuestionTimer, Questions, Untold,
};

pub(crate) const QUESTION_MS: u64 = 86_400_000;
pub(crate) const RELAY_MS: u64 = 5_000;

/// The questions after these events, all of which are applied, and the effects of the last one.
#[track_caller]
fn after(events: &[QuestionEvent]) -> (Questions, Vec<QuestionEffect>) {
    let (mut questions, mut effects) = (Questions::default(), Vec::new());
    for event in events {
        effects.clear();
        let outcome = questions.step(*event, &Config::default(), &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
    }
    (questions, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(questions: &Questions, event: QuestionEvent) -> Outcome<QuestionRejected> {
    let (mut same, mut effects) = (*questions, Vec::new());
    let outcome = same.step(event, &Config::default(), &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (questions, Vec::new()), "{event:?}");
    outcome
}

pub(crate) fn key(epoch: u64, number: u32) -> QuestionKey {
    QuestionKey { epoch: Epoch(epoch), number: QuestionNumber(number) }
}

pub(crate) fn assigned(epoch: u64) -> QuestionEvent {
    QuestionEvent::Assigned { epoch: Epoch(epoch) }
}

pub(crate) fn lost(epoch: u64) -> QuestionEvent {
    QuestionEvent::AgentLost { epoch: Epoch(epoch) }
}

pub(crate) fn asked(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Asked { question: key(epoch, number) }
}

fn answered(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Answered { question: key(epoch, number) }
}

fn acknowledged(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Acknowledged { question: key(epoch, number) }
}

fn closed(epoch: u64, number: u32) -> QuestionEvent {
    QuestionEvent::Closed { question: key(epoch, number) }
}

pub(crate) fn elapsed(timer: u32) -> QuestionEvent {
    QuestionEvent::Elapsed { timer: QuestionTimer(timer) }
}

fn relay(epoch: u64, number: u32, end: QuestionEnd) -> QuestionEffect {
    QuestionEffect::Relay { question: key(epoch, number), end }
}

fn close(epoch: u64, number: u32, end: QuestionEnd) -> QuestionEffect {
    QuestionEffect::Close { question: key(epoch, number), end }
}

fn arm(timer: u32, after_ms: u64) -> QuestionEffect {
    QuestionEffect::Arm { timer: QuestionTimer(timer), after_ms }
}

fn disarm(timer: u32) -> QuestionEffect {
    QuestionEffect::Disarm { timer: QuestionTimer(timer) }
}

#[test]
fn a_question_is_told_its_end_whatever_ends_it() {
    use QuestionEnd as E;
    let open = [assigned(1), asked(1, 1)];
    assert_eq!(after(&open).1, [QuestionEffect::Ask { question: key(1, 1) }, arm(1, QUESTION_MS)]);
    let both = |end| Vec::from([disarm(1), relay(1, 1, end), close(1, 1, end), arm(2, RELAY_MS)]);
    #[rustfmt::skip]
    let cases = [
        ("a person answers",       answered(1, 1),            both(E::Answered)),
        ("its time is over",       elapsed(1),                both(E::Expired)[1..].to_vec()),
        ("its task ends",          QuestionEvent::TaskEnded,  both(E::Withdrawn)),
        // Nobody is there to be told but the person.
        ("its agent is lost",      lost(1),                   Vec::from([disarm(1), close(1, 1, E::Withdrawn)])),
        ("its agent is replaced",  assigned(2),               Vec::from([disarm(1), close(1, 1, E::Withdrawn)])),
    ];
    for (name, event, effects) in cases {
        assert_eq!(after(&[&open[..], &[event]].concat()).1, effects, "{name}");
    }
}

#[test]
fn an_end_is_told_until_both_sides_know_it() {
    let answer = [assigned(1), asked(1, 1), answered(1, 1)];
    let told = relay(1, 1, QuestionEnd::Answered);
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], Untold, &[QuestionEffect]); 6] = [
        ("the agent is silent",              &[elapsed(2)],                          Untold::Both,   &[told, arm(3, RELAY_MS)]),
        ("the person's side knows",          &[closed(1, 1)],                        Untold::Agent,  &[]),
        ("the agent is silent after that",   &[closed(1, 1), elapsed(2)],            Untold::Agent,  &[told, arm(3, RELAY_MS)]),
        ("the agent knows first",            &[acknowledged(1, 1)],                  Untold::Person, &[disarm(2)]),
        ("both know",                        &[closed(1, 1), acknowledged(1, 1)],    Untold::Nobody, &[disarm(2)]),
        ("the agent is lost before it knows", &[closed(1, 1), lost(1)],              Untold::Nobody, &[disarm(2)]),
    ];
    for (name, events, untold, effects) in cases {
        let (questions, given) = after(&[&answer[..], events].concat());
        assert_eq!(questions.state, QuestionState::Settled { end: QuestionEnd::Answered, untold }, "{name}");
        assert_eq!(given, effects, "{name}");
    }
}

#[test]
fn an_answer_settles_its_own_question_once_and_in_time() {
    use Ignored::{Duplicate, Stale};
    let settled = [asked(1, 1), answered(1, 1), acknowledged(1, 1), closed(1, 1)];
    let second = [&[assigned(1)], &settled[..], &[asked(1, 2)]].concat();
    let other = [assigned(1), asked(1, 1), assigned(2), closed(1, 1), asked(2, 1)];
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], QuestionEvent, Ignored); 8] = [
        ("answered twice",                     &second[..3],                                     answered(1, 1), Duplicate),
        ("answered twice, when all is settled", &second[..5],                                    answered(1, 1), Duplicate),
        ("for the question before",            &second,                                          answered(1, 1), Stale),
        ("for the agent before",               &other,                                           answered(1, 1), Stale),
        ("when its time is over",              &[assigned(1), asked(1, 1), elapsed(1)],          answered(1, 1), Stale),
        ("when the task has ended",            &[assigned(1), asked(1, 1), QuestionEvent::TaskEnded], answered(1, 1), Stale),
        ("when its agent is lost",             &[assigned(1), asked(1, 1), lost(1)],             answered(1, 1), Stale),
        ("an old acknowledgement",             &[&second[..], &[answered(1, 2)]].concat(),       acknowledged(1, 1), Stale),
    ];
    for (name, events, event, why) in cases {
        assert_eq!(refused(&after(events).0, event), Outcome::Ignored(why), "{name}");
    }
}

#[test]
fn who_may_ask_is_the_agent_of_the_last_assignment_and_one_thing_at_a_time() {
    use Ignored::{Duplicate, Stale, Terminal};
    let ignored = |why| Outcome::Ignored(why);
    let gap = |expected, got| {
        let (expected, got) = (QuestionNumber(expected), QuestionNumber(got));
        Outcome::Rejected(QuestionRejected::QuestionGap { expected, got })
    };
    let unassigned =
        |last, got| Outcome::Rejected(QuestionRejected::NotAssigned { last: Epoch(last), got: Epoch(got) });
    let unsettled = |state| Outcome::Rejected(QuestionRejected::Unsettled { question: key(1, 1), state });
    let told = QuestionState::Settled { end: QuestionEnd::Withdrawn, untold: Untold::Person };
    let open = [assigned(1), asked(1, 1)];
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], QuestionEvent, Outcome<QuestionRejected>); 12] = [
        ("nobody is assigned",          &[],                                      asked(1, 1), unassigned(0, 1)),
        ("under no epoch",              &[assigned(1)],                           asked(0, 1), unassigned(1, 0)),
        ("under an epoch to come",      &[assigned(1)],                           asked(2, 1), unassigned(1, 2)),
        ("lost, and back",              &[assigned(1), lost(1)],                  asked(1, 1), ignored(Stale)),
        ("replaced, and back",          &[assigned(1), assigned(3)],              asked(1, 1), ignored(Stale)),
        ("the task has ended",          &[assigned(1), QuestionEvent::TaskEnded], asked(1, 1), ignored(Terminal)),
        ("it was heard before",         &open,                                    asked(1, 1), ignored(Duplicate)),
        ("no number",                   &open,                                    asked(1, 0), gap(2, 0)),
        ("a number left out",           &open,                                    asked(1, 3), gap(2, 3)),
        ("the first is open",           &open,                                    asked(1, 2), unsettled(QuestionState::Open)),
        ("a new agent begins anew",     &[&open[..], &[assigned(2)]].concat(),    asked(2, 2), gap(1, 2)),
        ("the person has to be told",   &[&open[..], &[assigned(2)]].concat(),    asked(2, 1), unsettled(told)),
    ];
    for (name, events, event, outcome) in cases {
        assert_eq!(refused(&after(events).0, event), outcome, "{name}");
    }
}

#[test]
fn agents_come_and_go_in_the_order_of_their_epochs() {
    use Ignored::{Duplicate, Stale, Terminal};
    let ended = [assigned(2), QuestionEvent::TaskEnded];
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], QuestionEvent, Ignored); 8] = [
        ("assigned again",               &[assigned(2)],          assigned(2),              Duplicate),
        ("assigned before",              &[assigned(2)],          assigned(1),              Stale),
        ("assigned, but lost",           &[assigned(2), lost(2)], assigned(2),              Stale),
        ("assigned after the end",       &ended,                  assigned(3),              Terminal),
        ("lost again",                   &[assigned(2), lost(2)], lost(2),                  Duplicate),
        ("another one was lost",         &[assigned(2)],          lost(1),                  Stale),
        ("lost, and nothing to be told", &ended,                  lost(2),                  Terminal),
        ("ended again",                  &ended,                  QuestionEvent::TaskEnded, Duplicate),
    ];
    for (name, events, event, why) in cases {
        assert_eq!(refused(&after(events).0, event), Outcome::Ignored(why), "{name}");
    }
}

#[test]
fn resync_repeats_what_is_outstanding() {
    use QuestionEnd as E;
    let open = [assigned(1), asked(1, 1)];
    let answer = [&open[..], &[answered(1, 1)]].concat();
    let ask = QuestionEffect::Ask { question: key(1, 1) };
    let (told, shut) = (relay(1, 1, E::Answered), close(1, 1, E::Answered));
    #[rustfmt::skip]
    let cases: [(&str, &[QuestionEvent], &[QuestionEffect]); 6] = [
        ("silent",                 &[assigned(1)],                                   &[]),
        ("open",                   &open,                                            &[ask, arm(1, QUESTION_MS)]),
        ("nobody knows the end",   &answer,                                          &[told, shut, arm(2, RELAY_MS)]),
        ("the person knows it",    &[&answer[..], &[closed(1, 1)]].concat(),         &[told, arm(2, RELAY_MS)]),
        ("the agent knows it",     &[&answer[..], &[acknowledged(1, 1)]].concat(),   &[shut]),
        ("both know it",           &[&answer[..], &[acknowledged(1, 1), closed(1, 1)]].concat(), &[]),
    ];
    for (name, events, effects) in cases {
        let (questions, mut repeated) = (after(events).0, Vec::new());
        questions.resync(&Config::default(), &mut |effect| repeated.push(effect));
        assert_eq!(repeated, effects, "{name}");
    }
}
