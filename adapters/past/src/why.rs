//! Why a task does not go on: what has to happen before it does, by the state of the kernel alone.

use downbeat_kernel::{
    About, ApprovalId, Attempt, CallId, CallState, End, Held, IteratorId, Kernel, Outstanding, Passing,
    ProfileId, PromptId, QuestionId, Request, RequestState, SessionState, Task, TaskId, TaskState,
    TurnNumber, Wanted, Worker, WorkerEnd, WorkerState,
};
use downbeat_wiring::root_of;

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// For nothing: no task has this id yet.
    Unknown,
    /// For nothing: it has ended, everybody has heard so, and it is forgotten.
    Forgotten,
    /// For nothing: it has ended like this. It is held until its end is acknowledged.
    Ended(End),
    /// For each of these. Where there are several, all of them have to come, but for what a person may do at any time.
    Waits(Vec<Wait>),
}

/// One thing that a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// A place to run.
    Place,
    /// That its surroundings are ready.
    Surroundings,
    /// That whoever makes them ready has stopped.
    SurroundingsStop,
    /// A credential for the next send of the request of a turn.
    Credential {
        /// Which turn.
        turn: TurnNumber,
        /// Which send.
        attempt: Attempt,
        /// Whose credential.
        profile: ProfileId,
    },
    /// The model's response to a send.
    Response {
        /// Which turn.
        turn: TurnNumber,
        /// Which send.
        attempt: Attempt,
        /// Whether somebody has read the beginning of it.
        is_read: bool,
    },
    /// That the time before the next send is over.
    Backoff {
        /// Which turn.
        turn: TurnNumber,
        /// The next send.
        attempt: Attempt,
        /// What happened to the last one.
        after: Passing,
    },
    /// That a send has stopped.
    SendStop {
        /// Which turn.
        turn: TurnNumber,
        /// Which send.
        attempt: Attempt,
    },
    /// A tool.
    Tool(CallId),
    /// That a tool has stopped.
    ToolStop(CallId),
    /// A subtask.
    Subtask(TaskId),
    /// A person's answer, of the task or, where that is about the budget, of its root.
    Answer {
        /// Which question.
        question: QuestionId,
        /// What it is about.
        about: About,
    },
    /// That a person lets it go on.
    Resume,
    /// The same, of it or of its parent: it has not started.
    ResumeOfParent(TaskId),
    /// Something for its agent to do: a message, a report of a subtask, or an inquiry of its health.
    Work,
    /// That an iterator has started.
    IteratorStart(IteratorId),
    /// That an iterator has stopped.
    IteratorStop(IteratorId),
    /// The agent's answer to a prompt.
    Prompt {
        /// Which iterator has it.
        iterator: IteratorId,
        /// Which prompt.
        prompt: PromptId,
    },
    /// A person's answer to what its agent asks.
    Approval(ApprovalId),
    /// That the time before the next prompt is over.
    PromptBackoff(PromptId),
    /// That the breaker lets prompts pass.
    Breaker,
    /// What no event can bring: the state contradicts itself, and `validate` says so.
    Nothing,
}

/// What a task waits for in this state of the kernel.
pub fn why(kernel: &Kernel, task: TaskId) -> Why {
    match kernel.task(task) {
        Some(task) => of_task(kernel, task),
        None if Some(task) <= kernel.highest() => Why::Forgotten,
        None => Why::Unknown,
    }
}

fn of_task(kernel: &Kernel, task: &Task) -> Why {
    let waits = match task.state {
        TaskState::Queued => vec![Wait::Place],
        TaskState::Initializing => vec![Wait::Surroundings],
        TaskState::Requesting => vec![of_request(task.data.turn, &task.data.request)],
        TaskState::ExecutingTools | TaskState::AwaitingSubtask | TaskState::AwaitingInput => of_calls(task),
        TaskState::AwaitingBudget => vec![of_budget(kernel, task.id)],
        TaskState::Working => of_worker(kernel, task),
        TaskState::Paused(held) => of_held(task, held),
        TaskState::Cancelling(outstanding) => of_cancelled(task, outstanding),
        TaskState::Ending(_) => of_calls(task),
        TaskState::Completed => return Why::Ended(End::Completed),
        TaskState::Failed(reason) => return Why::Ended(End::Failed(reason)),
        TaskState::Cancelled => return Why::Ended(End::Cancelled),
    };
    Why::Waits(if waits.is_empty() { vec![Wait::Nothing] } else { waits })
}

fn of_request(turn: TurnNumber, request: &Request) -> Wait {
    let next = Attempt(u16::try_from(request.ledger.sends().len()).unwrap_or(u16::MAX));
    let last = Attempt(next.0.saturating_sub(1));
    match request.state {
        RequestState::Authorizing { profile, .. } => Wait::Credential { turn, attempt: next, profile },
        RequestState::Ready { .. } => Wait::Resume,
        RequestState::Streaming { .. } => Wait::Response { turn, attempt: last, is_read: false },
        RequestState::Delivering => Wait::Response { turn, attempt: last, is_read: true },
        RequestState::BackingOff { after, .. } => Wait::Backoff { turn, attempt: next, after },
        RequestState::Stopping(_) => Wait::SendStop { turn, attempt: last },
        RequestState::Unbegun | RequestState::Ended(_) => Wait::Nothing,
    }
}

/// What is under way of the calls of the last response.
fn of_calls(task: &Task) -> Vec<Wait> {
    let is_cancelled = matches!(task.state, TaskState::Cancelling(_));
    let of_call = |(call, index)| {
        let id = CallId { task: task.id, turn: task.data.replied, index };
        match call {
            CallState::Running if is_cancelled => Some(Wait::ToolStop(id)),
            CallState::Running => Some(Wait::Tool(id)),
            CallState::Asking { number, wanted } => {
                let question = QuestionId { task: task.id, number };
                Some(Wait::Answer { question, about: about(wanted, id) })
            }
            CallState::Subtask { child } => Some(Wait::Subtask(child)),
            // It starts at resume.
            CallState::Waiting(_) | CallState::Settled(_) => None,
        }
    };
    task.data.calls.iter().zip(0..).filter_map(of_call).collect()
}

fn about(wanted: Wanted, call: CallId) -> About {
    use downbeat_kernel::Call;
    match wanted {
        Wanted::Call(Call::Tool(_)) => About::Tool(call),
        Wanted::Call(Call::Completion(_)) => About::Completion(call),
        Wanted::Call(Call::Question | Call::Subtask { .. }) => About::Question(call),
        Wanted::Guidance => About::MistakeLimit,
    }
}

fn of_budget(kernel: &Kernel, task: TaskId) -> Wait {
    let root = root_of(kernel, task);
    let question = kernel.task(root).and_then(|root| root.data.account.as_ref()?.question);
    question.map_or(Wait::Nothing, |number| Wait::Answer {
        question: QuestionId { task: root, number },
        about: About::Budget,
    })
}

fn of_held(task: &Task, held: Held) -> Vec<Wait> {
    let beside = match held {
        Held::Unstarted => {
            return vec![task.data.parent.map_or(Wait::Nothing, Wait::ResumeOfParent)];
        }
        Held::Queued => vec![Wait::Place],
        Held::Initializing => vec![Wait::Surroundings],
        Held::Requesting => vec![of_request(task.data.turn, &task.data.request)],
        Held::Calls => of_calls(task),
        Held::Admitted | Held::Turn => vec![],
    };
    let beside = beside.into_iter().filter(|wait| *wait != Wait::Resume);
    [Wait::Resume].into_iter().chain(beside).collect()
}

fn of_cancelled(task: &Task, outstanding: Outstanding) -> Vec<Wait> {
    let own = match outstanding {
        Outstanding::Nothing => vec![],
        Outstanding::Initialization => vec![Wait::SurroundingsStop],
        Outstanding::Request => vec![of_request(task.data.turn, &task.data.request)],
        Outstanding::Worker => {
            vec![task.data.worker.as_ref().map_or(Wait::Nothing, |worker| of_session(worker))]
        }
    };
    own.into_iter().chain(of_calls(task)).collect()
}

fn of_worker(kernel: &Kernel, task: &Task) -> Vec<Wait> {
    let Some(worker) = &task.data.worker else { return vec![] };
    match worker.state {
        WorkerState::Idle => vec![Wait::Work],
        WorkerState::Held => {
            let budget = worker.data.spent.then(|| of_budget(kernel, task.id));
            worker.data.hold.then_some(Wait::Resume).into_iter().chain(budget).collect()
        }
        WorkerState::Executing => vec![of_session(worker)],
        WorkerState::AwaitingApproval => {
            let prompt = worker.data.session.accepted;
            let approval = |number| Wait::Approval(ApprovalId { prompt, number });
            worker.data.approvals.open().map(approval).collect()
        }
        WorkerState::BackingOff { .. } => vec![Wait::PromptBackoff(worker.data.session.accepted)],
        WorkerState::Cooling => vec![Wait::Breaker],
        WorkerState::Ending(WorkerEnd::Completed | WorkerEnd::Failed(_) | WorkerEnd::Killed) => {
            vec![of_session(worker)]
        }
        WorkerState::Ended(_) => vec![],
    }
}

fn of_session(worker: &Worker) -> Wait {
    let session = &worker.data.session;
    match session.state {
        SessionState::Starting => Wait::IteratorStart(session.iterator),
        SessionState::Answering => Wait::Prompt { iterator: session.iterator, prompt: session.accepted },
        SessionState::Stopping | SessionState::Closing => Wait::IteratorStop(session.iterator),
        SessionState::Dormant | SessionState::Listening | SessionState::Closed => Wait::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{
        Answer, Approval, Budget, Call, Config, Discard, Event, GrantNumber, IteratorEnd, Outcome, Reason,
        RequestEvent, RequestId, Response, SendFailure, SessionEvent, Then, Timer, ToolEnd, WorkerEvent,
    };

    const A: TaskId = TaskId(1);
    const B: TaskId = TaskId(2);
    const FIRST: TurnNumber = TurnNumber(1);

    fn submitted(wall_ms: u64) -> Event {
        Event::TaskSubmitted { task: A, budget: Budget { wall_ms, ..Budget::default() } }
    }

    fn request(event: RequestEvent) -> Event {
        Event::Request { task: A, turn: FIRST, event }
    }

    fn says(calls: &[Call]) -> Event {
        let request = RequestId { task: A, turn: FIRST, attempt: Attempt(0) };
        Event::ResponseEnded { request, response: Response::Calls(calls.to_vec()), jitter_ms: 0 }
    }

    fn of_worker(event: WorkerEvent) -> Event {
        Event::Worker { task: A, event }
    }

    fn session(event: SessionEvent) -> Event {
        of_worker(WorkerEvent::Session(event))
    }

    fn played(config: Config, events: &[Event]) -> Kernel {
        let mut kernel = Kernel::new(config);
        for event in events {
            assert_eq!(kernel.step(event.clone(), &mut Discard), Outcome::Applied, "{event:?}");
        }
        assert_eq!(kernel.validate(), Ok(()));
        kernel
    }

    /// A life in events, and what the task waits for after it.
    #[test]
    fn every_state_says_what_it_waits_for() {
        let (attempt, failure) = (Attempt(0), SendFailure::Transient);
        let call = |index| CallId { task: A, turn: FIRST, index };
        let question = |number, about| Wait::Answer { question: QuestionId { task: A, number }, about };
        let (iterator, prompt) = (IteratorId(1), PromptId(1));
        let (tool, child) = (Call::Tool(Approval::Granted), Call::Subtask { child: B });
        let admitted = vec![submitted(0), Event::Admitted { task: A }];
        let with = |before: &[Event], events: &[Event]| [before, events].concat();
        let asks = with(&admitted, &[Event::Initialized { task: A }]);
        let fails = request(RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 });
        let invalid = RequestEvent::SendFailed { attempt, failure: SendFailure::Invalid, jitter_ms: 0 };
        let (pause, cancel) = (Event::PauseRequested { task: A }, Event::CancelRequested { task: A });
        let works = with(&admitted, &[Event::Deployed { task: A }]);
        let runs = with(&works, &[session(SessionEvent::Started { iterator })]);
        let idle = with(&runs, &[session(SessionEvent::Answered { iterator, prompt })]);
        let breaks =
            |iterator| session(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Transient });
        let response = |is_read| Wait::Response { turn: FIRST, attempt, is_read };
        let approval = ApprovalId { prompt, number: 1 };
        let grant = GrantNumber(1);
        let budget = [submitted(5), Event::Admitted { task: A }];
        let spent = Event::TimerFired { timer: Timer::Budget { task: A, grant } };
        let waits = Why::Waits;
        #[rustfmt::skip]
        let cases = [
            ("queued",                 vec![submitted(0)],                                  waits(vec![Wait::Place])),
            ("initializing",           admitted.clone(),                                    waits(vec![Wait::Surroundings])),
            ("requesting",             asks.clone(),                                        waits(vec![response(false)])),
            ("delivering",             with(&asks, &[request(RequestEvent::OutputDelivered { attempt })]), waits(vec![response(true)])),
            ("backing off",            with(&asks, std::slice::from_ref(&fails)),           waits(vec![Wait::Backoff { turn: FIRST, attempt: Attempt(1), after: Passing::Transient }])),
            ("executing tools",        with(&asks, &[says(&[tool, child])]),                waits(vec![Wait::Tool(call(0)), Wait::Subtask(B)])),
            ("awaiting a subtask",     with(&asks, &[says(&[child, Call::Question])]),      waits(vec![Wait::Subtask(B), question(1, About::Question(call(1)))])),
            ("may a tool run",         with(&asks, &[says(&[Call::Tool(Approval::Required)])]), waits(vec![question(1, About::Tool(call(0)))])),
            ("may it end",             with(&asks, &[says(&[Call::Completion(Approval::Required)])]), waits(vec![question(1, About::Completion(call(0)))])),
            ("awaiting the budget",    with(&budget, &[spent.clone(), Event::Initialized { task: A }]), waits(vec![question(1, About::Budget)])),
            ("paused in the queue",    vec![submitted(0), pause.clone()],                   waits(vec![Wait::Resume, Wait::Place])),
            ("paused with a place",    vec![submitted(0), pause.clone(), Event::Admitted { task: A }], waits(vec![Wait::Resume])),
            ("paused, initializing",   with(&admitted, std::slice::from_ref(&pause)),       waits(vec![Wait::Resume, Wait::Surroundings])),
            ("paused at a turn",       with(&admitted, &[pause.clone(), Event::Initialized { task: A }]), waits(vec![Wait::Resume])),
            ("paused, requesting",     with(&asks, std::slice::from_ref(&pause)),           waits(vec![Wait::Resume, response(false)])),
            ("paused with calls",      with(&asks, &[pause.clone(), says(&[tool])]),        waits(vec![Wait::Resume])),
            ("paused, tool runs",      with(&asks, &[says(&[tool]), pause.clone()]),        waits(vec![Wait::Resume, Wait::Tool(call(0))])),
            ("cancelling, initializing", with(&admitted, std::slice::from_ref(&cancel)),    waits(vec![Wait::SurroundingsStop])),
            ("cancelling a request",   with(&asks, std::slice::from_ref(&cancel)),          waits(vec![Wait::SendStop { turn: FIRST, attempt }])),
            ("cancelling calls",       with(&asks, &[says(&[tool]), cancel.clone()]),       waits(vec![Wait::ToolStop(call(0))])),
            ("cancelling a worker",    with(&works, std::slice::from_ref(&cancel)),         waits(vec![Wait::IteratorStop(iterator)])),
            ("working: starts",        works.clone(),                                       waits(vec![Wait::IteratorStart(iterator)])),
            ("working: answers",       runs.clone(),                                        waits(vec![Wait::Prompt { iterator, prompt }])),
            ("working: idle",          idle.clone(),                                        waits(vec![Wait::Work])),
            ("working: asks",          with(&runs, &[of_worker(WorkerEvent::ApprovalRequested { approval })]), waits(vec![Wait::Approval(approval)])),
            ("working: backs off",     with(&runs, &[breaks(iterator)]),                    waits(vec![Wait::PromptBackoff(prompt)])),
            ("working: held",          with(&idle, std::slice::from_ref(&pause)),           waits(vec![Wait::Resume])),
            ("working: interrupted",   with(&runs, &[of_worker(WorkerEvent::InterruptRequested { turn: FIRST, then: Then::Resume })]), waits(vec![Wait::IteratorStop(iterator)])),
            ("working: finishes",      with(&idle, &[of_worker(WorkerEvent::CompleteRequested)]), waits(vec![Wait::IteratorStop(iterator)])),
            ("working: spent",         with(&budget, &[Event::Deployed { task: A }, session(SessionEvent::Started { iterator }), session(SessionEvent::Answered { iterator, prompt }), spent]), waits(vec![question(1, About::Budget)])),
            ("completed",              with(&asks, &[says(&[Call::Completion(Approval::Granted)])]), Why::Ended(End::Completed)),
            ("failed",                 with(&asks, &[request(invalid)]),                    Why::Ended(End::Failed(Reason::Request(downbeat_kernel::RequestReason::Invalid)))),
            ("cancelled",              vec![submitted(0), cancel.clone()],                  Why::Ended(End::Cancelled)),
            ("forgotten",              vec![submitted(0), cancel, Event::EndAcknowledged { task: A }], Why::Forgotten),
            ("unknown",                vec![],                                              Why::Unknown),
        ];
        for (name, events, expected) in cases {
            assert_eq!(why(&played(Config::default(), &events), A), expected, "{name}");
        }

        // Of its parent.
        let unstarted = with(&asks, &[pause, says(&[child])]);
        assert_eq!(why(&played(Config::default(), &unstarted), B), waits(vec![Wait::ResumeOfParent(A)]));
        let ending = with(
            &works,
            &[
                Event::SubtaskRequested { task: A, child: B },
                Event::Admitted { task: B },
                session(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Permanent }),
            ],
        );
        assert_eq!(why(&played(Config::default(), &ending), A), waits(vec![Wait::Subtask(B)]));

        // Under other settings.
        let credentials = Config { profiles_keyed: 0, ..Config::default() };
        let profile = ProfileId(0);
        let credential = Wait::Credential { turn: FIRST, attempt, profile };
        assert_eq!(why(&played(credentials, &asks), A), waits(vec![credential]));
        let breaker = Config { breaker_max: 1, ..Config::default() };
        assert_eq!(why(&played(breaker, &with(&runs, &[breaks(iterator)])), A), waits(vec![Wait::Breaker]));
        let mistakes = Config { mistakes_max: 1, ..Config::default() };
        let request = RequestId { task: A, turn: FIRST, attempt };
        let talks = Event::ResponseEnded { request, response: Response::Text, jitter_ms: 0 };
        assert_eq!(
            why(&played(mistakes, &with(&asks, &[talks])), A),
            waits(vec![question(1, About::MistakeLimit)])
        );
        let denied =
            Event::AnswerReceived { question: QuestionId { task: A, number: 1 }, answer: Answer::Denied };
        let tool_denied = with(&asks, &[says(&[Call::Tool(Approval::Required)]), denied]);
        let next = Wait::Response { turn: TurnNumber(2), attempt, is_read: false };
        assert_eq!(why(&played(Config::default(), &tool_denied), A), waits(vec![next]));
        let ended = Event::ToolEnded { call: call(0), end: ToolEnd::Succeeded };
        assert_eq!(
            why(&played(Config::default(), &with(&asks, &[says(&[tool, child]), ended])), A),
            waits(vec![Wait::Subtask(B)])
        );
    }

    /// No event leads to a state that waits for nothing; one that was read from outside may be.
    #[test]
    fn state_that_contradicts_itself_waits_for_nothing() {
        let kernel = played(Config::default(), &[submitted(0)]);
        let text = serde_json::to_string(&kernel).expect("it is written");
        let other = text.replace("\"Queued\"", "\"AwaitingInput\"");
        let kernel: Kernel = serde_json::from_str(&other).expect("it is read");
        assert!(kernel.validate().is_err());
        assert_eq!(why(&kernel, A), Why::Waits(vec![Wait::Nothing]));
    }
}
