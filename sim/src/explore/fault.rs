//! What the tests of the reduction break, to see that it is noticed.

/// A planted fault. There is none outside of the tests of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What sleeps stays asleep whatever happens.
    NeverWakesSleepers,
    /// A race is not reversed if the one who could go first waits for somebody else.
    ForgetsIndirect,
    /// Who could go on and cannot any more is forgotten.
    ForgetsWhatIsGone,
    /// A timer that another one blocks is forgotten.
    ForgetsBlocked,
    /// The last step, with which everything ends, races with nobody.
    ForgetsTheEnd,
    /// What the world decides within a step is decided once.
    DecidesOnce,
    /// Of an actor that sleeps only the last variant of its step is remembered.
    ForgetsVariants,
    /// Who sleeps is thought to do the same wherever it goes on.
    ForgetsOtherVariants,
    /// Who sleeps when its step would end everything is not woken by steps that have nothing else in common with it.
    EndsInItsSleep,
    /// Who wakes a task is not recorded.
    IgnoresWakes,
    /// Writes are recorded as reads.
    IgnoresWrites,
    /// To arm or disarm a timer, or to look at the time, is not recorded.
    IgnoresTime,
    /// That a timer has come to another task is not recorded.
    IgnoresMoves,
    /// Which place of a queue is used is not recorded.
    IgnoresPlaces,
    /// How a task ends is not recorded.
    IgnoresEnds,
    /// The numbers that tasks draw come one after the other, whoever asks.
    DrawsInOrder,
    /// A timer counts as let by whatever came before it.
    TimersNeverRace,
    /// A task counts as woken by one step alone where several have.
    SeesOneWaker,
    /// What an execution did in place of a step is not recorded: it counts as a repetition.
    RepeatsOneTooMany,
}

#[cfg(test)]
thread_local! {
    pub(super) static PLANTED: std::cell::Cell<Option<Fault>> = const { std::cell::Cell::new(None) };
}

/// Whether this fault is planted.
#[cfg(test)]
pub(super) fn has(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Whether any fault is planted.
#[cfg(test)]
pub(super) fn is_any() -> bool {
    PLANTED.get().is_some()
}

/// Whether any fault is planted: none is.
#[cfg(not(test))]
pub(super) fn is_any() -> bool {
    false
}

/// Whether this fault is planted: it is not.
#[cfg(not(test))]
pub(super) fn has(_fault: Fault) -> bool {
    false
}
