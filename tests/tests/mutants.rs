//! The mutants of the kernel: that the rewriting does what the page says, and that the page is about mutants that there are.
//! The runs themselves take longer than a test may: see `docs/mutants.md`.
#![cfg(feature = "mutants")]

use downbeat_tests::mutants::accepted::{self, Accepted};
use downbeat_tests::mutants::copy::{self, Places};
use downbeat_tests::mutants::report::{Report, Result as Found, Score};
use downbeat_tests::mutants::run::Fate;
use downbeat_tests::mutants::{Mutant, Mutation, Numbers, Operator, rewrite};
use std::fmt::Write;

const PAGE: &str = include_str!("../../docs/mutants.md");

/// One of everything that is mutated.
const SAMPLE: &str = r"
const LIMIT: u32 = 3;

impl Step<'_> {
    fn started(&mut self, number: u32) -> Reply {
        let Some(known) = self.known else { return Outcome::Ignored };
        if number == 0 || number > known {
            return self.never_asked();
        }
        self.state = State::Running;
        self.begin();
        Outcome::Applied
    }

    fn is_last(&self, asked: u8) -> bool {
        asked >= self.config.queries_max && !self.config.has(Fault::QueriedForEver)
    }

    fn told(&mut self, event: Event) -> Outcome<TaskState> {
        match event {
            Event::Fault if self.config.has(Fault::Moves) => self.begin(),
            Event::First { number } if number < 2 => Transition(TaskState::Done),
            Event::First { .. } | Event::Second => Handled,
            _ => Super,
        }
    }

    fn warned(&mut self) {
        if let Some(number) = self.number && self.is_last(number) {
            self.sink.emit(Effect::Warn { after_ms: self.after_ms.saturating_add(1) });
        }
        match self.state {
            State::Running => self.begin(),
            State::Queued => {}
        }
    }
}
";

/// Every mutation of a piece of code, and the code with all of them in it.
fn rewritten(source: &str) -> String {
    let (code, mutants) = rewrite("sample.rs", source, 1, &Numbers::new()).expect("the sample is Rust");
    let mut text = String::new();
    for mutant in &mutants {
        writeln!(text, "{mutant}").expect("a text can be written to");
    }
    // Broken where people would break it.
    let code = code.replace("; ", ";\n").replace("{ ", "{\n").replace("} ", "}\n");
    text + "\n" + &code
}

#[test]
fn rewriting_has_each_mutant_beside_the_code_that_it_mutates() {
    insta::assert_snapshot!("sample", rewritten(SAMPLE));
}

#[test]
fn rewriting_leaves_alone_what_decides_nothing() {
    let cases = [
        ("a constant", "const LIMIT: u32 = 3;"),
        ("a constant function", "const fn name() -> bool { 1 < 2 }"),
        ("settings", "impl Default for Config { fn default() -> Self { Self { tasks_max: 3 } } }"),
        ("what tests alone have", "#[cfg(test)] mod tests { fn check() { let found = 1 + 1; } }"),
        (
            "a pattern",
            "fn told(event: Event) -> Effect { match event { Event { number: 3 } => Effect::Begin } }",
        ),
        ("the length of an array", "fn empty() -> Places { [None; 3] }"),
        ("an assertion", "fn check(self) -> Self { assert!(self.number < 2); self }"),
        (
            "a planted fault",
            "fn end(self) -> Self { if self.config.has(Fault::Late) { self.begin(); } self }",
        ),
    ];
    for (name, source) in cases {
        let (code, mutants) = rewrite("sample.rs", source, 1, &Numbers::new()).expect("the sample is Rust");
        assert_eq!(mutants, [], "{name}");
        assert!(!code.contains("mutant"), "{name}: {code}");
    }
}

#[test]
fn mutant_that_is_left_out_has_a_number_and_no_place() {
    let source = "fn end(&mut self) { self.state = State::Ended; self.count += 1; }";
    let (_, all) = rewrite("sample.rs", source, 1, &Numbers::new()).expect("the sample is Rust");
    let last = all.last().expect("there are mutants").number;
    let (code, same) = rewrite("sample.rs", source, 1, &Numbers::from([last])).expect("the sample is Rust");
    assert_eq!(same, all);
    assert!(!code.contains(&format!("{last}u32")), "{code}");
    assert!(code.contains(&format!("{}u32", last - 1)), "{code}");
}

fn mutant(number: u32, before: &str) -> Mutant {
    let (file, function) = ("retry.rs".to_owned(), "Step::begin".to_owned());
    let (before, after) = (before.to_owned(), "true".to_owned());
    let mutation = Mutation { file, function, before, after, nth: number };
    Mutant { number, line: 7, operator: Operator::AlwaysTrue, mutation }
}

#[test]
fn survivor_that_nobody_has_accepted_is_reported_and_counts() {
    let fates = [Fate::Caught { by: "story".to_owned() }, Fate::Survived, Fate::Unreached, Fate::Refused];
    let results: Vec<Found> =
        (1..).zip(fates).map(|(number, fate)| Found { mutant: mutant(number, "a || b"), fate }).collect();
    let page = format!(
        "Text.\n\n{}\n|---|---|---|---|\n{}\n\nMore.\n",
        accepted::HEADING,
        accepted::row(&results[1].mutant.mutation, "nothing changes")
    );
    let accepted = accepted::read(&page).expect("the table can be read");
    let expected = Accepted {
        file: "retry.rs".to_owned(),
        function: "Step::begin".to_owned(),
        mutation: "`a || b` → `true` (2)".to_owned(),
        reason: "nothing changes".to_owned(),
    };
    assert_eq!(accepted, [expected]);
    let report = Report { results: &results, accepted: &accepted };
    assert_eq!(report.total(), Score { caught: 1, survived: 1, unreached: 1, refused: 1 });
    assert_eq!(report.unexplained(), [&results[2]]);
    assert_eq!(report.caught_after_all(), Vec::<&Accepted>::new());
}

#[test]
fn score_is_enough_from_95_percent_on() {
    let cases = [(95, 5, true), (94, 6, false), (949, 51, false), (0, 0, true)];
    for (caught, survived, expected) in cases {
        let score = Score { caught, survived, ..Score::default() };
        assert_eq!(score.is_enough(), expected, "{score:?}");
    }
}

#[test]
fn every_accepted_survivor_is_a_mutant_that_there_is() {
    let enumerated = copy::enumerate(&Places::of_this_workspace()).expect("the kernel can be read");
    let accepted = accepted::read(PAGE).expect("the tables can be read");
    assert_eq!(accepted::stale(&accepted, &enumerated.mutants), Vec::<&Accepted>::new());
}
