//! RTP: the packets of sound, and what is known of those that came (RFC 3550).

mod head;
mod reception;

pub(crate) use head::{Head, RTP_HEAD};
pub(crate) use reception::{Arrival, Reception};

/// The datagram is RTCP, where both share a port (RFC 5761 section 4).
pub(crate) fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|kind| (192..=223).contains(kind))
}
