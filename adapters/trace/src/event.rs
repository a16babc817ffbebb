//! The words of a trace: what an observer writes down of an orchestrator, one event a line.
//!
//! An event says what happened ([`Kind`]), to whom ([`Field`]) and, if that is known, when. What it means for the promises is for
//! the [`Monitor`](crate::Monitor).

use crate::name::Name;

macro_rules! fields {
    ($($name:ident $text:literal $shape:ident $about:literal;)*) => {
        /// What an event may say beside what happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $(#[doc = $about] $name,)* }

        impl Field {
            /// Every one, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it is called in a line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it says.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// What its values are.
            pub const fn shape(self) -> Shape {
                match self { $(Self::$name => Shape::$shape,)* }
            }

            /// The field of that name.
            pub fn of(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number or a text: what something is called.
    Name,
    /// A number that only grows.
    Number,
}

fields! {
    Task "task" Name "the task that it happened to";
    Parent "parent" Name "the task that it is a subtask of";
    Child "child" Name "the subtask whose result it is";
    Request "request" Name "the request, if requests have names";
    Turn "turn" Number "the question to the model, however often it is sent; numbers of one task only grow";
    Attempt "attempt" Number "the send of that turn, from 0; 0 if it is left out";
    Content "content" Name "what the request contains, or a digest of it";
    Call "call" Name "the call of a tool";
    Message "message" Name "the message of a person";
    Question "question" Name "the question; of an answer, the one that it was given to";
    Settles "settles" Name "the question that the answer settled";
    Credential "credential" Name "the credential";
    Generation "generation" Number "which generation of it: each refresh brings a higher one";
    Token "token" Name "the refresh token that is used, or a digest of it";
    Agent "agent" Name "the agent, or worker";
    Epoch "epoch" Number "under which assignment: each has a higher one";
    Iterator "iterator" Name "what works on a session of the agent";
    Notification "notification" Name "the notification";
}

/// Fields that there are.
pub(crate) const FIELDS: usize = Field::ALL.len();

macro_rules! kinds {
    ($($name:ident $text:literal [$($needed:ident)*] [$($may:ident)*] $end:ident $about:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $(#[doc = $about] $name,)* }

        impl Kind {
            /// Every one, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it is called in a line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it says.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// Which fields it has to have.
            pub const fn needs(self) -> &'static [Field] {
                match self { $(Self::$name => &[$(Field::$needed),*],)* }
            }

            /// Which fields it may have.
            pub const fn may_have(self) -> &'static [Field] {
                match self { $(Self::$name => &[$(Field::$may),*],)* }
            }

            /// Whether it has to say how something ended.
            pub const fn has_end(self) -> bool {
                match self { $(Self::$name => kinds!(@$end),)* }
            }

            /// The kind of that name.
            pub fn of(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
    (@end) => { true };
    (@none) => { false };
}

kinds! {
    TaskStarted "task-started" [Task] [Parent] none "a task began; with a parent, as its subtask";
    TaskEnded "task-ended" [Task] [] end "a task ended";
    RequestStarted "request-started" [Task] [Request Turn Attempt Content Credential] none "a request went to the model";
    RequestDelta "request-delta" [Task] [Request Turn Attempt] none "somebody was shown a piece of a response";
    RequestEnded "request-ended" [Task] [Request Turn Attempt] end "a request ended: answered whole, and the answer taken (`completed`), `failed` by itself or by a limit of time, `stopped` because somebody wanted that, or `refused` for its credential";
    ToolCall "tool-call" [Task Call] [] none "the model made a call";
    ToolStarted "tool-started" [Task Call] [] none "a tool began to run for a call";
    ToolResult "tool-result" [Task Call] [] none "the result of a call became part of what the model gets next";
    ResultDelivered "result-delivered" [Task Child] [Turn] none "the result of a subtask became part of what this task's model gets next";
    MessageQueued "message-queued" [Task Message] [] none "a message of a person was accepted for a task";
    MessageDelivered "message-delivered" [Task Message] [Turn] none "a message became part of what the model gets next";
    MessageReturned "message-returned" [Task Message] [] none "its writer was told that a message did not reach the model";
    Question "question" [Task Question] [] none "a person was asked";
    Answer "answer" [Task] [Question Settles] none "a person answered; `settles` says which question ended by that";
    RefreshStarted "refresh-started" [Credential] [Generation Token] none "a refresh of a credential went out; `generation` is the one that is refreshed";
    RefreshEnded "refresh-ended" [Credential] [Generation] end "a refresh ended; one that `failed` has not used its token up, one whose end is `unknown` may have";
    CredentialStored "credential-stored" [Credential Generation] [] none "a credential was put where the next one who wants it finds it";
    Interrupt "interrupt" [Task] [Turn] none "somebody asked to stop the turn that is under way; `turn` says which was meant";
    Pause "pause" [Task] [] none "a person asked that the task starts nothing new";
    Resume "resume" [Task] [] none "a person asked a paused or cancelled task to go on";
    Cancel "cancel" [Task] [] none "somebody asked that a task and everything below it ends";
    AgentAssigned "agent-assigned" [Agent Task] [Epoch] none "an agent was given a task";
    AgentActive "agent-active" [Agent] [Task Epoch] none "something that an agent did, or a sign of life of it, was accepted";
    AgentReleased "agent-released" [Agent] [] none "an agent has its task no more";
    IteratorStarted "iterator-started" [Agent Iterator] [] none "something began to work on the session of an agent";
    IteratorEnded "iterator-ended" [Agent Iterator] [] none "it works on it no more, or was told to stop";
    Notified "notified" [Task] [Notification] end "people were told how a task ended";
    CallEntered "call-entered" [Task] [] none "a call of the function that asks the model, and calls itself or loops, began: past its lock, if it has one";
    CallLeft "call-left" [Task] [] none "such a call came back: before it gives its lock back";
    LockWaited "lock-waited" [Task] [] none "a call waits for the lock that lets one in";
    LockTaken "lock-taken" [Task] [] none "a call has the lock";
    LockReleased "lock-released" [Task] [] none "the lock is free";
    Restart "restart" [] [] none "the process died and began again: what was in flight may be sent once more";
}

/// Kinds that there are.
pub(crate) const KINDS: usize = Kind::ALL.len();

macro_rules! ends {
    ($($name:ident $text:literal $about:literal;)*) => {
        /// How something ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum End { $(#[doc = $about] $name,)* }

        impl End {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it is called in a line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it says.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// The end of that name.
            pub fn of(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

ends! {
    Completed "completed" "with what was asked for";
    Failed "failed" "without it";
    Cancelled "cancelled" "because somebody asked for its end";
    Stopped "stopped" "of a request: it was stopped";
    Refused "refused" "of a request: its credential was refused";
    Unknown "unknown" "nobody knows how";
}

/// One event of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// What happened.
    pub kind: Kind,
    /// When, in milliseconds since any moment that is the same for the whole trace; not infinite.
    pub at_ms: Option<f64>,
    /// How it ended.
    pub end: Option<End>,
    /// To whom.
    fields: [Option<Name<'a>>; FIELDS],
}

impl<'a> Event<'a> {
    /// An event that says nothing more than what happened.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, at_ms: None, end: None, fields: [const { None }; FIELDS] }
    }

    /// The same, saying this as well.
    #[must_use]
    pub fn with(mut self, field: Field, name: Name<'a>) -> Self {
        self.fields[field as usize] = Some(name);
        self
    }

    /// The same, ended like that.
    #[must_use]
    pub fn ended(mut self, end: End) -> Self {
        self.end = Some(end);
        self
    }

    /// The same, at that time.
    #[must_use]
    pub fn at(mut self, at_ms: f64) -> Self {
        self.at_ms = Some(at_ms);
        self
    }

    /// What it says of a field.
    pub fn get(&self, field: Field) -> Option<&Name<'a>> {
        self.fields[field as usize].as_ref()
    }

    /// The number that it says of a field.
    pub fn number(&self, field: Field) -> Option<u64> {
        self.get(field).and_then(Name::number)
    }

    /// What it says, in the order of the documents.
    pub fn said(&self) -> impl Iterator<Item = (Field, &Name<'a>)> {
        Field::ALL.iter().filter_map(|field| Some((*field, self.get(*field)?)))
    }

    /// The same, for longer than its line is there.
    pub fn into_owned(self) -> Event<'static> {
        let Self { kind, at_ms, end, fields } = self;
        Event { kind, at_ms, end, fields: fields.map(|field| field.map(Name::into_owned)) }
    }

    /// Which fields it has, a bit each.
    pub(crate) fn mask(&self) -> u32 {
        let bits = self.fields.iter().zip(0_u32..).filter(|(field, _)| field.is_some());
        bits.fold(0, |mask, (_, bit)| mask | 1 << bit)
    }

    pub(crate) fn set(&mut self, field: Field, name: Name<'a>) -> bool {
        self.fields[field as usize].replace(name).is_none()
    }

    /// What is wrong with it, if anything is.
    pub fn misfit(&self) -> Option<Misfit> {
        if let Some(field) = self.kind.needs().iter().find(|field| self.get(**field).is_none()) {
            return Some(Misfit::Without { kind: self.kind, field: field.name() });
        }
        if self.kind.has_end() && self.end.is_none() {
            return Some(Misfit::Without { kind: self.kind, field: "end" });
        }
        let odd = self.said().find(|(field, name)| field.shape() == Shape::Number && name.number().is_none());
        odd.map(|(field, _)| Misfit::NoNumber { field: field.name() })
    }
}

/// Why something is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A field is missing that this kind has to have.
    Without {
        /// What happened.
        kind: Kind,
        /// What is not said.
        field: &'static str,
    },
    /// The value of a field has to be a number.
    NoNumber {
        /// Which.
        field: &'static str,
    },
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Without { kind, field } => write!(f, "`{}` has to have `{field}`", kind.name()),
            Self::NoNumber { field } => write!(f, "`{field}` has to be a number"),
        }
    }
}
