//! Everything outside: it outlives the process, answers it, remembers what it was asked, and kills it.

use crate::fleet::Fleet;
use crate::login::Login;
use downbeat_kernel::{
    AgentId, Answer, Budget, CallId, Event, Lease, MessageId, NotificationNumber, Outcome, Part, QuestionId,
    QuestionKey, Rejected, RequestId, TaskId,
};
use downbeat_shell::RootEnd;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a send had in it, by its identity.
pub(crate) type Sends = BTreeMap<RequestId, Vec<(Part, String)>>;

/// What the world saw, over all lives of the process.
pub(crate) struct Seen {
    /// Each send, with what was in it.
    pub(crate) sends: Sends,
    /// Sends that came a second time.
    pub(crate) doubled: Vec<RequestId>,
    /// Each tool that ran, with what it was run with and what came of it.
    pub(crate) tools: BTreeMap<CallId, (String, String)>,
    /// The name of the task that each root is an attempt at, of those that have asked the model.
    pub(crate) names: BTreeMap<TaskId, TaskId>,
    /// Whether the surroundings of a root can be made ready.
    pub(crate) is_ready: BTreeMap<TaskId, bool>,
    /// The last notification of progress of each task.
    pub(crate) progress: BTreeMap<TaskId, NotificationNumber>,
    /// What people were told of each task; more than one end, or one under two numbers, is a contradiction.
    pub(crate) ends: BTreeMap<TaskId, Vec<(NotificationNumber, RootEnd, String)>>,
    /// Messages that were reported as not delivered.
    pub(crate) undelivered: Vec<(TaskId, MessageId)>,
    /// Roots that were accepted, each with how many messages it was sent that were accepted.
    pub(crate) roots: BTreeMap<TaskId, u32>,
    /// How often the process was killed.
    pub(crate) kills: u32,
    /// What happened to the login.
    pub(crate) login: Login,
    /// What happened to the agents.
    pub(crate) fleet: Fleet,
}

impl Seen {
    fn new() -> Self {
        Self {
            sends: Sends::new(),
            doubled: Vec::new(),
            tools: BTreeMap::new(),
            names: BTreeMap::new(),
            is_ready: BTreeMap::new(),
            progress: BTreeMap::new(),
            ends: BTreeMap::new(),
            undelivered: Vec::new(),
            roots: BTreeMap::new(),
            kills: 0,
            login: Login::new(),
            fleet: Fleet::default(),
        }
    }
}

/// Roots that live at once.
const ROOTS: usize = 16;

/// The most that a process says before it is killed.
const WORDS: u64 = 48;

/// How long a process may take to say that.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct World {
    socket: PathBuf,
    store: String,
    kills: u32,
    seen: Seen,
    replies: BTreeMap<RequestId, Value>,
    /// The order that is not answered, by its number.
    orders: BTreeMap<u64, (Event, String)>,
    last_order: u64,
    highest: u64,
    random: u64,
}

impl World {
    pub(crate) fn new(folder: &Path, store: String, kills: u32) -> Self {
        Self {
            socket: folder.join("world.sock"),
            store,
            kills,
            seen: Seen::new(),
            replies: BTreeMap::new(),
            orders: BTreeMap::new(),
            last_order: 0,
            highest: 0,
            random: 0x51f2_0bad_cafe_d00d,
        }
    }

    /// A number below this one.
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// Lives of the process until it was killed often enough and everything has ended.
    pub(crate) fn play(mut self) -> Seen {
        let listener = UnixListener::bind(&self.socket).expect("a socket");
        loop {
            let mut child = self.child();
            let (stream, _) = listener.accept().expect("the child connects");
            let is_last = self.seen.kills >= self.kills;
            // How far it gets is counted in what it says, so that a slow machine sees as much of its life as a fast one.
            let words = if is_last { u64::MAX } else { self.random(WORDS) };
            let is_over = self.live(&stream, words, is_last);
            std::thread::sleep(Duration::from_micros(self.random(2_000)));
            child.kill().expect("it is killed");
            child.wait().expect("it ends");
            if is_last {
                assert!(is_over, "something never ended: {:?}", self.open());
                return self.seen;
            }
            self.seen.kills += 1;
        }
    }

    fn child(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["child", "--exact", "--nocapture"]).stdout(Stdio::null());
        command.env(super::SOCKET, &self.socket).env(super::STORE, &self.store);
        command.spawn().expect("it starts")
    }

    /// Roots that have not ended.
    fn open(&self) -> Vec<TaskId> {
        self.seen.roots.keys().copied().filter(|root| !self.seen.ends.contains_key(root)).collect()
    }

    /// One life. Whether everything has ended.
    fn live(&mut self, stream: &UnixStream, words: u64, is_last: bool) -> bool {
        let (deadline, mut heard) = (Instant::now() + PATIENCE, 0);
        stream.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        self.seen.fleet.forget_attendants();
        let unanswered: Vec<_> = self.orders.keys().copied().collect();
        for order in unanswered {
            self.send_order(stream, order);
        }
        while heard < words && Instant::now() < deadline {
            self.load(stream, is_last);
            match lines.read_line(&mut line) {
                Ok(0) => return false,
                Ok(_) => {
                    let word = serde_json::from_str(&line).expect("the child speaks JSON");
                    line.clear();
                    self.hear(stream, &word);
                    heard += 1;
                }
                // Half a line stays where it is.
                Err(_) => {}
            }
            if is_last && self.orders.is_empty() && self.open().is_empty() {
                return true;
            }
        }
        false
    }

    /// Keeps so many roots alive, and one submission under way at most: its number has to be the highest.
    fn load(&mut self, stream: &UnixStream, is_last: bool) {
        let is_submitting =
            self.orders.values().any(|(event, _)| matches!(event, Event::TaskSubmitted { .. }));
        if !is_last && !is_submitting && self.open().len() < ROOTS {
            let task = TaskId(self.highest + 1);
            self.order(
                stream,
                Event::TaskSubmitted { task, budget: Budget::default() },
                format!("prompt of {}", task.0),
            );
        }
    }

    fn order(&mut self, stream: &UnixStream, event: Event, text: String) {
        self.last_order += 1;
        self.orders.insert(self.last_order, (event, text));
        self.send_order(stream, self.last_order);
    }

    fn send_order(&self, stream: &UnixStream, order: u64) {
        let (event, text) = &self.orders[&order];
        say(stream, &json!({ "order": order, "event": event, "text": text }));
    }

    fn hear(&mut self, stream: &UnixStream, heard: &Value) {
        let about = &heard["about"];
        let answer = match heard["what"].as_str().expect("it says what") {
            "send" => {
                let id: RequestId = read(&about["id"]);
                let asking: Vec<(Part, String)> = read(&about["asking"]);
                self.name(id.task, &asking);
                if self.seen.sends.insert(id, asking).is_some() {
                    self.seen.doubled.push(id);
                }
                self.highest = self.highest.max(id.task.0);
                let expires = self.random(8) == 0;
                let is_taken = self.seen.login.takes(read(&about["generation"]), (id.task, id.turn), expires);
                let reply = if is_taken { self.reply(id) } else { json!({ "refused": true }) };
                self.replies.insert(id, reply.clone());
                if let Some(name) = self.seen.names.get(&id.task) {
                    self.write_to(stream, *name);
                }
                reply
            }
            "compare" => json!(self.seen.login.compare(read(about))),
            "refresh" => json!(self.seen.login.refresh(read(about))),
            "write" => json!(self.seen.login.write(read(about))),
            "refreshed" => json!(self.seen.login.refreshed()),
            "written" => json!(self.seen.login.written(read(about))),
            // Now and then the provider has forgotten what it said.
            "recover" if self.random(4) == 0 => Value::Null,
            "recover" => self.replies.get(&read(about)).cloned().unwrap_or(Value::Null),
            "start" => {
                self.seen.fleet.start(read(&about["agent"]));
                Value::from(true)
            }
            "attend" => {
                let (agent, lease) = seat(about);
                let name = self.seen.names.get(&lease.task).unwrap_or(&lease.task);
                assert!(!self.seen.ends.contains_key(name), "S21: {lease:?} is given after the end");
                if self.seen.fleet.attend(agent, lease, read(&heard["number"])) {
                    return self.says(stream, agent);
                }
                Value::from("gone")
            }
            "prepare" => {
                let (agent, lease) = seat(about);
                if !self.seen.fleet.works(agent, lease) || self.dies(stream, agent) {
                    return;
                }
                // Now and then a root cannot be made ready, and is tried again.
                let drawn = self.random(4) > 0;
                let is_root = lease.task == read(&about["task"]);
                Value::from(!is_root || *self.seen.is_ready.entry(lease.task).or_insert(drawn))
            }
            "run" => {
                let ((agent, lease), call) = (seat(about), read(&about["call"]));
                let is_there = self.seen.fleet.works(agent, lease);
                self.seen.fleet.ran(call, lease);
                let argument: String = read(&about["argument"]);
                let result = format!("result of {argument}");
                self.seen.tools.insert(call, (argument, result.clone()));
                if !is_there || self.dies(stream, agent) {
                    return;
                }
                let (run, asks) = (read(&heard["number"]), self.random(2) == 0);
                if self.seen.fleet.asks((agent, lease), run, (call, &result), asks) {
                    return self.says(stream, agent);
                }
                Value::from(result)
            }
            "clean" | "stop" => {
                if !self.seen.fleet.clean(seat(about).0) {
                    return;
                }
                Value::Null
            }
            "remove" => {
                self.seen.fleet.remove(read(&about["agent"]));
                Value::Null
            }
            "ask" => {
                let question: QuestionId = read(&about["question"]);
                let event = Event::AnswerReceived { question, answer: Answer::Text };
                if !self.orders.values().any(|(other, _)| *other == event) {
                    self.order(stream, event, format!("answer to {}", question.task.0));
                }
                return;
            }
            "agent asks" => {
                let (root, key): (TaskId, QuestionKey) = (read(&about["root"]), read(&about["question"]));
                assert_eq!(about["text"], json!(question(key)), "S6: what {root:?} asks");
                self.seen.fleet.asked.entry(key).or_default();
                return say(stream, &json!({ "agent": [root, key], "text": answer_to(key) }));
            }
            "agent settled" => {
                self.seen
                    .fleet
                    .asked
                    .entry(read(&about["question"]))
                    .or_default()
                    .insert(read(&about["end"]));
                Value::Null
            }
            "agent told" => {
                let (agent, lease) = seat(about);
                if !self.seen.fleet.hears(agent) {
                    return;
                }
                let key = QuestionKey { epoch: lease.epoch, number: read(&about["number"]) };
                let end = (read(&about["end"]), read(&about["answer"]));
                if let Some((run, result)) = self.seen.fleet.tell(agent, key, end) {
                    say(stream, &json!({ "answers": run, "answer": result }));
                }
                Value::Null
            }
            "undelivered" => {
                let (task, message, _): (TaskId, MessageId, bool) = read(about);
                self.seen.undelivered.push((task, message));
                Value::Null
            }
            // Now and then what is sent does not come, or that it came is not heard.
            "given up" => return,
            "notify" if self.random(4) == 0 => Value::from(false),
            "notify" if about["end"].is_null() => {
                let (task, number): (TaskId, NotificationNumber) =
                    (read(&about["task"]), read(&about["number"]));
                assert!(!self.seen.ends.contains_key(&task), "S24: {task:?} has {number:?} after its end");
                let last = self.seen.progress.entry(task).or_default();
                assert!(
                    [last.0, last.0 + 1].contains(&number.0),
                    "S24: {task:?} has {number:?} after {last:?}"
                );
                *last = number;
                Value::from(self.random(4) != 0)
            }
            "notify" => {
                let ends = self.seen.ends.entry(read(&about["task"])).or_default();
                let end = (read(&about["number"]), read(&about["end"]), read(&about["text"]));
                if !ends.contains(&end) {
                    ends.push(end);
                }
                Value::from(self.random(4) != 0)
            }
            "told" => return self.told(stream, read(&about["order"]), &read(&about["outcome"])),
            what => panic!("the child says {what}"),
        };
        say(stream, &json!({ "answers": heard["number"], "answer": answer }));
    }

    /// What an agent asks comes to whoever attends to it.
    fn says(&mut self, stream: &UnixStream, agent: AgentId) {
        if let Some((attended, key)) = self.seen.fleet.says(agent) {
            let asks = json!({ "asks": key.number, "text": question(key) });
            say(stream, &json!({ "answers": attended, "answer": asks }));
        }
    }

    /// Now and then an agent dies: whether it does, which whoever attends to it is told.
    fn dies(&mut self, stream: &UnixStream, agent: AgentId) -> bool {
        if self.random(8) > 0 {
            return false;
        }
        if let Some(number) = self.seen.fleet.dies(agent) {
            say(stream, &json!({ "answers": number, "answer": "gone" }));
        }
        true
    }

    /// What the model says to the turns of a root, and to those of a subtask.
    fn reply(&self, id: RequestId) -> Value {
        let task = id.task.0;
        if self.seen.names.contains_key(&id.task) {
            match id.turn.0 {
                1 => {
                    json!({ "calls": [["tool", format!("tool of {task}")], ["subtask", format!("prompt below {task}")]] })
                }
                2 => json!({ "calls": [["question", format!("question of {task}")]] }),
                _ => json!({ "calls": [["completion", format!("end of {task}")]] }),
            }
        } else {
            match id.turn.0 {
                1 => json!({ "calls": [["tool", format!("tool of {task}")]] }),
                _ => json!({ "calls": [["completion", format!("end of {task}")]] }),
            }
        }
    }

    /// A root says in its prompt which task it is an attempt at.
    fn name(&mut self, task: TaskId, asking: &[(Part, String)]) {
        let prompts = asking.iter().filter(|(part, _)| *part == Part::Prompt);
        for name in prompts.filter_map(|(_, text)| text.strip_prefix("prompt of ")?.parse().ok()) {
            self.seen.names.insert(task, TaskId(name));
        }
    }

    /// Now and then a person writes to a root, the next message when the one before was accepted.
    fn write_to(&mut self, stream: &UnixStream, task: TaskId) {
        let Some(accepted) = self.seen.roots.get(&task).copied() else { return };
        let is_writing = self
            .orders
            .values()
            .any(|(event, _)| matches!(event, Event::MessageReceived { task: to, .. } if *to == task));
        if !is_writing && accepted < 3 && self.random(2) == 0 {
            let message = MessageId(accepted + 1);
            self.order(
                stream,
                Event::MessageReceived { task, message },
                format!("message {} to {}", message.0, task.0),
            );
        }
    }

    fn told(&mut self, stream: &UnixStream, order: u64, outcome: &Outcome) {
        let Some((event, text)) = self.orders.remove(&order) else { return };
        match (&event, outcome) {
            (Event::TaskSubmitted { task, .. }, Outcome::Applied | Outcome::Ignored(_)) => {
                self.highest = self.highest.max(task.0);
                self.seen.roots.entry(*task).or_insert(0);
            }
            (Event::TaskSubmitted { task, .. }, Outcome::Rejected(Rejected::IdNotFresh { highest, .. })) => {
                self.highest = highest.0;
                // It was accepted before, and has ended since.
                if self.seen.ends.contains_key(task) {
                    self.seen.roots.entry(*task).or_insert(0);
                }
            }
            (
                Event::MessageReceived { task, message },
                Outcome::Applied | Outcome::Ignored(downbeat_kernel::Ignored::Duplicate),
            ) => {
                self.seen.roots.insert(*task, message.0);
            }
            (Event::MessageReceived { .. } | Event::AnswerReceived { .. }, Outcome::Ignored(_)) => {}
            (Event::AnswerReceived { .. }, Outcome::Applied) => {}
            (event, outcome) => panic!("{event:?} ({text}): {outcome:?}"),
        }
        let _ = stream;
    }
}

/// What an agent asks.
fn question(key: QuestionKey) -> String {
    format!("question {} of lease {}", key.number.0, key.epoch.0)
}

/// What a person answers to that.
pub(crate) fn answer_to(key: QuestionKey) -> String {
    format!("answer to {}", question(key))
}

/// Where something is done, and under which lease.
fn seat(about: &Value) -> (AgentId, Lease) {
    (read(&about["agent"]), read(&about["lease"]))
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// What is said to a process that is being killed is lost.
fn say(mut stream: &UnixStream, value: &Value) {
    let _ = stream.write_all(format!("{value}\n").as_bytes());
}
