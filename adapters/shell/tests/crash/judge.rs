//! Whether what the world saw keeps the promises.

use crate::world::{Seen, answer_to};
use downbeat_kernel::{
    CallResult, Generation, MessageId, Part, QuestionEnd, RequestId, RetryEnd, TaskId, TurnNumber,
};
use downbeat_shell::RootEnd;
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
    questions_of_agents_end_once(seen);
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

/// S7, S18, S24, L1: people hear of the end of every task, under the number behind all progress, and of no other end; and one attempt at
/// it has asked the model.
fn ends_are_one(seen: &Seen) {
    let mut again = 0;
    for (task, ends) in &seen.ends {
        let roots: Vec<_> =
            seen.names.iter().filter(|(_, name)| *name == task).map(|(root, _)| root).collect();
        let (&[root], [(number, end, text)]) = (&roots[..], &ends[..]) else {
            panic!("S7, S18, S24: {task:?} was tried as {roots:?}, and ended as {ends:?}");
        };
        let last = seen.progress.get(task).copied().unwrap_or_default();
        let expected = (last.0 + 1, format!("end of {}", root.0));
        assert_eq!((number.0, text.clone()), expected, "S24: {task:?}");
        let RootEnd::Tried { end: RetryEnd::Completed { attempt }, .. } = end else {
            panic!("{task:?}: {end:?}")
        };
        assert_eq!(attempt.0 == 1, seen.is_ready[task], "S18: {task:?} has {attempt:?}");
        again += u32::from(attempt.0 > 1);
    }
    assert!(again > 10, "hardly any task was tried again");
    let accepted: BTreeSet<_> = seen.roots.keys().collect();
    let ended: BTreeSet<_> = seen.ends.keys().collect();
    assert_eq!(accepted, ended, "L1: a root was accepted and has no end, or the other way round");
}

/// S6, S7, L1 of questions: every question of an agent that people heard of has one end, and an agent is told its own answer.
fn questions_of_agents_end_once(seen: &Seen) {
    for (key, ends) in &seen.fleet.asked {
        assert_eq!(ends.len(), 1, "S7: {key:?} ended as {ends:?}");
    }
    for (key, told) in &seen.fleet.told {
        let answered = (QuestionEnd::Answered, answer_to(*key));
        assert_eq!(told.iter().collect::<Vec<_>>(), [&answered], "S6: {key:?}");
    }
    let withdrawn = seen.fleet.asked.values().filter(|ends| ends.contains(&QuestionEnd::Withdrawn)).count();
    let (asked, told) = (seen.fleet.asked.len(), seen.fleet.told.len());
    println!("{asked} questions of agents, of which {told} were answered and {withdrawn} withdrawn");
    assert!(told > 20, "hardly any agent asked");
}

/// Tasks that have asked the model and are no roots.
fn subtasks(seen: &Seen) -> BTreeSet<TaskId> {
    seen.sends.keys().map(|id| id.task).filter(|task| !seen.names.contains_key(task)).collect()
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
                seen.names.get(&task) == Some(root) && *piece == (Part::Message(message), text.clone())
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
