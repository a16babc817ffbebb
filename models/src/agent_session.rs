//! A session with one agent: requests go in by `invoke`, and each waits for its result.
//!
//! The session keeps a queue of prompts and one iterator over the agent's messages, and learns from them which
//! request is done. Four versions of one protocol exist; each repaired what the one before it did after an abort.
//! [`session`] has their code, one stretch between two `await`s after the other; the versions differ in three places
//! and nowhere else. [`sdk`] is the agent's side, [`ledger`] is what callers see and judge: neither knows the
//! session's variables. The stories are in `docs/races/agent-session.md`.
//!
//! What the environment may do, each a number of times: callers make requests, one or two at once, at any moment and
//! also in the very turn in which the last one was rejected; they cancel tokens; the one in charge aborts; a start
//! fails; an aborted iterator throws, ends, or does neither for ever.

pub mod actions;
pub mod as_is;
pub mod kernel;
pub mod ledger;
pub mod line;
pub mod properties;
pub mod sdk;
pub mod session;
pub mod state;

use downbeat_sim::harness::Variant;
use downbeat_sim::report::Verdict;

use self::as_is::AsIs;

/// The versions of the session, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The `catch` of the loop rejects everything that waits, and keeps the iterator.
    V0,
    /// The `catch` forgets the iterator too.
    V1,
    /// `abort()` forgets the iterator too.
    V2,
    /// The `catch` does nothing if the session has another iterator than its own.
    V3,
}

/// Every version, with what the checker found about it, and the kernel's session in the same hands.
///
/// Under its own name each is put to everything that callers do: two of them, who also cancel their tokens, and
/// interrupts while a start is in progress. As `-calm` it is put to what it was made for: one caller, aborts of a
/// request that an agent works on or of an agent that is idle, and starts that succeed.
///
/// What is expected was written down after each counterexample had been read beside the code that it is of.
pub fn variants() -> Vec<Variant> {
    let everything: &'static [&'static str] = &["S10", "S11", "S12", "S13", "deadlock", "settles"];
    let kept = "the catch of the message loop keeps the iterator";
    let forgotten = "the catch forgets the iterator";
    let aborted = "v1, and abort() forgets the iterator too";
    let own = "v2, and the catch of an old loop leaves a new session alone";
    let all = [
        ("v0", kept, Version::V0, ALL, everything, Some("S12")),
        ("v1", forgotten, Version::V1, ALL, everything, Some("settles")),
        ("v2", aborted, Version::V2, ALL, everything, Some("S11")),
        ("v3", own, Version::V3, ALL, everything, Some("S10")),
        ("v0-calm", kept, Version::V0, CALM, &["S12", "deadlock", "settles"], Some("settles")),
        ("v1-calm", forgotten, Version::V1, CALM, &["S12", "deadlock", "settles"], Some("S12")),
        ("v2-calm", aborted, Version::V2, CALM, &["S10", "S11", "S12"], Some("S11")),
        ("v3-calm", own, Version::V3, CALM, &[], None),
    ];
    let variant = |(name, about, version, setting, violated, headline): Trial| {
        let expect = |variant: Variant, id: &&'static str| variant.expect(id, Verdict::Violated);
        let variant = AsIs::variant(name, about, version, setting.defaults);
        let variant = variant.deep(setting.deep.iter().copied());
        let variant = violated.iter().fold(variant, expect);
        headline.into_iter().fold(variant, Variant::headline)
    };
    all.into_iter().map(variant).chain([kernel::variant()]).collect()
}

/// What a trial has otherwise than usual.
struct Setting {
    /// Other defaults of bounds.
    defaults: &'static [(&'static str, u64)],
    /// What there is more of in a deep search.
    deep: &'static [(&'static str, u64)],
}

/// Name, about, version, setting, what is violated, and the violation that tells the story.
type Trial = (&'static str, &'static str, Version, Setting, &'static [&'static str], Option<&'static str>);

const ALL: Setting = Setting { defaults: &[], deep: &[("requests", 4), ("cancels", 2), ("aborts", 2)] };

const CALM: Setting = Setting {
    defaults: &[("callers", 1), ("cancels", 0), ("aborts", 2), ("early", 0), ("failures", 0)],
    deep: &[("requests", 5), ("aborts", 4)],
};
