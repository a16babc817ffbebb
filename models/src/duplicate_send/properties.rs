//! What is promised of whoever sends for a turn, by one predicate for all clients.
//!
//! Judged is the [`Wire`], never the variables of a client.

use downbeat_sim::model::{Model, Property};

use super::wire::{Progress, Promise, SendIndex, Sent, Stage, Wire, turn_name};

/// A state of a client, as those see it who are at the other end of the wire.
pub trait Judged {
    /// What went over the wire.
    fn wire(&self) -> &Wire;

    /// How its story calls a send.
    fn send_name(&self, send: SendIndex) -> String {
        (send + 1).to_string()
    }

    /// Which turn does not end, and why, as a sentence.
    fn unsettled(&self) -> String;
}

/// The properties that everyone who sends has to keep, but for those that nothing here could put to the test.
pub fn of_senders<M: Model<State: Judged>>(is_tested: impl Fn(&str) -> bool) -> Vec<Property<M>> {
    let mut properties = always();
    properties.extend([stale_tokens(), after_cancel(), continuity(), waits(), metadata()]);
    properties.push(Property::no_deadlock(
        "deadlock",
        "the system rests only when every turn is over",
        |_, state: &M::State| state.unsettled(),
    ));
    properties.extend([ends(), cancel_ends()]);
    properties.retain(|property| is_tested(property.id));
    properties
}

fn always<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::always(
            "S1",
            "at most one open stream for a turn, and none after its end",
            |_, state: &M::State| crowded(state).is_none(),
            |_, state: &M::State| state.wire().sends().any(|(_, sent)| sent.is_open()),
            |_, state: &M::State| crowded(state).unwrap_or_default(),
        ),
        Property::always(
            "S2",
            "a turn is sent within one budget, each attempt once, and not after a refusal for good",
            |_, state: &M::State| state.wire().breach(Promise::S2).is_none(),
            |_, state: &M::State| has_sent_again(state.wire()),
            |_, state: &M::State| {
                by_send(state, Promise::S2, |send, sent, wire| {
                    let name = turn_name(sent.turn);
                    match wire.sends_of(sent.turn).count() {
                        1 => format!("send {send} goes out a second time"),
                        count => {
                            format!("send {send} is one too many: turn {name} goes out {count} times by now")
                        }
                    }
                })
            },
        ),
        Property::always(
            "S18",
            "one response is accepted, it is whole, and all output is of one send",
            |_, state: &M::State| state.wire().breach(Promise::S18).is_none(),
            |_, state: &M::State| state.wire().sends().any(|(_, sent)| sent.stage == Stage::Whole),
            |_, state: &M::State| {
                by_send(state, Promise::S18, |send, sent, _| match sent.stage {
                    Stage::Whole | Stage::Working | Stage::Asked => {
                        format!("output of send {send} goes out, after that of another")
                    }
                    Stage::Unsent | Stage::Refused | Stage::Broken => {
                        format!("send {send} is accepted, which has no whole response")
                    }
                })
            },
        ),
        Property::always(
            "paid",
            "what a provider may want to be paid for is in the books of the turn's owner",
            |_, state: &M::State| state.wire().breach(Promise::Paid).is_none(),
            |_, state: &M::State| {
                state.wire().sends().any(|(_, sent)| sent.is_billed && sent.stage == Stage::Broken)
            },
            |_, state: &M::State| unbooked(state),
        ),
        Property::always(
            "charged",
            "usage is charged once, to the profile that was sent to",
            |_, state: &M::State| state.wire().breach(Promise::Charged).is_none(),
            |_, state: &M::State| state.wire().sends().any(|(_, sent)| sent.is_charged),
            |_, state: &M::State| {
                by_send(state, Promise::Charged, |send, sent, _| {
                    format!("send {send} went to provider {}, and another one is charged", sent.profile + 1)
                })
            },
        ),
    ]
}

fn stale_tokens<M: Model<State: Judged>>() -> Property<M> {
    Property::always(
        "S17",
        "a turn that was refused for its token is sent there again with a newer one, and once",
        |_, state: &M::State| state.wire().breach(Promise::S17).is_none(),
        |_, state: &M::State| {
            let wire = state.wire();
            wire.turns().any(|(index, turn)| turn.has_refused() && wire.open_streams(index).next().is_some())
        },
        |_, state: &M::State| {
            by_send(state, Promise::S17, |send, sent, wire| {
                let turn = wire.turn(sent.turn);
                if turn.is_refused_for_good {
                    format!("send {send} goes out after a second refusal")
                } else {
                    format!("send {send} goes out with token {}, which was refused", sent.token)
                }
            })
        },
    )
}

fn after_cancel<M: Model<State: Judged>>() -> Property<M> {
    Property::always(
        "S19",
        "nothing is sent for a turn that was cancelled, nor accepted",
        |_, state: &M::State| state.wire().breach(Promise::S19).is_none(),
        |_, state: &M::State| state.wire().turns().any(|(_, turn)| turn.is_cancelled),
        |_, state: &M::State| {
            by_send(state, Promise::S19, |send, sent, _| {
                let name = turn_name(sent.turn);
                let what = if sent.is_open() { "goes out" } else { "is accepted" };
                format!("send {send} {what} for turn {name}, which was cancelled or is over")
            })
        },
    )
}

fn continuity<M: Model<State: Judged>>() -> Property<M> {
    Property::always(
        "continuity",
        "no two turns continue from one response",
        |_, state: &M::State| state.wire().breach(Promise::Continuity).is_none(),
        |_, state: &M::State| state.wire().sends().any(|(_, sent)| sent.from.is_some()),
        |_, state: &M::State| {
            by_send(state, Promise::Continuity, |send, sent, _| {
                let from = sent.from.unwrap_or_default();
                format!("send {send} continues from response {from}, and so does another turn")
            })
        },
    )
}

fn waits<M: Model<State: Judged>>() -> Property<M> {
    Property::always(
        "waits",
        "what a provider throttled comes back to it after the wait of the turn's owner, and in no other way",
        |_, state: &M::State| state.wire().breach(Promise::Waits).is_none(),
        |_, state: &M::State| state.wire().turns().any(|(_, turn)| turn.has_throttled()),
        |_, state: &M::State| {
            by_send(state, Promise::Waits, |send, _, _| {
                format!(
                    "send {send} goes to a provider that asked for patience, and the owner has not waited"
                )
            })
        },
    )
}

fn metadata<M: Model<State: Judged>>() -> Property<M> {
    Property::always(
        "metadata",
        "the description of the model is fetched once for each try of a turn",
        |_, state: &M::State| state.wire().breach(Promise::Metadata).is_none(),
        |_, state: &M::State| state.wire().turns().any(|(_, turn)| turn.fetched > 0),
        |_, state: &M::State| match state.wire().breach(Promise::Metadata) {
            Some(turn) => format!(
                "for turn {} the description is fetched {} times",
                turn_name(turn),
                state.wire().turn(turn).fetched
            ),
            None => String::new(),
        },
    )
}

fn ends<M: Model<State: Judged>>() -> Property<M> {
    Property::leads_to(
        "L1",
        "every turn ends",
        |_, state: &M::State| state.wire().open_turns().next().is_some(),
        |_, state: &M::State| state.wire().open_turns().next().is_none(),
        |_, state: &M::State| format!("for ever: {}", state.unsettled()),
    )
}

fn cancel_ends<M: Model<State: Judged>>() -> Property<M> {
    Property::leads_to(
        "L2",
        "a turn that is cancelled ends",
        |_, state: &M::State| is_cancel_pending(state.wire()),
        |_, state: &M::State| !is_cancel_pending(state.wire()),
        |_, state: &M::State| format!("for ever: {}", state.unsettled()),
    )
}

fn is_cancel_pending(wire: &Wire) -> bool {
    wire.turns().any(|(_, turn)| turn.is_cancelled && turn.progress == Progress::Open)
}

fn has_sent_again(wire: &Wire) -> bool {
    wire.turns().any(|(turn, _)| wire.sends_of(turn).count() > 1)
}

/// A sentence about a turn with two open streams, or with one after its end.
fn crowded(state: &impl Judged) -> Option<String> {
    let wire = state.wire();
    wire.turns().find_map(|(index, turn)| {
        let open: Vec<String> = wire.open_streams(index).map(|send| state.send_name(send)).collect();
        let name = turn_name(index);
        match (turn.progress, open.as_slice()) {
            (_, [_, _, ..]) => Some(format!("sends {} of turn {name} are open", open.join(" and "))),
            (Progress::Over(_), [send]) => Some(format!("turn {name} is over, and send {send} is open")),
            (Progress::Unmade | Progress::Open, [_]) | (_, []) => None,
        }
    })
}

fn unbooked(state: &impl Judged) -> String {
    match state.wire().sends().find(|(_, sent)| sent.is_billed && !sent.is_booked) {
        Some((send, sent)) => format!(
            "provider {} has worked on send {}, and the owner of turn {} does not know",
            sent.profile + 1,
            state.send_name(send),
            turn_name(sent.turn)
        ),
        None => String::new(),
    }
}

/// A sentence about the send that broke a promise, which is given by its name.
fn by_send<S: Judged>(state: &S, promise: Promise, words: impl Fn(&str, &Sent, &Wire) -> String) -> String {
    let wire = state.wire();
    let broken_by = wire.breach(promise);
    broken_by.map_or_else(String::new, |send| words(&state.send_name(send), wire.sent(send), wire))
}
