//! What a machine of the kernel needs of the world around it.

use std::fmt::Debug;
use std::hash::Hash;

use downbeat_kernel::Config;
use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::{Arrow, Property};

use super::{Closed, Former};

/// Acts that are not put off for ever: the name, and which they are.
pub type Fair<A> = (&'static str, fn(A) -> bool);

/// What surrounds a machine: what may happen there, and what comes of the machine's orders.
pub trait World: Copy + Eq + Hash + Debug + Send + Sync + 'static {
    /// The machine of the kernel.
    type Machine: Copy + Default + Eq + Hash + Debug + Send + Sync;
    /// What the machine is told.
    type Event: Copy + Eq + Hash + Debug + Send + Sync;
    /// What it orders.
    type Effect: Copy + Eq + Hash + Debug + Send + Sync;
    /// What may happen.
    type Act: Copy + Eq + Hash + Debug + Kinds + Send + Sync;

    /// The settings of the machine, but for a planted fault.
    fn config() -> Config;

    /// The machine takes an event, or not; whether it was applied.
    fn step(
        machine: &mut Self::Machine,
        event: Self::Event,
        config: &Config,
        sink: &mut dyn FnMut(Self::Effect),
    ) -> bool;

    /// The machine repeats what is outstanding.
    fn resync(machine: &Self::Machine, config: &Config, sink: &mut dyn FnMut(Self::Effect));

    /// Whether the machine says of itself that it can be.
    fn is_valid(machine: &Self::Machine, config: &Config) -> bool;

    /// Gives counters that only grow the lowest values under which everything goes on alike, also those of a process that is
    /// slow or was replaced.
    fn renumber(&mut self, machine: &mut Self::Machine, former: Option<&mut Former<Self>>);

    /// Everything that may happen but a crash, always in the same order.
    fn acts(&self, machine: &Self::Machine, acts: &mut Vec<Self::Act>);

    /// The event that an act is to the machine, if it is told of it.
    fn event(&self, machine: &Self::Machine, act: Self::Act) -> Option<Self::Event>;

    /// What an act does in the world, before the machine is told.
    fn happens(&mut self, act: Self::Act);

    /// The machine has applied an event.
    fn is_taken(&mut self, event: Self::Event);

    /// Carries out an order.
    fn obeys(&mut self, order: Self::Effect);

    /// What comes of an order of a process that was replaced, or that has not put its event on record. No order about a timer
    /// is one.
    fn hears_of(&mut self, order: Self::Effect);

    /// Whether an order is about a timer, which is gone with its process.
    fn is_of_timer(order: Self::Effect) -> bool;

    /// The timer of a process runs out.
    fn elapses() -> Self::Act;

    /// Takes one of the crashes that are left; `None` if none is.
    fn spend_crash(&mut self) -> Option<()>;

    /// A process begins with what is on record: the timers of the one before are not its own.
    fn begin_anew(&mut self);

    /// What keeps the world from rest, as a sentence; `None` if it may rest.
    fn unsettled(&self) -> Option<String>;

    /// What is asked of it, beside S25 and `valid`.
    fn properties() -> Vec<Property<Closed<Self>>>;

    /// Acts that are not put off for ever: the name, and which they are.
    fn fair() -> Vec<Fair<Self::Act>>;

    /// The participants of a diagram.
    fn lanes() -> Vec<String>;

    /// How an act reads.
    fn told(&self, act: Self::Act) -> Arrow;

    /// How an order reads.
    fn ordered(order: Self::Effect) -> Arrow;

    /// Where things stand, in one line.
    fn standing(&self, machine: &Self::Machine) -> String;
}
