//! What follows from spans: which events, of whom, in which order.

use std::cmp::Reverse;

use hashbrown::{HashMap, HashSet};

use super::{About, Left, Operation, Span, Spans, Tally};
use crate::event::{End, Event, Field, Kind};
use crate::name::Name;

/// One event, as it follows from a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) span: u32,
    at_ns: u64,
    what: What,
    whose: Whose,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
enum What {
    /// A task began, under the one of this agent.
    TaskStarted(Option<u32>),
    TaskEnded,
    RequestStarted,
    RequestEnded,
    ToolStarted,
}

/// Whose an event is.
#[derive(Clone, Copy, Debug)]
enum Whose {
    /// The task that this span is, of an agent.
    Agent(u32),
    /// The conversation of the span itself, with no agent.
    Conversation,
    /// Its trace.
    Trace,
}

/// What stands above a span.
#[derive(Clone, Copy, Debug)]
struct Above {
    /// The nearest agent.
    agent: Option<u32>,
    /// How many agents there are.
    depth: u32,
    /// What is between it and that agent.
    within: Within,
    /// Whether a span is missing on the way to the agent, or to the root if there is none.
    is_lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Nothing,
    Request,
    Tool,
}

const ROOT: Above = Above { agent: None, depth: 0, within: Within::Nothing, is_lost: false };
const LOST: Above = Above { is_lost: true, ..ROOT };

/// The events in the order of time; spans that say nothing are counted.
pub(super) fn steps(spans: &Spans, tally: &mut Tally) -> Vec<Step> {
    let mut above = Aboves::of(spans);
    let mut ordered = Vec::new();
    // Clocks are compared within one process: a conversation, or a trace, is of the first that it was met in.
    let mut clocks: HashMap<(u128, Option<&str>), u64, foldhash::fast::FixedState> = HashMap::default();
    for (index, span) in (0..).zip(&spans.all) {
        let Some(about) = &span.about else {
            tally.leave(Left::NotGenAi);
            continue;
        };
        let over = above.over(index);
        match about.operation {
            Operation::Other => tally.leave(Left::OtherOperation),
            Operation::Unnamed => tally.leave(Left::NoOperation),
            Operation::Agent => {
                let is_here = |agent: &u32| spans.process(*agent) == spans.process(index);
                if over.agent.is_some_and(|agent| !is_here(&agent)) {
                    tally.leave(Left::OtherClock);
                }
                if !about.has_times() {
                    tally.leave(Left::Timeless);
                    continue;
                }
                agent(&mut ordered, index, about, over.depth, over.agent.filter(is_here));
            }
            Operation::Request | Operation::Tool => {
                let is_request = about.operation == Operation::Request;
                let left = match over.within {
                    _ if over.agent.is_none() && over.is_lost => Some(Left::Orphan),
                    Within::Request if is_request => Some(Left::Nested),
                    Within::Tool if is_request => Some(Left::OfTool),
                    Within::Nothing | Within::Request | Within::Tool => None,
                };
                if let Some(left) = left {
                    tally.leave(left);
                    continue;
                }
                if !about.has_times() || is_request && about.end_ns == 0 {
                    tally.leave(Left::Timeless);
                    continue;
                }
                let process = spans.process(index);
                let (whose, clock) = match (over.agent, &about.conversation) {
                    (Some(agent), _) => (Whose::Agent(agent), spans.process(agent)),
                    (None, Some(name)) => {
                        (Whose::Conversation, *clocks.entry((0, Some(name))).or_insert(process))
                    }
                    (None, None) => (Whose::Trace, *clocks.entry((span.trace, None)).or_insert(process)),
                };
                if clock != process {
                    tally.leave(Left::OtherClock);
                    continue;
                }
                match whose {
                    Whose::Agent(_) => {}
                    Whose::Conversation => tally.by_conversation += 1,
                    Whose::Trace => tally.by_trace += 1,
                }
                if is_request {
                    request(&mut ordered, index, about, over.depth, whose);
                } else {
                    let step = Step { span: index, at_ns: about.start_ns, what: What::ToolStarted, whose };
                    ordered.push((Tie::Start(Reverse(over.depth), false, index), step));
                }
            }
        }
    }
    ordered.sort_by_key(|(tie, step)| (step.at_ns, *tie));
    ordered.into_iter().map(|(_, step)| step).collect()
}

/// Ids that agents of two traces have.
pub(super) fn ambiguous(spans: &Spans) -> HashSet<u64, foldhash::fast::FixedState> {
    let mut traces: HashMap<u64, u128, foldhash::fast::FixedState> = HashMap::default();
    let agents = spans
        .all
        .iter()
        .filter(|span| span.about.as_ref().is_some_and(|about| about.operation == Operation::Agent));
    agents
        .filter(|span| *traces.entry(span.id).or_insert(span.trace) != span.trace)
        .map(|span| span.id)
        .collect()
}

/// What is first of several events of one nanosecond: what ends, ends before another thing begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// A task begins, a parent before its subtasks.
    TaskStart(u32, u32),
    /// A request ends that began earlier.
    End(u32),
    /// A request begins and ends.
    Instant(u32, bool),
    /// Something begins, or (`true`) a task ends, after what it began itself: a subtask before its parent.
    Start(Reverse<u32>, bool, u32),
}

fn agent(ordered: &mut Vec<(Tie, Step)>, span: u32, about: &About, depth: u32, parent: Option<u32>) {
    let step =
        Step { span, at_ns: about.start_ns, what: What::TaskStarted(parent), whose: Whose::Agent(span) };
    ordered.push((Tie::TaskStart(depth, span), step));
    if about.end_ns > 0 {
        // What is of a task is one deeper than the task.
        let tie = Tie::Start(Reverse(depth + 1), true, span);
        ordered.push((tie, Step { at_ns: about.end_ns, what: What::TaskEnded, ..step }));
    }
}

fn request(ordered: &mut Vec<(Tie, Step)>, span: u32, about: &About, depth: u32, whose: Whose) {
    let step = Step { span, at_ns: about.start_ns, what: What::RequestStarted, whose };
    let is_instant = about.start_ns == about.end_ns;
    let (start, end) = if is_instant {
        (Tie::Instant(span, false), Tie::Instant(span, true))
    } else {
        (Tie::Start(Reverse(depth), false, span), Tie::End(span))
    };
    ordered.push((start, step));
    ordered.push((end, Step { at_ns: about.end_ns, what: What::RequestEnded, ..step }));
}

impl About {
    /// Whether it can be put in the order of time.
    fn has_times(&self) -> bool {
        self.start_ns > 0 && (self.end_ns == 0 || self.end_ns >= self.start_ns)
    }
}

impl Step {
    pub(super) fn event(&self, spans: &Spans) -> Event<'static> {
        let span = &spans.all[self.span as usize];
        let task = match self.whose {
            Whose::Agent(agent) => task(spans, agent),
            Whose::Conversation => {
                let about = span.about.as_ref();
                let name = about.and_then(|about| about.conversation.as_deref()).unwrap_or_default();
                format!("conversation {name}")
            }
            Whose::Trace => format!("trace {:032x}", span.trace),
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "shown to a millisecond; the order is that of the numbers"
        )]
        let at_ms = self.at_ns as f64 / 1e6;
        let of = |kind: Kind| Event::new(kind).at(at_ms).with(Field::Task, Name::of(task));
        let own = || Name::of(format!("{:016x}", span.id));
        let about = span.about.as_ref();
        let end = about.map_or(End::Unknown, |about| about.end);
        match self.what {
            What::TaskStarted(None) => of(Kind::TaskStarted),
            What::TaskStarted(Some(parent)) => {
                of(Kind::TaskStarted).with(Field::Parent, Name::of(self::task(spans, parent)))
            }
            What::TaskEnded => of(Kind::TaskEnded).ended(end),
            What::RequestStarted => of(Kind::RequestStarted).with(Field::Request, own()),
            What::RequestEnded => of(Kind::RequestEnded).with(Field::Request, own()).ended(end),
            What::ToolStarted => {
                let call = about.and_then(|about| about.call.clone());
                let call = call.map_or_else(own, |call| Name::of(String::from(call)));
                of(Kind::ToolStarted).with(Field::Call, call)
            }
        }
    }
}

/// What the task of an agent's span is called: by the agent, and by the span, as an agent may be invoked often.
fn task(spans: &Spans, agent: u32) -> String {
    let span = &spans.all[agent as usize];
    let name = span.about.as_ref().and_then(|about| about.agent.as_deref()).unwrap_or("agent");
    if spans.ambiguous.contains(&span.id) {
        return format!("{name} {:032x}/{:016x}", span.trace, span.id);
    }
    format!("{name} {:016x}", span.id)
}

/// What stands above each span, found once for each.
struct Aboves<'s> {
    spans: &'s Spans,
    /// What a span that has this one as its parent has above it.
    known: Vec<Option<Above>>,
}

impl<'s> Aboves<'s> {
    fn of(spans: &'s Spans) -> Self {
        Self { spans, known: vec![None; spans.all.len()] }
    }

    fn over(&mut self, span: u32) -> Above {
        let mut way = Vec::new();
        let mut at = span;
        let mut above = loop {
            let Span { parent, trace, .. } = self.spans.all[at as usize];
            if parent == 0 {
                break ROOT;
            }
            let Some(parent) = self.spans.by_id.get(&(trace, parent)).copied() else { break LOST };
            if let Some(known) = self.known[parent as usize] {
                break known;
            }
            // In a circle the way ends where it comes back; the monitor takes nobody for their own parent.
            self.known[parent as usize] = Some(LOST);
            way.push(parent);
            at = parent;
        };
        for parent in way.into_iter().rev() {
            let operation = self.spans.all[parent as usize].about.as_ref().map(|about| about.operation);
            above = match operation {
                Some(Operation::Agent) => Above {
                    agent: Some(parent),
                    depth: above.depth.saturating_add(1),
                    within: Within::Nothing,
                    is_lost: false,
                },
                Some(Operation::Request) if above.within != Within::Tool => {
                    Above { within: Within::Request, ..above }
                }
                Some(Operation::Tool) => Above { within: Within::Tool, ..above },
                Some(Operation::Request | Operation::Other | Operation::Unnamed) | None => above,
            };
            self.known[parent as usize] = Some(above);
        }
        above
    }
}
