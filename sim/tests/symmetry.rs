//! Symmetry of whole models: the size of the quotient, the audit, and the way back to real ids.

#[path = "models/orbits.rs"]
mod orbits;
#[path = "models/processes.rs"]
mod processes;
#[path = "models/two_phase_commit.rs"]
mod two_phase_commit;

use downbeat_sim::check::{Checker, Limits, Reduction};
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::report::Verdict;
use downbeat_sim::symmetry::{Asymmetry, Exchange, Id, Observer, Predicate, Rename, Renaming, Symmetry};
use orbits::{orbits, quotient, search, symmetry, way};
use processes::{Atom, Deed, Planted, Processes, Rule, processes};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use two_phase_commit::TwoPhaseCommit;

#[test]
fn two_phase_commit_has_the_known_number_of_orbits() {
    for (managers, orbits) in [(3, 80), (5, 314), (7, 920), (8, 1_461)] {
        assert_eq!(quotient(&TwoPhaseCommit { managers }).len(), orbits, "{managers} resource managers");
    }
}

#[test]
fn two_phase_commit_is_symmetric() {
    let model = TwoPhaseCommit { managers: 3 };
    assert_eq!(symmetry(&model).audit_initial(&model), Ok(()));
    for (state, _) in search(&model, |state| state) {
        assert_eq!(symmetry(&model).audit(&model, &state), Ok(()), "{state:?}");
    }
}

/// A behaviour of representatives, told with real ids, is a behaviour: of the model, as long, and from an
/// initial state.
fn has_real_path<M: Model>(model: &M, representatives: &[M::State]) -> bool {
    let symmetry = symmetry(model);
    let Some((initial, steps)) = symmetry.real_path(model, representatives) else { return false };
    let mut state = initial.clone();
    let are_steps = steps.iter().zip(&representatives[1..]).all(|((action, next), representative)| {
        let is_step = model.next(&state, action).as_ref() == Some(next);
        state = next.clone();
        is_step && symmetry.representative(next) == *representative
    });
    model.initial().contains(&initial) && steps.len() + 1 == representatives.len() && are_steps
}

#[test]
fn two_phase_commit_has_a_real_path_to_each_representative() {
    let model = TwoPhaseCommit { managers: 5 };
    let found = quotient(&model);
    for index in 0..found.len() {
        assert!(has_real_path(&model, &way(&found, index)), "{:?}", found[index].0);
    }
}

#[test]
fn real_path_is_refused_where_there_is_no_step() {
    let model = TwoPhaseCommit { managers: 3 };
    let found = quotient(&model);
    let [first, last] = [0, found.len() - 1].map(|index| found[index].0);
    assert_eq!(symmetry(&model).real_path(&model, &[first, last]), None);
    assert_eq!(symmetry(&model).real_path(&model, &[last]), None, "it is not initial");
    assert_eq!(symmetry(&model).real_path(&model, &[]), None, "a behaviour has a beginning");
}

/// Processes that pass a token, or sleep.
fn passing(planted: Planted) -> Processes {
    #[rustfmt::skip]
    let rules = vec![
        Rule { at: 0, deed: Deed::TakeToken, then: 1 },
        Rule { at: 1, deed: Deed::PassToken(0), then: 2 },
        Rule { at: 0, deed: Deed::Sleep, then: 2 },
    ];
    Processes {
        number: 3,
        rules,
        begins_with_token: false,
        atoms: [Atom::Never; 7],
        steps: [usize::MAX; 2],
        planted,
    }
}

/// A step to a state that is the same under other names keeps a state from being a deadlock.
#[test]
fn token_that_goes_round_for_ever_is_no_deadlock_under_symmetry() {
    let rules = [Deed::TakeToken, Deed::PassToken(0)].map(|deed| Rule { at: 0, deed, then: 0 }).to_vec();
    // Nobody waits, so no state is final.
    let atoms = [[Atom::Never; 6].as_slice(), &[Atom::Waiting { number: 0 }]].concat();
    let atoms = atoms.try_into().expect("there are seven");
    let model = Processes { number: 2, rules, atoms, ..passing(Planted::Nothing) };
    for depth in [None, Some(1)] {
        let checker =
            || Checker::new(&model).only(["deadlock"]).limits(Limits { depth, ..Limits::default() });
        let [full, reduced] = [checker(), checker().reduction(Reduction::Symmetry)].map(|checker| {
            let report = checker.check().expect("the model is symmetric");
            (report.distinct, report.verdict())
        });
        assert_eq!((full, reduced), ((3, Verdict::Holds), (2, Verdict::Holds)), "depth {depth:?}");
    }
}

fn audited(planted: Planted) -> Result<(), Asymmetry> {
    let model = passing(planted);
    let symmetry = symmetry(&model);
    symmetry.audit_initial(&model)?;
    search(&model, |state| state).iter().try_for_each(|(state, _)| symmetry.audit(&model, state))
}

const FIRST: Exchange = Exchange { ids: "Process", index: 0 };
const TAKES: &str = "Action { process: 0, rule: Rule { at: 0, deed: TakeToken, then: 1 }, to: 0 }";
const PASSES: &str = "Action { process: 1, rule: Rule { at: 1, deed: PassToken(0), then: 2 }, to: 0 }";

#[test]
fn audit_names_what_sets_one_id_apart() {
    let exchange = FIRST;
    let in_state = |id, predicate| Some(Asymmetry::Property { exchange, id, predicate });
    let in_step =
        |id, predicate| Some(Asymmetry::StepProperty { exchange, id, predicate, action: TAKES.into() });
    #[rustfmt::skip]
    let cases = [
        (Planted::Nothing, None),
        (Planted::BeginsElsewhere, Some(Asymmetry::Initial { exchange })),
        (Planted::PassesNoTokens, Some(Asymmetry::Step { exchange, action: PASSES.into() })),
        (Planted::NeverRests, Some(Asymmetry::Final { exchange })),
        (Planted::InPredicate(0), in_state("always", Predicate::Statement)),
        (Planted::InPredicate(1), in_state("always", Predicate::Antecedent)),
        (Planted::InPredicate(2), in_state("sometimes", Predicate::Statement)),
        (Planted::InPredicate(3), in_state("leads-to", Predicate::Obligation)),
        (Planted::InPredicate(4), in_state("leads-to", Predicate::Statement)),
        (Planted::InPredicate(5), in_state("eventually", Predicate::Statement)),
        (Planted::InPredicate(6), in_step("step", Predicate::Statement)),
        (Planted::InPredicate(7), in_step("step", Predicate::Antecedent)),
    ];
    for (planted, asymmetry) in cases {
        assert_eq!(audited(planted).err(), asymmetry, "{planted:?}");
    }
}

#[test]
fn audit_finds_a_step_that_is_lacking_on_either_side() {
    let model = passing(Planted::PassesNoTokens);
    let symmetry = symmetry(&model);
    let begin = model.initial().remove(0);
    let mut holding = Vec::new();
    model.steps(&begin, &mut Vec::new(), |_, next| holding.extend(next.token.is_some().then_some(next)));
    let found: Vec<_> = holding[..2].iter().map(|state| symmetry.audit(&model, state)).collect();
    let expected = Err(Asymmetry::Step { exchange: FIRST, action: PASSES.into() });
    assert_eq!(found, [expected.clone(), expected], "process 0 holds the token, process 1 holds it");
}

#[test]
fn asymmetry_reads_as_what_is_wrong_and_what_to_do() {
    let (exchange, predicate) = (FIRST, Predicate::Antecedent);
    #[rustfmt::skip]
    let cases = [
        (Asymmetry::Renaming { exchange },
         "exchanging Process 0 and 1 twice changes the state; `Rename` must replace each id by the one that the renaming \
          gives for it, and move what stands at its index"),
        (Asymmetry::Representative { exchange },
         "the state has another representative with Process 0 and 1 exchanged; `Rename::observe` must show nothing that \
          depends on the names of ids or on an order by them"),
        (Asymmetry::Initial { exchange },
         "an initial state with Process 0 and 1 exchanged is not initial; all ids must be able to begin alike, or they \
          are not interchangeable"),
        (Asymmetry::Step { exchange, action: "Take(1)".into() },
         "the step `Take(1)` has no counterpart when Process 0 and 1 are exchanged; either it depends on the name of an \
          id, or `Rename` leaves out an id of the state"),
        (Asymmetry::Final { exchange },
         "whether the state is final changes when Process 0 and 1 are exchanged; `is_final` must not depend on the name \
          of an id"),
        (Asymmetry::Property { exchange, id: "S1", predicate },
         "`S1` depends on the name of an id: its antecedent changes when Process 0 and 1 are exchanged; state it for all \
          ids, or declare no symmetry"),
        (Asymmetry::StepProperty { exchange, id: "S1", predicate, action: "Take(1)".into() },
         "`S1` depends on the name of an id: its antecedent changes for the step `Take(1)` when Process 0 and 1 are \
          exchanged; state it for all ids, or declare no symmetry"),
    ];
    for (asymmetry, sentence) in cases {
        assert_eq!(asymmetry.to_string(), sentence);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Seat(usize);

impl Id for Seat {
    fn index(self) -> usize {
        self.0
    }
    fn at(index: usize) -> Self {
        Self(index)
    }
}

/// A pair of seats whose `Rename` is written by hand, with a mistake if it is told so.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Seats {
    taken: [Seat; 2],
    mistake: Mistake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Mistake {
    None,
    InRename,
    InObserve,
}

impl Rename for Seats {
    fn rename(&self, renaming: &Renaming) -> Self {
        let [one, other] = self.taken.map(|seat| renaming.id(seat));
        let taken = if self.mistake == Mistake::InRename { [one, one] } else { [one, other] };
        Self { taken, mistake: self.mistake }
    }

    fn observe(&self, observer: &mut Observer) {
        for seat in self.taken {
            match self.mistake {
                Mistake::None | Mistake::InRename => observer.id(seat),
                Mistake::InObserve => seat.index().observe(observer),
            }
        }
        observer.unordered([Seat(0), Seat(1), Seat(2)], |seat, observer| {
            let weight = if self.mistake == Mistake::InObserve { seat.index() } else { 0 };
            weight.observe(observer);
            observer.id(seat);
        });
    }
}

impl Model for Seats {
    type State = Seats;
    type Action = ();

    fn initial(&self) -> Vec<Seats> {
        vec![self.clone()]
    }
    fn actions(&self, _: &Seats, _: &mut Vec<()>) {}
    fn next(&self, _: &Seats, (): &()) -> Option<Seats> {
        None
    }
    fn properties(&self) -> Vec<Property<Self>> {
        Vec::new()
    }
    fn symmetry(&self) -> Option<Symmetry<Self>> {
        Some(Symmetry::new().of::<Seat>(3))
    }
    fn is_final(&self, _: &Seats) -> bool {
        true
    }
    fn lanes(&self) -> Vec<String> {
        Vec::new()
    }
    fn tell(&self, _: &Seats, (): &(), _: &Seats) -> Told {
        Told::new(0, 0, "")
    }
}

#[test]
fn audit_finds_a_wrong_rename() {
    let exchange = Exchange { ids: "Seat", index: 0 };
    #[rustfmt::skip]
    let cases = [
        (Mistake::None, Ok(())),
        (Mistake::InRename, Err(Asymmetry::Renaming { exchange })),
        (Mistake::InObserve, Err(Asymmetry::Representative { exchange })),
    ];
    for (mistake, expected) in cases {
        let model = Seats { taken: [Seat(0), Seat(2)], mistake };
        assert_eq!(symmetry(&model).audit(&model, &model), expected, "{mistake:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        rng_seed: RngSeed::Fixed(0x51f2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn quotient_has_a_state_for_each_orbit_and_a_real_path_to_it(model in processes()) {
        let found = quotient(&model);
        prop_assert_eq!(found.len(), orbits(&model));
        for (index, (state, _)) in found.iter().enumerate() {
            prop_assert_eq!(symmetry(&model).audit(&model, state), Ok(()));
            prop_assert!(has_real_path(&model, &way(&found, index)), "{:?}", state);
        }
    }
}
