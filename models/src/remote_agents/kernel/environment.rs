//! What may happen in a state, and what may not be put off for ever.

use downbeat_kernel::{AgentState, Outcome, Renewal, WorkEnd};
use downbeat_sim::model::Fairness;

use super::super::ledger::{AgentIndex, Job, Stage, TASKS, TaskIndex};
use super::super::owners::Course;
use super::KernelModel;
use super::act::{Act, Action};
use super::state::{AGENTS, Container, Message, Order, Outside, Report, State, agent_id, job};

impl KernelModel {
    /// Every act, and each crash while its orders go out.
    pub(super) fn enabled(&self, state: &State, actions: &mut Vec<Action>) {
        let mut may = |act: Act| {
            let is_event = act.event(&self.scenario, state).is_some();
            if is_event && state.is_slow() {
                return;
            }
            let mut goes = |course| actions.push(Action { act, course });
            goes(Course::Whole);
            if let Some(orders) = self.orders(state, act) {
                if state.left.crashes > 0 {
                    (0..orders).for_each(|kept| goes(Course::Crash(kept)));
                }
                if state.left.owners > 0 {
                    goes(Course::Slow);
                }
            }
        };
        self.of_users(state, &mut may);
        for agent in state.agents() {
            of_container(state, agent, &mut may);
            of_timer(state, agent, &mut may);
        }
        for message in state.network.iter() {
            of_message(state, message, &mut may);
        }
        if state.left.crashes > 0 {
            may(Act::Crash);
        }
        self.of_owners(state, &mut may);
    }

    /// How many orders an act has the pool give, if that takes notice of it.
    fn orders(&self, state: &State, act: Act) -> Option<u8> {
        if state.left.crashes + state.left.owners == 0 {
            return None;
        }
        let (mut pool, mut orders) = (state.pool.clone(), 0);
        match pool.step(act.event(&self.scenario, state)?, &mut |_| orders += 1) {
            Outcome::Applied => Some(orders),
            Outcome::Ignored(_) | Outcome::Rejected(_) => None,
        }
    }

    fn of_users(&self, state: &State, may: &mut impl FnMut(Act)) {
        let known = state.ledger.tasks().take(self.scenario.tasks.into());
        for (task, known) in known {
            if known.stage == Stage::Absent {
                return may(Act::Submit(task));
            }
            if state.is_acknowledged(task) {
                continue;
            }
            may(Act::SubmitAgain(task));
            if state.left.cancels > 0 {
                may(Act::Cancel(task));
            }
            match state.ends[usize::from(task)] {
                Some(end) if known.told == Some(end) => may(Act::Acknowledge(task)),
                Some(_) => may(Act::Tell(task)),
                None => {}
            }
        }
    }
}

/// What may happen to a container, and what its agent may do.
fn of_container(state: &State, agent: AgentIndex, may: &mut impl FnMut(Act)) {
    let Outside { container, is_ordered, is_to_go, .. } = *state.outside(agent);
    let left = state.left;
    let may_say = |report: Report| !state.network.has(Message::From(agent, report));
    match container {
        Container::Absent if is_ordered => {
            may(Act::Start(agent));
            if left.failures > 0 {
                may(Act::FailToStart(agent));
            }
        }
        Container::Up(work) => {
            match work {
                Some(job) => of_work(state, agent, job, may),
                None if state.known(agent).is_none() && may_say(Report::Started) => may(Act::Hello(agent)),
                None => {}
            }
            if left.deaths > 0 {
                may(Act::Die(agent));
            }
        }
        Container::Dead => may(Act::Find(agent)),
        Container::Absent | Container::Gone => {}
    }
    if is_to_go {
        may(Act::Remove(agent));
    }
    if left.drains > 0 && state.known(agent).is_some() {
        may(Act::Drain(agent));
    }
}

fn of_work(state: &State, agent: AgentIndex, job: Job, may: &mut impl FnMut(Act)) {
    may(Act::Finish(agent, WorkEnd::Completed));
    if state.left.returns > 0 {
        may(Act::Finish(agent, WorkEnd::Failed));
        may(Act::Finish(agent, WorkEnd::Returned));
    }
    if state.left.beats > 0 && !state.network.has(Message::From(agent, Report::Heartbeat(job))) {
        may(Act::Beat(agent));
    }
}

fn of_timer(state: &State, agent: AgentIndex, may: &mut impl FnMut(Act)) {
    if state.outside(agent).armed.is_some() {
        if !is_awaited(state, agent) {
            may(Act::Elapse(agent));
        } else if state.left.early > 0 {
            may(Act::ElapseEarly(agent));
        }
    }
    let Some(known) = state.pool.agent(agent_id(agent)) else { return };
    let last = u8::try_from(known.timer).unwrap_or(u8::MAX);
    may(Act::ElapseVoid(agent, last.saturating_add(1)));
    if last > 1 {
        may(Act::ElapseVoid(agent, last - 1));
    }
}

/// Whether something is under way that what a timer waits for may come of.
fn is_awaited(state: &State, agent: AgentIndex) -> bool {
    let Outside { container, is_ordered, .. } = *state.outside(agent);
    let is_up = matches!(container, Container::Up(_));
    let comes = |order: Order| is_up && state.network.has(Message::To(agent, order));
    let was_said = |is_it: &dyn Fn(Report) -> bool| {
        state.is_under_way(
            |message| matches!(message, Message::From(of, report) if of == agent && is_it(report)),
        )
    };
    match state.known(agent) {
        Some(AgentState::Provisioning) => {
            is_ordered && container == Container::Absent || was_said(&|report| report == Report::Started)
        }
        // With a heartbeat since, it is armed again.
        Some(
            AgentState::Busy { renewal: Renewal::Renewed, .. }
            | AgentState::Draining { renewal: Renewal::Renewed, .. },
        ) => false,
        Some(AgentState::Busy { lease, .. } | AgentState::Draining { lease, .. }) => {
            let of = job(lease);
            container == Container::Up(Some(of))
                || comes(Order::Assign(of))
                || comes(Order::Stop(of))
                || was_said(&|report| matches!(report, Report::WorkEnded(ended, _) if ended == of))
        }
        Some(AgentState::Cleaning { lease }) => {
            let of = job(lease);
            comes(Order::Clean(of)) || was_said(&|report| report == Report::Cleaned(of))
        }
        Some(AgentState::Failed | AgentState::Idle(_) | AgentState::Leaving) | None => false,
    }
}

fn of_message(state: &State, message: Message, may: &mut impl FnMut(Act)) {
    let mut arrive = |act: &dyn Fn(bool) -> Act| {
        may(act(false));
        if state.left.duplicates > 0 {
            may(act(true));
        }
    };
    match message {
        Message::To(agent, order) => match state.outside(agent).container {
            Container::Up(_) | Container::Dead | Container::Gone => {
                arrive(&|again| Act::Receive(agent, order, again));
            }
            Container::Absent => {}
        },
        Message::From(agent, report) => arrive(&|again| Act::Hear(agent, report, again)),
    }
    if state.left.losses > 0 {
        may(Act::Lose(message));
    }
}

/// What was ordered is done, what was sent and not lost arrives, work comes to its end, timers run out, users are told, and
/// whoever owns the pool goes on. One that was replaced need never wake up.
/// Nobody need submit, cancel, fail, die, find who is dead, or want anybody to go; nothing need get lost, come early, come
/// twice or crash.
pub(super) fn fairness() -> Vec<Fairness<KernelModel>> {
    let mut all = Vec::new();
    let mut fair = |name: String, includes: Box<dyn Fn(Act) -> bool + Send + Sync>| {
        all.push(Fairness::weak(name, move |action: &Action| {
            action.course == Course::Whole && includes(action.act)
        }));
    };
    fair("a slow process goes on".to_owned(), Box::new(|act| matches!(act, Act::Record | Act::Release)));
    for task in (0..).take(TASKS) {
        let number: TaskIndex = task + 1;
        fair(
            format!("the user is told how task {number} ended"),
            Box::new(move |act| act == Act::Tell(task)),
        );
        fair(
            format!("that is put on record of task {number}"),
            Box::new(move |act| act == Act::Acknowledge(task)),
        );
    }
    for agent in (0..).take(AGENTS) {
        of_one_agent(agent, &mut fair);
    }
    all
}

fn of_one_agent(agent: AgentIndex, fair: &mut impl FnMut(String, Box<dyn Fn(Act) -> bool + Send + Sync>)) {
    let number = agent + 1;
    fair(format!("agent {number} starts"), Box::new(move |act| act == Act::Start(agent)));
    fair(format!("agent {number} is removed"), Box::new(move |act| act == Act::Remove(agent)));
    fair(format!("agent {number} says that it is there"), Box::new(move |act| act == Act::Hello(agent)));
    fair(
        format!("agent {number} ends its work"),
        Box::new(move |act| matches!(act, Act::Finish(of, _) if of == agent)),
    );
    fair(
        format!("what is sent to agent {number} arrives"),
        Box::new(move |act| matches!(act, Act::Receive(to, ..) if to == agent)),
    );
    fair(
        format!("what agent {number} says is heard"),
        Box::new(move |act| matches!(act, Act::Hear(from, ..) if from == agent)),
    );
    fair(format!("the timer of agent {number} runs out"), Box::new(move |act| act == Act::Elapse(agent)));
}
