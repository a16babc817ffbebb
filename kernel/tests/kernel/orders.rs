//! What is outstanding, kept from events and effects alone: the other side of the contract of `resync`.

use downbeat_kernel::{CallId, Effect, Event, QuestionId, RequestId, TaskId, Timer};

/// The orders that have no answer yet and that no later order has made void, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders(Vec<Effect>);

impl Orders {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Effect> {
        self.0.iter()
    }

    pub(crate) fn sorted(&self) -> Vec<Effect> {
        let mut orders = self.0.clone();
        orders.sort_unstable();
        orders
    }

    /// An event that was applied, and what it gave.
    pub(crate) fn note(&mut self, event: &Event, effects: &[Effect]) {
        self.answer(event);
        for effect in effects {
            self.give(*effect);
        }
    }

    fn answer(&mut self, event: &Event) {
        match *event {
            Event::Admitted { task } => self.drop_enqueue(task),
            Event::Initialized { task }
            | Event::Deployed { task }
            | Event::InitializationFailed { task } => self.0.retain(|order| {
                !matches!(order, Effect::Initialize { task: of } | Effect::AbortInitialization { task: of }
                    if *of == task)
            }),
            Event::ResponseEnded { request, .. }
            | Event::RequestFailed { request, .. }
            | Event::RequestCancelled { request } => self.drop_request(request),
            Event::ToolEnded { call, .. } => self.drop_tool(call),
            Event::AnswerReceived { question, .. } => self.drop_question(question),
            Event::TimerFired { timer } => {
                self.drop_timer(timer);
                if let Timer::Grace(task) = timer {
                    self.0.retain(|order| !stops(order, task));
                }
            }
            Event::EndAcknowledged { task } => self.0.retain(|order| !concerns(order, task)),
            // What a worker has outstanding is tested where the worker is.
            Event::Worker { .. }
            | Event::SubtaskRequested { .. }
            | Event::TaskSubmitted { .. }
            | Event::MessageReceived { .. }
            | Event::PauseRequested { .. }
            | Event::ResumeRequested { .. }
            | Event::CancelRequested { .. } => {}
        }
    }

    fn give(&mut self, effect: Effect) {
        match effect {
            Effect::Dequeue { task } => return self.drop_enqueue(task),
            Effect::Withdraw { question } => return self.drop_question(question),
            Effect::Disarm { timer } => return self.drop_timer(timer),
            Effect::AbortInitialization { task } => {
                self.0.retain(|order| *order != Effect::Initialize { task });
            }
            Effect::CancelRequest { request } => self.drop_request(request),
            Effect::CancelTool { call } => self.drop_tool(call),
            Effect::Worker { .. } => return,
            Effect::Enqueue { .. }
            | Effect::Initialize { .. }
            | Effect::Include { .. }
            | Effect::Send { .. }
            | Effect::RunTool { .. }
            | Effect::Ask { .. }
            | Effect::Arm { .. }
            | Effect::ReportUndelivered { .. }
            | Effect::TaskEnded { .. } => {}
        }
        self.0.push(effect);
    }

    fn drop_enqueue(&mut self, task: TaskId) {
        self.0.retain(|order| *order != Effect::Enqueue { task });
    }

    fn drop_request(&mut self, request: RequestId) {
        let over = [Effect::Send { request }, Effect::CancelRequest { request }];
        self.0.retain(|order| {
            let part = matches!(order, Effect::Include { task, .. } if *task == request.task);
            !part && !over.contains(order)
        });
    }

    fn drop_tool(&mut self, call: CallId) {
        self.0.retain(|order| *order != Effect::RunTool { call } && *order != Effect::CancelTool { call });
    }

    fn drop_question(&mut self, question: QuestionId) {
        self.0.retain(|order| !matches!(order, Effect::Ask { question: asked, .. } if *asked == question));
    }

    fn drop_timer(&mut self, timer: Timer) {
        self.0.retain(|order| !matches!(order, Effect::Arm { timer: armed, .. } if *armed == timer));
    }
}

/// Whether the order is to stop work of this task.
fn stops(order: &Effect, task: TaskId) -> bool {
    let stop = matches!(
        order,
        Effect::CancelTool { .. } | Effect::CancelRequest { .. } | Effect::AbortInitialization { .. }
    );
    stop && concerns(order, task)
}

/// The task that an order concerns.
pub(crate) fn concerns(order: &Effect, task: TaskId) -> bool {
    let of = match order {
        Effect::Enqueue { task }
        | Effect::Dequeue { task }
        | Effect::Initialize { task }
        | Effect::AbortInitialization { task }
        | Effect::Include { task, .. }
        | Effect::Worker { task, .. }
        | Effect::ReportUndelivered { task, .. }
        | Effect::TaskEnded { task, .. } => *task,
        Effect::Send { request } | Effect::CancelRequest { request } => request.task,
        Effect::RunTool { call } | Effect::CancelTool { call } => call.task,
        Effect::Ask { question, .. } | Effect::Withdraw { question } => question.task,
        Effect::Arm { timer, .. } | Effect::Disarm { timer } => match timer {
            Timer::Backoff(request) => request.task,
            Timer::Grace(task) => *task,
        },
    };
    of == task
}
