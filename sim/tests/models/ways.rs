//! The ways in which a search can be done, none of which may change what it finds.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use downbeat_sim::check::{Checker, Checkpointing, Limit, Limits, Reduction};
use downbeat_sim::model::Model;
use downbeat_sim::pack::Pack;
use downbeat_sim::replay::{Replayed, replay};
use downbeat_sim::report::{Kind, PropertyReport, Report, Storage, Undecided, Verdict};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Less memory than any search needs, in bytes.
const LITTLE: u64 = 16 * 1024;

/// A directory that goes with the test.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("there is room for temporary files");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The same cases on every run, and nothing left in files.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(0x0d0b_ea75);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

/// What states are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Fingerprints64,
    Fingerprints128,
    Whole,
    Packed,
}

pub(crate) const EVERY_STORAGE: [Stored; 4] =
    [Stored::Fingerprints64, Stored::Fingerprints128, Stored::Whole, Stored::Packed];

impl Stored {
    pub(crate) fn of<M: Model<State: Pack>>(self, checker: Checker<'_, M>) -> Checker<'_, M> {
        match self {
            Stored::Fingerprints64 => checker.fingerprints_of_64_bits(),
            Stored::Fingerprints128 => checker.fingerprints_of_128_bits(),
            Stored::Whole => checker.whole_states(),
            Stored::Packed => checker.packed_states(),
        }
    }
}

/// A search from its beginning, or from where the one before was interrupted, to its end or an interruption.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) threads: usize,
    /// The states that are expanded at a time, or somewhat more.
    pub(crate) block: usize,
    /// Whether there is so little memory that keys are written to disk after nearly every block.
    pub(crate) spills: bool,
    /// After how many blocks it is interrupted.
    pub(crate) blocks: usize,
    /// Whether that comes as a surprise, so that nothing is left but the checkpoint after the last block.
    pub(crate) is_killed: bool,
}

/// How a search is done.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) stored: Stored,
    /// Of these the last one is not interrupted.
    pub(crate) parts: Vec<Part>,
}

impl Way {
    /// In memory, and not interrupted.
    pub(crate) fn plain(stored: Stored, threads: usize) -> Self {
        let part = Part { threads, block: 1 << 30, spills: false, blocks: 0, is_killed: false };
        Self { stored, parts: vec![part] }
    }
}

/// Ways in so many parts with blocks of so many states.
pub(crate) fn ways(
    parts: RangeInclusive<usize>,
    blocks: impl Strategy<Value = usize>,
) -> impl Strategy<Value = Way> {
    let stored = prop::sample::select(&EVERY_STORAGE[..]);
    let part = (1..=3_usize, blocks, any::<bool>(), 1..=5_usize, any::<bool>());
    let part = part.prop_map(|(threads, block, spills, blocks, is_killed)| Part {
        threads,
        block,
        spills,
        blocks,
        is_killed,
    });
    (stored, prop::collection::vec(part, parts)).prop_map(|(stored, parts)| Way { stored, parts })
}

/// A model, and what is asked about it.
pub(crate) struct Search<'a, M: Model> {
    pub(crate) model: &'a M,
    /// At least as many states as there are.
    pub(crate) states: usize,
    pub(crate) only: &'a [&'a str],
    /// Limits on states and on depth. With one on states blocks have the size that follows from it.
    pub(crate) most: Option<usize>,
    pub(crate) depth: Option<usize>,
    pub(crate) reduction: Option<Reduction>,
}

/// Where a part of a search stands among the others.
#[derive(Clone, Copy)]
struct Stage<'a> {
    directory: &'a Directory,
    is_interrupted: bool,
    /// Whether there are checkpoints.
    is_saved: bool,
    resumes: bool,
}

/// What came of a search.
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// The reports of the parts that were interrupted.
    pub(crate) partial: Vec<Report>,
    /// Whether the last part had too little memory.
    is_on_disk: bool,
    /// Files that were written because there was too little memory.
    pub(crate) files: u64,
}

impl<M: Model<State: Pack>> Search<'_, M> {
    /// Searches in one way.
    pub(crate) fn go(&self, way: &Way, directory: &Directory) -> Outcome {
        let (mut partial, mut files) = (Vec::new(), 0);
        let last = way.parts.len() - 1;
        for (number, part) in way.parts.iter().enumerate() {
            let (is_interrupted, resumes) = (number < last, number > 0);
            let stage = Stage { directory, is_interrupted, is_saved: last > 0, resumes };
            let report = self.part(way.stored, *part, stage, &mut files);
            let goes_on = report.stopped_by == Some(Limit::Interrupt) || part.is_killed;
            if number == last || !goes_on {
                let is_on_disk = part.spills && self.may_spill(way.stored);
                return Outcome { report, partial, is_on_disk, files };
            }
            partial.push(report);
        }
        unreachable!("a search has a last part")
    }

    /// The report of an ordinary search.
    pub(crate) fn plainly(&self, stored: Stored, directory: &Directory) -> Report {
        self.go(&Way::plain(stored, 1), directory).report
    }

    /// Compares what each storage and, besides, each of these ways comes to with what is expected.
    pub(crate) fn agrees(
        &self,
        ways: &[Way],
        expected: &Report,
        directory: &Directory,
    ) -> Result<(), TestCaseError> {
        for stored in EVERY_STORAGE {
            prop_assert_eq!(&self.plainly(stored, directory), expected, "{:?}", stored);
        }
        ways.iter().try_for_each(|way| self.go(way, directory).agrees(expected))
    }

    /// Searches with the least memory that is enough, so that keys are written to disk again and again. Where there was
    /// too little, the search goes on with more.
    fn part(&self, stored: Stored, part: Part, mut stage: Stage<'_>, files: &mut u64) -> Report {
        let mut memory = (part.spills && self.may_spill(stored)).then_some(LITTLE);
        loop {
            let report = self.attempt(stored, part, memory, stage, files);
            let Some(Limit::Memory(most)) = report.stopped_by else { return report };
            memory = Some(most + most / 4);
            stage.resumes |= stage.is_saved;
        }
    }

    fn attempt(
        &self,
        stored: Stored,
        part: Part,
        memory: Option<u64>,
        stage: Stage<'_>,
        files: &mut u64,
    ) -> Report {
        let Stage { directory, is_interrupted, is_saved, resumes } = stage;
        let [path, kept] = ["checkpoint", "kept"].map(|name| directory.path().join(name));
        let (interrupt, mut blocks) = (AtomicBool::new(false), 0);
        // Blocks become small where a limit on states is near, and this one is never reached.
        let states = self.most.unwrap_or(self.states + 64 * part.block);
        let mut checker = stored
            .of(Checker::new(self.model))
            .only(self.only.iter().copied())
            .threads(NonZeroUsize::new(part.threads).expect("a search has a thread"))
            .limits(Limits { states: Some(states), depth: self.depth, memory, time: None })
            .interrupt(&interrupt)
            .progress(|progress| {
                blocks += usize::from(!matches!(progress.phase, downbeat_sim::check::Phase::Resuming(_)));
                *files = files_in(directory).max(*files);
                if is_interrupted && part.blocks == blocks {
                    interrupt.store(true, Ordering::Relaxed);
                    if part.is_killed {
                        std::fs::copy(&path, &kept).expect("a checkpoint was written after the block");
                    }
                }
            });
        if let Some(reduction) = self.reduction {
            checker = checker.reduction(reduction);
        }
        if memory.is_some() {
            checker = checker.spill(directory.path());
        }
        if is_saved {
            let every = if part.is_killed { Duration::ZERO } else { Duration::MAX };
            checker =
                checker.checkpoint(Checkpointing { path: path.clone(), identity: "a model".into(), every });
        }
        let checker = if resumes { checker.resume() } else { checker };
        let report = checker.check().expect("the model is sound");
        if kept.exists() {
            std::fs::rename(&kept, &path).expect("both are files in one directory");
        }
        Report { elapsed: Duration::ZERO, storage: Storage::Exact, ..report }
    }

    /// Whole states stay in memory, and so does a search that must know at once whether a state is new.
    fn may_spill(&self, stored: Stored) -> bool {
        stored != Stored::Whole && self.reduction != Some(Reduction::PartialOrder) && self.depth.is_none()
    }
}

impl Outcome {
    /// That the search came to what was expected, and on the way to nothing else.
    pub(crate) fn agrees(&self, expected: &Report) -> Result<(), TestCaseError> {
        let is_spilled =
            |property: &PropertyReport| property.undecided == Some(Undecided::LivenessWhenSpilled);
        if self.report.properties.iter().any(is_spilled) {
            prop_assert!(self.is_on_disk);
            prop_assert_eq!(&self.report, &undecided(expected, Undecided::LivenessWhenSpilled));
        } else {
            prop_assert_eq!(&self.report, expected);
        }
        if self.partial.is_empty() {
            prop_assert_eq!(self.is_on_disk, self.files > 0);
        }
        for partial in &self.partial {
            prop_assert!(partial.distinct <= expected.distinct && partial.generated <= expected.generated);
            for (found, expected) in partial.properties.iter().zip(&expected.properties) {
                let is_open = found.verdict == Verdict::Incomplete && found.counterexample.is_none();
                prop_assert!(is_open || found == expected, "{:?} is not {:?}", found, expected);
            }
        }
        Ok(())
    }
}

/// Every counterexample is a behaviour of the model that violates its property, and reads as it is told.
pub(crate) fn all_replay<M: Model>(model: &M, report: &Report) -> Result<(), TestCaseError> {
    for found in &report.properties {
        if let Some(counterexample) = &found.counterexample {
            let again = Replayed { counterexample: counterexample.clone(), reworded: Vec::new() };
            prop_assert_eq!(replay(model, found.id, counterexample), Ok(again), "{}", found.id);
        }
    }
    Ok(())
}

/// A report without what it says about liveness.
pub(crate) fn undecided(report: &Report, why: Undecided) -> Report {
    let mut report = report.clone();
    let of_liveness =
        |property: &&mut PropertyReport| matches!(property.kind, Kind::LeadsTo | Kind::Eventually);
    for property in report.properties.iter_mut().filter(of_liveness) {
        let PropertyReport { id, name, kind, .. } = *property;
        let is_shortest = false;
        let (verdict, undecided) = (Verdict::Incomplete, Some(why));
        *property = PropertyReport { id, name, kind, verdict, undecided, counterexample: None, is_shortest };
    }
    report.fairness.iter_mut().for_each(|action| action.is_enabled = None);
    report
}

/// The number of files that searches in progress have written into the directory.
fn files_in(directory: &Directory) -> u64 {
    let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
    let files = entries(directory.path()).flat_map(|inner| entries(&inner.path()));
    files.filter_map(|file| file.file_name().to_str()?.parse().ok()).max().unwrap_or(0)
}
