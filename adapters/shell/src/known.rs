//! What a shard knows: a function of its journal alone, so that a replay, or a snapshot and the rest, leads to the same.

use crate::agents::Submitter;
use crate::alarms::Alarms;
use crate::asks::Asking;
use crate::entry::{Bill, Entry, Past, PoolStanding, Recorded};
use crate::fact::{Fact, Order, Owner, Refused, of};
use crate::fault::{self, Fault};
use crate::iterate::started;
use crate::number::Settings;
use crate::ports::RootEnd;
use crate::tries::Attempted;
use crate::words::{Library, Text};
use downbeat_kernel::{
    Call, Corrupt, Credential, CredentialCorrupt, CredentialEvent, Effect, Event, Ignored, Kernel, News,
    NotificationEvent, NotificationNumber, Outbox, OutboxCorrupt, Outcome, Pool, PoolCorrupt, PoolEvent,
    PoolTimer, ProfileId, QuestionCorrupt, Response, RetryCorrupt, TaskId,
};
use downbeat_wiring::{Record, at_stake};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The credential of every profile that needs one.
pub(crate) type Credentials = BTreeMap<ProfileId, Credential>;

/// What people are told of a root. It stays until they have heard how that ended, and the tree has forgotten it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) outbox: Outbox,
    /// What each notification of progress says that is not settled.
    pub(crate) progress: BTreeMap<NotificationNumber, Text>,
    /// How it ended, and with what.
    pub(crate) end: Option<(RootEnd, Text)>,
}

impl Post {
    /// Keeps what a notification of progress says, for as long as it may have to be said again.
    fn note<R>(&mut self, event: NotificationEvent, outcome: &Outcome<R>, text: &[String]) {
        if let (NotificationEvent::Posted { number, news: News::Progress }, Outcome::Applied) =
            (event, outcome)
        {
            self.progress.insert(number, Text::from(text.first().map_or("", String::as_str)));
        }
        let settled = self.outbox.settled;
        self.progress.retain(|number, _| *number > settled);
    }

    fn is_delivered(&self) -> bool {
        self.outbox.conclusion.is_some() && self.outbox.settled == self.outbox.accepted
    }
}

/// What a shard knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) kernel: Kernel,
    pub(crate) library: Library,
    pub(crate) alarms: Alarms,
    pub(crate) credentials: Credentials,
    pub(crate) outboxes: BTreeMap<TaskId, Post>,
    /// The pool, if tasks run on agents.
    pub(crate) pool: Option<Pool>,
    /// Why a task ends that has no place.
    pub(crate) records: BTreeMap<TaskId, Record>,
    /// Who has submitted a root, if that was anybody in particular.
    pub(crate) submitters: BTreeMap<TaskId, Submitter>,
    /// The tasks that are tried again.
    pub(crate) attempted: Attempted,
    /// What the agents of roots ask.
    pub(crate) asking: BTreeMap<TaskId, Asking>,
}

/// Which machine contradicts itself, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// The tree of tasks.
    Tree(Corrupt),
    /// The credential of a profile.
    Credential(ProfileId, CredentialCorrupt),
    /// The outbox of a root.
    Outbox(TaskId, OutboxCorrupt),
    /// The pool.
    Pool(PoolCorrupt),
    /// The attempts at a task.
    Retry(TaskId, RetryCorrupt),
    /// The attempts at a task, and the roots that they are.
    Attempts(TaskId),
    /// The questions of the agent of a root.
    Questions(TaskId, QuestionCorrupt),
}

impl Known {
    pub(crate) fn new(Settings { kernel: config, pool }: Settings) -> Self {
        let needs_one =
            |profile: &u8| config.profiles_keyed.checked_shr((*profile).into()).unwrap_or(0) & 1 == 0;
        let profiles = (0..config.profiles).filter(needs_one).map(ProfileId);
        Self {
            kernel: Kernel::new(config),
            library: Library::default(),
            alarms: Alarms::default(),
            credentials: profiles.map(|profile| (profile, Credential::default())).collect(),
            outboxes: BTreeMap::new(),
            pool: pool.map(Pool::new),
            records: BTreeMap::new(),
            submitters: BTreeMap::new(),
            attempted: Attempted::default(),
            asking: BTreeMap::new(),
        }
    }

    /// The settings of its machines.
    pub(crate) fn settings(&self) -> Settings {
        Settings { kernel: *self.kernel.config(), pool: self.pool.as_ref().map(|pool| *pool.config()) }
    }

    /// Takes a fact with its words, at a time in milliseconds since 1970. What follows is added to the orders.
    pub(crate) fn take(
        &mut self,
        at_ms: u64,
        fact: &Fact,
        text: &[String],
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        let first = orders.len();
        let outcome = match fact {
            Fact::Tree(event) => self.take_of_tree(event, text, orders),
            Fact::Credential { profile, event } => self.take_of_credential(*profile, *event, orders),
            Fact::Outbox { root, event } => self.take_of_outbox(*root, *event, text, orders),
            Fact::Pool(event) => self.take_of_pool(*event, orders),
            Fact::Submitted { task, budget, by } => {
                let event = Event::TaskSubmitted { task: *task, budget: *budget };
                let outcome = self.take_of_tree(&event, text, orders);
                if outcome == Outcome::Applied {
                    self.submitters.insert(*task, *by);
                }
                outcome
            }
            Fact::Attempted { task, budget, by } => self.take_attempted((*task, *budget, *by), text, orders),
            Fact::Begun { task, attempt, root } => self.take_begun((*task, *attempt, *root), orders),
            Fact::Retry { task, event } => self.take_of_retry(*task, *event, orders),
            Fact::Questions { root, event } => self.take_of_questions(*root, *event, text, orders),
            Fact::NoPlace(task) => self.has_no_place(*task, orders),
            Fact::Stands { profile, credential } => self.stands(*profile, *credential, orders),
        };
        if outcome == Outcome::Applied {
            self.alarms.take(at_ms, fact, &orders[first..]);
        }
        outcome
    }

    pub(crate) fn take_of_tree(
        &mut self,
        event: &Event,
        text: &[String],
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        if let Some(refused) = self.is_taken(event) {
            return Outcome::Rejected(Refused::Tree(refused));
        }
        let mut effects = Vec::new();
        let outcome = self.kernel.step(event.clone(), &mut effects);
        if outcome == Outcome::Applied {
            self.library.take(event, text, &effects);
            self.note_ends(&effects);
            self.forget_refused(event);
            if let Event::EndAcknowledged { task } = *event {
                self.forget_delivered(task);
                self.records.remove(&task);
                self.submitters.remove(&task);
                self.forget_asking(task);
                self.forget_attempted(self.name_of(task));
                orders.extend(self.pool.is_some().then_some(Order::Forgotten(task)));
            }
        }
        orders.extend(effects.into_iter().map(Order::Tree));
        of(outcome, Refused::Tree)
    }

    /// Who has submitted a root.
    pub(crate) fn submitter(&self, root: TaskId) -> Submitter {
        self.submitters.get(&root).copied().unwrap_or_default()
    }

    /// That a lease is over the pool says with no effect: whoever worked under it is told before anything else follows.
    fn take_of_pool(&mut self, event: PoolEvent, orders: &mut Vec<Order>) -> Outcome<Refused> {
        let Some(pool) = &mut self.pool else { return Outcome::Rejected(Refused::NoPool) };
        let (at_stake, mut effects) = (at_stake(pool, event), Vec::new());
        let outcome = pool.step(event, &mut |effect| effects.push(Order::Pool(effect)));
        if let Some((agent, lease)) = at_stake
            && !pool.holds(agent, lease)
        {
            orders.push(Order::LeaseOver { agent, lease, lost: Vec::new() });
        }
        orders.extend(effects);
        of(outcome, Refused::Pool)
    }

    /// A task ends because there is no place for it, unless somebody has cancelled it before: it decides what people are told.
    fn has_no_place(&mut self, task: TaskId, orders: &mut Vec<Order>) -> Outcome<Refused> {
        let mut record = Record::default();
        record.has_no_place(&self.kernel, task);
        let outcome = self.take_of_tree(&Event::CancelRequested { task }, &[], orders);
        if outcome == Outcome::Applied && record != Record::default() {
            self.records.insert(task, record);
        }
        outcome
    }

    /// Takes what is on record. What it led to is added to the orders.
    pub(crate) fn replay(
        &mut self,
        at_ms: u64,
        bill: Option<Bill>,
        past: Past,
        text: &[String],
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        let paid = bill.map(|bill| self.take(at_ms, &Event::from(bill).into(), &[], orders));
        if let Some(outcome @ (Outcome::Ignored(_) | Outcome::Rejected(_))) = paid {
            return outcome;
        }
        match past {
            Past::Happened(fact) => self.take(at_ms, &fact, text, orders),
            Past::PoolStands(pool, armed) => self.pool_stands(*pool, &armed),
        }
    }

    fn pool_stands(&mut self, stood: Pool, armed: &[(PoolTimer, u64)]) -> Outcome<Refused> {
        match &mut self.pool {
            Some(pool) if pool.config() == stood.config() => *pool = stood,
            Some(_) | None => return Outcome::Rejected(Refused::NoPool),
        }
        for (timer, at_ms) in armed {
            self.alarms.arm(Fact::Pool(PoolEvent::Elapsed { timer: *timer }), *at_ms);
        }
        Outcome::Applied
    }

    fn take_of_credential(
        &mut self,
        profile: ProfileId,
        event: CredentialEvent,
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        let Some(credential) = self.credentials.get_mut(&profile) else {
            return Outcome::Rejected(Refused::NoCredential(profile));
        };
        let mut order = |effect| orders.push(Order::Credential { profile, effect });
        of(credential.step(event, self.kernel.config(), &mut order), Refused::Credential)
    }

    fn take_of_outbox(
        &mut self,
        root: TaskId,
        event: NotificationEvent,
        text: &[String],
        orders: &mut Vec<Order>,
    ) -> Outcome<Refused> {
        let known = self.outboxes.remove(&root);
        if known.is_none() && !self.is_held(root) {
            // People have heard: this is a second answer to what was sent twice.
            return Outcome::Ignored(Ignored::Terminal);
        }
        let is_known = known.is_some();
        let mut post = known.unwrap_or_default();
        let mut order = |effect| orders.push(Order::Outbox { root, effect });
        let outcome = post.outbox.step(event, self.kernel.config(), &mut order);
        if is_known || outcome == Outcome::Applied {
            post.note(event, &outcome, text);
            self.outboxes.insert(root, post);
        }
        self.forget_delivered(root);
        of(outcome, Refused::Outbox)
    }

    /// Who has ended and is a root gets an outbox, with what people are told: the words go when the tree has forgotten it.
    fn note_ends(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::TaskEnded { task, end } = *effect
                && self.is_told_of(task)
            {
                let end = (RootEnd::Once(end), self.library.conclusion(task));
                self.outboxes.entry(task).or_default().end = Some(end);
            }
        }
    }

    /// Whether people are told how a task ended in the tree: a root that is no attempt.
    pub(crate) fn is_told_of(&self, task: TaskId) -> bool {
        let is_root = self.kernel.task(task).is_some_and(|task| task.data.parent.is_none());
        is_root && self.attempted.of(task).is_none()
    }

    /// Whether there is a root of this name, or attempts at a task.
    fn is_held(&self, name: TaskId) -> bool {
        self.attempted.get(name).is_some() || self.is_told_of(name)
    }

    /// After a crash the tree says again how a root ended that it holds, so the outbox of that one stays.
    pub(crate) fn forget_delivered(&mut self, root: TaskId) {
        if !self.is_held(root) && self.outboxes.get(&root).is_some_and(Post::is_delivered) {
            self.outboxes.remove(&root);
        }
    }

    /// A credential that stood like this has ordered what it would order again.
    fn stands(&mut self, profile: ProfileId, stood: Credential, orders: &mut Vec<Order>) -> Outcome<Refused> {
        let Some(credential) = self.credentials.get_mut(&profile) else {
            return Outcome::Rejected(Refused::NoCredential(profile));
        };
        *credential = stood;
        let mut order = |effect| orders.push(Order::Credential { profile, effect });
        credential.resync(self.kernel.config(), &mut order);
        Outcome::Applied
    }

    /// A subtask that was refused never ends, so that nothing else would forget its prompt.
    fn forget_refused(&mut self, event: &Event) {
        let Event::ResponseEnded { response: Response::Calls(calls), .. } = event else { return };
        for call in calls {
            if let Call::Subtask { child } = call
                && self.kernel.task(*child).is_none()
            {
                self.library.forget(*child);
            }
        }
    }

    /// What is outstanding after a crash, with what is left of each wait.
    pub(crate) fn outstanding(&self, now_ms: u64) -> Vec<Order> {
        let mut effects = Vec::new();
        self.kernel.resync(&mut effects);
        // Who has which place is said before anything that uses one.
        let mut orders = Vec::new();
        if let Some(pool) = &self.pool {
            pool.resync(&mut |effect| orders.push(Order::Pool(effect)));
        }
        orders.extend(started(&self.kernel));
        orders.extend(effects.into_iter().map(Order::Tree));
        for (&profile, credential) in
            self.credentials.iter().filter(|_| !fault::has(Fault::CredentialsForgotten))
        {
            let mut order = |effect| orders.push(Order::Credential { profile, effect });
            credential.resync(self.kernel.config(), &mut order);
        }
        for (&root, asking) in &self.asking {
            let mut order = |effect| orders.push(Order::Questions { root, effect });
            asking.questions.resync(self.kernel.config(), &mut order);
        }
        for (task, tries) in self.attempted.iter() {
            let mut order = |effect| orders.push(Order::Retry { task, effect });
            tries.retry.resync(self.kernel.config(), &mut order);
        }
        for (&root, post) in self.outboxes.iter().filter(|_| !fault::has(Fault::OutboxesForgotten)) {
            let mut order = |effect| orders.push(Order::Outbox { root, effect });
            post.outbox.resync(self.kernel.config(), &mut order);
        }
        self.alarms.shorten(&mut orders, now_ms);
        orders
    }

    /// How the pool stands, and each credential of which anything was asked, for a journal without the events that led there.
    pub(crate) fn standing(&self) -> Vec<Entry> {
        let asked = self.credentials.iter().filter(|(_, credential)| **credential != Credential::default());
        let entry = |(&profile, &credential): (&ProfileId, &Credential)| {
            let at_ms = self.alarms.last(Owner::Profile(profile)).unwrap_or(0);
            Entry { at_ms, event: Fact::Stands { profile, credential }.into(), bill: None, text: Vec::new() }
        };
        asked.map(entry).chain(self.pool_standing()).collect()
    }

    fn pool_standing(&self) -> Option<Entry> {
        let pool = self.pool.as_ref().filter(|pool| **pool != Pool::new(*pool.config()))?;
        let armed = |agent| {
            self.alarms.of_owner(Owner::Agent(agent)).filter_map(|(fact, at_ms)| match fact {
                Fact::Pool(PoolEvent::Elapsed { timer }) => Some((*timer, at_ms)),
                Fact::Pool(_)
                | Fact::Tree(_)
                | Fact::Credential { .. }
                | Fact::Stands { .. }
                | Fact::Outbox { .. }
                | Fact::Submitted { .. }
                | Fact::Attempted { .. }
                | Fact::Begun { .. }
                | Fact::Retry { .. }
                | Fact::Questions { .. }
                | Fact::NoPlace(_) => None,
            })
        };
        let armed: Vec<_> = pool.agents().flat_map(|(agent, _)| armed(agent)).collect();
        let at_ms = armed.iter().map(|(_, at_ms)| *at_ms).max().unwrap_or(0);
        let pool = PoolStanding::V1(Box::new(pool.clone()));
        Some(Entry { at_ms, event: Recorded::PoolStands { pool, armed }, bill: None, text: Vec::new() })
    }

    /// Whether all of it can have come from events.
    pub(crate) fn validate(&self) -> Result<(), Contradiction> {
        self.kernel.validate().map_err(Contradiction::Tree)?;
        self.credentials.iter().try_for_each(|(profile, credential)| {
            let valid = credential.validate(self.kernel.config());
            valid.map_err(|corrupt| Contradiction::Credential(*profile, corrupt))
        })?;
        self.pool.iter().try_for_each(|pool| pool.validate().map_err(Contradiction::Pool))?;
        self.attempted.validate(self.kernel.config())?;
        self.validate_asking()?;
        self.outboxes.iter().try_for_each(|(root, post)| {
            let valid = post.outbox.validate(self.kernel.config());
            valid.map_err(|corrupt| Contradiction::Outbox(*root, corrupt))
        })
    }

    /// Every task of which something is held, and the one with the highest number: no number may be given twice.
    pub(crate) fn held(&self) -> BTreeSet<TaskId> {
        let tasks = self.kernel.tasks().map(|task| task.id).chain(self.kernel.highest());
        let attempted = self.attempted.iter().map(|(name, _)| name);
        let asking = self.asking.keys().copied();
        tasks.chain(self.outboxes.keys().copied()).chain(attempted).chain(asking).collect()
    }
}
