//! A `[[party]]` of the configuration, a user who is no person, and the command by which it makes a call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::node::party::{AckManner, Manners, Party, Play, Then};
use crate::node::sound::{PartySound, SoundFault, Speech};

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
    sound: Option<Speech>,
    sound_fault: Option<SoundFault>,
}

impl PartySection {
    pub(super) fn party(&self) -> Party {
        let after = Duration::from_secs(u64::from(self.after));
        // A fault alone spoils silence.
        let speech = self.sound.or(self.sound_fault.map(|_| Speech::Silence));
        let sound = speech.map(|speech| PartySound { speech, fault: self.sound_fault });
        Party { plays: self.plays.clone(), then: self.then, sound, after, ..Party::new(&self.name) }
    }
}

/// A call that a party is to make.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartyCallSection {
    /// Where the party is, by short name.
    pub(super) server: String,
    pub(super) party: String,
    pub(super) callee: String,
    #[serde(default = "yes")]
    offers: bool,
    #[serde(default)]
    ack: AckSection,
}

/// When a party acknowledges, as the socket says it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum AckSection {
    #[default]
    Prompt,
    Late(u32),
    Never,
}

impl PartyCallSection {
    pub(super) fn manners(&self) -> Manners {
        let ack = match self.ack {
            AckSection::Prompt => AckManner::Prompt,
            AckSection::Late(seconds) => AckManner::Late(Duration::from_secs(u64::from(seconds))),
            AckSection::Never => AckManner::Never,
        };
        Manners { offers: self.offers, ack }
    }
}

fn yes() -> bool {
    true
}

fn two() -> u32 {
    2
}
