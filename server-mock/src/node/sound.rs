//! What the calls of a party sound like, and what a node wants done about their sound.

use std::net::IpAddr;

use homing_core::ids::Seed;
use homing_media::{Agreed, LocalAddress};

/// What is said and heard in the calls that a party answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartySound {
    /// What it says.
    pub speech: Speech,
    /// What is wrong with its packets.
    pub fault: Option<SoundFault>,
}

/// What a party says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speech {
    /// What it hears.
    #[default]
    Echo,
    /// A sine of so many hertz at −16 dBov.
    Tone(u16),
    /// Whose home one is at: the short name of its server in Morse code (ITU-R M.1677), at 800 Hz and 20 words a
    /// minute, again every two seconds. The answer says it in words, in Organization (RFC 3261 20.25).
    Announcement,
    /// Silence, in packets.
    Silence,
}

/// What is wrong with a party's packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundFault {
    /// After a second another source (SSRC) speaks, with another sequence and other timestamps.
    NewSource,
    /// The sequence numbers begin at 65,500 and wrap half a second later; in the clear only, for a sealed packet bears no
    /// change.
    SequenceWrap,
    /// The last octet of each packet is changed, so that no tag of SRTP is right; in the clear that is a sample.
    BadTags,
    /// No packet leaves.
    NoPackets,
}

/// What a node wants of the world for the sound of a call.
#[derive(Clone, Debug)]
pub enum SoundOrder {
    /// Bind ports, and answer by [`NodeInput::SoundOpened`](super::NodeInput::SoundOpened).
    Open {
        /// Names the call from now on.
        call: u64,
        /// What it is to sound like.
        sound: PartySound,
    },
    /// Speak and listen like this from now on.
    Agree {
        /// Open.
        call: u64,
        /// What offer and answer came to.
        agreed: Box<Agreed>,
    },
    /// The call is over: close its ports.
    Close {
        /// Open; never used again.
        call: u64,
    },
}

/// The ports of a call, and chance for its keys.
#[derive(Clone, Debug)]
pub struct SoundPorts {
    /// As the other end is told.
    pub ip: IpAddr,
    /// The even port, as RFC 3550 11 has it.
    pub rtp: u16,
    /// Of RTCP; none where it is multiplexed.
    pub rtcp: Option<u16>,
    /// For the keys of this call only.
    pub seed: Seed,
}

impl SoundPorts {
    pub(super) fn local(&self) -> LocalAddress {
        LocalAddress { ip: self.ip, rtp_port: self.rtp, rtcp_port: self.rtcp }
    }
}
