//! Credentials that have to be refreshed: one refresh for all who wait, over shards, troubles and restarts.

use crate::login::{Asked, Login, Trouble};
use crate::stage::{Seen, World, journal, says, settings};
use crate::story::{DONE, life};
use downbeat_kernel::{Budget, Config, End, ProfileId, Reason, RequestReason, SendFailure, TaskId};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{Doing, Model, Output, Ports, Question, SendEnd, Shell, ShellConfig};
use downbeat_store::{Sqlite, Store};
use std::future::ready;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A model that refuses whoever comes with an access token that has expired, when so many of them have come.
pub(crate) struct Guarded {
    pub(crate) login: Login,
    pub(crate) together: usize,
    pub(crate) refused: Arc<AtomicUsize>,
}

impl Model for Guarded {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        if self.login.accepts(question.generation) {
            return Box::pin(ready(says("", &[(DONE, "done")])));
        }
        let (refused, together) = (Arc::clone(&self.refused), self.together);
        refused.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            while refused.load(Ordering::Relaxed) < together {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            SendEnd::Failed(SendFailure::Unauthorized)
        })
    }
}

/// One profile that has no key, little patience, and nobody who takes longer.
pub(crate) fn needs_login() -> ShellConfig {
    let kernel = Config {
        profiles_keyed: 0,
        credential_backoff_ms: 1,
        credential_waits_max: 3,
        attempts_max: 3,
        ..settings().kernel
    };
    ShellConfig { kernel, ..settings() }
}

async fn start(path: &Path, config: ShellConfig, world: &World, login: &Login, together: usize) -> Shell {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    let model = Arc::new(Guarded { login: login.clone(), together, refused: Arc::default() });
    let ports = Ports { model, vault: Arc::new(login.clone()), ..world.ports() };
    Shell::start(&Rt::new(Tokio::current()), config, &store, &ports)
}

async fn submit(shell: &Shell, tasks: usize) {
    for _ in 0..tasks {
        shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
    }
}

/// How each task ended, when so many have.
async fn ends(world: &World, tasks: usize) -> Vec<End> {
    loop {
        let ended = |seen| if let Seen::Ended(_, end, _) = seen { Some(end) } else { None };
        let ends: Vec<_> = world.seen().into_iter().filter_map(ended).collect();
        if ends.len() >= tasks {
            return ends;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

const NO_CREDENTIAL: End = End::Failed(Reason::Request(RequestReason::Credential));

#[tokio::test]
async fn many_that_are_refused_at_once_lead_to_one_refresh() {
    #[rustfmt::skip]
    let cases = [
        ("one-shard",    1, 20),
        ("three-shards", 3, 21),
    ];
    for (name, shards, tasks) in cases {
        let (world, login) = (World::default(), Login::expired());
        // With one wait of a millisecond after the other a sibling's claim would outlast the patience.
        let mut config = ShellConfig { shards, ..needs_login() };
        config.kernel.credential_waits_max = 200;
        let shell = start(&journal(name), config, &world, &login, tasks).await;
        submit(&shell, tasks).await;
        assert_eq!(ends(&world, tasks).await, vec![End::Completed; tasks], "{name}");
        assert_eq!((login.refreshes(), login.is_revoked()), (1, false), "{name}: {:?}", login.asked());
        shell.stop().await.expect("it stops");
    }
}

#[tokio::test]
async fn one_that_is_refused_when_there_is_a_newer_one_gets_that_and_asks_nobody() {
    let (world, login) = (World::default(), Login::expired());
    let late = Late { login: login.clone(), first: Mutex::default() };
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&journal("late")).await.expect("a store"));
    let ports = Ports { model: Arc::new(late), vault: Arc::new(login.clone()), ..world.ports() };
    let shell = Shell::start(&Rt::new(Tokio::current()), needs_login(), &store, &ports);
    submit(&shell, 2).await;
    assert_eq!(ends(&world, 2).await, [End::Completed; 2]);
    let asked = [Asked::Claimed(0), Asked::Claimed(1), Asked::Refreshed(1), Asked::Wrote(2)];
    assert_eq!(login.asked(), asked);
}

/// Refuses the first task at once, and any other when there is a new credential.
struct Late {
    login: Login,
    first: Mutex<Option<TaskId>>,
}

impl Model for Late {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        let (login, task) = (self.login.clone(), question.id.task);
        if login.accepts(question.generation) {
            return Box::pin(ready(says("", &[(DONE, "done")])));
        }
        let is_first = *self.first.lock().expect("no panic").get_or_insert(task) == task;
        Box::pin(async move {
            if !is_first {
                login.until(Asked::Wrote(2)).await;
            }
            SendEnd::Failed(SendFailure::Unauthorized)
        })
    }
}

#[tokio::test]
async fn task_fails_when_nothing_is_to_be_had_and_the_next_one_does_not() {
    #[rustfmt::skip]
    let cases = [
        ("store",  Trouble::Unreadable),
        ("down",   Trouble::Down),
        ("panics", Trouble::Panics),
        ("silent", Trouble::Silent),
    ];
    for (name, trouble) in cases {
        let (world, login) = (World::default(), Login::expired());
        login.is_in(trouble);
        let mut config = needs_login();
        config.kernel.refresh_ms = 5;
        let shell = start(&journal(&format!("trouble-{name}")), config, &world, &login, 1).await;
        submit(&shell, 1).await;
        assert_eq!(ends(&world, 1).await, [NO_CREDENTIAL], "{name}");
        login.is_in(Trouble::None);
        submit(&shell, 1).await;
        assert_eq!(ends(&world, 2).await, [NO_CREDENTIAL, End::Completed], "{name}");
        assert_eq!((login.refreshes(), login.is_revoked()), (1, false), "{name}");
        shell.stop().await.expect("it stops");
    }
}

#[test]
fn refresh_of_before_a_crash_is_not_repeated_unless_nobody_has_heard_what_it_gave() {
    use Asked::{Claimed, Read, Refreshed, WasRefreshed, WasWritten, Wrote};
    #[rustfmt::skip]
    let cases: [(&str, Trouble, Asked, Vec<Asked>, End); 3] = [
        ("kept", Trouble::AnswerUnheard, Refreshed(1), vec![WasRefreshed(1), Wrote(2)], End::Completed),
        ("unwritten", Trouble::WriteUnheard, Wrote(2), vec![WasWritten(2), Claimed(1), Wrote(2)], End::Completed),
        // A10: the token is used a second time, and the server revokes all that came of it.
        ("unheard", Trouble::GrantUnheard, Refreshed(1), vec![WasRefreshed(1), Claimed(1), Refreshed(1), Read(1)], NO_CREDENTIAL),
    ];
    for (name, trouble, until, then, end) in cases {
        let (path, login, before) = (journal(&format!("restart-{name}")), Login::expired(), World::default());
        login.is_in(trouble);
        life(async {
            let shell = start(&path, needs_login(), &before, &login, 1).await;
            submit(&shell, 1).await;
            login.until(until).await;
        });
        login.is_in(Trouble::None);
        let (asked, after) = (login.asked().len(), World::default());
        life(async {
            let shell = start(&path, needs_login(), &after, &login, 1).await;
            assert_eq!(ends(&after, 1).await, [end], "{name}");
            assert_eq!(login.asked()[asked..], then, "{name}");
            shell.stop().await.expect("it stops");
        });
        assert_eq!(login.is_revoked(), name == "unheard", "{name}");
    }
}

#[tokio::test]
async fn login_that_is_told_of_is_given_to_whoever_waits() {
    let (world, login) = (World::default(), Login::expired());
    login.is_in(Trouble::Silent);
    let shell = start(&journal("told"), needs_login(), &world, &login, 1).await;
    submit(&shell, 1).await;
    login.until(Asked::Claimed(1)).await;
    let next = login.log_in();
    shell.teller().credential_changed(ProfileId(0), next).await.expect("it runs");
    assert_eq!(ends(&world, 1).await, [End::Completed]);
    assert_eq!(login.refreshes(), 0);
}
