//! Adapters that panic, where they are asked or later, and adapters that never answer: each method of each port, once in a story in which
//! everything else goes well.

use crate::bad::{Bad, Fault};
use crate::crew::{Act, Crew, agrees};
use crate::fleet::{self, Asked, Fleet, TOOL};
use crate::login::{self, Login, Trouble};
use crate::logins::{Guarded, needs_login};
use crate::stage::{PATIENCE, Seen, World, journal, says, settings, yes};
use crate::stopping::a_moment;
use crate::story::{A, DONE, life};
use crate::workers::{begins, finishes, given, patient, start_with};
use downbeat_kernel::{
    Approval, ApprovalId, Budget, CallId, Config, End, Epoch, Event, MessageId, Outcome, PoolConfig,
    PromptId, QuestionId, QuestionKey, QuestionNumber, Sign as Shown, TaskId,
};
use downbeat_shell::{Ports, Shell, ShellConfig, Wish};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

const B: TaskId = TaskId(2);

/// Tells an event until it is taken: somebody may not have been asked, and answers nevertheless.
async fn insist(shell: &Shell, event: Event) {
    let taken = async {
        while shell.tell(event.clone(), vec!["so".to_owned()]).await.expect("it runs") != Outcome::Applied {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(&format!("{event:?}"), taken).await;
}

async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, done).await.unwrap_or_else(|_| panic!("{what}: it never comes"))
}

async fn submit(shell: &Shell) -> TaskId {
    shell.submit("go".to_owned(), Budget::default()).await.expect("it runs")
}

fn is_end(of: TaskId) -> impl Fn(&Seen) -> bool {
    move |seen| matches!(seen, Seen::Ended(task, ..) if *task == of)
}

/// What has to be done by people before a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Yes,
    Cancel,
    YesAndCancel,
}

impl Bad {
    /// A tool that a person has to agree to, and the end. Then a task that a person is asked about, writes to, and cancels.
    async fn asks_a_model(&self, shell: &Shell, world: &World, needs: Needs) {
        submit(shell).await;
        if matches!(needs, Needs::Yes | Needs::YesAndCancel) {
            insist(shell, yes(QuestionId { task: A, number: 1 })).await;
        }
        if matches!(needs, Needs::Cancel | Needs::YesAndCancel) {
            self.until_wrong().await;
            insist(shell, Event::CancelRequested { task: A }).await;
        }
        world.until(is_end(A)).await;
        submit(shell).await;
        world.until(|seen| matches!(seen, Seen::Sent(B, ..))).await;
        insist(shell, Event::MessageReceived { task: B, message: MessageId(1) }).await;
        a_moment().await;
        insist(shell, Event::CancelRequested { task: B }).await;
        world.until(is_end(B)).await;
    }
}

#[tokio::test]
async fn adapter_of_a_task_that_asks_a_model_does_wrong_and_the_shard_goes_on() {
    use Fault::{AnswersTooLate, DropsWithPanic, NeverAnswers, PanicsAtOnce, PanicsLater};
    #[rustfmt::skip]
    let cases = [
        ("send",        PanicsAtOnce, Needs::Yes),     ("send",        PanicsLater, Needs::Yes),     ("send",        NeverAnswers, Needs::Cancel),
        ("show",        PanicsAtOnce, Needs::Yes),     ("show",        PanicsLater, Needs::Yes),     ("show",        NeverAnswers, Needs::Yes),
        ("run tool",    PanicsAtOnce, Needs::Yes),     ("run tool",    PanicsLater, Needs::Yes),     ("run tool",    NeverAnswers, Needs::YesAndCancel),
        ("prepare",     PanicsAtOnce, Needs::Nothing), ("prepare",     PanicsLater, Needs::Nothing), ("prepare",     NeverAnswers, Needs::Cancel),
        ("deploy",      PanicsAtOnce, Needs::Nothing), ("deploy",      PanicsLater, Needs::Nothing), ("deploy",      NeverAnswers, Needs::Cancel),
        ("undelivered", PanicsAtOnce, Needs::Yes),     ("undelivered", PanicsLater, Needs::Yes),     ("undelivered", NeverAnswers, Needs::Yes),
        ("notify",      PanicsAtOnce, Needs::Yes),     ("notify",      PanicsLater, Needs::Yes),     ("notify",      NeverAnswers, Needs::Yes),
        ("given up",    PanicsAtOnce, Needs::Yes),     ("given up",    PanicsLater, Needs::Yes),
        ("send",        AnswersTooLate, Needs::Yes),     ("send",        DropsWithPanic, Needs::Yes),
        ("run tool",    AnswersTooLate, Needs::Yes),     ("run tool",    DropsWithPanic, Needs::Yes),
        ("prepare",     AnswersTooLate, Needs::Nothing), ("prepare",     DropsWithPanic, Needs::Nothing),
        ("deploy",      AnswersTooLate, Needs::Nothing), ("deploy",      DropsWithPanic, Needs::Nothing),
        ("undelivered", AnswersTooLate, Needs::Yes),     ("undelivered", DropsWithPanic, Needs::Yes),
        ("given up",    AnswersTooLate, Needs::Yes),     ("given up",    DropsWithPanic, Needs::Yes),
        ("ask",         PanicsAtOnce, Needs::Yes),
        ("withdraw",    PanicsAtOnce, Needs::Yes),
        ("now",         PanicsAtOnce, Needs::Yes),
    ];
    for (method, fault, needs) in cases {
        let name = format!("{method} {fault:?}");
        let tool = says("let me see", &[(Wish::Tool(Approval::Required), "ls")]);
        let done = says("", &[(DONE, "fine")]);
        let script = match needs {
            Needs::Yes => vec![tool, done],
            Needs::YesAndCancel => vec![tool],
            Needs::Nothing | Needs::Cancel => vec![],
        };
        let world = World::of(script.into_iter().chain([says("well", &[(Wish::Question, "how?")])]));
        let mut config = ShellConfig { view_ms_max: 20, ..settings() };
        (config.kernel.notification_backoff_ms, config.kernel.grace_ms) = (5, 5);
        config.kernel.notification_attempts_max = if method == "given up" { 1 } else { 10 };
        let bad = Bad::of(world.ports(), (method, fault));
        config.bounds = bad.bounds();
        let shell = start_with(&journal(&format!("contained/{name}")), config, &bad.ports()).await;
        within(&name, bad.asks_a_model(&shell, &world, needs)).await;
        within(&name, bad.until_wrong()).await;
        if matches!(fault, AnswersTooLate | DropsWithPanic) && ["undelivered", "given up"].contains(&method) {
            within(&name, bad.until_asked(2)).await;
        }
        bad.answers_nobody().await;
    }
}

/// An agent that asks a person while it is at a tool, and is done. Then a task that is cancelled while it is at one.
async fn runs_on_agents(shell: &Shell, fleet: &Fleet) {
    fleet::submit(shell, "go").await;
    let answered = async {
        // The lease may be over by then.
        loop {
            for epoch in 1..4 {
                let question = QuestionKey { epoch: Epoch(epoch), number: QuestionNumber(1) };
                let told = shell.teller().answer(A, question, "this one".to_owned()).await;
                if told.expect("it runs") == Outcome::Applied {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    answered.await;
    fleet.state().may_end = true;
    fleet.ends(1).await;
    fleet.state().may_end = false;
    fleet::submit(shell, "go").await;
    fleet.until_any(|asked| matches!(asked, Asked::Run(CallId { task: B, .. }, _))).await;
    insist(shell, Event::CancelRequested { task: B }).await;
    fleet.ends(2).await;
}

#[tokio::test]
async fn adapter_of_agents_does_wrong_and_the_shard_goes_on() {
    use Fault::{AnswersTooLate, NeverAnswers, PanicsAtOnce, PanicsLater};
    #[rustfmt::skip]
    let cases = [
        ("start",   PanicsAtOnce), ("start",   PanicsLater), ("start",   NeverAnswers),
        ("remove",  PanicsAtOnce), ("remove",  PanicsLater), ("remove",  NeverAnswers),
        ("attend",  PanicsAtOnce), ("attend",  PanicsLater), ("attend",  NeverAnswers),
        ("answer",  PanicsAtOnce), ("answer",  PanicsLater), ("answer",  NeverAnswers),
        ("stop",    PanicsAtOnce), ("stop",    PanicsLater), ("stop",    NeverAnswers),
        ("clean",   PanicsAtOnce), ("clean",   PanicsLater), ("clean",   NeverAnswers),
        ("settled", PanicsAtOnce), ("settled", PanicsLater), ("settled", NeverAnswers),
        ("asks",    PanicsAtOnce),
        ("remove",  AnswersTooLate),
        ("settled", AnswersTooLate),
    ];
    for (method, fault) in cases {
        let name = format!("{method} {fault:?}");
        let fleet = Fleet::default();
        let tool = || says("", &[(TOOL, "wait for it")]);
        // The first may be lost with its lease.
        let world = World::of([tool(), tool(), says("", &[(DONE, "fine")]), tool()]);
        fleet.state().asks.extend([(1, (1, "how?")), (2, (1, "how?")), (3, (1, "how?"))]);
        let times =
            PoolConfig { lease_ms: 500, provision_ms: 200, clean_ms: 200, idle_ms: 20, ..fleet::pool() };
        let mut config = fleet::config(PoolConfig { agents_max: 3, ..times });
        (config.kernel.relay_ms, config.kernel.grace_ms) = (20, 5);
        let bad = Bad::of(fleet.ports(&world), (method, fault));
        config.bounds = bad.bounds();
        let shell = start_with(&journal(&format!("contained/{name}")), config, &bad.ports()).await;
        within(&name, runs_on_agents(&shell, &fleet)).await;
        within(&name, bad.until_wrong()).await;
        if fault == AnswersTooLate {
            within(&name, bad.until_asked(2)).await;
        }
        bad.answers_nobody().await;
    }
}

/// An agent that shows that something has failed, reports, and asks twice: the first is answered, and the second withdrawn with its task.
async fn is_run_by_a_worker(shell: &Shell, world: &World) {
    submit(shell).await;
    // The first prompt may have come to nothing.
    let answered = async {
        loop {
            for prompt in 1..6 {
                let approval = ApprovalId { prompt: PromptId(prompt), number: 1 };
                if shell.tell(agrees(A, approval), vec![]).await.expect("it runs") == Outcome::Applied {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    answered.await;
    a_moment().await;
    insist(shell, Event::CancelRequested { task: A }).await;
    world.until(is_end(A)).await;
}

#[tokio::test]
async fn adapter_of_a_worker_does_wrong_and_the_shard_goes_on() {
    use Fault::{AnswersTooLate, NeverAnswers, PanicsAtOnce, PanicsLater};
    #[rustfmt::skip]
    let cases = [
        ("run",    PanicsAtOnce), ("run",    PanicsLater), ("run",    NeverAnswers),
        ("report", PanicsAtOnce), ("report", PanicsLater), ("report", NeverAnswers), ("report", AnswersTooLate),
        ("overseer asks",      PanicsAtOnce),
        ("overseer withdraws", PanicsAtOnce),
        ("warn",               PanicsAtOnce),
    ];
    for (method, fault) in cases {
        let name = format!("{method} {fault:?}");
        let world = World::default();
        let shown = if method == "warn" { Shown::Failed } else { Shown::Activity };
        let acts = [
            Act::Shows(shown),
            Act::Reports(1, "half of it"),
            Act::Asks("may I?"),
            Act::Takes,
            Act::Asks("and now?"),
        ];
        let crew = Crew::of([begins(&acts)]);
        let mut config = patient();
        (config.kernel.errors_max, config.kernel.stop_ms) = (1, 5);
        if fault == NeverAnswers {
            (config.kernel.progress_ms, config.kernel.stuck_ms) = (100, 100);
        }
        let bad = Bad::of(crew.in_world(&world), (method, fault));
        config.bounds = bad.bounds();
        let shell = start_with(&journal(&format!("contained/{name}")), config, &bad.ports()).await;
        within(&name, is_run_by_a_worker(&shell, &world)).await;
        within(&name, bad.until_wrong()).await;
        if fault == AnswersTooLate {
            within(&name, bad.until_asked(2)).await;
        }
        bad.answers_nobody().await;
    }
}

/// What is asked about after a crash.
#[test]
fn adapter_that_is_asked_what_became_of_something_does_wrong_and_the_shard_goes_on() {
    use Fault::{AnswersTooLate, NeverAnswers, PanicsAtOnce, PanicsLater};
    for method in ["recover", "attach"] {
        for fault in [PanicsAtOnce, PanicsLater, NeverAnswers, AnswersTooLate] {
            // An iterator has no bound: it is found by its health.
            if (method, fault) == ("attach", AnswersTooLate) {
                continue;
            }
            let name = format!("{method} {fault:?}");
            let path = journal(&format!("contained/{name}"));
            let crew = Crew::of([begins(&[]), [begins(&[]), finishes("again")].concat()]);
            if method == "recover" {
                crew.leaves(A);
            }
            let mut config = patient();
            if fault == NeverAnswers {
                (config.kernel.progress_ms, config.kernel.stuck_ms, config.kernel.stop_ms) = (50, 50, 5);
            }
            life(async {
                let world = World::default();
                let shell = start_with(&path, config, &crew.in_world(&world)).await;
                submit(&shell).await;
                match method {
                    "recover" => world.until(|seen| matches!(seen, Seen::Sent(..))).await,
                    _ => crew.until(given(1, &["go"])).await,
                }
            });
            let world = World::of([says("", &[(DONE, "again")])]);
            let bad = Bad::of(crew.in_world(&world), (method, fault));
            config.bounds = bad.bounds();
            life(async {
                let shell = start_with(&path, config, &bad.ports()).await;
                if (method, fault) == ("recover", NeverAnswers) {
                    bad.until_wrong().await;
                    insist(&shell, Event::CancelRequested { task: A }).await;
                }
                within(&name, async { world.until(is_end(A)).await }).await;
                bad.answers_nobody().await;
            });
            assert!(bad.has_done(), "{name}: it was not asked for");
        }
    }
}

/// Who has a login that has expired. The store and the server have little time.
fn logs_in(login: &Login, world: &World) -> (ShellConfig, Ports) {
    let kernel = needs_login().kernel;
    let kernel =
        Config { store_ms: 500, refresh_ms: 500, claim_ms: 2_000, credential_waits_max: 200, ..kernel };
    let model = Guarded { login: login.clone(), together: 1, refused: Arc::new(AtomicUsize::new(0)) };
    let ports = Ports { model: Arc::new(model), vault: Arc::new(login.clone()), ..world.ports() };
    (ShellConfig { kernel, ..needs_login() }, ports)
}

#[test]
fn store_of_credentials_or_its_server_does_wrong_and_the_task_is_done() {
    use Fault::{NeverAnswers, PanicsAtOnce, PanicsLater};
    // What a crash interrupts, if it is asked about after one, and what is asked for before that.
    let cases = [
        ("claim", None),
        ("refresh", None),
        ("write", None),
        ("refreshed", Some((Trouble::AnswerUnheard, login::Asked::Refreshed(1)))),
        ("written", Some((Trouble::WriteUnheard, login::Asked::Wrote(2)))),
    ];
    for (method, interrupted) in cases {
        for fault in [PanicsAtOnce, PanicsLater, NeverAnswers] {
            let name = format!("{method} {fault:?}");
            let path = journal(&format!("contained/{name}"));
            let (login, world) = (Login::expired(), World::default());
            let (config, ports) = logs_in(&login, &world);
            if let Some((trouble, asked)) = interrupted {
                login.is_in(trouble);
                life(async {
                    let shell = start_with(&path, config, &ports).await;
                    submit(&shell).await;
                    within(&name, login.until(asked)).await;
                });
                login.is_in(Trouble::None);
            }
            let bad = Bad::of(ports, (method, fault));
            life(async {
                let shell = start_with(&path, config, &bad.ports()).await;
                if interrupted.is_none() {
                    submit(&shell).await;
                }
                let is_done = |seen: &Seen| matches!(seen, Seen::Ended(A, End::Completed, _));
                within(&name, world.until(is_done)).await;
            });
            assert!(bad.has_done(), "{name}: it was not asked for");
            assert!(!login.is_revoked(), "{name}: S15");
        }
    }
}
