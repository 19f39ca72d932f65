//! What a session counted and measured, to be read at any time.

use std::time::Duration;

/// Numbers of a session since its start, where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// Packets and octets that were handed out.
    pub sent: Traffic,
    /// Packets of the peer that were taken.
    pub received: Traffic,
    /// Packets of the peer that never came (RFC 3550 section 6.4.1); duplicates can make up for losses.
    pub lost: u64,
    /// The share of the last second's packets that never came, 0 to 1; none where none were due.
    pub lost_of_last_second: Option<f32>,
    /// How unevenly the peer's packets arrive (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// To the peer and back (RFC 3550 section 6.4.1); none as long as no report answered one of ours.
    pub round_trip: Option<Duration>,
    /// What the peer reports of our packets; none means "no report from the peer".
    pub peer: Option<PeerReport>,
    /// How long sound waits in the jitter buffer now.
    pub buffer: Duration,
    /// How long it is to wait, by the jitter of the last seconds.
    pub buffer_target: Duration,
    /// Sound that was made up for what was missing.
    pub concealed: Duration,
    /// Packets that came when their sound had been played, or made up.
    pub late: u64,
    /// Level of what was captured in the last second.
    pub captured: Level,
    /// Level of what was played in the last second.
    pub played: Level,
    /// Packets that were dropped.
    pub dropped: Dropped,
    /// How long ago the last packet of the peer was taken; none before the first.
    pub silent_for: Option<Duration>,
    /// Whether sound is encrypted.
    pub is_encrypted: bool,
}

/// Packets of RTP, and the octets of their payloads.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Without RTCP.
    pub packets: u64,
    /// Without headers, padding and tags.
    pub octets: u64,
}

/// The last report of the peer about our packets (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerReport {
    /// Lost since its report before, in 256ths.
    pub fraction_lost: u8,
    /// Lost since the start; negative where duplicates came.
    pub lost: i32,
    /// How unevenly our packets arrive there.
    pub jitter: Duration,
    /// When the report came, on the clock of `now`.
    pub at: Duration,
}

/// Loudness in decibels below the loudest sine that 16 bits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// Of the root mean square; 0 is full scale, none is digital silence.
    pub dbov: Option<f32>,
}

/// Packets that were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Dropped {
    /// No RTP or RTCP, too short, or lengths that contradict each other.
    pub malformed: u64,
    /// From an address that is not the peer's.
    pub foreign: u64,
    /// The tag is wrong (RFC 3711 section 3.3).
    pub unauthenticated: u64,
    /// Seen before, or too old to tell (RFC 3711 section 3.3.2).
    pub replayed: u64,
    /// A payload type that was not agreed on.
    pub unknown_payload: u64,
    /// Of another source (SSRC) than the one that is heard, too few to be a new one.
    pub other_source: u64,
    /// Sequence numbers too far from the last.
    pub out_of_range: u64,
    /// Twice the same sequence number.
    pub duplicate: u64,
    /// Against the direction that was agreed on, or before anything was.
    pub unexpected: u64,
    /// Packets of ours that nobody fetched in time, or that did not fit the buffer handed in.
    pub not_fetched: u64,
    /// Events that nobody fetched in time.
    pub events: u64,
}

impl Dropped {
    /// All reasons together.
    pub fn total(&self) -> u64 {
        let Dropped { malformed, foreign, unauthenticated, replayed, unknown_payload, .. } = self;
        let Dropped { other_source, out_of_range, duplicate, unexpected, not_fetched, events, .. } = self;
        let arrived = malformed + foreign + unauthenticated + replayed + unknown_payload;
        arrived + other_source + out_of_range + duplicate + unexpected + not_fetched + events
    }
}
