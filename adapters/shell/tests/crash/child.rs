//! The process that is killed: a shard whose whole world is on the other side of a socket.

use crate::fleet::{AGENTS_MAX, QUOTA};
use downbeat_kernel::{
    About, CallId, Event, Found, Generation, MessageId, PoolConfig, QuestionEnd, QuestionId, QuestionKey,
    QuestionNumber, RefreshEnd, RequestId, SendFailure, TaskId, ToolEnd, WriteEnd,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{
    Agents, Claimant, Clock, Container, Doing, Model, NoWorkers, Notification, Notifier, Output, People,
    Ports, Question, Reply, Seat, SendEnd, Shell, ShellConfig, Sign, Text, Tools, Trial, Vault, Wish,
};
use downbeat_store::{Postgres, Sqlite, Store};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::pending;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

/// The socket: what is asked, and who waits for which answer.
#[derive(Clone)]
struct Link {
    out: mpsc::UnboundedSender<Value>,
    waiting: Arc<Mutex<BTreeMap<u64, oneshot::Sender<Value>>>>,
    last: Arc<AtomicU64>,
}

impl Link {
    /// Tells the world something that it does not answer.
    fn tell(&self, what: &str, about: &Value) {
        let _ = self.out.send(json!({ "what": what, "about": about }));
    }

    /// Asks the world something.
    fn ask(&self, what: &str, about: &Value) -> Doing<Value> {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().expect("no panic").insert(number, answer);
        let _ = self.out.send(json!({ "what": what, "about": about, "number": number }));
        Box::pin(async move { answered.await.unwrap_or(Value::Null) })
    }
}

fn reply(answer: &Value) -> SendEnd {
    if answer["refused"].as_bool() == Some(true) {
        return SendEnd::Failed(SendFailure::Unauthorized);
    }
    let calls = answer["calls"].as_array().into_iter().flatten().map(|call| {
        let text = call[1].as_str().unwrap_or_default().to_owned();
        let wish = match call[0].as_str() {
            Some("tool") => Wish::Tool(downbeat_kernel::Approval::Granted),
            Some("subtask") => Wish::Subtask,
            Some("question") => Wish::Question,
            _ => Wish::Completion(downbeat_kernel::Approval::Granted),
        };
        (wish, text)
    });
    SendEnd::Whole(Reply { text: "I go on.".to_owned(), calls: calls.collect(), ..Reply::default() })
}

impl Model for Link {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        let asking: Vec<_> = question.asking.iter().map(|piece| json!([piece.part, &*piece.text])).collect();
        let answer = self
            .ask("send", &json!({ "id": question.id, "asking": asking, "generation": question.generation }));
        Box::pin(async move { reply(&answer.await) })
    }

    fn recover(&self, id: RequestId) -> Doing<Option<SendEnd>> {
        let answer = self.ask("recover", &json!(id));
        Box::pin(async move {
            let answer = answer.await;
            (!answer.is_null()).then(|| reply(&answer))
        })
    }
}

impl Tools for Link {
    fn run(&self, call: CallId, argument: Text, seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        let mut about = self::about(seat.expect("every task has a place"));
        (about["call"], about["argument"]) = (json!(call), json!(&*argument));
        let answer = self.ask("run", &about);
        Box::pin(async move { (ToolEnd::Succeeded, answer.await.as_str().unwrap_or_default().to_owned()) })
    }
}

impl People for Link {
    fn ask(&self, question: QuestionId, about: About, text: Text) {
        self.tell("ask", &json!({ "question": question, "about": about, "text": &*text }));
    }

    fn asks(&self, root: TaskId, question: QuestionKey, text: Text) {
        self.tell("agent asks", &json!({ "root": root, "question": question, "text": &*text }));
    }

    fn settled(&self, root: TaskId, question: QuestionKey, end: QuestionEnd) -> Doing<()> {
        self.ask_until_done("agent settled", &json!({ "root": root, "question": question, "end": end }))
    }

    fn withdraw(&self, _question: QuestionId) {}

    fn undelivered(&self, _task: TaskId, trial: Trial, message: MessageId, in_doubt: bool) -> Doing<()> {
        let answer = Self::ask(self, "undelivered", &json!([trial.name, message, in_doubt]));
        Box::pin(async move {
            answer.await;
        })
    }
}

impl Notifier for Link {
    fn notify(&self, notification: Notification) -> Doing<bool> {
        let Notification { task, number, end, text, .. } = notification;
        let about = json!({ "task": task, "number": number, "end": end, "text": &*text });
        let answer = Self::ask(self, "notify", &about);
        Box::pin(async move { answer.await.as_bool().unwrap_or(false) })
    }

    fn undelivered(&self, notification: Notification) -> Doing<()> {
        self.tell("given up", &json!(notification.task));
        Box::pin(std::future::ready(()))
    }
}

/// Where something is done, and under which lease.
fn about(Seat { container, lease }: Seat) -> Value {
    json!({ "agent": container.agent, "lease": lease })
}

impl Link {
    fn ask_until_done(&self, what: &str, about: &Value) -> Doing<()> {
        let answer = self.ask(what, about);
        Box::pin(async move {
            answer.await;
        })
    }
}

impl Agents for Link {
    fn start(&self, container: Container) -> Doing<bool> {
        let answer = self.ask("start", &json!({ "agent": container.agent }));
        Box::pin(async move { answer.await.as_bool().unwrap_or(false) })
    }

    fn remove(&self, container: Container) -> Doing<()> {
        self.ask_until_done("remove", &json!({ "agent": container.agent }))
    }

    fn attend(&self, seat: Seat, _asked: Option<QuestionNumber>) -> Doing<Sign> {
        let answer = self.ask("attend", &about(seat));
        Box::pin(async move {
            let answer = answer.await;
            if answer == "gone" {
                return Sign::Gone;
            }
            let (Some(number), Some(text)) = (answer["asks"].as_u64(), answer["text"].as_str()) else {
                // The world has gone, and this process with it.
                return pending().await;
            };
            let number = QuestionNumber(u32::try_from(number).expect("it is small"));
            Sign::Asks { number, text: text.to_owned() }
        })
    }

    fn answer(&self, seat: Seat, number: QuestionNumber, end: QuestionEnd, answer: Text) -> Doing<()> {
        let mut about = about(seat);
        (about["number"], about["end"], about["answer"]) = (json!(number), json!(end), json!(&*answer));
        self.ask_until_done("agent told", &about)
    }

    fn stop(&self, seat: Seat) -> Doing<()> {
        self.ask_until_done("stop", &about(seat))
    }

    fn clean(&self, seat: Seat) -> Doing<()> {
        self.ask_until_done("clean", &about(seat))
    }

    fn prepare(&self, task: TaskId, _trial: Trial, seat: Option<Seat>) -> Doing<bool> {
        let mut about = about(seat.expect("every task has a place"));
        about["task"] = json!(task);
        let answer = self.ask("prepare", &about);
        Box::pin(async move { answer.await.as_bool().unwrap_or(false) })
    }
}

impl Link {
    /// Asks the vault, which answers with a word of the kernel's.
    fn ask_vault<T: DeserializeOwned + Send + 'static>(
        &self,
        what: &str,
        generation: Generation,
    ) -> Doing<T> {
        let answer = self.ask(what, &json!(generation));
        Box::pin(async move {
            let Ok(answer) = serde_json::from_value(answer.await) else {
                // The world has gone, and this process with it.
                return pending().await;
            };
            answer
        })
    }
}

impl Vault for Link {
    fn read(&self, _who: Claimant, generation: Generation) -> Doing<Found> {
        self.ask_vault("compare", generation)
    }

    fn claim(&self, _who: Claimant, generation: Generation, _for_ms: u64) -> Doing<Found> {
        self.ask_vault("compare", generation)
    }

    fn refresh(&self, _who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        self.ask_vault("refresh", generation)
    }

    fn write(&self, _who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        self.ask_vault("write", generation)
    }

    fn refreshed(&self, _who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        self.ask_vault("refreshed", generation)
    }

    fn written(&self, _who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        self.ask_vault("written", generation)
    }
}

impl Clock for Link {
    fn now_ms(&self) -> u64 {
        0
    }
}

/// Events between two snapshots: few enough that most lives take one.
const SNAPSHOT_EVERY: u64 = 10;

async fn open(store: &str) -> Arc<dyn Store> {
    if store.starts_with("postgres:") {
        return Arc::new(Postgres::open(store).await.expect("a store"));
    }
    Arc::new(Sqlite::open(store.as_ref()).await.expect("a store"))
}

/// Lives until it is killed, or the world has gone.
pub(crate) fn live(socket: &Path, store: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let stream = UnixStream::connect(socket).await.expect("the world is there");
        let (read, mut write) = stream.into_split();
        let (out, mut orders) = mpsc::unbounded_channel::<Value>();
        tokio::spawn(async move {
            while let Some(order) = orders.recv().await {
                if write.write_all(format!("{order}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        let link = Link { out, waiting: Arc::default(), last: Arc::default() };
        let world = Arc::new(link.clone());
        let ports = Ports {
            model: world.clone(),
            viewer: None,
            workers: Arc::new(NoWorkers),
            overseer: Arc::new(NoWorkers),
            tools: world.clone(),
            people: world.clone(),
            notifier: world.clone(),
            agents: world.clone(),
            vault: world.clone(),
            clock: world,
        };
        let store = open(store).await;
        // Who is silent has died, which is said; so no lease need run out.
        let pool = PoolConfig {
            agents_max: AGENTS_MAX,
            quota: QUOTA,
            attempts_max: u32::MAX,
            lease_ms: 600_000,
            clean_ms: 100,
            idle_ms: 1_000,
            ..PoolConfig::default()
        };
        let mut config = ShellConfig {
            attempts: true,
            snapshot_every: SNAPSHOT_EVERY,
            pool: Some(pool),
            ..ShellConfig::default()
        };
        config.kernel.task_attempts_max = u8::MAX;
        config.kernel.task_backoff_ms = 1;
        config.kernel.backoff_ms = 1;
        config.kernel.attempts_max = 16;
        config.kernel.profiles_keyed = 0;
        config.kernel.notification_backoff_ms = 1;
        config.kernel.credential_backoff_ms = 1;
        let rt = Rt::new(Tokio::current());
        let shard = Arc::new(Shell::start(&rt, config, &store, &ports));
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let line: Value = serde_json::from_str(&line).expect("the world speaks JSON");
            if let Some(number) = line["answers"].as_u64() {
                if let Some(answer) = link.waiting.lock().expect("no panic").remove(&number) {
                    let _ = answer.send(line["answer"].clone());
                }
                continue;
            }
            let (shard, link) = (Arc::clone(&shard), link.clone());
            tokio::spawn(async move {
                let text = line["text"].as_str().unwrap_or_default().to_owned();
                if let Ok((root, question)) = serde_json::from_value(line["agent"].clone()) {
                    // Who asks asks again as long as nobody has answered.
                    let _ = shard.teller().answer(root, question, text).await;
                    return;
                }
                let event: Event = serde_json::from_value(line["event"].clone()).expect("an event");
                let text = vec![text];
                match shard.tell(event, text).await {
                    Ok(outcome) => link.tell("told", &json!({ "order": line["order"], "outcome": outcome })),
                    // The world has no word for it, and gives up.
                    Err(_) => link.tell("stopped", &Value::Null),
                }
            });
        }
    });
}
