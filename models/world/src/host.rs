//! What a scene is played on: the explorer, or tokio.

mod actor;
mod busy;
mod drawn;

use downbeat_rt::Rt;
use downbeat_sim::explore::World;

pub use drawn::Drawn;

/// What a scene is played on.
#[derive(Clone, Debug)]
pub enum Host {
    /// The explorer decides what happens, and who goes on.
    Explorer(World),
    /// tokio runs the tasks, and what happens is drawn.
    Tokio(Drawn),
}

impl From<World> for Host {
    fn from(world: World) -> Self {
        Self::Explorer(world)
    }
}

impl From<Drawn> for Host {
    fn from(drawn: Drawn) -> Self {
        Self::Tokio(drawn)
    }
}

impl Host {
    /// The runtime.
    pub(crate) fn rt(&self) -> &Rt {
        match self {
            Self::Explorer(world) => world.rt(),
            Self::Tokio(drawn) => drawn.rt(),
        }
    }

    /// What happens, of so many possibilities; the first should be what happens most often.
    pub(crate) fn choose(&self, of: usize, label: &'static str) -> usize {
        match self {
            Self::Explorer(world) => world.choose(of, label),
            Self::Tokio(drawn) => drawn.choose(of),
        }
    }

    /// Whether something happens that need not.
    pub(crate) fn happens(&self, label: &'static str) -> bool {
        self.choose(2, label) == 1
    }

    /// Runs something that may begin at any moment. On the explorer it comes last where nobody chooses, so that the moment is one choice; on
    /// tokio it is as late as others are.
    pub(crate) fn spawn_last(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::Explorer(world) => world.spawn_last(name, work),
            Self::Tokio(drawn) => drop(drawn.rt().spawn(name, work)),
        }
    }

    /// Waits for a moment that nobody knows before, on tokio. On the explorer that is any one, since whoever is ready may be late.
    pub(crate) async fn any_moment(&self) {
        match self {
            Self::Explorer(_) => {}
            Self::Tokio(drawn) => drawn.any_moment().await,
        }
    }

    /// Waits until nothing else can go on: no task is ready, and no timer is armed.
    ///
    /// # Errors
    /// That does not come: something goes on for ever. The explorer cuts such an execution off.
    pub(crate) async fn at_rest(&self) -> Result<(), &'static str> {
        match self {
            Self::Explorer(world) => {
                world.at_rest().await;
                Ok(())
            }
            Self::Tokio(drawn) => drawn.at_rest().await,
        }
    }

    /// Says something to whoever reads the diagram, which the explorer alone draws.
    pub(crate) fn say<S: Into<String>>(&self, words: impl FnOnce() -> S) {
        match self {
            Self::Explorer(world) => world.say(words),
            Self::Tokio(_) => {}
        }
    }
}
