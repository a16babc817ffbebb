//! Output that goes out while a response arrives: when, in which order, and what never does.

use crate::stage::{Seen, World, journal, says, settings};
use crate::stopping::{Gated, a_moment};
use crate::story::{A, DONE, apply, life};
use downbeat_kernel::{
    Attempt, Budget, Config, End, Event, MessageId, Outcome, ProfileId, Reason, RequestId, RequestReason,
    SendFailure, TaskId, TurnNumber,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{
    Bounds, Doing, Excerpt, Model, Output, Ports, Question, SendEnd, Shell, ShellConfig, Viewer,
};
use downbeat_store::{Sqlite, Store};
use std::collections::VecDeque;
use std::future::pending;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a model does in one send, in this order; after the last, it never ends.
#[derive(Clone, Debug)]
enum Act {
    Says(&'static str),
    /// Waits until it is let on.
    Waits,
    /// Says nothing for so many milliseconds.
    Thinks(u64),
    Ends(SendEnd),
    Panics,
    /// Has somebody else go on speaking, whatever becomes of the send.
    Leaks,
}

struct State {
    scripts: VecDeque<Vec<Act>>,
    sent: Vec<RequestId>,
    /// How many pieces there was room for.
    said: usize,
    shown: Vec<(Attempt, u32, String)>,
}

/// A model that speaks, and whoever watches it.
#[derive(Clone)]
struct Studio {
    state: Arc<Mutex<State>>,
    go: Arc<Semaphore>,
    /// Whether the viewer has room for another piece.
    room: Arc<Semaphore>,
}

impl Studio {
    fn of(scripts: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let scripts = scripts.into_iter().collect();
        let state = State { scripts, sent: Vec::new(), said: 0, shown: Vec::new() };
        let room = Arc::new(Semaphore::new(1_000));
        Self { state: Arc::new(Mutex::new(state)), go: Arc::new(Semaphore::new(0)), room }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with it")
    }

    fn shown(&self) -> Vec<(Attempt, u32, String)> {
        self.state().shown.clone()
    }

    async fn until_shown(&self, pieces: usize) {
        while self.shown().len() < pieces {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn until_sent(&self, sends: usize) {
        while self.state().sent.len() < sends {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn play(self, script: Vec<Act>, output: Output) -> SendEnd {
        for act in script {
            match act {
                Act::Says(text) => {
                    output.say(text.to_owned()).await;
                    self.state().said += 1;
                }
                Act::Thinks(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Act::Waits => self.go.acquire().await.expect("it is not closed").forget(),
                Act::Ends(end) => return end,
                Act::Panics => panic!("on purpose"),
                Act::Leaks => {
                    let output = output.clone();
                    tokio::spawn(async move {
                        loop {
                            output.say("and on".to_owned()).await;
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    });
                }
            }
        }
        pending().await
    }
}

impl Model for Studio {
    fn send(&self, question: Question, output: Output) -> Doing<SendEnd> {
        let mut state = self.state();
        state.sent.push(question.id);
        let script = state.scripts.pop_front().unwrap_or_default();
        drop(state);
        Box::pin(self.clone().play(script, output))
    }
}

impl Viewer for Studio {
    fn show(&self, Excerpt { id, number, text, .. }: Excerpt) -> Doing<()> {
        let studio = self.clone();
        Box::pin(async move {
            assert!(text != "unseen", "on purpose");
            studio.room.acquire().await.expect("it is not closed").forget();
            studio.state().shown.push((id.attempt, number, text));
        })
    }
}

/// One that is watched, or not.
fn ports(world: &World, studio: &Studio, is_watched: bool) -> Ports {
    let viewer = is_watched.then(|| Arc::new(studio.clone()) as Arc<dyn Viewer>);
    Ports { model: Arc::new(studio.clone()), viewer, ..world.ports() }
}

fn start_on(store: impl Store + 'static, config: ShellConfig, ports: &Ports) -> Shell {
    let store: Arc<dyn Store> = Arc::new(store);
    Shell::start(&Rt::new(Tokio::current()), config, &store, ports)
}

async fn start(path: &Path, ports: &Ports) -> Shell {
    start_on(Sqlite::open(path).await.expect("a store"), settings(), ports)
}

async fn submit(shell: &Shell) {
    shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
}

async fn ended(world: &World) -> End {
    world.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    let end = |seen: &Seen| if let Seen::Ended(A, end, _) = seen { Some(*end) } else { None };
    world.seen().iter().find_map(end).expect("it is there")
}

fn piece(attempt: u16, number: u32, text: &str) -> (Attempt, u32, String) {
    (Attempt(attempt), number, text.to_owned())
}

fn done() -> Act {
    Act::Ends(says("", &[(DONE, "done")]))
}

const INTERRUPTED: End = End::Failed(Reason::Request(RequestReason::Interrupted));

#[tokio::test]
async fn first_piece_waits_for_its_record_and_the_others_for_nothing() {
    let (world, path) = (World::default(), journal("stream"));
    let studio =
        Studio::of([vec![Act::Waits, Act::Says("one"), Act::Says(""), Act::Says("two"), Act::Waits, done()]]);
    let (store, gate) = Gated::open(&path).await;
    gate.add_permits(1_000);
    let shell = start_on(store, settings(), &ports(&world, &studio, true));
    submit(&shell).await;
    studio.until_sent(1).await;
    a_moment().await;
    gate.forget_permits(1_000);
    studio.go.add_permits(1);
    a_moment().await;
    assert_eq!(studio.shown(), [], "S18: it went out before it was on record that it does");
    gate.add_permits(1);
    studio.until_shown(2).await;
    gate.add_permits(1_000);
    studio.go.add_permits(1);
    assert_eq!(ended(&world).await, End::Completed);
    assert_eq!(studio.shown(), [piece(0, 1, "one"), piece(0, 2, "two")]);
}

/// The process is gone in the middle of a response. Who has read the beginning of that gets no other.
#[test]
fn send_of_before_a_crash_is_made_again_unless_output_of_it_went_out() {
    #[rustfmt::skip]
    let cases = [
        ("shown",     Act::Says("one"), true,  INTERRUPTED,    0),
        ("silent",    Act::Says(""),    true,  End::Completed, 1),
        ("unwatched", Act::Says("one"), false, End::Completed, 1),
    ];
    for (name, act, is_watched, end, sends) in cases {
        let path = journal(&format!("stream-crash-{name}"));
        let studio = Studio::of([vec![act]]);
        life(async {
            let shell = start(&path, &ports(&World::default(), &studio, is_watched)).await;
            submit(&shell).await;
            while studio.state().said == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            studio.until_shown(usize::from(sends == 0)).await;
        });
        let (world, again) = (World::default(), Studio::of([vec![done()]]));
        life(async {
            let _shell = start(&path, &ports(&world, &again, is_watched)).await;
            assert_eq!(self::ended(&world).await, end, "{name}: S18");
        });
        let turn = TurnNumber(1);
        let sent = vec![RequestId { task: A, turn, attempt: Attempt(1) }; sends];
        assert_eq!(again.state().sent, sent, "{name}");
    }
}

#[tokio::test]
async fn nothing_goes_out_of_a_send_that_is_over() {
    let lost = Act::Ends(SendEnd::Failed(SendFailure::Transient));
    #[rustfmt::skip]
    let cases = [
        ("panics",    Act::Panics, INTERRUPTED),
        ("fails",     lost,        INTERRUPTED),
        ("ends",      done(),      End::Completed),
        ("cancelled", Act::Waits,  End::Cancelled),
    ];
    for (name, act, end) in cases {
        let world = World::default();
        let studio = Studio::of([vec![Act::Says("one"), Act::Leaks, Act::Waits, act]]);
        let shell = start(&journal(&format!("stream-{name}")), &ports(&world, &studio, true)).await;
        submit(&shell).await;
        studio.until_shown(3).await;
        if end == End::Cancelled {
            apply(&shell, Event::CancelRequested { task: A }, "").await;
        }
        studio.go.add_permits(1);
        assert_eq!(ended(&world).await, end, "{name}");
        let shown = studio.shown();
        a_moment().await;
        assert_eq!(studio.shown(), shown, "{name}: its output goes on");
        assert_eq!(studio.state().sent.len(), 1, "{name}: S18");
    }
}

/// Its profile goes down, and before that is durable, and anybody has told the send to stop, it begins to speak. Another send is stopped
/// before it, so that it is heard that its output may not go out before it is stopped itself.
#[tokio::test]
async fn output_of_a_send_that_is_to_stop_is_held_back_for_ever() {
    let (world, path) = (World::default(), journal("stream-failover"));
    let speaks = vec![Act::Waits, Act::Says("one"), Act::Says("two"), Act::Says("three"), Act::Waits];
    let studio = Studio::of([vec![], speaks, vec![done()], vec![Act::Says("another"), done()]]);
    let (store, gate) = Gated::open(&path).await;
    gate.add_permits(1_000);
    let kernel = Config { profiles: 2, profiles_keyed: 0b11, ..settings().kernel };
    let shell = start_on(store, ShellConfig { kernel, ..settings() }, &ports(&world, &studio, true));
    for sends in [1, 2] {
        submit(&shell).await;
        studio.until_sent(sends).await;
    }
    a_moment().await;
    gate.forget_permits(1_000);
    let tell = |event| {
        let teller = shell.teller();
        tokio::spawn(async move { teller.tell(event, vec![]).await.expect("it runs") })
    };
    // While this is made durable, what comes waits for the next commit, and has it together.
    let message = tell(Event::MessageReceived { task: A, message: MessageId(1) });
    a_moment().await;
    let down = tell(Event::ProfileDown { profile: ProfileId(0) });
    a_moment().await;
    studio.go.add_permits(1);
    a_moment().await;
    gate.add_permits(1_000);
    assert_eq!(message.await.expect("no panic"), Outcome::Applied);
    assert_eq!(down.await.expect("no panic"), Outcome::Applied);
    world.until(|seen| matches!(seen, Seen::Ended(TaskId(2), End::Completed, _))).await;
    assert_eq!(studio.shown(), [piece(1, 1, "another")], "S18");
}

#[tokio::test]
async fn slow_viewer_holds_back_the_stream_and_not_the_shard() {
    let world = World::default();
    let speech = ["one", "two", "three", "four"].map(Act::Says).into_iter().chain([done()]).collect();
    let studio = Studio::of([speech, vec![done()]]);
    studio.room.forget_permits(1_000);
    let shell = start(&journal("stream-slow"), &ports(&world, &studio, true)).await;
    submit(&shell).await;
    while studio.state().said < 2 {
        a_moment().await;
    }
    a_moment().await;
    assert_eq!(studio.shown(), []);
    assert_eq!(studio.state().said, 2, "one is on its way, and one waits for that");
    submit(&shell).await;
    world.until(|seen| matches!(seen, Seen::Ended(..))).await;
    assert!(!world.seen().iter().any(|seen| matches!(seen, Seen::Ended(A, ..))), "it ended unread");
    studio.room.add_permits(4);
    assert_eq!(ended(&world).await, End::Completed);
    let shown: Vec<_> = studio.shown().into_iter().map(|(_, number, text)| (number, text)).collect();
    let words = ["one", "two", "three", "four"].map(str::to_owned);
    assert_eq!(shown, (1..).zip(words).collect::<Vec<_>>());
}

/// With a viewer and without one: output that went out ends the request, and a send of which nothing went out is made again.
#[tokio::test]
async fn model_is_waited_for_while_it_speaks_and_not_when_it_falls_silent() {
    let speaks = |text| [Act::Thinks(500), Act::Says(text)];
    let goes_on = ["one", "", "two", "three", "", "four"].map(speaks).into_iter().flatten();
    let goes_on: Vec<_> = goes_on.chain([Act::Thinks(500), done()]).collect();
    let stops = vec![Act::Says("one"), Act::Thinks(10), Act::Says("two")];
    #[rustfmt::skip]
    let cases = [
        ("goes on",          true,  vec![goes_on.clone()],    End::Completed, 1),
        ("goes on unseen",   false, vec![goes_on],            End::Completed, 1),
        ("falls silent",     true,  vec![stops.clone()],      INTERRUPTED,    1),
        ("is silent unseen", false, vec![stops, vec![done()]], End::Completed, 2),
    ];
    let stories = cases.map(|(name, is_watched, scripts, end, sends)| async move {
        let (world, studio) = (World::default(), Studio::of(scripts));
        let bounds = Bounds { silence_ms_max: NonZeroU32::new(2_000), ..Bounds::NONE };
        let store = Sqlite::open(&journal(&format!("stream-{name}"))).await.expect("a store");
        let shell =
            start_on(store, ShellConfig { bounds, ..settings() }, &ports(&world, &studio, is_watched));
        submit(&shell).await;
        assert_eq!(ended(&world).await, end, "{name}");
        assert_eq!(studio.state().sent.len(), sends, "{name}");
    });
    let [one, two, three, four] = stories;
    tokio::join!(one, two, three, four);
}

/// A model that waits until there is room for what it says is not silent.
#[tokio::test]
async fn model_that_its_viewer_holds_back_is_not_taken_for_silent() {
    let world = World::default();
    let studio = Studio::of([vec![Act::Says("one"), Act::Says("two"), Act::Says("three"), done()]]);
    studio.room.forget_permits(1_000);
    let bounds = Bounds { silence_ms_max: NonZeroU32::new(100), ..Bounds::NONE };
    let store = Sqlite::open(&journal("stream-held-back")).await.expect("a store");
    let shell = start_on(store, ShellConfig { bounds, ..settings() }, &ports(&world, &studio, true));
    submit(&shell).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(studio.state().said, 2, "it waits for room");
    studio.room.add_permits(3);
    assert_eq!(ended(&world).await, End::Completed);
}

#[tokio::test]
async fn viewer_that_panics_misses_a_piece_and_the_response_is_taken() {
    let world = World::default();
    let studio = Studio::of([vec![Act::Says("one"), Act::Says("unseen"), Act::Says("three"), done()]]);
    let shell = start(&journal("stream-panics"), &ports(&world, &studio, true)).await;
    submit(&shell).await;
    assert_eq!(ended(&world).await, End::Completed);
    assert_eq!(studio.shown(), [piece(0, 1, "one"), piece(0, 3, "three")]);
}
