//! What follows from what the shell says of itself.
//!
//! An order is told when it is carried out, a step when it is taken, and orders of a batch are carried out when the whole batch is durable.
//! So an order may stand behind a step that was taken after it: the words of a cancel and of a pause are not taken, as a request that was
//! ordered before them would look like one that was sent after them.

use std::collections::HashSet;

use downbeat_trace::{End, Event, Field, Kind, Name};

/// What the shell said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) word: Word,
    pub(crate) task: Option<u64>,
    pub(crate) turn: Option<u64>,
    pub(crate) attempt: Option<u64>,
    pub(crate) agent: Option<u64>,
    pub(crate) shard: Option<u64>,
}

macro_rules! words {
    ($($name:ident $function:ident $text:literal $about:literal;)*) => {
        /// A word of the shell from which something follows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) enum Word {
            $(#[doc = $about] $name,)*
            /// A shard begins, perhaps with what one before it left.
            #[default]
            Opened,
        }

        impl Word {
            /// Every one that is an event or an order, by its name there.
            #[cfg(test)]
            pub(crate) const NAMED: &[&str] = &[$($text),*];

            /// The word of a step.
            pub(crate) fn of_step(name: &str) -> Option<Self> {
                words!(@table step name $($name $function $text)*)
            }

            /// The word of an order.
            pub(crate) fn of_effect(name: &str) -> Option<Self> {
                words!(@table effect name $($name $function $text)*)
            }
        }
    };
    (@table step $given:ident $($name:ident $function:ident $text:literal)*) => {{
        $(if words!(@is_step $function) && $given == $text { return Some(Self::$name); })*
        None
    }};
    (@table effect $given:ident $($name:ident $function:ident $text:literal)*) => {{
        $(if !words!(@is_step $function) && $given == $text { return Some(Self::$name); })*
        None
    }};
    (@is_step step) => { true };
    (@is_step effect) => { false };
}

words! {
    ResponseEnded step "ResponseEnded" "a response came whole";
    SendFailed step "SendFailed" "a send failed";
    Stopped step "Stopped" "a send has stopped";
    Send effect "Send" "a request goes out, or a notification";
    Fence effect "Fence" "a send that does not stop is closed by force";
    RunTool effect "RunTool" "a tool begins to run";
    TaskEnded effect "TaskEnded" "a task has ended, or the pool has no work for it any more";
    Assign effect "Assign" "a root is given to an agent";
    Forgotten effect "Forgotten" "of a root that was in the pool everybody has heard the end";
}

/// Roots that agents have, at most: more are taken for tasks without an agent, and a gap is told.
const ASSIGNED_MAX: usize = 100_000;

/// Makes events of what the shell says.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    /// Roots that were given to an agent. Of these the pool says `TaskEnded` as well, which is no end of the task.
    assigned: HashSet<u64>,
    /// Shards that were opened.
    shards: HashSet<u64>,
}

/// What follows.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives as long as it is looked at, and is an event as a rule"
)]
pub(crate) enum Follows {
    Nothing,
    Event(Event<'static>),
    /// There is too much to remember.
    Gap,
}

impl Listener {
    pub(crate) fn hear(&mut self, told: Told) -> Follows {
        let Told { word, task, turn, attempt, agent, shard } = told;
        if word == Word::Opened {
            return self.opened(shard.unwrap_or(0));
        }
        let Some(task) = task else { return Follows::Nothing };
        let of = |kind| Event::new(kind).with(Field::Task, Name::Number(task));
        // Orders of an outbox have a notification in the place of a turn.
        let send = turn.zip(attempt).map(|(turn, attempt)| {
            move |event: Event<'static>| {
                event.with(Field::Turn, Name::Number(turn)).with(Field::Attempt, Name::Number(attempt))
            }
        });
        let ended = |end| send.map(|send| send(of(Kind::RequestEnded)).ended(end));
        let event = match word {
            Word::Send => send.map(|send| send(of(Kind::RequestStarted))),
            Word::ResponseEnded => ended(End::Completed),
            Word::SendFailed => ended(End::Failed),
            // Why it was stopped is not said.
            Word::Stopped | Word::Fence => ended(End::Unknown),
            // Which call of the turn is not said.
            Word::RunTool => {
                turn.map(|turn| of(Kind::ToolStarted).with(Field::Call, Name::of(format!("of turn {turn}"))))
            }
            Word::Assign => {
                if agent.is_some() && !self.assigned.contains(&task) {
                    if self.assigned.len() == ASSIGNED_MAX {
                        self.assigned.clear();
                        return Follows::Gap;
                    }
                    self.assigned.insert(task);
                }
                None
            }
            Word::TaskEnded if self.assigned.contains(&task) => None,
            Word::Forgotten if !self.assigned.remove(&task) => None,
            Word::TaskEnded | Word::Forgotten => Some(of(Kind::TaskEnded).ended(End::Unknown)),
            Word::Opened => None,
        };
        event.map_or(Follows::Nothing, Follows::Event)
    }

    /// A shard begins. If it did before, what is ordered again under the same number is not a second send; but which tasks are of
    /// that shard is not known.
    fn opened(&mut self, shard: u64) -> Follows {
        let is_first = self.shards.insert(shard);
        match (is_first, self.shards.len()) {
            (true, _) => Follows::Nothing,
            (false, 1) => Follows::Event(Event::new(Kind::Restart)),
            (false, _) => Follows::Gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the shell says, in the words of its source.
    const SOURCE: &str = include_str!("../../shell/src/trace.rs");

    fn heard(listener: &mut Listener, told: Told) -> Option<String> {
        match listener.hear(told) {
            Follows::Event(event) => Some(event.line()),
            Follows::Nothing | Follows::Gap => None,
        }
    }

    #[test]
    fn the_shell_has_every_word() {
        for word in Word::NAMED {
            assert!(SOURCE.contains(&format!("(\"{word}\"")), "{word} is none");
        }
        for target in ["downbeat::step", "downbeat::effect"] {
            assert!(SOURCE.contains(&format!("target: \"{target}\"")), "{target} is none");
        }
    }

    #[test]
    fn a_notification_is_no_request() {
        let mut listener = Listener::default();
        let send = Told { word: Word::Send, task: Some(1), ..Told::default() };
        assert_eq!(heard(&mut listener, send), None);
        let send = Told { turn: Some(2), attempt: Some(0), ..send };
        let expected = r#"{"event":"request-started","task":1,"turn":2,"attempt":0}"#;
        assert_eq!(heard(&mut listener, send).as_deref(), Some(expected));
    }

    #[test]
    fn a_shard_that_begins_again_excuses_what_is_sent_again_and_one_of_several_leaves_a_gap() {
        let mut listener = Listener::default();
        let opened = |shard| Told { shard: Some(shard), ..Told::default() };
        assert!(matches!(listener.hear(opened(0)), Follows::Nothing));
        assert_eq!(heard(&mut listener, opened(0)).as_deref(), Some(r#"{"event":"restart"}"#));
        assert!(matches!(listener.hear(opened(1)), Follows::Nothing), "it is no restart of the other");
        assert!(matches!(listener.hear(opened(0)), Follows::Gap));
    }

    /// Of a root that an agent has the pool says the same word, and the task may go on.
    #[test]
    fn a_root_in_the_pool_ends_when_it_is_forgotten() {
        let mut listener = Listener::default();
        let of = |word| Told { word, task: Some(1), ..Told::default() };
        let ended = r#"{"event":"task-ended","task":1,"end":"unknown"}"#;
        assert_eq!(heard(&mut listener, of(Word::Forgotten)), None);
        assert_eq!(heard(&mut listener, of(Word::TaskEnded)).as_deref(), Some(ended));
        assert_eq!(heard(&mut listener, Told { agent: Some(7), ..of(Word::Assign) }), None);
        assert_eq!(heard(&mut listener, of(Word::TaskEnded)), None);
        assert_eq!(heard(&mut listener, of(Word::Forgotten)).as_deref(), Some(ended));
        assert_eq!(heard(&mut listener, of(Word::TaskEnded)).as_deref(), Some(ended));
    }
}
