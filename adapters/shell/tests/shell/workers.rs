//! Tasks that a worker runs: its agent takes prompts, asks, falls silent, dies, and speaks when it is too late.

use crate::crew::{Act, Crew, Heard, agrees};
use crate::fleet::{self, Fleet, Health};
use crate::stage::{Seen, World, journal, says, settings};
use crate::stopping::{Gated, a_moment};
use crate::story::{A, DONE, apply, life, sent};
use downbeat_kernel::{
    AgentId, ApprovalId, Budget, Concern, Config, End, Event, Ignored, IteratorEnd, MessageId, Outcome,
    PoolConfig, PoolEvent, PromptId, Reason, Sign, TaskId, Then, TurnNumber, WorkerEvent, WorkerReason,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{Ports, Shell, ShellConfig};
use downbeat_store::{ShardId, Sqlite, Store};
use std::path::Path;
use std::sync::Arc;

const B: TaskId = TaskId(2);
const RESUMED: &str = "You may have read what follows before, all of it or its beginning.";
const STALE: Outcome = Outcome::Ignored(Ignored::Stale);

/// What an iterator does that has its prompt.
pub(crate) const BEGINS: [Act; 2] = [Act::Starts, Act::Takes];

pub(crate) fn begins(then: &[Act]) -> Vec<Act> {
    [&BEGINS, then].concat()
}

/// The end of an iterator whose task is done.
pub(crate) fn finishes(answer: &'static str) -> Vec<Act> {
    vec![Act::Answers(answer), Act::Completes(""), Act::Takes, Act::Ends(IteratorEnd::Normal)]
}

pub(crate) fn given(prompt: u32, parts: &[&str]) -> Heard {
    Heard::Given(PromptId(prompt), parts.iter().map(|part| (*part).to_owned()).collect())
}

fn ran(iterator: u32) -> Heard {
    Heard::Ran(A, iterator, None)
}

fn gone(iterator: u32) -> Heard {
    Heard::Gone(A, iterator)
}

/// It waits a millisecond before it tries again, and knows what an hour is.
pub(crate) fn patient() -> ShellConfig {
    let kernel = Config { worker_backoff_ms: 1, stop_ms: 3_600_000, ..settings().kernel };
    ShellConfig { kernel, ..settings() }
}

pub(crate) async fn start_with(path: &Path, config: ShellConfig, ports: &Ports) -> Shell {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    Shell::start(&Rt::new(Tokio::current()), config, &store, ports)
}

async fn start(path: &Path, world: &World, crew: &Crew) -> Shell {
    start_with(path, patient(), &crew.in_world(world)).await
}

pub(crate) async fn submit(shell: &Shell) {
    shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
}

/// How the first task ended, and with what.
async fn ended(world: &World) -> (End, String) {
    world.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    let end =
        |seen: &Seen| if let Seen::Ended(A, end, text) = seen { Some((*end, text.clone())) } else { None };
    world.seen().iter().find_map(end).expect("it is there")
}

fn completed(result: &str) -> (End, String) {
    (End::Completed, result.to_owned())
}

async fn writes(shell: &Shell, message: u32, text: &str) {
    apply(shell, Event::MessageReceived { task: A, message: MessageId(message) }, text).await;
}

async fn interrupts(shell: &Shell) {
    let event = WorkerEvent::InterruptRequested { turn: TurnNumber(1), then: Then::Resume };
    apply(shell, Event::Worker { task: A, event }, "").await;
}

#[tokio::test]
async fn worker_asks_a_person_reports_and_its_result_is_that_of_its_task() {
    let world = World::default();
    let acts = [
        Act::Asks("rm -r"),
        Act::Takes,
        Act::Reports(1, "half of it"),
        Act::Reports(2, "most of it"),
        Act::Answers("clean"),
        Act::Takes,
        Act::Answers("and tidy"),
        Act::Completes("all of it"),
        Act::Takes,
        Act::Ends(IteratorEnd::Normal),
    ];
    let crew = Crew::of([begins(&acts)]);
    let shell = start(&journal("worker"), &world, &crew).await;
    submit(&shell).await;
    let approval = ApprovalId { prompt: PromptId(1), number: 1 };
    let asked = Heard::Asked(approval, "rm -r".to_owned());
    crew.until(asked.clone()).await;
    apply(&shell, agrees(A, approval), "but keep the notes").await;
    let [half, most] = [(1, "half of it"), (2, "most of it")]
        .map(|(number, text)| Heard::Reported(A, number, text.to_owned()));
    crew.until(most.clone()).await;
    writes(&shell, 1, "tidy up").await;
    assert_eq!(ended(&world).await, completed("all of it"));
    let told = Heard::Told(downbeat_kernel::Answer::Approved, "but keep the notes".to_owned());
    let heard = crew.heard();
    let is_report = |heard: &&Heard| matches!(heard, Heard::Reported(..));
    assert_eq!(heard.iter().filter(is_report).collect::<Vec<_>>(), [&half, &most], "in their order");
    assert_eq!(
        heard.into_iter().filter(|heard| !is_report(&heard)).collect::<Vec<_>>(),
        [ran(1), given(1, &["go"]), asked, told, given(2, &["tidy up"]), Heard::Stopped, gone(1),]
    );
    assert!(!world.seen().iter().any(|seen| matches!(seen, Seen::Sent(..))), "a model was asked");
}

/// The iterator that is stopped takes its time, or never ends; somebody goes on to speak for it.
#[tokio::test]
async fn prompt_that_is_interrupted_is_resumed_by_the_next_iterator_when_the_last_one_is_gone() {
    let ends = [Act::Takes, Act::Waits, Act::Ends(IteratorEnd::Normal)];
    #[rustfmt::skip]
    let cases = [
        ("ends",   3_600_000, &ends[..]),
        ("killed", 20,        &ends[..1]),
        ("deaf",   20,        &[]),
    ];
    for (name, stop_ms, acts) in cases {
        let world = World::default();
        let crew = Crew::of([
            begins(&[&[Act::Leaks], acts].concat()),
            begins(&[&[Act::Waits], &*finishes("done")].concat()),
        ]);
        let kernel = Config { stop_ms, ..patient().kernel };
        let config = ShellConfig { kernel, ..patient() };
        let path = journal(&format!("worker-interrupt-{name}"));
        let shell = start_with(&path, config, &crew.in_world(&world)).await;
        submit(&shell).await;
        crew.until(given(1, &["go"])).await;
        writes(&shell, 1, "and this").await;
        interrupts(&shell).await;
        if name == "ends" {
            crew.until(Heard::Stopped).await;
            a_moment().await;
            assert!(!crew.heard().contains(&ran(2)), "S10");
            // What is said for one that is to stop is too late.
            crew.late.add_permits(1);
            crew.until(Heard::Late(STALE)).await;
            crew.go.add_permits(1);
        }
        crew.until(given(2, &[RESUMED, "go", "and this"])).await;
        crew.late.add_permits(1);
        crew.until(Heard::Late(STALE)).await;
        a_moment().await;
        crew.go.add_permits(1);
        assert_eq!(ended(&world).await, completed("done"), "{name}");
        let heard = crew.heard();
        let at = |wanted: &Heard| heard.iter().position(|heard| heard == wanted).expect("it is there");
        assert!(at(&gone(1)) < at(&ran(2)), "{name}: S10 {heard:?}");
        let late = heard.iter().filter(|heard| matches!(heard, Heard::Late(_)));
        assert_eq!(late.collect::<Vec<_>>(), [&Heard::Late(STALE), &Heard::Late(STALE)], "{name}: S11");
    }
}

/// It is asked, interrupted, restarted, and given up.
#[tokio::test]
async fn worker_that_falls_silent_climbs_the_ladder_and_fails_as_stuck() {
    let world = World::default();
    let crew = Crew::of(vec![begins(&[Act::Takes, Act::Takes]); 3]);
    let kernel = Config { progress_ms: 100, stuck_ms: 200, stop_ms: 5, ..patient().kernel };
    let config = ShellConfig { kernel, ..patient() };
    let shell = start_with(&journal("worker-silent"), config, &crew.in_world(&world)).await;
    submit(&shell).await;
    let stuck = End::Failed(Reason::Worker(WorkerReason::Stuck));
    assert_eq!(ended(&world).await, (stuck, String::new()));
    let heard = crew.heard();
    assert!(heard.contains(&Heard::AskedProgress) && heard.contains(&ran(3)), "{heard:?}");
    assert!(heard.contains(&Heard::Warned(Concern::Stuck)), "{heard:?}");
}

/// Signs of life come more often than it is asked.
#[tokio::test]
async fn worker_that_shows_activity_is_left_alone() {
    let world = World::default();
    let works: Vec<_> = std::iter::repeat_n(Act::Shows(Sign::Activity), 60).collect();
    let crew = Crew::of([[begins(&[]), works, finishes("done")].concat()]);
    crew.slows();
    let kernel = Config { progress_ms: 400, stuck_ms: 400, ..patient().kernel };
    let config = ShellConfig { kernel, ..patient() };
    let shell = start_with(&journal("worker-active"), config, &crew.in_world(&world)).await;
    submit(&shell).await;
    assert_eq!(ended(&world).await, completed("done"));
    assert_eq!(crew.heard(), [ran(1), given(1, &["go"]), Heard::Stopped, gone(1)]);
}

#[tokio::test]
async fn task_whose_worker_cannot_be_deployed_fails() {
    let (world, crew) = (World::default(), Crew::of([]));
    crew.breaks();
    let shell = start(&journal("worker-undeployed"), &world, &crew).await;
    submit(&shell).await;
    assert_eq!(ended(&world).await, (End::Failed(Reason::Initialization), String::new()));
    assert_eq!((crew.heard(), world.seen().len()), (vec![], 1), "nothing else was begun");
}

#[tokio::test]
async fn agent_that_dies_under_its_prompt_gets_it_again_unless_that_cannot_help() {
    let refused = End::Failed(Reason::Worker(WorkerReason::Refused));
    #[rustfmt::skip]
    let cases = [
        ("panics",    Act::Panics,                       completed("done")),
        ("transient", Act::Ends(IteratorEnd::Transient), completed("done")),
        ("normal",    Act::Ends(IteratorEnd::Normal),    completed("done")),
        ("permanent", Act::Ends(IteratorEnd::Permanent), (refused, String::new())),
    ];
    for (name, act, end) in cases {
        let world = World::default();
        let crew = Crew::of([begins(&[act]), begins(&finishes("done"))]);
        let shell = start(&journal(&format!("worker-dies-{name}")), &world, &crew).await;
        submit(&shell).await;
        assert_eq!(ended(&world).await, end, "{name}");
        let resumed = crew.heard().contains(&given(2, &[RESUMED, "go"]));
        assert_eq!(resumed, end.0 == End::Completed, "{name}: S12");
    }
}

#[tokio::test]
async fn subtask_of_an_agent_ends_in_its_next_prompt_and_what_it_reports_comes_before() {
    let world = World::of([says("", &[(DONE, "three")])]);
    let delegates = begins(&[
        Act::Delegates("count the files"),
        Act::Delegates("count the folders"),
        Act::Waits,
        Act::Answers("I wait."),
        Act::Takes,
    ]);
    let of_child = begins(&[Act::Reports(1, "one so far"), Act::Answers("two"), Act::Completes("")]);
    let crew = Crew::of([[delegates, finishes("five")].concat(), of_child]);
    crew.runs(TaskId(3));
    let shell = start_with(
        &journal("worker-subtask"),
        ShellConfig { kernel: Config { stop_ms: 5, ..patient().kernel }, ..patient() },
        &crew.in_world(&world),
    )
    .await;
    submit(&shell).await;
    crew.until(Heard::Gone(TaskId(3), 1)).await;
    world.until(|seen| *seen == sent(B, 1, &["count the files"])).await;
    a_moment().await;
    crew.go.add_permits(1);
    assert_eq!(ended(&world).await, completed("five"));
    let parts = |heard: &Heard| {
        if let Heard::Given(PromptId(2), parts) = heard { Some(parts.clone()) } else { None }
    };
    let mut parts = crew.heard().iter().find_map(parts).expect("it has a second prompt");
    // The two subtasks race.
    let [report, two] = ["one so far", "two"].map(|text| parts.iter().position(|part| part == text));
    assert!(report.is_some() && report < two, "{parts:?}");
    parts.sort();
    assert_eq!(parts, ["one so far", "three", "two"]);
    let of_subtask = |heard: &Heard| matches!(heard, Heard::Reported(..));
    assert!(!crew.heard().iter().any(of_subtask), "its parent has it");
}

#[tokio::test]
async fn bill_of_an_agent_is_drawn_from_the_budget_of_its_tree() {
    let world = World::default();
    let crew = Crew::of([[begins(&[Act::Spends(60), Act::Spends(60)]), finishes("done")].concat()]);
    let shell = start(&journal("worker-bill"), &world, &crew).await;
    let budget = Budget { tokens: 100, ..Budget::default() };
    shell.submit("go".to_owned(), budget).await.expect("it runs");
    world.until(|seen| matches!(seen, Seen::Asked(_, downbeat_kernel::About::Budget, _))).await;
}

/// The process is gone, and the iterator with it, or it goes on elsewhere.
#[test]
fn prompt_of_before_a_crash_is_given_to_the_same_iterator_or_resumed_by_the_next() {
    for outlives in [true, false] {
        let path = journal(&format!("worker-crash-{outlives}"));
        let crew = Crew::of([begins(&[]), begins(&finishes("again"))]);
        life(async {
            let shell = start(&path, &World::default(), &crew).await;
            submit(&shell).await;
            crew.until(given(1, &["go"])).await;
            // Nothing of it but that is on record.
            writes(&shell, 1, "and this").await;
        });
        crew.take_heard();
        if outlives {
            crew.outlives([vec![Act::Takes, Act::Answers("kept"), Act::Takes], finishes("done")].concat());
        }
        let world = World::default();
        life(async {
            let _shell = start(&path, &world, &crew).await;
            let result = if outlives { "done" } else { "again" };
            assert_eq!(ended(&world).await, completed(result));
        });
        let heard = crew.heard();
        let expected = if outlives {
            [Heard::Attached(A, 1), given(1, &["go"]), given(2, &["and this"])].to_vec()
        } else {
            [Heard::Attached(A, 1), gone(1), ran(2), given(2, &[RESUMED, "go", "and this"])].to_vec()
        };
        assert_eq!(heard[..expected.len()], expected);
    }
}

/// One that was ordered and has not said that it runs is ordered again under its number; one that listens is gone on with.
#[test]
fn iterator_without_a_prompt_is_not_forgotten_in_a_crash() {
    let path = journal("worker-listens");
    let crew = Crew::of([vec![], begins(&[Act::Answers("one")])]);
    life(async {
        let shell = start(&path, &World::default(), &crew).await;
        submit(&shell).await;
        crew.until(ran(1)).await;
    });
    let approval = ApprovalId { prompt: PromptId(9), number: 1 };
    life(async {
        let shell = start(&path, &World::default(), &crew).await;
        crew.until(given(1, &["go"])).await;
        a_moment().await;
        let early = shell.tell(agrees(A, approval), vec![]).await.expect("it runs");
        assert!(matches!(early, Outcome::Rejected(_)), "nothing was asked: {early:?}");
    });
    assert_eq!(crew.take_heard(), [ran(1), gone(1), ran(1), given(1, &["go"]), gone(1)]);
    crew.outlives([vec![Act::Takes], finishes("two")].concat());
    let world = World::default();
    life(async {
        let shell = start(&path, &world, &crew).await;
        writes(&shell, 1, "and this").await;
        assert_eq!(ended(&world).await, completed("two"));
    });
    assert_eq!(crew.heard()[..2], [Heard::Attached(A, 1), given(2, &["and this"])]);
}

/// What a person was asked, and what was reported to nobody yet, is asked and reported again.
#[test]
fn question_and_report_of_before_a_crash_are_repeated_with_their_words() {
    let path = journal("worker-asks-crash");
    let crew = Crew::of([begins(&[Act::Reports(1, "half"), Act::Asks("rm -r")])]);
    crew.is_deaf(true);
    let approval = ApprovalId { prompt: PromptId(1), number: 1 };
    let (asked, reported) =
        (Heard::Asked(approval, "rm -r".to_owned()), Heard::Reported(A, 1, "half".to_owned()));
    life(async {
        let shell = start(&path, &World::default(), &crew).await;
        submit(&shell).await;
        crew.until(asked.clone()).await;
        crew.until(reported.clone()).await;
    });
    crew.take_heard();
    crew.is_deaf(false);
    crew.outlives([vec![Act::Takes, Act::Takes], finishes("done")].concat());
    let world = World::default();
    life(async {
        let shell = start(&path, &world, &crew).await;
        crew.until(asked.clone()).await;
        crew.until(reported.clone()).await;
        apply(&shell, agrees(A, approval), "").await;
        assert_eq!(ended(&world).await, completed("done"));
    });
    let heard = crew.take_heard();
    assert_eq!(heard.iter().filter(|heard| **heard == reported).count(), 1);
    life(async {
        let _shell = start(&path, &world, &crew).await;
        a_moment().await;
    });
    assert_eq!(crew.heard(), [], "it is on record that people have it");
}

/// The task is over and people know; what its agent has reported they do not know yet.
#[test]
fn task_is_not_forgotten_before_people_have_the_reports_of_its_agent() {
    let (path, world) = (journal("worker-report-end"), World::default());
    let crew = Crew::of([[begins(&[Act::Reports(1, "half")]), finishes("done")].concat()]);
    crew.is_deaf(true);
    let reported = Heard::Reported(A, 1, "half".to_owned());
    life(async {
        let shell = start(&path, &world, &crew).await;
        submit(&shell).await;
        assert_eq!(ended(&world).await, completed("done"));
        crew.until(reported.clone()).await;
        a_moment().await;
    });
    crew.take_heard();
    crew.is_deaf(false);
    for again in [vec![reported], vec![]] {
        life(async {
            let _shell = start(&path, &world, &crew).await;
            while crew.heard().len() < again.len() {
                a_moment().await;
            }
            a_moment().await;
        });
        assert_eq!(crew.take_heard(), again, "S5");
    }
}

#[test]
fn wait_of_a_worker_of_before_a_crash_goes_on_where_it_was() {
    let path = journal("worker-wait");
    let kernel = Config { worker_backoff_ms: 600_000, ..patient().kernel };
    let config = ShellConfig { kernel, ..patient() };
    let crew = Crew::of([begins(&[Act::Ends(IteratorEnd::Transient)]), begins(&finishes("done"))]);
    life(async {
        let shell = start_with(&path, config, &crew.in_world(&World::default())).await;
        submit(&shell).await;
        crew.until(gone(1)).await;
        a_moment().await;
        writes(&shell, 1, "and this").await;
    });
    let world = World::default();
    life(async {
        let _shell = start_with(&path, config, &crew.in_world(&world)).await;
        a_moment().await;
    });
    assert!(!crew.heard().contains(&ran(2)), "the whole wait is not over yet");
    world.pass_ms(700_000);
    life(async {
        let _shell = start_with(&path, config, &crew.in_world(&world)).await;
        assert_eq!(ended(&world).await, completed("done"));
    });
}

pub(crate) async fn start_at(path: &Path, crew: &Crew, fleet: &Fleet) -> Shell {
    let kernel = patient().kernel;
    let pool = Some(PoolConfig { agents_max: 2, ..fleet::pool() });
    let ports = crew.ports(fleet.ports(&World::default()));
    start_with(path, ShellConfig { kernel, pool, ..patient() }, &ports).await
}

/// Its agent is gone with what runs there, while somebody goes on to speak for it. There is no other at first.
#[tokio::test]
async fn worker_whose_agent_is_lost_goes_on_at_the_next_under_its_lease() {
    let fleet = Fleet::default();
    let crew = Crew::of([begins(&[Act::Leaks]), begins(&finishes("done"))]);
    let shell = start_at(&journal("worker-lost"), &crew, &fleet).await;
    submit(&shell).await;
    crew.until(given(1, &["go"])).await;
    fleet.is_stuck(true);
    fleet::gone(&shell, 1).await;
    crew.until(gone(1)).await;
    crew.late.add_permits(1);
    crew.until(Heard::Late(STALE)).await;
    a_moment().await;
    assert!(!crew.heard().contains(&Heard::Ran(A, 2, Some(2))), "placed");
    fleet.is_stuck(false);
    assert_eq!(fleet.ends(1).await, [fleet::completed(A)]);
    let stale = || Heard::Late(STALE);
    let next = [Heard::Ran(A, 2, Some(2)), given(2, &[RESUMED, "go"]), Heard::Stopped, gone(2)];
    let first = [Heard::Ran(A, 1, Some(1)), given(1, &["go"]), gone(1), stale(), stale()];
    assert_eq!(crew.heard(), first.into_iter().chain(next).collect::<Vec<_>>());
}

/// Its next iterator is kept for want of a place when it is told to end, and so was never there.
#[tokio::test]
async fn worker_that_is_cancelled_without_a_place_ends_at_once() {
    let fleet = Fleet::default();
    let crew = Crew::of([begins(&[])]);
    let shell = start_at(&journal("worker-void"), &crew, &fleet).await;
    submit(&shell).await;
    crew.until(given(1, &["go"])).await;
    fleet.is_stuck(true);
    fleet::gone(&shell, 1).await;
    crew.until(gone(1)).await;
    a_moment().await;
    apply(&shell, Event::CancelRequested { task: A }, "").await;
    let ends = fleet.ends(1).await;
    assert_eq!(ends.iter().map(|(task, _, end)| (*task, *end)).collect::<Vec<_>>(), [(A, End::Cancelled)]);
    fleet.is_stuck(false);
    a_moment().await;
    assert!(!crew.heard().iter().any(|heard| matches!(heard, Heard::Ran(_, 2, _))), "S19");
}

/// The lease is over when the process is gone, and nobody has told the tree of the iterator.
#[test]
fn iterator_whose_lease_is_over_is_not_gone_on_with_after_a_crash() {
    let (path, fleet) = (journal("worker-lost-crash"), Fleet::default());
    let crew = Crew::of([begins(&[]), begins(&finishes("done"))]);
    crew.outlives(vec![]);
    life(async {
        let shell = start_at(&path, &crew, &fleet).await;
        submit(&shell).await;
        crew.until(given(1, &["go"])).await;
        fleet.is_stuck(true);
        fleet::gone(&shell, 1).await;
    });
    life(async {
        let _shell = start_at(&path, &crew, &fleet).await;
        a_moment().await;
        fleet.is_stuck(false);
        assert_eq!(fleet.ends(1).await, [fleet::completed(A)]);
    });
    assert!(!crew.heard().contains(&Heard::Attached(A, 1)), "S20: {:?}", crew.heard());
}

/// The agent goes on with its prompt while a person holds the task. To the tree that prompt is outstanding, and waits for the resume.
#[test]
fn prompt_that_was_answered_while_a_person_held_the_task_is_not_given_again() {
    let (path, fleet) = (journal("worker-held-crash"), Fleet::default());
    let crew = Crew::of([begins(&[])]);
    crew.outlives(
        [vec![Act::Recalls(1), Act::Waits, Act::Answers("kept"), Act::Takes], finishes("done")].concat(),
    );
    life(async {
        let shell = start_at(&path, &crew, &fleet).await;
        submit(&shell).await;
        crew.until(given(1, &["go"])).await;
        apply(&shell, Event::PauseRequested { task: A }, "").await;
    });
    crew.take_heard();
    life(async {
        let shell = start_at(&path, &crew, &fleet).await;
        a_moment().await;
        crew.go.add_permits(1);
        a_moment().await;
        writes(&shell, 1, "and this").await;
        assert_eq!(crew.heard(), [Heard::Attached(A, 1)], "S13");
        apply(&shell, Event::ResumeRequested { task: A }, "").await;
        assert_eq!(fleet.ends(1).await, [fleet::completed(A)]);
    });
    let heard = crew.heard();
    assert_eq!(heard[..3], [Heard::Attached(A, 1), given(2, &["and this"]), Heard::Stopped], "{heard:?}");
}

/// The agent is gone, and what is said for it comes before that is durable: so nobody has told the iterator to end yet.
#[tokio::test]
async fn answer_of_a_worker_under_a_lease_that_is_over_is_dropped() {
    let fleet = Fleet::default();
    let crew = Crew::of([begins(&[Act::Leaks]), begins(&finishes("done"))]);
    let (store, gate) = Gated::open(&journal("worker-late")).await;
    gate.add_permits(1_000);
    let config = ShellConfig { pool: Some(fleet::pool()), ..patient() };
    let ports = crew.ports(fleet.ports(&World::default()));
    let shell =
        Shell::start(&Rt::new(Tokio::current()), config, &(Arc::new(store) as Arc<dyn Store>), &ports);
    submit(&shell).await;
    crew.until(given(1, &["go"])).await;
    // The beats go on, and a commit is not always under way.
    fleet.becomes(1, Health::Silent);
    a_moment().await;
    gate.forget_permits(1_000);
    let told = tokio::spawn({
        let teller = shell.teller();
        async move { teller.tell_pool(ShardId(0), PoolEvent::Gone { agent: AgentId(1) }).await }
    });
    a_moment().await;
    crew.late.add_permits(1);
    a_moment().await;
    assert!(!crew.heard().contains(&gone(1)), "its end is not durable");
    gate.add_permits(1_000);
    assert_eq!(told.await.expect("no panic").expect("it runs"), Outcome::Applied);
    assert_eq!(fleet.ends(1).await, [fleet::completed(A)]);
    let heard = crew.heard();
    let late: Vec<_> = heard.iter().filter(|heard| matches!(heard, Heard::Late(_))).collect();
    assert_eq!(late, [&Heard::Late(STALE), &Heard::Late(STALE)], "S20");
    assert!(heard.contains(&given(2, &[RESUMED, "go"])), "{heard:?}");
}
