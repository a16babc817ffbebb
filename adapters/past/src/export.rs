//! The events of one tree of tasks, by themselves.
//!
//! Trees do not touch each other, so that the events of one lead to the same without the others. That is not taken for granted: they are
//! played, and a tree that comes to something else is not exported.

use crate::error::PastError;
use crate::expression::of_state;
use crate::follow::Follow;
use crate::settings::changed;
use downbeat_kernel::{Budget, Config, Discard, Event, Kernel, Outcome, Record, TaskId, TaskState};
use downbeat_shell::{OnRecord, Recorded};
use downbeat_store::Position;
use downbeat_wiring::root_of;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The events of a tree up to some line, and what they lead to.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) root: TaskId,
    /// The number of the last line that was read.
    pub(crate) until: u64,
    pub(crate) config: Config,
    pub(crate) events: Vec<Record>,
    pub(crate) states: Vec<(TaskId, TaskState)>,
    /// Orders that a restart repeats.
    pub(crate) outstanding: usize,
}

/// The root of the tree that has a task.
pub(crate) async fn root_in(follow: &mut Follow<'_>, task: TaskId) -> Result<TaskId, PastError> {
    while let Some(line) = follow.next().await? {
        follow.take(line)?;
        let kernel = follow.replay().kernel();
        if kernel.task(task).is_some() {
            return Ok(root_of(kernel, task));
        }
    }
    Err(PastError::NoTask { task, compacted: follow.compacted() })
}

impl Tree {
    /// Reads the tree of a root.
    pub(crate) async fn read(follow: &mut Follow<'_>, root: TaskId) -> Result<Self, PastError> {
        let config = *follow.replay().kernel().config();
        let (mut own, mut members) = (Kernel::new(config), BTreeSet::from([root]));
        let (mut events, mut budgets) = (Vec::new(), BTreeMap::new());
        while let Some(line) = follow.next().await? {
            if let Recorded::Attempted { task, budget, .. } = line.entry.event {
                budgets.insert(task, budget);
            }
            let told = events_of(&line, &budgets).into_iter().filter(|event| {
                let named = of(line.at, event.clone()).task();
                named.is_none_or(|task| members.contains(&task))
            });
            for event in told.collect::<Vec<_>>() {
                let is_for_all = matches!(event, Event::ProfileDown { .. } | Event::ProfileUp { .. });
                match own.step(event.clone(), &mut Discard) {
                    Outcome::Applied => events.push(Record::from(event)),
                    // Nobody in this tree hears of it.
                    Outcome::Ignored(_) | Outcome::Rejected(_) if is_for_all => {}
                    Outcome::Ignored(_) | Outcome::Rejected(_) => {
                        return Err(PastError::NotByItself { root, task: root });
                    }
                }
            }
            members.extend(own.tasks().map(|task| task.id));
            follow.take(line)?;
        }
        let all = follow.replay().kernel();
        if let Some(task) = members.into_iter().find(|task| own.task(*task) != all.task(*task)) {
            return Err(PastError::NotByItself { root, task });
        }
        let mut outstanding = Vec::new();
        own.resync(&mut outstanding);
        let states = own.tasks().map(|task| (task.id, task.state)).collect();
        let (until, outstanding) = (follow.counts().last, outstanding.len());
        Ok(Self { root, until, config, events, states, outstanding })
    }

    /// A test that plays them.
    pub(crate) fn test(&self) -> Result<String, serde_json::Error> {
        let Self { root: TaskId(root), until, .. } = *self;
        let mut text = format!(
            "//! The tree of task {root} of a journal, up to line {until}, played into a kernel. Exported by `downbeat replay --export test`.\n\n"
        );
        let states: Vec<_> = self.states.iter().map(|(task, state)| (task.0, of_state(*state))).collect();
        let names = ["End", "Held", "Outstanding", "Reason", "RequestReason", "WorkerReason"];
        let is_named = |name: &&str| states.iter().any(|(_, state)| state.contains(&format!("{name}::")));
        let always = ["Config", "Discard", "Event", "Kernel", "Outcome", "Record", "TaskId", "TaskState"];
        let mut names: Vec<_> = names.into_iter().filter(is_named).chain(always).collect();
        names.sort_unstable();
        let mut add = |piece: std::fmt::Arguments<'_>| {
            // Nothing fails that is written to memory.
            let _ = text.write_fmt(piece);
        };
        add(format_args!("#[rustfmt::skip]\nuse downbeat_kernel::{{{}}};\n\n", names.join(", ")));
        add(format_args!(
            "/// The events, as they were on record, without the words of people and models.\n"
        ));
        add(format_args!("const EVENTS: &str = r#\"\n"));
        for event in &self.events {
            add(format_args!("{}\n", serde_json::to_string(event)?));
        }
        add(format_args!("\"#;\n\n"));
        add(format_args!(
            "/// The settings that they were taken under.\n#[rustfmt::skip]\nfn config() -> Config {{\n"
        ));
        match &changed(&self.config)[..] {
            [] => add(format_args!("    Config::default()\n")),
            changed => {
                add(format_args!("    Config {{\n"));
                for (name, value) in changed {
                    add(format_args!("        {name}: {value},\n"));
                }
                add(format_args!("        ..Config::default()\n    }}\n"));
            }
        }
        add(format_args!(
            "}}\n\n#[test]\n#[rustfmt::skip]\nfn tree_of_task_{root}_comes_to_what_it_came_to() {{\n"
        ));
        add(format_args!("    let mut kernel = Kernel::new(config());\n"));
        add(format_args!("    for line in EVENTS.lines().filter(|line| !line.is_empty()) {{\n"));
        add(format_args!("        let record: Record = serde_json::from_str(line).expect(line);\n"));
        add(format_args!(
            "        assert_eq!(kernel.step(Event::from(record), &mut Discard), Outcome::Applied, \"{{line}}\");\n"
        ));
        add(format_args!("        assert_eq!(kernel.validate(), Ok(()), \"{{line}}\");\n    }}\n"));
        add(format_args!(
            "    let states: Vec<(TaskId, TaskState)> = kernel.tasks().map(|task| (task.id, task.state)).collect();\n"
        ));
        add(format_args!("    let expected: &[(TaskId, TaskState)] = &[\n"));
        for (task, state) in states {
            add(format_args!("        (TaskId({task}), {state}),\n"));
        }
        add(format_args!("    ];\n    assert_eq!(states, expected);\n"));
        add(format_args!("    let mut outstanding = Vec::new();\n    kernel.resync(&mut outstanding);\n"));
        add(format_args!(
            "    assert_eq!(outstanding.len(), {}, \"{{outstanding:?}}\");\n}}\n",
            self.outstanding
        ));
        Ok(text)
    }
}

/// An event as a line of a journal, which says what it is about.
fn of(at: Position, event: Event) -> OnRecord {
    let entry = downbeat_shell::Entry { at_ms: 0, event: event.into(), bill: None, text: Vec::new() };
    OnRecord { at, entry }
}

/// What a line tells the tree of tasks. Each attempt at a task has the whole of its budget.
fn events_of(line: &OnRecord, budgets: &BTreeMap<TaskId, Budget>) -> Vec<Event> {
    let bill = line.entry.bill.map(Event::from);
    let event = match line.entry.event.clone() {
        Recorded::Tree(record) => Some(Event::from(record)),
        Recorded::Submitted { task, budget, .. } | Recorded::Attempted { task, budget, .. } => {
            Some(Event::TaskSubmitted { task, budget })
        }
        Recorded::Begun { task, root, .. } => {
            let budget = budgets.get(&task).copied().unwrap_or_default();
            Some(Event::TaskSubmitted { task: root, budget })
        }
        Recorded::NoPlace { task } => Some(Event::CancelRequested { task }),
        Recorded::Credential { .. }
        | Recorded::Outbox { .. }
        | Recorded::Pool(_)
        | Recorded::Questions { .. }
        | Recorded::Retry { .. }
        | Recorded::PoolStands { .. }
        | Recorded::Stands { .. } => None,
    };
    bill.into_iter().chain(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{BillNumber, Spend};
    use downbeat_shell::{Bill, Entry};

    /// What is on record in other words reaches the tree in its own.
    #[test]
    fn lines_say_what_the_tree_is_told() {
        let budget = Budget { tokens: 7, ..Budget::default() };
        let budgets = BTreeMap::from([(TaskId(9), budget)]);
        let spend = Spend { tokens: 60, micros: 5 };
        let bill = Bill { root: TaskId(7), number: BillNumber(2), spend };
        let spent = Event::Spent { task: TaskId(7), bill: BillNumber(2), spend };
        let admitted = Event::Admitted { task: TaskId(7) };
        #[rustfmt::skip]
        let cases = [
            (r#"{"Begun":{"task":9,"attempt":2,"root":11}}"#, None, vec![Event::TaskSubmitted { task: TaskId(11), budget }]),
            (r#"{"Submitted":{"task":7,"budget":{"tokens":7,"micros":0,"wall_ms":0},"by":{"user":0,"priority":"Normal"}}}"#, None, vec![Event::TaskSubmitted { task: TaskId(7), budget }]),
            (r#"{"NoPlace":{"task":7}}"#,                     None, vec![Event::CancelRequested { task: TaskId(7) }]),
            (r#"{"Tree":{"V3":{"Admitted":{"task":7}}}}"#,    Some(bill), vec![spent, admitted]),
            (r#"{"Pool":{"V1":{"Started":{"agent":2}}}}"#,    None, vec![]),
        ];
        for (event, bill, expected) in cases {
            let event = serde_json::from_str(event).expect("it is read");
            let line = OnRecord { at: Position(1), entry: Entry { at_ms: 1, event, bill, text: vec![] } };
            assert_eq!(events_of(&line, &budgets), expected);
        }
    }
}
