//! What is outstanding, kept from events and effects alone: the other side of the contract of `resync`.

use downbeat_kernel::{
    CallId, Effect, Event, QuestionId, RequestEffect, RequestEvent, RequestId, RequestTimer, TaskId, Timer,
    TurnNumber,
};

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
            Event::ResponseEnded { request: RequestId { task, .. }, .. } => self.drop_send(task),
            Event::Request { task, event, .. } => self.answer_request(task, event),
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
            | Event::Spent { .. }
            | Event::MessageReceived { .. }
            | Event::PauseRequested { .. }
            | Event::ResumeRequested { .. }
            | Event::ProfileDown { .. }
            | Event::ProfileUp { .. }
            | Event::CancelRequested { .. } => {}
        }
    }

    fn answer_request(&mut self, task: TaskId, event: RequestEvent) {
        match event {
            RequestEvent::CredentialGiven { .. } | RequestEvent::CredentialFailed { .. } => {
                self.drop_orders(task, |order| matches!(order, RequestEffect::GetCredential { .. }));
            }
            RequestEvent::SendFailed { .. } | RequestEvent::Stopped { .. } => self.drop_send(task),
            RequestEvent::TimerFired { timer } => {
                self.drop_request_timer(task, timer);
                if let RequestTimer::Grace(_) = timer {
                    self.drop_send(task);
                }
            }
            RequestEvent::Began { .. }
            | RequestEvent::OutputDelivered { .. }
            | RequestEvent::ResponseEnded { .. }
            | RequestEvent::UsageReported { .. }
            | RequestEvent::ProfileDown { .. }
            | RequestEvent::ProfileUp { .. }
            | RequestEvent::PauseRequested
            | RequestEvent::ResumeRequested
            | RequestEvent::CancelRequested => {}
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
            Effect::CancelTool { call } => self.drop_tool(call),
            Effect::Request { task, turn, effect } => return self.give_request(task, turn, effect),
            Effect::Worker { .. } | Effect::Include { .. } => return,
            // Who waits for a credential when it is cancelled waits no more.
            Effect::TaskEnded { task, .. } => self.drop_orders(task, |_| true),
            Effect::Enqueue { .. }
            | Effect::Initialize { .. }
            | Effect::RunTool { .. }
            | Effect::Ask { .. }
            | Effect::Arm { .. }
            | Effect::ReportUndelivered { .. } => {}
        }
        self.0.push(effect);
    }

    fn drop_enqueue(&mut self, task: TaskId) {
        self.0.retain(|order| *order != Effect::Enqueue { task });
    }

    /// A restart asks about what was sent, and does not send it again.
    fn give_request(&mut self, task: TaskId, turn: TurnNumber, effect: RequestEffect) {
        let effect = match effect {
            RequestEffect::Send { attempt, .. } => RequestEffect::Recover { attempt },
            RequestEffect::Stop { .. } => {
                self.drop_send(task);
                effect
            }
            RequestEffect::Disarm { timer } => return self.drop_request_timer(task, timer),
            RequestEffect::Fence { .. } | RequestEffect::Charge { .. } => return,
            RequestEffect::GetCredential { .. }
            | RequestEffect::Recover { .. }
            | RequestEffect::Arm { .. }
            | RequestEffect::Ended { .. } => effect,
        };
        self.0.push(Effect::Request { task, turn, effect });
    }

    fn drop_send(&mut self, task: TaskId) {
        self.drop_orders(task, |order| {
            matches!(order, RequestEffect::Recover { .. } | RequestEffect::Stop { .. })
        });
    }

    fn drop_request_timer(&mut self, task: TaskId, timer: RequestTimer) {
        self.drop_orders(
            task,
            |order| matches!(order, RequestEffect::Arm { timer: armed, .. } if *armed == timer),
        );
    }

    fn drop_orders(&mut self, task: TaskId, is_over: impl Fn(&RequestEffect) -> bool) {
        self.0.retain(|order| {
            !matches!(order, Effect::Request { task: of, effect, .. } if *of == task && is_over(effect))
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
    let stop = matches!(order, Effect::CancelTool { .. } | Effect::AbortInitialization { .. });
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
        | Effect::Request { task, .. }
        | Effect::Worker { task, .. }
        | Effect::ReportUndelivered { task, .. }
        | Effect::TaskEnded { task, .. } => *task,
        Effect::RunTool { call } | Effect::CancelTool { call } => call.task,
        Effect::Ask { question, .. } | Effect::Withdraw { question } => question.task,
        Effect::Arm { timer, .. } | Effect::Disarm { timer } => match timer {
            Timer::Grace(task) | Timer::Budget { task, .. } => *task,
        },
    };
    of == task
}
