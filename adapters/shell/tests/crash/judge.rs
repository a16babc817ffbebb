//! Whether what the world saw keeps the promises.

use crate::world::Seen;
use downbeat_kernel::{
    CallResult, End, Generation, MessageId, NotificationNumber, Part, RequestId, TaskId, TurnNumber,
};
use std::collections::{BTreeMap, BTreeSet};

/// In which turns of which task something was part of a request.
type Turns = BTreeSet<(TaskId, TurnNumber)>;

pub(crate) fn judge(seen: &Seen) {
    assert_eq!(seen.doubled, [], "S2: sent twice");
    attempts_have_the_same_content(seen);
    ends_are_one(seen);
    messages_are_read_once(seen);
    results_are_read_once(seen);
    tokens_are_used_once(seen);
    println!(
        "{} kills, {} roots, {} tasks, {} sends, {} tools, {} refreshes of which {} were unheard in their life, {} leases of which {} were lost",
        seen.kills,
        seen.roots.len(),
        seen.ends.len() + subtasks(seen).len(),
        seen.sends.len(),
        seen.tools.len(),
        seen.login.used.len(),
        seen.login.unheard,
        seen.fleet.leases,
        seen.fleet.losses()
    );
    assert!(seen.fleet.losses() > 20, "hardly any agent died");
    assert!(seen.roots.len() > 50, "there was hardly any load");
}

/// S2: what a turn asks is the same in every attempt, and attempts have no gaps.
fn attempts_have_the_same_content(seen: &Seen) {
    let mut turns: BTreeMap<(TaskId, TurnNumber), &Vec<(Part, String)>> = BTreeMap::new();
    for (RequestId { task, turn, .. }, asking) in &seen.sends {
        let first = turns.entry((*task, *turn)).or_insert(asking);
        assert_eq!(*first, asking, "S2: {task:?} {turn:?}");
    }
}

/// S7, S24, L1: people hear of the end of every root, under one number, and of no other end.
fn ends_are_one(seen: &Seen) {
    for (task, ends) in &seen.ends {
        let expected = (NotificationNumber(1), End::Completed, format!("end of {}", task.0));
        assert_eq!(*ends, [expected], "S7, S24: {task:?}");
    }
    let accepted: BTreeSet<_> = seen.roots.keys().collect();
    let ended: BTreeSet<_> = seen.ends.keys().collect();
    assert_eq!(accepted, ended, "L1: a root was accepted and has no end, or the other way round");
}

/// Tasks that have asked the model and are no roots.
fn subtasks(seen: &Seen) -> BTreeSet<TaskId> {
    seen.sends.keys().map(|id| id.task).filter(|task| !seen.roots.contains_key(task)).collect()
}

/// S15: no refresh token comes twice, or the server revokes the login.
fn tokens_are_used_once(seen: &Seen) {
    let used = &seen.login.used;
    assert_eq!(*used, (1..=used.len()).filter_map(generation).collect::<Vec<_>>(), "S15: a token came twice");
    assert!(used.len() > 20, "hardly any token expired");
}

fn generation(number: usize) -> Option<Generation> {
    u32::try_from(number).ok().map(Generation)
}

/// Every turn whose request contains something.
fn turns_with(seen: &Seen, wanted: impl Fn(TaskId, &(Part, String)) -> bool) -> Turns {
    let of = |(id, asking): (&RequestId, &Vec<(Part, String)>)| {
        asking.iter().any(|piece| wanted(id.task, piece)).then_some((id.task, id.turn))
    };
    seen.sends.iter().filter_map(of).collect()
}

/// S5: an accepted message is in one turn, or reported.
fn messages_are_read_once(seen: &Seen) {
    for (root, accepted) in &seen.roots {
        for message in (1..=*accepted).map(MessageId) {
            let text = format!("message {} to {}", message.0, root.0);
            let turns = turns_with(seen, |task, piece| {
                task == *root && *piece == (Part::Message(message), text.clone())
            });
            let reported = seen.undelivered.contains(&(*root, message));
            assert_eq!(
                turns.len() + usize::from(reported),
                1,
                "S5: {root:?} {message:?}: {turns:?}, reported: {reported}"
            );
        }
    }
}

/// What the model reads of a tool whose agent died.
const LOST: &str = "Its agent was lost.";

/// S3, S4, S8: the result of a subtask or tool is in one turn, that of its own parent, with the words that it ended with; or, where its
/// agent died, those that say so.
fn results_are_read_once(seen: &Seen) {
    for (call, (_, result)) in &seen.tools {
        let turns = turns_with(seen, |_, (part, text)| {
            let is_expected = text == result || (seen.fleet.is_lost(*call) && text == LOST);
            matches!(part, Part::Result { call: of, .. } if of == call) && is_expected
        });
        assert_eq!(
            turns.into_iter().collect::<Vec<_>>(),
            [(call.task, TurnNumber(call.turn.0 + 1))],
            "S8: {call:?}"
        );
    }
    for task in subtasks(seen) {
        let result = format!("end of {}", task.0);
        let turns = turns_with(seen, |_, (part, text)| {
            matches!(part, Part::Result { result: CallResult::Subtask { child, .. }, .. } if *child == task)
                && *text == result
        });
        assert_eq!(turns.len(), 1, "S3: the result of {task:?} is in {turns:?}");
    }
}
