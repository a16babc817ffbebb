//! Everything that may happen in a state, and what may not be put off for ever.

use downbeat_kernel::Standing;
use downbeat_sim::model::Fairness;

use super::act::{Act, Action, AskAct, FleetAct, PostAct, TaskAct, VaultAct, WishAct, WorkerAct};
use super::agents::AGENTS;
use super::scenario::{Budget, Scenario};
use super::state::{State, id, index};
use super::step::Step;
use super::{Fault, SubtaskTree};
use crate::watch::{TASKS, TaskIndex};
use downbeat_wiring::{Hearers, Machine, may_forget, root_of};

impl SubtaskTree {
    /// Takes every step from a state: each act, and after it each crash while the effects of its machine are released.
    pub(super) fn each_step(&self, state: &State, mut take: impl FnMut(&Action, State)) {
        for act in self.acts(state) {
            let mut step = Step::new(self, state, None);
            let action = Action { act, cut: None };
            if step.take(action).is_none() {
                continue;
            }
            let effects = step.effects;
            take(&action, step.fold());
            if state.left.of(Budget::Crashes) == 0 || act == Act::Crash {
                continue;
            }
            for cut in 0..effects {
                let action = Action { act, cut: Some(cut) };
                let mut step = Step::new(self, state, None);
                if step.take(action).is_some() {
                    take(&action, step.fold());
                }
            }
        }
    }

    fn acts(&self, state: &State) -> Vec<Act> {
        let mut acts = Vec::new();
        let (tables, scenario) = (&self.tables, &self.scenario);
        let (tree, vault, desk) =
            (&tables.tree[state.tree], &tables.vault[state.vault], &tables.desk[state.desk]);
        let mut may = |act: Act| {
            if act.budget().is_none_or(|budget| state.left.of(budget) > 0) {
                acts.push(act);
            }
        };
        for machine in Machine::ALL {
            if desk.words.iter().any(|word| word.to() == machine) {
                may(Act::Take(machine));
            }
        }
        tree.acts(scenario, vault, &mut |act| may(Act::Tree(act)));
        for task in 0..tree.born() {
            if self.may_forget(state, task) {
                may(Act::Tree(TaskAct::Forget(task)));
            }
            tree.worker_acts(scenario, task, &mut |act| may(Act::Worker(act)));
        }
        if scenario.credential {
            vault.acts(scenario.sibling, &mut |act| may(Act::Vault(act)));
        }
        if scenario.agents > 0 {
            let fleet = &tables.fleet[state.fleet];
            fleet.acts(&mut |act| may(Act::Fleet(act)));
            // What the pool forgets, nobody will submit again.
            for (root, booking) in fleet.pool.tasks() {
                let is_over =
                    matches!(booking.standing, Standing::Ended(_)) && tree.kernel.task(root).is_none();
                let is_said = desk.pool_ended >> index(root) & 1 == 1;
                if is_over && is_said {
                    may(Act::Fleet(FleetAct::ForgetPlace(index(root))));
                }
            }
        }
        if scenario.outbox {
            tables.post[state.post].acts(&mut |act| may(Act::Post(act)));
        }
        if scenario.has_questions() {
            tables.asking[state.asking].acts(&tables.fleet[state.fleet], &mut |act| may(Act::Ask(act)));
        }
        if scenario.retry {
            let wish = &tables.wish[state.wish];
            wish.acts(&mut |act| {
                let is_early = act == WishAct::Conclude && self.lacks_conclusion(state);
                if !is_early {
                    may(Act::Wish(act));
                }
            });
        }
        // Where a grant would go unheard, S15 rests on there being no crash.
        if !vault.is_owed_a_grant() {
            may(Act::Crash);
        }
        acts
    }

    fn lacks_conclusion(&self, state: &State) -> bool {
        self.scenario.outbox && self.tables.post[state.post].outbox.conclusion.is_none()
    }

    /// Whether the end of a task may be put on record in the tree.
    pub(super) fn may_forget(&self, state: &State, task: TaskIndex) -> bool {
        let (tables, scenario) = (&self.tables, &self.scenario);
        let tree = &tables.tree[state.tree];
        if !tree.of(task).ended {
            return false;
        }
        if root_of(&tree.kernel, id(task)) != id(task) || self.has(Fault::ForgetsAtOnce) {
            return true;
        }
        let is_told = scenario.outbox && !scenario.retry && task == 0;
        let hearers = Hearers {
            pool: (scenario.agents > 0).then(|| &tables.fleet[state.fleet].pool),
            outbox: is_told.then(|| &tables.post[state.post].outbox),
            retry: scenario.retry.then(|| &tables.wish[state.wish].retry),
            questions: (scenario.has_questions() && task == 0)
                .then(|| &tables.asking[state.asking].questions),
        };
        let desk = &tables.desk[state.desk];
        let is_on_way = desk.words.iter().any(|word| word.is_for_place_of(id(task)));
        may_forget(id(task), hearers, &desk.record, is_on_way)
    }
}

/// Whether an act is one that some fairness includes.
type Includes = fn(Act, u8) -> bool;

/// What is ordered of a task is done at some time, what is said comes there, timers run out. People need not act, and what was
/// told to stop need not answer; nothing need fail, get lost, crash, or come early.
const OF_TASKS: [(&str, Includes); 13] = [
    ("gets its place", |act, task| act == Act::Tree(TaskAct::Admit(task))),
    (
        "is made ready",
        |act, task| matches!(act, Act::Tree(TaskAct::Initialize(of) | TaskAct::FailToInitialize(of)) | Act::Worker(WorkerAct::Deploy(of)) if of == task),
    ),
    ("has its request ended", |act, task| {
        matches!(
            act,
            Act::Tree(TaskAct::Respond(of, _) | TaskAct::Fail(of, _) | TaskAct::Refuse(of) | TaskAct::Lost(of))
                if of == task
        )
    }),
    ("has its tool ended", |act, task| act == Act::Tree(TaskAct::ToolEnds(task))),
    ("has its backoff timer fired", |act, task| act == Act::Tree(TaskAct::Backoff(task))),
    ("has its grace timer fired", |act, task| act == Act::Tree(TaskAct::Grace(task))),
    ("has the grace timer of its request fired", |act, task| act == Act::Tree(TaskAct::StreamGrace(task))),
    ("has its end put on record", |act, task| act == Act::Tree(TaskAct::Forget(task))),
    ("has the end of its lost iterator said", |act, task| act == Act::Worker(WorkerAct::StopIterator(task))),
    ("has the time to stop over", |act, task| act == Act::Worker(WorkerAct::ElapseStop(task))),
    ("has the wait of its worker over", |act, task| act == Act::Worker(WorkerAct::ElapseRetry(task))),
    ("has its worker finish", |act, task| act == Act::Worker(WorkerAct::Finish(task))),
    ("is forgotten by the pool", |act, task| act == Act::Fleet(FleetAct::ForgetPlace(task))),
];

/// An agent that runs a worker starts and answers at some time; or, where it owes nothing, its silence is seen.
const OF_WORKER: (&str, Includes) = ("has its iterator started or answered", |act, task| {
    matches!(
        act,
        Act::Worker(WorkerAct::StartIterator(of) | WorkerAct::AnswerPrompt(of) | WorkerAct::EndIterator(of))
            if of == task
    )
});
const OF_SILENT_WORKER: (&str, Includes) =
    ("has the silence of its agent seen", |act, task| act == Act::Worker(WorkerAct::ElapseWatch(task)));

const OF_AGENTS: [(&str, Includes); 5] = [
    ("starts", |act, agent| act == Act::Fleet(FleetAct::Start(agent))),
    ("is removed", |act, agent| act == Act::Fleet(FleetAct::Remove(agent))),
    ("stops", |act, agent| act == Act::Fleet(FleetAct::StopWork(agent))),
    ("is cleaned", |act, agent| act == Act::Fleet(FleetAct::Clean(agent))),
    ("has its timer fired", |act, agent| act == Act::Fleet(FleetAct::ElapseAgent(agent))),
];

const OF_ALL: [(&str, Includes); 15] = [
    ("the store answers a question", |act, _| {
        matches!(act, Act::Vault(VaultAct::Find | VaultAct::FindNothing))
    }),
    ("a write comes to the store", |act, _| act == Act::Vault(VaultAct::Land)),
    ("the store answers a write", |act, _| {
        matches!(act, Act::Vault(VaultAct::Store | VaultAct::FailToStore))
    }),
    ("a refresh comes to the server", |act, _| {
        matches!(act, Act::Vault(VaultAct::Serve | VaultAct::FailToRefresh))
    }),
    ("what the server says is heard", |act, _| act == Act::Vault(VaultAct::Hear)),
    ("an order of before a crash is looked up", |act, _| act == Act::Vault(VaultAct::Recover)),
    ("the timer of the credential fires", |act, _| act == Act::Vault(VaultAct::ElapseOrder)),
    ("the sibling goes on", |act, _| {
        matches!(act, Act::Vault(VaultAct::SiblingRefreshes | VaultAct::SiblingStores))
    }),
    ("the timer of the outbox fires", |act, _| act == Act::Post(PostAct::ElapsePost)),
    ("what is given up is put on record", |act, _| act == Act::Post(PostAct::RecordUndelivered)),
    ("the next attempt is due", |act, _| act == Act::Wish(WishAct::ElapseWait)),
    ("the end of the attempts is put on record", |act, _| act == Act::Wish(WishAct::Conclude)),
    ("an agent says what it asks", |act, _| act == Act::Ask(AskAct::Say)),
    ("whoever was asked says that the question is over", |act, _| act == Act::Ask(AskAct::Shut)),
    ("the agent is told the end of its question", |act, _| act == Act::Ask(AskAct::Learn)),
];

/// What may not be put off for ever.
pub(super) fn fairness(scenario: &Scenario) -> Vec<Fairness<SubtaskTree>> {
    let of_worker = if scenario.silent { OF_SILENT_WORKER } else { OF_WORKER };
    let mut all = Vec::new();
    let mut fair = |name: String, includes: Includes, of: u8| {
        all.push(Fairness::weak(name, move |action: &Action| {
            action.cut.is_none() && includes(action.act, of)
        }));
    };
    for (at, machine) in (0..).zip(Machine::ALL) {
        fair(
            format!("what is said to {} comes there", super::words::machine(machine)),
            |act, at| act == Act::Take(Machine::ALL[usize::from(at)]),
            at,
        );
    }
    for task in (0..).take(TASKS) {
        for (name, includes) in OF_TASKS.into_iter().chain([of_worker]) {
            fair(format!("task {} {name}", task + 1), includes, task);
        }
    }
    for agent in (0..).take(AGENTS) {
        for (name, includes) in OF_AGENTS {
            fair(format!("agent {} {name}", agent + 1), includes, agent);
        }
    }
    for (name, includes) in OF_ALL {
        fair(name.to_owned(), includes, 0);
    }
    all
}
