//! What the tree's orders come to: the model, tools, people, timers, and what is said to the other machines.

use downbeat_kernel::{
    About, Answer, CallId, Effect, End, Event, Generation, Input, Kernel, News, Outcome, Part, PoolEvent,
    Priority, QuestionEvent, QuestionId, RequestEffect, RequestId, RequestTimer, RetryEvent, Task, TaskId,
    Timer, TurnNumber, UserId,
};

use super::Fault;
use super::state::{Breach, Flight, Orders, Read, Start, id, index};
use super::step::Step;
use super::words::{self, MODEL, OUTSIDE, TREE, USER};
use crate::subtask_completion::kernel::asking;
use crate::watch::{How, TaskIndex};
use downbeat_wiring::{
    Gate, Word, attempt_end, dequeued, enqueued, has_place, lease_of, may_go_out, root_of, task_of,
};

/// One bit for a small number.
pub(super) fn bit(number: u32) -> u8 {
    assert!(number < 8, "the scenarios ask fewer than eight questions of a task");
    1 << number
}

pub(super) fn small(number: u32) -> u8 {
    u8::try_from(number).expect("the scenarios are small")
}

/// The question that an event answers.
fn answered_by(event: &Event) -> Option<QuestionId> {
    if let Event::AnswerReceived { question, .. } = event { Some(*question) } else { None }
}

/// The task that an event cancels. Nobody says no to anything but to spend more.
fn cancelled_by(event: &Event) -> Option<TaskId> {
    match event {
        Event::CancelRequested { task }
        | Event::AnswerReceived { question: QuestionId { task, .. }, answer: Answer::Denied } => Some(*task),
        Event::AnswerReceived { answer: Answer::Approved | Answer::Text, .. }
        | Event::TaskSubmitted { .. }
        | Event::Spent { .. }
        | Event::Admitted { .. }
        | Event::Initialized { .. }
        | Event::InitializationFailed { .. }
        | Event::Deployed { .. }
        | Event::Worker { .. }
        | Event::SubtaskRequested { .. }
        | Event::ResponseEnded { .. }
        | Event::Request { .. }
        | Event::ProfileDown { .. }
        | Event::ProfileUp { .. }
        | Event::ToolEnded { .. }
        | Event::MessageReceived { .. }
        | Event::PauseRequested { .. }
        | Event::ResumeRequested { .. }
        | Event::TimerFired { .. }
        | Event::EndAcknowledged { .. } => None,
    }
}

impl Step<'_> {
    /// Gives the tree an event, and carries out what comes of it.
    pub(super) fn inform_tree(&mut self, event: Event) -> bool {
        let billed = if let Event::Spent { task, .. } = event { Some(index(task)) } else { None };
        let (cancelled, named) = (cancelled_by(&event), answered_by(&event));
        let mut effects = Vec::new();
        let kernel = &mut self.tree.kernel;
        let outcome = kernel.step(event, &mut effects);
        let is_applied = outcome == Outcome::Applied;
        if is_applied && let Some(task) = cancelled {
            self.seen.cancels |= 1 << index(task);
        }
        if !is_applied {
            let has_changed = self.tree.before().kernel != self.tree.kernel || !effects.is_empty();
            return self.judge_outcome(false, || has_changed);
        }
        if let Some(root) = billed {
            self.tree.of_mut(root).pot.bills += 1;
        }
        self.see_born();
        self.see_settled(named, &effects);
        let effects: Vec<Effect> = self.cut_short(effects).collect();
        self.release(effects);
        if self.cut.is_none() {
            self.open_gates();
        }
        self.judge_outcome(true, || false)
    }

    /// Tasks that the tree holds and did not hold before have begun.
    fn see_born(&mut self) {
        let before: &Kernel = &self.tree.before().kernel;
        let is_new = |task: &&Task| before.task(task.id).is_none();
        let born: Vec<_> =
            self.tree.kernel.tasks().filter(is_new).map(|task| (task.id, task.data.parent)).collect();
        for (task, parent) in born {
            self.seen.watch.started(index(task), parent.map(index));
        }
    }

    /// S6: questions that were open, are not, and were not withdrawn, are settled by the answer that came, if one did.
    fn see_settled(&mut self, named: Option<QuestionId>, effects: &[Effect]) {
        let before: &Kernel = &self.tree.before().kernel;
        let open =
            |task: &Task| asking(task).map(|number| QuestionId { task: task.id, number }).collect::<Vec<_>>();
        let mut settled: Vec<QuestionId> = before.tasks().flat_map(open).collect();
        settled.retain(|question| {
            let is_open =
                self.tree.kernel.task(question.task).is_some_and(|task| open(task).contains(question));
            !is_open && !effects.contains(&Effect::Withdraw { question: *question })
        });
        for question in settled {
            let named = named.filter(|named| named.task == question.task).map(|named| small(named.number));
            self.seen.watch.question_settled(index(question.task), small(question.number), named);
        }
    }

    /// Whether a task has its place, its own or that of its root.
    pub(super) fn has_place(&self, task: TaskIndex) -> bool {
        let root = root_of(&self.tree.kernel, id(task));
        self.model.scenario.agents == 0 || lease_of(&self.fleet.pool, root).is_some()
    }

    /// Something goes out or begins for a task that needs a place for it.
    pub(super) fn needs_place(&mut self, task: TaskIndex) {
        let is_placeless = !self.has_place(task);
        self.note(Breach::Placeless, is_placeless);
        let is_cancelled = self.seen.has_cancelled(task);
        self.note(Breach::BegunAfterTaken, is_cancelled);
    }

    /// Carries out effects in their order. What uses a place is kept where there is none; and what a crash has repeated, while a
    /// person holds the task: nobody knows whether it was kept before (S13).
    pub(super) fn release(&mut self, effects: Vec<Effect>) {
        let mut parts = Vec::new();
        for effect in effects {
            if self.model.scenario.agents == 0 || self.passes(&effect) {
                self.obey_tree(effect, &mut parts);
            }
        }
    }

    /// Whether an order goes out.
    fn passes(&mut self, effect: &Effect) -> bool {
        let task = index(task_of(effect));
        let is_shut = !self.has_place(task) || (self.is_restarting && self.keeps_held(task));
        let is_open = !is_shut || self.model.has(Fault::GateOpen);
        let before = self.model.has(Fault::StopMissesKept).then(|| self.desk.gate.clone());
        let Some(void) = self.desk.gate.pass(effect, is_open) else { return false };
        match before {
            Some(before) => self.desk.gate = before,
            None => self.see_void(task, &void),
        }
        true
    }

    /// A request that is void has never gone out, which the kernel cannot know.
    fn see_void(&mut self, task: TaskIndex, void: &[Effect]) {
        let turn_of = |effect: &Effect| {
            if let Effect::Request { turn, .. } = effect { Some(small(turn.0)) } else { None }
        };
        let orders = self.tree.of(task);
        let turn = void.iter().find_map(turn_of);
        if turn.is_some_and(|turn| turn > orders.sent || orders.read == Read::No) {
            self.tree.of_mut(task).read = Read::Unsent;
        }
    }

    /// What was kept for want of a place goes out where there is one again.
    pub(super) fn open_gates(&mut self) {
        if self.desk.gate == Gate::default() {
            return;
        }
        let (kernel, pool) = (&self.tree.kernel, &self.fleet.pool);
        let ignores_hold = self.model.has(Fault::HeldKeptGoesOut);
        let may_go = |task| may_go_out(kernel, pool, task) || (ignores_hold && has_place(kernel, pool, task));
        let open = self.desk.gate.open(may_go);
        self.release(open);
    }

    /// Whether what the tree repeats of a task is kept because a person holds it.
    fn keeps_held(&self, task: TaskIndex) -> bool {
        self.tree.is_held(task) && !self.model.has(Fault::HeldRepeatGoesOut)
    }

    fn obey_tree(&mut self, effect: Effect, parts: &mut Vec<(TaskId, Part)>) {
        self.tell_effect(&effect);
        match effect {
            Effect::Include { task, part } => parts.push((task, part)),
            Effect::Request { task, turn, effect } => self.request(task, turn, effect, parts),
            Effect::Enqueue { task } => self.enqueue(task),
            Effect::Dequeue { task } => self.dequeue(task),
            Effect::Initialize { task } => self.initialize(index(task)),
            Effect::AbortInitialization { task } => {
                self.tree.of_mut(index(task)).start = Start::Stopping;
            }
            Effect::RunTool { call } => self.run_tool(call),
            Effect::CancelTool { call } => self.cancel_tool(call),
            Effect::Ask { question, about: About::Budget } => self.ask_for_more(question),
            Effect::Ask { question, .. } => self.ask(question),
            Effect::Withdraw { question: QuestionId { task, number } } => {
                let orders = self.tree.of_mut(index(task));
                orders.questions &= !bit(number);
                orders.more = orders.more.filter(|more| *more != small(number));
            }
            Effect::Arm { timer: Timer::Grace(task), .. } => {
                let was = std::mem::replace(&mut self.tree.of_mut(index(task)).grace, true);
                self.note(Breach::Disorder, was);
            }
            Effect::Disarm { timer: Timer::Grace(task) } => self.tree.of_mut(index(task)).grace = false,
            Effect::Arm { timer: Timer::Budget { task, grant }, .. } => {
                let was = self.tree.of_mut(index(task)).budget.replace(small(grant.0));
                self.note(Breach::Disorder, was.is_some());
            }
            Effect::Disarm { timer: Timer::Budget { task, .. } } => {
                self.tree.of_mut(index(task)).budget = None;
            }
            Effect::ReportUndelivered { task, message, in_doubt } => {
                let read = self.tree.of(index(task)).read;
                self.seen.report(index(task), message, in_doubt, read);
            }
            Effect::TaskEnded { task, end } => self.ended(task, end),
            Effect::Worker { task, effect } => self.obey_worker(index(task), effect),
        }
    }

    fn enqueue(&mut self, task: TaskId) {
        if self.seen.watch.end_of(index(task)).is_some() {
            self.seen.watch.started(index(task), None);
        }
        if self.model.scenario.agents == 0 {
            let before = std::mem::replace(&mut self.tree.of_mut(index(task)).start, Start::Queued);
            self.note(Breach::Disorder, before == Start::Queued);
        } else {
            let word = enqueued(&self.tree.kernel, task, UserId(1), Priority::Normal);
            let word = if self.model.has(Fault::SubtasksPlaced) {
                let (user, priority) = (UserId(1), Priority::Normal);
                Word::Pool(PoolEvent::Submitted { task, user, priority })
            } else {
                word
            };
            self.say(word);
        }
    }

    fn dequeue(&mut self, task: TaskId) {
        if self.model.scenario.agents == 0 {
            self.tree.of_mut(index(task)).start = Start::Nothing;
        } else if let Some(word) = dequeued(&self.tree.kernel, task) {
            self.say(word);
        }
    }

    fn initialize(&mut self, task: TaskIndex) {
        self.seen.watch.began(task);
        self.needs_place(task);
        let before = std::mem::replace(&mut self.tree.of_mut(task).start, Start::Initializing);
        self.note(Breach::Disorder, before == Start::Initializing);
    }

    fn ask(&mut self, QuestionId { task, number }: QuestionId) {
        let task = index(task);
        self.seen.watch.began(task);
        let was = self.tree.of(task).questions & bit(number) != 0;
        self.note(Breach::Disorder, was);
        self.tree.of_mut(task).questions |= bit(number);
        self.post_progress(task);
    }

    /// People are told that the first root, or a subtask of it, asks.
    pub(super) fn post_progress(&mut self, task: TaskIndex) {
        let (scenario, root) = (self.model.scenario, index(root_of(&self.tree.kernel, id(task))));
        if scenario.outbox && (root == 0 || scenario.is_tried_again(root)) {
            self.say(Word::Posted(News::Progress));
        }
    }

    /// The token that a send to the first profile goes out with: that of the generation which it names.
    fn token(&self, task: TaskId, turn: TurnNumber, generation: Generation) -> u8 {
        let refused = self.tree.of(index(task)).refused.filter(|(of, _)| u32::from(*of) == turn.0);
        match refused {
            Some((_, token)) if self.model.has(Fault::TokenKept) => token,
            Some(_) | None => small(generation.0),
        }
    }

    /// An order of the request of a turn.
    fn request(
        &mut self,
        task: TaskId,
        turn: TurnNumber,
        effect: RequestEffect,
        parts: &mut Vec<(TaskId, Part)>,
    ) {
        let request = |attempt| RequestId { task, turn, attempt };
        match effect {
            RequestEffect::Send { attempt, profile, generation, input, .. } => {
                let generation = if profile.0 == 0 { self.token(task, turn, generation) } else { 0 };
                let flight = Flight {
                    is_kept: profile.0 == 0 && self.model.scenario.continues,
                    is_continued: input != Input::Full,
                    ..Flight::of(request(attempt), generation)
                };
                self.judge_input(index(task), flight, input);
                self.send(request(attempt), flight, &std::mem::take(parts));
            }
            RequestEffect::Recover { attempt } => {
                let flight = Flight { gone: true, ..Flight::of(request(attempt), 0) };
                self.tree.of_mut(index(task)).add(flight);
            }
            RequestEffect::Stop { attempt } => self.stop_request(request(attempt)),
            RequestEffect::Fence { attempt } => self.fence(request(attempt)),
            RequestEffect::Arm { timer, .. } => self.arm_request(task, turn, timer),
            RequestEffect::Disarm { timer: RequestTimer::Backoff(_) } => {
                self.tree.of_mut(index(task)).backoff = None;
            }
            RequestEffect::Disarm { timer: RequestTimer::Grace(_) } => {
                self.tree.of_mut(index(task)).stream_grace = None;
            }
            RequestEffect::GetCredential { attempt, newer_than, .. } => {
                if !(self.is_restarting && self.model.has(Fault::AskedOnce)) {
                    self.say(Word::Wanted(request(attempt), newer_than));
                }
            }
            // Nobody sends a bill.
            RequestEffect::Charge { .. } | RequestEffect::Ended { .. } => self.note(Breach::Disorder, true),
        }
    }

    fn arm_request(&mut self, task: TaskId, turn: TurnNumber, timer: RequestTimer) {
        let orders = self.tree.of_mut(index(task));
        let (armed, attempt) = match timer {
            RequestTimer::Backoff(attempt) => (&mut orders.backoff, attempt),
            RequestTimer::Grace(attempt) => (&mut orders.stream_grace, attempt),
        };
        let before = armed.replace((small(turn.0), small(u32::from(attempt.0))));
        self.note(Breach::Disorder, before.is_some());
    }

    /// A request is closed by force.
    fn fence(&mut self, request: RequestId) {
        let task = index(request.task);
        let wanted = Flight::of(request, 0);
        let flights = self.tree.of(task).flights;
        let same = |flight: &Flight| (flight.turn, flight.attempt) == (wanted.turn, wanted.attempt);
        if let Some(at) = flights.iter().position(|flight| flight.as_ref().is_some_and(same))
            && let Some(flight) = flights[at]
        {
            self.tree.of_mut(task).land(at);
            self.see_landed(task, flight, true);
        }
    }

    /// A request is to stop. One that was kept for want of a place has never gone out, and does not any more.
    fn stop_request(&mut self, request: RequestId) {
        let task = index(request.task);
        let wanted = Flight { stopping: true, gone: true, ..Flight::of(request, 0) };
        let orders = self.tree.of_mut(task);
        let same = |flight: &&mut Flight| (flight.turn, flight.attempt) == (wanted.turn, wanted.attempt);
        match orders.flights.iter_mut().flatten().find(same) {
            Some(flight) => flight.stopping = true,
            None => orders.add(wanted),
        }
    }

    fn run_tool(&mut self, call: CallId) {
        let task = index(call.task);
        self.needs_place(task);
        self.seen.watch.tool_ran(task);
        self.seen.watch.began(task);
        let bit = 1 << call.index;
        self.tree.of_mut(task).tool(call);
        if self.tree.of(task).tools_begun & bit != 0 {
            self.seen.watch.tool_ran_twice(task);
        }
        self.tree.of_mut(task).tools_begun |= bit;
    }

    fn cancel_tool(&mut self, call: CallId) {
        let orders = self.tree.of_mut(index(call.task));
        orders.tool(call);
        orders.tools_stopping |= 1 << call.index;
    }

    /// A request is over, and a provider may have worked on it. Of one that a crash took, that was seen before.
    pub(super) fn see_landed(&mut self, task: TaskIndex, flight: Flight, is_worked_on: bool) {
        let orders = self.tree.of_mut(task);
        if is_worked_on {
            orders.read = if orders.sent < flight.turn { Read::Unsent } else { Read::Perhaps };
        }
        if !flight.gone {
            self.seen.watch.request_ended(task);
        }
        // One that was kept for want of a place until it was told to stop has cost nothing.
        if is_worked_on && !(flight.gone && flight.stopping) {
            self.bill(task);
        }
    }

    fn ended(&mut self, task: TaskId, end: End) {
        let at = index(task);
        let how = match end {
            End::Completed => How::Completed,
            End::Failed(_) => How::Failed,
            End::Cancelled => How::Cancelled,
        };
        let was_live = self.seen.watch.is_live(at);
        self.seen.watch.subtask_ended(at);
        self.seen.watch.ended(at, how);
        let is_left = self.tree.of(at).is_left() || !self.desk.gate.is_clear(task);
        self.note(Breach::Disorder, is_left);
        let read = self.tree.of(at).read;
        // What an ended task has told to stop can only come late.
        *self.tree.of_mut(at) = Orders { ended: true, read, ..Orders::default() };
        if root_of(&self.tree.kernel, task) == task {
            self.root_ended(task, end, was_live);
        }
    }

    /// Everybody hears of it who has to.
    fn root_ended(&mut self, task: TaskId, end: End, was_live: bool) {
        let scenario = self.model.scenario;
        let conclusion = self.desk.record.conclusion(task, end);
        if scenario.agents > 0 {
            self.say(Word::Over(task, end));
            self.tell_questions(task, QuestionEvent::TaskEnded);
        }
        if scenario.is_tried_again(index(task)) {
            if was_live && end == End::Completed {
                self.seen.results += 1;
                let is_second = self.seen.results > 1;
                self.note(Breach::TwoResults, is_second);
            }
            if let Some(attempt) = self.desk.record.attempt_of(task) {
                let end = attempt_end(end);
                self.say(Word::Retry(RetryEvent::AttemptEnded { attempt, end }));
            }
        } else if task == id(0) {
            self.seen.end = self.seen.end.or(Some(conclusion));
        }
        let is_told = (task == id(0) && !scenario.retry) || self.model.has(Fault::AttemptsConclude);
        if scenario.outbox && is_told {
            self.say(Word::Posted(News::Concluded(conclusion)));
        }
    }

    fn tell_effect(&mut self, effect: &Effect) {
        if self.told.is_none() {
            return;
        }
        if let Some((to, text)) = words::effect(effect) {
            let to = match to {
                words::Whom::Model => MODEL,
                words::Whom::User => USER,
                words::Whom::Outside => OUTSIDE,
            };
            self.tell(TREE, to, || text);
        }
    }
}

impl Flight {
    pub(super) fn of(request: RequestId, generation: u8) -> Self {
        Self {
            turn: small(request.turn.0),
            attempt: small(u32::from(request.attempt.0)),
            generation,
            stopping: false,
            is_kept: false,
            is_continued: false,
            gone: false,
        }
    }
}

impl Orders {
    /// A request has ended.
    pub(super) fn land(&mut self, flight: usize) {
        self.flights[flight] = None;
        self.flights.sort_unstable_by_key(Option::is_none);
    }

    pub(super) fn add(&mut self, flight: Flight) {
        let same = |other: &Flight| (other.turn, other.attempt) == (flight.turn, flight.attempt);
        if let Some(known) = self.flights.iter_mut().flatten().find(|other| same(other)) {
            *known = flight;
        } else if self.flights[0].is_none() {
            self.flights[0] = Some(flight);
        } else {
            // A third request at once is no worse than a second: S1 is broken already.
            self.flights[1] = Some(flight);
        }
    }

    fn tool(&mut self, call: CallId) {
        let turn = small(call.turn.0);
        if self.tools_turn != turn {
            (self.tools_turn, self.tools, self.tools_stopping, self.tools_begun) = (turn, 0, 0, 0);
        }
        self.tools |= 1 << call.index;
    }

    /// Whether something is left that was neither answered nor told to stop, or a request that is not over.
    fn is_left(&self) -> bool {
        let waits = matches!(self.start, Start::Queued | Start::Initializing);
        let flies = self.flights.iter().any(Option::is_some);
        let runs = self.tools & !self.tools_stopping != 0;
        waits
            || flies
            || runs
            || self.questions != 0
            || self.more.is_some()
            || self.budget.is_some()
            || self.backoff.is_some()
            || self.grace
            || self.stream_grace.is_some()
            || self.line.is_left()
    }

    /// What is left after a crash: which turns were sent, and what goes on without the process.
    pub(super) fn restarted(&self) -> Self {
        let is_read = self.flights.iter().flatten().any(|flight| !flight.gone);
        Self {
            sent: self.sent,
            content: self.content,
            read: if is_read { Read::Perhaps } else { self.read },
            stray: self.stray,
            line: self.line.restarted(),
            refused: self.refused,
            response: self.response,
            pot: self.pot,
            ..Self::default()
        }
    }
}
