//! The attempts at a task beside workers: whoever runs one of them, and whoever hears of it, knows which it is and what people call the task.

use crate::crew::{Act, Crew, Heard, agrees};
use crate::stage::{Seen, World, journal, says};
use crate::stopping::a_moment;
use crate::story::{A, DONE, apply, life};
use crate::tries::{B, FAILED, completed, end, submit, tell};
use crate::workers::{begins, given, patient, start_with};
use downbeat_kernel::{
    Answer, ApprovalId, AttemptNumber, Concern, Event, IteratorEnd, MessageId, Outcome, PromptId,
    QuestionEnd, QuestionId, QuestionNumber, Reason, RetryEnd, RetryReason, SendFailure, Sign, TaskId, Then,
    TurnNumber, WorkerEvent, WorkerReason,
};
use downbeat_shell::{
    Agents, Container, Doing, Excerpt, Model, NoAgents, Output, Ports, Question, Seat, SendEnd, ShellConfig,
    Text, Trial, Viewer, Wish,
};
use std::collections::BTreeSet;
use std::future::ready;
use std::sync::{Arc, Mutex};

const C: TaskId = TaskId(3);

pub(crate) fn attempt(attempt: u32) -> Trial {
    Trial { name: A, attempt: AttemptNumber(attempt) }
}

fn of_worker(task: TaskId, event: WorkerEvent) -> Event {
    Event::Worker { task, event }
}

/// A millisecond between two attempts, two iterators in each, and whoever watches is warned of each error.
pub(crate) fn tried() -> ShellConfig {
    let mut config = ShellConfig { attempts: true, ..patient() };
    (config.kernel.task_backoff_ms, config.kernel.worker_attempts_max) = (1, 2);
    (config.kernel.errors_max, config.kernel.stop_ms) = (1, 5);
    config
}

/// No agents, but somebody hears what is made ready.
#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<BTreeSet<(TaskId, Trial)>>>);

impl Agents for Rooms {
    fn start(&self, container: Container) -> Doing<bool> {
        NoAgents.start(container)
    }

    fn remove(&self, container: Container) -> Doing<()> {
        NoAgents.remove(container)
    }

    fn attend(&self, seat: Seat, asked: Option<QuestionNumber>) -> Doing<downbeat_shell::Sign> {
        NoAgents.attend(seat, asked)
    }

    fn answer(&self, seat: Seat, number: QuestionNumber, end: QuestionEnd, answer: Text) -> Doing<()> {
        NoAgents.answer(seat, number, end, answer)
    }

    fn stop(&self, seat: Seat) -> Doing<()> {
        NoAgents.stop(seat)
    }

    fn clean(&self, seat: Seat) -> Doing<()> {
        NoAgents.clean(seat)
    }

    fn prepare(&self, task: TaskId, trial: Trial, _seat: Option<Seat>) -> Doing<bool> {
        self.0.lock().expect("nothing panics with it").insert((task, trial));
        Box::pin(ready(true))
    }
}

/// The first attempt loses two iterators. The second has a subtask, which a worker runs too.
fn crew(second: &[Act]) -> Crew {
    let dies = begins(&[Act::Ends(IteratorEnd::Transient)]);
    let of_subtask = begins(&[Act::Asks("may I?")]);
    let crew = Crew::of([dies.clone(), dies, begins(second), of_subtask]);
    crew.runs(B);
    crew.runs(C);
    crew
}

const QUESTION: ApprovalId = ApprovalId { prompt: PromptId(1), number: 1 };

#[tokio::test]
async fn whoever_has_to_do_with_a_worker_knows_which_attempt_it_belongs_to() {
    let (world, rooms) = (World::default(), Rooms::default());
    let crew = crew(&[
        Act::Shows(Sign::Failed),
        Act::Reports(1, "half of it"),
        Act::Delegates("the other half"),
        Act::Asks("rm -r"),
    ]);
    let ports = Ports { agents: Arc::new(rooms.clone()), ..crew.in_world(&world) };
    let shell = start_with(&journal("trials"), tried(), &ports).await;
    assert_eq!(submit(&shell).await, A);
    crew.until(Heard::Asked(QUESTION, "rm -r".to_owned())).await;
    crew.until(Heard::Asked(QUESTION, "may I?".to_owned())).await;
    crew.until(Heard::Reported(B, 1, "half of it".to_owned())).await;
    crew.until(Heard::Warned(Concern::Errors)).await;
    apply(&shell, Event::CancelRequested { task: A }, "").await;
    world.until(|seen| matches!(seen, Seen::Tried(A, ..))).await;
    #[rustfmt::skip]
    let expected = [
        ("deploy",   A, attempt(1)),
        ("run",      A, attempt(1)),
        ("deploy",   B, attempt(2)),
        ("run",      B, attempt(2)),
        ("warn",     B, attempt(2)),
        ("report",   B, attempt(2)),
        ("ask",      B, attempt(2)),
        ("withdraw", B, attempt(2)),
        ("deploy",   C, attempt(2)),
        ("run",      C, attempt(2)),
        ("ask",      C, attempt(2)),
        ("withdraw", C, attempt(2)),
    ];
    assert_eq!(crew.trials(), BTreeSet::from(expected));
    let made_ready = rooms.0.lock().expect("nothing panics with it").clone();
    assert_eq!(made_ready, BTreeSet::from([(A, attempt(1)), (B, attempt(2)), (C, attempt(2))]));
}

/// What means the same to each attempt reaches the one that runs. What names something that each counts for itself does not: it may be
/// meant for the one before (S6, S12).
#[tokio::test]
async fn people_reach_the_worker_of_the_attempt_that_runs_by_the_name_of_the_task() {
    let world = World::default();
    let crew = crew(&[Act::Asks("rm -r"), Act::Takes, Act::Answers("not yet"), Act::Takes]);
    let shell = start_with(&journal("trials-name"), tried(), &crew.in_world(&world)).await;
    submit(&shell).await;
    crew.until(Heard::Asked(QUESTION, "rm -r".to_owned())).await;
    let interrupt = WorkerEvent::InterruptRequested { turn: TurnNumber(1), then: Then::Resume };
    for event in [of_worker(A, interrupt), agrees(A, QUESTION)] {
        let told = tell(&shell, event.clone()).await;
        assert_ne!(told, Outcome::Applied, "{event:?} was meant for the first attempt");
    }
    apply(&shell, of_worker(A, WorkerEvent::WrapUpRequested), "").await;
    apply(&shell, agrees(B, QUESTION), "").await;
    crew.until(given(2, &["Finish now, with what you have."])).await;
    apply(&shell, of_worker(A, WorkerEvent::CompleteRequested), "it is enough").await;
    assert_eq!(end(&world).await, completed(2, "it is enough"));
}

/// Says the beginning of its response, and then that it is no more; from the second attempt on, all of it.
#[derive(Clone, Default)]
struct Speaker(Arc<Mutex<Vec<Excerpt>>>);

impl Model for Speaker {
    fn send(&self, question: Question, output: Output) -> Doing<SendEnd> {
        Box::pin(async move {
            // There is room for the last when the first is shown.
            for piece in ["once", "upon", "a time"] {
                output.say(piece.to_owned()).await;
            }
            match question.id.task {
                A => SendEnd::Failed(SendFailure::Transient),
                _ => says("", &[(DONE, "fine")]),
            }
        })
    }
}

impl Viewer for Speaker {
    fn show(&self, excerpt: Excerpt) -> Doing<()> {
        self.0.lock().expect("nothing panics with it").push(excerpt);
        Box::pin(ready(()))
    }
}

/// Who has read the beginning of the first response gets another in its place, and can tell.
#[tokio::test]
async fn viewer_knows_which_attempt_a_piece_belongs_to() {
    let (world, speaker) = (World::default(), Arc::new(Speaker::default()));
    let viewer: Arc<dyn Viewer> = speaker.clone();
    let ports = Ports { model: speaker.clone(), viewer: Some(viewer), ..world.ports() };
    let shell = start_with(&journal("trials-viewer"), tried(), &ports).await;
    submit(&shell).await;
    assert_eq!(end(&world).await, completed(2, "fine"));
    let shown = speaker.0.lock().expect("nothing panics with it").clone();
    let mut told: Vec<_> = shown.iter().map(|excerpt| (excerpt.id.task, excerpt.trial)).collect();
    told.dedup();
    assert_eq!(told, [(A, attempt(1)), (B, attempt(2))]);
}

/// Each attempt counts its messages from 1, and neither of the two that nobody has read is taken for a copy of the other.
#[tokio::test]
async fn messages_of_two_attempts_that_were_not_delivered_are_told_apart() {
    let asks_and_fails = || [says("", &[(Wish::Question, "how?")])].into_iter().chain(FAILED);
    let script = asks_and_fails().chain(asks_and_fails()).chain([says("", &[(DONE, "fine")])]);
    let world = World::of(script);
    let shell = start_with(&journal("trials-messages"), tried(), &world.ports()).await;
    submit(&shell).await;
    for task in [A, B] {
        let question = QuestionId { task, number: 1 };
        world.until(|seen| matches!(seen, Seen::Asked(of, ..) if *of == question)).await;
        apply(&shell, Event::MessageReceived { task: A, message: MessageId(1) }, "like this").await;
        apply(&shell, Event::AnswerReceived { question, answer: Answer::Text }, "so").await;
    }
    assert_eq!(end(&world).await, completed(3, "fine"));
    let mut reported = world.seen();
    reported.retain(|seen| matches!(seen, Seen::Undelivered(..)));
    let undelivered = |task, number| Seen::Undelivered(task, attempt(number), MessageId(1));
    assert_eq!(reported, [undelivered(A, 1), undelivered(B, 2)]);
}

/// What the last attempt had answered when it failed is what people get.
#[tokio::test]
async fn task_that_has_failed_ends_with_the_words_and_the_reason_of_its_last_attempt() {
    let world = World::default();
    let answers = |words| begins(&[Act::Answers(words), Act::Takes, Act::Ends(IteratorEnd::Permanent)]);
    let crew = Crew::of([answers("half of it")]);
    let shell = start_with(&journal("trials-words"), tried(), &crew.in_world(&world)).await;
    submit(&shell).await;
    crew.until(given(1, &["go"])).await;
    apply(&shell, Event::MessageReceived { task: A, message: MessageId(1) }, "go on").await;
    let failed = RetryEnd::Failed(RetryReason::Permanent);
    assert_eq!(end(&world).await, Seen::Tried(A, failed, "half of it".to_owned()));
    assert_eq!(world.reasons(), [Reason::Worker(WorkerReason::Refused)]);
}

/// Which root is which attempt is on record, and so is what the ports are told after a crash.
#[test]
fn iterator_of_before_a_crash_is_gone_on_with_under_its_attempt() {
    let path = journal("trials-crash");
    let crew = crew(&[Act::Asks("rm -r")]);
    crew.outlives(vec![]);
    for attached in [false, true] {
        crew.take_heard();
        life(async {
            let shell = start_with(&path, tried(), &crew.in_world(&World::default())).await;
            if !attached {
                submit(&shell).await;
            }
            crew.until(Heard::Asked(QUESTION, "rm -r".to_owned())).await;
            a_moment().await;
        });
        let is_attached = crew.trials().contains(&("attach", B, attempt(2)));
        assert_eq!(is_attached, attached, "{:?}", crew.take_heard());
        assert!(crew.trials().contains(&("ask", B, attempt(2))));
    }
}
