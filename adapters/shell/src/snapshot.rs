//! What a shard knows, as bytes: they save the time of a replay, and can be thrown away at any time.
//!
//! The journal says all that a snapshot says. So there is one form of it, that of this version: whatever does not fit is left aside
//! with its reason, and the journal is read from its beginning.

use crate::known::{Contradiction, Known};
use crate::number::{Place, Settings};
use downbeat_store::{Position, Snapshot};
use std::fmt;

/// The form of the bytes. Another one for every change of what a shard knows, of the kernel's state above all: a test holds the
/// bytes of a state against it.
pub(crate) const FORM: u32 = 8;

/// Why a snapshot is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Another version wrote it.
    Form(u32),
    /// The bytes are no state.
    Unreadable(postcard::Error),
    /// There were more shards then, or fewer.
    Shards(u32),
    /// It was taken under other settings of its machines.
    Settings,
    /// The state contradicts itself.
    Corrupt(Contradiction),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(form) => write!(f, "another version wrote it: form {form}, and this one reads {FORM}"),
            Self::Unreadable(error) => write!(f, "its bytes are no state: {error}"),
            Self::Shards(shards) => write!(f, "there were {shards} shards when it was taken"),
            Self::Settings => f.write_str("it was taken under other settings of its machines"),
            Self::Corrupt(corrupt) => write!(f, "its state contradicts itself: {corrupt:?}"),
        }
    }
}

/// What a shard knows before this position.
pub(crate) fn encode(known: &Known, place: Place, next: Position) -> Result<Snapshot, postcard::Error> {
    Ok(Snapshot { next, form: FORM, bytes: postcard::to_allocvec(&(place.shards, known))? })
}

/// What a shard knew when the snapshot was taken, if that is of use here.
pub(crate) fn decode(snapshot: &Snapshot, place: Place, settings: Settings) -> Result<Known, Unfit> {
    if snapshot.form != FORM {
        return Err(Unfit::Form(snapshot.form));
    }
    let (shards, known): (u32, Known) = postcard::from_bytes(&snapshot.bytes).map_err(Unfit::Unreadable)?;
    if shards != place.shards {
        return Err(Unfit::Shards(shards));
    }
    if known.settings() != settings {
        return Err(Unfit::Settings);
    }
    known.validate().map_err(Unfit::Corrupt)?;
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Entry, Past, Recorded};
    use crate::fact::Fact;
    use crate::history::{PLACE, history, known_after, settings};
    use downbeat_kernel::{Config, Event, Generation, ProfileId, PromptId, TaskId};
    use downbeat_store::ShardId;

    const NEXT: Position = Position(1);

    #[test]
    fn snapshot_after_any_event_leads_to_the_same_as_none() {
        let history = history();
        let end = known_after(&history);
        assert!(history.len() > 170 && end.kernel.tasks().count() > 0, "too little happens");
        let worker = end.kernel.task(TaskId(14)).and_then(|task| task.data.worker.as_ref());
        assert_eq!(worker.map(|worker| worker.data.session.settled), Some(PromptId(3)), "no worker worked");
        let speaks = |entry: &&Entry| entry.line().is_ok_and(|line| line.contains("OutputDelivered"));
        assert!(history.iter().filter(speaks).count() > 1, "no model spoke");
        assert_eq!(end.credentials[&ProfileId(0)].generation, Generation(2), "nothing was refreshed");
        assert_eq!(end.outboxes.keys().collect::<Vec<_>>(), [&TaskId(7), &TaskId(9)], "who has to hear");
        assert_eq!(
            end.attempted.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            [TaskId(9)],
            "who is tried"
        );
        assert!(history.iter().filter(|entry| entry.bill.is_some()).count() > 1, "nothing was paid for");
        let asked = |entry: &&Entry| matches!(entry.event, Recorded::Questions { .. });
        assert!(history.iter().filter(asked).count() > 8, "hardly anything is asked");
        for taken in 0..=history.len() {
            let known = known_after(&history[..taken]);
            let snapshot = encode(&known, PLACE, NEXT).expect("it is written");
            let mut again = decode(&snapshot, PLACE, settings()).expect("it is read");
            assert_eq!(again, known, "after {taken}");
            let mut known = known;
            for entry in &history[taken..] {
                let Past::Happened(fact) = entry.event.clone().into() else { continue };
                let bill = entry.bill.map(|bill| Fact::from(Event::from(bill)));
                for (fact, text) in bill.iter().map(|bill| (bill, &[][..])).chain([(&fact, &entry.text[..])])
                {
                    let (mut orders, mut others) = (vec![], vec![]);
                    let of_again = again.take(entry.at_ms, fact, text, &mut orders);
                    let of_known = known.take(entry.at_ms, fact, text, &mut others);
                    assert_eq!((of_again, orders), (of_known, others), "after {taken}: {fact:?}");
                }
            }
            assert_eq!(again, end, "after {taken}");
        }
    }

    #[test]
    fn snapshot_that_does_not_fit_is_left_aside_with_its_reason() {
        let history = history();
        let whole = encode(&known_after(&history[..50]), PLACE, NEXT).expect("it is written");
        let newer = Snapshot { form: FORM + 1, ..whole.clone() };
        let half = Snapshot { bytes: whole.bytes[..whole.bytes.len() / 2].to_vec(), ..whole.clone() };
        let more = Place { shard: ShardId(0), shards: 2 };
        let kernel = Config { calls_max: 7, ..settings().kernel };
        let others = Settings { kernel, ..settings() };
        let nobody = Settings { pool: None, ..settings() };
        let unreadable = Unfit::Unreadable(postcard::Error::DeserializeUnexpectedEnd);
        #[rustfmt::skip]
        let cases = [
            ("newer",    &newer, PLACE, settings(), Unfit::Form(FORM + 1)),
            ("half",     &half,  PLACE, settings(), unreadable),
            ("shards",   &whole, more,  settings(), Unfit::Shards(1)),
            ("settings", &whole, PLACE, others,     Unfit::Settings),
            ("no pool",  &whole, PLACE, nobody,     Unfit::Settings),
        ];
        for (name, snapshot, place, settings, why) in cases {
            assert_eq!(decode(snapshot, place, settings), Err(why), "{name}");
        }
    }

    #[test]
    fn bytes_that_were_changed_are_no_state_or_a_valid_one() {
        let whole = encode(&known_after(&history()[..50]), PLACE, NEXT).expect("it is written");
        let mut found_out = 0;
        for (place, change) in
            (0..whole.bytes.len()).flat_map(|place| [(place, 1), (place, 0x80), (place, 0xff)])
        {
            let mut changed = whole.clone();
            changed.bytes[place] ^= change;
            match decode(&changed, PLACE, settings()) {
                Ok(known) => assert_eq!(known.validate(), Ok(()), "byte {place}"),
                Err(_) => found_out += 1,
            }
        }
        assert!(found_out > whole.bytes.len() / 2, "{found_out} were found out");
    }

    /// What is there when a version wrote it has to be there for every other that has the same number.
    #[test]
    fn form_has_a_number_of_its_own() {
        let history = history();
        let bytes_of = |known| encode(&known, PLACE, NEXT).expect("it is written").bytes;
        let states = [&history[..50], &history].map(known_after);
        let bytes: Vec<u8> = states.into_iter().flat_map(bytes_of).collect();
        let sum = bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
        // A workspace that is tested as a whole has a kernel with a place for a planted fault in its settings.
        let settings = serde_json::to_value(settings().kernel).expect("settings have a JSON form");
        let expected = match settings.get("fault") {
            None => (8, 1_534, 3_951_313_845),
            Some(_) => (8, 1_538, 3_569_487_649),
        };
        assert_eq!((FORM, bytes.len(), sum), expected, "another form: raise FORM, and put its numbers here");
    }
}
