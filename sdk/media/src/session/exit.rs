//! The way of a packet out: protected, then queued.

use std::net::SocketAddr;

use super::outbox::Outbox;
use super::security::Security;
use super::statistics::Dropped;
use super::transmit::{MAX_PACKET, PacketKind};

/// What a packet passes on its way out.
pub(super) struct Exit<'s> {
    pub(super) security: &'s mut Security,
    pub(super) outbox: &'s mut Outbox,
    pub(super) dropped: &'s mut Dropped,
}

impl Exit<'_> {
    pub(super) fn rtp(&mut self, to: SocketAddr, packet: &[u8]) {
        let mut buffer = filled(packet);
        let length = self.security.protect(&mut buffer, packet.len());
        self.queue(PacketKind::Rtp, to, length.and_then(|length| buffer.get(..length)));
    }

    pub(super) fn rtcp(&mut self, kind: PacketKind, to: SocketAddr, packet: &[u8]) {
        let mut buffer = filled(packet);
        let length = self.security.protect_rtcp(&mut buffer, packet.len());
        self.queue(kind, to, length.and_then(|length| buffer.get(..length)));
    }

    /// What cannot be protected does not leave.
    fn queue(&mut self, kind: PacketKind, to: SocketAddr, packet: Option<&[u8]>) {
        let is_queued = packet.is_some_and(|packet| self.outbox.push(kind, to, packet));
        self.dropped.not_fetched += u64::from(!is_queued);
    }
}

fn filled(packet: &[u8]) -> [u8; MAX_PACKET] {
    let mut buffer = [0; MAX_PACKET];
    buffer.iter_mut().zip(packet).for_each(|(to, from)| *to = *from);
    buffer
}
