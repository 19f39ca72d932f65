//! Packets that wait to be fetched.

use std::net::SocketAddr;

use super::transmit::{MAX_PACKET, PacketKind, Transmit};

/// A bounded row of packets in memory that is there from the start.
pub(super) struct Outbox {
    places: Box<[Place; PLACES]>,
    first: usize,
    count: usize,
}

#[derive(Clone, Copy)]
struct Place {
    transmit: Option<Transmit>,
    octets: [u8; MAX_PACKET],
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            places: Box::new([Place { transmit: None, octets: [0; MAX_PACKET] }; PLACES]),
            first: 0,
            count: 0,
        }
    }

    /// Queues a packet. False if it finds no place: then it is lost, as on a network.
    #[must_use]
    pub(super) fn push(&mut self, kind: PacketKind, to: SocketAddr, packet: &[u8]) -> bool {
        if self.count == PLACES || packet.len() > MAX_PACKET {
            return false;
        }
        let at = (self.first + self.count) % PLACES;
        if let Some(place) = self.places.get_mut(at) {
            place.transmit = Some(Transmit { kind, to, length: packet.len() });
            place.octets.iter_mut().zip(packet).for_each(|(to, from)| *to = *from);
            self.count += 1;
        }
        true
    }

    /// Copies the oldest packet to the buffer. The packet is gone also where the buffer is too short for it.
    pub(super) fn pop(&mut self, buffer: &mut [u8]) -> Option<Fetched> {
        if self.count == 0 {
            return None;
        }
        let place = self.places.get_mut(self.first)?;
        self.first = (self.first + 1) % PLACES;
        self.count -= 1;
        let transmit = place.transmit.take()?;
        match (buffer.get_mut(..transmit.length), place.octets.get(..transmit.length)) {
            (Some(to), Some(from)) => {
                to.copy_from_slice(from);
                Some(Fetched::Whole(transmit))
            }
            _ => Some(Fetched::TooLong),
        }
    }
}

/// What became of a packet that was fetched.
pub(super) enum Fetched {
    Whole(Transmit),
    TooLong,
}

/// 60 ms at the shortest packet time, an event, reports.
const PLACES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_leave_in_order_and_the_row_is_bounded() {
        let to = ([192, 0, 2, 1], 9).into();
        let mut outbox = Outbox::new();
        for round in 0..3u8 {
            assert!((0..16).all(|at| outbox.push(PacketKind::Rtp, to, &[round, at])));
            assert!(!outbox.push(PacketKind::Rtp, to, &[9, 9]));
            let mut buffer = [0; 2];
            for at in 0..16 {
                assert!(matches!(outbox.pop(&mut buffer), Some(Fetched::Whole(_))));
                assert_eq!(buffer, [round, at]);
            }
            assert!(outbox.pop(&mut buffer).is_none());
        }
        assert!(outbox.push(PacketKind::Rtcp, to, &[1, 2, 3]));
        assert!(matches!(outbox.pop(&mut [0; 2]), Some(Fetched::TooLong)));
        assert!(!outbox.push(PacketKind::Rtp, to, &[0; MAX_PACKET + 1]));
    }
}
