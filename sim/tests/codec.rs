//! States that own memory go to disk if the model says how they are written.

use std::num::NonZeroUsize;
use std::time::Duration;

use downbeat_sim::check::{CheckError, Checker, Limit, Limits};
use downbeat_sim::model::{Codec, Model, Property, Told};
use downbeat_sim::report::Report;

const MIB: u64 = 1 << 20;
/// What a state owns: the 18,564 states of the widest level own 72 MiB.
const OWNED: usize = 4_096;

/// How a state is had back from its first 18 bytes.
type Read = fn(&[u8]) -> Vec<u8>;

/// Sets of at most 6 of 18 places; the state carries more than it needs.
struct Heavy {
    /// If states are written.
    read: Option<Read>,
}

impl Model for Heavy {
    type State = Vec<u8>;
    type Action = usize;

    fn initial(&self) -> Vec<Vec<u8>> {
        vec![vec![0; OWNED]]
    }

    fn actions(&self, state: &Vec<u8>, actions: &mut Vec<usize>) {
        if state.iter().sum::<u8>() < 6 {
            actions.extend((0..18).filter(|place| state[*place] == 0));
        }
    }

    fn next(&self, state: &Vec<u8>, place: &usize) -> Option<Vec<u8>> {
        let mut next = state.clone();
        next[*place] = 1;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::<Self>::sometimes("R1", "the last six are set", |_, state| state[12..18] == [1; 6])]
    }

    fn is_final(&self, _: &Vec<u8>) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["row".into()]
    }

    fn tell(&self, _: &Vec<u8>, place: &usize, _: &Vec<u8>) -> Told {
        Told::new(0, 0, format!("sets {place}"))
    }

    fn codec(&self) -> Option<Codec<Self>> {
        self.read.is_some().then_some(Codec {
            write: |_, state, bytes| bytes.extend(&state[..18]),
            read: |model, bytes| model.read.map_or(Vec::new(), |read| read(bytes)),
        })
    }
}

fn right(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0; OWNED - 18]].concat()
}

/// Forgets the first place in sets of more than 4.
fn wrong(bytes: &[u8]) -> Vec<u8> {
    let is_large = bytes.iter().sum::<u8>() > 4;
    [&[bytes[0] * u8::from(!is_large)], &bytes[1..], &[0; OWNED - 18]].concat()
}

/// The result, and the most memory that the process had.
fn check(read: Option<Read>, limits: Limits) -> (Result<Report, CheckError>, u64) {
    let threads = NonZeroUsize::new(2).expect("two threads are some");
    let (model, mut most) = (Heavy { read }, 0);
    let checker = Checker::new(&model).threads(threads).limits(limits).spill(std::env::temp_dir());
    let result = checker.progress(|progress| most = most.max(progress.memory.unwrap_or(0))).check();
    (result.map(|report| Report { elapsed: Duration::ZERO, ..report }), most)
}

#[test]
#[cfg(target_os = "linux")]
fn memory_of_states_is_kept_to_by_writing_them_or_by_ending() {
    let no_limits = Limits::default();
    let little = Limits { memory: Some(8 * MIB), ..no_limits };
    // Those that free least come first, since memory that was used once is not seen to grow.
    let (spilled, most) = check(Some(right), little);
    assert!(most < 60 * MIB, "the process had {} MiB", most / MIB);
    let (ended, most) = check(None, little);
    assert_eq!(ended.map(|report| report.stopped_by), Ok(Some(Limit::Memory(8 * MIB))));
    assert!(most < 60 * MIB, "the process had {} MiB", most / MIB);
    assert_eq!(check(Some(wrong), little).0, Err(CheckError::CodecLoses));

    let (expected, most) = check(Some(right), no_limits);
    assert_eq!(expected.as_ref().map(|report| (report.distinct, report.stopped_by)), Ok((31_180, None)));
    assert!(most > 72 * MIB, "the process had {} MiB", most / MIB);
    assert_eq!(spilled, expected);
}
