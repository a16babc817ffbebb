//! A scene: the shell that ships, in a process that may be killed, and the world around it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use downbeat_kernel::{Config, End, MessageId, PoolConfig};
use downbeat_rt::{First, first_of};
use downbeat_shell::{Agents, NoAgents, NoVault, NoWorkers, Ports, Shell, ShellConfig, Vault};
use downbeat_sim::explore::World;
use downbeat_store::Store;

use crate::agents::Fleet;
use crate::ledger::Ledger;
use crate::login::Login;
use crate::marks::Marks;
use crate::people::{Audience, Wall};
use crate::process::{Process, Waits};
use crate::provider::{Provider, Script, Shared};
use crate::store::Memory;
use crate::users;

/// Waits of the shell of this length and more are never over.
const ENDLESS: Duration = Duration::from_secs(5);

/// How long a lease lasts that may be over; those after the first are not.
const LEASE_MS: u32 = 100;

/// What may happen in a scene.
#[expect(clippy::struct_excessive_bools, reason = "each is something that may happen, by itself")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    pub(crate) script: Script,
    /// Whether others may go on while a commit is under way.
    pub(crate) is_slow: bool,
    /// Commits that may fail.
    pub(crate) failures: u32,
    /// Messages that a person writes to the root.
    pub(crate) messages: u32,
    /// Whether a person pauses the root, and tells it to go on.
    pub(crate) pauses: bool,
    /// Whether a person cancels the root.
    pub(crate) cancels: bool,
    /// How often the process is killed.
    pub(crate) kills: u32,
    /// Whether the access token has expired.
    pub(crate) expired: bool,
    /// The pool, if there is one: how many of its agents die, and whether the time of a lease may be over.
    pub(crate) pool: Option<Pool>,
}

/// A pool of two agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pool {
    /// How many of the agents that are given a task may die.
    pub(crate) deaths: u32,
    /// Whether the time of the first lease may be over.
    pub(crate) expires: bool,
}

/// What a scene came to, or the promise that was broken.
pub type Verdict = Result<Outcome, &'static str>;

/// What a scene came to in which every promise was kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// How the root ended.
    pub end: End,
    /// The messages that people were told of that nobody has read them.
    pub returned: BTreeSet<MessageId>,
    /// Sends of all tasks.
    pub sends: u32,
}

impl Scene {
    fn config(&self) -> ShellConfig {
        let kernel = Config {
            backoff_ms: 10,
            // Each death of the process may cost one, and so may each failure.
            attempts_max: 3 + u16::try_from(self.kills + self.failures).unwrap_or(u16::MAX - 3),
            profiles_keyed: u8::from(!self.expired),
            notification_backoff_ms: 60_000,
            store_ms: 60_000,
            grace_ms: 60_000,
            stop_ms: 60_000,
            ..Config::default()
        };
        let pool = self.pool.map(|pool| PoolConfig {
            agents_max: 2,
            agents_min: 1,
            lease_ms: if pool.expires { LEASE_MS } else { 60_000 },
            attempts_max: 2,
            ..PoolConfig::default()
        });
        ShellConfig { kernel, pool, snapshot_every: 0, ..ShellConfig::default() }
    }

    /// Plays the scene once.
    ///
    /// # Errors
    /// The promise that was broken.
    pub async fn play(self, world: World, marks: Marks) -> Verdict {
        let rt = world.rt().clone();
        let under_way = Arc::new(AtomicU32::new(0));
        let may_be_cancelled = self.cancels || self.pool.is_some_and(|pool| pool.expires);
        let ledger = Ledger::new(&rt, may_be_cancelled, &under_way, &marks);
        let login = self.expired.then(|| Login::expired(&rt, &ledger, &under_way));
        let provider = Shared(Arc::new(Provider::new(&world, self.script, &ledger, login.as_ref())));
        let audience = Arc::new(Audience { ledger: ledger.clone(), world: world.clone() });
        let vault: Arc<dyn Vault> = match login {
            Some(login) => Arc::new(login),
            None => Arc::new(NoVault),
        };
        let agents: Arc<dyn Agents> = match self.pool {
            Some(pool) => Arc::new(Fleet::new(&world, pool.deaths, &marks)),
            None => Arc::new(NoAgents),
        };
        let ports = Ports {
            model: Arc::new(provider.clone()),
            viewer: None,
            tools: Arc::new(provider),
            people: audience.clone(),
            notifier: audience,
            agents,
            workers: Arc::new(NoWorkers),
            overseer: Arc::new(NoWorkers),
            vault,
            clock: Arc::new(Wall(rt.clone())),
        };
        let store: Arc<dyn Store> = Arc::new(Memory::new(&world, self.is_slow, self.failures, &marks));
        let once = self.pool.and_then(|pool| pool.expires.then_some(Duration::from_millis(LEASE_MS.into())));
        let waits = Waits { endless: ENDLESS, once };
        let mut people = Vec::new();
        users::gather(&self, &world, &ledger, &mut people);
        for life in 0..self.lives() {
            let process = Process::new(&rt, waits);
            let shell = Shell::start(&process.rt(), self.config(), &store, &ports);
            for person in &people {
                let _ = person.try_send(shell.teller());
            }
            // Whoever holds this end is in the process.
            let (alive, mut gone) = rt.channel::<()>("life", 1);
            process.rt().spawn("main", async move {
                let _alive = alive;
                let _ = shell.join().await;
            });
            if life < self.kills as usize {
                let (process, ledger, world) = (process.clone(), ledger.clone(), world.clone());
                rt.spawn("kill", async move {
                    if process.lives() {
                        world.say(|| "kills the process");
                        ledger.crashed();
                        process.kill();
                    }
                });
            }
            match first_of(gone.next(), world.at_rest()).await {
                First::Left(_) => process.kill(),
                First::Right(()) => return ledger.verdict(),
            }
        }
        // It has died more often than anything in this scene kills it.
        Err("L1")
    }

    /// How often the process lives at most.
    pub(crate) fn lives(&self) -> usize {
        (self.kills + self.failures + 1) as usize
    }
}
