//! Budgets: one pot for a tree, a question when it is empty, and nothing that begins until there is an answer.

use crate::stage::{
    Clock, DUPLICATE, STALE, Stage, TERMINAL, acknowledged, admitted, answered, arm, ask, backoff, cancelled,
    disarm, ended, enqueue, failed, fired, include, initialize, initialized, message, paused, responded,
    result, resumed, run, send, stop, submitted_with, text, tool_ended, withdraw,
};
use downbeat_kernel::{
    About, Answer, Approval, BillNumber, Budget, COUNTER_MAX, Call, CallResult, Config, Corrupt, Effect, End,
    Event, GrantNumber, Held, IteratorId, Kernel, Outcome, Outstanding, Part, PromptId, Rejected, Response,
    SendFailure, SessionEffect, SessionEvent, Spend, TaskId, TaskState, Timer, ToolEnd, WorkerEffect,
    WorkerEvent, WorkerState,
};
use serde_json::{Value, json};

const TOKENS: Budget = Budget { tokens: 100, micros: 0, wall_ms: 0 };
const MICROS: Budget = Budget { tokens: 0, micros: 5_000, wall_ms: 0 };
const WALL: Budget = Budget { tokens: 0, micros: 0, wall_ms: 60_000 };
const DONE: Call = Call::Completion(Approval::Granted);
const TOOL: Call = Call::Tool(Approval::Granted);

fn spent(task: u64, bill: u32, tokens: u64) -> Event {
    let spend = Spend { tokens, micros: tokens * 50 };
    Event::Spent { task: TaskId(task), bill: BillNumber(bill), spend }
}

fn time(grant: u32) -> Clock {
    Clock::Task(Timer::Budget { task: TaskId(1), grant: GrantNumber(grant) })
}

fn calls(calls: &[Call]) -> Response {
    Response::Calls(calls.to_vec())
}

fn subtask(child: u64) -> Call {
    Call::Subtask { child: TaskId(child) }
}

fn deployed(task: u64) -> Event {
    Event::Deployed { task: TaskId(task) }
}

fn started(task: u64) -> Event {
    session(task, SessionEvent::Started { iterator: IteratorId(1) })
}

fn worker_answered(task: u64, prompt: u32) -> Event {
    session(task, SessionEvent::Answered { iterator: IteratorId(1), prompt: PromptId(prompt) })
}

fn session(task: u64, event: SessionEvent) -> Event {
    Event::Worker { task: TaskId(task), event: WorkerEvent::Session(event) }
}

/// Task 1 with a budget, in its first turn.
fn requesting(budget: Budget) -> Stage {
    let mut stage = Stage::new(Config::default());
    stage.takes_all([submitted_with(1, budget), admitted(1), initialized(1)]);
    stage
}

/// The same, and its pot is empty. The question is its first.
fn asking() -> Stage {
    let mut stage = requesting(TOKENS);
    assert_eq!(stage.takes(spent(1, 1, 100)), [ask(1, 1, About::Budget)]);
    stage
}

/// The same, and the turn that was open has been answered with text.
fn awaiting() -> Stage {
    let mut stage = asking();
    assert_eq!(stage.takes(responded(1, 1, 0, Response::Text)), []);
    assert_eq!(stage.state(1), TaskState::AwaitingBudget);
    stage
}

fn worker_state(stage: &Stage, task: u64) -> WorkerState {
    let task = stage.kernel.task(TaskId(task)).expect("the task is held");
    task.data.worker.as_ref().expect("a worker runs it").state
}

#[test]
fn bills_and_time_reach_a_budget_exactly_at_its_bound() {
    let none = Budget::default();
    #[rustfmt::skip]
    let cases = [
        ("one token is left",     TOKENS, vec![spent(1, 1, 99)],                  false),
        ("no token is left",      TOKENS, vec![spent(1, 1, 99), spent(1, 2, 1)],  true),
        ("fifty micros are left", MICROS, vec![spent(1, 1, 99)],                  false),
        ("no micro is left",      MICROS, vec![spent(1, 1, 100)],                 true),
        ("the time is over",      WALL,   vec![fired(time(1))],                   true),
        ("time has no bills",     WALL,   vec![spent(1, 1, u64::MAX / 50)],       false),
        ("nothing is bounded",    none,   vec![spent(1, 1, u64::MAX / 50)],       false),
    ];
    for (name, budget, events, is_asked) in cases {
        let mut stage = requesting(budget);
        let asked = if is_asked { vec![ask(1, 1, About::Budget)] } else { vec![] };
        assert_eq!(stage.takes_all(events), asked, "{name}");
    }
}

#[test]
fn turn_that_is_open_goes_on_to_its_end_and_the_next_waits_for_the_answer() {
    let mut stage = asking();
    // Its retries too.
    stage.takes(failed(1, 1, 0, SendFailure::Transient, 0));
    assert_eq!(stage.takes(fired(backoff(1, 1, 1))), [include(1, Part::Prompt), send(1, 1, 1)]);
    assert_eq!(stage.takes(responded(1, 1, 1, calls(&[TOOL]))), [run(1, 1, 0)]);
    assert_eq!(stage.takes(tool_ended(1, 1, 0, ToolEnd::Succeeded)), []);
    assert_eq!(stage.state(1), TaskState::AwaitingBudget);
    assert_eq!(stage.takes(message(1, 1)), []);
    let next = [result(1, 1, 0, CallResult::Tool(ToolEnd::Succeeded)), text(1, 1), send(1, 2, 0)];
    assert_eq!(stage.takes(answered(1, 1, Answer::Approved)), next);
    stage.refuses(&answered(1, 1, Answer::Approved), &STALE);
    assert_eq!(stage.takes(spent(1, 2, 100)), [ask(1, 2, About::Budget)]);
}

#[test]
fn answer_decides_whether_the_tree_goes_on() {
    let next = vec![include(1, Part::Reminder), send(1, 2, 0)];
    let end = vec![ended(1, End::Cancelled)];
    #[rustfmt::skip]
    let cases = [
        ("yes",      Answer::Approved, next,        TaskState::Requesting),
        ("no",       Answer::Denied,   end.clone(), TaskState::Cancelled),
        ("in words", Answer::Text,     end,         TaskState::Cancelled),
    ];
    for (name, answer, effects, state) in cases {
        let mut stage = awaiting();
        assert_eq!(stage.takes(answered(1, 1, answer)), effects, "{name}");
        assert_eq!(stage.state(1), state, "{name}");
    }
}

#[test]
fn overshoot_is_asked_about_until_it_is_covered() {
    let mut stage = requesting(TOKENS);
    assert_eq!(stage.takes(spent(1, 1, 250)), [ask(1, 1, About::Budget)]);
    assert_eq!(stage.takes(spent(1, 2, 30)), [], "one question at a time");
    assert_eq!(stage.takes(responded(1, 1, 0, Response::Text)), []);
    assert_eq!(stage.takes(answered(1, 1, Answer::Approved)), [ask(1, 2, About::Budget)]);
    stage.refuses(&answered(1, 1, Answer::Approved), &STALE);
    assert_eq!(stage.state(1), TaskState::AwaitingBudget);
    let next = [include(1, Part::Reminder), send(1, 2, 0)];
    assert_eq!(stage.takes(answered(1, 2, Answer::Approved)), next);
    assert_eq!(stage.takes(spent(1, 3, 20)), [ask(1, 3, About::Budget)]);
}

#[test]
fn bills_are_counted_once_each_in_their_order_and_for_the_root() {
    let gap = |expected, got| {
        Outcome::Rejected(Rejected::BillGap { expected: BillNumber(expected), got: BillNumber(got) })
    };
    let not_a_root = Outcome::Rejected(Rejected::NotARoot { task: TaskId(2), parent: TaskId(1) });
    let mut stage = requesting(TOKENS);
    stage.refuses(&spent(1, 2, 1), &gap(1, 2));
    stage.refuses(&spent(1, 0, 1), &gap(1, 0));
    stage.takes_all([spent(1, 1, 60), responded(1, 1, 0, calls(&[subtask(2)]))]);
    stage.refuses(&spent(1, 1, 60), &DUPLICATE);
    stage.refuses(&spent(2, 2, 60), &not_a_root);
    stage.takes_all([admitted(2), initialized(2), responded(2, 1, 0, calls(&[DONE]))]);
    stage.refuses(&spent(2, 2, 60), &not_a_root);
    assert_eq!(stage.takes(spent(1, 2, 30)), []);
    stage.takes(responded(1, 2, 0, calls(&[DONE])));
    stage.refuses(&spent(1, 1, 60), &DUPLICATE);
    stage.refuses(&spent(1, 2, 30), &DUPLICATE);
    stage.refuses(&spent(1, 3, 30), &TERMINAL);
    stage.takes(acknowledged(1));
    stage.refuses(&spent(1, 2, 30), &TERMINAL);
}

/// A tree without a budget has no account, not even of the numbers.
#[test]
fn bills_of_a_tree_without_a_budget_are_taken_and_not_counted() {
    let mut stage = requesting(Budget::default());
    let before = stage.kernel.clone();
    assert_eq!(stage.takes_all([spent(1, 7, 60), spent(1, 7, 60), spent(1, 1, 1)]), []);
    assert_eq!(stage.kernel, before);
    stage.takes(responded(1, 1, 0, calls(&[DONE])));
    stage.refuses(&spent(1, 7, 60), &TERMINAL);
}

#[test]
fn bill_that_comes_while_the_root_is_bound_to_end_is_counted_and_asks_nobody() {
    let mut stage = requesting(TOKENS);
    assert_eq!(stage.takes_all([cancelled(1), spent(1, 1, 100)])[0], stop(1, 1, 0));
    let account = stage.kernel.task(TaskId(1)).and_then(|task| task.data.account.clone());
    let account = account.expect("a root with a budget has an account");
    assert_eq!((account.spent, account.question), (Spend { tokens: 100, micros: 5_000 }, None));
}

#[test]
fn time_of_a_grant_runs_from_the_admission_and_from_the_grant() {
    let mut stage = Stage::new(Config::default());
    assert_eq!(stage.takes(submitted_with(1, WALL)), [enqueue(1)]);
    let never =
        |event: &Event, state| Outcome::Rejected(Rejected::NeverAsked { state, event: event.clone() });
    stage.refuses(&fired(time(1)), &never(&fired(time(1)), TaskState::Queued));
    let mut shortest = Stage::new(Config::default());
    shortest.takes(submitted_with(1, Budget { wall_ms: 1, ..Budget::default() }));
    assert_eq!(shortest.takes(admitted(1)), [initialize(1), arm(time(1), 1)]);
    // A pause in the queue holds the time back, and one after it does not.
    assert_eq!(stage.takes_all([paused(1), admitted(1)]), []);
    assert_eq!(stage.takes(resumed(1)), [initialize(1), arm(time(1), 60_000)]);
    stage.takes_all([initialized(1), paused(1)]);
    assert_eq!(stage.takes(fired(time(1))), [ask(1, 1, About::Budget)]);
    stage.refuses(&fired(time(1)), &DUPLICATE);
    assert_eq!(stage.takes(answered(1, 1, Answer::Approved)), [arm(time(2), 60_000)]);
    stage.refuses(&fired(time(1)), &STALE);
    let state = TaskState::Paused(Held::Requesting);
    stage.refuses(&fired(time(3)), &never(&fired(time(3)), state));
    stage.takes(resumed(1));
    let end = [disarm(time(2)), ended(1, End::Completed)];
    assert_eq!(stage.takes(responded(1, 1, 0, calls(&[DONE]))), end);
    stage.refuses(&fired(time(2)), &TERMINAL);
}

#[test]
fn grant_for_money_begins_the_time_anew() {
    let mut stage = requesting(Budget { wall_ms: 60_000, ..TOKENS });
    stage.takes_all([spent(1, 1, 100), responded(1, 1, 0, Response::Text)]);
    let next = [disarm(time(1)), arm(time(2), 60_000), include(1, Part::Reminder), send(1, 2, 0)];
    assert_eq!(stage.takes(answered(1, 1, Answer::Approved)), next);
}

#[test]
fn children_draw_on_the_pot_of_their_root() {
    let mut stage = requesting(TOKENS);
    stage.takes_all([responded(1, 1, 0, calls(&[subtask(2), subtask(3)])), admitted(2), initialized(2)]);
    assert_eq!(stage.takes(spent(1, 1, 100)), [ask(1, 1, About::Budget)]);
    // What is asked goes on, and calls for one more, which does not begin; nor does one that gets its place meanwhile.
    assert_eq!(stage.takes(responded(2, 1, 0, calls(&[subtask(4)]))), [enqueue(4)]);
    stage.takes_all([admitted(3), initialized(3), admitted(4), initialized(4)]);
    let waiting = [TaskState::AwaitingSubtask, TaskState::AwaitingBudget, TaskState::AwaitingBudget];
    assert_eq!([2, 3, 4].map(|task| stage.state(task)), waiting);
    let prompt = |task| [include(task, Part::Prompt), send(task, 1, 0)];
    let begun = [prompt(3), prompt(4)].concat();
    assert_eq!(stage.takes(answered(1, 1, Answer::Approved)), begun);
}

#[test]
fn denial_cancels_the_whole_tree() {
    let mut stage = requesting(TOKENS);
    stage.takes_all([responded(1, 1, 0, calls(&[subtask(2)])), admitted(2), spent(1, 1, 100)]);
    stage.takes(initialized(2));
    let ends = [ended(2, End::Cancelled), ended(1, End::Cancelled)];
    assert_eq!(stage.takes(answered(1, 1, Answer::Denied)), ends);
}

#[test]
fn task_that_waits_for_its_budget_can_be_held_resumed_and_cancelled() {
    let mut stage = awaiting();
    assert_eq!(stage.takes(paused(1)), []);
    assert_eq!(stage.state(1), TaskState::Paused(Held::Turn));
    assert_eq!(stage.takes(resumed(1)), []);
    assert_eq!(stage.state(1), TaskState::AwaitingBudget);
    stage.refuses(&resumed(1), &DUPLICATE);
    stage.takes(paused(1));
    assert_eq!(stage.takes(answered(1, 1, Answer::Approved)), [], "a person holds it");
    assert_eq!(stage.takes(resumed(1)), [include(1, Part::Reminder), send(1, 2, 0)]);
    let mut stage = awaiting();
    assert_eq!(stage.takes(cancelled(1)), [withdraw(1, 1), ended(1, End::Cancelled)]);
    stage.refuses(&answered(1, 1, Answer::Approved), &TERMINAL);
}

#[test]
fn question_for_more_is_withdrawn_with_its_root() {
    #[rustfmt::skip]
    let cases = [
        ("it completes",    responded(1, 1, 0, calls(&[DONE])),               vec![ended(1, End::Completed)]),
        ("it is cancelled", cancelled(1),                                     vec![stop(1, 1, 0)]),
    ];
    for (name, event, rest) in cases {
        let mut stage = asking();
        let effects = stage.takes(event);
        assert_eq!((effects[0], &effects[1..2]), (withdraw(1, 1), &rest[..]), "{name}");
    }
}

/// S6: an answer reaches the question that it names, whatever else is open.
#[test]
fn question_for_more_stands_beside_those_of_calls() {
    let mut stage = asking();
    let question = About::Question(crate::stage::call_id(1, 1, 0));
    assert_eq!(stage.takes(responded(1, 1, 0, calls(&[Call::Question]))), [ask(1, 2, question)]);
    stage.takes(paused(1));
    assert_eq!(stage.takes(answered(1, 1, Answer::Approved)), []);
    assert_eq!(stage.state(1), TaskState::Paused(Held::Calls));
    stage.takes(resumed(1));
    let next = [result(1, 1, 0, CallResult::Answered), send(1, 2, 0)];
    assert_eq!(stage.takes(answered(1, 2, Answer::Denied)), next);
}

#[test]
fn worker_goes_on_when_neither_a_person_nor_its_budget_holds_it() {
    let approved = answered(1, 1, Answer::Approved);
    #[rustfmt::skip]
    let cases = [
        ("the budget alone",         vec![],                                    vec![approved.clone()]),
        ("a person first",           vec![paused(1)],                           vec![resumed(1), approved.clone()]),
        ("a person last",            vec![paused(1)],                           vec![approved, resumed(1)]),
    ];
    for (name, held, freed) in cases {
        let mut stage = Stage::new(Config::default());
        stage.takes_all([submitted_with(1, TOKENS), admitted(1), deployed(1), started(1)]);
        assert_eq!(stage.takes(spent(1, 1, 100)), [ask(1, 1, About::Budget)], "{name}");
        stage.takes_all([message(1, 1), worker_answered(1, 1)]);
        stage.takes_all(held);
        let (last, first) = freed.split_last().expect("somebody frees it");
        for event in first {
            assert_eq!(worker_state(&stage, 1), WorkerState::Held, "{name}");
            assert_eq!(stage.takes(event.clone()), [], "{name}");
        }
        assert_eq!(worker_state(&stage, 1), WorkerState::Held, "{name}");
        stage.takes(last.clone());
        assert_eq!(worker_state(&stage, 1), WorkerState::Executing, "{name}");
    }
}

#[test]
fn worker_of_a_child_waits_for_the_pot_of_its_root() {
    let mut stage = requesting(TOKENS);
    stage.takes_all([responded(1, 1, 0, calls(&[subtask(2)])), admitted(2), spent(1, 1, 100), deployed(2)]);
    assert_eq!(worker_state(&stage, 2), WorkerState::Held);
    let start = WorkerEffect::Session(SessionEffect::Start { iterator: IteratorId(1) });
    let begun = stage.takes(answered(1, 1, Answer::Approved));
    assert_eq!(begun[0], Effect::Worker { task: TaskId(2), effect: start });
    assert_eq!(worker_state(&stage, 2), WorkerState::Executing);
}

/// Only the kernel tells a worker what its tree may spend.
#[test]
fn worker_is_not_told_of_its_budget_from_outside() {
    let mut stage = Stage::new(Config::default());
    stage.takes_all([submitted_with(1, TOKENS), admitted(1), deployed(1)]);
    for event in [WorkerEvent::BudgetSpent, WorkerEvent::BudgetGranted] {
        let event = Event::Worker { task: TaskId(1), event };
        stage.refuses(&event, &Outcome::Rejected(Rejected::NotForShell { event: event.clone() }));
    }
}

#[test]
fn restart_repeats_the_question_and_the_timer_under_their_identities() {
    let timed = Budget { wall_ms: 60_000, ..TOKENS };
    let history = [
        submitted_with(1, timed),
        admitted(1),
        initialized(1),
        spent(1, 1, 250),
        responded(1, 1, 0, Response::Text),
        answered(1, 1, Answer::Approved),
        fired(time(2)),
        answered(1, 2, Answer::Approved),
        fired(time(3)),
        answered(1, 3, Answer::Denied),
    ];
    let mut stage = Stage::new(Config::default());
    for event in history {
        stage.takes(event.clone());
        let mut again = stage.resync();
        again.sort_unstable();
        assert_eq!(again, stage.orders.sorted(), "after {event:?}");
    }
    assert_eq!(stage.state(1), TaskState::Cancelling(Outstanding::Request));
}

/// A task whose pot is empty, with a subtask.
fn empty_family() -> Stage {
    let mut stage = requesting(Budget { wall_ms: 60_000, ..TOKENS });
    stage.takes_all([responded(1, 1, 0, calls(&[subtask(2)])), spent(1, 1, 100)]);
    stage
}

/// The snapshot of a stage with some places changed.
fn changed(stage: &Stage, changes: &[(&str, Value)]) -> Kernel {
    let mut snapshot = serde_json::to_value(&stage.kernel).expect("a kernel has a JSON form");
    for (pointer, value) in changes {
        *snapshot.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is there")) = value.clone();
    }
    serde_json::from_value(snapshot).expect("the snapshot is read")
}

#[test]
fn validate_names_a_budget_that_cannot_be() {
    let account = |place: &str, value: Value| vec![(format!("/tasks/0/data/account/{place}"), value)];
    let data = |task: u8, place: &str, value: Value| vec![(format!("/tasks/{task}/data/{place}"), value)];
    let stage = empty_family();
    let whole = serde_json::to_value(&stage.kernel).expect("a kernel has a JSON form");
    let whole = whole.pointer("/tasks/0/data/account").cloned().expect("it has an account");
    #[rustfmt::skip]
    let cases = [
        ("nobody is asked for more",           account("question", json!(null)),        1),
        ("a question that was never numbered", account("question", json!(2)),           1),
        ("something is left",                  account("spent/tokens", json!(99)),      1),
        ("no grant",                           account("grant", json!(0)),              1),
        ("a grant near its end",               account("grant", json!(4_000_000_000_u32)), 1),
        ("a bill near its end",                account("bill", json!(4_000_000_000_u32)), 1),
        ("no time runs",                       account("clock", json!("Stopped")),      1),
        ("time without a bound",               account("budget/wall_ms", json!(0)),     1),
        ("the root does not know",             data(0, "spent", json!(false)),          1),
        ("nothing is bounded",                 data(0, "account", json!(null)),         1),
        ("the child does not know",            data(1, "spent", json!(false)),          2),
        ("the child has a pot of its own",     data(1, "account", whole),               2),
    ];
    assert_eq!(stage.kernel.validate(), Ok(()));
    for (name, changes, task) in cases {
        let changes: Vec<_> = changes.iter().map(|(place, value)| (place.as_str(), value.clone())).collect();
        let corrupt = Corrupt::Budget { task: TaskId(task) };
        assert_eq!(changed(&stage, &changes).validate(), Err(corrupt), "{name}");
        assert_eq!(corrupt.to_string(), format!("the budget of task {task} cannot be as it is"), "{name}");
    }
}

/// Each of these breaks one rule, and no other one.
#[test]
fn validate_looks_at_a_budget_where_its_task_stands() {
    let found = Err(Corrupt::Budget { task: TaskId(1) });
    let closing = || ("/tasks/0/state", json!({"Cancelling": "Nothing"}));
    let question = |number: Option<u32>| ("/tasks/0/data/account/question", json!(number));
    let clock = |clock: &str| ("/tasks/0/data/account/clock", json!(clock));
    let knows_not = |task: usize| (["/tasks/0/data/spent", "/tasks/1/data/spent"][task], json!(false));
    let unbounded = || ("/tasks/0/data/account/budget", json!({"tokens": 0, "micros": 0, "wall_ms": 0}));
    let bills = ("/tasks/0/data/account/bill", json!(COUNTER_MAX));
    let no_time = ("/tasks/0/data/account/budget/wall_ms", json!(0));
    let left = ("/tasks/0/data/account/spent/tokens", json!(99));
    let family = empty_family();
    let mut waiting = requesting(TOKENS);
    waiting.takes_all([spent(1, 1, 100), responded(1, 1, 0, Response::Calls(vec![TOOL]))]);
    waiting.takes(tool_ended(1, 1, 0, ToolEnd::Succeeded));
    let mut asks_too = requesting(TOKENS);
    asks_too.takes_all([responded(1, 1, 0, calls(&[Call::Question])), spent(1, 1, 100)]);
    let mut rich = requesting(TOKENS);
    rich.takes_all([
        responded(1, 1, 0, calls(&[Call::Subtask { child: TaskId(2) }])),
        admitted(2),
        initialized(2),
    ]);
    let whole = serde_json::to_value(&rich.kernel).expect("it is written");
    let pot = whole.pointer("/tasks/0/data/account").expect("it has one").clone();
    let of_child = Err(Corrupt::Budget { task: TaskId(2) });
    let nothing = vec![unbounded(), question(None), clock("Stopped"), knows_not(0), knows_not(1)];
    #[rustfmt::skip]
    let cases = [
        ("as many bills as can be",             &family,   vec![bills],                                  Ok(())),
        ("time that has no bound is over",      &family,   vec![no_time, clock("Over")],                 found),
        ("bound to end",                        &family,   vec![closing(), question(None), clock("Stopped")], Ok(())),
        ("bound to end, and a person is asked", &family,   vec![closing(), clock("Stopped")],            found),
        ("bound to end, and its time runs",     &family,   vec![closing(), question(None)],              found),
        ("an account of nothing",               &family,   nothing,                                      found),
        ("waits for more, and there is some",   &waiting,  vec![left, question(None), knows_not(0)],     found),
        ("its question is that of a call",      &asks_too, vec![question(Some(1))],                      found),
        ("a child with a pot of its own",       &rich,     vec![("/tasks/1/data/account", pot)],         of_child),
    ];
    for (name, stage, changes, expected) in cases {
        assert_eq!(stage.kernel.validate(), Ok(()), "{name}: before");
        assert_eq!(changed(stage, &changes).validate(), expected, "{name}");
    }
}
