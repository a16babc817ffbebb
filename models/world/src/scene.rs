//! A scene: the shell that ships, in a process that may be killed, and the world around it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use downbeat_kernel::{Config, PoolConfig};
use downbeat_rt::{First, first_of};
use downbeat_shell::{
    Agents, Bounds, NoAgents, NoVault, NoWorkers, Ports, Shell, ShellConfig, Vault, Viewer,
};
use downbeat_store::Store;

use crate::agents::Fleet;
use crate::host::Host;
use crate::ledger::{Ends, Ledger};
use crate::login::Login;
use crate::marks::{Marks, UnderWay};
use crate::people::{Audience, Wall};
use crate::process::{Once, Process, Waits};
use crate::provider::{Behind, Provider, Script};
use crate::store::{Commit, Memory};
use crate::users;
use crate::verdict::Verdict;

/// Waits of the shell of this length and more are never over.
const ENDLESS: Duration = Duration::from_secs(5);

/// How long a lease lasts that may be over; those after the first are not. No other wait of the shell is as long.
const LEASE_MS: u32 = 2_999;

/// How long a model or a tool may be silent that may hang.
const SILENCE_MS: u32 = 2_000;

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
    /// Whether the long waits of the shell are over some time, too.
    pub(crate) waits_end: bool,
    /// Whether the clock on the wall may be set before the process starts again.
    pub(crate) jumps: bool,
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
        let silence = NonZeroU32::new(SILENCE_MS).filter(|_| self.script.hangs);
        let bounds = Bounds { silence_ms_max: silence, tool_ms_max: silence, ..Bounds::NONE };
        ShellConfig { kernel, pool, snapshot_every: 0, bounds, ..ShellConfig::default() }
    }

    /// Plays the scene once.
    ///
    /// # Errors
    /// The promise that was broken.
    pub async fn play(self, world: impl Into<Host>, marks: Marks) -> Verdict {
        let world = world.into();
        let rt = world.rt().clone();
        let (refreshes, commits) = (UnderWay::default(), UnderWay::default());
        let ends = Ends {
            // A clock that is set forward may end a lease, too, and so may time.
            cancelled: self.pool.is_some_and(|pool| pool.expires || self.jumps || self.waits_end),
            // What was cut after somebody has seen a piece of it is not sent again, and who waits for a credential may have waited enough.
            failed: self.script.cuts || self.waits_end,
            // A tool is lost with its agent.
            silent: self.script.hangs || self.waits_end || self.pool.is_some(),
            refused: self.script.errs,
        };
        let ledger = Ledger::new(&rt, ends, &refreshes, &commits, &marks);
        let login = self.expired.then(|| Login::expired(&rt, &ledger, &refreshes));
        let provider = Behind(Arc::new(Provider::new(&world, self.script, &ledger, login.as_ref())));
        let (mut people, mut answering) = (Vec::new(), Vec::new());
        users::gather(&self, &world, &ledger, &mut people, &mut answering);
        let audience = Arc::new(Audience { ledger: ledger.clone(), world: world.clone(), answering });
        let viewer = self.script.cuts.then(|| audience.clone() as Arc<dyn Viewer>);
        let wall = Wall::new(&rt);
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
            viewer,
            tools: Arc::new(provider),
            people: audience.clone(),
            notifier: audience,
            agents,
            workers: Arc::new(NoWorkers),
            overseer: Arc::new(NoWorkers),
            vault,
            clock: Arc::new(wall.clone()),
        };
        let commit = match (self.is_slow, self.kills) {
            (true, _) => Commit::Elsewhere,
            (false, 0) => Commit::AtOnce,
            (false, _) => Commit::InSteps,
        };
        let store: Arc<dyn Store> = Arc::new(Memory::new(&world, commit, self.failures, &commits, &marks));
        let once = self.pool.filter(|pool| pool.expires).map(|_| {
            let ledger = ledger.clone();
            Once {
                wait: Duration::from_millis(LEASE_MS.into()),
                over: Arc::new(move || ledger.lease_is_over()),
            }
        });
        let endless = if self.waits_end { Duration::MAX } else { ENDLESS };
        let waits = Waits { endless, once };
        for life in 0..self.lives() {
            if self.jumps && life > 0 {
                wall.jumps(&world, &marks);
            }
            let process = Process::new(&rt, waits.clone());
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
                let (process, ledger, killed) = (process.clone(), ledger.clone(), world.clone());
                world.spawn_last("kill", async move {
                    killed.any_moment().await;
                    if process.lives() {
                        killed.say(|| "kills the process");
                        process.kill(|| ledger.crashed());
                    }
                });
            }
            match first_of(gone.next(), world.at_rest()).await {
                First::Left(_) => process.kill(|| ledger.restarts()),
                // On several threads it may have died since it was asked whether it had.
                First::Right(_) if !process.lives() => {}
                First::Right(rest) => return rest.and_then(|()| ledger.verdict()),
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
