//! Any bytes as a journal.

use downbeat_kernel::{Config, Discard, Event, Kernel, Record};

/// Reads bytes as the lines of a journal, and replays what can be read.
///
/// # Panics
/// If a record changes when it is written again, or the state that the journal leads to is not valid.
pub fn records(bytes: &[u8]) {
    let mut kernel = Kernel::new(Config::default());
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(record) = serde_json::from_slice::<Record>(line) else { continue };
        let event = Event::from(record);
        let written = serde_json::to_vec(&Record::from(event.clone())).expect("a record has no maps");
        let read: Record = serde_json::from_slice(&written).expect("what was written can be read");
        assert_eq!(Event::from(read), event, "a record changed on its way");
        // A journal from elsewhere may have what no kernel takes.
        let _outcome = kernel.step(event, &mut Discard);
        assert_eq!(kernel.validate(), Ok(()), "a journal led to a state that is not valid");
    }
}
