//! A `[[party]]` of the configuration: a user who is no person, what it plays, and on which server.

use std::time::Duration;

use serde::Deserialize;

use crate::node::party::{Party, Play, Then};

/// A party as the file describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartySection {
    name: String,
    /// By its short name.
    pub(super) home: String,
    #[serde(default)]
    plays: Play,
    /// In seconds.
    #[serde(default = "two")]
    after: u32,
    #[serde(default)]
    then: Then,
}

impl PartySection {
    pub(super) fn party(&self) -> Party {
        let after = Duration::from_secs(u64::from(self.after));
        Party { plays: self.plays.clone(), then: self.then, after, ..Party::new(&self.name) }
    }
}

fn two() -> u32 {
    2
}
