//! What stands in the place of events that a late reader missed.

use std::collections::BTreeMap;
use std::fmt;

use homing_core::event::EventKind;
use homing_core::ids::AccountId;
use homing_core::state::AccountState;

/// Events of one account that were merged because the reader did not take them in time. The events that follow it
/// happened after those it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagged {
    /// Whose events they were.
    pub account: AccountId,
    /// How many of each kind were missed; a kind of which none was missed is not listed.
    pub kinds: BTreeMap<EventKind, u64>,
    /// The account's state after the last event that was missed.
    pub state: AccountState,
}

impl Lagged {
    /// How many events were missed, of all kinds.
    pub fn missed(&self) -> u64 {
        self.kinds.values().sum()
    }
}

/// `3 events missed (2 state changed, 1 registered); now registered`
impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = self.missed();
        write!(f, "{missed} {} missed (", if missed == 1 { "event" } else { "events" })?;
        for (place, (kind, count)) in self.kinds.iter().enumerate() {
            write!(f, "{}{count} {kind}", if place == 0 { "" } else { ", " })?;
        }
        write!(f, "); now {}", self.state.words().word)
    }
}
