//! The runs: which tests come by which mutant, and which of them fails for it.

mod process;
mod tests;

pub use tests::Test;

use super::copy::{Built, Places};
use super::{Failure, Mutant, Numbers};
use process::{End, Process};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Tests that take no longer than this run together, before all others: most mutants are caught by them, and to start
/// a program for each would take longer than the tests do.
const QUICK: Duration = Duration::from_millis(60);

/// Seconds of a processor that a run has beyond twice what its tests take without a mutant.
const SECONDS_BEYOND: u64 = 4;

/// How many of the quick tests that caught the last mutants of a file are tried first, each alone: what is near each other
/// is mostly caught by the same test.
const CATCHERS_MAX: usize = 4;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A test failed, or did not end.
    Caught {
        /// Which one.
        by: String,
    },
    /// Every test that comes by it passed.
    Survived,
    /// No test comes by it.
    Unreached,
    /// It does not compile.
    Refused,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught { by } => write!(f, "caught by {by}"),
            Self::Survived => f.write_str("survived"),
            Self::Unreached => f.write_str("reached by no test"),
            Self::Refused => f.write_str("does not compile"),
        }
    }
}

/// The test programs of the copy, with what is known of each test.
pub struct Suite {
    programs: Vec<PathBuf>,
    /// Those of the quickest first.
    tests: Vec<Test>,
    refused: Numbers,
    jobs: usize,
    /// For each file the places of the tests that caught its last mutants, the latest last.
    catchers: Mutex<BTreeMap<String, Vec<usize>>>,
}

/// How the tests are run.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How many programs run at a time.
    pub jobs: usize,
    /// Tests that take longer are left out.
    pub longest: Duration,
}

impl Suite {
    /// Runs each test once without a mutant, and records by which mutants it comes.
    ///
    /// # Errors
    ///
    /// [`Failure::Unmutated`] if a test fails, and [`Failure::Io`].
    pub fn record(
        built: Built,
        places: &Places,
        manner: Manner,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self, Failure> {
        let (Built { programs, refused }, Manner { jobs, longest }) = (built, manner);
        let named = tests::names(&programs)?;
        let folder = places.copy.join("reached");
        fs::create_dir_all(&folder).map_err(Failure::of("the folder of the records"))?;
        let done = AtomicUsize::new(0);
        let recorded = side_by_side(jobs, &named, |index, named_test| {
            let test = tests::record(&programs, named_test, &folder.join(index.to_string()), longest);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, named.len());
            test
        });
        let recorded = recorded.into_iter().collect::<Result<Vec<Option<Test>>, Failure>>()?;
        let mut tests: Vec<Test> = recorded.into_iter().flatten().collect();
        tests.sort_by_key(|test| test.took);
        Ok(Self { programs, tests, refused, jobs, catchers: Mutex::default() })
    }

    /// How long all tests take one after the other.
    pub fn took(&self) -> Duration {
        self.tests.iter().map(|test| test.took).sum()
    }

    /// The tests, the quickest first.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// What becomes of each of these mutants, in their order. Those in `accepted` run against the quick tests alone: nobody
    /// expects that one catches them. `told` hears of each as soon as it is known.
    ///
    /// # Errors
    ///
    /// [`Failure::Io`] if a test program cannot be run.
    pub fn fates(
        &self,
        mutants: &[Mutant],
        accepted: &Numbers,
        told: &(dyn Fn(&Mutant, &Fate) + Sync),
    ) -> Result<Vec<Fate>, Failure> {
        let fates = side_by_side(self.jobs, mutants, |_, mutant| {
            let fate = self.fate(mutant, accepted.contains(&mutant.number))?;
            told(mutant, &fate);
            Ok(fate)
        });
        fates.into_iter().collect()
    }

    fn fate(&self, mutant: &Mutant, is_accepted: bool) -> Result<Fate, Failure> {
        let (number, file) = (mutant.number, &mutant.mutation.file);
        if self.refused.contains(&number) {
            return Ok(Fate::Refused);
        }
        let reaching =
            |index: &usize| self.tests.get(*index).is_some_and(|test| test.reached.contains(&number));
        let reaching: Vec<usize> = (0..self.tests.len()).filter(reaching).collect();
        let is_due = |test: &&Test| !is_accepted || test.took <= QUICK;
        for batch in self.batches(file, &reaching) {
            let batch: Vec<&Test> = batch.into_iter().filter(is_due).collect();
            if let Some(by) = self.failing(number, &batch)? {
                self.remember(file, &by);
                return Ok(Fate::Caught { by });
            }
        }
        Ok(if reaching.is_empty() { Fate::Unreached } else { Fate::Survived })
    }

    /// First what caught the last mutants of the file, then the quick tests of each program together, and then each of the
    /// others, the quickest first.
    fn batches(&self, file: &str, reaching: &[usize]) -> Vec<Vec<&Test>> {
        let likely = self.catchers.lock().unwrap_or_else(PoisonError::into_inner);
        let likely = likely.get(file).cloned().unwrap_or_default();
        let (first, rest): (Vec<usize>, Vec<usize>) =
            reaching.iter().partition(|index| likely.contains(index));
        let tests = |places: Vec<usize>| places.into_iter().filter_map(|index| self.tests.get(index));
        let (quick, slow): (Vec<&Test>, Vec<&Test>) = tests(rest).partition(|test| test.took <= QUICK);
        let of = |program| quick.iter().copied().filter(move |test| test.program == program).collect();
        let together = (0..self.programs.len()).map(of);
        let alone = |test| vec![test];
        let batches = tests(first).map(alone).chain(together).chain(slow.into_iter().map(alone));
        batches.filter(|batch: &Vec<&Test>| !batch.is_empty()).collect()
    }

    fn remember(&self, file: &str, by: &str) {
        let place = self.tests.iter().position(|test| test.name == by && test.took <= QUICK);
        let mut catchers = self.catchers.lock().unwrap_or_else(PoisonError::into_inner);
        let catchers = catchers.entry(file.to_owned()).or_default();
        if let Some(place) = place {
            catchers.retain(|known| *known != place);
            catchers.push(place);
            let surplus = catchers.len().saturating_sub(CATCHERS_MAX);
            catchers.drain(..surplus);
        }
    }

    fn failing(&self, number: u32, tests: &[&Test]) -> Result<Option<String>, Failure> {
        let Some(first) = tests.first() else { return Ok(None) };
        let program = self.programs.get(first.program).ok_or(Failure::NoMutant)?;
        let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
        let took: Duration = tests.iter().map(|test| test.took).sum();
        let process = Process { program, names: &names, seconds_max: took.as_secs() * 2 + SECONDS_BEYOND };
        Ok(match process.run(&[("DOWNBEAT_MUTANT", number.to_string().as_ref())])? {
            End::Passed => None,
            End::Failed { test } => Some(test),
        })
    }
}

/// What `work` makes of each item, `jobs` of them at a time, in the order of the items.
fn side_by_side<I: Sync, R: Send>(jobs: usize, items: &[I], work: impl Fn(usize, &I) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = work(index, item);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
