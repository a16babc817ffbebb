//! Whether what a model declares of its processes is true of it, in one state.

use std::fmt;

use super::{Footprint, Objects, Processes};
use crate::model::{Check, Model, Property};

/// How a declaration contradicts the model. Actions are given as their `Debug` shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// An action belongs to a process that there is not.
    UnknownProcess {
        /// The action.
        action: String,
        /// The process that it is said to belong to.
        process: usize,
    },
    /// Two enabled steps of different processes touch nothing in common, as declared, and do not commute.
    Order {
        /// A step.
        first: String,
        /// A step of another process.
        second: String,
        /// What comes of the two orders.
        order: Order,
    },
    /// A step writes nothing that another process touches or awaits next, as declared, and changes what that
    /// process can do.
    Enabling {
        /// The step.
        action: String,
        /// What it writes, as declared.
        writes: Objects,
        /// The other process.
        process: usize,
        /// What that process can do only before the step or only after it.
        changed: String,
    },
    /// A step writes nothing that another process touches or awaits next, as declared, and makes it touch more.
    NowGrows {
        /// The step.
        action: String,
        /// The other process.
        process: usize,
        /// What it touches or awaits after the step only.
        objects: Objects,
    },
    /// The next step of a process may touch what it is declared to touch at no time.
    NowBeyondLater {
        /// The process.
        process: usize,
        /// What it touches now.
        objects: Objects,
    },
    /// After a step a process may touch what it was declared to touch at no time.
    LaterGrows {
        /// The step.
        action: String,
        /// The process, perhaps the one that took the step.
        process: usize,
        /// What it did not touch before.
        objects: Objects,
    },
    /// A step writes nothing that a property sees, as declared, and yet the property depends on it.
    Unseen {
        /// The step.
        action: String,
        /// What it writes, as declared.
        writes: Objects,
        /// The id of the property.
        property: &'static str,
    },
}

/// What comes of two steps that do not commute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first cannot be taken after the second.
    SecondDisablesFirst,
    /// The second cannot be taken after the first.
    FirstDisablesSecond,
    /// The two orders lead to different states.
    Different,
}

impl fmt::Display for Dependence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownProcess { action, process } => {
                write!(f, "`{action}` is said to be taken by process {process}, which there is not")
            }
            Self::Order { first, second, order } => {
                write!(f, "`{first}` and `{second}` are declared to touch nothing in common, but ")?;
                match order {
                    Order::SecondDisablesFirst => write!(f, "`{first}` cannot be taken after `{second}`"),
                    Order::FirstDisablesSecond => write!(f, "`{second}` cannot be taken after `{first}`"),
                    Order::Different => write!(f, "the two orders lead to different states"),
                }
            }
            Self::Enabling { action, writes, process, changed } => write!(
                f,
                "process {process} is declared to touch and await nothing that `{action}` writes, {writes}, but \
                 its `{changed}` is enabled only before it or only after it"
            ),
            Self::NowGrows { action, process, objects } => write!(
                f,
                "process {process} is declared to touch and await nothing that `{action}` writes, but after it \
                 touches {objects} next"
            ),
            Self::NowBeyondLater { process, objects } => write!(
                f,
                "the next step of process {process} may touch {objects}, which it is declared to touch at no time"
            ),
            Self::LaterGrows { action, process, objects } => write!(
                f,
                "after `{action}` process {process} may touch {objects}, which it was declared to touch at no time"
            ),
            Self::Unseen { action, writes, property } => write!(
                f,
                "property `{property}` is declared to see nothing that `{action}` writes, {writes}, but depends on it"
            ),
        }
    }
}

impl std::error::Error for Dependence {}

/// Holds the declared processes of a model to what its steps do in `state`.
///
/// If it finds nothing in any reachable state, condition C1 holds in all of them, and C2 means what it says. On a
/// sample of states it is a test. It takes every pair of steps from the state.
///
/// # Errors
/// What is declared and not so; see [`Dependence`].
pub fn audit<M: Model>(model: &M, processes: &Processes<M>, state: &M::State) -> Result<(), Dependence> {
    let audit = Audit { model, processes, properties: model.properties() };
    let before = audit.look(state)?;
    for (process, (now, later)) in before.now.iter().zip(&before.later).enumerate() {
        // What is awaited is no part of what is touched later: by then the step is enabled.
        let beyond = Footprint { awaits: Objects::none(), ..now.beyond(*later) };
        if !beyond.objects().is_empty() {
            return Err(Dependence::NowBeyondLater { process, objects: beyond.objects() });
        }
    }
    for step in &before.steps {
        for other in before.steps.iter().filter(|other| other.process != step.process) {
            audit.order(&before, step, other)?;
        }
        let after = audit.look(&step.to)?;
        enabled(&before, step, &after)?;
        audit.footprints(&before, step, &after)?;
        audit.sight(state, &before, step)?;
    }
    Ok(())
}

struct Audit<'a, M: Model> {
    model: &'a M,
    processes: &'a Processes<M>,
    properties: Vec<Property<M>>,
}

/// What is declared of a state, and its steps.
struct Looked<M: Model> {
    now: Vec<Footprint>,
    later: Vec<Footprint>,
    steps: Vec<Step<M>>,
}

struct Step<M: Model> {
    action: M::Action,
    process: usize,
    to: M::State,
}

impl<M: Model> Step<M> {
    fn name(&self) -> String {
        format!("{:?}", self.action)
    }
}

impl<M: Model> Audit<'_, M> {
    fn look(&self, state: &M::State) -> Result<Looked<M>, Dependence> {
        let (model, processes) = (self.model, self.processes);
        let mut actions = Vec::new();
        model.actions(state, &mut actions);
        let mut steps = Vec::new();
        for action in actions {
            let process = (processes.of_action)(model, &action);
            if process >= processes.count {
                return Err(Dependence::UnknownProcess { action: format!("{action:?}"), process });
            }
            if let Some(to) = model.next(state, &action) {
                steps.push(Step { action, process, to });
            }
        }
        let all = 0..processes.count;
        let now = all.clone().map(|process| (processes.now)(model, state, process)).collect();
        let later = all.map(|process| (processes.later)(model, state, process)).collect();
        Ok(Looked { now, later, steps })
    }

    /// Whether the footprints after a step are those that the ones before it admit.
    fn footprints(&self, before: &Looked<M>, step: &Step<M>, after: &Looked<M>) -> Result<(), Dependence> {
        let writes = before.now[step.process].writes;
        for process in 0..self.processes.count {
            let grown = after.later[process].beyond(before.later[process]);
            let grown = grown.reads | grown.writes;
            if !grown.is_empty() {
                return Err(Dependence::LaterGrows { action: step.name(), process, objects: grown });
            }
            let untouched = process != step.process && !writes.meets(before.now[process].objects());
            let grown = after.now[process].beyond(before.now[process]).objects();
            if untouched && !grown.is_empty() {
                return Err(Dependence::NowGrows { action: step.name(), process, objects: grown });
            }
        }
        Ok(())
    }

    /// Whether two steps commute if they are declared to.
    fn order(&self, before: &Looked<M>, first: &Step<M>, second: &Step<M>) -> Result<(), Dependence> {
        if before.now[first.process].conflicts(before.now[second.process]) {
            return Ok(());
        }
        let fault = |order| Dependence::Order { first: first.name(), second: second.name(), order };
        let one_way = self.model.next(&first.to, &second.action);
        let one_way = one_way.ok_or_else(|| fault(Order::FirstDisablesSecond))?;
        let other_way = self.model.next(&second.to, &first.action);
        let other_way = other_way.ok_or_else(|| fault(Order::SecondDisablesFirst))?;
        if one_way != other_way {
            return Err(fault(Order::Different));
        }
        Ok(())
    }

    /// Whether the properties that are declared not to see a step do not depend on it.
    fn sight(&self, state: &M::State, before: &Looked<M>, step: &Step<M>) -> Result<(), Dependence> {
        let writes = before.now[step.process].writes;
        let unseen = |property: &&Property<M>| !writes.meets((self.processes.sees)(property.id));
        for property in self.properties.iter().filter(unseen) {
            let of_state = |state| self.of_state(property, state);
            let others = || before.steps.iter().filter(|other| other.process != step.process);
            let same_of_state = of_state(state) == of_state(&step.to);
            let none_of_step = self.of_step(property, state, &step.action, &step.to) == (true, false);
            let same_of_others =
                others().all(|other| self.same_of_step(property, state, before, step, other));
            if !(same_of_state && none_of_step && same_of_others) {
                let (action, property) = (step.name(), property.id);
                return Err(Dependence::Unseen { action, writes, property });
            }
        }
        Ok(())
    }

    /// What the predicates of a property of states say; liveness and deadlocks are nothing that one sees.
    fn of_state(&self, property: &Property<M>, state: &M::State) -> (bool, bool) {
        match property.check {
            Check::Always { holds, reachable } => (holds(self.model, state), reachable(self.model, state)),
            Check::Sometimes(holds) => (holds(self.model, state), false),
            Check::AlwaysStep { .. } | Check::NoDeadlock | Check::LeadsTo { .. } | Check::Eventually(_) => {
                (true, false)
            }
        }
    }

    /// What the predicates of a property of steps say: that it holds, and that the step is one of the antecedent.
    fn of_step(
        &self,
        property: &Property<M>,
        before: &M::State,
        action: &M::Action,
        after: &M::State,
    ) -> (bool, bool) {
        match property.check {
            Check::AlwaysStep { holds, reachable } => {
                (holds(self.model, before, action, after), reachable(self.model, before, action, after))
            }
            Check::Always { .. }
            | Check::Sometimes(_)
            | Check::NoDeadlock
            | Check::LeadsTo { .. }
            | Check::Eventually(_) => (true, false),
        }
    }

    /// Whether a property says the same of another step before and after a step that it does not see.
    fn same_of_step(
        &self,
        property: &Property<M>,
        state: &M::State,
        before: &Looked<M>,
        step: &Step<M>,
        other: &Step<M>,
    ) -> bool {
        if before.now[step.process].conflicts(before.now[other.process]) {
            return true;
        }
        // That the two commute is looked at elsewhere.
        let Some(both) = self.model.next(&step.to, &other.action) else { return true };
        self.of_step(property, state, &other.action, &other.to)
            == self.of_step(property, &step.to, &other.action, &both)
    }
}

/// Whether a step leaves alone what the processes can do that it is declared to leave alone.
fn enabled<M: Model>(before: &Looked<M>, step: &Step<M>, after: &Looked<M>) -> Result<(), Dependence> {
    let writes = before.now[step.process].writes;
    let untouched = |process: usize| process != step.process && !writes.meets(before.now[process].objects());
    let lacks = |steps: &[Step<M>], wanted: &Step<M>| {
        untouched(wanted.process) && steps.iter().all(|step| step.action != wanted.action)
    };
    let gone = before.steps.iter().find(|wanted| lacks(&after.steps, wanted));
    let come = || after.steps.iter().find(|wanted| lacks(&before.steps, wanted));
    match gone.or_else(come) {
        None => Ok(()),
        Some(changed) => Err(Dependence::Enabling {
            action: step.name(),
            writes,
            process: changed.process,
            changed: changed.name(),
        }),
    }
}
