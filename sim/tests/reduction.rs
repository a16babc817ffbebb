//! Partial-order reduction against the full search, on random systems of processes.

#[path = "models/automata.rs"]
mod automata;
#[path = "models/reduced.rs"]
mod reduced;

use automata::{Act, Action, Atom, Automata, Edge, PROCESSES, State, counter, head, systems, tail};
use downbeat_sim::check::{Checker, Limit, Limits, Reduction};
use downbeat_sim::model::{Check, Model};
use downbeat_sim::reduction::{Dependence, Footprint, Objects, Order, Processes, Touches, audit, is_kept};
use downbeat_sim::report::Verdict;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use reduced::{Cycles, Search, search};

/// The same random systems every time.
fn sample(number: usize) -> impl Iterator<Item = Automata> {
    let config = Config { rng_seed: RngSeed::Fixed(0x0d0b_ea75), ..Config::default() };
    let mut runner = TestRunner::new(config);
    (0..number)
        .map(move |_| systems(2..=PROCESSES).new_tree(&mut runner).expect("nothing is filtered").current())
}

fn declared(model: &Automata) -> Processes<Automata> {
    model.processes().expect("automata declare their processes")
}

/// The properties of automata that are kept, each of which is checked alone and needs the least to be visible.
const KEPT: [&str; 4] = ["always", "step", "sometimes", "deadlock"];

fn deadlocks(search: &Search<Automata>) -> Vec<String> {
    let mut deadlocks: Vec<String> = search.deadlocks.iter().map(|state| format!("{state:?}")).collect();
    deadlocks.sort();
    deadlocks
}

/// The verdict and the deadlocks that a search with these processes comes to.
fn judged(
    model: &Automata,
    processes: Option<&Processes<Automata>>,
    id: &str,
    cycles: Cycles,
) -> (Verdict, Vec<String>) {
    let found = search(model, processes, &[id], cycles);
    (found.verdicts[0], deadlocks(&found))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, rng_seed: RngSeed::Fixed(0x0d0b_ea75), ..ProptestConfig::default() })]

    #[test]
    fn reduced_search_gives_the_verdicts_and_deadlocks_of_the_full_one(model in systems(2..=PROCESSES)) {
        let report = Checker::new(&model).only(KEPT).check().expect("automata are consistent");
        let full = search(&model, None, &KEPT, Cycles::Proviso);
        prop_assert_eq!(report.distinct, full.levels.len());
        let processes = declared(&model);
        for (id, verdict) in KEPT.into_iter().zip(&full.verdicts) {
            prop_assert_eq!(report.property(id).map(|found| found.verdict), Some(*verdict));
            let expected = (*verdict, deadlocks(&full));
            prop_assert_eq!(judged(&model, Some(&processes), id, Cycles::Proviso), expected, "{}", id);
        }
        let reduced = search(&model, Some(&processes), &KEPT, Cycles::Proviso);
        prop_assert_eq!((&reduced.verdicts, deadlocks(&reduced)), (&full.verdicts, deadlocks(&full)));
    }
}

/// Whether some random system is judged otherwise than by the full search.
fn misjudges(change: impl Fn(&mut Processes<Automata>), cycles: Cycles) -> bool {
    let differs = |model: &Automata| {
        let mut processes = declared(model);
        change(&mut processes);
        let judged = |processes, id| judged(model, processes, id, cycles);
        KEPT.into_iter().any(|id| judged(Some(&processes), id) != judged(None, id))
    };
    sample(2_000).any(|model| differs(&model))
}

#[test]
fn each_condition_is_needed() {
    let found = [
        ("all", misjudges(|_| {}, Cycles::Proviso)),
        ("C1", misjudges(|it| it.later = Box::new(|_, _, _| Footprint::none()), Cycles::Proviso)),
        ("C2", misjudges(|it| it.sees = Box::new(|_| Objects::none()), Cycles::Proviso)),
        ("C3", misjudges(|_| {}, Cycles::Ignored)),
    ];
    assert_eq!(
        found,
        [("all", false), ("C1", true), ("C2", true), ("C3", true)],
        "wrong without the condition"
    );
}

#[test]
fn random_systems_become_smaller() {
    let mut sizes = (0, 0);
    for model in sample(500) {
        let size = |processes| search(&model, processes, &["always"], Cycles::Proviso).levels.len();
        sizes = (sizes.0 + size(None), sizes.1 + size(Some(&declared(&model))));
    }
    let (full, reduced) = sizes;
    assert!(4 * full > 5 * reduced, "{full} states, {reduced} with the reduction");
}

#[test]
fn audit_finds_nothing_in_random_systems() {
    for model in sample(300) {
        let processes = declared(&model);
        for state in search(&model, None, &[], Cycles::Proviso).levels.keys() {
            assert_eq!(audit(&model, &processes, state), Ok(()), "{state:?} of {model:?}");
        }
    }
}

/// A declaration that is not true, made of the true one.
type Lie = fn(&mut Processes<Automata>);

/// Whether a fault is the one that a lie must be found by.
type IsMeant = fn(&Dependence) -> bool;

/// Steps to a state, by process and edge, and the sets of positions that may be chosen there.
type Choice = (&'static str, &'static [(usize, usize)], &'static [&'static [usize]]);

/// The kind of fault that the audit finds first in some state of some random system.
fn found(lie: Lie, is_meant: IsMeant) -> bool {
    sample(300).any(|model| {
        let mut processes = declared(&model);
        lie(&mut processes);
        let states = search(&model, None, &[], Cycles::Proviso).levels;
        states.keys().any(|state| audit(&model, &processes, state).is_err_and(|fault| is_meant(&fault)))
    })
}

/// What is touched now, without some objects in one place.
fn without(now: fn(Footprint) -> Footprint) -> Touches<Automata> {
    Box::new(move |model, state, process| now(model.now(state, process)))
}

#[test]
fn audit_finds_what_is_declared_and_not_so() {
    #[rustfmt::skip]
    let lies: [(&str, Lie, IsMeant); 9] = [
        ("a process that there is not",
            |it| it.of_action = Box::new(|_, _| 99),
            |fault| matches!(fault, Dependence::UnknownProcess { .. })),
        ("two senders without a tail",
            |it| it.now = without(|now| Footprint { writes: now.writes.without(tail(0) | tail(1)), ..now }),
            |fault| matches!(fault, Dependence::Order { order: Order::Different, .. })),
        ("two receivers without a head",
            |it| it.now = without(|now| Footprint { writes: now.writes.without(head(0) | head(1)), ..now }),
            |fault| matches!(fault, Dependence::Order { order: Order::FirstDisablesSecond, .. })),
        ("a guard on a counter that is not read",
            |it| it.now = without(|now| Footprint { reads: Objects::none(), ..now }),
            |fault| matches!(fault, Dependence::Order { order: Order::SecondDisablesFirst, .. })),
        ("a wait that is not declared",
            |it| it.now = without(|now| Footprint { awaits: Objects::none(), ..now }),
            |fault| matches!(fault, Dependence::Enabling { .. })),
        ("a footprint that depends on what it does not have",
            |it| it.now = Box::new(|model, state, process| {
                let elsewhere = model.later(state, (process + 1) % model.processes.len()).writes;
                model.now(state, process).awaits(Objects::all().without(elsewhere))
            }),
            |fault| matches!(fault, Dependence::NowGrows { .. })),
        ("nothing later",
            |it| it.later = Box::new(|_, _, _| Footprint::none()),
            |fault| matches!(fault, Dependence::NowBeyondLater { .. })),
        ("later no more than now",
            |it| it.later = Box::new(Automata::now),
            |fault| matches!(fault, Dependence::LaterGrows { .. })),
        ("properties that see nothing",
            |it| it.sees = Box::new(|_| Objects::none()),
            |fault| matches!(fault, Dependence::Unseen { .. })),
    ];
    for (name, lie, is_meant) in lies {
        assert!(found(lie, is_meant), "{name}");
    }
}

/// A producer of two messages, their consumer, and a bystander who counts.
fn pipeline() -> Automata {
    let edge = |from, act| Edge { from, to: from + 1, act };
    let send = |message| Act::Send { queue: 0, message };
    let receive = |message| Act::Receive { queue: 0, message };
    Automata {
        processes: vec![
            vec![edge(0, send(0)), edge(1, send(1)), edge(2, send(1))],
            vec![edge(0, receive(0)), edge(1, receive(1))],
            vec![edge(0, Act::Local), edge(1, Act::Add { counter: 0, by: 1 })],
        ],
        bad: vec![Atom::Counted { counter: 0, is: 1 }],
        ..Automata::default()
    }
}

#[test]
fn choice_is_of_processes_that_nobody_disturbs() {
    let model = pipeline();
    let processes = declared(&model);
    let visible = counter(0);
    let after = |steps: &[(usize, usize)]| {
        steps.iter().fold(State::default(), |state, (process, edge)| {
            model.next(&state, &Action { process: *process, edge: *edge }).expect("the step is enabled")
        })
    };
    #[rustfmt::skip]
    let cases: [Choice; 6] = [
        // By position: the actions of the producer, the consumer and the bystander, as far as they are enabled.
        ("the consumer waits for the producer", &[], &[&[0], &[1]]),
        ("a send and a receive commute", &[(0, 0)], &[&[0], &[1], &[2]]),
        ("a full queue waits for the consumer, who waits for nobody", &[(0, 0), (0, 1)], &[&[0], &[1]]),
        ("what a property sees is no candidate", &[(0, 0), (2, 0)], &[&[0], &[1]]),
        ("nor is it if nothing else can be done", &[(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (2, 0)], &[]),
        ("one process alone has no choice", &[(2, 0), (2, 1)], &[]),
    ];
    for (name, steps, expected) in cases {
        let state = after(steps);
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        let sets: Vec<Vec<usize>> = processes.choose(&model, &state, &actions, visible).collect();
        assert_eq!(sets, expected, "{name}");
    }
}

#[test]
fn limit_on_depth_leaves_out_what_the_reduced_search_comes_to_later() {
    // The steps of the first process stand for all until it is at its end; the one that is seen comes after them.
    let local = |from| Edge { from, to: from + 1, act: Act::Local };
    let model = Automata {
        processes: vec![vec![local(0), local(1), local(2)], vec![local(0)]],
        bad: vec![Atom::At { process: 1, place: 1 }],
        ..Automata::default()
    };
    let (partial, beyond) = (Some(Reduction::PartialOrder), |depth| Some(Limit::Depth(depth)));
    #[rustfmt::skip]
    let cases = [
        ("the full search comes to it at once",      None,    1, beyond(1), Verdict::Violated,   Some((1, true))),
        ("the reduced one not within three steps",   partial, 3, beyond(3), Verdict::Incomplete, None),
        ("but then, and perhaps not by a shortest",  partial, 4, None,      Verdict::Violated,   Some((4, false))),
    ];
    for (name, reduction, depth, stopped_by, verdict, way) in cases {
        let limits = Limits { depth: Some(depth), ..Limits::default() };
        let checker = Checker::new(&model).only(["always"]).limits(limits);
        let checker = reduction.into_iter().fold(checker, Checker::reduction);
        let report = checker.check().expect("automata are consistent");
        let found = &report.properties[0];
        let steps = found.counterexample.as_ref().map(|told| (told.steps.len(), found.is_shortest));
        assert_eq!((report.stopped_by, found.verdict, steps), (stopped_by, verdict, way), "{name}");
    }
}

#[test]
fn faults_are_told_in_a_sentence() {
    let (action, process) = (|| "Send(3)".to_owned(), 1);
    let (writes, objects) = (Objects::one(4), Objects::one(0) | Objects::one(127));
    let order = |order| Dependence::Order { first: action(), second: "Add".to_owned(), order };
    let changed = "Add".to_owned();
    #[rustfmt::skip]
    let cases = [
        (Dependence::UnknownProcess { action: action(), process },
            "`Send(3)` is said to be taken by process 1, which there is not"),
        (order(Order::SecondDisablesFirst),
            "`Send(3)` and `Add` are declared to touch nothing in common, but `Send(3)` cannot be taken after `Add`"),
        (order(Order::FirstDisablesSecond),
            "`Send(3)` and `Add` are declared to touch nothing in common, but `Add` cannot be taken after `Send(3)`"),
        (order(Order::Different),
            "`Send(3)` and `Add` are declared to touch nothing in common, but the two orders lead to different states"),
        (Dependence::Enabling { action: action(), writes, process, changed },
            "process 1 is declared to touch and await nothing that `Send(3)` writes, object 4, but its `Add` is enabled \
             only before it or only after it"),
        (Dependence::NowGrows { action: action(), process, objects },
            "process 1 is declared to touch and await nothing that `Send(3)` writes, but after it touches objects \
             0, 127 next"),
        (Dependence::NowBeyondLater { process, objects: Objects::all() },
            "the next step of process 1 may touch every object, which it is declared to touch at no time"),
        (Dependence::LaterGrows { action: action(), process, objects },
            "after `Send(3)` process 1 may touch objects 0, 127, which it was declared to touch at no time"),
        (Dependence::Unseen { action: action(), writes: Objects::none(), property: "S1" },
            "property `S1` is declared to see nothing that `Send(3)` writes, no object, but depends on it"),
    ];
    for (fault, expected) in cases {
        assert_eq!(fault.to_string(), expected);
    }
}

#[test]
fn liveness_is_not_kept() {
    let kept = |check: Check<Automata>| is_kept(&check);
    let found = [
        kept(Check::NoDeadlock),
        kept(Check::Sometimes(|_, _| true)),
        kept(Check::Eventually(|_, _| true)),
        kept(Check::LeadsTo { from: |_, _| true, to: |_, _| true }),
    ];
    assert_eq!(found, [true, true, false, false]);
}
