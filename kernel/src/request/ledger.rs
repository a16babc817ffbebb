//! What was sent for one request, why, and what may have to be paid for.

use super::{ProfileId, SendFailure, SendReason};
use crate::vocabulary::Attempt;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use serde::{Deserialize, Serialize};

/// The sends of one request at most, whatever [`Config::attempts_max`](crate::Config::attempts_max) allows: the ledger has
/// that many lines, twice the default, so that a request owns no memory.
pub const SENDS_MAX: usize = 16;

/// One send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SendRecord {
    /// Where it went.
    pub profile: ProfileId,
    /// Why it was sent.
    pub reason: SendReason,
    /// What became of it.
    pub fate: Fate,
    /// Whether its profile was charged for it.
    pub charged: bool,
}

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Fate {
    /// It is not over.
    Open,
    /// The provider refused it before it did any work.
    Refused,
    /// It is over, and the provider may have worked on it.
    Lost,
    /// Its whole response came.
    Whole,
}

/// Every send of one request, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Vec<SendRecord>", try_from = "Vec<SendRecord>")]
pub struct Ledger {
    /// Lines that were not written are [`Ledger::BLANK`].
    lines: [SendRecord; SENDS_MAX],
    written: u8,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sends()).finish()
    }
}

/// What is not written does not count.
impl Hash for Ledger {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sends().hash(state);
    }
}

impl From<Ledger> for Vec<SendRecord> {
    fn from(ledger: Ledger) -> Self {
        ledger.sends().to_vec()
    }
}

/// A ledger with more lines than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerFull;

impl fmt::Display for LedgerFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a request has {SENDS_MAX} sends at most")
    }
}

impl TryFrom<Vec<SendRecord>> for Ledger {
    type Error = LedgerFull;

    fn try_from(sends: Vec<SendRecord>) -> Result<Self, LedgerFull> {
        let mut ledger = Self::default();
        ledger.lines.get_mut(..sends.len()).ok_or(LedgerFull)?.copy_from_slice(&sends);
        ledger.written = u8::try_from(sends.len()).map_err(|_| LedgerFull)?;
        Ok(ledger)
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self { lines: [Self::BLANK; SENDS_MAX], written: 0 }
    }
}

impl Ledger {
    const BLANK: SendRecord =
        SendRecord { profile: ProfileId(0), reason: SendReason::First, fate: Fate::Open, charged: false };

    /// The sends in their order.
    pub fn sends(&self) -> &[SendRecord] {
        let written = usize::from(self.written).min(SENDS_MAX);
        &self.lines[..written]
    }

    /// The sends that the provider may want to be paid for: those that were not refused, and those that it reported.
    pub fn payable(&self) -> impl Iterator<Item = (Attempt, &SendRecord)> {
        let attempts = (0..).map(Attempt);
        attempts.zip(self.sends()).filter(|(_, send)| send.fate != Fate::Refused || send.charged)
    }

    /// A ledger with these lines.
    #[cfg(test)]
    pub(crate) fn of(sends: &[SendRecord]) -> Self {
        Self::try_from(sends.to_vec()).expect("a ledger has few lines")
    }

    /// The number of the next send.
    pub(super) fn next(&self) -> Attempt {
        Attempt(u16::from(self.written))
    }

    /// The last send, if there is one.
    pub(super) fn last(&self) -> Option<&SendRecord> {
        self.sends().last()
    }

    /// A send, if it was made.
    pub(super) fn send_mut(&mut self, attempt: Attempt) -> Option<&mut SendRecord> {
        let written = usize::from(self.written).min(SENDS_MAX);
        self.lines[..written].get_mut(usize::from(attempt.0))
    }

    /// Writes one line more. There is room: whoever sends has looked at [`SENDS_MAX`].
    pub(super) fn write(&mut self, profile: ProfileId, reason: SendReason) {
        if let Some(line) = self.lines.get_mut(usize::from(self.written)) {
            *line = SendRecord { profile, reason, ..Self::BLANK };
            self.written += 1;
        }
    }

    /// The last send is over.
    pub(super) fn close(&mut self, fate: Fate) {
        if let Some(line) = usize::from(self.written).checked_sub(1).and_then(|last| self.lines.get_mut(last))
        {
            line.fate = fate;
        }
    }

    /// Whether it has room for what it says, and nothing is written behind its end.
    pub(super) fn is_sound(&self) -> bool {
        let written = usize::from(self.written);
        self.lines.get(written..).is_some_and(|blank| blank.iter().all(|line| *line == Self::BLANK))
    }
}

impl SendFailure {
    /// What a failure says about what has to be paid: who was refused was not served.
    pub(super) fn fate(self) -> Fate {
        match self {
            Self::Throttled { .. }
            | Self::Unauthorized
            | Self::ContinuityLost
            | Self::ContextTooLong
            | Self::Invalid => Fate::Refused,
            Self::Transient | Self::Interrupted => Fate::Lost,
        }
    }
}
