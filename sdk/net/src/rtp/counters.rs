//! Counts of one machine's packets: what came, what left, and what did not.

use std::sync::Arc;

use crate::counters::Count;

/// A reading of the counters of one machine's sockets. No error counted here ends the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketCounters {
    /// Packets received and given to the machine.
    pub received: u64,
    /// Packets that came and were dropped, for they had more than [`LARGEST_PACKET`](super::LARGEST_PACKET) octets.
    pub too_large: u64,
    /// Errors that reading gave, such as an unreachable peer told by ICMP.
    pub receive_errors: u64,
    /// Packets handed to the system.
    pub sent: u64,
    /// Packets that the system did not take for want of room (`ENOBUFS`, a full socket).
    pub no_room: u64,
    /// Packets that the system refused otherwise: no route, a peer that is unreachable, a wrong family of address.
    pub send_errors: u64,
    /// Slots that passed unserved because the thread was more than 100 ms late.
    pub slots_missed: u64,
}

/// Reads the counters of one machine, from any thread and also after its end.
#[derive(Clone, Debug)]
pub struct PacketReader(LiveCounters);

/// The counters while they count.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveCounters(Arc<Counts>);

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) received: Count,
    pub(super) too_large: Count,
    pub(super) receive_errors: Count,
    pub(super) sent: Count,
    pub(super) no_room: Count,
    pub(super) send_errors: Count,
    pub(super) slots_missed: Count,
}

impl std::ops::Deref for LiveCounters {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.0
    }
}

impl PacketReader {
    /// As they stand now.
    pub fn read(&self) -> PacketCounters {
        self.0.read()
    }
}

impl LiveCounters {
    pub(super) fn reader(&self) -> PacketReader {
        PacketReader(self.clone())
    }

    pub(super) fn read(&self) -> PacketCounters {
        PacketCounters {
            received: self.received.read(),
            too_large: self.too_large.read(),
            receive_errors: self.receive_errors.read(),
            sent: self.sent.read(),
            no_room: self.no_room.read(),
            send_errors: self.send_errors.read(),
            slots_missed: self.slots_missed.read(),
        }
    }
}
