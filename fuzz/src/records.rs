//! Any bytes as a journal, of a kernel and of what stands beside it.

use crate::machines::{Machine, small_pool};
use downbeat_kernel::{
    Config, Credential, CredentialRecord, Discard, Event, Kernel, NotificationRecord, Outbox, Pool,
    PoolRecord, QuestionRecord, Questions, Record, Retry, RetryRecord,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Reads bytes as the lines of a journal, and replays what can be read.
///
/// # Panics
/// If a record changes when it is written again, or a state that the journal leads to is not valid.
pub fn records(bytes: &[u8]) {
    journal(bytes);
}

/// The same, with what was read: of which machine, and of which version.
///
/// # Panics
/// As [`records`].
pub fn journal(bytes: &[u8]) -> BTreeSet<(&'static str, u32)> {
    let mut kernel = Kernel::new(Config::default());
    let mut credential = Credential::default();
    let mut pool = Pool::new(small_pool());
    let mut questions = Questions::default();
    let mut outbox = Outbox::default();
    let mut retry = Retry::default();
    let mut read = BTreeSet::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        // A word of one machine may be a word of another, and then both take it.
        let versions = [
            ("Kernel", step_kernel(&mut kernel, line)),
            ("Credential", step(&mut credential, line, CredentialRecord::version)),
            ("Pool", step(&mut pool, line, PoolRecord::version)),
            ("Questions", step(&mut questions, line, QuestionRecord::version)),
            ("Outbox", step(&mut outbox, line, NotificationRecord::version)),
            ("Retry", step(&mut retry, line, RetryRecord::version)),
        ];
        read.extend(versions.into_iter().filter_map(|(machine, version)| Some((machine, version?))));
    }
    read
}

fn step_kernel(kernel: &mut Kernel, line: &[u8]) -> Option<u32> {
    let (version, event) = event_of::<Record, Event>(line, Record::version)?;
    // A journal from elsewhere may have what no kernel takes.
    let _outcome = kernel.step(event, &mut Discard);
    assert_eq!(kernel.validate(), Ok(()), "a journal led to a state that is not valid");
    Some(version)
}

fn step<M, R>(machine: &mut M, line: &[u8], version: fn(&R) -> u32) -> Option<u32>
where
    M: Machine,
    R: From<M::Event> + Into<M::Event> + Serialize + DeserializeOwned,
{
    let (version, event) = event_of::<R, M::Event>(line, version)?;
    machine.step(event);
    assert_eq!(machine.contradiction(), None, "a journal led to a state that is not valid");
    Some(version)
}

/// What the line says, and in which version, if it says anything to this machine.
fn event_of<R, E>(line: &[u8], version: fn(&R) -> u32) -> Option<(u32, E)>
where
    R: From<E> + Into<E> + Serialize + DeserializeOwned,
    E: Clone + PartialEq + Debug,
{
    let record: R = serde_json::from_slice(line).ok()?;
    let version = version(&record);
    let event: E = record.into();
    let written = serde_json::to_vec(&R::from(event.clone())).expect("a record has no maps");
    let read: R = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(read.into(), event, "a record changed on its way");
    Some((version, event))
}
