//! The questions of a remote task beside their twin: who has what to learn, and one table over the events.

use super::beside::{self, Side};
use super::page::Observed;
use super::small;
use crate::config::Config;
use crate::pool::Epoch;
use crate::question::{
    Asker, QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey, QuestionNumber, QuestionRejected,
    QuestionState, QuestionTimer, Questions, Untold,
};
use crate::vocabulary::{Ignored, Outcome};
use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Questions, QuestionEffect, QuestionRejected>;
type Twin = fn(&Questions, QuestionEvent, &Config) -> Said;

/// How the twin sees the last question: whether it is open, how it ended, and who waits to hear of it.
#[derive(Clone, Copy, PartialEq)]
struct Last {
    open: bool,
    end: Option<QuestionEnd>,
    agent: bool,
    person: bool,
}

impl Last {
    fn of(at: &Questions) -> Self {
        let (open, end, agent, person) = match at.state {
            QuestionState::Silent => (false, None, false, false),
            QuestionState::Open => (true, None, false, false),
            QuestionState::Settled { end, untold: Untold::Both } => (false, Some(end), true, true),
            QuestionState::Settled { end, untold: Untold::Agent } => (false, Some(end), true, false),
            QuestionState::Settled { end, untold: Untold::Person } => (false, Some(end), false, true),
            QuestionState::Settled { end, untold: Untold::Nobody } => (false, Some(end), false, false),
        };
        Self { open, end, agent, person }
    }

    fn state(self) -> QuestionState {
        let untold = match (self.agent, self.person) {
            (true, true) => Untold::Both,
            (true, false) => Untold::Agent,
            (false, true) => Untold::Person,
            (false, false) => Untold::Nobody,
        };
        match self.end {
            Some(end) => QuestionState::Settled { end, untold },
            None if self.open => QuestionState::Open,
            None => QuestionState::Silent,
        }
    }

    /// What is outstanding, as a restart gives it.
    fn orders(self, at: &Questions, config: &Config) -> Vec<QuestionEffect> {
        let Questions { question, timer, .. } = *at;
        let mut orders = Vec::new();
        if self.open {
            orders.push(QuestionEffect::Ask { question });
            orders.push(QuestionEffect::Arm { timer, after_ms: config.question_ms.into() });
        }
        if let Some(end) = self.end {
            orders.extend(self.agent.then_some(QuestionEffect::Relay { question, end }));
            orders.extend(self.person.then_some(QuestionEffect::Close { question, end }));
        }
        let relayed = QuestionEffect::Arm { timer, after_ms: config.relay_ms.into() };
        orders.extend(self.agent.then_some(relayed));
        orders
    }
}

/// What the questions make of the event, written from what their vocabulary promises.
fn twin(at: &Questions, event: QuestionEvent, config: &Config) -> Said {
    use QuestionEnd as End;
    use QuestionEvent as E;
    let ignored = |why| Err(Outcome::Ignored(why));
    let rejected = |why| Err(Outcome::Rejected(why));
    let never = rejected(QuestionRejected::NeverAsked { state: at.state, event });
    let last = Last::of(at);
    let disarm = if last.open || last.agent {
        Vec::from([QuestionEffect::Disarm { timer: at.timer }])
    } else {
        Vec::new()
    };
    let next_timer = QuestionTimer(at.timer.0 + 1);
    // The next situation, in which `now` is the last question.
    let with = |now: Last, effects: Vec<QuestionEffect>| {
        let armed = effects.iter().any(|effect| matches!(effect, QuestionEffect::Arm { .. }));
        let timer = if armed { next_timer } else { at.timer };
        (Questions { state: now.state(), timer, ..*at }, effects)
    };
    let ends = |end, agent, mut before: Vec<QuestionEffect>| {
        let now = Last { open: false, end: Some(end), agent, person: true };
        before.extend(now.orders(&Questions { timer: next_timer, ..*at }, config));
        with(now, before)
    };
    // Without the agent that asked: what is open is withdrawn, and nobody has to tell it anything.
    let alone = || match last {
        Last { open: true, .. } => ends(End::Withdrawn, false, disarm.clone()),
        Last { open: false, agent: true, .. } => with(Last { agent: false, ..last }, disarm.clone()),
        Last { open: false, agent: false, .. } => with(last, Vec::new()),
    };
    match event {
        E::Assigned { epoch } => match at.asker {
            Asker::Done => ignored(Ignored::Terminal),
            Asker::Present if epoch == at.epoch => ignored(Ignored::Duplicate),
            Asker::Present | Asker::Absent if epoch <= at.epoch => ignored(Ignored::Stale),
            Asker::Present | Asker::Absent => {
                let (next, effects) = alone();
                Ok((Questions { asker: Asker::Present, epoch, ..next }, effects))
            }
        },

        E::AgentLost { epoch: got } | E::Asked { question: QuestionKey { epoch: got, .. } }
            if got.0 == 0 || got > at.epoch =>
        {
            rejected(QuestionRejected::NotAssigned { last: at.epoch, got })
        }
        E::AgentLost { epoch } | E::Asked { question: QuestionKey { epoch, .. } } if epoch < at.epoch => {
            ignored(Ignored::Stale)
        }
        E::AgentLost { .. } => match at.asker {
            Asker::Absent => ignored(Ignored::Duplicate),
            Asker::Done if !last.agent => ignored(Ignored::Terminal),
            Asker::Done => Ok(alone()),
            Asker::Present => {
                let (next, effects) = alone();
                Ok((Questions { asker: Asker::Absent, ..next }, effects))
            }
        },
        E::Asked { question } => {
            let same_agent = at.question.epoch == at.epoch;
            let expected = if same_agent { at.question.number.0 + 1 } else { 1 };
            let settled = !last.open && !last.agent && !last.person;
            match at.asker {
                Asker::Absent => ignored(Ignored::Stale),
                Asker::Done => ignored(Ignored::Terminal),
                Asker::Present if (1..expected).contains(&question.number.0) => ignored(Ignored::Duplicate),
                Asker::Present if question.number.0 != expected => rejected(QuestionRejected::QuestionGap {
                    expected: QuestionNumber(expected),
                    got: question.number,
                }),
                Asker::Present if !settled => {
                    rejected(QuestionRejected::Unsettled { question: at.question, state: at.state })
                }
                Asker::Present => {
                    let now = Last { open: true, end: None, agent: false, person: false };
                    let next = Questions { question, timer: next_timer, state: now.state(), ..*at };
                    Ok((next, now.orders(&next, config)))
                }
            }
        }

        E::Answered { question: QuestionKey { epoch, number } }
        | E::Acknowledged { question: QuestionKey { epoch, number } }
        | E::Closed { question: QuestionKey { epoch, number } }
            if (epoch, number) > (at.question.epoch, at.question.number) || epoch.0 == 0 || number.0 == 0 =>
        {
            never
        }
        E::Answered { question } | E::Acknowledged { question } | E::Closed { question }
            if question != at.question =>
        {
            ignored(Ignored::Stale)
        }
        E::Answered { .. } => match last.end {
            None => Ok(ends(End::Answered, true, disarm)),
            Some(End::Answered) => ignored(Ignored::Duplicate),
            Some(End::Expired | End::Withdrawn) => ignored(Ignored::Stale),
        },
        E::Acknowledged { .. } if last.open => never,
        E::Acknowledged { .. } if last.agent => Ok(with(Last { agent: false, ..last }, disarm)),
        E::Acknowledged { .. } => ignored(Ignored::Duplicate),
        E::Closed { .. } if last.open => never,
        E::Closed { .. } if last.person => Ok(with(Last { person: false, ..last }, Vec::new())),
        E::Closed { .. } => ignored(Ignored::Duplicate),

        E::Elapsed { timer } if timer.0 == 0 || timer > at.timer => never,
        E::Elapsed { timer } if timer < at.timer => ignored(Ignored::Stale),
        E::Elapsed { .. } => match last {
            Last { open: true, .. } => Ok(ends(End::Expired, true, Vec::new())),
            Last { agent: true, end: Some(end), .. } => {
                let relay = QuestionEffect::Relay { question: at.question, end };
                let arm = QuestionEffect::Arm { timer: next_timer, after_ms: config.relay_ms.into() };
                Ok(with(last, Vec::from([relay, arm])))
            }
            Last { agent: false, .. } | Last { end: None, .. } => ignored(Ignored::Stale),
        },

        E::TaskEnded if at.asker == Asker::Done => ignored(Ignored::Duplicate),
        E::TaskEnded => {
            let (next, effects) =
                if last.open { ends(End::Withdrawn, true, disarm) } else { with(last, Vec::new()) };
            Ok((Questions { asker: Asker::Done, ..next }, effects))
        }
    }
}

const ENDS: [QuestionEnd; 3] = [QuestionEnd::Answered, QuestionEnd::Expired, QuestionEnd::Withdrawn];

/// All states of a last question.
fn states() -> Vec<QuestionState> {
    let untold = [Untold::Both, Untold::Agent, Untold::Person, Untold::Nobody];
    let settled =
        ENDS.into_iter().flat_map(|end| untold.map(|untold| QuestionState::Settled { end, untold }));
    [QuestionState::Silent, QuestionState::Open].into_iter().chain(settled).collect()
}

fn keys(epochs: u64, numbers: u32) -> impl Iterator<Item = QuestionKey> {
    (0..=epochs).flat_map(move |epoch| {
        (0..=numbers).map(move |number| QuestionKey { epoch: Epoch(epoch), number: QuestionNumber(number) })
    })
}

/// Every combination up to two epochs and two questions of each, sense or not.
fn combinations() -> Vec<Questions> {
    let mut all = Vec::new();
    for asker in [Asker::Absent, Asker::Present, Asker::Done] {
        for (epoch, question) in (0..=2).flat_map(|epoch| keys(2, 2).map(move |key| (epoch, key))) {
            for (state, timer) in
                states().into_iter().flat_map(|state| (0..6).map(move |timer| (state, timer)))
            {
                let (epoch, timer) = (Epoch(epoch), QuestionTimer(timer));
                all.push(Questions { asker, epoch, question, state, timer });
            }
        }
    }
    all
}

/// Those that can be.
fn situations() -> Vec<Questions> {
    combinations().into_iter().filter(|at| at.validate().is_ok()).collect()
}

fn events(at: &Questions) -> Vec<QuestionEvent> {
    use QuestionEvent as E;
    let mut events = Vec::from([E::TaskEnded]);
    for epoch in (0..=at.epoch.0 + 1).map(Epoch) {
        events.extend([E::Assigned { epoch }, E::AgentLost { epoch }]);
    }
    for question in keys(at.epoch.0 + 1, 4) {
        events.extend([
            E::Asked { question },
            E::Answered { question },
            E::Acknowledged { question },
            E::Closed { question },
        ]);
    }
    events.extend((0..=at.timer.0 + 1).map(|timer| E::Elapsed { timer: QuestionTimer(timer) }));
    events
}

fn machine(at: &Questions, event: QuestionEvent, config: &Config) -> Said {
    beside::taken(at, |questions, sink| questions.step(event, config, sink))
}

/// Compares every pair until the first difference; how many there are.
fn compare(config: &Config, twin: Twin) -> Result<usize, String> {
    let repeats = |at: &Questions, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let orders = |at: &Questions, config: &Config| Last::of(at).orders(at, config);
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: orders }];
    beside::compare(situations(), events, config, sides)
}

#[test]
fn questions_and_twin_agree_on_every_pair() {
    let pairs = compare(&small(), twin).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(pairs > 40_000, "the enumeration has shrunk to {pairs} pairs");
}

/// What is reached from the beginning, with timers left out of account.
#[test]
fn validate_accepts_the_questions_that_can_be_and_no_others() {
    let shape = |at: &Questions| (at.asker, at.epoch, at.question, at.state);
    let is_small = |at: &Questions| {
        at.epoch.0 <= 2 && at.question.number.0 <= 2 && at.timer.0 <= 8 && at.question.epoch.0 <= 2
    };
    let (mut reached, mut frontier) = (BTreeSet::new(), Vec::from([Questions::default()]));
    while let Some(at) = frontier.pop() {
        assert_eq!(at.validate(), Ok(()), "{at:?}");
        for event in events(&at) {
            let mut next = at;
            let _ = next.step(event, &small(), &mut |_| {});
            if is_small(&next) && reached.insert(next) {
                frontier.push(next);
            }
        }
    }
    let reached: BTreeSet<_> = reached.iter().map(shape).collect();
    let accepted: BTreeSet<_> = situations().iter().map(shape).collect();
    let either: Vec<_> = reached.symmetric_difference(&accepted).collect();
    assert!(either.is_empty(), "reached, or accepted, and not both: {either:?}");
}

const KINDS: [&str; 8] =
    ["Assigned", "AgentLost", "Asked", "Answered", "Acknowledged", "Closed", "Elapsed", "TaskEnded"];

/// The boxes of the diagram with the states in them.
const BOXES: [(&str, &[&str]); 3] = [
    ("Silent", &["Silent"]),
    ("Open", &["Open"]),
    ("Settled", &["Settled(Both)", "Settled(Agent)", "Settled(Person)", "Settled(Nobody)"]),
];

fn name(state: QuestionState) -> &'static str {
    match state {
        QuestionState::Silent => "Silent",
        QuestionState::Open => "Open",
        QuestionState::Settled { untold: Untold::Both, .. } => "Settled(Both)",
        QuestionState::Settled { untold: Untold::Agent, .. } => "Settled(Agent)",
        QuestionState::Settled { untold: Untold::Person, .. } => "Settled(Person)",
        QuestionState::Settled { untold: Untold::Nobody, .. } => "Settled(Nobody)",
    }
}

fn kind(event: QuestionEvent) -> &'static str {
    match event {
        QuestionEvent::Assigned { .. } => "Assigned",
        QuestionEvent::AgentLost { .. } => "AgentLost",
        QuestionEvent::Asked { .. } => "Asked",
        QuestionEvent::Answered { .. } => "Answered",
        QuestionEvent::Acknowledged { .. } => "Acknowledged",
        QuestionEvent::Closed { .. } => "Closed",
        QuestionEvent::Elapsed { .. } => "Elapsed",
        QuestionEvent::TaskEnded => "TaskEnded",
    }
}

fn outcome(refused: &Outcome<QuestionRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(QuestionRejected::NotAssigned { .. }) => "Rejected(NotAssigned)",
        Outcome::Rejected(QuestionRejected::QuestionGap { .. }) => "Rejected(QuestionGap)",
        Outcome::Rejected(QuestionRejected::Unsettled { .. }) => "Rejected(Unsettled)",
        Outcome::Rejected(QuestionRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
    }
}

#[test]
fn page_of_question_shows_what_the_machine_does() {
    let mut observed = Observed::default();
    for at in situations() {
        for event in events(&at) {
            match machine(&at, event, &small()) {
                Ok((next, _)) => observed.applied(name(at.state), kind(event), name(next.state)),
                Err(refused) => observed.refused(name(at.state), kind(event), outcome(&refused)),
            }
        }
    }
    let diagram = observed.diagram("Silent", &BOXES, &KINDS);
    observed.assert_page("question", &diagram, &BOXES, &KINDS);
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin_of_the_questions() {
    let wrong: [(&str, Twin); 3] = [
        ("an effect less", |at, event, config| {
            let (questions, mut effects) = twin(at, event, config)?;
            effects.truncate(3);
            Ok((questions, effects))
        }),
        ("another refusal", |at, event, config| match twin(at, event, config) {
            Err(Outcome::Ignored(_)) => Err(Outcome::Ignored(Ignored::Stale)),
            other => other,
        }),
        ("the agent stays", |at, event, config| {
            let (mut questions, effects) = twin(at, event, config)?;
            questions.asker = at.asker;
            Ok((questions, effects))
        }),
    ];
    for (name, twin) in wrong {
        assert!(compare(&small(), twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_questions() {
    for fault in crate::faults::Fault::OF_QUESTIONS.iter().copied() {
        let config = Config { fault: Some(fault), ..small() };
        assert!(compare(&config, twin).is_err(), "nobody noticed {fault:?}");
    }
}
